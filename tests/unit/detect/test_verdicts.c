// SPDX-License-Identifier: GPL-3.0-or-later
/* From a store to the file of its verdicts, and what is kept there. */
#include <sqlite3.h>

#include "tests/unit/detect/small_store.h"

/* ---- where the file lies ---- */

static void test_nameless(void **state)
{
    struct subject *subject = *state;

    make(subject, NULL);
    assert_int_equal(verdicts_count(subject->verdicts), ATTEMPTS);
    assert_false(testing_exists(subject->path, ""));
}

static void test_beside_the_store(void **state)
{
    struct subject *subject = *state;

    make(subject, subject->path);
    assert_int_equal(verdicts_count(subject->verdicts), ATTEMPTS);
    assert_true(testing_exists(subject->path, ""));
}

/* Made again, it holds what one pass gives. */
/* Another program's file lies there: it is left alone, and the work is done without. */
static void test_foreign_file(void **state)
{
    struct subject *subject = *state;
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(subject->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "CREATE TABLE names (id, text); INSERT INTO names VALUES (1, 'x')", NULL,
                     NULL, NULL),
        SQLITE_OK);
    make(subject, subject->path);
    assert_int_equal(verdicts_count(subject->verdicts), ATTEMPTS);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT text FROM names", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "x");
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void test_made_again(void **state)
{
    struct subject *subject = *state;

    make(subject, subject->path);
    close_verdicts(subject);
    make(subject, subject->path);
    assert_int_equal(verdicts_count(subject->verdicts), ATTEMPTS);
}

static void test_folder_that_cannot_be_written(void **state)
{
    struct subject *subject = *state;
    bool root = geteuid() == 0;

    assert_int_equal(chmod(subject->testing->folder, 0555), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    make(subject, subject->path);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(verdicts_count(subject->verdicts), ATTEMPTS);
    assert_false(testing_exists(subject->path, ""));
}

/* ---- events of earlier analyses ---- */

static int list_event(void *context, const char *rules_version, const char *event_id)
{
    char *list = context;

    snprintf(list + strlen(list), 500 - strlen(list), "%s %s\n", rules_version, event_id);
    return DL_OK;
}

static void expect_earlier(struct subject *subject, const char *wanted)
{
    char list[500] = "";
    struct dl_error error = {0};

    assert_int_equal(verdicts_earlier_events(subject->verdicts, list_event, list, &error), DL_OK);
    assert_string_equal(list, wanted);
}

static void keep(struct subject *subject, const char *first, const char *second)
{
    static struct event events[2];
    const struct analysis analysis = {.events = events, .event_count = 2};
    struct dl_error error = {0};

    snprintf(events[0].id, sizeof(events[0].id), "%s", first);
    snprintf(events[1].id, sizeof(events[1].id), "%s", second);
    assert_int_equal(verdicts_keep_events(subject->verdicts, &analysis, &error), DL_OK);
}

static void test_events_are_kept(void **state)
{
    struct subject *subject = *state;

    make(subject, subject->path);
    expect_earlier(subject, "");
    keep(subject, "jazz.a", "zong.b");
    close_verdicts(subject);
    make(subject, subject->path);
    keep(subject, "zong.b", "zong.c");
    expect_earlier(subject, VERDICTS_RULES_VERSION " jazz.a\n" VERDICTS_RULES_VERSION
                                                   " zong.b\n" VERDICTS_RULES_VERSION " zong.c\n");
}

static void test_events_of_a_nameless_file_go_with_it(void **state)
{
    struct subject *subject = *state;

    make(subject, NULL);
    keep(subject, "jazz.a", "zong.b");
    close_verdicts(subject);
    make(subject, NULL);
    expect_earlier(subject, "");
}

/* ---- as anybody reads the file ---- */

static sqlite3 *open_plainly(struct subject *subject)
{
    sqlite3 *db = NULL;

    make(subject, subject->path);
    close_verdicts(subject);
    assert_int_equal(sqlite3_open_v2(subject->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

static sqlite3_stmt *ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *row = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    return row;
}

static void test_view_columns(void **state)
{
    static const char *const columns[] = {"rules_version", "flow",        "hour",   "carrier",
                                          "service",       "family",      "client", "outcome",
                                          "certainty",     "attribution", "weight"};
    sqlite3 *db = open_plainly(*state);
    sqlite3_stmt *row = ask(db, "SELECT * FROM verdicts");
    int rows = 0;

    assert_true(sqlite3_column_count(row) >= (int)ARRAY_LENGTH(columns));
    for (int i = 0; i < (int)ARRAY_LENGTH(columns); i++)
        assert_string_equal(sqlite3_column_name(row, i), columns[i]);
    while (sqlite3_step(row) == SQLITE_ROW)
        rows++;
    assert_int_equal(rows, ATTEMPTS);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void test_view_row(void **state)
{
    sqlite3 *db = open_plainly(*state);
    sqlite3_stmt *row = ask(db, "SELECT rules_version, flow, hour, carrier, service, family,"
                                " client, outcome, certainty, attribution, weight FROM verdicts"
                                " WHERE outcome = 2 AND client = 1");

    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(row, 0), VERDICTS_RULES_VERSION);
    assert_int_equal(sqlite3_column_int64(row, 1), (INT64_C(1) << 40) + 4);
    assert_int_equal(sqlite3_column_int64(row, 2), START);
    assert_string_equal((const char *)sqlite3_column_text(row, 3), "jazz");
    assert_string_equal((const char *)sqlite3_column_text(row, 4), BES);
    assert_string_equal((const char *)sqlite3_column_text(row, 5), "tcp.timeout");
    assert_int_equal(sqlite3_column_int64(row, 6), 1);
    assert_int_equal(sqlite3_column_int64(row, 8), CERTAINTY_CERTAIN);
    assert_int_equal(sqlite3_column_int64(row, 9), ATTRIBUTION_UNKNOWN);
    assert_float_equal(sqlite3_column_double(row, 10), 0.5, 1e-9);
    assert_int_equal(sqlite3_step(row), SQLITE_DONE);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

/* The first two words of the mechanism; none of what went well. */
static void test_view_family(void **state)
{
    static const char *const families[] = {"tls.throttle", "http.blockpage", NULL};
    sqlite3 *db = open_plainly(*state);
    sqlite3_stmt *row =
        ask(db, "SELECT family FROM verdicts WHERE carrier = 'zong' ORDER BY start");

    for (size_t i = 0; i < ARRAY_LENGTH(families); i++) {
        assert_int_equal(sqlite3_step(row), SQLITE_ROW);
        const char *family = (const char *)sqlite3_column_text(row, 0);
        if (families[i])
            assert_string_equal(family, families[i]);
        else
            assert_null(family);
    }
    assert_int_equal(sqlite3_step(row), SQLITE_DONE);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nameless),
        TEST(test_beside_the_store),
        TEST(test_foreign_file),
        TEST(test_made_again),
        TEST(test_folder_that_cannot_be_written),
        TEST(test_events_are_kept),
        TEST(test_events_of_a_nameless_file_go_with_it),
        TEST(test_view_columns),
        TEST(test_view_row),
        TEST(test_view_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
