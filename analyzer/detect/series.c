// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/series.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

#define HOUR_US INT64_C(3600000000)
#define WEEK_US (7 * 24 * HOUR_US)

bool series_is_tap(const struct cell_line *line)
{
    return line->position == POSITION_CARRIER || line->position == POSITION_SERVER;
}

static int64_t at_of(const struct cell *cell, uint32_t ms)
{
    return ms == CELL_NO_TIME ? 0 : cell->hour_us + (int64_t)ms * 1000;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

uint8_t series_local_hour(const struct analysis_places *places, const char *country,
                          int64_t time_us)
{
    int minutes =
        places->offset_minutes ? places->offset_minutes(places->context, country, time_us) : 0;
    int64_t hours = (time_us + (int64_t)minutes * 60000000) / HOUR_US;
    int64_t weekday = (hours / 24 + 3) % 7; /* 1970-01-01 was a Thursday; 0 is Monday */
    return (uint8_t)(hours % 24 + (weekday >= 5 ? 24 : 0));
}

static double bad_of(const struct cell *cell, enum series_kind kind)
{
    return kind == SERIES_SLOWED ? (double)cell->slow : (double)cell->bad;
}

/* Votes that this kind of question counts: who could not get through was not slowed down. */
static double votes_of(const struct cell *cell, enum series_kind kind)
{
    return kind == SERIES_SLOWED ? (double)cell->votes - (double)cell->bad : (double)cell->votes;
}

static void join_cell(struct segment_vote *vote, const struct cell *cell, enum series_kind kind)
{
    bool slowed = kind == SERIES_SLOWED;

    vote->votes += votes_of(cell, kind);
    vote->bad += bad_of(cell, kind);
    vote->good_voices += cell->good_voices;
    vote->bad_voices += slowed ? (cell->throttled > 0) : cell->bad_voices;
    vote->from_us = sooner(vote->from_us, at_of(cell, cell->first_ms));
    vote->to_us = MAX_OF(vote->to_us, at_of(cell, cell->last_ms));
    vote->first_good_us = sooner(vote->first_good_us,
                                 at_of(cell, slowed ? cell->first_quick_ms : cell->first_good_ms));
    vote->last_good_us =
        MAX_OF(vote->last_good_us, at_of(cell, slowed ? cell->last_quick_ms : cell->last_good_ms));
    vote->first_bad_us =
        sooner(vote->first_bad_us, at_of(cell, slowed ? cell->first_slow_ms : cell->first_bad_ms));
    vote->last_bad_us =
        MAX_OF(vote->last_bad_us, at_of(cell, slowed ? cell->last_slow_ms : cell->last_bad_ms));
}

/* One vote of the cells of one hour. */
static struct segment_vote join_hour(const struct cells *cells, const struct cell *hour,
                                     size_t count, enum series_kind kind, uint8_t ip_version,
                                     uint32_t *ret_voices)
{
    struct segment_vote vote = {0}, best = {0};
    uint32_t voices = 0, tap_voices = 0;

    for (size_t i = 0; i < count;) {
        bool tap = series_is_tap(cells_line(cells, hour[i].line));
        struct segment_vote of_tap = {0};
        uint16_t line = hour[i].line;
        uint32_t line_voices = 0;
        for (; i < count && hour[i].line == line; i++) {
            if (ip_version != 0 && hour[i].ip_version != ip_version)
                continue;
            join_cell(tap ? &of_tap : &vote, &hour[i], kind);
            line_voices = MAX_OF(line_voices, hour[i].voices);
        }
        if (!tap)
            voices += line_voices;
        else if (of_tap.votes > best.votes)
            best = of_tap;
        tap_voices = tap ? MAX_OF(tap_voices, line_voices) : tap_voices;
    }
    *ret_voices = voices + tap_voices;
    vote.votes += best.votes;
    vote.bad += best.bad;
    vote.good_voices += best.good_voices;
    vote.bad_voices += best.bad_voices;
    vote.from_us = sooner(vote.from_us, best.from_us);
    vote.to_us = MAX_OF(vote.to_us, best.to_us);
    vote.first_good_us = sooner(vote.first_good_us, best.first_good_us);
    vote.last_good_us = MAX_OF(vote.last_good_us, best.last_good_us);
    vote.first_bad_us = sooner(vote.first_bad_us, best.first_bad_us);
    vote.last_bad_us = MAX_OF(vote.last_bad_us, best.last_bad_us);
    return vote;
}

/* Good ones first, then bad ones, or the other way round: two votes. */
static size_t split_vote(struct segment_vote *votes, struct segment_vote vote)
{
    bool mixed = vote.bad > 0 && vote.bad < vote.votes && vote.first_good_us && vote.first_bad_us;
    bool good_first = mixed && vote.last_good_us < vote.first_bad_us;
    bool bad_first = mixed && vote.last_bad_us < vote.first_good_us;
    struct segment_vote good = vote, bad = vote;

    if (!good_first && !bad_first) {
        votes[0] = vote;
        return 1;
    }
    good.votes = vote.votes - vote.bad;
    good.bad = 0;
    good.bad_voices = 0;
    good.first_bad_us = good.last_bad_us = 0;
    good.from_us = good.first_good_us;
    good.to_us = good.last_good_us;
    bad.votes = bad.bad;
    bad.good_voices = 0;
    bad.first_good_us = bad.last_good_us = 0;
    bad.from_us = bad.first_bad_us;
    bad.to_us = bad.last_bad_us;
    votes[0] = good_first ? good : bad;
    votes[1] = good_first ? bad : good;
    return 2;
}

/* Imported runs are rarely two an hour: those of different voices count over all the time. */
static uint32_t imported_voices(const struct cells *cells, uint16_t carrier, uint16_t service)
{
    uint32_t voices = 0;

    for (size_t line = 0; line < cells_line_count(cells); line++)
        if (cells_line_carrier(cells, (uint16_t)line) == carrier)
            voices += cells_crowd(cells, (uint16_t)line, service);
    return voices;
}

int series_build(const struct cells *cells, const struct analysis_places *places, uint16_t carrier,
                 uint16_t service, enum series_kind kind, uint8_t ip_version,
                 struct series *ret_series)
{
    struct series series = {0};
    const char *country = cells_carrier_country(cells, carrier);
    size_t count;
    const struct cell *cell = cells_series(cells, carrier, service, &count);

    series.votes = calloc(MAX_OF(2 * count, 1), sizeof(*series.votes));
    if (!series.votes)
        return -ENOMEM;
    for (size_t i = 0; i < count;) {
        size_t begin = i;
        uint32_t voices;
        for (; i < count && cell[i].hour_us == cell[begin].hour_us; i++) {
            series.attempts += cell[i].attempts;
            series.failures += cell[i].failures;
        }
        struct segment_vote vote =
            join_hour(cells, &cell[begin], i - begin, kind, ip_version, &voices);
        series.voices = MAX_OF(series.voices, voices);
        if (vote.votes <= 0 || vote.from_us == 0)
            continue;
        vote.local_hour = series_local_hour(places, country, cell[begin].hour_us);
        series.count += split_vote(&series.votes[series.count], vote);
    }
    if (series.count > 0) {
        series.first_us = series.votes[0].from_us;
        series.last_us = series.votes[series.count - 1].to_us;
    }
    series.voices = MAX_OF(series.voices, imported_voices(cells, carrier, service));
    double weeks = (double)(series.last_us - series.first_us) / (double)WEEK_US;
    series.attempts_a_week = (double)series.attempts / MAX_OF(weeks, 1);
    *ret_series = series;
    return DL_OK;
}

void series_finish(struct series *series)
{
    free(series->votes);
    *series = (struct series){0};
}
