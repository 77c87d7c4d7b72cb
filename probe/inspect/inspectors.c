// SPDX-License-Identifier: GPL-3.0-or-later
/* The inspectors: each turns what its parser found into facts. To add a protocol, write its parser,
 * an adapter here and one line in the table. */
#include "base/array.h"
#include "base/status.h"
#include "probe/inspect/blockpage.h"
#include "probe/inspect/dns.h"
#include "probe/inspect/http.h"
#include "probe/inspect/inspect.h"
#include "probe/inspect/mail.h"
#include "probe/inspect/quic.h"
#include "probe/inspect/stun.h"
#include "probe/inspect/tls.h"
#include "probe/inspect/tor.h"

static void set_host(struct facts *facts, const char *host, enum host_source source)
{
    if (!host[0] || facts->host_source == HOST_SNI || facts->host_source == HOST_HTTP)
        return;
    memcpy(facts->host, host, strlen(host) + 1);
    facts->host_source = (uint8_t)source;
}

static void take_client_hello(struct facts *facts, const struct tls_client *client)
{
    struct tls_facts *tls = &facts->tls;
    facts->tls_seen = true;
    tls->client_hello = true;
    tls->ech = client->has_ech;
    tls->esni = client->has_esni;
    tls->no_sni = !client->has_sni;
    if (!tls->version)
        tls->version = client->max_version;
    memcpy(tls->alpn, client->alpn, sizeof(tls->alpn));
    memcpy(tls->ja4, client->ja4, sizeof(tls->ja4));
    if (!client->is_literal)
        set_host(facts, client->host, HOST_SNI);
}

/* ---- TLS ---- */

static enum parse_result tls_client_bytes(struct inspector_pools *pools,
                                          struct inspection *inspection,
                                          const struct inspect_view *view)
{
    (void)pools;
    struct tls_client client;
    enum parse_result result = tls_parse_client(view->bytes, view->length, &client);
    if (result == PARSE_NOT_MINE || (result == PARSE_MORE && !client.host[0] && !view->final))
        return result;
    take_client_hello(&inspection->facts, &client);
    inspection->facts.stage = MAX_OF(inspection->facts.stage, STAGE_TLS);
    return view->final ? PARSE_DONE : result;
}

static bool host_matches(const char *pattern, const char *host)
{
    if (strcmp(pattern, host) == 0)
        return true;
    const char *dot = strchr(host, '.');
    return pattern[0] == '*' && pattern[1] == '.' && dot && strcmp(pattern + 2, dot + 1) == 0;
}

static void take_match(struct facts *facts, const struct catalog_match *match)
{
    facts->certificate_service = match->service;
    facts->certificate_confirmed = match->confirmed;
}

static void certificate_service(struct inspector_pools *pools, struct facts *facts,
                                const struct tls_certificate *certificate, uint16_t port)
{
    struct catalog_match match;
    for (unsigned i = 0; i < certificate->name_count && !facts->certificate_service; i++) {
        const char *name = certificate->names[i];
        if (name[0] == '*' && name[1] == '.')
            name += 2;
        if (catalog_match_host(pools->catalog, name, strlen(name), TRANSPORT_TCP, port, &match))
            take_match(facts, &match);
    }
    if (!facts->certificate_service &&
        catalog_match_certificate(pools->catalog, certificate->subject, certificate->issuer,
                                  &match))
        take_match(facts, &match);
}

static void take_certificate(struct inspector_pools *pools, struct facts *facts,
                             const struct tls_certificate *certificate, uint16_t port)
{
    struct tls_facts *tls = &facts->tls;
    tls->certificate.present = true;
    tls->certificate.truncated = certificate->truncated;
    tls->certificate.self_issued = certificate->self_issued;
    tls->certificate.not_before_us = certificate->not_before_us;
    tls->certificate.not_after_us = certificate->not_after_us;
    memcpy(tls->certificate.sha256, certificate->sha256, sizeof(tls->certificate.sha256));
    memcpy(tls->certificate.subject, certificate->subject, sizeof(certificate->subject));
    memcpy(tls->certificate.issuer, certificate->issuer, sizeof(certificate->issuer));
    for (unsigned i = 0; i < certificate->name_count; i++)
        tls->certificate.name_fits |=
            facts->host[0] && host_matches(certificate->names[i], facts->host);
    if (certificate->name_count == 0 && facts->host[0])
        tls->certificate.name_fits = host_matches(certificate->subject, facts->host);
    facts->certificate_names_known =
        !certificate->truncated && certificate->name_count < TLS_NAMES_MAX;
    if (tor_certificate_fits(certificate->subject, certificate->issuer))
        facts->program = "Tor";
    certificate_service(pools, facts, certificate, port);
    if (facts->host_source == HOST_NONE && certificate->name_count > 0) {
        const char *name = certificate->names[0];
        set_host(facts, name[0] == '*' && name[1] == '.' ? name + 2 : name, HOST_CERTIFICATE);
    }
}

