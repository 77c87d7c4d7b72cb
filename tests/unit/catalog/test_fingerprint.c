// SPDX-License-Identifier: GPL-3.0-or-later
/* Fingerprints of block pages: the catalog's, lists of others, and the search. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "catalog/fingerprint.h"

#define OONI "name,scope,other_names,location_found,pattern_type,pattern,expected_countries\n"

struct bench {
    struct fingerprints *set;
    struct fingerprint_load load;
    struct dl_error error;
    char path[64];
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    assert_int_equal(digest_setup(), DL_OK);
    assert_int_equal(fingerprints_create(&bench->set), DL_OK);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    fingerprints_destroy(bench->set);
    free(bench);
    return 0;
}

/* `name` is a template as mkstemp() wants it. */
static int add_named(struct bench *bench, const char *name, const char *text, size_t length)
{
    snprintf(bench->path, sizeof(bench->path), "/tmp/%s", name);
    int fd = mkstemp(bench->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    close(fd);
    memset(&bench->error, 0, sizeof(bench->error));
    memset(&bench->load, 0, sizeof(bench->load));
    int status = fingerprints_add_file(bench->set, bench->path, false, &bench->load, &bench->error);
    unlink(bench->path);
    return status;
}

static int add(struct bench *bench, const char *text)
{
    return add_named(bench, "darkline-list-XXXXXX", text, strlen(text));
}

static void refuse(struct bench *bench, const char *text, int status, const char *sentence)
{
    assert_int_equal(add(bench, text), status);
    if (!strstr(bench->error.message, sentence) || !strstr(bench->error.message, "darkline-list-"))
        fail_msg("'%s' has no '%s'", bench->error.message, sentence);
}

/* A page whose first `body` bytes are its head. */
static struct fingerprint_hit look_at(struct bench *bench, const char *text, size_t length,
                                      size_t body)
{
    struct fingerprint_hit hit = {0};
    const struct fingerprint_page page = {
        .bytes = (const uint8_t *)text, .length = length, .body = {body, length}};

    if (!fingerprints_match_page(bench->set, &page, &hit))
        hit.id = "-";
    return hit;
}

static const char *found(struct bench *bench, const char *text)
{
    return look_at(bench, text, strlen(text), 0).id;
}

static void build(struct bench *bench, const char *list)
{
    assert_int_equal(add(bench, list), DL_OK);
    assert_int_equal(fingerprints_build(bench->set), DL_OK);
}

/* ---- lists ---- */

static void test_ooni(void **state)
{
    struct bench *b = *state;

    build(b, OONI "a,nat,,body,contains,\"forbidden, \"\"here\"\"\",\"AA, BB\"\r\n"
                  "\n"
                  "b,isp,,header.location,prefix,http://block.example/,AA\n"
                  "c,fp,,body,contains,Thank you for,\n"
                  "d,isp,,dns,full,203.0.114.9,AA\n"
                  "e,isp,,dns,full,10.10.34.34,IR\n"
                  "f,isp,,dns,full,block.example.org,AA\n"
                  "g,vbw,,body,regexp,a(b|c)dddd,AA\n"
                  "h,vbw,,header.x-app-url,full,http://x.example/,AA\n"
                  "i,vbw,,body,contains,abc,AA\n");
    assert_int_equal(b->load.added, 4);
    assert_int_equal(b->load.not_public, 1);
    assert_int_equal(b->load.skipped, 4);
    assert_string_equal(b->load.first_skipped, "f");
    assert_int_equal(fingerprints_count(b->set), 4);
    assert_string_equal(found(b, "<p>forbidden, \"here\"</p>"), "a");
    assert_string_equal(found(b, "<p>Forbidden, \"here\"</p>"), "-");
    assert_null(look_at(b, "forbidden, \"here\"", 17, 0).false_positive);
    const char *both = "Thank you for it. forbidden, \"here\"";
    assert_string_equal(look_at(b, both, strlen(both), 0).false_positive, "c");
    assert_string_equal(found(b, "Thank you for it."), "-");
}

static void test_citizenlab(void **state)
{
    struct bench *b = *state;

    assert_int_equal(
        add(b, "name,common_name,pattern,location_found,scope\nx,X,http://b.example,header,isp\n"),
        DL_OK);
    build(b, "name,response,scope,notes\ny,198.51.101.7,nat,\nz,b.example.org,isp,\n");
    assert_int_equal(b->load.added, 1);
    const char *answer = "HTTP/1.1 302 Found\r\nLocation: http://b.example/\r\n\r\n";
    assert_string_equal(look_at(b, answer, strlen(answer), strlen(answer)).id, "x");
    assert_string_equal(found(b, "see http://b.example/"), "-"); /* in a body */
}

static void test_censoredplanet(void **state)
{
    struct bench *b = *state;
    const char *marks = "{\"fingerprint\":\"x_mark\",\"pattern\":\"Powered by\"}\n";

    assert_int_equal(add_named(b, "false_positive-XXXXXX", marks, strlen(marks)), DL_OK);
    build(b, "\n{\"fingerprint\":\"c_isp_a\",\"pattern\":\"block\\\\.example\\\\/stop\"}\n\n"
             "{\"fingerprint\":\"b_nat_b\",\"pattern\":\"URL .* is bl.cked\"}\n"
             "{\"fingerprint\":\"f_gen_c\",\"pattern\":\"this|that\"}\n"
             "{\"fingerprint\":\"f_gen_d\",\"pattern\":\"Location: http://w\\\\.example/x?\"}\n"
             "{\"fingerprint\":\"f_gen_e\",\"pattern\":\".*\"}\n"
             "{\"fingerprint\":\"f_gen_f\",\"pattern\":\"\\\\d\\\\d\\\\d\\\\d\\\\d\"}\n");
    assert_int_equal(b->load.added, 3);
    assert_int_equal(b->load.skipped, 3);
    assert_string_equal(found(b, "to block.example/stop!"), "c_isp_a");
    assert_string_equal(found(b, "to blockXexample/stop!"), "-");
    assert_string_equal(found(b, "The URL http://a/ is blocked, is it?"), "b_nat_b");
    assert_string_equal(found(b, "The URL http://a/\n is blocked"), "-");
    assert_string_equal(found(b, "URL is, URL  is blxcked"), "b_nat_b");
    assert_int_equal(look_at(b, "URL  is blacked", 15, 0).scope, BLOCKPAGE_NATION);
    assert_string_equal(found(b, "Location: http://w.example/"), "f_gen_d");
    const char *both = "block.example/stop Powered by nobody";
    assert_string_equal(look_at(b, both, strlen(both), 0).false_positive, "x_mark");
}

static void test_errors(void **state)
{
    struct bench *b = *state;

    refuse(b, "", DL_EMPTY, "nothing in it");
    refuse(b, " \n\n", DL_EMPTY, "nothing in it");
    refuse(b, "a,b\n1,2\n", DL_MALFORMED, "line 1: no list of fingerprints");
    refuse(b, OONI "a,nat,,body,contains,\"never ends\n\n", DL_MALFORMED, "line 2: a quote");
    refuse(b, OONI "a,nat,,body,contains,good,\nb,sky,,body,contains,x,\n", DL_MALFORMED,
           "line 3: no such scope: 'sky'");
    refuse(b, OONI "a,nat,,\"body\n\",contains,good,\n", DL_MALFORMED, "line 2: no such location");
    refuse(b, OONI "a,nat,,body,like,good,\n", DL_MALFORMED, "line 2: no such pattern_type");
    refuse(b, OONI "a,nat,,body,contains,,\n", DL_MALFORMED, "line 2: 'a' has no pattern");
    refuse(b, OONI ",nat,,body,contains,good,\n", DL_MALFORMED, "line 2: no name");
    refuse(b, OONI "a,nat,,dns,full,1.2.3,\n", DL_MALFORMED, "line 2: 'a': no address: '1.2.3'");
    refuse(b, "{\"fingerprint\":\"a\",\"pattern\":\"good\"}\n{\"fingerprint\":\"a\"}\n",
           DL_MALFORMED, "line 2: no \"fingerprint\" and \"pattern\"");
    refuse(b, "{\"fingerprint\":\n", DL_MALFORMED, "line 1: no JSON");
    refuse(b, "{\"fingerprint\":1,\"pattern\":\"good\"}\n", DL_MALFORMED, "line 1: no \"finger");
    assert_int_equal(add_named(b, "darkline-list-XXXXXX", "{\0}", 3), DL_MALFORMED);
    assert_non_null(strstr(b->error.message, "not a text file"));
    assert_int_equal(fingerprints_add_file(b->set, "/nonexistent/list", false, NULL, NULL),
                     -2 /* ENOENT */);
}

static void test_long_parts(void **state)
{
    struct bench *b = *state;
    char list[8192], part[5000];

    memset(part, 'x', sizeof(part));
    snprintf(list, sizeof(list), OONI "%.64s,nat,,body,contains,good,\n", part);
    refuse(b, list, DL_MALFORMED, "line 2: the name is longer than 63 bytes");
    snprintf(list, sizeof(list), OONI "a,nat,,body,contains,%.4097s,\n", part);
    refuse(b, list, DL_LIMIT, "line 2: a pattern of more than 4096 bytes");
    snprintf(list, sizeof(list), OONI "%.63s,nat,,body,contains,%.4096s,\n", part, part);
    assert_int_equal(add(b, list), DL_OK);
}

static void test_too_many(void **state)
{
    struct bench *b = *state;
    size_t size = (size_t)2 << 20;
    char *list = malloc(size);
    size_t length = (size_t)snprintf(list, size, OONI);

    for (int i = 0; i <= FINGERPRINTS_MAX; i++)
        length += (size_t)snprintf(list + length, size - length, "a,nat,,body,contains,p%d,\n",
                                   10000 + i);
    refuse(b, list, DL_LIMIT, "line 50002: a pattern of more than 4096 bytes, or more than 50000");
    free(list);
}

/* Control characters of a list do not reach a terminal. */
static void test_odd_id(void **state)
{
    struct bench *b = *state;

    build(b, OONI "a\x1b[2J,nat,,body,contains,good one,\n");
    assert_string_equal(found(b, "a good one"), "a?[2J");
}

/* ---- the search ---- */

static void test_places(void **state)
{
    struct bench *b = *state;
    static const char page[] = "HTTP/1.1 200 OK\r\nServer: Wall/1\r\nLocation: http://a.b/c\r\n"
                               "\r\n<title>Stop here</title> the end";
    const size_t body = (size_t)(strstr(page, "<title>") - page);
    struct fingerprint_page parts = {.bytes = (const uint8_t *)page,
                                     .length = strlen(page),
                                     .body = {body, strlen(page)},
                                     .location = {43, 55},
                                     .server = {25, 31}};
    struct fingerprint_hit hit;

    build(b, OONI "server,isp,,header.server,full,Wall/1,\n"
                  "no-server,nat,,header.server,full,Wall,\n"
                  "no-location,nat,,header.location,prefix,//a.b,\n"
                  "no-prefix,nat,,body,prefix,Stop here,\n"
                  "no-full,nat,,body,full,<title>Stop here</title>,\n"
                  "no-body,nat,,body,contains,Location: http,\n");
    assert_true(fingerprints_match_page(b->set, &parts, &hit));
    assert_string_equal(hit.id, "server");
    assert_int_equal(hit.where, BLOCKPAGE_IN_SERVER);
    build(b, OONI "location,nat,,header.location,prefix,http://a.b/,\n");
    assert_true(fingerprints_match_page(b->set, &parts, &hit));
    assert_string_equal(hit.id, "location");
    assert_int_equal(hit.scope, BLOCKPAGE_NATION);
}

/* At both ends of the page, and not a byte beyond. */
static void test_edges(void **state)
{
    struct bench *b = *state;
    char page[64];

    build(b, OONI "a,nat,,body,contains,blocked,\n");
    for (size_t at = 0; at + 7 <= 32; at++) {
        memset(page, '-', sizeof(page));
        memcpy(page + at, "blocked", 7);
        assert_string_equal(look_at(b, page, 32, 0).id, "a");
        assert_string_equal(look_at(b, page, at + 6, 0).id, "-");
        assert_string_equal(look_at(b, page, at + 7, 0).id, "a");
        assert_string_equal(look_at(b, page, 32, at).id, "a");
        assert_string_equal(look_at(b, page, 32, at + 1).id, "-");
    }
    assert_string_equal(look_at(b, "blo", 3, 0).id, "-");
    assert_string_equal(look_at(b, "", 0, 0).id, "-");
}

/* What the false positive consists of is a part of the fingerprint itself. */
static void test_own_words(void **state)
{
    struct bench *b = *state;
    const char *own = "to http://redirect.example/now",
               *other = "redirect: http://redirect.example/now";

    build(b,
          OONI "a,isp,,body,contains,http://redirect.example/,\nfp,fp,,body,contains,redirect,\n");
    assert_null(look_at(b, own, strlen(own), 0).false_positive);
    assert_string_equal(look_at(b, other, strlen(other), 0).false_positive, "fp");
}

/* A hostile page costs no more than its budget. */
static void test_hostile_page(void **state)
{
    struct bench *b = *state;
    size_t length = 16384;
    char *page = malloc(length);

    build(b, "{\"fingerprint\":\"b_nat\",\"pattern\":\"aaaa.*aaab.*aaac\"}\n");
    memset(page, 'a', length);
    assert_string_equal(look_at(b, page, length, 0).id, "-");
    free(page);
}

static void test_addresses(void **state)
{
    struct bench *b = *state;
    struct address address;
    struct fingerprint_hit hit;

    build(b, OONI "wide,vbw,,dns,full,203.0.114.9,\nnear,isp,,dns,full,203.0.114.9,\n"
                  "six,nat,,dns,full,2a00:db9::1,\nmark,fp,,dns,full,203.0.114.10,\n"
                  "doubt,nat,,dns,full,203.0.114.10,\n");
    address_parse("203.0.114.9", &address);
    assert_true(fingerprints_match_address(b->set, &address, &hit));
    assert_string_equal(hit.id, "near");
    assert_null(hit.false_positive);
    address_parse("2a00:db9::1", &address);
    assert_true(fingerprints_match_address(b->set, &address, &hit));
    address_parse("203.0.114.10", &address);
    assert_true(fingerprints_match_address(b->set, &address, &hit));
    assert_string_equal(hit.false_positive, "mark");
    address_parse("203.0.114.8", &address);
    assert_false(fingerprints_match_address(b->set, &address, &hit));
}

static void test_version(void **state)
{
    struct bench *b = *state;
    char before[FINGERPRINT_VERSION_SIZE];

    assert_int_equal(fingerprints_build(b->set), DL_OK);
    assert_int_equal(strlen(fingerprints_version(b->set)), 16);
    snprintf(before, sizeof(before), "%s", fingerprints_version(b->set));
    build(b, OONI "a,nat,,body,contains,good,\n");
    assert_string_not_equal(fingerprints_version(b->set), before);
}

/* ---- the catalog's ---- */

static void page_yaml(struct fixture *f, const char *patterns)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "id: xx-page\nname: A page\nscope: carrier\ncountries: [PK]\nsources:\n"
             "  - {id: s, title: A document, checked: 2026-11-21}\npatterns:\n%s",
             patterns);
    fixture_write(f, "blockpages/xx-page.yaml", text);
    fixture_service(f, "alpha", "");
}

