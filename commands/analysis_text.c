// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/analysis_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/classify.h"
#include "analyzer/judge/judge.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"

#define LINE_WIDTH  100
#define LABEL_WIDTH 12
#define TEXT_MAX    1024
#define WHEN_SIZE   24
#define DAY_HOURS   24

struct text {
    FILE *file;
    const struct analysis_document *document;
    const struct catalog *catalog;
};

/* ---- small pieces ---- */

/* "2023-11-09 19:36": UTC, to the minute. */
static const char *when(int64_t time_us, char text[WHEN_SIZE])
{
    char full[CLOCK_TEXT_SIZE];

    snprintf(text, WHEN_SIZE, "%.16s", clock_format(time_us, full));
    if (strlen(text) > 10)
        text[10] = ' ';
    return text;
}

/* A labelled paragraph, wrapped by words. */
static void paragraph(const struct text *text, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void paragraph(const struct text *text, const char *label, const char *format, ...)
{
    char words[TEXT_MAX];
    size_t column = (size_t)fprintf(text->file, "  %-*s", LABEL_WIDTH, label);
    bool begins = true;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    for (const char *at = words; *at;) {
        size_t length = strcspn(at, " ");
        if (!begins && column + 1 + length > LINE_WIDTH) {
            fprintf(text->file, "\n  %*s", LABEL_WIDTH, "");
            column = LABEL_WIDTH + 2;
            begins = true;
        }
        column += (size_t)fprintf(text->file, "%s%.*s", begins ? "" : " ", (int)length, at);
        begins = false;
        at += length + (at[length] == ' ');
    }
    putc('\n', text->file);
}

static const char *carrier_of(const struct text *text, uint16_t carrier)
{
    const char *id = cells_carrier(text->document->cells, carrier);
    return *id ? id : "unknown carrier";
}

static const char *country_of(const struct text *text, uint16_t carrier)
{
    const char *country = cells_carrier_country(text->document->cells, carrier);
    return *country ? country : "country unknown";
}

static const char *carrier_name(const struct text *text, uint16_t carrier)
{
    const char *id = carrier_of(text, carrier);
    const struct catalog_carrier *found = catalog_carrier_find(text->catalog, id);
    return found ? found->name : id;
}

static const char *class_of(const struct text *text, const char *service)
{
    const struct catalog_service *found = catalog_service_find(text->catalog, service);
    const char *word = found ? word_text(WORD_CLASS, found->class) : NULL;
    return word ? word : "not in the catalog";
}

static void heading(const struct text *text, const char *title, size_t count)
{
    fprintf(text->file, "\n%s (%zu)\n", title, count);
}

/* ---- one event ---- */

static void write_headline(const struct text *text, const struct event *event)
{
    const char *service =
        event->service < 0 ? NULL : cells_service(text->document->cells, (uint16_t)event->service);
    char label[TEXT_MAX];

    if (service)
        snprintf(label, sizeof(label), "%s (%s)", service, class_of(text, service));
    else
        snprintf(label, sizeof(label), "all services");
    fprintf(text->file, "\n%s on %s, %s: %s, %s", label, carrier_name(text, event->carrier),
            country_of(text, event->carrier), event_class_text(event->class),
            event_grade_text(event->grade));
    if (event->scope != SCOPE_CARRIER)
        fprintf(text->file, ", %s",
                event->scope == SCOPE_LINE ? "one line only" : "the whole country");
    putc('\n', text->file);
}

static void write_times(const struct text *text, const struct event *event)
{
    char from[WHEN_SIZE], to[WHEN_SIZE], found[WHEN_SIZE];

    when(event->onset.latest_us, to);
    when(event->alarm_us, found);
    if (event->onset.earliest_us == 0)
        paragraph(text, "since",
                  "before %s UTC: it failed from the first attempt seen; found "
                  "with the data until %s",
                  to, found);
    else
        paragraph(text, "since", "between %s and %s UTC; found with the data until %s",
                  when(event->onset.earliest_us, from), to, found);
    if (event->ended)
        paragraph(text, "until", "between %s and %s UTC", when(event->end.earliest_us, from),
                  when(event->end.latest_us, to));
    else
        paragraph(text, "until", "no end was seen");
}

/* "7-10, 13-16": hours that follow each other as one range. */
static void list_hours(const bool *hours, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned hour = 0; hour < DAY_HOURS && used < size; hour++) {
        unsigned last = hour;
        if (!hours[hour])
            continue;
        while (last + 1 < DAY_HOURS && hours[last + 1])
            last++;
        used += (size_t)snprintf(text + used, size - used, "%s%02u:00-%02u:00", used ? ", " : "",
                                 hour, last + 1);
        hour = last;
    }
    if (used == 0)
        snprintf(text, size, "never");
}

