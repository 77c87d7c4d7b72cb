// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/blob_fields.h"

#include "base/array.h"
#include "store/observation.h"

#define FIELD_MAX(name, member, limit)                                                             \
    {                                                                                              \
        .offset = offsetof(RECORD, member), .size = sizeof(((RECORD *)0)->member),                 \
        .kind = FIELD_##name, .maximum = (limit)                                                   \
    }
#define FIELD(name, member) FIELD_MAX(name, member, 0)
#define BLOCKPAGE_FIELDS                                                                           \
    FIELD(TEXT, blockpage.id), FIELD(TEXT, blockpage.list),                                        \
        FIELD_MAX(UNSIGNED, blockpage.scope, BLOCKPAGE_FALSE_POSITIVE),                            \
        FIELD_MAX(UNSIGNED, blockpage.where, BLOCKPAGE_IN_DNS),                                    \
        FIELD(BOOL, blockpage.false_positive)

#define RECORD struct evidence_facts
static const struct field evidence_fields[] = {
    FIELD(UNSIGNED, handshake_rtt_us),   FIELD(UNSIGNED, ack_rtt_us),
    FIELD(UNSIGNED, first_exchange_us),  FIELD(UNSIGNED, resets[0]),
    FIELD(UNSIGNED, resets[1]),          FIELD(UNSIGNED, resets_with_ack[0]),
    FIELD(UNSIGNED, resets_with_ack[1]), FIELD(UNSIGNED, suspects_not_kept),
    FIELD(UNSIGNED, unanswered),         FIELD(UNSIGNED, unanswered_after_us),
};
#undef RECORD

/* What nearly every side has comes first: the mask is shorter. */
#define RECORD struct side_facts
static const struct field side_fields[] = {
    FIELD(UNSIGNED, ttl_first),
    FIELD(STEP, ttl_min),
    FIELD(STEP, ttl_max),
    FIELD(UNSIGNED, flags),
    FIELD(UNSIGNED, last_payload_after_us),
    FIELD(STEP, last_packet_after_us),
    FIELD(UNSIGNED, window_last),
    FIELD(UNSIGNED, syn_options),
    FIELD(UNSIGNED, syn_window),
    FIELD(UNSIGNED, syn_mss),
    FIELD(UNSIGNED, syn_window_scale),
    FIELD(UNSIGNED, payload_bytes),
    FIELD(UNSIGNED, first_payload_after_us),
    FIELD(UNSIGNED, first_payload_length),
    FIELD_MAX(UNSIGNED, first_payload_kind, PAYLOAD_SRP),
    FIELD(UNSIGNED, ip_id_first),
    FIELD(STEP, ip_id_last),
    FIELD(UNSIGNED, ip_id_max_step),
    FIELD(UNSIGNED, syn_retransmissions),
    FIELD(UNSIGNED, data_retransmissions),
    FIELD(UNSIGNED, ack_duplicates),
    FIELD(UNSIGNED, out_of_order),
};
#undef RECORD

#define RECORD struct suspect
static const struct field suspect_fields[] = {
    FIELD(UNSIGNED, packet),
    FIELD(UNSIGNED, after_us),
    FIELD(UNSIGNED, trigger_after_us),
    FIELD_MAX(UNSIGNED, side, SIDE_SERVER),
    FIELD(UNSIGNED, tcp_flags),
    FIELD(UNSIGNED, ttl),
    FIELD(UNSIGNED, ttl_expected),
    FIELD_MAX(UNSIGNED, kind, SUSPECT_SYN_ACK),
    FIELD(UNSIGNED, ip_flags),
    FIELD(UNSIGNED, ip_id),
    FIELD(UNSIGNED, window),
    FIELD(UNSIGNED, ip_id_from_own),
    FIELD(UNSIGNED, ip_id_from_other),
    FIELD(SIGNED, seq_offset),
    FIELD(SIGNED, ack_offset),
    FIELD(UNSIGNED, payload_length),
    FIELD(UNSIGNED, tcp_options),
    FIELD(UNSIGNED, copies),
    FIELD(UNSIGNED, own_bytes_after),
    FIELD(UNSIGNED, own_after_us),
    FIELD(UNSIGNED, other_bytes_after),
    FIELD(UNSIGNED, content),
    FIELD(UNSIGNED, content_before),
    FIELD(UNSIGNED, length_before),
    FIELD_MAX(UNSIGNED, ack_field, ACK_FIELD_SET),
    FIELD(SIGNED, ack_change),
    FIELD(SIGNED, seq_change),
    FIELD(SIGNED, seq_beyond_ack),
};
#undef RECORD

#define RECORD struct icmp_facts
static const struct field icmp_fields[] = {
    FIELD(BOOL, present),     FIELD(UNSIGNED, type),
    FIELD(UNSIGNED, code),    FIELD(UNSIGNED, ip_version),
    FIELD(UNSIGNED, ttl),     FIELD(UNSIGNED, quoted_ttl),
    FIELD(UNSIGNED, count),   FIELD_MAX(UNSIGNED, side, SIDE_SERVER),
    FIELD(BOOL, from_server), FIELD(UNSIGNED, after_us),
};
#undef RECORD

