// SPDX-License-Identifier: GPL-3.0-or-later
/* Rows on their way from many threads to the one that calls the sink. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/status.h"
#include "probe/workers_internal.h"

#define WRITER_WAIT_US   (CLOCK_SECOND_US / 5)
#define SAFE_EVERY_US    CLOCK_SECOND_US
#define REVIVE_EVERY_US  (CLOCK_SECOND_US / 2)
#define LAST_TRIES       4u /* to revive a sink at the very end */
#define PRODUCER_WAIT_US (20 * 1000)

int rows_init(struct row_lists *rows, uint32_t blocks)
{
    pthread_condattr_t monotonic;
    rows->maximum = blocks;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&rows->lock, NULL);
    pthread_cond_init(&rows->wanted, &monotonic);
    pthread_cond_init(&rows->room, &monotonic);
    pthread_cond_init(&rows->drained, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return DL_OK;
}

static void free_list(struct row_block *block)
{
    while (block) {
        struct row_block *next = block->next;
        free(block);
        block = next;
    }
}

void rows_finish(struct row_lists *rows)
{
    free_list(rows->first);
    free_list(rows->kept);
    free_list(rows->free);
    pthread_mutex_destroy(&rows->lock);
    pthread_cond_destroy(&rows->wanted);
    pthread_cond_destroy(&rows->room);
    pthread_cond_destroy(&rows->drained);
}

/* False when the time was over. */
static bool wait_for(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t wait_us)
{
    int64_t until_us = clock_monotonic_us() + wait_us;
    struct timespec until = {.tv_sec = until_us / CLOCK_SECOND_US,
                             .tv_nsec = until_us % CLOCK_SECOND_US * 1000};
    return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}

/* ---- producers ---- */

/* A free block, or NULL where there is none; under the lock. */
static struct row_block *take_free(struct row_lists *rows)
{
    struct row_block *block = rows->free;
    if (block) {
        rows->free = block->next;
    } else if (rows->made < rows->maximum && (block = malloc(sizeof(*block)))) {
        rows->made++;
    }
    if (block) {
        block->next = NULL;
        block->used = block->rows = 0;
    }
    return block;
}

/* NULL where rows are lost: the sink has failed, or live in time. */
static struct row_block *producer_block(struct producer *producer)
{
    struct row_lists *rows = &producer->workers->rows;
    bool live = producer->workers->options.live;
    pthread_mutex_lock(&rows->lock);
    while (!rows->failed && !(producer->block = take_free(rows))) {
        if (live && (rows->trouble || !wait_for(&rows->room, &rows->lock, PRODUCER_WAIT_US)))
            break;
        if (!live)
            wait_for(&rows->room, &rows->lock, WRITER_WAIT_US);
    }
    pthread_mutex_unlock(&rows->lock);
    return producer->block;
}

void producer_hand_over(struct producer *producer)
{
    struct row_lists *rows = &producer->workers->rows;
    struct row_block *block = producer->block;
    if (!block || block->used == 0)
        return;
    producer->block = NULL;
    pthread_mutex_lock(&rows->lock);
    if (rows->last)
        rows->last->next = block;
    else
        rows->first = block;
    rows->last = block;
    pthread_cond_signal(&rows->wanted);
    pthread_mutex_unlock(&rows->lock);
}

int producer_observation(void *context, const struct observation *observation,
                         struct dl_error *error)
{
    struct producer *producer = context;
    struct row_lists *rows = &producer->workers->rows;
    (void)error;
    if (producer->block && row_put(producer->block, observation))
        return DL_OK;
    producer_hand_over(producer);
    if (producer_block(producer)) {
        row_put(producer->block, observation);
    } else if (!(observation->flags & OBSERVATION_EARLY)) { /* those come again */
        pthread_mutex_lock(&rows->lock);
        rows->lost++;
        pthread_mutex_unlock(&rows->lock);
    }
    return DL_OK;
}

bool producer_call(struct producer *producer, row_call_fn call, const void *bytes, size_t length)
{
    if (producer->block && row_put_call(producer->block, call, bytes, length))
        return true;
    producer_hand_over(producer);
    return producer_block(producer) && row_put_call(producer->block, call, bytes, length);
}

