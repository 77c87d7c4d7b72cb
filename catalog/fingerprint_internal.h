// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The inside of a set of fingerprints, shared by fingerprint_*.c.
 */
#include "base/buffer.h"
#include "catalog/catalog_internal.h"
#include "catalog/fingerprint.h"

#define FINGERPRINT_BUCKETS 65536u
#define FINGERPRINT_ANCHOR  4u /* bytes of a pattern by which it is found */

/* What a byte of a pattern with wildcards is. */
enum { WILD_LITERAL, WILD_ANY /* `.` */, WILD_GAP /* `.*` */ };

struct fingerprint {
    uint32_t id, text, wild; /* offsets into the pool; wild: 0 for none, else a byte for each */
    uint32_t next;           /* 1 + index of the next one in its bucket */
    uint16_t length, anchor; /* anchor: offset of the bytes it is found by */
    uint8_t scope, where, kind;
    bool fold; /* in any case; the text is in lower case then */
};

struct fingerprint_address {
    struct address address;
    uint32_t id;
    uint8_t scope;
};

struct fingerprints {
    struct fingerprint *items;
    size_t count, capacity;
    struct fingerprint_address *addresses; /* in order once built */
    size_t address_count, address_capacity;
    struct buffer pool; /* ids, each with its NUL, and patterns */
    uint32_t *heads;    /* FINGERPRINT_BUCKETS: 1 + index; NULL before building */
    char version[FINGERPRINT_VERSION_SIZE];
};

/* One to be added; the text is copied. */
struct fingerprint_draft {
    const char *id;
    const char *text;
    size_t length;
    const uint8_t *wild; /* NULL, or `length` of them */
    enum blockpage_scope scope;
    enum blockpage_where where;
    enum fingerprint_kind kind;
    bool fold;
};

/* DL_OK; DL_UNSUPPORTED: too short to be found by; DL_LIMIT: too long, or too many; -ENOMEM. */
int fingerprint_add(struct fingerprints *set, const struct fingerprint_draft *draft);
/* DL_OK; DL_UNSUPPORTED: not a public address; DL_MALFORMED: no address; DL_LIMIT; -ENOMEM. */
int fingerprint_add_address(struct fingerprints *set, const char *id, const char *text,
                            enum blockpage_scope scope);

/* ---- fingerprint_regex.c ---- */

/*
 * A regular expression of literals, escaped characters, `.` and `.*` as text and what each byte of
 * it is. Both arrays are of `length` bytes at least. DL_OK or DL_UNSUPPORTED.
 */
int fingerprint_translate(const char *expression, size_t length, char *ret_text, uint8_t *ret_wild,
                          size_t *ret_length);

/* ---- the lists ---- */

struct fingerprint_list { /* one file under way */
    struct fingerprints *set;
    const char *path;
    bool false_positives;
    struct fingerprint_load *load;
    struct dl_error *error;
};

/* Writes "FILE: line N: sentence" and returns DL_MALFORMED. */
int fingerprint_refuse(const struct fingerprint_list *list, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds one of a list: what is not supported is counted, what is wrong is told with its line. */
int fingerprint_take(const struct fingerprint_list *list, size_t line,
                     const struct fingerprint_draft *draft);
int fingerprint_take_address(const struct fingerprint_list *list, size_t line, const char *id,
                             const char *text, enum blockpage_scope scope);
void fingerprint_skip(const struct fingerprint_list *list, const char *id);

int fingerprint_read_csv(const struct fingerprint_list *list, const char *text, size_t length);
int fingerprint_read_jsonl(const struct fingerprint_list *list, const char *text, size_t length);
