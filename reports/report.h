// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The report: one self-contained HTML page (no network, no scripts; CSP default-src 'none' with the
 * hash of its own style) from one or several stores: what was seen by service and certainty, which
 * attempts failed and at which stage, what was only counted, what was not understood or lost, and
 * what all this cannot show. No client appears in it, times are hours. The same stores give the
 * same bytes.
 */
#include <stdint.h>

#include "base/status.h"
#include "catalog/catalog.h"
#include "store/store.h"

struct report_options {
    const char *
        folder; /* made if it is not there; index.html is written to a temporary name and renamed */
    const char *command_line; /* for the reproduce box; may be NULL */
    int64_t since_us, until_us;
    uint32_t minimum_clients; /* rows of fewer are withheld; the lab's captures have no people and
                                 no floor */
    const struct catalog *catalog;
};

#define REPORT_MINIMUM_CLIENTS 3u

/* Writes folder/index.html. DL_OK, a negated errno, or what reading the store gave. */
int report_write(struct store_reader *reader, const struct report_options *options,
                 struct dl_error *error);
