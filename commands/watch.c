// SPDX-License-Identifier: GPL-3.0-or-later
/* A store that grows, as a table on the terminal. */
#include <errno.h>
#include <ncurses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <term.h>
#undef lines /* a macro of it */

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "commands/command.h"
#include "commands/watch_table.h"

#define REFRESH_US    CLOCK_SECOND_US
#define LOAD_MOST     4   /* one part of reading, at least so many parts of rest */
#define WIDTH_FILE    100 /* where standard output is no terminal */
#define MINUTES_USUAL 15
#define MINUTES_MOST  (366 * 24 * 60)
#define PAIR_BAD      1
#define PAIR_WORSE    2

static const char footer[] =
    "Counts only: no client, host name or address is shown. SHARE is that of failures among flows "
    "that went well\n"
    "or failed. The store is only read. q ends it. Colours: none where NO_COLOR is set.\n\n"
    "Exit codes: 0 done; 1 failed; 2 wrong usage.";

struct watch {
    struct watch_query query;
    struct watch_table *table, *before;
    const char *title;
    int64_t read_us, read_took_us; /* by the monotonic clock; 0: not yet */
    bool has_table;
    struct dl_error error; /* of the last reading */
};

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number)
{
    (void)number;
    stop_wanted = 1;
}

/* ---- reading ---- */

static int read_table(struct watch *watch)
{
    int64_t began_us = clock_monotonic_us();
    int status =
        watch_table_read(watch->before, &watch->query, watch->has_table ? watch->table : NULL,
                         began_us - watch->read_us, &watch->error);
    if (status == DL_OK) {
        struct watch_table *table = watch->before;
        watch->before = watch->table;
        watch->table = table;
        watch->has_table = true;
        watch->read_us = began_us;
    }
    watch->read_took_us = clock_monotonic_us() - began_us;
    return status;
}

/* ---- one table, as text ---- */

static void print_line(void *context, size_t row, enum watch_style style, const char *text)
{
    FILE *file = context;
    (void)row;
    (void)style;
    fprintf(file, "%s\n", text);
}

static int print_once(struct watch *watch)
{
    int status = read_table(watch);
    if (status != DL_OK) {
        log_error("%s", dl_error_text(&watch->error, status));
        return EXIT_FAILED;
    }
    watch_table_draw(watch->table, watch->title, 0, WIDTH_FILE, 0, print_line, stdout);
    return fflush(stdout) == 0 || errno == EPIPE ? EXIT_DONE : EXIT_FAILED;
}

/* ---- the screen ---- */

static attr_t attributes_of(enum watch_style style)
{
    switch (style) {
    case WATCH_HEAD:
        return A_BOLD;
    case WATCH_DIM:
        return A_DIM;
    case WATCH_BAD:
        return has_colors() ? (attr_t)COLOR_PAIR(PAIR_BAD) : A_NORMAL;
    case WATCH_WORSE:
        return has_colors() ? (attr_t)COLOR_PAIR(PAIR_WORSE) : A_BOLD;
    case WATCH_PLAIN:
        break;
    }
    return A_NORMAL;
}

static void put_line(void *context, size_t row, enum watch_style style, const char *text)
{
    bool colours = *(const bool *)context;
    attr_t attributes = colours || (style != WATCH_BAD && style != WATCH_WORSE)
                            ? attributes_of(style)
                        : style == WATCH_WORSE ? A_BOLD
                                               : A_NORMAL;
    attrset(attributes);
    mvaddstr((int)row, 0, text);
    attrset(A_NORMAL);
}

static void draw(struct watch *watch, bool colours, int status)
{
    int height, width;
    getmaxyx(stdscr, height, width);
    erase();
    if (watch->has_table && height > 0 && width > 1)
        watch_table_draw(watch->table, watch->title, clock_now_us(), (size_t)width - 1,
                         (size_t)height - (status != DL_OK && height > 1), put_line, &colours);
    if (status != DL_OK && height > 0 && width > 1)
        mvaddnstr(height - 1, 0, dl_error_text(&watch->error, status), width - 1);
    refresh();
}

/* How long to wait for a key: a store that takes long to read is read less often. */
static int wait_ms(const struct watch *watch)
{
    int64_t due_us = watch->read_us + MAX_OF(REFRESH_US, watch->read_took_us * LOAD_MOST);
    int64_t left_us = due_us - clock_monotonic_us();
    return (int)MIN_OF(MAX_OF(left_us / 1000, 0), 10000);
}

