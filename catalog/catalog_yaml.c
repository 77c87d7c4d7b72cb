// SPDX-License-Identifier: GPL-3.0-or-later
#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "catalog/catalog_internal.h"

/* ---- the schema, as catalog/README.md tells it ---- */

#define OPTIONAL CYAML_FLAG_OPTIONAL

#define TEXT(key, type, member)                                                                    \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, CYAML_UNLIMITED)
#define TEXT_OPTIONAL(key, type, member)                                                           \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | OPTIONAL, type, member, 1, CYAML_UNLIMITED)
#define NUMBER(key, type, member)          CYAML_FIELD_UINT(key, CYAML_FLAG_DEFAULT, type, member)
#define NUMBER_OPTIONAL(key, type, member) CYAML_FIELD_UINT(key, OPTIONAL, type, member)
/* Not CYAML_BOOL: it takes any word but a few for true. */
#define FLAG_OPTIONAL(key, type, member) WORD_OPTIONAL(key, type, member, flag_words)
#define WORD(key, type, member, words)                                                             \
    CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT, type, member, words, ARRAY_LENGTH(words))
#define WORD_OPTIONAL(key, type, member, words)                                                    \
    CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | OPTIONAL, type, member, words, ARRAY_LENGTH(words))
#define LIST(key, type, member, count, entry)                                                      \
    CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER, type, member, count, entry, 1,             \
                               CYAML_UNLIMITED)
#define LIST_OPTIONAL(key, type, member, count, entry, maximum)                                    \
    CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | OPTIONAL, type, member, count, entry, 0,  \
                               maximum)
#define ENTRY(name, type, fields)                                                                  \
    static const cyaml_schema_value_t name = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, type, fields)}
#define DOCUMENT(name, type, fields)                                                               \
    static const cyaml_schema_value_t name = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, type, fields)}

static const cyaml_strval_t flag_words[] = {{"false", false}, {"true", true}};
static const cyaml_strval_t transport_words[] = {{"tcp", TRANSPORT_TCP}, {"udp", TRANSPORT_UDP}};
static const cyaml_strval_t sure_words[] = {{"confirmed", SURE_CONFIRMED},
                                            {"unconfirmed", SURE_UNCONFIRMED}};
static const cyaml_strval_t class_words[] = {{"messaging", CLASS_MESSAGING},
                                             {"mail", CLASS_MAIL},
                                             {"vpn", CLASS_VPN},
                                             {"push", CLASS_PUSH},
                                             {"control", CLASS_CONTROL}};
static const cyaml_strval_t role_words[] = {{"relay", ROLE_RELAY}, {"signalling", ROLE_SIGNALLING},
                                            {"media", ROLE_MEDIA}, {"push", ROLE_PUSH},
                                            {"web", ROLE_WEB},     {"files", ROLE_FILES},
                                            {"dns", ROLE_DNS}};
static const cyaml_strval_t network_words[] = {
    {"mobile", NETWORK_MOBILE}, {"fixed", NETWORK_FIXED}, {"transit", NETWORK_TRANSIT}};
/* No "certain": that is for names. */
static const cyaml_strval_t wire_certainty_words[] = {{"possible", CERTAINTY_POSSIBLE},
                                                      {"likely", CERTAINTY_LIKELY}};

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, const char *, 1, CYAML_UNLIMITED)};
static const cyaml_schema_value_t length_entry = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t)};
static const cyaml_schema_value_t asn_number_entry = {
    CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t)};

static const cyaml_schema_field_t source_fields[] = {
    TEXT("id", struct catalog_source, id), TEXT("title", struct catalog_source, title),
    TEXT_OPTIONAL("url", struct catalog_source, url),
    TEXT("checked", struct catalog_source, checked), CYAML_FIELD_END};
ENTRY(source_entry, struct catalog_source, source_fields);

