// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs a program with its output thrown away and prints what that took: seconds of wall, user and
 * system time, peak resident kilobytes, exit code.
 *
 *   measure CORE|- COMMAND...     CORE: the one processor that it may use
 *
 * A small program of its own, since the peak of a child counts from what its parent had resident.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void become(const char *core, char **command)
{
    cpu_set_t set;
    int null = open("/dev/null", O_WRONLY);

    CPU_ZERO(&set);
    CPU_SET(strtoul(core, NULL, 10), &set);
    if (strcmp(core, "-") != 0 && sched_setaffinity(0, sizeof(set), &set) != 0) {
        perror("sched_setaffinity");
        _exit(126);
    }
    if (null < 0 || dup2(null, STDOUT_FILENO) < 0) {
        perror("/dev/null");
        _exit(126);
    }
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    struct timespec begin, end;
    struct rusage usage;
    int status;

    if (argc < 3) {
        fprintf(stderr, "usage: measure CORE|- COMMAND...\n");
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t child = fork();
    if (child == 0) {
        become(argv[1], argv + 2);
    }
    while (child < 0 || wait4(child, &status, 0, &usage) != child) {
        if (child < 0 || errno != EINTR) {
            perror("measure");
            return EXIT_FAILURE;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.6f %.6f %.6f %ld %d\n",
           (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
           seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return EXIT_SUCCESS;
}
