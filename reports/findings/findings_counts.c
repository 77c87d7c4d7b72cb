// SPDX-License-Identifier: GPL-3.0-or-later
/* What was only counted, and what was not understood or lost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"

#define LIST_MAX 4096u /* protocols, kinds of notes: nDPI has some hundreds */

struct counting {
    struct findings_inner *inner;
    struct findings_uncatalogued *protocols;
    struct findings_note *notes;
    size_t protocol_count, note_count;
};

static bool is_wanted(const struct findings_inner *inner, uint32_t input)
{
    const struct findings *findings = inner->findings;
    const char *carrier = findings->options->carrier;

    return !carrier || strcmp(findings->lines[inner->input_lines[input - 1]].carrier, carrier) == 0;
}

/* An hour of fewer clients than the floor is not among them. */
static int add_count(void *context, const struct hour_count *count)
{
    struct counting *counting = context;
    struct findings_inner *inner = counting->inner;
    const struct findings *findings = inner->findings;
    const struct findings_options *options = findings->options;
    const struct findings_line *line = &findings->lines[inner->input_lines[count->input - 1]];
    size_t i = 0;

    if (!is_wanted(inner, count->input) || (line->has_floor && count->clients < findings->floor) ||
        count->hour_us + FINDINGS_HOUR_US <= options->since_us ||
        (options->until_us && count->hour_us >= options->until_us))
        return DL_OK;
    while (i < counting->protocol_count &&
           strcmp(counting->protocols[i].protocol, count->protocol) != 0)
        i++;
    if (i == LIST_MAX)
        return DL_OK;
    struct findings_uncatalogued *protocol = &counting->protocols[i];
    if (i == counting->protocol_count) {
        protocol->protocol = memory_text(&inner->memory, count->protocol);
        if (!protocol->protocol)
            return -ENOMEM;
        counting->protocol_count++;
    }
    protocol->flows += count->flows;
    for (size_t stage = 0; stage < ARRAY_LENGTH(count->failed); stage++)
        protocol->failed += count->failed[stage];
    return DL_OK;
}

static int add_note(void *context, uint32_t input, const char *kind, uint64_t count)
{
    struct counting *counting = context;
    size_t i = 0;

    if (!is_wanted(counting->inner, input))
        return DL_OK;
    while (i < counting->note_count && strcmp(counting->notes[i].kind, kind) != 0)
        i++;
    if (i == LIST_MAX)
        return DL_OK;
    if (i == counting->note_count) {
        counting->notes[i].kind = memory_text(&counting->inner->memory, kind);
        if (!counting->notes[i].kind)
            return -ENOMEM;
        counting->note_count++;
    }
    counting->notes[i].count += count;
    return DL_OK;
}

static int compare_protocols(const void *left, const void *right)
{
    const struct findings_uncatalogued *a = left, *b = right;

    if (a->flows != b->flows)
        return a->flows > b->flows ? -1 : 1;
    return strcmp(a->protocol, b->protocol);
}

static int compare_notes(const void *left, const void *right)
{
    const struct findings_note *a = left, *b = right;
    return strcmp(a->kind, b->kind);
}

static int keep(struct counting *counting)
{
    struct findings *findings = counting->inner->findings;
    struct memory *memory = &counting->inner->memory;

    qsort(counting->protocols, counting->protocol_count, sizeof(*counting->protocols),
          compare_protocols);
    qsort(counting->notes, counting->note_count, sizeof(*counting->notes), compare_notes);
    findings->uncatalogued =
        memory_array(memory, counting->protocol_count, sizeof(*findings->uncatalogued));
    findings->notes = memory_array(memory, counting->note_count, sizeof(*findings->notes));
    if (!findings->uncatalogued || !findings->notes)
        return -ENOMEM;
    memcpy(findings->uncatalogued, counting->protocols,
           counting->protocol_count * sizeof(*counting->protocols));
    memcpy(findings->notes, counting->notes, counting->note_count * sizeof(*counting->notes));
    findings->uncatalogued_count = counting->protocol_count;
    findings->note_count = counting->note_count;
    return DL_OK;
}

int findings_find_counts(struct findings_inner *inner, struct dl_error *error)
{
    struct counting counting = {.inner = inner};
    struct store_reader *reader = inner->sources.reader;
    int status;

    if (!reader)
        return DL_OK;
    counting.protocols = calloc(LIST_MAX, sizeof(*counting.protocols));
    counting.notes = calloc(LIST_MAX, sizeof(*counting.notes));
    status = counting.protocols && counting.notes ? DL_OK : -ENOMEM;
    if (status == DL_OK)
        status = store_reader_counts(reader, add_count, &counting, error);
    if (status == DL_OK)
        status = store_reader_notes(reader, add_note, &counting, error);
    if (status == DL_OK)
        status = keep(&counting);
    free(counting.protocols);
    free(counting.notes);
    return status;
}
