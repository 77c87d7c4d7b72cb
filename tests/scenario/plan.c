// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/array.h"
#include "base/clock.h"

#define RETRY_LEAST_US INT64_C(40000000) /* beyond what one attempt joins */
#define RETRY_MORE_US  60000000u

/* Shares of a day's attempts by local hour, in thousandths. */
static const uint16_t home_hours[24] = {22, 12, 8,  5,  5,  8,  18, 30, 38, 42, 45, 47,
                                        50, 50, 48, 47, 48, 52, 60, 70, 80, 82, 78, 55};
static const uint16_t work_hours[24] = {8,  8,  8,  8,  8,  8,  10, 25, 70, 98, 96, 90,
                                        62, 70, 90, 92, 85, 70, 35, 20, 14, 10, 8,  7};

static double rhythm_weight(const struct scenario_service *service, unsigned hour, unsigned weekday)
{
    const char *rhythm = service->rhythm ? service->rhythm : "home";

    if (strcmp(rhythm, "enterprise") == 0) {
        return weekday < 6 ? work_hours[hour] / 1000.0 : 0.012;
    }
    if (strcmp(rhythm, "flat") == 0) {
        return 1 / 24.0;
    }
    return home_hours[hour] / 1000.0 * (weekday < 6 ? 1.0 : 1.12);
}

/* ---- happenings ---- */

static bool has_how(const struct scenario_happening *happening, const char *how)
{
    return happening->how_count && strcmp(happening->how[0], how) == 0;
}

bool plan_concerns(const struct plan *plan, const struct scenario_happening *happening,
                   unsigned probe, const char *service)
{
    const struct plan_probe *p = &plan->probes[probe];

    return (scenario_names(happening->on, happening->on_count, p->from->carrier, p->id) ||
            scenario_names(happening->on, happening->on_count, p->from->id, p->from->country)) &&
           (!service ||
            scenario_names(happening->services, happening->services_count, service, NULL));
}

static void local_time(const struct plan_probe *probe, int64_t time_us, unsigned *ret_hour,
                       unsigned *ret_weekday)
{
    int64_t local_us = time_us + (int64_t)(probe->from->utc_offset * (double)CLOCK_HOUR_US);
    int64_t hours = local_us / CLOCK_HOUR_US;

    *ret_hour = (unsigned)(hours % 24);
    *ret_weekday = (unsigned)((hours / 24 + 3) % 7) + 1; /* 1970 began on a Thursday */
}

static bool listed(const uint32_t *list, unsigned count, unsigned value)
{
    for (unsigned i = 0; i < count; i++) {
        if (list[i] == value) {
            return true;
        }
    }
    return count == 0;
}

static bool holds(const struct plan *plan, const struct scenario_happening *happening,
                  unsigned probe, const char *service, int64_t time_us)
{
    unsigned hour, weekday;

    if (time_us < happening->from_us || time_us >= happening->until_us ||
        !plan_concerns(plan, happening, probe, service)) {
        return false;
    }
    local_time(&plan->probes[probe], time_us, &hour, &weekday);
    return listed(happening->hours, happening->hours_count, hour) &&
           listed(happening->weekdays, happening->weekdays_count, weekday);
}

bool plan_watches(const struct plan *plan, unsigned probe, int64_t time_us, bool *ret_link)
{
    *ret_link = true;
    for (unsigned i = 0; i < plan->scenario->happenings_count; i++) {
        const struct scenario_happening *h = &plan->scenario->happenings[i];
        bool dies = has_how(h, "probe-dies");
        if ((dies || has_how(h, "link-down")) && holds(plan, h, probe, NULL, time_us)) {
            if (dies) {
                return false;
            }
            *ret_link = false;
        }
    }
    return true;
}

