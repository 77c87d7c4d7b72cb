// SPDX-License-Identifier: GPL-3.0-or-later
/* pcap files: every kind and byte order, damage, filters. */
#include "files.h"

#include <errno.h>
#include <sys/wait.h>

#include "base/array.h"

static void reads_every_magic(void **state)
{
    static const struct {
        uint32_t magic;
        int64_t fraction_us;
        size_t extra;
    } kinds[] = {{0xa1b2c3d4, 123456, 0}, {0xa1b23c4d, 123, 0}, {0xa1b2cd34, 123456, 8}};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        for (int big = 0; big <= 1; big++) {
            struct buffer b;
            buffer_init(&b, FILE_MAX);
            pcap_header(&b, kinds[i].magic, 101 | 0x50000000, big);
            for (uint32_t n = 1; n <= 3; n++) {
                put_u32(&b, n, big);
                put_u32(&b, 123456, big);
                put_u32(&b, 20 * n, big);
                put_u32(&b, 30 * n, big);
                put_bytes(&b, kinds[i].extra, 0xe0);
                put_bytes(&b, 20 * n, 0);
            }
            struct reading o = read_all(write_file(state, "x", b.bytes, b.length));
            assert_int_equal(o.opened, DL_OK);
            assert_int_equal(o.errors, 0);
            assert_int_equal(o.frames, 3);
            assert_int_equal(o.first.time_us, 1000000 + kinds[i].fraction_us);
            assert_int_equal(o.last.captured, 60);
            assert_int_equal(o.last.length, 90);
            assert_int_equal(o.last.number, 3);
            assert_int_equal(o.last.link_type, 101);
            assert_string_equal(o.kind, "pcap");
            assert_int_equal(o.stats.bytes, 180);
            assert_int_equal(o.stats.first_us, 1000000 + kinds[i].fraction_us);
            assert_int_equal(o.stats.last_us, 3000000 + kinds[i].fraction_us);
            assert_int_equal(o.stats.file_size, b.length);
            assert_int_equal(o.stats.file_offset, b.length);
            buffer_finish(&b);
        }
    }
}

static void gives_bytes_and_numbers(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    pcap_simple(&b, 5000); /* several blocks */
    const char *path = write_file(state, "x.pcap", b.bytes, b.length);
    struct capture *capture = NULL;
    struct frame frames[7];
    size_t count;
    uint64_t number = 0;
    assert_int_equal(capture_open_file(&capture, path, NULL, NULL), DL_OK);
    while (capture_read(capture, frames, ARRAY_LENGTH(frames), 0, &count, NULL) == DL_OK) {
        for (size_t i = 0; i < count; i++) {
            number++;
            assert_int_equal(frames[i].number, number);
            assert_int_equal(frames[i].captured, 60 + number % 1000);
            for (uint32_t n = 0; n < frames[i].captured; n++) {
                assert_int_equal(frames[i].data[n], (uint8_t)(1000 + number + n));
            }
        }
    }
    assert_int_equal(number, 5000);
    capture_close(capture);
    buffer_finish(&b);
}

/* All frames before the cut, the error once, then the end. */
static void tells_truncation_at_every_byte(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    pcap_simple(&b, 3);
    size_t ends[4] = {24, 24 + 77, 24 + 77 + 78, 24 + 77 + 78 + 79};
    assert_int_equal(b.length, ends[3]);
    for (size_t length = 4; length <= b.length; length++) {
        struct reading o = read_all(write_file(state, "x.pcap", b.bytes, length));
        if (length < 24) {
            assert_int_equal(o.opened, DL_TRUNCATED);
            assert_non_null(strstr(o.message, "x.pcap"));
            continue;
        }
        unsigned whole = 0;
        while (whole < 3 && ends[whole + 1] <= length) {
            whole++;
        }
        bool clean = length == ends[whole];
        assert_int_equal(o.opened, DL_OK);
        assert_int_equal(o.frames, whole);
        assert_int_equal(o.errors, clean ? 0 : 1);
        if (!clean) {
            char offset[32];
            snprintf(offset, sizeof(offset), "at byte %zu", ends[whole]);
            assert_int_equal(o.status, DL_TRUNCATED);
            assert_non_null(strstr(o.message, "x.pcap"));
            assert_non_null(strstr(o.message, offset));
        }
    }
    buffer_finish(&b);
}

static void refuses_what_is_no_capture(void **state)
{
    static const char text[] = "Dear diary, nothing was captured today, as far as I know.\n";
    struct reading o = read_all(write_file(state, "text.pcap", text, sizeof(text)));
    assert_int_equal(o.opened, DL_UNKNOWN_FORMAT);
    assert_non_null(strstr(o.message, "text.pcap"));
    assert_int_equal(read_all(write_file(state, "x", text, 1)).opened, DL_UNKNOWN_FORMAT);
    assert_int_equal(read_all(write_file(state, "empty", text, 0)).opened, DL_EMPTY);
    assert_int_equal(read_all(folder_file(state, "missing")).opened, -ENOENT);
    assert_int_equal(read_all(((struct folder *)*state)->path).opened, -EISDIR);
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    put_u32(&b, 0xa1b2c3d4, true);
    put_u16(&b, 3, true);
    put_bytes(&b, 18, 0);
    o = read_all(write_file(state, "v3", b.bytes, b.length));
    assert_int_equal(o.opened, DL_UNSUPPORTED);
    buffer_finish(&b);
}

