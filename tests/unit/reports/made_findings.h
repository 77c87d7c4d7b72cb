// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Findings made by hand, for tests of those who write them: no store, no analysis, and every kind of thing once.
 *
 * MADE_ORDER: an order carried out. Four carriers of Pakistan and one abroad; jazz complied (confirmed, ended),
 *   zong, which the order does not name, did the same (likely, goes on), ufone and telenor-pk are
 *   insufficient and not observed. One event names an actor by its block page, one pair is withheld, one
 *   timeline has a gap and a withheld bin. A capture's name and a host are hostile.
 * MADE_NOTHING: enough was seen, and no sign of interference; field data of two carriers.
 * MADE_NOT_ENOUGH: a few attempts of the lab, nothing can be said.
 *
 * There is no reader: findings_each_flow() gives none. The cells are real ones: findings_each_cell() gives
 * a few.
 */
#include "reports/findings/findings.h"

#define MADE_HOSTILE_NAME "a\"><script>alert(1)</script>\xe2\x80\xae=1+1.pcap"

enum made_world { MADE_ORDER, MADE_NOTHING, MADE_NOT_ENOUGH };

/* NULL where the catalog cannot be loaded or memory is out. */
struct findings *made_findings(enum made_world world);
void made_findings_destroy(struct findings *findings); /* accepts NULL */
