// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Several threads at one capture, with the rows that one alone would make (parts.h says how far).
 *
 *   the reader   who calls workers_read(): reads frames, decodes them down to the innermost TCP, UDP or
 *                ICMP (fragments are put together here), answers for DNS, and spreads the rest by pairs
 *                of addresses over
 *   N workers    which share nothing: each has a probe, a DPI module and a list of rows of its own; the
 *                rows go to
 *   the writer   the only thread that calls the sink.
 *
 * Frames are not copied: a batch keeps the buffers they were read into. What waits where:
 *
 *   - the reader for the slowest worker, when WORKERS_BATCHES batches are under way. Live it waits
 *     WORKERS_PATIENCE_MS at most and then throws frames away (stats.dropped) until there is room;
 *     before it comes to that, workers that are far behind stop inspecting flows that begin
 *     (stats.shed).
 *   - a worker for the writer, when all blocks of rows are full. Live it waits as briefly and then drops
 *     rows (stats.rows_lost); not at all while the sink is in trouble.
 *   - the writer for nobody. Live it keeps what is not yet safe in the sink, and when the sink fails it
 *     tries `revive` until that works, and then gives all of it again: rows are named, so a row given
 *     twice is one.
 *
 * With one thread and files there are no threads at all: everything happens within workers_read(), the
 * sink included, so that a processor that is alone has nothing to switch between. An interface always
 * has the three kinds, so that no disk is ever waited for by who takes packets from the kernel.
 *
 * Threads are started by workers_start() and nowhere else: after privileges are dropped.
 */
#include <stdbool.h>

#include "probe/capture/capture.h"
#include "probe/probe.h"

#define WORKERS_MAX         64u
#define WORKERS_PATIENCE_MS 100

struct workers;

struct
    workers_sink { /* called by the writer alone; between inputs by who calls the functions below */
    void *context;
    int (*observation)(void *context, const struct observation *observation,
                       struct dl_error *error);
    int (*count)(void *context, const struct hour_count *count, struct dl_error *error);
    /* Called often: makes what was given safe if it is time, at once with `force`. Says whether all is. */
    int (*settle)(void *context, bool force, bool *ret_safe, struct dl_error *error);
    /* Live: after a failure, from time to time. DL_OK: all that was given since it was last safe will be
     * given again; DL_AGAIN: not yet; anything else: never. */
    int (*revive)(void *context, struct dl_error *error);
    /* Live: the sink has failed, it will be tried again; it works again and this many rows were lost. */
    void (*trouble)(void *context, const struct dl_error *error);
    void (*well)(void *context, uint64_t rows_lost);
};

struct workers_options {
    struct probe_options
        probe;               /* `key`, `sink`, `part`, `on_client` and the context are not used */
    struct key *const *keys; /* workers_key_count(threads) handles of one key; NULL for none */
    unsigned threads;        /* 1 to WORKERS_MAX */
    bool live;
    struct workers_sink sink;
    /* As probe_options.on_client, called by several threads at once, each with a number of its own, from
     * 0 to workers_key_count(threads) - 1. */
    void (*on_client)(void *context, unsigned number, const struct address *client,
                      int64_t time_us);
    void *context;
};

struct workers_stats {
    struct probe_stats probe; /* of all probes together */
    uint64_t dropped;         /* frames thrown away because the workers were behind */
    uint64_t rows_lost;       /* flows that found no way into the sink */
};

/* How many threads that memory is enough for, at most `threads`. */
unsigned workers_most(unsigned threads, uint64_t memory);
unsigned workers_key_count(unsigned threads);

/* Makes the probes, one after the other (nDPI), but no thread. `options` is copied. As probe_create(). */
int workers_create(struct workers **ret_workers, const struct workers_options *options,
                   struct dl_error *error);
/* The one place where threads start; they block all signals. DL_OK or a negated errno. */
int workers_start(struct workers *workers, struct dl_error *error);
/* Ends the threads; accepts NULL. */
void workers_destroy(struct workers *workers);

/* As probe_begin_input(), with the capture to be read, which is closed after workers_end_input(): that has to
 * follow whatever happens. In between the sink is the writer's alone. */
void workers_begin_input(struct workers *workers, uint32_t input, const struct vantage *vantage,
                         struct capture *capture);
/*
 * Reads once and spreads what came; returns what capture_read() did, or the sink's failure
 * (*ret_sink_failed). Live, DL_AGAIN after at most `timeout_ms`; `now_us` is then the time that passes
 * for flows.
 */
int workers_read(struct workers *workers, int timeout_ms, int64_t now_us, bool *ret_sink_failed,
                 struct dl_error *error);
/* The capture is a pipe, and silent: what has been read so far goes on its way, and flows that were silent for too
 * long by then end. For the capture's idle function, in the middle of workers_read(). */
void workers_flush(struct workers *workers);
/* Every flow still open ends; back when all has been given to the sink, counts included. */
int workers_end_input(struct workers *workers, struct dl_error *error);

/* Has the writer call `call` with the sink's context and a copy of the bytes (at most WORKERS_CALL_MAX);
 * where there are no threads it is called at once. It may come twice, see above. DL_AGAIN where there is no
 * room for it, or the sink's failure. */
#define WORKERS_CALL_MAX 4096u
typedef int (*workers_call_fn)(void *context, const void *bytes, struct dl_error *error);
int workers_call(struct workers *workers, workers_call_fn call, const void *bytes, size_t length,
                 struct dl_error *error);

/* As of a moment ago. */
void workers_get_stats(struct workers *workers, struct workers_stats *ret_stats);
