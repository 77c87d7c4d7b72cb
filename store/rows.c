// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/intern.h"
#include "store/store_internal.h"

/* ---- inputs ---- */

bool store_has_input(struct store *store, const uint8_t fingerprint[32])
{
    struct binder binder = store_bind(store, STATEMENT_HAS_INPUT);

    bind_blob(&binder, fingerprint, 32);
    bool found = sqlite3_step(binder.statement) == SQLITE_ROW;
    sqlite3_reset(binder.statement);
    return found;
}

static int store_put_input(struct store *store, const struct input_record *input,
                           struct dl_error *error)
{
    const struct vantage *vantage = &input->vantage;
    struct binder binder = store_bind(store, STATEMENT_INPUT);

    bind_integer(&binder, input->number);
    bind_text(&binder, input->path);
    bind_integer(&binder, (int64_t)input->size);
    bind_blob(&binder, input->has_fingerprint ? input->fingerprint : NULL, 32);
    bind_blob(&binder, input->has_sha256 ? input->sha256 : NULL, 32);
    bind_integer(&binder, (int64_t)input->packets);
    bind_integer(&binder, (int64_t)input->bytes);
    bind_integer(&binder, (int64_t)input->lost);
    bind_integer(&binder, input->first_us);
    bind_integer(&binder, input->last_us);
    bind_integer(&binder, input->status);
    bind_integer(&binder, input->complete);
    bind_text(&binder, vantage->probe_id);
    bind_text(&binder, vantage->carrier);
    bind_integer(&binder, vantage->asn);
    bind_text(&binder, vantage->country);
    bind_integer(&binder, vantage->network);
    bind_integer(&binder, vantage->position);
    bind_integer(&binder, vantage->clock);
    bind_integer(&binder, vantage->origin);
    return store_run(store, &binder, error);
}

/* Removes one input and all that was said of it. */
static int store_forget_input(struct store *store, int64_t number, struct dl_error *error)
{
    int status = store_write_waiting(store, error);

    for (int i = STATEMENT_FORGET_FLOWS; i <= STATEMENT_FORGET_INPUT && status == DL_OK; i++) {
        struct binder binder = store_bind(store, (enum statement)i);
        bind_integer(&binder, number);
        status = store_run(store, &binder, error);
    }
    return status;
}

static int store_forget_earlier(struct store *store, const uint8_t fingerprint[32],
                                struct dl_error *error)
{
    struct binder binder = store_bind(store, STATEMENT_EARLIER);
    int status = DL_OK, code = SQLITE_DONE;

    bind_blob(&binder, fingerprint, 32);
    while (status == DL_OK && (code = sqlite3_step(binder.statement)) == SQLITE_ROW) {
        int64_t number = sqlite3_column_int64(binder.statement, 0);
        sqlite3_reset(binder.statement); /* its row goes now; begin the search again */
        status = store_forget_input(store, number, error);
    }
    sqlite3_reset(binder.statement);
    return status == DL_OK && code != SQLITE_DONE ? store_fail(store, code, error) : status;
}

/* Whether an index is needed is seen at the end: kept up to date row by row it would cost more than
 * the rows. */
static int store_drop_index(struct store *store, struct dl_error *error)
{
    int code = SQLITE_OK;

    if (!store->index_dropped) {
        code = sqlite3_exec(store->db,
                            "DROP INDEX IF EXISTS flows_start;"
                            "DELETE FROM meta WHERE key = '" STORE_META_ORDER "'",
                            NULL, NULL, NULL);
        store->index_dropped = code == SQLITE_OK;
    }
    return code == SQLITE_OK ? DL_OK : store_fail(store, code, error);
}

int store_begin_input(struct store *store, struct input_record *input, struct dl_error *error)
{
    struct input_record numbered = *input;
    int status;

    if (store->last_input == STORE_INPUT_MAX) {
        return dl_error_set(error, DL_LIMIT, "%s: too many inputs", store->path);
    }
    if (input->has_fingerprint && store_has_input(store, input->fingerprint)) {
        return dl_error_set(error, DL_DUPLICATE, "%s: already holds %s", store->path, input->path);
    }
    status = store_enter(store, error);
    if (status == DL_OK) {
        status = store_drop_index(store, error);
    }
    if (status == DL_OK && input->has_fingerprint) {
        status = store_forget_earlier(store, input->fingerprint, error);
    }
    if (status == DL_OK) {
        numbered.number = store->last_input + 1;
        status = store_put_input(store, &numbered, error);
    }
    if (status == DL_OK) {
        input->number = ++store->last_input;
    }
    return store_leave(store, status, error);
}

