// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/attempt_fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/attempt.h"
#include "analyzer/judge/pace_reading.h"
#include "base/array.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/pool.h"
#include "base/status.h"

#define OPEN_MAX       (1u << 20)
#define BUCKET_COUNT   (1u << 16)
#define SERVICES_MAX   (1u << 16)
#define SERVICES_BYTES (1u << 22)

/* Of other people's measurements: how many targets at each depth, and what the first failure was. */
enum { DEPTH_TCP = 1, DEPTH_TLS = 2, DEPTHS = 4 };
struct run_counts {
    bool v4_works;
    uint16_t ok[DEPTHS], failed[DEPTHS], failed_v6[DEPTHS];
    uint16_t pages; /* of the failures those that were shown a page: all before it worked */
    uint16_t by_stage[STAGE_STREAM + 1]; /* failures */
    uint16_t
        lead[STAGE_STREAM + 1]; /* of the mechanism below: the majority's, where there is one */
    const char *mechanism[STAGE_STREAM + 1], *rule[STAGE_STREAM + 1];
    uint8_t attribution[STAGE_STREAM + 1];
};

struct open_attempt {
    uint32_t run; /* slot of its run_counts; POOL_NONE */
    struct attempt_result result;
    bool tried, worked, failed;   /* connections */
    bool name_found, name_failed; /* questions */
    unsigned depth;               /* of the failure kept */
    uint32_t bucket, next_in_bucket, newer;
};

struct attempt_fold {
    attempt_result_fn fn;
    void *context;
    struct hash_key hash;
    struct intern *services;
    struct pool pool, runs;
    uint32_t oldest, newest; /* by start */
    uint32_t buckets[BUCKET_COUNT];
};

int attempt_fold_create(struct attempt_fold **ret_fold, attempt_result_fn fn, void *context)
{
    struct attempt_fold *fold = calloc(1, sizeof(*fold));
    int status = fold ? hash_key_random(&fold->hash) : -ENOMEM;

    if (status == DL_OK)
        status = intern_create(&fold->services, SERVICES_MAX, SERVICES_BYTES);
    if (status == DL_OK)
        status = pool_init(&fold->pool, sizeof(struct open_attempt), OPEN_MAX);
    if (status == DL_OK)
        status = pool_init(&fold->runs, sizeof(struct run_counts), OPEN_MAX);
    if (status == DL_OK) {
        fold->fn = fn;
        fold->context = context;
        *ret_fold = fold;
        fold = NULL;
    }
    attempt_fold_destroy(fold);
    return status;
}

void attempt_fold_destroy(struct attempt_fold *fold)
{
    if (!fold)
        return;
    if (fold->services)
        intern_destroy(fold->services);
    pool_finish(&fold->pool);
    pool_finish(&fold->runs);
    free(fold);
}

static struct open_attempt *attempt_at(const struct attempt_fold *fold, uint32_t slot)
{
    return pool_at(&fold->pool, slot);
}

/* ---- one attempt ---- */

static unsigned depth_of(enum stage stage)
{
    return stage <= STAGE_TCP ? stage : STAGE_TCP + 1;
}

static uint8_t ip_version_of(const struct observation *flow)
{
    const struct endpoint *end =
        flow->server.kind == ENDPOINT_ADDRESS ? &flow->server : &flow->client;

    if (end->kind != ENDPOINT_ADDRESS)
        return 0;
    return address_is_v4(&end->address) ? 4 : 6;
}

static void keep_flow(struct open_attempt *attempt, const struct judged *judged)
{
    struct attempt_result *result = &attempt->result;
    const struct observation *flow = &judged->flow;

    result->flow_input = flow->input;
    result->flow_packet = flow->packet;
    result->ip_version = ip_version_of(flow);
    result->server = flow->server;
}

static bool is_throttle(const char *mechanism)
{
    return mechanism && strstr(mechanism, ".throttle");
}

/* The first connection that worked decides; how quick it was is known of that one. */
static void keep_success(struct open_attempt *attempt, const struct judged *judged)
{
    struct attempt_result *result = &attempt->result;
    const struct observation *flow = &judged->flow;
    bool has = flow->evidence.present;

    uint64_t goodput_kbps = pace_goodput_bps(&flow->pace) / 1000;

    result->throttled |= is_throttle(judged->verdict.mechanism) || flow->import.throttled;
    result->goodput_kbps = MAX_OF(result->goodput_kbps, (uint32_t)MIN_OF(goodput_kbps, UINT32_MAX));
    if (attempt->worked)
        return;
    keep_flow(attempt, judged);
    result->handshake_us = has ? flow->evidence.handshake_rtt_us : flow->path.handshake_rtt_us;
    result->exchange_us = has ? flow->evidence.first_exchange_us : flow->path.first_exchange_us;
}

static void keep_failure(struct open_attempt *attempt, const struct judged *judged)
{
    unsigned depth = depth_of(judged->flow.stage) + 1;

    if (depth <= attempt->depth)
        return;
    attempt->depth = depth;
    attempt->result.stage = judged->flow.stage;
    attempt->result.mechanism = judged->verdict.mechanism;
    attempt->result.rule = judged->verdict.evidence_count ? judged->verdict.evidence[0].rule : NULL;
    attempt->result.attribution = judged->verdict.attribution;
    keep_flow(attempt, judged);
}

