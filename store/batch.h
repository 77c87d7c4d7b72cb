// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Flows that wait to be written, at most STORE_BATCH of them: flows end in another order than they
 * begin, and SQLite writes rows twice as fast in the order of their ids.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "store/observation.h"

#define BATCH_NAMES 4 /* columns that are numbers of strings */

struct batch_end {  /* client or server, as written */
    uint8_t length; /* 0 none */
    uint8_t bytes[16];
};

struct batch_row {
    int64_t id, start_us, duration_us;
    int64_t names[BATCH_NAMES]; /* 0 none */
    int64_t dns_flow;           /* 0 none */
    uint64_t packets[2], bytes[2];
    uint64_t evidence_at; /* in `evidence` */
    uint32_t evidence_length;
    uint16_t ports[2], reasons, flags;
    uint8_t transport, role, certainty, stage, close, certificate;
    struct batch_end ends[2];
};

struct batch_place {
    int64_t id;
    uint32_t row;
};

struct batch {
    struct batch_row *rows;
    struct batch_place *places;
    uint32_t count, maximum;
    struct buffer evidence; /* of all of them */
};

int batch_init(struct batch *batch, uint32_t maximum); /* DL_OK or -ENOMEM */
void batch_finish(struct batch *batch);                /* accepts a zeroed one */
void batch_clear(struct batch *batch);

/* Takes over everything but the names, which the caller fills in. NULL where the evidence finds no
 * memory. There must be room. */
struct batch_row *batch_add(struct batch *batch, int64_t id, const struct observation *observation);
/* Puts places[] in the order of ids; of one id twice, what was added later comes later. */
void batch_sort(struct batch *batch);
