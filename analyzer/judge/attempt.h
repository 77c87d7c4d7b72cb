// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Attempts: all flows of one client to one service within 30 s (its questions, Happy Eyeballs
 * losers, retries) are one. An attempt is named by its first flow. Flows come in order of their
 * start; memory is bounded: an attempt is forgotten once its window is over. Flows of no service
 * are attempts of their own. Of other people's measurements the rows of one run and service are one,
 * and a row without a run is one of its own.
 */
#include <stdint.h>

#include "store/observation.h"

#define ATTEMPT_WINDOW_US INT64_C(30000000)

struct attempts;

int attempts_create(struct attempts **ret_attempts);
void attempts_destroy(struct attempts *attempts);

/* The first flow (input, packet) of the attempt this flow belongs to; the flow itself where it
 * begins one. */
int attempts_assign(struct attempts *attempts, const struct observation *flow, uint32_t *ret_input,
                    uint64_t *ret_packet);
