// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Composes benchmark captures (classic pcap, Ethernet, microseconds) from real ones.
 *
 *   compose mix OUT COPIES CAPTURE...
 *       all captures at once, COPIES times with shifted private addresses or ports; gaps are cut
 *       to a second
 *   compose flows OUT FLOWS CAPTURE...
 *       many short flows, each made after one of the one-flow captures (named dns* http* quic*
 *       tls*), whole or cut short by silence or resets
 *
 * The same arguments give the same bytes.
 */
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/frames.h"

#define GAP_MAX_US     INT64_C(1000000)
#define COPY_OFFSET_US INT64_C(2000000)
#define BEGIN_US       INT64_C(1448445600000000) /* 25 November 2015, 10:00 UTC */
#define COPIES_MAX     250

/* ---- writing ---- */

static FILE *output_open(const char *path)
{
    static const uint32_t header[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, DLT_EN10MB};
    FILE *output = fopen(path, "wb");

    if (!output) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    setvbuf(output, NULL, _IOFBF, 1 << 20);
    fwrite(header, sizeof(header), 1, output);
    return output;
}

static void output_write(FILE *output, int64_t time_us, const uint8_t *bytes, uint32_t captured,
                         uint32_t length)
{
    uint32_t header[] = {(uint32_t)(time_us / 1000000), (uint32_t)(time_us % 1000000), captured,
                         length};

    fwrite(header, sizeof(header), 1, output);
    fwrite(bytes, captured, 1, output);
}

