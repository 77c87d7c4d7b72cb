// SPDX-License-Identifier: GPL-3.0-or-later
/* The reader's part: frames into batches, packets to whom they belong. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/status.h"
#include "probe/classify/dpi.h"
#include "probe/workers_internal.h"

#define PAGE        4096u
#define DECODED_MAX (64u * 1024u + 512u) /* a datagram that was put together, with its header */
#define LINGER_MS   5 /* live: how long a batch waits for more while the workers are busy */

unsigned part_of(const struct hash_key *key, const struct address *a, const struct address *b,
                 unsigned count)
{
    uint64_t words[4];
    bool swap = memcmp(a->bytes, b->bytes, sizeof(a->bytes)) > 0;
    memcpy(words, swap ? b->bytes : a->bytes, 16);
    memcpy(words + 2, swap ? a->bytes : b->bytes, 16);
    return (unsigned)((hash_words(key, words, 4) >> 32) * count >> 32);
}

/* ---- buffers ---- */

/* The oldest batch that is not done; under the lock. */
static uint64_t done_by_all(const struct workers *workers)
{
    uint64_t done = workers->submitted;
    for (unsigned i = 0; i < workers->count; i++)
        done = MIN_OF(done, workers->workers[i].done);
    return done;
}

static void reclaim(struct workers *workers, uint64_t done)
{
    struct spread *spread = &workers->spread;
    for (; spread->reclaimed < done; spread->reclaimed++) {
        struct batch *batch = &workers->ring[spread->reclaimed % workers->ring_size];
        for (uint32_t i = 0; i < batch->buffer_count; i++)
            spread->buffers[batch->buffers[i]].references--;
        batch->buffer_count = 0;
    }
}

static uint32_t find_buffer(struct spread *spread)
{
    for (uint32_t i = 0; i < spread->buffer_count; i++) {
        uint32_t slot = (spread->last_free + i) % spread->buffer_count;
        if (spread->buffers[slot].references == 0 && slot != spread->current)
            return slot;
    }
    return spread->buffer_count;
}

static void use_current(struct spread *spread)
{
    struct batch *batch = spread->open;
    if (spread->current == spread->buffer_count || !batch)
        return;
    if (batch->buffer_count > 0 && batch->buffers[batch->buffer_count - 1] == spread->current)
        return;
    batch->buffers[batch->buffer_count++] = spread->current;
    spread->buffers[spread->current].references++;
}

/* Where the capture puts bytes that it reads anew. */
static uint8_t *fresh_buffer(void *context)
{
    struct spread *spread = &((struct workers *)context)->spread;
    bool unused = spread->current < spread->buffer_count && !spread->current_used;
    if (!spread->open) /* nothing of it will be spread */
        return spread->spare;
    if (!unused) {
        spread->current = find_buffer(spread); /* there is one: room_for_more() */
        spread->last_free = spread->current;
        spread->current_used = false;
    }
    return spread->buffers[spread->current].bytes;
}

/* ---- batches ---- */

static void batch_clear(struct workers *workers, struct batch *batch)
{
    batch->item_count = batch->name_count = batch->extra_used = batch->buffer_count = 0;
    batch->ends = false;
    memset(batch->share_counts, 0, workers->count * sizeof(*batch->share_counts));
}

/* Until all workers have done so many batches; their buffers are free then. False when the time is over
 * (-1: it never is). */
static bool await_done(struct workers *workers, uint64_t wanted, int wait_ms)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)wait_ms * 1000;
    struct timespec until = {.tv_sec = until_us / CLOCK_SECOND_US,
                             .tv_nsec = until_us % CLOCK_SECOND_US * 1000};
    uint64_t done;
    bool in_time = true;
    pthread_mutex_lock(&workers->lock);
    while (done = done_by_all(workers), in_time && done < wanted) {
        workers->reader_waits = true;
        if (wait_ms < 0)
            pthread_cond_wait(&workers->room, &workers->lock);
        else
            in_time = pthread_cond_timedwait(&workers->room, &workers->lock, &until) != ETIMEDOUT;
    }
    workers->reader_waits = false;
    pthread_mutex_unlock(&workers->lock);
    reclaim(workers, done);
    return done >= wanted;
}

/* Opens a batch; false where none is free in time. */
static bool batch_open(struct workers *workers, int wait_ms)
{
    struct spread *spread = &workers->spread;
    uint64_t size = workers->ring_size;
    if (workers->submitted >= size && !await_done(workers, workers->submitted - size + 1, wait_ms))
        return false;
    spread->open = &workers->ring[workers->submitted % workers->ring_size];
    batch_clear(workers, spread->open);
    return true;
}

