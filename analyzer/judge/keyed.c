// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/keyed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/status.h"

#define SLOTS_FIRST 256u /* a power of two */

struct keyed {
    struct hash_key hash;
    struct keyed_key *keys; /* keys and values in the order they were added */
    unsigned char *values;
    uint32_t *slots; /* 1 + index, 0 free; twice as many as there is room for values */
    size_t value_bytes;
    uint32_t slot_count, count, maximum;
    uint64_t refused;
};

/* Room for half as many values as slots. */
static int keyed_resize(struct keyed *keyed, uint32_t slot_count)
{
    uint32_t room = slot_count / 2;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    struct keyed_key *keys = reallocarray(keyed->keys, room, sizeof(*keys));
    unsigned char *values;

    keyed->keys = keys ? keys : keyed->keys;
    values = keys ? reallocarray(keyed->values, room, keyed->value_bytes) : NULL;
    keyed->values = values ? values : keyed->values;
    if (!slots || !values) {
        free(slots);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < keyed->count; i++) {
        uint64_t at = hash_words(&keyed->hash, keys[i].words, KEYED_WORDS);
        while (slots[at & (slot_count - 1)] != 0)
            at++;
        slots[at & (slot_count - 1)] = i + 1;
    }
    free(keyed->slots);
    keyed->slots = slots;
    keyed->slot_count = slot_count;
    return DL_OK;
}

int keyed_create(struct keyed **ret_keyed, size_t value_bytes, uint32_t maximum)
{
    struct keyed *keyed = calloc(1, sizeof(*keyed));
    int status = keyed ? hash_key_random(&keyed->hash) : -ENOMEM;

    if (status == DL_OK) {
        keyed->value_bytes = value_bytes;
        keyed->maximum = maximum;
        status = keyed_resize(keyed, SLOTS_FIRST);
    }
    if (status != DL_OK) {
        keyed_destroy(keyed);
        return status;
    }
    *ret_keyed = keyed;
    return DL_OK;
}

void keyed_destroy(struct keyed *keyed)
{
    if (!keyed)
        return;
    free(keyed->keys);
    free(keyed->values);
    free(keyed->slots);
    free(keyed);
}

/* The key's slot, else the free one it would get. */
static uint32_t *slot_of(const struct keyed *keyed, const struct keyed_key *key)
{
    uint64_t at = hash_words(&keyed->hash, key->words, KEYED_WORDS);
    uint32_t *slot = &keyed->slots[at & (keyed->slot_count - 1)];

    while (*slot != 0 && memcmp(&keyed->keys[*slot - 1], key, sizeof(*key)) != 0) {
        at++;
        slot = &keyed->slots[at & (keyed->slot_count - 1)];
    }
    return slot;
}

void *keyed_find(const struct keyed *keyed, const struct keyed_key *key)
{
    uint32_t index = *slot_of(keyed, key);
    return index ? keyed_at(keyed, index - 1) : NULL;
}

void *keyed_add(struct keyed *keyed, const struct keyed_key *key, int *ret_status)
{
    uint32_t *slot = slot_of(keyed, key);

    if (*slot)
        return keyed_at(keyed, *slot - 1);
    if (keyed->count == keyed->maximum) {
        keyed->refused++;
        return NULL;
    }
    if (keyed->count == keyed->slot_count / 2) {
        int status = keyed_resize(keyed, keyed->slot_count * 2);
        if (status != DL_OK) {
            *ret_status = status;
            return NULL;
        }
        slot = slot_of(keyed, key);
    }
    keyed->keys[keyed->count] = *key;
    *slot = ++keyed->count;
    return memset(keyed_at(keyed, keyed->count - 1), 0, keyed->value_bytes);
}

uint32_t keyed_count(const struct keyed *keyed)
{
    return keyed->count;
}

void *keyed_at(const struct keyed *keyed, uint32_t index)
{
    return keyed->values + (size_t)index * keyed->value_bytes;
}

uint64_t keyed_refused(const struct keyed *keyed)
{
    return keyed->refused;
}

uint64_t keyed_hash(const struct keyed *keyed, const char *text, size_t length)
{
    return hash_bytes(&keyed->hash, text, length);
}

bool keyed_few_has(const struct keyed_few *few, uint64_t word)
{
    for (uint32_t i = 0; i < few->count; i++)
        if (few->words[i] == word)
            return true;
    return false;
}

void keyed_few_add(struct keyed_few *few, uint64_t word)
{
    if (few->count < KEYED_FEW && !keyed_few_has(few, word))
        few->words[few->count++] = word;
}
