// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * SMTP, IMAP, POP3 and XMPP in clear until STARTTLS (RFC 3207, RFC 9051, RFC 2595, RFC 6120): which
 * it is, and where TLS begins.
 */
#include "probe/inspect/parse.h"

enum mail_kind { MAIL_NONE, MAIL_SMTP, MAIL_IMAP, MAIL_POP3, MAIL_XMPP };

struct mail_client {
    enum mail_kind kind; /* by the client's commands alone */
    bool starttls;       /* it asked for TLS */
    uint32_t
        tls_offset; /* where the bytes after the STARTTLS command begin; 0 if it has not asked */
    char host[PARSE_HOST_SIZE]; /* XMPP: the stream's `to`; "" otherwise: an SMTP client's EHLO name
                                   is its own and is not kept */
};

/* MORE while commands may still come, DONE once STARTTLS was asked (TLS follows at tls_offset). */
enum parse_result mail_parse_client(const uint8_t *bytes, size_t length,
                                    struct mail_client *ret_client);
struct mail_server {
    enum mail_kind kind;
    char host[PARSE_HOST_SIZE]; /* the name in the greeting (SMTP 220, POP3, IMAP where it has one)
                                 */
};
enum parse_result mail_parse_server(const uint8_t *bytes, size_t length,
                                    struct mail_server *ret_server);
/* "SMTP" and so on: nDPI's names. */
const char *mail_kind_text(enum mail_kind kind);
