// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Dropping root, by libcap-ng: another user where there is one (--user, else who called sudo, else
 * the owner of the store's folder), no supplementary groups, no capability left, nothing to be
 * regained.
 *
 * Files, unlike an interface, are opened later. Where that user may not read them all, root's
 * number is kept without its capabilities; where that is not enough either (root reads a third
 * person's captures), CAP_DAC_OVERRIDE stays, and the sandbox says for which files. Not with --user.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "commands/sandbox.h"

struct privilege_wish {
    const char *user;                    /* NULL: as above */
    const char *store_path;              /* handed to the new user, with its files beside */
    const char *key_path, *sorting_path; /* handed over too; may be NULL */
    const struct sandbox_path *inputs;   /* must stay readable */
    size_t input_count;
};

/*
 * Called with the interface open. Does nothing for a process that is not root. `ret_kept`:
 * CAP_DAC_OVERRIDE had to stay. DL_OK, or DL_LIBRARY / a negated errno: then stop.
 */
int privilege_drop(const struct privilege_wish *wish, bool *ret_kept, struct dl_error *error);
