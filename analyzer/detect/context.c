// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/context.h"

#include <string.h>

#include "base/array.h"

#define HOUR_US   INT64_C(3600000000)
#define BAD_LEAST 0.15 /* of the votes, and at least half of the event's share */
#define BAD_VOTES 3.0

const char *context_verdict_text(enum context_verdict verdict)
{
    static const char *const texts[] = {"insufficient", "good", "bad", "mixed"};
    return texts[verdict];
}

void context_add(struct context_tally *sum, const struct context_tally *other)
{
    sum->attempts += other->attempts;
    sum->failures += other->failures;
    sum->votes += other->votes;
    sum->bad += other->bad;
}

bool context_covers(const struct analysis_places *places, const char *country,
                    const struct context_window *window, int64_t hour_us)
{
    if (hour_us + HOUR_US <= window->from_us || hour_us > window->to_us)
        return false;
    if (!window->hours)
        return true;
    return window->hours[series_local_hour(places, country, hour_us)];
}

/* The first cell of the series that ends after the window's beginning. */
static size_t first_in(const struct cell *cell, size_t count, int64_t from_us)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cell[middle].hour_us + HOUR_US <= from_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define LINE_ANY UINT32_MAX

static struct context_tally tally_of(const struct cells *cells,
                                     const struct analysis_places *places, uint16_t carrier,
                                     uint32_t line, uint16_t service,
                                     const struct context_window *window)
{
    struct context_tally tally = {0};
    const char *country = cells_carrier_country(cells, carrier);
    size_t count;
    const struct cell *cell = cells_series(cells, carrier, service, &count);

    for (size_t i = first_in(cell, count, window->from_us);
         i < count && cell[i].hour_us <= window->to_us; i++) {
        if ((line != LINE_ANY && cell[i].line != line) ||
            (window->ip_version && cell[i].ip_version != window->ip_version) ||
            !context_covers(places, country, window, cell[i].hour_us))
            continue;
        bool slowed = window->kind == SERIES_SLOWED;
        tally.attempts += cell[i].attempts;
        tally.failures += slowed ? cell[i].throttled : cell[i].failures;
        tally.votes += (double)cell[i].votes - (slowed ? (double)cell[i].bad : 0);
        tally.bad += slowed ? (double)cell[i].slow : (double)cell[i].bad;
    }
    return tally;
}

struct context_tally context_pair(const struct cells *cells, const struct analysis_places *places,
                                  uint16_t carrier, uint16_t service,
                                  const struct context_window *window)
{
    return tally_of(cells, places, carrier, LINE_ANY, service, window);
}

struct context_tally context_line(const struct cells *cells, const struct analysis_places *places,
                                  uint16_t line, uint16_t service,
                                  const struct context_window *window)
{
    return tally_of(cells, places, cells_line_carrier(cells, line), line, service, window);
}

enum context_verdict context_judge(const struct context_tally *tally, double share)
{
    double failing = tally->votes > 0 ? tally->bad / tally->votes : 0;

    if (tally->votes >= BAD_VOTES - 1e-6 && failing >= MAX_OF(share / 2, BAD_LEAST))
        return CONTEXT_BAD;
    if (tally->votes < CONTEXT_VOTES_LEAST - 1e-6)
        return CONTEXT_INSUFFICIENT;
    return failing <= MIN_OF(CONTEXT_GOOD, share / 2) ? CONTEXT_GOOD_VERDICT : CONTEXT_MIXED;
}

static void look_at_carrier(const struct cells *cells, const struct analysis_places *places,
                            uint16_t carrier, uint16_t service, double share,
                            const struct context_window *window, struct context *context)
{
    enum context_verdict of_controls;

    for (size_t s = 0; s < cells_service_count(cells); s++) {
        if (s == service)
            continue;
        struct context_tally tally = context_pair(cells, places, carrier, (uint16_t)s, window);
        const char *name = cells_service(cells, (uint16_t)s);
        enum context_verdict verdict = context_judge(&tally, share);
        bool control =
            places->service_class && places->service_class(places->context, name) == CLASS_CONTROL;
        context_add(control ? &context->controls : &context->others, &tally);
        context->services_good += verdict == CONTEXT_GOOD_VERDICT;
        context->services_bad += verdict == CONTEXT_BAD;
        context->no_dns_bad += verdict == CONTEXT_BAD && places->needs_dns &&
                               !places->needs_dns(places->context, name);
    }
    of_controls = context_judge(&context->controls, share);
    if (of_controls == CONTEXT_GOOD_VERDICT || of_controls == CONTEXT_BAD)
        context->same_carrier = of_controls;
    else if (context->services_good > context->services_bad)
        context->same_carrier = CONTEXT_GOOD_VERDICT;
    else if (context->services_bad > 0 && context->services_good == 0)
        context->same_carrier = CONTEXT_BAD;
    else
        context->same_carrier = context->services_bad ? CONTEXT_MIXED : of_controls;
}

static void look_elsewhere(const struct cells *cells, const struct analysis_places *places,
                           uint16_t carrier, uint16_t service, double share,
                           const struct context_window *window, struct context *context)
{
    const char *country = cells_carrier_country(cells, carrier);

    for (size_t c = 0; c < cells_carrier_count(cells); c++) {
        const char *other = cells_carrier_country(cells, (uint16_t)c);
        struct context_tally tally;
        enum context_verdict verdict;
        if (c == carrier || !other[0] || !country[0])
            continue;
        tally = context_pair(cells, places, (uint16_t)c, service, window);
        verdict = context_judge(&tally, share);
        if (strcmp(country, other) != 0) {
            context_add(&context->abroad, &tally);
            context->abroad_good += verdict == CONTEXT_GOOD_VERDICT;
            context->abroad_bad += verdict == CONTEXT_BAD;
            continue;
        }
        context_add(&context->country, &tally);
        context->carriers_good += verdict == CONTEXT_GOOD_VERDICT;
        context->carriers_bad += verdict == CONTEXT_BAD;
        if (verdict == CONTEXT_BAD)
            context->bad_carrier = (uint16_t)c;
    }
    /* Another country may block it as well: it works abroad where it works in most places. */
    context->abroad_verdict = context_judge(&context->abroad, share);
    if (context->abroad_good + context->abroad_bad > 0)
        context->abroad_verdict = context->abroad_good > context->abroad_bad ? CONTEXT_GOOD_VERDICT
                                  : context->abroad_good < context->abroad_bad ? CONTEXT_BAD
                                                                               : CONTEXT_MIXED;
}

void context_find(const struct cells *cells, const struct analysis_places *places, uint16_t carrier,
                  uint16_t service, double share, const struct context_window *window,
                  struct context *ret_context)
{
    struct context context = {0};

    context.own = context_pair(cells, places, carrier, service, window);
    look_at_carrier(cells, places, carrier, service, share, window, &context);
    look_elsewhere(cells, places, carrier, service, share, window, &context);
    *ret_context = context;
}
