// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.h"
#include "commands/ingest_internal.h"

static int add_files(struct ingest *ingest, const struct option_list *files, bool false_positives,
                     struct dl_error *error)
{
    struct fingerprint_load load;
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < files->count; i++) {
        const char *path = files->items[i];
        status = fingerprints_add_file(ingest->fingerprints, path, false_positives, &load, error);
        if (status != DL_OK)
            break;
        log_debug("%s: %zu fingerprints; %zu addresses that are not public left out", path,
                  load.added, load.not_public);
        if (load.skipped)
            log_info("%s: %zu fingerprints of kinds that are not read, the first is %s", path,
                     load.skipped, load.first_skipped);
    }
    return status;
}

int ingest_open_fingerprints(struct ingest *ingest, struct dl_error *error)
{
    const struct ingest_options *o = ingest->options;
    int status = fingerprints_create(&ingest->fingerprints);

    if (status == DL_OK)
        status = fingerprints_add_catalog(ingest->fingerprints, ingest->catalog, error);
    if (status == DL_OK)
        status = add_files(ingest, &o->fingerprints, false, error);
    if (status == DL_OK)
        status = add_files(ingest, &o->false_positives, true, error);
    if (status == DL_OK)
        status = fingerprints_build(ingest->fingerprints);
    if (status == DL_OK)
        log_debug("%zu fingerprints of block pages, version %s",
                  fingerprints_count(ingest->fingerprints),
                  fingerprints_version(ingest->fingerprints));
    return status;
}
