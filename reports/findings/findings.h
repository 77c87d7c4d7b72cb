// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What a report may say: every number, name and time that stands on the page, in the data files and in
 * the charts, made once from the stores and their analysis. Whoever writes (page/, chart/, data/)
 * reads this and nothing else, so that a table, a picture and a file cannot disagree; what is not
 * here is published nowhere.
 *
 * Here, and only here, people are protected (design section 6):
 * - Times are whole hours: onsets and ends are widened to them (earliest down, latest up).
 * - What fewer clients than the floor stand behind is withheld: events, pairs, bins, cells, flows,
 *   cards. `withheld` counts say how much. Clients of several hours are at least those of the busiest: more
 *   is not known, for a person may have many addresses. Lines that no people use (origin lab, composed)
 *   and imported rows, which are public already, have no floor.
 * - Nobody finds what is withheld by subtraction (findings_floor.c). A pair's or event's sum holds its small
 *   cells too, and is therefore told only where at least one cell more is withheld with them that is
 *   not small: sums and cells differ by what as many clients as the floor did. Where none is at hand
 *   the small cells are in no sum. Bins, heat strips, networks of a carrier that has several, the share
 *   abroad and flows are of cells given out alone; carriers, services and totals are sums of pairs that are
 *   told. What a withheld event would tell is told nowhere: it is in no campaign, and its order's row says
 *   insufficient. Controls beside an event are the analysis' sums over many pairs.
 * - No client, no client port, no pseudonym of a peer, no folder of an input's path.
 * - Of people's lines a client's own packets have no TTL, IP-ID and window, and files of all flows no packet
 *   numbers and no counts of packets or bytes: who records traffic could find whose they were.
 * - Host names are those that the catalog knows for the service, or a control's; others are "".
 *
 * The same stores, catalog and options give the same findings: nothing of the clock, the machine or the
 * locale. Order of every list is fixed and said with it. Indexes of lists are those of the JSON
 * (data/report_json.h), so that a number on the page can name where it stands there.
 *
 * All memory is the findings'; strings live as long as they do. The reader, cells and analysis given
 * must outlive them too.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "analyzer/detect/analysis_json.h"
#include "analyzer/judge/judge_pass.h"
#include "catalog/catalog.h"
#include "store/store.h"

#define FINDINGS_MINIMUM_CLIENTS 3u
#define FINDINGS_CHARTS_MAX      40u /* pairs with events whose series are kept, worst first */
#define FINDINGS_CARDS_MAX       3u  /* evidence cards of one event */
#define FINDINGS_CARDS_IN_ALL    60u
#define FINDINGS_LADDER_MAX      24u
#define FINDINGS_BINS_MAX        240u /* of one timeline */
#define FINDINGS_DAYS_MAX        62u  /* of one heat strip: the days that tell most */
#define FINDINGS_EXAMPLES_MAX    20u
#define FINDINGS_ID_SIZE         17 /* 16 hex digits */
#define FINDINGS_NONE            SIZE_MAX

struct findings_options { /* all borrowed; must outlive the findings */
    const struct catalog *catalog;
    int64_t since_us, until_us; /* as asked for; 0 none */
    uint32_t minimum_clients;   /* 0: FINDINGS_MINIMUM_CLIENTS */
    const char *event;          /* only this event's id; NULL all. The same for the next two */
    const char *carrier, *service;
    const char *contact;      /* for corrections and replies, as the page shows it; NULL: none */
    bool draft;               /* is marked so everywhere */
    int64_t embargo_us;       /* not to be published before; 0 none. Midnight UTC of a date */
    const char *command_line; /* to be typed again, without folders; NULL */
};

/* How strong the sign is: never how good the data are (struct event's quality, 1 to 5). */
enum findings_strength {
    STRENGTH_NOT_MEASURABLE, /* too little was seen to tell either way */
    STRENGTH_NONE,           /* enough was seen, and no sign of interference */
    STRENGTH_WEAK,           /* likely, one line only */
    STRENGTH_STRONG,         /* likely, of a carrier or country */
    STRENGTH_CONFIRMED
};
const char *findings_strength_text(enum findings_strength strength); /* word for JSON and CSV */

/* `failures` of `attempts` with Wilson's 95 % interval of that share; 0..1 without attempts. */
struct findings_share {
    uint64_t attempts, failures;
    double low, high;
};
struct findings_share findings_share_of(uint64_t failures, uint64_t attempts);

/* Hours; both 0: not known or none. earliest 0 alone: going on at first sight. */
struct findings_when {
    int64_t earliest_us, latest_us;
};

/* ---- who and where ---- */

