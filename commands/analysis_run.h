// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The way from stores to an analysis, the same for analyze, report and run: opens the stores, judges
 * their flows (progress is drawn on terminals), makes cells, and analyses them.
 *
 * What the judge made of each attempt is kept in STORE.verdicts beside the first store, and with it
 * which events were found, so that a later analysis with other rules can say what it takes back.
 * A part of the time is no analysis of the store: with --since or --until nothing is kept or taken
 * back. Nor is anything where that folder cannot be written.
 */
#include "analyzer/detect/analysis_json.h"
#include "catalog/catalog.h"
#include "commands/command.h"
#include "store/store.h"

struct analysed;

/* `common` and `catalog` are borrowed, and must outlive it. DL_OK, -ENOMEM, or what opening, reading
 * and writing gave. */
int analysed_create(struct analysed **ret_analysed, const struct common_options *common,
                    const struct catalog *catalog, const char *const *stores, size_t store_count,
                    struct dl_error *error);
void analysed_destroy(struct analysed *analysed); /* accepts NULL */

/* Its reader, free for a pass; and everything that was found. Both live as long as it does. */
struct store_reader *analysed_reader(const struct analysed *analysed);
const struct analysis_document *analysed_document(const struct analysed *analysed);

/* For passes over the reader that follow: draws "judging: N flows" on a terminal. `context` is the
 * struct analysed. */
int analysed_progress(void *context, uint64_t flows);
