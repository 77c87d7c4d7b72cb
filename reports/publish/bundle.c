// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FOLDER as FILE.tar.zst: a plain tar (ustar) by libarchive, files by name, times and owners zero, below one
 * folder named by the report's id. It is written beside its place and then moved there.
 */
#include "reports/publish/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/publish/program.h"
#include "reports/publish/publish.h"

#define BLOCK       (64u << 10)
#define LEVEL       "zstd:compression-level=15"
#define COMMENT_MAX 64

int bundle_open(int folder, const char *name, FILE **ret_file)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    int failed = DL_OK;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) != 0)
        failed = -errno;
    else if (!S_ISREG(status.st_mode))
        failed = DL_UNSUPPORTED;
    *ret_file = failed == DL_OK ? fdopen(fd, "r") : NULL;
    if (failed == DL_OK && !*ret_file)
        failed = -errno;
    if (failed != DL_OK)
        close(fd);
    return failed;
}

int bundle_read(int folder, const char *name, size_t maximum, char **ret_bytes, size_t *ret_length)
{
    FILE *file = NULL;
    char *bytes = NULL;
    size_t length = 0;
    int status = bundle_open(folder, name, &file);

    if (status != DL_OK)
        return status;
    bytes = malloc(maximum + 1);
    if (!bytes) {
        status = -ENOMEM;
    } else {
        length = fread(bytes, 1, maximum + 1, file);
        status = ferror(file) ? -EIO : length > maximum ? DL_LIMIT : DL_OK;
    }
    fclose(file);
    if (status != DL_OK) {
        free(bytes);
        return status;
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return DL_OK;
}

int bundle_signer(char *path, size_t size, struct dl_error *error)
{
    if (program_find(BUNDLE_SIGNER, path, size))
        return DL_OK;
    return dl_error_set(error, DL_NOT_FOUND, "%s is not installed: apt-get install %s",
                        BUNDLE_SIGNER, BUNDLE_SIGNER);
}

/* ---- signing ---- */

/* No wall clock in it: the comment that is signed along names the report alone. */
static int sign(const char *folder, const char *key, const struct manifest *manifest,
                struct dl_error *error)
{
    char path[256], comment[COMMENT_MAX], *whole = realpath(key, NULL);
    struct dl_error why = {0};
    int status = whole ? bundle_signer(path, sizeof(path), error)
                       : dl_error_set(error, -errno, "%s: %s", key, strerror(errno));

    snprintf(comment, sizeof(comment), "darkline report %s", manifest->id);
    if (status == DL_OK) {
        const char *const arguments[] = {
            path, "-S",    "-W", "-s",    whole, "-m", MANIFEST_NAME, "-x", MANIFEST_SIGNATURE,
            "-t", comment, "-c", comment, NULL};
        const struct program program = {.arguments = arguments,
                                        .folder = folder,
                                        .home = "/nonexistent",
                                        .seconds = BUNDLE_SIGNER_TIME};
        status = program_call(&program, &why);
        if (status != DL_OK)
            dl_error_set(error, status,
                         "%s: cannot sign with it (%s); a key without a password is needed, as "
                         "minisign -G -W makes it",
                         key, why.message);
    }
    free(whole);
    return status;
}

/* ---- the archive ---- */

struct packing {
    struct archive *archive;
    int folder;
    const char *id;
    struct dl_error *error;
};

static int fail(const struct packing *packing, const char *name)
{
    const char *why = archive_error_string(packing->archive);
    return dl_error_set(packing->error, DL_LIBRARY, "%s: %s", name, why ? why : "cannot be packed");
}

static int copy(const struct packing *packing, FILE *file, uint64_t left, const char *name)
{
    char *block = malloc(BLOCK);
    int status = block ? DL_OK : -ENOMEM;

    while (status == DL_OK && left > 0) {
        size_t got = fread(block, 1, left < BLOCK ? left : BLOCK, file);
        if (got == 0)
            status = dl_error_set(packing->error, -EIO, "%s: %s", name, dl_strerror(-EIO));
        else if (archive_write_data(packing->archive, block, got) != (la_ssize_t)got)
            status = fail(packing, name);
        left -= got;
    }
    free(block);
    return status;
}

static int pack(const struct packing *packing, const char *name)
{
    char path[MANIFEST_NAME_SIZE + 64];
    struct archive_entry *entry = archive_entry_new();
    struct stat size;
    FILE *file = NULL;
    int status = entry ? bundle_open(packing->folder, name, &file) : -ENOMEM;

    if (status == DL_OK && fstat(fileno(file), &size) != 0)
        status = -errno;
    if (status != DL_OK) {
        dl_error_set(packing->error, status, "%s: %s", name, dl_strerror(status));
    } else {
        snprintf(path, sizeof(path), "report-%s/%s", packing->id, name);
        archive_entry_set_pathname(entry, path);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, size.st_size);
        archive_entry_set_mtime(entry, 0, 0);
        status = archive_write_header(packing->archive, entry) == ARCHIVE_OK
                     ? copy(packing, file, (uint64_t)size.st_size, name)
                     : fail(packing, name);
    }
    if (file)
        fclose(file);
    archive_entry_free(entry);
    return status;
}