static enum parse_result tls_server_bytes(struct inspector_pools *pools,
                                          struct inspection *inspection,
                                          const struct inspect_view *view)
{
    struct tls_server server;
    struct facts *facts = &inspection->facts;
    enum parse_result result = tls_parse_server(view->bytes, view->length, view->final, &server);
    if (result == PARSE_NOT_MINE)
        return result;
    facts->stage = MAX_OF(facts->stage, STAGE_TLS);
    facts->tls.server_hello |= server.hello;
    facts->tls.hello_retry |= server.hello_retry;
    facts->tls.handshake_done |= server.handshake_done;
    if (server.version)
        facts->tls.version = server.version;
    if (server.alpn[0])
        memcpy(facts->tls.alpn, server.alpn, sizeof(server.alpn));
    if (server.alert_level && !facts->tls.alert_level) {
        facts->tls.alert_level = server.alert_level;
        facts->tls.alert_description = server.alert_description;
        facts->tls.alert_side = SIDE_SERVER;
    }
    if (server.certificate.present && !facts->tls.certificate.present)
        take_certificate(pools, facts, &server.certificate, view->server_port);
    return view->final ? PARSE_DONE : result;
}

/* ---- HTTP ---- */

static enum parse_result http_client_bytes(struct inspector_pools *pools,
                                           struct inspection *inspection,
                                           const struct inspect_view *view)
{
    (void)pools;
    struct http_request request;
    struct facts *facts = &inspection->facts;
    enum parse_result result = http_parse_request(view->bytes, view->length, view->final, &request);
    if (result == PARSE_NOT_MINE)
        return result;
    facts->stage = MAX_OF(facts->stage, STAGE_HTTP);
    facts->http.request = true;
    memcpy(facts->http.method, request.method, sizeof(facts->http.method));
    set_host(facts, request.host, HOST_HTTP);
    return view->final ? PARSE_DONE : result;
}

static enum parse_result http_server_bytes(struct inspector_pools *pools,
                                           struct inspection *inspection,
                                           const struct inspect_view *view)
{
    struct http_response response;
    struct http_facts *http = &inspection->facts.http;
    if (view->length < inspection->page_wanted && !view->final &&
        !http_ends_chunked(view->bytes, view->length))
        return PARSE_MORE; /* nothing but the rest of the page is missing */
    enum parse_result result =
        http_parse_response(view->bytes, view->length, view->final, &response);
    if (result == PARSE_NOT_MINE)
        return result;
    inspection->facts.stage = MAX_OF(inspection->facts.stage, STAGE_HTTP);
    http->response = true;
    http->bare_html = response.bare_html;
    http->status = response.status;
    memcpy(http->location, response.location,
           MIN_OF(sizeof(http->location), sizeof(response.location)));
    memcpy(http->title, response.title, MIN_OF(sizeof(http->title), sizeof(response.title)));
    if (result == PARSE_DONE && !inspection->page_wanted)
        inspection->page_wanted = blockpage_wants(pools->fingerprints, view, &response);
    if (view->length < inspection->page_wanted && !view->final && !response.body_whole)
        return PARSE_MORE;
    if (result == PARSE_DONE || view->final)
        blockpage_inspect(pools->fingerprints, view, &response, &http->blockpage);
    return view->final ? PARSE_DONE : result;
}

/* ---- mail and XMPP until STARTTLS ---- */

static enum parse_result mail_client_bytes(struct inspector_pools *pools,
                                           struct inspection *inspection,
                                           const struct inspect_view *view)
{
    (void)pools;
    struct mail_client mail;
    enum parse_result result = mail_parse_client(view->bytes, view->length, &mail);
    if (result == PARSE_NOT_MINE)
        return result;
    if (mail.kind != MAIL_NONE && !inspection->facts.protocol)
        inspection->facts.protocol = mail_kind_text(mail.kind);
    set_host(&inspection->facts, mail.host, HOST_GREETING);
    inspection->facts.stage = MAX_OF(inspection->facts.stage, STAGE_STREAM);
    if (mail.starttls && mail.tls_offset > 0) {
        /* What follows the command is TLS: its ClientHello names the server. */
        inspection->facts.protocol = mail.kind == MAIL_SMTP   ? "SMTPS"
                                     : mail.kind == MAIL_IMAP ? "IMAPS"
                                     : mail.kind == MAIL_POP3 ? "POPS"
                                                              : mail_kind_text(mail.kind);
        inspection->base_seq[SIDE_CLIENT] += mail.tls_offset;
        inspection->candidates[SIDE_CLIENT] = 1u << 0;
        return PARSE_MORE;
    }
    return view->final ? PARSE_DONE : result;
}

