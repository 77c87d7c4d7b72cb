// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Injectors: what the words of a file's features mean and how much each tells, and the table that
 * packets are compared with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "catalog/catalog_internal.h"

/* ---- the words of a feature ---- */

struct word_value {
    const char *word;
    int64_t value;
};

static bool find_word(const struct word_value *words, size_t count, const char *text,
                      struct injector_feature *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].word, text) == 0) {
            ret->how = INJECTOR_RANGE;
            ret->low = ret->high = words[i].value;
            return true;
        }
    }
    return false;
}

/* A number, decimal or 0x..., or two with "-" between. */
static bool parse_range(const char *text, int64_t maximum, struct injector_feature *ret)
{
    char *end;

    if (*text < '0' || *text > '9') {
        return false;
    }
    ret->how = INJECTOR_RANGE;
    ret->low = ret->high = strtoll(text, &end, 0);
    if (*end == '-' && end[1] >= '0' && end[1] <= '9') {
        ret->high = strtoll(end + 1, &end, 0);
    }
    return *end == '\0' && ret->low <= ret->high && ret->high <= maximum;
}

static bool is_told(const char *text, const char *const words[], size_t count,
                    struct injector_feature *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            ret->how = INJECTOR_TOLD;
            return true;
        }
    }
    return false;
}

static bool parse_flags(const char *is, struct injector_feature *ret)
{
    static const struct word_value words[] = {{"rst", 0x04},
                                              {"rst+ack", 0x14},
                                              {"psh+ack", 0x18},
                                              {"fin+ack", 0x11},
                                              {"fin+psh+ack", 0x19}};

    return find_word(words, ARRAY_LENGTH(words), is, ret);
}

static bool parse_df(const char *is, struct injector_feature *ret)
{
    static const struct word_value words[] = {{"clear", 0}, {"set", 1}};

    return find_word(words, ARRAY_LENGTH(words), is, ret);
}

static bool parse_ip_id(const char *is, struct injector_feature *ret)
{
    static const char *const told[] = {"random", "own"};
    static const char copy[] = "client";

    if (strncmp(is, copy, sizeof(copy) - 1) == 0) {
        const char *rest = is + sizeof(copy) - 1;
        *ret = (struct injector_feature){.what = ret->what};
        if (*rest != '\0' && (*rest != '+' || !parse_range(rest + 1, 16, ret))) {
            return false;
        }
        ret->how = INJECTOR_CLIENT;
        return true;
    }
    return is_told(is, told, ARRAY_LENGTH(told), ret) || parse_range(is, UINT16_MAX, ret);
}

/* An injector that copies the client's TTL had it from nearer than the probe: nothing to compare. */
static bool parse_ttl(const char *is, struct injector_feature *ret)
{
    static const char *const told[] = {"random", "client"};

    return is_told(is, told, ARRAY_LENGTH(told), ret) || parse_range(is, UINT8_MAX, ret);
}

static bool parse_window(const char *is, struct injector_feature *ret)
{
    static const char *const told[] = {"random"};
    static const char follows[] = "ttl+";

    if (strcmp(is, "client") == 0) {
        ret->how = INJECTOR_CLIENT;
        return true;
    }
    if (strncmp(is, follows, sizeof(follows) - 1) == 0) {
        bool good = parse_range(is + sizeof(follows) - 1, UINT16_MAX, ret);
        ret->how = INJECTOR_TTL_PLUS;
        return good;
    }
    return is_told(is, told, ARRAY_LENGTH(told), ret) || parse_range(is, UINT16_MAX, ret);
}

static bool parse_position(const char *is, struct injector_feature *ret)
{
    static const char *const told[] = {"rising", "same", "zero"};
    static const struct word_value words[] = {{"next", 0}};

    return is_told(is, told, ARRAY_LENGTH(told), ret) ||
           find_word(words, ARRAY_LENGTH(words), is, ret);
}

