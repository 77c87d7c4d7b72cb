// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_internal.h"

static int compare_service_id(const void *id, const void *service)
{
    return strcmp(id, (*(struct raw_service *const *)service)->public.id);
}

static int compare_network_id(const void *id, const void *network)
{
    return strcmp(id, (*(struct raw_network *const *)network)->id);
}

static int compare_carrier_id(const void *id, const void *carrier)
{
    return strcmp(id, (*(struct raw_carrier *const *)carrier)->public.id);
}

size_t catalog_service_count(const struct catalog *catalog)
{
    return catalog->service_count;
}

const struct catalog_service *catalog_service_at(const struct catalog *catalog, uint16_t number)
{
    return number >= 1 && number <= catalog->service_count ? &catalog->services[number - 1]->public
                                                           : NULL;
}

const struct catalog_service *catalog_service_find(const struct catalog *catalog, const char *id)
{
    struct raw_service **found = bsearch(id, catalog->services, catalog->service_count,
                                         sizeof(*catalog->services), compare_service_id);

    return found ? &(*found)->public : NULL;
}

const struct raw_network *catalog_network_find(const struct catalog *catalog, const char *id)
{
    struct raw_network **found = bsearch(id, catalog->networks, catalog->network_count,
                                         sizeof(*catalog->networks), compare_network_id);

    return found ? *found : NULL;
}

enum role catalog_usual_role(const struct catalog *catalog, const char *service_id, uint16_t port)
{
    const struct raw_service *service =
        catalog->services[catalog_service_find(catalog, service_id)->number - 1];

    for (size_t i = 0; port != 0 && i < service->port_count; i++) {
        if (service->ports[i].first <= port && port <= service->ports[i].last) {
            return service->ports[i].role;
        }
    }
    if (service->name_count > 0) {
        return service->names[0].role;
    }
    return service->port_count > 0 ? service->ports[0].role : ROLE_NONE;
}

void catalog_count_matches(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->service_count; i++) {
        catalog->services[i]->public.name_count = 0;
        catalog->services[i]->public.block_count = 0;
    }
    for (size_t i = 0; i < catalog->hosts.count; i++) {
        const struct host_entry *entry = &catalog->hosts.entries[i];
        catalog->services[entry->service - 1]->public.name_count += !entry->trap;
    }
    for (size_t i = 0; i < catalog->addresses.count; i++) {
        catalog->services[catalog->addresses.entries[i].number - 1]->public.block_count++;
    }
}

size_t catalog_carrier_count(const struct catalog *catalog)
{
    return catalog->carrier_count;
}

const struct catalog_carrier *catalog_carrier_at(const struct catalog *catalog, uint16_t number)
{
    return number >= 1 && number <= catalog->carrier_count ? &catalog->carriers[number - 1]->public
                                                           : NULL;
}

const struct catalog_carrier *catalog_carrier_find(const struct catalog *catalog, const char *id)
{
    struct raw_carrier **found = bsearch(id, catalog->carriers, catalog->carrier_count,
                                         sizeof(*catalog->carriers), compare_carrier_id);

    return found ? &(*found)->public : NULL;
}

size_t catalog_blockpage_count(const struct catalog *catalog)
{
    return catalog->blockpage_count;
}

const struct catalog_blockpage *catalog_blockpage_at(const struct catalog *catalog, size_t index)
{
    return index < catalog->blockpage_count ? &catalog->listing.blockpages[index] : NULL;
}

size_t catalog_injector_count(const struct catalog *catalog)
{
    return catalog->injector_count;
}

const struct catalog_injector *catalog_injector_at(const struct catalog *catalog, size_t index)
{
    return index < catalog->injector_count ? &catalog->listing.injectors[index] : NULL;
}

const struct injector_table *catalog_injectors(const struct catalog *catalog)
{
    return &catalog->injector_index.table;
}

const char *catalog_version(const struct catalog *catalog)
{
    return catalog->version;
}
