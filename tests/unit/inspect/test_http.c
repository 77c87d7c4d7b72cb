// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/inspect/http.h"

/* Parses a copy of just that size, so that the address sanitizer guards its end. */
static enum parse_result request_cut(const char *text, size_t length, bool final,
                                     struct http_request *ret_request)
{
    uint8_t *exact = malloc(length ? length : 1);
    assert_non_null(exact);
    memcpy(exact, text, length);
    memset(ret_request, 0xa5, sizeof(*ret_request));
    enum parse_result result = http_parse_request(exact, length, final, ret_request);
    free(exact);
    return result;
}

static enum parse_result response_cut(const char *text, size_t length, bool final,
                                      struct http_response *ret_response)
{
    uint8_t *exact = malloc(length ? length : 1);
    assert_non_null(exact);
    memcpy(exact, text, length);
    memset(ret_response, 0xa5, sizeof(*ret_response));
    enum parse_result result = http_parse_response(exact, length, final, ret_response);
    free(exact);
    return result;
}

static enum parse_result request(const char *text, struct http_request *ret_request)
{
    return request_cut(text, strlen(text), false, ret_request);
}

static enum parse_result response(const char *text, bool final, struct http_response *ret_response)
{
    return response_cut(text, strlen(text), final, ret_response);
}

static void test_request_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *method, *host;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: www.Example.ORG\r\n\r\n", "GET", "www.example.org"},
        {"GET / HTTP/1.1\r\nhOsT:\t www.example.org:8080 \t\r\n\r\n", "GET", "www.example.org"},
        {"GET / HTTP/1.1\nUser-Agent: x\nHost:example.org\n\n", "GET", "example.org"},
        {"POST /a b HTTP/1.0\r\nHost : example.org\r\n\r\n", "POST", "example.org"},
        {"GET / HTTP/1.1\r\nHost: 192.0.2.7:81\r\n\r\n", "GET", "192.0.2.7"},
        {"GET / HTTP/1.1\r\nHost: [2001:DB8::1]:81\r\n\r\n", "GET", "2001:db8::1"},
        {"GET / HTTP/1.1\r\nHost: [2001:db8::1\r\n\r\n", "GET", ""},
        {"GET / HTTP/1.1\r\nHost:\r\n folded.example\r\n\r\n", "GET", "folded.example"},
        {"GET / HTTP/1.1\r\nX: a\r\n Host: not.example\r\nHost: b.example\r\n\r\n", "GET",
         "b.example"},
        {"GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", "GET", "a.example"},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET", ""},
        {"GET / HTTP/1.1\r\nno colon\r\nHost: a.example\r\n\r\n", "GET", "a.example"},
        {"GET http://user:word@Abs.example:80/x?http://no.example/ HTTP/1.1\r\n\r\n", "GET",
         "abs.example"},
        {"GET http://abs.example/ HTTP/1.1\r\nHost: field.example\r\n\r\n", "GET", "field.example"},
        {"GET http://abs.example?q HTTP/1.1\r\nHost:\r\n\r\n", "GET", "abs.example"},
        {"CONNECT tunnel.example:443 HTTP/1.1\r\n\r\n", "CONNECT", "tunnel.example"},
        {"CONNECT [2001:db8::2]:443 HTTP/1.1\r\n\r\n", "CONNECT", "2001:db8::2"},
        {"\r\n\r\nPUT / HTTP/1.1\r\nHost: late.example\r\n\r\n", "PUT", "late.example"},
        {"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", "M-SEARCH",
         "239.255.255.250"},
        {"GET / HTTP/1.0\r\n\r\n", "GET", ""},
    };
    struct http_request http;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(request(cases[i].text, &http), PARSE_DONE);
        assert_string_equal(http.method, cases[i].method);
        assert_string_equal(http.host, cases[i].host);
        assert_int_equal(http.is_connect, strcmp(http.method, "CONNECT") == 0);
        assert_true(http.complete);
    }
}

