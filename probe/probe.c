// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/probe.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "geo/vantage.h"
#include "probe/probe_internal.h"

#define TLS_ALERT_BYTES  7u /* a record header and an alert in clear */
#define PORT_DNS         53
#define NAMES_MAX        1000000u
#define NAMES_BYTES_MAX  (64u << 20)
#define PROTOCOLS_MAX    2048u
#define EXPIRE_PER_BATCH 4096u
#define GROUP_MAX        16u
/* How the memory is shared out; the rest is slack for nDPI's own. */
#define SHARE_FLOWS       50u
#define SHARE_INSPECTIONS 10u
#define SHARE_STREAMS     5u
#define SHARE_QUESTIONS   9u
#define SHARE_ANSWERS     4u
#define SHARE_DETAILS     10u
#define SHARE_TEXTS       4u
#define SHARE_PACES       2u
#define SHARE_DNS_CACHE   4u
#define SHARE_CONTENTS    2u

static bool is_local(void *context, const struct address *address)
{
    const struct probe *probe = context;
    return vantage_is_local(&probe->vantage, address);
}

static bool is_server_port(void *context, enum transport transport, uint16_t port)
{
    const struct probe *probe = context;
    struct catalog_match match;
    return port < 1024 ||
           catalog_match_port(probe->options.catalog, transport, port, &match, 1) > 0;
}

static uint32_t share(uint64_t memory, unsigned percent, size_t size)
{
    uint64_t count = memory / 100 * percent / size;
    return (uint32_t)MAX_OF(MIN_OF(count, (uint64_t)UINT32_MAX / 2), 64);
}

static int parts_init(struct probe *probe, uint64_t memory)
{
    size_t flow_size =
        sizeof(struct flow) + sizeof(struct evidence) + 16; /* two index slots of 8 bytes */
    struct track_options track = {
        .flows_maximum = share(memory, SHARE_FLOWS, flow_size),
        .details_maximum = share(memory, SHARE_DETAILS, sizeof(struct details)),
        .texts_maximum = share(memory, SHARE_TEXTS, sizeof(struct details_texts)),
        .contents_maximum = share(memory, SHARE_CONTENTS, sizeof(struct contents_stream)),
        .paces_maximum = share(memory, SHARE_PACES, sizeof(struct pace)),
        .is_local = is_local,
        .is_server_port = is_server_port,
        .ended = probe_flow_ended,
        .context = probe};
    uint32_t streams = share(memory, SHARE_STREAMS / 2, sizeof(struct stream_buffer));
    int status = tracker_init(&probe->tracker, &track);
    if (status == DL_OK)
        status = pool_init(&probe->inspections, sizeof(struct inspection_slot),
                           share(memory, SHARE_INSPECTIONS, sizeof(struct inspection_slot)));
    if (status == DL_OK)
        status = pool_init(&probe->questions, sizeof(struct question),
                           share(memory, SHARE_QUESTIONS, sizeof(struct question)));
    if (status == DL_OK)
        status = pool_init(&probe->answers, sizeof(struct dns_facts_answer),
                           share(memory, SHARE_ANSWERS, sizeof(struct dns_facts_answer)));
    if (status == DL_OK)
        status = inspector_pools_init(&probe->inspectors, streams, probe->options.catalog);
    probe->inspectors.fingerprints = probe->options.fingerprints;
    if (status == DL_OK)
        status = dns_cache_create(&probe->dns_cache, share(memory, SHARE_DNS_CACHE, 64));
    return status;
}

int probe_create(struct probe **ret_probe, const struct probe_options *options,
                 struct dl_error *error)
{
    int status;
    struct probe *probe = calloc(1, sizeof(*probe));
    if (!probe)
        return dl_error_set(error, -ENOMEM, "no memory for the probe");
    probe->options = *options;
    status = parts_init(probe, MAX_OF(options->memory ? options->memory : PROBE_MEMORY_DEFAULT,
                                      PROBE_MEMORY_LEAST));
    if (status == DL_OK)
        status = decoder_create(&probe->decoder);
    if (status == DL_OK)
        status = counts_create(&probe->counts);
    if (status == DL_OK)
        status = intern_create(&probe->names, NAMES_MAX, NAMES_BYTES_MAX);
    if (status == DL_OK)
        status = intern_create(&probe->protocols, PROTOCOLS_MAX, PROTOCOLS_MAX * 64);
    if (status == DL_OK)
        status = dpi_create(&probe->dpi);
    if (status != DL_OK) {
        probe_destroy(probe);
        return dl_error_set(error, status, "cannot set up the probe: %s", dl_strerror(status));
    }
    probe->protocol_dns = probe_protocol_number(probe, "DNS");
    probe->protocol_unknown = probe_protocol_number(probe, "Unknown");
    *ret_probe = probe;
    return DL_OK;
}

void probe_destroy(struct probe *probe)
{
    if (!probe)
        return;
    dpi_destroy(probe->dpi);
    dns_cache_destroy(probe->dns_cache);
    counts_destroy(probe->counts);
    intern_destroy(probe->names);
    intern_destroy(probe->protocols);
    decoder_destroy(probe->decoder);
    tracker_finish(&probe->tracker);
    pool_finish(&probe->inspections);
    pool_finish(&probe->questions);
    pool_finish(&probe->answers);
    inspector_pools_finish(&probe->inspectors);
    free(probe);
}

