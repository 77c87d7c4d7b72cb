// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A subcommand: one file, one line in darkline.c's table. Options are tables too, from which
 * parsing and --help are made.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the work went, never what was found. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* or nothing could be read */
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3 /* done, but input was damaged or packets were lost */
};

struct command {
    const char *name;
    const char *summary;               /* one line */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand; returns an exit code */
};

enum option_kind {
    OPTION_FLAG,   /* bool * */
    OPTION_TEXT,   /* const char ** */
    OPTION_LIST,   /* struct option_list *: may repeat */
    OPTION_NUMBER, /* uint64_t * */
    OPTION_SIZE,   /* uint64_t *: bytes, with K, M or G */
    OPTION_TIME,   /* int64_t *: microseconds */
    OPTION_WORD    /* unsigned *: one of a word kind (base/words.h), in `word_kind` */
};

#define OPTION_LIST_MAX 4096
struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t count;
};

struct option_spec {
    const char *name;     /* long name */
    char letter;          /* short one, 0 for none */
    const char *argument; /* what --help calls its argument, NULL for flags */
    enum option_kind kind;
    void *target;
    const char *help;
    int word_kind;
    bool *ret_given; /* set when the option was given; may be NULL */
};

struct option_set {
    const char *usage;       /* "probe -r FILE... -w STORE [options]" */
    const char *description; /* a paragraph */
    const struct option_spec *const
        *groups; /* arrays ended by a zeroed spec; the list ended by NULL */
    const char *const *group_titles;
    const char *footer; /* examples, exit codes; may be NULL */
};

enum option_result {
    OPTIONS_OK,
    OPTIONS_HELP /* printed, exit 0 */,
    OPTIONS_BAD /* said why, exit 2 */
};

/* Parses argv; what is left (operands) is argv[*ret_first] on. Options may stand after operands. A
 * list whose `argument` ends in "..." (-r FILE...) takes several words: all up to the next option;
 * a lone `-` is a word. */
enum option_result options_parse(const struct option_set *set, int argc, char **argv,
                                 int *ret_first);

/* Options of every command: --catalog, --geo, --since, --until, --threads, -v, -q. */
struct common_options {
    const char *catalog;
    struct option_list geo;
    int64_t since_us, until_us;
    uint64_t threads;
    bool verbose, quiet;
    struct option_spec specs[8];
};
void common_options_init(struct common_options *common);
/* Sets the log level by -v and -q. To be called after parsing. */
void common_options_apply(const struct common_options *common);
/* Do the values fit together (--until after --since)? Says what is wrong; a usage error then. */
bool common_options_check(const struct common_options *common);

struct catalog;
/* The catalog of --catalog, else the installed one, else the source tree's. Says on standard error
 * what is wrong; NULL then. */
struct catalog *common_open_catalog(const struct common_options *common);

int command_run(int argc, char **argv);
int command_probe(int argc, char **argv);
int command_import(int argc, char **argv);
int command_flows(int argc, char **argv);
int command_watch(int argc, char **argv);
int command_analyze(int argc, char **argv);
int command_report(int argc, char **argv);
int command_catalog(int argc, char **argv);
