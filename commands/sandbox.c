// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif
#ifndef WITH_SANITIZER
#define WITH_SANITIZER 0
#endif

/* ---- Landlock: glibc has no wrappers, and Debian 12's header ends with version 2 ---- */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH      1

#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_DIR  (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_TRUNCATE    (UINT64_C(1) << 14)
#define FS_OF_FILES    (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE) /* what a rule on a file takes */

/* All rights that a version knows are ruled, so that each must be named to be had. */
#define FS_VERSION_1      ((UINT64_C(1) << 13) - 1)
#define FS_REFER          (UINT64_C(1) << 13) /* since 2 */
#define FS_IOCTL_DEV      (UINT64_C(1) << 15) /* since 5; truncating since 3 */
#define NET_BIND_CONNECT  UINT64_C(3)         /* since 4 */
#define SCOPE_UNIX_SIGNAL UINT64_C(3)         /* since 6 */

struct ruleset_attributes {
    uint64_t handled_access_fs, handled_access_net, scoped;
};
struct path_rule {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

static struct ruleset_attributes attributes_of(int version)
{
    struct ruleset_attributes attributes = {.handled_access_fs = FS_VERSION_1};
    if (version >= 2)
        attributes.handled_access_fs |= FS_REFER;
    if (version >= 3)
        attributes.handled_access_fs |= FS_TRUNCATE;
    if (version >= 4)
        attributes.handled_access_net = NET_BIND_CONNECT;
    if (version >= 5)
        attributes.handled_access_fs |= FS_IOCTL_DEV;
    if (version >= 6)
        attributes.scoped = SCOPE_UNIX_SIGNAL;
    return attributes;
}

/* A kernel looks at as much of the structure as its version has; older ones refuse more. */
static size_t attributes_size(int version)
{
    return version >= 6   ? sizeof(struct ruleset_attributes)
           : version >= 4 ? offsetof(struct ruleset_attributes, scoped)
                          : offsetof(struct ruleset_attributes, handled_access_net);
}

static uint64_t rights_of(unsigned access)
{
    uint64_t rights = 0;
    if (access & SANDBOX_READ)
        rights |= FS_READ_FILE;
    if (access & SANDBOX_LIST)
        rights |= FS_READ_DIR;
    if (access & SANDBOX_WRITE)
        rights |= FS_WRITE_FILE | FS_TRUNCATE;
    if (access & SANDBOX_REMOVE)
        rights |= FS_REMOVE_FILE | FS_REMOVE_DIR;
    if (access & SANDBOX_CREATE)
        rights |= FS_MAKE_REG;
    return rights;
}

static int add_path(int ruleset, uint64_t handled, const struct sandbox_path *path)
{
    struct stat info;
    struct path_rule rule = {.parent_fd = open(path->path, O_PATH | O_CLOEXEC)};
    int status = DL_OK;
    if (rule.parent_fd < 0)
        return DL_OK;
    rule.allowed_access = rights_of(path->access) & handled;
    if (fstat(rule.parent_fd, &info) == 0 && !S_ISDIR(info.st_mode))
        rule.allowed_access &= FS_OF_FILES;
    /* EBADFD: a pipe by its number in /proc; Landlock leaves those alone. */
    if (rule.allowed_access &&
        syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0 &&
        errno != EBADFD)
        status = -errno;
    close(rule.parent_fd);
    return status;
}

static int restrict_files(const struct sandbox_path *paths, size_t count, int *ret_version,
                          struct dl_error *error)
{
    int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    int status = DL_OK;
    *ret_version = 0;
    if (version < 1) /* ENOSYS, or EOPNOTSUPP where it is compiled in but off */
        return DL_OK;
    const struct ruleset_attributes attributes = attributes_of(version);
    int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &attributes, attributes_size(version), 0);
    if (ruleset < 0)
        return dl_error_set(error, -errno, "Landlock: no rules: %s", strerror(errno));
    for (size_t i = 0; status == DL_OK && i < count; i++)
        status = add_path(ruleset, attributes.handled_access_fs, &paths[i]);
    if (status == DL_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        status = -errno;
    close(ruleset);
    if (status != DL_OK)
        return dl_error_set(error, status, "Landlock refuses: %s", dl_strerror(status));
    *ret_version = version;
    return DL_OK;
}

/* ---- seccomp ---- */

/* By name: what libseccomp or the machine does not know is passed over. */
static const char *const denied[] = {
    /* other programs, other processes */
    "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev",
    "process_madvise", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kcmp",
    /* the tree of files */
    "mount", "umount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount",
    "fspick", "mount_setattr", "pivot_root", "chroot", "open_by_handle_at", "name_to_handle_at",
    "swapon", "swapoff", "quotactl", "quotactl_fd", "acct", "fanotify_init",
    /* the kernel */
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "keyctl", "add_key", "request_key", "iopl", "ioperm", "modify_ldt",
    "syslog", "lookup_dcookie", "vhangup",
    /* other worlds, other users, other clocks */
    "setns", "unshare", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid",
    "setfsuid", "setfsgid", "setgroups", "capset", "personality", "sethostname", "setdomainname",
    "settimeofday", "clock_settime", "stime",
    /* the network: sockets that are open stay */
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"};

/* A new process, but no new thread: glibc makes threads with clone3 where it can, whose flags no
 * filter sees; told that there is none it uses clone. */
static int deny_processes(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return result;
}

/* Typing into the terminal that darkline was called from would be running a command. */
static int deny_typing(scmp_filter_ctx filter)
{
    static const uint64_t requests[] = {TIOCSTI, TIOCLINUX};
    int result = 0;
    for (size_t i = 0; result == 0 && i < ARRAY_LENGTH(requests); i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, requests[i]));
    return result;
}

static int restrict_calls(bool *ret_held, struct dl_error *error)
{
    *ret_held = false;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return dl_error_set(error, DL_LIBRARY, "seccomp: no filter");
    int result = deny_processes(filter);
    if (result == 0)
        result = deny_typing(filter);
    for (size_t i = 0; result == 0 && i < ARRAY_LENGTH(denied); i++) {
        int number = seccomp_syscall_resolve_name(denied[i]);
        if (number >= 0) /* negative ones are of other machines */
            result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
    }
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    /* EINVAL, ENOSYS: a kernel without it, or an emulator; libseccomp says ECANCELED for both. */
    if (result == -EINVAL || result == -ENOSYS || result == -ECANCELED)
        return DL_OK;
    if (result != 0)
        return dl_error_set(error, result, "seccomp refuses: %s", strerror(-result));
    *ret_held = true;
    return DL_OK;
}

/* ---- capabilities ---- */

static int drop_capabilities(struct dl_error *error)
{
    capng_clear(CAPNG_SELECT_CAPS);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0)
        return dl_error_set(error, DL_LIBRARY, "cannot give up capabilities");
    return DL_OK;
}

int sandbox_enter(const struct sandbox_path *paths, size_t count, bool keep_capabilities,
                  struct sandbox_state *ret_state, struct dl_error *error)
{
    static const struct rlimit no_core = {0, 0}; /* a core would hold packets */
    struct sandbox_state state = {0};
    int status = DL_OK;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return dl_error_set(error, -errno, "cannot forbid new privileges: %s", strerror(errno));
    setrlimit(RLIMIT_CORE, &no_core);
    if (!WITH_SANITIZER)
        status = restrict_files(paths, count, &state.landlock, error);
    if (status == DL_OK && !keep_capabilities)
        status = drop_capabilities(error);
    if (status == DL_OK && !WITH_SANITIZER)
        status = restrict_calls(&state.seccomp, error);
    if (status == DL_OK)
        *ret_state = state;
    return status;
}
