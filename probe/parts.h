// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Several probes at one capture, each with its part (workers.h joins them).
 *
 * One probe of PART_QUESTIONS sees what goes over port 53 and keeps every DNS question; what an answer
 * says about an address is told to whom it may concern. The others, of PART_FLOWS, each get the packets
 * between their pairs of addresses, decoded, and what was told about such a pair, in the order of the
 * capture. A pair of addresses is one part's, whatever the ports: so an ICMP error and a name that was told
 * for an address belong to who has the flow. Only datagrams that look at each other (dpi_is_shared()) all go
 * to the first of them, and so does every name.
 *
 * Each such probe makes exactly the rows of its part that one probe alone would make, as long as none
 * of its tables had to give anything up (flows evicted, names of the DNS cache, inspections and
 * streams overwritten): each has but its share of the memory.
 */
#include "base/hash.h"
#include "probe/classify/dns_cache.h"
#include "probe/flow/track.h"
#include "probe/probe.h"

enum part_kind { PART_FLOWS, PART_QUESTIONS };

struct told_name { /* a name that a client was told for an address */
    struct address client, server;
    struct dns_name name; /* `host` is not used: see below */
    uint32_t ttl;
    const char *host; /* NULL where it is not kept; valid during the call */
};

struct probe_part {
    enum part_kind kind;
    void (*on_name)(void *context, const struct told_name *told); /* PART_QUESTIONS */
    void *context;
};

#define PART_SHARED 0u /* who has the datagrams that look at each other */
/* Which of `count` parts has the flows between two addresses: the same for both directions. */
unsigned part_of(const struct hash_key *key, const struct address *a, const struct address *b,
                 unsigned count);

/*
 * The time of a capture, whose packets need not be in order: files are merged of several interfaces, and
 * clocks are set. `latest` is the latest of all. Every PASS_TIME_FRAMES frames, by count, so that it is the
 * same for every part, `passed` becomes the earliest time of the last half second to second (or since the
 * clock was set back): flows that were silent for too long by then end, whether they are looked for
 * because a packet of theirs comes or because nothing does.
 */
#define PASS_TIME_FRAMES  256u
#define PASS_TIME_STEP_US INT64_C(500000)

struct pass_time {
    int64_t latest_us, passed_us;
    int64_t least_us[2], from_us; /* of this half second and the one before; when this one began */
    uint32_t frames;
};

static inline void pass_time_begin(struct pass_time *time)
{
    time->latest_us = time->passed_us = INT64_MIN / 2;
    time->least_us[0] = time->least_us[1] = time->from_us = INT64_MAX / 2;
    time->frames = 0;
}
/* A frame comes. */
static inline void pass_time_note(struct pass_time *time, int64_t time_us)
{
    if (time->frames++ == PASS_TIME_FRAMES) {
        time->frames = 1;
        time->passed_us =
            time->least_us[0] < time->least_us[1] ? time->least_us[0] : time->least_us[1];
    }
    if (time_us > time->latest_us)
        time->latest_us = time_us;
    if (time_us >= time->from_us && time_us - time->from_us >= PASS_TIME_STEP_US) {
        time->least_us[1] = time->least_us[0];
        time->least_us[0] = time->from_us = time_us;
    } else if (time_us < time->least_us[0]) {
        time->least_us[0] = time->from_us = time_us;
    }
}
/* Live: nothing is under way, and the clock says this. */
static inline void pass_time_idle(struct pass_time *time, int64_t now_us)
{
    if (now_us > time->latest_us)
        time->latest_us = now_us;
    time->passed_us = time->least_us[0] = time->least_us[1] = time->from_us = now_us;
}

/* A pipe is silent: what was silent for too long by its latest frame can end now. (So there it matters where
 * the pauses are.) */
static inline void pass_time_pause(struct pass_time *time)
{
    if (time->frames > 0)
        pass_time_idle(time, time->latest_us);
}

/* PART_QUESTIONS: a decoded packet. True where it was DNS and is nobody else's. `passed_us` is of the
 * capture's time when it came. */
bool probe_take_question(struct probe *probe, const struct packet *packet, int64_t passed_us);
/* PART_FLOWS: asks for what `count` packets (PART_LOOKS at most), which[] of `packets`, need from memory:
 * to be called before they are taken. */
#define PART_LOOKS 16u
void probe_look(struct probe *probe, const struct packet *packets, const uint16_t *which,
                unsigned count, struct track_look looks[PART_LOOKS]);
/* PART_FLOWS: a decoded packet that is no DNS message; a name that was told before it. */
void probe_take_packet(struct probe *probe, const struct packet *packet,
                       const struct track_look *look, int64_t passed_us);
/* Both: so much of the capture has passed. */
void probe_pass(struct probe *probe, const struct pass_time *time);
/* A probe that sees all: its capture is a pipe, and silent. */
void probe_pause(struct probe *probe);
void probe_take_name(struct probe *probe, const struct told_name *told);

/* While `on`, flows that begin are tagged by what is known without looking at their payload
 * (stats.shed counts them): for when packets come faster than they can be looked at. */
void probe_shed(struct probe *probe, bool on);

/* Takes over the counts of another probe, which forgets them; then gives all of them out. Strings of
 * `from` must outlive the giving out. */
void probe_absorb_counts(struct probe *probe, struct probe *from);
int probe_flush_counts(struct probe *probe, struct dl_error *error);
