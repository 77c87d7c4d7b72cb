// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the files of the judge share. One flow is judged by the file of its stage: judge_tcp.c,
 * judge_dns.c, and judge.c for datagrams.
 */
#include "analyzer/judge/judge.h"

#define JUDGE_NEVER UINT32_MAX /* an offset within a flow that never came */

/* An acknowledged ClientHello and any other acknowledged request are with somebody who may be slow:
 * those get longer. */
#define JUDGE_SLOW_HELLO_US   INT64_C(5000000)
#define JUDGE_SLOW_REQUEST_US INT64_C(10000000)

/* Adds a reason; beyond JUDGE_EVIDENCE_MAX it is dropped. `rule` is an id of rules.c. */
void judge_note(struct verdict *verdict, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The outcome `failed` and its mechanism (NULL where the vocabulary has none); the reason is a
 * judge_note() of its own. */
void judge_fail(struct verdict *verdict, const char *mechanism, enum attribution attribution);

static inline double judge_seconds(int64_t duration_us)
{
    return (double)duration_us / 1e6;
}

/* How long the capture went on after the flow's last packet; 0 where its end is not known. */
static inline int64_t judge_silence_us(const struct observation *flow,
                                       const struct judge_context *context)
{
    int64_t silence = context->capture_end_us - flow->end_us;
    return silence > 0 ? silence : 0;
}

/* An ICMP error about the client's packets that says "unreachable": judged the same for every
 * transport. */
bool judge_unreachable(const struct observation *flow, struct verdict *verdict);
/* Did the server send payload, as far as the row and its evidence tell? */
bool judge_server_spoke(const struct observation *flow);

/* judge_blockpage.c: a catalogued page in the flow, an answer with such a page's address. True when
 * that is the verdict. */
bool judge_blockpage(const struct observation *flow, struct verdict *verdict);
bool judge_dns_blockpage(const struct observation *question, struct verdict *verdict);

/* judge_import.c: a row of `darkline import`, which has no packets. */
void judge_import(const struct observation *flow, struct verdict *verdict);

void judge_tcp(const struct observation *flow, const struct judge_context *context,
               struct verdict *verdict);
void judge_dns(const struct observation *flow, const struct judge_context *context,
               struct verdict *verdict);

/* judge_throttle.c: a connection that worked, and was slowed down. */
void judge_throttle(const struct observation *flow, const struct judge_context *context,
                    struct verdict *verdict);

/* Do the answers to this question contradict each other, or lead a public name to a private
 * address? The mechanism, NULL if neither. */
const char *judge_dns_doubt(const struct observation *question, bool *ret_conflict);

/* Holds an answer an address of a list of block pages that is not the asked service's own? */
bool judge_dns_has_page(const struct observation *question);

/* Has it addresses, and none that is public? */
bool judge_dns_only_bogons(const struct dns_facts_answer *answer);

/* The two answers that contradict each other worst. */
struct judge_dns_conflict {
    const struct dns_facts_answer *a, *b;
    const char *mechanism;
    bool
        one_voice; /* two public answers, alike in TTL, DF and header: a line that doubles questions
                       gets such of an honest resolver */
    bool one_bogon; /* one of them is not public, the other is or is none */
};
bool judge_dns_conflict(const struct observation *question, struct judge_dns_conflict *ret);

/*
 * Had the line rested so long that whatever keeps state of it may have forgotten it? Translators and
 * firewalls should keep an established TCP line for 2 h 4 min (RFC 5382 5) and mostly do for minutes;
 * small ones, and load balancers and servers with their keep-alive times, for less. `lived_us` is how
 * long the line was used before, `rested_us` how long it was not.
 *
 * A line that had worked has rested after 20 s; and after 3 s where that is ten times as long as it
 * was ever used (one exchange, then nothing). One that had carried nothing of the server's, only
 * after a minute: browsers open lines ahead and name the server on them seconds later.
 */
bool judge_has_rested(const struct observation *flow, uint32_t lived_us, uint32_t rested_us);
