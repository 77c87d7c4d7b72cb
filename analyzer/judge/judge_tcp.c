// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One TCP connection: how far it got, who ended it, and how long the client had waited by then.
 */
#include <inttypes.h>

#include "analyzer/judge/judge_internal.h"
#include "analyzer/judge/signature.h"

/* A second flight longer than key exchange and Finished need carries a request: the handshake was
 * over. */
#define SECOND_FLIGHT_BYTES 350
#define SECOND_FLIGHT_LEAST 80    /* key exchange or Finished: more than an alert */
#define FIRST_FLIGHT_BYTES  14600 /* what a server sends without hearing anything (RFC 6928) */
#define ASKED_LEAST         3u    /* unanswered packets; fewer are a bad line */
#define REORDERED_US        3000u /* packets overtake each other by less */

enum ending_kind { ENDING_NONE, ENDING_RESET, ENDING_FIN };

struct ending {
    enum ending_kind kind;
    enum side side;    /* who ended it */
    uint32_t after_us; /* when, since the flow's start; of a FIN at the latest */
};

static const struct side_facts *side_of(const struct observation *flow, enum side side)
{
    return &flow->evidence.sides[side];
}

static bool sent_payload(const struct observation *flow, enum side side)
{
    return side_of(flow, side)->first_payload_kind != PAYLOAD_NONE ||
           side_of(flow, side)->payload_bytes > 0;
}

static const struct suspect *first_reset(const struct observation *flow, enum side side)
{
    const struct suspect *first = NULL;

    for (unsigned i = 0; i < flow->evidence.suspect_count && i < SUSPECTS_MAX; i++) {
        const struct suspect *s = &flow->evidence.suspects[i];
        if (s->kind == SUSPECT_RST && s->side == side && (!first || s->after_us < first->after_us))
            first = s;
    }
    return first;
}

static bool has_fin(const struct observation *flow, enum side side)
{
    return (side_of(flow, side)->flags & SIDE_FIN) != 0;
}

static struct ending ending_by_fin(const struct observation *flow)
{
    uint32_t last[2] = {side_of(flow, SIDE_CLIENT)->last_packet_after_us,
                        side_of(flow, SIDE_SERVER)->last_packet_after_us};
    enum side side = has_fin(flow, SIDE_CLIENT) ? SIDE_CLIENT : SIDE_SERVER;

    /* Whoever closes first acknowledges the other's FIN last. */
    if (has_fin(flow, SIDE_CLIENT) && has_fin(flow, SIDE_SERVER))
        side = last[SIDE_SERVER] > last[SIDE_CLIENT] ? SIDE_SERVER : SIDE_CLIENT;
    return (struct ending){ENDING_FIN, side, last[side]};
}

/* Who ended the connection first. A reset after the end's own or the other's FIN is housekeeping.
 */
static struct ending ending_of(const struct observation *flow)
{
    const struct suspect *of_client = first_reset(flow, SIDE_CLIENT);
    const struct suspect *of_server = first_reset(flow, SIDE_SERVER);
    struct ending ending = {ENDING_NONE, SIDE_CLIENT, JUDGE_NEVER};

    if (of_server)
        ending = (struct ending){ENDING_RESET, SIDE_SERVER, of_server->after_us};
    if (of_client && of_client->after_us < ending.after_us)
        ending = (struct ending){ENDING_RESET, SIDE_CLIENT, of_client->after_us};
    if (has_fin(flow, SIDE_CLIENT) || has_fin(flow, SIDE_SERVER)) {
        struct ending fin = ending_by_fin(flow);
        if (fin.after_us <= ending.after_us)
            ending = fin;
    }
    return ending;
}

static bool is_tls(const struct observation *flow)
{
    return flow->stage == STAGE_TLS || flow->evidence.tls.client_hello ||
           side_of(flow, SIDE_CLIENT)->first_payload_kind == PAYLOAD_TLS_CLIENT_HELLO;
}

static bool is_http(const struct observation *flow)
{
    return flow->stage == STAGE_HTTP || flow->evidence.http.request ||
           side_of(flow, SIDE_CLIENT)->first_payload_kind == PAYLOAD_HTTP_REQUEST;
}

