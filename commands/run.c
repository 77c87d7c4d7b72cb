// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/detect/verdicts.h"
#include "base/array.h"
#include "base/cursor.h"
#include "base/log.h"
#include "commands/ingest.h"
#include "commands/reporting.h"

#define STORE_NAME        "flows.store"
#define COMMAND_LINE_MAX  8192
#define APPLICATION_ID_AT 68 /* in an SQLite file */

static const char footer[] =
    "Writes DIR/index.html, the report, and DIR/" STORE_NAME
    ", the observations (darkline flows reads them).\n"
    "A store that an earlier run left there is replaced; its key is kept.\n\n"
    "Exit codes: 0 done; 1 failed, or nothing could be read; 2 wrong usage; 3 done, but input was "
    "damaged or\n"
    "packets were lost.";

static bool make_folder(const char *folder)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path))
        return false;
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return false;
        *at = '/';
    }
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

static bool has_application_id(const char *path, uint32_t id)
{
    uint8_t header[72];
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(header, 1, sizeof(header), file) : 0;
    struct cursor cursor = cursor_init(header, length);

    if (file)
        fclose(file);
    cursor_skip(&cursor, APPLICATION_ID_AT);
    uint32_t found = cursor_u32(&cursor);
    return cursor_ok(&cursor) && found == id;
}

/* The store of an earlier run gives way, so that the report is of these captures and no others; so
 * does what was made of it. */
static void remove_old_store(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[PATH_MAX];
    for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++)
        if (snprintf(name, sizeof(name), "%s%s", path, suffixes[i]) < (int)sizeof(name))
            unlink(name);
    if (snprintf(name, sizeof(name), "%s.verdicts", path) < (int)sizeof(name) &&
        has_application_id(name, VERDICTS_APPLICATION_ID))
        unlink(name);
}

struct run {
    struct common_options common;
    struct ingest_options ingest;
    struct reporting reporting;
};

/* The options and what is left of the words; an exit code, or -1 to go on. */
static int parse(struct run *run, int argc, char **argv, int *ret_first)
{
    common_options_init(&run->common);
    ingest_options_init(&run->ingest);
    reporting_init(&run->reporting);
    const struct option_spec own[] = {{"filter", 'f', "BPF", OPTION_TEXT, &run->ingest.filter,
                                       "only packets that this pcap filter lets through"},
                                      {0}};
    const struct option_spec *const groups[] = {run->reporting.specs, own, run->ingest.specs,
                                                run->common.specs, NULL};
    const char *const titles[] = {"Report", "Packets", "Probe options", "Common options"};
    const struct option_set set = {.usage = "run FILE... -o DIR [options]",
                                   .description =
                                       "Captures in, report out: reads capture files or folders, "
                                       "stores what was seen, and writes a report.",
                                   .groups = groups,
                                   .group_titles = titles,
                                   .footer = footer};
    enum option_result parsed = options_parse(&set, argc, argv, ret_first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&run->common);
    if (*ret_first == argc || !run->reporting.folder) {
        log_error("%s; see darkline run --help", !run->reporting.folder
                                                     ? "-o DIR is missing"
                                                     : "name at least one capture file or folder");
        return EXIT_USAGE;
    }
    if (!common_options_check(&run->common) || !reporting_check(&run->reporting))
        return EXIT_USAGE;
    return -1;
}

/* Puts what the captures hold into the folder's store. */
static int ingest_all(const struct run *run, const char *store, char **files, int count)
{
    int code;
    struct ingest *ingest = ingest_open(&run->ingest, &run->common, store, true, &code);

    if (!ingest)
        return code;
    ingest_files(ingest, (const char *const *)files, (size_t)count);
    return ingest_close(ingest, NULL);
}

int command_run(int argc, char **argv)
{
    struct run run;
    char path[PATH_MAX];
    struct buffer command_line;
    int first, report_code = EXIT_DONE, code = parse(&run, argc, argv, &first);
    const char *folder = run.reporting.folder, *store = path;

    if (code >= 0)
        return code;
    if (!make_folder(folder)) {
        log_error("cannot make the folder %s: %s", folder, strerror(errno));
        return EXIT_FAILED;
    }
    if (snprintf(path, sizeof(path), "%s/" STORE_NAME, folder) >= (int)sizeof(path)) {
        log_error("the folder's name is too long");
        return EXIT_FAILED;
    }
    remove_old_store(store);
    code = ingest_all(&run, store, argv + first, argc - first);
    if (code != EXIT_DONE && code != EXIT_DAMAGED)
        return code;
    buffer_init(&command_line, COMMAND_LINE_MAX);
    reporting_describe(&command_line, &run.reporting, argc, argv);
    report_code =
        reporting_write(&run.reporting, &run.common, &store, 1, buffer_text(&command_line));
    buffer_finish(&command_line);
    return report_code == EXIT_DONE ? code : report_code;
}
