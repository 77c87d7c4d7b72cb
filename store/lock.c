// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A file of its own: SQLite locks a WAL database for single transactions only, and a descriptor of
 * ours on the database itself would drop SQLite's locks when closed.
 */

/* Is what we locked still the file of that name, or did its last owner remove it meanwhile? */
static bool lock_is_current(const struct store_lock *lock)
{
    struct stat ours, named;

    return fstat(lock->fd, &ours) == 0 && stat(lock->path, &named) == 0 &&
           ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

/* DL_OK, DL_AGAIN when the file was removed under it, or a negated errno. */
static int lock_try(struct store_lock *lock)
{
    int status = DL_OK;

    lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock->fd < 0) {
        return -errno;
    }
    if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
        status = errno == EWOULDBLOCK ? -EBUSY : -errno;
    } else if (!lock_is_current(lock)) {
        status = DL_AGAIN;
    }
    if (status != DL_OK) {
        close(lock->fd);
        lock->fd = -1;
    }
    return status;
}

int store_lock_take(struct store_lock *lock, const char *path, struct dl_error *error)
{
    int status;

    *lock = (struct store_lock){.path = NULL, .fd = -1};
    if (asprintf(&lock->path, "%s-lock", path) < 0) {
        lock->path = NULL;
        return dl_error_set(error, -ENOMEM, "%s: out of memory", path);
    }
    do {
        status = lock_try(lock);
    } while (status == DL_AGAIN);

    if (status == -EBUSY) {
        dl_error_set(error, status, "%s: another darkline is writing to it", path);
    } else if (status != DL_OK) {
        dl_error_set(error, status, "%s: its folder cannot be written: %s", path,
                     dl_strerror(status));
    }
    if (status != DL_OK) {
        store_lock_release(lock);
    }
    return status;
}

void store_lock_release(struct store_lock *lock)
{
    if (lock->fd >= 0) {
        unlink(lock->path); /* before the lock goes: nobody else's file can be there yet */
        close(lock->fd);
    }
    free(lock->path);
    *lock = (struct store_lock){.path = NULL, .fd = -1};
}
