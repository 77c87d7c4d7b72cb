// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Lists of fingerprints and the search. The first byte: bit 0, the rest is a page for a fixed list;
 * else it is a list, up to a line of "--", and behind that a page. The list goes through a file
 * without a name.
 */
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/digest.h"
#include "catalog/fingerprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fixed_list[] =
    "{\"fingerprint\":\"b_nat_a\",\"pattern\":\"blocked\"}\n"
    "{\"fingerprint\":\"c_isp_b\",\"pattern\":\"URL .* is bl.cked .* by\"}\n"
    "{\"fingerprint\":\"f_gen_c\",\"pattern\":\"aaaa.*aaab.*aaac\"}\n";

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static int add_bytes(struct fingerprints *set, const void *bytes, size_t length,
                     bool false_positives)
{
    char path[64];
    struct dl_error error = {0};
    struct fingerprint_load load = {0};
    int fd = memfd_create("list", MFD_CLOEXEC);

    check(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int status = fingerprints_add_file(set, path, false_positives, &load, &error);
    check(status == DL_OK || error.message[0]);
    close(fd);
    return status;
}

/* A page of just that size, so that the address sanitizer guards its end. */
static void search(const struct fingerprints *set, const uint8_t *bytes, size_t length)
{
    struct fingerprint_hit hit;
    uint8_t *exact = malloc(length ? length : 1);
    size_t head = length / 3;
    const struct fingerprint_page page = {.bytes = exact,
                                          .length = length,
                                          .body = {head, length},
                                          .title = {head, length - head / 2},
                                          .location = {head / 2, head},
                                          .server = {0, head / 4}};

    check(exact != NULL);
    if (length > 0) {
        memcpy(exact, bytes, length);
    }
    if (fingerprints_match_page(set, &page, &hit)) {
        check(hit.id && strlen(hit.id) > 0 && strlen(hit.id) < FINGERPRINT_ID_SIZE);
        check(hit.scope > BLOCKPAGE_NONE && hit.scope < BLOCKPAGE_FALSE_POSITIVE);
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fingerprints *set = NULL;
    const uint8_t *page = data, *end = data + size;
    int status;

    if (size == 0 || digest_setup() != DL_OK || fingerprints_create(&set) != DL_OK) {
        return 0;
    }
    bool is_page = *data++ & 1;
    if (is_page) {
        page = data;
        status = add_bytes(set, fixed_list, sizeof(fixed_list) - 1, false);
    } else {
        page = memmem(data, size - 1, "\n--\n", 4);
        page = page ? page + 4 : end;
        size_t length = (size_t)(page - data) - (page == end ? 0 : 3);
        status = add_bytes(set, data, length, size % 2);
    }
    if (status == DL_OK && fingerprints_build(set) == DL_OK) {
        search(set, page, (size_t)(end - page));
    }
    fingerprints_destroy(set);
    return 0;
}
