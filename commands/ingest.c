// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/ingest_internal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "probe/capture/filter.h"
#include "probe/capture/inputs.h"
#include "probe/classify/dpi.h"
#include "probe/probe.h"
#include "store/store.h"

#define PROGRESS_EVERY_US  (CLOCK_SECOND_US / 5)
#define DATABASES_TEXT_MAX 2048

const struct catalog *ingest_catalog(const struct ingest *ingest)
{
    return ingest->catalog;
}

/* ---- opening ---- */

static void vantage_from_options(struct ingest *ingest)
{
    const struct ingest_options *o = ingest->options;
    struct vantage_draft *draft = &ingest->given;
    struct vantage *v = &draft->vantage;
    if (o->probe_id)
        snprintf(v->probe_id, sizeof(v->probe_id), "%s", o->probe_id),
            draft->set |= VANTAGE_PROBE_ID;
    if (o->carrier)
        snprintf(v->carrier, sizeof(v->carrier), "%s", o->carrier), draft->set |= VANTAGE_CARRIER;
    if (o->country)
        snprintf(v->country, sizeof(v->country), "%c%c", toupper(o->country[0]),
                 toupper(o->country[1])),
            draft->set |= VANTAGE_COUNTRY;
    if (o->given_asn)
        v->asn = (uint32_t)o->asn, draft->set |= VANTAGE_ASN;
    if (o->given_network)
        v->network = (enum network_kind)o->network, draft->set |= VANTAGE_NETWORK;
    if (o->given_position)
        v->position = (enum position)o->position, draft->set |= VANTAGE_POSITION;
    if (o->given_origin)
        v->origin = (enum origin)o->origin, draft->set |= VANTAGE_ORIGIN;
}

static bool is_country(const char *text)
{
    return isalpha((unsigned char)text[0]) && isalpha((unsigned char)text[1]) && text[2] == '\0';
}

/* A capture filter that fits no kind of link is a slip of the pen: told before a store is made. */
static bool filter_is_sound(const char *text)
{
    struct dl_error error = {0};
    struct filter *filter = NULL;
    int status = text ? filter_create(&filter, text, &error) : DL_OK;
    if (status != DL_OK)
        log_error("%s", dl_error_text(&error, status));
    filter_destroy(filter);
    return status == DL_OK;
}

static bool options_are_sound(const struct ingest *ingest)
{
    const struct ingest_options *o = ingest->options;
    if (o->country && !is_country(o->country)) {
        log_error("--country takes two letters, not %s", o->country);
        return false;
    }
    if (o->carrier && !catalog_carrier_find(ingest->catalog, o->carrier) &&
        strncmp(o->carrier, "as", 2) != 0) {
        log_error("the catalog has no carrier %s; see darkline catalog carriers, or use as<N>",
                  o->carrier);
        return false;
    }
    if (o->given_asn && (o->asn == 0 || o->asn > UINT32_MAX)) {
        log_error("--asn takes a number from 1 to 4294967295");
        return false;
    }
    if (o->memory && o->memory < PROBE_MEMORY_LEAST) {
        log_error("--memory must be at least 16M");
        return false;
    }
    return filter_is_sound(o->filter);
}

/* One store, one key: else its clients could not be told apart, nor known again. */
int ingest_check_epoch(struct ingest *ingest, struct dl_error *error)
{
    const char *path = ingest->store_path, *epoch = NULL;
    struct store_reader *reader = NULL;
    int status = store_reader_open(&reader, &path, 1, error);
    if (status == DL_OK && store_reader_input_count(reader) > 0)
        epoch = store_reader_meta(reader, 1, "key_epoch");
    if (epoch && strcmp(epoch, key_epoch(ingest->key)) != 0)
        status = dl_error_set(error, DL_NO_KEY,
                              "%s: not the key (%s) of the clients in %s: name that with --key, or "
                              "begin a new store",
                              ingest->key_path, epoch, path);
    store_reader_close(reader);
    return status;
}

/* What else than packets the rows rest on; a report names it. */
static int put_versions(struct ingest *ingest, struct dl_error *error)
{
    struct buffer databases;
    char built[CLOCK_TEXT_SIZE];
    int status = store_put_meta(ingest->store, "fingerprints",
                                fingerprints_version(ingest->fingerprints), error);

    buffer_init(&databases, DATABASES_TEXT_MAX);
    for (size_t i = 0; i < geo_database_count(ingest->geo); i++) {
        const struct geo_database *database = geo_database_at(ingest->geo, i);
        buffer_printf(&databases, "%s%s of %.10s", i ? ", " : "", database->type,
                      clock_format(database->built_us, built));
    }
    if (status == DL_OK)
        status = store_put_meta(ingest->store, "ndpi_version", dpi_version(), error);
    if (status == DL_OK && databases.length > 0)
        status = store_put_meta(ingest->store, "geo", buffer_text(&databases), error);
    buffer_finish(&databases);
    return status;
}

