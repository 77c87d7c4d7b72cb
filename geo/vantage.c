// SPDX-License-Identifier: GPL-3.0-or-later
#include "geo/vantage.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buffer.h"

#define FILE_MAXIMUM ((size_t)64 << 10)

/* ---- the file, as libcyaml reads it: pointers, since a missing field is not a zero ---- */

struct raw_vantage {
    char *probe_id, *carrier, *country;
    uint32_t *asn;
    enum network_kind *network;
    enum position *position;
    enum clock_state *clock;
    enum origin *origin;
    char **local_networks;
    unsigned local_networks_count;
};

#define TEXT(key, member, least, most)                                                             \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_vantage,      \
                           member, least, most)
#define WORD(key, member, words)                                                                   \
    CYAML_FIELD_ENUM_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,        \
                         struct raw_vantage, member, words, ARRAY_LENGTH(words))

static const cyaml_strval_t network_words[] = {
    {"mobile", NETWORK_MOBILE}, {"fixed", NETWORK_FIXED}, {"transit", NETWORK_TRANSIT}};
static const cyaml_strval_t position_words[] = {{"subscriber", POSITION_SUBSCRIBER},
                                                {"carrier", POSITION_CARRIER},
                                                {"server", POSITION_SERVER}};
static const cyaml_strval_t clock_words[] = {{"synchronised", CLOCK_SYNCHRONISED},
                                             {"unsynchronised", CLOCK_UNSYNCHRONISED},
                                             {"unknown", CLOCK_UNKNOWN}};
static const cyaml_strval_t origin_words[] = {{"field", ORIGIN_FIELD},
                                              {"lab", ORIGIN_LAB},
                                              {"composed", ORIGIN_COMPOSED},
                                              {"imported", ORIGIN_IMPORTED}};

static const cyaml_schema_value_t prefix_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, CYAML_UNLIMITED)};

static const cyaml_schema_field_t vantage_fields[] = {
    TEXT("probe_id", probe_id, 1, VANTAGE_TEXT_SIZE - 1),
    TEXT("carrier", carrier, 1, VANTAGE_TEXT_SIZE - 1),
    CYAML_FIELD_UINT_PTR("asn", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_vantage, asn),
    TEXT("country", country, 2, 2),
    WORD("network", network, network_words),
    WORD("position", position, position_words),
    WORD("clock", clock, clock_words),
    WORD("origin", origin, origin_words),
    CYAML_FIELD_SEQUENCE("local_networks", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct raw_vantage, local_networks, &prefix_entry, 0,
                         VANTAGE_NETWORKS_MAX),
    CYAML_FIELD_END};

static const cyaml_schema_value_t vantage_document = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_vantage, vantage_fields)};

/* libcyaml tells an error in several calls: what is wrong, then from the inside out where. */
struct complaint {
    char what[256];
    unsigned line;
};

static void complaint_collect(cyaml_log_t level, void *context, const char *format,
                              va_list arguments)
{
    struct complaint *complaint = context;
    char text[256], *start = text;
    const char *line;

    (void)level;
    vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\n")] = '\0';
    start += strncmp(start, "Load: ", 6) == 0 ? 6 : 0;
    line = strstr(start, " (line: ");
    if (line) {
        if (complaint->line == 0) {
            complaint->line = (unsigned)strtoul(line + strlen(" (line: "), NULL, 10);
        }
    } else if (strstr(start, "Backtrace:") == NULL && complaint->what[0] == '\0') {
        snprintf(complaint->what, sizeof(complaint->what), "%s", start);
    }
}

static cyaml_config_t yaml_config(struct complaint *complaint)
{
    return (cyaml_config_t){.log_fn = complaint_collect,
                            .log_ctx = complaint,
                            .mem_fn = cyaml_mem,
                            .log_level = CYAML_LOG_WARNING,
                            .flags = CYAML_CFG_NO_ALIAS};
}

/* libcyaml keeps no lines of values: the first line that has both words, from `key` on. */
static unsigned line_of(const struct buffer *text, const char *key, const char *value)
{
    const char *start = buffer_text(text), *at = strstr(start, key);
    unsigned line = 1;

    at = at && strstr(at, value) ? strstr(at, value) : start;
    for (const char *c = start; c < at; c++) {
        line += *c == '\n';
    }
    return line;
}

