// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/judge_pass.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/attempt.h"
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
    struct direction_count *inputs; /* by number */
    uint32_t *lines;                /* by number: the first input of the same vantage */
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

/* How many handshakes make the least round trip known where no radio can have been asleep: a single
 * one may have stood in a queue, and what is then sooner than it accuses nobody. */
static uint8_t samples_firm(const struct vantage *vantage)
{
    bool wired = vantage->network == NETWORK_FIXED || vantage->network == NETWORK_TRANSIT ||
                 vantage->position == POSITION_CARRIER || vantage->position == POSITION_SERVER;
    return wired ? PROOF_SAMPLES_FIRM : 0;
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
        bool radio = !input || samples_firm(&input->vantage) == 0;
        status = references_learn(pass->references, pass->lines[flow.input], radio, &flow);
    }
    return status == DL_END ? DL_OK : status;
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
                      const struct store_query *query, struct dl_error *error)
{
    struct store_query with_evidence = *query;
    struct judge_pass *pass = calloc(1, sizeof(*pass));
    int status = -ENOMEM;

    if (!pass)
        goto out;
    pass->reader = reader;
    pass->inputs = calloc(store_reader_input_count(reader) + 1, sizeof(*pass->inputs));
    pass->lines = calloc(store_reader_input_count(reader) + 1, sizeof(*pass->lines));
    if (!pass->inputs || !pass->lines)
        goto out;
    number_lines(pass);
    status = attempts_create(&pass->attempts);
    if (status == DL_OK)
        status = references_create(&pass->references);
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
    struct judge_context context = {.samples_firm = samples_firm(&ret_judged->input->vantage),
                                    .capture_end_us = ret_judged->input->last_us,
                                    .dns = ret_judged->dns,
                                    .position = ret_judged->input->vantage.position,
                                    .server = references_find(pass->references,
                                                              pass->lines[ret_judged->flow.input],
                                                              &ret_judged->flow),
                                    .one_way = is_one_way(&pass->inputs[ret_judged->flow.input])};
    judge_flow(&ret_judged->flow, &context, &ret_judged->verdict);
    return DL_OK;
}
