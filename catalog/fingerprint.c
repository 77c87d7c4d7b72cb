// SPDX-License-Identifier: GPL-3.0-or-later
#include "catalog/fingerprint_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/digest.h"
#include "catalog/catalog_internal.h"

#define POOL_MAXIMUM ((size_t)256 << 20)
#define FILE_MAXIMUM ((size_t)64 << 20)

int fingerprints_create(struct fingerprints **ret_set)
{
    struct fingerprints *set = calloc(1, sizeof(*set));

    if (!set)
        return -ENOMEM;
    buffer_init(&set->pool, POOL_MAXIMUM);
    buffer_append_u8(&set->pool, 0); /* offset 0 is "none" */
    if (set->pool.failed) {
        fingerprints_destroy(set);
        return -ENOMEM;
    }
    *ret_set = set;
    return DL_OK;
}

void fingerprints_destroy(struct fingerprints *set)
{
    if (!set)
        return;
    buffer_finish(&set->pool);
    free(set->items);
    free(set->addresses);
    free(set->heads);
    free(set);
}

size_t fingerprints_count(const struct fingerprints *set)
{
    return set->count + set->address_count;
}

const char *fingerprints_version(const struct fingerprints *set)
{
    return set->version;
}

/* ---- adding ---- */

/* An id goes to terminals and reports: no control characters. */
static uint32_t pool_add_id(struct fingerprints *set, const char *id)
{
    uint32_t offset = (uint32_t)set->pool.length;

    for (; *id; id++)
        buffer_append_u8(&set->pool, (uint8_t)*id < ' ' || *id == 0x7f ? '?' : (uint8_t)*id);
    buffer_append_u8(&set->pool, 0);
    return offset;
}

static uint32_t pool_add_text(struct fingerprints *set, const struct fingerprint_draft *draft)
{
    uint32_t offset = (uint32_t)set->pool.length;

    for (size_t i = 0; i < draft->length; i++) {
        uint8_t byte = (uint8_t)draft->text[i];
        bool upper = draft->fold && byte >= 'A' && byte <= 'Z';
        buffer_append_u8(&set->pool, upper ? byte + 'a' - 'A' : byte);
    }
    return offset;
}

/* Is there a run of literals to find it by, before the first gap? */
static bool has_anchor(const struct fingerprint_draft *draft)
{
    size_t run = 0;

    for (size_t i = 0; i < draft->length && run < FINGERPRINT_ANCHOR; i++) {
        uint8_t wild = draft->wild ? draft->wild[i] : WILD_LITERAL;
        if (wild == WILD_GAP)
            return false;
        run = wild == WILD_LITERAL ? run + 1 : 0;
    }
    return run == FINGERPRINT_ANCHOR;
}

int fingerprint_add(struct fingerprints *set, const struct fingerprint_draft *draft)
{
    struct fingerprint *items;

    if (draft->length < FINGERPRINT_TEXT_LEAST || !has_anchor(draft))
        return DL_UNSUPPORTED;
    if (draft->length > FINGERPRINT_TEXT_MAX || fingerprints_count(set) >= FINGERPRINTS_MAX)
        return DL_LIMIT;
    items = catalog_grow(set->items, set->count, &set->capacity, sizeof(*items));
    if (!items)
        return -ENOMEM;
    set->items = items;
    struct fingerprint item = {.length = (uint16_t)draft->length,
                               .scope = (uint8_t)draft->scope,
                               .where = (uint8_t)draft->where,
                               .kind = (uint8_t)draft->kind,
                               .fold = draft->fold};
    item.id = pool_add_id(set, draft->id);
    item.text = pool_add_text(set, draft);
    if (draft->wild) {
        item.wild = (uint32_t)set->pool.length;
        buffer_append(&set->pool, draft->wild, draft->length);
    }
    if (set->pool.failed)
        return -ENOMEM;
    items[set->count++] = item;
    return DL_OK;
}

static bool is_public(const struct address *address)
{
    bool odd = address_is_v4(address) && (address->bytes[12] == 0 || address->bytes[12] >= 224);

    return !odd && !address_is_private(address);
}

int fingerprint_add_address(struct fingerprints *set, const char *id, const char *text,
                            enum blockpage_scope scope)
{
    struct address address;
    struct fingerprint_address *addresses;

    if (address_parse(text, &address) != DL_OK)
        return DL_MALFORMED;
    if (!is_public(&address))
        return DL_UNSUPPORTED;
    if (fingerprints_count(set) >= FINGERPRINTS_MAX)
        return DL_LIMIT;
    addresses = catalog_grow(set->addresses, set->address_count, &set->address_capacity,
                             sizeof(*addresses));
    if (!addresses)
        return -ENOMEM;
    set->addresses = addresses;
    addresses[set->address_count++] = (struct fingerprint_address){
        .address = address, .id = pool_add_id(set, id), .scope = (uint8_t)scope};
    return set->pool.failed ? -ENOMEM : DL_OK;
}

/* ---- the catalog's ---- */

