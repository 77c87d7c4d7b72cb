// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/status.h"
#include "probe/flow/track.h"

#define MS         1000
#define SECOND     CLOCK_SECOND_US
#define CLIENT_ISN 1000000u
#define SERVER_ISN 0xfffffff0u /* its numbers wrap within 16 bytes */

/* A tracker, a client and a server, and the last flow that ended. */
struct line {
    struct tracker tracker;
    struct address client, server;
    uint16_t client_port, server_port, ip_id[2];
    uint8_t ttl[2];
    int64_t now_us;
    uint64_t number;
    struct tracked tracked;
    unsigned ended;
    enum close_reason reason;
    struct flow flow;
    struct evidence evidence;
    bool has_evidence;
};

static void on_ended(void *context, struct flow *flow, enum close_reason reason)
{
    struct line *line = context;
    struct evidence *evidence = tracker_evidence(&line->tracker, flow);

    line->ended++;
    line->reason = reason;
    line->flow = *flow;
    line->has_evidence = evidence != NULL;
    if (evidence) {
        line->evidence = *evidence;
    }
}

static bool is_local(void *context, const struct address *address)
{
    (void)context;
    return address_is_v4(address) && address->bytes[12] == 39;
}

static bool is_server_port(void *context, enum transport transport, uint16_t port)
{
    (void)context;
    (void)transport;
    return port == 5222;
}

static void line_begin(struct line *line, bool knows_places)
{
    struct track_options options = {
        .flows_maximum = 100, .details_maximum = 2, .ended = on_ended, .context = line};

    memset(line, 0, sizeof(*line));
    if (knows_places) {
        options.is_local = is_local;
        options.is_server_port = is_server_port;
    }
    assert_int_equal(tracker_init(&line->tracker, &options), DL_OK);
    assert_int_equal(address_parse("39.49.96.7", &line->client), DL_OK);
    assert_int_equal(address_parse("203.0.113.7", &line->server), DL_OK);
    line->client_port = 40000;
    line->server_port = 443;
    line->ip_id[SIDE_CLIENT] = 100;
    line->ip_id[SIDE_SERVER] = 7000;
    line->ttl[SIDE_CLIENT] = 63;
    line->ttl[SIDE_SERVER] = 52;
    line->now_us = INT64_C(1448900000) * SECOND;
}

static void line_end(struct line *line)
{
    flow_table_end_all(line->tracker.table, CLOSE_END_OF_CAPTURE);
    assert_int_equal(line->tracker.evidence.taken, 0);
    assert_int_equal(line->tracker.details.taken, 0);
    tracker_finish(&line->tracker);
}

static struct packet make_packet(struct line *line, enum side side, uint8_t transport)
{
    bool up = side == SIDE_CLIENT;

    return (struct packet){.time_us = line->now_us,
                           .number = ++line->number,
                           .source = up ? line->client : line->server,
                           .destination = up ? line->server : line->client,
                           .source_port = up ? line->client_port : line->server_port,
                           .destination_port = up ? line->server_port : line->client_port,
                           .transport = transport,
                           .ip_version = 4,
                           .ttl = line->ttl[side],
                           .ip_id = line->ip_id[side]++,
                           .flags = PACKET_DF,
                           .bytes = 40};
}

static bool give(struct line *line, const struct packet *packet)
{
    memset(&line->tracked, 0, sizeof(line->tracked));
    return tracker_packet(&line->tracker, packet, &line->tracked);
}

/* One TCP segment a millisecond later; `seq` and `ack` count from the sides' initial numbers. */
static struct packet tcp(struct line *line, enum side side, uint8_t flags, uint32_t seq,
                         uint32_t ack, uint32_t length)
{
    struct packet packet;

    line->now_us += MS;
    packet = make_packet(line, side, TRANSPORT_TCP);
    packet.tcp_flags = flags;
    packet.seq = seq + (side == SIDE_CLIENT ? CLIENT_ISN : SERVER_ISN);
    packet.ack = flags & TCP_ACK ? ack + (side == SIDE_CLIENT ? SERVER_ISN : CLIENT_ISN) : 0;
    packet.payload_length = length;
    packet.bytes += length;
    packet.tcp_window = 29200;
    return packet;
}

static void send_tcp(struct line *line, enum side side, uint8_t flags, uint32_t seq, uint32_t ack,
                     uint32_t length)
{
    struct packet packet = tcp(line, side, flags, seq, ack, length);

    assert_true(give(line, &packet));
    assert_int_equal(line->tracked.side, side);
}

#define C SIDE_CLIENT
#define S SIDE_SERVER

