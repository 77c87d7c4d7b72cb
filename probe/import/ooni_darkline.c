// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What darkline's own reports write in OONI's format (reports/data/flows_ooni.c), read back: one attempt a
 * measurement, as that judge saw it. Its opinion of who did it is not taken over: no packets are here
 * to prove it.
 */
#include <ctype.h>
#include <string.h>

#include "probe/import/ooni.h"

#define NAME_MAX_BYTES 63

/* A service need not be one of the catalog, nor a carrier: any short text without controls. */
static bool is_name(const char *text)
{
    size_t length = 0;

    for (; text[length]; length++)
        if ((unsigned char)text[length] < ' ' || text[length] == 0x7f)
            return false;
    return length > 0 && length <= NAME_MAX_BYTES;
}

static void take_server(struct ooni_target *target, const char *server)
{
    const char *colon = strrchr(server, ':');
    size_t length = colon ? (size_t)(colon - server) : 0;
    char text[ADDRESS_TEXT_SIZE];

    if (length >= 2 && server[0] == '[' && server[length - 1] == ']') {
        server++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof(text) || !isdigit((unsigned char)colon[1]))
        return;
    memcpy(text, server, length);
    text[length] = '\0';
    target->has_address = address_parse(text, &target->address) == DL_OK;
    unsigned long port = 0;
    for (const char *at = colon + 1; isdigit((unsigned char)*at) && port <= UINT16_MAX; at++)
        port = 10 * port + (unsigned long)(*at - '0');
    target->port = port <= UINT16_MAX ? (uint16_t)port : 0;
}

void ooni_test_darkline(struct ooni_measurement *m)
{
    const char *service = ooni_text(m->keys, "x_service");
    unsigned outcome, stage = STAGE_NONE, transport = TRANSPORT_NONE;
    struct ooni_target *target;

    if (!is_name(service) ||
        word_parse(WORD_OUTCOME, ooni_text(m->keys, "x_outcome"), &outcome) != DL_OK ||
        !(target = ooni_target_add(m)))
        return;
    (void)word_parse(WORD_STAGE, ooni_text(m->keys, "x_stage"), &stage);
    (void)word_parse(WORD_TRANSPORT, ooni_text(m->keys, "x_transport"), &transport);
    m->service = service;
    target->host = ooni_text(m->keys, "x_host");
    target->host_length = strlen(target->host);
    take_server(target, ooni_text(m->keys, "x_server"));
    target->outcome = (enum outcome)outcome;
    /* It worked, whatever its last question says. */
    target->stage = outcome == OUTCOME_OK && stage == STAGE_DNS ? STAGE_NONE : (enum stage)stage;
    target->transport = (enum transport)transport;
    target->failure = outcome == OUTCOME_FAILED ? ooni_failure(m->keys) : "";
    target->throttled = json_is_true(json_object_get(m->keys, "x_throttled"));
}

void ooni_origin_darkline(const json_t *measurement, struct import_origin *origin)
{
    const json_t *annotations = json_object_get(measurement, "annotations");
    const char *carrier = ooni_text(annotations, "x_carrier");
    unsigned network;

    if (is_name(carrier))
        snprintf(origin->carrier, sizeof(origin->carrier), "%s", carrier);
    if (word_parse(WORD_NETWORK, ooni_text(annotations, "x_network"), &network) == DL_OK)
        origin->network = (enum network_kind)network;
}
