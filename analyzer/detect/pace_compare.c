// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/pace_compare.h"

#include <errno.h>
#include <stdlib.h>

#include "analyzer/detect/throttle.h"
#include "base/array.h"

#define HOUR_US INT64_C(3600000000)

struct question {
    const struct work *work;
    uint16_t carrier, service;
    enum pace_elsewhere where;
};

/* The values of one measure within a window, of a pair, appended. */
static size_t take_values(const struct question *question, uint16_t carrier, uint16_t service,
                          const struct context_window *window, enum pace_measure measure,
                          double *values, size_t used)
{
    const struct cells *cells = question->work->cells;
    const char *country = cells_carrier_country(cells, question->carrier); /* whose hours */
    size_t count;
    const struct cell_pace *pace = cells_paces(cells, carrier, service, &count);

    for (size_t i = 0; i < count; i++) {
        int64_t hour_us = pace[i].start_us - pace[i].start_us % HOUR_US;
        if (pace_value(&pace[i], measure) > 0 && pace[i].start_us >= window->from_us &&
            pace[i].start_us <= window->to_us &&
            context_covers(question->work->places, country, window, hour_us))
            values[used++] = pace_value(&pace[i], measure);
    }
    return used;
}

enum { OWN, BEFORE, CONTROLS, OTHERS, SIDES };

struct values {
    double *values;
    size_t count;
};

static bool belongs(const struct question *question, int side, uint16_t carrier, uint16_t service,
                    bool any_service)
{
    const struct work *work = question->work;

    if (side == OWN || side == BEFORE)
        return carrier == question->carrier && service == question->service;
    if (side == OTHERS)
        return service == question->service &&
               pace_lies(work->cells, question->carrier, carrier, question->where);
    return carrier == question->carrier && service != question->service &&
           (any_service || pace_is_control(work->cells, work->places, service));
}

static size_t gather(const struct question *question, int side, bool any_service,
                     const struct context_window *window, enum pace_measure measure, double *values)
{
    const struct cells *cells = question->work->cells;
    size_t used = 0;

    for (size_t c = 0; c < cells_carrier_count(cells); c++) {
        for (size_t s = 0; s < cells_service_count(cells); s++) {
            size_t count;
            if (!belongs(question, side, (uint16_t)c, (uint16_t)s, any_service))
                continue;
            if (values)
                used =
                    take_values(question, (uint16_t)c, (uint16_t)s, window, measure, values, used);
            else if (cells_paces(cells, (uint16_t)c, (uint16_t)s, &count))
                used += count; /* at most */
        }
    }
    return used;
}

static int gather_side(const struct question *question, int side,
                       const struct context_window *window, enum pace_measure measure,
                       struct values *ret_side)
{
    ret_side->count = 0;
    for (int any = 0; any <= (side == CONTROLS) && ret_side->count < STAT_RANK_LEAST; any++) {
        size_t most = gather(question, side, any, window, measure, NULL);
        free(ret_side->values);
        ret_side->values = malloc(MAX_OF(most, 1) * sizeof(*ret_side->values));
        if (!ret_side->values)
            return -ENOMEM;
        ret_side->count = gather(question, side, any, window, measure, ret_side->values);
    }
    return DL_OK;
}

static bool is_far_apart(enum pace_measure measure, struct values *own, struct values *other)
{
    bool more = measure == PACE_GOODPUT;
    struct values *low = more ? own : other, *high = more ? other : own;
    double p, effect;

    return stat_rank_less(low->values, low->count, high->values, high->count, &p, &effect) &&
           p < THROTTLE_P && effect >= THROTTLE_EFFECT &&
           stat_median(low->values, low->count) * THROTTLE_RATIO <=
               stat_median(high->values, high->count);
}

static struct context_tally tally_of(enum pace_measure measure, const struct values *side,
                                     double own)
{
    struct context_tally tally = {.attempts = side->count, .votes = (double)side->count};

    for (size_t i = 0; i < side->count; i++)
        tally.failures += measure == PACE_GOODPUT ? side->values[i] <= own : side->values[i] >= own;
    tally.bad = (double)tally.failures;
    return tally;
}

int pace_compare(const struct work *work, uint16_t carrier, uint16_t service,
                 enum pace_elsewhere where, const struct segment *segment,
                 const struct context_window *window, enum pace_measure measure, bool nature_known,
                 struct pace_comparison *ret_comparison)
{
    const struct question question = {work, carrier, service, where};
    struct values sides[SIDES] = {0};
    struct context_window before = *window;
    struct pace_comparison comparison = {.measure = measure};
    int status = DL_OK;

    before.from_us = 0;
    before.to_us = segment->onset_earliest_us; /* 0, nothing, at first sight */
    for (int s = 0; status == DL_OK && s < SIDES; s++)
        status = gather_side(&question, s, s == BEFORE ? &before : window, measure, &sides[s]);
    if (status == DL_OK) {
        bool changed = is_far_apart(measure, &sides[OWN], &sides[BEFORE]);
        comparison.has_controls = sides[CONTROLS].count >= STAT_RANK_LEAST;
        comparison.has_others = sides[OTHERS].count >= STAT_RANK_LEAST;
        comparison.slower =
            (comparison.has_controls || comparison.has_others) && (nature_known || changed) &&
            (!comparison.has_controls || is_far_apart(measure, &sides[OWN], &sides[CONTROLS])) &&
            (!comparison.has_others || is_far_apart(measure, &sides[OWN], &sides[OTHERS]));
        comparison.own = stat_median(sides[OWN].values, sides[OWN].count);
        comparison.controls = stat_median(sides[CONTROLS].values, sides[CONTROLS].count);
        comparison.others = stat_median(sides[OTHERS].values, sides[OTHERS].count);
        comparison.of_controls = tally_of(measure, &sides[CONTROLS], comparison.own);
        comparison.of_others = tally_of(measure, &sides[OTHERS], comparison.own);
        *ret_comparison = comparison;
    }
    for (int s = 0; s < SIDES; s++)
        free(sides[s].values);
    return status;
}
