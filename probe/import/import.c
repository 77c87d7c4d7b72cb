// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/import/import.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/digest.h"
#include "probe/capture/inputs.h"
#include "probe/import/import_internal.h"

#define BUCKETS        65536u
#define VANTAGES_FIRST 64u
#define BATCH_LINES    1024u

static const struct import_format *const formats[] = {&import_csv, &import_ooni};

const struct import_format *import_format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
        if (strcmp(formats[i]->name, name) == 0) {
            return formats[i];
        }
    }
    return NULL;
}

/* ---- texts ---- */

void import_country(const char *text, size_t length, char ret_country[3])
{
    bool good = length == 2 && isalpha((unsigned char)text[0]) && isalpha((unsigned char)text[1]);

    ret_country[0] = ret_country[1] = ret_country[2] = '\0';
    if (good) {
        ret_country[0] = (char)toupper((unsigned char)text[0]);
        ret_country[1] = (char)toupper((unsigned char)text[1]);
    }
    if (memcmp(ret_country, "ZZ", 2) == 0) { /* OONI: not told */
        ret_country[0] = ret_country[1] = '\0';
    }
}

uint32_t import_asn(const char *text, size_t length)
{
    uint64_t number = 0;

    if (length >= 2 && (text[0] | 0x20) == 'a' && (text[1] | 0x20) == 's') {
        text += 2;
        length -= 2;
    }
    if (length == 0 || length > 10) {
        return 0;
    }
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return 0;
        }
        number = 10 * number + (uint64_t)(text[i] - '0');
    }
    return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* The catalog's ids begin with the country ("pk-jazz"), OONI's with its name before it
 * ("ooni.ir_2"); of others nothing is known. */
bool import_page_is_from_abroad(const char *id, const char country[3])
{
    const char *name = strncmp(id, "ooni.", 5) == 0 ? id + 5 : id;

    if (country[0] == '\0' || !islower((unsigned char)name[0]) ||
        !islower((unsigned char)name[1]) || (name[2] != '-' && name[2] != '_')) {
        return false;
    }
    return toupper((unsigned char)name[0]) != country[0] ||
           toupper((unsigned char)name[1]) != country[1];
}

uint64_t import_hash(struct import_job *job, const char *text, size_t length)
{
    uint64_t hash = key_pseudonym_of_name(job->options->key, text, length);
    return hash ? hash : 1;
}

/* ---- vantages and their inputs ---- */

static void input_of(const struct import_job *job, const struct import_vantage *vantage,
                     uint32_t place, struct input_record *ret_record)
{
    struct vantage *who = &ret_record->vantage;
    const struct catalog_carrier *carrier =
        vantage->asn
            ? catalog_carrier_by_asn(job->options->catalog, vantage->asn, vantage->first_us)
            : NULL;

    *ret_record = job->record;
    ret_record->number = vantage->number;
    ret_record->packets = vantage->rows;
    ret_record->first_us = vantage->first_us;
    ret_record->last_us = vantage->last_us;
    *who = (struct vantage){.asn = vantage->asn,
                            .network = (enum network_kind)vantage->network,
                            .origin = ORIGIN_IMPORTED};
    memcpy(who->probe_id, vantage->probe_id, sizeof(who->probe_id));
    memcpy(who->country, vantage->country, sizeof(who->country));
    if (vantage->carrier[0]) {
        memcpy(who->carrier, vantage->carrier, sizeof(who->carrier));
    } else if (carrier) {
        snprintf(who->carrier, sizeof(who->carrier), "%s", carrier->id);
    } else if (vantage->asn) {
        snprintf(who->carrier, sizeof(who->carrier), "as%u", vantage->asn);
    }
    if (place > 0 && ret_record->has_fingerprint) {
        uint8_t bytes[36];
        memcpy(bytes, job->record.fingerprint, 32);
        memcpy(bytes + 32, &place, 4);
        digest_sha256(bytes, sizeof(bytes), ret_record->fingerprint);
    }
}

static bool same_origin(const struct import_vantage *vantage, const struct import_origin *origin)
{
    return vantage->asn == origin->asn && vantage->network == origin->network &&
           strcmp(vantage->country, origin->country) == 0 &&
           strcmp(vantage->carrier, origin->carrier) == 0 &&
           strcmp(vantage->probe_id, origin->probe_id) == 0;
}

static int vantage_begin(struct import_job *job, const struct import_origin *origin,
                         int64_t start_us, uint32_t *bucket, struct import_vantage **ret_vantage,
                         struct dl_error *error)
{
    uint32_t place = job->counts.vantages;
    struct input_record record;

