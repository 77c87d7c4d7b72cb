// SPDX-License-Identifier: GPL-3.0-or-later
/* ja4_dump CATALOG FILE...: the JA4 of every flow that has one, as "FILE TRANSPORT ADDRESS:PORT
 * ADDRESS:PORT JA4" lines, for ja4.py. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "probe/probe.h"

static const char *current;

static void print_end(const struct endpoint *end, uint16_t port)
{
    char text[ADDRESS_TEXT_SIZE];
    printf(" [%s]:%u", address_format(&end->address, text), port);
}

static void on_facts(void *context, const struct observation *observation,
                     const struct facts *facts)
{
    (void)context;
    if (!facts->tls.ja4[0])
        return;
    printf("%s %s", current, word_text(WORD_TRANSPORT, observation->transport));
    print_end(&observation->client, observation->client_port);
    print_end(&observation->server, observation->server_port);
    printf(" %s\n", facts->tls.ja4);
}

static int ignore_observation(void *context, const struct observation *observation,
                              struct dl_error *error)
{
    (void)context, (void)observation, (void)error;
    return DL_OK;
}

static int ignore_count(void *context, const struct hour_count *count, struct dl_error *error)
{
    (void)context, (void)count, (void)error;
    return DL_OK;
}

static void dump(struct probe *probe, const char *path)
{
    struct frame frames[CAPTURE_BATCH];
    struct capture *capture = NULL;
    size_t count;
    if (capture_open_file(&capture, path, NULL, NULL) != DL_OK)
        return;
    current = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    probe_begin_input(probe, 1, NULL);
    while (capture_read(capture, frames, CAPTURE_BATCH, -1, &count, NULL) == DL_OK)
        probe_frames(probe, frames, count, NULL);
    probe_end_input(probe, NULL);
    capture_close(capture);
}

int main(int argc, char **argv)
{
    struct catalog *catalog = NULL;
    struct probe *probe = NULL;
    struct dl_error error = {0};
    if (argc < 3 || digest_setup() != DL_OK || catalog_load(&catalog, argv[1], &error) != DL_OK) {
        fprintf(stderr, "ja4_dump: %s\n", error.message);
        return 2;
    }
    struct probe_options options = {
        .catalog = catalog,
        .all_names = true,
        .keep_addresses = true,
        .sink = {.observation = ignore_observation, .count = ignore_count},
        .on_facts = on_facts};
    if (probe_create(&probe, &options, &error) != DL_OK)
        return 2;
    for (int i = 2; i < argc; i++)
        dump(probe, argv[i]);
    probe_destroy(probe);
    catalog_destroy(catalog);
    return 0;
}
