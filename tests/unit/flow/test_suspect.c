// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/status.h"
#include "tests/unit/flow/line.h"

/* ---- packets that deserve a look ---- */

static void test_reset_features(void **state)
{
    struct line line;
    struct packet packet;
    const struct suspect *s;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK | TCP_PSH, 1, 1, 517);
    line.now_us += 4 * MS;
    packet = tcp(&line, S, TCP_RST | TCP_ACK, 1 + 5, 518 - 3, 0);
    packet.ttl = 113;
    packet.ip_id = 6990;
    packet.flags = 0;
    packet.tcp_window = 77;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspect_count, 1);
    s = &details_of(&line)->suspects[0].suspect;
    assert_int_equal(s->kind, SUSPECT_RST);
    assert_int_equal(s->side, S);
    assert_true(s->packet == packet.number);
    assert_int_equal(s->after_us, 66 * MS);
    assert_int_equal(s->trigger_after_us, 5 * MS);
    assert_int_equal(s->tcp_flags, TCP_RST | TCP_ACK);
    assert_int_equal(s->ttl, 113);
    assert_int_equal(s->ttl_expected, 52);
    assert_int_equal(s->ip_flags, 0);
    assert_int_equal(s->ip_id, 6990);
    assert_int_equal(s->ip_id_from_own, (uint16_t)(6990 - 7000));
    assert_int_equal(s->ip_id_from_other, 6990 - 102);
    assert_int_equal(s->window, 77);
    assert_int_equal(s->seq_offset, 5);
    assert_int_equal(s->ack_offset, -3);
    assert_int_equal(evidence_of(&line)->resets[S], 1);
    assert_int_equal(evidence_of(&line)->resets_with_ack[S], 1);
    assert_int_equal(evidence_of(&line)->close, CLOSE_RESET);
    assert_int_equal(line.tracked.flow->flow_class, FLOW_CLASS_CLOSED);
    assert_true(line.tracked.flow->flags & FLOW_EVENTFUL);
    /* A reset's TTL is not the side's. */
    assert_int_equal(evidence_of(&line)->sides[S].ttl_max, 52);
    line_end(&line);
}

static void test_reset_triggers(void **state)
{
    struct line line;

    (void)state;
    /* To a SYN sent again: since the last one. */
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    line.now_us += SECOND;
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    line.now_us += 2 * MS;
    send_tcp(&line, S, TCP_RST | TCP_ACK, 0, 1, 0);
    assert_int_equal(details_of(&line)->suspects[0].suspect.trigger_after_us, 3 * MS);
    assert_int_equal(details_of(&line)->suspects[0].suspect.seq_offset, 0);
    assert_int_equal(details_of(&line)->suspects[0].suspect.ack_offset, 0);
    line_end(&line);
    /* A client's reset to a SYN-ACK: since that. */
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    line.now_us += SECOND;
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    send_tcp(&line, C, TCP_RST, 1, 0, 0);
    assert_int_equal(details_of(&line)->suspects[0].suspect.trigger_after_us, MS);
    assert_true(details_of(&line)->suspects[0].suspect.ack_offset == INT32_MIN);
    line_end(&line);
    /* After the handshake, without payload: since the SYN. */
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, S, TCP_RST, 1, 0, 0);
    assert_int_equal(details_of(&line)->suspects[0].suspect.trigger_after_us, 61 * MS);
    send_tcp(&line, C, TCP_RST, 1, 0, 0);
    assert_int_equal(details_of(&line)->suspects[1].suspect.trigger_after_us, 12 * MS);
    line_end(&line);
}

static void test_reset_copies(void **state)
{
    struct line line;
    struct packet packet;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    packet = tcp(&line, S, TCP_RST, 1, 0, 0);
    for (int i = 0; i < 3; i++) {
        packet.number++;
        assert_true(give(&line, &packet));
    }
    assert_int_equal(details_of(&line)->suspect_count, 1);
    assert_int_equal(details_of(&line)->suspects[0].suspect.copies, 2);
    packet.seq++;
    assert_true(give(&line, &packet));
    packet.ip_id++;
    assert_true(give(&line, &packet));
    packet.ttl++;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspect_count, 4);
    assert_int_equal(details_of(&line)->suspects[0].suspect.copies, 2);
    assert_int_equal(evidence_of(&line)->resets[S], 6);
    for (int i = 0; i < 300; i++) {
        packet.seq++;
        assert_true(give(&line, &packet));
    }
    assert_int_equal(details_of(&line)->suspect_count, SUSPECTS_MAX);
    assert_int_equal(details_of(&line)->suspects_not_kept, 304 - SUSPECTS_MAX);
    assert_int_equal(evidence_of(&line)->resets[S], UINT8_MAX);
    line_end(&line);
}