int64_t plan_next_change(const struct plan *plan, unsigned probe, int64_t time_us)
{
    int64_t next_us = plan->scenario->end_us;

    for (unsigned i = 0; i < plan->scenario->happenings_count; i++) {
        const struct scenario_happening *h = &plan->scenario->happenings[i];
        if ((has_how(h, "probe-dies") || has_how(h, "link-down")) &&
            plan_concerns(plan, h, probe, NULL)) {
            next_us = h->from_us > time_us && h->from_us < next_us ? h->from_us : next_us;
            next_us = h->until_us > time_us && h->until_us < next_us ? h->until_us : next_us;
        }
    }
    return next_us;
}

/* ---- attempts ---- */

static struct plan_use use_draw(const struct plan *plan, unsigned probe, unsigned voice,
                                unsigned service)
{
    const struct scenario_service *s = &plan->scenario->services[service];
    struct chance chance = chance_of(plan->seed, 0x701ce, (uint64_t)probe << 32 | voice, service);
    const struct template *doors[64];
    unsigned count = 0;

    if (chance_unit(&chance) >= s->users) {
        return (struct plan_use){0};
    }
    for (size_t i = 0; i < plan->templates->count && count < ARRAY_LENGTH(doors); i++) {
        const struct template *item = &plan->templates->items[i];
        if (strcmp(item->technique, s->fetches ? "fetch" : "ok") == 0 &&
            strcmp(item->service, s->id) == 0 &&
            scenario_names(s->doors, s->doors_count, item->door, NULL)) {
            doors[count++] = item;
        }
    }
    return (struct plan_use){.usual = count ? doors[chance_next(&chance) % count] : NULL,
                             .eager = 0.5 + chance_unit(&chance)};
}

static void uses_draw(struct plan *plan, unsigned probe)
{
    struct plan_probe *p = &plan->probes[probe];
    unsigned services = plan->scenario->services_count;

    p->uses = calloc((size_t)p->from->voices * services, sizeof(*p->uses));
    if (!p->uses) {
        abort();
    }
    for (unsigned voice = 0; voice < p->from->voices; voice++) {
        for (unsigned service = 0; service < services; service++) {
            p->uses[voice * services + service] = use_draw(plan, probe, voice, service);
        }
    }
}

static void attempt_add(struct plan *plan, struct plan_attempt attempt)
{
    if (plan->attempt_count == plan->attempt_capacity) {
        plan->attempt_capacity = plan->attempt_capacity ? 2 * plan->attempt_capacity : 1024;
        plan->attempts = realloc(plan->attempts, plan->attempt_capacity * sizeof(*plan->attempts));
        if (!plan->attempts) {
            abort();
        }
    }
    plan->attempts[plan->attempt_count++] = attempt;
}

/* One of the techniques that the door has; NULL none. */
static const struct template *technique_pick(const struct plan *plan,
                                             const struct scenario_happening *happening,
                                             const char *service, const char *door,
                                             struct chance *chance)
{
    const struct template *fitting[16];
    unsigned count = 0;

    for (unsigned i = 0; i < happening->how_count && count < ARRAY_LENGTH(fitting); i++) {
        const struct template *item =
            templates_find(plan->templates, happening->how[i], service, door);
        if (item) {
            fitting[count++] = item;
        }
    }
    return count ? fitting[chance_next(chance) % count] : NULL;
}

/* Gives the attempt what befalls it; false where it cannot take place. Returns how often it is
 * tried again. */
static bool befall(struct plan *plan, unsigned probe, const char *door,
                   struct plan_attempt *attempt, struct chance *chance, unsigned *ret_retries)
{
    const struct scenario *scenario = plan->scenario;
    const char *service = scenario->services[attempt->service].id;
    bool link;

