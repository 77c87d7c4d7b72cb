// SPDX-License-Identifier: GPL-3.0-or-later
/* Every capture below $DARKLINE_REAL_DATA is read and decoded to its end, or to an error that names
 * it. */
#include "files.h"

#include <ftw.h>
#include <sys/stat.h>

#include "probe/decode/decode.h"

#define OPEN_FOLDERS 16

static unsigned captures, errors;
static uint64_t decoded[DECODE_KIND_COUNT];

static bool name_is_of_interest(const char *path)
{
    static const char *const endings[] = {".pcap", ".pcapng", ".cap", ".gz", ".zst"};
    const char *dot = strrchr(path, '.');
    bool found = false;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]) && dot; i++) {
        found = found || strcmp(dot, endings[i]) == 0;
    }
    return found;
}

static void decode_capture(struct capture *capture, const char *path)
{
    struct decoder *decoder = NULL;
    struct frame frames[CAPTURE_BATCH];
    struct packet packet;
    struct dl_error error = {0};
    size_t count = 0;
    uint64_t frame_count = 0, kind_count = 0;
    int status;
    assert_int_equal(decoder_create(&decoder), DL_OK);
    while ((status = capture_read(capture, frames, CAPTURE_BATCH, 0, &count, &error)) != DL_END) {
        for (size_t i = 0; status == DL_OK && i < count; i++) {
            frame_count++;
            (void)decoder_decode(decoder, &frames[i], &packet);
        }
        if (status != DL_OK) {
            errors++;
            assert_true(status == DL_TRUNCATED || status == DL_MALFORMED);
            assert_non_null(strstr(error.message, path));
        }
    }
    for (unsigned kind = 0; kind < DECODE_KIND_COUNT; kind++) {
        decoded[kind] += decoder_count(decoder, kind);
        kind_count += decoder_count(decoder, kind);
    }
    assert_int_equal(kind_count, frame_count); /* nothing is lost silently */
    decoder_destroy(decoder);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    struct capture *capture = NULL;
    struct dl_error error = {0};
    (void)st;
    (void)ftw;
    if (type == FTW_F && name_is_of_interest(path)) {
        int status = capture_open_file(&capture, path, NULL, &error);
        if (status == DL_OK) {
            captures++;
            decode_capture(capture, path);
            capture_close(capture);
        } else {
            assert_non_null(strstr(error.message, path));
        }
    }
    return 0;
}

static void reads_all_real_captures(void **state)
{
    const char *folder = getenv("DARKLINE_REAL_DATA");
    struct stat st;
    (void)state;
    if (!folder || stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        printf("skipped: no real data (DARKLINE_REAL_DATA)\n");
        skip();
    }
    assert_int_equal(nftw(folder, visit, OPEN_FOLDERS, FTW_PHYS), 0);
    printf("%u captures, %u of them damaged\n", captures, errors);
    for (unsigned kind = 0; kind < DECODE_KIND_COUNT; kind++) {
        printf("%10llu %s\n", (unsigned long long)decoded[kind], decode_kind_text(kind));
    }
    assert_true(captures > 0);
    assert_true(decoded[DECODE_OK] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_all_real_captures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
