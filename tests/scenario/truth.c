// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "compose.h"

#define TIMES_KEPT    200000u
#define TIMES_WRITTEN 400u

/* An event that is to be found: one happening on one carrier and one service (-1: all). */
struct expected {
    unsigned happening;
    const char *carrier, *country;
    int service;
    double clock_error;     /* seconds; of its first probe */
    uint64_t attempts, met; /* while it holds */
    uint64_t voice_hours;   /* with a met attempt */
    unsigned voices;        /* of the carrier */
    uint32_t *last_hour;    /* of each voice of each probe, with a met attempt; 0 none */
    int64_t last_before_us, first_met_us, last_met_us, first_after_us; /* 0 none */
    int64_t *times_us; /* of attempts since it holds */
    size_t time_count, time_capacity;
};

struct pair {
    uint64_t attempts, met; /* met: by anything that happens */
};

struct truth {
    const struct plan *plan;
    struct expected *expected;
    size_t expected_count;
    struct pair *pairs; /* by probe, service */
};

static void expect(struct truth *truth, unsigned happening, unsigned probe, int service)
{
    const struct plan *plan = truth->plan;
    const struct scenario_probe *from = plan->probes[probe].from;

    for (size_t i = 0; i < truth->expected_count; i++) {
        const struct expected *known = &truth->expected[i];
        if (known->happening == happening && known->service == service &&
            strcmp(known->carrier, from->carrier) == 0) {
            return;
        }
    }
    truth->expected =
        realloc(truth->expected, (truth->expected_count + 1) * sizeof(*truth->expected));
    uint32_t *hours = calloc((size_t)plan->probe_count * SCENARIO_VOICES_MAX, sizeof(*hours));
    if (!truth->expected || !hours) {
        abort();
    }
    truth->expected[truth->expected_count++] = (struct expected){.happening = happening,
                                                                 .carrier = from->carrier,
                                                                 .country = from->country,
                                                                 .service = service,
                                                                 .clock_error = from->clock_error,
                                                                 .last_hour = hours};
}

struct truth *truth_create(const struct plan *plan)
{
    const struct scenario *scenario = plan->scenario;
    struct truth *truth = calloc(1, sizeof(*truth));

    if (!truth) {
        abort();
    }
    truth->plan = plan;
    truth->pairs =
        calloc((size_t)plan->probe_count * scenario->services_count, sizeof(*truth->pairs));
    for (unsigned i = 0; i < scenario->happenings_count; i++) {
        const struct scenario_happening *h = &scenario->happenings[i];
        for (unsigned probe = 0; h->event && probe < plan->probe_count; probe++) {
            if (h->services_count == 0 && plan_concerns(plan, h, probe, NULL)) {
                expect(truth, i, probe, -1);
                continue;
            }
            for (unsigned s = 0; s < scenario->services_count; s++) {
                if (plan_concerns(plan, h, probe, scenario->services[s].id)) {
                    expect(truth, i, probe, (int)s);
                }
            }
        }
    }
    return truth;
}

void truth_destroy(struct truth *truth)
{
    for (size_t i = 0; truth && i < truth->expected_count; i++) {
        free(truth->expected[i].last_hour);
        free(truth->expected[i].times_us);
    }
    if (truth) {
        free(truth->expected);
        free(truth->pairs);
    }
    free(truth);
}

static void keep_time(struct expected *expected, int64_t time_us)
{
    if (expected->time_count == expected->time_capacity) {
        if (expected->time_capacity >= TIMES_KEPT) {
            return;
        }
        expected->time_capacity = expected->time_capacity ? 2 * expected->time_capacity : 512;
        expected->times_us =
            realloc(expected->times_us, expected->time_capacity * sizeof(*expected->times_us));
        if (!expected->times_us) {
            abort();
        }
    }
    expected->times_us[expected->time_count++] = time_us;
}

static void note_expected(struct expected *expected, const struct scenario_happening *h,
                          unsigned probe, const struct plan_attempt *attempt)
{
    int64_t at_us = attempt->time_us;
    bool met = attempt->happening == (int)expected->happening;
    uint32_t hour = (uint32_t)(at_us / CLOCK_HOUR_US);
    uint32_t *last = &expected->last_hour[(size_t)probe * SCENARIO_VOICES_MAX + attempt->voice];

    if (at_us < h->from_us) {
        expected->last_before_us =
            at_us > expected->last_before_us ? at_us : expected->last_before_us;
        return;
    }
    if (at_us >= h->until_us) {
        if (expected->first_after_us == 0 || at_us < expected->first_after_us) {
            expected->first_after_us = at_us;
        }
        return;
    }
    expected->attempts++;
    keep_time(expected, at_us);
    if (!met) {
        return;
    }
    expected->met++;
    expected->voices += *last == 0;
    expected->voice_hours += *last != hour;
    *last = hour;
    if (expected->first_met_us == 0 || at_us < expected->first_met_us) {
        expected->first_met_us = at_us;
    }
    expected->last_met_us = at_us > expected->last_met_us ? at_us : expected->last_met_us;
}

void truth_note(struct truth *truth, unsigned probe, const struct plan_attempt *attempt)
{
    const struct scenario *scenario = truth->plan->scenario;
    const char *carrier = truth->plan->probes[probe].from->carrier;
    struct pair *pair = &truth->pairs[probe * scenario->services_count + attempt->service];

    pair->attempts++;
    pair->met += attempt->happening >= 0;
    for (size_t i = 0; i < truth->expected_count; i++) {
        struct expected *expected = &truth->expected[i];
        const struct scenario_happening *h = &scenario->happenings[expected->happening];
        if ((expected->service < 0 || expected->service == (int)attempt->service) &&
            strcmp(expected->carrier, carrier) == 0 && plan_concerns(truth->plan, h, probe, NULL)) {
            note_expected(expected, h, probe, attempt);
        }
    }
}

