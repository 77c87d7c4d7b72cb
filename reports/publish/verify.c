// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A folder or a bundle against its MANIFEST. What comes from elsewhere is hostile: a bundle is read as a
 * stream and never written to disk; of tar and zstd only, regular files only, names as a manifest may
 * have them below one folder, each once; number and sizes are bounded before anything is read.
 */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "reports/publish/bundle.h"
#include "reports/publish/program.h"
#include "reports/publish/publish.h"

#define BLOCK          (64u << 10)
#define SIGNATURE_MAX  4096u
#define BUNDLE_BYTES   (UINT64_C(8) << 30) /* of all files, unpacked */
#define KEY_LENGTH     56                  /* of a public key as text */
#define PATH_SIZE      4096
#define TEMPORARY_SIZE 64

struct verifying {
    const char *path;
    struct manifest found; /* what is there, whatever the manifest says */
    char *manifest, *signature;
    size_t manifest_length, signature_length;
    struct dl_error *error;
};

static int corrupt(const struct verifying *verifying, const char *name, const char *why)
{
    char safe[80];

    snprintf(safe, sizeof(safe), "%s", name);
    for (char *at = safe; *at; at++)
        if ((unsigned char)*at <= ' ' || (unsigned char)*at > '~')
            *at = '?';
    return dl_error_set(verifying->error, DL_CORRUPT, "%s: %s%s%s", verifying->path, safe,
                        safe[0] ? ": " : "", why);
}

/* ---- a bundle ---- */

/* The name below the one folder that all are in; NULL for any other. */
static const char *name_within(const char *path)
{
    const char *slash = path ? strchr(path, '/') : NULL;
    char folder[MANIFEST_NAME_SIZE];

    if (!slash || slash == path || (size_t)(slash - path) >= sizeof(folder))
        return NULL;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    return manifest_is_name(folder) && manifest_is_name(slash + 1) ? slash + 1 : NULL;
}

/* Where its bytes are wanted: MANIFEST and its signature. */
static char **keep_of(struct verifying *verifying, const char *name, size_t *ret_maximum,
                      size_t **ret_length)
{
    if (strcmp(name, MANIFEST_NAME) == 0) {
        *ret_maximum = MANIFEST_BYTES_MAX;
        *ret_length = &verifying->manifest_length;
        return &verifying->manifest;
    }
    if (strcmp(name, MANIFEST_SIGNATURE) == 0) {
        *ret_maximum = SIGNATURE_MAX;
        *ret_length = &verifying->signature_length;
        return &verifying->signature;
    }
    return NULL;
}

static int keep_entry(struct verifying *verifying, struct archive *archive, const char *name,
                      char **keep, size_t maximum, size_t *length)
{
    char *bytes = *keep ? NULL : malloc(maximum + 1);
    size_t used = 0;

    if (*keep)
        return corrupt(verifying, name, "is there twice");
    if (!bytes)
        return -ENOMEM;
    while (used <= maximum) {
        la_ssize_t got = archive_read_data(archive, bytes + used, maximum + 1 - used);
        if (got < 0)
            used = maximum + 1;
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    *keep = bytes;
    *length = used;
    return used <= maximum ? DL_OK : corrupt(verifying, name, "is too large or damaged");
}

static int measure_entry(struct verifying *verifying, struct archive *archive, const char *name,
                         uint64_t size)
{
    struct manifest_file file = {.bytes = 0};
    struct digest *digest = NULL;
    uint8_t hash[DIGEST_SIZE], *block = malloc(BLOCK);
    int status = block ? digest_create(&digest) : -ENOMEM;

    while (status == DL_OK) {
        la_ssize_t got = archive_read_data(archive, block, BLOCK);
        if (got == 0)
            break;
        if (got < 0 || (file.bytes += (uint64_t)got) > size) {
            status = corrupt(verifying, name, "is damaged");
            break;
        }
        digest_update(digest, block, (size_t)got);
    }
    if (status == DL_OK) {
        digest_final(digest, hash);
        digest_text(hash, file.sha256);
        snprintf(file.name, sizeof(file.name), "%s", name);
        status = manifest_find(&verifying->found, name) ? corrupt(verifying, name, "is there twice")
                                                        : manifest_add(&verifying->found, &file);
    }
    digest_destroy(digest);
    free(block);
    return status;
}

static int take_entry(struct verifying *verifying, struct archive *archive,
                      struct archive_entry *entry, uint64_t *left)
{
    const char *path = archive_entry_pathname(entry), *name = name_within(path);
    int64_t size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : -1;
    size_t maximum, *length;
    char **keep;

    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
        archive_entry_symlink(entry))
        return corrupt(verifying, path ? path : "", "is no plain file");
    if (!name)
        return corrupt(verifying, path ? path : "", "is no name that a report has");
    if (size < 0 || (uint64_t)size > MANIFEST_FILE_BYTES || (uint64_t)size > *left)
        return corrupt(verifying, name, "is too large");
    *left -= (uint64_t)size;
    keep = keep_of(verifying, name, &maximum, &length);
    return keep ? keep_entry(verifying, archive, name, keep, maximum, length)
                : measure_entry(verifying, archive, name, (uint64_t)size);
}

