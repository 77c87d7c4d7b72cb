// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/flows.h"
#include "tests/bench/frames.h"
#include "tests/bench/stream.h"

#define GAP_MAX_US    INT64_C(1000000)
#define TEMPLATE_MAX  32u /* frames of one */
#define TEMPLATES_MAX 64u
#define PARETO_SHAPE  1.2
#define PARETO_MAX    20e6

enum flow_kind {
    KIND_TLS,
    KIND_DNS,
    KIND_DNS_TWICE,
    KIND_QUIC,
    KIND_QUIC_INITIAL,
    KIND_HTTP,
    KIND_SYN_SILENCE,
    KIND_SYN_RESET,
    KIND_HELLO_RESET,
    KIND_HELLO_SILENCE,
    KIND_COUNT
};

/* What a set is. */
struct flow_plan {
    unsigned permille[KIND_COUNT];
    uint32_t flows_per_second;
    uint32_t clients;       /* a prime */
    uint32_t extra_packets; /* that every flow grows by */
    double pareto_least;    /* bytes, where flows grow by chance; 0 where they do not */
    int64_t step_us;        /* from one packet of what it grew by to the next */
};

static const struct flow_plan flow_plans[] = {
    [FLOWS_SMALL] = {.permille = {[KIND_TLS] = 190,
                                  [KIND_DNS] = 220,
                                  [KIND_DNS_TWICE] = 50,
                                  [KIND_QUIC_INITIAL] = 80,
                                  [KIND_HTTP] = 100,
                                  [KIND_SYN_SILENCE] = 100,
                                  [KIND_SYN_RESET] = 100,
                                  [KIND_HELLO_RESET] = 120,
                                  [KIND_HELLO_SILENCE] = 40},
                     .flows_per_second = 20000,
                     .clients = 50021},
    [FLOWS_ELEPHANTS] = {.permille = {[KIND_TLS] = 625, [KIND_QUIC] = 375},
                         .flows_per_second = 20,
                         .clients = 50021,
                         .extra_packets = 25000,
                         .step_us = 2000},
    [FLOWS_WEB] = {.permille = {[KIND_TLS] = 350,
                                [KIND_DNS] = 350,
                                [KIND_QUIC] = 150,
                                [KIND_HTTP] = 70,
                                [KIND_SYN_SILENCE] = 22,
                                [KIND_SYN_RESET] = 22,
                                [KIND_HELLO_RESET] = 27,
                                [KIND_HELLO_SILENCE] = 9},
                   .flows_per_second = 2000,
                   .clients = 5003,
                   .pareto_least = 6680,
                   .step_us = 500},
};

/* ---- templates ---- */

struct template
{
    enum flow_kind kind;
    unsigned count;
    uint8_t client[4];
    bool grows, ends;                        /* ends: with FINs even where it did not grow */
    struct bench_frame frames[TEMPLATE_MAX]; /* times from the first one on */
    struct stream stream;
};

struct template_set {
    size_t count;
    struct template items[TEMPLATES_MAX];
};

__attribute__((noreturn)) static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static struct template *template_add(struct template_set *set, enum flow_kind kind,
                                     const struct template *whole, unsigned frames)
{
    if (set->count == TEMPLATES_MAX) {
        fail("templates", "too many");
    }
    struct template *added = &set->items[set->count++];

    *added = *whole;
    added->kind = kind;
    added->count = frames < whole->count ? frames : whole->count;
    return added;
}

static void template_append(struct template *template, struct bench_frame frame, int64_t after_us)
{
    int64_t last_us = template->frames[template->count - 1].time_us;

    if (template->count < TEMPLATE_MAX) {
        frame.time_us = last_us + after_us;
        template->frames[template->count++] = frame;
    }
}

/* The ends that a TLS flow comes to where something goes wrong. Its first four frames are SYN,
 * SYN+ACK, ACK, ClientHello. */
static void template_add_failures(struct template_set *set, const struct template *tls)
{
    struct bench_frame reset = frame_reset(&tls->frames[1]); /* from the server */
    struct bench_frame hello = tls->frames[3];

    struct template *silence = template_add(set, KIND_SYN_SILENCE, tls, 1);
    template_append(silence, tls->frames[0], 1000000);
    template_append(silence, tls->frames[0], 2000000);

    struct template *refused = template_add(set, KIND_SYN_RESET, tls, 1);
    template_append(refused, reset, 30000);

    struct template *cut = template_add(set, KIND_HELLO_RESET, tls, 4);
    template_append(cut, reset, 12000);
    template_append(cut, reset, 150);

    struct template *unheard = template_add(set, KIND_HELLO_SILENCE, tls, 4);
    template_append(unheard, hello, 300000);
    template_append(unheard, hello, 600000);
    template_append(unheard, hello, 1200000);
}

