// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/analysis_run.h"

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

#define PROGRESS_EVERY_US (CLOCK_SECOND_US / 5)
#define TAKEN_BACK_MAX    1024
#define COVERAGE_MAX      (1u << 20)

struct analysed {
    const struct common_options *common;
    const struct catalog *catalog;
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
    struct analysis_document document;
};

int analysed_progress(void *context, uint64_t flows)
{
    struct analysed *run = context;
    int64_t now = clock_monotonic_us();

    if (now - run->progress_us >= PROGRESS_EVERY_US && log_progress_wanted()) {
        run->progress_us = now;
        log_progress("judging: %" PRIu64 " flows", flows);
    }
    return DL_OK;
}

/* Beside the first store (verdicts.h sees to folders that cannot be written). A part of the time is
 * no analysis of the store: it must neither be kept as one nor take one back. NULL: nowhere. */
static const char *verdicts_path(const struct analysed *run, const char *store, char path[PATH_MAX])
{
    if (run->common->since_us || run->common->until_us ||
        snprintf(path, PATH_MAX, "%s.verdicts", store) >= PATH_MAX)
        return NULL;
    return path;
}

static int add_coverage(void *context, const struct coverage_record *coverage)
{
    struct analysed *run = context;

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
    struct analysed *run = context;

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

static int list_inputs(struct analysed *run)
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

static int find(struct analysed *run, struct dl_error *error)
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

static void fill_document(struct analysed *run)
{
    run->document = (struct analysis_document){
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
}

static int analyse(struct analysed *run, const char *const *stores, size_t count,
                   struct dl_error *error)
{
    char path[PATH_MAX];
    struct verdicts_options options = {.since_us = run->common->since_us,
                                       .until_us = run->common->until_us,
                                       .injectors = catalog_injectors(run->catalog),
                                       .progress = analysed_progress,
                                       .context = run};
    int status = store_reader_open(&run->reader, stores, count, error);

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

int analysed_create(struct analysed **ret_analysed, const struct common_options *common,
                    const struct catalog *catalog, const char *const *stores, size_t store_count,
                    struct dl_error *error)
{
    struct analysed *run = calloc(1, sizeof(*run));
    int status;

    if (!run)
        return -ENOMEM;
    run->common = common;
    run->catalog = catalog;
    status = analyse(run, stores, store_count, error);
    if (status != DL_OK) {
        analysed_destroy(run);
        return status;
    }
    fill_document(run);
    *ret_analysed = run;
    return DL_OK;
}

void analysed_destroy(struct analysed *analysed)
{
    if (!analysed)
        return;
    analysis_destroy(analysed->analysis);
    cells_destroy(analysed->cells);
    verdicts_close(analysed->verdicts);
    store_reader_close(analysed->reader);
    free(analysed->inputs);
    free(analysed->coverage);
    free(analysed->taken_back);
    free(analysed);
}

struct store_reader *analysed_reader(const struct analysed *analysed)
{
    return analysed->reader;
}

const struct analysis_document *analysed_document(const struct analysed *analysed)
{
    return &analysed->document;
}
