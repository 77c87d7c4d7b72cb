// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/blockpage.h"

#include <stdio.h>

#include "base/array.h"

static struct fingerprint_span span_of(const struct inspect_view *view, struct http_bytes part)
{
    size_t start = part.at ? (size_t)(part.at - view->bytes) : 0;

    return (struct fingerprint_span){start, start + part.length};
}

uint16_t blockpage_wants(const struct fingerprints *fingerprints, const struct inspect_view *view,
                         const struct http_response *response)
{
    size_t start = span_of(view, response->body).start, length = response->body_length;

    if (!fingerprints || fingerprints_count(fingerprints) == 0 || !response->body_readable ||
        response->body_whole)
        return 0;
    if (!response->body.at) /* the head is all there is so far */
        start = view->length;
    if (start >= INSPECT_STREAM_MAX)
        return 0;
    return (uint16_t)(length > 0 && length < INSPECT_STREAM_MAX - start ? start + length
                                                                        : INSPECT_STREAM_MAX);
}

static void take_hit(const struct fingerprints *fingerprints, const struct fingerprint_hit *hit,
                     struct blockpage_facts *facts)
{
    if (!facts->id[0] || hit->scope < (enum blockpage_scope)facts->scope) {
        snprintf(facts->id, sizeof(facts->id), "%s", hit->id);
        facts->scope = (uint8_t)hit->scope;
        facts->where = (uint8_t)hit->where;
    }
    facts->false_positive |= hit->false_positive != NULL;
    snprintf(facts->list, sizeof(facts->list), "%s", fingerprints_version(fingerprints));
}

void blockpage_inspect(const struct fingerprints *fingerprints, const struct inspect_view *view,
                       const struct http_response *response, struct blockpage_facts *ret_facts)
{
    struct fingerprint_hit hit;
    size_t length = MIN_OF(view->length, INSPECT_STREAM_MAX);
    struct fingerprint_page page = {.bytes = view->bytes,
                                    .length = length,
                                    .location = span_of(view, response->raw_location),
                                    .server = span_of(view, response->raw_server),
                                    .via = span_of(view, response->raw_via)};

    page.body = (struct fingerprint_span){length, length};
    if (response->body.at && response->body_readable) {
        page.body = span_of(view, response->body);
        page.title = span_of(view, response->raw_title);
    } else if (response->body.at) {
        page.length = (size_t)(response->body.at - view->bytes); /* pictures, packed bytes */
        page.body = (struct fingerprint_span){page.length, page.length};
    }
    page.body.end = MIN_OF(page.body.end, page.length);
    if (fingerprints && fingerprints_match_page(fingerprints, &page, &hit))
        take_hit(fingerprints, &hit, ret_facts);
}

void blockpage_inspect_address(const struct fingerprints *fingerprints,
                               const struct address *address, struct blockpage_facts *facts)
{
    struct fingerprint_hit hit;

    if (fingerprints && fingerprints_match_address(fingerprints, address, &hit))
        take_hit(fingerprints, &hit, facts);
}
