// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Capture files made by hand, in a folder that goes away with the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <dirent.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/status.h"
#include "probe/capture/capture.h"

#define FILE_MAX (64u * 1024u * 1024u)

struct folder {
    char path[64];
};

static inline int folder_setup(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    assert_non_null(folder);
    strcpy(folder->path, "/tmp/darkline-test-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    *state = folder;
    return 0;
}

static inline void folder_remove(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char *name = NULL;
        assert_true(asprintf(&name, "%s/%s", path, entry->d_name) > 0);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(name) != 0) {
            folder_remove(name);
        }
        free(name);
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(path);
}

static inline int folder_teardown(void **state)
{
    struct folder *folder = *state;
    folder_remove(folder->path);
    free(folder);
    return 0;
}

/* The path of a file in the folder; the text is overwritten by the next call but three. */
static inline const char *folder_file(void **state, const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", ((struct folder *)*state)->path, name);
    return path;
}

static inline const char *write_file(void **state, const char *name, const void *bytes,
                                     size_t length)
{
    const char *path = folder_file(state, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline void put_u16(struct buffer *b, uint16_t value, bool big)
{
    buffer_append_u16(b, big ? value : __builtin_bswap16(value));
}

static inline void put_u32(struct buffer *b, uint32_t value, bool big)
{
    buffer_append_u32(b, big ? value : __builtin_bswap32(value));
}

static inline void put_u64(struct buffer *b, uint64_t value, bool big)
{
    buffer_append_u64(b, big ? value : __builtin_bswap64(value));
}

static inline void put_bytes(struct buffer *b, size_t length, uint8_t first)
{
    for (size_t i = 0; i < length; i++) {
        buffer_append_u8(b, (uint8_t)(first + i));
    }
}

static inline void pcap_header(struct buffer *b, uint32_t magic, uint32_t link_type, bool big)
{
    put_u32(b, magic, big);
    put_u16(b, 2, big);
    put_u16(b, 4, big);
    put_u64(b, 0, big);
    put_u32(b, 65535, big);
    put_u32(b, link_type, big);
}

static inline void pcap_record(struct buffer *b, uint32_t seconds, uint32_t fraction,
                               uint32_t captured, uint32_t length, bool big)
{
    put_u32(b, seconds, big);
    put_u32(b, fraction, big);
    put_u32(b, captured, big);
    put_u32(b, length, big);
    put_bytes(b, captured, (uint8_t)seconds);
}

/* A pcap file of `count` records with 60 + number bytes. */
static inline void pcap_simple(struct buffer *b, unsigned count)
{
    pcap_header(b, 0xa1b2c3d4, 1, false);
    for (unsigned i = 1; i <= count; i++) {
        pcap_record(b, 1000 + i, i, 60 + i % 1000, 60 + i % 1000, false);
    }
}

/* What comes of a file that is read to its end. */
struct reading {
    int opened;      /* status of opening */
    int status;      /* of the error, DL_OK for none */
    unsigned errors; /* how many there were */
    uint64_t frames;
    struct frame first, last; /* without their bytes */
    struct capture_stats stats;
    char kind[32];
    char message[DL_ERROR_SIZE];
};

static inline struct reading read_filtered(const char *path, const char *filter, size_t maximum)
{
    struct reading o = {0};
    struct capture *capture = NULL;
    struct dl_error error = {0};
    struct frame frames[CAPTURE_BATCH];
    o.opened = capture_open_file(&capture, path, filter, &error);
    while (o.opened == DL_OK) {
        size_t count = 0;
        int status = capture_read(capture, frames, maximum, 0, &count, &error);
        if (status == DL_END) {
            /* and it stays so */
            assert_int_equal(capture_read(capture, frames, maximum, 0, &count, &error), DL_END);
            break;
        }
        if (status != DL_OK) {
            o.status = status;
            o.errors++;
            continue;
        }
        assert_in_range(count, 1, maximum);
        unsigned sum = 0;
        for (size_t i = 0; i < count; i++) {
            for (uint32_t n = 0; n < frames[i].captured; n++) {
                sum += frames[i].data[n]; /* is it there? */
            }
            assert_true(frames[i].length >= frames[i].captured);
        }
        assert_true(sum < UINT32_MAX);
        o.first = o.frames == 0 ? frames[0] : o.first;
        o.last = frames[count - 1];
        o.frames += count;
    }
    if (o.opened == DL_OK) {
        capture_get_stats(capture, &o.stats);
        snprintf(o.kind, sizeof(o.kind), "%s", capture_kind(capture));
        assert_false(capture_is_live(capture));
        assert_int_equal(o.stats.packets, o.frames);
        capture_close(capture);
    }
    snprintf(o.message, sizeof(o.message), "%s", error.message);
    return o;
}

static inline struct reading read_all(const char *path)
{
    return read_filtered(path, NULL, CAPTURE_BATCH);
}