int store_update_input(struct store *store, const struct input_record *input,
                       struct dl_error *error)
{
    int status = store_enter(store, error);

    if (status == DL_OK && (input->number == 0 || input->number > store->last_input)) {
        status = dl_error_set(error, DL_USAGE, "%s: has no input %u", store->path, input->number);
    }
    if (status == DL_OK) {
        status = store_put_input(store, input, error);
    }
    return store_leave(store, status, error);
}

/* ---- observations ---- */

/* Forgets the names known, but not their numbers. */
static bool store_renew_names(struct store *store)
{
    struct intern *names;

    if (intern_create(&names, STORE_NAMES_MAX, STORE_NAMES_BYTES_MAX) != DL_OK) {
        return false;
    }
    store->name_base += intern_count(store->names);
    intern_destroy(store->names);
    store->names = names;
    return true;
}

/* The number of a name in `strings`; 0 for none. */
static int store_name(struct store *store, const char *text, int64_t *ret_id,
                      struct dl_error *error)
{
    size_t length = text ? strlen(text) : 0;
    int status = DL_OK;

    if (length == 0) {
        *ret_id = 0;
        return DL_OK;
    }
    uint32_t known = intern_count(store->names);
    uint32_t number = intern_add(store->names, text, length);
    if (number == INTERN_NONE && store_renew_names(store)) {
        known = 0;
        number = intern_add(store->names, text, length);
    }
    if (number == INTERN_NONE) {
        return dl_error_set(error, DL_LIMIT, "%s: a name of %zu bytes is too long or out of memory",
                            store->path, length);
    }
    int64_t id = store->name_base + number;
    if (number > known) {
        struct binder binder = store_bind(store, STATEMENT_STRING);
        bind_integer(&binder, id);
        bind_text(&binder, text);
        status = store_run(store, &binder, error);
    }
    if (status == DL_OK) {
        *ret_id = id;
    }
    return status;
}

/* Most values are those of the row before: SQLite keeps what was bound. */
static void bind_again(struct store *store, struct binder *binder, int64_t value)
{
    int64_t *last = &store->bound[binder->at];

    if (store->is_bound && *last == value) {
        binder->at++;
        return;
    }
    *last = value;
    bind_integer(binder, value);
}

static void bind_again_or_null(struct store *store, struct binder *binder, int64_t value)
{
    int64_t *last = &store->bound[binder->at];

    if (store->is_bound && *last == value) {
        binder->at++;
        return;
    }
    *last = value;
    bind_integer_or_null(binder, value);
}

static void bind_end(struct binder *binder, const struct batch_end *end)
{
    bind_blob(binder, end->length ? end->bytes : NULL, end->length);
}

static int write_row(struct store *store, const struct batch_row *row, struct dl_error *error)
{
    struct binder binder = store_bind(store, STATEMENT_FLOW);
    const char *evidence = store->waiting.evidence.bytes + row->evidence_at;

    bind_integer(&binder, row->id);
    bind_integer(&binder, row->start_us);
    bind_integer(&binder, row->duration_us);
    bind_end(&binder, &row->ends[SIDE_CLIENT]);
    bind_again(store, &binder, row->ports[SIDE_CLIENT]);
    bind_end(&binder, &row->ends[SIDE_SERVER]);
    bind_again(store, &binder, row->ports[SIDE_SERVER]);
    bind_again(store, &binder, row->transport);
    bind_again_or_null(store, &binder, row->names[0]);
    bind_again_or_null(store, &binder, row->names[1]);
    bind_again_or_null(store, &binder, row->names[2]);
    bind_again(store, &binder, row->role);
    bind_again(store, &binder, row->certainty);
    bind_again(store, &binder, row->reasons);
    bind_again_or_null(store, &binder, row->dns_flow);
    bind_again(store, &binder, (int64_t)row->packets[SIDE_CLIENT]);
    bind_again(store, &binder, (int64_t)row->packets[SIDE_SERVER]);
    bind_again(store, &binder, (int64_t)row->bytes[SIDE_CLIENT]);
    bind_again(store, &binder, (int64_t)row->bytes[SIDE_SERVER]);
    bind_again(store, &binder, row->stage);
    bind_again(store, &binder, row->close);
    bind_again(store, &binder, row->flags);
    bind_again(store, &binder, row->certificate);
    bind_again_or_null(store, &binder, row->names[3]);
    bind_blob(&binder, row->evidence_length ? evidence : NULL, row->evidence_length);
    store->is_bound = true;
    return store_run(store, &binder, error);
}

