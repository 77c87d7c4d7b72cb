// SPDX-License-Identifier: GPL-3.0-or-later
/* The table as lines of text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/judge/judge.h"
#include "base/array.h"
#include "base/clock.h"
#include "commands/watch_table.h"

#define WIDTH_MOST     400
#define WIDTH_WIDE     110 /* from here on there is room for the time of the last flow */
#define WIDTH_SERVICE  18
#define ROWS_UNBOUNDED 10000
#define SHARE_BAD      10 /* per cent of failures */
#define SHARE_WORSE    50

struct screen {
    size_t width, height, row;
    watch_line_fn fn;
    void *context;
    char text[WIDTH_MOST + 1];
    size_t length; /* of the line under way */
};

/* ---- lines ---- */

static void add(struct screen *screen, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct screen *screen, const char *format, ...)
{
    va_list arguments;
    size_t room = screen->width + 1 - screen->length;
    va_start(arguments, format);
    int wanted = vsnprintf(screen->text + screen->length, room, format, arguments);
    va_end(arguments);
    if (wanted > 0)
        screen->length += MIN_OF((size_t)wanted, room - 1);
}

static void emit(struct screen *screen, enum watch_style style)
{
    /* Names of interfaces and stores are others' words: nothing of them may steer a terminal. */
    for (size_t i = 0; i < screen->length; i++)
        if (screen->text[i] < ' ' || screen->text[i] > '~')
            screen->text[i] = '?';
    while (screen->length > 0 && screen->text[screen->length - 1] == ' ')
        screen->length--;
    screen->text[screen->length] = '\0';
    if (screen->row < screen->height)
        screen->fn(screen->context, screen->row, style, screen->text);
    screen->row++;
    screen->length = 0;
}

/* What follows stands at the right end, if there is room for it. */
static void add_right(struct screen *screen, const char *text)
{
    size_t length = strlen(text);
    if (screen->length + length + 1 <= screen->width)
        add(screen, "%*s", (int)(screen->width - screen->length), text);
}

static const char *time_of_day(int64_t time_us, char text[16])
{
    char whole[CLOCK_TEXT_SIZE]; /* 2015-11-30T12:34:56.000000Z */
    snprintf(text, 16, "%.8s", time_us > 0 ? clock_format(time_us, whole) + 11 : "-");
    return text;
}

static const char *clients_text(uint64_t clients, bool cut, char text[24])
{
    if (clients > 0 && clients < WATCH_CLIENTS_LEAST)
        snprintf(text, 24, "<%d", WATCH_CLIENTS_LEAST);
    else
        snprintf(text, 24, "%" PRIu64 "%s", clients, cut ? "+" : "");
    return text;
}

/* ---- the head ---- */

static void draw_line(struct screen *screen, const struct watch_line *line)
{
    char text[16];
    add(screen, "%-16.31s", line->name);
    if (line->carrier[0])
        add(screen, "  %.30s", line->carrier);
    if (line->under_way)
        add(screen, "  link %s", !line->link_known ? "?" : line->link_up ? "up" : "DOWN");
    else
        add(screen, "  ended");
    if (line->mpps >= 0)
        add(screen, "  %.3f Mpps", line->mpps);
    add(screen, "  lost %" PRIu64, line->lost);
    add(screen, "  packets %" PRIu64, line->packets);
    add(screen, "  last %s", time_of_day(line->last_us, text));
    bool bad = line->under_way && line->link_known && !line->link_up;
    emit(screen, bad ? WATCH_WORSE : line->lost ? WATCH_BAD : WATCH_PLAIN);
}

static void draw_sum(struct screen *screen, const struct watch_table *table)
{
    char clients[24], length[CLOCK_TEXT_SIZE];
    if (table->from_us > 0 && table->to_us > table->from_us)
        add(screen, "%s: ", clock_format_duration(table->to_us - table->from_us, length));
    add(screen, "%" PRIu64 " flows, %" PRIu64 " ok, %" PRIu64 " failed, %s clients", table->flows,
        table->ok, table->failed, clients_text(table->clients, table->clients_cut, clients));
    emit(screen, WATCH_PLAIN);
}

/* ---- services ---- */

/* The mechanisms of its failures, most frequent first, as far as there is room. */
static void add_mechanisms(struct screen *screen, const struct watch_service *service)
{
    bool shown[WATCH_MECHANISMS_MAX] = {false};
    const char *separator = "";
    for (;;) {
        size_t best = WATCH_MECHANISMS_MAX;
        char text[80];
        for (size_t i = 0; i < WATCH_MECHANISMS_MAX; i++)
            if (!shown[i] && service->by_mechanism[i] > 0 &&
                (best == WATCH_MECHANISMS_MAX ||
                 service->by_mechanism[i] > service->by_mechanism[best]))
                best = i;
        if (best == WATCH_MECHANISMS_MAX)
            return;
        shown[best] = true;
        int length = snprintf(text, sizeof(text), "%s %s %" PRIu32, separator,
                              judge_mechanism_at(best), service->by_mechanism[best]);
        if (screen->length + (size_t)MAX_OF(length, 0) > screen->width)
            return;
        add(screen, "%s", text);
        separator = ",";
    }
}

