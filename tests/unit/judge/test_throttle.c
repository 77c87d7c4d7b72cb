// SPDX-License-Identifier: GPL-3.0-or-later
/* Paces as a policer and a shaper leave them; then each thing that must hold is made not to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "analyzer/judge/judge.h"
#include "base/status.h"
#include "tests/unit/judge/flows.h"

#define BINS      40u
#define BIN_US    200000u
#define BIN_BYTES 3750u /* 150 kbit/s */
#define BURST     3000u /* what passes at the beginning of a bin, before the rest is lost */
#define LEAST_US  24000u

static struct pace_facts pace;
static struct policed policed;

/* In each bin two segments pass at once, two are lost after 50 ms, the rest comes later. */
static int police(void **state)
{
    (void)state;
    memset(&pace, 0, sizeof(pace));
    pace.side = SIDE_SERVER;
    pace.segment = 1448;
    pace.bin_us = BIN_US;
    pace.bin_count = BINS;
    pace.rtt_least_us = LEAST_US;
    pace.rtt_samples = BINS;
    pace.bytes_before = 8000;
    for (uint32_t i = 0; i < BINS; i++) {
        pace.bins[i] = (struct pace_bin){.bytes = BIN_BYTES, .rtt_ms = 25, .lost = 2};
        pace.losses[i] = (struct pace_loss){.after_us = i * BIN_US + 50000,
                                            .bytes = i * BIN_BYTES + BURST,
                                            .rtt_ms = 25,
                                            .segments = 2,
                                            .how = PACE_LOST_BEFORE};
    }
    pace.loss_count = BINS;
    pace.lost[PACE_LOST_BEFORE] = 2 * BINS;
    return 0;
}

static enum policing policing(void)
{
    return pace_find_policing(&pace, &policed);
}

static void test_policed(void **state)
{
    (void)state;
    assert_int_equal(policing(), POLICING_YES);
    assert_in_range(policed.rate_bps, 149000, 151000);
    assert_int_equal(policed.losses, 2 * BINS);
}

static void test_few_losses(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BINS; i++)
        pace.losses[i].segments = 1;
    pace.loss_count = 15;
    assert_int_equal(policing(), POLICING_YES);
    pace.loss_count = 14;
    assert_int_equal(policing(), POLICING_FEW_LOSSES);
}

static void test_few_round_trips(void **state)
{
    (void)state;
    pace.losses[1] = pace.losses[BINS - 1];
    pace.losses[0].segments = pace.losses[1].segments = 10;
    pace.loss_count = 2;
    assert_int_equal(policing(), POLICING_FEW_LOSSES);
}

static void test_late(void **state)
{
    (void)state;
    pace.bytes_before = 2100000;
    assert_int_equal(policing(), POLICING_LATE);
}

static void test_negative_start(void **state)
{
    (void)state;
    pace.bytes_before = 0;
    for (unsigned i = 0; i < 20; i++)
        pace.bins[i].bytes = 0;
    memmove(pace.losses, pace.losses + 20, 20 * sizeof(pace.losses[0]));
    pace.loss_count = 20;
    for (unsigned i = 0; i < 20; i++)
        pace.losses[i].bytes -= 20 * BIN_BYTES;
    assert_int_equal(policing(), POLICING_NEGATIVE_START);
}

static void test_more_on_loss(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BINS; i++)
        pace.losses[i].bytes -= BURST;
    assert_int_equal(policing(), POLICING_MORE_ON_LOSS);
}

static void test_scattered(void **state)
{
    (void)state;
    for (unsigned i = 4; i < BINS - 4; i += 4)
        pace.losses[i].bytes -= 6000;
    assert_int_equal(policing(), POLICING_LOSS_SCATTERED);
}

static void test_pass_without(void **state)
{
    unsigned kept = 0;
    (void)state;
    pace.bins[20].bytes = 3 * BIN_BYTES;
    pace.bins[21].bytes = pace.bins[22].bytes = 0;
    for (unsigned i = 0; i < BINS; i++)
        if (i < 20 || i > 22)
            pace.losses[kept++] = pace.losses[i];
    pace.loss_count = (uint8_t)kept;
    assert_int_equal(policing(), POLICING_PASS_WITHOUT);
}

