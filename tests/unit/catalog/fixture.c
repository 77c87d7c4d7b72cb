// SPDX-License-Identifier: GPL-3.0-or-later
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ftw.h>
#include <unistd.h>

static const char *const rooms[] = {"services", "controls",   "networks", "carriers",
                                    "orders",   "blockpages", "injectors"};

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/darkline-catalog-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        assert_int_equal(mkdir(fixture_path(fixture, rooms[i]), 0700), 0);
    }
    *state = fixture;
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    nftw(fixture->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    catalog_destroy(fixture->catalog);
    free(fixture);
    return 0;
}

const char *fixture_path(struct fixture *fixture, const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    return path;
}

void fixture_write(struct fixture *fixture, const char *name, const char *text)
{
    FILE *file = fopen(fixture_path(fixture, name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_entry(struct fixture *fixture, const char *room, const char *id, const char *head,
                        const char *more)
{
    char text[8192], name[128];

    snprintf(name, sizeof(name), "%s/%s.yaml", room, id);
    snprintf(text, sizeof(text),
             "id: %s\nname: The %s\n%ssources:\n"
             "  - {id: s, title: A document, checked: 2026-11-21}\n%s",
             id, id, head, more);
    fixture_write(fixture, name, text);
}

void fixture_service(struct fixture *fixture, const char *id, const char *more)
{
    write_entry(fixture, "services", id, "class: messaging\noperator: Somebody\nsummary: Words.\n",
                more);
}

void fixture_carrier(struct fixture *fixture, const char *id, const char *more)
{
    write_entry(fixture, "carriers", id, "country: PK\nowner: Somebody\n", more);
}

int fixture_load(struct fixture *fixture)
{
    catalog_destroy(fixture->catalog);
    fixture->catalog = NULL;
    memset(&fixture->error, 0, sizeof(fixture->error));
    fixture->status = catalog_load(&fixture->catalog, fixture->folder, &fixture->error);
    return fixture->status;
}

void fixture_must_load(struct fixture *fixture)
{
    if (fixture_load(fixture) != DL_OK) {
        fail_msg("%s", fixture->error.message);
    }
}

void fixture_must_refuse(struct fixture *fixture, const char *text, const char *other_text)
{
    fixture_load(fixture);
    assert_null(fixture->catalog);
    assert_int_equal(fixture->status, DL_MALFORMED);
    assert_int_equal(fixture->error.status, DL_MALFORMED);
    if (!strstr(fixture->error.message, text) || !strstr(fixture->error.message, other_text)) {
        fail_msg("'%s' has no '%s' or no '%s'", fixture->error.message, text, other_text);
    }
}

const char *fixture_host(struct fixture *fixture, const char *host, enum transport transport,
                         uint16_t port)
{
    struct catalog_match match;

    if (!catalog_match_host(fixture->catalog, host, strlen(host), transport, port, &match)) {
        return "-";
    }
    return catalog_service_at(fixture->catalog, match.service)->id;
}
