// SPDX-License-Identifier: GPL-3.0-or-later
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/digest.h"
#include "catalog/catalog_internal.h"

#define FILE_MAXIMUM ((size_t)4 << 20)

struct room {
    const char *name;
    enum yaml_kind kind;
};

/* In the order of their names, for the digest. */
static const struct room rooms[] = {{"blockpages", YAML_BLOCKPAGE}, {"carriers", YAML_CARRIER},
                                    {"controls", YAML_SERVICE},     {"injectors", YAML_INJECTOR},
                                    {"networks", YAML_NETWORK},     {"orders", YAML_ORDER},
                                    {"services", YAML_SERVICE}};

/* ---- files ---- */

int catalog_read_file(struct buffer *ret_text, const char *path, size_t maximum,
                      struct dl_error *error)
{
    struct buffer text;
    char chunk[16384];
    ssize_t got;
    int status = DL_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    buffer_init(&text, maximum);
    if (fd < 0) {
        status = dl_error_set(error, -errno, "%s: %s", path, dl_strerror(-errno));
        goto out;
    }
    do {
        got = read(fd, chunk, sizeof(chunk));
        if (got > 0) {
            buffer_append(&text, chunk, (size_t)got);
        }
    } while ((got > 0 && !text.failed) || (got < 0 && errno == EINTR));
    if (got < 0) {
        status = dl_error_set(error, -errno, "%s: %s", path, dl_strerror(-errno));
        goto out;
    }
    if (text.failed) {
        status = dl_error_set(error, DL_LIMIT, "%s: larger than %zu bytes", path, maximum);
        goto out;
    }
    *ret_text = text;
    text = (struct buffer){0};
out:
    buffer_finish(&text);
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

/* Names and contents, each with its length, so that no two catalogs read alike. */
static void digest_file(struct digest *digest, const char *room, const char *name,
                        const struct buffer *text)
{
    const char *parts[] = {room, name, buffer_text(text)};
    size_t lengths[] = {strlen(room), strlen(name), text->length};

    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        uint64_t length = htole64(lengths[i]);
        digest_update(digest, &length, sizeof(length));
        digest_update(digest, parts[i], lengths[i]);
    }
}

void *catalog_grow(void *array, size_t count, size_t *capacity, size_t item_size)
{
    size_t wanted = *capacity ? *capacity * 2 : 64;
    void *grown = array;

    if (count >= *capacity) {
        grown = reallocarray(array, wanted, item_size);
        if (grown) {
            *capacity = wanted;
        }
    }
    return grown;
}

/* Takes `file` and `data` over, also when it fails. */
static int document_add(struct catalog *catalog, enum yaml_kind kind, char *file, void *data)
{
    struct document *documents = catalog_grow(catalog->documents, catalog->document_count,
                                              &catalog->document_capacity, sizeof(*documents));

    if (!documents) {
        catalog_yaml_free(kind, data, 0);
        free(file);
        return -ENOMEM;
    }
    catalog->documents = documents;
    documents[catalog->document_count++] =
        (struct document){.kind = kind, .file = file, .data = data};
    return DL_OK;
}

static void document_set_file(enum yaml_kind kind, void *data, const char *file, bool is_control)
{
    switch (kind) {
    case YAML_BLOCKPAGE:
        ((struct raw_blockpage *)data)->file = file;
        break;
    case YAML_CARRIER:
        ((struct raw_carrier *)data)->file = file;
        break;
    case YAML_COUNTRIES:
        ((struct raw_countries *)data)->file = file;
        break;
    case YAML_INJECTOR:
        ((struct raw_injector *)data)->file = file;
        break;
    case YAML_NETWORK:
        ((struct raw_network *)data)->file = file;
        break;
    case YAML_ORDER:
        ((struct raw_order *)data)->file = file;
        break;
    case YAML_SERVICE:
        ((struct raw_service *)data)->file = file;
        ((struct raw_service *)data)->is_control = is_control;
        break;
    case YAML_INVENTORY:
        break;
    }
}

