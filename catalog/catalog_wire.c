// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "catalog/catalog_internal.h"

/* ---- building ---- */

static void compile_test(struct wire_test *test, const struct raw_bytes *raw)
{
    size_t length = 0;

    hex_decode(raw->hex, test->bytes, sizeof(test->bytes), &length);
    memset(test->mask, 0xff, sizeof(test->mask));
    if (raw->mask) {
        hex_decode(raw->mask, test->mask, sizeof(test->mask), &length);
    }
    test->offset = raw->offset;
    test->length = (uint8_t)length;
}

static unsigned test_weight(const struct wire_test *test)
{
    unsigned bits = 0;

    for (size_t i = 0; i < test->length; i++) {
        bits += (unsigned)__builtin_popcount(test->mask[i]);
    }
    return bits;
}

/* Bits of payload, ten for a length, five for a port: a plain measure of how rarely chance fits. */
static void compile(struct wire_pattern *pattern, const struct raw_service *service,
                    const struct raw_wire *raw)
{
    *pattern = (struct wire_pattern){.result = {.match = {.service = service->public.number,
                                                          .role = raw->role,
                                                          .confirmed = raw->sure == SURE_CONFIRMED},
                                                .certainty = raw->certainty},
                                     .transport = raw->transport,
                                     .first_port = raw->first_port,
                                     .last_port = raw->last_port,
                                     .client_first = raw->client_first,
                                     .weight = raw->first_port != 0 ? 5 : 0};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < raw->byte_count[side]; i++) {
            compile_test(&pattern->tests[side][i], &raw->bytes[side][i]);
            pattern->weight += test_weight(&pattern->tests[side][i]);
        }
        for (size_t i = 0; i < raw->length_count[side]; i++) {
            pattern->lengths[side][i] = raw->lengths[side][i];
            pattern->weight += 10;
        }
        const struct wire_test *first = &pattern->tests[side][0];
        if (raw->byte_count[side] > 0 && first->length > 0) {
            pattern->look[side].offset = first->offset;
            pattern->look[side].end = (uint32_t)first->offset + first->length;
            pattern->look[side].byte = first->bytes[0];
            pattern->look[side].mask = first->mask[0];
        }
        pattern->test_count[side] = (uint8_t)raw->byte_count[side];
        pattern->length_count[side] = (uint8_t)raw->length_count[side];
    }
}

/* The best first, so that the first that fits is the answer. */
static int compare_patterns(const void *left, const void *right)
{
    const struct wire_pattern *a = left, *b = right;
    int order = (int)b->result.certainty - (int)a->result.certainty;

    order = order ? order : (int)b->weight - (int)a->weight;
    return order ? order : (int)a->result.match.service - (int)b->result.match.service;
}

int wire_index_build(struct wire_pattern **ret_patterns, size_t *ret_count,
                     const struct catalog *catalog)
{
    struct wire_pattern *patterns;
    size_t count = 0, total = 0;
    int status = -ENOMEM;

    for (size_t i = 0; i < catalog->service_count; i++) {
        total += catalog->services[i]->wire_count;
    }
    patterns = calloc(total + 1, sizeof(*patterns));
    if (!patterns) {
        goto out;
    }
    for (size_t i = 0; i < catalog->service_count; i++) {
        const struct raw_service *service = catalog->services[i];
        for (size_t j = 0; j < service->wire_count; j++) {
            compile(&patterns[count++], service, &service->wires[j]);
        }
    }
    qsort(patterns, count, sizeof(*patterns), compare_patterns);
    *ret_patterns = patterns;
    *ret_count = count;
    status = DL_OK;
out:
    return status;
}

/* ---- asking ---- */

enum fit { FIT_NO, FIT_LATER, FIT_YES };

static enum fit fit_test(const struct wire_test *test, const uint8_t *bytes, size_t captured)
{
    if ((size_t)test->offset + test->length > captured) {
        return FIT_NO; /* a first payload does not grow */
    }
    for (size_t i = 0; i < test->length; i++) {
        if ((bytes[test->offset + i] ^ test->bytes[i]) & test->mask[i]) {
            return FIT_NO;
        }
    }
    return FIT_YES;
}

