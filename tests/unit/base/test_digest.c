// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/digest.h"
#include "base/status.h"

#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256_ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void check(const uint8_t hash[DIGEST_SIZE], const char *expected)
{
    char text[DIGEST_TEXT_SIZE];
    assert_string_equal(digest_text(hash, text), expected);
}

static int setup(void **state)
{
    (void)state;
    return digest_setup() == DL_OK && digest_setup() == DL_OK ? 0 : -1;
}

static void test_sha256(void **state)
{
    uint8_t hash[DIGEST_SIZE];
    (void)state;
    digest_sha256(NULL, 0, hash);
    check(hash, SHA256_EMPTY);
    digest_sha256("abc", 3, hash);
    check(hash, SHA256_ABC);
}

static void test_in_parts(void **state)
{
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    struct digest *digest = NULL;
    uint8_t hash[DIGEST_SIZE];
    (void)state;
    assert_int_equal(digest_create(&digest), DL_OK);
    for (size_t i = 0; i < strlen(text); i++) {
        digest_update(digest, text + i, 1);
        digest_update(digest, NULL, 0);
    }
    digest_final(digest, hash);
    check(hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    digest_destroy(digest);
    digest_destroy(NULL);
}

/* RFC 4231, cases 1, 2 and 6. */
static void test_hmac(void **state)
{
    struct digest_hmac *hmac = NULL;
    uint8_t hash[DIGEST_SIZE], key[131];
    static const char long_text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    (void)state;
    memset(key, 0x0b, 20);
    assert_int_equal(digest_hmac_create(&hmac, key, 20), DL_OK);
    for (int i = 0; i < 2; i++) {
        digest_hmac(hmac, "Hi There", 8, hash);
        check(hash, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        digest_hmac(hmac, "other", 5, hash);
    }
    digest_hmac_destroy(hmac);
    assert_int_equal(digest_hmac_create(&hmac, "Jefe", 4), DL_OK);
    digest_hmac(hmac, "what do ya want for nothing?", 28, hash);
    check(hash, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    digest_hmac_destroy(hmac);
    memset(key, 0xaa, sizeof(key));
    assert_int_equal(digest_hmac_create(&hmac, key, sizeof(key)), DL_OK);
    digest_hmac(hmac, long_text, strlen(long_text), hash);
    check(hash, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    digest_hmac_destroy(hmac);
    digest_hmac_destroy(NULL);
}

static void test_hmac_of_nothing(void **state)
{
    struct digest_hmac *hmac = NULL;
    uint8_t hash[DIGEST_SIZE];
    (void)state;
    assert_int_equal(digest_hmac_create(&hmac, NULL, 0), DL_OK);
    digest_hmac(hmac, NULL, 0, hash);
    check(hash, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    digest_hmac_destroy(hmac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_in_parts),
        cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_hmac_of_nothing),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
