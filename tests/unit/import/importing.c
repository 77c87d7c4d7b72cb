// SPDX-License-Identifier: GPL-3.0-or-later
#include "importing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"

static const char *path_of(const struct importing *i, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", i->folder, name);
    return path;
}

int importing_setup(void **state)
{
    struct importing *i = calloc(1, sizeof(*i));
    char path[128], catalog[512];
    const char *source = getenv("DARKLINE_SOURCE");

    assert_non_null(i);
    strcpy(i->folder, "/tmp/darkline-import-XXXXXX");
    assert_non_null(mkdtemp(i->folder));
    snprintf(catalog, sizeof(catalog), "%s/catalog", source ? source : ".");
    assert_int_equal(digest_setup(), DL_OK);
    assert_int_equal(catalog_load(&i->catalog, catalog, &i->error), DL_OK);
    assert_int_equal(fingerprints_create(&i->fingerprints), DL_OK);
    assert_int_equal(fingerprints_add_catalog(i->fingerprints, i->catalog, &i->error), DL_OK);
    assert_int_equal(fingerprints_build(i->fingerprints), DL_OK);
    assert_int_equal(key_open(&i->key, path_of(i, "key", path), true, &i->error), DL_OK);
    assert_int_equal(store_open(&i->store, path_of(i, "store", path), NULL, &i->error), DL_OK);
    i->options = (struct import_options){
        .catalog = i->catalog, .fingerprints = i->fingerprints, .key = i->key, .all_names = true};
    *state = i;
    return 0;
}

int importing_teardown(void **state)
{
    struct importing *i = *state;
    static const char *const names[] = {"key", "store", "store-lock", "file"};
    char path[128];

    store_reader_close(i->reader);
    store_close(i->store, NULL);
    key_destroy(i->key);
    fingerprints_destroy(i->fingerprints);
    catalog_destroy(i->catalog);
    for (size_t n = 0; n < 4; n++)
        unlink(path_of(i, names[n], path));
    rmdir(i->folder);
    free(i);
    return 0;
}

int importing_bytes(struct importing *i, const char *format, const void *bytes, size_t length)
{
    char path[128];
    int fd = open(path_of(i, "file", path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_true(write(fd, bytes, length) == (ssize_t)length);
    close(fd);
    return import_file(import_format_find(format), path, i->store, &i->options, &i->counts,
                       i->broken, &i->error);
}

int importing_text(struct importing *i, const char *format, const char *text)
{
    return importing_bytes(i, format, text, strlen(text));
}

static int by_packet(const void *a, const void *b)
{
    const struct observation *first = a, *second = b;
    return (first->packet > second->packet) - (first->packet < second->packet);
}

void importing_read(struct importing *i)
{
    struct store_query query = {.with_evidence = true};
    char path[128];
    const char *paths[] = {path_of(i, "store", path)};

    assert_int_equal(store_close(i->store, &i->error), DL_OK);
    i->store = NULL;
    assert_int_equal(store_reader_open(&i->reader, paths, 1, &i->error), DL_OK);
    assert_int_equal(store_reader_begin(i->reader, &query, &i->error), DL_OK);
    while (store_reader_next(i->reader, &i->rows[i->row_count], &i->error) == DL_OK) {
        struct observation *row = &i->rows[i->row_count];
        snprintf(i->texts[i->row_count][0], 256, "%s", row->service);
        snprintf(i->texts[i->row_count][1], 256, "%s", row->host);
        row->service = i->texts[i->row_count][0];
        row->host = i->texts[i->row_count][1];
        i->row_count++;
        assert_true(i->row_count < ROWS_MAX);
    }
    qsort(i->rows, i->row_count, sizeof(i->rows[0]), by_packet);
}

const struct vantage *importing_vantage(const struct importing *i, size_t row)
{
    const struct input_record *input = store_reader_input(i->reader, i->rows[row].input);

    assert_non_null(input);
    assert_true(input->complete);
    return &input->vantage;
}
