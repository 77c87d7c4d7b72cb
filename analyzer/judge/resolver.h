// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What is ordinary for a resolver: in which voices answers in its name come, learnt from the store
 * that is judged, each line for itself. A voice is an IP TTL (a step to either side is the same):
 * what it sent, how soon, and whether it ever gave a good answer. The resolver's own is the one
 * with most good answers.
 *
 * A cache answers sooner than a question passed on, so a least round trip says something only where
 * several answers to different names came near it. Injected answers among those learnt from make
 * it shorter, which keeps the judge silent. Voices that never gave an answer without an error or a
 * lie are forgotten for one that does.
 */
#include <stdbool.h>
#include <stdint.h>

#include "store/observation.h"

#define RESOLVERS_MAX       8192u
#define RESOLVER_VOICES_MAX 4u

/* The resolver's own voice beside one question's first answer. */
struct resolver_view {
    uint32_t good;       /* good answers it was learnt from; 0: nothing is known */
    uint32_t plain;      /* those and answers that there is no such record */
    uint32_t near_least; /* of all its answers, those within an eighth of the least; */
    unsigned names;      /* to how many names those were, at most 4 */
    uint32_t at_hand;  /* and those of them whose record it had given so shortly before that it need
                         ask nobody */
    uint32_t least_us; /* question to answer */
    int64_t first_us, last_us; /* its first and its last good answer */
    uint8_t ttl;
    uint16_t header_any, header_all; /* bits of the header that some and that all of them set */
    bool edns_always, df_always, df_never;
    bool same_voice; /* the first answer came in it */
    bool voice_good; /* the voice of the first answer gave a good answer, too, to some question */
};

struct resolvers;

/* DL_OK, -ENOMEM, or what the random generator gave. */
int resolvers_create(struct resolvers **ret_resolvers);
void resolvers_destroy(struct resolvers *resolvers); /* accepts NULL */

/* Learns from the last answer to a question that was asked once; `line` as for references_learn().
 * DL_OK or -ENOMEM. */
int resolvers_learn(struct resolvers *resolvers, uint32_t line, const struct observation *question);

/* All zero where nothing is known, or where it has answered in more voices than can be kept. */
struct resolver_view resolvers_find(const struct resolvers *resolvers, uint32_t line,
                                    const struct observation *question);

/* The first and the last answer to a question; NULL for none. */
const struct dns_facts_answer *resolver_first_answer(const struct observation *question);
const struct dns_facts_answer *resolver_last_answer(const struct observation *question);
/* A question by UDP to port 53 of one host, sent once as far as the capture knows. */
bool resolver_asked_once(const struct observation *question);
