// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "catalog/catalog_csv.h"
#include "catalog/catalog_internal.h"

#define FILE_MAXIMUM ((size_t)256 << 20)

/* ---- names ---- */

/* DL_MALFORMED (and no message) for what is no DNS name. */
static int watch(struct catalog *catalog, const struct csv_reader *reader, const char *name,
                 size_t length)
{
    struct host_text host;
    int status;

    if (!host_text_init(&host, name, length) || memchr(host.text, '\0', host.length) ||
        !host_name_valid(host.text)) {
        return DL_MALFORMED;
    }
    status = name_table_add(&catalog->watched, host.text, host.length, 0);
    if (status == DL_DUPLICATE) {
        status = DL_OK;
    } else if (status == DL_OK && catalog->watched.count > CATALOG_WATCHLIST_MAX) {
        status = dl_error_set(reader->error, DL_LIMIT, "%s: line %zu: more than %d names",
                              reader->path, reader->line, CATALOG_WATCHLIST_MAX);
    }
    return status;
}

/* The host of a URL: without scheme, user, port and path. */
static const char *url_host(const char *url, size_t length, size_t *ret_length)
{
    const char *end = url + length, *start = url, *at;
    const char *scheme = memmem(url, length, "://", 3);

    start = scheme ? scheme + 3 : url;
    for (at = start; at < end && *at != '/' && *at != '?' && *at != '#'; at++) {
        if (*at == '@') {
            start = at + 1;
        }
    }
    end = at;
    at = memchr(start, ':', (size_t)(end - start));
    *ret_length = (size_t)((at ? at : end) - start);
    return start;
}

/* ---- one name a line ---- */

static bool take_line(struct csv_reader *reader, const char **ret_line, size_t *ret_length)
{
    const char *end;

    if (reader->at == reader->end) {
        return false;
    }
    end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    *ret_line = reader->at;
    *ret_length = (size_t)((end ? end : reader->end) - reader->at);
    reader->at = end ? end + 1 : reader->end;
    reader->line++;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **line, size_t *length)
{
    const char *comment = memchr(*line, '#', *length);

    *length = comment ? (size_t)(comment - *line) : *length;
    while (*length > 0 && is_blank(**line)) {
        (*line)++;
        (*length)--;
    }
    while (*length > 0 && is_blank((*line)[*length - 1])) {
        (*length)--;
    }
}

static int read_lines(struct catalog *catalog, struct csv_reader *reader)
{
    const char *line;
    size_t length;
    int status = DL_OK;

    reader->line = 0; /* take_line() counts before the line is used */
    while (status == DL_OK && take_line(reader, &line, &length)) {
        trim(&line, &length);
        status = length > 0 ? watch(catalog, reader, line, length) : DL_OK;
        if (status == DL_MALFORMED) {
            dl_error_set(reader->error, status, "%s: line %zu: no DNS name: '%.*s'", reader->path,
                         reader->line, (int)MIN_OF(length, (size_t)100), line);
        }
    }
    return status;
}

/* ---- CSV ---- */

static bool is_url_column(const struct buffer *field)
{
    size_t length = field->length;

    length -= length > 0 && field->bytes[length - 1] == '\r';
    return length == 3 && memcmp(field->bytes, "url", 3) == 0;
}

/* Which column of the first record holds the URLs; -1: none, or this is no CSV at all. */
static int find_url_column(struct csv_reader *reader, struct buffer *field, int *ret_column,
                           bool *ret_is_csv)
{
    int column = -1, count = 0, status = DL_OK;
    bool last = false;

    while (status == DL_OK && !last) {
        status = csv_take_field(reader, field, &last);
        if (status == DL_OK && column < 0 && is_url_column(field)) {
            column = count;
        }
        count++;
    }
    *ret_column = column;
    *ret_is_csv = column >= 0 || count > 1;
    return status;
}

static int read_records(struct catalog *catalog, struct csv_reader *reader, struct buffer *field,
                        int url_column)
{
    int status = DL_OK;

    while (status == DL_OK && reader->at < reader->end) {
        bool last = false;
        for (int column = 0; status == DL_OK && !last; column++) {
            const char *host;
            size_t length;
            status = csv_take_field(reader, field, &last);
            if (status != DL_OK || column != url_column) {
                continue;
            }
            host = url_host(buffer_text(field), field->length, &length);
            trim(&host, &length);
            status = watch(catalog, reader, host, length);
            /* Such lists are other people's; they hold addresses too, which are no names. */
            status = status == DL_MALFORMED ? DL_OK : status;
        }
    }
    return status;
}

/* ---- either ---- */

static bool first_line_is_comment(const struct csv_reader *reader)
{
    return reader->at < reader->end && *reader->at == '#';
}

static int read_list(struct catalog *catalog, struct csv_reader *reader)
{
    struct csv_reader start = *reader;
    struct buffer field;
    int column = -1, status = DL_OK;
    bool is_csv = false;

    buffer_init(&field, CSV_FIELD_MAX);
    if (!first_line_is_comment(reader)) {
        status = find_url_column(reader, &field, &column, &is_csv);
    }
    if (status != DL_OK) {
        goto out;
    }
    if (column >= 0) {
        status = read_records(catalog, reader, &field, column);
    } else if (is_csv) {
        status =
            dl_error_set(reader->error, DL_MALFORMED, "%s: line 1: no column 'url'", reader->path);
    } else {
        *reader = start;
        status = read_lines(catalog, reader);
    }
out:
    buffer_finish(&field);
    return status;
}

int catalog_add_watchlist(struct catalog *catalog, const char *path, struct dl_error *error)
{
    struct buffer text = {0};
    struct csv_reader reader = {.line = 1, .path = path, .error = error};
    int status = catalog_read_file(&text, path, FILE_MAXIMUM, error);

    if (status != DL_OK) {
        goto out;
    }
    reader.at = buffer_text(&text);
    reader.end = reader.at + text.length;
    if (text.length >= 3 && memcmp(reader.at, "\xef\xbb\xbf", 3) == 0) {
        reader.at += 3; /* a byte order mark, as spreadsheets write it */
    }
    status = read_list(catalog, &reader);
    if (status == -ENOMEM) {
        dl_error_set(error, status, "%s: %s", path, dl_strerror(status));
    }
out:
    buffer_finish(&text);
    return status;
}

bool catalog_is_watched(const struct catalog *catalog, const char *host, size_t length)
{
    const struct name_table *table = &catalog->watched;
    bool found = false;
    struct host_text text;
    unsigned first;

    if (table->count == 0 || !host_text_init(&text, host, length)) {
        return false;
    }
    first = text.label_count > table->labels_max ? text.label_count - table->labels_max : 0;
    for (unsigned i = first; !found && i < text.label_count; i++) {
        size_t start = text.starts[i];
        found = name_table_find(table, text.text + start, text.length - start) != NULL;
    }
    return found;
}
