// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/flow/table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/pages.h"
#include "base/status.h"

/* A slot of the index: the flow's number and its hash: most misses cost no look at the flow. */
struct slot {
    uint32_t flow;
    uint32_t hash;
};

struct list {
    uint32_t oldest, newest, count;
};

struct flow_table {
    struct pool flows;
    struct slot *slots;
    uint32_t slot_mask;
    struct list lists[FLOW_CLASS_COUNT];
    int64_t timeout_us[FLOW_CLASS_COUNT];
    struct hash_key key;
    flow_ended_fn ended;
    flow_ending_fn ending;
    void *context;
    uint64_t evicted;
};

#define SLOTS_START 4096u
#define CACHE_LINE  64u
#define NOBODYS     UINT8_MAX /* a transport that no packet has */
/* Within one grain a flow seen again keeps its place in the list: order need not be finer. */
#define TOUCH_GRAIN_US CLOCK_SECOND_US

static const int64_t default_timeout_us[FLOW_CLASS_COUNT] = {
    /* Linux waits up to 64 s between SYN retransmissions. */
    [FLOW_CLASS_OPENING] = 70 * CLOCK_SECOND_US,
    /* Messaging lines keep silent for a long time: keepalives of 15 to 30 minutes are in use. */
    [FLOW_CLASS_ESTABLISHED] = 3600 * CLOCK_SECOND_US,
    [FLOW_CLASS_CLOSED] = 10 * CLOCK_SECOND_US,
    [FLOW_CLASS_DATAGRAM] = 120 * CLOCK_SECOND_US,
    /* Resolvers ask again after 5 s; a late second answer is evidence. */
    [FLOW_CLASS_QUESTION] = 10 * CLOCK_SECOND_US,
    [FLOW_CLASS_DIALOGUE] = 120 * CLOCK_SECOND_US,
    [FLOW_CLASS_SOUGHT] = 70 * CLOCK_SECOND_US,
};

/* One in so many flows may be of this class before it must give way to others; 0: it never must.
 * So much is theirs even where talkers fill the table: who is new has the time to be answered. */
static const uint32_t part_of_table[FLOW_CLASS_COUNT] = {
    [FLOW_CLASS_OPENING] = 8,  [FLOW_CLASS_CLOSED] = 16, [FLOW_CLASS_DATAGRAM] = 8,
    [FLOW_CLASS_QUESTION] = 8, [FLOW_CLASS_SOUGHT] = 8,
};

static struct flow *flow_at(const struct flow_table *table, uint32_t number)
{
    return pool_at(&table->flows, number);
}

int flow_table_create(struct flow_table **ret_table, const struct flow_table_options *options)
{
    int status;
    struct flow_table *table = calloc(1, sizeof(*table));
    if (!table)
        return -ENOMEM;
    table->slots = pages_take(SLOTS_START * sizeof(struct slot));
    table->slot_mask = SLOTS_START - 1;
    status =
        table->slots ? pool_init(&table->flows, sizeof(struct flow), options->maximum) : -ENOMEM;
    if (status == DL_OK)
        status = hash_key_random(&table->key);
    if (status != DL_OK) {
        flow_table_destroy(table);
        return status;
    }
    table->ended = options->ended;
    table->ending = options->ending;
    table->context = options->context;
    for (int i = 0; i < FLOW_CLASS_COUNT; i++)
        table->timeout_us[i] =
            options->timeout_us[i] ? options->timeout_us[i] : default_timeout_us[i];
    *ret_table = table;
    return DL_OK;
}

static void slots_give(struct flow_table *table)
{
    pages_give(table->slots, ((size_t)table->slot_mask + 1) * sizeof(*table->slots));
}

void flow_table_destroy(struct flow_table *table)
{
    if (!table)
        return;
    pool_finish(&table->flows);
    slots_give(table);
    free(table);
}

