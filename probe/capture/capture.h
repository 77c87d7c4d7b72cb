// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Frames from files and interfaces.
 *
 * One handle for every source: pcap and pcapng files by our own reader (libpcap 1.10.3 gives up on
 * a pcapng of two link types), either of them gzip or zstd compressed (told by content, never by
 * name), standard input, or an interface through libpcap (TPACKET_V3). Frames come in batches and
 * point into the handle's own block buffer: they are valid until the next capture_read() or
 * capture_close(). Constant memory whatever the file's size.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define CAPTURE_BATCH     256
#define CAPTURE_FRAME_MAX (256u * 1024u) /* a longer record is taken for damage */

struct frame {
    const uint8_t *data;
    uint32_t captured; /* bytes at hand */
    uint32_t length;   /* bytes on the wire; at least `captured` */
    int64_t time_us;
    uint64_t number;    /* 1-based within the input */
    uint32_t link_type; /* LINKTYPE_ of tcpdump.org/linktypes.html */
};

struct capture;

#define CAPTURE_IDLE_MS 250
/* Called while nothing comes; false ends the reading. */
typedef bool (*capture_idle_fn)(void *context);

struct capture_live_options {
    const char *filter;    /* BPF text or NULL */
    uint32_t buffer_bytes; /* kernel ring; 0 for the default of 64 MiB */
    uint32_t snap_length;  /* 0 for 65535 */
    bool promiscuous;
};

struct capture_stats {
    uint64_t packets, bytes;    /* frames given out and their wire bytes */
    uint64_t kernel_dropped;    /* live: by the kernel, of packets that passed the filter */
    uint64_t interface_dropped; /* live: by the interface; pcapng: isb_ifdrop */
    uint64_t file_dropped;      /* pcapng statistics blocks: isb_osdrop + isb_ifdrop, last of each
                                   interface */
    uint64_t blocks_skipped;    /* pcapng blocks of kinds we do not read */
    uint64_t file_offset;       /* bytes consumed of the file as it lies on disk (for progress) */
    uint64_t file_size;         /* 0 where unknown (a pipe, an interface) */
    int64_t first_us, last_us;  /* least and greatest time of the frames given out; 0 when none */
    bool link_up;               /* live: is the interface up now */
};

/*
 * Opens a capture file; "-" is standard input. The content decides the format. DL_EMPTY for an
 * empty file, DL_UNKNOWN_FORMAT for something that is no capture, DL_TRUNCATED where not even the
 * header is whole, a negated errno; `error` names the file. `filter` (may be NULL) is a BPF
 * expression applied to frames, per link type; DL_USAGE where it does not compile.
 */
int capture_open_file(struct capture **ret_capture, const char *path, const char *filter,
                      struct dl_error *error);

/* Opens an interface. -EPERM / -EACCES where the privilege is missing, DL_USAGE for a bad filter,
 * DL_NOT_FOUND for no such interface. */
int capture_open_live(struct capture **ret_capture, const char *interface,
                      const struct capture_live_options *options, struct dl_error *error);

/*
 * For pipes, which may be silent for long: `idle` is called every CAPTURE_IDLE_MS of it, and where
 * it says false the read under way ends with -EINTR. Without it reading waits as long as it takes;
 * a signal that is caught ends the wait in either case.
 */
void capture_on_idle(struct capture *capture, capture_idle_fn idle, void *context);

/*
 * Frames that stay: whenever bytes are read anew, `fresh` says into which buffer (CAPTURE_BUFFER_BYTES,
 * aligned to a page, of the caller, who keeps it until after capture_close() or the next call of `fresh`).
 * The frames of one capture_read() lie in the buffer given out last before it returned, or where none was
 * given out yet, in the handle's own; none of these is written to again. `fresh` may give the last buffer
 * again where no frame in it is needed any more.
 */
#define CAPTURE_BUFFER_BYTES (2u * (CAPTURE_FRAME_MAX + 64u * 1024u) + 256u * 1024u)
typedef uint8_t *(*capture_fresh_fn)(void *context);
void capture_use_buffers(struct capture *capture, capture_fresh_fn fresh, void *context);

/*
 * Up to `maximum` frames. DL_OK with at least one; DL_AGAIN (live only) when `timeout_ms` passed
 * without any; DL_END at the end. Where a file is damaged, every whole frame before the damage is
 * given out first, then DL_TRUNCATED or DL_MALFORMED once (the error names file, offset and what is
 * wrong there), then DL_END. A damaged pcapng block of known length is skipped over where that is
 * safe. Time stamps are never made up: a frame without one (Simple Packet Block) gets the last
 * one's.
 */
int capture_read(struct capture *capture, struct frame *frames, size_t maximum, int timeout_ms,
                 size_t *ret_count, struct dl_error *error);

/* Live: nothing that comes from now on is taken; what was taken before can still be read, until DL_AGAIN.
 * A negated errno where the kernel refuses. Nothing to do for files. */
int capture_stop(struct capture *capture, struct dl_error *error);

/* Counters so far. For live captures it asks the kernel: not per packet. */
void capture_get_stats(struct capture *capture, struct capture_stats *ret_stats);
/* "pcap", "pcapng", "pcap+gzip", "pcapng+zstd", "live" ... */
const char *capture_kind(const struct capture *capture);
bool capture_is_live(const struct capture *capture);
void capture_close(struct capture *capture); /* accepts NULL */
