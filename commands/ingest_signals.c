// SPDX-License-Identifier: GPL-3.0-or-later
/* SIGINT and SIGTERM end reading, and whoever waits for something to read. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "commands/ingest_internal.h"

volatile sig_atomic_t ingest_stop_wanted;

static void on_signal(int number)
{
    (void)number;
    ingest_stop_wanted = 1;
}

void ingest_watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Once a capture is open it asks by itself; a signal that comes right before its first read() would be
 * lost on a pipe that says nothing. */
bool ingest_await_bytes(const char *path)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    while (strcmp(path, "-") == 0 && !ingest_stop_wanted)
        if (poll(&input, 1, CAPTURE_IDLE_MS) > 0)
            break;
    return !ingest_stop_wanted;
}
