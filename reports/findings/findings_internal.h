// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the files of the findings share: one after the other fills its part of them, in the order of
 * findings_create(). Each step is DL_OK or -ENOMEM, where nothing else is said.
 */
#include "analyzer/detect/context.h"
#include "analyzer/detect/places.h"
#include "reports/findings/findings.h"

#define FINDINGS_HOUR_US  CELL_HOUR_US
#define FINDINGS_PROGRESS 4096 /* flows between two tellings of progress */
#define FINDINGS_DAY_US   (24 * CELL_HOUR_US)

/* ---- memory: everything at once, and gone at once ---- */

struct memory_block;
struct memory {
    struct memory_block *blocks;
};
void *memory_take(struct memory *memory, size_t bytes); /* zeroed; NULL */
/* An array of at least one item; NULL. */
void *memory_array(struct memory *memory, size_t count, size_t size);
const char *memory_text(struct memory *memory, const char *text); /* a copy; NULL */
void memory_finish(struct memory *memory);

/* ---- cells ---- */

/* Why a cell is not given out: bits. */
enum cell_flag {
    CELL_SMALL = 1,    /* of fewer clients than the floor */
    CELL_PARTNER = 2,  /* is withheld beside small ones, so that nobody finds them by subtraction */
    CELL_LEFT_OUT = 4, /* small, and nothing could hide it: it is in no sum either */
    CELL_OUTSIDE = 8   /* of the time that was asked for */
};

/* The cells of one carrier and service. */
struct series_cells {
    uint16_t carrier, service;
    enum service_class class;
    const struct cell *cells;
    uint8_t *flags; /* of each */
    size_t count;
    bool wanted;   /* not narrowed away */
    bool withheld; /* nothing of it may be said */
    bool now_withheld;
    uint32_t clients;             /* in the busiest hour of what is summed */
    size_t confirmed, likely;     /* events on it */
    size_t worst_event, findings; /* indexes of events and pairs; FINDINGS_NONE */
};

/* Of each event of the analysis. */
struct event_facts {
    bool wanted, withheld, no_baseline;
    size_t index; /* of findings.events; FINDINGS_NONE */
};

struct findings_inner {
    struct memory memory;
    struct findings *findings;
    struct findings_sources sources;
    struct places world;
    struct analysis_places places;
    struct series_cells *series; /* by carrier, service */
    size_t series_count;
    struct event_facts *events;
    bool *line_has_floor;    /* of each line of the cells */
    uint16_t *line_of;       /* and its place among the findings' lines */
    uint16_t *line_of_input; /* of the cells; UINT16_MAX: none of them */
    uint16_t *input_lines;   /* the same among the findings' lines */
};

/* Down to its hour, up to the next. 0 stays 0. */
int64_t findings_hour_down(int64_t time_us);
int64_t findings_hour_up(int64_t time_us);

/* NULL where there are no cells of it. */
struct series_cells *findings_series(const struct findings_inner *inner, uint16_t carrier,
                                     uint16_t service);
static inline bool findings_is_given(const struct series_cells *series, size_t cell)
{
    return series->wanted && !series->withheld && series->flags[cell] == 0;
}
static inline bool findings_is_summed(const struct series_cells *series, size_t cell)
{
    return !(series->flags[cell] & (CELL_LEFT_OUT | CELL_OUTSIDE));
}

/* The event's stretch, as the analysis counted it. */
struct context_window findings_window(const struct findings *findings, const struct event *event);
bool findings_event_covers(const struct findings_inner *inner, const struct event *event,
                           int64_t hour_us);

/* ---- the steps ---- */

/* DL_NOT_FOUND where an event, carrier or service that was asked for is not there. */
int findings_check_asked(const struct findings_inner *inner, struct dl_error *error);
/* What was asked for, and what stands beside it. */
bool findings_wants_event(const struct findings_inner *inner, const struct event *event);
bool findings_wants_series(const struct findings_inner *inner, uint16_t carrier, uint16_t service,
                           enum service_class class);

int findings_find_lines(struct findings_inner *inner);  /* findings_lines.c */
int findings_mark_cells(struct findings_inner *inner);  /* findings_floor.c */
int findings_find_events(struct findings_inner *inner); /* findings_events.c */
int findings_find_pairs(struct findings_inner *inner);  /* findings_pairs.c */
int findings_find_groups(struct findings_inner *inner); /* findings_groups.c */
/* Campaigns and orders: after the pairs. */
int findings_find_campaigns(struct findings_inner *inner); /* findings_campaigns.c */
int findings_find_charts(struct findings_inner *inner);    /* findings_charts.c */
/* What reading the store gave, too. Both do nothing without a reader. */
int findings_find_counts(struct findings_inner *inner,
                         struct dl_error *error); /* findings_counts.c */
int findings_find_cards(struct findings_inner *inner,
                        struct dl_error *error);          /* findings_cards.c */
int findings_find_headline(struct findings_inner *inner); /* findings_headline.c */

/* ---- helpers of several ---- */

/* Names for readers: the catalog's, else the id, "AS3320" for as3320. In the findings' memory. */
const char *findings_carrier_name(struct findings_inner *inner, const char *carrier);
const char *findings_service_name(struct findings_inner *inner, const char *service);

/* How failures split, most first, then by name; NULL and 0 without any. */
struct mechanism_tally {
    struct findings_mechanism items[64]; /* the rest is too rare to be told */
    size_t count;
    uint64_t attempts; /* of all of them */
};
void mechanism_tally_add(struct mechanism_tally *tally, const char *mechanism, uint64_t attempts,
                         uint64_t proven);
/* `failures`: what the shares are of, where that is more than all that was tallied. */
void mechanism_tally_sort(struct mechanism_tally *tally, uint64_t failures);
int mechanism_tally_take(struct findings_inner *inner, struct mechanism_tally *tally,
                         uint64_t failures, const struct findings_mechanism **ret_items,
                         size_t *ret_count);

/* May this flow be shown or counted? By the hour of its attempt, its line and its service. */
bool findings_flow_is_given(const struct findings_inner *inner, const struct observation *flow,
                            int64_t attempt_start_us);
/* Are the cells of that hour given out, of every version of IP? */
bool findings_hour_is_given(const struct series_cells *series, uint16_t line, int64_t hour_us);
/* When the flow's attempt began; from the store where that may be the hour before. */
int findings_attempt_start(const struct findings_inner *inner, const struct judged *judged,
                           int64_t *ret_start_us, struct dl_error *error);

/* The steps of a flow, by time; findings_ladder.c. */
struct ladder {
    struct findings_step steps[FINDINGS_LADDER_MAX];
    size_t count, left_out;
};
void ladder_make(struct ladder *ret_ladder, const struct observation *flow,
                 const struct verdict *verdict);
/* The sentence without stretches of an hour and more in seconds ("773793.7 s"): the end of a capture and
 * that would tell a time to the second. */
void findings_coarsen(const char *detail, char *ret_text, size_t size);

/* Does the judge's sentence name this packet ("packet 41", "packets 41 and 43")? */
bool ladder_names_packet(const char *detail, uint64_t packet);
