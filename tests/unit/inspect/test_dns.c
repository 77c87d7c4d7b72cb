// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "probe/inspect/dns.h"

#define MESSAGE_MAX 2048

/* A message under construction: each function appends. */
struct message {
    uint8_t bytes[MESSAGE_MAX];
    size_t length;
};

static void put8(struct message *m, unsigned value)
{
    assert_true(m->length < MESSAGE_MAX);
    m->bytes[m->length++] = (uint8_t)value;
}

static void put16(struct message *m, unsigned value)
{
    put8(m, value >> 8);
    put8(m, value & 0xff);
}

static void put32(struct message *m, uint32_t value)
{
    put16(m, value >> 16);
    put16(m, value & 0xffff);
}

static void put_header(struct message *m, unsigned flags, unsigned questions, unsigned answers,
                       unsigned authorities, unsigned additionals)
{
    m->length = 0;
    put16(m, 0x1234);
    put16(m, flags);
    put16(m, questions);
    put16(m, answers);
    put16(m, authorities);
    put16(m, additionals);
}

/* "a.example" without the root's byte. */
static void put_labels(struct message *m, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, ".");
        put8(m, (unsigned)length);
        for (size_t i = 0; i < length; i++) {
            put8(m, (uint8_t)name[i]);
        }
        name += length + (name[length] == '.');
    }
}

static void put_name(struct message *m, const char *name)
{
    put_labels(m, name);
    put8(m, 0);
}

static void put_question(struct message *m, const char *name, unsigned type)
{
    put_name(m, name);
    put16(m, type);
    put16(m, 1);
}

/* A record of the question's name by pointer, up to its data's length. */
static void put_record(struct message *m, unsigned type, uint32_t ttl, unsigned size)
{
    put16(m, 0xc00c);
    put16(m, type);
    put16(m, 1);
    put32(m, ttl);
    put16(m, size);
}

static void put_a(struct message *m, uint32_t ttl, uint32_t address)
{
    put_record(m, DNS_TYPE_A, ttl, 4);
    put32(m, address);
}

static void put_opt(struct message *m, unsigned size, uint32_t ttl)
{
    put8(m, 0);
    put16(m, DNS_TYPE_OPT);
    put16(m, size);
    put32(m, ttl);
    put16(m, 0);
}

/* Parses a copy of just that size, so that the address sanitizer guards its end. */
static enum parse_result parse_cut(const struct message *m, size_t length,
                                   struct dns_message *ret_message)
{
    uint8_t *exact = malloc(length ? length : 1);
    assert_non_null(exact);
    memcpy(exact, m->bytes, length);
    memset(ret_message, 0xa5, sizeof(*ret_message));
    enum parse_result result = dns_parse(exact, length, ret_message);
    free(exact);
    return result;
}

static enum parse_result parse(const struct message *m, struct dns_message *ret_message)
{
    return parse_cut(m, m->length, ret_message);
}

static void assert_address(const struct address *address, const char *text)
{
    char got[ADDRESS_TEXT_SIZE];
    assert_string_equal(address_format(address, got), text);
}

static void test_query(void **state)
{
    (void)state;
    struct message m;
    struct dns_message dns;

    put_header(&m, 0x0100, 1, 0, 0, 1);
    put_question(&m, "WwW.eXaMpLe.OrG", DNS_TYPE_AAAA);
    put_opt(&m, 1232, 0x8000);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_int_equal(dns.id, 0x1234);
    assert_int_equal(dns.flags, 0x0100);
    assert_false(dns.is_response);
    assert_true(dns.recursion_desired);
    assert_false(dns.recursion_available);
    assert_true(dns.name_valid);
    assert_string_equal(dns.name, "www.example.org");
    assert_int_equal(dns.type, DNS_TYPE_AAAA);
    assert_int_equal(dns.class, 1);
    assert_true(dns.has_edns);
    assert_int_equal(dns.edns_size, 1232);
    assert_int_equal(dns.rcode, 0);
    assert_true(dns.complete);
}

