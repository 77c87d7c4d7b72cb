// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/inspect.h"

#include "base/array.h"
#include "base/status.h"
#include "probe/inspect/quic.h"

int inspector_pools_init(struct inspector_pools *pools, uint32_t streams_maximum,
                         const struct catalog *catalog)
{
    memset(pools, 0, sizeof(*pools));
    pools->catalog = catalog;
    int status = pool_init(&pools->streams, sizeof(struct stream_buffer), streams_maximum);
    if (status == DL_OK)
        status = pool_init(&pools->assemblies, sizeof(struct quic_assembly), streams_maximum);
    if (status != DL_OK)
        inspector_pools_finish(pools);
    return status;
}

void inspector_pools_finish(struct inspector_pools *pools)
{
    pool_finish(&pools->streams);
    pool_finish(&pools->assemblies);
}

void inspection_begin(struct inspection *inspection, uint8_t transport, uint16_t server_port)
{
    (void)server_port;
    for (size_t i = 0; i < inspector_count; i++) {
        if (inspectors[i].transport != transport)
            continue;
        if (inspectors[i].client)
            inspection->candidates[SIDE_CLIENT] |= 1u << i;
        if (inspectors[i].server)
            inspection->candidates[SIDE_SERVER] |= 1u << i;
    }
}

void inspection_end(struct inspector_pools *pools, struct inspection *inspection)
{
    for (int side = 0; side < 2; side++) {
        pool_give(&pools->streams, inspection->stream[side]);
        inspection->stream[side] = POOL_NONE;
    }
    pool_give(&pools->assemblies, inspection->quic);
    inspection->quic = POOL_NONE;
}

/* ---- putting bytes in order ---- */

/* Adds [start, end) to the sorted, disjoint ranges; false when there is no room for one more hole.
 */
static bool ranges_add(struct stream_buffer *stream, uint16_t start, uint16_t end)
{
    unsigned at = 0;
    while (at < stream->range_count && stream->ranges[at].end < start)
        at++;
    unsigned last = at;
    while (last < stream->range_count && stream->ranges[last].start <= end) {
        start = MIN_OF(start, stream->ranges[last].start);
        end = MAX_OF(end, stream->ranges[last].end);
        last++;
    }
    if (last == at) {
        if (stream->range_count == INSPECT_RANGES_MAX)
            return false;
        memmove(&stream->ranges[at + 1], &stream->ranges[at],
                (stream->range_count - at) * sizeof(stream->ranges[0]));
        stream->range_count++;
    } else if (last - at > 1) {
        memmove(&stream->ranges[at + 1], &stream->ranges[last],
                (stream->range_count - last) * sizeof(stream->ranges[0]));
        stream->range_count -= (uint16_t)(last - at - 1);
    }
    stream->ranges[at].start = start;
    stream->ranges[at].end = end;
    return true;
}

/* What came first stays, as with most receivers: a page that was slipped in is not overwritten by
 * the server's own answer. */
static void copy_missing(struct stream_buffer *stream, uint32_t offset, const uint8_t *bytes,
                         uint32_t length)
{
    uint32_t at = offset, end = offset + length;
    for (unsigned i = 0; i < stream->range_count && at < end; i++) {
        uint32_t stop = MIN_OF(stream->ranges[i].start, end);
        if (at < stop)
            memcpy(stream->bytes + at, bytes + (at - offset), stop - at);
        at = MAX_OF(at, stream->ranges[i].end);
    }
    if (at < end)
        memcpy(stream->bytes + at, bytes + (at - offset), end - at);
}

static void stream_add(struct stream_buffer *stream, uint32_t offset, const uint8_t *bytes,
                       uint32_t length)
{
    if (offset >= INSPECT_STREAM_MAX || length == 0)
        return;
    length = MIN_OF(length, INSPECT_STREAM_MAX - offset);
    copy_missing(stream, offset, bytes, length);
    (void)ranges_add(stream, (uint16_t)offset, (uint16_t)(offset + length));
}

static uint32_t stream_prefix(const struct stream_buffer *stream)
{
    return stream->range_count && stream->ranges[0].start == 0 ? stream->ranges[0].end : 0;
}

static struct stream_buffer *stream_of(struct inspector_pools *pools, struct inspection *inspection,
                                       enum side side, bool make)
{
    if (!inspection->stream[side] && make) {
        inspection->stream[side] = pool_take(&pools->streams);
        pools->refused += inspection->stream[side] == POOL_NONE;
    }
    return inspection->stream[side] ? pool_at(&pools->streams, inspection->stream[side]) : NULL;
}

/* ---- asking the inspectors ---- */

