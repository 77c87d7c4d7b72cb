// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/array.h"
#include "tests/unit/judge/proving.h"

/* A name needs every feature; it moves the score and proves nothing. */

static const struct injector_feature box_features[] = {
    {INJECTOR_FLAGS, INJECTOR_RANGE, 0x14, 0x14, 1},
    {INJECTOR_DF, INJECTOR_RANGE, 1, 1, 1},
    {INJECTOR_IP_ID, INJECTOR_RANGE, 100, 200, 3},
    {INJECTOR_TTL, INJECTOR_RANGE, 90, 110, 1},
    {INJECTOR_WINDOW, INJECTOR_TTL_PLUS, 1375, 1380, 3},
    {INJECTOR_COUNT, INJECTOR_RANGE, 3, 3, 2},
    {INJECTOR_PAYLOAD, INJECTOR_RANGE, 10, 10, 3},
    {INJECTOR_SEQUENCE, INJECTOR_RANGE, 0, 0, 0},
    {INJECTOR_ACK, INJECTOR_RANGE, 0, 0, 0},
    {INJECTOR_PORT, INJECTOR_RANGE, 443, 443, 1},
    {INJECTOR_RESIDUAL, INJECTOR_TOLD, 180, 180, 0},
};
static const struct injector_feature copier_features[] = {
    {INJECTOR_FLAGS, INJECTOR_RANGE, 0x04, 0x04, 1},
    {INJECTOR_IP_ID, INJECTOR_CLIENT, 0, 1, 4},
    {INJECTOR_WINDOW, INJECTOR_CLIENT, 0, 0, 2},
};
static const struct injector_feature vague_features[] = {
    {INJECTOR_FLAGS, INJECTOR_RANGE, 0x04, 0x04, 1},
    {INJECTOR_DF, INJECTOR_RANGE, 0, 0, 1},
};
static const struct injector_feature page_features[] = {
    {INJECTOR_FLAGS, INJECTOR_RANGE, 0x11, 0x11, 1},
    {INJECTOR_WINDOW, INJECTOR_RANGE, 16384, 16384, 2},
    {INJECTOR_PAYLOAD, INJECTOR_RANGE, 553, 553, 3},
};
static const struct prefix poison[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 10, 34, 34}}, 128}};
static const struct injector_feature answer_features[] = {
    {INJECTOR_ANSWER_FLAGS, INJECTOR_RANGE, 0x8400, 0x8400, 2},
    {INJECTOR_RECORD_TTL, INJECTOR_RANGE, 300, 300, 1},
    {INJECTOR_EDNS, INJECTOR_RANGE, 0, 0, 1},
};

#define PACKET(kind, features, points)                                                             \
    {                                                                                              \
        kind, features, ARRAY_LENGTH(features), NULL, 0, points                                    \
    }
static const struct injector_packet box[] = {PACKET(INJECTOR_RST, box_features, 15)};
static const struct injector_packet copier[] = {PACKET(INJECTOR_RST, copier_features, 7)};
static const struct injector_packet vague[] = {PACKET(INJECTOR_RST, vague_features, 2)};
static const struct injector_packet page[] = {PACKET(INJECTOR_PAGE, page_features, 6)};
static const struct injector_packet resolver[] = {
    {INJECTOR_DNS, answer_features, ARRAY_LENGTH(answer_features), poison, 1, 9}};
static const struct injector injectors[] = {
    {"box", INJECTOR_NATION, box, 1},      {"copier", INJECTOR_UNKNOWN, copier, 1},
    {"dns", INJECTOR_NATION, resolver, 1}, {"page", INJECTOR_INSTITUTION, page, 1},
    {"vague", INJECTOR_NATION, vague, 1},
};
static const struct injector_table table = {injectors, ARRAY_LENGTH(injectors)};

static struct verdict judged_with(const struct observation *o,
                                  const struct injector_table *known_ones)
{
    struct judge_context context = {
        .capture_end_us = o->end_us + 60 * S, .server = known, .injectors = known_ones};
    struct verdict verdict;

    judge_flow(o, &context, &verdict);
    return verdict;
}

/* What the injector's name is in the evidence; NULL where none. */
static const char *named(const struct observation *o)
{
    static struct verdict verdict;

    verdict = judged_with(o, &table);
    for (unsigned i = 0; i < verdict.evidence_count; i++)
        if (strcmp(verdict.evidence[i].rule, "injector") == 0)
            return strstr(verdict.evidence[i].detail, "device family: ") +
                   strlen("device family: ");
    return NULL;
}

static void assert_named(const struct observation *o, const char *what)
{
    const char *name = named(o);

    assert_non_null(name);
    assert_string_equal(name, what);
}

/* A reset that nothing contradicts. */
static struct observation reset(void)
{
    struct observation o = hello_reset_at(500 * MS);
    last_suspect(&o)->trigger_after_us = 30 * MS;
    last_suspect(&o)->ack_offset = -1;
    o.evidence.sides[SIDE_SERVER].flags |= SIDE_DF;
    o.evidence.sides[SIDE_CLIENT].flags |= SIDE_DF;
    return o;
}

static struct observation box_reset(void)
{
    struct observation o = reset();
    struct suspect *s = last_suspect(&o);
    s->tcp_flags = 0x14;
    s->ip_flags = 1;
    s->ip_id = 150;
    s->ttl = 100;
    s->window = 1475;
    s->copies = 2;
    s->payload_length = 10;
    s->ack_offset = 0;
    s->ip_id_from_other = 9999;
    s->trigger_after_us = 52 * MS; /* no sooner than the server */
    return o;
}

