// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "commands/ingest_internal.h"
#include "probe/import/import.h"

#define PROGRESS_EVERY_US (CLOCK_SECOND_US / 5)

struct import_run {
    struct ingest ingest; /* of it: catalog, fingerprints, key, store */
    const struct import_format *format;
    const char *name; /* of the file under way */
    struct import_counts total;
    uint64_t files, skipped, failed, damaged;
    bool interrupted;
    int64_t progress_us;
};

static const char footer[] =
    "Examples:\n"
    "  darkline import ooni 2023-11.jsonl.gz -w kenya.store\n"
    "  darkline import csv attempts.csv -w kenya.store --since 2023-11-01\n\n"
    "OONI: measurements of web_connectivity, telegram, whatsapp, signal, facebook_messenger, tor, "
    "psiphon,\n"
    "dnscheck and stunreachability, one a line, in an array, or as OONI's API gives them. Others "
    "are "
    "counted.\n"
    "CSV: a header names the columns, in any order: start, service and outcome must be there; asn, "
    "country,\n"
    "network, host, server, stage, failure, client and voice may be.\n"
    "Such rows hold no packets: none of them proves that somebody between the ends did it, but for "
    "a "
    "known\n"
    "block page. What they call clients is stored as a pseudonym.\n\n"
    "Exit codes: 0 done; 1 failed, or nothing could be read; 2 wrong usage; 3 done, but lines were "
    "broken or a\n"
    "file damaged.";

static bool on_batch(void *context, uint64_t lines, double share)
{
    struct import_run *run = context;
    int64_t now = clock_monotonic_us();

    if (now - run->progress_us >= PROGRESS_EVERY_US && log_progress_wanted()) {
        run->progress_us = now;
        log_progress("%s: %.0f %%, %" PRIu64 " lines", run->name, share * 100, lines);
    }
    return !ingest_stop_wanted;
}

/* ---- opening ---- */

static int open_parts(struct import_run *run, struct dl_error *error)
{
    struct ingest *ingest = &run->ingest;
    const struct ingest_options *o = ingest->options;
    struct store_create_info info = {.version = DARKLINE_VERSION,
                                     .catalog_version = catalog_version(ingest->catalog)};
    int status = digest_setup();

    if (status == DL_OK && o->watchlist)
        status = catalog_add_watchlist(ingest->catalog, o->watchlist, error);
    if (status == DL_OK)
        status = ingest_open_fingerprints(ingest, error);
    if (status == DL_OK)
        status = store_open(&ingest->store, ingest->store_path, &info, error);
    if (status == DL_OK)
        status = key_open(&ingest->key, ingest->key_path, true, error);
    if (status == DL_OK)
        status = ingest_check_epoch(ingest, error);
    if (status == DL_OK)
        status = store_put_meta(ingest->store, "key_epoch", key_epoch(ingest->key), error);
    if (status == DL_OK)
        status = store_put_meta(ingest->store, "fingerprints",
                                fingerprints_version(ingest->fingerprints), error);
    return status;
}

static int open_run(struct import_run *run, const char *store)
{
    struct ingest *ingest = &run->ingest;
    const char *key = ingest->options->key;
    struct dl_error error = {0};
    int length = snprintf(ingest->store_path, sizeof(ingest->store_path), "%s", store);
    int key_length = snprintf(ingest->key_path, sizeof(ingest->key_path), "%s%s", key ? key : store,
                              key ? "" : ".key");

    if (MAX_OF(length, key_length) >= PATH_MAX) {
        log_error("%.60s...: the name is too long", store);
        return -ENAMETOOLONG;
    }
    ingest->catalog = common_open_catalog(ingest->common);
    if (!ingest->catalog)
        return DL_MALFORMED;
    int status = open_parts(run, &error);
    if (status != DL_OK)
        log_error("%s", dl_error_text(&error, status));
    return status;
}

static int close_run(struct import_run *run)
{
    struct ingest *ingest = &run->ingest;
    struct dl_error error = {0};
    int status = store_close(ingest->store, &error);

    if (status != DL_OK && !ingest->broken)
        log_error("%s", dl_error_text(&error, status));
    ingest_leave(ingest);
    key_destroy(ingest->key);
    fingerprints_destroy(ingest->fingerprints);
    catalog_destroy(ingest->catalog);
    return status;
}

/* ---- files ---- */

static void add_counts(struct import_counts *total, const struct import_counts *one)
{
    total->lines += one->lines;
    total->rows += one->rows;
    total->broken += one->broken;
    total->foreign += one->foreign;
    total->unnamed += one->unnamed;
    total->outside += one->outside;
    total->dropped += one->dropped;
    total->vantages += one->vantages;
}

static void say_broken(const char *path, const struct import_counts *counts,
                       const struct import_broken *broken)
{
    for (uint64_t i = 0; i < MIN_OF(counts->broken, (uint64_t)IMPORT_NAMED_MAX); i++)
        log_warning("%s: line %" PRIu64 ": %s", path, broken[i].line, broken[i].why);
    if (counts->broken > IMPORT_NAMED_MAX)
        log_warning("%s: %" PRIu64 " more broken lines", path, counts->broken - IMPORT_NAMED_MAX);
}

