// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "analyzer/judge/judge.h"

/* Every mechanism and every rule has its sentence, and no two share an id. */

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; judge_mechanism_at(i); i++)
        assert_string_not_equal(judge_mechanism_text(judge_mechanism_at(i)), judge_mechanism_at(i));
    assert_null(judge_mechanism_text(NULL));
    for (size_t i = 0; judge_rule_at(i); i++)
        assert_true(judge_rule_at(i)->says[0] && judge_rule_at(i)->source[0]);
}

static void test_ids(void **state)
{
    (void)state;
    for (size_t i = 0; judge_rule_at(i); i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(judge_rule_at(i)->id, judge_rule_at(j)->id);
    for (size_t i = 0; judge_mechanism_at(i); i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(judge_mechanism_at(i), judge_mechanism_at(j));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
