// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Other people's measurements as observations: a line of theirs becomes one observation (CSV) or a
 * few (an OONI measurement: one for each target and stage that it speaks of; see ooni.h for ids).
 *
 * A store's input has one vantage, and a file of measurements has many: each (file, ASN, country,
 * network, probe version) becomes an input of its own, up to IMPORT_VANTAGES_MAX; rows beyond are
 * counted and left out. Memory is constant whatever the number of lines. Broken lines are counted,
 * the first few named with file and line. Imported rows hold no packets: origin is `imported`, and
 * there is no coverage, since nobody says when the maker of the measurements looked.
 */
#include <stdint.h>

#include "catalog/catalog.h"
#include "store/store.h"

#define IMPORT_VANTAGES_MAX 65536u
#define IMPORT_LINE_MAX     (16u << 20) /* longer ones are broken */
#define IMPORT_NAMED_MAX    5           /* broken lines named, of each file */

struct import_counts {
    uint64_t lines, rows; /* read; written as observations */
    uint64_t broken;      /* not understood */
    uint64_t foreign;     /* understood, of a test or target that says nothing here */
    uint64_t dropped;     /* beyond a maximum */
};

struct import_broken {
    uint64_t line;
    char why[120];
};

struct import_options {
    const struct catalog *catalog;
    const uint8_t *key; /* 32 bytes, for pseudonyms of what the lines name as clients */
    int64_t since_us, until_us;
};

struct import_job; /* one file on its way into a store */

/* What each format gives: reads one line (without its end, not NUL-terminated) and writes what it
 * says. DL_OK, DL_MALFORMED with why in the error (the line is counted as broken), or a status that
 * ends the import. */
struct import_format {
    const char *name; /* "ooni", "csv" */
    int (*begin)(struct import_job *job, const char *header, size_t length, struct dl_error *error);
    int (*line)(struct import_job *job, const char *line, size_t length, struct dl_error *error);
    void (*end)(struct import_job *job);
};
const struct import_format *import_format_find(const char *name); /* NULL */

/*
 * Imports a file (plain, gzip or zstd; "-" standard input) into the store. DL_OK, DL_DUPLICATE when
 * it was imported before, DL_CORRUPT where the file ends inside compressed data (what came before is
 * kept), or what opening and writing gave. `ret_broken` gets up to IMPORT_NAMED_MAX.
 */
int import_file(const struct import_format *format, const char *path, struct store *store,
                const struct import_options *options, struct import_counts *ret_counts,
                struct import_broken ret_broken[IMPORT_NAMED_MAX], struct dl_error *error);