/* What the acknowledgement field holds is kept also where no flag says that it means something. */
static void test_reset_numbers(void **state)
{
    struct line line;
    struct packet packet;
    struct suspect s[5];

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK, 1, 1, 500);
    send_tcp(&line, S, TCP_ACK, 1, 501, 100);
    packet = tcp(&line, C, TCP_RST, 501, 0, 0);
    assert_true(give(&line, &packet));
    packet.ack = SERVER_ISN + 101;
    packet.seq += 7;
    assert_true(give(&line, &packet));
    send_tcp(&line, S, TCP_RST, 101, 0, 0); /* of the other side: it starts anew */
    packet.ack += 5;
    assert_true(give(&line, &packet));
    packet.seq -= 100;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspect_count, 5);
    for (unsigned i = 0; i < 5; i++)
        s[i] = tracker_suspect(&line.tracker, details_of(&line), i)->suspect;
    assert_int_equal(s[0].ack_field, ACK_FIELD_ZERO);
    assert_true(s[0].ack_change == 0 && s[0].seq_change == 0 && s[0].ack_offset == INT32_MIN);
    assert_int_equal(s[0].seq_beyond_ack, 0);
    assert_int_equal(s[1].ack_field, ACK_FIELD_SET);
    assert_int_equal(s[1].seq_change, 7);
    assert_int_equal(s[1].seq_beyond_ack, 7);
    assert_int_equal(s[2].side, S);
    assert_true(s[2].ack_change == 0 && s[2].seq_change == 0);
    assert_int_equal(s[3].ack_change - s[1].ack_change, 5);
    assert_int_equal(s[4].seq_change, -93);
    line_end(&line);
    /* Nobody acknowledged anything. */
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    send_tcp(&line, C, TCP_RST, 1, 0, 0);
    assert_true(details_of(&line)->suspects[0].suspect.seq_beyond_ack == INT32_MIN);
    line_end(&line);
}

static void test_data_after_reset(void **state)
{
    struct line line;
    const struct suspect *s;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK, 1, 1, 500);
    send_tcp(&line, S, TCP_ACK, 1, 501, 300);
    send_tcp(&line, S, TCP_RST, 301, 0, 0);
    s = &details_of(&line)->suspects[0].suspect;
    /* What was sent before comes again: that is not beyond it. */
    send_tcp(&line, S, TCP_ACK, 1, 501, 300);
    assert_int_equal(s->own_bytes_after, 0);
    line.now_us += 9 * MS;
    send_tcp(&line, S, TCP_ACK, 301, 501, 1000);
    assert_false(line.tracked.has_payload);
    send_tcp(&line, S, TCP_ACK, 1301, 501, 200);
    send_tcp(&line, C, TCP_ACK, 501, 1501, 40);
    assert_int_equal(s->own_bytes_after, 1200);
    assert_int_equal(s->own_after_us, 12 * MS);
    assert_int_equal(s->other_bytes_after, 40);
    line_end(&line);
}

/* What was in flight at the reset and is sent again later is no new word. */
static void test_flight_after_reset(void **state)
{
    struct line line;
    const struct suspect *s;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK, 1, 1, 500);
    send_tcp(&line, S, TCP_RST, 1, 0, 0);
    s = &details_of(&line)->suspects[0].suspect;
    send_tcp(&line, S, TCP_ACK, 1, 501, 1000);
    assert_int_equal(s->own_bytes_after, 1000);
    assert_int_equal(s->own_after_us, 1 * MS);
    line.now_us += 900 * MS;
    send_tcp(&line, S, TCP_ACK, 1, 501, 1000);
    assert_int_equal(s->own_bytes_after, 1000);
    assert_int_equal(s->own_after_us, 1 * MS);
    line_end(&line);
}

static void test_fin_with_data(void **state)
{
    struct line line;
    const struct suspect *s;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, C, TCP_ACK, 1, 1, 200);
    send_tcp(&line, S, TCP_ACK | TCP_FIN | TCP_PSH, 1, 201, 300);
    s = &details_of(&line)->suspects[0].suspect;
    assert_int_equal(s->kind, SUSPECT_FIN_DATA);
    assert_int_equal(s->payload_length, 300);
    assert_int_equal(s->seq_offset, 0);
    assert_int_equal(s->own_bytes_after, 0);
    /* The page again is the page; the true answer goes beyond it. */
    send_tcp(&line, S, TCP_ACK | TCP_FIN | TCP_PSH, 1, 201, 300);
    assert_int_equal(s->own_bytes_after, 0);
    send_tcp(&line, S, TCP_ACK, 1, 201, 1400);
    assert_int_equal(s->own_bytes_after, 1400 - 300 - 1);
    assert_int_equal(details_of(&line)->suspect_count, 1);
    line_end(&line);
    /* A FIN with a later payload is ordinary. */
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, S, TCP_ACK, 1, 1, 100);
    send_tcp(&line, S, TCP_ACK | TCP_FIN, 101, 1, 100);
    assert_null(details_of(&line));
    line_end(&line);
}

