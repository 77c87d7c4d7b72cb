// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/capture/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "probe/capture/unpack.h"

#define PACKED_BLOCK (64u * 1024u)
#define ALIGNMENT    4096u
/* The tail of a block goes right before the middle, the next block to the middle: always the same
 * aligned pages. */
#define MIDDLE      READER_NEED_MAX
#define BUFFER_SIZE (MIDDLE + READER_NEED_MAX + READER_BLOCK)
_Static_assert(BUFFER_SIZE == CAPTURE_BUFFER_BYTES, "others make buffers too");

/* Until a pipe has something to read (or an error that read() will tell): DL_OK, or -EINTR. */
static int wait_for_pipe(const struct reader *reader)
{
    struct pollfd pipe = {.fd = reader->fd, .events = POLLIN};
    while (reader->idle) {
        int result = poll(&pipe, 1, CAPTURE_IDLE_MS);
        if (result > 0 || (result < 0 && errno != EINTR)) {
            break;
        }
        if (!reader->idle(reader->idle_context)) {
            return -EINTR;
        }
    }
    return DL_OK;
}

/* read(), which signals disturb only where it waits; a negated errno. */
static ssize_t read_some(const struct reader *reader, void *bytes, size_t length)
{
    ssize_t got;
    if (!reader->regular && wait_for_pipe(reader) != DL_OK) {
        return -EINTR;
    }
    do {
        got = read(reader->fd, bytes, length);
    } while (got < 0 && errno == EINTR && reader->regular);
    return got < 0 ? -errno : got;
}

static size_t produce_plain(struct reader *reader, uint8_t *out, size_t room)
{
    ssize_t got = read_some(reader, out, room);
    if (got <= 0) {
        reader->status = got < 0 ? (int)got : DL_END;
        got = 0;
    }
    return (size_t)got;
}

/* More packed bytes, when all were used. */
static void refill_packed(struct reader *reader)
{
    if (reader->packed_end || cursor_left(&reader->packed) > 0) {
        return;
    }
    ssize_t got = read_some(reader, reader->packed_bytes, PACKED_BLOCK);
    if (got <= 0) {
        reader->packed_end = true;
        reader->status = got < 0 ? (int)got : DL_OK;
        got = 0;
    }
    reader->packed_read += (uint64_t)got;
    reader->packed = cursor_init(reader->packed_bytes, (size_t)got);
}

static size_t produce_unpacked(struct reader *reader, uint8_t *out, size_t room)
{
    const struct unpacker *unpacker = reader->unpacker;
    size_t length = 0;
    while (length == 0 && reader->status == DL_OK) {
        refill_packed(reader);
        if (reader->status != DL_OK) {
            break;
        }
        reader->status =
            unpacker->step(reader->unpacker_state, &reader->packed, out, room, &length);
        if (reader->status == DL_OK && length == 0 && reader->packed_end &&
            cursor_left(&reader->packed) == 0) {
            reader->status = unpacker->whole(reader->unpacker_state) ? DL_END : DL_TRUNCATED;
        }
    }
    return length;
}

bool reader_fill(struct reader *reader, size_t need)
{
    size_t left = reader_left(reader);
    if (left >= need) {
        return true;
    }
    if (need > READER_NEED_MAX || reader->status != DL_OK) {
        return false;
    }
    if (reader->fresh) {
        reader->buffer = reader->fresh(reader->fresh_context);
    }
    uint8_t *start = reader->buffer + MIDDLE - left;
    memmove(start, reader->at, left);
    uint8_t *end = start + left;
    while (left < need && reader->status == DL_OK) {
        size_t room = MIN_OF(READER_BLOCK, (size_t)(reader->buffer + BUFFER_SIZE - end));
        size_t got = reader->unpacker ? produce_unpacked(reader, end, room)
                                      : produce_plain(reader, end, room);
        end += got;
        left += got;
        reader->produced += got;
    }
    reader->at = start;
    reader->end = end;
    return left >= need;
}

bool reader_skip(struct reader *reader, uint64_t length)
{
    while (length > 0) {
        if (reader_left(reader) == 0 && !reader_fill(reader, 1)) {
            break;
        }
        size_t step = (size_t)MIN_OF(length, (uint64_t)reader_left(reader));
        reader_take(reader, step);
        length -= step;
    }
    return length == 0;
}

