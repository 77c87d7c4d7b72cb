// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/verdicts.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/verdicts_internal.h"
#include "analyzer/judge/attempt_fold.h"
#include "base/array.h"
#include "base/hash.h"

#define HOUR_US   CELL_HOUR_US
#define ROWS_MAX  (1u << 18) /* of one hour, before they are written */
#define PACES_MAX 8          /* kept of a line, service and hour */
#define PROGRESS  16384

/* The GROUP BYs of verdicts_cells.c go along the primary key: no sorting of everything. */
static const char schema[] =
    "PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;"
    "PRAGMA application_id = 1684764278;" /* "dkvv" */
    "CREATE TABLE IF NOT EXISTS events ( -- what analyses found, by their rules\n"
    "  rules_version TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (rules_version, id)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "DROP VIEW IF EXISTS verdicts; DROP TABLE IF EXISTS attempts; DROP TABLE IF EXISTS names;"
    "DROP TABLE IF EXISTS lines; DROP TABLE IF EXISTS meta; DROP TABLE IF EXISTS paces;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE names (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;\n"
    "CREATE TABLE lines ( -- who saw it\n"
    "  id INTEGER PRIMARY KEY, probe_id TEXT NOT NULL, carrier TEXT NOT NULL,\n"
    "  asn INTEGER NOT NULL, country TEXT NOT NULL, network INTEGER NOT NULL,\n"
    "  position INTEGER NOT NULL, clock INTEGER NOT NULL, origin INTEGER NOT NULL,\n"
    "  epoch INTEGER NOT NULL -- of the key of its pseudonyms\n"
    ") STRICT;\n"
    "CREATE TABLE attempts (\n"
    "  hour INTEGER NOT NULL, -- its start, microseconds since 1970 UTC\n"
    "  line INTEGER NOT NULL, -- lines.id\n"
    "  service INTEGER NOT NULL, -- names.id\n"
    "  ip_version INTEGER NOT NULL, -- 4, 6; 0 unknown\n"
    "  voice INTEGER NOT NULL, -- who counts as one: a client of a tap, a home, an imported line\n"
    "  start INTEGER NOT NULL,\n"
    "  flow INTEGER NOT NULL, -- input * 2^40 + packet of the flow that decided\n"
    "  client INTEGER NOT NULL, -- its pseudonym\n"
    "  outcome INTEGER NOT NULL, -- 0 unknown, 1 ok, 2 failed\n"
    "  certainty INTEGER NOT NULL, attribution INTEGER NOT NULL,\n"
    "  weight REAL NOT NULL, -- one divided by the decided attempts of the voice in the hour\n"
    "  mechanism INTEGER, -- names.id\n"
    "  proven INTEGER NOT NULL, throttled INTEGER NOT NULL,\n"
    "  server BLOB, -- 16 bytes, version 4 mapped into 6; NULL where it is nobody's business\n"
    "  PRIMARY KEY (hour, line, service, ip_version, voice, start, flow)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE paces ( -- how quick answered attempts were; a few of each hour\n"
    "  line INTEGER NOT NULL, service INTEGER NOT NULL, start INTEGER NOT NULL,\n"
    "  goodput_kbps INTEGER NOT NULL, handshake_us INTEGER NOT NULL, exchange_us INTEGER NOT "
    "NULL,\n"
    "  voice INTEGER NOT NULL\n"
    ") STRICT;\n"
    "CREATE VIEW verdicts AS SELECT (SELECT value FROM meta WHERE key = 'rules_version') AS "
    "rules_version, flow, hour, lines.carrier AS carrier, s.text AS service,\n"
    "  CASE WHEN instr(substr(m.text, instr(m.text, '.') + 1), '.') > 0 THEN substr(m.text, 1,\n"
    "    instr(m.text, '.') + instr(substr(m.text, instr(m.text, '.') + 1), '.') - 1)\n"
    "    ELSE m.text END AS family, client, outcome, certainty, attribution, weight, line, voice,\n"
    "  start, ip_version, m.text AS mechanism, proven, throttled, server\n"
    "  FROM attempts JOIN lines ON lines.id = line JOIN names s ON s.id = attempts.service\n"
    "  LEFT JOIN names m ON m.id = attempts.mechanism;\n";

struct row {
    uint64_t voice, client, flow_packet;
    int64_t start_us;
    struct address server;
    bool has_server;
    uint32_t flow_input;
    uint16_t line, service, mechanism; /* numbers of names; mechanism 0: none */
    uint8_t ip_version, outcome, certainty, attribution, proven, throttled;
    uint32_t handshake_us, exchange_us, goodput_kbps;
};

