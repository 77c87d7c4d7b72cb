// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The rule file: one rule a line, `#` begins a comment.
 *
 *     ID when KEY=VALUE... do ACTION KEY=VALUE...
 *
 * All conditions of a rule must hold. Conditions:
 *   server= client=   an address or prefix
 *   port=             the server's
 *   transport=        tcp, udp
 *   qtype=            A, AAAA
 *   dns= sni= host=   that name or one below it: of the question, of the ClientHello (TLS or QUIC),
 *                     of the HTTP request
 *   payload=any       any first request
 *   age= idle=        seconds since the flow's beginning; since its last packet before this one
 *   up= down=         bytes of payload so far, this packet's included
 *   p=                probability, drawn once for each flow (for each question)
 *   at=               syn, synack, established (the ACK that ends the handshake), request (the
 *                     packet that makes it whole), question, datagram, later (any packet after
 *                     those); left out: what the other conditions mean
 *
 * Actions, with their own keys:
 *   dns-answer        addresses=A,B,... injectors=N record-ttl= dns-flags=0x8180 pass=
 *                     injector n gives the n-th address of the question's family
 *   dns-rcode         rcode=nxdomain|refused|servfail dns-flags= pass=
 *   drop              scope=flow|packet direction=up|down|both residual=S
 *   reset             flags=rst|rst+ack|alternate to=client|server|both count= seq-step=
 *                     ack=same|rising|zero pass= residual=S residual-by=drop|reset
 *                     redraw=yes|no (a random fingerprint anew for each copy)
 *                     body=N (bytes of text in the reset itself, as RFC 9293 allows)
 *   icmp              type= code= from=ADDRESS; the packet it answers never passes
 *   page              page=status|bare|redirect|forbidden|iframe fin= then=nothing|rst
 *                     to=client|both pass=
 *   police            rate= (kbit/s) burst= (bytes) direction= shared=yes|no
 *   shape             rate= queue= (bytes) direction= shared=yes|no (all shared ones are one)
 *   normalise         in SYN and SYN-ACK, TCP options other than MSS and window scale become NOPs
 * `pass=yes` is on path: the packet that woke the rule goes on, and the flow with it. `pass=no`
 * (the default) is in path: it is swallowed, and so is all that follows in its flow. `residual=`
 * blocks the flow's 3-tuple (client, server, server's port) for so long, times --time-scale.
 *
 * What is injected carries a fingerprint:
 *   delay-ms= gap-ms= after the packet that woke the rule, and between copies
 *   ttl= ip-id= window= df=yes|no|copy timestamps=yes|no
 *     numbers, or: copy (as the impersonated end had it last), mirror (the other end), each with a
 *     number added or taken away (copy+1, mirror-1; not for df), random, own (a counter of the
 *     injector's), ttl+1375 (window only)
 */
#include "base/address.h"
#include "base/status.h"
#include "probe/inspect/parse.h"

#define RULES_MAX          32u
#define RULE_ID_SIZE       32u
#define RULE_ADDRESSES_MAX 6u
#define RULES_TEXT_MAX     65536u
#define RESET_BODY_MAX     512u

enum moment {
    MOMENT_SYN = 1,
    MOMENT_SYNACK = 2,
    MOMENT_ESTABLISHED = 4,
    MOMENT_REQUEST = 8,
    MOMENT_QUESTION = 16,
    MOMENT_DATAGRAM = 32,
    MOMENT_LATER = 64
};

enum action {
    ACTION_DNS_ANSWER,
    ACTION_DNS_RCODE,
    ACTION_DROP,
    ACTION_RESET,
    ACTION_ICMP,
    ACTION_PAGE,
    ACTION_POLICE,
    ACTION_SHAPE,
    ACTION_NORMALISE
};

enum name_kind { NAME_NONE, NAME_DNS, NAME_SNI, NAME_HOST };
enum ways { WAY_UP = 1, WAY_DOWN = 2, WAY_BOTH = 3 }; /* also: to the server, to the client */
enum reset_flags { RESET_RST, RESET_RST_ACK, RESET_ALTERNATE };
enum ack_numbers { ACK_SAME, ACK_RISING, ACK_ZERO };
enum page { PAGE_STATUS, PAGE_BARE, PAGE_REDIRECT, PAGE_FORBIDDEN, PAGE_IFRAME };

enum field_mode { FIELD_FIXED, FIELD_COPY, FIELD_MIRROR, FIELD_RANDOM, FIELD_OWN, FIELD_TTL_1375 };

struct field {
    enum field_mode mode;
    uint32_t value; /* of FIELD_FIXED; of FIELD_COPY and FIELD_MIRROR what is added, modulo 2^32 */
};

struct fingerprint {
    struct field ttl, ip_id, window, df;
    bool timestamps;
    int64_t delay_us, gap_us;
};

struct rule {
    char id[RULE_ID_SIZE];
    unsigned moments; /* enum moment; 0 while parsing: not said */
    /* conditions; zero is no condition */
    struct prefix server, client;
    bool has_server, has_client;
    uint32_t port, transport, qtype;
    uint32_t name_kind; /* enum name_kind */
    char name[PARSE_HOST_SIZE];
    bool any_payload;
    int64_t age_us, idle_us;
    uint32_t up, down;
    double probability;
    /* what is done */
    uint32_t action; /* enum action */
    bool pass;
    uint32_t ways; /* enum ways: direction=, to= */
    int64_t residual_us;
    bool residual_resets;
    bool whole_flow;
    uint32_t flags, ack_numbers, count, seq_step, body;
    bool redraw;
    struct address addresses[RULE_ADDRESSES_MAX];
    uint32_t address_count, injectors, record_ttl, dns_flags, rcode;
    uint32_t icmp_type, icmp_code;
    struct address from;
    bool has_from;
    uint32_t page;
    bool fin, then_reset;
    uint32_t rate_kbit, burst, queue;
    bool shared; /* one bucket or queue for the whole line */
    struct fingerprint print;
};

struct rules {
    struct rule list[RULES_MAX];
    size_t count;
};

/* DL_OK, or DL_MALFORMED with "LINE: what is wrong" in the error. `text` is changed. */
int rules_parse(char *text, struct rules *ret_rules, struct dl_error *error);
/* The same from a file; the error then begins with its path. */
int rules_load(const char *path, struct rules *ret_rules, struct dl_error *error);
/* One value of a fingerprint: a number up to `maximum`, or a word; the same bounds what is added to
 * one. DL_OK or DL_MALFORMED. */
int field_parse(const char *text, uint32_t maximum, struct field *ret_field);
