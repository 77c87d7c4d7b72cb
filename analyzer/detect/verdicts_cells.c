// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/verdicts_internal.h"
#include "base/array.h"

/* Times within the hour are asked for as microseconds since 1970; NULL where there is none. */
static const char cells_sql[] =
    "SELECT hour, line, service, ip_version, SUM(weight > 0), SUM(outcome = 2), SUM(weight = 0),"
    " SUM(proven), SUM(throttled), COUNT(DISTINCT CASE WHEN weight > 0 THEN voice END),"
    " COUNT(DISTINCT CASE WHEN outcome = 2 THEN voice END),"
    " COUNT(DISTINCT CASE WHEN outcome = 1 THEN voice END), SUM(weight),"
    " SUM(CASE WHEN outcome = 2 THEN weight ELSE 0 END),"
    " SUM(CASE WHEN throttled THEN weight ELSE 0 END), MIN(start), MAX(start),"
    " MIN(CASE WHEN outcome = 1 THEN start END), MAX(CASE WHEN outcome = 1 THEN start END),"
    " MIN(CASE WHEN outcome = 2 THEN start END), MAX(CASE WHEN outcome = 2 THEN start END),"
    " MIN(CASE WHEN throttled THEN start END), MAX(CASE WHEN throttled THEN start END),"
    " MIN(CASE WHEN outcome = 1 AND NOT throttled THEN start END),"
    " MAX(CASE WHEN outcome = 1 AND NOT throttled THEN start END),"
    " SUM(outcome = 2 AND attribution IN (2, 3))" /* endpoint, client */
    " FROM attempts GROUP BY hour, line, service, ip_version";

static const char mechanisms_sql[] =
    "SELECT hour, line, service, ip_version, mechanism, attribution, COUNT(*),"
    " COUNT(DISTINCT voice), MIN(flow) FROM attempts"
    " WHERE (outcome = 2 OR throttled) AND mechanism IS NOT NULL"
    " GROUP BY hour, line, service, ip_version, mechanism, attribution";

static const char habits_sql[] =
    "SELECT line, service, voice, hour / 86400000000, COUNT(*), MAX(start), SUM(outcome = 2)"
    " FROM attempts WHERE line IN (SELECT id FROM lines WHERE origin <> ?1) GROUP BY 1, 2, 3, 4";

static const char crowds_sql[] = "SELECT line, service, COUNT(DISTINCT voice) FROM attempts"
                                 " WHERE line IN (SELECT id FROM lines WHERE origin = ?1)"
                                 " GROUP BY 1, 2";

static const char paces_sql[] =
    "SELECT line, service, start, goodput_kbps, handshake_us, exchange_us, voice FROM paces";

struct filling {
    struct verdicts *verdicts;
    struct cells *cells;
    uint16_t *lines, *names; /* numbers of the file to those of the cells */
    size_t line_count, name_count;
    struct dl_error *error;
};

typedef int (*row_fn)(struct filling *filling, sqlite3_stmt *row);

static int each_row(struct filling *filling, const char *sql, row_fn fn)
{
    sqlite3_stmt *s = NULL;
    int code = SQLITE_DONE, status = verdicts_prepare(filling->verdicts, sql, &s, filling->error);

    if (status == DL_OK && sqlite3_bind_parameter_count(s) > 0)
        sqlite3_bind_int(s, 1, ORIGIN_IMPORTED);
    while (status == DL_OK && (code = sqlite3_step(s)) == SQLITE_ROW)
        status = fn(filling, s);
    if (status == DL_OK && code != SQLITE_DONE)
        status = verdicts_fail(filling->verdicts, filling->error);
    sqlite3_finalize(s);
    return status;
}

/* ---- names ---- */

static int grow(uint16_t **numbers, size_t *count, size_t id)
{
    if (id < *count)
        return DL_OK;
    size_t wanted = MAX_OF(64, 2 * (id + 1));
    uint16_t *grown = realloc(*numbers, wanted * sizeof(**numbers));
    if (!grown)
        return -ENOMEM;
    memset(grown + *count, 0, (wanted - *count) * sizeof(*grown));
    *numbers = grown;
    *count = wanted;
    return DL_OK;
}

