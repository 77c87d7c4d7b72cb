// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/publish/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"

#define LINE_SIZE   512
#define BLOCK       (64u << 10)
#define DATE_LENGTH 10
#define ID_LENGTH   (FINDINGS_ID_SIZE - 1)

void manifest_finish(struct manifest *manifest)
{
    free(manifest->files);
    *manifest = (struct manifest){0};
}

bool manifest_is_name(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t first = strspn(name, good), rest = 0;

    if (first == 0 || name[0] == '.' || strlen(name) >= MANIFEST_NAME_SIZE)
        return false;
    if (name[first] == '\0')
        return true;
    rest = strspn(name + first + 1, good);
    return name[first] == '/' && rest > 0 && name[first + 1] != '.' &&
           name[first + 1 + rest] == '\0';
}

int manifest_add(struct manifest *manifest, const struct manifest_file *file)
{
    if (manifest->count == MANIFEST_FILES_MAX)
        return DL_LIMIT;
    if (!manifest->files)
        manifest->files = calloc(MANIFEST_FILES_MAX, sizeof(*manifest->files));
    if (!manifest->files)
        return -ENOMEM;
    manifest->files[manifest->count++] = *file;
    return DL_OK;
}

static int by_name(const void *left, const void *right)
{
    const struct manifest_file *a = left, *b = right;
    return strcmp(a->name, b->name);
}

void manifest_sort(struct manifest *manifest)
{
    if (manifest->count > 1)
        qsort(manifest->files, manifest->count, sizeof(*manifest->files), by_name);
}

const struct manifest_file *manifest_find(const struct manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->count; i++)
        if (strcmp(manifest->files[i].name, name) == 0)
            return &manifest->files[i];
    return NULL;
}

/* ---- writing ---- */

void manifest_write(FILE *file, const struct manifest *manifest, const struct findings *findings)
{
    const struct findings_options *options = findings->options;
    char date[CLOCK_TEXT_SIZE];

    fprintf(file, "# report %s\n# darkline %s\n# rules %s\n# catalog %s\n", findings->id,
            findings->version, findings->rules_version, findings->catalog_version);
    for (unsigned i = 0; i <= ORIGIN_IMPORTED; i++)
        if (findings->has_origin[i])
            fprintf(file, "# origin %s\n", word_text(WORD_ORIGIN, i));
    if (options->draft)
        fputs("# draft yes\n", file);
    if (options->embargo_us)
        fprintf(file, "# embargo %.*s\n", DATE_LENGTH, clock_format(options->embargo_us, date));
    for (size_t i = 0; i < manifest->count; i++)
        fprintf(file, "%s  %" PRIu64 "  %s\n", manifest->files[i].sha256, manifest->files[i].bytes,
                manifest->files[i].name);
}

/* ---- reading ---- */

static bool is_hex(const char *text, size_t length)
{
    return strlen(text) >= length && strspn(text, "0123456789abcdef") >= length;
}

static bool take_file(const char *line, struct manifest_file *file)
{
    size_t hash = DIGEST_TEXT_SIZE - 1;
    const char *at = line + hash + 2;

    if (!is_hex(line, hash) || strncmp(line + hash, "  ", 2) != 0)
        return false;
    memcpy(file->sha256, line, hash);
    file->sha256[hash] = '\0';
    file->bytes = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        file->bytes = 10 * file->bytes + (uint64_t)(*at - '0');
        if (file->bytes > MANIFEST_FILE_BYTES)
            return false;
    }
    if (at == line + hash + 2 || strncmp(at, "  ", 2) != 0 || !manifest_is_name(at + 2))
        return false;
    snprintf(file->name, sizeof(file->name), "%s", at + 2);
    return true;
}

static int take_line(struct manifest *manifest, const char *line)
{
    static const char head[] = "# report ";
    struct manifest_file file;

    if (strncmp(line, head, sizeof(head) - 1) == 0 && !manifest->id[0] &&
        is_hex(line + sizeof(head) - 1, ID_LENGTH) &&
        strlen(line + sizeof(head) - 1) == ID_LENGTH) {
        memcpy(manifest->id, line + sizeof(head) - 1, ID_LENGTH + 1);
        return DL_OK;
    }
    if (line[0] == '#')
        return manifest->count == 0 ? DL_OK : DL_CORRUPT;
    if (!take_file(line, &file) ||
        (manifest->count && strcmp(manifest->files[manifest->count - 1].name, file.name) >= 0))
        return DL_CORRUPT;
    return manifest_add(manifest, &file);
}

int manifest_parse(struct manifest *ret_manifest, const char *text, size_t length,
                   struct dl_error *error)
{
    struct manifest manifest = {0};
    char line[LINE_SIZE];
    size_t number = 0;
    int status = DL_OK;

    for (size_t at = 0; status == DL_OK && at < length; number++) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t size = end ? (size_t)(end - text) - at : 0;
        status = end && size < sizeof(line) && !memchr(text + at, '\0', size) ? DL_OK : DL_CORRUPT;
        if (status == DL_OK) {
            memcpy(line, text + at, size);
            line[size] = '\0';
            status = take_line(&manifest, line);
        }
        at += size + 1;
    }
    if (status == DL_OK && (!manifest.id[0] || manifest.count == 0))
        status = DL_CORRUPT;
    if (status != DL_OK) {
        manifest_finish(&manifest);
        return dl_error_set(error, status == DL_LIMIT ? DL_CORRUPT : status,
                            "%s: line %zu is not as it should be", MANIFEST_NAME, number);
    }
    *ret_manifest = manifest;
    return DL_OK;
}

int manifest_measure(FILE *file, struct manifest_file *ret_file)
{
    struct digest *digest = NULL;
    uint8_t hash[DIGEST_SIZE], *block = malloc(BLOCK);
    int status = block ? digest_create(&digest) : -ENOMEM;
    uint64_t bytes = 0;

    while (status == DL_OK) {
        size_t got = fread(block, 1, BLOCK, file);
        if (got == 0)
            break;
        digest_update(digest, block, got);
        bytes += got;
    }
    if (status == DL_OK && ferror(file))
        status = -EIO;
    if (status == DL_OK) {
        digest_final(digest, hash);
        digest_text(hash, ret_file->sha256);
        ret_file->bytes = bytes;
    }
    digest_destroy(digest);
    free(block);
    return status;
}