static void shake_hands(struct line *line)
{
    send_tcp(line, C, TCP_SYN, 0, 0, 0);
    line->now_us += 49 * MS;
    send_tcp(line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    line->now_us += 9 * MS;
    send_tcp(line, C, TCP_ACK, 1, 1, 0);
}

static struct evidence *evidence_of(struct line *line)
{
    struct evidence *evidence = tracker_evidence(&line->tracker, line->tracked.flow);

    assert_non_null(evidence);
    return evidence;
}

static struct details *details_of(struct line *line)
{
    return tracker_details_if_any(&line->tracker, line->tracked.flow);
}

static uint64_t payload_bytes(const struct evidence_side *side)
{
    return (uint64_t)side->payload_high << 32 | side->payload_low;
}

/* ---- the ordinary life of a flow ---- */

static void test_handshake(void **state)
{
    struct line line;
    struct packet packet;
    const struct evidence *evidence;
    const struct flow *flow;

    (void)state;
    line_begin(&line, false);
    packet = tcp(&line, C, TCP_SYN, 0, 0, 0);
    packet.number = UINT64_C(0x1234567890);
    packet.tcp_mss = 1460;
    packet.tcp_window_scale = 7;
    packet.tcp_options = TCP_OPTION_MSS | TCP_OPTION_TIMESTAMP;
    assert_true(give(&line, &packet));
    flow = line.tracked.flow;
    assert_true(line.tracked.is_new && !line.tracked.has_payload && line.tracked.side == C);
    assert_int_equal(flow->flow_class, FLOW_CLASS_OPENING);
    assert_int_equal(flow->stage, STAGE_TCP);
    assert_true(flow_packet(flow) == UINT64_C(0x1234567890));
    assert_true(address_equal(flow_address(flow, C), &line.client));
    assert_int_equal(flow_port(flow, S), 443);
    line.now_us += 49 * MS;
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    assert_ptr_equal(line.tracked.flow, flow);
    assert_false(line.tracked.is_new);
    assert_true(flow->flags & FLOW_SYN_ACK);
    assert_false(flow->flags & (FLOW_HANDSHAKE | FLOW_MID_STREAM | FLOW_CLIENT_GUESSED));
    line.now_us += 9 * MS;
    send_tcp(&line, C, TCP_ACK, 1, 1, 0);
    assert_true(flow->flags & FLOW_HANDSHAKE);
    assert_int_equal(flow->flow_class, FLOW_CLASS_ESTABLISHED);
    evidence = evidence_of(&line);
    assert_int_equal(evidence->handshake_rtt_us, 50 * MS);
    assert_int_equal(evidence->ack_rtt_us, 10 * MS);
    assert_int_equal(evidence->sides[C].syn_mss, 1460);
    assert_int_equal(evidence->sides[C].syn_window_scale, 7);
    assert_int_equal(evidence->sides[C].syn_window, 29200);
    assert_true(evidence->sides[C].flags & SIDE_SYN);
    assert_true(evidence->sides[C].flags & SIDE_TIMESTAMPS);
    assert_false(evidence->sides[S].flags & SIDE_TIMESTAMPS);
    assert_true(evidence->sides[S].flags & SIDE_SYN);
    assert_int_equal(evidence->sides[S].ttl_first, 52);
    assert_int_equal(evidence->sides[S].ip_id_first, 7000);
    assert_int_equal(evidence->sides[C].ip_id_last, 101);
    assert_int_equal(evidence->sides[C].ip_id_max_step, 1);
    assert_int_equal(flow->packets[C], 2);
    assert_int_equal(flow_bytes(flow, C), 80);
    line_end(&line);
    assert_int_equal(line.reason, CLOSE_END_OF_CAPTURE);
}

static void test_payload_and_close(void **state)
{
    struct line line;
    const struct evidence *evidence;
    const struct flow *flow;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    flow = line.tracked.flow;
    send_tcp(&line, C, TCP_ACK | TCP_PSH, 1, 1, 517);
    assert_true(line.tracked.has_payload);
    assert_false(flow->flags & FLOW_ANSWERED);
    send_tcp(&line, S, TCP_ACK | TCP_PSH, 1, 518, 1400);
    assert_true(flow->flags & FLOW_ANSWERED);
    send_tcp(&line, S, TCP_ACK | TCP_PSH, 1401, 518, 600);
    evidence = evidence_of(&line);
    assert_int_equal(evidence->sides[C].first_payload_length, 517);
    assert_int_equal(evidence->sides[C].first_payload_after_us, 61 * MS);
    assert_int_equal(evidence->sides[S].first_payload_after_us, 62 * MS);
    assert_int_equal(evidence->sides[S].last_payload_after_us, 63 * MS);
    assert_int_equal(evidence->sides[S].payload_packets, 2);
    assert_true(payload_bytes(&evidence->sides[C]) == 517);
    assert_true(payload_bytes(&evidence->sides[S]) == 2000);
    send_tcp(&line, C, TCP_FIN | TCP_ACK, 518, 2001, 0);
    assert_int_equal(flow->flow_class, FLOW_CLASS_ESTABLISHED);
    assert_true(flow->flags & FLOW_FIN_CLIENT);
    send_tcp(&line, S, TCP_FIN | TCP_ACK, 2001, 519, 0);
    assert_int_equal(flow->flow_class, FLOW_CLASS_CLOSED);
    assert_int_equal(evidence->close, CLOSE_FIN);
    send_tcp(&line, C, TCP_ACK, 519, 2002, 0);
    /* A reset after both goodbyes is nothing to look at. */
    send_tcp(&line, C, TCP_RST, 519, 0, 0);
    assert_int_equal(evidence->close, CLOSE_FIN);
    assert_null(details_of(&line));
    assert_int_equal(evidence->resets[C], 1);
    assert_int_equal(flow_table_expire(line.tracker.table, line.now_us + 10 * SECOND, 10), 1);
    assert_int_equal(line.reason, CLOSE_IDLE);
    assert_int_equal(line.evidence.close, CLOSE_FIN);
    assert_int_equal(line.evidence.sides[S].out_of_order, 0);
    assert_int_equal(line.evidence.sides[S].data_retransmissions, 0);
    line_end(&line);
}

static void test_retransmitted_syn(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    line.now_us += SECOND;
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    assert_false(line.tracked.is_new);
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    send_tcp(&line, C, TCP_ACK, 1, 1, 0);
    assert_int_equal(evidence_of(&line)->sides[C].syn_retransmissions, 1);
    assert_int_equal(evidence_of(&line)->handshake_rtt_us, 0);
    assert_int_equal(evidence_of(&line)->ack_rtt_us, MS);
    line_end(&line);
    /* A SYN-ACK sent again: the first trip is known, the second is not. */
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    line.now_us += SECOND;
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    send_tcp(&line, C, TCP_ACK, 1, 1, 0);
    assert_int_equal(evidence_of(&line)->sides[S].syn_retransmissions, 1);
    assert_int_equal(evidence_of(&line)->handshake_rtt_us, MS);
    assert_int_equal(evidence_of(&line)->ack_rtt_us, 0);
    assert_null(details_of(&line));
    line_end(&line);
}

/* Clocks of two capture queues: the ACK seems to come before the SYN-ACK. */
static void test_time_goes_back(void **state)
{
    struct line line;
    struct packet packet;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    packet = tcp(&line, C, TCP_ACK, 1, 1, 0);
    packet.time_us -= MS + 3;
    assert_true(give(&line, &packet));
    assert_int_equal(evidence_of(&line)->ack_rtt_us, 1);
    send_tcp(&line, S, TCP_RST, 1, 0, 0);
    packet = tcp(&line, S, TCP_ACK, 1, 1, 100);
    packet.time_us -= 10 * SECOND;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspects[0].own_bytes_after, 100);
    assert_int_equal(details_of(&line)->suspects[0].own_after_us, 0);
    line_end(&line);
}

