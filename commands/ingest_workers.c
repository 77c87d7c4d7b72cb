// SPDX-License-Identifier: GPL-3.0-or-later
/* Between the probes' threads and the store. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "commands/ingest_internal.h"

/* ---- the sink ---- */

static void print_tag(const struct ingest *ingest, const struct observation *o)
{
    char time[CLOCK_TEXT_SIZE], server[ADDRESS_TEXT_SIZE] = "a peer", reasons[96] = "";
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        const char *word = (o->reasons & 1u << i) ? word_text(WORD_REASON, 1u << i) : NULL;
        if (word)
            snprintf(reasons + strlen(reasons), sizeof(reasons) - strlen(reasons), "%s%s",
                     reasons[0] ? "," : "", word);
    }
    if (o->server.kind == ENDPOINT_ADDRESS)
        address_format(&o->server.address, server);
    (void)ingest;
    printf("%s %s %s %s %s:%u %s %s\n", clock_format(o->start_us, time), o->service,
           o->certainty ? word_text(WORD_CERTAINTY, o->certainty) : "-",
           o->role ? word_text(WORD_ROLE, o->role) : "-", server, o->server_port,
           o->host[0] ? o->host : "-", reasons);
    fflush(stdout);
}

static int sink_observation(void *context, const struct observation *observation,
                            struct dl_error *error)
{
    struct ingest *ingest = context;
    if (ingest->common->since_us && observation->start_us < ingest->common->since_us)
        return DL_OK;
    if (ingest->common->until_us && observation->start_us >= ingest->common->until_us)
        return DL_OK;
    if ((observation->flags & OBSERVATION_EARLY) && ingest->options->live &&
        observation->service[0])
        print_tag(ingest, observation);
    return store_put(ingest->store, observation, error);
}

static int sink_count(void *context, const struct hour_count *count, struct dl_error *error)
{
    struct ingest *ingest = context;
    return store_put_count(ingest->store, count, error);
}

static int sink_settle(void *context, bool force, bool *ret_safe, struct dl_error *error)
{
    struct ingest *ingest = context;
    int status = store_commit(ingest->store, force, error);
    *ret_safe = status == DL_OK && store_is_committed(ingest->store);
    return status;
}

static int sink_revive(void *context, struct dl_error *error)
{
    struct ingest *ingest = context;
    return store_resume(ingest->store, error);
}

static void sink_trouble(void *context, const struct dl_error *error)
{
    (void)context;
    log_progress_end();
    log_warning("%s; watching goes on, and what is seen is kept as long as there is memory for it",
                dl_error_text(error, error->status));
}

static void sink_well(void *context, uint64_t rows_lost)
{
    const struct ingest *ingest = context;
    log_progress_end();
    log_info("%s: takes what it is given again; %" PRIu64 " flows were lost meanwhile",
             ingest->store_path, rows_lost);
}

/* ---- the vote ---- */

static void note_client(void *context, unsigned number, const struct address *client,
                        int64_t time_us)
{
    struct ingest *ingest = context;
    vantage_vote(&ingest->votes[number], ingest->geo, ingest->catalog, client, time_us);
}

void ingest_settle_vantage(struct ingest *ingest, struct vantage_draft *draft, int64_t time_us)
{
    for (unsigned i = 1; i < ARRAY_LENGTH(ingest->votes); i++)
        vantage_votes_add(&ingest->votes[0], &ingest->votes[i]);
    vantage_settle(draft, &ingest->votes[0], ingest->catalog, time_us);
}

/* ---- opening ---- */

static unsigned thread_count(const struct ingest *ingest)
{
    uint64_t wanted = ingest->common->threads;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (wanted == 0)
        wanted = cores > 0 ? (uint64_t)cores : 1;
    unsigned count = (unsigned)MIN_OF(wanted, WORKERS_MAX);
    unsigned most = workers_most(count, ingest->options->memory);
    if (most < count)
        log_debug("memory for %u threads, not for %u", most, count);
    return most;
}

int ingest_open_workers(struct ingest *ingest, struct dl_error *error)
{
    const struct ingest_options *o = ingest->options;
    unsigned threads = thread_count(ingest), keys = workers_key_count(threads);
    int status = DL_OK;
    for (unsigned i = 0; ingest->key && i < keys && status == DL_OK; i++)
        status = key_open(&ingest->keys[i], ingest->key_path, false, error);
    if (status != DL_OK)
        return status;
    struct workers_options options = {.probe = {.catalog = ingest->catalog,
                                                .fingerprints = ingest->fingerprints,
                                                .all_names = o->all_names,
                                                .keep_addresses = o->keep_addresses,
                                                .live = o->live || o->early,
                                                .memory = o->memory},
                                      .keys = ingest->key ? ingest->keys : NULL,
                                      .threads = threads,
                                      .live = o->early,
                                      .sink = {.context = ingest,
                                               .observation = sink_observation,
                                               .count = sink_count,
                                               .settle = sink_settle,
                                               .revive = o->early ? sink_revive : NULL,
                                               .trouble = sink_trouble,
                                               .well = sink_well},
                                      .on_client = note_client,
                                      .context = ingest};
    return workers_create(&ingest->workers, &options, error);
}
