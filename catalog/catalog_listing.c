// SPDX-License-Identifier: GPL-3.0-or-later
/* Block pages and injectors in the form in which they are shown to people. */
#include <errno.h>
#include <stdlib.h>

#include "catalog/catalog_internal.h"

struct amounts {
    size_t patterns, packets, facts;
};

static struct amounts count_all(const struct catalog *catalog)
{
    struct amounts amounts = {0};

    for (size_t i = 0; i < catalog->blockpage_count; i++) {
        amounts.patterns += catalog->blockpages[i]->pattern_count;
    }
    for (size_t i = 0; i < catalog->injector_count; i++) {
        const struct raw_injector *injector = catalog->injectors[i];
        amounts.packets += injector->packet_count;
        for (size_t j = 0; j < injector->packet_count; j++) {
            amounts.facts +=
                injector->packets[j].feature_count + injector->packets[j].address_count;
        }
    }
    return amounts;
}

static void list_blockpage(struct listing *listing, size_t i, size_t *at,
                           const struct raw_blockpage *raw)
{
    struct catalog_pattern *patterns = &listing->patterns[*at];

    for (size_t j = 0; j < raw->pattern_count; j++) {
        const struct raw_pattern *pattern = &raw->patterns[j];
        patterns[j] = (struct catalog_pattern){.where = yaml_where_text(pattern->where),
                                               .match = yaml_match_text(pattern->kind),
                                               .text = pattern->text,
                                               .first_seen = pattern->first_seen,
                                               .last_seen = pattern->last_seen,
                                               .source = pattern->source,
                                               .confirmed = pattern->sure == SURE_CONFIRMED};
    }
    *at += raw->pattern_count;
    listing->blockpages[i] = (struct catalog_blockpage){.id = raw->id,
                                                        .name = raw->name,
                                                        .scope = yaml_scope_text(raw->scope),
                                                        .countries = raw->countries,
                                                        .country_count = raw->country_count,
                                                        .patterns = patterns,
                                                        .pattern_count = raw->pattern_count,
                                                        .sources = raw->sources,
                                                        .source_count = raw->source_count};
}

static void list_packet(struct listing *listing, struct amounts *at, const struct raw_packet *raw,
                        unsigned points)
{
    struct catalog_injector_fact *facts = &listing->facts[at->facts];

    for (size_t i = 0; i < raw->feature_count; i++) {
        const struct raw_feature *f = &raw->features[i];
        listing->facts[at->facts++] =
            (struct catalog_injector_fact){.what = injector_what_text(f->what),
                                           .is = f->is,
                                           .first_seen = f->first_seen,
                                           .last_seen = f->last_seen,
                                           .note = f->note,
                                           .source = f->source};
    }
    for (size_t i = 0; i < raw->address_count; i++) {
        const struct raw_poison *p = &raw->addresses[i];
        listing->facts[at->facts++] =
            (struct catalog_injector_fact){.what = injector_what_text(INJECTOR_ADDRESS),
                                           .is = p->block,
                                           .first_seen = p->first_seen,
                                           .last_seen = p->last_seen,
                                           .note = p->note,
                                           .source = p->source};
    }
    listing->packets[at->packets++] =
        (struct catalog_injector_packet){.kind = yaml_injector_kind_text(raw->kind),
                                         .named = points >= INJECTOR_NAMED_POINTS,
                                         .facts = facts,
                                         .fact_count = raw->feature_count + raw->address_count};
}

static void list_injector(struct listing *listing, const struct catalog *catalog, size_t i,
                          struct amounts *at)
{
    const struct raw_injector *raw = catalog->injectors[i];
    const struct injector *known = &catalog->injector_index.injectors[i];

    listing->injectors[i] = (struct catalog_injector){.id = raw->id,
                                                      .name = raw->name,
                                                      .summary = raw->summary,
                                                      .scope = yaml_injector_scope_text(raw->scope),
                                                      .packets = &listing->packets[at->packets],
                                                      .packet_count = raw->packet_count,
                                                      .seen = raw->seen,
                                                      .seen_count = raw->seen_count,
                                                      .sources = raw->sources,
                                                      .source_count = raw->source_count};
    for (size_t j = 0; j < raw->packet_count; j++) {
        list_packet(listing, at, &raw->packets[j], known->packets[j].points);
    }
}

int listing_build(struct listing *ret_listing, const struct catalog *catalog)
{
    struct amounts all = count_all(catalog), at = {0};
    struct listing listing = {
        .blockpages = calloc(catalog->blockpage_count + 1, sizeof(*listing.blockpages)),
        .patterns = calloc(all.patterns + 1, sizeof(*listing.patterns)),
        .injectors = calloc(catalog->injector_count + 1, sizeof(*listing.injectors)),
        .packets = calloc(all.packets + 1, sizeof(*listing.packets)),
        .facts = calloc(all.facts + 1, sizeof(*listing.facts))};

    if (!listing.blockpages || !listing.patterns || !listing.injectors || !listing.packets ||
        !listing.facts) {
        listing_finish(&listing);
        return -ENOMEM;
    }
    for (size_t i = 0; i < catalog->blockpage_count; i++) {
        list_blockpage(&listing, i, &at.patterns, catalog->blockpages[i]);
    }
    for (size_t i = 0; i < catalog->injector_count; i++) {
        list_injector(&listing, catalog, i, &at);
    }
    *ret_listing = listing;
    return DL_OK;
}

void listing_finish(struct listing *listing)
{
    free(listing->blockpages);
    free(listing->patterns);
    free(listing->injectors);
    free(listing->packets);
    free(listing->facts);
    *listing = (struct listing){0};
}
