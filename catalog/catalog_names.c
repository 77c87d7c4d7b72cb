// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_internal.h"

#define SLOTS_MINIMUM 64
#define POOL_MAXIMUM  ((size_t)512 << 20)

int name_table_init(struct name_table *table)
{
    struct name_table fresh = {.slot_count = SLOTS_MINIMUM};
    int status = hash_key_random(&fresh.key);

    if (status != DL_OK) {
        goto out;
    }
    fresh.slots = calloc(fresh.slot_count, sizeof(*fresh.slots));
    if (!fresh.slots) {
        status = -ENOMEM;
        goto out;
    }
    buffer_init(&fresh.pool, POOL_MAXIMUM);
    buffer_append_u8(&fresh.pool, 0); /* offset 0 means a free slot */
    *table = fresh;
    fresh.slots = NULL;
out:
    free(fresh.slots);
    return status;
}

void name_table_finish(struct name_table *table)
{
    free(table->slots);
    buffer_finish(&table->pool);
    *table = (struct name_table){0};
}

/* Where the name is, or the free slot where it would go. */
static struct name_slot *slot_of(const struct name_table *table, const char *name, size_t length)
{
    uint64_t hash = hash_bytes(&table->key, name, length);
    size_t mask = table->slot_count - 1;

    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        struct name_slot *slot = &table->slots[i];
        const char *stored = table->pool.bytes + slot->offset;
        if (slot->offset == 0 ||
            (slot->hash == (uint32_t)(hash >> 32) && (uint8_t)stored[0] == length &&
             memcmp(stored + 1, name, length) == 0)) {
            return slot;
        }
    }
}

static int name_table_double(struct name_table *table)
{
    struct name_table larger = *table;

    larger.slot_count *= 2;
    larger.slots = calloc(larger.slot_count, sizeof(*larger.slots));
    if (!larger.slots) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct name_slot *slot = &table->slots[i];
        if (slot->offset != 0) {
            const char *stored = table->pool.bytes + slot->offset;
            *slot_of(&larger, stored + 1, (uint8_t)stored[0]) = *slot;
        }
    }
    free(table->slots);
    *table = larger;
    return DL_OK;
}

static unsigned count_labels(const char *name, size_t length)
{
    unsigned labels = 1;

    for (size_t i = 0; i < length; i++) {
        labels += name[i] == '.';
    }
    return labels;
}

int name_table_add(struct name_table *table, const char *name, size_t length, uint32_t value)
{
    struct name_slot *slot;
    size_t offset = table->pool.length;
    unsigned labels = count_labels(name, length);

    if (table->count >= table->slot_count / 2 && name_table_double(table) != DL_OK) {
        return -ENOMEM;
    }
    slot = slot_of(table, name, length);
    if (slot->offset != 0) {
        return DL_DUPLICATE;
    }
    buffer_append_u8(&table->pool, (uint8_t)length);
    buffer_append(&table->pool, name, length);
    if (table->pool.failed) {
        return -ENOMEM;
    }
    *slot = (struct name_slot){.hash = (uint32_t)(hash_bytes(&table->key, name, length) >> 32),
                               .offset = (uint32_t)offset,
                               .value = value};
    table->count++;
    table->labels_max = labels > table->labels_max ? labels : table->labels_max;
    return DL_OK;
}

const struct name_slot *name_table_find(const struct name_table *table, const char *name,
                                        size_t length)
{
    const struct name_slot *slot = slot_of(table, name, length);

    return slot->offset != 0 ? slot : NULL;
}

bool host_text_init(struct host_text *host, const char *text, size_t length)
{
    bool start = true; /* of a label */

    if (length > 0 && text[length - 1] == '.') {
        length--;
    }
    if (length == 0 || length > HOST_LENGTH_MAX) {
        return false;
    }
    host->label_count = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '.' && start) {
            return false;
        }
        if (start) {
            host->starts[host->label_count++] = (uint8_t)i;
        }
        start = c == '.';
        host->text[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    host->text[length] = '\0';
    host->length = length;
    return !start;
}
