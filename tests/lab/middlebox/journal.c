// SPDX-License-Identifier: GPL-3.0-or-later
#include <netinet/in.h>

#include "base/clock.h"
#include "base/json.h"
#include "tests/lab/middlebox/box.h"
#include "tests/lab/middlebox/draft.h"

static void begin(struct json *json, const struct box *box, const struct rule *rule,
                  const struct seen *seen)
{
    char text[ADDRESS_TEXT_SIZE];
    const struct flow *flow = seen->flow;
    json_init(json, box->journal, 0);
    json_begin_object(json);
    json_member_integer(json, "time_us", clock_now_us()); /* the clock that captures have */
    json_member_text(json, "rule", rule->id);
    json_key(json, "flow");
    json_begin_object(json);
    json_member_text(json, "client", address_format(&flow->client, text));
    json_member_unsigned(json, "client_port", flow->client_port);
    json_member_text(json, "server", address_format(&flow->server, text));
    json_member_unsigned(json, "server_port", flow->server_port);
    json_member_text(json, "transport", word_text(WORD_TRANSPORT, flow->transport));
    if (flow->name_kind)
        json_member_text(json, "name", flow->name);
    if (seen->moments & MOMENT_QUESTION)
        json_member_text(json, "name", seen->dns.name);
    if (seen->moments & MOMENT_QUESTION)
        json_member_text(json, "qtype", dns_type_text(seen->dns.type));
    json_end_object(json);
}

static void end(struct json *json, FILE *journal)
{
    json_end_object(json);
    json_newline(json);
    fflush(journal); /* the lab may end us at any moment */
}

static void write_draft(struct json *json, const struct draft *draft)
{
    json_member_unsigned(json, "ttl", draft->ttl);
    json_member_unsigned(json, "ip_id", draft->ip_id);
    json_member_bool(json, "df", draft->df);
    json_member_unsigned(json, "payload", draft->length);
    if (draft->protocol == IPPROTO_TCP) {
        json_member_unsigned(json, "flags", draft->tcp_flags);
        json_member_unsigned(json, "seq", draft->seq);
        json_member_unsigned(json, "ack", draft->ack);
        json_member_unsigned(json, "window", draft->window);
        json_member_bool(json, "timestamps", draft->timestamps);
    } else if (draft->protocol != IPPROTO_UDP) {
        json_member_unsigned(json, "icmp_type", draft->icmp_type);
        json_member_unsigned(json, "icmp_code", draft->icmp_code);
    }
}

void journal_sent(const struct injection *injection, enum side to, const struct draft *draft,
                  int64_t after_us)
{
    struct box *box = injection->box;
    if (!box->journal)
        return;
    struct json json;
    begin(&json, box, injection->rule, injection->seen);
    json_key(&json, "sent");
    json_begin_object(&json);
    json_member_text(&json, "to", to == SIDE_CLIENT ? "client" : "server");
    json_member_integer(&json, "after_us", after_us);
    write_draft(&json, draft);
    json_end_object(&json);
    json_member_text(&json, "woken_by", injection->seen->side == SIDE_CLIENT ? "client" : "server");
    json_member_bool(&json, "passed", injection->rule->pass);
    end(&json, box->journal);
}

void journal_deed(struct box *box, const struct rule *rule, const struct seen *seen,
                  const char *deed)
{
    if (!box->journal)
        return;
    struct json json;
    begin(&json, box, rule, seen);
    json_key(&json, deed);
    json_begin_object(&json);
    json_member_text(&json, "from", seen->side == SIDE_CLIENT ? "client" : "server");
    json_member_unsigned(&json, "bytes", seen->packet->bytes);
    json_member_unsigned(&json, "ip_id", seen->packet->ip_id);
    if (seen->packet->transport == TRANSPORT_TCP)
        json_member_unsigned(&json, "seq", seen->packet->seq);
    json_end_object(&json);
    end(&json, box->journal);
}
