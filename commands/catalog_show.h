// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Block pages and injectors as `darkline catalog` writes them, in words to standard output or as
 * JSON; and what all kinds of entries have in common.
 */
#include "base/json.h"
#include "catalog/catalog.h"

void catalog_show_line(const char *label, const char *text); /* nothing where there is no text */
void catalog_show_list(const char *label, const char *const *items, size_t count, const char *none);
void catalog_show_sources(const struct catalog_source *sources, size_t count);
void catalog_json_sources(struct json *json, const struct catalog_source *sources, size_t count);
void catalog_json_list(struct json *json, const char *key, const char *const *items, size_t count);

void catalog_list_blockpages(const struct catalog *catalog);
void catalog_show_blockpage(const struct catalog_blockpage *page);
void catalog_json_blockpage(struct json *json, const struct catalog_blockpage *page);
const struct catalog_blockpage *catalog_find_blockpage(const struct catalog *catalog,
                                                       const char *id); /* NULL */

void catalog_list_injectors(const struct catalog *catalog);
void catalog_show_injector(const struct catalog_injector *injector);
void catalog_json_injector(struct json *json, const struct catalog_injector *injector);
const struct catalog_injector *catalog_find_injector(const struct catalog *catalog,
                                                     const char *id); /* NULL */
