// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "commands/catalog_show.h"
#include "commands/command.h"

/* ---- what the kinds of entries have in common ---- */

enum kind {
    KIND_SERVICES,
    KIND_CARRIERS,
    KIND_ORDERS,
    KIND_BLOCKPAGES,
    KIND_INJECTORS,
    KIND_COUNT
};

static const char *const kind_names[KIND_COUNT] = {"services", "carriers", "orders", "blockpages",
                                                   "injectors"};

static size_t kind_size(const struct catalog *catalog, enum kind kind)
{
    switch (kind) {
    case KIND_SERVICES:
        return catalog_service_count(catalog);
    case KIND_CARRIERS:
        return catalog_carrier_count(catalog);
    case KIND_ORDERS:
        return catalog_order_count(catalog);
    case KIND_BLOCKPAGES:
        return catalog_blockpage_count(catalog);
    default:
        return catalog_injector_count(catalog);
    }
}

static const char *text_or_dash(const char *text)
{
    return text && text[0] ? text : "-";
}

/* ---- tables ---- */

static void list_services(const struct catalog *catalog)
{
    printf("%-28s %-10s %5s %6s %7s  %s\n", "SERVICE", "CLASS", "NAMES", "BLOCKS", "SOURCES",
           "NAME");
    for (size_t n = 1; n <= catalog_service_count(catalog); n++) {
        const struct catalog_service *s = catalog_service_at(catalog, (uint16_t)n);
        printf("%-28s %-10s %5zu %6zu %7zu  %s%s\n", s->id,
               text_or_dash(word_text(WORD_CLASS, s->class)), s->name_count, s->block_count,
               s->source_count, s->name, s->self_hosted ? " (self-hosted)" : "");
    }
}

static void list_carriers(const struct catalog *catalog)
{
    printf("%-28s %-7s %-8s %4s %7s  %s\n", "CARRIER", "COUNTRY", "NETWORK", "ASNS", "SOURCES",
           "NAME");
    for (size_t n = 1; n <= catalog_carrier_count(catalog); n++) {
        const struct catalog_carrier *c = catalog_carrier_at(catalog, (uint16_t)n);
        printf("%-28s %-7s %-8s %4zu %7zu  %s\n", c->id, text_or_dash(c->country),
               text_or_dash(word_text(WORD_NETWORK, c->network)), c->asn_count, c->source_count,
               c->name);
    }
}

/* The day of the order's own that ends at `end_us`: its date among the order's. */
static const char *date_ending(const struct catalog *catalog, const struct catalog_order *order,
                               int64_t end_us)
{
    for (size_t i = 0; i < order->date_count; i++)
        if (end_us != CATALOG_NO_TIME &&
            catalog_order_day_end(catalog, order, order->dates[i].date) == end_us)
            return order->dates[i].date;
    return NULL;
}

static void list_orders(const struct catalog *catalog)
{
    printf("%-28s %-7s %-10s %-10s %8s %8s %7s  %s\n", "ORDER", "COUNTRY", "DUE", "ENDED",
           "SERVICES", "CARRIERS", "SOURCES", "TITLE");
    for (size_t i = 0; i < catalog_order_count(catalog); i++) {
        const struct catalog_order *o = catalog_order_at(catalog, i);
        struct catalog_order_times times;
        catalog_order_times(catalog, o, &times);
        char carriers[24] = "all";
        if (o->carrier_count)
            snprintf(carriers, sizeof(carriers), "%zu", o->carrier_count);
        printf("%-28s %-7s %-10s %-10s %8zu %8s %7zu  %s\n", o->id, text_or_dash(o->country),
               text_or_dash(date_ending(catalog, o, times.due_us)),
               text_or_dash(date_ending(catalog, o, times.ended_us)), o->service_count, carriers,
               o->source_count, o->title);
    }
}

static void list_kind(const struct catalog *catalog, enum kind kind)
{
    if (kind == KIND_SERVICES)
        list_services(catalog);
    else if (kind == KIND_CARRIERS)
        list_carriers(catalog);
    else if (kind == KIND_ORDERS)
        list_orders(catalog);
    else if (kind == KIND_BLOCKPAGES)
        catalog_list_blockpages(catalog);
    else
        catalog_list_injectors(catalog);
    printf("%zu %s\n", kind_size(catalog, kind), kind_names[kind]);
}

