// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The probe: frames in, observations out. It joins decode, flow, inspect and classify; it knows
 * nothing of where frames come from or where records go.
 *
 *   probe_begin_input()  a new capture begins: flows of the last one are gone
 *   probe_frames()       a batch of frames
 *   probe_tick()         live: time passes without frames
 *   probe_end_input()    every flow still open ends with it; counts are given out
 *
 * Names of services the catalog does not know are not kept (unless all_names), and their flows are
 * only counted. Addresses of people leave here as pseudonyms (unless keep_addresses).
 */
#include "base/status.h"
#include "catalog/catalog.h"
#include "probe/capture/capture.h"
#include "probe/decode/decode.h"
#include "probe/inspect/inspect.h"
#include "store/key.h"
#include "store/observation.h"

struct probe;

struct probe_sink {
    void *context;
    int (*observation)(void *context, const struct observation *observation,
                       struct dl_error *error);
    int (*count)(void *context, const struct hour_count *count, struct dl_error *error);
};

struct probe_part;

#define PROBE_MEMORY_DEFAULT (UINT64_C(256) << 20)
#define PROBE_MEMORY_LEAST   (UINT64_C(16) << 20)

struct probe_options {
    const struct catalog *catalog;
    const struct fingerprints *fingerprints; /* of block pages, built; NULL for none */
    struct key *key;                         /* for pseudonyms; may be NULL with keep_addresses */
    bool all_names, keep_addresses;
    bool live;       /* write rows as soon as a flow is tagged, and again at its end */
    uint64_t memory; /* bytes for flows and their parts; 0 for the default */
    struct probe_sink sink;
    const struct probe_part *part; /* NULL: it sees all of the capture (parts.h) */
    /* Each client address once a flow begins (for the vantage's vote); may be NULL. */
    void (*on_client)(void *context, const struct address *client, int64_t time_us);
    /* What inspection found of each flow, when it ends (for tests and tools); may be NULL. */
    void (*on_facts)(void *context, const struct observation *observation,
                     const struct facts *facts);
    void *context;
};

struct probe_stats {
    uint64_t packets, bytes;   /* frames given in */
    uint64_t flows, questions; /* begun */
    uint64_t stored, counted;  /* observations given out; flows only counted */
    uint64_t evicted;          /* flows that left because the table was full */
    uint64_t parts_refused;    /* evidence, inspections, buffers that found no room */
    uint64_t icmp_unmatched;   /* ICMP errors about flows not known */
    uint64_t shed;             /* flows tagged without a look at their payload (parts.h) */
    uint64_t decode[DECODE_KIND_COUNT];
    uint32_t flows_now, flows_peak;
    uint64_t memory; /* bytes held for flows and their parts */
};

/* DL_OK, -ENOMEM, DL_LIBRARY (nDPI). The catalog, fingerprints and key must outlive the probe. */
int probe_create(struct probe **ret_probe, const struct probe_options *options,
                 struct dl_error *error);
void probe_destroy(struct probe *probe); /* accepts NULL; ends nothing */

/* `input` is the number observations carry; `vantage` (local networks) may be NULL. */
void probe_begin_input(struct probe *probe, uint32_t input, const struct vantage *vantage);
/* DL_OK, or the first error of the sink. */
int probe_frames(struct probe *probe, const struct frame *frames, size_t count,
                 struct dl_error *error);
int probe_tick(struct probe *probe, int64_t now_us, struct dl_error *error);
int probe_end_input(struct probe *probe, struct dl_error *error);

void probe_get_stats(const struct probe *probe, struct probe_stats *ret_stats);
