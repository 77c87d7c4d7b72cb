// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/flow_format.h"

#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "geo/vantage_json.h"
#include "probe/inspect/dns.h"
#include "base/text.h"
#include "store/key.h"

#define ID_SIZE        40
#define CODE_SIZE      24
#define CELL_MAX       4096
#define NOT_PUBLIC_KEY "unknown" /* the epoch of a store that does not tell */

_Static_assert(KEY_PSEUDONYM_TEXT_SIZE <= ADDRESS_TEXT_SIZE, "an endpoint's text fits either");

/* ---- texts of single values; NULL where a value is unknown ---- */

static const char *id_text(uint32_t input, uint64_t packet, char text[ID_SIZE])
{
    snprintf(text, ID_SIZE, "%" PRIu32 ":%" PRIu64, input, packet);
    return text;
}

static const char *some(const char *text)
{
    return text && text[0] ? text : NULL;
}

static const char *endpoint_text(const struct store_reader *reader, uint32_t input,
                                 const struct endpoint *endpoint, char text[ADDRESS_TEXT_SIZE])
{
    const char *epoch = store_reader_meta(reader, input, "key_epoch");

    if (endpoint->kind == ENDPOINT_ADDRESS)
        return address_format(&endpoint->address, text);
    if (endpoint->kind != ENDPOINT_PSEUDONYM)
        return NULL;
    return key_pseudonym_text(epoch ? epoch : NOT_PUBLIC_KEY, endpoint->pseudonym, text);
}

static const char *type_text(uint16_t type, char text[CODE_SIZE])
{
    const char *name = dns_type_text(type);

    if (!name)
        snprintf(text, CODE_SIZE, "TYPE%u", type); /* RFC 3597 */
    return name ? name : text;
}

static const char *rcode_text(uint8_t rcode, char text[CODE_SIZE])
{
    const char *name = dns_rcode_text(rcode);

    if (!name)
        snprintf(text, CODE_SIZE, "RCODE%u", rcode);
    return name ? name : text;
}

static unsigned answer_count(const struct dns_facts *dns)
{
    return MIN_OF(dns->answer_count, DNS_FACTS_ANSWERS);
}

static unsigned address_count(const struct dns_facts_answer *answer)
{
    return MIN_OF(answer->address_count, DNS_FACTS_ADDRESSES);
}

/* The answer that counts: the first good one, else the first. */
static const struct dns_facts_answer *answer_that_counts(const struct dns_facts *dns)
{
    for (unsigned i = 0; i < answer_count(dns); i++)
        if (dns->answers[i].rcode == DNS_RCODE_NOERROR)
            return &dns->answers[i];
    return answer_count(dns) ? &dns->answers[0] : NULL;
}

/* ---- JSON ---- */

static void member_word(struct json *json, const char *key, enum word_kind kind, unsigned value)
{
    json_member_text(json, key, word_text(kind, value));
}

static void member_number(struct json *json, const char *key, uint64_t value, bool known)
{
    json_key(json, key);
    if (known)
        json_unsigned(json, value);
    else
        json_null(json);
}

static void member_time(struct json *json, const char *key, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];
    json_member_text(json, key, clock_format(time_us, text));
}

static void write_reasons(struct json *json, uint16_t reasons)
{
    json_key(json, "reasons");
    json_begin_array(json);
    for (unsigned i = 0; i < REASON_COUNT; i++)
        if (reasons & 1u << i)
            json_text(json, word_text(WORD_REASON, 1u << i));
    json_end_array(json);
}

static void write_answer(struct json *json, const struct dns_facts_answer *answer)
{
    char code[CODE_SIZE], address[ADDRESS_TEXT_SIZE];

    json_begin_object(json);
    json_key(json, "t");
    json_double(json, (double)answer->after_us / 1e6);
    json_member_text(json, "rcode", rcode_text(answer->rcode, code));
    json_key(json, "addresses");
    json_begin_array(json);
    for (unsigned i = 0; i < address_count(answer); i++)
        json_text(json, address_format(&answer->addresses[i], address));
    json_end_array(json);
    member_number(json, "ttl", answer->ttl, address_count(answer) > 0);
    member_number(json, "ip_ttl", answer->ip_ttl, answer->ip_ttl != 0);
    json_end_object(json);
}

