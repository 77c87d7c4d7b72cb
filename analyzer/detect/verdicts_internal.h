// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* What the two files of the verdicts share: verdicts.c writes, verdicts_cells.c asks. */
#include <sqlite3.h>

#include "analyzer/detect/verdicts.h"
#include "base/intern.h"

struct verdicts {
    sqlite3 *db;
    char path[1024];     /* "" nameless */
    struct cells *names; /* only to number lines */
    uint64_t count;
};

int verdicts_fail(const struct verdicts *verdicts, struct dl_error *error);
int verdicts_exec(struct verdicts *verdicts, const char *sql, struct dl_error *error);
int verdicts_prepare(struct verdicts *verdicts, const char *sql, sqlite3_stmt **ret_statement,
                     struct dl_error *error);