static void write_hours(const struct text *text, const struct event *event)
{
    char workdays[TEXT_MAX / 4], weekends[TEXT_MAX / 4];

    if (!event->has_hours)
        return;
    list_hours(event->hours, workdays, sizeof(workdays));
    list_hours(event->hours + DAY_HOURS, weekends, sizeof(weekends));
    paragraph(text, "hours", "only at these local hours: workdays %s; weekends %s", workdays,
              weekends);
}

static void write_mechanisms(const struct text *text, const struct event *event)
{
    const struct cells *cells = text->document->cells;
    char words[TEXT_MAX] = "";
    size_t used = 0;

    for (unsigned i = 0; i < MIN_OF(event->mechanism_count, 3u) && used < sizeof(words); i++) {
        const char *path = cells_mechanism(cells, event->mechanisms[i].mechanism);
        const char *plain = judge_mechanism_text(path);
        used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s (%s, %.0f %%)",
                                 used ? "; " : "", plain ? plain : path, path,
                                 100 * event->mechanisms[i].share);
    }
    if (used == 0 && analysis_mechanism(cells, event))
        snprintf(words, sizeof(words), "%s",
                 judge_mechanism_text(analysis_mechanism(cells, event)));
    if (*words)
        paragraph(text, "what", "%s", words);
}

static void write_counts(const struct text *text, const struct event *event)
{
    char words[TEXT_MAX] = "";

    if (event->attempts)
        snprintf(words, sizeof(words),
                 "%" PRIu64 " of %" PRIu64 " attempts failed (%.0f to %.0f %%), before %" PRIu64
                 " of %" PRIu64 "; ",
                 event->failures, event->attempts, 100 * event->interval.low,
                 100 * event->interval.high, event->baseline_failures, event->baseline_attempts);
    paragraph(text, "how many",
              "%s%" PRIu32 " client%s in the busiest hour, %" PRIu32 " independent line%s, %" PRIu32
              " vantage%s; data quality %u of 5",
              words, event->clients, event->clients == 1 ? "" : "s", event->voices,
              event->voices == 1 ? "" : "s", event->vantages, event->vantages == 1 ? "" : "s",
              event->quality);
}

static void write_controls(const struct text *text, const struct event *event)
{
    for (unsigned i = 0; i < event->control_count; i++) {
        const struct analysis_control *control = &event->controls[i];
        if (control->attempts)
            paragraph(text, i ? "" : "beside it", "%s (%s): %" PRIu64 " of %" PRIu64 " failed: %s",
                      control->name, control->kind, control->failures, control->attempts,
                      control->verdict);
        else
            paragraph(text, i ? "" : "beside it", "%s (%s): none seen", control->name,
                      control->kind);
    }
}

/* The rules that name what nobody could be asked. */
static void write_missing(const struct text *text, const struct event *event)
{
    bool begun = false;

    for (unsigned i = 0; i < event->rule_count; i++) {
        const struct detect_rule *rule = detect_rule_find(event->rules[i]);
        if (!rule ||
            (strncmp(rule->id, "no-control", 10) != 0 && strcmp(rule->id, "one-line") != 0))
            continue;
        paragraph(text, begun ? "" : "missing", "%s", rule->says);
        begun = true;
    }
}

