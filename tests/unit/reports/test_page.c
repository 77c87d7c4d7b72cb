// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/store/store_testing.h"

#include "reports/report.h"

/* Pages of stores that were made for them. */

#define CLIENT_PSEUDONYM UINT64_C(0x0123456789abcdef)
#define HOSTILE          "</td><script>alert('x')</script>\xe2\x80\xae&"

static struct input_record page_input(const char *name, enum origin origin)
{
    struct input_record input = {.size = 4096,
                                 .packets = 100,
                                 .bytes = 9000,
                                 .first_us = TESTING_START,
                                 .last_us = TESTING_START + 3 * CLOCK_HOUR_US,
                                 .complete = true,
                                 .has_fingerprint = true,
                                 .vantage = {.asn = 17557, .position = POSITION_CARRIER}};
    snprintf(input.path, sizeof(input.path), "%s", name);
    snprintf(input.vantage.probe_id, sizeof(input.vantage.probe_id), "probe-1");
    snprintf(input.vantage.carrier, sizeof(input.vantage.carrier), "ptcl");
    snprintf(input.vantage.country, sizeof(input.vantage.country), "PK");
    input.vantage.origin = origin;
    input.fingerprint[0] = (uint8_t)name[0];
    return input;
}

/* A TLS flow that worked, or SYNs that nobody answered. */
static struct observation page_flow(uint64_t packet, uint64_t client, const char *service,
                                    bool works)
{
    struct observation o = {.input = 1,
                            .packet = packet,
                            .start_us = TESTING_START + (int64_t)packet * CLOCK_SECOND_US,
                            .transport = TRANSPORT_TCP,
                            .protocol = "TLS",
                            .service = service,
                            .host = "secret-name.example.org",
                            .client = {.kind = ENDPOINT_PSEUDONYM, .pseudonym = client},
                            .server = {.kind = ENDPOINT_ADDRESS},
                            .client_port = 51234,
                            .server_port = 443,
                            .certainty = CERTAINTY_CERTAIN,
                            .reasons = REASON_SNI,
                            .packets = {1, 0},
                            .bytes = {60, 0},
                            .stage = STAGE_TCP,
                            .close = CLOSE_IDLE};
    address_parse("68.171.242.18", &o.server.address);
    o.end_us = o.start_us;
    if (works) {
        o.stage = STAGE_TLS;
        o.close = CLOSE_FIN;
        o.flags = OBSERVATION_HANDSHAKE;
        o.packets[0] = o.packets[1] = 12;
        o.bytes[0] = o.bytes[1] = 6000;
    } else {
        o.evidence.present = true;
        o.evidence.sides[SIDE_CLIENT].flags = SIDE_SYN;
    }
    return o;
}

static struct store *begin_store(const char *path, const char *name, enum origin origin)
{
    struct input_record input = page_input(name, origin);
    struct store *store = testing_open(path);
    assert_int_equal(store_begin_input(store, &input, NULL), DL_OK);
    assert_int_equal(store_update_input(store, &input, NULL), DL_OK);
    return store;
}

static void put(struct store *store, const struct observation *o)
{
    assert_int_equal(store_put(store, o, NULL), DL_OK);
}