static void test_names(void **state)
{
    (void)state;
    struct message m;
    struct dns_message dns;
    char longest[260] = "";

    put_header(&m, 0x0100, 1, 0, 0, 0);
    put_question(&m, "_dns.resolver.arpa", DNS_TYPE_SVCB);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_true(dns.name_valid);
    assert_string_equal(dns.name, "_dns.resolver.arpa");

    /* The root. */
    put_header(&m, 0x0100, 1, 0, 0, 0);
    put_question(&m, "", 2);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_true(dns.name_valid);
    assert_string_equal(dns.name, "");
    assert_true(dns.complete);

    /* Bytes that no host name has: the message is sound, the name is not. */
    static const char *const odd[] = {"a b.example", "caf\xc3\xa9.example", "a\x01.example",
                                      "a:b.example", "::1"};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        put_header(&m, 0x0100, 1, 0, 0, 0);
        put_question(&m, odd[i], DNS_TYPE_A);
        assert_int_equal(parse(&m, &dns), PARSE_DONE);
        assert_false(dns.name_valid);
        assert_string_equal(dns.name, "");
        assert_true(dns.complete);
    }

    /* A dot within a label: "evil.example" would be another name. */
    put_header(&m, 0x0100, 1, 0, 0, 0);
    put8(&m, 12);
    for (const char *p = "evil.example"; *p; p++) {
        put8(&m, (uint8_t)*p);
    }
    put8(&m, 0);
    put32(&m, 0x00010001);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_false(dns.name_valid);

    /* 255 bytes on the wire are the most: 3 labels of 63 and one of 61. */
    for (int i = 0; i < 3; i++) {
        memset(longest + i * 64, 'a' + i, 63);
        longest[i * 64 + 63] = '.';
    }
    memset(longest + 192, 'd', 61);
    put_header(&m, 0x0100, 1, 0, 0, 0);
    put_question(&m, longest, DNS_TYPE_A);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_true(dns.name_valid);
    assert_string_equal(dns.name, longest);
    longest[253] = 'd';
    put_header(&m, 0x0100, 1, 0, 0, 0);
    put_question(&m, longest, DNS_TYPE_A);
    assert_int_equal(parse(&m, &dns), PARSE_NOT_MINE);
}

/* A chain of two CNAMEs, whose second target is compressed against the first, then addresses. */
static void put_chain(struct message *m)
{
    put_header(m, 0x8180, 1, 4, 1, 1);
    put_question(m, "www.example.org", DNS_TYPE_A);
    put_record(m, DNS_TYPE_CNAME, 300, 10);
    size_t first = m->length;
    put_labels(m, "edge");
    put_labels(m, "cd");
    put16(m, 0xc010); /* example.org */
    put16(m, 0xc000 | (unsigned)first);
    put16(m, DNS_TYPE_CNAME);
    put16(m, 1);
    put32(m, 60);
    put16(m, 5);
    put_labels(m, "e2");
    put16(m, 0xc000 | (unsigned)(first + 5)); /* cd.example.org, itself compressed */
    put_a(m, 20, 0xc0000201);
    put_record(m, DNS_TYPE_AAAA, 0x80000000, 16);
    put32(m, 0x20010db8);
    put32(m, 0);
    put32(m, 0);
    put32(m, 7);
    put_record(m, 2, 60, 2);
    put16(m, 0xc00c);
    put_opt(m, 4096, 0);
}

static void test_answer(void **state)
{
    (void)state;
    struct message m;
    struct dns_message dns;

    put_chain(&m);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_true(dns.complete);
    assert_true(dns.is_response);
    assert_true(dns.recursion_available);
    assert_false(dns.authoritative);
    assert_string_equal(dns.name, "www.example.org");
    assert_string_equal(dns.cname, "e2.cd.example.org");
    assert_int_equal(dns.answer_count, 4);
    assert_int_equal(dns.answers_kept, 2);
    assert_int_equal(dns.answers[0].type, DNS_TYPE_A);
    assert_int_equal(dns.answers[0].ttl, 20);
    assert_int_equal(dns.answers[0].address_count, 1);
    assert_address(&dns.answers[0].addresses[0], "192.0.2.1");
    assert_int_equal(dns.answers[1].ttl, 0); /* RFC 2181 8 */
    assert_address(&dns.answers[1].addresses[0], "2001:db8::7");
    assert_true(dns.has_edns);
    assert_int_equal(dns.edns_size, 4096);
}

