// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the formats share: the file under way, and how they hand over what its lines say.
 */
#include "base/hash.h"
#include "probe/import/import.h"
#include "probe/import/records.h"

/* One vantage of the file, and so one input of the store. */
struct import_vantage {
    char probe_id[VANTAGE_TEXT_SIZE], carrier[VANTAGE_TEXT_SIZE];
    uint32_t asn, number, next; /* next: 1 + place of the next in its bucket; 0 ends */
    char country[3];
    uint8_t network;
    uint64_t rows;
    int64_t first_us, last_us;
};

struct import_job {
    const struct import_options *options;
    const struct import_format *format;
    struct store *store;
    void *state; /* the format's */
    struct import_counts counts;
    uint64_t number; /* of the record under way */
    struct input_record record;
    struct import_vantage *vantages;
    bool full; /* the store has as many inputs as it should */
    uint32_t vantage_capacity;
    uint32_t *buckets;
    struct hash_key hash;
};

/*
 * What each format does. `line` gets a record (not NUL-terminated): DL_OK; DL_MALFORMED with why in
 * the error (counted as broken); or a status that ends the import. `begin` makes job->state, `end`
 * destroys it. A format with a header gets the first record there, NULL otherwise.
 */
struct import_format {
    const char *name;
    enum records_kind kind;
    int (*begin)(struct import_job *job, struct dl_error *error);
    int (*header)(struct import_job *job, const char *record, size_t length,
                  struct dl_error *error);
    int (*line)(struct import_job *job, const char *record, size_t length, struct dl_error *error);
    void (*end)(struct import_job *job);
};
extern const struct import_format import_csv, import_ooni;

/* Whose lines these are; the rest is made of it. */
struct import_origin {
    char probe_id[VANTAGE_TEXT_SIZE];
    char carrier[VANTAGE_TEXT_SIZE]; /* "": that of the ASN at that time */
    uint32_t asn;
    char country[3]; /* two capitals or "" */
    enum network_kind network;
};

/* Writes an observation; `packet` and `start_us` are set, `input` is found here. DL_OK, also where
 * it was counted and left out; or what the store gave. */
int import_put(struct import_job *job, const struct import_origin *origin,
               struct observation *observation, struct dl_error *error);

/* Two letters to two capitals; anything else is no country. */
void import_country(const char *text, size_t length, char ret_country[3]);
/* "AS123", "123": 0 for anything else. */
uint32_t import_asn(const char *text, size_t length);
/* The block page's country, where its id says it, is another than the vantage's. */
bool import_page_is_from_abroad(const char *id, const char country[3]);
/* Sixty-four bits of a text, the same on every machine; never 0. */
uint64_t import_hash(struct import_job *job, const char *text, size_t length);
