// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Addresses to networks and countries, from MaxMind-format databases (`--geo FILE.mmdb`, may
 * repeat): GeoLite2 ASN, City and Country layouts and the flat ones of ip-location-db and DB-IP.
 * Each question goes to every database in the order given; the first that knows a field fills it.
 * Without any database the catalog's carrier prefixes serve (catalog_carrier_by_address()).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"

#define GEO_TEXT_SIZE     96
#define GEO_DATABASES_MAX 16

struct geo;

struct geo_place {
    uint32_t asn;                     /* 0 unknown */
    char organisation[GEO_TEXT_SIZE]; /* "" unknown */
    char country[3];                  /* ISO 3166-1 alpha-2, upper case; "" unknown */
};

struct geo_database {
    const char *path, *type; /* as the file calls itself */
    int64_t built_us;        /* its build date */
};

/* Opens the databases; none is fine. A corrupt, truncated or foreign file is DL_CORRUPT, one of a
 * type without any of these fields DL_UNSUPPORTED; the error names it. */
int geo_open(struct geo **ret_geo, const char *const *paths, size_t count, struct dl_error *error);
void geo_close(struct geo *geo); /* accepts NULL */
/* DL_OK with what is known (fields may be empty), DL_NOT_FOUND when no database knows the address,
 * DL_CORRUPT for a damaged record. */
int geo_find(const struct geo *geo, const struct address *address, struct geo_place *ret_place);
size_t geo_database_count(const struct geo *geo);
const struct geo_database *geo_database_at(const struct geo *geo, size_t index);
