// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>
#include <strings.h>

#include "reports/publish/scrub_internal.h"

#define V4_LEAST   UINT32_C(0x01000000) /* 1.0.0.0: smaller numbers are no addresses */
#define WORD_BACK  24                   /* how far back "version" is looked for */
#define NIBBLES    32
#define GROUPS_MAX 8

enum kind { OTHER = 0, DIGIT = 1, HEX = 2, LETTER = 4 }; /* bits; HEX: a-f */
#define ALNUM (DIGIT | HEX | LETTER)

static const uint8_t kinds[256] = {
    ['0'] = DIGIT,  ['1'] = DIGIT,  ['2'] = DIGIT,  ['3'] = DIGIT,  ['4'] = DIGIT,  ['5'] = DIGIT,
    ['6'] = DIGIT,  ['7'] = DIGIT,  ['8'] = DIGIT,  ['9'] = DIGIT,  ['a'] = HEX,    ['b'] = HEX,
    ['c'] = HEX,    ['d'] = HEX,    ['e'] = HEX,    ['f'] = HEX,    ['A'] = HEX,    ['B'] = HEX,
    ['C'] = HEX,    ['D'] = HEX,    ['E'] = HEX,    ['F'] = HEX,    ['g'] = LETTER, ['h'] = LETTER,
    ['i'] = LETTER, ['j'] = LETTER, ['k'] = LETTER, ['l'] = LETTER, ['m'] = LETTER, ['n'] = LETTER,
    ['o'] = LETTER, ['p'] = LETTER, ['q'] = LETTER, ['r'] = LETTER, ['s'] = LETTER, ['t'] = LETTER,
    ['u'] = LETTER, ['v'] = LETTER, ['w'] = LETTER, ['x'] = LETTER, ['y'] = LETTER, ['z'] = LETTER,
    ['G'] = LETTER, ['H'] = LETTER, ['I'] = LETTER, ['J'] = LETTER, ['K'] = LETTER, ['L'] = LETTER,
    ['M'] = LETTER, ['N'] = LETTER, ['O'] = LETTER, ['P'] = LETTER, ['Q'] = LETTER, ['R'] = LETTER,
    ['S'] = LETTER, ['T'] = LETTER, ['U'] = LETTER, ['V'] = LETTER, ['W'] = LETTER, ['X'] = LETTER,
    ['Y'] = LETTER, ['Z'] = LETTER};

/* The byte there; 0 beyond either end. */
static uint8_t byte_at(const struct scrub_text *text, size_t at)
{
    return at < text->length ? text->bytes[at] : 0;
}

static bool is_kind(const struct scrub_text *text, size_t at, unsigned mask)
{
    return (kinds[byte_at(text, at)] & mask) != 0;
}

static unsigned hex_of(uint8_t byte)
{
    return byte <= '9' ? byte - (unsigned)'0' : (byte | 0x20u) - 'a' + 10u;
}

static bool follows(const struct scrub_text *text, size_t at, const char *word)
{
    size_t length = strlen(word);
    return at + length <= text->length &&
           strncasecmp((const char *)text->bytes + at, word, length) == 0;
}

/* ---- dotted, with dashes, and under in-addr.arpa ---- */

/* A number of one to three digits up to 255; 0 for none. */
static size_t octet(const struct scrub_text *text, size_t at, uint8_t *ret_value)
{
    unsigned value = 0;
    size_t length = 0;

    while (length < 4 && is_kind(text, at + length, DIGIT))
        value = 10 * value + (unsigned)(text->bytes[at + length++] - '0');
    if (length == 0 || length > 3 || value > 255)
        return 0;
    *ret_value = (uint8_t)value;
    return length;
}

/* Four of them; returns where they end, 0 where there are not four. */
static size_t quad(const struct scrub_text *text, size_t at, uint8_t separator,
                   uint8_t ret_bytes[4])
{
    for (int i = 0; i < 4; i++) {
        size_t length = octet(text, at, &ret_bytes[i]);
        if (length == 0 || (i < 3 && byte_at(text, at + length) != separator))
            return 0;
        at += length + (i < 3);
    }
    return at;
}

