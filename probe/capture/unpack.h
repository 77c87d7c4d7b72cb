// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Packed files: one small struct for each kind, in a table. To add one, write it and add a line to
 * the table.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

struct unpacker {
    const char *name;
    uint8_t magic[4];
    size_t magic_length;
    void *(*create)(void); /* NULL when memory is out */
    /*
     * Takes from `packed` and writes at most `room` bytes. DL_OK (with none written it wants more),
     * DL_END where only padding follows, DL_MALFORMED or -ENOMEM; what was written before an error
     * counts.
     */
    int (*step)(void *state, struct cursor *packed, uint8_t *out, size_t room, size_t *ret_length);
    bool (*whole)(const void *state); /* may the packed bytes end here? */
    void (*destroy)(void *state);     /* accepts NULL */
};

/* The unpacker for a file that begins so, NULL for one that is not packed. */
const struct unpacker *unpacker_find(struct cursor head);
