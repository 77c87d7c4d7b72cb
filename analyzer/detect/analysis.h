// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * From cells to what may be said: events, campaigns, orders obeyed or not, and the state now.
 *
 * analysis_run() is a pure function of its cells and places: the same give the same results in the
 * same order. It goes: series (series.h) to stretches of failure (segment.h), and users who vanish
 * (absence.h); each stretch to an event by what its controls did at that time (context.h,
 * classify.h); flows that go slower than others' (throttle.h);
 * events that may be chance are dropped so that the list holds its false discovery rate; events of
 * one service that begin together make a campaign, laid against the orders (campaign.h, order.h).
 *
 * Nothing here says who ordered what, or why: only an order of the catalog does.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/detect/cells.h"
#include "analyzer/detect/segment.h"
#include "analyzer/detect/stat.h"
#include "base/words.h"

struct catalog;

#define ANALYSIS_EVENTS_MAX     4096
#define ANALYSIS_FLOWS_MAX      20
#define ANALYSIS_CONTROLS_MAX   8
#define ANALYSIS_MECHANISMS_MAX 8
#define ANALYSIS_RULES_MAX      16
#define ANALYSIS_ASNS_MAX       8
#define ANALYSIS_TEXT_SIZE      480
#define ANALYSIS_ID_SIZE        160
#define ANALYSIS_FALSE_RATE     0.01 /* of the events listed */

enum event_class {
    EVENT_BLOCKED,
    EVENT_THROTTLED,
    EVENT_WITHDRAWN,
    EVENT_UNREACHABLE,
    EVENT_OUTAGE,
    EVENT_SHUTDOWN,
    EVENT_VANISHED
};
enum event_grade { GRADE_LIKELY, GRADE_CONFIRMED };
enum event_scope { SCOPE_LINE, SCOPE_CARRIER, SCOPE_COUNTRY };
enum line_state {
    STATE_INSUFFICIENT,
    STATE_OK,
    STATE_IMPAIRED,
    STATE_LIKELY_BLOCKED,
    STATE_BLOCKED,
    STATE_DOWN
};
enum order_verdict { ORDER_INSUFFICIENT, ORDER_NOT_OBSERVED, ORDER_COMPLIED, ORDER_NOT_NAMED };

const char *event_class_text(enum event_class class);
const char *event_grade_text(enum event_grade grade);
const char *event_scope_text(enum event_scope scope);
const char *line_state_text(enum line_state state);
const char *order_verdict_text(enum order_verdict verdict);

/* What the analysis must know of the world; answers are stable. Any may be NULL: then unknown. */
struct analysis_places {
    void *context;
    /* Minutes that local time is ahead of UTC then. */
    int (*offset_minutes)(void *context, const char *country, int64_t time_us);
    /* Who owned the carrier then, for counting independent networks. NULL: not known, and such a
     * carrier counts as independent of nobody. Without the callback each carrier owns itself. */
    const char *(*owner)(void *context, const char *carrier, int64_t time_us);
    /* Of a service: its class. */
    enum service_class (*service_class)(void *context, const char *service);
    /* Does reaching it need a DNS question first? True where not known. */
    bool (*needs_dns)(void *context, const char *service);
    /* What that carrier's other attempts to the servers that failed it for this service came to in
     * that time: another port, name or service. DL_OK, DL_NOT_FOUND where nobody can tell, or an
     * error, which ends the analysis. */
    int (*same_server)(void *context, const char *carrier, const char *service, int64_t from_us,
                       int64_t to_us, uint64_t *ret_attempts, uint64_t *ret_failures);
    const struct catalog *catalog; /* whose orders; NULL: none. Outlives the analysis */
};

struct analysis_interval {
    int64_t earliest_us, latest_us; /* earliest 0: not known (failing at first sight) */
};

struct analysis_control {
    const char *kind; /* "same-carrier", "same-country", "abroad", "same-server" */
    char name[VANTAGE_TEXT_SIZE];
    uint64_t attempts, failures;
    const char *verdict; /* "good", "bad", "insufficient" */
};

struct event {
    char id[ANALYSIS_ID_SIZE];
    enum event_class class;
    enum line_state state; /* of the pair now */
    int service;           /* index of cells_service(); -1: all */
    uint16_t carrier;      /* index of cells_carrier() */
    uint32_t asn;          /* the network with most attempts; 0 unknown */
    uint32_t asns[ANALYSIS_ASNS_MAX];
    uint8_t asn_count;
    int mechanism; /* largest share; -1 none */
    struct {
        uint16_t mechanism;
        double share;
    } mechanisms[ANALYSIS_MECHANISMS_MAX]; /* falling */
    uint8_t mechanism_count;
    struct analysis_interval onset, end;
    bool ended;
    int64_t alarm_us; /* with the data until then it was first found */
    enum event_grade grade;
    enum event_scope scope;
    bool has_hours;
    bool hours[SEGMENT_HOURS];
    double log_odds; /* natural logarithm: these votes against the base share */
    uint8_t quality; /* 1 to 5: of the data, not of the claim */
    uint64_t attempts, failures, proven;
    uint32_t clients, voices, vantages;
    double failing_voice_hours;
    struct stat_interval interval;
    uint64_t baseline_attempts, baseline_failures;
    struct analysis_control controls[ANALYSIS_CONTROLS_MAX];
    uint8_t control_count;
    const char *rules[ANALYSIS_RULES_MAX];
    uint8_t rule_count;
    char explanation[ANALYSIS_TEXT_SIZE];
    struct {
        uint32_t input;
        uint64_t packet;
    } flows[ANALYSIS_FLOWS_MAX];
    uint8_t flow_count;
    /* Of the analysis itself, no part of the result: a block unproven by packets that only wants somebody's
     * agreement to be confirmed. */
    bool wants_agreement;
};

struct campaign {
    char id[ANALYSIS_ID_SIZE];
    enum event_class class;
    uint16_t service;
    char country[3];
    size_t first_event, event_count; /* in analysis.campaign_events: indexes of events */
    struct analysis_interval onset;
    double spread_hours;
    uint32_t owners;   /* independent networks */
    const char *order; /* catalog id; NULL */
    char explanation[ANALYSIS_TEXT_SIZE];
};

struct order_row {
    const char *order; /* catalog id */
    const char *carrier;
    enum order_verdict verdict;
    struct analysis_interval onset; /* of what complied */
    int mechanism;                  /* -1 */
    bool has_hours_from_deadline;
    double hours_from_deadline; /* negative: before it */
};

struct pair_state {
    uint16_t carrier;
    int service;
    int64_t at_us;
    enum line_state state;
    uint64_t attempts, failures;
    uint32_t clients;
    struct stat_interval interval;
    double minimum_detectable_share; /* above 1: none, however large */
};

struct analysis {
    struct event *events; /* by onset.earliest, carrier, service */
    size_t event_count;
    struct campaign *campaigns;
    size_t campaign_count;
    uint32_t *campaign_events;
    struct order_row *orders;
    size_t order_count;
    struct pair_state *states; /* by carrier, service */
    size_t state_count;
    uint64_t series_tested, dropped; /* events beyond ANALYSIS_EVENTS_MAX, or as likely chance */
};

/* Seals nothing, changes nothing; `cells` must be sealed and outlive the result. DL_OK, -ENOMEM. */
int analysis_run(const struct cells *cells, const struct analysis_places *places,
                 struct analysis **ret_analysis);
void analysis_destroy(struct analysis *analysis); /* accepts NULL */
