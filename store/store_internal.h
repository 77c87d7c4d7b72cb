// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What writer and reader of the store share: the schema, opening a database, SQLite's errors as
 * ours, and values bound to and taken from statements in the order of their columns.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/status.h"
#include "store/batch.h"
#include "store/observation.h"

#define STORE_APPLICATION_ID 0x646b6c6e /* "dkln" */
#define STORE_PACKET_BITS    40         /* flows.id is the input's number << 40 | the packet's */
#define STORE_PACKET_MAX     ((UINT64_C(1) << STORE_PACKET_BITS) - 1)
#define STORE_META_ORDER     "order" /* "id": flows begin in the order of their ids */
#define STORE_INPUT_MAX      ((UINT32_C(1) << (63 - STORE_PACKET_BITS)) - 1)

/* What version 1 had of them, its evidence beside. */
#define STORE_FLOW_COLUMNS_1                                                                       \
    "id, start, duration, client, client_port, server, server_port, transport, protocol, "         \
    "service, host, role, certainty, reasons, dns_flow, packets_up, packets_down, bytes_up, "      \
    "bytes_down, stage, close, flags, "
#define STORE_FLOW_COLUMNS  STORE_FLOW_COLUMNS_1 "certificate, issuer, evidence"
#define STORE_FLOW_EVIDENCE 24 /* its column, from 0 */
#define STORE_FLOW_COUNT    25
#define STORE_FLOW_NAMES    BATCH_NAMES
#define STORE_INPUT_COLUMNS                                                                        \
    "number, path, size, fingerprint, sha256, packets, bytes, lost, first_us, last_us, status, "   \
    "complete, probe_id, carrier, asn, country, network, position, clock, origin"
#define STORE_COUNT_COLUMNS                                                                        \
    "input, hour, protocol, flows, failed_none, failed_dns, failed_tcp, failed_tls, failed_http, " \
    "failed_quic, failed_stream, packets, bytes, clients"
#define STORE_COVERAGE_COLUMNS "input, from_us, to_us, link_up, packets, lost"

extern const char store_schema[];

/* ---- migration ---- */

struct store_migration {
    int from; /* the version it starts from; it ends one further */
    const char *sql;
};
extern const struct store_migration store_migrations[];
extern const size_t store_migration_count;

/* From version `from` to `target`, all or nothing. DL_CORRUPT where a step is missing. */
int store_migrate(sqlite3 *db, const char *path, const struct store_migration *steps, size_t count,
                  int from, int target, struct dl_error *error);

/* ---- databases ---- */

/* Says what SQLite's `code` means for the store at `path`; returns the status. */
int database_fail(sqlite3 *db, const char *path, int code, struct dl_error *error);
/* `parameters` are those of an SQLite URI ("mode=ro"), `vfs` NULL for the usual one. */
int database_open(sqlite3 **ret_db, const char *path, const char *parameters, const char *vfs,
                  struct dl_error *error);
/* The size of the file with that suffix beside it ("-wal"); -1 where there is none. */
off_t database_size_beside(const char *path, const char *suffix);
int database_exec(sqlite3 *db, const char *path, const char *sql, struct dl_error *error);
int database_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret_statement,
                     struct dl_error *error);
/* The single integer that `sql` yields. */
int database_integer(sqlite3 *db, const char *path, const char *sql, int64_t *ret_value,
                     struct dl_error *error);
/* Its schema's version, 0 for a database without anything in it; DL_CORRUPT, DL_VERSION. */
int database_version(sqlite3 *db, const char *path, int *ret_version, struct dl_error *error);

/* ---- the one writer ---- */

struct store_lock {
    char *path;
    int fd;
};

/* Takes PATH-lock, which goes with the lock. -EBUSY, or why the folder cannot be written. */
int store_lock_take(struct store_lock *lock, const char *path, struct dl_error *error);
void store_lock_release(struct store_lock *lock); /* accepts {NULL, -1} */

/* ---- values, in the order of the columns ---- */

/* Fills a statement's parameters; the first error stays. Texts and blobs are not copied. */
struct binder {
    sqlite3_stmt *statement;
    int at, code;
};
void bind_integer(struct binder *binder, int64_t value);
void bind_integer_or_null(struct binder *binder, int64_t value); /* NULL for 0 */
void bind_text(struct binder *binder, const char *text);
void bind_blob(struct binder *binder, const void *bytes, size_t length); /* NULL for NULL */

