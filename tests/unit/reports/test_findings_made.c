// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/reports/made_findings.h"

/* The made worlds hold together: their indexes lie within their lists. */

static void test_indexes(void **state)
{
    (void)state;
    for (int world = MADE_ORDER; world <= MADE_NOT_ENOUGH; world++) {
        struct findings *findings = made_findings(world);
        assert_non_null(findings);
        for (size_t i = 0; i < findings->pair_count; i++) {
            const struct findings_pair *pair = &findings->pairs[i];
            assert_true(pair->worst_event == FINDINGS_NONE ||
                        pair->worst_event < findings->event_count);
            assert_true(pair->chart == FINDINGS_NONE || pair->chart < findings->chart_count);
        }
        for (size_t i = 0; i < findings->event_count; i++) {
            const struct findings_event *event = &findings->events[i];
            assert_true(event->pair < findings->pair_count);
            assert_true(event->campaign < findings->campaign_count);
            assert_in_range(event->first_card + event->card_count, 0, findings->card_count);
        }
        made_findings_destroy(findings);
    }
}

static void test_order(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    (void)state;
    assert_non_null(findings);
    assert_int_equal(findings->headline, HEADLINE_ORDER_CARRIED_OUT);
    assert_non_null(findings->orders[0].order);
    assert_true(findings->orders[0].times.due_us > 0);
    assert_string_equal(findings_strength_text(findings->strength), "confirmed");
    made_findings_destroy(findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_indexes),
                                       cmocka_unit_test(test_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