static void write_event(const struct text *text, const struct event *event)
{
    write_headline(text, event);
    write_times(text, event);
    write_hours(text, event);
    write_mechanisms(text, event);
    write_counts(text, event);
    write_controls(text, event);
    paragraph(text, "meaning", "%s", event->explanation);
    write_missing(text, event);
    if (event->flow_count)
        paragraph(text, "examples",
                  "%u flows, among them %" PRIu32 ":%" PRIu64 " (darkline flows shows it)",
                  event->flow_count, event->flows[0].input, event->flows[0].packet);
    paragraph(text, "id", "%s", event->id);
}

/* ---- campaigns, orders ---- */

static void write_campaign(const struct text *text, const struct campaign *campaign)
{
    char from[WHEN_SIZE], to[WHEN_SIZE];

    fprintf(text->file, "\n%s in %s: %s, %zu events, %" PRIu32 " independent owner%s\n",
            cells_service(text->document->cells, campaign->service), campaign->country,
            event_class_text(campaign->class), campaign->event_count, campaign->owners,
            campaign->owners == 1 ? "" : "s");
    if (campaign->onset.earliest_us)
        paragraph(text, "since", "between %s and %s UTC; begun within %.1f hours of each other",
                  when(campaign->onset.earliest_us, from), when(campaign->onset.latest_us, to),
                  campaign->spread_hours);
    else
        paragraph(text, "since", "before %s UTC", when(campaign->onset.latest_us, to));
    paragraph(text, "order", "%s", campaign->order ? campaign->order : "none in the catalog fits");
    paragraph(text, "meaning", "%s", campaign->explanation);
}

static void write_order_row(const struct text *text, const struct order_row *row)
{
    char onset[WHEN_SIZE] = "", hours[WHEN_SIZE] = "";

    if (row->verdict == ORDER_COMPLIED)
        when(row->onset.latest_us, onset);
    if (row->has_hours_from_deadline)
        snprintf(hours, sizeof(hours), "%+.1f h", row->hours_from_deadline);
    fprintf(text->file, "  %-32.32s %-14.14s %-13s %-17s %10s %s\n", row->order, row->carrier,
            order_verdict_text(row->verdict), onset, hours,
            row->mechanism < 0 ? ""
                               : cells_mechanism(text->document->cells, (uint16_t)row->mechanism));
}

static void write_orders(const struct text *text)
{
    const struct analysis *analysis = text->document->analysis;

    if (analysis->order_count == 0)
        return;
    heading(text, "Orders, by carrier", analysis->order_count);
    fprintf(text->file, "  %-32s %-14s %-13s %-17s %10s %s\n", "ORDER", "CARRIER", "SEEN",
            "SINCE (UTC)", "DEADLINE", "MECHANISM");
    for (size_t i = 0; i < analysis->order_count; i++)
        write_order_row(text, &analysis->orders[i]);
}

/* ---- states and coverage ---- */

/* What would have been noticed: a pair that could see nothing small says little by seeing nothing. */
static const char *would_see(const struct pair_state *state, char words[WHEN_SIZE])
{
    if (state->minimum_detectable_share > 1)
        return "nothing";
    snprintf(words, WHEN_SIZE, "%.0f %% and more", 100 * state->minimum_detectable_share);
    return words;
}

