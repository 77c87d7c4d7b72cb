// SPDX-License-Identifier: GPL-3.0-or-later
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/output.h"

struct output output_open(const char *path)
{
    static const uint32_t header[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, DLT_EN10MB};
    struct output output = {.path = path, .file = stdout};

    if (strcmp(path, "-") != 0) {
        output.file = fopen(path, "wb");
    }
    if (!output.file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    setvbuf(output.file, NULL, _IOFBF, 1 << 20);
    fwrite(header, sizeof(header), 1, output.file);
    return output;
}

void output_write(struct output *output, int64_t time_us, const uint8_t *bytes, uint32_t captured,
                  uint32_t length)
{
    int64_t at_us = OUTPUT_BEGIN_US + time_us;
    uint32_t header[] = {(uint32_t)(at_us / 1000000), (uint32_t)(at_us % 1000000), captured,
                         length};

    fwrite(header, sizeof(header), 1, output->file);
    fwrite(bytes, captured, 1, output->file);
    output->packets++;
    output->bytes += length;
}

void output_close(struct output *output)
{
    FILE *report = output->file == stdout ? stderr : stdout;
    bool failed = ferror(output->file) != 0;

    if (fclose(output->file) != 0 || failed) {
        fprintf(stderr, "%s: could not be written\n", output->path);
        exit(EXIT_FAILURE);
    }
    fprintf(report, "%llu %llu\n", (unsigned long long)output->packets,
            (unsigned long long)output->bytes);
}
