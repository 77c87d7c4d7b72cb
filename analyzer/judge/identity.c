// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/keyed.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/status.h"

#define USUAL_LEAST 3u /* flows that make an issuer the usual one */
#define APART_US    (3600 * CLOCK_SECOND_US)
#define CONTROL     "control-"

/* The alerts of RFC 8446 6.2 by which a client says that it does not believe the certificate. */
enum alert {
    ALERT_BAD_CERTIFICATE = 42,
    ALERT_UNSUPPORTED_CERTIFICATE = 43,
    ALERT_CERTIFICATE_EXPIRED = 45,
    ALERT_CERTIFICATE_UNKNOWN = 46,
    ALERT_UNKNOWN_CA = 48
};

struct signature { /* of one issuer for one name */
    uint64_t issuer;
    uint32_t flows; /* 0: a free place */
    uint32_t line;
    uint64_t server;
    int64_t first_us, last_us;
    bool self, refused, many_lines, many_servers;
};

struct name {
    struct signature places[IDENTITY_PLACES];
    uint64_t service;
    uint32_t fitting;
    bool crowded, control;
};

struct issuer {
    uint32_t usual_of, stranger_to;
    struct keyed_few services; /* to which it is a stranger */
    bool control;
};

struct identities {
    struct keyed *names, *issuers;
};

int identities_create(struct identities **ret_identities)
{
    struct identities *identities = calloc(1, sizeof(*identities));
    int status = identities
                     ? keyed_create(&identities->names, sizeof(struct name), IDENTITY_NAMES_MAX)
                     : -ENOMEM;

    if (status == DL_OK)
        status = keyed_create(&identities->issuers, sizeof(struct issuer), IDENTITY_ISSUERS_MAX);
    if (status != DL_OK) {
        identities_destroy(identities);
        return status;
    }
    *ret_identities = identities;
    return DL_OK;
}

void identities_destroy(struct identities *identities)
{
    if (!identities)
        return;
    keyed_destroy(identities->names);
    keyed_destroy(identities->issuers);
    free(identities);
}

