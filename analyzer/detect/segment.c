// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/segment.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/stat.h"
#include "base/array.h"

#define STATES      (1 + 2 * SEGMENT_SHARES) /* ordinary; failing all day; at some hours */
#define WITHIN      3.0                      /* of log-likelihood: what an interval holds */
#define ROUNDS      3
#define RUN_COST    5.6 /* ln(24 x 23 / 2): where a run of hours begins and ends */
#define HOURS_MOST  20  /* of a day: more is all day */
#define MASK_DAYS   2   /* local days on which the hours failed, at least */
#define SHARE_LEAST 0.02
#define SHARE_MOST  0.99
#define DAY_US      INT64_C(86400000000)
#define HINT_COST   2.1 /* ln 8: one of a few that others keep to */

static const double alternatives[SEGMENT_SHARES] = {0.3, 0.6, 0.95};

struct search {
    const struct segment_vote *votes;
    size_t count;
    double threshold, base;
    bool two_voices, with_hours;
    const bool *hint;
    bool hours[SEGMENT_HOURS];
    double hours_cost;
    uint8_t (*from)[STATES]; /* count of them */
    uint8_t *path;
};

static bool is_hourly(uint8_t state)
{
    return state > SEGMENT_SHARES;
}

static bool counts_in(const struct search *search, uint8_t state, const struct segment_vote *vote)
{
    return !is_hourly(state) || search->hours[vote->local_hour];
}

static double share_of(const struct search *search, uint8_t state)
{
    double above = alternatives[(state - 1) % SEGMENT_SHARES];
    return MIN_OF(SHARE_MOST, search->base + (1 - search->base) * above);
}

static double emission(const struct search *search, uint8_t state, const struct segment_vote *vote)
{
    bool ordinary = state == 0 || !counts_in(search, state, vote);
    return stat_bernoulli(vote->bad, vote->votes,
                          ordinary ? search->base : share_of(search, state));
}

static double change_cost(const struct search *search, uint8_t from, uint8_t to)
{
    if (from == to)
        return 0;
    if (to == 0)
        return SEGMENT_END_COST;
    if (from == 0)
        return search->threshold + log(SEGMENT_SHARES) + (is_hourly(to) ? search->hours_cost : 0);
    return SEGMENT_END_COST + (is_hourly(to) && !is_hourly(from) ? search->hours_cost : 0);
}

/* The best path; its states into search->path. Returns its log-likelihood less costs. */
static double best_path(struct search *search)
{
    unsigned states = search->with_hours ? STATES : 1 + SEGMENT_SHARES;
    double now[STATES] = {0}, next[STATES];

    for (unsigned s = 1; s < states; s++)
        now[s] = -change_cost(search, 0, (uint8_t)s);
    for (size_t t = 0; t < search->count; t++) {
        for (unsigned to = 0; to < states; to++) {
            uint8_t best = (uint8_t)to;
            double best_score = now[to];
            for (unsigned from = 0; t > 0 && from < states; from++) {
                double score = now[from] - change_cost(search, (uint8_t)from, (uint8_t)to);
                if (score > best_score) {
                    best_score = score;
                    best = (uint8_t)from;
                }
            }
            search->from[t][to] = best;
            next[to] = best_score + emission(search, (uint8_t)to, &search->votes[t]);
        }
        memcpy(now, next, sizeof(now));
    }
    uint8_t state = 0;
    for (unsigned s = 1; s < states; s++)
        if (now[s] > now[state])
            state = (uint8_t)s;
    double score = now[state];
    for (size_t t = search->count; t-- > 0;) {
        search->path[t] = state;
        state = search->from[t][state];
    }
    return score;
}

/* ---- the base share ---- */

static bool is_base(const struct search *search, size_t t)
{
    return search->path[t] == 0 || !counts_in(search, search->path[t], &search->votes[t]);
}

static double learn_base(const struct search *search)
{
    double bad = SEGMENT_PRIOR_BAD, votes = SEGMENT_PRIOR_VOTES;

    for (size_t t = 0; t < search->count; t++) {
        if (is_base(search, t)) {
            bad += search->votes[t].bad;
            votes += search->votes[t].votes;
        }
    }
    return MIN_OF(SEGMENT_BASE_HIGH, MAX_OF(SEGMENT_BASE_LOW, bad / votes));
}

