// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/capture/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/digest.h"
#include "probe/capture/capture.h"

#define MEBIBYTE   (1024u * 1024u)
#define HASH_BLOCK (256u * 1024u)
#define SLOT_EMPTY UINT32_MAX

/* An expansion under way. */
struct expansion {
    struct input_list list;
    size_t room;
    uint32_t *slots; /* open hash of the files by fingerprint: a SHA-256 is its own hash */
    size_t slot_count;
    int last; /* the last problem's status */
    void (*on_problem)(void *context, const char *path, int status, const char *text);
    void *context;
};

static void tell(struct expansion *x, const char *path, int status, const char *text)
{
    x->last = status;
    if (x->on_problem) {
        x->on_problem(x->context, path, status, text ? text : dl_strerror(status));
    }
}

/* Feeds `length` bytes from `offset` on, fewer where the file ends. */
static int digest_range(struct digest *digest, int fd, uint64_t offset, uint64_t length)
{
    int status = DL_OK;
    uint8_t *block = malloc(HASH_BLOCK);
    ssize_t got = block ? 1 : -1;
    errno = block ? 0 : ENOMEM;
    while (length > 0 && got > 0) {
        got = pread(fd, block, (size_t)MIN_OF(length, (uint64_t)HASH_BLOCK), (off_t)offset);
        if (got > 0) {
            digest_update(digest, block, (size_t)got);
            offset += (uint64_t)got;
            length -= (uint64_t)got;
        } else if (got < 0 && errno == EINTR) {
            got = 1;
        }
    }
    if (got < 0) {
        status = -errno;
    }
    free(block);
    return status;
}

/* Opens a regular file; a negated errno or DL_UNSUPPORTED. Never waits for the other end of a pipe.
 */
static int open_regular(const char *path, int *ret_fd, uint64_t *ret_size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    int status = fstat(fd, &st) < 0 ? -errno : DL_OK;
    if (status == DL_OK && !S_ISREG(st.st_mode)) {
        status = DL_UNSUPPORTED;
    }
    if (status == DL_OK) {
        *ret_fd = fd;
        *ret_size = (uint64_t)st.st_size;
    } else {
        close(fd);
    }
    return status;
}

static int begin_digest(struct digest **ret_digest)
{
    int status = digest_setup();
    return status == DL_OK ? digest_create(ret_digest) : status;
}

