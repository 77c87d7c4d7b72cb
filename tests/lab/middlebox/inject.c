// SPDX-License-Identifier: GPL-3.0-or-later
#include <netinet/in.h>

#include "base/array.h"
#include "tests/lab/middlebox/box.h"
#include "tests/lab/middlebox/contents.h"
#include "tests/lab/middlebox/draft.h"

#define FRAME_MAX 1514u

/* One field of the fingerprint: `own` are the habits of the end that is impersonated, `other` those
 * of the one that is deceived. */
static uint32_t resolve(const struct field *field, uint32_t own, uint32_t other, uint32_t low,
                        uint32_t high, struct box *box)
{
    switch (field->mode) {
    case FIELD_FIXED:
        return field->value;
    case FIELD_COPY:
        return own + field->value;
    case FIELD_MIRROR:
        return other + field->value;
    case FIELD_RANDOM:
        return dice_between(&box->dice, low, high);
    case FIELD_OWN:
    case FIELD_TTL_1375:
        break;
    }
    return ++box->own_ip_id;
}

/* Puts the injector's habits into a packet that impersonates `own`. */
static void take_fingerprint(const struct injection *in, enum side impersonated, struct draft *d)
{
    const struct flow_end *own = &in->seen->flow->ends[impersonated];
    const struct flow_end *other = &in->seen->flow->ends[!impersonated];
    if (!own->habits.seen)
        own = other; /* never heard: whoever copies has only the other to copy from */
    const struct fingerprint *print = &in->rule->print;
    struct box *box = in->box;
    uint8_t step = box->line.ttl_step;
    d->ttl = (uint8_t)resolve(&print->ttl, own->habits.ttl - step, other->habits.ttl, 33, 255, box);
    d->ip_id =
        (uint16_t)resolve(&print->ip_id, own->habits.ip_id, other->habits.ip_id, 0, 65535, box);
    d->df = resolve(&print->df, own->habits.df, other->habits.df, 0, 1, box) != 0;
    d->window =
        (uint16_t)(print->window.mode == FIELD_TTL_1375
                       ? d->ttl + 1375u
                       : resolve(&print->window, own->window, other->window, 1, 65535, box));
    if (!address_is_v4(&in->seen->flow->client)) { /* IPv6 has neither */
        d->ip_id = 0;
        d->df = true;
    }
    d->timestamps = print->timestamps && own->offered_timestamps && other->offered_timestamps;
    d->ts_value = own->ts_value + 1;
    d->ts_echo = other->ts_value;
}

static struct draft draft_to(const struct injection *in, enum side to)
{
    const struct flow *flow = in->seen->flow;
    bool down = to == SIDE_CLIENT;
    struct draft d = {.source = down ? flow->server : flow->client,
                      .destination = down ? flow->client : flow->server,
                      .source_port = down ? flow->server_port : flow->client_port,
                      .destination_port = down ? flow->client_port : flow->server_port,
                      .protocol = flow->transport == TRANSPORT_TCP ? IPPROTO_TCP : IPPROTO_UDP};
    take_fingerprint(in, down ? SIDE_SERVER : SIDE_CLIENT, &d);
    return d;
}

/* Sends it where it is believed; in the other direction the frame's MAC addresses change places. */
static void send_draft(const struct injection *in, enum side to, const struct draft *d,
                       int64_t after_us)
{
    uint8_t macs[DRAFT_MACS];
    bool turned = to == in->seen->side;
    memcpy(macs, in->frame + (turned ? 6 : 0), 6);
    memcpy(macs + 6, in->frame + (turned ? 0 : 6), 6);
    struct buffer out;
    buffer_init(&out, FRAME_MAX);
    draft_write(d, macs, &out);
    if (!out.failed) {
        enum port port = to == SIDE_CLIENT ? PORT_NEAR : PORT_FAR;
        int64_t due =
            in->now_us + after_us + 1; /* behind the packet that woke the rule, if that passes */
        if (to ==
            SIDE_SERVER) /* the box stands at the line's near end: never before what it follows */
            due = MAX_OF(due + in->box->line.delay_us, in->box->last_due_us[PORT_FAR]);
        struct queued frame = {
            .due_us = due, .port = port, .length = out.length, .bytes = (uint8_t *)out.bytes};
        queue_put(&in->box->queue, &frame);
        journal_sent(in, to, d, after_us);
    }
    buffer_finish(&out);
}

/* What the receiver awaits next of the other, so that it believes at once. */
static uint32_t expected_seq(const struct injection *in, enum side to)
{
    const struct seen *seen = in->seen;
    const struct packet *p = seen->packet;
    if (seen->side == to)
        return p->tcp_flags & TCP_ACK ? p->ack : 0;
    if (in->rule->pass)
        return seen->flow->ends[seen->side].next;
    return p->seq + (p->tcp_flags & TCP_SYN ? 1 : 0);
}

