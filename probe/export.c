// SPDX-License-Identifier: GPL-3.0-or-later
/* What leaves the probe: observations with people's addresses made pseudonyms, and counts. */
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/status.h"
#include "geo/vantage.h"
#include "probe/probe_internal.h"

#define SILENCE_US       (3 * CLOCK_SECOND_US)
#define UNANSWERED_NOTED 3

static struct endpoint endpoint_of(const struct probe *probe, const struct address *address,
                                   bool explained)
{
    struct endpoint endpoint = {.kind = ENDPOINT_ADDRESS, .address = *address};
    if (probe->options.keep_addresses || (explained && !vantage_is_local(&probe->vantage, address)))
        return endpoint;
    endpoint.address = (struct address){{0}};
    endpoint.kind = ENDPOINT_PSEUDONYM;
    endpoint.pseudonym = key_pseudonym(probe->options.key, address);
    return endpoint;
}

static enum close_reason close_of(const struct flow *flow, const struct evidence *evidence,
                                  enum close_reason reason)
{
    if (evidence && evidence->close)
        return (enum close_reason)evidence->close;
    if ((flow->flags & FLOW_FIN_CLIENT) && (flow->flags & FLOW_FIN_SERVER))
        return CLOSE_FIN;
    return (flow->flags & FLOW_RESET) ? CLOSE_RESET : reason;
}

static void side_export(struct side_facts *out, const struct evidence_side *in)
{
    *out = (struct side_facts){.ttl_first = in->ttl_first,
                               .ttl_min = in->ttl_min,
                               .ttl_max = in->ttl_max,
                               .syn_options = in->syn_options,
                               .syn_window = in->syn_window,
                               .syn_mss = in->syn_mss,
                               .syn_window_scale = in->syn_window_scale,
                               .flags = in->flags,
                               .ip_id_first = in->ip_id_first,
                               .ip_id_last = in->ip_id_last,
                               .ip_id_max_step = in->ip_id_max_step,
                               .window_last = in->window_last,
                               .syn_retransmissions = in->syn_retransmissions,
                               .ack_duplicates = in->ack_duplicates,
                               .data_retransmissions = in->data_retransmissions,
                               .out_of_order = in->out_of_order,
                               .first_payload_after_us = in->first_payload_after_us,
                               .first_payload_length = in->first_payload_length,
                               .first_payload_kind = in->first_payload_kind,
                               .last_payload_after_us = in->last_payload_after_us,
                               .last_packet_after_us = in->last_packet_after_us,
                               .payload_bytes = (uint64_t)in->payload_high << 32 | in->payload_low};
}

/* 0 where the server did not answer, or spoke first. */
static uint32_t first_exchange(const struct evidence *evidence)
{
    const struct evidence_side *client = &evidence->sides[SIDE_CLIENT],
                               *server = &evidence->sides[SIDE_SERVER];
    if (!client->payload_packets || !server->payload_packets ||
        server->first_payload_after_us <= client->first_payload_after_us)
        return 0;
    return server->first_payload_after_us - client->first_payload_after_us;
}

static void evidence_export(struct probe *probe, const struct flow *flow,
                            const struct evidence *evidence, struct evidence_facts *out)
{
    struct details *details = tracker_details_if_any(&probe->tracker, flow);
    const struct inspection *inspection = probe_inspection(probe, flow);
    const struct evidence_side *client = &evidence->sides[SIDE_CLIENT],
                               *server = &evidence->sides[SIDE_SERVER];
    out->present = true;
    side_export(&out->sides[SIDE_CLIENT], client);
    side_export(&out->sides[SIDE_SERVER], server);
    for (int side = 0; side < 2 && inspection; side++)
        out->sides[side].first_payload_kind =
            (uint8_t)inspection_payload_kind(inspection, (enum side)side);
    out->handshake_rtt_us = evidence->handshake_rtt_us;
    out->ack_rtt_us = evidence->ack_rtt_us;
    out->first_exchange_us = first_exchange(evidence);
    out->unanswered = evidence->unanswered;
    out->unanswered_after_us = evidence->unanswered ? evidence->unanswered_after_us : 0;
    memcpy(out->resets, evidence->resets, sizeof(out->resets));
    memcpy(out->resets_with_ack, evidence->resets_with_ack, sizeof(out->resets_with_ack));
    if (details) {
        out->suspect_count = details->suspect_count;
        out->suspects_not_kept = details->suspects_not_kept;
        for (unsigned i = 0; i < details->suspect_count; i++)
            out->suspects[i] = tracker_suspect(&probe->tracker, details, i)->suspect;
        out->icmp = details->icmp;
        tracker_get_said(&probe->tracker, details, &out->tls, &out->http);
    }
    if (flow->stage == STAGE_TLS && !out->tls.client_hello) {
        out->tls.client_hello = true;
        out->tls.server_hello = (flow->flags & FLOW_SERVER_HELLO) != 0;
        out->tls.handshake_done = (flow->flags & FLOW_HANDSHAKE_DONE) != 0;
        out->tls.no_sni = !(evidence->reasons & REASON_SNI);
    }
    if (inspection) {
        out->tls = inspection->facts.tls;
        out->http = inspection->facts.http;
    }
}