bool identity_is_refused(const struct observation *flow)
{
    const struct tls_facts *tls = &flow->evidence.tls;
    uint8_t why = tls->alert_description;

    return flow->evidence.present && tls->alert_level != 0 && tls->alert_side == SIDE_CLIENT &&
           (why == ALERT_BAD_CERTIFICATE || why == ALERT_UNSUPPORTED_CERTIFICATE ||
            why == ALERT_CERTIFICATE_EXPIRED || why == ALERT_CERTIFICATE_UNKNOWN ||
            why == ALERT_UNKNOWN_CA);
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static uint64_t word_of(const struct identities *identities, const char *text)
{
    return keyed_hash(identities->names, text, strlen(text));
}

/* "CN, O": the organisation, else all of it. */
static uint64_t issuer_of(const struct identities *identities, const struct observation *flow)
{
    const char *comma = strstr(text_of(flow->issuer), ", ");
    return word_of(identities, comma ? comma + 2 : text_of(flow->issuer));
}

/* A service's names share their servers by the last two labels, about. */
static const char *registered_part(const char *host)
{
    const char *part = host + strlen(host);
    unsigned dots = 0;

    while (part > host && dots < 2)
        dots += *--part == '.';
    return dots == 2 ? part + 1 : part;
}

static struct keyed_key key_of(const struct identities *identities, const struct observation *flow)
{
    bool service = text_of(flow->service)[0] != '\0';
    const char *host = text_of(flow->host);

    return (struct keyed_key){{word_of(identities, service ? registered_part(host) : host),
                               word_of(identities, text_of(flow->service))}};
}

static bool is_learnable(const struct observation *flow)
{
    return (flow->certificate & CERTIFICATE_PRESENT) && !(flow->certificate & CERTIFICATE_OWN) &&
           text_of(flow->issuer)[0] && text_of(flow->host)[0];
}

static uint64_t server_of(const struct identities *identities, const struct observation *flow)
{
    return keyed_hash(identities->names, (const char *)flow->server.address.bytes, 16) ^
           flow->server.pseudonym;
}

static struct signature *place_of(struct name *name, uint64_t issuer)
{
    for (unsigned i = 0; i < IDENTITY_PLACES; i++)
        if (name->places[i].flows == 0 || name->places[i].issuer == issuer)
            return &name->places[i];
    return NULL;
}

int identities_learn(struct identities *identities, uint32_t line, const struct observation *flow)
{
    struct keyed_key key = key_of(identities, flow);
    uint64_t server = server_of(identities, flow);
    int status = DL_OK;
    struct name *name;
    struct signature *place;

    if (!is_learnable(flow))
        return DL_OK;
    name = keyed_add(identities->names, &key, &status);
    if (!name)
        return status;
    name->service = key.words[1];
    name->control = strncmp(text_of(flow->service), CONTROL, strlen(CONTROL)) == 0;
    name->fitting += (flow->certificate & CERTIFICATE_NAME_FITS) != 0;
    place = place_of(name, issuer_of(identities, flow));
    if (!place) {
        name->crowded = true;
        return DL_OK;
    }
    if (place->flows == 0)
        *place = (struct signature){.issuer = issuer_of(identities, flow),
                                    .line = line,
                                    .server = server,
                                    .first_us = flow->start_us,
                                    .last_us = flow->start_us};
    place->flows++;
    place->self |= (flow->certificate & CERTIFICATE_SELF_ISSUED) != 0;
    place->refused |= identity_is_refused(flow);
    place->many_lines |= place->line != line;
    place->many_servers |= place->server != server;
    place->first_us = MIN_OF(place->first_us, flow->start_us);
    place->last_us = MAX_OF(place->last_us, flow->start_us);
    return DL_OK;
}

/* The issuer of most of the name's flows; NULL where none is known well enough. */
static const struct signature *usual_of(const struct name *name)
{
    const struct signature *usual = NULL;

    for (unsigned i = 0; i < IDENTITY_PLACES; i++)
        if (!usual || name->places[i].flows > usual->flows)
            usual = &name->places[i];
    return name->crowded || usual->flows < USUAL_LEAST ? NULL : usual;
}

static int conclude_name(struct identities *identities, const struct name *name)
{
    const struct signature *usual = usual_of(name);
    int status = DL_OK;

    for (unsigned i = 0; usual && i < IDENTITY_PLACES && status == DL_OK; i++) {
        const struct signature *place = &name->places[i];
        struct keyed_key key = {{place->issuer}};
        struct issuer *issuer = place->flows ? keyed_add(identities->issuers, &key, &status) : NULL;
        if (!issuer)
            continue;
        if (place == usual) {
            issuer->usual_of++;
            continue;
        }
        issuer->stranger_to++;
        keyed_few_add(&issuer->services, name->service);
        issuer->control |= name->control;
    }
    return status;
}

int identities_conclude(struct identities *identities)
{
    int status = DL_OK;

    for (uint32_t i = 0; i < keyed_count(identities->names) && status == DL_OK; i++)
        status = conclude_name(identities, keyed_at(identities->names, i));
    return status;
}

static void view_usual(struct identity_view *view, const struct signature *usual, uint32_t line,
                       uint64_t server, const struct observation *flow)
{
    view->usual = usual->flows;
    view->is_self_usual = usual->self;
    view->usual_goes_on = usual->first_us <= flow->start_us && usual->last_us >= flow->start_us;
    /* Two lines with an issuer each do not say which of them is right. */
    view->usual_elsewhere = usual->many_lines || (usual->line == line &&
                                                  (usual->many_servers || usual->server != server ||
                                                   usual->last_us - usual->first_us >= APART_US));
}

struct identity_view identities_find(const struct identities *identities, uint32_t line,
                                     const struct observation *flow)
{
    struct identity_view view = {0};
    struct keyed_key key = key_of(identities, flow), issuer_key = {{issuer_of(identities, flow)}};
    struct name *name = is_learnable(flow) ? keyed_find(identities->names, &key) : NULL;
    const struct issuer *issuer = keyed_find(identities->issuers, &issuer_key);
    const struct signature *usual = name ? usual_of(name) : NULL;
    const struct signature *own = name ? place_of(name, issuer_key.words[0]) : NULL;

    if (!name)
        return view;
    view.fitting = name->fitting;
    view.refused = own && own->flows > 0 && own->refused;
    view.seen_on_lines = own && own->flows > 0 && own->many_lines;
    if (usual) {
        view_usual(&view, usual, line, server_of(identities, flow), flow);
        view.is_usual = usual == own;
    }
    if (issuer) {
        view.usual_of = issuer->usual_of;
        view.stranger_to = issuer->stranger_to;
        view.strange_services = issuer->services.count;
        view.strange_control = issuer->control;
    }
    return view;
}
