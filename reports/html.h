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
    uint64_t bytes;     /* written so far */
    const char *script; /* for html_document_end() */
};

/* What stands in the head. Style and script are our own literals, never a stranger's text. */
struct html_document {
    const char *language; /* code, "ur" */
    bool is_rtl;
    const char *title, *description; /* description may be NULL */
    const char *style;
    const char *script;    /* NULL: none */
    const char *alternate; /* name of the JSON that holds the same; NULL: none */
    bool has_images;       /* pictures beside the page, not only within it */
};

/*
 * Doctype to the open <body>. The page may load nothing: its policy allows only this style and this
 * script, by their hashes, and pictures that are in the page itself. digest_setup() must have been called.
 */
void html_document_begin(struct html *html, FILE *file, const struct html_document *document);
void html_document_end(struct html *html); /* writes the script, last */

void html_begin(struct html *html, const char *tag);
/* Only straight after html_begin(). `value` NULL: the name alone, as of `open`. */
void html_attr(struct html *html, const char *name, const char *value);
void html_end(struct html *html);
void html_void(struct html *html, const char *tag); /* br, img, col: attributes may follow */
/* A file within a link: its bytes in base64, after "data:TYPE;base64,". Only straight after html_begin(). */
void html_attr_data(struct html *html, const char *name, const char *type, const void *bytes,
                    size_t length);

void html_text(struct html *html, const char *text);
void html_text_n(struct html *html, const char *text, size_t length);
/* Markup that is made already and escaped: closes an open tag and copies. */
void html_copy(struct html *html, const char *markup, size_t length);
void html_textf(struct html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An element with nothing but text in it; of a class, NULL for none. */
void html_element(struct html *html, const char *tag, const char *class, const char *text);
void html_elementf(struct html *html, const char *tag, const char *class, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
