// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Addresses in base64 (RFC 4648, both alphabets): as text, wherever in a longer piece that it begins, so
 * a run is decoded from each of its first four characters; as bytes, where they are all that is encoded.
 */
#include <string.h>

#include "base/array.h"
#include "reports/publish/scrub_internal.h"

#define RUN_TEXT_LEAST 10 /* "1.2.3.4" */
#define PART           768
#define PART_OVERLAP   96 /* characters: more than a text of any address needs */
#define NONE           0xff

static uint8_t value_of(uint8_t byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (uint8_t)(byte - 'A');
    if (byte >= 'a' && byte <= 'z')
        return (uint8_t)(byte - 'a' + 26);
    if (byte >= '0' && byte <= '9')
        return (uint8_t)(byte - '0' + 52);
    if (byte == '+' || byte == '-')
        return 62;
    return byte == '/' || byte == '_' ? 63 : NONE;
}

static size_t decode(const uint8_t *values, const uint8_t *from, size_t length, uint8_t *to)
{
    uint32_t bits = 0;
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        bits = bits << 6 | values[from[i]];
        if (i % 4 == 3) {
            to[used++] = (uint8_t)(bits >> 16);
            to[used++] = (uint8_t)(bits >> 8);
            to[used++] = (uint8_t)bits;
        }
    }
    if (length % 4 >= 2)
        to[used++] = (uint8_t)(length % 4 == 2 ? bits >> 4 : bits >> 10);
    if (length % 4 == 3)
        to[used++] = (uint8_t)(bits >> 2);
    return used;
}

/* Is anything in it that a text of an address could be? */
static bool worth_a_look(const uint8_t *bytes, size_t length)
{
    size_t run = 0, dots = 0;

    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bytes[i];
        bool hex = (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
        bool mark = byte == '.' || byte == ':';
        run = hex || mark ? run + 1 : 0;
        dots = run == 0 ? 0 : dots + mark;
        if (run >= 4 && dots >= 2)
            return true;
    }
    return false;
}

/* Whole bytes: an address, or a pseudonym. */
static const char *look_bytes(const struct scrub *scrub, const uint8_t *values, const uint8_t *run,
                              size_t length, size_t padding)
{
    uint8_t bytes[18];
    struct address address;
    uint64_t pseudonym = 0;

    if (!(length == 6 && padding == 2) && !(length == 11 && padding == 1) && length != 22)
        return NULL;
    decode(values, run, length, bytes);
    if (length == 11) {
        for (int i = 0; i < 8; i++)
            pseudonym = pseudonym << 8 | bytes[i];
        return scrub_is_pseudonym(scrub, pseudonym) ? "a client's pseudonym in base64" : NULL;
    }
    if (length == 6)
        address = address_from_v4(bytes);
    else
        memcpy(address.bytes, bytes, sizeof(address.bytes));
    return scrub_is_forbidden(scrub, &address) ? "a client's address in base64" : NULL;
}

/* Only known ones: decoded at four places, most of it is noise. Writes where it is. */
static const char *look_decoded(const struct scrub *scrub, const uint8_t *bytes, size_t length,
                                size_t *ret_at)
{
    uint32_t places[PART];
    struct scrub_text text = {scrub, bytes, places, length};

    for (uint32_t i = 0; i < length; i++)
        places[i] = i;
    /* What the general rule finds may be noise, and may hide what comes after it. */
    while (text.length > 0) {
        struct scrub_found found = scrub_look(&text);
        if (!found.what)
            return NULL;
        *ret_at = found.origin;
        if (strncmp(found.what, "a client", 8) == 0)
            return "a client's address in base64";
        text.bytes++;
        text.origin++;
        text.length--;
    }
    return NULL;
}

/* `ret_at`: where about in the run. */
static const char *look_text(const struct scrub *scrub, const uint8_t *values, const uint8_t *run,
                             size_t length, size_t *ret_at)
{
    uint8_t bytes[PART];

    for (size_t phase = 0; phase < 4; phase++) {
        for (size_t from = phase; from + RUN_TEXT_LEAST <= length;) {
            size_t part = MIN_OF(length - from, (size_t)PART), at = 0;
            size_t got = decode(values, run + from, part, bytes);
            const char *what =
                worth_a_look(bytes, got) ? look_decoded(scrub, bytes, got, &at) : NULL;
            *ret_at = from + 4 * at / 3;
            if (what)
                return what;
            if (from + part == length)
                break;
            from += PART - PART_OVERLAP; /* both divide by four */
        }
    }
    return NULL;
}

struct scrub_found scrub_look_base64(const struct scrub_text *text)
{
    uint8_t values[256];

    for (size_t i = 0; i < sizeof(values); i++)
        values[i] = value_of((uint8_t)i);
    for (size_t i = 0; i < text->length;) {
        size_t start = i, padding = 0, at = 0;
        while (i < text->length && values[text->bytes[i]] != NONE)
            i++;
        if (i == start) {
            i++;
            continue;
        }
        while (padding < 2 && i + padding < text->length && text->bytes[i + padding] == '=')
            padding++;
        const char *what = look_bytes(text->scrub, values, text->bytes + start, i - start, padding);
        if (!what && i - start >= RUN_TEXT_LEAST)
            what = look_text(text->scrub, values, text->bytes + start, i - start, &at);
        if (what)
            return (struct scrub_found){what, text->origin[start + at]};
    }
    return (struct scrub_found){NULL, 0};
}
