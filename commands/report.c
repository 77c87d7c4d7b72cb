// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/report.h"

#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "commands/command.h"

#define COMMAND_LINE_MAX 4096

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* What to type again; folders may name a person and are left out. */
static void describe_command(struct buffer *line, const struct common_options *common,
                             char **stores, int count)
{
    char text[CLOCK_TEXT_SIZE];

    buffer_append_text(line, "darkline report");
    for (int i = 0; i < count; i++)
        buffer_printf(line, " %s", base_name(stores[i]));
    buffer_append_text(line, " -o DIR");
    if (common->since_us)
        buffer_printf(line, " --since %s", clock_format(common->since_us, text));
    if (common->until_us)
        buffer_printf(line, " --until %s", clock_format(common->until_us, text));
}

static int write_report(const struct common_options *common, const char *folder, uint64_t minimum,
                        char **stores, int count)
{
    struct store_reader *reader = NULL;
    struct dl_error error = {0};
    struct buffer line;
    struct catalog *catalog = common_open_catalog(common);
    int status;

    if (!catalog)
        return EXIT_FAILED;
    buffer_init(&line, COMMAND_LINE_MAX);
    describe_command(&line, common, stores, count);
    status = store_reader_open(&reader, (const char *const *)stores, (size_t)count, &error);
    if (status == DL_OK) {
        const struct report_options options = {.folder = folder,
                                               .command_line = buffer_text(&line),
                                               .since_us = common->since_us,
                                               .until_us = common->until_us,
                                               .minimum_clients = (uint32_t)minimum,
                                               .catalog = catalog};
        status = report_write(reader, &options, &error);
        store_reader_close(reader);
    }
    if (status == DL_OK)
        log_info("wrote %s/index.html", folder);
    else
        log_error("%s", dl_error_text(&error, status));
    buffer_finish(&line);
    catalog_destroy(catalog);
    return status == DL_OK ? EXIT_DONE : EXIT_FAILED;
}

int command_report(int argc, char **argv)
{
    struct common_options common;
    const char *folder = NULL;
    uint64_t minimum = REPORT_MINIMUM_CLIENTS;
    int first;

    common_options_init(&common);
    const struct option_spec own[] = {{"output", 'o', "DIR", OPTION_TEXT, &folder,
                                       "where index.html goes; made if it is not there"},
                                      {"min-clients", 0, "N", OPTION_NUMBER, &minimum,
                                       "withhold rows of fewer clients (default 3)"},
                                      {0}};
    const struct option_spec *const groups[] = {own, common.specs, NULL};
    const char *const titles[] = {"Where to", "Common options"};
    const struct option_set set = {.usage = "report STORE... -o DIR [options]",
                                   .description =
                                       "Writes DIR/index.html: one page that needs no network, "
                                       "shows no client, and is the same for the same stores.",
                                   .groups = groups,
                                   .group_titles = titles,
                                   .footer = "Example:\n  darkline report probe.store -o report"};
    enum option_result parsed = options_parse(&set, argc, argv, &first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&common);
    if (!folder || first == argc) {
        log_error("%s; see darkline report --help", folder ? "which STORE?" : "-o DIR is missing");
        return EXIT_USAGE;
    }
    if (!common_options_check(&common))
        return EXIT_USAGE;
    if (minimum == 0 || minimum > UINT32_MAX) {
        log_error("--min-clients takes a number from 1 on");
        return EXIT_USAGE;
    }
    return write_report(&common, folder, minimum, argv + first, argc - first);
}