/* Takes a row's values; one of a wrong type or out of range makes it `bad`. */
struct row {
    sqlite3_stmt *statement;
    int at;
    bool bad;
};
int64_t row_integer(struct row *row);
int64_t row_optional_integer(struct row *row); /* 0 for NULL */
uint64_t row_unsigned(struct row *row, uint64_t maximum);
const char *row_text(struct row *row);                     /* never NULL */
const char *row_optional_text(struct row *row);            /* "" for NULL */
const void *row_blob(struct row *row, size_t *ret_length); /* NULL for NULL */

/* ---- the writer: store.c opens, commits and closes, rows.c writes ---- */

#define STORE_NAMES_MAX       (1u << 17) /* remembered; beyond them the writer starts anew */
#define STORE_NAMES_BYTES_MAX (8u * 1024 * 1024)

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_FLOW,
    STATEMENT_STRING,
    STATEMENT_INPUT,
    STATEMENT_COUNT,
    STATEMENT_COVERAGE,
    STATEMENT_NOTE,
    STATEMENT_META,
    STATEMENT_HAS_INPUT,
    STATEMENT_EARLIER,
    STATEMENT_FORGET_FLOWS,
    STATEMENT_FORGET_COUNTS,
    STATEMENT_FORGET_COVERAGE,
    STATEMENT_FORGET_NOTES,
    STATEMENT_FORGET_INPUT,
    STATEMENT_TOTAL
};

struct store {
    sqlite3 *db;
    char *path;
    struct store_lock lock;
    sqlite3_stmt *statements[STATEMENT_TOTAL];
    struct intern *names; /* names that are in `strings`, as number name_base + their own */
    int64_t name_base;
    struct batch waiting; /* flows put, and not written yet */
    int64_t bound[STORE_FLOW_COUNT];
    bool is_bound; /* the flow statement's parameters are those */
    uint32_t last_input;
    bool index_dropped;
    uint64_t rows;
    uint32_t batch;          /* rows of the transaction under way */
    int64_t began_us;        /* it, by the monotonic clock */
    struct dl_error failure; /* the first one stays: part of a batch must not be committed */
};

struct binder store_bind(struct store *store, enum statement which);
/* Sees to it that a transaction is under way; says the store's failure again if there was one. */
int store_enter(struct store *store, struct dl_error *error);
/* Writes the flows that wait, in the transaction under way. */
int store_write_waiting(struct store *store, struct dl_error *error);
/* Runs a statement that yields no rows. */
int store_run(struct store *store, struct binder *binder, struct dl_error *error);
/* Ends the store's writing: rolls back what is under way. */
int store_fail(struct store *store, int code, struct dl_error *error);
/* With DL_OK a record was written: commits where that is due. */
int store_leave(struct store *store, int status, struct dl_error *error);

/* ---- the reader: reader.c opens, pass.c reads ---- */

#define STORE_META_MAX      64
#define STORE_NAME_SIZE_MAX 512 /* longer ones are not remembered */

struct meta_entry {
    char *key, *value;
};

/* Reads single flows; keeps the names of the last one that the source does not remember. */
struct flow_reading {
    sqlite3_stmt *statement;
    struct buffer names[STORE_FLOW_NAMES];
};

/* One store of the list. */
struct source {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *keys; /* the pass: starts and ids in order; only these are ever sorted */
    struct flow_reading row, get; /* the pass's, and store_reader_get()'s */
    sqlite3_stmt *name;
    char **names; /* by their number; those met so far among the first STORE_NAMES_MAX */
    size_t name_count;
    bool has_key; /* the key statement stands on the row to come: */
    int64_t start, id;
    uint32_t input_first, input_count; /* its inputs in the merged list, from 0 */
    uint32_t *numbers;                 /* their numbers in the store, ascending */
    struct meta_entry meta[STORE_META_MAX];
    size_t meta_count;
};

struct store_reader {
    struct source *sources;
    size_t source_count;
    struct input_record *inputs;
    uint32_t input_count;
    bool with_evidence;  /* the pass under way wants it */
    struct source *last; /* gave the last row; stands still until the next */
};

/* The store of an input of the merged list, NULL where there is none. */
struct source *reader_source(const struct store_reader *reader, uint32_t number);
