// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "store/blob.h"

#define EVIDENCE_SIZE_MAX (64u * 1024) /* of one flow */
#define EVIDENCE_ALL_MAX  (256u << 20) /* of them all: never met */
#define EVIDENCE_KEPT     (8u << 20)   /* what memory an ordinary batch may go on holding */

int batch_init(struct batch *batch, uint32_t maximum)
{
    *batch = (struct batch){.maximum = maximum};
    batch->rows = calloc(maximum, sizeof(*batch->rows));
    batch->places = calloc(maximum, sizeof(*batch->places));
    buffer_init(&batch->evidence, EVIDENCE_ALL_MAX);
    if (!batch->rows || !batch->places) {
        batch_finish(batch);
        return -ENOMEM;
    }
    return DL_OK;
}

void batch_finish(struct batch *batch)
{
    free(batch->rows);
    free(batch->places);
    buffer_finish(&batch->evidence);
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    batch->count = 0;
    if (batch->evidence.capacity > EVIDENCE_KEPT) {
        buffer_finish(&batch->evidence);
        buffer_init(&batch->evidence, EVIDENCE_ALL_MAX);
    }
    buffer_clear(&batch->evidence);
}

static void end_fill(struct batch_end *end, const struct endpoint *endpoint)
{
    end->length = 0;
    if (endpoint->kind == ENDPOINT_ADDRESS) {
        size_t skip = address_is_v4(&endpoint->address) ? 12 : 0;
        end->length = (uint8_t)(sizeof(endpoint->address.bytes) - skip);
        memcpy(end->bytes, endpoint->address.bytes + skip, end->length);
    } else if (endpoint->kind == ENDPOINT_PSEUDONYM) {
        end->length = 8;
        for (int i = 0; i < 8; i++) {
            end->bytes[i] = (uint8_t)(endpoint->pseudonym >> (56 - 8 * i));
        }
    }
}

struct batch_row *batch_add(struct batch *batch, int64_t id, const struct observation *o)
{
    struct batch_row *row = &batch->rows[batch->count];
    size_t before = batch->evidence.length;

    blob_encode(&batch->evidence, o);
    size_t length = batch->evidence.length - before;
    if (batch->evidence.failed || length > EVIDENCE_SIZE_MAX) {
        return NULL;
    }
    *row = (struct batch_row){
        .id = id,
        .start_us = o->start_us,
        .duration_us = (int64_t)((uint64_t)o->end_us - (uint64_t)o->start_us),
        .dns_flow = (int64_t)o->dns_flow,
        .packets = {o->packets[0], o->packets[1]},
        .bytes = {o->bytes[0], o->bytes[1]},
        .evidence_at = before,
        .evidence_length = (uint32_t)length,
        .ports = {o->client_port, o->server_port},
        .reasons = o->reasons,
        .flags = o->flags,
        .transport = (uint8_t)o->transport,
        .role = (uint8_t)o->role,
        .certainty = (uint8_t)o->certainty,
        .stage = (uint8_t)o->stage,
        .close = (uint8_t)o->close,
        .certificate = o->certificate,
    };
    end_fill(&row->ends[SIDE_CLIENT], &o->client);
    end_fill(&row->ends[SIDE_SERVER], &o->server);
    batch->places[batch->count] = (struct batch_place){.id = id, .row = batch->count};
    batch->count++;
    return row;
}

static int compare_places(const void *a, const void *b)
{
    const struct batch_place *x = a, *y = b;

    if (x->id != y->id) {
        return x->id < y->id ? -1 : 1;
    }
    return x->row < y->row ? -1 : 1;
}

void batch_sort(struct batch *batch)
{
    qsort(batch->places, batch->count, sizeof(batch->places[0]), compare_places);
}
