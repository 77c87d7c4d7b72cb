// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/array.h"
#include "base/log.h"
#include "commands/reporting.h"
#include "reports/publish/publish.h"

#define COMMAND_LINE_MAX 8192
#define WATCH_MOST       86400u /* seconds */

struct report {
    struct common_options common;
    struct reporting reporting;
    const char *verify, *public_key;
    uint64_t watch; /* seconds; 0: once */
};

static const char footer[] =
    "DIR/ holds index.html (one page that needs no network and no scripts) and beside it the "
    "numbers "
    "behind it:\n"
    "report.json, events.csv, cells.csv, flows.csv, measurements.jsonl, charts/, report.pdf, and "
    "MANIFEST with\n"
    "their SHA-256. No client is in any of them, times are hours, and the same stores give the "
    "same "
    "files.\n\n"
    "Examples:\n"
    "  darkline report jazz.store ufone.store -o report\n"
    "  darkline report probe.store -o report --carrier jazz --since 2015-11-01 --until 2016-01-01\n"
    "  darkline report probe.store -o report --bundle report.tar.zst --sign newsroom.key\n"
    "  darkline report --verify report.tar.zst --public-key newsroom.pub\n"
    "  darkline report live.store -o screen --watch 60\n\n"
    "Exit codes: 0 done, whatever was found; 1 failed, or what --verify looked at is not as its "
    "MANIFEST says;\n"
    "2 wrong usage.";

/* ---- looking at somebody's ---- */

static int verify(const struct report *report)
{
    struct verify_result result = {0};
    struct dl_error error = {0};
    int status = publish_verify(report->verify, report->public_key, &result, &error);

    if (status != DL_OK) {
        log_error("%s", dl_error_text(&error, status));
        return EXIT_FAILED;
    }
    printf("%s: report %s, %zu files as its MANIFEST says; %s\n", report->verify, result.id,
           result.files,
           result.is_signature_checked ? "its signature is good"
           : result.is_signed ? "signed, but without --public-key nobody looked at the signature"
                              : "not signed");
    return EXIT_DONE;
}

/* ---- again and again ---- */

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

struct stamp { /* of a file; what is not there is all zero */
    off_t size;
    struct timespec changed;
};

/* A store grows in its log first. */
static void stamp_stores(char **stores, size_t count, struct stamp *stamps)
{
    static const char *const suffixes[] = {"", "-wal"};

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < ARRAY_LENGTH(suffixes); k++) {
            struct stamp *stamp = &stamps[ARRAY_LENGTH(suffixes) * i + k];
            char name[4096];
            struct stat info;
            *stamp = (struct stamp){0};
            if (snprintf(name, sizeof(name), "%s%s", stores[i], suffixes[k]) < (int)sizeof(name) &&
                stat(name, &info) == 0) {
                stamp->size = info.st_size;
                stamp->changed = info.st_mtim;
            }
        }
}

static bool have_grown(const struct stamp *before, const struct stamp *now, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (before[i].size != now[i].size || before[i].changed.tv_sec != now[i].changed.tv_sec ||
            before[i].changed.tv_nsec != now[i].changed.tv_nsec)
            return true;
    return false;
}

static void wait_seconds(uint64_t seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};

    while (!stopped && nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

/* Until SIGINT or SIGTERM. A pass that fails is told, and the page stays as it was; the first must not. */
static int watch(const struct report *report, char **stores, size_t count, const char *command)
{
    const struct sigaction action = {.sa_handler = on_signal};
    struct stamp *before = calloc(4 * count, sizeof(*before)), *now = before + 2 * count;
    int code = EXIT_FAILED;

    if (!before) {
        log_error("%s", dl_strerror(-ENOMEM));
        return EXIT_FAILED;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    for (bool first = true; !stopped; first = false) {
        stamp_stores(stores, count, now);
        if (first || have_grown(before, now, 2 * count)) {
            memcpy(before, now, 2 * count * sizeof(*before));
            code = reporting_write(&report->reporting, &report->common, (const char *const *)stores,
                                   count, command);
            if (first && code != EXIT_DONE)
                break;
        } else {
            log_info("nothing new");
        }
        wait_seconds(report->watch);
    }
    free(before);
    return stopped ? EXIT_DONE : code;
}

/* ---- the command ---- */

static bool check(const struct report *report, int operands)
{
    if (report->verify) {
        if (operands == 0 && !report->reporting.folder && !report->watch)
            return true;
        log_error("--verify PATH goes with --public-key alone");
        return false;
    }
    if (report->public_key) {
        log_error("--public-key goes with --verify PATH");
        return false;
    }
    if (!report->reporting.folder || operands == 0) {
        log_error("%s; see darkline report --help",
                  report->reporting.folder ? "which STORE?" : "-o DIR is missing");
        return false;
    }
    if (report->watch > WATCH_MOST || (report->watch && report->reporting.bundle)) {
        log_error(report->reporting.bundle ? "--watch makes no bundles"
                                           : "--watch takes seconds, a day at most");
        return false;
    }
    return common_options_check(&report->common) && reporting_check(&report->reporting);
}

static int write_report(struct report *report, int argc, char **argv, int first)
{
    char **stores = argv + first;
    size_t count = (size_t)(argc - first);
    struct buffer line;
    int code;

    buffer_init(&line, COMMAND_LINE_MAX);
    reporting_describe(&line, &report->reporting, argc, argv);
    if (report->watch) {
        report->reporting.no_pictures = true;
        code = watch(report, stores, count, buffer_text(&line));
    } else {
        code = reporting_write(&report->reporting, &report->common, (const char *const *)stores,
                               count, buffer_text(&line));
    }
    buffer_finish(&line);
    return code;
}

int command_report(int argc, char **argv)
{
    struct report report = {.verify = NULL};
    int first;

    common_options_init(&report.common);
    reporting_init(&report.reporting);
    const struct option_spec only[] = {
        {"event", 0, "ID", OPTION_TEXT, &report.reporting.event, "only this event"},
        {"carrier", 0, "ID", OPTION_TEXT, &report.reporting.carrier,
         "only this carrier (with --since and --until: only that time)"},
        {"service", 0, "ID", OPTION_TEXT, &report.reporting.service,
         "only this service, and the controls"},
        {0}};
    const struct option_spec other[] = {
        {"watch", 0, "SECONDS", OPTION_NUMBER, &report.watch,
         "write it anew whenever a store has grown, until interrupted; text formats only"},
        {"verify", 0, "PATH", OPTION_TEXT, &report.verify,
         "is this folder or bundle what its MANIFEST says?"},
        {"public-key", 0, "KEY", OPTION_TEXT, &report.public_key,
         "and is that signed by this minisign key"},
        {0}};
    const struct option_spec *const groups[] = {report.reporting.specs, only, other,
                                                report.common.specs, NULL};
    const char *const titles[] = {"Report", "Of what", "Other ways", "Common options"};
    const struct option_set set = {
        .usage = "report STORE... -o DIR [options]\n       darkline report --verify PATH "
                 "[--public-key KEY]",
        .description =
            "Writes a report that can be printed: what happened, how sure that is, how it "
            "is known, and every number behind it for other hands.",
        .groups = groups,
        .group_titles = titles,
        .footer = footer};
    enum option_result parsed = options_parse(&set, argc, argv, &first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&report.common);
    if (!check(&report, argc - first))
        return EXIT_USAGE;
    return report.verify ? verify(&report) : write_report(&report, argc, argv, first);
}
