// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Messages to people, on standard error; used by commands only (library code returns statuses and
 * texts). With a progress line on a terminal the line is cleared first. Control characters in
 * arguments are shown escaped.
 */
#include <stdbool.h>

enum log_level { LOG_QUIET = 0, LOG_NORMAL = 1, LOG_VERBOSE = 2 };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_error(const char *format, ...)
    __attribute__((format(printf, 1, 2))); /* always shown: "darkline: error: ..." */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2))); /* not with -q */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));    /* not with -q */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));   /* only with -v */
/* One line that overwrites itself, only where standard error is a terminal and not with -q. */
void log_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_progress_end(void);
bool log_progress_wanted(void);
