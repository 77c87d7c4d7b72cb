// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "tests/unit/judge/proving.h"

/* What the store had learnt of the server: 48 ms at least, often, from answered requests. */
const struct reference known = {
    .samples = 6, .exchanges = 6, .rtt_least_us = 48 * MS, .ttl_low = 50, .ttl_high = 50};

struct verdict judged(const struct observation *flow, const struct reference *server)
{
    struct judge_context context = {.capture_end_us = flow->end_us + 60 * S};
    struct verdict verdict;

    if (server)
        context.server = *server;
    judge_flow(flow, &context, &verdict);
    return verdict;
}

bool has_rule(const struct verdict *verdict, const char *rule)
{
    for (unsigned i = 0; i < verdict->evidence_count; i++)
        if (strcmp(verdict->evidence[i].rule, rule) == 0)
            return true;
    return false;
}

void assert_proven(const struct observation *flow, const struct reference *server, const char *rule,
                   const char *mechanism)
{
    struct verdict verdict = judged(flow, server);

    assert_true(has_rule(&verdict, rule));
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    assert_true(verdict.score > 0.9 && judge_is_proven(&verdict));
    assert_non_null(verdict.mechanism);
    assert_string_equal(verdict.mechanism, mechanism);
}

void assert_open(const struct observation *flow, const struct reference *server)
{
    struct verdict verdict = judged(flow, server);

    if (verdict.attribution == ATTRIBUTION_THIRD_PARTY)
        fail_msg("accused by %s: %s", verdict.evidence[verdict.evidence_count - 1].rule,
                 verdict.evidence[verdict.evidence_count - 1].detail);
    assert_true(verdict.score <= 0.9);
}

struct suspect *last_suspect(struct observation *flow)
{
    return &flow->evidence.suspects[flow->evidence.suspect_count - 1];
}

/* A ClientHello at 60 ms, 50 ms round trip, and a reset in the server's name at `after_us` that
 * acknowledges it. */
struct observation hello_reset_at(uint32_t after_us)
{
    struct observation o = flow_hello(true);
    o.evidence.sides[SIDE_CLIENT].ttl_first = 64;
    o.evidence.sides[SIDE_SERVER].ttl_first = 50;
    flow_reset(&o, SIDE_SERVER, after_us, true);
    *last_suspect(&o) = (struct suspect){.kind = SUSPECT_RST,
                                         .side = SIDE_SERVER,
                                         .after_us = after_us,
                                         .packet = 99,
                                         .trigger_after_us = after_us - 60 * MS,
                                         .ttl = 50,
                                         .ttl_expected = 50};
    return o;
}

struct observation talking_on(enum suspect_kind kind)
{
    struct observation o = hello_reset_at(112 * MS);
    last_suspect(&o)->kind = (uint8_t)kind;
    last_suspect(&o)->own_bytes_after = 1400;
    last_suspect(&o)->own_after_us = 80 * MS;
    return o;
}