/* Is it TCP of the client without payload, acknowledging only? The end that follows says the same. */
static bool frame_only_acknowledges(const struct template *template,
                                    const struct bench_frame *frame)
{
    const uint8_t *tcp = frame->bytes + FRAME_PORTS;

    return memcmp(frame->bytes + FRAME_SOURCE, template->client, 4) == 0 && tcp[13] == 0x10 &&
           load_u16(frame->bytes + FRAME_IP + 2) == 20 + (tcp[12] >> 4) * 4;
}

/* A copy that may grow. */
static void template_add_growing(struct template_set *set, enum flow_kind kind,
                                 const struct template *whole, const char *path)
{
    struct template *added = template_add(set, kind, whole, TEMPLATE_MAX);

    added->grows = true;
    if (!stream_init(&added->stream, added->frames, added->count, added->client)) {
        fail(path, "one side is missing");
    }
    added->ends = kind == KIND_TLS;
    if (added->ends && frame_only_acknowledges(added, &added->frames[added->count - 1])) {
        added->count--;
    }
}

static void template_sort(struct template_set *set, const struct template *whole, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    bool ended =
        (whole->frames[whole->count - 1].bytes[FRAME_PORTS + 13] & 1) != 0 ||
        (whole->count > 2 && (whole->frames[whole->count - 2].bytes[FRAME_PORTS + 13] & 1));

    if (strncmp(name, "dns", 3) == 0 && whole->count == 2) {
        template_add(set, KIND_DNS, whole, 2);
        template_append(template_add(set, KIND_DNS_TWICE, whole, 2), whole->frames[1], 4000);
    } else if (strncmp(name, "http", 4) == 0 && ended) {
        template_add(set, KIND_HTTP, whole, TEMPLATE_MAX);
    } else if (strncmp(name, "http", 4) == 0) {
        template_add_growing(set, KIND_HTTP, whole, path);
    } else if (strncmp(name, "quic", 4) == 0 && whole->count >= 2) {
        template_add(set, KIND_QUIC_INITIAL, whole, 2);
        template_add_growing(set, KIND_QUIC, whole, path);
    } else if (strncmp(name, "tls", 3) == 0 && whole->count > 4) {
        template_add_growing(set, KIND_TLS, whole, path);
        template_add_failures(set, whole);
    } else {
        fail(path, "no template");
    }
}

static void template_load(struct template_set *set, struct bench_frames *frames, const char *path)
{
    struct template whole = {0};
    size_t first = frames->count;

    if (!frames_read(frames, path)) {
        exit(EXIT_FAILURE); /* which has said why */
    }
    frames_rebase(frames, first, GAP_MAX_US);
    while (first + whole.count < frames->count && whole.count < TEMPLATE_MAX) {
        whole.frames[whole.count] = frames->items[first + whole.count];
        if (!frame_is_plain(&whole.frames[whole.count])) {
            fail(path, "not TCP or UDP over IPv4 over Ethernet");
        }
        frame_make_checksums(&whole.frames[whole.count++]);
    }
    if (whole.count == 0) {
        fail(path, "empty");
    }
    memcpy(whole.client, whole.frames[0].bytes + FRAME_SOURCE, sizeof(whole.client));
    template_sort(set, &whole, path);
}

/* ---- chance ---- */

/* xorshift64: the same flows everywhere. */
static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const struct template *template_pick(const struct template_set *set,
                                            const struct flow_plan *plan, uint32_t permille,
                                            uint64_t turn)
{
    unsigned kind = 0;
    size_t fitting = 0;

    while (permille >= plan->permille[kind]) {
        permille -= plan->permille[kind++];
    }
    for (size_t i = 0; i < set->count; i++) {
        fitting += set->items[i].kind == kind;
    }
    if (fitting == 0) {
        fail("templates", "a kind is missing");
    }
    size_t wanted = (size_t)(turn % fitting), at = 0;
    while (set->items[at].kind != kind || wanted-- > 0) {
        at++;
    }
    return &set->items[at];
}

/* Packets that a flow grows by. */
static uint32_t growth_draw(const struct flow_plan *plan, const struct template *template,
                            uint64_t random)
{
    double bytes = 0, chance = ((double)(random >> 11) + 1) / 9007199254740993.0; /* (0, 1) */

    if (!template->grows) {
        return 0;
    }
    if (plan->pareto_least > 0) {
        bytes = plan->pareto_least / pow(chance, 1 / PARETO_SHAPE);
        bytes = bytes < PARETO_MAX ? bytes : PARETO_MAX;
    }
    return plan->extra_packets + (uint32_t)(bytes / STREAM_TCP_DATA * 3 / 2);
}

/* ---- in the order of time ---- */

