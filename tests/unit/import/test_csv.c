// SPDX-License-Identifier: GPL-3.0-or-later
#include "importing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "start,service,outcome\n"
#define ROW  "2023-11-09T12:00:00Z,signal,ok\n"

static void test_every_column(void **state)
{
    struct importing *i = *state;
    const struct observation *row = i->rows;

    assert_int_equal(
        importing_text(i, "csv",
                       "voice,client,failure,outcome,stage,server,host,service,network,country,"
                       "asn,start,note\n"
                       "v1,c1,connection_reset,failed,tls,[2001:db8::1]:443,www.example.com,"
                       "control-example,mobile,ke,AS33771,2023-11-09T15:00:00+03:00,x\n"
                       ",,,ok,,192.0.2.7,,my own line,unknown,ZZ,,2023-11-09T12:00:00Z,\n"),
        DL_OK);
    assert_int_equal(i->counts.rows, 2);
    importing_read(i);
    assert_int_equal(row[0].packet, 2);
    assert_true(row[0].start_us == row[1].start_us); /* of two time zones */
    assert_string_equal(row[0].service, "control-example");
    assert_string_equal(row[0].host, "www.example.com");
    assert_int_equal(row[0].server.kind, ENDPOINT_ADDRESS);
    assert_false(address_is_v4(&row[0].server.address));
    assert_int_equal(row[0].server_port, 443);
    assert_int_equal(row[0].stage, STAGE_TLS);
    assert_int_equal(row[0].import.outcome, OUTCOME_FAILED);
    assert_string_equal(row[0].import.failure, "connection_reset");
    assert_true(row[0].import.voice != 0 && row[0].import.run != 0);
    assert_int_equal(row[0].client.kind, ENDPOINT_PSEUDONYM);
    assert_int_equal(importing_vantage(i, 0)->asn, 33771);
    assert_string_equal(importing_vantage(i, 0)->carrier, "safaricom");
    assert_string_equal(importing_vantage(i, 0)->country, "KE");
    assert_int_equal(importing_vantage(i, 0)->network, NETWORK_MOBILE);
    assert_int_equal(importing_vantage(i, 0)->origin, ORIGIN_IMPORTED);
    assert_string_equal(row[1].service, "my own line"); /* as it is named */
    assert_int_equal(row[1].server_port, 0);
    assert_int_equal(row[1].stage, STAGE_NONE);
    assert_true(row[1].import.run == 0);
    assert_string_equal(importing_vantage(i, 1)->country, "");
    assert_true(row[0].client.pseudonym != row[1].client.pseudonym);
}

/* Rows of one client and start are one run; a row without client is alone. */
static void test_runs(void **state)
{
    struct importing *i = *state;

    assert_int_equal(importing_text(i, "csv",
                                    "start,service,outcome,client\n"
                                    "2023-11-09T12:00:00Z,signal,ok,a\n"
                                    "2023-11-09T12:00:00Z,signal,ok,a\n"
                                    "2023-11-09T12:00:05Z,signal,ok,a\n"
                                    "2023-11-09T12:00:00Z,signal,ok,b\n"
                                    "2023-11-09T12:00:00Z,signal,ok,\n"
                                    "2023-11-09T12:00:00Z,signal,ok,\n"),
                     DL_OK);
    importing_read(i);
    const struct observation *row = i->rows;
    assert_true(row[0].import.run == row[1].import.run);
    assert_true(row[0].import.run != row[2].import.run);
    assert_true(row[0].import.run != row[3].import.run);
    assert_true(row[0].client.pseudonym == row[2].client.pseudonym);
    assert_true(row[4].client.pseudonym != row[5].client.pseudonym);
    assert_true(row[4].import.run == 0);
}

