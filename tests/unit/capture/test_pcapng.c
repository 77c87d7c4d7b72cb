// SPDX-License-Identifier: GPL-3.0-or-later
/* pcapng files: sections, interfaces, clocks, all packet blocks, damage. */
#include "files.h"

#include "base/clock.h"

static void begin_block(struct buffer *b, uint32_t type, bool big, size_t *ret_start)
{
    *ret_start = b->length;
    put_u32(b, type, big);
    put_u32(b, 0, big);
}

/* Pads, and writes the length at both ends. */
static void end_block(struct buffer *b, bool big, size_t start)
{
    while (b->length % 4 != 0) {
        buffer_append_u8(b, 0);
    }
    uint32_t length = (uint32_t)(b->length - start + 4);
    uint32_t written = big ? __builtin_bswap32(length) : length;
    memcpy(b->bytes + start + 4, &written, 4);
    put_u32(b, length, big);
}

static void section(struct buffer *b, bool big)
{
    size_t start;
    begin_block(b, 0x0a0d0d0a, big, &start);
    put_u32(b, 0x1a2b3c4d, big);
    put_u16(b, 1, big);
    put_u16(b, 0, big);
    put_u64(b, UINT64_MAX, big);
    end_block(b, big, start);
}

/* `resolution` below 0 and `offset` of 0: no such option. */
static void interface(struct buffer *b, bool big, uint16_t link_type, uint32_t snap_length,
                      int resolution, int64_t offset)
{
    size_t start;
    begin_block(b, 1, big, &start);
    put_u16(b, link_type, big);
    put_u16(b, 0, big);
    put_u32(b, snap_length, big);
    put_u16(b, 2, big); /* its name */
    put_u16(b, 5, big);
    buffer_append(b, "wlan0\0\0", 8);
    if (resolution >= 0) {
        put_u16(b, 9, big);
        put_u16(b, 1, big);
        buffer_append_u8(b, (uint8_t)resolution);
        buffer_append(b, "\0\0", 3);
    }
    if (offset != 0) {
        put_u16(b, 14, big);
        put_u16(b, 8, big);
        put_u64(b, (uint64_t)offset, big);
    }
    put_u32(b, 0, big);
    end_block(b, big, start);
}

static void packet(struct buffer *b, bool big, uint32_t id, uint64_t ticks, uint32_t captured,
                   uint32_t length)
{
    size_t start;
    begin_block(b, 6, big, &start);
    put_u32(b, id, big);
    put_u32(b, (uint32_t)(ticks >> 32), big);
    put_u32(b, (uint32_t)ticks, big);
    put_u32(b, captured, big);
    put_u32(b, length, big);
    put_bytes(b, captured, 1);
    end_block(b, big, start);
}

static void old_packet(struct buffer *b, bool big, uint16_t id, uint64_t ticks, uint32_t captured)
{
    size_t start;
    begin_block(b, 2, big, &start);
    put_u16(b, id, big);
    put_u16(b, 3, big);
    put_u32(b, (uint32_t)(ticks >> 32), big);
    put_u32(b, (uint32_t)ticks, big);
    put_u32(b, captured, big);
    put_u32(b, captured, big);
    put_bytes(b, captured, 1);
    end_block(b, big, start);
}

static void simple_packet(struct buffer *b, bool big, uint32_t captured, uint32_t length)
{
    size_t start;
    begin_block(b, 3, big, &start);
    put_u32(b, length, big);
    put_bytes(b, captured, 1);
    end_block(b, big, start);
}

static void statistics(struct buffer *b, bool big, uint32_t id, uint64_t interface_dropped,
                       uint64_t system_dropped)
{
    size_t start;
    begin_block(b, 5, big, &start);
    put_u32(b, id, big);
    put_u64(b, 0, big);
    put_u16(b, 5, big);
    put_u16(b, 8, big);
    put_u64(b, interface_dropped, big);
    put_u16(b, 7, big);
    put_u16(b, 8, big);
    put_u64(b, system_dropped, big);
    put_u32(b, 0, big);
    end_block(b, big, start);
}