static void import_one(struct import_run *run, const char *path,
                       const struct import_options *options)
{
    struct import_broken broken[IMPORT_NAMED_MAX];
    struct import_counts counts = {0};
    struct dl_error error = {0};

    run->name = strcmp(path, "-") == 0 ? "standard input" : path;
    int status =
        import_file(run->format, path, run->ingest.store, options, &counts, broken, &error);
    log_progress_end();
    add_counts(&run->total, &counts);
    if (status == DL_DUPLICATE) {
        log_info("%s: already in the store, skipped", path);
        run->skipped++;
        return;
    }
    run->interrupted |= status == -EINTR;
    run->ingest.broken |= counts.store_failed;
    if (status != DL_OK && status != -EINTR) {
        log_error("%s", dl_error_text(&error, status));
        run->failed++;
        return;
    }
    say_broken(run->name, &counts, broken);
    if (counts.damage != DL_OK)
        log_warning("%s; what came before is kept", dl_error_text(&error, counts.damage));
    run->damaged += counts.damage != DL_OK;
    run->files++;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void say_result(const struct import_run *run)
{
    const struct import_counts *c = &run->total;

    log_info("%" PRIu64 " file%s, %" PRIu64 " line%s: %" PRIu64 " row%s of %u vantage%s stored; "
             "store: %s",
             run->files, plural(run->files), c->lines, plural(c->lines), c->rows, plural(c->rows),
             c->vantages, plural(c->vantages), run->ingest.store_path);
    if (c->foreign)
        log_info("%" PRIu64 " measurement%s of tests that are not read, or that say nothing",
                 c->foreign, plural(c->foreign));
    if (c->unnamed)
        log_info("%" PRIu64 " target%s of no service that the catalog knows left out (--all-names "
                 "keeps them)",
                 c->unnamed, plural(c->unnamed));
    if (c->outside)
        log_debug("%" PRIu64 " rows outside --since and --until", c->outside);
    if (c->dropped)
        log_warning("%" PRIu64 " rows left out: too many vantages, or targets in one "
                    "measurement",
                    c->dropped);
    if (c->broken)
        log_warning("%" PRIu64 " of %" PRIu64 " lines were broken and left out", c->broken,
                    c->lines);
    if (run->damaged)
        log_warning("%" PRIu64 " file%s damaged; everything before the damage is kept",
                    run->damaged, run->damaged == 1 ? " was" : "s were");
    if (run->interrupted)
        log_warning("interrupted: the file under way will be read anew next time");
}

static int exit_code_of(const struct import_run *run, int closed)
{
    if (closed != DL_OK || run->ingest.broken || run->interrupted ||
        (run->files == 0 && run->skipped == 0))
        return EXIT_FAILED;
    if (run->damaged || run->failed || run->total.broken || run->total.dropped)
        return EXIT_DAMAGED;
    return EXIT_DONE;
}

static int import_all(struct import_run *run, const char *store, const char *const *files,
                      size_t count)
{
    const struct ingest_options *o = run->ingest.options;
    struct dl_error error = {0};
    int status = open_run(run, store);

    if (status == DL_OK) {
        status = ingest_confine(&run->ingest, files, count, NULL, &error);
        if (status != DL_OK)
            log_error("%s", dl_error_text(&error, status));
    }
    if (status != DL_OK) {
        close_run(run);
        return EXIT_FAILED;
    }
    const struct import_options options = {.catalog = run->ingest.catalog,
                                           .fingerprints = run->ingest.fingerprints,
                                           .key = run->ingest.key,
                                           .all_names = o->all_names,
                                           .since_us = run->ingest.common->since_us,
                                           .until_us = run->ingest.common->until_us,
                                           .context = run,
                                           .on_batch = on_batch};
    ingest_watch_signals();
    for (size_t i = 0; i < count && !run->ingest.broken && !ingest_stop_wanted; i++)
        import_one(run, files[i], &options);
    int closed = close_run(run);
    say_result(run);
    return exit_code_of(run, closed);
}

int command_import(int argc, char **argv)
{
    static struct ingest_options ingest_options;
    static struct import_run run;
    static struct common_options common;
    const char *store = NULL;
    int first;

    common_options_init(&common);
    const struct option_spec own[] = {
        {"write", 'w', "STORE", OPTION_TEXT, &store,
         "the store to write into; made if it is not there"},
        {"all-names", 0, NULL, OPTION_FLAG, &ingest_options.all_names,
         "OONI: also keep targets of no service that the catalog knows"},
        {"watchlist", 0, "FILE", OPTION_TEXT, &ingest_options.watchlist,
         "names to keep besides the catalog's: one a line, or a Citizen Lab list"},
        {"fingerprints", 0, "FILE", OPTION_LIST, &ingest_options.fingerprints,
         "block pages besides the catalog's (OONI, Censored Planet, Citizen Lab); may repeat"},
        {"false-positives", 0, "FILE", OPTION_LIST, &ingest_options.false_positives,
         "the same of pages that are no block pages; they count against; may repeat"},
        {"key", 0, "FILE", OPTION_TEXT, &ingest_options.key,
         "key of the pseudonyms (default STORE.key; one for a fleet)"},
        {0}};
    const struct option_spec *const groups[] = {own, common.specs, NULL};
    const char *const titles[] = {"Import options", "Common options"};
    const struct option_set set = {
        .usage = "import ooni|csv FILE... -w STORE [options]",
        .description = "Other people's measurements as observations. A FILE is plain, gzip or "
                       "zstd; - is standard input.",
        .groups = groups,
        .group_titles = titles,
        .footer = footer};
    enum option_result parsed = options_parse(&set, argc, argv, &first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&common);
    run.format = first < argc ? import_format_find(argv[first]) : NULL;
    run.ingest.options = &ingest_options;
    run.ingest.common = &common;
    if (!run.format || first + 1 >= argc || !store) {
        log_error("%s; see darkline import --help", !run.format ? "import what? ooni or csv"
                                                    : !store    ? "-w STORE is missing"
                                                                : "which FILE?");
        return EXIT_USAGE;
    }
    if (!common_options_check(&common))
        return EXIT_USAGE;
    return import_all(&run, store, (const char *const *)argv + first + 1,
                      (size_t)(argc - first - 1));
}
