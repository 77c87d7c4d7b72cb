// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/places.h"

#define MINUTE_SECONDS 60

static int offset_minutes(void *context, const char *country, int64_t time_us)
{
    const struct catalog_country *found = catalog_country(context, country);
    return found ? catalog_country_offset(found, time_us) / MINUTE_SECONDS : 0;
}

static const char *owner(void *context, const char *carrier, int64_t time_us)
{
    const struct catalog_carrier *found = catalog_carrier_find(context, carrier);
    return found ? catalog_carrier_owner_at(found, time_us) : NULL;
}

static enum service_class service_class(void *context, const char *service)
{
    const struct catalog_service *found = catalog_service_find(context, service);
    return found ? found->class : CLASS_NONE;
}

static bool needs_dns(void *context, const char *service)
{
    const struct catalog_service *found = catalog_service_find(context, service);
    return !found || found->name_count > 0;
}

void places_init(struct analysis_places *ret_places, const struct catalog *catalog)
{
    *ret_places = (struct analysis_places){.context = (void *)catalog,
                                           .offset_minutes = offset_minutes,
                                           .owner = owner,
                                           .service_class = service_class,
                                           .needs_dns = needs_dns};
}
