// SPDX-License-Identifier: GPL-3.0-or-later
#include "catalog/catalog_csv.h"

#include <string.h>

static bool take_quoted(struct csv_reader *reader, struct buffer *field)
{
    bool open = true;

    reader->at++;
    while (open && reader->at < reader->end) {
        char c = *reader->at++;
        if (c == '"' && reader->at < reader->end && *reader->at == '"') {
            reader->at++;
        } else if (c == '"') {
            open = false;
            continue;
        }
        reader->line += c == '\n';
        buffer_append_u8(field, (uint8_t)c);
    }
    return !open;
}

int csv_take_field(struct csv_reader *reader, struct buffer *field, bool *ret_last)
{
    const char *start;
    size_t line = reader->line;
    int status = DL_OK;

    buffer_clear(field);
    if (reader->at < reader->end && *reader->at == '"' && !take_quoted(reader, field)) {
        status = dl_error_set(reader->error, DL_MALFORMED, "%s: line %zu: a quote never ends",
                              reader->path, line);
        goto out;
    }
    start = reader->at;
    while (reader->at < reader->end && *reader->at != ',' && *reader->at != '\n') {
        reader->at++;
    }
    buffer_append(field, start, (size_t)(reader->at - start));
    if (field->failed) {
        status = dl_error_set(reader->error, DL_LIMIT, "%s: line %zu: a field is too long",
                              reader->path, line);
        goto out;
    }
    *ret_last = reader->at == reader->end || *reader->at == '\n';
    reader->line += reader->at < reader->end && *reader->at == '\n';
    reader->at += reader->at < reader->end;
out:
    return status;
}

int csv_take_record(struct csv_reader *reader, struct csv_record *record)
{
    struct buffer field;
    bool last = false;
    int status = DL_OK;

    buffer_init(&field, CSV_FIELD_MAX);
    buffer_clear(&record->text);
    record->count = 0;
    record->line = reader->line;
    while (status == DL_OK && !last) {
        status = csv_take_field(reader, &field, &last);
        if (status != DL_OK)
            break;
        if (last && field.length > 0 && field.bytes[field.length - 1] == '\r')
            field.length--;
        if (record->count == CSV_FIELDS_MAX) {
            status = dl_error_set(reader->error, DL_LIMIT, "%s: line %zu: more than %d fields",
                                  reader->path, record->line, CSV_FIELDS_MAX);
            break;
        }
        record->starts[record->count] = record->text.length;
        record->lengths[record->count++] = field.length;
        buffer_append(&record->text, buffer_text(&field), field.length);
        buffer_append_u8(&record->text, 0);
        if (record->text.failed)
            status = dl_error_set(reader->error, DL_LIMIT, "%s: line %zu: a record is too long",
                                  reader->path, record->line);
    }
    buffer_finish(&field);
    return status;
}

const char *csv_field(const struct csv_record *record, int column, size_t *ret_length)
{
    bool there = column >= 0 && (size_t)column < record->count;

    if (ret_length)
        *ret_length = there ? record->lengths[column] : 0;
    return there ? record->text.bytes + record->starts[column] : "";
}

int csv_column(const struct csv_record *header, const char *name)
{
    for (size_t i = 0; i < header->count; i++)
        if (strcmp(csv_field(header, (int)i, NULL), name) == 0)
            return (int)i;
    return -1;
}
