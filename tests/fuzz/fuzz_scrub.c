// SPDX-License-Identifier: GPL-3.0-or-later
/* The last look at a file before it is published: any bytes are looked at to their end, and an address that is
 * forbidden is found behind them. */
#include <stdlib.h>
#include <string.h>

#include "reports/publish/scrub.h"

#define PLANTED   "\n154.80.64.10\n"
#define TEXT_ROOM 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static int look(struct scrub *scrub, char *text, size_t length)
{
    struct dl_error error = {0};
    FILE *file = fmemopen(text, length, "r");
    int status;

    demand(file != NULL);
    status = scrub_file(scrub, file, "fuzzed", &error);
    demand(status == DL_OK || status == DL_LEAK);
    fclose(file);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[TEXT_ROOM + sizeof(PLANTED)];
    struct scrub *scrub = NULL;
    struct address client;

    if (size == 0 || size > TEXT_ROOM)
        return 0;
    demand(scrub_create(&scrub, false) == DL_OK);
    demand(address_parse("154.80.64.10", &client) == DL_OK);
    demand(scrub_forbid_address(scrub, &client) == DL_OK);
    memcpy(text, data, size);
    look(scrub, text, size);
    memcpy(text + size, PLANTED, sizeof(PLANTED) - 1);
    demand(look(scrub, text, size + sizeof(PLANTED) - 1) == DL_LEAK);
    scrub_destroy(scrub);
    return 0;
}