    if (place == job->vantage_capacity) {
        uint32_t capacity = MAX_OF(2 * place, VANTAGES_FIRST);
        struct import_vantage *grown =
            reallocarray(job->vantages, capacity, sizeof(*job->vantages));
        if (!grown) {
            return dl_error_set(error, -ENOMEM, "out of memory");
        }
        job->vantages = grown;
        job->vantage_capacity = capacity;
    }
    struct import_vantage *vantage = &job->vantages[place];
    *vantage = (struct import_vantage){.asn = origin->asn,
                                       .network = (uint8_t)origin->network,
                                       .next = *bucket,
                                       .first_us = start_us,
                                       .last_us = start_us};
    memcpy(vantage->probe_id, origin->probe_id, sizeof(vantage->probe_id));
    memcpy(vantage->carrier, origin->carrier, sizeof(vantage->carrier));
    memcpy(vantage->country, origin->country, sizeof(vantage->country));
    input_of(job, vantage, place, &record);
    int status = store_begin_input(job->store, &record, error);
    if (status == DL_OK) {
        vantage->number = record.number;
        job->full = record.number >= IMPORT_INPUTS_MAX;
        *bucket = 1 + place;
        job->counts.vantages++;
        *ret_vantage = vantage;
    }
    return status;
}

/* Its vantage; NULL (and DL_OK) where there are too many. */
static int vantage_find(struct import_job *job, const struct import_origin *origin,
                        int64_t start_us, struct import_vantage **ret_vantage,
                        struct dl_error *error)
{
    char text[VANTAGE_TEXT_SIZE + 32];
    int length = snprintf(text, sizeof(text), "%u %s %d %s", origin->asn, origin->country,
                          origin->network, origin->probe_id);
    uint32_t *bucket = &job->buckets[hash_bytes(&job->hash, text, (size_t)length) & (BUCKETS - 1)];

    *ret_vantage = NULL;
    for (uint32_t i = *bucket; i != 0; i = job->vantages[i - 1].next) {
        if (same_origin(&job->vantages[i - 1], origin)) {
            *ret_vantage = &job->vantages[i - 1];
            return DL_OK;
        }
    }
    if (job->full || job->counts.vantages == IMPORT_VANTAGES_MAX) {
        return DL_OK;
    }
    return vantage_begin(job, origin, start_us, bucket, ret_vantage, error);
}

int import_put(struct import_job *job, const struct import_origin *origin,
               struct observation *observation, struct dl_error *error)
{
    const struct import_options *options = job->options;
    int64_t start_us = observation->start_us;
    struct import_vantage *vantage;

    if ((options->since_us && start_us < options->since_us) ||
        (options->until_us && start_us >= options->until_us)) {
        job->counts.outside++;
        return DL_OK;
    }
    int status = vantage_find(job, origin, start_us, &vantage, error);
    if (status == DL_OK && !vantage) {
        job->counts.dropped++;
        return DL_OK;
    }
    if (status == DL_OK) {
        observation->input = vantage->number;
        status = store_put(job->store, observation, error);
    }
    job->counts.store_failed |= status != DL_OK;
    if (status == DL_OK) {
        vantage->rows++;
        vantage->first_us = MIN_OF(vantage->first_us, start_us);
        vantage->last_us = MAX_OF(vantage->last_us, start_us);
        job->counts.rows++;
    }
    return status;
}

/* Also a file of nothing but foreign tests is one that was read. */
static int begin_any(struct import_job *job, struct dl_error *error)
{
    const struct import_origin nobody = {.probe_id = ""};
    struct import_vantage *vantage;

    return job->counts.vantages ? DL_OK : vantage_find(job, &nobody, 0, &vantage, error);
}

static int put_notes(struct import_job *job, uint32_t input, struct dl_error *error)
{
    const struct {
        const char *kind;
        uint64_t count;
    } notes[] = {
        {"lines not understood", job->counts.broken},
        {"measurements of tests or targets not read", job->counts.foreign},
        {"targets of no service, left out", job->counts.unnamed},
        {"rows beyond a maximum, left out", job->counts.dropped},
    };
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < ARRAY_LENGTH(notes); i++) {
        if (notes[i].count) {
            status = store_put_note(job->store, input, notes[i].kind, notes[i].count, error);
        }
    }
    return status;
}

/* The first input comes last: by it the file is known to be there as a whole. */
static int finish_inputs(struct import_job *job, bool complete, struct dl_error *error)
{
    struct input_record record;
    int status = begin_any(job, error);

    if (status == DL_OK) {
        status = put_notes(job, job->vantages[0].number, error);
    }
    for (uint32_t i = job->counts.vantages; status == DL_OK && i-- > 0;) {
        input_of(job, &job->vantages[i], i, &record);
        record.complete = complete;
        record.status = job->counts.damage;
        status = store_update_input(job->store, &record, error);
    }
    if (status == DL_OK) {
        status = store_commit(job->store, true, error);
    }
    job->counts.store_failed |= status != DL_OK;
    return status;
}

/* ---- the file ---- */

static void note_broken(struct import_job *job, struct import_broken *broken, const char *why)
{
    if (job->counts.broken < IMPORT_NAMED_MAX) {
        struct import_broken *one = &broken[job->counts.broken];
        one->line = job->number;
        snprintf(one->why, sizeof(one->why), "%s", why);
    }
    job->counts.broken++;
}

static int take_record(struct import_job *job, const char *bytes, size_t length,
                       struct import_broken *broken, struct dl_error *error)
{
    struct dl_error why = {0};
    int status = job->format->line(job, bytes, length, &why);