static void put_https(struct message *m, unsigned priority)
{
    put_header(m, 0x8580, 1, 1, 0, 0);
    put_question(m, "cloud.example.org", DNS_TYPE_HTTPS);
    put_record(m, DNS_TYPE_HTTPS, 300, 2 + 1 + 7 + 12 + 4 + 5 + 4 + 16);
    put16(m, priority);
    put8(m, 0);
    put16(m, 1); /* alpn: h2 */
    put16(m, 3);
    put8(m, 2);
    put16(m, 'h' << 8 | '2');
    put16(m, 4);
    put16(m, 8);
    put32(m, 0xc6336401);
    put32(m, 0xc6336402);
    put16(m, 5);
    put16(m, 5);
    put32(m, 0xfe0d0001);
    put8(m, 0);
    put16(m, 6);
    put16(m, 16);
    put32(m, 0x20010db8);
    put32(m, 0);
    put32(m, 0);
    put32(m, 1);
}

static void test_https(void **state)
{
    (void)state;
    struct message m;
    struct dns_message dns;

    put_https(&m, 1);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_true(dns.complete);
    assert_true(dns.authoritative);
    assert_int_equal(dns.answers_kept, 1);
    assert_int_equal(dns.answers[0].type, DNS_TYPE_HTTPS);
    assert_true(dns.answers[0].has_ech);
    assert_int_equal(dns.answers[0].address_count, 3);
    assert_address(&dns.answers[0].addresses[0], "198.51.100.1");
    assert_address(&dns.answers[0].addresses[1], "198.51.100.2");
    assert_address(&dns.answers[0].addresses[2], "2001:db8::1");

    /* An alias has no parameters. */
    put_https(&m, 0);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_int_equal(dns.answers_kept, 1);
    assert_false(dns.answers[0].has_ech);
    assert_int_equal(dns.answers[0].address_count, 0);

    /* More hints than places; a hint that is no list of addresses. */
    for (unsigned size = 0; size <= 24; size++) {
        put_header(&m, 0x8180, 1, 1, 0, 0);
        put_question(&m, "cloud.example.org", DNS_TYPE_SVCB);
        put_record(&m, DNS_TYPE_SVCB, 300, 2 + 1 + 4 + size);
        put16(&m, 1);
        put8(&m, 0);
        put16(&m, 4);
        put16(&m, size);
        for (unsigned i = 0; i < size; i++) {
            put8(&m, i);
        }
        assert_int_equal(parse(&m, &dns), PARSE_DONE);
        bool sound = size > 0 && size % 4 == 0;
        assert_int_equal(dns.complete, sound);
        assert_int_equal(dns.answers_kept, sound);
        assert_int_equal(dns.answers[0].address_count, !sound                     ? 0
                                                       : size / 4 < DNS_HINTS_MAX ? size / 4
                                                                                  : DNS_HINTS_MAX);
    }
}

static void test_rcodes(void **state)
{
    (void)state;
    struct message m;
    struct dns_message dns;

    for (unsigned rcode = 0; rcode < 16; rcode++) {
        put_header(&m, 0x8180 | rcode, 1, 0, 0, 0);
        put_question(&m, "blocked.example", DNS_TYPE_A);
        assert_int_equal(parse(&m, &dns), PARSE_DONE);
        assert_int_equal(dns.rcode, rcode);
        assert_true(dns.complete);
    }
    /* BADVERS is in OPT. */
    put_header(&m, 0x8180, 1, 0, 0, 1);
    put_question(&m, "blocked.example", DNS_TYPE_A);
    put_opt(&m, 512, 0x01000000);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_int_equal(dns.rcode, 16);
    /* A refusal without a question; without an error, or asking nothing, it is no message. */
    put_header(&m, 0x8181, 0, 0, 0, 0);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_string_equal(dns.name, "");
    assert_false(dns.name_valid);
    assert_true(dns.complete);
    put_header(&m, 0x8180, 0, 0, 0, 0);
    assert_int_equal(parse(&m, &dns), PARSE_NOT_MINE);
    put_header(&m, 0x0101, 0, 0, 0, 0);
    assert_int_equal(parse(&m, &dns), PARSE_NOT_MINE);

    assert_string_equal(dns_rcode_text(DNS_RCODE_NXDOMAIN), "NXDOMAIN");
    assert_string_equal(dns_rcode_text(DNS_RCODE_REFUSED), "REFUSED");
    assert_null(dns_rcode_text(200));
    assert_string_equal(dns_type_text(DNS_TYPE_A), "A");
    assert_string_equal(dns_type_text(DNS_TYPE_HTTPS), "HTTPS");
    assert_null(dns_type_text(65000));
}

