// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "analyzer/detect/cells.h"
#include "base/status.h"

#define HOUR INT64_C(3600000000)

static struct cell_line line_of(const char *carrier, const char *probe)
{
    struct cell_line line = {.country = "PK"};
    strcpy(line.carrier, carrier);
    strcpy(line.probe_id, probe);
    return line;
}

static void add(struct cells *cells, const char *carrier, const char *probe, const char *service,
                int64_t hour)
{
    struct cell_line line = line_of(carrier, probe);
    struct cell cell = {.hour_us = hour * HOUR, .first_ms = 5, .last_ms = 6};
    assert_int_equal(cells_name_line(cells, &line, &cell.line), DL_OK);
    assert_int_equal(cells_name_service(cells, service, &cell.service), DL_OK);
    assert_int_equal(cells_add(cells, &cell), DL_OK);
}

/* Whatever the order of coming, the order of names and hours is the same. */
static void test_order(void **state)
{
    struct cells *cells;
    const struct cell *cell;
    size_t count;
    (void)state;
    assert_int_equal(cells_create(&cells), DL_OK);
    add(cells, "zong", "p", "telegram", 9);
    add(cells, "jazz", "p2", "viber", 3);
    add(cells, "jazz", "p1", "telegram", 7);
    add(cells, "jazz", "p2", "telegram", 4);
    assert_int_equal(cells_seal(cells), DL_OK);
    assert_int_equal(cells_carrier_count(cells), 2);
    assert_string_equal(cells_carrier(cells, 0), "jazz");
    assert_string_equal(cells_carrier_country(cells, 0), "PK");
    assert_string_equal(cells_service(cells, 0), "telegram");
    cell = cells_series(cells, 0, 0, &count);
    assert_int_equal(count, 2);
    assert_true(cell[0].hour_us == 4 * HOUR && cell[1].hour_us == 7 * HOUR);
    assert_string_equal(cells_line(cells, cell[0].line)->probe_id, "p2");
    cells_series(cells, 1, 1, &count);
    assert_int_equal(count, 0);
    assert_true(cells_first_us(cells) == 3 * HOUR + 5000);
    assert_true(cells_last_us(cells) == 9 * HOUR + 6000);
    cells_destroy(cells);
}

static void test_empty(void **state)
{
    struct cells *cells;
    size_t count;
    (void)state;
    assert_int_equal(cells_create(&cells), DL_OK);
    assert_int_equal(cells_seal(cells), DL_OK);
    assert_null(cells_series(cells, 0, 0, &count));
    assert_int_equal(count, 0);
    assert_int_equal(cells_carrier_count(cells), 0);
    cells_destroy(cells);
    cells_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_empty)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
