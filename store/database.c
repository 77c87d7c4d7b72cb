// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "store/store.h"

#define VALUE_SIZE_MAX  (16 * 1024 * 1024) /* one text or blob */
#define BUSY_TIMEOUT_MS 500
#define URI_SIZE_MAX    (3 * 4096 + 256)

/* ---- errors ---- */

/* The errno behind a failed read, write or opening. */
static int database_system_error(sqlite3 *db)
{
    int number = db ? sqlite3_system_errno(db) : 0;

    if (number == 0) {
        number = errno; /* a failed COMMIT leaves it there only */
    }
    if (number == EDQUOT || number == EFBIG) {
        number = ENOSPC; /* a quota or a limit: for who must make room it is the same */
    }
    return number > 0 ? -number : -EIO;
}

static int database_status(sqlite3 *db, const char *path, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return DL_OK;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_READONLY:
        return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 && errno == EROFS ? -EROFS
                                                                                  : -EACCES;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_TOOBIG:
        return DL_LIMIT;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return database_system_error(db);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* our statements fit our schema: the store's is another */
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return DL_CORRUPT;
    default:
        return DL_LIBRARY;
    }
}

int database_fail(sqlite3 *db, const char *path, int code, struct dl_error *error)
{
    int status = database_status(db, path, code);
    const char *reason = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);

    switch (status) {
    case -ENOSPC:
        return dl_error_set(
            error, status, "%s: no room left on the disk; what was committed before is kept", path);
    case -EBUSY:
        return dl_error_set(error, status, "%s: another program is writing to it", path);
    case -EACCES:
    case -EROFS:
        return dl_error_set(error, status, "%s: cannot be written: %s", path, dl_strerror(status));
    case DL_CORRUPT:
        if ((code & 0xff) == SQLITE_NOTADB) {
            return dl_error_set(error, status, "%s: not a darkline store", path);
        }
        return dl_error_set(error, status, "%s: the store is damaged: %s", path, reason);
    default:
        return dl_error_set(error, status, "%s: %s", path, reason);
    }
}

/* ---- opening ---- */

/* As a URI, so that parameters can be given and no name (":memory:", "file:x") means anything else.
 */
static void database_uri(struct buffer *uri, const char *path, const char *parameters)
{
    buffer_append_text(uri, "file:");
    if (path[0] != '/') {
        buffer_append_text(uri, "./");
    }
    for (const char *p = path; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("._-", *p) || (*p == '/' && p > path + 1);
        if (plain) {
            buffer_append_u8(uri, (uint8_t)*p);
        } else {
            buffer_printf(uri, "%%%02x", (unsigned)(uint8_t)*p);
        }
    }
    buffer_printf(uri, "?%s", parameters);
}