struct findings_line { /* one vantage: a probe on a carrier; by carrier, probe, origin */
    const char *probe_id, *carrier, *carrier_name, *country;
    uint32_t asn;
    enum network_kind network;
    enum position position;
    enum clock_state clock;
    enum origin origin;
    int64_t first_us, last_us; /* hours of its packets; 0 none */
    uint64_t inputs, packets, bytes, lost;
    uint64_t watched_hours, gap_hours; /* between first and last */
    bool has_floor;                    /* people's line: the floor holds */
};

struct findings_network { /* an AS of a carrier */
    uint32_t asn;
    struct findings_share share;
};

/* All of one carrier, or all of one service, controls left out; worst first: events confirmed, then likely,
 * then share of failures (its lower bound), then id. */
struct findings_group {
    const char *id, *name, *country;       /* country "" for services */
    const char *owner;                     /* of carriers; NULL not known */
    enum service_class class;              /* of services */
    struct findings_share share, controls; /* controls: of the carrier; zero for services */
    uint32_t clients;                      /* in the busiest hour, at least */
    int64_t first_us, last_us;             /* hours of attempts */
    size_t events_confirmed, events_likely;
    enum findings_strength strength;
    const struct findings_network *networks; /* of carriers, most attempts first */
    size_t network_count;
};

/* How the failures of something split. By falling attempts, then mechanism. */
struct findings_mechanism {
    const char *mechanism; /* dot path */
    uint64_t attempts;
    double share; /* of all its failures */
    uint64_t proven;
};

/* One carrier and service: worst first as groups, then carrier, service. Controls are among them
 * (class CLASS_CONTROL), last. */
struct findings_pair {
    uint16_t carrier_index, service_index; /* of cells */
    const char *carrier, *carrier_name, *country, *service, *service_name;
    enum service_class class;
    uint32_t asn;
    struct findings_share share; /* over all the time */
    uint32_t clients;
    int64_t first_us, last_us;
    enum line_state state; /* at the end of the data */
    struct findings_share now;
    double minimum_detectable_share; /* above 1: none */
    enum findings_strength strength;
    const struct findings_mechanism *mechanisms;
    size_t mechanism_count;
    size_t worst_event; /* index of events; FINDINGS_NONE */
    size_t chart;       /* index of charts; FINDINGS_NONE */
};

/* ---- what happened ---- */

/* One step of a connection as stored: what is known of single packets. By time. */
enum findings_step_kind {
    STEP_SYN,
    STEP_SYN_ACK,
    STEP_ACK,
    STEP_DATA,
    STEP_QUESTION,
    STEP_ANSWER,
    STEP_RESET,
    STEP_FIN,
    STEP_ICMP,
    STEP_RETRANSMISSION,
    STEP_SILENCE,
    STEP_OTHER_CONTENT,
    STEP_CLOSE
};
enum findings_mark {                  /* bits: what gives a packet away */
                     MARK_PROVES = 1, /* a contradiction rests on it */
                     MARK_TTL = 2,
                     MARK_IP_ID = 4,
                     MARK_SEQUENCE = 8,
                     MARK_HASTE = 16,
                     MARK_OPTIONS = 32,
                     MARK_CONTENT = 64,
                     MARK_TALKS_ON =
                         128 /* the end it claims to come from went on talking after it */
};
struct findings_step {
    enum findings_step_kind kind;
    enum payload_kind payload; /* of STEP_DATA */
    uint64_t after_us;         /* since the first packet of the flow (the SYN) */
    bool from_server;          /* claims to come from the server */
    bool has_packet; /* the fields below are of one packet; else only time and kind are known */
    uint8_t tcp_flags, ttl, ttl_expected; /* 0 unknown */
    bool has_ip_id;
    uint16_t ip_id, length, window;
    uint64_t packet; /* its number in the capture; 0 unknown */
    uint16_t marks, copies;
    uint8_t icmp_type, icmp_code, dns_rcode;
};

struct findings_reason { /* why the judge says so */
    const char *rule;    /* id in the rule table */
    const char *detail;  /* the judge's sentence with its numbers, in English */
    enum judge_rule_kind kind;
};

struct findings_card { /* one flow as evidence */
    uint32_t input;
    uint64_t packet;     /* its id is INPUT:PACKET */
    const char *capture; /* name of the file */
    int64_t hour_us;
    const char *service, *host; /* host "" not shown */
    char server
        [64]; /* findings_public_server(): address and port of the service; "" where it is a person's */
    enum transport transport;
    enum stage stage;
    enum outcome outcome;
    const char *mechanism; /* NULL none */
    enum attribution attribution;
    uint8_t signature;
    double score;          /* negative: not estimated */
    const char *injector;  /* catalog id of the device its packets resemble; NULL */
    const char *blockpage; /* catalog id; NULL */
    const struct findings_reason *reasons;
    size_t reason_count;
    const struct findings_step *steps;
    size_t step_count, steps_left_out;
};

