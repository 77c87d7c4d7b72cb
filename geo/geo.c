// SPDX-License-Identifier: GPL-3.0-or-later
#include "geo/geo.h"

#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/cursor.h"

/* How many nodes of the tree are looked at when a file is opened; more while no field was found. */
#define CHECK_NODES         4096u
#define CHECK_NODES_MAXIMUM (1u << 20)
#define CHECK_STACK         512u
#define PATH_KEYS           4
#define RECORD_DEPTH        32u
#define RECORD_VALUES       16384u

struct database {
    MMDB_s mmdb; /* entries point to it: never moves */
    bool is_open;
    char *path;
    struct geo_database public;
};

struct geo {
    struct database databases[GEO_DATABASES_MAX];
    size_t count;
};

/* Where a field may be: GeoLite2 and DB-IP, flat, and the enterprise layouts of both. */
static const char *const asn_paths[][PATH_KEYS] = {{"autonomous_system_number"},
                                                   {"traits", "autonomous_system_number"}};
static const char *const organisation_paths[][PATH_KEYS] = {
    {"autonomous_system_organization"}, {"traits", "autonomous_system_organization"}};
/* Where somebody is goes before where the block is registered. */
static const char *const country_paths[][PATH_KEYS] = {
    {"country", "iso_code"}, {"country_code"}, {"registered_country", "iso_code"}};

/* ---- is a record safe to read? ---- */

/* libmaxminddb calls itself for each level of a record: a file could make it run out of stack. */
struct level {
    struct cursor at;
    size_t left;    /* values still to come */
    bool is_target; /* of a pointer: the level around it goes on behind the pointer */
};

/* The control bytes of the MaxMind DB format 2.0. */
static unsigned control_read(struct cursor *c, size_t *ret_size)
{
    uint8_t control = cursor_u8(c);
    unsigned type = control >> 5;
    size_t size = control & 0x1f;

    if (type == MMDB_DATA_TYPE_EXTENDED) {
        type = cursor_u8(c) + 7u;
    }
    if (type != MMDB_DATA_TYPE_POINTER && size >= 29) {
        size = size == 29   ? 29u + cursor_u8(c)
               : size == 30 ? 285u + cursor_u16(c)
                            : 65821u + cursor_u24(c);
    }
    *ret_size = size;
    return type;
}

static uint32_t pointer_read(struct cursor *c, size_t size)
{
    uint32_t high = size & 7, pointer;

    switch (size >> 3) {
    case 0:
        pointer = high << 8 | cursor_u8(c);
        break;
    case 1:
        pointer = (high << 16 | cursor_u16(c)) + 2048;
        break;
    case 2:
        pointer = (high << 24 | cursor_u24(c)) + 526336;
        break;
    default:
        pointer = cursor_u32(c);
        break;
    }
    return pointer;
}

/* Reads one value; a map, an array or a pointer opens a level in `ret_inner`. */
static bool value_walk(struct cursor *c, struct cursor section, struct level *ret_inner)
{
    size_t size;
    unsigned type = control_read(c, &size);
    bool opens = true;

    switch (type) {
    case MMDB_DATA_TYPE_POINTER:
        cursor_skip(&section, pointer_read(c, size));
        *ret_inner = (struct level){.at = section, .left = 1, .is_target = true};
        break;
    case MMDB_DATA_TYPE_MAP:
        *ret_inner = (struct level){.at = *c, .left = size * 2};
        break;
    case MMDB_DATA_TYPE_ARRAY:
        *ret_inner = (struct level){.at = *c, .left = size};
        break;
    case MMDB_DATA_TYPE_BOOLEAN: /* its size is its value */
        opens = false;
        break;
    default:
        cursor_skip(c, size);
        opens = false;
        break;
    }
    return opens;
}

static bool record_is_safe(const MMDB_entry_s *entry)
{
    struct cursor section = cursor_init(entry->mmdb->data_section, entry->mmdb->data_section_size);
    struct level levels[RECORD_DEPTH];
    unsigned depth = 1, values = 0;
    bool safe = true;

    levels[0] = (struct level){.at = section, .left = 1};
    cursor_skip(&levels[0].at, entry->offset);
    while (safe && depth > 0) {
        struct level *level = &levels[depth - 1];
        if (level->left == 0) {
            depth--;
            if (depth > 0 && !level->is_target) {
                levels[depth - 1].at = level->at;
            }
        } else {
            level->left--;
            safe = ++values <= RECORD_VALUES && depth < RECORD_DEPTH;
            depth += safe && value_walk(&level->at, section, &levels[depth]);
            safe = safe && cursor_ok(&level->at);
        }
    }
    return safe;
}

/* ---- one record ---- */

