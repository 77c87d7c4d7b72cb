// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Who stands in the client's own house: a portal, a filter, a company's proxy. It is told by its
 * distance (no router or one between it and a probe at the subscriber's, and an answer at once), and
 * by meeting every name alike.
 *
 * house_meets() looks at one flow. The tally counts for each client which services met somebody so
 * near: names that have nothing to do with each other, a control among them, are met alike by a
 * portal and by no carrier's list. Bounded: clients beyond HOUSE_CLIENTS_MAX are counted and not
 * tallied.
 */
#include <stdbool.h>
#include <stdint.h>

#include "store/observation.h"

#define HOUSE_CLIENTS_MAX 4096u

/* The nearest sender that spoke in the server's name. */
struct house_meeting {
    bool met;        /* somebody within reach of the house */
    unsigned away;   /* routers between him and the probe */
    uint32_t us;     /* from what he answered to his answer */
    uint64_t packet; /* his; 0: the answer to the SYN */
    bool whole;      /* he spoke for the server from the beginning */
};

struct house {
    uint8_t services; /* unrelated ones that met somebody so near; controls count each */
    uint8_t controls; /* of them */
};

/* Nothing is ever met from where others than the household pass the probe: `position` says so, or,
 * where it says nothing, the client's TTL shows that it is next to the probe. */
struct house_meeting house_meets(const struct observation *flow, enum position position);

struct houses;
/* DL_OK, -ENOMEM, or what the random generator gave. */
int houses_create(struct houses **ret_houses);
void houses_destroy(struct houses *houses); /* accepts NULL */
/* `line`: any number that tells one vantage from another. */
void houses_learn(struct houses *houses, uint32_t line, enum position position,
                  const struct observation *flow);
struct house houses_find(const struct houses *houses, uint32_t line,
                         const struct observation *flow);
uint64_t houses_refused(const struct houses *houses);
