// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Interned strings: each text once, named by a number from 1 on. Bounded in count and bytes; the
 * table is keyed.
 */
#include <stddef.h>
#include <stdint.h>

struct intern;

#define INTERN_NONE 0u

/* At most `max_strings` strings and `max_bytes` bytes of text. DL_OK or a negated errno. */
int intern_create(struct intern **ret_intern, uint32_t max_strings, size_t max_bytes);
void intern_destroy(struct intern *intern);

/* The number of `text` (length bytes, no NUL inside), adding it if new; INTERN_NONE for the empty
 * text or at the maximum. */
uint32_t intern_add(struct intern *intern, const char *text, size_t length);
/* The number of `text` if it is there, else INTERN_NONE. */
uint32_t intern_find(const struct intern *intern, const char *text, size_t length);
/* The text, NUL-terminated, valid as long as the intern; "" for INTERN_NONE or an unknown number.
 */
const char *intern_text(const struct intern *intern, uint32_t id);
uint32_t intern_count(const struct intern *intern);
uint64_t intern_refused(const struct intern *intern);
size_t intern_memory(const struct intern *intern);
