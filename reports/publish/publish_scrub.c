// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/judge_pass.h"
#include "reports/publish/publish_internal.h"

#define NAME_SIZE (VANTAGE_TEXT_SIZE + 1)

/* Where nobody lives but the lab. */
static bool is_lab(const struct findings *findings)
{
    return findings->has_origin[ORIGIN_LAB] && !findings->has_origin[ORIGIN_FIELD] &&
           !findings->has_origin[ORIGIN_IMPORTED] && !findings->has_origin[ORIGIN_COMPOSED];
}

static int full_is_fine(int status)
{
    return status == DL_LIMIT ? DL_OK : status;
}

static int know_flow(struct scrub *scrub, const struct judged *judged)
{
    const struct observation *flow = &judged->flow;
    char server[FINDINGS_SERVER_SIZE];
    int status = DL_OK;

    if (flow->client.kind == ENDPOINT_ADDRESS)
        status = scrub_forbid_address(scrub, &flow->client.address);
    else if (flow->client.kind == ENDPOINT_PSEUDONYM)
        status = scrub_forbid_pseudonym(scrub, flow->client.pseudonym);
    status = full_is_fine(status);
    if (status == DL_OK && flow->server.kind == ENDPOINT_PSEUDONYM)
        status = full_is_fine(scrub_forbid_pseudonym(scrub, flow->server.pseudonym));
    if (status == DL_OK && findings_public_server(judged, server)[0])
        status = full_is_fine(scrub_allow(scrub, &flow->server.address));
    return status;
}

/* Who was seen, and which servers may be named. */
static int know_flows(struct scrub *scrub, const struct publishing *publishing)
{
    struct store_reader *reader = publishing->findings->reader;
    const struct store_query query = {.with_evidence = true};
    struct judged *judged = reader ? calloc(1, sizeof(*judged)) : NULL;
    int status = DL_OK;

    if (!reader)
        return DL_OK;
    if (!judged)
        return -ENOMEM;
    status = store_reader_begin(reader, &query, publishing->error);
    while (status == DL_OK) {
        status = store_reader_next(reader, &judged->flow, publishing->error);
        if (status == DL_OK) {
            judged->input = store_reader_input(reader, judged->flow.input);
            status = know_flow(scrub, judged);
        }
    }
    free(judged);
    return status == DL_END ? DL_OK : status;
}

/* The version of a program that measured may look like an address: "ooniprobe 3.1.0.1". */
static int know_versions(struct scrub *scrub, const struct findings *findings)
{
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < findings->line_count; i++) {
        const struct findings_line *line = &findings->lines[i];
        const char *space = strrchr(line->probe_id, ' ');
        struct address address;
        if (line->origin == ORIGIN_IMPORTED && space && strspn(space + 1, "0123456789.") > 0 &&
            address_parse(space + 1, &address) == DL_OK)
            status = full_is_fine(scrub_allow(scrub, &address));
    }
    return status;
}

static int look_at(struct publishing *publishing, struct scrub *scrub, const char *name)
{
    FILE *file = publish_open(publishing, name, "re");
    int status;

    if (!file)
        return publishing->error ? publishing->error->status : -EIO;
    status = scrub_file(scrub, file, name, publishing->error);
    fclose(file);
    return status;
}

int publish_scrub(struct publishing *publishing)
{
    struct scrub *scrub = NULL;
    int status = scrub_create(&scrub, is_lab(publishing->findings));

    if (status == DL_OK)
        status = know_flows(scrub, publishing);
    if (status == DL_OK)
        status = know_versions(scrub, publishing->findings);
    for (size_t i = 0; status == DL_OK && i < publishing->manifest.count; i++)
        status = look_at(publishing, scrub, publishing->manifest.files[i].name);
    if (status == DL_OK)
        status = look_at(publishing, scrub, MANIFEST_NAME);
    if (status == DL_OK && publishing->result.has_pdf) /* what is packed within it */
        status = look_at(publishing, scrub, PUBLISH_PRINT);
    scrub_destroy(scrub);
    if (status != DL_OK && (!publishing->error || publishing->error->status != status))
        dl_error_set(publishing->error, status, "%s", dl_strerror(status));
    return status;
}
