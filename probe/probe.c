// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/probe.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "geo/vantage.h"
#include "probe/probe_internal.h"

#define TLS_ALERT_BYTES 7u /* a record header and an alert in clear */
#define PORT_DNS        53
#define INDEX_SLOT                                                                                 \
    8u /* in the table's index, which has two or more a flow, a power of two in all */
#define NAME_BYTES       64u /* a name with what finds it */
#define NAME_TEXT_BYTES  24u
#define DPI_FLOW_BYTES   2048u /* what nDPI allocates for an undecided flow, about */
#define PROTOCOLS_MAX    2048u
#define EXPIRE_PER_BATCH 4096u
#define GROUP_MAX        16u

/* How the memory is shared out, per cent. */
struct shares {
    uint8_t flows;       /* with their evidence and index */
    uint8_t inspections; /* nDPI's flows with them */
    uint8_t streams, questions, answers, names, details, texts, paces, dns_cache, contents;
};
static const struct shares shares_of_all = {.flows = 48,
                                            .inspections = 12,
                                            .streams = 3,
                                            .questions = 8,
                                            .answers = 4,
                                            .names = 4,
                                            .details = 10,
                                            .texts = 4,
                                            .paces = 2,
                                            .dns_cache = 3,
                                            .contents = 2};
static const struct shares shares_of_flows = {.flows = 57,
                                              .inspections = 12,
                                              .streams = 3,
                                              .names = 4,
                                              .details = 13,
                                              .texts = 4,
                                              .paces = 2,
                                              .dns_cache = 3,
                                              .contents = 2};
static const struct shares shares_of_questions = {
    .flows = 22, .questions = 52, .answers = 22, .names = 4};

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

/* The most that find room together with their index. */
static uint32_t share_flows(uint64_t memory, unsigned percent, size_t size)
{
    uint64_t bytes = memory / 100 * percent, most = 64;
    for (uint64_t slots = 4096; slots * INDEX_SLOT < bytes && slots <= UINT32_MAX / 2; slots *= 2)
        most = MAX_OF(most, MIN_OF((bytes - slots * INDEX_SLOT) / size, slots / 2));
    return (uint32_t)most;
}

static bool is_part(const struct probe *probe, enum part_kind kind)
{
    return probe->options.part && probe->options.part->kind == kind;
}

static const struct shares *shares_for(const struct probe *probe)
{
    return is_part(probe, PART_QUESTIONS) ? &shares_of_questions
           : is_part(probe, PART_FLOWS)   ? &shares_of_flows
                                          : &shares_of_all;
}

static int pools_init(struct probe *probe, uint64_t memory, const struct shares *of)
{
    uint32_t inspections =
        share(memory, of->inspections, sizeof(struct inspection_slot) + DPI_FLOW_BYTES);
    uint32_t streams = share(memory, of->streams, 2 * sizeof(struct stream_buffer));
    int status = pool_init(&probe->inspections, sizeof(struct inspection_slot), inspections);
    if (status == DL_OK)
        status = pool_init(&probe->questions, sizeof(struct question),
                           share(memory, of->questions, sizeof(struct question)));
    if (status == DL_OK)
        status = pool_init(&probe->answers, sizeof(struct dns_facts_answer),
                           share(memory, of->answers, sizeof(struct dns_facts_answer)));
    if (status == DL_OK)
        status = inspector_pools_init(&probe->inspectors, streams, probe->options.catalog);
    probe->inspectors.fingerprints = probe->options.fingerprints;
    return status;
}

static int parts_init(struct probe *probe, uint64_t memory)
{
    const struct shares *of = shares_for(probe);
    size_t flow_size =
        sizeof(struct flow) + (is_part(probe, PART_QUESTIONS) ? 0 : sizeof(struct evidence));
    uint32_t names = share(memory, of->names, NAME_BYTES);
    struct track_options track = {
        .flows_maximum = share_flows(memory, of->flows, flow_size),
        .details_maximum = share(memory, of->details, sizeof(struct details)),
        .texts_maximum = share(memory, of->texts, sizeof(struct details_texts)),
        .contents_maximum = share(memory, of->contents, sizeof(struct contents_stream)),
        .paces_maximum = share(memory, of->paces, sizeof(struct pace)),
        .is_local = is_local,
        .is_server_port = is_server_port,
        .ended = probe_flow_ended,
        .context = probe};
    int status = tracker_init(&probe->tracker, &track);
    if (status == DL_OK)
        status = pools_init(probe, memory, of);
    if (status == DL_OK)
        status = dns_cache_create(&probe->dns_cache, share(memory, of->dns_cache, 64));
    if (status == DL_OK)
        status = intern_create(&probe->names, names, (size_t)names * NAME_TEXT_BYTES);
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
    pass_time_begin(&probe->time);
    probe->tracker.passed_us = probe->time.passed_us;
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
    if (port_dns && packet->payload_length > 0 && !is_part(probe, PART_FLOWS) &&
        probe_take_dns(probe, packet) && packet->transport == TRANSPORT_UDP)
        return;
    tracker_make_room(&probe->tracker);
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

static void expire(struct probe *probe)
{
    flow_table_expire(probe->tracker.table, probe->time.passed_us, EXPIRE_PER_BATCH);
}

/* Packets at hand at one time: enough to hide the way to memory, few enough to stay in the cache. */
struct group {
    unsigned count;
    struct packet packets[GROUP_MAX];
    struct track_look looks[GROUP_MAX];
    int64_t passed_us[GROUP_MAX]; /* of the capture's time when it came */
};

static void look_on(struct probe *probe, struct track_look *looks, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        tracker_look_at_flow(&probe->tracker, &looks[i]);
    for (unsigned i = 0; i < count; i++)
        tracker_look_at_evidence(&probe->tracker, &looks[i]);
}

static void take_group(struct probe *probe, struct group *group)
{
    look_on(probe, group->looks, group->count);
    for (unsigned i = 0; i < group->count; i++) {
        probe->tracker.passed_us = group->passed_us[i];
        take_packet(probe, &group->packets[i], &group->looks[i]);
    }
    group->count = 0;
}

int probe_frames(struct probe *probe, const struct frame *frames, size_t count,
                 struct dl_error *error)
{
    struct group group;
    group.count = 0;
    probe->stats.packets += count;
    for (size_t i = 0; i < count; i++) {
        struct packet *packet = &group.packets[group.count];
        probe->stats.bytes += frames[i].length;
        pass_time_note(&probe->time, frames[i].time_us);
        if (decoder_decode(probe->decoder, &frames[i], packet) != DECODE_OK)
            continue;
        tracker_look(&probe->tracker, packet, &group.looks[group.count]);
        group.passed_us[group.count++] = probe->time.passed_us;
        /* What was put together from fragments lives until the next frame is decoded. */
        if (group.count == GROUP_MAX || (packet->flags & PACKET_REASSEMBLED))
            take_group(probe, &group);
    }
    take_group(probe, &group);
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

void probe_look(struct probe *probe, const struct packet *packets, const uint16_t *which,
                unsigned count, struct track_look looks[PART_LOOKS])
{
    for (unsigned i = 0; i < count; i++)
        tracker_look(&probe->tracker, &packets[which[i]], &looks[i]);
    look_on(probe, looks, count);
}

void probe_take_packet(struct probe *probe, const struct packet *packet,
                       const struct track_look *look, int64_t passed_us)
{
    probe->tracker.passed_us = passed_us;
    take_packet(probe, packet, look);
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