static void draw_service(struct screen *screen, const struct watch_service *service, bool cut)
{
    char clients[24], last[16];
    uint64_t decided = service->ok + service->failed;
    unsigned share = decided ? (unsigned)(service->failed * 100 / decided) : 0;
    add(screen, "%-*.*s %8" PRIu64 " %8" PRIu64 " %7" PRIu64, WIDTH_SERVICE, WIDTH_SERVICE,
        service->id, service->flows, service->ok, service->failed);
    if (decided)
        add(screen, " %4u%%", share);
    else
        add(screen, " %5s", "-");
    add(screen, " %7s", clients_text(service->clients, cut, clients));
    if (screen->width >= WIDTH_WIDE)
        add(screen, " %8s", time_of_day(service->last_us, last));
    add(screen, " ");
    add_mechanisms(screen, service);
    emit(screen, !service->failed       ? WATCH_PLAIN
                 : share >= SHARE_WORSE ? WATCH_WORSE
                 : share >= SHARE_BAD   ? WATCH_BAD
                                        : WATCH_PLAIN);
}

/* In `rows` lines, the head among them; the last says what found no room. */
static void draw_services(struct screen *screen, const struct watch_table *table, size_t rows)
{
    if (rows == 0)
        return;
    add(screen, "%-*s %8s %8s %7s %5s %7s", WIDTH_SERVICE, "SERVICE", "FLOWS", "OK", "FAILED",
        "SHARE", "CLIENTS");
    if (screen->width >= WIDTH_WIDE)
        add(screen, " %8s", "LAST");
    add(screen, "  MECHANISM");
    emit(screen, WATCH_HEAD);
    size_t room = rows - 1, count = table->service_count;
    size_t shown = count <= room ? count : room > 0 ? room - 1 : 0;
    for (size_t i = 0; i < shown; i++)
        draw_service(screen, &table->services[i], table->clients_cut);
    if (shown < count && room > 0) {
        add(screen, "... and %zu more", count - shown);
        emit(screen, WATCH_DIM);
    }
}

/* ---- mechanisms over all services ---- */

struct mechanism_sum {
    size_t index;
    uint64_t failed;
    unsigned services;
};

static size_t sum_mechanisms(const struct watch_table *table,
                             struct mechanism_sum sums[WATCH_MECHANISMS_MAX])
{
    size_t count = 0;
    for (size_t m = 0; m < WATCH_MECHANISMS_MAX; m++) {
        struct mechanism_sum sum = {.index = m};
        for (size_t i = 0; i < table->service_count; i++) {
            sum.failed += table->services[i].by_mechanism[m];
            sum.services += table->services[i].by_mechanism[m] > 0;
        }
        if (!sum.failed)
            continue;
        size_t at = count++;
        for (; at > 0 && sums[at - 1].failed < sum.failed; at--)
            sums[at] = sums[at - 1];
        sums[at] = sum;
    }
    return count;
}

static void draw_mechanisms(struct screen *screen, const struct mechanism_sum *sums, size_t count,
                            size_t rows)
{
    if (rows < 3) /* an empty line, the head, and one at least */
        return;
    emit(screen, WATCH_PLAIN);
    add(screen, "%-24s %7s %8s  WHAT HAPPENED", "MECHANISM", "FAILED", "SERVICES");
    emit(screen, WATCH_HEAD);
    size_t room = rows - 2, shown = count <= room ? count : room - 1;
    for (size_t i = 0; i < shown; i++) {
        const char *mechanism = judge_mechanism_at(sums[i].index);
        add(screen, "%-24s %7" PRIu64 " %8u  %s", mechanism, sums[i].failed, sums[i].services,
            judge_mechanism_text(mechanism));
        emit(screen, WATCH_PLAIN);
    }
    if (shown < count) {
        add(screen, "... and %zu more", count - shown);
        emit(screen, WATCH_DIM);
    }
}

/* ---- all of it ---- */

void watch_table_draw(const struct watch_table *table, const char *title, int64_t now_us,
                      size_t width, size_t height, watch_line_fn fn, void *context)
{
    struct mechanism_sum sums[WATCH_MECHANISMS_MAX];
    struct screen screen = {.width = MIN_OF(width, (size_t)WIDTH_MOST),
                            .height = height ? height : ROWS_UNBOUNDED,
                            .fn = fn,
                            .context = context};
    char clock[16], right[48];
    size_t mechanisms = sum_mechanisms(table, sums);
    add(&screen, "darkline watch  %s", title);
    if (now_us) {
        snprintf(right, sizeof(right), "%s UTC  q quits", time_of_day(now_us, clock));
        add_right(&screen, right);
    }
    emit(&screen, WATCH_HEAD);
    size_t lines = MIN_OF(table->line_count, MAX_OF(screen.height / 8, (size_t)1));
    for (size_t i = 0; i < lines; i++)
        draw_line(&screen, &table->lines[i]);
    draw_sum(&screen, table);
    emit(&screen, WATCH_PLAIN);
    size_t room = screen.height > screen.row ? screen.height - screen.row : 0;
    size_t wants = mechanisms ? mechanisms + 2 : 0, services = table->service_count + 1;
    size_t rest = room > services ? room - services : 0;
    size_t gets = MIN_OF(wants, MAX_OF(rest, room / 3));
    draw_services(&screen, table, room - gets);
    draw_mechanisms(&screen, sums, mechanisms, gets);
}
