// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A carrier that carries nothing. Candidates whose controls failed as well are no claim about one
 * service; where several of them got no answer at all at the same time, and not for want of DNS, the
 * line itself is dark. A dead resolver is no shutdown.
 */
#include "analyzer/detect/candidate.h"

#define SHUTDOWN_SERVICES 2

/*
 * Makes an event of the carrier-wide candidates of one carrier that overlap in time. `candidates`
 * are pointers, of one carrier, in any order. True with the event filled (all but id and state), and
 * ret_used[i] for those that it stands for.
 */
bool shutdown_find(const struct candidate *const *candidates, size_t count, struct event *ret_event,
                   bool *ret_used);
