// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Who usually signs for a server, learnt from the store that is judged: for each name (the last two
 * labels of a service's names, else the whole name) the issuers of its certificates, and for each
 * issuer the names it signed for. Only TLS 1.2 and older shows certificates.
 *
 * Issuers are compared by organisation: authorities change their intermediate certificates all the
 * time. Bounded: names and issuers beyond the tables are not learnt, and a name with more issuers
 * than places says nothing.
 */
#include <stdbool.h>
#include <stdint.h>

#include "store/observation.h"

#define IDENTITY_NAMES_MAX   16384u
#define IDENTITY_ISSUERS_MAX 8192u
#define IDENTITY_PLACES      4u /* issuers of one name */

/* One flow's certificate beside those of its name. */
struct identity_view {
    uint32_t usual;       /* flows with the usual issuer; 0: none is known well enough */
    bool usual_elsewhere; /* it answered on several lines; on this one from another server, or for
                             an hour or more */
    bool usual_goes_on;   /* it answered both before this flow and after: no renewal */
    bool is_usual;        /* this flow's issuer is it */
    bool is_self_usual;   /* the name's servers usually sign for themselves */
    bool refused;         /* a client did not believe it, in this flow or another */
    bool seen_on_lines;   /* this issuer signed for the name on several lines */
    uint32_t fitting;     /* flows of the name with a certificate that fits it */
    /* Names for which this flow's issuer is the usual one, and those for which another is; services
     * among the latter, at most 4, and whether a control is among them. */
    uint32_t usual_of, stranger_to;
    unsigned strange_services;
    bool strange_control;
};

struct identities;

/* DL_OK, -ENOMEM, or what the random generator gave. */
int identities_create(struct identities **ret_identities);
void identities_destroy(struct identities *identities); /* accepts NULL */

/* Learns from a flow that shows a certificate; `line` as for references_learn(). DL_OK or -ENOMEM.
 */
int identities_learn(struct identities *identities, uint32_t line, const struct observation *flow);
/* Once after the last identities_learn(): what each issuer is to the names. DL_OK or -ENOMEM. */
int identities_conclude(struct identities *identities);

/* Did the client say that it does not believe the certificate? */
bool identity_is_refused(const struct observation *flow);

/* All zero where nothing is known. */
struct identity_view identities_find(const struct identities *identities, uint32_t line,
                                     const struct observation *flow);