/* ---- did it work? ---- */

static bool server_said_hello(const struct observation *flow)
{
    return flow->evidence.tls.server_hello ||
           side_of(flow, SIDE_SERVER)->first_payload_kind == PAYLOAD_TLS_SERVER_HELLO;
}

/* The client went on once it had heard the server. */
static bool spoke_again(const struct observation *flow)
{
    return side_of(flow, SIDE_CLIENT)->last_payload_after_us >
           side_of(flow, SIDE_SERVER)->first_payload_after_us;
}

/* The server answered the client's second flight, too: it sent something a round trip after its own
 * first, which had fitted in one. */
static bool answered_second_flight(const struct observation *flow)
{
    const struct side_facts *client = side_of(flow, SIDE_CLIENT);
    const struct side_facts *server = side_of(flow, SIDE_SERVER);
    uint32_t rtt_us = flow->evidence.handshake_rtt_us;

    return rtt_us != 0 && server->payload_bytes < FIRST_FLIGHT_BYTES &&
           server->data_retransmissions == 0 &&
           client->payload_bytes >= (uint64_t)client->first_payload_length + SECOND_FLIGHT_LEAST &&
           server->last_payload_after_us - server->first_payload_after_us >= rtt_us / 5 * 4;
}

static bool tls_worked(const struct observation *flow)
{
    const struct side_facts *client = side_of(flow, SIDE_CLIENT);
    const struct side_facts *server = side_of(flow, SIDE_SERVER);

    if (!spoke_again(flow))
        return false;
    if (flow->evidence.tls.handshake_done)
        return true;
    return server_said_hello(flow) &&
           (server->last_payload_after_us > client->last_payload_after_us ||
            client->payload_bytes > (uint64_t)client->first_payload_length + SECOND_FLIGHT_BYTES ||
            answered_second_flight(flow));
}

static bool http_worked(const struct observation *flow)
{
    uint8_t kind = side_of(flow, SIDE_SERVER)->first_payload_kind;
    return flow->evidence.http.response || kind == PAYLOAD_HTTP_RESPONSE;
}

static bool worked(const struct observation *flow)
{
    if (!judge_server_spoke(flow))
        return false;
    if (!flow->evidence.present || (flow->flags & OBSERVATION_MID_STREAM))
        return true;
    if (is_tls(flow))
        return tls_worked(flow);
    return !is_http(flow) || http_worked(flow);
}

/* Some protocols only tell: a stream that was taken in and not answered may be as it should be. */
static bool may_be_one_way(const struct observation *flow)
{
    return !is_tls(flow) && !is_http(flow) &&
           (!flow->service || !flow->service[0] || flow->certainty < CERTAINTY_LIKELY);
}

/* It had worked, and somebody reset it: in answer to a request, or while the server was still
 * sending, which goes on arriving beyond the reset. All else is how connections end. Where the
 * server was cut off, the exchange failed; where a request of the web or of a service's own protocol
 * got the reset, too, unless the line had rested. Within TLS, and in protocols not known, the last
 * word may have been a goodbye. */
static void judge_reset_in_stream(const struct observation *flow, struct verdict *verdict)
{
    struct ending ending = ending_of(flow);
    const struct side_facts *client = side_of(flow, SIDE_CLIENT);
    const struct side_facts *server = side_of(flow, SIDE_SERVER);
    const struct suspect *reset = first_reset(flow, ending.side);
    uint32_t asked = client->last_payload_after_us, heard = server->last_packet_after_us;
    bool by_client = ending.side == SIDE_CLIENT;
    bool at_request = asked > server->last_payload_after_us && asked <= ending.after_us &&
                      ending.after_us - asked < JUDGE_SILENCE_US;
    bool cut = !by_client && reset && reset->seq_offset >= 0 && reset->own_bytes_after > 1 &&
               reset->own_after_us >= REORDERED_US;

    if (ending.kind != ENDING_RESET || client->payload_bytes == 0 || (!at_request && !cut))
        return;
    bool rested = asked > heard && judge_has_rested(flow, heard, asked - heard);
    if (cut || (!by_client && !rested && !is_tls(flow) && !may_be_one_way(flow)))
        verdict->outcome = OUTCOME_FAILED;
    verdict->mechanism = "stream.reset";
    verdict->attribution = by_client ? ATTRIBUTION_CLIENT : ATTRIBUTION_UNKNOWN;
    if (cut)
        judge_note(verdict, "reset-in-download",
                   "a reset from the server's address at %.3f s, while %" PRIu32
                   " bytes more of it came for %.1f ms",
                   judge_seconds(ending.after_us), reset->own_bytes_after,
                   reset->own_after_us / 1e3);
    else
        judge_note(
            verdict, "reset-in-stream",
            "a reset from the %s's address %.3f s after the client's last data, after %" PRIu64
            " bytes of the server",
            by_client ? "client" : "server", judge_seconds(ending.after_us - asked),
            server->payload_bytes);
}

