// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/key.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/digest.h"

#define KEY_SIZE 32

#define KNOWN_SHIFT 11 /* 2048 addresses */

/* The last pseudonym made of an address that falls there: a line's clients come again and again. */
struct known {
    uint64_t words[2]; /* of the address: what counts of it */
    uint64_t pseudonym;
};

struct key {
    struct digest_hmac *hmac; /* the only place that keeps the key */
    char epoch[KEY_EPOCH_SIZE];
    struct known known[1u << KNOWN_SHIFT]; /* free: words of 0, which no address is */
};

static int key_write(int fd, const uint8_t bytes[KEY_SIZE])
{
    ssize_t written = write(fd, bytes, KEY_SIZE);

    if (written != KEY_SIZE) {
        return written < 0 ? -errno : -ENOSPC;
    }
    return fsync(fd) == 0 ? DL_OK : -errno;
}

/* Makes the file's name lasting too: pseudonyms under a lost key cannot be compared with anything.
 */
static void key_sync_folder(const char *path)
{
    char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    int fd = -1;

    if (slash) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    if (folder) {
        fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd >= 0) {
        (void)fsync(fd); /* not every file system can: the key is there all the same */
        close(fd);
    }
    free(folder);
}

/* -EEXIST where there is a file already, which is no error to tell. */
static int key_make(const char *path, uint8_t bytes[KEY_SIZE], struct dl_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int status = DL_OK;

    if (fd < 0) {
        status = -errno;
        goto out;
    }
    ssize_t got;
    do {
        got = getrandom(bytes, KEY_SIZE, 0);
    } while (got < 0 && errno == EINTR);
    if (got != KEY_SIZE) {
        status = got < 0 ? -errno : -EIO;
        goto out;
    }
    status = key_write(fd, bytes);
out:
    if (fd >= 0) {
        close(fd);
        if (status == DL_OK) {
            key_sync_folder(path);
        } else {
            unlink(path);
        }
    }
    if (status != DL_OK && status != -EEXIST) {
        dl_error_set(error, status, "%s: the key cannot be made: %s", path, dl_strerror(status));
    }
    return status;
}

static int key_check(int fd, const char *path, struct dl_error *error)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        return dl_error_set(error, DL_NO_KEY, "%s: the key cannot be read: %s", path,
                            dl_strerror(-errno));
    }
    if (!S_ISREG(info.st_mode) || info.st_size != KEY_SIZE) {
        return dl_error_set(error, DL_NO_KEY,
                            "%s: not a key (%d bytes); name another one with --key", path,
                            KEY_SIZE);
    }
    if (info.st_mode & (S_IRWXG | S_IRWXO)) {
        return dl_error_set(error, DL_NO_KEY,
                            "%s: the key is open to others; chmod 600 it if nobody has read it, "
                            "else make a new store",
                            path);
    }
    return DL_OK;
}

static int key_read(const char *path, uint8_t bytes[KEY_SIZE], struct dl_error *error)
{
    /* Nonblocking: a pipe of that name must not hang us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int status;

    if (fd < 0) {
        status = dl_error_set(error, DL_NO_KEY, "%s: the key cannot be read: %s", path,
                              dl_strerror(-errno));
        goto out;
    }
    status = key_check(fd, path, error);
    if (status == DL_OK && read(fd, bytes, KEY_SIZE) != KEY_SIZE) {
        status = dl_error_set(error, DL_NO_KEY, "%s: the key cannot be read", path);
    }
    close(fd);
out:
    return status;
}

/* The key from its bytes, which it copies. */
static int key_create(struct key **ret_key, const uint8_t bytes[KEY_SIZE])
{
    uint8_t hash[DIGEST_SIZE];
    struct key *key = calloc(1, sizeof(*key));
    int status = key ? digest_setup() : -ENOMEM;

    if (status != DL_OK) {
        goto out;
    }
    status = digest_hmac_create(&key->hmac, bytes, KEY_SIZE);
    if (status != DL_OK) {
        goto out;
    }
    digest_hmac(key->hmac, "epoch", 5, hash);
    snprintf(key->epoch, sizeof(key->epoch), "%02x%02x%02x%02x", hash[0], hash[1], hash[2],
             hash[3]);
    *ret_key = key;
    key = NULL;
out:
    key_destroy(key);
    return status;
}

int key_open(struct key **ret_key, const char *path, bool create, struct dl_error *error)
{
    uint8_t bytes[KEY_SIZE];
    int status = create ? key_make(path, bytes, error) : -EEXIST;

    if (status == -EEXIST) {
        status = key_read(path, bytes, error);
    }
    if (status != DL_OK) {
        goto out;
    }
    status = key_create(ret_key, bytes);
    if (status != DL_OK) {
        dl_error_set(error, status, "%s: the key cannot be used: %s", path, dl_strerror(status));
    }
out:
    explicit_bzero(bytes, sizeof(bytes));
    return status;
}

void key_destroy(struct key *key)
{
    if (!key) {
        return;
    }
    digest_hmac_destroy(key->hmac);
    explicit_bzero(key, sizeof(*key));
    free(key);
}

const char *key_epoch(const struct key *key)
{
    return key->epoch;
}

static uint64_t pseudonym_make(struct key *key, const void *bytes, size_t length)
{
    uint8_t hash[DIGEST_SIZE];

    digest_hmac(key->hmac, bytes, length, hash);
    struct cursor cursor = cursor_init(hash, sizeof(hash));
    return cursor_u64(&cursor);
}

uint64_t key_pseudonym(struct key *key, const struct address *address)
{
    bool v4 = address_is_v4(address);
    uint64_t words[2];

    memcpy(words, address->bytes, sizeof(words));
    words[1] = v4 ? words[1] : 0; /* an IPv6 line is its first half */
    uint64_t mixed = (words[0] ^ words[1]) * UINT64_C(0x9e3779b97f4a7c15);
    struct known *known = &key->known[mixed >> (64 - KNOWN_SHIFT)];
    bool none = words[0] == 0 && words[1] == 0; /* as a free place */
    if (none || known->words[0] != words[0] || known->words[1] != words[1]) {
        uint64_t pseudonym = pseudonym_make(key, address->bytes + (v4 ? 12 : 0), v4 ? 4 : 8);
        *known = (struct known){{words[0], words[1]}, pseudonym};
    }
    return known->pseudonym;
}

uint64_t key_pseudonym_of_name(struct key *key, const char *name, size_t length)
{
    uint8_t bytes[5 + KEY_NAME_MAX] = "name ";

    length = length < KEY_NAME_MAX ? length : KEY_NAME_MAX;
    memcpy(bytes + 5, name, length);
    return pseudonym_make(key, bytes, 5 + length);
}

char *key_pseudonym_text(const char *epoch, uint64_t pseudonym, char text[KEY_PSEUDONYM_TEXT_SIZE])
{
    snprintf(text, KEY_PSEUDONYM_TEXT_SIZE, "%.8s-%016" PRIx64, epoch, pseudonym);
    return text;
}