static uint8_t flags_of(const struct rule *rule, uint32_t copy)
{
    bool ack = rule->flags == RESET_RST_ACK || (rule->flags == RESET_ALTERNATE && copy % 2);
    return (uint8_t)(TCP_RST | (ack ? TCP_ACK : 0));
}

static uint32_t ack_of(const struct injection *in, enum side to, uint32_t copy)
{
    uint32_t ack = in->seen->flow->ends[to].next;
    switch ((enum ack_numbers)in->rule->ack_numbers) {
    case ACK_RISING:
        return ack + copy * 1460;
    case ACK_ZERO:
        return 0;
    case ACK_SAME:
        break;
    }
    return ack;
}

static void send_resets(const struct injection *in, enum side to, uint32_t beyond, int64_t after_us)
{
    static const char body[RESET_BODY_MAX] = "this connection was reset";
    struct draft d = draft_to(in, to);
    d.payload = (const uint8_t *)body;
    d.length = in->rule->body;
    for (uint32_t copy = 0; copy < in->rule->count; copy++) {
        if (copy && in->rule->redraw)
            take_fingerprint(in, to == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT, &d);
        else if (copy && in->rule->print.ip_id.mode == FIELD_OWN)
            d.ip_id = ++in->box->own_ip_id;
        d.tcp_flags = flags_of(in->rule, copy);
        d.seq = expected_seq(in, to) + beyond + copy * in->rule->seq_step;
        d.ack = ack_of(in, to, copy);
        send_draft(in, to, &d, after_us + copy * in->rule->print.gap_us);
    }
}

void inject_resets(const struct injection *in)
{
    if (in->rule->ways & WAY_DOWN)
        send_resets(in, SIDE_CLIENT, 0, in->rule->print.delay_us);
    if (in->rule->ways & WAY_UP)
        send_resets(in, SIDE_SERVER, 0, in->rule->print.delay_us);
}

void inject_page(const struct injection *in)
{
    struct buffer page;
    buffer_init(&page, FRAME_MAX);
    page_write((enum page)in->rule->page, &page);
    struct draft d = draft_to(in, SIDE_CLIENT);
    d.tcp_flags = (uint8_t)(TCP_PSH | TCP_ACK | (in->rule->fin ? TCP_FIN : 0));
    d.seq = expected_seq(in, SIDE_CLIENT);
    d.ack = in->seen->flow->ends[SIDE_CLIENT].next;
    d.payload = (const uint8_t *)page.bytes;
    d.length = page.length;
    int64_t after = in->rule->print.delay_us;
    send_draft(in, SIDE_CLIENT, &d, after);
    if (in->rule->then_reset)
        send_resets(in, SIDE_CLIENT, (uint32_t)page.length + in->rule->fin,
                    after + in->rule->print.gap_us);
    if (in->rule->ways & WAY_UP)
        send_resets(in, SIDE_SERVER, 0, after);
    buffer_finish(&page);
}

void inject_icmp(const struct injection *in)
{
    const struct packet *p = in->seen->packet;
    bool v4 = p->ip_version == 4;
    struct draft d = draft_to(in, in->seen->side);
    d.source = in->rule->from;
    if (address_is_v4(&d.source) != v4)
        return; /* a router speaks only the version it was asked in */
    d.protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    d.icmp_type = (uint8_t)in->rule->icmp_type;
    d.icmp_code = (uint8_t)in->rule->icmp_code;
    d.payload = p->ip;
    d.length = MIN_OF(p->ip_captured, (v4 ? 20u : 40u) + 8u); /* what RFC 792 guarantees */
    send_draft(in, in->seen->side, &d, in->rule->print.delay_us);
}

static void send_dns(const struct injection *in, uint8_t rcode, const struct address *address,
                     int64_t after_us)
{
    struct buffer message;
    buffer_init(&message, FRAME_MAX);
    if (dns_answer_write(in->seen->packet, (uint16_t)in->rule->dns_flags, rcode,
                         in->rule->record_ttl, address, &message) &&
        !message.failed) {
        struct draft d = draft_to(in, SIDE_CLIENT);
        d.payload = (const uint8_t *)message.bytes;
        d.length = message.length;
        send_draft(in, SIDE_CLIENT, &d, after_us);
    }
    buffer_finish(&message);
}

void inject_dns_answers(const struct injection *in)
{
    bool wants_v4 = in->seen->dns.type == DNS_TYPE_A;
    uint32_t sent = 0;
    for (uint32_t i = 0; i < in->rule->address_count && sent < in->rule->injectors; i++) {
        const struct address *address = &in->rule->addresses[i];
        if (address_is_v4(address) != wants_v4)
            continue;
        send_dns(in, 0, address, in->rule->print.delay_us + sent * in->rule->print.gap_us);
        sent++;
    }
}

void inject_dns_rcode(const struct injection *in)
{
    send_dns(in, (uint8_t)in->rule->rcode, NULL, in->rule->print.delay_us);
}
