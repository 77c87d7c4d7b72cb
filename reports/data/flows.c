// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The flows of an hour are gathered, written in the order of their ids, and joined to attempts in the
 * order of time, as the judge's own counts are (analyzer/detect/verdicts.c); so attempts here are
 * those of the cells. An attempt is given half a minute after it began: its flows are then among those
 * of this hour or of the one before.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/intern.h"
#include "reports/data/flows_internal.h"

#define FLOWS_MAX         (1u << 17) /* of one hour, before they are written */
#define STRINGS_MAX       (1u << 18)
#define STRING_MEMORY_MAX (32u << 20)

struct list {
    void *items;
    size_t count, capacity, size;
};

struct writing {
    struct csv csv;
    FILE *ooni;
    const struct findings *findings;
    struct intern *strings;
    struct attempt_fold *fold;
    struct list flows, before; /* struct flow_facts; of the hour, and of the one before it */
    struct list attempts;      /* struct attempt_facts; of one hour */
    int64_t hour_us, attempts_hour_us;
    struct judged judged; /* for the fold: only what it reads */
};

/* ---- lists ---- */

static void *list_add(struct list *list)
{
    if (list->count == list->capacity) {
        size_t capacity = MAX_OF(2 * list->capacity, (size_t)1024);
        void *grown = reallocarray(list->items, capacity, list->size);
        if (!grown)
            return NULL;
        list->items = grown;
        list->capacity = capacity;
    }
    return (char *)list->items + list->size * list->count++;
}

#define ORDER(a, b)                                                                                \
    do {                                                                                           \
        if ((a) != (b))                                                                            \
            return (a) < (b) ? -1 : 1;                                                             \
    } while (0)

static int by_id(const void *left, const void *right)
{
    const struct flow_facts *a = left, *b = right;
    ORDER(a->input, b->input);
    ORDER(a->packet, b->packet);
    return 0;
}

static int by_time(const void *left, const void *right)
{
    const struct flow_facts *a = *(struct flow_facts *const *)left;
    const struct flow_facts *b = *(struct flow_facts *const *)right;
    ORDER(a->start_us, b->start_us);
    return by_id(a, b);
}

/* As they are written: by input, then place. */
static int by_place(const void *left, const void *right)
{
    const struct flow_facts *a = *(struct flow_facts *const *)left;
    const struct flow_facts *b = *(struct flow_facts *const *)right;
    ORDER(a->input, b->input);
    ORDER(a->place, b->place);
    return by_id(a, b);
}

static int by_attempt(const void *left, const void *right)
{
    const struct attempt_facts *a = left, *b = right;
    ORDER(a->result.input, b->result.input);
    ORDER(a->place, b->place);
    ORDER(a->result.packet, b->result.packet);
    return strcmp(a->result.service, b->result.service);
}

/* ---- attempts ---- */

static void write_attempts(struct writing *writing)
{
    struct attempt_facts *attempts = writing->attempts.items;

    if (writing->attempts.count > 1)
        qsort(attempts, writing->attempts.count, sizeof(*attempts), by_attempt);
    for (size_t i = 0; i < writing->attempts.count; i++)
        flows_ooni_line(writing->ooni, writing->findings, &attempts[i]);
    writing->attempts.count = 0;
}

static const struct flow_facts *find_flow(const struct list *list, uint32_t input, uint64_t packet)
{
    struct flow_facts wanted = {.input = input, .packet = packet};

    return list->count ? bsearch(&wanted, list->items, list->count, list->size, by_id) : NULL;
}

static int take_attempt(void *context, const struct attempt_result *result)
{
    struct writing *writing = context;
    int64_t hour_us = clock_hour(result->start_us);
    const struct flow_facts *flow =
        find_flow(&writing->flows, result->flow_input, result->flow_packet);

    if (!writing->ooni)
        return DL_OK;
    if (!flow)
        flow = find_flow(&writing->before, result->flow_input, result->flow_packet);
    if (hour_us != writing->attempts_hour_us || writing->attempts.count == FLOWS_MAX) {
        write_attempts(writing);
        writing->attempts_hour_us = hour_us;
    }
    struct attempt_facts *attempt = list_add(&writing->attempts);
    if (!attempt)
        return -ENOMEM;
    const struct input_record *source =
        store_reader_input(writing->findings->reader, result->input);
    *attempt = (struct attempt_facts){.result = *result,
                                      .of_people = findings_is_of_people(source->vantage.origin),
                                      .place = flow_place(source, result->input, result->packet)};
    if (flow)
        attempt->decided = *flow;
    return DL_OK;
}