/* It had worked, and then nothing came of the server's any more, not even an acknowledgement, while
 * the client asked again and again. Who says nothing either has gone, or waits; a slow server
 * acknowledges; a goodbye needs no answer. */
static bool judge_freeze(const struct observation *flow, const struct judge_context *context,
                         struct verdict *verdict)
{
    const struct evidence_facts *e = &flow->evidence;
    struct ending ending = ending_of(flow);
    uint32_t heard = side_of(flow, SIDE_SERVER)->last_packet_after_us;
    uint32_t asked = e->unanswered_after_us,
             last = side_of(flow, SIDE_CLIENT)->last_packet_after_us;
    bool ended = ending.kind == ENDING_RESET && ending.side == SIDE_CLIENT;
    int64_t end_us = ended ? flow->start_us + ending.after_us : context->capture_end_us;
    int64_t waited_us = end_us - flow->start_us - asked;

    if (e->unanswered < ASKED_LEAST || (flow->flags & OBSERVATION_EARLY) || context->one_way ||
        flow->close == CLOSE_EVICTED || (ending.kind != ENDING_NONE && !ended) || asked < heard)
        return false;
    if (last < asked || last - asked < JUDGE_SILENCE_US || waited_us < JUDGE_SLOW_HELLO_US)
        return false;
    /* A mapping that was forgotten fails the line, too, but nothing that was under way. */
    if (!judge_has_rested(flow, heard, asked - heard))
        verdict->outcome = OUTCOME_FAILED;
    verdict->mechanism = "stream.timeout";
    verdict->attribution = ATTRIBUTION_UNKNOWN;
    judge_note(verdict, "freeze-in-stream",
               "nothing of the server's after %" PRIu64
               " bytes: the client asked %u times in %.1f s, beginning %.3f s after the server's "
               "last packet",
               side_of(flow, SIDE_SERVER)->payload_bytes, e->unanswered,
               judge_seconds(last - asked), judge_seconds(asked - heard));
    return true;
}

static void judge_after_success(const struct observation *flow, const struct judge_context *context,
                                struct verdict *verdict)
{
    bool begun_here = !(flow->flags & OBSERVATION_MID_STREAM);

    verdict->outcome = OUTCOME_OK;
    /* Of a line older than the capture the end is known, where it is known who the client is. */
    if (!flow->evidence.present || (!begun_here && (flow->flags & OBSERVATION_CLIENT_GUESSED)))
        return;
    if (!judge_freeze(flow, context, verdict))
        judge_reset_in_stream(flow, verdict);
}

/* ---- it did not: the client's own doing, silence, or an end ---- */

static void judge_client_gave_up(const struct observation *flow, int64_t waited_us,
                                 struct verdict *verdict)
{
    verdict->attribution = ATTRIBUTION_CLIENT;
    verdict->signature = signature_near_client(flow);
    judge_note(verdict, "client-gave-up", "the client ended it itself after %.3f s",
               judge_seconds(waited_us));
}

/* Pure acknowledgements of the server beyond its SYN-ACK: it, or something in its name, has the
 * request. */