struct pending {               /* a flow that has frames left */
    int64_t start_us, time_us; /* time_us: of its next frame */
    const struct template *template;
    uint32_t flow, next, extra, count;
};

/* A binary heap, the soonest frame on top. */
struct heap {
    struct pending *items;
    size_t count, capacity;
};

static bool pending_before(const struct pending *a, const struct pending *b)
{
    return a->time_us != b->time_us ? a->time_us < b->time_us : a->flow < b->flow;
}

static void heap_sink(struct heap *heap)
{
    struct pending item = heap->items[0];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count &&
            pending_before(&heap->items[child + 1], &heap->items[child])) {
            child++;
        }
        if (pending_before(&item, &heap->items[child])) {
            break;
        }
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = item;
}

static void heap_add(struct heap *heap, struct pending item)
{
    size_t at = heap->count++;

    if (heap->count > heap->capacity) {
        heap->capacity = heap->capacity ? 2 * heap->capacity : 1024;
        heap->items = reallocate(heap->items, heap->capacity * sizeof(*heap->items));
    }
    while (at > 0 && pending_before(&item, &heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = item;
}

/* When the flow's frame `next` comes, from its first one on. */
static int64_t frame_time(const struct flow_plan *plan, const struct pending *pending)
{
    const struct template *template = pending->template;

    if (pending->next < template->count) {
        return template->frames[pending->next].time_us;
    }
    int64_t last_us = template->frames[template->count - 1].time_us;
    uint32_t step = pending->next - template->count + 1;
    return last_us + step * (plan->step_us ? plan->step_us : 500);
}

/* Writes the next frame of the flow on top. */
static void heap_step(struct heap *heap, const struct flow_plan *plan, struct output *output,
                      uint8_t *scratch)
{
    struct pending *top = &heap->items[0];
    const struct template *template = top->template;
    uint32_t client = 0x0a000000u + 256 + top->flow % plan->clients; /* 10.0.1.0 and on */
    uint16_t port = (uint16_t)(10000 + top->flow / plan->clients % 50000);
    uint32_t size;

    if (top->next < template->count) {
        size = template->frames[top->next].captured;
        memcpy(scratch, template->frames[top->next].bytes, size);
    } else {
        size = stream_build(&template->stream, top->next - template->count, top->extra,
                            top->time_us - top->start_us, scratch);
    }
    frame_readdress(scratch, size, template->client, client, port, (uint16_t)top->flow);
    output_write(output, top->time_us, scratch, size, size);
    if (++top->next < top->count) {
        top->time_us = top->start_us + frame_time(plan, top);
    } else {
        heap->items[0] = heap->items[--heap->count];
    }
    if (heap->count > 0) {
        heap_sink(heap);
    }
}

static struct pending flow_begin(const struct flow_plan *plan, const struct template_set *set,
                                 uint32_t flow, uint32_t count, uint64_t *state)
{
    uint64_t random = random_next(state);
    /* A handful of flows has the stated shares by turns, more have them by chance. */
    uint32_t permille =
        count < 1000 ? (uint32_t)((uint64_t)flow * 1000 / count) : (uint32_t)(random % 1000);
    const struct template *template =
        template_pick(set, plan, permille, count < 1000 ? flow : random / 1000);
    uint32_t extra = growth_draw(plan, template, random_next(state));
    bool ends = template->grows && template->stream.tcp && (template->ends || extra > 0);
    int64_t start_us = (int64_t)flow * 1000000 / plan->flows_per_second;

    return (struct pending){.start_us = start_us,
                            .time_us = start_us,
                            .template = template,
                            .flow = flow,
                            .extra = extra,
                            .count = template->count + extra + (ends ? STREAM_END : 0)};
}

void flows_compose(enum flow_set set, struct output *output, uint32_t count, uint64_t seed,
                   char **captures, size_t capture_count)
{
    static struct template_set templates;
    const struct flow_plan *plan = &flow_plans[set];
    struct bench_frames frames = {0};
    struct heap heap = {0};
    uint64_t state = 88172645463325252u ^ (seed * 0x9e3779b97f4a7c15u);
    uint8_t *scratch = allocate(FRAME_SIZE_MAX);

    for (size_t i = 0; i < capture_count; i++) {
        template_load(&templates, &frames, captures[i]);
    }
    for (uint32_t flow = 0; flow < count; flow++) {
        struct pending pending = flow_begin(plan, &templates, flow, count, &state);
        while (heap.count > 0 && heap.items[0].time_us < pending.start_us) {
            heap_step(&heap, plan, output, scratch);
        }
        heap_add(&heap, pending);
    }
    while (heap.count > 0) {
        heap_step(&heap, plan, output, scratch);
    }
    free(heap.items);
    free(scratch);
    frames_finish(&frames);
}
