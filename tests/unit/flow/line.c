// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/status.h"
#include "tests/unit/flow/line.h"

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

void line_begin(struct line *line, bool knows_places)
{
    struct track_options options = {.flows_maximum = 100,
                                    .details_maximum = 4,
                                    .contents_maximum = 2,
                                    .ended = on_ended,
                                    .context = line};

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

void line_end(struct line *line)
{
    flow_table_end_all(line->tracker.table, CLOSE_END_OF_CAPTURE);
    assert_int_equal(line->tracker.evidence.taken, 0);
    assert_int_equal(line->tracker.details.taken, 0);
    tracker_finish(&line->tracker);
}

struct packet make_packet(struct line *line, enum side side, uint8_t transport)
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

bool give(struct line *line, const struct packet *packet)
{
    memset(&line->tracked, 0, sizeof(line->tracked));
    return tracker_packet(&line->tracker, packet, &line->tracked);
}

struct packet tcp(struct line *line, enum side side, uint8_t flags, uint32_t seq, uint32_t ack,
                  uint32_t length)
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

void send_tcp(struct line *line, enum side side, uint8_t flags, uint32_t seq, uint32_t ack,
              uint32_t length)
{
    struct packet packet = tcp(line, side, flags, seq, ack, length);

    assert_true(give(line, &packet));
    assert_int_equal(line->tracked.side, side);
}

void shake_hands(struct line *line)
{
    send_tcp(line, C, TCP_SYN, 0, 0, 0);
    line->now_us += 49 * MS;
    send_tcp(line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    line->now_us += 9 * MS;
    send_tcp(line, C, TCP_ACK, 1, 1, 0);
}

struct evidence *evidence_of(struct line *line)
{
    struct evidence *evidence = tracker_evidence(&line->tracker, line->tracked.flow);

    assert_non_null(evidence);
    return evidence;
}

struct details *details_of(struct line *line)
{
    return tracker_details_if_any(&line->tracker, line->tracked.flow);
}

uint64_t payload_bytes(const struct evidence_side *side)
{
    return (uint64_t)side->payload_high << 32 | side->payload_low;
}

void send_text(struct line *line, uint32_t seq, const void *text, size_t length)
{
    struct packet packet = tcp(line, S, TCP_ACK | TCP_PSH, seq, 501, (uint32_t)length);
    packet.payload = text;
    packet.payload_captured = packet.payload_length;
    assert_true(give(line, &packet));
}
