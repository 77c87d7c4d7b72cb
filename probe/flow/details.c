// SPDX-License-Identifier: GPL-3.0-or-later
/* What hangs on a flow's evidence. */
#include "probe/flow/track.h"

#define ROOM_KEPT  4u /* what one packet may take, and more */
#define ROOM_TRIES 8u /* flows that end for it; not all of them have details */

size_t tracker_memory(const struct tracker *tracker)
{
    return flow_table_memory(tracker->table) + pool_memory(&tracker->evidence) +
           pool_memory(&tracker->details) + pool_memory(&tracker->more) +
           pool_memory(&tracker->texts) + contents_memory(&tracker->contents) +
           pool_memory(&tracker->paces);
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
    for (unsigned i = 0; i < ROOM_TRIES && (is_short(&tracker->details) ||
                                            is_short(&tracker->more) || is_short(&tracker->texts));
         i++)
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

void tracker_get_said(const struct tracker *tracker, const struct details *details,
                      struct tls_facts *ret_tls, struct http_facts *ret_http)
{
    const size_t head = sizeof(details->tls_head);
    memset(ret_tls, 0, sizeof(*ret_tls));
    memset(ret_http, 0, sizeof(*ret_http));
    if (details->has_tls)
        memcpy(ret_tls, details->tls_head, head);
    if (details->has_tls && details->certificate) {
        const struct details_texts *texts = pool_at(&tracker->texts, details->certificate);
        memcpy((uint8_t *)ret_tls + head, texts->certificate, sizeof(texts->certificate));
    }
    if (details->has_http && details->http) {
        const struct details_texts *texts = pool_at(&tracker->texts, details->http);
        *ret_http = texts->http;
    }
}

/* The texts of that slot, taken if need be; NULL where there is no room (counted). */
static struct details_texts *texts_at(struct tracker *tracker, uint32_t *slot)
{
    if (!*slot)
        *slot = pool_take(&tracker->texts);
    tracker->details_refused += !*slot;
    return *slot ? pool_at(&tracker->texts, *slot) : NULL;
}

void tracker_set_said(struct tracker *tracker, struct details *details, const struct tls_facts *tls,
                      const struct http_facts *http)
{
    const size_t head = sizeof(details->tls_head);
    struct details_texts *texts;
    details->has_tls = tls != NULL;
    details->has_http = http != NULL;
    if (tls)
        memcpy(details->tls_head, tls, head);
    texts = tls && tls->certificate.present ? texts_at(tracker, &details->certificate) : NULL;
    if (texts)
        memcpy(texts->certificate, (const uint8_t *)tls + head, sizeof(texts->certificate));
    texts = http ? texts_at(tracker, &details->http) : NULL;
    if (texts)
        texts->http = *http;
}

void tracker_drop_evidence(struct tracker *tracker, struct flow *flow)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    if (!evidence)
        return;
    if (evidence->details) {
        const struct details *details = pool_at(&tracker->details, evidence->details);
        pool_give(&tracker->more, details->more);
        pool_give(&tracker->texts, details->certificate);
        pool_give(&tracker->texts, details->http);
        pool_give(&tracker->details, evidence->details);
    }
    pool_give(&tracker->paces, evidence->pace);
    pool_give(&tracker->evidence, flow->evidence);
    flow->evidence = POOL_NONE;
    flow->flags &= (uint16_t)~FLOW_EVENTFUL;
}
