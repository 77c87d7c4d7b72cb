// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What report and run share: the options of a report, and the way from stores to its folder: analysis
 * (analysis_run.h), findings, files (reports/publish).
 *
 * The analysis is always of all the time, however short a period is asked for: what is told of the
 * period rests on what was before it.
 */
#include "base/buffer.h"
#include "commands/command.h"

#define REPORTING_SPECS 11

struct reporting {
    const char *folder;
    uint64_t minimum_clients;
    const char *event, *carrier, *service; /* only these; NULL: all. Options of report alone */
    int64_t embargo_us;
    const char *contact; /* of whoever publishes; NULL: none */
    bool draft, no_pictures;
    const char *language;     /* code */
    const char *bundle, *key; /* FILE.tar.zst and a minisign secret key; NULL: none */
    struct option_spec specs[REPORTING_SPECS];
};

void reporting_init(struct reporting *reporting);
/* Do the values make sense? Says what is wrong; a usage error then. */
bool reporting_check(const struct reporting *reporting);

/* Writes the folder, and the bundle where one is wanted, and says so. An exit code. */
int reporting_write(const struct reporting *reporting, const struct common_options *common,
                    const char *const *stores, size_t store_count, const char *command_line);

/* The command as the report's reproduce box shows it: without folders and capture filters, which
 * may name a person; the report's own folder is DIR. */
void reporting_describe(struct buffer *text, const struct reporting *reporting, int argc,
                        char **argv);