/* ---- who is the client ---- */

static enum side first_side(bool knows_places, const char *source, uint16_t source_port,
                            const char *destination, uint16_t destination_port, uint8_t transport,
                            uint8_t flags, uint16_t *ret_flags)
{
    struct line line;
    struct packet packet;
    enum side side;

    line_begin(&line, knows_places);
    packet = make_packet(&line, C, transport);
    address_parse(source, &packet.source);
    address_parse(destination, &packet.destination);
    packet.source_port = source_port;
    packet.destination_port = destination_port;
    packet.tcp_flags = flags;
    assert_true(give(&line, &packet));
    side = line.tracked.side;
    *ret_flags = line.tracked.flow->flags;
    assert_true(address_equal(flow_address(line.tracked.flow, side), &packet.source));
    assert_int_equal(flow_port(line.tracked.flow, !side), destination_port);
    line_end(&line);
    return side;
}

static void test_who_is_the_client(void **state)
{
    const char *local = "39.1.2.3", *low = "8.8.8.8", *high = "203.0.113.9";
    uint16_t flags;

    (void)state;
    /* A SYN and a SYN-ACK know, whatever ports and places say. */
    assert_int_equal(first_side(true, low, 443, local, 50000, TRANSPORT_TCP, TCP_SYN, &flags), C);
    assert_false(flags & (FLOW_CLIENT_GUESSED | FLOW_MID_STREAM));
    assert_int_equal(
        first_side(true, local, 50000, high, 443, TRANSPORT_TCP, TCP_SYN | TCP_ACK, &flags), S);
    assert_false(flags & (FLOW_CLIENT_GUESSED | FLOW_MID_STREAM));
    assert_true(flags & FLOW_SYN_ACK);
    /* Mid-stream: local networks, then known ports, then the higher port. */
    assert_int_equal(first_side(true, local, 80, high, 50000, TRANSPORT_TCP, TCP_ACK, &flags), C);
    assert_true((flags & FLOW_CLIENT_GUESSED) && (flags & FLOW_MID_STREAM));
    assert_int_equal(first_side(true, high, 50000, local, 80, TRANSPORT_TCP, TCP_ACK, &flags), S);
    assert_int_equal(first_side(true, low, 2000, high, 5222, TRANSPORT_TCP, TCP_ACK, &flags), C);
    assert_int_equal(first_side(true, low, 5222, high, 2000, TRANSPORT_TCP, TCP_ACK, &flags), S);
    assert_int_equal(first_side(true, low, 2000, high, 3000, TRANSPORT_TCP, TCP_ACK, &flags), S);
    assert_int_equal(first_side(false, low, 3000, high, 2000, TRANSPORT_TCP, TCP_ACK, &flags), C);
    assert_int_equal(first_side(false, high, 2000, low, 3000, TRANSPORT_TCP, TCP_ACK, &flags), S);
    /* Datagrams: who speaks first, unless place or port says otherwise. */
    assert_int_equal(first_side(false, low, 53, high, 50000, TRANSPORT_UDP, 0, &flags), C);
    assert_false(flags & (FLOW_CLIENT_GUESSED | FLOW_MID_STREAM));
    assert_int_equal(first_side(true, high, 60000, local, 50000, TRANSPORT_UDP, 0, &flags), S);
    assert_int_equal(first_side(true, low, 5222, high, 50000, TRANSPORT_UDP, 0, &flags), S);
    assert_int_equal(first_side(true, low, 5222, high, 5222, TRANSPORT_UDP, 0, &flags), C);
    assert_int_equal(first_side(true, high, 9, local, 9, TRANSPORT_ICMP, 0, &flags), C);
}

