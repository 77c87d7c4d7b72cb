// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The inside of the catalog, shared by its .c files only: what the YAML files say (raw_*, filled by
 * libcyaml), and the indexes made of that once after loading.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/words.h"
#include "catalog/catalog.h"

#define CATALOG_SERVICES_MAX  4095 /* a lookup keeps one bit for each on its stack */
#define CATALOG_INVENTORY_MAX 100000
#define CATALOG_WATCHLIST_MAX 1000000
#define CATALOG_VERSION_SIZE  17
#define CATALOG_CHANGES_MAX   256 /* of a country's clock */
#define WIRE_TESTS_MAX        4
#define WIRE_BYTES_MAX        32
#define WIRE_OFFSET_MAX       1500
#define HOST_LENGTH_MAX       253

/* ---- what the files say ---- */

/* How a pattern of a block page lies in the part it is looked for in. */
enum fingerprint_kind { FINGERPRINT_CONTAINS, FINGERPRINT_PREFIX, FINGERPRINT_FULL };

enum sure { SURE_CONFIRMED = 0, SURE_UNCONFIRMED = 1 }; /* 0: what a file leaves out */

struct raw_name {
    const char *suffix, *exact, *source;
    enum role role;
    enum transport transport;
    enum sure sure;
    uint16_t port;
};

struct raw_trap {
    const char *suffix, *exact, *reason, *source;
};

struct raw_block {
    const char *block, *network, *source;
    enum role role;
    enum transport transport;
    enum sure sure;
    uint16_t first_port, last_port;
};

struct raw_port {
    const char *source;
    enum transport transport;
    enum role role;
    enum sure sure;
    uint16_t first, last;
    bool distinctive;
};

struct raw_certificate {
    const char *issuer, *subject, *source;
    enum sure sure;
};

struct raw_bytes {
    const char *hex, *mask;
    uint16_t offset;
};

struct raw_wire {
    const char *id, *source;
    enum transport transport;
    enum role role;
    enum certainty certainty;
    enum sure sure;
    uint16_t first_port, last_port;
    bool client_first;
    struct raw_bytes *bytes[2]; /* by enum side */
    size_t byte_count[2];
    uint16_t *lengths[2];
    size_t length_count[2];
};

struct raw_service {
    struct catalog_service public;
    const char *file; /* not in the YAML: where it came from */
    bool is_control;  /* nor this: from controls/ */
    struct raw_name *names;
    size_t name_count;
    struct raw_trap *traps;
    size_t trap_count;
    struct raw_block *blocks;
    size_t block_count;
    struct raw_port *ports;
    size_t port_count;
    const char *const *alpn;
    size_t alpn_count;
    struct raw_certificate *certificates;
    size_t certificate_count;
    const char *const *ndpi;
    size_t ndpi_count;
    struct raw_wire *wires;
    size_t wire_count;
};

struct raw_network_block {
    const char *block, *first_seen, *last_seen, *source;
    enum sure sure;
};

struct raw_network {
    const char *id, *name, *file;
    uint32_t *asns;
    size_t asn_count;
    const struct catalog_source *sources;
    size_t source_count;
    struct raw_network_block *blocks;
    size_t block_count;
};

struct raw_asn {
    uint32_t asn;
    const char *from, *until, *note, *source;
};

struct raw_prefix {
    const char *block, *source;
};

struct raw_carrier {
    struct catalog_carrier public;
    const char *file;
    const char *owner; /* NULL where there are owners */
    const char *const *brands;
    size_t brand_count;
    struct raw_asn *asns;
    size_t asn_count;
    struct raw_prefix *prefixes;
    size_t prefix_count;
};

struct raw_order {
    struct catalog_order public;
    const char *file;
};

struct raw_change {
    const char *at, *utc_offset;
};

struct raw_country {
    struct catalog_country public;
    const char *utc_offset, *source;
    struct raw_change *changes;
    size_t change_count;
};

/* The one file that is no entry of a folder. */
struct raw_countries {
    const char *file;
    const struct catalog_source *sources;
    size_t source_count;
    struct raw_country *countries; /* in the order of their codes */
    size_t country_count;
};

struct raw_pattern {
    const char *text, *first_seen, *last_seen, *source;
    enum blockpage_where where;
    enum fingerprint_kind kind;
    enum sure sure;
    bool any_case;
};

