// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/chart/chart_internal.h"

#define DAY_US        (24 * CLOCK_HOUR_US)
#define TEXT_MAX_SIZE (1u << 15)

char *chart_say(const struct language *language, enum text_id text, uint64_t count,
                const struct text_word *words, size_t word_count, char out[SVG_TEXT_SIZE])
{
    struct buffer said;

    buffer_init(&said, SVG_TEXT_SIZE - 1);
    language_say(&said, language, text, count, words, word_count);
    snprintf(out, SVG_TEXT_SIZE, "%s", buffer_text(&said));
    buffer_finish(&said);
    return out;
}

char *chart_say_one(const struct language *language, enum text_id text, const char *name,
                    const char *value, char out[SVG_TEXT_SIZE])
{
    return chart_say(language, text, 0, &(struct text_word){name, value}, 1, out);
}

/* Puts `next` behind what is in `list`, as the language does. Both are words of the language itself: isolated
 * they would leave the list without a direction. */
static void append_to_list(const struct language *language, const char *next,
                           char list[SVG_TEXT_SIZE])
{
    const struct text_word words[] = {{"first", list}, {"next", next}};
    struct buffer both;

    if (!*list) {
        snprintf(list, SVG_TEXT_SIZE, "%s", next);
        return;
    }
    buffer_init(&both, SVG_TEXT_SIZE - 1);
    language_fill(&both, language, TEXT_CHART_LIST, 0, words, ARRAY_LENGTH(words));
    snprintf(list, SVG_TEXT_SIZE, "%s", buffer_text(&both));
    buffer_finish(&both);
}

char *chart_event_word(const struct chart *chart, const struct findings_event *event,
                       char out[SVG_TEXT_SIZE])
{
    char key[64];
    enum text_id grade = event->event->grade == GRADE_CONFIRMED ? TEXT_CHART_GRADE_CONFIRMED
                                                                : TEXT_CHART_GRADE_LIKELY;

    snprintf(key, sizeof(key), "class-%s", event_class_text(event->event->class));
    const char *class = language_keyed(chart->language, "chart", key);
    return chart_say_one(chart->language, grade, "what",
                         class ? class : event_class_text(event->event->class), out);
}

char *chart_width(const struct language *language, int64_t width_us, char out[SVG_TEXT_SIZE])
{
    bool is_days = width_us >= DAY_US && width_us % DAY_US == 0;
    uint64_t count = (uint64_t)(width_us / (is_days ? DAY_US : CLOCK_HOUR_US));
    char number[LANGUAGE_TEXT_SIZE];

    language_count(language, count, number);
    return chart_say(language, is_days ? TEXT_CHART_WIDTH_DAYS : TEXT_CHART_WIDTH_HOURS, count,
                     &(struct text_word){"count", number}, 1, out);
}

char *chart_period(const struct chart *chart, char out[SVG_TEXT_SIZE])
{
    char from[LANGUAGE_TEXT_SIZE], to[LANGUAGE_TEXT_SIZE], zone[LANGUAGE_TEXT_SIZE];
    char zone_word[SVG_TEXT_SIZE];

    language_zone(chart->offset, zone);
    if (chart->offset == 0)
        snprintf(zone_word, sizeof(zone_word), "%s",
                 language_text(chart->language, TEXT_CHART_ZONE_UTC));
    else
        chart_say_one(chart->language, TEXT_CHART_ZONE_LOCAL, "zone", zone, zone_word);
    const struct text_word words[] = {
        {"from", language_hour(chart->language, chart->from_us, chart->offset, from)},
        {"to", language_hour(chart->language, chart->to_us, chart->offset, to)},
        {"zone", zone_word}};
    return chart_say(chart->language, TEXT_CHART_PERIOD, 0, words, ARRAY_LENGTH(words), out);
}

