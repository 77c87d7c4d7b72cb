// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The flow table: keyed (SipHash), open addressing, bounded, with one least-recently-seen list for
 * each class of flow.
 *
 * Time is the capture's. A flow that is silent for its class's timeout leaves through the `ended`
 * callback with CLOSE_IDLE (or what closed it). When the table is full one leaves with
 * CLOSE_EVICTED: the least recently seen of the classes that anybody can fill without an answer
 * (closed, opening, datagrams, questions) and that hold more than their part of the table, so that
 * floods and scans push out each other and not who talks; else the least recently seen of all. The
 * callback is the last who sees the flow; it must
 * give back its parts. Pointers to flows stay valid until the flow ends.
 */
#include "probe/flow/flow.h"

struct flow_table;

typedef void (*flow_ended_fn)(void *context, struct flow *flow, enum close_reason reason);

/* This one will soon end, perhaps: the place to ask for its parts from memory. */
typedef void (*flow_ending_fn)(void *context, const struct flow *flow);

struct flow_table_options {
    uint32_t maximum;                     /* flows at once */
    int64_t timeout_us[FLOW_CLASS_COUNT]; /* 0: the default of the class */
    flow_ended_fn ended;
    flow_ending_fn ending; /* may be NULL */
    void *context;
};

int flow_table_create(struct flow_table **ret_table, const struct flow_table_options *options);
void flow_table_destroy(struct flow_table *table); /* ends nothing: flow_table_end_all() first */

struct flow_lookup { /* where a packet belongs */
    uint32_t hash;
    uint32_t sub;
    bool from_high; /* the packet's source is the key's high end */
};

/* Computes a packet's key; `sub` as in struct flow. */
struct flow_lookup flow_table_key(const struct flow_table *table, const struct address *source,
                                  uint16_t source_port, const struct address *destination,
                                  uint16_t destination_port, uint8_t transport, uint32_t sub);
/* A 32-bit keyed hash of a DNS question, never 0. */
uint32_t flow_table_hash_question(const struct flow_table *table, uint16_t id, uint16_t type,
                                  const char *name);

struct flow *flow_table_find(struct flow_table *table, const struct flow_lookup *lookup,
                             const struct address *source, uint16_t source_port,
                             const struct address *destination, uint16_t destination_port,
                             uint8_t transport);
/* For who looks up several packets in turn: brings into the cache where the first look falls; then,
 * once that is there, the flow it leads to. NULL where none is seen at a glance: only a hint. */
void flow_table_prefetch(const struct flow_table *table, const struct flow_lookup *lookup);
struct flow *flow_table_prefetch_flow(const struct flow_table *table,
                                      const struct flow_lookup *lookup);
/* Is it this key's flow? Of one that has ended since it was looked at: no. */
static inline bool flow_table_is(const struct flow *flow, const struct flow_lookup *lookup,
                                 const struct address *source, uint16_t source_port,
                                 const struct address *destination, uint16_t destination_port,
                                 uint8_t transport)
{
    bool high = lookup->from_high;
    return flow->transport == transport && flow->sub == lookup->sub &&
           flow->low_port == (high ? destination_port : source_port) &&
           flow->high_port == (high ? source_port : destination_port) &&
           address_equal(&flow->low, high ? destination : source) &&
           address_equal(&flow->high, high ? source : destination);
}
/* A new flow for this key (which must not be there), evicting another one if the table is full.
 * NULL only when memory is out. */
struct flow *flow_table_add(struct flow_table *table, const struct flow_lookup *lookup,
                            const struct address *source, uint16_t source_port,
                            const struct address *destination, uint16_t destination_port,
                            uint8_t transport, enum flow_class flow_class, int64_t time_us);
/* Notes that the flow was seen at this time, moving it in its list. */
void flow_table_touch(struct flow_table *table, struct flow *flow, int64_t time_us);
/* Moves the flow to another class. */
void flow_table_set_class(struct flow_table *table, struct flow *flow, enum flow_class flow_class);
/* Has the flow been silent for its class's timeout at this time? */
bool flow_table_is_overdue(const struct flow_table *table, const struct flow *flow, int64_t now_us);
/* Ends one flow now. */
void flow_table_end(struct flow_table *table, struct flow *flow, enum close_reason reason);
/* Ends the least recently seen flow of the class with CLOSE_EVICTED, where a part of it is wanted;
 * false where there is none. */
bool flow_table_evict(struct flow_table *table, enum flow_class flow_class);
/* Ends what has been silent too long at this capture time; at most `limit` flows, so that no batch
 * takes long. Returns how many ended. */
size_t flow_table_expire(struct flow_table *table, int64_t now_us, size_t limit);
/* Ends every flow, oldest first packet first within each class. */
void flow_table_end_all(struct flow_table *table, enum close_reason reason);

uint32_t flow_table_count(const struct flow_table *table);
uint32_t flow_table_peak(const struct flow_table *table);
uint64_t flow_table_evicted(const struct flow_table *table);
size_t flow_table_memory(const struct flow_table *table);
