// SPDX-License-Identifier: GPL-3.0-or-later
/* What the process may touch from the first stranger's byte on: its inputs and its store. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "commands/ingest_internal.h"
#include "commands/privilege.h"
#include "commands/sandbox.h"

#define PATHS_MAX (1u << 20)

struct path_list {
    struct sandbox_path *items;
    size_t count, room;
};

static void path_list_finish(struct path_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((char *)list->items[i].path);
    free(list->items);
}

static int path_add(struct path_list *list, const char *path, unsigned access)
{
    if (list->count == PATHS_MAX)
        return -E2BIG;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct sandbox_path *items = reallocarray(list->items, room, sizeof(*items));
        if (!items)
            return -ENOMEM;
        list->items = items;
        list->room = room;
    }
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    list->items[list->count++] = (struct sandbox_path){.path = copy, .access = access};
    return DL_OK;
}

static int path_add_suffixed(struct path_list *list, const char *path, const char *suffix,
                             unsigned access)
{
    char name[PATH_MAX];
    if (snprintf(name, sizeof(name), "%s%s", path, suffix) >= (int)sizeof(name))
        return -ENAMETOOLONG;
    return path_add(list, name, access);
}

/* ---- inputs: read, and what lies beside them ---- */

/* One level deep, as probe/capture/inputs.h reads it: every file gets a rule of its own, so that
 * the folders below stay closed. */
static int add_folder(struct path_list *list, const char *folder)
{
    DIR *dir = opendir(folder);
    int status = dir ? path_add(list, folder, SANDBOX_LIST) : DL_OK;
    const struct dirent *entry;
    while (status == DL_OK && dir && (entry = readdir(dir)) != NULL) {
        char path[PATH_MAX];
        struct stat info;
        if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < (int)sizeof(path) &&
            stat(path, &info) == 0 && !S_ISDIR(info.st_mode))
            status = path_add(list, path, SANDBOX_READ);
    }
    if (dir)
        closedir(dir);
    return status;
}

static int add_input(struct path_list *list, const char *word)
{
    char beside[PATH_MAX];
    struct stat info;
    if (strcmp(word, "-") == 0 || stat(word, &info) != 0)
        return DL_OK;
    if (S_ISDIR(info.st_mode))
        return add_folder(list, word);
    int status = path_add(list, word, SANDBOX_READ);
    if (status == DL_OK && vantage_path(beside, sizeof(beside), word) && access(beside, F_OK) == 0)
        status = path_add(list, beside, SANDBOX_READ);
    return status;
}

/* ---- the store: its file and SQLite's beside it, which must go at the end ---- */

/* Where the sorter of the index puts what it has no room for; an empty folder at the end. */
static int add_sorting_folder(struct ingest *ingest, struct path_list *list)
{
    struct stat info;
    char *path = ingest->sorting_path;
    if (snprintf(path, PATH_MAX, "%s-temp", ingest->store_path) >= PATH_MAX ||
        (mkdir(path, 0700) != 0 && errno != EEXIST) || lstat(path, &info) != 0 ||
        !S_ISDIR(info.st_mode) || store_sort_in(path) != DL_OK) {
        path[0] = '\0'; /* it sorts in memory then */
        return DL_OK;
    }
    return path_add(list, path,
                    SANDBOX_LIST | SANDBOX_READ | SANDBOX_WRITE | SANDBOX_CREATE | SANDBOX_REMOVE);
}

static int add_store(struct ingest *ingest, struct path_list *list)
{
    static const char *const beside[] = {"", "-wal", "-shm", "-journal", "-lock"};
    char folder[PATH_MAX], wal[PATH_MAX + sizeof("-wal")];
    unsigned of_folder = SANDBOX_REMOVE;
    int status = DL_OK;
    snprintf(wal, sizeof(wal), "%s-wal", ingest->store_path);
    if (access(wal, F_OK) != 0) /* no WAL on this file system: a journal comes with each commit */
        of_folder |= SANDBOX_READ | SANDBOX_WRITE | SANDBOX_CREATE;
    snprintf(folder, sizeof(folder), "%s", ingest->store_path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[1] = '\0';
    else
        strcpy(folder, ".");
    for (size_t i = 0; status == DL_OK && i < ARRAY_LENGTH(beside); i++)
        status =
            path_add_suffixed(list, ingest->store_path, beside[i], SANDBOX_READ | SANDBOX_WRITE);
    if (status == DL_OK)
        status = path_add(list, folder, of_folder);
    return status == DL_OK ? add_sorting_folder(ingest, list) : status;
}

/* ---- entering and leaving ---- */

static void say_state(const struct sandbox_state *state)
{
    if (!state->landlock)
        log_debug("this kernel or build has no Landlock: files are not restricted");
    if (!state->seccomp)
        log_debug("this kernel or build has no seccomp: system calls are not restricted");
    if (state->landlock && state->seccomp)
        log_debug("confined: Landlock %d, seccomp, no capability", state->landlock);
}

int ingest_confine(struct ingest *ingest, const char *const *words, size_t count, const char *user,
                   struct dl_error *error)
{
    struct path_list paths = {0};
    struct sandbox_state state;
    bool kept = false;
    int status = add_store(ingest, &paths);
    size_t of_store = paths.count;
    for (size_t i = 0; status == DL_OK && i < count; i++)
        status = add_input(&paths, words[i]);
    if (status != DL_OK) {
        dl_error_set(error, status, "cannot list the inputs: %s", dl_strerror(status));
        goto done;
    }
    const struct privilege_wish wish = {.user = user,
                                        .store_path = ingest->store_path,
                                        .key_path = ingest->key ? ingest->key_path : NULL,
                                        .sorting_path =
                                            ingest->sorting_path[0] ? ingest->sorting_path : NULL,
                                        .inputs = paths.items + of_store,
                                        .input_count = paths.count - of_store};
    status = privilege_drop(&wish, &kept, error);
    if (status == DL_OK)
        status = sandbox_enter(paths.items, paths.count, kept, &state, error);
    if (status == DL_OK)
        say_state(&state);
done:
    path_list_finish(&paths);
    return status;
}

void ingest_leave(struct ingest *ingest)
{
    if (ingest->sorting_path[0])
        rmdir(ingest->sorting_path);
}