/* "version", as a word or a key, not far before. */
static bool is_version(const struct scrub_text *text, size_t at)
{
    size_t from = at > WORD_BACK ? at - WORD_BACK : 0;

    for (size_t i = from; i + 7 <= at; i++)
        if (follows(text, i, "version"))
            return true;
    return at >= 2 && text->bytes[at - 1] == '/' && is_kind(text, at - 2, ALNUM);
}

/* More numbers before or after: no address but a version, a name of ASN.1 or the like. */
static bool stands_alone(const struct scrub_text *text, size_t at, size_t end)
{
    bool more_before = at >= 2 && text->bytes[at - 1] == '.' && is_kind(text, at - 2, DIGIT);
    bool more_after = byte_at(text, end) == '.' && is_kind(text, end + 1, DIGIT);
    bool attached = (at >= 1 && is_kind(text, at - 1, ALNUM)) || is_kind(text, end, ALNUM);

    return !more_before && !more_after && !attached;
}

static const char *look_dotted(const struct scrub_text *text, size_t at)
{
    uint8_t bytes[4], reversed[4];
    size_t end = quad(text, at, '.', bytes);
    struct address address, other;

    if (end == 0)
        return NULL;
    for (int i = 0; i < 4; i++)
        reversed[i] = bytes[3 - i];
    address = address_from_v4(bytes);
    other = address_from_v4(reversed);
    if (scrub_is_forbidden(text->scrub, &address))
        return "a client's address";
    if (follows(text, end, ".in-addr.arpa"))
        return scrub_is_forbidden(text->scrub, &other) || !scrub_is_allowed(text->scrub, &other)
                   ? "an address under in-addr.arpa"
                   : NULL;
    if (!stands_alone(text, at, end) || is_version(text, at))
        return NULL;
    return scrub_is_allowed(text->scrub, &address) ? NULL : "an address that is no server's";
}

static const char *look_dashed(const struct scrub_text *text, size_t at)
{
    uint8_t bytes[4];
    struct address address;

    if (quad(text, at, '-', bytes) == 0)
        return NULL;
    address = address_from_v4(bytes);
    return scrub_is_forbidden(text->scrub, &address) ? "a client's address with dashes" : NULL;
}

/* ---- version 6 ---- */

struct groups {
    uint16_t values[GROUPS_MAX];
    unsigned count, gap; /* gap: how many stand before "::"; GROUPS_MAX + 1: there is none */
    size_t end;
};

/* A last part in dotted form is two groups. */
static bool take_quad(const struct scrub_text *text, struct groups *groups)
{
    uint8_t bytes[4];
    size_t end = quad(text, groups->end, '.', bytes);

    if (end == 0 || groups->count > GROUPS_MAX - 2)
        return false;
    groups->values[groups->count++] = (uint16_t)(bytes[0] << 8 | bytes[1]);
    groups->values[groups->count++] = (uint16_t)(bytes[2] << 8 | bytes[3]);
    groups->end = end;
    return true;
}

static size_t take_group(const struct scrub_text *text, struct groups *groups)
{
    unsigned value = 0;
    size_t length = 0;

    while (length < 5 && is_kind(text, groups->end + length, DIGIT | HEX))
        value = value << 4 | hex_of(text->bytes[groups->end + length++]);
    if (length == 0 || length > 4 || groups->count == GROUPS_MAX)
        return 0;
    groups->values[groups->count++] = (uint16_t)value;
    groups->end += length;
    return length;
}

/* RFC 4291 2.2, with ':' or, as some names have it, '-'. */
static bool take_groups(const struct scrub_text *text, size_t at, uint8_t separator,
                        struct groups *groups)
{
    *groups = (struct groups){.gap = GROUPS_MAX + 1, .end = at};
    for (;;) {
        bool pair =
            byte_at(text, groups->end) == separator && byte_at(text, groups->end + 1) == separator;
        if (pair && groups->gap > GROUPS_MAX) {
            groups->gap = groups->count;
            groups->end += 2;
        } else if (groups->end != at && groups->count > 0 &&
                   byte_at(text, groups->end) == separator &&
                   is_kind(text, groups->end + 1, DIGIT | HEX)) {
            groups->end++;
        } else if (groups->end != at) {
            break;
        }
        if (separator == ':' && take_quad(text, groups))
            break;
        if (take_group(text, groups) == 0)
            break;
    }
    return groups->gap <= GROUPS_MAX ? groups->count < GROUPS_MAX : groups->count == GROUPS_MAX;
}

