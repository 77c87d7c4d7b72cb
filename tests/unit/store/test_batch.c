// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"
#include "store/batch.h"
#include "store/blob.h"

#define ROWS 100u

static int setup(void **state)
{
    static struct batch batch;
    assert_int_equal(batch_init(&batch, ROWS), DL_OK);
    *state = &batch;
    return 0;
}

static int teardown(void **state)
{
    batch_finish(*state);
    return 0;
}

static const struct batch_row *row_at(const struct batch *batch, uint32_t place)
{
    return &batch->rows[batch->places[place].row];
}

static void test_order_of_ids(void **state)
{
    struct batch *batch = *state;
    for (uint32_t i = 0; i < ROWS; i++) {
        struct observation o = {.start_us = (int64_t)i};
        assert_non_null(batch_add(batch, (int64_t)(i * 37 % ROWS), &o));
    }
    batch_sort(batch);
    assert_int_equal(batch->count, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        assert_int_equal(batch->places[i].id, i);
        assert_int_equal(row_at(batch, i)->id, i);
        assert_int_equal(row_at(batch, i)->start_us * 37 % ROWS, i);
    }
}

/* An early row and the final one: written in that order the final one stays. */
static void test_twice_the_same_id(void **state)
{
    struct batch *batch = *state;
    for (int round = 0; round < 2; round++) {
        for (int64_t id = 40; id > 0; id--) {
            struct observation o = {.packets = {(uint64_t)round, 0}};
            assert_non_null(batch_add(batch, id, &o));
        }
    }
    batch_sort(batch);
    for (uint32_t i = 0; i < 80; i++) {
        assert_int_equal(row_at(batch, i)->id, i / 2 + 1);
        assert_int_equal(row_at(batch, i)->packets[0], i % 2);
    }
}

static void check_end(const struct batch_end *end, const void *bytes, size_t length)
{
    assert_int_equal(end->length, length);
    assert_memory_equal(end->bytes, bytes, length);
}

static void test_ends_as_written(void **state)
{
    static const uint8_t v4[4] = {192, 0, 2, 7}, v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 9};
    static const uint8_t pseudonym[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct observation o = {
        .client = {.kind = ENDPOINT_PSEUDONYM, .pseudonym = UINT64_C(0x0102030405060708)},
        .server = {.kind = ENDPOINT_ADDRESS, .address = address_from_v4(v4)}};
    const struct batch_row *row = batch_add(*state, 1, &o);
    assert_non_null(row);
    check_end(&row->ends[SIDE_CLIENT], pseudonym, sizeof(pseudonym));
    check_end(&row->ends[SIDE_SERVER], v4, sizeof(v4));

    memcpy(o.server.address.bytes, v6, sizeof(v6));
    o.client.kind = ENDPOINT_NONE;
    row = batch_add(*state, 2, &o);
    assert_non_null(row);
    assert_int_equal(row->ends[SIDE_CLIENT].length, 0);
    check_end(&row->ends[SIDE_SERVER], v6, sizeof(v6));
}

static void test_evidence_is_each_row_s_own(void **state)
{
    struct batch *batch = *state;
    for (uint32_t i = 0; i < ROWS; i++) {
        struct observation o = {.evidence = {.present = i % 3 != 0, .unanswered = (uint8_t)i}};
        assert_non_null(batch_add(batch, (int64_t)(ROWS - i), &o));
    }
    batch_sort(batch);
    for (uint32_t place = 0; place < ROWS; place++) {
        const struct batch_row *row = row_at(batch, place);
        uint32_t i = ROWS - (uint32_t)row->id;
        struct observation read = {0};
        assert_int_equal(row->evidence_length > 0, i % 3 != 0);
        assert_int_equal(
            blob_decode(batch->evidence.bytes + row->evidence_at, row->evidence_length, &read),
            DL_OK);
        assert_int_equal(read.evidence.unanswered, i % 3 != 0 ? i : 0);
    }
}

static void test_cleared_is_empty(void **state)
{
    struct batch *batch = *state;
    struct observation o = {.evidence.present = true};
    assert_non_null(batch_add(batch, 5, &o));
    batch_clear(batch);
    assert_int_equal(batch->count, 0);
    const struct batch_row *row = batch_add(batch, 6, &o);
    assert_non_null(row);
    assert_int_equal(row->evidence_at, 0);
    assert_int_equal(batch->count, 1);
}

static void test_zeroed(void **state)
{
    struct batch batch = {0};
    (void)state;
    batch_finish(&batch);
    batch_finish(&batch);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_order_of_ids),     TEST(test_twice_the_same_id),
        TEST(test_ends_as_written),  TEST(test_evidence_is_each_row_s_own),
        TEST(test_cleared_is_empty), cmocka_unit_test(test_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
