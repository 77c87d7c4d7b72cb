// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Block pages in what an OONI measurement kept of an answer: its head is put together again from
 * the fields, its body is text, or base64 where it is none.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/buffer.h"
#include "probe/import/ooni.h"

#define PAGE_MAX (256u << 10)

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : -1;
}

static void append_base64(struct buffer *page, const char *text, size_t length)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < length && page->length < PAGE_MAX - 1; i++) {
        int value = base64_value(text[i]);
        if (value < 0) {
            continue; /* padding, and what should not be there */
        }
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            buffer_append_u8(page, (uint8_t)(bits >> count));
        }
    }
}

/* A text, or {"format": "base64", "data": ...}. */
static void append_value(struct buffer *page, const json_t *value)
{
    const json_t *data = json_object_get(value, "data");
    size_t room = PAGE_MAX - page->length;

    if (json_is_string(value)) {
        buffer_append(page, json_string_value(value), MIN_OF(json_string_length(value), room));
    } else if (json_is_string(data)) {
        append_base64(page, json_string_value(data), json_string_length(data));
    }
}

static void append_field(struct buffer *page, const char *name, const json_t *value,
                         struct fingerprint_page *spans)
{
    size_t start;

    if (page->length + strlen(name) + 4 > PAGE_MAX / 2) {
        return;
    }
    buffer_append_text(page, name);
    buffer_append_text(page, ": ");
    start = page->length;
    if (!json_is_string(value) || json_string_length(value) < PAGE_MAX / 4) {
        append_value(page, value);
    }
    struct fingerprint_span span = {start, page->length};
    if (strcasecmp(name, "Location") == 0) {
        spans->location = span;
    } else if (strcasecmp(name, "Server") == 0) {
        spans->server = span;
    } else if (strcasecmp(name, "Via") == 0) {
        spans->via = span;
    }
    buffer_append_text(page, "\r\n");
}

static void append_head(struct buffer *page, const json_t *response, struct fingerprint_page *spans)
{
    json_t *headers = json_object_get(response, "headers"), *value;
    const char *name;

    buffer_printf(page, "HTTP/1.1 %d \r\n",
                  (int)json_integer_value(json_object_get(response, "code")));
    json_object_foreach(headers, name, value)
    {
        append_field(page, name, value, spans);
    }
    buffer_append_text(page, "\r\n");
}

static struct fingerprint_span find_title(const struct buffer *page, size_t body)
{
    const char *text = buffer_text(page) + body;
    const char *open = strcasestr(text, "<title");
    const char *start = open ? strchr(open, '>') : NULL;
    const char *end = start ? strcasestr(start, "</title") : NULL;

    if (!end) {
        return (struct fingerprint_span){page->length, page->length};
    }
    return (struct fingerprint_span){body + (size_t)(start + 1 - text),
                                     body + (size_t)(end - text)};
}

static void take_hit(const struct import_job *job, const struct fingerprint_hit *hit,
                     struct blockpage_facts *ret_page)
{
    *ret_page = (struct blockpage_facts){.scope = (uint8_t)hit->scope,
                                         .where = (uint8_t)hit->where,
                                         .false_positive = hit->false_positive != NULL};
    snprintf(ret_page->id, sizeof(ret_page->id), "%s", hit->id);
    snprintf(ret_page->list, sizeof(ret_page->list), "%s",
             fingerprints_version(job->options->fingerprints));
}

bool ooni_find_page(const struct import_job *job, const json_t *response,
                    struct blockpage_facts *ret_page)
{
    struct fingerprint_page spans = {0};
    struct fingerprint_hit hit;
    struct buffer page;
    bool found = false;

    if (!job->options->fingerprints || !json_is_object(response)) {
        return false;
    }
    buffer_init(&page, PAGE_MAX + 64);
    append_head(&page, response, &spans);
    size_t body = page.length;
    append_value(&page, json_object_get(response, "body"));
    if (!page.failed) {
        spans.bytes = (const uint8_t *)buffer_text(&page);
        spans.length = page.length;
        spans.body = (struct fingerprint_span){body, page.length};
        spans.title = find_title(&page, body);
        found = fingerprints_match_page(job->options->fingerprints, &spans, &hit);
    }
    if (found) {
        take_hit(job, &hit, ret_page);
    }
    buffer_finish(&page);
    return found;
}

bool ooni_find_page_address(const struct import_job *job, const struct address *address,
                            struct blockpage_facts *ret_page)
{
    struct fingerprint_hit hit;

    if (!job->options->fingerprints ||
        !fingerprints_match_address(job->options->fingerprints, address, &hit)) {
        return false;
    }
    take_hit(job, &hit, ret_page);
    return true;
}
