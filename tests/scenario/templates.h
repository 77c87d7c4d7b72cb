// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Attempts to compose of: what the lab recorded of one technique meeting one door of a service
 * (templates/TECHNIQUE.pcap.zst), as the probe observed it and as packets. A door is a host name,
 * or a server's address where the clients know no name.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/observation.h"

#define TEMPLATE_ROWS_MAX  8
#define TEMPLATE_PORTS_MAX 8

struct template_row {
    struct observation flow; /* its times count from the attempt's first packet */
    uint64_t after;          /* packets between the attempt's first one and the row's */
    uint8_t port;            /* index in `ports` */
    int8_t question;         /* the row it followed; -1 none */
};

struct template_frame {
    int64_t after_us;
    uint8_t *bytes;
    uint32_t length;
    uint8_t port; /* index in `ports` */
    bool up;      /* from the client */
};

struct template
{
    const char *technique, *service, *door;
    struct template_row rows[TEMPLATE_ROWS_MAX];
    unsigned row_count;
    uint16_t ports[TEMPLATE_PORTS_MAX]; /* of the client, as recorded */
    unsigned port_count;
    uint64_t packets;              /* how many numbers of packets it takes */
    struct template_frame *frames; /* by time; only where they were asked for */
    size_t frame_count;
    /* Working fields of the loader. */
    uint32_t input;
    int64_t start_us;
};

struct templates {
    struct template *items;
    size_t count;
    uint8_t client[4], resolver[4]; /* as recorded */
};

/* From a store that `darkline probe --all-names --keep-addresses` made of the templates' captures;
 * with `folder`, their frames too. False, and said. */
bool templates_load(struct templates *templates, const char *store, const char *folder);
void templates_finish(struct templates *templates);

const struct template *templates_find(const struct templates *templates, const char *technique,
                                      const char *service, const char *door);
