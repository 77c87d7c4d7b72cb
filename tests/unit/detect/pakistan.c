// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "catalog/catalog.h"
#include "tests/unit/detect/pakistan.h"

static struct catalog *catalog;
struct world world;

int load(void **state)
{
    const char *root = getenv("DARKLINE_SOURCE");
    char folder[4096];
    struct dl_error error = {0};
    (void)state;
    snprintf(folder, sizeof(folder), "%s/catalog", root ? root : ".");
    if (catalog_load(&catalog, folder, &error) == DL_OK)
        return 0;
    print_error("%s\n", error.message);
    return -1;
}

int unload(void **state)
{
    (void)state;
    catalog_destroy(catalog);
    return 0;
}

static const char *owner_of(void *context, const char *carrier, int64_t time_us)
{
    const struct catalog_carrier *found = catalog_carrier_find(catalog, carrier);
    (void)context;
    return found ? catalog_carrier_owner_at(found, time_us) : NULL;
}

int start(void **state)
{
    int status = world_init(&world);
    (void)state;
    world.places.owner = owner_of;
    world.places.catalog = catalog;
    return status;
}

int stop(void **state)
{
    (void)state;
    world_finish(&world);
    return 0;
}

/* ---- what the world does ---- */

void works(struct world_line line, const char *service, unsigned from, unsigned to)
{
    world_add(&world, &(struct world_stretch){line, service, from, to, 0.02, "tls.timeout",
                                              ATTRIBUTION_UNKNOWN, false});
}

void fails(struct world_line line, const char *service, unsigned from, unsigned to,
           const char *mechanism, bool proven)
{
    world_add(&world, &(struct world_stretch){
                          line, service, from, to, 1, mechanism,
                          proven ? ATTRIBUTION_THIRD_PARTY : ATTRIBUTION_UNKNOWN, proven});
}

void controls(struct world_line line)
{
    works(line, "wikipedia", 0, END);
    works(line, "blackberry-bis", 0, END);
}

void cut(struct world_line line, unsigned from, unsigned to, const char *mechanism)
{
    works(line, BES, 0, from);
    fails(line, BES, from, to, mechanism, true);
    works(line, BES, to, END);
    controls(line);
}

void silence(struct world_line line, unsigned from)
{
    works(line, BES, 0, from);
    fails(line, BES, from, END, "tcp.timeout", false);
    controls(line);
}

void fine(struct world_line line)
{
    works(line, BES, 0, END);
    controls(line);
}

/* ---- what is asked of it ---- */

const struct event *event_of(const struct analysis *analysis, const char *carrier)
{
    for (size_t i = 0; i < analysis->event_count; i++)
        if (strcmp(cells_carrier(world.cells, analysis->events[i].carrier), carrier) == 0)
            return &analysis->events[i];
    fail_msg("no event on %s", carrier);
    return NULL;
}
