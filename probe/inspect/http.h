// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * HTTP/1.x (RFC 9112) as far as blocking shows: Host, status, Location, title. Also a bare HTML
 * page without a status line, as some injectors send it.
 */
#include "probe/inspect/parse.h"

#define HTTP_TEXT_SIZE 192

struct http_request {
    char method[16];
    char host[PARSE_HOST_SIZE]; /* the Host field, else an absolute-form or CONNECT target's;
                                   without port; "" for none */
    bool is_connect;
    bool complete; /* the header section was whole */
};

/* MORE while the header section is cut off (host filled as soon as seen). NOT_MINE if it does not
 * begin as a request. */
enum parse_result http_parse_request(const uint8_t *bytes, size_t length, bool final,
                                     struct http_request *ret_request);

struct http_bytes { /* a part of the bytes given; NULL and 0 where it is not there */
    const uint8_t *at;
    size_t length;
};

struct http_response {
    uint16_t status;               /* 0: a bare page */
    bool bare_html;                /* begins as HTML, no status line */
    char location[HTTP_TEXT_SIZE]; /* scheme, host and path of the Location field; the query is left
                                      out: it may name a person */
    char server[64];
    char title[HTTP_TEXT_SIZE]; /* text of <title>, white space folded, from what is there of the
                                   body */
    bool complete;
    /* As they were sent; they live as long as the bytes given. */
    struct http_bytes body, raw_title, raw_location, raw_server, raw_via;
    bool body_readable; /* text that is not packed */
    bool body_whole;    /* all of it is there */
    size_t body_length; /* as the head says; 0 where it does not */
};

/* Do the bytes end as a chunked body does (RFC 9112 7.1)? */
bool http_ends_chunked(const uint8_t *bytes, size_t length);

enum parse_result http_parse_response(const uint8_t *bytes, size_t length, bool final,
                                      struct http_response *ret_response);