    job->counts.lines++;
    if (status == DL_MALFORMED) {
        note_broken(job, broken, dl_error_text(&why, status));
        status = DL_OK;
    } else if (status != DL_OK) {
        dl_error_set(error, status, "%s", dl_error_text(&why, status));
    }
    return status;
}

static int take_header(struct import_job *job, struct records *records, struct dl_error *error)
{
    const char *bytes;
    size_t length;

    if (!job->format->header) {
        return DL_OK;
    }
    int status = records_next(records, &bytes, &length, &job->number);
    if (status == DL_OK) {
        return job->format->header(job, bytes, length, error);
    }
    return dl_error_set(error, status == DL_END ? DL_EMPTY : status, "%s",
                        status == DL_END     ? "nothing in it"
                        : status == DL_LIMIT ? "no header line"
                                             : dl_strerror(status));
}

static int take_records(struct import_job *job, struct records *records,
                        struct import_broken *broken, struct dl_error *error)
{
    const struct import_options *options = job->options;
    struct reader *reader = records->reader;
    int status = DL_OK;

    while (status == DL_OK) {
        const char *bytes;
        size_t length;
        status = records_next(records, &bytes, &length, &job->number);
        if (status == DL_LIMIT) {
            job->counts.lines++;
            note_broken(job, broken, "longer than 16 MiB");
            status = DL_OK;
        } else if (status == DL_OK) {
            status = take_record(job, bytes, length, broken, error);
        }
        if (status == DL_OK && job->counts.lines % BATCH_LINES == 0 && options->on_batch) {
            double share =
                reader->size ? (double)reader_file_offset(reader) / (double)reader->size : 0;
            status = options->on_batch(options->context, job->counts.lines, share) ? DL_OK : -EINTR;
        }
    }
    return status == DL_END ? DL_OK : status;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static int job_init(struct import_job *job, const char *path, struct dl_error *error)
{
    bool standard_input = strcmp(path, "-") == 0;
    struct input_record *record = &job->record;
    int status = standard_input ? DL_UNSUPPORTED
                                : input_fingerprint(path, &record->size, record->fingerprint);

    record->has_fingerprint = status == DL_OK;
    snprintf(record->path, sizeof(record->path), "%s",
             standard_input ? "standard input" : base_name(path));
    if (status != DL_OK && status != DL_UNSUPPORTED) {
        return dl_error_set(error, status, "%s: %s", path, dl_strerror(status));
    }
    if (record->has_fingerprint && store_has_input(job->store, record->fingerprint)) {
        return dl_error_set(error, DL_DUPLICATE, "%s: already in the store", path);
    }
    job->buckets = calloc(BUCKETS, sizeof(*job->buckets));
    status = job->buckets ? hash_key_random(&job->hash) : -ENOMEM;
    if (status != DL_OK) {
        dl_error_set(error, status, "%s: %s", path, dl_strerror(status));
    }
    return status;
}

/* What ended the reading too soon; DL_OK where it was the file's end. */
static int damage_of(const struct records *records, struct dl_error *error)
{
    int status = records->reader->status;

    if (status == DL_OK || status == DL_END) {
        return DL_OK;
    }
    return reader_report(records->reader, 0, "file", error);
}

static int import_records(struct import_job *job, struct reader *reader,
                          struct import_broken *broken, struct dl_error *error)
{
    struct records records = {0};
    struct dl_error inner = {0};
    int status = records_init(&records, reader, job->format->kind);

    if (status == DL_OK) {
        status = job->format->begin(job, &inner);
    }
    if (status == DL_OK) {
        status = take_header(job, &records, &inner);
    }
    if (status == DL_OK) {
        status = take_records(job, &records, broken, &inner);
        if (status == DL_OK) {
            job->counts.damage = damage_of(&records, error);
        }
    }
    if (status == DL_OK && job->counts.lines > 0 && job->counts.broken == job->counts.lines) {
        status = dl_error_set(&inner, DL_MALFORMED, "line %llu: %s",
                              (unsigned long long)broken[0].line, broken[0].why);
    }
    if ((status == DL_OK || status == -EINTR) && !job->counts.store_failed) {
        int finished = finish_inputs(job, status == DL_OK, &inner);
        status = status == DL_OK ? finished : status;
    }
    if (status != DL_OK) {
        dl_error_set(error, status, "%s: %s", job->record.path, dl_error_text(&inner, status));
    }
    records_finish(&records);
    return status;
}

int import_file(const struct import_format *format, const char *path, struct store *store,
                const struct import_options *options, struct import_counts *ret_counts,
                struct import_broken ret_broken[IMPORT_NAMED_MAX], struct dl_error *error)
{
    struct import_job job = {.options = options, .format = format, .store = store};
    struct reader *reader = NULL;
    int status = job_init(&job, path, error);

    if (status == DL_OK) {
        status = reader_open(&reader, path, error);
    }
    if (status == DL_OK) {
        status = import_records(&job, reader, ret_broken, error);
    }
    if (job.state) {
        format->end(&job);
    }
    reader_close(reader);
    free(job.vantages);
    free(job.buckets);
    *ret_counts = job.counts;
    return status;
}
