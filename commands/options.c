// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Option tables: getopt_long() and --help are both made from them, so that neither can forget one.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/words.h"
#include "catalog/catalog.h"
#include "commands/command.h"

#define OPTIONS_MAX    64
#define LONG_VALUE     256 /* getopt's value of table entry i is LONG_VALUE + i: no letter's */
#define HELP_VALUE     (LONG_VALUE + OPTIONS_MAX)
#define HELP_COLUMN    28
#define HELP_WIDTH     80
#define WORDS_TRIED    32
#define WORD_LIST_SIZE 256

struct option_parser {
    const struct option_set *set;
    const char *command; /* "probe", the first word of the usage line */
    const struct option_spec *specs[OPTIONS_MAX];
    size_t count;
    struct option longs[OPTIONS_MAX + 2];
    char letters[3 + 2 * OPTIONS_MAX];
};

/* ---- the table, as getopt wants it ---- */

static void parser_add(struct option_parser *parser, const struct option_spec *spec)
{
    size_t i = parser->count++;
    bool takes = spec->kind != OPTION_FLAG;

    parser->specs[i] = spec;
    parser->longs[i] = (struct option){.name = spec->name,
                                       .has_arg = takes ? required_argument : no_argument,
                                       .val = LONG_VALUE + (int)i};
    if (spec->letter) {
        char text[3] = {spec->letter, takes ? ':' : '\0', '\0'};
        strcat(parser->letters, text);
    }
}

static void parser_init(struct option_parser *parser, const struct option_set *set,
                        const char *command)
{
    memset(parser, 0, sizeof(*parser));
    parser->set = set;
    parser->command = command;
    strcpy(parser->letters, ":h"); /* the colon: a missing argument is told apart */
    for (size_t g = 0; set->groups[g]; g++)
        for (const struct option_spec *s = set->groups[g]; s->name; s++)
            if (parser->count < OPTIONS_MAX)
                parser_add(parser, s);
    parser->longs[parser->count] = (struct option){.name = "help", .val = HELP_VALUE};
}

static const struct option_spec *parser_spec(const struct option_parser *parser, int value)
{
    if (value >= LONG_VALUE && value < LONG_VALUE + (int)parser->count)
        return parser->specs[value - LONG_VALUE];
    for (size_t i = 0; i < parser->count; i++)
        if (value != 0 && parser->specs[i]->letter == value)
            return parser->specs[i];
    return NULL;
}

/* ---- values ---- */

static bool parse_number(const char *text, uint64_t *ret_value, const char **ret_end)
{
    char *end;

    if (*text < '0' || *text > '9') /* strtoull() takes signs and spaces */
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno)
        return false;
    *ret_value = value;
    *ret_end = end;
    return true;
}

static bool value_number(const struct option_spec *spec, const char *text)
{
    uint64_t value;
    const char *end;

    if (!parse_number(text, &value, &end) || *end) {
        log_error("--%s: '%s' is not a whole number", spec->name, text);
        return false;
    }
    *(uint64_t *)spec->target = value;
    return true;
}

static bool value_size(const struct option_spec *spec, const char *text)
{
    static const char units[] = "KMG";
    uint64_t value = 0;
    const char *end = text;
    unsigned shift = 0;
    bool good = parse_number(text, &value, &end);

    if (good && *end) {
        const char *unit = strchr(units, *end & ~0x20); /* either case */
        good = unit && end[1] == '\0';
        shift = unit ? 10u * (unsigned)(unit - units + 1) : 0;
    }
    if (!good || value > UINT64_MAX >> shift) {
        log_error("--%s: '%s' is not a size (a number of bytes, or with K, M or G)", spec->name,
                  text);
        return false;
    }
    *(uint64_t *)spec->target = value << shift;
    return true;
}

static bool value_time(const struct option_spec *spec, const char *text)
{
    if (clock_parse(text, spec->target) != DL_OK) {
        log_error("--%s: '%s' is not a time (2015-11-30 or 2015-11-30T19:00:00Z)", spec->name,
                  text);
        return false;
    }
    return true;
}

static void word_list(enum word_kind kind, char text[WORD_LIST_SIZE])
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned value = 0; value < WORDS_TRIED; value++) {
        const char *word = word_text(kind, value);
        if (word && used < WORD_LIST_SIZE)
            used += (size_t)snprintf(text + used, WORD_LIST_SIZE - used, "%s%s", used ? ", " : "",
                                     word);
    }
}

