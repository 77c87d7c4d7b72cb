// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What `darkline watch` shows: a store's last minutes as counts, and those counts as lines of text
 * for a screen of any size. Counts alone: no client, no host name, no address is in it, and fewer
 * clients than WATCH_CLIENTS_LEAST are not told.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "catalog/catalog.h"

#define WATCH_SERVICES_MAX   256 /* beyond them: the last row, "others" */
#define WATCH_MECHANISMS_MAX 64
#define WATCH_LINES_MAX      16 /* interfaces that are watched into one store */
#define WATCH_CLIENTS_LEAST  3  /* as in a report */

struct watch_service {
    char id[48];
    uint64_t flows, ok, failed;
    uint64_t clients;
    int64_t last_us;                             /* start of the newest flow */
    uint32_t by_mechanism[WATCH_MECHANISMS_MAX]; /* judge_mechanism_at() */
};

/* An input that is being written, or the newest of a store that nobody writes. */
struct watch_line {
    uint32_t input;
    char name[32];
    char carrier[48];
    bool under_way, link_known, link_up;
    uint64_t packets, lost; /* since the input began */
    double mpps;            /* since the last table, else over the last span; negative: unknown */
    int64_t last_us;        /* newest packet */
};

struct watch_table {
    int64_t from_us, to_us; /* the window; from 0: everything */
    uint64_t flows, ok, failed, clients;
    uint64_t inputs;
    bool clients_cut; /* too many to tell apart: at least so many */
    size_t service_count, line_count;
    struct watch_service services[WATCH_SERVICES_MAX]; /* most failures first */
    struct watch_line lines[WATCH_LINES_MAX];
};

struct watch_query {
    const char *store;
    int64_t since_us, until_us; /* 0: none; then window_us */
    int64_t window_us;          /* before the newest packet; 0: everything */
    const struct injector_table *injectors;
};

/* Reads the store as it is now. `before` (may be NULL) is an earlier table of the same store,
 * `elapsed_us` ago by the wall clock: packets a second come of it. -ENOMEM, or what reading gave. */
int watch_table_read(struct watch_table *ret_table, const struct watch_query *query,
                     const struct watch_table *before, int64_t elapsed_us, struct dl_error *error);

enum watch_style { WATCH_PLAIN, WATCH_HEAD, WATCH_DIM, WATCH_BAD, WATCH_WORSE };

/* One line of the screen, given with its style; `text` is at most `width` columns of ASCII. */
typedef void (*watch_line_fn)(void *context, size_t row, enum watch_style style, const char *text);

/* Lays the table out in `width` columns and `height` rows (0: as many as it takes). `now_us` is what
 * the clock on the screen says, 0 for none. */
void watch_table_draw(const struct watch_table *table, const char *title, int64_t now_us,
                      size_t width, size_t height, watch_line_fn fn, void *context);
