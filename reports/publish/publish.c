// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/publish/publish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/data/data.h"
#include "reports/publish/publish_internal.h"

#define PAGE        "index.html"
#define CONTENT_MAX (256u << 10) /* of what may also lie within the page */

static const struct {
    const char *name, *type;
    bool within; /* may lie within the page */
} kinds[] = {{"events.csv", "text/csv", true},
             {"cells.csv", "text/csv", true},
             {"report.json", "application/json", true},
             {"flows.csv", "text/csv", false},
             {"measurements.jsonl", "application/jsonl", false},
             {"report.schema.json", "application/schema+json", false},
             {"report.pdf", "application/pdf", false}};

/* ---- data files ---- */

static int write_schema(FILE *file, const struct findings *findings)
{
    (void)findings;
    return fputs(report_json_schema, file) < 0 ? -EIO : DL_OK;
}

static int write_data(struct publishing *publishing)
{
    static const struct {
        const char *name;
        int (*write)(FILE *file, const struct findings *findings);
    } files[] = {{"report.json", report_json_write},
                 {"report.schema.json", write_schema},
                 {"events.csv", events_csv_write},
                 {"cells.csv", cells_csv_write}};
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < ARRAY_LENGTH(files); i++) {
        FILE *file = publish_open(publishing, files[i].name, "wxe");
        if (!file)
            return publishing->error ? publishing->error->status : -EIO;
        status = publish_close(publishing, file, files[i].name,
                               files[i].write(file, publishing->findings));
    }
    return status;
}

static int write_flows(struct publishing *publishing)
{
    FILE *csv = publish_open(publishing, "flows.csv", "wxe");
    FILE *ooni = csv ? publish_open(publishing, "measurements.jsonl", "wxe") : NULL;
    int status = -EIO;

    if (ooni)
        status = flows_write(csv, ooni, publishing->findings, publishing->error);
    else if (publishing->error)
        status = publishing->error->status;
    if (ooni) {
        int closed = publish_close(publishing, ooni, "measurements.jsonl", status);
        status = status == DL_OK ? closed : status;
    }
    if (csv) {
        int closed = publish_close(publishing, csv, "flows.csv", status);
        status = status == DL_OK ? closed : status;
    }
    return status;
}

/* ---- the page ---- */

static const char *type_of(const char *name, bool *ret_within)
{
    const char *dot = strrchr(name, '.');

    *ret_within = false;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0) {
            *ret_within = kinds[i].within;
            return kinds[i].type;
        }
    return dot && strcmp(dot, ".png") == 0 ? "image/png" : "image/svg+xml";
}

static char *read_content(struct publishing *publishing, const struct manifest_file *from)
{
    FILE *file = publish_open(publishing, from->name, "re");
    char *content = file ? malloc(from->bytes + 1) : NULL;

    if (content && fread(content, 1, from->bytes, file) != from->bytes) {
        free(content);
        content = NULL;
    }
    if (file)
        fclose(file);
    return content;
}

static int list_files(struct publishing *publishing, struct page_file *files, bool for_print)
{
    for (size_t i = 0; i < publishing->manifest.count; i++) {
        const struct manifest_file *from = &publishing->manifest.files[i];
        bool within;
        files[i] = (struct page_file){
            .name = from->name, .bytes = from->bytes, .type = type_of(from->name, &within)};
        memcpy(files[i].sha256, from->sha256, sizeof(files[i].sha256));
        if (!within || for_print || from->bytes > CONTENT_MAX)
            continue;
        files[i].content = read_content(publishing, from);
        files[i].content_length = from->bytes;
        if (!files[i].content)
            return dl_error_set(publishing->error, -EIO, "%s: %s", from->name, dl_strerror(-EIO));
    }
    return DL_OK;
}

int publish_page(struct publishing *publishing, const char *name, bool for_print)
{
    size_t count = publishing->manifest.count;
    struct page_file *files = calloc(count, sizeof(*files));
    FILE *file = NULL;
    int status;

    manifest_sort(&publishing->manifest);
    status = files ? list_files(publishing, files, for_print) : -ENOMEM;
    if (status == DL_OK && !(file = publish_open(publishing, name, "wxe")))
        status = publishing->error ? publishing->error->status : -EIO;
    if (status == DL_OK) {
        const struct page_options options = {.language = publishing->options->language,
                                             .files = files,
                                             .file_count = count,
                                             .for_print = for_print,
                                             .has_pdf = publishing->result.has_pdf};
        status = page_write(file, publishing->findings, &options);
        if (for_print && fclose(file) != 0 && status == DL_OK)
            status = -EIO;
        else if (!for_print)
            status = publish_close(publishing, file, name, status);
    }
    for (size_t i = 0; files && i < count; i++)
        free((void *)(uintptr_t)files[i].content);
    free(files);
    return status;
}

/* ---- the whole ---- */

static int write_manifest(struct publishing *publishing)
{
    FILE *file = publish_open(publishing, MANIFEST_NAME, "wxe");

    if (!file)
        return publishing->error ? publishing->error->status : -EIO;
    manifest_sort(&publishing->manifest);
    manifest_write(file, &publishing->manifest, publishing->findings);
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return dl_error_set(publishing->error, -EIO, "%s: %s", MANIFEST_NAME, dl_strerror(-EIO));
    return DL_OK;
}

static int make(struct publishing *publishing)
{
    const struct manifest_file *page;
    int status = write_data(publishing);

    if (status == DL_OK)
        status = write_flows(publishing);
    if (status == DL_OK)
        status = publish_charts(publishing);
    if (status == DL_OK)
        status = publish_print(publishing);
    if (status == DL_OK)
        status = publish_page(publishing, PAGE, false);
    if (status == DL_OK)
        status = write_manifest(publishing);
    if (status == DL_OK)
        status = publish_scrub(publishing);
    if (status == DL_OK) {
        page = manifest_find(&publishing->manifest, PAGE);
        publishing->result.page_bytes = page ? page->bytes : 0;
        publishing->result.files = publishing->manifest.count + 1;
        status = publish_move(publishing);
    }
    return status;
}

int publish_report(struct findings *findings, const struct publish_options *options,
                   struct publish_result *ret_result, struct dl_error *error)
{
    struct dl_error own = {0};
    struct publishing publishing = {
        .findings = findings, .options = options, .folder = -1, .error = error ? error : &own};
    char id[FINDINGS_ID_SIZE];
    int status = report_json_id(findings, id);

    if (status == DL_OK) {
        findings_set_id(findings, id);
        status = publish_begin(&publishing);
    } else {
        dl_error_set(error, status, "%s", dl_strerror(status));
    }
    if (status == DL_OK)
        status = make(&publishing);
    if (status == DL_OK && ret_result)
        *ret_result = publishing.result;
    publish_end(&publishing);
    return status;
}
