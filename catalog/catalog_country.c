// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "catalog/catalog_internal.h"

/* The texts have been checked. */
static int country_build(struct raw_country *country)
{
    struct catalog_offset *offsets = calloc(country->change_count + 1, sizeof(*offsets));

    if (!offsets) {
        return -ENOMEM;
    }
    offsets[0].from_us = INT64_MIN;
    (void)utc_offset_parse(country->utc_offset, &offsets[0].seconds);
    for (size_t i = 0; i < country->change_count; i++) {
        const struct raw_change *change = &country->changes[i];
        (void)clock_parse(change->at, &offsets[i + 1].from_us);
        (void)utc_offset_parse(change->utc_offset, &offsets[i + 1].seconds);
    }
    country->public.offsets = offsets;
    country->public.offset_count = country->change_count + 1;
    return DL_OK;
}

int catalog_countries_build(struct raw_countries *countries)
{
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < countries->country_count; i++) {
        status = country_build(&countries->countries[i]);
    }
    return status;
}

void catalog_countries_finish(struct raw_countries *countries)
{
    for (size_t i = 0; i < countries->country_count; i++) {
        free((void *)countries->countries[i].public.offsets);
        countries->countries[i].public.offsets = NULL;
    }
}

size_t catalog_country_count(const struct catalog *catalog)
{
    return catalog->countries ? catalog->countries->country_count : 0;
}

const struct catalog_country *catalog_country_at(const struct catalog *catalog, size_t index)
{
    return index < catalog_country_count(catalog) ? &catalog->countries->countries[index].public
                                                  : NULL;
}

static int compare_code(const void *code, const void *country)
{
    return strcmp(code, ((const struct raw_country *)country)->public.code);
}

const struct catalog_country *catalog_country(const struct catalog *catalog, const char *code)
{
    const struct raw_country *found = NULL;

    if (catalog->countries) {
        found = bsearch(code, catalog->countries->countries, catalog->countries->country_count,
                        sizeof(*catalog->countries->countries), compare_code);
    }
    return found ? &found->public : NULL;
}

int32_t catalog_country_offset(const struct catalog_country *country, int64_t time_us)
{
    size_t from = 0, to = country->offset_count; /* the last offset that begins in time */

    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        if (country->offsets[middle].from_us <= time_us) {
            from = middle;
        } else {
            to = middle;
        }
    }
    return country->offsets[from].seconds;
}
