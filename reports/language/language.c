// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/language/language.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/language/texts_table.h"

#define NAME_SIZE 160
/* First strong isolate, pop directional isolate. */
#define ISOLATE     "\xe2\x81\xa8"
#define ISOLATE_END "\xe2\x81\xa9"

const struct language *language_at(size_t index)
{
    return index < texts_language_count ? &texts_languages[index] : NULL;
}

const struct language *language_find(const char *code)
{
    for (size_t i = 0; i < texts_language_count; i++)
        if (strcmp(texts_languages[i].code, code) == 0)
            return &texts_languages[i];
    return NULL;
}

const char *language_code(const struct language *language)
{
    return language->code;
}

const char *language_name(const struct language *language)
{
    return language->name;
}

bool language_is_rtl(const struct language *language)
{
    return language->is_rtl;
}

const char *language_text_for(const struct language *language, enum text_id text, uint64_t count)
{
    uint64_t form = language->plural(count);

    if (form >= language->form_count)
        form = language->form_count - 1;
    const char *words = language->texts[text * language->form_count + form];
    if (!words && language != &texts_languages[0])
        return language_text_for(&texts_languages[0], text, count);
    return words;
}

const char *language_text(const struct language *language, enum text_id text)
{
    return language_text_for(language, text, 0);
}

