// SPDX-License-Identifier: GPL-3.0-or-later
/* The probe as a whole: frames made by hand go in, observations come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "probe/parts.h"
#include "probe/probe.h"
#include "tests/unit/inspect/tls_samples.h"

#define LINKTYPE_RAW 101
#define START_US     INT64_C(1448000000000000)
#define SEEN_MAX     64

struct seen {
    char service[32], host[64];
    enum certainty certainty;
    uint16_t reasons, flags;
    enum stage stage;
    uint8_t alert_side, alert_description, certificate, page_owner;
    char issuer[64], page[64];
};

struct bench {
    struct catalog *catalog;
    struct fingerprints *fingerprints;
    struct probe *probe;
    struct seen seen[SEEN_MAX];
    size_t count;
    uint64_t counted;
    uint64_t number;
    int64_t now_us;
};

static int note_observation(void *context, const struct observation *o, struct dl_error *error)
{
    struct bench *bench = context;
    (void)error;
    if (bench->count == SEEN_MAX)
        return DL_OK;
    struct seen *seen = &bench->seen[bench->count++];
    snprintf(seen->service, sizeof(seen->service), "%s", o->service);
    snprintf(seen->host, sizeof(seen->host), "%s", o->host);
    seen->certainty = o->certainty;
    seen->reasons = o->reasons;
    seen->flags = o->flags;
    seen->stage = o->stage;
    seen->certificate = o->certificate;
    snprintf(seen->issuer, sizeof(seen->issuer), "%s", o->issuer);
    seen->page_owner = o->dns.page_owner;
    snprintf(seen->page, sizeof(seen->page), "%s", o->dns.blockpage.id);
    seen->alert_side = o->evidence.tls.alert_side;
    seen->alert_description = o->evidence.tls.alert_description;
    return DL_OK;
}

static int note_count(void *context, const struct hour_count *count, struct dl_error *error)
{
    struct bench *bench = context;
    (void)error;
    bench->counted += count->flows;
    return DL_OK;
}

static void bench_open_with(struct bench *bench, bool all_names, bool live,
                            struct fingerprints *fingerprints)
{
    char folder[4096];
    struct dl_error error = {0};
    *bench = (struct bench){.now_us = START_US, .fingerprints = fingerprints};
    snprintf(folder, sizeof(folder), "%s/catalog", getenv("DARKLINE_SOURCE"));
    assert_int_equal(digest_setup(), DL_OK);
    assert_int_equal(catalog_load(&bench->catalog, folder, &error), DL_OK);
    const struct probe_options options = {
        .catalog = bench->catalog,
        .fingerprints = fingerprints,
        .all_names = all_names,
        .keep_addresses = true,
        .live = live,
        .memory = PROBE_MEMORY_LEAST,
        .sink = {.context = bench, .observation = note_observation, .count = note_count}};
    assert_int_equal(probe_create(&bench->probe, &options, &error), DL_OK);
    probe_begin_input(bench->probe, 1, NULL);
}

static void bench_open(struct bench *bench, bool all_names, bool live)
{
    bench_open_with(bench, all_names, live, NULL);
}

static void bench_close(struct bench *bench)
{
    probe_destroy(bench->probe);
    catalog_destroy(bench->catalog);
    fingerprints_destroy(bench->fingerprints);
}

/* One IPv4 packet; checksums are nobody's business here. */
static void send_packet(struct bench *bench, uint8_t protocol, uint32_t source,
                        uint32_t destination, const struct buffer *transport)
{
    struct buffer packet;
    buffer_init(&packet, 4096);
    buffer_append_u16(&packet, 0x4500);
    buffer_append_u16(&packet, (uint16_t)(20 + transport->length));
    buffer_append_u32(&packet, 0x00014000);
    buffer_append_u8(&packet, 60);
    buffer_append_u8(&packet, protocol);
    buffer_append_u16(&packet, 0);
    buffer_append_u32(&packet, source);
    buffer_append_u32(&packet, destination);
    buffer_append(&packet, transport->bytes, transport->length);
    bench->now_us += 1000;
    const struct frame frame = {.data = (const uint8_t *)packet.bytes,
                                .captured = (uint32_t)packet.length,
                                .length = (uint32_t)packet.length,
                                .time_us = bench->now_us,
                                .number = ++bench->number,
                                .link_type = LINKTYPE_RAW};
    assert_int_equal(probe_frames(bench->probe, &frame, 1, NULL), DL_OK);
    buffer_finish(&packet);
}

static void send_udp(struct bench *bench, uint32_t source, uint16_t source_port,
                     uint32_t destination, uint16_t destination_port, const void *payload,
                     size_t length)
{
    struct buffer udp;
    buffer_init(&udp, 4096);
    buffer_append_u16(&udp, source_port);
    buffer_append_u16(&udp, destination_port);
    buffer_append_u16(&udp, (uint16_t)(8 + length));
    buffer_append_u16(&udp, 0);
    buffer_append(&udp, payload, length);
    send_packet(bench, 17, source, destination, &udp);
    buffer_finish(&udp);
}

