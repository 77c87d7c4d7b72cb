// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A connection that worked and was slowed down. Two ways to slow one down, two rules:
 *
 * policed  what exceeds a rate is dropped: a token bucket explains the losses (pace_reading.h). It
 *          needs no other flow; but where other servers' flows of that time are known, one of them
 *          must have been quicker and none slowed to the same rate: else the line is so.
 * shaped   what exceeds a rate waits: an even rate behind a queue. The subscriber's own line looks
 *          the same; so another server's flow must have been several times quicker on it: beside
 *          this one and in no queue, or within a minute while little else was carried. Or this flow
 *          itself was several times quicker before.
 *
 * Neither names who did it: one flow cannot tell a box from the server's own line.
 */
#include <inttypes.h>

#include "analyzer/judge/judge_internal.h"
#include "analyzer/judge/pace_reading.h"

#define QUICKER         4u /* times: several */
#define QUICKER_AT_ALL  2u /* where others were measured and none was, the line itself is slow */
#define QUICKER_BEFORE  8u /* within one flow, where nothing else speaks for the line */
#define EVEN_US         3000000u
#define QUEUE_UNSEEN_US 20000u
#define SCORE_ALONE     0.5
#define SCORE_COMPARED  0.7
#define SCORE_CHANGED   0.4

static void name_throttle(const struct observation *flow, double score, struct verdict *verdict)
{
    bool named = flow->stage == STAGE_TLS && (flow->reasons & REASON_SNI) != 0;

    verdict->mechanism = named ? "tls.throttle.sni" : "stream.throttle";
    verdict->attribution = ATTRIBUTION_UNKNOWN;
    verdict->score = score;
}

static const char *direction_of(const struct pace_facts *pace)
{
    return pace->side == SIDE_CLIENT ? "up" : "down";
}

/* A queue that stood from the handshake on hides in the least round trip; other flows may know
 * better. */
static bool may_be_queued(const struct observation *flow, const struct judge_context *context)
{
    uint32_t known_us = context->server.samples > 0 ? context->server.rtt_least_us : 0;

    return context->line.queued_beside ||
           (known_us > 0 && flow->pace.rtt_least_us / 2 > known_us + QUEUE_UNSEEN_US);
}

static bool judge_policed(const struct observation *flow, const struct judge_context *context,
                          struct verdict *verdict)
{
    const struct line_pace *line = &context->line;
    struct policed policed;

    if (pace_find_policing(&flow->pace, &policed) != POLICING_YES || line->same_bps ||
        may_be_queued(flow, context))
        return false;
    if (line->flows > 0 && line->best_bps < QUICKER_AT_ALL * policed.rate_bps)
        return false;
    bool compared = line->best_bps >= QUICKER * policed.rate_bps;
    name_throttle(flow, compared ? SCORE_COMPARED : SCORE_ALONE, verdict);
    judge_note(verdict, "policed",
               "about %" PRIu64 " kbit/s %s for %.1f s, %" PRIu32
               " segments lost as a token bucket would, with no queue",
               policed.rate_bps / 1000, direction_of(&flow->pace),
               judge_seconds(policed.to_us - policed.from_us), policed.losses);
    return true;
}

static void note_shaped(const struct observation *flow, const struct plateau *plateau,
                        struct verdict *verdict)
{
    judge_note(verdict, "shaped",
               "about %" PRIu64 " kbit/s %s for %.1f s, even, behind a queue of %.3f s",
               plateau->rate_bps / 1000, direction_of(&flow->pace),
               judge_seconds(plateau->to_us - plateau->from_us),
               judge_seconds(plateau->rtt_median_us - flow->pace.rtt_least_us));
}

static void judge_shaped(const struct observation *flow, const struct line_pace *line,
                         struct verdict *verdict)
{
    struct plateau plateau;

    if (!pace_find_plateau(&flow->pace, &plateau) || !plateau.queued || line->same_bps)
        return;
    bool alone = line->carried_bps <= plateau.rate_bps;
    bool quicker = line->beside_bps >= QUICKER * plateau.rate_bps ||
                   (alone && line->best_bps >= QUICKER * plateau.rate_bps);
    bool changed = alone && plateau.before_bps >= QUICKER_BEFORE * plateau.rate_bps &&
                   plateau.to_us - plateau.from_us >= EVEN_US;
    if (!quicker && !changed)
        return;
    name_throttle(flow, quicker ? SCORE_COMPARED : SCORE_CHANGED, verdict);
    note_shaped(flow, &plateau, verdict);
    if (quicker)
        judge_note(verdict, "line-was-quicker",
                   "another server's flow had %" PRIu64 " kbit/s on this line at about that time",
                   line->best_bps / 1000);
    else
        judge_note(verdict, "was-quicker", "the same flow had %" PRIu64 " kbit/s before",
                   plateau.before_bps / 1000);
}

void judge_throttle(const struct observation *flow, const struct judge_context *context,
                    struct verdict *verdict)
{
    if (flow->pace.bin_count == 0 || (flow->flags & OBSERVATION_MID_STREAM) || context->one_way)
        return;
    if (!judge_policed(flow, context, verdict))
        judge_shaped(flow, &context->line, verdict);
}
