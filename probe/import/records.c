// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/import/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/status.h"
#include "probe/import/import.h"

#define FIRST_CAPACITY (256u << 10)

int records_init(struct records *records, struct reader *reader, enum records_kind kind)
{
    *records = (struct records){.reader = reader,
                                .kind = kind,
                                .decided = kind != RECORDS_JSON,
                                .line = 1,
                                .bytes = malloc(FIRST_CAPACITY),
                                .capacity = FIRST_CAPACITY};
    return records->bytes ? DL_OK : -ENOMEM;
}

void records_finish(struct records *records)
{
    free(records->bytes);
    *records = (struct records){0};
}

/* ---- bytes at hand ---- */

/* More bytes behind those at hand; sets `at_end` where there are none. False at the maximum or
 * without memory. */
static bool more(struct records *r)
{
    size_t left = r->end - r->start;

    if (r->end == r->capacity && r->start > 0) {
        memmove(r->bytes, r->bytes + r->start, left);
        r->start = 0;
        r->end = left;
    }
    if (r->end == r->capacity) {
        size_t capacity = MIN_OF(2 * r->capacity, (size_t)IMPORT_LINE_MAX + 1);
        char *bytes = capacity > r->capacity ? realloc(r->bytes, capacity) : NULL;
        if (!bytes) {
            return false;
        }
        r->bytes = bytes;
        r->capacity = capacity;
    }
    if (!reader_fill(r->reader, 1)) {
        r->at_end = true;
        return true;
    }
    size_t length = MIN_OF(reader_left(r->reader), r->capacity - r->end);
    memcpy(r->bytes + r->end, r->reader->at, length);
    reader_take(r->reader, length);
    r->end += length;
    return true;
}

/* How far from `start` a record goes and how much its end takes; SIZE_MAX where it is not there. */
struct extent {
    size_t length, with_end;
};
#define NOT_THERE ((struct extent){SIZE_MAX, SIZE_MAX})

static struct extent first_line(const struct records *r)
{
    const char *start = r->bytes + r->start;
    const char *end = memchr(start, '\n', r->end - r->start);

    if (!end) {
        return NOT_THERE;
    }
    return (struct extent){(size_t)(end - start), (size_t)(end - start) + 1};
}

/* `*state` is how far was looked, with the lowest bit an open quote. */
static struct extent csv_extent(const struct records *r, size_t *state)
{
    const char *start = r->bytes + r->start;
    size_t length = r->end - r->start, at = *state >> 1;
    bool quoted = *state & 1;

    for (; at < length; at++) {
        if (start[at] == '"') {
            quoted = !quoted;
        } else if (start[at] == '\n' && !quoted) {
            return (struct extent){at, at + 1};
        }
    }
    *state = at << 1 | quoted;
    if (quoted && (length > RECORDS_QUOTED_MAX || r->at_end)) {
        return first_line(r);
    }
    return NOT_THERE;
}

/* Where a JSON object that begins at `text` ends; SIZE_MAX. A scan: the parser says if it is good. */
struct scan {
    size_t at;
    unsigned depth;
    bool in_text, escaped;
};

static bool scan_object(struct scan *scan, const char *text, size_t length)
{
    for (; scan->at < length; scan->at++) {
        char c = text[scan->at];
        if (scan->in_text) {
            scan->in_text = scan->escaped || c != '"';
            scan->escaped = !scan->escaped && c == '\\';
        } else if (c == '"') {
            scan->in_text = true;
        } else if (c == '{' || c == '[') {
            scan->depth++;
        } else if ((c == '}' || c == ']') && (scan->depth == 0 || --scan->depth == 0)) {
            scan->at++;
            return true;
        }
    }
    return false;
}

/* ---- one record ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Passes over what stands between documents: blanks, commas, the brackets of an array. */
static int skip_between(struct records *r)
{
    for (;;) {
        while (r->start < r->end &&
               (is_blank(r->bytes[r->start]) || strchr(",[]", r->bytes[r->start]))) {
            r->start++;
        }
        if (r->start < r->end || r->at_end) {
            return r->start < r->end ? DL_OK : DL_END;
        }
        if (!more(r)) {
            return -ENOMEM;
        }
    }
}