struct making {
    struct verdicts *verdicts;
    struct store_reader *reader;
    const struct verdicts_options *options;
    uint16_t *lines; /* of each input, from 1 on */
    struct intern *names;
    struct row *rows; /* of the hour that is being filled */
    size_t count;
    int64_t hour_us;
    uint64_t flows;
    sqlite3_stmt *insert, *insert_pace;
    struct dl_error *error;
};

int verdicts_fail(const struct verdicts *verdicts, struct dl_error *error)
{
    return dl_error_set(error, DL_LIBRARY, "%s: %s",
                        verdicts->path[0] ? verdicts->path : "verdicts",
                        sqlite3_errmsg(verdicts->db));
}

int verdicts_exec(struct verdicts *verdicts, const char *sql, struct dl_error *error)
{
    if (sqlite3_exec(verdicts->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return verdicts_fail(verdicts, error);
    return DL_OK;
}

int verdicts_prepare(struct verdicts *verdicts, const char *sql, sqlite3_stmt **ret_statement,
                     struct dl_error *error)
{
    if (sqlite3_prepare_v2(verdicts->db, sql, -1, ret_statement, NULL) != SQLITE_OK)
        return verdicts_fail(verdicts, error);
    return DL_OK;
}

/* ---- rows of one hour ---- */

#define ORDER(a, b)                                                                                \
    do {                                                                                           \
        if ((a) != (b))                                                                            \
            return (a) < (b) ? -1 : 1;                                                             \
    } while (0)

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    ORDER(a->line, b->line);
    ORDER(a->service, b->service);
    ORDER(a->ip_version, b->ip_version);
    ORDER((int64_t)a->voice, (int64_t)b->voice);
    ORDER(a->start_us, b->start_us);
    ORDER(a->flow_input, b->flow_input);
    ORDER(a->flow_packet, b->flow_packet);
    return 0;
}

static bool is_same_voice(const struct row *a, const struct row *b)
{
    return a->line == b->line && a->service == b->service && a->ip_version == b->ip_version &&
           a->voice == b->voice;
}

static int write_row(struct making *making, const struct row *row, double weight)
{
    sqlite3_stmt *s = making->insert;
    int at = 1;

    sqlite3_bind_int64(s, at++, making->hour_us);
    sqlite3_bind_int64(s, at++, row->line);
    sqlite3_bind_int64(s, at++, row->service);
    sqlite3_bind_int64(s, at++, row->ip_version);
    sqlite3_bind_int64(s, at++, (int64_t)row->voice);
    sqlite3_bind_int64(s, at++, row->start_us);
    sqlite3_bind_int64(s, at++, (int64_t)((uint64_t)row->flow_input << 40 | row->flow_packet));
    sqlite3_bind_int64(s, at++, (int64_t)row->client);
    sqlite3_bind_int64(s, at++, row->outcome);
    sqlite3_bind_int64(s, at++, row->certainty);
    sqlite3_bind_int64(s, at++, row->attribution);
    sqlite3_bind_double(s, at++, weight);
    if (row->mechanism)
        sqlite3_bind_int64(s, at, row->mechanism);
    else
        sqlite3_bind_null(s, at);
    sqlite3_bind_int64(s, ++at, row->proven);
    sqlite3_bind_int64(s, ++at, row->throttled);
    if (!row->has_server)
        sqlite3_bind_null(s, ++at);
    else
        sqlite3_bind_blob(s, ++at, &row->server, sizeof(row->server), SQLITE_STATIC);
    int code = sqlite3_step(s);
    sqlite3_reset(s);
    return code == SQLITE_DONE ? DL_OK : verdicts_fail(making->verdicts, making->error);
}

static int write_pace(struct making *making, const struct row *row)
{
    sqlite3_stmt *s = making->insert_pace;

    sqlite3_bind_int64(s, 1, row->line);
    sqlite3_bind_int64(s, 2, row->service);
    sqlite3_bind_int64(s, 3, row->start_us);
    sqlite3_bind_int64(s, 4, row->goodput_kbps);
    sqlite3_bind_int64(s, 5, row->handshake_us);
    sqlite3_bind_int64(s, 6, row->exchange_us);
    sqlite3_bind_int64(s, 7, (int64_t)row->voice);
    int code = sqlite3_step(s);
    sqlite3_reset(s);
    return code == SQLITE_DONE ? DL_OK : verdicts_fail(making->verdicts, making->error);
}

static int flush_rows(struct making *making)
{
    struct row *rows = making->rows;
    int status = DL_OK;
    unsigned paces = 0;

    qsort(rows, making->count, sizeof(*rows), compare_rows);
    for (size_t i = 0; status == DL_OK && i < making->count;) {
        size_t end = i, decided = 0;
        for (; end < making->count && is_same_voice(&rows[i], &rows[end]); end++)
            decided += rows[end].outcome != OUTCOME_UNKNOWN;
        for (; status == DL_OK && i < end; i++) {
            bool counts = rows[i].outcome != OUTCOME_UNKNOWN;
            if (i > 0 &&
                (rows[i].line != rows[i - 1].line || rows[i].service != rows[i - 1].service))
                paces = 0;
            status = write_row(making, &rows[i], counts ? 1.0 / (double)decided : 0);
            if (status == DL_OK && rows[i].outcome == OUTCOME_OK &&
                (rows[i].handshake_us || rows[i].goodput_kbps) && paces++ < PACES_MAX)
                status = write_pace(making, &rows[i]);
        }
    }
    making->verdicts->count += making->count;
    making->count = 0;
    return status;
}

/* ---- from attempts to rows ---- */

static uint64_t number_of(const struct endpoint *end)
{
    static const struct hash_key plain = {0, 0}; /* the same in every run */

    if (end->kind == ENDPOINT_PSEUDONYM)
        return end->pseudonym;
    return end->kind == ENDPOINT_ADDRESS ? hash_bytes(&plain, &end->address, sizeof(end->address))
                                         : 0;
}

static uint64_t voice_of(const struct attempt_result *result, const struct input_record *input)
{
    if (input->vantage.origin == ORIGIN_IMPORTED && result->voice)
        return result->voice;
    return input->vantage.position == POSITION_SUBSCRIBER ? 0 : number_of(&result->client);
}

static uint16_t name_of(struct making *making, const char *text)
{
    return (uint16_t)(text && text[0] ? intern_add(making->names, text, strlen(text)) : 0);
}

static int take_attempt(void *context, const struct attempt_result *result)
{
    struct making *making = context;
    const struct input_record *input = store_reader_input(making->reader, result->input);
    int64_t hour_us = result->start_us / HOUR_US * HOUR_US;
    int status = DL_OK;

    if (hour_us != making->hour_us || making->count == ROWS_MAX) {
        status = flush_rows(making);
        making->hour_us = hour_us;
    }
    if (status != DL_OK)
        return status;
    making->rows[making->count++] = (struct row){
        .voice = voice_of(result, input),
        .client = number_of(&result->client),
        .flow_input = result->flow_input,
        .flow_packet = result->flow_packet,
        .start_us = result->start_us,
        .has_server = result->server.kind == ENDPOINT_ADDRESS,
        .server = result->server.address,
        .line = making->lines[result->input],
        .service = name_of(making, result->service),
        .mechanism = name_of(making, result->mechanism),
        .ip_version = result->ip_version,
        .outcome = (uint8_t)result->outcome,
        .certainty = (uint8_t)result->certainty,
        .attribution = (uint8_t)result->attribution,
        .proven = result->proven && result->outcome == OUTCOME_FAILED,
        .throttled = result->throttled && result->outcome == OUTCOME_OK,
        .handshake_us = result->handshake_us,
        .exchange_us = result->exchange_us,
        .goodput_kbps = result->goodput_kbps,
    };
    return DL_OK;
}

static int judge_all(struct making *making)
{
    struct store_query query = {.since_us = making->options->since_us,
                                .until_us = making->options->until_us,
                                .with_evidence = true};
    struct judge_pass *pass = NULL;
    struct attempt_fold *fold = NULL;
    struct judged judged;
    int status = attempt_fold_create(&fold, take_attempt, making);

    if (status == DL_OK)
        status = judge_pass_create(&pass, making->reader, &query, making->options->injectors,
                                   making->error);
    while (status == DL_OK) {
        status = judge_pass_next(pass, &judged, making->error);
        if (status == DL_OK)
            status = attempt_fold_add(fold, &judged);
        if (status == DL_OK && ++making->flows % PROGRESS == 0 && making->options->progress)
            status = making->options->progress(making->options->context, making->flows);
    }
    if (status == DL_END)
        status = attempt_fold_finish(fold);
    if (status == DL_OK)
        status = flush_rows(making);
    judge_pass_destroy(pass);
    attempt_fold_destroy(fold);
    return status;
}

/* ---- names and lines ---- */

static int write_names(struct making *making)
{
    sqlite3_stmt *s = NULL;
    int status =
        verdicts_prepare(making->verdicts, "INSERT INTO names VALUES (?, ?)", &s, making->error);

    for (uint32_t id = 1; status == DL_OK && id <= intern_count(making->names); id++) {
        sqlite3_bind_int64(s, 1, id);
        sqlite3_bind_text(s, 2, intern_text(making->names, id), -1, SQLITE_STATIC);
        if (sqlite3_step(s) != SQLITE_DONE)
            status = verdicts_fail(making->verdicts, making->error);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    return status;
}

static int write_line(struct making *making, uint16_t id, const struct cell_line *line)
{
    sqlite3_stmt *s = NULL;
    int status = verdicts_prepare(making->verdicts,
                                  "INSERT OR IGNORE INTO lines VALUES (?,?,?,?,?,?,?,?,?,?)", &s,
                                  making->error);

    if (status != DL_OK)
        return status;
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_text(s, 2, line->probe_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, line->carrier, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, line->asn);
    sqlite3_bind_text(s, 5, line->country, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 6, line->network);
    sqlite3_bind_int64(s, 7, line->position);
    sqlite3_bind_int64(s, 8, line->clock);
    sqlite3_bind_int64(s, 9, line->origin);
    sqlite3_bind_int64(s, 10, (int64_t)line->epoch);
    if (sqlite3_step(s) != SQLITE_DONE)
        status = verdicts_fail(making->verdicts, making->error);
    sqlite3_finalize(s);
    return status;
}

struct cell_line verdicts_line(const struct store_reader *reader, uint32_t input)
{
    static const struct hash_key plain = {0, 0};
    const struct input_record *record = store_reader_input(reader, input);
    const struct vantage *vantage = &record->vantage;
    const char *epoch = store_reader_meta(reader, input, "key_epoch");
    struct cell_line line = {.asn = vantage->asn,
                             .network = (uint8_t)vantage->network,
                             .position = (uint8_t)vantage->position,
                             .clock = (uint8_t)vantage->clock,
                             .origin = (uint8_t)vantage->origin};

    memcpy(line.probe_id, vantage->probe_id, sizeof(line.probe_id));
    memcpy(line.carrier, vantage->carrier, sizeof(line.carrier));
    memcpy(line.country, vantage->country, sizeof(line.country));
    line.epoch = epoch ? hash_bytes(&plain, epoch, strlen(epoch)) >> 1 : 0;
    return line;
}

static int find_lines(struct making *making)
{
    uint32_t inputs = store_reader_input_count(making->reader);
    int status = DL_OK;

    making->lines = calloc(inputs + 1, sizeof(*making->lines));
    if (!making->lines)
        return -ENOMEM;
    for (uint32_t i = 1; status == DL_OK && i <= inputs; i++) {
        struct cell_line line = verdicts_line(making->reader, i);
        status = cells_name_line(making->verdicts->names, &line, &making->lines[i]);
        if (status == DL_OK)
            status = write_line(making, making->lines[i], &line);
    }
    return status;
}

/* ---- the file ---- */

/* Is it ours, or empty? Whatever else lies there must not be emptied. */
static bool is_ours(struct verdicts *verdicts)
{
    static const char sql[] =
        "SELECT (SELECT application_id FROM pragma_application_id), COUNT(*) FROM sqlite_schema";
    sqlite3_stmt *s = NULL;
    bool ours = false;

    if (sqlite3_prepare_v2(verdicts->db, sql, -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        ours = sqlite3_column_int64(s, 0) == VERDICTS_APPLICATION_ID ||
               sqlite3_column_int64(s, 1) == 0;
    sqlite3_finalize(s);
    return ours;
}

static int open_file(struct verdicts *verdicts, struct dl_error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(verdicts->path, &verdicts->db, flags, NULL) != SQLITE_OK)
        return verdicts_fail(verdicts, error);
    /* It may have come with a stranger's store: nothing in it may run. */
    sqlite3_db_config(verdicts->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(verdicts->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (!is_ours(verdicts))
        return dl_error_set(error, DL_UNKNOWN_FORMAT, "%s: not a file of verdicts", verdicts->path);
    return verdicts_exec(verdicts, schema, error);
}

/* Beside the store where that can be written, else a file that has no name and goes with us. */
static int open_somewhere(struct verdicts *verdicts, const char *path, struct dl_error *error)
{
    int status;

    if (path && strlen(path) < sizeof(verdicts->path)) {
        memcpy(verdicts->path, path, strlen(path) + 1);
        status = open_file(verdicts, error);
        if (status == DL_OK)
            return status;
        sqlite3_close(verdicts->db);
        verdicts->path[0] = '\0';
    }
    return open_file(verdicts, error);
}

int verdicts_make(struct verdicts **ret_verdicts, struct store_reader *reader,
                  const struct verdicts_options *options, struct dl_error *error)
{
    struct making making = {.reader = reader, .options = options, .error = error};
    struct verdicts *verdicts = calloc(1, sizeof(*verdicts));
    int status = verdicts ? DL_OK : -ENOMEM;

    if (status != DL_OK)
        return status;
    making.verdicts = verdicts;
    making.rows = malloc(ROWS_MAX * sizeof(*making.rows));
    if (!making.rows)
        status = -ENOMEM;
    if (status == DL_OK)
        status = cells_create(&verdicts->names);
    if (status == DL_OK)
        status = intern_create(&making.names, CELL_NAMES_MAX, (size_t)CELL_NAMES_MAX * 64);
    if (status == DL_OK)
        status = open_somewhere(verdicts, options->path, error);
    if (status == DL_OK)
        status = verdicts_exec(verdicts,
                               "BEGIN; INSERT INTO meta VALUES ('rules_version', "
                               "'" VERDICTS_RULES_VERSION "')",
                               error);
    if (status == DL_OK)
        status = verdicts_prepare(verdicts,
                                  "INSERT INTO attempts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                  &making.insert, error);
    if (status == DL_OK)
        status = verdicts_prepare(verdicts, "INSERT INTO paces VALUES (?,?,?,?,?,?,?)",
                                  &making.insert_pace, error);
    if (status == DL_OK)
        status = find_lines(&making);
    if (status == DL_OK)
        status = judge_all(&making);
    if (status == DL_OK)
        status = write_names(&making);
    sqlite3_finalize(making.insert);
    sqlite3_finalize(making.insert_pace);
    if (status == DL_OK)
        status = verdicts_exec(verdicts, "COMMIT", error);
    free(making.rows);
    free(making.lines);
    intern_destroy(making.names);
    if (status == DL_OK)
        *ret_verdicts = verdicts;
    else
        verdicts_close(verdicts);
    return status;
}

void verdicts_close(struct verdicts *verdicts)
{
    if (!verdicts)
        return;
    sqlite3_close(verdicts->db);
    cells_destroy(verdicts->names);
    free(verdicts);
}

uint64_t verdicts_count(const struct verdicts *verdicts)
{
    return verdicts->count;
}

/* ---- what earlier analyses found ---- */

int verdicts_earlier_events(struct verdicts *verdicts, verdicts_event_fn fn, void *context,
                            struct dl_error *error)
{
    sqlite3_stmt *s = NULL;
    int code = SQLITE_DONE;
    int status = verdicts_prepare(
        verdicts, "SELECT rules_version, id FROM events ORDER BY rules_version, id", &s, error);

    while (status == DL_OK && (code = sqlite3_step(s)) == SQLITE_ROW)
        status = fn(context, (const char *)sqlite3_column_text(s, 0),
                    (const char *)sqlite3_column_text(s, 1));
    if (status == DL_OK && code != SQLITE_DONE)
        status = verdicts_fail(verdicts, error);
    sqlite3_finalize(s);
    return status;
}

int verdicts_keep_events(struct verdicts *verdicts, const struct analysis *analysis,
                         struct dl_error *error)
{
    static const char version[] = VERDICTS_RULES_VERSION;
    sqlite3_stmt *s = NULL;
    int status = verdicts_exec(verdicts, "BEGIN", error);

    if (status == DL_OK)
        status =
            verdicts_prepare(verdicts, "INSERT OR IGNORE INTO events VALUES (?, ?)", &s, error);
    for (size_t i = 0; status == DL_OK && i < analysis->event_count; i++) {
        sqlite3_bind_text(s, 1, version, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, analysis->events[i].id, -1, SQLITE_STATIC);
        if (sqlite3_step(s) != SQLITE_DONE)
            status = verdicts_fail(verdicts, error);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    if (status == DL_OK)
        status = verdicts_exec(verdicts, "COMMIT", error);
    return status;
}
