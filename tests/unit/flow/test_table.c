// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/pages.h"
#include "base/status.h"
#include "probe/flow/table.h"

#define SECOND CLOCK_SECOND_US

struct key {
    struct address source, destination;
    uint16_t source_port, destination_port;
    uint8_t transport;
    uint32_t sub;
};

struct endings {
    uint64_t count, by_reason[CLOSE_END_OF_CAPTURE + 1];
    uint16_t last_port; /* the low or high port that is not 443 */
    uint16_t ports[64]; /* of the first ones, in order */
};

static uint16_t other_port(const struct flow *flow)
{
    return flow->low_port == 443 ? flow->high_port : flow->low_port;
}

static void on_ended(void *context, struct flow *flow, enum close_reason reason)
{
    struct endings *endings = context;

    endings->last_port = other_port(flow);
    if (endings->count < 64) {
        endings->ports[endings->count] = endings->last_port;
    }
    endings->by_reason[reason]++;
    endings->count++;
}

static struct flow_table *make_table(struct endings *endings, uint32_t maximum)
{
    struct flow_table_options options = {.maximum = maximum, .ended = on_ended, .context = endings};
    struct flow_table *table = NULL;

    assert_int_equal(flow_table_create(&table, &options), DL_OK);
    return table;
}

/* Key number n: the port tells it, from 1000 on; the server is always 443. */
static struct key make_key(uint32_t n)
{
    struct key key = {.transport = TRANSPORT_TCP,
                      .source_port = (uint16_t)(1000 + n % 50000),
                      .destination_port = 443,
                      .source = address_from_v4((uint8_t[]){10, 0, 0, (uint8_t)(n / 50000)}),
                      .destination = address_from_v4((uint8_t[]){203, 0, 113, 7})};
    return key;
}

static struct key turn(const struct key *key)
{
    struct key turned = *key;

    turned.source = key->destination;
    turned.destination = key->source;
    turned.source_port = key->destination_port;
    turned.destination_port = key->source_port;
    return turned;
}

static struct flow_lookup lookup_of(const struct flow_table *table, const struct key *k)
{
    return flow_table_key(table, &k->source, k->source_port, &k->destination, k->destination_port,
                          k->transport, k->sub);
}

static struct flow *find(struct flow_table *table, const struct key *k)
{
    struct flow_lookup lookup = lookup_of(table, k);

    return flow_table_find(table, &lookup, &k->source, k->source_port, &k->destination,
                           k->destination_port, k->transport);
}

static struct flow *add(struct flow_table *table, const struct key *k, enum flow_class flow_class,
                        int64_t time_us)
{
    struct flow_lookup lookup = lookup_of(table, k);

    return flow_table_add(table, &lookup, &k->source, k->source_port, &k->destination,
                          k->destination_port, k->transport, flow_class, time_us);
}

/* ---- one flow ---- */

static void test_both_directions(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 10);
    struct key key = make_key(7), back = turn(&key), same = key;
    struct flow *flow;

    (void)state;
    assert_null(find(table, &key));
    flow = add(table, &key, FLOW_CLASS_OPENING, 5);
    assert_non_null(flow);
    assert_ptr_equal(find(table, &key), flow);
    assert_ptr_equal(find(table, &back), flow);
    assert_true(lookup_of(table, &key).hash == lookup_of(table, &back).hash);
    assert_true(lookup_of(table, &key).from_high != lookup_of(table, &back).from_high);
    assert_true(flow->start_us == 5 && flow->last_us == 5);
    assert_true(flow->evidence == POOL_NONE && flow->packets[0] == 0 && flow->flags == 0);
    assert_int_equal(flow_table_count(table), 1);
    /* Both ends on one address: the port tells them apart. */
    same.destination = same.source;
    back = turn(&same);
    flow = add(table, &same, FLOW_CLASS_OPENING, 5);
    assert_ptr_equal(find(table, &back), flow);
    flow_table_end(table, flow, CLOSE_FIN);
    assert_null(find(table, &same));
    assert_null(find(table, &back));
    assert_int_equal(endings.by_reason[CLOSE_FIN], 1);
    flow_table_destroy(table);
    flow_table_destroy(NULL);
}