/* ---- one entry ---- */

static void show_service(const struct catalog_service *s)
{
    printf("service %s\n", s->id);
    catalog_show_line("name", s->name);
    catalog_show_line("operator", s->operator_name);
    catalog_show_line("class", word_text(WORD_CLASS, s->class));
    catalog_show_line("summary", s->summary);
    catalog_show_line("self-hosted",
                      s->self_hosted ? "yes: an --inventory is the reliable way" : NULL);
    printf("  %-12s %zu names, %zu address blocks\n", "matches", s->name_count, s->block_count);
    catalog_show_sources(s->sources, s->source_count);
}

static void show_owners(const struct catalog_carrier *c)
{
    if (c->owner_count == 0)
        catalog_show_line("owner", c->owner);
    for (size_t i = 0; i < c->owner_count; i++) {
        const struct catalog_owner *owner = &c->owners[i];
        printf("  %-12s %s%s%s%s%s%s%s [%s]\n", i ? "" : "owners", owner->owner,
               owner->from ? " from " : "", owner->from ? owner->from : "",
               owner->until ? " until " : "", owner->until ? owner->until : "",
               owner->note ? ": " : "", owner->note ? owner->note : "", owner->source);
    }
}

static void show_carrier(const struct catalog_carrier *c)
{
    printf("carrier %s\n", c->id);
    catalog_show_line("name", c->name);
    catalog_show_line("country", c->country);
    show_owners(c);
    catalog_show_line("network", word_text(WORD_NETWORK, c->network));
    for (size_t i = 0; i < c->asn_count; i++)
        printf("  %-12s AS%" PRIu32 "%s%s%s%s\n", i ? "" : "networks", c->asns[i].asn,
               c->asns[i].from ? " from " : "", c->asns[i].from ? c->asns[i].from : "",
               c->asns[i].until ? " until " : "", c->asns[i].until ? c->asns[i].until : "");
    catalog_show_list("mcc-mnc", c->mcc_mnc, c->mcc_mnc_count, "-");
    catalog_show_sources(c->sources, c->source_count);
}

static void show_deadlines(const struct catalog *catalog, const struct catalog_order *o)
{
    char text[CLOCK_TEXT_SIZE];
    struct catalog_order_times times;

    catalog_order_times(catalog, o, &times);
    if (times.due_us != CATALOG_NO_TIME)
        catalog_show_line("deadline", clock_format(times.due_us, text));
    if (times.ended_us != CATALOG_NO_TIME)
        catalog_show_line("over by", clock_format(times.ended_us, text));
}

static void show_order(const struct catalog *catalog, const struct catalog_order *o)
{
    const struct catalog_country *country = catalog_country(catalog, o->country);

    printf("order %s\n", o->id);
    catalog_show_line("title", o->title);
    catalog_show_line("issuer", o->issuer);
    catalog_show_line("country", o->country);
    catalog_show_line("summary", o->summary);
    catalog_show_list("services", o->services, o->service_count, "-");
    catalog_show_list("exempt", o->exempt, o->exempt_count, "-");
    catalog_show_list("carriers", o->carriers, o->carrier_count, "all of the country");
    for (size_t i = 0; i < o->date_count; i++)
        printf("  %-12s %s%s%s [%s]\n", o->dates[i].kind, o->dates[i].date,
               o->dates[i].note ? ": " : "", o->dates[i].note ? o->dates[i].note : "",
               o->dates[i].source);
    catalog_show_line("local time", o->utc_offset ? o->utc_offset : country ? country->zone : NULL);
    show_deadlines(catalog, o);
    catalog_show_sources(o->sources, o->source_count);
}

/* ---- JSON ---- */

static void json_service(struct json *json, const struct catalog_service *s)
{
    json_begin_object(json);
    json_member_text(json, "id", s->id);
    json_member_text(json, "name", s->name);
    json_member_text(json, "operator", s->operator_name);
    json_member_text(json, "class", word_text(WORD_CLASS, s->class));
    json_member_text(json, "summary", s->summary);
    json_member_bool(json, "self_hosted", s->self_hosted);
    json_member_unsigned(json, "names", s->name_count);
    json_member_unsigned(json, "blocks", s->block_count);
    catalog_json_sources(json, s->sources, s->source_count);
    json_end_object(json);
}

