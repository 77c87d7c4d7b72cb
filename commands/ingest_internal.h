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
#include "probe/probe.h"
#include "store/store.h"

struct ingest {
    const struct ingest_options *options;
    const struct common_options *common;
    struct catalog *catalog;
    struct fingerprints *fingerprints;
    struct geo *geo;
    struct key *key;
    struct store *store;
    struct probe *probe;
    char store_path[PATH_MAX], key_path[PATH_MAX];
    bool hash, broken; /* broken: the store takes no more */
    struct ingest_result result;
    struct vantage_draft given;
    struct vantage_votes votes;
    struct probe_stats before; /* of the probe when this input began */
    int64_t progress_us;
    char sorting_path[PATH_MAX]; /* a folder for SQLite's temporary files; "" for none */
};

/* Set by SIGINT and SIGTERM. */
extern volatile sig_atomic_t ingest_stop_wanted;
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
/* What options and, where `path` is a file, the file beside it say of the vantage. */
void ingest_draft(struct ingest *ingest, const char *path, struct vantage_draft *ret_draft);
uint64_t ingest_lost(const struct capture_stats *stats);
void ingest_record_update(struct input_record *record, const struct capture_stats *stats);
int ingest_begin_input(struct ingest *ingest, struct input_record *record,
                       const struct vantage_draft *draft, struct dl_error *error);
/* Ends an input: flows, notes, coverage, the final row. */
void ingest_finish_input(struct ingest *ingest, struct capture *capture,
                         struct input_record *record, struct vantage_draft *draft,
                         bool with_coverage);
