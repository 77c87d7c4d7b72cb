// SPDX-License-Identifier: GPL-3.0-or-later
#include "store_testing.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* What both ways of opening say; the message names the store and holds `words`. */
static void assert_refused(const char *path, int status, const char *words)
{
    struct dl_error error = {0};
    struct store *store = NULL;

    assert_int_equal(testing_try_read(path, &error), status);
    assert_non_null(strstr(error.message, path));
    assert_non_null(strstr(error.message, words));
    error = (struct dl_error){0};
    assert_int_equal(store_open(&store, path, &testing_info, &error), status);
    assert_non_null(strstr(error.message, path));
    assert_non_null(strstr(error.message, words));
    assert_null(store);
    assert_false(testing_exists(path, "-lock"));
}

static void test_no_store(void **state)
{
    const struct testing *testing = *state;
    struct dl_error error = {0};
    struct store *store = NULL;
    size_t before, after;

    assert_int_equal(testing_try_read(testing->path, &error), -ENOENT);
    assert_false(testing_exists(testing->path, ""));
    assert_int_equal(store_open(&store, "/nowhere/x.store", NULL, &error), -ENOENT);
    assert_refused(testing->folder, -EISDIR, "not a darkline store");

    testing_write_file(testing->path,
                       "just some text, and more than a hundred bytes of it, so that "
                       "SQLite sees its header is none of its own",
                       101);
    assert_refused(testing->path, DL_CORRUPT, "not a darkline store");
    testing_write_file(testing->path, "", 0);
    assert_int_equal(testing_try_read(testing->path, &error), DL_CORRUPT);
    store = testing_open(testing->path); /* an empty file is as good as none */
    assert_int_equal(store_close(store, NULL), DL_OK);
    unlink(testing->path);

    testing_run_sql(testing->path, "CREATE TABLE flows (id INTEGER PRIMARY KEY)");
    uint8_t *old = testing_read_file(testing->path, &before);
    assert_refused(testing->path, DL_CORRUPT, "not a darkline store");
    uint8_t *new = testing_read_file(testing->path, &after);
    assert_int_equal(before, after);
    assert_memory_equal(old, new, before);
    free(old);
    free(new);
}

static void test_odd_stores(void **state)
{
    const struct testing *testing = *state;

    testing_make_store(testing->path, 3);
    testing_run_sql(testing->path, "PRAGMA user_version = 99");
    assert_refused(testing->path, DL_VERSION, "newer darkline");
    testing_run_sql(testing->path, "PRAGMA user_version = 0");
    assert_refused(testing->path, DL_CORRUPT, "not a darkline store");
    testing_run_sql(testing->path,
                    "PRAGMA user_version = 1; CREATE TRIGGER t AFTER INSERT ON flows "
                    "BEGIN DELETE FROM flows; END");
    assert_refused(testing->path, DL_CORRUPT, "triggers");
    testing_run_sql(testing->path, "DROP TRIGGER t; DROP TABLE flows");
    assert_refused(testing->path, DL_CORRUPT, "damaged");
}

/* ---- writers ---- */

static void test_two_writers(void **state)
{
    const struct testing *testing = *state;
    struct store *store = testing_open(testing->path), *second = NULL;
    struct dl_error error = {0};

    int64_t before = clock_monotonic_us();
    assert_int_equal(store_open(&second, testing->path, NULL, &error), -EBUSY);
    assert_true(clock_monotonic_us() - before < CLOCK_SECOND_US);
    assert_non_null(strstr(error.message, "another darkline is writing to it"));
    assert_int_equal(testing_begin_input(store, "x", 1), 1);
    assert_int_equal(store_commit(store, true, NULL), DL_OK);
    assert_int_equal(testing_count_rows(testing->path), 0); /* reading is allowed */
    assert_int_equal(store_close(store, NULL), DL_OK);

    char lock[PATH_MAX + 64];
    snprintf(lock, sizeof(lock), "%s-lock", testing->path);
    testing_write_file(lock, "", 0); /* left by a dead one */
    store = testing_open(testing->path);
    assert_int_equal(store_close(store, NULL), DL_OK);
    assert_false(testing_exists(lock, ""));
}

