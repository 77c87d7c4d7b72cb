// SPDX-License-Identifier: GPL-3.0-or-later
/* Block pages in the bytes of a flow: whole and in pieces, after a status line and bare. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "probe/inspect/blockpage.h"

#define HTML "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"

static const char list[] = "name,scope,location_found,pattern_type,pattern\n"
                           "body,nat,body,contains,access is blocked\n"
                           "location,isp,header.location,prefix,http://block.example/page?\n"
                           "server,prod,header.server,full,Wall/1\n"
                           "mark,fp,body,contains,Powered by nobody\n";

struct bench {
    struct fingerprints *set;
    struct inspector_pools pools;
    struct inspection inspection;
    uint32_t next[2];
};

static struct fingerprints *make_set(void)
{
    struct fingerprints *set = NULL;
    char path[] = "/tmp/darkline-list-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, list, strlen(list)), strlen(list));
    close(fd);
    assert_int_equal(digest_setup(), 0);
    assert_int_equal(fingerprints_create(&set), 0);
    assert_int_equal(fingerprints_add_file(set, path, false, NULL, NULL), 0);
    assert_int_equal(fingerprints_build(set), 0);
    unlink(path);
    return set;
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    bench->set = make_set();
    assert_int_equal(inspector_pools_init(&bench->pools, 64, NULL), 0);
    bench->pools.fingerprints = bench->set;
    inspection_begin(&bench->inspection, TRANSPORT_TCP, 80);
    bench->next[0] = 1000;
    bench->next[1] = 5000;
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    inspection_end(&bench->pools, &bench->inspection);
    inspector_pools_finish(&bench->pools);
    fingerprints_destroy(bench->set);
    free(bench);
    return 0;
}

static void put_at(struct bench *b, enum side side, uint32_t seq, const char *text, size_t length,
                   uint8_t flags)
{
    const struct packet packet = {.transport = TRANSPORT_TCP,
                                  .tcp_flags = flags,
                                  .seq = seq,
                                  .source_port = side == SIDE_CLIENT ? 40000 : 80,
                                  .destination_port = side == SIDE_CLIENT ? 80 : 40000,
                                  .payload = (const uint8_t *)text,
                                  .payload_captured = (uint32_t)length,
                                  .payload_length = (uint32_t)length};

    inspect_payload(&b->pools, &b->inspection, side, &packet);
}

static void put(struct bench *b, enum side side, const char *text, uint8_t flags)
{
    put_at(b, side, b->next[side], text, strlen(text), flags);
    b->next[side] += (uint32_t)strlen(text);
}

static void ask(struct bench *b)
{
    put(b, SIDE_CLIENT, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", TCP_ACK);
}

static const struct blockpage_facts *finish(struct bench *b)
{
    inspect_finish(&b->pools, &b->inspection, TRANSPORT_TCP);
    return &b->inspection.facts.http.blockpage;
}

static void test_one_segment(void **state)
{
    struct bench *b = *state;

    ask(b);
    put(b, SIDE_SERVER, HTML "<html><title>x</title>access is blocked</html>", TCP_ACK);
    const struct blockpage_facts *page = finish(b);
    assert_string_equal(page->id, "body");
    assert_string_equal(page->list, fingerprints_version(b->set));
    assert_int_equal(page->scope, BLOCKPAGE_NATION);
    assert_int_equal(page->where, BLOCKPAGE_IN_BODY);
    assert_false(page->false_positive);
}

/* The title comes first, the fingerprint segments later, cut in the middle. */
static void test_several_segments(void **state)
{
    struct bench *b = *state;

    ask(b);
    put(b, SIDE_SERVER, HTML "<html><title>x</title><p>", TCP_ACK);
    put(b, SIDE_SERVER, "much of nothing, then acc", TCP_ACK);
    assert_string_equal(b->inspection.facts.http.blockpage.id, "");
    put(b, SIDE_SERVER, "ess is blocked", TCP_ACK);
    assert_string_equal(finish(b)->id, "body");
}

static void test_bare(void **state)
{
    struct bench *b = *state;

    ask(b);
    put(b, SIDE_SERVER, "<html><head></head><body>Powered by nobody, ", TCP_ACK);
    put(b, SIDE_SERVER, "access is blocked", TCP_ACK | TCP_FIN);
    /* The server's own answer to the same bytes, and beyond: too late. */
    put_at(b, SIDE_SERVER, 5000, HTML "nothing at all is the matter here", 74, TCP_ACK);
    assert_string_equal(finish(b)->id, "body");
    assert_true(b->inspection.facts.http.bare_html);
    assert_true(b->inspection.facts.http.blockpage.false_positive);
}

/* Of two contents for one sequence range the first is what the client read. */
static void test_first_bytes_stay(void **state)
{
    struct bench *b = *state;
    static const char other[] = HTML "<p>all is well and nobody minds</p>";

    ask(b);
    put(b, SIDE_SERVER, "<html><body>access is blocked", TCP_ACK);
    put_at(b, SIDE_SERVER, 5000, other, strlen(other), TCP_ACK);
    assert_string_equal(finish(b)->id, "body");
}

