// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/pace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define DAY_US INT64_C(86400000000)
#define CONTROLS                                                                                   \
    UINT16_MAX /* stands for a carrier's control services together; no service's index */

struct pace_day {
    uint16_t service, carrier;
    int64_t day; /* since 1970 */
    double median[PACE_MEASURES];
};

struct pace_table {
    const struct cells *cells;
    struct pace_day *days; /* by service, day, carrier */
    size_t count, capacity;
};

uint32_t pace_value(const struct cell_pace *pace, enum pace_measure measure)
{
    if (measure == PACE_GOODPUT)
        return pace->goodput_kbps;
    return measure == PACE_HANDSHAKE ? pace->handshake_us : pace->exchange_us;
}

bool pace_lies(const struct cells *cells, uint16_t carrier, uint16_t other,
               enum pace_elsewhere where)
{
    const char *here = cells_carrier_country(cells, carrier);
    const char *there = cells_carrier_country(cells, other);

    if (carrier == other || !here[0] || !there[0] || where == PACE_NOWHERE)
        return false;
    return (strcmp(here, there) == 0) == (where == PACE_COUNTRY);
}

bool pace_is_control(const struct cells *cells, const struct analysis_places *places,
                     uint16_t service)
{
    return places->service_class &&
           places->service_class(places->context, cells_service(cells, service)) == CLASS_CONTROL;
}

/* ---- the medians ---- */

static int compare_days(const void *left, const void *right)
{
    const struct pace_day *a = left, *b = right;
    if (a->service != b->service)
        return a->service < b->service ? -1 : 1;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return (a->carrier > b->carrier) - (a->carrier < b->carrier);
}