static void side_done(struct inspector_pools *pools, struct inspection *inspection, enum side side)
{
    inspection->side_state[side] = INSPECT_SIDE_DONE;
    pool_give(&pools->streams, inspection->stream[side]);
    inspection->stream[side] = POOL_NONE;
    if (side == SIDE_CLIENT) {
        pool_give(&pools->assemblies, inspection->quic);
        inspection->quic = POOL_NONE;
    }
}

static void choose(struct inspection *inspection, size_t i, enum side side)
{
    inspection->chosen = (uint8_t)(i + 1);
    inspection->candidates[side] = 1u << i;
    inspection->candidates[!side] &= 1u << i;
    if (!inspection->facts.protocol)
        inspection->facts.protocol = inspectors[i].protocol;
    inspection->wants_dpi |= inspectors[i].dpi_too;
}

static enum parse_result ask_one(struct inspector_pools *pools, struct inspection *inspection,
                                 enum side side, size_t i, const struct inspect_view *view)
{
    const struct inspector *inspector = &inspectors[i];
    return side == SIDE_CLIENT ? inspector->client(pools, inspection, view)
                               : inspector->server(pools, inspection, view);
}

/* Asks every candidate. PARSE_MORE where one still may say yes, PARSE_NOT_MINE when none is left.
 */
static enum parse_result ask(struct inspector_pools *pools, struct inspection *inspection,
                             enum side side, const struct inspect_view *view)
{
    uint32_t candidates = inspection->candidates[side];
    if (!candidates)
        return PARSE_NOT_MINE;
    for (size_t i = 0; i < inspector_count; i++) {
        if (!(candidates & 1u << i))
            continue;
        enum parse_result result = ask_one(pools, inspection, side, i, view);
        if (result == PARSE_DONE) {
            choose(inspection, i, side);
            return PARSE_DONE;
        }
        if (result == PARSE_NOT_MINE)
            inspection->candidates[side] &= ~(1u << i);
    }
    return inspection->candidates[side] ? PARSE_MORE : PARSE_NOT_MINE;
}

static void nobody_knows(struct inspector_pools *pools, struct inspection *inspection,
                         enum side side)
{
    side_done(pools, inspection, side);
    if (!inspection->chosen)
        inspection->wants_dpi = true;
}

/* What an answer means for this side. True when something was learnt. */
static bool take_answer(struct inspector_pools *pools, struct inspection *inspection,
                        enum side side, enum parse_result result)
{
    if (result == PARSE_MORE)
        return inspection->facts.host[0] != '\0';
    if (result == PARSE_DONE)
        side_done(pools, inspection, side);
    else
        nobody_knows(pools, inspection, side);
    return true;
}

static void remember_first(struct inspection *inspection, enum side side,
                           const struct packet *packet)
{
    if (inspection->length_count[0] == 0 && inspection->length_count[1] == 0)
        inspection->client_first = side == SIDE_CLIENT;
    if (inspection->length_count[side] == 0 && packet->payload) {
        inspection->first_captured[side] =
            (uint8_t)MIN_OF(packet->payload_captured, INSPECT_FIRST_BYTES);
        memcpy(inspection->first[side], packet->payload, inspection->first_captured[side]);
    }
    if (inspection->length_count[side] < CATALOG_WIRE_LENGTHS)
        inspection->lengths[side][inspection->length_count[side]++] =
            (uint16_t)MIN_OF(packet->payload_length, UINT16_MAX);
}

static bool inspect_segment(struct inspector_pools *pools, struct inspection *inspection,
                            enum side side, const struct packet *packet)
{
    if (!inspection->has_base[side])
        inspection_set_base(inspection, side, packet->seq);
    uint32_t offset = packet->seq - inspection->base_seq[side];
    bool cut = packet->payload_captured < packet->payload_length;
    struct inspect_view view = {.final = cut,
                                .server_port = side == SIDE_CLIENT ? packet->destination_port
                                                                   : packet->source_port};
    if ((int32_t)offset < 0) { /* keepalive, or before what is wanted (STARTTLS) */
        uint32_t skip = 0u - offset;
        if (skip >= packet->payload_captured)
            return false;
        struct packet rest = *packet;
        rest.seq += skip;
        rest.payload += skip;
        rest.payload_captured -= skip;
        rest.payload_length -= skip;
        return inspect_segment(pools, inspection, side, &rest);
    }
    inspection->cut |= cut;
    struct stream_buffer *stream = stream_of(pools, inspection, side, offset != 0);
    view.bytes = packet->payload;
    view.length = packet->payload_captured;
    if (stream) {
        stream_add(stream, offset, packet->payload, packet->payload_captured);
        view.bytes = stream->bytes;
        view.length = stream_prefix(stream);
        view.final |= view.length == INSPECT_STREAM_MAX;
    } else if (offset != 0) {
        view.length = 0;
    }
    if (view.length == 0)
        return false;
    /* The side said goodbye: what may still come is somebody else's. */
    view.final |= (packet->tcp_flags & TCP_FIN) && view.length == offset + packet->payload_length;
    uint32_t base = inspection->base_seq[side];
    enum parse_result result = ask(pools, inspection, side, &view);
    if (inspection->base_seq[side] != base) { /* the inspector wants what comes later: STARTTLS */
        pool_give(&pools->streams, inspection->stream[side]);
        inspection->stream[side] = POOL_NONE;
        return true;
    }
    if (result == PARSE_MORE && view.final)
        result = inspection->chosen ? PARSE_DONE : PARSE_NOT_MINE;
    if (result == PARSE_MORE && !stream) {
        stream = stream_of(pools, inspection, side, true);
        if (stream)
            stream_add(stream, 0, packet->payload, packet->payload_captured);
    }
    return take_answer(pools, inspection, side, result);
}

