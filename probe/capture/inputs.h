// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * From command-line words to a list of capture files: a folder stands for the captures in it (one
 * level deep, told by content, in the order of their names; other files are passed over), "-" is
 * standard input.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define INPUT_FINGERPRINT_SIZE 32

struct input_file {
    char *path;
    uint64_t size;
    uint8_t fingerprint[INPUT_FINGERPRINT_SIZE]; /* SHA-256 over the size (8 bytes, big-endian) and
                                                    the first and last MiB */
    bool has_fingerprint;                        /* not for standard input and other pipes */
};

struct input_list {
    struct input_file *files;
    size_t count;
    size_t passed_over; /* files of folders that are no captures */
};

#define INPUT_LIST_MAX 1000000u

/*
 * Expands `count` words. A word that names nothing readable is an error that names it, and the list
 * holds the others: with `on_problem` (may be NULL) told of each, the work can go on. The same file
 * twice (same fingerprint) is kept once and told of with DL_DUPLICATE. DL_OK when at least one file
 * is left, else DL_EMPTY or the last problem's status.
 */
int input_list_expand(struct input_list *ret_list, const char *const *words, size_t count,
                      void (*on_problem)(void *context, const char *path, int status,
                                         const char *text),
                      void *context);
void input_list_finish(struct input_list *list);

/* The fingerprint of a regular file. DL_OK, a negated errno, or DL_UNSUPPORTED for what is not a
 * regular file. */
int input_fingerprint(const char *path, uint64_t *ret_size,
                      uint8_t ret_fingerprint[INPUT_FINGERPRINT_SIZE]);
/* The full SHA-256 of a file (`--hash`). */
int input_sha256(const char *path, uint8_t ret_hash[32]);
