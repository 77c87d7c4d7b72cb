// SPDX-License-Identifier: GPL-3.0-or-later
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define WIRE "wire:\n  - {id: w, transport: tcp, role: relay, certainty: likely, source: s, "

static struct catalog_wire_sample sample_of(const char *client, const char *server)
{
    struct catalog_wire_sample sample = {.transport = TRANSPORT_TCP, .server_port = 5222};
    const char *texts[2] = {client, server};

    for (int side = 0; side < 2; side++) {
        if (texts[side]) {
            sample.first[side] = (const uint8_t *)texts[side];
            sample.first_captured[side] = strlen(texts[side]);
            sample.lengths[side][0] = (uint16_t)strlen(texts[side]);
            sample.length_count[side] = 1;
        }
    }
    sample.client_first = client != NULL;
    return sample;
}

/* "service/certainty" of what fits, else "more" or "-". */
static const char *fits(struct fixture *f, const struct catalog_wire_sample *sample)
{
    static char text[128];
    struct catalog_wire_match match;

    if (!catalog_match_wire(f->catalog, sample, &match)) {
        return catalog_wire_wants_more(f->catalog, sample) ? "more" : "-";
    }
    snprintf(text, sizeof(text), "%s/%s%s", catalog_service_at(f->catalog, match.match.service)->id,
             word_text(WORD_CERTAINTY, match.certainty),
             catalog_wire_wants_more(f->catalog, sample) ? " more" : "");
    return text;
}

static void test_bytes(void **state)
{
    struct fixture *f = *state;
    struct catalog_wire_sample sample;

    fixture_service(f, "noise",
                    WIRE "client: [{offset: 0, hex: 5741}, {offset: 3, hex: '0F', mask: '0f'}], "
                         "server: [{offset: 0, hex: '4f4B'}]}\n");
    fixture_must_load(f);
    sample = sample_of(NULL, NULL);
    assert_string_equal(fits(f, &sample), "more");
    sample = sample_of("WA.\x5f", NULL);
    assert_string_equal(fits(f, &sample), "more");
    sample = sample_of("WA.\x5f", "OK");
    assert_string_equal(fits(f, &sample), "noise/likely");
    sample = sample_of("WA.\x5f", "KO");
    assert_string_equal(fits(f, &sample), "-");
    sample = sample_of("WA.\x5e", "OK");
    assert_string_equal(fits(f, &sample), "-");
    sample = sample_of("WA.", NULL); /* too short, and will stay so */
    assert_string_equal(fits(f, &sample), "-");
    sample = sample_of("WA.\x5f", "OK");
    sample.transport = TRANSPORT_UDP;
    assert_string_equal(fits(f, &sample), "-");
}

static void test_lengths(void **state)
{
    struct fixture *f = *state;
    struct catalog_wire_sample sample = {.transport = TRANSPORT_TCP, .server_port = 443};

    fixture_service(f, "three",
                    WIRE "client_lengths: [48, 191], server_lengths: [80], client_first: true}\n");
    fixture_must_load(f);
    assert_string_equal(fits(f, &sample), "more");
    sample.client_first = true;
    sample.lengths[SIDE_CLIENT][0] = 48;
    sample.length_count[SIDE_CLIENT] = 1;
    assert_string_equal(fits(f, &sample), "more");
    sample.lengths[SIDE_SERVER][0] = 80;
    sample.length_count[SIDE_SERVER] = 1;
    assert_string_equal(fits(f, &sample), "more");
    sample.lengths[SIDE_CLIENT][1] = 191;
    sample.length_count[SIDE_CLIENT] = 2;
    assert_string_equal(fits(f, &sample), "three/likely");
    sample.lengths[SIDE_CLIENT][2] = 7;
    sample.length_count[SIDE_CLIENT] = 3;
    assert_string_equal(fits(f, &sample), "three/likely");
    sample.client_first = false;
    assert_string_equal(fits(f, &sample), "-");
    sample.client_first = true;
    sample.lengths[SIDE_SERVER][0] = 81;
    assert_string_equal(fits(f, &sample), "-");
}

