// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Whose flow it is, from its first packet: a SYN and a SYN-ACK know; else the local networks say it,
 * then the ports that servers have, then the higher port (TCP) or who speaks first (all others).
 */
#include "probe/flow/track.h"

/* Is the packet's source the client? *ret_guessed: nobody knows; a TCP flow whose SYN was not seen, but
 * where place and port agree. */
bool client_is_source(const struct track_options *options, const struct packet *packet,
                      bool *ret_guessed);