static void test_head(void **state)
{
    struct bench *b = *state;

    ask(b);
    put(b, SIDE_SERVER,
        "HTTP/1.1 302 Found\r\nServer: Wall/1\r\n"
        "Location: http://block.example/page?for=me\r\nContent-Length: 0\r\n\r\n",
        TCP_ACK);
    const struct blockpage_facts *page = finish(b);
    assert_string_equal(page->id, "location"); /* narrower than the product */
    assert_int_equal(page->where, BLOCKPAGE_IN_LOCATION);
    /* The query is used and not kept. */
    assert_string_equal(b->inspection.facts.http.location, "http://block.example/page");
}

/* Nothing is looked for in pictures and packed bytes, but in their heads. */
static void test_unreadable(void **state)
{
    struct bench *b = *state;

    ask(b);
    put(b, SIDE_SERVER,
        "HTTP/1.1 200 OK\r\nServer: Wall/1\r\nContent-Type: image/png\r\n\r\naccess is blocked",
        TCP_ACK);
    assert_int_equal(b->inspection.side_state[SIDE_SERVER], INSPECT_SIDE_DONE);
    assert_string_equal(finish(b)->id, "server");
}

/* A whole body is not waited for any longer. */
static void test_whole_body(void **state)
{
    struct bench *b = *state;

    ask(b);
    put(b, SIDE_SERVER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n<title>\r\n",
        TCP_ACK);
    assert_int_equal(b->inspection.side_state[SIDE_SERVER], INSPECT_WANT);
    put(b, SIDE_SERVER, "11\r\nx</title> is all.\r\n0\r\n\r\n", TCP_ACK);
    assert_int_equal(b->inspection.side_state[SIDE_SERVER], INSPECT_SIDE_DONE);
    assert_string_equal(finish(b)->id, "");
    assert_string_equal(b->inspection.facts.http.blockpage.list, "");
}

static void test_declared_length(void **state)
{
    struct bench *b = *state;

    ask(b);
    put(b, SIDE_SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n", TCP_ACK);
    put(b, SIDE_SERVER, "<title>x</title>...", TCP_ACK);
    put(b, SIDE_SERVER, "access is blocke", TCP_ACK);
    assert_int_equal(b->inspection.side_state[SIDE_SERVER], INSPECT_WANT);
    assert_string_equal(b->inspection.facts.http.blockpage.id, "");
    put(b, SIDE_SERVER, "d", TCP_ACK);
    assert_int_equal(b->inspection.side_state[SIDE_SERVER], INSPECT_SIDE_DONE);
    assert_string_equal(b->inspection.facts.http.blockpage.id, "body");
}

/* One segment larger than what is looked at (put together by the interface). */
static void test_large_segment(void **state)
{
    struct bench *b = *state;
    size_t length = 40000;
    char *text = malloc(length);

    memset(text, '-', length);
    memcpy(text, HTML "<title>x</title>", strlen(HTML "<title>x</title>"));
    memcpy(text + 20000, "access is blocked", strlen("access is blocked"));
    ask(b);
    put_at(b, SIDE_SERVER, 5000, text, length, TCP_ACK);
    assert_int_equal(b->inspection.side_state[SIDE_SERVER], INSPECT_SIDE_DONE);
    assert_string_equal(finish(b)->id, "");
    free(text);
}

/* The last bytes that are looked at, and the first that are not. */
static void fill(struct bench *b, size_t before)
{
    static char filler[INSPECT_STREAM_MAX + 1024];
    size_t sent = strlen(HTML "<title>x</title>");

    ask(b);
    put(b, SIDE_SERVER, HTML "<title>x</title>", TCP_ACK);
    memset(filler, '-', sizeof(filler));
    put_at(b, SIDE_SERVER, b->next[1], filler, before - sent, TCP_ACK);
    b->next[1] += (uint32_t)(before - sent);
    put(b, SIDE_SERVER, "access is blocked", TCP_ACK);
}

static void test_limit_within(void **state)
{
    struct bench *b = *state;

    fill(b, INSPECT_STREAM_MAX - strlen("access is blocked"));
    assert_int_equal(b->inspection.side_state[SIDE_SERVER], INSPECT_SIDE_DONE);
    assert_string_equal(finish(b)->id, "body");
}

static void test_limit_beyond(void **state)
{
    struct bench *b = *state;

    fill(b, INSPECT_STREAM_MAX - strlen("access is blocked") + 1);
    assert_int_equal(b->inspection.side_state[SIDE_SERVER], INSPECT_SIDE_DONE);
    assert_string_equal(finish(b)->id, "");
}

static void test_without_lists(void **state)
{
    struct bench *b = *state;

    b->pools.fingerprints = NULL;
    ask(b);
    put(b, SIDE_SERVER, HTML "<html><title>x</title>access is blocked</html>", TCP_ACK);
    assert_int_equal(b->inspection.side_state[SIDE_SERVER], INSPECT_SIDE_DONE);
    assert_string_equal(finish(b)->id, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_one_segment),
        TEST(test_several_segments),
        TEST(test_bare),
        TEST(test_first_bytes_stay),
        TEST(test_head),
        TEST(test_unreadable),
        TEST(test_whole_body),
        TEST(test_limit_within),
        TEST(test_limit_beyond),
        TEST(test_without_lists),
        TEST(test_declared_length),
        TEST(test_large_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
