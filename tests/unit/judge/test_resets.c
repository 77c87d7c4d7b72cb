// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include "base/array.h"
#include "tests/unit/judge/proving.h"

/* What resets say of each other: each detector fires on its case, moves the score by its weight,
 * accuses nobody, and is silent where its guard says so. */

/* A plain reset that no other rule has anything to say about, and another one 10 ms later. */
static struct observation two_resets(void)
{
    struct observation o = hello_reset_at(500 * MS);
    struct suspect *s = last_suspect(&o);

    s->trigger_after_us = 30 * MS;
    s->ack_offset = -1; /* so that its time says nothing */
    s->ack_field = ACK_FIELD_SET;
    o.evidence.suspects[1] = *s;
    o.evidence.suspects[1].after_us += 10 * MS;
    o.evidence.suspects[1].packet++;
    o.evidence.suspects[1].ip_id_from_own = 1;
    o.evidence.suspect_count = 2;
    o.evidence.resets[SIDE_SERVER] = 2;
    return o;
}

static struct observation seq_change(void)
{
    struct observation o = two_resets();
    o.evidence.suspects[1].seq_change = 1460;
    o.evidence.suspects[1].seq_offset = 1460;
    o.evidence.suspects[1].seq_beyond_ack = 1460;
    return o;
}
static struct observation ack_change(void)
{
    struct observation o = two_resets();
    o.evidence.suspects[1].ack_change = -300;
    return o;
}
static struct observation ack_of_nothing(void)
{
    struct observation o = two_resets();
    o.evidence.suspects[1].after_us = o.evidence.suspects[0].after_us + 1;
    o.evidence.suspects[1].ack_change = 300;
    o.evidence.suspects[1].ack_offset = 299;
    return o;
}
static struct observation ttls_differ(void)
{
    struct observation o = two_resets();
    o.evidence.suspects[1].ttl = 47;
    o.evidence.suspects[1].ip_id = 9;
    return o;
}
static struct observation in_flight(void)
{
    struct observation o = two_resets();
    for (int i = 0; i < 2; i++) {
        o.evidence.suspects[i].own_bytes_after = 3000;
        o.evidence.suspects[i].own_after_us = 20 * MS;
    }
    return o;
}
static struct observation second_syn_ack(void)
{
    struct observation o = two_resets();
    o.evidence.suspects[1].kind = SUSPECT_SYN_ACK;
    return o;
}
static struct observation before_data(void)
{
    struct observation o = flow_connected();
    flow_reset(&o, SIDE_SERVER, 105 * MS, true); /* a round trip later */
    last_suspect(&o)->ack_offset = -1;
    last_suspect(&o)->trigger_after_us = UINT32_MAX;
    return o;
}
static struct observation accepted_after(void)
{
    struct observation o = flow_connected();
    flow_reset(&o, SIDE_SERVER, 20 * MS, true);
    last_suspect(&o)->ack_offset = -1;
    last_suspect(&o)->trigger_after_us = UINT32_MAX;
    return o;
}
static struct observation client_first(bool shook)
{
    struct observation o = shook ? flow_web_request() : flow_syns(1);
    flow_reset(&o, SIDE_CLIENT, shook ? 62 * MS : 20 * MS, true);
    last_suspect(&o)->ack_offset = -1;
    return o;
}
static struct observation syn_then_reset(void)
{
    return client_first(false);
}
static struct observation from_beyond(void)
{
    struct observation o = client_first(true);
    o.evidence.sides[SIDE_CLIENT].ttl_first = 64;
    o.evidence.sides[SIDE_SERVER].ttl_first = 50;
    last_suspect(&o)->ttl_expected = 64;
    last_suspect(&o)->ttl = 50;
    return o;
}

static const struct {
    const char *rule;
    struct observation (*make)(void);
    bool alone; /* no other rule with a weight fires, and the score is given */
} looks[] = {
    {"reset-seq-change", seq_change, true},     {"reset-ack-change", ack_change, true},
    {"reset-ack-change", ack_of_nothing, true}, {"reset-ttls-differ", ttls_differ, true},
    {"in-flight-after-reset", in_flight, true}, {"second-syn-ack", second_syn_ack, true},
    {"reset-before-data", before_data, true},   {"accepted-after-reset", accepted_after, true},
    {"syn-then-reset", syn_then_reset, false},  {"client-reset-from-beyond", from_beyond, false},
};

static void test_fire(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(looks); i++) {
        struct observation o = looks[i].make();
        struct verdict verdict = judged(&o, &known);
        double weight = judge_rule_find(looks[i].rule)->weight;

        if (!has_rule(&verdict, looks[i].rule))
            fail_msg("%s did not fire", looks[i].rule);
        assert_int_not_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
        assert_true(weight > 0 && weight <= 2);
        if (looks[i].alone && fabs(verdict.score - 1 / (1 + exp(-weight))) > 6e-4)
            fail_msg("%s: score %f", looks[i].rule, verdict.score);
    }
}

