// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/cells.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/intern.h"
#include "base/status.h"

#define NAME_BYTES (CELL_NAMES_MAX * (size_t)(2 * VANTAGE_TEXT_SIZE + 96))
#define KEY_SIZE   (2 * VANTAGE_TEXT_SIZE + 96)

/* Rows of one kind; grown as they come. */
struct rows {
    void *items;
    size_t count, capacity, size;
};

struct names {
    struct intern *intern; /* of their order of coming, from 1 on */
    uint16_t *sorted_of;   /* after sealing: index by order of coming */
    uint16_t *coming_of;   /* and back */
};

struct cells {
    struct names line_keys, services, mechanisms, carriers;
    struct cell_line *lines; /* by order of coming, then sorted */
    size_t line_capacity;
    uint16_t *line_carrier; /* of sorted lines */
    char (*carrier_country)[3];
    struct rows cell, mechanism, pace, habit, crowd, coverage;
    int64_t first_us, last_us;
};

/* ---- rows ---- */

static int rows_add(struct rows *rows, const void *item)
{
    if (rows->count == CELLS_MAX)
        return DL_LIMIT;
    if (rows->count == rows->capacity) {
        size_t capacity = MAX_OF(256, 2 * rows->capacity);
        void *grown = realloc(rows->items, capacity * rows->size);
        if (!grown)
            return -ENOMEM;
        rows->items = grown;
        rows->capacity = capacity;
    }
    memcpy((char *)rows->items + rows->count++ * rows->size, item, rows->size);
    return DL_OK;
}

int cells_add(struct cells *cells, const struct cell *cell)
{
    return rows_add(&cells->cell, cell);
}

int cells_add_mechanism(struct cells *cells, const struct cell_mechanism *mechanism)
{
    return rows_add(&cells->mechanism, mechanism);
}

int cells_add_pace(struct cells *cells, const struct cell_pace *pace)
{
    return rows_add(&cells->pace, pace);
}

int cells_add_habit(struct cells *cells, const struct cell_habit *habit)
{
    return rows_add(&cells->habit, habit);
}

int cells_add_crowd(struct cells *cells, const struct cell_crowd *crowd)
{
    return rows_add(&cells->crowd, crowd);
}

int cells_add_coverage(struct cells *cells, const struct cell_coverage *coverage)
{
    return rows_add(&cells->coverage, coverage);
}

/* ---- names ---- */

static int names_init(struct names *names)
{
    return intern_create(&names->intern, CELL_NAMES_MAX, NAME_BYTES);
}

static void names_finish(struct names *names)
{
    intern_destroy(names->intern);
    free(names->sorted_of);
    free(names->coming_of);
}

static int names_add(struct names *names, const char *text, uint16_t *ret_index)
{
    uint32_t number = intern_add(names->intern, text, strlen(text));

    if (number == INTERN_NONE)
        return DL_LIMIT;
    *ret_index = (uint16_t)(number - 1);
    return DL_OK;
}

static const char *names_coming(const struct names *names, size_t index)
{
    return intern_text(names->intern, (uint32_t)index + 1);
}

static size_t names_count(const struct names *names)
{
    return intern_count(names->intern);
}

static const char *names_text(const struct names *names, uint16_t index)
{
    return index < names_count(names) ? names_coming(names, names->coming_of[index]) : "";
}

struct named {
    const char *text;
    uint16_t coming;
};

static int compare_named(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    return strcmp(a->text, b->text);
}

