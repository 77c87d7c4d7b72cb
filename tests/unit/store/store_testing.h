// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * For the store's tests: a folder that goes with the test, and records with a different value in
 * every field.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "store/store.h"

#define TESTING_START INT64_C(1448910000000000)

struct testing {
    char folder[PATH_MAX];
    char path[PATH_MAX + 32]; /* of a store that is not there yet */
};

static const struct store_create_info testing_info = {.version = "0.1.0",
                                                      .catalog_version = "2015-11-30"};

static inline int testing_setup(void **state)
{
    struct testing *testing = calloc(1, sizeof(*testing));
    const char *parent = getenv("TMPDIR");

    snprintf(testing->folder, sizeof(testing->folder), "%s/darkline-store-XXXXXX",
             parent ? parent : "/tmp");
    if (!mkdtemp(testing->folder)) {
        free(testing);
        return -1;
    }
    chmod(testing->folder, 0777); /* some tests go on as nobody */
    snprintf(testing->path, sizeof(testing->path), "%s/a.store", testing->folder);
    *state = testing;
    return 0;
}

static inline int testing_remove(const char *path, const struct stat *info, int type,
                                 struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline int testing_teardown(void **state)
{
    struct testing *testing = *state;

    chmod(testing->folder, 0700);
    nftw(testing->folder, testing_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(testing);
    return 0;
}

static inline bool testing_exists(const char *path, const char *suffix)
{
    char name[PATH_MAX + 64];

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return access(name, F_OK) == 0;
}

static inline struct store *testing_open(const char *path)
{
    struct store *store = NULL;
    struct dl_error error = {0};

    int status = store_open(&store, path, &testing_info, &error);
    if (status != DL_OK) {
        fail_msg("%s", dl_error_text(&error, status));
    }
    return store;
}

static inline struct store_reader *testing_read(const char *path)
{
    struct store_reader *reader = NULL;
    struct dl_error error = {0};

    int status = store_reader_open(&reader, &path, 1, &error);
    if (status != DL_OK) {
        fail_msg("%s", dl_error_text(&error, status));
    }
    return reader;
}

/* What opening for reading says. */
static inline int testing_try_read(const char *path, struct dl_error *error)
{
    struct store_reader *reader = NULL;

    int status = store_reader_open(&reader, &path, 1, error);
    store_reader_close(reader);
    return status;
}

static inline uint64_t testing_count_rows(const char *path)
{
    struct store_reader *reader = testing_read(path);
    struct store_query query = {.with_evidence = true};
    struct observation observation;
    struct dl_error error = {0};
    uint64_t rows = 0;
    int status = store_reader_begin(reader, &query, &error);

    while (status == DL_OK && (status = store_reader_next(reader, &observation, &error)) == DL_OK) {
        rows++;
    }
    if (status != DL_END) {
        fail_msg("%s", dl_error_text(&error, status));
    }
    store_reader_close(reader);
    return rows;
}

static inline uint32_t testing_begin_input(struct store *store, const char *name, uint8_t mark)
{
    struct input_record input = {.has_fingerprint = true};
    struct dl_error error = {0};

    snprintf(input.path, sizeof(input.path), "%s", name);
    memset(input.fingerprint, mark, sizeof(input.fingerprint));
    int status = store_begin_input(store, &input, &error);
    if (status != DL_OK) {
        fail_msg("%s", dl_error_text(&error, status));
    }
    return input.number;
}

/* A plain flow without evidence. */
static inline void testing_fill_flow(struct observation *observation, uint32_t input,
                                     uint64_t packet)
{
    static const uint8_t server[4] = {203, 0, 113, 7};

    memset(observation, 0, sizeof(*observation));
    observation->input = input;
    observation->packet = packet;
    observation->start_us = TESTING_START + (int64_t)packet * 1000;
    observation->end_us = observation->start_us + 1500;
    observation->client.kind = ENDPOINT_PSEUDONYM;
    observation->client.pseudonym = UINT64_C(0x0123456789abcdef) + packet;
    observation->server.kind = ENDPOINT_ADDRESS;
    observation->server.address = address_from_v4(server);
    observation->server_port = 443;
    observation->transport = TRANSPORT_TCP;
    observation->protocol = "TLS";
    observation->service = "signal";
    observation->host = "chat.signal.org";
    observation->issuer = "";
}

static inline void testing_fill_side(struct side_facts *side, uint8_t base)
{
    *side = (struct side_facts){
        .ttl_first = (uint8_t)(base + 60),
        .ttl_min = (uint8_t)(base + 50),
        .ttl_max = (uint8_t)(base + 63),
        .syn_options = (uint8_t)(base + 1),
        .syn_window = 64000,
        .syn_mss = 1400,
        .syn_window_scale = 7,
        .flags = SIDE_DF | SIDE_RST | SIDE_SYN,
        .ip_id_first = 65000,
        .ip_id_last = 12,
        .ip_id_max_step = 300,
        .window_last = 501,
        .syn_retransmissions = 2,
        .ack_duplicates = 3,
        .data_retransmissions = 400,
        .out_of_order = 500,
        .first_payload_after_us = 30000u + base,
        .first_payload_length = 517,
        .first_payload_kind = PAYLOAD_HTML,
        .last_payload_after_us = 50000,
        .last_packet_after_us = UINT32_MAX,
        .payload_bytes = (UINT64_C(1) << 40) + base,
    };
}

static inline void testing_fill_suspect(struct suspect *suspect, unsigned i)
{
    *suspect = (struct suspect){
        .packet = (UINT64_C(1) << 39) + i,
        .after_us = 1000 + i,
        .trigger_after_us = UINT32_MAX - i,
        .kind = (uint8_t)(i % 6),
        .side = i & 1,
        .tcp_flags = 0x14,
        .tcp_options = 3,
        .ttl = (uint8_t)(200 + i),
        .ip_flags = 1,
        .ip_id = (uint16_t)(50000 + i),
        .window = 9999,
        .payload_length = 77,
        .seq_offset = i & 1 ? INT32_MAX : -5,
        .ack_offset = i & 1 ? INT32_MIN : 17,
        .ip_id_from_own = 40001,
        .ip_id_from_other = 40002,
        .ttl_expected = 54,
        .copies = 3,
        .own_bytes_after = 4000000000u,
        .own_after_us = 23,
        .other_bytes_after = 24 + i,
        .ack_field = (uint8_t)(i % 3),
        .ack_change = i & 1 ? -7 : INT32_MAX,
        .seq_change = i & 1 ? 1460 : -1,
        .seq_beyond_ack = i & 1 ? INT32_MIN : 3,
    };
}

static inline void testing_fill_tls(struct tls_facts *tls)
{
    tls->client_hello = tls->server_hello = tls->ech = tls->esni = tls->no_sni = true;
    tls->hello_retry = tls->handshake_done = true;
    tls->version = 0x0303;
    tls->alert_level = 2;
    tls->alert_description = 40;
    tls->alert_side = SIDE_SERVER;
    tls->alert_after_us = 98765;
    snprintf(tls->alpn, sizeof(tls->alpn), "h2");
    snprintf(tls->ja4, sizeof(tls->ja4), "t13d1516h2_8daaf6152771_b186095e22b6");
    tls->certificate.present = tls->certificate.truncated = true;
    tls->certificate.self_issued = tls->certificate.name_fits = true;
    memset(tls->certificate.subject, 's', sizeof(tls->certificate.subject) - 1);
    snprintf(tls->certificate.issuer, sizeof(tls->certificate.issuer), "CN=\"Ein Prüfer\"");
    tls->certificate.not_before_us = -12345678;
    tls->certificate.not_after_us = INT64_C(4102444800000000);
    for (size_t i = 0; i < sizeof(tls->certificate.sha256); i++) {
        tls->certificate.sha256[i] = (uint8_t)(i + 1);
    }
}

static inline void testing_fill_blockpage(struct blockpage_facts *page, uint8_t where)
{
    snprintf(page->id, sizeof(page->id), "pk-surf-safely-%d", where);
    snprintf(page->list, sizeof(page->list), "0123456789abcde%d", where);
    page->scope = BLOCKPAGE_NATION;
    page->where = where;
    page->false_positive = true;
}

static inline void testing_fill_evidence(struct evidence_facts *evidence)
{
    evidence->present = true;
    testing_fill_side(&evidence->sides[SIDE_CLIENT], 0);
    testing_fill_side(&evidence->sides[SIDE_SERVER], 100);
    evidence->handshake_rtt_us = 81000;
    evidence->ack_rtt_us = 82000;
    evidence->first_exchange_us = 83000;
    evidence->resets[0] = 1;
    evidence->resets[1] = 200;
    evidence->resets_with_ack[0] = 3;
    evidence->resets_with_ack[1] = 4;
    evidence->suspect_count = SUSPECTS_MAX;
    evidence->suspects_not_kept = 60000;
    evidence->unanswered = 9;
    evidence->unanswered_after_us = UINT32_MAX;
    for (unsigned i = 0; i < SUSPECTS_MAX; i++) {
        testing_fill_suspect(&evidence->suspects[i], i);
    }
    evidence->icmp = (struct icmp_facts){
        .present = true,
        .type = 3,
        .code = 13,
        .ip_version = 4,
        .side = SIDE_SERVER,
        .ttl = 250,
        .quoted_ttl = 5,
        .from_server = true,
        .count = 6,
        .after_us = 777,
    };
    testing_fill_tls(&evidence->tls);
    evidence->http.request = evidence->http.response = evidence->http.bare_html = true;
    evidence->http.status = 302;
    snprintf(evidence->http.method, sizeof(evidence->http.method), "GET");
    memset(evidence->http.location, 'l', sizeof(evidence->http.location) - 1);
    memset(evidence->http.title, 't', sizeof(evidence->http.title) - 1);
    testing_fill_blockpage(&evidence->http.blockpage, BLOCKPAGE_IN_TITLE);
}

static inline void testing_fill_dns(struct dns_facts *dns)
{
    dns->present = true;
    dns->qtype = 28;
    dns->id = 51234;
    dns->edns_asked = dns->over_tcp = true;
    dns->page_owner = DNS_PAGE_OF_ASKED;
    testing_fill_blockpage(&dns->blockpage, BLOCKPAGE_IN_DNS);
    dns->answer_count = DNS_FACTS_ANSWERS;
    for (unsigned i = 0; i < DNS_FACTS_ANSWERS; i++) {
        struct dns_facts_answer *answer = &dns->answers[i];
        answer->after_us = 1100 + i;
        answer->rcode = (uint8_t)(i + 1);
        answer->ip_ttl = (uint8_t)(61 + i);
        answer->flags = (uint16_t)(0x8180 + i);
        answer->ip_id = (uint16_t)(700 + i);
        answer->ip_flags = 1;
        answer->has_edns = answer->truncated = answer->complete = answer->has_ech = true;
        answer->ttl = 299 + i;
        answer->packet = 1000000 + i;
        answer->address_count = (uint8_t)(i == 3 ? DNS_FACTS_ADDRESSES : i);
        for (unsigned k = 0; k < answer->address_count; k++) {
            uint8_t v4[4] = {10, 0, (uint8_t)i, (uint8_t)k};
            answer->addresses[k] = address_from_v4(v4);
            if (k % 2) {
                memset(answer->addresses[k].bytes, (int)(0x20 + k), 16);
            }
        }
    }
}

/* Everything there is, with a different value in every field. */
static inline void testing_fill_pace(struct pace_facts *pace)
{
    memset(pace, 0, sizeof(*pace));
    pace->side = SIDE_SERVER;
    pace->segment = 1448;
    pace->first_after_us = 76997;
    pace->bin_us = 200000;
    pace->bytes_before = (UINT64_C(1) << 40) + 1;
    for (uint32_t i = 0; i < ARRAY_LENGTH(pace->lost); i++) {
        pace->lost[i] = UINT32_MAX - i;
    }
    pace->rtt_least_us = 24253;
    pace->rtt_samples = 34;
    pace->ids = 35;
    pace->ids_small = 36;
    pace->quick = 37;
    pace->quick_counted = 38;
    pace->bin_count = PACE_BINS_MAX;
    for (uint32_t i = 0; i < PACE_BINS_MAX; i++) {
        bool plain = i % 3 == 0; /* bytes alone */
        pace->bins[i].bytes = UINT32_MAX - i;
        pace->bins[i].rtt_ms = plain ? 0 : (uint16_t)(UINT16_MAX - i);
        pace->bins[i].lost = plain ? 0 : (uint8_t)(UINT8_MAX - i);
    }
    pace->loss_count = PACE_LOSSES_MAX;
    for (uint32_t i = 0; i < PACE_LOSSES_MAX; i++) { /* also backwards in time */
        pace->losses[i].after_us = i % 2 ? UINT32_MAX - i : i;
        pace->losses[i].bytes = i % 2 ? i : UINT32_MAX - i;
        pace->losses[i].rtt_ms = (uint16_t)(UINT16_MAX - i);
        pace->losses[i].segments = (uint8_t)(UINT8_MAX - i);
        pace->losses[i].how = (uint8_t)(i % 3);
    }
}

static inline void testing_fill_everything(struct observation *observation, uint32_t input,
                                           uint64_t packet)
{
    testing_fill_flow(observation, input, packet);
    observation->client.kind = ENDPOINT_ADDRESS;
    address_parse("2001:db8::17", &observation->client.address);
    observation->client.pseudonym = 0;
    observation->client_port = 65535;
    observation->server_port = 3101;
    observation->transport = TRANSPORT_ICMP;
    observation->role = ROLE_DNS;
    observation->certainty = CERTAINTY_CERTAIN;
    observation->reasons = 0xfffe;
    observation->dns_flow = (UINT64_C(1) << 40) - 1;
    observation->packets[0] = UINT64_MAX;
    observation->packets[1] = 12;
    observation->bytes[0] = 13;
    observation->bytes[1] = (UINT64_C(1) << 63) + 5;
    observation->stage = STAGE_STREAM;
    observation->close = CLOSE_END_OF_CAPTURE;
    observation->flags = 0x8001;
    observation->certificate = 0x3f;
    observation->issuer = "Example Root CA, Example Trust";
    testing_fill_evidence(&observation->evidence);
    testing_fill_dns(&observation->dns);
    testing_fill_pace(&observation->pace);
    observation->import = (struct import_facts){.present = true,
                                                .outcome = OUTCOME_FAILED,
                                                .control = OUTCOME_OK,
                                                .failure = "generic_timeout_error",
                                                .throttled = true,
                                                .voice = UINT64_MAX,
                                                .run = 77,
                                                .blockpage = {.id = "pk-page",
                                                              .list = "0123456789abcdef",
                                                              .scope = BLOCKPAGE_NATION,
                                                              .where = BLOCKPAGE_IN_TITLE,
                                                              .false_positive = true},
                                                .page_from_abroad = true};
}

static inline void testing_assert_endpoint(const struct endpoint *a, const struct endpoint *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_memory_equal(&a->address, &b->address, sizeof(a->address));
    assert_true(a->pseudonym == b->pseudonym);
}

/* The row without evidence and dns. */
static inline void testing_assert_flow(const struct observation *a, const struct observation *b)
{
    assert_int_equal(a->input, b->input);
    assert_true(a->packet == b->packet);
    assert_true(a->start_us == b->start_us);
    assert_true(a->end_us == b->end_us);
    testing_assert_endpoint(&a->client, &b->client);
    testing_assert_endpoint(&a->server, &b->server);
    assert_int_equal(a->client_port, b->client_port);
    assert_int_equal(a->server_port, b->server_port);
    assert_int_equal(a->transport, b->transport);
    assert_string_equal(a->protocol, b->protocol);
    assert_string_equal(a->service, b->service);
    assert_string_equal(a->host, b->host);
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->certainty, b->certainty);
    assert_int_equal(a->reasons, b->reasons);
    assert_true(a->dns_flow == b->dns_flow);
    for (int i = 0; i < 2; i++) {
        assert_true(a->packets[i] == b->packets[i]);
        assert_true(a->bytes[i] == b->bytes[i]);
    }
    assert_int_equal(a->stage, b->stage);
    assert_int_equal(a->close, b->close);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->certificate, b->certificate);
    assert_string_equal(a->issuer, b->issuer);
}

