// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/capture/unpack.h"

#include <errno.h>
#include <stdlib.h>

#include <zlib.h>
#include <zstd.h>

#include "base/array.h"
#include "base/status.h"

#define GZIP_WINDOW (15 + 16) /* zlib: the largest window, gzip's header only */

struct gzip {
    z_stream stream;
    bool between; /* after a member's end: another may follow */
    bool later;   /* not in the first member */
};

static void *gzip_create(void)
{
    struct gzip *gzip = calloc(1, sizeof(*gzip));
    if (gzip && inflateInit2(&gzip->stream, GZIP_WINDOW) != Z_OK) {
        free(gzip);
        gzip = NULL;
    }
    return gzip;
}

static int gzip_step(void *state, struct cursor *packed, uint8_t *out, size_t room,
                     size_t *ret_length)
{
    struct gzip *gzip = state;
    z_stream *z = &gzip->stream;
    *ret_length = 0;
    if (gzip->between) {
        if (cursor_left(packed) == 0) {
            return DL_OK;
        }
        inflateReset(z);
        gzip->between = false;
        gzip->later = true;
    }
    z->next_in = (z_const Bytef *)packed->at;
    z->avail_in = (uInt)cursor_left(packed);
    z->next_out = out;
    z->avail_out = (uInt)room;
    int result = inflate(z, Z_NO_FLUSH);
    cursor_skip(packed, cursor_left(packed) - z->avail_in);
    *ret_length = room - z->avail_out;
    gzip->between = result == Z_STREAM_END;
    if (result == Z_STREAM_END || result == Z_OK || result == Z_BUF_ERROR) {
        return DL_OK;
    }
    if (result == Z_MEM_ERROR) {
        return -ENOMEM;
    }
    /* Padding after the last member is passed over, as gzip does. */
    return gzip->later && z->total_out == 0 ? DL_END : DL_MALFORMED;
}

static bool gzip_whole(const void *state)
{
    return ((const struct gzip *)state)->between;
}

static void gzip_destroy(void *state)
{
    struct gzip *gzip = state;
    if (gzip) {
        inflateEnd(&gzip->stream);
        free(gzip);
    }
}

struct zstd {
    ZSTD_DStream *stream;
    bool whole;
};

static void *zstd_create(void)
{
    struct zstd *zstd = calloc(1, sizeof(*zstd));
    if (zstd) {
        zstd->stream = ZSTD_createDStream();
        if (!zstd->stream) {
            free(zstd);
            zstd = NULL;
        }
    }
    return zstd;
}

static int zstd_step(void *state, struct cursor *packed, uint8_t *out, size_t room,
                     size_t *ret_length)
{
    struct zstd *zstd = state;
    *ret_length = 0;
    if (zstd->whole && cursor_left(packed) == 0) {
        return DL_OK; /* asking would begin a new frame */
    }
    ZSTD_inBuffer in = {packed->at, cursor_left(packed), 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t result = ZSTD_decompressStream(zstd->stream, &to, &in);
    cursor_skip(packed, in.pos);
    *ret_length = to.pos;
    zstd->whole = result == 0;
    return ZSTD_isError(result) ? DL_MALFORMED : DL_OK;
}

static bool zstd_whole(const void *state)
{
    return ((const struct zstd *)state)->whole;
}

static void zstd_destroy(void *state)
{
    struct zstd *zstd = state;
    if (zstd) {
        ZSTD_freeDStream(zstd->stream);
        free(zstd);
    }
}

static const struct unpacker unpackers[] = {
    {"gzip", {0x1f, 0x8b, 0x08}, 3, gzip_create, gzip_step, gzip_whole, gzip_destroy},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, zstd_create, zstd_step, zstd_whole, zstd_destroy},
};

const struct unpacker *unpacker_find(struct cursor head)
{
    const struct unpacker *found = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(unpackers) && !found; i++) {
        if (cursor_starts_with(&head, unpackers[i].magic, unpackers[i].magic_length)) {
            found = &unpackers[i];
        }
    }
    return found;
}
