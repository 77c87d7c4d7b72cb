// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/places.h"

#define SUMMER_2015 INT64_C(1436000000000000) /* 4 July */
#define WINTER_2015 INT64_C(1450000000000000) /* 13 December */

static struct catalog *catalog;
static struct places places;
static struct analysis_places answers;

static int load(void **state)
{
    const char *root = getenv("DARKLINE_SOURCE");
    char folder[4096];
    struct dl_error error = {0};
    (void)state;
    snprintf(folder, sizeof(folder), "%s/catalog", root ? root : ".");
    if (catalog_load(&catalog, folder, &error) != DL_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    places = (struct places){.catalog = catalog};
    places_init(&answers, &places);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    catalog_destroy(catalog);
    return 0;
}

static void test_clocks(void **state)
{
    (void)state;
    assert_int_equal(answers.offset_minutes(answers.context, "PK", WINTER_2015), 300);
    assert_int_equal(answers.offset_minutes(answers.context, "KE", WINTER_2015), 180);
    assert_int_equal(answers.offset_minutes(answers.context, "NL", SUMMER_2015), 120);
    assert_int_equal(answers.offset_minutes(answers.context, "NL", WINTER_2015), 60);
    assert_int_equal(answers.offset_minutes(answers.context, "", WINTER_2015), 0);
}

static void test_owners(void **state)
{
    (void)state;
    assert_non_null(answers.owner(answers.context, "safaricom", WINTER_2015));
    assert_null(answers.owner(answers.context, "as64500", WINTER_2015));
}

static void test_services(void **state)
{
    (void)state;
    assert_int_equal(answers.service_class(answers.context, "telegram"), CLASS_MESSAGING);
    assert_int_equal(answers.service_class(answers.context, "control-wikipedia"), CLASS_CONTROL);
    assert_int_equal(answers.service_class(answers.context, "no-such"), CLASS_NONE);
    assert_true(answers.needs_dns(answers.context, "signal"));
    assert_true(answers.needs_dns(answers.context, "no-such"));
    assert_false(answers.needs_dns(answers.context, "ipsec"));
}

/* Without verdicts nobody can tell, and that is no error. */
static void test_no_verdicts(void **state)
{
    uint64_t attempts, failures;
    (void)state;
    assert_int_equal(
        answers.same_server(answers.context, "jazz", "telegram", 0, 1, &attempts, &failures),
        DL_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_no_verdicts),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
