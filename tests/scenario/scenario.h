// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A scenario as its file tells it (README.md has the schema): who watches, which services are used
 * and how, and what happens. Times of happenings are resolved for a seed by scenario_load().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCENARIO_PROBES_MAX   64
#define SCENARIO_SERVICES_MAX 32
#define SCENARIO_VOICES_MAX   4000
#define SCENARIO_DAYS_MAX     200
#define SCENARIO_OPEN         INT64_MAX /* until the end, and beyond */

enum rhythm { RHYTHM_HOME, RHYTHM_ENTERPRISE, RHYTHM_FLAT };

struct scenario_probe {
    const char *id, *carrier, *country, *owner, *network, *position, *clock;
    const char *clients, *resolver; /* the first client's address; the resolver's */
    uint32_t asn, voices, count;    /* count: so many probes alike, id-1 and on */
    double round_trip;              /* times the lab's */
    uint32_t hops;                  /* more than the lab's, from the servers */
    double clock_error;             /* seconds */
    double utc_offset;              /* hours; of the scenario where it is not told */
    bool has_utc_offset;
};

struct scenario_service {
    const char *id, *rhythm;
    double attempts;    /* of one voice and day */
    double users;       /* share of the voices that use it */
    const char **doors; /* hosts, or addresses of servers without a name; none: all there are */
    unsigned doors_count;
    bool fetches; /* attempts are downloads, not sign-ins */
};

struct scenario_happening {
    const char *what;
    const char **on, **services; /* carriers or probes; none: all */
    unsigned on_count, services_count;
    const char *from, *until;
    double jitter_hours;
    const uint32_t *hours, *weekdays; /* local; 1 Monday; none: all */
    unsigned hours_count, weekdays_count;
    double share;     /* of the attempts */
    const char **how; /* techniques, or link-down, probe-dies */
    unsigned how_count;
    double volume;       /* times as many attempts */
    double vanish;       /* this share of the voices stops */
    uint32_t voices;     /* only the first so many; 0 all */
    uint32_t retries;    /* each attempt that is met is made so many times more */
    const char *event;   /* class of the event that it makes; NULL: innocent */
    const char **accept; /* other classes that are right as well */
    unsigned accept_count;
    const char *family;  /* of the mechanism; NULL: not said */
    bool optional;       /* saying nothing is right as well */
    bool first_sight;    /* it began before the first attempt */
    const char *ceiling; /* the most that may be said: "likely" a grade, "line" a scope; NULL all */
    /* resolved */
    int64_t from_us, until_us;
};

struct scenario {
    const char *id, *title, *pair, *order;
    const char *like; /* a file beside, for what is left out of probes, services and habits */
    const char *first_day;
    uint32_t days;
    double utc_offset;
    struct scenario_probe *probes;
    unsigned probes_count;
    struct scenario_service *services;
    unsigned services_count;
    struct scenario_happening *habits, *happenings; /* habits always hold, and are innocent */
    unsigned habits_count, happenings_count;
    /* resolved */
    struct scenario *base;    /* of `like` */
    int64_t first_us, end_us; /* UTC */
};

/* NULL, and said on standard error. */
struct scenario *scenario_load(const char *path, uint64_t seed);
void scenario_free(struct scenario *scenario);

bool scenario_names(const char *const *names, unsigned count, const char *a, const char *b);

/* Random numbers that are the same everywhere: a stream for any words. */
struct chance {
    uint64_t state;
};
struct chance chance_of(uint64_t seed, uint64_t a, uint64_t b, uint64_t c);
uint64_t chance_next(struct chance *chance);
double chance_unit(struct chance *chance); /* 0 <= x < 1 */
unsigned chance_poisson(struct chance *chance, double mean);
