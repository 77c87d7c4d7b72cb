// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The records: what the probe writes and everything later reads. Facts only: what both ends did,
 * never what it means.
 *
 * Times are microseconds since 1970 UTC. Offsets within a flow (`_after_us`) count from the flow's
 * first packet and saturate at UINT32_MAX (71 minutes: "long after"). [2] arrays are indexed by
 * enum side.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/words.h"

#define OBSERVATION_TEXT_SIZE 192

/* A block page's fingerprint that was found in what a server sent, or in a DNS answer. */
struct blockpage_facts {
    char id[64];         /* "" none */
    char list[17];       /* version of the lists that were asked, hex; "" where nothing matched */
    uint8_t scope;       /* enum blockpage_scope */
    uint8_t where;       /* enum blockpage_where */
    bool false_positive; /* so was one of what is known to be no block page: counts against */
};

/* ---- who saw it ---- */

#define VANTAGE_TEXT_SIZE    64
#define VANTAGE_NETWORKS_MAX 32

struct vantage {
    char probe_id[VANTAGE_TEXT_SIZE];
    char carrier[VANTAGE_TEXT_SIZE]; /* catalog id, else "as<N>"; "" unknown */
    uint32_t asn;                    /* 0 unknown */
    char country[3];                 /* ISO 3166-1 alpha-2; "" unknown */
    enum network_kind network;
    enum position position;
    enum clock_state clock;
    enum origin origin;
    struct prefix local_networks[VANTAGE_NETWORKS_MAX]; /* whose addresses are people; not stored */
    uint8_t local_network_count;
};

/* ---- one end of a flow ---- */

enum endpoint_kind {
    ENDPOINT_NONE,
    ENDPOINT_ADDRESS,  /* a service's address, as it is */
    ENDPOINT_PSEUDONYM /* a person's: 64 bits of HMAC-SHA-256 under the store's key */
};

struct endpoint {
    uint8_t kind;
    struct address address; /* ENDPOINT_ADDRESS */
    uint64_t pseudonym;     /* ENDPOINT_PSEUDONYM; written as EPOCH-<16 hex digits> */
};

/* ---- what packets said about each side's network stack and path ---- */

struct side_facts {
    uint8_t ttl_first, ttl_min, ttl_max; /* 0 where the side sent nothing */
    uint8_t syn_options;                 /* enum TCP_OPTION_ bits of the SYN or SYN-ACK */
    uint16_t syn_window, syn_mss;
    uint8_t syn_window_scale;
    uint8_t flags; /* enum side_flag */
    uint16_t ip_id_first, ip_id_last;
    uint16_t ip_id_max_step; /* greatest forward step (mod 65536) between successive packets of this
                                side */
    uint16_t window_last;
    uint8_t syn_retransmissions, ack_duplicates;
    uint16_t data_retransmissions, out_of_order;
    uint32_t first_payload_after_us;
    uint16_t first_payload_length;
    uint8_t first_payload_kind; /* enum payload_kind */
    uint32_t last_payload_after_us, last_packet_after_us;
    uint64_t payload_bytes; /* in sequence, each byte once */
};

enum side_flag {
    SIDE_DF = 1,         /* some packets carried DF */
    SIDE_NO_DF = 2,      /* some did not */
    SIDE_IP_ID_ZERO = 4, /* every packet's identification was 0 */
    SIDE_TIMESTAMPS = 8, /* sends TCP timestamps */
    SIDE_FIN = 16,
    SIDE_RST = 32,
    SIDE_SYN = 64,   /* its SYN or SYN-ACK is in the capture */
    SIDE_SHORT = 128 /* UDP: some datagram began as QUIC's short header does (RFC 9000 17.3) */
};

enum payload_kind {
    PAYLOAD_NONE,
    PAYLOAD_OTHER,
    PAYLOAD_TLS_CLIENT_HELLO,
    PAYLOAD_TLS_SERVER_HELLO,
    PAYLOAD_TLS_ALERT,
    PAYLOAD_TLS_DATA,
    PAYLOAD_HTTP_REQUEST,
    PAYLOAD_HTTP_RESPONSE,
    PAYLOAD_HTML,
    PAYLOAD_QUIC_INITIAL,
    PAYLOAD_DNS,
    PAYLOAD_MAIL,
    PAYLOAD_SRP
};

/* ---- packets that deserve to be looked at one by one ---- */

