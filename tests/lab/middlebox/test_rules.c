// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/words.h"
#include "tests/lab/middlebox/rules.h"

static struct rules rules;

static int parse(const char *text, struct dl_error *error)
{
    char copy[1024];
    snprintf(copy, sizeof(copy), "%s", text);
    return rules_parse(copy, &rules, error);
}

static void test_conditions_and_parameters(void **state)
{
    (void)state;
    assert_int_equal(
        parse(
            "# a comment\n\n"
            "one when server=10.78.1.0/24 port=443 sni=BBSecure.com p=0.25 do reset flags=rst+ack "
            "count=3 "
            "to=both pass=yes ack=rising residual=90 delay-ms=2.5 ttl=copy ip-id=mirror+1 df=yes "
            "window=ttl+1375 timestamps=yes # the rest is a comment\n"
            "two when dns=signal.org qtype=AAAA do dns-answer addresses=10.0.0.1,::1 injectors=2\n",
            NULL),
        DL_OK);
    assert_int_equal(rules.count, 2);
    const struct rule *one = &rules.list[0], *two = &rules.list[1];
    assert_string_equal(one->id, "one");
    assert_int_equal(one->moments, MOMENT_REQUEST);
    assert_int_equal(one->port, 443);
    assert_int_equal(one->name_kind, NAME_SNI);
    assert_string_equal(one->name, "bbsecure.com");
    assert_true(one->probability > 0.24 && one->probability < 0.26);
    assert_int_equal(one->action, ACTION_RESET);
    assert_int_equal(one->flags, RESET_RST_ACK);
    assert_int_equal(one->count, 3);
    assert_int_equal(one->ways, WAY_BOTH);
    assert_true(one->pass);
    assert_int_equal(one->ack_numbers, ACK_RISING);
    assert_int_equal(one->residual_us, 90000000);
    assert_int_equal(one->print.delay_us, 2500);
    assert_int_equal(one->print.ttl.mode, FIELD_COPY);
    assert_int_equal(one->print.ip_id.mode, FIELD_MIRROR);
    assert_int_equal(one->print.ip_id.value, 1);
    assert_int_equal(one->print.df.mode, FIELD_FIXED);
    assert_int_equal(one->print.df.value, 1);
    assert_int_equal(one->print.window.mode, FIELD_TTL_1375);
    assert_true(one->print.timestamps);
    assert_int_equal(two->moments, MOMENT_QUESTION);
    assert_int_equal(two->address_count, 2);
    assert_int_equal(two->injectors, 2);
}

static void test_implied_moments(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned moments;
        uint32_t ways;
    } samples[] = {
        {"a when port=443 do drop", MOMENT_SYN, WAY_BOTH},
        {"a when transport=udp port=443 do drop direction=up", MOMENT_DATAGRAM, WAY_UP},
        {"a when host=x.org do page", MOMENT_REQUEST, WAY_DOWN},
        {"a when payload=any do reset to=server", MOMENT_REQUEST, WAY_UP},
        {"a when sni=x.org down=16384 do drop", MOMENT_LATER, WAY_BOTH},
        {"a when sni=x.org at=later do drop", MOMENT_LATER, WAY_BOTH},
        {"a when do normalise", MOMENT_SYN | MOMENT_SYNACK, WAY_BOTH},
        {"a when do dns-rcode rcode=refused", MOMENT_QUESTION, WAY_BOTH},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
        assert_int_equal(parse(samples[i].text, NULL), DL_OK);
        assert_int_equal(rules.list[0].moments, samples[i].moments);
        assert_int_equal(rules.list[0].ways, samples[i].ways);
    }
}

static void test_errors_name_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } samples[] = {
        {"a port=1 do drop", "1: a rule begins with 'ID when'"},
        {"alone", "1: a rule begins with 'ID when'"},
        {"# one\n\na when port=70000 do drop", "3: '70000' cannot be port"},
        {"a when port=1 do drop\nb when port=-1 do drop", "2: '-1' cannot be port"},
        {"a when colour=red do drop", "1: no such key here: 'colour'"},
        {"a when port do drop", "1: 'port' is not KEY=VALUE"},
        {"a when port=1", "1: 'do ACTION' is missing"},
        {"a when port=1 do", "1: 'do ACTION' is missing"},
        {"a when port=1 do nothing", "1: no such action: 'nothing'"},
        {"a when port=1 do drop port=2", "1: no such key here: 'port'"},
        {"a when port=1 do reset ttl=256", "1: '256' cannot be ttl"},
        {"a when port=1 do reset df=maybe", "1: 'maybe' cannot be df"},
        {"a when port=1 do reset df=copy+1", "1: 'copy+1' cannot be df"},
        {"a when port=1 do reset ttl=copy+256", "1: 'copy+256' cannot be ttl"},
        {"a when port=1 do reset ttl=copy-", "1: 'copy-' cannot be ttl"},
        {"a when port=1 do reset ip-id=copying+1", "1: 'copying+1' cannot be ip-id"},
        {"a when port=1 do reset body=513", "1: '513' cannot be body"},
        {"a when server=10.0.0.300 do drop", "1: '10.0.0.300' cannot be server"},
        {"a when sni=ex*am/ple do drop", "1: 'ex*am/ple' cannot be sni"},
        {"a when p=1.5 do drop", "1: '1.5' cannot be p"},
        {"a when port=1 do police rate=100", "1: police needs rate= and burst="},
        {"a when port=1 do shape rate=100", "1: shape needs rate= and queue="},
        {"a when port=1 do icmp code=13", "1: icmp needs from="},
        {"a when dns=x.org do dns-answer", "1: dns-answer needs addresses="},
        {"a when dns=x.org do dns-answer addresses=", "1: '' cannot be addresses"},
        {"a when dns=x.org do dns-rcode", "1: dns-rcode needs rcode="},
        {"a-name-that-is-longer-than-any-rule-may-have when port=1 do drop",
         "1: a rule begins with 'ID when'"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
        struct dl_error error = {0};
        assert_int_equal(parse(samples[i].text, &error), DL_MALFORMED);
        assert_string_equal(error.message, samples[i].message);
    }
}

static void test_too_many_rules(void **state)
{
    (void)state;
    char text[2048] = "";
    for (unsigned i = 0; i <= RULES_MAX; i++)
        strcat(text, "a when port=1 do drop\n");
    struct dl_error error = {0};
    assert_int_equal(rules_parse(text, &rules, &error), DL_LIMIT);
    assert_string_equal(error.message, "33: more than 32 rules");
}

static void test_missing_file(void **state)
{
    (void)state;
    struct dl_error error = {0};
    assert_true(rules_load("no such file", &rules, &error) < 0);
    assert_non_null(strstr(error.message, "no such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions_and_parameters),
        cmocka_unit_test(test_implied_moments),
        cmocka_unit_test(test_errors_name_their_line),
        cmocka_unit_test(test_too_many_rules),
        cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
