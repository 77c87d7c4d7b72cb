// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_internal.h"

#define FILE_MAXIMUM ((size_t)64 << 20)

static int check_entry(const struct catalog *catalog, const char *path, size_t index,
                       const struct raw_inventory *entry, struct dl_error *error)
{
    struct prefix prefix;
    int status = DL_OK;

    if (!catalog_service_find(catalog, entry->service)) {
        status = catalog_refuse(error, path, "entry %zu (%s): no such service: '%s'", index + 1,
                                entry->name, entry->service);
    } else if (!entry->address == !entry->host) {
        status = catalog_refuse(error, path, "entry %zu (%s): must have either address or host",
                                index + 1, entry->name);
    } else if (entry->address && prefix_parse(entry->address, &prefix) != DL_OK) {
        status = catalog_refuse(
            error, path, "entry %zu (%s): no address or block (host bits must be zero): '%s'",
            index + 1, entry->name, entry->address);
    } else if (entry->host && !host_name_valid(entry->host)) {
        status = catalog_refuse(
            error, path, "entry %zu (%s): no lower-case DNS name of two labels or more: '%s'",
            index + 1, entry->name, entry->host);
    }
    return status;
}

static int check_list(const struct catalog *catalog, const struct inventory_list *list,
                      struct dl_error *error)
{
    size_t total = list->count;
    int status = DL_OK;

    for (size_t i = 0; i < catalog->inventory_count; i++) {
        total += catalog->inventories[i].count;
    }
    if (total > CATALOG_INVENTORY_MAX) {
        status = dl_error_set(error, DL_LIMIT, "%s: more than %d inventory entries", list->file,
                              CATALOG_INVENTORY_MAX);
    }
    for (size_t i = 0; status == DL_OK && i < list->count; i++) {
        status = check_entry(catalog, list->file, i, &list->entries[i], error);
    }
    return status;
}

static int read_list(struct inventory_list *list, const char *path, struct dl_error *error)
{
    struct buffer text = {0};
    void *data = NULL;
    int status = -ENOMEM;

    list->file = strdup(path);
    if (!list->file) {
        goto out;
    }
    status = catalog_read_file(&text, path, FILE_MAXIMUM, error);
    if (status != DL_OK) {
        goto out;
    }
    status = catalog_yaml_load(YAML_INVENTORY, path, &text, &data, &list->count, error);
    if (status == DL_OK) {
        list->entries = data;
    }
out:
    buffer_finish(&text);
    return status;
}

/* New indexes beside the old ones, which stay in place if anything fails. */
static int rebuild(struct catalog *catalog, struct dl_error *error)
{
    struct host_index hosts = {0};
    struct address_index addresses = {0};
    int status = host_index_build(&hosts, catalog, error);

    if (status == DL_OK) {
        status = address_index_build(&addresses, catalog);
    }
    if (status == DL_OK) {
        host_index_finish(&catalog->hosts);
        address_index_finish(&catalog->addresses);
        catalog->hosts = hosts;
        catalog->addresses = addresses;
        catalog_count_matches(catalog);
    } else {
        host_index_finish(&hosts);
        address_index_finish(&addresses);
    }
    return status;
}

int catalog_add_inventory(struct catalog *catalog, const char *path, struct dl_error *error)
{
    struct inventory_list list = {0};
    struct inventory_list *grown;
    struct dl_error silent;
    int status;

    error = error ? error : &silent;
    error->message[0] = '\0';
    status = read_list(&list, path, error);
    status = status == DL_OK ? check_list(catalog, &list, error) : status;
    if (status != DL_OK) {
        goto out;
    }
    grown = reallocarray(catalog->inventories, catalog->inventory_count + 1, sizeof(*grown));
    if (!grown) {
        status = -ENOMEM;
        goto out;
    }
    catalog->inventories = grown;
    grown[catalog->inventory_count++] = list;
    status = rebuild(catalog, error);
    if (status != DL_OK) {
        catalog->inventory_count--;
        goto out;
    }
    list = (struct inventory_list){0};
out:
    if (status != DL_OK && error->message[0] == '\0') {
        dl_error_set(error, status, "%s: %s", path, dl_strerror(status));
    }
    catalog_yaml_free(YAML_INVENTORY, list.entries, list.count);
    free(list.file);
    return status;
}
