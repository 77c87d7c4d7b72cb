// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The bytes of a capture file, unpacked, through one buffer of constant size.
 *
 * `at` to `end` is what is at hand; reader_cursor() reads it and reader_take() moves on. Only
 * reader_fill() and reader_skip() move bytes within the buffer: views into it stay valid until
 * then.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/status.h"
#include "probe/capture/capture.h"

#define READER_BLOCK    (256u * 1024u) /* one read(): fits the second-level cache */
#define READER_NEED_MAX (CAPTURE_FRAME_MAX + 64u * 1024u)

struct unpacker;

struct reader {
    const uint8_t *at, *end;

    /* reader.c's own */
    uint8_t *buffer;
    uint64_t produced; /* unpacked bytes so far, with those at hand */
    int status;        /* DL_OK while more may come, else why not */
    int fd;
    bool borrowed;        /* standard input is not ours to close */
    bool regular;         /* a file: reading it never waits */
    capture_idle_fn idle; /* may be NULL */
    void *idle_context;
    capture_fresh_fn fresh; /* where bytes go that are read anew; NULL: over the old ones */
    void *fresh_context;
    uint8_t *own_buffer;
    const struct unpacker *unpacker; /* NULL for plain files */
    void *unpacker_state;
    uint8_t *packed_bytes;
    struct cursor packed;
    uint64_t packed_read;
    bool packed_end;
    uint64_t size;
    char *name;
};

/* Opens and tells packed files by content. DL_EMPTY, a negated errno; `error` names the file. */
int reader_open(struct reader **ret_reader, const char *path, struct dl_error *error);
void reader_close(struct reader *reader); /* accepts NULL */

/* At least `need` bytes at hand (at most READER_NEED_MAX)? False where the file ends, or breaks,
 * before. */
bool reader_fill(struct reader *reader, size_t need);
/* Passes over `length` bytes, however many; false where there are fewer. */
bool reader_skip(struct reader *reader, uint64_t length);

/* "gzip", "zstd" or NULL. */
const char *reader_packing(const struct reader *reader);
/* Bytes of the file as it lies on disk that are used up. */
uint64_t reader_file_offset(const struct reader *reader);

/*
 * The error for a file that ends or breaks within `what`, which began at `position`: DL_TRUNCATED,
 * or what the archive or the system says. Returns the status.
 */
int reader_report(const struct reader *reader, uint64_t position, const char *what,
                  struct dl_error *error);

static inline size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline struct cursor reader_cursor(const struct reader *reader)
{
    return cursor_init(reader->at, reader_left(reader));
}

/* Moves past `length` bytes, which are at hand. */
static inline void reader_take(struct reader *reader, size_t length)
{
    reader->at += length;
}

/* Where `at` is in the unpacked file. */
static inline uint64_t reader_position(const struct reader *reader)
{
    return reader->produced - reader_left(reader);
}
