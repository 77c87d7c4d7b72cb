// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A catalog in a temporary folder, written line by line by a test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"
#include "catalog/catalog.h"

struct fixture {
    char folder[64];
    struct catalog *catalog;
    struct dl_error error;
    int status;
};

/* cmocka's setup and teardown: an empty folder with its rooms. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Writes a file below the folder ("services/x.yaml"). */
void fixture_write(struct fixture *fixture, const char *name, const char *text);
/* A service of class messaging with one source `s`, and `more` as the rest of the file. */
void fixture_service(struct fixture *fixture, const char *id, const char *more);
void fixture_carrier(struct fixture *fixture, const char *id, const char *more);
/* The path of a file in the folder, in a buffer that the next call reuses. */
const char *fixture_path(struct fixture *fixture, const char *name);

/* Loads (again); the status and the error stay in the fixture. */
int fixture_load(struct fixture *fixture);
void fixture_must_load(struct fixture *fixture);
/* Loading must fail as malformed, with both texts in the message. */
void fixture_must_refuse(struct fixture *fixture, const char *text, const char *other_text);

/* The id of the service a host leads to; "-" if none. */
const char *fixture_host(struct fixture *fixture, const char *host, enum transport transport,
                         uint16_t port);
