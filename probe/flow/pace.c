// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/flow/pace.h"

#include <string.h>

#include "base/array.h"

#define REORDER_US       3000u       /* where no round trip is known */
#define JUMP_MOST        (4u << 20)  /* beyond it a sequence number is not this flow's */
#define THROUGH_MOST     (1u << 31)  /* by then all is known; counters do not wrap */
#define TURN_BYTES       (32u << 10) /* the other side is the heavy one from here on, where it */
#define TURN_TIMES       4u          /* sent so many times more */
#define SHORT_US         5000u       /* about the least: nothing can have waited */
#define TIMER_LEAST_US   200000u     /* of a sender that waits for acknowledgements in vain */
#define QUICK_US         2000u       /* sent in one go: nothing else happened between */
#define ID_STEP_MOST     64u         /* more is no count */
#define SEQ_BEFORE(a, b) ((int32_t)((a) - (b)) < 0)

static uint32_t after_us_of(const struct pace *pace, const struct packet *packet)
{
    int64_t after = packet->time_us - pace->start_us;
    return after < 0 ? 0 : after > UINT32_MAX ? UINT32_MAX : (uint32_t)after;
}

/* ---- bins ---- */

static void widen(struct pace *pace)
{
    for (unsigned i = 0; i < PACE_BINS_MAX / 2; i++) {
        struct pace_bin a = pace->bins[2 * i], b = pace->bins[2 * i + 1];
        uint16_t rtt = a.rtt_ms && b.rtt_ms ? MIN_OF(a.rtt_ms, b.rtt_ms) : a.rtt_ms | b.rtt_ms;
        pace->bins[i] = (struct pace_bin){.bytes = a.bytes + b.bytes,
                                          .rtt_ms = rtt,
                                          .lost = (uint8_t)MIN_OF(a.lost + b.lost, UINT8_MAX)};
    }
    memset(&pace->bins[PACE_BINS_MAX / 2], 0, sizeof(pace->bins) / 2);
    pace->bin_us *= 2;
    pace->bin_last /= 2;
}

/* The bin of a time up to now; at UINT32_MAX time stands still. */
static struct pace_bin *bin_at(struct pace *pace, uint32_t after_us)
{
    while (after_us / pace->bin_us >= PACE_BINS_MAX)
        widen(pace);
    uint8_t index = (uint8_t)(after_us / pace->bin_us);
    pace->bin_last = MAX_OF(pace->bin_last, index);
    return &pace->bins[index];
}

static void add_through(struct pace *pace, uint32_t after_us, uint32_t bytes)
{
    bin_at(pace, after_us)->bytes += bytes;
    pace->through += bytes;
}

/* ---- losses ---- */

static uint8_t segments_in(const struct pace *pace, uint32_t bytes)
{
    uint32_t segments = (bytes + pace->segment - 1) / MAX_OF(pace->segment, 1);
    return (uint8_t)MIN_OF(segments, UINT8_MAX);
}

/* Returns the number it is kept under, PACE_LOSSES_MAX where it is not. */
static uint8_t add_loss(struct pace *pace, const struct pace_loss *loss)
{
    struct pace_bin *bin = bin_at(pace, loss->after_us);

    if (loss->how != PACE_LOST_COUNTED)
        bin->lost = (uint8_t)MIN_OF(bin->lost + loss->segments, UINT8_MAX);
    pace->lost[loss->how] += loss->segments;
    if (pace->loss_count == PACE_LOSSES_MAX)
        return PACE_LOSSES_MAX;
    pace->losses[pace->loss_count] = *loss;
    return pace->loss_count++;
}

/* It was none: the segments came, or were here and not captured. */
static void take_back(struct pace *pace, const struct pace_hole *hole, uint32_t loss_after_us)
{
    struct pace_bin *bin = bin_at(pace, loss_after_us);
    uint8_t segments = hole->bin_segments;

    bin->lost -= MIN_OF(bin->lost, segments);
    pace->lost[0] -= MIN_OF(pace->lost[0], (uint32_t)segments);
    if (hole->loss < PACE_LOSSES_MAX)
        pace->losses[hole->loss].segments = 0;
}

static void drop_hole(struct pace *pace, unsigned index)
{
    pace->hole_count--;
    memmove(&pace->holes[index], &pace->holes[index + 1],
            (pace->hole_count - index) * sizeof(pace->holes[0]));
}

static void open_hole(struct pace *pace, uint32_t start, uint32_t end, uint32_t after_us)
{
    struct pace_loss loss = {.after_us = pace->last_after_us,
                             .bytes = pace->through,
                             .rtt_ms = pace->rtt_ms,
                             .segments = segments_in(pace, end - start)};

    if (pace->hole_count == PACE_HOLES_MAX) { /* this one is not told from the one before */
        pace->holes[PACE_HOLES_MAX - 1].end = end;
        return;
    }
    pace->holes[pace->hole_count++] = (struct pace_hole){.start = start,
                                                         .end = end,
                                                         .after_us = after_us,
                                                         .loss = add_loss(pace, &loss),
                                                         .bin_segments = loss.segments};
}

