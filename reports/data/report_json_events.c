// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "reports/data/data_json.h"

static void member_texts(struct json *json, const char *key, const char *const *texts, size_t count)
{
    json_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        json_text(json, texts[i]);
    json_end_array(json);
}

/* ---- events ---- */

static const char *mechanism_of(const struct findings *findings, const struct findings_event *event)
{
    return event->mechanism_count ? event->mechanisms[0].mechanism
                                  : analysis_mechanism(findings->cells, event->event);
}

static void write_mechanisms(struct json *json, const struct findings_event *event)
{
    json_key(json, "mechanisms");
    json_begin_object(json);
    for (size_t i = 0; i < event->mechanism_count; i++)
        data_member_double(json, event->mechanisms[i].mechanism, event->mechanisms[i].share);
    if (event->mechanism_count == 0 && event->event->class == EVENT_VANISHED)
        data_member_double(json, "absence", 1);
    json_end_object(json);
}

static void write_what(struct json *json, const struct findings *findings,
                       const struct findings_event *found)
{
    const struct event *event = found->event;

    json_member_text(json, "id", found->id);
    json_member_text(json, "class", event_class_text(event->class));
    json_member_text(json, "state", line_state_text(event->state));
    json_member_text(json, "service", found->service);
    json_member_text(json, "service_name", found->service_name);
    json_member_text(json, "carrier", data_some(found->carrier));
    json_member_text(json, "carrier_name", data_some(found->carrier_name));
    data_member_asn(json, event->asn);
    json_key(json, "asns");
    json_begin_array(json);
    for (unsigned i = 0; i < event->asn_count; i++)
        json_unsigned(json, event->asns[i]);
    json_end_array(json);
    json_member_text(json, "country", data_some(found->country));
    json_member_text(json, "mechanism", mechanism_of(findings, found));
    write_mechanisms(json, found);
    data_member_mechanism_counts(json, found->mechanisms, found->mechanism_count);
}

