// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "tests/unit/geo/files.h"

/* ---- databases made here: one node, the lower half of IPv4 and the upper half ---- */

static void put_key(struct buffer *out, const char *text)
{
    size_t length = strlen(text);

    if (length < 29) {
        buffer_append_u8(out, (uint8_t)(2 << 5 | length));
    } else {
        buffer_append_u8(out, 2 << 5 | 29);
        buffer_append_u8(out, (uint8_t)(length - 29));
    }
    buffer_append_text(out, text);
}

static void put_map(struct buffer *out, uint8_t count)
{
    buffer_append_u8(out, 7 << 5 | count);
}

static void put_u32(struct buffer *out, const char *key, uint32_t value)
{
    put_key(out, key);
    buffer_append_u8(out, 6 << 5 | 4);
    buffer_append_u32(out, value);
}

static void put_u16(struct buffer *out, const char *key, uint16_t value)
{
    put_key(out, key);
    buffer_append_u8(out, 5 << 5 | 2);
    buffer_append_u16(out, value);
}

static void put_u64(struct buffer *out, const char *key, uint64_t value)
{
    put_key(out, key);
    buffer_append_u8(out, 8);
    buffer_append_u8(out, 9 - 7);
    buffer_append_u64(out, value);
}

static void put_text(struct buffer *out, const char *key, const char *value)
{
    put_key(out, key);
    put_key(out, value);
}

static void put_u24(struct buffer *out, uint32_t value)
{
    buffer_append_u8(out, (uint8_t)(value >> 16));
    buffer_append_u16(out, (uint16_t)value);
}

static void put_metadata(struct buffer *out)
{
    buffer_append_text(out, "\xab\xcd\xefMaxMind.com");
    put_map(out, 9);
    put_u32(out, "node_count", 1);
    put_u16(out, "record_size", 24);
    put_u16(out, "ip_version", 4);
    put_text(out, "database_type", "Made-Here");
    put_key(out, "languages");
    buffer_append_u8(out, 0);
    buffer_append_u8(out, 11 - 7);
    put_u16(out, "binary_format_major_version", 2);
    put_u16(out, "binary_format_minor_version", 0);
    put_u64(out, "build_epoch", 1700000000);
    put_key(out, "description");
    put_map(out, 0);
}

/* The upper half may be NULL: nobody's. */
static void make_database(struct buffer *out, const struct buffer *lower,
                          const struct buffer *upper)
{
    buffer_init(out, FILE_MOST);
    put_u24(out, 1 + 16);
    put_u24(out, upper ? 1 + 16 + (uint32_t)lower->length : 1);
    for (int i = 0; i < 16; i++) {
        buffer_append_u8(out, 0);
    }
    buffer_append(out, lower->bytes, lower->length);
    if (upper) {
        buffer_append(out, upper->bytes, upper->length);
    }
    put_metadata(out);
    assert_false(out->failed);
}

static struct geo *open_records(const struct buffer *lower, const struct buffer *upper)
{
    struct buffer file;
    struct dl_error error = {0};
    struct geo *geo = NULL;

    make_database(&file, lower, upper);
    if (open_bytes(&geo, file.bytes, file.length, &error) != DL_OK) {
        fail_msg("%s", error.message);
    }
    buffer_finish(&file);
    return geo;
}

/* ---- tests ---- */

static void test_no_database(void **state)
{
    struct geo *geo = NULL;
    struct geo_place place;

    (void)state;
    assert_int_equal(geo_open(&geo, NULL, 0, NULL), DL_OK);
    assert_int_equal(geo_database_count(geo), 0);
    assert_null(geo_database_at(geo, 0));
    assert_int_equal(find(geo, "39.49.96.1", &place), DL_NOT_FOUND);
    geo_close(geo);
    geo_close(NULL);
}

