// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What a kind of input implements. To add a file format, write one file with its struct and add one
 * line to the table in capture.c.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/status.h"
#include "probe/capture/capture.h"
#include "probe/capture/reader.h"

#define FORMAT_HEAD 12u /* bytes that `recognise` is shown, fewer where the file is shorter */

struct capture_format {
    const char *name;
    /* Does a file that begins so have this format? Files only. */
    bool (*recognise)(struct cursor head);
    /* Reads the header. The state keeps `reader` but does not own it. Files only. */
    int (*open)(void **ret_state, struct reader *reader, struct dl_error *error);
    /* As capture_read(), with `time_us`, `length` and `number` filled. After an error it is not
     * called again. */
    int (*read)(void *state, struct frame *frames, size_t maximum, int timeout_ms,
                size_t *ret_count, struct dl_error *error);
    /* Adds what only the format knows; may be NULL. */
    void (*get_stats)(void *state, struct capture_stats *stats);
    void (*close)(void *state); /* accepts NULL */
};

extern const struct capture_format capture_format_pcap;
extern const struct capture_format capture_format_pcapng;
extern const struct capture_format capture_format_live;

/* As capture_use_buffers(). */
void live_use_buffers(void *state, capture_fresh_fn fresh, void *context);
/* As capture_stop(). */
int live_stop(void *state, struct dl_error *error);
/* The state of capture_format_live. */
int live_open(void **ret_state, const char *interface, const struct capture_live_options *options,
              struct dl_error *error);
