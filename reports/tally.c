// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/attempt_fold.h"
#include "base/array.h"
#include "base/clock.h"

struct collector {
    struct tally *tally;
    struct store_reader *reader;
    const struct report_options *options;
    size_t *line_of_input; /* by input number */
};

/* ---- growing arrays and sets ---- */

/* A zeroed item at the end; NULL when memory is out. Grows by doubling, at powers of two. */
static void *array_add(void **items, size_t *count, size_t size)
{
    if ((*count & (*count - 1)) == 0) {
        size_t capacity = *count ? 2 * *count : 1;
        void *grown = reallocarray(*items, capacity, size);
        if (!grown)
            return NULL;
        *items = grown;
    }
    void *item = (char *)*items + (*count)++ * size;
    memset(item, 0, size);
    return item;
}

#define ARRAY_ADD(items, count) array_add((void **)&(items), &(count), sizeof(*(items)))

static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 32;
    return value ? value : 1; /* 0 is an empty slot */
}

static bool set_insert(uint64_t *slots, uint32_t capacity, uint64_t key)
{
    uint32_t at = (uint32_t)key & (capacity - 1);

    while (slots[at] != 0 && slots[at] != key)
        at = (at + 1) & (capacity - 1);
    bool fresh = slots[at] == 0;
    slots[at] = key;
    return fresh;
}

static int set_grow(struct client_set *set)
{
    uint32_t capacity = set->capacity ? 2 * set->capacity : 8;
    uint64_t *slots = calloc(capacity, sizeof(*slots));

    if (!slots)
        return -ENOMEM;
    for (uint32_t i = 0; i < set->capacity; i++)
        if (set->slots[i])
            set_insert(slots, capacity, set->slots[i]);
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    return DL_OK;
}

static int set_add(struct client_set *set, const struct endpoint *client)
{
    uint64_t words[2];

    if (set->count == TALLY_CLIENTS_MAX)
        return DL_OK;
    if (2 * set->count >= set->capacity && set_grow(set) != DL_OK)
        return -ENOMEM;
    memcpy(words, client->address.bytes, sizeof(words));
    uint64_t key =
        client->kind == ENDPOINT_PSEUDONYM ? client->pseudonym : words[0] ^ mix(words[1]);
    set->count += set_insert(set->slots, set->capacity, mix(key));
    return DL_OK;
}

/* ---- lines ---- */

static int compare_lines(const struct vantage *a, const struct vantage *b)
{
    int order = strcmp(a->carrier, b->carrier);
    if (order == 0)
        order = strcmp(a->probe_id, b->probe_id);
    return order ? order : (int)a->origin - (int)b->origin;
}

static int compare_line_items(const void *a, const void *b)
{
    return compare_lines(((const struct tally_line *)a)->vantage,
                         ((const struct tally_line *)b)->vantage);
}

static size_t find_line(const struct tally *tally, const struct vantage *vantage)
{
    size_t i = 0;
    while (i < tally->line_count && compare_lines(tally->lines[i].vantage, vantage) != 0)
        i++;
    return i;
}

static void line_take_input(struct tally_line *line, const struct input_record *input)
{
    line->inputs++;
    line->packets += input->packets;
    line->bytes += input->bytes;
    line->lost += input->lost;
    if (input->packets == 0)
        return;
    if (line->first_us == 0 || input->first_us < line->first_us)
        line->first_us = input->first_us;
    line->last_us = MAX_OF(line->last_us, input->last_us);
}

static int collect_lines(struct collector *c)
{
    struct tally *tally = c->tally;
    uint32_t count = store_reader_input_count(c->reader);

    for (uint32_t n = 1; n <= count; n++) {
        const struct input_record *input = store_reader_input(c->reader, n);
        if (find_line(tally, &input->vantage) < tally->line_count)
            continue;
        struct tally_line *line = ARRAY_ADD(tally->lines, tally->line_count);
        if (!line)
            return -ENOMEM;
        line->vantage = &input->vantage;
    }
    if (tally->line_count)
        qsort(tally->lines, tally->line_count, sizeof(*tally->lines), compare_line_items);
    c->line_of_input = calloc((size_t)count + 1, sizeof(*c->line_of_input));
    if (!c->line_of_input)
        return -ENOMEM;
    for (uint32_t n = 1; n <= count; n++) {
        const struct input_record *input = store_reader_input(c->reader, n);
        c->line_of_input[n] = find_line(tally, &input->vantage);
        line_take_input(&tally->lines[c->line_of_input[n]], input);
        if (input->vantage.origin < ARRAY_LENGTH(tally->has_origin))
            tally->has_origin[input->vantage.origin] = true;
    }
    return DL_OK;
}

