// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Rows of comma-separated values (RFC 4180, lines end in CR LF) that are safe to open: a text that a
 * spreadsheet would take for a formula begins with an apostrophe, also after a comma, semicolon or
 * bar, where a spreadsheet may cut with other settings; controls and characters that cannot be seen
 * or turn the direction of text are escaped ("\x1b", "\u202e"). Numbers are written as they are.
 * The FILE's own error flag tells of write errors.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct csv {
    FILE *file;
    bool begun; /* the row has a cell */
};

void csv_text(struct csv *csv, const char *text); /* NULL and "": an empty cell */
void csv_count(struct csv *csv, uint64_t value);
void csv_known(struct csv *csv, uint64_t value, bool known); /* else an empty cell */
void csv_number(struct csv *csv, double value);              /* six digits; NaN: empty */
void csv_hour(struct csv *csv, int64_t time_us);             /* 0: empty */
void csv_hour_up(struct csv *csv, int64_t time_us);
void csv_end(struct csv *csv); /* of the row */