static const cyaml_schema_field_t name_fields[] = {
    TEXT_OPTIONAL("suffix", struct raw_name, suffix),
    TEXT_OPTIONAL("exact", struct raw_name, exact),
    WORD("role", struct raw_name, role, role_words),
    WORD_OPTIONAL("transport", struct raw_name, transport, transport_words),
    NUMBER_OPTIONAL("port", struct raw_name, port),
    WORD_OPTIONAL("sure", struct raw_name, sure, sure_words),
    TEXT("source", struct raw_name, source),
    CYAML_FIELD_END};
ENTRY(name_entry, struct raw_name, name_fields);

static const cyaml_schema_field_t trap_fields[] = {
    TEXT_OPTIONAL("suffix", struct raw_trap, suffix),
    TEXT_OPTIONAL("exact", struct raw_trap, exact), TEXT("reason", struct raw_trap, reason),
    TEXT("source", struct raw_trap, source), CYAML_FIELD_END};
ENTRY(trap_entry, struct raw_trap, trap_fields);

static const cyaml_schema_field_t block_fields[] = {
    TEXT_OPTIONAL("block", struct raw_block, block),
    TEXT_OPTIONAL("network", struct raw_block, network),
    WORD_OPTIONAL("transport", struct raw_block, transport, transport_words),
    NUMBER_OPTIONAL("first_port", struct raw_block, first_port),
    NUMBER_OPTIONAL("last_port", struct raw_block, last_port),
    WORD("role", struct raw_block, role, role_words),
    WORD_OPTIONAL("sure", struct raw_block, sure, sure_words),
    TEXT("source", struct raw_block, source),
    CYAML_FIELD_END};
ENTRY(block_entry, struct raw_block, block_fields);

static const cyaml_schema_field_t port_fields[] = {
    WORD("transport", struct raw_port, transport, transport_words),
    NUMBER("first", struct raw_port, first),
    NUMBER("last", struct raw_port, last),
    WORD("role", struct raw_port, role, role_words),
    FLAG_OPTIONAL("distinctive", struct raw_port, distinctive),
    WORD_OPTIONAL("sure", struct raw_port, sure, sure_words),
    TEXT("source", struct raw_port, source),
    CYAML_FIELD_END};
ENTRY(port_entry, struct raw_port, port_fields);

static const cyaml_schema_field_t certificate_fields[] = {
    TEXT_OPTIONAL("issuer", struct raw_certificate, issuer),
    TEXT_OPTIONAL("subject", struct raw_certificate, subject),
    WORD_OPTIONAL("sure", struct raw_certificate, sure, sure_words),
    TEXT("source", struct raw_certificate, source), CYAML_FIELD_END};
ENTRY(certificate_entry, struct raw_certificate, certificate_fields);

static const cyaml_schema_field_t bytes_fields[] = {
    NUMBER("offset", struct raw_bytes, offset), TEXT("hex", struct raw_bytes, hex),
    TEXT_OPTIONAL("mask", struct raw_bytes, mask), CYAML_FIELD_END};
ENTRY(bytes_entry, struct raw_bytes, bytes_fields);

static const cyaml_schema_field_t wire_fields[] = {
    TEXT("id", struct raw_wire, id),
    WORD("transport", struct raw_wire, transport, transport_words),
    NUMBER_OPTIONAL("first_port", struct raw_wire, first_port),
    NUMBER_OPTIONAL("last_port", struct raw_wire, last_port),
    WORD("role", struct raw_wire, role, role_words),
    WORD("certainty", struct raw_wire, certainty, wire_certainty_words),
    LIST_OPTIONAL("client", struct raw_wire, bytes[SIDE_CLIENT], byte_count[SIDE_CLIENT],
                  &bytes_entry, WIRE_TESTS_MAX),
    LIST_OPTIONAL("server", struct raw_wire, bytes[SIDE_SERVER], byte_count[SIDE_SERVER],
                  &bytes_entry, WIRE_TESTS_MAX),
    LIST_OPTIONAL("client_lengths", struct raw_wire, lengths[SIDE_CLIENT],
                  length_count[SIDE_CLIENT], &length_entry, CATALOG_WIRE_LENGTHS),
    LIST_OPTIONAL("server_lengths", struct raw_wire, lengths[SIDE_SERVER],
                  length_count[SIDE_SERVER], &length_entry, CATALOG_WIRE_LENGTHS),
    FLAG_OPTIONAL("client_first", struct raw_wire, client_first),
    WORD_OPTIONAL("sure", struct raw_wire, sure, sure_words),
    TEXT("source", struct raw_wire, source),
    CYAML_FIELD_END};