static void write_dns(struct json *json, const struct dns_facts *dns)
{
    const struct dns_facts_answer *counts = answer_that_counts(dns);
    char code[CODE_SIZE];

    json_key(json, "dns");
    if (!dns->present) {
        json_null(json);
        return;
    }
    json_begin_object(json);
    json_member_text(json, "qtype", type_text(dns->qtype, code));
    json_member_text(json, "rcode", counts ? rcode_text(counts->rcode, code) : NULL);
    json_key(json, "answers");
    json_begin_array(json);
    for (unsigned i = 0; i < answer_count(dns); i++)
        write_answer(json, &dns->answers[i]);
    json_end_array(json);
    json_end_object(json);
}

static void write_verdict(struct json *json, const struct verdict *verdict)
{
    member_word(json, "outcome", WORD_OUTCOME, verdict->outcome);
    json_member_text(json, "mechanism", verdict->mechanism);
    member_word(json, "attribution", WORD_ATTRIBUTION, verdict->attribution);
    member_number(json, "signature", verdict->signature, verdict->signature != 0);
    json_key(json, "score");
    if (verdict->score >= 0)
        json_double(json, verdict->score);
    else
        json_null(json);
    json_key(json, "evidence");
    json_begin_array(json);
    for (unsigned i = 0; i < verdict->evidence_count; i++) {
        json_begin_object(json);
        json_member_text(json, "rule", verdict->evidence[i].rule);
        json_member_text(json, "detail", verdict->evidence[i].detail);
        json_end_object(json);
    }
    json_end_array(json);
}

static bool has_ports_of(const struct observation *flow)
{
    return flow->transport == TRANSPORT_TCP || flow->transport == TRANSPORT_UDP;
}

static void write_ends(struct json *json, const struct store_reader *reader,
                       const struct observation *flow)
{
    char text[ADDRESS_TEXT_SIZE];
    bool has_ports = has_ports_of(flow);

    json_member_text(json, "client", endpoint_text(reader, flow->input, &flow->client, text));
    member_number(json, "client_port", flow->client_port, has_ports && !flow->import.present);
    json_member_text(json, "server", endpoint_text(reader, flow->input, &flow->server, text));
    member_number(json, "server_port", flow->server_port,
                  has_ports && (flow->server_port || !flow->import.present));
    member_word(json, "transport", WORD_TRANSPORT, flow->transport);
}

static void write_traffic(struct json *json, const struct observation *flow)
{
    char id[ID_SIZE];

    json_member_text(json, "dns_flow",
                     flow->dns_flow ? id_text(flow->input, flow->dns_flow, id) : NULL);
    json_member_unsigned(json, "packets_up", flow->packets[SIDE_CLIENT]);
    json_member_unsigned(json, "packets_down", flow->packets[SIDE_SERVER]);
    json_member_unsigned(json, "bytes_up", flow->bytes[SIDE_CLIENT]);
    json_member_unsigned(json, "bytes_down", flow->bytes[SIDE_SERVER]);
    member_word(json, "stage", WORD_STAGE, flow->stage);
    member_word(json, "close", WORD_CLOSE, flow->close);
}

void flow_write_json(struct json *json, const struct store_reader *reader,
                     const struct judged *judged)
{
    const struct observation *flow = &judged->flow;
    char id[ID_SIZE];

    json_begin_object(json);
    json_member_text(json, "id", id_text(flow->input, flow->packet, id));
    json_member_text(json, "attempt", id_text(judged->attempt_input, judged->attempt_packet, id));
    member_time(json, "start", flow->start_us);
    member_time(json, "end", flow->end_us);
    vantage_write_json(json, &judged->input->vantage);
    write_ends(json, reader, flow);
    json_member_text(json, "protocol", some(flow->protocol));
    json_member_text(json, "service", some(flow->service));
    member_word(json, "role", WORD_ROLE, flow->role);
    member_word(json, "certainty", WORD_CERTAINTY, flow->certainty);
    write_reasons(json, flow->reasons);
    json_member_text(json, "host", some(flow->host));
    write_traffic(json, flow);
    write_dns(json, &flow->dns);
    write_verdict(json, &judged->verdict);
    json_end_object(json);
}