static int fold_flow(struct writing *writing, const struct flow_facts *flow)
{
    struct judged *judged = &writing->judged;

    judged->flow.input = flow->input;
    judged->flow.packet = flow->packet;
    judged->flow.start_us = flow->start_us;
    judged->flow.client = flow->client;
    judged->flow.server = flow->server;
    judged->flow.service = flow->service;
    judged->flow.stage = (enum stage)flow->stage;
    judged->flow.certainty = (enum certainty)flow->certainty;
    judged->flow.import.present = flow->imported;
    judged->flow.import.throttled = flow->throttled;
    judged->flow.import.voice = flow->voice;
    judged->flow.import.run = flow->run;
    judged->flow.import.blockpage.id[0] = flow->has_page ? '?' : '\0';
    judged->input = flow->source;
    judged->verdict.outcome = (enum outcome)flow->outcome;
    judged->verdict.mechanism = flow->mechanism;
    judged->verdict.attribution = (enum attribution)flow->attribution;
    judged->verdict.score = flow->score;
    judged->verdict.evidence_count = MIN_OF(flow->rule_count, 1);
    judged->verdict.evidence[0].rule = flow->rules[0];
    judged->attempt_input = flow->attempt_input;
    judged->attempt_packet = flow->attempt_packet;
    return attempt_fold_add(writing->fold, judged);
}

/* ---- an hour's flows ---- */

static int write_flow(struct writing *writing, const struct flow_facts *flow)
{
    flows_csv_row(&writing->csv, writing->findings, flow);
    return DL_OK;
}

/* Each of them, in an order of its own. */
static int each_flow(struct writing *writing, int (*compare)(const void *, const void *),
                     int (*fn)(struct writing *, const struct flow_facts *))
{
    struct flow_facts *flows = writing->flows.items, **order;
    size_t count = writing->flows.count;
    int status = DL_OK;

    if (count == 0)
        return DL_OK;
    order = calloc(count, sizeof(*order));
    if (!order)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        order[i] = &flows[i];
    qsort(order, count, sizeof(struct flow_facts *), compare);
    for (size_t i = 0; status == DL_OK && i < count; i++)
        status = fn(writing, order[i]);
    free(order);
    return status;
}

static int write_flows(struct writing *writing)
{
    struct flow_facts *flows = writing->flows.items;
    struct list before = writing->before;

    if (writing->flows.count > 1)
        qsort(flows, writing->flows.count, sizeof(*flows), by_id);
    int status = writing->csv.file ? each_flow(writing, by_place, write_flow) : DL_OK;
    if (status == DL_OK && writing->ooni)
        status = each_flow(writing, by_time, fold_flow);
    writing->before = writing->flows;
    writing->flows = before;
    writing->flows.count = 0;
    return status;
}

static const char *keep(struct writing *writing, const char *text)
{
    return intern_text(writing->strings, intern_add(writing->strings, text, strlen(text)));
}

static void fill(struct writing *writing, struct flow_facts *facts, const struct judged *judged)
{
    const struct observation *flow = &judged->flow;
    const struct verdict *verdict = &judged->verdict;
    char server[FINDINGS_SERVER_SIZE];

    *facts = (struct flow_facts){
        .input = flow->input,
        .packet = flow->packet,
        .attempt_input = judged->attempt_input,
        .attempt_packet = judged->attempt_packet,
        .start_us = flow->start_us,
        .client = flow->client,
        .server = flow->server,
        .packets = {flow->packets[0], flow->packets[1]},
        .bytes = {flow->bytes[0], flow->bytes[1]},
        .voice = flow->import.voice,
        .run = flow->import.run,
        .source = judged->input,
        .service = keep(writing, flow->service),
        .host = keep(writing, findings_public_host(writing->findings, flow)),
        .mechanism = verdict->mechanism,
        .score = verdict->score,
        .server_port = flow->server_port,
        .reasons = flow->reasons,
        .transport = (uint8_t)flow->transport,
        .stage = (uint8_t)flow->stage,
        .close = (uint8_t)flow->close,
        .role = (uint8_t)flow->role,
        .certainty = (uint8_t)flow->certainty,
        .outcome = (uint8_t)verdict->outcome,
        .attribution = (uint8_t)verdict->attribution,
        .signature = verdict->signature,
        .rule_count = MIN_OF(verdict->evidence_count, JUDGE_EVIDENCE_MAX),
        .server_is_public = findings_public_server(judged, server)[0] != '\0',
        .imported = flow->import.present,
        .throttled = flow->import.throttled,
        .has_page = flow->import.blockpage.id[0] != '\0',
        .of_people = findings_is_of_people(judged->input->vantage.origin),
        .place = flow_place(judged->input, flow->input, flow->packet),
    };
    for (unsigned i = 0; i < facts->rule_count; i++)
        facts->rules[i] = verdict->evidence[i].rule;
}

