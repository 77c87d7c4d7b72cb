// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The fixed vocabulary of darkline's files and output: each enumeration with its one spelling.
 *
 * word_text(kind, value) gives the spelling, NULL where the value has none (unknown is written as
 * null); word_parse() the value. Numbers are stored in SQLite: never renumber, only append.
 */
#include <stdbool.h>
#include <stdint.h>

enum transport { TRANSPORT_NONE = 0, TRANSPORT_TCP = 1, TRANSPORT_UDP = 2, TRANSPORT_ICMP = 3 };

enum service_class {
    CLASS_NONE = 0,
    CLASS_MESSAGING = 1,
    CLASS_MAIL = 2,
    CLASS_VPN = 3,
    CLASS_PUSH = 4,
    CLASS_CONTROL = 5
};

enum role {
    ROLE_NONE = 0,
    ROLE_RELAY = 1,
    ROLE_SIGNALLING = 2,
    ROLE_MEDIA = 3,
    ROLE_PUSH = 4,
    ROLE_WEB = 5,
    ROLE_FILES = 6,
    ROLE_DNS = 7
};

enum certainty {
    CERTAINTY_NONE = 0,
    CERTAINTY_POSSIBLE = 1,
    CERTAINTY_LIKELY = 2,
    CERTAINTY_CERTAIN = 3
};

/* Reasons of a tag: a set of bits, written as a list in this order. */
enum reason {
    REASON_SNI = 1 << 0,
    REASON_DNS = 1 << 1,
    REASON_CERT = 1 << 2,
    REASON_IP = 1 << 3,
    REASON_PORT = 1 << 4,
    REASON_WIRE = 1 << 5,
    REASON_ALPN = 1 << 6,
    REASON_NDPI = 1 << 7,
    REASON_HTTP_HOST = 1 << 8,
    REASON_INVENTORY = 1 << 9,
    REASON_AMBIGUOUS = 1 << 10 /* several services share the address: never written as a reason,
                                  caps the certainty */
};
#define REASON_COUNT 10

/* What a block page's fingerprint speaks for; no word of output. */
enum blockpage_scope {
    BLOCKPAGE_NONE = 0,
    BLOCKPAGE_NATION = 1,        /* a country's page, the same on many networks */
    BLOCKPAGE_CARRIER = 2,       /* one carrier's own */
    BLOCKPAGE_INSTITUTION = 3,   /* a company's, a school's */
    BLOCKPAGE_PRODUCT = 4,       /* a filter's, whoever runs it: also in front of a server */
    BLOCKPAGE_VAGUE = 5,         /* words that servers use as well, or an unconfirmed entry */
    BLOCKPAGE_FALSE_POSITIVE = 6 /* only in lists: what is known to be no block page */
};

/* Where a fingerprint was found. */
enum blockpage_where {
    BLOCKPAGE_IN_NOTHING = 0,
    BLOCKPAGE_IN_BODY = 1,
    BLOCKPAGE_IN_TITLE = 2,
    BLOCKPAGE_IN_LOCATION = 3,
    BLOCKPAGE_IN_SERVER = 4,
    BLOCKPAGE_IN_VIA = 5,
    BLOCKPAGE_IN_HEAD = 6,     /* any line above the body */
    BLOCKPAGE_IN_ANYWHERE = 7, /* head or body: the list does not say */
    BLOCKPAGE_IN_DNS = 8       /* an address of a DNS answer */
};

enum stage {
    STAGE_NONE = 0,
    STAGE_DNS = 1,
    STAGE_TCP = 2,
    STAGE_TLS = 3,
    STAGE_HTTP = 4,
    STAGE_QUIC = 5,
    STAGE_STREAM = 6
};

enum close_reason {
    CLOSE_NONE = 0,
    CLOSE_FIN = 1,
    CLOSE_RESET = 2,
    CLOSE_IDLE = 3,
    CLOSE_EVICTED = 4,
    CLOSE_END_OF_CAPTURE = 5
};

enum network_kind { NETWORK_NONE = 0, NETWORK_MOBILE = 1, NETWORK_FIXED = 2, NETWORK_TRANSIT = 3 };
enum position {
    POSITION_NONE = 0,
    POSITION_SUBSCRIBER = 1,
    POSITION_CARRIER = 2,
    POSITION_SERVER = 3
};
enum clock_state { CLOCK_UNKNOWN = 0, CLOCK_SYNCHRONISED = 1, CLOCK_UNSYNCHRONISED = 2 };
enum origin { ORIGIN_FIELD = 0, ORIGIN_LAB = 1, ORIGIN_COMPOSED = 2, ORIGIN_IMPORTED = 3 };

enum outcome { OUTCOME_UNKNOWN = 0, OUTCOME_OK = 1, OUTCOME_FAILED = 2 };
enum attribution {
    ATTRIBUTION_NONE = 0,
    ATTRIBUTION_THIRD_PARTY = 1,
    ATTRIBUTION_ENDPOINT = 2,
    ATTRIBUTION_CLIENT = 3,
    ATTRIBUTION_NETWORK = 4,
    ATTRIBUTION_UNKNOWN = 5
};

enum word_kind {
    WORD_TRANSPORT,
    WORD_CLASS,
    WORD_ROLE,
    WORD_CERTAINTY,
    WORD_REASON,
    WORD_STAGE,
    WORD_CLOSE,
    WORD_NETWORK,
    WORD_POSITION,
    WORD_CLOCK,
    WORD_ORIGIN,
    WORD_OUTCOME,
    WORD_ATTRIBUTION,
    WORD_KIND_COUNT
};

const char *word_text(enum word_kind kind, unsigned value);
/* DL_OK, or DL_NOT_FOUND for a word that is none of the kind's. */
int word_parse(enum word_kind kind, const char *text, unsigned *ret_value);

/* Sides of a flow: who opened it, and the other. */
enum side { SIDE_CLIENT = 0, SIDE_SERVER = 1 };
