// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the files of the probe share: its state, and the parts of the way a packet takes through
 * them.
 */
#include "base/intern.h"
#include "probe/classify/classify.h"
#include "probe/classify/dns_cache.h"
#include "probe/classify/dpi.h"
#include "probe/counts.h"
#include "probe/flow/track.h"
#include "probe/parts.h"
#include "probe/probe.h"

/* The third part of a DNS question's flow. Most have one answer, or none. */
struct question {
    char name[PARSE_HOST_SIZE];
    uint16_t qtype, id;
    bool edns_asked, over_tcp;
    uint8_t certainty, page_owner, answer_count;
    struct blockpage_facts blockpage;
    uint32_t answers[DNS_FACTS_ANSWERS]; /* slots of struct dns_facts_answer */
};
_Static_assert(sizeof(struct question) <= 384, "a question stays small");

/*
 * An inspection in its pool, in a list by age: when all are taken the oldest one has to be content
 * with what it knows, so that a stranger's silent datagrams cannot keep the others from being
 * looked at.
 */
struct inspection_slot {
    struct inspection inspection;
    struct flow *flow;
    struct dns_hint
        hint; /* as it was when the first payload came: later answers are of no account */
    bool hinted;
    uint32_t older, newer;
};

struct probe {
    struct probe_options options;
    struct decoder *decoder;
    struct tracker tracker;
    struct pool inspections, questions; /* of struct inspection_slot, struct question */
    struct pool answers;                /* of struct dns_facts_answer */
    uint32_t oldest_inspection, newest_inspection;
    uint64_t inspections_cut; /* ended for others while something might still have come */
    struct inspector_pools inspectors;
    struct dpi *dpi;
    struct dns_cache *dns_cache;
    struct counts *counts;
    struct intern *names, *protocols;
    struct observation observation; /* the one given out last (export.c) */
    struct probe_stats stats;
    uint32_t input;
    struct vantage vantage;
    struct pass_time time;
    bool ending;   /* flows end because the capture does */
    bool shedding; /* flows that begin are not inspected */
    int status;    /* first error of the sink */
    struct dl_error error;
    uint16_t protocol_dns, protocol_unknown;
};

static inline struct inspection *probe_inspection(const struct probe *probe,
                                                  const struct flow *flow)
{
    struct inspection_slot *slot =
        flow->sub == 0 && flow->inspection ? pool_at(&probe->inspections, flow->inspection) : NULL;
    return slot ? &slot->inspection : NULL;
}
static inline struct question *probe_question(const struct probe *probe, const struct flow *flow)
{
    return flow->sub != 0 && flow->inspection ? pool_at(&probe->questions, flow->inspection) : NULL;
}

/* The number of a protocol name, for struct flow. */
uint16_t probe_protocol_number(struct probe *probe, const char *name);

/* question.c: a packet of port 53. True when it was a DNS message and has been taken. */
bool probe_take_dns(struct probe *probe, const struct packet *packet);
/* What is known of a question. */
void probe_question_export(const struct probe *probe, const struct question *question,
                           struct dns_facts *ret_facts);
/* Gives back the flow's question, if it has one, with its answers. */
void probe_question_release(struct probe *probe, struct flow *flow);

/* export.c: what leaves the probe. */
/* Gives the flow out as an observation; `early` for one that still goes on. */
void probe_export(struct probe *probe, struct flow *flow, enum close_reason reason, bool early);
/* Counts a flow that is not kept. */
void probe_count(struct probe *probe, const struct flow *flow, enum close_reason reason);
/* Called by the tracker when a flow ends: exports or counts it and gives back its parts. */
void probe_flow_ended(void *context, struct flow *flow, enum close_reason reason);

/* tag.c: inspection and tags. */
void probe_flow_began(struct probe *probe, struct flow *flow, const struct packet *packet);
void probe_take_payload(struct probe *probe, const struct tracked *tracked,
                        const struct packet *packet);
/* An alert of either side, also long after the tag: it says why a handshake was given up. */
void probe_note_alert(struct probe *probe, const struct tracked *tracked,
                      const struct packet *packet);
/* After a reset nothing is looked at any more: the tag is final. */
void probe_flow_reset(struct probe *probe, struct flow *flow);
/* Uses what inspection found, for the last time. */
void probe_inspection_finish(struct probe *probe, struct flow *flow);
/* Gives the inspection and its buffers back. */
void probe_inspection_release(struct probe *probe, struct flow *flow);
