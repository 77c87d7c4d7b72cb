// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/tls_internal.h"

#include <string.h>

enum parse_result tls_check_record(const struct cursor *records)
{
    int type = cursor_peek(records, 0), major = cursor_peek(records, 1);
    int minor = cursor_peek(records, 2), high = cursor_peek(records, 3);
    int low = cursor_peek(records, 4);
    enum parse_result result = PARSE_NOT_MINE;

    if (type >= 0 && (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_HEARTBEAT)) {
        goto out;
    }
    if ((major >= 0 && major != 3) || minor > 4 || high > (int)(TLS_RECORD_MAX >> 8)) {
        goto out;
    }
    if (low < 0) {
        result = PARSE_MORE;
        goto out;
    }
    unsigned length = (unsigned)high << 8 | (unsigned)low;
    /* Only application data may be empty (RFC 8446 5.1). */
    if (length <= TLS_RECORD_MAX && (length > 0 || type == TLS_APPLICATION_DATA)) {
        result = PARSE_DONE;
    }
out:
    return result;
}

struct cursor tls_take(struct cursor *cursor, size_t length)
{
    size_t left = cursor_left(cursor);

    return cursor_sub(cursor, length < left ? length : left);
}

void tls_handshakes_init(struct tls_handshakes *handshakes)
{
    /* `joined` stays as it is: 20 KiB that most flows never need. */
    handshakes->bytes = NULL;
    handshakes->length = 0;
    handshakes->overflow = false;
}

static void tls_append(struct tls_handshakes *handshakes, const uint8_t *bytes, size_t length)
{
    if (handshakes->length == 0) {
        handshakes->bytes = bytes;
        handshakes->length = length;
        return;
    }
    if (handshakes->bytes != handshakes->joined) {
        memcpy(handshakes->joined, handshakes->bytes, handshakes->length);
        handshakes->bytes = handshakes->joined;
    }
    size_t room = TLS_JOIN_MAX - handshakes->length;
    if (length > room) {
        handshakes->overflow = true;
        length = room;
    }
    memcpy(handshakes->joined + handshakes->length, bytes, length);
    handshakes->length += length;
}

enum tls_stop tls_join_records(struct cursor *records, struct tls_handshakes *handshakes)
{
    for (;;) {
        enum parse_result header = tls_check_record(records);
        if (header == PARSE_NOT_MINE) {
            return TLS_STOP_BAD;
        }
        if (header == PARSE_MORE) {
            return TLS_STOP_CUT;
        }
        if (cursor_peek(records, 0) != TLS_HANDSHAKE) {
            return TLS_STOP_OTHER;
        }
        cursor_skip(records, TLS_RECORD_HEADER - 2);
        size_t length = cursor_u16(records);
        struct cursor payload = tls_take(records, length);
        size_t there = cursor_left(&payload);
        if (there > 0) {
            tls_append(handshakes, payload.at, there);
        }
        if (there < length) {
            return TLS_STOP_CUT;
        }
    }
}

bool tls_next_message(struct cursor *messages, uint8_t *ret_type, struct cursor *ret_body,
                      uint32_t *ret_full_length)
{
    *ret_type = cursor_u8(messages);
    *ret_full_length = cursor_u24(messages);
    *ret_body = tls_take(messages, *ret_full_length);
    return cursor_ok(messages);
}

const uint8_t *tls_first_protocol(struct cursor extension, size_t *ret_length)
{
    size_t list_length = cursor_u16(&extension);
    struct cursor list = cursor_sub(&extension, list_length);
    size_t length = cursor_u8(&list);
    const uint8_t *name = cursor_bytes(&list, length);

    *ret_length = name ? length : 0;
    return length > 0 ? name : NULL;
}

/* Sorted by number (RFC 8446 B.2, the older ones of RFC 5246 7.2 and ECH's). */
static const struct {
    uint8_t description;
    const char *text;
} tls_alerts[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
    {121, "ech_required"},
};

const char *tls_alert_text(uint8_t description)
{
    const char *text = NULL;

    for (size_t i = 0; i < sizeof(tls_alerts) / sizeof(tls_alerts[0]) && !text; i++) {
        if (tls_alerts[i].description == description) {
            text = tls_alerts[i].text;
        }
    }
    return text;
}

bool tls_parse_alert(const uint8_t *bytes, size_t length, uint8_t *ret_level,
                     uint8_t *ret_description)
{
    struct cursor c = cursor_init(bytes, length);
    bool found = tls_check_record(&c) == PARSE_DONE;
    uint8_t type = cursor_u8(&c);

    cursor_skip(&c, 2);
    /* An encrypted alert is longer (RFC 8446 5.2). */
    found = found && type == TLS_ALERT && cursor_u16(&c) == 2;
    uint8_t level = cursor_u8(&c), description = cursor_u8(&c);
    found = found && cursor_ok(&c) && (level == 1 || level == 2) && tls_alert_text(description);
    *ret_level = found ? level : 0;
    *ret_description = found ? description : 0;
    return found;
}
