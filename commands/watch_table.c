// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/watch_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/judge_pass.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/store.h"

#define CLIENTS_START (1u << 12)
#define CLIENTS_MOST  (1u << 20) /* pairs of service and client told apart: 8 MiB */
#define OTHERS        "others"
#define NO_SERVICE    "(no service)"

/* ---- who was met: keyed hashes, thrown away with the table ---- */

struct client_set {
    uint64_t *slots; /* 0: empty */
    size_t count, size;
    struct hash_key key;
    bool cut;
};

static bool slot_put(uint64_t *slots, size_t size, uint64_t value)
{
    size_t at = value & (size - 1);
    while (slots[at] && slots[at] != value)
        at = (at + 1) & (size - 1);
    if (slots[at])
        return false;
    slots[at] = value;
    return true;
}

/* Was it new? Also false, and told, where there is no room. */
static bool client_set_add(struct client_set *set, const struct endpoint *client, uint64_t group)
{
    uint64_t words[4] = {group, client->pseudonym, 0, 0};
    if (client->kind == ENDPOINT_NONE)
        return false;
    if (client->kind == ENDPOINT_ADDRESS)
        memcpy(words + 2, client->address.bytes, 16);
    uint64_t value = hash_words(&set->key, words, 4);
    if (set->count * 2 >= set->size) {
        size_t size = set->size * 2;
        uint64_t *slots = size <= CLIENTS_MOST ? calloc(size, sizeof(*slots)) : NULL;
        if (!slots) {
            set->cut = true;
            return false;
        }
        for (size_t i = 0; i < set->size; i++)
            if (set->slots[i])
                slot_put(slots, size, set->slots[i]);
        free(set->slots);
        set->slots = slots;
        set->size = size;
    }
    bool is_new = slot_put(set->slots, set->size, value ? value : 1);
    set->count += is_new;
    return is_new;
}

/* ---- flows ---- */

static size_t mechanism_index(const char *mechanism)
{
    const char *at;
    for (size_t i = 0; (at = judge_mechanism_at(i)) != NULL && i < WATCH_MECHANISMS_MAX; i++)
        if (strcmp(at, mechanism) == 0)
            return i;
    return WATCH_MECHANISMS_MAX;
}

static struct watch_service *service_of(struct watch_table *table, const char *id)
{
    const char *name = id[0] ? id : NO_SERVICE;
    for (size_t i = 0; i < table->service_count; i++)
        if (strcmp(table->services[i].id, name) == 0)
            return &table->services[i];
    if (table->service_count == WATCH_SERVICES_MAX)
        return &table->services[WATCH_SERVICES_MAX - 1];
    if (table->service_count == WATCH_SERVICES_MAX - 1)
        name = OTHERS;
    struct watch_service *service = &table->services[table->service_count++];
    snprintf(service->id, sizeof(service->id), "%s", name);
    return service;
}

static void take_flow(struct watch_table *table, struct client_set *clients,
                      const struct judged *judged)
{
    const struct observation *flow = &judged->flow;
    struct watch_service *service = service_of(table, flow->service);
    bool ok = judged->verdict.outcome == OUTCOME_OK;
    bool failed = judged->verdict.outcome == OUTCOME_FAILED;
    service->flows++;
    service->ok += ok;
    service->failed += failed;
    table->flows++;
    table->ok += ok;
    table->failed += failed;
    service->last_us = MAX_OF(service->last_us, flow->start_us);
    service->clients +=
        client_set_add(clients, &flow->client, (uint64_t)(service - table->services) + 1);
    table->clients += client_set_add(clients, &flow->client, 0);
    size_t mechanism = failed && judged->verdict.mechanism
                           ? mechanism_index(judged->verdict.mechanism)
                           : WATCH_MECHANISMS_MAX;
    if (mechanism < WATCH_MECHANISMS_MAX)
        service->by_mechanism[mechanism]++;
}