/* A room without a name is the folder itself. */
static int load_file(struct catalog *catalog, const char *folder, const struct room *room,
                     const char *name, struct digest *digest, struct dl_error *error)
{
    struct buffer text = {0};
    char *file = NULL;
    void *data = NULL;
    unsigned count;
    int status = -ENOMEM;

    if (asprintf(&file, "%s%s%s/%s", folder, room->name[0] ? "/" : "", room->name, name) < 0) {
        file = NULL;
        goto out;
    }
    status = catalog_read_file(&text, file, FILE_MAXIMUM, error);
    if (status != DL_OK) {
        goto out;
    }
    digest_file(digest, room->name, name, &text);
    status = catalog_yaml_load(room->kind, file, &text, &data, &count, error);
    if (status != DL_OK) {
        /* DL_EMPTY is for a catalog without services. */
        status = status == DL_EMPTY ? DL_MALFORMED : status;
        error->status = status;
        goto out;
    }
    document_set_file(room->kind, data, file, strcmp(room->name, "controls") == 0);
    status = document_add(catalog, room->kind, file, data);
    file = NULL;
out:
    free(file);
    buffer_finish(&text);
    return status;
}

static int is_yaml(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name), end = strlen(".yaml");

    return entry->d_name[0] != '.' && length > end &&
           strcmp(entry->d_name + length - end, ".yaml") == 0;
}

/* By bytes, not by the locale: the same everywhere. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_room(struct catalog *catalog, const char *folder, const struct room *room,
                     struct digest *digest, struct dl_error *error)
{
    struct dirent **names = NULL;
    char *path = NULL;
    int count = 0, status = DL_OK;

    if (asprintf(&path, "%s/%s", folder, room->name) < 0) {
        path = NULL;
        status = -ENOMEM;
        goto out;
    }
    count = scandir(path, &names, is_yaml, compare_names);
    if (count < 0) {
        if (errno != ENOENT || strcmp(room->name, "services") == 0) {
            status = dl_error_set(error, -errno, "%s: %s", path, dl_strerror(-errno));
        }
        goto out;
    }
    for (int i = 0; status == DL_OK && i < count; i++) {
        status = load_file(catalog, folder, room, names[i]->d_name, digest, error);
    }
out:
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
    free(path);
    return status;
}

/* A catalog need not have the file: then nobody's local time is known. */
static int load_countries(struct catalog *catalog, const char *folder, struct digest *digest,
                          struct dl_error *error)
{
    static const struct room here = {"", YAML_COUNTRIES};
    int status = load_file(catalog, folder, &here, "countries.yaml", digest, error);

    if (status == -ENOENT) {
        error->message[0] = '\0';
        status = DL_OK;
    } else if (status == DL_OK) {
        catalog->countries = catalog->documents[catalog->document_count - 1].data;
    }
    return status;
}

static int load_rooms(struct catalog *catalog, const char *folder, struct dl_error *error)
{
    struct digest *digest = NULL;
    uint8_t hash[DIGEST_SIZE];
    char text[DIGEST_TEXT_SIZE];
    int status = digest_setup();

    if (status == DL_OK) {
        status = digest_create(&digest);
    }
    if (status == DL_OK) {
        status = load_countries(catalog, folder, digest, error);
    }
    for (size_t i = 0; status == DL_OK && i < ARRAY_LENGTH(rooms); i++) {
        status = load_room(catalog, folder, &rooms[i], digest, error);
    }
    if (status == DL_OK) {
        digest_final(digest, hash);
        snprintf(catalog->version, sizeof(catalog->version), "%s", digest_text(hash, text));
    }
    digest_destroy(digest);
    return status;
}

/* ---- documents to arrays ---- */

static int compare_services(const void *a, const void *b)
{
    return strcmp((*(struct raw_service *const *)a)->public.id,
                  (*(struct raw_service *const *)b)->public.id);
}

static int compare_networks(const void *a, const void *b)
{
    return strcmp((*(struct raw_network *const *)a)->id, (*(struct raw_network *const *)b)->id);
}

static int compare_carriers(const void *a, const void *b)
{
    return strcmp((*(struct raw_carrier *const *)a)->public.id,
                  (*(struct raw_carrier *const *)b)->public.id);
}

