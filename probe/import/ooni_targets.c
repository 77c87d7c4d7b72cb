// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/import/ooni.h"

#include <string.h>
#include <strings.h>

#include "base/array.h"

enum { RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_REFUSED = 5 };
#define QTYPE_A   1
#define PORT_HTTP 80
#define PORT_TLS  443

/* ---- JSON ---- */

const char *ooni_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value) ? json_string_value(value) : "";
}

const char *ooni_failure(const json_t *object)
{
    return ooni_text(object, "failure");
}

const char *ooni_url_host(const char *url, size_t *ret_length, uint16_t *ret_port)
{
    const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
    size_t length = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', length);
    unsigned port = 0;

    *ret_port = !scheme ? 0 : strncmp(url, "http://", 7) == 0 ? PORT_HTTP : PORT_TLS;
    if (at) {
        length -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    const char *colon = memrchr(host, ':', length), *close = memrchr(host, ']', length);
    if (colon && (!close || close < colon) &&
        (close || !memchr(host, ':', (size_t)(colon - host)))) {
        for (const char *c = colon + 1; c < host + length; c++) {
            port =
                *c >= '0' && *c <= '9' && port < 100000 ? 10 * port + (unsigned)(*c - '0') : 100000;
        }
        *ret_port = port > 0 && port <= UINT16_MAX ? (uint16_t)port : *ret_port;
        length = (size_t)(colon - host);
    }
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    *ret_length = length;
    return host;
}

static bool parse_address(const char *text, size_t length, struct address *ret_address)
{
    char copy[ADDRESS_TEXT_SIZE];

    if (length == 0 || length >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    return address_parse(copy, ret_address) == DL_OK;
}

/* Was this of the addresses and resolvers that the user of the line would have met? */
static bool is_the_users(const struct ooni_measurement *m, const json_t *entry)
{
    const json_t *tags = json_object_get(entry, "tags");
    size_t count = json_array_size(tags);

    for (size_t i = 0; m->classic_only && i < count; i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        if (tag && strcmp(tag, "classic") == 0) {
            return true;
        }
    }
    return !m->classic_only;
}

/* ---- finding and adding ---- */

struct ooni_target *ooni_target_add(struct ooni_measurement *m)
{
    if (m->count == IMPORT_TARGETS_MAX) {
        m->dropped++;
        return NULL;
    }
    struct ooni_target *target = &m->targets[m->count++];
    memset(target, 0, sizeof(*target));
    target->host = target->failure = "";
    target->transport = TRANSPORT_TCP;
    return target;
}

static bool same_host(const struct ooni_target *target, const char *host, size_t length)
{
    return target->host_length == length && strncasecmp(target->host, host, length) == 0;
}

static struct ooni_target *find_name(struct ooni_measurement *m, const char *host, size_t length)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->targets[i].stage == STAGE_DNS && same_host(&m->targets[i], host, length)) {
            return &m->targets[i];
        }
    }
    return NULL;
}

static struct ooni_target *find_connection(struct ooni_measurement *m, int64_t transaction,
                                           const struct address *address, uint16_t port)
{
    for (size_t i = 0; i < m->count; i++) {
        struct ooni_target *t = &m->targets[i];
        bool fits = transaction ? t->transaction == transaction
                                : address && t->has_address && t->port == port &&
                                      address_equal(&t->address, address);
        if (fits && t->stage != STAGE_DNS && t->stage != STAGE_QUIC) {
            return t;
        }
    }
    return NULL;
}

/* A connection to this host that can still be taken further, or that says why it could not. */
static struct ooni_target *find_by_host(struct ooni_measurement *m, const char *host, size_t length,
                                        uint16_t port, bool failed)
{
    for (size_t i = 0; i < m->count; i++) {
        struct ooni_target *t = &m->targets[i];
        bool fits = t->stage != STAGE_DNS && t->stage != STAGE_QUIC && same_host(t, host, length) &&
                    (t->port == port || t->port == 0);
        if (fits && (t->outcome == OUTCOME_FAILED) == failed) {
            return t;
        }
    }
    return NULL;
}

/* ---- names ---- */

