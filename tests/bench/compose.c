// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Composes benchmark captures (classic pcap, Ethernet, microseconds) from real ones, and prints
 * how many packets and bytes there are.
 *
 *   compose a OUT COPIES SEED CAPTURE...   all captures at once, COPIES times with shifted private
 *                                          addresses or ports; gaps are cut to a second
 *   compose b OUT FLOWS SEED CAPTURE...    small flows, made after one-flow captures
 *   compose c OUT FLOWS SEED CAPTURE...    elephants
 *   compose d OUT FLOWS SEED CAPTURE...    a web mix of heavy tails
 *   compose cut OUT PACKETS 0 CAPTURE      its first packets
 *
 * The same arguments give the same bytes.
 */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/flows.h"
#include "tests/bench/frames.h"
#include "tests/bench/output.h"

#define GAP_MAX_US     INT64_C(1000000)
#define COPY_OFFSET_US INT64_C(2000000)
#define COPIES_MAX     250

static int frame_compare(const void *a, const void *b)
{
    const struct bench_frame *x = a, *y = b;

    if (x->time_us != y->time_us) {
        return x->time_us < y->time_us ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* A merge of the copies, each some seconds behind the one before it. */
static void write_copies(struct output *output, const struct bench_frames *frames, unsigned copies)
{
    size_t next[COPIES_MAX] = {0};
    uint8_t *scratch = allocate(FRAME_SIZE_MAX);

    for (size_t written = 0; written < frames->count * copies; written++) {
        unsigned copy = 0;
        int64_t time_us = INT64_MAX;
        for (unsigned c = 0; c < copies; c++) {
            if (next[c] < frames->count &&
                frames->items[next[c]].time_us + c * COPY_OFFSET_US < time_us) {
                copy = c;
                time_us = frames->items[next[c]].time_us + c * COPY_OFFSET_US;
            }
        }
        const struct bench_frame *frame = &frames->items[next[copy]++];
        memcpy(scratch, frame->bytes, frame->captured);
        frame_shift(scratch, frame->captured, copy);
        output_write(output, time_us, scratch, frame->captured, frame->length);
    }
    free(scratch);
}

static void compose_everything(struct output *output, unsigned copies, char **captures,
                               size_t count)
{
    struct bench_frames frames = {0};

    for (size_t i = 0; i < count; i++) {
        size_t first = frames.count;
        if (frames_read(&frames, captures[i])) {
            frames_rebase(&frames, first, GAP_MAX_US);
        }
    }
    if (frames.count == 0) {
        fprintf(stderr, "no Ethernet capture among the %zu given\n", count);
        exit(EXIT_FAILURE);
    }
    qsort(frames.items, frames.count, sizeof(*frames.items), frame_compare);
    write_copies(output, &frames, copies);
    frames_finish(&frames);
}

static void compose_cut(struct output *output, unsigned long packets, const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *capture = pcap_open_offline(path, why);
    struct pcap_pkthdr *header;
    const uint8_t *bytes;

    if (!capture) {
        fprintf(stderr, "%s\n", why);
        exit(EXIT_FAILURE);
    }
    while (packets-- > 0 && pcap_next_ex(capture, &header, &bytes) == 1) {
        int64_t time_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec;
        output_write(output, time_us - OUTPUT_BEGIN_US, bytes, header->caplen, header->len);
    }
    pcap_close(capture);
}

int main(int argc, char **argv)
{
    static const char *const sets[] = {"a", "b", "c", "d", "cut"};
    unsigned long number = argc > 5 ? strtoul(argv[3], NULL, 10) : 0;
    unsigned set = 0;

    while (set < 5 && argc > 5 && strcmp(argv[1], sets[set]) != 0) {
        set++;
    }
    if (argc <= 5 || set == 5 || number == 0 || number > (set == 0 ? COPIES_MAX : 1000000000)) {
        fprintf(stderr,
                "usage: compose a|b|c|d|cut OUT NUMBER SEED CAPTURE...\n"
                "NUMBER: a: copies, at most %d; b, c, d: flows; cut: packets\n",
                COPIES_MAX);
        return 2;
    }
    struct output output = output_open(argv[2]);
    char **captures = argv + 5;
    size_t count = (size_t)argc - 5;

    if (set == 0) {
        compose_everything(&output, (unsigned)number, captures, count);
    } else if (set == 4) {
        compose_cut(&output, number, captures[0]);
    } else {
        static const enum flow_set kinds[] = {FLOWS_SMALL, FLOWS_ELEPHANTS, FLOWS_WEB};
        flows_compose(kinds[set - 1], &output, (uint32_t)number, strtoull(argv[4], NULL, 10),
                      captures, count);
    }
    output_close(&output);
    return EXIT_SUCCESS;
}
