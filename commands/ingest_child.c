// SPDX-License-Identifier: GPL-3.0-or-later
/* Reading captures in a process of its own, so that its sandbox does not bind who called. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "commands/ingest.h"

static volatile pid_t child_pid;

static void pass_on(int number)
{
    kill(child_pid, number);
}

static void set_handlers(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int read_all(const struct ingest_options *options, const struct common_options *common,
                    const char *store_path, const char *const *words, size_t count)
{
    int code;
    struct ingest *ingest = ingest_open(options, common, store_path, true, &code);
    if (!ingest)
        return code;
    ingest_files(ingest, words, count);
    return ingest_close(ingest, NULL);
}

static int wait_for(pid_t child)
{
    int how = 0;
    while (waitpid(child, &how, 0) < 0)
        if (errno != EINTR) {
            log_error("lost the process that reads captures: %s", strerror(errno));
            return EXIT_FAILED;
        }
    if (WIFEXITED(how))
        return WEXITSTATUS(how);
    log_error("the process that reads captures ended by signal %d (%s)", WTERMSIG(how),
              strsignal(WTERMSIG(how)));
    return EXIT_FAILED;
}

int ingest_in_child(const struct ingest_options *options, const struct common_options *common,
                    const char *store_path, const char *const *words, size_t count)
{
    sigset_t both, before;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    fflush(NULL);
    sigprocmask(SIG_BLOCK, &both, &before); /* until each process has its handlers */
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        sigprocmask(SIG_SETMASK, &before, NULL);
        int code = read_all(options, common, store_path, words, count);
        fflush(NULL);
        _exit(code);
    }
    if (child > 0) {
        child_pid = child;
        set_handlers(pass_on);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (child < 0) {
        log_error("no process for reading captures: %s", strerror(errno));
        return EXIT_FAILED;
    }
    int code = wait_for(child);
    set_handlers(SIG_DFL);
    return code;
}
