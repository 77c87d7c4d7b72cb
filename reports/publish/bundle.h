// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* What bundling and verifying share. Not for others than reports/publish. */
#include "reports/publish/manifest.h"

#define BUNDLE_SIGNER      "minisign"
#define BUNDLE_SIGNER_TIME 60u

/* A file below a folder, opened for reading: a regular one, and no link. -errno in `ret_file`'s stead. */
int bundle_open(int folder, const char *name, FILE **ret_file);
/* Its bytes, at most `maximum`; malloc'ed. DL_OK, DL_LIMIT, -ENOMEM, -EIO, or what opening gave. */
int bundle_read(int folder, const char *name, size_t maximum, char **ret_bytes, size_t *ret_length);
/* The program that signs; DL_NOT_FOUND with what to install. */
int bundle_signer(char *path, size_t size, struct dl_error *error);
