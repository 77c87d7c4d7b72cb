// SPDX-License-Identifier: GPL-3.0-or-later
#include "store_testing.h"

#include "store/store_internal.h"

/* What SQLite finds in order and we do not. */
static void test_impossible_values(void **state)
{
    const struct testing *testing = *state;
    static const char *const changes[] = {
        "UPDATE flows SET stage = 99",
        "UPDATE flows SET transport = -1",
        "UPDATE flows SET client_port = 65536",
        "UPDATE flows SET client = x'0102030405'",
        "UPDATE flows SET host = 12345",
        "UPDATE flows SET service = -1",
        "UPDATE flows SET evidence = x'01ff'",
        "UPDATE flows SET id = id + (5 << 40)",
        "UPDATE flows SET id = -id",
        "UPDATE inputs SET origin = 77",
        "UPDATE inputs SET number = 0",
        "UPDATE inputs SET country = 'Pakistan'",
        "UPDATE inputs SET fingerprint = x'00'",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++) {
        struct dl_error error = {0};
        struct store_query query = {.with_evidence = true};
        struct observation observation;
        struct store_reader *reader = NULL;
        const char *path = testing->path;
        testing_make_store(path, 1);
        testing_run_sql(path, changes[i]);
        int status = store_reader_open(&reader, &path, 1, &error);
        if (status == DL_OK) {
            status = store_reader_begin(reader, &query, &error);
        }
        if (status == DL_OK) {
            status = store_reader_next(reader, &observation, &error);
        }
        /* A flow of an input after the last is one that a writer has just begun. */
        assert_int_equal(status, strstr(changes[i], "5 << 40") ? DL_END : DL_CORRUPT);
        assert_true(status == DL_END || strstr(error.message, path));
        store_reader_close(reader);
        unlink(path);
    }
}

/* Reads and writes whatever there is; that it comes back, with a status of ours, is all. */
static int use_everything(const char *path)
{
    struct store_reader *reader = NULL;
    struct store_query query = {.with_evidence = true};
    struct observation observation;
    struct store *store = NULL;
    struct input_record input = {.path = "y.pcap", .has_fingerprint = true, .fingerprint = {9}};
    unsigned rows = 0;

    int status = store_reader_open(&reader, &path, 1, NULL);
    if (status == DL_OK) {
        status = store_reader_begin(reader, &query, NULL);
    }
    while (status == DL_OK && rows++ < 100000) {
        status = store_reader_next(reader, &observation, NULL);
    }
    store_reader_close(reader);
    if (store_open(&store, path, &testing_info, NULL) == DL_OK &&
        store_begin_input(store, &input, NULL) == DL_OK) {
        testing_fill_everything(&observation, input.number, 1);
        store_put(store, &observation, NULL);
    }
    store_close(store, NULL);
    return status;
}

static void assert_known(int status)
{
    assert_true(status == DL_END || status == DL_CORRUPT || status == DL_VERSION ||
                status == DL_LIMIT || status == -ENOMEM || status == -EIO);
}

static void test_truncated(void **state)
{
    const struct testing *testing = *state;
    size_t length;

    testing_make_store(testing->path, 300);
    uint8_t *bytes = testing_read_file(testing->path, &length);
    for (size_t part = 1; part < 40; part++) {
        testing_write_file(testing->path, bytes, part < 30 ? length * part / 30 : (part - 29) * 10);
        assert_int_equal(use_everything(testing->path), DL_CORRUPT);
    }
    free(bytes);
}

static void test_flipped_bytes(void **state)
{
    const struct testing *testing = *state;
    uint64_t random = UINT64_C(88172645463325252);
    unsigned corrupt = 0;
    size_t length;

    testing_make_store(testing->path, 300);
    uint8_t *bytes = testing_read_file(testing->path, &length);
    uint8_t *broken = malloc(length);
    for (unsigned round = 0; round < 250; round++) {
        memcpy(broken, bytes, length);
        for (unsigned i = 0; i < 1 + round; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            size_t at = (random >> 8) % length;
            if (round % 3 == 0) {
                at = at % 200 + at / 16384 * 16384 % length; /* where the headers are */
            }
            broken[at % length] ^= (uint8_t)(1u << (random & 7));
        }
        testing_write_file(testing->path, broken, length);
        int status = use_everything(testing->path);
        assert_known(status);
        corrupt += status == DL_CORRUPT;
    }
    assert_true(corrupt > 100);
    free(broken);
    free(bytes);
}

