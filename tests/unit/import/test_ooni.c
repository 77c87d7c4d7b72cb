// SPDX-License-Identifier: GPL-3.0-or-later
#include "importing.h"

#include <stdio.h>
#include <string.h>

/* A measurement of the form that all tests share; `keys` is its test_keys. */
#define MEASUREMENT(test, input, keys)                                                             \
    "{\"test_name\":\"" test "\",\"input\":" input                                                 \
    ",\"probe_asn\":\"AS33771\",\"probe_cc\":\"KE\","                                              \
    "\"measurement_start_time\":\"2023-11-09 12:00:00\",\"report_id\":\"r1\",\"software_name\":"   \
    "\"ooniprobe-android\",\"software_version\":\"3.7.1\",\"resolver_ip\":\"196.201.214.1\","      \
    "\"annotations\":{\"network_type\":\"mobile\"},\"test_keys\":" keys "}"
#define TCP(ip, port, failure)                                                                     \
    "{\"ip\":\"" ip "\",\"port\":" #port ",\"status\":{\"failure\":" failure "}}"
#define TLS(address, name, failure)                                                                \
    "{\"address\":\"" address "\",\"server_name\":\"" name "\",\"failure\":" failure "}"
#define QUERY(host, failure, answers)                                                              \
    "{\"engine\":\"system\",\"hostname\":\"" host "\",\"query_type\":\"A\",\"failure\":" failure   \
    ",\"answers\":[" answers "]}"
#define A(ip) "{\"answer_type\":\"A\",\"ipv4\":\"" ip "\"}"
#define REQUEST(url, failure, response)                                                            \
    "{\"request\":{\"url\":\"" url "\"},\"failure\":" failure ",\"response\":" response "}"
#define CONTROL(http, addresses)                                                                   \
    "\"control_failure\":null,\"control\":{\"dns\":{\"failure\":null,\"addrs\":[" addresses        \
    "]},\"http_request\":{" http "}}"
#define WORKS "\"failure\":null,\"status_code\":200"
#define FAILS "\"failure\":\"connection_refused_error\",\"status_code\":-1"

static void read_text(struct importing *i, const char *text, uint64_t rows)
{
    if (importing_text(i, "ooni", text) != DL_OK)
        fail_msg("%s", i->error.message);
    assert_int_equal(i->counts.broken, 0);
    assert_int_equal(i->counts.rows, rows);
    importing_read(i);
}

static void expect_row(const struct importing *i, size_t row, const char *host, enum stage stage,
                       enum outcome outcome, const char *failure, enum outcome control)
{
    const struct observation *o = &i->rows[row];

    assert_string_equal(o->host, host);
    assert_int_equal(o->stage, stage);
    assert_int_equal(o->import.outcome, outcome);
    assert_string_equal(o->import.failure, failure);
    assert_int_equal(o->import.control, control);
}

/* One target is one row, at the deepest stage it came to; the helper's result is the control. */
static void test_web(void **state)
{
    struct importing *i = *state;

    read_text(
        i,
        MEASUREMENT(
            "web_connectivity", "\"https://www.wikipedia.org/\"",
            "{\"queries\":[" QUERY(
                "www.wikipedia.org", "null",
                A("198.35.26.96")) "],"
                                   "\"tcp_connect\":[" TCP(
                                       "198.35.26.96", 443,
                                       "null") "],"
                                               "\"tls_handshakes\":[" TLS(
                                                   "198.35.26.96:443", "www.wikipedia.org",
                                                   "\"connection_reset\"") "],"
                                                                           "\"requests\":"
                                                                           "[" REQUEST(
                                                                               "https://"
                                                                               "www."
                                                                               "wikipedia."
                                                                               "org/",
                                                                               "\"connection"
                                                                               "_reset\"",
                                                                               "{\"code\":"
                                                                               "0}") "]"
                                                                                     "," CONTROL(
                                                                                         WORKS,
                                                                                         "\"198."
                                                                                         "35.26."
                                                                                         "96\"") "}"),
        1);
    expect_row(i, 0, "www.wikipedia.org", STAGE_TLS, OUTCOME_FAILED, "connection_reset",
               OUTCOME_OK);
    assert_int_equal(i->rows[0].packet, 1 * IMPORT_TARGETS_MAX);
    assert_string_equal(i->rows[0].service, "control-wikipedia");
    assert_int_equal(i->rows[0].server_port, 443);
    assert_true(i->rows[0].import.run && i->rows[0].import.voice);
    assert_int_equal(i->rows[0].start_us, INT64_C(1699531200) * 1000000);
    assert_int_equal(importing_vantage(i, 0)->network, NETWORK_MOBILE);
    assert_string_equal(importing_vantage(i, 0)->probe_id, "ooniprobe-android 3.7.1");
}