ENTRY(wire_entry, struct raw_wire, wire_fields);

static const cyaml_schema_field_t service_fields[] = {
    TEXT("id", struct raw_service, public.id),
    TEXT("name", struct raw_service, public.name),
    WORD("class", struct raw_service, public.class, class_words),
    TEXT("operator", struct raw_service, public.operator_name),
    FLAG_OPTIONAL("self_hosted", struct raw_service, public.self_hosted),
    FLAG_OPTIONAL("own_authority", struct raw_service, public.own_authority),
    TEXT("summary", struct raw_service, public.summary),
    LIST("sources", struct raw_service, public.sources, public.source_count, &source_entry),
    LIST_OPTIONAL("names", struct raw_service, names, name_count, &name_entry, CYAML_UNLIMITED),
    LIST_OPTIONAL("not", struct raw_service, traps, trap_count, &trap_entry, CYAML_UNLIMITED),
    LIST_OPTIONAL("addresses", struct raw_service, blocks, block_count, &block_entry,
                  CYAML_UNLIMITED),
    LIST_OPTIONAL("ports", struct raw_service, ports, port_count, &port_entry, CYAML_UNLIMITED),
    LIST_OPTIONAL("alpn", struct raw_service, alpn, alpn_count, &text_entry, CYAML_UNLIMITED),
    LIST_OPTIONAL("certificates", struct raw_service, certificates, certificate_count,
                  &certificate_entry, CYAML_UNLIMITED),
    LIST_OPTIONAL("ndpi", struct raw_service, ndpi, ndpi_count, &text_entry, CYAML_UNLIMITED),
    LIST_OPTIONAL("wire", struct raw_service, wires, wire_count, &wire_entry, CYAML_UNLIMITED),
    CYAML_FIELD_END};
DOCUMENT(service_document, struct raw_service, service_fields);

static const cyaml_schema_field_t network_block_fields[] = {
    TEXT("block", struct raw_network_block, block),
    TEXT_OPTIONAL("first_seen", struct raw_network_block, first_seen),
    TEXT_OPTIONAL("last_seen", struct raw_network_block, last_seen),
    WORD_OPTIONAL("sure", struct raw_network_block, sure, sure_words),
    TEXT("source", struct raw_network_block, source),
    CYAML_FIELD_END};
ENTRY(network_block_entry, struct raw_network_block, network_block_fields);

static const cyaml_schema_field_t network_fields[] = {
    TEXT("id", struct raw_network, id),
    TEXT("name", struct raw_network, name),
    LIST_OPTIONAL("asns", struct raw_network, asns, asn_count, &asn_number_entry, CYAML_UNLIMITED),
    LIST("sources", struct raw_network, sources, source_count, &source_entry),
    LIST("blocks", struct raw_network, blocks, block_count, &network_block_entry),
    CYAML_FIELD_END};
DOCUMENT(network_document, struct raw_network, network_fields);

static const cyaml_schema_field_t asn_fields[] = {NUMBER("asn", struct raw_asn, asn),
                                                  TEXT_OPTIONAL("from", struct raw_asn, from),
                                                  TEXT_OPTIONAL("until", struct raw_asn, until),
                                                  TEXT_OPTIONAL("note", struct raw_asn, note),
                                                  TEXT("source", struct raw_asn, source),
                                                  CYAML_FIELD_END};