static void test_what_makes_a_key(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 10);
    struct key key = make_key(7), other = key;

    (void)state;
    add(table, &key, FLOW_CLASS_DATAGRAM, 0);
    other.transport = TRANSPORT_UDP;
    assert_null(find(table, &other));
    other = key;
    other.sub = 1;
    assert_null(find(table, &other));
    other = key;
    other.source_port++;
    assert_null(find(table, &other));
    other = key;
    other.source.bytes[15]++;
    assert_null(find(table, &other));
    other = key;
    other.destination.bytes[0] = 0x20;
    assert_null(find(table, &other));
    /* Ports crossed over are another flow. */
    other = key;
    other.source_port = key.destination_port;
    other.destination_port = key.source_port;
    assert_null(find(table, &other));
    flow_table_destroy(table);
}

static void test_keyed(void **state)
{
    struct endings endings = {0};
    struct flow_table *a = make_table(&endings, 10), *b = make_table(&endings, 10);
    unsigned same = 0;

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        struct key key = make_key(i);
        same += lookup_of(a, &key).hash == lookup_of(b, &key).hash;
        uint32_t question = flow_table_hash_question(a, (uint16_t)i, 1, "example.org");
        assert_true(question != 0);
        assert_int_equal(question, flow_table_hash_question(a, (uint16_t)i, 1, "example.org"));
        same += question == flow_table_hash_question(b, (uint16_t)i, 1, "example.org");
        same += question == flow_table_hash_question(a, (uint16_t)i, 28, "example.org");
        same += question == flow_table_hash_question(a, (uint16_t)i, 1, "example.com");
        same += question == flow_table_hash_question(a, (uint16_t)(i + 1), 1, "example.org");
    }
    assert_true(same <= 1);
    flow_table_destroy(a);
    flow_table_destroy(b);
}

/* ---- many flows ---- */

#define MODEL_KEYS 60000u

/* Adds, finds and ends at random, beside an array that knows what must be there. */
static void test_random_against_model(void **state)
{
    static struct flow *model[MODEL_KEYS];
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, MODEL_KEYS);
    uint32_t count = 0, peak = 0;
    uint64_t ended = 0;
    unsigned seed = 4711;

    (void)state;
    memset(model, 0, sizeof(model));
    for (unsigned i = 0; i < 1000000; i++) {
        uint32_t n = (uint32_t)rand_r(&seed) % MODEL_KEYS;
        struct key key = make_key(n);
        if (rand_r(&seed) % 2) {
            key = turn(&key);
        }
        struct flow *flow = find(table, &key);
        if (flow != model[n]) {
            fail_msg("step %u: key %u", i, n);
        }
        /* Waves of growing and shrinking. */
        bool growing = i / 100000 % 2 == 0 ? rand_r(&seed) % 4 : rand_r(&seed) % 4 == 0;
        if (!flow && growing) {
            model[n] = add(table, &key, (enum flow_class)(n % FLOW_CLASS_COUNT), i);
            count++;
        } else if (flow && !growing) {
            flow_table_end(table, flow, CLOSE_FIN);
            assert_int_equal(endings.last_port, 1000 + n % 50000);
            model[n] = NULL;
            count--;
            ended++;
        } else if (flow) {
            flow_table_touch(table, flow, i);
        }
        peak = count > peak ? count : peak;
    }
    assert_int_equal(flow_table_count(table), count);
    assert_int_equal(flow_table_peak(table), peak);
    assert_true(endings.count == ended && flow_table_evicted(table) == 0);
    for (uint32_t n = 0; n < MODEL_KEYS; n++) {
        struct key key = make_key(n);
        assert_ptr_equal(find(table, &key), model[n]);
    }
    flow_table_end_all(table, CLOSE_END_OF_CAPTURE);
    assert_int_equal(flow_table_count(table), 0);
    assert_true(endings.by_reason[CLOSE_END_OF_CAPTURE] == count);
    flow_table_destroy(table);
}

static void test_bounded(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 100);

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        struct key key = make_key(i);
        /* The classes have lists of their own; the oldest of both goes. */
        assert_non_null(
            add(table, &key, i % 2 ? FLOW_CLASS_ESTABLISHED : FLOW_CLASS_DIALOGUE, i * SECOND));
        assert_true(flow_table_count(table) <= 100);
        if (i >= 100) {
            assert_int_equal(endings.last_port, 1000 + i - 100);
        }
    }
    assert_int_equal(flow_table_evicted(table), 900);
    assert_int_equal(endings.by_reason[CLOSE_EVICTED], 900);
    assert_int_equal(flow_table_peak(table), 100);
    for (uint32_t i = 0; i < 1000; i++) {
        struct key key = make_key(i);
        assert_true((find(table, &key) != NULL) == (i >= 900));
    }
    flow_table_destroy(table);
}

