// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What only several carriers can say. Events of one service and class in one country that begin
 * within CAMPAIGN_WINDOW_US of each other are one campaign; campaigns and events are laid against the
 * orders of the catalog (order.h).
 *
 * A campaign needs two carriers, and none of its events may be one line's alone. An event that was
 * going on at first sight has no known beginning: such ones make campaigns only among themselves,
 * whose spread is not known either (0). Of overlapping choices the one with most carriers is taken,
 * then the earliest. Networks are independent when their owners differ at that time; who has no known
 * owner is independent of nobody.
 *
 * An order is a campaign's when it names the service and country, and the campaign, a block, a
 * slowing down or a silence, begins between its announcement and CAMPAIGN_AFTER_US after its last due
 * date, before it is lifted; of several the one with the nearest deadline. That is a coincidence of
 * dates, and no more is said.
 *
 * Events speak for a country (scope) where, when the last of the campaign has begun, those of three
 * independent owners or more are going on, and the service is good on no other carrier of the
 * country that could tell.
 *
 * A block that no packet proves, all else being confirmed, becomes confirmed when a carrier of another owner
 * does the same meanwhile, when an order that addresses the carrier names the service and the event
 * was seen to begin in its time, or when the same servers answered this carrier otherwise.
 */
#include "analyzer/detect/analysis_internal.h"

#define CAMPAIGN_WINDOW_US INT64_C(1209600000000) /* 14 days */
#define CAMPAIGN_AFTER_US  INT64_C(2592000000000) /* 30 days */

#define CAMPAIGN_OWNERS 3 /* independent ones, to speak for a country */

/* Fills campaigns and orders of the analysis, whose events must be sorted and named; raises grades
 * and scopes of events. `catalog` NULL: no orders. DL_OK, -ENOMEM, what a callback gave. */
int campaign_find(struct work *work, const struct catalog *catalog);