enum suspect_kind {
    SUSPECT_RST,        /* any reset, of either side */
    SUSPECT_FIN_DATA,   /* the server's first payload carries FIN: a page and goodbye */
    SUSPECT_OVERLAP,    /* other bytes for a sequence range already seen */
    SUSPECT_TTL,        /* data far from the side's other TTLs */
    SUSPECT_DNS_SECOND, /* another answer to one question */
    SUSPECT_SYN_ACK     /* a second, different SYN-ACK */
};

struct suspect {
    uint64_t packet;           /* its number in the input */
    uint32_t after_us;         /* since the flow's first packet */
    uint32_t trigger_after_us; /* since the last payload (or SYN) of the other side before it;
                                  UINT32_MAX where there was none */
    uint8_t kind, side;        /* which side it claims to come from */
    uint8_t tcp_flags, tcp_options, ttl, ip_flags; /* ip_flags: 1 DF */
    uint16_t ip_id, window, payload_length;
    int32_t seq_offset; /* its sequence number minus the next one expected of that side */
    int32_t ack_offset; /* its acknowledgement minus the next sequence of the other side; INT32_MIN
                           without ACK flag */
    uint16_t ip_id_from_own, ip_id_from_other; /* distance (mod 65536) from the last packet of this
                                                  and of the other side */
    uint8_t ttl_expected;       /* the side's last ordinary TTL before; 0 where none */
    uint8_t copies;             /* identical ones (same seq, ack, flags, IP-ID, TTL) after it */
    uint32_t own_bytes_after;   /* new payload bytes of the same side beyond it that came later: it
                                   went on talking; what is only sent again does not count */
    uint32_t own_after_us;      /* how long after it the last of them came */
    uint32_t other_bytes_after; /* payload bytes of the other side that came later */
    /* SUSPECT_OVERLAP: four 16-bit hashes of 16 bytes each, from the first that differ on, of this
     * version and of the one before, and how many bytes of that were there to compare. */
    uint64_t content, content_before;
    uint16_t length_before;
    /* Resets. Its acknowledgement field, whatever its flags; and how far this and its sequence
     * number are from those of the first reset of its side. */
    uint8_t ack_field; /* enum ack_field */
    int32_t ack_change, seq_change;
    int32_t seq_beyond_ack; /* its sequence number minus the last acknowledgement of the other side:
                               0 in an answer made of that; INT32_MIN where there was none */
};
#define SUSPECTS_MAX 8

enum ack_field {
    ACK_FIELD_UNKNOWN, /* of an older writer */
    ACK_FIELD_ZERO,
    ACK_FIELD_SET
};

struct icmp_facts {
    bool present;
    uint8_t type, code, ip_version;
    uint8_t side; /* whose packet it quotes */
    uint8_t ttl;  /* of the ICMP packet as it arrived */
    uint8_t quoted_ttl;
    bool from_server; /* sent by the server's own address */
    uint8_t count;
    uint32_t after_us;
};

/* ---- what payloads said ---- */

struct tls_facts {
    bool client_hello, server_hello, ech, esni, no_sni, hello_retry, handshake_done;
    uint16_t version;
    uint8_t alert_level, alert_description, alert_side;
    uint32_t alert_after_us;
    char alpn[32];
    char ja4[37];
    struct {
        bool present, truncated, self_issued;
        bool name_fits; /* one of its names matches the SNI; false also where there was no SNI */
        char subject[OBSERVATION_TEXT_SIZE], issuer[OBSERVATION_TEXT_SIZE];
        int64_t not_before_us, not_after_us;
        uint8_t sha256[32];
    } certificate;
};

struct http_facts {
    bool request, response, bare_html;
    uint16_t status;
    char method[16], location[OBSERVATION_TEXT_SIZE], title[OBSERVATION_TEXT_SIZE];
    struct blockpage_facts blockpage;
};

#define DNS_FACTS_ANSWERS   4
#define DNS_FACTS_ADDRESSES 8

struct dns_facts_answer {
    uint32_t after_us;
    uint8_t rcode;
    uint8_t ip_ttl;
    uint16_t flags; /* the header's second word */
    uint16_t ip_id;
    uint8_t ip_flags;
    bool has_edns, truncated, complete;
    uint8_t address_count;
    struct address addresses[DNS_FACTS_ADDRESSES];
    uint32_t ttl; /* least TTL among the records kept */
    bool has_ech;
    uint64_t packet;
};

