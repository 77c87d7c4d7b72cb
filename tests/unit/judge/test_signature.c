// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyzer/judge/judge.h"
#include "analyzer/judge/signature.h"
#include "base/array.h"
#include "tests/unit/judge/flows.h"

/*
 * Each of the 19, made of what arrives at a server. A script is a packet a letter:
 * s SYN, a ACK, p first data, q that again, d more data, f FIN,
 * r RST, z RST with acknowledgement 0, y RST with another acknowledgement, x RST+ACK.
 */

static void reset(struct observation *o, uint32_t now, bool with_ack, enum ack_field field,
                  int32_t change)
{
    flow_reset(o, SIDE_CLIENT, now, with_ack);
    struct suspect *s = &o->evidence.suspects[o->evidence.suspect_count - 1];
    s->ack_field = (uint8_t)field;
    s->ack_change = change;
}

static struct observation play(const char *script)
{
    struct observation o = flow_syns(1);
    struct side_facts *client = &o.evidence.sides[SIDE_CLIENT];

    for (uint32_t i = 1; script[i]; i++) {
        uint32_t now = i * 10 * MS;
        switch (script[i]) {
        case 's':
            flow_sent(&o, SIDE_CLIENT, now, 0);
            client->syn_retransmissions++;
            break;
        case 'a':
            flow_sent(&o, SIDE_CLIENT, now, 0);
            o.flags = OBSERVATION_HANDSHAKE;
            break;
        case 'p':
            flow_sent(&o, SIDE_CLIENT, now, 517);
            break;
        case 'q':
            flow_sent(&o, SIDE_CLIENT, now, 0);
            client->data_retransmissions++;
            break;
        case 'd':
            flow_sent(&o, SIDE_CLIENT, now, 90);
            break;
        case 'f':
            flow_fin(&o, SIDE_CLIENT, now);
            break;
        case 'r':
            reset(&o, now, false, ACK_FIELD_SET, 0);
            break;
        case 'y':
            reset(&o, now, false, ACK_FIELD_SET, 1460);
            break;
        case 'z':
            reset(&o, now, false, ACK_FIELD_ZERO, 0);
            break;
        case 'x':
            reset(&o, now, true, ACK_FIELD_SET, 0);
            break;
        default:
            fail_msg("letter %c", script[i]);
        }
    }
    return o;
}

static const struct {
    const char *script;
    uint8_t signature;
} table[] = {
    {"s", 1},
    {"sr", 2},
    {"srr", 2},
    {"sx", 3},
    {"sxx", 3},
    {"srx", 4},
    {"sxr", 4},
    {"sa", 5},
    {"sar", 6},
    {"sarr", 7},
    {"sax", 8},
    {"saxx", 9},
    {"sap", 10},
    {"sapq", 10},
    {"sapr", 11},
    {"sapz", 11},
    {"sapqr", 11},
    {"sapx", 12},
    {"saprx", 13},
    {"sapxrx", 13},
    {"sapxx", 14},
    {"sapxxx", 14},
    {"saprr", 15},
    {"saprrr", 15},
    {"sapzz", 15}, /* as most kernels send them */
    {"sapry", 16},
    {"saprz", 17},
    {"sapzry", 17},
    {"sapdr", 18},
    {"sapddrr", 18},
    {"sapdx", 19},
    {"sapdxx", 19},
    /* and no row of the table */
    {"ss", 0},     /* asked twice */
    {"sarx", 0},   /* both kinds before data */
    {"sapdrx", 0}, /* and later */
    {"sapd", 0},   /* silence later is none of them */
    {"sapaaa", 0}, /* it took the answer in */
    {"sapaar", 0}, /* and reset then: not right after the data */
    {"sapf", 0},   /* goodbye */
    {"sapfr", 0},
    {"saa", 0},
    {"spr", 0}, /* data before the handshake */
};

static void test_table(void **state)
{
    bool seen[SIGNATURE_COUNT + 1] = {false};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        struct observation o = play(table[i].script);
        uint8_t signature = signature_of_arrivals(&o, 60 * S);
        if (signature != table[i].signature)
            fail_msg("%s: %u, not %u", table[i].script, signature, table[i].signature);
        seen[signature] = true;
    }
    for (unsigned i = 0; i <= SIGNATURE_COUNT; i++)
        assert_true(seen[i]);
}

