// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Anybody's attempts, one a line: RFC 4180 with a header line that names the columns, in any order,
 * others passed over.
 *
 *   start     RFC 3339                        must be there
 *   service   a catalog id, or any other name must be there
 *   outcome   ok | failed                     must be there
 *   stage     dns tcp tls http quic stream    a row speaks for its stage
 *   failure   OONI's word (df-007); an unknown one gives the bare stage. "throttled" with the
 *             outcome ok: it worked, slowed down
 *   asn country network host server client voice
 *
 * Rows of one client and start are one attempt. A row without client is its own.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/words.h"
#include "probe/import/import_internal.h"

#define FIELDS_MAX   256
#define SERVICE_MAX  63
#define HOST_MAX     253
#define SHOWN_LENGTH 40

enum column {
    COLUMN_START,
    COLUMN_SERVICE,
    COLUMN_OUTCOME,
    COLUMN_ASN,
    COLUMN_COUNTRY,
    COLUMN_NETWORK,
    COLUMN_HOST,
    COLUMN_SERVER,
    COLUMN_STAGE,
    COLUMN_FAILURE,
    COLUMN_CLIENT,
    COLUMN_VOICE,
    COLUMN_COUNT
};
#define COLUMN_NEEDED COLUMN_ASN /* those before it */

static const char *const column_names[COLUMN_COUNT] = {"start",   "service", "outcome", "asn",
                                                       "country", "network", "host",    "server",
                                                       "stage",   "failure", "client",  "voice"};

struct field {
    const char *text; /* with a NUL behind it; none within */
    size_t length;
};

struct csv {
    int places[COLUMN_COUNT]; /* in the record; -1: not there */
    size_t columns;
    struct field fields[FIELDS_MAX];
    size_t count;
    char *text; /* of the fields */
    size_t capacity;
};

/* ---- fields ---- */

/* One field to `out`; where it ends, or NULL: a quote never ends, or something follows it. */
static const char *take_field(const char *at, const char *end, char **out)
{
    bool quoted = at < end && *at == '"';

    if (!quoted) {
        while (at < end && *at != ',') {
            *(*out)++ = *at++;
        }
        return at;
    }
    for (at++; at < end; at++) {
        if (*at != '"') {
            *(*out)++ = *at;
        } else if (at + 1 < end && at[1] == '"') {
            *(*out)++ = *at++;
        } else {
            at++;
            return at == end || *at == ',' ? at : NULL;
        }
    }
    return NULL;
}

static int split(struct csv *csv, const char *record, size_t length, struct dl_error *error)
{
    const char *at = record, *end = record + length;
    size_t needed = length + FIELDS_MAX + 1;

    if (needed > csv->capacity) {
        char *grown = realloc(csv->text, needed);
        if (!grown) {
            return dl_error_set(error, -ENOMEM, "out of memory");
        }
        csv->text = grown;
        csv->capacity = needed;
    }
    char *out = csv->text;
    for (csv->count = 0;; at++) {
        char *start = out;
        if (csv->count == FIELDS_MAX) {
            return dl_error_set(error, DL_MALFORMED, "more than %d fields", FIELDS_MAX);
        }
        at = take_field(at, end, &out);
        if (!at) {
            return dl_error_set(error, DL_MALFORMED, "field %zu: a quote is not closed well",
                                csv->count + 1);
        }
        if (memchr(start, '\0', (size_t)(out - start))) {
            return dl_error_set(error, DL_MALFORMED, "field %zu: a NUL byte", csv->count + 1);
        }
        csv->fields[csv->count++] = (struct field){start, (size_t)(out - start)};
        *out++ = '\0';
        if (at == end) {
            return DL_OK;
        }
    }
}

static struct field field_of(const struct csv *csv, enum column column)
{
    int place = csv->places[column];

    return place < 0 ? (struct field){"", 0} : csv->fields[place];
}

static int refuse(enum column column, struct field field, const char *why, struct dl_error *error)
{
    return dl_error_set(error, DL_MALFORMED, "column %s: '%.*s' %s", column_names[column],
                        (int)MIN_OF(field.length, (size_t)SHOWN_LENGTH), field.text, why);
}

/* ---- the header ---- */

