// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MIN_OF(a, b)        ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b)        ((a) > (b) ? (a) : (b))