static int output_close(FILE *output, const char *path)
{
    bool failed = ferror(output) != 0;

    if (fclose(output) != 0 || failed) {
        fprintf(stderr, "%s: could not be written\n", path);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* ---- mix: everything at once, several times ---- */

static int frame_compare(const void *a, const void *b)
{
    const struct bench_frame *x = a, *y = b;

    if (x->time_us != y->time_us) {
        return x->time_us < y->time_us ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static int compose_mix(const char *path, unsigned copies, char **captures, size_t count)
{
    struct bench_frames frames = {0};
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        size_t first = frames.count;
        if (frames_read(&frames, captures[i])) {
            frames_rebase(&frames, first, GAP_MAX_US);
            used++;
        }
    }
    if (frames.count == 0) {
        fprintf(stderr, "no Ethernet capture among the %zu given\n", count);
        return EXIT_FAILURE;
    }
    qsort(frames.items, frames.count, sizeof(*frames.items), frame_compare);

    /* A merge of the copies, each some seconds behind the one before it. */
    FILE *output = output_open(path);
    size_t next[COPIES_MAX] = {0};
    uint8_t *scratch = allocate(FRAME_SIZE_MAX);
    for (size_t written = 0; written < frames.count * copies; written++) {
        unsigned copy = 0;
        int64_t time_us = INT64_MAX;
        for (unsigned c = 0; c < copies; c++) {
            if (next[c] < frames.count &&
                frames.items[next[c]].time_us + c * COPY_OFFSET_US < time_us) {
                copy = c;
                time_us = frames.items[next[c]].time_us + c * COPY_OFFSET_US;
            }
        }
        const struct bench_frame *frame = &frames.items[next[copy]++];
        memcpy(scratch, frame->bytes, frame->captured);
        frame_shift(scratch, frame->captured, copy);
        output_write(output, BEGIN_US + time_us, scratch, frame->captured, frame->length);
    }
    printf("%zu of %zu captures, %u times: %zu packets\n", used, count, copies,
           frames.count * copies);
    free(scratch);
    frames_finish(&frames);
    return output_close(output, path);
}

/* ---- flows: many short ones ---- */

#define FLOWS_PER_SECOND 20000
#define CLIENTS          50021u /* a prime */
#define TEMPLATE_MAX     32u    /* frames of one */
#define TEMPLATES_MAX    64u

enum flow_kind {
    KIND_TLS,
    KIND_DNS,
    KIND_DNS_TWICE,
    KIND_QUIC,
    KIND_HTTP,
    KIND_SYN_SILENCE,
    KIND_SYN_RESET,
    KIND_HELLO_RESET,
    KIND_HELLO_SILENCE,
    KIND_COUNT
};

static const unsigned kind_percent[KIND_COUNT] = {
    [KIND_TLS] = 19,       [KIND_DNS] = 22,         [KIND_DNS_TWICE] = 5,
    [KIND_QUIC] = 8,       [KIND_HTTP] = 10,        [KIND_SYN_SILENCE] = 10,
    [KIND_SYN_RESET] = 10, [KIND_HELLO_RESET] = 12, [KIND_HELLO_SILENCE] = 4,
};

struct template
{
    enum flow_kind kind;
    unsigned count;
    uint8_t client[4];
    struct bench_frame frames[TEMPLATE_MAX]; /* times from the first one on */
};

struct template_set {
    size_t count;
    struct template items[TEMPLATES_MAX];
};

static struct template *template_add(struct template_set *set, enum flow_kind kind,
                                     const struct template *whole, unsigned frames)
{
    if (set->count == TEMPLATES_MAX) {
        fprintf(stderr, "too many templates\n");
        exit(EXIT_FAILURE);
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
}

static bool template_load(struct template_set *set, struct bench_frames *frames, const char *path)
{
    struct template whole = {0};
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t first = frames->count;

    if (!frames_read(frames, path)) {
        return false;
    }
    frames_rebase(frames, first, GAP_MAX_US);
    while (first + whole.count < frames->count && whole.count < TEMPLATE_MAX) {
        whole.frames[whole.count] = frames->items[first + whole.count];
        if (!frame_is_plain(&whole.frames[whole.count])) {
            fprintf(stderr, "%s: not TCP or UDP over IPv4 over Ethernet\n", path);
            return false;
        }
        frame_make_checksums(&whole.frames[whole.count++]);
    }
    if (whole.count == 0) {
        fprintf(stderr, "%s: empty\n", path);
        return false;
    }
    memcpy(whole.client, whole.frames[0].bytes + FRAME_SOURCE, sizeof(whole.client));
    if (strncmp(name, "dns", 3) == 0 && whole.count == 2) {
        template_add(set, KIND_DNS, &whole, 2);
        template_append(template_add(set, KIND_DNS_TWICE, &whole, 2), whole.frames[1], 4000);
    } else if (strncmp(name, "http", 4) == 0) {
        template_add(set, KIND_HTTP, &whole, TEMPLATE_MAX);
    } else if (strncmp(name, "quic", 4) == 0) {
        template_add(set, KIND_QUIC, &whole, TEMPLATE_MAX);
    } else if (strncmp(name, "tls", 3) == 0 && whole.count > 4) {
        template_add(set, KIND_TLS, &whole, TEMPLATE_MAX);
        template_add_failures(set, &whole);
    } else {
        fprintf(stderr, "%s: no template\n", path);
        return false;
    }
    return true;
}

/* xorshift64: the same flows everywhere. */
static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const struct template *template_pick(const struct template_set *set, uint64_t random)
{
    unsigned percent = (unsigned)(random % 100);
    unsigned kind = 0;
    size_t fitting = 0;

    while (percent >= kind_percent[kind]) {
        percent -= kind_percent[kind++];
    }
    for (size_t i = 0; i < set->count; i++) {
        fitting += set->items[i].kind == kind;
    }
    size_t wanted = fitting ? (size_t)(random / 100) % fitting : 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i].kind == kind && wanted-- == 0) {
            return &set->items[i];
        }
    }
    return &set->items[0];
}

struct pending {               /* a flow that has frames left */
    int64_t start_us, time_us; /* time_us: of its next frame */
    const struct template *template;
    uint32_t flow, next;
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

/* Writes the next frame of the flow on top. */
static void heap_step(struct heap *heap, FILE *output, uint8_t *scratch)
{
    struct pending *top = &heap->items[0];
    const struct template *template = top->template;
    const struct bench_frame *frame = &template->frames[top->next];
    uint32_t client = 0x0a000000u + 256 + top->flow % CLIENTS; /* 10.0.1.0 and on */
    uint16_t port = (uint16_t)(10000 + top->flow / CLIENTS % 50000);

    memcpy(scratch, frame->bytes, frame->captured);
    frame_readdress(scratch, frame->captured, template->client, client, port, (uint16_t)top->flow);
    output_write(output, BEGIN_US + top->time_us, scratch, frame->captured, frame->length);
    if (++top->next < template->count) {
        top->time_us = top->start_us + template->frames[top->next].time_us;
    } else {
        heap->items[0] = heap->items[--heap->count];
    }
    if (heap->count > 0) {
        heap_sink(heap);
    }
}

static int compose_flows(const char *path, uint32_t flows, char **captures, size_t count)
{
    static struct template_set set;
    struct bench_frames frames = {0};
    struct heap heap = {0};
    uint64_t state = 88172645463325252u, packets = 0;

    for (size_t i = 0; i < count; i++) {
        if (!template_load(&set, &frames, captures[i])) {
            return EXIT_FAILURE;
        }
    }
    if (set.count == 0) {
        fprintf(stderr, "no template\n");
        return EXIT_FAILURE;
    }
    FILE *output = output_open(path);
    uint8_t *scratch = allocate(FRAME_SIZE_MAX);
    for (uint32_t flow = 0; flow < flows; flow++) {
        int64_t start_us = (int64_t)flow * 1000000 / FLOWS_PER_SECOND;
        for (; heap.count > 0 && heap.items[0].time_us < start_us; packets++) {
            heap_step(&heap, output, scratch);
        }
        heap_add(&heap, (struct pending){.start_us = start_us,
                                         .time_us = start_us,
                                         .template = template_pick(&set, random_next(&state)),
                                         .flow = flow});
    }
    for (; heap.count > 0; packets++) {
        heap_step(&heap, output, scratch);
    }
    printf("%u flows after %zu captures: %llu packets\n", flows, count,
           (unsigned long long)packets);
    free(heap.items);
    free(scratch);
    frames_finish(&frames);
    return output_close(output, path);
}

int main(int argc, char **argv)
{
    unsigned long number = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;

    if (argc > 4 && strcmp(argv[1], "mix") == 0 && number > 0 && number <= COPIES_MAX) {
        return compose_mix(argv[2], (unsigned)number, argv + 4, (size_t)argc - 4);
    }
    if (argc > 4 && strcmp(argv[1], "flows") == 0 && number > 0 && number <= 1000000000) {
        return compose_flows(argv[2], (uint32_t)number, argv + 4, (size_t)argc - 4);
    }
    fprintf(stderr,
            "usage: compose mix OUT COPIES CAPTURE... | compose flows OUT FLOWS CAPTURE...\n"
            "COPIES at most %d\n",
            COPIES_MAX);
    return 2;
}
