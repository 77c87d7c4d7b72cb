// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The evidence blob of a store that a stranger made. What decodes must encode, and come back the
 * same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "store/blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct observation first, second;
    struct buffer buffer;

    buffer_init(&buffer, 65536);
    int status = blob_decode(data, size, &first);
    demand(status == DL_OK || status == DL_MALFORMED || status == DL_VERSION);
    demand(first.evidence.suspect_count <= SUSPECTS_MAX);
    demand(first.pace.bin_count <= PACE_BINS_MAX && first.pace.loss_count <= PACE_LOSSES_MAX);
    demand(first.dns.answer_count <= DNS_FACTS_ANSWERS);
    if (status == DL_OK) {
        blob_encode(&buffer, &first);
        demand(!buffer.failed);
        demand(blob_decode(buffer.bytes, buffer.length, &second) == DL_OK);
        demand(memcmp(&first.evidence, &second.evidence, sizeof(first.evidence)) == 0);
        demand(memcmp(&first.pace, &second.pace, sizeof(first.pace)) == 0);
        demand(memcmp(&first.dns, &second.dns, sizeof(first.dns)) == 0);
        demand(memcmp(&first.import, &second.import, sizeof(first.import)) == 0);
    }
    buffer_finish(&buffer);
    return 0;
}