static uint8_t rcode_of(const char *failure)
{
    return strcmp(failure, "dns_nxdomain_error") == 0   ? RCODE_NXDOMAIN
           : strcmp(failure, "dns_refused_error") == 0  ? RCODE_REFUSED
           : strcmp(failure, "dns_servfail_error") == 0 ? RCODE_SERVFAIL
                                                        : 0;
}

static void take_answers(struct ooni_measurement *m, const json_t *query, struct ooni_target *name)
{
    const json_t *answers = json_object_get(query, "answers");
    struct dns_facts_answer *kept = &name->dns.answers[0];

    for (size_t i = 0; i < json_array_size(answers); i++) {
        const json_t *answer = json_array_get(answers, i);
        const char *v4 = ooni_text(answer, "ipv4"), *v6 = ooni_text(answer, "ipv6");
        const char *text = v4[0] ? v4 : v6;
        struct address address;
        if (!parse_address(text, strlen(text), &address)) {
            continue;
        }
        name->dns.present = true;
        name->dns.answer_count = 1;
        if (kept->address_count < DNS_FACTS_ADDRESSES) {
            kept->addresses[kept->address_count++] = address;
        }
        if (!name->page) {
            name->page = ooni_find_page_address(m->job, &address, &name->blockpage);
        }
    }
}

static void judge_name(struct ooni_target *name)
{
    const struct dns_facts_answer *answer = &name->dns.answers[0];
    bool bogons = answer->address_count > 0;

    for (unsigned i = 0; i < answer->address_count; i++) {
        bogons &= address_is_bogon(&answer->addresses[i]);
    }
    if (bogons) {
        name->failure = "dns_bogon_error";
    } else if (answer->address_count > 0) {
        name->failure = "";
    }
    name->outcome = name->failure[0] || name->page ? OUTCOME_FAILED : OUTCOME_OK;
    if (answer->address_count == 0 && rcode_of(name->failure)) {
        name->dns.present = true;
        name->dns.answer_count = 1;
        name->dns.answers[0].rcode = rcode_of(name->failure);
    }
}

static bool of_the_system(const json_t *query)
{
    const char *engine = ooni_text(query, "engine");

    return engine[0] == '\0' || strcmp(engine, "system") == 0 ||
           strcmp(engine, "getaddrinfo") == 0 || strcmp(engine, "golang_net_resolver") == 0 ||
           strcmp(engine, "libresolv") == 0 || strcmp(engine, "netgo") == 0;
}

void ooni_take_queries(struct ooni_measurement *m, const json_t *keys)
{
    const json_t *queries = json_object_get(keys, "queries");

    for (size_t i = 0; i < json_array_size(queries); i++) {
        const json_t *query = json_array_get(queries, i);
        const char *host = ooni_text(query, "hostname"), *failure = ooni_failure(query);
        bool second = strcmp(ooni_text(query, "query_type"), "AAAA") == 0;
        struct address literal;
        if (!host[0] || !is_the_users(m, query) || !(m->any_resolver || of_the_system(query)) ||
            parse_address(host, strlen(host), &literal)) {
            continue;
        }
        struct ooni_target *name = find_name(m, host, strlen(host));
        if (!name) {
            name = ooni_target_add(m);
        }
        if (!name) {
            continue;
        }
        *name = name->stage == STAGE_DNS ? *name : (struct ooni_target){.failure = ""};
        name->stage = STAGE_DNS;
        name->transport = TRANSPORT_UDP;
        name->host = host;
        name->host_length = strlen(host);
        name->dns.qtype = QTYPE_A;
        /* Having no address of the newer version is no failure. */
        if (failure[0] && (!second || !name->failure[0]) &&
            !(second && strcmp(failure, "dns_no_answer") == 0)) {
            name->failure = failure;
        }
        take_answers(m, query, name);
        judge_name(name);
    }
}

/* The name that was answered with this address; the input's where none was. */
static void name_of_address(const struct ooni_measurement *m, const struct address *address,
                            struct ooni_target *target)
{
    target->host = m->host;
    target->host_length = m->host_length;
    for (size_t i = 0; i < m->count; i++) {
        const struct ooni_target *name = &m->targets[i];
        for (unsigned k = 0; name->stage == STAGE_DNS && k < name->dns.answers[0].address_count;
             k++) {
            if (address_equal(&name->dns.answers[0].addresses[k], address)) {
                target->host = name->host;
                target->host_length = name->host_length;
                return;
            }
        }
    }
}

