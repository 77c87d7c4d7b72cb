// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/status.h"
#include "probe/workers_internal.h"

#define QUESTIONS_SHARE  7u  /* one in so many bytes is for DNS questions */
#define LIVE_SHARE       8u  /* live: for frames that wait */
#define BUFFERS_OF_FILES 12u /* and BUFFERS_EACH for each worker */
#define BUFFERS_EACH     4u
#define BUFFERS_LEAST    8u
#define BUFFERS_MOST     96u
#define BATCHES_LEAST    6u
#define BATCHES_MOST     48u
#define BATCH_BYTES      (BATCH_PACKETS * sizeof(struct packet) + BATCH_NAMES * sizeof(struct told))
#define ROWS_SHARE       16u
#define BLOCKS_EACH      2u
#define BLOCKS_MORE      4u

/* ---- memory ---- */

static bool share_out(unsigned threads, uint64_t memory, bool live, struct workers_room *ret_room)
{
    uint64_t buffers = live ? memory / LIVE_SHARE / CAPTURE_BUFFER_BYTES
                            : BUFFERS_OF_FILES + BUFFERS_EACH * threads;
    buffers = MIN_OF(buffers, memory / LIVE_SHARE / CAPTURE_BUFFER_BYTES);
    ret_room->buffers = (uint32_t)MIN_OF(MAX_OF(buffers, BUFFERS_LEAST), BUFFERS_MOST);
    ret_room->batches = MIN_OF(MAX_OF(ret_room->buffers / 2, BATCHES_LEAST), BATCHES_MOST);
    ret_room->blocks = BLOCKS_EACH * (threads + 1) + BLOCKS_MORE;
    if (live) /* while a disk takes its time */
        ret_room->blocks =
            (uint32_t)MAX_OF(memory / ROWS_SHARE / sizeof(struct row_block), ret_room->blocks);
    ret_room->questions = MAX_OF(memory / QUESTIONS_SHARE, PROBE_MEMORY_LEAST);
    uint64_t taken = ret_room->questions + (uint64_t)ret_room->buffers * CAPTURE_BUFFER_BYTES +
                     ret_room->batches * BATCH_BYTES + ret_room->blocks * sizeof(struct row_block);
    ret_room->worker = memory > taken ? (memory - taken) / threads : 0;
    return ret_room->worker >= PROBE_MEMORY_LEAST;
}

unsigned workers_most(unsigned threads, uint64_t memory)
{
    struct workers_room room;
    threads = MIN_OF(MAX_OF(threads, 1u), WORKERS_MAX);
    while (threads > 1 && !share_out(threads, memory ? memory : PROBE_MEMORY_DEFAULT, true, &room))
        threads--;
    return threads;
}

unsigned workers_key_count(unsigned threads)
{
    return threads + 1;
}

/* ---- a worker ---- */

static void worker_batch(struct worker *worker, const struct batch *batch)
{
    const uint16_t *which = batch->shares[worker->number];
    uint32_t count = batch->share_counts[worker->number], name = 0;
    struct track_look looks[PART_LOOKS];
    for (uint32_t i = 0; i < count; i++) {
        if (i % PART_LOOKS == 0)
            probe_look(worker->probe, batch->items, which + i, MIN_OF(PART_LOOKS, count - i),
                       looks);
        for (; name < batch->name_count && batch->names[name].before <= which[i]; name++)
            if (batch->names[name].worker == worker->number)
                probe_take_name(worker->probe, &batch->names[name].name);
        probe_take_packet(worker->probe, &batch->items[which[i]], &looks[i % PART_LOOKS],
                          batch->passed_us[which[i]]);
    }
    for (; name < batch->name_count; name++)
        if (batch->names[name].worker == worker->number)
            probe_take_name(worker->probe, &batch->names[name].name);
    probe_pass(worker->probe, &batch->time);
    if (batch->ends)
        probe_end_input(worker->probe, NULL);
}

