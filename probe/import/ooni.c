// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/import/ooni.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/clock.h"

#define TIME_LENGTH 20 /* "2023-11-09 19:36:00", with T and Z */

/* ---- tests ---- */

static void take_all(struct ooni_measurement *m, const json_t *keys)
{
    ooni_take_queries(m, keys);
    ooni_take_connections(m, keys);
    ooni_take_requests(m, keys);
}

static void test_plain(struct ooni_measurement *m)
{
    take_all(m, m->keys);
}

/*
 * uptime.signal.org is answered with 127.0.0.1 or 127.0.0.2 by Signal itself: a sign of life. And
 * the test brings Signal's own authority along: when Signal changed that in October 2022, older
 * probes failed on every network, so a certificate of another one says nothing.
 */
static void test_signal(struct ooni_measurement *m)
{
    size_t kept = 0;

    take_all(m, m->keys);
    for (size_t i = 0; i < m->count; i++) {
        struct ooni_target *target = &m->targets[i];
        if (strcmp(target->failure, "ssl_unknown_authority") == 0) {
            target->outcome = OUTCOME_UNKNOWN;
        }
        if (target->stage != STAGE_DNS || strcmp(target->host, "uptime.signal.org") != 0) {
            m->targets[kept++] = *target;
        }
    }
    m->count = kept;
}

/* One target that says only if it worked. */
static void add_summary(struct ooni_measurement *m, const char *host, size_t length, uint16_t port,
                        enum transport transport, const char *failure)
{
    struct ooni_target *target = ooni_target_add(m);

    if (target) {
        target->host = host;
        target->host_length = length;
        target->port = port;
        target->stage = STAGE_STREAM;
        target->transport = transport;
        target->failure = failure;
        target->outcome = failure[0] ? OUTCOME_FAILED : OUTCOME_OK;
        char text[ADDRESS_TEXT_SIZE];
        if (length > 0 && length < sizeof(text)) {
            memcpy(text, host, length);
            text[length] = '\0';
            target->has_address = address_parse(text, &target->address) == DL_OK;
        }
    }
}

static bool any_failed(const struct ooni_measurement *m, size_t from)
{
    for (size_t i = from; i < m->count; i++) {
        if (m->targets[i].outcome == OUTCOME_FAILED) {
            return true;
        }
    }
    return false;
}

/* A relay that was reached and then did not do what a relay does. */
static void take_tor_target(struct ooni_measurement *m, const json_t *target)
{
    const char *failure = ooni_failure(target);
    size_t before = m->count, length;
    uint16_t port;
    const char *host = ooni_url_host(ooni_text(target, "target_address"), &length, &port);

    take_all(m, target);
    if (m->count == before || (failure[0] && !any_failed(m, before))) {
        m->count = before;
        add_summary(m, host, length, port, TRANSPORT_TCP, failure);
    }
}

static void test_tor(struct ooni_measurement *m)
{
    json_t *targets = json_object_get(m->keys, "targets"), *target;
    const char *name;

    json_object_foreach(targets, name, target)
    {
        take_tor_target(m, target);
    }
}

/* The tunnel came up, or it did not; what was tried on the way stays in the tunnel. */
static void test_tunnel(struct ooni_measurement *m)
{
    const json_t *success = json_object_get(m->keys, "success");
    const char *failure = ooni_failure(m->keys);

    if (!failure[0] && json_is_false(success)) {
        failure = "unknown_failure";
    }
    add_summary(m, "", 0, 0, TRANSPORT_TCP, failure);
}

static void test_stun(struct ooni_measurement *m)
{
    const char *failure = ooni_failure(m->keys);

    ooni_take_queries(m, m->keys);
    if (!any_failed(m, 0)) {
        add_summary(m, m->host, m->host_length, m->port, TRANSPORT_UDP, failure);
    }
}

static void take_lookup(struct ooni_measurement *m, const char *url, const json_t *lookup)
{
    const char *failure = ooni_failure(lookup);
    size_t before = m->count, length;
    uint16_t port;
    const char *host = ooni_url_host(url, &length, &port);
    bool datagrams = strncmp(url, "udp", 3) == 0;

    ooni_take_connections(m, lookup);
    for (size_t i = before; i < m->count; i++) {
        if (m->targets[i].host_length == 0) {
            m->targets[i].host = host;
            m->targets[i].host_length = length;
        }
    }
    if (m->count == before || (failure[0] && !any_failed(m, before))) {
        m->count = before;
        add_summary(m, host, length, port, datagrams ? TRANSPORT_UDP : TRANSPORT_TCP, failure);
    }
}

