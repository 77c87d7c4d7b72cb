// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/publish/publish_internal.h"

#define TEMPORARY ".darkline-new"
#define PAGE      "index.html"
#define CHARTS    "charts"
#define DEPTH     4

static int say(const struct publishing *publishing, int reason, const char *name)
{
    return dl_error_set(publishing->error, -reason, "%s/%s: %s", publishing->options->folder, name,
                        strerror(reason));
}

/* ---- files of the temporary folder ---- */

FILE *publish_open(struct publishing *publishing, const char *name, const char *mode)
{
    char path[PUBLISH_PATH_SIZE + MANIFEST_NAME_SIZE];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", publishing->temporary, name);
    file = fopen(path, mode);
    if (!file)
        say(publishing, errno, name);
    return file;
}

int publish_add(struct publishing *publishing, const char *name)
{
    struct manifest_file measured = {.name = ""};
    FILE *file = publish_open(publishing, name, "re");
    int status;

    if (!file)
        return publishing->error ? publishing->error->status : -EIO;
    snprintf(measured.name, sizeof(measured.name), "%s", name);
    status = manifest_measure(file, &measured);
    fclose(file);
    if (status == DL_OK)
        status = manifest_add(&publishing->manifest, &measured);
    if (status != DL_OK)
        dl_error_set(publishing->error, status, "%s: %s", name, dl_strerror(status));
    return status;
}

int publish_close(struct publishing *publishing, FILE *file, const char *name, int status)
{
    bool failed = fflush(file) != 0 || ferror(file) || fsync(fileno(file)) != 0;
    int reason = errno ? errno : EIO;

    if (fclose(file) != 0 && !failed) {
        failed = true;
        reason = errno;
    }
    if (status == DL_OK && failed)
        return say(publishing, reason, name);
    if (status != DL_OK) {
        if (!publishing->error || publishing->error->status != status)
            dl_error_set(publishing->error, status, "%s: %s", name, dl_strerror(status));
        return status;
    }
    return publish_add(publishing, name);
}

/* ---- the folder ---- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path) == 0 ? 0 : -1;
}

static void remove_temporary(const struct publishing *publishing)
{
    if (publishing->temporary[0])
        (void)nftw(publishing->temporary, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS);
}

static int make_folder(const struct publishing *publishing)
{
    struct stat status;
    const char *folder = publishing->options->folder;

    if (mkdir(folder, 0777) == 0)
        return DL_OK;
    int reason = errno;
    if (reason == EEXIST && stat(folder, &status) == 0 && S_ISDIR(status.st_mode))
        return DL_OK;
    return dl_error_set(publishing->error, -reason, "%s: %s", folder, strerror(reason));
}

/* What a report before this one left: its files go where this one has none of that name. */
static void read_old_manifest(struct publishing *publishing)
{
    int fd = openat(publishing->folder, MANIFEST_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *text = fd >= 0 ? malloc(MANIFEST_BYTES_MAX) : NULL;
    ssize_t length = text ? read(fd, text, MANIFEST_BYTES_MAX) : 0;

    if (length > 0)
        (void)manifest_parse(&publishing->before, text, (size_t)length, NULL);
    free(text);
    if (fd >= 0)
        close(fd);
}

static int make_temporary(struct publishing *publishing)
{
    char folder[PATH_MAX], path[PUBLISH_PATH_SIZE + 64];

    if (!realpath(publishing->options->folder, folder))
        return say(publishing, errno, "");
    if (strlen(folder) + sizeof(TEMPORARY) + 1 > sizeof(publishing->temporary))
        return say(publishing, ENAMETOOLONG, TEMPORARY);
    snprintf(publishing->temporary, sizeof(publishing->temporary), "%s/%s", folder[1] ? folder : "",
             TEMPORARY);
    remove_temporary(publishing); /* of one that was killed: nobody else has the lock */
    snprintf(path, sizeof(path), "%s/%s", publishing->temporary, CHARTS);
    if (mkdir(publishing->temporary, 0700) != 0 || mkdir(path, 0777) != 0)
        return say(publishing, errno, TEMPORARY);
    return DL_OK;
}

int publish_begin(struct publishing *publishing)
{
    const char *folder = publishing->options->folder;
    int status = make_folder(publishing);

    if (status != DL_OK)
        return status;
    publishing->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (publishing->folder < 0)
        return say(publishing, errno, "");
    if (flock(publishing->folder, LOCK_EX | LOCK_NB) != 0)
        return dl_error_set(publishing->error, -EBUSY, "%s: another report is being written there",
                            folder);
    read_old_manifest(publishing);
    return make_temporary(publishing);
}

void publish_end(struct publishing *publishing)
{
    remove_temporary(publishing);
    manifest_finish(&publishing->manifest);
    manifest_finish(&publishing->before);
    if (publishing->folder >= 0)
        close(publishing->folder); /* and the lock with it */
}

/* ---- into place ---- */

static int move_one(const struct publishing *publishing, int from, const char *name)
{
    if (renameat(from, name, publishing->folder, name) != 0)
        return say(publishing, errno, name);
    return DL_OK;
}

static void remove_old(const struct publishing *publishing)
{
    (void)unlinkat(publishing->folder, MANIFEST_SIGNATURE, 0);
    for (size_t i = 0; i < publishing->before.count; i++)
        if (!manifest_find(&publishing->manifest, publishing->before.files[i].name))
            (void)unlinkat(publishing->folder, publishing->before.files[i].name, 0);
    (void)unlinkat(publishing->folder, CHARTS, AT_REMOVEDIR); /* where it is empty */
}

int publish_move(struct publishing *publishing)
{
    int from = open(publishing->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = from < 0 ? say(publishing, errno, TEMPORARY) : DL_OK;

    if (status == DL_OK && mkdirat(publishing->folder, CHARTS, 0777) != 0 && errno != EEXIST)
        status = say(publishing, errno, CHARTS);
    for (size_t i = 0; status == DL_OK && i < publishing->manifest.count; i++)
        if (strcmp(publishing->manifest.files[i].name, PAGE) != 0)
            status = move_one(publishing, from, publishing->manifest.files[i].name);
    if (status == DL_OK)
        status = move_one(publishing, from, MANIFEST_NAME);
    if (status == DL_OK)
        status = move_one(publishing, from, PAGE);
    if (status == DL_OK) {
        remove_old(publishing);
        (void)fsync(publishing->folder);
    }
    if (from >= 0)
        close(from);
    return status;
}
