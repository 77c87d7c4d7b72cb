// SPDX-License-Identifier: GPL-3.0-or-later
#include "store_testing.h"

#include "store/blob.h"

static struct observation filled, decoded;
static struct buffer blob;

static int setup(void **state)
{
    (void)state;
    memset(&filled, 0, sizeof(filled));
    memset(&decoded, 0xff, sizeof(decoded)); /* whatever was there goes */
    buffer_init(&blob, 65536);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buffer_finish(&blob);
    return 0;
}

static void assert_comes_back(void)
{
    buffer_clear(&blob);
    blob_encode(&blob, &filled);
    assert_int_equal(blob_decode(blob.bytes, blob.length, &decoded), DL_OK);
    assert_memory_equal(&decoded.evidence, &filled.evidence, sizeof(filled.evidence));
    assert_memory_equal(&decoded.dns, &filled.dns, sizeof(filled.dns));
    assert_memory_equal(&decoded.pace, &filled.pace, sizeof(filled.pace));
    assert_memory_equal(&decoded.import, &filled.import, sizeof(filled.import));
}

static void test_nothing(void **state)
{
    (void)state;
    blob_encode(&blob, &filled);
    assert_int_equal(blob.length, 0);
    assert_comes_back();
}

static void test_everything(void **state)
{
    (void)state;
    testing_fill_everything(&filled, 1, 1);
    assert_comes_back();
    memset(&filled.dns, 0, sizeof(filled.dns));
    assert_comes_back();
    testing_fill_dns(&filled.dns);
    memset(&filled.evidence, 0, sizeof(filled.evidence));
    assert_comes_back();
    memset(&filled.dns, 0, sizeof(filled.dns)); /* the pace alone */
    assert_comes_back();
}

/* A flow that ended well leaves its path; evidence says it itself. */
static void test_path(void **state)
{
    (void)state;
    filled.path = (struct path_facts){
        .handshake_rtt_us = 81000, .server_ttl = 50, .first_exchange_us = 90000};
    assert_comes_back();
    assert_memory_equal(&decoded.path, &filled.path, sizeof(filled.path));
    assert_true(blob.length < 16);
    filled.evidence.present = true;
    assert_comes_back();
    assert_int_equal(decoded.path.handshake_rtt_us, 0);
}

/* Somebody else's measurement has nothing but this part. */
static void test_import(void **state)
{
    (void)state;
    testing_fill_everything(&filled, 1, 1);
    memset(&filled.evidence, 0, sizeof(filled.evidence));
    memset(&filled.dns, 0, sizeof(filled.dns));
    memset(&filled.pace, 0, sizeof(filled.pace));
    assert_comes_back();
    memset(&filled.import, 0, sizeof(filled.import));
    filled.import.present = true;
    assert_comes_back();
    assert_int_equal(blob.length, 4);
}

/* Present, and otherwise zero: also that comes back. */
static void test_empty_parts(void **state)
{
    (void)state;
    filled.evidence.present = filled.dns.present = true;
    filled.evidence.suspect_count = 2;
    filled.dns.answer_count = 2;
    filled.dns.answers[1].address_count = 1;
    assert_comes_back();
    assert_true(blob.length < 40);
}

static void test_usual_size(void **state)
{
    (void)state;
    struct evidence_facts *evidence = &filled.evidence;
    evidence->present = true;
    evidence->handshake_rtt_us = 81000;
    evidence->resets[1] = evidence->resets_with_ack[1] = 1;
    for (int i = 0; i < 2; i++) {
        struct side_facts *side = &evidence->sides[i];
        *side = (struct side_facts){.ttl_first = 64,
                                    .ttl_min = 64,
                                    .ttl_max = 64,
                                    .syn_options = 31,
                                    .syn_window = 64240,
                                    .syn_mss = 1460,
                                    .syn_window_scale = 7,
                                    .flags = SIDE_DF | SIDE_SYN,
                                    .ip_id_first = 40000,
                                    .ip_id_last = 40004,
                                    .ip_id_max_step = 1,
                                    .window_last = 501,
                                    .first_payload_after_us = 90000,
                                    .first_payload_length = 517,
                                    .first_payload_kind = PAYLOAD_TLS_CLIENT_HELLO,
                                    .last_payload_after_us = 90000,
                                    .last_packet_after_us = 180000,
                                    .payload_bytes = 517};
    }
    evidence->suspect_count = 1;
    testing_fill_suspect(&evidence->suspects[0], 0);
    assert_comes_back();
    assert_in_range(blob.length, 80, 200);
}

/* What a newer writer may add: fields at a section's end, and sections. */
static void test_newer_writer(void **state)
{
    static const uint8_t newer[] = {
        BLOB_VERSION, 1, 8, 0x81, 0x80, 0x80, 0x08, 5, 9, 9, 9, /* the rtt, and a field 24 */
        99,           3, 1, 2,    3,                            /* a section */
    };
    static const uint8_t longer[] = {BLOB_VERSION, 1, 3, 1, 5, 9};
    static const uint8_t version[] = {BLOB_VERSION + 1, 1, 2, 1, 5};

    (void)state;
    assert_int_equal(blob_decode(newer, sizeof(newer), &decoded), DL_OK);
    assert_true(decoded.evidence.present);
    assert_int_equal(decoded.evidence.handshake_rtt_us, 5);
    assert_int_equal(blob_decode(longer, sizeof(longer), &decoded), DL_MALFORMED);
    assert_false(decoded.evidence.present);
    assert_int_equal(blob_decode(version, sizeof(version), &decoded), DL_VERSION);
}

