// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/middlebox/box.h"
#include "tests/lab/middlebox/draft.h"

/* Moments that a flow has once: a rule that fired in one of them has done its work there. */
#define ONCE (MOMENT_ESTABLISHED | MOMENT_REQUEST | MOMENT_LATER)

static bool is_below(const char *name, const char *suffix)
{
    size_t length = strlen(name), wanted = strlen(suffix);
    if (length < wanted || strcmp(name + length - wanted, suffix) != 0)
        return false;
    return length == wanted || name[length - wanted - 1] == '.';
}

static bool name_fits(const struct rule *rule, const struct seen *seen)
{
    if (rule->qtype && (!(seen->moments & MOMENT_QUESTION) || seen->dns.type != rule->qtype))
        return false;
    if (rule->name_kind == NAME_NONE)
        return true;
    if (rule->name_kind == NAME_DNS)
        return seen->moments & MOMENT_QUESTION && is_below(seen->dns.name, rule->name);
    return seen->flow->name_kind == rule->name_kind && is_below(seen->flow->name, rule->name);
}

static bool place_fits(const struct rule *rule, const struct flow *flow)
{
    return (!rule->has_server || prefix_contains(&rule->server, &flow->server)) &&
           (!rule->has_client || prefix_contains(&rule->client, &flow->client)) &&
           (!rule->port || rule->port == flow->server_port) &&
           (!rule->transport || rule->transport == flow->transport);
}

static bool age_fits(const struct rule *rule, const struct flow *flow)
{
    return flow->last_us - flow->first_us >= rule->age_us && flow->idle_us >= rule->idle_us &&
           flow->ends[SIDE_CLIENT].bytes >= rule->up && flow->ends[SIDE_SERVER].bytes >= rule->down;
}

/* Chance is asked once for each flow, but anew for each question: those have no flow worth the
 * name. */
static bool chance_fits(struct box *box, const struct rule *rule, uint32_t bit,
                        const struct seen *seen)
{
    if (seen->moments & MOMENT_QUESTION)
        return dice_happens(&box->dice, rule->probability);
    struct flow *flow = seen->flow;
    if (!(flow->drawn & bit) && !dice_happens(&box->dice, rule->probability))
        flow->declined |= bit;
    flow->drawn |= bit;
    return !(flow->declined & bit);
}

static bool matches(struct box *box, const struct rule *rule, uint32_t bit, const struct seen *seen)
{
    unsigned moments = seen->moments & rule->moments;
    if (seen->flow->fired & bit)
        moments &= ~(unsigned)ONCE;
    return moments && place_fits(rule, seen->flow) && name_fits(rule, seen) &&
           age_fits(rule, seen->flow) && chance_fits(box, rule, bit, seen);
}

static bool goes(unsigned ways, const struct seen *seen)
{
    return ways & (seen->side == SIDE_CLIENT ? WAY_UP : WAY_DOWN);
}

static void inject(const struct injection *in)
{
    switch ((enum action)in->rule->action) {
    case ACTION_DNS_ANSWER:
        inject_dns_answers(in);
        break;
    case ACTION_DNS_RCODE:
        inject_dns_rcode(in);
        break;
    case ACTION_RESET:
        inject_resets(in);
        break;
    case ACTION_PAGE:
        inject_page(in);
        break;
    case ACTION_ICMP:
        inject_icmp(in);
        break;
    default:
        break;
    }
}

static void block_on(const struct injection *in, unsigned ways)
{
    struct flow *flow = in->seen->flow;
    if (in->rule->residual_us)
        residual_add(&in->box->table, flow, in->rule, in->now_us,
                     in->now_us + (int64_t)((double)in->rule->residual_us * in->box->time_scale));
    flow->drop_ways |= ways;
    flow->drop_rule = in->rule;
}

/* What a rule that fired does; true if the packet that woke it must not go on. */
static bool act(const struct injection *in, uint8_t *bytes, size_t length)
{
    const struct rule *rule = in->rule;
    const struct seen *seen = in->seen;
    switch ((enum action)rule->action) {
    case ACTION_DROP:
        block_on(in, rule->whole_flow ? rule->ways : 0);
        return goes(rule->ways, seen);
    case ACTION_POLICE:
    case ACTION_SHAPE:
        seen->flow->slow_rule = rule;
        return false;
    case ACTION_NORMALISE:
        if (frame_clear_options(bytes, length))
            journal_deed(in->box, rule, seen, "changed");
        return false;
    case ACTION_ICMP:
        inject(in);
        return true; /* a new SYN gets a new answer, so the flow is not cut */
    default:
        inject(in);
        /* Where the handshake has begun, a box in the path keeps the rest of the flow to itself. */
        block_on(in, !rule->pass && seen->moments & ONCE ? WAY_BOTH : 0);
        return !rule->pass;
    }
}

static bool is_residual(struct box *box, const struct seen *seen, const uint8_t *bytes,
                        int64_t now_us)
{
    const struct residual *residual = residual_find(&box->table, seen->flow, now_us);
    if (!residual)
        return false;
    struct injection in = {box, residual->rule, seen, bytes, now_us};
    if (residual->rule->residual_resets && seen->side == SIDE_CLIENT)
        inject_resets(&in);
    journal_deed(box, residual->rule, seen, "dropped");
    return true;
}

static void slow_down(struct box *box, const struct seen *seen, int64_t now_us,
                      struct verdict *verdict)
{
    const struct rule *rule = seen->flow->slow_rule;
    if (!rule || !goes(rule->ways, seen))
        return;
    uint32_t bytes = seen->packet->bytes;
    struct token_bucket *bucket =
        rule->shared ? &box->buckets[seen->side] : &seen->flow->buckets[seen->side];
    struct shaper *shaper =
        rule->shared ? &box->shapers[seen->side] : &seen->flow->shapers[seen->side];
    if (rule->action == ACTION_POLICE) {
        verdict->drop = !token_bucket_take(bucket, rule->rate_kbit, rule->burst, bytes, now_us);
    } else {
        verdict->wait_us = shaper_delay(shaper, rule->rate_kbit, rule->queue, bytes, now_us);
        verdict->drop = verdict->wait_us < 0;
    }
    if (verdict->drop)
        journal_deed(box, rule, seen, "dropped");
    else if (verdict->wait_us)
        journal_deed(box, rule, seen, "delayed");
}

struct verdict interfere(struct box *box, struct seen *seen, uint8_t *bytes, size_t length,
                         int64_t now_us)
{
    struct verdict verdict = {0};
    if (is_residual(box, seen, bytes, now_us)) {
        verdict.drop = true;
        return verdict;
    }
    if (goes(seen->flow->drop_ways, seen)) {
        journal_deed(box, seen->flow->drop_rule, seen, "dropped");
        verdict.drop = true;
        return verdict;
    }
    for (size_t i = 0; i < box->rules.count; i++) {
        const struct rule *rule = &box->rules.list[i];
        uint32_t bit = UINT32_C(1) << i;
        if (!matches(box, rule, bit, seen))
            continue;
        seen->flow->fired |= bit;
        struct injection in = {box, rule, seen, bytes, now_us};
        if (act(&in, bytes, length)) {
            journal_deed(box, rule, seen, "dropped");
            verdict.drop = true;
        }
    }
    if (!verdict.drop)
        slow_down(box, seen, now_us, &verdict);
    return verdict;
}
