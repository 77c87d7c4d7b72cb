// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/places.h"

#define MINUTE_SECONDS 60

static int offset_minutes(void *context, const char *country, int64_t time_us)
{
    const struct places *places = context;
    const struct catalog_country *found = catalog_country(places->catalog, country);

    return found ? catalog_country_offset(found, time_us) / MINUTE_SECONDS : 0;
}

static const char *owner(void *context, const char *carrier, int64_t time_us)
{
    const struct places *places = context;
    const struct catalog_carrier *found = catalog_carrier_find(places->catalog, carrier);

    return found ? catalog_carrier_owner_at(found, time_us) : NULL;
}

static enum service_class service_class(void *context, const char *service)
{
    const struct places *places = context;
    const struct catalog_service *found = catalog_service_find(places->catalog, service);

    return found ? found->class : CLASS_NONE;
}

static bool needs_dns(void *context, const char *service)
{
    const struct places *places = context;
    const struct catalog_service *found = catalog_service_find(places->catalog, service);

    return !found || found->name_count > 0;
}

static int same_server(void *context, const char *carrier, const char *service, int64_t from_us,
                       int64_t to_us, uint64_t *ret_attempts, uint64_t *ret_failures)
{
    const struct places *places = context;

    if (!places->verdicts)
        return DL_NOT_FOUND;
    return verdicts_same_server(places->verdicts, carrier, service, from_us, to_us, ret_attempts,
                                ret_failures);
}

void places_init(struct analysis_places *ret_answers, struct places *places)
{
    *ret_answers = (struct analysis_places){.context = places,
                                            .offset_minutes = offset_minutes,
                                            .owner = owner,
                                            .service_class = service_class,
                                            .needs_dns = needs_dns,
                                            .same_server = same_server,
                                            .catalog = places->catalog};
}
