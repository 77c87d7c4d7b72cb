// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A small world for tests of the analysis: lines that see services, hour by hour.
 */
#include "analyzer/detect/analysis.h"

struct world {
    struct cells *cells;
    uint32_t dice;
    int64_t begin_us;              /* a Monday, 00:00 UTC */
    struct analysis_places places; /* service_class and offset_minutes are given */
};

struct world_line {
    const char *probe, *carrier, *country;
    enum position position;
    unsigned voices;
    enum origin origin;
};

/* One line, one service, hours [from, to): each voice tries once an hour and fails with the chance
 * given. */
struct world_stretch {
    struct world_line line;
    const char *service;
    unsigned from_hour, to_hour;
    double share;
    const char *mechanism;
    enum attribution attribution;
    bool proven;
};

/* Flows of one line and service with a pace, hours [from, to): each voice has one an hour, of about
 * this goodput and these times (0: not known), each within a third of it. */
struct world_pace {
    struct world_line line;
    const char *service;
    unsigned from_hour, to_hour;
    double kbps, handshake_ms, exchange_ms;
};

int world_init(struct world *world);
void world_finish(struct world *world);
void world_add(struct world *world, const struct world_stretch *stretch);
void world_add_pace(struct world *world, const struct world_pace *pace);
/* Seals and analyses; the caller destroys the result. */
struct analysis *world_analyse(struct world *world);
int64_t world_hour(const struct world *world, unsigned hour);
