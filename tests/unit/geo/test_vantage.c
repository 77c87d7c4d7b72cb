// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "geo/vantage.h"

static char folder[64];
static struct catalog *catalog;

static void write_file(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_carrier(const char *id, const char *more)
{
    char name[64], text[1024];

    snprintf(name, sizeof(name), "catalog/carriers/%s.yaml", id);
    snprintf(text, sizeof(text),
             "id: %s\nname: %s\nowner: %s\n%ssources:\n"
             "  - {id: s, title: A document, checked: 2026-11-21}\n",
             id, id, id, more);
    write_file(name, text);
}

static int make_all(void **state)
{
    static const char *const folders[] = {"catalog", "catalog/services", "catalog/carriers"};
    char path[128];
    struct dl_error error = {0};

    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/darkline-vantage-XXXXXX");
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    write_file("catalog/services/some.yaml",
               "id: some\nname: Some\nclass: messaging\noperator: O\nsummary: S.\nsources:\n"
               "  - {id: s, title: T, checked: 2026-11-21}\n"
               "names:\n  - {suffix: some.example, role: web, source: s}\n");
    write_carrier("fixed-one", "country: PK\nnetwork: fixed\nasns:\n"
                               "  - {asn: 64500, source: s}\n  - {asn: 64501, source: s}\n"
                               "prefixes:\n  - {block: 39.32.0.0/11, source: s}\n");
    write_carrier("mobile-two", "country: AE\nnetwork: mobile\nasns:\n"
                                "  - {asn: 64510, until: 2015-12-31, source: s}\n"
                                "prefixes:\n  - {block: 154.80.0.0/17, source: s}\n");
    write_carrier("both-three", "country: PK\nprefixes:\n"
                                "  - {block: 119.152.0.0/16, source: s}\n");
    snprintf(path, sizeof(path), "%s/catalog", folder);
    if (catalog_load(&catalog, path, &error) != DL_OK) {
        fail_msg("%s", error.message);
    }
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static int remove_all(void **state)
{
    (void)state;
    catalog_destroy(catalog);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct address address_of(const char *text)
{
    struct address address;

    assert_int_equal(address_parse(text, &address), DL_OK);
    return address;
}

static int read_text(const char *text, struct vantage_draft *draft, struct dl_error *error)
{
    char path[128];

    write_file("x.vantage.yaml", text);
    snprintf(path, sizeof(path), "%s/x.vantage.yaml", folder);
    memset(error, 0, sizeof(*error));
    return vantage_read(draft, path, error);
}

/* ---- reading ---- */

static void test_read_all_fields(void **state)
{
    struct vantage_draft draft;
    struct dl_error error;
    struct address v4 = address_of("39.49.96.7"), v6 = address_of("2407:d000:77::9"),
                   other = address_of("39.49.97.7");

    (void)state;
    assert_int_equal(read_text("probe_id: lab-1\ncarrier: fixed-one\nasn: 4200000000\n"
                               "country: PK\nnetwork: fixed\nposition: subscriber\n"
                               "clock: unsynchronised\norigin: composed\nlocal_networks:\n"
                               "  - 39.49.96.0/24\n  - \"2407:d000:77::/64\"\n",
                               &draft, &error),
                     DL_OK);
    assert_int_equal(draft.set, 511);
    assert_string_equal(draft.vantage.probe_id, "lab-1");
    assert_string_equal(draft.vantage.carrier, "fixed-one");
    assert_true(draft.vantage.asn == 4200000000);
    assert_string_equal(draft.vantage.country, "PK");
    assert_int_equal(draft.vantage.network, NETWORK_FIXED);
    assert_int_equal(draft.vantage.position, POSITION_SUBSCRIBER);
    assert_int_equal(draft.vantage.clock, CLOCK_UNSYNCHRONISED);
    assert_int_equal(draft.vantage.origin, ORIGIN_COMPOSED);
    assert_int_equal(draft.vantage.local_network_count, 2);
    assert_true(vantage_is_local(&draft.vantage, &v4));
    assert_true(vantage_is_local(&draft.vantage, &v6));
    assert_false(vantage_is_local(&draft.vantage, &other));
}

/* A field that is there with its enumeration's zero is not a missing one. */
static void test_read_some_fields(void **state)
{
    struct vantage_draft draft;
    struct dl_error error;

    (void)state;
    assert_int_equal(read_text("# who\norigin: field\nclock: unknown\n", &draft, &error), DL_OK);
    assert_int_equal(draft.set, VANTAGE_ORIGIN | VANTAGE_CLOCK);
    assert_int_equal(read_text("asn: 1\n", &draft, &error), DL_OK);
    assert_int_equal(draft.set, VANTAGE_ASN);
    assert_int_equal(read_text("asn: 1\nlocal_networks: []\n", &draft, &error), DL_OK);
    assert_int_equal(draft.set, VANTAGE_ASN);
}

static void test_every_word(void **state)
{
    static const struct {
        const char *key;
        enum word_kind kind;
        unsigned count;
    } keys[] = {{"network", WORD_NETWORK, 4},
                {"position", WORD_POSITION, 4},
                {"clock", WORD_CLOCK, 3},
                {"origin", WORD_ORIGIN, 4}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        for (unsigned value = 0; value < keys[i].count; value++) {
            const char *word = word_text(keys[i].kind, value);
            struct vantage_draft draft;
            struct dl_error error;
            char text[64];
            if (!word) {
                continue;
            }
            snprintf(text, sizeof(text), "%s: %s\n", keys[i].key, word);
            assert_int_equal(read_text(text, &draft, &error), DL_OK);
            const unsigned read[] = {draft.vantage.network, draft.vantage.position,
                                     draft.vantage.clock, draft.vantage.origin};
            assert_int_equal(read[i], value);
        }
    }
}

static void refuse(const char *text, const char *line)
{
    struct vantage_draft draft = {.set = 12345};
    struct dl_error error;

    assert_int_equal(read_text(text, &draft, &error), DL_MALFORMED);
    assert_int_equal(draft.set, 12345);
    if (!strstr(error.message, line) || !strstr(error.message, "x.vantage.yaml: ")) {
        fail_msg("'%s' has no '%s' or no file", error.message, line);
    }
}

static void test_refusals(void **state)
{
    char text[2048] = "local_networks:\n";

    (void)state;
    refuse("", "nothing");
    refuse("# nothing\n", "nothing");
    refuse("country: PK\ncolour: red\n", "line 2");
    refuse("country: PK\nPROBE_ID: x\n", "line 2");
    refuse("country: PK\ncountry: AE\n", "line 2");
    refuse("asn: 17557\n\nnetwork: wireless\n", "line 3");
    refuse("asn: PTCL\n", "line 1");
    refuse("asn: -5\n", "line 1");
    refuse("asn: 4294967296\n", "line 1");
    refuse("country: PK\nasn: 0\n", "line 2");
    refuse("asn: 1\ncountry: PAK\n", "line 2");
    refuse("asn: 1\ncountry: pk\n", "line 2");
    refuse("asn: 1\ncountry:\n", "line 2");
    refuse("asn: 1\ncarrier: The PTCL\n", "line 2");
    refuse("asn: 1\nprobe_id: \"a\\nb\"\n", "probe_id");
    refuse("local_networks:\n  - 39.49.96.0/24\n  - 39.49.96.1/24\n", "line 3");
    refuse("local_networks:\n  - somewhere\n", "line 2");
    refuse("local_networks: 39.49.96.0/24\n", "line 1");
    refuse("- asn: 1\n", "line 1");
    refuse("asn: [1\n", "line");
    refuse("a: &x 1\nasn: *x\n", "line");
    refuse("asn: 1\n---\nasn: 2\n", "line");
    refuse("probe_id: 1234567890123456789012345678901234567890123456789012345678901234\n",
           "line 1");
    for (int i = 0; i <= VANTAGE_NETWORKS_MAX; i++) {
        sprintf(text + strlen(text), "  - 10.%d.0.0/16\n", i);
    }
    refuse(text, "line");
}

static void test_no_file(void **state)
{
    struct vantage_draft draft;
    struct dl_error error = {0};

    (void)state;
    assert_int_equal(vantage_read(&draft, "/nonexistent/x.vantage.yaml", &error), -ENOENT);
    assert_non_null(strstr(error.message, "/nonexistent/x.vantage.yaml"));
    assert_true(vantage_read(&draft, folder, &error) < 0);
}

static void test_real_files(void **state)
{
    const char *source = getenv("DARKLINE_SOURCE");
    char pattern[512];
    glob_t found = {0};

    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/pcaps/*.vantage.yaml", source ? source : ".");
    glob(pattern, 0, NULL, &found);
    snprintf(pattern, sizeof(pattern), "%s/pcaps/lab/*.vantage.yaml", source ? source : ".");
    glob(pattern, GLOB_APPEND, NULL, &found);
    if (found.gl_pathc == 0) {
        globfree(&found);
        print_message("skipped: no vantage files in %s\n", pattern);
        skip();
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct vantage_draft draft;
        struct dl_error error = {0};
        if (vantage_read(&draft, found.gl_pathv[i], &error) != DL_OK) {
            fail_msg("%s", error.message);
        }
        assert_true(draft.vantage.origin == ORIGIN_LAB || draft.vantage.origin == ORIGIN_COMPOSED);
        assert_true(draft.set & VANTAGE_LOCAL_NETWORKS);
    }
    globfree(&found);
}

/* ---- beside which file ---- */

static void test_path(void **state)
{
    static const char *const pairs[][2] = {
        {"dir/demo.pcap", "dir/demo.vantage.yaml"},
        {"dir/demo.pcap.zst", "dir/demo.vantage.yaml"},
        {"dir/demo.pcapng.gz", "dir/demo.vantage.yaml"},
        {"DEMO.PCAP", "DEMO.vantage.yaml"},
        {"/a.b/demo.x.pcapng", "/a.b/demo.x.vantage.yaml"},
        {"demo.pcap12", "demo.vantage.yaml"},
        {"demo12.cap", "demo12.vantage.yaml"},
        {"demo2015", "demo2015.vantage.yaml"},
        {"/dir.pcap/demo", "/dir.pcap/demo.vantage.yaml"},
        {".pcap", ".pcap.vantage.yaml"},
    };
    char path[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        assert_true(vantage_path(path, sizeof(path), pairs[i][0]));
        assert_string_equal(path, pairs[i][1]);
    }
    assert_false(vantage_path(path, 17, "demo.pcap.zst"));
    assert_true(vantage_path(path, 18, "demo.pcap.zst"));
    assert_false(vantage_path(path, sizeof(path), ""));
    assert_false(vantage_path(path, sizeof(path), "dir/"));
}

/* ---- merging ---- */

static void test_merge(void **state)
{
    struct vantage_draft draft, other;
    struct dl_error error;

    (void)state;
    assert_int_equal(read_text("asn: 1\norigin: field\n", &draft, &error), DL_OK);
    assert_int_equal(read_text("asn: 2\norigin: lab\ncountry: PK\nclock: synchronised\n"
                               "local_networks: [39.49.96.0/24]\n",
                               &other, &error),
                     DL_OK);
    vantage_merge(&draft, &other);
    assert_int_equal(draft.vantage.asn, 1);
    assert_int_equal(draft.vantage.origin, ORIGIN_FIELD);
    assert_string_equal(draft.vantage.country, "PK");
    assert_int_equal(draft.vantage.clock, CLOCK_SYNCHRONISED);
    assert_int_equal(draft.vantage.local_network_count, 1);
    assert_int_equal(draft.set, VANTAGE_ASN | VANTAGE_ORIGIN | VANTAGE_COUNTRY | VANTAGE_CLOCK |
                                    VANTAGE_LOCAL_NETWORKS);
    /* What is open stays open, whatever lies in it. */
    other = (struct vantage_draft){.vantage = {.network = NETWORK_MOBILE}};
    vantage_merge(&draft, &other);
    assert_int_equal(draft.vantage.network, NETWORK_NONE);
}

/* ---- the vote ---- */

static void vote(struct vantage_votes *votes, const char *client, unsigned times)
{
    struct address address = address_of(client);

    for (unsigned i = 0; i < times; i++) {
        vantage_vote(votes, NULL, catalog, &address, 0);
    }
}

static void test_vote_by_prefixes(void **state)
{
    struct vantage_votes votes = {0};
    struct vantage_draft draft = {0};

    (void)state;
    vote(&votes, "39.49.96.7", 2);
    vote(&votes, "39.50.1.1", 1);
    vote(&votes, "154.80.1.1", 2);
    vote(&votes, "10.1.1.1", 50);
    vote(&votes, "100.64.1.1", 50);
    assert_int_equal(votes.total, 5);
    assert_int_equal(votes.count, 2);
    vantage_settle(&draft, &votes, catalog, 0);
    assert_int_equal(draft.set, VANTAGE_CARRIER | VANTAGE_COUNTRY | VANTAGE_NETWORK);
    assert_string_equal(draft.vantage.carrier, "fixed-one");
    assert_string_equal(draft.vantage.country, "PK");
    assert_int_equal(draft.vantage.network, NETWORK_FIXED);
}

static void test_vote_without_majority(void **state)
{
    struct vantage_votes votes = {0};
    struct vantage_draft draft = {0};

    (void)state;
    vantage_settle(&draft, &votes, catalog, 0);
    assert_int_equal(draft.set, 0);
    vote(&votes, "39.49.96.7", 2);
    vote(&votes, "154.80.1.1", 2);
    vantage_settle(&draft, &votes, catalog, 0);
    assert_int_equal(draft.set, 0);
    /* Two carriers of one country: at least the country is sure. */
    vote(&votes, "119.152.1.1", 1);
    vantage_settle(&draft, &votes, catalog, 0);
    assert_int_equal(draft.set, VANTAGE_COUNTRY);
    assert_string_equal(draft.vantage.country, "PK");
    /* Strangers are voters too. */
    memset(&draft, 0, sizeof(draft));
    memset(&votes, 0, sizeof(votes));
    vote(&votes, "39.49.96.7", 2);
    vote(&votes, "203.0.113.9", 2);
    vantage_settle(&draft, &votes, catalog, 0);
    assert_int_equal(draft.set, 0);
    vantage_settle(&draft, &votes, NULL, 0);
    assert_int_equal(draft.set, 0);
}

static void test_votes_bounded(void **state)
{
    struct vantage_votes votes = {.count = VANTAGE_VOTES_MAX};

    (void)state;
    for (uint32_t i = 0; i < VANTAGE_VOTES_MAX; i++) {
        votes.places[i].asn = i + 1;
        votes.places[i].votes = 1;
    }
    vote(&votes, "39.49.96.7", 9);
    assert_int_equal(votes.count, VANTAGE_VOTES_MAX);
    assert_int_equal(votes.total, 9);
}

static void test_settle_by_asn(void **state)
{
    struct vantage_votes votes = {.count = 3, .total = 5};
    struct vantage_draft draft = {0};
    uint16_t fixed_one = catalog_carrier_find(catalog, "fixed-one")->number;

    (void)state;
    /* No number has more than half, but one carrier has two of them. */
    for (int i = 0; i < 3; i++) {
        votes.places[i].asn = i < 2 ? 64500 + (uint32_t)i : 65000;
        votes.places[i].carrier = i < 2 ? fixed_one : 0;
        strcpy(votes.places[i].country, "PK");
        votes.places[i].votes = i < 2 ? 2 : 1;
    }
    vantage_settle(&draft, &votes, catalog, 0);
    assert_false(draft.set & VANTAGE_ASN);
    assert_string_equal(draft.vantage.carrier, "fixed-one");
    /* A number the catalog does not have. */
    memset(&draft, 0, sizeof(draft));
    votes.places[2].votes = 5;
    votes.total = 9;
    vantage_settle(&draft, &votes, catalog, 0);
    assert_int_equal(draft.vantage.asn, 65000);
    assert_string_equal(draft.vantage.carrier, "as65000");
    assert_string_equal(draft.vantage.country, "PK");
    assert_false(draft.set & VANTAGE_NETWORK);
    /* Somebody gave the carrier: another one's number is not his. */
    memset(&draft, 0, sizeof(draft));
    strcpy(draft.vantage.carrier, "mobile-two");
    draft.set = VANTAGE_CARRIER;
    vantage_settle(&draft, &votes, catalog, 0);
    assert_false(draft.set & VANTAGE_ASN);
    assert_string_equal(draft.vantage.country, "AE");
    assert_int_equal(draft.vantage.network, NETWORK_MOBILE);
    strcpy(draft.vantage.carrier, "as65000");
    vantage_settle(&draft, &votes, catalog, 0);
    assert_int_equal(draft.vantage.asn, 65000);
}

static void test_settle_given(void **state)
{
    struct vantage_votes votes = {0};
    struct vantage_draft draft = {.vantage = {.asn = 64510}, .set = VANTAGE_ASN};
    int64_t in_2015 = INT64_C(1448900000) * 1000000, in_2020 = INT64_C(1600000000) * 1000000;

    (void)state;
    vote(&votes, "39.49.96.7", 5);
    vantage_settle(&draft, &votes, catalog, in_2015);
    assert_string_equal(draft.vantage.carrier, "mobile-two");
    assert_int_equal(draft.vantage.network, NETWORK_MOBILE);
    /* The number was his until 2015. */
    draft = (struct vantage_draft){.vantage = {.asn = 64510}, .set = VANTAGE_ASN};
    vantage_settle(&draft, &votes, catalog, in_2020);
    assert_string_equal(draft.vantage.carrier, "as64510");
    /* At a server the clients are from anywhere. */
    draft =
        (struct vantage_draft){.vantage = {.position = POSITION_SERVER}, .set = VANTAGE_POSITION};
    vantage_settle(&draft, &votes, catalog, in_2020);
    assert_int_equal(draft.set, VANTAGE_POSITION);
}

static void test_vote_by_database(void **state)
{
    const char *data = getenv("DARKLINE_REAL_DATA");
    char path[512];
    const char *paths[] = {path};
    struct geo *geo = NULL;
    struct vantage_votes votes = {0};
    struct vantage_draft draft = {0};
    struct address ptcl = address_of("39.49.96.7"), jazz = address_of("154.80.64.1");

    (void)state;
    snprintf(path, sizeof(path), "%s/geo/ip-location-db-asn.mmdb", data ? data : "");
    if (access(path, R_OK) != 0) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    assert_int_equal(geo_open(&geo, paths, 1, NULL), DL_OK);
    for (int i = 0; i < 3; i++) {
        vantage_vote(&votes, geo, catalog, &ptcl, 0);
    }
    vantage_vote(&votes, geo, catalog, &jazz, 0);
    vantage_settle(&draft, &votes, catalog, 0);
    assert_int_equal(draft.vantage.asn, 17557);
    assert_string_equal(draft.vantage.carrier, "as17557");
    /* This database has no countries and the catalog not this number. */
    assert_false(draft.set & VANTAGE_COUNTRY);
    geo_close(geo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_all_fields),
        cmocka_unit_test(test_read_some_fields),
        cmocka_unit_test(test_every_word),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_real_files),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_vote_by_prefixes),
        cmocka_unit_test(test_vote_without_majority),
        cmocka_unit_test(test_votes_bounded),
        cmocka_unit_test(test_settle_by_asn),
        cmocka_unit_test(test_settle_given),
        cmocka_unit_test(test_vote_by_database),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
