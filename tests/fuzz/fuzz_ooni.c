// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A file of `darkline import ooni`, as fuzz_csv.c has it.
 */
#define FUZZ_FORMAT "ooni"
#include "fuzz_import.h"