static int open_path(struct reader *reader, const char *path)
{
    struct stat st;
    reader->borrowed = strcmp(path, "-") == 0;
    reader->fd = reader->borrowed ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (reader->fd < 0 || fstat(reader->fd, &st) < 0) {
        return -errno;
    }
    if (S_ISDIR(st.st_mode)) {
        return -EISDIR;
    }
    if (S_ISREG(st.st_mode)) {
        reader->regular = true;
        reader->size = (uint64_t)st.st_size;
        (void)posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return DL_OK;
}

/* The plain bytes at hand turn out to be packed: they become the first packed block. */
static int begin_unpacking(struct reader *reader, const struct unpacker *unpacker)
{
    size_t length = reader_left(reader);
    reader->packed_bytes = malloc(PACKED_BLOCK);
    reader->unpacker_state = unpacker->create();
    reader->unpacker = unpacker;
    if (!reader->packed_bytes || !reader->unpacker_state) {
        return -ENOMEM;
    }
    memcpy(reader->packed_bytes, reader->at, length);
    reader->packed = cursor_init(reader->packed_bytes, length);
    reader->packed_read = length;
    reader->packed_end = reader->status == DL_END;
    reader->status = DL_OK;
    reader->produced = 0;
    reader->at = reader->end = reader->buffer + MIDDLE;
    return DL_OK;
}

/* The first bytes, read small so that they fit a packed block. */
static int begin(struct reader *reader)
{
    uint8_t *start = reader->buffer + MIDDLE;
    size_t length = 0, got;
    do {
        got = produce_plain(reader, start + length, PACKED_BLOCK - length);
        length += got;
    } while (got > 0 && length < sizeof(((struct unpacker *)0)->magic));
    if (reader->status != DL_OK && reader->status != DL_END) {
        return reader->status;
    }
    reader->at = start;
    reader->end = start + length;
    reader->produced = length;
    const struct unpacker *unpacker = unpacker_find(reader_cursor(reader));
    int status = unpacker ? begin_unpacking(reader, unpacker) : DL_OK;
    if (status == DL_OK && !reader_fill(reader, 1)) {
        status = reader->status == DL_END ? DL_EMPTY : reader->status;
    }
    return status;
}

int reader_open(struct reader **ret_reader, const char *path, struct dl_error *error)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    int status = -ENOMEM;
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        return dl_error_set(error, status, "%s: %s", name, dl_strerror(status));
    }
    reader->fd = -1;
    reader->name = strdup(name);
    reader->buffer = reader->own_buffer = aligned_alloc(ALIGNMENT, BUFFER_SIZE);
    if (reader->name && reader->buffer) {
        reader->at = reader->end = reader->buffer + MIDDLE;
        status = open_path(reader, path);
    }
    if (status == DL_OK) {
        status = begin(reader);
    }
    if (status == DL_OK) {
        *ret_reader = reader;
    } else {
        if (status == DL_EMPTY) {
            dl_error_set(error, status, "%s: the file is empty", name);
        } else if (status == DL_TRUNCATED || status == DL_MALFORMED) {
            reader_report(reader, 0, "file header", error);
        } else {
            dl_error_set(error, status, "%s: %s", name, dl_strerror(status));
        }
        reader_close(reader);
    }
    return status;
}

void reader_close(struct reader *reader)
{
    if (!reader) {
        return;
    }
    if (reader->unpacker) {
        reader->unpacker->destroy(reader->unpacker_state);
    }
    if (reader->fd >= 0 && !reader->borrowed) {
        close(reader->fd);
    }
    free(reader->packed_bytes);
    free(reader->own_buffer);
    free(reader->name);
    free(reader);
}

const char *reader_packing(const struct reader *reader)
{
    return reader->unpacker ? reader->unpacker->name : NULL;
}

uint64_t reader_file_offset(const struct reader *reader)
{
    return reader->unpacker ? reader->packed_read - cursor_left(&reader->packed)
                            : reader_position(reader);
}

int reader_report(const struct reader *reader, uint64_t position, const char *what,
                  struct dl_error *error)
{
    const char *packing = reader_packing(reader);
    int status = reader->status;
    if (status == DL_OK || status == DL_END) {
        status = dl_error_set(error, DL_TRUNCATED,
                              "%s: the file ends within the %s that begins at byte %" PRIu64 "%s",
                              reader->name, what, position, packing ? " of what is unpacked" : "");
    } else if (packing && (status == DL_TRUNCATED || status == DL_MALFORMED)) {
        status = dl_error_set(
            error, status,
            "%s: %s archive is %s at byte %" PRIu64 " (%" PRIu64 " bytes came out of it)",
            reader->name, packing, status == DL_TRUNCATED ? "truncated" : "damaged",
            reader_file_offset(reader), reader->produced);
    } else {
        status = dl_error_set(error, status, "%s: reading at byte %" PRIu64 ": %s", reader->name,
                              reader_file_offset(reader), dl_strerror(status));
    }
    return status;
}
