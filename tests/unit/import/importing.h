// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A file of measurements, written by a test, and what comes of it in a store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"
#include "probe/import/import.h"

#define ROWS_MAX 64

struct importing {
    char folder[64];
    struct catalog *catalog;
    struct fingerprints *fingerprints;
    struct key *key;
    struct store *store;
    struct import_options options;
    struct import_counts counts;
    struct import_broken broken[IMPORT_NAMED_MAX];
    struct dl_error error;
    struct store_reader *reader;
    struct observation rows[ROWS_MAX]; /* after importing_read(), in the order of the file */
    char texts[ROWS_MAX][2][256];      /* their services and hosts */
    size_t row_count;
};

int importing_setup(void **state);
int importing_teardown(void **state);

/* Imports `length` bytes as a file of this format; the status of import_file(). */
int importing_bytes(struct importing *i, const char *format, const void *bytes, size_t length);
int importing_text(struct importing *i, const char *format, const char *text);
/* Closes the store and reads it. */
void importing_read(struct importing *i);
const struct vantage *importing_vantage(const struct importing *i, size_t row);
