// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/classify/dpi.h"

#include <ndpi_api.h>
#include <ndpi_main.h>
#include <ndpi_typedefs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NDPI_AT_LEAST(major, minor)                                                                \
    (NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

#define PORT_QUIC 443

struct dpi {
    struct ndpi_detection_module_struct *module;
};

/* The flow is nDPI's own struct, given out under another name. */
static struct ndpi_flow_struct *inner(struct dpi_flow *flow)
{
    return (struct ndpi_flow_struct *)flow;
}

static struct ndpi_detection_module_struct *module_init(void)
{
#if NDPI_AT_LEAST(4, 10)
    return ndpi_init_detection_module(NULL);
#else
    return ndpi_init_detection_module(ndpi_no_prefs);
#endif
}

/*
 * What nDPI learnt of one flow it says of others later, by their addresses and ports. That is no payload of
 * theirs, and what a flow is called would depend on which others the same module happens to see. One such
 * memory is worth having: calls find their peers by STUN, from one socket to many, and only some of it tells
 * whose call it is. Those flows all come to one module, in the order of the capture (dpi_is_shared()); for
 * them and nothing else the STUN cache is open.
 */
#if NDPI_AT_LEAST(4, 4)

static void caches_limit(struct ndpi_detection_module_struct *module)
{
    for (int i = 0; i < NDPI_LRUCACHE_MAX; i++)
        ndpi_set_lru_cache_size(module, (lru_cache_type)i, 0);
}

static void stun_cache_open(bool open)
{
    (void)open; /* turned off for all: here is nothing to be opened and closed packet by packet */
}
#else
/* These stand in for nDPI's own, which cannot be turned off there. */
static _Thread_local bool stun_cache_is_open;

u_int8_t ndpi_lru_find_cache(struct ndpi_lru_cache *c, u_int32_t key, u_int16_t *value,
                             u_int8_t clean_key_when_found)
{
    struct ndpi_lru_cache_entry *entry = &c->entries[key % c->num_entries];
    if (!stun_cache_is_open || !entry->is_full || entry->key != key)
        return 0;
    *value = entry->value;
    if (clean_key_when_found)
        entry->is_full = 0;
    return 1;
}

void ndpi_lru_add_to_cache(struct ndpi_lru_cache *c, u_int32_t key, u_int16_t value)
{
    struct ndpi_lru_cache_entry *entry = &c->entries[key % c->num_entries];
    if (!stun_cache_is_open)
        return;
    entry->is_full = 1;
    entry->key = key;
    entry->value = value;
}

static void caches_limit(struct ndpi_detection_module_struct *module)
{
    (void)module;
}

static void stun_cache_open(bool open)
{
    stun_cache_is_open = open;
}
#endif

bool dpi_is_shared(uint8_t transport, uint16_t port, uint16_t other_port)
{
    return transport == TRANSPORT_UDP && port != PORT_QUIC && other_port != PORT_QUIC;
}

int dpi_create(struct dpi **ret_dpi)
{
    struct dpi *dpi = calloc(1, sizeof(*dpi));
    if (!dpi)
        return DL_LIBRARY;
    dpi->module = module_init();
    if (!dpi->module) {
        free(dpi);
        return DL_LIBRARY;
    }
#if !NDPI_AT_LEAST(5, 0)
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(dpi->module, &all);
#endif
    caches_limit(dpi->module);
    ndpi_finalize_initialization(dpi->module);
    *ret_dpi = dpi;
    return DL_OK;
}

void dpi_destroy(struct dpi *dpi)
{
    if (!dpi)
        return;
    ndpi_exit_detection_module(dpi->module);
    free(dpi);
}

struct dpi_flow *dpi_flow_create(struct dpi *dpi)
{
    (void)dpi;
    size_t size = ndpi_detection_get_sizeof_ndpi_flow_struct();
    struct ndpi_flow_struct *flow = ndpi_flow_malloc(size);
    if (flow)
        memset(flow, 0, size);
    return (struct dpi_flow *)flow;
}

void dpi_flow_destroy(struct dpi *dpi, struct dpi_flow *flow)
{
    (void)dpi;
    if (flow)
        ndpi_free_flow(inner(flow));
}

static const char *name_of(struct dpi *dpi, uint16_t id)
{
    return id == NDPI_PROTOCOL_UNKNOWN ? NULL : ndpi_get_proto_name(dpi->module, id);
}

static const char *host_of(struct dpi_flow *flow)
{
    return (const char *)inner(flow)->host_server_name;
}

static void result_fill(struct dpi *dpi, struct dpi_flow *flow, ndpi_protocol protocol,
                        struct dpi_result *ret_result)
{
#if NDPI_AT_LEAST(4, 11)
    uint16_t app = protocol.proto.app_protocol, master = protocol.proto.master_protocol;
#else
    uint16_t app = protocol.app_protocol, master = protocol.master_protocol;
#endif
    ret_result->name = name_of(dpi, app != NDPI_PROTOCOL_UNKNOWN ? app : master);
    ret_result->master = app != NDPI_PROTOCOL_UNKNOWN ? name_of(dpi, master) : NULL;
    snprintf(ret_result->host, sizeof(ret_result->host), "%s", host_of(flow));
    ret_result->by_payload = inner(flow)->confidence == NDPI_CONFIDENCE_DPI;
}

static bool is_decided(struct dpi *dpi, struct dpi_flow *flow, ndpi_protocol protocol)
{
#if NDPI_AT_LEAST(5, 0)
    (void)dpi, (void)flow;
    return protocol.state == NDPI_STATE_CLASSIFIED || protocol.state == NDPI_STATE_MONITORING;
#elif NDPI_AT_LEAST(4, 11)
    (void)dpi, (void)flow;
    return protocol.proto.app_protocol != NDPI_PROTOCOL_UNKNOWN ||
           protocol.proto.master_protocol != NDPI_PROTOCOL_UNKNOWN;
#else
    (void)dpi, (void)flow;
    return protocol.app_protocol != NDPI_PROTOCOL_UNKNOWN ||
           protocol.master_protocol != NDPI_PROTOCOL_UNKNOWN;
#endif
}

bool dpi_packet(struct dpi *dpi, struct dpi_flow *flow, const uint8_t *ip, size_t length,
                bool shared, int64_t time_us, struct dpi_result *ret_result)
{
    uint64_t time_ms = time_us > 0 ? (uint64_t)time_us / 1000 : 0;
    uint16_t size = (uint16_t)(length > UINT16_MAX ? UINT16_MAX : length);
    stun_cache_open(shared);
#if NDPI_AT_LEAST(4, 6)
    ndpi_protocol protocol =
        ndpi_detection_process_packet(dpi->module, inner(flow), ip, size, time_ms, NULL);
#else
    ndpi_protocol protocol =
        ndpi_detection_process_packet(dpi->module, inner(flow), ip, size, time_ms);
#endif
    stun_cache_open(false);
    if (!is_decided(dpi, flow, protocol))
        return false;
    result_fill(dpi, flow, protocol, ret_result);
    return true;
}

void dpi_give_up(struct dpi *dpi, struct dpi_flow *flow, struct dpi_result *ret_result)
{
#if NDPI_AT_LEAST(5, 0)
    ndpi_protocol protocol = ndpi_detection_giveup(dpi->module, inner(flow));
#else
    uint8_t guessed = 0;
#if NDPI_AT_LEAST(4, 10)
    ndpi_protocol protocol = ndpi_detection_giveup(dpi->module, inner(flow), &guessed);
#else
    ndpi_protocol protocol = ndpi_detection_giveup(dpi->module, inner(flow), 0, &guessed);
#endif
#endif
    result_fill(dpi, flow, protocol, ret_result);
}

const char *dpi_version(void)
{
    return ndpi_revision();
}