static void write_controls(struct json *json, const struct findings_event *found)
{
    json_key(json, "controls");
    json_begin_array(json);
    for (size_t i = 0; i < found->control_count; i++) {
        const struct findings_control *control = &found->controls[i];
        json_begin_object(json);
        json_member_text(json, "kind", control->kind);
        json_member_text(json, "name", data_some(control->name));
        data_share(json, &control->share);
        json_member_text(json, "verdict", control->verdict);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_when(struct json *json, const struct findings_event *found)
{
    data_member_span(json, "onset", &found->onset);
    if (found->end.earliest_us || found->end.latest_us) {
        data_member_span(json, "end", &found->end);
    } else {
        json_key(json, "end");
        json_null(json);
    }
    data_member_double(json, "hours_down", found->hours_down);
}

static void write_numbers(struct json *json, const struct findings_event *found)
{
    const struct event *event = found->event;

    json_member_text(json, "grade", event_grade_text(event->grade));
    json_member_text(json, "strength", findings_strength_text(found->strength));
    json_member_text(json, "scope", event_scope_text(event->scope));
    analysis_write_hours(json, event);
    data_member_double(json, "log_odds", event->log_odds);
    json_member_unsigned(json, "quality", event->quality);
    data_share(json, &found->share);
    json_member_unsigned(json, "proven", event->proven);
    json_member_unsigned(json, "clients", event->clients);
    json_member_unsigned(json, "voices", event->voices);
    json_member_unsigned(json, "vantages", event->vantages);
    data_member_share(json, "baseline", &found->baseline);
}

static void write_links(struct json *json, const struct findings_event *found)
{
    json_member_text(json, "order", found->order);
    data_member_index(json, "campaign", found->campaign);
    data_member_index(json, "pair", found->pair);
    json_key(json, "cards");
    json_begin_array(json);
    for (size_t i = 0; i < found->card_count; i++)
        json_unsigned(json, found->first_card + i);
    json_end_array(json);
    json_member_text(json, "actor_page", found->names_actor ? found->actor_page : NULL);
    json_key(json, "flows");
    json_begin_array(json);
    for (size_t i = 0; i < found->example_count; i++)
        json_text(json, found->examples[i]);
    json_end_array(json);
}

static void write_event(struct json *json, const struct findings *findings,
                        const struct findings_event *found)
{
    const struct event *event = found->event;

    json_begin_object(json);
    write_what(json, findings, found);
    write_when(json, found);
    write_numbers(json, found);
    write_controls(json, found);
    member_texts(json, "rules", event->rules, event->rule_count);
    json_member_text(json, "explanation", event->explanation);
    write_links(json, found);
    data_member_hour_up(json, "alarm", found->alarm_us);
    json_end_object(json);
}

void data_write_events(struct json *json, const struct findings *findings)
{
    json_key(json, "events");
    json_begin_array(json);
    for (size_t i = 0; i < findings->event_count; i++)
        write_event(json, findings, &findings->events[i]);
    json_end_array(json);
}

/* ---- campaigns ---- */

static bool carrier_came_before(const struct findings *findings,
                                const struct findings_campaign *campaign, size_t index)
{
    const char *carrier = findings->events[campaign->events[index]].carrier;

    for (size_t i = 0; i < index; i++)
        if (strcmp(findings->events[campaign->events[i]].carrier, carrier) == 0)
            return true;
    return false;
}

static void write_members(struct json *json, const struct findings *findings,
                          const struct findings_campaign *campaign)
{
    json_key(json, "carriers");
    json_begin_array(json);
    for (size_t i = 0; i < campaign->event_count; i++)
        if (!carrier_came_before(findings, campaign, i))
            json_text(json, findings->events[campaign->events[i]].carrier);
    json_end_array(json);
    json_key(json, "events");
    json_begin_array(json);
    for (size_t i = 0; i < campaign->event_count; i++)
        json_text(json, findings->events[campaign->events[i]].id);
    json_end_array(json);
    json_key(json, "event_indexes");
    json_begin_array(json);
    for (size_t i = 0; i < campaign->event_count; i++)
        json_unsigned(json, campaign->events[i]);
    json_end_array(json);
}

void data_write_campaigns(struct json *json, const struct findings *findings)
{
    json_key(json, "campaigns");
    json_begin_array(json);
    for (size_t i = 0; i < findings->campaign_count; i++) {
        const struct findings_campaign *campaign = &findings->campaigns[i];
        json_begin_object(json);
        json_member_text(json, "id", campaign->id);
        json_member_text(json, "class", event_class_text(campaign->campaign->class));
        json_member_text(json, "service", campaign->service);
        json_member_text(json, "service_name", campaign->service_name);
        json_member_text(json, "country", data_some(campaign->country));
        write_members(json, findings, campaign);
        data_member_span(json, "onset", &campaign->onset);
        data_member_double(json, "spread_hours", campaign->spread_hours);
        json_member_unsigned(json, "owners", campaign->campaign->owners);
        json_member_text(json, "order", campaign->order);
        json_member_text(json, "explanation", campaign->explanation);
        json_end_object(json);
    }
    json_end_array(json);
}

/* ---- orders ---- */

static void write_row(struct json *json, const struct findings_order_row *row)
{
    json_begin_object(json);
    json_member_text(json, "carrier", data_some(row->carrier));
    json_member_text(json, "carrier_name", data_some(row->carrier_name));
    json_member_text(json, "country", data_some(row->country));
    json_member_text(json, "verdict", order_verdict_text(row->verdict));
    if (row->onset.earliest_us || row->onset.latest_us) {
        data_member_span(json, "onset", &row->onset);
    } else {
        json_key(json, "onset");
        json_null(json);
    }
    json_member_text(json, "mechanism", row->mechanism);
    json_key(json, "hours_from_deadline");
    if (row->has_hours_from_deadline)
        json_double(json, row->hours_from_deadline);
    else
        json_null(json);
    data_member_index(json, "event", row->event);
    json_member_bool(json, "in_campaign", row->in_campaign);
    json_end_object(json);
}

static void write_dates(struct json *json, const struct catalog_order *order)
{
    json_key(json, "dates");
    json_begin_array(json);
    for (size_t i = 0; i < order->date_count; i++) {
        json_begin_object(json);
        json_member_text(json, "date", order->dates[i].date);
        json_member_text(json, "kind", order->dates[i].kind);
        json_member_text(json, "note", order->dates[i].note);
        json_member_text(json, "source", order->dates[i].source);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_sources(struct json *json, const struct catalog_order *order)
{
    json_key(json, "sources");
    json_begin_array(json);
    for (size_t i = 0; i < order->source_count; i++) {
        json_begin_object(json);
        json_member_text(json, "id", order->sources[i].id);
        json_member_text(json, "title", order->sources[i].title);
        json_member_text(json, "url", order->sources[i].url);
        json_member_text(json, "checked", order->sources[i].checked);
        json_end_object(json);
    }
    json_end_array(json);
}

static void member_date(struct json *json, const char *key, int64_t time_us)
{
    data_member_hour(json, key, time_us == CATALOG_NO_TIME ? 0 : time_us);
}

static void write_order(struct json *json, const struct findings_order *found)
{
    const struct catalog_order *order = found->order;

    json_begin_object(json);
    json_member_text(json, "id", order->id);
    json_member_text(json, "title", order->title);
    json_member_text(json, "issuer", order->issuer);
    json_member_text(json, "country", order->country);
    member_texts(json, "services", order->services, order->service_count);
    member_texts(json, "exempt", order->exempt, order->exempt_count);
    member_date(json, "announced", found->times.announced_us);
    member_date(json, "first_due", found->times.first_due_us);
    member_date(json, "due", found->times.due_us);
    member_date(json, "ending", found->times.ending_us);
    member_date(json, "ended", found->times.ended_us);
    write_dates(json, order);
    write_sources(json, order);
    json_key(json, "carriers");
    json_begin_array(json);
    for (size_t i = 0; i < found->row_count; i++)
        write_row(json, &found->rows[i]);
    json_end_array(json);
    json_end_object(json);
}

void data_write_orders(struct json *json, const struct findings *findings)
{
    json_key(json, "orders");
    json_begin_array(json);
    for (size_t i = 0; i < findings->order_count; i++)
        write_order(json, &findings->orders[i]);
    json_end_array(json);
}
