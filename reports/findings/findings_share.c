// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/findings/findings.h"

#include <stdio.h>

#include "analyzer/detect/stat.h"

const char *findings_strength_text(enum findings_strength strength)
{
    static const char *const texts[] = {"not measurable", "none", "weak", "strong", "confirmed"};

    return texts[strength];
}

struct findings_share findings_share_of(uint64_t failures, uint64_t attempts)
{
    struct stat_interval interval = stat_wilson((double)failures, (double)attempts);

    return (struct findings_share){attempts, failures, interval.low, interval.high};
}

void findings_set_id(struct findings *findings, const char *id)
{
    snprintf(findings->id, sizeof(findings->id), "%s", id);
}