/* A blob from before block pages were looked for: http with a status alone. */
static void test_older_writer(void **state)
{
    static const uint8_t older[] = {BLOB_VERSION, 1, 1, 0, 8, 3, 0x08, 0xac, 0x02};

    (void)state;
    assert_int_equal(blob_decode(older, sizeof(older), &decoded), DL_OK);
    assert_int_equal(decoded.evidence.http.status, 300);
    assert_string_equal(decoded.evidence.http.blockpage.id, "");
    assert_false(decoded.evidence.http.blockpage.false_positive);
}

/* A reset from before acknowledgement fields were kept: that they were not is what is read. */
static void test_older_reset(void **state)
{
    static const uint8_t older[] = {BLOB_VERSION, 1, 1, 0, 4, 3, 0x30, 4, 52};

    (void)state;
    assert_int_equal(blob_decode(older, sizeof(older), &decoded), DL_OK);
    assert_int_equal(decoded.evidence.suspect_count, 1);
    assert_int_equal(decoded.evidence.suspects[0].tcp_flags, 4);
    assert_int_equal(decoded.evidence.suspects[0].ttl, 52);
    assert_int_equal(decoded.evidence.suspects[0].ack_field, ACK_FIELD_UNKNOWN);
    assert_int_equal(decoded.evidence.unanswered, 0);
}

#define ASSERT_MALFORMED(...)                                                                      \
    do {                                                                                           \
        static const uint8_t bytes[] = {__VA_ARGS__};                                              \
        assert_int_equal(blob_decode(bytes, sizeof(bytes), &decoded), DL_MALFORMED);               \
        assert_false(decoded.evidence.present || decoded.dns.present);                             \
    } while (0)

static void test_malformed(void **state)
{
    (void)state;
    ASSERT_MALFORMED(0);
    ASSERT_MALFORMED(1, 2, 1, 0);                                  /* a side without evidence */
    ASSERT_MALFORMED(1, 10, 1, 0);                                 /* an answer without question */
    ASSERT_MALFORMED(1, 9, 1, 0, 11, 4, 1, 2, 3, 4);               /* an address without answer */
    ASSERT_MALFORMED(1, 9, 1, 0, 10, 1, 0, 11, 5, 1, 2, 3, 4, 5);  /* of five bytes */
    ASSERT_MALFORMED(1, 1, 1, 0, 4, 2, 8, 2);                      /* side 2 */
    ASSERT_MALFORMED(1, 1, 7, 1, 0xff, 0xff, 0xff, 0xff, 0x1f, 0); /* more than 32 bits */
    ASSERT_MALFORMED(1, 1, 1, 0, 8, 4, 16, 16, 'G', 'E');          /* a method of 16 */
    ASSERT_MALFORMED(1, 1, 1, 0, 8, 5, 16, 3, 'G', 0, 'T');        /* with a NUL */
    ASSERT_MALFORMED(1, 1, 11, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0);
    ASSERT_MALFORMED(1, 16, 2, 1, 3); /* outcome 3 */
    ASSERT_MALFORMED(1, 1, 200);      /* cut off */
    ASSERT_MALFORMED(1, 1, 1, 0, 4, 1, 0, 4, 1, 0, 4, 1, 0, 4, 1, 0, 4, 1, 0, 4, 1, 0, 4, 1, 0, 4,
                     1, 0, 4, 1, 0); /* nine suspects */
}

/* Exact memory, so that the address sanitizer sees every byte read beyond. */
static void decode_exactly(const void *bytes, size_t length)
{
    uint8_t *exact = malloc(length + 1);

    memcpy(exact + 1, bytes, length);
    int status = blob_decode(exact + 1, length, &decoded);
    assert_true(status == DL_OK || status == DL_MALFORMED || status == DL_VERSION);
    assert_true(decoded.evidence.suspect_count <= SUSPECTS_MAX);
    assert_true(decoded.dns.answer_count <= DNS_FACTS_ANSWERS);
    free(exact);
}

static void test_every_prefix(void **state)
{
    (void)state;
    testing_fill_everything(&filled, 1, 1);
    blob_encode(&blob, &filled);
    for (size_t length = 0; length < blob.length; length++) {
        decode_exactly(blob.bytes, length);
    }
}

static void test_random_bytes(void **state)
{
    uint64_t random = UINT64_C(88172645463325252);
    uint8_t bytes[600];

    (void)state;
    testing_fill_everything(&filled, 1, 1);
    blob_encode(&blob, &filled);
    for (int i = 0; i < 20000; i++) {
        size_t length = i % sizeof(bytes);
        memcpy(bytes, blob.bytes + (i % 7) * 50, sizeof(bytes));
        for (size_t k = 0; k < length; k++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if (i % 2 || random % 50 == 0) { /* noise, or a blob with some bytes wrong */
                bytes[k] = (uint8_t)(random >> 32);
            }
        }
        bytes[0] = BLOB_VERSION;
        decode_exactly(bytes, length);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing),      TEST(test_path),         TEST(test_everything),
        TEST(test_empty_parts),  TEST(test_usual_size),   TEST(test_newer_writer),
        TEST(test_malformed),    TEST(test_every_prefix), TEST(test_random_bytes),
        TEST(test_older_writer), TEST(test_older_reset),  TEST(test_import),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
