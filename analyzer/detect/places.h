// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the analysis asks about the world (analysis.h), answered by the catalog and the verdicts.
 */
#include "analyzer/detect/verdicts.h"
#include "catalog/catalog.h"

struct places {
    const struct catalog *catalog;
    struct verdicts
        *verdicts; /* to ask what else the same servers answered; NULL: nobody can tell */
};

/*
 * Local time is the country's clock (UTC where the catalog has none), the owner is the carrier's at
 * that moment (NULL where the catalog knows none: not known to be independent of any other). A
 * service needs no DNS where the catalog knows it by no name at all: whoever reaches it had its
 * address. All is borrowed and must outlive the answers.
 */
void places_init(struct analysis_places *ret_answers, struct places *places);
