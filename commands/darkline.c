// SPDX-License-Identifier: GPL-3.0-or-later
/* Finds the subcommand. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "commands/command.h"

static const struct command commands[] = {
    {"run", "captures in, report out: probe, analyze and report in one", command_run},
    {"probe", "read captures or watch an interface, and store what is seen", command_probe},
    {"import", "other people's measurements (OONI, CSV) as observations", command_import},
    {"flows", "the observations of a store with their tags and verdicts", command_flows},
    {"watch", "a live table of a store that is being written, for a terminal", command_watch},
    {"analyze", "events, order compliance and the state now, from one or several stores",
     command_analyze},
    {"report", "a report from one or several stores", command_report},
    {"catalog", "services, carriers and orders that darkline knows, with sources", command_catalog},
};

static void print_help(FILE *file)
{
    fputs(
        "darkline watches a line and says when it goes dark, who made it so, and how it knows.\n\n"
        "Usage: darkline COMMAND [options]\n\nCommands:\n",
        file);
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        fprintf(file, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("  help       this text; darkline COMMAND --help tells of one command\n\n"
          "Exit codes: 0 done; 1 failed, or nothing could be read; 2 wrong usage;\n"
          "3 done, but input was damaged or packets were lost.\n",
          file);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        puts("darkline " DARKLINE_VERSION);
        return EXIT_DONE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        (strcmp(name, "help") == 0 && argc == 2)) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(name, "help") == 0) {
        const struct command *about = find_command(argv[2]);
        char *help[] = {argv[2], (char[]){"--help"}, NULL};
        if (about)
            return about->run(2, help);
        name = argv[2];
    }
    const struct command *command = find_command(name);
    if (!command) {
        log_error("there is no command %s; see darkline help", name);
        return EXIT_USAGE;
    }
    return command->run(argc - 1, argv + 1);
}