static void test_quoting(void **state)
{
    struct importing *i = *state;

    assert_int_equal(importing_text(i, "csv",
                                    "\xef\xbb\xbf\"start\",service,outcome,client,\"a,b\"\r\n"
                                    "2023-11-09T12:00:00Z,\"a \"\"b\"\", c\",ok,,\"two\nlines\"\r\n"
                                    "\r\n"
                                    "2023-11-09T12:00:00Z,signal,ok,,\r\n"
                                    "2023-11-09T12:00:00Z,wire,ok,,last"),
                     DL_OK);
    assert_int_equal(i->counts.rows, 3);
    assert_int_equal(i->counts.broken, 0);
    importing_read(i);
    assert_string_equal(i->rows[0].service, "a \"b\", c");
    assert_int_equal(i->rows[0].packet, 2);
    assert_int_equal(i->rows[1].packet, 5); /* after a record of two lines and a blank one */
    assert_string_equal(i->rows[2].service, "wire");
}

static void refuse_header(struct importing *i, const char *text, int status, const char *why)
{
    assert_int_equal(importing_text(i, "csv", text), status);
    assert_non_null(strstr(i->error.message, why));
    assert_int_equal(i->counts.rows, 0);
}

static void test_headers(void **state)
{
    struct importing *i = *state;

    refuse_header(i, "start,outcome\n" ROW, DL_MALFORMED, "line 1: no column service");
    refuse_header(i, "start,service,outcome,start\n", DL_MALFORMED, "column start twice");
    refuse_header(i, "\n\n", DL_EMPTY, "nothing in it");
    refuse_header(i, "\"start,service,outcome\n", DL_MALFORMED, "a quote");
    assert_int_equal(importing_text(i, "csv", HEAD), DL_OK); /* nothing, well said */
    assert_int_equal(i->counts.lines, 0);
}

static void break_line(struct importing *i, const char *line, const char *why)
{
    char text[512];

    snprintf(text, sizeof(text),
             "start,service,outcome,stage,server,asn,country,host\n"
             "2023-11-09T12:00:00Z,signal,ok,,,,,\n%s\n",
             line);
    i->options.until_us = 1; /* all lines are outside: no file is known again */
    assert_int_equal(importing_text(i, "csv", text), DL_OK);
    assert_int_equal(i->counts.broken, 1);
    assert_int_equal(i->broken[0].line, 3);
    if (!strstr(i->broken[0].why, why))
        fail_msg("'%s': %s", line, i->broken[0].why);
}

static void test_broken_lines(void **state)
{
    struct importing *i = *state;

    break_line(i, "yesterday,signal,ok,,,,,", "column start: 'yesterday'");
    break_line(i, "2023-13-09T12:00:00Z,signal,ok,,,,,", "column start");
    break_line(i, "2023-11-09T12:00:00Z,,ok,,,,,", "column service");
    break_line(i, "2023-11-09T12:00:00Z,signal,fine,,,,,", "column outcome: 'fine'");
    break_line(i, "2023-11-09T12:00:00Z,signal,ok,icmp,,,,", "column stage");
    break_line(i, "2023-11-09T12:00:00Z,signal,ok,,1.2.3,,,", "column server");
    break_line(i, "2023-11-09T12:00:00Z,signal,ok,,1.2.3.4:0,,,", "column server");
    break_line(i, "2023-11-09T12:00:00Z,signal,ok,,1.2.3.4:65536,,,", "column server");
    break_line(i, "2023-11-09T12:00:00Z,signal,ok,,[::1,,,", "column server");
    break_line(i, "2023-11-09T12:00:00Z,signal,ok,,,ASx,,", "column asn");
    break_line(i, "2023-11-09T12:00:00Z,signal,ok,,,,Kenya,", "column country");
    break_line(i,
               "2023-11-09T12:00:00Z,signal,ok,,,,,a\x01"
               "b",
               "column host");
    break_line(i, "2023-11-09T12:00:00Z,signal,ok", "3 fields, the header has 8");
    break_line(i, "2023-11-09T12:00:00Z,\"signal\"x,ok,,,,,", "field 2: a quote");
}

/* A quote that never ends costs its own line. */
static void test_open_quote(void **state)
{
    struct importing *i = *state;

    assert_int_equal(
        importing_text(i, "csv", HEAD ROW "2023-11-09T12:00:00Z,\"signal,ok\n" ROW ROW), DL_OK);
    assert_int_equal(i->counts.broken, 1);
    assert_int_equal(i->broken[0].line, 3);
    assert_int_equal(i->counts.rows, 3);
}

