// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer/judge/keyed.h"
#include "base/status.h"

#define MAXIMUM 1000u

static struct keyed_key key_of(uint64_t number)
{
    return (struct keyed_key){{number, 0, number << 32, 7}};
}

/* Values stay with their keys while the table grows, begin as zeros, and stop at the bound. */
static void test_values(void **state)
{
    struct keyed *keyed;
    int status = DL_OK;

    (void)state;
    assert_int_equal(keyed_create(&keyed, sizeof(uint64_t), MAXIMUM), DL_OK);
    for (uint64_t i = 0; i < MAXIMUM; i++) {
        struct keyed_key key = key_of(i);
        assert_null(keyed_find(keyed, &key));
        uint64_t *value = keyed_add(keyed, &key, &status);
        assert_non_null(value);
        assert_int_equal(*value, 0);
        *value = i + 1;
        assert_ptr_equal(keyed_add(keyed, &key, &status), value);
    }
    for (uint64_t i = 0; i < MAXIMUM; i++) {
        struct keyed_key key = key_of(i);
        assert_int_equal(*(uint64_t *)keyed_find(keyed, &key), i + 1);
        assert_int_equal(*(uint64_t *)keyed_at(keyed, (uint32_t)i), i + 1);
    }
    struct keyed_key more = key_of(MAXIMUM);
    assert_null(keyed_add(keyed, &more, &status));
    assert_int_equal(status, DL_OK);
    assert_int_equal(keyed_refused(keyed), 1);
    assert_int_equal(keyed_count(keyed), MAXIMUM);
    keyed_destroy(keyed);
    keyed_destroy(NULL);
}

static void test_few(void **state)
{
    struct keyed_few few = {.count = 0};

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        keyed_few_add(&few, i % 3 << 60);
    assert_int_equal(few.count, 3);
    keyed_few_add(&few, 7);
    keyed_few_add(&few, 8);
    assert_int_equal(few.count, KEYED_FEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_few)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
