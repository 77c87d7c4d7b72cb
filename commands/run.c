// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/log.h"
#include "commands/ingest.h"
#include "reports/report.h"

#define STORE_NAME "flows.store"

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

/* The store of an earlier run gives way, so that the report is of these captures and no others. */
static void remove_old_store(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[PATH_MAX];
    for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++)
        if (snprintf(name, sizeof(name), "%s%s", path, suffixes[i]) < (int)sizeof(name))
            unlink(name);
}

static int write_report(const char *store_path, const char *folder,
                        const struct common_options *common, const struct catalog *catalog,
                        const char *command_line, uint64_t minimum)
{
    struct dl_error error = {0};
    struct store_reader *reader = NULL;
    const struct report_options options = {.folder = folder,
                                           .command_line = command_line,
                                           .since_us = common->since_us,
                                           .until_us = common->until_us,
                                           .minimum_clients = (uint32_t)minimum,
                                           .catalog = catalog};
    int status = store_reader_open(&reader, &store_path, 1, &error);
    if (status == DL_OK)
        status = report_write(reader, &options, &error);
    store_reader_close(reader);
    if (status != DL_OK) {
        log_error("%s", dl_error_text(&error, status));
        return EXIT_FAILED;
    }
    log_info("report: %s/index.html", folder);
    return EXIT_DONE;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A word without folders: "--key=/home/ada/k" becomes "--key=k", "/home/ada" just "DIR". */
static void describe_word(struct buffer *text, const char *word)
{
    const char *equals = strchr(word, '='), *value = word;
    if (word[0] == '-' && word[1] == '-')
        value = equals ? equals + 1 : word + strlen(word);
    else if (word[0] == '-' && word[1] != '\0')
        value = word + 2;
    const char *slash = strrchr(value, '/');
    const char *name = is_folder(value) ? "DIR" : slash ? slash + 1 : value;
    buffer_printf(text, " %.*s%s", (int)(value - word), word, name);
}

/* The command as the report's reproduce box shows it: without folders and capture filters, which
 * may name a person. */
static void describe_command(struct buffer *text, int argc, char **argv)
{
    bool is_filter = false;
    buffer_append_text(text, "darkline");
    for (int i = 0; i < argc; i++) {
        bool was_filter = is_filter;
        bool short_filter = strncmp(argv[i], "-f", 2) == 0;
        is_filter = !was_filter && (short_filter || strncmp(argv[i], "--f", 3) == 0);
        if (was_filter) {
            buffer_append_text(text, " FILTER");
        } else if (is_filter) {
            bool attached = short_filter ? argv[i][2] != '\0' : strchr(argv[i], '=') != NULL;
            buffer_append_text(text, attached ? " -f FILTER" : " -f");
            is_filter = !attached;
        } else {
            describe_word(text, argv[i]);
        }
    }
}

int command_run(int argc, char **argv)
{
    struct common_options common;
    struct ingest_options ingest_options;
    const char *folder = NULL;
    uint64_t minimum = REPORT_MINIMUM_CLIENTS;
    char store_path[PATH_MAX];
    struct buffer command_line;
    int first, code, report_code = EXIT_DONE;
    common_options_init(&common);
    ingest_options_init(&ingest_options);
    const struct option_spec own[] = {{"output", 'o', "DIR", OPTION_TEXT, &folder,
                                       "folder of the report; made if it is not there"},
                                      {"min-clients", 0, "N", OPTION_NUMBER, &minimum,
                                       "the report withholds rows of fewer clients (default 3)"},
                                      {"filter", 'f', "BPF", OPTION_TEXT, &ingest_options.filter,
                                       "only packets that this pcap filter lets through"},
                                      {0}};
    const struct option_spec *groups[] = {own, ingest_options.specs, common.specs, NULL};
    const char *titles[] = {"Output", "Probe options", "Common options"};
    const struct option_set set = {.usage = "run FILE... -o DIR [options]",
                                   .description =
                                       "Captures in, report out: reads capture files or folders, "
                                       "stores what was seen, and writes a report.",
                                   .groups = groups,
                                   .group_titles = titles,
                                   .footer = footer};
    enum option_result parsed = options_parse(&set, argc, argv, &first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&common);
    if (first == argc || !folder) {
        log_error("%s; see darkline run --help",
                  !folder ? "-o DIR is missing" : "name at least one capture file or folder");
        return EXIT_USAGE;
    }
    if (!common_options_check(&common))
        return EXIT_USAGE;
    if (!common_options_check(&common) || minimum == 0 || minimum > UINT32_MAX) {
        if (minimum == 0 || minimum > UINT32_MAX) /* the other check has spoken for itself */
            log_error("--min-clients takes a number from 1 on");
        return EXIT_USAGE;
    }
    if (!make_folder(folder)) {
        log_error("cannot make the folder %s: %s", folder, strerror(errno));
        return EXIT_FAILED;
    }
    if (snprintf(store_path, sizeof(store_path), "%s/" STORE_NAME, folder) >=
        (int)sizeof(store_path)) {
        log_error("the folder's name is too long");
        return EXIT_FAILED;
    }
    remove_old_store(store_path);
    buffer_init(&command_line, 8192);
    describe_command(&command_line, argc, argv);
    code = ingest_in_child(&ingest_options, &common, store_path, (const char *const *)argv + first,
                           (size_t)(argc - first));
    if (code == EXIT_DONE || code == EXIT_DAMAGED) {
        struct catalog *catalog = common_open_catalog(&common);
        report_code = catalog ? write_report(store_path, folder, &common, catalog,
                                             buffer_text(&command_line), minimum)
                              : EXIT_FAILED;
        catalog_destroy(catalog);
    }
    buffer_finish(&command_line);
    return report_code == EXIT_DONE ? code : report_code;
}