/* The next batch, NULL at the end. What was counted by then is told. */
static const struct batch *worker_next(struct worker *worker, uint64_t *ret_backlog)
{
    struct workers *workers = worker->workers;
    const struct batch *batch = NULL;
    pthread_mutex_lock(&workers->lock);
    workers->idle++;
    while (workers->submitted == worker->done && !workers->stop)
        pthread_cond_wait(&workers->work, &workers->lock);
    workers->idle--;
    if (workers->submitted > worker->done)
        batch = &workers->ring[worker->done % workers->ring_size];
    *ret_backlog = workers->submitted - worker->done;
    pthread_mutex_unlock(&workers->lock);
    return batch;
}

static void worker_done(struct worker *worker)
{
    struct workers *workers = worker->workers;
    struct probe_stats stats;
    probe_get_stats(worker->probe, &stats);
    pthread_mutex_lock(&workers->lock);
    worker->done++;
    worker->stats = stats;
    if (workers->reader_waits)
        pthread_cond_signal(&workers->room);
    pthread_mutex_unlock(&workers->lock);
}

static void *worker_run(void *context)
{
    struct worker *worker = context;
    struct workers *workers = worker->workers;
    const struct batch *batch;
    uint64_t backlog;
    char name[16];
    snprintf(name, sizeof(name), "worker %u", worker->number);
    pthread_setname_np(pthread_self(), name);
    while ((batch = worker_next(worker, &backlog))) {
        if (workers->options.live)
            probe_shed(worker->probe, backlog > workers->ring_size / 2);
        worker_batch(worker, batch);
        if (workers->options.live || batch->ends || backlog == 1)
            producer_hand_over(&worker->rows);
        worker_done(worker);
    }
    return NULL;
}

/* ---- life ---- */

static void on_client(void *context, const struct address *client, int64_t time_us)
{
    const struct producer *producer = context;
    const struct workers_options *options = &producer->workers->options;
    options->on_client(options->context, producer->number, client, time_us);
}

/* Called between inputs, by who reads. */
static int count_for(void *context, const struct hour_count *count, struct dl_error *error)
{
    const struct workers_sink *sink = &((struct producer *)context)->workers->options.sink;
    return sink->count(sink->context, count, error);
}

void worker_options(struct workers *workers, struct probe_options *options, unsigned number,
                    struct producer *producer)
{
    const struct workers_options *given = &workers->options;
    *producer = (struct producer){.workers = workers, .number = number};
    options->key = given->keys ? given->keys[number] : NULL;
    options->on_client = given->on_client ? on_client : NULL;
    options->on_facts = NULL;
    options->context = producer;
    options->sink = (struct probe_sink){
        .context = producer, .observation = producer_observation, .count = count_for};
}

static int observation_for(void *context, const struct observation *observation,
                           struct dl_error *error)
{
    const struct workers_sink *sink = &((struct producer *)context)->workers->options.sink;
    return sink->observation(sink->context, observation, error);
}

/* One probe that does it all, at once. */
static int alone_create(struct workers *workers, struct dl_error *error)
{
    struct probe_options options = workers->options.probe;
    worker_options(workers, &options, 0, &workers->spread.rows);
    options.sink.observation = observation_for;
    return probe_create(&workers->alone, &options, error);
}

static int worker_create(struct workers *workers, unsigned number, uint64_t memory,
                         struct dl_error *error)
{
    struct worker *worker = &workers->workers[number];
    struct probe_options options = workers->options.probe;
    worker->workers = workers;
    worker->number = number;
    worker->part.kind = PART_FLOWS;
    worker_options(workers, &options, number, &worker->rows);
    options.part = &worker->part;
    options.memory = memory;
    return probe_create(&worker->probe, &options, error);
}

static int team_create(struct workers *workers, struct dl_error *error)
{
    uint64_t memory = workers->options.probe.memory;
    unsigned threads = workers->options.threads;
    struct workers_room room;
    share_out(threads, memory ? memory : PROBE_MEMORY_DEFAULT, workers->options.live, &room);
    workers->workers = calloc(threads, sizeof(*workers->workers));
    if (!workers->workers)
        return dl_error_set(error, -ENOMEM, "no memory for the workers");
    workers->count = threads;
    int status = rows_init(&workers->rows, room.blocks);
    if (status == DL_OK)
        status = spread_init(workers, &room, error);
    for (unsigned i = 0; status == DL_OK && i < threads; i++)
        status = worker_create(workers, i, room.worker, error);
    return status;
}

