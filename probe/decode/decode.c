// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/decode/decode.h"

#include <errno.h>
#include <stdlib.h>

#include "base/status.h"
#include "probe/decode/fragment.h"
#include "probe/decode/layers.h"

struct decoder {
    uint64_t counts[DECODE_KIND_COUNT];
    struct fragments *fragments;
    bool holding; /* the last packet was in the memory of `fragments` */
};

int decoder_create(struct decoder **ret_decoder)
{
    struct decoder *decoder = calloc(1, sizeof(*decoder));
    int status = -ENOMEM;
    if (decoder) {
        decoder->fragments = fragments_create(decoder->counts);
    }
    if (decoder && decoder->fragments) {
        *ret_decoder = decoder;
        status = DL_OK;
    } else {
        decoder_destroy(decoder);
    }
    return status;
}

void decoder_destroy(struct decoder *decoder)
{
    if (decoder) {
        fragments_destroy(decoder->fragments);
        free(decoder);
    }
}

enum decode_kind decoder_decode(struct decoder *decoder, const struct frame *frame,
                                struct packet *ret_packet)
{
    if (decoder->holding) {
        fragments_release(decoder->fragments);
        decoder->holding = false;
    }
    if (frame->link_type == LINK_ETHERNET && plain_decode(frame, ret_packet)) {
        decoder->counts[DECODE_OK]++;
        return DECODE_OK;
    }
    struct walk walk = {
        .fragments = decoder->fragments,
        .frame = frame,
        .packet = ret_packet,
        .missing = frame->length > frame->captured ? frame->length - frame->captured : 0,
    };
    struct cursor bytes = cursor_init(frame->data, frame->captured);
    enum decode_kind kind = link_decode(&walk, &bytes, frame->link_type);
    decoder->holding = walk.reassembled;
    decoder->counts[kind]++;
    return kind;
}

uint64_t decoder_count(const struct decoder *decoder, enum decode_kind kind)
{
    return (unsigned)kind < DECODE_KIND_COUNT ? decoder->counts[kind] : 0;
}

const char *decode_kind_text(enum decode_kind kind)
{
    static const char *const texts[DECODE_KIND_COUNT] = {
        [DECODE_OK] = "decoded",
        [DECODE_FRAGMENT] = "fragment",
        [DECODE_FRAGMENT_LOST] = "fragment of a datagram that never became whole",
        [DECODE_FRAGMENT_OVERLAP] = "fragment that contradicts another",
        [DECODE_LINK_TYPE] = "link type that is not read",
        [DECODE_LINK_SHORT] = "cut off in the link header",
        [DECODE_NOT_IP] = "not IP",
        [DECODE_IP_SHORT] = "cut off in the IP header",
        [DECODE_IP_BAD] = "impossible IP header",
        [DECODE_TRANSPORT_SHORT] = "cut off in the transport header",
        [DECODE_TRANSPORT_BAD] = "impossible transport header",
        [DECODE_PROTOCOL] = "neither TCP, UDP nor ICMP",
        [DECODE_TUNNEL_DEPTH] = "too many tunnels within each other",
    };
    return (unsigned)kind < DECODE_KIND_COUNT ? texts[kind] : "unknown";
}