/* Filled in the middle. Without room for both rests it stays whole: what fills it once more is not
 * counted. */
static void split_hole(struct pace *pace, unsigned index, uint32_t from, uint32_t to)
{
    struct pace_hole *hole = &pace->holes[index];

    if (pace->hole_count == PACE_HOLES_MAX)
        return;
    memmove(hole + 1, hole, (pace->hole_count - index) * sizeof(*hole));
    pace->hole_count++;
    hole[0].end = from;
    hole[1].start = to;
    hole[1].bin_segments = 0; /* the loss is the first one's */
    hole[1].loss = PACE_LOSSES_MAX;
}

/* Least time in which a loss can be noticed at the other end and what was lost be here again. */
static uint32_t soonest_again(const struct pace *pace)
{
    return pace->rtt_least_us ? pace->rtt_least_us / 4 * 3 : REORDER_US;
}

/* A segment from before `next`, as far as it fills holes. Returns how many of its bytes did. */
static uint32_t fill_holes(struct pace *pace, uint32_t start, uint32_t end, uint32_t after_us)
{
    uint32_t filled = 0;

    for (unsigned i = 0; i < pace->hole_count;) {
        struct pace_hole *hole = &pace->holes[i];
        uint32_t from = SEQ_BEFORE(start, hole->start) ? hole->start : start;
        uint32_t to = SEQ_BEFORE(hole->end, end) ? hole->end : end;
        if (!SEQ_BEFORE(from, to)) {
            i++;
            continue;
        }
        uint32_t waited = after_us - MIN_OF(hole->after_us, after_us);
        filled += to - from;
        if (!pace->in_order && waited < soonest_again(pace))
            take_back(pace, hole, pace->last_after_us);
        else if (hole->loss < PACE_LOSSES_MAX && !pace->losses[hole->loss].rtt_ms &&
                 waited < TIMER_LEAST_US) /* no timer: a round trip and a little more */
            pace->losses[hole->loss].rtt_ms = (uint16_t)MIN_OF(waited / 1000 + 1, UINT16_MAX);
        if (from == hole->start && to == hole->end) {
            drop_hole(pace, i);
            continue;
        }
        if (from == hole->start)
            hole->start = to;
        else if (to == hole->end)
            hole->end = from;
        else
            split_hole(pace, i, from, to);
        i++;
    }
    return filled;
}

/* When, and after how many bytes, this position of the heavy side first passed: by the bins, evenly
 * within one. */
static struct pace_loss first_passed(const struct pace *pace, uint32_t seq)
{
    uint32_t back = pace->next - seq, through = pace->through;
    struct pace_loss found = {.segments = 0, .how = PACE_LOST_BEYOND};

    for (int i = pace->bin_last; i >= 0; i--) {
        uint32_t bytes = pace->bins[i].bytes;
        if (back <= bytes && bytes > 0) {
            uint64_t within = (uint64_t)(bytes - back) * pace->bin_us / bytes;
            found.after_us = (uint32_t)((uint64_t)i * pace->bin_us + within);
            found.bytes = through - back;
            found.rtt_ms = pace->bins[i].rtt_ms;
            found.segments = segments_in(pace, 1);
            break;
        }
        back -= bytes;
        through -= bytes;
    }
    return found;
}

/* Bytes that had passed here come again: they got lost beyond, and get through now. */
static void sent_again(struct pace *pace, uint32_t start, uint32_t end, uint32_t after_us)
{
    if (SEQ_BEFORE(start, pace->origin) || !SEQ_BEFORE(start, pace->mark_old))
        return; /* a copy, or not missed yet */
    struct pace_loss loss = first_passed(pace, start);
    if (loss.segments == 0)
        return;
    struct pace_bin *bin = bin_at(pace, loss.after_us);
    uint32_t bytes = MIN_OF(end - start, bin->bytes);

    loss.segments = segments_in(pace, end - start);
    if (!loss.rtt_ms)
        loss.rtt_ms = pace->rtt_ms;
    bin->bytes -= bytes;
    bin_at(pace, after_us)->bytes += bytes;
    add_loss(pace, &loss);
}

/* ---- the heavy side's data ---- */

static void move_marks(struct pace *pace, uint32_t after_us)
{
    if (after_us - pace->mark_after_us < soonest_again(pace) / 2)
        return;
    pace->mark_old = pace->mark_new;
    pace->mark_new = pace->next;
    pace->mark_after_us = after_us;
}

