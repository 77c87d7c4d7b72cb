// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * An analysis for people: events, campaigns, orders, the state now, and what was looked at, in plain
 * words. It says what was measured and never who is behind it; what an order demands and what was
 * seen stand side by side.
 */
#include <stdio.h>

#include "analyzer/detect/analysis_json.h"
#include "catalog/catalog.h"

/* The catalog gives names and classes. */
void analysis_write_text(FILE *file, const struct analysis_document *document,
                         const struct catalog *catalog);