ENTRY(asn_entry, struct raw_asn, asn_fields);

static const cyaml_schema_field_t prefix_fields[] = {TEXT("block", struct raw_prefix, block),
                                                     TEXT("source", struct raw_prefix, source),
                                                     CYAML_FIELD_END};
ENTRY(prefix_entry, struct raw_prefix, prefix_fields);

static const cyaml_schema_field_t owner_fields[] = {
    TEXT("owner", struct catalog_owner, owner),
    TEXT_OPTIONAL("from", struct catalog_owner, from),
    TEXT_OPTIONAL("until", struct catalog_owner, until),
    TEXT_OPTIONAL("note", struct catalog_owner, note),
    TEXT("source", struct catalog_owner, source),
    CYAML_FIELD_END};
ENTRY(owner_entry, struct catalog_owner, owner_fields);

static const cyaml_schema_field_t carrier_fields[] = {
    TEXT("id", struct raw_carrier, public.id),
    TEXT("name", struct raw_carrier, public.name),
    TEXT("country", struct raw_carrier, public.country),
    TEXT_OPTIONAL("owner", struct raw_carrier, owner),
    LIST_OPTIONAL("owners", struct raw_carrier, public.owners, public.owner_count, &owner_entry,
                  CYAML_UNLIMITED),
    WORD_OPTIONAL("network", struct raw_carrier, public.network, network_words),
    LIST_OPTIONAL("brands", struct raw_carrier, brands, brand_count, &text_entry, CYAML_UNLIMITED),
    LIST_OPTIONAL("asns", struct raw_carrier, asns, asn_count, &asn_entry, CYAML_UNLIMITED),
    LIST_OPTIONAL("mcc_mnc", struct raw_carrier, public.mcc_mnc, public.mcc_mnc_count, &text_entry,
                  CYAML_UNLIMITED),
    LIST_OPTIONAL("prefixes", struct raw_carrier, prefixes, prefix_count, &prefix_entry,
                  CYAML_UNLIMITED),
    LIST("sources", struct raw_carrier, public.sources, public.source_count, &source_entry),
    CYAML_FIELD_END};
DOCUMENT(carrier_document, struct raw_carrier, carrier_fields);

static const cyaml_schema_field_t date_fields[] = {
    TEXT("date", struct catalog_order_date, date), TEXT("kind", struct catalog_order_date, kind),
    TEXT_OPTIONAL("note", struct catalog_order_date, note),
    TEXT("source", struct catalog_order_date, source), CYAML_FIELD_END};
ENTRY(date_entry, struct catalog_order_date, date_fields);

static const cyaml_schema_field_t order_fields[] = {
    TEXT("id", struct raw_order, public.id),
    TEXT("title", struct raw_order, public.title),
    TEXT("issuer", struct raw_order, public.issuer),
    TEXT("country", struct raw_order, public.country),
    TEXT_OPTIONAL("utc_offset", struct raw_order, public.utc_offset),
    TEXT("summary", struct raw_order, public.summary),
    LIST("services", struct raw_order, public.services, public.service_count, &text_entry),
    LIST_OPTIONAL("exempt", struct raw_order, public.exempt, public.exempt_count, &text_entry,
                  CYAML_UNLIMITED),
    LIST_OPTIONAL("carriers", struct raw_order, public.carriers, public.carrier_count, &text_entry,
                  CYAML_UNLIMITED),
    LIST("dates", struct raw_order, public.dates, public.date_count, &date_entry),
    LIST("sources", struct raw_order, public.sources, public.source_count, &source_entry),
    CYAML_FIELD_END};
DOCUMENT(order_document, struct raw_order, order_fields);

static const cyaml_schema_field_t change_fields[] = {
    TEXT("at", struct raw_change, at), TEXT("utc_offset", struct raw_change, utc_offset),
    CYAML_FIELD_END};
