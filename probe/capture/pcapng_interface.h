// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The interfaces of a pcapng section, their clocks, and pcapng's integers and options.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define INTERFACES_MAX 65536u /* what the old Packet Block can name */

struct interface {
    uint32_t link_type;
    uint32_t snap_length; /* 0 for none */
    int64_t offset_us;
    uint64_t dropped_interface, dropped_system;
    uint8_t exponent; /* a tick is base^-exponent seconds */
    bool binary;      /* base 2, not 10 */
};

struct interface_table {
    struct interface *interfaces;
    uint32_t count, room;
};

struct pcapng_option {
    uint16_t code;
    struct cursor value;
};

static inline uint16_t pcapng_u16(struct cursor *c, bool big_endian)
{
    uint16_t value = cursor_le16(c);
    return big_endian ? __builtin_bswap16(value) : value;
}

static inline uint32_t pcapng_u32(struct cursor *c, bool big_endian)
{
    uint32_t value = cursor_le32(c);
    return big_endian ? __builtin_bswap32(value) : value;
}

uint64_t pcapng_u64(struct cursor *c, bool big_endian);
/* False after the last one. */
bool pcapng_next_option(struct cursor *c, bool big_endian, struct pcapng_option *ret_option);

/* Adds what an Interface Description Block says. False where it is damaged, or there is no room. */
bool interface_table_add(struct interface_table *table, struct cursor body, bool big_endian);
void interface_table_clear(struct interface_table *table);
/* Adds what all interfaces dropped. */
void interface_table_sum(const struct interface_table *table, uint64_t *interface,
                         uint64_t *system);

/* NULL for one that was not described. */
static inline struct interface *interface_table_at(const struct interface_table *table, uint32_t id)
{
    return id < table->count ? &table->interfaces[id] : NULL;
}

/* Microseconds since 1970, kept within the years that can be written. */
int64_t interface_time(const struct interface *interface, uint64_t ticks);
