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
                int64_t time_us, struct dpi_result *ret_result)
{
    uint64_t time_ms = time_us > 0 ? (uint64_t)time_us / 1000 : 0;
    uint16_t size = (uint16_t)(length > UINT16_MAX ? UINT16_MAX : length);
#if NDPI_AT_LEAST(4, 6)
    ndpi_protocol protocol =
        ndpi_detection_process_packet(dpi->module, inner(flow), ip, size, time_ms, NULL);
#else
    ndpi_protocol protocol =
        ndpi_detection_process_packet(dpi->module, inner(flow), ip, size, time_ms);
#endif
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
