// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/classify/classify.h"

#include "base/array.h"
#include "probe/inspect/srp.h"

#define MATCHES_MAX 8
/* facts/messaging 1.2: what the SRP signs are worth beside the payload's own points. */
#define SRP_PORT         3101
#define SRP_PORT_POINTS  3
#define SRP_BLOCK_POINTS 3
#define SRP_LIKELY       5
#define SRP_STRONG       8

/* Independent kinds of evidence for one service. */
struct support {
    struct catalog_match addresses[MATCHES_MAX], ports[MATCHES_MAX];
    size_t address_count, port_count;
    /* The client named a server the catalog does not know: only what anybody may host can still be
     * meant. */
    bool self_hosted_only;
};

static const struct catalog_match *find_service(const struct catalog_match *matches, size_t count,
                                                uint16_t service)
{
    for (size_t i = 0; i < count; i++)
        if (matches[i].service == service)
            return &matches[i];
    return NULL;
}

static bool is_shared_port(uint16_t port)
{
    return port == 443 || port == 80 || port == 53;
}

/* Reasons that address and port add for a service; shared ports say nothing. */
static uint16_t support_reasons(const struct classify_input *input, const struct support *support,
                                uint16_t service)
{
    uint16_t reasons = 0;
    if (find_service(support->addresses, support->address_count, service))
        reasons |= REASON_IP;
    if (!is_shared_port(input->server_port) &&
        find_service(support->ports, support->port_count, service))
        reasons |= REASON_PORT;
    return reasons;
}

/* Does address or port support the service by a fact that the catalog calls confirmed? */
static bool support_is_confirmed(const struct classify_input *input, const struct support *support,
                                 uint16_t service)
{
    const struct catalog_match *block =
        find_service(support->addresses, support->address_count, service);
    const struct catalog_match *port = find_service(support->ports, support->port_count, service);
    return (block && block->confirmed) ||
           (port && port->confirmed && !is_shared_port(input->server_port));
}

static uint16_t dns_reason(const struct classify_input *input, uint16_t service)
{
    bool agrees = input->dns && input->dns->service == service && !input->dns->ambiguous;
    return agrees ? REASON_DNS : 0;
}

/* Keeps the better of two tags; on a tie the first. */
static void offer(const struct classify_input *input, const struct support *support,
                  struct tag *tag, uint16_t service, enum role role, enum certainty certainty,
                  uint16_t reasons)
{
    if (support->self_hosted_only && !(reasons & REASON_INVENTORY) &&
        !catalog_service_at(input->catalog, service)->self_hosted)
        return;
    if (certainty > tag->certainty)
        *tag = (struct tag){
            .service = service, .role = role, .certainty = certainty, .reasons = reasons};
}

static enum certainty cap(enum certainty certainty, bool confirmed)
{
    return confirmed ? certainty : MIN_OF(certainty, CERTAINTY_LIKELY);
}

/* A name the client sent. True when it is a service's; a name of nobody leaves only what anybody
 * may host. */
static bool by_name(const struct classify_input *input, struct support *support, struct tag *tag)
{
    const struct facts *facts = input->inspection ? &input->inspection->facts : NULL;
    struct catalog_match match;
    if (!facts || (facts->host_source != HOST_SNI && facts->host_source != HOST_HTTP))
        return false;
    if (!catalog_match_host(input->catalog, facts->host, strlen(facts->host),
                            (enum transport)input->transport, input->server_port, &match)) {
        /* Beside an encrypted hello the readable name may be the provider's alone: it proves
         * nothing. */
        support->self_hosted_only = !facts->tls.ech;
        return false;
    }
    uint16_t reasons = facts->host_source == HOST_SNI ? REASON_SNI : REASON_HTTP_HOST;
    reasons |= support_reasons(input, support, match.service) | dns_reason(input, match.service);
    if (match.inventory)
        reasons |= REASON_INVENTORY;
    if (facts->certificate_service == match.service)
        reasons |= REASON_CERT;
    offer(input, support, tag, match.service, match.role, cap(CERTAINTY_CERTAIN, match.confirmed),
          reasons);
    return true;
}

static void by_certificate(const struct classify_input *input, const struct support *support,
                           struct tag *tag)
{
    const struct facts *facts = &input->inspection->facts;
    struct catalog_match match;
    if (!facts->certificate_service)
        return;
    enum role role = ROLE_NONE;
    if (catalog_match_host(input->catalog, facts->host, strlen(facts->host),
                           (enum transport)input->transport, input->server_port, &match) &&
        match.service == facts->certificate_service)
        role = match.role;
    uint16_t reasons = REASON_CERT | support_reasons(input, support, facts->certificate_service) |
                       dns_reason(input, facts->certificate_service);
    offer(input, support, tag, facts->certificate_service, role,
          cap(CERTAINTY_CERTAIN, facts->certificate_confirmed), reasons);
}

