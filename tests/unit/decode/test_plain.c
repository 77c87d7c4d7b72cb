// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the short way says of a frame, the long way says too: of every frame of the captures in
 * pcaps/, of each cut short, and of each with bytes of its headers changed.
 */
#include "frames.h"

#include <dirent.h>

#include "probe/capture/capture.h"
#include "probe/decode/fragment.h"
#include "probe/decode/layers.h"

#define CHANGES     40u
#define HEADERS     80u /* bytes that are changed */
#define PLAIN_LEAST 90u /* percent of the frames as they are */

struct world {
    uint64_t counts[DECODE_KIND_COUNT];
    struct fragments *fragments;
    uint32_t random;
    unsigned frames, plain, changed_plain;
};

static uint32_t next_random(struct world *world)
{
    world->random = world->random * 1664525u + 1013904223u;
    return world->random >> 8;
}

static bool both_ways(struct world *world, const struct frame *frame)
{
    struct packet fast, slow;
    memset(&fast, 0x55, sizeof(fast));
    memset(&slow, 0x55, sizeof(slow));
    if (!plain_decode(frame, &fast)) {
        return false;
    }
    struct walk walk = {
        .fragments = world->fragments,
        .frame = frame,
        .packet = &slow,
        .missing = frame->length > frame->captured ? frame->length - frame->captured : 0,
    };
    struct cursor bytes = cursor_init(frame->data, frame->captured);
    assert_int_equal(link_decode(&walk, &bytes, frame->link_type), DECODE_OK);
    assert_false(walk.reassembled);
    assert_memory_equal(&fast, &slow, sizeof(fast));
    return true;
}

/* In memory of just that size, so that a sanitizer sees what is read beyond. */
static void change(struct world *world, const struct frame *frame)
{
    struct frame other = *frame;
    other.captured = 1 + next_random(world) % frame->captured;
    for (unsigned i = 0; i < CHANGES; i++) {
        uint8_t *bytes = malloc(other.captured);
        assert_non_null(bytes);
        memcpy(bytes, frame->data, other.captured);
        for (unsigned k = 0; k < i % 4; k++) {
            uint32_t at =
                next_random(world) % (other.captured < HEADERS ? other.captured : HEADERS);
            bytes[at] = (uint8_t)(bytes[at] ^ 1u << next_random(world) % 8);
        }
        other.data = bytes;
        world->changed_plain += both_ways(world, &other);
        free(bytes);
        other.captured = frame->captured;
    }
}

static void read_capture(struct world *world, const char *path)
{
    struct capture *capture = NULL;
    struct frame frames[CAPTURE_BATCH];
    struct dl_error error = {0};
    size_t count = 0;
    assert_int_equal(capture_open_file(&capture, path, NULL, &error), DL_OK);
    while (capture_read(capture, frames, CAPTURE_BATCH, 0, &count, &error) == DL_OK) {
        for (size_t i = 0; i < count; i++) {
            if (frames[i].link_type != LINK_ETHERNET || frames[i].captured == 0) {
                continue;
            }
            world->frames++;
            world->plain += both_ways(world, &frames[i]);
            change(world, &frames[i]);
        }
    }
    capture_close(capture);
}

static void test_committed_captures(void **state)
{
    struct world world = {.random = 1};
    char folder[4096], path[8192];
    const char *source = getenv("DARKLINE_SOURCE");
    (void)state;
    snprintf(folder, sizeof(folder), "%s/pcaps", source ? source : ".");
    world.fragments = fragments_create(world.counts);
    assert_non_null(world.fragments);
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (strstr(entry->d_name, ".pcap")) {
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            read_capture(&world, path);
        }
    }
    closedir(entries);
    fragments_destroy(world.fragments);
    print_message("%u frames, %u of them plain; %u changed ones\n", world.frames, world.plain,
                  world.changed_plain);
    assert_true(world.frames > 1000);
    assert_true((uint64_t)world.plain * 100 >= (uint64_t)world.frames * PLAIN_LEAST);
    assert_true(world.changed_plain > world.frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_committed_captures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