static void test_not_a_database(void **state)
{
    const char *missing = "/nonexistent/x.mmdb", *here = folder, *many[GEO_DATABASES_MAX + 1];
    struct dl_error error = {0};
    struct geo *geo = NULL;

    (void)state;
    assert_int_equal(geo_open(&geo, &missing, 1, &error), -ENOENT);
    assert_non_null(strstr(error.message, missing));
    assert_int_equal(geo_open(&geo, &here, 1, &error), DL_CORRUPT);
    assert_non_null(strstr(error.message, folder));
    for (size_t i = 0; i < ARRAY_LENGTH(many); i++) {
        many[i] = missing;
    }
    assert_int_equal(geo_open(&geo, many, ARRAY_LENGTH(many), &error), DL_LIMIT);
    assert_int_equal(open_bytes(&geo, "", 0, &error), DL_CORRUPT);
    assert_non_null(strstr(error.message, "made.mmdb"));
    assert_int_equal(open_bytes(&geo, "asn,name\n1,x\n", 13, &error), DL_CORRUPT);
    assert_non_null(strstr(error.message, "made.mmdb"));
    assert_null(geo);
}

static void test_layouts(void **state)
{
    struct buffer flat, nested;
    struct geo *geo;
    struct geo_place place;

    (void)state;
    buffer_init(&flat, 1000);
    put_map(&flat, 3);
    put_u16(&flat, "autonomous_system_number", 9541);
    put_text(&flat, "autonomous_system_organization", "Cyber Internet");
    put_text(&flat, "country_code", "pk");
    buffer_init(&nested, 1000);
    put_map(&nested, 2);
    put_key(&nested, "registered_country");
    put_map(&nested, 1);
    put_text(&nested, "iso_code", "AE");
    put_key(&nested, "traits");
    put_map(&nested, 1);
    put_u64(&nested, "autonomous_system_number", 4200000000);
    geo = open_records(&flat, &nested);
    assert_int_equal(find(geo, "1.2.3.4", &place), DL_OK);
    assert_int_equal(place.asn, 9541);
    assert_string_equal(place.organisation, "Cyber Internet");
    assert_string_equal(place.country, "PK");
    assert_int_equal(find(geo, "200.2.3.4", &place), DL_OK);
    assert_true(place.asn == 4200000000);
    assert_string_equal(place.organisation, "");
    assert_string_equal(place.country, "AE");
    /* It has no IPv6. */
    assert_int_equal(find(geo, "2407:d000::1", &place), DL_NOT_FOUND);
    assert_string_equal(geo_database_at(geo, 0)->type, "Made-Here");
    assert_true(geo_database_at(geo, 0)->built_us == 1700000000 * INT64_C(1000000));
    assert_non_null(strstr(geo_database_at(geo, 0)->path, "made.mmdb"));
    geo_close(geo);
    buffer_finish(&flat);
    buffer_finish(&nested);
}

static void test_odd_values(void **state)
{
    static const char *const nowhere[] = {"ZZ", "-", "None", "1A", ""};
    struct buffer record, other;
    struct geo *geo;
    struct geo_place place;
    char name[120];

    (void)state;
    /* 94 letters, then one of two bytes: it does not fit in 95. */
    memset(name, 'x', 94);
    strcpy(name + 94, "\xc3\xa9nd");
    for (size_t i = 0; i < ARRAY_LENGTH(nowhere); i++) {
        buffer_init(&record, 1000);
        put_map(&record, 3);
        put_u64(&record, "autonomous_system_number", UINT64_C(1) << 32);
        put_text(&record, "autonomous_system_organization", name);
        put_text(&record, "country_code", nowhere[i]);
        buffer_init(&other, 1000);
        put_map(&other, 1);
        put_u32(&other, "autonomous_system_number", 1);
        geo = open_records(&record, &other);
        assert_int_equal(find(geo, "1.2.3.4", &place), DL_OK);
        assert_int_equal(place.asn, 0);
        assert_string_equal(place.country, "");
        assert_int_equal(strlen(place.organisation), 94);
        geo_close(geo);
        buffer_finish(&record);
        buffer_finish(&other);
    }
}