/* Is (a, a_port) above (b, b_port)? Any order will do that is the same for both directions. */
static bool is_above(const struct address *a, uint16_t a_port, const struct address *b,
                     uint16_t b_port)
{
    uint64_t a_words[2], b_words[2];
    memcpy(a_words, a->bytes, 16);
    memcpy(b_words, b->bytes, 16);
    if (a_words[1] != b_words[1])
        return a_words[1] > b_words[1];
    if (a_words[0] != b_words[0])
        return a_words[0] > b_words[0];
    return a_port > b_port;
}

struct flow_lookup flow_table_key(const struct flow_table *table, const struct address *source,
                                  uint16_t source_port, const struct address *destination,
                                  uint16_t destination_port, uint8_t transport, uint32_t sub)
{
    struct flow_lookup lookup = {.sub = sub};
    lookup.from_high = is_above(source, source_port, destination, destination_port);
    const struct address *low = lookup.from_high ? destination : source;
    const struct address *high = lookup.from_high ? source : destination;
    uint64_t words[6], rest = (uint64_t)transport << 32;
    rest |= lookup.from_high ? (uint64_t)destination_port << 16 | source_port
                             : (uint64_t)source_port << 16 | destination_port;
    if (sub == 0 && address_is_v4(low) &&
        address_is_v4(high)) { /* nearly all: no word for nothing */
        memcpy(words, low->bytes + 12, 4);
        memcpy((uint8_t *)words + 4, high->bytes + 12, 4);
        words[1] = rest;
        lookup.hash = (uint32_t)hash_words(&table->key, words, 2);
    } else {
        memcpy(words, low->bytes, 16);
        memcpy(words + 2, high->bytes, 16);
        words[4] = rest;
        words[5] = sub;
        lookup.hash = (uint32_t)hash_words(&table->key, words, 6);
    }
    return lookup;
}

uint32_t flow_table_hash_question(const struct flow_table *table, uint16_t id, uint16_t type,
                                  const char *name)
{
    uint64_t words[2] = {hash_bytes(&table->key, name, strlen(name)), (uint64_t)id << 16 | type};
    uint32_t hash = (uint32_t)hash_words(&table->key, words, 2);
    return hash ? hash : 1;
}

struct flow *flow_table_find(struct flow_table *table, const struct flow_lookup *lookup,
                             const struct address *source, uint16_t source_port,
                             const struct address *destination, uint16_t destination_port,
                             uint8_t transport)
{
    for (uint32_t at = lookup->hash & table->slot_mask;; at = (at + 1) & table->slot_mask) {
        const struct slot *slot = &table->slots[at];
        if (slot->flow == POOL_NONE)
            return NULL;
        if (slot->hash != lookup->hash)
            continue;
        struct flow *flow = flow_at(table, slot->flow);
        if (flow_table_is(flow, lookup, source, source_port, destination, destination_port,
                          transport))
            return flow;
    }
}

void flow_table_prefetch(const struct flow_table *table, const struct flow_lookup *lookup)
{
    __builtin_prefetch(&table->slots[lookup->hash & table->slot_mask]);
}

struct flow *flow_table_prefetch_flow(const struct flow_table *table,
                                      const struct flow_lookup *lookup)
{
    uint32_t at = lookup->hash & table->slot_mask;
    while (table->slots[at].flow != POOL_NONE && table->slots[at].hash != lookup->hash)
        at = (at + 1) & table->slot_mask;
    if (table->slots[at].flow == POOL_NONE)
        return NULL;
    struct flow *flow = flow_at(table, table->slots[at].flow);
    __builtin_prefetch(flow, 1);
    __builtin_prefetch((const char *)flow + CACHE_LINE, 1);
    return flow;
}

static void slot_insert(struct slot *slots, uint32_t mask, uint32_t flow, uint32_t hash)
{
    uint32_t at = hash & mask;
    while (slots[at].flow != POOL_NONE)
        at = (at + 1) & mask;
    slots[at] = (struct slot){.flow = flow, .hash = hash};
}

