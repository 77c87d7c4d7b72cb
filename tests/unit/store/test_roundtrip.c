// SPDX-License-Identifier: GPL-3.0-or-later
#include "store_testing.h"

static void test_every_field(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    struct observation written[4], read;
    struct dl_error error = {0};

    testing_fill_everything(&written[0], input, 1);
    testing_fill_everything(&written[1], input, 2);
    memset(&written[1].dns, 0, sizeof(written[1].dns));
    written[1].end_us = written[1].start_us - 10;
    testing_fill_flow(&written[2], input, 3);
    written[2].client = (struct endpoint){0};
    written[2].protocol = written[2].service = written[2].host = "";
    testing_fill_flow(&written[3], input, (UINT64_C(1) << 40) - 1);
    testing_fill_dns(&written[3].dns);
    for (size_t i = 0; i < ARRAY_LENGTH(written); i++) {
        assert_int_equal(store_put(store, &written[i], &error), DL_OK);
    }
    assert_true(store_row_count(store) == ARRAY_LENGTH(written));
    assert_int_equal(store_close(store, &error), DL_OK);
    assert_false(testing_exists(testing->path, "-wal"));
    assert_false(testing_exists(testing->path, "-shm"));
    assert_false(testing_exists(testing->path, "-lock"));

    struct store_reader *reader = testing_read(testing->path);
    struct store_query query = {.with_evidence = true};
    assert_int_equal(store_reader_begin(reader, &query, &error), DL_OK);
    for (size_t i = 0; i < ARRAY_LENGTH(written); i++) {
        assert_int_equal(store_reader_next(reader, &read, &error), DL_OK);
        testing_assert_equal(&read, &written[i]);
        assert_int_equal(store_reader_get(reader, 1, written[i].packet, &read, &error), DL_OK);
        testing_assert_equal(&read, &written[i]);
    }
    assert_int_equal(store_reader_next(reader, &read, &error), DL_END);
    assert_int_equal(store_reader_next(reader, &read, &error), DL_END);
    query.with_evidence = false;
    assert_int_equal(store_reader_begin(reader, &query, &error), DL_OK);
    assert_int_equal(store_reader_next(reader, &read, &error), DL_OK);
    testing_assert_flow(&read, &written[0]);
    assert_false(read.evidence.present || read.dns.present);
    assert_int_equal(store_reader_get(reader, 1, 4, &read, &error), DL_NOT_FOUND);
    assert_int_equal(store_reader_get(reader, 2, 1, &read, &error), DL_NOT_FOUND);
    assert_int_equal(store_reader_get(reader, 0, 1, &read, &error), DL_NOT_FOUND);
    assert_int_equal(store_reader_get(reader, 1, UINT64_C(1) << 40, &read, &error), DL_NOT_FOUND);
    store_reader_close(reader);
}

static void fill_input(struct input_record *input)
{
    *input = (struct input_record){.size = 123456,
                                   .has_fingerprint = true,
                                   .has_sha256 = true,
                                   .packets = 11,
                                   .bytes = 12,
                                   .lost = 13,
                                   .first_us = TESTING_START,
                                   .last_us = TESTING_START + 14,
                                   .status = DL_TRUNCATED,
                                   .complete = true};
    snprintf(input->path, sizeof(input->path), "live:wlan0");
    memset(input->fingerprint, 0xf1, 32);
    memset(input->sha256, 0x52, 32);
    struct vantage *vantage = &input->vantage;
    snprintf(vantage->probe_id, sizeof(vantage->probe_id), "lahore-1");
    snprintf(vantage->carrier, sizeof(vantage->carrier), "mobilink");
    snprintf(vantage->country, sizeof(vantage->country), "PK");
    vantage->asn = 4200000000u;
    vantage->network = NETWORK_TRANSIT;
    vantage->position = POSITION_SERVER;
    vantage->clock = CLOCK_UNSYNCHRONISED;
    vantage->origin = ORIGIN_IMPORTED;
}