static void write_states(const struct text *text)
{
    const struct analysis *analysis = text->document->analysis;
    char words[WHEN_SIZE], at[WHEN_SIZE], failed[WHEN_SIZE * 2];

    if (analysis->state_count == 0)
        return;
    heading(text, "State at the end of the data", analysis->state_count);
    fprintf(text->file, "  %-16s %-24s %-15s %-15s %-16s %s\n", "CARRIER", "SERVICE", "STATE",
            "FAILED", "WOULD HAVE SEEN", "AT (UTC)");
    for (size_t i = 0; i < analysis->state_count; i++) {
        const struct pair_state *state = &analysis->states[i];
        snprintf(failed, sizeof(failed), "%" PRIu64 " of %" PRIu64, state->failures,
                 state->attempts);
        fprintf(text->file, "  %-16.16s %-24.24s %-15s %-15s %-16s %s\n",
                carrier_of(text, state->carrier),
                cells_service(text->document->cells, (uint16_t)state->service),
                line_state_text(state->state), failed, would_see(state, words),
                state->at_us ? when(state->at_us, at) : "");
    }
}

static void write_coverage(const struct text *text)
{
    const struct analysis_document *document = text->document;
    int64_t first_us = cells_first_us(document->cells), last_us = cells_last_us(document->cells);
    uint64_t lost = 0, packets = 0;
    char from[WHEN_SIZE], to[WHEN_SIZE];

    for (size_t i = 0; i < document->input_count; i++) {
        lost += document->inputs[i]->lost;
        packets += document->inputs[i]->packets;
    }
    fprintf(text->file, "\nWhat was looked at\n");
    paragraph(text, "inputs", "%zu, with %" PRIu64 " packets or rows; %" PRIu64 " lost",
              document->input_count, packets, lost);
    if (last_us)
        paragraph(text, "attempts", "from %s to %s UTC", when(first_us, from), when(last_us, to));
    paragraph(text, "watched", "%zu stretch%s of time; outside of them nothing is known",
              document->coverage_count, document->coverage_count == 1 ? "" : "es");
    paragraph(text, "series", "%" PRIu64 " tested; %" PRIu64 " findings dropped as likely chance",
              document->analysis->series_tested, document->analysis->dropped);
    paragraph(text, "rules", "version %s of darkline %s", document->rules_version,
              document->version);
}

/* Nothing found is two things: it was well, or it could not be seen. */
static void write_nothing(const struct text *text)
{
    const struct analysis *analysis = text->document->analysis;
    size_t blind = 0;

    for (size_t i = 0; i < analysis->state_count; i++)
        blind += analysis->states[i].state == STATE_INSUFFICIENT;
    if (analysis->state_count == 0)
        fprintf(text->file, "No event, and nothing to find one in: no attempt at a known service "
                            "was decided.\n");
    else if (blind == analysis->state_count)
        fprintf(text->file,
                "No event, and not enough data to find one: all %zu pairs of carrier and service "
                "are insufficient.\nThis does not say that nothing was blocked.\n",
                analysis->state_count);
    else
        fprintf(text->file,
                "No event found. %zu of %zu pairs of carrier and service had enough data to see "
                "one.\n",
                analysis->state_count - blind, analysis->state_count);
}

void analysis_write_text(FILE *file, const struct analysis_document *document,
                         const struct catalog *catalog)
{
    const struct text text = {file, document, catalog};
    const struct analysis *analysis = document->analysis;

    if (analysis->event_count == 0)
        write_nothing(&text);
    else
        fprintf(file, "Events (%zu)\n", analysis->event_count);
    for (size_t i = 0; i < analysis->event_count; i++)
        write_event(&text, &analysis->events[i]);
    if (analysis->campaign_count)
        heading(&text, "Campaigns", analysis->campaign_count);
    for (size_t i = 0; i < analysis->campaign_count; i++)
        write_campaign(&text, &analysis->campaigns[i]);
    write_orders(&text);
    write_states(&text);
    if (document->taken_back_count)
        heading(&text, "Taken back: found by earlier rules, no longer by these",
                document->taken_back_count);
    for (size_t i = 0; i < document->taken_back_count; i++)
        fprintf(file, "  %s (rules %s)\n", document->taken_back[i].event_id,
                document->taken_back[i].rules_version);
    write_coverage(&text);
}