static int take_flow(void *context, const struct judged *judged)
{
    struct writing *writing = context;
    int64_t hour_us = clock_hour(judged->flow.start_us);
    int status = DL_OK;

    if (hour_us != writing->hour_us || writing->flows.count == FLOWS_MAX) {
        status = write_flows(writing);
        writing->hour_us = hour_us;
    }
    if (status != DL_OK || !judged->flow.service[0])
        return status;
    struct flow_facts *facts = list_add(&writing->flows);
    if (!facts)
        return -ENOMEM;
    fill(writing, facts, judged);
    return DL_OK;
}

/* ---- all of them ---- */

static int finish(struct writing *writing)
{
    int status = write_flows(writing);

    if (status == DL_OK)
        status = attempt_fold_finish(writing->fold);
    if (status == DL_OK)
        write_attempts(writing);
    if (status == DL_OK && ((writing->csv.file && ferror(writing->csv.file)) ||
                            (writing->ooni && ferror(writing->ooni))))
        status = -EIO;
    return status;
}

int flows_write(FILE *csv, FILE *ooni, const struct findings *findings, struct dl_error *error)
{
    struct writing *writing = calloc(1, sizeof(*writing));
    int status = writing ? DL_OK : -ENOMEM;

    if (writing) {
        writing->csv.file = csv;
        writing->ooni = ooni;
        writing->findings = findings;
        writing->flows.size = writing->before.size = sizeof(struct flow_facts);
        writing->attempts.size = sizeof(struct attempt_facts);
        status = intern_create(&writing->strings, STRINGS_MAX, STRING_MEMORY_MAX);
    }
    if (status == DL_OK)
        status = attempt_fold_create(&writing->fold, take_attempt, writing);
    if (status == DL_OK && csv)
        flows_csv_head(csv);
    if (status == DL_OK)
        status = findings_each_flow(findings, take_flow, writing, error);
    if (status == DL_OK)
        status = finish(writing);
    if (writing) {
        attempt_fold_destroy(writing->fold);
        intern_destroy(writing->strings);
        free(writing->flows.items);
        free(writing->before.items);
        free(writing->attempts.items);
        free(writing);
    }
    if (status != DL_OK && (!error || error->status != status))
        dl_error_set(error, status, "%s", dl_strerror(status));
    return status;
}

/* ---- texts of both ---- */

uint64_t flow_place(const struct input_record *source, uint32_t input, uint64_t packet)
{
    static const struct hash_key fixed = {1, 2}; /* the same store gives the same bytes */
    const uint64_t words[] = {input, packet};

    return findings_is_of_people(source->vantage.origin)
               ? hash_words(&fixed, words, ARRAY_LENGTH(words))
               : packet;
}

const char *flow_id(uint32_t input, uint64_t packet, char text[FLOW_ID_SIZE])
{
    snprintf(text, FLOW_ID_SIZE, "%" PRIu32 ":%" PRIu64, input, packet);
    return text;
}

const char *flow_server(const struct flow_facts *flow, char text[FLOW_SERVER_SIZE])
{
    char address[ADDRESS_TEXT_SIZE];

    if (!flow->server_is_public)
        return NULL;
    address_format(&flow->server.address, address);
    if (flow->server_port == 0)
        snprintf(text, FLOW_SERVER_SIZE, "%s", address);
    else
        snprintf(text, FLOW_SERVER_SIZE, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
                 flow->server_port);
    return text;
}

const char *flow_rules(const struct flow_facts *flow, char text[FLOW_RULES_SIZE])
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < flow->rule_count && used < FLOW_RULES_SIZE; i++)
        used += (size_t)snprintf(text + used, FLOW_RULES_SIZE - used, "%s%s", i ? " " : "",
                                 flow->rules[i]);
    return text;
}