static struct tally_line *line_of(const struct collector *c, uint32_t input)
{
    if (input == 0 || input > store_reader_input_count(c->reader))
        return NULL;
    return &c->tally->lines[c->line_of_input[input]];
}

/* ---- attempts ---- */

static void service_name(const struct collector *c, struct tally_service *service)
{
    const struct catalog_service *known =
        c->options->catalog ? catalog_service_find(c->options->catalog, service->id) : NULL;
    service->name = strdup(known ? known->name : service->id);
    service->class = known ? known->class : CLASS_NONE;
}

static struct tally_service *service_of(const struct collector *c, struct tally_line *line,
                                        const char *id)
{
    size_t at = 0, above = line->service_count;

    while (at < above) {
        size_t middle = at + (above - at) / 2;
        int order = strcmp(line->services[middle].id, id);
        if (order == 0)
            return &line->services[middle];
        if (order < 0)
            at = middle + 1;
        else
            above = middle;
    }
    if (!ARRAY_ADD(line->services, line->service_count))
        return NULL;
    struct tally_service *service = &line->services[at];
    memmove(service + 1, service, (line->service_count - 1 - at) * sizeof(*service));
    *service = (struct tally_service){.id = strdup(id)};
    if (service->id)
        service_name(c, service);
    return service->id && service->name ? service : NULL;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int add_failure(struct tally_service *service, const struct attempt_result *result)
{
    struct tally_failure *failure = NULL;

    for (size_t i = 0; i < service->failure_count && !failure; i++) {
        struct tally_failure *f = &service->failures[i];
        if (f->stage == result->stage && same(f->mechanism, result->mechanism) &&
            (f->mechanism || same(f->rule, result->rule)))
            failure = f;
    }
    if (!failure) {
        failure = ARRAY_ADD(service->failures, service->failure_count);
        if (!failure)
            return -ENOMEM;
        failure->stage = result->stage;
        failure->mechanism = result->mechanism;
        failure->rule = result->rule;
    }
    failure->attempts++;
    return set_add(&failure->clients, &result->client);
}

static int take_attempt(void *context, const struct attempt_result *result)
{
    struct collector *c = context;
    struct tally_line *line = line_of(c, result->input);
    struct tally_service *service = line ? service_of(c, line, result->service) : NULL;

    if (!service)
        return -ENOMEM;
    c->tally->attempts++;
    c->tally->by_outcome[result->outcome]++;
    service->attempts++;
    service->by_outcome[result->outcome]++;
    service->by_certainty[MIN_OF(result->certainty, CERTAINTY_CERTAIN)]++;
    if (set_add(&service->clients, &result->client) != DL_OK)
        return -ENOMEM;
    if (result->proven) {
        c->tally->proven++;
        line->proven++;
        if (set_add(&line->proven_clients, &result->client) != DL_OK)
            return -ENOMEM;
    }
    return result->outcome == OUTCOME_FAILED ? add_failure(service, result) : DL_OK;
}

/* A mechanism without a failure: contradicting answers, a reset after it had worked. */
static int add_remark(struct tally_service *service, const struct verdict *verdict)
{
    struct tally_remark *remark = NULL;

    for (size_t i = 0; i < service->remark_count && !remark; i++)
        if (service->remarks[i].outcome == verdict->outcome &&
            same(service->remarks[i].mechanism, verdict->mechanism))
            remark = &service->remarks[i];
    if (!remark) {
        remark = ARRAY_ADD(service->remarks, service->remark_count);
        if (!remark)
            return -ENOMEM;
        remark->mechanism = verdict->mechanism;
        remark->outcome = verdict->outcome;
    }
    remark->flows++;
    return DL_OK;
}

static int take_flow(struct collector *c, const struct judged *judged)
{
    struct tally_line *line = line_of(c, judged->flow.input);
    const struct verdict *verdict = &judged->verdict;

    c->tally->flows++;
    if (!judged->flow.service[0]) {
        c->tally->flows_of_none++;
        return DL_OK;
    }
    struct tally_service *service = line ? service_of(c, line, judged->flow.service) : NULL;
    if (!service)
        return -ENOMEM;
    service->flows++;
    if (verdict->mechanism && verdict->outcome != OUTCOME_FAILED &&
        verdict->attribution != ATTRIBUTION_CLIENT)
        return add_remark(service, verdict);
    return DL_OK;
}

static int collect_flows(struct collector *c, struct dl_error *error)
{
    struct store_query query = {.since_us = c->options->since_us, .until_us = c->options->until_us};
    struct judge_pass *pass = NULL;
    struct attempt_fold *fold = NULL;
    struct judged judged;
    const struct injector_table *known =
        c->options->catalog ? catalog_injectors(c->options->catalog) : NULL;
    int status = attempt_fold_create(&fold, take_attempt, c);

    if (status == DL_OK)
        status = judge_pass_create(&pass, c->reader, &query, known, error);
    while (status == DL_OK) {
        status = judge_pass_next(pass, &judged, error);
        if (status == DL_OK)
            status = take_flow(c, &judged);
        if (status == DL_OK)
            status = attempt_fold_add(fold, &judged);
    }
    if (status == DL_END)
        status = attempt_fold_finish(fold);
    judge_pass_destroy(pass);
    attempt_fold_destroy(fold);
    return status;
}

/* ---- what was only counted, coverage, notes ---- */

static bool is_within(const struct collector *c, int64_t from_us, int64_t to_us)
{
    const struct report_options *o = c->options;
    return (o->since_us == 0 || to_us > o->since_us) && (o->until_us == 0 || from_us < o->until_us);
}

static int add_protocol(struct tally_line *line, const struct hour_count *count, uint64_t failed)
{
    size_t i = 0;

    while (i < line->protocol_count && strcmp(line->protocols[i].name, count->protocol) != 0)
        i++;
    if (i == line->protocol_count) {
        char *name = strdup(count->protocol);
        if (!name || !ARRAY_ADD(line->protocols, line->protocol_count)) {
            free(name);
            return -ENOMEM;
        }
        line->protocols[i].name = name;
    }
    struct tally_protocol *protocol = &line->protocols[i];
    protocol->flows += count->flows;
    protocol->failed += failed;
    protocol->packets += count->packets;
    protocol->bytes += count->bytes;
    return DL_OK;
}

static int add_hour(struct tally_line *line, const struct hour_count *count)
{
    size_t at = line->hour_count;

    while (at > 0 && line->hours[at - 1].hour_us > count->hour_us)
        at--;
    if (at == 0 || line->hours[at - 1].hour_us != count->hour_us) {
        if (!ARRAY_ADD(line->hours, line->hour_count))
            return -ENOMEM;
        memmove(&line->hours[at + 1], &line->hours[at],
                (line->hour_count - 1 - at) * sizeof(*line->hours));
        line->hours[at++] = (struct tally_hour){.hour_us = count->hour_us};
    }
    struct tally_hour *hour = &line->hours[at - 1];
    hour->flows += count->flows;
    hour->packets += count->packets;
    hour->bytes += count->bytes;
    hour->clients = MAX_OF(hour->clients, count->clients);
    for (size_t stage = 0; stage < ARRAY_LENGTH(hour->failed); stage++)
        hour->failed[stage] += count->failed[stage];
    return DL_OK;
}

static int take_count(void *context, const struct hour_count *count)
{
    struct collector *c = context;
    struct tally_line *line = line_of(c, count->input);
    uint64_t failed = 0;

    if (!line || !is_within(c, count->hour_us, count->hour_us + CLOCK_HOUR_US))
        return DL_OK;
    for (size_t stage = 0; stage < ARRAY_LENGTH(count->failed); stage++)
        failed += count->failed[stage];
    int status = add_protocol(line, count, failed);
    return status == DL_OK ? add_hour(line, count) : status;
}

static int take_coverage(void *context, const struct coverage_record *record)
{
    struct collector *c = context;
    struct tally_line *line = line_of(c, record->input);

    if (!line || !is_within(c, record->from_us, record->to_us))
        return DL_OK;
    struct tally_coverage *coverage = ARRAY_ADD(line->coverage, line->coverage_count);
    if (!coverage)
        return -ENOMEM;
    *coverage = (struct tally_coverage){.input = record->input,
                                        .from_us = record->from_us,
                                        .to_us = record->to_us,
                                        .link_up = record->link_up,
                                        .packets = record->packets,
                                        .lost = record->lost};
    return DL_OK;
}

static int take_note(void *context, uint32_t input, const char *kind, uint64_t count)
{
    struct collector *c = context;
    struct tally *tally = c->tally;
    size_t i = 0;

    (void)input;
    while (i < tally->note_count && strcmp(tally->notes[i].kind, kind) != 0)
        i++;
    if (i == tally->note_count) {
        char *copy = strdup(kind);
        if (!copy || !ARRAY_ADD(tally->notes, tally->note_count)) {
            free(copy);
            return -ENOMEM;
        }
        tally->notes[i].kind = copy;
    }
    tally->notes[i].count += count;
    return DL_OK;
}

/* ---- order ---- */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_protocols(const void *a, const void *b)
{
    const struct tally_protocol *p = a, *q = b;
    int order = compare_numbers(q->flows, p->flows);
    return order ? order : strcmp(p->name, q->name);
}

static int compare_failures(const void *a, const void *b)
{
    const struct tally_failure *f = a, *g = b;
    int order = compare_numbers(g->attempts, f->attempts);
    if (order == 0)
        order = (int)f->stage - (int)g->stage;
    if (order == 0)
        order = strcmp(f->mechanism ? f->mechanism : "", g->mechanism ? g->mechanism : "");
    return order ? order : strcmp(f->rule ? f->rule : "", g->rule ? g->rule : "");
}

static int compare_remarks(const void *a, const void *b)
{
    const struct tally_remark *r = a, *s = b;
    int order = strcmp(r->mechanism, s->mechanism);
    return order ? order : (int)r->outcome - (int)s->outcome;
}

static int compare_coverage(const void *a, const void *b)
{
    const struct tally_coverage *p = a, *q = b;
    if (p->from_us != q->from_us)
        return p->from_us < q->from_us ? -1 : 1;
    return compare_numbers(p->input, q->input);
}

static int compare_notes(const void *a, const void *b)
{
    return strcmp(((const struct tally_note *)a)->kind, ((const struct tally_note *)b)->kind);
}

static void sort_items(void *items, size_t count, size_t size,
                       int (*compare)(const void *, const void *))
{
    if (count > 1)
        qsort(items, count, size, compare);
}

static void sort_tally(struct tally *tally)
{
    for (size_t i = 0; i < tally->line_count; i++) {
        struct tally_line *line = &tally->lines[i];
        sort_items(line->protocols, line->protocol_count, sizeof(*line->protocols),
                   compare_protocols);
        sort_items(line->coverage, line->coverage_count, sizeof(*line->coverage), compare_coverage);
        for (size_t s = 0; s < line->service_count; s++) {
            struct tally_service *service = &line->services[s];
            sort_items(service->failures, service->failure_count, sizeof(*service->failures),
                       compare_failures);
            sort_items(service->remarks, service->remark_count, sizeof(*service->remarks),
                       compare_remarks);
        }
    }
    sort_items(tally->notes, tally->note_count, sizeof(*tally->notes), compare_notes);
}

int tally_collect(struct tally *ret_tally, struct store_reader *reader,
                  const struct report_options *options, struct dl_error *error)
{
    struct collector c = {.tally = ret_tally, .reader = reader, .options = options};
    int status;

    memset(ret_tally, 0, sizeof(*ret_tally));
    status = collect_lines(&c);
    if (status == DL_OK)
        status = collect_flows(&c, error);
    if (status == DL_OK)
        status = store_reader_counts(reader, take_count, &c, error);
    if (status == DL_OK)
        status = store_reader_coverage(reader, take_coverage, &c, error);
    if (status == DL_OK)
        status = store_reader_notes(reader, take_note, &c, error);
    if (status == DL_OK)
        sort_tally(ret_tally);
    free(c.line_of_input);
    return status;
}

static void service_finish(struct tally_service *service)
{
    for (size_t i = 0; i < service->failure_count; i++)
        free(service->failures[i].clients.slots);
    free(service->failures);
    free(service->remarks);
    free(service->clients.slots);
    free(service->id);
    free(service->name);
}

void tally_finish(struct tally *tally)
{
    for (size_t i = 0; i < tally->line_count; i++) {
        struct tally_line *line = &tally->lines[i];
        for (size_t s = 0; s < line->service_count; s++)
            service_finish(&line->services[s]);
        for (size_t p = 0; p < line->protocol_count; p++)
            free(line->protocols[p].name);
        free(line->services);
        free(line->protocols);
        free(line->hours);
        free(line->coverage);
        free(line->proven_clients.slots);
    }
    for (size_t i = 0; i < tally->note_count; i++)
        free(tally->notes[i].kind);
    free(tally->lines);
    free(tally->notes);
    memset(tally, 0, sizeof(*tally));
}
