// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * One flow with its verdict, for machines (JSON, CSV) and for people (a table). The JSON keys are
 * the contract of design section 4.
 */
#include <stdio.h>

#include "analyzer/judge/judge_pass.h"
#include "base/json.h"

/* Always every key, unknown as null; no newline. */
void flow_write_json(struct json *json, const struct store_reader *reader,
                     const struct judged *judged);

/* RFC 4180, the same columns flattened, unknown empty; cells that a spreadsheet would take for a
 * formula begin with an apostrophe. */
void flow_write_csv_head(FILE *file);
void flow_write_csv(FILE *file, const struct store_reader *reader, const struct judged *judged);

/* A line of at most `width` columns. */
void flow_write_table_head(FILE *file, size_t width);
void flow_write_table(FILE *file, const struct judged *judged, size_t width);
