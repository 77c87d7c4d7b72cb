// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/status.h"
#include "compose.h"
#include "rewrite.h"

#define FRAME_MAX 65536u

/* ---- a compressed capture ---- */

struct capture_file {
    FILE *file;
    ZSTD_CCtx *context;
    uint8_t *buffer;
    size_t size;
    bool failed;
};

static void file_write(struct capture_file *file, const void *bytes, size_t length,
                       ZSTD_EndDirective end)
{
    ZSTD_inBuffer in = {bytes, length, 0};
    size_t left;

    do {
        ZSTD_outBuffer out = {file->buffer, file->size, 0};
        left = ZSTD_compressStream2(file->context, &out, &in, end);
        if (ZSTD_isError(left) || fwrite(file->buffer, 1, out.pos, file->file) != out.pos) {
            file->failed = true;
            return;
        }
    } while (in.pos < in.size || (end == ZSTD_e_end && left > 0));
}

static bool file_open(struct capture_file *file, const char *path, int level)
{
    const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};

    *file = (struct capture_file){
        .file = fopen(path, "wb"), .context = ZSTD_createCCtx(), .size = ZSTD_CStreamOutSize()};
    file->buffer = malloc(file->size);
    if (!file->file || !file->context || !file->buffer) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    ZSTD_CCtx_setParameter(file->context, ZSTD_c_compressionLevel, level);
    /* What repeats is weeks apart. */
    ZSTD_CCtx_setParameter(file->context, ZSTD_c_enableLongDistanceMatching, 1);
    ZSTD_CCtx_setParameter(file->context, ZSTD_c_windowLog, 23);
    file_write(file, header, sizeof(header), ZSTD_e_continue);
    return true;
}

static bool file_close(struct capture_file *file, const char *path)
{
    if (!file->file) {
        return true;
    }
    if (!file->failed) {
        file_write(file, NULL, 0, ZSTD_e_end);
    }
    file->failed |= fclose(file->file) != 0;
    ZSTD_freeCCtx(file->context);
    free(file->buffer);
    if (file->failed) {
        fprintf(stderr, "%s: could not be written\n", path);
    }
    bool good = !file->failed;
    *file = (struct capture_file){0};
    return good;
}

static void file_frame(struct capture_file *file, int64_t time_us, const uint8_t *bytes,
                       uint32_t length)
{
    const uint32_t header[4] = {(uint32_t)(time_us / CLOCK_SECOND_US),
                                (uint32_t)(time_us % CLOCK_SECOND_US), length, length};

    file_write(file, header, sizeof(header), ZSTD_e_continue);
    file_write(file, bytes, length, ZSTD_e_continue);
}

/* ---- attempts under way ---- */

struct running {
    struct plan_attempt attempt;
    int64_t next_us; /* of its next frame, as shown */
    size_t next;
};

struct output {
    struct plan *plan;
    struct truth *truth;
    const char *folder;
    int level;
    unsigned probe, part;
    struct capture_file file;
    char path[1024];
    struct running *running; /* a heap, the soonest on top */
    size_t running_count, running_capacity;
    uint8_t scratch[FRAME_MAX];
};

static void sink(struct output *out)
{
    struct running item = out->running[0];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < out->running_count) {
        if (child + 1 < out->running_count &&
            out->running[child + 1].next_us < out->running[child].next_us) {
            child++;
        }
        if (item.next_us <= out->running[child].next_us) {
            break;
        }
        out->running[at] = out->running[child];
        at = child;
    }
    out->running[at] = item;
}

static int64_t frame_time(const struct output *out, const struct running *item)
{
    const struct template_frame *frame = &item->attempt.template->frames[item->next];

    return shown_time(&out->plan->probes[out->probe], item->attempt.time_us) +
           (int64_t)((double)frame->after_us * item->attempt.scale);
}

static void start(struct output *out, const struct plan_attempt *attempt)
{
    struct running item = {.attempt = *attempt};
    size_t at = out->running_count;

    if (attempt->template->frame_count == 0) {
        return;
    }
    if (at == out->running_capacity) {
        out->running_capacity = at ? 2 * at : 256;
        out->running = realloc(out->running, out->running_capacity * sizeof(*out->running));
        if (!out->running) {
            abort();
        }
    }
    item.next_us = frame_time(out, &item);
    for (out->running_count++; at > 0 && out->running[(at - 1) / 2].next_us > item.next_us;
         at = (at - 1) / 2) {
        out->running[at] = out->running[(at - 1) / 2];
    }
    out->running[at] = item;
}