/* Of a bad key libcyaml only tells where the mapping begins: the last line that begins with it. */
static unsigned complaint_line(const struct complaint *complaint, const struct buffer *text)
{
    const char *key = strstr(complaint->what, ": "), *line = buffer_text(text);
    unsigned found = MAX_OF(complaint->line, 1u);
    bool of_key = strncmp(complaint->what, "Unexpected key", strlen("Unexpected key")) == 0 ||
                  strstr(complaint->what, "already seen") != NULL;

    for (unsigned number = 1; key && of_key && *line; number++) {
        found = strncmp(line, key + 2, strlen(key + 2)) == 0 ? number : found;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return found;
}

static int yaml_parse(struct raw_vantage **ret_raw, const char *path, const struct buffer *text,
                      struct dl_error *error)
{
    struct complaint complaint = {0};
    cyaml_config_t config = yaml_config(&complaint);
    struct raw_vantage *raw = NULL;
    cyaml_err_t result = cyaml_load_data((const uint8_t *)buffer_text(text), text->length, &config,
                                         &vantage_document, (cyaml_data_t **)&raw, NULL);
    int status = DL_OK;

    if (result == CYAML_ERR_OOM) {
        status = -ENOMEM;
    } else if (result != CYAML_OK || complaint.what[0] != '\0') {
        /* A warning, too: it is about something left out in silence, as a second document. */
        status = dl_error_set(error, DL_MALFORMED, "%s: line %u: %s", path,
                              complaint_line(&complaint, text),
                              complaint.what[0] ? complaint.what : cyaml_strerror(result));
    } else if (!raw) {
        status = dl_error_set(error, DL_MALFORMED, "%s: line 1: nothing in it", path);
    }
    if (status == DL_OK) {
        *ret_raw = raw;
        raw = NULL;
    }
    if (raw) {
        cyaml_free(&config, &vantage_document, raw, 0);
    }
    return status;
}

/* ---- from the file to a draft ---- */

static int file_read(struct buffer *text, const char *path, struct dl_error *error)
{
    char chunk[4096];
    ssize_t got = 0;
    int status = DL_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0) {
        while ((got = read(fd, chunk, sizeof(chunk))) > 0 && !text->failed) {
            buffer_append(text, chunk, (size_t)got);
        }
    }
    if (fd < 0 || got < 0) {
        status = dl_error_set(error, -errno, "%s: %s", path, dl_strerror(-errno));
    } else if (text->failed) {
        status = dl_error_set(error, DL_MALFORMED, "%s: line 1: larger than %zu bytes", path,
                              FILE_MAXIMUM);
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

static bool is_name(const char *text, const char *characters)
{
    return text[strspn(text, characters)] == '\0';
}

#define LETTERS_LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS        "0123456789"

static int raw_check(const struct raw_vantage *raw, const char *path, const struct buffer *text,
                     struct dl_error *error)
{
    int status = DL_OK;

    if (raw->probe_id && !is_name(raw->probe_id, LETTERS_LOWER LETTERS_UPPER DIGITS "-_.")) {
        status = dl_error_set(error, DL_MALFORMED,
                              "%s: line %u: probe_id '%s' is not of letters, digits, '-', '_', '.'",
                              path, line_of(text, "probe_id", raw->probe_id), raw->probe_id);
    } else if (raw->carrier && !is_name(raw->carrier, LETTERS_LOWER DIGITS "-")) {
        status = dl_error_set(error, DL_MALFORMED,
                              "%s: line %u: carrier '%s' is not of a-z, digits and '-'", path,
                              line_of(text, "carrier", raw->carrier), raw->carrier);
    } else if (raw->asn && *raw->asn == 0) {
        status = dl_error_set(error, DL_MALFORMED, "%s: line %u: asn 0 is nobody's", path,
                              line_of(text, "asn", "asn"));
    } else if (raw->country && !is_name(raw->country, LETTERS_UPPER)) {
        status = dl_error_set(error, DL_MALFORMED,
                              "%s: line %u: country '%s' is not two capital letters", path,
                              line_of(text, "country", raw->country), raw->country);
    }
    return status;
}

static int networks_take(struct vantage_draft *draft, const struct raw_vantage *raw,
                         const char *path, const struct buffer *text, struct dl_error *error)
{
    struct vantage *v = &draft->vantage;
    int status = DL_OK;

    for (unsigned i = 0; i < raw->local_networks_count && status == DL_OK; i++) {
        const char *network = raw->local_networks[i];
        status = prefix_parse(network, &v->local_networks[v->local_network_count]);
        if (status == DL_OK) {
            v->local_network_count++;
        } else {
            status = dl_error_set(error, DL_MALFORMED, "%s: line %u: '%s' is no network", path,
                                  line_of(text, "local_networks", network), network);
        }
    }
    if (raw->local_networks) {
        draft->set |= VANTAGE_LOCAL_NETWORKS;
    }
    return status;
}

static void text_take(struct vantage_draft *draft, char *field, size_t size, const char *raw,
                      enum vantage_field bit)
{
    if (raw) {
        snprintf(field, size, "%s", raw);
        draft->set |= (uint16_t)bit;
    }
}

static void raw_take(struct vantage_draft *draft, const struct raw_vantage *raw)
{
    struct vantage *v = &draft->vantage;

    text_take(draft, v->probe_id, sizeof(v->probe_id), raw->probe_id, VANTAGE_PROBE_ID);
    text_take(draft, v->carrier, sizeof(v->carrier), raw->carrier, VANTAGE_CARRIER);
    text_take(draft, v->country, sizeof(v->country), raw->country, VANTAGE_COUNTRY);
    if (raw->asn) {
        v->asn = *raw->asn;
        draft->set |= VANTAGE_ASN;
    }
    if (raw->network) {
        v->network = *raw->network;
        draft->set |= VANTAGE_NETWORK;
    }
    if (raw->position) {
        v->position = *raw->position;
        draft->set |= VANTAGE_POSITION;
    }
    if (raw->clock) {
        v->clock = *raw->clock;
        draft->set |= VANTAGE_CLOCK;
    }
    if (raw->origin) {
        v->origin = *raw->origin;
        draft->set |= VANTAGE_ORIGIN;
    }
}

int vantage_read(struct vantage_draft *ret_draft, const char *path, struct dl_error *error)
{
    struct complaint complaint = {0};
    cyaml_config_t config = yaml_config(&complaint);
    struct vantage_draft draft = {0};
    struct raw_vantage *raw = NULL;
    struct buffer text;
    int status;

    buffer_init(&text, FILE_MAXIMUM);
    status = file_read(&text, path, error);
    if (status == DL_OK) {
        status = yaml_parse(&raw, path, &text, error);
    }
    if (status == DL_OK) {
        status = raw_check(raw, path, &text, error);
    }
    if (status == DL_OK) {
        raw_take(&draft, raw);
        status = networks_take(&draft, raw, path, &text, error);
    }
    if (status == DL_OK) {
        *ret_draft = draft;
    }
    if (raw) {
        cyaml_free(&config, &vantage_document, raw, 0);
    }
    buffer_finish(&text);
    return status;
}

/* ---- beside which file ---- */

static bool cut_suffix(const char *name, size_t *length, const char *suffix)
{
    size_t cut = strlen(suffix);
    bool has = *length > cut && strncasecmp(name + *length - cut, suffix, cut) == 0;

    *length -= has ? cut : 0;
    return has;
}

bool vantage_path(char *ret_path, size_t size, const char *capture_path)
{
    static const char *const packed[] = {".gz", ".zst", ".zstd"};
    static const char *const captures[] = {".pcap", ".pcapng", ".cap", ".ntar", ".dmp"};
    const char *slash = strrchr(capture_path, '/');
    const char *name = slash ? slash + 1 : capture_path;
    size_t length = strlen(name), whole;
    int written;

    for (size_t i = 0; i < ARRAY_LENGTH(packed) && !cut_suffix(name, &length, packed[i]);) {
        i++;
    }
    /* tcpdump -C numbers its files: demo.pcap, demo.pcap1, demo.pcap2 ... */
    for (whole = length; length > 0 && name[length - 1] >= '0' && name[length - 1] <= '9';) {
        length--;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(captures); i++) {
        if (cut_suffix(name, &length, captures[i])) {
            whole = length;
            break;
        }
    }
    written = snprintf(ret_path, size, "%.*s%.*s.vantage.yaml", (int)(name - capture_path),
                       capture_path, (int)whole, name);
    return name[0] != '\0' && written > 0 && (size_t)written < size;
}

/* ---- what is open ---- */

void vantage_merge(struct vantage_draft *draft, const struct vantage_draft *other)
{
    uint16_t wanted = other->set & (uint16_t)~draft->set;
    struct vantage *to = &draft->vantage;
    const struct vantage *from = &other->vantage;

    if (wanted & VANTAGE_PROBE_ID) {
        memcpy(to->probe_id, from->probe_id, sizeof(to->probe_id));
    }
    if (wanted & VANTAGE_CARRIER) {
        memcpy(to->carrier, from->carrier, sizeof(to->carrier));
    }
    if (wanted & VANTAGE_COUNTRY) {
        memcpy(to->country, from->country, sizeof(to->country));
    }
    if (wanted & VANTAGE_LOCAL_NETWORKS) {
        memcpy(to->local_networks, from->local_networks, sizeof(to->local_networks));
        to->local_network_count = from->local_network_count;
    }
    to->asn = wanted & VANTAGE_ASN ? from->asn : to->asn;
    to->network = wanted & VANTAGE_NETWORK ? from->network : to->network;
    to->position = wanted & VANTAGE_POSITION ? from->position : to->position;
    to->clock = wanted & VANTAGE_CLOCK ? from->clock : to->clock;
    to->origin = wanted & VANTAGE_ORIGIN ? from->origin : to->origin;
    draft->set |= wanted;
}

bool vantage_is_local(const struct vantage *vantage, const struct address *address)
{
    bool is_local = false;

    for (unsigned i = 0; i < vantage->local_network_count && !is_local; i++) {
        is_local = prefix_contains(&vantage->local_networks[i], address);
    }
    return is_local;
}

/* ---- the vote ---- */

static const struct catalog_carrier *carrier_of(const struct catalog *catalog, uint32_t asn,
                                                const struct address *client, int64_t time_us)
{
    const struct catalog_carrier *carrier = NULL;

    if (catalog) {
        carrier = asn ? catalog_carrier_by_asn(catalog, asn, time_us)
                      : catalog_carrier_by_address(catalog, client);
    }
    return carrier;
}

static void add_votes(struct vantage_votes *votes, uint32_t asn, uint16_t carrier,
                      const char country[3], uint32_t count)
{
    uint32_t i = 0;

    while (i < votes->count &&
           (votes->places[i].asn != asn || votes->places[i].carrier != carrier ||
            strcmp(votes->places[i].country, country) != 0)) {
        i++;
    }
    if (i == votes->count && votes->count < VANTAGE_VOTES_MAX) {
        votes->places[i].asn = asn;
        votes->places[i].carrier = carrier;
        memcpy(votes->places[i].country, country, sizeof(votes->places[i].country));
        votes->places[i].votes = 0;
        votes->count++;
    }
    if (i < votes->count) {
        votes->places[i].votes += count;
    }
}

void vantage_vote(struct vantage_votes *votes, const struct geo *geo, const struct catalog *catalog,
                  const struct address *client, int64_t time_us)
{
    struct geo_place place = {0};
    const struct catalog_carrier *carrier;
    uint16_t number;

    if (address_is_private(client)) {
        return;
    }
    votes->total++;
    if (geo) {
        (void)geo_find(geo, client, &place); /* unknown or damaged: the catalog may know */
    }
    carrier = carrier_of(catalog, place.asn, client, time_us);
    number = carrier ? carrier->number : 0;
    if (!carrier && place.asn == 0 && place.country[0] == '\0') {
        return;
    }
    if (place.country[0] == '\0' && carrier) {
        snprintf(place.country, sizeof(place.country), "%s", carrier->country);
    }
    add_votes(votes, place.asn, number, place.country, 1);
}

void vantage_votes_add(struct vantage_votes *votes, const struct vantage_votes *other)
{
    for (uint32_t i = 0; i < other->count; i++) {
        add_votes(votes, other->places[i].asn, other->places[i].carrier, other->places[i].country,
                  other->places[i].votes);
    }
    votes->total += other->total;
}

static bool same_asn(const struct vantage_votes *votes, uint32_t a, uint32_t b)
{
    return votes->places[a].asn != 0 && votes->places[a].asn == votes->places[b].asn;
}

static bool same_carrier(const struct vantage_votes *votes, uint32_t a, uint32_t b)
{
    return votes->places[a].carrier != 0 && votes->places[a].carrier == votes->places[b].carrier;
}

static bool same_country(const struct vantage_votes *votes, uint32_t a, uint32_t b)
{
    return votes->places[a].country[0] != '\0' &&
           strcmp(votes->places[a].country, votes->places[b].country) == 0;
}

/* The place whose property more than half of all voters share; votes->count if none. */
static uint32_t majority(const struct vantage_votes *votes,
                         bool (*same)(const struct vantage_votes *votes, uint32_t a, uint32_t b))
{
    for (uint32_t i = 0; i < votes->count; i++) {
        uint64_t sum = 0;
        for (uint32_t j = 0; j < votes->count; j++) {
            sum += same(votes, i, j) ? votes->places[j].votes : 0;
        }
        if (sum * 2 > votes->total) {
            return i;
        }
    }
    return votes->count;
}

/* "as<N>" where the catalog has no carrier of this number. */
static void carrier_name(char ret_name[VANTAGE_TEXT_SIZE], const struct catalog_carrier *carrier,
                         uint32_t asn)
{
    if (carrier) {
        snprintf(ret_name, VANTAGE_TEXT_SIZE, "%s", carrier->id);
    } else {
        snprintf(ret_name, VANTAGE_TEXT_SIZE, "as%u", asn);
    }
}

/* The AS number more than half share, unless it is another carrier's than the given one. */
static void settle_asn(struct vantage_draft *draft, const struct vantage_votes *votes,
                       const struct catalog *catalog)
{
    char name[VANTAGE_TEXT_SIZE];
    uint32_t i = majority(votes, same_asn);

    if ((draft->set & VANTAGE_ASN) || i == votes->count) {
        return;
    }
    carrier_name(name, catalog ? catalog_carrier_at(catalog, votes->places[i].carrier) : NULL,
                 votes->places[i].asn);
    if (!(draft->set & VANTAGE_CARRIER) || strcmp(name, draft->vantage.carrier) == 0) {
        draft->vantage.asn = votes->places[i].asn;
        draft->set |= VANTAGE_ASN;
    }
}

static void settle_carrier(struct vantage_draft *draft, const struct vantage_votes *votes,
                           const struct catalog *catalog, int64_t time_us)
{
    const struct catalog_carrier *carrier = NULL;
    struct vantage *v = &draft->vantage;
    uint32_t i = majority(votes, same_carrier);

    if (draft->set & VANTAGE_CARRIER) {
        return;
    }
    if (catalog && v->asn) {
        carrier = catalog_carrier_by_asn(catalog, v->asn, time_us);
    } else if (catalog && i < votes->count) {
        carrier = catalog_carrier_at(catalog, votes->places[i].carrier);
    }
    if (carrier || v->asn) {
        carrier_name(v->carrier, carrier, v->asn);
        draft->set |= VANTAGE_CARRIER;
    }
}

static void settle_place(struct vantage_draft *draft, const struct vantage_votes *votes,
                         const struct catalog *catalog, bool carrier_given)
{
    const struct catalog_carrier *carrier =
        catalog && (draft->set & VANTAGE_CARRIER)
            ? catalog_carrier_find(catalog, draft->vantage.carrier)
            : NULL;
    uint32_t i = majority(votes, same_country);
    const char *country = i < votes->count ? votes->places[i].country : NULL;

    /* A carrier somebody named says more than where its customers seem to be. */
    if (carrier && (carrier_given || !country)) {
        country = carrier->country;
    }
    if (!(draft->set & VANTAGE_COUNTRY) && country) {
        snprintf(draft->vantage.country, sizeof(draft->vantage.country), "%s", country);
        draft->set |= VANTAGE_COUNTRY;
    }
    if (!(draft->set & VANTAGE_NETWORK) && carrier && carrier->network != NETWORK_NONE) {
        draft->vantage.network = carrier->network;
        draft->set |= VANTAGE_NETWORK;
    }
}

void vantage_settle(struct vantage_draft *draft, const struct vantage_votes *votes,
                    const struct catalog *catalog, int64_t time_us)
{
    static const struct vantage_votes nobody;
    bool carrier_given = (draft->set & VANTAGE_CARRIER) != 0;
    bool at_server = (draft->set & VANTAGE_POSITION) && draft->vantage.position == POSITION_SERVER;

    /* Clients of a server are anywhere: they tell nothing about where it stands. */
    votes = at_server || !votes ? &nobody : votes;
    settle_asn(draft, votes, catalog);
    settle_carrier(draft, votes, catalog, time_us);
    settle_place(draft, votes, catalog, carrier_given);
}
