// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A pass over a store with the judge at one's side: each flow with its question, its verdict and
 * its attempt.
 *
 * It begins with a look at all rows: it learns what is ordinary for each server; and an input in
 * which connections go on as if answered while no packet of the server is there holds one direction
 * only, and silence in it says nothing.
 */
#include <stdint.h>

#include "analyzer/judge/judge.h"
#include "store/store.h"

struct judge_pass;

struct judged {
    struct observation flow; /* strings are valid until the next one */
    const struct observation
        *dns; /* the question it followed; NULL for none. Valid until the next one */
    const struct input_record *input;
    struct verdict verdict;
    uint32_t attempt_input; /* the first flow of its attempt */
    uint64_t attempt_packet;
};

/* Only one pass over a reader at a time. `injectors` are the catalog's, and outlive the pass; NULL
 * for none. DL_OK, -ENOMEM, or what reading the store gave. */
int judge_pass_create(struct judge_pass **ret_pass, struct store_reader *reader,
                      const struct store_query *query, const struct injector_table *injectors,
                      struct dl_error *error);
void judge_pass_destroy(struct judge_pass *pass); /* accepts NULL */

/* The next flow, by (start, input, packet): DL_OK, DL_END, or what reading the store gave. */
int judge_pass_next(struct judge_pass *pass, struct judged *ret_judged, struct dl_error *error);