/* Writes the soonest frame of all. */
static void step(struct output *out)
{
    struct running *item = &out->running[0];
    const struct plan_probe *probe = &out->plan->probes[out->probe];
    const struct template *template = item->attempt.template;
    const struct template_frame *frame = &template->frames[item->next];
    const struct templates *templates = out->plan->templates;
    struct chance chance = {item->attempt.random + frame->port};
    struct rewrite rewrite = {.port = template->ports[frame->port],
                              .dns_id = (uint16_t)item->attempt.random,
                              .sequence_up = (uint32_t)chance_next(&chance),
                              .sequence_down = (uint32_t)chance_next(&chance),
                              .hops = (uint8_t)probe->from->hops};
    struct address resolver;

    memcpy(rewrite.client, templates->client, 4);
    memcpy(rewrite.resolver, templates->resolver, 4);
    memcpy(rewrite.new_resolver, templates->resolver, 4);
    if (probe->from->resolver && address_parse(probe->from->resolver, &resolver) == DL_OK) {
        memcpy(rewrite.new_resolver, resolver.bytes + 12, 4);
    }
    voice_address(probe, item->attempt.voice, rewrite.new_client);
    rewrite.new_port = (uint16_t)(attempt_port(&item->attempt) + frame->port);
    memcpy(out->scratch, frame->bytes, frame->length);
    if (!rewrite_frame(&rewrite, out->scratch, frame->length, frame->up) ||
        !rewrite_checks(out->scratch, frame->length)) {
        fprintf(stderr, "%s: %s: a frame that cannot be rewritten\n", template->technique,
                template->door);
        out->file.failed = true;
    }
    file_frame(&out->file, item->next_us, out->scratch, frame->length);
    if (++item->next < template->frame_count) {
        item->next_us = frame_time(out, item);
    } else {
        out->running[0] = out->running[--out->running_count];
    }
    if (out->running_count) {
        sink(out);
    }
}

static void run_until(struct output *out, int64_t shown_us)
{
    while (out->running_count && out->running[0].next_us < shown_us) {
        step(out);
    }
}

/* ---- one probe ---- */

static bool vantage_write(const struct plan_probe *probe, const char *path)
{
    const struct scenario_probe *from = probe->from;
    FILE *file = fopen(path, "w");

    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(file, "probe_id: %s\ncarrier: %s\nasn: %" PRIu32 "\ncountry: %s\n", probe->id,
            from->carrier, from->asn, from->country);
    if (from->network) {
        fprintf(file, "network: %s\n", from->network);
    }
    fprintf(file, "position: %s\nclock: %s\norigin: composed\nlocal_networks:\n",
            from->position ? from->position : "carrier",
            from->clock ? from->clock : "synchronised");
    for (unsigned i = 0; i <= from->voices / 200; i++) {
        fprintf(file, "  - \"%u.%u.%u.0/24\"\n", probe->client[0], probe->client[1],
                probe->client[2] + i);
    }
    return fclose(file) == 0;
}

static bool part_open(struct output *out)
{
    const char *id = out->plan->probes[out->probe].id;
    char part[16] = "", path[1024];

    if (out->part++) {
        snprintf(part, sizeof(part), ".%u", out->part);
    }
    snprintf(out->path, sizeof(out->path), "%s/%s%s.pcap.zst", out->folder, id, part);
    snprintf(path, sizeof(path), "%s/%s%s.vantage.yaml", out->folder, id, part);
    return vantage_write(&out->plan->probes[out->probe], path) &&
           file_open(&out->file, out->path, out->level);
}

static bool part_close(struct output *out)
{
    run_until(out, INT64_MAX);
    return file_close(&out->file, out->path);
}

static bool probe_write(struct output *out)
{
    const struct scenario *scenario = out->plan->scenario;
    const struct plan_probe *probe = &out->plan->probes[out->probe];
    int64_t change_us = plan_next_change(out->plan, out->probe, scenario->first_us);
    bool good = part_open(out);

    for (int64_t hour_us = scenario->first_us; good && hour_us < scenario->end_us;
         hour_us += CLOCK_HOUR_US) {
        plan_hour(out->plan, out->probe, hour_us);
        for (size_t i = 0; good && i < out->plan->attempt_count; i++) {
            const struct plan_attempt *attempt = &out->plan->attempts[i];
            while (good && attempt->time_us >= change_us) { /* nobody watched in between */
                good = part_close(out) && part_open(out);
                while (change_us <= attempt->time_us) {
                    change_us = plan_next_change(out->plan, out->probe, change_us);
                }
            }
            truth_note(out->truth, out->probe, attempt);
            run_until(out, shown_time(probe, attempt->time_us));
            start(out, attempt);
        }
    }
    return part_close(out) && good;
}

bool packets_out(struct plan *plan, struct truth *truth, const char *folder, int level)
{
    static struct output out;
    bool good = true;

    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        return false;
    }
    out = (struct output){.plan = plan, .truth = truth, .folder = folder, .level = level};
    for (out.probe = 0; good && out.probe < plan->probe_count; out.probe++) {
        out.part = 0;
        good = probe_write(&out);
    }
    free(out.running);
    return good;
}
