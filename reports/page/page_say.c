// SPDX-License-Identifier: GPL-3.0-or-later
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "reports/page/parts.h"

#define COMMAND_MAX  2000
#define NUMBER_SIZE  48
#define DATE_SIZE    32
#define KEY_SIZE     96
#define DIGITS_FIRST 15

/* ---- words ---- */

static struct say word_of(const char *name, enum say_kind kind)
{
    return (struct say){.name = name, .kind = kind};
}

static struct say text_of(const char *name, enum say_kind kind, const char *text)
{
    return (struct say){.name = name, .kind = kind, .text = text};
}

#define FILL_REF(word, format)                                                                     \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        if (format)                                                                                \
            vsnprintf((word).ref, sizeof((word).ref), format, arguments);                          \
        va_end(arguments);                                                                         \
    } while (0)

struct say say_text(const char *name, const char *text)
{
    return text_of(name, SAY_TEXT, text);
}

struct say say_name(const char *name, const char *text)
{
    return text_of(name, SAY_NAME, text);
}

struct say say_code(const char *name, const char *text)
{
    return text_of(name, SAY_CODE, text);
}

struct say say_command(const char *name, const char *text)
{
    return text_of(name, SAY_COMMAND, text);
}

struct say say_english(const char *name, const char *text)
{
    return text_of(name, SAY_ENGLISH, text);
}

struct say say_names(const char *name, const char *const *names, size_t count)
{
    struct say word = word_of(name, SAY_NAMES);
    word.names = names;
    word.count = count;
    return word;
}

struct say say_said(const char *name, enum text_id text)
{
    struct say word = word_of(name, SAY_SAID);
    word.inner = text;
    return word;
}

struct say say_count(const char *name, uint64_t count, const char *ref, ...)
{
    struct say word = word_of(name, SAY_COUNT);
    word.count = count;
    FILL_REF(word, ref);
    return word;
}

struct say say_number(const char *name, uint64_t number, const char *ref, ...)
{
    struct say word = word_of(name, SAY_NUMBER);
    word.count = number;
    FILL_REF(word, ref);
    return word;
}

struct say say_decimal(const char *name, double number, unsigned places, const char *ref, ...)
{
    struct say word = word_of(name, SAY_DECIMAL);
    word.number = number;
    word.places = places;
    FILL_REF(word, ref);
    return word;
}

struct say say_shown(struct say word, double shown)
{
    word.has_shown = true;
    word.shown = shown;
    return word;
}

struct say say_percent(const char *name, double share, const char *ref, ...)
{
    struct say word = word_of(name, SAY_PERCENT);
    word.number = share;
    FILL_REF(word, ref);
    return word;
}

struct say say_share(const char *name, const struct findings_share *share, const char *ref, ...)
{
    struct say word = word_of(name, SAY_SHARE);
    word.share = share;
    FILL_REF(word, ref);
    return word;
}

struct say say_hour(const char *name, int64_t time_us, const char *ref, ...)
{
    struct say word = word_of(name, SAY_HOUR);
    word.time_us = time_us;
    FILL_REF(word, ref);
    return word;
}

struct say say_local(const char *name, int64_t time_us, int32_t offset_seconds)
{
    struct say word = word_of(name, SAY_LOCAL);
    word.time_us = time_us;
    word.offset_seconds = offset_seconds;
    return word;
}

struct say say_date(const char *name, int64_t time_us, int32_t offset_seconds)
{
    struct say word = word_of(name, SAY_DATE);
    word.time_us = time_us;
    word.offset_seconds = offset_seconds;
    return word;
}

struct say say_date_before(const char *name, int64_t time_us, int64_t other_us,
                           int32_t offset_seconds)
{
    struct say word = say_date(name, time_us, offset_seconds);
    word.to_us = other_us;
    return word;
}

struct say say_there(struct say hour, int32_t offset_seconds)
{
    hour.kind = SAY_LOCAL;
    hour.offset_seconds = offset_seconds;
    return hour;
}

struct say say_failed(struct say share)
{
    share.kind = SAY_FAILED;
    return share;
}

struct say say_dates(const char *name, int64_t from_us, int64_t to_us, int32_t offset_seconds)
{
    struct say word = word_of(name, SAY_DATES);
    word.time_us = from_us;
    word.to_us = to_us;
    word.offset_seconds = offset_seconds;
    return word;
}

/* ---- how each is written in words ---- */