static void address_of(const struct groups *groups, struct address *ret_address)
{
    unsigned tail = groups->gap <= GROUPS_MAX ? groups->count - groups->gap : 0;

    memset(ret_address, 0, sizeof(*ret_address));
    for (unsigned i = 0; i < groups->count; i++) {
        unsigned place = i < groups->count - tail ? i : GROUPS_MAX - groups->count + i;
        ret_address->bytes[2 * place] = (uint8_t)(groups->values[i] >> 8);
        ret_address->bytes[2 * place + 1] = (uint8_t)groups->values[i];
    }
}

/* 2000::/3, fc00::/7, fe80::/10, ff00::/8, and what holds one of version 4: what else has colons and
 * hexadecimal digits is taken for no address. */
static bool looks_like_address(const struct groups *groups, const struct address *address)
{
    uint16_t first = groups->values[0];

    if (groups->gap == 0 || groups->count < 2)
        return address_is_v4(address) && groups->gap <= GROUPS_MAX;
    return first >> 13 == 1 || first >> 9 == 0x7e || first >> 6 == 0x3fa || first >> 8 == 0xff;
}

static const char *look_groups(const struct scrub_text *text, size_t at, uint8_t separator)
{
    struct groups groups;
    struct address address;

    if (!take_groups(text, at, separator, &groups))
        return NULL;
    address_of(&groups, &address);
    if (scrub_is_forbidden(text->scrub, &address))
        return separator == ':' ? "a client's address" : "a client's address with dashes";
    if (separator != ':' || is_kind(text, groups.end, ALNUM) ||
        (at >= 1 && (is_kind(text, at - 1, ALNUM) || text->bytes[at - 1] == ':')))
        return NULL;
    return looks_like_address(&groups, &address) && !scrub_is_allowed(text->scrub, &address)
               ? "an address that is no server's"
               : NULL;
}

static const char *look_ip6_arpa(const struct scrub_text *text, size_t at)
{
    struct address address = {{0}};

    for (size_t i = 0; i < NIBBLES; i++) {
        if (!is_kind(text, at + 2 * i, DIGIT | HEX) || byte_at(text, at + 2 * i + 1) != '.')
            return NULL;
        unsigned nibble = hex_of(text->bytes[at + 2 * i]);
        address.bytes[15 - i / 2] |= (uint8_t)(i % 2 ? nibble << 4 : nibble);
    }
    if (!follows(text, at + 2 * NIBBLES, "ip6.arpa"))
        return NULL;
    return scrub_is_allowed(text->scrub, &address) && !scrub_is_forbidden(text->scrub, &address)
               ? NULL
               : "an address under ip6.arpa";
}

/* ---- as a number ---- */

static bool is_forbidden_v4(const struct scrub_text *text, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};
    struct address address = address_from_v4(bytes);
    return scrub_is_forbidden(text->scrub, &address);
}

static const char *look_hex(const struct scrub_text *text, size_t at, size_t length)
{
    struct address address;
    uint64_t halves[2] = {0, 0};

    for (size_t i = 0; i < length; i++) {
        uint64_t *half = &halves[i / 16];
        *half = *half << 4 | hex_of(text->bytes[at + i]);
    }
    if (length == 8)
        return is_forbidden_v4(text, (uint32_t)halves[0]) ? "a client's address in hexadecimal"
                                                          : NULL;
    if (length == 16)
        return scrub_is_pseudonym(text->scrub, halves[0]) ? "a client's pseudonym" : NULL;
    for (int i = 0; i < 16; i++)
        address.bytes[i] = (uint8_t)(halves[i / 8] >> (56 - 8 * (i % 8)));
    return scrub_is_forbidden(text->scrub, &address) ? "a client's address in hexadecimal" : NULL;
}

