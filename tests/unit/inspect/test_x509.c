// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "probe/inspect/tls.h"

#include "tests/unit/inspect/samples.h"
#include "tests/unit/inspect/tls_samples.h"

static bool parse(const struct bytes *der, size_t length, size_t full_length,
                  struct tls_certificate *ret_certificate)
{
    uint8_t *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, der->at, length);
    bool good = x509_parse(copy, length, full_length, ret_certificate);
    free(copy);
    return good;
}

static void check_time(int64_t time_us, const char *expected)
{
    char text[CLOCK_TEXT_SIZE];

    assert_string_equal(clock_format(time_us, text), expected);
}

static void test_leaf(void **state)
{
    /* openssl x509 -fingerprint -sha256 */
    static const char *const fingerprint =
        "faf0c814407b103df35563c3a674229d6d0e9bf7c63507178aa411ccc1b82f60";
    static struct bytes der;
    struct tls_certificate certificate;
    char text[DIGEST_TEXT_SIZE];

    (void)state;
    der.length = 0;
    put_hex(&der, sample_leaf);
    assert_true(parse(&der, der.length, der.length, &certificate));
    assert_true(certificate.present && !certificate.truncated && !certificate.self_issued);
    assert_string_equal(certificate.subject, "chat.example.com");
    assert_string_equal(certificate.issuer, "Example Root CA, Example Trust");
    assert_int_equal(certificate.name_count, 3);
    assert_string_equal(certificate.names[0], "chat.example.com");
    assert_string_equal(certificate.names[1], "*.example.net");
    assert_string_equal(certificate.names[2], "push.example.org");
    check_time(certificate.not_before_us, "2024-01-02T03:04:05.000000Z");
    check_time(certificate.not_after_us, "2049-12-31T23:59:59.000000Z");
    assert_string_equal(digest_text(certificate.sha256, text), fingerprint);
}

/* Version 1, self-issued, an organisation in UTF-16 and nothing else, both kinds of time. */
static void test_self_issued(void **state)
{
    static struct bytes der;
    struct tls_certificate certificate;

    (void)state;
    der.length = 0;
    put_hex(&der, sample_self);
    assert_true(parse(&der, der.length, der.length, &certificate));
    assert_true(certificate.self_issued);
    assert_string_equal(certificate.subject, "Beispiel");
    assert_string_equal(certificate.issuer, "Beispiel");
    assert_int_equal(certificate.name_count, 0);
    check_time(certificate.not_before_us, "1999-12-31T23:59:59.000000Z");
    check_time(certificate.not_after_us, "2060-01-01T00:00:00.000000Z");
}

/* Cut anywhere: what is whole is there, what is missing is empty. */
static void test_cut(void **state)
{
    static const uint8_t zero[DIGEST_SIZE];
    static struct bytes der;
    struct tls_certificate certificate;
    size_t names = 0;

    (void)state;
    der.length = 0;
    put_hex(&der, sample_leaf);
    for (size_t length = 4; length < der.length; length++) {
        assert_true(parse(&der, length, der.length, &certificate));
        assert_true(certificate.present && certificate.truncated);
        assert_memory_equal(certificate.sha256, zero, DIGEST_SIZE);
        assert_true(certificate.subject[0] == '\0' ||
                    strcmp(certificate.subject, "chat.example.com") == 0);
        assert_true(certificate.not_after_us == 0 || certificate.issuer[0] != '\0');
        assert_true(certificate.name_count >= names);
        names = certificate.name_count;
    }
    assert_int_equal(names, 3);
    for (size_t length = 0; length < 4; length++) {
        (void)parse(&der, length, der.length, &certificate);
    }
}

static void test_others(void **state)
{
    static const char *const others[] = {"",
                                         "30",
                                         "3000",
                                         "0500",
                                         "30030201",
                                         "3080020100",
                                         "3084ffffffff0000",
                                         "308200ff3000",
                                         "300502030101ff",
                                         "30073005a003020102"};
    static struct bytes der;
    struct tls_certificate certificate;

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        der.length = 0;
        put_hex(&der, others[i]);
        assert_false(parse(&der, der.length, der.length, &certificate));
        assert_false(certificate.present);
    }
    /* Longer than its entry says. */
    der.length = 0;
    put_hex(&der, sample_leaf);
    assert_false(parse(&der, der.length - 1, der.length - 1, &certificate));
    assert_false(parse(&der, 100, 100, &certificate));
}

/* Every byte changed in turn: no crash, and names that are names. */
static void test_damage(void **state)
{
    static struct bytes der;
    struct tls_certificate certificate;

    (void)state;
    for (size_t i = 0; i < strlen(sample_leaf) / 2; i++) {
        static const uint8_t values[] = {0x00, 0x01, 0x30, 0x7f, 0x80, 0x84, 0xff};
        for (size_t v = 0; v < sizeof(values); v++) {
            der.length = 0;
            put_hex(&der, sample_leaf);
            der.at[i] = values[v];
            (void)parse(&der, der.length, der.length, &certificate);
            assert_true(certificate.name_count <= TLS_NAMES_MAX);
            assert_true(strlen(certificate.subject) < TLS_TEXT_SIZE);
        }
    }
}

static void test_many_names(void **state)
{
    static struct bytes der;
    struct tls_certificate certificate;

    (void)state;
    der.length = 0;
    put_hex(&der, "30");
    size_t outer = put_start(&der, 3);
    put_hex(&der, "30");
    size_t tbs = put_start(&der, 3);
    put_hex(&der, "a003020102"
                  "020101"
                  "3000"
                  "300f310d300b060355040a0c04"
                  "41c3a942" /* O=A?B with bytes beyond ASCII */
                  "3000"
                  "3000"
                  "3000"
                  "a3");
    size_t explicit = put_start(&der, 3);
    put_hex(&der, "30");
    size_t list = put_start(&der, 3);
    put_hex(&der, "30");
    size_t extension = put_start(&der, 3);
    put_hex(&der, "0603551d11"
                  "0101ff"
                  "04");
    size_t octets = put_start(&der, 3);
    put_hex(&der, "30");
    size_t names = put_start(&der, 3);
    for (int i = 0; i < 20; i++) {
        put_hex(&der,
                i == 1 ? "8203612062" : "8203612e62"); /* one with a blank, which is no name */
    }
    const size_t starts[] = {names, octets, extension, list, explicit, tbs};
    for (size_t i = 0; i < 6; i++) {
        put_end(&der, starts[i], 2);
        der.at[starts[i] - 3] = 0x82;
    }
    put_hex(&der, "3000"
                  "030100");
    put_end(&der, outer, 2);
    der.at[outer - 3] = 0x82;
    assert_true(parse(&der, der.length, der.length, &certificate));
    assert_int_equal(certificate.name_count, TLS_NAMES_MAX);
    for (size_t i = 0; i < TLS_NAMES_MAX; i++) {
        assert_string_equal(certificate.names[i], "a.b");
    }
    assert_string_equal(certificate.issuer, "A??B");
    assert_string_equal(certificate.subject, "");
    assert_int_equal(certificate.not_before_us, 0);
}

static int setup(void **state)
{
    (void)state;
    return digest_setup();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaf),   cmocka_unit_test(test_self_issued),
        cmocka_unit_test(test_cut),    cmocka_unit_test(test_others),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_many_names),
    };

    return cmocka_run_group_tests_name("inspect_x509", tests, setup, NULL);
}
