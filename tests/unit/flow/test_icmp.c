// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>

#include "base/status.h"
#include "tests/unit/flow/line.h"

/* ---- ICMP errors ---- */

static struct packet make_error(struct line *line, enum side quoted, uint8_t protocol)
{
    struct packet packet = make_packet(line, !quoted, TRANSPORT_ICMP);
    struct packet other = make_packet(line, quoted, TRANSPORT_TCP);

    packet.has_quote = true;
    packet.icmp_type = 3;
    packet.icmp_code = 13;
    packet.quote = (struct packet_quote){.source = other.source,
                                         .destination = other.destination,
                                         .source_port = other.source_port,
                                         .destination_port = other.destination_port,
                                         .protocol = protocol,
                                         .ttl = 5};
    return packet;
}

static void test_icmp_error(void **state)
{
    struct line line;
    struct packet packet;
    const struct icmp_facts *icmp;

    (void)state;
    line_begin(&line, false);
    send_tcp(&line, C, TCP_SYN, 0, 0, 0);
    line.now_us += 7 * MS;
    packet = make_error(&line, C, IPPROTO_TCP);
    assert_int_equal(address_parse("198.51.100.1", &packet.source), DL_OK);
    packet.ttl = 61;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.icmp_error && !line.tracked.has_payload && !line.tracked.is_new);
    assert_int_equal(line.tracked.side, C);
    icmp = &details_of(&line)->icmp;
    assert_true(icmp->present && !icmp->from_server);
    assert_int_equal(icmp->type, 3);
    assert_int_equal(icmp->code, 13);
    assert_int_equal(icmp->ip_version, 4);
    assert_int_equal(icmp->side, C);
    assert_int_equal(icmp->ttl, 61);
    assert_int_equal(icmp->quoted_ttl, 5);
    assert_int_equal(icmp->after_us, 7 * MS);
    packet.icmp_code = 1;
    assert_true(give(&line, &packet));
    assert_int_equal(icmp->count, 2);
    assert_int_equal(icmp->code, 13);
    assert_int_equal(line.tracked.flow->packets[S], 0);
    /* About another flow, or another protocol with the same ports: nobody's. */
    packet.quote.destination_port++;
    assert_false(give(&line, &packet));
    packet = make_error(&line, C, IPPROTO_UDP);
    assert_false(give(&line, &packet));
    assert_int_equal(line.tracker.icmp_unmatched, 2);
    assert_int_equal(flow_table_count(line.tracker.table), 1);
    line_end(&line);
}

static void test_icmp_error_of_datagrams(void **state)
{
    struct line line;
    struct packet packet;

    (void)state;
    line_begin(&line, false);
    packet = make_packet(&line, C, TRANSPORT_UDP);
    assert_true(give(&line, &packet));
    packet = make_error(&line, C, IPPROTO_UDP);
    assert_true(give(&line, &packet));
    assert_true(details_of(&line)->icmp.from_server);
    line_end(&line);
    line_begin(&line, false);
    packet = make_packet(&line, C, TRANSPORT_ICMP);
    assert_true(give(&line, &packet));
    packet = make_error(&line, S, IPPROTO_ICMPV6);
    assert_true(give(&line, &packet));
    assert_int_equal(details_of(&line)->icmp.side, S);
    packet = make_error(&line, C, IPPROTO_GRE);
    assert_false(give(&line, &packet));
    line_end(&line);
}

/* ---- datagrams ---- */
static void test_datagrams(void **state)
{
    struct line line;
    struct packet packet;
    const struct evidence *evidence;

    (void)state;
    line_begin(&line, false);
    packet = make_packet(&line, C, TRANSPORT_UDP);
    packet.payload_length = 1200;
    assert_true(give(&line, &packet));
    assert_true(line.tracked.is_new && line.tracked.has_payload);
    assert_int_equal(line.tracked.flow->flow_class, FLOW_CLASS_DATAGRAM);
    line.now_us += 30 * MS;
    packet = make_packet(&line, S, TRANSPORT_UDP);
    packet.payload_length = 900;
    packet.flags = 0;
    packet.ip_id = 0;
    assert_true(give(&line, &packet));
    assert_int_equal(line.tracked.side, S);
    assert_true(line.tracked.flow->flags & FLOW_ANSWERED);
    evidence = evidence_of(&line);
    assert_true(payload_bytes(&evidence->sides[C]) == 1200);
    assert_int_equal(evidence->sides[S].first_payload_after_us, 30 * MS);
    assert_true(evidence->sides[S].flags == (SIDE_NO_DF | SIDE_IP_ID_ZERO));
    assert_true(evidence->sides[C].flags == SIDE_DF);
    line_end(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_icmp_error),
        cmocka_unit_test(test_icmp_error_of_datagrams),
        cmocka_unit_test(test_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