static int take_flows(struct watch_table *table, struct store_reader *reader,
                      const struct watch_query *query, struct dl_error *error)
{
    struct client_set clients = {.size = CLIENTS_START};
    const struct store_query window = {.since_us = table->from_us, .until_us = query->until_us};
    struct judge_pass *pass = NULL;
    struct judged judged;
    int status = hash_key_random(&clients.key);
    clients.slots = calloc(clients.size, sizeof(*clients.slots));
    if (status == DL_OK && !clients.slots)
        status = -ENOMEM;
    if (status == DL_OK)
        status = judge_pass_create(&pass, reader, &window, query->injectors, error);
    while (status == DL_OK) {
        status = judge_pass_next(pass, &judged, error);
        if (status == DL_OK)
            take_flow(table, &clients, &judged);
    }
    judge_pass_destroy(pass);
    table->clients_cut = clients.cut;
    free(clients.slots);
    return status == DL_END ? DL_OK : status;
}

static int most_failures_first(const void *left, const void *right)
{
    const struct watch_service *a = left, *b = right;
    if (a->failed != b->failed)
        return a->failed > b->failed ? -1 : 1;
    if (a->flows != b->flows)
        return a->flows > b->flows ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* ---- inputs and their coverage ---- */

static void take_inputs(struct watch_table *table, const struct store_reader *reader)
{
    uint32_t count = store_reader_input_count(reader);
    table->inputs = count;
    for (uint32_t i = count; i >= 1; i--) {
        const struct input_record *input = store_reader_input(reader, i);
        bool under_way = !input->complete && input->status == DL_OK;
        table->to_us = MAX_OF(table->to_us, input->last_us);
        if (table->line_count == WATCH_LINES_MAX || (table->line_count > 0 && !under_way))
            continue;
        struct watch_line *line = &table->lines[table->line_count++];
        snprintf(line->name, sizeof(line->name), "%.31s", input->path);
        snprintf(line->carrier, sizeof(line->carrier), "%.40s%s%s",
                 input->vantage.carrier[0] ? input->vantage.carrier : "",
                 input->vantage.carrier[0] && input->vantage.country[0] ? ", " : "",
                 input->vantage.country);
        line->input = i;
        line->under_way = under_way;
        line->packets = input->packets;
        line->lost = input->lost;
        line->last_us = input->last_us;
        line->mpps = -1;
    }
}

/* The last span of each line says of its link and, until there is a second table, of its speed. */
static int take_coverage(void *context, const struct coverage_record *coverage)
{
    struct watch_table *table = context;
    int64_t span_us = coverage->to_us - coverage->from_us;
    for (size_t i = 0; i < table->line_count; i++) {
        struct watch_line *line = &table->lines[i];
        if (line->input != coverage->input)
            continue;
        line->link_known = true;
        line->link_up = coverage->link_up;
        if (span_us > 0)
            line->mpps = (double)coverage->packets / (double)span_us;
    }
    return DL_OK;
}

static void take_speed(struct watch_table *table, const struct watch_table *before,
                       int64_t elapsed_us)
{
    for (size_t i = 0; before && elapsed_us > 0 && i < table->line_count; i++) {
        struct watch_line *line = &table->lines[i];
        const struct watch_line *was = i < before->line_count ? &before->lines[i] : NULL;
        if (was && was->input == line->input && line->packets >= was->packets)
            line->mpps = (double)(line->packets - was->packets) / (double)elapsed_us;
    }
}

int watch_table_read(struct watch_table *ret_table, const struct watch_query *query,
                     const struct watch_table *before, int64_t elapsed_us, struct dl_error *error)
{
    struct store_reader *reader = NULL;
    struct watch_table *table = calloc(1, sizeof(*table));
    int status = table ? store_reader_open(&reader, &query->store, 1, error) : -ENOMEM;
    if (status != DL_OK)
        goto done;
    take_inputs(table, reader);
    if (query->until_us)
        table->to_us = query->until_us;
    if (query->since_us || query->until_us)
        table->from_us = query->since_us;
    else if (query->window_us)
        table->from_us = MAX_OF(table->to_us - query->window_us, 1);
    status = store_reader_coverage(reader, take_coverage, table, error);
    if (status == DL_OK)
        status = take_flows(table, reader, query, error);
    if (status == DL_OK) {
        qsort(table->services, table->service_count, sizeof(table->services[0]),
              most_failures_first);
        take_speed(table, before, elapsed_us);
        *ret_table = *table;
    }
done:
    store_reader_close(reader);
    free(table);
    return status;
}