/* It asks the resolver that the input names, over each of its addresses. */
static void test_dnscheck(struct ooni_measurement *m)
{
    json_t *lookups = json_object_get(m->keys, "lookups"), *lookup;
    const char *url;

    ooni_take_queries(m, json_object_get(m->keys, "bootstrap"));
    json_object_foreach(lookups, url, lookup)
    {
        take_lookup(m, url, lookup);
    }
}

static const struct {
    const char *name, *service; /* NULL: each host's own */
    void (*take)(struct ooni_measurement *m);
} tests[] = {
    {"web_connectivity", NULL, test_plain},
    {"telegram", "telegram", test_plain},
    {"whatsapp", "whatsapp", test_plain},
    {"signal", "signal", test_signal},
    {"facebook_messenger", "facebook-messenger", test_plain},
    {"tor", "tor", test_tor},
    {"vanilla_tor", "tor", test_tunnel},
    {"psiphon", "psiphon", test_tunnel},
    {"dnscheck", NULL, test_dnscheck},
    {"stunreachability", NULL, test_stun},
    {"darkline_flow", NULL, ooni_test_darkline},
};

/* ---- what the helper saw ---- */

static enum outcome control_of_name(const json_t *control)
{
    const json_t *dns = json_object_get(control, "dns"), *addresses = json_object_get(dns, "addrs");
    bool bogons = true;

    if (!json_is_object(dns)) {
        return OUTCOME_UNKNOWN;
    }
    for (size_t i = 0; i < json_array_size(addresses); i++) {
        const char *text = json_string_value(json_array_get(addresses, i));
        struct address address;
        bogons &= !text || address_parse(text, &address) != DL_OK || address_is_bogon(&address);
    }
    return bogons ? OUTCOME_FAILED : OUTCOME_OK;
}

/* Did the helper get that address itself, and not reach it either? */
static bool control_fails_there(const json_t *control, const struct ooni_target *target)
{
    const json_t *addresses = json_object_get(json_object_get(control, "dns"), "addrs");
    char text[ADDRESS_TEXT_SIZE], key[ADDRESS_TEXT_SIZE + 16];
    bool its_own = false;

    if (!target->has_address) {
        return false;
    }
    address_format(&target->address, text);
    for (size_t i = 0; i < json_array_size(addresses); i++) {
        const char *one = json_string_value(json_array_get(addresses, i));
        its_own |= one && strcmp(one, text) == 0;
    }
    snprintf(key, sizeof(key), strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, target->port);
    const json_t *there = json_object_get(json_object_get(control, "tcp_connect"), key);
    return its_own && json_is_false(json_object_get(there, "status"));
}

static enum outcome control_of(const struct ooni_measurement *m, const struct ooni_target *target)
{
    const json_t *control = json_object_get(m->keys, "control");
    const json_t *http = json_object_get(control, "http_request");

    if (!json_is_object(control) || ooni_text(m->keys, "control_failure")[0]) {
        return OUTCOME_UNKNOWN;
    }
    if (target->stage == STAGE_DNS) {
        return target->host_length == m->host_length &&
                       strncasecmp(target->host, m->host, m->host_length) == 0
                   ? control_of_name(control)
                   : OUTCOME_UNKNOWN;
    }
    if (ooni_failure(http)[0] || control_fails_there(control, target)) {
        return OUTCOME_FAILED;
    }
    return json_integer_value(json_object_get(http, "status_code")) > 0 ? OUTCOME_OK
                                                                        : OUTCOME_UNKNOWN;
}

/* ---- observations ---- */

/* False where the target's name is nobody's business. */
static bool tag(const struct ooni_measurement *m, const struct ooni_target *target,
                struct observation *o)
{
    const struct catalog *catalog = m->job->options->catalog;
    struct catalog_match match;

    o->service = m->service;
    o->certainty = CERTAINTY_CERTAIN;
    if (m->service) {
        return true;
    }
    o->service = "";
    o->certainty = CERTAINTY_NONE;
    if (target->host_length > 0 && catalog_match_host(catalog, target->host, target->host_length,
                                                      TRANSPORT_TCP, target->port, &match)) {
        o->service = catalog_service_at(catalog, match.service)->id;
        o->role = target->stage == STAGE_DNS ? ROLE_DNS : match.role;
        o->certainty = match.confirmed ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY;
        o->reasons = target->stage == STAGE_DNS    ? REASON_DNS
                     : target->stage == STAGE_HTTP ? REASON_HTTP_HOST
                                                   : REASON_SNI;
        return true;
    }
    return m->job->options->all_names ||
           catalog_is_watched(catalog, target->host, target->host_length);
}