/* Only addresses that the user's own resolver gave count, where they are marked. */
static void test_classic(void **state)
{
    struct importing *i = *state;

    read_text(
        i,
        MEASUREMENT(
            "web_connectivity", "\"http://www.example.com/\"",
            "{\"queries\":[{\"engine\":\"getaddrinfo\",\"hostname\":\"www.example.com\","
            "\"query_type\":\"ANY\",\"failure\":null,\"answers\":[" A(
                "127.0.0.1") "],\"tags\":[\"classic\"]},{\"engine\":\"doh\",\"hostname\":"
                             "\"www.example.com\",\"query_type\":\"A\",\"failure\":null,"
                             "\"answers\":[" A(
                                 "93.184.216.34") "],\"tags\":[\"depth=0\"]}],"
                                                  "\"tcp_connect\":[{\"ip\":\"93.184.216.34\","
                                                  "\"port\":80,\"status\":{\"failure\":"
                                                  "null},\"tags\":[\"depth=0\"],\"transaction_id\":"
                                                  "7}],\"requests\":[{\"request\":{"
                                                  "\"url\":\"http://www.example.com/"
                                                  "\"},\"failure\":null,\"response\":{\"code\":200}"
                                                  ",\"tags\":[],\"transaction_id\":7}]," CONTROL(
                                                      WORKS, "\"93.184.216.34\"") "}"),
        1);
    expect_row(i, 0, "www.example.com", STAGE_DNS, OUTCOME_FAILED, "dns_bogon_error", OUTCOME_OK);
    assert_int_equal(i->rows[0].dns.answers[0].address_count, 1);
}

/* The site is down for the helper too; for an address that only the probe met that says nothing. */
static void test_control(void **state)
{
    struct importing *i = *state;

    read_text(
        i,
        MEASUREMENT(
            "web_connectivity", "\"http://a.example/\"",
            "{\"tcp_connect\":[" TCP("192.0.2.7", 80, "\"connection_refused\"") "]," CONTROL(
                FAILS,
                "\"192.0.2.7\"") "}") "\n" MEASUREMENT("web_connectivity", "\"http://a.example/\"",
                                                       "{\"tcp_connect\":[" TCP(
                                                           "192.0.2.7", 80,
                                                           "\"connection_refused\"") "],"
                                                                                     "\"control_"
                                                                                     "failure\":"
                                                                                     "\"eof_"
                                                                                     "error\","
                                                                                     "\"control\":{"
                                                                                     "\"http_"
                                                                                     "request\":{}}"
                                                                                     "}") "\n" MEASUREMENT("web_connectivity",
                                                                                                           "\"http://a.example/\"",
                                                                                                           "{\"queries\":[" QUERY(
                                                                                                               "a.example",
                                                                                                               "\"dns_nxdomain_error\"",
                                                                                                               "") "]," CONTROL(WORKS,
                                                                                                                                "\"127.0.0.1\"") "}"),
        3);
    expect_row(i, 0, "a.example", STAGE_TCP, OUTCOME_FAILED, "connection_refused", OUTCOME_FAILED);
    expect_row(i, 1, "a.example", STAGE_TCP, OUTCOME_FAILED, "connection_refused", OUTCOME_UNKNOWN);
    expect_row(i, 2, "a.example", STAGE_DNS, OUTCOME_FAILED, "dns_nxdomain_error", OUTCOME_FAILED);
    assert_int_equal(i->rows[2].packet, 3 * IMPORT_TARGETS_MAX);
    assert_true(i->rows[0].import.run != i->rows[1].import.run);
    assert_true(i->rows[0].client.pseudonym == i->rows[1].client.pseudonym); /* of one report */
}

