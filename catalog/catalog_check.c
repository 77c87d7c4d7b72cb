// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "catalog/catalog_internal.h"

int catalog_refuse(struct dl_error *error, const char *file, const char *format, ...)
{
    char sentence[DL_ERROR_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    return dl_error_set(error, DL_MALFORMED, "%s: %s", file, sentence);
}

int place_refuse(const struct place *place, const char *what, const char *value)
{
    const char *before = value ? " '" : "", *after = value ? "'" : "";

    return catalog_refuse(place->error, place->file, "%s entry %zu: %s%s%s%s", place->list,
                          place->index + 1, what, before, value ? value : "", after);
}

/* ---- single values ---- */

static bool id_valid(const char *id)
{
    return id[0] != '\0' && id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool label_valid(const char *label, size_t length)
{
    return length > 0 && length <= 63 && label[0] != '-' && label[length - 1] != '-' &&
           strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") >= length;
}

bool host_name_valid(const char *name)
{
    size_t labels = 0, length = strlen(name);
    const char *label = name;
    bool valid = length <= HOST_LENGTH_MAX;

    while (valid) {
        size_t part = strcspn(label, ".");
        valid = label_valid(label, part);
        labels++;
        if (label[part] == '\0') {
            /* No top-level domain is a number: that would be an address. */
            valid = valid && labels >= 2 && strspn(label, "0123456789") < part;
            break;
        }
        label += part + 1;
    }
    return valid;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c) : NULL;

    return at ? (int)(at - digits) : -1;
}

bool hex_decode(const char *text, uint8_t *ret_bytes, size_t maximum, size_t *ret_length)
{
    size_t length = strlen(text);

    if (length == 0 || length % 2 != 0 || length / 2 > maximum) {
        return false;
    }
    for (size_t i = 0; i < length / 2; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_length = length / 2;
    return true;
}

int place_check_date(const struct place *place, const char *date)
{
    int64_t time_us;

    if (date && (strlen(date) != strlen("YYYY-MM-DD") || clock_parse(date, &time_us) != DL_OK)) {
        return place_refuse(place, "no date YYYY-MM-DD:", date);
    }
    return DL_OK;
}

int place_check_span(const struct place *place, const char *from, const char *until)
{
    int status = place_check_date(place, from);

    status = status == DL_OK ? place_check_date(place, until) : status;
    if (status == DL_OK && from && until && strcmp(from, until) > 0) {
        status = place_refuse(place, "ends before it begins:", until);
    }
    return status;
}

int place_check_source(const struct place *place, const char *source)
{
    for (size_t i = 0; i < place->source_count; i++) {
        if (strcmp(place->sources[i].id, source) == 0) {
            return DL_OK;
        }
    }
    return place_refuse(place, "no such source in this file:", source);
}

static int check_prefix(const struct place *place, const char *text)
{
    struct prefix prefix;

    if (prefix_parse(text, &prefix) != DL_OK) {
        return place_refuse(place, "no address block (host bits must be zero):", text);
    }
    return DL_OK;
}

/* Exactly one of the two, and a good name. */
static int check_name(const struct place *place, const char *suffix, const char *exact)
{
    const char *name = suffix ? suffix : exact;

    if (!name || (suffix && exact)) {
        return place_refuse(place, "must have either suffix or exact", NULL);
    }
    if (!host_name_valid(name)) {
        return place_refuse(place, "no lower-case DNS name of two labels or more:", name);
    }
    return DL_OK;
}

static int check_port_range(const struct place *place, uint16_t first, uint16_t last)
{
    char text[32];

    if (first > last || (first == 0 && last != 0)) {
        snprintf(text, sizeof(text), "%u-%u", first, last);
        return place_refuse(place, "ports out of order:", text);
    }
    return DL_OK;
}

/* ---- what all documents have ---- */

static int check_id(const struct place *place, const char *id)
{
    const char *slash = strrchr(place->file, '/');
    const char *name = slash ? slash + 1 : place->file;
    size_t stem = strlen(name) - strlen(".yaml");

    if (!id_valid(id)) {
        return catalog_refuse(place->error, place->file, "id '%s' is not of a-z, 0-9 and -", id);
    }
    if (strlen(id) != stem || strncmp(id, name, stem) != 0) {
        return catalog_refuse(place->error, place->file, "id '%s' is not the file's name", id);
    }
    return DL_OK;
}

int place_check_sources(struct place *place)
{
    const struct catalog_source *sources = place->sources;
    int status = DL_OK;

    place->list = "sources";
    for (size_t i = 0; status == DL_OK && i < place->source_count; i++) {
        place->index = i;
        status = place_check_date(place, sources[i].checked);
        for (size_t j = 0; status == DL_OK && j < i; j++) {
            if (strcmp(sources[i].id, sources[j].id) == 0) {
                status = place_refuse(place, "id twice:", sources[i].id);
            }
        }
    }
    return status;
}

int place_check_head(struct place *place, const char *id)
{
    int status = check_id(place, id);

    return status == DL_OK ? place_check_sources(place) : status;
}

int place_check_country(const struct place *place, const char *country)
{
    if (strlen(country) != 2 || strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2) {
        return catalog_refuse(place->error, place->file,
                              "country '%s' is no ISO 3166-1 alpha-2 code", country);
    }
    return DL_OK;
}

/* ---- services ---- */

static int check_names(struct place *place, const struct raw_service *service)
{
    int status = DL_OK;

    place->list = "names";
    for (size_t i = 0; status == DL_OK && i < service->name_count; i++) {
        const struct raw_name *name = &service->names[i];
        place->index = i;
        status = check_name(place, name->suffix, name->exact);
        status = status == DL_OK ? place_check_source(place, name->source) : status;
    }
    place->list = "not";
    for (size_t i = 0; status == DL_OK && i < service->trap_count; i++) {
        const struct raw_trap *trap = &service->traps[i];
        place->index = i;
        status = check_name(place, trap->suffix, trap->exact);
        status = status == DL_OK ? place_check_source(place, trap->source) : status;
    }
    return status;
}

static int check_block(const struct catalog *catalog, const struct place *place,
                       const struct raw_block *block)
{
    int status = DL_OK;

    if (!block->block == !block->network) {
        status = place_refuse(place, "must have either block or network", NULL);
    } else if (block->block) {
        status = check_prefix(place, block->block);
    } else if (!catalog_network_find(catalog, block->network)) {
        status = place_refuse(place, "no such file in networks/:", block->network);
    }
    status =
        status == DL_OK ? check_port_range(place, block->first_port, block->last_port) : status;
    return status == DL_OK ? place_check_source(place, block->source) : status;
}

static int check_blocks_and_ports(const struct catalog *catalog, struct place *place,
                                  const struct raw_service *service)
{
    int status = DL_OK;

    place->list = "addresses";
    for (size_t i = 0; status == DL_OK && i < service->block_count; i++) {
        place->index = i;
        status = check_block(catalog, place, &service->blocks[i]);
    }
    place->list = "ports";
    for (size_t i = 0; status == DL_OK && i < service->port_count; i++) {
        const struct raw_port *port = &service->ports[i];
        place->index = i;
        if (port->first == 0) {
            status = place_refuse(place, "a port is 1 to 65535", NULL);
        }
        status = status == DL_OK ? check_port_range(place, port->first, port->last) : status;
        status = status == DL_OK ? place_check_source(place, port->source) : status;
    }
    return status;
}

static int check_labels(struct place *place, const struct raw_service *service)
{
    static const char *const everybodys[] = {"h2", "h2c", "h3", "http/0.9", "http/1.0", "http/1.1"};
    int status = DL_OK;

    place->list = "alpn";
    for (size_t i = 0; status == DL_OK && i < service->alpn_count; i++) {
        place->index = i;
        for (size_t j = 0; status == DL_OK && j < ARRAY_LENGTH(everybodys); j++) {
            if (strcmp(service->alpn[i], everybodys[j]) == 0) {
                status = place_refuse(place, "everybody speaks", service->alpn[i]);
            }
        }
    }
    place->list = "certificates";
    for (size_t i = 0; status == DL_OK && i < service->certificate_count; i++) {
        const struct raw_certificate *certificate = &service->certificates[i];
        place->index = i;
        if (!certificate->issuer && !certificate->subject) {
            status = place_refuse(place, "must have issuer or subject", NULL);
        }
        status = status == DL_OK ? place_check_source(place, certificate->source) : status;
    }
    return status;
}

static int check_wire_bytes(const struct place *place, const struct raw_bytes *bytes)
{
    uint8_t decoded[WIRE_BYTES_MAX];
    size_t length, mask_length;

    if (!hex_decode(bytes->hex, decoded, sizeof(decoded), &length)) {
        return place_refuse(place, "not 1 to 32 bytes as pairs of hex digits:", bytes->hex);
    }
    if (bytes->mask && (!hex_decode(bytes->mask, decoded, sizeof(decoded), &mask_length) ||
                        mask_length != length)) {
        return place_refuse(place, "mask is not as long as hex:", bytes->mask);
    }
    if (bytes->offset > WIRE_OFFSET_MAX) {
        return place_refuse(place, "offset beyond 1500 at", bytes->hex);
    }
    return DL_OK;
}

static int check_wire(const struct place *place, const struct raw_wire *wire)
{
    size_t conditions = 0;
    int status = id_valid(wire->id) ? DL_OK : place_refuse(place, "id:", wire->id);

    for (int side = 0; side < 2; side++) {
        conditions += wire->byte_count[side] + wire->length_count[side];
        for (size_t i = 0; status == DL_OK && i < wire->byte_count[side]; i++) {
            status = check_wire_bytes(place, &wire->bytes[side][i]);
        }
    }
    if (status == DL_OK && conditions == 0) {
        status = place_refuse(place, "asks for no bytes and no lengths:", wire->id);
    }
    status = status == DL_OK ? check_port_range(place, wire->first_port, wire->last_port) : status;
    return status == DL_OK ? place_check_source(place, wire->source) : status;
}

static int check_service(const struct catalog *catalog, const struct raw_service *service,
                         struct dl_error *error)
{
    struct place place = {.file = service->file,
                          .sources = service->public.sources,
                          .source_count = service->public.source_count,
                          .error = error};
    int status = place_check_head(&place, service->public.id);

    if (status == DL_OK && service->is_control != (service->public.class == CLASS_CONTROL)) {
        status =
            catalog_refuse(error, service->file, "controls, and only they, have class control");
    }
    status = status == DL_OK ? check_names(&place, service) : status;
    status = status == DL_OK ? check_blocks_and_ports(catalog, &place, service) : status;
    status = status == DL_OK ? check_labels(&place, service) : status;
    place.list = "wire";
    for (size_t i = 0; status == DL_OK && i < service->wire_count; i++) {
        place.index = i;
        status = check_wire(&place, &service->wires[i]);
    }
    return status;
}

/* ---- networks, carriers ---- */

static int check_network(const struct raw_network *network, struct dl_error *error)
{
    struct place place = {.file = network->file,
                          .sources = network->sources,
                          .source_count = network->source_count,
                          .error = error};
    int status = place_check_head(&place, network->id);

    place.list = "blocks";
    for (size_t i = 0; status == DL_OK && i < network->block_count; i++) {
        const struct raw_network_block *block = &network->blocks[i];
        place.index = i;
        status = check_prefix(&place, block->block);
        status = status == DL_OK ? place_check_date(&place, block->first_seen) : status;
        status = status == DL_OK ? place_check_date(&place, block->last_seen) : status;
        status = status == DL_OK ? place_check_source(&place, block->source) : status;
    }
    return status;
}

static int check_carrier_asn(const struct place *place, const struct raw_asn *asn)
{
    int status = place_check_span(place, asn->from, asn->until);

    return status == DL_OK ? place_check_source(place, asn->source) : status;
}

static bool mcc_mnc_valid(const char *text)
{
    size_t mnc = strspn(text, "0123456789") == 3 && text[3] == '-' ? strlen(text + 4) : 0;

    return (mnc == 2 || mnc == 3) && strspn(text + 4, "0123456789") == mnc;
}

static int check_carrier(const struct catalog *catalog, const struct raw_carrier *carrier,
                         struct dl_error *error)
{
    struct place place = {.file = carrier->file,
                          .sources = carrier->public.sources,
                          .source_count = carrier->public.source_count,
                          .error = error};
    int status = place_check_head(&place, carrier->public.id);

    status = status == DL_OK ? place_check_known_country(catalog, &place, carrier->public.country)
                             : status;
    status = status == DL_OK ? catalog_check_owners(carrier, &place) : status;
    place.list = "asns";
    for (size_t i = 0; status == DL_OK && i < carrier->asn_count; i++) {
        place.index = i;
        status = check_carrier_asn(&place, &carrier->asns[i]);
    }
    place.list = "mcc_mnc";
    for (size_t i = 0; status == DL_OK && i < carrier->public.mcc_mnc_count; i++) {
        place.index = i;
        if (!mcc_mnc_valid(carrier->public.mcc_mnc[i])) {
            status = place_refuse(&place, "not like 410-01:", carrier->public.mcc_mnc[i]);
        }
    }
    place.list = "prefixes";
    for (size_t i = 0; status == DL_OK && i < carrier->prefix_count; i++) {
        place.index = i;
        status = check_prefix(&place, carrier->prefixes[i].block);
        status = status == DL_OK ? place_check_source(&place, carrier->prefixes[i].source) : status;
    }
    return status;
}

/* ---- all ---- */

static int check_duplicates(const struct catalog *catalog, struct dl_error *error)
{
    for (size_t i = 1; i < catalog->service_count; i++) {
        const struct raw_service *a = catalog->services[i - 1], *b = catalog->services[i];
        if (strcmp(a->public.id, b->public.id) == 0) {
            return catalog_refuse(error, b->file, "id '%s' is also in %s", b->public.id, a->file);
        }
    }
    return DL_OK;
}

int catalog_check(const struct catalog *catalog, struct dl_error *error)
{
    int status = catalog->countries ? catalog_check_countries(catalog->countries, error) : DL_OK;

    for (size_t i = 0; status == DL_OK && i < catalog->network_count; i++) {
        status = check_network(catalog->networks[i], error);
    }
    for (size_t i = 0; status == DL_OK && i < catalog->service_count; i++) {
        status = check_service(catalog, catalog->services[i], error);
    }
    for (size_t i = 0; status == DL_OK && i < catalog->carrier_count; i++) {
        status = check_carrier(catalog, catalog->carriers[i], error);
    }
    for (size_t i = 0; status == DL_OK && i < catalog->order_count; i++) {
        status = catalog_check_order(catalog, catalog->orders[i], error);
    }
    for (size_t i = 0; status == DL_OK && i < catalog->blockpage_count; i++) {
        status = catalog_check_blockpage(catalog->blockpages[i], error);
    }
    for (size_t i = 0; status == DL_OK && i < catalog->injector_count; i++) {
        status = catalog_check_injector(catalog, catalog->injectors[i], error);
    }
    return status == DL_OK ? check_duplicates(catalog, error) : status;
}
