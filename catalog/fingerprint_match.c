// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Many patterns in one pass: each pattern is found by four of its bytes, the rarest among all
 * patterns. The page's bytes are hashed four by four, regardless of case; only where a bucket is
 * taken is a pattern compared. Measured on 3,340 patterns and 95
 * real pages: 4 ns a byte.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/digest.h"
#include "catalog/fingerprint_internal.h"

/* Bytes that patterns with gaps may look at in one page: hostile pages cost no more than that. */
#define GAP_BUDGET      ((size_t)1 << 18)
#define COMPARISONS_MAX ((size_t)1 << 17)

static uint32_t bucket_of(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof(word));
    return ((word | UINT32_C(0x20202020)) * UINT32_C(0x9e3779b1)) >> 16;
}

static const uint8_t *text_of(const struct fingerprints *set, const struct fingerprint *item)
{
    return (const uint8_t *)buffer_text(&set->pool) + item->text;
}

static const uint8_t *wild_of(const struct fingerprints *set, const struct fingerprint *item)
{
    return item->wild ? (const uint8_t *)buffer_text(&set->pool) + item->wild : NULL;
}

static const char *id_at(const struct fingerprints *set, uint32_t offset)
{
    return buffer_text(&set->pool) + offset;
}

/* ---- building ---- */

typedef void (*anchor_visit)(void *context, uint16_t offset, uint32_t bucket);

/* Every place of four literals in a row, up to the first gap. */
static void visit_anchors(const struct fingerprints *set, const struct fingerprint *item,
                          anchor_visit visit, void *context)
{
    const uint8_t *text = text_of(set, item), *wild = wild_of(set, item);
    unsigned run = 0;

    for (unsigned i = 0; i < item->length; i++) {
        if (wild && wild[i] == WILD_GAP)
            return;
        run = wild && wild[i] == WILD_ANY ? 0 : run + 1;
        if (run >= FINGERPRINT_ANCHOR)
            visit(context, (uint16_t)(i + 1 - FINGERPRINT_ANCHOR),
                  bucket_of(text + i + 1 - FINGERPRINT_ANCHOR));
    }
}

static void count_anchor(void *context, uint16_t offset, uint32_t bucket)
{
    uint32_t *counts = context;

    (void)offset;
    counts[bucket]++;
}

struct rarest {
    const uint32_t *counts;
    uint32_t least, bucket;
    uint16_t offset;
};

static void choose_anchor(void *context, uint16_t offset, uint32_t bucket)
{
    struct rarest *rarest = context;

    if (rarest->counts[bucket] < rarest->least) {
        rarest->least = rarest->counts[bucket];
        rarest->bucket = bucket;
        rarest->offset = offset;
    }
}

static int compare_addresses(const void *a, const void *b)
{
    const struct fingerprint_address *first = a, *second = b;
    int order = memcmp(&first->address, &second->address, sizeof(first->address));

    /* The narrower scope first, then the one added first: ids stand in the pool in that order. */
    if (order == 0)
        order = (first->scope > second->scope) - (first->scope < second->scope);
    return order ? order : (first->id > second->id) - (first->id < second->id);
}

static void digest_item(struct digest *digest, const struct fingerprints *set,
                        const struct fingerprint *item)
{
    const char *id = id_at(set, item->id);
    const uint8_t *wild = wild_of(set, item);
    uint8_t head[] = {item->scope, item->where, item->kind, item->fold, wild != NULL};
    uint32_t length = htole32(item->length);

    digest_update(digest, id, strlen(id) + 1);
    digest_update(digest, head, sizeof(head));
    digest_update(digest, &length, sizeof(length));
    digest_update(digest, text_of(set, item), item->length);
    if (wild)
        digest_update(digest, wild, item->length);
}

