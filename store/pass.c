// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cursor.h"
#include "store/blob.h"
#include "store/store_internal.h"

static int source_corrupt(const struct source *source, const char *what, int64_t id,
                          struct dl_error *error)
{
    return dl_error_set(error, DL_CORRUPT, "%s: the store is damaged: %s %lld", source->path, what,
                        (long long)id);
}

/* The merged number of an input of the store; 0 where it has none of that number. */
static uint32_t source_merged_input(const struct source *source, uint64_t number)
{
    uint32_t low = 0, high = source->input_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (source->numbers[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < source->input_count && source->numbers[low] == number
               ? source->input_first + low + 1
               : 0;
}

/* Inputs begun since the store was opened have greater numbers: queries leave them out. */
static uint64_t source_last_input(const struct source *source)
{
    return source->input_count > 0 ? source->numbers[source->input_count - 1] : 0;
}

/* ---- one row ---- */

static void row_endpoint(struct row *row, struct endpoint *endpoint)
{
    size_t length;
    const uint8_t *bytes = row_blob(row, &length);
    struct cursor cursor = cursor_init(bytes, length);

    switch (length) {
    case 0:
        endpoint->kind = ENDPOINT_NONE;
        break;
    case 4:
        endpoint->kind = ENDPOINT_ADDRESS;
        endpoint->address = address_from_v4(bytes);
        break;
    case 8:
        endpoint->kind = ENDPOINT_PSEUDONYM;
        endpoint->pseudonym = cursor_u64(&cursor);
        break;
    case 16:
        endpoint->kind = ENDPOINT_ADDRESS;
        memcpy(endpoint->address.bytes, bytes, 16);
        break;
    default:
        row->bad = true;
    }
}

/* Columns in the order of STORE_FLOW_COLUMNS; the names by number. */
static void row_flow(struct row *row, struct observation *o, int64_t names[STORE_FLOW_NAMES])
{
    uint64_t id = (uint64_t)row_integer(row);
    o->packet = id & STORE_PACKET_MAX;
    o->start_us = row_integer(row);
    o->end_us = (int64_t)((uint64_t)o->start_us + (uint64_t)row_integer(row));
    row_endpoint(row, &o->client);
    o->client_port = (uint16_t)row_unsigned(row, UINT16_MAX);
    row_endpoint(row, &o->server);
    o->server_port = (uint16_t)row_unsigned(row, UINT16_MAX);
    o->transport = (enum transport)row_unsigned(row, TRANSPORT_ICMP);
    for (int i = 0; i < 3; i++) {
        names[i] = row_optional_integer(row);
    }
    o->role = (enum role)row_unsigned(row, ROLE_DNS);
    o->certainty = (enum certainty)row_unsigned(row, CERTAINTY_CERTAIN);
    o->reasons = (uint16_t)row_unsigned(row, UINT16_MAX);
    o->dns_flow = (uint64_t)row_optional_integer(row);
    o->packets[SIDE_CLIENT] = (uint64_t)row_integer(row);
    o->packets[SIDE_SERVER] = (uint64_t)row_integer(row);
    o->bytes[SIDE_CLIENT] = (uint64_t)row_integer(row);
    o->bytes[SIDE_SERVER] = (uint64_t)row_integer(row);
    o->stage = (enum stage)row_unsigned(row, STAGE_STREAM);
    o->close = (enum close_reason)row_unsigned(row, CLOSE_END_OF_CAPTURE);
    o->flags = (uint16_t)row_unsigned(row, UINT16_MAX);
    o->certificate = (uint8_t)row_unsigned(row, UINT8_MAX);
    names[3] = row_optional_integer(row);
}

static int row_evidence(const struct source *source, sqlite3_stmt *statement,
                        struct observation *observation, struct dl_error *error)
{
    struct row row = {.statement = statement, .at = STORE_FLOW_EVIDENCE};
    size_t length;
    const void *bytes = row_blob(&row, &length);
    int status = row.bad ? DL_MALFORMED : blob_decode(bytes, length, observation);

    if (status == DL_VERSION) {
        dl_error_set(error, status, "%s: holds evidence of a newer darkline", source->path);
    } else if (status != DL_OK) {
        status = source_corrupt(source, "evidence of packet", (int64_t)observation->packet, error);
    }
    return status;
}

/* A place to remember the name of that number at; NULL where it shall not be. */
static char **source_name_slot(struct source *source, int64_t id)
{
    if (id < 0 || id >= STORE_NAMES_MAX) {
        return NULL;
    }
    if ((size_t)id >= source->name_count) {
        size_t count = MIN_OF(2 * (size_t)id + 64, STORE_NAMES_MAX);
        char **names = reallocarray(source->names, count, sizeof(*names));
        if (!names) {
            return NULL;
        }
        memset(names + source->name_count, 0, (count - source->name_count) * sizeof(*names));
        source->names = names;
        source->name_count = count;
    }
    return &source->names[id];
}

/* Remembers the text, or else leaves it in `own`. NULL without memory. */
static const char *source_keep_name(char **slot, const char *text, struct buffer *own)
{
    size_t length = strlen(text);

    if (slot && length < STORE_NAME_SIZE_MAX) {
        *slot = strdup(text);
        if (*slot) {
            return *slot;
        }
    }
    buffer_clear(own);
    buffer_append(own, text, length);
    return own->failed ? NULL : buffer_text(own);
}

static int source_read_name(struct source *source, int64_t id, struct buffer *own,
                            const char **ret_name, struct dl_error *error)
{
    char **slot = source_name_slot(source, id);
    struct row row = {.statement = source->name};
    const char *name = id == 0 ? "" : slot ? *slot : NULL;
    int status = DL_OK;

    if (!name) {
        sqlite3_bind_int64(source->name, 1, id);
        int code = sqlite3_step(source->name);
        const char *text = code == SQLITE_ROW ? row_text(&row) : "";
        if (code == SQLITE_ROW && !row.bad) {
            name = source_keep_name(slot, text, own);
        }
        if (row.bad || code == SQLITE_DONE) {
            status = source_corrupt(source, "name", id, error);
        } else if (code != SQLITE_ROW || !name) {
            status = database_fail(source->db, source->path,
                                   code == SQLITE_ROW ? SQLITE_NOMEM : code, error);
        }
        sqlite3_reset(source->name);
    }
    if (status == DL_OK) {
        *ret_name = name;
    }
    return status;
}

static int source_read_row(struct source *source, struct flow_reading *reading, int64_t id,
                           bool with_evidence, struct observation *observation,
                           struct dl_error *error)
{
    const char **texts[STORE_FLOW_NAMES] = {&observation->protocol, &observation->service,
                                            &observation->host, &observation->issuer};
    struct row row = {.statement = reading->statement};
    int64_t names[STORE_FLOW_NAMES];
    int status = DL_OK;

    row_flow(&row, observation, names);
    observation->input = source_merged_input(source, (uint64_t)id >> STORE_PACKET_BITS);
    if (row.bad || observation->input == 0) {
        return source_corrupt(source, "flow", id, error);
    }
    for (int i = 0; i < STORE_FLOW_NAMES && status == DL_OK; i++) {
        status = source_read_name(source, names[i], &reading->names[i], texts[i], error);
    }
    if (status == DL_OK && with_evidence) {
        status = row_evidence(source, reading->statement, observation, error);
    }
    return status;
}

/* DL_OK, DL_NOT_FOUND, or what is wrong. */
static int source_read_flow(struct source *source, struct flow_reading *reading, int64_t id,
                            bool with_evidence, struct observation *ret_observation,
                            struct dl_error *error)
{
    struct observation observation = {0};
    int status;

    sqlite3_bind_int64(reading->statement, 1, id);
    int code = sqlite3_step(reading->statement);
    if (code == SQLITE_ROW) {
        status = source_read_row(source, reading, id, with_evidence, &observation, error);
    } else if (code == SQLITE_DONE) {
        status = DL_NOT_FOUND;
    } else {
        status = database_fail(source->db, source->path, code, error);
    }
    sqlite3_reset(reading->statement);
    if (status == DL_OK) {
        *ret_observation = observation;
    }
    return status;
}

int store_reader_get(struct store_reader *reader, uint32_t input, uint64_t packet,
                     struct observation *ret_observation, struct dl_error *error)
{
    struct source *source = reader_source(reader, input);
    int status = DL_NOT_FOUND;

    if (source && packet <= STORE_PACKET_MAX) {
        uint64_t number = source->numbers[input - 1 - source->input_first];
        int64_t id = (int64_t)(number << STORE_PACKET_BITS | packet);
        status = source_read_flow(source, &source->get, id, true, ret_observation, error);
    }
    if (status == DL_NOT_FOUND) {
        dl_error_set(error, status, "there is no flow %u:%llu", input, (unsigned long long)packet);
    }
    return status;
}

/* ---- the pass ---- */

/* To the store's next key. */
static int source_advance(struct source *source, struct dl_error *error)
{
    struct row row = {.statement = source->keys};
    int code = sqlite3_step(source->keys);

    source->has_key = code == SQLITE_ROW;
    if (code == SQLITE_DONE) {
        sqlite3_reset(source->keys); /* lets go of the snapshot */
        return DL_OK;
    }
    if (code != SQLITE_ROW) {
        return database_fail(source->db, source->path, code, error);
    }
    int64_t before = source->start;
    source->start = row_integer(&row);
    source->id = row_integer(&row);
    row.bad |= source->start < before; /* of a store that says it is in order, and is not */
    return row.bad ? source_corrupt(source, "flow", source->id, error) : DL_OK;
}

int store_reader_begin(struct store_reader *reader, const struct store_query *query,
                       struct dl_error *error)
{
    int64_t since = query->since_us ? query->since_us : INT64_MIN;
    int64_t until = query->until_us ? query->until_us - 1 : INT64_MAX;
    int status = DL_OK;

    reader->with_evidence = query->with_evidence;
    reader->last = NULL;
    for (size_t i = 0; i < reader->source_count; i++) {
        struct source *source = &reader->sources[i];
        sqlite3_reset(source->keys);
        source->has_key = false;
        source->start = INT64_MIN;
    }
    for (size_t i = 0; i < reader->source_count && status == DL_OK; i++) {
        struct source *source = &reader->sources[i];
        uint64_t last = source_last_input(source) << STORE_PACKET_BITS | STORE_PACKET_MAX;
        struct binder binder = {.statement = source->keys};
        bind_integer(&binder, since);
        bind_integer(&binder, until);
        bind_integer(&binder, (int64_t)last);
        status = source_advance(source, error);
    }
    return status;
}

/* The store that has the next row: a scan, for there are few stores. */
static struct source *reader_earliest(const struct store_reader *reader)
{
    struct source *earliest = NULL;

    for (size_t i = 0; i < reader->source_count; i++) {
        struct source *source = &reader->sources[i];
        if (source->has_key && (!earliest || source->start < earliest->start)) {
            earliest = source;
        }
    }
    return earliest;
}

int store_reader_next(struct store_reader *reader, struct observation *ret_observation,
                      struct dl_error *error)
{
    struct source *source;
    int status = DL_OK;

    /* Only now: a failure beyond the row before must not have hidden that one. */
    if (reader->last) {
        status = source_advance(reader->last, error);
        reader->last = NULL;
    }
    if (status != DL_OK) {
        return status;
    }
    source = reader_earliest(reader);
    if (!source) {
        return DL_END;
    }
    status = source_read_flow(source, &source->row, source->id, reader->with_evidence,
                              ret_observation, error);
    if (status == DL_NOT_FOUND) {
        status = source_corrupt(source, "its index names a missing flow", source->id, error);
    }
    if (status == DL_OK) {
        reader->last = source;
    }
    return status;
}

/* ---- counts, coverage, notes ---- */

struct walk {
    store_count_fn count;
    store_coverage_fn coverage;
    store_note_fn note;
    void *context;
};

typedef int (*walk_fn)(const struct walk *walk, struct row *row, uint32_t input);

static int source_walk(const struct source *source, const char *query, walk_fn fn,
                       const struct walk *walk, struct dl_error *error)
{
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_DONE;
    int status = database_prepare(source->db, source->path, query, &statement, error);

    if (status == DL_OK) {
        sqlite3_bind_int64(statement, 1, (int64_t)source_last_input(source));
    }
    while (status == DL_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct row row = {.statement = statement};
        uint64_t number = row_unsigned(&row, STORE_INPUT_MAX);
        uint32_t input = source_merged_input(source, number);
        row.bad |= input == 0;
        status = row.bad ? DL_CORRUPT : fn(walk, &row, input);
        if (row.bad) {
            status = source_corrupt(source, "a record of input", (int64_t)number, error);
        }
    }
    if (status == DL_OK && code != SQLITE_DONE) {
        status = database_fail(source->db, source->path, code, error);
    }
    sqlite3_finalize(statement);
    return status;
}

static int reader_walk(struct store_reader *reader, const char *query, walk_fn fn,
                       const struct walk *walk, struct dl_error *error)
{
    int status = DL_OK;

    for (size_t i = 0; i < reader->source_count && status == DL_OK; i++) {
        status = source_walk(&reader->sources[i], query, fn, walk, error);
    }
    return status;
}

static int walk_count(const struct walk *walk, struct row *row, uint32_t input)
{
    struct hour_count count = {.input = input};

    count.hour_us = row_integer(row);
    count.protocol = row_text(row);
    count.flows = (uint64_t)row_integer(row);
    for (size_t i = 0; i < ARRAY_LENGTH(count.failed); i++) {
        count.failed[i] = (uint64_t)row_integer(row);
    }
    count.packets = (uint64_t)row_integer(row);
    count.bytes = (uint64_t)row_integer(row);
    count.clients = (uint64_t)row_integer(row);
    return row->bad ? DL_CORRUPT : walk->count(walk->context, &count);
}

int store_reader_counts(struct store_reader *reader, store_count_fn fn, void *context,
                        struct dl_error *error)
{
    static const char query[] = "SELECT " STORE_COUNT_COLUMNS " FROM counts WHERE input <= ? "
                                "ORDER BY input, hour, protocol";
    struct walk walk = {.count = fn, .context = context};

    return reader_walk(reader, query, walk_count, &walk, error);
}

static int walk_coverage(const struct walk *walk, struct row *row, uint32_t input)
{
    struct coverage_record coverage = {.input = input};

    coverage.from_us = row_integer(row);
    coverage.to_us = row_integer(row);
    coverage.link_up = row_unsigned(row, 1) == 1;
    coverage.packets = (uint64_t)row_integer(row);
    coverage.lost = (uint64_t)row_integer(row);
    return row->bad ? DL_CORRUPT : walk->coverage(walk->context, &coverage);
}

int store_reader_coverage(struct store_reader *reader, store_coverage_fn fn, void *context,
                          struct dl_error *error)
{
    static const char query[] = "SELECT " STORE_COVERAGE_COLUMNS " FROM coverage WHERE input <= ? "
                                "ORDER BY input, from_us";
    struct walk walk = {.coverage = fn, .context = context};

    return reader_walk(reader, query, walk_coverage, &walk, error);
}

static int walk_note(const struct walk *walk, struct row *row, uint32_t input)
{
    const char *kind = row_text(row);
    uint64_t count = (uint64_t)row_integer(row);

    return row->bad ? DL_CORRUPT : walk->note(walk->context, input, kind, count);
}

int store_reader_notes(struct store_reader *reader, store_note_fn fn, void *context,
                       struct dl_error *error)
{
    static const char query[] =
        "SELECT input, kind, count FROM notes WHERE input <= ? ORDER BY input, kind";
    struct walk walk = {.note = fn, .context = context};

    return reader_walk(reader, query, walk_note, &walk, error);
}
