// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/array.h"
#include "tests/unit/flow/line.h"

/* Two versions of one place in a server's stream: noticed wherever it is, and nothing else taken
 * for it. */

#define STREAM_BYTES 20000u

static uint8_t stream[STREAM_BYTES], forged[STREAM_BYTES];

static int fill(void **state)
{
    (void)state;
    for (unsigned i = 0; i < STREAM_BYTES; i++) {
        stream[i] = (uint8_t)(i * 7 + i / 251);
        forged[i] = (uint8_t)(i * 5 + i / 239 + 1);
    }
    return 0;
}

static void begin(struct line *line)
{
    line_begin(line, false);
    shake_hands(line);
    send_tcp(line, C, TCP_ACK, 1, 1, 500);
}

/* Bytes `from` to `to` of one of the streams. */
static void say(struct line *line, const uint8_t *bytes, uint32_t from, uint32_t to)
{
    send_text(line, 1 + from, bytes + from, to - from);
}

static const struct suspect *overlap_of(struct line *line)
{
    struct details *details = details_of(line);

    for (unsigned i = 0; details && i < details->suspect_count; i++) {
        const struct suspect *s = &tracker_suspect(&line->tracker, details, i)->suspect;
        if (s->kind == SUSPECT_OVERLAP)
            return s;
    }
    return NULL;
}

static void test_page_then_answer(void **state)
{
    static const char page[] =
        "HTTP/1.1 302 Found\r\nLocation: http://10.10.34.34/\r\n\r\n..........";
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9000\r\n\r\n";
    struct line line;
    const struct suspect *s;

    (void)state;
    begin(&line);
    send_text(&line, 1, page, strlen(page));
    send_text(&line, 1, page, strlen(page)); /* the same again */
    send_text(&line, 1 + (uint32_t)strlen(page), answer, strlen(answer));
    assert_null(overlap_of(&line));
    send_text(&line, 1, answer, strlen(answer));
    s = overlap_of(&line);
    assert_non_null(s);
    assert_int_equal(s->side, S);
    assert_int_equal(s->packet, line.number);
    assert_int_equal(s->length_before, 48); /* whole blocks of the page */
    assert_int_equal(s->payload_length, strlen(answer));
    assert_true(s->content != 0 && s->content_before != 0 && s->content != s->content_before);
    line_end(&line);
}

/* Where the second version begins, ends and is cut does not matter. */
static void test_anywhere(void **state)
{
    static const struct {
        uint32_t kept_from, kept_to, from, to;
    } places[] = {
        {0, 1400, 0, 1400},           {0, 1400, 7, 291},        {0, 1400, 1300, 2700},
        {12, 303, 19, 310},           {0, 16000, 15001, 16001}, {8000, 9400, 8700, 8760},
        {16000, 17400, 16000, 17400},
    };
    struct line line;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        begin(&line);
        say(&line, stream, places[i].kept_from, places[i].kept_to);
        say(&line, forged, places[i].from, places[i].to);
        if (!overlap_of(&line))
            fail_msg("place %zu", i);
        line_end(&line);
    }
}

/* The forged part came before what precedes it. */
static void test_out_of_order(void **state)
{
    struct line line;

    (void)state;
    begin(&line);
    say(&line, forged, 1400, 2800);
    say(&line, stream, 0, 1400);
    assert_null(overlap_of(&line));
    say(&line, stream, 1400, 2800);
    assert_non_null(overlap_of(&line));
    assert_int_equal(details_of(&line)->suspect_count, 1);
    say(&line, stream, 2000, 2800); /* once is enough */
    assert_int_equal(details_of(&line)->suspect_count, 1);
    line_end(&line);
}

/* The same bytes sent again, cut and joined in every other way. */
static void test_other_segments(void **state)
{
    struct line line;

    (void)state;
    begin(&line);
    for (uint32_t at = 0; at < 18000; at += 1000)
        say(&line, stream, at, at + 1000);
    for (uint32_t at = 0; at < 17000; at += 333)
        say(&line, stream, at, at + 777);
    say(&line, stream, 0, 18000); /* as offload captures it */
    say(&line, stream, 5, 17005);
    assert_null(overlap_of(&line));
    line_end(&line);
}

/* What differs by less than two whole blocks: errors, short pieces, cut frames, probes. */
static void test_too_little(void **state)
{
    uint8_t spoiled[64];
    struct line line;
    struct packet packet;

    (void)state;
    begin(&line);
    say(&line, stream, 0, 1400);
    memcpy(spoiled, stream, sizeof(spoiled));
    spoiled[20] ^= 0x40;
    send_text(&line, 1, spoiled, sizeof(spoiled));
    send_text(&line, 1, forged, 31);
    send_text(&line, 9, forged, 38);
    packet = tcp(&line, S, TCP_ACK, 1, 501, 1400); /* 20 bytes were captured */
    packet.payload = forged;
    packet.payload_captured = 20;
    assert_true(give(&line, &packet));
    packet = tcp(&line, S, TCP_ACK, 1, 501, 1400); /* none were */
    assert_true(give(&line, &packet));
    send_text(&line, 1400, forged, 1); /* keep-alive */
    assert_null(overlap_of(&line));
    line_end(&line);
}

/* Beyond the first 16 KiB nothing is kept, nor before the stream, nor of one that was joined late. */
static void test_bounds(void **state)
{
    struct line line;

    (void)state;
    begin(&line);
    say(&line, stream, 16384, 17400);
    say(&line, forged, 16384, 17400);
    send_text(&line, 0u - 3000u, stream, 1400);
    send_text(&line, 0u - 3000u, forged, 1400);
    assert_null(overlap_of(&line));
    line_end(&line);
    line_begin(&line, false);
    send_tcp(&line, C, TCP_ACK, 1, 1, 500);
    say(&line, stream, 0, 1400);
    say(&line, forged, 0, 1400);
    assert_null(overlap_of(&line));
    line_end(&line);
}

/* The newest streams are kept: two of them here. */
static void test_ring(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    for (uint16_t i = 0; i < 3; i++) {
        line.client_port = (uint16_t)(30000 + i);
        shake_hands(&line);
        say(&line, stream, 0, 1400);
    }
    for (uint16_t i = 0; i < 3; i++) {
        line.client_port = (uint16_t)(30000 + i);
        say(&line, forged, 0, 1400);
        assert_true((overlap_of(&line) != NULL) == (i > 0));
    }
    assert_int_equal(contents_memory(&line.tracker.contents), 2 * sizeof(struct contents_stream));
    line_end(&line);
}

static void test_none(void **state)
{
    struct contents contents;
    struct contents_conflict conflict;
    struct packet packet = {.payload = stream, .payload_length = 64, .payload_captured = 64};

    (void)state;
    assert_int_equal(contents_init(&contents, 0), 0);
    assert_int_equal(contents_open(&contents, 1), 0);
    assert_false(contents_differ(&contents, 1, &packet, &conflict));
    contents_finish(&contents);
    assert_int_equal(contents_init(&contents, 1), 0);
    contents.last_ticket = UINT32_MAX - 1; /* 0 is nobody's */
    assert_int_equal(contents_open(&contents, 0), UINT32_MAX);
    assert_int_equal(contents_open(&contents, 0), 1);
    assert_false(contents_differ(&contents, UINT32_MAX, &packet, &conflict));
    contents_finish(&contents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_then_answer),
        cmocka_unit_test(test_anywhere),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_other_segments),
        cmocka_unit_test(test_too_little),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
