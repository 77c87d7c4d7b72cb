// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "analyzer/judge/judge_pass.h"
#include "base/array.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "commands/command.h"
#include "commands/flow_format.h"

#define WIDTH_LEAST 80
#define WIDTH_MOST  120
#define WIDTH_FILE  100 /* where standard output is no terminal */

enum flows_form { FORM_TABLE, FORM_JSON, FORM_CSV };

struct flows_job {
    struct store_reader *reader;
    const struct catalog *catalog;
    enum flows_form form;
    size_t width;
    const char *service, *mechanism;
    unsigned outcome;
    bool outcome_given;
    uint64_t written, by_outcome[3];
    bool reader_gone; /* nobody reads standard output any more: the end, and no failure */
};

static const char footer[] = "Examples:\n"
                             "  darkline flows probe.store --outcome failed\n"
                             "  darkline flows probe.store --json | jq -r 'select(.mechanism) | "
                             "[.service, .mechanism] | @tsv'\n\n"
                             "Exit codes: 0 done; 1 failed; 2 wrong usage.";

static size_t terminal_width(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_FILE;
    return MIN_OF(MAX_OF(size.ws_col, WIDTH_LEAST), WIDTH_MOST);
}

/* `tls.reset` means every mechanism that begins so, by whole parts. */
static bool mechanism_fits(const char *mechanism, const char *prefix)
{
    size_t length = strlen(prefix);

    return mechanism && strncmp(mechanism, prefix, length) == 0 &&
           (mechanism[length] == '\0' || mechanism[length] == '.');
}

static bool is_wanted(const struct flows_job *job, const struct judged *judged)
{
    if (job->service && strcmp(judged->flow.service, job->service) != 0)
        return false;
    if (job->mechanism && !mechanism_fits(judged->verdict.mechanism, job->mechanism))
        return false;
    return !job->outcome_given || judged->verdict.outcome == job->outcome;
}

static void write_head(const struct flows_job *job)
{
    if (job->form == FORM_CSV)
        flow_write_csv_head(stdout);
    else if (job->form == FORM_TABLE)
        flow_write_table_head(stdout, job->width);
}

static void write_flow(struct flows_job *job, const struct judged *judged)
{
    struct json json;

    job->written++;
    if (judged->verdict.outcome < ARRAY_LENGTH(job->by_outcome))
        job->by_outcome[judged->verdict.outcome]++;
    if (job->form == FORM_CSV) {
        flow_write_csv(stdout, job->reader, judged);
    } else if (job->form == FORM_TABLE) {
        flow_write_table(stdout, judged, job->width);
    } else {
        json_init(&json, stdout, 0);
        flow_write_json(&json, job->reader, judged);
        json_newline(&json);
    }
}

/* DL_OK while standard output takes what it is given. */
static int check_output(struct flows_job *job, struct dl_error *error)
{
    int reason = errno ? errno : EIO;

    if (!ferror(stdout))
        return DL_OK;
    job->reader_gone = reason == EPIPE;
    return dl_error_set(error, -reason, "standard output: %s", strerror(reason));
}

static int write_all(struct flows_job *job, const struct store_query *query, struct dl_error *error)
{
    struct judge_pass *pass = NULL;
    struct judged judged;
    int status =
        judge_pass_create(&pass, job->reader, query, catalog_injectors(job->catalog), error);

    if (status != DL_OK)
        return status;
    write_head(job);
    while (status == DL_OK) {
        status = judge_pass_next(pass, &judged, error);
        if (status != DL_OK || !is_wanted(job, &judged))
            continue;
        errno = 0;
        write_flow(job, &judged);
        status = check_output(job, error);
    }
    judge_pass_destroy(pass);
    if (status != DL_END)
        return status;
    errno = 0;
    fflush(stdout);
    return check_output(job, error);
}

static int run_job(struct flows_job *job, const struct store_query *query, char **paths,
                   size_t count)
{
    struct dl_error error = {0};
    int status = store_reader_open(&job->reader, (const char *const *)paths, count, &error);

    if (status == DL_OK) {
        setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
        status = write_all(job, query, &error);
        store_reader_close(job->reader);
    }
    if (job->reader_gone)
        return EXIT_DONE;
    if (status != DL_OK) {
        log_error("%s", dl_error_text(&error, status));
        return EXIT_FAILED;
    }
    if (job->form == FORM_TABLE)
        log_info("%" PRIu64 " flows: %" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64 " unknown",
                 job->written, job->by_outcome[OUTCOME_OK], job->by_outcome[OUTCOME_FAILED],
                 job->by_outcome[OUTCOME_UNKNOWN]);
    return EXIT_DONE;
}

static bool usage_is_good(const struct common_options *common, bool as_json, bool as_csv,
                          int stores)
{
    if (as_json && as_csv) {
        log_error("either --json or --csv");
        return false;
    }
    if (stores == 0) {
        log_error("which STORE? see darkline flows --help");
        return false;
    }
    return common_options_check(common);
}

int command_flows(int argc, char **argv)
{
    struct flows_job job = {0};
    struct common_options common;
    bool as_json = false, as_csv = false;
    int first;

    common_options_init(&common);
    const struct option_spec own[] = {
        {"json", 0, NULL, OPTION_FLAG, &as_json, "one JSON object a line"},
        {"csv", 0, NULL, OPTION_FLAG, &as_csv, "comma-separated values with a header line"},
        {"service", 0, "ID", OPTION_TEXT, &job.service, "only flows of this service"},
        {"outcome", 0, "WORD", OPTION_WORD, &job.outcome, "only ok, failed or unknown",
         WORD_OUTCOME, &job.outcome_given},
        {"mechanism", 0, "PATH", OPTION_TEXT, &job.mechanism,
         "only this mechanism, or all below it: tls.reset"},
        {0}};
    const struct option_spec *const groups[] = {own, common.specs, NULL};
    const char *const titles[] = {"Form and choice", "Common options"};
    const struct option_set set = {
        .usage = "flows STORE... [--json | --csv] [options]",
        .description =
            "The observations of one or several stores with their tags and verdicts, by time.",
        .groups = groups,
        .group_titles = titles,
        .footer = footer};
    enum option_result parsed = options_parse(&set, argc, argv, &first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&common);
    if (!usage_is_good(&common, as_json, as_csv, argc - first))
        return EXIT_USAGE;
    job.form = as_json ? FORM_JSON : as_csv ? FORM_CSV : FORM_TABLE;
    job.width = terminal_width();
    const struct store_query query = {.since_us = common.since_us, .until_us = common.until_us};
    struct catalog *catalog = common_open_catalog(&common);
    if (!catalog)
        return EXIT_FAILED;
    job.catalog = catalog;
    int code = run_job(&job, &query, argv + first, (size_t)(argc - first));
    catalog_destroy(catalog);
    return code;
}