static bool parse_residual(const char *is, struct injector_feature *ret)
{
    bool good = strcmp(is, "none") == 0 || parse_range(is, 86400, ret);
    ret->how = INJECTOR_TOLD;
    return good;
}

static bool parse_edns(const char *is, struct injector_feature *ret)
{
    static const struct word_value words[] = {{"none", 0}};

    return find_word(words, ARRAY_LENGTH(words), is, ret);
}

static bool parse_value(enum injector_what what, const char *is, struct injector_feature *ret)
{
    switch (what) {
    case INJECTOR_FLAGS:
        return parse_flags(is, ret);
    case INJECTOR_DF:
        return parse_df(is, ret);
    case INJECTOR_IP_ID:
        return parse_ip_id(is, ret);
    case INJECTOR_TTL:
        return parse_ttl(is, ret);
    case INJECTOR_WINDOW:
        return parse_window(is, ret);
    case INJECTOR_SEQUENCE:
    case INJECTOR_ACK:
        return parse_position(is, ret);
    case INJECTOR_RESIDUAL:
        return parse_residual(is, ret);
    case INJECTOR_EDNS:
        return parse_edns(is, ret);
    case INJECTOR_COUNT:
        return parse_range(is, 64, ret) && ret->low >= 1;
    case INJECTOR_PAYLOAD:
    case INJECTOR_PORT:
    case INJECTOR_ANSWER_FLAGS:
        return parse_range(is, UINT16_MAX, ret);
    case INJECTOR_RECORD_TTL:
        return parse_range(is, INT32_MAX, ret);
    case INJECTOR_ADDRESS:
        break;
    }
    return false;
}

/* ---- what a feature is worth ---- */

static unsigned worth_of_ip_id(const struct injector_feature *f)
{
    int64_t width = f->high - f->low;

    if (f->how == INJECTOR_CLIENT) {
        return 4;
    }
    if (width == 0) {
        return f->low == 0 ? 1 : 4; /* many senders never set one */
    }
    return width < 256 ? 3 : width < 4096 ? 2 : 0;
}

/* Windows that people choose are powers of two; resets of ordinary ends have none. */
static unsigned worth_of_window(const struct injector_feature *f)
{
    bool round = (f->low & (f->low - 1)) == 0 || f->low == UINT16_MAX;

    if (f->how == INJECTOR_CLIENT) {
        return 2;
    }
    if (f->how == INJECTOR_TTL_PLUS) {
        return f->high - f->low > 64 ? 0 : f->high > f->low ? 3 : 4;
    }
    if (f->high - f->low > 16 || f->high == 0) {
        return 0;
    }
    return f->high == f->low && round ? 2 : 3;
}

static unsigned worth_of(const struct injector_feature *f)
{
    if (f->how == INJECTOR_TOLD) {
        return 0;
    }
    switch (f->what) {
    case INJECTOR_FLAGS:
        return f->low == 0x18 ? 0 : 1; /* PSH and ACK is what data has */
    case INJECTOR_IP_ID:
        return worth_of_ip_id(f);
    case INJECTOR_TTL:
        return f->high - f->low <= 32 ? 1 : 0;
    case INJECTOR_WINDOW:
        return worth_of_window(f);
    case INJECTOR_COUNT:
        return f->low > 1 ? 2 : 0;
    case INJECTOR_PAYLOAD:
        return f->high == 0 ? 0 : f->low == f->high ? 3 : 1;
    case INJECTOR_ANSWER_FLAGS:
        return f->low == 0x8180 ? 0 : 2; /* what nearly every resolver answers */
    case INJECTOR_RECORD_TTL:
        return f->high - f->low <= 60 ? 1 : 0;
    case INJECTOR_DF:
    case INJECTOR_PORT:
    case INJECTOR_EDNS:
        return 1;
    default:
        return 0;
    }
}

bool injector_feature_parse(enum injector_what what, const char *is,
                            struct injector_feature *ret_feature)
{
    struct injector_feature feature = {.what = what};

