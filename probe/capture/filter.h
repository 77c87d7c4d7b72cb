// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A BPF expression applied to the frames of files, compiled once for each link type that comes up.
 */
#include <stdbool.h>

#include "base/status.h"
#include "probe/capture/capture.h"

struct filter;

/* DL_USAGE where `text` compiles for no link type at all. */
int filter_create(struct filter **ret_filter, const char *text, struct dl_error *error);
void filter_destroy(struct filter *filter); /* accepts NULL */

/* Does the frame match? One of a link type that the expression makes no sense for does not. */
bool filter_match(struct filter *filter, const struct frame *frame);
