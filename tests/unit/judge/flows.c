// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/judge/flows.h"

static struct address address_of(const char *text)
{
    struct address address;
    assert_int_equal(address_parse(text, &address), 0);
    return address;
}

static struct observation base_flow(enum transport transport)
{
    return (struct observation){
        .input = 1,
        .packet = 7,
        .start_us = START,
        .end_us = START,
        .client = {.kind = ENDPOINT_PSEUDONYM, .pseudonym = 1},
        .server = {.kind = ENDPOINT_ADDRESS, .address = address_of("68.171.242.18")},
        .client_port = 40000,
        .server_port = 443,
        .transport = transport,
        .protocol = "",
        .service = "blackberry-bes",
        .host = "gb.bbsecure.com",
        .certainty = CERTAINTY_CERTAIN,
        .evidence.present = true};
}

void flow_sent(struct observation *o, enum side side, uint32_t after_us, unsigned payload)
{
    struct side_facts *own = &o->evidence.sides[side];
    o->packets[side]++;
    o->bytes[side] += 52 + payload;
    own->last_packet_after_us = after_us;
    if (payload && !own->payload_bytes) {
        own->first_payload_after_us = after_us;
        own->first_payload_length = (uint16_t)payload;
    }
    if (payload)
        own->last_payload_after_us = after_us;
    own->payload_bytes += payload;
    if (o->start_us + after_us > o->end_us)
        o->end_us = o->start_us + after_us;
}

struct observation flow_syns(unsigned count)
{
    struct observation o = base_flow(TRANSPORT_TCP);
    o.stage = STAGE_TCP;
    o.close = CLOSE_IDLE;
    o.flags = OBSERVATION_ONE_SIDED; /* literally: no packet of the other side */
    o.evidence.sides[SIDE_CLIENT].flags |= SIDE_SYN;
    for (unsigned i = 0; i < count; i++)
        flow_sent(&o, SIDE_CLIENT, i * 1000 * MS, 0);
    o.evidence.sides[SIDE_CLIENT].syn_retransmissions = (uint8_t)(count - 1);
    return o;
}

struct observation flow_connected(void)
{
    struct observation o = flow_syns(1);
    o.flags = OBSERVATION_HANDSHAKE;
    flow_sent(&o, SIDE_SERVER, 50 * MS, 0);
    flow_sent(&o, SIDE_CLIENT, 51 * MS, 0);
    o.evidence.sides[SIDE_SERVER].flags |= SIDE_SYN;
    o.evidence.handshake_rtt_us = 50 * MS;
    o.evidence.ack_rtt_us = 1 * MS;
    return o;
}

void flow_reset(struct observation *o, enum side side, uint32_t after_us, bool with_ack)
{
    struct evidence_facts *e = &o->evidence;
    e->suspects[e->suspect_count++] = (struct suspect){
        .kind = SUSPECT_RST, .side = (uint8_t)side, .after_us = after_us, .packet = 99};
    e->resets[side]++;
    e->resets_with_ack[side] += with_ack;
    e->sides[side].flags |= SIDE_RST;
    o->packets[side]++;
    o->bytes[side] += 40;
    o->close = CLOSE_RESET;
    if (o->start_us + after_us > o->end_us)
        o->end_us = o->start_us + after_us;
}

void flow_fin(struct observation *o, enum side side, uint32_t after_us)
{
    flow_sent(o, side, after_us, 0);
    o->evidence.sides[side].flags |= SIDE_FIN;
}

struct observation flow_hello(bool named)
{
    struct observation o = flow_connected();
    flow_sent(&o, SIDE_CLIENT, 60 * MS, 517);
    o.stage = STAGE_TLS;
    o.evidence.tls.client_hello = true;
    o.evidence.tls.no_sni = !named;
    o.evidence.sides[SIDE_CLIENT].first_payload_kind = PAYLOAD_TLS_CLIENT_HELLO;
    return o;
}

struct observation flow_server_hello(void)
{
    struct observation o = flow_hello(true);
    flow_sent(&o, SIDE_SERVER, 110 * MS, 3000);
    o.evidence.sides[SIDE_SERVER].first_payload_kind = PAYLOAD_TLS_SERVER_HELLO;
    o.evidence.tls.server_hello = true;
    return o;
}

struct observation flow_session(void)
{
    struct observation o = flow_server_hello();
    o.evidence.tls.handshake_done = true;
    flow_sent(&o, SIDE_CLIENT, 120 * MS, 300);
    flow_sent(&o, SIDE_SERVER, 180 * MS, 900);
    return o;
}

struct observation flow_web_request(void)
{
    struct observation o = flow_connected();
    flow_sent(&o, SIDE_CLIENT, 60 * MS, 120);
    o.stage = STAGE_HTTP;
    o.evidence.http.request = true;
    o.evidence.sides[SIDE_CLIENT].first_payload_kind = PAYLOAD_HTTP_REQUEST;
    return o;
}

struct observation flow_stream_request(void)
{
    struct observation o = flow_connected();
    flow_sent(&o, SIDE_CLIENT, 60 * MS, 40);
    o.stage = STAGE_STREAM;
    o.server_port = 3101;
    o.evidence.sides[SIDE_CLIENT].first_payload_kind = PAYLOAD_SRP;
    return o;
}

struct observation flow_datagrams(unsigned up, unsigned down)
{
    struct observation o = base_flow(TRANSPORT_UDP);
    o.close = CLOSE_IDLE;
    for (unsigned i = 0; i < up; i++)
        flow_sent(&o, SIDE_CLIENT, i * 300 * MS, 1200);
    for (unsigned i = 0; i < down; i++)
        flow_sent(&o, SIDE_SERVER, 40 * MS + i, 1200);
    return o;
}

struct observation flow_question(unsigned times)
{
    struct observation o = flow_datagrams(times, 0);
    o.stage = STAGE_DNS;
    o.server_port = 53;
    o.role = ROLE_DNS;
    o.evidence.present = false;
    o.dns.present = true;
    o.dns.qtype = 1;
    return o;
}

void flow_answered(struct observation *o, uint32_t after_us, uint8_t rcode, const char *address)
{
    struct dns_facts_answer *a = &o->dns.answers[o->dns.answer_count++];
    *a = (struct dns_facts_answer){.after_us = after_us, .rcode = rcode, .complete = true};
    if (address)
        a->addresses[a->address_count++] = address_of(address);
    flow_sent(o, SIDE_SERVER, after_us, 90);
}
