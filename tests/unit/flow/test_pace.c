// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/status.h"
#include "probe/flow/track.h"

#define MS      1000
#define SEGMENT 1000u
#define SEQ     0xfffff000u /* wraps after four segments */
#define RTT_US  (24u * MS)
#define START   (INT64_C(1448910000) * 1000000)

static struct pace pace;
static struct pace_facts facts;
static uint16_t ip_id;

static struct packet data_at(uint32_t after_us, uint32_t segment)
{
    return (struct packet){.time_us = START + after_us,
                           .transport = TRANSPORT_TCP,
                           .ip_version = 4,
                           .ip_id = ip_id++,
                           .tcp_flags = TCP_ACK,
                           .seq = SEQ + segment * SEGMENT,
                           .payload_length = SEGMENT};
}

/* The server sends its n-th segment. */
static void sent(uint32_t after_us, uint32_t segment)
{
    struct packet packet = data_at(after_us, segment);
    pace_packet(&pace, SIDE_SERVER, &packet, true);
}

static void acknowledged(uint32_t after_us, uint32_t segments)
{
    struct packet packet = {
        .time_us = START + after_us, .tcp_flags = TCP_ACK, .ack = SEQ + segments * SEGMENT};
    pace_packet(&pace, SIDE_CLIENT, &packet, false);
}

static void stamped(enum side side, uint32_t after_us, uint32_t segment, uint32_t stamp)
{
    struct packet packet = data_at(after_us, segment);
    packet.tcp_options = TCP_OPTION_TIMESTAMP;
    packet.tcp_ts_value = packet.tcp_ts_echo = stamp;
    pace_packet(&pace, side, &packet, side == SIDE_SERVER);
}

static int begin(void **state)
{
    struct pace_start start = {.side = SIDE_SERVER,
                               .flow_start_us = START - 70 * MS,
                               .bytes_before = 8000,
                               .next = SEQ,
                               .rtt_us = RTT_US};
    (void)state;
    ip_id = 65535;
    struct packet first = data_at(0, 0);
    pace_begin(&pace, &start, &first);
    return 0;
}

static const struct pace_facts *seen(void)
{
    pace_export(&pace, &facts);
    return &facts;
}

static void test_bins(void **state)
{
    (void)state;
    sent(49 * MS, 1);
    sent(50 * MS, 2);
    sent(199 * MS, 3);
    assert_int_equal(seen()->bin_count, 4);
    assert_int_equal(facts.bins[0].bytes, 2 * SEGMENT);
    assert_int_equal(facts.bins[1].bytes, SEGMENT);
    assert_int_equal(facts.bins[2].bytes, 0);
    assert_int_equal(facts.bins[3].bytes, SEGMENT);
    assert_int_equal(facts.first_after_us, 70 * MS);
    assert_int_equal(facts.bytes_before, 8000);
    assert_int_equal(facts.segment, SEGMENT);
}

static void test_bins_are_widened(void **state)
{
    (void)state;
    sent(50 * MS, 1);
    sent(64 * 50 * MS, 2);
    assert_int_equal(seen()->bin_us, 2 * PACE_BIN_FIRST_US);
    assert_int_equal(facts.bin_count, 33);
    assert_int_equal(facts.bins[0].bytes, 2 * SEGMENT);
    assert_int_equal(facts.bins[32].bytes, SEGMENT);
}

static void test_hole_filled_later(void **state)
{
    (void)state;
    sent(10 * MS, 1);
    sent(60 * MS, 4);
    sent(61 * MS + RTT_US, 2);
    sent(62 * MS + RTT_US, 3);
    assert_int_equal(seen()->lost[PACE_LOST_BEFORE], 2);
    assert_int_equal(facts.lost[PACE_LOST_BEYOND], 0);
    assert_int_equal(facts.loss_count, 1);
    assert_int_equal(facts.losses[0].segments, 2);
    assert_int_equal(facts.losses[0].after_us, 10 * MS); /* when the one before it passed */
    assert_int_equal(facts.losses[0].bytes, 2 * SEGMENT);
    assert_int_equal(facts.bins[0].lost, 2);
    assert_int_equal(facts.bins[1].bytes, 3 * SEGMENT); /* each byte once */
}