static int csv_begin(struct import_job *job, struct dl_error *error)
{
    job->state = calloc(1, sizeof(struct csv));
    return job->state ? DL_OK : dl_error_set(error, -ENOMEM, "out of memory");
}

static void csv_end(struct import_job *job)
{
    struct csv *csv = job->state;

    free(csv->text);
    free(csv);
}

static int csv_header(struct import_job *job, const char *record, size_t length,
                      struct dl_error *error)
{
    struct csv *csv = job->state;
    bool marked = length >= 3 && memcmp(record, "\xef\xbb\xbf", 3) == 0;
    int status = split(csv, record + (marked ? 3 : 0), length - (marked ? 3 : 0), error);

    if (status != DL_OK) {
        return status;
    }
    csv->columns = csv->count;
    for (int column = 0; column < COLUMN_COUNT; column++) {
        csv->places[column] = -1;
        for (size_t i = 0; i < csv->count; i++) {
            if (strcmp(csv->fields[i].text, column_names[column]) != 0) {
                continue;
            }
            if (csv->places[column] >= 0) {
                return dl_error_set(error, DL_MALFORMED, "line %" PRIu64 ": column %s twice",
                                    job->number, column_names[column]);
            }
            csv->places[column] = (int)i;
        }
        if (column < COLUMN_NEEDED && csv->places[column] < 0) {
            return dl_error_set(error, DL_MALFORMED, "line %" PRIu64 ": no column %s", job->number,
                                column_names[column]);
        }
    }
    return DL_OK;
}

/* ---- rows ---- */

/* "192.0.2.1", "192.0.2.1:443", "2001:db8::1", "[2001:db8::1]:443". */
static bool parse_server(struct field field, struct endpoint *ret_server, uint16_t *ret_port)
{
    char text[ADDRESS_TEXT_SIZE + 8];
    char *address = text, *port = NULL, *end = NULL;

    if (field.length >= sizeof(text)) {
        return false;
    }
    memcpy(text, field.text, field.length + 1);
    if (text[0] == '[') {
        char *close = strchr(text, ']');
        if (!close || (close[1] != ':' && close[1] != '\0')) {
            return false;
        }
        port = close[1] ? close + 2 : NULL;
        *close = '\0';
        address = text + 1;
    } else if (strchr(text, ':') == strrchr(text, ':') && strchr(text, ':')) {
        port = strchr(text, ':') + 1;
        port[-1] = '\0';
    }
    if (port) {
        unsigned long number = strtoul(port, &end, 10);
        if (*port < '0' || *port > '9' || *end || number == 0 || number > UINT16_MAX) {
            return false;
        }
        *ret_port = (uint16_t)number;
    }
    ret_server->kind = ENDPOINT_ADDRESS;
    return address_parse(address, &ret_server->address) == DL_OK;
}

