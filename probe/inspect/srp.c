// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/srp.h"

#include <ctype.h>

#include "base/cursor.h"
#include "probe/inspect/http.h"

#define IDENTIFIER_WITHIN 128
#define IDENTIFIER_DIGITS 8
#define CHALLENGE_MIN     8 /* of fewer bytes nothing can be said */
#define CHALLENGE_MAX     64
#define ANSWER_MIN        20 /* HMAC-SHA-1 */

enum { POINTS_CLIENT_FIRST = 1, POINTS_IDENTIFIER = 4, POINTS_CHALLENGE = 1, POINTS_ANSWERS = 1 };

/* A TLS record, or SSL 2's frame of a ClientHello that is the whole payload (RFC 5246 E.2). */
static bool is_tls(const uint8_t *bytes, size_t captured, uint16_t length)
{
    struct cursor c = cursor_init(bytes, captured);
    uint8_t type = cursor_u8(&c), second = cursor_u8(&c), third = cursor_u8(&c);
    bool record = type >= 0x14 && type <= 0x17 && second == 0x03 && third <= 0x04;
    bool ssl2 = type & 0x80 && third == 1 && cursor_u8(&c) <= 3 &&
                ((type & 0x7f) << 8 | second) + 2 == length;

    return cursor_ok(&c) && (record || ssl2);
}

static bool is_http_or_ssh(const uint8_t *bytes, size_t captured)
{
    struct http_request request;
    struct cursor c = cursor_init(bytes, captured);

    return cursor_starts_with(&c, "SSH-", 4) || cursor_starts_with(&c, "HTTP/1.", 7) ||
           cursor_starts_with(&c, "PRI * HTTP/2", 12) ||
           http_parse_request(bytes, captured, true, &request) == PARSE_DONE;
}

static bool is_something_else(const struct srp_signs *signs)
{
    bool speaks = signs->client_first || signs->server_first;

    return (speaks && !signs->client_spoke_first) ||
           is_tls(signs->client_first, signs->client_captured, signs->client_lengths[0]) ||
           is_tls(signs->server_first, signs->server_captured, signs->server_lengths[0]) ||
           is_http_or_ssh(signs->client_first, signs->client_captured) ||
           is_http_or_ssh(signs->server_first, signs->server_captured);
}

/* [ST] and eight digits, and no ninth. */
static bool has_identifier(const uint8_t *bytes, size_t captured)
{
    size_t within = captured < IDENTIFIER_WITHIN ? captured : IDENTIFIER_WITHIN;
    struct cursor c = cursor_init(bytes, within);
    struct cursor beyond = cursor_init(bytes, captured);
    bool found = false;

    while (!found && cursor_left(&c) > IDENTIFIER_DIGITS) {
        uint8_t first = cursor_u8(&c);
        size_t digits = 0;
        cursor_skip(&beyond, 1);
        while (digits <= IDENTIFIER_DIGITS && isdigit(cursor_peek(&beyond, digits))) {
            digits++;
        }
        found = (first == 'S' || first == 'T') && digits == IDENTIFIER_DIGITS;
    }
    return found;
}

/*
 * Few bytes, and random: in a sample this small nearly all of them differ (64 random ones have 57
 * values), and most are no text.
 */
static bool is_challenge(const uint8_t *bytes, size_t captured, uint16_t length)
{
    struct cursor c = cursor_init(bytes, captured < length ? captured : length);
    size_t count = cursor_left(&c), values = 0, text = 0;
    bool seen[256] = {false};

    for (size_t i = 0; i < count && i < CHALLENGE_MAX; i++) {
        uint8_t byte = cursor_u8(&c);
        values += !seen[byte];
        seen[byte] = true;
        text += byte >= ' ' && byte < 0x7f;
    }
    return length <= CHALLENGE_MAX && count >= CHALLENGE_MIN && values * 4 >= count * 3 &&
           text * 4 <= count * 3;
}

/* Who answers in how many segments is not documented: two more payloads, at least one of the
 * client's. */
static bool has_answers(const struct srp_signs *signs)
{
    unsigned client = 0, server = 0;

    for (unsigned i = 1; i < 3; i++) {
        client += i < signs->client_count && signs->client_lengths[i] >= ANSWER_MIN;
        server += i < signs->server_count && signs->server_lengths[i] >= ANSWER_MIN;
    }
    return signs->server_count > 0 && signs->client_count > 1 &&
           signs->client_lengths[1] >= ANSWER_MIN && client + server >= 2;
}

void srp_score(const struct srp_signs *signs, struct srp_score *ret_score)
{
    memset(ret_score, 0, sizeof(*ret_score));
    ret_score->excluded = is_something_else(signs);
    if (!ret_score->excluded && signs->client_first && signs->client_captured > 0) {
        bool challenge =
            is_challenge(signs->server_first, signs->server_captured, signs->server_lengths[0]);
        ret_score->has_identifier = has_identifier(signs->client_first, signs->client_captured);
        ret_score->points =
            (uint8_t)(POINTS_CLIENT_FIRST + (ret_score->has_identifier ? POINTS_IDENTIFIER : 0) +
                      (challenge ? POINTS_CHALLENGE : 0) +
                      (has_answers(signs) ? POINTS_ANSWERS : 0));
    }
}