static void send_tcp(struct bench *bench, bool up, uint32_t server, uint8_t flags, uint32_t seq,
                     uint32_t ack, const struct buffer *payload)
{
    const uint32_t client = 0x27310001; /* 39.49.0.1 */
    struct buffer tcp;
    buffer_init(&tcp, 4096);
    buffer_append_u16(&tcp, up ? 40000 : 443);
    buffer_append_u16(&tcp, up ? 443 : 40000);
    buffer_append_u32(&tcp, seq);
    buffer_append_u32(&tcp, ack);
    buffer_append_u8(&tcp, 0x50);
    buffer_append_u8(&tcp, flags);
    buffer_append_u16(&tcp, 65535);
    buffer_append_u32(&tcp, 0);
    if (payload)
        buffer_append(&tcp, payload->bytes, payload->length);
    send_packet(bench, 6, up ? client : server, up ? server : client, &tcp);
    buffer_finish(&tcp);
}

static void client_hello(struct buffer *hello, const char *host)
{
    size_t name = strlen(host), extension = name + 9, body = 2 + 32 + 1 + 4 + 2 + 2 + extension;
    buffer_init(hello, 1024);
    buffer_append_u8(hello, 22);
    buffer_append_u16(hello, 0x0301);
    buffer_append_u16(hello, (uint16_t)(body + 4));
    buffer_append_u32(hello, 0x01000000 | (uint32_t)body);
    buffer_append_u16(hello, 0x0303);
    for (int i = 0; i < 8; i++)
        buffer_append_u32(hello, 0x5a5a5a5a);
    buffer_append_u8(hello, 0);
    buffer_append_u32(hello, 0x00021301);
    buffer_append_u16(hello, 0x0100);
    buffer_append_u16(hello, (uint16_t)extension);
    buffer_append_u16(hello, 0);
    buffer_append_u16(hello, (uint16_t)(name + 5));
    buffer_append_u16(hello, (uint16_t)(name + 3));
    buffer_append_u8(hello, 0);
    buffer_append_u16(hello, (uint16_t)name);
    buffer_append_text(hello, host);
}

/* A handshake and a ClientHello that names `host`; the second half of it comes first. */
static void send_tls(struct bench *bench, uint32_t server, const char *host)
{
    struct buffer hello, half;
    client_hello(&hello, host);
    buffer_init(&half, 1024);
    send_tcp(bench, true, server, 2, 99, 0, NULL);
    send_tcp(bench, false, server, 18, 499, 100, NULL);
    send_tcp(bench, true, server, 16, 100, 500, NULL);
    buffer_append(&half, hello.bytes + 60, hello.length - 60);
    send_tcp(bench, true, server, 24, 160, 500, &half);
    buffer_clear(&half);
    buffer_append(&half, hello.bytes, 60);
    send_tcp(bench, true, server, 24, 100, 500, &half);
    buffer_finish(&half);
    buffer_finish(&hello);
}

static void test_tag_and_default_names(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, false, false);
    send_tls(&bench, 0x0df80101, "chat.signal.org");
    send_tls(&bench, 0x0df80102, "secret.example.net");
    assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
    assert_int_equal(bench.count, 1); /* what the catalog does not know is only counted */
    assert_string_equal(bench.seen[0].service, "signal");
    assert_string_equal(bench.seen[0].host, "chat.signal.org");
    assert_int_equal(bench.seen[0].certainty, CERTAINTY_CERTAIN);
    assert_int_equal(bench.seen[0].reasons, REASON_SNI);
    assert_int_equal(bench.seen[0].stage, STAGE_TLS);
    assert_int_equal(bench.counted, 1);
    bench_close(&bench);
}

/* The client refuses the certificate: that comes when its ClientHello is long read. */
static void test_client_alert(void **state)
{
    (void)state;
    struct bench bench;
    struct buffer alert;
    bench_open(&bench, false, false);
    send_tls(&bench, 0x0df80101, "chat.signal.org");
    buffer_init(&alert, 16);
    buffer_append(&alert, "\x15\x03\x03\0\2\2\x30", 7);
    send_tcp(&bench, true, 0x0df80101, 24, 100 + 13 + 41 + 6 + 15 + 9, 500, &alert);
    buffer_finish(&alert);
    assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
    assert_int_equal(bench.count, 1);
    assert_int_equal(bench.seen[0].alert_side, SIDE_CLIENT);
    assert_int_equal(bench.seen[0].alert_description, 48);
    bench_close(&bench);
}

/* ---- certificates ---- */

