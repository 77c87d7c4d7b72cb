// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What `probe` and `run` have in common: captures in, observations into a store.
 */
#include "base/status.h"
#include "catalog/catalog.h"
#include "commands/command.h"
#include "geo/geo.h"
#include "geo/vantage.h"

struct ingest_options { /* what the command line says of probing */
    const char *probe_id, *carrier, *country;
    uint64_t asn, memory;
    unsigned network, position, origin;
    bool given_network, given_position, given_origin, given_asn;
    const char *watchlist, *inventory, *key, *filter;
    bool all_names, keep_addresses, hash;
    bool live;  /* print tags */
    bool early; /* an interface is watched: rows go into the store as soon as a flow is tagged */
    struct option_list fingerprints, false_positives;
    struct option_spec specs[24];
};

/* Fills the option table; the struct must stay where it is while options are parsed. */
void ingest_options_init(struct ingest_options *options);

struct ingest_result {
    uint64_t inputs, skipped,
        failed; /* files read (also in part), already known, and of which nothing could be read */
    uint64_t packets, bytes, lost, flows, stored, counted, damaged;
    uint64_t shed, rows_lost; /* flows not looked into; flows that the store did not take */
    bool interrupted;
};

struct ingest;

/*
 * Opens catalog, databases, key and store. Says on standard error what is wrong and returns an exit
 * code in `ret_exit`; NULL then.
 */
struct ingest *ingest_open(const struct ingest_options *options,
                           const struct common_options *common, const char *store_path, bool hash,
                           int *ret_exit);
/* Reads capture files (or folders, or "-"). Goes on after a bad one. Once a process: from here on it
 * may open its inputs and its store, and little else (commands/sandbox.h). */
int ingest_files(struct ingest *ingest, const char *const *words, size_t count);
/*
 * All of it, from opening to closing, in a child that ends with it: the sandbox that ingest_files()
 * enters binds the child alone. Passes SIGINT and SIGTERM on. The exit code.
 */
int ingest_in_child(const struct ingest_options *options, const struct common_options *common,
                    const char *store_path, const char *const *words, size_t count);
struct live_options {
    const char *interface;
    uint64_t buffer_bytes;
    bool promiscuous;
    const char *user;
};
/* Watches an interface until SIGINT or SIGTERM. Drops root as soon as it is open. */
int ingest_live(struct ingest *ingest, const struct live_options *options);
/* Closes everything, says what was done, and gives the exit code; `ret_result` may be NULL. */
int ingest_close(struct ingest *ingest, struct ingest_result *ret_result);
const struct catalog *ingest_catalog(const struct ingest *ingest);
