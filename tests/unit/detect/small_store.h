// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A store of two lines, two services and three clients over two hours: attempts that worked, failed,
 * were slowed down, and of which nobody can say. And its verdicts.
 */
#include "tests/unit/store/store_testing.h"

#include "analyzer/detect/verdicts.h"
#include "tests/unit/judge/flows.h"

#define BES  "blackberry-bes"
#define HOUR 3600u /* seconds */

enum { TAP = 1, IMPORTED = 2 }; /* inputs, each of a line of its own */

#define ATTEMPTS 9 /* in it */

struct subject {
    struct testing *testing;
    struct store_reader *reader;
    struct verdicts *verdicts;
    struct cells *cells;
    char path[PATH_MAX + 64]; /* beside the store */
};

/* For each test: the store, written and opened. */
int start(void **state);
int stop(void **state);

/* verdicts_make(), which must go well; NULL for a nameless file. */
void make(struct subject *subject, const char *path);
void close_verdicts(struct subject *subject);

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
