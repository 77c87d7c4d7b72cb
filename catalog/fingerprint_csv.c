// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * OONI's lists (name, scope, location_found, pattern_type, pattern) and Citizen Lab's (http.csv:
 * name, pattern, location_found, scope; dns.csv: name, response, scope). Other columns are not
 * needed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_csv.h"
#include "catalog/fingerprint_internal.h"

struct columns {
    int name, scope, where, kind, pattern;
    bool is_dns; /* Citizen Lab's dns.csv */
};

struct word {
    const char *text;
    int value;
};

/* False where no word of the table is that text. */
static bool word_find(const struct word *words, const char *text, int *ret_value)
{
    while (words->text && strcmp(words->text, text) != 0)
        words++;
    if (words->text)
        *ret_value = words->value;
    return words->text != NULL;
}

/* injb: injected, but no blocking (an unpaid bill, a router's notice). */
static const struct word scope_words[] = {{"nat", BLOCKPAGE_NATION},
                                          {"isp", BLOCKPAGE_CARRIER},
                                          {"inst", BLOCKPAGE_INSTITUTION},
                                          {"prod", BLOCKPAGE_PRODUCT},
                                          {"vbw", BLOCKPAGE_VAGUE},
                                          {"prov", BLOCKPAGE_VAGUE},
                                          {"br", BLOCKPAGE_VAGUE},
                                          {"fp", BLOCKPAGE_FALSE_POSITIVE},
                                          {"injb", BLOCKPAGE_FALSE_POSITIVE},
                                          {NULL, 0}};
static const struct word where_words[] = {{"body", BLOCKPAGE_IN_BODY},
                                          {"header", BLOCKPAGE_IN_HEAD},
                                          {"header.location", BLOCKPAGE_IN_LOCATION},
                                          {"header.server", BLOCKPAGE_IN_SERVER},
                                          {"header.via", BLOCKPAGE_IN_VIA},
                                          {"dns", BLOCKPAGE_IN_DNS},
                                          {NULL, 0}};
enum { KIND_REGEX = -1 };
static const struct word kind_words[] = {{"contains", FINGERPRINT_CONTAINS},
                                         {"prefix", FINGERPRINT_PREFIX},
                                         {"full", FINGERPRINT_FULL},
                                         {"regexp", KIND_REGEX},
                                         {NULL, 0}};

static int find_columns(const struct fingerprint_list *list, const struct csv_record *header,
                        struct columns *ret_columns)
{
    int response = csv_column(header, "response");

    *ret_columns = (struct columns){.name = csv_column(header, "name"),
                                    .scope = csv_column(header, "scope"),
                                    .where = csv_column(header, "location_found"),
                                    .kind = csv_column(header, "pattern_type"),
                                    .pattern = csv_column(header, "pattern")};
    if (ret_columns->pattern < 0 && response >= 0) {
        ret_columns->pattern = response;
        ret_columns->is_dns = true;
    }
    if (ret_columns->name < 0 || ret_columns->scope < 0 || ret_columns->pattern < 0 ||
        (ret_columns->where < 0 && !ret_columns->is_dns))
        return fingerprint_refuse(list, header->line,
                                  "no list of fingerprints: needs the columns name, scope and "
                                  "either pattern and location_found, or response");
    return DL_OK;
}

static int take_regex(const struct fingerprint_list *list, size_t line,
                      struct fingerprint_draft *draft)
{
    char *text = malloc(draft->length + 1);
    uint8_t *wild = malloc(draft->length + 1);
    int status = text && wild ? DL_OK : -ENOMEM;

    if (status == DL_OK)
        status = fingerprint_translate(draft->text, draft->length, text, wild, &draft->length);
    draft->text = text;
    draft->wild = wild;
    if (status == DL_UNSUPPORTED || (status == DL_OK && draft->length == 0)) {
        fingerprint_skip(list, draft->id);
        status = DL_OK;
    } else if (status == DL_OK) {
        status = fingerprint_take(list, line, draft);
    }
    free(text);
    free(wild);
    return status;
}

static int take_row(const struct fingerprint_list *list, const struct columns *columns,
                    const struct csv_record *row)
{
    struct fingerprint_draft draft = {.id = csv_field(row, columns->name, NULL)};
    const char *scope_text = csv_field(row, columns->scope, NULL);
    const char *where_text = csv_field(row, columns->where, NULL);
    const char *kind_text = columns->kind < 0 ? "contains" : csv_field(row, columns->kind, NULL);
    int scope, where = BLOCKPAGE_IN_DNS, kind;

    draft.text = csv_field(row, columns->pattern, &draft.length);
    if (!word_find(scope_words, scope_text, &scope))
        return fingerprint_refuse(list, row->line, "no such scope: '%.40s'", scope_text);
    if (!word_find(kind_words, kind_text, &kind))
        return fingerprint_refuse(list, row->line, "no such pattern_type: '%.40s'", kind_text);
    if (!columns->is_dns && !word_find(where_words, where_text, &where)) {
        if (strncmp(where_text, "header.", strlen("header.")) != 0)
            return fingerprint_refuse(list, row->line, "no such location_found: '%.40s'",
                                      where_text);
        fingerprint_skip(list, draft.id);
        return DL_OK;
    }
    draft.scope = list->false_positives ? BLOCKPAGE_FALSE_POSITIVE : (enum blockpage_scope)scope;
    draft.where = (enum blockpage_where)where;
    if (draft.where == BLOCKPAGE_IN_DNS)
        return fingerprint_take_address(list, row->line, draft.id, draft.text, draft.scope);
    if (kind == KIND_REGEX)
        return take_regex(list, row->line, &draft);
    draft.kind = (enum fingerprint_kind)kind;
    return fingerprint_take(list, row->line, &draft);
}

int fingerprint_read_csv(const struct fingerprint_list *list, const char *text, size_t length)
{
    struct csv_reader reader = {text, text + length, 1, list->path, list->error};
    struct csv_record record = {0};
    struct columns columns;
    int status;

    buffer_init(&record.text, CSV_RECORD_MAX);
    status = csv_take_record(&reader, &record);
    if (status == DL_OK)
        status = find_columns(list, &record, &columns);
    while (status == DL_OK && reader.at < reader.end) {
        status = csv_take_record(&reader, &record);
        if (status == DL_OK && !(record.count == 1 && record.lengths[0] == 0))
            status = take_row(list, &columns, &record);
    }
    buffer_finish(&record.text);
    return status;
}
