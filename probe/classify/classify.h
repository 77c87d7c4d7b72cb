// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * From evidence to a tag with its reasons: a pure function.
 *
 * The ladder (facts/messaging 5.1, 5.4): a name the client sent (SNI, Host) is `certain`; a
 * certificate's name too; wire patterns and nDPI's payload verdicts are `likely`, DNS correlation
 * alone is `likely`; two independent ones of dns, wire, address, distinctive port make `certain` or
 * `likely` as the table in classify.c says. A port or an address block alone is never better than
 * `possible`. A name the catalog does not know leaves only the operator's inventory and what
 * anybody may host (VPNs, mail), by protocol, pattern or port. What the catalog calls unconfirmed
 * never exceeds `likely`.
 */
#include "catalog/catalog.h"
#include "probe/classify/dns_cache.h"
#include "probe/inspect/inspect.h"

struct classify_input {
    const struct catalog *catalog;
    uint8_t transport;
    uint16_t server_port;
    const struct address *server;
    const struct dns_hint *dns;          /* NULL for none */
    const struct inspection *inspection; /* NULL before the first payload */
};

struct tag {
    uint16_t service; /* 0: none */
    enum role role;
    enum certainty certainty;
    uint16_t reasons; /* enum reason */
};

/* A tag of service 0 where nothing fits. */
void classify(const struct classify_input *input, struct tag *ret_tag);
