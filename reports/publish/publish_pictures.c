// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "reports/chart/chart.h"
#include "reports/publish/program.h"
#include "reports/publish/publish_internal.h"

#define CONVERTER       "rsvg-convert" /* PNG of SVG */
#define PRINTER         "weasyprint"
#define CONVERT_SECONDS 60u
#define PRINT_SECONDS   300u
#define PICTURE_WIDTH   "1600"
#define AT_ONCE         2
#define FILE_NAME_SIZE  (CHART_NAME_SIZE + 16)
#define PDF             "report.pdf"
/* Where it runs, by a name that is the same on any machine: it goes into the PDF. */
#define HERE "file:///proc/self/cwd/"

/* Without it the report is whole but for that. */
static void note_missing(struct publishing *publishing, const char *what)
{
    char *missing = publishing->result.missing;
    size_t used = strlen(missing), size = sizeof(publishing->result.missing);

    if (!strstr(missing, what))
        snprintf(missing + used, size - used, "%s%s", used ? ", " : "", what);
}

static int64_t epoch_of(const struct publishing *publishing)
{
    return publishing->findings->last_us / CLOCK_SECOND_US;
}

/* ---- SVG ---- */

static int write_chart(struct publishing *publishing, struct chart_ref chart,
                       char name[FILE_NAME_SIZE])
{
    char stem[CHART_NAME_SIZE];
    struct html html = {0};
    FILE *file;

    snprintf(name, FILE_NAME_SIZE, "charts/%s.svg", chart_name(publishing->findings, chart, stem));
    if (!manifest_is_name(name))
        return dl_error_set(publishing->error, DL_LIBRARY, "a chart has no name for a file");
    file = publish_open(publishing, name, "wxe");
    if (!file)
        return publishing->error ? publishing->error->status : -EIO;
    html.file = file;
    chart_write(&html, publishing->findings, publishing->options->language, chart, true);
    return publish_close(publishing, file, name, html.failed ? DL_LIBRARY : DL_OK);
}

/* ---- PNG ---- */

struct conversion {
    struct program_run run;
    char from[FILE_NAME_SIZE], to[FILE_NAME_SIZE];
    bool running;
};

struct conversions {
    struct publishing *publishing;
    char path[256];
    struct conversion slots[AT_ONCE];
    size_t started;
    bool failed;
};

/* A picture that could not be made is told, and nothing to stop at. */
static int end_conversion(struct conversions *all, struct conversion *one)
{
    struct dl_error why = {0};

    if (!one->running)
        return DL_OK;
    one->running = false;
    if (program_wait(&one->run, &why) != DL_OK) {
        all->failed = true;
        note_missing(all->publishing, why.message);
        return DL_OK;
    }
    return publish_add(all->publishing, one->to);
}

static int begin_conversion(struct conversions *all, const char *svg)
{
    struct conversion *one = &all->slots[all->started++ % AT_ONCE];
    int status = end_conversion(all, one);
    struct dl_error why = {0};

    if (status != DL_OK || all->failed)
        return status;
    snprintf(one->from, sizeof(one->from), "%s", svg);
    snprintf(one->to, sizeof(one->to), "%.*s.png", (int)(strlen(svg) - 4), svg);
    const char *const arguments[] = {all->path,
                                     "--width",
                                     PICTURE_WIDTH,
                                     "--keep-aspect-ratio",
                                     "--background-color",
                                     "white",
                                     "--output",
                                     one->to,
                                     one->from,
                                     NULL};
    const struct program program = {.arguments = arguments,
                                    .folder = all->publishing->temporary,
                                    .home = all->publishing->temporary,
                                    .epoch_seconds = epoch_of(all->publishing),
                                    .seconds = CONVERT_SECONDS};
    one->running = program_start(&one->run, &program, &why) == DL_OK;
    if (!one->running) {
        all->failed = true;
        note_missing(all->publishing, why.message);
    }
    return DL_OK;
}

int publish_charts(struct publishing *publishing)
{
    struct conversions all = {.publishing = publishing};
    bool convert = publishing->options->pictures;
    struct chart_ref chart;
    char name[FILE_NAME_SIZE];
    int status = DL_OK;

    if (convert && !program_find(CONVERTER, all.path, sizeof(all.path))) {
        note_missing(publishing, CONVERTER);
        convert = false;
    }
    for (size_t i = 0; status == DL_OK && chart_at(publishing->findings, i, &chart); i++) {
        status = write_chart(publishing, chart, name);
        if (status == DL_OK && convert)
            status = begin_conversion(&all, name);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        int ended = end_conversion(&all, &all.slots[i]);
        status = status == DL_OK ? ended : status;
    }
    publishing->result.has_png = convert && !all.failed;
    return status;
}

/* ---- PDF ---- */

int publish_print(struct publishing *publishing)
{
    char path[256];
    struct dl_error why = {0};
    int status;

    if (!publishing->options->pictures || !publishing->result.has_png)
        return DL_OK;
    if (!program_find(PRINTER, path, sizeof(path))) {
        note_missing(publishing, PRINTER);
        return DL_OK;
    }
    status = publish_page(publishing, PUBLISH_PRINT, true);
    if (status != DL_OK)
        return status;
    const char *const arguments[] = {path, "--quiet", "--base-url", HERE, PUBLISH_PRINT, PDF, NULL};
    const struct program program = {.arguments = arguments,
                                    .folder = publishing->temporary,
                                    .home = publishing->temporary,
                                    .epoch_seconds = epoch_of(publishing),
                                    .seconds = PRINT_SECONDS};
    if (program_call(&program, &why) != DL_OK) {
        note_missing(publishing, why.message);
        return DL_OK;
    }
    publishing->result.has_pdf = true;
    return publish_add(publishing, PDF);
}