static void test_mid_stream(void **state)
{
    struct line line;
    const struct flow *flow;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, C, TCP_ACK, 5000, 900, 100);
    flow = line.tracked.flow;
    assert_true(line.tracked.is_new && line.tracked.has_payload);
    assert_int_equal(flow->flow_class, FLOW_CLASS_OPENING);
    /* The client's acknowledgement told where the server is. */
    send_tcp(&line, S, TCP_ACK, 900, 5100, 200);
    assert_int_equal(evidence_of(&line)->sides[S].out_of_order, 0);
    send_tcp(&line, C, TCP_ACK, 5100, 1100, 0);
    assert_int_equal(flow->flow_class, FLOW_CLASS_ESTABLISHED);
    assert_false(flow->flags & FLOW_HANDSHAKE);
    assert_int_equal(evidence_of(&line)->handshake_rtt_us, 0);
    assert_true(payload_bytes(&evidence_of(&line)->sides[S]) == 200);
    assert_int_equal(evidence_of(&line)->sides[S].data_retransmissions, 0);
    line_end(&line);
}

/* A flow whose first packets are resets or goodbyes: numbers far from zero are not offsets. */
static void test_mid_stream_odd_starts(void **state)
{
    struct line line;
    struct details *details;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, S, TCP_RST | TCP_ACK, 2000, 3000, 0);
    send_tcp(&line, S, TCP_RST | TCP_ACK, 2001, 3000, 0);
    details = details_of(&line);
    assert_int_equal(details->suspect_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(details->suspects[i].seq_offset, 0);
        assert_int_equal(details->suspects[i].ack_offset, 0);
        assert_int_equal(details->suspects[i].ttl_expected, 0);
        assert_true(details->suspects[i].trigger_after_us == UINT32_MAX);
    }
    send_tcp(&line, S, TCP_ACK, 5000, 3000, 100);
    assert_false(line.tracked.has_payload); /* after a reset */
    assert_int_equal(details->suspect_count, 2);
    assert_int_equal(evidence_of(&line)->sides[S].data_retransmissions, 0);
    assert_int_equal(evidence_of(&line)->sides[S].out_of_order, 0);
    assert_true(payload_bytes(&evidence_of(&line)->sides[S]) == 100);
    send_tcp(&line, S, TCP_ACK, 5100, 3000, 100);
    assert_int_equal(evidence_of(&line)->sides[S].out_of_order, 0);
    line_end(&line);
    line_begin(&line, false);
    send_tcp(&line, S, TCP_FIN | TCP_ACK, 100, 200, 0);
    send_tcp(&line, S, TCP_RST, 101, 0, 0);
    assert_int_equal(details_of(&line)->suspects[0].seq_offset, 0);
    line_end(&line);
}

/* ---- segments in and out of order ---- */

static void test_keepalive(void **state)
{
    struct line line;
    const struct evidence_side *client;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK, 1, 1, 100);
    for (int i = 0; i < 3; i++) {
        line.now_us += 900 * SECOND;
        send_tcp(&line, C, TCP_ACK, 100, 1, i % 2 ? 0 : 1);
        assert_false(line.tracked.has_payload);
        send_tcp(&line, S, TCP_ACK, 1, 101, 0);
        assert_int_equal(flow_table_expire(line.tracker.table, line.now_us, 10), 0);
    }
    client = &evidence_of(&line)->sides[C];
    assert_int_equal(client->payload_packets, 1);
    assert_int_equal(client->data_retransmissions, 0);
    assert_int_equal(client->last_payload_after_us, 61 * MS);
    assert_true(payload_bytes(client) == 100);
    /* One byte in its place is payload. */
    send_tcp(&line, C, TCP_ACK, 101, 1, 1);
    assert_true(line.tracked.has_payload);
    assert_true(payload_bytes(client) == 101);
    line_end(&line);
}

/* The zeros that fill a short frame are nobody's bytes. */
static void test_padding(void **state)
{
    static const uint8_t zeros[7], text[6] = "hello";
    struct line line;
    struct packet packet;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    packet = tcp(&line, S, TCP_ACK, 1, 1, 6);
    packet.payload = zeros;
    packet.payload_captured = 6;
    assert_true(give(&line, &packet));
    assert_false(line.tracked.has_payload);
    assert_false(line.tracked.flow->flags & FLOW_ANSWERED);
    assert_int_equal(evidence_of(&line)->sides[S].payload_packets, 0);
    packet.payload = text;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.has_payload);
    packet = tcp(&line, S, TCP_ACK, 7, 1, 7);
    packet.payload = zeros;
    packet.payload_captured = 7;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.has_payload);
    packet = tcp(&line, S, TCP_ACK | TCP_PSH, 14, 1, 2);
    packet.payload = zeros;
    packet.payload_captured = 2;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.has_payload);
    line_end(&line);
}

static void test_retransmission_and_order(void **state)
{
    struct line line;
    const struct evidence_side *server;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, S, TCP_ACK, 1, 1, 100); /* its numbers wrap here */
    send_tcp(&line, S, TCP_ACK, 1, 1, 100);
    server = &evidence_of(&line)->sides[S];
    assert_int_equal(server->data_retransmissions, 1);
    assert_true(payload_bytes(server) == 100);
    /* Half old, half new. */
    send_tcp(&line, S, TCP_ACK, 51, 1, 100);
    assert_int_equal(server->data_retransmissions, 1);
    assert_true(payload_bytes(server) == 150);
    assert_int_equal(server->out_of_order, 0);
    send_tcp(&line, S, TCP_ACK, 251, 1, 100);
    assert_int_equal(server->out_of_order, 1);
    send_tcp(&line, S, TCP_ACK, 151, 1, 100);
    send_tcp(&line, S, TCP_ACK, 351, 1, 100);
    assert_int_equal(server->out_of_order, 1);
    assert_int_equal(server->payload_packets, 6);
    line_end(&line);
}