/* Did the client go on talking to a silent server? */
static bool trailing_silence(const struct evidence *evidence)
{
    const struct evidence_side *client = &evidence->sides[SIDE_CLIENT],
                               *server = &evidence->sides[SIDE_SERVER];
    return client->last_payload_after_us > server->last_packet_after_us &&
           client->last_payload_after_us - server->last_packet_after_us >= SILENCE_US;
}

/* QUIC: did the client go on, and the server never got beyond the handshake? */
static bool stuck_in_handshake(const struct flow *flow, const struct evidence *evidence)
{
    const struct evidence_side *client = &evidence->sides[SIDE_CLIENT],
                               *server = &evidence->sides[SIDE_SERVER];
    return flow->stage == STAGE_QUIC && !(server->flags & SIDE_SHORT) &&
           client->last_payload_after_us > server->first_payload_after_us &&
           client->last_payload_after_us - server->first_payload_after_us >= SILENCE_US;
}

/* Quicker than the handshake by a fifth: worth a look. */
static bool quick_answer(const struct evidence *evidence)
{
    uint32_t exchange = first_exchange(evidence);
    return exchange != 0 && exchange < evidence->handshake_rtt_us / 5 * 4;
}

static bool ended_well(const struct flow *flow, const struct evidence *evidence,
                       enum close_reason close)
{
    if (!(flow->flags & FLOW_ANSWERED) || (flow->flags & FLOW_EVENTFUL) ||
        (flow->stage == STAGE_HTTP && quick_answer(evidence)) || trailing_silence(evidence) ||
        stuck_in_handshake(flow, evidence) ||
        (flow->transport == TRANSPORT_TCP && evidence->unanswered >= UNANSWERED_NOTED))
        return false;
    return flow->transport == TRANSPORT_TCP ? close == CLOSE_FIN : true;
}

static uint16_t flags_of(const struct flow *flow, const struct evidence *evidence, bool early)
{
    uint16_t flags = 0;
    if (flow->flags & FLOW_MID_STREAM)
        flags |= OBSERVATION_MID_STREAM;
    if (flow->flags & FLOW_CLIENT_GUESSED)
        flags |= OBSERVATION_CLIENT_GUESSED;
    if (flow->flags & FLOW_HANDSHAKE)
        flags |= OBSERVATION_HANDSHAKE;
    if (flow->flags & FLOW_CUT)
        flags |= OBSERVATION_CUT;
    if (flow->packets[0] == 0 || flow->packets[1] == 0)
        flags |= OBSERVATION_ONE_SIDED;
    if (evidence && (evidence->reasons & REASON_AMBIGUOUS))
        flags |= OBSERVATION_AMBIGUOUS;
    return early ? flags | OBSERVATION_EARLY : flags;
}

static const char *service_id(const struct probe *probe, uint16_t number)
{
    const struct catalog_service *service = catalog_service_at(probe->options.catalog, number);
    return service ? service->id : "";
}

/* Most of an observation is evidence, which most flows have none of: only what the last one had is
 * cleared. */
static void observation_clear(struct observation *out)
{
    if (out->evidence.present)
        memset(&out->evidence, 0, sizeof(out->evidence));
    if (out->dns.present)
        memset(&out->dns, 0, sizeof(out->dns));
    if (out->pace.bin_count)
        memset(&out->pace, 0, sizeof(out->pace));
    memset(out, 0, offsetof(struct observation, dns));
    memset(&out->path, 0, sizeof(out->path));
}

static void observation_fill(struct probe *probe, struct flow *flow, enum close_reason reason,
                             bool early, struct observation *out)
{
    const struct evidence *evidence = tracker_evidence(&probe->tracker, flow);
    const struct question *question = probe_question(probe, flow);
    observation_clear(out);
    out->input = probe->input;
    out->packet = flow_packet(flow);
    out->start_us = flow->start_us;
    out->end_us = flow->last_us;
    out->client_port = flow_port(flow, SIDE_CLIENT);
    out->server_port = flow_port(flow, SIDE_SERVER);
    out->transport = (enum transport)flow->transport;
    out->protocol = flow->protocol == probe->protocol_unknown
                        ? ""
                        : intern_text(probe->protocols, flow->protocol);
    out->service = service_id(probe, flow->service);
    out->host = "";
    out->issuer = "";
    for (int side = 0; side < 2; side++) {
        out->packets[side] = flow->packets[side];
        out->bytes[side] = flow_bytes(flow, (enum side)side);
    }
    out->stage = (enum stage)flow->stage;
    out->close = close_of(flow, evidence, reason);
    out->flags = flags_of(flow, evidence, early);
    if (evidence) {
        out->host = intern_text(probe->names, evidence->host);
        out->role = (enum role)evidence->role;
        out->certainty = (enum certainty)evidence->certainty;
        out->reasons = evidence->reasons & (uint16_t)~REASON_AMBIGUOUS;
        out->dns_flow = evidence->dns_flow;
        out->certificate = evidence->certificate;
        out->issuer = intern_text(probe->names, evidence->issuer);
        if (!ended_well(flow, evidence, out->close))
            evidence_export(probe, flow, evidence, &out->evidence);
        else if (flow->transport == TRANSPORT_TCP)
            out->path = (struct path_facts){.handshake_rtt_us = evidence->handshake_rtt_us,
                                            .server_ttl = evidence->sides[SIDE_SERVER].ttl_first,
                                            .first_exchange_us = first_exchange(evidence)};
        const struct pace *pace = tracker_pace(&probe->tracker, flow);
        if (pace)
            pace_export(pace, &out->pace);
    }
    if (question) {
        out->host = question->name;
        out->role = flow->service ? ROLE_DNS : ROLE_NONE;
        out->certainty = (enum certainty)question->certainty;
        out->reasons = flow->service ? REASON_DNS : 0;
        probe_question_export(probe, question, &out->dns);
    }
}