/* The order of names is their own, not that of their coming: results do not depend on it. */
static int names_sort(struct names *names)
{
    size_t count = names_count(names);
    struct named *order = calloc(MAX_OF(count, 1), sizeof(*order));

    names->sorted_of = calloc(MAX_OF(count, 1), sizeof(uint16_t));
    names->coming_of = calloc(MAX_OF(count, 1), sizeof(uint16_t));
    if (!order || !names->sorted_of || !names->coming_of) {
        free(order);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        order[i] = (struct named){names_coming(names, i), (uint16_t)i};
    qsort(order, count, sizeof(*order), compare_named);
    for (size_t i = 0; i < count; i++) {
        names->coming_of[i] = order[i].coming;
        names->sorted_of[order[i].coming] = (uint16_t)i;
    }
    free(order);
    return DL_OK;
}

int cells_name_service(struct cells *cells, const char *service, uint16_t *ret_service)
{
    return names_add(&cells->services, service, ret_service);
}

int cells_name_mechanism(struct cells *cells, const char *mechanism, uint16_t *ret_mechanism)
{
    return names_add(&cells->mechanisms, mechanism, ret_mechanism);
}

int cells_name_line(struct cells *cells, const struct cell_line *line, uint16_t *ret_line)
{
    char key[KEY_SIZE];
    size_t before = names_count(&cells->line_keys);
    int status;

    snprintf(key, sizeof(key), "%s\t%s\t%u\t%s\t%u\t%u\t%u\t%u\t%016llx", line->carrier,
             line->probe_id, line->asn, line->country, line->network, line->position, line->clock,
             line->origin, (unsigned long long)line->epoch);
    status = names_add(&cells->line_keys, key, ret_line);
    if (status != DL_OK || names_count(&cells->line_keys) == before)
        return status;
    if (before == cells->line_capacity) {
        size_t capacity = MAX_OF(64, 2 * cells->line_capacity);
        struct cell_line *grown = realloc(cells->lines, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        cells->lines = grown;
        cells->line_capacity = capacity;
    }
    cells->lines[before] = *line;
    return names_add(&cells->carriers, line->carrier[0] ? line->carrier : "unknown",
                     &(uint16_t){0});
}

/* ---- creating and sealing ---- */

int cells_create(struct cells **ret_cells)
{
    struct cells *cells = calloc(1, sizeof(*cells));
    int status = cells ? DL_OK : -ENOMEM;

    if (status == DL_OK)
        status = names_init(&cells->line_keys);
    if (status == DL_OK)
        status = names_init(&cells->services);
    if (status == DL_OK)
        status = names_init(&cells->mechanisms);
    if (status == DL_OK)
        status = names_init(&cells->carriers);
    if (status != DL_OK) {
        cells_destroy(cells);
        return status;
    }
    cells->cell.size = sizeof(struct cell);
    cells->mechanism.size = sizeof(struct cell_mechanism);
    cells->pace.size = sizeof(struct cell_pace);
    cells->habit.size = sizeof(struct cell_habit);
    cells->crowd.size = sizeof(struct cell_crowd);
    cells->coverage.size = sizeof(struct cell_coverage);
    *ret_cells = cells;
    return DL_OK;
}

void cells_destroy(struct cells *cells)
{
    if (!cells)
        return;
    names_finish(&cells->line_keys);
    names_finish(&cells->services);
    names_finish(&cells->mechanisms);
    names_finish(&cells->carriers);
    free(cells->lines);
    free(cells->line_carrier);
    free(cells->carrier_country);
    free(cells->cell.items);
    free(cells->mechanism.items);
    free(cells->pace.items);
    free(cells->habit.items);
    free(cells->crowd.items);
    free(cells->coverage.items);
    free(cells);
}

static int sort_lines(struct cells *cells)
{
    size_t count = names_count(&cells->line_keys), carriers = names_count(&cells->carriers);
    struct cell_line *sorted = calloc(MAX_OF(count, 1), sizeof(*sorted));

    cells->line_carrier = calloc(MAX_OF(count, 1), sizeof(uint16_t));
    cells->carrier_country = calloc(MAX_OF(carriers, 1), sizeof(*cells->carrier_country));
    if (!sorted || !cells->line_carrier || !cells->carrier_country) {
        free(sorted);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct cell_line *line = &cells->lines[cells->line_keys.coming_of[i]];
        uint16_t carrier = 0;
        sorted[i] = *line;
        names_add(&cells->carriers, line->carrier[0] ? line->carrier : "unknown", &carrier);
        cells->line_carrier[i] = cells->carriers.sorted_of[carrier];
        if (line->country[0])
            memcpy(cells->carrier_country[cells->line_carrier[i]], line->country, 3);
    }
    free(cells->lines);
    cells->lines = sorted;
    return DL_OK;
}

/* Which series a row is of, then when. Row types share no head, so each has its comparison. */

#define ORDER(a, b)                                                                                \
    do {                                                                                           \
        if ((a) != (b))                                                                            \
            return (a) < (b) ? -1 : 1;                                                             \
    } while (0)

static int compare_cells(const void *left, const void *right, void *context)
{
    const struct cells *cells = context;
    const struct cell *a = left, *b = right;
    ORDER(cells->line_carrier[a->line], cells->line_carrier[b->line]);
    ORDER(a->service, b->service);
    ORDER(a->hour_us, b->hour_us);
    ORDER(a->line, b->line);
    ORDER(a->ip_version, b->ip_version);
    return 0;
}

static int compare_mechanisms(const void *left, const void *right, void *context)
{
    const struct cells *cells = context;
    const struct cell_mechanism *a = left, *b = right;
    ORDER(cells->line_carrier[a->line], cells->line_carrier[b->line]);
    ORDER(a->service, b->service);
    ORDER(a->hour_us, b->hour_us);
    ORDER(a->line, b->line);
    ORDER(a->mechanism, b->mechanism);
    ORDER(a->ip_version, b->ip_version);
    ORDER(a->attribution, b->attribution);
    return 0;
}

static int compare_paces(const void *left, const void *right, void *context)
{
    const struct cells *cells = context;
    const struct cell_pace *a = left, *b = right;
    ORDER(cells->line_carrier[a->line], cells->line_carrier[b->line]);
    ORDER(a->service, b->service);
    ORDER(a->start_us, b->start_us);
    ORDER(a->line, b->line);
    ORDER(a->goodput_kbps, b->goodput_kbps);
    ORDER(a->exchange_us, b->exchange_us);
    ORDER(a->handshake_us, b->handshake_us);
    ORDER(a->voice, b->voice);
    return 0;
}

static int compare_habits(const void *left, const void *right, void *context)
{
    (void)context;
    const struct cell_habit *a = left, *b = right;
    ORDER(a->line, b->line);
    ORDER(a->service, b->service);
    ORDER(a->voice, b->voice);
    ORDER(a->day_us, b->day_us);
    return 0;
}

static int compare_crowds(const void *left, const void *right, void *context)
{
    (void)context;
    const struct cell_crowd *a = left, *b = right;
    ORDER(a->line, b->line);
    ORDER(a->service, b->service);
    return 0;
}

static int compare_coverage(const void *left, const void *right, void *context)
{
    (void)context;
    const struct cell_coverage *a = left, *b = right;
    ORDER(a->line, b->line);
    ORDER(a->from_us, b->from_us);
    ORDER(a->to_us, b->to_us);
    return 0;
}

static void rename_rows(struct cells *cells)
{
    const uint16_t *line = cells->line_keys.sorted_of, *service = cells->services.sorted_of;
    const uint16_t *mechanism = cells->mechanisms.sorted_of;

#define RENAME(kind, type)                                                                         \
    for (size_t i = 0; i < cells->kind.count; i++) {                                               \
        type *row = (type *)cells->kind.items + i;                                                 \
        row->line = line[row->line];                                                               \
        row->service = service[row->service];                                                      \
    }
    RENAME(cell, struct cell)
    RENAME(mechanism, struct cell_mechanism)
    RENAME(pace, struct cell_pace)
    RENAME(habit, struct cell_habit)
    RENAME(crowd, struct cell_crowd)
#undef RENAME
    for (size_t i = 0; i < cells->mechanism.count; i++) {
        struct cell_mechanism *row = (struct cell_mechanism *)cells->mechanism.items + i;
        row->mechanism = mechanism[row->mechanism];
    }
    for (size_t i = 0; i < cells->coverage.count; i++) {
        struct cell_coverage *row = (struct cell_coverage *)cells->coverage.items + i;
        row->line = line[row->line];
    }
}

static void rows_sort(struct rows *rows, int (*compare)(const void *, const void *, void *),
                      struct cells *cells)
{
    if (rows->count > 1)
        qsort_r(rows->items, rows->count, rows->size, compare, cells);
}

static int64_t edge_us(const struct cells *cells, bool last)
{
    const struct cell *cell = cells->cell.items;
    int64_t edge = 0;

    for (size_t i = 0; i < cells->cell.count; i++) {
        uint32_t ms = last ? cell[i].last_ms : cell[i].first_ms;
        int64_t at = cell[i].hour_us + (ms == CELL_NO_TIME ? 0 : (int64_t)ms * 1000);
        if (edge == 0 || (last ? at > edge : at < edge))
            edge = at;
    }
    return edge;
}

int cells_seal(struct cells *cells)
{
    int status = names_sort(&cells->line_keys);

    if (status == DL_OK)
        status = names_sort(&cells->services);
    if (status == DL_OK)
        status = names_sort(&cells->mechanisms);
    if (status == DL_OK)
        status = names_sort(&cells->carriers);
    if (status == DL_OK)
        status = sort_lines(cells);
    if (status != DL_OK)
        return status;
    rename_rows(cells);
    rows_sort(&cells->cell, compare_cells, cells);
    rows_sort(&cells->mechanism, compare_mechanisms, cells);
    rows_sort(&cells->pace, compare_paces, cells);
    rows_sort(&cells->habit, compare_habits, cells);
    rows_sort(&cells->crowd, compare_crowds, cells);
    rows_sort(&cells->coverage, compare_coverage, cells);
    cells->first_us = edge_us(cells, false);
    cells->last_us = edge_us(cells, true);
    return DL_OK;
}

/* ---- asking ---- */

const struct cell_line *cells_line(const struct cells *cells, uint16_t line)
{
    return &cells->lines[line];
}

const char *cells_service(const struct cells *cells, uint16_t service)
{
    return names_text(&cells->services, service);
}

const char *cells_mechanism(const struct cells *cells, uint16_t mechanism)
{
    return names_text(&cells->mechanisms, mechanism);
}

size_t cells_line_count(const struct cells *cells)
{
    return names_count(&cells->line_keys);
}

size_t cells_service_count(const struct cells *cells)
{
    return names_count(&cells->services);
}

size_t cells_carrier_count(const struct cells *cells)
{
    return names_count(&cells->carriers);
}

const char *cells_carrier(const struct cells *cells, uint16_t carrier)
{
    return names_text(&cells->carriers, carrier);
}

const char *cells_carrier_country(const struct cells *cells, uint16_t carrier)
{
    return carrier < cells_carrier_count(cells) ? cells->carrier_country[carrier] : "";
}

uint16_t cells_line_carrier(const struct cells *cells, uint16_t line)
{
    return cells->line_carrier[line];
}

/* The run of rows of one pair, by two binary searches. `pair_of` says which pair a row is of. */
typedef uint32_t (*pair_fn)(const struct cells *cells, const void *row);

static const void *find_run(const struct cells *cells, const struct rows *rows, pair_fn pair_of,
                            uint32_t pair, size_t *ret_count)
{
    size_t bound[2];

    *ret_count = 0;
    if (rows->count == 0)
        return NULL;
    for (unsigned upper = 0; upper < 2; upper++) {
        size_t low = 0, high = rows->count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            uint32_t here = pair_of(cells, (const char *)rows->items + middle * rows->size);
            if (here < pair + upper)
                low = middle + 1;
            else
                high = middle;
        }
        bound[upper] = low;
    }
    *ret_count = bound[1] - bound[0];
    return (const char *)rows->items + bound[0] * rows->size;
}

static uint32_t pair(uint16_t first, uint16_t second)
{
    return (uint32_t)first << 16 | second;
}

static uint32_t pair_of_cell(const struct cells *cells, const void *row)
{
    const struct cell *cell = row;
    return pair(cells->line_carrier[cell->line], cell->service);
}

static uint32_t pair_of_mechanism(const struct cells *cells, const void *row)
{
    const struct cell_mechanism *item = row;
    return pair(cells->line_carrier[item->line], item->service);
}

static uint32_t pair_of_pace(const struct cells *cells, const void *row)
{
    const struct cell_pace *item = row;
    return pair(cells->line_carrier[item->line], item->service);
}

static uint32_t pair_of_habit(const struct cells *cells, const void *row)
{
    const struct cell_habit *item = row;
    (void)cells;
    return pair(item->line, item->service);
}

static uint32_t pair_of_crowd(const struct cells *cells, const void *row)
{
    const struct cell_crowd *item = row;
    (void)cells;
    return pair(item->line, item->service);
}

static uint32_t pair_of_coverage(const struct cells *cells, const void *row)
{
    const struct cell_coverage *item = row;
    (void)cells;
    return item->line;
}

const struct cell *cells_series(const struct cells *cells, uint16_t carrier, uint16_t service,
                                size_t *ret_count)
{
    return find_run(cells, &cells->cell, pair_of_cell, pair(carrier, service), ret_count);
}

const struct cell_mechanism *cells_mechanisms(const struct cells *cells, uint16_t carrier,
                                              uint16_t service, size_t *ret_count)
{
    return find_run(cells, &cells->mechanism, pair_of_mechanism, pair(carrier, service), ret_count);
}

const struct cell_pace *cells_paces(const struct cells *cells, uint16_t carrier, uint16_t service,
                                    size_t *ret_count)
{
    return find_run(cells, &cells->pace, pair_of_pace, pair(carrier, service), ret_count);
}

const struct cell_habit *cells_habits(const struct cells *cells, uint16_t line, uint16_t service,
                                      size_t *ret_count)
{
    return find_run(cells, &cells->habit, pair_of_habit, pair(line, service), ret_count);
}

uint32_t cells_crowd(const struct cells *cells, uint16_t line, uint16_t service)
{
    size_t count;
    const struct cell_crowd *crowd =
        find_run(cells, &cells->crowd, pair_of_crowd, pair(line, service), &count);
    return count ? crowd->voices : 0;
}

const struct cell_coverage *cells_coverage(const struct cells *cells, uint16_t line,
                                           size_t *ret_count)
{
    return find_run(cells, &cells->coverage, pair_of_coverage, line, ret_count);
}

int64_t cells_first_us(const struct cells *cells)
{
    return cells->first_us;
}

int64_t cells_last_us(const struct cells *cells)
{
    return cells->last_us;
}