struct findings_control {
    const char *kind, *name, *verdict; /* words of analysis.h */
    struct findings_share share;
};

struct findings_event {        /* as the analysis sorts them */
    const struct event *event; /* for what is not repeated here; its times must not be shown */
    const char *id, *carrier, *carrier_name, *country, *service,
        *service_name; /* service NULL: all */
    enum findings_strength strength;
    struct findings_when onset, end; /* end: both 0 while it goes on */
    int64_t alarm_us;                /* hour, up */
    struct findings_share share, baseline;
    double hours_down; /* onset.latest to end.earliest, else to the last data */
    const struct findings_mechanism *mechanisms;
    size_t mechanism_count;
    const struct findings_control *controls;
    size_t control_count;
    const char
        *order; /* catalog id of the order that its campaign or its carrier's row goes with; NULL */
    size_t campaign;                          /* index; FINDINGS_NONE */
    size_t pair;                              /* index of pairs; FINDINGS_NONE for all services */
    char examples[FINDINGS_EXAMPLES_MAX][32]; /* INPUT:PACKET, of flows not withheld */
    size_t example_count;
    size_t first_card, card_count; /* of cards */
    bool names_actor; /* a block page that names who, was among its flows; `actor_page` which */
    const char *actor_page;
};

struct findings_campaign {
    const struct campaign *campaign;
    const char *id, *service, *service_name, *country, *order;
    struct findings_when onset;
    double spread_hours;     /* whole ones, of the onsets' last hours; 0 where not known */
    const char *explanation; /* of what is told of it, in English */
    const size_t *events;    /* indexes of events */
    size_t event_count;
};

struct findings_order_row {
    const char *carrier, *carrier_name, *country;
    enum order_verdict verdict;
    struct findings_when onset;
    const char *mechanism; /* NULL */
    bool has_hours_from_deadline;
    double hours_from_deadline; /* whole hours */
    size_t event;               /* FINDINGS_NONE */
    /* Its event is one of the campaign that goes with the order, whatever the verdict: who was not named
     * may have done the same. */
    bool in_campaign;
};
struct findings_order { /* by id */
    const struct catalog_order *order;
    struct catalog_order_times times;
    const struct findings_order_row *rows; /* by carrier */
    size_t row_count;
};

/* ---- pictures: their numbers ---- */

struct findings_bin {
    int64_t from_us;
    struct findings_share share;
    uint64_t slowed;
    uint32_t clients;
    bool watched;  /* some of it was looked at */
    bool withheld; /* fewer clients than the floor: its numbers are zero */
};
struct findings_hour_of_day {
    uint32_t attempts, failures;
    bool watched, withheld;
};
struct findings_day {
    int64_t midnight_us;                   /* local, in UTC */
    struct findings_hour_of_day hours[24]; /* local */
};
struct findings_chart { /* of one pair with events, worst first */
    size_t pair;
    int64_t
        bin_us; /* width: whole hours, a divisor or multiple of a day; about ten attempts a bin */
    const struct findings_bin *bins;
    size_t bin_count;
    const struct findings_day *days;
    size_t day_count;
    int32_t utc_offset_seconds; /* of the carrier's country in the middle of it */
    const size_t *events;       /* on this pair */
    size_t event_count;
};

/* ---- the whole ---- */

enum findings_headline {
    HEADLINE_ORDER_CARRIED_OUT, /* a campaign, or one carrier's event, that goes with an order */
    HEADLINE_ORDER_NOT_OBSERVED,
    HEADLINE_CAMPAIGN, /* several carriers, no order known */
    HEADLINE_EVENT,    /* one event */
    HEADLINE_EVENTS,   /* several that have nothing to do with each other */
    HEADLINE_NOTHING,
    HEADLINE_NOT_ENOUGH
};

struct findings_note {
    const char *kind;
    uint64_t count;
};
struct findings_uncatalogued { /* what was only counted, by protocol; most flows first */
    const char *protocol;
    uint64_t flows, failed;
};

struct findings {
    const struct findings_options *options;
    struct store_reader *reader;
    const struct cells *cells;
    const struct analysis *analysis;

    /* 16 hex digits of the SHA-256 over report.json without its id and command line: set by the caller through
     * findings_set_id(); "" until then. */
    char id[FINDINGS_ID_SIZE];
    const char *version, *rules_version, *catalog_version;

