// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "reports/data/csv.h"
#include "reports/data/data.h"
#include "reports/data/origins.h"

#define LIST_MAX (64u << 10)

static const char head[] =
    "id,class,state,strength,grade,scope,quality,service,service_name,carrier,carrier_name,asn,"
    "country,mechanism,mechanisms,onset_earliest,onset_latest,end_earliest,end_latest,hours_down,"
    "attempts,failures,share,interval_low,interval_high,proven,clients,voices,vantages,"
    "baseline_attempts,baseline_failures,controls,order,campaign,rules,flows,explanation,origin,"
    "draft\r\n";

static void cells_who(struct csv *csv, const struct findings_event *found)
{
    const struct event *event = found->event;

    csv_text(csv, found->id);
    csv_text(csv, event_class_text(event->class));
    csv_text(csv, line_state_text(event->state));
    csv_text(csv, findings_strength_text(found->strength));
    csv_text(csv, event_grade_text(event->grade));
    csv_text(csv, event_scope_text(event->scope));
    csv_count(csv, event->quality);
    csv_text(csv, found->service);
    csv_text(csv, found->service_name);
    csv_text(csv, found->carrier);
    csv_text(csv, found->carrier_name);
    csv_known(csv, event->asn, event->asn != 0);
    csv_text(csv, found->country);
}

/* "tls.reset.sni 62; stream.reset 148" */
static void put_mechanisms(struct csv *csv, const struct findings *findings,
                           const struct findings_event *found, struct buffer *list)
{
    buffer_clear(list);
    for (size_t i = 0; i < found->mechanism_count; i++)
        buffer_printf(list, "%s%s %" PRIu64, i ? "; " : "", found->mechanisms[i].mechanism,
                      found->mechanisms[i].attempts);
    csv_text(csv, found->mechanism_count ? found->mechanisms[0].mechanism
                                         : analysis_mechanism(findings->cells, found->event));
    csv_text(csv, buffer_text(list));
}

static void cells_numbers(struct csv *csv, const struct findings_event *found)
{
    const struct findings_share *share = &found->share;

    csv_hour(csv, found->onset.earliest_us);
    csv_hour_up(csv, found->onset.latest_us);
    csv_hour(csv, found->end.earliest_us);
    csv_hour_up(csv, found->end.latest_us);
    csv_number(csv, found->hours_down);
    csv_count(csv, share->attempts);
    csv_count(csv, share->failures);
    csv_number(csv, share->attempts ? (double)share->failures / (double)share->attempts : NAN);
    csv_number(csv, share->low);
    csv_number(csv, share->high);
    csv_count(csv, found->event->proven);
    csv_count(csv, found->event->clients);
    csv_count(csv, found->event->voices);
    csv_count(csv, found->event->vantages);
    csv_count(csv, found->baseline.attempts);
    csv_count(csv, found->baseline.failures);
}

/* "same-carrier controls: 1 of 176 failed, good; ..." */
static void cell_controls(struct csv *csv, const struct findings_event *found, struct buffer *list)
{
    buffer_clear(list);
    for (size_t i = 0; i < found->control_count; i++) {
        const struct findings_control *control = &found->controls[i];
        buffer_printf(list, "%s%s %s: %" PRIu64 " of %" PRIu64 " failed, %s", i ? "; " : "",
                      control->kind, control->name ? control->name : "", control->share.failures,
                      control->share.attempts, control->verdict);
    }
    csv_text(csv, buffer_text(list));
}

static void cells_links(struct csv *csv, const struct findings *findings,
                        const struct findings_event *found, struct buffer *list)
{
    csv_text(csv, found->order);
    csv_text(csv,
             found->campaign == FINDINGS_NONE ? NULL : findings->campaigns[found->campaign].id);
    buffer_clear(list);
    for (unsigned i = 0; i < found->event->rule_count; i++)
        buffer_printf(list, "%s%s", i ? " " : "", found->event->rules[i]);
    csv_text(csv, buffer_text(list));
    buffer_clear(list);
    for (size_t i = 0; i < found->example_count; i++)
        buffer_printf(list, "%s%s", i ? " " : "", found->examples[i]);
    csv_text(csv, buffer_text(list));
    csv_text(csv, found->event->explanation);
}

int events_csv_write(FILE *file, const struct findings *findings)
{
    struct csv csv = {.file = file};
    struct buffer list;
    char origins[ORIGINS_SIZE];

    buffer_init(&list, LIST_MAX);
    fputs(head, file);
    for (size_t i = 0; i < findings->event_count; i++) {
        const struct findings_event *found = &findings->events[i];
        cells_who(&csv, found);
        put_mechanisms(&csv, findings, found, &list);
        cells_numbers(&csv, found);
        cell_controls(&csv, found, &list);
        cells_links(&csv, findings, found, &list);
        csv_text(&csv, origins_of_carrier(findings, found->carrier, origins));
        csv_text(&csv, findings->options->draft ? "true" : "false");
        csv_end(&csv);
    }
    bool failed = list.failed;
    buffer_finish(&list);
    return failed ? -ENOMEM : ferror(file) ? -EIO : DL_OK;
}