static enum parse_result mail_server_bytes(struct inspector_pools *pools,
                                           struct inspection *inspection,
                                           const struct inspect_view *view)
{
    (void)pools;
    struct mail_server mail;
    enum parse_result result = mail_parse_server(view->bytes, view->length, &mail);
    if (result == PARSE_NOT_MINE)
        return result;
    if (mail.kind != MAIL_NONE) {
        if (!inspection->facts.protocol)
            inspection->facts.protocol = mail_kind_text(mail.kind);
        inspection->facts.stage = MAX_OF(inspection->facts.stage, STAGE_STREAM);
    }
    set_host(&inspection->facts, mail.host, HOST_GREETING);
    return view->final && mail.kind != MAIL_NONE ? PARSE_DONE : result;
}

/* ---- QUIC, DTLS, STUN ---- */

static enum parse_result quic_client_bytes(struct inspector_pools *pools,
                                           struct inspection *inspection,
                                           const struct inspect_view *view)
{
    uint32_t version;
    struct tls_client client;
    if (!quic_is_long_header(view->bytes, view->length, &version))
        return PARSE_NOT_MINE;
    if (!inspection->quic)
        inspection->quic = pool_take(&pools->assemblies);
    if (!inspection->quic) {
        pools->refused++;
        return PARSE_NOT_MINE;
    }
    enum parse_result result = quic_parse_client(
        view->bytes, view->length, pool_at(&pools->assemblies, inspection->quic), &client);
    if (result == PARSE_NOT_MINE)
        return result;
    inspection->facts.stage = MAX_OF(inspection->facts.stage, STAGE_QUIC);
    inspection->facts.protocol = "QUIC";
    if (result == PARSE_DONE)
        take_client_hello(&inspection->facts, &client);
    return result;
}

static enum parse_result quic_server_bytes(struct inspector_pools *pools,
                                           struct inspection *inspection,
                                           const struct inspect_view *view)
{
    (void)pools;
    switch (quic_parse_server(view->bytes, view->length)) {
    case QUIC_SERVER_NONE:
        return PARSE_NOT_MINE;
    case QUIC_SERVER_RETRY:
    case QUIC_SERVER_VERSION_NEGOTIATION:
        return PARSE_MORE;
    case QUIC_SERVER_SHORT:
        /* Any datagram may look like a short header: believe it only of a flow known to be QUIC. */
        return inspection->chosen ? PARSE_DONE : PARSE_NOT_MINE;
    case QUIC_SERVER_INITIAL:
    case QUIC_SERVER_HANDSHAKE:
        break;
    }
    inspection->facts.tls.server_hello = true;
    inspection->facts.stage = MAX_OF(inspection->facts.stage, STAGE_QUIC);
    return PARSE_DONE;
}

static enum parse_result dtls_bytes(struct inspector_pools *pools, struct inspection *inspection,
                                    const struct inspect_view *view)
{
    (void)pools;
    struct tls_client client;
    enum parse_result result = dtls_parse(view->bytes, view->length, &client);
    if (result == PARSE_DONE && client.complete)
        take_client_hello(&inspection->facts, &client);
    return result;
}

static enum parse_result stun_bytes(struct inspector_pools *pools, struct inspection *inspection,
                                    const struct inspect_view *view)
{
    (void)pools;
    (void)inspection;
    struct stun_message message;
    enum parse_result result = stun_parse(view->bytes, view->length, &message);
    return result == PARSE_DONE && message.classic ? PARSE_NOT_MINE : result;
}

const struct inspector inspectors[] = {
    {"TLS", TRANSPORT_TCP, false, tls_client_bytes,
     tls_server_bytes}, /* first: STARTTLS names it by its place */
    {"HTTP", TRANSPORT_TCP, false, http_client_bytes, http_server_bytes},
    {"Mail", TRANSPORT_TCP, false, mail_client_bytes, mail_server_bytes},
    {"QUIC", TRANSPORT_UDP, false, quic_client_bytes, quic_server_bytes},
    {"DTLS", TRANSPORT_UDP, true, dtls_bytes, dtls_bytes},
    {"STUN", TRANSPORT_UDP, true, stun_bytes, stun_bytes},
};
const size_t inspector_count = ARRAY_LENGTH(inspectors);
