// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A file of `darkline import csv`, through the whole way into a store in memory's place (/dev/shm
 * or /tmp), which must read back whole.
 */
#define FUZZ_FORMAT "csv"
#include "fuzz_import.h"