static void test_not_request(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "HTTP/1.1 200 OK\r\n\r\n",
        "\x16\x03\x01\x02",
        "SSH-2.0-OpenSSH_9\r\n",
        "GETX / HTTP/1.1\r\n\r\n",
        "get / HTTP/1.1\r\n\r\n",
        "GET /\r\n",
        "OPTIONS sip:a@example.org SIP/2.0\r\n\r\n",
        "OPTIONS sip:a@exam",
        "OPTIONS rtsp://example.org/ RTSP/1.0\r\n\r\n",
        "GET /\x01\x02",
        "PRI * HTTP/2.0\r\n\r\n",
        "\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET",
    };
    struct http_request http, zero;

    memset(&zero, 0, sizeof(zero));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(request(cases[i], &http), PARSE_NOT_MINE);
        assert_memory_equal(&http, &zero, sizeof(http));
    }
    assert_int_equal(http_parse_request(NULL, 0, false, &http), PARSE_MORE);
    assert_int_equal(http_parse_request(NULL, 0, true, &http), PARSE_NOT_MINE);
    assert_int_equal(request_cut("GE", 2, true, &http), PARSE_NOT_MINE);
    assert_int_equal(request_cut("GET /long", 9, true, &http), PARSE_DONE);
    assert_false(http.complete);
}

/* The host is known as soon as its line is whole, never a piece of it. */
static void test_request_prefixes(void **state)
{
    (void)state;
    static const char text[] = "GET /path HTTP/1.1\r\nUser-Agent: a\r\nHost: www.example.org\r\n"
                               "Accept: */*\r\n\r\n";
    size_t whole = strlen(text), known = (size_t)(strstr(text, "Accept") - text);
    struct http_request http;

    for (size_t length = 0; length <= whole; length++) {
        assert_int_equal(request_cut(text, length, false, &http),
                         length < whole ? PARSE_MORE : PARSE_DONE);
        assert_string_equal(http.host, length < known ? "" : "www.example.org");
        assert_int_equal(request_cut(text, length, true, &http),
                         length < 4 ? PARSE_NOT_MINE : PARSE_DONE);
        assert_int_equal(http.complete, length == whole);
    }
}

static void test_response(void **state)
{
    (void)state;
    struct http_response http;

    assert_int_equal(response("HTTP/1.1 302 Found\r\nSERVER: Gate/1.0\r\nLocation: "
                              "http://Block.example:8080/why/x.html?url=secret&user=1#top\r\n"
                              "Content-Length: 0\r\n\r\n",
                              false, &http),
                     PARSE_DONE);
    assert_int_equal(http.status, 302);
    assert_false(http.bare_html);
    assert_string_equal(http.location, "http://Block.example:8080/why/x.html");
    assert_string_equal(http.server, "Gate/1.0");
    assert_string_equal(http.title, "");
    assert_true(http.complete);

    assert_int_equal(
        response("HTTP/1.0 403 Forbidden\nContent-Type: text/html; charset=utf-8\n\n"
                 "<HTML><HEAD><Title lang=en>\r\n  Surf \t Safely!\n caf\xc3\xa9 &amp; "
                 "\x01</TITLE>",
                 false, &http),
        PARSE_DONE);
    assert_int_equal(http.status, 403);
    assert_string_equal(http.title, "Surf Safely! caf?? &amp; ?");

    /* Nothing to wait for. */
    assert_int_equal(response("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n", false, &http),
                     PARSE_DONE);
    assert_int_equal(response("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", false, &http),
                     PARSE_DONE);
    assert_int_equal(response("HTTP/1.1 204 No\r\n\r\n", false, &http), PARSE_DONE);
    assert_int_equal(response("HTTP/1.1 200 OK\r\n\r\n<p><body>", false, &http), PARSE_DONE);
    assert_int_equal(response("HTTP/1.1 200 OK\r\n\r\n<p>", false, &http), PARSE_MORE);
    assert_int_equal(http.status, 200);
    assert_int_equal(response("HTTP/1.1 200 OK\r\n\r\n<p>", true, &http), PARSE_DONE);

    /* The body ends, whatever follows it. */
    assert_int_equal(response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<p><title>next</title>",
                              false, &http),
                     PARSE_DONE);
    assert_string_equal(http.title, "");
}

static void test_response_interim(void **state)
{
    (void)state;
    struct http_response http;

    assert_int_equal(response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n"
                              "Location: /x?y\r\nContent-Length: 0\r\n\r\n",
                              false, &http),
                     PARSE_DONE);
    assert_int_equal(http.status, 403);
    assert_string_equal(http.location, "/x");
    assert_int_equal(response("HTTP/1.1 100 Continue\r\n\r\n", false, &http), PARSE_MORE);
    assert_int_equal(http.status, 100);
    assert_int_equal(response("HTTP/1.1 100 Continue\r\n\r\n", true, &http), PARSE_DONE);
    assert_int_equal(http.status, 100);
    assert_int_equal(response("HTTP/1.1 101 Switching\r\n\r\n\x81", false, &http), PARSE_DONE);
    assert_int_equal(http.status, 101);
}