static void other_block(struct buffer *b, bool big, uint32_t type, size_t length)
{
    size_t start;
    begin_block(b, type, big, &start);
    put_bytes(b, length, 0);
    end_block(b, big, start);
}

static void reads_two_interfaces_of_different_kinds(void **state)
{
    for (int big = 0; big <= 1; big++) {
        struct buffer b;
        buffer_init(&b, FILE_MAX);
        section(&b, big);
        interface(&b, big, 1, 65535, -1, 0);
        interface(&b, big, 113, 96, 9, 0);
        packet(&b, big, 0, UINT64_C(1500000000123456), 61, 1500);
        packet(&b, big, 1, UINT64_C(1500000001123456789), 62, 62);
        struct reading o = read_all(write_file(state, "x", b.bytes, b.length));
        assert_int_equal(o.opened, DL_OK);
        assert_int_equal(o.errors, 0);
        assert_int_equal(o.frames, 2);
        assert_string_equal(o.kind, "pcapng");
        assert_int_equal(o.first.link_type, 1);
        assert_int_equal(o.first.time_us, INT64_C(1500000000123456));
        assert_int_equal(o.first.captured, 61);
        assert_int_equal(o.first.length, 1500);
        assert_int_equal(o.last.link_type, 113);
        assert_int_equal(o.last.time_us, INT64_C(1500000001123456));
        assert_int_equal(o.last.number, 2);
        buffer_finish(&b);
    }
}

static void follows_every_clock(void **state)
{
    static const struct {
        int resolution;
        int64_t offset;
        uint64_t ticks;
        int64_t time_us;
    } clocks[] = {
        {0, 0, 1500000000, INT64_C(1500000000000000)},
        {3, 0, 1500000000123, INT64_C(1500000000123000)},
        {6, 100, 5, 100000005},
        {6, -100, 5, -99999995},
        {12, 0, 7000001, 7},
        {20, 0, UINT64_MAX, 184467},
        {0x80, 0, 9, 9000000},
        {0x80 | 10, 0, 1024 * 5 + 512, 5500000},
        {0x80 | 32, 0, (UINT64_C(1500000000) << 32) + (UINT64_C(1) << 31),
         INT64_C(1500000000500000)},
        {0x80 | 60, 0, UINT64_C(3) << 59, 1500000},
        {0x80 | 127, 0, UINT64_MAX, 0},
        {0, 0, UINT64_MAX, INT64_C(253402300799999999)}, /* kept within the years there are */
    };
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        struct buffer b;
        buffer_init(&b, FILE_MAX);
        section(&b, false);
        interface(&b, false, 1, 0, clocks[i].resolution, clocks[i].offset);
        packet(&b, false, 0, clocks[i].ticks, 60, 60);
        struct reading o = read_all(write_file(state, "x", b.bytes, b.length));
        assert_int_equal(o.errors, 0);
        assert_int_equal(o.frames, 1);
        assert_int_equal(o.first.time_us, clocks[i].time_us);
        buffer_finish(&b);
    }
}

static void reads_all_packet_blocks(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    section(&b, true);
    interface(&b, true, 1, 64, -1, 0);
    interface(&b, true, 101, 0, 3, 0);
    old_packet(&b, true, 1, 5000, 33);
    struct reading o = read_all(write_file(state, "x", b.bytes, b.length));
    assert_int_equal(o.frames, 1);
    assert_int_equal(o.first.time_us, 5000000);
    assert_int_equal(o.first.link_type, 101);
    assert_int_equal(o.first.captured, 33);
    simple_packet(&b, true, 64, 1000); /* cut at the snap length, and without a time */
    o = read_all(write_file(state, "x", b.bytes, b.length));
    assert_int_equal(o.frames, 2);
    assert_int_equal(o.last.time_us, 5000000);
    assert_int_equal(o.last.link_type, 1);
    assert_int_equal(o.last.captured, 64);
    assert_int_equal(o.last.length, 1000);
    simple_packet(&b, true, 30, 30);
    o = read_all(write_file(state, "x", b.bytes, b.length));
    assert_int_equal(o.last.captured, 30);
    assert_int_equal(o.errors, 0);
    buffer_finish(&b);
}