static inline void testing_assert_equal(const struct observation *a, const struct observation *b)
{
    testing_assert_flow(a, b);
    assert_memory_equal(&a->evidence, &b->evidence, sizeof(a->evidence));
    assert_memory_equal(&a->dns, &b->dns, sizeof(a->dns));
    assert_memory_equal(&a->pace, &b->pace, sizeof(a->pace));
    assert_memory_equal(&a->import, &b->import, sizeof(a->import));
}

/* A closed store of `rows` plain flows, one second of packet numbers apart. */
static inline void testing_make_store(const char *path, uint32_t rows)
{
    struct store *store = testing_open(path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    struct observation observation;

    for (uint32_t i = 0; i < rows; i++) {
        testing_fill_flow(&observation, input, i + 1);
        if (i % 3 == 0) {
            testing_fill_evidence(&observation.evidence);
        }
        assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    }
    assert_int_equal(store_close(store, NULL), DL_OK);
}

static inline void testing_run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    char *message = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
    sqlite3_close(db);
}

static inline void testing_write_file(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline uint8_t *testing_read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    struct stat info;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    uint8_t *bytes = malloc((size_t)info.st_size + 1);
    assert_int_equal(fread(bytes, 1, (size_t)info.st_size, file), info.st_size);
    fclose(file);
    *ret_length = (size_t)info.st_size;
    return bytes;
}