static void test_hole_filled_in_the_middle(void **state)
{
    (void)state;
    sent(10 * MS, 4);
    sent(50 * MS, 2);
    sent(51 * MS, 1);
    sent(52 * MS, 3);
    assert_int_equal(seen()->lost[PACE_LOST_BEFORE], 3);
    assert_int_equal(facts.lost[PACE_LOST_BEYOND], 0);
}

static void test_reordering_is_no_loss(void **state)
{
    struct packet early = data_at(10 * MS, 1), late;
    (void)state;
    sent(10 * MS, 2);
    late = early;
    late.time_us += 2 * MS;
    pace_packet(&pace, SIDE_SERVER, &late, true);
    assert_int_equal(seen()->lost[PACE_LOST_BEFORE], 0);
    assert_int_equal(facts.loss_count, 0);
    assert_int_equal(facts.bins[0].lost, 0);
    assert_int_equal(facts.bins[0].bytes, 3 * SEGMENT);
}

static void test_what_the_capture_missed_is_no_loss(void **state)
{
    (void)state;
    sent(10 * MS, 2);
    acknowledged(11 * MS, 3);
    assert_int_equal(seen()->lost[PACE_LOST_BEFORE], 0);
    assert_int_equal(facts.loss_count, 0);
}

static void test_sent_again_is_lost_beyond(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < 10; i++)
        sent(i * 10 * MS, i);
    sent(160 * MS, 1);
    assert_int_equal(seen()->lost[PACE_LOST_BEYOND], 1);
    assert_int_equal(facts.losses[0].how, PACE_LOST_BEYOND);
    assert_int_equal(facts.bins[0].lost, 1); /* when it went first */
    assert_int_equal(facts.bins[0].bytes, 4 * SEGMENT);
    assert_int_equal(facts.bins[3].bytes, SEGMENT); /* when it got through */
}

static void test_copy_is_no_loss(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < 10; i++)
        sent(i * 10 * MS, i);
    sent(91 * MS, 9);
    assert_int_equal(seen()->lost[PACE_LOST_BEYOND], 0);
}

static void test_ip_ids_count_what_never_came(void **state)
{
    (void)state;
    sent(1 * MS, 1);
    ip_id += 5;
    sent(300 * MS, 2);
    assert_int_equal(seen()->lost[PACE_LOST_COUNTED], 5);
    assert_int_equal(facts.losses[0].how, PACE_LOST_COUNTED);
    assert_int_equal(facts.losses[0].after_us, 1 * MS);
    assert_int_equal(facts.quick, 2); /* the pause is none */
    assert_int_equal(facts.quick_counted, 2);
    assert_int_equal(facts.ids, 3);
    assert_int_equal(facts.ids_small, 3);
}

static void test_random_ip_ids_count_nothing(void **state)
{
    (void)state;
    ip_id += 4000;
    sent(1 * MS, 1);
    assert_int_equal(seen()->lost[PACE_LOST_COUNTED], 0);
    assert_int_equal(facts.ids - facts.ids_small, 1);
}

static void test_round_trip_of_a_busy_server(void **state)
{
    (void)state;
    stamped(SIDE_CLIENT, 0, 0, 100);
    sent(280 * MS, 1);
    stamped(SIDE_SERVER, 300 * MS, 2, 100);
    assert_int_equal(seen()->rtt_samples, 1);
    assert_int_equal(facts.bins[6].rtt_ms, 300);
    assert_int_equal(facts.rtt_least_us, RTT_US); /* the handshake's */
}

