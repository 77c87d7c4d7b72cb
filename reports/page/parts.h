// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * How the parts of the page are written. page_write() calls each part once, in the order in which they
 * stand; each writes one section. A part says things through page_say(): a text of the catalogue whose
 * placeholders are filled with words that know what they are, so that numbers become <data> with their
 * pointer into report.json, times <time>, names <bdi>.
 *
 * The size is held by budgets: a part asks page_has_room() before each row, and writes what may be left
 * out between page_try_begin() and page_try_end().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/buffer.h"
#include "reports/findings/findings.h"
#include "reports/html.h"
#include "reports/language/language.h"
#include "reports/page/page.h"

/* Beyond these a part says how much more there is, and where. */
#define PAGE_ROWS_MAX 100
#define PAGE_NAME_MAX 120 /* bytes of a stranger's name that are shown */
#define PAGE_REF_SIZE 96

/* Bytes that the parts may fill. Their sum and what is always there stay under PAGE_BYTES_MAX. */
#define PAGE_ROOM_LINES    30000u
#define PAGE_ROOM_CHARTS   150000u
#define PAGE_ROOM_ORDERS   50000u
#define PAGE_ROOM_CARRIERS 60000u
#define PAGE_ROOM_NETWORKS 40000u
#define PAGE_ROOM_SERVICES 40000u
#define PAGE_ROOM_PAIRS    60000u
#define PAGE_ROOM_INDEX    60000u
#define PAGE_ROOM_EVENTS   150000u
#define PAGE_ROOM_INPUTS   30000u
#define PAGE_ROOM_RULES    40000u
#define PAGE_ROOM_FILES    80000u
#define PAGE_ROOM_OTHER    15000u

struct page {
    struct html html;
    const struct findings *findings;
    const struct page_options *options;
    const struct language *language;
    const struct catalog *catalog; /* NULL: none */
    int32_t offset_seconds;        /* local time of the headline's country; 0 where there is none */
    bool has_local;
    char **carrier_names, **service_names; /* short, by index; an entry may be NULL */
    int status;                            /* DL_OK, or what went wrong first */
    /* The events are written before the page, for others link to those that found room. */
    bool *has_event; /* by index */
    char *events;
    size_t events_length;
};

/* ---- saying: page_say.c ---- */

enum say_kind {
    SAY_TEXT, /* ready words of ours */
    SAY_NAME, /* a name: keeps its own direction */
    SAY_CODE, /* a technical token */
    SAY_COMMAND,
    SAY_NAMES,   /* `count` of them, as a list */
    SAY_ENGLISH, /* a sentence that is in English in any language */
    SAY_COUNT,   /* <data> */
    SAY_NUMBER,  /* <data>, an identifier rather than a quantity: without thousands */
    SAY_DECIMAL, /* <data> with `places` */
    SAY_PERCENT, /* <data> of a share */
    SAY_SHARE,   /* "38 of 41 (93 %; 95 % interval 81 to 97 %)" */
    SAY_FAILED,  /* the same as a sentence: "38 of 41 attempts failed (93 %; ...)" */
    SAY_HOUR,    /* <time>, UTC */
    SAY_LOCAL,   /* <time>, local */
    SAY_DATE,    /* <time> of a local day; with `to_us`: said before that of another */
    SAY_DATES,   /* from and to, local days */
    SAY_SAID     /* another text with the same words */
};
struct say {
    const char *name; /* of the placeholder */
    enum say_kind kind;
    const char *text;
    uint64_t count;
    double number;
    unsigned places;
    bool has_shown; /* `shown` is written, `number` is the value */
    double shown;
    int64_t time_us, to_us;
    int32_t offset_seconds;
    enum text_id inner;
    const struct findings_share *share;
    const char *const *names;
    char ref[PAGE_REF_SIZE]; /* JSON pointer; "" none. Of a share: of the object that holds it */
};

struct say say_text(const char *name, const char *text);
struct say say_name(const char *name, const char *text); /* NULL: "not known" is said */
struct say say_names(const char *name, const char *const *names, size_t count);
struct say say_code(const char *name, const char *text);
struct say say_command(const char *name, const char *text); /* a token that is not cut */
struct say say_english(const char *name, const char *text);
struct say say_said(const char *name, enum text_id text);
struct say say_count(const char *name, uint64_t count, const char *ref, ...)
    __attribute__((format(printf, 3, 4)));
struct say say_number(const char *name, uint64_t number, const char *ref, ...)
    __attribute__((format(printf, 3, 4)));
