// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Imports the bytes as a file of FUZZ_FORMAT. What is said to be stored must read back, and be
 * judged without a third party unless a block page says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/judge/judge.h"
#include "base/digest.h"
#include "probe/import/import.h"

#define FOLDER_SIZE 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    struct catalog *catalog;
    struct fingerprints *fingerprints;
    struct key *key;
    char folder[FOLDER_SIZE], store[FOLDER_SIZE + 16], key_path[FOLDER_SIZE + 16];
} world;

static void demand(bool condition)
{
    if (!condition)
        abort();
}

static void remove_world(void)
{
    char lock[sizeof(world.store) + 8];

    snprintf(lock, sizeof(lock), "%s-lock", world.store);
    key_destroy(world.key);
    fingerprints_destroy(world.fingerprints);
    catalog_destroy(world.catalog);
    unlink(lock);
    unlink(world.store);
    unlink(world.key_path);
    rmdir(world.folder);
}

static void make_world(void)
{
    snprintf(world.folder, sizeof(world.folder), "%s/darkline-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    demand(mkdtemp(world.folder) != NULL && digest_setup() == DL_OK);
    snprintf(world.store, sizeof(world.store), "%s/store", world.folder);
    snprintf(world.key_path, sizeof(world.key_path), "%s/key", world.folder);
    demand(catalog_load(&world.catalog, DARKLINE_SOURCE_CATALOG_DIR, NULL) == DL_OK);
    demand(fingerprints_create(&world.fingerprints) == DL_OK);
    demand(fingerprints_add_catalog(world.fingerprints, world.catalog, NULL) == DL_OK);
    demand(fingerprints_build(world.fingerprints) == DL_OK);
    demand(key_open(&world.key, world.key_path, true, NULL) == DL_OK);
    atexit(remove_world);
}

static void check_store(uint64_t rows)
{
    const char *paths[] = {world.store};
    const struct store_query query = {.with_evidence = true};
    struct store_reader *reader = NULL;
    struct observation row;
    struct verdict verdict;
    uint64_t count = 0;

    demand(store_reader_open(&reader, paths, 1, NULL) == DL_OK);
    demand(store_reader_begin(reader, &query, NULL) == DL_OK);
    while (store_reader_next(reader, &row, NULL) == DL_OK) {
        const struct judge_context context = {.capture_end_us = 0};
        judge_flow(&row, &context, &verdict);
        demand(row.import.present && row.client.kind == ENDPOINT_PSEUDONYM);
        demand(verdict.attribution != ATTRIBUTION_THIRD_PARTY || row.import.blockpage.id[0]);
        count++;
    }
    demand(count == rows);
    store_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct import_broken broken[IMPORT_NAMED_MAX];
    struct import_counts counts = {0};
    struct dl_error error = {0};
    struct store *store = NULL;
    char path[32];

    if (!world.catalog)
        make_world();
    const struct import_options options = {.catalog = world.catalog,
                                           .fingerprints = world.fingerprints,
                                           .key = world.key,
                                           .all_names = true};
    int fd = memfd_create("import", MFD_CLOEXEC);
    demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    unlink(world.store);
    demand(store_open(&store, world.store, NULL, NULL) == DL_OK);
    int status = import_file(import_format_find(FUZZ_FORMAT), path, store, &options, &counts,
                             broken, &error);
    demand(status == DL_OK || error.message[0]);
    demand(!counts.store_failed);
    demand(counts.broken <= counts.lines);
    demand(store_close(store, NULL) == DL_OK);
    check_store(counts.rows);
    close(fd);
    return 0;
}
