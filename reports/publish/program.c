// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/publish/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"

#define ENTRY_SIZE  4128
#define SAID_SIZE   300
#define MEMORY_MAX  (UINT64_C(3) << 30)
#define ENTRIES_MAX 10

bool program_find(const char *name, char *path, size_t size)
{
    static const char *const folders[] = {"/usr/local/bin", "/usr/bin", "/bin"};

    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
        snprintf(path, size, "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

struct environment {
    char texts[4][ENTRY_SIZE];
    char *entries[ENTRIES_MAX];
};

static void make_environment(struct environment *environment, const struct program *program)
{
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8",
                zone[] = "TZ=UTC0", seed[] = "PYTHONHASHSEED=0"; /* sets in one order */
    char **at = environment->entries;

    snprintf(environment->texts[0], ENTRY_SIZE, "HOME=%s", program->home);
    snprintf(environment->texts[1], ENTRY_SIZE, "TMPDIR=%s", program->home);
    snprintf(environment->texts[2], ENTRY_SIZE, "XDG_CACHE_HOME=%s", program->home);
    snprintf(environment->texts[3], ENTRY_SIZE, "SOURCE_DATE_EPOCH=%" PRId64,
             program->epoch_seconds);
    *at++ = path;
    *at++ = locale;
    *at++ = zone;
    *at++ = seed;
    for (size_t i = 0; i < ARRAY_LENGTH(environment->texts); i++)
        *at++ = environment->texts[i];
    *at = NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int spawn(struct program_run *run, const struct program *program)
{
    struct environment environment;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = -1;
    int failed;

    make_environment(&environment, program);
    failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return -failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        if (!failed)
            failed = posix_spawn_file_actions_adddup2(&actions, run->output, 1);
        if (!failed)
            failed = posix_spawn_file_actions_adddup2(&actions, run->output, 2);
        if (!failed)
            failed = posix_spawn_file_actions_addchdir_np(&actions, program->folder);
        if (!failed) /* a group of its own, so that what it starts is ended with it */
            failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        if (!failed)
            failed = posix_spawn(&pid, program->arguments[0], &actions, &attributes,
                                 (char *const *)(uintptr_t)program->arguments, environment.entries);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    run->pid = pid;
    return -failed;
}

int program_start(struct program_run *ret_run, const struct program *program,
                  struct dl_error *error)
{
    struct program_run run = {.pid = -1, .name = base_name(program->arguments[0])};
    const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX}, none = {0, 0};
    int status;

    run.output = memfd_create("output", MFD_CLOEXEC);
    status = run.output < 0 ? -errno : spawn(&run, program);
    if (status != DL_OK) {
        if (run.output >= 0)
            close(run.output);
        return dl_error_set(error, status, "%s: %s", run.name, dl_strerror(status));
    }
    (void)prlimit(run.pid, RLIMIT_AS, &memory, NULL);
    (void)prlimit(run.pid, RLIMIT_CORE, &none, NULL);
    run.until_us = clock_monotonic_us() + (int64_t)program->seconds * CLOCK_SECOND_US;
    *ret_run = run;
    return DL_OK;
}

/* Waits until it is over or out of time. */
static bool is_over_in_time(const struct program_run *run)
{
    int fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    int ready = 0;

    if (fd < 0)
        return true; /* an old kernel: then waitpid() waits */
    while (ready == 0) {
        int64_t left_us = run->until_us - clock_monotonic_us();
        if (left_us <= 0)
            break;
        ready = poll(&poller, 1, (int)(left_us / 1000) + 1);
        if (ready < 0 && errno == EINTR)
            ready = 0;
    }
    close(fd);
    return ready != 0;
}

/* The first line of what it said, with nothing in it that a terminal would take for an order. */
static void said(const struct program_run *run, char text[SAID_SIZE])
{
    ssize_t length = pread(run->output, text, SAID_SIZE - 1, 0);

    text[MAX_OF(length, 0)] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            *at = '?';
}

int program_wait(struct program_run *run, struct dl_error *error)
{
    bool in_time = is_over_in_time(run);
    char text[SAID_SIZE];
    int how = 0, status = DL_OK;

    if (!in_time)
        kill(-run->pid, SIGKILL);
    while (waitpid(run->pid, &how, 0) < 0 && errno == EINTR)
        ;
    said(run, text);
    if (!in_time)
        status = dl_error_set(error, -ETIMEDOUT, "%s took too long", run->name);
    else if (WIFSIGNALED(how))
        status =
            dl_error_set(error, DL_LIBRARY, "%s: ended by signal %d", run->name, WTERMSIG(how));
    else if (WEXITSTATUS(how) != 0)
        status = dl_error_set(error, DL_LIBRARY, "%s: %s", run->name,
                              text[0] ? text : "failed without a word");
    close(run->output);
    return status;
}

int program_call(const struct program *program, struct dl_error *error)
{
    struct program_run run = {.pid = -1};
    int status = program_start(&run, program, error);

    return status == DL_OK ? program_wait(&run, error) : status;
}
