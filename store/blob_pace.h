// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* The bins and losses of a flow's pace in the evidence blob: lists, where other sections are single
 * structs. Byte by byte in blob_fields.h. */
#include "base/cursor.h"
#include "store/observation.h"

#define BLOB_PACE_BODY_MAX (PACE_LOSSES_MAX * 20)

/* Writes the body of a section; returns how many bytes, BLOB_PACE_BODY_MAX at most. */
size_t blob_pace_encode_bins(const struct pace_facts *pace, uint8_t *body);
size_t blob_pace_encode_losses(const struct pace_facts *pace, uint8_t *body);
/* Reads the body of a section to its end, in place of what was there; false where it is malformed.
 */
bool blob_pace_decode_bins(struct cursor *cursor, struct pace_facts *pace);
bool blob_pace_decode_losses(struct cursor *cursor, struct pace_facts *pace);