/* Guards that hold for all: a goodbye, and a beginning that is not there. */
static void test_common_guards(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(looks); i++) {
        for (int side = 0; side < 2; side++) {
            struct observation o = looks[i].make();
            o.evidence.sides[side].flags |= SIDE_FIN;
            o.evidence.sides[side].last_packet_after_us = 400000 * MS; /* after the reset */
            struct verdict verdict = judged(&o, &known);
            assert_false(has_rule(&verdict, looks[i].rule));
        }
        struct observation o = looks[i].make();
        o.evidence.sides[SIDE_CLIENT].flags &= (uint8_t)~SIDE_SYN;
        struct verdict verdict = judged(&o, &known);
        assert_false(has_rule(&verdict, looks[i].rule));
    }
}

static void assert_silent(const struct observation *o, const char *rule)
{
    struct verdict verdict = judged(o, &known);
    assert_false(has_rule(&verdict, rule));
}

#define SILENT_WITH(make, rule, change)                                                            \
    do {                                                                                           \
        struct observation o = make();                                                             \
        struct suspect *first = &o.evidence.suspects[0], *later = &o.evidence.suspects[1];         \
        (void)first, (void)later;                                                                  \
        change;                                                                                    \
        assert_silent(&o, rule);                                                                   \
    } while (0)

static void test_seq_change_guards(void **state)
{
    (void)state;
    SILENT_WITH(seq_change, "reset-seq-change", later->after_us += 2000 * MS);
    SILENT_WITH(seq_change, "reset-seq-change", later->seq_change = 2);
    SILENT_WITH(seq_change, "reset-seq-change", later->seq_offset = 0); /* within what was sent */
    SILENT_WITH(seq_change, "reset-seq-change", later->seq_beyond_ack = 0); /* a reply */
    SILENT_WITH(seq_change, "reset-seq-change", first->own_bytes_after = 1460);
    SILENT_WITH(seq_change, "reset-seq-change", later->side = SIDE_CLIENT);
    SILENT_WITH(seq_change, "reset-seq-change", {
        o.evidence.suspects[2] = *first;
        o.evidence.suspects[2].side = SIDE_CLIENT; /* the other side had ended it by then */
        o.evidence.suspects[2].after_us--;
        o.evidence.suspect_count = 3;
    });
}

static void test_ack_change_guards(void **state)
{
    (void)state;
    SILENT_WITH(ack_change, "reset-ack-change", later->ack_change = 300); /* it got more */
    SILENT_WITH(ack_change, "reset-ack-change", later->after_us = first->after_us + 2999);
    SILENT_WITH(ack_change, "reset-ack-change", later->ack_field = ACK_FIELD_ZERO);
    SILENT_WITH(ack_change, "reset-ack-change", first->ack_field = ACK_FIELD_UNKNOWN);
    SILENT_WITH(ack_of_nothing, "reset-ack-change", later->ack_offset = 0);
}

static void test_other_guards(void **state)
{
    (void)state;
    SILENT_WITH(ttls_differ, "reset-ttls-differ", later->ttl = 48);
    SILENT_WITH(ttls_differ, "reset-ttls-differ", later->ip_id = first->ip_id); /* seen twice */
    SILENT_WITH(in_flight, "in-flight-after-reset", first->own_after_us = 2999);
    SILENT_WITH(in_flight, "in-flight-after-reset", first->own_bytes_after = 1);
    SILENT_WITH(in_flight, "in-flight-after-reset", first->seq_offset = -1);
    SILENT_WITH(second_syn_ack, "second-syn-ack",
                o.evidence.sides[SIDE_CLIENT].syn_retransmissions = 1);
    SILENT_WITH(before_data, "reset-before-data", first->after_us = 252 * MS);
    SILENT_WITH(accepted_after, "accepted-after-reset", first->after_us = 50 * MS - 2999);
    SILENT_WITH(syn_then_reset, "syn-then-reset", first->after_us = 200 * MS);
    SILENT_WITH(syn_then_reset, "syn-then-reset", o.evidence.sides[SIDE_SERVER].flags |= SIDE_SYN);
    SILENT_WITH(syn_then_reset, "syn-then-reset",
                o.evidence.sides[SIDE_CLIENT].syn_retransmissions = 1);
    SILENT_WITH(from_beyond, "client-reset-from-beyond", first->ttl = 48);
    SILENT_WITH(from_beyond, "client-reset-from-beyond",
                o.evidence.sides[SIDE_CLIENT].ttl_first = 52);
    SILENT_WITH(from_beyond, "client-reset-from-beyond", first->side = SIDE_SERVER);
}

/* What is proven needs no hint of the same. */
static void test_proven_instead(void **state)
{
    struct observation o = talking_on(SUSPECT_RST);

    (void)state;
    assert_proven(&o, NULL, "talks-on-after-reset", "tls.reset.sni");
    assert_silent(&o, "in-flight-after-reset");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fire),
        cmocka_unit_test(test_common_guards),
        cmocka_unit_test(test_seq_change_guards),
        cmocka_unit_test(test_ack_change_guards),
        cmocka_unit_test(test_other_guards),
        cmocka_unit_test(test_proven_instead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
