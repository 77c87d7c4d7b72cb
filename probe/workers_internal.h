// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the files of the workers share: workers.c the threads' lives, workers_spread.c the reader's part,
 * workers_rows.c rows on their way to the sink.
 */
#include <pthread.h>

#include "base/hash.h"
#include "probe/decode/decode.h"
#include "probe/parts.h"
#include "probe/row_block.h"
#include "probe/workers.h"

#define BATCH_PACKETS 2048u
#define BATCH_BUFFERS 6u
#define BATCH_NAMES   1024u
#define BATCH_EXTRA   (256u * 1024u) /* datagrams that were put together, and texts of names */
#define READ_FRAMES   1024u

struct workers_room { /* how the memory is shared out; bytes and numbers */
    uint64_t questions, worker;
    uint32_t buffers, batches, blocks;
};

struct buffer_slot {     /* what frames lie in; the reader's alone */
    uint8_t *bytes;      /* NULL until first needed */
    uint32_t references; /* batches that have frames in it */
};

struct told { /* a name for a worker */
    struct told_name name;
    uint32_t before; /* the item it was told before */
    uint32_t worker;
};

struct batch {
    struct packet *items;
    int64_t *passed_us; /* of the capture's time when the item came */
    struct told *names;
    uint8_t *extra;
    uint16_t **shares; /* of each worker: its items */
    uint32_t *share_counts;
    uint32_t item_count, name_count, extra_used;
    uint32_t buffers[BATCH_BUFFERS], buffer_count; /* slots */
    struct pass_time time;                         /* by its end */
    bool ends;                                     /* the input does */
};

struct producer { /* of rows; one thread's */
    struct workers *workers;
    unsigned number;
    struct row_block *block;
};

struct worker {
    struct workers *workers;
    unsigned number;
    pthread_t thread;
    bool started;
    struct probe *probe;
    struct probe_part part;
    struct producer rows;
    uint64_t done;            /* batches; under `lock` */
    struct probe_stats stats; /* under `lock` */
};

/* The reader's state. */
struct spread {
    struct capture *capture;
    struct decoder *decoder;
    struct probe *questions; /* NULL where there are no threads */
    struct probe_part part;
    struct producer rows;
    struct probe_stats stats; /* frames and what became of them in decoding */
    struct hash_key key;
    struct frame frames[READ_FRAMES];
    struct buffer_slot *buffers;
    uint32_t buffer_count;
    uint32_t current;   /* slot that bytes are read into; buffer_count: the capture's own */
    bool current_used;  /* frames of it were spread */
    uint32_t last_free; /* where one was found last: a warm one */
    uint8_t *spare;     /* for frames that are thrown away */
    struct batch *open; /* NULL: none */
    uint64_t reclaimed; /* batches whose buffers were given back */
    uint64_t dropped;
    bool behind; /* the last batch that was wanted was not to be had */
    struct pass_time time;
};

struct row_lists { /* between producers and the writer */
    pthread_mutex_t lock;
    pthread_cond_t wanted, room,
        drained; /* for the writer; producers; who waits for all to be written */
    struct row_block *first, *last, *free, *kept, *kept_last;
    uint32_t made, maximum, kept_count;
    bool active;      /* an input is read: the sink is the writer's */
    bool stop, hurry; /* hurry: somebody waits for `drained` */
    bool trouble;     /* the sink has failed and is tried again */
    bool failed;      /* for good; `error` says why */
    struct dl_error error;
    uint64_t lost, lost_told;
    int64_t safe_us; /* when all was safe last */
    struct row_reader reader;
    pthread_t thread;
    bool started;
};

struct workers {
    struct workers_options options;
    unsigned count; /* 0: no threads, `alone` does it all */
    struct probe *alone;
    struct worker *workers;
    struct spread spread;
    struct row_lists rows;

    pthread_mutex_t lock;
    pthread_cond_t work, room; /* `room` by the monotonic clock */
    struct batch *ring;
    uint32_t ring_size;
    uint64_t submitted; /* batches handed to the workers */
    uint32_t idle;      /* workers that wait */
    bool reader_waits, stop;
};

/* workers.c: what the options of a thread's own probe are. */
void worker_options(struct workers *workers, struct probe_options *options, unsigned number,
                    struct producer *producer);

/* workers_spread.c */
int spread_init(struct workers *workers, const struct workers_room *room, struct dl_error *error);
void spread_finish(struct workers *workers);

/* workers_rows.c */
int rows_init(struct row_lists *rows, uint32_t blocks);
void rows_finish(struct row_lists *rows);
int rows_start(struct workers *workers);
/* From now on until rows_drain() the sink is the writer's alone. */
void rows_begin(struct workers *workers);
void rows_stop(struct workers *workers);
/* The sink of a probe that is a producer's. */
int producer_observation(void *context, const struct observation *observation,
                         struct dl_error *error);
/* False where there is no room. */
bool producer_call(struct producer *producer, row_call_fn call, const void *bytes, size_t length);
/* What is in the producer's block goes to the writer. */
void producer_hand_over(struct producer *producer);
/* Back when all that was handed over is in the sink, and safe there with `safe`; or the sink's failure. */
int rows_drain(struct workers *workers, struct dl_error *error);
/* Has the sink failed for good? */
int rows_status(struct workers *workers, struct dl_error *error);
uint64_t rows_lost(struct workers *workers);
