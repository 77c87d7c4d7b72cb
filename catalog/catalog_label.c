// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_internal.h"

/* ---- words that mean one service: nDPI names, ALPN ids ---- */

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* As strcasecmp(), but the same in every locale. */
static int compare_caseless(const char *a, const char *b)
{
    while (*a != '\0' && ascii_lower(*a) == ascii_lower(*b)) {
        a++;
        b++;
    }
    return (unsigned char)ascii_lower(*a) - (unsigned char)ascii_lower(*b);
}

static int compare_ndpi(const void *left, const void *right)
{
    const struct label_entry *a = left, *b = right;

    return compare_caseless(a->text, b->text);
}

static int compare_alpn(const void *left, const void *right)
{
    const struct label_entry *a = left, *b = right;

    return strcmp(a->text, b->text);
}

static const char *const *labels_of(const struct raw_service *service, bool ndpi, size_t *ret_count)
{
    *ret_count = ndpi ? service->ndpi_count : service->alpn_count;
    return ndpi ? service->ndpi : service->alpn;
}

static int check_labels(const struct label_index *index, const char *kind,
                        int (*compare)(const void *, const void *), struct dl_error *error)
{
    for (size_t i = 1; i < index->count; i++) {
        const struct label_entry *a = &index->entries[i - 1], *b = &index->entries[i];
        if (compare(a, b) == 0) {
            return catalog_refuse(error, b->file, "%s '%s' is also in %s", kind, b->text,
                                  a->service == b->service ? "this file" : a->file);
        }
    }
    return DL_OK;
}

static int label_index_build(struct label_index *ret_index, const struct catalog *catalog,
                             bool ndpi, struct dl_error *error)
{
    int (*compare)(const void *, const void *) = ndpi ? compare_ndpi : compare_alpn;
    struct label_index index = {0};
    size_t count, total = 0;
    int status = -ENOMEM;

    for (size_t i = 0; i < catalog->service_count; i++) {
        labels_of(catalog->services[i], ndpi, &count);
        total += count;
    }
    index.entries = calloc(total + 1, sizeof(*index.entries));
    if (!index.entries) {
        goto out;
    }
    for (size_t i = 0; i < catalog->service_count; i++) {
        const struct raw_service *service = catalog->services[i];
        const char *const *labels = labels_of(service, ndpi, &count);
        for (size_t j = 0; j < count; j++) {
            index.entries[index.count++] =
                (struct label_entry){labels[j], service->file, service->public.number};
        }
    }
    qsort(index.entries, index.count, sizeof(*index.entries), compare);
    status = check_labels(&index, ndpi ? "ndpi" : "alpn", compare, error);
    if (status == DL_OK) {
        *ret_index = index;
        index.entries = NULL;
    }
out:
    free(index.entries);
    return status;
}

int label_index_build_ndpi(struct label_index *ret_index, const struct catalog *catalog,
                           struct dl_error *error)
{
    return label_index_build(ret_index, catalog, true, error);
}

int label_index_build_alpn(struct label_index *ret_index, const struct catalog *catalog,
                           struct dl_error *error)
{
    return label_index_build(ret_index, catalog, false, error);
}

static bool match_label(const struct label_index *index, const char *text,
                        int (*compare)(const void *, const void *), struct catalog_match *ret_match)
{
    struct label_entry key = {.text = text};
    const struct label_entry *found =
        text ? bsearch(&key, index->entries, index->count, sizeof(key), compare) : NULL;

    if (found) {
        *ret_match = (struct catalog_match){.service = found->service, .confirmed = true};
    }
    return found != NULL;
}

bool catalog_match_ndpi(const struct catalog *catalog, const char *ndpi_name,
                        struct catalog_match *ret_match)
{
    return match_label(&catalog->ndpi, ndpi_name, compare_ndpi, ret_match);
}

bool catalog_match_alpn(const struct catalog *catalog, const char *alpn,
                        struct catalog_match *ret_match)
{
    return match_label(&catalog->alpn, alpn, compare_alpn, ret_match);
}

/* ---- certificates ---- */

static size_t certificate_weight(const struct certificate_entry *entry)
{
    return (entry->issuer ? strlen(entry->issuer) : 0) +
           (entry->subject ? strlen(entry->subject) : 0);
}

/* The longest pattern first: it says most. */
static int compare_certificates(const void *left, const void *right)
{
    const struct certificate_entry *a = left, *b = right;
    size_t a_weight = certificate_weight(a), b_weight = certificate_weight(b);

    return a_weight != b_weight ? (a_weight < b_weight ? 1 : -1)
                                : (int)a->service - (int)b->service;
}

int certificate_index_build(struct certificate_entry **ret_entries, size_t *ret_count,
                            const struct catalog *catalog)
{
    struct certificate_entry *entries;
    size_t count = 0, total = 0;
    int status = -ENOMEM;

    for (size_t i = 0; i < catalog->service_count; i++) {
        total += catalog->services[i]->certificate_count;
    }
    entries = calloc(total + 1, sizeof(*entries));
    if (!entries) {
        goto out;
    }
    for (size_t i = 0; i < catalog->service_count; i++) {
        const struct raw_service *service = catalog->services[i];
        for (size_t j = 0; j < service->certificate_count; j++) {
            const struct raw_certificate *raw = &service->certificates[j];
            entries[count++] = (struct certificate_entry){
                raw->issuer, raw->subject, service->public.number, raw->sure == SURE_CONFIRMED};
        }
    }
    qsort(entries, count, sizeof(*entries), compare_certificates);
    *ret_entries = entries;
    *ret_count = count;
    status = DL_OK;
out:
    return status;
}

/* No pattern asks for nothing, so it fits. */
static bool holds_caseless(const char *text, const char *pattern)
{
    bool found = pattern == NULL;

    for (; text && !found && *text != '\0'; text++) {
        size_t i = 0;
        while (pattern[i] != '\0' && ascii_lower(text[i]) == ascii_lower(pattern[i])) {
            i++;
        }
        found = pattern[i] == '\0';
    }
    return found;
}

bool catalog_match_certificate(const struct catalog *catalog, const char *subject,
                               const char *issuer, struct catalog_match *ret_match)
{
    for (size_t i = 0; i < catalog->certificate_count; i++) {
        const struct certificate_entry *entry = &catalog->certificates[i];
        if (holds_caseless(issuer, entry->issuer) && holds_caseless(subject, entry->subject)) {
            *ret_match =
                (struct catalog_match){.service = entry->service, .confirmed = entry->confirmed};
            return true;
        }
    }
    return false;
}
