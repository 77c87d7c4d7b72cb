// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario.h"

#include <cyaml/cyaml.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define DAY_US (24 * CLOCK_HOUR_US)

/* ---- the schema ---- */

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define TEXT(key, type, member)                                                                    \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, CYAML_UNLIMITED)
#define TEXT_OPTIONAL(key, type, member)                                                           \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | OPTIONAL, type, member, 1, CYAML_UNLIMITED)
#define LIST_OPTIONAL(key, type, member, entry)                                                    \
    CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | OPTIONAL, type, member, member##_count,   \
                               entry, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, const char *, 1, CYAML_UNLIMITED)};
static const cyaml_schema_value_t number_entry = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t)};

static const cyaml_schema_field_t probe_fields[] = {
    TEXT("id", struct scenario_probe, id),
    TEXT("carrier", struct scenario_probe, carrier),
    TEXT("country", struct scenario_probe, country),
    TEXT_OPTIONAL("owner", struct scenario_probe, owner),
    TEXT_OPTIONAL("network", struct scenario_probe, network),
    TEXT_OPTIONAL("position", struct scenario_probe, position),
    TEXT_OPTIONAL("clock", struct scenario_probe, clock),
    TEXT("clients", struct scenario_probe, clients),
    TEXT_OPTIONAL("resolver", struct scenario_probe, resolver),
    CYAML_FIELD_UINT("asn", CYAML_FLAG_DEFAULT, struct scenario_probe, asn),
    CYAML_FIELD_UINT("voices", CYAML_FLAG_DEFAULT, struct scenario_probe, voices),
    CYAML_FIELD_UINT("count", OPTIONAL, struct scenario_probe, count),
    CYAML_FIELD_FLOAT("round_trip", OPTIONAL, struct scenario_probe, round_trip),
    CYAML_FIELD_UINT("hops", OPTIONAL, struct scenario_probe, hops),
    CYAML_FIELD_FLOAT("clock_error", OPTIONAL, struct scenario_probe, clock_error),
    CYAML_FIELD_FLOAT("utc_offset", OPTIONAL, struct scenario_probe, utc_offset),
    CYAML_FIELD_END};
static const cyaml_schema_value_t probe_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct scenario_probe, probe_fields)};

static const cyaml_schema_field_t service_fields[] = {
    TEXT("id", struct scenario_service, id),
    TEXT_OPTIONAL("rhythm", struct scenario_service, rhythm),
    CYAML_FIELD_FLOAT("attempts", CYAML_FLAG_DEFAULT, struct scenario_service, attempts),
    CYAML_FIELD_FLOAT("users", OPTIONAL, struct scenario_service, users),
    LIST_OPTIONAL("doors", struct scenario_service, doors, &text_entry),
    CYAML_FIELD_BOOL("fetches", OPTIONAL, struct scenario_service, fetches),
    CYAML_FIELD_END};
static const cyaml_schema_value_t service_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct scenario_service, service_fields)};

static const cyaml_schema_field_t happening_fields[] = {
    TEXT_OPTIONAL("what", struct scenario_happening, what),
    LIST_OPTIONAL("on", struct scenario_happening, on, &text_entry),
    LIST_OPTIONAL("services", struct scenario_happening, services, &text_entry),
    TEXT_OPTIONAL("from", struct scenario_happening, from),
    TEXT_OPTIONAL("until", struct scenario_happening, until),
    CYAML_FIELD_FLOAT("jitter_hours", OPTIONAL, struct scenario_happening, jitter_hours),
    LIST_OPTIONAL("hours", struct scenario_happening, hours, &number_entry),
    LIST_OPTIONAL("weekdays", struct scenario_happening, weekdays, &number_entry),
    CYAML_FIELD_FLOAT("share", OPTIONAL, struct scenario_happening, share),
    LIST_OPTIONAL("how", struct scenario_happening, how, &text_entry),
    CYAML_FIELD_FLOAT("volume", OPTIONAL, struct scenario_happening, volume),
    CYAML_FIELD_FLOAT("vanish", OPTIONAL, struct scenario_happening, vanish),
    CYAML_FIELD_UINT("voices", OPTIONAL, struct scenario_happening, voices),
    CYAML_FIELD_UINT("retries", OPTIONAL, struct scenario_happening, retries),
    TEXT_OPTIONAL("event", struct scenario_happening, event),
    LIST_OPTIONAL("accept", struct scenario_happening, accept, &text_entry),
    TEXT_OPTIONAL("family", struct scenario_happening, family),
    CYAML_FIELD_BOOL("optional", OPTIONAL, struct scenario_happening, optional),
    TEXT_OPTIONAL("ceiling", struct scenario_happening, ceiling),
    CYAML_FIELD_BOOL("first_sight", OPTIONAL, struct scenario_happening, first_sight),
    CYAML_FIELD_END};
