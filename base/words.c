// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/words.h"

#include <stddef.h>
#include <string.h>

#include "base/status.h"

struct word {
    uint8_t kind;
    uint16_t value;
    const char *text;
};

static const struct word words[] = {
    {WORD_TRANSPORT, TRANSPORT_TCP, "tcp"},
    {WORD_TRANSPORT, TRANSPORT_UDP, "udp"},
    {WORD_TRANSPORT, TRANSPORT_ICMP, "icmp"},
    {WORD_CLASS, CLASS_MESSAGING, "messaging"},
    {WORD_CLASS, CLASS_MAIL, "mail"},
    {WORD_CLASS, CLASS_VPN, "vpn"},
    {WORD_CLASS, CLASS_PUSH, "push"},
    {WORD_CLASS, CLASS_CONTROL, "control"},
    {WORD_ROLE, ROLE_RELAY, "relay"},
    {WORD_ROLE, ROLE_SIGNALLING, "signalling"},
    {WORD_ROLE, ROLE_MEDIA, "media"},
    {WORD_ROLE, ROLE_PUSH, "push"},
    {WORD_ROLE, ROLE_WEB, "web"},
    {WORD_ROLE, ROLE_FILES, "files"},
    {WORD_ROLE, ROLE_DNS, "dns"},
    {WORD_CERTAINTY, CERTAINTY_POSSIBLE, "possible"},
    {WORD_CERTAINTY, CERTAINTY_LIKELY, "likely"},
    {WORD_CERTAINTY, CERTAINTY_CERTAIN, "certain"},
    {WORD_REASON, REASON_SNI, "sni"},
    {WORD_REASON, REASON_DNS, "dns"},
    {WORD_REASON, REASON_CERT, "cert"},
    {WORD_REASON, REASON_IP, "ip"},
    {WORD_REASON, REASON_PORT, "port"},
    {WORD_REASON, REASON_WIRE, "wire"},
    {WORD_REASON, REASON_ALPN, "alpn"},
    {WORD_REASON, REASON_NDPI, "ndpi"},
    {WORD_REASON, REASON_HTTP_HOST, "http-host"},
    {WORD_REASON, REASON_INVENTORY, "inventory"},
    {WORD_STAGE, STAGE_DNS, "dns"},
    {WORD_STAGE, STAGE_TCP, "tcp"},
    {WORD_STAGE, STAGE_TLS, "tls"},
    {WORD_STAGE, STAGE_HTTP, "http"},
    {WORD_STAGE, STAGE_QUIC, "quic"},
    {WORD_STAGE, STAGE_STREAM, "stream"},
    {WORD_CLOSE, CLOSE_FIN, "fin"},
    {WORD_CLOSE, CLOSE_RESET, "reset"},
    {WORD_CLOSE, CLOSE_IDLE, "idle"},
    {WORD_CLOSE, CLOSE_EVICTED, "evicted"},
    {WORD_CLOSE, CLOSE_END_OF_CAPTURE, "end-of-capture"},
    {WORD_NETWORK, NETWORK_MOBILE, "mobile"},
    {WORD_NETWORK, NETWORK_FIXED, "fixed"},
    {WORD_NETWORK, NETWORK_TRANSIT, "transit"},
    {WORD_POSITION, POSITION_SUBSCRIBER, "subscriber"},
    {WORD_POSITION, POSITION_CARRIER, "carrier"},
    {WORD_POSITION, POSITION_SERVER, "server"},
    {WORD_CLOCK, CLOCK_SYNCHRONISED, "synchronised"},
    {WORD_CLOCK, CLOCK_UNSYNCHRONISED, "unsynchronised"},
    {WORD_CLOCK, CLOCK_UNKNOWN, "unknown"},
    {WORD_ORIGIN, ORIGIN_FIELD, "field"},
    {WORD_ORIGIN, ORIGIN_LAB, "lab"},
    {WORD_ORIGIN, ORIGIN_COMPOSED, "composed"},
    {WORD_ORIGIN, ORIGIN_IMPORTED, "imported"},
    {WORD_OUTCOME, OUTCOME_OK, "ok"},
    {WORD_OUTCOME, OUTCOME_FAILED, "failed"},
    {WORD_OUTCOME, OUTCOME_UNKNOWN, "unknown"},
    {WORD_ATTRIBUTION, ATTRIBUTION_THIRD_PARTY, "third-party"},
    {WORD_ATTRIBUTION, ATTRIBUTION_ENDPOINT, "endpoint"},
    {WORD_ATTRIBUTION, ATTRIBUTION_CLIENT, "client"},
    {WORD_ATTRIBUTION, ATTRIBUTION_NETWORK, "network"},
    {WORD_ATTRIBUTION, ATTRIBUTION_UNKNOWN, "unknown"},
};

const char *word_text(enum word_kind kind, unsigned value)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].kind == kind && words[i].value == value)
            return words[i].text;
    return NULL;
}

int word_parse(enum word_kind kind, const char *text, unsigned *ret_value)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].kind == kind && strcmp(words[i].text, text) == 0) {
            *ret_value = words[i].value;
            return DL_OK;
        }
    }
    return DL_NOT_FOUND;
}
