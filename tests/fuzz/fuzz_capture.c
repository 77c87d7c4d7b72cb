// SPDX-License-Identifier: GPL-3.0-or-later
/* The input is a capture file, of any format and packing. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/status.h"
#include "probe/capture/capture.h"

#define OUTPUT_MAX (16u * 1024u * 1024u) /* a small archive may unpack to very much */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Reads to the end; a frame that lies, or an end that is none, is a crash. */
static void read_capture(struct capture *capture)
{
    struct frame frames[CAPTURE_BATCH];
    struct capture_stats stats;
    struct dl_error error;
    size_t count = 0;
    uint64_t number = 0, total = 0;
    volatile uint8_t sink = 0;
    int status, errors = 0;
    while ((status = capture_read(capture, frames, CAPTURE_BATCH, 0, &count, &error)) != DL_END &&
           total < OUTPUT_MAX) {
        errors += status != DL_OK;
        if (errors > 1 || (status == DL_OK && (errors > 0 || count == 0))) {
            __builtin_trap();
        }
        for (size_t i = 0; status == DL_OK && i < count; i++) {
            const struct frame *frame = &frames[i];
            if (frame->number != ++number || frame->captured > frame->length ||
                frame->captured > CAPTURE_FRAME_MAX) {
                __builtin_trap();
            }
            for (uint32_t at = 0; at < frame->captured; at++) {
                sink = sink + frame->data[at];
            }
            total += frame->captured + 1u;
        }
    }
    capture_get_stats(capture, &stats);
    if (stats.packets != number || !capture_kind(capture)) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct capture *capture = NULL;
    struct dl_error error;
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, bytes, length) == (ssize_t)length) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        if (capture_open_file(&capture, path, NULL, &error) == DL_OK) {
            read_capture(capture);
            capture_close(capture);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return 0;
}
