// SPDX-License-Identifier: GPL-3.0-or-later
/* Frames in, frames out: what the box makes of a flow, without a network. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lab/middlebox/box.h"
#include "tests/lab/middlebox/draft.h"

#define CLIENT      "10.77.0.10"
#define SERVER      "10.78.1.10"
#define CLIENT_TTL  63
#define SERVER_TTL  64
#define CLIENT_SEQ  1000u
#define SERVER_SEQ  5000u
#define FRAMES_MAX  32
#define MILLISECOND 1000

static struct box box;
static int64_t now_us;
static struct queued out[FRAMES_MAX];
static struct packet packets[FRAMES_MAX];
static size_t out_count;

static void begin(const char *text)
{
    static char copy[1024];
    snprintf(copy, sizeof(copy), "%s", text);
    box = (struct box){.time_scale = 0.1, .line = {.delay_us = 10 * MILLISECOND, .ttl_step = 4}};
    struct dl_error error = {0};
    if (rules_parse(copy, &box.rules, &error) != DL_OK)
        fail_msg("%s", error.message);
    assert_int_equal(box_init(&box, 7), DL_OK);
    now_us = 1000000;
    out_count = 0;
}

static void end(void)
{
    for (size_t i = 0; i < out_count; i++)
        free(out[i].bytes);
    box_finish(&box);
}

/* Everything that leaves within the next `duration_us`; each of them must have right checksums. */
static void collect(int64_t duration_us)
{
    struct decoder *decoder;
    const struct queued *frame;
    assert_int_equal(decoder_create(&decoder), DL_OK);
    for (int64_t until = now_us + duration_us; now_us <= until; now_us += 100) {
        while ((frame = box_next(&box, now_us))) {
            assert_true(out_count < FRAMES_MAX);
            const struct queued *kept = &out[out_count];
            out[out_count] = *frame;
            box.leaving.bytes = NULL; /* they are ours now */
            struct frame in = {.data = kept->bytes,
                               .captured = (uint32_t)kept->length,
                               .length = (uint32_t)kept->length,
                               .link_type = 1};
            assert_int_equal(decoder_decode(decoder, &in, &packets[out_count]), DECODE_OK);
            assert_true(packet_checksums_right(kept->bytes + DRAFT_ETHERNET,
                                               kept->length - DRAFT_ETHERNET));
            out_count++;
        }
    }
    decoder_destroy(decoder);
}

static void give(enum port from, struct draft *d)
{
    static const uint8_t macs[DRAFT_MACS] = {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 2};
    struct buffer frame;
    bool up = from == PORT_NEAR;
    assert_int_equal(address_parse(up ? CLIENT : SERVER, &d->source), DL_OK);
    assert_int_equal(address_parse(up ? SERVER : CLIENT, &d->destination), DL_OK);
    d->ttl = up ? CLIENT_TTL : SERVER_TTL;
    buffer_init(&frame, 1514);
    draft_write(d, macs, &frame);
    box_take(&box, from, (uint8_t *)frame.bytes, frame.length, now_us);
    buffer_finish(&frame);
}

static void tcp(enum port from, uint8_t flags, uint32_t seq, uint32_t ack, const char *payload,
                uint16_t ip_id)
{
    bool up = from == PORT_NEAR;
    struct draft d = {.protocol = IPPROTO_TCP,
                      .ip_id = ip_id,
                      .df = !up,
                      .source_port = up ? 50000 : 3101,
                      .destination_port = up ? 3101 : 50000,
                      .seq = seq,
                      .ack = ack,
                      .tcp_flags = flags,
                      .window = up ? 502 : 509,
                      .timestamps = true,
                      .ts_value = up ? 111 : 222,
                      .ts_echo = up ? 222 : 111,
                      .payload = (const uint8_t *)payload,
                      .length = strlen(payload)};
    give(from, &d);
}

/* Up to and with the first payload of the client; forgets what was forwarded until then. */
static void open_flow(const char *payload)
{
    tcp(PORT_NEAR, TCP_SYN, CLIENT_SEQ, 0, "", 100);
    collect(11 * MILLISECOND);
    tcp(PORT_FAR, TCP_SYN | TCP_ACK, SERVER_SEQ, CLIENT_SEQ + 1, "", 9000);
    collect(11 * MILLISECOND);
    tcp(PORT_NEAR, TCP_ACK, CLIENT_SEQ + 1, SERVER_SEQ + 1, "", 101);
    collect(11 * MILLISECOND);
    for (size_t i = 0; i < out_count; i++)
        free(out[i].bytes);
    out_count = 0;
    tcp(PORT_NEAR, TCP_PSH | TCP_ACK, CLIENT_SEQ + 1, SERVER_SEQ + 1, payload, 102);
}

