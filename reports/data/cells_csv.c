// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <math.h>
#include <string.h>

#include "reports/data/csv.h"
#include "reports/data/data.h"
#include "reports/data/data_json.h"

/*
 * Columns as in Censored Planet's reduced tables (docs/tables.md of censoredplanet-analysis), then
 * ours. One row for each outcome of a cell, so that counts add up to its attempts.
 */
static const char head[] = "date,hour,source,country,network,subnetwork,domain,category,outcome,"
                           "count,unexpected_count,result,mechanism,carrier,service,ip_version,"
                           "probe_id,clients,origin,draft\r\n";

#define SOURCE       "DARKLINE"
#define DATE_LENGTH  10
#define NETWORK_SIZE 24
#define OUTCOME_SIZE 96

/* Their words, "stage/outcome", for ours. Where they have none: the first part of the path, a slash,
 * and the rest of it. */
static const struct {
    const char *mechanism, *outcome;
} outcomes[] = {
    {"tcp.timeout", "dial/timeout"},
    {"tcp.refused", "dial/tcp.refused"},
    {"tcp.reset", "dial/tcp.reset"},
    {"ip.unreachable", "dial/ip.host_no_route"},
    {"tls.timeout", "tls/timeout"},
    {"tls.reset.sni", "tls/tcp.reset"},
    {"tls.reset.other", "tls/tcp.reset"},
    {"tls.mitm.self_signed", "content/tls_mismatch"},
    {"tls.mitm.ca_signed", "content/tls_mismatch"},
    {"http.timeout", "read/timeout"},
    {"http.reset.host", "read/tcp.reset"},
    {"http.blockpage", "content/blockpage"},
    {"stream.timeout", "read/timeout"},
    {"stream.reset", "read/tcp.reset"},
    {"quic.timeout", "read/timeout"},
};

static const char *outcome_of(const char *mechanism, char text[OUTCOME_SIZE])
{
    size_t head_length = strcspn(mechanism, ".");

    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        if (strcmp(outcomes[i].mechanism, mechanism) == 0)
            return outcomes[i].outcome;
    snprintf(text, OUTCOME_SIZE, "%.*s/%s", (int)head_length, mechanism,
             mechanism[head_length] ? mechanism + head_length + 1 : "unknown");
    return text;
}

struct writing {
    struct csv csv;
    const struct findings *findings;
};

struct part { /* of a cell: its attempts of one outcome */
    uint64_t count;
    enum outcome result;
    const char *mechanism; /* NULL */
};

static enum service_class class_of(const struct findings *findings, const char *service)
{
    const struct catalog_service *known = catalog_service_find(findings->options->catalog, service);
    return known ? known->class : CLASS_NONE;
}

static void cells_where(struct writing *writing, const struct findings_cell *cell)
{
    struct csv *csv = &writing->csv;
    const struct findings_line *line = cell->line;
    char hour[DATA_HOUR_SIZE], date[DATA_HOUR_SIZE], network[NETWORK_SIZE] = "";

    data_hour(cell->hour_us, hour);
    snprintf(date, sizeof(date), "%.*s", DATE_LENGTH, hour);
    if (line->asn)
        snprintf(network, sizeof(network), "AS%u", line->asn);
    csv_text(csv, date);
    csv_text(csv, hour);
    csv_text(csv, SOURCE);
    csv_text(csv, line->country);
    csv_text(csv, line->carrier_name);
    csv_text(csv, network);
    csv_text(csv, cell->service);
    csv_text(csv, word_text(WORD_CLASS, class_of(writing->findings, cell->service)));
}

static void write_part(struct writing *writing, const struct findings_cell *cell, struct part part)
{
    struct csv *csv = &writing->csv;
    const char *outcome = "complete/success";
    char text[OUTCOME_SIZE];

    if (part.count == 0)
        return;
    if (part.result == OUTCOME_UNKNOWN || (part.result == OUTCOME_FAILED && !part.mechanism))
        outcome = "unknown/unknown";
    else if (part.result == OUTCOME_FAILED)
        outcome = outcome_of(part.mechanism, text);
    cells_where(writing, cell);
    csv_text(csv, outcome);
    csv_count(csv, part.count);
    csv_count(csv, part.result == OUTCOME_FAILED ? part.count : 0);
    csv_text(csv,
             part.result == OUTCOME_UNKNOWN ? "unknown" : word_text(WORD_OUTCOME, part.result));
    csv_text(csv, part.mechanism);
    csv_text(csv, cell->line->carrier);
    csv_text(csv, cell->service);
    csv_known(csv, cell->ip_version, cell->ip_version != 0);
    csv_text(csv, cell->line->probe_id);
    csv_count(csv, cell->clients);
    csv_text(csv, word_text(WORD_ORIGIN, cell->line->origin));
    csv_text(csv, writing->findings->options->draft ? "true" : "false");
    csv_end(csv);
}

/* What is slowed down has worked. */
static bool is_throttle(const char *mechanism)
{
    return strstr(mechanism, ".throttle") != NULL;
}

static int write_cell(void *context, const struct findings_cell *cell)
{
    struct writing *writing = context;
    uint64_t failures = cell->failures, good = cell->attempts - cell->failures;

    for (size_t i = 0; i < cell->mechanism_count; i++) {
        const struct findings_mechanism *one = &cell->mechanisms[i];
        bool slowed = is_throttle(one->mechanism);
        uint64_t *left = slowed ? &good : &failures;
        uint64_t count = one->attempts < *left ? one->attempts : *left;
        *left -= count;
        write_part(writing, cell,
                   (struct part){count, slowed ? OUTCOME_OK : OUTCOME_FAILED, one->mechanism});
    }
    write_part(writing, cell, (struct part){failures, OUTCOME_FAILED, NULL});
    write_part(writing, cell, (struct part){good, OUTCOME_OK, NULL});
    write_part(writing, cell, (struct part){cell->undecided, OUTCOME_UNKNOWN, NULL});
    return ferror(writing->csv.file) ? -EIO : DL_OK;
}

int cells_csv_write(FILE *file, const struct findings *findings)
{
    struct writing writing = {.csv = {.file = file}, .findings = findings};

    fputs(head, file);
    int status = findings_each_cell(findings, write_cell, &writing);
    return status != DL_OK ? status : ferror(file) ? -EIO : DL_OK;
}