/* DL_OK, DL_NOT_FOUND or DL_CORRUPT. */
static int value_read(const MMDB_entry_s *entry, const char *const *path,
                      MMDB_entry_data_s *ret_data)
{
    MMDB_entry_s start = *entry;
    MMDB_entry_data_s data = {0};
    int result = MMDB_aget_value(&start, &data, path);
    int status = DL_CORRUPT;

    if (result == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) {
        status = DL_NOT_FOUND;
    } else if (result == MMDB_SUCCESS) {
        status = data.has_data ? DL_OK : DL_NOT_FOUND;
    }
    if (status == DL_OK) {
        *ret_data = data;
    }
    return status;
}

static uint32_t asn_of(const MMDB_entry_data_s *data)
{
    uint64_t asn = 0;

    switch (data->type) {
    case MMDB_DATA_TYPE_UINT16:
        asn = data->uint16;
        break;
    case MMDB_DATA_TYPE_UINT32:
        asn = data->uint32;
        break;
    case MMDB_DATA_TYPE_UINT64:
        asn = data->uint64;
        break;
    default:
        break;
    }
    return asn <= UINT32_MAX ? (uint32_t)asn : 0;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Two letters; anything else ("-", "None", "") says nothing, and ZZ is ISO's nowhere. */
static void country_of(const MMDB_entry_data_s *data, char ret_country[3])
{
    char a, b;

    if (data->type == MMDB_DATA_TYPE_UTF8_STRING && data->data_size == 2) {
        a = (char)(data->utf8_string[0] & ~0x20);
        b = (char)(data->utf8_string[1] & ~0x20);
        if (is_upper(a) && is_upper(b) && !(a == 'Z' && b == 'Z')) {
            ret_country[0] = a;
            ret_country[1] = b;
            ret_country[2] = '\0';
        }
    }
}

/* Cut between characters where it is too long. */
static void organisation_of(const MMDB_entry_data_s *data, char ret_text[GEO_TEXT_SIZE])
{
    size_t length;

    if (data->type == MMDB_DATA_TYPE_UTF8_STRING) {
        length = MIN_OF(data->data_size, GEO_TEXT_SIZE - 1u);
        while (length > 0 && length < data->data_size &&
               (data->utf8_string[length] & 0xc0) == 0x80) {
            length--;
        }
        memcpy(ret_text, data->utf8_string, length);
        ret_text[length] = '\0';
    }
}

/* Fills what is open in `place`. DL_OK or DL_CORRUPT. */
static int place_fill(struct geo_place *place, const MMDB_entry_s *entry)
{
    MMDB_entry_data_s data;
    int status = record_is_safe(entry) ? DL_OK : DL_CORRUPT;

    for (size_t i = 0; i < ARRAY_LENGTH(asn_paths) && place->asn == 0 && status != DL_CORRUPT;
         i++) {
        status = value_read(entry, asn_paths[i], &data);
        place->asn = status == DL_OK ? asn_of(&data) : 0;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(organisation_paths) && place->organisation[0] == '\0' &&
                       status != DL_CORRUPT;
         i++) {
        status = value_read(entry, organisation_paths[i], &data);
        if (status == DL_OK) {
            organisation_of(&data, place->organisation);
        }
    }
    for (size_t i = 0;
         i < ARRAY_LENGTH(country_paths) && place->country[0] == '\0' && status != DL_CORRUPT;
         i++) {
        status = value_read(entry, country_paths[i], &data);
        if (status == DL_OK) {
            country_of(&data, place->country);
        }
    }
    return status == DL_CORRUPT ? DL_CORRUPT : DL_OK;
}

/* ---- opening ---- */

struct check {
    uint32_t stack[CHECK_STACK];
    size_t depth;
    uint32_t visited;
    bool has_fields;
};

static int check_record(struct check *check, uint64_t record, uint8_t type, MMDB_entry_s *entry)
{
    struct geo_place place = {0};
    int status = DL_OK;

    switch (type) {
    case MMDB_RECORD_TYPE_SEARCH_NODE:
        /* A tree is 128 deep: a file that needs more has loops. */
        if (check->depth == CHECK_STACK) {
            status = DL_CORRUPT;
        } else {
            check->stack[check->depth++] = (uint32_t)record;
        }
        break;
    case MMDB_RECORD_TYPE_DATA:
        status = place_fill(&place, entry);
        check->has_fields |= place.asn != 0 || place.country[0] != '\0';
        break;
    case MMDB_RECORD_TYPE_EMPTY:
        break;
    default:
        status = DL_CORRUPT;
        break;
    }
    return status;
}

/* Walks a part of the tree: is it whole, and does any record have a field of ours? */
static int check_tree(const MMDB_s *mmdb)
{
    struct check check = {.depth = 1};
    MMDB_search_node_s node;
    int status = DL_OK;

    while (status == DL_OK && check.depth > 0 &&
           check.visited < (check.has_fields ? CHECK_NODES : CHECK_NODES_MAXIMUM)) {
        check.visited++;
        if (MMDB_read_node(mmdb, check.stack[--check.depth], &node) != MMDB_SUCCESS) {
            status = DL_CORRUPT;
        }
        if (status == DL_OK) {
            status = check_record(&check, node.right_record, node.right_record_type,
                                  &node.right_record_entry);
        }
        if (status == DL_OK) {
            status = check_record(&check, node.left_record, node.left_record_type,
                                  &node.left_record_entry);
        }
    }
    if (status == DL_OK && !check.has_fields) {
        status = DL_UNSUPPORTED;
    }
    return status;
}

/* The library would wait on a pipe and says little of what is missing. */
static int check_file(const char *path, struct dl_error *error)
{
    struct stat info;
    int status = DL_OK;

    if (stat(path, &info) != 0) {
        status = dl_error_set(error, -errno, "%s: %s", path, dl_strerror(-errno));
    } else if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        status = dl_error_set(error, DL_CORRUPT, "%s: not a MaxMind database", path);
    }
    return status;
}