static void test_transparent(void **state)
{
    (void)state;
    begin("");
    tcp(PORT_NEAR, TCP_SYN, CLIENT_SEQ, 0, "", 100);
    uint8_t arp[42] = {[12] = 0x08, [13] = 0x06};
    collect(9 * MILLISECOND);
    assert_int_equal(out_count, 0);
    collect(2 * MILLISECOND);
    assert_int_equal(out_count, 1);
    assert_int_equal(out[0].port, PORT_FAR);
    assert_int_equal(packets[0].ttl, CLIENT_TTL - 4);
    assert_int_equal(packets[0].ip_id, 100);
    box_take(&box, PORT_FAR, arp, sizeof(arp), now_us);
    const struct queued *frame = box_next(&box, now_us + 11 * MILLISECOND);
    assert_non_null(frame);
    assert_int_equal(frame->port, PORT_NEAR);
    assert_int_equal(frame->length, sizeof(arp));
    end();
}

static void test_reset_that_mirrors_the_server(void **state)
{
    (void)state;
    begin("r when payload=any do reset flags=rst+ack ttl=copy ip-id=copy+1 df=copy window=copy "
          "timestamps=yes delay-ms=1");
    open_flow("hello");
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 1); /* the request is swallowed */
    const struct packet *p = &packets[0];
    assert_int_equal(out[0].port, PORT_NEAR);
    assert_int_equal(p->tcp_flags, TCP_RST | TCP_ACK);
    assert_int_equal(p->source_port, 3101);
    assert_int_equal(p->seq, SERVER_SEQ + 1);
    assert_int_equal(p->ack, CLIENT_SEQ + 1 + 5);
    assert_int_equal(p->ttl, SERVER_TTL - 4);
    assert_int_equal(p->ip_id, 9001);
    assert_true(p->flags & PACKET_DF);
    assert_int_equal(p->tcp_window, 509);
    assert_true(p->tcp_options & TCP_OPTION_TIMESTAMP);
    assert_int_equal(p->tcp_ts_echo, 111);
    tcp(PORT_NEAR, TCP_PSH | TCP_ACK, CLIENT_SEQ + 1, SERVER_SEQ + 1, "hello", 103);
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 1); /* and so is all that follows */
    end();
}

static void test_reset_that_mirrors_the_client(void **state)
{
    (void)state;
    begin("r when payload=any do reset pass=yes to=both ttl=mirror ip-id=mirror+1 df=no "
          "window=ttl+1375");
    open_flow("hello");
    collect(30 * MILLISECOND);
    assert_int_equal(out_count,
                     3); /* to the client, then the request, then to the server behind it */
    assert_int_equal(out[0].port, PORT_NEAR);
    assert_int_equal(packets[0].ttl, CLIENT_TTL);
    assert_int_equal(packets[0].ip_id, 103);
    assert_false(packets[0].flags & PACKET_DF);
    assert_int_equal(packets[0].tcp_window, CLIENT_TTL + 1375);
    assert_int_equal(packets[0].tcp_options, 0);
    assert_int_equal(packets[1].payload_length, 5);
    assert_int_equal(out[2].port, PORT_FAR);
    assert_int_equal(packets[2].tcp_flags, TCP_RST);
    assert_int_equal(packets[2].seq, CLIENT_SEQ + 1 + 5);
    assert_int_equal(packets[2].ip_id, 9001);
    end();
}

static void test_reset_beside_the_server(void **state)
{
    (void)state;
    begin("r when payload=any do reset ttl=copy-1 ip-id=copy+20000 window=mirror body=20");
    open_flow("hello");
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 1);
    assert_int_equal(packets[0].ttl, SERVER_TTL - 4 - 1);
    assert_int_equal(packets[0].ip_id, 29000);
    assert_int_equal(packets[0].tcp_window, 502);
    assert_int_equal(packets[0].tcp_flags, TCP_RST);
    assert_int_equal(packets[0].seq, SERVER_SEQ + 1);
    assert_int_equal(packets[0].payload_length, 20);
    assert_memory_equal(packets[0].payload, "this connection was ", 20);
    end();
}

static void test_copies_with_rising_numbers(void **state)
{
    (void)state;
    begin("r when payload=any do reset count=3 seq-step=1460 ack=rising flags=alternate gap-ms=1 "
          "ip-id=0 ttl=77");
    open_flow("hello");
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(packets[i].seq, SERVER_SEQ + 1 + i * 1460);
        assert_int_equal(packets[i].ack, CLIENT_SEQ + 6 + i * 1460);
        assert_int_equal(packets[i].tcp_flags, i % 2 ? TCP_RST | TCP_ACK : TCP_RST);
        assert_int_equal(packets[i].ttl, 77);
        assert_int_equal(packets[i].ip_id, 0);
    }
    end();
}

static void test_random_fingerprints(void **state)
{
    (void)state;
    begin("r when payload=any do reset count=3 gap-ms=1 ttl=random ip-id=random window=random");
    open_flow("hello");
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 3);
    for (uint32_t i = 1; i < 3; i++) /* one injector, three copies */
        assert_memory_equal(out[i].bytes, out[0].bytes, out[0].length);
    end();
    begin("r when payload=any do reset count=3 gap-ms=1 ttl=random ip-id=random redraw=yes");
    open_flow("hello");
    collect(30 * MILLISECOND);
    assert_true(packets[0].ip_id != packets[1].ip_id && packets[1].ip_id != packets[2].ip_id);
    assert_true(packets[0].ttl != packets[1].ttl || packets[1].ttl != packets[2].ttl);
    end();
}