static void test_not_dns(void **state)
{
    (void)state;
    static const unsigned headers[][5] = {
        {0x0140, 1, 0, 0, 0},                     /* the bit that must be zero */
        {0x3900, 1, 0, 0, 0},                     /* opcode 7 */
        {0x0100, 2, 0, 0, 0},                     /* two questions */
        {0x8180, 1, 0xffff, 0, 0},                /* records without end */
        {0x8180, 1, 1, 1, 0xffff},                /* the same */
        {0x8180, 1, 0x40, 0, 0},                  /* more records than bytes */
        {0x8183, 0, 1, 0, 0},                     /* an answer without a question */
        {0x4745, 0x5420, 0x2f20, 0x4854, 0x5450}, /* "GET / HTTP" */
    };
    struct message m;
    struct dns_message dns, zero;

    memset(&zero, 0, sizeof(zero));
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const unsigned *h = headers[i];
        put_header(&m, h[0], h[1], h[2], h[3], h[4]);
        put_question(&m, "example.org", DNS_TYPE_A);
        assert_int_equal(parse(&m, &dns), PARSE_NOT_MINE);
        assert_memory_equal(&dns, &zero, sizeof(dns));
    }
    /* Other opcodes are DNS. */
    put_header(&m, 0x2800, 1, 0, 0, 0);
    put_question(&m, "example.org", 6);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_int_equal(dns.opcode, 5);
    assert_int_equal(dns_parse(NULL, 0, &dns), PARSE_NOT_MINE);
}

/* A question whose name is these bytes. */
static enum parse_result parse_name(const uint8_t *name, size_t length,
                                    struct dns_message *ret_message)
{
    struct message m;

    put_header(&m, 0x0100, 1, 0, 0, 0);
    for (size_t i = 0; i < length; i++) {
        put8(&m, name[i]);
    }
    put32(&m, 0x00010001);
    return parse(&m, ret_message);
}

static void test_pointers(void **state)
{
    (void)state;
    static const uint8_t itself[] = {0xc0, 12};
    static const uint8_t forwards[] = {0xc0, 14, 0};
    static const uint8_t header[] = {1, 'a', 0xc0, 0};
    static const uint8_t label_loop[] = {1, 'a', 0xc0, 12};
    static const uint8_t outside[] = {1, 'a', 0xff, 0xff};
    static const uint8_t reserved[] = {0x41, 'a', 0};
    struct message m;
    struct dns_message dns;

    assert_int_equal(parse_name(itself, sizeof(itself), &dns), PARSE_NOT_MINE);
    assert_int_equal(parse_name(forwards, sizeof(forwards), &dns), PARSE_NOT_MINE);
    assert_int_equal(parse_name(header, sizeof(header), &dns), PARSE_NOT_MINE);
    assert_int_equal(parse_name(label_loop, sizeof(label_loop), &dns), PARSE_NOT_MINE);
    assert_int_equal(parse_name(outside, sizeof(outside), &dns), PARSE_NOT_MINE);
    assert_int_equal(parse_name(reserved, sizeof(reserved), &dns), PARSE_NOT_MINE);

    /* Two pointers that lead to each other, as the owner of an answer. */
    put_header(&m, 0x8180, 1, 2, 0, 0);
    put_question(&m, "example.org", DNS_TYPE_A);
    put_record(&m, 16, 60, 4);
    unsigned at = (unsigned)m.length;
    put16(&m, 0xc000 | (at + 2));
    put16(&m, 0xc000 | at);
    put16(&m, 0xc000 | (at + 2));
    put32(&m, 0x00010001);
    put32(&m, 60);
    put16(&m, 4);
    put32(&m, 0xc0000201);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_false(dns.complete);
    assert_string_equal(dns.name, "example.org");
    assert_int_equal(dns.answers_kept, 0);

    /* A ladder of a hundred pointers, each to the one before. */
    put_header(&m, 0x8180, 1, 2, 0, 0);
    put_question(&m, "example.org", DNS_TYPE_A);
    put_record(&m, 16, 60, 200);
    at = (unsigned)m.length;
    for (unsigned i = 0; i < 100; i++) {
        put16(&m, 0xc000 | (i == 0 ? 12 : at + 2 * (i - 1)));
    }
    put16(&m, 0xc000 | (at + 198));
    put32(&m, 0x00010001);
    put32(&m, 60);
    put16(&m, 4);
    put32(&m, 0xc0000201);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_false(dns.complete);
    assert_int_equal(dns.answers_kept, 0);
}

