// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the payloads of one flow say, until enough is known.
 *
 * inspect_payload() takes payload packets of a flow in the order they come, puts the first bytes of
 * each TCP direction in order (a buffer is taken only where the first segment does not say it all),
 * and asks the inspectors of inspectors.c, a const table: a new protocol is one file and one line
 * there. What they find is in struct facts; what no inspector knows is left to nDPI
 * (probe/classify/dpi.h) by the caller.
 */
#include "base/pool.h"
#include "catalog/catalog.h"
#include "catalog/fingerprint.h"
#include "probe/decode/decode.h"
#include "probe/inspect/parse.h"
#include "store/observation.h"

#define INSPECT_STREAM_MAX 16384u /* first bytes of one direction that may be put together */
#define INSPECT_FIRST_BYTES                                                                        \
    128u                        /* kept of each side's first payload, for patterns without a name */
#define INSPECT_PACKETS_MAX 24u /* payload packets looked at, both sides together */
#define INSPECT_RANGES_MAX  12u

/* Bytes of one direction put together; from a bounded pool. */
struct stream_buffer {
    uint16_t range_count;
    struct {
        uint16_t start, end;
    } ranges[INSPECT_RANGES_MAX];
    uint8_t bytes[INSPECT_STREAM_MAX];
};

enum host_source { HOST_NONE, HOST_SNI, HOST_HTTP, HOST_CERTIFICATE, HOST_GREETING };

struct facts {
    const char *protocol; /* nDPI's name of what an inspector recognised; NULL for nothing yet */
    const char *program;  /* nDPI's name of who speaks it, where the bytes tell; NULL for unknown */
    char host[PARSE_HOST_SIZE];
    uint8_t host_source;          /* enum host_source */
    bool tls_seen;                /* a TLS, DTLS or QUIC ClientHello */
    uint8_t stage;                /* enum stage reached */
    uint16_t certificate_service; /* catalog number by the certificate's names or issuer; 0 none */
    bool certificate_names_known; /* all its names were looked at */
    bool certificate_confirmed;   /* by an entry that the catalog calls confirmed */
    struct tls_facts tls;
    struct http_facts http;
};

enum inspect_side_state { INSPECT_WANT, INSPECT_SIDE_DONE };

struct inspection {
    uint32_t base_seq[2]; /* TCP: sequence number of each side's first byte wanted */
    bool has_base[2];
    uint8_t side_state[2];  /* enum inspect_side_state */
    uint32_t candidates[2]; /* inspectors that have not said no, by bit, for each side */
    uint8_t chosen;         /* 1 + index of the inspector that said yes; 0 none */
    uint8_t packets;        /* payload packets seen, saturating */
    bool cut;               /* wanted bytes were not captured */
    bool client_first;
    bool wants_dpi; /* the inspectors do not know it, or not well enough */
    bool dpi_done;
    uint8_t dpi_packets;
    uint16_t page_wanted; /* HTTP: so many bytes of the server are waited for; 0: not known yet */
    uint32_t stream[2];   /* slots of struct stream_buffer */
    uint32_t quic;        /* slot of struct quic_assembly */
    uint16_t lengths[2][CATALOG_WIRE_LENGTHS];
    uint8_t length_count[2];
    uint8_t first_captured[2];
    uint8_t first[2][INSPECT_FIRST_BYTES];
    struct dpi_flow *dpi; /* NULL unless nDPI is asked */
    const char *dpi_name; /* what it said, by payload; NULL for nothing */
    struct facts facts;
};
_Static_assert(sizeof(struct inspection) <= 3072, "the inspection part stays under 3 KiB");

struct inspector_pools {
    struct pool streams;    /* struct stream_buffer */
    struct pool assemblies; /* struct quic_assembly */
    uint64_t refused;
    const struct catalog *catalog;
    const struct fingerprints *fingerprints; /* of block pages; NULL for none */
};

int inspector_pools_init(struct inspector_pools *pools, uint32_t streams_maximum,
                         const struct catalog *catalog);
void inspector_pools_finish(struct inspector_pools *pools);

/* A new inspection's start; `transport` is enum transport, `port` the server's. */
void inspection_begin(struct inspection *inspection, uint8_t transport, uint16_t server_port);
/* Gives back buffers. */
void inspection_end(struct inspector_pools *pools, struct inspection *inspection);

/* TCP: where a side's bytes begin (its initial sequence number + 1); without it the first payload
 * seen does. */
static inline void inspection_set_base(struct inspection *inspection, enum side side, uint32_t seq)
{
    inspection->base_seq[side] = seq;
    inspection->has_base[side] = true;
}

/* One payload packet. True when something new was learnt (facts, or that nobody knows it). */
bool inspect_payload(struct inspector_pools *pools, struct inspection *inspection, enum side side,
                     const struct packet *packet);
/* No more will come (the flow ends or the packets are spent): uses what is there. */
bool inspect_finish(struct inspector_pools *pools, struct inspection *inspection,
                    uint8_t transport);
/* Has everything been learnt that can be? */
bool inspection_is_done(const struct inspection *inspection);
/* What the first payload of this side was. */
enum payload_kind inspection_payload_kind(const struct inspection *inspection, enum side side);

/* ---- for inspectors ---- */

struct inspect_view { /* the bytes an inspector is asked about */
    const uint8_t *bytes;
    size_t length;
    bool final; /* no more will come */
    uint16_t server_port;
};

struct inspector {
    const char *protocol; /* nDPI's name of it */
    uint8_t transport;    /* enum transport */
    bool dpi_too;         /* nDPI may know better which program it is */
    enum parse_result (*client)(struct inspector_pools *pools, struct inspection *inspection,
                                const struct inspect_view *view);
    enum parse_result (*server)(struct inspector_pools *pools, struct inspection *inspection,
                                const struct inspect_view *view);
};

extern const struct inspector inspectors[];
extern const size_t inspector_count;