static int compare_blockpages(const void *a, const void *b)
{
    return strcmp((*(struct raw_blockpage *const *)a)->id, (*(struct raw_blockpage *const *)b)->id);
}

static int compare_injectors(const void *a, const void *b)
{
    return strcmp((*(struct raw_injector *const *)a)->id, (*(struct raw_injector *const *)b)->id);
}

static int compare_orders(const void *a, const void *b)
{
    return strcmp((*(struct raw_order *const *)a)->public.id,
                  (*(struct raw_order *const *)b)->public.id);
}

static int documents_of(const struct catalog *catalog, enum yaml_kind kind, void *ret_array,
                        size_t *ret_count, int (*compare)(const void *, const void *))
{
    void **array = calloc(catalog->document_count + 1, sizeof(*array));
    size_t count = 0;

    if (!array) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < catalog->document_count; i++) {
        if (catalog->documents[i].kind == kind) {
            array[count++] = catalog->documents[i].data;
        }
    }
    qsort(array, count, sizeof(*array), compare);
    memcpy(ret_array, &array, sizeof(array));
    *ret_count = count;
    return DL_OK;
}

/* The public form of a carrier's AS numbers leaves the notes out; its owner is the newest. */
static int number_carriers(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->carrier_count; i++) {
        struct raw_carrier *carrier = catalog->carriers[i];
        struct catalog_asn *asns = calloc(carrier->asn_count + 1, sizeof(*asns));
        if (!asns) {
            return -ENOMEM;
        }
        for (size_t j = 0; j < carrier->asn_count; j++) {
            const struct raw_asn *raw = &carrier->asns[j];
            asns[j] = (struct catalog_asn){raw->asn, raw->from, raw->until};
        }
        carrier->public.number = (uint16_t)(i + 1);
        carrier->public.owner = carrier->public.owner_count > 0
                                    ? carrier->public.owners[carrier->public.owner_count - 1].owner
                                    : carrier->owner;
        carrier->public.asns = asns;
        carrier->public.asn_count = carrier->asn_count;
    }
    return DL_OK;
}

static int arrange(struct catalog *catalog, const char *folder, struct dl_error *error)
{
    int status = documents_of(catalog, YAML_SERVICE, &catalog->services, &catalog->service_count,
                              compare_services);

    if (status == DL_OK) {
        status = documents_of(catalog, YAML_NETWORK, &catalog->networks, &catalog->network_count,
                              compare_networks);
    }
    if (status == DL_OK) {
        status = documents_of(catalog, YAML_CARRIER, &catalog->carriers, &catalog->carrier_count,
                              compare_carriers);
    }
    if (status == DL_OK) {
        status = documents_of(catalog, YAML_ORDER, &catalog->orders, &catalog->order_count,
                              compare_orders);
    }
    if (status == DL_OK) {
        status = documents_of(catalog, YAML_BLOCKPAGE, &catalog->blockpages,
                              &catalog->blockpage_count, compare_blockpages);
    }
    if (status == DL_OK) {
        status = documents_of(catalog, YAML_INJECTOR, &catalog->injectors, &catalog->injector_count,
                              compare_injectors);
    }
    if (status == DL_OK && catalog->service_count == 0) {
        status = dl_error_set(error, DL_EMPTY, "%s: no service in it", folder);
    } else if (status == DL_OK && (catalog->service_count > CATALOG_SERVICES_MAX ||
                                   catalog->carrier_count > UINT16_MAX)) {
        status = dl_error_set(error, DL_LIMIT, "%s: more than %d services or %d carriers", folder,
                              CATALOG_SERVICES_MAX, UINT16_MAX);
    }
    for (size_t i = 0; status == DL_OK && i < catalog->service_count; i++) {
        catalog->services[i]->public.number = (uint16_t)(i + 1);
    }
    return status == DL_OK ? number_carriers(catalog) : status;
}

/* ---- indexes ---- */