    *ret_retries = 0;
    for (unsigned i = 0; i < scenario->happenings_count + scenario->habits_count; i++) {
        bool habit = i >= scenario->happenings_count;
        const struct scenario_happening *h =
            habit ? &scenario->habits[i - scenario->happenings_count] : &scenario->happenings[i];
        double drawn = chance_unit(chance); /* always, so that twins stay alike */
        if (h->how_count == 0 || drawn >= h->share || has_how(h, "link-down") ||
            has_how(h, "probe-dies") || (h->voices && attempt->voice >= h->voices) ||
            !holds(plan, h, probe, service, attempt->time_us)) {
            continue;
        }
        const struct template *item = technique_pick(plan, h, service, door, chance);
        if (item) {
            attempt->template = item;
            attempt->happening = habit ? -1 : (int)i;
            *ret_retries = h->retries;
            break;
        }
    }
    return plan_watches(plan, probe, attempt->time_us, &link) && link;
}

static double volume_factor(const struct plan *plan, unsigned probe, unsigned voice,
                            const char *service, int64_t time_us)
{
    double factor = 1;

    for (unsigned i = 0; i < plan->scenario->happenings_count; i++) {
        const struct scenario_happening *h = &plan->scenario->happenings[i];
        if ((h->volume == 1 && h->vanish == 0) || (h->voices && voice >= h->voices) ||
            !holds(plan, h, probe, service, time_us)) {
            continue;
        }
        factor *= h->volume;
        if (voice < h->vanish * plan->probes[probe].from->voices) {
            factor = 0;
        }
    }
    return factor;
}

static void voice_hour(struct plan *plan, unsigned probe, unsigned voice, unsigned service,
                       int64_t hour_us)
{
    const struct plan_probe *p = &plan->probes[probe];
    const struct scenario_service *s = &plan->scenario->services[service];
    struct plan_use use = p->uses[voice * plan->scenario->services_count + service];
    struct chance chance = chance_of(plan->seed, (uint64_t)probe << 32 | voice, service,
                                     (uint64_t)(hour_us / CLOCK_HOUR_US));
    unsigned hour, weekday;

    if (!use.usual) {
        return;
    }
    local_time(p, hour_us, &hour, &weekday);
    double mean = s->attempts * use.eager * rhythm_weight(s, hour, weekday) *
                  volume_factor(plan, probe, voice, s->id, hour_us + CLOCK_HOUR_US / 2);
    for (unsigned left = chance_poisson(&chance, mean); left > 0; left--) {
        struct plan_attempt attempt = {.voice = voice, .service = service, .happening = -1};
        unsigned retries;
        attempt.time_us = hour_us + (int64_t)(chance_unit(&chance) * (double)CLOCK_HOUR_US);
        double jitter = chance_unit(&chance);
        attempt.scale = p->from->round_trip * (0.95 + 0.3 * jitter * jitter);
        attempt.random = chance_next(&chance);
        attempt.template = use.usual;
        bool there = befall(plan, probe, use.usual->door, &attempt, &chance, &retries);
        for (unsigned k = 0; there && k <= retries; k++) {
            const struct scenario_happening *h =
                attempt.happening < 0 ? NULL : &plan->scenario->happenings[attempt.happening];
            if (h && attempt.time_us >= h->until_us) {
                break; /* would be answered by now */
            }
            attempt_add(plan, attempt);
            attempt.time_us += RETRY_LEAST_US + (int64_t)(chance_next(&chance) % RETRY_MORE_US);
            attempt.random = chance_next(&chance);
        }
    }
}

static int by_time(const void *a, const void *b)
{
    const struct plan_attempt *x = a, *y = b;

    return x->time_us != y->time_us ? (x->time_us > y->time_us) - (x->time_us < y->time_us)
                                    : (x->random > y->random) - (x->random < y->random);
}

void plan_hour(struct plan *plan, unsigned probe, int64_t hour_us)
{
    plan->attempt_count = 0;
    for (unsigned service = 0; service < plan->scenario->services_count; service++) {
        for (unsigned voice = 0; voice < plan->probes[probe].from->voices; voice++) {
            voice_hour(plan, probe, voice, service, hour_us);
        }
    }
    if (plan->attempt_count) {
        qsort(plan->attempts, plan->attempt_count, sizeof(*plan->attempts), by_time);
    }
}

