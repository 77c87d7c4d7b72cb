// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* A classic pcap file (Ethernet, microseconds) being written. What cannot be written ends the program. */
#include <stdint.h>
#include <stdio.h>

#define OUTPUT_BEGIN_US INT64_C(1448445600000000) /* 25 November 2015, 10:00 UTC */

struct output {
    const char *path;
    FILE *file;
    uint64_t packets, bytes; /* bytes on the wire */
};

/* Begins `path` anew, - being standard output; it must outlive the output. */
struct output output_open(const char *path);
/* `time_us` counts from OUTPUT_BEGIN_US. */
void output_write(struct output *output, int64_t time_us, const uint8_t *bytes, uint32_t captured,
                  uint32_t length);
/* Ends the file and prints "PACKETS BYTES" (to standard error where the capture went to output). */
void output_close(struct output *output);