static int mmdb_status(int result)
{
    int status = DL_CORRUPT;

    if (result == MMDB_OUT_OF_MEMORY_ERROR) {
        status = -ENOMEM;
    } else if (result == MMDB_FILE_OPEN_ERROR || result == MMDB_IO_ERROR) {
        status = errno ? -errno : -EIO;
    }
    return status;
}

static int database_open(struct database *database, const char *path, struct dl_error *error)
{
    int result, status = check_file(path, error);

    if (status != DL_OK) {
        goto out;
    }
    errno = 0;
    result = MMDB_open(path, MMDB_MODE_MMAP, &database->mmdb);
    if (result != MMDB_SUCCESS) {
        status = mmdb_status(result);
        dl_error_set(error, status, "%s: %s", path, MMDB_strerror(result));
        goto out;
    }
    database->is_open = true;
    database->path = strdup(path);
    if (!database->path) {
        status = -ENOMEM;
        goto out;
    }
    database->public = (struct geo_database){.path = database->path,
                                             .type = database->mmdb.metadata.database_type};
    database->public.built_us =
        (int64_t)MIN_OF(database->mmdb.metadata.build_epoch, (uint64_t)UINT32_MAX) *
        CLOCK_SECOND_US;
    status = check_tree(&database->mmdb);
    if (status == DL_CORRUPT) {
        dl_error_set(error, status, "%s: the database is damaged", path);
    } else if (status != DL_OK) {
        dl_error_set(error, status, "%s: a database of type '%.80s' tells no network or country",
                     path, database->public.type);
    }
out:
    return status;
}

int geo_open(struct geo **ret_geo, const char *const *paths, size_t count, struct dl_error *error)
{
    struct geo *geo = NULL;
    int status = DL_OK;

    if (count > GEO_DATABASES_MAX) {
        status = dl_error_set(error, DL_LIMIT, "at most %d databases of addresses at once",
                              GEO_DATABASES_MAX);
        goto out;
    }
    geo = calloc(1, sizeof(*geo));
    if (!geo) {
        status = -ENOMEM;
        goto out;
    }
    for (size_t i = 0; i < count && status == DL_OK; i++) {
        geo->count++; /* also the one that fails: it may be open */
        status = database_open(&geo->databases[i], paths[i], error);
    }
    if (status == DL_OK) {
        *ret_geo = geo;
        geo = NULL;
    }
out:
    geo_close(geo);
    return status;
}

void geo_close(struct geo *geo)
{
    for (size_t i = 0; geo && i < geo->count; i++) {
        if (geo->databases[i].is_open) {
            MMDB_close(&geo->databases[i].mmdb);
        }
        free(geo->databases[i].path);
    }
    free(geo);
}

/* ---- asking ---- */

static MMDB_lookup_result_s lookup(const MMDB_s *mmdb, const struct address *address,
                                   int *ret_error)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = address_is_v4(address);

    memcpy(&v4.sin_addr, address->bytes + 12, 4);
    memcpy(&v6.sin6_addr, address->bytes, 16);
    return MMDB_lookup_sockaddr(
        mmdb, is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6, ret_error);
}

int geo_find(const struct geo *geo, const struct address *address, struct geo_place *ret_place)
{
    struct geo_place place = {0};
    MMDB_lookup_result_s result;
    bool found = false;
    int status = DL_OK, error;

    for (size_t i = 0; i < geo->count && status == DL_OK; i++) {
        error = MMDB_SUCCESS;
        result = lookup(&geo->databases[i].mmdb, address, &error);
        if (error == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR) {
            continue;
        }
        status = error == MMDB_SUCCESS ? DL_OK : DL_CORRUPT;
        if (status == DL_OK && result.found_entry) {
            found = true;
            status = place_fill(&place, &result.entry);
        }
    }
    if (status == DL_OK && !found) {
        status = DL_NOT_FOUND;
    }
    if (status == DL_OK) {
        *ret_place = place;
    }
    return status;
}

size_t geo_database_count(const struct geo *geo)
{
    return geo->count;
}

const struct geo_database *geo_database_at(const struct geo *geo, size_t index)
{
    return index < geo->count ? &geo->databases[index].public : NULL;
}