    if (!parse_value(what, is, &feature)) {
        return false;
    }
    feature.points = worth_of(&feature);
    *ret_feature = feature;
    return true;
}

/* Loopback and "no address" are what every blocker of advertisements answers. */
static unsigned worth_of_address(const struct prefix *prefix)
{
    const uint8_t *bytes = prefix->address.bytes;
    bool everybodys = address_is_v4(&prefix->address)
                          ? bytes[12] == 127 || bytes[12] == 0
                          : memcmp(bytes, (const uint8_t[15]){0}, 15) == 0 && bytes[15] <= 1;

    return everybodys ? 1 : prefix->bits == 128 ? 5 : 3;
}

/* ---- checks ---- */

static bool fits_kind(enum injector_kind kind, enum injector_what what)
{
    bool of_ip = what == INJECTOR_DF || what == INJECTOR_IP_ID || what == INJECTOR_TTL ||
                 what == INJECTOR_COUNT || what == INJECTOR_RESIDUAL;
    bool of_dns =
        what == INJECTOR_ANSWER_FLAGS || what == INJECTOR_RECORD_TTL || what == INJECTOR_EDNS;

    return of_ip || of_dns == (kind == INJECTOR_DNS);
}

static int check_span(const struct place *place, const char *first, const char *last)
{
    int status = place_check_date(place, first);

    status = status == DL_OK ? place_check_date(place, last) : status;
    if (status == DL_OK && first && last && strcmp(first, last) > 0) {
        status = place_refuse(place, "first_seen is after last_seen", NULL);
    }
    return status;
}

static int check_feature(const struct place *place, const struct raw_packet *packet, size_t i)
{
    const struct raw_feature *raw = &packet->features[i];
    struct injector_feature feature;

    for (size_t j = 0; j < i; j++) {
        if (packet->features[j].what == raw->what) {
            return place_refuse(place, "told twice:", injector_what_text(raw->what));
        }
    }
    if (!fits_kind(packet->kind, raw->what)) {
        return place_refuse(place, "not of this kind of packet:", injector_what_text(raw->what));
    }
    if (!injector_feature_parse(raw->what, raw->is, &feature)) {
        return place_refuse(place, "cannot be so:", raw->is);
    }
    int status = check_span(place, raw->first_seen, raw->last_seen);
    return status == DL_OK ? place_check_source(place, raw->source) : status;
}

static int check_poison(const struct place *place, const struct raw_poison *poison)
{
    struct prefix prefix;
    int status = DL_OK;

    if (prefix_parse(poison->block, &prefix) != DL_OK) {
        status = place_refuse(place, "no address:", poison->block);
    }
    status = status == DL_OK ? check_span(place, poison->first_seen, poison->last_seen) : status;
    return status == DL_OK ? place_check_source(place, poison->source) : status;
}

static int check_packet(struct place *place, const struct raw_packet *packet)
{
    int status = packet->feature_count + packet->address_count == 0
                     ? place_refuse(place, "says nothing", NULL)
                     : DL_OK;

    place->list = "features";
    for (size_t i = 0; status == DL_OK && i < packet->feature_count; i++) {
        place->index = i;
        status = check_feature(place, packet, i);
    }
    place->list = "addresses";
    for (size_t i = 0; status == DL_OK && i < packet->address_count; i++) {
        place->index = i;
        status = packet->kind == INJECTOR_DNS
                     ? check_poison(place, &packet->addresses[i])
                     : place_refuse(place, "only DNS answers hold addresses", NULL);
    }
    return status;
}

static int check_seen(const struct catalog *catalog, const struct place *place,
                      const struct catalog_injector_seen *seen)
{
    int status = place_check_country(place, seen->country);

    if (status == DL_OK && seen->carrier && !catalog_carrier_find(catalog, seen->carrier)) {
        status = place_refuse(place, "no such carrier:", seen->carrier);
    }
    status = status == DL_OK ? check_span(place, seen->first_seen, seen->last_seen) : status;
    return status == DL_OK ? place_check_source(place, seen->source) : status;
}

