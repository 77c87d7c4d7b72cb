// SPDX-License-Identifier: GPL-3.0-or-later
/* pcapng files: draft-ietf-opsawg-pcapng. Times and options of interfaces are in
 * pcapng_interface.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "probe/capture/format.h"
#include "probe/capture/pcapng_interface.h"

enum block_type {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OLD = 2,
    BLOCK_PACKET_SIMPLE = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a /* the same in both byte orders */
};

#define BYTE_ORDER_MAGIC  0x1a2b3c4du
#define BLOCK_HEADER      8u
#define BLOCK_OVERHEAD    12u /* type, and the length at both ends */
#define SECTION_HEAD      12u /* type, length, byte order */
#define OPTION_DROPPED_IF 5u
#define OPTION_DROPPED_OS 7u

struct pcapng {
    struct reader *reader;
    struct interface_table interfaces; /* of this section */
    uint64_t number;
    int64_t last_us;
    bool big_endian;
    uint64_t blocks_skipped;
    uint64_t dropped_interface, dropped_system; /* of earlier sections */
    uint64_t damaged, damaged_at;               /* blocks passed over; the first one's place */
    const char *damaged_why;
};

/* A block whose two lengths agree. */
struct block {
    uint32_t type;
    struct cursor body;
    uint64_t position;
};

static bool pcapng_recognise(struct cursor head)
{
    return cursor_le32(&head) == BLOCK_SECTION;
}

static void note_damage(struct pcapng *ng, const struct block *block, const char *why)
{
    if (ng->damaged++ == 0) {
        ng->damaged_at = block->position;
        ng->damaged_why = why;
    }
}

/* The length a block claims, padded; 0 where it makes no sense. A section's own byte order must be
 * known. */
static uint64_t padded_length(uint32_t length)
{
    return length < BLOCK_OVERHEAD ? 0 : ((uint64_t)length + 3) & ~UINT64_C(3);
}

/* Learns a new section's byte order, which its length is written in already. */
static bool read_byte_order(struct cursor head, bool *ret_big_endian)
{
    cursor_skip(&head, BLOCK_HEADER);
    uint32_t magic = cursor_le32(&head);
    *ret_big_endian = magic == __builtin_bswap32(BYTE_ORDER_MAGIC);
    return cursor_ok(&head) && (*ret_big_endian || magic == BYTE_ORDER_MAGIC);
}

static void begin_section(struct pcapng *ng, const struct block *block)
{
    struct cursor body = block->body;
    cursor_skip(&body, 4);
    uint16_t major = pcapng_u16(&body, ng->big_endian);
    cursor_skip(&body, 10); /* minor version; the section's length, which few writers know */
    interface_table_sum(&ng->interfaces, &ng->dropped_interface, &ng->dropped_system);
    interface_table_clear(&ng->interfaces);
    if (!cursor_ok(&body)) {
        note_damage(ng, block, "section header too short");
    } else if (major != 1) {
        note_damage(ng, block, "section of an unknown version");
    }
}

static void read_statistics(struct pcapng *ng, const struct block *block)
{
    struct cursor body = block->body;
    uint32_t id = pcapng_u32(&body, ng->big_endian);
    cursor_skip(&body, 8);
    struct interface *interface = interface_table_at(&ng->interfaces, id);
    if (!cursor_ok(&body) || !interface) {
        note_damage(ng, block, "statistics of an unknown interface");
        return;
    }
    struct pcapng_option option;
    while (pcapng_next_option(&body, ng->big_endian, &option)) {
        if (option.code == OPTION_DROPPED_IF && cursor_left(&option.value) == 8) {
            interface->dropped_interface = pcapng_u64(&option.value, ng->big_endian);
        } else if (option.code == OPTION_DROPPED_OS && cursor_left(&option.value) == 8) {
            interface->dropped_system = pcapng_u64(&option.value, ng->big_endian);
        }
    }
}

/* Fills the frame from what all packet blocks have. */
static bool take_packet(struct pcapng *ng, const struct block *block, struct cursor data,
                        const struct interface *interface, uint32_t captured, uint32_t length,
                        struct frame *frame)
{
    const uint8_t *bytes = cursor_bytes(&data, captured);
    const char *why = NULL;
    if (!interface) {
        why = "packet of an unknown interface";
    } else if (!bytes || captured > CAPTURE_FRAME_MAX) {
        why = "packet longer than its block";
    }
    if (why) {
        note_damage(ng, block, why);
        return false;
    }
    *frame = (struct frame){.data = bytes,
                            .captured = captured,
                            .length = MAX_OF(captured, length),
                            .time_us = ng->last_us,
                            .number = ++ng->number,
                            .link_type = interface->link_type};
    return true;
}

