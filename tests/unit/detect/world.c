// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "world.h"

#define HOUR INT64_C(3600000000)

void world_finish(struct world *world)
{
    cells_destroy(world->cells);
}

int64_t world_hour(const struct world *world, unsigned hour)
{
    return world->begin_us + (int64_t)hour * HOUR;
}

static double roll(struct world *world)
{
    world->dice = world->dice * 1664525u + 1013904223u;
    return (world->dice >> 8) / 16777216.0;
}

static uint16_t line_of(struct world *world, const struct world_line *line)
{
    struct cell_line name = {.position = (uint8_t)line->position,
                             .origin = (uint8_t)line->origin,
                             .clock = CLOCK_SYNCHRONISED,
                             .epoch = 1};
    uint16_t index;
    snprintf(name.probe_id, sizeof(name.probe_id), "%s", line->probe);
    snprintf(name.carrier, sizeof(name.carrier), "%s", line->carrier);
    memcpy(name.country, line->country, 3);
    assert_int_equal(cells_name_line(world->cells, &name, &index), DL_OK);
    return index;
}

static void add_hour(struct world *world, const struct world_stretch *s, uint16_t line,
                     uint16_t service, unsigned hour)
{
    struct cell cell = {.hour_us = world_hour(world, hour),
                        .line = line,
                        .service = service,
                        .ip_version = 4,
                        .first_ms = 60000,
                        .last_ms = 3000000,
                        .first_good_ms = CELL_NO_TIME,
                        .last_good_ms = CELL_NO_TIME,
                        .first_bad_ms = CELL_NO_TIME,
                        .last_bad_ms = CELL_NO_TIME,
                        .first_slow_ms = CELL_NO_TIME,
                        .last_slow_ms = CELL_NO_TIME,
                        .first_quick_ms = CELL_NO_TIME,
                        .last_quick_ms = CELL_NO_TIME};
    for (unsigned v = 0; v < s->line.voices; v++) {
        bool bad = roll(world) < s->share;
        cell.attempts++;
        cell.voices++;
        cell.votes += 1;
        cell.bad += bad ? 1 : 0;
        cell.failures += bad;
        cell.bad_voices += bad;
        cell.good_voices += !bad;
        cell.proven += bad && s->proven;
        cell.by_ends += bad && s->attribution == ATTRIBUTION_ENDPOINT;
    }
    if (cell.failures > 0)
        cell.first_bad_ms = 60000, cell.last_bad_ms = 3000000;
    if (cell.failures < cell.attempts)
        cell.first_good_ms = 60000, cell.last_good_ms = 3000000;
    assert_int_equal(cells_add(world->cells, &cell), DL_OK);
    if (cell.failures == 0 || !s->mechanism)
        return;
    struct cell_mechanism item = {.hour_us = cell.hour_us,
                                  .line = line,
                                  .service = service,
                                  .ip_version = 4,
                                  .attribution = (uint8_t)s->attribution,
                                  .attempts = cell.failures,
                                  .voices = cell.bad_voices};
    assert_int_equal(cells_name_mechanism(world->cells, s->mechanism, &item.mechanism), DL_OK);
    assert_int_equal(cells_add_mechanism(world->cells, &item), DL_OK);
}

void world_add(struct world *world, const struct world_stretch *stretch)
{
    uint16_t line = line_of(world, &stretch->line), service;

    assert_int_equal(cells_name_service(world->cells, stretch->service, &service), DL_OK);
    for (unsigned hour = stretch->from_hour; hour < stretch->to_hour; hour++)
        add_hour(world, stretch, line, service, hour);
}

static uint32_t about(struct world *world, double value)
{
    return (uint32_t)(value * (2.0 / 3 + roll(world) * 2 / 3));
}

void world_add_pace(struct world *world, const struct world_pace *pace)
{
    struct cell_pace item = {.line = line_of(world, &pace->line)};

    assert_int_equal(cells_name_service(world->cells, pace->service, &item.service), DL_OK);
    for (unsigned hour = pace->from_hour; hour < pace->to_hour; hour++) {
        for (unsigned v = 0; v < pace->line.voices; v++) {
            item.start_us = world_hour(world, hour) + (int64_t)(roll(world) * (double)HOUR);
            item.goodput_kbps = about(world, pace->kbps);
            item.handshake_us = about(world, pace->handshake_ms * 1000);
            item.exchange_us = about(world, pace->exchange_ms * 1000);
            item.voice = v + 1;
            assert_int_equal(cells_add_pace(world->cells, &item), DL_OK);
        }
    }
}

static enum service_class class_of(void *context, const char *service)
{
    (void)context;
    return strcmp(service, "wikipedia") == 0 ? CLASS_CONTROL : CLASS_MESSAGING;
}

static int offset_of(void *context, const char *country, int64_t time_us)
{
    (void)context;
    (void)time_us;
    return strcmp(country, "PK") == 0 ? 300 : 0;
}

int world_init(struct world *world)
{
    *world = (struct world){.dice = 11, .begin_us = INT64_C(1446422400000000)}; /* 2015-11-02 */
    world->places.service_class = class_of;
    world->places.offset_minutes = offset_of;
    return cells_create(&world->cells);
}

struct analysis *world_analyse(struct world *world)
{
    struct analysis *analysis = NULL;
    assert_int_equal(cells_seal(world->cells), DL_OK);
    assert_int_equal(analysis_run(world->cells, &world->places, &analysis), DL_OK);
    return analysis;
}
