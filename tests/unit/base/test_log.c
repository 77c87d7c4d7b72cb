// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/log.h"

static int saved_stderr = -1;
static char got[65536];

/* Standard error goes to `fd` until stderr_restore(). */
static void stderr_redirect(int fd)
{
    saved_stderr = dup(STDERR_FILENO);
    assert_true(saved_stderr >= 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
}

static void stderr_restore(void)
{
    fflush(stderr);
    assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
    close(saved_stderr);
}

static FILE *begin_file(void)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    stderr_redirect(fileno(file));
    return file;
}

static void check_file(FILE *file, const char *expected)
{
    stderr_restore();
    rewind(file);
    size_t length = fread(got, 1, sizeof(got) - 1, file);
    got[length] = '\0';
    fclose(file);
    if (expected) {
        assert_string_equal(got, expected);
    }
}

static void say_everything(void)
{
    log_error("e %d", 1);
    log_warning("w %d", 2);
    log_info("i %d", 3);
    log_debug("d %d", 4);
}

static void test_levels(void **state)
{
    (void)state;
    assert_int_equal(log_get_level(), LOG_NORMAL);
    FILE *file = begin_file();
    log_set_level(LOG_QUIET);
    say_everything();
    check_file(file, "darkline: error: e 1\n");
    file = begin_file();
    log_set_level(LOG_NORMAL);
    say_everything();
    check_file(file, "darkline: error: e 1\ndarkline: warning: w 2\ndarkline: i 3\n");
    file = begin_file();
    log_set_level(LOG_VERBOSE);
    say_everything();
    check_file(file, "darkline: error: e 1\ndarkline: warning: w 2\ndarkline: i 3\n"
                     "darkline: debug: d 4\n");
    assert_int_equal(log_get_level(), LOG_VERBOSE);
    log_set_level(LOG_NORMAL);
}

static void check_escaped(const char *text, const char *expected)
{
    char line[256];
    FILE *file = begin_file();
    log_error("%s", text);
    snprintf(line, sizeof(line), "darkline: error: %s\n", expected);
    check_file(file, line);
}

static void test_controls_are_escaped(void **state)
{
    (void)state;
    check_escaped("plain % \\ text", "plain % \\ text");
    check_escaped("\x1b[2J\r\n\t\x01\x7f", "\\x1b[2J\\x0d\\x0a\\x09\\x01\\x7f");
    check_escaped("\xc2\x9b"
                  "2J \xc2\xa0 \xc3\xa9",
                  "\\xc2\\x9b2J \xc2\xa0 \xc3\xa9");
    check_escaped("\x9b"
                  "2J",
                  "\\x9b2J");
    check_escaped("\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80");
    /* a right-to-left override would let a hostile name rewrite the rest of the message */
    check_escaped("a\xe2\x80\xae.", "a\\xe2\\x80\\xae.");
    check_escaped("\xc0\x9b \xe0\x82\x9b", "\\xc0\\x9b \\xe0\\x82\\x9b");
    check_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80");
    check_escaped("\xf4\x90\x80\x80 \xf8", "\\xf4\\x90\\x80\\x80 \\xf8");
    check_escaped("\xe2\x82", "\\xe2\\x82");
}

static void test_long_message_is_cut(void **state)
{
    char text[20000];
    (void)state;
    memset(text, 0x1b, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    FILE *file = begin_file();
    log_error("%s", text);
    check_file(file, NULL);
    assert_int_equal(strlen(got), strlen("darkline: error: \n") + 4 * 4095);
}

static void test_no_progress_in_a_file(void **state)
{
    (void)state;
    FILE *file = begin_file();
    assert_false(log_progress_wanted());
    log_progress("%d", 1);
    log_progress_end();
    check_file(file, "");
}

static int terminal_open(int *ret_reader)
{
    struct winsize size = {.ws_row = 24, .ws_col = 11};
    int reader = posix_openpt(O_RDWR | O_NOCTTY);
    if (reader < 0 || grantpt(reader) != 0 || unlockpt(reader) != 0) {
        skip();
    }
    int writer = open(ptsname(reader), O_RDWR | O_NOCTTY);
    assert_true(writer >= 0);
    assert_int_equal(ioctl(writer, TIOCSWINSZ, &size), 0);
    *ret_reader = reader;
    return writer;
}

/* The terminal turns each line end into \r\n. */
static void check_terminal(int reader, const char *expected)
{
    struct pollfd poller = {.fd = reader, .events = POLLIN};
    size_t length = 0;

    while (length < sizeof(got) - 1 && poll(&poller, 1, 50) > 0 && poller.revents & POLLIN) {
        ssize_t count = read(reader, got + length, sizeof(got) - 1 - length);
        if (count <= 0) {
            break;
        }
        length += (size_t)count;
    }
    got[length] = '\0';
    assert_string_equal(got, expected);
}

static void test_progress_on_a_terminal(void **state)
{
    int reader, writer = terminal_open(&reader);
    (void)state;
    stderr_redirect(writer);
    bool wanted = log_progress_wanted();
    log_progress("%d of 9", 1);
    log_progress("%s", "\x1b\xc3\xa9 and more than fits");
    log_error("x");
    log_info("y");
    log_progress("z");
    log_progress_end();
    log_progress_end();
    log_set_level(LOG_QUIET);
    bool wanted_quiet = log_progress_wanted();
    log_progress("q");
    log_set_level(LOG_NORMAL);
    stderr_restore();
    check_terminal(reader, "\r1 of 9\033[K\r\\x1b\xc3\xa9 and \033[K\r\033[Kdarkline: error: x\r\n"
                           "darkline: y\r\n\rz\033[K\r\033[K");
    assert_true(wanted);
    assert_false(wanted_quiet);
    close(writer);
    close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_controls_are_escaped),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_no_progress_in_a_file),
        cmocka_unit_test(test_progress_on_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