static void reads_sections_of_both_byte_orders(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    for (int i = 0; i < 4; i++) {
        bool big = i % 2;
        section(&b, big);
        interface(&b, big, (uint16_t)(100 + i), 0, -1, 0);
        packet(&b, big, 0, (uint64_t)i, 60, 60);
        statistics(&b, big, 0, 1, 2); /* the last of each interface counts */
        statistics(&b, big, 0, 10, 20);
    }
    struct reading o = read_all(write_file(state, "x", b.bytes, b.length));
    assert_int_equal(o.frames, 4);
    assert_int_equal(o.errors, 0);
    assert_int_equal(o.last.link_type, 103);
    assert_int_equal(o.stats.interface_dropped, 40);
    assert_int_equal(o.stats.file_dropped, 120);
    buffer_finish(&b);
}

static void skips_what_it_does_not_know(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    section(&b, false);
    interface(&b, false, 1, 0, -1, 0);
    other_block(&b, false, 0xbad, 13);
    packet(&b, false, 0, 1, 60, 60);
    other_block(&b, false, 0xbad, 3000000); /* longer than the buffer */
    packet(&b, false, 0, 2, 60, 60);
    other_block(&b, false, 4, 0);
    struct reading o = read_all(write_file(state, "x", b.bytes, b.length));
    assert_int_equal(o.frames, 2);
    assert_int_equal(o.errors, 0);
    assert_int_equal(o.stats.blocks_skipped, 3);
    buffer_finish(&b);
}

/* Blocks whose lengths agree are passed over, and told of at the end. */
static void passes_over_damaged_blocks(void **state)
{
    struct buffer b;
    size_t start;
    buffer_init(&b, FILE_MAX);
    section(&b, false);
    interface(&b, false, 1, 0, -1, 0);
    packet(&b, false, 0, 1, 60, 60);
    size_t damage = b.length;
    packet(&b, false, 7, 2, 60, 60); /* of no interface */
    begin_block(&b, 6, false, &start);
    put_u32(&b, 0, false);
    put_u64(&b, 0, false);
    put_u32(&b, 4000, false); /* longer than its block */
    put_u32(&b, 4000, false);
    end_block(&b, false, start);
    other_block(&b, false, 5, 2);
    other_block(&b, false, 1, 2); /* an interface that still has a number */
    interface(&b, false, 101, 0, -1, 0);
    packet(&b, false, 2, 3, 60, 60);
    struct reading o = read_all(write_file(state, "x.pcapng", b.bytes, b.length));
    assert_int_equal(o.frames, 2);
    assert_int_equal(o.last.link_type, 101);
    assert_int_equal(o.last.number, 2);
    assert_int_equal(o.errors, 1);
    assert_int_equal(o.status, DL_MALFORMED);
    char offset[32];
    snprintf(offset, sizeof(offset), "at byte %zu", damage);
    assert_non_null(strstr(o.message, offset));
    assert_non_null(strstr(o.message, "4 damaged"));
    buffer_finish(&b);
}

static void stops_where_lengths_make_no_sense(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    section(&b, false);
    interface(&b, false, 1, 0, -1, 0);
    packet(&b, false, 0, 1, 60, 60);
    size_t damage = b.length;
    packet(&b, false, 0, 2, 60, 60);
    b.bytes[b.length - 4] ^= 4; /* the two lengths differ */
    packet(&b, false, 0, 3, 60, 60);
    struct reading o = read_all(write_file(state, "x.pcapng", b.bytes, b.length));
    char offset[32];
    snprintf(offset, sizeof(offset), "at byte %zu", damage);
    assert_int_equal(o.frames, 1);
    assert_int_equal(o.errors, 1);
    assert_int_equal(o.status, DL_MALFORMED);
    assert_non_null(strstr(o.message, offset));
    b.length = damage;
    put_u32(&b, 6, false);
    put_u32(&b, 11, false); /* shorter than any block */
    put_bytes(&b, 40, 0);
    o = read_all(write_file(state, "x.pcapng", b.bytes, b.length));
    assert_int_equal(o.frames, 1);
    assert_int_equal(o.status, DL_MALFORMED);
    buffer_finish(&b);
}

