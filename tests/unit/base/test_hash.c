// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/hash.h"
#include "base/status.h"

/* The paper's algorithm once more, byte by byte into a padded message, without the macro under
 * test. */
static uint64_t rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static void reference_round(uint64_t v[4])
{
    v[0] = v[0] + v[1];
    v[1] = rotate(v[1], 13);
    v[1] = v[1] ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] = v[2] + v[3];
    v[3] = rotate(v[3], 16);
    v[3] = v[3] ^ v[2];
    v[0] = v[0] + v[3];
    v[3] = rotate(v[3], 21);
    v[3] = v[3] ^ v[0];
    v[2] = v[2] + v[1];
    v[1] = rotate(v[1], 17);
    v[1] = v[1] ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t reference_hash(const struct hash_key *key, const uint8_t *bytes, size_t length)
{
    uint8_t padded[128] = {0};
    uint64_t v[4] = {key->k0 ^ UINT64_C(0x736f6d6570736575), key->k1 ^ UINT64_C(0x646f72616e646f6d),
                     key->k0 ^ UINT64_C(0x6c7967656e657261),
                     key->k1 ^ UINT64_C(0x7465646279746573)};
    size_t total = length / 8 * 8 + 8;

    memcpy(padded, bytes, length);
    padded[total - 1] = (uint8_t)length;
    for (size_t at = 0; at < total; at += 8) {
        uint64_t word = 0;
        for (size_t i = 8; i-- > 0;) {
            word = word << 8 | padded[at + i];
        }
        v[3] ^= word;
        reference_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) {
        reference_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void fill(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)i;
    }
}

static const struct hash_key counting = {UINT64_C(0x0706050403020100),
                                         UINT64_C(0x0f0e0d0c0b0a0908)};

/* What CPython 3.11 (siphash13, PYTHONHASHSEED=0: an all-zero key) says of bytes(range(n)). */
static void test_python_vectors(void **state)
{
    static const struct {
        size_t length;
        uint64_t hash;
    } vectors[] = {{1, UINT64_C(0x68a914128e01e473)},  {7, UINT64_C(0x2f098ab0c751325a)},
                   {8, UINT64_C(0xead411e67ebe2eea)},  {9, UINT64_C(0x75927f9d95124362)},
                   {15, UINT64_C(0xf30eb725bb91c9ea)}, {16, UINT64_C(0x8972188433a5c5b7)},
                   {23, UINT64_C(0x37332b1389daa4ff)}};
    struct hash_key zero = {0, 0};
    uint8_t bytes[32];
    (void)state;
    fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_true(hash_bytes(&zero, bytes, vectors[i].length) == vectors[i].hash);
    }
}

static void test_reference(void **state)
{
    uint8_t bytes[100];
    (void)state;
    fill(bytes, sizeof(bytes));
    for (size_t length = 0; length <= sizeof(bytes); length++) {
        assert_true(hash_bytes(&counting, bytes, length) ==
                    reference_hash(&counting, bytes, length));
    }
}

static void test_words_equal_bytes(void **state)
{
    uint64_t words[40];
    (void)state;
    for (size_t i = 0; i < 40; i++) {
        words[i] = i * UINT64_C(0x9e3779b97f4a7c15) + 1;
    }
    for (size_t count = 0; count <= 40; count++) {
        assert_true(hash_words(&counting, words, count) == hash_bytes(&counting, words, count * 8));
    }
}

static void test_unaligned(void **state)
{
    uint8_t bytes[25], shifted[26];
    (void)state;
    fill(bytes, sizeof(bytes));
    memcpy(shifted + 1, bytes, sizeof(bytes));
    assert_true(hash_bytes(&counting, bytes, 25) == hash_bytes(&counting, shifted + 1, 25));
}

static void test_random_keys_differ(void **state)
{
    struct hash_key a = {0, 0}, b = {0, 0};
    (void)state;
    assert_int_equal(hash_key_random(&a), DL_OK);
    assert_int_equal(hash_key_random(&b), DL_OK);
    assert_true(a.k0 != b.k0 && a.k1 != b.k1);
    assert_true(hash_bytes(&a, "x", 1) != hash_bytes(&b, "x", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python_vectors),     cmocka_unit_test(test_reference),
        cmocka_unit_test(test_words_equal_bytes),  cmocka_unit_test(test_unaligned),
        cmocka_unit_test(test_random_keys_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
