// SPDX-License-Identifier: GPL-3.0-or-later
/* gzip and zstd: whole, of several members, cut, damaged. */
#include "files.h"

#include <zlib.h>
#include <zstd.h>

static void pack_gzip(struct buffer *out, const void *bytes, size_t length)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, length);
    uint8_t *packed = malloc(room);
    assert_non_null(packed);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)length;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buffer_append(out, packed, room - z.avail_out);
    deflateEnd(&z);
    free(packed);
}

static void pack_zstd(struct buffer *out, const void *bytes, size_t length)
{
    size_t room = ZSTD_compressBound(length);
    uint8_t *packed = malloc(room);
    assert_non_null(packed);
    size_t packed_length = ZSTD_compress(packed, room, bytes, length, 3);
    assert_false(ZSTD_isError(packed_length));
    buffer_append(out, packed, packed_length);
    free(packed);
}

static const struct kind {
    const char *name, *truncated, *damaged;
    void (*pack)(struct buffer *out, const void *bytes, size_t length);
} kinds[] = {
    {"pcap+gzip", "gzip archive is truncated", "gzip archive is damaged", pack_gzip},
    {"pcap+zstd", "zstd archive is truncated", "zstd archive is damaged", pack_zstd},
};

static void reads_whole_archives(void **state)
{
    struct buffer plain;
    buffer_init(&plain, FILE_MAX);
    pcap_simple(&plain, 5000);
    for (size_t i = 0; i < 2; i++) {
        struct buffer packed;
        buffer_init(&packed, FILE_MAX);
        kinds[i].pack(&packed, plain.bytes, plain.length);
        struct reading o = read_all(write_file(state, "x", packed.bytes, packed.length));
        assert_int_equal(o.opened, DL_OK);
        assert_int_equal(o.frames, 5000);
        assert_int_equal(o.errors, 0);
        assert_string_equal(o.kind, kinds[i].name);
        assert_int_equal(o.stats.file_size, packed.length);
        assert_int_equal(o.stats.file_offset, packed.length);
        buffer_finish(&packed);
    }
    buffer_finish(&plain);
}

static void reads_archives_of_several_members(void **state)
{
    struct buffer plain;
    buffer_init(&plain, FILE_MAX);
    pcap_simple(&plain, 5000);
    for (size_t i = 0; i < 2; i++) {
        struct buffer packed;
        buffer_init(&packed, FILE_MAX);
        kinds[i].pack(&packed, plain.bytes, 10);
        kinds[i].pack(&packed, plain.bytes, 0);
        kinds[i].pack(&packed, plain.bytes + 10, 1000000);
        kinds[i].pack(&packed, plain.bytes + 1000010, plain.length - 1000010);
        struct reading o = read_all(write_file(state, "x", packed.bytes, packed.length));
        assert_int_equal(o.frames, 5000);
        assert_int_equal(o.errors, 0);
        buffer_append(&packed, "\0\0\0\0\0\0\0", 7); /* padding, which gzip allows */
        o = read_all(write_file(state, "x", packed.bytes, packed.length));
        assert_int_equal(o.frames, 5000);
        assert_int_equal(o.errors, i == 0 ? 0 : 1);
        buffer_finish(&packed);
    }
    buffer_finish(&plain);
}

static void tells_truncated_archives(void **state)
{
    struct buffer plain;
    buffer_init(&plain, FILE_MAX);
    pcap_simple(&plain, 1000); /* several blocks of zstd's */
    for (size_t i = 0; i < 2; i++) {
        struct buffer packed;
        uint64_t frames = 0;
        buffer_init(&packed, FILE_MAX);
        kinds[i].pack(&packed, plain.bytes, plain.length);
        for (size_t length = 4; length < packed.length; length += 1 + packed.length / 100) {
            struct reading o = read_all(write_file(state, "x.pcap", packed.bytes, length));
            assert_non_null(strstr(o.message, kinds[i].truncated));
            assert_non_null(strstr(o.message, "x.pcap"));
            assert_int_equal(o.opened == DL_OK ? o.status : o.opened, DL_TRUNCATED);
            assert_true(o.frames >= frames); /* everything that came out of it */
            frames = o.frames;
        }
        assert_true(frames > 500);
        buffer_finish(&packed);
    }
    buffer_finish(&plain);
}

static void tells_damaged_archives(void **state)
{
    struct buffer plain;
    buffer_init(&plain, FILE_MAX);
    pcap_simple(&plain, 3000);
    for (size_t i = 0; i < 2; i++) {
        struct buffer packed;
        buffer_init(&packed, FILE_MAX);
        kinds[i].pack(&packed, plain.bytes, plain.length);
        memset(packed.bytes + packed.length / 2, 0xff, 20);
        struct reading o = read_all(write_file(state, "x", packed.bytes, packed.length));
        assert_int_equal(o.opened, DL_OK);
        assert_int_equal(o.errors, 1);
        assert_int_equal(o.status, DL_MALFORMED);
        buffer_finish(&packed);
    }
    buffer_finish(&plain);
}

static void tells_what_is_inside(void **state)
{
    static const char text[] = "This is no capture, however well it is packed.";
    for (size_t i = 0; i < 2; i++) {
        struct buffer packed;
        buffer_init(&packed, FILE_MAX);
        kinds[i].pack(&packed, text, sizeof(text));
        assert_int_equal(read_all(write_file(state, "x", packed.bytes, packed.length)).opened,
                         DL_UNKNOWN_FORMAT);
        buffer_clear(&packed);
        kinds[i].pack(&packed, text, 0);
        assert_int_equal(read_all(write_file(state, "x", packed.bytes, packed.length)).opened,
                         DL_EMPTY);
        buffer_finish(&packed);
    }
}

/* A capture cut before it was packed: the archive is whole, what is in it is not. */
static void tells_truncation_within_a_whole_archive(void **state)
{
    struct buffer plain, packed;
    buffer_init(&plain, FILE_MAX);
    buffer_init(&packed, FILE_MAX);
    pcap_simple(&plain, 3);
    pack_gzip(&packed, plain.bytes, plain.length - 1);
    struct reading o = read_all(write_file(state, "x", packed.bytes, packed.length));
    assert_int_equal(o.frames, 2);
    assert_int_equal(o.status, DL_TRUNCATED);
    assert_non_null(strstr(o.message, "of what is unpacked"));
    buffer_finish(&plain);
    buffer_finish(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_whole_archives, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(reads_archives_of_several_members, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(tells_truncated_archives, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(tells_damaged_archives, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(tells_what_is_inside, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(tells_truncation_within_a_whole_archive, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
