// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/flow/contents.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/pages.h"
#include "base/status.h"

#define BLOCKS_TO_DIFFER 2 /* a transmission error rarely spoils more than one */

int contents_init(struct contents *contents, uint32_t count)
{
    memset(contents, 0, sizeof(*contents));
    if (count == 0)
        return DL_OK;
    contents->streams = pages_take(count * sizeof(*contents->streams));
    if (!contents->streams)
        return -ENOMEM;
    contents->count = count;
    return DL_OK;
}

void contents_finish(struct contents *contents)
{
    pages_give(contents->streams, contents->count * sizeof(*contents->streams));
    memset(contents, 0, sizeof(*contents));
}

size_t contents_memory(const struct contents *contents)
{
    return contents->count * sizeof(*contents->streams);
}

static struct contents_stream *place_of(struct contents *contents, uint32_t ticket)
{
    return &contents->streams[ticket % contents->count];
}

uint32_t contents_open(struct contents *contents, uint32_t base)
{
    if (contents->count == 0)
        return 0;
    contents->last_ticket = contents->last_ticket == UINT32_MAX ? 1 : contents->last_ticket + 1;
    struct contents_stream *stream = place_of(contents, contents->last_ticket);
    stream->ticket = contents->last_ticket;
    stream->base = base;
    stream->known = 0;
    return stream->ticket;
}

/* Any good mixer does; written in little endian so that hashes are the same everywhere. */
static uint16_t block_hash(const uint8_t *bytes)
{
    uint64_t a, b;
    memcpy(&a, bytes, sizeof(a));
    memcpy(&b, bytes + sizeof(a), sizeof(b));
    uint64_t hash = (le64toh(a) ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 32 ^ le64toh(b)) * UINT64_C(0xc4ceb9fe1a85ec53);
    uint16_t folded = (uint16_t)(hash >> 48 ^ hash >> 32);
    return folded ? folded : 1;
}

struct span { /* the whole blocks of a segment */
    const uint8_t *bytes;
    uint32_t first, count;
};

static struct span span_of(const struct contents_stream *stream, const struct packet *packet)
{
    uint32_t from = packet->seq - stream->base;
    uint32_t captured = MIN_OF(packet->payload_captured, packet->payload_length);
    struct span span = {NULL, 0, 0};

    if (from >= CONTENTS_REACH)
        return span;
    uint32_t skip = (CONTENTS_BLOCK - from % CONTENTS_BLOCK) % CONTENTS_BLOCK;
    uint32_t length = MIN_OF(captured, CONTENTS_REACH - from);
    if (length < skip + CONTENTS_BLOCK)
        return span;
    span.bytes = packet->payload + skip;
    span.first = (from + skip) / CONTENTS_BLOCK;
    span.count = (length - skip) / CONTENTS_BLOCK;
    return span;
}

/* How many blocks differ; notes the first of them. */
static unsigned compare(const struct contents_stream *stream, const struct span *span,
                        uint32_t *ret_at, uint32_t *ret_compared)
{
    unsigned differing = 0;

    *ret_at = *ret_compared = 0;
    for (uint32_t i = 0; i < span->count && span->first + i < stream->known; i++) {
        uint16_t before = stream->blocks[span->first + i];
        if (before == 0)
            continue;
        *ret_compared += CONTENTS_BLOCK;
        if (before == block_hash(span->bytes + (size_t)i * CONTENTS_BLOCK))
            continue;
        if (differing++ == 0)
            *ret_at = i;
    }
    return differing;
}

static void keep(struct contents_stream *stream, const struct span *span)
{
    uint16_t *blocks = stream->blocks;
    uint32_t end = span->first + span->count;

    for (uint32_t i = stream->known; i < span->first; i++)
        blocks[i] = 0;
    for (uint32_t i = span->first; i < end; i++)
        if (i >= stream->known || blocks[i] == 0)
            blocks[i] = block_hash(span->bytes + (size_t)(i - span->first) * CONTENTS_BLOCK);
    stream->known = MAX_OF(stream->known, end);
}

bool contents_differ(struct contents *contents, uint32_t ticket, const struct packet *packet,
                     struct contents_conflict *ret_conflict)
{
    uint32_t at, compared;

    if (ticket == 0 || contents->count == 0)
        return false;
    struct contents_stream *stream = place_of(contents, ticket);
    if (stream->ticket != ticket)
        return false;
    struct span span = span_of(stream, packet);
    if (compare(stream, &span, &at, &compared) < BLOCKS_TO_DIFFER) {
        keep(stream, &span);
        return false;
    }
    memset(ret_conflict, 0, sizeof(*ret_conflict));
    ret_conflict->compared = compared;
    for (uint32_t i = 0; i < CONTENTS_KEPT && at + i < span.count; i++) {
        uint32_t block = span.first + at + i;
        ret_conflict->before[i] = block < stream->known ? stream->blocks[block] : 0;
        ret_conflict->now[i] = block_hash(span.bytes + (size_t)(at + i) * CONTENTS_BLOCK);
    }
    return true;
}