/* No digits behind or before a decimal point. */
static const char *look_decimal(const struct scrub_text *text, size_t at, size_t length)
{
    bool negative = at >= 1 && text->bytes[at - 1] == '-';
    bool fraction = (at >= 2 && text->bytes[at - 1] == '.' && is_kind(text, at - 2, DIGIT)) ||
                    (byte_at(text, at + length) == '.' && is_kind(text, at + length + 1, DIGIT));
    uint64_t value = 0;

    for (size_t i = 0; i < length; i++)
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(text->bytes[at + i] - '0'), &value))
            return NULL;
    if (!fraction && value >= V4_LEAST && value <= UINT32_MAX &&
        is_forbidden_v4(text, (uint32_t)value))
        return "a client's address as a number";
    if (scrub_is_pseudonym(text->scrub, value) ||
        (negative && scrub_is_pseudonym(text->scrub, UINT64_C(0) - value)))
        return "a client's pseudonym as a number";
    return NULL;
}

/* A whole word of letters and digits; `mask` tells what is in it. */
static const char *look_word(const struct scrub_text *text, size_t at, size_t length, unsigned mask)
{
    bool prefixed = length > 2 && follows(text, at, "0x");
    uint8_t before = at >= 1 ? text->bytes[at - 1] : 0;
    const char *what = NULL;

    if (prefixed) {
        at += 2;
        length -= 2;
        mask = 0;
        for (size_t i = 0; i < length; i++)
            mask |= kinds[text->bytes[at + i]];
    }
    if (mask & LETTER)
        return NULL;
    if (mask == DIGIT && length >= 8 && length <= 20)
        what = look_decimal(text, at, length);
    /* Eight digits without a letter are more often a count than hexadecimal. */
    if (!what && length == 8 && (mask != DIGIT || prefixed || before == '"' || before == '\''))
        what = look_hex(text, at, length);
    if (!what && (length == 16 || length == 32))
        what = look_hex(text, at, length);
    return what;
}

/* ---- everything ---- */

static const char *look_at_word(const struct scrub_text *text, size_t at, size_t length,
                                unsigned mask)
{
    uint8_t next = byte_at(text, at + length);
    const char *what = NULL;
    size_t digits = 0;

    if (length >= 8)
        what = look_word(text, at, length, mask);
    if (!what && length <= 4 && !(mask & LETTER) && next == ':')
        what = look_groups(text, at, ':');
    if (!what && length <= 4 && !(mask & LETTER) && next == '-')
        what = look_groups(text, at, '-');
    if (!what && length == 1 && !(mask & LETTER) && next == '.')
        what = look_ip6_arpa(text, at);
    /* The digits it ends with: "ip10.0.0.1" is one, too. */
    while (digits < length && digits < 4 && is_kind(text, at + length - digits - 1, DIGIT))
        digits++;
    if (what || digits == 0 || digits > 3)
        return what;
    if (next == '.')
        what = look_dotted(text, at + length - digits);
    else if (next == '-')
        what = look_dashed(text, at + length - digits);
    return what;
}

struct scrub_found scrub_look(const struct scrub_text *text)
{
    for (size_t i = 0; i < text->length;) {
        const char *what = NULL;
        size_t start = i;
        unsigned mask = 0;
        while (i < text->length && kinds[text->bytes[i]])
            mask |= kinds[text->bytes[i++]];
        if (i > start) {
            uint8_t next = byte_at(text, i);
            if (i - start >= 8 || next == '.' || next == ':' || next == '-')
                what = look_at_word(text, start, i - start, mask);
        } else {
            if (text->bytes[i] == ':' && byte_at(text, i + 1) == ':' &&
                (i == 0 || (!is_kind(text, i - 1, ALNUM) && text->bytes[i - 1] != ':')))
                what = look_groups(text, i, ':');
            i++;
        }
        if (what)
            return (struct scrub_found){what, text->origin[start]};
    }
    return (struct scrub_found){NULL, 0};
}
