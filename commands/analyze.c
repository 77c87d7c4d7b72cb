// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "commands/analysis_run.h"
#include "commands/analysis_text.h"

#define JSON_INDENT 1

static const char footer[] =
    "Examples:\n"
    "  darkline analyze jazz.store ufone.store\n"
    "  darkline analyze probe.store --json | jq -r '.events[] | [.carrier, .service, .class, "
    ".grade] | @tsv'\n\n"
    "What the judge made of each attempt is kept in STORE.verdicts beside the first store, and "
    "made anew every\n"
    "time; where that folder cannot be written, or with --since or --until, nothing is kept.\n\n"
    "Exit codes: 0 done, whatever was found; 1 failed; 2 wrong usage.";

/* DL_OK also where nobody reads standard output any more. */
static int write_result(const struct analysis_document *document, const struct catalog *catalog,
                        bool as_json, struct dl_error *error)
{
    struct json json;

    errno = 0;
    if (as_json) {
        json_init(&json, stdout, JSON_INDENT);
        analysis_write_json(&json, document);
        json_newline(&json);
    } else {
        analysis_write_text(stdout, document, catalog);
    }
    fflush(stdout);
    int reason = errno ? errno : EIO;
    if (!ferror(stdout) || reason == EPIPE)
        return DL_OK;
    return dl_error_set(error, -reason, "standard output: %s", strerror(reason));
}

static int run_analysis(const struct common_options *common, bool as_json, char **stores,
                        size_t count)
{
    struct dl_error error = {0};
    struct analysed *analysed = NULL;
    struct catalog *catalog = common_open_catalog(common);
    int status;

    if (!catalog)
        return EXIT_FAILED;
    status =
        analysed_create(&analysed, common, catalog, (const char *const *)stores, count, &error);
    if (status == DL_OK)
        status = write_result(analysed_document(analysed), catalog, as_json, &error);
    if (status != DL_OK)
        log_error("%s", dl_error_text(&error, status));
    analysed_destroy(analysed);
    catalog_destroy(catalog);
    return status == DL_OK ? EXIT_DONE : EXIT_FAILED;
}

int command_analyze(int argc, char **argv)
{
    struct common_options common;
    bool as_json = false;
    int first;

    common_options_init(&common);
    const struct option_spec own[] = {
        {"json", 0, NULL, OPTION_FLAG, &as_json, "one JSON object instead of text"}, {0}};
    const struct option_spec *const groups[] = {own, common.specs, NULL};
    const char *const titles[] = {"Form", "Common options"};
    const struct option_set set = {
        .usage = "analyze STORE... [--json] [options]",
        .description =
            "Events (what stopped working, on which carrier, since when, and how that is known), "
            "campaigns, what was seen of orders, and the state now, from one or several stores "
            "taken together.",
        .groups = groups,
        .group_titles = titles,
        .footer = footer};
    enum option_result parsed = options_parse(&set, argc, argv, &first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&common);
    if (first == argc) {
        log_error("which STORE? see darkline analyze --help");
        return EXIT_USAGE;
    }
    if (!common_options_check(&common))
        return EXIT_USAGE;
    return run_analysis(&common, as_json, argv + first, (size_t)(argc - first));
}