static void refuse_yaml(struct fixture *f, const char *patterns, const char *sentence)
{
    page_yaml(f, patterns);
    assert_int_equal(fixture_load(f), DL_MALFORMED);
    if (!strstr(f->error.message, sentence) || !strstr(f->error.message, "xx-page.yaml"))
        fail_msg("'%s' has no '%s'", f->error.message, sentence);
}

static void test_catalog(void **state)
{
    void *inner;
    struct fixture *f = *state;
    struct address address;
    struct fingerprint_hit hit;

    page_yaml(f, "  - {where: body, pattern: Stop Here, any_case: true, source: s}\n"
                 "  - {where: body, pattern: perhaps, sure: unconfirmed, source: s}\n"
                 "  - {where: dns, pattern: 203.0.114.9, first_seen: 2020-01-01, source: s}\n");
    assert_int_equal(fixture_load(f), DL_OK);
    setup(&inner);
    struct bench *b = inner;
    assert_int_equal(fingerprints_add_catalog(b->set, f->catalog, &b->error), DL_OK);
    assert_int_equal(fingerprints_build(b->set), DL_OK);
    assert_int_equal(look_at(b, "sToP hErE", 9, 0).scope, BLOCKPAGE_CARRIER);
    assert_string_equal(found(b, "Stop_Here"), "-");
    assert_int_equal(look_at(b, "perhaps", 7, 0).scope, BLOCKPAGE_VAGUE);
    assert_string_equal(found(b, "Perhaps"), "-");
    address_parse("203.0.114.9", &address);
    assert_true(fingerprints_match_address(b->set, &address, &hit));
    assert_string_equal(hit.id, "xx-page");
    teardown(&inner);
}