static void watch_loop(struct watch *watch, bool colours)
{
    int status = DL_OK;
    while (!stop_wanted) {
        draw(watch, colours, status);
        timeout(wait_ms(watch));
        int key = getch();
        if (key == 'q' || key == 'Q')
            break;
        if (key != ERR && wait_ms(watch) > 0)
            continue; /* another key, or another size: only drawn anew */
        status = read_table(watch);
        if (status != DL_OK)
            watch->read_us = clock_monotonic_us();
    }
}

static bool wants_colours(void)
{
    const char *refused = getenv("NO_COLOR");
    if ((refused && *refused) || !has_colors() || start_color() == ERR)
        return false;
    short ground = use_default_colors() == ERR ? COLOR_BLACK : -1;
    init_pair(PAIR_BAD, COLOR_YELLOW, ground);
    init_pair(PAIR_WORSE, COLOR_RED, ground);
    return true;
}

static int watch_on(struct watch *watch, SCREEN *screen)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    watch_loop(watch, wants_colours());
    endwin();
    delscreen(screen);
    return EXIT_DONE;
}

/* ---- the command ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Asked before newterm(), which says no as well, but leaves memory behind. */
static bool terminal_is_known(void)
{
    int problem;
    if (setupterm(NULL, STDOUT_FILENO, &problem) == ERR)
        return false;
    del_curterm(cur_term);
    return true;
}

static int watch_store(struct watch *watch, bool once)
{
    if (!once && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
        log_info("no terminal here: one table, as with --once");
        once = true;
    }
    if (once)
        return print_once(watch);
    /* Before the terminal is taken: what is wrong with the store is said on a screen that stays. */
    int status = read_table(watch);
    if (status != DL_OK) {
        log_error("%s", dl_error_text(&watch->error, status));
        return EXIT_FAILED;
    }
    SCREEN *screen = terminal_is_known() ? newterm(NULL, stdout, stdin) : NULL;
    if (!screen) {
        const char *kind = getenv("TERM");
        log_info("a terminal of unknown kind (TERM is %s): one table, as with --once",
                 kind && *kind ? kind : "not set");
        return print_once(watch);
    }
    return watch_on(watch, screen);
}

int command_watch(int argc, char **argv)
{
    struct watch watch = {0};
    struct common_options common;
    uint64_t minutes = MINUTES_USUAL;
    bool once = false;
    int first, code = EXIT_FAILED;

    common_options_init(&common);
    const struct option_spec own[] = {
        {"once", 0, NULL, OPTION_FLAG, &once, "one table on standard output, and the end"},
        {"minutes", 0, "N", OPTION_NUMBER, &minutes,
         "how much of it: up to the newest packet (default 15; 0: all)"},
        {0}};
    const struct option_spec *const groups[] = {own, common.specs, NULL};
    const char *const titles[] = {"What to show", "Common options"};
    const struct option_set set = {
        .usage = "watch STORE [options]",
        .description = "A live table of a store that a probe is writing: services, flows, failures "
                       "by mechanism, clients, packets a second, losses and the link.",
        .groups = groups,
        .group_titles = titles,
        .footer = footer};
    enum option_result parsed = options_parse(&set, argc, argv, &first);
    if (parsed != OPTIONS_OK)
        return parsed == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    common_options_apply(&common);
    if (argc - first != 1 || minutes > MINUTES_MOST) {
        log_error("%s; see darkline watch --help",
                  argc - first != 1 ? "name one STORE" : "--minutes takes a number up to a year");
        return EXIT_USAGE;
    }
    if (!common_options_check(&common))
        return EXIT_USAGE;
    struct catalog *catalog = common_open_catalog(&common);
    if (!catalog)
        return EXIT_FAILED;
    watch.query = (struct watch_query){.store = argv[first],
                                       .since_us = common.since_us,
                                       .until_us = common.until_us,
                                       .window_us = (int64_t)minutes * 60 * CLOCK_SECOND_US,
                                       .injectors = catalog_injectors(catalog)};
    watch.title = base_name(argv[first]);
    watch.table = calloc(1, sizeof(*watch.table));
    watch.before = calloc(1, sizeof(*watch.before));
    if (watch.table && watch.before)
        code = watch_store(&watch, once);
    else
        log_error("out of memory");
    free(watch.table);
    free(watch.before);
    catalog_destroy(catalog);
    return code;
}
