// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/judge_pass.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/attempt.h"
#include "analyzer/judge/follow.h"
#include "analyzer/judge/proof.h"
#include "base/status.h"

/* One half connection in this many, and the input cannot be trusted to hold answers (asymmetric
 * routing, a one-way tap). */
#define HALVES_TOLERATED 20

struct direction_count {
    uint64_t whole, halves; /* connections with packets of both ends; with an answer that must have
                               been there and is not */
};

struct judge_pass {
    struct store_reader *reader;
    struct attempts *attempts;
    struct references *references;
    struct houses *houses;
    struct resolvers *resolvers;
    struct identities *identities;
    struct follows *follows;
    struct line_paces *paces;
    const struct injector_table *injectors; /* the caller's */
    struct direction_count *inputs;         /* by number */
    uint32_t *lines;                        /* by number: the first input of the same vantage */
    struct observation dns;
};

static void survey_flow(struct direction_count *count, const struct observation *flow)
{
    bool mid_stream = (flow->flags & OBSERVATION_MID_STREAM) != 0;

    if (flow->transport != TRANSPORT_TCP || mid_stream || flow->packets[SIDE_CLIENT] == 0)
        return;
    if (flow->packets[SIDE_SERVER] > 0)
        count->whole++;
    else if (flow->stage > STAGE_TCP) /* nobody sends a request before the connection is there */
        count->halves++;
}

static enum position position_of(const struct input_record *input)
{
    return input ? input->vantage.position : POSITION_NONE;
}

static int learn(struct judge_pass *pass, const struct observation *flow,
                 const struct input_record *input)
{
    uint32_t line = pass->lines[flow->input];
    int status = references_learn(pass->references, line, flow);

    if (status == DL_OK)
        status = resolvers_learn(pass->resolvers, line, flow);
    if (status == DL_OK)
        status = identities_learn(pass->identities, line, flow);
    if (status == DL_OK)
        status = follows_learn(pass->follows, flow, input ? input->last_us : 0);
    if (status == DL_OK)
        status =
            line_paces_learn(pass->paces, line, position_of(input) == POSITION_SUBSCRIBER, flow);
    houses_learn(pass->houses, line, position_of(input), flow);
    return status;
}

static int survey(struct judge_pass *pass, const struct store_query *query, struct dl_error *error)
{
    struct store_query with_evidence = *query;
    struct observation flow;
    int status;

    with_evidence.with_evidence = true;
    status = store_reader_begin(pass->reader, &with_evidence, error);
    while (status == DL_OK) {
        status = store_reader_next(pass->reader, &flow, error);
        if (status != DL_OK || flow.input > store_reader_input_count(pass->reader))
            continue;
        survey_flow(&pass->inputs[flow.input], &flow);
        const struct input_record *input = store_reader_input(pass->reader, flow.input);
        status = learn(pass, &flow, input);
    }
    return status == DL_END ? identities_conclude(pass->identities) : status;
}

/* Captures of one probe at one place are one line's; one that does not say speaks for itself. */
static bool same_line(const struct vantage *a, const struct vantage *b)
{
    return a->probe_id[0] && strcmp(a->probe_id, b->probe_id) == 0 &&
           strcmp(a->carrier, b->carrier) == 0 && a->asn == b->asn &&
           strcmp(a->country, b->country) == 0 && a->position == b->position;
}

static void number_lines(struct judge_pass *pass)
{
    uint32_t count = store_reader_input_count(pass->reader);

    for (uint32_t i = 1; i <= count; i++) {
        const struct input_record *input = store_reader_input(pass->reader, i);
        bool imported = input && input->vantage.origin == ORIGIN_IMPORTED; /* no packets */
        pass->lines[i] = i;
        for (uint32_t j = 1; j < i && input && !imported && pass->lines[i] == i; j++) {
            const struct input_record *before = store_reader_input(pass->reader, j);
            if (pass->lines[j] == j && before && same_line(&input->vantage, &before->vantage))
                pass->lines[i] = j;
        }
    }
}

static bool is_one_way(const struct direction_count *count)
{
    return count->halves > 0 && count->halves * HALVES_TOLERATED >= count->whole;
}