static void test_malformed_answer(void **state)
{
    (void)state;
    struct message m;
    struct dns_message dns;

    /* An A record of five bytes is passed over, the next one kept. */
    put_header(&m, 0x8180, 1, 2, 0, 0);
    put_question(&m, "example.org", DNS_TYPE_A);
    put_record(&m, DNS_TYPE_A, 60, 5);
    put32(&m, 0x7f000001);
    put8(&m, 0);
    put_a(&m, 61, 0xc0000201);
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_false(dns.complete);
    assert_int_equal(dns.answers_kept, 1);
    assert_int_equal(dns.answers[0].ttl, 61);

    /* Other classes are other worlds. */
    put_header(&m, 0x8180, 1, 1, 0, 0);
    put_question(&m, "example.org", DNS_TYPE_A);
    put_a(&m, 61, 0xc0000201);
    m.bytes[m.length - 11] = 3;
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_true(dns.complete);
    assert_int_equal(dns.answers_kept, 0);

    /* More answers than places. */
    put_header(&m, 0x8180, 1, 40, 0, 0);
    put_question(&m, "example.org", DNS_TYPE_A);
    for (uint32_t i = 0; i < 40; i++) {
        put_a(&m, i, 0xc0000200 + i);
    }
    assert_int_equal(parse(&m, &dns), PARSE_DONE);
    assert_true(dns.complete);
    assert_int_equal(dns.answer_count, 40);
    assert_int_equal(dns.answers_kept, DNS_ANSWERS_MAX);
    assert_int_equal(dns.answers[DNS_ANSWERS_MAX - 1].ttl, DNS_ANSWERS_MAX - 1);
}

/* Whatever is cut off, the question is known as soon as it is there, and only the whole is
 * complete. */
static void test_every_prefix(void **state)
{
    (void)state;
    struct message m;
    struct dns_message dns;
    size_t question = 12 + 17 + 4;

    put_chain(&m);
    for (size_t length = 0; length <= m.length; length++) {
        enum parse_result result = parse_cut(&m, length, &dns);
        assert_int_equal(result, length < question ? PARSE_NOT_MINE : PARSE_DONE);
        assert_int_equal(dns.complete, length == m.length);
        assert_string_equal(dns.name, length < question ? "" : "www.example.org");
    }
    put_https(&m, 1);
    for (size_t length = 0; length <= m.length; length++) {
        (void)parse_cut(&m, length, &dns);
        assert_int_equal(dns.answers_kept, length == m.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),        cmocka_unit_test(test_names),
        cmocka_unit_test(test_answer),       cmocka_unit_test(test_https),
        cmocka_unit_test(test_rcodes),       cmocka_unit_test(test_not_dns),
        cmocka_unit_test(test_pointers),     cmocka_unit_test(test_malformed_answer),
        cmocka_unit_test(test_every_prefix),
    };

    return cmocka_run_group_tests_name("inspect_dns", tests, NULL, NULL);
}
