// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The numbers of a report, counted from a store: per line that was watched (carrier and probe), per
 * service, per failure. No client is kept beyond the counting: only how many there were.
 */
#include <stdbool.h>
#include <stdint.h>

#include "reports/report.h"
#include "store/store.h"

#define TALLY_CLIENTS_MAX 16384u /* counted one by one up to here; beyond it "or more" */

struct client_set {
    uint64_t *slots; /* open addressing; 0 is empty */
    uint32_t count, capacity;
};

struct tally_failure { /* attempts of one service that failed in one way */
    enum stage stage;
    const char *mechanism; /* NULL where the vocabulary has none */
    const char *rule;
    uint64_t attempts;
    struct client_set clients;
};

struct tally_remark { /* flows that show a mechanism without having failed */
    const char *mechanism;
    enum outcome outcome;
    uint64_t flows;
};

struct tally_service {
    char *id, *name;
    enum service_class class;
    uint64_t flows;
    uint64_t attempts, by_certainty[4], by_outcome[3];
    struct client_set clients;
    struct tally_failure *failures;
    size_t failure_count;
    struct tally_remark *remarks;
    size_t remark_count;
};

struct tally_protocol {
    char *name;
    uint64_t flows, failed, packets, bytes;
};

struct tally_hour {
    int64_t hour_us;
    uint64_t flows, failed[7], packets, bytes;
    uint64_t clients; /* the most that one protocol had: there were at least so many */
};

struct tally_coverage {
    uint32_t input;
    int64_t from_us, to_us;
    bool link_up;
    uint64_t packets, lost;
};

struct tally_line {
    const struct vantage *vantage; /* of its first input; belongs to the reader */
    int64_t first_us, last_us;     /* of its packets; 0 for none */
    uint64_t inputs, packets, bytes, lost;
    uint64_t proven; /* attempts in which packets prove a third party */
    struct client_set proven_clients;
    struct tally_service *services; /* by id */
    size_t service_count;
    struct tally_protocol *protocols; /* by flows, most first */
    size_t protocol_count;
    struct tally_hour *hours; /* by time */
    size_t hour_count;
    struct tally_coverage *coverage; /* by time */
    size_t coverage_count;
};

struct tally_note {
    char *kind;
    uint64_t count;
};

struct tally {
    struct tally_line *lines; /* by carrier, probe, origin */
    size_t line_count;
    struct tally_note *notes; /* by kind */
    size_t note_count;
    uint64_t flows, flows_of_none; /* stored flows; of them of no catalogued service */
    uint64_t attempts, by_outcome[3], proven;
    bool has_origin[4]; /* by enum origin */
};

/* Counts everything in `reader`. DL_OK, -ENOMEM, or what reading gave. `ret_tally` is to be given
 * to tally_finish() in any case. */
int tally_collect(struct tally *ret_tally, struct store_reader *reader,
                  const struct report_options *options, struct dl_error *error);
void tally_finish(struct tally *tally);