static bool was_acknowledged(const struct observation *flow)
{
    const struct evidence_facts *e = &flow->evidence;
    uint64_t explained = 1u + side_of(flow, SIDE_SERVER)->syn_retransmissions +
                         e->resets[SIDE_SERVER] + has_fin(flow, SIDE_SERVER);
    return flow->packets[SIDE_SERVER] > explained;
}

struct exchange { /* the words of one protocol's first exchange */
    const char *reset, *reset_rule, *timeout, *timeout_rule;
    int64_t patience_us; /* where the request was acknowledged */
};

static struct exchange exchange_of(const struct observation *flow)
{
    const struct tls_facts *tls = &flow->evidence.tls;
    bool named = tls->client_hello ? !tls->no_sni : (flow->reasons & REASON_SNI) != 0;

    if (is_tls(flow))
        return (struct exchange){named ? "tls.reset.sni" : "tls.reset.other",
                                 "reset-after-client-hello", "tls.timeout",
                                 "silence-after-client-hello", JUDGE_SLOW_HELLO_US};
    if (is_http(flow))
        return (struct exchange){"http.reset.host", "reset-after-request", "http.timeout",
                                 "silence-after-request", JUDGE_SLOW_REQUEST_US};
    return (struct exchange){"stream.reset", "reset-after-request", "stream.timeout",
                             "silence-after-request", JUDGE_SLOW_REQUEST_US};
}

static void judge_silent_server(const struct observation *flow, const struct exchange *exchange,
                                int64_t waited_us, bool gave_up, struct verdict *verdict)
{
    bool acknowledged = was_acknowledged(flow);
    int64_t patience = acknowledged ? exchange->patience_us : JUDGE_SILENCE_US;

    if (waited_us < patience && gave_up) {
        judge_client_gave_up(flow, waited_us, verdict);
        return;
    }
    if (waited_us < patience || (acknowledged && may_be_one_way(flow))) {
        judge_note(verdict, "too-early", "%.1f s of silence are too few to tell",
                   judge_seconds(waited_us));
        return;
    }
    judge_fail(verdict, exchange->timeout, ATTRIBUTION_UNKNOWN);
    verdict->signature = signature_of_silence(flow, acknowledged);
    judge_note(verdict, exchange->timeout_rule,
               "%.1f s without an answer; %u retransmissions, the request was %sacknowledged",
               judge_seconds(waited_us), side_of(flow, SIDE_CLIENT)->data_retransmissions,
               acknowledged ? "" : "not ");
}

static void judge_server_closed(const struct observation *flow, int64_t waited_us,
                                struct verdict *verdict)
{
    if (!may_be_one_way(flow))
        judge_fail(verdict, NULL, ATTRIBUTION_UNKNOWN);
    judge_note(verdict, "closed-without-answer",
               "the server closed %.3f s after the request with no byte of its own",
               judge_seconds(waited_us));
}

/* The client asked first and the server never said a word. */
static void judge_unanswered_request(const struct observation *flow,
                                     const struct judge_context *context, struct verdict *verdict)
{
    struct ending ending = ending_of(flow);
    struct exchange exchange = exchange_of(flow);
    uint32_t asked = side_of(flow, SIDE_CLIENT)->first_payload_after_us;
    bool ended = ending.kind != ENDING_NONE;
    int64_t end_us = ended ? flow->start_us + ending.after_us : context->capture_end_us;
    int64_t waited_us = end_us - flow->start_us - asked;

    if (!ended && flow->close == CLOSE_RESET)
        return; /* whose reset it was, and when, was not kept */
    if (!ended || ending.side == SIDE_CLIENT) {
        judge_silent_server(flow, &exchange, waited_us, ended, verdict);
        return;
    }
    if (waited_us < 0) { /* it was over before the client asked */
        if (ending.kind == ENDING_RESET) {
            judge_fail(verdict, "tcp.reset", ATTRIBUTION_UNKNOWN);
            judge_note(verdict, "reset-after-handshake", "a reset %.3f s after the start",
                       judge_seconds(ending.after_us));
        }
        return;
    }
    if (ending.kind == ENDING_FIN) {
        judge_server_closed(flow, waited_us, verdict);
        return;
    }
    judge_fail(verdict, exchange.reset, ATTRIBUTION_UNKNOWN);
    judge_note(verdict, exchange.reset_rule, "%u reset(s), the first %.3f s after the request",
               flow->evidence.resets[SIDE_SERVER], judge_seconds(waited_us));
}

