// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/publish/manifest.h"
#include "reports/publish/program.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD "# report 0123456789abcdef\n"

static void test_names(void **state)
{
    static const char *const good[] = {"index.html", "charts/a-b_c.svg", "MANIFEST"};
    static const char *const bad[] = {"",     "/a",   "../a", "a/../b", "a/b/c", ".a",
                                      "a/.b", "a//b", "a b",  "a\\b",   "a\n",   "a/"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(manifest_is_name(good[i]));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        if (manifest_is_name(bad[i]))
            fail_msg("a name: %s", bad[i]);
}

static int parse(const char *text)
{
    struct manifest manifest = {0};
    struct dl_error error = {0};
    int status = manifest_parse(&manifest, text, strlen(text), &error);

    assert_true(status == DL_OK || error.message[0]);
    manifest_finish(&manifest);
    return status;
}

static void test_parse(void **state)
{
    static const char *const bad[] = {"",
                                      HEAD,
                                      HASH "  1  a\n",                         /* no id */
                                      HEAD HASH "  1  a",                      /* no end */
                                      HEAD HASH " 1  a\n",                     /* one space */
                                      HEAD HASH "  1  a\n" HASH "  1  a\n",    /* twice */
                                      HEAD HASH "  1  b\n" HASH "  1  a\n",    /* not sorted */
                                      HEAD HASH "  -1  a\n",                   /* no size */
                                      HEAD HASH "  99999999999999999999  a\n", /* too large */
                                      HEAD HASH "  1  ../a\n",                 /* no name */
                                      HEAD "0123  1  a\n",                     /* no digest */
                                      HEAD HASH "  1  a\n# more\n",     /* a comment among files */
                                      "# report xyz\n" HASH "  1  a\n", /* no id */
                                      HEAD HASH "  1  a\n" HASH "  1  b\n\n"}; /* a blank line */

    (void)state;
    assert_int_equal(parse(HEAD "# origin lab\n" HASH "  0  a\n" HASH "  12  b/c\n"), DL_OK);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        if (parse(bad[i]) != DL_CORRUPT)
            fail_msg("passed: %s", bad[i]);
}

/* No more than the maximum is taken. */
static void test_many(void **state)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);

    (void)state;
    fputs(HEAD, file);
    for (unsigned i = 0; i <= MANIFEST_FILES_MAX; i++)
        fprintf(file, HASH "  1  a%05u\n", i);
    fclose(file);
    assert_int_equal(parse(text), DL_CORRUPT);
    free(text);
}

/* ---- other programs ---- */

static int call(const char *first, const char *second, const char *third, unsigned seconds,
                struct dl_error *error)
{
    const char *const arguments[] = {first, second, third, NULL};
    const struct program program = {
        .arguments = arguments, .folder = "/", .home = "/nonexistent", .seconds = seconds};
    return program_call(&program, error);
}

static void test_programs(void **state)
{
    struct dl_error error = {0};
    char path[256];

    (void)state;
    assert_true(program_find("sh", path, sizeof(path)));
    assert_false(program_find("no-such-program-of-darkline", path, sizeof(path)));
    assert_true(program_find("sh", path, sizeof(path)));
    assert_int_equal(call(path, "-c", "exit 0", 10, &error), DL_OK);
    assert_int_equal(call(path, "-c", "echo bad; echo more; exit 3", 10, &error), DL_LIBRARY);
    assert_string_equal(error.message, "sh: bad");
    assert_int_equal(call(path, "-c", "sleep 60 & sleep 60", 1, &error), -ETIMEDOUT);
    assert_int_equal(call(path, "-c", "kill -9 $$", 10, &error), DL_LIBRARY);
    assert_int_equal(call("/nonexistent/x", NULL, NULL, 10, &error), -ENOENT);
    /* Nothing of ours but what it must know. */
    assert_int_equal(
        call(path, "-c", "test -z \"$DARKLINE_SOURCE$USER\" && test \"$TZ\" = UTC0", 10, &error),
        DL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_parse),
                                       cmocka_unit_test(test_many),
                                       cmocka_unit_test(test_programs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
