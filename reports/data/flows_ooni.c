// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * OONI's base data format (df-000-base of github.com/ooni/spec, data_format_version 0.2.0), one attempt
 * a measurement. Where the format wants what a report does not tell it has the values that OONI has for
 * that: 127.0.0.1, AS0, ZZ. Times are hours. The words of `failure` are those of df-007-errors, null
 * where it has none for what happened: `x_outcome` says whether it failed.
 */
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/data/data_json.h"
#include "reports/data/flows_internal.h"

#define FORMAT_VERSION "0.2.0"
#define TEST_NAME      "darkline_flow"
#define TEST_VERSION   "1.0.0"
#define NOBODY         "127.0.0.1"
#define TIME_SIZE      20
#define REPORT_SIZE    160
#define NO_ID          "0000000000000000"

/* What df-007 has for a mechanism. The first that begins it. */
static const struct {
    const char *mechanism, *failure;
} failures[] = {
    {"dns.nxdomain", "dns_nxdomain_error"},      {"dns.refused", "dns_refused_error"},
    {"dns.servfail", "dns_servfail_error"},      {"dns.injection.bogon", "dns_bogon_error"},
    {"dns.timeout", "generic_timeout_error"},    {"ip.unreachable", "host_unreachable"},
    {"tcp.timeout", "generic_timeout_error"},    {"tcp.refused", "connection_refused"},
    {"tcp.reset", "connection_reset"},           {"tls.reset", "connection_reset"},
    {"tls.timeout", "generic_timeout_error"},    {"tls.mitm", "ssl_unknown_authority"},
    {"http.timeout", "generic_timeout_error"},   {"http.reset", "connection_reset"},
    {"quic.timeout", "generic_timeout_error"},   {"stream.reset", "connection_reset"},
    {"stream.timeout", "generic_timeout_error"},
};

static const char *failure_of(const struct attempt_result *result)
{
    if (result->outcome != OUTCOME_FAILED || !result->mechanism)
        return NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++) {
        size_t length = strlen(failures[i].mechanism);
        if (strncmp(result->mechanism, failures[i].mechanism, length) == 0 &&
            strchr(".", result->mechanism[length]))
            return failures[i].failure;
    }
    return NULL;
}

/* "2015-11-30 11:00:00" */
static const char *hour_text(int64_t time_us, char text[DATA_HOUR_SIZE])
{
    data_hour(time_us, text);
    text[10] = ' ';
    text[TIME_SIZE - 1] = '\0';
    return text;
}

static void member_empty(struct json *json, const char *key, bool object)
{
    json_key(json, key);
    if (object) {
        json_begin_object(json);
        json_end_object(json);
    } else {
        json_begin_array(json);
        json_end_array(json);
    }
}

/* Texts by the format, whatever they say. */
static void write_annotations(struct json *json, const struct findings *findings,
                              const struct vantage *vantage)
{
    json_key(json, "annotations");
    json_begin_object(json);
    json_member_text(json, "origin", word_text(WORD_ORIGIN, vantage->origin));
    json_member_text(json, "draft", findings->options->draft ? "true" : "false");
    if (vantage->network == NETWORK_MOBILE)
        json_member_text(json, "network_type", "mobile");
    if (vantage->network)
        json_member_text(json, "x_network", word_text(WORD_NETWORK, vantage->network));
    if (vantage->carrier[0])
        json_member_text(json, "x_carrier", vantage->carrier);
    if (vantage->position)
        json_member_text(json, "x_position", word_text(WORD_POSITION, vantage->position));
    json_end_object(json);
}

/* One report a vantage: nothing in it tells clients apart. */
static void member_report(struct json *json, const struct findings *findings,
                          const struct vantage *vantage)
{
    char text[REPORT_SIZE], hour[DATA_HOUR_SIZE];

    if (!data_hour_up(findings->last_us, hour))
        snprintf(hour, sizeof(hour), "1970-01-01T00:00:00Z");
    snprintf(text, sizeof(text), "%.4s%.2s%.2sT%.2s0000Z_darklineflow_%s_%u_n1_%s", hour, hour + 5,
             hour + 8, hour + 11, vantage->country[0] ? vantage->country : "ZZ", vantage->asn,
             findings->id[0] ? findings->id : NO_ID);
    json_member_text(json, "report_id", text);
}

static void write_rules(struct json *json, const struct flow_facts *flow)
{
    json_key(json, "x_rules");
    json_begin_array(json);
    for (unsigned i = 0; i < flow->rule_count; i++)
        json_text(json, flow->rules[i]);
    json_end_array(json);
}

