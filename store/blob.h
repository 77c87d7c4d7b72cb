// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The evidence blob: evidence_facts, dns_facts, path_facts, pace_facts and import_facts as versioned bytes. Fields are tagged
 * and carry their length, so that an older reader skips what it does not know and a newer one fills
 * what is missing with zero. Read back through base/cursor.h: a store may be hostile.
 */
#include "base/buffer.h"
#include "store/observation.h"

#define BLOB_VERSION 1

/* Appends the blob of an observation's evidence, dns, path, pace and import parts; nothing if none is
 * present. */
void blob_encode(struct buffer *buffer, const struct observation *observation);
/* Fills observation->evidence, ->dns, ->path, ->pace and ->import. DL_OK, DL_MALFORMED, DL_VERSION. */
int blob_decode(const void *bytes, size_t length, struct observation *observation);
