// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What follows the recorded frames of a flow: data from the server, one acknowledgement for every
 * two packets of it, and over TCP the end. Frames are made on demand from the recorded ones, with
 * sequence numbers, timestamps, connection identifiers and checksums that go on from there.
 */
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/frames.h"

#define STREAM_TCP_DATA  1448u
#define STREAM_QUIC_DATA 1350u
#define STREAM_END       3u /* frames: FIN, FIN, ACK */

/* One side of a flow. Sequence numbers are where its recorded bytes ended. */
struct stream_side {
    const struct bench_frame *header; /* a frame of this side, whose headers are taken */
    uint32_t sequence, timestamp;
    uint8_t cid[20]; /* what this side calls its QUIC connection */
    uint8_t cid_size;
};

struct stream {
    bool tcp;
    struct stream_side up, down;
};

/* Learns both sides from a flow's plain frames, which must outlive the stream. False if one is missing. */
bool stream_init(struct stream *stream, const struct bench_frame *frames, unsigned count,
                 const uint8_t client[4]);
/*
 * Builds frame `index` of `extra` generated ones (STREAM_END more over TCP), `after_us` behind the
 * recorded ones, into a buffer of at least 2048 bytes. Returns its size.
 */
uint32_t stream_build(const struct stream *stream, uint32_t index, uint32_t extra, int64_t after_us,
                      uint8_t *bytes);
