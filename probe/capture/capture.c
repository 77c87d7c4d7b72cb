// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "probe/capture/filter.h"
#include "probe/capture/format.h"
#include "probe/capture/reader.h"

#define KIND_SIZE 24

/* The formats of files; each tells by content whether it is meant. */
static const struct capture_format *const file_formats[] = {
    &capture_format_pcap,
    &capture_format_pcapng,
};

struct capture {
    const struct capture_format *format;
    void *state;
    struct reader *reader; /* NULL for an interface */
    struct filter *filter; /* NULL for none, and for an interface: the kernel filters */
    struct capture_stats stats;
    bool ended;
    char kind[KIND_SIZE];
};

static const struct capture_format *find_format(struct reader *reader)
{
    const struct capture_format *found = NULL;
    (void)reader_fill(reader, FORMAT_HEAD);
    for (size_t i = 0; i < ARRAY_LENGTH(file_formats) && !found; i++) {
        if (file_formats[i]->recognise(reader_cursor(reader))) {
            found = file_formats[i];
        }
    }
    return found;
}

static void set_kind(struct capture *capture)
{
    const char *packing = capture->reader ? reader_packing(capture->reader) : NULL;
    snprintf(capture->kind, sizeof(capture->kind), "%s%s%s", capture->format->name,
             packing ? "+" : "", packing ? packing : "");
}

static int open_format(struct capture *capture, struct dl_error *error)
{
    struct reader *reader = capture->reader;
    int status;
    capture->format = find_format(reader);
    if (capture->format) {
        set_kind(capture);
        status = capture->format->open(&capture->state, reader, error);
    } else if (reader->status != DL_OK && reader->status != DL_END &&
               reader_left(reader) < FORMAT_HEAD) {
        status = reader_report(reader, 0, "file header", error);
    } else {
        status = dl_error_set(error, DL_UNKNOWN_FORMAT, "%s: not a pcap or pcapng capture",
                              reader->name);
    }
    return status;
}

int capture_open_file(struct capture **ret_capture, const char *path, const char *filter,
                      struct dl_error *error)
{
    struct capture *capture = calloc(1, sizeof(*capture));
    if (!capture) {
        return dl_error_set(error, -ENOMEM, "%s: %s", path, dl_strerror(-ENOMEM));
    }
    int status = filter ? filter_create(&capture->filter, filter, error) : DL_OK;
    if (status == DL_OK) {
        status = reader_open(&capture->reader, path, error);
    }
    if (status == DL_OK) {
        status = open_format(capture, error);
    }
    if (status == DL_OK) {
        *ret_capture = capture;
    } else {
        capture_close(capture);
    }
    return status;
}

int capture_open_live(struct capture **ret_capture, const char *interface,
                      const struct capture_live_options *options, struct dl_error *error)
{
    static const struct capture_live_options defaults;
    struct capture *capture = calloc(1, sizeof(*capture));
    if (!capture) {
        return dl_error_set(error, -ENOMEM, "%s: %s", interface, dl_strerror(-ENOMEM));
    }
    capture->format = &capture_format_live;
    set_kind(capture);
    int status = live_open(&capture->state, interface, options ? options : &defaults, error);
    if (status == DL_OK) {
        *ret_capture = capture;
    } else {
        capture_close(capture);
    }
    return status;
}

void capture_on_idle(struct capture *capture, capture_idle_fn idle, void *context)
{
    if (capture->reader) {
        capture->reader->idle = idle;
        capture->reader->idle_context = context;
    }
}

void capture_use_buffers(struct capture *capture, capture_fresh_fn fresh, void *context)
{
    if (capture->reader) {
        capture->reader->fresh = fresh;
        capture->reader->fresh_context = context;
    } else {
        live_use_buffers(capture->state, fresh, context);
    }
}

/* Counts the frames that go out, and closes the gaps that the filter made. Returns how many are
 * left. */
static size_t account(struct capture *capture, struct frame *frames, size_t count)
{
    struct capture_stats *stats = &capture->stats;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (capture->filter && !filter_match(capture->filter, &frames[i])) {
            continue;
        }
        int64_t time_us = frames[i].time_us;
        stats->first_us = stats->packets == 0 ? time_us : MIN_OF(stats->first_us, time_us);
        stats->last_us = stats->packets == 0 ? time_us : MAX_OF(stats->last_us, time_us);
        stats->packets++;
        stats->bytes += frames[i].length;
        if (kept != i) {
            frames[kept] = frames[i];
        }
        kept++;
    }
    return kept;
}

int capture_read(struct capture *capture, struct frame *frames, size_t maximum, int timeout_ms,
                 size_t *ret_count, struct dl_error *error)
{
    size_t count = 0;
    int status = DL_OK;
    if (maximum == 0) {
        return dl_error_set(error, DL_USAGE, "no room for a single frame");
    }
    if (capture->ended) {
        return DL_END;
    }
    while (status == DL_OK && count == 0) {
        status = capture->format->read(capture->state, frames, maximum, timeout_ms, &count, error);
        if (status == DL_OK) {
            count = account(capture, frames, count);
        }
    }
    if (status == DL_OK) {
        *ret_count = count;
    } else if (status != DL_AGAIN) {
        capture->ended = true;
    }
    return status;
}

int capture_stop(struct capture *capture, struct dl_error *error)
{
    return capture->reader ? DL_OK : live_stop(capture->state, error);
}

void capture_get_stats(struct capture *capture, struct capture_stats *ret_stats)
{
    *ret_stats = capture->stats;
    if (capture->reader) {
        ret_stats->file_offset = reader_file_offset(capture->reader);
        ret_stats->file_size = capture->reader->size;
    }
    if (capture->format->get_stats) {
        capture->format->get_stats(capture->state, ret_stats);
    }
}

const char *capture_kind(const struct capture *capture)
{
    return capture->kind;
}

bool capture_is_live(const struct capture *capture)
{
    return capture->reader == NULL;
}

void capture_close(struct capture *capture)
{
    if (!capture) {
        return;
    }
    if (capture->format) {
        capture->format->close(capture->state);
    }
    filter_destroy(capture->filter);
    reader_close(capture->reader);
    free(capture);
}