/* A record that does not fit: the rest of its line goes too. */
static int pass_over(struct records *r)
{
    for (;;) {
        struct extent line = r->documents ? NOT_THERE : first_line(r);
        if (line.length != SIZE_MAX) {
            r->start += line.with_end;
            r->line++;
            return DL_LIMIT;
        }
        r->start = r->end = 0;
        if (r->at_end || !more(r)) {
            return DL_LIMIT;
        }
    }
}

static int next_document(struct records *r, const char **ret_record, size_t *ret_length,
                         uint64_t *ret_number)
{
    struct scan scan = {0};
    int status = skip_between(r);

    if (status != DL_OK) {
        return status;
    }
    while (!scan_object(&scan, r->bytes + r->start, r->end - r->start)) {
        if (r->at_end) {
            break;
        }
        if (r->end - r->start > IMPORT_LINE_MAX) {
            *ret_number = r->line++;
            return pass_over(r);
        }
        if (!more(r)) {
            return -ENOMEM;
        }
    }
    *ret_record = r->bytes + r->start;
    *ret_length = scan.at;
    *ret_number = r->line++;
    r->start += scan.at;
    return DL_OK;
}

static uint64_t lines_in(const char *text, size_t length)
{
    uint64_t count = 0;

    for (size_t i = 0; i < length; i++) {
        count += text[i] == '\n';
    }
    return count;
}

static int next_line(struct records *r, const char **ret_record, size_t *ret_length,
                     uint64_t *ret_number)
{
    size_t state = 0;
    struct extent found;

    for (;;) {
        found = r->kind == RECORDS_CSV ? csv_extent(r, &state) : first_line(r);
        if (found.length != SIZE_MAX || r->at_end) {
            break;
        }
        if (r->end - r->start > IMPORT_LINE_MAX) {
            *ret_number = r->line;
            return pass_over(r);
        }
        if (!more(r)) {
            return -ENOMEM;
        }
    }
    if (found.length == SIZE_MAX) {
        if (r->start == r->end) {
            return DL_END;
        }
        found = (struct extent){r->end - r->start, r->end - r->start};
    }
    *ret_record = r->bytes + r->start;
    *ret_number = r->line;
    r->line += lines_in(r->bytes + r->start, found.with_end);
    r->start += found.with_end;
    *ret_length = found.length;
    while (*ret_length > 0 && (*ret_record)[*ret_length - 1] == '\r') {
        --*ret_length;
    }
    return DL_OK;
}

/* JSON lines, or documents? The first value tells: it ends on its line, or it does not. */
static int decide(struct records *r)
{
    struct scan scan = {0};
    size_t first = 0;
    bool whole = false;

    for (;;) {
        while (first < r->end && is_blank(r->bytes[first])) {
            first++;
        }
        if (first < r->end && r->bytes[first] == '[') {
            r->documents = true;
            break;
        }
        whole = first < r->end && scan_object(&scan, r->bytes + first, r->end - first);
        if (whole || r->at_end || r->end - r->start > IMPORT_LINE_MAX) {
            r->documents = whole && memchr(r->bytes + first, '\n', scan.at) != NULL;
            break;
        }
        if (!more(r)) {
            return -ENOMEM;
        }
    }
    r->decided = true;
    return DL_OK;
}

int records_next(struct records *records, const char **ret_record, size_t *ret_length,
                 uint64_t *ret_number)
{
    int status = records->decided ? DL_OK : decide(records);
    bool blank = true;

    while (status == DL_OK && blank) {
        status = records->documents ? next_document(records, ret_record, ret_length, ret_number)
                                    : next_line(records, ret_record, ret_length, ret_number);
        for (size_t i = 0; blank && status == DL_OK && i < *ret_length; i++) {
            blank = is_blank((*ret_record)[i]);
        }
    }
    return status;
}
