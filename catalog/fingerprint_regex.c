// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Lists write most patterns as regular expressions, and nearly all of them are plain text with
 * escapes. What goes beyond `.` and `.*` is not worth a library: 12 of 1,082 in Censored Planet's.
 */
#include <string.h>

#include "base/status.h"
#include "catalog/fingerprint_internal.h"

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* A quantifier or group that is not read. A brace is one only before a number. */
static bool is_operator(const char *at, const char *end)
{
    if (*at == '{')
        return at + 1 < end && at[1] >= '0' && at[1] <= '9';
    return strchr("*+?()[]|^$", *at) != NULL;
}

int fingerprint_translate(const char *expression, size_t length, char *ret_text, uint8_t *ret_wild,
                          size_t *ret_length)
{
    const char *end = expression + length;
    size_t count = 0;

    for (const char *at = expression; at < end; at++) {
        uint8_t wild = WILD_LITERAL;
        if (*at == '\\') {
            if (++at == end || strchr(letters, *at))
                return DL_UNSUPPORTED; /* a class, or a number */
        } else if (*at == '.') {
            wild = at + 1 < end && at[1] == '*' ? WILD_GAP : WILD_ANY;
            at += wild == WILD_GAP;
        } else if (*at == '?' && at + 1 == end && count > 0) {
            count--; /* its last character may be missing: so it is not asked for */
            break;
        } else if (is_operator(at, end)) {
            return DL_UNSUPPORTED;
        }
        ret_text[count] = *at;
        ret_wild[count++] = wild;
    }
    while (count > 0 && ret_wild[count - 1] == WILD_GAP)
        count--; /* says nothing */
    *ret_length = count;
    return DL_OK;
}
