// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What an Initial packet carries once it is decrypted (RFC 9000 12.4, 19): of its own, so that
 * fuzzing reaches it without keys.
 */
#include "base/cursor.h"
#include "probe/inspect/quic.h"

/* A variable-length integer (RFC 9000 16). */
uint64_t quic_varint(struct cursor *cursor);

/* Puts the CRYPTO frames into the assembly. False at a frame no Initial may have; what came before
 * it is kept. */
bool quic_read_frames(const uint8_t *bytes, size_t length, struct quic_assembly *assembly);

/* The ClientHello, from what of the CRYPTO stream is there from its start on. */
enum parse_result quic_read_hello(const struct quic_assembly *assembly,
                                  struct tls_client *ret_client);