static void batch_submit(struct workers *workers, bool ends)
{
    struct spread *spread = &workers->spread;
    spread->open->time = spread->time;
    spread->open->ends = ends;
    spread->open = NULL;
    pthread_mutex_lock(&workers->lock);
    workers->submitted++;
    if (workers->idle > 0)
        pthread_cond_broadcast(&workers->work);
    pthread_mutex_unlock(&workers->lock);
}

/* In the middle of a read, where the open batch is full: its frames lie in the current buffer. */
static void batch_next(struct workers *workers)
{
    batch_submit(workers, false);
    batch_open(workers, -1);
    use_current(&workers->spread);
}

/* How many batches wait for the slowest worker. */
static uint64_t backlog(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    uint64_t count = workers->submitted - done_by_all(workers);
    pthread_mutex_unlock(&workers->lock);
    return count;
}

/* ---- spreading ---- */

static uint8_t *extra_take(struct workers *workers, size_t length)
{
    struct spread *spread = &workers->spread;
    if (BATCH_EXTRA - spread->open->extra_used < length)
        batch_next(workers);
    uint8_t *bytes = spread->open->extra + spread->open->extra_used;
    spread->open->extra_used += (uint32_t)length;
    return bytes;
}

/* A DNS answer told a client of an address. */
static void on_name(void *context, const struct told_name *name)
{
    struct workers *workers = context;
    struct spread *spread = &workers->spread;
    if (BATCH_NAMES - spread->open->name_count < 2)
        batch_next(workers);
    char *host = NULL;
    if (name->host) {
        size_t length = strlen(name->host) + 1;
        host = (char *)extra_take(workers, length);
        memcpy(host, name->host, length);
    }
    struct batch *batch = spread->open; /* which may be another one by now */
    struct told told = {.name = *name,
                        .before = batch->item_count,
                        .worker =
                            part_of(&spread->key, &name->client, &name->server, workers->count)};
    told.name.host = host;
    batch->names[batch->name_count++] = told;
    if (told.worker == PART_SHARED)
        return;
    told.worker = PART_SHARED;
    batch->names[batch->name_count++] = told;
}

/* Whose the packet is; an ICMP error goes to the flow that it is about. */
static unsigned owner_of(const struct workers *workers, const struct packet *packet)
{
    const struct hash_key *key = &workers->spread.key;
    const struct packet_quote *quote = &packet->quote;
    uint8_t transport = quote->protocol == IPPROTO_UDP ? TRANSPORT_UDP : TRANSPORT_NONE;
    if (!packet->has_quote)
        return dpi_is_shared(packet->transport, packet->source_port, packet->destination_port)
                   ? PART_SHARED
                   : part_of(key, &packet->source, &packet->destination, workers->count);
    return dpi_is_shared(transport, quote->source_port, quote->destination_port)
               ? PART_SHARED
               : part_of(key, &quote->source, &quote->destination, workers->count);
}

/* A datagram that was put together lies in the decoder's memory: it moves into the batch's. */
static void keep_bytes(struct workers *workers, const struct frame *frame, struct packet *packet)
{
    const uint8_t *end = packet->ip + packet->ip_captured;
    if (packet->ip >= frame->data && packet->ip < frame->data + frame->captured)
        return;
    if (packet->payload && packet->payload + packet->payload_captured > end)
        end = packet->payload + packet->payload_captured;
    size_t length = (size_t)(end - packet->ip);
    uint8_t *bytes = extra_take(workers, length);
    memcpy(bytes, packet->ip, length);
    if (packet->payload)
        packet->payload = bytes + (packet->payload - packet->ip);
    packet->ip = bytes;
}

static void spread_frame(struct workers *workers, const struct frame *frame)
{
    struct spread *spread = &workers->spread;
    spread->stats.packets++;
    spread->stats.bytes += frame->length;
    pass_time_note(&spread->time, frame->time_us);
    if (spread->open->item_count == BATCH_PACKETS ||
        BATCH_EXTRA - spread->open->extra_used < DECODED_MAX)
        batch_next(workers);
    struct packet *packet = &spread->open->items[spread->open->item_count];
    if (decoder_decode(spread->decoder, frame, packet) != DECODE_OK)
        return;
    if (packet->source_port == 53 || packet->destination_port == 53) {
        const struct packet copy = *packet; /* the names it tells may fill the batch */
        if (probe_take_question(spread->questions, &copy, spread->time.passed_us))
            return;
        if (BATCH_EXTRA - spread->open->extra_used < DECODED_MAX)
            batch_next(workers);
        packet = &spread->open->items[spread->open->item_count];
        *packet = copy;
    }
    keep_bytes(workers, frame, packet);
    struct batch *batch = spread->open;
    unsigned owner = owner_of(workers, packet);
    batch->passed_us[batch->item_count] = spread->time.passed_us;
    batch->shares[owner][batch->share_counts[owner]++] = (uint16_t)batch->item_count++;
}

