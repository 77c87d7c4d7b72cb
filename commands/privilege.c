// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

struct identity {
    uid_t uid;
    gid_t gid;
};

static bool number_of(const char *text, unsigned long *ret_number)
{
    char *end;
    if (!text || !*text)
        return false;
    errno = 0;
    *ret_number = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *ret_number < UINT_MAX;
}

static void folder_of(const char *path, char folder[PATH_MAX])
{
    snprintf(folder, PATH_MAX, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash[1] = '\0';
    else if (slash)
        *slash = '\0';
    else
        strcpy(folder, ".");
}

static int identity_find(const char *user, const char *store_path, struct identity *ret_identity,
                         struct dl_error *error)
{
    unsigned long uid, gid;
    char folder[PATH_MAX];
    struct stat info;
    if (user) {
        const struct passwd *entry = getpwnam(user);
        if (!entry)
            return dl_error_set(error, DL_NOT_FOUND, "there is no user %s", user);
        *ret_identity = (struct identity){.uid = entry->pw_uid, .gid = entry->pw_gid};
        return DL_OK;
    }
    if (number_of(getenv("SUDO_UID"), &uid) && number_of(getenv("SUDO_GID"), &gid)) {
        *ret_identity = (struct identity){.uid = (uid_t)uid, .gid = (gid_t)gid};
        return DL_OK;
    }
    folder_of(store_path, folder);
    if (stat(folder, &info) != 0)
        return dl_error_set(error, -errno, "%s: %s", folder, strerror(errno));
    *ret_identity = (struct identity){.uid = info.st_uid, .gid = info.st_gid};
    return DL_OK;
}

/* The store's side files exist while it is open: they must belong to who will close it. */
static int hand_over(const char *path, const char *suffix, const struct identity *identity,
                     struct dl_error *error)
{
    char name[PATH_MAX];
    if (!path || snprintf(name, sizeof(name), "%s%s", path, suffix) >= (int)sizeof(name))
        return DL_OK;
    if (lchown(name, identity->uid, identity->gid) != 0 && errno != ENOENT)
        return dl_error_set(error, -errno, "cannot hand %s over: %s", name, strerror(errno));
    return DL_OK;
}

static int become(const struct identity *identity, bool keep_override, struct dl_error *error)
{
    capng_clear(CAPNG_SELECT_BOTH);
    if (keep_override)
        capng_update(CAPNG_ADD, (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                     CAP_DAC_OVERRIDE);
    if (identity->uid != 0) {
        int result = capng_change_id((int)identity->uid, (int)identity->gid,
                                     (capng_flags_t)(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING));
        if (result != 0)
            return dl_error_set(error, DL_LIBRARY, "cannot become user %u (libcap-ng: %d)",
                                (unsigned)identity->uid, result);
        if (setuid(0) == 0)
            return dl_error_set(error, DL_LIBRARY, "root could be regained: stopping");
    } else if (setgroups(0, NULL) != 0 || capng_apply(CAPNG_SELECT_BOTH) != 0) {
        return dl_error_set(error, DL_LIBRARY, "cannot give up the capabilities of root");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return dl_error_set(error, -errno, "cannot forbid new privileges: %s", strerror(errno));
    return DL_OK;
}

/* May this user, without capabilities, read the inputs and remove files beside the store? Asked in
 * a process of its own. */
static bool is_enough(const struct identity *identity, const struct privilege_wish *wish)
{
    char folder[PATH_MAX];
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        bool enough = become(identity, false, NULL) == DL_OK;
        folder_of(wish->store_path, folder);
        enough = enough && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
        for (size_t i = 0; enough && i < wish->input_count; i++)
            enough = faccessat(AT_FDCWD, wish->inputs[i].path, R_OK, AT_EACCESS) == 0;
        _exit(enough ? 0 : 1);
    }
    while (child > 0 && waitpid(child, &how, 0) < 0 && errno == EINTR)
        continue;
    return child > 0 && WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

/* Whom to become, by the header's rule. */
static int identity_choose(const struct privilege_wish *wish, struct identity *ret_identity,
                           bool *ret_kept, struct dl_error *error)
{
    static const struct identity root = {0, 0};
    *ret_kept = false;
    int status = identity_find(wish->user, wish->store_path, ret_identity, error);
    if (status != DL_OK || wish->user || wish->input_count == 0 || is_enough(ret_identity, wish))
        return status;
    *ret_identity = root;
    *ret_kept = !is_enough(&root, wish);
    return DL_OK;
}

int privilege_drop(const struct privilege_wish *wish, bool *ret_kept, struct dl_error *error)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", "-lock"};
    struct identity identity = {0};
    bool kept = false;
    int status;
    *ret_kept = false;
    if (geteuid() != 0)
        return DL_OK;
    status = identity_choose(wish, &identity, &kept, error);
    for (size_t i = 0; status == DL_OK && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        status = hand_over(wish->store_path, suffixes[i], &identity, error);
    if (status == DL_OK)
        status = hand_over(wish->key_path, "", &identity, error);
    if (status == DL_OK)
        status = hand_over(wish->sorting_path, "", &identity, error);
    if (status == DL_OK)
        status = become(&identity, kept, error);
    if (status == DL_OK) {
        log_debug("root is dropped: now user %u with%s", (unsigned)identity.uid,
                  kept ? " the capability to read what others own, for the inputs and the store"
                       : "out any capability");
        *ret_kept = kept;
    }
    return status;
}
