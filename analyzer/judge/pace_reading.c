// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How the detector of SIGCOMM 2016 is adapted. It reads a trace at the sender, packet by packet:
 *  - losses: there, what was retransmitted. Here holes in the sequence and steps of the IP-ID
 *    (losses before the probe), or what was sent again (beyond it); the two kinds are tried one
 *    after the other, for a policer stands on one side of the probe. Counted ones are used only
 *    where the IP-IDs are a count, and beside some real holes: a counter shared with other
 *    connections makes none.
 *  - the time of a loss: that of the packet before it, of which one knows when it passed.
 *  - tokens when lost: exact, from time and bytes kept with each loss. Tokens when passed: at the
 *    end of each bin that carried, weighted by its bytes; exact at that time, which is later than
 *    the packet: what it took is gone, and some has flowed in since, on both of which the original
 *    does not look.
 *  - tolerances are in round trips times rate; where that is less than a few segments, or than
 *    what one bin carries, that: a bucket passes whole packets only.
 *  - only the first PACE_LOSSES_MAX places of loss are kept; rate and tokens are of that part.
 *  - a queue: of the losses whose round trip is known, at most 20 % may follow one of more than 1.3
 *    times (and 20 ms above) the 10th percentile; the least one stands for that. For half of them
 *    it must be known.
 *    A least one of more than 0.3 s may itself be of a queue that stood all the time.
 *  - at least 2 s between first and last loss.
 */
#include "analyzer/judge/pace_reading.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"

#define LOSSES_LEAST      15u
#define HOLES_LEAST       3u
#define SLICES_LEAST      3u
#define LATE_BYTES        2000000u
#define TRIMMED           2u
#define LOSS_OUTSIDE_MOST 0.10
#define PASS_BELOW_MOST   0.03
#define LOSS_RANGE        2.0
#define PASS_RANGE        0.75
#define INFLATED          1.3
#define INFLATED_LEAST_MS 20u
#define INFLATED_MOST     0.20
#define RTT_MOST_US       300000u /* of the least: longer ones may never have been without a queue */
#define DURATION_LEAST_US 2000000u
#define COUNTED_SHARE     0.9
#define SMALL_SHARE       0.95

#define PLATEAU_LEAST_US 2500000u
#define PLATEAU_WINDOW   400000u /* at least, and as long as six segments take */
#define PLATEAU_SEGMENTS 6u
#define PLATEAU_WINDOWS  5u
#define PLATEAU_VARIES   0.2 /* standard deviation over mean, at most */
#define BEFORE_BYTES     32768u
#define QUEUE_SEGMENTS   4u /* fewer may be on their way for other reasons */
#define QUEUE_LEAST_US   50000u
#define QUEUE_TIMES      2u
#define RTT_BINS_LEAST   4u

static double bits(double bytes, double us)
{
    return us > 0 ? bytes * 8e6 / us : 0;
}

static unsigned last_bin(const struct pace_facts *pace)
{
    unsigned last = MIN_OF(pace->bin_count, PACE_BINS_MAX);

    while (last > 0 && pace->bins[last - 1].bytes == 0)
        last--;
    return last;
}

uint64_t pace_goodput_bps(const struct pace_facts *pace)
{
    unsigned end = last_bin(pace), used = 0, empty = 0;
    uint64_t bytes = 0;

    for (unsigned i = 0; i < end; i++) {
        bytes += pace->bins[i].bytes;
        if (pace->bins[i].bytes == 0) {
            empty++;
            continue;
        }
        if ((uint64_t)empty * pace->bin_us < PACE_PAUSE_US)
            used += empty;
        used++;
        empty = 0;
    }
    if (bytes < PACE_GOODPUT_BYTES)
        return 0;
    return (uint64_t)bits((double)bytes, (double)MAX_OF(used, 2u) * pace->bin_us);
}

/* ---- policing ---- */

struct bucket {
    const struct pace_facts *pace;
    const struct pace_loss *losses[PACE_LOSSES_MAX]; /* in order of time */
    size_t count;
    double rate;  /* bytes a microsecond */
    double grain; /* bytes: two segments, or what one bin may carry */
    double rtt_us;
};

static int compare_loss(const void *a, const void *b)
{
    const struct pace_loss *left = *(const struct pace_loss *const *)a;
    const struct pace_loss *right = *(const struct pace_loss *const *)b;
    return (left->after_us > right->after_us) - (left->after_us < right->after_us);
}

