// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/geo/files.h"

char folder[64];

int folder_make(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/darkline-geo-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int folder_remove(void **state)
{
    (void)state;
    return rmdir(folder);
}

void write_file(char path[128], const char *name, const void *bytes, size_t length)
{
    FILE *file;

    snprintf(path, 128, "%s/%s", folder, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

int open_bytes(struct geo **ret_geo, const void *bytes, size_t length, struct dl_error *error)
{
    char path[128];
    const char *paths[] = {path};
    int status;

    write_file(path, "made.mmdb", bytes, length);
    status = geo_open(ret_geo, paths, 1, error);
    unlink(path);
    return status;
}

int find(const struct geo *geo, const char *text, struct geo_place *place)
{
    struct address address;

    assert_int_equal(address_parse(text, &address), DL_OK);
    return geo_find(geo, &address, place);
}
