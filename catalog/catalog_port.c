// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "catalog/catalog_internal.h"

/* Port ranges overlap; cut at every edge they become segments in which the same services stand. */

static size_t count_ports(const struct catalog *catalog)
{
    size_t count = 0;

    for (size_t i = 0; i < catalog->service_count; i++) {
        count += catalog->services[i]->port_count;
    }
    return count;
}

static size_t collect_items(struct port_item *items, const struct catalog *catalog,
                            enum transport transport)
{
    size_t count = 0;

    for (size_t i = 0; i < catalog->service_count; i++) {
        const struct raw_service *service = catalog->services[i];
        for (size_t j = 0; j < service->port_count; j++) {
            const struct raw_port *raw = &service->ports[j];
            if (raw->transport == transport) {
                items[count++] = (struct port_item){.service = service->public.number,
                                                    .first = raw->first,
                                                    .last = raw->last,
                                                    .role = (uint8_t)raw->role,
                                                    .distinctive = raw->distinctive,
                                                    .confirmed = raw->sure == SURE_CONFIRMED};
            }
        }
    }
    return count;
}

/* Narrow ranges first: they say more. */
static int compare_items(const void *left, const void *right)
{
    const struct port_item *a = left, *b = right;
    int order = (a->last - a->first) - (b->last - b->first);

    order = order ? order : (int)a->service - (int)b->service;
    order = order ? order : (int)b->distinctive - (int)a->distinctive;
    return order ? order : (int)a->first - (int)b->first;
}

static int compare_edges(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static size_t collect_edges(uint32_t *edges, const struct port_item *items, size_t count)
{
    size_t edge_count = 0, unique = 0;

    edges[edge_count++] = 0;
    for (size_t i = 0; i < count; i++) {
        edges[edge_count++] = items[i].first;
        edges[edge_count++] = items[i].last + 1U;
    }
    qsort(edges, edge_count, sizeof(*edges), compare_edges);
    for (size_t i = 0; i < edge_count; i++) {
        if (i == 0 || edges[i] != edges[i - 1]) {
            edges[unique++] = edges[i];
        }
    }
    return unique;
}

static bool holds_service(const struct port_index *index, const struct port_segment *segment,
                          uint16_t service)
{
    bool found = false;

    for (size_t i = segment->at; i < segment->at + segment->count; i++) {
        found = found || index->items[i].service == service;
    }
    return found;
}

static int fill_segment(struct port_index *index, size_t *capacity, struct port_segment *segment,
                        const struct port_item *items, size_t count)
{
    segment->at = (uint32_t)index->item_count;
    for (size_t i = 0; i < count; i++) {
        struct port_item *grown;
        if (segment->first < items[i].first || segment->first > items[i].last ||
            holds_service(index, segment, items[i].service)) {
            continue;
        }
        grown = catalog_grow(index->items, index->item_count, capacity, sizeof(*grown));
        if (!grown) {
            return -ENOMEM;
        }
        index->items = grown;
        grown[index->item_count++] = items[i];
        segment->count++;
    }
    return DL_OK;
}

int port_index_build(struct port_index *ret_index, const struct catalog *catalog,
                     enum transport transport)
{
    size_t total = count_ports(catalog), count, edge_count, capacity = 0;
    struct port_item *items = calloc(total + 1, sizeof(*items));
    uint32_t *edges = calloc(2 * total + 1, sizeof(*edges));
    struct port_index index = {0};
    int status = -ENOMEM;

    if (!items || !edges) {
        goto out;
    }
    count = collect_items(items, catalog, transport);
    qsort(items, count, sizeof(*items), compare_items);
    edge_count = collect_edges(edges, items, count);
    index.segments = calloc(edge_count, sizeof(*index.segments));
    if (!index.segments) {
        goto out;
    }
    status = DL_OK;
    for (size_t i = 0; status == DL_OK && i < edge_count; i++) {
        struct port_segment *segment = &index.segments[index.segment_count++];
        segment->first = edges[i];
        status = fill_segment(&index, &capacity, segment, items, count);
    }
    if (status == DL_OK) {
        *ret_index = index;
        index = (struct port_index){0};
    }
out:
    port_index_finish(&index);
    free(items);
    free(edges);
    return status;
}

void port_index_finish(struct port_index *index)
{
    free(index->segments);
    free(index->items);
    *index = (struct port_index){0};
}

size_t catalog_match_port(const struct catalog *catalog, enum transport transport, uint16_t port,
                          struct catalog_match *ret_matches, size_t maximum)
{
    const struct port_index *index =
        transport == TRANSPORT_TCP ? &catalog->tcp_ports : &catalog->udp_ports;
    size_t from = 0, to = index->segment_count; /* the first segment begins at 0 */
    const struct port_segment *segment;

    if (port == 0 || (transport != TRANSPORT_TCP && transport != TRANSPORT_UDP)) {
        return 0;
    }
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        if (index->segments[middle].first <= port) {
            from = middle;
        } else {
            to = middle;
        }
    }
    segment = &index->segments[from];
    for (size_t i = 0; i < segment->count && i < maximum; i++) {
        const struct port_item *item = &index->items[segment->at + i];
        ret_matches[i] = (struct catalog_match){.service = item->service,
                                                .role = (enum role)item->role,
                                                .confirmed = item->confirmed,
                                                .specific = item->distinctive};
    }
    return segment->count;
}
