// SPDX-License-Identifier: GPL-3.0-or-later
/* Each test enters the sandbox in a child and tries there what must not be possible. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "commands/sandbox.h"

enum verdict { HELD = 0, NO_LOCK = 77, BROKEN = 1 };

static int landlock; /* the version that holds, in the child */
static char folder[64], allowed[96], written[96], sibling[96], removable[96];

static int make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    return fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0;
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/darkline-sandbox-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(allowed, sizeof(allowed), "%s/allowed", folder);
    snprintf(written, sizeof(written), "%s/written", folder);
    snprintf(sibling, sizeof(sibling), "%s/sibling", folder);
    snprintf(removable, sizeof(removable), "%s/removable", folder);
    return make_file(allowed) || make_file(written) || make_file(sibling) || make_file(removable);
}

static int teardown(void **state)
{
    (void)state;
    unlink(allowed);
    unlink(written);
    unlink(sibling);
    unlink(removable);
    return rmdir(folder);
}

static struct sandbox_state enter(void)
{
    struct sandbox_state state = {0};
    struct dl_error error = {0};
    const struct sandbox_path paths[] = {{allowed, SANDBOX_READ},
                                         {written, SANDBOX_READ | SANDBOX_WRITE},
                                         {folder, SANDBOX_REMOVE},
                                         {"/nonexistent/file", SANDBOX_READ}};
    if (sandbox_enter(paths, ARRAY_LENGTH(paths), false, &state, &error) != DL_OK) {
        fprintf(stderr, "%s\n", error.message);
        _exit(BROKEN);
    }
    return state;
}

/* Does this hold in a child that has entered? Skips where the lock is not to be had here. */
static void in_sandbox(bool (*holds)(void), bool by_landlock)
{
    int how;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sandbox_state state = enter();
        landlock = state.landlock;
        if (by_landlock ? !state.landlock : !state.seccomp)
            _exit(NO_LOCK);
        _exit(holds() ? HELD : BROKEN);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == NO_LOCK)
        skip();
    assert_int_equal(WEXITSTATUS(how), HELD);
}

static bool opens(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* ---- files ---- */

static bool reads_only_what_is_named(void)
{
    return opens(allowed, O_RDONLY) && !opens("/etc/passwd", O_RDONLY) &&
           !opens(sibling, O_RDONLY) && !opens("/proc/self/maps", O_RDONLY);
}

static void test_reads_only_what_is_named(void **state)
{
    (void)state;
    in_sandbox(reads_only_what_is_named, true);
}

static bool writes_only_what_is_named(void)
{
    if (landlock >= 3 && (truncate(allowed, 0) == 0 || truncate(sibling, 0) == 0))
        return false;
    return opens(written, O_RDWR) && truncate(written, 0) == 0 && !opens(allowed, O_WRONLY) &&
           !opens(sibling, O_WRONLY);
}

static void test_writes_only_what_is_named(void **state)
{
    (void)state;
    in_sandbox(writes_only_what_is_named, true);
}

static bool makes_no_files(void)
{
    char made[128], linked[128];
    snprintf(made, sizeof(made), "%s/made", folder);
    snprintf(linked, sizeof(linked), "%s/linked", folder);
    return !opens(made, O_WRONLY | O_CREAT) && !opens("/tmp/darkline-made", O_WRONLY | O_CREAT) &&
           mkdir(made, 0700) != 0 && link(sibling, linked) != 0 && symlink(sibling, linked) != 0 &&
           rename(allowed, made) != 0 && mkfifo(made, 0600) != 0;
}

static void test_makes_no_files(void **state)
{
    (void)state;
    in_sandbox(makes_no_files, true);
}

static bool removes_where_it_may(void)
{
    return unlink(removable) == 0;
}

static void test_removes_where_it_may(void **state)
{
    (void)state;
    in_sandbox(removes_where_it_may, true);
    make_file(removable);
}

/* ---- processes ---- */

static bool runs_no_program(void)
{
    char *const words[] = {(char *)"true", NULL};
    return execv("/bin/true", words) != 0 && errno == EPERM && fork() < 0 && errno == EPERM;
}

static void test_runs_no_program(void **state)
{
    (void)state;
    in_sandbox(runs_no_program, false);
}

static bool traces_nobody(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 && errno == EPERM &&
           ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != 0 && errno == EPERM;
}

static void test_traces_nobody(void **state)
{
    (void)state;
    in_sandbox(traces_nobody, false);
}

static bool signals_nobody(void)
{
    return landlock < 6 || (kill(getppid(), 0) != 0 && errno == EPERM && kill(getpid(), 0) == 0);
}

static void test_signals_nobody(void **state)
{
    (void)state;
    in_sandbox(signals_nobody, true);
}

static void *nothing(void *context)
{
    return context;
}

static bool makes_threads(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static void test_makes_threads(void **state)
{
    (void)state;
    in_sandbox(makes_threads, false);
}

/* ---- the rest of the machine ---- */

static bool opens_no_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM &&
           socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM;
}

static void test_opens_no_socket(void **state)
{
    (void)state;
    in_sandbox(opens_no_socket, false);
}

static bool mounts_nothing(void)
{
    return mount("none", "/mnt", "tmpfs", 0, NULL) != 0 && errno == EPERM &&
           syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) != 0 && errno == EPERM;
}

static void test_mounts_nothing(void **state)
{
    (void)state;
    in_sandbox(mounts_nothing, false);
}

static bool types_nothing(void)
{
    return ioctl(STDIN_FILENO, TIOCSTI, "x") != 0 && errno == EPERM;
}

static void test_types_nothing(void **state)
{
    (void)state;
    in_sandbox(types_nothing, false);
}

/* ---- capabilities, also without the other two ---- */

static bool field_is(const char *status, const char *name, const char *value)
{
    const char *at = strstr(status, name);
    return at && strncmp(at + strlen(name), value, strlen(value)) == 0;
}

static bool is_powerless(void)
{
    static char status[8192];
    ssize_t length = read(STDIN_FILENO, status, sizeof(status) - 1);
    status[length > 0 ? length : 0] = '\0';
    return field_is(status, "CapInh:\t", "0000000000000000") &&
           field_is(status, "CapPrm:\t", "0000000000000000") &&
           field_is(status, "CapEff:\t", "0000000000000000") &&
           field_is(status, "CapAmb:\t", "0000000000000000") &&
           field_is(status, "NoNewPrivs:\t", "1");
}

static void test_capabilities_are_gone(void **state)
{
    int how;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* Opened before, read after: the file is made when it is read. */
        dup2(open("/proc/self/status", O_RDONLY), STDIN_FILENO);
        enter();
        _exit(is_powerless() && setuid(12345) != 0 && chown(sibling, 1, 1) != 0 ? HELD : BROKEN);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    if (geteuid() != 0)
        skip(); /* nothing to lose */
    assert_int_equal(WEXITSTATUS(how), HELD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_only_what_is_named),
        cmocka_unit_test(test_writes_only_what_is_named),
        cmocka_unit_test(test_makes_no_files),
        cmocka_unit_test(test_removes_where_it_may),
        cmocka_unit_test(test_runs_no_program),
        cmocka_unit_test(test_traces_nobody),
        cmocka_unit_test(test_signals_nobody),
        cmocka_unit_test(test_makes_threads),
        cmocka_unit_test(test_opens_no_socket),
        cmocka_unit_test(test_mounts_nothing),
        cmocka_unit_test(test_types_nothing),
        cmocka_unit_test(test_capabilities_are_gone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
