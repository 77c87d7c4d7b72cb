// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Silence as evidence: habitual users who are gone from a service and still there otherwise, and a
 * tap whose traffic is gone while its link is up. Packets cannot fail that nobody sends: a carrier
 * may close a service in its registers.
 *
 * A voice is habitual after ABSENCE_DAYS days with the service; it is gone while it keeps being
 * active on others without it, on ABSENCE_ACTIVE_DAYS days or more: weekends and short holidays are
 * shorter. What it owes is its own share of attempts, of those it makes at others meanwhile: who is half
 * as active owes half, and a dead probe owes nothing. Voices that leave one by one are no event: half
 * of the habitual ones or more must leave within ABSENCE_TOGETHER_US. Imported rows never speak
 * here: a gap in measuring is no absence.
 */
#include "analyzer/detect/analysis_internal.h"

#define ABSENCE_VOICES      5
#define ABSENCE_DAYS        4
#define ABSENCE_EXPECTED    14.0 /* attempts owed: chance gives none once in a million */
#define ABSENCE_ACTIVE_DAYS 4
#define ABSENCE_OWED        3.0 /* by each voice */
#define ABSENCE_SHARE       0.6
#define ABSENCE_TOGETHER_US INT64_C(259200000000) /* 3 days */
#define ABSENCE_DUE         3.0 /* attempts due by the end of the onset's interval */
#define ABSENCE_RETURNED    5   /* attempts of two voices end it */

/* Adds `vanished` events. DL_OK or -ENOMEM. */
int absence_find_vanished(struct work *work);
/* Adds `shutdown` events of taps that are up and empty. */
int absence_find_dark(struct work *work);
