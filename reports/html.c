// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/html.h"

#include <stdarg.h>
#include <string.h>

#include "base/digest.h"
#include "reports/text.h"

#define TEXT_SIZE   2048 /* of formatted texts */
#define BASE64_SIZE (4 * ((DIGEST_SIZE + 2) / 3) + 1)
#define POLICY_SIZE (BASE64_SIZE + 128)

static void put(struct html *html, const char *markup)
{
    fputs(markup, html->file);
    html->bytes += strlen(markup);
}

static void put_escaped(struct html *html, const char *text)
{
    char bytes[TEXT_CHARACTER_SIZE];

    for (uint32_t character; (character = text_next(&text)) != 0;) {
        switch (character) {
        case '&':
            put(html, "&amp;");
            break;
        case '<':
            put(html, "&lt;");
            break;
        case '>':
            put(html, "&gt;");
            break;
        case '"':
            put(html, "&quot;");
            break;
        case '\'':
            put(html, "&#39;");
            break;
        default:
            text_encode(text_disturbs(character) ? TEXT_REPLACEMENT : character, bytes);
            put(html, bytes);
        }
    }
}

static void close_tag(struct html *html)
{
    if (html->in_tag)
        put(html, ">");
    html->in_tag = false;
}

void html_begin(struct html *html, const char *tag)
{
    close_tag(html);
    if (html->depth == HTML_DEPTH_MAX) {
        html->failed = true;
        return;
    }
    html->tags[html->depth++] = tag;
    put(html, "<");
    put(html, tag);
    html->in_tag = true;
}

void html_attr(struct html *html, const char *name, const char *value)
{
    if (!html->in_tag) {
        html->failed = true;
        return;
    }
    put(html, " ");
    put(html, name);
    put(html, "=\"");
    put_escaped(html, value);
    put(html, "\"");
}

/* A line ends where a block does, so that differences of two pages read well. */
static bool is_block(const char *tag)
{
    static const char blocks[] =
        " p h1 h2 h3 tr table thead tbody section header footer main ul li dl dd "
        "div caption title head body html ";
    char word[16];

    snprintf(word, sizeof(word), " %s ", tag);
    return strstr(blocks, word) != NULL;
}

void html_end(struct html *html)
{
    if (html->depth == 0) {
        html->failed = true;
        return;
    }
    const char *tag = html->tags[--html->depth];
    close_tag(html);
    put(html, "</");
    put(html, tag);
    put(html, is_block(tag) ? ">\n" : ">");
}

void html_void(struct html *html, const char *tag)
{
    close_tag(html);
    put(html, "<");
    put(html, tag);
    put(html, ">");
}

void html_text(struct html *html, const char *text)
{
    close_tag(html);
    put_escaped(html, text);
}

static void text_list(struct html *html, const char *format, va_list arguments)
{
    char text[TEXT_SIZE];

    vsnprintf(text, sizeof(text), format, arguments);
    html_text(html, text);
}

void html_textf(struct html *html, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_list(html, format, arguments);
    va_end(arguments);
}

static void begin_classed(struct html *html, const char *tag, const char *class)
{
    html_begin(html, tag);
    if (class)
        html_attr(html, "class", class);
}

void html_element(struct html *html, const char *tag, const char *class, const char *text)
{
    begin_classed(html, tag, class);
    html_text(html, text);
    html_end(html);
}

void html_elementf(struct html *html, const char *tag, const char *class, const char *format, ...)
{
    va_list arguments;

    begin_classed(html, tag, class);
    va_start(arguments, format);
    text_list(html, format, arguments);
    va_end(arguments);
    html_end(html);
}

/* ---- the document ---- */

static void base64(const uint8_t hash[DIGEST_SIZE], char text[BASE64_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = text;

    for (size_t i = 0; i < DIGEST_SIZE; i += 3) {
        size_t left = DIGEST_SIZE - i;
        uint32_t bits = (uint32_t)hash[i] << 16 | (left > 1 ? (uint32_t)hash[i + 1] << 8 : 0) |
                        (left > 2 ? hash[i + 2] : 0);
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[bits & 63] : '=';
    }
    *to = '\0';
}

static void meta(struct html *html, const char *kind, const char *name, const char *content)
{
    put(html, "<meta ");
    put(html, kind);
    put(html, "=\"");
    put(html, name);
    put(html, "\" content=\"");
    put(html, content);
    put(html, "\">\n");
}

void html_document_begin(struct html *html, FILE *file, const char *language, const char *title,
                         const char *style)
{
    uint8_t hash[DIGEST_SIZE];
    char encoded[BASE64_SIZE], policy[POLICY_SIZE];

    *html = (struct html){.file = file};
    digest_sha256(style, strlen(style), hash);
    base64(hash, encoded);
    /* The quotes stand as they are, so that people can read the policy too. */
    snprintf(policy, sizeof(policy),
             "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'",
             encoded);
    put(html, "<!DOCTYPE html>\n");
    html_begin(html, "html");
    html_attr(html, "lang", language);
    html_begin(html, "head");
    close_tag(html);
    put(html, "\n<meta charset=\"utf-8\">\n");
    meta(html, "http-equiv", "Content-Security-Policy", policy);
    meta(html, "name", "viewport", "width=device-width, initial-scale=1");
    meta(html, "name", "referrer", "no-referrer");
    html_element(html, "title", NULL, title);
    put(html, "<style>");
    put(html, style);
    put(html, "</style>\n");
    html_end(html);
    html_begin(html, "body");
}

void html_document_end(struct html *html)
{
    html_end(html);
    html_end(html);
    if (html->depth != 0)
        html->failed = true;
}
