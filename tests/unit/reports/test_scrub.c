// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"
#include "reports/publish/scrub.h"

#define PSEUDONYM UINT64_C(0x8123456789abcdef)
#define SERVER    "68.171.242.18"
#define CLIENT    "203.0.113.77"
#define CLIENT6   "2001:db8:12:ab::7"

static struct address address_of(const char *text)
{
    struct address address;
    assert_int_equal(address_parse(text, &address), DL_OK);
    return address;
}

static struct scrub *make(bool lab)
{
    struct scrub *scrub = NULL;
    struct address server = address_of(SERVER), server6 = address_of("2620:12e:8000::1");
    struct address client = address_of(CLIENT), client6 = address_of(CLIENT6);

    assert_int_equal(scrub_create(&scrub, lab), DL_OK);
    assert_int_equal(scrub_allow(scrub, &server), DL_OK);
    assert_int_equal(scrub_allow(scrub, &server6), DL_OK);
    assert_int_equal(scrub_forbid_address(scrub, &client), DL_OK);
    assert_int_equal(scrub_forbid_address(scrub, &client6), DL_OK);
    assert_int_equal(scrub_forbid_pseudonym(scrub, PSEUDONYM), DL_OK);
    return scrub;
}

static int look(struct scrub *scrub, const char *bytes, size_t length, struct dl_error *error)
{
    FILE *file = fmemopen((void *)(uintptr_t)bytes, length, "r");

    assert_non_null(file);
    int status = scrub_file(scrub, file, "a file", error);
    fclose(file);
    return status;
}

static int setup(void **state)
{
    *state = make(false);
    return 0;
}

static int teardown(void **state)
{
    scrub_destroy(*state);
    return 0;
}

/* Every spelling, in the middle of other things. */
static const char *const leaks[] = {
    /* text */
    CLIENT,
    "203.000.113.077",
    CLIENT ":443",
    "x" CLIENT,
    CLIENT ".5", /* as tcpdump writes a port */
    "version " CLIENT,
    CLIENT6,
    "2001:DB8:0012:00AB:0:0:0:7",
    "2001:db8:12:ab:0::0.0.0.7",
    "::ffff:203.0.113.77",
    "::ffff:cb00:714d",
    "2002:cb00:714d::1", /* 6to4 */
    "64:ff9b::203.0.113.77",
    /* escaped */
    "203%2E0%2e113%2E77",
    "203%252E0%252E113%252E77",
    "%32%30%33.0.113.77",
    "203&#46;0&#x2e;113&period;77",
    "203\\u002e0\\u002E113\\x2e77",
    "203&amp;#46;0&amp;#46;113&amp;#46;77",
    "2001%3Adb8%3A12%3Aab%3A%3A7",
    "2001&colon;db8&colon;12&colon;ab&colon;&colon;7",
    /* names */
    "77.113.0.203.in-addr.arpa",
    "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.a.0.0.2.1.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
    "dsl-203-0-113-77.isp.example",
    "2001-db8-12-ab--7.ipv6-literal.net",
    /* numbers */
    "cb00714d",
    "CB00714D",
    "0xcb00714d",
    "20010db8001200ab0000000000000007",
    "3405803853",
    /* base64 of the text at each place, of the bytes */
    "MjAzLjAuMTEzLjc3",
    "IDIwMy4wLjExMy43Nw==",
    "Oi0yMDMuMC4xMTMuNzc=",
    "eyJjIjoiMjAzLjAuMTEzLjc3In0",
    "ywBxTQ==",
    "IAENuAASAKsAAAAAAAAABw==",
    "MjAwMTpkYjg6MTI6YWI6Ojc=",
    /* pseudonyms */
    "1f0c33aa-8123456789abcdef",
    "8123456789ABCDEF",
    "9305357566071262703",
    "-9141386507638288913",
    "gSNFZ4mrze8=",
};

static const char *const around[][2] = {
    {"", ""},
    {"{\"a\": \"", "\"}\n"},                                /* JSON */
    {"a,b,", ",c\r\n"},                                     /* CSV */
    {"<td title=\"x\">", "</td>"},                          /* HTML */
    {"<text x=\"1\">from ", " on</text>"},                  /* SVG */
    {"%PDF-1.7\n\x80\xff (", ") Tj\n"},                     /* PDF */
    {"\x89PNG\r\n\x1a\n\0tEXtComment", "\xff\xfe\x01\x02"}, /* PNG; up to its NUL */
};

static void test_leaks(void **state)
{
    char text[512];

    for (size_t i = 0; i < ARRAY_LENGTH(leaks); i++) {
        for (size_t k = 0; k < ARRAY_LENGTH(around); k++) {
            struct dl_error error = {0};
            int length =
                snprintf(text, sizeof(text), "%s%s%s", around[k][0], leaks[i], around[k][1]);
            if (look(*state, text, (size_t)length, &error) != DL_LEAK)
                fail_msg("passed: %s", text);
            assert_non_null(strstr(error.message, "a file"));
            assert_null(strstr(error.message, leaks[i]));
        }
    }
}

