// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Cells: what one line saw of one service in one hour. Everything after the judge rests on them;
 * nothing here reads a flow. They come from any source of rows (verdicts.h, a test's array) through
 * cells_add() and are read, once cells_seal() has sorted them, as series: the hours of one (carrier,
 * service).
 *
 * A voice is an independent line (design section 3). In a cell each voice has one vote, shared
 * evenly by its attempts of that hour: `votes` is how many voices tried, `bad` the sum of their
 * failing shares. One chatty client is one vote.
 *
 * Bounded: CELLS_MAX cells, CELL_NAMES_MAX lines, carriers, services and mechanisms each; beyond
 * that cells_add() says DL_LIMIT.
 */
#include <stddef.h>
#include <stdint.h>

#include "store/observation.h"

#define CELLS_MAX      (4u << 20)
#define CELL_NAMES_MAX 60000u
#define CELL_HOUR_US   INT64_C(3600000000)
#define CELL_NO_TIME   UINT32_MAX

/* Who saw it: the vantage, and what tells independent ones apart. */
struct cell_line {
    char probe_id[VANTAGE_TEXT_SIZE], carrier[VANTAGE_TEXT_SIZE];
    uint32_t asn;
    char country[3];
    uint8_t network, position, clock, origin;
    uint64_t epoch; /* of the store's key: clients of different keys cannot be compared */
};

struct cell {
    int64_t hour_us;    /* its start */
    uint16_t line;      /* index of cells_line() */
    uint16_t service;   /* index of cells_service() */
    uint8_t ip_version; /* 4, 6; 0 unknown */
    /* Within the hour, milliseconds; CELL_NO_TIME where there was none. */
    uint32_t first_ms, last_ms, first_good_ms, last_good_ms, first_bad_ms, last_bad_ms;
    uint32_t first_slow_ms, last_slow_ms;   /* of the good ones those that were slowed down, */
    uint32_t first_quick_ms, last_quick_ms; /* and the others */
    uint32_t attempts, failures;            /* decided ones; of them failed */
    uint32_t undecided;
    uint32_t proven;    /* failures whose packets prove a third party */
    uint32_t by_ends;   /* failures that an end itself is known to have made */
    uint32_t throttled; /* good ones that were slowed down */
    uint32_t voices, bad_voices, good_voices; /* distinct; with a failed, with a good attempt */
    float votes, bad, slow;
};

/* How the failures of a cell's hour split by mechanism. */
struct cell_mechanism {
    int64_t hour_us;
    uint16_t line, service, mechanism; /* the last: index of cells_mechanism() */
    uint8_t ip_version, attribution;   /* enum attribution */
    uint32_t attempts, voices, flows;  /* flows: 0 or 1, whether `flow` is set */
    uint64_t flow_packet;              /* an example: id of a flow that decided one */
    uint32_t flow_input;
};

/* How fast answered flows were, one sample each; the giver keeps a few of each hour. */
struct cell_pace {
    int64_t start_us;
    uint16_t line, service;
    uint32_t goodput_kbps; /* 0 unknown */
    uint32_t handshake_us; /* SYN to SYN-ACK; 0 unknown */
    uint32_t exchange_us;  /* first request to first answer; 0 unknown */
    uint64_t voice; /* as in cell_habit; 0 unknown: all such flows of a tap are one voice's */
};

/* One voice's day with one service: for habits, and for who has gone. Not of imported lines. */
struct cell_habit {
    uint64_t voice;
    int64_t day_us; /* UTC */
    uint16_t line, service;
    uint32_t attempts, failures;
    int64_t last_us;
};

/* How many voices an imported line has, over all the time: its runs are rarely two an hour. */
struct cell_crowd {
    uint16_t line, service;
    uint32_t voices;
};

/* When a line was watched; outside of it nothing is known. */
struct cell_coverage {
    uint16_t line;
    int64_t from_us, to_us;
    bool link_up;
};

struct cells;

int cells_create(struct cells **ret_cells);
void cells_destroy(struct cells *cells); /* accepts NULL */

/* Names to indexes, making them; DL_LIMIT, -ENOMEM. Lines are equal when all their fields are. */
int cells_name_line(struct cells *cells, const struct cell_line *line, uint16_t *ret_line);
int cells_name_service(struct cells *cells, const char *service, uint16_t *ret_service);
int cells_name_mechanism(struct cells *cells, const char *mechanism, uint16_t *ret_mechanism);

/* Rows in any order; two rows of one (line, service, ip version, hour) are an error of the giver. */
int cells_add(struct cells *cells, const struct cell *cell);
int cells_add_mechanism(struct cells *cells, const struct cell_mechanism *mechanism);
int cells_add_pace(struct cells *cells, const struct cell_pace *pace);
int cells_add_habit(struct cells *cells, const struct cell_habit *habit);
int cells_add_crowd(struct cells *cells, const struct cell_crowd *crowd);
int cells_add_coverage(struct cells *cells, const struct cell_coverage *coverage);

/* Sorts; after it nothing may be added. */
int cells_seal(struct cells *cells);

const struct cell_line *cells_line(const struct cells *cells, uint16_t line);
const char *cells_service(const struct cells *cells, uint16_t service);
const char *cells_mechanism(const struct cells *cells, uint16_t mechanism);
size_t cells_line_count(const struct cells *cells);
size_t cells_service_count(const struct cells *cells);
/* Carriers: the distinct names of the lines, sorted; a line's carrier. */
size_t cells_carrier_count(const struct cells *cells);
const char *cells_carrier(const struct cells *cells, uint16_t carrier);
const char *cells_carrier_country(const struct cells *cells, uint16_t carrier);
uint16_t cells_line_carrier(const struct cells *cells, uint16_t line);

/* The cells of one (carrier, service), by hour, line, ip version; `*ret_count` 0 for none. */
const struct cell *cells_series(const struct cells *cells, uint16_t carrier, uint16_t service,
                                size_t *ret_count);
/* The same for the other kinds: by time. */
const struct cell_mechanism *cells_mechanisms(const struct cells *cells, uint16_t carrier,
                                              uint16_t service, size_t *ret_count);
const struct cell_pace *cells_paces(const struct cells *cells, uint16_t carrier, uint16_t service,
                                    size_t *ret_count);
/* Of one (line, service), by voice, day. */
const struct cell_habit *cells_habits(const struct cells *cells, uint16_t line, uint16_t service,
                                      size_t *ret_count);
uint32_t cells_crowd(const struct cells *cells, uint16_t line, uint16_t service); /* 0 unknown */
const struct cell_coverage *cells_coverage(const struct cells *cells, uint16_t line,
                                           size_t *ret_count);
int64_t cells_first_us(const struct cells *cells); /* of all cells; 0 without any */
int64_t cells_last_us(const struct cells *cells);
