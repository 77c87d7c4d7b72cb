// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "store/blob.h"
#include "store/store_internal.h"

#define STORES_MAX     64
#define INPUTS_MAX     100000
#define READER_WAIT_MS 5000 /* for a writer that is just closing */

#define NAME_ROOM (16u * 1024 * 1024)

/* ---- opening ---- */

static int source_check_file(const char *path, struct dl_error *error)
{
    struct stat info;
    int status = DL_OK;

    if (stat(path, &info) != 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0) {
        status = -errno;
        dl_error_set(error, status, "%s: cannot be read: %s", path, dl_strerror(status));
    } else if (!S_ISREG(info.st_mode)) {
        status = S_ISDIR(info.st_mode) ? -EISDIR : DL_CORRUPT;
        dl_error_set(error, status, "%s: not a darkline store", path);
    }
    return status;
}

static int source_open_as(struct source *source, const char *parameters, const char *vfs,
                          int *ret_version, struct dl_error *error)
{
    int status = database_open(&source->db, source->path, parameters, vfs, error);

    if (status == DL_OK) {
        sqlite3_busy_timeout(source->db, READER_WAIT_MS);
        if (vfs) {
            status =
                database_exec(source->db, source->path, "PRAGMA locking_mode = EXCLUSIVE", error);
        }
    }
    if (status == DL_OK) {
        status = database_version(source->db, source->path, ret_version, error);
    }
    if (status != DL_OK) {
        sqlite3_close(source->db);
        source->db = NULL;
    }
    return status;
}

/*
 * A store in WAL mode needs PATH-shm, which SQLite cannot make in a folder that is read-only.
 * Without one nobody is writing, and we may do without: by an index of the WAL in memory, or, where
 * there is no WAL, by reading the file as it is.
 */
static int source_open_database(struct source *source, int *ret_version, struct dl_error *error)
{
    int version = 0;
    int status = source_open_as(source, "mode=ro", NULL, &version, error);
    bool refused = status != DL_OK && status != DL_CORRUPT && status != DL_VERSION;

    if (refused && database_size_beside(source->path, "-shm") < 0) {
        status = database_size_beside(source->path, "-wal") > 0
                     ? source_open_as(source, "mode=ro", "unix-none", &version, error)
                     : source_open_as(source, "mode=ro&immutable=1", NULL, &version, error);
    }
    if (status == DL_OK && version == 0) {
        status =
            dl_error_set(error, DL_CORRUPT, "%s: not a darkline store: it is empty", source->path);
    }
    if (status == DL_OK) {
        *ret_version = version;
    }
    return status;
}

static int source_load_meta(struct source *source, struct dl_error *error)
{
    sqlite3_stmt *statement = NULL;
    int code, status;

    status = database_prepare(source->db, source->path, "SELECT key, value FROM meta ORDER BY key",
                              &statement, error);
    if (status != DL_OK) {
        goto out;
    }
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && source->meta_count < STORE_META_MAX) {
        struct row row = {.statement = statement};
        struct meta_entry *entry = &source->meta[source->meta_count++];
        entry->key = strdup(row_text(&row));
        entry->value = strdup(row_text(&row));
        if (!entry->key || !entry->value) {
            code = SQLITE_NOMEM;
            break;
        }
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        status = database_fail(source->db, source->path, code, error);
    }
out:
    sqlite3_finalize(statement);
    return status;
}

static const char *source_meta(const struct source *source, const char *key)
{
    for (size_t i = 0; i < source->meta_count; i++) {
        if (strcmp(source->meta[i].key, key) == 0) {
            return source->meta[i].value;
        }
    }
    return NULL;
}

static void row_hash(struct row *row, uint8_t hash[32], bool *has_hash)
{
    size_t length;
    const void *bytes = row_blob(row, &length);

    row->bad |= bytes && length != 32;
    *has_hash = bytes && length == 32;
    if (*has_hash) {
        memcpy(hash, bytes, 32);
    }
}

static void row_copy_text(struct row *row, char *text, size_t size)
{
    const char *value = row_text(row);

    row->bad |= strlen(value) >= size;
    snprintf(text, size, "%s", value);
}

