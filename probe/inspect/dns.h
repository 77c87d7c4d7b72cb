// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * DNS messages (RFC 1035, EDNS RFC 6891, SVCB and HTTPS RFC 9460), of UDP or of TCP after its
 * length prefix.
 */
#include "base/address.h"
#include "probe/inspect/parse.h"

#define DNS_ANSWERS_MAX 16
#define DNS_HINTS_MAX   4

enum {
    DNS_TYPE_A = 1,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_OPT = 41,
    DNS_TYPE_SVCB = 64,
    DNS_TYPE_HTTPS = 65
};
enum {
    DNS_RCODE_NOERROR = 0,
    DNS_RCODE_SERVFAIL = 2,
    DNS_RCODE_NXDOMAIN = 3,
    DNS_RCODE_REFUSED = 5
};

struct dns_answer {
    uint16_t type;
    uint32_t ttl;
    struct address
        addresses[DNS_HINTS_MAX]; /* A, AAAA: one; HTTPS and SVCB: ipv4hint and ipv6hint */
    uint8_t address_count;
    bool has_ech; /* HTTPS or SVCB record with an ech parameter */
};

struct dns_message {
    uint16_t id;
    bool is_response, authoritative, truncated, recursion_desired, recursion_available;
    uint8_t opcode, rcode;
    uint16_t flags; /* the whole second word: some injectors are known by it */
    uint16_t question_count, answer_count, authority_count,
        additional_count;       /* as the header says */
    char name[PARSE_HOST_SIZE]; /* of the first question, lower case; labels with other bytes:
                                   empty, name_valid false */
    bool name_valid;
    uint16_t type, class;
    char cname[PARSE_HOST_SIZE]; /* the last CNAME's target, "" for none */
    struct dns_answer
        answers[DNS_ANSWERS_MAX]; /* A, AAAA, HTTPS, SVCB records of the answer section, in order */
    uint8_t answers_kept;
    bool has_edns;
    uint16_t edns_size;
    bool
        complete; /* false: cut off or malformed after the question; what stands before is filled */
};

/* PARSE_DONE for a message with a whole question (and header), PARSE_NOT_MINE for anything else.
 * Compression loops end. */
enum parse_result dns_parse(const uint8_t *bytes, size_t length, struct dns_message *ret_message);
/* "NXDOMAIN", or NULL for one without a name. "A", "HTTPS", or NULL. */
const char *dns_rcode_text(uint8_t rcode);
const char *dns_type_text(uint16_t type);
