// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * One OONI measurement: what it says of each target, taken to the deepest stage that the target
 * was tried at. A connection that also spoke TLS and HTTP is one target, so that nothing is counted
 * twice; a name is one of its own only where it was not found, was answered with an address that no
 * public name has, or where nothing else was tried.
 *
 * Only what the user of the line would have met counts: where a measurement marks it ("classic",
 * web_connectivity 0.5), addresses that the helper or another resolver found are left out.
 *
 * Sources: OONI df-000 to df-009, ts-018 (telegram), ts-019 (facebook_messenger), ts-017
 * (web_connectivity), ts-020 (whatsapp), ts-023 (tor), ts-028 (dnscheck), ts-025
 * (stunreachability), ts-015 (psiphon), ts-029 (signal).
 */
#include <jansson.h>

#include "probe/import/import_internal.h"

#define OONI_HOST_MAX 253

struct ooni_target {
    const char *host; /* of the JSON; "" none */
    size_t host_length;
    struct address address;
    bool has_address;
    uint16_t port;
    int64_t transaction; /* 0 none */
    enum stage stage;
    enum transport transport;
    enum outcome outcome;
    const char *failure; /* "" none */
    bool throttled;      /* it worked, and was slowed down */
    bool page;           /* `blockpage` is filled */
    struct blockpage_facts blockpage;
    struct dns_facts dns;
};

struct ooni_measurement {
    struct import_job *job;
    json_t *keys;     /* test_keys; an object */
    const char *host; /* of the input; "" none */
    size_t host_length;
    uint16_t port;
    bool classic_only, any_resolver;
    const char *service;         /* of the test; NULL: each host's own */
    struct ooni_target *targets; /* IMPORT_TARGETS_MAX */
    size_t count, dropped;
};

/* ---- JSON; all accept NULL and values of another type ---- */

/* "" for what is no text; of a text with a NUL only what is before it. */
const char *ooni_text(const json_t *object, const char *key);
/* A failure: "" for null, false and what is not there. */
const char *ooni_failure(const json_t *object);
/* The host and the port of a URL (0: its scheme's), or of "host:port". */
const char *ooni_url_host(const char *url, size_t *ret_length, uint16_t *ret_port);

/* ---- targets ---- */

/* A new one, or NULL where there are IMPORT_TARGETS_MAX. */
struct ooni_target *ooni_target_add(struct ooni_measurement *m);
/* What `keys` (test_keys, or a part of it that is built alike) says in queries, tcp_connect,
 * tls_handshakes and requests. */
void ooni_take_queries(struct ooni_measurement *m, const json_t *keys);
void ooni_take_connections(struct ooni_measurement *m, const json_t *keys);
void ooni_take_requests(struct ooni_measurement *m, const json_t *keys);
/* Takes out names that say nothing beside what was tried at their addresses. */
void ooni_drop_idle_names(struct ooni_measurement *m);

/* ---- darkline's own measurements ---- */

void ooni_test_darkline(struct ooni_measurement *m);
/* What their annotations say of the vantage beyond what others' do. */
void ooni_origin_darkline(const json_t *measurement, struct import_origin *origin);

/* Looks for block pages in a request's answer; false for none. */
bool ooni_find_page(const struct import_job *job, const json_t *response,
                    struct blockpage_facts *ret_page);
bool ooni_find_page_address(const struct import_job *job, const struct address *address,
                            struct blockpage_facts *ret_page);