/* Is the server a service's, not a person's? */
static bool server_explained(const struct observation *observation)
{
    return observation->host[0] || observation->dns.present ||
           (observation->reasons & (REASON_IP | REASON_INVENTORY));
}

void probe_export(struct probe *probe, struct flow *flow, enum close_reason reason, bool early)
{
    struct observation *out = &probe->observation;
    observation_fill(probe, flow, reason, early, out);
    out->client = endpoint_of(probe, flow_address(flow, SIDE_CLIENT), false);
    out->server = endpoint_of(probe, flow_address(flow, SIDE_SERVER), server_explained(out));
    const struct inspection *inspection = probe_inspection(probe, flow);
    if (!early && inspection && probe->options.on_facts)
        probe->options.on_facts(probe->options.context, out, &inspection->facts);
    probe->stats.stored += !early;
    flow->flags |= early ? FLOW_STORED_EARLY : 0;
    if (probe->status == DL_OK)
        probe->status =
            probe->options.sink.observation(probe->options.sink.context, out, &probe->error);
}

/* The stage at which a flow of a seen beginning got nothing; STAGE_NONE where it did not fail or
 * nobody can know. */
static enum stage failed_at(const struct probe *probe, const struct flow *flow,
                            enum close_reason reason)
{
    bool waited = !(reason == CLOSE_END_OF_CAPTURE || reason == CLOSE_EVICTED) ||
                  (flow->flags & FLOW_RESET) ||
                  (probe->time.latest_us - flow->last_us >= SILENCE_US && reason != CLOSE_EVICTED);
    if ((flow->flags & (FLOW_MID_STREAM | FLOW_ANSWERED)) || !waited)
        return STAGE_NONE;
    if (flow->transport == TRANSPORT_TCP && (flow->flags & FLOW_SYN_ACK) &&
        !(flow->flags & FLOW_RESET) && flow->stage == STAGE_TCP)
        return STAGE_NONE; /* connected and asked nothing */
    bool asks =
        flow->transport == TRANSPORT_TCP || flow->stage == STAGE_DNS || flow->stage == STAGE_QUIC;
    if (!asks)
        return STAGE_NONE; /* datagrams that expect no answer are no failures */
    return flow->stage ? (enum stage)flow->stage : STAGE_STREAM;
}

void probe_count(struct probe *probe, const struct flow *flow, enum close_reason reason)
{
    struct count_flow count = {.start_us = flow->start_us,
                               .protocol = intern_text(probe->protocols, flow->protocol),
                               .protocol_number = flow->protocol,
                               .client = *flow_address(flow, SIDE_CLIENT),
                               .packets = (uint64_t)flow->packets[0] + flow->packets[1],
                               .bytes =
                                   flow_bytes(flow, SIDE_CLIENT) + flow_bytes(flow, SIDE_SERVER),
                               .failed_at = failed_at(probe, flow, reason)};
    probe->stats.counted++;
    counts_add(probe->counts, &count);
}

void probe_flow_ended(void *context, struct flow *flow, enum close_reason reason)
{
    struct probe *probe = context;
    /* Whether its time had come before the capture ended must not depend on who looked when. */
    if (reason == CLOSE_END_OF_CAPTURE &&
        flow_table_is_overdue(probe->tracker.table, flow, probe->time.latest_us))
        reason = CLOSE_IDLE;
    if (flow->sub == 0 && flow->inspection && !(flow->flags & FLOW_DECIDED))
        probe_inspection_finish(probe, flow);
    if (flow->flags & FLOW_INTERESTING)
        probe_export(probe, flow, reason, false);
    else
        probe_count(probe, flow, reason);
    if (!flow->inspection)
        return;
    if (flow->sub == 0)
        probe_inspection_release(probe, flow);
    else
        probe_question_release(probe, flow);
}