/* Doubles the index when it is half full; without memory it goes on up to seven eighths. */
static int slots_grow(struct flow_table *table)
{
    uint32_t count = table->slot_mask + 1;
    if (table->flows.taken < count / 2)
        return DL_OK;
    struct slot *slots =
        count <= UINT32_MAX / 4 ? pages_take((size_t)count * 2 * sizeof(*slots)) : NULL;
    if (!slots)
        return table->flows.taken < count / 8 * 7 ? DL_OK : -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        if (table->slots[i].flow != POOL_NONE)
            slot_insert(slots, count * 2 - 1, table->slots[i].flow, table->slots[i].hash);
    slots_give(table);
    table->slots = slots;
    table->slot_mask = count * 2 - 1;
    return DL_OK;
}

/* Takes a slot out and closes the gap, so that no tombstones are needed. */
static void slot_remove(struct flow_table *table, uint32_t number, uint32_t hash)
{
    uint32_t mask = table->slot_mask;
    uint32_t hole = hash & mask;
    while (table->slots[hole].flow != number)
        hole = (hole + 1) & mask;
    for (uint32_t at = (hole + 1) & mask; table->slots[at].flow != POOL_NONE;
         at = (at + 1) & mask) {
        uint32_t home = table->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            table->slots[hole] = table->slots[at];
            hole = at;
        }
    }
    table->slots[hole] = (struct slot){0};
}

static void list_remove(struct flow_table *table, struct flow *flow)
{
    struct list *list = &table->lists[flow->flow_class];
    if (flow->older)
        flow_at(table, flow->older)->newer = flow->newer;
    else
        list->oldest = flow->newer;
    if (flow->newer)
        flow_at(table, flow->newer)->older = flow->older;
    else
        list->newest = flow->older;
    list->count--;
    flow->older = flow->newer = POOL_NONE;
}

static void list_append(struct flow_table *table, struct flow *flow, uint32_t number)
{
    struct list *list = &table->lists[flow->flow_class];
    flow->older = list->newest;
    flow->newer = POOL_NONE;
    if (list->newest)
        flow_at(table, list->newest)->newer = number;
    else
        list->oldest = number;
    list->newest = number;
    list->count++;
}

/* A flow knows its neighbours but not its own number: they know it. */
static uint32_t flow_number(const struct flow_table *table, const struct flow *flow)
{
    if (flow->older)
        return flow_at(table, flow->older)->newer;
    return table->lists[flow->flow_class].oldest;
}

/* The least recently seen flow, of all classes or of those that hold more than their part. */
static struct flow *victim_of(const struct flow_table *table, bool of_greedy)
{
    struct flow *victim = NULL;
    for (int i = 0; i < FLOW_CLASS_COUNT; i++) {
        const struct list *list = &table->lists[i];
        bool greedy = part_of_table[i] && list->count > table->flows.maximum / part_of_table[i];
        if (!list->oldest || (of_greedy && !greedy))
            continue;
        struct flow *flow = flow_at(table, list->oldest);
        if (!victim || flow->last_us < victim->last_us)
            victim = flow;
    }
    return victim;
}

static void evict_one(struct flow_table *table)
{
    struct flow *victim = victim_of(table, true);
    if (!victim)
        victim = victim_of(table, false);
    if (victim) {
        table->evicted++;
        flow_table_end(table, victim, CLOSE_EVICTED);
    }
}

struct flow *flow_table_add(struct flow_table *table, const struct flow_lookup *lookup,
                            const struct address *source, uint16_t source_port,
                            const struct address *destination, uint16_t destination_port,
                            uint8_t transport, enum flow_class flow_class, int64_t time_us)
{
    if (table->flows.taken >= table->flows.maximum)
        evict_one(table);
    if (slots_grow(table) != DL_OK)
        evict_one(table);
    uint32_t number = pool_take(&table->flows);
    if (number == POOL_NONE)
        return NULL;
    struct flow *flow = flow_at(table, number);
    flow->low = lookup->from_high ? *destination : *source;
    flow->high = lookup->from_high ? *source : *destination;
    flow->low_port = lookup->from_high ? destination_port : source_port;
    flow->high_port = lookup->from_high ? source_port : destination_port;
    flow->sub = lookup->sub;
    flow->transport = transport;
    flow->hash = lookup->hash;
    flow->flow_class = (uint8_t)flow_class;
    flow->start_us = flow->last_us = time_us;
    slot_insert(table->slots, table->slot_mask, number, lookup->hash);
    list_append(table, flow, number);
    return flow;
}