/* ---- the writer ---- */

static int write_block(struct workers *workers, const struct row_block *block,
                       struct dl_error *error)
{
    const struct workers_sink *sink = &workers->options.sink;
    struct row row;
    uint32_t at = 0;
    int status = DL_OK;
    while (status == DL_OK && row_next(&workers->rows.reader, block, &at, &row))
        status = row.call ? row.call(sink->context, row.bytes, error)
                          : sink->observation(sink->context, row.observation, error);
    return status;
}

/* What is kept is safe now: it can go. Under the lock. */
static void forget_kept(struct row_lists *rows)
{
    if (rows->kept_last) {
        rows->kept_last->next = rows->free;
        rows->free = rows->kept;
        pthread_cond_broadcast(&rows->room);
    }
    rows->kept = rows->kept_last = NULL;
    rows->kept_count = 0;
    rows->safe_us = clock_monotonic_us();
}

/* The block was written: kept until it is safe, where that matters. Under the lock. */
static void keep(struct workers *workers, struct row_block *block)
{
    struct row_lists *rows = &workers->rows;
    block->next = NULL;
    if (!workers->options.sink.revive || rows->failed) {
        block->next = rows->free;
        rows->free = block;
        pthread_cond_broadcast(&rows->room);
        return;
    }
    if (rows->kept_last)
        rows->kept_last->next = block;
    else
        rows->kept = block;
    rows->kept_last = block;
    rows->kept_count++;
}

static int settle(struct workers *workers, bool force, struct dl_error *error)
{
    struct row_lists *rows = &workers->rows;
    const struct workers_sink *sink = &workers->options.sink;
    bool safe = false;
    if (sink->revive)
        force |= clock_monotonic_us() - rows->safe_us >= SAFE_EVERY_US ||
                 rows->kept_count >= rows->maximum / 4;
    int status = sink->settle ? sink->settle(sink->context, force, &safe, error) : DL_OK;
    if (status == DL_OK && safe) {
        pthread_mutex_lock(&rows->lock);
        forget_kept(rows);
        pthread_mutex_unlock(&rows->lock);
    }
    return status;
}

static void set_trouble(struct row_lists *rows, bool trouble)
{
    pthread_mutex_lock(&rows->lock);
    rows->trouble = trouble;
    pthread_cond_broadcast(&rows->room);
    pthread_mutex_unlock(&rows->lock);
}

/* All that is not yet safe, once more. */
static int give_again(struct workers *workers, struct dl_error *error)
{
    int status = workers->options.sink.revive(workers->options.sink.context, error);
    for (const struct row_block *block = workers->rows.kept; block && status == DL_OK;
         block = block->next)
        status = write_block(workers, block, error);
    return status == DL_OK ? settle(workers, true, error) : status;
}

static void fail(struct row_lists *rows, int status, const struct dl_error *error)
{
    pthread_mutex_lock(&rows->lock);
    rows->failed = true;
    for (const struct row_block *block = rows->kept; block; block = block->next)
        rows->lost += block->rows;
    rows->error = *error;
    rows->error.status = status;
    pthread_cond_broadcast(&rows->room);
    pthread_mutex_unlock(&rows->lock);
}

/* The sink failed. Live it is tried again until it works, it fails in another way, or everything ends. */
static void recover(struct workers *workers, int status, struct dl_error *error)
{
    struct row_lists *rows = &workers->rows;
    const struct workers_sink *sink = &workers->options.sink;
    unsigned tries = 0;
    if (!sink->revive) {
        fail(rows, status, error);
        return;
    }
    sink->trouble(sink->context, error);
    set_trouble(rows, true);
    do {
        pthread_mutex_lock(&rows->lock);
        bool last = rows->hurry || rows->stop;
        if (!last || tries > 0)
            wait_for(&rows->wanted, &rows->lock, REVIVE_EVERY_US);
        pthread_mutex_unlock(&rows->lock);
        tries = last ? tries + 1 : 0;
        status = give_again(workers, error);
    } while (status != DL_OK && status != DL_CORRUPT && tries < LAST_TRIES);
    set_trouble(rows, false);
    if (status != DL_OK) {
        fail(rows, status, error);
        return;
    }
    pthread_mutex_lock(&rows->lock);
    uint64_t lost = rows->lost - rows->lost_told;
    rows->lost_told = rows->lost;
    pthread_mutex_unlock(&rows->lock);
    sink->well(sink->context, lost);
}