/* Another program in the middle of writing, which knows nothing of our lock. */
static void test_foreign_writer(void **state)
{
    const struct testing *testing = *state;
    struct store *store = NULL;
    struct dl_error error = {0};
    sqlite3 *db;

    testing_make_store(testing->path, 1);
    assert_int_equal(sqlite3_open(testing->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_open(&store, testing->path, &testing_info, &error), -EBUSY);
    assert_non_null(strstr(error.message, "is writing to it"));
    sqlite3_close(db);
}

/* Ends a child; what it says is 0. */
static void assert_child(pid_t child)
{
    int status;

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Writes rows until it is killed; tells after each commit how many are safe. */
static void write_until_killed(const char *path, int report)
{
    struct store *store = testing_open(path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    struct observation observation;

    for (uint64_t i = 1;; i++) {
        testing_fill_flow(&observation, input, i);
        if (i % 3 == 0) {
            testing_fill_evidence(&observation.evidence);
        }
        if (store_put(store, &observation, NULL) != DL_OK) {
            _exit(1);
        }
        if (i % 1000 == 0) {
            if (store_commit(store, true, NULL) != DL_OK || write(report, &i, sizeof(i)) < 0) {
                _exit(1);
            }
        }
        if (i > 9500) {
            usleep(1000); /* in the middle of a batch */
        }
    }
}

/* Leaves the store of a killed writer. Returns how many rows are safe. */
static uint64_t make_killed_store(const char *path)
{
    uint64_t safe = 0, report;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        write_until_killed(path, ends[1]);
    }
    close(ends[1]);
    while (safe < 9000 && read(ends[0], &report, sizeof(report)) == sizeof(report)) {
        safe = report;
    }
    usleep(200000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(ends[0], &report, sizeof(report)) == sizeof(report)) {
        safe = report;
    }
    close(ends[0]);
    assert_true(safe >= 9000);
    return safe;
}

static void test_killed_writer(void **state)
{
    const struct testing *testing = *state;
    struct observation observation;

    uint64_t safe = make_killed_store(testing->path);
    assert_true(testing_exists(testing->path, "-wal"));
    assert_true(testing_count_rows(testing->path) >= safe);
    struct store *store = testing_open(testing->path); /* its lock went with it */
    uint32_t input = testing_begin_input(store, "y.pcap", 2);
    testing_fill_flow(&observation, input, 1);
    assert_int_equal(store_put(store, &observation, NULL), DL_OK);
    assert_int_equal(store_close(store, NULL), DL_OK);
    assert_false(testing_exists(testing->path, "-wal"));
    assert_true(testing_count_rows(testing->path) > safe);
}

/* ---- what may not be written ---- */

/* Root may write everywhere: go on as somebody else. */
static void become_nobody(void)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        _exit(77);
    }
}

static void set_modes(const struct testing *testing, mode_t folder, mode_t file)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
    char name[PATH_MAX + 64];

    for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++) {
        snprintf(name, sizeof(name), "%s%s", testing->path, suffixes[i]);
        chmod(name, file);
    }
    chmod(testing->folder, folder);
}

static int try_write(const char *path, const char *words)
{
    struct dl_error error = {0};
    struct store *store = NULL;
    int status = store_open(&store, path, &testing_info, &error);

    store_close(store, NULL);
    return strstr(error.message, path) && strstr(error.message, words) ? status : DL_OK;
}

static void test_read_only(void **state)
{
    const struct testing *testing = *state;
    char other[PATH_MAX + 64];

    snprintf(other, sizeof(other), "%s.new", testing->path);
    testing_make_store(testing->path, 10);
    set_modes(testing, 0777, 0444);
    pid_t child = fork();
    if (child == 0) { /* the file only */
        become_nobody();
        bool ok = try_write(testing->path, "cannot be written") == -EACCES &&
                  testing_count_rows(testing->path) == 10;
        _exit(!ok);
    }
    assert_child(child);
    set_modes(testing, 0555, 0666);
    child = fork();
    if (child == 0) { /* the folder only */
        become_nobody();
        bool ok = try_write(testing->path, "folder") == -EACCES &&
                  try_write(other, "folder") == -EACCES && !testing_exists(other, "") &&
                  testing_count_rows(testing->path) == 10;
        _exit(!ok);
    }
    assert_child(child);
}

static uint64_t count_as_nobody(const struct testing *testing)
{
    int ends[2];
    uint64_t rows = 0;

    assert_int_equal(pipe(ends), 0);
    set_modes(testing, 0555, 0444);
    pid_t child = fork();
    if (child == 0) {
        become_nobody();
        rows = testing_count_rows(testing->path);
        _exit(write(ends[1], &rows, sizeof(rows)) != sizeof(rows));
    }
    assert_child(child);
    assert_int_equal(read(ends[0], &rows, sizeof(rows)), sizeof(rows));
    close(ends[0]);
    close(ends[1]);
    set_modes(testing, 0777, 0666);
    return rows;
}