/* Enhanced Packet Block, and the old Packet Block that differs in its first word. */
static bool read_packet(struct pcapng *ng, const struct block *block, struct frame *frame)
{
    struct cursor body = block->body;
    bool big = ng->big_endian;
    uint32_t id;
    if (block->type == BLOCK_PACKET) {
        id = pcapng_u32(&body, big);
    } else {
        id = pcapng_u16(&body, big);
        cursor_skip(&body, 2); /* drops since the packet before; the statistics have the sum */
    }
    uint64_t high = pcapng_u32(&body, big);
    uint64_t ticks = high << 32 | pcapng_u32(&body, big);
    uint32_t captured = pcapng_u32(&body, big);
    uint32_t length = pcapng_u32(&body, big);
    const struct interface *interface = interface_table_at(&ng->interfaces, id);
    bool taken = take_packet(ng, block, body, interface, captured, length, frame);
    if (taken) {
        frame->time_us = ng->last_us = interface_time(interface, ticks);
    }
    return taken;
}

/* Simple Packet Block: the first interface's, cut at its snap length, without a time. */
static bool read_simple_packet(struct pcapng *ng, const struct block *block, struct frame *frame)
{
    struct cursor body = block->body;
    uint32_t length = pcapng_u32(&body, ng->big_endian);
    const struct interface *interface = interface_table_at(&ng->interfaces, 0);
    uint32_t captured = (uint32_t)MIN_OF(length, cursor_left(&body));
    if (interface && interface->snap_length > 0) {
        captured = MIN_OF(captured, interface->snap_length);
    }
    return take_packet(ng, block, body, interface, captured, length, frame);
}

/* Whether a frame came out. */
static bool read_block(struct pcapng *ng, const struct block *block, struct frame *frame)
{
    bool taken = false;
    switch (block->type) {
    case BLOCK_PACKET:
    case BLOCK_PACKET_OLD:
        taken = read_packet(ng, block, frame);
        break;
    case BLOCK_PACKET_SIMPLE:
        taken = read_simple_packet(ng, block, frame);
        break;
    case BLOCK_SECTION:
        begin_section(ng, block);
        break;
    case BLOCK_INTERFACE:
        if (!interface_table_add(&ng->interfaces, block->body, ng->big_endian)) {
            note_damage(ng, block, "damaged interface description");
        }
        break;
    case BLOCK_STATISTICS:
        read_statistics(ng, block);
        break;
    default:
        ng->blocks_skipped++;
        break;
    }
    return taken;
}

/* What next_block() found. */
enum next { NEXT_BLOCK, NEXT_MORE, NEXT_LONG, NEXT_BAD };

/*
 * The block that `c` begins with. NEXT_MORE: `need` bytes must be at hand first. NEXT_LONG: it is
 * longer than any packet's; `need` is its length. NEXT_BAD: its lengths make no sense, so nobody
 * knows where the next one begins.
 */
static enum next next_block(struct pcapng *ng, struct cursor *c, struct block *block,
                            uint64_t *need)
{
    struct cursor at = *c;
    bool big = ng->big_endian;
    *need = BLOCK_HEADER;
    if (cursor_left(&at) < BLOCK_HEADER) {
        return NEXT_MORE;
    }
    block->type = pcapng_u32(&at, big);
    if (block->type == BLOCK_SECTION) {
        *need = SECTION_HEAD;
        if (cursor_left(c) < SECTION_HEAD) {
            return NEXT_MORE;
        }
        if (!read_byte_order(*c, &big)) {
            return NEXT_BAD;
        }
    }
    uint32_t length = pcapng_u32(&at, big);
    *need = padded_length(length);
    if (*need > READER_NEED_MAX && block->type != BLOCK_SECTION && block->type != BLOCK_INTERFACE) {
        return NEXT_LONG;
    }
    if (*need == 0 || *need > READER_NEED_MAX) {
        return NEXT_BAD;
    }
    block->body = cursor_sub(&at, (size_t)*need - BLOCK_OVERHEAD);
    uint32_t again = pcapng_u32(&at, big);
    if (!cursor_ok(&at)) {
        return NEXT_MORE;
    }
    if (again != length) {
        return NEXT_BAD;
    }
    ng->big_endian = big;
    *c = at;
    return NEXT_BLOCK;
}

/* Passes over a block that does not fit the buffer. */
static enum next skip_long(struct pcapng *ng, uint64_t length)
{
    struct reader *reader = ng->reader;
    struct cursor c = reader_cursor(reader);
    struct block block = {.position = reader_position(reader)};
    block.type = pcapng_u32(&c, ng->big_endian);
    uint32_t claimed = pcapng_u32(&c, ng->big_endian);
    if (!reader_skip(reader, length - 4) || !reader_fill(reader, 4)) {
        return NEXT_MORE;
    }
    c = reader_cursor(reader);
    if (pcapng_u32(&c, ng->big_endian) != claimed) {
        return NEXT_BAD;
    }
    reader_take(reader, 4);
    if (block.type == BLOCK_PACKET || block.type == BLOCK_PACKET_OLD ||
        block.type == BLOCK_PACKET_SIMPLE) {
        note_damage(ng, &block, "packet far too long");
    } else {
        ng->blocks_skipped++;
    }
    return NEXT_BLOCK;
}

