// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/data/csv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "reports/data/data_json.h"
#include "base/text.h"

#define NUMBER_SIZE 40

static void begin_cell(struct csv *csv)
{
    if (csv->begun)
        putc(',', csv->file);
    csv->begun = true;
}

/* The full-width forms are formulas where Chinese or Japanese is written. */
static bool begins_formula(uint32_t character)
{
    static const uint32_t signs[] = {'=', '+', '-', '@', 0xff1d, 0xff0b, 0xff0d, 0xff20};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (character == signs[i])
            return true;
    return character == '\t' || character == '\r' || character == '\n';
}

static bool separates(uint32_t character)
{
    return character < 0x80 && character != 0 && strchr(",;|\t\r\n", (int)character) != NULL;
}

/* Most cells are plain words, and there are millions of them. */
static bool is_plain(const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:-";

    return text[0] != '-' && text[strspn(text, plain)] == '\0';
}

void csv_text(struct csv *csv, const char *text)
{
    bool quoted, at_start = true;
    char bytes[TEXT_CHARACTER_SIZE];

    begin_cell(csv);
    if (!text || !text[0])
        return;
    if (is_plain(text)) {
        fputs(text, csv->file);
        return;
    }
    quoted = strpbrk(text, ",;|\"\r\n") != NULL;
    if (quoted)
        putc('"', csv->file);
    for (uint32_t character; (character = text_next(&text)) != 0;) {
        if (at_start && begins_formula(character))
            putc('\'', csv->file);
        at_start = separates(character) || (at_start && (character == ' ' || character == '"'));
        if (character == '"')
            putc('"', csv->file);
        text_escape(character, bytes, NULL);
        fputs(bytes, csv->file);
    }
    if (quoted)
        putc('"', csv->file);
}

void csv_count(struct csv *csv, uint64_t value)
{
    csv_known(csv, value, true);
}

void csv_known(struct csv *csv, uint64_t value, bool known)
{
    begin_cell(csv);
    if (known)
        fprintf(csv->file, "%" PRIu64, value);
}

void csv_number(struct csv *csv, double value)
{
    char text[NUMBER_SIZE];

    begin_cell(csv);
    if (!isfinite(value))
        return;
    snprintf(text, sizeof(text), "%.6g", value);
    char *comma = strchr(text, ','); /* where the locale writes one */
    if (comma)
        *comma = '.';
    fputs(text, csv->file);
}

void csv_hour(struct csv *csv, int64_t time_us)
{
    char text[DATA_HOUR_SIZE];
    csv_text(csv, data_hour(time_us, text));
}

void csv_hour_up(struct csv *csv, int64_t time_us)
{
    char text[DATA_HOUR_SIZE];
    csv_text(csv, data_hour_up(time_us, text));
}

void csv_end(struct csv *csv)
{
    fputs("\r\n", csv->file);
    csv->begun = false;
}