static struct seen certificate_seen(const char *host, bool all_names)
{
    struct bench bench;
    struct buffer flight;
    bench_open(&bench, all_names, false);
    send_tls(&bench, 0x0df80101, host);
    buffer_init(&flight, 4096);
    for (const char *at = sample_server_12; *at; at += 2) {
        unsigned byte = 0;
        sscanf(at, "%2x", &byte);
        buffer_append_u8(&flight, (uint8_t)byte);
    }
    send_tcp(&bench, false, 0x0df80101, 24, 500, 300, &flight);
    buffer_finish(&flight);
    assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
    assert_int_equal(bench.count, 1);
    struct seen seen = bench.seen[0];
    bench_close(&bench);
    return seen;
}

/* The sample is for chat.example.com, from 2024 to 2049; the flow is of 2015. */
static void test_certificate(void **state)
{
    (void)state;
    struct seen seen = certificate_seen("chat.signal.org", false);
    assert_int_equal(seen.certificate,
                     CERTIFICATE_PRESENT | CERTIFICATE_NAME_OTHER | CERTIFICATE_PAST);
    assert_string_equal(seen.issuer, "Example Root CA, Example Trust");
    seen = certificate_seen("chat.example.com", true);
    assert_int_equal(seen.certificate,
                     CERTIFICATE_PRESENT | CERTIFICATE_NAME_FITS | CERTIFICATE_PAST);
}

/* Of a server that anybody may run the issuer names its owner: it is not kept. */
static void test_own_authority(void **state)
{
    (void)state;
    struct seen seen = certificate_seen("ca.bbsecure.com", false);
    assert_string_equal(seen.service, "blackberry-bes");
    assert_true(seen.certificate & CERTIFICATE_OWN);
    assert_string_equal(seen.issuer, "");
    seen = certificate_seen("ca.bbsecure.com", true);
    assert_string_equal(seen.issuer, "Example Root CA, Example Trust");
}

static void test_all_names(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, true, false);
    send_tls(&bench, 0x0df80102, "secret.example.net");
    assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
    assert_int_equal(bench.count, 1);
    assert_string_equal(bench.seen[0].host, "secret.example.net");
    assert_string_equal(bench.seen[0].service, "");
    bench_close(&bench);
}

/* Live, the row comes as soon as the name is known, and once more at the end. */
static void test_early_row(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, false, true);
    send_tls(&bench, 0x0df80101, "chat.signal.org");
    assert_true(bench.count >= 1);
    assert_true(bench.seen[bench.count - 1].flags & OBSERVATION_EARLY);
    assert_string_equal(bench.seen[bench.count - 1].service, "signal");
    size_t early = bench.count;
    assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
    assert_true(bench.count > early);
    assert_false(bench.seen[bench.count - 1].flags & OBSERVATION_EARLY);
    bench_close(&bench);
}

