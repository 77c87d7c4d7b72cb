// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/row_block.h"

#include <string.h>

#define ALIGNMENT  8u
#define MASK_WORDS ((ROW_PIECES + 63) / 64)

struct head {
    uint32_t size; /* with this head, a multiple of ALIGNMENT */
    uint32_t text; /* bytes of the host with its NUL, after the pieces */
    row_call_fn call;
};

_Static_assert(sizeof(struct head) + MASK_WORDS * 8 + ROW_PIECES * ROW_PIECE + 1024 <=
                   ROW_BLOCK_BYTES,
               "an empty block has room for any row");

static size_t piece_size(size_t piece)
{
    size_t left = sizeof(struct observation) - piece * ROW_PIECE;
    return left < ROW_PIECE ? left : ROW_PIECE;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    uint64_t sum = 0, word;
    for (; length >= sizeof(word); length -= sizeof(word), bytes += sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        sum |= word;
    }
    while (length > 0)
        sum |= bytes[--length];
    return sum == 0;
}

/* The pieces from byte `from` to `to` that are not zero and were not taken with what stands before. */
static uint8_t *pack(const struct observation *observation, size_t from, size_t to, uint64_t *mask,
                     uint8_t *at)
{
    const uint8_t *bytes = (const uint8_t *)observation;
    for (size_t i = from / ROW_PIECE; i <= (to - 1) / ROW_PIECE; i++) {
        size_t size = piece_size(i);
        uint64_t bit = UINT64_C(1) << i % 64;
        if ((mask[i / 64] & bit) || is_zero(bytes + i * ROW_PIECE, size))
            continue;
        mask[i / 64] |= bit;
        memcpy(at, bytes + i * ROW_PIECE, size);
        at += size;
    }
    return at;
}

/* Parts that say of themselves that they are not there are not looked at. */
static uint8_t *pack_parts(const struct observation *o, uint64_t *mask, uint8_t *at)
{
    const struct {
        size_t from, to;
        bool present;
    } parts[] = {
        {0, offsetof(struct observation, dns), true},
        {offsetof(struct observation, dns), offsetof(struct observation, evidence), o->dns.present},
        {offsetof(struct observation, evidence), offsetof(struct observation, path),
         o->evidence.present},
        {offsetof(struct observation, path), offsetof(struct observation, import), true},
        {offsetof(struct observation, import), offsetof(struct observation, pace),
         o->import.present},
        {offsetof(struct observation, pace), sizeof(*o), o->pace.bin_count > 0},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i].present)
            at = pack(o, parts[i].from, parts[i].to, mask, at);
    return at;
}

static void finish(struct row_block *block, uint32_t end)
{
    struct head *head = (struct head *)(void *)(block->bytes + block->used);
    end = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    head->size = end - block->used;
    block->used = end;
}

bool row_put(struct row_block *block, const struct observation *observation)
{
    size_t text = strlen(observation->host) + 1;
    if (block->used + sizeof(struct head) + MASK_WORDS * sizeof(uint64_t) + ROW_PIECES * ROW_PIECE +
            text + ALIGNMENT >
        ROW_BLOCK_BYTES)
        return false;
    struct head *head = (struct head *)(void *)(block->bytes + block->used);
    uint64_t *mask = (uint64_t *)(void *)(head + 1);
    uint8_t *at = (uint8_t *)(mask + MASK_WORDS);
    *head = (struct head){.text = (uint32_t)text};
    memset(mask, 0, MASK_WORDS * sizeof(*mask));
    at = pack_parts(observation, mask, at);
    memcpy(at, observation->host, text);
    finish(block, (uint32_t)(at + text - block->bytes));
    block->rows += !(observation->flags & OBSERVATION_EARLY);
    return true;
}

bool row_put_call(struct row_block *block, row_call_fn call, const void *bytes, size_t length)
{
    if (length > ROW_CALL_MAX ||
        block->used + sizeof(struct head) + length + ALIGNMENT > ROW_BLOCK_BYTES)
        return false;
    struct head *head = (struct head *)(void *)(block->bytes + block->used);
    *head = (struct head){.call = call};
    memcpy(head + 1, bytes, length);
    finish(block, (uint32_t)(block->used + sizeof(*head) + length));
    return true;
}

static void unpack(struct row_reader *reader, const struct head *head)
{
    const uint64_t *mask = (const uint64_t *)(const void *)(head + 1);
    const uint8_t *at = (const uint8_t *)(mask + MASK_WORDS);
    uint8_t *bytes = (uint8_t *)&reader->observation;
    for (size_t word = 0; word < MASK_WORDS; word++) {
        uint64_t stale = reader->filled[word] & ~mask[word];
        for (; stale; stale &= stale - 1) {
            size_t i = word * 64 + (size_t)__builtin_ctzll(stale);
            memset(bytes + i * ROW_PIECE, 0, piece_size(i));
        }
        for (uint64_t left = mask[word]; left; left &= left - 1) {
            size_t i = word * 64 + (size_t)__builtin_ctzll(left);
            memcpy(bytes + i * ROW_PIECE, at, piece_size(i));
            at += piece_size(i);
        }
        reader->filled[word] = mask[word];
    }
    reader->observation.host = (const char *)at;
}

bool row_next(struct row_reader *reader, const struct row_block *block, uint32_t *at,
              struct row *ret_row)
{
    if (*at >= block->used)
        return false;
    const struct head *head = (const struct head *)(const void *)(block->bytes + *at);
    *at += head->size;
    if (head->call) {
        *ret_row = (struct row){.call = head->call, .bytes = head + 1};
    } else {
        unpack(reader, head);
        *ret_row = (struct row){.observation = &reader->observation};
    }
    return true;
}