/* Whatever anybody can fill without an answer pushes out its own kind, once it has its part. */
static void test_floods_push_out_themselves(void **state)
{
    static const enum flow_class floods[] = {FLOW_CLASS_OPENING, FLOW_CLASS_CLOSED,
                                             FLOW_CLASS_DATAGRAM, FLOW_CLASS_QUESTION,
                                             FLOW_CLASS_SOUGHT};
    (void)state;
    for (size_t f = 0; f < sizeof(floods) / sizeof(floods[0]); f++) {
        struct endings endings = {0};
        struct flow_table *table = make_table(&endings, 1000);
        for (uint32_t i = 0; i < 10000; i++) {
            /* Of the first hundred the even ones talk. */
            bool talks = i < 100 && i % 2 == 0;
            struct key key = make_key(i);
            add(table, &key, talks ? FLOW_CLASS_ESTABLISHED : floods[f], i * SECOND);
        }
        for (uint32_t i = 0; i < 10000; i++) {
            struct key key = make_key(i);
            bool stays = (i < 100 && i % 2 == 0) || i >= 10000 - 950;
            assert_int_equal(find(table, &key) != NULL, stays);
        }
        assert_int_equal(flow_table_evicted(table), 9000);
        flow_table_destroy(table);
    }
}

static void test_evict_of_a_class(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 10);
    struct key keys[3] = {make_key(0), make_key(1), make_key(2)};
    (void)state;
    assert_false(flow_table_evict(table, FLOW_CLASS_QUESTION));
    add(table, &keys[0], FLOW_CLASS_ESTABLISHED, 0);
    add(table, &keys[1], FLOW_CLASS_QUESTION, SECOND);
    add(table, &keys[2], FLOW_CLASS_QUESTION, 2 * SECOND);
    assert_true(flow_table_evict(table, FLOW_CLASS_QUESTION));
    assert_int_equal(endings.last_port, 1001);
    assert_int_equal(endings.by_reason[CLOSE_EVICTED], 1);
    assert_int_equal(flow_table_evicted(table), 1);
    assert_non_null(find(table, &keys[0]));
    assert_non_null(find(table, &keys[2]));
    flow_table_destroy(table);
}

/* A table full of talkers: those who are about to be answered have their part all the same. */
static void test_talkers_leave_room(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 800);
    (void)state;
    for (uint32_t i = 0; i < 800; i++) {
        struct key key = make_key(i);
        add(table, &key, FLOW_CLASS_ESTABLISHED, i * SECOND);
    }
    for (uint32_t i = 800; i < 1000; i++) {
        struct key key = make_key(i);
        add(table, &key, FLOW_CLASS_OPENING, i * SECOND);
    }
    for (uint32_t i = 0; i < 1000; i++) { /* 101 talkers gave way, and then the half-open */
        struct key key = make_key(i);
        bool stays = i < 800 ? i >= 101 : i >= 1000 - 101;
        assert_int_equal(find(table, &key) != NULL, stays);
    }
    flow_table_destroy(table);
}

/* Memory comes as it is needed, and the index grows with the flows. */
static void test_memory(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 1000000);
    size_t before = flow_table_memory(table);

    (void)state;
    assert_true(before < 100000);
    for (uint32_t i = 0; i < 20000; i++) {
        struct key key = make_key(i);
        add(table, &key, FLOW_CLASS_DATAGRAM, i);
    }
    assert_true(flow_table_memory(table) > 20000 * sizeof(struct flow));
    assert_true(flow_table_memory(table) <
                20000 * (sizeof(struct flow) + 50) + before + PAGES_LARGE);
    flow_table_destroy(table);
}

/* ---- time ---- */

static void test_default_timeouts(void **state)
{
    static const struct {
        enum flow_class flow_class;
        int64_t seconds;
    } classes[] = {{FLOW_CLASS_OPENING, 70},  {FLOW_CLASS_ESTABLISHED, 3600},
                   {FLOW_CLASS_CLOSED, 10},   {FLOW_CLASS_DATAGRAM, 120},
                   {FLOW_CLASS_QUESTION, 10}, {FLOW_CLASS_DIALOGUE, 120},
                   {FLOW_CLASS_SOUGHT, 70}};
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 10);
    const int64_t start = INT64_C(1448900000) * SECOND;

    (void)state;
    for (int i = 0; i < FLOW_CLASS_COUNT; i++) {
        struct key key = make_key((uint32_t)i);
        add(table, &key, classes[i].flow_class, start);
        assert_int_equal(
            flow_table_expire(table, start + classes[i].seconds * SECOND - 1, SIZE_MAX), 0);
        assert_int_equal(flow_table_expire(table, start + classes[i].seconds * SECOND, SIZE_MAX),
                         1);
        assert_int_equal(endings.last_port, 1000 + i);
    }
    assert_int_equal(endings.by_reason[CLOSE_IDLE], FLOW_CLASS_COUNT);
    flow_table_destroy(table);
}