static int table_push(struct pace_table *table, const struct pace_day *day)
{
    if (table->count == table->capacity) {
        size_t capacity = MAX_OF(256, 2 * table->capacity);
        struct pace_day *grown = realloc(table->days, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        table->days = grown;
        table->capacity = capacity;
    }
    table->days[table->count++] = *day;
    return DL_OK;
}

static bool fill_day(struct pace_day *day, const struct cell_pace *pace, size_t count,
                     double *scratch)
{
    bool any = false;

    for (int m = 0; m < PACE_MEASURES; m++) {
        size_t known = 0;
        for (size_t i = 0; i < count; i++)
            if (pace_value(&pace[i], (enum pace_measure)m) > 0)
                scratch[known++] = pace_value(&pace[i], (enum pace_measure)m);
        day->median[m] = known >= PACE_LEAST ? stat_median(scratch, known) : 0;
        any |= day->median[m] > 0;
    }
    return any;
}

static int add_pair(struct pace_table *table, uint16_t carrier, uint16_t service)
{
    size_t count, begin = 0, end = 0;
    const struct cell_pace *pace = cells_paces(table->cells, carrier, service, &count);
    double *scratch = count ? malloc(count * sizeof(*scratch)) : NULL;
    int status = DL_OK;

    if (count == 0)
        return DL_OK;
    if (!scratch)
        return -ENOMEM;
    int64_t last = pace[count - 1].start_us / DAY_US + 1;
    for (int64_t day = pace[0].start_us / DAY_US - 1; status == DL_OK && day <= last; day++) {
        struct pace_day item = {.service = service, .carrier = carrier, .day = day};
        while (begin < count && pace[begin].start_us / DAY_US < day - 1)
            begin++;
        while (end < count && pace[end].start_us / DAY_US <= day + 1)
            end++;
        if (begin == end) { /* nobody looked for days */
            day = pace[begin].start_us / DAY_US - 2;
            continue;
        }
        if (fill_day(&item, &pace[begin], end - begin, scratch))
            status = table_push(table, &item);
    }
    free(scratch);
    return status;
}

static int compare_by_carrier(const void *left, const void *right)
{
    const struct pace_day *a = left, *b = right;
    if (a->carrier != b->carrier)
        return a->carrier < b->carrier ? -1 : 1;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return (a->service > b->service) - (a->service < b->service);
}

/* The median of the medians of one carrier's controls, day by day, as a service of its own. */
static int add_controls(struct pace_table *table, const struct analysis_places *places)
{
    size_t count = 0, before = table->count;
    struct pace_day *controls = malloc(MAX_OF(before, 1) * sizeof(*controls));
    double *scratch = malloc(MAX_OF(before, 1) * sizeof(*scratch));
    int status = controls && scratch ? DL_OK : -ENOMEM;

    for (size_t i = 0; status == DL_OK && i < before; i++)
        if (pace_is_control(table->cells, places, table->days[i].service))
            controls[count++] = table->days[i];
    if (count > 0)
        qsort(controls, count, sizeof(*controls), compare_by_carrier);
    for (size_t begin = 0, end = 0; status == DL_OK && begin < count; begin = end) {
        struct pace_day together = {
            .service = CONTROLS, .carrier = controls[begin].carrier, .day = controls[begin].day};
        while (end < count && controls[end].carrier == together.carrier &&
               controls[end].day == together.day)
            end++;
        for (int m = 0; m < PACE_MEASURES; m++) {
            size_t known = 0;
            for (size_t i = begin; i < end; i++)
                if (controls[i].median[m] > 0)
                    scratch[known++] = controls[i].median[m];
            together.median[m] = stat_median(scratch, known);
        }
        status = table_push(table, &together);
    }
    free(controls);
    free(scratch);
    return status;
}

int pace_table_create(struct pace_table **ret_table, const struct cells *cells,
                      const struct analysis_places *places)
{
    struct pace_table *table = calloc(1, sizeof(*table));
    int status = table ? DL_OK : -ENOMEM;

    if (!table)
        return status;
    table->cells = cells;
    for (size_t c = 0; status == DL_OK && c < cells_carrier_count(cells); c++)
        for (size_t s = 0; status == DL_OK && s < cells_service_count(cells); s++)
            status = add_pair(table, (uint16_t)c, (uint16_t)s);
    if (status == DL_OK)
        status = add_controls(table, places);
    if (status != DL_OK) {
        pace_table_destroy(table);
        return status;
    }
    if (table->count > 0)
        qsort(table->days, table->count, sizeof(*table->days), compare_days);
    *ret_table = table;
    return DL_OK;
}

void pace_table_destroy(struct pace_table *table)
{
    if (!table)
        return;
    free(table->days);
    free(table);
}

/* ---- asking ---- */

/* The first entry that is not before (service, day, carrier). */
static size_t lower_bound(const struct pace_table *table, uint16_t service, int64_t day,
                          uint16_t carrier)
{
    struct pace_day key = {.service = service, .day = day, .carrier = carrier};
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_days(&table->days[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct pace_day *find_day(const struct pace_table *table, uint16_t service,
                                       int64_t day, uint16_t carrier)
{
    size_t at = lower_bound(table, service, day, carrier);
    const struct pace_day *found = at < table->count ? &table->days[at] : NULL;

    return found && found->service == service && found->day == day && found->carrier == carrier
               ? found
               : NULL;
}

/* The median control of a carrier that day; without any its other services'. 0 not known. */
static double controls_of(const struct pace_table *table, uint16_t carrier, uint16_t service,
                          int64_t day, enum pace_measure measure, double *scratch)
{
    const struct pace_day *found = find_day(table, CONTROLS, day, carrier);
    size_t known = 0;

    if (found && found->median[measure] > 0)
        return found->median[measure];
    for (size_t s = 0; s < cells_service_count(table->cells); s++) {
        found = s == service ? NULL : find_day(table, (uint16_t)s, day, carrier);
        if (found && found->median[measure] > 0)
            scratch[known++] = found->median[measure];
    }
    return stat_median(scratch, known);
}

static void look(const struct pace_table *table, uint16_t carrier, uint16_t service,
                 enum pace_elsewhere where, int64_t day, double *scratch[3],
                 struct pace_ordinary *ordinary)
{
    size_t begin = lower_bound(table, service, day, 0);

    for (int m = 0; m < PACE_MEASURES; m++) {
        enum pace_measure measure = (enum pace_measure)m;
        size_t others = 0, ratios = 0;
        ordinary->controls[m] = controls_of(table, carrier, service, day, measure, scratch[0]);
        for (size_t i = begin;
             i < table->count && table->days[i].service == service && table->days[i].day == day;
             i++) {
            const struct pace_day *other = &table->days[i];
            if (other->median[m] <= 0 || !pace_lies(table->cells, carrier, other->carrier, where))
                continue;
            scratch[1][others++] = other->median[m];
            double controls = controls_of(table, other->carrier, service, day, measure, scratch[0]);
            if (controls > 0)
                scratch[2][ratios++] = other->median[m] / controls;
        }
        ordinary->elsewhere[m] = stat_median(scratch[1], others);
        ordinary->expected[m] = ordinary->controls[m] * stat_median(scratch[2], ratios);
    }
}

int pace_find_ordinary(const struct pace_table *table, uint16_t carrier, uint16_t service,
                       enum pace_elsewhere where, int64_t time_us,
                       struct pace_ordinary *ret_ordinary)
{
    struct pace_ordinary ordinary = {0};
    size_t most = MAX_OF(cells_carrier_count(table->cells), cells_service_count(table->cells)) + 1;
    double *memory = malloc(3 * most * sizeof(*memory));

    if (!memory)
        return -ENOMEM;
    look(table, carrier, service, where, time_us / DAY_US,
         (double *[3]){memory, memory + most, memory + 2 * most}, &ordinary);
    free(memory);
    *ret_ordinary = ordinary;
    return DL_OK;
}

bool pace_is_known(const struct pace_table *table, uint16_t carrier, uint16_t service,
                   enum pace_elsewhere where)
{
    for (size_t c = 0; c < cells_carrier_count(table->cells); c++) {
        size_t count;
        if (!pace_lies(table->cells, carrier, (uint16_t)c, where))
            continue;
        cells_paces(table->cells, (uint16_t)c, service, &count);
        if (count > 0)
            return true;
    }
    return false;
}
