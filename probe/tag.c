// SPDX-License-Identifier: GPL-3.0-or-later
/* Inspection and tags: when a flow is looked at, what it is called, and when that is final. */
#include "base/array.h"
#include "base/clock.h"
#include "base/status.h"
#include "probe/inspect/tls.h"
#include "probe/probe_internal.h"

/* nDPI decides most of what it knows on very few payload packets; more only costs
 * (facts/performance). */
#define TLS_CLOSE_NOTIFY 0u
#define SILENT_US        (10 * CLOCK_SECOND_US) /* nobody waits for the rest of a hello any more */
#define DPI_PACKETS_TCP  10u
#define DPI_PACKETS_UDP  8u

static struct inspection_slot *slot_at(const struct probe *probe, uint32_t number)
{
    return pool_at(&probe->inspections, number);
}

/* What the client had been told of the server. Once inspection has begun that is what was known then:
 * how long a flow lives before it is looked at for the last time must not make a difference. */
static bool hint_of(const struct probe *probe, const struct flow *flow, struct dns_hint *ret_hint)
{
    if (flow->inspection) {
        const struct inspection_slot *slot = slot_at(probe, flow->inspection);
        *ret_hint = slot->hint;
        return slot->hinted;
    }
    return dns_cache_find(probe->dns_cache, flow_address(flow, SIDE_CLIENT),
                          flow_address(flow, SIDE_SERVER), flow->start_us, ret_hint);
}

static bool name_is_kept(const struct probe *probe, const char *host, uint16_t service)
{
    return service || probe->options.all_names ||
           catalog_is_watched(probe->options.catalog, host, strlen(host));
}

/* The flow's host: what the client said, else the name it was told for the address. */
static void set_host(struct probe *probe, struct flow *flow, struct evidence *evidence,
                     const struct inspection *inspection, const struct dns_hint *hint)
{
    const struct facts *facts = inspection ? &inspection->facts : NULL;
    bool outer = facts && facts->tls.ech && hint && hint->host && hint->service == flow->service &&
                 flow->service;
    if (!outer && facts && facts->host[0] && name_is_kept(probe, facts->host, flow->service)) {
        evidence->host = intern_add(probe->names, facts->host, strlen(facts->host));
        if (evidence->host)
            flow->flags |= FLOW_INTERESTING;
    } else if (hint && (outer || !(facts && facts->host_source != HOST_NONE)) &&
               (hint->service == flow->service || !flow->service)) {
        evidence->host = hint->host;
    }
}

/* Classifies the flow by all that is known now; live, a better tag is given out at once. */
static void tag_update(struct probe *probe, struct flow *flow)
{
    struct tag tag;
    struct dns_hint hint;
    const struct inspection *inspection = probe_inspection(probe, flow);
    struct evidence *evidence = tracker_evidence(&probe->tracker, flow);
    bool hinted = !(evidence && evidence->no_dns) && hint_of(probe, flow, &hint);
    struct classify_input input = {.catalog = probe->options.catalog,
                                   .transport = flow->transport,
                                   .server_port = flow_port(flow, SIDE_SERVER),
                                   .server = flow_address(flow, SIDE_SERVER),
                                   .dns = hinted ? &hint : NULL,
                                   .inspection = inspection};
    classify(&input, &tag);
    uint16_t before = flow->service;
    flow->service = tag.service;
    if (tag.service || probe->options.all_names)
        flow->flags |= FLOW_INTERESTING;
    else
        flow->flags &= (uint16_t)~FLOW_INTERESTING;
    if (!evidence)
        return;
    evidence->no_dns = !hinted;
    bool better = tag.service && (tag.certainty > evidence->certainty || before != tag.service);
    evidence->certainty = (uint8_t)tag.certainty;
    evidence->role = (uint8_t)tag.role;
    evidence->reasons = tag.reasons;
    if (hinted)
        evidence->dns_flow = (uint32_t)hint.packet;
    set_host(probe, flow, evidence, inspection, hinted ? &hint : NULL);
    if (probe->options.live && better)
        probe_export(probe, flow, CLOSE_NONE, true);
}

void probe_flow_began(struct probe *probe, struct flow *flow, const struct packet *packet)
{
    probe->stats.flows++;
    flow->protocol = probe->protocol_unknown;
    if (packet->transport == TRANSPORT_ICMP)
        flow->protocol = probe_protocol_number(probe, packet->ip_version == 4 ? "ICMP" : "ICMPV6");
    if (probe->options.on_client)
        probe->options.on_client(probe->options.context, flow_address(flow, SIDE_CLIENT),
                                 packet->time_us);
    if (packet->transport == TRANSPORT_ICMP)
        flow->flags |= FLOW_DECIDED | (probe->options.all_names ? FLOW_INTERESTING : 0);
    else
        tag_update(probe, flow);
    /* A flood of attempts to nobody in particular must not push it out. */
    if (flow->service && flow->flow_class == FLOW_CLASS_OPENING)
        flow_table_set_class(probe->tracker.table, flow, FLOW_CLASS_SOUGHT);
}