static void test_catalog_errors(void **state)
{
    struct fixture *f = *state;

    refuse_yaml(f, "  - {where: sky, pattern: good, source: s}\n", "line");
    refuse_yaml(f, "  - {where: body, pattern: bad, source: s}\n", "patterns entry 1: a pattern");
    refuse_yaml(f, "  - {where: body, pattern: good, source: t}\n", "no such source");
    refuse_yaml(f, "  - {where: body, pattern: good, colour: red, source: s}\n", "Unexpected key");
    refuse_yaml(f, "  - {where: dns, pattern: 10.0.0.1, source: s}\n", "no public address");
    refuse_yaml(f, "  - {where: dns, pattern: 8.8.4.4, any_case: true, source: s}\n", "no case");
    refuse_yaml(f, "  - {where: body, pattern: good, first_seen: 2020-13-01, source: s}\n",
                "no date");
    refuse_yaml(f,
                "  - {where: body, pattern: good, first_seen: 2021-01-01, last_seen: 2020-01-01, "
                "source: s}\n",
                "first_seen is after");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_ooni),
        TEST(test_citizenlab),
        TEST(test_censoredplanet),
        TEST(test_errors),
        TEST(test_long_parts),
        TEST(test_too_many),
        TEST(test_odd_id),
        TEST(test_places),
        TEST(test_edges),
        TEST(test_own_words),
        TEST(test_hostile_page),
        TEST(test_addresses),
        TEST(test_version),
        cmocka_unit_test_setup_teardown(test_catalog, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_catalog_errors, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
