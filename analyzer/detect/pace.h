// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * How fast flows ordinarily are: medians of each (carrier, service) by UTC day, of the samples of
 * that day, the one before and the one after; and what a flow of one pair is to be compared with
 * then.
 *
 * Three measures: goodput, time to the SYN-ACK, time from first request to first answer. A median
 * stands on PACE_LEAST samples.
 */
#include "analyzer/detect/analysis_internal.h"

#define PACE_LEAST 5

enum pace_measure { PACE_GOODPUT, PACE_HANDSHAKE, PACE_EXCHANGE, PACE_MEASURES };
/* Who else: other carriers of the country, of other countries, nobody. */
enum pace_elsewhere { PACE_COUNTRY, PACE_ABROAD, PACE_NOWHERE };

struct pace_table; /* medians, sorted */
/* DL_OK, -ENOMEM. `cells` must outlive the table. */
int pace_table_create(struct pace_table **ret_table, const struct cells *cells,
                      const struct analysis_places *places);
void pace_table_destroy(struct pace_table *table); /* accepts NULL */

/* 0 where not known. */
struct pace_ordinary {
    /* The carrier's control services; without any, its other services. */
    double controls[PACE_MEASURES];
    /* The service on the others, each carrier one voice. */
    double elsewhere[PACE_MEASURES];
    /* The controls here times what the service is to the controls elsewhere: a service may be slow by
     * nature, a country far away. */
    double expected[PACE_MEASURES];
};
/* Of a service that is no control. DL_OK or -ENOMEM. */
int pace_find_ordinary(const struct pace_table *table, uint16_t carrier, uint16_t service,
                       enum pace_elsewhere where, int64_t time_us,
                       struct pace_ordinary *ret_ordinary);

/* Are there samples of this service elsewhere at all? */
bool pace_is_known(const struct pace_table *table, uint16_t carrier, uint16_t service,
                   enum pace_elsewhere where);

/* Does this carrier lie there, seen from that one? */
bool pace_lies(const struct cells *cells, uint16_t carrier, uint16_t other,
               enum pace_elsewhere where);
bool pace_is_control(const struct cells *cells, const struct analysis_places *places,
                     uint16_t service);
uint32_t pace_value(const struct cell_pace *pace, enum pace_measure measure); /* 0 unknown */