static int compare_names(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

bool language_find_text(const char *name, enum text_id *ret_text)
{
    const char *const *found =
        bsearch(name, texts_names, TEXT_COUNT, sizeof(texts_names[0]), compare_names);

    if (!found)
        return false;
    *ret_text = (enum text_id)(found - texts_names);
    return true;
}

const char *language_keyed(const struct language *language, const char *prefix, const char *key)
{
    char name[NAME_SIZE];
    enum text_id text;
    int length = snprintf(name, sizeof(name), "%s.%s", prefix, key);

    if (length < 0 || (size_t)length >= sizeof(name) || !language_find_text(name, &text))
        return NULL;
    return language_text(language, text);
}

/* ---- filling in ---- */

static size_t name_length(const char *at)
{
    return strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

static bool is_placeholder(const char *at)
{
    size_t length = at[0] == '{' ? name_length(at + 1) : 0;

    return length > 0 && at[1 + length] == '}';
}

bool text_next_piece(const char **at, struct text_piece *ret_piece)
{
    const char *start = *at;

    if (!start || !*start)
        return false;
    if (is_placeholder(start)) {
        *ret_piece = (struct text_piece){start + 1, name_length(start + 1), true};
        *at = start + ret_piece->length + 2;
        return true;
    }
    const char *end = start;
    do
        end += 1 + strcspn(end + 1, "{");
    while (*end && !is_placeholder(end));
    *ret_piece = (struct text_piece){start, (size_t)(end - start), false};
    *at = end;
    return true;
}

static const char *value_of(const struct text_piece *piece, const struct text_word *words,
                            size_t word_count)
{
    for (size_t i = 0; i < word_count; i++)
        if (strlen(words[i].name) == piece->length &&
            memcmp(words[i].name, piece->start, piece->length) == 0)
            return words[i].value;
    return NULL;
}

static void fill(struct buffer *out, const char *text, const struct text_word *words,
                 size_t word_count, bool isolate)
{
    struct text_piece piece;

    while (text_next_piece(&text, &piece)) {
        const char *value = piece.is_placeholder ? value_of(&piece, words, word_count) : NULL;
        if (value) {
            buffer_append_text(out, isolate ? ISOLATE : "");
            buffer_append_text(out, value);
            buffer_append_text(out, isolate ? ISOLATE_END : "");
        } else if (piece.is_placeholder) {
            buffer_append(out, piece.start - 1, piece.length + 2);
        } else {
            buffer_append(out, piece.start, piece.length);
        }
    }
}

void language_say(struct buffer *out, const struct language *language, enum text_id text,
                  uint64_t count, const struct text_word *words, size_t word_count)
{
    fill(out, language_text_for(language, text, count), words, word_count, language->is_rtl);
}

void language_fill(struct buffer *out, const struct language *language, enum text_id text,
                   uint64_t count, const struct text_word *words, size_t word_count)
{
    fill(out, language_text_for(language, text, count), words, word_count, false);
}

/* Of a format, whose values are its own parts and need no isolation. */
static char *say_format(const struct language *language, enum text_id text,
                        const struct text_word *words, size_t word_count,
                        char out[LANGUAGE_TEXT_SIZE])
{
    struct buffer filled;

    buffer_init(&filled, LANGUAGE_TEXT_SIZE - 1);
    fill(&filled, language_text(language, text), words, word_count, false);
    snprintf(out, LANGUAGE_TEXT_SIZE, "%s", buffer_text(&filled));
    buffer_finish(&filled);
    return out;
}

/* ---- numbers ---- */

char *language_count(const struct language *language, uint64_t count, char out[LANGUAGE_TEXT_SIZE])
{
    const char *group = language_text(language, TEXT_FORMAT_GROUP);
    char digits[24];
    size_t length = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    size_t used = 0;

    for (size_t i = 0; i < length && used + strlen(group) + 2 < LANGUAGE_TEXT_SIZE; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            used += (size_t)snprintf(out + used, LANGUAGE_TEXT_SIZE - used, "%s", group);
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

char *language_decimal(const struct language *language, double value, unsigned places,
                       char out[LANGUAGE_TEXT_SIZE])
{
    char whole[LANGUAGE_TEXT_SIZE];
    uint64_t scale = 1;

    for (unsigned i = 0; i < places && i < 9; i++)
        scale *= 10;
    double scaled = round(fabs(value) * (double)scale);
    if (!(scaled < 1e18)) { /* also what is no number */
        snprintf(out, LANGUAGE_TEXT_SIZE, "?");
        return out;
    }
    uint64_t parts = (uint64_t)scaled;
    const char *sign = value < 0 && parts > 0 ? "\xe2\x88\x92" : ""; /* a minus, no hyphen */
    language_count(language, parts / scale, whole);
    if (scale == 1)
        snprintf(out, LANGUAGE_TEXT_SIZE, "%s%.48s", sign, whole);
    else
        snprintf(out, LANGUAGE_TEXT_SIZE, "%s%.48s%.8s%0*llu", sign, whole,
                 language_text(language, TEXT_FORMAT_POINT), (int)(places < 9 ? places : 9),
                 (unsigned long long)(parts % scale));
    return out;
}

char *language_percent(const struct language *language, double share, char out[LANGUAGE_TEXT_SIZE])
{
    double rounded = round(share * 100);
    enum text_id format = TEXT_FORMAT_PERCENT;
    char number[LANGUAGE_TEXT_SIZE];

    if (share > 0 && rounded == 0) {
        format = TEXT_FORMAT_PERCENT_UNDER;
        rounded = 1;
    } else if (share < 1 && rounded == 100) {
        format = TEXT_FORMAT_PERCENT_OVER;
        rounded = 99;
    }
    language_decimal(language, rounded, 0, number);
    return say_format(language, format, &(struct text_word){"number", number}, 1, out);
}

char *language_bytes(const struct language *language, uint64_t bytes, char out[LANGUAGE_TEXT_SIZE])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    char number[LANGUAGE_TEXT_SIZE];
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 999.5 && unit + 1 < ARRAY_LENGTH(units)) {
        value /= 1000;
        unit++;
    }
    language_decimal(language, value, unit > 0 && value < 99.95 ? 1 : 0, number);
    snprintf(out, LANGUAGE_TEXT_SIZE, "%.64s\xc2\xa0%s", number, units[unit]);
    return out;
}

/* ---- dates ---- */

/* A local time's parts as texts. */
struct moment {
    int year, month;
    int64_t day_number;
    char day[24], years[24], clock[24];
    const char *month_name, *month_short;
};

static struct moment moment_of(const struct language *language, int64_t time_us,
                               int32_t offset_seconds)
{
    int64_t hours_us = clock_hour(time_us), second_us = CLOCK_SECOND_US;
    time_t seconds =
        (time_t)(hours_us / second_us + (time_us - hours_us) / second_us + offset_seconds);
    struct tm parts = {0};
    struct moment moment;

    gmtime_r(&seconds, &parts);
    moment.year = parts.tm_year + 1900;
    moment.month = parts.tm_mon;
    moment.day_number = (int64_t)parts.tm_yday + 366 * (int64_t)moment.year;
    snprintf(moment.day, sizeof(moment.day), "%d", parts.tm_mday);
    snprintf(moment.years, sizeof(moment.years), "%d", moment.year);
    snprintf(moment.clock, sizeof(moment.clock), "%02d:%02d", parts.tm_hour, parts.tm_min);
    moment.month_name = language_text(language, TEXT_MONTH_01 + (unsigned)moment.month);
    moment.month_short = language_text(language, TEXT_MONTH_SHORT_01 + (unsigned)moment.month);
    return moment;
}

static char *say_date(const struct language *language, const struct moment *moment,
                      char out[LANGUAGE_TEXT_SIZE])
{
    const struct text_word words[] = {
        {"day", moment->day}, {"month", moment->month_name}, {"year", moment->years}};

    return say_format(language, TEXT_FORMAT_DATE, words, ARRAY_LENGTH(words), out);
}

static char *say_day_short(const struct language *language, const struct moment *moment,
                           char out[LANGUAGE_TEXT_SIZE])
{
    const struct text_word words[] = {{"day", moment->day}, {"month", moment->month_short}};

    return say_format(language, TEXT_FORMAT_DAY_SHORT, words, ARRAY_LENGTH(words), out);
}

char *language_date(const struct language *language, int64_t time_us, int32_t offset_seconds,
                    char out[LANGUAGE_TEXT_SIZE])
{
    struct moment moment = moment_of(language, time_us, offset_seconds);

    return say_date(language, &moment, out);
}

char *language_date_before(const struct language *language, int64_t time_us, int64_t other_us,
                           int32_t offset_seconds, char out[LANGUAGE_TEXT_SIZE])
{
    struct moment moment = moment_of(language, time_us, offset_seconds);
    struct moment other = moment_of(language, other_us, offset_seconds);
    const struct text_word words[] = {{"day", moment.day}, {"month", moment.month_name}};

    if (moment.year != other.year)
        return say_date(language, &moment, out);
    return say_format(language,
                      moment.month == other.month ? TEXT_FORMAT_DATE_OF_MONTH
                                                  : TEXT_FORMAT_DATE_OF_YEAR,
                      words, ARRAY_LENGTH(words), out);
}

char *language_hour(const struct language *language, int64_t time_us, int32_t offset_seconds,
                    char out[LANGUAGE_TEXT_SIZE])
{
    struct moment moment = moment_of(language, time_us, offset_seconds);
    char date[LANGUAGE_TEXT_SIZE];
    const struct text_word words[] = {{"date", say_date(language, &moment, date)},
                                      {"time", moment.clock}};

    return say_format(language, TEXT_FORMAT_HOUR, words, ARRAY_LENGTH(words), out);
}

char *language_day_short(const struct language *language, int64_t time_us, int32_t offset_seconds,
                         char out[LANGUAGE_TEXT_SIZE])
{
    struct moment moment = moment_of(language, time_us, offset_seconds);

    return say_day_short(language, &moment, out);
}

char *language_hour_short(const struct language *language, int64_t time_us, int32_t offset_seconds,
                          char out[LANGUAGE_TEXT_SIZE])
{
    struct moment moment = moment_of(language, time_us, offset_seconds);
    char day[LANGUAGE_TEXT_SIZE];
    const struct text_word words[] = {{"day", say_day_short(language, &moment, day)},
                                      {"time", moment.clock}};

    return say_format(language, TEXT_FORMAT_HOUR_SHORT, words, ARRAY_LENGTH(words), out);
}

char *language_clock(int64_t time_us, int32_t offset_seconds, char out[LANGUAGE_TEXT_SIZE])
{
    struct moment moment = moment_of(&texts_languages[0], time_us, offset_seconds);

    snprintf(out, LANGUAGE_TEXT_SIZE, "%s", moment.clock);
    return out;
}

char *language_dates(const struct language *language, int64_t from_us, int64_t to_us,
                     int32_t offset_seconds, char out[LANGUAGE_TEXT_SIZE])
{
    struct moment from = moment_of(language, from_us, offset_seconds);
    struct moment to = moment_of(language, to_us, offset_seconds);
    char from_text[LANGUAGE_TEXT_SIZE], to_text[LANGUAGE_TEXT_SIZE];

    if (from.day_number == to.day_number)
        return say_date(language, &from, out);
    const struct text_word words[] = {
        {"from_day", from.day},
        {"from_month", from.month_name},
        {"to_day", to.day},
        {"to_month", to.month_name},
        {"month", to.month_name},
        {"year", to.years},
        {"from", say_date(language, &from, from_text)},
        {"to", say_date(language, &to, to_text)},
    };
    enum text_id format = from.year != to.year     ? TEXT_FORMAT_DATES_YEARS
                          : from.month != to.month ? TEXT_FORMAT_DATES_MONTHS
                                                   : TEXT_FORMAT_DATES_DAYS;
    return say_format(language, format, words, ARRAY_LENGTH(words), out);
}

char *language_zone(int32_t offset_seconds, char out[LANGUAGE_TEXT_SIZE])
{
    int minutes = abs(offset_seconds) / 60;

    snprintf(out, LANGUAGE_TEXT_SIZE, offset_seconds == 0 ? "UTC" : "UTC%c%02d:%02d",
             offset_seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return out;
}

const char *language_country(const struct language *language, const char *code)
{
    char key[3] = "";

    if (strlen(code) != 2)
        return code;
    for (size_t i = 0; i < 2; i++)
        key[i] = (char)(code[i] >= 'A' && code[i] <= 'Z' ? code[i] - 'A' + 'a' : code[i]);
    const char *name = language_keyed(language, "country", key);
    return name ? name : code;
}
