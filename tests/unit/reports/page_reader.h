// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A page read back by another hand than ours: every element opened is closed, in order, attributes are
 * quoted and of names that we write, nothing runs but our own script.
 */
#include <stddef.h>

#include "tests/unit/reports/read_json.h"

struct page_read {
    size_t elements, scripts, styles, data, data_with_ref, times_with_ref, data_links;
    size_t headings[7]; /* by level */
};

/* Fails the test where the text is not well formed. `report`: numbers are compared with it; NULL: are not. */
void page_read(const char *text, const struct read_json *report, struct page_read *ret_read);
