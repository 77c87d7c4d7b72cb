// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Somebody else's measurement: its stage and its failure's word say what happened. No packet does,
 * so none of it proves a third party, but for a block page of the vantage's own country. Where the
 * same fails from elsewhere as well, it is the site that is down.
 */
#include <string.h>

#include "analyzer/judge/judge_internal.h"
#include "base/array.h"

/* What a word means at a stage; STAGE_NONE: at any. NULL: it failed, and the vocabulary has nothing
 * for it. The first that fits. */
static const struct {
    const char *word;
    enum stage stage;
    const char *mechanism;
} meanings[] = {
    {"dns_nxdomain_error", STAGE_NONE, "dns.nxdomain"},
    {"dns_refused_error", STAGE_NONE, "dns.refused"},
    {"dns_servfail_error", STAGE_NONE, "dns.servfail"},
    {"dns_server_misbehaving", STAGE_NONE, "dns.servfail"},
    {"dns_temporary_failure", STAGE_NONE, "dns.servfail"},
    {"dns_bogon_error", STAGE_NONE, "dns.injection.bogon"},
    {"dns_no_answer", STAGE_NONE, NULL},
    {"host_unreachable", STAGE_NONE, "ip.unreachable"},
    {"network_unreachable", STAGE_NONE, "ip.unreachable"},
    {"ssl_unknown_authority", STAGE_NONE, "tls.mitm.ca_signed"},
    {"ssl_invalid_hostname", STAGE_NONE, "tls.mitm.ca_signed"},
    {"generic_timeout_error", STAGE_DNS, "dns.timeout"},
    {"generic_timeout_error", STAGE_TCP, "tcp.timeout"},
    {"generic_timeout_error", STAGE_TLS, "tls.timeout"},
    {"generic_timeout_error", STAGE_HTTP, "http.timeout"},
    {"generic_timeout_error", STAGE_QUIC, "quic.timeout"},
    {"generic_timeout_error", STAGE_STREAM, "stream.timeout"},
    {"connection_refused", STAGE_DNS, "dns"}, /* the resolver's port */
    {"connection_refused", STAGE_QUIC, "quic"},
    {"connection_refused", STAGE_NONE, "tcp.refused"},
    {"connection_reset", STAGE_TCP, "tcp.reset"},
    {"connection_reset", STAGE_TLS, "tls.reset.sni"},
    {"connection_reset", STAGE_HTTP, "http.reset.host"},
    {"connection_reset", STAGE_STREAM, "stream.reset"},
    {"eof_error", STAGE_TLS, NULL}, /* closed in good order, without an answer */
    {"eof_error", STAGE_HTTP, NULL},
    {"eof_error", STAGE_STREAM, NULL},
    {"response_never_received", STAGE_NONE, NULL}, /* older probes' word for it */
};

#define PORT_TLS 443

/* A word that is not known says no more than where it failed. */
static const char *bare_stage(enum stage stage)
{
    return word_text(WORD_STAGE, stage);
}

/* Words that older probes had for the same. */
static const char *usual_word(const char *failure)
{
    if (strcmp(failure, "timed_out") == 0 || strcmp(failure, "deferred_timeout_error") == 0 ||
        strcmp(failure, "tcp_timed_out_error") == 0)
        return "generic_timeout_error";
    if (strcmp(failure, "connection_refused_error") == 0)
        return "connection_refused";
    if (strcmp(failure, "dns_lookup_error") == 0 || strcmp(failure, "dns_name_error") == 0)
        return "dns_nxdomain_error";
    return failure;
}