static void copy_text(char *ret_text, size_t size, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t length = text ? MIN_OF(strlen(text), size - 1) : 0;

    if (length)
        memcpy(ret_text, text, length);
    ret_text[length] = '\0';
}

static int take_line(struct filling *filling, sqlite3_stmt *row)
{
    size_t id = (size_t)sqlite3_column_int64(row, 0);
    struct cell_line line = {.asn = (uint32_t)sqlite3_column_int64(row, 3),
                             .network = (uint8_t)sqlite3_column_int(row, 5),
                             .position = (uint8_t)sqlite3_column_int(row, 6),
                             .clock = (uint8_t)sqlite3_column_int(row, 7),
                             .origin = (uint8_t)sqlite3_column_int(row, 8),
                             .epoch = (uint64_t)sqlite3_column_int64(row, 9)};
    int status = grow(&filling->lines, &filling->line_count, id);

    copy_text(line.probe_id, sizeof(line.probe_id), row, 1);
    copy_text(line.carrier, sizeof(line.carrier), row, 2);
    copy_text(line.country, sizeof(line.country), row, 4);
    if (status == DL_OK)
        status = cells_name_line(filling->cells, &line, &filling->lines[id]);
    return status;
}

/* Services and mechanisms share the numbers of the file; each kind has its own among the cells. */
static int take_service(struct filling *filling, sqlite3_stmt *row)
{
    size_t id = (size_t)sqlite3_column_int64(row, 0);
    int status = grow(&filling->names, &filling->name_count, id);

    if (status == DL_OK)
        status = cells_name_service(filling->cells, (const char *)sqlite3_column_text(row, 1),
                                    &filling->names[id]);
    return status;
}

static int take_mechanism_name(struct filling *filling, sqlite3_stmt *row)
{
    size_t id = (size_t)sqlite3_column_int64(row, 0);
    int status = grow(&filling->names, &filling->name_count, id);

    if (status == DL_OK)
        status = cells_name_mechanism(filling->cells, (const char *)sqlite3_column_text(row, 1),
                                      &filling->names[id]);
    return status;
}

/* ---- rows ---- */

static uint32_t within_ms(sqlite3_stmt *row, int column, int64_t hour_us)
{
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return CELL_NO_TIME;
    return (uint32_t)((sqlite3_column_int64(row, column) - hour_us) / 1000);
}

static int take_cell(struct filling *filling, sqlite3_stmt *row)
{
    int64_t hour = sqlite3_column_int64(row, 0);
    struct cell cell = {
        .hour_us = hour,
        .line = filling->lines[sqlite3_column_int64(row, 1)],
        .service = filling->names[sqlite3_column_int64(row, 2)],
        .ip_version = (uint8_t)sqlite3_column_int(row, 3),
        .attempts = (uint32_t)sqlite3_column_int64(row, 4),
        .failures = (uint32_t)sqlite3_column_int64(row, 5),
        .undecided = (uint32_t)sqlite3_column_int64(row, 6),
        .proven = (uint32_t)sqlite3_column_int64(row, 7),
        .throttled = (uint32_t)sqlite3_column_int64(row, 8),
        .voices = (uint32_t)sqlite3_column_int64(row, 9),
        .bad_voices = (uint32_t)sqlite3_column_int64(row, 10),
        .good_voices = (uint32_t)sqlite3_column_int64(row, 11),
        .votes = (float)sqlite3_column_double(row, 12),
        .bad = (float)sqlite3_column_double(row, 13),
        .slow = (float)sqlite3_column_double(row, 14),
        .first_ms = within_ms(row, 15, hour),
        .last_ms = within_ms(row, 16, hour),
        .first_good_ms = within_ms(row, 17, hour),
        .last_good_ms = within_ms(row, 18, hour),
        .first_bad_ms = within_ms(row, 19, hour),
        .last_bad_ms = within_ms(row, 20, hour),
        .first_slow_ms = within_ms(row, 21, hour),
        .last_slow_ms = within_ms(row, 22, hour),
        .first_quick_ms = within_ms(row, 23, hour),
        .last_quick_ms = within_ms(row, 24, hour),
        .by_ends = (uint32_t)sqlite3_column_int64(row, 25),
    };
    return cells_add(filling->cells, &cell);
}