static bool value_word(const struct option_spec *spec, const char *text)
{
    char list[WORD_LIST_SIZE];

    if (word_parse((enum word_kind)spec->word_kind, text, spec->target) != DL_OK) {
        word_list((enum word_kind)spec->word_kind, list);
        log_error("--%s: '%s' is none of %s", spec->name, text, list);
        return false;
    }
    return true;
}

static bool value_list(const struct option_spec *spec, const char *text)
{
    struct option_list *list = spec->target;

    if (list->count == OPTION_LIST_MAX) {
        log_error("--%s: more than %d of them", spec->name, OPTION_LIST_MAX);
        return false;
    }
    list->items[list->count++] = text;
    return true;
}

static bool value_set(const struct option_spec *spec, const char *text)
{
    if (spec->kind != OPTION_FLAG && *text == '\0') { /* a shell variable that was not set */
        log_error("--%s: its %s is empty", spec->name, spec->argument);
        return false;
    }
    if (spec->ret_given)
        *spec->ret_given = true;
    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *)spec->target = true;
        return true;
    case OPTION_TEXT:
        *(const char **)spec->target = text;
        return true;
    case OPTION_LIST:
        return value_list(spec, text);
    case OPTION_NUMBER:
        return value_number(spec, text);
    case OPTION_SIZE:
        return value_size(spec, text);
    case OPTION_TIME:
        return value_time(spec, text);
    case OPTION_WORD:
        return value_word(spec, text);
    }
    return false;
}

static bool takes_several(const struct option_spec *spec)
{
    size_t length = spec->argument ? strlen(spec->argument) : 0;
    return spec->kind == OPTION_LIST && length > 3 &&
           strcmp(spec->argument + length - 3, "...") == 0;
}

/* `-r FILE...`: the words up to the next option are files too; a lone `-` is standard input. */
static bool value_set_rest(const struct option_spec *spec, int argc, char **argv)
{
    while (optind < argc && (argv[optind][0] != '-' || argv[optind][1] == '\0'))
        if (!value_set(spec, argv[optind++]))
            return false;
    return true;
}

/* ---- --help ---- */

/* Words of `text` from column `column` on, later lines indented by `indent`. A newline in the text
 * breaks. */
static void print_wrapped(const char *text, size_t column, size_t indent)
{
    bool line_begins = true;

    while (*text) {
        size_t length = strcspn(text, " \n");
        if (!line_begins && column + 1 + length > HELP_WIDTH) {
            printf("\n%*s", (int)indent, "");
            column = indent;
            line_begins = true;
        }
        column += (size_t)printf("%s%.*s", line_begins ? "" : " ", (int)length, text);
        line_begins = false;
        text += length;
        if (*text == '\n') {
            printf("\n%*s", (int)indent, "");
            column = indent;
            line_begins = true;
        }
        text += *text != '\0';
    }
    putchar('\n');
}

static void print_option(char letter, const char *name, const char *argument, const char *help)
{
    char head[HELP_WIDTH];
    char short_name[5] = "    ";

    if (letter)
        snprintf(short_name, sizeof(short_name), "-%c, ", letter);
    snprintf(head, sizeof(head), "  %s--%s%s%s", short_name, name, argument ? " " : "",
             argument ? argument : "");
    if (strlen(head) + 2 > HELP_COLUMN)
        printf("%s\n%*s", head, HELP_COLUMN, "");
    else
        printf("%-*s", HELP_COLUMN, head);
    print_wrapped(help, HELP_COLUMN, HELP_COLUMN);
}

static void print_help(const struct option_set *set)
{
    printf("Usage: darkline %s\n\n", set->usage);
    print_wrapped(set->description, 0, 0);
    for (size_t g = 0; set->groups[g]; g++) {
        const char *title = set->group_titles ? set->group_titles[g] : NULL;
        printf("\n%s:\n", title ? title : "Options");
        for (const struct option_spec *s = set->groups[g]; s->name; s++)
            print_option(s->letter, s->name, s->argument, s->help);
        if (!set->groups[g + 1])
            print_option('h', "help", NULL, "print this and exit");
    }
    if (set->footer)
        printf("\n%s%s", set->footer, set->footer[strlen(set->footer) - 1] == '\n' ? "" : "\n");
}