char *chart_source(const struct chart *chart, char out[SVG_TEXT_SIZE])
{
    static const enum text_id origins[] = {TEXT_CHART_ORIGIN_FIELD, TEXT_CHART_ORIGIN_LAB,
                                           TEXT_CHART_ORIGIN_COMPOSED, TEXT_CHART_ORIGIN_IMPORTED};
    const struct findings *findings = chart->findings;
    char list[SVG_TEXT_SIZE] = "";

    for (size_t i = 0; i < ARRAY_LENGTH(origins); i++)
        if (findings->has_origin[i])
            append_to_list(chart->language, language_text(chart->language, origins[i]), list);
    const struct text_word words[] = {
        {"id", findings->id}, {"rules", findings->rules_version}, {"origin", list}};
    return chart_say(chart->language, findings->id[0] ? TEXT_CHART_SOURCE : TEXT_CHART_SOURCE_NO_ID,
                     0, words, ARRAY_LENGTH(words), out);
}

/* ---- the order's dates ---- */

static bool kind_of_date(const char *kind, enum text_id *ret_text, bool *ret_is_end)
{
    static const struct {
        const char *kind;
        enum text_id text;
        bool is_end; /* it means the end of that day */
    } kinds[] = {
        {"announced", TEXT_CHART_ANNOUNCED, false}, {"due", TEXT_CHART_DUE, true},
        {"moved", TEXT_CHART_MOVED, true},          {"ends", TEXT_CHART_ENDS, true},
        {"withdrawn", TEXT_CHART_WITHDRAWN, false}, {"lifted", TEXT_CHART_LIFTED, false},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0) {
            *ret_text = kinds[i].text;
            *ret_is_end = kinds[i].is_end;
            return true;
        }
    return false;
}

/* A line at that moment, or the word put to the one that is there. */
static size_t add_date(const struct chart *chart, struct chart_date *dates, size_t count,
                       int64_t time_us, const char *what)
{
    size_t at = 0;

    while (at < count && dates[at].time_us < time_us)
        at++;
    if (at < count && dates[at].time_us == time_us) {
        append_to_list(chart->language, what, dates[at].word);
        return count;
    }
    if (count == CHART_DATES_MAX)
        return count;
    memmove(dates + at + 1, dates + at, (count - at) * sizeof(dates[0]));
    dates[at].time_us = time_us;
    snprintf(dates[at].word, sizeof(dates[at].word), "%s", what);
    return count + 1;
}

size_t chart_dates(const struct chart *chart, struct chart_date dates[CHART_DATES_MAX])
{
    const struct catalog *catalog = chart->findings->options->catalog;
    size_t count = 0;

    if (!chart->order || !catalog)
        return 0;
    const struct catalog_order *order = chart->order->order;
    for (size_t i = 0; i < order->date_count; i++) {
        enum text_id text;
        bool is_end;
        if (!kind_of_date(order->dates[i].kind, &text, &is_end))
            continue;
        int64_t end_us = catalog_order_day_end(catalog, order, order->dates[i].date);
        char day[LANGUAGE_TEXT_SIZE], word[SVG_TEXT_SIZE];
        language_day_short(chart->language, end_us - DAY_US / 2, chart->offset, day);
        count = add_date(chart, dates, count, is_end ? end_us : end_us - DAY_US,
                         chart_say_one(chart->language, text, "date", day, word));
    }
    return count;
}

char *chart_when(const struct chart *chart, struct findings_when when, bool is_end,
                 char out[SVG_TEXT_SIZE])
{
    const struct language *language = chart->language;
    char from[LANGUAGE_TEXT_SIZE], to[LANGUAGE_TEXT_SIZE];
    char day[LANGUAGE_TEXT_SIZE], other[LANGUAGE_TEXT_SIZE];

    language_hour_short(language, when.earliest_us, chart->offset, from);
    language_hour_short(language, when.latest_us, chart->offset, to);
    if (when.earliest_us == when.latest_us)
        return chart_say_one(language, is_end ? TEXT_CHART_ENDED : TEXT_CHART_BEGAN, "when", from,
                             out);
    language_day_short(language, when.earliest_us, chart->offset, day);
    language_day_short(language, when.latest_us, chart->offset, other);
    /* One day is named once: "between 30 Nov 16:00 and 17:00". */
    if (strcmp(day, other) == 0)
        language_clock(when.latest_us, chart->offset, to);
    const struct text_word words[] = {{"from", from}, {"to", to}};
    return chart_say(language, is_end ? TEXT_CHART_ENDED_BETWEEN : TEXT_CHART_BEGAN_BETWEEN, 0,
                     words, ARRAY_LENGTH(words), out);
}