/* ---- writing ---- */

static void member_time(struct json *json, const char *key, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];

    json_member_text(json, key,
                     time_us == 0 || time_us == SCENARIO_OPEN ? NULL : clock_format(time_us, text));
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void write_numbers(struct json *json, const char *key, const uint32_t *list, unsigned count)
{
    json_key(json, key);
    json_begin_array(json);
    for (unsigned i = 0; i < count; i++) {
        json_unsigned(json, list[i]);
    }
    json_end_array(json);
}

static void write_texts(struct json *json, const char *key, const char *const *list, unsigned count)
{
    json_key(json, key);
    json_begin_array(json);
    for (unsigned i = 0; i < count; i++) {
        json_text(json, list[i]);
    }
    json_end_array(json);
}

static void write_event(struct json *json, const struct truth *truth, const struct expected *e)
{
    const struct scenario *scenario = truth->plan->scenario;
    const struct scenario_happening *h = &scenario->happenings[e->happening];

    json_begin_object(json);
    json_member_text(json, "class", h->event);
    write_texts(json, "accept", h->accept, h->accept_count);
    json_member_text(json, "carrier", e->carrier);
    json_member_text(json, "country", e->country);
    json_member_text(json, "service", e->service < 0 ? NULL : scenario->services[e->service].id);
    json_member_text(json, "family", h->family);
    json_member_bool(json, "optional", h->optional);
    json_member_bool(json, "first_sight", h->first_sight);
    json_member_text(json, "ceiling", h->ceiling);
    json_key(json, "clock_error");
    json_double(json, e->clock_error);
    json_key(json, "share");
    json_double(json, h->share);
    json_key(json, "vanish");
    json_double(json, h->vanish);
    write_texts(json, "how", h->how, h->how_count);
    write_numbers(json, "hours", h->hours, h->hours_count);
    write_numbers(json, "weekdays", h->weekdays, h->weekdays_count);
    member_time(json, "onset", h->from_us);
    member_time(json, "end", h->until_us > scenario->end_us ? SCENARIO_OPEN : h->until_us);
    member_time(json, "last_before", e->last_before_us);
    member_time(json, "first_met", e->first_met_us);
    member_time(json, "last_met", e->last_met_us);
    member_time(json, "first_after", e->first_after_us);
    json_member_unsigned(json, "attempts", e->attempts);
    json_member_unsigned(json, "met", e->met);
    json_member_unsigned(json, "voice_hours", e->voice_hours);
    json_member_unsigned(json, "voices", e->voices);
    json_member_text(json, "what", h->what);
    if (e->time_count) {
        qsort(e->times_us, e->time_count, sizeof(*e->times_us), by_number);
    }
    json_key(json, "seconds_to_attempts"); /* the first ones after the onset */
    json_begin_array(json);
    for (size_t i = 0; i < e->time_count && i < TIMES_WRITTEN; i++) {
        json_integer(json, (e->times_us[i] - h->from_us) / CLOCK_SECOND_US);
    }
    json_end_array(json);
    json_end_object(json);
}

static void write_lines(struct json *json, const struct truth *truth)
{
    const struct plan *plan = truth->plan;

    json_key(json, "lines"); /* of each probe and service */
    json_begin_array(json);
    for (unsigned probe = 0; probe < plan->probe_count; probe++) {
        for (unsigned s = 0; s < plan->scenario->services_count; s++) {
            const struct pair *pair = &truth->pairs[probe * plan->scenario->services_count + s];
            json_begin_object(json);
            json_member_text(json, "probe", plan->probes[probe].id);
            json_member_text(json, "carrier", plan->probes[probe].from->carrier);
            json_member_text(json, "owner", plan->probes[probe].from->owner);
            json_member_text(json, "country", plan->probes[probe].from->country);
            json_member_text(json, "service", plan->scenario->services[s].id);
            json_member_unsigned(json, "attempts", pair->attempts);
            json_member_unsigned(json, "met", pair->met);
            json_end_object(json);
        }
    }
    json_end_array(json);
}

bool truth_write(const struct truth *truth, const char *path, const char *made_of)
{
    const struct scenario *scenario = truth->plan->scenario;
    FILE *file = fopen(path, "w");
    struct json json;

    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    json_init(&json, file, 1);
    json_begin_object(&json);
    json_member_text(&json, "scenario", scenario->id);
    json_member_text(&json, "title", scenario->title);
    json_member_text(&json, "pair", scenario->pair);
    json_member_text(&json, "order", scenario->order);
    json_member_text(&json, "origin", "composed");
    json_member_text(&json, "made_of", made_of);
    json_member_unsigned(&json, "seed", truth->plan->seed);
    member_time(&json, "from", scenario->first_us);
    member_time(&json, "to", scenario->end_us);
    json_member_unsigned(&json, "days", scenario->days);
    json_key(&json, "events");
    json_begin_array(&json);
    for (size_t i = 0; i < truth->expected_count; i++) {
        write_event(&json, truth, &truth->expected[i]);
    }
    json_end_array(&json);
    json_key(&json, "innocent"); /* what else happens */
    json_begin_array(&json);
    for (unsigned i = 0; i < scenario->happenings_count; i++) {
        if (!scenario->happenings[i].event) {
            json_text(&json, scenario->happenings[i].what);
        }
    }
    json_end_array(&json);
    write_lines(&json, truth);
    json_end_object(&json);
    fputc('\n', file);
    if (ferror(file) | fclose(file) || json.failed) {
        fprintf(stderr, "%s: could not be written\n", path);
        return false;
    }
    return true;
}
