// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_internal.h"

/* ---- building ---- */

static int host_index_append(struct host_index *index, struct host_entry entry)
{
    struct host_entry *entries =
        catalog_grow(index->entries, index->count, &index->capacity, sizeof(*entries));

    if (!entries) {
        return -ENOMEM;
    }
    index->entries = entries;
    if (!entry.name) {
        return DL_MALFORMED; /* the checks before this let none through */
    }
    entry.length = (uint8_t)strlen(entry.name);
    entries[index->count++] = entry;
    return DL_OK;
}

static int append_service(struct host_index *index, const struct raw_service *service)
{
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < service->name_count; i++) {
        const struct raw_name *raw = &service->names[i];
        status = host_index_append(
            index, (struct host_entry){.name = raw->suffix ? raw->suffix : raw->exact,
                                       .file = service->file,
                                       .service = service->public.number,
                                       .port = raw->port,
                                       .transport = (uint8_t)raw->transport,
                                       .role = (uint8_t)raw->role,
                                       .exact = raw->exact != NULL,
                                       .confirmed = raw->sure == SURE_CONFIRMED});
    }
    for (size_t i = 0; status == DL_OK && i < service->trap_count; i++) {
        const struct raw_trap *raw = &service->traps[i];
        status = host_index_append(
            index, (struct host_entry){.name = raw->suffix ? raw->suffix : raw->exact,
                                       .file = service->file,
                                       .service = service->public.number,
                                       .exact = raw->exact != NULL,
                                       .trap = true});
    }
    return status;
}

static int append_inventory(struct host_index *index, const struct catalog *catalog,
                            const struct inventory_list *list)
{
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < list->count; i++) {
        const struct raw_inventory *raw = &list->entries[i];
        if (raw->host) {
            struct host_entry entry = {
                .name = raw->host,
                .file = list->file,
                .service = catalog_service_find(catalog, raw->service)->number,
                .port = raw->port,
                .role = (uint8_t)catalog_usual_role(catalog, raw->service, raw->port),
                .confirmed = true,
                .inventory = true};
            status = host_index_append(index, entry);
        }
    }
    return status;
}

static int compare_flags(bool a, bool b)
{
    return (int)b - (int)a; /* true first */
}

/* By name, then in the order in which a lookup must ask. */
static int compare_entries(const void *left, const void *right)
{
    const struct host_entry *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    order = order ? order : compare_flags(a->inventory, b->inventory);
    order = order ? order : compare_flags(a->trap, b->trap);
    order = order ? order : compare_flags(a->exact, b->exact);
    order = order ? order : compare_flags(a->port != 0, b->port != 0);
    order = order ? order : (int)a->port - (int)b->port;
    order = order ? order : compare_flags(a->transport != 0, b->transport != 0);
    order = order ? order : (int)a->transport - (int)b->transport;
    return order ? order : (int)a->service - (int)b->service;
}

/* Would `entry` never be reached, or only by the chance of sorting? `before` precedes it; both are
 * of one name. */
static int check_pair(const struct host_entry *before, const struct host_entry *entry,
                      struct dl_error *error)
{
    const char *kind = entry->exact ? "exact" : "suffix";
    int status = DL_OK;

    if (before->inventory != entry->inventory) {
        status = DL_OK; /* the operator knows better */
    } else if (before->trap && !entry->trap && (!before->exact || entry->exact)) {
        status = catalog_refuse(error, entry->file, "%s %s can never match: it is a trap in %s",
                                kind, entry->name, before->file);
    } else if (before->trap == entry->trap && before->exact == entry->exact &&
               before->port == entry->port && before->transport == entry->transport &&
               !(entry->trap && before->service != entry->service)) {
        status =
            catalog_refuse(error, entry->file, "%s %s with the same port is also in %s", kind,
                           entry->name, before->file == entry->file ? "this file" : before->file);
    }
    return status;
}

/* Marks where each name ends, and enters it in the table. */
static int index_names(struct host_index *index, struct dl_error *error)
{
    const struct host_entry *traps[2] = {NULL, NULL}; /* of this name: suffix, exact */
    bool first = true;
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < index->count; i++) {
        struct host_entry *entry = &index->entries[i];
        if (first) {
            traps[0] = traps[1] = NULL;
            status = name_table_add(&index->names, entry->name, entry->length, (uint32_t)i);
        } else {
            status = check_pair(entry - 1, entry, error);
        }
        for (int exact = 0; exact < 2; exact++) {
            if (status == DL_OK && traps[exact]) {
                status = check_pair(traps[exact], entry, error);
            }
        }
        if (entry->trap) {
            traps[entry->exact] = entry;
        }
        entry->last = i + 1 == index->count || strcmp(entry->name, entry[1].name) != 0;
        first = entry->last;
    }
    return status;
}