/* ---- reading ---- */

/* Is there a batch for what will be read, and a buffer? Live false after a while: what comes is thrown
 * away. */
static bool room_for_more(struct workers *workers)
{
    struct spread *spread = &workers->spread;
    int wait_ms = !workers->options.live ? -1 : spread->behind ? 1 : WORKERS_PATIENCE_MS;
    if (spread->open && (spread->open->item_count + READ_FRAMES > BATCH_PACKETS ||
                         spread->open->buffer_count + 2 > BATCH_BUFFERS ||
                         (find_buffer(spread) == spread->buffer_count && spread->open->item_count)))
        batch_submit(workers, false);
    if (!spread->open && !batch_open(workers, wait_ms))
        return false;
    while (find_buffer(spread) == spread->buffer_count) { /* an older batch has to be done first */
        if (!await_done(workers, spread->reclaimed + 1, wait_ms))
            return false;
    }
    return true;
}

/* Is the open batch to go now, though it is not full? Not while there is enough to do. */
static bool is_due(struct workers *workers)
{
    return workers->spread.open->item_count + workers->spread.open->name_count > 0 &&
           (!workers->options.live || backlog(workers) <= 2);
}

static void tick(struct workers *workers, int64_t now_us)
{
    struct spread *spread = &workers->spread;
    pass_time_idle(&spread->time, now_us);
    if (spread->open || batch_open(workers, 0))
        batch_submit(workers, false);
}

static int spread_read(struct workers *workers, int timeout_ms, int64_t now_us,
                       struct dl_error *error)
{
    struct spread *spread = &workers->spread;
    size_t count = 0;
    bool live = workers->options.live;
    bool room = room_for_more(workers);
    bool holding = room && spread->open->item_count + spread->open->name_count > 0;
    int status = capture_read(spread->capture, spread->frames, READ_FRAMES,
                              live && holding ? LINGER_MS : timeout_ms, &count, error);
    if (status == DL_OK && !room) {
        pthread_mutex_lock(&workers->lock);
        spread->dropped += count;
        pthread_mutex_unlock(&workers->lock);
        spread->behind = true;
        capture_use_buffers(spread->capture, fresh_buffer, workers); /* the next go elsewhere */
        return status;
    }
    spread->behind = false;
    if (status == DL_OK) {
        use_current(spread);
        spread->current_used = true;
        for (size_t i = 0; i < count; i++)
            spread_frame(workers, &spread->frames[i]);
        probe_pass(spread->questions, &spread->time);
    } else if (status == DL_AGAIN && !holding) {
        tick(workers, now_us);
        probe_pass(spread->questions, &spread->time);
    }
    if (live && spread->open && is_due(workers))
        batch_submit(workers, false);
    if (live)
        producer_hand_over(&spread->rows);
    return status;
}

static int alone_read(struct workers *workers, int timeout_ms, bool *ret_sink_failed,
                      struct dl_error *error)
{
    struct spread *spread = &workers->spread;
    const struct workers_sink *sink = &workers->options.sink;
    size_t count = 0;
    bool safe;
    int status =
        capture_read(spread->capture, spread->frames, CAPTURE_BATCH, timeout_ms, &count, error);
    if (status != DL_OK)
        return status;
    status = probe_frames(workers->alone, spread->frames, count, error);
    if (status == DL_OK && sink->settle)
        status = sink->settle(sink->context, false, &safe, error);
    *ret_sink_failed = status != DL_OK;
    return status;
}

int workers_read(struct workers *workers, int timeout_ms, int64_t now_us, bool *ret_sink_failed,
                 struct dl_error *error)
{
    *ret_sink_failed = false;
    if (workers->alone)
        return alone_read(workers, timeout_ms, ret_sink_failed, error);
    int status = rows_status(workers, error);
    *ret_sink_failed = status != DL_OK;
    return status == DL_OK ? spread_read(workers, timeout_ms, now_us, error) : status;
}

void workers_flush(struct workers *workers)
{
    struct spread *spread = &workers->spread;
    bool safe;
    if (workers->alone) {
        probe_pause(workers->alone);
        if (workers->options.sink.settle)
            workers->options.sink.settle(workers->options.sink.context, false, &safe, NULL);
        return;
    }
    pass_time_pause(&spread->time);
    probe_pass(spread->questions, &spread->time);
    if (spread->open || batch_open(workers, 0))
        batch_submit(workers, false);
    producer_hand_over(&spread->rows);
    room_for_more(workers); /* the read under way goes on */
}

/* ---- inputs ---- */

