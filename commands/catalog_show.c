// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/catalog_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- what all entries have ---- */

void catalog_show_line(const char *label, const char *text)
{
    if (text && text[0])
        printf("  %-12s %s\n", label, text);
}

void catalog_show_list(const char *label, const char *const *items, size_t count, const char *none)
{
    printf("  %-12s ", label);
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i ? ", " : "", items[i]);
    printf("%s\n", count ? "" : none);
}

void catalog_show_sources(const struct catalog_source *sources, size_t count)
{
    puts("  sources");
    for (size_t i = 0; i < count; i++) {
        printf("    [%s] %s (checked %s)\n", sources[i].id, sources[i].title, sources[i].checked);
        if (sources[i].url)
            printf("      %s\n", sources[i].url);
    }
}

void catalog_json_sources(struct json *json, const struct catalog_source *sources, size_t count)
{
    json_key(json, "sources");
    json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(json);
        json_member_text(json, "id", sources[i].id);
        json_member_text(json, "title", sources[i].title);
        json_member_text(json, "url", sources[i].url);
        json_member_text(json, "checked", sources[i].checked);
        json_end_object(json);
    }
    json_end_array(json);
}

void catalog_json_list(struct json *json, const char *key, const char *const *items, size_t count)
{
    json_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        json_text(json, items[i]);
    json_end_array(json);
}

/* " (2019-12-05 to 2025-06-04: note) [source]" */
static void show_origin(const char *first, const char *last, const char *note, const char *source)
{
    const char *dash = first && last && strcmp(first, last) != 0 ? " to " : "";
    bool one_day = first && last && dash[0] == '\0';

    if (first || last || note)
        printf(" (%s%s%s%s%s%s)", first ? (last ? "" : "since ") : (last ? "until " : ""),
               first ? first : "", dash, last && !one_day ? last : "",
               (first || last) && note ? ": " : "", note ? note : "");
    printf(" [%s]\n", source);
}

static void json_origin(struct json *json, const char *first, const char *last, const char *source)
{
    json_member_text(json, "first_seen", first);
    json_member_text(json, "last_seen", last);
    json_member_text(json, "source", source);
}

/* ---- block pages ---- */

const struct catalog_blockpage *catalog_find_blockpage(const struct catalog *catalog,
                                                       const char *id)
{
    for (size_t i = 0; i < catalog_blockpage_count(catalog); i++)
        if (strcmp(catalog_blockpage_at(catalog, i)->id, id) == 0)
            return catalog_blockpage_at(catalog, i);
    return NULL;
}

static void print_countries(const char *const *countries, size_t count, int width)
{
    char text[32] = "-";
    size_t length = 0;

    for (size_t i = 0; i < count && length + 4 < sizeof(text); i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i ? "," : "",
                                   countries[i]);
    printf("%-*s", width, text);
}

void catalog_list_blockpages(const struct catalog *catalog)
{
    printf("%-28s %-12s %-10s %8s %7s  %s\n", "BLOCK PAGE", "SCOPE", "COUNTRIES", "PATTERNS",
           "SOURCES", "NAME");
    for (size_t i = 0; i < catalog_blockpage_count(catalog); i++) {
        const struct catalog_blockpage *p = catalog_blockpage_at(catalog, i);
        printf("%-28s %-12s ", p->id, p->scope);
        print_countries(p->countries, p->country_count, 10);
        printf(" %8zu %7zu  %s\n", p->pattern_count, p->source_count, p->name);
    }
}

void catalog_show_blockpage(const struct catalog_blockpage *page)
{
    printf("block page %s\n", page->id);
    catalog_show_line("name", page->name);
    catalog_show_line("scope", page->scope);
    catalog_show_list("countries", page->countries, page->country_count, "-");
    for (size_t i = 0; i < page->pattern_count; i++) {
        const struct catalog_pattern *p = &page->patterns[i];
        printf("  %-12s %s %s: %s%s", i ? "" : "patterns", p->where, p->match, p->text,
               p->confirmed ? "" : ", unconfirmed");
        show_origin(p->first_seen, p->last_seen, NULL, p->source);
    }
    catalog_show_sources(page->sources, page->source_count);
}

void catalog_json_blockpage(struct json *json, const struct catalog_blockpage *page)
{
    json_begin_object(json);
    json_member_text(json, "id", page->id);
    json_member_text(json, "name", page->name);
    json_member_text(json, "scope", page->scope);
    catalog_json_list(json, "countries", page->countries, page->country_count);
    json_key(json, "patterns");
    json_begin_array(json);
    for (size_t i = 0; i < page->pattern_count; i++) {
        const struct catalog_pattern *p = &page->patterns[i];
        json_begin_object(json);
        json_member_text(json, "where", p->where);
        json_member_text(json, "match", p->match);
        json_member_text(json, "pattern", p->text);
        json_member_bool(json, "confirmed", p->confirmed);
        json_origin(json, p->first_seen, p->last_seen, p->source);
        json_end_object(json);
    }
    json_end_array(json);
    catalog_json_sources(json, page->sources, page->source_count);
    json_end_object(json);
}

