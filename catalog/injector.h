// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Known injectors: boxes between the ends that put resets, pages or DNS answers into other people's
 * connections, and how their packets look (catalog/injectors/ID.yaml). The catalog makes the table;
 * who compares packets with it needs this file alone.
 *
 * A kind of packet is a list of features, all of which must hold. Each has a worth in points: how
 * much it says that this packet is not just anybody's. Where the worths of a kind of packet stay
 * below INJECTOR_NAMED_POINTS, too many ordinary senders share its features: it is listed, and
 * nothing is ever named after it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

#define INJECTOR_NAMED_POINTS 5
#define INJECTOR_ID_MAX       48 /* bytes of an id */

enum injector_kind {
    INJECTOR_RST = 1,  /* a reset */
    INJECTOR_PAGE = 2, /* the first payload in the server's name */
    INJECTOR_DNS = 3   /* an answer over UDP */
};

enum injector_scope {
    INJECTOR_NATION = 1,
    INJECTOR_CARRIER = 2,
    INJECTOR_INSTITUTION = 3, /* stands before a server, or in a company's network */
    INJECTOR_PRODUCT = 4,     /* one maker's box, whoever runs it */
    INJECTOR_UNKNOWN = 5      /* seen on a path; whose it is nobody found out */
};

enum injector_what {
    INJECTOR_FLAGS = 1,
    INJECTOR_DF = 2,
    INJECTOR_IP_ID = 3,
    INJECTOR_TTL = 4,
    INJECTOR_WINDOW = 5,
    INJECTOR_COUNT = 6,         /* exact copies, the first included; some may be lost */
    INJECTOR_PAYLOAD = 7,       /* bytes */
    INJECTOR_SEQUENCE = 8,      /* from the next one expected of the impersonated side */
    INJECTOR_ACK = 9,           /* from the next one of the other side */
    INJECTOR_PORT = 10,         /* the server's */
    INJECTOR_RESIDUAL = 11,     /* seconds that the ends stay cut off: told, not compared */
    INJECTOR_ANSWER_FLAGS = 12, /* the header's second word */
    INJECTOR_RECORD_TTL = 13,
    INJECTOR_EDNS = 14, /* 0: none, though asked with EDNS */
    INJECTOR_ADDRESS = 15
};

enum injector_how {
    INJECTOR_RANGE = 1,    /* low to high */
    INJECTOR_CLIENT = 2,   /* the other side's last (window), plus low to high (IP-ID) */
    INJECTOR_TTL_PLUS = 3, /* the packet's own TTL plus low to high (window) */
    INJECTOR_TOLD = 4      /* random, a counter of its own: nothing to compare */
};

struct injector_feature {
    enum injector_what what;
    enum injector_how how;
    int64_t low, high;
    unsigned points;
};

struct injector_packet {
    enum injector_kind kind;
    const struct injector_feature *features;
    size_t feature_count;
    const struct prefix *addresses; /* of its DNS answers: one of them */
    size_t address_count;
    unsigned points; /* of all features, and of the addresses */
};

struct injector {
    const char *id;
    enum injector_scope scope;
    const struct injector_packet *packets;
    size_t packet_count;
};

struct injector_table {
    const struct injector *injectors; /* by id */
    size_t count;
};

/* The word of the files for a feature: "flags", "window" ... */
const char *injector_what_text(enum injector_what what);
/* A national or a carrier's box, or one whose owner nobody knows: not one that somebody put before
 * his own server or network. */
static inline bool injector_is_between(const struct injector *injector)
{
    return injector->scope != INJECTOR_INSTITUTION;
}
