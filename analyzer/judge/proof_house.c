// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A third party, but not the carrier: it stands in the client's own house. A carrier's first box may
 * be one router away as well, and some milliseconds: so near only an answer at once speaks of the
 * house, or names met alike that no list has together, which is no interference with one of them
 * whoever does it.
 */
#include <inttypes.h>

#include "analyzer/judge/proof.h"

#define AT_ONCE_US     1000u
#define ALIKE_SERVICES 3
#define ALIKE_CONTROLS 1
#define BEYOND_HOPS    3u /* the server is at least so much farther than who spoke for it */
#define BEYOND_US      10000u

static bool meets_all_alike(const struct house *house)
{
    return house->services >= ALIKE_SERVICES && house->controls >= ALIKE_CONTROLS;
}

/* Is the server itself far, or did nothing of it come here at all? */
static bool is_server_beyond(const struct observation *flow, const struct house_meeting *meeting)
{
    const struct evidence_facts *e = &flow->evidence;

    if (meeting->whole || flow->dns.present)
        return true;
    return e->handshake_rtt_us >= BEYOND_US &&
           proof_hops(e->sides[SIDE_SERVER].ttl_first) >= meeting->away + BEYOND_HOPS;
}

/* Where only the household's packets pass, what comes in the client's name comes out of the house. */
static bool is_from_inside(const struct proof *proof)
{
    const struct suspect *s = proof->forged;

    return s && s->side == SIDE_CLIENT && proof->context->position == POSITION_SUBSCRIBER;
}

void proof_house(struct proof *proof)
{
    struct house_meeting meeting = house_meets(proof->flow, proof->context->position);
    const struct house *house = &proof->context->house;
    bool alike = meets_all_alike(house);

    if (is_from_inside(proof)) {
        proof_add(proof, "near-client",
                  "packet %" PRIu64 ", in the client's name, came from the client's side of the "
                  "subscriber's line",
                  proof->forged->packet);
        return;
    }
    if (!meeting.met || !is_server_beyond(proof->flow, &meeting))
        return;
    if (meeting.us > AT_ONCE_US && !alike)
        return;
    proof_add(
        proof, "near-client",
        "%s in the server's name from %u routers away after %.1f ms; so near were %u unrelated "
        "services met, %u controls of them",
        meeting.whole ? "spoken from the beginning" : "answered", meeting.away, meeting.us / 1e3,
        house->services, house->controls);
}