/* ---- CSV ---- */

static const char csv_head[] =
    "id,attempt,start,end,vantage_probe_id,vantage_carrier,vantage_asn,vantage_country,"
    "vantage_network,vantage_position,vantage_clock,vantage_origin,client,client_port,server,"
    "server_port,transport,protocol,service,role,certainty,reasons,host,dns_flow,packets_up,"
    "packets_down,bytes_up,bytes_down,stage,close,dns_qtype,dns_rcode,dns_answers,outcome,"
    "mechanism,"
    "attribution,signature,score,evidence\r\n";

void flow_write_csv_head(FILE *file)
{
    fputs(csv_head, file);
}

struct row {
    FILE *file;
    bool begun;
};

static bool is_formula(char first)
{
    return first != '\0' && strchr("=+-@\t\r", first) != NULL;
}

static void cell_text(struct row *row, const char *text)
{
    bool quoted = text && strpbrk(text, ",\"\r\n") != NULL;
    char bytes[TEXT_CHARACTER_SIZE];

    if (row->begun)
        putc(',', row->file);
    row->begun = true;
    if (!text)
        return;
    if (quoted)
        putc('"', row->file);
    if (is_formula(*text))
        putc('\'', row->file);
    for (uint32_t character; (character = text_next(&text)) != 0;) {
        if (character == '"')
            putc('"', row->file);
        text_escape(character, bytes, NULL);
        fputs(bytes, row->file);
    }
    if (quoted)
        putc('"', row->file);
}

static void cell_number(struct row *row, uint64_t value, bool known)
{
    char text[CODE_SIZE];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    cell_text(row, known ? text : NULL);
}

static void cell_word(struct row *row, enum word_kind kind, unsigned value)
{
    cell_text(row, word_text(kind, value));
}

static void cell_time(struct row *row, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];
    cell_text(row, clock_format(time_us, text));
}

static void cells_vantage(struct row *row, const struct vantage *vantage)
{
    cell_text(row, some(vantage->probe_id));
    cell_text(row, some(vantage->carrier));
    cell_number(row, vantage->asn, vantage->asn != 0);
    cell_text(row, some(vantage->country));
    cell_word(row, WORD_NETWORK, vantage->network);
    cell_word(row, WORD_POSITION, vantage->position);
    cell_word(row, WORD_CLOCK, vantage->clock);
    cell_word(row, WORD_ORIGIN, vantage->origin);
}

static void cells_ends(struct row *row, const struct store_reader *reader,
                       const struct observation *flow)
{
    char text[ADDRESS_TEXT_SIZE];
    bool has_ports = has_ports_of(flow);

    cell_text(row, endpoint_text(reader, flow->input, &flow->client, text));
    cell_number(row, flow->client_port, has_ports && !flow->import.present);
    cell_text(row, endpoint_text(reader, flow->input, &flow->server, text));
    cell_number(row, flow->server_port, has_ports && (flow->server_port || !flow->import.present));
    cell_word(row, WORD_TRANSPORT, flow->transport);
}

static void cell_reasons(struct row *row, uint16_t reasons)
{
    struct buffer list;

    buffer_init(&list, CELL_MAX);
    for (unsigned i = 0; i < REASON_COUNT; i++)
        if (reasons & 1u << i)
            buffer_printf(&list, "%s%s", list.length ? ";" : "", word_text(WORD_REASON, 1u << i));
    cell_text(row, some(buffer_text(&list)));
    buffer_finish(&list);
}