/* In whose catalogued address blocks an address lies that a list of block pages holds. */
enum dns_page_owner {
    DNS_PAGE_OF_NONE,
    DNS_PAGE_OF_OTHER, /* a service that was not asked for */
    DNS_PAGE_OF_ASKED  /* the service asked for, or another of its operator */
};

struct dns_facts {
    bool present;
    uint16_t qtype, id;
    bool edns_asked, over_tcp;
    uint8_t answer_count; /* kept; repeats of one answer are counted in packets_down only */
    struct dns_facts_answer answers[DNS_FACTS_ANSWERS];
    struct blockpage_facts blockpage; /* of an address in any of the answers */
    uint8_t page_owner;               /* of that address: enum dns_page_owner */
};

/* What is known beyond the row; kept only for flows that did not end well or that carried a
 * suspicious packet, and for questions. */
struct evidence_facts {
    bool present;
    struct side_facts sides[2];
    uint32_t handshake_rtt_us;  /* SYN to SYN-ACK as seen here; 0 unknown */
    uint32_t ack_rtt_us;        /* SYN-ACK to the client's ACK as seen here; 0 unknown */
    uint32_t first_exchange_us; /* first client payload to the first server payload; 0 unknown */
    uint8_t resets[2],
        resets_with_ack[2]; /* how many RSTs claimed to come from each side; of them with ACK */
    /* TCP: how much of what the client sent (payload, also when sent again, and keep-alive probes; no
     * FIN) came after the server's last packet that was no reset, and when the first of it. */
    uint8_t unanswered;
    uint32_t unanswered_after_us;
    uint8_t suspect_count;
    uint16_t suspects_not_kept;
    struct suspect suspects[SUSPECTS_MAX];
    struct icmp_facts icmp;
    struct tls_facts tls;
    struct http_facts http;
};

/* How far the server is: what a flow that ended well leaves for judging others. Flows with evidence
 * say it there. */
struct path_facts {
    uint32_t handshake_rtt_us;  /* 0 unknown */
    uint8_t server_ttl;         /* the first of its packets */
    uint32_t first_exchange_us; /* as in the evidence */
};

/* Somebody else's measurement (`darkline import`): what its maker says of one stage. Such a row has
 * no packets, so no rule that wants packets says anything of it. */
struct import_facts {
    bool present;
    uint8_t outcome;  /* enum outcome, of this row's stage */
    uint8_t control;  /* enum outcome: the same asked from elsewhere at the same time, where told */
    char failure[40]; /* OONI's word (df-007), "" none */
    bool throttled;   /* its maker says that it was slowed down */
    uint64_t voice;   /* hash of what tells independent lines apart; 0: the client does */
    uint64_t run;     /* rows of one run are one attempt; 0: the row alone */
    struct blockpage_facts blockpage;
    bool page_from_abroad; /* the page is another country's than the vantage's: no proof */
};

/* ---- how fast a flow went ---- */

#define PACE_BINS_MAX   64
#define PACE_LOSSES_MAX 64

struct pace_bin {
    uint32_t bytes;  /* payload of the heavy side that got through, each byte once */
    uint16_t rtt_ms; /* least round trip beyond the probe while the server had more to send; 0
                        unknown */
    uint8_t lost;    /* segments, at the time they were lost, but PACE_LOST_COUNTED; saturates */
};

enum pace_lost {
    PACE_LOST_BEFORE, /* it never came to the probe: a hole, filled later */
    PACE_LOST_BEYOND, /* it had passed the probe, and was sent again */
    PACE_LOST_COUNTED /* no hole, but the IP-IDs count packets that never came: the end of a burst,
                         or what was sent again for nothing; true only where they count this
                         connection's packets and no others */
};

/* Segments lost in one place. */
struct pace_loss {
    uint32_t after_us; /* since the first bin began: when the segment before it passed here */
    uint32_t bytes;    /* what had got through by then since the first bin began */
    uint16_t rtt_ms;   /* the round trip beyond the probe last seen before; 0 unknown */
    uint8_t segments;
    uint8_t how; /* enum pace_lost */
};

/* The heavy side of a connection that carried enough to have a pace. Bins follow each other without
 * gaps from the first on; their width is doubled each time they are full. */
