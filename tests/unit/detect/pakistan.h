// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* Pakistan's carriers in the months around the order about BES of 2015, and what may happen there. */
#include "tests/unit/detect/world.h"

#define DAYS(n) ((n)*24u)
#define BES     "blackberry-bes"
#define END     DAYS(70) /* 2016-01-11 */
/* Of the order of 2015, in hours of the world: ends of its days in Karachi. */
#define FIRST_DUE (DAYS(29) + 19) /* 1 December, the later reading */
#define MOVED     (DAYS(58) + 19) /* 30 December */
#define LIFTED    (DAYS(59) + 19) /* 31 December */

#define TAP(name, country)                                                                         \
    {                                                                                              \
        "tap-" name, name, country, POSITION_CARRIER, 6, ORIGIN_FIELD                              \
    }
static const struct world_line jazz = TAP("jazz", "PK"), ufone = TAP("ufone", "PK");
static const struct world_line telenor = TAP("telenor-pk", "PK"), zong = TAP("zong", "PK");
static const struct world_line nayatel = TAP("nayatel", "PK"), ptcl = TAP("ptcl", "PK");
static const struct world_line unknown = TAP("as64500", "PK");
static const struct world_line abroad = TAP("kpn", "NL");

/* The world of the test that is running. */
extern struct world world;

/* For a group of tests: the catalog. For each of them: an empty world. */
int load(void **state);
int unload(void **state);
int start(void **state);
int stop(void **state);

void works(struct world_line line, const char *service, unsigned from, unsigned to);
void fails(struct world_line line, const char *service, unsigned from, unsigned to,
           const char *mechanism, bool proven);
/* The controls of a line, for as long as the world lasts. */
void controls(struct world_line line);
/* BES fails from one hour to another, proven. */
void cut(struct world_line line, unsigned from, unsigned to, const char *mechanism);
/* The same without any answer and without proof. */
void silence(struct world_line line, unsigned from);
void fine(struct world_line line);

/* The first event on that carrier; the test fails without one. */
const struct event *event_of(const struct analysis *analysis, const char *carrier);

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
