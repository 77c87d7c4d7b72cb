// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include "base/status.h"

static void test_every_status_has_a_sentence(void **state)
{
    (void)state;
    for (int status = DL_STATUS_FIRST; status <= DL_STATUS_LAST; status++) {
        const char *sentence = dl_strerror(status);
        assert_non_null(sentence);
        assert_string_not_equal(sentence, "Unknown status");
        assert_true(sentence[strlen(sentence) - 1] != '.');
        for (int other = DL_STATUS_FIRST; other < status; other++) {
            assert_string_not_equal(sentence, dl_strerror(other));
        }
    }
}

static void test_errno_and_unknown(void **state)
{
    (void)state;
    assert_string_equal(dl_strerror(DL_OK), "Success");
    assert_string_equal(dl_strerror(-ENOENT), "No such file or directory");
    assert_string_equal(dl_strerror(-9000), "Unknown status");
    assert_string_equal(dl_strerror(DL_STATUS_LAST + 1), "Unknown status");
    assert_string_equal(dl_strerror(DL_STATUS_FIRST - 1), "Unknown status");
    assert_string_equal(dl_strerror(1), "Unknown status");
    assert_string_equal(dl_strerror(INT_MIN), "Unknown status");
}

static void test_error_set(void **state)
{
    struct dl_error error = {0};
    (void)state;
    assert_int_equal(dl_error_set(NULL, DL_CORRUPT, "%d", 1), DL_CORRUPT);
    assert_int_equal(dl_error_set(&error, DL_MALFORMED, "%s: bad at %d", "x.pcap", 24),
                     DL_MALFORMED);
    assert_int_equal(error.status, DL_MALFORMED);
    assert_string_equal(error.message, "x.pcap: bad at 24");
    dl_error_set(&error, DL_TRUNCATED, "file 2: %s", error.message);
    assert_string_equal(error.message, "file 2: x.pcap: bad at 24");
}

static void test_long_message_is_cut(void **state)
{
    struct dl_error error;
    (void)state;
    dl_error_set(&error, DL_LIMIT, "%01000d", 5);
    assert_int_equal(strlen(error.message), DL_ERROR_SIZE - 1);
}

static void test_error_text(void **state)
{
    struct dl_error error = {0};
    (void)state;
    assert_string_equal(dl_error_text(NULL, -EACCES), "Permission denied");
    assert_string_equal(dl_error_text(&error, DL_EMPTY), dl_strerror(DL_EMPTY));
    dl_error_set(&error, DL_EMPTY, "nothing in a.pcap");
    assert_string_equal(dl_error_text(&error, DL_EMPTY), "nothing in a.pcap");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status_has_a_sentence),
        cmocka_unit_test(test_errno_and_unknown),
        cmocka_unit_test(test_error_set),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_error_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
