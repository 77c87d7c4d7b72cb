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
/* How the memory is shared out; the rest is slack for nDPI's own. */
#define SHARE_FLOWS       40u
#define SHARE_INSPECTIONS 20u
#define SHARE_STREAMS     10u
#define SHARE_QUESTIONS   10u
#define SHARE_DETAILS     5u
#define SHARE_PACES       5u
#define SHARE_DNS_CACHE   5u
#define SHARE_CONTENTS    3u

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

static bool is_part(const struct probe *probe, enum part_kind kind)
{
    return probe->options.part && probe->options.part->kind == kind;
}

static int parts_init(struct probe *probe, uint64_t memory)
{
    bool questions = is_part(probe, PART_QUESTIONS); /* needs nothing else */
    size_t flow_size = sizeof(struct flow) + (questions ? 0 : sizeof(struct evidence)) +
                       16; /* two index slots of 8 bytes */
    struct track_options track = {
        .flows_maximum = share(memory, questions ? SHARE_FLOWS / 2 : SHARE_FLOWS, flow_size),
        .details_maximum = share(memory, SHARE_DETAILS, sizeof(struct details)),
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
                           share(memory, questions ? 100 - SHARE_FLOWS / 2 : SHARE_QUESTIONS,
                                 sizeof(struct question)));
    if (status == DL_OK)
        status = inspector_pools_init(&probe->inspectors, streams, probe->options.catalog);
    probe->inspectors.fingerprints = probe->options.fingerprints;
    if (status == DL_OK)
        status =
            dns_cache_create(&probe->dns_cache, questions ? 1 : share(memory, SHARE_DNS_CACHE, 64));
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
        counts_set_client_key(probe->counts, options->key);
    if (status == DL_OK)
        status = intern_create(&probe->names, NAMES_MAX, NAMES_BYTES_MAX);
    if (status == DL_OK)
        status = intern_create(&probe->protocols, PROTOCOLS_MAX, PROTOCOLS_MAX * 64);
    if (status == DL_OK && !is_part(probe, PART_QUESTIONS))
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
    pass_time_begin(&probe->time);
    probe->tracker.passed_us = probe->time.passed_us;
    probe->ending = false;
    memset(&probe->vantage, 0, sizeof(probe->vantage));
    if (vantage)
        probe->vantage = *vantage;
}

static void take_packet(struct probe *probe, const struct packet *packet)
{
    struct tracked tracked;
    bool port_dns = packet->source_port == PORT_DNS || packet->destination_port == PORT_DNS;
    if (port_dns && packet->payload_length > 0 && !is_part(probe, PART_FLOWS) &&
        probe_take_dns(probe, packet) && packet->transport == TRANSPORT_UDP)
        return;
    if (!tracker_packet(&probe->tracker, packet, &tracked))
        return;
    if (tracked.is_new)
        probe_flow_began(probe, tracked.flow, packet);
    if (tracked.has_payload && tracked.flow->stage == STAGE_TLS &&
        packet->payload_captured == TLS_ALERT_BYTES)
        probe_note_alert(probe, &tracked, packet);
    if (tracked.has_payload && !(tracked.flow->flags & FLOW_DECIDED))
        probe_take_payload(probe, &tracked, packet);
}

static void expire(struct probe *probe)
{
    flow_table_expire(probe->tracker.table, probe->time.passed_us, EXPIRE_PER_BATCH);
}

int probe_frames(struct probe *probe, const struct frame *frames, size_t count,
                 struct dl_error *error)
{
    struct packet packet;
    for (size_t i = 0; i < count; i++) {
        probe->stats.packets++;
        probe->stats.bytes += frames[i].length;
        pass_time_note(&probe->time, frames[i].time_us);
        probe->tracker.passed_us = probe->time.passed_us;
        if (decoder_decode(probe->decoder, &frames[i], &packet) == DECODE_OK)
            take_packet(probe, &packet);
    }
    expire(probe);
    if (probe->status != DL_OK && error)
        *error = probe->error;
    return probe->status;
}

bool probe_take_question(struct probe *probe, const struct packet *packet, int64_t passed_us)
{
    probe->tracker.passed_us = passed_us;
    bool port_dns = packet->source_port == PORT_DNS || packet->destination_port == PORT_DNS;
    return port_dns && packet->payload_length > 0 && probe_take_dns(probe, packet) &&
           packet->transport == TRANSPORT_UDP;
}

void probe_take_packet(struct probe *probe, const struct packet *packet, int64_t passed_us)
{
    probe->tracker.passed_us = passed_us;
    take_packet(probe, packet);
}

void probe_pass(struct probe *probe, const struct pass_time *time)
{
    probe->time = *time;
    expire(probe);
}

void probe_pause(struct probe *probe)
{
    pass_time_pause(&probe->time);
    expire(probe);
}

void probe_take_name(struct probe *probe, const struct told_name *told)
{
    struct dns_name name = told->name;
    name.host = told->host ? intern_add(probe->names, told->host, strlen(told->host)) : INTERN_NONE;
    dns_cache_add(probe->dns_cache, &told->client, &told->server, &name, told->ttl);
}

void probe_shed(struct probe *probe, bool on)
{
    probe->shedding = on;
}

int probe_tick(struct probe *probe, int64_t now_us, struct dl_error *error)
{
    pass_time_idle(&probe->time, now_us);
    expire(probe);
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
    if (status == DL_OK && !probe->options.part)
        status = probe_flush_counts(probe, &probe->error);
    if (status != DL_OK && error)
        *error = probe->error;
    return status;
}

static uint16_t renumber(void *context, const char *protocol)
{
    return probe_protocol_number(context, protocol);
}

void probe_absorb_counts(struct probe *probe, struct probe *from)
{
    counts_absorb(probe->counts, from->counts, renumber, probe);
}

int probe_flush_counts(struct probe *probe, struct dl_error *error)
{
    return counts_flush(probe->counts, probe->input, probe->options.sink.count,
                        probe->options.sink.context, error);
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
                               tracker->paces_refused + probe->inspections.refused +
                               probe->questions.refused + probe->inspectors.refused;
    for (int i = 0; i < DECODE_KIND_COUNT; i++)
        ret_stats->decode[i] = decoder_count(probe->decoder, (enum decode_kind)i);
    ret_stats->memory = tracker_memory(tracker) + pool_memory(&probe->inspections) +
                        pool_memory(&probe->questions) + pool_memory(&probe->inspectors.streams) +
                        pool_memory(&probe->inspectors.assemblies) +
                        dns_cache_memory(probe->dns_cache) + intern_memory(probe->names);
}