static const cyaml_schema_value_t happening_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct scenario_happening, happening_fields)};

static const cyaml_schema_field_t scenario_fields[] = {
    TEXT("id", struct scenario, id),
    TEXT("title", struct scenario, title),
    TEXT_OPTIONAL("pair", struct scenario, pair),
    TEXT_OPTIONAL("order", struct scenario, order),
    TEXT_OPTIONAL("like", struct scenario, like),
    TEXT_OPTIONAL("first_day", struct scenario, first_day),
    CYAML_FIELD_UINT("days", OPTIONAL, struct scenario, days),
    CYAML_FIELD_FLOAT("utc_offset", OPTIONAL, struct scenario, utc_offset),
    LIST_OPTIONAL("probes", struct scenario, probes, &probe_entry),
    LIST_OPTIONAL("services", struct scenario, services, &service_entry),
    LIST_OPTIONAL("habits", struct scenario, habits, &happening_entry),
    LIST_OPTIONAL("happenings", struct scenario, happenings, &happening_entry),
    CYAML_FIELD_END};
static const cyaml_schema_value_t scenario_document = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct scenario, scenario_fields)};

static const cyaml_config_t config = {
    .log_fn = cyaml_log, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_WARNING};

/* ---- chance ---- */

uint64_t chance_next(struct chance *chance)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct chance chance_of(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
    struct chance chance = {seed};
    const uint64_t words[] = {a, b, c};

    for (unsigned i = 0; i < 3; i++) {
        chance.state = chance_next(&chance) ^ (words[i] * 0xd6e8feb86659fd93u);
    }
    return chance;
}

double chance_unit(struct chance *chance)
{
    return (double)(chance_next(chance) >> 11) / 9007199254740992.0;
}

unsigned chance_poisson(struct chance *chance, double mean)
{
    unsigned count = 0;

    for (; mean > 30; mean -= 30) { /* sums of Poissons are Poisson */
        count += chance_poisson(chance, 30);
    }
    for (double product = chance_unit(chance), limit = exp(-mean); product > limit; count++) {
        product *= chance_unit(chance);
    }
    return count;
}

/* ---- what the file leaves out, and its times ---- */

bool scenario_names(const char *const *names, unsigned count, const char *a, const char *b)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(names[i], a) == 0 || (b && strcmp(names[i], b) == 0)) {
            return true;
        }
    }
    return count == 0;
}

static double or_else(double value, double usual)
{
    return value == 0 ? usual : value;
}

/* "day 14 21:30" (the first day is day 1) or "2015-11-30 21:30", local. */
static bool parse_local(const struct scenario *scenario, const char *text, int64_t *ret_us)
{
    unsigned day, hour = 0, minute = 0;
    char date[11], whole[32];
    int64_t us;

    if (sscanf(text, "day %u %u:%u", &day, &hour, &minute) >= 1 && day > 0 && hour < 48) {
        *ret_us = scenario->first_us + (day - 1) * DAY_US + hour * CLOCK_HOUR_US +
                  minute * 60 * CLOCK_SECOND_US;
        return true;
    }
    if (sscanf(text, "%10s %u:%u", date, &hour, &minute) < 1 || hour > 24 || minute > 59) {
        return false;
    }
    snprintf(whole, sizeof(whole), "%sT00:00:00Z", date);
    if (clock_parse(whole, &us) != 0) {
        return false;
    }
    *ret_us = us + hour * CLOCK_HOUR_US + minute * 60 * CLOCK_SECOND_US -
              (int64_t)(scenario->utc_offset * (double)CLOCK_HOUR_US);
    return true;
}

static bool resolve_happening(const struct scenario *scenario, struct scenario_happening *h,
                              struct chance chance)
{
    /* Whole seconds, so that the hour itself is never met exactly. */
    int64_t shift_us = (int64_t)(chance_unit(&chance) * h->jitter_hours * 3600) * CLOCK_SECOND_US;

    h->share = or_else(h->share, 1);
    h->volume = or_else(h->volume, 1);
    h->from_us = scenario->first_us;
    h->until_us = SCENARIO_OPEN;
    if ((h->from && !parse_local(scenario, h->from, &h->from_us)) ||
        (h->until && !parse_local(scenario, h->until, &h->until_us))) {
        fprintf(stderr, "%s: %s: not a time\n", scenario->id, h->from ? h->from : h->until);
        return false;
    }
    if (h->from) {
        h->from_us += shift_us;
    }
    if (h->until) {
        h->until_us += shift_us;
    }
    return true;
}