void flow_table_touch(struct flow_table *table, struct flow *flow, int64_t time_us)
{
    int64_t before = flow->last_us;
    if (time_us <= before)
        return;
    flow->last_us = time_us;
    /* By the clock's grain, not by the last packet: a busy flow must move too. */
    if (flow->newer && time_us / TOUCH_GRAIN_US != before / TOUCH_GRAIN_US) {
        uint32_t number = flow_number(table, flow);
        list_remove(table, flow);
        list_append(table, flow, number);
    }
}

void flow_table_set_class(struct flow_table *table, struct flow *flow, enum flow_class flow_class)
{
    if (flow->flow_class == flow_class)
        return;
    uint32_t number = flow_number(table, flow);
    list_remove(table, flow);
    flow->flow_class = (uint8_t)flow_class;
    list_append(table, flow, number);
}

void flow_table_end(struct flow_table *table, struct flow *flow, enum close_reason reason)
{
    uint32_t number = flow_number(table, flow);
    slot_remove(table, number, flow->hash);
    list_remove(table, flow);
    table->ended(table->context, flow, reason);
    flow->transport = NOBODYS; /* flow_table_is() says no of it from now on */
    pool_give(&table->flows, number);
}

bool flow_table_evict(struct flow_table *table, enum flow_class flow_class)
{
    uint32_t oldest = table->lists[flow_class].oldest;
    if (!oldest)
        return false;
    table->evicted++;
    flow_table_end(table, flow_at(table, oldest), CLOSE_EVICTED);
    return true;
}

bool flow_table_is_overdue(const struct flow_table *table, const struct flow *flow, int64_t now_us)
{
    return now_us - flow->last_us >= table->timeout_us[flow->flow_class];
}

/* Flows that end one after the other lie anywhere: asks for what the next but one needs. */
static void prefetch_after(const struct flow_table *table, const struct flow *flow)
{
    const struct flow *next = flow->newer ? flow_at(table, flow->newer) : NULL;
    if (!next || !next->newer)
        return;
    const struct flow *later = flow_at(table, next->newer);
    __builtin_prefetch(later, 1);
    __builtin_prefetch((const char *)later + CACHE_LINE, 1);
    __builtin_prefetch(&table->slots[next->hash & table->slot_mask], 1);
    if (table->ending)
        table->ending(table->context, next);
}

size_t flow_table_expire(struct flow_table *table, int64_t now_us, size_t limit)
{
    size_t ended = 0;
    for (int i = 0; i < FLOW_CLASS_COUNT; i++) {
        while (ended < limit && table->lists[i].oldest) {
            struct flow *flow = flow_at(table, table->lists[i].oldest);
            if (!flow_table_is_overdue(table, flow, now_us))
                break;
            prefetch_after(table, flow);
            flow_table_end(table, flow, CLOSE_IDLE);
            ended++;
        }
    }
    return ended;
}

void flow_table_end_all(struct flow_table *table, enum close_reason reason)
{
    for (int i = 0; i < FLOW_CLASS_COUNT; i++)
        while (table->lists[i].oldest) {
            struct flow *flow = flow_at(table, table->lists[i].oldest);
            prefetch_after(table, flow);
            flow_table_end(table, flow, reason);
        }
}

uint32_t flow_table_count(const struct flow_table *table)
{
    return table->flows.taken;
}

uint32_t flow_table_peak(const struct flow_table *table)
{
    return table->flows.peak;
}

uint64_t flow_table_evicted(const struct flow_table *table)
{
    return table->evicted;
}

size_t flow_table_memory(const struct flow_table *table)
{
    return pool_memory(&table->flows) + (size_t)(table->slot_mask + 1) * sizeof(struct slot);
}
