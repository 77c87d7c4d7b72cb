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
#include "base/clock.h"
#include "base/intern.h"
#include "store/store_internal.h"

#define LEAVES_A_LOOK    64 /* records between two looks at the clock */
#define CHECKPOINT_PAGES "1000"

static const char *const statements[STATEMENT_TOTAL] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_FLOW] = "INSERT OR REPLACE INTO flows (" STORE_FLOW_COLUMNS ") VALUES "
                       "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [STATEMENT_STRING] = "INSERT INTO strings (id, text) VALUES (?,?)",
    [STATEMENT_INPUT] = "INSERT OR REPLACE INTO inputs (" STORE_INPUT_COLUMNS ") VALUES "
                        "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [STATEMENT_COUNT] = "INSERT OR REPLACE INTO counts (" STORE_COUNT_COLUMNS ") VALUES "
                        "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [STATEMENT_COVERAGE] = "INSERT OR REPLACE INTO coverage (" STORE_COVERAGE_COLUMNS ") VALUES "
                           "(?,?,?,?,?,?)",
    [STATEMENT_NOTE] = "INSERT OR REPLACE INTO notes (input, kind, count) VALUES (?,?,?)",
    [STATEMENT_META] = "INSERT OR REPLACE INTO meta (key, value) VALUES (?,?)",
    [STATEMENT_HAS_INPUT] = "SELECT 1 FROM inputs WHERE fingerprint = ? AND complete <> 0",
    [STATEMENT_EARLIER] = "SELECT number FROM inputs WHERE fingerprint = ? AND complete = 0",
    [STATEMENT_FORGET_FLOWS] = "DELETE FROM flows WHERE id >= ?1 << 40 AND id < (?1 + 1) << 40",
    [STATEMENT_FORGET_COUNTS] = "DELETE FROM counts WHERE input = ?",
    [STATEMENT_FORGET_COVERAGE] = "DELETE FROM coverage WHERE input = ?",
    [STATEMENT_FORGET_NOTES] = "DELETE FROM notes WHERE input = ?",
    [STATEMENT_FORGET_INPUT] = "DELETE FROM inputs WHERE number = ?",
};

/* ---- statements ---- */

/* Reports the failure that ended this store's writing. */
static int store_refuse(const struct store *store, struct dl_error *error)
{
    return dl_error_set(error, store->failure.status, "%s", store->failure.message);
}

int store_fail(struct store *store, int code, struct dl_error *error)
{
    database_fail(store->db, store->path, code, &store->failure);
    if (!sqlite3_get_autocommit(store->db)) {
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return store_refuse(store, error);
}

struct binder store_bind(struct store *store, enum statement which)
{
    return (struct binder){.statement = store->statements[which]};
}

/* Runs a statement that yields no rows. */
int store_run(struct store *store, struct binder *binder, struct dl_error *error)
{
    int code = binder->code;

    if (code == SQLITE_OK) {
        errno = 0;
        code = sqlite3_step(binder->statement);
        sqlite3_reset(binder->statement);
    }
    return code == SQLITE_DONE ? DL_OK : store_fail(store, code, error);
}

/* Sees to it that a transaction is under way. */
int store_enter(struct store *store, struct dl_error *error)
{
    if (store->failure.status != DL_OK) {
        return store_refuse(store, error);
    }
    if (!sqlite3_get_autocommit(store->db)) {
        return DL_OK;
    }
    struct binder binder = store_bind(store, STATEMENT_BEGIN);
    store->batch = 0;
    store->began_us = clock_monotonic_us();
    return store_run(store, &binder, error);
}

/* A record was written. */
int store_leave(struct store *store, int status, struct dl_error *error)
{
    if (status == DL_OK) {
        store->batch++;
        if (store->batch % LEAVES_A_LOOK == 0 || store->batch >= STORE_BATCH) {
            status = store_commit(store, false, error);
        }
    }
    return status;
}

int store_commit(struct store *store, bool force, struct dl_error *error)
{
    if (store->failure.status != DL_OK) {
        return store_refuse(store, error);
    }
    if (sqlite3_get_autocommit(store->db) ||
        (!force && store->batch < STORE_BATCH &&
         clock_monotonic_us() - store->began_us < STORE_COMMIT_US)) {
        return DL_OK;
    }
    int status = store_write_waiting(store, error);
    struct binder binder = store_bind(store, STATEMENT_COMMIT);
    return status == DL_OK ? store_run(store, &binder, error) : status;
}

bool store_is_committed(const struct store *store)
{
    return sqlite3_get_autocommit(store->db) != 0;
}

static bool may_pass(int status)
{
    return status == -ENOSPC || status == -EDQUOT || status == -EIO || status == -EBUSY ||
           status == -EFBIG || status == -ENOMEM;
}

int store_resume(struct store *store, struct dl_error *error)
{
    struct intern *names = NULL;
    int status = store->failure.status;

    if (status == DL_OK) {
        return DL_OK;
    }
    if (!may_pass(status)) {
        return dl_error_set(error, DL_CORRUPT, "%s", store->failure.message);
    }
    /* Texts of the transaction that was undone are not there: they begin anew, under numbers of their own. */
    status = database_integer(store->db, store->path, "SELECT ifnull(max(id), 0) FROM strings",
                              &store->name_base, error);
    if (status == DL_OK) {
        status = intern_create(&names, STORE_NAMES_MAX, STORE_NAMES_BYTES_MAX);
    }
    if (status != DL_OK) {
        return DL_AGAIN;
    }
    intern_destroy(store->names);
    store->names = names;
    batch_clear(&store->waiting); /* those are put again, with the new numbers of their texts */
    store->is_bound = false;
    store->index_dropped = false; /* that was undone, too */
    store->failure = (struct dl_error){0};
    return DL_OK;
}

uint64_t store_row_count(const struct store *store)
{
    return store->rows;
}

/* ---- opening and closing ---- */

/* What can be said of the file before SQLite touches it; not being there is fine. */
static int store_check_file(const char *path, struct dl_error *error)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        return DL_OK; /* where the folder is at fault, the lock will tell */
    }
    if (!S_ISREG(info.st_mode)) {
        return dl_error_set(error, S_ISDIR(info.st_mode) ? -EISDIR : DL_CORRUPT,
                            "%s: not a darkline store", path);
    }
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) {
        int status = -errno;
        return dl_error_set(error, status, "%s: cannot be written: %s", path, dl_strerror(status));
    }
    return DL_OK;
}

