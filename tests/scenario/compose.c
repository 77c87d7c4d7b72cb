// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Weeks of traffic out of the lab's recorded attempts, and what is true of them. README.md says
 * how.
 */
#include "compose.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define FIRST_PORT 32768u
#define PORTS      28000u

void voice_address(const struct plan_probe *probe, unsigned voice, uint8_t ret_address[4])
{
    memcpy(ret_address, probe->client, 4);
    ret_address[2] = (uint8_t)(ret_address[2] + voice / 200);
    ret_address[3] = (uint8_t)(ret_address[3] + voice % 200);
}

int64_t shown_time(const struct plan_probe *probe, int64_t time_us)
{
    return time_us + (int64_t)(probe->from->clock_error * (double)CLOCK_SECOND_US);
}

uint16_t attempt_port(const struct plan_attempt *attempt)
{
    return (uint16_t)(FIRST_PORT +
                      (attempt->random >> 20) % (PORTS / TEMPLATE_PORTS_MAX) * TEMPLATE_PORTS_MAX);
}

static const char usage[] =
    "usage: compose --templates STORE [--seed N] SCENARIO.yaml --store OUT.store\n"
    "       compose --templates STORE --frames FOLDER [--level N] SCENARIO.yaml --pcap FOLDER\n"
    "       either with --truth FILE (else TRUTH.json beside the store, or in the folder)\n";

struct options {
    const char *templates, *frames, *store, *pcap, *scenario, *truth;
    uint64_t seed;
    int level;
};

static bool parse(int argc, char **argv, struct options *ret_options)
{
    static const struct option known[] = {
        {"templates", required_argument, NULL, 't'}, {"frames", required_argument, NULL, 'f'},
        {"store", required_argument, NULL, 's'},     {"pcap", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 'n'},      {"level", required_argument, NULL, 'l'},
        {"truth", required_argument, NULL, 'r'},     {0}};
    struct options options = {.seed = 1, .level = 3};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 't':
            options.templates = optarg;
            break;
        case 'f':
            options.frames = optarg;
            break;
        case 's':
            options.store = optarg;
            break;
        case 'p':
            options.pcap = optarg;
            break;
        case 'r':
            options.truth = optarg;
            break;
        case 'n':
            options.seed = strtoull(optarg, NULL, 10);
            break;
        case 'l':
            options.level = atoi(optarg);
            break;
        default:
            return false;
        }
    }
    options.scenario = optind + 1 == argc ? argv[optind] : NULL;
    *ret_options = options;
    return options.scenario && options.templates && !options.store != !options.pcap &&
           (!options.pcap || options.frames);
}

static bool compose(const struct options *options, struct plan *plan)
{
    struct truth *truth = truth_create(plan);
    char beside[1024];
    bool good;

    if (options->store) {
        good = store_out(plan, truth, options->store);
        size_t folder = strrchr(options->store, '/')
                            ? (size_t)(strrchr(options->store, '/') - options->store) + 1
                            : 0;
        snprintf(beside, sizeof(beside), "%.*sTRUTH.json", (int)folder, options->store);
    } else {
        good = packets_out(plan, truth, options->pcap, options->level);
        snprintf(beside, sizeof(beside), "%s/TRUTH.json", options->pcap);
    }
    good = good && truth_write(truth, options->truth ? options->truth : beside,
                               options->store ? "observations" : "packets");
    truth_destroy(truth);
    return good;
}

int main(int argc, char **argv)
{
    struct options options;
    struct templates templates = {0};
    struct plan plan = {0};

    if (!parse(argc, argv, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    struct scenario *scenario = scenario_load(options.scenario, options.seed);
    bool good =
        scenario &&
        templates_load(&templates, options.templates, options.pcap ? options.frames : NULL) &&
        plan_make(&plan, scenario, &templates, options.seed) && compose(&options, &plan);
    plan_finish(&plan);
    templates_finish(&templates);
    if (scenario) {
        scenario_free(scenario);
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