struct say say_decimal(const char *name, double number, unsigned places, const char *ref, ...)
    __attribute__((format(printf, 4, 5)));
/* In another unit than report.json's: `shown` for people. */
struct say say_shown(struct say word, double shown);
struct say say_percent(const char *name, double share, const char *ref, ...)
    __attribute__((format(printf, 3, 4)));
struct say say_share(const char *name, const struct findings_share *share, const char *ref, ...)
    __attribute__((format(printf, 3, 4)));
/* The same as a sentence. */
struct say say_failed(struct say share);
struct say say_hour(const char *name, int64_t time_us, const char *ref, ...)
    __attribute__((format(printf, 3, 4)));
struct say say_local(const char *name, int64_t time_us, int32_t offset_seconds);
/* An hour that is shown in local time. */
struct say say_there(struct say hour, int32_t offset_seconds);
struct say say_date(const char *name, int64_t time_us, int32_t offset_seconds);
/* The first of two, without the month and year that they share. */
struct say say_date_before(const char *name, int64_t time_us, int64_t other_us,
                           int32_t offset_seconds);
struct say say_dates(const char *name, int64_t from_us, int64_t to_us, int32_t offset_seconds);

/* Writes the text with its placeholders; `count` chooses the plural form. */
void page_say(struct page *page, enum text_id text, uint64_t count, const struct say *words,
              size_t word_count);
/* The same as plain text, for titles and attributes. */
void page_say_plain(struct page *page, struct buffer *out, enum text_id text, uint64_t count,
                    const struct say *words, size_t word_count);
void page_word(struct page *page, const struct say *word); /* one word alone */
/* Within an element; class NULL for none. */
void page_element(struct page *page, const char *tag, const char *class, enum text_id text,
                  uint64_t count, const struct say *words, size_t word_count);

#define SAY_WORDS(...)                                                                             \
    (const struct say[]){__VA_ARGS__},                                                             \
        sizeof((const struct say[]){__VA_ARGS__}) / sizeof(struct say)
#define PAGE_SAY(page, text, ...) page_say(page, text, 2, SAY_WORDS(__VA_ARGS__))
#define PAGE_ELEMENT(page, tag, class, text, ...)                                                  \
    page_element(page, tag, class, text, 2, SAY_WORDS(__VA_ARGS__))
#define PAGE_ELEMENT_FOR(page, tag, class, text, count, ...)                                       \
    page_element(page, tag, class, text, count, SAY_WORDS(__VA_ARGS__))
/* Without placeholders. */
void page_plain(struct page *page, const char *tag, const char *class, enum text_id text);
const char *page_text(const struct page *page, enum text_id text);
/* Of a family ("mechanism", "tls.reset.sni"), written with "-" for "_"; NULL if there is none. */
const char *page_keyed(const struct page *page, const char *family, const char *key);

/* ---- words for things: page_words.c ---- */

const char *page_strength(const struct page *page, enum findings_strength strength);
const char *page_class(const struct page *page, enum event_class class);
const char *page_state(const struct page *page, enum line_state state);
const char *page_verdict(const struct page *page, enum order_verdict verdict);
const char *page_mechanism(const struct page *page, const char *mechanism);
const char *page_control_kind(const struct page *page, const struct findings_control *control);
/* Short names, as sentences want them, where they are clear. */
void page_names_init(struct page *page);
void page_names_finish(struct page *page);
const char *page_service_name(const struct page *page, const char *service); /* NULL: all */
const char *page_carrier_name(const struct page *page, const char *carrier);
const char *page_name_of(const char *name, const char *id); /* the name, else the id, else NULL */
int32_t page_offset(const struct page *page, const char *country, int64_t time_us, bool *ret_known);
/* What a rule says, in the page's language if it is translated, else English; NULL. */
const char *page_rule(const struct page *page, const char *rule, bool *ret_english);
/* "event-3": id of an element. */
#define PAGE_ANCHOR_SIZE 40
char *page_anchor(const char *kind, size_t index, char out[PAGE_ANCHOR_SIZE]);

/* ---- frame: page_frame.c ---- */

void page_section_begin(struct page *page, const char *id, enum text_id title);
void page_section_end(struct page *page);
bool page_has_room(const struct page *page, uint64_t since_bytes, uint64_t room);
/* What is written between is held back; page_try_end() keeps it, if it is at most `room` bytes. They
 * nest. */
