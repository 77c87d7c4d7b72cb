// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/intern.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/status.h"

#define ENTRIES_FIRST 64u
#define SLOTS_FIRST   (2u * ENTRIES_FIRST)
#define CHUNK_ROOM    (16u * 1024u)

struct entry {
    const char *text;
    uint32_t length, hash;
};

struct chunk {
    struct chunk *next;
    char text[];
};

struct intern {
    struct hash_key key;
    uint32_t *slots; /* numbers; INTERN_NONE where empty */
    size_t slot_count;
    struct entry *entries; /* number n is entries[n - 1] */
    uint32_t entry_capacity, count, max_strings;
    struct chunk *chunks; /* the first is the one being filled */
    size_t room, chunk_memory;
    size_t text_bytes, max_bytes;
    uint64_t refused;
};

int intern_create(struct intern **ret_intern, uint32_t max_strings, size_t max_bytes)
{
    struct intern *intern = calloc(1, sizeof(*intern));
    int status = -ENOMEM;

    if (!intern) {
        goto out;
    }
    intern->max_strings = max_strings;
    intern->max_bytes = max_bytes;
    status = hash_key_random(&intern->key);
    if (status != DL_OK) {
        goto out;
    }
    *ret_intern = intern;
    intern = NULL;
out:
    free(intern);
    return status;
}

void intern_destroy(struct intern *intern)
{
    if (!intern) {
        return;
    }
    while (intern->chunks) {
        struct chunk *next = intern->chunks->next;
        free(intern->chunks);
        intern->chunks = next;
    }
    free(intern->entries);
    free(intern->slots);
    free(intern);
}

/* The slot that holds the text, or the empty one where it belongs. There is always an empty one. */
static size_t intern_probe(const struct intern *intern, const char *text, size_t length,
                           uint32_t hash)
{
    size_t mask = intern->slot_count - 1;
    size_t at = hash & mask;

    for (; intern->slots[at] != INTERN_NONE; at = (at + 1) & mask) {
        const struct entry *entry = &intern->entries[intern->slots[at] - 1];
        if (entry->hash == hash && entry->length == length &&
            memcmp(entry->text, text, length) == 0) {
            break;
        }
    }
    return at;
}

static bool intern_grow_slots(struct intern *intern)
{
    size_t slot_count = intern->slot_count ? intern->slot_count * 2 : SLOTS_FIRST;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));

    if (!slots) {
        return false;
    }
    for (uint32_t i = 0; i < intern->count; i++) {
        size_t at = intern->entries[i].hash & (slot_count - 1);
        while (slots[at] != INTERN_NONE) {
            at = (at + 1) & (slot_count - 1);
        }
        slots[at] = i + 1;
    }
    free(intern->slots);
    intern->slots = slots;
    intern->slot_count = slot_count;
    return true;
}

static bool intern_grow_entries(struct intern *intern)
{
    uint64_t doubled = MAX_OF((uint64_t)intern->entry_capacity * 2, ENTRIES_FIRST);
    uint32_t capacity = (uint32_t)MIN_OF(doubled, intern->max_strings);
    struct entry *entries = reallocarray(intern->entries, capacity, sizeof(*entries));

    if (!entries) {
        return false;
    }
    intern->entries = entries;
    intern->entry_capacity = capacity;
    return true;
}

/* Tables for one string more, at most half full. */
static bool intern_reserve(struct intern *intern)
{
    if (intern->count == intern->entry_capacity && !intern_grow_entries(intern)) {
        return false;
    }
    return intern->count < intern->slot_count / 2 || intern_grow_slots(intern);
}

static struct chunk *intern_add_chunk(struct intern *intern, size_t room)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + room);

    if (chunk) {
        intern->chunk_memory += sizeof(*chunk) + room;
    }
    return chunk;
}

/* A copy of the text with its NUL, which never moves; NULL without memory. */
static const char *intern_copy(struct intern *intern, const char *text, size_t length)
{
    size_t needed = length + 1;
    char *copy;

    if (needed > CHUNK_ROOM / 4 && needed > intern->room) {
        /* A chunk of its own, behind the first, which keeps its room. */
        struct chunk *chunk = intern_add_chunk(intern, needed);
        if (!chunk) {
            return NULL;
        }
        struct chunk **before = intern->chunks ? &intern->chunks->next : &intern->chunks;
        chunk->next = *before;
        *before = chunk;
        copy = chunk->text;
    } else {
        if (needed > intern->room) {
            struct chunk *chunk = intern_add_chunk(intern, CHUNK_ROOM);
            if (!chunk) {
                return NULL;
            }
            chunk->next = intern->chunks;
            intern->chunks = chunk;
            intern->room = CHUNK_ROOM;
        }
        copy = intern->chunks->text + (CHUNK_ROOM - intern->room);
        intern->room -= needed;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* Within the maxima, and can be given back by intern_text() as it came. */
static bool intern_accepts(const struct intern *intern, const char *text, size_t length)
{
    return intern->count < intern->max_strings && length < UINT32_MAX &&
           length <= intern->max_bytes - intern->text_bytes && !memchr(text, '\0', length);
}

uint32_t intern_add(struct intern *intern, const char *text, size_t length)
{
    uint32_t id = intern_find(intern, text, length);

    if (id != INTERN_NONE || length == 0) {
        goto out;
    }
    if (!intern_accepts(intern, text, length) || !intern_reserve(intern)) {
        goto refuse;
    }
    const char *copy = intern_copy(intern, text, length);
    if (!copy) {
        goto refuse;
    }
    uint32_t hash = (uint32_t)hash_bytes(&intern->key, text, length);
    size_t at = intern_probe(intern, text, length, hash);
    intern->entries[intern->count] =
        (struct entry){.text = copy, .length = (uint32_t)length, .hash = hash};
    intern->text_bytes += length;
    id = ++intern->count;
    intern->slots[at] = id;
    goto out;
refuse:
    intern->refused++;
out:
    return id;
}

uint32_t intern_find(const struct intern *intern, const char *text, size_t length)
{
    if (length == 0 || intern->count == 0) {
        return INTERN_NONE;
    }
    uint32_t hash = (uint32_t)hash_bytes(&intern->key, text, length);
    return intern->slots[intern_probe(intern, text, length, hash)];
}

const char *intern_text(const struct intern *intern, uint32_t id)
{
    return id == INTERN_NONE || id > intern->count ? "" : intern->entries[id - 1].text;
}

uint32_t intern_count(const struct intern *intern)
{
    return intern->count;
}

uint64_t intern_refused(const struct intern *intern)
{
    return intern->refused;
}

size_t intern_memory(const struct intern *intern)
{
    return sizeof(*intern) + intern->slot_count * sizeof(*intern->slots) +
           intern->entry_capacity * sizeof(*intern->entries) + intern->chunk_memory;
}
