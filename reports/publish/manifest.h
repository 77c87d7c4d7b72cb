// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * MANIFEST: what a report consists of. Lines of "# WORD VALUE" come first (report's id, versions, origins, draft,
 * embargo), then one line a file, by name: SHA-256 in hex, size, name, two spaces between. Names are of
 * [A-Za-z0-9._-], do not begin with a dot, and have one folder at most: nothing else is written or
 * read.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/status.h"
#include "reports/findings/findings.h"

#define MANIFEST_NAME       "MANIFEST"
#define MANIFEST_SIGNATURE  "MANIFEST.minisig"
#define MANIFEST_FILES_MAX  1024u
#define MANIFEST_NAME_SIZE  200
#define MANIFEST_BYTES_MAX  (512u << 10)
#define MANIFEST_FILE_BYTES (UINT64_C(4) << 30) /* of one file */

struct manifest_file {
    char name[MANIFEST_NAME_SIZE];
    uint64_t bytes;
    char sha256[DIGEST_TEXT_SIZE];
};
struct manifest {
    char id[FINDINGS_ID_SIZE];
    struct manifest_file *files;
    size_t count;
};

void manifest_finish(struct manifest *manifest); /* accepts a zeroed one */
bool manifest_is_name(const char *name);
/* DL_OK, DL_LIMIT, -ENOMEM. */
int manifest_add(struct manifest *manifest, const struct manifest_file *file);
void manifest_sort(struct manifest *manifest); /* by name */
const struct manifest_file *manifest_find(const struct manifest *manifest, const char *name);
/* Sorted ones only. The FILE's own error flag tells of write errors. */
void manifest_write(FILE *file, const struct manifest *manifest, const struct findings *findings);
/* DL_OK, DL_CORRUPT with the number of the line, -ENOMEM. */
int manifest_parse(struct manifest *ret_manifest, const char *text, size_t length,
                   struct dl_error *error);
/* Bytes and digest of an open file, from where it stands to its end. */
int manifest_measure(FILE *file, struct manifest_file *ret_file);