static void test_page_for_a_host(void **state)
{
    (void)state;
    begin("p when host=example.org do page page=status fin=yes then=rst gap-ms=1");
    open_flow("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 2);
    assert_int_equal(packets[0].tcp_flags, TCP_PSH | TCP_ACK | TCP_FIN);
    assert_memory_equal(packets[0].payload, "HTTP/1.1 200 OK", 15);
    assert_int_equal(packets[1].seq, packets[0].seq + packets[0].payload_length + 1);
    end();
    begin("p when host=ample.org do page");
    open_flow("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 1); /* a suffix of letters is no suffix of names */
    assert_int_equal(out[0].port, PORT_FAR);
    end();
}

static void test_syn_answers(void **state)
{
    (void)state;
    begin("s when port=3101 do reset flags=rst+ack");
    tcp(PORT_NEAR, TCP_SYN, CLIENT_SEQ, 0, "", 100);
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 1);
    assert_int_equal(packets[0].seq, 0);
    assert_int_equal(packets[0].ack, CLIENT_SEQ + 1);
    end();
    begin("s when port=3101 do icmp code=10 from=10.78.0.9 ttl=60");
    tcp(PORT_NEAR, TCP_SYN, CLIENT_SEQ, 0, "", 100);
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 1);
    assert_int_equal(packets[0].icmp_type, 3);
    assert_int_equal(packets[0].icmp_code, 10);
    assert_true(packets[0].has_quote);
    assert_int_equal(packets[0].quote.ip_id, 100);
    assert_int_equal(packets[0].quote.source_port, 50000);
    end();
}

static void test_dropped_with_residual(void **state)
{
    (void)state;
    begin("d when payload=any do drop residual=10"); /* a tenth of it by the time scale */
    open_flow("hello");
    collect(30 * MILLISECOND);
    struct draft again = {.protocol = IPPROTO_TCP,
                          .source_port = 50001,
                          .destination_port = 3101,
                          .tcp_flags = TCP_SYN};
    give(PORT_NEAR, &again);
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 0);
    now_us += 1000000;
    again.source_port = 50002;
    give(PORT_NEAR, &again);
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 1);
    end();
}

static void test_later_moments(void **state)
{
    (void)state;
    begin("f when payload=any at=later down=10 do drop direction=down");
    open_flow("hello");
    tcp(PORT_FAR, TCP_ACK, SERVER_SEQ + 1, CLIENT_SEQ + 6, "12345", 9001);
    tcp(PORT_FAR, TCP_ACK, SERVER_SEQ + 6, CLIENT_SEQ + 6, "67890", 9002);
    tcp(PORT_NEAR, TCP_ACK, CLIENT_SEQ + 6, SERVER_SEQ + 6, "", 104);
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 3); /* the request, five bytes, and the client's acknowledgement */
    for (size_t i = 0; i < out_count; i++)
        assert_true(out[i].port == PORT_FAR || packets[i].ip_id == 9001);
    end();
}

static void test_dns_answers(void **state)
{
    (void)state;
    static const uint8_t question[] =
        "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\3www\6signal\3org\0\0\1\0\1";
    begin("d when dns=signal.org do dns-answer addresses=10.10.34.36,::1,203.82.48.83 injectors=2 "
          "pass=yes ttl=50");
    struct draft d = {.protocol = IPPROTO_UDP,
                      .source_port = 40000,
                      .destination_port = DNS_PORT,
                      .payload = question,
                      .length = sizeof(question) - 1};
    give(PORT_NEAR, &d);
    collect(30 * MILLISECOND);
    assert_int_equal(out_count, 3);
    for (size_t i = 0; i < 2; i++) {
        struct dns_message message;
        char text[ADDRESS_TEXT_SIZE];
        assert_int_equal(dns_parse(packets[i].payload, packets[i].payload_captured, &message),
                         PARSE_DONE);
        assert_true(message.complete);
        assert_int_equal(message.id, 0x1234);
        assert_int_equal(message.flags, 0x8180);
        assert_string_equal(message.name, "www.signal.org");
        assert_string_equal(address_format(&message.answers[0].addresses[0], text),
                            i ? "203.82.48.83" : "10.10.34.36");
        assert_int_equal(packets[i].ttl, 50);
    }
    assert_int_equal(out[2].port, PORT_FAR);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transparent),
        cmocka_unit_test(test_reset_that_mirrors_the_server),
        cmocka_unit_test(test_reset_that_mirrors_the_client),
        cmocka_unit_test(test_reset_beside_the_server),
        cmocka_unit_test(test_copies_with_rising_numbers),
        cmocka_unit_test(test_random_fingerprints),
        cmocka_unit_test(test_page_for_a_host),
        cmocka_unit_test(test_syn_answers),
        cmocka_unit_test(test_dropped_with_residual),
        cmocka_unit_test(test_later_moments),
        cmocka_unit_test(test_dns_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