static void test_given_timeout_and_limit(void **state)
{
    struct endings endings = {0};
    struct flow_table_options options = {.maximum = 100,
                                         .timeout_us = {[FLOW_CLASS_DATAGRAM] = 3 * SECOND},
                                         .ended = on_ended,
                                         .context = &endings};
    struct flow_table *table = NULL;

    (void)state;
    assert_int_equal(flow_table_create(&table, &options), DL_OK);
    for (uint32_t i = 0; i < 50; i++) {
        struct key key = make_key(i);
        add(table, &key, FLOW_CLASS_DATAGRAM, 0);
    }
    assert_int_equal(flow_table_expire(table, 3 * SECOND - 1, SIZE_MAX), 0);
    assert_int_equal(flow_table_expire(table, 3 * SECOND, 20), 20);
    assert_int_equal(flow_table_count(table), 30);
    assert_int_equal(flow_table_expire(table, 3 * SECOND, 0), 0);
    assert_int_equal(flow_table_expire(table, 3 * SECOND, SIZE_MAX), 30);
    flow_table_destroy(table);
}

/* A flow that is never silent for a second must not shelter the silent ones behind it. */
static void test_busy_flow_does_not_block(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 10);
    struct key busy_key = make_key(0), idle_key = make_key(1);
    struct flow *busy = add(table, &busy_key, FLOW_CLASS_DATAGRAM, 0);

    (void)state;
    add(table, &idle_key, FLOW_CLASS_DATAGRAM, 1);
    for (int64_t now = 0; now < 200 * SECOND; now += SECOND / 50) {
        flow_table_touch(table, busy, now);
        flow_table_expire(table, now, SIZE_MAX);
    }
    assert_int_equal(endings.count, 1);
    assert_int_equal(endings.last_port, 1001);
    assert_ptr_equal(find(table, &busy_key), busy);
    flow_table_destroy(table);
}

static void test_touch_and_eviction(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 3);
    struct key keys[4];

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        keys[i] = make_key(i);
        if (i < 3) {
            add(table, &keys[i], FLOW_CLASS_ESTABLISHED, i * SECOND);
        }
    }
    flow_table_touch(table, find(table, &keys[0]), 10 * SECOND);
    /* Time does not go back. */
    flow_table_touch(table, find(table, &keys[0]), 1);
    assert_true(find(table, &keys[0])->last_us == 10 * SECOND);
    add(table, &keys[3], FLOW_CLASS_OPENING, 11 * SECOND);
    assert_int_equal(endings.last_port, 1001);
    assert_non_null(find(table, &keys[0]));
    flow_table_destroy(table);
}

static void test_change_of_class(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 10);
    struct key keys[3];
    struct flow *flow;

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        keys[i] = make_key(i);
        add(table, &keys[i], FLOW_CLASS_OPENING, 0);
    }
    flow = find(table, &keys[1]);
    flow_table_set_class(table, flow, FLOW_CLASS_ESTABLISHED);
    flow_table_set_class(table, flow, FLOW_CLASS_ESTABLISHED);
    assert_int_equal(flow_table_expire(table, 70 * SECOND, SIZE_MAX), 2);
    assert_ptr_equal(find(table, &keys[1]), flow);
    flow_table_set_class(table, flow, FLOW_CLASS_CLOSED);
    assert_int_equal(flow_table_expire(table, 70 * SECOND, SIZE_MAX), 1);
    assert_int_equal(flow_table_count(table), 0);
    flow_table_destroy(table);
}

static void test_end_all_in_order(void **state)
{
    struct endings endings = {0};
    struct flow_table *table = make_table(&endings, 10);

    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        struct key key = make_key(i);
        add(table, &key, i % 2 ? FLOW_CLASS_DATAGRAM : FLOW_CLASS_OPENING, i * SECOND);
    }
    flow_table_end_all(table, CLOSE_END_OF_CAPTURE);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(endings.ports[i], 1000 + (i < 5 ? 2 * i : 2 * (i - 5) + 1));
    }
    flow_table_destroy(table);
}