static void test_echo_that_waited_says_nothing(void **state)
{
    (void)state;
    stamped(SIDE_CLIENT, 0, 0, 100);
    stamped(SIDE_SERVER, 300 * MS, 1, 100);
    assert_int_equal(seen()->rtt_samples, 0);
    assert_int_equal(facts.bins[6].rtt_ms, 0);
}

static void test_repeated_timestamp_is_not_asked(void **state)
{
    (void)state;
    stamped(SIDE_CLIENT, 0, 0, 100);
    stamped(SIDE_SERVER, 23 * MS, 1, 100);
    stamped(SIDE_CLIENT, 24 * MS, 0, 100);
    stamped(SIDE_SERVER, 25 * MS, 2, 100);
    assert_int_equal(seen()->rtt_least_us, 23 * MS);
    assert_int_equal(facts.rtt_samples, 1);
}

static void test_the_other_side_turns_out_heavy(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        struct packet packet = data_at(100 * MS + i, i);
        pace_packet(&pace, SIDE_CLIENT, &packet, true);
    }
    assert_int_equal(seen()->side, SIDE_CLIENT);
    assert_true(facts.bytes_before > 30000);
}

static void test_foreign_sequence_numbers(void **state)
{
    (void)state;
    sent(10 * MS, 100000);
    sent(11 * MS, 1);
    assert_int_equal(seen()->bins[0].bytes, 2 * SEGMENT);
    assert_int_equal(facts.lost[PACE_LOST_BEFORE], 0);
}

/* ---- who gets a slot ---- */

static void on_ended(void *context, struct flow *flow, enum close_reason reason)
{
    (void)context;
    (void)flow;
    (void)reason;
}

static struct flow *carry(struct tracker *tracker, uint16_t port, bool interesting,
                          unsigned segments)
{
    struct tracked tracked = {0};
    for (uint32_t i = 0; i <= segments; i++) {
        struct packet packet = data_at(i, i);
        packet.source_port = 443;
        packet.destination_port = port;
        packet.source.bytes[15] = 1;
        packet.bytes = SEGMENT + 40;
        assert_true(tracker_packet(tracker, &packet, &tracked));
        tracked.flow->flags |= interesting ? FLOW_INTERESTING : 0;
    }
    return tracked.flow;
}

static void test_slots(void **state)
{
    struct track_options options = {
        .flows_maximum = 100, .details_maximum = 2, .paces_maximum = 1, .ended = on_ended};
    struct tracker tracker;
    (void)state;
    assert_int_equal(tracker_init(&tracker, &options), DL_OK);
    assert_null(tracker_pace(&tracker, carry(&tracker, 40000, false, 20)));
    assert_null(tracker_pace(&tracker, carry(&tracker, 40001, true, 5)));
    assert_int_equal(tracker.paces.taken, 0);
    assert_non_null(tracker_pace(&tracker, carry(&tracker, 40002, true, 20)));
    assert_null(tracker_pace(&tracker, carry(&tracker, 40003, true, 20)));
    assert_int_equal(tracker.paces_refused, 1);
    flow_table_end_all(tracker.table, CLOSE_END_OF_CAPTURE);
    assert_int_equal(tracker.paces.taken, 0);
    tracker_finish(&tracker);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bins),
        TEST(test_bins_are_widened),
        TEST(test_hole_filled_later),
        TEST(test_hole_filled_in_the_middle),
        TEST(test_reordering_is_no_loss),
        TEST(test_what_the_capture_missed_is_no_loss),
        TEST(test_sent_again_is_lost_beyond),
        TEST(test_copy_is_no_loss),
        TEST(test_ip_ids_count_what_never_came),
        TEST(test_random_ip_ids_count_nothing),
        TEST(test_round_trip_of_a_busy_server),
        TEST(test_echo_that_waited_says_nothing),
        TEST(test_repeated_timestamp_is_not_asked),
        TEST(test_the_other_side_turns_out_heavy),
        TEST(test_foreign_sequence_numbers),
        TEST(test_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