void workers_begin_input(struct workers *workers, uint32_t input, const struct vantage *vantage,
                         struct capture *capture)
{
    struct spread *spread = &workers->spread;
    spread->capture = capture;
    if (workers->alone) {
        probe_begin_input(workers->alone, input, vantage);
        return;
    }
    pass_time_begin(&spread->time);
    spread->current = spread->buffer_count;
    spread->current_used = false;
    capture_use_buffers(capture, fresh_buffer, workers);
    rows_begin(workers);
    probe_begin_input(spread->questions, input, vantage);
    for (unsigned i = 0; i < workers->count; i++)
        probe_begin_input(workers->workers[i].probe, input, vantage);
}

static int flush_counts(struct workers *workers, struct dl_error *error)
{
    struct probe *questions = workers->spread.questions;
    for (unsigned i = 0; i < workers->count; i++)
        probe_absorb_counts(questions, workers->workers[i].probe);
    return probe_flush_counts(questions, error);
}

int workers_end_input(struct workers *workers, struct dl_error *error)
{
    struct spread *spread = &workers->spread;
    if (workers->alone)
        return probe_end_input(workers->alone, error);
    if (!spread->open)
        batch_open(workers, -1);
    batch_submit(workers, true);
    probe_pass(spread->questions, &spread->time);
    probe_end_input(spread->questions, NULL);
    producer_hand_over(&spread->rows);
    await_done(workers, workers->submitted, -1);
    spread->current = spread->buffer_count;
    int status = rows_drain(workers, error);
    return status == DL_OK ? flush_counts(workers, error) : status;
}

/* ---- life ---- */

static int ring_init(struct workers *workers)
{
    workers->ring = calloc(workers->ring_size, sizeof(*workers->ring));
    for (uint32_t i = 0; workers->ring && i < workers->ring_size; i++) {
        struct batch *batch = &workers->ring[i];
        batch->items = malloc(BATCH_PACKETS * sizeof(*batch->items));
        batch->passed_us = malloc(BATCH_PACKETS * sizeof(*batch->passed_us));
        batch->names = malloc(BATCH_NAMES * sizeof(*batch->names));
        batch->extra = malloc(BATCH_EXTRA);
        batch->shares = calloc(workers->count, sizeof(*batch->shares));
        batch->share_counts = calloc(workers->count, sizeof(*batch->share_counts));
        for (unsigned w = 0; batch->shares && w < workers->count; w++)
            if (!(batch->shares[w] = malloc(BATCH_PACKETS * sizeof(**batch->shares))))
                return -ENOMEM;
        if (!batch->items || !batch->passed_us || !batch->names || !batch->extra ||
            !batch->shares || !batch->share_counts)
            return -ENOMEM;
    }
    return workers->ring ? DL_OK : -ENOMEM;
}

static void ring_finish(struct workers *workers)
{
    for (uint32_t i = 0; workers->ring && i < workers->ring_size; i++) {
        struct batch *batch = &workers->ring[i];
        for (unsigned w = 0; batch->shares && w < workers->count; w++)
            free(batch->shares[w]);
        free(batch->items);
        free(batch->passed_us);
        free(batch->names);
        free(batch->extra);
        free(batch->shares);
        free(batch->share_counts);
    }
    free(workers->ring);
}

int spread_init(struct workers *workers, const struct workers_room *room, struct dl_error *error)
{
    struct spread *spread = &workers->spread;
    struct probe_options options = workers->options.probe;
    spread->buffer_count = room->buffers;
    workers->ring_size = room->batches;
    spread->current = spread->buffer_count;
    spread->buffers = calloc(spread->buffer_count, sizeof(*spread->buffers));
    spread->spare = aligned_alloc(PAGE, CAPTURE_BUFFER_BYTES);
    int status = spread->buffers && spread->spare ? ring_init(workers) : -ENOMEM;
    for (uint32_t i = 0; status == DL_OK && i < spread->buffer_count; i++)
        if (!(spread->buffers[i].bytes = aligned_alloc(PAGE, CAPTURE_BUFFER_BYTES)))
            status = -ENOMEM; /* touched only as far as it is used */
    if (status == DL_OK)
        status = hash_key_random(&spread->key);
    if (status == DL_OK)
        status = decoder_create(&spread->decoder);
    if (status != DL_OK)
        return dl_error_set(error, status, "no memory for the workers");
    spread->rows.workers = workers;
    spread->part = (struct probe_part){PART_QUESTIONS, on_name, workers};
    options.part = &spread->part;
    options.memory = room->questions;
    worker_options(workers, &options, workers->count, &spread->rows);
    return probe_create(&spread->questions, &options, error);
}

void spread_finish(struct workers *workers)
{
    struct spread *spread = &workers->spread;
    ring_finish(workers);
    for (uint32_t i = 0; spread->buffers && i < spread->buffer_count; i++)
        free(spread->buffers[i].bytes);
    free(spread->buffers);
    free(spread->spare);
    free(spread->rows.block);
    decoder_destroy(spread->decoder);
    probe_destroy(spread->questions);
}