static void test_inputs_and_meta(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    struct input_record written, bare = {.path = "bare"};

    fill_input(&written);
    assert_int_equal(store_begin_input(store, &written, NULL), DL_OK);
    assert_int_equal(written.number, 1);
    written.packets = 99;
    assert_int_equal(store_update_input(store, &written, NULL), DL_OK);
    assert_int_equal(store_begin_input(store, &bare, NULL), DL_OK);
    assert_int_equal(bare.number, 2);
    bare.number = 3;
    assert_int_equal(store_update_input(store, &bare, NULL), DL_USAGE);
    assert_int_equal(store_put_meta(store, "key_epoch", "1f0c33aa", NULL), DL_OK);
    assert_int_equal(store_close(store, NULL), DL_OK);

    struct store_reader *reader = testing_read(testing->path);
    const struct input_record *read = store_reader_input(reader, 1);
    assert_int_equal(store_reader_input_count(reader), 2);
    assert_null(store_reader_input(reader, 0));
    assert_null(store_reader_input(reader, 3));
    assert_int_equal(read->number, 1);
    assert_string_equal(read->path, written.path);
    assert_memory_equal(read->fingerprint, written.fingerprint, 32);
    assert_memory_equal(read->sha256, written.sha256, 32);
    assert_true(read->has_fingerprint && read->has_sha256 && read->complete);
    assert_true(read->size == 123456 && read->packets == 99 && read->bytes == 12);
    assert_true(read->lost == 13 && read->status == DL_TRUNCATED);
    assert_true(read->first_us == written.first_us && read->last_us == written.last_us);
    assert_memory_equal(&read->vantage, &written.vantage, offsetof(struct vantage, local_networks));
    assert_false(store_reader_input(reader, 2)->has_fingerprint);
    assert_false(store_reader_input(reader, 2)->complete);
    assert_string_equal(store_reader_input_store(reader, 2), testing->path);
    assert_null(store_reader_input_store(reader, 3));
    assert_string_equal(store_reader_meta(reader, 1, "key_epoch"), "1f0c33aa");
    assert_string_equal(store_reader_meta(reader, 2, "darkline_version"), "0.1.0");
    assert_string_equal(store_reader_meta(reader, 1, "catalog_version"), "2015-11-30");
    assert_null(store_reader_meta(reader, 1, "nothing"));
    store_reader_close(reader);
}

static int check_count(void *context, const struct hour_count *count)
{
    int *seen = context;

    assert_int_equal(count->input, 1);
    assert_string_equal(count->protocol, *seen == 0 ? "" : "QUIC");
    assert_true(count->hour_us == TESTING_START && count->flows == 20);
    for (unsigned i = 0; i < 7; i++) {
        assert_true(count->failed[i] == 30 + i);
    }
    assert_true(count->packets == 40 && count->bytes == 41 && count->clients == 42);
    ++*seen;
    return DL_OK;
}

static int check_coverage(void *context, const struct coverage_record *coverage)
{
    int *seen = context;

    assert_int_equal(coverage->input, 1);
    assert_true(coverage->from_us == 50 + *seen && coverage->to_us == 60);
    assert_true(coverage->link_up == (*seen == 0));
    assert_true(coverage->packets == 70 && coverage->lost == 71);
    ++*seen;
    return DL_OK;
}

static int check_note(void *context, uint32_t input, const char *kind, uint64_t count)
{
    int *seen = context;

    assert_int_equal(input, 1);
    assert_string_equal(kind, "cut off in the link header");
    assert_true(count == 6);
    ++*seen;
    return DL_DUPLICATE; /* which ends it */
}