static void tells_truncation_at_every_byte(void **state)
{
    struct buffer b;
    size_t ends[8], count = 0;
    buffer_init(&b, FILE_MAX);
    section(&b, false);
    ends[count++] = b.length;
    interface(&b, false, 1, 0, 9, 0);
    ends[count++] = b.length;
    packet(&b, false, 0, 1, 61, 61);
    ends[count++] = b.length;
    packet(&b, false, 0, 2, 62, 62);
    ends[count++] = b.length;
    for (size_t length = 4; length <= b.length; length++) {
        struct reading o = read_all(write_file(state, "x.pcapng", b.bytes, length));
        size_t whole = 0;
        while (whole < count && ends[whole] <= length) {
            whole++;
        }
        if (whole == 0) {
            assert_int_equal(o.opened, DL_TRUNCATED);
            continue;
        }
        bool clean = length == ends[whole - 1];
        assert_int_equal(o.opened, DL_OK);
        assert_int_equal(o.frames, whole > 2 ? whole - 2 : 0);
        assert_int_equal(o.errors, clean ? 0 : 1);
        assert_int_equal(o.status, clean ? DL_OK : DL_TRUNCATED);
        char offset[32];
        snprintf(offset, sizeof(offset), "at byte %zu", ends[whole - 1]);
        assert_true(clean || strstr(o.message, offset));
    }
    buffer_finish(&b);
}

static void reads_many_packets(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    section(&b, false);
    interface(&b, false, 1, 0, -1, 0);
    for (uint32_t i = 0; i < 20000; i++) {
        packet(&b, false, 0, i, i % 1500, 1500);
    }
    packet(&b, false, 0, 5, CAPTURE_FRAME_MAX, CAPTURE_FRAME_MAX);
    struct reading o = read_all(write_file(state, "x", b.bytes, b.length));
    assert_int_equal(o.frames, 20001);
    assert_int_equal(o.errors, 0);
    assert_int_equal(o.stats.last_us, 19999);
    assert_int_equal(o.last.captured, CAPTURE_FRAME_MAX);
    o = read_filtered(folder_file(state, "x"), NULL, 1);
    assert_int_equal(o.frames, 20001);
    buffer_finish(&b);
}

/* The expression means something else for each link type, and nothing for some. */
static void filters_each_link_type(void **state)
{
    struct buffer b;
    size_t start;
    static const uint8_t udp[] = {0x45, 0, 0,  28, 0, 0, 0, 0,  64, 17, 0, 0, 10, 0,
                                  0,    1, 10, 0,  0, 2, 0, 53, 0,  99, 0, 8, 0,  0};
    buffer_init(&b, FILE_MAX);
    section(&b, false);
    interface(&b, false, 1, 0, -1, 0);
    interface(&b, false, 101, 0, -1, 0);
    interface(&b, false, 147, 0, -1, 0); /* somebody's own */
    for (uint32_t i = 0; i < 3; i++) {
        begin_block(&b, 6, false, &start);
        put_u32(&b, i, false);
        put_u64(&b, 0, false);
        put_u32(&b, sizeof(udp) + (i == 0 ? 14 : 0), false);
        put_u32(&b, sizeof(udp) + (i == 0 ? 14 : 0), false);
        if (i == 0) {
            buffer_append(&b, "\2\0\0\0\0\1\2\0\0\0\0\2\10\0", 14);
        }
        buffer_append(&b, udp, sizeof(udp));
        end_block(&b, false, start);
    }
    const char *path = write_file(state, "x", b.bytes, b.length);
    assert_int_equal(read_filtered(path, "udp port 99", 16).frames, 2);
    assert_int_equal(read_filtered(path, "udp port 98", 16).frames, 0);
    assert_int_equal(read_filtered(path, "ether host 02:00:00:00:00:01", 16).frames, 1);
    buffer_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_two_interfaces_of_different_kinds, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(follows_every_clock, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(reads_all_packet_blocks, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(reads_sections_of_both_byte_orders, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(skips_what_it_does_not_know, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(passes_over_damaged_blocks, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(stops_where_lengths_make_no_sense, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(tells_truncation_at_every_byte, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(reads_many_packets, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(filters_each_link_type, folder_setup, folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
