// SPDX-License-Identifier: GPL-3.0-or-later
/* Databases of real data; skipped where they are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "tests/unit/geo/files.h"

static const char *real_path(const char *name)
{
    static char path[512];
    const char *data = getenv("DARKLINE_REAL_DATA");

    snprintf(path, sizeof(path), "%s/geo/%s", data ? data : "", name);
    if (access(path, R_OK) != 0) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    return path;
}

static struct geo *open_real(const char *name)
{
    const char *path = real_path(name);
    struct dl_error error = {0};
    struct geo *geo = NULL;

    if (geo_open(&geo, &path, 1, &error) != DL_OK) {
        fail_msg("%s", error.message);
    }
    return geo;
}

static void read_file(struct buffer *out, const char *path)
{
    char chunk[4096];
    size_t got;
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    buffer_init(out, FILE_MOST);
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        buffer_append(out, chunk, got);
    }
    fclose(file);
}

static void test_real_layouts(void **state)
{
    struct geo *geo = open_real("maxmind_test/GeoLite2-ASN-Test.mmdb");
    struct geo_place place;

    (void)state;
    assert_int_equal(find(geo, "1.128.0.0", &place), DL_OK);
    assert_int_equal(place.asn, 1221);
    assert_string_equal(place.organisation, "Telstra Pty Ltd");
    assert_string_equal(place.country, "");
    assert_int_equal(find(geo, "2600:6000::1", &place), DL_OK);
    assert_int_equal(place.asn, 237);
    assert_string_equal(geo_database_at(geo, 0)->type, "GeoLite2-ASN");
    geo_close(geo);
    geo = open_real("maxmind_test/GeoLite2-City-Test.mmdb");
    assert_int_equal(find(geo, "81.2.69.142", &place), DL_OK);
    assert_string_equal(place.country, "GB");
    assert_int_equal(place.asn, 0);
    geo_close(geo);
    geo = open_real("maxmind_test/GeoLite2-Country-Test.mmdb");
    assert_int_equal(find(geo, "2001:218::1", &place), DL_OK);
    assert_string_equal(place.country, "JP");
    assert_int_equal(find(geo, "8.8.8.8", &place), DL_NOT_FOUND);
    geo_close(geo);
    geo = open_real("maxmind_test/GeoIP2-ISP-Test.mmdb");
    assert_int_equal(find(geo, "1.128.0.0", &place), DL_OK);
    assert_int_equal(place.asn, 1221);
    geo_close(geo);
    geo = open_real("iptoasn-country.mmdb");
    assert_int_equal(find(geo, "39.49.96.1", &place), DL_OK);
    assert_string_equal(place.country, "PK");
    geo_close(geo);
}

static void test_real_refusals(void **state)
{
    static const struct {
        const char *name;
        int status;
    } files[] = {{"maxmind_test/corrupt/GeoIP2-City-Test-Invalid-Node-Count.mmdb", DL_CORRUPT},
                 {"maxmind_test/corrupt/GeoIP2-City-Test-Broken-Double-Format.mmdb", DL_CORRUPT},
                 {"maxmind_test/corrupt/MaxMind-DB-test-broken-pointers-24.mmdb", DL_CORRUPT},
                 {"maxmind_test/corrupt/MaxMind-DB-test-broken-search-tree-24.mmdb", DL_CORRUPT},
                 {"maxmind_test/GeoIP2-Anonymous-IP-Test.mmdb", DL_UNSUPPORTED},
                 {"maxmind_test/GeoIP2-Connection-Type-Test.mmdb", DL_UNSUPPORTED}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        const char *path = real_path(files[i].name);
        struct dl_error error = {0};
        struct geo *geo = NULL;
        assert_int_equal(geo_open(&geo, &path, 1, &error), files[i].status);
        assert_int_equal(error.status, files[i].status);
        assert_non_null(strstr(error.message, path));
        assert_null(geo);
    }
}

static void test_real_truncated(void **state)
{
    struct buffer file;
    struct dl_error error = {0};
    struct geo *geo = NULL;

    (void)state;
    read_file(&file, real_path("maxmind_test/GeoLite2-ASN-Test.mmdb"));
    for (size_t length = 0; length < file.length; length += 97) {
        assert_int_equal(open_bytes(&geo, file.bytes, length, &error), DL_CORRUPT);
    }
    assert_null(geo);
    buffer_finish(&file);
}

/* Bytes changed anywhere: opened or refused, asked or refused, but never a crash. */
static void test_real_mutated(void **state)
{
    static const char *const names[] = {"maxmind_test/GeoLite2-ASN-Test.mmdb",
                                        "maxmind_test/GeoLite2-City-Test.mmdb"};
    static const char *const asked[] = {"1.128.0.0", "81.2.69.142", "2600:6000::1", "2001:218::1",
                                        "89.160.20.112"};
    struct buffer file;
    struct geo_place place;
    unsigned refused = 0, seed = 12345;

    (void)state;
    for (unsigned round = 0; round < 600; round++) {
        struct geo *geo = NULL;
        read_file(&file, real_path(names[round % 2]));
        for (unsigned i = 0; i <= round % 4; i++) {
            file.bytes[(size_t)rand_r(&seed) % file.length] = (char)rand_r(&seed);
        }
        if (open_bytes(&geo, file.bytes, file.length, NULL) == DL_OK) {
            for (size_t i = 0; i < ARRAY_LENGTH(asked); i++) {
                int status = find(geo, asked[i], &place);
                assert_true(status == DL_OK || status == DL_NOT_FOUND || status == DL_CORRUPT);
            }
        } else {
            refused++;
        }
        geo_close(geo);
        buffer_finish(&file);
    }
    print_message("%u of 600 refused when opened\n", refused);
}

