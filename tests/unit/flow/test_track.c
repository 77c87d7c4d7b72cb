// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/status.h"
#include "tests/unit/flow/line.h"

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
    assert_int_equal(details_of(&line)->suspects[0].suspect.own_bytes_after, 100);
    assert_int_equal(details_of(&line)->suspects[0].suspect.own_after_us, 0);
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
    /* No guess where place and port agree. */
    assert_int_equal(first_side(true, high, 5222, local, 50000, TRANSPORT_TCP, TCP_ACK, &flags), S);
    assert_true(!(flags & FLOW_CLIENT_GUESSED) && (flags & FLOW_MID_STREAM));
    assert_int_equal(first_side(true, local, 50000, high, 5222, TRANSPORT_TCP, TCP_ACK, &flags), C);
    assert_false(flags & FLOW_CLIENT_GUESSED);
    assert_int_equal(first_side(true, local, 5222, high, 50000, TRANSPORT_TCP, TCP_ACK, &flags), C);
    assert_true(flags & FLOW_CLIENT_GUESSED);
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
        assert_int_equal(details->suspects[i].suspect.seq_offset, 0);
        assert_int_equal(details->suspects[i].suspect.ack_offset, 0);
        assert_int_equal(details->suspects[i].suspect.ttl_expected, 0);
        assert_true(details->suspects[i].suspect.trigger_after_us == UINT32_MAX);
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
    assert_int_equal(details_of(&line)->suspects[0].suspect.seq_offset, 0);
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
    assert_true(details_of(&line)->suspects[0].suspect.after_us == UINT32_MAX);
    assert_int_equal(details_of(&line)->suspects[0].suspect.trigger_after_us, 0);
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
        cmocka_unit_test(test_port_reuse),
        cmocka_unit_test(test_same_syn_after_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