int judge_pass_create(struct judge_pass **ret_pass, struct store_reader *reader,
                      const struct store_query *query, const struct injector_table *injectors,
                      struct dl_error *error)
{
    struct store_query with_evidence = *query;
    struct judge_pass *pass = calloc(1, sizeof(*pass));
    int status = -ENOMEM;

    if (!pass)
        goto out;
    pass->reader = reader;
    pass->injectors = injectors;
    pass->inputs = calloc(store_reader_input_count(reader) + 1, sizeof(*pass->inputs));
    pass->lines = calloc(store_reader_input_count(reader) + 1, sizeof(*pass->lines));
    if (!pass->inputs || !pass->lines)
        goto out;
    number_lines(pass);
    status = attempts_create(&pass->attempts);
    if (status == DL_OK)
        status = references_create(&pass->references);
    if (status == DL_OK)
        status = houses_create(&pass->houses);
    if (status == DL_OK)
        status = resolvers_create(&pass->resolvers);
    if (status == DL_OK)
        status = identities_create(&pass->identities);
    if (status == DL_OK)
        status = follows_create(&pass->follows);
    if (status == DL_OK)
        status = line_paces_create(&pass->paces);
    if (status == DL_OK)
        status = survey(pass, query, error);
    with_evidence.with_evidence = true;
    if (status == DL_OK)
        status = store_reader_begin(reader, &with_evidence, error);
    if (status == DL_OK) {
        *ret_pass = pass;
        pass = NULL;
    }
out:
    judge_pass_destroy(pass);
    return status;
}

void judge_pass_destroy(struct judge_pass *pass)
{
    if (!pass)
        return;
    attempts_destroy(pass->attempts);
    references_destroy(pass->references);
    houses_destroy(pass->houses);
    resolvers_destroy(pass->resolvers);
    identities_destroy(pass->identities);
    follows_destroy(pass->follows);
    line_paces_destroy(pass->paces);
    free(pass->inputs);
    free(pass->lines);
    free(pass);
}

/* The flow's question; a store from which it is missing has simply none. */
static int fetch_question(struct judge_pass *pass, struct judged *judged, struct dl_error *error)
{
    const struct observation *flow = &judged->flow;
    int status = DL_NOT_FOUND;

    if (flow->dns_flow)
        status = store_reader_get(pass->reader, flow->input, flow->dns_flow, &pass->dns, error);
    judged->dns = status == DL_OK ? &pass->dns : NULL;
    return status == DL_NOT_FOUND ? DL_OK : status;
}

static struct judge_context context_of(const struct judge_pass *pass, const struct judged *judged)
{
    const struct observation *flow = &judged->flow;
    uint32_t line = pass->lines[flow->input];
    struct judge_context context = {.capture_end_us = judged->input->last_us,
                                    .dns = judged->dns,
                                    .server = references_find(pass->references, line, flow),
                                    .injectors = pass->injectors,
                                    .position = judged->input->vantage.position,
                                    .house = houses_find(pass->houses, line, flow),
                                    .one_way = is_one_way(&pass->inputs[flow->input])};

    if (flow->dns.present)
        context.resolver = resolvers_find(pass->resolvers, line, flow);
    if (flow->certificate)
        context.identity = identities_find(pass->identities, line, flow);
    context.line = line_paces_find(pass->paces, line,
                                   judged->input->vantage.position == POSITION_SUBSCRIBER, flow);
    context.followed = follows_find(pass->follows, flow);
    return context;
}

int judge_pass_next(struct judge_pass *pass, struct judged *ret_judged, struct dl_error *error)
{
    int status = store_reader_next(pass->reader, &ret_judged->flow, error);

    if (status == DL_OK)
        status = fetch_question(pass, ret_judged, error);
    if (status == DL_OK)
        status = attempts_assign(pass->attempts, &ret_judged->flow, &ret_judged->attempt_input,
                                 &ret_judged->attempt_packet);
    if (status != DL_OK)
        return status;
    ret_judged->input = store_reader_input(pass->reader, ret_judged->flow.input);
    if (!ret_judged->input)
        return dl_error_set(error, DL_CORRUPT, "flow %" PRIu32 ":%" PRIu64 " is of no input",
                            ret_judged->flow.input, ret_judged->flow.packet);
    struct judge_context context = context_of(pass, ret_judged);
    judge_flow(&ret_judged->flow, &context, &ret_judged->verdict);
    return DL_OK;
}
