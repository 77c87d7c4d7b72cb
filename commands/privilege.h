// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Dropping root, by libcap-ng: another user where there is one (--user, else who called sudo, else
 * the owner of the store's folder), no supplementary groups, no capability left, nothing to be
 * regained.
 */
#include "base/status.h"

/*
 * Called with the interface open. `store_path` and `key_path` (may be NULL) are handed to the new
 * user first. Where all of them say root, it stays root's number with every capability gone. Does
 * nothing for a process that is not root. DL_OK, or DL_LIBRARY / a negated errno: then stop.
 */
int privilege_drop(const char *user, const char *store_path, const char *key_path,
                   struct dl_error *error);
