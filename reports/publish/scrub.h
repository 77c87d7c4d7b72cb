// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The last look at every written file before it is published: no address of a client or of the probe may
 * be in it, whatever the way it got there.
 *
 * What is looked for: each client address that a store kept (--keep-addresses), each pseudonym of a client,
 * and any address at all that is not one the findings publish as a server's. An address is recognised in
 * dotted and colon form (all spellings of RFC 4291), with percent-, HTML- and JSON-escapes undone, as
 * reversed in-addr.arpa and ip6.arpa names, with dashes for dots, as 8 or 32 hex digits, as a decimal
 * number, in base64 of its text or its bytes. Private, link-local and shared addresses (RFC 6890) never
 * pass, but in stores of the lab.
 *
 * The memory is bounded: SCRUB_ADDRESSES_MAX; beyond it only the general rule looks.
 */
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/status.h"

#define SCRUB_ADDRESSES_MAX (1u << 18)

struct scrub;

int scrub_create(struct scrub **ret_scrub, bool lab); /* lab: private addresses pass */
void scrub_destroy(struct scrub *scrub);              /* accepts NULL */
int scrub_forbid_address(struct scrub *scrub,
                         const struct address *address); /* DL_LIMIT is not an error to stop at */
int scrub_forbid_pseudonym(struct scrub *scrub, uint64_t pseudonym);
int scrub_allow(struct scrub *scrub, const struct address *address); /* a server's */

/* DL_OK, or DL_LEAK with file name, offset and kind of what was found, not the thing itself, in `error`. */
int scrub_file(struct scrub *scrub, FILE *file, const char *name, struct dl_error *error);
