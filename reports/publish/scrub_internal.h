// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the parts of the scrub share.
 *
 * Two rules. By the strict one a known client's address or pseudonym is found in every spelling, whatever stands
 * around it. By the general one any address in dotted or colon form, or in a name under arpa, must be one that is
 * allowed; it leaves alone what stands where versions and other dotted numbers do: after a letter or
 * digit, after "version", after a product's name and one slash, or in a row of more than four numbers.
 * In hexadecimal, decimal, with dashes and in base64 only known ones count: there any number is an
 * address.
 */
#include "reports/publish/scrub.h"

/* ---- what is known ---- */

bool scrub_is_forbidden(const struct scrub *scrub, const struct address *address);
bool scrub_is_pseudonym(const struct scrub *scrub, uint64_t pseudonym);
/* By the general rule. */
bool scrub_is_allowed(const struct scrub *scrub, const struct address *address);

/* ---- escapes ---- */

/* Undoes one layer of percent-, HTML- and JSON-escapes of ASCII. `origin` tells where each byte of
 * `from` stood in the file's window, `ret_origin` the same of `to`, which is no longer than `from`.
 * Returns its length; equal to `length` where there was nothing to undo. */
size_t scrub_unescape(const uint8_t *from, const uint32_t *origin, size_t length, uint8_t *to,
                      uint32_t *ret_origin);

/* ---- looking ---- */

struct scrub_text {
    const struct scrub *scrub;
    const uint8_t *bytes;
    const uint32_t *origin;
    size_t length;
};
struct scrub_found {
    const char *what; /* NULL: nothing */
    uint32_t origin;
};
struct scrub_found scrub_look(const struct scrub_text *text);        /* scrub_look.c */
struct scrub_found scrub_look_base64(const struct scrub_text *text); /* scrub_base64.c */