static int take_mechanism(struct filling *filling, sqlite3_stmt *row)
{
    uint64_t flow = (uint64_t)sqlite3_column_int64(row, 8);
    struct cell_mechanism item = {
        .hour_us = sqlite3_column_int64(row, 0),
        .line = filling->lines[sqlite3_column_int64(row, 1)],
        .service = filling->names[sqlite3_column_int64(row, 2)],
        .ip_version = (uint8_t)sqlite3_column_int(row, 3),
        .mechanism = filling->names[sqlite3_column_int64(row, 4)],
        .attribution = (uint8_t)sqlite3_column_int(row, 5),
        .attempts = (uint32_t)sqlite3_column_int64(row, 6),
        .voices = (uint32_t)sqlite3_column_int64(row, 7),
        .flows = 1,
        .flow_input = (uint32_t)(flow >> 40),
        .flow_packet = flow & ((UINT64_C(1) << 40) - 1),
    };
    return cells_add_mechanism(filling->cells, &item);
}

static int take_habit(struct filling *filling, sqlite3_stmt *row)
{
    struct cell_habit habit = {
        .line = filling->lines[sqlite3_column_int64(row, 0)],
        .service = filling->names[sqlite3_column_int64(row, 1)],
        .voice = (uint64_t)sqlite3_column_int64(row, 2),
        .day_us = sqlite3_column_int64(row, 3) * INT64_C(86400000000),
        .attempts = (uint32_t)sqlite3_column_int64(row, 4),
        .last_us = sqlite3_column_int64(row, 5),
        .failures = (uint32_t)sqlite3_column_int64(row, 6),
    };
    int status = cells_add_habit(filling->cells, &habit);
    /* More habits than can be kept: those left over cannot be missed later, nothing else. */
    return status == DL_LIMIT ? DL_OK : status;
}

static int take_crowd(struct filling *filling, sqlite3_stmt *row)
{
    struct cell_crowd crowd = {
        .line = filling->lines[sqlite3_column_int64(row, 0)],
        .service = filling->names[sqlite3_column_int64(row, 1)],
        .voices = (uint32_t)sqlite3_column_int64(row, 2),
    };
    return cells_add_crowd(filling->cells, &crowd);
}

static int take_pace(struct filling *filling, sqlite3_stmt *row)
{
    struct cell_pace pace = {
        .line = filling->lines[sqlite3_column_int64(row, 0)],
        .service = filling->names[sqlite3_column_int64(row, 1)],
        .start_us = sqlite3_column_int64(row, 2),
        .goodput_kbps = (uint32_t)sqlite3_column_int64(row, 3),
        .handshake_us = (uint32_t)sqlite3_column_int64(row, 4),
        .exchange_us = (uint32_t)sqlite3_column_int64(row, 5),
        .voice = (uint64_t)sqlite3_column_int64(row, 6),
    };
    return cells_add_pace(filling->cells, &pace);
}

/* ---- when it was watched ---- */

struct covering {
    struct cells *cells;
    struct store_reader *reader;
    bool *covered; /* inputs that say so themselves */
};

static int take_coverage(void *context, const struct coverage_record *record)
{
    struct covering *covering = context;
    struct cell_line line = verdicts_line(covering->reader, record->input);
    struct cell_coverage coverage = {
        .from_us = record->from_us, .to_us = record->to_us, .link_up = record->link_up};
    int status = cells_name_line(covering->cells, &line, &coverage.line);

    covering->covered[record->input] = true;
    return status == DL_OK ? cells_add_coverage(covering->cells, &coverage) : status;
}