static void test_queue(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BINS; i++)
        pace.losses[i].rtt_ms = i % 3 == 0 ? 60 : 25;
    assert_int_equal(policing(), POLICING_QUEUE);
}

static void test_unknown_round_trips(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BINS; i++)
        pace.losses[i].rtt_ms = i % 3 == 0 ? 25 : 0;
    assert_int_equal(policing(), POLICING_QUEUE);
}

static void test_queue_from_the_beginning(void **state)
{
    (void)state;
    pace.rtt_least_us = 560000;
    for (unsigned i = 0; i < BINS; i++)
        pace.losses[i].rtt_ms = 562;
    assert_int_equal(policing(), POLICING_QUEUE);
}

static void test_short(void **state)
{
    (void)state;
    pace.bin_us /= 10;
    for (unsigned i = 0; i < BINS; i++)
        pace.losses[i].after_us /= 10;
    assert_int_equal(policing(), POLICING_SHORT);
}

static void test_lost_beyond(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BINS; i++)
        pace.losses[i].how = PACE_LOST_BEYOND;
    assert_int_equal(policing(), POLICING_YES);
}

static void count_losses(void)
{
    for (unsigned i = 0; i < BINS; i++)
        pace.losses[i].how = PACE_LOST_COUNTED;
    pace.lost[PACE_LOST_COUNTED] = 2 * BINS;
    pace.lost[PACE_LOST_BEFORE] = 3;
    pace.ids = pace.ids_small = 100;
    pace.quick = pace.quick_counted = 20;
}

static void test_counted_by_ip_id(void **state)
{
    (void)state;
    count_losses();
    assert_int_equal(policing(), POLICING_YES);
}

static void test_ids_that_others_share(void **state)
{
    (void)state;
    count_losses();
    pace.quick_counted = 15;
    assert_int_equal(policing(), POLICING_FEW_LOSSES);
}

static void test_ids_that_are_random(void **state)
{
    (void)state;
    count_losses();
    pace.ids_small = 90;
    assert_int_equal(policing(), POLICING_FEW_LOSSES);
}

static void test_counted_without_holes(void **state)
{
    (void)state;
    count_losses();
    pace.lost[PACE_LOST_BEFORE] = 2;
    assert_int_equal(policing(), POLICING_FEW_LOSSES);
}

/* ---- an even rate behind a queue ---- */

static int shape(void **state)
{
    police(state);
    memset(pace.losses, 0, sizeof(pace.losses));
    memset(pace.lost, 0, sizeof(pace.lost));
    pace.loss_count = 0;
    for (unsigned i = 0; i < BINS; i++) /* 500 kbit/s */
        pace.bins[i] = (struct pace_bin){.bytes = 12500, .rtt_ms = 300};
    return 0;
}

static void test_goodput(void **state)
{
    (void)state;
    assert_int_equal(pace_goodput_bps(&pace), 500000);
    for (unsigned i = 10; i < 20; i++)
        pace.bins[i].bytes = 0; /* a pause */
    assert_int_equal(pace_goodput_bps(&pace), 500000);
    for (unsigned i = 3; i < BINS; i++)
        pace.bins[i].bytes = 0;
    pace.bins[2].bytes = 0;
    assert_int_equal(pace_goodput_bps(&pace), 0); /* too few bytes */
}

static void test_plateau(void **state)
{
    struct plateau plateau;
    (void)state;
    assert_true(pace_find_plateau(&pace, &plateau));
    assert_int_equal(plateau.rate_bps, 500000);
    assert_true(plateau.queued);
    assert_int_equal(plateau.before_bps, 0);
    for (unsigned i = 0; i < 10; i++)
        pace.bins[i].bytes = 125000;
    assert_true(pace_find_plateau(&pace, &plateau));
    assert_int_equal(plateau.from_us, 10 * BIN_US);
    assert_int_equal(plateau.before_bps, 5000000);
}

static struct verdict judged(const struct line_pace *line, uint32_t known_rtt_us, uint16_t flags)
{
    struct observation flow = flow_session();
    struct judge_context context = {.capture_end_us = flow.end_us + 60 * S};
    struct verdict verdict;

