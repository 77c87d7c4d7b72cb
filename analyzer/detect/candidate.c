// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/candidate.h"

#include <string.h>

#include "base/array.h"

#define HOUR_US INT64_C(3600000000)
#define DAY_US  (24 * HOUR_US)

static bool ends_in(const char *text, const char *ending)
{
    size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && strcmp(text + length - tail, ending) == 0;
}

/* ---- what failed, and how ---- */

static void measure_mechanisms(struct candidate *candidate, const struct cells *cells,
                               const struct analysis_places *places)
{
    const char *country = cells_carrier_country(cells, candidate->carrier);
    double total = 0, silent = 0, dns = 0;
    size_t count;
    const struct cell_mechanism *item =
        cells_mechanisms(cells, candidate->carrier, candidate->service, &count);

    for (size_t i = 0; i < count; i++) {
        const char *name = cells_mechanism(cells, item[i].mechanism);
        if (!context_covers(places, country, &candidate->window, item[i].hour_us) ||
            strstr(name, ".throttle"))
            continue;
        total += item[i].attempts;
        silent += ends_in(name, ".timeout") ? item[i].attempts : 0;
        dns += strncmp(name, "dns.", 4) == 0 ? item[i].attempts : 0;
    }
    if (total <= 0)
        return;
    candidate->silent_share = silent / total;
    candidate->dns_share = dns / total;
}

/* ---- who saw it ---- */

/* Voices of an imported line in the window, at most: no more than it has at all. */
static uint32_t imported_voices(const struct candidate *candidate, const struct cells *cells,
                                const struct analysis_places *places, uint16_t line)
{
    const char *country = cells_carrier_country(cells, candidate->carrier);
    uint32_t crowd = cells_crowd(cells, line, candidate->service);
    uint64_t voices = 0;
    size_t count;
    const struct cell *cell = cells_series(cells, candidate->carrier, candidate->service, &count);

    for (size_t i = 0; i < count; i++)
        if (cell[i].line == line &&
            context_covers(places, country, &candidate->window, cell[i].hour_us))
            voices += cell[i].voices;
    return (uint32_t)MIN_OF(voices, crowd);
}

/* Of the voices of a tap, does it fail without the one that fails most? A client that is broken, and
 * asks ever again, is one. True where the voices are not known. */
static bool others_fail(const struct candidate *candidate, const struct cells *cells, uint16_t line)
{
    uint64_t attempts = 0, failures = 0, worst_attempts = 0, worst = 0;
    size_t count;
    const struct cell_habit *habit = cells_habits(cells, line, candidate->service, &count);

    for (size_t i = 0; i < count;) {
        uint64_t voice = habit[i].voice, tried = 0, failed = 0;
        for (; i < count && habit[i].voice == voice; i++) {
            if (habit[i].day_us + DAY_US <= candidate->window.from_us ||
                habit[i].day_us > candidate->window.to_us)
                continue;
            tried += habit[i].attempts;
            failed += habit[i].failures;
        }
        attempts += tried;
        failures += failed;
        if (failed > worst) {
            worst = failed;
            worst_attempts = tried;
        }
    }
    if (failures == 0 || candidate->kind == SERIES_SLOWED)
        return true;
    if (attempts == worst_attempts)
        return false;
    return 2 * (failures - worst) * attempts >= failures * (attempts - worst_attempts);
}

/* A line fails where its own attempts say so; what fails now and then on any line does not count. */
static void measure_line(struct candidate *candidate, const struct cells *cells,
                         const struct analysis_places *places, uint16_t line, uint32_t busiest,
                         uint32_t *tap_voices)
{
    const struct cell_line *who = cells_line(cells, line);
    struct context_tally tally =
        context_line(cells, places, line, candidate->service, &candidate->window);
    enum context_verdict verdict = context_judge(&tally, candidate->segment.share);

    if (tally.attempts == 0)
        return;
    candidate->lines_good += verdict == CONTEXT_GOOD_VERDICT;
    if (tally.bad <= 0 || verdict == CONTEXT_GOOD_VERDICT)
        return;
    candidate->vantages++;
    candidate->imported |= who->origin == ORIGIN_IMPORTED;
    candidate->unsure_clock |= who->clock != CLOCK_SYNCHRONISED;
    candidate->clients = MAX_OF(candidate->clients, busiest);
    if (who->origin == ORIGIN_IMPORTED)
        candidate->voices += MAX_OF(busiest, imported_voices(candidate, cells, places, line));
    else if (series_is_tap(who))
        *tap_voices = MAX_OF(*tap_voices, others_fail(candidate, cells, line) ? busiest : 1);
    else
        candidate->voices++;
}