/* ---- title and description ---- */

void chart_title_isolated(struct buffer *out, const struct chart *chart)
{
    static const enum text_id texts[] = {[CHART_OVERVIEW] = TEXT_CHART_OVERVIEW_TITLE,
                                         [CHART_TIMELINE] = TEXT_CHART_TIMELINE_TITLE,
                                         [CHART_HEAT] = TEXT_CHART_HEAT_TITLE};
    const struct findings *findings = chart->findings;
    const struct language *language = chart->language;
    char service[SVG_TEXT_SIZE], carrier[SVG_TEXT_SIZE], country[SVG_TEXT_SIZE];
    const char *service_name = chart->pair ? chart->pair->service_name : findings->service;

    for (size_t i = 0; !chart->pair && service_name && i < findings->service_count; i++)
        if (strcmp(findings->services[i].id, service_name) == 0) {
            service_name = findings->services[i].name;
            break;
        }
    const struct text_word words[] = {
        {"service", svg_clean(service_name ? service_name : "", service)},
        {"carrier", svg_clean(chart->pair ? chart->pair->carrier_name : "", carrier)},
        {"country",
         svg_clean(language_country(language, findings->country ? findings->country : ""),
                   country)},
    };
    language_say(out, language, texts[chart->ref.kind], 0, words, ARRAY_LENGTH(words));
}

void chart_title(struct buffer *out, const struct findings *findings,
                 const struct language *language, struct chart_ref ref)
{
    struct chart chart = chart_of(findings, language, ref);
    struct buffer text;

    buffer_init(&text, TEXT_MAX_SIZE);
    chart_title_isolated(&text, &chart);
    svg_strip(out, buffer_text(&text));
    buffer_finish(&text);
}

static void say_sentence(struct buffer *out, const struct language *language, enum text_id text,
                         uint64_t count, const struct text_word *words, size_t word_count)
{
    if (out->length > 0)
        buffer_append_text(out, " ");
    language_say(out, language, text, count, words, word_count);
}

static void say_count(struct buffer *out, const struct language *language, enum text_id text,
                      uint64_t count)
{
    char number[LANGUAGE_TEXT_SIZE];

    if (count > 0)
        say_sentence(out, language, text, count,
                     &(struct text_word){"count", language_count(language, count, number)}, 1);
}

static void describe_event(struct buffer *out, const struct chart *chart,
                           const struct findings_event *event)
{
    const struct language *language = chart->language;
    char what[SVG_TEXT_SIZE], earliest[LANGUAGE_TEXT_SIZE], latest[LANGUAGE_TEXT_SIZE];
    const struct text_word began[] = {
        {"what", chart_event_word(chart, event, what)},
        {"earliest", language_hour(language, event->onset.earliest_us, chart->offset, earliest)},
        {"latest", language_hour(language, event->onset.latest_us, chart->offset, latest)}};

    say_sentence(out, language,
                 event->onset.earliest_us ? TEXT_CHART_DESC_BEGAN : TEXT_CHART_DESC_BEGAN_BEFORE, 0,
                 began, ARRAY_LENGTH(began));
    if (!event->end.latest_us) {
        say_sentence(out, language, TEXT_CHART_DESC_GOES_ON, 0, NULL, 0);
        return;
    }
    const struct text_word ended[] = {
        {"earliest", language_hour(language, event->end.earliest_us, chart->offset, earliest)},
        {"latest", language_hour(language, event->end.latest_us, chart->offset, latest)}};
    say_sentence(out, language, TEXT_CHART_DESC_ENDED, 0, ended, ARRAY_LENGTH(ended));
}