static int read_bundle(struct verifying *verifying)
{
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    uint64_t left = BUNDLE_BYTES;
    int status = archive ? DL_OK : -ENOMEM, code = ARCHIVE_OK;

    if (status == DL_OK &&
        (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
         archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
         archive_read_open_filename(archive, verifying->path, BLOCK) != ARCHIVE_OK))
        status = corrupt(verifying, "", "is no bundle (tar.zst)");
    while (status == DL_OK) {
        code = archive_read_next_header(archive, &entry);
        if (code == ARCHIVE_EOF)
            break;
        status = code == ARCHIVE_OK ? take_entry(verifying, archive, entry, &left)
                                    : corrupt(verifying, "", "is damaged, or no tar.zst");
    }
    archive_read_free(archive);
    return status;
}

/* ---- a folder ---- */

static int measure_file(struct verifying *verifying, int folder, const char *name)
{
    struct manifest_file file = {.bytes = 0};
    FILE *stream = NULL;
    int status = bundle_open(folder, name, &stream);

    if (status == -ENOENT)
        return DL_OK; /* said later: it is missing */
    if (status == DL_OK)
        status = manifest_measure(stream, &file);
    if (stream)
        fclose(stream);
    if (status == DL_UNSUPPORTED || status == -ELOOP)
        return corrupt(verifying, name, "is no plain file");
    if (status != DL_OK)
        return dl_error_set(verifying->error, status, "%s/%s: %s", verifying->path, name,
                            dl_strerror(status));
    snprintf(file.name, sizeof(file.name), "%.*s", MANIFEST_NAME_SIZE - 1, name);
    return manifest_add(&verifying->found, &file);
}

