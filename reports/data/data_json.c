// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/data/data_json.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"

#define TO_SECONDS 19 /* "2015-11-30T11:00:00" */

const char *data_hour(int64_t time_us, char text[DATA_HOUR_SIZE])
{
    char whole[CLOCK_TEXT_SIZE];

    if (time_us == 0)
        return NULL;
    clock_format(clock_hour(time_us), whole);
    snprintf(text, DATA_HOUR_SIZE, "%.*sZ", TO_SECONDS, whole);
    return text;
}

const char *data_hour_up(int64_t time_us, char text[DATA_HOUR_SIZE])
{
    return data_hour(time_us == 0 ? 0 : clock_hour(time_us + CLOCK_HOUR_US - 1), text);
}

const char *data_some(const char *text)
{
    return text && text[0] ? text : NULL;
}

void data_member_hour(struct json *json, const char *key, int64_t time_us)
{
    char text[DATA_HOUR_SIZE];
    json_member_text(json, key, data_hour(time_us, text));
}

void data_member_hour_up(struct json *json, const char *key, int64_t time_us)
{
    char text[DATA_HOUR_SIZE];
    json_member_text(json, key, data_hour_up(time_us, text));
}

void data_member_double(struct json *json, const char *key, double value)
{
    json_key(json, key);
    json_double(json, value);
}

void data_member_index(struct json *json, const char *key, size_t index)
{
    json_key(json, key);
    if (index == FINDINGS_NONE)
        json_null(json);
    else
        json_unsigned(json, index);
}

void data_member_asn(struct json *json, uint32_t asn)
{
    data_member_index(json, "asn", asn ? asn : FINDINGS_NONE);
}

void data_share(struct json *json, const struct findings_share *share)
{
    json_member_unsigned(json, "attempts", share->attempts);
    json_member_unsigned(json, "failures", share->failures);
    json_member_unsigned(json, "worked", share->attempts - share->failures);
    json_key(json, "share");
    if (share->attempts)
        json_double(json, (double)share->failures / (double)share->attempts);
    else
        json_null(json);
    json_key(json, "interval");
    json_begin_array(json);
    json_double(json, share->low);
    json_double(json, share->high);
    json_end_array(json);
}

void data_member_share(struct json *json, const char *key, const struct findings_share *share)
{
    json_key(json, key);
    json_begin_object(json);
    data_share(json, share);
    json_end_object(json);
}

void data_member_span(struct json *json, const char *key, const struct findings_when *when)
{
    json_key(json, key);
    json_begin_object(json);
    data_member_hour(json, "earliest", when->earliest_us);
    data_member_hour_up(json, "latest", when->latest_us);
    json_end_object(json);
}

void data_member_mechanism_counts(struct json *json, const struct findings_mechanism *mechanisms,
                                  size_t count)
{
    json_key(json, "mechanism_counts");
    json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(json);
        json_member_text(json, "mechanism", mechanisms[i].mechanism);
        json_member_unsigned(json, "attempts", mechanisms[i].attempts);
        data_member_double(json, "share", mechanisms[i].share);
        json_member_unsigned(json, "proven", mechanisms[i].proven);
        json_end_object(json);
    }
    json_end_array(json);
}

const char *data_headline_text(enum findings_headline headline)
{
    static const char *const texts[] = {[HEADLINE_ORDER_CARRIED_OUT] = "order-carried-out",
                                        [HEADLINE_ORDER_NOT_OBSERVED] = "order-not-observed",
                                        [HEADLINE_CAMPAIGN] = "campaign",
                                        [HEADLINE_EVENT] = "event",
                                        [HEADLINE_EVENTS] = "events",
                                        [HEADLINE_NOTHING] = "nothing",
                                        [HEADLINE_NOT_ENOUGH] = "not-enough"};
    return texts[headline];
}

const char *data_step_text(enum findings_step_kind kind)
{
    static const char *const texts[] = {
        [STEP_SYN] = "syn",           [STEP_SYN_ACK] = "syn-ack",
        [STEP_ACK] = "ack",           [STEP_DATA] = "data",
        [STEP_QUESTION] = "question", [STEP_ANSWER] = "answer",
        [STEP_RESET] = "reset",       [STEP_FIN] = "fin",
        [STEP_ICMP] = "icmp",         [STEP_RETRANSMISSION] = "retransmission",
        [STEP_SILENCE] = "silence",   [STEP_OTHER_CONTENT] = "other-content",
        [STEP_CLOSE] = "close"};
    return texts[kind];
}

const char *data_payload_text(enum payload_kind kind)
{
    static const char *const texts[] = {[PAYLOAD_OTHER] = "other",
                                        [PAYLOAD_TLS_CLIENT_HELLO] = "tls-client-hello",
                                        [PAYLOAD_TLS_SERVER_HELLO] = "tls-server-hello",
                                        [PAYLOAD_TLS_ALERT] = "tls-alert",
                                        [PAYLOAD_TLS_DATA] = "tls-data",
                                        [PAYLOAD_HTTP_REQUEST] = "http-request",
                                        [PAYLOAD_HTTP_RESPONSE] = "http-response",
                                        [PAYLOAD_HTML] = "html",
                                        [PAYLOAD_QUIC_INITIAL] = "quic-initial",
                                        [PAYLOAD_DNS] = "dns",
                                        [PAYLOAD_MAIL] = "mail",
                                        [PAYLOAD_SRP] = "srp"};
    return (size_t)kind < ARRAY_LENGTH(texts) ? texts[kind] : NULL;
}

const char *data_rule_kind_text(enum judge_rule_kind kind)
{
    static const char *const texts[] = {[JUDGE_RULE_PLAIN] = "plain",
                                        [JUDGE_RULE_CONTRADICTION] = "contradiction",
                                        [JUDGE_RULE_LOOKS] = "looks",
                                        [JUDGE_RULE_INNOCENT] = "innocent"};
    return texts[kind];
}
