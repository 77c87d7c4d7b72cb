// SPDX-License-Identifier: GPL-3.0-or-later
#include <stddef.h>
#include <string.h>

#include "analyzer/judge/judge.h"
#include "base/array.h"

#define PASSIVE_TAMPERING                                                                          \
    "Sundara Raman et al., Global, Passive Detection of Connection Tampering, SIGCOMM 2023, "      \
    "doi 10.1145/3603269.3604875"
#define DNS_INJECTION "Duan et al., Hold-On: Protecting Against On-Path DNS Poisoning, SATIN 2012"

static const struct judge_rule rules[] = {
    {"syn-unanswered",
     "The connection attempt got no answer of any kind while the capture went on for 3 s or more.",
     PASSIVE_TAMPERING ", signature 1"},
    {"syn-reset", "A reset came back to the connection attempt.",
     PASSIVE_TAMPERING ", signatures 2-4"},
    {"reset-after-handshake", "A reset came after the TCP handshake, before any data.",
     PASSIVE_TAMPERING ", signatures 6-9"},
    {"reset-after-client-hello",
     "A reset came after the TLS ClientHello, before any byte of the server.",
     PASSIVE_TAMPERING ", signatures 11-17"},
    {"reset-in-handshake", "A reset came within the TLS handshake, after the server had spoken.",
     PASSIVE_TAMPERING ", signatures 18-19"},
    {"reset-after-request", "A reset came after the first request, before any byte of the server.",
     PASSIVE_TAMPERING ", signatures 11-17"},
    {"reset-in-stream", "A reset answered a later request; the connection had worked before.",
     PASSIVE_TAMPERING ", signatures 18-19"},
    {"silence-after-client-hello", "The TLS ClientHello was never answered.",
     PASSIVE_TAMPERING ", signatures 5 and 10"},
    {"silence-in-handshake", "The server fell silent within the TLS handshake.", PASSIVE_TAMPERING},
    {"silence-after-request", "The first request was never answered.",
     PASSIVE_TAMPERING ", signatures 5 and 10"},
    {"quic-unanswered", "No QUIC packet was answered.",
     "OONI, ts-027-urlgetter: generic_timeout_error in the quic_handshake step"},
    {"icmp-unreachable", "An ICMP error said that the server cannot be reached.",
     "RFC 792, RFC 4443, RFC 1812 5.2.7.1"},
    {"dns-rcode", "The question was answered with an error.", "RFC 1035 4.1.1"},
    {"dns-unanswered", "The question was never answered.", "OONI, ts-002-dnscheck"},
    {"dns-conflict", "Two answers to one question contradict each other.", DNS_INJECTION},
    {"dns-bogon", "The only answer for a public name is an address that is not public.",
     "RFC 6890; OONI, ts-024-web-connectivity 0.5: dns_bogon"},
    {"dns-doubtful", "The question that the flow followed had a doubtful answer.", DNS_INJECTION},
    {"blockpage", "A page, redirect or address that fingerprints of block pages name.",
     "darkline, design section 5 (d); catalog/blockpages and the lists of --fingerprints"},
    {"tls-alert", "One end broke off the TLS handshake with an alert.", "RFC 8446 6"},
    {"closed-without-answer", "The server closed in good order without answering the request.",
     "RFC 9293 3.6"},
    {"client-gave-up", "The client ended it itself before an answer could be called overdue.",
     PASSIVE_TAMPERING ", section on false positives"},
    {"too-early", "The capture ended too soon to tell silence from delay.",
     "darkline, design section 1: silence is data"},
    {"not-whole", "Only a part of the flow is in the capture.",
     "darkline, design section 1: silence is data"},
};

const struct judge_rule *judge_rule_at(size_t index)
{
    return index < ARRAY_LENGTH(rules) ? &rules[index] : NULL;
}

static const struct {
    const char *path, *text;
} mechanisms[] = {
    {"dns.injection.blockpage", "the name was answered with the address of a block page"},
    {"dns.injection.bogon", "the name was answered with an address that is not public"},
    {"dns.injection.other", "the name got two answers that contradict each other"},
    {"dns.nxdomain", "the resolver said that the name does not exist"},
    {"dns.refused", "the resolver refused to answer for the name"},
    {"dns.servfail", "the resolver failed to find the name"},
    {"dns.timeout", "the resolver did not answer"},
    {"ip.unreachable", "a router or the server said that it cannot be reached"},
    {"tcp.timeout", "no answer to the connection attempt"},
    {"tcp.refused", "the connection attempt was refused"},
    {"tcp.reset", "the connection was reset before any data"},
    {"tls.reset.sni", "the connection was reset when the client named the server"},
    {"tls.reset.other", "the connection was reset within the TLS handshake"},
    {"tls.timeout", "silence after the client began the TLS handshake"},
    {"tls.mitm.self_signed", "somebody else answered with a certificate signed by itself"},
    {"tls.mitm.ca_signed", "somebody else answered with a certificate that does not fit"},
    {"tls.throttle.sni", "the connection was slowed down once the client had named the server"},
    {"http.blockpage", "a block page was shown instead of the answer"},
    {"http.redirect", "the client was sent to another place instead of the answer"},
    {"http.reset.host", "the connection was reset when the client sent its web request"},
    {"http.timeout", "silence after the client's web request"},
    {"quic.timeout", "no answer to the QUIC connection attempt"},
    {"stream.reset", "the connection was reset at a request of the client"},
    {"stream.timeout", "silence after the client's request"},
    {"stream.throttle", "the connection was slowed down"},
    {"absence", "nobody tries any more"},
};

const char *judge_mechanism_at(size_t index)
{
    return index < ARRAY_LENGTH(mechanisms) ? mechanisms[index].path : NULL;
}

const char *judge_mechanism_text(const char *mechanism)
{
    for (size_t i = 0; mechanism && i < ARRAY_LENGTH(mechanisms); i++)
        if (strcmp(mechanisms[i].path, mechanism) == 0)
            return mechanisms[i].text;
    return mechanism;
}