/* The shortest form that reads back, as in report.json. */
static void shortest(double value, char out[NUMBER_SIZE])
{
    for (int digits = DIGITS_FIRST; digits <= 17; digits++) {
        snprintf(out, NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    for (char *at = out; *at; at++)
        if (*at == ',')
            *at = '.'; /* a locale's */
}

static char *word_text_of(const struct page *page, const struct say *word,
                          char out[LANGUAGE_TEXT_SIZE])
{
    const struct language *language = page->language;

    switch (word->kind) {
    case SAY_COUNT:
        return language_count(language, word->count, out);
    case SAY_NUMBER:
        snprintf(out, LANGUAGE_TEXT_SIZE, "%" PRIu64, word->count);
        return out;
    case SAY_DECIMAL:
        return language_decimal(language, word->has_shown ? word->shown : word->number,
                                word->places, out);
    case SAY_PERCENT:
        return language_percent(language, word->number, out);
    case SAY_HOUR:
        return language_hour(language, word->time_us, 0, out);
    case SAY_LOCAL:
        return language_hour(language, word->time_us, word->offset_seconds, out);
    case SAY_DATE:
        if (word->to_us)
            return language_date_before(language, word->time_us, word->to_us, word->offset_seconds,
                                        out);
        return language_date(language, word->time_us, word->offset_seconds, out);
    case SAY_DATES:
        return language_dates(language, word->time_us, word->to_us, word->offset_seconds, out);
    default:
        out[0] = '\0';
        return out;
    }
}

static const char *known(const struct page *page, const char *text)
{
    return text && text[0] ? text : page_text(page, TEXT_PAGE_UNKNOWN);
}

/* Names of strangers are cut, never within a character. */
static size_t cut_length(const char *text, size_t maximum)
{
    size_t length = strlen(text);

    if (length <= maximum)
        return length;
    for (length = maximum; length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80;)
        length--;
    return length;
}

static size_t shown_length(const char *text)
{
    return cut_length(text, PAGE_NAME_MAX);
}

/* ---- as markup ---- */

#define BARE_MAX    64 /* bytes; what is longer has to be broken */
#define RIGHT_MARK  "\u200f"
#define ISOLATE     "\u2068"
#define ISOLATE_END "\u2069"
#define FIRM_SPACE  "\u00a0"

static void cut_written(struct page *page, const char *text, size_t maximum)
{
    size_t length = cut_length(text, maximum);

    html_text_n(&page->html, text, length);
    if (text[length])
        html_text(&page->html, "\u2026");
}

static void name_written(struct page *page, const char *text)
{
    cut_written(page, text, PAGE_NAME_MAX);
}

static void data_written(struct page *page, const char *value, const char *ref, const char *text)
{
    html_begin(&page->html, "data");
    html_attr(&page->html, "value", value);
    if (ref[0])
        html_attr(&page->html, "data-ref", ref);
    html_text(&page->html, text);
    html_end(&page->html);
}

static void time_written(struct page *page, const struct say *word, const char *text)
{
    char stamp[CLOCK_TEXT_SIZE], short_stamp[DATE_SIZE];
    bool is_day = word->kind == SAY_DATE;
    int64_t offset_us = is_day ? word->offset_seconds * CLOCK_SECOND_US : 0;

    clock_format(word->time_us + offset_us, stamp);
    snprintf(short_stamp, sizeof(short_stamp), is_day ? "%.10s" : "%.16sZ", stamp);
    html_begin(&page->html, "time");
    html_attr(&page->html, "datetime", short_stamp);
    if (word->ref[0])
        html_attr(&page->html, "data-ref", word->ref);
    html_text(&page->html, text);
    html_end(&page->html);
}

static void share_words(const struct say *word, struct say out[5])
{
    const struct findings_share *share = word->share;
    double part = share->attempts ? (double)share->failures / (double)share->attempts : 0;

    out[0] = say_count("failures", share->failures, "%s/failures", word->ref);
    out[1] = say_count("attempts", share->attempts, "%s/attempts", word->ref);
    out[2] = say_percent("percent", part, "%s/share", word->ref);
    out[3] = say_percent("low", share->low, "%s/interval/0", word->ref);
    out[4] = say_percent("high", share->high, "%s/interval/1", word->ref);
    for (size_t i = 0; i < 5 && !word->ref[0]; i++)
        out[i].ref[0] = '\0';
}

static void share_written(struct page *page, const struct say *word)
{
    struct say words[5];

    if (word->share->attempts == 0) {
        html_text(&page->html, page_text(page, TEXT_PAGE_SHARE_NONE));
        return;
    }
    share_words(word, words);
    page_say(page, word->kind == SAY_FAILED ? TEXT_PAGE_SHARE_FAILED : TEXT_PAGE_SHARE,
             word->share->attempts, words, ARRAY_LENGTH(words));
}

static void element(struct page *page, const char *tag, const char *language, const char *text)
{
    html_begin(&page->html, tag);
    if (language) {
        html_attr(&page->html, "lang", language);
        html_attr(&page->html, "dir", "ltr");
    }
    name_written(page, text);
    html_end(&page->html);
}

/* "a", "a and b", "a, b and c". */
static void names_written(struct page *page, const char *const *names, size_t count)
{
    if (count <= 1) {
        element(page, "bdi", NULL, known(page, count ? names[0] : NULL));
        return;
    }
    page_say(
        page, count == 2 ? TEXT_PAGE_LIST_TWO : TEXT_PAGE_LIST_MORE, count,
        (const struct say[]){say_name("first", names[0]), say_names("last", names + 1, count - 1)},
        2);
}

static void english_written(struct page *page, const char *text)
{
    if (strcmp(language_code(page->language), "en") == 0) {
        cut_written(page, text, COMMAND_MAX);
        return;
    }
    html_begin(&page->html, "span");
    html_attr(&page->html, "lang", "en");
    html_attr(&page->html, "dir", "ltr");
    cut_written(page, text, COMMAND_MAX);
    html_end(&page->html);
}

/* WeasyPrint orders what is within one element by direction, but not elements beside each other, and takes the
 * direction of each line from its first letter: there a word is text, isolated, and within a sentence not broken. */
static bool is_bare(const struct page *page)
{
    return page->options->for_print && language_is_rtl(page->language);
}

static bool bare_written(struct page *page, const struct say *word, bool is_firm)
{
    char text[LANGUAGE_TEXT_SIZE] = "";
    const char *shown = word->text;

    if (word->kind == SAY_TEXT || word->kind == SAY_NAMES || word->kind == SAY_COMMAND ||
        word->kind == SAY_SHARE || word->kind == SAY_FAILED || word->kind == SAY_SAID)
        return false;
    if (word->kind > SAY_ENGLISH)
        shown = word_text_of(page, word, text);
    shown = known(page, shown);
    if (strlen(shown) > BARE_MAX)
        return false;
    html_copy(&page->html, RIGHT_MARK ISOLATE, strlen(RIGHT_MARK ISOLATE));
    for (const char *at = shown; *at;) {
        size_t length = strcspn(at, " ");
        html_text_n(&page->html, at, length);
        at += length;
        if (*at == ' ') {
            html_copy(&page->html, is_firm ? FIRM_SPACE : " ", is_firm ? strlen(FIRM_SPACE) : 1);
            at++;
        }
    }
    html_copy(&page->html, ISOLATE_END, strlen(ISOLATE_END));
    return true;
}

static void write_word(struct page *page, const struct say *word, bool is_firm)
{
    char text[LANGUAGE_TEXT_SIZE], value[NUMBER_SIZE];

    if (is_bare(page) && bare_written(page, word, is_firm))
        return;
    switch (word->kind) {
    case SAY_TEXT:
        html_text(&page->html, known(page, word->text));
        break;
    case SAY_NAME:
        element(page, "bdi", NULL, known(page, word->text));
        break;
    case SAY_CODE:
        element(page, "code", NULL, known(page, word->text));
        break;
    case SAY_COMMAND:
        html_begin(&page->html, "code");
        cut_written(page, known(page, word->text), COMMAND_MAX);
        html_end(&page->html);
        break;
    case SAY_NAMES:
        names_written(page, word->names, word->count);
        break;
    case SAY_ENGLISH:
        english_written(page, known(page, word->text));
        break;
    case SAY_COUNT:
    case SAY_NUMBER:
        snprintf(value, sizeof(value), "%" PRIu64, word->count);
        data_written(page, value, word->ref, word_text_of(page, word, text));
        break;
    case SAY_DECIMAL:
    case SAY_PERCENT:
        shortest(word->number, value);
        data_written(page, value, word->ref, word_text_of(page, word, text));
        break;
    case SAY_SHARE:
    case SAY_FAILED:
        share_written(page, word);
        break;
    case SAY_DATES:
        html_text(&page->html, word_text_of(page, word, text));
        break;
    case SAY_SAID:
        html_text(&page->html, page_text(page, word->inner));
        break;
    default:
        time_written(page, word, word_text_of(page, word, text));
    }
}

void page_word(struct page *page, const struct say *word)
{
    write_word(page, word, false);
}

static const struct say *find_word(const struct text_piece *piece, const struct say *words,
                                   size_t word_count)
{
    for (size_t i = 0; i < word_count; i++)
        if (strlen(words[i].name) == piece->length &&
            memcmp(words[i].name, piece->start, piece->length) == 0)
            return &words[i];
    return NULL;
}

void page_say(struct page *page, enum text_id text, uint64_t count, const struct say *words,
              size_t word_count)
{
    const char *at = language_text_for(page->language, text, count);
    struct text_piece piece;

    if (is_bare(page))
        html_copy(&page->html, RIGHT_MARK, strlen(RIGHT_MARK));
    while (text_next_piece(&at, &piece)) {
        const struct say *word = piece.is_placeholder ? find_word(&piece, words, word_count) : NULL;
        if (!piece.is_placeholder)
            html_text_n(&page->html, piece.start, piece.length);
        else if (word && word->kind == SAY_SAID)
            page_say(page, word->inner, count, words, word_count);
        else if (word)
            write_word(page, word, true);
        else
            page->html.failed = true; /* a text that its writer does not know */
    }
}

void page_element(struct page *page, const char *tag, const char *class, enum text_id text,
                  uint64_t count, const struct say *words, size_t word_count)
{
    html_begin(&page->html, tag);
    if (class)
        html_attr(&page->html, "class", class);
    page_say(page, text, count, words, word_count);
    html_end(&page->html);
}

void page_plain(struct page *page, const char *tag, const char *class, enum text_id text)
{
    page_element(page, tag, class, text, 0, NULL, 0);
}

/* ---- as plain text ---- */

static void plain_names(struct page *page, struct buffer *out, const char *const *names,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *shown = known(page, names[i]);
        buffer_append_text(out, i == 0 ? "" : ", ");
        buffer_append(out, shown, shown_length(shown));
    }
}

static void plain_word(struct page *page, struct buffer *out, const struct say *word)
{
    char text[LANGUAGE_TEXT_SIZE];
    struct say words[5];

    if ((word->kind == SAY_SHARE || word->kind == SAY_FAILED) && word->share->attempts > 0) {
        share_words(word, words);
        page_say_plain(page, out,
                       word->kind == SAY_FAILED ? TEXT_PAGE_SHARE_FAILED : TEXT_PAGE_SHARE,
                       word->share->attempts, words, ARRAY_LENGTH(words));
    } else if (word->kind == SAY_NAMES) {
        plain_names(page, out, word->names, word->count);
    } else if (word->kind == SAY_TEXT || word->kind == SAY_ENGLISH || word->kind == SAY_COMMAND) {
        buffer_append_text(out, known(page, word->text));
    } else if (word->kind <= SAY_CODE) {
        const char *shown = known(page, word->text);
        buffer_append(out, shown, shown_length(shown));
    } else {
        buffer_append_text(out, word_text_of(page, word, text));
    }
}

void page_say_plain(struct page *page, struct buffer *out, enum text_id text, uint64_t count,
                    const struct say *words, size_t word_count)
{
    const char *at = language_text_for(page->language, text, count);
    struct text_piece piece;

    while (text_next_piece(&at, &piece)) {
        const struct say *word = piece.is_placeholder ? find_word(&piece, words, word_count) : NULL;
        if (!piece.is_placeholder)
            buffer_append(out, piece.start, piece.length);
        else if (word && word->kind == SAY_SAID)
            page_say_plain(page, out, word->inner, count, words, word_count);
        else if (word)
            plain_word(page, out, word);
        else
            page->html.failed = true;
    }
}

const char *page_text(const struct page *page, enum text_id text)
{
    return language_text(page->language, text);
}

const char *page_keyed(const struct page *page, const char *family, const char *key)
{
    char name[KEY_SIZE];

    snprintf(name, sizeof(name), "%s", key);
    for (char *at = name; *at; at++)
        if (*at == '_' || *at == ' ')
            *at = '-';
    return language_keyed(page->language, family, name);
}
