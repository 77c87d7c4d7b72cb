// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Putting IP fragments together. At most DECODE_FRAGMENT_SETS datagrams at a time: then the oldest
 * makes room. Fragments that overlap are never trusted (RFC 5722): their datagram is dropped, and
 * so is what still comes of it.
 */
#include <stdint.h>

#include "base/cursor.h"
#include "probe/decode/decode.h"
#include "probe/decode/layers.h"

/* NULL without memory. `counts` are the decoder's: fragments counted as such may turn out to be
 * lost or to overlap. */
struct fragments *fragments_create(uint64_t counts[DECODE_KIND_COUNT]);
void fragments_destroy(struct fragments *fragments); /* accepts NULL */

/* Takes back the datagrams handed out: before the next frame. */
void fragments_release(struct fragments *fragments);

/*
 * Adds a fragment. DECODE_OK when it makes the datagram whole: `ip` then stands for that, and
 * `body` for what is after its header, in memory that stays until fragments_release(). Otherwise
 * the fragment's kind.
 */
enum decode_kind fragments_add(struct fragments *fragments, struct walk *walk, struct ip_layer *ip,
                               const struct fragment *fragment, struct cursor *body);