/* A block page speaks for what was asked first, wherever it was shown. */
static void test_page(void **state)
{
    struct importing *i = *state;

    read_text(
        i,
        MEASUREMENT(
            "web_connectivity", "\"http://a.example/\"",
            "{\"requests\":[" REQUEST(
                "http://119.73.65.87:8080/redirect.html?accessurl=x", "null",
                "{\"code\":200,\"body\":\"x\"}") "," REQUEST("http://a.example/", "null",
                                                             "{\"code\":302,\"headers\":{"
                                                             "\"Location\":"
                                                             "\"http://119.73.65.87:8080/"
                                                             "redirect.html?accessurl=x\"}}") "]}"),
        2);
    const struct observation *page = &i->rows[1];
    assert_string_equal(page->import.blockpage.id, "pk-jazz");
    assert_int_equal(page->import.outcome, OUTCOME_FAILED);
    assert_int_equal(page->import.blockpage.where, BLOCKPAGE_IN_LOCATION);
    assert_true(page->import.page_from_abroad); /* of Pakistan, seen in Kenya */
    assert_string_equal(page->host, "a.example");
}

/* Base64 where the body was no text. */
static void test_packed_page(void **state)
{
    struct importing *i = *state;

    read_text(
        i,
        MEASUREMENT("web_connectivity", "\"http://a.example/\"",
                    "{\"requests\":[" REQUEST(
                        "http://a.example/", "null",
                        "{\"code\":200,\"body\":{\"format\":\"base64\",\"data\":\"PGEgaHJlZj0i"
                        "aHR0cDovLzExOS43My42NS44Nzo4MDgwL3JlZGlyZWN0Lmh0bWw/YWNjZXNzdXJsIj4="
                        "\"}}") "]}"),
        1);
    assert_string_equal(i->rows[0].import.blockpage.id, "pk-jazz");
}

