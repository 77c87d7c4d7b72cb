// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The catalog: services, operators' networks, carriers, countries, orders, block pages and injectors,
 * read from the YAML files of a folder (services/ controls/ networks/ carriers/ orders/ blockpages/
 * injectors/, one file each, and countries.yaml; the schema is in catalog/README.md), and the
 * questions asked of it. Facts about the world live there,
 * with sources; this file only finds them.
 *
 * Services and carriers are named by small numbers from 1 on (0: none), in the order of their ids,
 * so that the same catalog gives the same numbers. The catalog is read-only after loading and may
 * be shared by threads. All strings belong to the catalog.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"
#include "base/words.h"
#include "catalog/injector.h"

struct catalog;

/*
 * Loads every file of `folder`. Unknown keys, duplicate ids, references to ids that are not there,
 * malformed names, prefixes and dates are errors that name the file and, where libcyaml tells it,
 * the line. Loading checks no network. DL_OK, a negated errno, DL_MALFORMED, or DL_EMPTY when no
 * service is found.
 */
int catalog_load(struct catalog **ret_catalog, const char *folder, struct dl_error *error);
void catalog_destroy(struct catalog *catalog);

/*
 * The operator's own servers (self-hosted BES, Matrix, mail ...), `--inventory FILE`: YAML, a list
 * of
 *   - {name: our BES, service: blackberry-bes, address: 203.0.113.7, port: 3101}
 *   - {name: our Matrix, service: matrix, host: chat.example.org}
 * An address may be a prefix, the port is optional; a host is a suffix on label boundaries. Adds to
 * the catalog; matches carry `inventory`. Errors as above.
 */
int catalog_add_inventory(struct catalog *catalog, const char *path, struct dl_error *error);

/*
 * Names to keep besides the catalog's, `--watchlist FILE`: one a line (# comments), or a Citizen
 * Lab test list (CSV with a header that has a `url` column). They make no tag; catalog_is_watched()
 * tells of them.
 */
int catalog_add_watchlist(struct catalog *catalog, const char *path, struct dl_error *error);
bool catalog_is_watched(const struct catalog *catalog, const char *host, size_t length);

/* ---- what is known ---- */

struct catalog_source {
    const char *id, *title, *url; /* url may be NULL */
    const char *checked;          /* the day somebody read it, YYYY-MM-DD */
};

struct catalog_service {
    uint16_t number;
    const char *id, *name, *summary; /* operator: who runs it */
    const char *operator_name;
    enum service_class class;
    bool self_hosted;   /* has no fixed names: an inventory is the reliable way */
    bool own_authority; /* its servers may show certificates of an authority of their own */
    const struct catalog_source *sources;
    size_t source_count;
    size_t name_count, block_count; /* how many names and address blocks it matches */
};

size_t catalog_service_count(const struct catalog *catalog);
const struct catalog_service *catalog_service_at(const struct catalog *catalog,
                                                 uint16_t number); /* NULL for 0 or too large */
const struct catalog_service *catalog_service_find(const struct catalog *catalog, const char *id);

struct catalog_asn {
    uint32_t asn;
    const char *from, *until; /* YYYY-MM-DD or NULL */
};

struct catalog_owner {
    const char *owner;
    const char *from, *until; /* YYYY-MM-DD, UTC, both inclusive; NULL: open */
    const char *note;         /* NULL or a reading */
    const char *source;
};

struct catalog_carrier {
    uint16_t number;
    const char *id, *name, *country;
    const char *owner;                  /* the newest; catalog_carrier_owner_at() for a day */
    const struct catalog_owner *owners; /* in the order of time; none: `owner` at all times */
    size_t owner_count;
    enum network_kind network; /* what it mainly is; NETWORK_NONE where it is several */
    const struct catalog_asn *asns;
    size_t asn_count;
    const char *const *mcc_mnc;
    size_t mcc_mnc_count;
    const struct catalog_source *sources;
    size_t source_count;
};

size_t catalog_carrier_count(const struct catalog *catalog);
const struct catalog_carrier *catalog_carrier_at(const struct catalog *catalog, uint16_t number);
const struct catalog_carrier *catalog_carrier_find(const struct catalog *catalog, const char *id);
/*
 * Who owned the carrier at that moment (0: now): networks of one owner, compared with strcmp(), are
 * not independent of each other. NULL where the catalog knows of no owner then: such a carrier is
 * not known to be independent of any other.
 */
const char *catalog_carrier_owner_at(const struct catalog_carrier *carrier, int64_t time_us);
/* The carrier that had this AS number (at that day where the catalog has dates; pass 0 for now);
 * NULL if none. */
const struct catalog_carrier *catalog_carrier_by_asn(const struct catalog *catalog, uint32_t asn,
                                                     int64_t time_us);
/* The carrier whose own prefixes hold this address, longest first; NULL if none. Used where no
 * database is at hand. */
const struct catalog_carrier *catalog_carrier_by_address(const struct catalog *catalog,
                                                         const struct address *address);

