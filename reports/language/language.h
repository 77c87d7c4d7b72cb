// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the page says, in the languages there are. Every sentence for readers is one entry of the
 * catalogues in this folder: gettext's PO files, one a language, that a translator edits with any PO
 * editor. en.po gives each text its name (msgctxt) and English; the others translate it. At build time
 * texts.py makes `enum text_id` (TEXT_HEADLINE_NOTHING of "headline.nothing") and tables of them; a
 * text that a language lacks, or whose placeholders differ, fails a test.
 *
 * A text may hold placeholders: "{attempts} of {carrier}". Their values are put in by name. Values are
 * ready text: numbers and dates by the functions below, names as they are. In a language written from
 * right to left each value is isolated, so that names and numbers keep their own direction.
 *
 * To add a language: one PO file, one line in meson.build.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "reports/language/texts.h" /* made by texts.py: enum text_id, TEXT_COUNT */

struct language;

const struct language *language_find(const char *code); /* "en", "ur"; NULL */
const struct language *language_at(size_t index);       /* "en" first; NULL beyond the last */
const char *language_code(const struct language *language);
const char *language_name(const struct language *language); /* in itself: "اردو" */
bool language_is_rtl(const struct language *language);

/* The text itself, placeholders and all. Of one with plural forms, that for `count`. */
const char *language_text(const struct language *language, enum text_id text);
const char *language_text_for(const struct language *language, enum text_id text, uint64_t count);
/* The text named so ("mechanism.tcp.reset"); false if there is none. */
bool language_find_text(const char *name, enum text_id *ret_text);
/* Of a family of texts: that named PREFIX.KEY ("mechanism", "tls.reset.sni"), NULL if there is none. */
const char *language_keyed(const struct language *language, const char *prefix, const char *key);

/* Cuts a text at its placeholders. Either `length` bytes of literal text, or a placeholder's name
 * of that length. False at the end. */
struct text_piece {
    const char *start;
    size_t length;
    bool is_placeholder;
};
bool text_next_piece(const char **at, struct text_piece *ret_piece);

struct text_word {
    const char *name, *value;
};
/* Appends the text with its placeholders filled; one without a value stays as it is written. */
void language_say(struct buffer *out, const struct language *language, enum text_id text,
                  uint64_t count, const struct text_word *words, size_t word_count);
/* The same without isolation: for values of other texts, file formats, attributes. */
void language_fill(struct buffer *out, const struct language *language, enum text_id text,
                   uint64_t count, const struct text_word *words, size_t word_count);

/* ---- numbers, dates, names; each returns `out` ---- */
#define LANGUAGE_TEXT_SIZE 160
char *language_count(const struct language *language, uint64_t count,
                     char out[LANGUAGE_TEXT_SIZE]); /* "12,345" */
char *language_decimal(const struct language *language, double value, unsigned places,
                       char out[LANGUAGE_TEXT_SIZE]);
/* "93 %"; shares that are not 0 or 1 are never rounded to 0 or 100 %: "under 1 %", "over 99 %". */
char *language_percent(const struct language *language, double share, char out[LANGUAGE_TEXT_SIZE]);
char *language_bytes(const struct language *language, uint64_t bytes, char out[LANGUAGE_TEXT_SIZE]);
/* "30 November 2015", "30 November 2015, 17:00"; `offset_seconds` east of UTC is added to the time. */
char *language_date(const struct language *language, int64_t time_us, int32_t offset_seconds,
                    char out[LANGUAGE_TEXT_SIZE]);
char *language_hour(const struct language *language, int64_t time_us, int32_t offset_seconds,
                    char out[LANGUAGE_TEXT_SIZE]);
/* The first of two dates, without what it shares with the second: "30" of "30 and 31 November 2015", "30 November"
 * of "30 November and 1 December 2015". */
char *language_date_before(const struct language *language, int64_t time_us, int64_t other_us,
                           int32_t offset_seconds, char out[LANGUAGE_TEXT_SIZE]);
/* Short, for axes and tables: "30 Nov", "30 Nov 17:00". */
char *language_day_short(const struct language *language, int64_t time_us, int32_t offset_seconds,
                         char out[LANGUAGE_TEXT_SIZE]);
char *language_hour_short(const struct language *language, int64_t time_us, int32_t offset_seconds,
                          char out[LANGUAGE_TEXT_SIZE]);
/* "17:00" */
char *language_clock(int64_t time_us, int32_t offset_seconds, char out[LANGUAGE_TEXT_SIZE]);
/* Two dates as readers write them: "30 November 2015", "14 to 15 November 2015", "30 November to 1 December 2015". */
char *language_dates(const struct language *language, int64_t from_us, int64_t to_us,
                     int32_t offset_seconds, char out[LANGUAGE_TEXT_SIZE]);
/* "UTC+05:00", "UTC" */
char *language_zone(int32_t offset_seconds, char out[LANGUAGE_TEXT_SIZE]);
/* "Pakistan"; the code itself where the language has no name for it. */
const char *language_country(const struct language *language, const char *code);