uint16_t probe_protocol_number(struct probe *probe, const char *name)
{
    uint32_t id = intern_add(probe->protocols, name, strlen(name));
    return id != INTERN_NONE && id <= UINT16_MAX ? (uint16_t)id : probe->protocol_unknown;
}

void probe_begin_input(struct probe *probe, uint32_t input, const struct vantage *vantage)
{
    probe->input = input;
    probe->now_us = INT64_MIN;
    probe->ending = false;
    memset(&probe->vantage, 0, sizeof(probe->vantage));
    if (vantage)
        probe->vantage = *vantage;
}

static void take_packet(struct probe *probe, const struct packet *packet,
                        const struct track_look *look)
{
    struct tracked tracked;
    bool port_dns = packet->source_port == PORT_DNS || packet->destination_port == PORT_DNS;
    if (port_dns && packet->payload_length > 0 && probe_take_dns(probe, packet) &&
        packet->transport == TRANSPORT_UDP)
        return;
    if (!tracker_packet_looked(&probe->tracker, packet, look, &tracked))
        return;
    if (tracked.is_new)
        probe_flow_began(probe, tracked.flow, packet);
    if ((packet->tcp_flags & TCP_RST) && !tracked.icmp_error)
        probe_flow_reset(probe, tracked.flow);
    if (tracked.has_payload && tracked.flow->stage == STAGE_TLS &&
        packet->payload_captured == TLS_ALERT_BYTES)
        probe_note_alert(probe, &tracked, packet);
    if (tracked.has_payload && !(tracked.flow->flags & FLOW_DECIDED))
        probe_take_payload(probe, &tracked, packet);
}

/* Packets at hand at one time: enough to hide the way to memory, few enough to stay in the cache. */
struct group {
    unsigned count;
    struct packet packets[GROUP_MAX];
    struct track_look looks[GROUP_MAX];
    int64_t now_us[GROUP_MAX]; /* the capture's clock by each of them */
};

static void take_group(struct probe *probe, struct group *group)
{
    for (unsigned i = 0; i < group->count; i++)
        tracker_look_at_flow(&probe->tracker, &group->looks[i]);
    for (unsigned i = 0; i < group->count; i++)
        tracker_look_at_evidence(&probe->tracker, &group->looks[i]);
    for (unsigned i = 0; i < group->count; i++) {
        probe->now_us = group->now_us[i];
        take_packet(probe, &group->packets[i], &group->looks[i]);
    }
    group->count = 0;
}

int probe_frames(struct probe *probe, const struct frame *frames, size_t count,
                 struct dl_error *error)
{
    struct group group;
    int64_t now_us = probe->now_us;
    group.count = 0;
    probe->stats.packets += count;
    for (size_t i = 0; i < count; i++) {
        struct packet *packet = &group.packets[group.count];
        probe->stats.bytes += frames[i].length;
        now_us = MAX_OF(now_us, frames[i].time_us);
        if (decoder_decode(probe->decoder, &frames[i], packet) != DECODE_OK)
            continue;
        tracker_look(&probe->tracker, packet, &group.looks[group.count]);
        group.now_us[group.count++] = now_us;
        /* What was put together from fragments lives until the next frame is decoded. */
        if (group.count == GROUP_MAX || (packet->flags & PACKET_REASSEMBLED))
            take_group(probe, &group);
    }
    take_group(probe, &group);
    probe->now_us = now_us;
    flow_table_expire(probe->tracker.table, probe->now_us, EXPIRE_PER_BATCH);
    if (probe->status != DL_OK && error)
        *error = probe->error;
    return probe->status;
}

int probe_tick(struct probe *probe, int64_t now_us, struct dl_error *error)
{
    probe->now_us = MAX_OF(probe->now_us, now_us);
    flow_table_expire(probe->tracker.table, probe->now_us, EXPIRE_PER_BATCH);
    if (probe->status != DL_OK && error)
        *error = probe->error;
    return probe->status;
}

int probe_end_input(struct probe *probe, struct dl_error *error)
{
    int status;
    probe->ending = true;
    flow_table_end_all(probe->tracker.table, CLOSE_END_OF_CAPTURE);
    status = probe->status;
    if (status == DL_OK)
        status = counts_flush(probe->counts, probe->input, probe->options.sink.count,
                              probe->options.sink.context, &probe->error);
    if (status != DL_OK && error)
        *error = probe->error;
    return status;
}

void probe_get_stats(const struct probe *probe, struct probe_stats *ret_stats)
{
    const struct tracker *tracker = &probe->tracker;
    *ret_stats = probe->stats;
    ret_stats->evicted = flow_table_evicted(tracker->table);
    ret_stats->flows_now = flow_table_count(tracker->table);
    ret_stats->flows_peak = flow_table_peak(tracker->table);
    ret_stats->icmp_unmatched = tracker->icmp_unmatched;
    ret_stats->parts_refused = tracker->evidence_refused + tracker->details_refused +
                               tracker->paces_refused + probe->inspections_cut +
                               probe->questions.refused + probe->answers.refused +
                               probe->inspectors.refused;
    for (int i = 0; i < DECODE_KIND_COUNT; i++)
        ret_stats->decode[i] = decoder_count(probe->decoder, (enum decode_kind)i);
    ret_stats->memory = tracker_memory(tracker) + pool_memory(&probe->inspections) +
                        pool_memory(&probe->questions) + pool_memory(&probe->answers) +
                        pool_memory(&probe->inspectors.streams) +
                        pool_memory(&probe->inspectors.assemblies) +
                        dns_cache_memory(probe->dns_cache) + intern_memory(probe->names);
}
