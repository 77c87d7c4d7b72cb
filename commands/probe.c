// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "base/log.h"
#include "commands/ingest.h"

static const char footer[] =
    "Examples:\n"
    "  darkline probe -r captures/ -w probe.store\n"
    "  darkline probe -r a.pcapng.zst b.pcap -w probe.store --carrier ptcl --probe-id home-3\n"
    "  sudo darkline probe -i eth0 -w probe.store --position subscriber --live\n\n"
    "A capture may have X.vantage.yaml beside X.pcap, which says who saw it. Passive capture sees "
    "other\n"
    "people: no payload is stored, names only of catalogued services, controls and the watchlist, "
    "and client\n"
    "addresses only as pseudonyms under STORE.key. Know the law of the place, and have consent.\n\n"
    "Exit codes: 0 done; 1 failed, or nothing could be read; 2 wrong usage; 3 done, but input was "
    "damaged or\n"
    "packets were lost.";

int command_probe(int argc, char **argv)
{
    struct common_options common;
    struct ingest_options ingest_options;
    struct live_options live = {0};
    struct option_list files = {0};
    const char *store = NULL;
    int first, code;
    common_options_init(&common);
    ingest_options_init(&ingest_options);
    const struct option_spec own[] = {
        {"read", 'r', "FILE...", OPTION_LIST, &files,
         "capture files or folders; - is standard input"},
        {"interface", 'i', "IFACE", OPTION_TEXT, &live.interface,
         "watch this interface until interrupted"},
        {"write", 'w', "STORE", OPTION_TEXT, &store,
         "the store to write into; made if it is not there"},
        {"filter", 'f', "BPF", OPTION_TEXT, &ingest_options.filter,
         "only packets that this pcap filter lets through"},
        {"buffer", 0, "SIZE", OPTION_SIZE, &live.buffer_bytes,
         "the kernel's ring for -i (default 64M)"},
        {"promiscuous", 0, NULL, OPTION_FLAG, &live.promiscuous,
         "also see packets for other machines"},
        {"user", 0, "NAME", OPTION_TEXT, &live.user,
         "whom to become once the interface is open (default: who called sudo)"},
        {0}};
    const struct option_spec *groups[] = {own, ingest_options.specs, common.specs, NULL};
    const char *titles[] = {"What to read and where to write", "Probe options", "Common options"};
    const struct option_set set = {
        .usage = "probe -r FILE... | -i IFACE  -w STORE [options]",
        .description =
            "Tags the flows of captures or of an interface and stores what both ends did.",
        .groups = groups,
        .group_titles = titles,
        .footer = footer};
    enum option_result parsed = options_parse(&set, argc, argv, &first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&common);
    for (; first < argc; first++) {
        if (files.count == OPTION_LIST_MAX) {
            log_error("more than %d files named; name their folder instead", OPTION_LIST_MAX);
            return EXIT_USAGE;
        }
        files.items[files.count++] = argv[first];
    }
    if (!store || (files.count == 0) == (live.interface == NULL)) {
        log_error("%s; see darkline probe --help",
                  !store ? "-w STORE is missing" : "give either -r FILE... or -i IFACE");
        return EXIT_USAGE;
    }
    if (!common_options_check(&common))
        return EXIT_USAGE;
    ingest_options.early = live.interface != NULL;
    struct ingest *ingest =
        ingest_open(&ingest_options, &common, store, ingest_options.hash, &code);
    if (!ingest)
        return code;
    if (live.interface)
        ingest_live(ingest, &live);
    else
        ingest_files(ingest, files.items, files.count);
    return ingest_close(ingest, NULL);
}