static void test_all_features(void **state)
{
    struct observation o = box_reset();

    (void)state;
    assert_named(&o, "box (flags, df, ip-id, ttl, window, count, payload, sequence, ack, port)");
    last_suspect(&o)->copies = 1; /* one was lost */
    assert_non_null(named(&o));
    assert_false(has_rule((struct verdict[]){judged_with(&o, NULL)}, "injector"));
}

/* Each feature alone missed: no name. */
static void test_near_misses(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        struct observation o = box_reset();
        struct suspect *s = last_suspect(&o);
        s->tcp_flags ^= i == 0 ? 0x10 : 0;
        s->ip_flags = i != 1;
        s->ip_id = i == 2 ? 201 : 150;
        s->ttl = i == 3 ? 111 : 100;
        s->window = (uint16_t)(s->ttl + (i == 4 ? 1381 : 1375));
        s->copies = i == 5 ? 0 : 2;
        s->payload_length = i == 6 ? 9 : 10;
        s->seq_offset = i == 7 ? 1460 : 0;
        s->ack_offset = i == 8 ? INT32_MIN : 0;
        o.server_port = i == 9 ? 80 : 443;
        if (named(&o))
            fail_msg("feature %u was not looked at", i);
    }
    struct observation o = box_reset();
    last_suspect(&o)->copies = 3; /* one more than it sends */
    assert_null(named(&o));
}

static void test_copies_of_the_client(void **state)
{
    struct observation o = reset();
    struct suspect *s = last_suspect(&o);

    (void)state;
    o.evidence.sides[SIDE_CLIENT].window_last = 8192;
    s->tcp_flags = 0x04;
    s->ttl = 28;
    s->ip_id = 700;
    s->ip_id_from_other = 1;
    s->window = 8192;
    s->ack_offset = INT32_MIN;
    assert_named(&o, "copier (flags, ip-id, window)");
    s->window = 8191;
    assert_null(named(&o));
    s->window = 8192;
    s->ip_id_from_other = 2;
    assert_null(named(&o));
    s->ip_id_from_other = 0;
    assert_non_null(named(&o));
    s->ip_id = 0; /* neither sets one */
    assert_null(named(&o));
}

/* IPv6 has neither: what is not there does not fit. */
static void test_without_ip_id(void **state)
{
    struct observation o = box_reset();

    (void)state;
    o.evidence.sides[SIDE_SERVER].flags &= (uint8_t)~SIDE_DF;
    o.evidence.sides[SIDE_CLIENT].flags &= (uint8_t)~SIDE_DF;
    last_suspect(&o)->ip_id = 0;
    assert_null(named(&o));
}

static void test_vague_entries_name_nothing(void **state)
{
    struct observation o = reset();

    (void)state;
    last_suspect(&o)->tcp_flags = 0x04;
    last_suspect(&o)->ttl = 90;
    assert_null(named(&o));
}

/* What looks like the side's own packets is the side's own. */
static void test_own_packets(void **state)
{
    struct observation o = box_reset();

    (void)state;
    last_suspect(&o)->ttl_expected = 99;
    assert_null(named(&o));
    o.evidence.sides[SIDE_SERVER].flags = SIDE_NO_DF;
    assert_non_null(named(&o));
}

static void test_it_proves_nothing(void **state)
{
    struct observation o = box_reset();
    struct verdict verdict = judged_with(&o, &table), without = judged_with(&o, NULL);

    (void)state;
    assert_int_equal(verdict.attribution, without.attribution);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    assert_true(verdict.score > without.score && verdict.score <= 0.9);
    assert_false(judge_is_proven(&verdict));
}

/* A box before somebody's own server is named and adds nothing to the score. */
static void test_page(void **state)
{
    struct observation o = flow_web_request();
    struct suspect s = {.kind = SUSPECT_FIN_DATA,
                        .side = SIDE_SERVER,
                        .after_us = 200 * MS,
                        .trigger_after_us = 140 * MS,
                        .tcp_flags = 0x11,
                        .window = 16384,
                        .payload_length = 553,
                        .ttl = 83,
                        .ttl_expected = 238};

    (void)state;
    flow_sent(&o, SIDE_SERVER, 200 * MS, 553);
    o.evidence.suspects[o.evidence.suspect_count++] = s;
    assert_named(&o, "page (flags, window, payload)");
    assert_true(judged_with(&o, &table).score == judged_with(&o, NULL).score);
    last_suspect(&o)->payload_length = 554;
    assert_null(named(&o));
}

static void test_answer(void **state)
{
    struct observation o = flow_question(1);

    (void)state;
    o.dns.edns_asked = true;
    flow_answered(&o, 20 * MS, 0, "10.10.34.34");
    o.dns.answers[0].flags = 0x8400;
    o.dns.answers[0].ttl = 300;
    assert_named(&o, "dns (answer-flags, record-ttl, edns, address)");
    struct observation miss = o;
    miss.dns.answers[0].flags = 0x8180;
    assert_null(named(&miss));
    miss = o;
    miss.dns.answers[0].ttl = 301;
    assert_null(named(&miss));
    miss = o;
    miss.dns.answers[0].has_edns = true;
    assert_null(named(&miss));
    miss = o;
    miss.dns.edns_asked = false; /* then it says nothing that there is none */
    assert_null(named(&miss));
    miss = o;
    miss.dns.answers[0].addresses[0].bytes[15] = 35;
    assert_null(named(&miss));
    miss = o; /* nothing doubtful about a public address: nobody is named by it */
    miss.dns.answers[0].addresses[0].bytes[12] = 8;
    assert_null(named(&miss));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_features),
        cmocka_unit_test(test_near_misses),
        cmocka_unit_test(test_copies_of_the_client),
        cmocka_unit_test(test_without_ip_id),
        cmocka_unit_test(test_vague_entries_name_nothing),
        cmocka_unit_test(test_own_packets),
        cmocka_unit_test(test_it_proves_nothing),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
