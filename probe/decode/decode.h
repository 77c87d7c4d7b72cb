// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * From a frame to a packet of the transport layer.
 *
 * Link types: Ethernet, Linux SLL and SLL2, raw IP, BSD null and loop, PPP. Through 802.1Q/802.1ad,
 * MPLS, PPPoE, GRE, IP-in-IP, 6in4, 4in6, VXLAN and GTP-U down to the innermost IP packet. IPv4 and
 * IPv6 with extension headers; fragments are put together (bounded: DECODE_FRAGMENT_SETS datagrams
 * of at most 64 KiB, 30 s of capture time). Bytes are read through base/cursor.h only; what is cut
 * off or not understood is counted by kind and never silently lost.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/words.h"
#include "probe/capture/capture.h"

/* TCP flags as on the wire. */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

/* TCP options seen in one segment, as bits. */
enum {
    TCP_OPTION_MSS = 1,
    TCP_OPTION_WINDOW_SCALE = 2,
    TCP_OPTION_SACK_PERMITTED = 4,
    TCP_OPTION_SACK = 8,
    TCP_OPTION_TIMESTAMP = 16,
    TCP_OPTION_OTHER = 32,
    TCP_OPTION_MALFORMED = 64
};

enum packet_flag {
    PACKET_DF = 1,          /* IPv4 don't fragment; set for IPv6 */
    PACKET_REASSEMBLED = 2, /* put together from fragments; `bytes` then counts all of them */
    PACKET_TUNNELLED = 4,   /* came inside GRE, GTP-U, VXLAN, IP-in-IP ... */
    PACKET_SHORT = 8,       /* the capture cut the transport header's options or the payload */
    PACKET_BAD_LENGTH = 16  /* the IP length and the frame contradict each other (the frame wins) */
};

/* An ICMP error's quoted packet, as far as it is there (RFC 792 guarantees 8 bytes after the IP
 * header). */
struct packet_quote {
    struct address source, destination;
    uint16_t source_port, destination_port;
    uint8_t protocol; /* IPPROTO_ */
    uint8_t ttl;      /* as quoted: what was left of it at the router that complains */
    uint16_t ip_id;
    uint32_t seq; /* TCP, 0 where not quoted */
};

struct packet {
    int64_t time_us;
    uint64_t number; /* of the frame that completed it */
    struct address source, destination;
    uint16_t source_port, destination_port; /* ICMP echo: identifier in both; other ICMP: 0 */
    uint8_t transport;  /* enum transport; TRANSPORT_NONE for other IP protocols */
    uint8_t protocol;   /* IPPROTO_ */
    uint8_t ip_version; /* 4 or 6 */
    uint8_t ttl;        /* or hop limit */
    uint16_t ip_id;     /* 0 for IPv6 */
    uint8_t flags;      /* enum packet_flag */
    uint8_t tcp_flags, tcp_options, tcp_window_scale; /* TCP only, as the two lines below */
    uint16_t tcp_window, tcp_mss;
    uint32_t seq, ack;
    uint32_t tcp_ts_value, tcp_ts_echo;
    uint8_t icmp_type, icmp_code; /* ICMP and ICMPv6, raw values */
    bool has_quote;               /* an ICMP error that quotes a packet */
    struct packet_quote quote;
    const uint8_t *payload;    /* after the transport header; NULL where none is captured */
    uint32_t payload_captured; /* bytes at hand */
    uint32_t payload_length;   /* bytes on the wire, by the IP length */
    const uint8_t *ip;         /* the innermost IP header: for nDPI */
    uint32_t ip_captured;
    uint32_t bytes; /* of the innermost IP packet on the wire: what flows count */
};

enum decode_kind {
    DECODE_OK,            /* a packet came out */
    DECODE_FRAGMENT,      /* kept until the rest comes */
    DECODE_FRAGMENT_LOST, /* a fragment that found no room, or whose datagram never became whole */
    DECODE_FRAGMENT_OVERLAP, /* fragments that contradict each other: dropped whole */
    DECODE_LINK_TYPE,        /* a link type we do not read */
    DECODE_LINK_SHORT,       /* cut off in the link or tunnel headers */
    DECODE_NOT_IP,           /* ARP, LLDP, ... */
    DECODE_IP_SHORT,         /* cut off in the IP header or its extensions */
    DECODE_IP_BAD,           /* version, header length or total length make no sense */
    DECODE_TRANSPORT_SHORT,  /* cut off in the TCP, UDP or ICMP header */
    DECODE_TRANSPORT_BAD,    /* TCP data offset, UDP length make no sense */
    DECODE_PROTOCOL,         /* IP, but none of TCP, UDP, ICMP (ESP, AH, SCTP, OSPF ...) */
    DECODE_TUNNEL_DEPTH,     /* more tunnels within tunnels than DECODE_DEPTH_MAX */
    DECODE_KIND_COUNT
};
#define DECODE_DEPTH_MAX     8
#define DECODE_FRAGMENT_SETS 256u

struct decoder;

int decoder_create(struct decoder **ret_decoder); /* DL_OK or -ENOMEM */
void decoder_destroy(struct decoder *decoder);    /* accepts NULL */

/*
 * Decodes one frame. With DECODE_OK `ret_packet` is filled; its pointers go into the frame, or into
 * the decoder where the packet was reassembled (valid until the next call). DECODE_PROTOCOL fills
 * everything up to the IP layer too (transport NONE, protocol set): flows of ESP and the like are
 * seen. Any other kind leaves `ret_packet` untouched. Each call adds one to that kind's count.
 */
enum decode_kind decoder_decode(struct decoder *decoder, const struct frame *frame,
                                struct packet *ret_packet);

uint64_t decoder_count(const struct decoder *decoder, enum decode_kind kind);
const char *decode_kind_text(enum decode_kind kind); /* "cut off in the link header" ... */
