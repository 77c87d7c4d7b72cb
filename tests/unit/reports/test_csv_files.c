// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/data/csv.h"
#include "reports/data/data.h"
#include "tests/unit/reports/made_findings.h"

static char *text;
static size_t length;

static struct csv begin(void)
{
    FILE *file = open_memstream(&text, &length);

    assert_non_null(file);
    return (struct csv){.file = file};
}

static void expect(struct csv *csv, const char *wanted)
{
    fclose(csv->file);
    assert_string_equal(text, wanted);
    free(text);
    text = NULL;
}

#define CHECK(cell, wanted)                                                                        \
    do {                                                                                           \
        struct csv csv = begin();                                                                  \
        csv_text(&csv, cell);                                                                      \
        expect(&csv, wanted);                                                                      \
    } while (0)

static void test_text(void **state)
{
    (void)state;
    CHECK("plain", "plain");
    CHECK(NULL, "");
    CHECK("a,b", "\"a,b\"");
    CHECK("a\"b", "\"a\"\"b\"");
    CHECK("a\nb", "\"a\\x0ab\"");
    CHECK("\xe2\x80\xae", "\\u202e");
    CHECK("\xff", "\xef\xbf\xbd");
    CHECK("\xc3\xa9", "\xc3\xa9");
}

/* Wherever a spreadsheet would begin a cell. */
static void test_formulas(void **state)
{
    (void)state;
    CHECK("=1+1", "'=1+1");
    CHECK("+1", "'+1");
    CHECK("-1", "'-1");
    CHECK("@a", "'@a");
    CHECK("\t=1", "'\\x09'=1");
    CHECK(" =1", " '=1");
    CHECK("a;=1", "\"a;'=1\"");
    CHECK("a,\"=1", "\"a,\"\"'=1\"");
    CHECK("\xef\xbc\x9d"
          "1",
          "'\xef\xbc\x9d"
          "1");
    CHECK("a=1", "a=1");
    CHECK("2015-11-30", "2015-11-30");
}

static void test_row(void **state)
{
    struct csv csv = begin();

    (void)state;
    csv_text(&csv, "a");
    csv_known(&csv, 7, false);
    csv_count(&csv, UINT64_MAX);
    csv_number(&csv, -0.25);
    csv_number(&csv, NAN);
    csv_hour(&csv, INT64_C(1448881200000000) + 59 * 60 * INT64_C(1000000));
    csv_hour_up(&csv, INT64_C(1448881200000001));
    csv_end(&csv);
    csv_count(&csv, 1);
    expect(&csv, "a,,18446744073709551615,-0.25,,2015-11-30T11:00:00Z,2015-11-30T12:00:00Z\r\n1");
}

static size_t cells_in(const char *line)
{
    size_t count = 1;
    bool quoted = false;

    for (; *line && (quoted || *line != '\r'); line++) {
        quoted ^= *line == '"';
        count += *line == ',' && !quoted;
    }
    return count;
}

/* Every row of the made world's events has the columns of the head. */
static void test_events(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    FILE *file = open_memstream(&text, &length);
    size_t rows = 0;

    (void)state;
    assert_non_null(findings);
    assert_int_equal(events_csv_write(file, findings), DL_OK);
    fclose(file);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1, rows++)
        assert_int_equal(cells_in(line), cells_in(text));
    assert_int_equal(rows, findings->event_count + 1);
    assert_non_null(strstr(text, ",composed,false\r\n"));
    free(text);
    made_findings_destroy(findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_formulas),
                                       cmocka_unit_test(test_row), cmocka_unit_test(test_events)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