/* ---- inspection ---- */

/* The first payload of a side whose SYN was seen may come out of order: its bytes begin where the
 * SYN ended. */
static void set_base(struct inspection *inspection, const struct tracked *tracked,
                     const struct packet *packet)
{
    bool first = inspection->length_count[tracked->side] == 0;
    if (packet->transport == TRANSPORT_TCP && first && tracked->expected_known &&
        !inspection->has_base[tracked->side])
        inspection_set_base(inspection, tracked->side, tracked->expected_seq);
}

/* What nDPI said, as far as payload bytes told it. */
static void take_dpi(struct inspection *inspection, const struct dpi_result *result,
                     uint8_t transport)
{
    struct facts *facts = &inspection->facts;
    if (!result->name || !result->by_payload)
        return;
    inspection->dpi_name = result->name;
    bool quic = strcmp(result->name, "QUIC") == 0 ||
                (result->master && strcmp(result->master, "QUIC") == 0);
    if (transport != TRANSPORT_UDP || !quic || facts->protocol)
        return;
    /* Google's QUIC before the standard: nDPI reads its hello, we do not. */
    facts->protocol = "QUIC";
    facts->stage = STAGE_QUIC;
    if (parse_copy_host(facts->host, (const uint8_t *)result->host, strlen(result->host)))
        facts->host_source = HOST_SNI;
}

static bool ask_dpi(struct probe *probe, struct flow *flow, struct inspection *inspection,
                    const struct packet *packet)
{
    struct dpi_result result;
    unsigned most = flow->transport == TRANSPORT_TCP ? DPI_PACKETS_TCP : DPI_PACKETS_UDP;
    if (!inspection->dpi)
        inspection->dpi = dpi_flow_create(probe->dpi);
    if (!inspection->dpi) {
        inspection->dpi_done = true;
        return false;
    }
    inspection->dpi_packets++;
    bool shared = dpi_is_shared(packet->transport, packet->source_port, packet->destination_port);
    bool decided = dpi_packet(probe->dpi, inspection->dpi, packet->ip, packet->ip_captured, shared,
                              packet->time_us, &result);
    if (!decided && inspection->dpi_packets < most)
        return false;
    if (!decided)
        dpi_give_up(probe->dpi, inspection->dpi, &result);
    inspection->dpi_done = true;
    take_dpi(inspection, &result, flow->transport);
    dpi_flow_destroy(probe->dpi, inspection->dpi);
    inspection->dpi = NULL;
    return true;
}

/* What inspection found that is worth keeping for as long as the flow lives. */
static void keep_details(struct probe *probe, struct flow *flow, const struct facts *facts)
{
    bool asked_by_name = facts->host_source == HOST_SNI || facts->host_source == HOST_HTTP;
    bool other_name =
        asked_by_name && facts->tls.certificate.present && !facts->tls.certificate.name_fits;
    bool tls = facts->tls.alert_level || other_name;
    bool http = facts->http.bare_html || facts->http.blockpage.id[0] ||
                (facts->http.response && facts->http.status >= 300);
    if (!tls && !http && !(flow->flags & FLOW_EVENTFUL))
        return;
    struct details *details = tracker_details(&probe->tracker, flow);
    if (!details)
        return;
    bool has_tls = facts->tls_seen || facts->tls.server_hello || facts->tls.alert_level;
    bool has_http = facts->http.request || facts->http.response;
    tracker_set_said(&probe->tracker, details, has_tls ? &facts->tls : NULL,
                     has_http ? &facts->http : NULL);
}

static uint8_t certificate_flags(const struct catalog *catalog, const struct flow *flow,
                                 const struct facts *facts, bool inventory)
{
    const struct catalog_service *service = catalog_service_at(catalog, flow->service);
    bool asked = facts->host_source == HOST_SNI;
    uint8_t flags = CERTIFICATE_PRESENT;
    if (asked && facts->tls.certificate.name_fits)
        flags |= CERTIFICATE_NAME_FITS;
    if (asked && facts->certificate_names_known && !facts->tls.certificate.name_fits)
        flags |= CERTIFICATE_NAME_OTHER;
    if (facts->tls.certificate.self_issued)
        flags |= CERTIFICATE_SELF_ISSUED;
    if (facts->tls.certificate.not_after_us != 0 &&
        (flow->start_us > facts->tls.certificate.not_after_us ||
         flow->start_us < facts->tls.certificate.not_before_us))
        flags |= CERTIFICATE_PAST;
    if (inventory || (service && (service->self_hosted || service->own_authority)))
        flags |= CERTIFICATE_OWN;
    return flags;
}