/* Writes the report of one store; the page, to be freed. */
static char *page_of(const struct testing *testing, const char *path, const char *folder)
{
    char name[PATH_MAX + 64], page[PATH_MAX + 96];
    struct store_reader *reader = testing_read(path);
    struct dl_error error = {0};
    snprintf(name, sizeof(name), "%s/%s", testing->folder, folder);
    const struct report_options options = {.folder = name,
                                           .command_line = "darkline report " HOSTILE};
    int status = report_write(reader, &options, &error);
    if (status != DL_OK)
        fail_msg("%s", dl_error_text(&error, status));
    store_reader_close(reader);
    snprintf(page, sizeof(page), "%s/index.html", name);
    FILE *file = fopen(page, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long length = ftell(file);
    assert_in_range(length, 1000, 1 << 20);
    rewind(file);
    char *bytes = calloc(1, (size_t)length + 1);
    assert_int_equal(fread(bytes, 1, (size_t)length, file), length);
    fclose(file);
    return bytes;
}

static void check_absent(const char *page, const char *const *texts)
{
    for (; *texts; texts++)
        if (strstr(page, *texts))
            fail_msg("the page holds %s", *texts);
}

static void test_privacy_and_floor(void **state)
{
    const struct testing *testing = *state;
    static const char *const absent[] = {"0123456789abcdef", "123456789abcdef", "10.9.8.7", "51234",
                                         "secret-name",      "19:00:0",         "19:00:",   NULL};
    struct store *store = begin_store(testing->path, "a.pcap", ORIGIN_FIELD);
    struct observation o = page_flow(1, CLIENT_PSEUDONYM, "signal", true);
    put(store, &o);
    o = page_flow(2, 0, "signal", true);
    o.client.kind = ENDPOINT_ADDRESS;
    address_parse("10.9.8.7", &o.client.address);
    put(store, &o);
    for (uint64_t client = 3; client < 10; client++) {
        o = page_flow(client, client, "telegram", client % 2);
        put(store, &o);
    }
    assert_int_equal(store_close(store, NULL), DL_OK);
    char *page = page_of(testing, testing->path, "report");
    check_absent(page, absent);
    assert_non_null(strstr(page, "2015-11-30 19:00"));
    assert_non_null(strstr(page, "fewer than 3 clients are behind them"));
    assert_null(strstr(page, ">signal</code>"));
    assert_non_null(strstr(page, "<td class=\"number\">7</td>"));
    assert_non_null(strstr(page, "3 of 7 (43 %"));
    assert_non_null(strstr(page, "<code>tcp.timeout</code>"));
    assert_null(strstr(page, "class=\"banner\""));
    free(page);
}

static void test_escaping(void **state)
{
    const struct testing *testing = *state;
    static const char *const absent[] = {"<script", "</td><s", "\xe2\x80\xae", "<img", NULL};
    struct store *store = begin_store(testing->path, "<img src=x>.pcap", ORIGIN_LAB);
    struct observation o = page_flow(1, 1, HOSTILE, false);
    put(store, &o);
    const struct hour_count count = {
        .input = 1, .hour_us = TESTING_START, .protocol = HOSTILE, .flows = 3};
    assert_int_equal(store_put_count(store, &count, NULL), DL_OK);
    assert_int_equal(store_put_note(store, 1, HOSTILE, 4, NULL), DL_OK);
    assert_int_equal(store_close(store, NULL), DL_OK);
    char *page = page_of(testing, testing->path, "report");
    check_absent(page, absent);
    assert_non_null(strstr(page, "class=\"banner\""));
    free(page);
}

static void test_same_bytes(void **state)
{
    const struct testing *testing = *state;
    struct store *store = begin_store(testing->path, "a.pcap", ORIGIN_FIELD);
    char service[32];
    for (uint64_t packet = 1; packet < 3000; packet++) {
        snprintf(service, sizeof(service), "service-%d", (int)(packet % 700));
        struct observation o = page_flow(packet, packet % 13, service, packet % 3 != 0);
        put(store, &o);
    }
    for (int64_t hour = 0; hour < 1000; hour++) {
        const struct hour_count count = {.input = 1,
                                         .hour_us = TESTING_START + hour * CLOCK_HOUR_US,
                                         .protocol = "TLS",
                                         .flows = 7};
        assert_int_equal(store_put_count(store, &count, NULL), DL_OK);
    }
    assert_int_equal(store_close(store, NULL), DL_OK);
    char *one = page_of(testing, testing->path, "one"),
         *two = page_of(testing, testing->path, "two");
    assert_string_equal(one, two);
    assert_non_null(strstr(one, "more rows are left out"));
    free(one);
    free(two);
}

static void test_nothing(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path);
    assert_int_equal(store_close(store, NULL), DL_OK);
    char *page = page_of(testing, testing->path, "none");
    assert_non_null(strstr(page, "nothing to tell"));
    free(page);
    assert_int_equal(unlink(testing->path), 0);
    store = begin_store(testing->path, "quiet.pcap", ORIGIN_FIELD);
    assert_int_equal(store_close(store, NULL), DL_OK);
    page = page_of(testing, testing->path, "quiet");
    assert_non_null(strstr(page, "no sign of blocking, and no sign against it"));
    free(page);
}

static void test_folder(void **state)
{
    const struct testing *testing = *state;
    struct store *store = begin_store(testing->path, "a.pcap", ORIGIN_FIELD);
    assert_int_equal(store_close(store, NULL), DL_OK);
    struct store_reader *reader = testing_read(testing->path);
    struct dl_error error = {0};
    const struct report_options onto_file = {.folder = testing->path};
    assert_int_equal(report_write(reader, &onto_file, &error), -EEXIST);
    assert_non_null(strstr(error.message, testing->path));
    const struct report_options nowhere = {.folder = "/nonexistent/deep/down"};
    assert_int_equal(report_write(reader, &nowhere, &error), -ENOENT);
    store_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_privacy_and_floor, testing_setup, testing_teardown),
        cmocka_unit_test_setup_teardown(test_escaping, testing_setup, testing_teardown),
        cmocka_unit_test_setup_teardown(test_same_bytes, testing_setup, testing_teardown),
        cmocka_unit_test_setup_teardown(test_nothing, testing_setup, testing_teardown),
        cmocka_unit_test_setup_teardown(test_folder, testing_setup, testing_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
