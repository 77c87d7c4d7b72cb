// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * From findings to a folder that can be handed on:
 *
 *   index.html report.json events.csv cells.csv flows.csv measurements.jsonl
 *   charts/NAME.svg charts/NAME.png report.pdf report.schema.json MANIFEST
 *
 * Everything is written into a hidden folder beside, searched for addresses that must not leave
 * (scrub.h), and only then moved into place, the page last: a reader never sees half a report, and an old
 * one stays until the new is whole. PNG and PDF are made by rsvg-convert and weasyprint where they are
 * installed; without them the report is whole but for these, and says so. SOURCE_DATE_EPOCH is the end
 * of the data.
 */
#include "reports/findings/findings.h"
#include "reports/language/language.h"

struct publish_options {
    const char *folder; /* made if it is not there */
    const struct language *language;
    bool pictures; /* PNG and PDF too; false: text formats only */
};
struct publish_result {
    size_t files;
    uint64_t page_bytes;
    bool has_png, has_pdf;
    char missing[128]; /* the programs that were not there; "" none */
};

/* DL_OK, DL_LEAK (the scrub found an address: nothing was published, `error` says what and where, without
 * repeating it), or what reading and writing gave. Sets the findings' id. */
int publish_report(struct findings *findings, const struct publish_options *options,
                   struct publish_result *ret_result, struct dl_error *error);

/* FOLDER as FILE.tar.zst, names and times fixed so that the same folder gives the same bytes; `key` (a minisign
 * secret key) signs MANIFEST first, NULL does not. */
int publish_bundle(const char *folder, const char *file, const char *key, struct dl_error *error);

/* Does a folder or bundle hold exactly what its MANIFEST says, and is that signed by `public_key` (NULL: not
 * asked)? DL_OK, DL_CORRUPT with the first thing wrong in `error`, or why it could not be read. */
struct verify_result {
    size_t files;
    bool is_signed, is_signature_checked;
    char id[FINDINGS_ID_SIZE];
};
int publish_verify(const char *path, const char *public_key, struct verify_result *ret_result,
                   struct dl_error *error);