static int add_coverage(struct cells *cells, struct store_reader *reader, struct dl_error *error)
{
    uint32_t inputs = store_reader_input_count(reader);
    struct covering covering = {cells, reader, calloc(inputs + 1, sizeof(bool))};
    int status = covering.covered ? DL_OK : -ENOMEM;

    if (status == DL_OK)
        status = store_reader_coverage(reader, take_coverage, &covering, error);
    for (uint32_t i = 1; status == DL_OK && i <= inputs; i++) {
        const struct input_record *input = store_reader_input(reader, i);
        struct coverage_record record = {
            .input = i, .from_us = input->first_us, .to_us = input->last_us, .link_up = true};
        if (!covering.covered[i] && input->vantage.origin != ORIGIN_IMPORTED && input->first_us)
            status = take_coverage(&covering, &record);
    }
    free(covering.covered);
    return status;
}

int verdicts_cells(struct verdicts *verdicts, struct store_reader *reader, struct cells **ret_cells,
                   struct dl_error *error)
{
    struct filling filling = {.verdicts = verdicts, .error = error};
    int status = cells_create(&filling.cells);

    if (status == DL_OK)
        status = each_row(&filling, "SELECT * FROM lines ORDER BY id", take_line);
    if (status == DL_OK)
        status = each_row(&filling,
                          "SELECT id, text FROM names WHERE id IN"
                          " (SELECT DISTINCT service FROM attempts) ORDER BY id",
                          take_service);
    if (status == DL_OK)
        status = each_row(&filling, cells_sql, take_cell);
    if (status == DL_OK)
        status = each_row(&filling, habits_sql, take_habit);
    if (status == DL_OK)
        status = each_row(&filling, crowds_sql, take_crowd);
    if (status == DL_OK)
        status = each_row(&filling, paces_sql, take_pace);
    if (status == DL_OK)
        status = each_row(&filling,
                          "SELECT id, text FROM names WHERE id IN (SELECT DISTINCT mechanism"
                          " FROM attempts WHERE mechanism IS NOT NULL) ORDER BY id",
                          take_mechanism_name);
    if (status == DL_OK)
        status = each_row(&filling, mechanisms_sql, take_mechanism);
    if (status == DL_OK)
        status = add_coverage(filling.cells, reader, error);
    if (status == DL_OK)
        status = cells_seal(filling.cells);
    free(filling.lines);
    free(filling.names);
    if (status == DL_OK)
        *ret_cells = filling.cells;
    else
        cells_destroy(filling.cells);
    if (status == DL_LIMIT)
        dl_error_set(error, status, "too many cells: analyse a shorter period (--since, --until)");
    return status;
}

int verdicts_same_server(struct verdicts *verdicts, const char *carrier, const char *service,
                         int64_t from_us, int64_t to_us, uint64_t *ret_attempts,
                         uint64_t *ret_failures)
{
    static const char sql[] =
        "SELECT COUNT(*), SUM(outcome = 2) FROM attempts JOIN lines ON lines.id = line"
        " JOIN names s ON s.id = attempts.service WHERE lines.carrier = ?1 AND s.text <> ?2"
        " AND start BETWEEN ?3 AND ?4 AND outcome > 0 AND server IN"
        " (SELECT server FROM attempts JOIN lines ON lines.id = line JOIN names s"
        "  ON s.id = attempts.service WHERE lines.carrier = ?1 AND s.text = ?2"
        "  AND start BETWEEN ?3 AND ?4 AND outcome = 2 AND server IS NOT NULL)";
    sqlite3_stmt *s = NULL;
    int status = verdicts_prepare(verdicts, sql, &s, NULL);

    if (status != DL_OK)
        return status;
    sqlite3_bind_text(s, 1, carrier, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, service, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, from_us);
    sqlite3_bind_int64(s, 4, to_us);
    if (sqlite3_step(s) != SQLITE_ROW) {
        status = DL_LIBRARY;
    } else {
        *ret_attempts = (uint64_t)sqlite3_column_int64(s, 0);
        *ret_failures = (uint64_t)sqlite3_column_int64(s, 1);
    }
    sqlite3_finalize(s);
    return status;
}