/* The next block to write, NULL where there is none for a while. */
static struct row_block *next_block(struct row_lists *rows, bool *ret_stop, bool *ret_hurry,
                                    bool *ret_active)
{
    pthread_mutex_lock(&rows->lock);
    if (!rows->first && !rows->stop && !rows->hurry)
        wait_for(&rows->wanted, &rows->lock, WRITER_WAIT_US);
    struct row_block *block = rows->first;
    if (block) {
        rows->first = block->next;
        if (!rows->first)
            rows->last = NULL;
    }
    *ret_stop = rows->stop && !block;
    *ret_hurry = rows->hurry && !rows->first;
    *ret_active = rows->active;
    pthread_mutex_unlock(&rows->lock);
    return block;
}

static void *writer_run(void *context)
{
    struct workers *workers = context;
    struct row_lists *rows = &workers->rows;
    struct dl_error error = {0};
    bool stop = false, hurry, active;
    pthread_setname_np(pthread_self(), "writer");
    while (!stop) {
        struct row_block *block = next_block(rows, &stop, &hurry, &active);
        int status = block && !rows->failed ? write_block(workers, block, &error) : DL_OK;
        pthread_mutex_lock(&rows->lock);
        if (block && rows->failed)
            rows->lost += block->rows;
        if (block)
            keep(workers, block);
        pthread_mutex_unlock(&rows->lock);
        if (status == DL_OK && active && !rows->failed)
            status = settle(workers, hurry, &error);
        if (status != DL_OK && !rows->failed)
            recover(workers, status, &error);
        pthread_mutex_lock(&rows->lock);
        if (hurry && !rows->first) {
            rows->hurry = rows->active = false;
            pthread_cond_broadcast(&rows->drained);
        }
        pthread_mutex_unlock(&rows->lock);
    }
    return NULL;
}

/* ---- for the others ---- */

int rows_start(struct workers *workers)
{
    struct row_lists *rows = &workers->rows;
    rows->safe_us = clock_monotonic_us();
    int result = pthread_create(&rows->thread, NULL, writer_run, workers);
    rows->started = result == 0;
    return -result;
}

void rows_begin(struct workers *workers)
{
    pthread_mutex_lock(&workers->rows.lock);
    workers->rows.active = true;
    pthread_mutex_unlock(&workers->rows.lock);
}

void rows_stop(struct workers *workers)
{
    struct row_lists *rows = &workers->rows;
    if (!rows->started)
        return;
    pthread_mutex_lock(&rows->lock);
    rows->stop = true;
    pthread_cond_signal(&rows->wanted);
    pthread_mutex_unlock(&rows->lock);
    pthread_join(rows->thread, NULL);
    rows->started = false;
}

int rows_drain(struct workers *workers, struct dl_error *error)
{
    struct row_lists *rows = &workers->rows;
    pthread_mutex_lock(&rows->lock);
    rows->hurry = true;
    pthread_cond_signal(&rows->wanted);
    while (rows->hurry)
        pthread_cond_wait(&rows->drained, &rows->lock);
    pthread_mutex_unlock(&rows->lock);
    return rows_status(workers, error);
}

int rows_status(struct workers *workers, struct dl_error *error)
{
    struct row_lists *rows = &workers->rows;
    int status = DL_OK;
    pthread_mutex_lock(&rows->lock);
    if (rows->failed) {
        status = rows->error.status;
        if (error)
            *error = rows->error;
    }
    pthread_mutex_unlock(&rows->lock);
    return status;
}

uint64_t rows_lost(struct workers *workers)
{
    pthread_mutex_lock(&workers->rows.lock);
    uint64_t lost = workers->rows.lost;
    pthread_mutex_unlock(&workers->rows.lock);
    return lost;
}
