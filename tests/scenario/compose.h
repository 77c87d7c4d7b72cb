// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* The two things a plan can be written as, each attempt given once, and what is true of them. */
#include "plan.h"

struct truth;

struct truth *truth_create(const struct plan *plan);
void truth_destroy(struct truth *truth);
/* Attempts of a probe, by time. */
void truth_note(struct truth *truth, unsigned probe, const struct plan_attempt *attempt);
/* False, and said. `made_of`: "observations" or "packets". */
bool truth_write(const struct truth *truth, const char *path, const char *made_of);

/* One store of all probes. False, and said. */
bool store_out(struct plan *plan, struct truth *truth, const char *path);
/* DIR/PROBE.pcap.zst and DIR/PROBE.vantage.yaml each; a line that was down ends a capture, and
 * another follows. */
bool packets_out(struct plan *plan, struct truth *truth, const char *folder, int level);

/* The voice's address. */
void voice_address(const struct plan_probe *probe, unsigned voice, uint8_t ret_address[4]);
/* When the probe's clock says that the attempt begins. */
int64_t shown_time(const struct plan_probe *probe, int64_t time_us);
/* The first of the client's ports that the attempt uses. */
uint16_t attempt_port(const struct plan_attempt *attempt);