/* ---- injectors ---- */

const struct catalog_injector *catalog_find_injector(const struct catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog_injector_count(catalog); i++)
        if (strcmp(catalog_injector_at(catalog, i)->id, id) == 0)
            return catalog_injector_at(catalog, i);
    return NULL;
}

static bool is_named(const struct catalog_injector *injector)
{
    bool named = false;

    for (size_t i = 0; i < injector->packet_count; i++)
        named |= injector->packets[i].named;
    return named;
}

static bool is_kind_before(const struct catalog_injector *injector, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(injector->packets[j].kind, injector->packets[i].kind) == 0)
            return true;
    return false;
}

static void print_kinds(const struct catalog_injector *injector, int width)
{
    char text[32] = "";
    size_t length = 0;

    for (size_t i = 0; i < injector->packet_count && length + 6 < sizeof(text); i++)
        if (!is_kind_before(injector, i))
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
                                       length ? "," : "", injector->packets[i].kind);
    printf("%-*s", width, text);
}

void catalog_list_injectors(const struct catalog *catalog)
{
    printf("%-28s %-12s %-7s %-8s %-5s %7s  %s\n", "INJECTOR", "SCOPE", "COUNTRY", "SENDS", "NAMED",
           "SOURCES", "NAME");
    for (size_t i = 0; i < catalog_injector_count(catalog); i++) {
        const struct catalog_injector *n = catalog_injector_at(catalog, i);
        printf("%-28s %-12s %-7s ", n->id, n->scope, n->seen[0].country);
        print_kinds(n, 8);
        printf(" %-5s %7zu  %s\n", is_named(n) ? "yes" : "no", n->source_count, n->name);
    }
}

void catalog_show_injector(const struct catalog_injector *injector)
{
    printf("injector %s\n", injector->id);
    catalog_show_line("name", injector->name);
    catalog_show_line("scope", injector->scope);
    catalog_show_line("summary", injector->summary);
    for (size_t i = 0; i < injector->seen_count; i++) {
        const struct catalog_injector_seen *s = &injector->seen[i];
        printf("  %-12s %s", i ? "" : "seen", s->country);
        if (s->asn)
            printf(" AS%" PRIu32, s->asn);
        if (s->carrier)
            printf(" %s", s->carrier);
        show_origin(s->first_seen, s->last_seen, s->note, s->source);
    }
    for (size_t i = 0; i < injector->packet_count; i++) {
        const struct catalog_injector_packet *p = &injector->packets[i];
        printf("  %-12s %s\n", p->kind,
               p->named ? "telling enough to name it by"
                        : "what others send as well: names nothing");
        for (size_t j = 0; j < p->fact_count; j++) {
            const struct catalog_injector_fact *f = &p->facts[j];
            printf("    %-12s %s", f->what, f->is);
            show_origin(f->first_seen, f->last_seen, f->note, f->source);
        }
    }
    catalog_show_sources(injector->sources, injector->source_count);
}

static void json_packet(struct json *json, const struct catalog_injector_packet *packet)
{
    json_begin_object(json);
    json_member_text(json, "kind", packet->kind);
    json_member_bool(json, "named", packet->named);
    json_key(json, "features");
    json_begin_array(json);
    for (size_t i = 0; i < packet->fact_count; i++) {
        const struct catalog_injector_fact *f = &packet->facts[i];
        json_begin_object(json);
        json_member_text(json, "what", f->what);
        json_member_text(json, "is", f->is);
        json_member_text(json, "note", f->note);
        json_origin(json, f->first_seen, f->last_seen, f->source);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
}

static void json_seen(struct json *json, const struct catalog_injector_seen *seen)
{
    json_begin_object(json);
    json_member_text(json, "country", seen->country);
    json_member_text(json, "carrier", seen->carrier);
    json_member_unsigned(json, "asn", seen->asn);
    json_member_text(json, "note", seen->note);
    json_origin(json, seen->first_seen, seen->last_seen, seen->source);
    json_end_object(json);
}

void catalog_json_injector(struct json *json, const struct catalog_injector *injector)
{
    json_begin_object(json);
    json_member_text(json, "id", injector->id);
    json_member_text(json, "name", injector->name);
    json_member_text(json, "scope", injector->scope);
    json_member_text(json, "summary", injector->summary);
    json_key(json, "seen");
    json_begin_array(json);
    for (size_t i = 0; i < injector->seen_count; i++)
        json_seen(json, &injector->seen[i]);
    json_end_array(json);
    json_key(json, "packets");
    json_begin_array(json);
    for (size_t i = 0; i < injector->packet_count; i++)
        json_packet(json, &injector->packets[i]);
    json_end_array(json);
    catalog_json_sources(json, injector->sources, injector->source_count);
    json_end_object(json);
}
