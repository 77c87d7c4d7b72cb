// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"

#define BLOCK_BYTES 65536u
#define ALIGNMENT   16u

struct memory_block {
    struct memory_block *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

void *memory_take(struct memory *memory, size_t bytes)
{
    struct memory_block *block = memory->blocks;
    size_t size = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    if (size < bytes)
        return NULL;
    if (!block || block->size - block->used < size) {
        size_t room = MAX_OF(size, (size_t)BLOCK_BYTES);
        block = calloc(1, sizeof(*block) + room);
        if (!block)
            return NULL;
        block->size = room;
        /* A large one goes behind the first, whose rest is used on. */
        struct memory_block **at =
            memory->blocks && size > BLOCK_BYTES / 2 ? &memory->blocks->next : &memory->blocks;
        block->next = *at;
        *at = block;
    }
    void *taken = block->bytes + block->used;
    block->used += size;
    return taken;
}

void *memory_array(struct memory *memory, size_t count, size_t size)
{
    if (count > SIZE_MAX / 2 / MAX_OF(size, (size_t)1))
        return NULL;
    return memory_take(memory, MAX_OF(count, (size_t)1) * size);
}

const char *memory_text(struct memory *memory, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_take(memory, size);

    return copy ? memcpy(copy, text, size) : NULL;
}

void memory_finish(struct memory *memory)
{
    for (struct memory_block *block = memory->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    memory->blocks = NULL;
}
