// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Observations on their way from one thread to another, packed: of the parts that are there (dns, evidence,
 * import, pace say so of themselves) only the pieces of ROW_PIECE bytes that are not zero, and the host's
 * text. Other strings stay where they are: they must live as long as the row.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/observation.h"

#define ROW_BLOCK_BYTES (256u * 1024u - 64u)
#define ROW_PIECE       64u
#define ROW_PIECES      ((sizeof(struct observation) + ROW_PIECE - 1) / ROW_PIECE)

struct row_block {
    struct row_block *next;
    uint32_t used, rows; /* bytes; observations that are not early ones */
    _Alignas(8) uint8_t bytes[ROW_BLOCK_BYTES];
};

typedef int (*row_call_fn)(void *context, const void *bytes, struct dl_error *error);

/* False where there is no room: an empty block has room for any row and any call of ROW_CALL_MAX bytes. */
bool row_put(struct row_block *block, const struct observation *observation);
bool row_put_call(struct row_block *block, row_call_fn call, const void *bytes, size_t length);
#define ROW_CALL_MAX 4096u

struct row_reader { /* zeroed before the first row; used for many blocks */
    struct observation observation;
    uint64_t filled[(ROW_PIECES + 63) / 64]; /* pieces that are not zero */
};

struct row {                               /* one of the two */
    const struct observation *observation; /* valid until the next row */
    row_call_fn call;
    const void *bytes;
};

/* The row at *at, which is moved on; false at the end. */
bool row_next(struct row_reader *reader, const struct row_block *block, uint32_t *at,
              struct row *ret_row);
