// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Events of one service and class in one country that begin within CAMPAIGN_WINDOW_US of each other
 * are one campaign; campaigns and events are laid against the orders of the catalog.
 *
 * A campaign needs two carriers, and none of its events may be one line's alone. Networks are
 * independent when their owners differ at that time. An order is a campaign's when it names the
 * service (or lists none) and country, and the campaign begins between its announcement and
 * CAMPAIGN_AFTER_US after its last due date, before it is lifted.
 *
 * Per order and carrier: `complied` when a blocked or throttled event of a service that it names,
 * not of scope line, began between announcement and CAMPAIGN_AFTER_US after the due date, before
 * it was lifted, or was there before; `not observed` when the pair's attempts after the due date
 * (and before the lifting) could have shown it and did not; `insufficient` otherwise; `not named`
 * for a carrier of the country that the order does not address. Hours from the deadline count from
 * the end of the local day of the due date that held when the event began, to the middle of the
 * onset; negative is before it.
 */
#include "analyzer/detect/analysis_internal.h"

#define CAMPAIGN_WINDOW_US INT64_C(1209600000000) /* 14 days */
#define CAMPAIGN_AFTER_US  INT64_C(2592000000000) /* 30 days */

struct catalog;

/* Fills campaigns and orders of the analysis; raises the grade of silent blocks that an order or a
 * second carrier agrees with (classify.h). `catalog` NULL: no orders. */
int campaign_find(struct work *work, const struct catalog *catalog);