int host_index_build(struct host_index *ret_index, const struct catalog *catalog,
                     struct dl_error *error)
{
    struct host_index index = {0};
    int status = name_table_init(&index.names);

    for (size_t i = 0; status == DL_OK && i < catalog->service_count; i++) {
        status = append_service(&index, catalog->services[i]);
    }
    for (size_t i = 0; status == DL_OK && i < catalog->inventory_count; i++) {
        status = append_inventory(&index, catalog, &catalog->inventories[i]);
    }
    if (status != DL_OK) {
        goto out;
    }
    if (index.count > 0) {
        qsort(index.entries, index.count, sizeof(*index.entries), compare_entries);
    }
    status = index_names(&index, error);
    if (status != DL_OK) {
        goto out;
    }
    *ret_index = index;
    index = (struct host_index){0};
out:
    host_index_finish(&index);
    return status;
}

void host_index_finish(struct host_index *index)
{
    name_table_finish(&index->names);
    free(index->entries);
    *index = (struct host_index){0};
}

/* ---- asking ---- */

enum answer { ANSWER_NONE, ANSWER_TRAP, ANSWER_MATCH };

static struct catalog_match match_of(const struct host_entry *entry, uint16_t port)
{
    return (struct catalog_match){.service = entry->service,
                                  .role = (enum role)entry->role,
                                  .confirmed = entry->confirmed,
                                  .inventory = entry->inventory,
                                  .specific = entry->port != 0 && entry->port == port};
}

/* Where the port is not known (a DNS question), entries for several ports of one service still name
 * it. */
static enum answer answer_without_port(const struct host_entry *entry,
                                       struct catalog_match *ret_match, enum answer so_far)
{
    struct catalog_match match = match_of(entry, 0);
    enum answer answer = ANSWER_MATCH;

    if (so_far == ANSWER_NONE) {
        *ret_match = match;
    } else if (so_far == ANSWER_TRAP || ret_match->service != match.service) {
        answer = ANSWER_TRAP; /* several services: no name for it */
    } else {
        ret_match->role = ret_match->role == match.role ? match.role : ROLE_NONE;
        ret_match->confirmed = ret_match->confirmed && match.confirmed;
    }
    return answer;
}

static bool applies(const struct host_entry *entry, bool whole, enum transport transport)
{
    return (whole || !entry->exact) &&
           (entry->transport == TRANSPORT_NONE || transport == TRANSPORT_NONE ||
            entry->transport == transport);
}

/* All entries of one name, in their order. `whole`: it is the host itself, not a suffix of it. */
static enum answer ask_name(const struct host_entry *entry, bool whole, enum transport transport,
                            uint16_t port, struct catalog_match *ret_match)
{
    enum answer answer = ANSWER_NONE;
    bool settled = false;

    for (bool more = true; more && !settled; more = !entry->last, entry++) {
        if (!applies(entry, whole, transport)) {
            continue;
        }
        if (entry->trap) {
            answer = answer == ANSWER_NONE ? ANSWER_TRAP : answer;
            settled = true;
        } else if (entry->port == 0 || entry->port == port) {
            *ret_match = match_of(entry, port);
            answer = ANSWER_MATCH;
            settled = true;
        } else if (port == 0) {
            answer = answer_without_port(entry, ret_match, answer);
        }
    }
    return answer;
}

bool catalog_match_host(const struct catalog *catalog, const char *host, size_t length,
                        enum transport transport, uint16_t port, struct catalog_match *ret_match)
{
    const struct host_index *index = &catalog->hosts;
    enum answer answer = ANSWER_NONE;
    struct catalog_match match = {0};
    struct host_text text;
    unsigned first;

    if (!host_text_init(&text, host, length)) {
        return false;
    }
    first =
        text.label_count > index->names.labels_max ? text.label_count - index->names.labels_max : 0;
    for (unsigned i = first; answer == ANSWER_NONE && i < text.label_count; i++) {
        size_t start = text.starts[i];
        const struct name_slot *slot =
            name_table_find(&index->names, text.text + start, text.length - start);
        if (slot) {
            answer = ask_name(&index->entries[slot->value], i == 0, transport, port, &match);
        }
    }
    if (answer == ANSWER_MATCH) {
        *ret_match = match;
    }
    return answer == ANSWER_MATCH;
}