static bool resolve(struct scenario *scenario, uint64_t seed)
{
    char whole[32];

    snprintf(whole, sizeof(whole), "%sT00:00:00Z", scenario->first_day);
    if (clock_parse(whole, &scenario->first_us) != 0 || scenario->days == 0 ||
        scenario->days > SCENARIO_DAYS_MAX || scenario->probes_count > SCENARIO_PROBES_MAX ||
        scenario->services_count > SCENARIO_SERVICES_MAX) {
        fprintf(stderr, "%s: first day, days, probes or services\n", scenario->id);
        return false;
    }
    scenario->first_us -= (int64_t)(scenario->utc_offset * (double)CLOCK_HOUR_US);
    scenario->end_us = scenario->first_us + scenario->days * DAY_US;
    for (unsigned i = 0; i < scenario->probes_count; i++) {
        struct scenario_probe *probe = &scenario->probes[i];
        probe->round_trip = or_else(probe->round_trip, 1);
        probe->utc_offset = or_else(probe->utc_offset, scenario->utc_offset);
        probe->count = probe->count ? probe->count : 1;
        if (probe->voices == 0 || probe->voices * probe->count > SCENARIO_VOICES_MAX) {
            fprintf(stderr, "%s: %s: voices\n", scenario->id, probe->id);
            return false;
        }
    }
    for (unsigned i = 0; i < scenario->services_count; i++) {
        scenario->services[i].users = or_else(scenario->services[i].users, 1);
    }
    for (unsigned i = 0; i < scenario->habits_count + scenario->happenings_count; i++) {
        bool habit = i < scenario->habits_count;
        struct scenario_happening *happening =
            habit ? &scenario->habits[i] : &scenario->happenings[i - scenario->habits_count];
        if (!resolve_happening(scenario, happening, chance_of(seed, 0x4a, i, 0))) {
            return false;
        }
    }
    return true;
}

static struct scenario *load_file(const char *path)
{
    struct scenario *scenario = NULL;
    cyaml_err_t error =
        cyaml_load_file(path, &config, &scenario_document, (cyaml_data_t **)&scenario, NULL);

    if (error != CYAML_OK) {
        fprintf(stderr, "%s: %s\n", path, cyaml_strerror(error));
        return NULL;
    }
    return scenario;
}

/* What the file leaves out is the other's. */
static bool take_base(struct scenario *scenario, const char *path)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    char beside[1024];

    if (scenario->like) {
        snprintf(beside, sizeof(beside), "%.*s%s", folder, path, scenario->like);
        scenario->base = load_file(beside);
        if (!scenario->base) {
            return false;
        }
    }
    struct scenario *base = scenario->base;
    if (base && !scenario->probes_count) {
        scenario->probes = base->probes;
        scenario->probes_count = base->probes_count;
    }
    if (base && !scenario->services_count) {
        scenario->services = base->services;
        scenario->services_count = base->services_count;
    }
    if (base && !scenario->habits_count) {
        scenario->habits = base->habits;
        scenario->habits_count = base->habits_count;
    }
    if (base && !scenario->first_day) {
        scenario->first_day = base->first_day;
    }
    scenario->days = scenario->days || !base ? scenario->days : base->days;
    scenario->utc_offset =
        scenario->utc_offset != 0 || !base ? scenario->utc_offset : base->utc_offset;
    if (!scenario->first_day || !scenario->probes_count || !scenario->services_count) {
        fprintf(stderr, "%s: no first day, probes or services\n", path);
        return false;
    }
    return true;
}

struct scenario *scenario_load(const char *path, uint64_t seed)
{
    struct scenario *scenario = load_file(path);

    if (scenario && (!take_base(scenario, path) || !resolve(scenario, seed))) {
        scenario_free(scenario);
        return NULL;
    }
    return scenario;
}

void scenario_free(struct scenario *scenario)
{
    struct scenario *base = scenario ? scenario->base : NULL;

    if (base && scenario->probes == base->probes) {
        scenario->probes = NULL;
        scenario->probes_count = 0;
    }
    if (base && scenario->services == base->services) {
        scenario->services = NULL;
        scenario->services_count = 0;
    }
    if (base && scenario->habits == base->habits) {
        scenario->habits = NULL;
        scenario->habits_count = 0;
    }
    if (base && scenario->first_day == base->first_day) {
        scenario->first_day = NULL;
    }
    cyaml_free(&config, &scenario_document, scenario, 0);
    cyaml_free(&config, &scenario_document, base, 0);
}
