// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/reporting.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/detect/verdicts.h"
#include "base/log.h"
#include "commands/analysis_run.h"
#include "reports/findings/findings.h"
#include "reports/language/language.h"
#include "reports/publish/publish.h"

#define KIB         1024u
#define CONTACT_MAX 200 /* bytes */

/* ---- options ---- */

void reporting_init(struct reporting *reporting)
{
    *reporting = (struct reporting){.minimum_clients = FINDINGS_MINIMUM_CLIENTS, .language = "en"};
    const struct option_spec specs[REPORTING_SPECS] = {
        {"output", 'o', "DIR", OPTION_TEXT, &reporting->folder,
         "folder of the report; made if it is not there"},
        {"min-clients", 0, "N", OPTION_NUMBER, &reporting->minimum_clients,
         "withhold what fewer clients stand behind (default 3)"},
        {"embargo-until", 0, "DATE", OPTION_TIME, &reporting->embargo_us,
         "mark it as not to be published before"},
        {"draft", 0, NULL, OPTION_FLAG, &reporting->draft, "mark it as a draft"},
        {"contact", 0, "TEXT", OPTION_TEXT, &reporting->contact,
         "where corrections and replies go: printed on the page"},
        {"language", 0, "CODE", OPTION_TEXT, &reporting->language,
         "language of the page: en (default), ur"},
        {"lang", 0, "CODE", OPTION_TEXT, &reporting->language, "the same as --language"},
        {"no-pictures", 0, NULL, OPTION_FLAG, &reporting->no_pictures,
         "text formats only: no PNG, no PDF"},
        {"bundle", 0, "FILE", OPTION_TEXT, &reporting->bundle,
         "the folder as FILE (.tar.zst) besides"},
        {"sign", 0, "KEY", OPTION_TEXT, &reporting->key,
         "sign the bundle with this minisign secret key"},
        {0}};
    memcpy(reporting->specs, specs, sizeof(specs));
}

static void say_languages(const char *code)
{
    struct buffer list;

    buffer_init(&list, KIB);
    for (size_t i = 0; language_at(i); i++)
        buffer_printf(&list, "%s%s", i ? ", " : "", language_code(language_at(i)));
    log_error("--language: there is no %s; there is %s", code, buffer_text(&list));
    buffer_finish(&list);
}

bool reporting_check(const struct reporting *reporting)
{
    if (reporting->minimum_clients == 0 || reporting->minimum_clients > UINT32_MAX) {
        log_error("--min-clients takes a number from 1 on");
        return false;
    }
    if (!language_find(reporting->language)) {
        say_languages(reporting->language);
        return false;
    }
    if (reporting->contact &&
        (!reporting->contact[0] || strlen(reporting->contact) > CONTACT_MAX)) {
        log_error("--contact takes a text of 1 to %d bytes", CONTACT_MAX);
        return false;
    }
    if (reporting->key && !reporting->bundle) {
        log_error("--sign signs a bundle: --bundle FILE is missing");
        return false;
    }
    return true;
}

/* ---- writing ---- */

static int publish(const struct reporting *reporting, struct findings *findings,
                   struct dl_error *error)
{
    const struct publish_options options = {.folder = reporting->folder,
                                            .language = language_find(reporting->language),
                                            .pictures = !reporting->no_pictures};
    struct publish_result result = {0};
    int status = publish_report(findings, &options, &result, error);

    if (status != DL_OK)
        return status;
    if (result.missing[0])
        log_info("without %s: the report is whole but for what it makes", result.missing);
    log_info("report: %s/index.html (%llu KB, report %s, %zu files)", reporting->folder,
             (unsigned long long)(result.page_bytes + KIB - 1) / KIB, findings->id, result.files);
    if (!reporting->bundle)
        return DL_OK;
    status = publish_bundle(reporting->folder, reporting->bundle, reporting->key, error);
    if (status == DL_OK)
        log_info("bundle: %s%s", reporting->bundle, reporting->key ? ", signed" : "");
    return status;
}

static int write_findings(const struct reporting *reporting, const struct common_options *common,
                          const struct catalog *catalog, struct analysed *analysed,
                          const char *command_line, struct dl_error *error)
{
    const struct findings_options options = {.catalog = catalog,
                                             .since_us = common->since_us,
                                             .until_us = common->until_us,
                                             .minimum_clients =
                                                 (uint32_t)reporting->minimum_clients,
                                             .event = reporting->event,
                                             .carrier = reporting->carrier,
                                             .service = reporting->service,
                                             .contact = reporting->contact,
                                             .draft = reporting->draft,
                                             .embargo_us = reporting->embargo_us,
                                             .command_line = command_line};
    const struct findings_sources sources = {.reader = analysed_reader(analysed),
                                             .document = analysed_document(analysed),
                                             .version = DARKLINE_VERSION,
                                             .rules_version = VERDICTS_RULES_VERSION,
                                             .progress = analysed_progress,
                                             .context = analysed};
    struct findings *findings = NULL;
    int status = findings_create(&findings, &sources, &options, error);

    if (status == DL_OK)
        status = publish(reporting, findings, error);
    log_progress_end();
    findings_destroy(findings);
    return status;
}

int reporting_write(const struct reporting *reporting, const struct common_options *common,
                    const char *const *stores, size_t store_count, const char *command_line)
{
    struct common_options whole = *common;
    struct dl_error error = {0};
    struct analysed *analysed = NULL;
    struct catalog *catalog = common_open_catalog(common);
    int status;

    if (!catalog)
        return EXIT_FAILED;
    whole.since_us = whole.until_us = 0;
    status = analysed_create(&analysed, &whole, catalog, stores, store_count, &error);
    if (status == DL_OK)
        status = write_findings(reporting, common, catalog, analysed, command_line, &error);
    if (status != DL_OK)
        log_error("%s", dl_error_text(&error, status));
    analysed_destroy(analysed);
    catalog_destroy(catalog);
    return status == DL_OK ? EXIT_DONE : EXIT_FAILED;
}

/* ---- the command line ---- */

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A word without folders: "--key=/home/ada/k" becomes "--key=k", "/home/ada" just "DIR". */
static void describe_word(struct buffer *text, const struct reporting *reporting, const char *word)
{
    const char *equals = strchr(word, '='), *value = word;

    if (word[0] == '-' && word[1] == '-')
        value = equals ? equals + 1 : word + strlen(word);
    else if (word[0] == '-' && word[1] != '\0')
        value = word + 2;
    const char *slash = strrchr(value, '/');
    bool folder = is_folder(value) || (reporting->folder && strcmp(value, reporting->folder) == 0);
    const char *name = folder ? "DIR" : slash ? slash + 1 : value;
    buffer_printf(text, " %.*s%s", (int)(value - word), word, name);
}

void reporting_describe(struct buffer *text, const struct reporting *reporting, int argc,
                        char **argv)
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
            describe_word(text, reporting, argv[i]);
        }
    }
}