/* ---- countries and their clocks ---- */

struct catalog_offset {
    int64_t from_us;
    int32_t seconds; /* east of UTC */
};

struct catalog_country {
    const char *code, *name; /* ISO 3166-1 alpha-2 */
    const char *zone;        /* IANA name of the zone that the offsets are of: the capital's */
    bool other_zones;        /* parts of the country have another time: local hours are unsure */
    const struct catalog_offset *offsets; /* ascending; the first has from_us INT64_MIN */
    size_t offset_count;
};

size_t catalog_country_count(const struct catalog *catalog);
const struct catalog_country *catalog_country_at(const struct catalog *catalog,
                                                 size_t index); /* 0-based, by code */
const struct catalog_country *catalog_country(const struct catalog *catalog,
                                              const char *code); /* NULL if it is not there */
/*
 * Seconds to add to UTC for the country's local time at that moment. Exact for 2008 to 2030, the
 * years of the table; before and after, its first and its last offset.
 */
int32_t catalog_country_offset(const struct catalog_country *country, int64_t time_us);

/* ---- orders ---- */

struct catalog_order_date {
    const char *date; /* YYYY-MM-DD, local */
    const char *kind; /* announced | due | moved | ends | withdrawn | lifted | remark */
    const char *note; /* NULL or a reading */
    const char *source;
};

struct catalog_order {
    const char *id, *title, *issuer, *country, *summary;
    const char *const *services; /* ids */
    size_t service_count;
    const char *const *exempt; /* ids the order leaves alone */
    size_t exempt_count;
    const char *const *carriers; /* ids the order addresses; none: all carriers of the country */
    size_t carrier_count;
    const struct catalog_order_date *dates;
    size_t date_count;
    const char *utc_offset; /* "+05:00": whose midnight a date means; NULL: the country's */
    const struct catalog_source *sources;
    size_t source_count;
};

size_t catalog_order_count(const struct catalog *catalog);
const struct catalog_order *catalog_order_at(const struct catalog *catalog,
                                             size_t index); /* 0-based, by id */
const struct catalog_order *catalog_order_find(const struct catalog *catalog, const char *id);

/*
 * The orders of this country that name this service and stood at that moment: from the start of the
 * day that announced them (the first of their dates where none did) to the end of the day that
 * ended them. NULL for any country or service, 0 for any time. By id; writes at most `maximum`,
 * returns how many there are in all.
 */
size_t catalog_orders_find(const struct catalog *catalog, const char *country, const char *service,
                           int64_t time_us, const struct catalog_order **ret_orders,
                           size_t maximum);
bool catalog_order_names(const struct catalog_order *order, const char *service);
bool catalog_order_exempts(const struct catalog_order *order, const char *service);

enum catalog_addressed {
    CATALOG_NOT_ADDRESSED,           /* other carriers are named, or it is another country's */
    CATALOG_ADDRESSED_AS_ONE_OF_ALL, /* the order names none: all of the country */
    CATALOG_ADDRESSED_BY_NAME
};
enum catalog_addressed catalog_order_addresses(const struct catalog_order *order,
                                               const struct catalog_carrier *carrier);

/*
 * When the order's dates are, in UTC. A day is the order's own local day (`utc_offset`, else the
 * country's clock on that day). A due date is run out at the END of its day: the midnight after it.
 */
#define CATALOG_NO_TIME INT64_MIN

struct catalog_order_times {
    int64_t announced_us; /* start of the first day of kind announced */
    int64_t due_us; /* the due date that counts: the last `moved`; without one, the latest `due`, so
                       that nobody is late before every reading is over */
    int64_t first_due_us; /* the earliest reading of all `due` and `moved` */
    int64_t ending_us; /* start of the first day that ends the order (lifted, withdrawn, ends)  */
    int64_t ended_us;  /* and that day's end: by then it is over */
};
/* The end of a local day (YYYY-MM-DD) of the order: the midnight after it. */
int64_t catalog_order_day_end(const struct catalog *catalog, const struct catalog_order *order,
                              const char *date);
/* CATALOG_NO_TIME for what the order does not have. */
void catalog_order_times(const struct catalog *catalog, const struct catalog_order *order,
                         struct catalog_order_times *ret_times);

struct catalog_deadline {
    int64_t time_us;                       /* the end of that day */
    const struct catalog_order_date *date; /* kind due or moved */
};
/* Every reading, as the file lists them. Writes at most `maximum`, returns how many there are. */
size_t catalog_order_deadlines(const struct catalog *catalog, const struct catalog_order *order,
                               struct catalog_deadline *ret_deadlines, size_t maximum);

/* A block page: what is found anywhere of it is enough. The words are those of its file. */
struct catalog_pattern {
    const char *where, *match, *text;
    const char *first_seen, *last_seen; /* YYYY-MM-DD or NULL, here and below */
    const char *source;
    bool confirmed;
};

struct catalog_blockpage {
    const char *id, *name, *scope;
    const char *const *countries;
    size_t country_count;
    const struct catalog_pattern *patterns;
    size_t pattern_count;
    const struct catalog_source *sources;
    size_t source_count;
};