/* ---- random times: nobody leaves early, nobody stays long, the victim is of the oldest ---- */

struct timed {
    int64_t last_us[64], now_us, oldest_us;
    uint8_t flow_class[64];
    bool there[64], evicting;
};

static const int64_t timed_timeouts[FLOW_CLASS_COUNT] = {
    5 * SECOND, 20 * SECOND, 2 * SECOND, 8 * SECOND, 3 * SECOND, 6 * SECOND, 4 * SECOND};
/* One in so many of the 40 flows before a class must give way; 0 never. */
static const unsigned timed_parts[FLOW_CLASS_COUNT] = {8, 0, 16, 8, 8, 0, 8};

static void on_timed_ended(void *context, struct flow *flow, enum close_reason reason)
{
    struct timed *model = context;
    unsigned n = other_port(flow) - 1000u;

    assert_true(model->there[n]);
    model->there[n] = false;
    if (reason == CLOSE_EVICTED) {
        assert_true(model->last_us[n] - model->oldest_us <= SECOND);
    } else {
        assert_true(model->now_us - model->last_us[n] >= timed_timeouts[model->flow_class[n]]);
    }
}

/* Of the classes that hold more than their part, if there are such, else of all. */
static int64_t oldest_of(const struct timed *model)
{
    int64_t oldest = INT64_MAX, oldest_greedy = INT64_MAX;
    unsigned counts[FLOW_CLASS_COUNT] = {0};

    for (unsigned n = 0; n < 64; n++) {
        counts[model->flow_class[n]] += model->there[n];
    }
    for (unsigned n = 0; n < 64; n++) {
        unsigned part = timed_parts[model->flow_class[n]];
        if (!model->there[n]) {
            continue;
        }
        oldest = MIN_OF(oldest, model->last_us[n]);
        if (part && counts[model->flow_class[n]] > 40 / part) {
            oldest_greedy = MIN_OF(oldest_greedy, model->last_us[n]);
        }
    }
    return oldest_greedy < INT64_MAX ? oldest_greedy : oldest;
}

static void test_random_times(void **state)
{
    struct timed model = {0};
    struct flow_table_options options = {.maximum = 40, .ended = on_timed_ended, .context = &model};
    struct flow_table *table = NULL;
    unsigned seed = 99;

    (void)state;
    memcpy(options.timeout_us, timed_timeouts, sizeof(timed_timeouts));
    assert_int_equal(flow_table_create(&table, &options), DL_OK);
    for (unsigned i = 0; i < 200000; i++) {
        uint32_t n = (uint32_t)rand_r(&seed) % 64;
        struct key key = make_key(n);
        struct flow *flow = find(table, &key);
        enum flow_class flow_class = (enum flow_class)(rand_r(&seed) % FLOW_CLASS_COUNT);
        model.now_us += rand_r(&seed) % (SECOND / 5);
        assert_true((flow != NULL) == model.there[n]);
        model.oldest_us = oldest_of(&model);
        model.last_us[n] = model.now_us;
        if (!flow) {
            flow = add(table, &key, flow_class, model.now_us);
            model.flow_class[n] = (uint8_t)flow_class;
            model.there[n] = true;
        } else if (rand_r(&seed) % 8 == 0) {
            flow_table_set_class(table, flow, flow_class);
            model.flow_class[n] = (uint8_t)flow_class;
        }
        flow_table_touch(table, flow, model.now_us);
        flow_table_expire(table, model.now_us, SIZE_MAX);
        for (n = 0; n < 64; n++) {
            assert_true(!model.there[n] || model.now_us - model.last_us[n] <
                                               timed_timeouts[model.flow_class[n]] + SECOND);
        }
    }
    flow_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_directions),
        cmocka_unit_test(test_what_makes_a_key),
        cmocka_unit_test(test_keyed),
        cmocka_unit_test(test_random_against_model),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_floods_push_out_themselves),
        cmocka_unit_test(test_talkers_leave_room),
        cmocka_unit_test(test_evict_of_a_class),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_default_timeouts),
        cmocka_unit_test(test_given_timeout_and_limit),
        cmocka_unit_test(test_busy_flow_does_not_block),
        cmocka_unit_test(test_touch_and_eviction),
        cmocka_unit_test(test_change_of_class),
        cmocka_unit_test(test_end_all_in_order),
        cmocka_unit_test(test_random_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