/* ---- parsing ---- */

static enum option_result bad_usage(const struct option_parser *parser)
{
    log_info("'darkline %s --help' lists the options", parser->command);
    return OPTIONS_BAD;
}

static void say_unknown(const struct option_parser *parser, char **argv)
{
    const struct option_spec *spec = parser_spec(parser, optopt);

    if (optopt == HELP_VALUE)
        log_error("--help takes no value");
    else if (optopt >= LONG_VALUE && spec)
        log_error("--%s takes no value", spec->name);
    else if (optopt)
        log_error("unknown option -%c", optopt);
    else
        log_error("unknown or ambiguous option %s", argv[optind - 1]);
}

static bool take_option(const struct option_parser *parser, int value, int argc, char **argv)
{
    const struct option_spec *spec = parser_spec(parser, value == ':' ? optopt : value);

    if (value == '?' || !spec) {
        say_unknown(parser, argv);
        return false;
    }
    if (value == ':') {
        log_error("--%s needs a value: %s", spec->name, spec->argument ? spec->argument : "VALUE");
        return false;
    }
    if (!value_set(spec, optarg ? optarg : ""))
        return false;
    return !takes_several(spec) || value_set_rest(spec, argc, argv);
}

enum option_result options_parse(const struct option_set *set, int argc, char **argv,
                                 int *ret_first)
{
    struct option_parser parser;
    int value;

    parser_init(&parser, set, argv[0]);
    optind = 0; /* glibc: begin anew, also after another command's options */
    opterr = 0;
    while ((value = getopt_long(argc, argv, parser.letters, parser.longs, NULL)) != -1) {
        if (value == 'h' || value == HELP_VALUE) {
            print_help(set);
            return OPTIONS_HELP;
        }
        if (!take_option(&parser, value, argc, argv))
            return bad_usage(&parser);
    }
    *ret_first = optind;
    return OPTIONS_OK;
}

/* ---- options of every command ---- */

void common_options_init(struct common_options *common)
{
    memset(common, 0, sizeof(*common));
    const struct option_spec specs[] = {
        {"catalog", 0, "DIR", OPTION_TEXT, &common->catalog,
         "catalog of services, carriers, orders"},
        {"geo", 0, "FILE.mmdb", OPTION_LIST, &common->geo,
         "database of addresses to networks and countries; may repeat"},
        {"since", 0, "TIME", OPTION_TIME, &common->since_us,
         "only what began at or after this time"},
        {"until", 0, "TIME", OPTION_TIME, &common->until_us, "only what began before this time"},
        {"threads", 0, "N", OPTION_NUMBER, &common->threads,
         "worker threads (default: one for each processor)"},
        {"verbose", 'v', NULL, OPTION_FLAG, &common->verbose, "say more"},
        {"quiet", 'q', NULL, OPTION_FLAG, &common->quiet, "say errors only"},
    };
    _Static_assert(ARRAY_LENGTH(specs) < ARRAY_LENGTH(common->specs),
                   "a zeroed spec ends the table");
    memcpy(common->specs, specs, sizeof(specs));
}

void common_options_apply(const struct common_options *common)
{
    log_set_level(common->quiet ? LOG_QUIET : common->verbose ? LOG_VERBOSE : LOG_NORMAL);
}

bool common_options_check(const struct common_options *common)
{
    if (common->since_us && common->until_us && common->until_us <= common->since_us) {
        log_error("--until is not after --since");
        return false;
    }
    return true;
}

struct catalog *common_open_catalog(const struct common_options *common)
{
    struct catalog *catalog = NULL;
    struct dl_error error = {0};
    const char *folder = common->catalog;

    if (!folder)
        folder = access(DARKLINE_CATALOG_DIR, F_OK) == 0 ? DARKLINE_CATALOG_DIR
                                                         : DARKLINE_SOURCE_CATALOG_DIR;
    int status = catalog_load(&catalog, folder, &error);
    if (status != DL_OK) {
        log_error("catalog %s: %s", folder, dl_error_text(&error, status));
        return NULL;
    }
    log_debug("catalog %s: version %s", folder, catalog_version(catalog));
    return catalog;
}