static bool inspect_datagram(struct inspector_pools *pools, struct inspection *inspection,
                             enum side side, const struct packet *packet)
{
    struct inspect_view view = {.bytes = packet->payload,
                                .length = packet->payload_captured,
                                .final = true,
                                .server_port = side == SIDE_CLIENT ? packet->destination_port
                                                                   : packet->source_port};
    enum parse_result result = ask(pools, inspection, side, &view);
    return take_answer(pools, inspection, side, result);
}

bool inspect_payload(struct inspector_pools *pools, struct inspection *inspection, enum side side,
                     const struct packet *packet)
{
    remember_first(inspection, side, packet);
    inspection->packets += inspection->packets < UINT8_MAX;
    if (inspection->side_state[side] == INSPECT_SIDE_DONE || !packet->payload ||
        packet->payload_captured == 0)
        return false;
    if (packet->transport == TRANSPORT_TCP)
        return inspect_segment(pools, inspection, side, packet);
    return inspect_datagram(pools, inspection, side, packet);
}

bool inspect_finish(struct inspector_pools *pools, struct inspection *inspection, uint8_t transport)
{
    bool learnt = false;
    for (int side = 0; side < 2; side++) {
        if (inspection->side_state[side] == INSPECT_SIDE_DONE)
            continue;
        struct stream_buffer *stream = stream_of(pools, inspection, (enum side)side, false);
        struct inspect_view view = {.final = true};
        if (stream && transport == TRANSPORT_TCP && stream_prefix(stream) > 0) {
            view.bytes = stream->bytes;
            view.length = stream_prefix(stream);
            learnt |= ask(pools, inspection, (enum side)side, &view) == PARSE_DONE;
        }
        side_done(pools, inspection, (enum side)side);
    }
    return learnt;
}

bool inspection_is_done(const struct inspection *inspection)
{
    bool sides = inspection->side_state[0] == INSPECT_SIDE_DONE &&
                 inspection->side_state[1] == INSPECT_SIDE_DONE;
    return (sides && (!inspection->wants_dpi || inspection->dpi_done)) ||
           inspection->packets >= INSPECT_PACKETS_MAX;
}

static enum payload_kind tls_kind(const uint8_t *bytes, size_t length, enum side side)
{
    if (length < 6 || bytes[1] != 3)
        return PAYLOAD_OTHER;
    if (bytes[0] == 22)
        return side == SIDE_CLIENT ? PAYLOAD_TLS_CLIENT_HELLO : PAYLOAD_TLS_SERVER_HELLO;
    return bytes[0] == 21 ? PAYLOAD_TLS_ALERT : bytes[0] == 23 ? PAYLOAD_TLS_DATA : PAYLOAD_OTHER;
}

enum payload_kind inspection_payload_kind(const struct inspection *inspection, enum side side)
{
    const char *protocol = inspection->facts.protocol;
    if (inspection->length_count[side] == 0)
        return PAYLOAD_NONE;
    if (!protocol)
        return PAYLOAD_OTHER;
    if (strcmp(protocol, "TLS") == 0)
        return tls_kind(inspection->first[side], inspection->first_captured[side], side);
    if (strcmp(protocol, "HTTP") == 0) {
        if (side == SIDE_CLIENT)
            return PAYLOAD_HTTP_REQUEST;
        return inspection->facts.http.bare_html ? PAYLOAD_HTML : PAYLOAD_HTTP_RESPONSE;
    }
    if (strcmp(protocol, "QUIC") == 0)
        return PAYLOAD_QUIC_INITIAL;
    if (strcmp(protocol, "SMTP") == 0 || strcmp(protocol, "IMAP") == 0 ||
        strcmp(protocol, "POP3") == 0)
        return PAYLOAD_MAIL;
    return PAYLOAD_OTHER;
}