/* Only deeper stages left out: a name that worked is no news then. */
void ooni_drop_idle_names(struct ooni_measurement *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->count; i++) {
        bool idle = false;
        for (size_t k = 0; k < m->count && m->targets[i].stage == STAGE_DNS &&
                           m->targets[i].outcome == OUTCOME_OK && !idle;
             k++) {
            idle = m->targets[k].stage != STAGE_DNS &&
                   same_host(&m->targets[k], m->targets[i].host, m->targets[i].host_length);
        }
        if (!idle) {
            m->targets[kept++] = m->targets[i];
        }
    }
    m->count = kept;
}

/* ---- connections ---- */

static void set_result(struct ooni_target *target, enum stage stage, const char *failure)
{
    target->stage = stage;
    target->failure = failure;
    target->outcome = failure[0] ? OUTCOME_FAILED : OUTCOME_OK;
}

static void take_tcp(struct ooni_measurement *m, const json_t *entry)
{
    const char *ip = ooni_text(entry, "ip");
    const json_t *status = json_object_get(entry, "status");
    int64_t transaction = json_integer_value(json_object_get(entry, "transaction_id"));
    json_int_t port = json_integer_value(json_object_get(entry, "port"));
    struct address address;

    /* A connection to an address that is not public is one to the user's own machine or house. */
    if (!parse_address(ip, strlen(ip), &address) || port <= 0 || port > UINT16_MAX ||
        address_is_bogon(&address)) {
        return;
    }
    struct ooni_target *target = find_connection(m, transaction, &address, (uint16_t)port);
    if (target && target->outcome == OUTCOME_OK) {
        return; /* it worked, once */
    }
    if (!target) {
        target = ooni_target_add(m);
    }
    if (target) {
        target->address = address;
        target->has_address = true;
        target->port = (uint16_t)port;
        target->transaction = transaction;
        name_of_address(m, &address, target);
        set_result(target, STAGE_TCP, ooni_failure(status));
    }
}

static void take_tls(struct ooni_measurement *m, const json_t *entry)
{
    const char *text = ooni_text(entry, "address"), *name = ooni_text(entry, "server_name");
    bool quic = strcmp(ooni_text(entry, "network"), "udp") == 0;
    int64_t transaction = json_integer_value(json_object_get(entry, "transaction_id"));
    struct address address;
    uint16_t port = 0;
    size_t length;
    const char *host = ooni_url_host(text, &length, &port);
    bool has_address = parse_address(host, length, &address);
    struct ooni_target *target = NULL;

    if (has_address && address_is_bogon(&address)) {
        return;
    }
    if (!quic) {
        target = find_connection(m, transaction, has_address ? &address : NULL, port);
    }
    if (!quic && !target && !has_address) { /* older ones name only the server */
        target = find_by_host(m, name, strlen(name), PORT_TLS, false);
    }
    if (!quic && !target && !has_address && !name[0] && m->count > 0 &&
        m->targets[m->count - 1].stage == STAGE_TCP) { /* or not even that: the one just made */
        target = &m->targets[m->count - 1];
    }
    if (!target) {
        target = ooni_target_add(m);
        if (!target) {
            return;
        }
        target->has_address = has_address;
        target->port = port ? port : PORT_TLS;
        target->transaction = transaction;
        if (has_address) {
            target->address = address;
        }
    }
    if (name[0]) {
        target->host = name;
        target->host_length = strlen(name);
    }
    target->transport = quic ? TRANSPORT_UDP : TRANSPORT_TCP;
    set_result(target, quic ? STAGE_QUIC : STAGE_TLS, ooni_failure(entry));
}

