// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The whole way of a packet: the input is a list of frames (link type by the first byte; then
 * length, time step and bytes of each) that goes through decode, flow, inspect and classify into a
 * sink that checks what comes out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/digest.h"
#include "probe/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t link_types[] = {1, 101, 113, 276, 0, 9};
#define FRAMES_MAX 64

static int check_observation(void *context, const struct observation *o, struct dl_error *error)
{
    (void)context, (void)error;
    if (o->certainty && !o->service[0])
        abort(); /* a tag of nothing */
    if (o->certainty > CERTAINTY_POSSIBLE && (o->reasons & ~(REASON_IP | REASON_PORT)) == 0 &&
        (o->reasons & REASON_IP) == 0)
        abort(); /* a bare port is `possible` at best */
    if (o->end_us < o->start_us || o->packets[0] + o->packets[1] == 0)
        abort();
    return DL_OK;
}

static int check_count(void *context, const struct hour_count *count, struct dl_error *error)
{
    (void)context, (void)error;
    uint64_t failed = 0;
    for (int i = 0; i < 7; i++)
        failed += count->failed[i];
    if (failed > count->flows || count->flows == 0)
        abort();
    return DL_OK;
}

static struct probe *make_probe(void)
{
    struct catalog *catalog = NULL;
    struct probe *probe = NULL;
    struct dl_error error = {0};
    struct probe_options options = {
        .all_names = true,
        .keep_addresses = true,
        .live = true,
        .memory = PROBE_MEMORY_LEAST,
        .sink = {.observation = check_observation, .count = check_count}};
    if (digest_setup() != DL_OK ||
        catalog_load(&catalog, DARKLINE_SOURCE_CATALOG_DIR, &error) != DL_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    options.catalog = catalog;
    if (probe_create(&probe, &options, &error) != DL_OK)
        exit(1);
    return probe;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct probe *probe;
    struct frame frames[FRAMES_MAX];
    size_t count = 0;
    int64_t now_us = INT64_C(1448000000000000);
    struct cursor c = cursor_init(data, size);
    uint32_t link_type = link_types[cursor_u8(&c) % (sizeof(link_types) / sizeof(link_types[0]))];
    if (!probe)
        probe = make_probe();
    while (cursor_left(&c) > 3 && count < FRAMES_MAX) {
        uint16_t length = cursor_u16(&c);
        now_us += (int64_t)cursor_u8(&c) * 100000;
        uint32_t captured = length % 2048u;
        if (captured > cursor_left(&c))
            captured = (uint32_t)cursor_left(&c);
        const uint8_t *bytes = cursor_bytes(&c, captured);
        frames[count] = (struct frame){.data = bytes,
                                       .captured = captured,
                                       .length = captured + (length >> 11) * 8u,
                                       .time_us = now_us,
                                       .number = count + 1,
                                       .link_type = link_type};
        count++;
    }
    probe_begin_input(probe, 1, NULL);
    probe_frames(probe, frames, count, NULL);
    probe_end_input(probe, NULL);
    return 0;
}