static void test_messengers(void **state)
{
    struct importing *i = *state;

    read_text(i,
              MEASUREMENT(
                  "telegram", "null",
                  "{\"tcp_connect\":[" TCP("149.154.167.51", 443, "\"generic_timeout_error\"") "," TCP("149.154.167.51", 80, "null") "],\"requests\":[" REQUEST(
                      "http://149.154.167.51:443/", "\"generic_timeout_error\"",
                      "null") "," REQUEST("http://149.154.167.51/", "\"generic_timeout_error\"",
                                          "null") "]}") "\n" MEASUREMENT("signal", "null",
                                                                         "{\"queries\":[" QUERY(
                                                                             "uptime.signal.org",
                                                                             "null",
                                                                             A("127.0.0.1")) "],"
                                                                                             "\"tls"
                                                                                             "_hand"
                                                                                             "shake"
                                                                                             "s\":"
                                                                                             "[" TLS(
                                                                                                 "1"
                                                                                                 "9"
                                                                                                 "2"
                                                                                                 "."
                                                                                                 "0"
                                                                                                 "."
                                                                                                 "2"
                                                                                                 "."
                                                                                                 "9"
                                                                                                 ":"
                                                                                                 "4"
                                                                                                 "4"
                                                                                                 "3",
                                                                                                 "c"
                                                                                                 "h"
                                                                                                 "a"
                                                                                                 "t"
                                                                                                 "."
                                                                                                 "s"
                                                                                                 "i"
                                                                                                 "g"
                                                                                                 "n"
                                                                                                 "a"
                                                                                                 "l"
                                                                                                 "."
                                                                                                 "o"
                                                                                                 "r"
                                                                                                 "g",
                                                                                                 "\"ssl_unknown_"
                                                                                                 "a"
                                                                                                 "u"
                                                                                                 "t"
                                                                                                 "h"
                                                                                                 "o"
                                                                                                 "r"
                                                                                                 "i"
                                                                                                 "t"
                                                                                                 "y"
                                                                                                 "\"") "]}") "\n" MEASUREMENT("whatsapp",
                                                                                                                              "null",
                                                                                                                              "{\"queries\":[" QUERY(
                                                                                                                                  "e1.whatsapp.net",
                                                                                                                                  "null",
                                                                                                                                  A("0.0.0.0")) "],"
                                                                                                                                                "\"tcp_connect\":[" TCP(
                                                                                                                                                    "0.0.0.0",
                                                                                                                                                    5222,
                                                                                                                                                    "\"connection_refused\"") "],"
                                                                                                                                                                              "\"requests\":[" REQUEST(
                                                                                                                                                                                  "http://e1.whatsapp.net/",
                                                                                                                                                                                  "null",
                                                                                                                                                                                  "{\"code\":200}") "]}"),
              4);
    expect_row(i, 0, "", STAGE_TCP, OUTCOME_FAILED, "generic_timeout_error", OUTCOME_UNKNOWN);
    assert_string_equal(i->rows[0].service, "telegram");
    assert_int_equal(i->rows[1].stage, STAGE_HTTP); /* it connected */
    assert_int_equal(i->rows[1].import.outcome, OUTCOME_FAILED);
    /* A sign of life is no bogon; another authority may be an old probe's fault. */
    expect_row(i, 2, "chat.signal.org", STAGE_TLS, OUTCOME_UNKNOWN, "ssl_unknown_authority",
               OUTCOME_UNKNOWN);
    expect_row(i, 3, "e1.whatsapp.net", STAGE_DNS, OUTCOME_FAILED, "dns_bogon_error",
               OUTCOME_UNKNOWN);
}

static void test_others(void **state)
{
    struct importing *i = *state;

    read_text(
        i,
        MEASUREMENT(
            "tor", "null",
            "{\"targets\":{\"t1\":{\"target_address\":\"192.0.2.1:9001\",\"failure\":"
            "null,\"tcp_connect\":[" TCP(
                "192.0.2.1", 9001,
                "null") "],"
                        "\"tls_handshakes\":[{\"failure\":null}]},\"t2\":{\"target_address\":"
                        "\"192.0.2.2:443\",\"failure\":\"eof_error\",\"tcp_connect\":[" TCP(
                            "192.0.2.2", 443,
                            "null") "]}}}") "\n" MEASUREMENT("psiphon", "null",
                                                             "{\"failure\":\"generic_timeout_"
                                                             "error\"}") "\n" MEASUREMENT("stunreac"
                                                                                          "habilit"
                                                                                          "y",
                                                                                          "\"stun:/"
                                                                                          "/stun.l."
                                                                                          "google."
                                                                                          "com:"
                                                                                          "19302\"",
                                                                                          "{\"failu"
                                                                                          "re\":"
                                                                                          "null}") "\n" MEASUREMENT("dnscheck",
                                                                                                                    "\"dot://dns.google/\"",
                                                                                                                    "{\"bootstrap\":{\"queries\":[]},\"lookups\":{\"dot://8.8.8.8:853/\":{"
                                                                                                                    "\"failure\":\"connection_refused\",\"tcp_connect\":[" TCP(
                                                                                                                        "8.8.8.8",
                                                                                                                        853,
                                                                                                                        "\"connection_refused\"") "]}}}"),
        5);
    expect_row(i, 0, "", STAGE_TLS, OUTCOME_OK, "", OUTCOME_UNKNOWN);
    assert_int_equal(i->rows[0].server_port, 9001);
    expect_row(i, 1, "192.0.2.2", STAGE_STREAM, OUTCOME_FAILED, "eof_error", OUTCOME_UNKNOWN);
    assert_string_equal(i->rows[1].service, "tor");
    expect_row(i, 2, "", STAGE_STREAM, OUTCOME_FAILED, "generic_timeout_error", OUTCOME_UNKNOWN);
    assert_string_equal(i->rows[2].service, "psiphon");
    expect_row(i, 3, "stun.l.google.com", STAGE_STREAM, OUTCOME_OK, "", OUTCOME_UNKNOWN);
    assert_int_equal(i->rows[3].transport, TRANSPORT_UDP);
    assert_int_equal(i->rows[4].stage, STAGE_TCP);
    assert_int_equal(i->rows[4].server_port, 853);
}