    flow.pace = pace;
    flow.stage = STAGE_TLS;
    flow.reasons |= REASON_SNI;
    flow.flags |= flags;
    if (line)
        context.line = *line;
    context.server = (struct reference){.samples = known_rtt_us > 0, .rtt_least_us = known_rtt_us};
    judge_flow(&flow, &context, &verdict);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    return verdict;
}

static const struct line_pace quick_beside = {
    .flows = 1, .best_bps = 9000000, .beside_bps = 9000000, .carried_bps = 9000000};

static void assert_named(const struct line_pace *line)
{
    struct verdict verdict = judged(line, 0, 0);
    assert_string_equal(verdict.mechanism, "tls.throttle.sni");
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    assert_true(verdict.score > 0 && verdict.score < 0.9);
}

static void assert_cites(const struct line_pace *line, const char *rule)
{
    struct verdict verdict = judged(line, 0, 0);
    for (unsigned i = 0; i < verdict.evidence_count; i++)
        if (strcmp(verdict.evidence[i].rule, rule) == 0)
            return;
    fail_msg("%s is not cited", rule);
}

static void assert_not_named(const struct line_pace *line)
{
    assert_null(judged(line, 0, 0).mechanism);
}

static void test_shaped_beside_a_quick_one(void **state)
{
    (void)state;
    assert_named(&quick_beside);
    assert_cites(&quick_beside, "shaped");
    assert_cites(&quick_beside, "line-was-quicker");
}

static void test_shaped_after_a_quick_one(void **state)
{
    struct line_pace line = {.flows = 1, .best_bps = 9000000};
    (void)state;
    assert_named(&line);
}

static void test_shaped_while_others_carry(void **state)
{
    struct line_pace line = {.flows = 1, .best_bps = 9000000, .carried_bps = 800000};
    (void)state;
    assert_not_named(&line); /* they may have filled the line */
}

static void test_shaped_alone(void **state)
{
    struct line_pace line = {.flows = 1, .best_bps = 1900000};
    (void)state;
    assert_not_named(NULL);
    assert_not_named(&line); /* not several times quicker */
}

static void test_shaped_as_the_line(void **state)
{
    struct line_pace line = quick_beside;
    (void)state;
    line.same_bps = 510000;
    assert_not_named(&line);
}

static void test_without_queue(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BINS; i++)
        pace.bins[i].rtt_ms = 60;
    assert_not_named(&quick_beside); /* a server that gives no more */
}

static void test_uneven(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BINS; i++)
        pace.bins[i].bytes = i % 8 < 4 ? 18000 : 7000;
    assert_not_named(&quick_beside);
}

static void test_brief(void **state)
{
    (void)state;
    pace.bin_count = 12;
    assert_not_named(&quick_beside);
}

static void test_slowed_within_the_flow(void **state)
{
    struct line_pace busy = {.carried_bps = 600000};
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        pace.bins[i].bytes = 125000;
    assert_named(NULL);
    assert_cites(NULL, "was-quicker");
    assert_not_named(&busy);
    for (unsigned i = 0; i < 5; i++)
        pace.bins[i].bytes = 80000; /* not so many times quicker */
    assert_not_named(NULL);
}

/* ---- the verdict on a policed flow ---- */

static void test_policed_verdict(void **state)
{
    struct verdict verdict = judged(NULL, 0, 0);
    (void)state;
    assert_named(NULL);
    assert_string_equal(verdict.evidence[0].rule, "policed");
    assert_non_null(strstr(verdict.evidence[0].detail, "150 kbit/s"));
}

static void test_policed_stream(void **state)
{
    struct observation flow = flow_session();
    struct judge_context context = {.capture_end_us = flow.end_us + 60 * S};
    struct verdict verdict;
    (void)state;
    flow.pace = pace;
    flow.stage = STAGE_STREAM;
    flow.reasons = 0;
    judge_flow(&flow, &context, &verdict);
    assert_string_equal(verdict.mechanism, "stream.throttle");
}

static void test_policed_as_the_line(void **state)
{
    struct line_pace same = {.flows = 1, .best_bps = 900000, .same_bps = 140000};
    struct line_pace slow = {.flows = 1, .best_bps = 200000};
    (void)state;
    assert_not_named(&same);
    assert_not_named(&slow); /* nobody was quicker */
}

