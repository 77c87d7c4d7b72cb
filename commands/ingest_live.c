// SPDX-License-Identifier: GPL-3.0-or-later
/* Watching an interface. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/timex.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "commands/ingest_internal.h"
#include "commands/privilege.h"

#define DRAIN_WAIT_MS     50 /* more than the kernel keeps a block that is not full */
#define DRAIN_US          CLOCK_SECOND_US
#define LIVE_WAIT_MS      200
#define COVERAGE_EVERY_US (60 * CLOCK_SECOND_US)
#define COVERAGE_AGAIN_US (5 * CLOCK_SECOND_US)
#define LINK_EVERY_US     (CLOCK_SECOND_US / 2)

static enum clock_state clock_state_now(void)
{
    struct timex timex = {0};
    int state = adjtimex(&timex);
    return state == -1                                          ? CLOCK_UNKNOWN
           : state == TIME_ERROR || (timex.status & STA_UNSYNC) ? CLOCK_UNSYNCHRONISED
                                                                : CLOCK_SYNCHRONISED;
}

struct live_run {
    struct capture *capture;
    struct input_record record;
    int64_t coverage_from_us, coverage_due_us, link_due_us;
    uint64_t coverage_packets, coverage_lost;
    bool link_up;
};

/* What the writer stores of a span, and of the input by then. */
struct coverage_note {
    struct coverage_record coverage;
    struct input_record record;
};
_Static_assert(sizeof(struct coverage_note) <= WORKERS_CALL_MAX, "the writer is given a copy");

static int coverage_store(void *context, const void *bytes, struct dl_error *error)
{
    struct ingest *ingest = context;
    const struct coverage_note *note = bytes;
    int status = store_put_coverage(ingest->store, &note->coverage, error);
    return status == DL_OK ? store_update_input(ingest->store, &note->record, error) : status;
}

/* Ends a span of coverage. Where the writer has no room for it, the span goes on. */
static int coverage_put(struct ingest *ingest, struct live_run *run, int64_t now,
                        struct dl_error *error)
{
    struct capture_stats stats;
    capture_get_stats(run->capture, &stats);
    uint64_t lost = ingest_lost(ingest, &stats);
    ingest_record_update(ingest, &run->record, &stats);
    struct coverage_note note = {.coverage = {.input = run->record.number,
                                              .from_us = run->coverage_from_us,
                                              .to_us = now,
                                              .link_up = run->link_up,
                                              .packets = stats.packets - run->coverage_packets,
                                              .lost = lost - run->coverage_lost},
                                 .record = run->record};
    int status = workers_call(ingest->workers, coverage_store, &note, sizeof(note), error);
    if (status == DL_AGAIN) {
        run->coverage_due_us = now + COVERAGE_AGAIN_US;
        return DL_OK;
    }
    run->coverage_packets = stats.packets;
    run->coverage_lost = lost;
    run->link_up = stats.link_up;
    run->coverage_from_us = now;
    run->coverage_due_us = now + COVERAGE_EVERY_US;
    return status;
}

static void live_progress(struct ingest *ingest, struct live_run *run, int64_t now)
{
    struct capture_stats stats;
    struct workers_stats workers;
    if (now - ingest->progress_us < CLOCK_SECOND_US || !log_progress_wanted())
        return;
    ingest->progress_us = now;
    capture_get_stats(run->capture, &stats);
    workers_get_stats(ingest->workers, &workers);
    log_progress("%s: %" PRIu64 " packets, %" PRIu64 " lost, %u flows now, %" PRIu64 " stored",
                 run->record.path, stats.packets, ingest_lost(ingest, &stats),
                 workers.probe.flows_now, workers.probe.stored);
}

/* Where the link goes down or comes up a span of coverage ends: nothing can be known while it is
 * down. */
static bool link_changed(struct live_run *run, int64_t now)
{
    struct capture_stats stats;
    if (now < run->link_due_us)
        return false;
    run->link_due_us = now + LINK_EVERY_US;
    capture_get_stats(run->capture, &stats);
    return stats.link_up != run->link_up;
}

/* What the kernel still has for us, at the end. */
static int drain(struct ingest *ingest, bool *ret_store_failed, struct dl_error *error)
{
    int64_t until_us = clock_monotonic_us() + DRAIN_US;
    int status = DL_OK;
    while (status == DL_OK && clock_monotonic_us() < until_us)
        status =
            workers_read(ingest->workers, DRAIN_WAIT_MS, clock_now_us(), ret_store_failed, error);
    return status == DL_AGAIN ? DL_OK : status;
}

static int live_loop(struct ingest *ingest, struct live_run *run, struct dl_error *error)
{
    bool store_failed = false;
    int status = DL_OK;
    while (status == DL_OK && !ingest_stop_wanted) {
        int64_t now = clock_now_us();
        status = workers_read(ingest->workers, LIVE_WAIT_MS, now, &store_failed, error);
        if (status == DL_AGAIN)
            status = DL_OK;
        if (status == DL_OK && (now >= run->coverage_due_us || link_changed(run, now)))
            status = coverage_put(ingest, run, now, error);
        live_progress(ingest, run, now);
    }
    if (status == DL_OK)
        status = drain(ingest, &store_failed, error);
    ingest->broken |= store_failed;
    return status;
}

int ingest_live(struct ingest *ingest, const struct live_options *options)
{
    struct dl_error error = {0};
    struct live_run run = {0};
    struct capture_stats stats;
    struct vantage_draft draft;
    const struct capture_live_options capture_options = {
        .filter = ingest->options->filter,
        .buffer_bytes = (uint32_t)MIN_OF(options->buffer_bytes, UINT32_MAX / 2),
        .promiscuous = options->promiscuous};
    int status = capture_open_live(&run.capture, options->interface, &capture_options, &error);
    if (status == DL_OK)
        status = privilege_drop(options->user, ingest->store_path,
                                ingest->key ? ingest->key_path : NULL, &error);
    if (status == DL_OK)
        status = ingest_start(ingest, &error);
    if (status != DL_OK) {
        log_error("%s", dl_error_text(&error, status));
        ingest->result.failed++;
        goto done;
    }
    ingest_draft(ingest, NULL, &draft);
    if (!(draft.set & VANTAGE_CLOCK)) {
        draft.vantage.clock = clock_state_now();
        draft.set |= VANTAGE_CLOCK;
    }
    snprintf(run.record.path, sizeof(run.record.path), "live:%s", options->interface);
    status = ingest_begin_input(ingest, &run.record, &draft, run.capture, &error);
    if (ingest_store_failed(ingest, status, &error))
        goto done;
    capture_get_stats(run.capture, &stats);
    run.link_up = stats.link_up;
    run.coverage_from_us = clock_now_us();
    run.coverage_due_us = run.coverage_from_us + COVERAGE_EVERY_US;
    log_info("watching %s; Ctrl-C ends it", options->interface);
    status = live_loop(ingest, &run, &error);
    log_progress_end();
    if (status != DL_OK) {
        log_error("%s", dl_error_text(&error, status));
        ingest->result.damaged++;
    }
    if (!ingest->broken && coverage_put(ingest, &run, clock_now_us(), &error) != DL_OK)
        ingest->broken = true;
    run.record.complete = true;
    run.record.status = status;
    ingest_finish_input(ingest, run.capture, &run.record, &draft, false);
    ingest->result.inputs++;
done:
    capture_close(run.capture);
    return status;
}