static void by_greeting(const struct classify_input *input, const struct support *support,
                        struct tag *tag)
{
    const struct facts *facts = &input->inspection->facts;
    struct catalog_match match;
    if (facts->host_source != HOST_GREETING ||
        !catalog_match_host(input->catalog, facts->host, strlen(facts->host),
                            (enum transport)input->transport, input->server_port, &match))
        return;
    offer(input, support, tag, match.service, match.role, cap(CERTAINTY_LIKELY, match.confirmed),
          REASON_WIRE | support_reasons(input, support, match.service) |
              dns_reason(input, match.service));
}

static void sample_fill(const struct classify_input *input, struct catalog_wire_sample *sample)
{
    const struct inspection *inspection = input->inspection;
    *sample = (struct catalog_wire_sample){.transport = (enum transport)input->transport,
                                           .server_port = input->server_port,
                                           .client_first = inspection->client_first};
    for (int side = 0; side < 2; side++) {
        sample->first[side] = inspection->length_count[side] ? inspection->first[side] : NULL;
        sample->first_captured[side] = inspection->first_captured[side];
        sample->length_count[side] = inspection->length_count[side];
        memcpy(sample->lengths[side], inspection->lengths[side], sizeof(sample->lengths[side]));
    }
}

static void by_wire(const struct classify_input *input, const struct support *support,
                    struct tag *tag)
{
    struct catalog_wire_sample sample;
    struct catalog_wire_match wire;
    sample_fill(input, &sample);
    if (!catalog_match_wire(input->catalog, &sample, &wire))
        return;
    uint16_t service = wire.match.service;
    uint16_t more =
        (support_reasons(input, support, service) & REASON_IP) | dns_reason(input, service);
    enum certainty certainty = wire.certainty;
    if (more)
        certainty = certainty == CERTAINTY_LIKELY ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY;
    offer(input, support, tag, service, wire.match.role, cap(certainty, wire.match.confirmed),
          REASON_WIRE | more | (support_reasons(input, support, service) & REASON_PORT));
}

/* SRP on 3101: a score of signs (probe/inspect/srp.h), with the port's and the block's points
 * added. */
static void by_srp(const struct classify_input *input, const struct support *support,
                   struct tag *tag)
{
    const struct inspection *inspection = input->inspection;
    const struct catalog_service *bes = catalog_service_find(input->catalog, "blackberry-bes");
    struct srp_score score;
    if (!bes || input->transport != TRANSPORT_TCP || input->server_port != SRP_PORT ||
        inspection->chosen)
        return;
    struct srp_signs signs = {.client_spoke_first = inspection->client_first,
                              .server_port = input->server_port};
    signs.client_first =
        inspection->length_count[SIDE_CLIENT] ? inspection->first[SIDE_CLIENT] : NULL;
    signs.server_first =
        inspection->length_count[SIDE_SERVER] ? inspection->first[SIDE_SERVER] : NULL;
    signs.client_captured = inspection->first_captured[SIDE_CLIENT];
    signs.server_captured = inspection->first_captured[SIDE_SERVER];
    signs.client_count = (uint8_t)MIN_OF(inspection->length_count[SIDE_CLIENT], SRP_LENGTHS);
    signs.server_count = (uint8_t)MIN_OF(inspection->length_count[SIDE_SERVER], SRP_LENGTHS);
    memcpy(signs.client_lengths, inspection->lengths[SIDE_CLIENT], sizeof(signs.client_lengths));
    memcpy(signs.server_lengths, inspection->lengths[SIDE_SERVER], sizeof(signs.server_lengths));
    srp_score(&signs, &score);
    uint16_t reasons = REASON_WIRE | REASON_PORT | dns_reason(input, bes->number);
    const struct catalog_match *rim =
        find_service(support->addresses, support->address_count, bes->number);
    bool block = rim && rim->confirmed;
    unsigned points = score.points + SRP_PORT_POINTS + (block ? SRP_BLOCK_POINTS : 0) +
                      (reasons & REASON_DNS ? SRP_BLOCK_POINTS : 0);
    if (score.excluded || score.points == 0 || points < SRP_LIKELY)
        return;
    /* Behaviour and port alone, without an identifier, a block or a name, fit other binary
     * protocols too. */
    bool anchored = score.has_identifier || block || (reasons & REASON_DNS);
    enum certainty certainty = !anchored ? CERTAINTY_POSSIBLE
                               : points >= SRP_STRONG && (block || (reasons & REASON_DNS))
                                   ? CERTAINTY_CERTAIN
                                   : CERTAINTY_LIKELY;
    offer(input, support, tag, bes->number, ROLE_RELAY, certainty,
          reasons | (block ? REASON_IP : 0));
}