struct raw_blockpage {
    const char *id, *name, *file;
    enum blockpage_scope scope;
    const char *const *countries;
    size_t country_count;
    const struct catalog_source *sources;
    size_t source_count;
    struct raw_pattern *patterns;
    size_t pattern_count;
};

struct raw_feature {
    const char *is, *note, *first_seen, *last_seen, *source;
    enum injector_what what;
};

struct raw_poison {
    const char *block, *note, *first_seen, *last_seen, *source;
};

struct raw_packet {
    enum injector_kind kind;
    struct raw_feature *features;
    size_t feature_count;
    struct raw_poison *addresses;
    size_t address_count;
};

struct raw_injector {
    const char *id, *name, *summary, *file;
    enum injector_scope scope;
    const struct catalog_source *sources;
    size_t source_count;
    struct catalog_injector_seen *seen;
    size_t seen_count;
    struct raw_packet *packets;
    size_t packet_count;
};

struct raw_inventory {
    const char *name, *service, *address, *host;
    uint16_t port;
};

/* The table to compare packets with, and what it is made of. */
struct injector_index {
    struct injector_table table;
    struct injector *injectors;
    struct injector_packet *packets;
    struct injector_feature *features;
    struct prefix *addresses;
};

struct listing {
    struct catalog_blockpage *blockpages;
    struct catalog_pattern *patterns;
    struct catalog_injector *injectors;
    struct catalog_injector_packet *packets;
    struct catalog_injector_fact *facts;
};

/* ---- catalog_yaml.c: YAML to the structs above (libyaml has functions named yaml_* of its own)
 * ---- */

enum yaml_kind {
    YAML_BLOCKPAGE,
    YAML_CARRIER,
    YAML_COUNTRIES,
    YAML_INJECTOR,
    YAML_NETWORK,
    YAML_ORDER,
    YAML_SERVICE,
    YAML_INVENTORY /* a list: the only one that has a count */
};

/* A document without content is DL_EMPTY. `path` is only for messages. */
int catalog_yaml_load(enum yaml_kind kind, const char *path, const struct buffer *text,
                      void **ret_data, unsigned *ret_count, struct dl_error *error);
void catalog_yaml_free(enum yaml_kind kind, void *data, unsigned count);
/* The words of the files for scopes, places and kinds. */
const char *yaml_scope_text(enum blockpage_scope scope);
const char *yaml_where_text(enum blockpage_where where);
const char *yaml_match_text(enum fingerprint_kind kind);
const char *yaml_injector_scope_text(enum injector_scope scope);
const char *yaml_injector_kind_text(enum injector_kind kind);

/* ---- catalog_check.c: what a schema cannot say ---- */