ENTRY(change_entry, struct raw_change, change_fields);

static const cyaml_schema_field_t country_fields[] = {
    TEXT("country", struct raw_country, public.code),
    TEXT("name", struct raw_country, public.name),
    TEXT("zone", struct raw_country, public.zone),
    FLAG_OPTIONAL("other_zones", struct raw_country, public.other_zones),
    TEXT("utc_offset", struct raw_country, utc_offset),
    LIST_OPTIONAL("changes", struct raw_country, changes, change_count, &change_entry,
                  CATALOG_CHANGES_MAX),
    TEXT("source", struct raw_country, source),
    CYAML_FIELD_END};
ENTRY(country_entry, struct raw_country, country_fields);

static const cyaml_schema_field_t countries_fields[] = {
    LIST("sources", struct raw_countries, sources, source_count, &source_entry),
    LIST("countries", struct raw_countries, countries, country_count, &country_entry),
    CYAML_FIELD_END};
DOCUMENT(countries_document, struct raw_countries, countries_fields);

/* The keys of the kinds of page and of the places in it. */
static const cyaml_strval_t scope_words[] = {{"nation", BLOCKPAGE_NATION},
                                             {"carrier", BLOCKPAGE_CARRIER},
                                             {"institution", BLOCKPAGE_INSTITUTION},
                                             {"product", BLOCKPAGE_PRODUCT}};
static const cyaml_strval_t where_words[] = {
    {"body", BLOCKPAGE_IN_BODY},         {"title", BLOCKPAGE_IN_TITLE},
    {"location", BLOCKPAGE_IN_LOCATION}, {"server", BLOCKPAGE_IN_SERVER},
    {"dns", BLOCKPAGE_IN_DNS},           {"anywhere", BLOCKPAGE_IN_ANYWHERE}};
static const cyaml_strval_t match_words[] = {
    {"contains", FINGERPRINT_CONTAINS}, {"prefix", FINGERPRINT_PREFIX}, {"full", FINGERPRINT_FULL}};

static const cyaml_schema_field_t pattern_fields[] = {
    WORD("where", struct raw_pattern, where, where_words),
    WORD_OPTIONAL("match", struct raw_pattern, kind, match_words),
    TEXT("pattern", struct raw_pattern, text),
    FLAG_OPTIONAL("any_case", struct raw_pattern, any_case),
    TEXT_OPTIONAL("first_seen", struct raw_pattern, first_seen),
    TEXT_OPTIONAL("last_seen", struct raw_pattern, last_seen),
    WORD_OPTIONAL("sure", struct raw_pattern, sure, sure_words),
    TEXT("source", struct raw_pattern, source),
    CYAML_FIELD_END};
ENTRY(pattern_entry, struct raw_pattern, pattern_fields);

static const cyaml_schema_field_t blockpage_fields[] = {
    TEXT("id", struct raw_blockpage, id),
    TEXT("name", struct raw_blockpage, name),
    WORD("scope", struct raw_blockpage, scope, scope_words),
    LIST_OPTIONAL("countries", struct raw_blockpage, countries, country_count, &text_entry,
                  CYAML_UNLIMITED),
    LIST("sources", struct raw_blockpage, sources, source_count, &source_entry),
    LIST("patterns", struct raw_blockpage, patterns, pattern_count, &pattern_entry),
    CYAML_FIELD_END};
DOCUMENT(blockpage_document, struct raw_blockpage, blockpage_fields);

static const cyaml_strval_t injector_scope_words[] = {{"nation", INJECTOR_NATION},
                                                      {"carrier", INJECTOR_CARRIER},
                                                      {"institution", INJECTOR_INSTITUTION},
                                                      {"product", INJECTOR_PRODUCT},
                                                      {"unknown", INJECTOR_UNKNOWN}};