static bool is_plain(struct field field)
{
    for (size_t i = 0; i < field.length; i++) {
        if ((unsigned char)field.text[i] < ' ' || field.text[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static int take_origin(const struct csv *csv, struct import_origin *origin, struct dl_error *error)
{
    struct field asn = field_of(csv, COLUMN_ASN), country = field_of(csv, COLUMN_COUNTRY);
    unsigned network = NETWORK_NONE;

    origin->asn = import_asn(asn.text, asn.length);
    import_country(country.text, country.length, origin->country);
    if (asn.length && origin->asn == 0 && strcmp(asn.text, "0") != 0 &&
        strcmp(asn.text, "AS0") != 0) {
        return refuse(COLUMN_ASN, asn, "is no AS number", error);
    }
    if (country.length && !origin->country[0] && strcmp(country.text, "ZZ") != 0) {
        return refuse(COLUMN_COUNTRY, country, "is no country of two letters", error);
    }
    if (word_parse(WORD_NETWORK, field_of(csv, COLUMN_NETWORK).text, &network) == DL_OK) {
        origin->network = (enum network_kind)network;
    }
    return DL_OK;
}

static int take_words(const struct csv *csv, struct observation *o, struct dl_error *error)
{
    struct field start = field_of(csv, COLUMN_START), outcome = field_of(csv, COLUMN_OUTCOME),
                 stage = field_of(csv, COLUMN_STAGE), server = field_of(csv, COLUMN_SERVER);
    unsigned value = 0;

    if (clock_parse(start.text, &o->start_us) != DL_OK) {
        return refuse(COLUMN_START, start, "is no time (2015-11-30T19:00:00Z)", error);
    }
    o->end_us = o->start_us;
    if (word_parse(WORD_OUTCOME, outcome.text, &value) != DL_OK || value == OUTCOME_UNKNOWN) {
        return refuse(COLUMN_OUTCOME, outcome, "is neither ok nor failed", error);
    }
    o->import.outcome = (uint8_t)value;
    if (stage.length && word_parse(WORD_STAGE, stage.text, &value) != DL_OK) {
        return refuse(COLUMN_STAGE, stage, "is none of dns, tcp, tls, http, quic, stream", error);
    }
    o->stage = stage.length ? (enum stage)value : STAGE_NONE;
    o->transport = o->stage == STAGE_DNS || o->stage == STAGE_QUIC ? TRANSPORT_UDP : TRANSPORT_TCP;
    if (server.length && !parse_server(server, &o->server, &o->server_port)) {
        return refuse(COLUMN_SERVER, server, "is no address, address:port or [v6]:port", error);
    }
    return DL_OK;
}

static int take_names(const struct csv *csv, struct observation *o, struct dl_error *error)
{
    struct field service = field_of(csv, COLUMN_SERVICE), host = field_of(csv, COLUMN_HOST),
                 failure = field_of(csv, COLUMN_FAILURE);

    if (service.length == 0 || service.length > SERVICE_MAX || !is_plain(service)) {
        return refuse(COLUMN_SERVICE, service, "is no name of a service", error);
    }
    if (host.length > HOST_MAX || !is_plain(host)) {
        return refuse(COLUMN_HOST, host, "is no host name", error);
    }
    o->protocol = "";
    o->service = service.text;
    o->host = host.text;
    o->certainty = CERTAINTY_CERTAIN; /* its maker says so */
    if (is_plain(failure)) {
        snprintf(o->import.failure, sizeof(o->import.failure), "%s", failure.text);
    }
    o->import.throttled = strcmp(failure.text, "throttled") == 0;
    return DL_OK;
}

static void take_client(struct import_job *job, const struct csv *csv, struct observation *o)
{
    struct field client = field_of(csv, COLUMN_CLIENT), voice = field_of(csv, COLUMN_VOICE);
    char text[sizeof(job->record.path) + 32];

    o->client.kind = ENDPOINT_PSEUDONYM;
    if (client.length) {
        o->client.pseudonym = import_hash(job, client.text, client.length);
        o->import.run = o->client.pseudonym ^ (uint64_t)o->start_us * UINT64_C(0x9e3779b97f4a7c15);
        o->import.run += o->import.run == 0;
    } else {
        int length =
            snprintf(text, sizeof(text), "row %" PRIu64 " of %s", job->number, job->record.path);
        o->client.pseudonym = import_hash(job, text, (size_t)length);
    }
    if (voice.length) {
        o->import.voice = import_hash(job, voice.text, voice.length);
    }
}

static int csv_line(struct import_job *job, const char *record, size_t length,
                    struct dl_error *error)
{
    struct csv *csv = job->state;
    struct observation observation = {.packet = job->number, .import = {.present = true}};
    struct import_origin origin = {.probe_id = ""};
    int status = split(csv, record, length, error);

    if (status == DL_OK && csv->count != csv->columns) {
        status = dl_error_set(error, DL_MALFORMED, "%zu fields, the header has %zu", csv->count,
                              csv->columns);
    }
    if (status == DL_OK) {
        status = take_origin(csv, &origin, error);
    }
    if (status == DL_OK) {
        status = take_words(csv, &observation, error);
    }
    if (status == DL_OK) {
        status = take_names(csv, &observation, error);
    }
    if (status == DL_OK) {
        take_client(job, csv, &observation);
        status = import_put(job, &origin, &observation, error);
    }
    return status;
}

const struct import_format import_csv = {.name = "csv",
                                         .kind = RECORDS_CSV,
                                         .begin = csv_begin,
                                         .header = csv_header,
                                         .line = csv_line,
                                         .end = csv_end};
