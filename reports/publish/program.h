// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Other programs, called without a shell: with nothing on standard input, an environment of our own
 * (fixed locale, clock and time zone, a home that is gone afterwards), a bound on time, and
 * what they say kept for the error.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct program {
    const char *const *arguments; /* the first is its path; NULL ends */
    const char *folder;           /* where it runs */
    const char *home;             /* may be written; HOME, TMPDIR and caches */
    int64_t epoch_seconds;        /* SOURCE_DATE_EPOCH */
    unsigned seconds;             /* it may take; then it is killed */
};

/* The path of a program of that name in /usr/local/bin, /usr/bin or /bin; false if there is none. */
bool program_find(const char *name, char *path, size_t size);

struct program_run { /* under way */
    int pid, output; /* output: a file without a name */
    int64_t until_us;
    const char *name;
};
int program_start(struct program_run *ret_run, const struct program *program,
                  struct dl_error *error);
/* DL_OK, DL_LIBRARY where it failed (`error` has the first line of what it said), -ETIMEDOUT. */
int program_wait(struct program_run *run, struct dl_error *error);
/* Both. */
int program_call(const struct program *program, struct dl_error *error);
