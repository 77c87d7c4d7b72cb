// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/mechanism.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define KINDS_MAX 64 /* distinct mechanisms of one event; there are fewer words than that */

struct share {
    uint16_t mechanism;
    uint64_t attempts;
};

static int compare_shares(const void *left, const void *right)
{
    const struct share *a = left, *b = right;
    if (a->attempts != b->attempts)
        return a->attempts > b->attempts ? -1 : 1;
    return (a->mechanism > b->mechanism) - (a->mechanism < b->mechanism);
}

void mechanism_split(struct event *event, const struct cells *cells,
                     const struct analysis_places *places, const struct context_window *window)
{
    const char *country = cells_carrier_country(cells, event->carrier);
    struct share shares[KINDS_MAX];
    uint64_t total = 0;
    size_t kinds = 0, count;
    const struct cell_mechanism *item =
        cells_mechanisms(cells, event->carrier, (uint16_t)event->service, &count);

    for (size_t i = 0; i < count; i++) {
        bool slowed = strstr(cells_mechanism(cells, item[i].mechanism), ".throttle") != NULL;
        size_t k = 0;
        if (slowed != (window->kind == SERIES_SLOWED) ||
            !context_covers(places, country, window, item[i].hour_us))
            continue;
        while (k < kinds && shares[k].mechanism != item[i].mechanism)
            k++;
        if (k == KINDS_MAX)
            continue;
        if (k == kinds)
            shares[kinds++] = (struct share){item[i].mechanism, 0};
        shares[k].attempts += item[i].attempts;
        total += item[i].attempts;
    }
    event->mechanism_count = 0;
    event->mechanism = -1;
    if (total == 0)
        return;
    qsort(shares, kinds, sizeof(*shares), compare_shares);
    event->mechanism = shares[0].mechanism;
    for (size_t k = 0; k < MIN_OF(kinds, ANALYSIS_MECHANISMS_MAX); k++) {
        event->mechanisms[k].mechanism = shares[k].mechanism;
        event->mechanisms[k].share = (double)shares[k].attempts / (double)total;
        event->mechanism_count++;
    }
}
