// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "catalog/catalog_internal.h"

#define DAY_US (24 * CLOCK_HOUR_US)

static struct asn_entry entry_of(const struct raw_carrier *carrier, const struct raw_asn *raw)
{
    struct asn_entry entry = {.asn = raw->asn,
                              .carrier = carrier->public.number,
                              .from_us = INT64_MIN,
                              .until_us = INT64_MAX,
                              .file = carrier->file};
    int64_t day;

    if (raw->from && clock_parse(raw->from, &day) == DL_OK) {
        entry.from_us = day;
    }
    if (raw->until && clock_parse(raw->until, &day) == DL_OK) {
        entry.until_us = day + DAY_US - 1; /* the whole last day */
    }
    return entry;
}

static int compare_entries(const void *left, const void *right)
{
    const struct asn_entry *a = left, *b = right;

    if (a->asn != b->asn) {
        return a->asn < b->asn ? -1 : 1;
    }
    if (a->from_us != b->from_us) {
        return a->from_us < b->from_us ? -1 : 1;
    }
    return (int)a->carrier - (int)b->carrier;
}

static int check_entries(const struct asn_entry *entries, size_t count, struct dl_error *error)
{
    for (size_t i = 1; i < count; i++) {
        const struct asn_entry *a = &entries[i - 1], *b = &entries[i];
        if (a->asn == b->asn && b->from_us <= a->until_us) {
            return catalog_refuse(error, b->file, "AS%u is at the same time also in %s", b->asn,
                                  a->file == b->file ? "this file" : a->file);
        }
    }
    return DL_OK;
}

int asn_index_build(struct asn_entry **ret_entries, size_t *ret_count,
                    const struct catalog *catalog, struct dl_error *error)
{
    struct asn_entry *entries = NULL;
    size_t count = 0, total = 0;
    int status = -ENOMEM;

    for (size_t i = 0; i < catalog->carrier_count; i++) {
        total += catalog->carriers[i]->asn_count;
    }
    entries = calloc(total + 1, sizeof(*entries));
    if (!entries) {
        goto out;
    }
    for (size_t i = 0; i < catalog->carrier_count; i++) {
        const struct raw_carrier *carrier = catalog->carriers[i];
        for (size_t j = 0; j < carrier->asn_count; j++) {
            entries[count++] = entry_of(carrier, &carrier->asns[j]);
        }
    }
    qsort(entries, count, sizeof(*entries), compare_entries);
    status = check_entries(entries, count, error);
    if (status == DL_OK) {
        *ret_entries = entries;
        *ret_count = count;
        entries = NULL;
    }
out:
    free(entries);
    return status;
}

const struct catalog_carrier *catalog_carrier_by_asn(const struct catalog *catalog, uint32_t asn,
                                                     int64_t time_us)
{
    size_t from = 0, to = catalog->asn_count; /* the first entry of this AS number */
    int64_t when = time_us != 0 ? time_us : clock_now_us();
    uint16_t carrier = 0;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (catalog->asns[middle].asn < asn) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    for (size_t i = from; i < catalog->asn_count && catalog->asns[i].asn == asn; i++) {
        if (catalog->asns[i].from_us <= when && when <= catalog->asns[i].until_us) {
            carrier = catalog->asns[i].carrier;
        }
    }
    return catalog_carrier_at(catalog, carrier);
}