static int compare_double(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static bool ids_count(const struct pace_facts *pace)
{
    return pace->ids > 0 && pace->ids_small >= SMALL_SHARE * pace->ids &&
           pace->lost[PACE_LOST_BEFORE] >= HOLES_LEAST &&
           pace->quick_counted >= COUNTED_SHARE * pace->quick;
}

static void choose_losses(struct bucket *bucket, bool beyond)
{
    const struct pace_facts *pace = bucket->pace;
    bool counted = ids_count(pace);

    bucket->count = 0;
    for (unsigned i = 0; i < MIN_OF(pace->loss_count, PACE_LOSSES_MAX); i++) {
        const struct pace_loss *loss = &pace->losses[i];
        bool wanted =
            beyond ? loss->how == PACE_LOST_BEYOND
                   : loss->how == PACE_LOST_BEFORE || (loss->how == PACE_LOST_COUNTED && counted);
        if (wanted && loss->segments > 0)
            bucket->losses[bucket->count++] = loss;
    }
    qsort(bucket->losses, bucket->count, sizeof(bucket->losses[0]), compare_loss);
}

static uint32_t segments_of(const struct bucket *bucket)
{
    uint32_t segments = 0;

    for (size_t i = 0; i < bucket->count; i++)
        segments += bucket->losses[i]->segments;
    return segments;
}

static double tokens_at(const struct bucket *bucket, double after_us, double bytes)
{
    const struct pace_loss *first = bucket->losses[0];
    return bucket->rate * (after_us - first->after_us) - (bytes - first->bytes);
}

static bool few_losses(const struct bucket *bucket)
{
    uint32_t slices = 0;
    double next_us = 0;

    for (size_t i = 0; i < bucket->count; i++) {
        if (i > 0 && bucket->losses[i]->after_us < next_us)
            continue;
        slices++;
        next_us = bucket->losses[i]->after_us + bucket->rtt_us;
    }
    return segments_of(bucket) < LOSSES_LEAST || slices < SLICES_LEAST;
}

/* The tokens that were there when segments were lost: mean and median of all, each segment one. */
static double tokens_on_loss(const struct bucket *bucket, double *ret_median)
{
    double fills[PACE_LOSSES_MAX], sum = 0, weight = 0;

    for (size_t i = 0; i < bucket->count; i++) {
        fills[i] = tokens_at(bucket, bucket->losses[i]->after_us, bucket->losses[i]->bytes);
        sum += fills[i] * bucket->losses[i]->segments;
        weight += bucket->losses[i]->segments;
    }
    qsort(fills, bucket->count, sizeof(fills[0]), compare_double);
    *ret_median = fills[bucket->count / 2];
    return sum / weight;
}

static bool is_scattered(const struct bucket *bucket, double median)
{
    double range = MAX_OF(LOSS_RANGE * bucket->rtt_us * bucket->rate, bucket->grain);
    double outside = 0;

    for (size_t i = 0; i < bucket->count; i++) {
        const struct pace_loss *loss = bucket->losses[i];
        if (fabs(tokens_at(bucket, loss->after_us, loss->bytes) - median) > range)
            outside += loss->segments;
    }
    return outside > LOSS_OUTSIDE_MOST * segments_of(bucket);
}

struct passes {
    double mean, median, below; /* below: share of bytes that passed an empty bucket */
    double bytes;
};

static struct passes tokens_on_pass(const struct bucket *bucket, double on_loss)
{
    const struct pace_facts *pace = bucket->pace;
    const struct pace_loss *first = bucket->losses[0], *last = bucket->losses[bucket->count - 1];
    double range = MAX_OF(PASS_RANGE * bucket->rtt_us * bucket->rate, bucket->grain);
    double fills[PACE_BINS_MAX], through = 0;
    struct passes passes = {0, 0, 0, 0};
    size_t count = 0;

    for (unsigned i = 0; i < MIN_OF(pace->bin_count, PACE_BINS_MAX); i++) {
        double end_us = (double)(i + 1) * pace->bin_us, bytes = pace->bins[i].bytes;
        through += bytes;
        if (bytes == 0 || end_us <= first->after_us || end_us > (double)last->after_us)
            continue;
        double tokens = tokens_at(bucket, end_us, through);
        fills[count++] = tokens;
        passes.mean += tokens * bytes;
        passes.bytes += bytes;
        if (tokens < on_loss - range)
            passes.below += bytes;
    }
    if (passes.bytes > 0) {
        qsort(fills, count, sizeof(fills[0]), compare_double);
        passes.median = fills[count / 2];
        passes.mean /= passes.bytes;
        passes.below /= passes.bytes;
    }
    return passes;
}

static bool follows_queue(const struct bucket *bucket)
{
    double least_ms = bucket->pace->rtt_least_us / 1000.0, known = 0, inflated = 0;

    for (size_t i = 0; i < bucket->count; i++) {
        const struct pace_loss *loss = bucket->losses[i];
        if (loss->rtt_ms == 0)
            continue;
        known += loss->segments;
        if (loss->rtt_ms > INFLATED * least_ms && loss->rtt_ms >= least_ms + INFLATED_LEAST_MS)
            inflated += loss->segments;
    }
    return known * 2 < segments_of(bucket) || inflated > INFLATED_MOST * known;
}

/* What was in the bucket when the flow began: what it took before the first loss, less what flowed
 * in meanwhile. A policer that came in later had a full one. */
static bool starts_negative(const struct bucket *bucket)
{
    const struct pace_loss *first = bucket->losses[0];
    return first->bytes + (double)bucket->pace->bytes_before + bucket->grain <
           bucket->rate * first->after_us;
}

static enum policing try_bucket(struct bucket *bucket, struct policed *ret_policed)
{
    if (bucket->rtt_us > RTT_MOST_US)
        return POLICING_QUEUE;
    if (bucket->count < 2 || few_losses(bucket))
        return POLICING_FEW_LOSSES;
    const struct pace_loss *first = bucket->losses[0], *last = bucket->losses[bucket->count - 1];
    double span_us = (double)last->after_us - first->after_us, median;

    if (first->bytes + bucket->pace->bytes_before > LATE_BYTES)
        return POLICING_LATE;
    if (span_us < DURATION_LEAST_US || last->bytes <= first->bytes)
        return POLICING_SHORT;
    bucket->rate = ((double)last->bytes - first->bytes) / span_us;
    bucket->grain = MAX_OF(2.0 * bucket->pace->segment, bucket->rate * bucket->pace->bin_us / 2);
    if (starts_negative(bucket))
        return POLICING_NEGATIVE_START;
    double mean = tokens_on_loss(bucket, &median);
    struct passes passes = tokens_on_pass(bucket, median);
    if (passes.mean < mean || passes.median < median)
        return POLICING_MORE_ON_LOSS;
    if (is_scattered(bucket, median))
        return POLICING_LOSS_SCATTERED;
    if (passes.below > PASS_BELOW_MOST)
        return POLICING_PASS_WITHOUT;
    if (follows_queue(bucket))
        return POLICING_QUEUE;
    *ret_policed = (struct policed){.rate_bps = (uint64_t)(bucket->rate * 8e6),
                                    .losses = segments_of(bucket),
                                    .from_us = first->after_us,
                                    .to_us = last->after_us};
    return POLICING_YES;
}

/* As its authors do, a second time without the first and last two losses. */
static void trim(struct bucket *bucket)
{
    size_t left = bucket->count > 2 * TRIMMED ? bucket->count - 2 * TRIMMED : 0;

    for (size_t i = 0; i < left; i++)
        bucket->losses[i] = bucket->losses[i + TRIMMED];
    bucket->count = left;
}

enum policing pace_find_policing(const struct pace_facts *pace, struct policed *ret_policed)
{
    struct bucket bucket = {.pace = pace, .rtt_us = MAX_OF(pace->rtt_least_us, 1u)};
    enum policing first = POLICING_FEW_LOSSES;

    for (int beyond = 0; beyond < 2; beyond++) {
        choose_losses(&bucket, beyond);
        enum policing result = try_bucket(&bucket, ret_policed);
        if (result != POLICING_YES) {
            first = first == POLICING_FEW_LOSSES ? result : first;
            trim(&bucket);
            result = try_bucket(&bucket, ret_policed);
        }
        if (result == POLICING_YES)
            return result;
    }
    return first;
}

/* ---- an even rate ---- */

static double bytes_between(const struct pace_facts *pace, unsigned from, unsigned to)
{
    double bytes = 0;

    for (unsigned i = from; i < to; i++)
        bytes += pace->bins[i].bytes;
    return bytes;
}

/* Are the windows of these bins alike? The last one, not whole, is left out. */
static bool is_even(const struct pace_facts *pace, unsigned from, unsigned to)
{
    double rate = bytes_between(pace, from, to) / ((double)(to - from) * pace->bin_us);
    double window_us = MAX_OF(PLATEAU_SEGMENTS * pace->segment / rate, (double)PLATEAU_WINDOW);
    unsigned window = (unsigned)MIN_OF(ceil(window_us / pace->bin_us), (double)PACE_BINS_MAX);
    double sum = 0, squares = 0;
    unsigned count = (to - from) / window;

    if (count < PLATEAU_WINDOWS)
        return false;
    for (unsigned i = 0; i < count; i++) {
        double bytes = bytes_between(pace, from + i * window, from + (i + 1) * window);
        sum += bytes;
        squares += bytes * bytes;
    }
    double mean = sum / count, variance = MAX_OF(squares / count - mean * mean, 0.0);
    return mean > 0 && sqrt(variance) <= PLATEAU_VARIES * mean;
}

static int compare_u16(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* The round trips of these bins, sorted. Returns how many. */
static unsigned rtts_of(const struct pace_facts *pace, unsigned from, unsigned to,
                        uint16_t rtts[PACE_BINS_MAX])
{
    unsigned count = 0;

    for (unsigned i = from; i < to; i++)
        if (pace->bins[i].rtt_ms)
            rtts[count++] = pace->bins[i].rtt_ms;
    qsort(rtts, count, sizeof(rtts[0]), compare_u16);
    return count;
}

bool pace_is_unqueued(const struct pace_facts *pace)
{
    uint16_t rtts[PACE_BINS_MAX];
    unsigned count = rtts_of(pace, 0, MIN_OF(pace->bin_count, PACE_BINS_MAX), rtts);

    return count > 0 && pace->rtt_least_us > 0 &&
           rtts[count / 2] * 1000u <=
               pace->rtt_least_us + MAX_OF(pace->rtt_least_us / 2, QUEUE_LEAST_US);
}

static void measure_queue(const struct pace_facts *pace, unsigned from, unsigned to,
                          struct plateau *plateau)
{
    uint16_t rtts[PACE_BINS_MAX];
    unsigned count = rtts_of(pace, from, to, rtts);

    plateau->rtt_bins = count;
    if (count < 2 || pace->rtt_least_us == 0)
        return;
    plateau->rtt_median_us = rtts[count / 2] * 1000u;
    /* One is measured at a time: two long ones may be as good as many. */
    if (count < RTT_BINS_LEAST &&
        2.0 * count * plateau->rtt_median_us < plateau->to_us - plateau->from_us)
        return;
    double longer_us = (double)plateau->rtt_median_us - pace->rtt_least_us;
    double segment_us = pace->segment * 8e6 / (double)MAX_OF(plateau->rate_bps, 1u);
    plateau->queued = longer_us >= QUEUE_LEAST_US && longer_us >= QUEUE_SEGMENTS * segment_us &&
                      plateau->rtt_median_us >= QUEUE_TIMES * pace->rtt_least_us;
}

bool pace_find_plateau(const struct pace_facts *pace, struct plateau *ret_plateau)
{
    unsigned end = last_bin(pace), from = 0;

    if (end < 2)
        return false;
    end--; /* it ended somewhere within the last one */
    while (from < end && ((uint64_t)(end - from) * pace->bin_us < PLATEAU_LEAST_US ||
                          pace->bins[from].bytes == 0 || !is_even(pace, from, end)))
        from++;
    if (from == end)
        return false;
    struct plateau plateau = {.from_us = from * pace->bin_us, .to_us = end * pace->bin_us};
    double bytes = bytes_between(pace, from, end), before = bytes_between(pace, 0, from);
    plateau.rate_bps = (uint64_t)bits(bytes, plateau.to_us - plateau.from_us);
    if (before >= BEFORE_BYTES)
        plateau.before_bps = (uint64_t)bits(before, plateau.from_us);
    measure_queue(pace, from, end, &plateau);
    *ret_plateau = plateau;
    return true;
}