static int open_parts(struct ingest *ingest, struct dl_error *error)
{
    const struct ingest_options *o = ingest->options;
    int status = digest_setup();
    if (status == DL_OK && o->inventory)
        status = catalog_add_inventory(ingest->catalog, o->inventory, error);
    if (status == DL_OK && o->watchlist)
        status = catalog_add_watchlist(ingest->catalog, o->watchlist, error);
    if (status == DL_OK)
        status = ingest_open_fingerprints(ingest, error);
    if (status == DL_OK)
        status =
            geo_open(&ingest->geo, ingest->common->geo.items, ingest->common->geo.count, error);
    if (status == DL_OK) {
        struct store_create_info info = {.version = DARKLINE_VERSION,
                                         .catalog_version = catalog_version(ingest->catalog)};
        status = store_open(&ingest->store, ingest->store_path, &info, error);
    }
    bool new_key = !o->keep_addresses && access(ingest->key_path, F_OK) != 0;
    if (status == DL_OK && !o->keep_addresses)
        status = key_open(&ingest->key, ingest->key_path, true, error);
    if (status == DL_OK && new_key && o->key) /* a mistyped name would begin a new fleet */
        log_info("%s: a new key of pseudonyms was made", ingest->key_path);
    if (status == DL_OK && ingest->key)
        status = ingest_check_epoch(ingest, error);
    if (status == DL_OK && ingest->key)
        status = store_put_meta(ingest->store, "key_epoch", key_epoch(ingest->key), error);
    if (status == DL_OK)
        status = put_versions(ingest, error);
    if (status == DL_OK)
        status = ingest_open_workers(ingest, error);
    return status;
}

static void ingest_destroy(struct ingest *ingest)
{
    workers_destroy(ingest->workers);
    for (unsigned i = 0; i < ARRAY_LENGTH(ingest->keys); i++)
        key_destroy(ingest->keys[i]);
    key_destroy(ingest->key);
    geo_close(ingest->geo);
    fingerprints_destroy(ingest->fingerprints);
    catalog_destroy(ingest->catalog);
    free(ingest);
}

struct ingest *ingest_open(const struct ingest_options *options,
                           const struct common_options *common, const char *store_path, bool hash,
                           int *ret_exit)
{
    struct dl_error error = {0};
    *ret_exit = EXIT_FAILED;
    struct ingest *ingest = calloc(1, sizeof(*ingest));
    if (!ingest)
        return NULL;
    ingest->options = options;
    ingest->common = common;
    ingest->hash = hash;
    int store_length = snprintf(ingest->store_path, sizeof(ingest->store_path), "%s", store_path);
    int key_length = snprintf(ingest->key_path, sizeof(ingest->key_path), "%s%s",
                              options->key ? options->key : store_path, options->key ? "" : ".key");
    if (MAX_OF(store_length, key_length) >= PATH_MAX) {
        log_error("%.60s...: the name is too long", store_path);
        goto fail;
    }
    ingest->catalog = common_open_catalog(common);
    if (!ingest->catalog)
        goto fail;
    if (!options_are_sound(ingest)) {
        *ret_exit = EXIT_USAGE;
        goto fail;
    }
    int status = open_parts(ingest, &error);
    if (status != DL_OK) {
        log_error("%s", dl_error_text(&error, status));
        store_close(ingest->store, NULL);
        goto fail;
    }
    vantage_from_options(ingest);
    ingest_watch_signals();
    *ret_exit = EXIT_DONE;
    return ingest;
fail:
    ingest_destroy(ingest);
    return NULL;
}

/* ---- one input ---- */

static void progress(struct ingest *ingest, struct capture *capture, const char *name,
                     int64_t began_us)
{
    int64_t now = clock_monotonic_us();
    char left[CLOCK_TEXT_SIZE] = "";
    if (now - ingest->progress_us < PROGRESS_EVERY_US || !log_progress_wanted())
        return;
    ingest->progress_us = now;
    struct capture_stats stats;
    capture_get_stats(capture, &stats);
    double seconds = (double)(now - began_us) / 1e6;
    double share = stats.file_size ? (double)stats.file_offset / (double)stats.file_size : 0;
    if (share > 0)
        clock_format_duration((int64_t)((double)(now - began_us) * (1 - share) / share), left);
    log_progress(
        "%s: %.0f %%, %.1f MB, %.2f Mpps%s%s", name, share * 100, (double)stats.file_offset / 1e6,
        seconds > 0 ? (double)stats.packets / seconds / 1e6 : 0, left[0] ? ", left " : "", left);
}