/* What failed a little from the first vote on is how this series is: chronic failure is no news. */
static void take_chronic_as_base(struct search *search)
{
    double bad = 0, votes = 0;
    size_t t = 0;

    for (; t < search->count && search->path[t] != 0 && !is_hourly(search->path[t]); t++) {
        bad += search->votes[t].bad;
        votes += search->votes[t].votes;
    }
    if (t == 0 || bad > SEGMENT_BASE_HIGH * votes)
        return;
    memset(search->path, 0, t);
}

static double search_with_base(struct search *search)
{
    double score = 0;

    /* From below: failures of a stretch must not teach that failing is ordinary. */
    search->base = SEGMENT_BASE_LOW;
    for (int round = 0; round < ROUNDS; round++) {
        score = best_path(search);
        take_chronic_as_base(search);
        double base = learn_base(search);
        if (fabs(base - search->base) < 1e-9)
            break;
        search->base = base;
        score = best_path(search);
    }
    return score;
}

/* ---- hours that it keeps to ---- */

/* From the first vote of the path's first stretch to the last of its last; without stretches from
 * the first failing vote to the last. */
static void failing_range(const struct search *search, size_t *ret_begin, size_t *ret_end)
{
    size_t begin = search->count, end = 0;

    for (int attempt = 0; attempt < 2 && begin >= end; attempt++) {
        for (size_t t = 0; t < search->count; t++) {
            if (attempt == 0 ? search->path[t] == 0 : search->votes[t].bad <= 0)
                continue;
            begin = MIN_OF(begin, t);
            end = t + 1;
        }
    }
    *ret_begin = begin;
    *ret_end = end;
}

static unsigned runs_of(const bool hours[24])
{
    unsigned runs = 0;
    for (unsigned h = 0; h < 24; h++)
        runs += hours[h] && !hours[(h + 23) % 24];
    return runs;
}

static double cost_of_hours(const bool hours[SEGMENT_HOURS])
{
    unsigned runs = runs_of(hours);
    if (memcmp(hours, hours + 24, 24) != 0)
        runs += runs_of(hours + 24);
    return runs * RUN_COST + log(3); /* all days, workdays, weekends */
}

/* The local hours in which most votes fail, from where failing begins on. False where that is all
 * day, never, or was seen on one day only. */
static bool find_hours(struct search *search)
{
    double bad[SEGMENT_HOURS] = {0}, votes[SEGMENT_HOURS] = {0};
    int64_t day = INT64_MIN;
    unsigned masked = 0, days = 0;
    size_t begin, end;

    failing_range(search, &begin, &end);
    for (size_t t = begin; t < end; t++) {
        bad[search->votes[t].local_hour] += search->votes[t].bad;
        votes[search->votes[t].local_hour] += search->votes[t].votes;
    }
    for (unsigned h = 0; h < SEGMENT_HOURS; h++)
        search->hours[h] = votes[h] > 0 && bad[h] > votes[h] / 2;
    for (unsigned half = 0; half < SEGMENT_HOURS; half += 24) /* an hour nobody tried at */
        for (unsigned h = 0; h < 24; h++)
            if (votes[half + h] == 0 && search->hours[half + (h + 23) % 24] &&
                search->hours[half + (h + 1) % 24])
                search->hours[half + h] = true;
    for (unsigned h = 0; h < SEGMENT_HOURS; h++)
        masked += search->hours[h];
    for (size_t t = begin; t < end; t++) {
        const struct segment_vote *vote = &search->votes[t];
        if (!search->hours[vote->local_hour] || vote->bad <= 0 || vote->from_us / DAY_US == day)
            continue;
        day = vote->from_us / DAY_US;
        days++;
    }
    search->hours_cost = cost_of_hours(search->hours);
    return masked > 0 && masked <= 2 * HOURS_MOST && days >= MASK_DAYS;
}

/* ---- from a path to stretches ---- */

static double good_of(const struct segment_vote *vote)
{
    return vote->votes - vote->bad;
}

/* Do the votes between two instants of the path end what failed before them? */
static bool ends_it(const struct search *search, uint8_t state, size_t begin, size_t end)
{
    double good = 0;
    unsigned together = 0, hours = 0;

    for (size_t t = begin; t < end; t++) {
        const struct segment_vote *vote = &search->votes[t];
        if (!counts_in(search, state, vote) || good_of(vote) <= 0)
            continue;
        good += good_of(vote);
        together = MAX_OF(together, vote->good_voices);
        hours++;
    }
    return good >= SEGMENT_END_GOOD - 1e-6 &&
           (!search->two_voices || together >= 2 || hours >= SEGMENT_END_GOOD);
}