int store_write_waiting(struct store *store, struct dl_error *error)
{
    struct batch *waiting = &store->waiting;
    int status = waiting->count > 0 ? store_drop_index(store, error) : DL_OK;

    batch_sort(waiting);
    for (uint32_t i = 0; i < waiting->count && status == DL_OK; i++) {
        status = write_row(store, &waiting->rows[waiting->places[i].row], error);
    }
    batch_clear(waiting);
    return status;
}

int store_put(struct store *store, const struct observation *observation, struct dl_error *error)
{
    const char *texts[STORE_FLOW_NAMES] = {observation->protocol, observation->service,
                                           observation->host, observation->issuer};
    int64_t names[STORE_FLOW_NAMES] = {0};
    int status = store_enter(store, error);

    if (status == DL_OK && (observation->input == 0 || observation->input > store->last_input ||
                            observation->packet > STORE_PACKET_MAX)) {
        status =
            dl_error_set(error, DL_USAGE, "%s: has no input %u or it no packet %llu", store->path,
                         observation->input, (unsigned long long)observation->packet);
    }
    for (int i = 0; i < STORE_FLOW_NAMES && status == DL_OK; i++) {
        status = store_name(store, texts[i], &names[i], error);
    }
    if (status == DL_OK) {
        int64_t id =
            (int64_t)((uint64_t)observation->input << STORE_PACKET_BITS | observation->packet);
        struct batch_row *row = batch_add(&store->waiting, id, observation);
        if (row) {
            memcpy(row->names, names, sizeof(names));
            store->rows++;
        } else {
            status = dl_error_set(error, -ENOMEM, "%s: out of memory", store->path);
        }
    }
    return store_leave(store, status, error);
}

/* ---- everything else ---- */

int store_put_meta(struct store *store, const char *key, const char *value, struct dl_error *error)
{
    int status = store_enter(store, error);

    if (status == DL_OK) {
        struct binder binder = store_bind(store, STATEMENT_META);
        bind_text(&binder, key);
        bind_text(&binder, value);
        status = store_run(store, &binder, error);
    }
    return store_leave(store, status, error);
}

int store_put_count(struct store *store, const struct hour_count *count, struct dl_error *error)
{
    int status = store_enter(store, error);

    if (status == DL_OK) {
        struct binder binder = store_bind(store, STATEMENT_COUNT);
        bind_integer(&binder, count->input);
        bind_integer(&binder, count->hour_us);
        bind_text(&binder, count->protocol ? count->protocol : "");
        bind_integer(&binder, (int64_t)count->flows);
        for (size_t i = 0; i < ARRAY_LENGTH(count->failed); i++) {
            bind_integer(&binder, (int64_t)count->failed[i]);
        }
        bind_integer(&binder, (int64_t)count->packets);
        bind_integer(&binder, (int64_t)count->bytes);
        bind_integer(&binder, (int64_t)count->clients);
        status = store_run(store, &binder, error);
    }
    return store_leave(store, status, error);
}

int store_put_coverage(struct store *store, const struct coverage_record *coverage,
                       struct dl_error *error)
{
    int status = store_enter(store, error);

    if (status == DL_OK) {
        struct binder binder = store_bind(store, STATEMENT_COVERAGE);
        bind_integer(&binder, coverage->input);
        bind_integer(&binder, coverage->from_us);
        bind_integer(&binder, coverage->to_us);
        bind_integer(&binder, coverage->link_up);
        bind_integer(&binder, (int64_t)coverage->packets);
        bind_integer(&binder, (int64_t)coverage->lost);
        status = store_run(store, &binder, error);
    }
    return store_leave(store, status, error);
}

int store_put_note(struct store *store, uint32_t input, const char *kind, uint64_t count,
                   struct dl_error *error)
{
    int status = store_enter(store, error);

    if (status == DL_OK) {
        struct binder binder = store_bind(store, STATEMENT_NOTE);
        bind_integer(&binder, input);
        bind_text(&binder, kind);
        bind_integer(&binder, (int64_t)count);
        status = store_run(store, &binder, error);
    }
    return store_leave(store, status, error);
}
