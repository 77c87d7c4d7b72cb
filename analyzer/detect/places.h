// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the analysis asks about the world (analysis.h), answered by the catalog.
 */
#include "analyzer/detect/analysis.h"
#include "catalog/catalog.h"

/*
 * Local time is the country's clock (UTC where the catalog has none), the owner is the carrier's at
 * that moment (NULL where the catalog knows none: not known to be independent of any other). A
 * service needs no DNS where the catalog knows it by no name at all: whoever reaches it had its
 * address. The catalog is borrowed.
 */
void places_init(struct analysis_places *ret_places, const struct catalog *catalog);
