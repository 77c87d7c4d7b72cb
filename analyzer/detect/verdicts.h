// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The judge's opinions of a store, one row an attempt, in a derived SQLite file; and the cells that
 * a few plain GROUP BYs over it give. It lies beside the store as STORE.verdicts (the first one of
 * several) where that folder can be written, else in a nameless temporary file; it can be thrown
 * away and made again at any time, with other rules.
 *
 *   verdicts(rules_version, flow, hour, carrier, service, family, client, outcome, certainty,
 *            attribution, weight, ...)
 *
 * `hour` is the start of the hour in microseconds, `weight` one divided by the decided attempts of
 * that voice in that (line, service, IP version, hour), 0 for undecided ones; the further columns
 * (line, voice, start, ip_version, mechanism, proven, throttled, server) and the table of paces are
 * documented in the schema (verdicts.c). No date functions: another engine can run the same questions.
 *
 * What an analysis found is kept in the table `events` under its rule set's version, so that a later
 * one can say what it takes back.
 */
#include "analyzer/detect/analysis.h"
#include "analyzer/judge/judge.h"
#include "store/store.h"

#define VERDICTS_RULES_VERSION JUDGE_RULES_VERSION ".1" /* the judge's rules, then detection's */

#define VERDICTS_APPLICATION_ID 1684764278 /* of the file, by which it is told from others */

struct verdicts;
struct injector_table;

struct verdicts_options {
    const char *path; /* of the derived file; NULL for a nameless one */
    int64_t since_us, until_us;
    const struct injector_table *injectors; /* of the catalog, for the judge; NULL for none */
    int (*progress)(void *context, uint64_t flows); /* may be NULL; other than DL_OK ends it */
    void *context;
};

/* Judges everything the reader has and writes it. DL_OK, -ENOMEM, what reading and writing gave. */
int verdicts_make(struct verdicts **ret_verdicts, struct store_reader *reader,
                  const struct verdicts_options *options, struct dl_error *error);
void verdicts_close(struct verdicts *verdicts); /* accepts NULL */

uint64_t verdicts_count(const struct verdicts *verdicts); /* attempts */

/* The cells, sealed; the caller destroys them. */
int verdicts_cells(struct verdicts *verdicts, struct store_reader *reader, struct cells **ret_cells,
                   struct dl_error *error);

/* Who saw that input, as the cells name them. */
struct cell_line verdicts_line(const struct store_reader *reader, uint32_t input);

/* Did that server answer that carrier on another port, name or service, at about the time it failed
 * for this one? Good and failed attempts to the servers of failing flows in the window. */
int verdicts_same_server(struct verdicts *verdicts, const char *carrier, const char *service,
                         int64_t from_us, int64_t to_us, uint64_t *ret_attempts,
                         uint64_t *ret_failures);

typedef int (*verdicts_event_fn)(void *context, const char *rules_version, const char *event_id);
/* Events that analyses of this store found until now, by the text of their rule set's version, then by
 * id; the second keeps this one's. */
int verdicts_earlier_events(struct verdicts *verdicts, verdicts_event_fn fn, void *context,
                            struct dl_error *error);
int verdicts_keep_events(struct verdicts *verdicts, const struct analysis *analysis,
                         struct dl_error *error);
