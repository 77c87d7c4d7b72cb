// SPDX-License-Identifier: GPL-3.0-or-later
/* Rows go into a block and come out as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "probe/row_block.h"

static struct observation make_observation(uint64_t packet, const char *host)
{
    struct observation o;
    memset(&o, 0, sizeof(o));
    o.input = 3;
    o.packet = packet;
    o.start_us = 1448000000000000 + (int64_t)packet;
    o.client_port = 40000;
    o.protocol = "TLS";
    o.service = "signal";
    o.issuer = "";
    o.host = host;
    o.certainty = CERTAINTY_CERTAIN;
    return o;
}

static struct row_block *make_block(void)
{
    struct row_block *block = calloc(1, sizeof(*block));
    assert_non_null(block);
    return block;
}

static void equal(const struct observation *got, const struct observation *wanted)
{
    struct observation copy = *got;
    assert_string_equal(got->host, wanted->host);
    copy.host = wanted->host;
    assert_memory_equal(&copy, wanted, sizeof(copy));
}

/* What one row has and the next has not must not come through. */
static void test_parts_come_and_go(void **state)
{
    (void)state;
    struct row_block *block = make_block();
    struct row_reader *reader = calloc(1, sizeof(*reader));
    struct observation rows[5];
    char host[] = "chat.signal.org";
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        rows[i] = make_observation(i + 1, i % 2 ? "" : host);
    rows[0].dns.present = rows[2].dns.present = true;
    rows[0].dns.answers[3].packet = 77;
    rows[1].evidence.present = true;
    rows[1].evidence.suspects[7].packet = 12;
    memset(rows[1].evidence.http.title, 'x', 20);
    rows[3].pace.bin_count = 64;
    rows[3].pace.losses[63].segments = 9;
    rows[4].flags = OBSERVATION_EARLY;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_true(row_put(block, &rows[i]));
    memset(host, '-', sizeof(host) - 1); /* its giver needs it no more */
    struct row row;
    uint32_t at = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_true(row_next(reader, block, &at, &row));
        assert_non_null(row.observation);
        rows[i].host = i % 2 ? "" : "chat.signal.org";
        equal(row.observation, &rows[i]);
    }
    assert_false(row_next(reader, block, &at, &row));
    assert_int_equal(block->rows, 4); /* the early one comes again */
    free(reader);
    free(block);
}

static void test_a_full_block(void **state)
{
    (void)state;
    struct row_block *block = make_block();
    struct row_reader *reader = calloc(1, sizeof(*reader));
    struct observation o = make_observation(0, "a.example.net");
    uint64_t put = 0, got = 0;
    struct row row;
    uint32_t at = 0;
    while (row_put(block, &o))
        o.packet = ++put;
    assert_true(put > 500);
    while (row_next(reader, block, &at, &row))
        assert_int_equal(row.observation->packet, got++);
    assert_int_equal(got, put);
    free(reader);
    free(block);
}

static int note_call(void *context, const void *bytes, struct dl_error *error)
{
    (void)error;
    memcpy(context, bytes, 6);
    return DL_OK;
}

static void test_calls_between_rows(void **state)
{
    (void)state;
    struct row_block *block = make_block();
    struct row_reader *reader = calloc(1, sizeof(*reader));
    struct observation o = make_observation(1, "");
    char text[6] = "";
    static const char long_one[ROW_CALL_MAX + 1];
    struct row row;
    uint32_t at = 0;
    assert_true(row_put(block, &o));
    assert_true(row_put_call(block, note_call, "hello", 6));
    assert_false(row_put_call(block, note_call, long_one, sizeof(long_one)));
    assert_true(row_put(block, &o));
    assert_true(row_next(reader, block, &at, &row) && row.observation);
    assert_true(row_next(reader, block, &at, &row) && !row.observation);
    assert_int_equal(row.call(text, row.bytes, NULL), DL_OK);
    assert_string_equal(text, "hello");
    assert_true(row_next(reader, block, &at, &row) && row.observation);
    free(reader);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_come_and_go),
        cmocka_unit_test(test_a_full_block),
        cmocka_unit_test(test_calls_between_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
