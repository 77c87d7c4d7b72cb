// SPDX-License-Identifier: GPL-3.0-or-later
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_internal.h"

/*
 * Prefixes are nested or apart, never crossed. Sorted by address and then length, the last one that
 * does not begin after an address either holds it or lies inside all that do: one binary search,
 * then up the parents.
 */

/* ---- building ---- */

static int address_index_append(struct address_index *index, const char *block,
                                struct address_entry entry)
{
    struct address_entry *entries =
        catalog_grow(index->entries, index->count, &index->capacity, sizeof(*entries));

    if (!entries) {
        return -ENOMEM;
    }
    index->entries = entries;
    if (prefix_parse(block, &entry.prefix) != DL_OK) {
        return DL_MALFORMED; /* not after catalog_check() */
    }
    entries[index->count++] = entry;
    return DL_OK;
}

static int append_block(struct address_index *index, const struct catalog *catalog,
                        const struct raw_service *service, const struct raw_block *raw)
{
    struct address_entry entry = {.number = service->public.number,
                                  .first_port = raw->first_port,
                                  .last_port = raw->last_port,
                                  .transport = (uint8_t)raw->transport,
                                  .role = (uint8_t)raw->role,
                                  .confirmed = raw->sure == SURE_CONFIRMED,
                                  .file = service->file};
    const struct raw_network *network;
    int status = DL_OK;

    if (raw->block) {
        status = address_index_append(index, raw->block, entry);
    } else {
        network = catalog_network_find(catalog, raw->network);
        for (size_t i = 0; status == DL_OK && i < network->block_count; i++) {
            const struct raw_network_block *block = &network->blocks[i];
            entry.confirmed = raw->sure == SURE_CONFIRMED && block->sure == SURE_CONFIRMED;
            status = address_index_append(index, block->block, entry);
        }
    }
    return status;
}

static int append_inventory(struct address_index *index, const struct catalog *catalog,
                            const struct inventory_list *list)
{
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < list->count; i++) {
        const struct raw_inventory *raw = &list->entries[i];
        if (raw->address) {
            struct address_entry entry = {
                .number = catalog_service_find(catalog, raw->service)->number,
                .first_port = raw->port,
                .last_port = raw->port,
                .role = (uint8_t)catalog_usual_role(catalog, raw->service, raw->port),
                .confirmed = true,
                .inventory = true,
                .file = list->file};
            status = address_index_append(index, raw->address, entry);
        }
    }
    return status;
}

static int compare_prefixes(const struct prefix *a, const struct prefix *b)
{
    int order = memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes));

    return order ? order : (int)a->bits - (int)b->bits;
}

/* By prefix, then service; of one service the entry that says most comes first. */
static int compare_entries(const void *left, const void *right)
{
    const struct address_entry *a = left, *b = right;
    int order = compare_prefixes(&a->prefix, &b->prefix);

    order = order ? order : (int)a->number - (int)b->number;
    order = order ? order : (int)b->inventory - (int)a->inventory;
    order = order ? order : (int)(b->first_port != 0) - (int)(a->first_port != 0);
    order =
        order ? order
              : ((int)a->last_port - (int)a->first_port) - ((int)b->last_port - (int)b->first_port);
    order = order ? order : (int)a->first_port - (int)b->first_port;
    order = order ? order : (int)b->transport - (int)a->transport;
    return order ? order : (int)a->role - (int)b->role;
}

static void halves(const struct address *address, uint64_t *ret_high, uint64_t *ret_low)
{
    memcpy(ret_high, address->bytes, 8);
    memcpy(ret_low, address->bytes + 8, 8);
    *ret_high = be64toh(*ret_high);
    *ret_low = be64toh(*ret_low);
}

static bool node_contains(const struct address_node *node, uint64_t high, uint64_t low)
{
    unsigned bits = node->bits;
    uint64_t high_mask = bits >= 64 ? UINT64_MAX : bits > 0 ? UINT64_MAX << (64 - bits) : 0;
    uint64_t low_mask = bits >= 128 ? UINT64_MAX : bits > 64 ? UINT64_MAX << (128 - bits) : 0;

    return ((node->high ^ high) & high_mask) == 0 && ((node->low ^ low) & low_mask) == 0;
}

static int index_nodes(struct address_index *index)
{
    int32_t around;

    index->nodes = calloc(index->count + 1, sizeof(*index->nodes));
    if (!index->nodes) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < index->count; i++) {
        const struct address_entry *entry = &index->entries[i];
        struct address_node *node = &index->nodes[index->node_count];
        if (i > 0 && compare_prefixes(&entry->prefix, &entry[-1].prefix) == 0) {
            node[-1].count++;
            continue;
        }
        *node = (struct address_node){.first = (uint32_t)i, .count = 1, .bits = entry->prefix.bits};
        halves(&entry->prefix.address, &node->high, &node->low);
        around = (int32_t)index->node_count - 1;
        while (around >= 0 && !node_contains(&index->nodes[around], node->high, node->low)) {
            around = index->nodes[around].parent;
        }
        node->parent = around;
        index->node_count++;
    }
    return DL_OK;
}

