// SPDX-License-Identifier: GPL-3.0-or-later
#include "store_testing.h"

#include "store/key.h"

static void write_file(const char *path, const void *bytes, size_t length, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void test_made_once(void **state)
{
    const struct testing *testing = *state;
    struct key *key = NULL, *again = NULL;
    struct address address;
    struct stat info;

    assert_int_equal(key_open(&key, testing->path, false, NULL), DL_NO_KEY);
    assert_false(testing_exists(testing->path, ""));
    umask(0);
    assert_int_equal(key_open(&key, testing->path, true, NULL), DL_OK);
    assert_int_equal(stat(testing->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size, 32);
    assert_int_equal(key_open(&again, testing->path, true, NULL), DL_OK);
    assert_string_equal(key_epoch(key), key_epoch(again));
    assert_int_equal(address_parse("192.0.2.1", &address), DL_OK);
    assert_true(key_pseudonym(key, &address) == key_pseudonym(again, &address));
    key_destroy(again);

    char other[PATH_MAX + 64];
    snprintf(other, sizeof(other), "%s.other", testing->path);
    assert_int_equal(key_open(&again, other, true, NULL), DL_OK);
    assert_true(key_pseudonym(key, &address) != key_pseudonym(again, &address));
    key_destroy(again);
    key_destroy(key);
    key_destroy(NULL);
}

/*
 * The key of bytes 0 to 31, and what `openssl dgst -sha256 -mac HMAC -macopt hexkey:0001...1f`
 * gives for "epoch", for the 4 bytes of 192.0.2.1 and for the 8 of 2001:db8:1:2.
 */
static void test_known_values(void **state)
{
    const struct testing *testing = *state;
    uint8_t bytes[32];
    struct key *key = NULL;
    struct address v4, v6, neighbour, elsewhere;
    char text[KEY_PSEUDONYM_TEXT_SIZE];

    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    write_file(testing->path, bytes, sizeof(bytes), 0400);
    assert_int_equal(key_open(&key, testing->path, true, NULL), DL_OK);
    assert_int_equal(address_parse("192.0.2.1", &v4), DL_OK);
    assert_int_equal(address_parse("2001:db8:1:2:3:4:5:6", &v6), DL_OK);
    assert_int_equal(address_parse("2001:db8:1:2:ffff::1", &neighbour), DL_OK);
    assert_int_equal(address_parse("2001:db8:1:3:3:4:5:6", &elsewhere), DL_OK);
    assert_string_equal(key_epoch(key), "c9132854");
    assert_true(key_pseudonym(key, &v4) == UINT64_C(0x1b7fac6f9fb86d0b));
    assert_true(key_pseudonym(key, &v6) == UINT64_C(0x79f7ae96412a9847));
    assert_true(key_pseudonym(key, &neighbour) == key_pseudonym(key, &v6));
    assert_true(key_pseudonym(key, &elsewhere) != key_pseudonym(key, &v6));
    assert_string_equal(key_pseudonym_text(key_epoch(key), key_pseudonym(key, &v4), text),
                        "c9132854-1b7fac6f9fb86d0b");
    assert_string_equal(key_pseudonym_text("1f0c33aa", 0x17, text), "1f0c33aa-0000000000000017");
    key_destroy(key);
}

static void assert_refused(const char *path, bool create)
{
    struct dl_error error = {0};
    struct key *key = NULL;

    assert_int_equal(key_open(&key, path, create, &error), DL_NO_KEY);
    assert_null(key);
    assert_non_null(strstr(error.message, path));
}

static void test_unfit(void **state)
{
    const struct testing *testing = *state;
    static const mode_t open_modes[] = {0640, 0604, 0620, 0610, 0644, 0666};
    static const uint8_t bytes[33] = {1};

    for (size_t i = 0; i < ARRAY_LENGTH(open_modes); i++) {
        write_file(testing->path, bytes, 32, open_modes[i]);
        assert_refused(testing->path, true);
    }
    for (size_t length = 0; length <= 33; length += length == 0 ? 31 : 2) {
        write_file(testing->path, bytes, length, 0600);
        assert_refused(testing->path, true);
    }
    assert_refused(testing->folder, true);
    assert_int_equal(unlink(testing->path), 0);
    assert_int_equal(mkfifo(testing->path, 0600), 0);
    assert_refused(testing->path, false); /* and does not wait */
}

static void test_folder_missing(void **state)
{
    struct dl_error error = {0};
    struct key *key = NULL;

    (void)state;
    assert_int_equal(key_open(&key, "/nowhere/at/all.key", true, &error), -ENOENT);
    assert_non_null(strstr(error.message, "/nowhere/at/all.key"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, testing_setup, testing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_made_once),
        TEST(test_known_values),
        TEST(test_unfit),
        TEST(test_folder_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
