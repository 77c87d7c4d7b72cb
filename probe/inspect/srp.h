// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * BlackBerry's Server Routing Protocol on TCP 3101, as far as it is documented: only the order of
 * messages, not their bytes (BES 5 Security Technical Overview, initial connection; BES10 security
 * overview). So this is a score of signs, no dissection: the client speaks first, not in TLS, HTTP
 * or SSH; an SRP identifier ([ST] and eight digits) among its first 128 bytes; a small first answer
 * of high entropy; then 20-byte answers to the challenges. Field offsets are treated as unknown.
 */
#include "probe/inspect/parse.h"

#define SRP_LENGTHS 4

struct srp_signs {
    const uint8_t *client_first, *server_first; /* first payloads; NULL where none yet */
    size_t client_captured, server_captured;
    uint16_t client_lengths[SRP_LENGTHS], server_lengths[SRP_LENGTHS];
    uint8_t client_count, server_count;
    bool client_spoke_first;
    uint16_t server_port;
};

struct srp_score {
    uint8_t points;      /* of the payload signs alone: port and address are the classifier's */
    bool has_identifier; /* [ST][0-9]{8} */
    bool excluded;       /* something else for certain: TLS, HTTP, SSH, server spoke first */
};

void srp_score(const struct srp_signs *signs, struct srp_score *ret_score);
