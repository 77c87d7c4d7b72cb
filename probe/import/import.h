// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Other people's measurements as observations: a line of theirs becomes one observation (CSV,
 * csv.c) or one for each target that it speaks of (OONI, ooni.c).
 *
 * A store's input has one vantage, and a file of measurements has many: each (file, ASN, country,
 * network, program) becomes an input of its own, up to IMPORT_VANTAGES_MAX, and about
 * IMPORT_INPUTS_MAX in a store; rows beyond are counted and left out. `vantage.probe_id` names the program ("ooniprobe-android 3.7.1"): where failures
 * follow the program and not the network, the program is at fault. The first input carries the
 * file's fingerprint, by which it is known again; the others' are made of it.
 *
 * An observation's `packet` leads back to the file: in CSV it is the number of the line; in OONI
 * files the number of the measurement (its line, or its place in a JSON array, from 1 on) times
 * IMPORT_TARGETS_MAX, plus the target's place. Packets of one file are unique over its inputs.
 *
 * Memory is constant whatever the number of lines. Broken lines are counted, the first few named
 * with line and reason. Imported rows hold no packets: origin is `imported`, and there is no
 * coverage, since nobody says when the maker of the measurements looked. What the lines call
 * clients becomes a pseudonym, as addresses do.
 */
#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "catalog/fingerprint.h"
#include "store/key.h"
#include "store/store.h"

#define IMPORT_VANTAGES_MAX 65536u
#define IMPORT_INPUTS_MAX   90000u      /* of one store: a reader takes 100,000 */
#define IMPORT_TARGETS_MAX  256u        /* of one measurement */
#define IMPORT_LINE_MAX     (16u << 20) /* longer ones are broken */
#define IMPORT_NAMED_MAX    5           /* broken lines named, of each file */

struct import_counts {
    uint64_t lines, rows; /* read; written as observations */
    uint64_t broken;      /* not understood */
    uint64_t foreign;     /* understood, of a test or target that says nothing here */
    uint64_t unnamed;     /* targets of no service, left out without `all_names` */
    uint64_t outside;     /* before `since_us` or from `until_us` on */
    uint64_t dropped;     /* beyond a maximum */
    uint32_t vantages;
    int damage;        /* what ended the reading before the file's end; DL_OK for nothing */
    bool store_failed; /* the store takes no more */
};

struct import_broken {
    uint64_t line;
    char why[160];
};

struct import_options {
    const struct catalog *catalog;
    const struct fingerprints *fingerprints; /* NULL: no block pages are looked for */
    struct key *key;                         /* makes the pseudonyms */
    bool all_names;             /* OONI: keep targets of no catalogued service, under service "" */
    int64_t since_us, until_us; /* of start; 0 for none */
    void *context;              /* of: */
    bool (*on_batch)(void *context, uint64_t lines, double share); /* now and then; false stops */
};

struct import_format;
const struct import_format *import_format_find(const char *name); /* "ooni", "csv"; NULL */

/*
 * Imports a file (plain, gzip or zstd; "-" standard input) into the store. DL_OK, also where the
 * reading ended early (ret_counts->damage: what came before is kept); DL_DUPLICATE when it was
 * imported before; DL_MALFORMED where it is none of the format; -EINTR when stopped; or what
 * opening and writing gave. `ret_counts` is written in every case, `ret_broken` as far as
 * ret_counts->broken says.
 */
int import_file(const struct import_format *format, const char *path, struct store *store,
                const struct import_options *options, struct import_counts *ret_counts,
                struct import_broken ret_broken[IMPORT_NAMED_MAX], struct dl_error *error);