struct stretch {
    size_t begin, end; /* half open */
    size_t hourly;     /* votes in states that keep to hours */
};

/* A state that stands for the stretch: of the kind that most of it is. */
static uint8_t state_of(const struct stretch *stretch)
{
    return 2 * stretch->hourly > stretch->end - stretch->begin ? STATES - 1 : SEGMENT_SHARES;
}

static size_t stretches_of(const struct search *search, struct stretch *ret, size_t most)
{
    size_t count = 0;

    for (size_t t = 0; t < search->count;) {
        if (search->path[t] == 0) {
            t++;
            continue;
        }
        struct stretch stretch = {t, t, 0};
        for (; t < search->count && search->path[t] != 0; t++)
            stretch.hourly += is_hourly(search->path[t]);
        stretch.end = t;
        struct stretch *before = count ? &ret[count - 1] : NULL;
        if (before && !ends_it(search, state_of(before), before->end, stretch.begin)) {
            before->end = stretch.end;
            before->hourly += stretch.hourly;
        } else if (count < most) {
            ret[count++] = stretch;
        }
    }
    return count;
}

/* What a vote gains by being in the stretch. */
static double gain_of(const struct search *search, const struct segment *segment, size_t t)
{
    const struct segment_vote *vote = &search->votes[t];
    if (segment->has_hours && !segment->hours[vote->local_hour])
        return 0;
    return stat_bernoulli(vote->bad, vote->votes, segment->share) -
           stat_bernoulli(vote->bad, vote->votes, search->base);
}

/* The last attempt of a vote that surely was before a change after it: in one that also failed, the
 * change may have been within. */
static int64_t last_before(const struct segment_vote *vote)
{
    return vote->bad > 0 ? vote->from_us : vote->to_us;
}

/* The first attempt of a vote that surely was after a change before it. */
static int64_t first_after(const struct segment_vote *vote)
{
    return vote->bad > 0 ? vote->to_us : vote->first_good_us;
}

/* Beginnings from `low` on whose likelihood is near the best one's. */
static void find_onset(const struct search *search, struct segment *segment, size_t low, size_t end)
{
    const struct segment_vote *votes = search->votes;
    double gain = 0, best = -INFINITY;
    size_t first = end, last = end;

    for (size_t t = end; t-- > low;) {
        gain += gain_of(search, segment, t);
        best = MAX_OF(best, gain);
    }
    gain = 0;
    for (size_t t = end; t-- > low;) {
        gain += gain_of(search, segment, t);
        if (gain < best - WITHIN)
            continue;
        first = t;
        if (last == end)
            last = t;
    }
    segment->gain = best;
    segment->at_first_sight = first == 0;
    segment->onset_earliest_us = first == 0 ? 0 : last_before(&votes[first - 1]);
    while (last + 1 < end && votes[last].first_bad_us == 0)
        last++;
    segment->onset_latest_us =
        votes[last].first_bad_us ? votes[last].first_bad_us : votes[last].to_us;
}

static void find_end(const struct search *search, struct segment *segment, size_t begin,
                     size_t high)
{
    const struct segment_vote *votes = search->votes;
    double gain = 0, best = -INFINITY;
    size_t first = high, last = begin;

    for (size_t t = begin; t < high; t++) {
        gain += gain_of(search, segment, t);
        best = MAX_OF(best, gain);
    }
    gain = 0;
    for (size_t t = begin; t < high; t++) {
        gain += gain_of(search, segment, t);
        if (gain < best - WITHIN)
            continue;
        last = t;
        if (first == high)
            first = t;
    }
    while (first > begin && votes[first].last_bad_us == 0)
        first--;
    segment->end_earliest_us =
        votes[first].last_bad_us ? votes[first].last_bad_us : votes[first].from_us;
    while (last + 1 < high && votes[last + 1].first_good_us == 0)
        last++;
    segment->end_latest_us = last + 1 < high ? first_after(&votes[last + 1]) : votes[last].to_us;
}

