// SPDX-License-Identifier: GPL-3.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "compose.h"
#include "store/store.h"

#define TTL_LEAST 5

struct output {
    struct plan *plan;
    struct truth *truth;
    struct store *store;
    struct input_record input;
    uint64_t packet; /* the last number given out */
};

/* ---- one observation ---- */

static void scale(uint32_t *time_us, double factor)
{
    double scaled = *time_us * factor;

    if (*time_us != UINT32_MAX) {
        *time_us = scaled >= UINT32_MAX ? UINT32_MAX : (uint32_t)scaled;
    }
}

static void farther(uint8_t *ttl, unsigned hops)
{
    if (*ttl > hops + TTL_LEAST) {
        *ttl = (uint8_t)(*ttl - hops);
    }
}

static void change_side(struct side_facts *side, bool server, double factor, unsigned hops)
{
    scale(&side->first_payload_after_us, factor);
    scale(&side->last_payload_after_us, factor);
    scale(&side->last_packet_after_us, factor);
    if (server) {
        farther(&side->ttl_first, hops);
        farther(&side->ttl_min, hops);
        farther(&side->ttl_max, hops);
    }
}

static void change_evidence(struct evidence_facts *evidence, double factor, unsigned hops,
                            uint64_t moved)
{
    change_side(&evidence->sides[0], false, factor, hops);
    change_side(&evidence->sides[1], true, factor, hops);
    scale(&evidence->handshake_rtt_us, factor);
    scale(&evidence->ack_rtt_us, factor);
    scale(&evidence->first_exchange_us, factor);
    scale(&evidence->icmp.after_us, factor);
    scale(&evidence->tls.alert_after_us, factor);
    if (evidence->icmp.present) {
        farther(&evidence->icmp.ttl, hops);
    }
    for (unsigned i = 0; i < evidence->suspect_count; i++) {
        struct suspect *suspect = &evidence->suspects[i];
        scale(&suspect->after_us, factor);
        scale(&suspect->trigger_after_us, factor);
        scale(&suspect->own_after_us, factor);
        suspect->packet += moved;
        if (suspect->side == 1) {
            farther(&suspect->ttl, hops);
            farther(&suspect->ttl_expected, hops);
        }
    }
}

static void change_dns(struct dns_facts *dns, double factor, unsigned hops, uint64_t moved,
                       uint16_t id)
{
    dns->id ^= id;
    for (unsigned i = 0; i < dns->answer_count; i++) {
        scale(&dns->answers[i].after_us, factor);
        farther(&dns->answers[i].ip_ttl, hops);
        dns->answers[i].packet += moved;
    }
}

static void make_row(const struct output *out, const struct plan_probe *probe,
                     const struct plan_attempt *attempt, unsigned number,
                     struct observation *ret_flow)
{
    const struct template_row *row = &attempt->template->rows[number];
    uint64_t packet = out->packet + 1 + row->after, moved = packet - row->flow.packet;
    int64_t shown_us = shown_time(probe, attempt->time_us);
    double factor = attempt->scale;
    unsigned hops = probe->from->hops;
    uint8_t client[4];

    *ret_flow = row->flow;
    ret_flow->input = out->input.number;
    ret_flow->packet = packet;
    ret_flow->start_us = shown_us + (int64_t)((double)row->flow.start_us * factor);
    ret_flow->end_us = shown_us + (int64_t)((double)row->flow.end_us * factor);
    voice_address(probe, attempt->voice, client);
    ret_flow->client.kind = ENDPOINT_PSEUDONYM;
    ret_flow->client.address = (struct address){{0}};
    ret_flow->client.pseudonym = (uint64_t)client[0] << 24 | (uint64_t)client[1] << 16 |
                                 (uint64_t)client[2] << 8 | client[3];
    ret_flow->client.pseudonym *= 0x9e3779b97f4a7c15u;
    ret_flow->client_port = (uint16_t)(attempt_port(attempt) + row->port);
    ret_flow->dns_flow =
        row->question < 0
            ? 0
            : out->packet + 1 + attempt->template->rows[(unsigned)row->question].after;
    if (ret_flow->dns.present) {
        struct address resolver;
        if (probe->from->resolver && address_parse(probe->from->resolver, &resolver) == DL_OK) {
            ret_flow->server.address = resolver;
        }
        change_dns(&ret_flow->dns, factor, hops, moved, (uint16_t)attempt->random);
    }
    change_evidence(&ret_flow->evidence, factor, hops, moved);
    scale(&ret_flow->path.handshake_rtt_us, factor);
    scale(&ret_flow->path.first_exchange_us, factor);
    farther(&ret_flow->path.server_ttl, hops);
}

