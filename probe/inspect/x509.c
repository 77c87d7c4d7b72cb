// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * As much of RFC 5280 as names a server. Every structure on the way is read by its own function, so
 * nothing nests deeper than these functions do.
 */
#include "probe/inspect/tls.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"

#define X509_VALUE_MAX 128u

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_DNS_NAME = 0x82,  /* GeneralName [2] */
    DER_VERSION = 0xa0,   /* TBSCertificate [0] */
    DER_EXTENSIONS = 0xa3 /* TBSCertificate [3] */
};

static const uint8_t x509_common_name[] = {0x55, 0x04, 0x03};
static const uint8_t x509_organisation[] = {0x55, 0x04, 0x0a};
static const uint8_t x509_alt_name[] = {0x55, 0x1d, 0x11};

/* A value of DER: what of it is there, and whether that is all. */
struct der {
    uint8_t tag;
    bool cut;
    size_t full_length;
    struct cursor content;
};

/* The next value (X.690 8.1). False at the end, or where no header is; a value cut off by the end
 * is still a value. */
static bool der_next(struct cursor *c, struct der *ret_value)
{
    memset(ret_value, 0, sizeof(*ret_value));
    ret_value->tag = cursor_u8(c);
    uint8_t first = cursor_u8(c);
    size_t length = first;
    if (first >= 0x80) {
        /* Indefinite lengths are not DER; more than three bytes are no certificate. */
        unsigned count = first & 0x7f;
        length = count == 1 ? cursor_u8(c) : count == 2 ? cursor_u16(c) : cursor_u24(c);
        if (count < 1 || count > 3) {
            c->failed = true;
        }
    }
    size_t left = cursor_left(c);
    ret_value->cut = left < length;
    ret_value->full_length = length;
    ret_value->content = cursor_sub(c, ret_value->cut ? left : length);
    return cursor_ok(c);
}

static bool der_expect(struct cursor *c, uint8_t tag, struct der *ret_value)
{
    return der_next(c, ret_value) && ret_value->tag == tag;
}

static bool der_is(const struct der *value, const uint8_t *bytes, size_t length)
{
    return !value->cut && cursor_left(&value->content) == length &&
           cursor_starts_with(&value->content, bytes, length);
}

/* BMPString is UTF-16: what is ASCII of it stays. */
static size_t x509_copy_wide(struct cursor wide, uint8_t *text, size_t size)
{
    size_t length = 0;

    while (cursor_left(&wide) >= 2 && length < size) {
        uint16_t unit = cursor_u16(&wide);
        text[length++] = (uint8_t)(unit < 0x7f ? unit : 0xff);
    }
    return length;
}

static void x509_copy_value(const struct der *value, char ret_text[X509_VALUE_MAX])
{
    uint8_t narrow[X509_VALUE_MAX];
    const uint8_t *bytes = value->content.at;
    size_t length = cursor_left(&value->content);

    if (value->tag == DER_BMP_STRING) {
        length = x509_copy_wide(value->content, narrow, sizeof(narrow));
        bytes = narrow;
    }
    parse_copy_text(ret_text, X509_VALUE_MAX, bytes, length);
}

/* A Name (RFC 5280 4.1.2.4); the last of several is the most specific. */
static void x509_name(struct cursor name, char ret_common[X509_VALUE_MAX],
                      char ret_organisation[X509_VALUE_MAX])
{
    struct der set, pair, oid, value;

    memset(ret_common, 0, X509_VALUE_MAX);
    memset(ret_organisation, 0, X509_VALUE_MAX);
    while (der_expect(&name, DER_SET, &set)) {
        while (der_expect(&set.content, DER_SEQUENCE, &pair)) {
            if (!der_expect(&pair.content, DER_OID, &oid) || !der_next(&pair.content, &value)) {
                continue;
            }
            if (der_is(&oid, x509_common_name, sizeof(x509_common_name))) {
                x509_copy_value(&value, ret_common);
            } else if (der_is(&oid, x509_organisation, sizeof(x509_organisation))) {
                x509_copy_value(&value, ret_organisation);
            }
        }
    }
}

static void x509_issuer(struct cursor name, char ret_text[TLS_TEXT_SIZE])
{
    char common[X509_VALUE_MAX], organisation[X509_VALUE_MAX];
    char both[2 * X509_VALUE_MAX + 2];

    x509_name(name, common, organisation);
    int length = snprintf(both, sizeof(both), "%s%s%s", common,
                          common[0] && organisation[0] ? ", " : "", organisation);
    parse_copy_text(ret_text, TLS_TEXT_SIZE, (const uint8_t *)both, (size_t)length);
}

static void x509_subject(struct cursor name, char ret_text[TLS_TEXT_SIZE])
{
    char common[X509_VALUE_MAX], organisation[X509_VALUE_MAX];
    const char *text = common;

    x509_name(name, common, organisation);
    if (common[0] == '\0') {
        text = organisation;
    }
    parse_copy_text(ret_text, TLS_TEXT_SIZE, (const uint8_t *)text, strlen(text));
}

/*
 * UTCTime "YYMMDDHHMMSSZ" or GeneralizedTime "YYYYMMDDHHMMSSZ" (RFC 5280 4.1.2.5), by way of RFC
 * 3339. 0 for anything else.
 */