int input_fingerprint(const char *path, uint64_t *ret_size,
                      uint8_t ret_fingerprint[INPUT_FINGERPRINT_SIZE])
{
    struct digest *digest = NULL;
    int fd = -1;
    uint64_t size = 0;
    int status = open_regular(path, &fd, &size);
    if (status == DL_OK) {
        status = begin_digest(&digest);
    }
    if (status == DL_OK) {
        uint8_t text[8];
        for (unsigned i = 0; i < sizeof(text); i++) {
            text[i] = (uint8_t)(size >> (8 * (sizeof(text) - 1 - i)));
        }
        digest_update(digest, text, sizeof(text));
        /* In a file of less than two MiB the last one begins where the first ends. */
        uint64_t first = MIN_OF(size, (uint64_t)MEBIBYTE);
        uint64_t last = MIN_OF(size - first, (uint64_t)MEBIBYTE);
        status = digest_range(digest, fd, 0, first);
        if (status == DL_OK) {
            status = digest_range(digest, fd, size - last, last);
        }
    }
    if (status == DL_OK) {
        digest_final(digest, ret_fingerprint);
        *ret_size = size;
    }
    digest_destroy(digest);
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

int input_sha256(const char *path, uint8_t ret_hash[32])
{
    struct digest *digest = NULL;
    int fd = -1;
    uint64_t size = 0;
    int status = open_regular(path, &fd, &size);
    if (status == DL_OK) {
        status = begin_digest(&digest);
    }
    if (status == DL_OK) {
        status = digest_range(digest, fd, 0, size);
    }
    if (status == DL_OK) {
        digest_final(digest, ret_hash);
    }
    digest_destroy(digest);
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

/* Where the file with this fingerprint is, or would be. */
static size_t find_slot(const struct expansion *x, const uint8_t *fingerprint)
{
    size_t slot;
    memcpy(&slot, fingerprint, sizeof(slot));
    slot &= x->slot_count - 1;
    while (x->slots[slot] != SLOT_EMPTY && memcmp(x->list.files[x->slots[slot]].fingerprint,
                                                  fingerprint, INPUT_FINGERPRINT_SIZE) != 0) {
        slot = (slot + 1) & (x->slot_count - 1);
    }
    return slot;
}

/* Room for one more file, the slots at most half full. */
static int grow(struct expansion *x)
{
    if (x->list.count < x->room) {
        return DL_OK;
    }
    size_t room = x->room ? x->room * 2 : 64;
    struct input_file *files = reallocarray(x->list.files, room, sizeof(*files));
    if (!files) {
        return -ENOMEM;
    }
    x->list.files = files;
    uint32_t *slots = reallocarray(x->slots, room * 2, sizeof(*slots));
    if (!slots) {
        return -ENOMEM;
    }
    x->slots = slots;
    x->room = room;
    x->slot_count = room * 2;
    memset(slots, 0xff, x->slot_count * sizeof(*slots));
    for (size_t i = 0; i < x->list.count; i++) {
        if (files[i].has_fingerprint) {
            slots[find_slot(x, files[i].fingerprint)] = (uint32_t)i;
        }
    }
    return DL_OK;
}

static bool has_path(const struct expansion *x, const char *path)
{
    bool found = false;
    for (size_t i = 0; i < x->list.count && !found; i++) {
        found = strcmp(x->list.files[i].path, path) == 0;
    }
    return found;
}

/* Adds one file, unless it is there already. A problem is told of; the status is one that ends
 * everything. */
static int add_file(struct expansion *x, const char *path)
{
    struct input_file file = {0};
    bool standard_input = strcmp(path, "-") == 0;
    int status = DL_UNSUPPORTED;
    if (!standard_input) {
        status = input_fingerprint(path, &file.size, file.fingerprint);
    }
    file.has_fingerprint = status == DL_OK;
    if (status != DL_OK && status != DL_UNSUPPORTED) {
        tell(x, path, status, NULL);
        return DL_OK;
    }
    if (x->list.count >= INPUT_LIST_MAX) {
        tell(x, path, DL_LIMIT, "too many captures");
        return DL_LIMIT;
    }
    status = grow(x);
    if (status != DL_OK) {
        return status;
    }
    size_t slot = file.has_fingerprint ? find_slot(x, file.fingerprint) : 0;
    bool twice =
        file.has_fingerprint ? x->slots[slot] != SLOT_EMPTY : standard_input && has_path(x, path);
    if (twice) {
        tell(x, path, DL_DUPLICATE, "the same capture as one before; read once");
        return DL_OK;
    }
    file.path = strdup(path);
    if (!file.path) {
        return -ENOMEM;
    }
    if (file.has_fingerprint) {
        x->slots[slot] = (uint32_t)x->list.count;
    }
    x->list.files[x->list.count++] = file;
    return DL_OK;
}

/* A file of a folder: only if it is a capture. */
static int add_found(struct expansion *x, const char *path)
{
    struct stat st;
    struct capture *capture = NULL;
    struct dl_error problem = {0};
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
        return DL_OK;
    }
    int status = capture_open_file(&capture, path, NULL, &problem);
    capture_close(status == DL_OK ? capture : NULL);
    if (status == DL_OK || status == DL_TRUNCATED || status == DL_UNSUPPORTED) {
        status = add_file(x, path); /* a broken capture is one: reading it will say what is wrong */
    } else if (status == DL_UNKNOWN_FORMAT || status == DL_EMPTY || status == DL_MALFORMED) {
        x->list.passed_over++;
        status = DL_OK;
    } else {
        tell(x, path, status, dl_error_text(&problem, status));
        status = DL_OK;
    }
    return status;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct expansion *x, const char *folder)
{
    struct dirent **entries = NULL;
    size_t before = x->list.count;
    int last_before = x->last;
    int count = scandir(folder, &entries, NULL, by_name);
    if (count < 0) {
        tell(x, folder, -errno, NULL);
        return DL_OK;
    }
    int status = DL_OK;
    bool slash = folder[strlen(folder) - 1] == '/';
    x->last = DL_OK;
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (status == DL_OK &&
            asprintf(&path, "%s%s%s", folder, slash ? "" : "/", entries[i]->d_name) < 0) {
            path = NULL;
            status = -ENOMEM;
        }
        if (path) {
            status = add_found(x, path);
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (x->last == DL_OK) {
        x->last = last_before;
        if (status == DL_OK && x->list.count == before) {
            tell(x, folder, DL_EMPTY, "no captures in this folder");
        }
    }
    return status;
}

static int add_word(struct expansion *x, const char *word)
{
    struct stat st;
    int status = DL_OK;
    if (strcmp(word, "-") == 0) {
        status = add_file(x, word);
    } else if (stat(word, &st) < 0) {
        tell(x, word, -errno, NULL);
    } else if (S_ISDIR(st.st_mode)) {
        status = add_folder(x, word);
    } else {
        status = add_file(x, word);
    }
    return status;
}

int input_list_expand(struct input_list *ret_list, const char *const *words, size_t count,
                      void (*on_problem)(void *context, const char *path, int status,
                                         const char *text),
                      void *context)
{
    struct expansion x = {.on_problem = on_problem, .context = context, .last = DL_EMPTY};
    int status = DL_OK;
    for (size_t i = 0; i < count && status == DL_OK; i++) {
        status = add_word(&x, words[i]);
    }
    if (status == DL_LIMIT) {
        status = DL_OK; /* told of; the files so far are good */
    }
    if (status == DL_OK && x.list.count == 0) {
        status = x.last;
    }
    free(x.slots);
    if (status == DL_OK) {
        *ret_list = x.list;
    } else {
        input_list_finish(&x.list);
    }
    return status;
}

void input_list_finish(struct input_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->files[i].path);
    }
    free(list->files);
    *list = (struct input_list){0};
}
