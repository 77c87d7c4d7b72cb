// SPDX-License-Identifier: GPL-3.0-or-later
#include "store_testing.h"

#include <sqlite3.h>

static void make_path(const struct testing *testing, unsigned number, char path[PATH_MAX + 64])
{
    snprintf(path, PATH_MAX + 64, "%s/%u.store", testing->folder, number);
}

static void put_at(struct store *store, uint32_t input, uint64_t packet, int64_t start_us,
                   const char *host)
{
    struct observation observation;

    testing_fill_flow(&observation, input, packet);
    observation.start_us = start_us;
    observation.end_us = start_us + 5;
    observation.host = host;
    assert_int_equal(store_put(store, &observation, NULL), DL_OK);
}

/* Three stores of two inputs each, whose flows lie between each other's, some at one time. */
static void make_stores(const struct testing *testing)
{
    char path[PATH_MAX + 64], host[32], name[32];

    for (unsigned s = 0; s < 3; s++) {
        make_path(testing, s, path);
        struct store *store = testing_open(path);
        assert_int_equal(store_put_meta(store, "key_epoch", s == 1 ? "b" : "a", NULL), DL_OK);
        for (unsigned i = 0; i < 2; i++) {
            snprintf(name, sizeof(name), "%u-%u.pcap", s, i);
            uint32_t input = testing_begin_input(store, name, (uint8_t)(1 + i));
            for (unsigned k = 40; k > 0; k--) { /* the last first */
                snprintf(host, sizeof(host), "host%u", k);
                put_at(store, input, k, TESTING_START + (int64_t)(k / 2 * 100 + (k + s + i) % 3),
                       host);
            }
        }
        assert_int_equal(store_close(store, NULL), DL_OK);
    }
}

static struct store_reader *open_stores(const struct testing *testing)
{
    char paths[3][PATH_MAX + 64];
    const char *names[3];
    struct store_reader *reader = NULL;

    for (unsigned s = 0; s < 3; s++) {
        make_path(testing, s, paths[s]);
        names[s] = paths[s];
    }
    assert_int_equal(store_reader_open(&reader, names, 3, NULL), DL_OK);
    return reader;
}

/* Reads a pass to its end, sees that it is in order, and returns how many rows it had. */
static unsigned check_order(struct store_reader *reader, int64_t since_us, int64_t until_us)
{
    struct store_query query = {.since_us = since_us, .until_us = until_us};
    struct observation last = {.start_us = INT64_MIN}, now;
    char host[32];
    unsigned rows = 0;
    int status;

    assert_int_equal(store_reader_begin(reader, &query, NULL), DL_OK);
    while ((status = store_reader_next(reader, &now, NULL)) == DL_OK) {
        bool later =
            now.start_us > last.start_us ||
            (now.start_us == last.start_us &&
             (now.input > last.input || (now.input == last.input && now.packet > last.packet)));
        assert_true(later);
        assert_true(!since_us || now.start_us >= since_us);
        assert_true(!until_us || now.start_us < until_us);
        snprintf(host, sizeof(host), "host%u", (unsigned)now.packet);
        assert_string_equal(now.host, host);
        last = now;
        rows++;
    }
    assert_int_equal(status, DL_END);
    return rows;
}

static void test_merged_in_order(void **state)
{
    const struct testing *testing = *state;
    struct observation observation;

    make_stores(testing);
    struct store_reader *reader = open_stores(testing);
    assert_int_equal(store_reader_input_count(reader), 6);
    assert_string_equal(store_reader_input(reader, 4)->path, "1-1.pcap");
    assert_int_equal(store_reader_input(reader, 4)->number, 4);
    assert_string_equal(store_reader_meta(reader, 4, "key_epoch"), "b");
    assert_string_equal(store_reader_meta(reader, 5, "key_epoch"), "a");
    assert_int_equal(check_order(reader, 0, 0), 240);
    assert_int_equal(check_order(reader, TESTING_START + 1000, 0), 6 * 21);
    assert_int_equal(check_order(reader, 0, TESTING_START + 1000), 6 * 19);
    assert_int_equal(check_order(reader, TESTING_START + 1000, TESTING_START + 1100), 6 * 2);
    assert_int_equal(check_order(reader, TESTING_START + 5000, 0), 0);
    assert_int_equal(store_reader_get(reader, 6, 40, &observation, NULL), DL_OK);
    assert_int_equal(observation.input, 6);
    assert_string_equal(observation.host, "host40");
    store_reader_close(reader);
}

/* Getting single flows leaves the pass and its strings alone, and so does beginning it anew. */
static void test_get_within_a_pass(void **state)
{
    const struct testing *testing = *state;
    struct store_query query = {0};
    struct observation row, other;

    make_stores(testing);
    struct store_reader *reader = open_stores(testing);
    assert_int_equal(store_reader_begin(reader, &query, NULL), DL_OK);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(store_reader_next(reader, &row, NULL), DL_OK);
        unsigned packet = (unsigned)row.packet;
        assert_int_equal(store_reader_get(reader, row.input, 41 - packet, &other, NULL), DL_OK);
        assert_string_not_equal(row.host, other.host);
        assert_int_equal(atoi(row.host + 4), packet);
    }
    assert_int_equal(check_order(reader, 0, 0), 240);
    store_reader_close(reader);
}

