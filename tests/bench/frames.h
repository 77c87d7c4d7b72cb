// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Ethernet frames in memory, and giving them other addresses. For the benchmark's composer only:
 * what it cannot do ends the program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_SIZE_MAX 262144u
#define FRAME_IP       14u /* offsets in an untagged Ethernet frame: its IPv4 header */
#define FRAME_SOURCE   26u /* the source address */
#define FRAME_PORTS    34u /* the TCP or UDP header of a plain frame */

struct bench_frame {
    int64_t time_us;
    uint64_t order; /* as read */
    uint32_t captured, length;
    uint8_t *bytes;
};

struct bench_frames {
    struct bench_frame *items;
    size_t count, capacity;
};

/* Big-endian numbers. */
uint16_t load_u16(const uint8_t *bytes);
uint32_t load_u32(const uint8_t *bytes);
void store_u16(uint8_t *bytes, uint16_t value);
void store_u32(uint8_t *bytes, uint32_t value);

void *allocate(size_t size);
void *reallocate(void *memory, size_t size);

/*
 * Appends the frames of a capture. False, and said so, where it is none or not of Ethernet; a
 * damaged end is cut off.
 */
bool frames_read(struct bench_frames *frames, const char *path);
/* Lets those from `first` on begin at 0, keeps their order, and cuts gaps to `gap_max_us`. */
void frames_rebase(struct bench_frames *frames, size_t first, int64_t gap_max_us);
void frames_finish(struct bench_frames *frames);

/* Is it TCP or UDP, whole, over IPv4 without options over untagged Ethernet? */
bool frame_is_plain(const struct bench_frame *frame);
/* Makes the checksums of a plain frame anew: sending kernels leave them to the network card. */
void frame_make_checksums(struct bench_frame *frame);
/*
 * The RST+ACK that the sender of this plain TCP frame might have sent instead. Its bytes are never
 * freed.
 */
struct bench_frame frame_reset(const struct bench_frame *frame);

/*
 * The copy's own flows: private addresses move to another of their block, and where both ends are
 * public the higher port moves. Copy 0 is as it was. Servers keep their addresses, so that answers
 * of DNS still lead to them. What is inside tunnels stays.
 */
void frame_shift(uint8_t *bytes, size_t size, unsigned copy);
/* A plain frame's client (who was `old_client`) becomes client:port; a DNS message gets an id. */
void frame_readdress(uint8_t *bytes, size_t size, const uint8_t old_client[4], uint32_t client,
                     uint16_t port, uint16_t dns_id);
