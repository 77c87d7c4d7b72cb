// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/html.h"

#include <stdarg.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#define TEXT_SIZE   2048 /* of formatted texts */
#define BASE64_SIZE (4 * ((DIGEST_SIZE + 2) / 3) + 1)
#define PIECE_SIZE  256 /* of texts with a length */
#define POLICY_SIZE (2 * BASE64_SIZE + 192)

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
    if (!value)
        return;
    put(html, "=\"");
    put_escaped(html, value);
    put(html, "\"");
}

#define BASE64_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* Four characters of one to three bytes. */
static void base64_group(const uint8_t *bytes, size_t count, char text[4])
{
    uint32_t bits = (uint32_t)bytes[0] << 16 | (count > 1 ? (uint32_t)bytes[1] << 8 : 0) |
                    (count > 2 ? bytes[2] : 0);

    text[0] = BASE64_DIGITS[bits >> 18];
    text[1] = BASE64_DIGITS[bits >> 12 & 63];
    text[2] = count > 1 ? BASE64_DIGITS[bits >> 6 & 63] : '=';
    text[3] = count > 2 ? BASE64_DIGITS[bits & 63] : '=';
}

void html_attr_data(struct html *html, const char *name, const char *type, const void *bytes,
                    size_t length)
{
    const uint8_t *from = bytes;
    char group[5] = "";

    if (!html->in_tag) {
        html->failed = true;
        return;
    }
    put(html, " ");
    put(html, name);
    put(html, "=\"data:");
    put_escaped(html, type);
    put(html, ";base64,");
    for (size_t i = 0; i < length; i += 3) {
        base64_group(from + i, length - i, group);
        put(html, group);
    }
    put(html, "\"");
}

/* A line ends where a block does, so that differences of two pages read well. */
static bool is_block(const char *tag)
{
    static const char blocks[] =
        " p h1 h2 h3 h4 h5 tr table thead tbody section header footer main nav article figure "
        "figcaption details summary ul ol li dl dt dd div caption title head body html ";
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
    html->in_tag = true;
}

void html_copy(struct html *html, const char *markup, size_t length)
{
    close_tag(html);
    fwrite(markup, 1, length, html->file);
    html->bytes += length;
}

void html_text_n(struct html *html, const char *text, size_t length)
{
    char piece[PIECE_SIZE];

    close_tag(html);
    while (length > 0) {
        size_t part = length < sizeof(piece) ? length : sizeof(piece) - 1;
        /* Never within a character. */
        while (part < length && part > sizeof(piece) - 8 && ((uint8_t)text[part] & 0xc0) == 0x80)
            part--;
        memcpy(piece, text, part);
        piece[part] = '\0';
        put_escaped(html, piece);
        text += part;
        length -= part;
    }
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

/* The hash of a style or script, in base64. */
static void hash_source(const char *text, char source[BASE64_SIZE])
{
    uint8_t hash[DIGEST_SIZE];
    size_t used = 0;

    digest_sha256(text, strlen(text), hash);
    for (size_t i = 0; i < DIGEST_SIZE; i += 3, used += 4)
        base64_group(hash + i, DIGEST_SIZE - i, source + used);
    source[used] = '\0';
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

/* The quotes of the policy stand as they are, so that people can read it too. */
static void write_policy(struct html *html, const struct html_document *document)
{
    char style[BASE64_SIZE], script[BASE64_SIZE], policy[POLICY_SIZE];
    int used;

    hash_source(document->style, style);
    used = snprintf(policy, sizeof(policy), "default-src 'none'; style-src 'sha256-%s'; ", style);
    if (document->script) {
        hash_source(document->script, script);
        used += snprintf(policy + used, sizeof(policy) - (size_t)used, "script-src 'sha256-%s'; ",
                         script);
    }
    snprintf(policy + used, sizeof(policy) - (size_t)used,
             "img-src data:%s; base-uri 'none'; form-action 'none'",
             document->has_images ? " 'self'" : "");
    meta(html, "http-equiv", "Content-Security-Policy", policy);
}

static void write_head(struct html *html, const struct html_document *document)
{
    put(html, "\n<meta charset=\"utf-8\">\n");
    write_policy(html, document);
    meta(html, "name", "viewport", "width=device-width, initial-scale=1");
    meta(html, "name", "referrer", "no-referrer");
    meta(html, "name", "color-scheme", "light dark");
    html_element(html, "title", NULL, document->title);
    if (document->description) {
        html_void(html, "meta");
        html_attr(html, "name", "description");
        html_attr(html, "content", document->description);
    }
    if (document->alternate) {
        html_void(html, "link");
        html_attr(html, "rel", "alternate");
        html_attr(html, "type", "application/json");
        html_attr(html, "href", document->alternate);
    }
    close_tag(html);
    put(html, "\n<style>");
    put(html, document->style);
    put(html, "</style>\n");
}

void html_document_begin(struct html *html, FILE *file, const struct html_document *document)
{
    *html = (struct html){.file = file, .script = document->script};
    put(html, "<!DOCTYPE html>\n");
    html_begin(html, "html");
    html_attr(html, "lang", document->language);
    html_attr(html, "dir", document->is_rtl ? "rtl" : "ltr");
    html_begin(html, "head");
    close_tag(html);
    write_head(html, document);
    html_end(html);
    html_begin(html, "body");
}

void html_document_end(struct html *html)
{
    if (html->script) {
        close_tag(html);
        put(html, "<script>");
        put(html, html->script);
        put(html, "</script>\n");
    }
    html_end(html);
    html_end(html);
    if (html->depth != 0)
        html->failed = true;
}