static void cells_tag(struct row *row, const struct observation *flow)
{
    char id[ID_SIZE];

    cell_text(row, some(flow->protocol));
    cell_text(row, some(flow->service));
    cell_word(row, WORD_ROLE, flow->role);
    cell_word(row, WORD_CERTAINTY, flow->certainty);
    cell_reasons(row, flow->reasons);
    cell_text(row, some(flow->host));
    cell_text(row, flow->dns_flow ? id_text(flow->input, flow->dns_flow, id) : NULL);
}

/* "0.020000 NOERROR 192.0.2.1 192.0.2.2 ttl=300 ip_ttl=61; 0.050000 NXDOMAIN" */
static void cells_dns(struct row *row, const struct dns_facts *dns)
{
    const struct dns_facts_answer *counts = answer_that_counts(dns);
    char code[CODE_SIZE], address[ADDRESS_TEXT_SIZE];
    struct buffer list;

    buffer_init(&list, CELL_MAX);
    for (unsigned i = 0; dns->present && i < answer_count(dns); i++) {
        const struct dns_facts_answer *answer = &dns->answers[i];
        buffer_printf(&list, "%s%" PRIu32 ".%06" PRIu32 " %s", i ? "; " : "",
                      answer->after_us / 1000000, answer->after_us % 1000000,
                      rcode_text(answer->rcode, code));
        for (unsigned j = 0; j < address_count(answer); j++)
            buffer_printf(&list, " %s", address_format(&answer->addresses[j], address));
        if (address_count(answer))
            buffer_printf(&list, " ttl=%" PRIu32, answer->ttl);
        if (answer->ip_ttl)
            buffer_printf(&list, " ip_ttl=%u", answer->ip_ttl);
    }
    cell_text(row, dns->present ? type_text(dns->qtype, code) : NULL);
    cell_text(row, dns->present && counts ? rcode_text(counts->rcode, code) : NULL);
    cell_text(row, some(buffer_text(&list)));
    buffer_finish(&list);
}

static void cells_verdict(struct row *row, const struct verdict *verdict)
{
    struct buffer list;
    char score[CODE_SIZE];

    buffer_init(&list, CELL_MAX);
    for (unsigned i = 0; i < verdict->evidence_count; i++)
        buffer_printf(&list, "%s%s: %s", i ? "; " : "", verdict->evidence[i].rule,
                      verdict->evidence[i].detail);
    snprintf(score, sizeof(score), "%.6g", verdict->score);
    cell_word(row, WORD_OUTCOME, verdict->outcome);
    cell_text(row, verdict->mechanism);
    cell_word(row, WORD_ATTRIBUTION, verdict->attribution);
    cell_number(row, verdict->signature, verdict->signature != 0);
    cell_text(row, verdict->score >= 0 ? score : NULL);
    cell_text(row, some(buffer_text(&list)));
    buffer_finish(&list);
}

void flow_write_csv(FILE *file, const struct store_reader *reader, const struct judged *judged)
{
    const struct observation *flow = &judged->flow;
    struct row row = {.file = file};
    char id[ID_SIZE];

    cell_text(&row, id_text(flow->input, flow->packet, id));
    cell_text(&row, id_text(judged->attempt_input, judged->attempt_packet, id));
    cell_time(&row, flow->start_us);
    cell_time(&row, flow->end_us);
    cells_vantage(&row, &judged->input->vantage);
    cells_ends(&row, reader, flow);
    cells_tag(&row, flow);
    for (int side = 0; side < 2; side++)
        cell_number(&row, flow->packets[side], true);
    for (int side = 0; side < 2; side++)
        cell_number(&row, flow->bytes[side], true);
    cell_word(&row, WORD_STAGE, flow->stage);
    cell_word(&row, WORD_CLOSE, flow->close);
    cells_dns(&row, &flow->dns);
    cells_verdict(&row, &judged->verdict);
    fputs("\r\n", file);
}

/* ---- the table ---- */