bool ingest_store_failed(struct ingest *ingest, int status, const struct dl_error *error)
{
    if (status == DL_OK)
        return false;
    log_error("%s", dl_error_text(error, status));
    ingest->broken = true;
    return true;
}

/* What was not understood, dropped or refused in this input. */
static int store_notes(struct ingest *ingest, uint32_t input, const struct capture_stats *capture,
                       struct dl_error *error)
{
    struct workers_stats all;
    workers_get_stats(ingest->workers, &all);
    const struct probe_stats now = all.probe, *before = &ingest->before.probe;
    const struct {
        const char *kind;
        uint64_t count;
    } notes[] = {
        {"flows that left early because the table was full", now.evicted - before->evicted},
        {"flows looked at with less room than they wanted",
         now.parts_refused - before->parts_refused},
        {"ICMP errors about flows not in the capture", now.icmp_unmatched - before->icmp_unmatched},
        {"file blocks of kinds not read", capture->blocks_skipped},
        {"packets dropped by the kernel", capture->kernel_dropped},
        {"packets dropped by the interface", capture->interface_dropped},
        {"packets the capturing program says it lost", capture->file_dropped},
        {"packets dropped because the threads that look at them were behind",
         all.dropped - ingest->before.dropped},
        {"flows tagged without a look inside because packets came too fast",
         now.shed - before->shed},
        {"flows that could not be stored", all.rows_lost - ingest->before.rows_lost},
    };
    int status = DL_OK;
    for (unsigned i = DECODE_OK + 1; status == DL_OK && i < DECODE_KIND_COUNT; i++)
        if (now.decode[i] > before->decode[i])
            status = store_put_note(ingest->store, input, decode_kind_text((enum decode_kind)i),
                                    now.decode[i] - before->decode[i], error);
    for (size_t i = 0; status == DL_OK && i < ARRAY_LENGTH(notes); i++)
        if (notes[i].count)
            status = store_put_note(ingest->store, input, notes[i].kind, notes[i].count, error);
    return status;
}