static void test_unknown_half_and_no_fields(void **state)
{
    struct buffer record, file;
    struct dl_error error = {0};
    struct geo *geo = NULL;
    struct geo_place place = {.asn = 77};

    (void)state;
    buffer_init(&record, 1000);
    put_map(&record, 1);
    put_u32(&record, "autonomous_system_number", 1);
    geo = open_records(&record, NULL);
    assert_int_equal(find(geo, "200.1.1.1", &place), DL_NOT_FOUND);
    assert_int_equal(place.asn, 77);
    geo_close(geo);
    geo = NULL;

    buffer_clear(&record);
    put_map(&record, 1);
    put_text(&record, "country", "a string where a map is expected");
    make_database(&file, &record, NULL);
    assert_int_equal(open_bytes(&geo, file.bytes, file.length, &error), DL_UNSUPPORTED);
    assert_null(geo);
    assert_non_null(strstr(error.message, "Made-Here"));
    buffer_finish(&file);

    /* A map of five whose entries are not there: the record runs out of the data section. */
    buffer_clear(&record);
    put_map(&record, 5);
    put_u32(&record, "x", 1);
    make_database(&file, &record, NULL);
    assert_int_equal(open_bytes(&geo, file.bytes, file.length, &error), DL_CORRUPT);
    assert_null(geo);
    buffer_finish(&file);
    buffer_finish(&record);
}

/* Arrays in arrays, and a pointer to itself: libmaxminddb would run out of stack or never end. */
static void test_deep_records(void **state)
{
    static const uint32_t depths[] = {20, 40, 500000};
    struct buffer record, file;
    struct geo *geo = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(depths); i++) {
        buffer_init(&record, FILE_MOST);
        put_map(&record, 2);
        put_key(&record, "a");
        for (uint32_t j = 0; j < depths[i]; j++) {
            buffer_append_u16(&record, 0x0104);
        }
        buffer_append_u16(&record, 0x0004);
        put_text(&record, "country_code", "PK");
        make_database(&file, &record, NULL);
        assert_int_equal(open_bytes(&geo, file.bytes, file.length, NULL),
                         depths[i] == 20 ? DL_OK : DL_CORRUPT);
        geo_close(geo);
        geo = NULL;
        buffer_finish(&file);
        buffer_finish(&record);
    }
    buffer_init(&record, 1000);
    put_map(&record, 1);
    put_key(&record, "country");
    buffer_append_u16(&record, 1 << 13);
    make_database(&file, &record, NULL);
    assert_int_equal(open_bytes(&geo, file.bytes, file.length, NULL), DL_CORRUPT);
    buffer_finish(&file);
    buffer_finish(&record);
}

/* The first database that knows a field fills it; the next ones only what is open. */
static void test_order(void **state)
{
    char first[128], second[128];
    const char *paths[] = {first, second};
    struct buffer a, b, file;
    struct geo *geo = NULL;
    struct geo_place place;

    (void)state;
    buffer_init(&a, 1000);
    put_map(&a, 1);
    put_u32(&a, "autonomous_system_number", 1);
    make_database(&file, &a, NULL);
    write_file(first, "first.mmdb", file.bytes, file.length);
    buffer_finish(&file);
    buffer_init(&b, 1000);
    put_map(&b, 2);
    put_u32(&b, "autonomous_system_number", 2);
    put_text(&b, "country_code", "PK");
    make_database(&file, &b, &b);
    write_file(second, "second.mmdb", file.bytes, file.length);
    buffer_finish(&file);
    assert_int_equal(geo_open(&geo, paths, 2, NULL), DL_OK);
    assert_int_equal(find(geo, "1.1.1.1", &place), DL_OK);
    assert_int_equal(place.asn, 1);
    assert_string_equal(place.country, "PK");
    assert_int_equal(find(geo, "200.1.1.1", &place), DL_OK);
    assert_int_equal(place.asn, 2);
    geo_close(geo);
    unlink(first);
    unlink(second);
    buffer_finish(&a);
    buffer_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_database),
        cmocka_unit_test(test_not_a_database),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_odd_values),
        cmocka_unit_test(test_unknown_half_and_no_fields),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_deep_records),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