/* Stores of killed probes have no index: the order must be the same. */
static void test_without_index(void **state)
{
    const struct testing *testing = *state;
    char path[PATH_MAX + 64];
    sqlite3 *db;

    make_stores(testing);
    make_path(testing, 1, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP INDEX flows_start", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    struct store_reader *reader = open_stores(testing);
    assert_int_equal(check_order(reader, 0, 0), 240);
    assert_int_equal(check_order(reader, TESTING_START + 1000, TESTING_START + 1100), 6 * 2);
    store_reader_close(reader);
}

/* A reader that is open while inputs begin and rows come sees a list that fits together. */
static int64_t ask(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static const char has_index[] = "SELECT count(*) FROM sqlite_schema WHERE name = 'flows_start'";
static const char says_order[] = "SELECT count(*) FROM meta WHERE key = 'order' AND value = 'id'";

/* One more input, whose flows begin `step` apart from `start_us` on. */
static void put_input(const struct testing *testing, uint8_t mark, int64_t start_us, int64_t step)
{
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "x.pcap", mark);
    char host[32];

    for (unsigned k = 20; k > 0; k--) {
        snprintf(host, sizeof(host), "host%u", k);
        put_at(store, input, k, start_us + step * k, host);
    }
    assert_int_equal(store_close(store, NULL), DL_OK);
}

static void check_rows(const struct testing *testing, int64_t since_us, unsigned wanted)
{
    struct store_reader *reader = testing_read(testing->path);

    assert_int_equal(check_order(reader, since_us, 0), wanted);
    store_reader_close(reader);
}

static void test_in_order_needs_no_index(void **state)
{
    const struct testing *testing = *state;

    put_input(testing, 1, TESTING_START, 10);
    put_input(testing, 2, TESTING_START + 1000, 0);
    assert_int_equal(ask(testing->path, says_order), 1);
    assert_int_equal(ask(testing->path, has_index), 0);
    check_rows(testing, 0, 40);
    check_rows(testing, TESTING_START + 101, 30);
}

/* The third input began before the second. */
static void test_out_of_order_has_an_index(void **state)
{
    const struct testing *testing = *state;

    put_input(testing, 1, TESTING_START, 10);
    put_input(testing, 2, TESTING_START + 1000, 10);
    put_input(testing, 3, TESTING_START + 995, 10);
    assert_int_equal(ask(testing->path, says_order), 0);
    assert_int_equal(ask(testing->path, has_index), 1);
    check_rows(testing, 0, 60);
}

/* What a store says of itself is not believed. */
static void test_order_that_is_none(void **state)
{
    const struct testing *testing = *state;
    struct store_query query = {0};
    struct observation now;
    int status;

    put_input(testing, 1, TESTING_START, -10);
    ask(testing->path, "INSERT OR REPLACE INTO meta VALUES ('order', 'id')");
    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(store_reader_begin(reader, &query, NULL), DL_OK);
    while ((status = store_reader_next(reader, &now, NULL)) == DL_OK) {
    }
    assert_int_equal(status, DL_CORRUPT);
    store_reader_close(reader);
}

static void test_while_written(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "a", 1);

    put_at(store, input, 1, TESTING_START, "host1");
    assert_int_equal(store_commit(store, true, NULL), DL_OK);
    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(check_order(reader, 0, 0), 1);
    put_at(store, input, 2, TESTING_START + 1, "host2");
    put_at(store, testing_begin_input(store, "b", 2), 3, TESTING_START + 2, "host3");
    assert_int_equal(store_commit(store, true, NULL), DL_OK);
    assert_int_equal(check_order(reader, 0, 0), 2); /* of the inputs that it knows */
    assert_int_equal(store_close(store, NULL), DL_OK);
    assert_int_equal(check_order(reader, 0, 0), 2);
    store_reader_close(reader);
    assert_int_equal(testing_count_rows(testing->path), 3);
}

static void test_none_and_too_many(void **state)
{
    const char *paths[65];
    struct store_reader *reader = NULL;
    struct store_query query = {0};
    struct observation observation;

    (void)state;
    assert_int_equal(store_reader_open(&reader, NULL, 0, NULL), DL_OK);
    assert_int_equal(store_reader_next(reader, &observation, NULL), DL_END);
    assert_int_equal(store_reader_begin(reader, &query, NULL), DL_OK);
    assert_int_equal(store_reader_next(reader, &observation, NULL), DL_END);
    store_reader_close(reader);
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        paths[i] = "x";
    }
    assert_int_equal(store_reader_open(&reader, paths, ARRAY_LENGTH(paths), NULL), DL_LIMIT);
}

/* More names than the writer remembers: each row keeps its own. */
static void test_many_names(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    char host[32];

    for (unsigned i = 1; i <= 140000; i++) {
        snprintf(host, sizeof(host), "host%u", i);
        put_at(store, input, i, TESTING_START + i, host);
    }
    assert_int_equal(store_close(store, NULL), DL_OK);
    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(check_order(reader, 0, 0), 140000);
    store_reader_close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, testing_setup, testing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_merged_in_order),
        TEST(test_get_within_a_pass),
        TEST(test_without_index),
        TEST(test_in_order_needs_no_index),
        TEST(test_out_of_order_has_an_index),
        TEST(test_order_that_is_none),
        TEST(test_while_written),
        TEST(test_none_and_too_many),
        TEST(test_many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