/* Column `wanted` of a line of CSV, quotes taken off. */
static void csv_column(const char *line, int wanted, char *ret_text, size_t size)
{
    bool quoted = false;
    size_t length = 0;
    int column = 0;

    for (const char *c = line; *c && *c != '\n' && column <= wanted; c++) {
        if (*c == '"') {
            quoted = !quoted;
        } else if (*c == ',' && !quoted) {
            column++;
        } else if (column == wanted && length + 1 < size) {
            ret_text[length++] = *c;
        }
    }
    ret_text[length] = '\0';
}

static void test_real_carriers(void **state)
{
    const char *paths[2];
    char asn_path[512], country_path[512], csv_path[512], line[1024], text[64];
    struct geo *geo = NULL;
    struct geo_place place;
    unsigned rows = 0;
    FILE *csv;

    (void)state;
    snprintf(asn_path, sizeof(asn_path), "%s", real_path("ip-location-db-asn.mmdb"));
    snprintf(country_path, sizeof(country_path), "%s", real_path("iptoasn-country.mmdb"));
    snprintf(csv_path, sizeof(csv_path), "%s", real_path("pk_carriers.csv"));
    paths[0] = asn_path;
    paths[1] = country_path;
    assert_int_equal(geo_open(&geo, paths, 2, NULL), DL_OK);
    assert_int_equal(geo_database_count(geo), 2);
    csv = fopen(csv_path, "r");
    assert_non_null(csv);
    assert_non_null(fgets(line, sizeof(line), csv));
    while (fgets(line, sizeof(line), csv)) {
        csv_column(line, 4, text, sizeof(text));
        assert_int_equal(find(geo, text, &place), DL_OK);
        csv_column(line, 0, text, sizeof(text));
        assert_int_equal(place.asn, strtoul(text, NULL, 10));
        assert_true(place.organisation[0] != '\0');
        csv_column(line, 9, text, sizeof(text));
        assert_string_equal(place.country, text);
        rows++;
    }
    assert_true(rows > 40);
    fclose(csv);
    geo_close(geo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_layouts),   cmocka_unit_test(test_real_refusals),
        cmocka_unit_test(test_real_truncated), cmocka_unit_test(test_real_mutated),
        cmocka_unit_test(test_real_carriers),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
