// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The findings for other hands. Each writer takes the findings and a FILE, whose own error flag tells
 * of write errors; the same findings give the same bytes on any machine. Columns and keys are explained
 * in docs/report-data.md.
 *
 * Every file marks lab, composed and draft input: a column `origin` and a column or key `draft`.
 * CSV is RFC 4180 with a header line; a cell that a spreadsheet would take for a formula begins with an
 * apostrophe; directional and control characters are escaped.
 */
#include <stdio.h>

#include "base/json.h"
#include "reports/findings/findings.h"

/*
 * One object: `report` {id, schema, headline, strength, quality, options, versions ...}, then the keys of
 * `analyze --json` (design section 4: inputs, events, campaigns, orders, coverage, states) with hours for
 * times, and `lines`, `carriers`, `services`, `pairs`, `cards`, `charts`, `notes`, `uncatalogued`,
 * `taken_back`, `withheld`: each list in the findings' order, so that an index here is an index there.
 * With findings->id "" the key `report.id` is null: the form whose digest the id is.
 */
int report_json_write(FILE *file, const struct findings *findings);
/* The first 16 hex digits of the digest of the form without an id and a command line: the same for every
 * language. */
int report_json_id(const struct findings *findings, char ret_id[FINDINGS_ID_SIZE]);

/* The schema of that object (JSON Schema 2020-12), a file of its own beside it. */
extern const char report_json_schema[];

int events_csv_write(FILE *file, const struct findings *findings);
/* The reduced shape of Censored Planet where it fits: date, hour, country, network, domain, outcome ... count. */
int cells_csv_write(FILE *file, const struct findings *findings);

/* Both in one pass with the judge: flows.csv and OONI's measurements (data format 0.2.0, test_name
 * `darkline_flow`), one attempt a line, that `darkline import ooni` reads back to the same counts. Either FILE may
 * be NULL. */
int flows_write(FILE *csv, FILE *ooni, const struct findings *findings, struct dl_error *error);
