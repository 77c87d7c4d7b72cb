// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* The whole middlebox, and the way a frame goes through it: seen, interfered with, sent on along
 * the line. */
#include <stdio.h>

#include "tests/lab/middlebox/dice.h"
#include "tests/lab/middlebox/flows.h"
#include "tests/lab/middlebox/queue.h"
#include "tests/lab/middlebox/rules.h"

struct line { /* what happens to every frame */
    int64_t delay_us, jitter_us;
    double loss, reorder, duplicate; /* shares */
    uint8_t ttl_step;
};

struct box {
    struct line line;
    struct rules rules;
    double time_scale; /* of residual blocking */
    struct dice dice;
    struct flow_table table;
    struct queue queue;
    struct queued leaving; /* what box_next() gave last */
    struct decoder *decoder;
    int64_t last_due_us[2]; /* of the line's two directions, by the port they lead to: frames keep
                               their order unless reordering is asked for */
    uint16_t own_ip_id;     /* the injector's own counter */
    struct token_bucket buckets[2]; /* of `shared` rules, by enum side */
    struct shaper shapers[2];
    FILE *journal; /* NULL for none */
};

/* ---- box.c ---- */
int box_init(struct box *box,
             uint64_t seed); /* after the options are filled in; DL_OK or a status */
void box_finish(struct box *box);
/*
 * One frame that came in at a port. The box stands at the line's near end: what the subscribers
 * send it sees at once, and what the internet sends when that has come along the line.
 */
void box_take(struct box *box, enum port from, uint8_t *bytes, size_t length, int64_t now_us);
/*
 * The next frame that is due, if there is one; it stays valid until the next call. Frames that have
 * come to the box are looked at on the way.
 */
const struct queued *box_next(struct box *box, int64_t now_us);

/* ---- interfere.c ---- */
struct verdict {
    bool drop;
    int64_t wait_us;
};
/* What the rules make of a packet; they may change the frame, and send others. */
struct verdict interfere(struct box *box, struct seen *seen, uint8_t *bytes, size_t length,
                         int64_t now_us);

/* ---- inject.c ---- */
struct injection { /* why, and what it answers */
    struct box *box;
    const struct rule *rule;
    const struct seen *seen;
    const uint8_t *frame;
    int64_t now_us;
};
void inject_resets(const struct injection *injection);
void inject_page(const struct injection *injection);
void inject_icmp(const struct injection *injection);
void inject_dns_answers(const struct injection *injection);
void inject_dns_rcode(const struct injection *injection);

/* ---- journal.c: one JSON object a line ---- */
struct draft;
/* A packet that the box made; `to` is who shall believe it. */
void journal_sent(const struct injection *injection, enum side to, const struct draft *draft,
                  int64_t after_us);
/* Anything else: "dropped", "changed", "delayed". */
void journal_deed(struct box *box, const struct rule *rule, const struct seen *seen,
                  const char *deed);
