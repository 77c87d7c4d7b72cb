// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A bounded table of small values by key, for what the judge learns from a store. Values begin as
 * zeros and move when the table grows: a pointer lasts until the next keyed_add().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keyed;

#define KEYED_WORDS 4

struct keyed_key {
    uint64_t words[KEYED_WORDS];
};

/* Values of `value_bytes` each, at most `maximum`. DL_OK, -ENOMEM, or what the random generator
 * gave. */
int keyed_create(struct keyed **ret_keyed, size_t value_bytes, uint32_t maximum);
void keyed_destroy(struct keyed *keyed); /* accepts NULL */

/* The value of that key, NULL where there is none. */
void *keyed_find(const struct keyed *keyed, const struct keyed_key *key);
/* The same, added where it is not there: NULL where the table is full (counted) or *ret_status is
 * -ENOMEM, which is written only then. */
void *keyed_add(struct keyed *keyed, const struct keyed_key *key, int *ret_status);

uint32_t keyed_count(const struct keyed *keyed);
/* The values in the order they were added, from 0 on. */
void *keyed_at(const struct keyed *keyed, uint32_t index);
uint64_t keyed_refused(const struct keyed *keyed);

/* So many different words, exactly: a few matter, and chance must not change a verdict. */
#define KEYED_FEW 4u
struct keyed_few {
    uint64_t words[KEYED_FEW];
    uint32_t count; /* stays at KEYED_FEW */
};
bool keyed_few_has(const struct keyed_few *few, uint64_t word);
void keyed_few_add(struct keyed_few *few, uint64_t word);

/* A word of a key that stands for a text; differs from table to table. */
uint64_t keyed_hash(const struct keyed *keyed, const char *text, size_t length);