static void test_foreign_ttl(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, S, TCP_ACK, 1, 1, 100);
    line.ttl[S] = 54;
    send_tcp(&line, S, TCP_ACK, 101, 1, 100);
    assert_null(details_of(&line));
    line.ttl[S] = 120;
    send_tcp(&line, S, TCP_ACK, 201, 1, 100);
    assert_int_equal(details_of(&line)->suspects[0].suspect.kind, SUSPECT_TTL);
    assert_int_equal(details_of(&line)->suspects[0].suspect.ttl_expected, 54);
    /* Once is enough: from here on the side has several. */
    line.ttl[S] = 54;
    send_tcp(&line, S, TCP_ACK, 301, 1, 100);
    assert_int_equal(details_of(&line)->suspect_count, 1);
    line_end(&line);
}

static void test_second_syn_ack(void **state)
{
    struct line line;
    struct packet packet;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    packet = tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    packet.seq = 0x12345678;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspects[0].suspect.kind, SUSPECT_SYN_ACK);
    line_end(&line);
    /* The forged one came first and is answered already. */
    line_begin(&line, false);
    shake_hands(&line);
    send_tcp(&line, S, TCP_ACK, 1, 1, 100);
    send_tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    assert_null(details_of(&line));
    packet = tcp(&line, S, TCP_SYN | TCP_ACK, 0, 1, 0);
    packet.seq = 0x12345678;
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->suspects[0].suspect.kind, SUSPECT_SYN_ACK);
    line_end(&line);
}

/* Parts are bounded: what finds none is counted, and the flow goes on. Half of the four are for
 * flows that will be stored. */
static void test_bounded_details(void **state)
{
    struct line line;

    (void)state;
    line_begin(&line, false);
    for (uint16_t i = 0; i < 8; i++) {
        bool stored = i >= 5, given = i < 2 || (stored && i < 7);
        line.client_port = (uint16_t)(30000 + i);
        shake_hands(&line);
        if (stored)
            line.tracked.flow->flags |= FLOW_INTERESTING;
        send_tcp(&line, S, TCP_RST, 1, 0, 0);
        assert_true((details_of(&line) != NULL) == given);
        assert_true(((line.tracked.flow->flags & FLOW_EVENTFUL) != 0) == given);
        assert_int_equal(evidence_of(&line)->resets[S], 1);
    }
    assert_int_equal(line.tracker.details_refused, 4);
    line_end(&line);
}

static void test_without_evidence(void **state)
{
    struct line line;
    struct flow *flow;

    (void)state;
    line_begin(&line, false);
    shake_hands(&line);
    flow = line.tracked.flow;
    send_tcp(&line, S, TCP_RST, 1, 0, 0);
    tracker_drop_evidence(&line.tracker, flow);
    assert_false(flow->flags & FLOW_EVENTFUL);
    assert_null(tracker_evidence(&line.tracker, flow));
    assert_null(tracker_details(&line.tracker, flow));
    assert_int_equal(line.tracker.details.taken, 0);
    send_tcp(&line, C, TCP_ACK, 1, 1, 100);
    send_tcp(&line, S, TCP_ACK | TCP_FIN, 1, 101, 100);
    send_tcp(&line, C, TCP_ACK | TCP_FIN, 101, 102, 0);
    send_tcp(&line, C, TCP_RST, 102, 0, 0);
    assert_int_equal(flow->packets[C], 5);
    assert_true(tracker_give_evidence(&line.tracker, flow));
    assert_non_null(tracker_evidence(&line.tracker, flow));
    line_end(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset_features),   cmocka_unit_test(test_reset_triggers),
        cmocka_unit_test(test_reset_copies),     cmocka_unit_test(test_reset_numbers),
        cmocka_unit_test(test_data_after_reset), cmocka_unit_test(test_flight_after_reset),
        cmocka_unit_test(test_fin_with_data),    cmocka_unit_test(test_foreign_ttl),
        cmocka_unit_test(test_second_syn_ack),   cmocka_unit_test(test_bounded_details),
        cmocka_unit_test(test_without_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
