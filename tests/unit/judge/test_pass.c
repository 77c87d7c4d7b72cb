// SPDX-License-Identifier: GPL-3.0-or-later
/* What the look at all rows teaches the judge, through a store. */
#include "tests/unit/store/store_testing.h"

#include "analyzer/judge/judge_pass.h"
#include "tests/unit/judge/flows.h"

#define PUBLIC "68.171.242.18"

static struct observation question_at(uint64_t packet, const char *host, uint32_t after_us,
                                      uint8_t rcode, const char *address, uint8_t ttl)
{
    struct observation o = flow_question(1);

    o.packet = packet;
    o.start_us = o.end_us = START + (int64_t)packet * S;
    o.host = host;
    o.issuer = "";
    flow_answered(&o, after_us, rcode, address);
    o.dns.answers[0].ip_ttl = ttl;
    o.dns.answers[0].flags = 0x8180;
    return o;
}

static struct observation session_at(uint64_t packet, const char *issuer)
{
    struct observation o = flow_session();

    o.packet = packet;
    o.start_us = START + (int64_t)packet * S;
    o.end_us += (int64_t)packet * S;
    o.issuer = issuer;
    o.reasons = REASON_SNI;
    o.service = "signal";
    o.host = "chat.signal.org";
    o.certificate = CERTIFICATE_PRESENT | CERTIFICATE_NAME_FITS;
    return o;
}

/* The verdict on the flow of that packet; `rows` are in order. */
static struct verdict judged_of(const struct testing *testing, const struct observation *rows,
                                size_t count, uint64_t packet)
{
    struct store *store = testing_open(testing->path);
    struct input_record input = {.path = "x.pcap",
                                 .first_us = START,
                                 .last_us = START + 1000 * S,
                                 .complete = true,
                                 .vantage = {.probe_id = "p"}};
    struct store_query query = {0};
    struct judge_pass *pass;
    struct judged judged;
    struct verdict found = {0};
    struct dl_error error = {0};

    assert_int_equal(store_begin_input(store, &input, &error), DL_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(store_put(store, &rows[i], &error), DL_OK);
    assert_int_equal(store_close(store, &error), DL_OK);
    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(judge_pass_create(&pass, reader, &query, NULL, &error), DL_OK);
    while (judge_pass_next(pass, &judged, &error) == DL_OK)
        if (judged.flow.packet == packet)
            found = judged.verdict;
    judge_pass_destroy(pass);
    store_reader_close(reader);
    return found;
}

static void test_lone_denial(void **state)
{
    const struct observation rows[] = {question_at(1, "a.example", 40 * MS, 0, PUBLIC, 54),
                                       question_at(2, "b.example", 41 * MS, 0, PUBLIC, 54),
                                       question_at(3, "x.example", 2 * MS, 3, NULL, 58),
                                       question_at(4, "c.example", 42 * MS, 0, PUBLIC, 54)};
    struct verdict verdict = judged_of(*state, rows, ARRAY_LENGTH(rows), 3);

    assert_string_equal(verdict.mechanism, "dns.nxdomain");
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
}

/* The question comes first, and who followed it clears it. */
static void test_followed_well(void **state)
{
    struct observation rows[] = {question_at(1, "chat.signal.org", 5 * MS, 0, PUBLIC, 54),
                                 session_at(2, "CA 7, Good Trust")};

    rows[0].service = "signal";
    flow_answered(&rows[0], 60 * MS, 0, "31.13.64.7");
    rows[0].dns.answers[1].ip_ttl = 51;
    rows[0].dns.answers[1].flags = 0x8180;
    rows[1].dns_flow = 1;
    struct verdict verdict = judged_of(*state, rows, ARRAY_LENGTH(rows), 1);
    assert_null(verdict.mechanism);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
}

static void test_not_followed(void **state)
{
    struct observation rows[] = {question_at(1, "chat.signal.org", 5 * MS, 0, PUBLIC, 54),
                                 session_at(2, "CA 7, Good Trust")};

    flow_answered(&rows[0], 60 * MS, 0, "31.13.64.7");
    rows[0].dns.answers[1].ip_ttl = 51;
    rows[0].dns.answers[1].flags = 0x8180;
    struct verdict verdict = judged_of(*state, rows, ARRAY_LENGTH(rows), 1);
    assert_string_equal(verdict.mechanism, "dns.injection.other");
}

static void test_other_issuer(void **state)
{
    struct observation rows[] = {
        session_at(1, "CA 7, Good Trust"), session_at(2, "CA 7, Good Trust"),
        session_at(3, "Root, Filter Ltd"), session_at(4, "CA 8, Good Trust")};
    struct tls_facts *tls = &rows[2].evidence.tls;

    tls->alert_level = 2;
    tls->alert_description = 48;
    struct verdict verdict = judged_of(*state, rows, ARRAY_LENGTH(rows), 3);
    assert_string_equal(verdict.mechanism, "tls.mitm.ca_signed");
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
}

/* An authority that signs for others as a matter of course is no stranger. */
static void test_public_authority(void **state)
{
    struct observation rows[7];

    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        rows[i] = session_at(i + 1, i == 2 || i > 3 ? "Root, Filter Ltd" : "CA 7, Good Trust");
        rows[i].service = i > 3 ? "slack" : "signal";
        rows[i].host = i > 3 ? "slack.com" : "chat.signal.org";
    }
    rows[2].evidence.tls.alert_level = 2;
    rows[2].evidence.tls.alert_description = 48;
    struct verdict verdict = judged_of(*state, rows, ARRAY_LENGTH(rows), 3);
    assert_null(verdict.mechanism);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, testing_setup, testing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lone_denial),  TEST(test_followed_well),    TEST(test_not_followed),
        TEST(test_other_issuer), TEST(test_public_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
