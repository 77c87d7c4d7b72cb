// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

#define MESSAGE_SIZE  4096u
#define ESCAPED_SIZE  (4u * MESSAGE_SIZE) /* each byte as \xNN */
#define COLUMNS_USUAL 80u
#define CLEAR_TO_END  "\033[K"

static enum log_level current_level = LOG_NORMAL;
static bool progress_shown; /* under the lock of stderr */

void log_set_level(enum log_level level)
{
    current_level = level;
}

enum log_level log_get_level(void)
{
    return current_level;
}

/* The length of the UTF-8 character at `at`, 0 if there is none, or a terminal would take it for a
 * control, or it would turn what follows. */
static size_t log_printable_length(const uint8_t *at)
{
    static const uint32_t smallest[5] = {0, 0, 0xa0, 0x800, 0x10000}; /* 0x80-0x9f are C1 */
    uint8_t first = at[0];
    size_t length = first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
    uint32_t point = length ? first & (0x7fu >> length) : 0;

    if (first < 0x80) {
        return first >= 0x20 && first != 0x7f;
    }
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[i] & 0x3f);
    }
    if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ||
        text_disturbs(point)) {
        return 0;
    }
    return length;
}

/* Stops after `columns` characters, an escaped byte being four. */
static void log_escape(const char *text, size_t columns, char escaped[ESCAPED_SIZE])
{
    const uint8_t *at = (const uint8_t *)text;
    char *to = escaped;

    for (size_t used = 0; *at != '\0';) {
        size_t length = log_printable_length(at);
        size_t width = length > 0 ? 1 : 4;
        if (width > columns - used) {
            break;
        }
        if (length > 0) {
            memcpy(to, at, length);
            to += length;
            at += length;
        } else {
            to += sprintf(to, "\\x%02x", *at++);
        }
        used += width;
    }
    *to = '\0';
}

static void log_write(const char *prefix, const char *format, va_list arguments)
{
    char message[MESSAGE_SIZE], escaped[ESCAPED_SIZE];

    if (vsnprintf(message, sizeof(message), format, arguments) < 0) {
        message[0] = '\0';
    }
    log_escape(message, SIZE_MAX, escaped);
    flockfile(stderr);
    if (progress_shown) {
        progress_shown = false;
        fputs("\r" CLEAR_TO_END, stderr);
    }
    fprintf(stderr, "darkline: %s%s\n", prefix, escaped);
    funlockfile(stderr);
}

void log_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_write("error: ", format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (current_level >= LOG_NORMAL) {
        log_write("warning: ", format, arguments);
    }
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (current_level >= LOG_NORMAL) {
        log_write("", format, arguments);
    }
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (current_level >= LOG_VERBOSE) {
        log_write("debug: ", format, arguments);
    }
    va_end(arguments);
}

bool log_progress_wanted(void)
{
    return current_level >= LOG_NORMAL && isatty(STDERR_FILENO);
}

/* A line as wide as the terminal would wrap, and then not be overwritten. */
static size_t log_progress_columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) {
        return COLUMNS_USUAL - 1;
    }
    return size.ws_col - 1u;
}

void log_progress(const char *format, ...)
{
    char message[MESSAGE_SIZE], escaped[ESCAPED_SIZE];
    va_list arguments;

    va_start(arguments, format);
    if (log_progress_wanted() && vsnprintf(message, sizeof(message), format, arguments) >= 0) {
        log_escape(message, log_progress_columns(), escaped);
        flockfile(stderr);
        fprintf(stderr, "\r%s" CLEAR_TO_END, escaped);
        progress_shown = true;
        funlockfile(stderr);
    }
    va_end(arguments);
}

void log_progress_end(void)
{
    flockfile(stderr);
    if (progress_shown) {
        progress_shown = false;
        fputs("\r" CLEAR_TO_END, stderr);
    }
    funlockfile(stderr);
}
