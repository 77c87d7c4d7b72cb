// SPDX-License-Identifier: GPL-3.0-or-later
/* What hangs on a flow's evidence. */
#include "probe/flow/track.h"

#define ROOM_KEPT  4u /* what one packet may take, and more */
#define ROOM_TRIES 8u /* flows that end for it; not all of them have details */

size_t tracker_memory(const struct tracker *tracker)
{
    return flow_table_memory(tracker->table) + pool_memory(&tracker->evidence) +
           pool_memory(&tracker->details) + pool_memory(&tracker->texts) +
           contents_memory(&tracker->contents) + pool_memory(&tracker->paces);
}

bool tracker_give_evidence(struct tracker *tracker, struct flow *flow)
{
    if (!flow->evidence)
        flow->evidence = pool_take(&tracker->evidence);
    if (!flow->evidence)
        tracker->evidence_refused++;
    return flow->evidence != POOL_NONE;
}

static bool is_short(const struct pool *pool)
{
    return pool->maximum - pool->taken < ROOM_KEPT;
}

void tracker_make_room(struct tracker *tracker)
{
    for (unsigned i = 0;
         i < ROOM_TRIES && (is_short(&tracker->details) || is_short(&tracker->texts)); i++)
        if (!flow_table_evict(tracker->table, FLOW_CLASS_CLOSED))
            break;
}

struct details *tracker_details(struct tracker *tracker, struct flow *flow)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    if (!evidence)
        return NULL;
    /* Half of them are for flows that will be stored: a scan has a reset for each of its own. */
    bool wanted =
        (flow->flags & FLOW_INTERESTING) || tracker->details.taken < tracker->details.maximum / 2;
    if (!evidence->details && wanted)
        evidence->details = pool_take(&tracker->details);
    if (!evidence->details) {
        tracker->details_refused++;
        return NULL;
    }
    flow->flags |= FLOW_EVENTFUL;
    return pool_at(&tracker->details, evidence->details);
}

static const struct details_texts *texts_of(const struct tracker *tracker,
                                            const struct details *details)
{
    return details->texts ? pool_at(&tracker->texts, details->texts) : NULL;
}

void tracker_get_said(const struct tracker *tracker, const struct details *details,
                      struct tls_facts *ret_tls, struct http_facts *ret_http)
{
    const struct details_texts *texts = texts_of(tracker, details);
    memset(ret_tls, 0, sizeof(*ret_tls));
    memset(ret_http, 0, sizeof(*ret_http));
    if (texts && details->has_tls)
        *ret_tls = texts->tls;
    if (details->has_tls)
        memcpy(ret_tls, details->tls_head, sizeof(details->tls_head));
    if (texts && details->has_http)
        *ret_http = texts->http;
}

void tracker_set_said(struct tracker *tracker, struct details *details, const struct tls_facts *tls,
                      const struct http_facts *http)
{
    bool texts = http || (tls && tls->certificate.present);
    details->has_tls = tls != NULL;
    details->has_http = http != NULL;
    if (tls)
        memcpy(details->tls_head, tls, sizeof(details->tls_head));
    if (texts && !details->texts)
        details->texts = pool_take(&tracker->texts);
    if (!texts)
        return;
    if (!details->texts) {
        tracker->details_refused++;
        return;
    }
    struct details_texts *room = pool_at(&tracker->texts, details->texts);
    if (tls)
        room->tls = *tls;
    if (http)
        room->http = *http;
}

void tracker_drop_evidence(struct tracker *tracker, struct flow *flow)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    if (!evidence)
        return;
    if (evidence->details) {
        const struct details *details = pool_at(&tracker->details, evidence->details);
        pool_give(&tracker->texts, details->texts);
        pool_give(&tracker->details, evidence->details);
    }
    pool_give(&tracker->paces, evidence->pace);
    pool_give(&tracker->evidence, flow->evidence);
    flow->evidence = POOL_NONE;
    flow->flags &= (uint16_t)~FLOW_EVENTFUL;
}