static void json_carrier(struct json *json, const struct catalog_carrier *c)
{
    json_begin_object(json);
    json_member_text(json, "id", c->id);
    json_member_text(json, "name", c->name);
    json_member_text(json, "country", c->country);
    json_member_text(json, "owner", c->owner);
    json_key(json, "owners");
    json_begin_array(json);
    for (size_t i = 0; i < c->owner_count; i++) {
        json_begin_object(json);
        json_member_text(json, "owner", c->owners[i].owner);
        json_member_text(json, "from", c->owners[i].from);
        json_member_text(json, "until", c->owners[i].until);
        json_member_text(json, "note", c->owners[i].note);
        json_member_text(json, "source", c->owners[i].source);
        json_end_object(json);
    }
    json_end_array(json);
    json_member_text(json, "network", word_text(WORD_NETWORK, c->network));
    json_key(json, "asns");
    json_begin_array(json);
    for (size_t i = 0; i < c->asn_count; i++) {
        json_begin_object(json);
        json_member_unsigned(json, "asn", c->asns[i].asn);
        json_member_text(json, "from", c->asns[i].from);
        json_member_text(json, "until", c->asns[i].until);
        json_end_object(json);
    }
    json_end_array(json);
    catalog_json_list(json, "mcc_mnc", c->mcc_mnc, c->mcc_mnc_count);
    catalog_json_sources(json, c->sources, c->source_count);
    json_end_object(json);
}

static void json_time(struct json *json, const char *key, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];

    json_member_text(json, key, time_us == CATALOG_NO_TIME ? NULL : clock_format(time_us, text));
}

static void json_order(struct json *json, const struct catalog *catalog,
                       const struct catalog_order *o)
{
    struct catalog_order_times times;

    catalog_order_times(catalog, o, &times);
    json_begin_object(json);
    json_member_text(json, "id", o->id);
    json_member_text(json, "title", o->title);
    json_member_text(json, "issuer", o->issuer);
    json_member_text(json, "country", o->country);
    json_member_text(json, "summary", o->summary);
    catalog_json_list(json, "services", o->services, o->service_count);
    catalog_json_list(json, "exempt", o->exempt, o->exempt_count);
    catalog_json_list(json, "carriers", o->carriers, o->carrier_count);
    json_key(json, "dates");
    json_begin_array(json);
    for (size_t i = 0; i < o->date_count; i++) {
        json_begin_object(json);
        json_member_text(json, "date", o->dates[i].date);
        json_member_text(json, "kind", o->dates[i].kind);
        json_member_text(json, "note", o->dates[i].note);
        json_member_text(json, "source", o->dates[i].source);
        json_end_object(json);
    }
    json_end_array(json);
    json_member_text(json, "utc_offset", o->utc_offset);
    json_time(json, "deadline", times.due_us);
    json_time(json, "over_by", times.ended_us);
    catalog_json_sources(json, o->sources, o->source_count);
    json_end_object(json);
}

static void json_kind(struct json *json, const struct catalog *catalog, enum kind kind)
{
    json_key(json, kind_names[kind]);
    json_begin_array(json);
    for (size_t i = 0; i < kind_size(catalog, kind); i++) {
        if (kind == KIND_SERVICES)
            json_service(json, catalog_service_at(catalog, (uint16_t)(i + 1)));
        else if (kind == KIND_CARRIERS)
            json_carrier(json, catalog_carrier_at(catalog, (uint16_t)(i + 1)));
        else if (kind == KIND_ORDERS)
            json_order(json, catalog, catalog_order_at(catalog, i));
        else if (kind == KIND_BLOCKPAGES)
            catalog_json_blockpage(json, catalog_blockpage_at(catalog, i));
        else
            catalog_json_injector(json, catalog_injector_at(catalog, i));
    }
    json_end_array(json);
}

/* ---- the command ---- */

struct catalog_job {
    bool wanted[KIND_COUNT];
    const char *id; /* NULL for all */
    bool as_json;
};