void ooni_take_connections(struct ooni_measurement *m, const json_t *keys)
{
    const json_t *tcp = json_object_get(keys, "tcp_connect");
    const json_t *tls = json_object_get(keys, "tls_handshakes");

    for (size_t i = 0; i < json_array_size(tcp); i++) {
        if (is_the_users(m, json_array_get(tcp, i))) {
            take_tcp(m, json_array_get(tcp, i));
        }
    }
    for (size_t i = 0; i < json_array_size(tls); i++) {
        if (is_the_users(m, json_array_get(tls, i))) {
            take_tls(m, json_array_get(tls, i));
        }
    }
}

/* ---- requests ---- */

static enum stage stage_of_request(const char *failure, bool answered)
{
    if (strncmp(failure, "dns_", 4) == 0) {
        return STAGE_DNS;
    }
    if (strncmp(failure, "ssl_", 4) == 0) {
        return STAGE_TLS;
    }
    return failure[0] && answered ? STAGE_STREAM : STAGE_HTTP;
}

/* A request that failed says only again what its connections or its name said. */
static bool is_explained(struct ooni_measurement *m, const char *host, size_t length, uint16_t port)
{
    const struct ooni_target *name = find_name(m, host, length);

    if (find_by_host(m, host, length, port, false)) {
        return false;
    }
    return find_by_host(m, host, length, port, true) || (name && name->outcome == OUTCOME_FAILED);
}

static struct ooni_target *request_target(struct ooni_measurement *m, const char *host,
                                          size_t length, uint16_t port, int64_t transaction)
{
    struct ooni_target *target = transaction ? find_connection(m, transaction, NULL, 0) : NULL;

    if (!target) {
        target = find_by_host(m, host, length, port, false);
    }
    if (!target) {
        target = ooni_target_add(m);
    }
    if (target) {
        target->host = host;
        target->host_length = length;
        target->port = target->port ? target->port : port;
    }
    return target;
}

/* A block page speaks for what was asked first, wherever the user was sent. */
static void take_page(struct ooni_measurement *m, struct ooni_target *target,
                      const json_t *response)
{
    struct blockpage_facts page;

    if (target->page || !ooni_find_page(m->job, response, &page)) {
        return;
    }
    target->page = true;
    target->blockpage = page;
    target->stage = STAGE_HTTP;
    target->outcome = OUTCOME_FAILED;
    if (m->host_length > 0) {
        target->host = m->host;
        target->host_length = m->host_length;
    }
}

static void take_request(struct ooni_measurement *m, const json_t *entry)
{
    const json_t *response = json_object_get(entry, "response");
    const char *failure = ooni_failure(entry);
    bool answered = json_integer_value(json_object_get(response, "code")) > 0;
    int64_t transaction = json_integer_value(json_object_get(entry, "transaction_id"));
    uint16_t port = 0;
    size_t length;
    const char *host =
        ooni_url_host(ooni_text(json_object_get(entry, "request"), "url"), &length, &port);
    struct address address;

    const struct ooni_target *name = find_name(m, host, length);
    bool literal = parse_address(host, length, &address);
    bool astray = name && strcmp(name->failure, "dns_bogon_error") == 0; /* who answered? */
    if (length == 0 || astray || (literal && address_is_bogon(&address)) ||
        (failure[0] && !answered && !transaction && is_explained(m, host, length, port))) {
        return;
    }
    struct ooni_target *target = literal ? find_connection(m, transaction, &address, port) : NULL;
    if (!target) {
        target = request_target(m, host, length, port, transaction);
    }
    bool said = target && target->outcome == OUTCOME_FAILED && failure[0] && !answered;
    if (!target || target->page || said) {
        return;
    }
    if (literal) {
        target->address = address;
        target->has_address = true;
    }
    if (target->stage < STAGE_HTTP || target->outcome == OUTCOME_OK) {
        set_result(target, stage_of_request(failure, answered), failure);
        target->transport = target->stage == STAGE_DNS ? TRANSPORT_UDP : TRANSPORT_TCP;
    }
    take_page(m, target, response);
}

void ooni_take_requests(struct ooni_measurement *m, const json_t *keys)
{
    const json_t *requests = json_object_get(keys, "requests");

    for (size_t i = 0; i < json_array_size(requests); i++) {
        if (is_the_users(m, json_array_get(requests, i))) {
            take_request(m, json_array_get(requests, i));
        }
    }
}