/* The protocol itself is the service's: as an inspector read it, or as nDPI says by payload. */
static void by_protocol(const struct classify_input *input, const struct support *support,
                        struct tag *tag)
{
    const struct inspection *inspection = input->inspection;
    const struct {
        const char *name;
        uint16_t reason;
    } readings[] = {{inspection->facts.program, REASON_WIRE},
                    {inspection->facts.protocol, REASON_WIRE},
                    {inspection->dpi_name, REASON_NDPI}};
    struct catalog_match match;
    for (size_t i = 0; i < ARRAY_LENGTH(readings); i++) {
        if (!readings[i].name || !catalog_match_ndpi(input->catalog, readings[i].name, &match))
            continue;
        offer(input, support, tag, match.service, match.role, CERTAINTY_LIKELY,
              readings[i].reason | support_reasons(input, support, match.service) |
                  dns_reason(input, match.service));
        return;
    }
}

static void by_alpn(const struct classify_input *input, const struct support *support,
                    struct tag *tag)
{
    struct catalog_match match;
    const char *alpn = input->inspection->facts.tls.alpn;
    if (alpn[0] && catalog_match_alpn(input->catalog, alpn, &match))
        offer(input, support, tag, match.service, match.role, CERTAINTY_LIKELY,
              REASON_ALPN | support_reasons(input, support, match.service));
}

/* The names this client was told for the address. */
static void by_dns(const struct classify_input *input, const struct support *support,
                   struct tag *tag)
{
    const struct dns_hint *dns = input->dns;
    if (!dns || !dns->service)
        return;
    uint16_t more = support_reasons(input, support, dns->service);
    const struct catalog_match *port =
        find_service(support->ports, support->port_count, dns->service);
    const struct catalog_match *block =
        find_service(support->addresses, support->address_count, dns->service);
    enum role role = port ? port->role : block ? block->role : ROLE_NONE;
    bool confirmed = dns->confirmed && support_is_confirmed(input, support, dns->service);
    if (dns->ambiguous)
        offer(input, support, tag, dns->service, role, more ? CERTAINTY_LIKELY : CERTAINTY_POSSIBLE,
              REASON_DNS | REASON_AMBIGUOUS | more);
    else
        offer(input, support, tag, dns->service, role,
              cap(more ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY, confirmed), REASON_DNS | more);
}

/* Address and port, and what the operator says of his own servers. */
static void by_place(const struct classify_input *input, const struct support *support,
                     struct tag *tag)
{
    /* The client asked for a name of no service and was sent here: block and port mean nothing
     * then. */
    bool other_name = input->dns && input->dns->service == 0;
    for (size_t i = 0; i < support->address_count; i++) {
        const struct catalog_match *block = &support->addresses[i];
        if (other_name && !block->inventory)
            continue;
        const struct catalog_match *port =
            find_service(support->ports, support->port_count, block->service);
        uint16_t reasons = REASON_IP;
        enum certainty certainty = CERTAINTY_POSSIBLE;
        if (port && !is_shared_port(input->server_port)) {
            reasons |= REASON_PORT;
            certainty = cap(CERTAINTY_LIKELY, block->confirmed && port->confirmed);
        }
        if (block->inventory) {
            reasons |= REASON_INVENTORY;
            certainty = block->specific ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY;
        }
        offer(input, support, tag, block->service, block->role, certainty, reasons);
    }
    for (size_t i = 0; i < support->port_count && !other_name; i++)
        if (support->ports[i].specific)
            offer(input, support, tag, support->ports[i].service, support->ports[i].role,
                  CERTAINTY_POSSIBLE, REASON_PORT);
}

static void support_find(const struct classify_input *input, struct support *support)
{
    support->address_count =
        catalog_match_address(input->catalog, input->server, (enum transport)input->transport,
                              input->server_port, support->addresses, MATCHES_MAX);
    support->address_count = MIN_OF(support->address_count, MATCHES_MAX);
    support->port_count = catalog_match_port(input->catalog, (enum transport)input->transport,
                                             input->server_port, support->ports, MATCHES_MAX);
    support->port_count = MIN_OF(support->port_count, MATCHES_MAX);
}

void classify(const struct classify_input *input, struct tag *ret_tag)
{
    struct tag tag = {0};
    struct support support = {0};
    support_find(input, &support);
    bool named = by_name(input, &support, &tag);
    if (!named && input->inspection) {
        by_certificate(input, &support, &tag);
        by_greeting(input, &support, &tag);
        by_wire(input, &support, &tag);
        by_srp(input, &support, &tag);
    }
    if (!named)
        by_dns(input, &support, &tag);
    if (!named && input->inspection) {
        by_protocol(input, &support, &tag);
        by_alpn(input, &support, &tag);
    }
    by_place(input, &support, &tag);
    *ret_tag = tag;
}
