// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/proof.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/judge/signature.h"
#include "base/array.h"

#define TALKS_ON_MOST_US 60000000u /* later it may be another connection on the same ports */
#define SEQ_REACH        65535     /* a reset further off is of another connection */
#define FOREIGN_LOOK     3.0 /* sum of weights from which a client's reset is hardly the client's */

void proof_add(struct proof *proof, const char *rule, const char *format, ...)
{
    const struct judge_rule *entry = judge_rule_find(rule);
    char detail[JUDGE_DETAIL_SIZE];
    va_list arguments;

    for (unsigned i = 0; i < proof->verdict->evidence_count; i++)
        if (strcmp(proof->verdict->evidence[i].rule, rule) == 0)
            return;
    if (!entry)
        return;
    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    judge_note(proof->verdict, entry->id, "%s", detail);
    proof->sum += entry->weight;
    proof->weighed += entry->weight != 0;
    proof->contradicted |= entry->kind == JUDGE_RULE_CONTRADICTION;
    proof->innocent |= entry->kind == JUDGE_RULE_INNOCENT;
}

unsigned proof_hops(uint8_t ttl)
{
    return (ttl <= 32 ? 32u : ttl <= 64 ? 64u : ttl <= 128 ? 128u : 255u) - ttl;
}

static const struct side_facts *side_of(const struct proof *proof, enum side side)
{
    return &proof->flow->evidence.sides[side];
}

static bool is_http(const struct observation *flow)
{
    return flow->stage == STAGE_HTTP || flow->evidence.http.request;
}

static const char *side_name(const struct suspect *s)
{
    return s->side == SIDE_CLIENT ? "client" : "server";
}

static const char *kind_name(const struct suspect *s)
{
    return s->kind == SUSPECT_RST ? "reset" : "data";
}

/* ---- the least round trip to the server ---- */

bool proof_is_firm(const struct judge_context *context)
{
    bool tap = context->position == POSITION_CARRIER || context->position == POSITION_SERVER;

    /* Seen from a tap, a client's radio does not delay the server's answer to its SYN. */
    return context->server.exchanges >= PROOF_SAMPLES_FIRM ||
           (tap && context->server.samples >= PROOF_SAMPLES_FIRM);
}

/* 0 where none is known well enough to accuse anybody by. */
static uint32_t least_rtt(const struct proof *proof)
{
    uint32_t own = proof->flow->evidence.handshake_rtt_us;
    uint32_t least = proof->context->server.rtt_least_us;

    if (!proof_is_firm(proof->context))
        return 0;
    if (own != 0 && own < least)
        least = own;
    return least < PROOF_RTT_LEAST_US ? 0 : least; /* the probe sits beside the server */
}

/* ---- (a) sooner than the server can have answered ---- */

struct elapsed {
    bool known;
    uint32_t us;
    const char *since;
};

/* Since the client's request, where the packet shows that its sender had it: it acknowledges
 * exactly that. A request sent again leaves open which one is answered. */
static struct elapsed since_request(const struct proof *proof, const struct suspect *s)
{
    const struct side_facts *client = side_of(proof, SIDE_CLIENT);
    bool single = client->payload_bytes == client->first_payload_length;

    if (client->payload_bytes == 0 || s->ack_offset != 0)
        return (struct elapsed){false, 0, NULL};
    if (client->data_retransmissions == 0 && s->trigger_after_us != JUDGE_NEVER)
        return (struct elapsed){true, s->trigger_after_us, "the request that it acknowledges"};
    if (single && s->after_us >= client->first_payload_after_us)
        return (struct elapsed){true, s->after_us - client->first_payload_after_us,
                                "the request was first sent"};
    return (struct elapsed){false, 0, NULL};
}

/* Since the client's acknowledgement of the SYN-ACK: whatever the server resets then, it resets
 * upon something the client sent after it. */
static struct elapsed since_handshake(const struct proof *proof, const struct suspect *s)
{
    const struct evidence_facts *e = &proof->flow->evidence;
    uint64_t done = (uint64_t)e->handshake_rtt_us + e->ack_rtt_us;

    if (s->kind != SUSPECT_RST || e->handshake_rtt_us == 0 || e->ack_rtt_us == 0 ||
        s->after_us < done || s->seq_offset != 0)
        return (struct elapsed){false, 0, NULL};
    return (struct elapsed){true, (uint32_t)(s->after_us - done), "the end of the handshake"};
}

/* A SYN refused sooner than the same port ever accepted one. */
static struct elapsed since_syn(const struct proof *proof, const struct suspect *s)
{
    const struct side_facts *client = side_of(proof, SIDE_CLIENT);

