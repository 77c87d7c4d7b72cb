// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/status.h"
#include "probe/classify/dns_cache.h"

#define SECOND CLOCK_SECOND_US
#define START  (INT64_C(1448899200) * SECOND)

static struct dns_cache *make_cache(uint32_t entries)
{
    struct dns_cache *cache = NULL;

    assert_int_equal(dns_cache_create(&cache, entries), DL_OK);
    return cache;
}

static struct address address_of(uint32_t n)
{
    return address_from_v4((uint8_t[]){10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n});
}

/* Client 1 asks for `host` at START + `after_s` and is told server 2. */
static void tell(struct dns_cache *cache, const char *host, uint16_t service, int64_t after_s,
                 uint32_t ttl_s)
{
    struct address client = address_of(1), server = address_of(2);
    struct dns_name name = {.service = service,
                            .host = (uint32_t)strlen(host),
                            .name_hash = dns_cache_hash_name(cache, host),
                            .packet = (uint64_t)after_s + 1,
                            .asked_us = START + after_s * SECOND};

    dns_cache_add(cache, &client, &server, &name, ttl_s);
}

static bool ask(struct dns_cache *cache, int64_t after_s, struct dns_hint *hint)
{
    struct address client = address_of(1), server = address_of(2);

    return dns_cache_find(cache, &client, &server, START + after_s * SECOND, hint);
}

static void test_add_and_find(void **state)
{
    struct dns_cache *cache = make_cache(1024);
    struct address client = address_of(1), server = address_of(2), other = address_of(3);
    struct dns_hint hint = {.service = 99};

    (void)state;
    assert_false(ask(cache, 0, &hint));
    assert_int_equal(hint.service, 99);
    tell(cache, "a.example", 7, 0, 300);
    assert_true(ask(cache, 0, &hint));
    assert_int_equal(hint.service, 7);
    assert_int_equal(hint.host, 9);
    assert_int_equal(hint.packet, 1);
    assert_int_equal(hint.names, 1);
    assert_false(hint.ambiguous);
    /* Another client was told nothing, and a client is no server. */
    assert_false(dns_cache_find(cache, &other, &server, START, &hint));
    assert_false(dns_cache_find(cache, &client, &other, START, &hint));
    assert_false(dns_cache_find(cache, &server, &client, START, &hint));
    dns_cache_destroy(cache);
    dns_cache_destroy(NULL);
}

static void test_life(void **state)
{
    struct dns_cache *cache = make_cache(1024);
    struct dns_hint hint;

    (void)state;
    /* At least ten minutes, and five more. */
    tell(cache, "short.example", 7, 0, 0);
    assert_false(ask(cache, -1, &hint)); /* it was not known before it was asked */
    assert_true(ask(cache, 900, &hint));
    assert_false(ask(cache, 901, &hint));
    tell(cache, "long.example", 7, 0, 7200);
    assert_true(ask(cache, 7500, &hint));
    assert_false(ask(cache, 7501, &hint));
    /* A day at most, whatever the answer says. */
    tell(cache, "forever.example", 7, 0, UINT32_MAX);
    assert_true(ask(cache, 86700, &hint));
    assert_false(ask(cache, 86701, &hint));
    /* Asked again: it lives on, in one place. */
    tell(cache, "short.example", 7, 800, 0);
    tell(cache, "short.example", 7, 1600, 0);
    assert_true(ask(cache, 2500, &hint));
    assert_int_equal(hint.packet, 1601);
    dns_cache_destroy(cache);
}

