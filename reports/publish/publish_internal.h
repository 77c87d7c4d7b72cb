// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* A report under way: what the parts of publishing share. */
#include "reports/page/page.h"
#include "reports/publish/manifest.h"
#include "reports/publish/publish.h"
#include "reports/publish/scrub.h"

#define PUBLISH_PATH_SIZE 4096
#define PUBLISH_PRINT     "print.html" /* for weasyprint; is not published */

struct publishing {
    struct findings *findings;
    const struct publish_options *options;
    int folder;                        /* where it goes; locked */
    char temporary[PUBLISH_PATH_SIZE]; /* absolute; where it is made; "" none */
    struct manifest manifest;          /* of the files that are there */
    struct manifest before;            /* of the report that this one replaces */
    struct publish_result result;
    struct dl_error *error;
};

/* ---- publish_files.c ---- */

/* A file of the temporary folder. NULL with the error set. */
FILE *publish_open(struct publishing *publishing, const char *name, const char *mode);
/* Closes what was written; `status` is what writing gave. Then the file is in the manifest. */
int publish_close(struct publishing *publishing, FILE *file, const char *name, int status);
int publish_add(struct publishing *publishing, const char *name); /* one that is there already */
int publish_begin(struct publishing *publishing); /* folder, lock, temporary folder */
int publish_move(struct publishing *publishing);  /* everything into place, the page last */
void publish_end(struct publishing *publishing);  /* removes what is temporary */

/* ---- publish_pictures.c: PNG and PDF, where the programs are ---- */

int publish_charts(struct publishing *publishing); /* SVG, and PNG if wanted */
int publish_print(struct publishing *publishing);  /* PDF */

/* ---- publish_scrub.c ---- */

int publish_scrub(struct publishing *publishing);

/* The page, or its form for print. */
int publish_page(struct publishing *publishing, const char *name, bool for_print);
