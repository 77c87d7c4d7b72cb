// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/blob.h"

#include <string.h>

#include "base/array.h"
#include "base/cursor.h"
#include "base/status.h"
#include "store/blob_fields.h"
#include "store/blob_pace.h"
#include "store/varint.h"

#define SECTION_SIZE_MAX 1024 /* the greatest, of http: 8 varints and 500 bytes of text */

/* ---- numbers in memory ---- */

static uint64_t number_load(const void *at, size_t size)
{
    uint64_t value = 0;

    switch (size) {
    case 1:
        value = *(const uint8_t *)at;
        break;
    case 2:
        value = *(const uint16_t *)at;
        break;
    case 4:
        value = *(const uint32_t *)at;
        break;
    case 8:
        value = *(const uint64_t *)at;
        break;
    }
    return value;
}

static void number_save(void *at, size_t size, uint64_t value)
{
    switch (size) {
    case 1:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)at = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case 8:
        *(uint64_t *)at = value;
        break;
    }
}

static uint64_t number_mask(size_t size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

/* ---- encoding ---- */

static bool bytes_are_zero(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* Writes a text or bytes that are not empty to `at`. Returns how many bytes; -1 where they are. */
static int bytes_encode(const struct field *field, const uint8_t *value, uint8_t *at)
{
    size_t head = 0, length = field->size;

    if (field->kind == FIELD_TEXT) {
        length = strnlen((const char *)value, field->size - 1u);
        head = varint_write(at, length);
    } else if (bytes_are_zero(value, field->size)) {
        length = 0;
    }
    memcpy(at + head, value, length);
    return length > 0 ? (int)(head + length) : -1;
}

/* Writes a field that is not zero to `at`. Returns how many bytes; -1 where it is zero. */
static inline int field_encode(const struct field *field, const void *record, uint8_t *at)
{
    const uint8_t *value = (const uint8_t *)record + field->offset;

    if (field->kind == FIELD_TEXT || field->kind == FIELD_BYTES) {
        return bytes_encode(field, value, at);
    }
    uint64_t number = number_load(value, field->size);
    if (field->kind == FIELD_STEP) {
        uint64_t before = number_load((const uint8_t *)record + field[-1].offset, field->size);
        number = (number - before) & number_mask(field->size);
    }
    if (number == 0) {
        return -1;
    }
    if (field->kind == FIELD_SIGNED) {
        number = zigzag(number, field->size);
    }
    return field->kind == FIELD_BOOL ? 0 : (int)varint_write(at, number);
}

static void section_append(struct buffer *buffer, enum tag tag, const uint8_t *mask,
                           size_t mask_length, const uint8_t *body, size_t body_length)
{
    uint8_t head[1 + VARINT_SIZE_MAX] = {(uint8_t)tag};
    size_t head_length = 1 + varint_write(head + 1, mask_length + body_length);

    buffer_append(buffer, head, head_length);
    buffer_append(buffer, mask, mask_length);
    buffer_append(buffer, body, body_length);
}

/* One struct; nothing where it is all zero, unless that it is there counts. */
static void section_encode(struct buffer *buffer, enum tag tag, const void *record, bool always)
{
    const struct section *section = &blob_sections[tag];
    uint8_t body[SECTION_SIZE_MAX], mask_bytes[VARINT_SIZE_MAX];
    size_t length = 0;
    uint64_t mask = 0;

    for (size_t i = 0; i < section->count; i++) {
        int added = field_encode(&section->fields[i], record, body + length);
        if (added >= 0) {
            mask |= UINT64_C(1) << i;
            length += (size_t)added;
        }
    }
    if (mask != 0 || always) {
        size_t mask_length = varint_write(mask_bytes, mask);
        section_append(buffer, tag, mask_bytes, mask_length, body, length);
    }
}

/* Most flows have nothing of it: seen at a glance. */
static void section_encode_any(struct buffer *buffer, enum tag tag, const void *record, size_t size)
{
    if (!bytes_are_zero(record, size)) {
        section_encode(buffer, tag, record, false);
    }
}

static void evidence_encode(struct buffer *buffer, const struct evidence_facts *evidence)
{
    section_encode(buffer, TAG_EVIDENCE, evidence, true);
    section_encode(buffer, TAG_CLIENT, &evidence->sides[SIDE_CLIENT], false);
    section_encode(buffer, TAG_SERVER, &evidence->sides[SIDE_SERVER], false);
    for (size_t i = 0; i < MIN_OF(evidence->suspect_count, SUSPECTS_MAX); i++) {
        section_encode(buffer, TAG_SUSPECT, &evidence->suspects[i], true);
    }
    section_encode_any(buffer, TAG_ICMP, &evidence->icmp, sizeof(evidence->icmp));
    section_encode_any(buffer, TAG_TLS, &evidence->tls, sizeof(evidence->tls));
    if (!bytes_are_zero((const uint8_t *)&evidence->tls.certificate,
                        sizeof(evidence->tls.certificate))) {
        section_encode(buffer, TAG_CERTIFICATE, &evidence->tls, false);
    }
    section_encode_any(buffer, TAG_HTTP, &evidence->http, sizeof(evidence->http));
}

static void dns_encode(struct buffer *buffer, const struct dns_facts *dns)
{
    section_encode(buffer, TAG_DNS, dns, true);
    for (size_t i = 0; i < MIN_OF(dns->answer_count, DNS_FACTS_ANSWERS); i++) {
        const struct dns_facts_answer *answer = &dns->answers[i];
        section_encode(buffer, TAG_ANSWER, answer, true);
        for (size_t k = 0; k < MIN_OF(answer->address_count, DNS_FACTS_ADDRESSES); k++) {
            const struct address *address = &answer->addresses[k];
            size_t skip = address_is_v4(address) ? 12 : 0;
            section_append(buffer, TAG_ADDRESS, NULL, 0, address->bytes + skip, 16 - skip);
        }
    }
}

static void pace_encode(struct buffer *buffer, const struct pace_facts *pace)
{
    uint8_t body[BLOB_PACE_BODY_MAX];

    section_encode(buffer, TAG_PACE, pace, true);
    section_append(buffer, TAG_PACE_BINS, NULL, 0, body, blob_pace_encode_bins(pace, body));
    section_append(buffer, TAG_PACE_LOSSES, NULL, 0, body, blob_pace_encode_losses(pace, body));
}

void blob_encode(struct buffer *buffer, const struct observation *observation)
{
    bool has_pace = observation->pace.bin_count > 0;
    bool has_path = !observation->evidence.present && observation->path.handshake_rtt_us != 0;

    if (!observation->evidence.present && !observation->dns.present && !has_path && !has_pace &&
        !observation->import.present) {
        return;
    }
    buffer_append_u8(buffer, BLOB_VERSION);
    if (has_path) {
        section_encode(buffer, TAG_PATH, &observation->path, false);
    }
    if (observation->evidence.present) {
        evidence_encode(buffer, &observation->evidence);
    }
    if (observation->dns.present) {
        dns_encode(buffer, &observation->dns);
    }
    if (has_pace) {
        pace_encode(buffer, &observation->pace);
    }
    if (observation->import.present) {
        section_encode(buffer, TAG_IMPORT, &observation->import, true);
    }
}

/* ---- decoding ---- */

static void text_decode(const struct field *field, struct cursor *cursor, char *text)
{
    uint64_t length = varint_read(cursor);

    if (length >= field->size) {
        cursor->failed = true;
        return;
    }
    const uint8_t *bytes = cursor_bytes(cursor, (size_t)length);
    if (!bytes || memchr(bytes, '\0', (size_t)length)) {
        cursor->failed = true;
        return;
    }
    memcpy(text, bytes, (size_t)length);
}

static void number_decode(const struct field *field, struct cursor *cursor, bool there,
                          uint8_t *record)
{
    uint64_t limit = field->maximum ? field->maximum : number_mask(field->size);
    uint64_t number = !there ? 0 : field->kind == FIELD_BOOL ? 1 : varint_read(cursor);

    if (number > limit) {
        cursor->failed = true;
        return;
    }
    if (field->kind == FIELD_STEP) {
        number += number_load(record + field[-1].offset, field->size);
    } else if (field->kind == FIELD_SIGNED) {
        number = zagzig(number);
    }
    number_save(record + field->offset, field->size, number);
}

static void field_decode(const struct field *field, struct cursor *cursor, bool there,
                         uint8_t *record)
{
    uint8_t *value = record + field->offset;

    switch (field->kind) {
    case FIELD_TEXT:
        memset(value, 0, field->size);
        if (there) {
            text_decode(field, cursor, (char *)value);
        }
        break;
    case FIELD_BYTES:
        memset(value, 0, field->size);
        const uint8_t *bytes = there ? cursor_bytes(cursor, field->size) : NULL;
        if (bytes) {
            memcpy(value, bytes, field->size);
        }
        break;
    default:
        number_decode(field, cursor, there, record);
    }
}

/* Every field of the struct is written: what is not in the section becomes zero. */
static void section_decode(struct cursor *cursor, const struct section *section, uint8_t *record)
{
    uint64_t mask = varint_read(cursor);

    for (size_t i = 0; i < section->count && cursor_ok(cursor); i++) {
        field_decode(&section->fields[i], cursor, mask >> i & 1, record);
    }
    /* More only where a newer writer has more fields. */
    if (mask >> section->count == 0 && cursor_left(cursor) > 0) {
        cursor->failed = true;
    }
}

/* The struct that a section of evidence fills, NULL where there is no place for it. */
static void *evidence_place(struct evidence_facts *evidence, enum tag tag)
{
    if (tag == TAG_EVIDENCE) {
        evidence->present = true;
    }
    if (!evidence->present) {
        return NULL;
    }
    switch (tag) {
    case TAG_EVIDENCE:
        return evidence;
    case TAG_CLIENT:
        return &evidence->sides[SIDE_CLIENT];
    case TAG_SERVER:
        return &evidence->sides[SIDE_SERVER];
    case TAG_SUSPECT:
        return evidence->suspect_count < SUSPECTS_MAX
                   ? &evidence->suspects[evidence->suspect_count++]
                   : NULL;
    case TAG_ICMP:
        return &evidence->icmp;
    case TAG_TLS:
    case TAG_CERTIFICATE:
        return &evidence->tls;
    case TAG_HTTP:
        return &evidence->http;
    default:
        return NULL;
    }
}

static void *dns_place(struct dns_facts *dns, enum tag tag)
{
    void *place = NULL;

    if (tag == TAG_DNS) {
        dns->present = true;
        place = dns;
    } else if (dns->present && dns->answer_count < DNS_FACTS_ANSWERS) {
        place = &dns->answers[dns->answer_count++];
    }
    return place;
}

static bool address_decode(struct cursor *cursor, struct dns_facts *dns)
{
    size_t length = cursor_left(cursor);
    struct dns_facts_answer *answer;

    if (dns->answer_count == 0 || (length != 4 && length != 16)) {
        return false;
    }
    answer = &dns->answers[dns->answer_count - 1];
    if (answer->address_count == DNS_FACTS_ADDRESSES) {
        return false;
    }
    struct address *address = &answer->addresses[answer->address_count++];
    const uint8_t *bytes = cursor_bytes(cursor, length);
    if (length == 4) {
        *address = address_from_v4(bytes);
    } else {
        memcpy(address->bytes, bytes, 16);
    }
    return true;
}

static bool tag_decode(uint8_t tag, struct cursor *cursor, struct observation *observation)
{
    void *place;

    if (tag == 0 || tag >= TAG_COUNT) {
        return true; /* of a newer writer */
    }
    if (tag == TAG_ADDRESS) {
        return address_decode(cursor, &observation->dns);
    }
    if (tag == TAG_PACE_BINS) {
        return blob_pace_decode_bins(cursor, &observation->pace);
    }
    if (tag == TAG_PACE_LOSSES) {
        return blob_pace_decode_losses(cursor, &observation->pace);
    }
    if (tag == TAG_PACE) {
        place = &observation->pace;
    } else if (tag == TAG_PATH) {
        place = &observation->path;
    } else if (tag == TAG_IMPORT) {
        observation->import.present = true;
        place = &observation->import;
    } else if (tag == TAG_DNS || tag == TAG_ANSWER) {
        place = dns_place(&observation->dns, (enum tag)tag);
    } else {
        place = evidence_place(&observation->evidence, (enum tag)tag);
    }
    if (place) {
        section_decode(cursor, &blob_sections[tag], place);
    }
    return place && cursor_ok(cursor);
}

static int blob_read(struct cursor *cursor, struct observation *observation)
{
    uint8_t version = cursor_u8(cursor);

    if (version == 0 || version > BLOB_VERSION) {
        return version == 0 ? DL_MALFORMED : DL_VERSION;
    }
    while (cursor_left(cursor) > 0) {
        uint8_t tag = cursor_u8(cursor);
        uint64_t size = varint_read(cursor);
        if (!cursor_ok(cursor) || size > cursor_left(cursor)) {
            return DL_MALFORMED;
        }
        struct cursor section = cursor_sub(cursor, (size_t)size);
        if (!tag_decode(tag, &section, observation)) {
            return DL_MALFORMED;
        }
    }
    return DL_OK;
}

static void facts_clear(struct observation *observation)
{
    memset(&observation->evidence, 0, sizeof(observation->evidence));
    memset(&observation->dns, 0, sizeof(observation->dns));
    memset(&observation->path, 0, sizeof(observation->path));
    memset(&observation->pace, 0, sizeof(observation->pace));
    memset(&observation->import, 0, sizeof(observation->import));
}

int blob_decode(const void *bytes, size_t length, struct observation *observation)
{
    struct cursor cursor = cursor_init(bytes, length);
    int status = DL_OK;

    facts_clear(observation);
    if (length > 0) {
        status = blob_read(&cursor, observation);
    }
    if (status != DL_OK) {
        facts_clear(observation);
    }
    if (observation->pace.bin_count == 0) { /* without bins there is no pace */
        memset(&observation->pace, 0, sizeof(observation->pace));
    }
    return status;
}
