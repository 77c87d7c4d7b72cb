// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Large pieces of memory straight from the kernel, in its large pages where it has them: tables that
 * are read all over would otherwise miss the processor's table of pages with each look, and cost a
 * fault for each 4 KiB of their first use.
 */
#include <stddef.h>

#define PAGES_LARGE (2u << 20) /* less than this comes in ordinary pages */

/* `bytes` zeroed bytes; NULL without memory, or for 0. */
void *pages_take(size_t bytes);
/* Gives back what pages_take(bytes) gave; accepts NULL. */
void pages_give(void *pages, size_t bytes);
