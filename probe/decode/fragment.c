// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/decode/fragment.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/status.h"

#define TIMEOUT_US   (30 * CLOCK_SECOND_US)
#define DATAGRAM_MAX 65535u
#define HEADER_ROOM                                                                                \
    256u /* for the IP header, before the datagram; longer chains of extensions are refused */
#define UNIT         8u /* what offsets count in */
#define UNITS        ((DATAGRAM_MAX + UNIT - 1) / UNIT)
#define BITMAP_WORDS ((UNITS + 63) / 64)
#define KEY_WORDS    5u
#define BUCKETS      512u
#define NONE         UINT16_MAX

struct set {
    uint64_t key[KEY_WORDS];
    uint16_t next_in_bucket, older, newer; /* `older` also chains the free ones */
    uint16_t bucket;
    bool poisoned; /* overlapped: what still comes of this datagram is dropped too */
    bool has_header;
    uint8_t next_header, ttl;
    int64_t first_us;
    uint32_t header_length;
    uint32_t end;     /* of the datagram, 0 until its last fragment came */
    uint32_t highest; /* end of the farthest fragment */
    uint32_t units;   /* that are there */
    uint32_t wire_bytes, count;
    uint8_t *bytes; /* HEADER_ROOM and the datagram; kept for the next one */
    uint64_t present[BITMAP_WORDS];
    uint64_t starts[BITMAP_WORDS]; /* where fragments begin: tells a repeated one from an overlap */
};

struct fragments {
    struct hash_key hash_key;
    uint64_t *counts;
    uint16_t buckets[BUCKETS];
    uint16_t oldest, newest, free;
    uint16_t handed_out[DECODE_DEPTH_MAX + 1];
    unsigned handed_out_count;
    struct set sets[DECODE_FRAGMENT_SETS];
};

struct fragments *fragments_create(uint64_t counts[DECODE_KIND_COUNT])
{
    struct fragments *f = calloc(1, sizeof(*f));
    if (f && hash_key_random(&f->hash_key) != DL_OK) {
        free(f);
        f = NULL;
    }
    if (f) {
        f->counts = counts;
        f->oldest = f->newest = f->free = NONE;
        memset(f->buckets, 0xff, sizeof(f->buckets));
        for (unsigned i = DECODE_FRAGMENT_SETS; i-- > 0;) {
            f->sets[i].older = f->free;
            f->free = (uint16_t)i;
        }
    }
    return f;
}

void fragments_destroy(struct fragments *fragments)
{
    if (fragments) {
        for (unsigned i = 0; i < DECODE_FRAGMENT_SETS; i++) {
            free(fragments->sets[i].bytes);
        }
        free(fragments);
    }
}

static void give(struct fragments *f, uint16_t index)
{
    f->sets[index].older = f->free;
    f->free = index;
}

void fragments_release(struct fragments *fragments)
{
    while (fragments->handed_out_count > 0) {
        give(fragments, fragments->handed_out[--fragments->handed_out_count]);
    }
}

/* Takes a set out of the table and the order of age. */
static void unlink_set(struct fragments *f, uint16_t index)
{
    struct set *set = &f->sets[index];
    uint16_t *link = &f->buckets[set->bucket];
    while (*link != index) {
        link = &f->sets[*link].next_in_bucket;
    }
    *link = set->next_in_bucket;
    *(set->older == NONE ? &f->oldest : &f->sets[set->older].newer) = set->newer;
    *(set->newer == NONE ? &f->newest : &f->sets[set->newer].older) = set->older;
}

/* Fragments that were counted as kept turn out to be of another kind. */
static void recount(struct fragments *f, struct set *set, enum decode_kind kind)
{
    f->counts[DECODE_FRAGMENT] -= set->count;
    f->counts[kind] += set->count;
    set->count = 0;
}

static void drop(struct fragments *f, uint16_t index)
{
    recount(f, &f->sets[index], DECODE_FRAGMENT_LOST);
    unlink_set(f, index);
    give(f, index);
}

/* Time may also run backwards, between captures read one after the other. */
static void drop_expired(struct fragments *f, int64_t now_us)
{
    while (f->oldest != NONE) {
        int64_t age_us = now_us - f->sets[f->oldest].first_us;
        if (age_us <= TIMEOUT_US && age_us >= -TIMEOUT_US) {
            break;
        }
        drop(f, f->oldest);
    }
}