/* More than three seconds, says the table. */
static void test_silence_is_long(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        struct observation o = play(table[i].script);
        bool silent = o.evidence.resets[SIDE_CLIENT] == 0;
        assert_int_equal(signature_of_arrivals(&o, 3 * S), silent ? 0 : table[i].signature);
    }
}

static void test_not_known(void **state)
{
    static const uint16_t flags[] = {OBSERVATION_MID_STREAM, OBSERVATION_CLIENT_GUESSED};
    struct observation o;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(flags); i++) {
        o = play("sapr");
        o.flags |= flags[i];
        assert_int_equal(signature_of_arrivals(&o, 60 * S), 0);
        assert_int_equal(signature_near_client(&o), 0);
    }
    o = play("sapr");
    o.evidence.present = false;
    assert_int_equal(signature_of_arrivals(&o, 60 * S), 0);
    o = play("sapr");
    o.transport = TRANSPORT_UDP;
    assert_int_equal(signature_of_arrivals(&o, 60 * S), 0);
    o = play("sapr");
    o.evidence.sides[SIDE_CLIENT].flags = 0; /* its SYN is not there */
    assert_int_equal(signature_of_arrivals(&o, 60 * S), 0);
}

/* Acknowledgement numbers that were not kept, by an older version or for want of room. */
static void test_numbers_missing(void **state)
{
    struct observation o = play("saprr");

    (void)state;
    o.evidence.suspects[1].ack_field = ACK_FIELD_UNKNOWN;
    assert_int_equal(signature_of_arrivals(&o, 60 * S), 0);
    o = play("saprr");
    o.evidence.resets[SIDE_CLIENT] = 12;
    assert_int_equal(signature_of_arrivals(&o, 60 * S), 0);
    o = play("saprz"); /* one of each is enough, whatever the others hold */
    o.evidence.resets[SIDE_CLIENT] = 12;
    assert_int_equal(signature_of_arrivals(&o, 60 * S), 17);
    o = play("sapr"); /* copies count */
    o.evidence.suspects[0].copies = 2;
    o.evidence.resets[SIDE_CLIENT] = 3;
    o.packets[SIDE_CLIENT] += 2;
    assert_int_equal(signature_of_arrivals(&o, 60 * S), 15);
}

/* Resets in the server's name do not arrive there. */
static void test_of_the_server(void **state)
{
    struct observation o = play("sap");

    (void)state;
    flow_reset(&o, SIDE_SERVER, 100 * MS, true);
    assert_int_equal(signature_near_client(&o), 0);
    assert_int_equal(signature_of_arrivals(&o, 60 * S), 10);
    o = play("saprr");
    flow_reset(&o, SIDE_SERVER, 100 * MS, false);
    o.evidence.suspects[2].ack_field = ACK_FIELD_ZERO;
    assert_int_equal(signature_near_client(&o), 15);
}

static void test_near_client(void **state)
{
    struct observation o;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        o = play(table[i].script);
        bool silent = o.evidence.resets[SIDE_CLIENT] == 0;
        assert_int_equal(signature_near_client(&o), silent ? 0 : table[i].signature);
    }
    o = play("sap");
    assert_int_equal(signature_of_silence(&o, true), 10);
    assert_int_equal(signature_of_silence(&o, false), 5);
    o = play("sapd");
    assert_int_equal(signature_of_silence(&o, true), 0);
}

/* The judge gives a server's own view where the vantage is the server's, and none to what went
 * well. */
static void test_position(void **state)
{
    struct observation o = play("sapzy"), well = flow_session();
    struct judge_context context = {.capture_end_us = o.end_us + 60 * S};
    struct verdict verdict;

    (void)state;
    flow_reset(&well, SIDE_CLIENT, 200 * MS, false);
    context.position = POSITION_SERVER;
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.signature, 17);
    o = play("s");
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.signature, 1);
    judge_flow(&well, &context, &verdict);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_int_equal(verdict.signature, 0);
    /* Near the client its resets are the client's own, whose attribution is another question. */
    context.position = POSITION_SUBSCRIBER;
    o = flow_hello(true);
    flow_reset(&o, SIDE_SERVER, 65 * MS, true);
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.signature, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_silence_is_long),
        cmocka_unit_test(test_not_known),     cmocka_unit_test(test_numbers_missing),
        cmocka_unit_test(test_of_the_server), cmocka_unit_test(test_near_client),
        cmocka_unit_test(test_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