    if (s->kind != SUSPECT_RST || s->ack_offset != 0 || client->syn_retransmissions > 0 ||
        client->payload_bytes > 0 || !(client->flags & SIDE_SYN))
        return (struct elapsed){false, 0, NULL};
    return (struct elapsed){s->trigger_after_us != JUDGE_NEVER, s->trigger_after_us, "the SYN"};
}

static struct elapsed sooner_of(struct elapsed a, struct elapsed b)
{
    if (!a.known || !b.known)
        return a.known ? a : b;
    return a.us <= b.us ? a : b;
}

static bool is_too_soon(struct proof *proof, const struct suspect *s)
{
    bool shook = (proof->flow->flags & OBSERVATION_HANDSHAKE) != 0;
    bool may_answer =
        s->kind == SUSPECT_RST || s->kind == SUSPECT_FIN_DATA || s->kind == SUSPECT_TTL;
    uint32_t least = least_rtt(proof);
    struct elapsed elapsed;

    if (s->side != SIDE_SERVER || least == 0 || !may_answer)
        return false;
    elapsed =
        shook ? sooner_of(since_request(proof, s), since_handshake(proof, s)) : since_syn(proof, s);
    if (!elapsed.known || elapsed.us >= PROOF_SOONER(least) || least - elapsed.us < PROOF_SOONER_US)
        return false;
    proof_add(proof, "answer-too-soon",
              "packet %" PRIu64 " at %.6f s, server's %s %.1f ms after %s; the least round trip is "
              "%.1f ms (%u seen)",
              s->packet, judge_seconds(s->after_us), kind_name(s), elapsed.us / 1e3, elapsed.since,
              least / 1e3, MAX_OF(proof->context->server.samples, 1u));
    return true;
}

/* A page sooner than the server can have got the request. Where the line has to wake up for a SYN the
 * exchange is often the quicker one. */
static bool is_page_too_soon(struct proof *proof)
{
    const struct side_facts *client = side_of(proof, SIDE_CLIENT);
    uint32_t exchange = proof->flow->evidence.first_exchange_us, least = least_rtt(proof);

    if (proof->context->server.line_wakes || !is_http(proof->flow) || least == 0 || exchange == 0 ||
        client->data_retransmissions > 0 || exchange >= PROOF_SOONER(least) ||
        least - exchange < PROOF_SOONER_US)
        return false;
    proof_add(proof, "answer-too-soon",
              "the server's first bytes %.1f ms after the request; the least round trip is %.1f ms "
              "(%u seen)",
              exchange / 1e3, least / 1e3, MAX_OF(proof->context->server.samples, 1u));
    return true;
}

/* ---- (b) the real end goes on after its own reset or FIN ---- */

/* Raw-socket programs of a client go on after their kernel's reset: that one has the client's TTL.
 */
static bool may_be_own_kernel(const struct suspect *s)
{
    int step = (int)s->ttl - (int)s->ttl_expected;

    return s->kind == SUSPECT_RST && s->side == SIDE_CLIENT && s->ack_offset == INT32_MIN &&
           (s->ttl_expected == 0 || (step > -2 && step < 2));
}

/* How long after a reset its side still sent payload. Sent again counts only where the reset came
 * before any byte of the server, and the server then answered the same request: else another server
 * behind the same address may have reset what this one does not know to be over. */
static uint32_t talks_for_us(const struct proof *proof, const struct suspect *s)
{
    const struct side_facts *server = side_of(proof, SIDE_SERVER);

    if (s->kind != SUSPECT_RST || s->side != SIDE_SERVER ||
        side_of(proof, SIDE_CLIENT)->payload_bytes == 0 ||
        server->first_payload_after_us <= s->after_us ||
        server->last_payload_after_us <= s->after_us)
        return s->own_after_us;
    return server->last_payload_after_us - s->after_us;
}

static bool is_talking_on(struct proof *proof, const struct suspect *s)
{
    const struct evidence_facts *e = &proof->flow->evidence;
    uint64_t flight = (uint64_t)e->handshake_rtt_us + e->ack_rtt_us;
    uint32_t talks_us = talks_for_us(proof, s);

    if ((s->kind != SUSPECT_RST && s->kind != SUSPECT_FIN_DATA) || e->handshake_rtt_us == 0 ||
        e->ack_rtt_us == 0 || s->after_us < flight || may_be_own_kernel(s))
        return false;
    if (s->seq_offset < 0 || s->seq_offset > SEQ_REACH || s->own_bytes_after < 2 ||
        talks_us > TALKS_ON_MOST_US || talks_us <= MAX_OF(flight, (uint64_t)PROOF_RTT_LEAST_US))
        return false;
    proof_add(proof, s->kind == SUSPECT_RST ? "talks-on-after-reset" : "talks-on-after-fin",
              "packet %" PRIu64
              " at %.6f s ends the %s's side, which sends %u new bytes and talks on "
              "for %.1f ms; round trip %.1f ms",
              s->packet, judge_seconds(s->after_us), side_name(s), s->own_bytes_after,
              talks_us / 1e3, (double)flight / 1e3);
    return true;
}