static int store_create_schema(struct store *store, struct dl_error *error)
{
    char pragmas[128];
    int status = database_exec(store->db, store->path, "BEGIN IMMEDIATE", error);

    if (status == DL_OK) {
        status = database_exec(store->db, store->path, store_schema, error);
    }
    if (status == DL_OK) {
        snprintf(pragmas, sizeof(pragmas),
                 "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                 STORE_APPLICATION_ID, STORE_SCHEMA_VERSION);
        status = database_exec(store->db, store->path, pragmas, error);
    }
    return status;
}

static int store_open_database(struct store *store, struct dl_error *error)
{
    int version = 0;
    int status = database_open(&store->db, store->path, "mode=rwc", NULL, error);

    if (status == DL_OK) {
        status = database_version(store->db, store->path, &version, error);
    }
    if (status == DL_OK) {
        status = database_exec(store->db, store->path,
                               "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = NORMAL;"
                               "PRAGMA wal_autocheckpoint = " CHECKPOINT_PAGES ";"
                               "PRAGMA cache_size = -8000",
                               error);
    }
    if (status == DL_OK && version == 0) {
        status = store_create_schema(store, error);
    } else if (status == DL_OK && version < STORE_SCHEMA_VERSION) {
        status = store_migrate(store->db, store->path, store_migrations, store_migration_count,
                               version, STORE_SCHEMA_VERSION, error);
    }
    return status;
}

static int store_prepare(struct store *store, struct dl_error *error)
{
    int64_t input = 0;
    int status = DL_OK;

    for (int i = 0; i < STATEMENT_TOTAL && status == DL_OK; i++) {
        status =
            database_prepare(store->db, store->path, statements[i], &store->statements[i], error);
    }
    if (status == DL_OK) {
        status = database_integer(store->db, store->path, "SELECT ifnull(max(id), 0) FROM strings",
                                  &store->name_base, error);
    }
    if (status == DL_OK) {
        status = database_integer(store->db, store->path,
                                  "SELECT ifnull(max(number), 0) FROM inputs", &input, error);
    }
    if (status == DL_OK && (input < 0 || input > STORE_INPUT_MAX)) {
        status = dl_error_set(error, DL_CORRUPT, "%s: the store is damaged: input %lld",
                              store->path, (long long)input);
    }
    store->last_input = (uint32_t)input;
    return status;
}

static int store_describe(struct store *store, const struct store_create_info *info,
                          struct dl_error *error)
{
    int status = DL_OK;

    if (info && info->version) {
        status = store_put_meta(store, "darkline_version", info->version, error);
    }
    if (status == DL_OK && info && info->catalog_version) {
        status = store_put_meta(store, "catalog_version", info->catalog_version, error);
    }
    return status == DL_OK ? store_commit(store, true, error) : status;
}

/* Frees everything; nothing is committed any more. */
static void store_destroy(struct store *store)
{
    if (!store) {
        return;
    }
    for (int i = 0; i < STATEMENT_TOTAL; i++) {
        sqlite3_finalize(store->statements[i]);
    }
    sqlite3_close(store->db);
    store_lock_release(&store->lock); /* after SQLite is done with its files */
    intern_destroy(store->names);
    batch_finish(&store->waiting);
    free(store->path);
    free(store);
}

int store_open(struct store **ret_store, const char *path, const struct store_create_info *info,
               struct dl_error *error)
{
    struct store *store = calloc(1, sizeof(*store));
    int status = -ENOMEM;

    if (!store) {
        goto out;
    }
    store->lock.fd = -1;
    store->path = strdup(path);
    if (!store->path || batch_init(&store->waiting, STORE_BATCH) != DL_OK ||
        intern_create(&store->names, STORE_NAMES_MAX, STORE_NAMES_BYTES_MAX) != DL_OK) {
        dl_error_set(error, status, "%s: out of memory", path);
        goto out;
    }
    status = store_check_file(path, error);
    if (status == DL_OK) {
        status = store_lock_take(&store->lock, path, error);
    }
    if (status == DL_OK) {
        status = store_open_database(store, error);
    }
    if (status == DL_OK) {
        status = store_prepare(store, error);
    }
    if (status == DL_OK) {
        status = store_describe(store, info, error);
    }
    if (status == DL_OK) {
        *ret_store = store;
        store = NULL;
    }
out:
    store_destroy(store);
    return status;
}

/* One file that holds everything; where a reader is at work, its WAL stays beside it. By then all
 * pages are in their place: leaving WAL changes a few bytes of the first sector, whose journal may
 * be in memory (a sandbox lets no file be made). */
static int store_settle(struct store *store, struct dl_error *error)
{
    int status = database_exec(store->db, store->path, "PRAGMA wal_checkpoint(TRUNCATE)", error);

    if (status == DL_OK) {
        status = database_exec(store->db, store->path, "PRAGMA journal_mode = MEMORY", error);
    }
    return status == -EBUSY ? DL_OK : status;
}

/* Do the flows begin in the order of their ids? Those of one line, read from one capture after the
 * other, nearly always do. */
static int store_is_in_order(struct store *store, bool *ret_in_order, struct dl_error *error)
{
    sqlite3_stmt *statement = NULL;
    int64_t before = INT64_MIN;
    bool in_order = true;
    int code = SQLITE_DONE;
    int status = database_prepare(store->db, store->path, "SELECT start FROM flows ORDER BY id",
                                  &statement, error);

    while (status == DL_OK && in_order && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t start = sqlite3_column_int64(statement, 0);
        in_order = start >= before;
        before = start;
    }
    sqlite3_finalize(statement);
    if (status == DL_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
        status = database_fail(store->db, store->path, code, error);
    }
    if (status == DL_OK) {
        *ret_in_order = in_order;
    }
    return status;
}

/* Sorted in a file where one can be made: millions of rows are too many for memory. */
static int store_make_index(struct store *store, struct dl_error *error)
{
    static const char sql[] = "CREATE INDEX IF NOT EXISTS flows_start ON flows (start)";

    if (database_exec(store->db, store->path, "PRAGMA temp_store = FILE", NULL) == DL_OK &&
        database_exec(store->db, store->path, sql, NULL) == DL_OK) {
        return DL_OK;
    }
    database_exec(store->db, store->path, "PRAGMA temp_store = MEMORY", NULL);
    return database_exec(store->db, store->path, sql, error);
}

int store_sort_in(const char *folder)
{
    char *copy = sqlite3_mprintf("%s", folder);

    if (!copy) {
        return -ENOMEM;
    }
    sqlite3_free(sqlite3_temp_directory);
    sqlite3_temp_directory = copy;
    return DL_OK;
}

/* How flows are read in the order of time: as they lie where that is it, else by an index. */
static int store_index(struct store *store, struct dl_error *error)
{
    static const char told[] =
        "SELECT count(*) FROM meta WHERE key = '" STORE_META_ORDER "' AND value = 'id'";
    bool in_order = false;
    int64_t known = 0;
    int status = database_integer(store->db, store->path, told, &known, error);

    if (status == DL_OK && known == 0) {
        status = store_is_in_order(store, &in_order, error);
    }
    if (status != DL_OK || known > 0) {
        return status;
    }
    return in_order ? database_exec(store->db, store->path,
                                    "INSERT OR REPLACE INTO meta (key, value) "
                                    "VALUES ('" STORE_META_ORDER "', 'id')",
                                    error)
                    : store_make_index(store, error);
}

int store_close(struct store *store, struct dl_error *error)
{
    int status;

    if (!store) {
        return DL_OK;
    }
    status = store_commit(store, true, error);
    if (status == DL_OK) {
        status = store_index(store, error);
    }
    if (status == DL_OK) {
        status = store_settle(store, error);
    }
    store_destroy(store);
    return status;
}