/* Most stacks count each connection's packets in the IP-ID: what it jumps by never came here. With
 * a hole in the sequence that loss is known already. */
static void count_ids(struct pace *pace, const struct packet *packet, int32_t ahead,
                      uint32_t after_us)
{
    uint16_t step = (uint16_t)(packet->ip_id - pace->ip_id);
    bool known = pace->has_ip_id;

    pace->has_ip_id = packet->ip_version == 4;
    pace->ip_id = packet->ip_id;
    pace->in_order = known && packet->ip_version == 4 && (int16_t)step > 0;
    if (!known || packet->ip_version != 4)
        return;
    pace->ids++;
    pace->ids_small += step > 0 && step <= ID_STEP_MOST;
    if (ahead == 0 && after_us - pace->last_after_us < QUICK_US) {
        pace->quick++;
        pace->quick_counted += step == 1;
    }
    if (ahead <= 0 && step > 1 && step <= ID_STEP_MOST) {
        struct pace_loss loss = {.after_us = pace->last_after_us,
                                 .bytes = pace->through,
                                 .rtt_ms = pace->rtt_ms,
                                 .segments = (uint8_t)(step - 1),
                                 .how = PACE_LOST_COUNTED};
        add_loss(pace, &loss);
    }
}

static void take_data(struct pace *pace, const struct packet *packet, uint32_t after_us)
{
    uint32_t start = packet->seq, end = packet->seq + packet->payload_length;
    int32_t ahead = (int32_t)(start - pace->next);

    if (ahead > (int32_t)JUMP_MOST || ahead < -(int32_t)JUMP_MOST)
        return;
    move_marks(pace, after_us);
    count_ids(pace, packet, ahead, after_us);
    pace->segment = (uint16_t)MAX_OF(pace->segment, MIN_OF(packet->payload_length, UINT16_MAX));
    if (ahead > 0)
        open_hole(pace, pace->next, start, after_us);
    if (ahead < 0) {
        uint32_t old_end = SEQ_BEFORE(pace->next, end) ? pace->next : end;
        uint32_t filled = fill_holes(pace, start, old_end, after_us);
        if (!SEQ_BEFORE(pace->origin, old_end)) /* of a hole from before the first bin, maybe */
            filled = old_end - start;
        add_through(pace, after_us, filled);
        if (filled == 0)
            sent_again(pace, start, old_end, after_us);
        start = old_end;
    }
    if (SEQ_BEFORE(start, end) && !SEQ_BEFORE(start, pace->next)) {
        add_through(pace, after_us, end - start);
        pace->next = end;
    }
    pace->last_after_us = after_us;
}

/* The other side has what never came here: the capture missed it. */
static void take_acknowledgement(struct pace *pace, uint32_t ack)
{
    while (pace->hole_count > 0 && !SEQ_BEFORE(ack, pace->holes[0].end) &&
           !SEQ_BEFORE(pace->next, ack)) {
        const struct pace_hole hole = pace->holes[0];
        take_back(pace, &hole,
                  hole.loss < PACE_LOSSES_MAX ? pace->losses[hole.loss].after_us : hole.after_us);
        drop_hole(pace, 0);
    }
}

/* ---- round trips ---- */

static void note_round_trip(struct pace *pace, uint32_t rtt_us, uint32_t after_us, bool busy)
{
    uint16_t rtt_ms = (uint16_t)MIN_OF((rtt_us + 999) / 1000, UINT16_MAX);
    struct pace_bin *bin;

    rtt_us = MAX_OF(rtt_us, 1);
    rtt_ms = MAX_OF(rtt_ms, 1);
    if (!pace->rtt_least_us || rtt_us < pace->rtt_least_us)
        pace->rtt_least_us = rtt_us;
    if (!busy && rtt_us - pace->rtt_least_us > MAX_OF(pace->rtt_least_us / 4, SHORT_US))
        return;
    pace->rtt_samples += pace->rtt_samples < UINT32_MAX;
    pace->rtt_ms = rtt_ms;
    bin = bin_at(pace, after_us);
    if (!bin->rtt_ms || rtt_ms < bin->rtt_ms)
        bin->rtt_ms = rtt_ms;
}

/* A timestamp that came before says nothing: an answer to that packet may be on its way already. */
static void ask(struct pace *pace, const struct packet *packet, uint32_t after_us)
{
    bool stamped = packet->tcp_options & TCP_OPTION_TIMESTAMP;
    uint32_t value = stamped ? packet->tcp_ts_value : packet->seq + packet->payload_length;
    bool fresh = SEQ_BEFORE(pace->ask_last, value);

    if (!stamped && (pace->side != SIDE_CLIENT || packet->payload_length == 0))
        return;
    pace->ask_last = fresh ? value : pace->ask_last;
    if (pace->asked || !fresh)
        return;
    pace->asked = true;
    pace->ask_value = value;
    pace->ask_after_us = after_us;
}