static const cyaml_strval_t injector_kind_words[] = {
    {"rst", INJECTOR_RST}, {"page", INJECTOR_PAGE}, {"dns", INJECTOR_DNS}};
/* Addresses have a list of their own. */
static const cyaml_strval_t what_words[] = {{"flags", INJECTOR_FLAGS},
                                            {"df", INJECTOR_DF},
                                            {"ip-id", INJECTOR_IP_ID},
                                            {"ttl", INJECTOR_TTL},
                                            {"window", INJECTOR_WINDOW},
                                            {"count", INJECTOR_COUNT},
                                            {"payload", INJECTOR_PAYLOAD},
                                            {"sequence", INJECTOR_SEQUENCE},
                                            {"ack", INJECTOR_ACK},
                                            {"port", INJECTOR_PORT},
                                            {"residual", INJECTOR_RESIDUAL},
                                            {"answer-flags", INJECTOR_ANSWER_FLAGS},
                                            {"record-ttl", INJECTOR_RECORD_TTL},
                                            {"edns", INJECTOR_EDNS}};

static const cyaml_schema_field_t feature_fields[] = {
    WORD("what", struct raw_feature, what, what_words),
    TEXT("is", struct raw_feature, is),
    TEXT_OPTIONAL("note", struct raw_feature, note),
    TEXT_OPTIONAL("first_seen", struct raw_feature, first_seen),
    TEXT_OPTIONAL("last_seen", struct raw_feature, last_seen),
    TEXT("source", struct raw_feature, source),
    CYAML_FIELD_END};
ENTRY(feature_entry, struct raw_feature, feature_fields);

static const cyaml_schema_field_t poison_fields[] = {
    TEXT("block", struct raw_poison, block),
    TEXT_OPTIONAL("note", struct raw_poison, note),
    TEXT_OPTIONAL("first_seen", struct raw_poison, first_seen),
    TEXT_OPTIONAL("last_seen", struct raw_poison, last_seen),
    TEXT("source", struct raw_poison, source),
    CYAML_FIELD_END};
ENTRY(poison_entry, struct raw_poison, poison_fields);

static const cyaml_schema_field_t packet_fields[] = {
    WORD("kind", struct raw_packet, kind, injector_kind_words),
    LIST_OPTIONAL("features", struct raw_packet, features, feature_count, &feature_entry,
                  CYAML_UNLIMITED),
    LIST_OPTIONAL("addresses", struct raw_packet, addresses, address_count, &poison_entry,
                  CYAML_UNLIMITED),
    CYAML_FIELD_END};
ENTRY(packet_entry, struct raw_packet, packet_fields);

static const cyaml_schema_field_t seen_fields[] = {
    TEXT("country", struct catalog_injector_seen, country),
    TEXT_OPTIONAL("carrier", struct catalog_injector_seen, carrier),
    NUMBER_OPTIONAL("asn", struct catalog_injector_seen, asn),
    TEXT_OPTIONAL("first_seen", struct catalog_injector_seen, first_seen),
    TEXT_OPTIONAL("last_seen", struct catalog_injector_seen, last_seen),
    TEXT_OPTIONAL("note", struct catalog_injector_seen, note),
    TEXT("source", struct catalog_injector_seen, source),
    CYAML_FIELD_END};
ENTRY(seen_entry, struct catalog_injector_seen, seen_fields);

static const cyaml_schema_field_t injector_fields[] = {
    TEXT("id", struct raw_injector, id),
    TEXT("name", struct raw_injector, name),
    WORD("scope", struct raw_injector, scope, injector_scope_words),
    TEXT("summary", struct raw_injector, summary),
    LIST("sources", struct raw_injector, sources, source_count, &source_entry),
    LIST("seen", struct raw_injector, seen, seen_count, &seen_entry),
    LIST("packets", struct raw_injector, packets, packet_count, &packet_entry),
    CYAML_FIELD_END};
DOCUMENT(injector_document, struct raw_injector, injector_fields);

