// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * CSV as RFC 4180 has it, with line feeds alone as well, read from memory.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/status.h"

#define CSV_FIELD_MAX  ((size_t)1 << 20)
#define CSV_RECORD_MAX ((size_t)4 << 20)
#define CSV_FIELDS_MAX 64

struct csv_reader {
    const char *at, *end;
    size_t line; /* of `at`, from 1 on */
    const char *path;
    struct dl_error *error;
};

/* The next field; `ret_last`: it was the last of its record, and may end in a carriage return. */
int csv_take_field(struct csv_reader *reader, struct buffer *field, bool *ret_last);

struct csv_record {
    struct buffer text; /* init with CSV_RECORD_MAX; each field with a NUL behind it */
    size_t starts[CSV_FIELDS_MAX], lengths[CSV_FIELDS_MAX];
    size_t count, line; /* line: where it begins */
};

/* The next record; a blank line is one of a single empty field. To be asked while at < end. */
int csv_take_record(struct csv_reader *reader, struct csv_record *record);
/* A field of the record, "" where there is none; `ret_length` may be NULL. */
const char *csv_field(const struct csv_record *record, int column, size_t *ret_length);
/* Which column has this name; -1 for none. */
int csv_column(const struct csv_record *header, const char *name);
