// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A small writer of HTML that cannot forget to escape: text and attribute values go through it,
 * tags and attribute names are our own literals. Characters that a page must not take from
 * strangers (controls, direction marks, invisible ones) become U+FFFD. The FILE's own error flag
 * tells of write errors; `failed` says that elements were nested too deep or closed too often.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HTML_DEPTH_MAX 24

struct html {
    FILE *file;
    const char *tags[HTML_DEPTH_MAX];
    int depth;
    bool in_tag; /* a start tag is still open for attributes */
    bool failed;
    uint64_t bytes; /* written so far */
};

/*
 * Doctype to the open <body>. The page may load nothing: its policy allows only this style, by its
 * hash. digest_setup() must have been called.
 */
void html_document_begin(struct html *html, FILE *file, const char *language, const char *title,
                         const char *style);
void html_document_end(struct html *html);

void html_begin(struct html *html, const char *tag);
/* Only straight after html_begin(). */
void html_attr(struct html *html, const char *name, const char *value);
void html_end(struct html *html);
void html_void(struct html *html, const char *tag); /* br, hr */

void html_text(struct html *html, const char *text);
void html_textf(struct html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An element with nothing but text in it; of a class, NULL for none. */
void html_element(struct html *html, const char *tag, const char *class, const char *text);
void html_elementf(struct html *html, const char *tag, const char *class, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