static int make_version(struct fingerprints *set)
{
    struct digest *digest = NULL;
    uint8_t hash[DIGEST_SIZE];
    char text[DIGEST_TEXT_SIZE];
    int status = digest_create(&digest);

    if (status != DL_OK)
        return status;
    for (size_t i = 0; i < set->count; i++)
        digest_item(digest, set, &set->items[i]);
    for (size_t i = 0; i < set->address_count; i++) {
        const struct fingerprint_address *entry = &set->addresses[i];
        const char *id = id_at(set, entry->id);
        digest_update(digest, id, strlen(id) + 1);
        digest_update(digest, &entry->scope, 1);
        digest_update(digest, &entry->address, sizeof(entry->address));
    }
    digest_final(digest, hash);
    digest_destroy(digest);
    memcpy(set->version, digest_text(hash, text), FINGERPRINT_VERSION_SIZE - 1);
    return DL_OK;
}

int fingerprints_build(struct fingerprints *set)
{
    uint32_t *counts = calloc(FINGERPRINT_BUCKETS, sizeof(*counts));
    uint32_t *heads = calloc(FINGERPRINT_BUCKETS, sizeof(*heads));

    if (!counts || !heads) {
        free(counts);
        free(heads);
        return -ENOMEM;
    }
    for (size_t i = 0; i < set->count; i++)
        visit_anchors(set, &set->items[i], count_anchor, counts);
    for (size_t i = set->count; i-- > 0;) { /* backwards: a bucket's list is in the order added */
        struct rarest rarest = {.counts = counts, .least = UINT32_MAX};
        visit_anchors(set, &set->items[i], choose_anchor, &rarest);
        set->items[i].anchor = rarest.offset;
        set->items[i].next = heads[rarest.bucket];
        heads[rarest.bucket] = (uint32_t)(i + 1);
    }
    free(counts);
    free(set->heads);
    set->heads = heads;
    if (set->address_count > 0)
        qsort(set->addresses, set->address_count, sizeof(*set->addresses), compare_addresses);
    return make_version(set);
}

/* ---- comparing ---- */

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A') : byte;
}

static bool byte_fits(const struct fingerprint *item, const uint8_t *text, const uint8_t *wild,
                      size_t i, uint8_t byte)
{
    if (wild && wild[i] == WILD_ANY)
        return byte != '\n';
    return (item->fold ? lower(byte) : byte) == text[i];
}

/* The piece text[from, to) at `at`, which has room for it. */
static bool piece_fits(const struct fingerprint *item, const uint8_t *text, const uint8_t *wild,
                       size_t from, size_t to, const uint8_t *at)
{
    if (!wild && !item->fold)
        return memcmp(at, text + from, to - from) == 0;
    while (from < to && byte_fits(item, text, wild, from, *at)) {
        from++;
        at++;
    }
    return from == to;
}

static size_t piece_end(const uint8_t *wild, size_t from, size_t length)
{
    while (from < length && !(wild && wild[from] == WILD_GAP))
        from++;
    return from;
}

/*
 * Where a pattern that begins at `at` ends; NULL where it does not fit. After a gap the first place
 * that fits is as good as any: a gap ends at the line's end, and so does what follows it.
 */
static const uint8_t *pattern_end(const struct fingerprints *set, const struct fingerprint *item,
                                  const uint8_t *at, const uint8_t *end, size_t *budget)
{
    const uint8_t *text = text_of(set, item), *wild = wild_of(set, item);
    size_t from = 0, to = piece_end(wild, 0, item->length);

    if ((size_t)(end - at) < to || !piece_fits(item, text, wild, from, to, at))
        return NULL;
    at += to;
    while (to < item->length) {
        from = to + 1;
        to = piece_end(wild, from, item->length);
        while ((size_t)(end - at) >= to - from && !piece_fits(item, text, wild, from, to, at)) {
            if (*budget == 0 || *at == '\n')
                return NULL;
            (*budget)--;
            at++;
        }
        if ((size_t)(end - at) < to - from)
            return NULL;
        at += to - from;
    }
    return at;
}

static struct fingerprint_span span_of(const struct fingerprint_page *page, uint8_t where)
{
    switch (where) {
    case BLOCKPAGE_IN_BODY:
        return page->body;
    case BLOCKPAGE_IN_TITLE:
        return page->title;
    case BLOCKPAGE_IN_LOCATION:
        return page->location;
    case BLOCKPAGE_IN_SERVER:
        return page->server;
    case BLOCKPAGE_IN_VIA:
        return page->via;
    case BLOCKPAGE_IN_HEAD:
        return (struct fingerprint_span){0, page->body.start};
    default:
        return (struct fingerprint_span){0, page->length};
    }
}