static void count_votes(const struct search *search, struct segment *segment, size_t begin,
                        size_t end)
{
    segment->first = end;
    segment->last = begin;
    for (size_t t = begin; t < end; t++) {
        const struct segment_vote *vote = &search->votes[t];
        if (segment->has_hours && !segment->hours[vote->local_hour])
            continue;
        segment->votes += vote->votes;
        segment->bad += vote->bad;
        if (vote->bad > 0) {
            segment->first = MIN_OF(segment->first, t);
            segment->last = t;
        }
    }
    segment->share =
        MIN_OF(SHARE_MOST, MAX_OF(SHARE_LEAST, segment->bad / MAX_OF(segment->votes, 1e-9)));
}

static void describe(const struct search *search, const struct stretch *stretch, size_t low,
                     size_t high, struct segment *ret_segment)
{
    struct segment segment = {.base = search->base, .has_hours = is_hourly(state_of(stretch))};

    if (segment.has_hours)
        memcpy(segment.hours, search->hours, sizeof(segment.hours));
    count_votes(search, &segment, stretch->begin, stretch->end);
    find_onset(search, &segment, low, stretch->end);
    segment.ended = ends_it(search, state_of(stretch), stretch->end, high);
    if (segment.ended)
        find_end(search, &segment, stretch->begin, high);
    *ret_segment = segment;
}

/* The best of: all day, its own hours, the hours hinted at. */
static void search_states(struct search *search)
{
    bool own[SEGMENT_HOURS], has_own;
    double best, score, own_cost;

    search->with_hours = false;
    best = search_with_base(search);
    has_own = find_hours(search);
    memcpy(own, search->hours, sizeof(own));
    own_cost = search->hours_cost;
    for (int hinted = 0; hinted < 2; hinted++) {
        if (hinted ? !search->hint : !has_own)
            continue;
        bool before_hours = search->with_hours;
        search->with_hours = true;
        memcpy(search->hours, hinted ? search->hint : own, sizeof(own));
        search->hours_cost = hinted ? HINT_COST : own_cost;
        score = search_with_base(search);
        if (score > best) {
            best = score;
            continue;
        }
        search->with_hours = before_hours;
        memcpy(search->hours, own, sizeof(own));
        search->hours_cost = own_cost;
        search_with_base(search);
    }
}

/* One search over the first `count` votes. */
static size_t search_prefix(struct search *search, size_t count, struct segment *ret_segments)
{
    struct stretch stretches[SEGMENTS_MAX];
    size_t found, low = 0;

    search->count = count;
    search_states(search);
    found = stretches_of(search, stretches, SEGMENTS_MAX);
    for (size_t i = 0; i < found; i++) {
        size_t high = i + 1 < found ? stretches[i + 1].begin : count;
        describe(search, &stretches[i], low, high, &ret_segments[i]);
        low = stretches[i].end;
    }
    return found;
}

/* The shortest prefix of the votes that shows a stretch there: more votes never hide one for long,
 * so halving finds it. */
static void find_alarm(struct search *search, size_t count, struct segment *segment)
{
    struct segment found[SEGMENTS_MAX];
    size_t low = segment->first + 1, high = MIN_OF(segment->last + 1, count);

    while (low < high) {
        size_t middle = low + (high - low) / 2, n = search_prefix(search, middle, found);
        if (n > 0 && found[n - 1].last >= segment->first)
            high = middle;
        else
            low = middle + 1;
    }
    segment->alarm_us = search->votes[high - 1].to_us;
}

double segment_threshold(double attempts_a_week)
{
    return log(1000 * MAX_OF(attempts_a_week, 1));
}

int segment_find(const struct segment_vote *votes, size_t count, double threshold, bool two_voices,
                 const bool *hint, struct segment ret_segments[SEGMENTS_MAX], size_t *ret_count,
                 double *ret_base)
{
    struct search search = {
        .votes = votes, .threshold = threshold, .two_voices = two_voices, .hint = hint};
    int status = DL_OK;
    size_t found;

    search.from = malloc(MAX_OF(count, 1) * sizeof(*search.from));
    search.path = malloc(MAX_OF(count, 1));
    if (!search.from || !search.path) {
        status = -ENOMEM;
        goto out;
    }
    found = search_prefix(&search, count, ret_segments);
    *ret_base = search.base;
    for (size_t i = 0; i < found; i++)
        find_alarm(&search, count, &ret_segments[i]);
    *ret_count = found;
out:
    free(search.from);
    free(search.path);
    return status;
}