/* A flow without any name is tagged by the answer that led to it; a name of nobody leads nowhere. */
static void test_dns_leads_to_flow(void **state)
{
    static const uint8_t answer[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0"
                                    "\4chat\6signal\3org\0\0\1\0\1"
                                    "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\x0d\xf8\1\1";
    (void)state;
    struct bench bench;
    bench_open(&bench, false, false);
    send_udp(&bench, 0x08080808, 53, 0x27310001, 5000, answer, sizeof(answer) - 1);
    send_tcp(&bench, true, 0x0df80101, 2, 99, 0, NULL); /* SYN, and nothing more */
    send_tcp(&bench, true, 0x0df80102, 2, 99, 0, NULL);
    assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
    size_t flows = 0;
    for (size_t i = 0; i < bench.count; i++) {
        assert_string_equal(bench.seen[i].service, "signal");
        assert_string_equal(bench.seen[i].host, "chat.signal.org");
        flows += bench.seen[i].stage == STAGE_TCP;
        if (bench.seen[i].stage == STAGE_TCP)
            assert_int_equal(bench.seen[i].certainty, CERTAINTY_LIKELY);
    }
    assert_int_equal(flows, 1);
    assert_int_equal(bench.count, 2);
    bench_close(&bench);
}

/* ---- addresses of block pages ---- */

static struct fingerprints *listed_address(const char *address)
{
    struct fingerprints *set = NULL;
    struct dl_error error = {0};
    char path[] = "/tmp/darkline-list-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    assert_non_null(file);
    fprintf(file,
            "name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,"
            "expected_countries,source,exp_url,notes\n"
            "t.page,nat,,dns,full,%s,5,PK,test,,\nt.other,nat,,dns,full,8.8.4.4,5,PK,test,,\n",
            address);
    fclose(file);
    assert_int_equal(fingerprints_create(&set), DL_OK);
    assert_int_equal(fingerprints_add_file(set, path, false, NULL, &error), DL_OK);
    assert_int_equal(fingerprints_build(set), DL_OK);
    unlink(path);
    return set;
}

/* Asks for a name of `labels` (length bytes) and hears 149.154.167.99, which is Telegram's. */
static struct seen page_seen(const char *labels, size_t length, const char *listed)
{
    struct bench bench;
    struct buffer answer;
    bench_open_with(&bench, true, false, listed_address(listed));
    buffer_init(&answer, 512);
    buffer_append(&answer, "\x12\x34\x81\x80\0\1\0\1\0\0\0\0", 12);
    buffer_append(&answer, labels, length);
    buffer_append(&answer, "\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\x95\x9a\xa7\x63", 21);
    send_udp(&bench, 0x08080808, 53, 0x27310001, 5000, answer.bytes, answer.length);
    buffer_finish(&answer);
    assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
    assert_int_equal(bench.count, 1);
    struct seen seen = bench.seen[0];
    bench_close(&bench);
    return seen;
}

/* Of two listed addresses the one counts that is nobody's, wherever it stands. */
static void test_page_of_nobody(void **state)
{
    (void)state;
    static const char records[2][16] = {"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\x95\x9a\xa7\x63",
                                        "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\x08\x08\x04\x04"};
    for (int first = 0; first < 2; first++) {
        struct bench bench;
        struct buffer answer;
        bench_open_with(&bench, false, false, listed_address("149.154.167.99"));
        buffer_init(&answer, 512);
        buffer_append(&answer, "\x12\x34\x81\x80\0\1\0\2\0\0\0\0", 12);
        buffer_append(&answer, "\3web\10telegram\3org\0\0\1\0\1", 22);
        buffer_append(&answer, records[first], 16);
        buffer_append(&answer, records[1 - first], 16);
        send_udp(&bench, 0x08080808, 53, 0x27310001, 5000, answer.bytes, answer.length);
        buffer_finish(&answer);
        assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
        assert_int_equal(bench.count, 1);
        assert_string_equal(bench.seen[0].page, "t.other");
        assert_int_equal(bench.seen[0].page_owner, DNS_PAGE_OF_NONE);
        bench_close(&bench);
    }
}

#define LABELS(text) text, sizeof(text) - 1

static void test_page_owner(void **state)
{
    (void)state;
    struct seen seen = page_seen(LABELS("\3web\10telegram\3org"), "149.154.167.99");
    assert_string_equal(seen.service, "telegram");
    assert_string_equal(seen.page, "t.page");
    assert_int_equal(seen.page_owner, DNS_PAGE_OF_ASKED);
    seen = page_seen(LABELS("\4chat\6signal\3org"), "149.154.167.99");
    assert_string_equal(seen.page, "t.page");
    assert_int_equal(seen.page_owner, DNS_PAGE_OF_OTHER);
    seen = page_seen(LABELS("\4chat\6signal\3org"), "149.154.167.98");
    assert_string_equal(seen.page, "");
}

/* Datagrams that nobody understands take every inspection there is: TLS is tagged all the same. */
static void test_flood(void **state)
{
    (void)state;
    struct bench bench;
    struct probe_stats stats;
    bench_open(&bench, false, false);
    for (uint32_t i = 0; i < 5000; i++)
        send_udp(&bench, 0x27320000 + i, 3000, 0x08080404, 20000, "\x99\x88\x77\x66\x55", 5);
    send_tls(&bench, 0x0df80101, "chat.signal.org");
    assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
    probe_get_stats(bench.probe, &stats);
    assert_true(stats.parts_refused > 0);
    assert_int_equal(bench.count, 1);
    assert_string_equal(bench.seen[0].service, "signal");
    assert_int_equal(bench.counted, 5000);
    bench_close(&bench);
}

/* While flows that begin are not looked into, what is known without that still tags them. */
static void test_shed(void **state)
{
    (void)state;
    struct bench bench;
    struct probe_stats stats;
    bench_open(&bench, true, false);
    probe_shed(bench.probe, true);
    send_tls(&bench, 0x01020304, "chat.signal.org");
    probe_shed(bench.probe, false);
    assert_int_equal(probe_end_input(bench.probe, NULL), DL_OK);
    probe_get_stats(bench.probe, &stats);
    assert_int_equal(stats.shed, 1);
    assert_int_equal(bench.count, 1);
    assert_string_equal(bench.seen[0].host, "");
    assert_int_equal(bench.seen[0].reasons & REASON_SNI, 0);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_alert),
        cmocka_unit_test(test_tag_and_default_names),
        cmocka_unit_test(test_all_names),
        cmocka_unit_test(test_early_row),
        cmocka_unit_test(test_page_owner),
        cmocka_unit_test(test_page_of_nobody),
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_own_authority),
        cmocka_unit_test(test_dns_leads_to_flow),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_shed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
