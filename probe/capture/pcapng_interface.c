// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/capture/pcapng_interface.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"

enum option_code { OPTION_END = 0, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14 };

#define RESOLUTION_DEFAULT 6u /* microseconds */
#define RESOLUTION_BINARY  0x80u
#define FRACTION_BITS      43u /* 2^43 parts of a second times 10^6 fit 63 bits */
#define EXPONENT_DECIMAL   19u /* 10^19 is the last power of ten in 64 bits */
#define TIME_MAX_US        INT64_C(253402300799999999) /* end of the year 9999 */
#define LINK_TYPE_UNKNOWN  UINT32_MAX
#define OFFSET_MAX_S       INT64_C(253402300799)

uint64_t pcapng_u64(struct cursor *c, bool big_endian)
{
    uint64_t first = pcapng_u32(c, big_endian);
    uint64_t second = pcapng_u32(c, big_endian);
    return big_endian ? first << 32 | second : second << 32 | first;
}

bool pcapng_next_option(struct cursor *c, bool big_endian, struct pcapng_option *ret_option)
{
    uint16_t code = pcapng_u16(c, big_endian);
    uint16_t length = pcapng_u16(c, big_endian);
    struct cursor value = cursor_sub(c, length);
    bool found = cursor_ok(c) && code != OPTION_END;
    if (found) {
        size_t padding = -(size_t)length & 3;
        cursor_skip(c, MIN_OF(padding, cursor_left(c)));
        *ret_option = (struct pcapng_option){code, value};
    }
    return found;
}

static void read_option(struct interface *interface, struct pcapng_option *option, bool big_endian)
{
    if (option->code == OPTION_RESOLUTION && cursor_left(&option->value) == 1) {
        uint8_t resolution = cursor_u8(&option->value);
        interface->binary = (resolution & RESOLUTION_BINARY) != 0;
        interface->exponent = resolution & ~RESOLUTION_BINARY;
    } else if (option->code == OPTION_OFFSET && cursor_left(&option->value) == 8) {
        int64_t seconds = (int64_t)pcapng_u64(&option->value, big_endian);
        seconds = MIN_OF(MAX_OF(seconds, -OFFSET_MAX_S), OFFSET_MAX_S);
        interface->offset_us = seconds * CLOCK_SECOND_US;
    }
}

/* Room for one more. */
static bool grow(struct interface_table *table)
{
    if (table->count < table->room) {
        return true;
    }
    uint32_t room = table->room == 0 ? 4 : table->room * 2;
    struct interface *grown = NULL;
    if (room <= INTERFACES_MAX) {
        grown = reallocarray(table->interfaces, room, sizeof(*grown));
    }
    if (grown) {
        table->interfaces = grown;
        table->room = room;
    }
    return grown != NULL;
}

bool interface_table_add(struct interface_table *table, struct cursor body, bool big_endian)
{
    struct interface interface = {.exponent = RESOLUTION_DEFAULT};
    interface.link_type = pcapng_u16(&body, big_endian);
    cursor_skip(&body, 2);
    interface.snap_length = pcapng_u32(&body, big_endian);
    bool whole = cursor_ok(&body);
    if (!whole) {
        interface.link_type =
            LINK_TYPE_UNKNOWN; /* it keeps its number: the next ones count on it */
    }
    if (!grow(table)) {
        return false;
    }
    struct pcapng_option option;
    while (pcapng_next_option(&body, big_endian, &option)) {
        read_option(&interface, &option, big_endian);
    }
    table->interfaces[table->count++] = interface;
    return whole;
}

void interface_table_clear(struct interface_table *table)
{
    free(table->interfaces);
    *table = (struct interface_table){0};
}

void interface_table_sum(const struct interface_table *table, uint64_t *interface, uint64_t *system)
{
    for (uint32_t i = 0; i < table->count; i++) {
        *interface += table->interfaces[i].dropped_interface;
        *system += table->interfaces[i].dropped_system;
    }
}

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;
    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

static uint64_t microseconds_decimal(unsigned exponent, uint64_t ticks)
{
    uint64_t us;
    if (exponent >= 6) {
        us = exponent - 6 > EXPONENT_DECIMAL ? 0 : ticks / power_of_ten(exponent - 6);
    } else if (__builtin_mul_overflow(ticks, power_of_ten(6 - exponent), &us)) {
        us = UINT64_MAX;
    }
    return us;
}

static uint64_t microseconds_binary(unsigned exponent, uint64_t ticks)
{
    uint64_t seconds = exponent > 63 ? 0 : ticks >> exponent;
    uint64_t fraction = exponent > 63 ? ticks : ticks & ((UINT64_C(1) << exponent) - 1);
    if (exponent > FRACTION_BITS) {
        unsigned beyond = exponent - FRACTION_BITS;
        fraction = beyond > 63 ? 0 : fraction >> beyond;
        exponent = FRACTION_BITS;
    }
    uint64_t us;
    if (__builtin_mul_overflow(seconds, (uint64_t)CLOCK_SECOND_US, &us)) {
        us = UINT64_MAX - (uint64_t)CLOCK_SECOND_US;
    }
    return us + (fraction * (uint64_t)CLOCK_SECOND_US >> exponent);
}

int64_t interface_time(const struct interface *interface, uint64_t ticks)
{
    uint64_t us = ticks;
    if (interface->binary) {
        us = microseconds_binary(interface->exponent, ticks);
    } else if (interface->exponent == 9) {
        us = ticks / 1000; /* the common one, by a constant */
    } else if (interface->exponent != RESOLUTION_DEFAULT) {
        us = microseconds_decimal(interface->exponent, ticks);
    }
    int64_t time_us = (int64_t)MIN_OF(us, (uint64_t)TIME_MAX_US) + interface->offset_us;
    return MIN_OF(MAX_OF(time_us, -TIME_MAX_US), TIME_MAX_US);
}