static void test_policed_in_a_queue_unseen(void **state)
{
    struct line_pace line = {.flows = 1, .best_bps = 900000, .queued_beside = true};
    (void)state;
    assert_not_named(&line);
    pace.rtt_least_us = 140000;
    for (unsigned i = 0; i < BINS; i++)
        pace.losses[i].rtt_ms = 141;
    assert_null(judged(NULL, 24000, 0).mechanism); /* the server is nearer than that */
    assert_non_null(judged(NULL, 139000, 0).mechanism);
}

static void test_policed_mid_stream(void **state)
{
    (void)state;
    assert_null(judged(NULL, 0, OBSERVATION_MID_STREAM).mechanism);
}

/* ---- what the line carried ---- */

static void learn(struct line_paces *paces, int64_t start_us, int64_t length_us, uint8_t server,
                  uint64_t client, struct observation *flow)
{
    *flow = flow_session();
    flow->pace = pace;
    flow->client.pseudonym = client;
    flow->server.address.bytes[15] = server;
    flow->start_us = START + start_us;
    flow->end_us = START + start_us + length_us;
    flow->bytes[SIDE_SERVER] = 500000;
    assert_int_equal(line_paces_learn(paces, 1, false, flow), DL_OK);
}

static void test_line(void **state)
{
    struct line_paces *paces;
    struct observation quick, same, own;
    (void)state;
    assert_int_equal(line_paces_create(&paces), DL_OK);
    pace.bin_us /= 10; /* 5 Mbit/s, 0.8 s */
    for (unsigned i = 0; i < BINS; i++)
        pace.bins[i].rtt_ms = 25;
    learn(paces, 0, 800000, 2, 1, &quick);
    shape(NULL);
    learn(paces, 100000, 8 * S, 1, 1, &own);
    learn(paces, 120 * S, 8 * S, 3, 1, &same);
    learn(paces, 121 * S, 8 * S, 3, 9, &same); /* another subscriber's */

    struct line_pace line = line_paces_find(paces, 1, false, &own);
    assert_int_equal(line.flows, 1);
    assert_int_equal(line.best_bps, 5000000);
    assert_int_equal(line.beside_bps, 5000000);
    assert_int_equal(line.same_bps, 0); /* two minutes later */
    assert_in_range(line.carried_bps, 400000, 500000);
    own.start_us += 119 * S;
    own.end_us += 119 * S;
    line = line_paces_find(paces, 1, false, &own);
    assert_int_equal(line.same_bps, 500000);
    assert_int_equal(line.beside_bps, 0);
    assert_true(line.queued_beside);
    assert_int_equal(line_paces_find(paces, 2, false, &own).flows, 0);
    line_paces_destroy(paces);
}

#define POLICED(name) cmocka_unit_test_setup(name, police)
#define SHAPED(name)  cmocka_unit_test_setup(name, shape)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICED(test_policed),
        POLICED(test_few_losses),
        POLICED(test_few_round_trips),
        POLICED(test_late),
        POLICED(test_negative_start),
        POLICED(test_more_on_loss),
        POLICED(test_scattered),
        POLICED(test_pass_without),
        POLICED(test_queue),
        POLICED(test_unknown_round_trips),
        POLICED(test_queue_from_the_beginning),
        POLICED(test_short),
        POLICED(test_lost_beyond),
        POLICED(test_counted_by_ip_id),
        POLICED(test_ids_that_others_share),
        POLICED(test_ids_that_are_random),
        POLICED(test_counted_without_holes),
        SHAPED(test_goodput),
        SHAPED(test_plateau),
        SHAPED(test_shaped_beside_a_quick_one),
        SHAPED(test_shaped_after_a_quick_one),
        SHAPED(test_shaped_while_others_carry),
        SHAPED(test_shaped_alone),
        SHAPED(test_shaped_as_the_line),
        SHAPED(test_without_queue),
        SHAPED(test_uneven),
        SHAPED(test_brief),
        SHAPED(test_slowed_within_the_flow),
        POLICED(test_policed_verdict),
        POLICED(test_policed_stream),
        POLICED(test_policed_as_the_line),
        POLICED(test_policed_in_a_queue_unseen),
        POLICED(test_policed_mid_stream),
        SHAPED(test_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