static void set_protocol(struct probe *probe, struct flow *flow,
                         const struct inspection *inspection)
{
    const char *name =
        inspection->facts.protocol ? inspection->facts.protocol : inspection->dpi_name;
    if (name)
        flow->protocol = probe_protocol_number(probe, name);
    if (inspection->facts.tls.server_hello)
        flow->flags |= FLOW_SERVER_HELLO;
    if (inspection->facts.tls.handshake_done)
        flow->flags |= FLOW_HANDSHAKE_DONE;
    uint8_t stage = inspection->facts.stage;
    if (stage == STAGE_NONE && (inspection->length_count[0] || inspection->length_count[1]))
        stage = STAGE_STREAM;
    flow->stage = MAX_OF(flow->stage, stage);
}

static void set_payload_kinds(struct probe *probe, struct flow *flow,
                              const struct inspection *inspection)
{
    struct evidence *evidence = tracker_evidence(&probe->tracker, flow);
    for (int side = 0; evidence && side < 2; side++)
        evidence->sides[side].first_payload_kind =
            (uint8_t)inspection_payload_kind(inspection, (enum side)side);
}

/* Who signed for the server stays as long as the flow. Of a service that anybody may run it would
 * name its owner, and tell no more. */
static void keep_certificate(struct probe *probe, struct flow *flow, const struct facts *facts)
{
    struct evidence *evidence = tracker_evidence(&probe->tracker, flow);
    const char *issuer = facts->tls.certificate.issuer;
    if (!evidence || !facts->tls.certificate.present)
        return;
    evidence->certificate = certificate_flags(probe->options.catalog, flow, facts,
                                              (evidence->reasons & REASON_INVENTORY) != 0);
    if (issuer[0] && name_is_kept(probe, facts->host, flow->service) &&
        (!(evidence->certificate & CERTIFICATE_OWN) || probe->options.all_names))
        evidence->issuer = intern_add(probe->names, issuer, strlen(issuer));
}

void probe_inspection_finish(struct probe *probe, struct flow *flow)
{
    struct inspection *inspection = probe_inspection(probe, flow);
    struct dpi_result result = {0};
    if (!inspection)
        return;
    inspect_finish(&probe->inspectors, inspection, flow->transport);
    if (inspection->dpi) {
        dpi_give_up(probe->dpi, inspection->dpi, &result);
        take_dpi(inspection, &result, flow->transport);
        dpi_flow_destroy(probe->dpi, inspection->dpi);
        inspection->dpi = NULL;
    }
    set_protocol(probe, flow, inspection);
    set_payload_kinds(probe, flow, inspection);
    tag_update(probe, flow);
    if (inspection->cut)
        flow->flags |= FLOW_CUT;
    if (flow->flags & FLOW_INTERESTING)
        keep_details(probe, flow, &inspection->facts);
    if (flow->flags & FLOW_INTERESTING)
        keep_certificate(probe, flow, &inspection->facts);
}

void probe_inspection_release(struct probe *probe, struct flow *flow)
{
    struct inspection_slot *slot = slot_at(probe, flow->inspection);
    inspection_end(&probe->inspectors, &slot->inspection);
    if (slot->older)
        slot_at(probe, slot->older)->newer = slot->newer;
    else
        probe->oldest_inspection = slot->newer;
    if (slot->newer)
        slot_at(probe, slot->newer)->older = slot->older;
    else
        probe->newest_inspection = slot->older;
    pool_give(&probe->inspections, flow->inspection);
    flow->inspection = POOL_NONE;
}

static void decide(struct probe *probe, struct flow *flow)
{
    probe_inspection_finish(probe, flow);
    if (probe->options
            .on_facts) { /* tools want the facts with the record: keep them until the end */
        flow->flags |= FLOW_DECIDED;
        return;
    }
    probe_inspection_release(probe, flow);
    flow->flags |= FLOW_DECIDED;
    if (!(flow->flags & FLOW_INTERESTING))
        tracker_drop_evidence(&probe->tracker, flow);
}

