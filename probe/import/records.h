// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A file cut into records, through one buffer that grows to IMPORT_LINE_MAX at most.
 *
 *   RECORDS_CSV   a record ends with its line, unless a quote is open. A quote that is still open
 *                 RECORDS_QUOTED_MAX further on was none: the record ends with its first line.
 *   RECORDS_JSON  JSON lines; or, where the first value does not fit on its line or is an array,
 *                 the objects of that array or the objects that follow each other.
 */
#include "probe/capture/reader.h"

#define RECORDS_QUOTED_MAX (64u << 10)

enum records_kind { RECORDS_CSV, RECORDS_JSON };

struct records {
    struct reader *reader;
    enum records_kind kind;
    bool documents; /* RECORDS_JSON: not one a line */
    bool decided;
    char *bytes;
    size_t start, end, capacity; /* what is at hand, and not yet given */
    uint64_t line;               /* of `start`, from 1 on; of documents, how many were given */
    bool at_end;                 /* the reader gives no more */
};

/* `reader` stays the caller's. DL_OK or -ENOMEM. */
int records_init(struct records *records, struct reader *reader, enum records_kind kind);
void records_finish(struct records *records);

/*
 * The next record without its line's end, valid until the next call, and its number. DL_OK; DL_END;
 * DL_LIMIT for one that is too long, which is passed over; -ENOMEM. Blank lines are passed over.
 */
int records_next(struct records *records, const char **ret_record, size_t *ret_length,
                 uint64_t *ret_number);
