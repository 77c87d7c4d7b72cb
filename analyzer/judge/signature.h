// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the server of a flow logged, as one of the 19 signatures of the passive tampering table
 * (Sundara Raman et al., SIGCOMM 2023, table 1; docs/signatures.md has them all). That table was
 * made at servers, of packets that arrived there: X -> Y, where X is what had come before the event
 * and Y what came after, nothing for more than 3 s or resets. Pure functions of one observation.
 *
 * A flow has a signature only where each packet of the client in it is accounted for. 0: none fits,
 * or one cannot know. That is so
 *   - for a flow whose beginning is not there, whose client was guessed, or whose client said
 *     goodbye with FIN before any reset;
 *   - for resets of both kinds where the table has no row for both (after the handshake, later);
 *   - where resets without ACK flag would have to be told apart by acknowledgement numbers that
 *     were not kept: in stores of older versions, and beyond SUSPECTS_MAX;
 *   - between request and reset: acknowledgements of the client, for then the reset did not come
 *     right after the first data, and there was no second data either.
 *
 * Seen at the server (position `server`) that is exact. Seen near the client the server's log is
 * known by inference only, see signature_near_client() and signature_of_silence().
 */
#include "store/observation.h"

#define SIGNATURE_COUNT 19

/* All that came from the client arrived where this was captured, and `silence_us` passed after the
 * last of it. */
uint8_t signature_of_arrivals(const struct observation *flow, int64_t silence_us);

/* Near the client: the client's side ended it by resets, its own or in its name. Its packets are
 * taken for what arrived; a box in the path may have swallowed any, so this is asked only where
 * there is no sign of one, or where the server answered what it should not have got to hear. */
uint8_t signature_near_client(const struct observation *flow);

/* Near the client: the request was never answered. Acknowledged, the server had it (10). Not
 * acknowledged, it did not arrive (5), or every answer was swallowed (10): the packets do not tell;
 * 5 is given, for it takes one drop and not all of them. 0 where the client had sent more than one
 * piece of data. */
uint8_t signature_of_silence(const struct observation *flow, bool acknowledged);