static const cyaml_schema_field_t inventory_fields[] = {
    TEXT("name", struct raw_inventory, name),
    TEXT("service", struct raw_inventory, service),
    TEXT_OPTIONAL("address", struct raw_inventory, address),
    TEXT_OPTIONAL("host", struct raw_inventory, host),
    NUMBER_OPTIONAL("port", struct raw_inventory, port),
    CYAML_FIELD_END};
ENTRY(inventory_entry, struct raw_inventory, inventory_fields);
static const cyaml_schema_value_t inventory_document = {CYAML_VALUE_SEQUENCE(
    CYAML_FLAG_POINTER, struct raw_inventory, &inventory_entry, 0, CATALOG_INVENTORY_MAX)};

static const cyaml_schema_value_t *const documents[] = {
    [YAML_BLOCKPAGE] = &blockpage_document, [YAML_CARRIER] = &carrier_document,
    [YAML_COUNTRIES] = &countries_document, [YAML_INJECTOR] = &injector_document,
    [YAML_NETWORK] = &network_document,     [YAML_ORDER] = &order_document,
    [YAML_SERVICE] = &service_document,     [YAML_INVENTORY] = &inventory_document};

/* ---- the words ---- */

static const char *text_of(const cyaml_strval_t *words, size_t count, int64_t value)
{
    for (size_t i = 0; i < count; i++) {
        if (words[i].val == value) {
            return words[i].str;
        }
    }
    return "";
}

const char *yaml_scope_text(enum blockpage_scope scope)
{
    return text_of(scope_words, ARRAY_LENGTH(scope_words), scope);
}

const char *yaml_where_text(enum blockpage_where where)
{
    return text_of(where_words, ARRAY_LENGTH(where_words), where);
}

const char *yaml_match_text(enum fingerprint_kind kind)
{
    return text_of(match_words, ARRAY_LENGTH(match_words), kind);
}

const char *yaml_injector_scope_text(enum injector_scope scope)
{
    return text_of(injector_scope_words, ARRAY_LENGTH(injector_scope_words), scope);
}

const char *yaml_injector_kind_text(enum injector_kind kind)
{
    return text_of(injector_kind_words, ARRAY_LENGTH(injector_kind_words), kind);
}

const char *injector_what_text(enum injector_what what)
{
    return what == INJECTOR_ADDRESS ? "address"
                                    : text_of(what_words, ARRAY_LENGTH(what_words), what);
}

/* ---- loading ---- */

/* libcyaml tells an error in several calls: what is wrong, then from the inside out where it was.
 */
struct yaml_complaint {
    char what[256], where[96];
    unsigned line;
};

static void complaint_collect(cyaml_log_t level, void *context, const char *format,
                              va_list arguments)
{
    struct yaml_complaint *complaint = context;
    char text[256], *start = text;
    const char *line;

    (void)level;
    vsnprintf(text, sizeof(text), format, arguments);
    start[strcspn(start, "\n")] = '\0';
    start += strspn(start, " ");
    start += strncmp(start, "Load: ", 6) == 0 ? 6 : 0;
    line = strstr(start, " (line: ");
    if (line) {
        if (complaint->line == 0) {
            complaint->line = (unsigned)strtoul(line + strlen(" (line: "), NULL, 10);
            snprintf(complaint->where, sizeof(complaint->where), " (%.*s)",
                     (int)MIN_OF(line - start, 80), start);
        }
    } else if (strcmp(start, "Backtrace:") != 0 && complaint->what[0] == '\0') {
        snprintf(complaint->what, sizeof(complaint->what), "%s", start);
    }
}

/*
 * libcyaml grows a list by one entry at a time: with room to spare, a list of 100,000 is not copied
 * 100,000 times.
 */
struct yaml_memory {
    size_t capacity;
    max_align_t bytes[];
};