/* ---- making ---- */

/* Does each technique exist, and does one of them meet each door that the happening is about? */
static bool check_techniques(const struct plan *plan, const struct scenario_happening *h)
{
    const struct scenario *scenario = plan->scenario;
    struct chance chance = {0};

    if (h->how_count == 0 || has_how(h, "link-down") || has_how(h, "probe-dies")) {
        return true;
    }
    bool partly = strcmp(h->how[h->how_count - 1], "or-nothing") == 0;
    for (unsigned k = 0; k < h->how_count - partly; k++) {
        bool found = false;
        for (size_t i = 0; i < plan->templates->count; i++) {
            found |= strcmp(plan->templates->items[i].technique, h->how[k]) == 0;
        }
        if (!found) {
            fprintf(stderr, "%s: no technique %s\n", scenario->id, h->how[k]);
            return false;
        }
    }
    for (size_t i = 0; i < plan->templates->count; i++) {
        const struct template *item = &plan->templates->items[i];
        for (unsigned k = 0; k < scenario->services_count; k++) {
            const struct scenario_service *s = &scenario->services[k];
            if (!partly && strcmp(item->technique, s->fetches ? "fetch" : "ok") == 0 &&
                strcmp(item->service, s->id) == 0 &&
                scenario_names(s->doors, s->doors_count, item->door, NULL) &&
                scenario_names(h->services, h->services_count, s->id, NULL) &&
                !technique_pick(plan, h, s->id, item->door, &chance)) {
                fprintf(stderr, "%s: %s does not meet %s\n", scenario->id, h->how[0], item->door);
                return false;
            }
        }
    }
    return true;
}

bool plan_make(struct plan *plan, const struct scenario *scenario,
               const struct templates *templates, uint64_t seed)
{
    bool good = true;

    *plan = (struct plan){.scenario = scenario, .templates = templates, .seed = seed};
    for (unsigned i = 0; i < scenario->probes_count; i++) {
        const struct scenario_probe *from = &scenario->probes[i];
        struct address first;
        if (address_parse(from->clients, &first) != 0 || !address_is_v4(&first)) {
            fprintf(stderr, "%s: %s: clients\n", scenario->id, from->id);
            return false;
        }
        plan->probes =
            realloc(plan->probes, (plan->probe_count + from->count) * sizeof(*plan->probes));
        if (!plan->probes) {
            abort();
        }
        for (unsigned k = 0; k < from->count; k++) {
            struct plan_probe *p = &plan->probes[plan->probe_count++];
            *p = (struct plan_probe){.from = from};
            snprintf(p->id, sizeof(p->id), from->count > 1 ? "%s-%u" : "%s", from->id, k + 1);
            memcpy(p->client, first.bytes + 12, 4);
            p->client[2] = (uint8_t)(p->client[2] + k); /* the next /24 */
        }
    }
    for (unsigned i = 0; i < scenario->services_count; i++) {
        const struct scenario_service *s = &scenario->services[i];
        if (!templates_find(templates, s->fetches ? "fetch" : "ok", s->id, NULL)) {
            fprintf(stderr, "%s: %s: no template\n", scenario->id, s->id);
            good = false;
        }
    }
    for (unsigned i = 0; i < scenario->happenings_count; i++) {
        good &= check_techniques(plan, &scenario->happenings[i]);
    }
    for (unsigned i = 0; i < scenario->habits_count; i++) {
        good &= check_techniques(plan, &scenario->habits[i]);
    }
    for (unsigned i = 0; good && i < plan->probe_count; i++) {
        uses_draw(plan, i);
    }
    return good;
}

void plan_finish(struct plan *plan)
{
    for (unsigned i = 0; i < plan->probe_count; i++) {
        free(plan->probes[i].uses);
    }
    free(plan->probes);
    free(plan->attempts);
}