static void test_locations(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"https://user:word@a.example/p@q?x", "https://a.example/p@q"},
        {"//user@a.example/p", "//a.example/p"},
        {"/p@q#f", "/p@q"},
        {"?only=query", ""},
        {"https://a.example", "https://a.example"},
        {"http://\xff.example/", "http://?.example/"},
    };
    struct http_response http;
    char text[1024];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "HTTP/1.1 302 x\r\nLocation: %s\r\n\r\n", cases[i][0]);
        assert_int_equal(response(text, true, &http), PARSE_DONE);
        assert_string_equal(http.location, cases[i][1]);
    }
    /* Longer than its place. */
    snprintf(text, sizeof(text),
             "HTTP/1.1 302 x\r\nLocation: http://%0500d@a.example/%0300d\r\n\r\n", 0, 0);
    assert_int_equal(response(text, true, &http), PARSE_DONE);
    assert_int_equal(strlen(http.location), HTTP_TEXT_SIZE - 1);
    assert_memory_equal(http.location, "http://a.example/000", 20);
}

static void test_bare_page(void **state)
{
    (void)state;
    static const char *const pages[] = {
        "<!DOCTYPE html><title>Blocked</title>",
        "\xef\xbb\xbf\r\n <html><title>Blocked</title>",
        "<HEAD><title>Blocked</title>",
        "<meta a><title>Blocked</title>",
        "<script></script><title>Blocked</title>",
        "<title>Blocked</title>",
    };
    struct http_response http;

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        assert_int_equal(response(pages[i], false, &http), PARSE_DONE);
        assert_true(http.bare_html);
        assert_int_equal(http.status, 0);
        assert_string_equal(http.title, "Blocked");
    }
    assert_int_equal(response("<iframe src=\"http://192.0.2.1/\">", false, &http), PARSE_MORE);
    assert_int_equal(response("<iframe src=\"http://192.0.2.1/\">", true, &http), PARSE_DONE);
    assert_true(http.bare_html);
}

static void test_not_response(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "GET / HTTP/1.1\r\n\r\n", "HTTP/2 200\r\n\r\n",   "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 OK\r\n\r\n",    "SSH-2.0-x\r\n",        "<?xml version='1.0'?>",
        "<stream:stream>",        "\x16\x03\x03\x01\x01", "220 smtp.example.org\r\n",
    };
    struct http_response http, zero;
    char spaces[200];

    memset(&zero, 0, sizeof(zero));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(response(cases[i], false, &http), PARSE_NOT_MINE);
        assert_memory_equal(&http, &zero, sizeof(http));
    }
    memset(spaces, ' ', sizeof(spaces));
    assert_int_equal(response_cut(spaces, 64, false, &http), PARSE_MORE);
    assert_int_equal(response_cut(spaces, 65, false, &http), PARSE_NOT_MINE);
    assert_int_equal(response_cut("HTTP/1.1 20", 11, true, &http), PARSE_NOT_MINE);
    assert_int_equal(response_cut("HTTP/1.1 200", 12, true, &http), PARSE_DONE);
    assert_int_equal(http_parse_response(NULL, 0, false, &http), PARSE_MORE);
    assert_int_equal(http_parse_response(NULL, 0, true, &http), PARSE_NOT_MINE);
}

static void test_response_prefixes(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1 200 OK\r\nServer: a\r\n\r\n<html><head>"
                               "<title>Access denied</title>";
    struct http_response http;
    size_t whole = strlen(text), title = (size_t)(strstr(text, "Access") - text);

    for (size_t length = 0; length <= whole; length++) {
        enum parse_result result = response_cut(text, length, false, &http);
        assert_int_equal(result, length < whole - 1 ? PARSE_MORE : PARSE_DONE);
        assert_int_equal(http.status, length < 13 ? 0 : 200);
        assert_memory_equal(http.title, "Access denied", strlen(http.title));
        if (length >= title + 13) {
            assert_string_equal(http.title, "Access denied");
        }
        (void)response_cut(text + 30, length < 30 ? 0 : length - 30, false, &http);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_hosts),     cmocka_unit_test(test_not_request),
        cmocka_unit_test(test_request_prefixes),  cmocka_unit_test(test_response),
        cmocka_unit_test(test_response_interim),  cmocka_unit_test(test_locations),
        cmocka_unit_test(test_bare_page),         cmocka_unit_test(test_not_response),
        cmocka_unit_test(test_response_prefixes),
    };

    return cmocka_run_group_tests_name("inspect_http", tests, NULL, NULL);
}
