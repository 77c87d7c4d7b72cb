// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A main() for a fuzz target without libFuzzer: runs the files and folders named as arguments, and
 * the empty input.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_SIZE_MAX (64L * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replayed;

/* In memory of just that size, so that the address sanitizer sees every byte read beyond. */
static bool replay_bytes(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = calloc(1, size); /* zeroed: a compiler cannot see that all is written below */

    if (!exact && size > 0) {
        return false;
    }
    if (size > 0) {
        memcpy(exact, bytes, size);
    }
    LLVMFuzzerTestOneInput(exact, size);
    replayed++;
    free(exact);
    return true;
}

static bool replay_file(const char *path, off_t size)
{
    FILE *file = NULL;
    uint8_t *bytes = NULL;
    bool ok = false;

    if (size > INPUT_SIZE_MAX) {
        fprintf(stderr, "%s: too large\n", path);
        goto out;
    }
    file = fopen(path, "rb");
    bytes = malloc((size_t)size + 1);
    if (!file || !bytes) {
        perror(path);
        goto out;
    }
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        goto out;
    }
    ok = replay_bytes(bytes, (size_t)size);
out:
    free(bytes);
    if (file) {
        fclose(file);
    }
    return ok;
}

static int replay_compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool replay_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, replay_compare);
    bool ok = count >= 0;

    if (!ok) {
        perror(folder);
        goto out;
    }
    for (int i = 0; i < count; i++) {
        struct stat info;
        char *path;
        if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0) {
            ok = false;
        } else {
            if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
                ok &= replay_file(path, info.st_size);
            }
            free(path);
        }
        free(entries[i]);
    }
    free(entries);
out:
    return ok;
}

static bool replay_argument(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        perror(path);
        return false;
    }
    if (S_ISDIR(info.st_mode)) {
        return replay_folder(path);
    }
    if (!S_ISREG(info.st_mode)) {
        fprintf(stderr, "%s: neither a file nor a folder\n", path);
        return false;
    }
    return replay_file(path, info.st_size);
}

int main(int argc, char **argv)
{
    bool ok = replay_bytes(NULL, 0);

    for (int i = 1; i < argc; i++) {
        ok &= replay_argument(argv[i]);
    }
    printf("%zu inputs replayed\n", replayed);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
