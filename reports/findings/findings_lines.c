// SPDX-License-Identifier: GPL-3.0-or-later
/* Who watched: the vantages, of the cells and of inputs that gave none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"

/* What tells two vantages apart. A key of its own makes no vantage. */
struct identity {
    const char *carrier, *probe, *country;
    uint32_t asn;
    unsigned network, position, clock, origin;
};

static struct identity identity_of_cell(const struct cell_line *line)
{
    return (struct identity){line->carrier[0] ? line->carrier : "unknown",
                             line->probe_id,
                             line->country,
                             line->asn,
                             line->network,
                             line->position,
                             line->clock,
                             line->origin};
}

static struct identity identity_of_input(const struct vantage *vantage)
{
    return (struct identity){vantage->carrier[0] ? vantage->carrier : "unknown",
                             vantage->probe_id,
                             vantage->country,
                             vantage->asn,
                             vantage->network,
                             vantage->position,
                             vantage->clock,
                             vantage->origin};
}

static struct identity identity_of_line(const struct findings_line *line)
{
    return (struct identity){line->carrier, line->probe_id, line->country, line->asn,
                             line->network, line->position, line->clock,   line->origin};
}

#define ORDER(a, b)                                                                                \
    do {                                                                                           \
        if ((a) != (b))                                                                            \
            return (a) < (b) ? -1 : 1;                                                             \
    } while (0)

static int compare_identities(const struct identity *a, const struct identity *b)
{
    int order = strcmp(a->carrier, b->carrier);

    if (order == 0)
        order = strcmp(a->probe, b->probe);
    if (order != 0)
        return order;
    ORDER(a->origin, b->origin);
    order = strcmp(a->country, b->country);
    if (order != 0)
        return order;
    ORDER(a->asn, b->asn);
    ORDER(a->network, b->network);
    ORDER(a->position, b->position);
    ORDER(a->clock, b->clock);
    return 0;
}

static int compare_lines(const void *left, const void *right)
{
    struct identity a = identity_of_line(left), b = identity_of_line(right);
    return compare_identities(&a, &b);
}

bool findings_is_of_people(enum origin origin)
{
    return origin == ORIGIN_FIELD;
}

static int add_line(struct findings_inner *inner, const struct identity *identity)
{
    struct findings *findings = inner->findings;
    struct findings_line *line = &findings->lines[findings->line_count];

    *line =
        (struct findings_line){.carrier = memory_text(&inner->memory, identity->carrier),
                               .probe_id = memory_text(&inner->memory, identity->probe),
                               .country = memory_text(&inner->memory, identity->country),
                               .carrier_name = findings_carrier_name(inner, identity->carrier),
                               .asn = identity->asn,
                               .network = (enum network_kind)identity->network,
                               .position = (enum position)identity->position,
                               .clock = (enum clock_state)identity->clock,
                               .origin = (enum origin)identity->origin,
                               .has_floor = findings_is_of_people((enum origin)identity->origin)};
    if (!line->carrier || !line->probe_id || !line->country || !line->carrier_name)
        return -ENOMEM;
    findings->line_count++;
    findings->has_origin[identity->origin] = true;
    return DL_OK;
}

/* Sorts them, each once. */
static void sort_lines(struct findings *findings)
{
    size_t kept = 0;

    qsort(findings->lines, findings->line_count, sizeof(*findings->lines), compare_lines);
    for (size_t i = 0; i < findings->line_count; i++)
        if (kept == 0 || compare_lines(&findings->lines[kept - 1], &findings->lines[i]) != 0)
            findings->lines[kept++] = findings->lines[i];
    findings->line_count = kept;
}

static int compare_to_line(const void *key, const void *item)
{
    struct identity other = identity_of_line(item);
    return compare_identities(key, &other);
}

static uint16_t find_line(const struct findings *findings, const struct identity *identity)
{
    const struct findings_line *found =
        bsearch(identity, findings->lines, findings->line_count, sizeof(*found), compare_to_line);
    return (uint16_t)(found - findings->lines);
}

/* ---- when it was watched ---- */

struct stretch {
    uint16_t line;
    int64_t from_us, to_us;
};

static int compare_stretches(const void *left, const void *right)
{
    const struct stretch *a = left, *b = right;
    ORDER(a->line, b->line);
    ORDER(a->from_us, b->from_us);
    ORDER(a->to_us, b->to_us);
    return 0;
}