static void takes_a_huge_record_for_damage(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    pcap_header(&b, 0xa1b2c3d4, 1, false);
    pcap_record(&b, 1, 0, CAPTURE_FRAME_MAX, CAPTURE_FRAME_MAX, false);
    pcap_record(&b, 2, 0, 100, 50, false); /* captured more than there was */
    pcap_record(&b, 3, 0, 0, 0, false);
    put_u64(&b, 4, false);
    put_u32(&b, CAPTURE_FRAME_MAX + 1, false);
    put_u32(&b, CAPTURE_FRAME_MAX + 1, false);
    put_bytes(&b, 1000, 0);
    struct reading o = read_all(write_file(state, "x", b.bytes, b.length));
    assert_int_equal(o.frames, 3);
    assert_int_equal(o.stats.bytes, CAPTURE_FRAME_MAX + 100);
    assert_int_equal(o.errors, 1);
    assert_int_equal(o.status, DL_MALFORMED);
    assert_non_null(strstr(o.message, "262145 bytes"));
    buffer_finish(&b);
}

static void swaps_lengths_of_old_versions(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    put_u32(&b, 0xa1b2c3d4, false);
    put_u16(&b, 2, false);
    put_u16(&b, 3, false);
    put_u64(&b, 0, false);
    put_u32(&b, 65535, false);
    put_u32(&b, 1, false);
    put_u64(&b, 1, false);
    put_u32(&b, 90, false); /* the wire's */
    put_u32(&b, 60, false);
    put_bytes(&b, 60, 0);
    struct reading o = read_all(write_file(state, "x", b.bytes, b.length));
    assert_int_equal(o.frames, 1);
    assert_int_equal(o.errors, 0);
    assert_int_equal(o.first.captured, 60);
    assert_int_equal(o.first.length, 90);
    buffer_finish(&b);
}

/* UDP from port 53 to `port`, over Ethernet, by hand. */
static void put_udp(struct buffer *b, uint16_t port)
{
    static const uint8_t head[] = {2, 0, 0, 0, 0,  1,  2, 0, 0,  0, 0, 2, 8,  0, 0x45, 0, 0, 28,
                                   0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0,    2, 0, 53};
    put_u64(b, 7, false);
    put_u32(b, 42, false);
    put_u32(b, 42, false);
    buffer_append(b, head, sizeof(head));
    put_u16(b, port, true);
    put_u16(b, 8, true);
    put_u16(b, 0, true);
}

static void applies_a_filter(void **state)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    pcap_header(&b, 0xa1b2c3d4, 1, false);
    for (uint16_t i = 0; i < 1000; i++) {
        put_udp(&b, i < 990 ? 1 : 2);
    }
    const char *path = write_file(state, "x", b.bytes, b.length);
    struct reading o = read_filtered(path, "udp dst port 2", 16);
    assert_int_equal(o.frames, 10);
    assert_int_equal(o.first.number, 991);
    assert_int_equal(o.stats.packets, 10);
    assert_int_equal(read_filtered(path, "udp src port 53", 16).frames, 1000);
    assert_int_equal(read_filtered(path, "tcp", 16).frames, 0);
    o = read_filtered(path, "dst dst dst", 16);
    assert_int_equal(o.opened, DL_USAGE);
    assert_non_null(strstr(o.message, "dst dst dst"));
    buffer_finish(&b);
}

static void reads_standard_input(void **state)
{
    (void)state;
    struct buffer b;
    int ends[2];
    buffer_init(&b, FILE_MAX);
    pcap_simple(&b, 2000);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        for (size_t at = 0; at < b.length;) { /* in small pieces */
            size_t piece = b.length - at < 1111 ? b.length - at : 1111;
            ssize_t wrote = write(ends[1], b.bytes + at, piece);
            at += wrote > 0 ? (size_t)wrote : piece;
        }
        _exit(0);
    }
    close(ends[1]);
    int kept = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    struct reading o = read_all("-");
    assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_CUR), -1); /* still open: not ours to close */
    assert_int_equal(errno, ESPIPE);
    dup2(kept, STDIN_FILENO);
    close(kept);
    close(ends[0]);
    waitpid(child, NULL, 0);
    assert_int_equal(o.frames, 2000);
    assert_int_equal(o.errors, 0);
    assert_int_equal(o.stats.file_size, 0);
    assert_int_equal(o.stats.file_offset, b.length);
    buffer_finish(&b);
}

static void wants_room_and_a_real_interface(void **state)
{
    struct buffer b;
    struct frame frame;
    struct capture *capture = NULL;
    struct dl_error error = {0};
    size_t count;
    buffer_init(&b, FILE_MAX);
    pcap_simple(&b, 1);
    const char *path = write_file(state, "x", b.bytes, b.length);
    assert_int_equal(capture_open_file(&capture, path, NULL, NULL), DL_OK);
    assert_int_equal(capture_read(capture, &frame, 0, 0, &count, &error), DL_USAGE);
    capture_close(capture);
    capture_close(NULL);
    capture = NULL;
    assert_int_not_equal(capture_open_live(&capture, "darkline-none0", NULL, &error), DL_OK);
    assert_int_equal(capture_open_live(&capture, "", NULL, &error), DL_NOT_FOUND);
    assert_null(capture);
    buffer_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_every_magic, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(gives_bytes_and_numbers, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(tells_truncation_at_every_byte, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_capture, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(takes_a_huge_record_for_damage, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(swaps_lengths_of_old_versions, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(applies_a_filter, folder_setup, folder_teardown),
        cmocka_unit_test(reads_standard_input),
        cmocka_unit_test_setup_teardown(wants_room_and_a_real_interface, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
