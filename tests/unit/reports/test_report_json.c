// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "reports/data/data.h"
#include "tests/unit/reports/made_findings.h"
#include "tests/unit/reports/read_json.h"

static char *written(const struct findings *findings, size_t *ret_length)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, ret_length);

    assert_non_null(file);
    assert_int_equal(report_json_write(file, findings), DL_OK);
    fclose(file);
    return text;
}

static struct read_json *parsed(const struct findings *findings)
{
    size_t length;
    char *text = written(findings, &length);
    struct read_json *json = read_json_parse(text, length);

    free(text);
    return json;
}

static void test_order(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    struct read_json *report = parsed(findings);

    (void)state;
    assert_string_equal(read_json_text(report, "/report/headline/kind"), "order-carried-out");
    assert_string_equal(read_json_text(report, "/report/id"), findings->id);
    assert_int_equal(read_json_integer(report, "/events/0/failures"),
                     findings->events[0].share.failures);
    assert_int_equal(read_json_integer(report, "/events/0/worked"),
                     findings->events[0].share.attempts - findings->events[0].share.failures);
    assert_true(read_json_real(report, "/events/0/interval/0") == findings->events[0].share.low);
    assert_true(read_json_is_null(report, "/events/1/end"));
    assert_string_equal(read_json_text(report, "/events/0/onset/earliest"), "2015-11-30T11:00:00Z");
    assert_int_equal(read_json_size(report, "/pairs"), findings->pair_count);
    assert_int_equal(read_json_size(report, "/states"), findings->pair_count);
    assert_true(read_json_is_null(report, "/pairs/3/minimum_detectable_share"));
    assert_int_equal(read_json_size(report, "/cards/0/steps"), findings->cards[0].step_count);
    assert_int_equal(read_json_size(report, "/charts/0/bins"), findings->charts[0].bin_count);
    read_json_destroy(report);
    made_findings_destroy(findings);
}

/* No time of an input, an event or a bin is finer than an hour. */
static void test_hours(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    struct read_json *report = parsed(findings);

    (void)state;
    assert_string_equal(read_json_text(report, "/inputs/0/first"), "2015-11-29T00:00:00Z");
    assert_string_equal(read_json_text(report, "/inputs/0/last"), "2015-12-04T00:00:00Z");
    read_json_destroy(report);
    made_findings_destroy(findings);
}

static void test_other_worlds(void **state)
{
    static const struct {
        enum made_world world;
        const char *kind;
    } cases[] = {{MADE_NOTHING, "nothing"}, {MADE_NOT_ENOUGH, "not-enough"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct findings *findings = made_findings(cases[i].world);
        struct read_json *report = parsed(findings);
        assert_string_equal(read_json_text(report, "/report/headline/kind"), cases[i].kind);
        assert_true(read_json_is_null(report, "/report/headline/event"));
        read_json_destroy(report);
        made_findings_destroy(findings);
    }
}

/* The id is the digest of the file without it and without the command, which another language changes. */
static void test_id(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    struct findings_options options = *findings->options;
    char first[FINDINGS_ID_SIZE], second[FINDINGS_ID_SIZE], text[DIGEST_TEXT_SIZE];
    uint8_t hash[DIGEST_SIZE];
    size_t length;

    (void)state;
    assert_int_equal(digest_setup(), DL_OK);
    assert_int_equal(report_json_id(findings, first), DL_OK);
    findings_set_id(findings, "");
    options.command_line = NULL;
    findings->options = &options;
    char *nameless = written(findings, &length);
    digest_sha256(nameless, length, hash);
    assert_memory_equal(digest_text(hash, text), first, FINDINGS_ID_SIZE - 1);
    findings_set_id(findings, first);
    assert_int_equal(report_json_id(findings, second), DL_OK);
    assert_string_equal(first, second);
    findings->proven++;
    assert_int_equal(report_json_id(findings, second), DL_OK);
    assert_string_not_equal(first, second);
    free(nameless);
    made_findings_destroy(findings);
}

/* What turns the direction of text is not in the file as it is. */
static void test_hostile(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    size_t length;
    char *text = written(findings, &length);
    struct read_json *report = parsed(findings);

    (void)state;
    assert_null(strstr(text, "\xe2\x80\xae"));
    assert_string_equal(read_json_text(report, "/inputs/1/path"), MADE_HOSTILE_NAME);
    read_json_destroy(report);
    free(text);
    made_findings_destroy(findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_other_worlds), cmocka_unit_test(test_id),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