static void add_watched(struct findings *findings, const struct stretch *stretches, size_t count)
{
    int64_t end_us = 0, watched_us = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_first = i == 0 || stretches[i].line != stretches[i - 1].line;
        int64_t from_us = is_first ? stretches[i].from_us : MAX_OF(stretches[i].from_us, end_us);
        if (is_first) {
            watched_us = 0;
            end_us = INT64_MIN;
        }
        watched_us += MAX_OF(stretches[i].to_us - from_us, 0);
        end_us = MAX_OF(end_us, stretches[i].to_us);
        struct findings_line *line = &findings->lines[stretches[i].line];
        int64_t span = (line->last_us - line->first_us) / FINDINGS_HOUR_US;
        line->watched_hours = (uint64_t)MIN_OF(
            (watched_us + FINDINGS_HOUR_US - 1) / FINDINGS_HOUR_US, MAX_OF(span, 0));
        line->gap_hours = (uint64_t)MAX_OF(span, 0) - line->watched_hours;
    }
}

static int find_watched(struct findings_inner *inner)
{
    const struct analysis_document *document = inner->sources.document;
    struct stretch *stretches = calloc(document->coverage_count + 1, sizeof(*stretches));
    size_t count = 0;

    if (!stretches)
        return -ENOMEM;
    for (size_t i = 0; i < document->coverage_count; i++) {
        const struct coverage_record *coverage = &document->coverage[i];
        if (coverage->link_up && coverage->input >= 1 && coverage->input <= document->input_count)
            stretches[count++] = (struct stretch){inner->input_lines[coverage->input - 1],
                                                  coverage->from_us, coverage->to_us};
    }
    qsort(stretches, count, sizeof(*stretches), compare_stretches);
    add_watched(inner->findings, stretches, count);
    free(stretches);
    return DL_OK;
}

/* ---- all of them ---- */

static void count_input(struct findings_line *line, const struct input_record *input)
{
    line->inputs++;
    line->packets += input->packets;
    line->bytes += input->bytes;
    line->lost += input->lost;
    if (input->last_us == 0)
        return;
    int64_t first_us = findings_hour_down(input->first_us),
            last_us = findings_hour_up(input->last_us);
    line->first_us = line->first_us ? MIN_OF(line->first_us, first_us) : first_us;
    line->last_us = MAX_OF(line->last_us, last_us);
}

static int collect(struct findings_inner *inner, size_t cell_lines)
{
    const struct analysis_document *document = inner->sources.document;
    struct findings *findings = inner->findings;
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < cell_lines; i++) {
        struct identity identity = identity_of_cell(cells_line(findings->cells, (uint16_t)i));
        status = add_line(inner, &identity);
    }
    for (size_t i = 0; status == DL_OK && i < document->input_count; i++) {
        struct identity identity = identity_of_input(&document->inputs[i]->vantage);
        status = add_line(inner, &identity);
    }
    return status;
}

int findings_find_lines(struct findings_inner *inner)
{
    const struct analysis_document *document = inner->sources.document;
    struct findings *findings = inner->findings;
    size_t cell_lines = cells_line_count(findings->cells);
    int status;

    findings->lines =
        memory_array(&inner->memory, cell_lines + document->input_count, sizeof(*findings->lines));
    inner->line_of = memory_array(&inner->memory, cell_lines, sizeof(*inner->line_of));
    inner->line_has_floor = memory_array(&inner->memory, cell_lines, sizeof(bool));
    inner->input_lines =
        memory_array(&inner->memory, document->input_count, sizeof(*inner->input_lines));
    if (!findings->lines || !inner->line_of || !inner->line_has_floor || !inner->input_lines)
        return -ENOMEM;
    status = collect(inner, cell_lines);
    if (status != DL_OK)
        return status;
    sort_lines(findings);
    for (size_t i = 0; i < cell_lines; i++) {
        struct identity identity = identity_of_cell(cells_line(findings->cells, (uint16_t)i));
        inner->line_of[i] = find_line(findings, &identity);
        inner->line_has_floor[i] = findings_is_of_people((enum origin)identity.origin);
    }
    for (size_t i = 0; i < document->input_count; i++) {
        struct identity identity = identity_of_input(&document->inputs[i]->vantage);
        inner->input_lines[i] = find_line(findings, &identity);
        count_input(&findings->lines[inner->input_lines[i]], document->inputs[i]);
    }
    return find_watched(inner);
}
