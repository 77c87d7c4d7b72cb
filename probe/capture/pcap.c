// SPDX-License-Identifier: GPL-3.0-or-later
/* pcap files: draft-ietf-opsawg-pcap, and Kuznetzov's variant with longer record headers. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "probe/capture/format.h"

#define FILE_HEADER     24u
#define RECORD_HEADER   16u
#define KUZNETZOV_EXTRA 8u          /* interface index, protocol, packet type, padding */
#define LINK_TYPE_MASK  0x03ffffffu /* above it: length of the frame check sequence */
#define MAJOR           2u
#define MAJOR_OLD_TRU64 543u

struct variant {
    uint32_t magic;
    uint8_t extra; /* bytes of the record header beyond the usual ones */
    bool nanoseconds;
};

static const struct variant variants[] = {
    {0xa1b2c3d4u, 0, false},
    {0xa1b23c4du, 0, true},
    {0xa1b2cd34u, KUZNETZOV_EXTRA, false},
};

struct pcap {
    struct reader *reader;
    uint64_t number;
    uint32_t link_type;
    uint32_t header_size;
    bool big_endian, nanoseconds;
    bool lengths_swapped, lengths_perhaps_swapped; /* versions before 2.3; 2.3 itself */
};

static uint32_t read_u32(struct cursor *c, bool big_endian)
{
    uint32_t value = cursor_le32(c);
    return big_endian ? __builtin_bswap32(value) : value;
}

static uint16_t read_u16(struct cursor *c, bool big_endian)
{
    uint16_t value = cursor_le16(c);
    return big_endian ? __builtin_bswap16(value) : value;
}

/* The variant of the magic that comes next, NULL for none. */
static const struct variant *read_magic(struct cursor *c, bool *ret_big_endian)
{
    uint32_t magic = cursor_le32(c);
    const struct variant *found = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(variants) && !found; i++) {
        if (magic == variants[i].magic || __builtin_bswap32(magic) == variants[i].magic) {
            found = &variants[i];
            *ret_big_endian = magic != variants[i].magic;
        }
    }
    return found;
}

static bool pcap_recognise(struct cursor head)
{
    bool big_endian;
    return read_magic(&head, &big_endian) != NULL;
}

static int pcap_open(void **ret_state, struct reader *reader, struct dl_error *error)
{
    bool big_endian = false;
    if (!reader_fill(reader, FILE_HEADER)) {
        return reader_report(reader, 0, "file header", error);
    }
    struct cursor c = reader_cursor(reader);
    const struct variant *variant = read_magic(&c, &big_endian);
    uint16_t major = read_u16(&c, big_endian);
    uint16_t minor = read_u16(&c, big_endian);
    cursor_skip(&c,
                12); /* time zone and accuracy, never used; the longest record: lies too often */
    uint32_t link_type = read_u32(&c, big_endian);
    if (!variant || (major != MAJOR && major != MAJOR_OLD_TRU64)) {
        return dl_error_set(error, DL_UNSUPPORTED, "%s: pcap of version %u.%u", reader->name, major,
                            minor);
    }
    struct pcap *pcap = calloc(1, sizeof(*pcap));
    if (!pcap) {
        return dl_error_set(error, -ENOMEM, "%s: %s", reader->name, dl_strerror(-ENOMEM));
    }
    *pcap = (struct pcap){
        .reader = reader,
        .link_type = link_type & LINK_TYPE_MASK,
        .header_size = RECORD_HEADER + variant->extra,
        .big_endian = big_endian,
        .nanoseconds = variant->nanoseconds,
        .lengths_swapped = major == MAJOR_OLD_TRU64 || minor < 3,
        .lengths_perhaps_swapped = major == MAJOR && minor == 3,
    };
    reader_take(reader, FILE_HEADER);
    *ret_state = pcap;
    return DL_OK;
}

/*
 * The next record, when it is at hand: moves `c` past it and returns 0. Otherwise how many bytes
 * must be at hand for more to be known, more than CAPTURE_FRAME_MAX beyond the header for a length
 * that makes no sense.
 */
static uint64_t next_record(struct pcap *pcap, struct cursor *c, struct frame *frame)
{
    struct cursor at = *c;
    struct cursor header = cursor_sub(&at, RECORD_HEADER);
    cursor_skip(&at, pcap->header_size - RECORD_HEADER);
    if (!cursor_ok(&at)) {
        return pcap->header_size;
    }
    uint32_t seconds = read_u32(&header, pcap->big_endian);
    uint32_t fraction = read_u32(&header, pcap->big_endian);
    uint32_t captured = read_u32(&header, pcap->big_endian);
    uint32_t length = read_u32(&header, pcap->big_endian);
    if (pcap->lengths_swapped || (pcap->lengths_perhaps_swapped && captured > length)) {
        uint32_t other = captured;
        captured = length;
        length = other;
    }
    const uint8_t *data = captured > CAPTURE_FRAME_MAX ? NULL : cursor_bytes(&at, captured);
    if (!data) {
        return (uint64_t)pcap->header_size + captured;
    }
    frame->data = data;
    frame->captured = captured;
    frame->length = MAX_OF(captured, length);
    frame->time_us = seconds * CLOCK_SECOND_US + (pcap->nanoseconds ? fraction / 1000 : fraction);
    frame->number = ++pcap->number;
    frame->link_type = pcap->link_type;
    *c = at;
    return 0;
}

static int report(const struct pcap *pcap, uint64_t need, struct dl_error *error)
{
    const struct reader *reader = pcap->reader;
    uint64_t position = reader_position(reader);
    if (need > pcap->header_size + CAPTURE_FRAME_MAX) {
        return dl_error_set(error, DL_MALFORMED,
                            "%s: record %" PRIu64 " at byte %" PRIu64 " claims %" PRIu64 " bytes",
                            reader->name, pcap->number + 1, position, need - pcap->header_size);
    }
    if (reader_left(reader) == 0 && (reader->status == DL_OK || reader->status == DL_END)) {
        return DL_END;
    }
    return reader_report(reader, position, "record", error);
}

static int pcap_read(void *state, struct frame *frames, size_t maximum, int timeout_ms,
                     size_t *ret_count, struct dl_error *error)
{
    struct pcap *pcap = state;
    struct reader *reader = pcap->reader;
    (void)timeout_ms;
    size_t count = 0;
    uint64_t need = 0;
    do {
        struct cursor c = reader_cursor(reader);
        while (count < maximum && (need = next_record(pcap, &c, &frames[count])) == 0) {
            count++;
        }
        reader_take(reader, reader_left(reader) - cursor_left(&c));
        /* Filling moves the buffer: not while frames point into it. */
    } while (count == 0 && need <= pcap->header_size + CAPTURE_FRAME_MAX &&
             reader_fill(reader, (size_t)need));
    if (count == 0) {
        return report(pcap, need, error);
    }
    *ret_count = count;
    return DL_OK;
}

static void pcap_close_state(void *state)
{
    free(state);
}

const struct capture_format capture_format_pcap = {
    .name = "pcap",
    .recognise = pcap_recognise,
    .open = pcap_open,
    .read = pcap_read,
    .close = pcap_close_state,
};