static bool row_input(struct row *row, struct input_record *input)
{
    struct vantage *vantage = &input->vantage;

    input->number = (uint32_t)row_unsigned(row, STORE_INPUT_MAX);
    row_copy_text(row, input->path, sizeof(input->path));
    input->size = (uint64_t)row_integer(row);
    row_hash(row, input->fingerprint, &input->has_fingerprint);
    row_hash(row, input->sha256, &input->has_sha256);
    input->packets = (uint64_t)row_integer(row);
    input->bytes = (uint64_t)row_integer(row);
    input->lost = (uint64_t)row_integer(row);
    input->first_us = row_integer(row);
    input->last_us = row_integer(row);
    input->status = (int)row_integer(row);
    input->complete = row_unsigned(row, 1) == 1;
    row_copy_text(row, vantage->probe_id, sizeof(vantage->probe_id));
    row_copy_text(row, vantage->carrier, sizeof(vantage->carrier));
    vantage->asn = (uint32_t)row_unsigned(row, UINT32_MAX);
    row_copy_text(row, vantage->country, sizeof(vantage->country));
    vantage->network = (enum network_kind)row_unsigned(row, NETWORK_TRANSIT);
    vantage->position = (enum position)row_unsigned(row, POSITION_SERVER);
    vantage->clock = (enum clock_state)row_unsigned(row, CLOCK_UNSYNCHRONISED);
    vantage->origin = (enum origin)row_unsigned(row, ORIGIN_IMPORTED);
    return !row->bad && input->number > 0;
}

/* Room for `more` inputs in the merged list. */
static int reader_reserve(struct store_reader *reader, struct source *source, int64_t more,
                          struct dl_error *error)
{
    if (more < 0 || more > INPUTS_MAX - reader->input_count) {
        return dl_error_set(error, DL_LIMIT, "%s: more than %d inputs", source->path, INPUTS_MAX);
    }
    size_t wanted = reader->input_count + (size_t)more + 1;
    struct input_record *inputs = reallocarray(reader->inputs, wanted, sizeof(*reader->inputs));
    if (inputs) {
        reader->inputs = inputs;
        source->numbers = calloc((size_t)more + 1, sizeof(*source->numbers));
    }
    if (!inputs || !source->numbers) {
        return dl_error_set(error, -ENOMEM, "%s: out of memory", source->path);
    }
    return DL_OK;
}

static int source_load_inputs(struct store_reader *reader, struct source *source,
                              struct dl_error *error)
{
    static const char query[] = "SELECT " STORE_INPUT_COLUMNS " FROM inputs ORDER BY number";
    sqlite3_stmt *statement = NULL;
    int64_t count = 0;
    int code = SQLITE_DONE;
    int status =
        database_integer(source->db, source->path, "SELECT count(*) FROM inputs", &count, error);

    if (status == DL_OK) {
        status = reader_reserve(reader, source, count, error);
    }
    if (status == DL_OK) {
        status = database_prepare(source->db, source->path, query, &statement, error);
    }
    source->input_first = reader->input_count;
    /* One begun since the count is left out, as it is by every query below. */
    while (status == DL_OK && source->input_count < count &&
           (code = sqlite3_step(statement)) == SQLITE_ROW && reader->inputs) {
        struct row row = {.statement = statement};
        struct input_record *input = &reader->inputs[reader->input_count];
        *input = (struct input_record){0};
        if (!row_input(&row, input)) {
            status = dl_error_set(error, DL_CORRUPT, "%s: the store is damaged: its inputs",
                                  source->path);
            break;
        }
        source->numbers[source->input_count++] = input->number;
        input->number = ++reader->input_count;
    }
    if (status == DL_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
        status = database_fail(source->db, source->path, code, error);
    }
    sqlite3_finalize(statement);
    return status;
}

/* A store of version 1 says nothing of certificates. */
static int source_prepare(struct source *source, int version, struct dl_error *error)
{
    static const char flow_now[] = "SELECT " STORE_FLOW_COLUMNS " FROM flows WHERE id = ?";
    static const char flow_1[] =
        "SELECT " STORE_FLOW_COLUMNS_1 "0, NULL, evidence FROM flows WHERE id = ?";
    const char *flow = version == 1 ? flow_1 : flow_now;
    /* +id: the index on start, where there is one, must lead. */
    static const char keys_sorted[] = "SELECT start, id FROM flows WHERE start >= ? AND start <= ? "
                                      "AND +id <= ? ORDER BY start, id";
    static const char keys_as_they_lie[] =
        "SELECT start, id FROM flows WHERE +start >= ? AND +start <= ? AND id <= ? ORDER BY id";
    const char *order = source_meta(source, STORE_META_ORDER);
    const char *keys = order && strcmp(order, "id") == 0 ? keys_as_they_lie : keys_sorted;
    const struct {
        const char *sql;
        sqlite3_stmt **statement;
    } wanted[] = {{flow, &source->row.statement},
                  {flow, &source->get.statement},
                  {keys, &source->keys},
                  {"SELECT text FROM strings WHERE id = ?", &source->name}};
    int status = DL_OK;

    for (size_t i = 0; i < ARRAY_LENGTH(wanted) && status == DL_OK; i++) {
        status =
            database_prepare(source->db, source->path, wanted[i].sql, wanted[i].statement, error);
    }
    return status;
}