/* The stage that a failed one speaks for; of others that of the flow that decided. */
static const char *stage_of(const struct attempt_facts *attempt)
{
    bool failed = attempt->result.outcome == OUTCOME_FAILED;
    return word_text(WORD_STAGE, failed ? attempt->result.stage : attempt->decided.stage);
}

static void write_keys(struct json *json, const struct findings *findings,
                       const struct attempt_facts *attempt, const struct vantage *vantage)
{
    const struct attempt_result *result = &attempt->result;
    const struct flow_facts *flow = &attempt->decided;
    char id[FLOW_ID_SIZE], server[FLOW_SERVER_SIZE];

    json_key(json, "test_keys");
    json_begin_object(json);
    json_member_text(json, "failure", failure_of(result));
    json_member_text(json, "x_attempt",
                     attempt->of_people ? NULL : flow_id(result->input, result->packet, id));
    json_member_text(json, "x_flow",
                     attempt->of_people ? NULL
                                        : flow_id(result->flow_input, result->flow_packet, id));
    json_member_text(json, "x_service", result->service);
    json_member_text(json, "x_carrier", data_some(vantage->carrier));
    json_member_text(json, "x_outcome", word_text(WORD_OUTCOME, result->outcome));
    json_member_text(json, "x_stage", stage_of(attempt));
    json_member_text(json, "x_mechanism", result->mechanism);
    json_member_text(json, "x_attribution", word_text(WORD_ATTRIBUTION, result->attribution));
    json_member_bool(json, "x_proven", result->proven && result->outcome == OUTCOME_FAILED);
    json_member_bool(json, "x_throttled", result->throttled && result->outcome == OUTCOME_OK);
    json_key(json, "x_score");
    if (flow->packet && flow->score >= 0)
        json_double(json, flow->score);
    else
        json_null(json);
    data_member_index(json, "x_signature", flow->signature ? flow->signature : FINDINGS_NONE);
    write_rules(json, flow);
    json_member_text(json, "x_host", data_some(flow->host));
    json_member_text(json, "x_server", flow_server(flow, server));
    json_member_text(json, "x_transport", word_text(WORD_TRANSPORT, flow->transport));
    data_member_index(json, "x_ip_version",
                      result->ip_version ? result->ip_version : FINDINGS_NONE);
    json_member_text(json, "x_report", data_some(findings->id));
    json_end_object(json);
}

static void member_asn(struct json *json, const char *key, uint32_t asn)
{
    char text[TIME_SIZE];

    snprintf(text, sizeof(text), "AS%u", asn);
    json_member_text(json, key, text);
}

static void write_probe(struct json *json, const struct findings *findings,
                        const struct vantage *vantage)
{
    const struct catalog_carrier *carrier =
        catalog_carrier_find(findings->options->catalog, vantage->carrier);

    member_asn(json, "probe_asn", vantage->asn);
    json_member_text(json, "probe_cc", vantage->country[0] ? vantage->country : "ZZ");
    json_member_text(json, "probe_city", NULL);
    json_member_text(json, "probe_ip", NOBODY);
    json_member_text(json, "probe_network_name", carrier ? carrier->name : "");
    member_report(json, findings, vantage);
    member_asn(json, "resolver_asn", 0);
    json_member_text(json, "resolver_ip", NOBODY);
    json_member_text(json, "resolver_network_name", "");
}

bool flows_ooni_line(FILE *file, const struct findings *findings,
                     const struct attempt_facts *attempt)
{
    const struct input_record *input = store_reader_input(findings->reader, attempt->result.input);
    struct json json;
    char hour[DATA_HOUR_SIZE];

    hour_text(attempt->result.start_us, hour);
    json_init(&json, file, 0);
    json_begin_object(&json);
    write_annotations(&json, findings, &input->vantage);
    json_member_text(&json, "data_format_version", FORMAT_VERSION);
    member_empty(&json, "extensions", true);
    json_member_text(&json, "input", data_some(attempt->decided.host));
    member_empty(&json, "input_hashes", false);
    json_member_text(&json, "measurement_start_time", hour);
    member_empty(&json, "options", false);
    write_probe(&json, findings, &input->vantage);
    json_member_text(&json, "software_name", "darkline");
    json_member_text(&json, "software_version", findings->version);
    member_empty(&json, "test_helpers", true);
    write_keys(&json, findings, attempt, &input->vantage);
    json_member_text(&json, "test_name", TEST_NAME);
    json_key(&json, "test_runtime");
    json_double(&json, 0);
    json_member_text(&json, "test_start_time", hour);
    json_member_text(&json, "test_version", TEST_VERSION);
    json_end_object(&json);
    json_newline(&json);
    return !json.failed;
}
