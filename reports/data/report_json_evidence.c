// SPDX-License-Identifier: GPL-3.0-or-later
#include <inttypes.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/data/data_json.h"

#define ID_SIZE 32

static void member_known(struct json *json, const char *key, uint64_t value, bool known)
{
    json_key(json, key);
    if (known)
        json_unsigned(json, value);
    else
        json_null(json);
}

/* ---- cards ---- */

static void write_marks(struct json *json, uint16_t marks)
{
    static const char *const words[] = {"proves", "ttl",     "ip-id",   "sequence",
                                        "haste",  "options", "content", "talks-on"};

    json_key(json, "marks");
    json_begin_array(json);
    for (unsigned i = 0; i < ARRAY_LENGTH(words); i++)
        if (marks & 1u << i)
            json_text(json, words[i]);
    json_end_array(json);
}

static void write_step(struct json *json, const struct findings_step *step)
{
    bool is_icmp = step->kind == STEP_ICMP, is_answer = step->kind == STEP_ANSWER;

    json_begin_object(json);
    json_member_text(json, "kind", data_step_text(step->kind));
    json_member_text(json, "payload", data_payload_text(step->payload));
    json_member_unsigned(json, "after_us", step->after_us);
    json_member_bool(json, "from_server", step->from_server);
    member_known(json, "tcp_flags", step->tcp_flags, step->tcp_flags != 0);
    member_known(json, "ttl", step->ttl, step->ttl != 0);
    member_known(json, "ttl_expected", step->ttl_expected, step->ttl_expected != 0);
    member_known(json, "ip_id", step->ip_id, step->has_ip_id);
    member_known(json, "length", step->length, step->has_packet || step->length != 0);
    member_known(json, "window", step->window, step->has_packet);
    member_known(json, "packet", step->packet, step->packet != 0);
    write_marks(json, step->marks);
    json_member_unsigned(json, "copies", step->copies);
    member_known(json, "icmp_type", step->icmp_type, is_icmp);
    member_known(json, "icmp_code", step->icmp_code, is_icmp);
    member_known(json, "dns_rcode", step->dns_rcode, is_answer);
    json_end_object(json);
}

static void write_reasons(struct json *json, const struct findings_card *card)
{
    json_key(json, "reasons");
    json_begin_array(json);
    for (size_t i = 0; i < card->reason_count; i++) {
        json_begin_object(json);
        json_member_text(json, "rule", card->reasons[i].rule);
        json_member_text(json, "kind", data_rule_kind_text(card->reasons[i].kind));
        json_member_text(json, "detail", card->reasons[i].detail);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_verdict(struct json *json, const struct findings_card *card)
{
    json_member_text(json, "stage", word_text(WORD_STAGE, card->stage));
    json_member_text(json, "outcome", word_text(WORD_OUTCOME, card->outcome));
    json_member_text(json, "mechanism", card->mechanism);
    json_member_text(json, "attribution", word_text(WORD_ATTRIBUTION, card->attribution));
    member_known(json, "signature", card->signature, card->signature != 0);
    json_key(json, "score");
    if (card->score >= 0)
        json_double(json, card->score);
    else
        json_null(json);
    json_member_text(json, "injector", card->injector);
    json_member_text(json, "blockpage", card->blockpage);
}

static void write_card(struct json *json, const struct findings_card *card)
{
    char id[ID_SIZE];

    snprintf(id, sizeof(id), "%" PRIu32 ":%" PRIu64, card->input, card->packet);
    json_begin_object(json);
    json_member_text(json, "id", id);
    json_member_unsigned(json, "input", card->input);
    json_member_unsigned(json, "packet", card->packet);
    json_member_text(json, "capture", data_some(card->capture));
    data_member_hour(json, "hour", card->hour_us);
    json_member_text(json, "service", data_some(card->service));
    json_member_text(json, "host", data_some(card->host));
    json_member_text(json, "server", data_some(card->server));
    json_member_text(json, "transport", word_text(WORD_TRANSPORT, card->transport));
    write_verdict(json, card);
    write_reasons(json, card);
    json_key(json, "steps");
    json_begin_array(json);
    for (size_t i = 0; i < card->step_count; i++)
        write_step(json, &card->steps[i]);
    json_end_array(json);
    json_member_unsigned(json, "steps_left_out", card->steps_left_out);
    json_end_object(json);
}

void data_write_cards(struct json *json, const struct findings *findings)
{
    json_key(json, "cards");
    json_begin_array(json);
    for (size_t i = 0; i < findings->card_count; i++)
        write_card(json, &findings->cards[i]);
    json_end_array(json);
}

/* ---- charts ---- */

static void write_bin(struct json *json, const struct findings_bin *bin)
{
    json_begin_object(json);
    data_member_hour(json, "from", bin->from_us);
    data_share(json, &bin->share);
    json_member_unsigned(json, "slowed", bin->slowed);
    json_member_unsigned(json, "clients", bin->clients);
    json_member_bool(json, "watched", bin->watched);
    json_member_bool(json, "withheld", bin->withheld);
    json_end_object(json);
}

static void write_hours(struct json *json, const char *key, const struct findings_day *day,
                        bool failures)
{
    json_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < ARRAY_LENGTH(day->hours); i++) {
        const struct findings_hour_of_day *hour = &day->hours[i];
        if (hour->withheld)
            json_null(json);
        else
            json_unsigned(json, failures ? hour->failures : hour->attempts);
    }
    json_end_array(json);
}

static void write_day(struct json *json, const struct findings_day *day)
{
    char text[CLOCK_TEXT_SIZE];

    json_begin_object(json);
    /* Not a full hour everywhere: Nepal's midnight is at 18:15 UTC. */
    json_member_text(json, "midnight", clock_format(day->midnight_us, text));
    write_hours(json, "attempts", day, false);
    write_hours(json, "failures", day, true);
    json_key(json, "watched");
    json_begin_array(json);
    for (size_t i = 0; i < ARRAY_LENGTH(day->hours); i++)
        json_bool(json, day->hours[i].watched);
    json_end_array(json);
    json_end_object(json);
}

static void write_chart(struct json *json, const struct findings_chart *chart)
{
    json_begin_object(json);
    data_member_index(json, "pair", chart->pair);
    json_member_unsigned(json, "bin_hours", (uint64_t)(chart->bin_us / CLOCK_HOUR_US));
    json_key(json, "bins");
    json_begin_array(json);
    for (size_t i = 0; i < chart->bin_count; i++)
        write_bin(json, &chart->bins[i]);
    json_end_array(json);
    json_key(json, "days");
    json_begin_array(json);
    for (size_t i = 0; i < chart->day_count; i++)
        write_day(json, &chart->days[i]);
    json_end_array(json);
    json_member_integer(json, "utc_offset_seconds", chart->utc_offset_seconds);
    json_key(json, "events");
    json_begin_array(json);
    for (size_t i = 0; i < chart->event_count; i++)
        json_unsigned(json, chart->events[i]);
    json_end_array(json);
    json_end_object(json);
}

void data_write_charts(struct json *json, const struct findings *findings)
{
    json_key(json, "charts");
    json_begin_array(json);
    for (size_t i = 0; i < findings->chart_count; i++)
        write_chart(json, &findings->charts[i]);
    json_end_array(json);
}