struct pace_facts {
    uint8_t side;      /* enum side: who sent most */
    uint8_t bin_count; /* 0: nothing is known, all else is zero */
    uint8_t loss_count;
    uint16_t segment; /* largest payload of one packet */
    uint32_t first_after_us, bin_us;
    uint64_t bytes_before;   /* payload of that side before the first bin */
    uint32_t lost[3];        /* segments in all, by enum pace_lost */
    uint32_t ids, ids_small; /* steps of the IP-ID seen with data; of them, those of 1 to 64 */
    uint32_t quick;          /* packets right after the one before, nothing missing between them */
    uint32_t quick_counted;  /* of them, those whose IP-ID is one more */
    uint32_t rtt_least_us;   /* beyond the probe; 0 unknown */
    uint32_t rtt_samples;
    struct pace_bin bins[PACE_BINS_MAX];
    struct pace_loss losses[PACE_LOSSES_MAX]; /* the first of them */
};

/* ---- one flow, or one DNS question ---- */

/* The certificate that the server of a TLS connection showed; version 1.3 hides it. */
enum certificate_flag {
    CERTIFICATE_PRESENT = 1,
    CERTIFICATE_NAME_FITS = 2,   /* one of its names is the one that was asked for */
    CERTIFICATE_NAME_OTHER = 4,  /* all its names are known, and none is */
    CERTIFICATE_SELF_ISSUED = 8, /* it names itself as its issuer */
    CERTIFICATE_PAST = 16,       /* outside its days of validity, by the capture's clock */
    CERTIFICATE_OWN = 32 /* of a service whose servers anybody may run, under an authority of their
                            own: the catalog's word, or the inventory's */
};

enum observation_flag {
    OBSERVATION_MID_STREAM = 1, /* its beginning is not in the capture */
    OBSERVATION_ONE_SIDED = 2,  /* packets of one side only */
    OBSERVATION_EARLY = 4,      /* live: still going on; the row will be written again */
    OBSERVATION_AMBIGUOUS = 8,  /* several services share the server's address */
    OBSERVATION_HANDSHAKE = 16, /* TCP: all three packets seen, or their effect */
    OBSERVATION_CUT = 32,       /* the capture's snap length cut payloads that inspection wanted */
    OBSERVATION_CLIENT_GUESSED = 64 /* which end is the client is a guess (no SYN) */
};

struct observation {
    uint32_t input;  /* 1-based number of the input in its store; of the merged list when read from
                        several */
    uint64_t packet; /* number of its first packet in that input */
    int64_t start_us, end_us;
    struct endpoint client, server;
    uint16_t client_port, server_port;
    enum transport transport;
    const char
        *protocol; /* nDPI's name; "" unknown. Strings live as long as the record's giver says. */
    const char *service; /* catalog id; "" none */
    const char *host;    /* "" none, or not kept */
    enum role role;
    enum certainty certainty;
    uint16_t reasons;  /* enum reason bits */
    uint64_t dns_flow; /* packet number (same input) of the question it followed; 0 none */
    uint64_t packets[2], bytes[2]; /* bytes of IP packets */
    enum stage stage;
    enum close_reason close;
    uint16_t flags;      /* enum observation_flag */
    uint8_t certificate; /* enum certificate_flag */
    const char *issuer;  /* of the certificate: "CN, O"; "" none, or not kept. As host */
    struct dns_facts dns;
    struct evidence_facts evidence;
    struct path_facts path; /* all zero where evidence is present */
    struct import_facts import;
    struct pace_facts pace; /* TCP that carried enough; bin_count 0 for most */
};

/* ---- flows that are only counted ---- */

struct hour_count {
    uint32_t input;
    int64_t hour_us;
    const char *protocol;
    uint64_t flows;     /* attempts: flows whose start was seen */
    uint64_t failed[7]; /* of them, by enum stage: those that got no answer, a refusal or a reset at
                           that stage */
    uint64_t packets, bytes;
    uint64_t clients; /* distinct, estimated beyond a few hundred (about 3 %) */
};

/* ---- the capture itself ---- */

struct input_record {
    uint32_t number;
    char path[512]; /* the file's name without its folder, or "live:IFACE": a folder may name a
                       person */
    uint64_t size;
    uint8_t fingerprint[32], sha256[32];
    bool has_fingerprint, has_sha256;
    uint64_t packets, bytes, lost;
    int64_t first_us, last_us; /* 0 when no packet */
    int status;                /* DL_OK, or what ended the reading: enum dl_status */
    bool complete;             /* false: still being written, or the probe was killed */
    struct vantage vantage;
};

struct coverage_record {
    uint32_t input;
    int64_t from_us, to_us;
    bool link_up;
    uint64_t packets, lost;
};
