// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Folds the flows of an attempt into one result. It worked when a connection worked; it failed when
 * none did and one failed; an answered question alone is neither. A failed attempt speaks for its
 * deepest stage. Memory is bounded: a result is given once its window is over.
 *
 * Of other people's measurements an attempt is a run that tried many targets, and one success among
 * many proves little: it fails where three quarters of the targets failed at the deepest stage that
 * was tried. Of up to three that is all of them. It speaks for the first stage at which so many
 * failed: who could not connect was not refused a page. Targets of version 6 do not count where any
 * other of the run works: its line may have none. (Kenya 2023: 16 of the 113 runs that fail so on
 * AS33771 still reached some of Telegram's 13 addresses; of AS30844's and AS36866's 399 none fails.)
 */
#include "analyzer/judge/judge_pass.h"

struct attempt_result {
    uint32_t input; /* of its first flow, which names it */
    uint64_t packet;
    int64_t start_us;
    struct endpoint client;
    const char *service;      /* catalog id; valid until the fold is destroyed */
    enum certainty certainty; /* the best among its flows */
    enum outcome outcome;
    bool proven;    /* packets of one of its flows prove a third party, and not an innocent one */
    uint64_t voice; /* of imported rows: struct import_facts; 0 */
    /* Of the flow that decided: the first that worked, else the one that it speaks for. */
    uint32_t flow_input;
    uint64_t flow_packet;
    uint8_t ip_version; /* 4, 6; 0 not known */
    struct endpoint server;
    bool throttled;                     /* it worked, and was slowed down */
    uint32_t handshake_us, exchange_us; /* 0 unknown */
    uint32_t goodput_kbps;              /* the best of its flows; 0 unknown */
    /* Of a failed one: */
    enum stage stage;
    const char *mechanism; /* NULL where the vocabulary has none */
    const char *rule;      /* what decided */
    enum attribution attribution;
};

struct attempt_fold;
typedef int (*attempt_result_fn)(void *context, const struct attempt_result *result);

/* `fn` gets each result; what it returns other than DL_OK ends the adding and is returned. */
int attempt_fold_create(struct attempt_fold **ret_fold, attempt_result_fn fn, void *context);
/* Flows in the order of a judge_pass; those of no service are passed over. */
int attempt_fold_add(struct attempt_fold *fold, const struct judged *judged);
/* Gives what is still open. */
int attempt_fold_finish(struct attempt_fold *fold);
void attempt_fold_destroy(struct attempt_fold *fold); /* accepts NULL */
