// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* What does not change of the made findings: a flow that was reset by somebody else, one that was never answered, what was
 * found beside them. */
#include "base/array.h"
#include "base/clock.h"
#include "reports/findings/findings.h"

#define BES  "blackberry-bes"
#define BIS  "blackberry-bis"
#define WIKI "control-wikipedia"
/* 2015-11-29T00:00:00Z; hours from there on. */
#define START   INT64_C(1448755200000000)
#define HOUR(n) (START + (n)*CLOCK_HOUR_US)

static const struct input_record sample_input = {.size = 4096,
                                                 .packets = 90000,
                                                 .bytes = 12345678,
                                                 .first_us = HOUR(0) + 1234567,
                                                 .last_us = HOUR(119) + 7654321,
                                                 .complete = true,
                                                 .vantage = {.probe_id = "tap-jazz",
                                                             .carrier = "jazz",
                                                             .country = "PK",
                                                             .asn = 45669,
                                                             .position = POSITION_CARRIER,
                                                             .network = NETWORK_MOBILE,
                                                             .clock = CLOCK_SYNCHRONISED}};

static const struct findings_step sample_injected[] = {
    {.kind = STEP_SYN, .has_packet = true, .tcp_flags = 0x02, .ttl = 62, .packet = 35},
    {.kind = STEP_SYN_ACK, .after_us = 81000, .from_server = true, .tcp_flags = 0x12, .ttl = 49},
    {.kind = STEP_ACK, .after_us = 81200},
    {.kind = STEP_DATA, .payload = PAYLOAD_TLS_CLIENT_HELLO, .after_us = 82000, .length = 517},
    {.kind = STEP_RESET,
     .after_us = 84100,
     .from_server = true,
     .has_packet = true,
     .tcp_flags = 0x14,
     .ttl = 118,
     .ttl_expected = 49,
     .has_ip_id = true,
     .ip_id = 4660,
     .packet = 41,
     .copies = 2,
     .marks = MARK_PROVES | MARK_TTL | MARK_HASTE | MARK_TALKS_ON},
    {.kind = STEP_DATA,
     .payload = PAYLOAD_TLS_SERVER_HELLO,
     .after_us = 165000,
     .from_server = true,
     .length = 1400,
     .marks = MARK_TALKS_ON},
    {.kind = STEP_CLOSE, .after_us = 165400}};
static const struct findings_step sample_silent[] = {
    {.kind = STEP_SYN, .has_packet = true, .tcp_flags = 0x02, .ttl = 62, .packet = 77},
    {.kind = STEP_RETRANSMISSION, .after_us = 1000000, .copies = 3},
    {.kind = STEP_SILENCE, .after_us = 7000000}};

static const struct findings_reason sample_reasons[] = {
    {"answer-too-soon",
     "the reset came 2.1 ms after its trigger; the server's least round trip is 80.9 ms",
     JUDGE_RULE_CONTRADICTION},
    {"ttl-distance", "TTL 118 where the server's other packets have 49", JUDGE_RULE_LOOKS},
    {"silence-after-client-hello", "the handshake's first message was never answered, for 30 s",
     JUDGE_RULE_PLAIN}};

static const struct findings_mechanism sample_mechanisms[] = {
    {"stream.reset", 148, 148.0 / 210, 148},
    {"tls.reset.sni", 62, 62.0 / 210, 60},
    {"tls.timeout", 129, 1, 0}};

static const struct findings_control sample_controls[] = {
    {.kind = "same-carrier", .name = "controls", .verdict = "good"},
    {.kind = "same-carrier", .name = "other services", .verdict = "good"},
    {.kind = "abroad", .name = "other countries", .verdict = "good"}};

static const char *const sample_services[] = {BES, BIS, WIKI};
static const char *const sample_service_names[] = {"BlackBerry Enterprise Service",
                                                   "BlackBerry Internet Service", "Wikipedia"};

static const struct analysis_taken_back sample_taken_back = {
    "2.1", "ufone.blackberry-bis.blocked.2015-12-01T07"};