/* ---- migration ---- */

static int user_version(sqlite3 *db)
{
    int64_t version = -1;

    assert_int_equal(database_integer(db, "x", "PRAGMA user_version", &version, NULL), DL_OK);
    return (int)version;
}

static void test_migration(void **state)
{
    static const struct store_migration steps[] = {
        {1, "ALTER TABLE notes ADD COLUMN unit TEXT"},
        {2, "UPDATE notes SET unit = 'packets'"},
        {3, "UPDATE notes SET unit = 'x'; no SQL at all"},
    };
    const struct testing *testing = *state;
    int64_t count = 0;
    sqlite3 *db;

    testing_make_store(testing->path, 3);
    testing_run_sql(testing->path, "INSERT INTO notes VALUES (1, 'odd', 5)");
    assert_int_equal(database_open(&db, testing->path, "mode=rw", NULL, NULL), DL_OK);
    assert_int_equal(store_migrate(db, "x", steps, 3, 1, 3, NULL), DL_OK);
    assert_int_equal(user_version(db), 3);
    /* A step that fails leaves everything as it was, and so does one that is missing. */
    assert_int_equal(store_migrate(db, "x", steps, 3, 3, 4, NULL), DL_CORRUPT);
    assert_int_equal(store_migrate(db, "x", steps, 2, 3, 4, NULL), DL_CORRUPT);
    assert_int_equal(user_version(db), 3);
    assert_int_equal(database_integer(db, "x", "SELECT count(*) FROM notes WHERE unit = 'packets'",
                                      &count, NULL),
                     DL_OK);
    assert_int_equal(count, 1);
    sqlite3_close(db);
}

/* ---- a store of version 1, which says nothing of certificates ---- */

static void make_version_1(const char *path)
{
    testing_make_store(path, 3);
    testing_run_sql(path, "ALTER TABLE flows DROP COLUMN certificate;"
                          "ALTER TABLE flows DROP COLUMN issuer; PRAGMA user_version = 1");
}

static int64_t integer_of(const char *path, const char *sql)
{
    sqlite3 *db;
    int64_t value = -1;

    assert_int_equal(database_open(&db, path, "mode=ro", NULL, NULL), DL_OK);
    assert_int_equal(database_integer(db, path, sql, &value, NULL), DL_OK);
    sqlite3_close(db);
    return value;
}

static void test_version_1_is_read(void **state)
{
    const struct testing *testing = *state;
    struct observation observation;

    make_version_1(testing->path);
    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(store_reader_get(reader, 1, 1, &observation, NULL), DL_OK);
    assert_int_equal(observation.certificate, 0);
    assert_string_equal(observation.issuer, "");
    assert_string_equal(observation.host, "chat.signal.org");
    assert_true(observation.evidence.present);
    store_reader_close(reader);
    assert_int_equal(testing_count_rows(testing->path), 3);
    assert_int_equal(integer_of(testing->path, "PRAGMA user_version"),
                     1); /* reading changes nothing */
}

static void test_version_1_is_written(void **state)
{
    const struct testing *testing = *state;
    struct observation observation;

    make_version_1(testing->path);
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "y.pcap", 2);
    testing_fill_flow(&observation, input, 1);
    observation.issuer = "R3, Let's Encrypt";
    observation.certificate = CERTIFICATE_PRESENT;
    assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    assert_int_equal(store_close(store, NULL), DL_OK);
    assert_int_equal(integer_of(testing->path, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
    assert_int_equal(testing_count_rows(testing->path), 4);
    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(store_reader_get(reader, 1, 1, &observation, NULL), DL_OK);
    assert_int_equal(observation.certificate, 0);
    assert_true(observation.evidence.present);
    assert_int_equal(store_reader_get(reader, 2, 1, &observation, NULL), DL_OK);
    assert_string_equal(observation.issuer, "R3, Let's Encrypt");
    store_reader_close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, testing_setup, testing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_impossible_values), TEST(test_truncated),         TEST(test_flipped_bytes),
        TEST(test_migration),         TEST(test_version_1_is_read), TEST(test_version_1_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