int database_open(sqlite3 **ret_db, const char *path, const char *parameters, const char *vfs,
                  struct dl_error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_EXRESCODE; /* the mode among the parameters narrows this */
    struct buffer uri;
    sqlite3 *db = NULL;
    int status;

    buffer_init(&uri, URI_SIZE_MAX);
    database_uri(&uri, path, parameters);
    if (uri.failed) {
        status = dl_error_set(error, -ENAMETOOLONG, "%s: the name is too long", path);
        goto out;
    }
    int code = sqlite3_open_v2(buffer_text(&uri), &db, flags, vfs);
    if (code != SQLITE_OK) {
        status = database_fail(db, path, code, error);
        goto out;
    }
    /* A store may come from strangers: nothing in it may run, nor be enormous. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_SIZE_MAX);
    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    status =
        database_exec(db, path, "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON", error);
    if (status != DL_OK) {
        goto out;
    }
    *ret_db = db;
    db = NULL;
out:
    sqlite3_close(db);
    buffer_finish(&uri);
    return status;
}

off_t database_size_beside(const char *path, const char *suffix)
{
    struct stat info;
    char *name = NULL;
    off_t size = -1;

    if (asprintf(&name, "%s%s", path, suffix) >= 0) {
        size = stat(name, &info) == 0 ? info.st_size : -1;
        free(name);
    }
    return size;
}

int database_exec(sqlite3 *db, const char *path, const char *sql, struct dl_error *error)
{
    errno = 0;
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? DL_OK : database_fail(db, path, code, error);
}

int database_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret_statement,
                     struct dl_error *error)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);

    if (code != SQLITE_OK) {
        return database_fail(db, path, code, error);
    }
    *ret_statement = statement;
    return DL_OK;
}

int database_integer(sqlite3 *db, const char *path, const char *sql, int64_t *ret_value,
                     struct dl_error *error)
{
    sqlite3_stmt *statement = NULL;
    int status = database_prepare(db, path, sql, &statement, error);

    if (status != DL_OK) {
        goto out;
    }
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *ret_value = sqlite3_column_int64(statement, 0);
    } else {
        status = database_fail(db, path, code == SQLITE_DONE ? SQLITE_ERROR : code, error);
    }
out:
    sqlite3_finalize(statement);
    return status;
}

/* SQLite takes a missing part of the last page for zeros. A WAL may still hold the page whole. */
static int database_check_size(sqlite3 *db, const char *path, struct dl_error *error)
{
    struct stat info;
    int64_t page_size = 0;
    int status = database_integer(db, path, "PRAGMA page_size", &page_size, error);

    if (status == DL_OK && page_size > 0 && database_size_beside(path, "-wal") <= 0 &&
        stat(path, &info) == 0 && info.st_size % page_size != 0) {
        status =
            dl_error_set(error, DL_CORRUPT, "%s: the store is damaged: its end is missing", path);
    }
    return status;
}

int database_version(sqlite3 *db, const char *path, int *ret_version, struct dl_error *error)
{
    static const char foreign[] =
        "SELECT sum(type NOT IN ('table', 'index')) FROM sqlite_schema"; /* NULL, 0 if empty */
    int64_t application = 0, version = 0, objects = 0, strange = 0;
    int status = database_integer(db, path, "PRAGMA application_id", &application, error);

    if (status == DL_OK) {
        status = database_integer(db, path, "PRAGMA user_version", &version, error);
    }
    if (status == DL_OK) {
        status = database_integer(db, path, "SELECT count(*) FROM sqlite_schema", &objects, error);
    }
    if (status == DL_OK) {
        status = database_integer(db, path, foreign, &strange, error);
    }
    if (status != DL_OK) {
        return status;
    }
    if (application == 0 && version == 0 && objects == 0) {
        *ret_version = 0;
        return DL_OK;
    }
    if (application != STORE_APPLICATION_ID || version < 1) {
        return dl_error_set(error, DL_CORRUPT, "%s: not a darkline store", path);
    }
    if (version > STORE_SCHEMA_VERSION) {
        return dl_error_set(error, DL_VERSION,
                            "%s: made by a newer darkline (schema %d; this one knows %d)", path,
                            (int)version, STORE_SCHEMA_VERSION);
    }
    if (strange > 0) {
        return dl_error_set(error, DL_CORRUPT, "%s: holds views or triggers, as no store does",
                            path);
    }
    status = database_check_size(db, path, error);
    if (status == DL_OK) {
        *ret_version = (int)version;
    }
    return status;
}

/* ---- migration ---- */

static const struct store_migration *migration_find(const struct store_migration *steps,
                                                    size_t count, int from)
{
    for (size_t i = 0; i < count; i++) {
        if (steps[i].from == from) {
            return &steps[i];
        }
    }
    return NULL;
}

int store_migrate(sqlite3 *db, const char *path, const struct store_migration *steps, size_t count,
                  int from, int target, struct dl_error *error)
{
    char pragma[64];
    int status = database_exec(db, path, "BEGIN IMMEDIATE", error);

    if (status != DL_OK) {
        goto out;
    }
    for (int version = from; version < target; version++) {
        const struct store_migration *step = migration_find(steps, count, version);
        if (!step) {
            status = dl_error_set(error, DL_CORRUPT, "%s: its schema %d is unknown", path, version);
            goto out;
        }
        status = database_exec(db, path, step->sql, error);
        if (status != DL_OK) {
            goto out;
        }
    }
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d; COMMIT", target);
    status = database_exec(db, path, pragma, error);
out:
    if (!sqlite3_get_autocommit(db)) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

/* ---- values ---- */

static void bind_done(struct binder *binder, int code)
{
    if (binder->code == SQLITE_OK) {
        binder->code = code;
    }
}

void bind_integer(struct binder *binder, int64_t value)
{
    bind_done(binder, sqlite3_bind_int64(binder->statement, ++binder->at, value));
}

void bind_integer_or_null(struct binder *binder, int64_t value)
{
    if (value != 0) {
        bind_integer(binder, value);
    } else {
        bind_done(binder, sqlite3_bind_null(binder->statement, ++binder->at));
    }
}

void bind_text(struct binder *binder, const char *text)
{
    bind_done(binder, sqlite3_bind_text(binder->statement, ++binder->at, text, -1, SQLITE_STATIC));
}

void bind_blob(struct binder *binder, const void *bytes, size_t length)
{
    bind_done(binder,
              sqlite3_bind_blob64(binder->statement, ++binder->at, bytes, length, SQLITE_STATIC));
}

int64_t row_integer(struct row *row)
{
    int column = row->at++;

    row->bad |= sqlite3_column_type(row->statement, column) != SQLITE_INTEGER;
    return sqlite3_column_int64(row->statement, column);
}

int64_t row_optional_integer(struct row *row)
{
    if (sqlite3_column_type(row->statement, row->at) == SQLITE_NULL) {
        row->at++;
        return 0;
    }
    return row_integer(row);
}

uint64_t row_unsigned(struct row *row, uint64_t maximum)
{
    uint64_t value = (uint64_t)row_integer(row);

    row->bad |= value > maximum;
    return row->bad ? 0 : value;
}

const char *row_optional_text(struct row *row)
{
    int column = row->at++;
    int type = sqlite3_column_type(row->statement, column);
    const char *text = NULL;

    if (type == SQLITE_TEXT) {
        text = (const char *)sqlite3_column_text(row->statement, column);
    }
    row->bad |= type != SQLITE_NULL && !text;
    return text ? text : "";
}

const char *row_text(struct row *row)
{
    row->bad |= sqlite3_column_type(row->statement, row->at) == SQLITE_NULL;
    return row_optional_text(row);
}

const void *row_blob(struct row *row, size_t *ret_length)
{
    int column = row->at++;
    int type = sqlite3_column_type(row->statement, column);
    const void *bytes = NULL;

    *ret_length = 0;
    if (type == SQLITE_BLOB) {
        bytes = sqlite3_column_blob(row->statement, column);
        *ret_length = (size_t)sqlite3_column_bytes(row->statement, column);
    }
    row->bad |= type != SQLITE_BLOB && type != SQLITE_NULL;
    return bytes;
}