static void test_large_counts(void **state)
{
    struct line line;
    const struct evidence_side *server;
    uint32_t seq = 1, part = 1u << 30;
    uint64_t sum = 0;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    for (int i = 0; i < 9; i++) {
        send_tcp(&line, S, TCP_ACK, seq, 1, part);
        seq += part;
        sum += part;
    }
    server = &evidence_of(&line)->sides[S];
    assert_true(payload_bytes(server) == sum);
    assert_true(server->payload_high == 2);
    assert_true(flow_bytes(line.tracked.flow, S) == sum + 10 * 40);
    assert_int_equal(server->first_payload_length, UINT16_MAX);
    assert_int_equal(server->data_retransmissions, 0);
    for (int i = 0; i < 300; i++) {
        send_tcp(&line, S, TCP_ACK, seq + 10, 1, 1);
        seq += 11;
    }
    assert_int_equal(server->payload_packets, UINT8_MAX);
    assert_int_equal(server->out_of_order, UINT8_MAX);
    line_end(&line);
}

static void test_offsets_saturate(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    for (int i = 0; i < 3; i++) {
        line.now_us += 3000 * SECOND;
        send_tcp(&line, C, TCP_ACK, 1 + (uint32_t)i * 10, 1, 10);
    }
    assert_true(evidence_of(&line)->sides[C].last_payload_after_us == UINT32_MAX);
    assert_true(evidence_of(&line)->sides[C].last_packet_after_us == UINT32_MAX);
    send_tcp(&line, S, TCP_RST, 1, 0, 0);
    assert_true(details_of(&line)->suspects[0].after_us == UINT32_MAX);
    assert_int_equal(details_of(&line)->suspects[0].trigger_after_us, 0);
    line_end(&line);
}

/* ---- packets that deserve a look ---- */

static void test_reset_features(void **state)
{
    struct line line;
    struct packet packet;
    const struct suspect *s;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK | TCP_PSH, 1, 1, 517);
    line.now_us += 4 * MS;
    packet = tcp(&line, S, TCP_RST | TCP_ACK, 1 + 5, 518 - 3, 0);
    packet.ttl = 113;
    packet.ip_id = 6990;
    packet.flags = 0;
    packet.tcp_window = 77;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspect_count, 1);
    s = &details_of(&line)->suspects[0];
    assert_int_equal(s->kind, SUSPECT_RST);
    assert_int_equal(s->side, S);
    assert_true(s->packet == packet.number);
    assert_int_equal(s->after_us, 66 * MS);
    assert_int_equal(s->trigger_after_us, 5 * MS);
    assert_int_equal(s->tcp_flags, TCP_RST | TCP_ACK);
    assert_int_equal(s->ttl, 113);
    assert_int_equal(s->ttl_expected, 52);
    assert_int_equal(s->ip_flags, 0);
    assert_int_equal(s->ip_id, 6990);
    assert_int_equal(s->ip_id_from_own, (uint16_t)(6990 - 7000));
    assert_int_equal(s->ip_id_from_other, 6990 - 102);
    assert_int_equal(s->window, 77);
    assert_int_equal(s->seq_offset, 5);
    assert_int_equal(s->ack_offset, -3);
    assert_int_equal(evidence_of(&line)->resets[S], 1);
    assert_int_equal(evidence_of(&line)->resets_with_ack[S], 1);
    assert_int_equal(evidence_of(&line)->close, CLOSE_RESET);
    assert_int_equal(line.tracked.flow->flow_class, FLOW_CLASS_CLOSED);
    assert_true(line.tracked.flow->flags & FLOW_EVENTFUL);
    /* A reset's TTL is not the side's. */
    assert_int_equal(evidence_of(&line)->sides[S].ttl_max, 52);
    line_end(&line);
}

static void test_reset_triggers(void **state)
{
    struct line line;

    (void)state;
    /* To a SYN sent again: since the last one. */
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    line.now_us += SECOND;
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    line.now_us += 2 * MS;
    send_tcp(&line, S, TCP_RST | TCP_ACK, 0, 1, 0);
    assert_int_equal(details_of(&line)->suspects[0].trigger_after_us, 3 * MS);
    assert_int_equal(details_of(&line)->suspects[0].seq_offset, 0);
    assert_int_equal(details_of(&line)->suspects[0].ack_offset, 0);
    line_end(&line);
    /* A client's reset to a SYN-ACK: since that. */
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    line.now_us += SECOND;
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    send_tcp(&line, C, TCP_RST, 1, 0, 0);
    assert_int_equal(details_of(&line)->suspects[0].trigger_after_us, MS);
    assert_true(details_of(&line)->suspects[0].ack_offset == INT32_MIN);
    line_end(&line);
    /* After the handshake, without payload: since the SYN. */
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, S, TCP_RST, 1, 0, 0);
    assert_int_equal(details_of(&line)->suspects[0].trigger_after_us, 61 * MS);
    send_tcp(&line, C, TCP_RST, 1, 0, 0);
    assert_int_equal(details_of(&line)->suspects[1].trigger_after_us, 12 * MS);
    line_end(&line);
}

