// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "catalog/catalog_internal.h"

#define DAY_US (24 * CLOCK_HOUR_US)

static int compare_order_id(const void *id, const void *order)
{
    return strcmp(id, (*(struct raw_order *const *)order)->public.id);
}

size_t catalog_order_count(const struct catalog *catalog)
{
    return catalog->order_count;
}

const struct catalog_order *catalog_order_at(const struct catalog *catalog, size_t index)
{
    return index < catalog->order_count ? &catalog->orders[index]->public : NULL;
}

const struct catalog_order *catalog_order_find(const struct catalog *catalog, const char *id)
{
    struct raw_order **found = bsearch(id, catalog->orders, catalog->order_count,
                                       sizeof(*catalog->orders), compare_order_id);

    return found ? &(*found)->public : NULL;
}

/* ---- whom and what ---- */

static bool list_has(const char *const *list, size_t count, const char *id)
{
    bool found = false;

    for (size_t i = 0; !found && i < count; i++) {
        found = strcmp(list[i], id) == 0;
    }
    return found;
}

bool catalog_order_names(const struct catalog_order *order, const char *service)
{
    return list_has(order->services, order->service_count, service);
}

bool catalog_order_exempts(const struct catalog_order *order, const char *service)
{
    return list_has(order->exempt, order->exempt_count, service);
}

enum catalog_addressed catalog_order_addresses(const struct catalog_order *order,
                                               const struct catalog_carrier *carrier)
{
    enum catalog_addressed addressed = CATALOG_NOT_ADDRESSED;

    if (list_has(order->carriers, order->carrier_count, carrier->id)) {
        addressed = CATALOG_ADDRESSED_BY_NAME;
    } else if (order->carrier_count == 0 && strcmp(order->country, carrier->country) == 0) {
        addressed = CATALOG_ADDRESSED_AS_ONE_OF_ALL;
    }
    return addressed;
}

/* ---- when ---- */

/* The moment at which a local clock shows `local_us`; the loader has seen to it that there is an
 * offset. Where that midnight falls into a change of the clock, the offset after the change. */
static int64_t order_to_utc(const struct catalog *catalog, const struct catalog_order *order,
                            int64_t local_us)
{
    const struct catalog_country *country = catalog_country(catalog, order->country);
    int32_t seconds = 0;

    if (order->utc_offset) {
        (void)utc_offset_parse(order->utc_offset, &seconds);
    } else if (country) {
        seconds = catalog_country_offset(country, local_us);
        seconds = catalog_country_offset(country, local_us - seconds * CLOCK_SECOND_US);
    }
    return local_us - seconds * CLOCK_SECOND_US;
}

static int64_t day_start(const struct catalog *catalog, const struct catalog_order *order,
                         const struct catalog_order_date *date)
{
    int64_t day = 0;

    (void)clock_parse(date->date, &day);
    return order_to_utc(catalog, order, day);
}

int64_t catalog_order_day_end(const struct catalog *catalog, const struct catalog_order *order,
                              const char *date)
{
    int64_t day = 0;

    (void)clock_parse(date, &day);
    return order_to_utc(catalog, order, day + DAY_US);
}

static bool is_kind(const struct catalog_order_date *date, const char *kind)
{
    return strcmp(date->kind, kind) == 0;
}

static bool ends_order(const struct catalog_order_date *date)
{
    return is_kind(date, "lifted") || is_kind(date, "withdrawn") || is_kind(date, "ends");
}

static bool earlier(int64_t time_us, int64_t than_us)
{
    return than_us == CATALOG_NO_TIME || time_us < than_us;
}

void catalog_order_times(const struct catalog *catalog, const struct catalog_order *order,
                         struct catalog_order_times *ret_times)
{
    struct catalog_order_times times = {CATALOG_NO_TIME, CATALOG_NO_TIME, CATALOG_NO_TIME,
                                        CATALOG_NO_TIME, CATALOG_NO_TIME};
    bool moved = false;

    for (size_t i = 0; i < order->date_count; i++) {
        const struct catalog_order_date *date = &order->dates[i];
        int64_t start = day_start(catalog, order, date),
                end = catalog_order_day_end(catalog, order, date->date);
        if (is_kind(date, "announced") && earlier(start, times.announced_us)) {
            times.announced_us = start;
        } else if (is_kind(date, "moved") || is_kind(date, "due")) {
            if (is_kind(date, "moved") || (!moved && end > times.due_us)) {
                times.due_us = end;
            }
            moved = moved || is_kind(date, "moved");
            times.first_due_us = earlier(end, times.first_due_us) ? end : times.first_due_us;
        } else if (ends_order(date) && earlier(start, times.ending_us)) {
            times.ending_us = start;
            times.ended_us = end;
        }
    }
    *ret_times = times;
}

size_t catalog_order_deadlines(const struct catalog *catalog, const struct catalog_order *order,
                               struct catalog_deadline *ret_deadlines, size_t maximum)
{
    size_t count = 0;

    for (size_t i = 0; i < order->date_count; i++) {
        const struct catalog_order_date *date = &order->dates[i];
        if (!is_kind(date, "due") && !is_kind(date, "moved")) {
            continue;
        }
        if (count < maximum) {
            ret_deadlines[count] =
                (struct catalog_deadline){catalog_order_day_end(catalog, order, date->date), date};
        }
        count++;
    }
    return count;
}

/* ---- which ---- */

static bool stood_at(const struct catalog *catalog, const struct catalog_order *order,
                     int64_t time_us)
{
    struct catalog_order_times times;
    int64_t from;

    catalog_order_times(catalog, order, &times);
    from = times.announced_us;
    for (size_t i = 0; times.announced_us == CATALOG_NO_TIME && i < order->date_count; i++) {
        int64_t start = day_start(catalog, order, &order->dates[i]);
        from = earlier(start, from) ? start : from;
    }
    return from <= time_us && (times.ended_us == CATALOG_NO_TIME || time_us < times.ended_us);
}

size_t catalog_orders_find(const struct catalog *catalog, const char *country, const char *service,
                           int64_t time_us, const struct catalog_order **ret_orders, size_t maximum)
{
    size_t count = 0;

    for (size_t i = 0; i < catalog->order_count; i++) {
        const struct catalog_order *order = &catalog->orders[i]->public;
        if ((country && strcmp(order->country, country) != 0) ||
            (service && !catalog_order_names(order, service)) ||
            (time_us != 0 && !stood_at(catalog, order, time_us))) {
            continue;
        }
        if (count < maximum) {
            ret_orders[count] = order;
        }
        count++;
    }
    return count;
}

/* ---- whose ---- */

const char *catalog_carrier_owner_at(const struct catalog_carrier *carrier, int64_t time_us)
{
    int64_t when = time_us != 0 ? time_us : clock_now_us(), day;
    const char *owner = carrier->owner_count == 0 ? carrier->owner : NULL;

    for (size_t i = 0; i < carrier->owner_count; i++) {
        const struct catalog_owner *entry = &carrier->owners[i];
        bool begun = !entry->from || (clock_parse(entry->from, &day) == DL_OK && day <= when);
        bool over =
            entry->until && clock_parse(entry->until, &day) == DL_OK && when >= day + DAY_US;
        if (begun && !over) {
            owner = entry->owner;
        }
    }
    return owner;
}