struct found {
    const struct fingerprint *item; /* NULL for none */
    struct fingerprint_span span;   /* the bytes it is made of */
};

/* Does the pattern whose anchor is at `at` match there? */
static bool matches_at(const struct fingerprints *set, const struct fingerprint *item,
                       const struct fingerprint_page *page, size_t at, size_t *budget,
                       struct fingerprint_span *ret_span)
{
    struct fingerprint_span span = span_of(page, item->where);
    size_t start = at - item->anchor;

    if (at < item->anchor || start < span.start || start >= span.end)
        return false;
    if (item->kind != FINGERPRINT_CONTAINS && start != span.start)
        return false;
    const uint8_t *end =
        pattern_end(set, item, page->bytes + start, page->bytes + span.end, budget);
    if (!end || (item->kind == FINGERPRINT_FULL && end != page->bytes + span.end))
        return false;
    *ret_span = (struct fingerprint_span){start, (size_t)(end - page->bytes)};
    return true;
}

static bool is_better(const struct fingerprint *item, const struct fingerprint *best)
{
    return !best || item->scope < best->scope || (item->scope == best->scope && item < best);
}

/* A false positive's bytes that are a part of the block page's own say nothing against it:
 * "redirect" in a carrier's address. */
static bool is_within(struct fingerprint_span inner, struct fingerprint_span outer)
{
    return inner.start >= outer.start && inner.end <= outer.end;
}

/* The best block page; with `page_found`, the first false positive beside it. */
static struct found search(const struct fingerprints *set, const struct fingerprint_page *page,
                           const struct found *page_found)
{
    struct found best = {0};
    struct fingerprint_span span;
    size_t budget = GAP_BUDGET, comparisons = COMPARISONS_MAX;

    for (size_t at = 0; at + FINGERPRINT_ANCHOR <= page->length && comparisons > 0; at++) {
        uint32_t next = set->heads[bucket_of(page->bytes + at)];
        for (; next && comparisons > 0; comparisons--) {
            const struct fingerprint *item = &set->items[next - 1];
            next = item->next;
            if ((item->scope == BLOCKPAGE_FALSE_POSITIVE) != (page_found != NULL) ||
                !is_better(item, best.item) || !matches_at(set, item, page, at, &budget, &span) ||
                (page_found && is_within(span, page_found->span)))
                continue;
            best = (struct found){item, span};
        }
    }
    return best;
}

bool fingerprints_match_page(const struct fingerprints *set, const struct fingerprint_page *page,
                             struct fingerprint_hit *ret_hit)
{
    struct found best = {0}, against;

    if (page->bytes)
        best = search(set, page, NULL);
    if (!best.item)
        return false;
    against = search(set, page, &best);
    *ret_hit = (struct fingerprint_hit){.id = id_at(set, best.item->id),
                                        .scope = (enum blockpage_scope)best.item->scope,
                                        .where = (enum blockpage_where)best.item->where,
                                        .false_positive =
                                            against.item ? id_at(set, against.item->id) : NULL};
    return true;
}

bool fingerprints_match_address(const struct fingerprints *set, const struct address *address,
                                struct fingerprint_hit *ret_hit)
{
    size_t low = 0, high = set->address_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(&set->addresses[middle].address, address, sizeof(*address)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == set->address_count || !address_equal(&set->addresses[low].address, address))
        return false;
    const struct fingerprint_address *found = &set->addresses[low];
    if (found->scope == BLOCKPAGE_FALSE_POSITIVE)
        return false;
    *ret_hit = (struct fingerprint_hit){0};
    ret_hit->id = id_at(set, found->id);
    ret_hit->scope = (enum blockpage_scope)found->scope;
    ret_hit->where = BLOCKPAGE_IN_DNS;
    /* Scopes are in order, so that of this address' entries the last is against it, if any is. */
    for (; low < set->address_count && address_equal(&set->addresses[low].address, address); low++)
        if (set->addresses[low].scope == BLOCKPAGE_FALSE_POSITIVE)
            ret_hit->false_positive = id_at(set, set->addresses[low].id);
    return true;
}
