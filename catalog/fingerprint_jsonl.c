// SPDX-License-Identifier: GPL-3.0-or-later
/* Censored Planet's lists: a line each, {"fingerprint": id, "pattern": regular expression}. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/fingerprint_internal.h"

/* Their ids say what they speak for: "c_isp_pk_wateen". */
static enum blockpage_scope scope_of(const char *id)
{
    static const struct {
        const char *prefix;
        enum blockpage_scope scope;
    } scopes[] = {{"a_prod_", BLOCKPAGE_PRODUCT},
                  {"b_nat_", BLOCKPAGE_NATION},
                  {"c_isp_", BLOCKPAGE_CARRIER},
                  {"d_corp_", BLOCKPAGE_INSTITUTION}};

    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
        if (strncmp(id, scopes[i].prefix, strlen(scopes[i].prefix)) == 0)
            return scopes[i].scope;
    return BLOCKPAGE_VAGUE;
}

static int take_pattern(const struct fingerprint_list *list, size_t line, const char *id,
                        const char *pattern, size_t length)
{
    char *text = malloc(length + 1);
    uint8_t *wild = malloc(length + 1);
    struct fingerprint_draft draft = {.id = id,
                                      .text = text,
                                      .wild = wild,
                                      .scope = list->false_positives ? BLOCKPAGE_FALSE_POSITIVE
                                                                     : scope_of(id),
                                      .where = BLOCKPAGE_IN_ANYWHERE};
    int status = text && wild ? DL_OK : -ENOMEM;

    if (status == DL_OK)
        status = fingerprint_translate(pattern, length, text, wild, &draft.length);
    if (status == DL_OK && draft.length == 0 && length > 0)
        status = DL_UNSUPPORTED; /* it fits everything */
    if (status == DL_OK && !memchr(wild, WILD_ANY, draft.length) &&
        !memchr(wild, WILD_GAP, draft.length))
        draft.wild = NULL;
    if (status == DL_UNSUPPORTED) {
        fingerprint_skip(list, id);
        status = DL_OK;
    } else if (status == DL_OK) {
        status = fingerprint_take(list, line, &draft);
    }
    free(text);
    free(wild);
    return status;
}

static int take_line(const struct fingerprint_list *list, size_t line, const char *text,
                     size_t length)
{
    json_error_t problem;
    json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    const json_t *id = json_object_get(object, "fingerprint");
    const json_t *pattern = json_object_get(object, "pattern");
    int status;

    if (!object)
        status = fingerprint_refuse(list, line, "no JSON: %s", problem.text);
    else if (!json_is_string(id) || !json_is_string(pattern))
        status = fingerprint_refuse(list, line, "no \"fingerprint\" and \"pattern\"");
    else
        status = take_pattern(list, line, json_string_value(id), json_string_value(pattern),
                              json_string_length(pattern));
    json_decref(object);
    return status;
}

int fingerprint_read_jsonl(const struct fingerprint_list *list, const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    int status = DL_OK;

    for (size_t line = 1; status == DL_OK && at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t part = (size_t)((stop ? stop : end) - at);
        if (strspn(at, " \t\r") < part)
            status = take_line(list, line, at, part);
        at += part + (stop != NULL);
    }
    return status;
}