/* ---- a run of somebody else's measurement ---- */

static bool is_v6(const struct endpoint *server)
{
    return server->kind == ENDPOINT_ADDRESS && !address_is_v4(&server->address);
}

/* What is of no known stage was tried to the end. */
static unsigned run_depth(enum stage stage)
{
    static const uint8_t depths[] = {
        [STAGE_NONE] = DEPTHS - 1,  [STAGE_DNS] = 0,          [STAGE_TCP] = DEPTH_TCP,
        [STAGE_TLS] = DEPTH_TLS,    [STAGE_QUIC] = DEPTH_TLS, [STAGE_HTTP] = DEPTHS - 1,
        [STAGE_STREAM] = DEPTHS - 1};
    return depths[stage];
}

static void count_up(uint16_t *count)
{
    *count += *count < UINT16_MAX;
}

static void take_row(struct run_counts *run, const struct judged *judged)
{
    const struct observation *row = &judged->flow;
    const struct verdict *verdict = &judged->verdict;
    unsigned depth = run_depth(row->stage);
    bool v6 = is_v6(&row->server);

    if (verdict->outcome == OUTCOME_OK) {
        run->v4_works |= !v6 && row->stage != STAGE_DNS;
        count_up(&run->ok[depth]);
    }
    if (verdict->outcome != OUTCOME_FAILED)
        return;
    count_up(v6 ? &run->failed_v6[depth] : &run->failed[depth]);
    if (row->import.blockpage.id[0])
        count_up(&run->pages);
    count_up(&run->by_stage[row->stage]);
    if (run->lead[row->stage] == 0) {
        run->mechanism[row->stage] = verdict->mechanism;
        run->rule[row->stage] = verdict->evidence_count ? verdict->evidence[0].rule : NULL;
        run->attribution[row->stage] = (uint8_t)verdict->attribution;
    }
    if (run->mechanism[row->stage] == verdict->mechanism)
        count_up(&run->lead[row->stage]);
    else
        run->lead[row->stage]--;
}

/* The stage at which most failed, the shallower of equals: of that depth, or of any from TLS on. */
static enum stage run_stage(const struct run_counts *run, unsigned depth)
{
    enum stage most = STAGE_NONE;
    unsigned count = 0;

    for (unsigned stage = 0; stage <= STAGE_STREAM; stage++) {
        unsigned its = run_depth((enum stage)stage);
        bool fits = its == depth || (depth >= DEPTH_TLS && its >= DEPTH_TLS);
        if (fits && run->by_stage[stage] > count) {
            most = (enum stage)stage;
            count = run->by_stage[stage];
        }
    }
    return most;
}

static unsigned run_failed(const struct run_counts *run, unsigned depth)
{
    return run->failed[depth] + (run->v4_works ? 0u : run->failed_v6[depth]);
}

/* Three quarters of those that came so far came no further; who got deeper came through here. */
static bool run_fails_at(const struct run_counts *run, unsigned depth)
{
    unsigned ok = depth < DEPTHS - 1 ? run->pages : 0, failed = run_failed(run, depth);

    for (unsigned deeper = depth; deeper < DEPTHS; deeper++)
        ok += run->ok[deeper];
    return failed > 0 && failed >= 3 * ok;
}

static enum outcome run_outcome(const struct run_counts *run, struct attempt_result *result)
{
    unsigned depth, deepest = DEPTHS;

    while (deepest > 0 && run->ok[deepest - 1] + run_failed(run, deepest - 1) == 0)
        deepest--;
    if (deepest == 0)
        return OUTCOME_UNKNOWN;
    if (!run_fails_at(run, deepest - 1)) /* a name that was found is no success yet */
        return deepest - 1 >= DEPTH_TCP ? OUTCOME_OK : OUTCOME_UNKNOWN;
    for (depth = 0; !run_fails_at(run, depth); depth++)
        ;
    /* The name of one target says nothing of others that were tried by their addresses. */
    if (depth < DEPTH_TCP && run_fails_at(run, DEPTH_TCP) &&
        run_failed(run, DEPTH_TCP) > run_failed(run, depth))
        depth = DEPTH_TCP;
    result->stage = run_stage(run, depth);
    result->mechanism = run->mechanism[result->stage];
    result->rule = run->rule[result->stage];
    result->attribution = (enum attribution)run->attribution[result->stage];
    return OUTCOME_FAILED;
}

/* ---- any attempt ---- */

static void take_flow(struct open_attempt *attempt, const struct judged *judged,
                      struct run_counts *run)
{
    bool worked = judged->verdict.outcome == OUTCOME_OK;
    bool failed = judged->verdict.outcome == OUTCOME_FAILED;

