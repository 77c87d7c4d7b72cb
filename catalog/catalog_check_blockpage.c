// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "base/address.h"
#include "catalog/catalog_internal.h"
#include "catalog/fingerprint.h"

static int check_text(const struct place *place, const struct raw_pattern *pattern)
{
    struct address address;
    size_t length = strlen(pattern->text);

    if (pattern->where == BLOCKPAGE_IN_DNS) {
        if (address_parse(pattern->text, &address) != DL_OK || address_is_private(&address))
            return place_refuse(place, "no public address:", pattern->text);
        if (pattern->any_case || pattern->kind != FINGERPRINT_CONTAINS)
            return place_refuse(place, "an address has no case and no match", NULL);
        return DL_OK;
    }
    if (length < FINGERPRINT_TEXT_LEAST || length > FINGERPRINT_TEXT_MAX)
        return place_refuse(place, "a pattern has 4 to 4096 bytes:", pattern->text);
    return DL_OK;
}

static int check_pattern(const struct place *place, const struct raw_pattern *pattern)
{
    int status = check_text(place, pattern);

    status = status == DL_OK ? place_check_date(place, pattern->first_seen) : status;
    status = status == DL_OK ? place_check_date(place, pattern->last_seen) : status;
    status = status == DL_OK ? place_check_source(place, pattern->source) : status;
    if (status == DL_OK && pattern->first_seen && pattern->last_seen &&
        strcmp(pattern->first_seen, pattern->last_seen) > 0)
        status = place_refuse(place, "first_seen is after last_seen", NULL);
    return status;
}

int catalog_check_blockpage(const struct raw_blockpage *page, struct dl_error *error)
{
    struct place place = {.file = page->file,
                          .sources = page->sources,
                          .source_count = page->source_count,
                          .error = error};
    int status = place_check_head(&place, page->id);

    if (status == DL_OK && strlen(page->id) >= FINGERPRINT_ID_SIZE)
        status = catalog_refuse(error, page->file, "the id is longer than %d bytes",
                                FINGERPRINT_ID_SIZE - 1);
    for (size_t i = 0; status == DL_OK && i < page->country_count; i++)
        status = place_check_country(&place, page->countries[i]);
    place.list = "patterns";
    for (size_t i = 0; status == DL_OK && i < page->pattern_count; i++) {
        place.index = i;
        status = check_pattern(&place, &page->patterns[i]);
    }
    return status;
}
