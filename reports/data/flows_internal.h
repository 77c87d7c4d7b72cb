// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* What the writers of flows share. Not for others than reports/data. */
#include "analyzer/judge/attempt_fold.h"
#include "reports/data/csv.h"
#include "reports/data/data.h"

/* What is told of a flow, and what joins flows to attempts. Strings live as long as the pass. */
struct flow_facts {
    uint64_t packet, attempt_packet;
    uint32_t input, attempt_input;
    int64_t start_us;
    struct endpoint client, server;
    uint64_t packets[2], bytes[2];
    uint64_t voice, run; /* of imported rows */
    const struct input_record *source;
    const char *service, *host; /* the name that may be shown, "" none */
    const char *mechanism;
    const char *rules[JUDGE_EVIDENCE_MAX];
    double score;
    uint16_t server_port, reasons;
    uint8_t transport, stage, close, role, certainty, outcome, attribution, signature, rule_count;
    bool server_is_public; /* its address may be shown */
    bool imported, throttled, has_page;
    /* Of a line that people use: no packet number, which tells the time within the hour, and no count of
     * packets or bytes, by which who keeps such counts of his subscribers could tell whose it was. */
    bool of_people;
    uint64_t place; /* within its hour's lines: by id, or of people's in no order of time */
};

/* What stands for the order of ids among people's flows. */
uint64_t flow_place(const struct input_record *source, uint32_t input, uint64_t packet);

/* An attempt, and the flow that decided it (packet 0: not at hand). */
struct attempt_facts {
    struct attempt_result result;
    struct flow_facts decided;
    bool of_people; /* as above */
    uint64_t place;
};

#define FLOW_ID_SIZE 40
const char *flow_id(uint32_t input, uint64_t packet, char text[FLOW_ID_SIZE]);
/* "203.0.113.7:443", "[2001:db8::1]:443"; NULL where it may not be shown. Returns `text`. */
#define FLOW_SERVER_SIZE (ADDRESS_TEXT_SIZE + 16)
const char *flow_server(const struct flow_facts *flow, char text[FLOW_SERVER_SIZE]);
/* "rule rule rule", cut at the end of `text`; "" none. */
#define FLOW_RULES_SIZE 1024
const char *flow_rules(const struct flow_facts *flow, char text[FLOW_RULES_SIZE]);

void flows_csv_head(FILE *file);
void flows_csv_row(struct csv *csv, const struct findings *findings, const struct flow_facts *flow);
/* One line of OONI's JSON. False where the writer failed. */
bool flows_ooni_line(FILE *file, const struct findings *findings,
                     const struct attempt_facts *attempt);
