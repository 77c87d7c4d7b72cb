// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/signature.h"

#define SILENCE_US INT64_C(3000000) /* the table's: nothing more for over 3 s */

/* What came of the client, counted. */
struct arrivals {
    unsigned bare, with_ack; /* resets without and with ACK flag */
    bool shook, asked, multiple;
    bool more; /* packets that are neither handshake, data nor reset: acknowledgements */
};

static struct arrivals arrivals_of(const struct observation *flow)
{
    const struct evidence_facts *e = &flow->evidence;
    const struct side_facts *client = &e->sides[SIDE_CLIENT];
    unsigned resets = e->resets[SIDE_CLIENT], with_ack = e->resets_with_ack[SIDE_CLIENT];
    struct arrivals a = {.bare = resets > with_ack ? resets - with_ack : 0,
                         .with_ack = with_ack,
                         .shook = (flow->flags & OBSERVATION_HANDSHAKE) != 0,
                         .asked = client->payload_bytes > 0,
                         .multiple = client->payload_bytes > client->first_payload_length};
    uint64_t explained = 1u + client->syn_retransmissions + a.shook + a.asked +
                         client->data_retransmissions + resets;

    a.more = flow->packets[SIDE_CLIENT] > explained;
    return a;
}

static bool is_whole(const struct observation *flow)
{
    return flow->transport == TRANSPORT_TCP && flow->evidence.present &&
           !(flow->flags & (OBSERVATION_MID_STREAM | OBSERVATION_CLIENT_GUESSED)) &&
           !(flow->evidence.sides[SIDE_CLIENT].flags & SIDE_FIN);
}

/* The rows 15 to 17: several resets without ACK flag after the first data. */
static uint8_t by_ack_numbers(const struct observation *flow, unsigned resets)
{
    const struct evidence_facts *e = &flow->evidence;
    unsigned known = 0, zeros = 0;
    bool differ = false;

    for (unsigned i = 0; i < e->suspect_count && i < SUSPECTS_MAX; i++) {
        const struct suspect *s = &e->suspects[i];
        if (s->kind != SUSPECT_RST || s->side != SIDE_CLIENT || s->ack_field == ACK_FIELD_UNKNOWN)
            continue;
        known += 1u + s->copies;
        zeros += s->ack_field == ACK_FIELD_ZERO ? 1u + s->copies : 0;
        differ |= s->ack_change != 0;
    }
    if (zeros > 0 && zeros < known)
        return 17;
    if (known < resets)
        return 0;
    return zeros == known || !differ ? 15 : 16;
}

static uint8_t by_resets(const struct observation *flow, const struct arrivals *a)
{
    bool both = a->bare > 0 && a->with_ack > 0;

    if (!a->shook)
        return a->more || a->asked ? 0 : both ? 4 : a->bare ? 2 : 3;
    if (a->multiple)
        return both ? 0 : a->bare ? 18 : 19;
    if (a->more)
        return 0;
    if (!a->asked)
        return both ? 0 : a->bare ? (a->bare == 1 ? 6 : 7) : (a->with_ack == 1 ? 8 : 9);
    if (both)
        return 13;
    if (a->with_ack)
        return a->with_ack == 1 ? 12 : 14;
    return a->bare == 1 ? 11 : by_ack_numbers(flow, a->bare);
}

uint8_t signature_near_client(const struct observation *flow)
{
    struct arrivals a = arrivals_of(flow);

    return is_whole(flow) && a.bare + a.with_ack > 0 ? by_resets(flow, &a) : 0;
}

uint8_t signature_of_arrivals(const struct observation *flow, int64_t silence_us)
{
    struct arrivals a = arrivals_of(flow);

    if (!is_whole(flow) || !(flow->evidence.sides[SIDE_CLIENT].flags & SIDE_SYN))
        return 0;
    if (a.bare + a.with_ack > 0)
        return by_resets(flow, &a);
    if (silence_us <= SILENCE_US || a.more || a.multiple)
        return 0;
    if (!a.shook)
        return a.asked || flow->evidence.sides[SIDE_CLIENT].syn_retransmissions > 0 ? 0 : 1;
    return a.asked ? 10 : 5;
}

uint8_t signature_of_silence(const struct observation *flow, bool acknowledged)
{
    const struct side_facts *client = &flow->evidence.sides[SIDE_CLIENT];

    if (client->payload_bytes > client->first_payload_length)
        return 0;
    return acknowledged ? 10 : 5;
}