void ingest_draft(struct ingest *ingest, const char *path, struct vantage_draft *ret_draft)
{
    char file[PATH_MAX];
    struct vantage_draft beside;
    struct dl_error error = {0};
    *ret_draft = ingest->given;
    if (!path || !vantage_path(file, sizeof(file), path))
        return;
    int status = vantage_read(&beside, file, &error);
    if (status == DL_OK)
        vantage_merge(ret_draft, &beside);
    else if (status != -ENOENT)
        log_warning("%s; going on without it", dl_error_text(&error, status));
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

uint64_t ingest_lost(struct ingest *ingest, const struct capture_stats *stats)
{
    struct workers_stats workers;
    workers_get_stats(ingest->workers, &workers);
    return stats->kernel_dropped + stats->interface_dropped + stats->file_dropped +
           workers.dropped - ingest->before.dropped;
}

void ingest_record_update(struct ingest *ingest, struct input_record *record,
                          const struct capture_stats *stats)
{
    record->packets = stats->packets;
    record->bytes = stats->bytes;
    record->lost = ingest_lost(ingest, stats);
    record->first_us = stats->first_us;
    record->last_us = stats->last_us;
}

void ingest_cover(const struct input_record *record, const struct coverage_span *span,
                  int64_t to_us, struct coverage_record *ret_coverage)
{
    *ret_coverage = (struct coverage_record){.input = record->number,
                                             .from_us = span->from_us,
                                             .to_us = to_us,
                                             .link_up = span->link_up,
                                             .packets = record->packets - span->packets,
                                             .lost = record->lost - span->lost};
}

static int store_last_coverage(struct ingest *ingest, const struct input_record *record,
                               const struct coverage_span *last, int64_t to_us,
                               struct dl_error *error)
{
    const struct coverage_span all = {.from_us = record->first_us, .link_up = true};
    struct coverage_record coverage;
    if (!last && record->packets == 0)
        return DL_OK;
    ingest_cover(record, last ? last : &all, last ? to_us : record->last_us, &coverage);
    return store_put_coverage(ingest->store, &coverage, error);
}

void ingest_finish_input(struct ingest *ingest, struct capture *capture,
                         struct input_record *record, struct vantage_draft *draft,
                         const struct coverage_span *last, int64_t to_us)
{
    struct dl_error error = {0};
    struct capture_stats stats;
    struct workers_stats now, *before = &ingest->before;
    int status = workers_end_input(ingest->workers, &error);
    capture_get_stats(capture, &stats);
    workers_get_stats(ingest->workers, &now);
    ingest_record_update(ingest, record, &stats);
    ingest_settle_vantage(ingest, draft, stats.last_us);
    record->vantage = draft->vantage;
    if (status == DL_OK)
        status = store_notes(ingest, record->number, &stats, &error);
    if (status == DL_OK)
        status = store_last_coverage(ingest, record, last, to_us, &error);
    if (status == DL_OK)
        status = store_update_input(ingest->store, record, &error);
    if (status == DL_OK)
        status = store_commit(ingest->store, true, &error);
    ingest_store_failed(ingest, status, &error);
    ingest->result.packets += stats.packets;
    ingest->result.bytes += stats.bytes;
    ingest->result.lost += record->lost;
    ingest->result.flows +=
        now.probe.flows + now.probe.questions - before->probe.flows - before->probe.questions;
    ingest->result.stored +=
        now.probe.stored - before->probe.stored - (now.rows_lost - before->rows_lost);
    ingest->result.counted += now.probe.counted - before->probe.counted;
    ingest->result.shed += now.probe.shed - before->probe.shed;
    ingest->result.rows_lost += now.rows_lost - before->rows_lost;
}

int ingest_begin_input(struct ingest *ingest, struct input_record *record,
                       const struct vantage_draft *draft, struct capture *capture,
                       struct dl_error *error)
{
    record->vantage = draft->vantage;
    int status = store_begin_input(ingest->store, record, error);
    if (status != DL_OK)
        return status;
    memset(ingest->votes, 0, sizeof(ingest->votes));
    workers_get_stats(ingest->workers, &ingest->before);
    workers_begin_input(ingest->workers, record->number, &draft->vantage, capture);
    return DL_OK;
}

int ingest_start(struct ingest *ingest, struct dl_error *error)
{
    int status = ingest->started ? DL_OK : workers_start(ingest->workers, error);
    ingest->started = status == DL_OK;
    return status;
}

/* ---- files ---- */

/* While a pipe is silent what came before must not wait for its commit. */
static bool on_idle(void *context)
{
    struct ingest *ingest = context;
    workers_flush(ingest->workers);
    return !ingest_stop_wanted;
}

/* Reads frames until the end. What ended it: DL_END, damage, or -EINTR. */
static int read_frames(struct ingest *ingest, struct capture *capture, const char *name,
                       struct dl_error *error)
{
    bool store_failed;
    int64_t began_us = clock_monotonic_us();
    int damage = DL_END;
    capture_on_idle(capture, on_idle, ingest);
    for (;;) {
        int status = workers_read(ingest->workers, -1, 0, &store_failed, error);
        if (store_failed && ingest_store_failed(ingest, status, error))
            return status;
        if (status == DL_END)
            return damage;
        if (status == -EINTR)
            return status;
        if (status != DL_OK) { /* told once; what comes next is the end */
            log_progress_end();
            log_warning("%s", dl_error_text(error, status));
            damage = status;
            continue;
        }
        progress(ingest, capture, name, began_us);
        if (ingest_stop_wanted)
            return -EINTR;
    }
}

static void file_one(struct ingest *ingest, const struct input_file *file)
{
    struct dl_error error = {0};
    struct capture *capture = NULL;
    struct vantage_draft draft;
    struct input_record record = {.size = file->size, .has_fingerprint = file->has_fingerprint};
    const char *name = strcmp(file->path, "-") == 0 ? "standard input" : base_name(file->path);
    memcpy(record.fingerprint, file->fingerprint, sizeof(record.fingerprint));
    snprintf(record.path, sizeof(record.path), "%s", name);
    if (file->has_fingerprint && store_has_input(ingest->store, file->fingerprint)) {
        log_info("%s: already in the store, skipped", file->path);
        ingest->result.skipped++;
        return;
    }
    int status = ingest_await_bytes(file->path)
                     ? capture_open_file(&capture, file->path, ingest->options->filter, &error)
                     : -EINTR;
    if (status == -EINTR) {
        ingest->result.interrupted = true;
        return;
    }
    if (status != DL_OK) {
        log_error("%s", dl_error_text(&error, status));
        ingest->result.failed++;
        return;
    }
    if (ingest->hash && file->has_fingerprint)
        record.has_sha256 = input_sha256(file->path, record.sha256) == DL_OK;
    ingest_draft(ingest, file->path, &draft);
    status = ingest_begin_input(ingest, &record, &draft, capture, &error);
    if (ingest_store_failed(ingest, status, &error))
        goto done;
    record.status = read_frames(ingest, capture, name, &error);
    log_progress_end();
    if (!ingest->broken) {
        bool interrupted = record.status == -EINTR;
        ingest->result.damaged += record.status != DL_END && !interrupted;
        record.complete = !interrupted;
        record.status = record.status == DL_END ? DL_OK : record.status;
        ingest->result.interrupted |= interrupted;
        ingest_finish_input(ingest, capture, &record, &draft, NULL, 0);
        ingest->result.inputs++;
        log_debug("%s: %s, %" PRIu64 " packets", name, capture_kind(capture), record.packets);
    } else {
        workers_end_input(ingest->workers, NULL);
    }
done:
    capture_close(capture);
}

static void on_problem(void *context, const char *path, int status, const char *text)
{
    struct ingest *ingest = context;
    if (status == DL_DUPLICATE) {
        log_info("%s: %s", path, text);
        ingest->result.skipped++;
    } else {
        log_error("%s: %s", path, text);
        ingest->result.failed++;
    }
}

int ingest_files(struct ingest *ingest, const char *const *words, size_t count)
{
    struct input_list list = {0};
    struct dl_error error = {0};
    uint64_t failed = ingest->result.failed;
    int status = ingest_confine(ingest, words, count, NULL, &error);
    if (status == DL_OK)
        status = ingest_start(ingest, &error);
    if (status != DL_OK) {
        log_error("%s", dl_error_text(&error, status));
        ingest->result.failed++;
        return status;
    }
    status = input_list_expand(&list, words, count, on_problem, ingest);
    if (status != DL_OK) {
        if (ingest->result.failed == failed && ingest->result.skipped == 0) {
            log_error("%s: no captures there", words[0]);
            ingest->result.failed++;
        }
        return status;
    }
    if (list.passed_over)
        log_debug("%zu other files passed over", list.passed_over);
    for (size_t i = 0; i < list.count && !ingest->broken && !ingest_stop_wanted; i++)
        file_one(ingest, &list.files[i]);
    input_list_finish(&list);
    return DL_OK;
}

/* ---- closing ---- */

static void say_result(const struct ingest *ingest)
{
    const struct ingest_result *r = &ingest->result;
    log_info("%" PRIu64 " input%s, %" PRIu64 " packets, %" PRIu64 " flows: %" PRIu64
             " stored, %" PRIu64 " only counted; store: %s",
             r->inputs, r->inputs == 1 ? "" : "s", r->packets, r->flows, r->stored, r->counted,
             ingest->store_path);
    struct workers_stats workers;
    workers_get_stats(ingest->workers, &workers);
    log_debug("at most %u flows at once; %.1f MB held for flows and their parts",
              workers.probe.flows_peak, (double)workers.probe.memory / 1e6);
    if (r->shed)
        log_warning("inspection shed for %" PRIu64 " flows: packets came too fast", r->shed);
    if (r->rows_lost)
        log_warning("%" PRIu64 " flows could not be stored", r->rows_lost);
    if (r->lost)
        log_warning("%" PRIu64 " packets were lost before they could be seen", r->lost);
    if (r->damaged)
        log_warning("%" PRIu64 " input%s damaged; everything before the damage is kept", r->damaged,
                    r->damaged == 1 ? " was" : "s were");
    if (r->interrupted)
        log_warning("interrupted: the input under way was not read to its end and will be read "
                    "anew next time");
}

int ingest_close(struct ingest *ingest, struct ingest_result *ret_result)
{
    struct dl_error error = {0};
    const struct ingest_result *r = &ingest->result;
    int status = store_close(ingest->store, &error);
    if (status != DL_OK && !ingest->broken)
        log_error("%s", dl_error_text(&error, status));
    ingest_leave(ingest);
    say_result(ingest);
    int code = EXIT_DONE;
    if (status != DL_OK || ingest->broken || (r->inputs == 0 && r->skipped == 0) || r->interrupted)
        code = EXIT_FAILED;
    else if (r->damaged || r->lost || r->failed || r->rows_lost)
        code = EXIT_DAMAGED;
    if (ret_result)
        *ret_result = *r;
    ingest_destroy(ingest);
    return code;
}