/* One of them, in the order of the kinds; false if there is none of that id. */
static bool show_named(const struct catalog *catalog, const struct catalog_job *job,
                       struct json *json)
{
    const struct catalog_service *service =
        job->wanted[KIND_SERVICES] ? catalog_service_find(catalog, job->id) : NULL;
    const struct catalog_carrier *carrier =
        job->wanted[KIND_CARRIERS] ? catalog_carrier_find(catalog, job->id) : NULL;
    const struct catalog_order *order =
        job->wanted[KIND_ORDERS] ? catalog_order_find(catalog, job->id) : NULL;
    const struct catalog_blockpage *page =
        job->wanted[KIND_BLOCKPAGES] ? catalog_find_blockpage(catalog, job->id) : NULL;
    const struct catalog_injector *injector =
        job->wanted[KIND_INJECTORS] ? catalog_find_injector(catalog, job->id) : NULL;

    if (service)
        job->as_json ? json_service(json, service) : show_service(service);
    else if (carrier)
        job->as_json ? json_carrier(json, carrier) : show_carrier(carrier);
    else if (order)
        job->as_json ? json_order(json, catalog, order) : show_order(catalog, order);
    else if (page)
        job->as_json ? catalog_json_blockpage(json, page) : catalog_show_blockpage(page);
    else if (injector)
        job->as_json ? catalog_json_injector(json, injector) : catalog_show_injector(injector);
    return service || carrier || order || page || injector;
}

static bool show_entry(const struct catalog *catalog, const struct catalog_job *job)
{
    struct json json;

    json_init(&json, stdout, 2);
    bool found = show_named(catalog, job, &json);
    if (job->as_json && found)
        json_newline(&json);
    return found;
}

static void show_all(const struct catalog *catalog, const struct catalog_job *job)
{
    struct json json;

    if (!job->as_json) {
        for (int kind = 0; kind < KIND_COUNT; kind++)
            if (job->wanted[kind]) {
                list_kind(catalog, (enum kind)kind);
                putchar('\n');
            }
        printf("catalog version %s\n", catalog_version(catalog));
        return;
    }
    json_init(&json, stdout, 2);
    json_begin_object(&json);
    json_member_text(&json, "version", catalog_version(catalog));
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (job->wanted[kind])
            json_kind(&json, catalog, (enum kind)kind);
    json_end_object(&json);
    json_newline(&json);
}

/* [services|carriers|orders|blockpages|injectors] [ID], either may be missing. */
static bool read_operands(struct catalog_job *job, char **words, int count)
{
    bool kind_named = false;

    for (int kind = 0; kind < KIND_COUNT; kind++) {
        job->wanted[kind] = count > 0 && strcmp(words[0], kind_names[kind]) == 0;
        kind_named |= job->wanted[kind];
    }
    if (!kind_named)
        memset(job->wanted, true, sizeof(job->wanted));
    if (count > kind_named)
        job->id = words[kind_named];
    return count <= kind_named + 1;
}

/* A reader that has enough is no failure, a full disk is. */
static bool output_is_whole(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    if (errno == EPIPE)
        return true;
    log_error("standard output: %s", strerror(errno ? errno : EIO));
    return false;
}

int command_catalog(int argc, char **argv)
{
    struct catalog_job job = {0};
    struct common_options common;
    int first;

    common_options_init(&common);
    const struct option_spec own[] = {
        {"json", 0, NULL, OPTION_FLAG, &job.as_json, "one JSON object, for machines"}, {0}};
    const struct option_spec *const groups[] = {own, common.specs, NULL};
    const char *const titles[] = {"Form", "Common options"};
    const struct option_set set = {
        .usage = "catalog [services|carriers|orders|blockpages|injectors] [ID] [--json]",
        .description = "The services, carriers, orders, block pages and injectors that darkline "
                       "knows, with their "
                       "sources.",
        .groups = groups,
        .group_titles = titles,
        .footer = "Examples:\n  darkline catalog orders\n  darkline catalog blackberry-bes"};
    enum option_result parsed = options_parse(&set, argc, argv, &first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&common);
    if (!read_operands(&job, argv + first, argc - first)) {
        log_error("at most a kind (services, carriers, orders, blockpages or injectors) and an ID");
        return EXIT_USAGE;
    }
    struct catalog *catalog = common_open_catalog(&common);
    if (!catalog)
        return EXIT_FAILED;
    bool found = true;
    if (job.id)
        found = show_entry(catalog, &job);
    else
        show_all(catalog, &job);
    if (!found)
        log_error("the catalog has no %s", job.id);
    catalog_destroy(catalog);
    bool written = output_is_whole();
    return found && written ? EXIT_DONE : EXIT_FAILED;
}
