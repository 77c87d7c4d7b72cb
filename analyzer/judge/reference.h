// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What is ordinary for a server: round trips and TTLs of its endpoint, learnt from the store that
 * is judged. One line's view says nothing of another's, so each line has its own. Errors make the
 * least round trip too short (an injected answer among those learnt from, a nearer copy of the
 * server), which keeps the judge silent.
 *
 * Bounded: endpoints beyond REFERENCE_ENDPOINTS_MAX are counted and not learnt; of each a fixed
 * number of samples is kept, chosen evenly over time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/observation.h"

#define REFERENCE_ENDPOINTS_MAX 32768u

struct reference {
    uint32_t samples; /* round trips learnt from; 0: nothing is known */
    /* Of them, those that an answered request confirms: it took about as long as the handshake, or
     * less, and then its own time is the round trip. A radio that had to wake up for the SYN, its own
     * or a router's behind a wired line, was awake by then. Answered questions are such, too. */
    uint32_t exchanges;
    bool line_wakes; /* on this line answers were seen that came much quicker than handshakes */
    uint32_t rtt_least_us, rtt_median_us;
    uint8_t ttl_low, ttl_high; /* of the kept ones */
};

struct references;

/* DL_OK, -ENOMEM, or what the random generator gave. */
int references_create(struct references **ret_references);
void references_destroy(struct references *references); /* accepts NULL */

/* Learns from a TCP handshake, or from a question that was asked once and answered once. `line` is
 * any number that tells one vantage from another. DL_OK or -ENOMEM. */
int references_learn(struct references *references, uint32_t line, const struct observation *flow);

/* What is known of the flow's server on that line; samples 0 where nothing is. */
struct reference references_find(const struct references *references, uint32_t line,
                                 const struct observation *flow);

uint64_t references_refused(const struct references *references);