static int64_t x509_time(const struct der *value)
{
    size_t year_digits = value->tag == DER_UTC_TIME ? 2 : 4;
    size_t length = cursor_left(&value->content);
    const char *digits = (const char *)value->content.at;
    char text[sizeof("2049-12-31T23:59:59Z")];
    int64_t time_us = 0;
    bool valid = !value->cut && length == year_digits + 11 && digits[length - 1] == 'Z' &&
                 (value->tag == DER_UTC_TIME || value->tag == DER_GENERALIZED_TIME);

    for (size_t i = 0; valid && i + 1 < length; i++) {
        valid = digits[i] >= '0' && digits[i] <= '9';
    }
    if (!valid) {
        goto out;
    }
    const char *rest = digits + year_digits;
    const char *century = year_digits == 4 ? "" : digits[0] >= '5' ? "19" : "20";
    snprintf(text, sizeof(text), "%s%.*s-%.2s-%.2sT%.2s:%.2s:%.2sZ", century, (int)year_digits,
             digits, rest, rest + 2, rest + 4, rest + 6, rest + 8);
    if (clock_parse(text, &time_us) != 0) {
        time_us = 0;
    }
out:
    return time_us;
}

static void x509_validity(struct cursor validity, struct tls_certificate *certificate)
{
    struct der time;

    if (der_next(&validity, &time)) {
        certificate->not_before_us = x509_time(&time);
    }
    if (der_next(&validity, &time)) {
        certificate->not_after_us = x509_time(&time);
    }
}

/* SubjectAltName ::= SEQUENCE OF GeneralName (RFC 5280 4.2.1.6). */
static void x509_alt_names(struct cursor octets, struct tls_certificate *certificate)
{
    struct der list, name;

    if (!der_expect(&octets, DER_SEQUENCE, &list)) {
        return;
    }
    while (certificate->name_count < TLS_NAMES_MAX && der_next(&list.content, &name)) {
        if (name.tag == DER_DNS_NAME && !name.cut &&
            parse_copy_host(certificate->names[certificate->name_count], name.content.at,
                            cursor_left(&name.content))) {
            certificate->name_count++;
        }
    }
}

static void x509_extensions(struct cursor explicit, struct tls_certificate *certificate)
{
    struct der list, extension, oid, value;

    if (!der_expect(&explicit, DER_SEQUENCE, &list)) {
        return;
    }
    while (der_expect(&list.content, DER_SEQUENCE, &extension)) {
        bool good =
            der_expect(&extension.content, DER_OID, &oid) && der_next(&extension.content, &value);
        if (good && value.tag == DER_BOOLEAN) { /* critical */
            good = der_next(&extension.content, &value);
        }
        if (good && value.tag == DER_OCTET_STRING &&
            der_is(&oid, x509_alt_name, sizeof(x509_alt_name))) {
            x509_alt_names(value.content, certificate);
        }
    }
}

static bool x509_same(const struct der *a, const struct der *b)
{
    return !a->cut && !b->cut && cursor_left(&a->content) == cursor_left(&b->content) &&
           cursor_starts_with(&a->content, b->content.at, cursor_left(&b->content));
}

/* After the subject: key, unique ids of version 2, extensions. */
static void x509_rest(struct cursor *tbs, struct tls_certificate *certificate)
{
    struct der value;

    while (der_next(tbs, &value)) {
        if (value.tag == DER_EXTENSIONS) {
            x509_extensions(value.content, certificate);
        }
    }
}

/* TBSCertificate (RFC 5280 4.1). False where another value stands than must; at its end by a cut,
 * what is there is good. */
static bool x509_tbs(struct cursor tbs, bool cut, struct tls_certificate *certificate)
{
    static const uint8_t tags[] = {DER_INTEGER, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE,
                                   DER_SEQUENCE};
    enum { SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, FIELDS };
    struct der fields[FIELDS];
    struct der version;
    struct cursor ahead = tbs;
    size_t count = 0;

    if (der_expect(&ahead, DER_VERSION, &version)) {
        tbs = ahead;
    }
    while (count < FIELDS && der_next(&tbs, &fields[count])) {
        if (fields[count].tag != tags[count]) {
            return false;
        }
        if (fields[count].cut) {
            break;
        }
        count++;
    }
    if (count > ISSUER) {
        x509_issuer(fields[ISSUER].content, certificate->issuer);
    }
    if (count > VALIDITY) {
        x509_validity(fields[VALIDITY].content, certificate);
    }
    if (count > SUBJECT) {
        x509_subject(fields[SUBJECT].content, certificate->subject);
        certificate->self_issued = x509_same(&fields[ISSUER], &fields[SUBJECT]);
        x509_rest(&tbs, certificate);
    }
    return count == FIELDS || cut;
}

bool x509_parse(const uint8_t *bytes, size_t length, size_t full_length,
                struct tls_certificate *ret_certificate)
{
    struct cursor c = cursor_init(bytes, length < full_length ? length : full_length);
    struct der outer, tbs;
    bool cut = length < full_length;
    bool good = false;

    memset(ret_certificate, 0, sizeof(*ret_certificate));
    if (!der_expect(&c, DER_SEQUENCE, &outer) || (outer.cut && !cut) ||
        (size_t)(outer.content.at - bytes) + outer.full_length > full_length) {
        goto out;
    }
    if (!der_next(&outer.content, &tbs)) {
        good = cut;
    } else {
        good = tbs.tag == DER_SEQUENCE && (!tbs.cut || cut) &&
               x509_tbs(tbs.content, tbs.cut, ret_certificate);
    }
    if (good && !cut) {
        digest_sha256(bytes, full_length, ret_certificate->sha256);
    }
out:
    if (good) {
        ret_certificate->present = true;
        ret_certificate->truncated = cut;
    } else {
        memset(ret_certificate, 0, sizeof(*ret_certificate));
    }
    return good;
}
