// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Status codes: what every fallible function of darkline returns.
 *
 * 0 is success. A failed system call is returned as its errno, negated. What only darkline knows
 * has the codes below, far from any errno. Functions that can say more than a code (which file,
 * which offset) take a `struct dl_error` and fill it through dl_error_set(); it may always be NULL.
 */

enum dl_status {
    DL_OK = 0,
    DL_STATUS_FIRST = -10000,
    DL_END = DL_STATUS_FIRST, /* nothing more to read: not a failure */
    DL_AGAIN,                 /* nothing now, ask again (live capture) */
    DL_TRUNCATED,             /* the input ends in the middle of something */
    DL_MALFORMED,             /* the input contradicts its own format */
    DL_UNSUPPORTED,           /* well-formed, but of a kind we do not read */
    DL_UNKNOWN_FORMAT,        /* not a format we know at all */
    DL_EMPTY,                 /* nothing in it */
    DL_LIMIT,                 /* a configured maximum is reached */
    DL_DUPLICATE,             /* already there */
    DL_NOT_FOUND,             /* not there */
    DL_USAGE,                 /* the caller asked for something that makes no sense */
    DL_CORRUPT,               /* a store or database that is damaged */
    DL_VERSION,               /* made by a newer darkline */
    DL_NO_KEY,                /* the key file is missing, unreadable or too open */
    DL_LIBRARY,               /* a library failed in a way of its own */
    DL_LEAK,                  /* what must stay here would have been published */
    DL_STATUS_LAST = DL_LEAK
};

#define DL_ERROR_SIZE 512

struct dl_error {
    int status;
    char message[DL_ERROR_SIZE];
};

/* A sentence for any status, without a full stop. Never NULL; not thread-specific, not owned. */
const char *dl_strerror(int status);

/*
 * Writes the status and a formatted sentence (which file, which offset, what is wrong; no newline)
 * into `error` if it is not NULL. Returns `status`, so that `return dl_error_set(...)` reads well.
 */
int dl_error_set(struct dl_error *error, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The sentence of `error`, or the one of `status` when none was set. */
const char *dl_error_text(const struct dl_error *error, int status);
