// SPDX-License-Identifier: GPL-3.0-or-later
#include <stddef.h>
#include <string.h>

#include "analyzer/judge/judge.h"
#include "base/array.h"

#define PASSIVE_TAMPERING                                                                          \
    "Sundara Raman et al., Global, Passive Detection of Connection Tampering, SIGCOMM 2023, "      \
    "doi 10.1145/3603269.3604875"
#define DNS_INJECTION "Duan et al., Hold-On: Protecting Against On-Path DNS Poisoning, SATIN 2012"

#define NDSS_RESETS "Weaver, Sommer, Paxson, Detecting Forged TCP Reset Packets, NDSS 2009"
#define SP_REGIONAL "Wu et al., A Wall Behind A Wall, IEEE S&P 2025"
#define CENTRACE_MEAS                                                                              \
    "Raman et al., Network Measurement Methods for Locating and Examining "                        \
    "Censorship Devices, CoNEXT 2022"

static const struct judge_rule rules[] = {
    {.id = "syn-unanswered",
     .looks_at = "",
     .says = "The connection attempt got no answer of any kind while the capture went on for 3 s "
             "or more.",
     .source = PASSIVE_TAMPERING ", signature 1"},
    {.id = "syn-reset",
     .looks_at = "",
     .says = "A reset came back to the connection attempt.",
     .source = PASSIVE_TAMPERING ", signatures 2-4"},
    {.id = "reset-after-handshake",
     .looks_at = "",
     .says = "A reset came after the TCP handshake, before any data.",
     .source = PASSIVE_TAMPERING ", signatures 6-9"},
    {.id = "reset-after-client-hello",
     .looks_at = "",
     .says = "A reset came after the TLS ClientHello, before any byte of the server.",
     .source = PASSIVE_TAMPERING ", signatures 11-17"},
    {.id = "reset-in-handshake",
     .looks_at = "",
     .says = "A reset came within the TLS handshake, after the server had spoken.",
     .source = PASSIVE_TAMPERING ", signatures 18-19"},
    {.id = "reset-after-request",
     .looks_at = "",
     .says = "A reset came after the first request, before any byte of the server.",
     .source = PASSIVE_TAMPERING ", signatures 11-17"},
    {.id = "reset-in-stream",
     .looks_at = "",
     .says = "A reset answered a later request; the connection had worked before.",
     .source = PASSIVE_TAMPERING ", signatures 18-19"},
    {.id = "silence-after-client-hello",
     .looks_at = "",
     .says = "The TLS ClientHello was never answered.",
     .source = PASSIVE_TAMPERING ", signatures 5 and 10"},
    {.id = "silence-in-handshake",
     .looks_at = "",
     .says = "The server fell silent within the TLS handshake.",
     .source = PASSIVE_TAMPERING},
    {.id = "silence-after-request",
     .looks_at = "",
     .says = "The first request was never answered.",
     .source = PASSIVE_TAMPERING ", signatures 5 and 10"},
    {.id = "quic-unanswered",
     .looks_at = "",
     .says = "No QUIC packet was answered.",
     .source = "OONI, ts-027-urlgetter: generic_timeout_error in the quic_handshake step"},
    {.id = "icmp-unreachable",
     .looks_at = "",
     .says = "An ICMP error said that the server cannot be reached.",
     .source = "RFC 792, RFC 4443, RFC 1812 5.2.7.1"},
    {.id = "dns-rcode",
     .looks_at = "",
     .says = "The question was answered with an error.",
     .source = "RFC 1035 4.1.1"},
    {.id = "dns-unanswered",
     .looks_at = "",
     .says = "The question was never answered.",
     .source = "OONI, ts-002-dnscheck"},
    {.id = "dns-conflict",
     .looks_at = "",
     .says = "Two answers to one question contradict each other.",
     .source = DNS_INJECTION},
    {.id = "dns-bogon",
     .looks_at = "",
     .says = "The only answer for a public name is an address that is not public.",
     .source = "RFC 6890; OONI, ts-024-web-connectivity 0.5: dns_bogon"},
    {.id = "dns-doubtful",
     .looks_at = "",
     .says = "The question that the flow followed had a doubtful answer.",
     .source = DNS_INJECTION},
    {.id = "tls-alert",
     .looks_at = "",
     .says = "One end broke off the TLS handshake with an alert.",
     .source = "RFC 8446 6"},
    {.id = "closed-without-answer",
     .looks_at = "",
     .says = "The server closed in good order without answering the request.",
     .source = "RFC 9293 3.6"},
    {.id = "client-gave-up",
     .looks_at = "",
     .says = "The client ended it itself before an answer could be called overdue.",
     .source = PASSIVE_TAMPERING ", section on false positives"},
    {.id = "too-early",
     .looks_at = "",
     .says = "The capture ended too soon to tell silence from delay.",
     .source = "darkline, design section 1: silence is data"},
    {.id = "not-whole",
     .looks_at = "",
     .says = "Only a part of the flow is in the capture.",
     .source = "darkline, design section 1: silence is data"},

    /* Contradictions: e^5 to one, since an error of clocks or a lost packet can feign each. */
    {.id = "answer-too-soon",
     .says = "An answer in the server's name came sooner than 0.8 of the least round trip to it.",
     .source = "darkline, design section 5 (a)",
     .looks_at = "time since the trigger that it acknowledges, least of the round trips learnt",
     .kind = JUDGE_RULE_CONTRADICTION,
     .weight = 5},
    {.id = "talks-on-after-reset",
     .says = "An end sent new data more than a round trip after a reset in its own name.",
     .source = NDSS_RESETS ", RST_SEQ_DATA",
     .looks_at = "new bytes of the same side beyond the reset, round trip",
     .kind = JUDGE_RULE_CONTRADICTION,
     .weight = 5},
    {.id = "talks-on-after-fin",
     .says = "An end sent new data more than a round trip after a page with FIN in its own name.",
     .source = NDSS_RESETS ", RST_SEQ_DATA",
     .looks_at = "new bytes of the same side beyond the FIN, round trip",
     .kind = JUDGE_RULE_CONTRADICTION,
     .weight = 5},
    {.id = "two-contents",
     .says = "The server's first bytes came in two versions that differ.",
     .source = "Haagsma, Deep dive into QUANTUM INSERT, Fox-IT 2015",
     .looks_at = "hashes of the first 64 bytes in one sequence range",
     .kind = JUDGE_RULE_CONTRADICTION,
     .weight = 6},
    {.id = "blockpage",
     .says = "A page, redirect or address that fingerprints of block pages name.",
     .source = "darkline, design section 5 (d); catalog/blockpages and the lists of --fingerprints",
     .looks_at = "the server's bytes, Location, addresses in DNS answers",
     .kind = JUDGE_RULE_CONTRADICTION,
     .weight = 3.5}, /* lists err: somebody may quote the page */
    {.id = "dns-two-answers",
     .says = "A question asked once was answered twice, differently, by two senders.",
     .source = DNS_INJECTION,
     .looks_at = "answers, IP TTL, header flags, least round trip to the resolver",
     .kind = JUDGE_RULE_CONTRADICTION,
     .weight = 5},

    /* Looks. Weights are small where load balancers do the same. */
    {.id = "ttl-distance",
     .says = "The reset's TTL is three or more from its side's other packets.",
     .source = CENTRACE_MEAS,
     .looks_at = "TTL",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 1},
    {.id = "ip-id-of-other-side",
     .says = "The reset carries the other side's IP-ID, or the one after: it was made of a copy.",
     .source = CENTRACE_MEAS,
     .looks_at = "IP-ID against both sides",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 1.5},
    {.id = "ip-id-apart",
     .says = "The side counts its packets, and the reset is far from its count.",
     .source = PASSIVE_TAMPERING,
     .looks_at = "IP-ID",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 1},
    {.id = "own-ip-id",
     .says = "The reset continues its side's own count of packets, with the same TTL.",
     .source = PASSIVE_TAMPERING,
     .looks_at = "IP-ID, TTL",
     .kind = JUDGE_RULE_LOOKS,
     .weight = -2.5},
    {.id = "df-differs",
     .says = "The reset's DF flag is not its side's.",
     .source = SP_REGIONAL,
     .looks_at = "DF",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 0.5},
    {.id = "no-timestamps",
     .says = "Timestamps were negotiated and the reset has none.",
     .source = "RFC 7323 3.2",
     .looks_at = "TCP options",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 0.5},
    {.id = "injector",
     .says = "The packet has every feature that a known family of injectors has.",
     .source = "catalog/injectors, each feature with its source",
     .looks_at = "flags, DF, IP-ID, TTL, window, copies, lengths, addresses of DNS answers",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 1.5}, /* what it compares counts in the other looks too */
    {.id = "reset-copies",
     .says = "The reset came in exact copies.",
     .source = SP_REGIONAL,
     .looks_at = "copies",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 0.7},
    {.id = "reset-behind",
     .says = "The reset, with ACK flag, lies behind what its side had sent already.",
     .source = NDSS_RESETS ", DATA_SEQ_RST",
     .looks_at = "sequence number",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 1.5},
    {.id = "full-round-trip",
     .says = "The reset came a full round trip after its trigger, as the server's own would.",
     .source = "darkline, design section 5",
     .looks_at = "time since the trigger, round trip",
     .kind = JUDGE_RULE_LOOKS,
     .weight = -0.5},
    {.id = "foreign-redirect",
     .says = "The first answer leads to a bare address, and its TTL and DF are not the server's.",
     .source = CENTRACE_MEAS,
     .looks_at = "HTTP status and Location, TTL, DF",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 2},
    {.id = "icmp-prohibited",
     .says = "A router said that this is administratively prohibited.",
     .source = "RFC 1812 5.2.7.1, RFC 4443 3.1",
     .looks_at = "ICMP type and code",
     .kind = JUDGE_RULE_LOOKS,
     .weight = 2},

    {.id = "idle-expiry",
     .says = "The line had rested for more than a minute: a translator or firewall forgot it.",
     .source = "RFC 5382 5",
     .looks_at = "time between the side's last packet and the trigger",
     .kind = JUDGE_RULE_INNOCENT},
    {.id = "near-client",
     .says = "It stands in the client's own house: next to the probe, and it answers at once.",
     .source = "darkline, design section 5",
     .looks_at = "hops, time since the trigger, position of the probe, other services so near",
     .kind = JUDGE_RULE_INNOCENT},
    {.id = "router",
     .says = "A router knew no way, which is a fault and no prohibition.",
     .source = "RFC 1812 5.2.7.1",
     .looks_at = "ICMP type and code",
     .kind = JUDGE_RULE_INNOCENT,
     .weight = -2.2},
};

const struct judge_rule *judge_rule_find(const char *id)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (strcmp(rules[i].id, id) == 0)
            return &rules[i];
    return NULL;
}

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
