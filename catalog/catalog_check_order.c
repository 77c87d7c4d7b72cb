// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "catalog/catalog_internal.h"

bool utc_offset_parse(const char *text, int32_t *ret_seconds)
{
    bool valid = strlen(text) == strlen("+05:00") && (text[0] == '+' || text[0] == '-') &&
                 strspn(text + 1, "0123456789") == 2 && text[3] == ':' &&
                 strspn(text + 4, "0123456789") == 2 && strncmp(text + 1, "14:00", 5) <= 0 &&
                 text[4] <= '5';

    if (valid) {
        int32_t hours = (text[1] - '0') * 10 + text[2] - '0';
        int32_t minutes = (text[4] - '0') * 10 + text[5] - '0';
        *ret_seconds = (text[0] == '-' ? -60 : 60) * (hours * 60 + minutes);
    }
    return valid;
}

int place_check_known_country(const struct catalog *catalog, const struct place *place,
                              const char *country)
{
    int status = place_check_country(place, country);

    if (status == DL_OK && catalog->countries && !catalog_country(catalog, country)) {
        status = catalog_refuse(place->error, place->file, "country '%s' is not in countries.yaml",
                                country);
    }
    return status;
}

/* ---- countries ---- */

static int check_offset(const struct place *place, const char *text)
{
    int32_t seconds;

    return utc_offset_parse(text, &seconds)
               ? DL_OK
               : place_refuse(place, "utc_offset is not like +05:00:", text);
}

static int check_changes(const struct place *place, const struct raw_country *country)
{
    int64_t at, before = INT64_MIN;
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < country->change_count; i++) {
        const struct raw_change *change = &country->changes[i];
        if (clock_parse(change->at, &at) != DL_OK) {
            status = place_refuse(place, "a change has no time:", change->at);
        } else if (at <= before) {
            status = place_refuse(place, "changes out of order at", change->at);
        } else {
            status = check_offset(place, change->utc_offset);
        }
        before = at;
    }
    return status;
}

static int check_country(const struct place *place, const struct raw_country *country,
                         const struct raw_country *before)
{
    int status = place_check_country(place, country->public.code);

    if (status == DL_OK && before && strcmp(before->public.code, country->public.code) >= 0) {
        status = place_refuse(place, "twice or out of order:", country->public.code);
    }
    status = status == DL_OK ? check_offset(place, country->utc_offset) : status;
    status = status == DL_OK ? check_changes(place, country) : status;
    return status == DL_OK ? place_check_source(place, country->source) : status;
}

int catalog_check_countries(const struct raw_countries *countries, struct dl_error *error)
{
    struct place place = {.file = countries->file,
                          .sources = countries->sources,
                          .source_count = countries->source_count,
                          .error = error};
    int status = place_check_sources(&place);

    place.list = "countries";
    for (size_t i = 0; status == DL_OK && i < countries->country_count; i++) {
        place.index = i;
        status = check_country(&place, &countries->countries[i],
                               i > 0 ? &countries->countries[i - 1] : NULL);
    }
    return status;
}

/* ---- owners ---- */

int catalog_check_owners(const struct raw_carrier *carrier, struct place *place)
{
    const struct catalog_owner *owners = carrier->public.owners;
    int status = DL_OK;

    if (!carrier->owner == (carrier->public.owner_count == 0)) {
        return catalog_refuse(place->error, place->file, "must have either owner or owners");
    }
    place->list = "owners";
    for (size_t i = 0; status == DL_OK && i < carrier->public.owner_count; i++) {
        place->index = i;
        status = place_check_span(place, owners[i].from, owners[i].until);
        status = status == DL_OK ? place_check_source(place, owners[i].source) : status;
        if (status == DL_OK && i > 0 &&
            (!owners[i].from || !owners[i - 1].until ||
             strcmp(owners[i].from, owners[i - 1].until) <= 0)) {
            status =
                place_refuse(place, "does not begin after the one before it:", owners[i].owner);
        }
    }
    return status;
}

/* ---- orders ---- */

static bool order_kind_valid(const char *kind)
{
    static const char *const kinds[] = {"announced", "due",    "moved", "ends",
                                        "withdrawn", "lifted", "remark"};
    bool found = false;

    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        found = found || strcmp(kind, kinds[i]) == 0;
    }
    return found;
}

static int check_services(const struct catalog *catalog, struct place *place, const char *list,
                          const char *const *ids, size_t count)
{
    int status = DL_OK;

    place->list = list;
    for (size_t i = 0; status == DL_OK && i < count; i++) {
        place->index = i;
        if (!catalog_service_find(catalog, ids[i])) {
            status = place_refuse(place, "no such service:", ids[i]);
        }
    }
    return status;
}

static int check_references(const struct catalog *catalog, struct place *place,
                            const struct catalog_order *order)
{
    int status = check_services(catalog, place, "services", order->services, order->service_count);

    if (status == DL_OK) {
        status = check_services(catalog, place, "exempt", order->exempt, order->exempt_count);
    }
    for (size_t i = 0; status == DL_OK && i < order->exempt_count; i++) {
        place->index = i;
        if (catalog_order_names(order, order->exempt[i])) {
            status = place_refuse(place, "named and exempt:", order->exempt[i]);
        }
    }
    place->list = "carriers";
    for (size_t i = 0; status == DL_OK && i < order->carrier_count; i++) {
        const struct catalog_carrier *carrier = catalog_carrier_find(catalog, order->carriers[i]);
        place->index = i;
        if (!carrier) {
            status = place_refuse(place, "no such carrier:", order->carriers[i]);
        } else if (strcmp(carrier->country, order->country) != 0) {
            status = place_refuse(place, "a carrier of another country:", order->carriers[i]);
        }
    }
    return status;
}

static int check_order_offset(const struct catalog *catalog, const struct raw_order *order,
                              struct dl_error *error)
{
    const char *offset = order->public.utc_offset;
    int32_t seconds;
    int status = DL_OK;

    if (offset && !utc_offset_parse(offset, &seconds)) {
        status = catalog_refuse(error, order->file, "utc_offset '%s' is not like +05:00", offset);
    } else if (!offset && !catalog->countries) {
        status = catalog_refuse(error, order->file,
                                "no utc_offset, and no countries.yaml to take it from");
    }
    return status;
}

int catalog_check_order(const struct catalog *catalog, const struct raw_order *raw,
                        struct dl_error *error)
{
    const struct catalog_order *order = &raw->public;
    struct place place = {.file = raw->file,
                          .sources = order->sources,
                          .source_count = order->source_count,
                          .error = error};
    int status = place_check_head(&place, order->id);

    if (status == DL_OK) {
        status = place_check_known_country(catalog, &place, order->country);
    }
    status = status == DL_OK ? check_order_offset(catalog, raw, error) : status;
    status = status == DL_OK ? check_references(catalog, &place, order) : status;
    place.list = "dates";
    for (size_t i = 0; status == DL_OK && i < order->date_count; i++) {
        const struct catalog_order_date *date = &order->dates[i];
        place.index = i;
        status = place_check_date(&place, date->date);
        if (status == DL_OK && !order_kind_valid(date->kind)) {
            status = place_refuse(&place, "no such kind:", date->kind);
        }
        if (status == DL_OK && strcmp(date->kind, "remark") == 0 && !date->note) {
            status = place_refuse(&place, "a remark without a note", NULL);
        }
        status = status == DL_OK ? place_check_source(&place, date->source) : status;
    }
    return status;
}