/* What is not read is counted, and nobody's names are kept unasked. */
static void test_left_out(void **state)
{
    struct importing *i = *state;

    i->options.all_names = false;
    assert_int_equal(
        importing_text(i, "ooni",
                       MEASUREMENT("ndt", "null", "{}") "\n" MEASUREMENT(
                           "web_connectivity", "\"http://a.example/\"",
                           "null") "\n"
                                   "{}\n" MEASUREMENT("web_connectivity",
                                                      "\"http://nobodys-name.example/\"",
                                                      "{\"tcp_connect\":[" TCP("192.0.2.7", 80,
                                                                               "null") "]}") "\n"),
        DL_OK);
    assert_int_equal(i->counts.foreign, 3);
    assert_int_equal(i->counts.unnamed, 1);
    assert_int_equal(i->counts.rows, 0);
    assert_int_equal(i->counts.broken, 0);
}

#define SMALL MEASUREMENT("psiphon", "null", "{\"failure\":null}")

/* Lines, an array, one object over many lines, and as the API wraps them. */
static void test_forms(void **state)
{
    static const char *const forms[] = {
        SMALL "\n\n" SMALL,
        "[" SMALL "," SMALL "]",
        "\n[\n" SMALL ",\n" SMALL "\n]\n",
        "{\n\"a\":1,\n\"raw_measurement\":" SMALL "}\n{\n\"raw_measurement\":" SMALL "}\n",
    };
    struct importing *i = *state;

    for (size_t n = 0; n < 4; n++) {
        assert_int_equal(importing_text(i, "ooni", forms[n]), DL_OK);
        assert_int_equal(i->counts.rows, 2);
    }
    assert_int_equal(importing_text(i, "ooni",
                                    "{\"raw_measurement\":\"{\\\"test_name\\\":\\\"psiphon\\\","
                                    "\\\"measurement_start_time\\\":\\\"2023-11-09T12:00:00Z\\\","
                                    "\\\"test_keys\\\":{\\\"failure\\\":null}}\"}"),
                     DL_OK);
    assert_int_equal(i->counts.rows, 1);
}

static void test_broken(void **state)
{
    struct importing *i = *state;

    assert_int_equal(importing_text(i, "ooni",
                                    SMALL "\n{\"a\":\n[1,2]\n" SMALL "\n{\"test_name\":"
                                          "\"psiphon\",\"test_keys\":{}}\n"),
                     DL_OK);
    assert_int_equal(i->counts.rows, 2);
    assert_int_equal(i->counts.broken, 3);
    assert_int_equal(i->broken[0].line, 2);
    assert_int_equal(i->broken[1].line, 3);
    assert_non_null(strstr(i->broken[2].why, "measurement_start_time"));
    assert_int_equal(importing_text(i, "ooni", "hello\nworld\n"), DL_MALFORMED);
    assert_int_equal(importing_text(i, "ooni", "[{"), DL_MALFORMED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, importing_setup, importing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_web),         TEST(test_classic),    TEST(test_control), TEST(test_page),
        TEST(test_packed_page), TEST(test_messengers), TEST(test_others),  TEST(test_left_out),
        TEST(test_forms),       TEST(test_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