static int source_open(struct store_reader *reader, struct source *source, const char *path,
                       struct dl_error *error)
{
    int status = source_check_file(path, error);
    int version = 0;

    if (status != DL_OK) {
        return status;
    }
    source->path = strdup(path);
    if (!source->path) {
        return dl_error_set(error, -ENOMEM, "%s: out of memory", path);
    }
    for (int i = 0; i < STORE_FLOW_NAMES; i++) {
        buffer_init(&source->row.names[i], NAME_ROOM);
        buffer_init(&source->get.names[i], NAME_ROOM);
    }
    status = source_open_database(source, &version, error);
    if (status == DL_OK) {
        status = source_load_meta(source, error);
    }
    if (status == DL_OK) {
        status = source_load_inputs(reader, source, error);
    }
    return status == DL_OK ? source_prepare(source, version, error) : status;
}

static void source_finish(struct source *source)
{
    sqlite3_finalize(source->keys);
    sqlite3_finalize(source->row.statement);
    sqlite3_finalize(source->get.statement);
    sqlite3_finalize(source->name);
    sqlite3_close(source->db);
    for (int i = 0; i < STORE_FLOW_NAMES; i++) {
        buffer_finish(&source->row.names[i]);
        buffer_finish(&source->get.names[i]);
    }
    for (size_t i = 0; i < source->name_count; i++) {
        free(source->names[i]);
    }
    free(source->names);
    for (size_t i = 0; i < source->meta_count; i++) {
        free(source->meta[i].key);
        free(source->meta[i].value);
    }
    free(source->numbers);
    free(source->path);
}

int store_reader_open(struct store_reader **ret_reader, const char *const *paths, size_t count,
                      struct dl_error *error)
{
    struct store_reader *reader = NULL;
    int status = DL_OK;

    if (count > STORES_MAX) {
        status = dl_error_set(error, DL_LIMIT, "more than %d stores at once", STORES_MAX);
        goto out;
    }
    reader = calloc(1, sizeof(*reader));
    if (reader) {
        reader->sources = calloc(count + 1, sizeof(*reader->sources));
    }
    if (!reader || !reader->sources) {
        status = dl_error_set(error, -ENOMEM, "out of memory");
        goto out;
    }
    for (size_t i = 0; i < count && status == DL_OK; i++) {
        reader->source_count++;
        status = source_open(reader, &reader->sources[i], paths[i], error);
    }
    if (status == DL_OK) {
        *ret_reader = reader;
        reader = NULL;
    }
out:
    store_reader_close(reader);
    return status;
}

void store_reader_close(struct store_reader *reader)
{
    if (!reader) {
        return;
    }
    for (size_t i = 0; i < reader->source_count; i++) {
        source_finish(&reader->sources[i]);
    }
    free(reader->sources);
    free(reader->inputs);
    free(reader);
}

/* ---- inputs ---- */

const struct input_record *store_reader_input(const struct store_reader *reader, uint32_t number)
{
    return number > 0 && number <= reader->input_count ? &reader->inputs[number - 1] : NULL;
}

uint32_t store_reader_input_count(const struct store_reader *reader)
{
    return reader->input_count;
}

struct source *reader_source(const struct store_reader *reader, uint32_t number)
{
    for (size_t i = 0; number > 0 && i < reader->source_count; i++) {
        struct source *source = &reader->sources[i];
        if (number - 1 - source->input_first < source->input_count) {
            return source;
        }
    }
    return NULL;
}

const char *store_reader_input_store(const struct store_reader *reader, uint32_t number)
{
    const struct source *source = reader_source(reader, number);

    return source ? source->path : NULL;
}

const char *store_reader_meta(const struct store_reader *reader, uint32_t input, const char *key)
{
    const struct source *source = reader_source(reader, input);

    return source ? source_meta(source, key) : NULL;
}