/* Addresses of nobody known, and private ones. */
static void test_unknown(void **state)
{
    static const char *const texts[] = {"from 198.51.100.9 to",
                                        "http://198.51.100.9/",
                                        "[2a00:1450::5]:443",
                                        "10.0.0.1",
                                        "192.168.1.10",
                                        "100.64.3.4",
                                        "fe80::1%eth0",
                                        "fd00:1::2",
                                        "9.100.51.198.in-addr.arpa",
                                        "198.51.100.9.dyn.isp.example"};

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (look(*state, texts[i], strlen(texts[i]), NULL) != DL_LEAK)
            fail_msg("passed: %s", texts[i]);
}

static void test_false_alarms(void **state)
{
    static const char *const texts[] = {
        SERVER ":3101",
        "18.242.171.68.in-addr.arpa",
        "[2620:12e:8000::1]:443",
        "127.0.0.1",
        "0.0.0.0",
        "::1",
        "a::before{content:\"\"}",
        "std::cafe",
        "x::after",
        "version 3.1.0.1",
        "\"software_version\":\"3.1.0.1\"",
        "v3.1.0.1",
        "curl/7.88.1.0",
        "1.3.6.1.5.5.7.3.1",
        "1.2.3",
        "256.1.2.3",
        "2015-11-30T11:00:00Z",
        "12:30:45",
        "aa:bb:cc:dd:ee:ff",
        "11-12-13",
        "M10.5 3.1.0 L1.5.2.1.7",
        "0.7047619047619048",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "report 8123456789abcde0",
        "1e4c8a2b",
        "3405803854",
        "0.3405803853",
        "12345678",
        "34058038531",
        "sha256-ywBxTRaaaaaa=",
        "20010db8001200ab0000000000000008",
        "bc1ff44a-04e7-45e0-81a6-46bc95c7c6b0",
        "tls.reset.sni",
        "2:15743",
        "100%2.5",
        "data:text/csv;base64,aGVsbG8gd29ybGQsIHRoaXMgaXMgMS4yLjMuNCBub2JvZHkncw=="};

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct dl_error error = {0};
        if (look(*state, texts[i], strlen(texts[i]), &error) != DL_OK)
            fail_msg("%s: %s", texts[i], error.message);
    }
}

/* The lab's addresses are private, and nobody's; known clients are still looked for. */
static void test_lab(void **state)
{
    struct scrub *scrub = make(true);

    (void)state;
    assert_int_equal(look(scrub, "10.0.0.1", 8, NULL), DL_OK);
    assert_int_equal(look(scrub, CLIENT, strlen(CLIENT), NULL), DL_LEAK);
    scrub_destroy(scrub);
}

/* A client is one, even where he is a server elsewhere. */
static void test_both(void **state)
{
    struct scrub *scrub = *state;
    struct address server = address_of(SERVER);

    assert_int_equal(scrub_forbid_address(scrub, &server), DL_OK);
    assert_int_equal(scrub_allow(scrub, &server), DL_OK);
    assert_int_equal(look(scrub, SERVER, strlen(SERVER), NULL), DL_LEAK);
}

/* Wherever in a large file it lies, also across the ends of what is read at once; and a long piece of base64
 * has no beginning there. */
static void test_everywhere(void **state)
{
    const size_t size = 700000;
    char *bytes = malloc(size);

    assert_non_null(bytes);
    for (int kind = 0; kind < 2; kind++) {
        const char *leak = kind ? "MjAzLjAuMTEzLjc3" : CLIENT;
        for (size_t at = 0; at + 32 < size;
             at += at % 262144 > 255000 || at % 262144 < 9000 ? 61 : 9973) {
            struct dl_error error = {0};
            memset(bytes, kind ? 'A' : ' ', size);
            memcpy(bytes + at, leak, strlen(leak));
            if (look(*state, bytes, size, &error) != DL_LEAK)
                fail_msg("passed at %zu: %s", at, leak);
        }
    }
    free(bytes);
}

static void test_limit(void **state)
{
    struct scrub *scrub = NULL;
    int status = DL_OK;

    (void)state;
    assert_int_equal(scrub_create(&scrub, false), DL_OK);
    for (uint32_t i = 0; i <= SCRUB_ADDRESSES_MAX; i++) {
        uint8_t bytes[4] = {11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        struct address address = address_from_v4(bytes);
        status = scrub_forbid_address(scrub, &address);
    }
    assert_int_equal(status, DL_LIMIT);
    assert_int_equal(look(scrub, "0b000007", 8, NULL), DL_LEAK);
    assert_int_equal(look(scrub, "11.4.0.0", 8, NULL), DL_LEAK); /* by the general rule */
    scrub_destroy(scrub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_leaks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_false_alarms, setup, teardown),
        cmocka_unit_test(test_lab),
        cmocka_unit_test_setup_teardown(test_both, setup, teardown),
        cmocka_unit_test_setup_teardown(test_everywhere, setup, teardown),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