/* Evidence on a medium that is read-only: with its WAL, without the -shm, and without the WAL. */
static void test_killed_and_read_only(void **state)
{
    const struct testing *testing = *state;
    char name[PATH_MAX + 64];

    uint64_t safe = make_killed_store(testing->path);
    assert_true(count_as_nobody(testing) >= safe);
    snprintf(name, sizeof(name), "%s-shm", testing->path);
    assert_int_equal(unlink(name), 0);
    assert_true(count_as_nobody(testing) >= safe);
    assert_false(testing_exists(name, ""));
    testing_run_sql(testing->path, "PRAGMA wal_checkpoint(TRUNCATE)"); /* and stays in WAL mode */
    snprintf(name, sizeof(name), "%s-wal", testing->path);
    assert_false(testing_exists(name, ""));
    assert_true(count_as_nobody(testing) >= safe);
}

/* ---- a full disk ---- */

/* Writes until nothing goes any more. 0 if all is as it should be. */
static int fill_disk(const char *path)
{
    struct dl_error error = {0};
    struct store *store = testing_open(path);
    uint32_t input = testing_begin_input(store, "x.pcap", 1);
    struct observation observation;
    uint64_t safe = 0;
    int status = DL_OK;

    for (uint64_t i = 1; status == DL_OK && i < 200000; i++) {
        testing_fill_flow(&observation, input, i);
        testing_fill_evidence(&observation.evidence);
        status = store_put(store, &observation, &error);
        if (status == DL_OK && i % 100 == 0) {
            status = store_commit(store, true, &error);
            safe = status == DL_OK ? i : safe;
        }
    }
    if (status != -ENOSPC || !strstr(error.message, path) || !strstr(error.message, "is kept")) {
        return 1;
    }
    if (store_put(store, &observation, &error) != -ENOSPC ||
        store_commit(store, true, &error) != -ENOSPC || store_close(store, &error) != -ENOSPC) {
        return 2; /* it stays so */
    }
    return safe > 0 && testing_count_rows(path) >= safe ? 0 : 3;
}

static void test_file_size_limit(void **state)
{
    const struct testing *testing = *state;

    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {1024 * 1024, 1024 * 1024};
        signal(SIGXFSZ, SIG_IGN);
        _exit(setrlimit(RLIMIT_FSIZE, &limit) != 0 ? 4 : fill_disk(testing->path));
    }
    assert_child(child);
}

static bool write_map(const char *path, const char *format, unsigned id)
{
    FILE *file = fopen(path, "w");

    if (!file) {
        return false;
    }
    fprintf(file, format, id);
    return fclose(file) == 0;
}

/* Root may mount; another user is root in a namespace of its own. */
static bool become_mounter(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (uid == 0) {
        return unshare(CLONE_NEWNS) == 0;
    }
    return unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0 &&
           write_map("/proc/self/uid_map", "0 %u 1", uid) &&
           write_map("/proc/self/setgroups", "deny", 0) &&
           write_map("/proc/self/gid_map", "0 %u 1", gid);
}

/* A small file system of our own, where the kernel lets us make one. */
static void test_disk_full(void **state)
{
    const struct testing *testing = *state;
    int status;

    pid_t child = fork();
    if (child == 0) {
        if (!become_mounter() || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("none", testing->folder, "tmpfs", 0, "size=2m") != 0) {
            _exit(77);
        }
        _exit(fill_disk(testing->path));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Names that mean something to SQLite or in a URI are just names. */
static void test_strange_names(void **state)
{
    static const char *const names[] = {":memory:", "file:x?mode=memory", "a%20b#c?d=e&f", "ü ñ",
                                        "-wal"};
    const struct testing *testing = *state;

    assert_int_equal(chdir(testing->folder), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        testing_make_store(names[i], 2);
        assert_true(testing_exists(names[i], ""));
        assert_int_equal(testing_count_rows(names[i]), 2);
    }
    char twice[PATH_MAX + 64];
    snprintf(twice, sizeof(twice), "/%s", testing->path); /* "//host" in a URI */
    testing_make_store(twice, 2);
    assert_true(testing_exists(testing->path, ""));
    assert_int_equal(chdir("/"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, testing_setup, testing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_no_store),       TEST(test_odd_stores),           TEST(test_two_writers),
        TEST(test_foreign_writer), TEST(test_killed_writer),        TEST(test_read_only),
        TEST(test_disk_full),      TEST(test_killed_and_read_only), TEST(test_file_size_limit),
        TEST(test_strange_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
