// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/line_pace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/status.h"

#define ENTRIES_FIRST 256u
#define BYTES_LEAST   32768u
#define BESIDE_US     INT64_C(150000)
#define LIKE(a, b)    ((a)*4 <= (b)*5 && (b)*4 <= (a)*5) /* within a quarter */

struct entry {
    struct endpoint client, server;
    uint32_t line;
    int64_t start_us, end_us;
    uint64_t bytes, goodput_bps, slowed_bps;
    bool unqueued, queued; /* neither: not known */
};

struct line_paces {
    struct entry *entries; /* in order of their start */
    size_t count, room;
    int64_t longest_us;
    uint64_t refused;
};

int line_paces_create(struct line_paces **ret_paces)
{
    struct line_paces *paces = calloc(1, sizeof(*paces));

    if (!paces)
        return -ENOMEM;
    *ret_paces = paces;
    return DL_OK;
}

void line_paces_destroy(struct line_paces *paces)
{
    if (!paces)
        return;
    free(paces->entries);
    free(paces);
}

uint64_t line_paces_refused(const struct line_paces *paces)
{
    return paces->refused;
}

static struct endpoint client_of(bool household, const struct observation *flow)
{
    return household ? (struct endpoint){.kind = ENDPOINT_NONE} : flow->client;
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
    return a->kind == b->kind && a->pseudonym == b->pseudonym &&
           address_equal(&a->address, &b->address);
}

/* The rate it was slowed to, by whatever; 0 where it was not. */
static uint64_t slowed_to(const struct pace_facts *pace)
{
    struct policed policed;
    struct plateau plateau;

    if (pace->bin_count == 0)
        return 0;
    if (pace_find_policing(pace, &policed) == POLICING_YES)
        return policed.rate_bps;
    return pace_find_plateau(pace, &plateau) && plateau.queued ? plateau.rate_bps : 0;
}

int line_paces_learn(struct line_paces *paces, uint32_t line, bool household,
                     const struct observation *flow)
{
    uint64_t bytes = flow->bytes[SIDE_CLIENT] + flow->bytes[SIDE_SERVER];

    if (bytes < BYTES_LEAST)
        return DL_OK;
    if (paces->count == LINE_PACE_MAX) {
        paces->refused++;
        return DL_OK;
    }
    if (paces->count == paces->room) {
        size_t room = MAX_OF(paces->room * 2, (size_t)ENTRIES_FIRST);
        struct entry *entries = realloc(paces->entries, room * sizeof(*entries));
        if (!entries)
            return -ENOMEM;
        paces->entries = entries;
        paces->room = room;
    }
    struct entry *entry = &paces->entries[paces->count++];
    *entry = (struct entry){.client = client_of(household, flow),
                            .server = flow->server,
                            .line = line,
                            .start_us = flow->start_us,
                            .end_us = flow->end_us,
                            .bytes = bytes,
                            .goodput_bps = pace_goodput_bps(&flow->pace)};
    entry->slowed_bps = slowed_to(&flow->pace);
    entry->unqueued = pace_is_unqueued(&flow->pace);
    entry->queued = !entry->unqueued && flow->pace.rtt_samples > 0;
    paces->longest_us = MAX_OF(paces->longest_us, flow->end_us - flow->start_us);
    return DL_OK;
}

static int64_t overlap_us(const struct entry *entry, const struct observation *flow)
{
    int64_t from = MAX_OF(entry->start_us, flow->start_us);
    int64_t to = MIN_OF(entry->end_us, flow->end_us);
    return to > from ? to - from : 0;
}

static void add_entry(const struct entry *entry, const struct observation *flow,
                      uint64_t slowed_bps, struct line_pace *found)
{
    int64_t beside_us = overlap_us(entry, flow);
    int64_t lasted_us = MAX_OF(entry->end_us - entry->start_us, 1);
    int64_t own_us = MAX_OF(flow->end_us - flow->start_us, 1);
    double bytes = (double)entry->bytes * (double)beside_us / (double)lasted_us;

    found->carried_bps += (uint64_t)(bytes * 8e6 / (double)own_us);
    if (entry->goodput_bps == 0)
        return;
    found->flows++;
    found->best_bps = MAX_OF(found->best_bps, entry->goodput_bps);
    if (beside_us >= BESIDE_US && entry->unqueued)
        found->beside_bps = MAX_OF(found->beside_bps, entry->goodput_bps);
    if (beside_us >= BESIDE_US && entry->queued)
        found->queued_beside = true;
    if (slowed_bps && entry->slowed_bps && LIKE(slowed_bps, entry->slowed_bps))
        found->same_bps = entry->slowed_bps;
}

/* The first entry that did not begin before this time. */
static size_t first_since(const struct line_paces *paces, int64_t start_us)
{
    size_t low = 0, high = paces->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (paces->entries[middle].start_us < start_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct line_pace line_paces_find(const struct line_paces *paces, uint32_t line, bool household,
                                 const struct observation *flow)
{
    struct endpoint client = client_of(household, flow);
    struct line_pace found = {0};
    int64_t from_us = flow->start_us - LINE_PACE_NEAR_US;

    if (flow->pace.bin_count == 0)
        return found;
    uint64_t slowed_bps = slowed_to(&flow->pace);

    for (size_t i = first_since(paces, from_us - paces->longest_us); i < paces->count; i++) {
        const struct entry *entry = &paces->entries[i];
        if (entry->start_us > flow->end_us + LINE_PACE_NEAR_US)
            break;
        if (entry->end_us >= from_us && entry->line == line && same_end(&entry->client, &client) &&
            !same_end(&entry->server, &flow->server))
            add_entry(entry, flow, slowed_bps, &found);
    }
    return found;
}