static const char *mechanism_of(const struct observation *flow)
{
    const char *word = usual_word(flow->import.failure);
    bool is_reset = strcmp(word, "connection_reset") == 0;

    for (size_t i = 0; i < ARRAY_LENGTH(meanings); i++) {
        bool here = meanings[i].stage == STAGE_NONE || meanings[i].stage == flow->stage;
        if (!here || strcmp(meanings[i].word, word) != 0)
            continue;
        if (is_reset && flow->stage == STAGE_TLS && !flow->host[0])
            return "tls.reset.other"; /* no name was sent that could have been the reason */
        if (is_reset && flow->stage == STAGE_HTTP && flow->server_port == PORT_TLS)
            return bare_stage(flow->stage); /* in TLS, or on its way there: not told */
        return meanings[i].mechanism;
    }
    return bare_stage(flow->stage);
}

/* True where the measurement was broken off, or the device itself had no network. */
static bool says_nothing(const char *failure)
{
    return strcmp(failure, "interrupted") == 0 || strcmp(failure, "network_down") == 0 ||
           strcmp(failure, "network_reset") == 0;
}

static bool judge_page(const struct observation *flow, struct verdict *verdict)
{
    struct observation page = {.stage = flow->stage, .service = "", .host = ""};

    if (flow->import.page_from_abroad)
        judge_note(verdict, "page-from-abroad", "%s is another country's",
                   flow->import.blockpage.id);
    if (flow->stage == STAGE_DNS) {
        page.dns.present = true;
        page.dns.blockpage = flow->import.blockpage;
        /* Addresses that one country's lists name may be ordinary servers in another. */
        return !flow->import.page_from_abroad && judge_dns_blockpage(&page, verdict);
    }
    page.evidence.present = true;
    page.evidence.http.blockpage = flow->import.blockpage;
    if (flow->import.page_from_abroad) /* a page it is; whose, it does not say */
        page.evidence.http.blockpage.scope = BLOCKPAGE_PRODUCT;
    return judge_blockpage(&page, verdict);
}

static void judge_failure(const struct observation *flow, struct verdict *verdict)
{
    const struct import_facts *import = &flow->import;
    const char *stage = word_text(WORD_STAGE, flow->stage);

    judge_fail(verdict, mechanism_of(flow), ATTRIBUTION_UNKNOWN);
    judge_note(verdict, "measured-failure", "%s at stage %s, as its maker says",
               import->failure[0] ? import->failure : "a failure without a word",
               stage ? stage : "unknown");
}

static void judge_throttled(const struct observation *flow, struct verdict *verdict)
{
    bool named = flow->stage == STAGE_TLS && flow->host[0];

    verdict->mechanism = named ? "tls.throttle.sni" : "stream.throttle";
    verdict->attribution = ATTRIBUTION_UNKNOWN;
    judge_note(verdict, "measured-throttling", "slowed down, as its maker says");
}

/* The same asked from elsewhere at the same time. */
static void judge_control(const struct observation *flow, struct verdict *verdict)
{
    if (flow->import.control == OUTCOME_FAILED) {
        verdict->attribution = ATTRIBUTION_ENDPOINT;
        verdict->score = -1.0;
        judge_note(verdict, "control-fails", "the same failed from elsewhere at the same time");
    } else if (flow->import.control == OUTCOME_OK) {
        judge_note(verdict, "control-works", "the same worked from elsewhere at the same time");
    }
}

void judge_import(const struct observation *flow, struct verdict *verdict)
{
    const struct import_facts *import = &flow->import;

    verdict->outcome = (enum outcome)import->outcome;
    if (import->blockpage.id[0] && judge_page(flow, verdict))
        return; /* in so many words: what the helper saw takes nothing back */
    if (import->outcome == OUTCOME_FAILED && import->blockpage.id[0] && !import->failure[0])
        verdict->outcome = OUTCOME_OK; /* it failed by a page that proves nothing */
    else if (import->outcome == OUTCOME_FAILED && says_nothing(import->failure))
        verdict->outcome = OUTCOME_UNKNOWN;
    else if (import->outcome == OUTCOME_FAILED)
        judge_failure(flow, verdict);
    else if (import->throttled)
        judge_throttled(flow, verdict);
    if (verdict->mechanism || verdict->outcome == OUTCOME_FAILED)
        judge_control(flow, verdict);
}