static int put_target(const struct ooni_measurement *m, const struct import_origin *origin,
                      const struct ooni_target *target, struct observation *o,
                      struct dl_error *error)
{
    struct import_job *job = m->job;
    char host[OONI_HOST_MAX + 1];

    if (target->host_length > OONI_HOST_MAX || !tag(m, target, o)) {
        job->counts.unnamed++;
        return DL_OK;
    }
    memcpy(host, target->host, target->host_length);
    host[target->host_length] = '\0';
    o->host = host;
    o->protocol = "";
    o->transport = target->transport;
    o->server_port = target->port;
    if (target->has_address) {
        o->server.kind = ENDPOINT_ADDRESS;
        o->server.address = target->address;
    }
    o->stage = target->stage;
    if (target->stage == STAGE_DNS && target->outcome == OUTCOME_FAILED) {
        o->dns = target->dns;
    }
    o->import.outcome = (uint8_t)target->outcome;
    o->import.control = (uint8_t)control_of(m, target);
    o->import.throttled = target->throttled;
    snprintf(o->import.failure, sizeof(o->import.failure), "%s", target->failure);
    if (target->page) {
        o->import.blockpage = target->blockpage;
        o->import.page_from_abroad =
            import_page_is_from_abroad(target->blockpage.id, origin->country);
    }
    return import_put(job, origin, o, error);
}

static int put_targets(struct ooni_measurement *m, const struct import_origin *origin,
                       const struct observation *common, struct dl_error *error)
{
    int status = DL_OK;

    m->job->counts.dropped += m->dropped;
    if (m->count == 0) {
        m->job->counts.foreign++;
    }
    for (size_t i = 0; status == DL_OK && i < m->count; i++) {
        struct observation observation = *common;
        observation.packet = m->job->number * IMPORT_TARGETS_MAX + i;
        status = put_target(m, origin, &m->targets[i], &observation, error);
    }
    return status;
}

/* ---- the envelope ---- */

static void take_origin(const json_t *measurement, struct import_origin *origin)
{
    const json_t *annotations = json_object_get(measurement, "annotations");
    const char *asn = ooni_text(measurement, "probe_asn");
    const char *country = ooni_text(measurement, "probe_cc");

    origin->asn = import_asn(asn, strlen(asn));
    import_country(country, strlen(country), origin->country);
    origin->network = strcmp(ooni_text(annotations, "network_type"), "mobile") == 0 ? NETWORK_MOBILE
                                                                                    : NETWORK_NONE;
    snprintf(origin->probe_id, sizeof(origin->probe_id), "%.31s %.30s",
             ooni_text(measurement, "software_name"), ooni_text(measurement, "software_version"));
}

static bool take_time(const json_t *measurement, int64_t *ret_time_us)
{
    const char *text = ooni_text(measurement, "measurement_start_time");
    char time[TIME_LENGTH + 1];

    if (strlen(text) == TIME_LENGTH - 1 && text[10] == ' ') {
        snprintf(time, sizeof(time), "%sZ", text);
        time[10] = 'T';
        text = time;
    }
    return clock_parse(text, ret_time_us) == DL_OK;
}

static bool is_a_resolver(const char *text)
{
    struct address address;

    return address_parse(text, &address) == DL_OK && !address_is_bogon(&address);
}

/* One report is one run of a device, and so one client; each of its measurements is an attempt. */
static void take_client(struct import_job *job, const json_t *measurement, const json_t *keys,
                        struct observation *o)
{
    const char *report = ooni_text(measurement, "report_id");
    const char *asked = ooni_text(measurement, "resolver_ip");
    const char *used = ooni_text(keys, "client_resolver");
    const char *resolver = is_a_resolver(asked) ? asked : used;
    char text[KEY_NAME_MAX];
    int length = report[0] ? snprintf(text, sizeof(text), "report %.400s", report)
                           : snprintf(text, sizeof(text), "measurement %" PRIu64 " of %.400s",
                                      job->number, job->record.path);