#define RECORD struct tls_facts
static const struct field tls_fields[] = {
    FIELD(BOOL, client_hello),
    FIELD(BOOL, server_hello),
    FIELD(BOOL, ech),
    FIELD(BOOL, esni),
    FIELD(BOOL, no_sni),
    FIELD(BOOL, hello_retry),
    FIELD(BOOL, handshake_done),
    FIELD(UNSIGNED, version),
    FIELD(TEXT, alpn),
    FIELD(TEXT, ja4),
    FIELD(UNSIGNED, alert_level),
    FIELD(UNSIGNED, alert_description),
    FIELD_MAX(UNSIGNED, alert_side, SIDE_SERVER),
    FIELD(UNSIGNED, alert_after_us),
};

static const struct field certificate_fields[] = {
    FIELD(BOOL, certificate.present),         FIELD(BOOL, certificate.truncated),
    FIELD(BOOL, certificate.self_issued),     FIELD(BOOL, certificate.name_fits),
    FIELD(TEXT, certificate.subject),         FIELD(TEXT, certificate.issuer),
    FIELD(SIGNED, certificate.not_before_us), FIELD(SIGNED, certificate.not_after_us),
    FIELD(BYTES, certificate.sha256),
};
#undef RECORD

#define RECORD struct http_facts
static const struct field http_fields[] = {
    FIELD(BOOL, request), FIELD(BOOL, response), FIELD(BOOL, bare_html), FIELD(UNSIGNED, status),
    FIELD(TEXT, method),  FIELD(TEXT, location), FIELD(TEXT, title),     BLOCKPAGE_FIELDS,
};
#undef RECORD

#define RECORD struct dns_facts
static const struct field dns_fields[] = {
    FIELD(UNSIGNED, qtype), FIELD(UNSIGNED, id), FIELD(BOOL, edns_asked),
    FIELD(BOOL, over_tcp),  BLOCKPAGE_FIELDS,    FIELD_MAX(UNSIGNED, page_owner, DNS_PAGE_OF_ASKED),
};
#undef RECORD

#define RECORD struct dns_facts_answer
static const struct field answer_fields[] = {
    FIELD(UNSIGNED, after_us), FIELD(UNSIGNED, rcode), FIELD(UNSIGNED, ip_ttl),
    FIELD(UNSIGNED, flags),    FIELD(UNSIGNED, ip_id), FIELD(UNSIGNED, ip_flags),
    FIELD(BOOL, has_edns),     FIELD(BOOL, truncated), FIELD(BOOL, complete),
    FIELD(UNSIGNED, ttl),      FIELD(BOOL, has_ech),   FIELD(UNSIGNED, packet),
};
#undef RECORD

#define RECORD struct path_facts
static const struct field path_fields[] = {
    FIELD(UNSIGNED, handshake_rtt_us),
    FIELD(UNSIGNED, server_ttl),
    FIELD(UNSIGNED, first_exchange_us),
};
#undef RECORD

#define RECORD struct pace_facts
static const struct field pace_fields[] = {
    FIELD_MAX(UNSIGNED, side, SIDE_SERVER),
    FIELD(UNSIGNED, segment),
    FIELD(UNSIGNED, first_after_us),
    FIELD(UNSIGNED, bin_us),
    FIELD(UNSIGNED, bytes_before),
    FIELD(UNSIGNED, lost[0]),
    FIELD(UNSIGNED, lost[1]),
    FIELD(UNSIGNED, lost[2]),
    FIELD(UNSIGNED, ids),
    FIELD(UNSIGNED, ids_small),
    FIELD(UNSIGNED, quick),
    FIELD(UNSIGNED, quick_counted),
    FIELD(UNSIGNED, rtt_least_us),
    FIELD(UNSIGNED, rtt_samples),
};
#undef RECORD

#define RECORD struct import_facts
static const struct field import_fields[] = {
    FIELD_MAX(UNSIGNED, outcome, OUTCOME_FAILED),
    FIELD_MAX(UNSIGNED, control, OUTCOME_FAILED),
    FIELD(UNSIGNED, run),
    FIELD(TEXT, failure),
    FIELD(BOOL, throttled),
    FIELD(UNSIGNED, voice),
    BLOCKPAGE_FIELDS,
    FIELD(BOOL, page_from_abroad),
};
#undef RECORD

const struct section blob_sections[TAG_COUNT] = {
    [TAG_EVIDENCE] = {evidence_fields, ARRAY_LENGTH(evidence_fields)},
    [TAG_CLIENT] = {side_fields, ARRAY_LENGTH(side_fields)},
    [TAG_SERVER] = {side_fields, ARRAY_LENGTH(side_fields)},
    [TAG_SUSPECT] = {suspect_fields, ARRAY_LENGTH(suspect_fields)},
    [TAG_ICMP] = {icmp_fields, ARRAY_LENGTH(icmp_fields)},
    [TAG_TLS] = {tls_fields, ARRAY_LENGTH(tls_fields)},
    [TAG_CERTIFICATE] = {certificate_fields, ARRAY_LENGTH(certificate_fields)},
    [TAG_HTTP] = {http_fields, ARRAY_LENGTH(http_fields)},
    [TAG_DNS] = {dns_fields, ARRAY_LENGTH(dns_fields)},
    [TAG_ANSWER] = {answer_fields, ARRAY_LENGTH(answer_fields)},
    [TAG_ADDRESS] = {NULL, 0},
    [TAG_PATH] = {path_fields, ARRAY_LENGTH(path_fields)},
    [TAG_PACE] = {pace_fields, ARRAY_LENGTH(pace_fields)},
    [TAG_PACE_BINS] = {NULL, 0},
    [TAG_PACE_LOSSES] = {NULL, 0},
    [TAG_IMPORT] = {import_fields, ARRAY_LENGTH(import_fields)},
};