/* Frames from the blocks at hand, until one needs something. */
static size_t read_batch(struct pcapng *ng, struct frame *frames, size_t maximum,
                         enum next *ret_next, uint64_t *ret_need)
{
    struct reader *reader = ng->reader;
    struct cursor c = reader_cursor(reader);
    uint64_t start = reader_position(reader);
    size_t left = cursor_left(&c), count = 0;
    enum next next = NEXT_BLOCK;
    while (count < maximum) {
        struct block block;
        block.position = start + (left - cursor_left(&c));
        next = next_block(ng, &c, &block, ret_need);
        if (next != NEXT_BLOCK) {
            break;
        }
        count += read_block(ng, &block, &frames[count]);
    }
    reader_take(reader, left - cursor_left(&c));
    *ret_next = next;
    return count;
}

static int report_end(const struct pcapng *ng, struct dl_error *error)
{
    return ng->damaged == 0
               ? DL_END
               : dl_error_set(error, DL_MALFORMED,
                              "%s: %s at byte %" PRIu64 "; %" PRIu64 " damaged blocks passed over",
                              ng->reader->name, ng->damaged_why, ng->damaged_at, ng->damaged);
}

static int report(const struct pcapng *ng, enum next next, uint64_t position,
                  struct dl_error *error)
{
    const struct reader *reader = ng->reader;
    int status;
    if (next == NEXT_BAD) {
        status = dl_error_set(error, DL_MALFORMED,
                              "%s: the lengths of the block at byte %" PRIu64 " make no sense",
                              reader->name, position);
    } else if (position == reader_position(reader) && reader_left(reader) == 0 &&
               reader->status == DL_END) {
        status = report_end(ng, error);
    } else {
        status = reader_report(reader, position, "block", error);
    }
    return status;
}

static int pcapng_read(void *state, struct frame *frames, size_t maximum, int timeout_ms,
                       size_t *ret_count, struct dl_error *error)
{
    struct pcapng *ng = state;
    struct reader *reader = ng->reader;
    (void)timeout_ms;
    size_t count = 0;
    uint64_t need = 0, position = 0;
    enum next next = NEXT_BLOCK;
    bool more = true;
    while (count == 0 && more) {
        count = read_batch(ng, frames, maximum, &next, &need);
        position = reader_position(reader);
        /* Filling moves the buffer: not while frames point into it. */
        if (count == 0 && next == NEXT_MORE) {
            more = reader_fill(reader, (size_t)need);
        } else if (count == 0 && next == NEXT_LONG) {
            next = skip_long(ng, need);
            more = next == NEXT_BLOCK;
        } else {
            more = next != NEXT_BAD;
        }
    }
    if (count == 0) {
        return report(ng, next, position, error);
    }
    *ret_count = count;
    return DL_OK;
}

static int pcapng_open(void **ret_state, struct reader *reader, struct dl_error *error)
{
    bool big_endian;
    if (!reader_fill(reader, SECTION_HEAD)) {
        return reader_report(reader, 0, "section header", error);
    }
    if (!read_byte_order(reader_cursor(reader), &big_endian)) {
        return dl_error_set(error, DL_UNKNOWN_FORMAT, "%s: not a pcap or pcapng capture",
                            reader->name);
    }
    struct pcapng *ng = calloc(1, sizeof(*ng));
    if (!ng) {
        return dl_error_set(error, -ENOMEM, "%s: %s", reader->name, dl_strerror(-ENOMEM));
    }
    struct block block = {.position = 0};
    struct cursor c = reader_cursor(reader);
    uint64_t need;
    enum next next = next_block(ng, &c, &block, &need);
    int status = DL_OK;
    ng->reader = reader;
    if (next == NEXT_MORE && !reader_fill(reader, (size_t)need)) {
        status = reader_report(reader, 0, "section header", error);
        free(ng);
    } else {
        *ret_state = ng;
    }
    return status;
}

static void pcapng_get_stats(void *state, struct capture_stats *stats)
{
    struct pcapng *ng = state;
    uint64_t interface = ng->dropped_interface, system = ng->dropped_system;
    interface_table_sum(&ng->interfaces, &interface, &system);
    stats->interface_dropped = interface;
    stats->file_dropped = interface + system;
    stats->blocks_skipped = ng->blocks_skipped;
}

static void pcapng_close(void *state)
{
    struct pcapng *ng = state;
    if (ng) {
        interface_table_clear(&ng->interfaces);
        free(ng);
    }
}

const struct capture_format capture_format_pcapng = {
    .name = "pcapng",
    .recognise = pcapng_recognise,
    .open = pcapng_open,
    .read = pcapng_read,
    .get_stats = pcapng_get_stats,
    .close = pcapng_close,
};
