// SPDX-License-Identifier: GPL-3.0-or-later
/* From words to captures: folders, duplicates, what cannot be read. */
#include "files.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "probe/capture/inputs.h"

struct problems {
    unsigned count;
    int last;
    char path[512];
};

static void on_problem(void *context, const char *path, int status, const char *text)
{
    struct problems *problems = context;
    problems->count++;
    problems->last = status;
    snprintf(problems->path, sizeof(problems->path), "%s", path);
    assert_non_null(text);
}

static void write_capture(void **state, const char *name, unsigned records)
{
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    pcap_simple(&b, records);
    write_file(state, name, b.bytes, b.length);
    buffer_finish(&b);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void expands_folders_by_content(void **state)
{
    const char *words[] = {((struct folder *)*state)->path};
    struct problems problems = {0};
    struct input_list list = {0};
    write_capture(state, "b.txt", 2);
    write_capture(state, "a.pcap", 1);
    write_file(state, "notes.pcap", "hello, this is text", 19);
    write_file(state, "empty.pcap", "", 0);
    mkdir(folder_file(state, "deeper"), 0700);
    write_capture(state, "deeper/c.pcap", 3);
    assert_int_equal(mkfifo(folder_file(state, "pipe"), 0600), 0);
    assert_int_equal(input_list_expand(&list, words, 1, on_problem, &problems), DL_OK);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.passed_over, 2);
    assert_int_equal(problems.count, 0);
    assert_true(ends_with(list.files[0].path, "/a.pcap"));
    assert_true(ends_with(list.files[1].path, "/b.txt"));
    assert_true(list.files[0].has_fingerprint);
    assert_int_equal(list.files[0].size, 24 + 77);
    input_list_finish(&list);
    input_list_finish(&list);
}

static void keeps_duplicates_once(void **state)
{
    char first[512], second[512];
    write_capture(state, "one", 5);
    write_capture(state, "two", 5);
    snprintf(first, sizeof(first), "%s", folder_file(state, "one"));
    snprintf(second, sizeof(second), "%s", folder_file(state, "two"));
    const char *words[] = {"-", first, second, first, "-", ((struct folder *)*state)->path};
    struct problems problems = {0};
    struct input_list list = {0};
    assert_int_equal(input_list_expand(&list, words, 6, on_problem, &problems), DL_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.files[0].path, "-");
    assert_false(list.files[0].has_fingerprint);
    assert_string_equal(list.files[1].path, first);
    assert_int_equal(problems.count, 5);
    assert_int_equal(problems.last, DL_DUPLICATE);
    input_list_finish(&list);
}

static void names_what_cannot_be_read(void **state)
{
    char good[512], missing[512];
    write_capture(state, "good", 1);
    snprintf(good, sizeof(good), "%s", folder_file(state, "good"));
    snprintf(missing, sizeof(missing), "%s", folder_file(state, "missing"));
    const char *words[] = {missing, good};
    struct problems problems = {0};
    struct input_list list = {0};
    assert_int_equal(input_list_expand(&list, words, 2, on_problem, &problems), DL_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.last, -ENOENT);
    assert_string_equal(problems.path, missing);
    input_list_finish(&list);
    assert_int_equal(input_list_expand(&list, words, 1, NULL, NULL), -ENOENT);
    assert_int_equal(input_list_expand(&list, words, 0, NULL, NULL), DL_EMPTY);
    mkdir(folder_file(state, "nothing"), 0700);
    words[0] = folder_file(state, "nothing");
    assert_int_equal(input_list_expand(&list, words, 1, on_problem, &problems), DL_EMPTY);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.path, words[0]);
}

static void holds_many_files(void **state)
{
    enum { MANY = 300 };
    char names[MANY][512];
    const char *words[2 * MANY];
    struct problems problems = {0};
    struct input_list list = {0};
    for (unsigned i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%03u", i);
        write_file(state, name, name, 3);
        snprintf(names[i], sizeof(names[i]), "%s", folder_file(state, name));
        words[i] = words[MANY + i] = names[i];
    }
    assert_int_equal(input_list_expand(&list, words, 2 * MANY, on_problem, &problems), DL_OK);
    assert_int_equal(list.count, MANY);
    assert_int_equal(problems.count, MANY);
    input_list_finish(&list);
}

static void fingerprints(void **state)
{
    static const uint8_t small_input[] = {0, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 'c'};
    uint8_t expected[32], got[32], other[32];
    uint64_t size = 0;
    const char *path = write_file(state, "abc", "abc", 3);
    assert_int_equal(input_fingerprint(path, &size, got), DL_OK);
    digest_sha256(small_input, sizeof(small_input), expected);
    assert_memory_equal(got, expected, 32);
    assert_int_equal(size, 3);
    assert_int_equal(input_sha256(path, got), DL_OK);
    digest_sha256("abc", 3, expected);
    assert_memory_equal(got, expected, 32);
    assert_int_equal(input_fingerprint(((struct folder *)*state)->path, &size, got),
                     DL_UNSUPPORTED);
    assert_int_equal(input_fingerprint(folder_file(state, "none"), &size, got), -ENOENT);
    /* Of a long file the ends count, and the size. */
    size_t length = 3 * 1024 * 1024;
    char *bytes = calloc(1, length);
    assert_non_null(bytes);
    assert_int_equal(input_fingerprint(write_file(state, "x", bytes, length), &size, got), DL_OK);
    bytes[length - 1] = 1;
    assert_int_equal(input_fingerprint(write_file(state, "x", bytes, length), &size, other), DL_OK);
    assert_memory_not_equal(got, other, 32);
    bytes[length - 1] = 0;
    bytes[length / 2] = 1;
    assert_int_equal(input_fingerprint(write_file(state, "x", bytes, length), &size, other), DL_OK);
    assert_memory_equal(got, other, 32);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(expands_folders_by_content, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(keeps_duplicates_once, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(names_what_cannot_be_read, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(holds_many_files, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(fingerprints, folder_setup, folder_teardown),
    };
    return digest_setup() == DL_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