static int pack_all(const struct packing *packing, const struct manifest *manifest, bool is_signed)
{
    int status = pack(packing, MANIFEST_NAME);

    if (status == DL_OK && is_signed)
        status = pack(packing, MANIFEST_SIGNATURE);
    for (size_t i = 0; status == DL_OK && i < manifest->count; i++)
        status = pack(packing, manifest->files[i].name);
    return status;
}

static int write_archive(int folder, const char *path, const struct manifest *manifest,
                         bool is_signed, struct dl_error *error)
{
    struct packing packing = {
        .archive = archive_write_new(), .folder = folder, .id = manifest->id, .error = error};
    int status = packing.archive ? DL_OK : -ENOMEM;

    if (status == DL_OK && (archive_write_set_format_ustar(packing.archive) != ARCHIVE_OK ||
                            archive_write_add_filter_zstd(packing.archive) != ARCHIVE_OK ||
                            archive_write_set_options(packing.archive, LEVEL) != ARCHIVE_OK ||
                            archive_write_open_filename(packing.archive, path) != ARCHIVE_OK))
        status = fail(&packing, path);
    if (status == DL_OK)
        status = pack_all(&packing, manifest, is_signed);
    if (status == DL_OK && archive_write_close(packing.archive) != ARCHIVE_OK)
        status = fail(&packing, path);
    archive_write_free(packing.archive);
    return status;
}

/* So that a reader of FILE never sees half of it. */
static int move_into_place(const char *temporary, const char *file, struct dl_error *error)
{
    int fd = open(temporary, O_RDONLY | O_CLOEXEC);
    bool failed = fd < 0 || fsync(fd) != 0 || rename(temporary, file) != 0;
    int reason = errno;

    if (fd >= 0)
        close(fd);
    return failed ? dl_error_set(error, -reason, "%s: %s", file, strerror(reason)) : DL_OK;
}

int publish_bundle(const char *folder, const char *file, const char *key, struct dl_error *error)
{
    struct manifest manifest = {0};
    struct verify_result verified;
    char *text = NULL, temporary[PATH_MAX];
    size_t length;
    int fd = -1, status = publish_verify(folder, NULL, &verified, error);

    if (status == DL_OK && (fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        status = dl_error_set(error, -errno, "%s: %s", folder, strerror(errno));
    if (status == DL_OK)
        status = bundle_read(fd, MANIFEST_NAME, MANIFEST_BYTES_MAX, &text, &length);
    if (status == DL_OK)
        status = manifest_parse(&manifest, text, length, error);
    if (status == DL_OK && key)
        status = sign(folder, key, &manifest, error);
    else if (status == DL_OK)
        (void)unlinkat(fd, MANIFEST_SIGNATURE, 0);
    if (status == DL_OK &&
        snprintf(temporary, sizeof(temporary), "%s.new", file) >= (int)sizeof(temporary))
        status = dl_error_set(error, -ENAMETOOLONG, "%s: %s", file, strerror(ENAMETOOLONG));
    if (status == DL_OK) {
        status = write_archive(fd, temporary, &manifest, key != NULL, error);
        if (status == DL_OK)
            status = move_into_place(temporary, file, error);
        if (status != DL_OK)
            (void)unlink(temporary);
    }
    free(text);
    manifest_finish(&manifest);
    if (fd >= 0)
        close(fd);
    return status;
}
