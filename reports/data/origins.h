// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* Where data come from, in one cell: "composed", "field;imported". */
#include "reports/findings/findings.h"

#define ORIGINS_SIZE 64

/* Of the lines of that carrier; of all where none is of it. Returns `text`. */
const char *origins_of_carrier(const struct findings *findings, const char *carrier,
                               char text[ORIGINS_SIZE]);