/* Writes "FILE: sentence" and returns DL_MALFORMED. */
int catalog_refuse(struct dl_error *error, const char *file, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Where a fact stands: what every complaint begins with. */
struct place {
    const char *file;
    const char *list; /* "names", "wire" ... */
    size_t index;     /* 0-based; people count from 1 */
    const struct catalog_source *sources;
    size_t source_count;
    struct dl_error *error;
};
/* "FILE: LIST entry N: WHAT 'VALUE'"; `value` may be NULL. */
int place_refuse(const struct place *place, const char *what, const char *value);
int place_check_head(struct place *place, const char *id); /* the id, and the sources */
int place_check_sources(struct place *place);
int place_check_country(const struct place *place, const char *country);
/* As above, and one of countries.yaml where there is that file. */
int place_check_known_country(const struct catalog *catalog, const struct place *place,
                              const char *country);
int place_check_date(const struct place *place, const char *date); /* accepts NULL */
/* Both dates (NULL: open), and that the first is not after the second. */
int place_check_span(const struct place *place, const char *from, const char *until);
int place_check_source(const struct place *place, const char *source);
/* All documents, each in itself and their references to each other. */
int catalog_check(const struct catalog *catalog, struct dl_error *error);
/* A lower-case DNS name of two labels or more that is no address. */
bool host_name_valid(const char *name);
/* The bytes of an even number of hex digits; false if they are none or more than `maximum`. */
bool hex_decode(const char *text, uint8_t *ret_bytes, size_t maximum, size_t *ret_length);

/* catalog_check_blockpage.c */
int catalog_check_blockpage(const struct raw_blockpage *page, struct dl_error *error);

/* catalog_check_order.c: what has a place in time */
int catalog_check_countries(const struct raw_countries *countries, struct dl_error *error);
int catalog_check_order(const struct catalog *catalog, const struct raw_order *order,
                        struct dl_error *error);
int catalog_check_owners(const struct raw_carrier *carrier, struct place *place);
/* Seconds east of UTC of "+05:00"; false if it is not written like that. */
bool utc_offset_parse(const char *text, int32_t *ret_seconds);

/* catalog_country.c: the offsets of each country, made once from the text of its changes */
int catalog_countries_build(struct raw_countries *countries);
void catalog_countries_finish(struct raw_countries *countries);
/* catalog_injector.c: what a feature's words mean. False where they mean nothing; `points` is set
 * too. */
bool injector_feature_parse(enum injector_what what, const char *is,
                            struct injector_feature *ret_feature);
int catalog_check_injector(const struct catalog *catalog, const struct raw_injector *injector,
                           struct dl_error *error);
/* After the check. DL_OK or -ENOMEM. */
int injector_index_build(struct injector_index *ret_index, const struct catalog *catalog);
void injector_index_finish(struct injector_index *index);

/* catalog_listing.c: block pages and injectors as `darkline catalog` shows them; the same. */
int listing_build(struct listing *ret_listing, const struct catalog *catalog);
void listing_finish(struct listing *listing);

/* ---- catalog_names.c: names in a keyed table, found by walking label boundaries ---- */

struct name_slot {
    uint32_t hash;
    uint32_t offset; /* into the pool; 0: free */
    uint32_t value;
};

struct name_table {
    struct hash_key key;
    struct name_slot *slots;
    size_t slot_count, count; /* slot_count: a power of two */
    struct buffer pool;       /* each name: its length in one byte, then its bytes */
    unsigned labels_max;      /* of any name here: what is deeper need not be hashed */
};

int name_table_init(struct name_table *table);
void name_table_finish(struct name_table *table); /* accepts a zeroed table */
/* Adds a lower-case name of at most HOST_LENGTH_MAX bytes. DL_OK, DL_DUPLICATE or a negated errno.
 */
int name_table_add(struct name_table *table, const char *name, size_t length, uint32_t value);
/* NULL if it is not there. */
const struct name_slot *name_table_find(const struct name_table *table, const char *name,
                                        size_t length);

/* A host in lower case, without its trailing dot, and where its labels start. */
struct host_text {
    char text[256];
    size_t length;
    uint8_t starts[128];
    unsigned label_count;
};

/* False for a host that cannot match: empty, too long, with an empty label. */
bool host_text_init(struct host_text *host, const char *text, size_t length);

/* ---- the indexes; `build` makes one from the documents and the inventory, `finish` accepts a
 * zeroed one ---- */

struct host_entry {
    const char *name, *file;
    uint16_t service, port;
    uint8_t transport, role, length;
    bool exact, trap, confirmed, inventory;
    bool last; /* of its name */
};

struct host_index {
    struct name_table names; /* value: the first entry of the name */
    struct host_entry *entries;
    size_t count, capacity;
};

int host_index_build(struct host_index *ret_index, const struct catalog *catalog,
                     struct dl_error *error);
void host_index_finish(struct host_index *index);

struct address_entry {
    struct prefix prefix;
    uint16_t number; /* service or carrier */
    uint16_t first_port, last_port;
    uint8_t transport, role;
    bool confirmed, inventory;
    const char *file;
};

struct address_node { /* one prefix, in the order of address, then length */
    uint64_t high, low;
    uint32_t first, count; /* of its entries */
    int32_t parent;        /* the longest prefix around it; -1: none */
    uint8_t bits;
};

struct address_index {
    struct address_entry *entries;
    size_t count, capacity;
    struct address_node *nodes;
    size_t node_count;
};

int address_index_build(struct address_index *ret_index, const struct catalog *catalog);
int address_index_build_carriers(struct address_index *ret_index, const struct catalog *catalog,
                                 struct dl_error *error);
void address_index_finish(struct address_index *index);

struct port_item {
    uint16_t service, first, last;
    uint8_t transport, role;
    bool distinctive, confirmed;
};

struct port_segment { /* from `first` to the next segment's: the same services */
    uint32_t first;
    uint32_t at, count; /* of its items */
};

struct port_index {
    struct port_segment *segments;
    size_t segment_count;
    struct port_item *items;
    size_t item_count;
};

int port_index_build(struct port_index *ret_index, const struct catalog *catalog,
                     enum transport transport);
void port_index_finish(struct port_index *index);

struct wire_test {
    uint16_t offset;
    uint8_t length;
    uint8_t bytes[WIRE_BYTES_MAX], mask[WIRE_BYTES_MAX];
};

struct wire_pattern {
    struct catalog_wire_match result;
    enum transport transport;
    uint16_t first_port, last_port; /* 0 and 0: any */
    struct {                        /* of each side's first test: its first byte, and its end */
        uint16_t offset;
        uint8_t byte, mask;
        uint32_t end; /* 0: it has none */
    } look[2];
    bool client_first;
    struct wire_test tests[2][WIRE_TESTS_MAX]; /* by enum side */
    uint8_t test_count[2];
    uint16_t lengths[2][CATALOG_WIRE_LENGTHS];
    uint8_t length_count[2];
    unsigned weight; /* how much it asks for: of two that fit, the heavier is better */
};

int wire_index_build(struct wire_pattern **ret_patterns, size_t *ret_count,
                     const struct catalog *catalog);

struct label_entry { /* a word that means a service: ALPN id, nDPI name */
    const char *text, *file;
    uint16_t service;
};

struct label_index {
    struct label_entry *entries;
    size_t count;
};

struct certificate_entry {
    const char *issuer, *subject;
    uint16_t service;
    bool confirmed;
};

int label_index_build_ndpi(struct label_index *ret_index, const struct catalog *catalog,
                           struct dl_error *error);
int label_index_build_alpn(struct label_index *ret_index, const struct catalog *catalog,
                           struct dl_error *error);
int certificate_index_build(struct certificate_entry **ret_entries, size_t *ret_count,
                            const struct catalog *catalog);

struct asn_entry {
    uint32_t asn;
    uint16_t carrier;
    int64_t from_us, until_us; /* both inclusive */
    const char *file;
};

int asn_index_build(struct asn_entry **ret_entries, size_t *ret_count,
                    const struct catalog *catalog, struct dl_error *error);

/* ---- the whole ---- */

struct document {
    enum yaml_kind kind;
    char *file;
    void *data;
};

struct inventory_list {
    char *file;
    struct raw_inventory *entries;
    unsigned count;
};

struct catalog {
    struct document *documents; /* own everything the arrays below point to */
    size_t document_count, document_capacity;
    struct raw_service **services; /* each array in the order of the ids */
    struct raw_network **networks;
    struct raw_carrier **carriers;
    struct raw_order **orders;
    struct raw_blockpage **blockpages;
    struct raw_countries *countries; /* NULL where there is no such file */
    struct raw_injector **injectors;
    size_t service_count, network_count, carrier_count, order_count, blockpage_count,
        injector_count;
    struct inventory_list *inventories;
    size_t inventory_count;
    char version[CATALOG_VERSION_SIZE];

    struct host_index hosts;
    struct address_index addresses, carrier_addresses;
    struct port_index tcp_ports, udp_ports;
    struct wire_pattern *wires;
    size_t wire_count;
    struct label_index ndpi, alpn;
    struct certificate_entry *certificates;
    size_t certificate_count;
    struct asn_entry *asns;
    size_t asn_count;
    struct injector_index injector_index;
    struct listing listing;
    struct name_table watched;
};

/* The whole file. DL_LIMIT beyond `maximum` bytes; errors name the path. */
int catalog_read_file(struct buffer *ret_text, const char *path, size_t maximum,
                      struct dl_error *error);
const struct raw_network *catalog_network_find(const struct catalog *catalog, const char *id);
/* An inventory says nothing of roles: that of the service's port, else of its first name. */
enum role catalog_usual_role(const struct catalog *catalog, const char *service_id, uint16_t port);
/* Writes into each service how many names and blocks lead to it. */
void catalog_count_matches(struct catalog *catalog);
/* Room for one more; doubles. Returns the array, perhaps moved, or NULL (and the old one is as it
 * was). */
void *catalog_grow(void *array, size_t count, size_t *capacity, size_t item_size);