static void test_nul(void **state)
{
    static const char text[] = HEAD ROW "2023-11-09T12:00:00Z,sig\0nal,ok\n" ROW;
    struct importing *i = *state;

    assert_int_equal(importing_bytes(i, "csv", text, sizeof(text) - 1), DL_OK);
    assert_int_equal(i->counts.broken, 1);
    assert_int_equal(i->counts.rows, 2);
    assert_non_null(strstr(i->broken[0].why, "NUL"));
}

/* A line of 20 MB is one broken line, and what follows is read. */
static void test_long_line(void **state)
{
    struct importing *i = *state;
    size_t length = 20u << 20, head = strlen(HEAD);
    char *text = malloc(length);

    assert_non_null(text);
    memset(text, 'x', length);
    memcpy(text, HEAD, head);
    memcpy(text + length - strlen("\n" ROW), "\n" ROW, strlen("\n" ROW));
    assert_int_equal(importing_bytes(i, "csv", text, length), DL_OK);
    assert_int_equal(i->counts.broken, 1);
    assert_int_equal(i->broken[0].line, 2);
    assert_int_equal(i->counts.rows, 1);
    importing_read(i);
    assert_int_equal(i->rows[0].packet, 3);
    free(text);
}

static void test_again(void **state)
{
    struct importing *i = *state;
    static const char two[] = "start,service,outcome,asn\n"
                              "2023-11-09T12:00:00Z,signal,ok,1\n"
                              "2023-11-09T12:00:00Z,signal,ok,2\n";

    assert_int_equal(importing_text(i, "csv", two), DL_OK);
    assert_int_equal(i->counts.vantages, 2);
    assert_int_equal(importing_text(i, "csv", two), DL_DUPLICATE);
    assert_int_equal(importing_text(i, "csv", HEAD "x\n"), DL_MALFORMED); /* nothing else in it */
}

static bool stop(void *context, uint64_t lines, double share)
{
    (void)context, (void)lines, (void)share;
    return false;
}

/* What was interrupted is read anew, and nothing is there twice. */
static void test_interrupted(void **state)
{
    struct importing *i = *state;
    char *text = malloc(64u << 10);
    size_t length = (size_t)sprintf(text, "start,service,outcome,asn\n");

    for (int n = 0; n < 1024; n++)
        length += (size_t)sprintf(text + length, "2023-11-09T12:00:00Z,signal,ok,%d\n", n % 3 + 1);
    i->options.on_batch = stop;
    assert_int_equal(importing_bytes(i, "csv", text, length), -EINTR);
    i->options.on_batch = NULL;
    assert_int_equal(importing_bytes(i, "csv", text, length), DL_OK);
    assert_int_equal(i->counts.rows, 1024);
    assert_int_equal(importing_bytes(i, "csv", text, length), DL_DUPLICATE);
    free(text);
    assert_int_equal(store_close(i->store, &i->error), DL_OK);
    i->store = NULL;
    char path[128];
    snprintf(path, sizeof(path), "%s/store", i->folder);
    const char *paths[] = {path};
    assert_int_equal(store_reader_open(&i->reader, paths, 1, &i->error), DL_OK);
    assert_int_equal(store_reader_input_count(i->reader), 3);
}

static void test_times(void **state)
{
    struct importing *i = *state;

    i->options.since_us = INT64_C(1699531200) * 1000000; /* 2023-11-09T12:00 */
    i->options.until_us = i->options.since_us + 1;
    assert_int_equal(importing_text(i, "csv",
                                    HEAD "2023-11-09T11:59:59.999999Z,signal,ok\n" ROW
                                         "2023-11-09T12:00:00.000001Z,signal,ok\n"),
                     DL_OK);
    assert_int_equal(i->counts.rows, 1);
    assert_int_equal(i->counts.outside, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, importing_setup, importing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_column), TEST(test_runs),        TEST(test_quoting), TEST(test_headers),
        TEST(test_broken_lines), TEST(test_open_quote),  TEST(test_nul),     TEST(test_long_line),
        TEST(test_again),        TEST(test_interrupted), TEST(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