static int put_attempt(struct output *out, const struct plan_probe *probe,
                       const struct plan_attempt *attempt, struct dl_error *error)
{
    struct observation flow;
    int status = DL_OK;

    for (unsigned i = 0; status == DL_OK && i < attempt->template->row_count; i++) {
        make_row(out, probe, attempt, i, &flow);
        status = store_put(out->store, &flow, error);
        for (unsigned side = 0; side < 2; side++) {
            out->input.bytes += flow.bytes[side];
        }
        if (out->input.first_us == 0) {
            out->input.first_us = flow.start_us;
        }
        if (flow.end_us > out->input.last_us) {
            out->input.last_us = flow.end_us;
        }
    }
    out->packet += attempt->template->packets;
    return status;
}

/* ---- one probe ---- */

static unsigned word_value(enum word_kind kind, const char *text, unsigned otherwise)
{
    for (unsigned value = 0; text && value < 16; value++) {
        const char *word = word_text(kind, value);
        if (word && strcmp(word, text) == 0) {
            return value;
        }
    }
    return otherwise;
}

static int begin_input(struct output *out, const struct plan_probe *probe, struct dl_error *error)
{
    struct vantage *vantage = &out->input.vantage;
    const struct scenario_probe *from = probe->from;

    out->input = (struct input_record){.has_fingerprint = true};
    snprintf(out->input.path, sizeof(out->input.path), "%s.pcap.zst", probe->id);
    snprintf((char *)out->input.fingerprint, sizeof(out->input.fingerprint), "%.31s", probe->id);
    snprintf(vantage->probe_id, sizeof(vantage->probe_id), "%s", probe->id);
    snprintf(vantage->carrier, sizeof(vantage->carrier), "%s", from->carrier);
    snprintf(vantage->country, sizeof(vantage->country), "%s", from->country);
    vantage->asn = from->asn;
    vantage->network = word_value(WORD_NETWORK, from->network, 0);
    vantage->position = word_value(WORD_POSITION, from->position ? from->position : "carrier", 0);
    vantage->clock = word_value(WORD_CLOCK, from->clock ? from->clock : "synchronised", 0);
    vantage->origin = ORIGIN_COMPOSED;
    out->packet = 0;
    return store_begin_input(out->store, &out->input, error);
}

static int put_coverage(struct output *out, unsigned number, struct dl_error *error)
{
    const struct scenario *scenario = out->plan->scenario;
    const struct plan_probe *probe = &out->plan->probes[number];
    int status = DL_OK;

    for (int64_t from_us = scenario->first_us; status == DL_OK && from_us < scenario->end_us;) {
        int64_t to_us = plan_next_change(out->plan, number, from_us);
        struct coverage_record coverage = {.input = out->input.number,
                                           .from_us = shown_time(probe, from_us),
                                           .to_us = shown_time(probe, to_us)};
        if (plan_watches(out->plan, number, from_us, &coverage.link_up)) {
            status = store_put_coverage(out->store, &coverage, error);
            if (coverage.to_us > out->input.last_us) {
                out->input.last_us = coverage.to_us;
            }
        }
        from_us = to_us;
    }
    return status;
}

static int put_probe(struct output *out, unsigned number, struct dl_error *error)
{
    const struct plan_probe *probe = &out->plan->probes[number];
    const struct scenario *scenario = out->plan->scenario;
    int status = begin_input(out, probe, error);

    for (int64_t hour_us = scenario->first_us; status == DL_OK && hour_us < scenario->end_us;
         hour_us += CLOCK_HOUR_US) {
        plan_hour(out->plan, number, hour_us);
        for (size_t i = 0; status == DL_OK && i < out->plan->attempt_count; i++) {
            const struct plan_attempt *attempt = &out->plan->attempts[i];
            truth_note(out->truth, number, attempt);
            status = put_attempt(out, probe, attempt, error);
        }
        if (status == DL_OK) {
            status = store_commit(out->store, false, error);
        }
    }
    if (status == DL_OK) {
        status = put_coverage(out, number, error);
    }
    out->input.complete = true;
    out->input.packets = out->packet;
    return status == DL_OK ? store_update_input(out->store, &out->input, error) : status;
}

bool store_out(struct plan *plan, struct truth *truth, const char *path)
{
    struct store_create_info info = {.version = DARKLINE_VERSION, .catalog_version = "composed"};
    struct output out = {.plan = plan, .truth = truth};
    struct dl_error error = {0};
    int status = store_open(&out.store, path, &info, &error);

    if (status == DL_OK) {
        status = store_put_meta(out.store, "key_epoch", "c0405ed0", &error);
    }
    for (unsigned i = 0; status == DL_OK && i < plan->probe_count; i++) {
        status = put_probe(&out, i, &error);
    }
    if (out.store) {
        struct dl_error last = {0};
        int closed = store_close(out.store, &last);
        if (status == DL_OK && closed != DL_OK) {
            status = closed;
            error = last;
        }
    }
    if (status != DL_OK) {
        fprintf(stderr, "%s: %s\n", path, dl_error_text(&error, status));
    }
    return status == DL_OK;
}
