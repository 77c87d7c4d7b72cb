// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What servers said, as hashes, to know other bytes in the same place: of the first
 * CONTENTS_REACH bytes of a server's stream one hash for each 16 bytes, counted from the stream's
 * first byte, so that it does not matter how they were cut into segments, in what order they came,
 * or where a second version begins. Only whole blocks of captured bytes are compared, and two must
 * differ: one byte of a keep-alive, a cut frame or a transmission error says nothing.
 *
 * A ring of a fixed number of streams, the oldest overwritten by the newest: two versions of one
 * place race, so they come within a round trip or two. Nothing is allocated after contents_init(),
 * nothing has to be given back. The hashes are not keyed: none is looked up by, and what an
 * adversary gains by a collision is that his own forgery is not noticed.
 */
#include <stddef.h>
#include <stdint.h>

#include "probe/decode/decode.h"

#define CONTENTS_BLOCK 16u
#define CONTENTS_REACH 16384u
#define CONTENTS_KEPT  4u /* hashes of a conflict that are written down */

struct contents_stream {
    uint32_t ticket; /* whose it is; 0 nobody's */
    uint32_t base;   /* sequence number of the stream's first byte */
    uint32_t known;  /* of the blocks, so many from the first on; the others were not seen, and hold
                        what the stream before left there */
    uint16_t blocks[CONTENTS_REACH / CONTENTS_BLOCK]; /* 0: not seen */
};

struct contents {
    struct contents_stream *streams;
    uint32_t count, last_ticket;
};

struct contents_conflict {
    uint16_t now[CONTENTS_KEPT], before[CONTENTS_KEPT]; /* from the first block that differs on */
    uint32_t compared; /* bytes of the segment for which there was a version before */
};

/* `count` streams at once; 0: nothing is ever compared. DL_OK or -ENOMEM. */
int contents_init(struct contents *contents, uint32_t count);
void contents_finish(struct contents *contents); /* accepts a zeroed one */
size_t contents_memory(const struct contents *contents);

/* A new stream that begins at sequence number `base`. Its ticket, 0 where there is no room at all.
 * Tickets need not be given back. */
uint32_t contents_open(struct contents *contents, uint32_t base);

/* Does the segment say something else than what was there? If not, what is new in it is kept. False
 * also where the stream was overwritten. */
bool contents_differ(struct contents *contents, uint32_t ticket, const struct packet *packet,
                     struct contents_conflict *ret_conflict);
