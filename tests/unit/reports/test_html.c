// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/digest.h"
#include "reports/html.h"
#include "reports/page/parts.h"
#include "base/text.h"

/* What one element with this text is written as; to be freed. */
static char *written(const char *text, bool as_attribute)
{
    char *bytes = NULL;
    size_t length;
    FILE *file = open_memstream(&bytes, &length);
    struct html html = {.file = file};
    html_begin(&html, "b");
    if (as_attribute)
        html_attr(&html, "class", text);
    else
        html_text(&html, text);
    html_end(&html);
    assert_false(html.failed);
    assert_int_equal(html.depth, 0);
    fclose(file);
    assert_int_equal(html.bytes, length);
    return bytes;
}

#define BAD "\xef\xbf\xbd"

static void test_escaping(void **state)
{
    static const struct {
        const char *text, *escaped;
    } corpus[] = {
        {"plain", "plain"},
        {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"\"><img src=x onerror=alert(1)>", "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"},
        {"' onmouseover='x", "&#39; onmouseover=&#39;x"},
        {"&lt;&amp;", "&amp;lt;&amp;amp;"},
        {"-->", "--&gt;"},
        {"]]>", "]]&gt;"},
        {"javascript:alert(1)", "javascript:alert(1)"},
        {"a\x01\x1b[31m\x7f", "a" BAD BAD "[31m" BAD},
        {"tab\tline\nreturn\r", "tab" BAD "line" BAD "return" BAD},
        {"gro\xc3\x9f \xd8\xa7\xd8\xb1\xd8\xaf\xd9\x88 \xf0\x9f\x9a\xab",
         "gro\xc3\x9f \xd8\xa7\xd8\xb1\xd8\xaf\xd9\x88 \xf0\x9f\x9a\xab"},
        {"gpj.\xe2\x80\xaetxt", "gpj." BAD "txt"}, /* right-to-left override */
        {"a\xe2\x81\xa6"
         "b\xe2\x81\xa9",
         "a" BAD "b" BAD}, /* isolates */
        {"zero\xe2\x80\x8bwidth\xef\xbb\xbf", "zero" BAD "width" BAD},
        {"c1\xc2\x85", "c1" BAD},
        {"\xff\xfe", BAD BAD},
        {"\xc0\xaf", BAD BAD},                 /* overlong */
        {"\xed\xa0\x80", BAD BAD BAD},         /* surrogate */
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* beyond U+10FFFF */
        {"cut\xe2\x82", "cut" BAD BAD},
    };
    char whole[512];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(corpus); i++) {
        char *text = written(corpus[i].text, false), *attribute = written(corpus[i].text, true);
        snprintf(whole, sizeof(whole), "<b>%s</b>", corpus[i].escaped);
        assert_string_equal(text, whole);
        snprintf(whole, sizeof(whole), "<b class=\"%s\"></b>", corpus[i].escaped);
        assert_string_equal(attribute, whole);
        free(text);
        free(attribute);
    }
}

/* No two bytes get through as markup, whatever stands beside them. */
static void test_all_pairs(void **state)
{
    (void)state;
    for (unsigned first = 1; first < 256; first++) {
        for (unsigned second = 1; second < 256; second++) {
            char pair[3] = {(char)first, (char)second, 0};
            char *text = written(pair, true);
            const char *inside = text + strlen("<b class=\"");
            const char *end = strrchr(inside, '"');
            for (const char *at = inside; at < end; at++)
                if (strchr("<>\"'", *at))
                    fail_msg("%02x %02x: %s", first, second, text);
            assert_string_equal(end, "\"></b>");
            free(text);
        }
    }
}

static void test_misuse(void **state)
{
    char *bytes = NULL;
    size_t length;
    FILE *file = open_memstream(&bytes, &length);
    struct html html = {.file = file};
    (void)state;
    html_end(&html);
    assert_true(html.failed);
    html = (struct html){.file = file};
    html_begin(&html, "p");
    html_text(&html, "x");
    html_attr(&html, "class", "late");
    assert_true(html.failed);
    html = (struct html){.file = file};
    for (int i = 0; i <= HTML_DEPTH_MAX; i++)
        html_begin(&html, "div");
    assert_true(html.failed);
    fclose(file);
    free(bytes);
}

static void test_policy(void **state)
{
    /* printf %s 'p{}' | openssl dgst -sha256 -binary | base64; the same of 'q()' */
    static const char policy[] =
        "content=\"default-src 'none'; style-src "
        "'sha256-gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y='; "
        "script-src 'sha256-+05UvaPBOazZiIpHRe6LhEDTGLqsjdsJpg+ZoRlo10M='; img-src data:; "
        "base-uri 'none'; form-action 'none'\"";
    char *bytes = NULL;
    size_t length;
    FILE *file = open_memstream(&bytes, &length);
    struct html html;
    (void)state;
    assert_int_equal(digest_setup(), 0);
    html_document_begin(
        &html, file,
        &(struct html_document){
            .language = "en", .title = "A <title>", .style = "p{}", .script = "q()"});
    html_document_end(&html);
    fclose(file);
    assert_false(html.failed);
    assert_non_null(strstr(bytes, policy));
    assert_non_null(strstr(bytes, "<html lang=\"en\" dir=\"ltr\">"));
    assert_non_null(strstr(bytes, "<title>A &lt;title&gt;</title>"));
    assert_non_null(strstr(bytes, "<style>p{}</style>"));
    assert_non_null(strstr(bytes, "<script>q()</script>"));
    assert_null(strstr(page_css, "</"));
    assert_null(strstr(page_css, "url("));
    assert_null(strstr(page_css, "@import"));
    assert_null(strstr(page_js, "</"));
    free(bytes);
}

/* Links that hold a file: RFC 4648 section 10, and types of strangers. */
static void test_data_links(void **state)
{
    static const struct {
        const char *text, *encoded;
    } samples[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
    char whole[128];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
        char *bytes = NULL;
        size_t length;
        FILE *file = open_memstream(&bytes, &length);
        struct html html = {.file = file};
        html_begin(&html, "a");
        html_attr_data(&html, "href", "text/\"csv", samples[i].text, strlen(samples[i].text));
        html_end(&html);
        fclose(file);
        snprintf(whole, sizeof(whole), "<a href=\"data:text/&quot;csv;base64,%s\"></a>",
                 samples[i].encoded);
        assert_string_equal(bytes, whole);
        assert_int_equal(html.bytes, length);
        free(bytes);
    }
}

static void test_terminal(void **state)
{
    char bytes[TEXT_CHARACTER_SIZE];
    size_t columns;
    (void)state;
    text_escape(0x1b, bytes, &columns);
    assert_string_equal(bytes, "\\x1b");
    assert_int_equal(columns, 4);
    text_escape(0x202e, bytes, &columns);
    assert_string_equal(bytes, "\\u202e");
    text_escape(0x20ac, bytes, &columns);
    assert_string_equal(bytes, "\xe2\x82\xac");
    assert_int_equal(columns, 1);
    text_escape(0xe0041, bytes, &columns);
    assert_string_equal(bytes, "\\ue0041");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escaping),   cmocka_unit_test(test_all_pairs),
        cmocka_unit_test(test_misuse),     cmocka_unit_test(test_policy),
        cmocka_unit_test(test_data_links), cmocka_unit_test(test_terminal),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