static void locks_init(struct workers *workers)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->work, NULL);
    pthread_cond_init(&workers->room, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int workers_create(struct workers **ret_workers, const struct workers_options *options,
                   struct dl_error *error)
{
    struct workers *workers = calloc(1, sizeof(*workers));
    if (!workers)
        return dl_error_set(error, -ENOMEM, "no memory for the workers");
    workers->options = *options;
    workers->options.threads = MIN_OF(MAX_OF(options->threads, 1u), WORKERS_MAX);
    locks_init(workers);
    int status = workers->options.threads == 1 && !options->live ? alone_create(workers, error)
                                                                 : team_create(workers, error);
    if (status == DL_OK)
        *ret_workers = workers;
    else
        workers_destroy(workers);
    return status;
}

int workers_start(struct workers *workers, struct dl_error *error)
{
    sigset_t all, before;
    if (workers->alone)
        return DL_OK;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = rows_start(workers);
    for (unsigned i = 0; status == DL_OK && i < workers->count; i++) {
        struct worker *worker = &workers->workers[i];
        status = -pthread_create(&worker->thread, NULL, worker_run, worker);
        worker->started = status == DL_OK;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status == DL_OK
               ? DL_OK
               : dl_error_set(error, status, "cannot start a thread: %s", dl_strerror(status));
}

static void team_stop(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->stop = true;
    pthread_cond_broadcast(&workers->work);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->count; i++)
        if (workers->workers[i].started)
            pthread_join(workers->workers[i].thread, NULL);
    rows_stop(workers);
}

void workers_destroy(struct workers *workers)
{
    if (!workers)
        return;
    if (workers->count > 0) {
        team_stop(workers);
        for (unsigned i = 0; i < workers->count; i++) {
            free(workers->workers[i].rows.block);
            probe_destroy(workers->workers[i].probe);
        }
        spread_finish(workers);
        rows_finish(&workers->rows);
    }
    probe_destroy(workers->alone);
    free(workers->workers);
    pthread_mutex_destroy(&workers->lock);
    pthread_cond_destroy(&workers->work);
    pthread_cond_destroy(&workers->room);
    free(workers);
}

/* ---- what happens ---- */

static void stats_add(struct probe_stats *sum, const struct probe_stats *stats)
{
    sum->flows += stats->flows;
    sum->questions += stats->questions;
    sum->stored += stats->stored;
    sum->counted += stats->counted;
    sum->evicted += stats->evicted;
    sum->parts_refused += stats->parts_refused;
    sum->icmp_unmatched += stats->icmp_unmatched;
    sum->shed += stats->shed;
    sum->flows_now += stats->flows_now;
    sum->flows_peak += stats->flows_peak; /* an upper bound: not all at one time */
    sum->memory += stats->memory;
}

void workers_get_stats(struct workers *workers, struct workers_stats *ret_stats)
{
    *ret_stats = (struct workers_stats){0};
    if (workers->alone) {
        probe_get_stats(workers->alone, &ret_stats->probe);
        return;
    }
    const struct spread *spread = &workers->spread;
    struct probe_stats *sum = &ret_stats->probe, questions;
    *sum = spread->stats;
    for (int i = 0; i < DECODE_KIND_COUNT; i++)
        sum->decode[i] = decoder_count(spread->decoder, (enum decode_kind)i);
    probe_get_stats(spread->questions, &questions);
    stats_add(sum, &questions);
    pthread_mutex_lock(&workers->lock);
    for (unsigned i = 0; i < workers->count; i++)
        stats_add(sum, &workers->workers[i].stats);
    ret_stats->dropped = spread->dropped;
    pthread_mutex_unlock(&workers->lock);
    ret_stats->rows_lost = rows_lost(workers);
}

int workers_call(struct workers *workers, workers_call_fn call, const void *bytes, size_t length,
                 struct dl_error *error)
{
    if (workers->alone)
        return call(workers->options.sink.context, bytes, error);
    int status = rows_status(workers, error);
    if (status == DL_OK && !producer_call(&workers->spread.rows, call, bytes, length))
        status = DL_AGAIN;
    return status;
}