static int index_all(struct catalog *catalog, struct dl_error *error)
{
    int status = host_index_build(&catalog->hosts, catalog, error);

    if (status == DL_OK) {
        status = address_index_build(&catalog->addresses, catalog);
    }
    if (status == DL_OK) {
        status = address_index_build_carriers(&catalog->carrier_addresses, catalog, error);
    }
    if (status == DL_OK) {
        status = port_index_build(&catalog->tcp_ports, catalog, TRANSPORT_TCP);
    }
    if (status == DL_OK) {
        status = port_index_build(&catalog->udp_ports, catalog, TRANSPORT_UDP);
    }
    if (status == DL_OK) {
        status = wire_index_build(&catalog->wires, &catalog->wire_count, catalog);
    }
    if (status == DL_OK) {
        status = label_index_build_ndpi(&catalog->ndpi, catalog, error);
    }
    if (status == DL_OK) {
        status = label_index_build_alpn(&catalog->alpn, catalog, error);
    }
    if (status == DL_OK) {
        status =
            certificate_index_build(&catalog->certificates, &catalog->certificate_count, catalog);
    }
    if (status == DL_OK) {
        status = asn_index_build(&catalog->asns, &catalog->asn_count, catalog, error);
    }
    if (status == DL_OK) {
        status = injector_index_build(&catalog->injector_index, catalog);
    }
    if (status == DL_OK) {
        status = listing_build(&catalog->listing, catalog);
    }
    return status;
}

int catalog_load(struct catalog **ret_catalog, const char *folder, struct dl_error *error)
{
    struct catalog *catalog = calloc(1, sizeof(*catalog));
    struct dl_error silent;
    int status = -ENOMEM;

    error = error ? error : &silent;
    error->message[0] = '\0';
    if (!catalog) {
        goto out;
    }
    status = load_rooms(catalog, folder, error);
    status = status == DL_OK ? arrange(catalog, folder, error) : status;
    status = status == DL_OK ? catalog_check(catalog, error) : status;
    if (status == DL_OK && catalog->countries) {
        status = catalog_countries_build(catalog->countries);
    }
    status = status == DL_OK ? index_all(catalog, error) : status;
    status = status == DL_OK ? name_table_init(&catalog->watched) : status;
    if (status != DL_OK) {
        goto out;
    }
    catalog_count_matches(catalog);
    *ret_catalog = catalog;
    catalog = NULL;
out:
    if (status != DL_OK && error->message[0] == '\0') {
        dl_error_set(error, status, "%s: %s", folder, dl_strerror(status));
    }
    catalog_destroy(catalog);
    return status;
}

static void documents_free(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->document_count; i++) {
        struct document *document = &catalog->documents[i];
        if (document->kind == YAML_CARRIER) {
            struct raw_carrier *carrier = document->data;
            free((void *)carrier->public.asns);
        } else if (document->kind == YAML_COUNTRIES) {
            catalog_countries_finish(document->data);
        }
        catalog_yaml_free(document->kind, document->data, 0);
        free(document->file);
    }
    for (size_t i = 0; i < catalog->inventory_count; i++) {
        catalog_yaml_free(YAML_INVENTORY, catalog->inventories[i].entries,
                          catalog->inventories[i].count);
        free(catalog->inventories[i].file);
    }
    free(catalog->inventories);
    free(catalog->documents);
    free(catalog->services);
    free(catalog->networks);
    free(catalog->carriers);
    free(catalog->orders);
    free(catalog->blockpages);
    free(catalog->injectors);
}

void catalog_destroy(struct catalog *catalog)
{
    if (!catalog) {
        return;
    }
    host_index_finish(&catalog->hosts);
    address_index_finish(&catalog->addresses);
    address_index_finish(&catalog->carrier_addresses);
    port_index_finish(&catalog->tcp_ports);
    port_index_finish(&catalog->udp_ports);
    free(catalog->wires);
    free(catalog->ndpi.entries);
    free(catalog->alpn.entries);
    free(catalog->certificates);
    free(catalog->asns);
    injector_index_finish(&catalog->injector_index);
    listing_finish(&catalog->listing);
    name_table_finish(&catalog->watched);
    documents_free(catalog);
    free(catalog);
}