static void make_key(const struct ip_layer *ip, const struct fragment *fragment,
                     uint64_t key[KEY_WORDS])
{
    /* In IPv6 the number of what follows may differ from fragment to fragment and does not count.
     */
    uint64_t protocol = ip->version == 4 ? ip->protocol : 0;
    struct address source = ip_address(ip, ip->source);
    struct address destination = ip_address(ip, ip->destination);
    memcpy(&key[0], source.bytes, sizeof(source.bytes));
    memcpy(&key[2], destination.bytes, sizeof(destination.bytes));
    key[4] = fragment->id | protocol << 32 | (uint64_t)ip->version << 40;
}

static uint16_t find(const struct fragments *f, const uint64_t key[KEY_WORDS], uint16_t bucket)
{
    uint16_t index = f->buckets[bucket];
    while (index != NONE && memcmp(f->sets[index].key, key, sizeof(f->sets[index].key)) != 0) {
        index = f->sets[index].next_in_bucket;
    }
    return index;
}

/* A new set, the oldest one's if all are used; NONE without memory. */
static uint16_t add_set(struct fragments *f, const uint64_t key[KEY_WORDS], uint16_t bucket,
                        int64_t now_us)
{
    if (f->free == NONE && f->oldest != NONE) {
        drop(f, f->oldest);
    }
    uint16_t index = f->free;
    if (index == NONE) {
        return NONE;
    }
    struct set *set = &f->sets[index];
    uint16_t next_free = set->older;
    uint8_t *bytes = set->bytes ? set->bytes : malloc(HEADER_ROOM + DATAGRAM_MAX);
    if (!bytes) {
        return NONE;
    }
    f->free = next_free;
    *set = (struct set){.bucket = bucket,
                        .next_in_bucket = f->buckets[bucket],
                        .older = f->newest,
                        .newer = NONE,
                        .first_us = now_us,
                        .bytes = bytes};
    memcpy(set->key, key, sizeof(set->key));
    f->buckets[bucket] = index;
    *(f->newest == NONE ? &f->oldest : &f->sets[f->newest].newer) = index;
    f->newest = index;
    return index;
}

static bool get_bit(const uint64_t *bits, uint32_t n)
{
    return n < UNITS && (bits[n / 64] >> (n % 64) & 1);
}

static void set_bit(uint64_t *bits, uint32_t n)
{
    bits[n / 64] |= UINT64_C(1) << (n % 64);
}

static uint32_t count_bits(const uint64_t *bits, uint32_t first, uint32_t end)
{
    uint32_t count = 0;
    for (uint32_t n = first; n < end; n++) {
        count += get_bit(bits, n);
    }
    return count;
}

/* What a fragment is to those that came before. */
enum relation { RELATION_NEW, RELATION_REPEATED, RELATION_OVERLAP };

static enum relation relate(const struct set *set, const struct fragment *fragment,
                            const uint8_t *bytes, uint32_t length)
{
    uint32_t end = fragment->offset + length;
    uint32_t first_unit = fragment->offset / UNIT, end_unit = (end + UNIT - 1) / UNIT;
    bool contradicts = fragment->more ? set->end != 0 && end >= set->end
                                      : set->highest > end || (set->end != 0 && set->end != end);
    uint32_t there = count_bits(set->present, first_unit, end_unit);
    if (there == 0 && !contradicts) {
        return RELATION_NEW;
    }
    bool same = !contradicts && there == end_unit - first_unit &&
                get_bit(set->starts, first_unit) &&
                count_bits(set->starts, first_unit, end_unit) == 1 &&
                (get_bit(set->starts, end_unit) || !get_bit(set->present, end_unit)) &&
                (fragment->more || set->end == end) &&
                memcmp(set->bytes + HEADER_ROOM + fragment->offset, bytes, length) == 0;
    return same ? RELATION_REPEATED : RELATION_OVERLAP;
}

