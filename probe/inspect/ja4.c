// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/ja4.h"

#include <stdlib.h>
#include <string.h>

#include "probe/inspect/tls_internal.h"

#define JA4_LIST_MAX   512u
#define JA4_LIST_SHORT 48u
#define JA4_ENTRY_TEXT 5u /* "c02b," */
#define JA4_HASH_BYTES 6u
#define JA4_HASH_TEXT  (2 * JA4_HASH_BYTES)
#define JA4_HEAD_TEXT  10u /* "t13d1516h2" */

struct ja4_list {
    size_t count; /* of all, those beyond `values` included */
    size_t kept;
    uint16_t values[JA4_LIST_MAX];
};

static void ja4_add(struct ja4_list *list, uint16_t value)
{
    if (tls_is_grease(value)) {
        return;
    }
    list->count++;
    if (list->kept < JA4_LIST_MAX) {
        list->values[list->kept++] = value;
    }
}

static void ja4_read_numbers(struct cursor numbers, struct ja4_list *list)
{
    list->count = list->kept = 0;
    while (cursor_left(&numbers) >= 2) {
        ja4_add(list, cursor_u16(&numbers));
    }
}

static void ja4_read_extensions(struct cursor extensions, struct ja4_list *list)
{
    list->count = list->kept = 0;
    while (cursor_left(&extensions) >= 4) {
        ja4_add(list, cursor_u16(&extensions));
        cursor_skip(&extensions, cursor_u16(&extensions));
    }
}

/* What JA4_a tells already is no part of the hash. */
static void ja4_drop_named(struct ja4_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->kept; i++) {
        if (list->values[i] != TLS_EXT_SERVER_NAME && list->values[i] != TLS_EXT_ALPN) {
            list->values[kept++] = list->values[i];
        }
    }
    list->kept = kept;
}

static int ja4_compare(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* Nearly all lists are short. */
static void ja4_sort(struct ja4_list *list)
{
    if (list->kept > JA4_LIST_SHORT) {
        qsort(list->values, list->kept, sizeof(list->values[0]), ja4_compare);
        return;
    }
    for (size_t i = 1; i < list->kept; i++) {
        uint16_t value = list->values[i];
        size_t at = i;
        for (; at > 0 && list->values[at - 1] > value; at--) {
            list->values[at] = list->values[at - 1];
        }
        list->values[at] = value;
    }
}

static const char digits[] = "0123456789abcdef";

/* "002f,0035": four lower-case digits each. Returns the length; the text has no NUL. */
static size_t ja4_write(const struct ja4_list *list, char *text)
{
    size_t at = 0;

    for (size_t i = 0; i < list->kept; i++) {
        if (i > 0) {
            text[at++] = ',';
        }
        for (int shift = 12; shift >= 0; shift -= 4) {
            text[at++] = digits[list->values[i] >> shift & 15];
        }
    }
    return at;
}

/* Writes JA4_HASH_TEXT characters. */
static void ja4_hash(const char *text, size_t length, char *ret_hash)
{
    uint8_t hash[DIGEST_SIZE] = {0};

    /* "000000000000" where there is nothing to hash. */
    if (length > 0) {
        digest_sha256(text, length, hash);
    }
    for (size_t i = 0; i < JA4_HASH_BYTES; i++) {
        ret_hash[2 * i] = digits[hash[i] >> 4];
        ret_hash[2 * i + 1] = digits[hash[i] & 15];
    }
}

static const char *ja4_version(uint16_t version)
{
    static const struct {
        uint16_t version;
        const char *text;
    } versions[] = {
        {0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"}, {0x0300, "s3"},
        {0x0002, "s2"}, {0xfeff, "d1"}, {0xfefd, "d2"}, {0xfefc, "d3"},
    };
    const char *text = "00";

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (versions[i].version == version) {
            text = versions[i].text;
        }
    }
    return text;
}

static bool ja4_is_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

/* First and last character of the first protocol, or of its hex form if one of the two is not
 * alphanumeric. */
static void ja4_alpn(const struct ja4_hello *hello, char ret_alpn[2])
{
    memcpy(ret_alpn, "00", 2);
    if (hello->alpn && hello->alpn_length > 0) {
        uint8_t first = hello->alpn[0], last = hello->alpn[hello->alpn_length - 1];
        bool plain = ja4_is_alphanumeric(first) && ja4_is_alphanumeric(last);
        ret_alpn[0] = plain ? (char)first : digits[first >> 4];
        ret_alpn[1] = plain ? (char)last : digits[last & 15];
    }
}

static void ja4_count(const struct ja4_list *list, char ret_count[2])
{
    unsigned count = list->count > 99 ? 99 : (unsigned)list->count;

    ret_count[0] = (char)('0' + count / 10);
    ret_count[1] = (char)('0' + count % 10);
}

/* Every connection has one: printf would cost more than all the rest of its hello. */
void ja4_compute(const struct ja4_hello *hello, char ret_ja4[TLS_JA4_SIZE])
{
    struct ja4_list ciphers, extensions, signatures;
    char text[2 * JA4_LIST_MAX * JA4_ENTRY_TEXT + 1];
    char *at = ret_ja4;

    _Static_assert(JA4_HEAD_TEXT + 2 * (1 + JA4_HASH_TEXT) + 1 == TLS_JA4_SIZE, "head and hashes");
    ja4_read_numbers(hello->ciphers, &ciphers);
    ja4_read_extensions(hello->extensions, &extensions);
    ja4_read_numbers(hello->signatures, &signatures);
    *at++ = hello->transport;
    memcpy(at, ja4_version(hello->version), 2);
    at[2] = hello->has_sni ? 'd' : 'i';
    ja4_count(&ciphers, at + 3);
    ja4_count(&extensions, at + 5);
    ja4_alpn(hello, at + 7);
    at += JA4_HEAD_TEXT - 1;

    *at++ = '_';
    ja4_sort(&ciphers);
    ja4_hash(text, ja4_write(&ciphers, text), at);
    at += JA4_HASH_TEXT;

    *at++ = '_';
    ja4_drop_named(&extensions);
    ja4_sort(&extensions);
    size_t length = ja4_write(&extensions, text);
    if (signatures.kept > 0) {
        text[length++] = '_';
        length += ja4_write(&signatures, text + length);
    }
    ja4_hash(text, length, at);
    at[JA4_HASH_TEXT] = '\0';
}