static void describe_bins(struct buffer *out, const struct chart *chart)
{
    const struct language *language = chart->language;
    uint64_t attempts = 0, failures = 0, unwatched = 0, withheld = 0;
    char number[LANGUAGE_TEXT_SIZE], failed[LANGUAGE_TEXT_SIZE], width[SVG_TEXT_SIZE];

    for (size_t i = 0; i < chart->data->bin_count; i++) {
        const struct findings_bin *bin = &chart->data->bins[i];
        attempts += bin->share.attempts;
        failures += bin->share.failures;
        withheld += bin->withheld;
        unwatched += !bin->watched && !bin->withheld;
    }
    const struct text_word words[] = {{"count", language_count(language, attempts, number)},
                                      {"failed", language_count(language, failures, failed)}};
    say_sentence(out, language, TEXT_CHART_DESC_ATTEMPTS, attempts, words, ARRAY_LENGTH(words));
    if (chart->ref.kind != CHART_TIMELINE)
        return;
    say_sentence(out, language, TEXT_CHART_DESC_PARTS, 0,
                 &(struct text_word){"width", chart_width(language, chart->data->bin_us, width)},
                 1);
    say_count(out, language, TEXT_CHART_DESC_UNWATCHED, unwatched);
    say_count(out, language, TEXT_CHART_DESC_WITHHELD, withheld);
}

static void describe_rows(struct buffer *out, const struct chart *chart)
{
    const struct language *language = chart->language;
    struct overview overview;
    char name[SVG_TEXT_SIZE], word[SVG_TEXT_SIZE];
    char attempts[LANGUAGE_TEXT_SIZE], failed[LANGUAGE_TEXT_SIZE];

    overview_rows(chart, &overview);
    for (size_t i = 0; i < overview.row_count; i++) {
        const struct findings_pair *pair = overview.rows[i].pair;
        const struct text_word words[] = {
            {"carrier", svg_clean(pair->carrier_name, name)},
            {"attempts", language_count(language, pair->share.attempts, attempts)},
            {"failed", language_count(language, pair->share.failures, failed)},
            {"word", overview_word(chart, &overview.rows[i], false, word)}};
        say_sentence(out, language, TEXT_CHART_DESC_ROW, 0, words, ARRAY_LENGTH(words));
    }
    say_count(out, language, TEXT_CHART_ROWS_LEFT_OUT, overview.left_out);
}

static void describe_order(struct buffer *out, const struct chart *chart)
{
    struct chart_date dates[CHART_DATES_MAX];
    size_t count = chart_dates(chart, dates);
    char list[SVG_TEXT_SIZE] = "", title[SVG_TEXT_SIZE];

    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        append_to_list(chart->language, dates[i].word, list);
    const struct text_word words[] = {{"order", svg_clean(chart->order->order->title, title)},
                                      {"dates", list}};
    say_sentence(out, chart->language, TEXT_CHART_DESC_ORDER, 0, words, ARRAY_LENGTH(words));
}

void chart_description(struct buffer *out, const struct findings *findings,
                       const struct language *language, struct chart_ref ref)
{
    struct chart chart = chart_of(findings, language, ref);
    char text[SVG_TEXT_SIZE];
    struct buffer said;

    buffer_init(&said, TEXT_MAX_SIZE);
    say_sentence(&said, language, TEXT_CHART_DESC_PERIOD, 0,
                 &(struct text_word){"period", chart_period(&chart, text)}, 1);
    if (ref.kind == CHART_OVERVIEW) {
        describe_rows(&said, &chart);
    } else {
        describe_bins(&said, &chart);
        for (size_t i = 0; i < chart.data->event_count; i++)
            describe_event(&said, &chart, &findings->events[chart.data->events[i]]);
    }
    describe_order(&said, &chart);
    buffer_append_text(&said, " ");
    buffer_append_text(&said, chart_source(&chart, text));
    buffer_append_text(&said, language_is_rtl(language) ? "۔" : ".");
    svg_strip(out, buffer_text(&said));
    buffer_finish(&said);
}