static void test_ports(void **state)
{
    struct fixture *f = *state;
    struct catalog_wire_sample sample = sample_of("hello", NULL);

    fixture_service(f, "ported",
                    WIRE "first_port: 5222, last_port: 5223, sure: unconfirmed, "
                         "client: [{offset: 1, hex: 65}]}\n");
    fixture_must_load(f);
    assert_string_equal(fits(f, &sample), "ported/likely");
    sample.server_port = 5224;
    assert_string_equal(fits(f, &sample), "-");
    sample.server_port = 5221;
    assert_string_equal(fits(f, &sample), "-");
    sample = sample_of(NULL, NULL);
    sample.server_port = 5221;
    assert_false(catalog_wire_wants_more(f->catalog, &sample));
}

static void test_best(void **state)
{
    struct fixture *f = *state;
    struct catalog_wire_sample sample = sample_of("hello", NULL);
    struct catalog_wire_match match;

    fixture_service(f, "a",
                    "wire:\n  - {id: w, transport: tcp, role: relay, certainty: possible, "
                    "source: s, client: [{offset: 0, hex: 68656c6c6f}]}\n");
    fixture_service(f, "b", WIRE "client: [{offset: 0, hex: 68}]}\n");
    fixture_service(f, "c", WIRE "client: [{offset: 0, hex: 6865}], sure: unconfirmed}\n");
    fixture_must_load(f);
    assert_string_equal(fits(f, &sample), "c/likely");
    assert_true(catalog_match_wire(f->catalog, &sample, &match));
    assert_false(match.match.confirmed);
    assert_int_equal(match.match.role, ROLE_RELAY);
    fixture_service(f, "d", WIRE "client: [{offset: 0, hex: 686564}]}\n");
    fixture_service(f, "e", WIRE "client: [{offset: 0, hex: 68656c}], server_lengths: [3]}\n");
    fixture_must_load(f);
    /* A better one may still come. */
    assert_string_equal(fits(f, &sample), "c/likely more");
}

static void refuse_wire(struct fixture *f, const char *more, const char *text)
{
    fixture_service(f, "bad", more);
    fixture_must_refuse(f, "services/bad.yaml", text);
}

static void test_errors(void **state)
{
    struct fixture *f = *state;

    refuse_wire(f, WIRE "client: [{offset: 0, hex: 574}]}\n", "'574'");
    refuse_wire(f, WIRE "client: [{offset: 0, hex: 57xx}]}\n", "'57xx'");
    refuse_wire(f, WIRE "client: [{offset: 0, hex: 5741, mask: ff}]}\n", "mask");
    refuse_wire(f, WIRE "server: [{offset: 9999, hex: 5741}]}\n", "offset");
    refuse_wire(f,
                WIRE "client: [{offset: 0, hex: "
                     "'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20'}]}\n",
                "1 to 32 bytes");
    refuse_wire(f, WIRE "client_lengths: [1, 2, 3, 4, 5]}\n", "line 9: ");
    refuse_wire(f, WIRE "client_first: true}\n", "asks for no bytes and no lengths: 'w'");
    refuse_wire(f, WIRE "first_port: 5, client_lengths: [1]}\n", "ports out of order");
    refuse_wire(f,
                "wire:\n  - {id: w, transport: tcp, role: relay, certainty: certain, source: s, "
                "client_lengths: [1]}\n",
                "line 9: Invalid ENUM value: certain");
    refuse_wire(f,
                "wire:\n  - {id: w, transport: tcp, role: relay, certainty: likely, source: x, "
                "client_lengths: [1]}\n",
                "wire entry 1: no such source");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bytes), TEST(test_lengths), TEST(test_ports), TEST(test_best), TEST(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
