// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Flows that are only counted: per hour of their start and protocol, how many, how many failed at
 * which stage, and by how many distinct clients. Clients are estimated by HyperLogLog (Flajolet and
 * others 2007) with linear counting while few (1,024 registers, about 3 %): no list of clients is
 * kept.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "store/key.h"
#include "store/observation.h"

struct counts;

#define COUNTS_CELLS_MAX                                                                           \
    16384u /* (hour, protocol) cells held at once; beyond it flows go to the protocol "Other" */

int counts_create(struct counts **ret_counts);
void counts_destroy(struct counts *counts);

/* The key by which clients are told apart while they are counted: made of `key`, so that the estimate of
 * one capture is always the same, be it counted in one place or in several; without one it is no
 * secret. Before the first flow. */
void counts_set_client_key(struct counts *counts, struct key *key);

struct count_flow {
    int64_t start_us;
    const char *protocol; /* lives as long as the counts */
    uint16_t protocol_number;
    struct address client;
    uint64_t packets, bytes;
    enum stage failed_at; /* STAGE_NONE: did not fail */
};
void counts_add(struct counts *counts, const struct count_flow *flow);

/* Adds what `from` has counted, under the same key of clients, and empties that. `renumber` gives the
 * number by which `counts` knows a protocol of `from`. */
void counts_absorb(struct counts *counts, struct counts *from,
                   uint16_t (*renumber)(void *context, const char *protocol), void *context);

/* Gives out every cell, by hour and protocol, and forgets them. Stops at the first `fn` that
 * returns other than DL_OK and returns that. */
int counts_flush(struct counts *counts, uint32_t input,
                 int (*fn)(void *context, const struct hour_count *count, struct dl_error *error),
                 void *context, struct dl_error *error);