static void answer(struct pace *pace, const struct packet *packet, uint32_t after_us)
{
    bool stamped = packet->tcp_options & TCP_OPTION_TIMESTAMP;
    uint32_t echo = stamped ? packet->tcp_ts_echo : packet->ack;
    uint32_t rtt_us = after_us - MIN_OF(pace->ask_after_us, after_us);
    uint32_t quiet_us = after_us - MIN_OF(pace->last_after_us, after_us);

    if (!pace->asked || SEQ_BEFORE(echo, pace->ask_value))
        return;
    pace->asked = false;
    note_round_trip(pace, rtt_us, after_us, pace->side == SIDE_CLIENT || quiet_us < rtt_us / 4);
}

/* ---- a flow ---- */

void pace_begin(struct pace *pace, const struct pace_start *start, const struct packet *packet)
{
    memset(pace, 0, sizeof(*pace));
    pace->start_us = packet->time_us;
    int64_t after = packet->time_us - start->flow_start_us;
    pace->first_after_us = (uint32_t)MAX_OF(MIN_OF(after, (int64_t)UINT32_MAX), 0);
    pace->bin_us = PACE_BIN_FIRST_US;
    pace->side = (uint8_t)start->side;
    pace->bytes_before = start->bytes_before;
    pace->rtt_least_us = start->rtt_us;
    pace->origin = pace->next = pace->mark_old = pace->mark_new = start->next;
    pace->has_ip_id = packet->ip_version == 4;
    pace->ip_id = (uint16_t)(packet->ip_id - 1);
    pace->ask_last = packet->tcp_ts_value - 1;
    if (start->side == SIDE_SERVER)
        pace->ask_last = packet->tcp_ts_echo;
    else if (!(packet->tcp_options & TCP_OPTION_TIMESTAMP))
        pace->ask_last = packet->seq;
    take_data(pace, packet, 0);
}

/* A few kilobytes of one side may come before the other's long stream. */
static bool turns(struct pace *pace, enum side side, const struct packet *packet)
{
    pace->other_bytes += packet->payload_length;
    if (pace->other_bytes < TURN_BYTES || pace->other_bytes / TURN_TIMES < pace->through)
        return false;
    struct pace_start start = {.side = side,
                               .flow_start_us = pace->start_us - pace->first_after_us,
                               .bytes_before = pace->other_bytes - packet->payload_length,
                               .next = packet->seq,
                               .rtt_us = pace->rtt_least_us};
    pace_begin(pace, &start, packet);
    return true;
}

/* An acknowledgement of the heavy side's is one of its packets, too. */
static void count_bare(struct pace *pace, const struct packet *packet)
{
    uint16_t step = (uint16_t)(packet->ip_id - pace->ip_id);

    if (step > 0 && step <= ID_STEP_MOST)
        pace->ip_id = packet->ip_id;
}

void pace_packet(struct pace *pace, enum side side, const struct packet *packet, bool payload)
{
    uint32_t after_us = after_us_of(pace, packet);

    if (pace->through >= THROUGH_MOST)
        return;
    if (side == SIDE_SERVER && (packet->tcp_flags & TCP_ACK))
        answer(pace, packet, after_us);
    if (side != pace->side) {
        if (payload && turns(pace, side, packet))
            return;
        if (packet->tcp_flags & TCP_ACK)
            take_acknowledgement(pace, packet->ack);
    } else if (payload) {
        take_data(pace, packet, after_us);
    } else {
        count_bare(pace, packet);
    }
    if (side == SIDE_CLIENT)
        ask(pace, packet, after_us);
}

void pace_export(const struct pace *pace, struct pace_facts *ret_facts)
{
    memset(ret_facts, 0, sizeof(*ret_facts));
    ret_facts->side = pace->side;
    ret_facts->bin_count = (uint8_t)(pace->bin_last + 1);
    ret_facts->segment = pace->segment;
    ret_facts->first_after_us = pace->first_after_us;
    ret_facts->bin_us = pace->bin_us;
    ret_facts->bytes_before = pace->bytes_before;
    memcpy(ret_facts->lost, pace->lost, sizeof(ret_facts->lost));
    ret_facts->ids = pace->ids;
    ret_facts->ids_small = pace->ids_small;
    ret_facts->quick = pace->quick;
    ret_facts->quick_counted = pace->quick_counted;
    ret_facts->rtt_least_us = pace->rtt_least_us;
    ret_facts->rtt_samples = pace->rtt_samples;
    memcpy(ret_facts->bins, pace->bins, sizeof(ret_facts->bins));
    for (unsigned i = 0; i < pace->loss_count; i++)
        if (pace->losses[i].segments > 0)
            ret_facts->losses[ret_facts->loss_count++] = pace->losses[i];
}
