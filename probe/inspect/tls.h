// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * TLS 1.0-1.3 handshakes (RFC 5246, RFC 8446; RFC 6066 SNI, RFC 7301 ALPN, draft-ietf-tls-esni), on
 * any port, and DTLS's ClientHello.
 */
#include "base/digest.h"
#include "probe/inspect/parse.h"

#define TLS_JA4_SIZE  37
#define TLS_NAMES_MAX 8
#define TLS_TEXT_SIZE 128
#define TLS_ALPN_SIZE 32

struct tls_client {
    char host[PARSE_HOST_SIZE]; /* SNI; "" where there is none */
    char alpn[TLS_ALPN_SIZE];   /* the first protocol offered; "" for none */
    char ja4[TLS_JA4_SIZE]; /* FoxIO's JA4 client fingerprint: t13d1516h2_8daaf6152771_e5627efa2ab1;
                               'q' for QUIC, 'd' for DTLS */
    uint16_t record_version, hello_version, max_version; /* max: the greatest of supported_versions,
                                                            GREASE left out, else hello_version */
    bool has_sni, has_ech, has_esni;                     /* ech: extension 0xfe0d; esni: 0xffce */
    bool is_literal;                                     /* the SNI is an IP address */
    bool complete;                                       /* the whole ClientHello was there */
};

/*
 * The client's first bytes. DONE with a whole ClientHello (it may span records and segments). MORE
 * while it is cut off: what stands so far is filled (the host as soon as its extension is whole),
 * ja4 is left empty. SSLv2-framed hellos are DONE without names.
 */
enum parse_result tls_parse_client(const uint8_t *bytes, size_t length,
                                   struct tls_client *ret_client);

/* A bare handshake message (type, length, body) without records, as QUIC's CRYPTO frames carry it.
 * `transport` is 't', 'q' or 'd'. */
enum parse_result tls_parse_client_hello(const uint8_t *bytes, size_t length, char transport,
                                         struct tls_client *ret_client);

struct tls_certificate {
    bool present;
    bool truncated;   /* cut off by the capture or the buffer: what is missing is empty, sha256 is
                         zero */
    bool self_issued; /* issuer equals subject */
    char subject[TLS_TEXT_SIZE];                /* common name, else organisation */
    char issuer[TLS_TEXT_SIZE];                 /* common name and organisation: "CN, O" */
    char names[TLS_NAMES_MAX][PARSE_HOST_SIZE]; /* subjectAltName dNSName, the first ones */
    uint8_t name_count;
    int64_t not_before_us, not_after_us;
    uint8_t sha256[DIGEST_SIZE];
};

struct tls_server {
    uint16_t version; /* negotiated: supported_versions, else the ServerHello's */
    uint16_t cipher;
    char alpn[TLS_ALPN_SIZE]; /* of TLS 1.2; hidden in 1.3 */
    bool hello;               /* a ServerHello was seen */
    bool hello_retry;
    bool handshake_done; /* a ChangeCipherSpec or application data record was seen */
    uint8_t alert_level, alert_description; /* of a plain alert record; level 0 for none */
    struct tls_certificate certificate;     /* of TLS <= 1.2 only; 1.3 hides it */
};

/*
 * The server's first bytes: ServerHello, Certificate, alert. DONE when there is nothing more to
 * learn (1.3: after the ServerHello; 1.2: after the leaf certificate or a ChangeCipherSpec; an
 * alert). `final` says that no more bytes will come: what is there is used.
 */
enum parse_result tls_parse_server(const uint8_t *bytes, size_t length, bool final,
                                   struct tls_server *ret_server);

/* One leaf certificate in DER (RFC 5280). False if it is not one. A cut one gives what is there,
 * `truncated` set. */
bool x509_parse(const uint8_t *bytes, size_t length, size_t full_length,
                struct tls_certificate *ret_certificate);

/* A plain alert record at the start of these bytes (any packet of a TLS stream on a record
 * boundary). */
bool tls_parse_alert(const uint8_t *bytes, size_t length, uint8_t *ret_level,
                     uint8_t *ret_description);
/* "handshake_failure" for an alert description, NULL if it has no name (RFC 8446 6). */
const char *tls_alert_text(uint8_t description);