static bool judge_alert(const struct observation *flow, struct verdict *verdict)
{
    const struct tls_facts *tls = &flow->evidence.tls;
    bool of_client = tls->alert_side == SIDE_CLIENT;
    /* 41-48: the client does not trust the certificate, and whose that was is another rule's
     * question. */
    bool about_certificate = tls->alert_description >= 41 && tls->alert_description <= 48;

    if (tls->alert_level == 0 || tls->alert_description == 0 /* close_notify */)
        return false;
    judge_fail(verdict, NULL,
               !of_client          ? ATTRIBUTION_ENDPOINT
               : about_certificate ? ATTRIBUTION_UNKNOWN
                                   : ATTRIBUTION_CLIENT);
    judge_note(verdict, "tls-alert", "alert %d of the %s after %.3f s", tls->alert_description,
               of_client ? "client" : "server", judge_seconds(tls->alert_after_us));
    return true;
}

/* The server spoke, but not far enough to call it a success. */
static void judge_broken_exchange(const struct observation *flow,
                                  const struct judge_context *context, struct verdict *verdict)
{
    struct ending ending = ending_of(flow);
    uint32_t heard = side_of(flow, SIDE_SERVER)->last_payload_after_us;
    int64_t silent_us = judge_silence_us(flow, context);

    if (!is_tls(flow) || judge_alert(flow, verdict) || !server_said_hello(flow))
        return;
    if (!flow->evidence.tls.client_hello && spoke_again(flow))
        return; /* how far the handshake got was not kept */
    if (ending.kind == ENDING_RESET && ending.side == SIDE_SERVER) {
        judge_fail(verdict, "tls.reset.other", ATTRIBUTION_UNKNOWN);
        judge_note(verdict, "reset-in-handshake",
                   "a reset %.3f s after the start, after %" PRIu64 " bytes of the server",
                   judge_seconds(ending.after_us), side_of(flow, SIDE_SERVER)->payload_bytes);
    } else if (ending.kind != ENDING_NONE && ending.side == SIDE_CLIENT) {
        judge_client_gave_up(flow, ending.after_us > heard ? ending.after_us - heard : 0, verdict);
    } else if (ending.kind == ENDING_NONE && flow->close != CLOSE_RESET &&
               !flow->evidence.tls.handshake_done && silent_us >= JUDGE_SLOW_HELLO_US) {
        judge_fail(verdict, "tls.timeout", ATTRIBUTION_UNKNOWN);
        judge_note(verdict, "silence-in-handshake",
                   "silence for %.1f s after %" PRIu64 " bytes of the server",
                   judge_seconds(silent_us), side_of(flow, SIDE_SERVER)->payload_bytes);
    }
}

/* ---- before any data ---- */

static bool only_syns(const struct observation *flow)
{
    /* An acknowledgement of the client would mean an answer that is not in the capture. */
    return flow->packets[SIDE_CLIENT] == 1u + side_of(flow, SIDE_CLIENT)->syn_retransmissions +
                                             flow->evidence.resets[SIDE_CLIENT];
}

static void judge_syn_silence(const struct observation *flow, const struct judge_context *context,
                              struct verdict *verdict)
{
    int64_t silence = judge_silence_us(flow, context);

    if (!only_syns(flow)) {
        judge_note(verdict, "not-whole", "the client goes on as if it had been answered");
        return;
    }
    /* Where answers are not captured a refusal is not seen either; but who is refused does not ask
     * again. */
    if (context->one_way && side_of(flow, SIDE_CLIENT)->syn_retransmissions == 0)
        return;
    if (flow->evidence.resets[SIDE_CLIENT] > 0) {
        judge_client_gave_up(flow, flow->end_us - flow->start_us, verdict);
        return;
    }
    if (silence < JUDGE_SILENCE_US) {
        judge_note(verdict, "too-early", "the capture ended %.1f s after the last attempt",
                   judge_seconds(silence));
        return;
    }
    judge_fail(verdict, "tcp.timeout", ATTRIBUTION_UNKNOWN);
    verdict->signature = 1;
    judge_note(verdict, "syn-unanswered",
               "%" PRIu64 " attempts in %.1f s, none answered; the capture went on for %.1f s",
               flow->packets[SIDE_CLIENT], judge_seconds(flow->end_us - flow->start_us),
               judge_seconds(silence));
}