static void test_reset_copies(void **state)
{
    struct line line;
    struct packet packet;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    packet = tcp(&line, S, TCP_RST, 1, 0, 0);
    for (int i = 0; i < 3; i++) {
        packet.number++;
        assert_true(give(&line, &packet));
    }
    assert_int_equal(details_of(&line)->suspect_count, 1);
    assert_int_equal(details_of(&line)->suspects[0].copies, 2);
    packet.seq++;
    assert_true(give(&line, &packet));
    packet.ip_id++;
    assert_true(give(&line, &packet));
    packet.ttl++;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspect_count, 4);
    assert_int_equal(details_of(&line)->suspects[0].copies, 2);
    assert_int_equal(evidence_of(&line)->resets[S], 6);
    for (int i = 0; i < 300; i++) {
        packet.seq++;
        assert_true(give(&line, &packet));
    }
    assert_int_equal(details_of(&line)->suspect_count, SUSPECTS_MAX);
    assert_int_equal(details_of(&line)->suspects_not_kept, 304 - SUSPECTS_MAX);
    assert_int_equal(evidence_of(&line)->resets[S], UINT8_MAX);
    line_end(&line);
}

static void test_data_after_reset(void **state)
{
    struct line line;
    const struct suspect *s;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK, 1, 1, 500);
    send_tcp(&line, S, TCP_ACK, 1, 501, 300);
    send_tcp(&line, S, TCP_RST, 301, 0, 0);
    s = &details_of(&line)->suspects[0];
    /* What was sent before comes again: that is not beyond it. */
    send_tcp(&line, S, TCP_ACK, 1, 501, 300);
    assert_int_equal(s->own_bytes_after, 0);
    line.now_us += 9 * MS;
    send_tcp(&line, S, TCP_ACK, 301, 501, 1000);
    assert_false(line.tracked.has_payload);
    send_tcp(&line, S, TCP_ACK, 1301, 501, 200);
    send_tcp(&line, C, TCP_ACK, 501, 1501, 40);
    assert_int_equal(s->own_bytes_after, 1200);
    assert_int_equal(s->own_after_us, 12 * MS);
    assert_int_equal(s->other_bytes_after, 40);
    line_end(&line);
}

/* What was in flight at the reset and is sent again later is no new word. */
static void test_flight_after_reset(void **state)
{
    struct line line;
    const struct suspect *s;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK, 1, 1, 500);
    send_tcp(&line, S, TCP_RST, 1, 0, 0);
    s = &details_of(&line)->suspects[0];
    send_tcp(&line, S, TCP_ACK, 1, 501, 1000);
    assert_int_equal(s->own_bytes_after, 1000);
    assert_int_equal(s->own_after_us, 1 * MS);
    line.now_us += 900 * MS;
    send_tcp(&line, S, TCP_ACK, 1, 501, 1000);
    assert_int_equal(s->own_bytes_after, 1000);
    assert_int_equal(s->own_after_us, 1 * MS);
    line_end(&line);
}

static void send_text(struct line *line, uint32_t seq, const char *text)
{
    struct packet packet = tcp(line, S, TCP_ACK | TCP_PSH, seq, 501, (unsigned)strlen(text));
    packet.payload = (const uint8_t *)text;
    packet.payload_captured = packet.payload_length;
    assert_true(give(line, &packet));
}

static void test_two_contents(void **state)
{
    static const char page[] =
        "HTTP/1.1 302 Found\r\nLocation: http://10.10.34.34/\r\n\r\n..........";
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9000\r\n\r\n";
    char spoiled[sizeof(page)];
    struct line line;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK, 1, 1, 500);
    send_text(&line, 1, page);
    send_text(&line, 1, page); /* the same again */
    memcpy(spoiled, page, sizeof(page));
    spoiled[20] ^= 0x40; /* a transmission error */
    send_text(&line, 1, spoiled);
    send_text(&line, 1, "HTTP/1.1 200 OK"); /* too short to tell */
    send_text(&line, 1 + (uint32_t)strlen(page), answer);
    assert_null(details_of(&line));
    send_text(&line, 1, answer);
    assert_non_null(details_of(&line));
    const struct suspect *s = &details_of(&line)->suspects[0];
    assert_int_equal(s->kind, SUSPECT_OVERLAP);
    assert_int_equal(s->side, S);
    assert_int_equal(s->length_before, strlen(page));
    assert_int_equal(s->payload_length, strlen(answer));
    assert_true(s->content != 0 && s->content_before != 0 && s->content != s->content_before);
    line_end(&line);
}

static void test_fin_with_data(void **state)
{
    struct line line;
    const struct suspect *s;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK, 1, 1, 200);
    send_tcp(&line, S, TCP_ACK | TCP_FIN | TCP_PSH, 1, 201, 300);
    s = &details_of(&line)->suspects[0];
    assert_int_equal(s->kind, SUSPECT_FIN_DATA);
    assert_int_equal(s->payload_length, 300);
    assert_int_equal(s->seq_offset, 0);
    assert_int_equal(s->own_bytes_after, 0);
    /* The page again is the page; the true answer goes beyond it. */
    send_tcp(&line, S, TCP_ACK | TCP_FIN | TCP_PSH, 1, 201, 300);
    assert_int_equal(s->own_bytes_after, 0);
    send_tcp(&line, S, TCP_ACK, 1, 201, 1400);
    assert_int_equal(s->own_bytes_after, 1400 - 300 - 1);
    assert_int_equal(details_of(&line)->suspect_count, 1);
    line_end(&line);
    /* A FIN with a later payload is ordinary. */
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, S, TCP_ACK, 1, 1, 100);
    send_tcp(&line, S, TCP_ACK | TCP_FIN, 101, 1, 100);
    assert_null(details_of(&line));
    line_end(&line);
}