/* ---- (c) two contents for one place ---- */

static bool has_two_contents(struct proof *proof, const struct suspect *s)
{
    if (s->kind != SUSPECT_OVERLAP)
        return false;
    proof_add(proof, "two-contents",
              "packet %" PRIu64 " at %.6f s, server: %u bytes (TTL %u) where %u others were (last "
              "TTL %u); hashes %016" PRIx64 ", %016" PRIx64,
              s->packet, judge_seconds(s->after_us), s->payload_length, s->ttl, s->length_before,
              s->ttl_expected, s->content, s->content_before);
    return true;
}

typedef bool (*contradiction_fn)(struct proof *proof, const struct suspect *suspect);
static const contradiction_fn contradictions[] = {is_too_soon, is_talking_on, has_two_contents};

/* ---- what it makes of the verdict ---- */

/* Did it come before any byte of the server? */
static bool is_before_answer(const struct proof *proof, const struct suspect *s)
{
    const struct side_facts *server = side_of(proof, SIDE_SERVER);
    return server->payload_bytes == 0 || (s && server->first_payload_after_us >= s->after_us);
}

static const char *mechanism_of_reset(const struct proof *proof)
{
    const struct observation *flow = proof->flow;
    const struct evidence_facts *e = &flow->evidence;

    if (!(flow->flags & OBSERVATION_HANDSHAKE))
        return "tcp.refused";
    if (e->sides[SIDE_CLIENT].payload_bytes == 0)
        return "tcp.reset";
    if (flow->stage == STAGE_TLS && is_before_answer(proof, proof->forged))
        return e->tls.no_sni ? "tls.reset.other" : "tls.reset.sni";
    if (is_http(flow))
        return "http.reset.host";
    return "stream.reset";
}

/* Bytes put in the server's mouth; only the web has words for it. */
static const char *mechanism_of_content(const struct proof *proof)
{
    const struct http_facts *http = &proof->flow->evidence.http;

    if (!is_http(proof->flow))
        return NULL;
    return http->status >= 300 && http->status < 400 ? "http.redirect" : "http.blockpage";
}

/* What the server logged: known where it had the request and the client's resets to its answer are
 * here; a reset in the client's name is in the server's log as it is here. */
static uint8_t signature_of(const struct proof *proof, const struct suspect *s)
{
    bool had_request = s->side == SIDE_SERVER && s->own_bytes_after > 0 &&
                       proof->flow->evidence.resets[SIDE_CLIENT] > 0;
    return s->side == SIDE_CLIENT || had_request ? signature_near_client(proof->flow) : 0;
}

static void blame_third_party(struct proof *proof)
{
    struct verdict *verdict = proof->verdict;
    const struct suspect *s = proof->forged;
    const char *mechanism;

    verdict->attribution = ATTRIBUTION_THIRD_PARTY;
    if (!s && !proof->page)
        return;
    mechanism =
        s && s->kind == SUSPECT_RST ? mechanism_of_reset(proof) : mechanism_of_content(proof);
    if (!verdict->mechanism)
        verdict->mechanism = mechanism;
    /* Whoever got the page of another did not get the server's. */
    if (verdict->mechanism && (!s || s->kind != SUSPECT_RST || verdict->outcome == OUTCOME_UNKNOWN))
        verdict->outcome = OUTCOME_FAILED;
    if (s && s->kind == SUSPECT_RST && verdict->signature == 0)
        verdict->signature = signature_of(proof, s);
}

/* A reset in the client's name that looks like nothing the client sends, while the server was
 * answering: whose it is stays open, but it is not simply the client's. */
static void doubt_client_reset(struct proof *proof, const struct suspect *s)
{
    struct verdict *verdict = proof->verdict;

    if (s->side != SIDE_CLIENT || proof->sum < FOREIGN_LOOK ||
        side_of(proof, SIDE_CLIENT)->payload_bytes == 0 ||
        s->after_us - side_of(proof, SIDE_CLIENT)->first_payload_after_us >= JUDGE_SILENCE_US)
        return;
    verdict->mechanism = mechanism_of_reset(proof);
    verdict->attribution = ATTRIBUTION_UNKNOWN;
    verdict->signature = signature_near_client(proof->flow);
    if (side_of(proof, SIDE_SERVER)->payload_bytes == 0)
        verdict->outcome = OUTCOME_FAILED;
}