static void *yaml_reallocate(void *context, void *bytes, size_t size)
{
    struct yaml_memory *memory =
        bytes ? (void *)((char *)bytes - offsetof(struct yaml_memory, bytes)) : NULL;
    size_t capacity = memory && size > 1024 ? size + size / 2 : size;

    (void)context;
    if (size == 0) {
        free(memory);
        return NULL;
    }
    if (memory && size <= memory->capacity) {
        return bytes;
    }
    memory = realloc(memory, sizeof(*memory) + capacity);
    if (!memory) {
        return NULL;
    }
    memory->capacity = capacity;
    return memory->bytes;
}

static cyaml_config_t yaml_config(struct yaml_complaint *complaint)
{
    return (cyaml_config_t){.log_fn = complaint_collect,
                            .log_ctx = complaint,
                            .mem_fn = yaml_reallocate,
                            .log_level = CYAML_LOG_WARNING,
                            .flags = CYAML_CFG_NO_ALIAS};
}

static const char *skip_lines(const char *text, unsigned lines)
{
    for (; text && lines > 0; lines--) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text;
}

/* For an unknown key libcyaml names the line of what stood before it; the key is there or further
 * down. */
static unsigned line_of_key(const char *text, const struct yaml_complaint *complaint)
{
    const char *label = "Unexpected key: ";
    unsigned line = complaint->line;
    const char *at = skip_lines(text, line - 1), *found = NULL;
    char key[sizeof(complaint->what) + 1];

    if (strncmp(complaint->what, label, strlen(label)) != 0) {
        return line;
    }
    snprintf(key, sizeof(key), "%s:", complaint->what + strlen(label));
    found = at ? strstr(at, key) : NULL;
    for (; found && at < found; at++) {
        line += *at == '\n';
    }
    return line;
}

static int yaml_refuse(struct yaml_complaint *complaint, cyaml_err_t result, enum yaml_kind kind,
                       const char *path, const struct buffer *text, struct dl_error *error)
{
    const char *what = complaint->what[0] ? complaint->what : cyaml_strerror(result);
    int status = DL_MALFORMED;

    if (result == CYAML_ERR_OOM) {
        status = -ENOMEM;
    } else if (result == CYAML_ERR_SEQUENCE_ENTRIES_MAX && kind == YAML_INVENTORY) {
        status = DL_LIMIT;
    }
    if (complaint->line > 0) {
        status = dl_error_set(error, status, "%s: line %u: %s%s", path,
                              line_of_key(buffer_text(text), complaint), what, complaint->where);
    } else {
        status = dl_error_set(error, status, "%s: %s", path, what);
    }
    return status;
}

int catalog_yaml_load(enum yaml_kind kind, const char *path, const struct buffer *text,
                      void **ret_data, unsigned *ret_count, struct dl_error *error)
{
    struct yaml_complaint complaint = {0};
    cyaml_config_t config = yaml_config(&complaint);
    void *data = NULL;
    unsigned count = 0;
    cyaml_err_t result;
    int status = DL_OK;

    result = cyaml_load_data((const uint8_t *)buffer_text(text), text->length, &config,
                             documents[kind], &data, kind == YAML_INVENTORY ? &count : NULL);
    /* A warning is about something that would be left out in silence, such as a second document. */
    if (result != CYAML_OK || complaint.what[0] != '\0') {
        status = yaml_refuse(&complaint, result, kind, path, text, error);
        goto out;
    }
    if (!data) {
        status = dl_error_set(error, DL_EMPTY, "%s: nothing in it", path);
        goto out;
    }
    *ret_data = data;
    *ret_count = count;
    data = NULL;
out:
    catalog_yaml_free(kind, data, count);
    return status;
}

void catalog_yaml_free(enum yaml_kind kind, void *data, unsigned count)
{
    struct yaml_complaint complaint = {0};
    cyaml_config_t config = yaml_config(&complaint);

    if (data) {
        cyaml_free(&config, documents[kind], data, count);
    }
}