static void test_foreign_ttl(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, S, TCP_ACK, 1, 1, 100);
    line.ttl[S] = 54;
    send_tcp(&line, S, TCP_ACK, 101, 1, 100);
    assert_null(details_of(&line));
    line.ttl[S] = 120;
    send_tcp(&line, S, TCP_ACK, 201, 1, 100);
    assert_int_equal(details_of(&line)->suspects[0].kind, SUSPECT_TTL);
    assert_int_equal(details_of(&line)->suspects[0].ttl_expected, 54);
    /* Once is enough: from here on the side has several. */
    line.ttl[S] = 54;
    send_tcp(&line, S, TCP_ACK, 301, 1, 100);
    assert_int_equal(details_of(&line)->suspect_count, 1);
    line_end(&line);
}

static void test_second_syn_ack(void **state)
{
    struct line line;
    struct packet packet;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    packet = tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    packet.seq = 0x12345678;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspects[0].kind, SUSPECT_SYN_ACK);
    line_end(&line);
    /* The forged one came first and is answered already. */
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, S, TCP_ACK, 1, 1, 100);
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    assert_null(details_of(&line));
    packet = tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    packet.seq = 0x12345678;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspects[0].kind, SUSPECT_SYN_ACK);
    line_end(&line);
}

/* Parts are bounded: what finds none is counted, and the flow goes on. */
static void test_bounded_details(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    for (uint16_t i = 0; i < 5; i++) {
        line.client_port = (uint16_t)(30000 + i);
        shake_hands(&line);
        send_tcp(&line, S, TCP_RST, 1, 0, 0);
        assert_true((details_of(&line) != NULL) == (i < 2));
        assert_true(((line.tracked.flow->flags & FLOW_EVENTFUL) != 0) == (i < 2));
        assert_int_equal(evidence_of(&line)->resets[S], 1);
    }
    assert_int_equal(line.tracker.details_refused, 3);
    line_end(&line);
}

static void test_without_evidence(void **state)
{
    struct line line;
    struct flow *flow;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    flow = line.tracked.flow;
    send_tcp(&line, S, TCP_RST, 1, 0, 0);
    tracker_drop_evidence(&line.tracker, flow);
    assert_false(flow->flags & FLOW_EVENTFUL);
    assert_null(tracker_evidence(&line.tracker, flow));
    assert_null(tracker_details(&line.tracker, flow));
    assert_int_equal(line.tracker.details.taken, 0);
    send_tcp(&line, C, TCP_ACK, 1, 1, 100);
    send_tcp(&line, S, TCP_ACK | TCP_FIN, 1, 101, 100);
    send_tcp(&line, C, TCP_ACK | TCP_FIN, 101, 102, 0);
    send_tcp(&line, C, TCP_RST, 102, 0, 0);
    assert_int_equal(flow->packets[C], 5);
    assert_true(tracker_give_evidence(&line.tracker, flow));
    assert_non_null(tracker_evidence(&line.tracker, flow));
    line_end(&line);
}

/* ---- one 5-tuple, several flows ---- */

static void test_port_reuse(void **state)
{
    struct line line;
    struct packet packet;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_FIN | TCP_ACK, 1, 1, 0);
    send_tcp(&line, S, TCP_FIN | TCP_ACK, 1, 2, 0);
    packet = tcp(&line, C, TCP_SYN, 0, 0, 0);
    packet.seq = 99999999;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.is_new);
    assert_int_equal(line.ended, 1);
    assert_int_equal(line.evidence.close, CLOSE_FIN);
    assert_int_equal(line.tracked.flow->packets[C], 1);
    line_end(&line);
    /* Also when nobody said goodbye, after a while; a stray SYN at once changes nothing. */
    line_begin(&line, false);
    shake_hands(&line);
    packet = tcp(&line, C, TCP_SYN, 0, 0, 0);
    packet.seq = 99999999;
    assert_true(give(&line, &packet));
    assert_false(line.tracked.is_new);
    line.now_us += 2 * SECOND;
    packet.time_us = line.now_us;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.is_new);
    line_end(&line);
    /* Another SYN before any answer is another try. */
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    packet = tcp(&line, C, TCP_SYN, 0, 0, 0);
    packet.seq = 99999999;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.is_new);
    line_end(&line);
}

static void test_same_syn_after_reset(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    send_tcp(&line, S, TCP_RST | TCP_ACK, 0, 1, 0);
    line.now_us += SECOND;
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    assert_false(line.tracked.is_new);
    assert_int_equal(evidence_of(&line)->sides[C].syn_retransmissions, 1);
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    assert_int_equal(evidence_of(&line)->handshake_rtt_us, 0);
    assert_int_equal(details_of(&line)->suspect_count, 1);
    assert_int_equal(line.ended, 0);
    line_end(&line);
}

/* ---- ICMP errors ---- */

