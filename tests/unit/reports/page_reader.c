// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/reports/page_reader.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 40
#define NAME_SIZE 32
#define VALUE_MAX 256

struct reader {
    const char *at;
    const struct read_json *report;
    struct page_read *read;
    char open[DEPTH_MAX][NAME_SIZE];
    int depth;
};

struct tag {
    char name[NAME_SIZE];
    char value[VALUE_MAX], ref[VALUE_MAX], datetime[VALUE_MAX];
    bool is_end, is_empty;
};

static bool is_void(const char *name)
{
    static const char *const voids[] = {"meta", "link", "br", "hr", "img", "col"};

    for (size_t i = 0; i < sizeof(voids) / sizeof(voids[0]); i++)
        if (strcmp(voids[i], name) == 0)
            return true;
    return false;
}

static void copy_name(struct reader *reader, char out[NAME_SIZE])
{
    size_t length =
        strspn(reader->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:");

    if (length == 0 || length >= NAME_SIZE)
        fail_msg("no name: %.60s", reader->at);
    memcpy(out, reader->at, length);
    out[length] = '\0';
    reader->at += length;
}

/* A file that lies beside the page. */
static bool is_beside(const char *value, size_t length)
{
    static const char *const names[] = {"events.csv", "cells.csv", "MANIFEST"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == length && memcmp(value, names[i], length) == 0)
            return true;
    return false;
}

/* Strangers' text must have become no attribute that runs or fetches. */
static void check_attribute(const char *name, const char *value, size_t length,
                            struct page_read *read)
{
    if (strncmp(name, "on", 2) == 0 || strcmp(name, "style") == 0 || strcmp(name, "srcdoc") == 0)
        fail_msg("attribute %s", name);
    if (strcmp(name, "href") != 0 && strcmp(name, "src") != 0)
        return;
    if (length > 5 && strncmp(value, "data:", 5) == 0)
        read->data_links++;
    else if (value[0] != '#' && strncmp(value, "http", 4) != 0 && !is_beside(value, length) &&
             strncmp(value, "report.json", 11) != 0 && strncmp(value, "charts/", 7) != 0)
        fail_msg("%s leads to %.40s", name, value);
}

static void keep(char out[VALUE_MAX], const char *value, size_t length)
{
    if (length >= VALUE_MAX)
        length = VALUE_MAX - 1;
    memcpy(out, value, length);
    out[length] = '\0';
}

static void read_attribute(struct reader *reader, struct tag *tag)
{
    char name[NAME_SIZE];
    const char *value, *end;

    copy_name(reader, name);
    if (strcmp(name, "open") == 0)
        return;
    if (reader->at[0] != '=' || reader->at[1] != '"')
        fail_msg("%s of %s is not quoted: %.60s", name, tag->name, reader->at);
    value = reader->at + 2;
    end = strchr(value, '"');
    assert_non_null(end);
    if (memchr(value, '<', (size_t)(end - value)) || memchr(value, '>', (size_t)(end - value)))
        fail_msg("markup within %s of %s", name, tag->name);
    check_attribute(name, value, (size_t)(end - value), reader->read);
    if (strcmp(name, "value") == 0)
        keep(tag->value, value, (size_t)(end - value));
    if (strcmp(name, "data-ref") == 0)
        keep(tag->ref, value, (size_t)(end - value));
    if (strcmp(name, "datetime") == 0)
        keep(tag->datetime, value, (size_t)(end - value));
    reader->at = end + 1;
}

static void read_tag(struct reader *reader, struct tag *tag)
{
    *tag = (struct tag){.is_end = reader->at[1] == '/'};
    reader->at += 1 + tag->is_end;
    copy_name(reader, tag->name);
    while (*reader->at == ' ') {
        reader->at++;
        read_attribute(reader, tag);
    }
    if (*reader->at == '/') {
        tag->is_empty = true;
        reader->at++;
    }
    if (*reader->at != '>')
        fail_msg("tag %s does not end: %.60s", tag->name, reader->at);
    reader->at++;
}

static void check_number(struct reader *reader, const struct tag *tag)
{
    reader->read->data++;
    if (!tag->ref[0])
        return;
    reader->read->data_with_ref++;
    if (!reader->report)
        return;
    double shown = strtod(tag->value, NULL), told = read_json_real(reader->report, tag->ref);
    if (fabs(shown - told) > 1e-12)
        fail_msg("%s is %g on the page, %g in report.json", tag->ref, shown, told);
}

static void check_time(struct reader *reader, const struct tag *tag)
{
    if (!tag->ref[0])
        return;
    reader->read->times_with_ref++;
    if (reader->report && strncmp(read_json_text(reader->report, tag->ref), tag->datetime,
                                  strlen("2015-11-30T12:00")) != 0)
        fail_msg("%s is %s on the page", tag->ref, tag->datetime);
}

static void skip_raw(struct reader *reader, const char *end)
{
    reader->at = strstr(reader->at, end);
    assert_non_null(reader->at);
}

static void begin(struct reader *reader, const struct tag *tag)
{
    struct page_read *read = reader->read;

    read->elements++;
    if (tag->name[0] == 'h' && tag->name[1] >= '1' && tag->name[1] <= '6' && !tag->name[2])
        read->headings[tag->name[1] - '0']++;
    if (strcmp(tag->name, "data") == 0)
        check_number(reader, tag);
    if (strcmp(tag->name, "time") == 0)
        check_time(reader, tag);
    if (is_void(tag->name) || tag->is_empty)
        return;
    assert_true(reader->depth < DEPTH_MAX);
    snprintf(reader->open[reader->depth++], NAME_SIZE, "%s", tag->name);
    if (strcmp(tag->name, "script") == 0) {
        read->scripts++;
        skip_raw(reader, "</script>");
    } else if (strcmp(tag->name, "style") == 0) {
        read->styles++;
        skip_raw(reader, "</style>");
    }
}

static void end(struct reader *reader, const struct tag *tag)
{
    assert_true(reader->depth > 0);
    if (strcmp(reader->open[--reader->depth], tag->name) != 0)
        fail_msg("%s ended where %s is open", tag->name, reader->open[reader->depth]);
}

/* What a page must not take from strangers: controls and characters that turn the direction. */
static void check_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const uint8_t *at = (const uint8_t *)text + i;
        bool turns =
            i + 2 < length && at[0] == 0xe2 && at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae;
        if ((at[0] < 0x20 && at[0] != '\n') || at[0] == '>' || turns)
            fail_msg("raw %02x in text: %.40s", at[0], text);
    }
}

void page_read(const char *text, const struct read_json *report, struct page_read *ret_read)
{
    struct reader reader = {.at = text, .report = report, .read = ret_read};
    struct tag tag;

    *ret_read = (struct page_read){0};
    assert_int_equal(strncmp(text, "<!DOCTYPE html>\n", 16), 0);
    reader.at += 16;
    while (*reader.at) {
        size_t length = strcspn(reader.at, "<");
        check_text(reader.at, length);
        reader.at += length;
        if (!*reader.at)
            break;
        read_tag(&reader, &tag);
        if (tag.is_end)
            end(&reader, &tag);
        else
            begin(&reader, &tag);
    }
    assert_int_equal(reader.depth, 0);
}
