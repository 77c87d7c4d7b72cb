// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The page: one HTML document for readers, of the findings alone. Its parts stand in the order of a
 * report's element list (docs/report.md has the table: element, where it is). No scripts are needed; a
 * small one of our own sorts and filters tables, allowed by its hash. Nothing is loaded from anywhere.
 *
 * Each number that is a claim is a <data> element whose `value` is the number and whose `data-ref` is the
 * RFC 6901 pointer to it in report.json (data/report_json.h): tests follow both.
 */
#include <stdio.h>

#include "reports/findings/findings.h"
#include "reports/language/language.h"

#define PAGE_BYTES_MAX 1000000u /* tables and cards give way before it is reached, and say so */

struct page_file { /* lies beside the page */
    const char *name;
    uint64_t bytes;
    char sha256[65];
    const char *content; /* to be put into the page as a link of data; NULL: only named */
    size_t content_length;
    const char *type; /* of the content: "text/csv" */
};

struct page_options {
    const struct language *language;
    const struct page_file *files; /* what lies beside it */
    size_t file_count;
    bool
        for_print; /* for WeasyPrint: charts are <img> of charts/NAME.png, no links of data, no script */
    bool has_pdf; /* report.pdf lies beside it; else the page says how to print */
};

/* DL_OK, -ENOMEM, DL_LIBRARY (nested too deep), or what writing to `file` gave. */
int page_write(FILE *file, const struct findings *findings, const struct page_options *options);