static void store(struct set *set, const struct ip_layer *ip, const struct fragment *fragment,
                  const uint8_t *bytes, uint32_t length)
{
    uint32_t end = fragment->offset + length;
    uint32_t first_unit = fragment->offset / UNIT, end_unit = (end + UNIT - 1) / UNIT;
    memcpy(set->bytes + HEADER_ROOM + fragment->offset, bytes, length);
    set_bit(set->starts, first_unit);
    for (uint32_t n = first_unit; n < end_unit; n++) {
        set_bit(set->present, n);
    }
    set->units += end_unit - first_unit;
    set->highest = MAX_OF(set->highest, end);
    if (!fragment->more) {
        set->end = end;
    }
    if (fragment->offset == 0) {
        uint8_t *header = set->bytes + HEADER_ROOM - fragment->header_length;
        memcpy(header, ip->at, fragment->header_length);
        if (ip->version == 6) {
            header[fragment->next_header_at] = fragment->next_header;
        }
        set->header_length = fragment->header_length;
        set->next_header = ip->protocol;
        set->ttl = ip->ttl;
        set->has_header = true;
    }
}

static bool is_whole(const struct set *set)
{
    return set->has_header && set->end != 0 && set->units == (set->end + UNIT - 1) / UNIT;
}

static void put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The datagram as if it had never been fragmented, but for IPv4's header checksum: nobody after us
 * looks at it. */
static void hand_out(struct fragments *f, uint16_t index, struct ip_layer *ip, struct cursor *body)
{
    struct set *set = &f->sets[index];
    uint8_t *header = set->bytes + HEADER_ROOM - set->header_length;
    if (ip->version == 4) {
        put_u16(header + 2, set->header_length + set->end);
        put_u16(header + 6, 0);
    } else {
        put_u16(header + 4, set->header_length - 40 + set->end);
    }
    ip->at = header;
    ip->captured = set->header_length + set->end;
    ip->bytes = set->wire_bytes;
    ip->body_length = set->end;
    ip->protocol = set->next_header;
    ip->ttl = set->ttl;
    ip->flags |= PACKET_REASSEMBLED;
    *body = cursor_init(set->bytes + HEADER_ROOM, set->end);
    unlink_set(f, index);
    f->handed_out[f->handed_out_count++] = index;
}

/* Does it fit a datagram of at most 64 KiB? */
static bool makes_sense(const struct ip_layer *ip, const struct fragment *fragment)
{
    uint32_t length = ip->body_length;
    return length > 0 && (!fragment->more || length % UNIT == 0) &&
           fragment->offset + length + fragment->header_length <= DATAGRAM_MAX;
}

enum decode_kind fragments_add(struct fragments *fragments, struct walk *walk, struct ip_layer *ip,
                               const struct fragment *fragment, struct cursor *body)
{
    struct fragments *f = fragments;
    uint64_t key[KEY_WORDS];
    int64_t now_us = walk->frame->time_us;
    if (!makes_sense(ip, fragment)) {
        return ip->flags & PACKET_BAD_LENGTH ? DECODE_FRAGMENT_LOST : DECODE_IP_BAD;
    }
    /* A part that the capture cut off never comes; nor is there room in `handed_out` for tunnels
     * without end. */
    if (walk->missing > 0 || (ip->flags & PACKET_BAD_LENGTH) ||
        fragment->header_length > HEADER_ROOM ||
        f->handed_out_count == ARRAY_LENGTH(f->handed_out)) {
        return DECODE_FRAGMENT_LOST;
    }
    drop_expired(f, now_us);
    make_key(ip, fragment, key);
    uint16_t bucket = hash_words(&f->hash_key, key, KEY_WORDS) % BUCKETS;
    uint16_t index = find(f, key, bucket);
    index = index == NONE ? add_set(f, key, bucket, now_us) : index;
    if (index == NONE) {
        return DECODE_FRAGMENT_LOST;
    }
    struct set *set = &f->sets[index];
    const uint8_t *bytes = cursor_bytes(body, ip->body_length);
    enum relation relation =
        set->poisoned ? RELATION_OVERLAP : relate(set, fragment, bytes, ip->body_length);
    if (relation == RELATION_OVERLAP) {
        recount(f, set, DECODE_FRAGMENT_OVERLAP);
        set->poisoned = true;
        return DECODE_FRAGMENT_OVERLAP;
    }
    set->wire_bytes += ip->bytes;
    if (relation == RELATION_NEW) {
        store(set, ip, fragment, bytes, ip->body_length);
    }
    if (is_whole(set)) {
        hand_out(f, index, ip, body);
        return DECODE_OK;
    }
    set->count++;
    return DECODE_FRAGMENT;
}