void probe_flow_reset(struct probe *probe, struct flow *flow)
{
    const struct inspection *inspection = probe_inspection(probe, flow);
    if (!inspection || (flow->flags & FLOW_DECIDED) || !(flow->flags & FLOW_EVENTFUL))
        return; /* without details there is no place for what was found */
    /* A server's half of TLS alone is more than details can say. */
    if (inspection->facts.stage == STAGE_TLS && !inspection->facts.tls.client_hello)
        return;
    decide(probe, flow);
}

static struct inspection *inspection_of(struct probe *probe, struct flow *flow)
{
    if (flow->inspection)
        return probe_inspection(probe, flow);
    if (probe->shedding) {
        probe->stats.shed++;
        flow->flags |= FLOW_DECIDED;
        if (!(flow->flags & FLOW_INTERESTING))
            tracker_drop_evidence(&probe->tracker, flow);
        return NULL;
    }
    struct dns_hint hint = {0};
    bool hinted = hint_of(probe, flow, &hint);
    uint32_t number = pool_take(&probe->inspections);
    if (number == POOL_NONE && probe->oldest_inspection) {
        struct flow *oldest = slot_at(probe, probe->oldest_inspection)->flow;
        probe->inspections_cut += flow->last_us - oldest->last_us < SILENT_US;
        decide(probe, oldest);
        number = pool_take(&probe->inspections);
    }
    if (number == POOL_NONE)
        return NULL;
    struct inspection_slot *slot = slot_at(probe, number);
    slot->flow = flow;
    slot->hint = hint;
    slot->hinted = hinted;
    slot->older = probe->newest_inspection;
    if (slot->older)
        slot_at(probe, slot->older)->newer = number;
    else
        probe->oldest_inspection = number;
    probe->newest_inspection = number;
    flow->inspection = number;
    inspection_begin(&slot->inspection, flow->transport, flow_port(flow, SIDE_SERVER));
    return &slot->inspection;
}

/* False where there was one before. */
static bool alert_take(struct tls_facts *tls, const struct tracked *tracked,
                       const struct packet *packet, uint8_t level, uint8_t description)
{
    if (tls->alert_level)
        return false;
    tls->alert_level = level;
    tls->alert_description = description;
    tls->alert_side = (uint8_t)tracked->side;
    tls->alert_after_us = flow_offset_us(tracked->flow, packet->time_us);
    return true;
}

/* Inspection is over: with the rest of what is known by now. */
static void alert_keep(struct probe *probe, struct details *details, const struct tracked *tracked,
                       const struct packet *packet, uint8_t level, uint8_t description)
{
    const struct flow *flow = tracked->flow;
    struct tls_facts tls;
    struct http_facts http;
    tracker_get_said(&probe->tracker, details, &tls, &http);
    if (!alert_take(&tls, tracked, packet, level, description))
        return;
    if (!details->has_tls) {
        tls.client_hello = true;
        tls.server_hello = (flow->flags & FLOW_SERVER_HELLO) != 0;
        tls.handshake_done = (flow->flags & FLOW_HANDSHAKE_DONE) != 0;
        tls.no_sni = !(tracker_evidence(&probe->tracker, flow)->reasons & REASON_SNI);
    }
    tracker_set_said(&probe->tracker, details, &tls, details->has_http ? &http : NULL);
}

void probe_note_alert(struct probe *probe, const struct tracked *tracked,
                      const struct packet *packet)
{
    uint8_t level, description;
    struct flow *flow = tracked->flow;
    if (!tls_parse_alert(packet->payload, packet->payload_captured, &level, &description) ||
        description == TLS_CLOSE_NOTIFY)
        return;
    struct inspection *inspection = probe_inspection(probe, flow);
    struct details *details = inspection ? NULL : tracker_details(&probe->tracker, flow);
    if (inspection)
        alert_take(&inspection->facts.tls, tracked, packet, level, description);
    else if (details)
        alert_keep(probe, details, tracked, packet, level, description);
}

void probe_take_payload(struct probe *probe, const struct tracked *tracked,
                        const struct packet *packet)
{
    struct flow *flow = tracked->flow;
    struct inspection *inspection = inspection_of(probe, flow);
    if (!inspection)
        return;
    set_base(inspection, tracked, packet);
    struct tls_facts *tls = &inspection->facts.tls;
    bool learnt = inspect_payload(&probe->inspectors, inspection, tracked->side, packet);
    if (tls->alert_level && !tls->alert_after_us)
        tls->alert_after_us = flow_offset_us(flow, packet->time_us);
    if (inspection->wants_dpi && !inspection->dpi_done)
        learnt |= ask_dpi(probe, flow, inspection, packet);
    if (inspection_is_done(inspection)) {
        decide(probe, flow);
    } else if (learnt) {
        set_protocol(probe, flow, inspection);
        tag_update(probe, flow);
    }
}