static int finish_build(struct address_index *index)
{
    if (index->count > 0) {
        qsort(index->entries, index->count, sizeof(*index->entries), compare_entries);
    }
    return index_nodes(index);
}

int address_index_build(struct address_index *ret_index, const struct catalog *catalog)
{
    struct address_index index = {0};
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < catalog->service_count; i++) {
        const struct raw_service *service = catalog->services[i];
        for (size_t j = 0; status == DL_OK && j < service->block_count; j++) {
            status = append_block(&index, catalog, service, &service->blocks[j]);
        }
    }
    for (size_t i = 0; status == DL_OK && i < catalog->inventory_count; i++) {
        status = append_inventory(&index, catalog, &catalog->inventories[i]);
    }
    status = status == DL_OK ? finish_build(&index) : status;
    if (status == DL_OK) {
        *ret_index = index;
        index = (struct address_index){0};
    }
    address_index_finish(&index);
    return status;
}

static int append_carrier(struct address_index *index, const struct raw_carrier *carrier)
{
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < carrier->prefix_count; i++) {
        struct address_entry entry = {.number = carrier->public.number, .file = carrier->file};
        status = address_index_append(index, carrier->prefixes[i].block, entry);
    }
    return status;
}

static int check_carriers(const struct address_index *index, struct dl_error *error)
{
    char text[ADDRESS_TEXT_SIZE];

    for (size_t i = 1; i < index->count; i++) {
        const struct address_entry *a = &index->entries[i - 1], *b = &index->entries[i];
        if (compare_prefixes(&a->prefix, &b->prefix) == 0) {
            return catalog_refuse(error, b->file, "prefix at %s is also in %s",
                                  address_format(&b->prefix.address, text),
                                  a->file == b->file ? "this file" : a->file);
        }
    }
    return DL_OK;
}

int address_index_build_carriers(struct address_index *ret_index, const struct catalog *catalog,
                                 struct dl_error *error)
{
    struct address_index index = {0};
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < catalog->carrier_count; i++) {
        status = append_carrier(&index, catalog->carriers[i]);
    }
    status = status == DL_OK ? finish_build(&index) : status;
    status = status == DL_OK ? check_carriers(&index, error) : status;
    if (status == DL_OK) {
        *ret_index = index;
        index = (struct address_index){0};
    }
    address_index_finish(&index);
    return status;
}

void address_index_finish(struct address_index *index)
{
    free(index->entries);
    free(index->nodes);
    *index = (struct address_index){0};
}

/* ---- asking ---- */

/* The longest prefix that holds the address; NULL if none. */
static const struct address_node *find_node(const struct address_index *index,
                                            const struct address *address)
{
    size_t from = 0, to = index->node_count; /* the first that begins after the address */
    uint64_t high, low;
    int32_t at;

    halves(address, &high, &low);
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct address_node *node = &index->nodes[middle];
        if (node->high < high || (node->high == high && node->low <= low)) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    at = (int32_t)from - 1;
    while (at >= 0 && !node_contains(&index->nodes[at], high, low)) {
        at = index->nodes[at].parent;
    }
    return at >= 0 ? &index->nodes[at] : NULL;
}

static const struct address_node *node_around(const struct address_index *index,
                                              const struct address_node *node)
{
    return node->parent >= 0 ? &index->nodes[node->parent] : NULL;
}

static bool entry_allows(const struct address_entry *entry, enum transport transport, uint16_t port)
{
    return (entry->transport == TRANSPORT_NONE || entry->transport == transport) &&
           (entry->first_port == 0 || (entry->first_port <= port && port <= entry->last_port));
}

size_t catalog_match_address(const struct catalog *catalog, const struct address *address,
                             enum transport transport, uint16_t port,
                             struct catalog_match *ret_matches, size_t maximum)
{
    const struct address_index *index = &catalog->addresses;
    uint64_t seen[CATALOG_SERVICES_MAX / 64 + 1] = {0}; /* services, each told once */
    size_t count = 0;

    for (const struct address_node *node = find_node(index, address); node;
         node = node_around(index, node)) {
        for (size_t i = node->first; i < node->first + node->count; i++) {
            const struct address_entry *entry = &index->entries[i];
            uint64_t bit = UINT64_C(1) << entry->number % 64;
            if ((seen[entry->number / 64] & bit) || !entry_allows(entry, transport, port)) {
                continue;
            }
            seen[entry->number / 64] |= bit;
            if (count < maximum) {
                ret_matches[count] = (struct catalog_match){.service = entry->number,
                                                            .role = (enum role)entry->role,
                                                            .confirmed = entry->confirmed,
                                                            .inventory = entry->inventory,
                                                            .specific = entry->prefix.bits == 128};
            }
            count++;
        }
    }
    return count;
}

const struct catalog_carrier *catalog_carrier_by_address(const struct catalog *catalog,
                                                         const struct address *address)
{
    const struct address_index *index = &catalog->carrier_addresses;
    const struct address_node *node = find_node(index, address);

    return node ? catalog_carrier_at(catalog, index->entries[node->first].number) : NULL;
}