static void test_ambiguous(void **state)
{
    struct dns_cache *cache = make_cache(1024);
    struct dns_hint hint;

    (void)state;
    /* Two names of one service agree; the newest one is the host. */
    tell(cache, "a.example", 7, 0, 300);
    tell(cache, "bb.example", 7, 10, 300);
    assert_true(ask(cache, 20, &hint));
    assert_false(hint.ambiguous);
    assert_int_equal(hint.names, 2);
    assert_int_equal(hint.host, 10);
    assert_int_equal(hint.packet, 11);
    /* A name of nobody beside them: ambiguous, and still the service's. */
    tell(cache, "ccc.example", 0, 20, 300);
    assert_true(ask(cache, 20, &hint));
    assert_true(hint.ambiguous);
    assert_int_equal(hint.service, 7);
    assert_int_equal(hint.host, 10);
    /* Asked for later than this flow began: it does not count yet. */
    assert_true(ask(cache, 19, &hint));
    assert_false(hint.ambiguous);
    /* Another service, newer. */
    tell(cache, "dddd.example", 8, 30, 300);
    assert_true(ask(cache, 30, &hint));
    assert_true(hint.ambiguous);
    assert_int_equal(hint.service, 8);
    assert_int_equal(hint.names, 4);
    /* The first three are over. */
    assert_true(ask(cache, 921, &hint));
    assert_false(hint.ambiguous);
    assert_int_equal(hint.service, 8);
    assert_int_equal(hint.names, 1);
    dns_cache_destroy(cache);
}

static void test_names_of_nobody(void **state)
{
    struct dns_cache *cache = make_cache(1024);
    struct dns_hint hint;

    (void)state;
    tell(cache, "x.example", 0, 0, 300);
    tell(cache, "yy.example", 0, 1, 300);
    assert_true(ask(cache, 2, &hint));
    assert_int_equal(hint.service, 0);
    assert_false(hint.ambiguous);
    assert_int_equal(hint.packet, 2);
    /* Before or after, the service's name is the one that counts. */
    tell(cache, "a.example", 7, 0, 300);
    assert_true(ask(cache, 2, &hint));
    assert_int_equal(hint.service, 7);
    assert_true(hint.ambiguous);
    dns_cache_destroy(cache);
}

/* One address of a big provider: the oldest name gives way, the others stay. */
static void test_full_set(void **state)
{
    struct dns_cache *cache = make_cache(0);
    struct dns_hint hint;
    char host[32] = "n.example";

    (void)state;
    assert_true(dns_cache_memory(cache) > 0 && dns_cache_memory(cache) < 1000);
    for (int i = 0; i < 100; i++) {
        host[0] = (char)('!' + i);
        tell(cache, host, i == 91 ? 0 : 7, i, 300);
        assert_true(ask(cache, i, &hint));
        assert_int_equal(hint.names, i < 8 ? i + 1 : 8);
        assert_int_equal(hint.ambiguous, i >= 91 && i < 99);
    }
    dns_cache_destroy(cache);
}

static void test_many(void **state)
{
    struct dns_cache *cache = make_cache(16384);
    struct dns_hint hint;
    size_t memory = dns_cache_memory(cache); /* it grows, up to the number asked for */
    struct address client = address_of(1), server;
    unsigned found = 0, wrong = 0;

    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        struct dns_name name = {.service = (uint16_t)(i % 1000 + 1), .asked_us = START + i};
        server = address_of(i);
        dns_cache_add(cache, &client, &server, &name, 300);
    }
    assert_int_equal(dns_cache_memory(cache), memory * 16384 / 4096);
    for (uint32_t i = 0; i < 100000; i++) {
        server = address_of(i);
        if (dns_cache_find(cache, &client, &server, START + SECOND, &hint)) {
            found++;
            wrong += hint.service != i % 1000 + 1;
        }
    }
    assert_int_equal(found, 16384);
    assert_int_equal(wrong, 0);
    dns_cache_destroy(cache);
}

static void test_keyed(void **state)
{
    struct dns_cache *a = make_cache(8), *b = make_cache(8);
    unsigned same = 0;
    char host[] = "a.example";

    (void)state;
    for (int i = 0; i < 20; i++) {
        host[0] = (char)('a' + i);
        same += dns_cache_hash_name(a, host) == dns_cache_hash_name(b, host);
        assert_int_equal(dns_cache_hash_name(a, host), dns_cache_hash_name(a, host));
    }
    assert_true(same <= 1);
    dns_cache_destroy(a);
    dns_cache_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_and_find), cmocka_unit_test(test_life),
        cmocka_unit_test(test_ambiguous),    cmocka_unit_test(test_names_of_nobody),
        cmocka_unit_test(test_full_set),     cmocka_unit_test(test_many),
        cmocka_unit_test(test_keyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