    enum findings_headline headline;
    enum findings_strength strength; /* of what the headline says */
    uint8_t quality; /* 1 to 5: of its events (the least), else of the data; why not 5: */
    bool quality_clock, quality_imported, quality_one_vantage, quality_no_control,
        quality_no_elsewhere, quality_lost, quality_gaps, quality_few;
    size_t headline_event, headline_campaign, headline_order; /* indexes; FINDINGS_NONE */
    /* The events it speaks of: of one class and service; only confirmed ones where two or more are. */
    const size_t *headline_events;
    size_t headline_event_count;
    /* Of the country of the headline: carriers that have data, and those of them that did it. */
    const char *country;        /* NULL: none */
    const char *service;        /* of the headline; NULL: several, or all */
    struct findings_when onset; /* of all events of the headline together; zero without any */
    size_t carriers_seen, carriers_affected, owners_affected;
    size_t carriers_complied; /* of the headline's order: those it addresses */
    bool speaks_for_country;  /* three independent networks or more: else no national sentence */
    struct findings_share abroad; /* the headline's service, other countries, in the same time */

    bool has_origin[ORIGIN_IMPORTED + 1];  /* by enum origin */
    int64_t first_us, last_us;             /* hours of the data */
    struct findings_share total, controls; /* attempts of services; of controls */
    uint64_t undecided, proven;
    uint32_t floor;
    size_t withheld_events, withheld_pairs, withheld_cells;
    size_t events_dropped; /* beyond the analysis' maximum, or as likely chance */
    size_t series_tested;

    struct findings_line *lines;
    size_t line_count;
    struct findings_group *carriers;
    size_t carrier_count;
    struct findings_group *services;
    size_t service_count;
    struct findings_pair *pairs;
    size_t pair_count;
    struct findings_event *events;
    size_t event_count;
    struct findings_campaign *campaigns;
    size_t campaign_count;
    struct findings_order *orders;
    size_t order_count;
    struct findings_card *cards;
    size_t card_count;
    struct findings_chart *charts;
    size_t chart_count;
    struct findings_note *notes;
    size_t note_count;
    struct findings_uncatalogued *uncatalogued;
    size_t uncatalogued_count;
    const struct input_record *const *inputs;
    size_t input_count;
    const struct analysis_taken_back *taken_back;
    size_t taken_back_count;
    struct findings_inner *inner; /* findings_create()'s own; NULL in what a test makes by hand */
};

/* Where the numbers come from; all borrowed. */
struct findings_sources {
    struct store_reader *reader;
    const struct analysis_document *document;
    const char *version, *rules_version;
    int (*progress)(void *context, uint64_t flows); /* may be NULL */
    void *context;
};

/*
 * DL_OK, -ENOMEM, DL_NOT_FOUND (an event, carrier or service asked for is not there: `error` says
 * which and names some that are), or what reading the store gave. Reads the flows once for the cards.
 */
int findings_create(struct findings **ret_findings, const struct findings_sources *sources,
                    const struct findings_options *options, struct dl_error *error);
void findings_destroy(struct findings *findings); /* accepts NULL */
void findings_set_id(struct findings *findings, const char *id);

/*
 * Cells over the floor, for data files: one (line, service, IP version, hour) after the other, by hour,
 * line, service, IP version. Of `mechanisms` those of the cell.
 */
struct findings_cell {
    const struct findings_line *line;
    const char *service;
    int64_t hour_us;
    uint8_t ip_version;
    uint64_t attempts, failures, undecided, proven, throttled;
    uint32_t clients;
    const struct findings_mechanism *mechanisms;
    size_t mechanism_count;
};
typedef int (*findings_cell_fn)(void *context, const struct findings_cell *cell);
int findings_each_cell(const struct findings *findings, findings_cell_fn fn, void *context);

/* Flows and attempts whose cell is over the floor, by hour, then id: a fresh pass with the judge over the
 * store. `judged` is given whole; writers must leave out what the rules at the top forbid, by the
 * helpers below. */
typedef int (*findings_flow_fn)(void *context, const struct judged *judged);
int findings_each_flow(const struct findings *findings, findings_flow_fn fn, void *context,
                       struct dl_error *error);
/* Is it a line that people use, so that the floor holds? What others have published is public already, and in
 * the lab and in what is composed there is nobody. */
bool findings_is_of_people(enum origin origin);
/* The host name that may be shown, else "": what the catalog has for the service, without what stands before it. */
const char *findings_public_host(const struct findings *findings, const struct observation *flow);
/* Address and port of the service's server; "" where it may be a person's. Returns `text`. */
#define FINDINGS_SERVER_SIZE 64
char *findings_public_server(const struct judged *judged, char text[FINDINGS_SERVER_SIZE]);
