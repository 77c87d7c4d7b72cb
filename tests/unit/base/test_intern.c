// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/intern.h"
#include "base/status.h"

static struct intern *create(uint32_t max_strings, size_t max_bytes)
{
    struct intern *intern = NULL;
    assert_int_equal(intern_create(&intern, max_strings, max_bytes), DL_OK);
    return intern;
}

static void test_each_text_once(void **state)
{
    struct intern *intern = create(10, 100);
    (void)state;
    assert_int_equal(intern_find(intern, "a", 1), INTERN_NONE);
    assert_int_equal(intern_add(intern, "alpha", 5), 1);
    assert_int_equal(intern_add(intern, "beta", 4), 2);
    assert_int_equal(intern_add(intern, "alphabet", 5), 1);
    assert_int_equal(intern_add(intern, "alphabet", 8), 3);
    assert_int_equal(intern_find(intern, "beta", 4), 2);
    assert_int_equal(intern_find(intern, "bet", 3), INTERN_NONE);
    assert_string_equal(intern_text(intern, 1), "alpha");
    assert_string_equal(intern_text(intern, 3), "alphabet");
    assert_int_equal(intern_count(intern), 3);
    assert_int_equal(intern_refused(intern), 0);
    intern_destroy(intern);
}

static void test_nothing(void **state)
{
    struct intern *intern = create(10, 100);
    (void)state;
    assert_int_equal(intern_add(intern, "", 0), INTERN_NONE);
    assert_int_equal(intern_add(intern, NULL, 0), INTERN_NONE);
    assert_int_equal(intern_find(intern, "", 0), INTERN_NONE);
    assert_int_equal(intern_refused(intern), 0);
    assert_string_equal(intern_text(intern, INTERN_NONE), "");
    assert_string_equal(intern_text(intern, 1), "");
    assert_string_equal(intern_text(intern, UINT32_MAX), "");
    intern_destroy(intern);
    intern_destroy(NULL);
}

static void test_maximum_of_strings(void **state)
{
    struct intern *intern = create(2, 100);
    struct intern *none = create(0, 100);
    (void)state;
    assert_int_equal(intern_add(intern, "a", 1), 1);
    assert_int_equal(intern_add(intern, "b", 1), 2);
    assert_int_equal(intern_add(intern, "c", 1), INTERN_NONE);
    assert_int_equal(intern_add(intern, "a", 1), 1);
    assert_int_equal(intern_find(intern, "c", 1), INTERN_NONE);
    assert_int_equal(intern_refused(intern), 1);
    assert_int_equal(intern_add(none, "a", 1), INTERN_NONE);
    intern_destroy(intern);
    intern_destroy(none);
}

static void test_maximum_of_bytes(void **state)
{
    struct intern *intern = create(100, 5);
    (void)state;
    assert_int_equal(intern_add(intern, "abc", 3), 1);
    assert_int_equal(intern_add(intern, "def", 3), INTERN_NONE);
    assert_int_equal(intern_add(intern, "de", 2), 2);
    assert_int_equal(intern_add(intern, "f", 1), INTERN_NONE);
    assert_int_equal(intern_refused(intern), 2);
    intern_destroy(intern);
}

static void test_nul_is_refused(void **state)
{
    struct intern *intern = create(10, 100);
    (void)state;
    assert_int_equal(intern_add(intern, "a\0b", 3), INTERN_NONE);
    assert_int_equal(intern_refused(intern), 1);
    intern_destroy(intern);
}

static void test_many_stay_where_they_are(void **state)
{
    enum { COUNT = 20000 };
    struct intern *intern = create(COUNT, SIZE_MAX);
    const char **texts = calloc(COUNT, sizeof(*texts));
    char text[32];
    (void)state;
    assert_non_null(texts);
    for (uint32_t i = 0; i < COUNT; i++) {
        int length = snprintf(text, sizeof(text), "name-%u.example", i);
        assert_int_equal(intern_add(intern, text, (size_t)length), i + 1);
        texts[i] = intern_text(intern, i + 1);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        int length = snprintf(text, sizeof(text), "name-%u.example", i);
        assert_int_equal(intern_find(intern, text, (size_t)length), i + 1);
        assert_ptr_equal(intern_text(intern, i + 1), texts[i]);
        assert_string_equal(texts[i], text);
    }
    assert_int_equal(intern_add(intern, "more", 4), INTERN_NONE);
    assert_true(intern_memory(intern) > COUNT * strlen("name-0.example"));
    assert_true(intern_memory(intern) < COUNT * 100);
    free(texts);
    intern_destroy(intern);
}

static void test_long_texts_between_short(void **state)
{
    enum { LENGTH = 100000 };
    struct intern *intern = create(1000, SIZE_MAX);
    char *text = malloc(LENGTH);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', LENGTH);
    for (size_t length = LENGTH; length > 0; length /= 2) {
        uint32_t large = intern_add(intern, text, length);
        char name[16];
        int name_length = snprintf(name, sizeof(name), "%zu", length);
        uint32_t small = intern_add(intern, name, (size_t)name_length);
        assert_int_equal(strlen(intern_text(intern, large)), length);
        assert_string_equal(intern_text(intern, small), name);
    }
    assert_int_equal(strlen(intern_text(intern, 1)), LENGTH);
    free(text);
    intern_destroy(intern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_text_once),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_maximum_of_strings),
        cmocka_unit_test(test_maximum_of_bytes),
        cmocka_unit_test(test_nul_is_refused),
        cmocka_unit_test(test_many_stay_where_they_are),
        cmocka_unit_test(test_long_texts_between_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