/* No data of either end: refused, reset, or simply not used. */
static void judge_before_data(const struct observation *flow, const struct judge_context *context,
                              struct verdict *verdict)
{
    const struct suspect *reset = first_reset(flow, SIDE_SERVER);
    const struct side_facts *server = side_of(flow, SIDE_SERVER);
    struct ending ending = ending_of(flow);
    bool answered = (server->flags & SIDE_SYN) || (flow->flags & OBSERVATION_HANDSHAKE);
    uint32_t answered_us = flow->evidence.handshake_rtt_us;

    if (ending.kind != ENDING_NONE && ending.side == SIDE_CLIENT) {
        judge_client_gave_up(flow, ending.after_us, verdict);
    } else if (reset && (!answered || reset->after_us < answered_us)) {
        judge_fail(verdict, "tcp.refused", ATTRIBUTION_UNKNOWN);
        judge_note(verdict, "syn-reset", "a reset %.3f s after the first attempt",
                   judge_seconds(reset->after_us));
    } else if (reset && ending.kind == ENDING_RESET && reset->after_us < JUDGE_SILENCE_US) {
        judge_fail(verdict, "tcp.reset", ATTRIBUTION_UNKNOWN);
        judge_note(verdict, "reset-after-handshake",
                   "a reset %.3f s after the start, before any data",
                   judge_seconds(reset->after_us));
    } else if (!answered && flow->packets[SIDE_SERVER] == 0) {
        judge_syn_silence(flow, context, verdict);
    }
}

/* What the server said came after a reset in its name, which the client had believed: the client
 * got no answer. */
static bool was_reset_unanswered(const struct observation *flow)
{
    const struct side_facts *client = side_of(flow, SIDE_CLIENT);
    const struct suspect *reset = first_reset(flow, SIDE_SERVER);

    if (!reset || !sent_payload(flow, SIDE_CLIENT) ||
        client->first_payload_after_us > reset->after_us ||
        reset->after_us > side_of(flow, SIDE_SERVER)->first_payload_after_us)
        return false;
    return flow->evidence.resets[SIDE_CLIENT] > 0 ||
           (client->last_payload_after_us <= reset->after_us && !has_fin(flow, SIDE_CLIENT));
}

void judge_tcp(const struct observation *flow, const struct judge_context *context,
               struct verdict *verdict)
{
    bool whole = flow->packets[SIDE_CLIENT] > 0 &&
                 !(flow->flags & (OBSERVATION_MID_STREAM | OBSERVATION_EARLY)) &&
                 flow->close != CLOSE_EVICTED;

    if (judge_blockpage(flow, verdict))
        return;
    if (worked(flow)) {
        judge_after_success(flow, context, verdict);
        if (!verdict->mechanism)
            judge_throttle(flow, context, verdict);
        return;
    }
    if (!whole) {
        judge_note(verdict, "not-whole", "its beginning or its end is not in the capture");
        return;
    }
    if (!flow->evidence.present)
        return; /* the row alone proves no failure */
    if (judge_server_spoke(flow) && !was_reset_unanswered(flow)) {
        judge_broken_exchange(flow, context, verdict);
    } else if (judge_unreachable(flow, verdict)) {
        return;
    } else if (!sent_payload(flow, SIDE_CLIENT)) {
        judge_before_data(flow, context, verdict);
    } else if (flow->packets[SIDE_SERVER] == 0 || context->one_way) {
        judge_note(verdict, "not-whole", "packets of one direction only");
    } else {
        judge_unanswered_request(flow, context, verdict);
    }
}