static struct packet make_error(struct line *line, enum side quoted, uint8_t protocol)
{
    struct packet packet = make_packet(line, !quoted, TRANSPORT_ICMP);
    struct packet other = make_packet(line, quoted, TRANSPORT_TCP);

    packet.has_quote = true;
    packet.icmp_type = 3;
    packet.icmp_code = 13;
    packet.quote = (struct packet_quote){.source = other.source,
                                         .destination = other.destination,
                                         .source_port = other.source_port,
                                         .destination_port = other.destination_port,
                                         .protocol = protocol,
                                         .ttl = 5};
    return packet;
}

static void test_icmp_error(void **state)
{
    struct line line;
    struct packet packet;
    const struct icmp_facts *icmp;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    line.now_us += 7 * MS;
    packet = make_error(&line, C, IPPROTO_TCP);
    assert_int_equal(address_parse("198.51.100.1", &packet.source), DL_OK);
    packet.ttl = 61;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.icmp_error && !line.tracked.has_payload && !line.tracked.is_new);
    assert_int_equal(line.tracked.side, C);
    icmp = &details_of(&line)->icmp;
    assert_true(icmp->present && !icmp->from_server);
    assert_int_equal(icmp->type, 3);
    assert_int_equal(icmp->code, 13);
    assert_int_equal(icmp->ip_version, 4);
    assert_int_equal(icmp->side, C);
    assert_int_equal(icmp->ttl, 61);
    assert_int_equal(icmp->quoted_ttl, 5);
    assert_int_equal(icmp->after_us, 7 * MS);
    packet.icmp_code = 1;
    assert_true(give(&line, &packet));
    assert_int_equal(icmp->count, 2);
    assert_int_equal(icmp->code, 13);
    assert_int_equal(line.tracked.flow->packets[S], 0);
    /* About another flow, or another protocol with the same ports: nobody's. */
    packet.quote.destination_port++;
    assert_false(give(&line, &packet));
    packet = make_error(&line, C, IPPROTO_UDP);
    assert_false(give(&line, &packet));
    assert_int_equal(line.tracker.icmp_unmatched, 2);
    assert_int_equal(flow_table_count(line.tracker.table), 1);
    line_end(&line);
}

static void test_icmp_error_of_datagrams(void **state)
{
    struct line line;
    struct packet packet;

    (void)state;
    line_begin(&line, false);
    packet = make_packet(&line, C, TRANSPORT_UDP);
    assert_true(give(&line, &packet));
    packet = make_error(&line, C, IPPROTO_UDP);
    assert_true(give(&line, &packet));
    assert_true(details_of(&line)->icmp.from_server);
    line_end(&line);
    line_begin(&line, false);
    packet = make_packet(&line, C, TRANSPORT_ICMP);
    assert_true(give(&line, &packet));
    packet = make_error(&line, S, IPPROTO_ICMPV6);
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->icmp.side, S);
    packet = make_error(&line, C, IPPROTO_GRE);
    assert_false(give(&line, &packet));
    line_end(&line);
}

static void test_datagrams(void **state)
{
    struct line line;
    struct packet packet;
    const struct evidence *evidence;

    (void)state;
    line_begin(&line, false);
    packet = make_packet(&line, C, TRANSPORT_UDP);
    packet.payload_length = 1200;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.is_new && line.tracked.has_payload);
    assert_int_equal(line.tracked.flow->flow_class, FLOW_CLASS_DATAGRAM);
    line.now_us += 30 * MS;
    packet = make_packet(&line, S, TRANSPORT_UDP);
    packet.payload_length = 900;
    packet.flags = 0;
    packet.ip_id = 0;
    assert_true(give(&line, &packet));
    assert_int_equal(line.tracked.side, S);
    assert_true(line.tracked.flow->flags & FLOW_ANSWERED);
    evidence = evidence_of(&line);
    assert_true(payload_bytes(&evidence->sides[C]) == 1200);
    assert_int_equal(evidence->sides[S].first_payload_after_us, 30 * MS);
    assert_true(evidence->sides[S].flags == (SIDE_NO_DF | SIDE_IP_ID_ZERO));
    assert_true(evidence->sides[C].flags == SIDE_DF);
    line_end(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_payload_and_close),
        cmocka_unit_test(test_retransmitted_syn),
        cmocka_unit_test(test_time_goes_back),
        cmocka_unit_test(test_who_is_the_client),
        cmocka_unit_test(test_mid_stream),
        cmocka_unit_test(test_mid_stream_odd_starts),
        cmocka_unit_test(test_keepalive),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_retransmission_and_order),
        cmocka_unit_test(test_large_counts),
        cmocka_unit_test(test_offsets_saturate),
        cmocka_unit_test(test_reset_features),
        cmocka_unit_test(test_reset_triggers),
        cmocka_unit_test(test_reset_copies),
        cmocka_unit_test(test_data_after_reset),
        cmocka_unit_test(test_flight_after_reset),
        cmocka_unit_test(test_two_contents),
        cmocka_unit_test(test_fin_with_data),
        cmocka_unit_test(test_foreign_ttl),
        cmocka_unit_test(test_second_syn_ack),
        cmocka_unit_test(test_bounded_details),
        cmocka_unit_test(test_without_evidence),
        cmocka_unit_test(test_port_reuse),
        cmocka_unit_test(test_same_syn_after_reset),
        cmocka_unit_test(test_icmp_error),
        cmocka_unit_test(test_icmp_error_of_datagrams),
        cmocka_unit_test(test_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
