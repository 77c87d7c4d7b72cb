// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/tor.h"

#include <stddef.h>
#include <string.h>

#define RANDOM_LEAST 8u
#define RANDOM_MOST  20u

static bool is_random_name(const char *name, const char *ending)
{
    if (strncmp(name, "www.", 4) != 0)
        return false;
    size_t length = strspn(name + 4, "abcdefghijklmnopqrstuvwxyz234567");
    return length >= RANDOM_LEAST && length <= RANDOM_MOST &&
           strcmp(name + 4 + length, ending) == 0;
}

bool tor_certificate_fits(const char *subject, const char *issuer)
{
    return is_random_name(subject, ".net") && is_random_name(issuer, ".com");
}
