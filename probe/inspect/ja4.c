// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/ja4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/inspect/tls_internal.h"

#define JA4_LIST_MAX   512u
#define JA4_ENTRY_TEXT 5u /* "c02b," */
#define JA4_HASH_BYTES 6u
#define JA4_HASH_SIZE  (2 * JA4_HASH_BYTES + 1)

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

static void ja4_sort(struct ja4_list *list)
{
    qsort(list->values, list->kept, sizeof(list->values[0]), ja4_compare);
}

/* "002f,0035": four lower-case digits each. Returns the length; the text has no NUL. */
static size_t ja4_write(const struct ja4_list *list, char *text)
{
    static const char digits[] = "0123456789abcdef";
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

static void ja4_hash(const char *text, size_t length, char ret_hash[JA4_HASH_SIZE])
{
    uint8_t hash[DIGEST_SIZE] = {0};

    /* "000000000000" where there is nothing to hash. */
    if (length > 0) {
        digest_sha256(text, length, hash);
    }
    for (size_t i = 0; i < JA4_HASH_BYTES; i++) {
        snprintf(ret_hash + 2 * i, 3, "%02x", hash[i]);
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
static void ja4_alpn(const struct ja4_hello *hello, char ret_alpn[3])
{
    static const char digits[] = "0123456789abcdef";

    memcpy(ret_alpn, "00", 3);
    if (hello->alpn && hello->alpn_length > 0) {
        uint8_t first = hello->alpn[0], last = hello->alpn[hello->alpn_length - 1];
        bool plain = ja4_is_alphanumeric(first) && ja4_is_alphanumeric(last);
        ret_alpn[0] = plain ? (char)first : digits[first >> 4];
        ret_alpn[1] = plain ? (char)last : digits[last & 15];
    }
}

static unsigned ja4_count(const struct ja4_list *list)
{
    return list->count > 99 ? 99 : (unsigned)list->count;
}

void ja4_compute(const struct ja4_hello *hello, char ret_ja4[TLS_JA4_SIZE])
{
    struct ja4_list ciphers, extensions, signatures;
    char text[2 * JA4_LIST_MAX * JA4_ENTRY_TEXT + 1];
    char alpn[3], cipher_hash[JA4_HASH_SIZE], extension_hash[JA4_HASH_SIZE];

    ja4_read_numbers(hello->ciphers, &ciphers);
    ja4_read_extensions(hello->extensions, &extensions);
    ja4_read_numbers(hello->signatures, &signatures);
    ja4_alpn(hello, alpn);

    ja4_sort(&ciphers);
    ja4_hash(text, ja4_write(&ciphers, text), cipher_hash);

    ja4_drop_named(&extensions);
    ja4_sort(&extensions);
    size_t length = ja4_write(&extensions, text);
    if (signatures.kept > 0) {
        text[length++] = '_';
        length += ja4_write(&signatures, text + length);
    }
    ja4_hash(text, length, extension_hash);

    snprintf(ret_ja4, TLS_JA4_SIZE, "%c%s%c%02u%02u%s_%s_%s", hello->transport,
             ja4_version(hello->version), hello->has_sni ? 'd' : 'i', ja4_count(&ciphers),
             ja4_count(&extensions), alpn, cipher_hash, extension_hash);
}
