// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Text of strangers, made fit for a page, a table or a terminal: names out of packets may hold
 * anything.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_CHARACTER_SIZE 12 /* fits any character written or escaped, with its NUL */
#define TEXT_REPLACEMENT    0xfffdu

/* The next character of UTF-8 text, and moves past it; 0 at the end. A byte that begins none is
 * U+FFFD. */
uint32_t text_next(const char **at);

/* Controls, line separators, invisible characters, and those that turn the direction of what
 * follows. */
bool text_disturbs(uint32_t character);

/* The character as UTF-8, NUL-terminated. Returns its length in bytes. */
size_t text_encode(uint32_t character, char bytes[TEXT_CHARACTER_SIZE]);
/* The same, but "\x1b" or "\u202e" for one that disturbs. `ret_columns`, which may be NULL: how
 * wide it prints. */
size_t text_escape(uint32_t character, char bytes[TEXT_CHARACTER_SIZE], size_t *ret_columns);
