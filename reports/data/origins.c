// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/data/origins.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"

static const char *join(const bool has[ORIGIN_IMPORTED + 1], char text[ORIGINS_SIZE])
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i <= ORIGIN_IMPORTED; i++)
        if (has[i])
            used += (size_t)snprintf(text + used, ORIGINS_SIZE - used, "%s%s", used ? ";" : "",
                                     word_text(WORD_ORIGIN, i));
    return text;
}

const char *origins_of_carrier(const struct findings *findings, const char *carrier,
                               char text[ORIGINS_SIZE])
{
    bool has[ORIGIN_IMPORTED + 1] = {false}, any = false;

    for (size_t i = 0; carrier && i < findings->line_count; i++) {
        const struct findings_line *line = &findings->lines[i];
        if (strcmp(line->carrier, carrier) == 0) {
            has[MIN_OF(line->origin, ORIGIN_IMPORTED)] = true;
            any = true;
        }
    }
    return join(any ? has : findings->has_origin, text);
}
