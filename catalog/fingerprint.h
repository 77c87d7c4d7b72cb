// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Fingerprints of block pages: the catalog's own (catalog/blockpages/) and other people's lists,
 * and the search for them in what a server sent.
 *
 *   fingerprints_create()      an empty set
 *   fingerprints_add_catalog() the catalog's
 *   fingerprints_add_file()    a list: OONI's CSV, Citizen Lab's CSV, Censored Planet's JSON lines
 *   fingerprints_build()       the index and the version; from then on the set is read-only
 *
 * A fingerprint of scope BLOCKPAGE_FALSE_POSITIVE is of what is known to be no block page: a page
 * that has one is no proof, whatever else matches. Patterns are bytes as they are on the wire: a
 * page in another encoding than its pattern, packed with gzip, or with the pattern broken by a
 * chunk's length is not found.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"
#include "base/words.h"
#include "catalog/catalog.h"

#define FINGERPRINT_ID_SIZE      64    /* longer ids are refused */
#define FINGERPRINT_VERSION_SIZE 17    /* 16 hex digits */
#define FINGERPRINT_TEXT_MAX     4096  /* bytes of a pattern */
#define FINGERPRINT_TEXT_LEAST   4     /* shorter ones are in every page */
#define FINGERPRINTS_MAX         50000 /* in one set */

struct fingerprints;

int fingerprints_create(struct fingerprints **ret_set);
void fingerprints_destroy(struct fingerprints *set); /* accepts NULL */

int fingerprints_add_catalog(struct fingerprints *set, const struct catalog *catalog,
                             struct dl_error *error);

struct fingerprint_load {
    size_t added;
    size_t skipped;         /* of kinds not read: regular expressions beyond `.` and `.*`, host
                               names in DNS answers, other header fields, too short patterns */
    size_t not_public;      /* addresses that the judge knows as bogons anyway */
    char first_skipped[64]; /* its name, for a message */
};

/*
 * Adds a list, told by its content. Of JSON lines nothing says what is a false positive but the
 * file's name ("false_positive" in it) or `false_positives`. Errors name the file and the line;
 * the set is then as good as lost. DL_OK, a negated errno, DL_MALFORMED, DL_EMPTY, DL_LIMIT.
 */
int fingerprints_add_file(struct fingerprints *set, const char *path, bool false_positives,
                          struct fingerprint_load *ret_load, struct dl_error *error);

int fingerprints_build(struct fingerprints *set);
size_t fingerprints_count(const struct fingerprints *set);
/* A digest of all of them, in hex: two sets with one version find the same. */
const char *fingerprints_version(const struct fingerprints *set);

/* ---- matching ---- */

struct fingerprint_span { /* a part of the page's bytes; start == end: not there */
    size_t start, end;
};

struct fingerprint_page {
    const uint8_t *bytes; /* what the server sent, from its first byte on */
    size_t length;
    struct fingerprint_span body, title, location, server, via;
};

struct fingerprint_hit {
    const char *id; /* the set's */
    enum blockpage_scope scope;
    enum blockpage_where where; /* what the list asks for */
    const char *false_positive; /* id of one that matched; NULL for none */
};

/*
 * The narrowest scope wins, then the first added. A false positive counts where it matches beside
 * the block page's own bytes. False where no block page is found.
 */
bool fingerprints_match_page(const struct fingerprints *set, const struct fingerprint_page *page,
                             struct fingerprint_hit *ret_hit);
/* An address in a DNS answer. */
bool fingerprints_match_address(const struct fingerprints *set, const struct address *address,
                                struct fingerprint_hit *ret_hit);
