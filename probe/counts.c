// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/counts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/status.h"

#define REGISTER_BITS 10u
#define REGISTERS     (1u << REGISTER_BITS)
#define SLOTS         (COUNTS_CELLS_MAX * 2u)

struct cell {
    struct hour_count count;
    uint16_t protocol_number;
    uint8_t registers[REGISTERS];
};

struct counts {
    struct hash_key key;
    struct hash_key client_key;
    struct cell **slots;
    struct cell *other; /* what found no room; its hour is that of the first such flow */
    uint32_t used;
};

int counts_create(struct counts **ret_counts)
{
    struct counts *counts = calloc(1, sizeof(*counts));
    if (!counts)
        return -ENOMEM;
    counts->slots = calloc(SLOTS, sizeof(struct cell *));
    int status = counts->slots ? hash_key_random(&counts->key) : -ENOMEM;
    if (status != DL_OK) {
        counts_destroy(counts);
        return status;
    }
    *ret_counts = counts;
    return DL_OK;
}

void counts_destroy(struct counts *counts)
{
    if (!counts)
        return;
    for (uint32_t i = 0; counts->slots && i < SLOTS; i++)
        free(counts->slots[i]);
    free(counts->other);
    free(counts->slots);
    free(counts);
}

static struct cell **slot_find(struct counts *counts, int64_t hour_us, uint16_t protocol_number)
{
    uint64_t words[2] = {(uint64_t)hour_us, protocol_number};
    uint32_t at = (uint32_t)hash_words(&counts->key, words, 2) % SLOTS;
    while (counts->slots[at] && (counts->slots[at]->count.hour_us != hour_us ||
                                 counts->slots[at]->protocol_number != protocol_number))
        at = (at + 1) % SLOTS;
    return &counts->slots[at];
}

static struct cell *cell_create(int64_t hour_us, const char *protocol, uint16_t protocol_number)
{
    struct cell *cell = calloc(1, sizeof(*cell));
    if (cell) {
        cell->count.hour_us = hour_us;
        cell->count.protocol = protocol;
        cell->protocol_number = protocol_number;
    }
    return cell;
}

static struct cell *cell_of(struct counts *counts, int64_t hour_us, const char *protocol,
                            uint16_t protocol_number)
{
    struct cell **slot = slot_find(counts, hour_us, protocol_number);
    if (!*slot && counts->used < COUNTS_CELLS_MAX) {
        *slot = cell_create(hour_us, protocol, protocol_number);
        counts->used += *slot != NULL;
    } else if (!*slot) {
        slot = &counts->other;
        if (!*slot)
            *slot = cell_create(hour_us, "Other", UINT16_MAX);
    }
    return *slot;
}

void counts_add(struct counts *counts, const struct count_flow *flow)
{
    struct cell *cell =
        cell_of(counts, clock_hour(flow->start_us), flow->protocol, flow->protocol_number);
    if (!cell)
        return;
    uint64_t words[2];
    memcpy(words, flow->client.bytes, 16);
    uint64_t hash = hash_words(&counts->client_key, words, 2);
    uint8_t rank =
        (uint8_t)(__builtin_clzll(hash << REGISTER_BITS | 1u << (REGISTER_BITS - 1)) + 1);
    uint8_t *reg = &cell->registers[hash >> (64 - REGISTER_BITS)];
    if (rank > *reg)
        *reg = rank;
    cell->count.flows++;
    cell->count.packets += flow->packets;
    cell->count.bytes += flow->bytes;
    if (flow->failed_at != STAGE_NONE)
        cell->count.failed[flow->failed_at]++;
}

void counts_set_client_key(struct counts *counts, struct key *key)
{
    static const char zero[] = "count 0", one[] = "count 1";
    counts->client_key = (struct hash_key){0};
    if (key) {
        counts->client_key.k0 = key_pseudonym_of_name(key, zero, sizeof(zero) - 1);
        counts->client_key.k1 = key_pseudonym_of_name(key, one, sizeof(one) - 1);
    }
}

static void cell_add(struct cell *cell, const struct cell *other)
{
    cell->count.flows += other->count.flows;
    cell->count.packets += other->count.packets;
    cell->count.bytes += other->count.bytes;
    for (size_t i = 0; i < ARRAY_LENGTH(cell->count.failed); i++)
        cell->count.failed[i] += other->count.failed[i];
    for (unsigned i = 0; i < REGISTERS; i++)
        cell->registers[i] = MAX_OF(cell->registers[i], other->registers[i]);
}

static void absorb_cell(struct counts *counts, struct cell **other,
                        uint16_t (*renumber)(void *context, const char *protocol), void *context)
{
    if (!*other)
        return;
    const struct hour_count *count = &(*other)->count;
    uint16_t number = (*other)->protocol_number;
    number = number == UINT16_MAX ? number : renumber(context, count->protocol);
    struct cell *cell = cell_of(counts, count->hour_us, count->protocol, number);
    if (cell)
        cell_add(cell, *other);
    free(*other);
    *other = NULL;
}

void counts_absorb(struct counts *counts, struct counts *from,
                   uint16_t (*renumber)(void *context, const char *protocol), void *context)
{
    for (uint32_t i = 0; i < SLOTS; i++)
        absorb_cell(counts, &from->slots[i], renumber, context);
    absorb_cell(counts, &from->other, renumber, context);
    from->used = 0;
}

static uint64_t estimate(const uint8_t registers[REGISTERS])
{
    double sum = 0;
    unsigned zeros = 0;
    for (unsigned i = 0; i < REGISTERS; i++) {
        sum += ldexp(1, -registers[i]);
        zeros += registers[i] == 0;
    }
    double m = REGISTERS;
    double raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (raw <= 2.5 * m && zeros > 0)
        raw = m * log(m / zeros);
    return (uint64_t)(raw + 0.5);
}

static int compare_cells(const void *a, const void *b)
{
    const struct cell *x = *(struct cell *const *)a, *y = *(struct cell *const *)b;
    if (x->count.hour_us != y->count.hour_us)
        return x->count.hour_us < y->count.hour_us ? -1 : 1;
    return strcmp(x->count.protocol, y->count.protocol);
}

int counts_flush(struct counts *counts, uint32_t input,
                 int (*fn)(void *context, const struct hour_count *count, struct dl_error *error),
                 void *context, struct dl_error *error)
{
    int status = DL_OK;
    uint32_t found = 0;
    for (uint32_t i = 0; i < SLOTS; i++) { /* packed to the front, then sorted there */
        struct cell *cell = counts->slots[i];
        counts->slots[i] = NULL;
        if (cell)
            counts->slots[found++] = cell;
    }
    if (counts->other)
        counts->slots[found++] = counts->other;
    counts->other = NULL;
    qsort(counts->slots, found, sizeof(struct cell *), compare_cells);
    for (uint32_t i = 0; i < found; i++) {
        struct cell *cell = counts->slots[i];
        cell->count.input = input;
        cell->count.clients = estimate(cell->registers);
        if (status == DL_OK)
            status = fn(context, &cell->count, error);
        free(cell);
        counts->slots[i] = NULL;
    }
    counts->used = 0;
    return status;
}