/* ---- one flow ---- */

static const struct suspect *first_reset(const struct observation *flow)
{
    const struct suspect *first = NULL;

    for (unsigned i = 0; i < flow->evidence.suspect_count && i < SUSPECTS_MAX; i++) {
        const struct suspect *s = &flow->evidence.suspects[i];
        if (s->kind == SUSPECT_RST && (!first || s->after_us < first->after_us))
            first = s;
    }
    return first;
}

/* The looks of a reset matter where it ended the flow, not where silence did. */
static bool is_about_reset(const struct proof *proof)
{
    const char *mechanism = proof->verdict->mechanism;
    return !mechanism || strstr(mechanism, ".reset") || strcmp(mechanism, "tcp.refused") == 0;
}

/* What befell a line that had worked. */
static bool is_about_stream(const struct proof *proof)
{
    const char *mechanism = proof->verdict->mechanism;
    return mechanism &&
           (strcmp(mechanism, "stream.reset") == 0 || strcmp(mechanism, "stream.timeout") == 0);
}

/* Sent to a bare address by a first answer that comes from elsewhere: the servers that send one
 * away so are few, the boxes many. Not proven, and not counted as a good answer either. */
static void doubt_redirect(struct proof *proof)
{
    const struct http_facts *http = &proof->flow->evidence.http;
    const struct suspect *answer = proof_first_answer(proof);
    struct verdict *verdict = proof->verdict;

    if (!answer || verdict->mechanism || http->status < 300 || http->status > 399 ||
        !proof_looks_redirected(proof, answer))
        return;
    verdict->mechanism = "http.redirect";
    verdict->outcome = OUTCOME_UNKNOWN;
    verdict->attribution = ATTRIBUTION_UNKNOWN;
}

static void proof_connection(struct proof *proof)
{
    const struct observation *flow = proof->flow;
    const struct suspect *looked_at;

    if (!flow->evidence.present ||
        (flow->flags & (OBSERVATION_MID_STREAM | OBSERVATION_CLIENT_GUESSED)))
        return;
    for (unsigned i = 0; i < flow->evidence.suspect_count && i < SUSPECTS_MAX; i++) {
        const struct suspect *s = &flow->evidence.suspects[i];
        for (size_t c = 0; c < ARRAY_LENGTH(contradictions); c++)
            if (contradictions[c](proof, s) && !proof->forged)
                proof->forged = s;
    }
    proof->page = !proof->forged && is_page_too_soon(proof);
    looked_at = proof->forged ? proof->forged : first_reset(flow);
    if (looked_at && looked_at->kind == SUSPECT_RST && is_about_reset(proof)) {
        proof_looks(proof, looked_at);
        proof_resets(proof, looked_at);
    }
    proof_injector(proof, is_about_reset(proof));
    if (!proof->contradicted)
        doubt_redirect(proof);
    if (!proof->forged && looked_at && !proof->page)
        doubt_client_reset(proof, looked_at);
    if (proof->forged || is_about_stream(proof))
        proof_innocent(proof, proof->forged ? proof->forged : looked_at);
}

static void set_score(const struct proof *proof)
{
    double score = 1.0 / (1.0 + exp(-proof->sum));

    if (!proof->contradicted)
        score = MIN_OF(score, proof->cap > 0 ? proof->cap : PROOF_CAP_UNPROVEN);
    if (proof->innocent)
        score = MIN_OF(score, JUDGE_SCORE_INNOCENT);
    proof->verdict->score = round(score * 1000) / 1000; /* more digits would be false ones */
}

void proof_flow(const struct observation *flow, const struct judge_context *context,
                struct verdict *verdict)
{
    struct proof proof = {.flow = flow, .context = context, .verdict = verdict};

    if (verdict->attribution == ATTRIBUTION_THIRD_PARTY) { /* by a block page: (d) of the design */
        proof.contradicted = true;
        proof.weighed = 1;
        proof.sum = judge_rule_find("blockpage")->weight;
    }
    if (flow->transport == TRANSPORT_TCP)
        proof_identity(&proof);
    if (flow->dns.present) {
        proof_question(&proof);
        proof_injector_dns(&proof);
    } else if (flow->transport == TRANSPORT_TCP) {
        proof_connection(&proof);
    }
    proof_icmp(&proof);
    if (proof.contradicted)
        blame_third_party(&proof);
    if (proof.contradicted || verdict->mechanism)
        proof_house(&proof);
    if (((proof.weighed > 0 || proof.innocent) && verdict->mechanism) || proof.contradicted)
        set_score(&proof);
}
