// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What a process that parses strangers' bytes may still do: read and write what was named here
 * before, and nothing else. Three locks, each of its own:
 *
 *   Landlock      opens only the files named; no TCP, no signals to others (as far as the kernel's
 *                 version goes; where it has none, a debug line says so and the other two hold)
 *   seccomp       no exec, no new process, no ptrace, mount, socket, module, namespace, io_uring,
 *                 no keys typed into a terminal: EPERM (libseccomp; threads are allowed)
 *   capabilities  none, and none to be had again (no_new_privs)
 *
 * What is open stays open. To be entered before threads start: an older thread stays free of
 * Landlock. Builds with a sanitizer have the third lock only: its leak check needs the rest.
 *
 * Sources: landlock(7), Documentation/userspace-api/landlock.rst for versions 1 to 6 of the ABI;
 * seccomp(2); capabilities(7).
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum sandbox_access {
    SANDBOX_READ = 1 << 0,   /* a file */
    SANDBOX_LIST = 1 << 1,   /* the names in a folder */
    SANDBOX_WRITE = 1 << 2,  /* a file that is there */
    SANDBOX_REMOVE = 1 << 3, /* files and empty folders, in a folder */
    SANDBOX_CREATE = 1 << 4, /* files, in a folder */
};

/* A file, or a folder with all beneath it. */
struct sandbox_path {
    const char *path;
    unsigned access; /* enum sandbox_access */
};

/* Which locks hold. */
struct sandbox_state {
    int landlock; /* version of the kernel's ABI, 0 for none */
    bool seccomp;
};

/*
 * Paths that cannot be opened are left out: they could not be opened later either. With
 * `keep_capabilities` those that the process has stay (commands/privilege.h says when).
 * DL_OK also where the kernel has no Landlock or no seccomp (`ret_state` tells); DL_LIBRARY or a
 * negated errno where one is there and refuses: then stop.
 */
int sandbox_enter(const struct sandbox_path *paths, size_t count, bool keep_capabilities,
                  struct sandbox_state *ret_state, struct dl_error *error);
