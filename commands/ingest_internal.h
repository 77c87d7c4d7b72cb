// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What reading files and watching an interface share.
 */
#include <limits.h>
#include <signal.h>

#include "catalog/fingerprint.h"
#include "commands/ingest.h"
#include "probe/capture/capture.h"
#include "probe/workers.h"
#include "store/store.h"

struct ingest {
    const struct ingest_options *options;
    const struct common_options *common;
    struct catalog *catalog;
    struct fingerprints *fingerprints;
    struct geo *geo;
    struct key *key;                   /* for what is not a probe's */
    struct key *keys[WORKERS_MAX + 1]; /* handles of the same key, one for each thread */
    struct store *store;               /* the writer's while an input is read (probe/workers.h) */
    struct workers *workers;
    bool started;
    char store_path[PATH_MAX], key_path[PATH_MAX];
    bool hash, broken; /* broken: the store takes no more */
    struct ingest_result result;
    struct vantage_draft given;
    struct vantage_votes votes[WORKERS_MAX + 1]; /* of each thread */
    struct workers_stats before;                 /* when this input began */
    int64_t progress_us;
    char sorting_path[PATH_MAX]; /* a folder for SQLite's temporary files; "" for none */
};

/* Set by SIGINT and SIGTERM. */
extern volatile sig_atomic_t ingest_stop_wanted;
/* Where the path is standard input: until it has something to say. False where a signal came. */
bool ingest_await_bytes(const char *path);
void ingest_watch_signals(void);

/* Says what the store said, if it failed, and remembers that it takes no more. */
bool ingest_store_failed(struct ingest *ingest, int status, const struct dl_error *error);
/* The catalog's fingerprints of block pages and those of the options. */
int ingest_open_fingerprints(struct ingest *ingest, struct dl_error *error);
/* One store, one key: DL_NO_KEY where its clients were named with another. */
int ingest_check_epoch(struct ingest *ingest, struct dl_error *error);
/* To be called with the store open and before threads start or a byte of the inputs is read: drops
 * root (`user` may be NULL) and locks the process in with its inputs and its store
 * (commands/sandbox.h). Without inputs: an interface, open already. On an error: stop. */
int ingest_confine(struct ingest *ingest, const char *const *words, size_t count, const char *user,
                   struct dl_error *error);
/* After the store is closed: what confining left beside it goes. */
void ingest_leave(struct ingest *ingest);
/* ingest_workers.c: the threads that read, and what they call. */
void ingest_settle_vantage(struct ingest *ingest, struct vantage_draft *draft, int64_t time_us);
int ingest_open_workers(struct ingest *ingest, struct dl_error *error);
/* What options and, where `path` is a file, the file beside it say of the vantage. */
void ingest_draft(struct ingest *ingest, const char *path, struct vantage_draft *ret_draft);
/* Packets that were there and could not be seen: lost by the kernel, the interface, the capturing program, or
 * because our threads were behind. */
uint64_t ingest_lost(struct ingest *ingest, const struct capture_stats *stats);
void ingest_record_update(struct ingest *ingest, struct input_record *record,
                          const struct capture_stats *stats);
/* The one place where threads are started, if they are not yet: after privileges are dropped. */
int ingest_start(struct ingest *ingest, struct dl_error *error);
int ingest_begin_input(struct ingest *ingest, struct input_record *record,
                       const struct vantage_draft *draft, struct capture *capture,
                       struct dl_error *error);
/* A span of time in which packets were looked at: what had been counted when it began. */
struct coverage_span {
    int64_t from_us;
    uint64_t packets, lost;
    bool link_up;
};
/* What to store of the span by now; `record` is up to date. */
void ingest_cover(const struct input_record *record, const struct coverage_span *span,
                  int64_t to_us, struct coverage_record *ret_coverage);
/* Ends an input: flows, notes, coverage (the last span of it, or with NULL all that the capture has), the
 * final row. */
void ingest_finish_input(struct ingest *ingest, struct capture *capture,
                         struct input_record *record, struct vantage_draft *draft,
                         const struct coverage_span *last, int64_t to_us);