static void test_counts_coverage_notes(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    struct hour_count count = {
        input, TESTING_START, "QUIC", 1, {30, 31, 32, 33, 34, 35, 36}, 40, 41, 42};
    struct coverage_record coverage = {input, 50, 55, true, 70, 71};
    int seen = 0;

    assert_int_equal(store_put_count(store, &count, NULL), DL_OK);
    count.flows = 20; /* replaces */
    assert_int_equal(store_put_count(store, &count, NULL), DL_OK);
    count.protocol = "";
    assert_int_equal(store_put_count(store, &count, NULL), DL_OK);
    assert_int_equal(store_put_coverage(store, &coverage, NULL), DL_OK);
    coverage.to_us = 60; /* it grew */
    assert_int_equal(store_put_coverage(store, &coverage, NULL), DL_OK);
    coverage.from_us = 51;
    coverage.link_up = false;
    assert_int_equal(store_put_coverage(store, &coverage, NULL), DL_OK);
    assert_int_equal(store_put_note(store, input, "cut off in the link header", 5, NULL), DL_OK);
    assert_int_equal(store_put_note(store, input, "cut off in the link header", 6, NULL), DL_OK);
    assert_int_equal(store_put_note(store, input, "unknown link type", 1, NULL), DL_OK);
    assert_int_equal(store_close(store, NULL), DL_OK);

    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(store_reader_counts(reader, check_count, &seen, NULL), DL_OK);
    assert_int_equal(seen, 2);
    seen = 0;
    assert_int_equal(store_reader_coverage(reader, check_coverage, &seen, NULL), DL_OK);
    assert_int_equal(seen, 2);
    seen = 0;
    assert_int_equal(store_reader_notes(reader, check_note, &seen, NULL), DL_DUPLICATE);
    assert_int_equal(seen, 1);
    store_reader_close(reader);
}

static void test_early_row_is_replaced(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    struct observation early, final, read;

    testing_fill_flow(&early, input, 9);
    early.flags = OBSERVATION_EARLY;
    testing_fill_everything(&final, input, 9);
    assert_int_equal(store_put(store, &early, NULL), DL_OK);
    assert_int_equal(store_commit(store, true, NULL), DL_OK);
    assert_true(testing_count_rows(testing->path) == 1); /* while it is being written */
    assert_int_equal(store_put(store, &final, NULL), DL_OK);
    assert_int_equal(store_close(store, NULL), DL_OK);

    assert_true(testing_count_rows(testing->path) == 1);
    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(store_reader_get(reader, 1, 9, &read, NULL), DL_OK);
    testing_assert_equal(&read, &final);
    store_reader_close(reader);
}

/* A batch is committed when it is full, without being asked to. */
static void test_batches(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    struct observation observation;
    char host[32];

    observation.host = host;
    for (uint64_t i = 1; i < STORE_BATCH + 100; i++) {
        testing_fill_flow(&observation, input, i);
        snprintf(host, sizeof(host), "host%d.example.org", (int)i);
        observation.host = host;
        assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    }
    uint64_t visible = testing_count_rows(testing->path);
    assert_true(visible >= STORE_BATCH - 1 && visible < STORE_BATCH + 100);
    assert_int_equal(store_close(store, NULL), DL_OK);
    assert_true(testing_count_rows(testing->path) == STORE_BATCH + 99);

    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(store_reader_get(reader, 1, 7777, &observation, NULL), DL_OK);
    assert_string_equal(observation.host, "host7777.example.org");
    store_reader_close(reader);
}

/* Also after a time, so that a probe on a quiet line loses little. */
static void test_commit_by_time(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    struct observation observation;

    testing_fill_flow(&observation, input, 1);
    assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    assert_int_equal(store_commit(store, false, NULL), DL_OK);
    assert_true(testing_count_rows(testing->path) == 0);
    usleep((useconds_t)STORE_COMMIT_US + 10000);
    assert_int_equal(store_commit(store, false, NULL), DL_OK);
    assert_true(testing_count_rows(testing->path) == 1);
    assert_int_equal(store_close(store, NULL), DL_OK);
}