    attempt->result.proven |= judge_is_proven(&judged->verdict);
    attempt->result.certainty = MAX_OF(attempt->result.certainty, judged->flow.certainty);
    if (run) {
        attempt->result.throttled |= judged->flow.import.throttled;
        if (judged->verdict.outcome != OUTCOME_UNKNOWN)
            keep_flow(attempt, judged);
        take_row(run, judged);
        return;
    }
    if (judged->flow.stage == STAGE_DNS) {
        attempt->name_found |= worked;
        attempt->name_failed |= failed;
    } else {
        attempt->tried = true;
        if (worked)
            keep_success(attempt, judged);
        attempt->worked |= worked;
        attempt->failed |= failed;
    }
    if (failed && !attempt->worked)
        keep_failure(attempt, judged);
}

static enum outcome outcome_of(const struct open_attempt *attempt)
{
    if (attempt->worked)
        return OUTCOME_OK;
    if (attempt->tried)
        return attempt->failed ? OUTCOME_FAILED : OUTCOME_UNKNOWN;
    return attempt->name_failed && !attempt->name_found ? OUTCOME_FAILED : OUTCOME_UNKNOWN;
}

/* ---- all open ones ---- */

static int give_oldest(struct attempt_fold *fold)
{
    uint32_t slot = fold->oldest;
    struct open_attempt *attempt = attempt_at(fold, slot);
    uint32_t *link = &fold->buckets[attempt->bucket];
    struct attempt_result result = attempt->result;

    if (attempt->run != POOL_NONE) {
        result.outcome = run_outcome(pool_at(&fold->runs, attempt->run), &result);
        pool_give(&fold->runs, attempt->run);
    } else {
        result.outcome = outcome_of(attempt);
    }
    if (result.outcome != OUTCOME_FAILED) {
        result.stage = STAGE_NONE;
        result.mechanism = result.rule = NULL;
        result.attribution = ATTRIBUTION_NONE;
    }
    while (*link != slot)
        link = &attempt_at(fold, *link)->next_in_bucket;
    *link = attempt->next_in_bucket;
    fold->oldest = attempt->newer;
    if (fold->oldest == POOL_NONE)
        fold->newest = POOL_NONE;
    pool_give(&fold->pool, slot);
    return fold->fn(fold->context, &result);
}

static struct open_attempt *find_attempt(const struct attempt_fold *fold, uint32_t bucket,
                                         const struct judged *judged)
{
    for (uint32_t slot = fold->buckets[bucket]; slot != POOL_NONE;) {
        struct open_attempt *attempt = attempt_at(fold, slot);
        if (attempt->result.packet == judged->attempt_packet &&
            attempt->result.input == judged->attempt_input)
            return attempt;
        slot = attempt->next_in_bucket;
    }
    return NULL;
}

static struct open_attempt *begin_attempt(struct attempt_fold *fold, uint32_t bucket,
                                          const struct judged *judged)
{
    const struct observation *flow = &judged->flow;
    uint32_t service = intern_add(fold->services, flow->service, strlen(flow->service));
    uint32_t slot = pool_take(&fold->pool);

    if (slot == POOL_NONE)
        return NULL;
    struct open_attempt *attempt = attempt_at(fold, slot);
    attempt->result = (struct attempt_result){.input = judged->attempt_input,
                                              .packet = judged->attempt_packet,
                                              .start_us = flow->start_us,
                                              .client = flow->client,
                                              .voice = flow->import.voice,
                                              .flow_input = flow->input,
                                              .flow_packet = flow->packet,
                                              .service = intern_text(fold->services, service)};
    attempt->run = flow->import.present ? pool_take(&fold->runs) : POOL_NONE;
    attempt->bucket = bucket;
    attempt->next_in_bucket = fold->buckets[bucket];
    fold->buckets[bucket] = slot;
    if (fold->newest != POOL_NONE)
        attempt_at(fold, fold->newest)->newer = slot;
    else
        fold->oldest = slot;
    fold->newest = slot;
    return attempt;
}

int attempt_fold_add(struct attempt_fold *fold, const struct judged *judged)
{
    uint64_t words[2] = {judged->attempt_input, judged->attempt_packet};
    int64_t now_us = judged->flow.start_us;
    int status = DL_OK;

    if (!judged->flow.service[0])
        return DL_OK;
    while (status == DL_OK && fold->oldest != POOL_NONE &&
           (now_us - attempt_at(fold, fold->oldest)->result.start_us >= ATTEMPT_WINDOW_US ||
            fold->pool.taken == OPEN_MAX))
        status = give_oldest(fold);
    if (status != DL_OK)
        return status;
    uint32_t bucket = (uint32_t)hash_words(&fold->hash, words, 2) & (BUCKET_COUNT - 1);
    struct open_attempt *attempt = find_attempt(fold, bucket, judged);
    if (!attempt)
        attempt = begin_attempt(fold, bucket, judged);
    if (!attempt || (judged->flow.import.present && attempt->run == POOL_NONE))
        return -ENOMEM;
    take_flow(attempt, judged,
              attempt->run == POOL_NONE ? NULL : pool_at(&fold->runs, attempt->run));
    return DL_OK;
}

int attempt_fold_finish(struct attempt_fold *fold)
{
    int status = DL_OK;

    while (status == DL_OK && fold->oldest != POOL_NONE)
        status = give_oldest(fold);
    return status;
}