static void measure_lines(struct candidate *candidate, const struct cells *cells,
                          const struct analysis_places *places)
{
    const char *country = cells_carrier_country(cells, candidate->carrier);
    bool slowed = candidate->kind == SERIES_SLOWED;
    uint32_t tap_voices = 0;
    size_t count;
    const struct cell *cell = cells_series(cells, candidate->carrier, candidate->service, &count);

    for (size_t line = 0; line < cells_line_count(cells); line++) {
        uint32_t busiest = 0;
        if (cells_line_carrier(cells, (uint16_t)line) != candidate->carrier)
            continue;
        for (size_t i = 0; i < count; i++)
            if (cell[i].line == line &&
                context_covers(places, country, &candidate->window, cell[i].hour_us))
                busiest = MAX_OF(busiest, slowed ? cell[i].voices : cell[i].bad_voices);
        measure_line(candidate, cells, places, (uint16_t)line, busiest, &tap_voices);
    }
    candidate->voices += tap_voices;
}

/* A probe whose clock may be wrong by hours sees an outage when others do not: the same may be true
 * of what they saw some hours before or after. */
static void measure_clock(struct candidate *candidate, const struct cells *cells,
                          const struct analysis_places *places)
{
    struct context_window window = candidate->window;

    if (!candidate->unsure_clock || candidate->imported ||
        window.to_us - window.from_us > CANDIDATE_CLOCK_LENGTH_US)
        return;
    for (int hours = -CANDIDATE_CLOCK_HOURS; hours <= CANDIDATE_CLOCK_HOURS; hours++) {
        struct context context;
        window.from_us = candidate->window.from_us + hours * HOUR_US;
        window.to_us = candidate->window.to_us + hours * HOUR_US;
        context_find(cells, places, candidate->carrier, candidate->service,
                     candidate->segment.share, &window, &context);
        candidate->elsewhere_later |=
            hours != 0 && (context.abroad_bad > 0 || context.carriers_bad > 0);
    }
}

/* ---- how much ---- */

static void measure_cell(struct candidate *candidate, const struct cell *cell, bool within,
                         int64_t *day)
{
    bool slowed = candidate->kind == SERIES_SLOWED;
    uint32_t failures = slowed ? cell->throttled : cell->failures;

    if (cell->hour_us + HOUR_US <= candidate->window.from_us) {
        candidate->baseline_attempts += cell->attempts;
        candidate->baseline_failures += failures;
    }
    if (!within)
        return;
    candidate->attempts += cell->attempts;
    candidate->failures += failures;
    candidate->proven += cell->proven;
    candidate->by_ends += cell->by_ends;
    candidate->good_attempts += cell->attempts - cell->failures;
    candidate->failing_voice_hours += slowed ? (double)cell->slow : (double)cell->bad_voices;
    if (failures == 0)
        return;
    if (cell->hour_us / DAY_US != *day) {
        *day = cell->hour_us / DAY_US;
        candidate->bad_days++;
    }
}

void candidate_measure(struct candidate *candidate, const struct cells *cells,
                       const struct analysis_places *places)
{
    const struct segment *segment = &candidate->segment;
    int64_t day = INT64_MIN;
    size_t count;
    const struct cell *cell = cells_series(cells, candidate->carrier, candidate->service, &count);

    candidate->bad_from_us = segment->onset_latest_us;
    candidate->bad_to_us = segment->ended ? segment->end_earliest_us : cells_last_us(cells);
    candidate->window = (struct context_window){
        .kind = candidate->kind,
        .from_us = segment->onset_latest_us,
        .to_us = candidate->bad_to_us,
        .hours = segment->has_hours ? segment->hours : NULL,
    };
    for (size_t i = 0; i < count; i++)
        measure_cell(candidate, &cell[i],
                     context_covers(places, cells_carrier_country(cells, candidate->carrier),
                                    &candidate->window, cell[i].hour_us),
                     &day);
    measure_mechanisms(candidate, cells, places);
    measure_lines(candidate, cells, places);
    context_find(cells, places, candidate->carrier, candidate->service, segment->share,
                 &candidate->window, &candidate->context);
    measure_clock(candidate, cells, places);
    candidate->log_evalue = segment->gain;
}