size_t catalog_blockpage_count(const struct catalog *catalog);
const struct catalog_blockpage *catalog_blockpage_at(const struct catalog *catalog,
                                                     size_t index); /* 0-based, by id */

/* An injector as its file tells it; catalog_injectors() is the form to compare packets with. */
struct catalog_injector_fact {
    const char *what, *is; /* "window", "ttl+1375"; "address" for the poison of a DNS injector */
    const char *first_seen, *last_seen, *note; /* NULL or a reading */
    const char *source;
};

struct catalog_injector_packet {
    const char *kind; /* rst | page | dns */
    bool named;       /* telling enough to name a device by */
    const struct catalog_injector_fact *facts;
    size_t fact_count;
};

struct catalog_injector_seen {
    const char *country, *carrier; /* ids; carrier may be NULL */
    uint32_t asn;                  /* 0 not told */
    const char *first_seen, *last_seen, *note;
    const char *source;
};

struct catalog_injector {
    const char *id, *name, *summary, *scope;
    const struct catalog_injector_packet *packets;
    size_t packet_count;
    const struct catalog_injector_seen *seen;
    size_t seen_count;
    const struct catalog_source *sources;
    size_t source_count;
};

size_t catalog_injector_count(const struct catalog *catalog);
const struct catalog_injector *catalog_injector_at(const struct catalog *catalog,
                                                   size_t index);              /* 0-based, by id */
const struct injector_table *catalog_injectors(const struct catalog *catalog); /* never NULL */

/* A digest of everything loaded, hex: which catalog a store was made with. */
const char *catalog_version(const struct catalog *catalog);

/* ---- what the probe asks ---- */

struct catalog_match {
    uint16_t service;
    enum role role;
    bool confirmed; /* false: the catalog itself calls the fact unconfirmed; never better than
                       likely */
    bool inventory; /* from --inventory */
    bool specific;  /* host: from an entry that names this port; address: a single host; port:
                       distinctive enough to tag alone */
};

/*
 * The service a host name leads to: the longest suffix on label boundaries wins (`xslack.com` is
 * not `slack.com`), an exact entry before a suffix of equal length, an entry for this port before
 * one for any. `host` in any case, a trailing dot is ignored. False if none, or if the name is one
 * of a service's traps (`not:`).
 */
bool catalog_match_host(const struct catalog *catalog, const char *host, size_t length,
                        enum transport transport, uint16_t port, struct catalog_match *ret_match);

/*
 * Services whose address blocks hold `address` (longest prefix first, then number) and whose block
 * entry allows this transport and port. Writes at most `maximum`, returns how many there are in
 * all.
 */
size_t catalog_match_address(const struct catalog *catalog, const struct address *address,
                             enum transport transport, uint16_t port,
                             struct catalog_match *ret_matches, size_t maximum);

/* Services that list this server port; as above. `specific` where the catalog calls the port
 * distinctive. */
size_t catalog_match_port(const struct catalog *catalog, enum transport transport, uint16_t port,
                          struct catalog_match *ret_matches, size_t maximum);

/* What the first payloads of a flow looked like, for services that have a wire pattern. */
#define CATALOG_WIRE_LENGTHS 4
struct catalog_wire_sample {
    enum transport transport;
    uint16_t server_port;
    const uint8_t *first[2];  /* by enum side: the first payload's bytes, as far as they are there;
                                 NULL if none yet */
    size_t first_captured[2]; /* how many of them are at hand */
    uint16_t lengths[2][CATALOG_WIRE_LENGTHS]; /* payload lengths of each side's first packets */
    uint8_t length_count[2];
    bool client_first; /* the client's payload came before the server's */
};

struct catalog_wire_match {
    struct catalog_match match;
    enum certainty certainty; /* what this pattern alone is worth, as the catalog says */
};
/* The best wire pattern that fits. An entry that needs more payloads than there are does not fit.
 */
bool catalog_match_wire(const struct catalog *catalog, const struct catalog_wire_sample *sample,
                        struct catalog_wire_match *ret_match);
/* Can any wire pattern of this transport and port still fit once more payloads are seen? */
bool catalog_wire_wants_more(const struct catalog *catalog,
                             const struct catalog_wire_sample *sample);

/* The service of an nDPI protocol name (any of the library's names, case-insensitive). */
bool catalog_match_ndpi(const struct catalog *catalog, const char *ndpi_name,
                        struct catalog_match *ret_match);

/* The service of a certificate by its issuer or subject (patterns of the catalog: private PKIs).
 * Names of a certificate go through catalog_match_host(). */
bool catalog_match_certificate(const struct catalog *catalog, const char *subject,
                               const char *issuer, struct catalog_match *ret_match);

/* The service of an ALPN protocol id that is its own (`xmpp-client`); false for h2, http/1.1 and
 * the like. */
bool catalog_match_alpn(const struct catalog *catalog, const char *alpn,
                        struct catalog_match *ret_match);