enum {
    START_WIDTH = 14,
    SERVICE_WIDTH = 18,
    RESULT_WIDTH = 27,
    STAGE_WIDTH = 6,
    PACKETS_WIDTH = 9
};
#define WIDE_COLUMNS 100 /* from here on there is room for stage and packets */

static size_t host_width(size_t width)
{
    size_t others = START_WIDTH + 1 + SERVICE_WIDTH + 1 + 1 + RESULT_WIDTH;
    if (width >= WIDE_COLUMNS)
        others += STAGE_WIDTH + 1 + PACKETS_WIDTH + 1;
    return width - others;
}

/* Exactly `width` columns; what is longer ends in "~". */
static void column(FILE *file, const char *text, size_t width)
{
    char line[1024] = "";
    size_t used = 0, columns = 0, keep = 0, keep_columns = 0;

    while (*text && used + TEXT_CHARACTER_SIZE < sizeof(line)) {
        size_t wide;
        size_t length = text_escape(text_next(&text), line + used, &wide);
        used += length;
        columns += wide;
        if (columns > width)
            break;
        if (columns < width) {
            keep = used;
            keep_columns = columns;
        }
    }
    bool cut = columns > width;
    fwrite(line, 1, cut ? keep : used, file);
    if (cut)
        putc('~', file);
    fprintf(file, "%*s ", (int)(width - (cut ? keep_columns + 1 : columns)), "");
}

void flow_write_table_head(FILE *file, size_t width)
{
    column(file, "START (UTC)", START_WIDTH);
    column(file, "SERVICE", SERVICE_WIDTH);
    column(file, "HOST OR SERVER", host_width(width));
    if (width >= WIDE_COLUMNS) {
        column(file, "STAGE", STAGE_WIDTH);
        column(file, "UP/DOWN", PACKETS_WIDTH);
    }
    fputs("RESULT\n", file);
}

static void column_host(FILE *file, const struct observation *flow, size_t width)
{
    char text[512], address[ADDRESS_TEXT_SIZE] = "(a person)";

    if (flow->server.kind == ENDPOINT_ADDRESS)
        address_format(&flow->server.address, address);
    bool no_port = flow->import.present && flow->server_port == 0;
    if (flow->import.present && flow->server.kind == ENDPOINT_NONE)
        snprintf(address, sizeof(address), "-");
    if (flow->dns.present)
        snprintf(text, sizeof(text), "%s ?", flow->host);
    else if (no_port)
        snprintf(text, sizeof(text), "%s", some(flow->host) ? flow->host : address);
    else if (flow->host && flow->host[0])
        snprintf(text, sizeof(text), "%s:%u", flow->host, flow->server_port);
    else
        snprintf(text, sizeof(text), strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
                 flow->server_port);
    column(file, text, width);
}

void flow_write_table(FILE *file, const struct judged *judged, size_t width)
{
    const struct observation *flow = &judged->flow;
    const char *outcome = word_text(WORD_OUTCOME, judged->verdict.outcome);
    const char *stage = word_text(WORD_STAGE, flow->stage);
    char text[64], time[CLOCK_TEXT_SIZE];

    clock_format(flow->start_us, time); /* "2015-11-30T19:00:00.000000Z" */
    snprintf(text, sizeof(text), "%.5s %.8s", time + 5, time + 11);
    column(file, text, START_WIDTH);
    column(file, some(flow->service) ? flow->service : "-", SERVICE_WIDTH);
    column_host(file, flow, host_width(width));
    if (width >= WIDE_COLUMNS) {
        column(file, stage ? stage : "-", STAGE_WIDTH);
        snprintf(text, sizeof(text), "%" PRIu64 "/%" PRIu64, flow->packets[SIDE_CLIENT],
                 flow->packets[SIDE_SERVER]);
        column(file, text, PACKETS_WIDTH);
    }
    fprintf(file, "%s%s%s\n", outcome ? outcome : "-", judged->verdict.mechanism ? " " : "",
            judged->verdict.mechanism ? judged->verdict.mechanism : "");
}
