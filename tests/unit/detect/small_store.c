// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/detect/small_store.h"

static struct observation at(struct observation flow, uint64_t packet, unsigned second,
                             uint64_t client, const char *service)
{
    int64_t lasted_us = flow.end_us - flow.start_us;

    flow.input = TAP;
    flow.packet = packet;
    flow.start_us = START + second * S;
    flow.end_us = flow.start_us + lasted_us;
    flow.client.pseudonym = client;
    flow.service = service;
    flow.issuer = "";
    return flow;
}

/* A run of one target, which worked. */
static struct observation measured(uint64_t packet, unsigned second, uint64_t voice)
{
    struct observation row = {.input = IMPORTED,
                              .packet = packet,
                              .start_us = START + second * S,
                              .end_us = START + second * S,
                              .server.kind = ENDPOINT_ADDRESS,
                              .server_port = 443,
                              .transport = TRANSPORT_TCP,
                              .protocol = "",
                              .service = "signal",
                              .host = "chat.signal.org",
                              .issuer = "",
                              .certainty = CERTAINTY_CERTAIN,
                              .stage = STAGE_TLS};

    assert_int_equal(address_parse("203.0.113.7", &row.server.address), DL_OK);
    row.import.present = true;
    row.import.outcome = OUTCOME_OK;
    row.import.voice = voice;
    row.import.run = packet;
    return row;
}

static void put_input(struct store *store, const char *probe_id, const char *carrier,
                      enum origin origin)
{
    struct dl_error error = {0};
    struct input_record input = {
        .first_us = START, .last_us = START + 2 * HOUR * S, .complete = true};

    snprintf(input.path, sizeof(input.path), "%s.pcap", probe_id);
    snprintf(input.vantage.probe_id, sizeof(input.vantage.probe_id), "%s", probe_id);
    snprintf(input.vantage.carrier, sizeof(input.vantage.carrier), "%s", carrier);
    snprintf(input.vantage.country, sizeof(input.vantage.country), "PK");
    input.vantage.asn = 64500;
    input.vantage.position = POSITION_CARRIER;
    input.vantage.origin = origin;
    assert_int_equal(store_begin_input(store, &input, &error), DL_OK);
}

static void fill(const char *path)
{
    struct observation throttled = measured(1, 400, 11), page = measured(2, 500, 12);
    struct dl_error error = {0};

    throttled.import.throttled = true;
    page.stage = STAGE_HTTP;
    page.import.outcome = OUTCOME_FAILED;
    page.import.blockpage = (struct blockpage_facts){.id = "pk-surf-safely",
                                                     .list = "0123456789abcdef",
                                                     .scope = BLOCKPAGE_NATION,
                                                     .where = BLOCKPAGE_IN_TITLE};
    const struct observation rows[] = {
        at(flow_session(), 1, 10, 1, BES),
        at(flow_syns(2), 2, 20, 3, "signal"), /* it worked at the second try: one attempt */
        at(flow_session(), 3, 25, 3, "signal"),
        at(flow_syns(4), 4, 100, 1, BES),
        at(flow_syns(4), 5, 200, 2, BES),
        at(flow_connected(), 6, 300, 3, BES), /* nothing was asked */
        at(flow_session(), 7, HOUR + 50, 2, BES),
        throttled,
        page,
        measured(3, HOUR + 400, 11),
    };
    struct store *store = testing_open(path);
    put_input(store, "tap", "jazz", ORIGIN_FIELD);
    put_input(store, "people", "zong", ORIGIN_IMPORTED);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_int_equal(store_put(store, &rows[i], &error), DL_OK);
    assert_int_equal(store_close(store, &error), DL_OK);
}

int start(void **state)
{
    struct subject *subject = calloc(1, sizeof(*subject));
    void *testing = NULL;

    if (!subject || testing_setup(&testing) != 0)
        return -1;
    subject->testing = testing;
    fill(subject->testing->path);
    subject->reader = testing_read(subject->testing->path);
    snprintf(subject->path, sizeof(subject->path), "%s.verdicts", subject->testing->path);
    *state = subject;
    return 0;
}

void close_verdicts(struct subject *subject)
{
    cells_destroy(subject->cells);
    verdicts_close(subject->verdicts);
    subject->cells = NULL;
    subject->verdicts = NULL;
}

int stop(void **state)
{
    struct subject *subject = *state;
    void *testing = subject->testing;

    close_verdicts(subject);
    store_reader_close(subject->reader);
    testing_teardown(&testing);
    free(subject);
    return 0;
}

void make(struct subject *subject, const char *path)
{
    struct verdicts_options options = {.path = path};
    struct dl_error error = {0};
    int status = verdicts_make(&subject->verdicts, subject->reader, &options, &error);

    if (status != DL_OK)
        fail_msg("%s", dl_error_text(&error, status));
}