/* Files that a report could have; what else lies in its folder (a store, a note) is no part of it. */
static bool is_of_a_report(const char *name)
{
    static const char *const names[] = {"index.html",         "report.json", "events.csv",
                                        "cells.csv",          "flows.csv",   "measurements.jsonl",
                                        "report.schema.json", "report.pdf"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static int list_folder(struct verifying *verifying, int folder, const char *below)
{
    int fd =
        openat(folder, below[0] ? below : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    int status = DL_OK;

    if (!listing) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        return below[0] && reason == ENOENT ? DL_OK : corrupt(verifying, below, strerror(reason));
    }
    while (status == DL_OK && (entry = readdir(listing)) != NULL) {
        char name[sizeof(entry->d_name) + 16];
        snprintf(name, sizeof(name), "%s%s%s", below, below[0] ? "/" : "", entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            (!below[0] && !is_of_a_report(name)))
            continue;
        status = manifest_is_name(name) ? measure_file(verifying, folder, name)
                                        : corrupt(verifying, name, "is no name that a report has");
    }
    closedir(listing);
    return status;
}

static int read_folder(struct verifying *verifying)
{
    int folder = open(verifying->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;

    if (folder < 0)
        return dl_error_set(verifying->error, -errno, "%s: %s", verifying->path, strerror(errno));
    status = bundle_read(folder, MANIFEST_NAME, MANIFEST_BYTES_MAX, &verifying->manifest,
                         &verifying->manifest_length);
    if (status != DL_OK)
        status = status == -ENOENT || status == DL_UNSUPPORTED || status == -ELOOP
                     ? corrupt(verifying, MANIFEST_NAME, "is not there: this is no report")
                     : dl_error_set(verifying->error, status, "%s/%s: %s", verifying->path,
                                    MANIFEST_NAME, dl_strerror(status));
    if (status == DL_OK) {
        status = bundle_read(folder, MANIFEST_SIGNATURE, SIGNATURE_MAX, &verifying->signature,
                             &verifying->signature_length);
        status = status == -ENOENT ? DL_OK : status;
    }
    if (status == DL_OK)
        status = list_folder(verifying, folder, "");
    if (status == DL_OK)
        status = list_folder(verifying, folder, "charts");
    close(folder);
    return status;
}

/* ---- is it what the manifest says? ---- */

static int compare(const struct verifying *verifying, const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++) {
        const struct manifest_file *want = &manifest->files[i];
        const struct manifest_file *have = manifest_find(&verifying->found, want->name);
        if (!have)
            return corrupt(verifying, want->name, "is missing");
        if (have->bytes != want->bytes || strcmp(have->sha256, want->sha256) != 0)
            return corrupt(verifying, want->name, "is not what MANIFEST says");
    }
    for (size_t i = 0; i < verifying->found.count; i++)
        if (!manifest_find(manifest, verifying->found.files[i].name))
            return corrupt(verifying, verifying->found.files[i].name, "is not in MANIFEST");
    return DL_OK;
}

static int write_private(const char *folder, const char *name, const char *bytes, size_t length)
{
    char path[TEMPORARY_SIZE + 32];
    FILE *file;
    bool failed;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wxe");
    if (!file)
        return -errno;
    failed = fwrite(bytes, 1, length, file) != length;
    return fclose(file) != 0 || failed ? -EIO : DL_OK;
}

static void remove_private(const char *folder)
{
    static const char *const names[] = {MANIFEST_NAME, MANIFEST_SIGNATURE};
    char path[TEMPORARY_SIZE + 32];

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

/* The key is a file, or the text of one. */
static int call_signer(const struct verifying *verifying, const char *folder, const char *key)
{
    char path[256], *whole = realpath(key, NULL);
    struct dl_error why = {0};
    int status = bundle_signer(path, sizeof(path), verifying->error);

    if (status == DL_OK && !whole && strlen(key) != KEY_LENGTH)
        status = dl_error_set(verifying->error, -ENOENT, "%s: %s", key, strerror(ENOENT));
    if (status == DL_OK) {
        const char *const arguments[] = {path,
                                         "-V",
                                         "-q",
                                         "-m",
                                         MANIFEST_NAME,
                                         "-x",
                                         MANIFEST_SIGNATURE,
                                         whole ? "-p" : "-P",
                                         whole ? whole : key,
                                         NULL};
        const struct program program = {.arguments = arguments,
                                        .folder = folder,
                                        .home = folder,
                                        .seconds = BUNDLE_SIGNER_TIME};
        status = program_call(&program, &why);
        if (status == DL_LIBRARY)
            status = corrupt(verifying, MANIFEST_SIGNATURE, "is not by this key");
        else if (status != DL_OK)
            dl_error_set(verifying->error, status, "%s", why.message);
    }
    free(whole);
    return status;
}

static int check_signature(const struct verifying *verifying, const char *key)
{
    char folder[TEMPORARY_SIZE] = "/tmp/darkline-verify-XXXXXX";
    int status;

    if (!verifying->signature)
        return corrupt(verifying, MANIFEST_SIGNATURE, "is not there: nobody signed it");
    if (!mkdtemp(folder))
        return dl_error_set(verifying->error, -errno, "%s: %s", folder, strerror(errno));
    status = write_private(folder, MANIFEST_NAME, verifying->manifest, verifying->manifest_length);
    if (status == DL_OK)
        status = write_private(folder, MANIFEST_SIGNATURE, verifying->signature,
                               verifying->signature_length);
    if (status == DL_OK)
        status = call_signer(verifying, folder, key);
    else
        dl_error_set(verifying->error, status, "%s: %s", folder, dl_strerror(status));
    remove_private(folder);
    return status;
}

static int check(struct verifying *verifying, const char *public_key, struct verify_result *result)
{
    struct manifest manifest = {0};
    int status;

    if (!verifying->manifest)
        return corrupt(verifying, MANIFEST_NAME, "is not there: this is no report");
    status = manifest_parse(&manifest, verifying->manifest, verifying->manifest_length,
                            verifying->error);
    if (status == DL_OK)
        status = compare(verifying, &manifest);
    if (status == DL_OK && public_key)
        status = check_signature(verifying, public_key);
    if (status == DL_OK) {
        *result = (struct verify_result){.files = manifest.count,
                                         .is_signed = verifying->signature != NULL,
                                         .is_signature_checked = public_key != NULL};
        memcpy(result->id, manifest.id, sizeof(result->id));
    }
    manifest_finish(&manifest);
    return status;
}

int publish_verify(const char *path, const char *public_key, struct verify_result *ret_result,
                   struct dl_error *error)
{
    struct verifying verifying = {.path = path, .error = error};
    struct stat kind;
    int status;

    if (stat(path, &kind) != 0)
        return dl_error_set(error, -errno, "%s: %s", path, strerror(errno));
    status = S_ISDIR(kind.st_mode) ? read_folder(&verifying) : read_bundle(&verifying);
    if (status == DL_OK)
        status = check(&verifying, public_key, ret_result);
    if (status == DL_LIMIT)
        status = corrupt(&verifying, "", "has too many files");
    else if (status == -ENOMEM)
        dl_error_set(error, status, "%s", dl_strerror(status));
    free(verifying.manifest);
    free(verifying.signature);
    manifest_finish(&verifying.found);
    return status;
}