static void test_duplicates(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    struct input_record input = {.path = "x.pcap", .has_fingerprint = true, .fingerprint = {7}};
    struct input_record again = input;
    struct observation observation;

    assert_false(store_has_input(store, input.fingerprint));
    assert_int_equal(store_begin_input(store, &input, NULL), DL_OK);
    testing_fill_flow(&observation, input.number, 1);
    assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    assert_false(store_has_input(store, input.fingerprint));
    input.complete = true;
    assert_int_equal(store_update_input(store, &input, NULL), DL_OK);
    assert_true(store_has_input(store, input.fingerprint));
    assert_int_equal(store_begin_input(store, &again, NULL), DL_DUPLICATE);
    assert_int_equal(again.number, 0);
    assert_int_equal(store_close(store, NULL), DL_OK);

    store = testing_open(testing->path);
    assert_true(store_has_input(store, input.fingerprint));
    assert_int_equal(store_close(store, NULL), DL_OK);
}

static void test_unfinished_input_is_replaced(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    struct observation observation;
    struct hour_count count = {.hour_us = TESTING_START, .protocol = "QUIC"};
    struct coverage_record coverage = {.from_us = 1, .to_us = 2};

    uint32_t kept = testing_begin_input(store, "kept.pcap", 1);
    testing_fill_flow(&observation, kept, 5);
    assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    uint32_t lost = testing_begin_input(store, "lost.pcap", 2);
    count.input = coverage.input = lost;
    for (uint64_t i = 1; i < 50; i++) {
        testing_fill_flow(&observation, lost, i);
        assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    }
    assert_int_equal(store_put_count(store, &count, NULL), DL_OK);
    assert_int_equal(store_put_coverage(store, &coverage, NULL), DL_OK);
    assert_int_equal(store_put_note(store, lost, "something", 1, NULL), DL_OK);
    assert_int_equal(store_close(store, NULL), DL_OK);

    store = testing_open(testing->path);
    uint32_t again = testing_begin_input(store, "lost.pcap", 2);
    testing_fill_flow(&observation, again, 3);
    assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    assert_int_equal(store_close(store, NULL), DL_OK);

    int seen = 0;
    struct store_reader *reader = testing_read(testing->path);
    assert_int_equal(store_reader_input_count(reader), 2);
    assert_string_equal(store_reader_input(reader, 2)->path, "lost.pcap");
    assert_int_equal(store_reader_get(reader, 2, 3, &observation, NULL), DL_OK);
    assert_int_equal(observation.input, 2);
    assert_int_equal(store_reader_get(reader, 2, 4, &observation, NULL), DL_NOT_FOUND);
    assert_int_equal(store_reader_counts(reader, check_count, &seen, NULL), DL_OK);
    assert_int_equal(store_reader_coverage(reader, check_coverage, &seen, NULL), DL_OK);
    assert_int_equal(store_reader_notes(reader, check_note, &seen, NULL), DL_OK);
    assert_int_equal(seen, 0);
    store_reader_close(reader);
    assert_true(testing_count_rows(testing->path) == 2);
}

static void test_usage(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    struct observation observation;

    testing_fill_flow(&observation, 0, 1);
    assert_int_equal(store_put(store, &observation, NULL), DL_USAGE);
    testing_fill_flow(&observation, input + 1, 1);
    assert_int_equal(store_put(store, &observation, NULL), DL_USAGE);
    testing_fill_flow(&observation, input, UINT64_C(1) << 40);
    assert_int_equal(store_put(store, &observation, NULL), DL_USAGE);
    testing_fill_flow(&observation, input, 1); /* none of which ends the writing */
    assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    assert_int_equal(store_close(store, NULL), DL_OK);
    assert_int_equal(store_close(NULL, NULL), DL_OK);
    store_reader_close(NULL);
    assert_true(testing_count_rows(testing->path) == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, testing_setup, testing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_field),
        TEST(test_inputs_and_meta),
        TEST(test_counts_coverage_notes),
        TEST(test_early_row_is_replaced),
        TEST(test_batches),
        TEST(test_commit_by_time),
        TEST(test_duplicates),
        TEST(test_unfinished_input_is_replaced),
        TEST(test_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
