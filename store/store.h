// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A store: one SQLite file of observations. One writer, any number of readers.
 *
 * Rows are inserted in transactions of at most STORE_BATCH rows or STORE_COMMIT_US of wall-clock
 * time, so that a killed probe loses at most the last two seconds and leaves a file that opens. The
 * schema (store/schema.c, version STORE_SCHEMA_VERSION) is documented there; older versions are
 * migrated on opening for writing and read as they are otherwise. On a clean close the WAL is
 * checkpointed and left, so that one file holds everything. A store may be read-only, on a full
 * disk or damaged: each ends in its status and a sentence.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/observation.h"

#define STORE_SCHEMA_VERSION 2
#define STORE_BATCH          10000
#define STORE_COMMIT_US      INT64_C(1000000)

struct store;

struct store_create_info {
    const char *version;         /* darkline's */
    const char *catalog_version; /* catalog_version() */
};

/*
 * Opens `path` for writing, creating it if it is not there. DL_CORRUPT for what is no store or is
 * damaged, DL_VERSION for a newer schema, -EACCES / -EROFS for a read-only one, -EBUSY where
 * another writer has it, or a negated errno.
 */
int store_open(struct store **ret_store, const char *path, const struct store_create_info *info,
               struct dl_error *error);
/* Where SQLite may put temporary files from now on (sorting an index of millions of rows); without
 * it where it likes, and in memory where it can make none. Of the whole process. */
int store_sort_in(const char *folder);
/* Commits, makes an index where one is needed, checkpoints, closes. What failed on the way is returned; the handle
 * is gone in any case. NULL is DL_OK. */
int store_close(struct store *store, struct dl_error *error);

/* A word about the store itself, such as "key_epoch"; replaces. */
int store_put_meta(struct store *store, const char *key, const char *value, struct dl_error *error);

/* Has an input of this fingerprint been read to its end into this store? */
bool store_has_input(struct store *store, const uint8_t fingerprint[32]);
/*
 * Begins an input; its number is written into `input->number`. An unfinished earlier try of the
 * same fingerprint is removed first; DL_DUPLICATE where store_has_input().
 */
int store_begin_input(struct store *store, struct input_record *input, struct dl_error *error);
/* Updates the input's row (counters, last times, status, complete). */
int store_update_input(struct store *store, const struct input_record *input,
                       struct dl_error *error);

/* Writes one observation; the same (input, packet) again replaces the row (early rows become final
 * ones). */
int store_put(struct store *store, const struct observation *observation, struct dl_error *error);
int store_put_count(struct store *store, const struct hour_count *count, struct dl_error *error);
int store_put_coverage(struct store *store, const struct coverage_record *coverage,
                       struct dl_error *error);
/* What was not understood or was dropped, by kind: free text such as "cut off in the link header"
 * -> count; replaces. */
int store_put_note(struct store *store, uint32_t input, const char *kind, uint64_t count,
                   struct dl_error *error);

/* Commits if a batch is full or STORE_COMMIT_US have passed since the last commit; call it often.
 * `force` commits at once. */
int store_commit(struct store *store, bool force, struct dl_error *error);
bool store_is_committed(const struct store *store); /* all that was put so far is */
/*
 * After a failure that may pass (a full disk): the store takes records again. What was put since the last
 * commit is not in it and has to be put once more. DL_AGAIN where the failure may pass but has not, DL_CORRUPT
 * where it is of another kind.
 */
int store_resume(struct store *store, struct dl_error *error);
uint64_t store_row_count(const struct store *store); /* observations put so far */

/* ---- reading ---- */

struct store_reader;

struct store_query {
    int64_t since_us, until_us; /* of start; 0 for none */
    bool with_evidence;         /* decode the evidence blobs */
};

/* Opens one or several stores for reading, as one list of inputs numbered from 1 in the order
 * given. Errors as store_open(); `error` names the file. */
int store_reader_open(struct store_reader **ret_reader, const char *const *paths, size_t count,
                      struct dl_error *error);
void store_reader_close(struct store_reader *reader);

/* Inputs, 1-based; NULL beyond. */
const struct input_record *store_reader_input(const struct store_reader *reader, uint32_t number);
uint32_t store_reader_input_count(const struct store_reader *reader);
/* The path of the store that input came from, and that store's meta value ("catalog_version",
 * "darkline_version", "key_epoch" ...), NULL if none. */
const char *store_reader_input_store(const struct store_reader *reader, uint32_t number);
const char *store_reader_meta(const struct store_reader *reader, uint32_t input, const char *key);

/* Starts a pass over all observations ordered by (start, input, packet), merged over the stores. */
int store_reader_begin(struct store_reader *reader, const struct store_query *query,
                       struct dl_error *error);
/* The next one: DL_OK, DL_END, DL_CORRUPT. Strings are valid until the next call. */
int store_reader_next(struct store_reader *reader, struct observation *ret_observation,
                      struct dl_error *error);
/* One observation by its id; DL_NOT_FOUND. Strings are valid until the next call of this function.
 * Does not disturb the pass. */
int store_reader_get(struct store_reader *reader, uint32_t input, uint64_t packet,
                     struct observation *ret_observation, struct dl_error *error);

typedef int (*store_count_fn)(void *context, const struct hour_count *count);
typedef int (*store_coverage_fn)(void *context, const struct coverage_record *coverage);
typedef int (*store_note_fn)(void *context, uint32_t input, const char *kind, uint64_t count);
/* Each calls `fn` for every record in a fixed order until it returns other than DL_OK, which is
 * then returned. */
int store_reader_counts(struct store_reader *reader, store_count_fn fn, void *context,
                        struct dl_error *error);
int store_reader_coverage(struct store_reader *reader, store_coverage_fn fn, void *context,
                          struct dl_error *error);
int store_reader_notes(struct store_reader *reader, store_note_fn fn, void *context,
                       struct dl_error *error);
