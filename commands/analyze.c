// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/places.h"
#include "analyzer/detect/verdicts.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "commands/analysis_text.h"
#include "commands/command.h"

#define PROGRESS_EVERY_US (CLOCK_SECOND_US / 5)
#define TAKEN_BACK_MAX    1024
#define COVERAGE_MAX      (1u << 20)
#define JSON_INDENT       1

struct analyze {
    const struct common_options *common;
    bool as_json;
    struct catalog *catalog;
    struct store_reader *reader;
    struct verdicts *verdicts;
    struct cells *cells;
    struct analysis *analysis;
    const struct input_record **inputs;
    struct coverage_record *coverage;
    size_t coverage_count, coverage_capacity;
    struct analysis_taken_back *taken_back;
    size_t taken_back_count;
    int64_t progress_us;
};

static const char footer[] =
    "Examples:\n"
    "  darkline analyze jazz.store ufone.store\n"
    "  darkline analyze probe.store --json | jq -r '.events[] | [.carrier, .service, .class, "
    ".grade] | @tsv'\n\n"
    "What the judge made of each attempt is kept in STORE.verdicts beside the first store, and "
    "made anew every\n"
    "time; where that folder cannot be written, or with --since or --until, nothing is kept.\n\n"
    "Exit codes: 0 done, whatever was found; 1 failed; 2 wrong usage.";

/* ---- the way to an analysis ---- */

static int on_flows(void *context, uint64_t flows)
{
    struct analyze *run = context;
    int64_t now = clock_monotonic_us();

    if (now - run->progress_us >= PROGRESS_EVERY_US && log_progress_wanted()) {
        run->progress_us = now;
        log_progress("judging: %" PRIu64 " flows", flows);
    }
    return DL_OK;
}

/* Beside the first store (verdicts.h sees to folders that cannot be written). A part of the time is
 * no analysis of the store: it must neither be kept as one nor take one back. NULL: nowhere. */
static const char *verdicts_path(const struct analyze *run, const char *store, char path[PATH_MAX])
{
    if (run->common->since_us || run->common->until_us ||
        snprintf(path, PATH_MAX, "%s.verdicts", store) >= PATH_MAX)
        return NULL;
    return path;
}

static int add_coverage(void *context, const struct coverage_record *coverage)
{
    struct analyze *run = context;

    if (run->coverage_count == COVERAGE_MAX)
        return DL_LIMIT;
    if (run->coverage_count == run->coverage_capacity) {
        size_t capacity = MAX_OF(64, 2 * run->coverage_capacity);
        struct coverage_record *grown = realloc(run->coverage, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        run->coverage = grown;
        run->coverage_capacity = capacity;
    }
    run->coverage[run->coverage_count++] = *coverage;
    return DL_OK;
}

static int add_taken_back(void *context, const char *rules_version, const char *event_id)
{
    struct analyze *run = context;

    for (size_t i = 0; i < run->taken_back_count; i++)
        if (strcmp(run->taken_back[i].event_id, event_id) == 0)
            return DL_OK;
    if (run->taken_back_count == TAKEN_BACK_MAX || analysis_still_says(run->analysis, event_id))
        return DL_OK;
    struct analysis_taken_back *item = &run->taken_back[run->taken_back_count++];
    snprintf(item->rules_version, sizeof(item->rules_version), "%s", rules_version);
    snprintf(item->event_id, sizeof(item->event_id), "%s", event_id);
    return DL_OK;
}

static int list_inputs(struct analyze *run)
{
    uint32_t count = store_reader_input_count(run->reader);

    run->inputs = calloc(MAX_OF(count, 1u), sizeof(*run->inputs));
    run->taken_back = calloc(TAKEN_BACK_MAX, sizeof(*run->taken_back));
    if (!run->inputs || !run->taken_back)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        run->inputs[i] = store_reader_input(run->reader, i + 1);
    return DL_OK;
}

static int find(struct analyze *run, struct dl_error *error)
{
    struct places places = {run->catalog, run->verdicts};
    struct analysis_places answers;
    int status = verdicts_cells(run->verdicts, run->reader, &run->cells, error);

    places_init(&answers, &places);
    if (status == DL_OK)
        status = analysis_run(run->cells, &answers, &run->analysis);
    if (status == DL_OK)
        status = store_reader_coverage(run->reader, add_coverage, run, error);
    if (status == DL_OK)
        status = verdicts_earlier_events(run->verdicts, add_taken_back, run, error);
    if (status == DL_OK)
        status = verdicts_keep_events(run->verdicts, run->analysis, error);
    return status;
}

static int analyse(struct analyze *run, char **stores, size_t count, struct dl_error *error)
{
    char path[PATH_MAX];
    struct verdicts_options options = {.since_us = run->common->since_us,
                                       .until_us = run->common->until_us,
                                       .progress = on_flows,
                                       .context = run};
    int status = store_reader_open(&run->reader, (const char *const *)stores, count, error);

    if (status == DL_OK)
        status = list_inputs(run);
    if (status != DL_OK)
        return status;
    options.path = verdicts_path(run, stores[0], path);
    log_debug("verdicts: %s", options.path ? options.path : "not kept");
    status = verdicts_make(&run->verdicts, run->reader, &options, error);
    log_progress_end();
    if (status != DL_OK)
        return status;
    log_debug("%" PRIu64 " attempts judged", verdicts_count(run->verdicts));
    return find(run, error);
}

/* ---- what is told ---- */

/* DL_OK also where nobody reads standard output any more. */
static int write_result(const struct analyze *run, struct dl_error *error)
{
    const struct analysis_document document = {
        .version = DARKLINE_VERSION,
        .rules_version = VERDICTS_RULES_VERSION,
        .analysis = run->analysis,
        .cells = run->cells,
        .inputs = run->inputs,
        .input_count = store_reader_input_count(run->reader),
        .coverage = run->coverage,
        .coverage_count = run->coverage_count,
        .taken_back = run->taken_back,
        .taken_back_count = run->taken_back_count,
    };
    struct json json;

    errno = 0;
    if (run->as_json) {
        json_init(&json, stdout, JSON_INDENT);
        analysis_write_json(&json, &document);
        json_newline(&json);
    } else {
        analysis_write_text(stdout, &document, run->catalog);
    }
    fflush(stdout);
    int reason = errno ? errno : EIO;
    if (!ferror(stdout) || reason == EPIPE)
        return DL_OK;
    return dl_error_set(error, -reason, "standard output: %s", strerror(reason));
}

static int run_analysis(struct analyze *run, char **stores, size_t count)
{
    struct dl_error error = {0};
    int status;

    run->catalog = common_open_catalog(run->common);
    if (!run->catalog)
        return EXIT_FAILED;
    status = analyse(run, stores, count, &error);
    if (status == DL_OK)
        status = write_result(run, &error);
    if (status != DL_OK)
        log_error("%s", dl_error_text(&error, status));
    analysis_destroy(run->analysis);
    cells_destroy(run->cells);
    verdicts_close(run->verdicts);
    store_reader_close(run->reader);
    catalog_destroy(run->catalog);
    free(run->inputs);
    free(run->coverage);
    free(run->taken_back);
    return status == DL_OK ? EXIT_DONE : EXIT_FAILED;
}

int command_analyze(int argc, char **argv)
{
    struct common_options common;
    struct analyze run = {.common = &common};
    int first;

    common_options_init(&common);
    const struct option_spec own[] = {
        {"json", 0, NULL, OPTION_FLAG, &run.as_json, "one JSON object instead of text"}, {0}};
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
    return run_analysis(&run, argv + first, (size_t)(argc - first));
}