    o->client.kind = ENDPOINT_PSEUDONYM;
    o->client.pseudonym = import_hash(job, text, (size_t)length);
    o->import.run = o->client.pseudonym ^ job->number * UINT64_C(0x9e3779b97f4a7c15);
    o->import.run += o->import.run == 0;
    if (is_a_resolver(resolver)) {
        length =
            snprintf(text, sizeof(text), "voice %.60s %.20s %.40s %.40s", resolver,
                     ooni_text(measurement, "probe_asn"), ooni_text(measurement, "software_name"),
                     ooni_text(measurement, "software_version"));
        o->import.voice = import_hash(job, text, (size_t)length);
    }
}

static bool any_classic(const json_t *keys)
{
    const json_t *queries = json_object_get(keys, "queries");

    for (size_t i = 0; i < json_array_size(queries); i++) {
        const json_t *tags = json_object_get(json_array_get(queries, i), "tags");
        for (size_t k = 0; k < json_array_size(tags); k++) {
            const char *tag = json_string_value(json_array_get(tags, k));
            if (tag && strcmp(tag, "classic") == 0) {
                return true;
            }
        }
    }
    return false;
}

static int take_measurement(struct import_job *job, const json_t *measurement,
                            struct dl_error *error)
{
    json_t *keys = json_object_get(measurement, "test_keys");
    const char *test = ooni_text(measurement, "test_name");
    struct observation common = {.import = {.present = true}};
    struct import_origin origin = {.probe_id = ""};
    size_t which = 0;

    while (which < ARRAY_LENGTH(tests) && strcmp(tests[which].name, test) != 0) {
        which++;
    }
    if (!json_is_object(keys) || which == ARRAY_LENGTH(tests)) {
        job->counts.foreign++;
        return DL_OK;
    }
    if (!take_time(measurement, &common.start_us)) {
        return dl_error_set(error, DL_MALFORMED, "measurement_start_time is no time");
    }
    common.end_us = common.start_us;
    struct ooni_measurement m = {.job = job,
                                 .keys = keys,
                                 .service = tests[which].service,
                                 .classic_only = any_classic(keys),
                                 .targets = job->state};
    m.host = ooni_url_host(ooni_text(measurement, "input"), &m.host_length, &m.port);
    take_origin(measurement, &origin);
    if (tests[which].take == ooni_test_darkline) {
        ooni_origin_darkline(measurement, &origin);
    }
    take_client(job, measurement, keys, &common);
    tests[which].take(&m);
    ooni_drop_idle_names(&m);
    return put_targets(&m, &origin, &common, error);
}

/* ---- lines ---- */

static int ooni_begin(struct import_job *job, struct dl_error *error)
{
    job->state = calloc(IMPORT_TARGETS_MAX, sizeof(struct ooni_target));
    return job->state ? DL_OK : dl_error_set(error, -ENOMEM, "out of memory");
}

static void ooni_end(struct import_job *job)
{
    free(job->state);
}

static json_t *parse(const char *text, size_t length, struct dl_error *error)
{
    json_error_t why;
    json_t *value = json_loadb(text, length, JSON_ALLOW_NUL, &why);

    if (!value) {
        dl_error_set(error, DL_MALFORMED, "column %d: %.100s", why.column, why.text);
    }
    return value;
}

/* As OONI's API gives it: the measurement is a text, or an object, within. */
static int take_wrapped(struct import_job *job, const json_t *wrapped, struct dl_error *error)
{
    if (json_is_object(wrapped)) {
        return take_measurement(job, wrapped, error);
    }
    json_t *inner = parse(json_string_value(wrapped), json_string_length(wrapped), error);
    int status = inner ? take_measurement(job, inner, error) : DL_MALFORMED;
    json_decref(inner);
    return status;
}

static int ooni_line(struct import_job *job, const char *record, size_t length,
                     struct dl_error *error)
{
    json_t *value = parse(record, length, error);
    const json_t *wrapped = json_object_get(value, "raw_measurement");
    int status;

    if (!value) {
        return DL_MALFORMED;
    }
    if (!json_is_object(value)) {
        status = dl_error_set(error, DL_MALFORMED, "no JSON object");
    } else if (wrapped && (json_is_string(wrapped) || json_is_object(wrapped))) {
        status = take_wrapped(job, wrapped, error);
    } else {
        status = take_measurement(job, value, error);
    }
    json_decref(value);
    return status;
}

const struct import_format import_ooni = {
    .name = "ooni", .kind = RECORDS_JSON, .begin = ooni_begin, .line = ooni_line, .end = ooni_end};