static int add_pattern(struct fingerprints *set, const struct raw_blockpage *page,
                       const struct raw_pattern *pattern)
{
    /* An unconfirmed one names the page and proves nothing. */
    enum blockpage_scope scope = pattern->sure == SURE_CONFIRMED ? page->scope : BLOCKPAGE_VAGUE;
    const struct fingerprint_draft draft = {.id = page->id,
                                            .text = pattern->text,
                                            .length = strlen(pattern->text),
                                            .scope = scope,
                                            .where = pattern->where,
                                            .kind = pattern->kind,
                                            .fold = pattern->any_case};

    return pattern->where == BLOCKPAGE_IN_DNS
               ? fingerprint_add_address(set, page->id, pattern->text, scope)
               : fingerprint_add(set, &draft);
}

int fingerprints_add_catalog(struct fingerprints *set, const struct catalog *catalog,
                             struct dl_error *error)
{
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < catalog->blockpage_count; i++) {
        const struct raw_blockpage *page = catalog->blockpages[i];
        for (size_t k = 0; status == DL_OK && k < page->pattern_count; k++) {
            status = add_pattern(set, page, &page->patterns[k]);
            if (status != DL_OK)
                dl_error_set(error, status, "%s: patterns entry %zu: %s", page->file, k + 1,
                             dl_strerror(status));
        }
    }
    return status;
}

/* ---- lists ---- */

int fingerprint_refuse(const struct fingerprint_list *list, size_t line, const char *format, ...)
{
    char sentence[DL_ERROR_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    return dl_error_set(list->error, DL_MALFORMED, "%s: line %zu: %s", list->path, line, sentence);
}

void fingerprint_skip(const struct fingerprint_list *list, const char *id)
{
    struct fingerprint_load *load = list->load;

    if (load->skipped++ == 0)
        snprintf(load->first_skipped, sizeof(load->first_skipped), "%s", id);
}

static int check_id(const struct fingerprint_list *list, size_t line, const char *id)
{
    if (id[0] == '\0')
        return fingerprint_refuse(list, line, "no name");
    if (strlen(id) >= FINGERPRINT_ID_SIZE)
        return fingerprint_refuse(list, line, "the name is longer than %d bytes: '%.40s...'",
                                  FINGERPRINT_ID_SIZE - 1, id);
    return DL_OK;
}

static int limit(const struct fingerprint_list *list, size_t line, int status)
{
    if (status == DL_LIMIT)
        dl_error_set(list->error, status,
                     "%s: line %zu: a pattern of more than %d bytes, or more than %d fingerprints",
                     list->path, line, FINGERPRINT_TEXT_MAX, FINGERPRINTS_MAX);
    return status;
}

int fingerprint_take(const struct fingerprint_list *list, size_t line,
                     const struct fingerprint_draft *draft)
{
    int status = check_id(list, line, draft->id);

    if (status != DL_OK)
        return status;
    if (draft->length == 0)
        return fingerprint_refuse(list, line, "'%s' has no pattern", draft->id);
    status = fingerprint_add(list->set, draft);
    if (status == DL_UNSUPPORTED) {
        fingerprint_skip(list, draft->id);
        return DL_OK;
    }
    list->load->added += status == DL_OK;
    return limit(list, line, status);
}

int fingerprint_take_address(const struct fingerprint_list *list, size_t line, const char *id,
                             const char *text, enum blockpage_scope scope)
{
    int status = check_id(list, line, id);

    if (status != DL_OK)
        return status;
    status = fingerprint_add_address(list->set, id, text, scope);
    if (status == DL_MALFORMED && host_name_valid(text)) {
        fingerprint_skip(list, id); /* the probe keeps addresses only */
        return DL_OK;
    }
    if (status == DL_MALFORMED)
        return fingerprint_refuse(list, line, "'%s': no address: '%.60s'", id, text);
    list->load->added += status == DL_OK;
    list->load->not_public += status == DL_UNSUPPORTED;
    return status == DL_UNSUPPORTED ? DL_OK : limit(list, line, status);
}

static bool named_false_positive(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strstr(slash ? slash : path, "false_positive") != NULL;
}

int fingerprints_add_file(struct fingerprints *set, const char *path, bool false_positives,
                          struct fingerprint_load *ret_load, struct dl_error *error)
{
    struct buffer file = {0};
    struct fingerprint_load load = {0};
    const struct fingerprint_list list = {set, path, false_positives || named_false_positive(path),
                                          &load, error};
    int status = catalog_read_file(&file, path, FILE_MAXIMUM, error);

    if (status != DL_OK)
        return status;
    const char *text = buffer_text(&file);
    size_t length = file.length;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* a byte order mark, as spreadsheets write it */
        length -= 3;
    }
    size_t blank = strspn(text, " \t\r\n");
    if (memchr(text, '\0', length))
        status = dl_error_set(error, DL_MALFORMED, "%s: not a text file", path);
    else if (blank == length)
        status = dl_error_set(error, DL_EMPTY, "%s: nothing in it", path);
    else if (text[blank] == '{')
        status = fingerprint_read_jsonl(&list, text, length);
    else
        status = fingerprint_read_csv(&list, text, length);
    buffer_finish(&file);
    if (status == -ENOMEM)
        dl_error_set(error, status, "%s: %s", path, dl_strerror(status));
    if (status == DL_OK && ret_load)
        *ret_load = load;
    return status;
}