struct page_try {
    FILE *held;
    char *text;
    size_t length;
    uint64_t bytes_before;
};
void page_try_begin(struct page *page, struct page_try *attempt);
bool page_try_end(struct page *page, struct page_try *attempt, uint64_t room);
/* The same, but the text goes to the caller, to be freed; the page is as before. NULL without memory. */
char *page_try_take(struct page *page, struct page_try *attempt, size_t *ret_length);
/* <details> with its summary; open on paper, where nobody can open it. html_end() */
void page_details(struct page *page, enum text_id summary);
void page_details_for(struct page *page, enum text_id summary, uint64_t count,
                      const struct say *words, size_t word_count);
void page_link(struct page *page, const char *anchor); /* begins <a href="#ANCHOR">; html_end() */
void page_fact(struct page *page, enum text_id label, const struct say *value); /* dt and dd */

/* ---- tables: page_table.c ---- */

struct page_head {
    enum text_id text;
    bool is_number;
};
struct page_table {
    struct page *page;
    const struct page_head *heads;
    size_t columns, rows, left_out;
    uint64_t since_bytes, room;
    size_t maximum;
};
/* Caption and heads; `id` is the element's. `is_list`: can be sorted and filtered. */
void page_table_begin(struct page_table *table, struct page *page, const char *id, bool is_list,
                      const struct page_head *heads, size_t columns, uint64_t room,
                      enum text_id caption, const struct say *words, size_t word_count);
#define PAGE_TABLE(table, page, id, is_list, heads, room, caption, ...)                            \
    page_table_begin(table, page, id, is_list, heads, ARRAY_LENGTH(heads), room, caption,          \
                     SAY_WORDS(__VA_ARGS__))
#define PAGE_TABLE_PLAIN(table, page, id, is_list, heads, room, caption)                           \
    page_table_begin(table, page, id, is_list, heads, ARRAY_LENGTH(heads), room, caption, NULL, 0)
bool page_row_begin(struct page_table *table); /* false: full, counted as left out */
void page_row_end(struct page_table *table);
/* Says how many rows were left out, in the words of `more`. */
void page_table_end(struct page_table *table, enum text_id more);
/* Ends the table where a list breaks off: `count` more were not even tried. */
void page_rows_skip(struct page_table *table, size_t count);

void page_cell_begin(struct page *page, bool is_head, bool is_number);
void page_cell_end(struct page *page);
void page_cell_text(struct page *page, const char *text);
void page_cell_none(struct page *page);                   /* of a column of numbers */
void page_cell_name(struct page *page, const char *name); /* what the row is about; its head */
void page_cell_word(struct page *page, const struct say *word);
#define PAGE_CELL(page, ...) page_cell_word(page, &(const struct say[]){__VA_ARGS__}[0])
void page_cell_mechanisms(struct page *page, const struct findings_mechanism *mechanisms,
                          size_t count, const char *ref);

/* ---- the parts, in their order ---- */

void page_banners(struct page *page);
void page_headline(struct page *page);                           /* 1 */
void page_headline_plain(struct page *page, struct buffer *out); /* for the title */
/* The headline's events: of its campaign, else the one. Index `i` of them; FINDINGS_NONE beyond. */
size_t page_headline_event(const struct findings *findings, size_t i);
void page_contents(struct page *page);
void page_strength_section(struct page *page); /* 2 */
void page_not_shown(struct page *page);        /* 3 */
void page_numbers(struct page *page);          /* 4 */
void page_needed(struct page *page);
void page_period(struct page *page); /* 5 */
void page_charts(struct page *page); /* 6 */
void page_orders(struct page *page);
void page_carriers(struct page *page); /* 7 */
void page_networks(struct page *page);
void page_services(struct page *page); /* 8 */
void page_pairs(struct page *page);
void page_mechanisms(struct page *page);     /* 9 */
void page_events(struct page *page);         /* 10 */
void page_events_prepare(struct page *page); /* before anything is written */
void page_event_cards(struct page *page, size_t event);
void page_event_link(struct page *page, size_t event,
                     const char *text); /* plain where it is not shown */
void page_controls(struct page *page);  /* 11 */
void page_method(struct page *page);    /* 13 */
void page_limits(struct page *page);    /* 14 */
void page_reproduce(struct page *page); /* 15 */
void page_downloads(struct page *page); /* 16 */
void page_redaction(struct page *page); /* 18 */
void page_safety(struct page *page);    /* 19 */
void page_glossary(struct page *page);  /* 20 */
void page_cite(struct page *page);      /* 21 */

extern const char page_css[], page_js[];
