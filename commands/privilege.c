// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
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

static int become(const struct identity *identity, struct dl_error *error)
{
    capng_clear(CAPNG_SELECT_BOTH);
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

int privilege_drop(const char *user, const char *store_path, const char *key_path,
                   struct dl_error *error)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", "-lock"};
    struct identity identity = {0};
    int status;
    if (geteuid() != 0)
        return DL_OK;
    status = identity_find(user, store_path, &identity, error);
    for (size_t i = 0; status == DL_OK && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        status = hand_over(store_path, suffixes[i], &identity, error);
    if (status == DL_OK)
        status = hand_over(key_path, "", &identity, error);
    if (status == DL_OK)
        status = become(&identity, error);
    if (status == DL_OK)
        log_debug("root is dropped: now user %u without any capability", (unsigned)identity.uid);
    return status;
}
