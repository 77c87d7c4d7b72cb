// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* A folder for a test's databases, and what is asked of them. */
#include "base/buffer.h"
#include "geo/geo.h"

#define FILE_MOST ((size_t)16 << 20)

extern char folder[64];

int folder_make(void **state); /* for a group of tests */
int folder_remove(void **state);
void write_file(char path[128], const char *name, const void *bytes, size_t length);
/* Opens these bytes as a file that is gone afterwards. */
int open_bytes(struct geo **ret_geo, const void *bytes, size_t length, struct dl_error *error);
/* geo_find() of an address's text. */
int find(const struct geo *geo, const char *text, struct geo_place *place);