static enum fit fit_bytes(const struct wire_pattern *pattern,
                          const struct catalog_wire_sample *sample, int side)
{
    enum fit fit = FIT_YES;

    if (pattern->test_count[side] > 0 && !sample->first[side]) {
        /* Its packet was there and its bytes were not kept: they will not come. */
        return sample->length_count[side] > 0 ? FIT_NO : FIT_LATER;
    }
    for (size_t i = 0; fit == FIT_YES && i < pattern->test_count[side]; i++) {
        fit = fit_test(&pattern->tests[side][i], sample->first[side], sample->first_captured[side]);
    }
    return fit;
}

static enum fit fit_lengths(const struct wire_pattern *pattern,
                            const struct catalog_wire_sample *sample, int side)
{
    size_t known = MIN_OF(sample->length_count[side], CATALOG_WIRE_LENGTHS);

    for (size_t i = 0; i < MIN_OF(known, pattern->length_count[side]); i++) {
        if (sample->lengths[side][i] != pattern->lengths[side][i]) {
            return FIT_NO;
        }
    }
    return known < pattern->length_count[side] ? FIT_LATER : FIT_YES;
}

static enum fit fit_order(const struct wire_pattern *pattern,
                          const struct catalog_wire_sample *sample)
{
    bool client = sample->first[SIDE_CLIENT] || sample->length_count[SIDE_CLIENT] > 0;
    bool server = sample->first[SIDE_SERVER] || sample->length_count[SIDE_SERVER] > 0;
    enum fit fit = FIT_YES;

    if (pattern->client_first && !client && !server) {
        fit = FIT_LATER;
    } else if (pattern->client_first && !sample->client_first) {
        fit = FIT_NO;
    }
    return fit;
}

/* Nearly all patterns fail by their transport, port or very first byte: seen without a call. */
static inline bool may_fit(const struct wire_pattern *pattern,
                           const struct catalog_wire_sample *sample)
{
    bool may = pattern->transport == sample->transport &&
               (pattern->first_port == 0 || (sample->server_port >= pattern->first_port &&
                                             sample->server_port <= pattern->last_port));

    for (int side = 0; may && side < 2; side++) {
        const uint8_t *bytes = sample->first[side];
        unsigned offset = pattern->look[side].offset, end = pattern->look[side].end;
        may = end == 0 || !bytes ||
              (end <= sample->first_captured[side] &&
               ((bytes[offset] ^ pattern->look[side].byte) & pattern->look[side].mask) == 0);
    }
    return may;
}

static enum fit fit_pattern(const struct wire_pattern *pattern,
                            const struct catalog_wire_sample *sample)
{
    enum fit fit = fit_order(pattern, sample);

    for (int side = 0; fit != FIT_NO && side < 2; side++) {
        fit = MIN_OF(fit, fit_bytes(pattern, sample, side));
        fit = MIN_OF(fit, fit_lengths(pattern, sample, side));
    }
    return fit;
}

bool catalog_match_wire(const struct catalog *catalog, const struct catalog_wire_sample *sample,
                        struct catalog_wire_match *ret_match)
{
    for (size_t i = 0; i < catalog->wire_count; i++) {
        if (may_fit(&catalog->wires[i], sample) &&
            fit_pattern(&catalog->wires[i], sample) == FIT_YES) {
            *ret_match = catalog->wires[i].result;
            return true;
        }
    }
    return false;
}

bool catalog_wire_wants_more(const struct catalog *catalog,
                             const struct catalog_wire_sample *sample)
{
    enum fit fit = FIT_NO;

    /* What comes after one that fits already would be no better than it. */
    for (size_t i = 0; fit == FIT_NO && i < catalog->wire_count; i++) {
        fit =
            may_fit(&catalog->wires[i], sample) ? fit_pattern(&catalog->wires[i], sample) : FIT_NO;
    }
    return fit == FIT_LATER;
}
