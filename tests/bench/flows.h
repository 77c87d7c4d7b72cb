// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Flows in great numbers, each made after one of the recorded one-flow captures (named dns* http*
 * quic* tls*), whole, grown, or cut short by silence or resets.
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/output.h"

enum flow_set { FLOWS_SMALL, FLOWS_ELEPHANTS, FLOWS_WEB };

/* Writes `count` flows; the same arguments give the same bytes. */
void flows_compose(enum flow_set set, struct output *output, uint32_t count, uint64_t seed,
                   char **captures, size_t capture_count);
