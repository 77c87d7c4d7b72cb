// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Does what a server sent carry the fingerprint of a block page? Decided here, while the bytes are
 * at hand; only the fact is kept.
 */
#include "catalog/fingerprint.h"
#include "probe/inspect/http.h"
#include "probe/inspect/inspect.h"

/*
 * How many of the server's bytes are worth waiting for, at most INSPECT_STREAM_MAX; 0 where what is
 * there is all, or no more can tell. `fingerprints` may be NULL in all of these.
 */
uint16_t blockpage_wants(const struct fingerprints *fingerprints, const struct inspect_view *view,
                         const struct http_response *response);
/* Looks through the bytes at hand, at most INSPECT_STREAM_MAX of them. */
void blockpage_inspect(const struct fingerprints *fingerprints, const struct inspect_view *view,
                       const struct http_response *response, struct blockpage_facts *ret_facts);
/* An address of a DNS answer. What is known already stays, unless this speaks more clearly. */
void blockpage_inspect_address(const struct fingerprints *fingerprints,
                               const struct address *address, struct blockpage_facts *facts);
