// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Did something between the ends do it? A verdict of the plain rules goes in; packets that
 * contradict each other make it a third party's, and only they. What merely looks foreign (TTL,
 * IP-ID, DF, options, copies) moves the score and names the device.
 *
 * Each rule is one function over one suspicious packet; its weight (a log-likelihood ratio,
 * positive for a third party) stands in rules.c. The score is the logistic of their sum.
 */
#include "analyzer/judge/judge_internal.h"

#define PROOF_CAP_UNPROVEN 0.9 /* what no contradiction backs is never as good as proven */

/* A round trip shorter than this, or an answer less than a millisecond too soon, is within what
 * clocks of capture queues and interrupt moderation do. */
#define PROOF_RTT_LEAST_US 5000u
#define PROOF_SOONER_US    1000u
#define PROOF_SOONER(rtt)  ((uint32_t)((uint64_t)(rtt)*4 / 5))
#define PROOF_SAMPLES_FIRM 3u /* fewer may all have waited: in a queue, for a radio to wake */

struct proof {
    const struct observation *flow;
    const struct judge_context *context;
    struct verdict *verdict;
    double sum;
    unsigned weighed; /* rules with a weight that fired */
    bool contradicted, innocent;
    const struct suspect *forged; /* the contradicted packet of a connection */
    double cap;                   /* of an unproven score; 0: PROOF_CAP_UNPROVEN */
    bool page; /* its first answer is contradicted, though no packet of it looked suspicious */
};

/* Notes that a rule of rules.c fired; each counts once. */
void proof_add(struct proof *proof, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Is the server's least round trip known well enough to accuse anybody by? */
bool proof_is_firm(const struct judge_context *context);
/* Routers between a packet's sender and the probe, from the usual first TTLs. */
unsigned proof_hops(uint8_t ttl);

void proof_flow(const struct observation *flow, const struct judge_context *context,
                struct verdict *verdict);
/* judge_tls_identity.c: a certificate that is not the server's */
void proof_identity(struct proof *proof);
/* proof_dns.c */
void proof_question(struct proof *proof);
/* proof_looks.c: what corroborates, and what speaks of an innocent third party */
void proof_looks(struct proof *proof, const struct suspect *suspect);
/* The server's first payload, where it was suspicious; NULL. */
const struct suspect *proof_first_answer(const struct proof *proof);
/* Does that payload look foreign and lead to a bare address? Notes it. */
bool proof_looks_redirected(struct proof *proof, const struct suspect *answer);
/* proof_resets.c: what several resets, and the packets around one, say; `reset` is the one that ended
 * the flow. */
void proof_resets(struct proof *proof, const struct suspect *reset);
void proof_innocent(struct proof *proof, const struct suspect *suspect);
/* proof_injector.c: names the device family of a packet of the connection (resets only where
 * `resets`), of an answer to the question */
void proof_injector(struct proof *proof, bool resets);
void proof_injector_dns(struct proof *proof);
/* proof_house.c: does who did it stand in the client's own house? */
void proof_house(struct proof *proof);
/* An ICMP error of a router: a prohibition, or plainly no way. Whoever sends it is by its nature no
 * end of the flow; but which box it was, and at whose order, the packet does not say, and nothing in
 * it contradicts anything: the attribution of the failure stays unknown. A prohibition (3/9, 3/10,
 * 3/13; ICMPv6 1/1) is no fault of a router, so its score is high; plainly no way is innocent. */
void proof_icmp(struct proof *proof);
