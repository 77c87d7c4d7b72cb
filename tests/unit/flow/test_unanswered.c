// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/flow/line.h"

/* What the client wants answered since the server's last packet. */

static void talk(struct line *line)
{
    line_begin(line, false);
    shake_hands(line);
    send_tcp(line, C, TCP_ACK, 1, 1, 500);
    send_tcp(line, S, TCP_ACK, 1, 501, 1000);
    assert_int_equal(evidence_of(line)->unanswered, 0);
}

static void test_asked_again(void **state)
{
    struct line line;

    (void)state;
    talk(&line);
    send_tcp(&line, C, TCP_ACK, 501, 1001, 0); /* wants nothing */
    assert_int_equal(evidence_of(&line)->unanswered, 0);
    line.now_us += SECOND;
    for (int i = 0; i < 3; i++)
        send_tcp(&line, C, TCP_ACK, 501, 1001, 40);
    assert_int_equal(evidence_of(&line)->unanswered, 3);
    assert_int_equal(evidence_of(&line)->unanswered_after_us, SECOND + 64 * MS);
    for (int i = 0; i < 300; i++)
        send_tcp(&line, C, TCP_ACK, 501, 1001, 40);
    assert_int_equal(evidence_of(&line)->unanswered, UINT8_MAX);
    assert_int_equal(evidence_of(&line)->unanswered_after_us, SECOND + 64 * MS);
    line_end(&line);
}

static void test_keepalives_ask(void **state)
{
    struct line line;

    (void)state;
    talk(&line);
    send_tcp(&line, C, TCP_ACK, 500, 1001, 0);
    send_tcp(&line, C, TCP_ACK, 500, 1001, 1);
    assert_int_equal(evidence_of(&line)->unanswered, 2);
    line_end(&line);
}

/* Any packet of the server but a reset, which may be another's. */
static void test_answers(void **state)
{
    struct line line;

    (void)state;
    talk(&line);
    send_tcp(&line, C, TCP_ACK, 501, 1001, 40);
    send_tcp(&line, S, TCP_RST, 1001, 0, 0);
    assert_int_equal(evidence_of(&line)->unanswered, 1);
    send_tcp(&line, S, TCP_ACK, 1001, 541, 0);
    assert_int_equal(evidence_of(&line)->unanswered, 0);
    line_end(&line);
}

/* The client acknowledges what is not in the capture: the server's packets go another way. */
static void test_elsewhere(void **state)
{
    struct line line;

    (void)state;
    talk(&line);
    send_tcp(&line, C, TCP_ACK, 501, 1001, 40);
    send_tcp(&line, C, TCP_ACK, 541, 3000, 40);
    assert_int_equal(evidence_of(&line)->unanswered, 0);
    line_end(&line);
}

/* A goodbye, a reset and a SYN want no data. */
static void test_no_questions(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    assert_int_equal(evidence_of(&line)->unanswered, 0);
    line_end(&line);
    talk(&line);
    send_tcp(&line, C, TCP_ACK | TCP_FIN, 501, 1001, 0);
    send_tcp(&line, C, TCP_RST, 501, 0, 0);
    assert_int_equal(evidence_of(&line)->unanswered, 0);
    line_end(&line);
}

static void send_datagram(struct line *line, enum side side, uint8_t first)
{
    uint8_t bytes[40] = {first};
    struct packet packet = make_packet(line, side, TRANSPORT_UDP);

    packet.payload = bytes;
    packet.payload_length = packet.payload_captured = sizeof(bytes);
    line->now_us += MS;
    packet.time_us = line->now_us;
    assert_true(give(line, &packet));
}

/* Each datagram of the client asks, any of the server answers; which headers came is kept. */
static void test_datagrams(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    send_datagram(&line, C, 0xc0);
    send_datagram(&line, S, 0xe0);
    assert_int_equal(evidence_of(&line)->unanswered, 0);
    assert_int_equal(evidence_of(&line)->sides[S].flags & SIDE_SHORT, 0);
    for (int i = 0; i < 3; i++)
        send_datagram(&line, C, 0x40);
    assert_int_equal(evidence_of(&line)->unanswered, 3);
    assert_true(evidence_of(&line)->sides[C].flags & SIDE_SHORT);
    assert_int_equal(evidence_of(&line)->sides[S].flags & SIDE_SHORT, 0);
    send_datagram(&line, S, 0x40);
    assert_int_equal(evidence_of(&line)->unanswered, 0);
    assert_true(evidence_of(&line)->sides[S].flags & SIDE_SHORT);
    line_end(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_again),  cmocka_unit_test(test_keepalives_ask),
        cmocka_unit_test(test_answers),      cmocka_unit_test(test_elsewhere),
        cmocka_unit_test(test_no_questions), cmocka_unit_test(test_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