int catalog_check_injector(const struct catalog *catalog, const struct raw_injector *injector,
                           struct dl_error *error)
{
    struct place place = {.file = injector->file,
                          .sources = injector->sources,
                          .source_count = injector->source_count,
                          .error = error};
    int status = place_check_head(&place, injector->id);

    if (status == DL_OK && strlen(injector->id) > INJECTOR_ID_MAX) {
        status = catalog_refuse(error, injector->file, "the id is longer than %d bytes",
                                INJECTOR_ID_MAX);
    }
    place.list = "seen";
    for (size_t i = 0; status == DL_OK && i < injector->seen_count; i++) {
        place.index = i;
        status = check_seen(catalog, &place, &injector->seen[i]);
    }
    for (size_t i = 0; status == DL_OK && i < injector->packet_count; i++) {
        place.list = "packets";
        place.index = i;
        status = check_packet(&place, &injector->packets[i]);
    }
    return status;
}

/* ---- the table ---- */

struct amounts {
    size_t packets, features, addresses;
};

static struct amounts count_all(const struct catalog *catalog)
{
    struct amounts amounts = {0};

    for (size_t i = 0; i < catalog->injector_count; i++) {
        const struct raw_injector *injector = catalog->injectors[i];
        amounts.packets += injector->packet_count;
        for (size_t j = 0; j < injector->packet_count; j++) {
            amounts.features += injector->packets[j].feature_count;
            amounts.addresses += injector->packets[j].address_count;
        }
    }
    return amounts;
}

static void add_packet(struct injector_index *index, struct amounts *at,
                       const struct raw_packet *raw)
{
    struct injector_packet *packet = &index->packets[at->packets++];
    unsigned address_points = 0;

    *packet = (struct injector_packet){.kind = raw->kind,
                                       .features = &index->features[at->features],
                                       .addresses = &index->addresses[at->addresses],
                                       .address_count = raw->address_count};
    for (size_t i = 0; i < raw->feature_count; i++) {
        struct injector_feature *feature = &index->features[at->features++];
        injector_feature_parse(raw->features[i].what, raw->features[i].is, feature);
        packet->points += feature->points;
        packet->feature_count++;
    }
    for (size_t i = 0; i < raw->address_count; i++) {
        struct prefix *prefix = &index->addresses[at->addresses++];
        prefix_parse(raw->addresses[i].block, prefix);
        unsigned points = worth_of_address(prefix);
        address_points = i == 0 ? points : MIN_OF(address_points, points);
    }
    packet->points += address_points;
}

int injector_index_build(struct injector_index *ret_index, const struct catalog *catalog)
{
    struct amounts all = count_all(catalog), at = {0};
    struct injector_index index = {
        .injectors = calloc(catalog->injector_count + 1, sizeof(*index.injectors)),
        .packets = calloc(all.packets + 1, sizeof(*index.packets)),
        .features = calloc(all.features + 1, sizeof(*index.features)),
        .addresses = calloc(all.addresses + 1, sizeof(*index.addresses))};

    if (!index.injectors || !index.packets || !index.features || !index.addresses) {
        injector_index_finish(&index);
        return -ENOMEM;
    }
    for (size_t i = 0; i < catalog->injector_count; i++) {
        const struct raw_injector *raw = catalog->injectors[i];
        index.injectors[i] = (struct injector){.id = raw->id,
                                               .scope = raw->scope,
                                               .packets = &index.packets[at.packets],
                                               .packet_count = raw->packet_count};
        for (size_t j = 0; j < raw->packet_count; j++) {
            add_packet(&index, &at, &raw->packets[j]);
        }
    }
    index.table = (struct injector_table){index.injectors, catalog->injector_count};
    *ret_index = index;
    return DL_OK;
}

void injector_index_finish(struct injector_index *index)
{
    free(index->injectors);
    free(index->packets);
    free(index->features);
    free(index->addresses);
    *index = (struct injector_index){0};
}
