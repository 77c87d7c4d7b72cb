// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "reports/page.h"

#define PAGE_NAME      "index.html"
#define TEMPORARY_NAME ".index.html.new"
#define TITLE          "darkline: what was seen on the line"

/* Lines until the page is long enough; the rest is told, not shown. */
static void write_lines(struct page *page)
{
    const struct tally *tally = page->tally;
    size_t i = 0;

    while (i < tally->line_count && page->html.bytes < PAGE_BYTES_MAX)
        page_line(page, &tally->lines[i++]);
    if (i < tally->line_count)
        html_elementf(&page->html, "p", "note", "%zu more lines are left out of this page.",
                      tally->line_count - i);
}

static void write_page(struct page *page, FILE *file)
{
    struct html *html = &page->html;

    html_document_begin(
        html, file,
        &(struct html_document){.language = "en", .title = TITLE, .style = page_style});
    html_begin(html, "main");
    page_banner(page);
    html_element(html, "h1", NULL, "What was seen on the line");
    page_headline(page);
    page_limits(page);
    write_lines(page);
    page_notes(page);
    page_inputs(page);
    page_method(page);
    page_reproduce(page);
    html_end(html);
    html_document_end(html);
}

static int make_folder(const char *folder, struct dl_error *error)
{
    struct stat status;

    if (mkdir(folder, 0777) == 0)
        return DL_OK;
    int reason = errno;
    if (reason == EEXIST && stat(folder, &status) == 0 && S_ISDIR(status.st_mode))
        return DL_OK;
    return dl_error_set(error, -reason, "%s: %s", folder, strerror(reason));
}

static FILE *open_temporary(int folder, int *ret_status)
{
    int fd =
        openat(folder, TEMPORARY_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    *ret_status = file ? DL_OK : -errno;
    if (!file && fd >= 0)
        close(fd);
    return file;
}

/* The old page stays until the new one is whole and on the disk. */
static int write_file(struct page *page, const char *name, struct dl_error *error)
{
    int folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = folder >= 0 ? DL_OK : -errno;
    FILE *file = folder >= 0 ? open_temporary(folder, &status) : NULL;

    if (!file)
        goto out;
    errno = 0;
    write_page(page, file);
    if (fflush(file) != 0 || ferror(file) || fsync(fileno(file)) != 0)
        status = errno ? -errno : -EIO;
    if (page->html.failed)
        status = DL_LIBRARY;
    if (fclose(file) != 0 && status == DL_OK)
        status = -errno;
    if (status == DL_OK && renameat(folder, TEMPORARY_NAME, folder, PAGE_NAME) != 0)
        status = -errno;
    if (status != DL_OK)
        unlinkat(folder, TEMPORARY_NAME, 0);
out:
    if (folder >= 0)
        close(folder);
    if (status != DL_OK)
        dl_error_set(error, status, "%s/%s: %s", name, PAGE_NAME, dl_strerror(status));
    return status;
}

int report_write(struct store_reader *reader, const struct report_options *options,
                 struct dl_error *error)
{
    struct tally tally;
    struct page page = {.tally = &tally,
                        .reader = reader,
                        .options = options,
                        .floor = options->minimum_clients ? options->minimum_clients
                                                          : REPORT_MINIMUM_CLIENTS};
    int status = tally_collect(&tally, reader, options, error);

    if (status == DL_OK)
        status = digest_setup();
    if (status == DL_OK)
        status = make_folder(options->folder, error);
    if (status == DL_OK)
        status = write_file(&page, options->folder, error);
    tally_finish(&tally);
    return status;
}
