// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the client met when it followed a doubtful answer, the first one it heard: learnt in the look
 * at all rows before the judging, since the question comes first. Only doubtful questions are remembered, so the table is
 * small; beyond its bound nothing is said.
 */
#include <stdint.h>

#include "store/observation.h"

#define FOLLOWS_MAX 32768u

enum follow_flag {
    FOLLOW_CERTIFICATE = 1, /* a connection that worked, with a certificate for the name, in its
                               days, of somebody who did not sign for himself */
    FOLLOW_PAGE = 2,        /* a known block page */
    FOLLOW_OTHER_NAME = 4,  /* a certificate of other names */
    FOLLOW_IN_VAIN = 8      /* a connection that failed */
};

struct follows;

/* DL_OK, -ENOMEM, or what the random generator gave. */
int follows_create(struct follows **ret_follows);
void follows_destroy(struct follows *follows); /* accepts NULL */

/* A row, in the order of the store: a doubtful question is remembered, a flow that followed one
 * tells what it met. `capture_end_us` is its input's. DL_OK or -ENOMEM. */
int follows_learn(struct follows *follows, const struct observation *flow, int64_t capture_end_us);

/* Of a question: enum follow_flag; 0 where nobody followed, or nothing is known. */
uint8_t follows_find(const struct follows *follows, const struct observation *question);
