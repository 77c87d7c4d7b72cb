// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * From a scenario and a seed to attempts: who tries what when, and which template it comes to. Hour
 * by hour and probe by probe, so that memory stays small; the same for packets and observations.
 */
#include "scenario.h"
#include "templates.h"

/* How a voice uses a service. */
struct plan_use {
    const struct template *usual; /* NULL: not at all */
    double eager;                 /* times the usual number of attempts */
};

struct plan_probe { /* one of scenario_probe.count alike */
    const struct scenario_probe *from;
    char id[64];
    uint8_t client[4];     /* of its first voice */
    struct plan_use *uses; /* by voice, service */
};

struct plan_attempt {
    int64_t time_us; /* true time */
    unsigned voice, service;
    const struct template *template;
    int happening; /* that made it what it is; -1 none. Habits do not count */
    double scale;  /* of its inner times */
    uint64_t random;
};

struct plan {
    const struct scenario *scenario;
    const struct templates *templates;
    uint64_t seed;
    struct plan_probe *probes;
    unsigned probe_count;
    struct plan_attempt *attempts; /* of the hour asked for last, by time */
    size_t attempt_count, attempt_capacity;
};

/* False, and said: a technique that no door of a service has, and the like. */
bool plan_make(struct plan *plan, const struct scenario *scenario,
               const struct templates *templates, uint64_t seed);
void plan_finish(struct plan *plan);

/* Fills `attempts` with those of a probe that begin in the hour from `hour_us` on. */
void plan_hour(struct plan *plan, unsigned probe, int64_t hour_us);

/* Is the probe watching then? `ret_link` tells whether its line is up. */
bool plan_watches(const struct plan *plan, unsigned probe, int64_t time_us, bool *ret_link);
/* The next instant after `time_us` at which plan_watches() may change. */
int64_t plan_next_change(const struct plan *plan, unsigned probe, int64_t time_us);

bool plan_concerns(const struct plan *plan, const struct scenario_happening *happening,
                   unsigned probe, const char *service);
