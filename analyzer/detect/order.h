// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * An order of the catalog beside what was seen: one row for each carrier of the order's country that
 * the store has.
 *
 * - `complied`: a blocked or throttled event of a service that the order names and does not exempt,
 *   not of scope line, began between the announcement and CAMPAIGN_AFTER_US after the due date and
 *   before the order was over, or was there before and still seen to fail when the first due date ran
 *   out; and it had not ended before that. Of several the earliest. That it was lifted early the event tells.
 * - `not observed`: nothing of the kind, and one of its services had, after the deadline and before
 *   the order's last day, attempts of two voices enough to show a share of ORDER_DETECTABLE, which
 *   worked, and no event whose cause packets leave open (withdrawn, unreachable, vanished). Where an
 *   order was over with its deadline, or soon after, its time from the first due date on counts
 *   (taken back even before that: from the announcement on), if the attempts go on until its last
 *   day.
 * - `insufficient`: neither. `not named`: the order addresses others, whatever this carrier does.
 *
 * Deadlines are ends of local days (catalog.h). Several readings of the first due date are one, the
 * latest; a moved date holds for who had not begun when the one before it ran out. Hours from the
 * deadline go to the middle of the onset, negative before it; none where the beginning was not seen.
 *
 * Orders that did not stand while the store watched are left out unless they name one of its
 * carriers. An order that nothing ends stands.
 */
#include "analyzer/detect/campaign.h"
#include "catalog/catalog.h"

#define ORDER_DETECTABLE 0.3

/* The time in which a beginning may be the order's, both ends included. */
struct order_span {
    const struct catalog_order *order;
    struct catalog_order_times times;
    int64_t from_us, until_us; /* until < from: never */
};
struct order_span order_span_of(const struct catalog *catalog, const struct catalog_order *order);
bool order_span_holds(const struct order_span *span, int64_t onset_us);

/* The deadline that held then; CATALOG_NO_TIME where the order has none. */
int64_t order_deadline_at(const struct catalog *catalog, const struct catalog_order *order,
                          int64_t time_us);

bool order_is_about(const struct catalog_order *order, const char *country, const char *service);
/* Does the order address this carrier, which the catalog need not know? */
bool order_addresses(const struct catalog_order *order, const char *carrier, const char *country);

/* Appends the rows of all orders, by order, carrier. DL_OK or -ENOMEM. */
int order_rows(struct work *work, const struct catalog *catalog);
