// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/dns.h"

#include "base/cursor.h"

#define HEADER_SIZE 12
#define JUMPS_MAX                                                                                  \
    32 /* a name needs as many as it has labels at most; honest ones need two or three */
#define TEXT_MAX                                                                                   \
    254 /* 255 bytes on the wire (RFC 1035 2.3.4), each length byte a dot, without the root's */
#define OPCODE_MAX 6 /* DSO, RFC 8490 */
#define CLASS_IN   1

#define FLAG_RESPONSE            0x8000
#define FLAG_AUTHORITATIVE       0x0400
#define FLAG_TRUNCATED           0x0200
#define FLAG_RECURSION_DESIRED   0x0100
#define FLAG_RECURSION_AVAILABLE 0x0080
#define FLAG_ZERO                0x0040

/* SvcParamKeys, RFC 9460 14.3.2. */
enum { SVCB_IPV4HINT = 4, SVCB_ECH = 5, SVCB_IPV6HINT = 6 };

struct dns_name {
    uint8_t text[TEXT_MAX]; /* a dot after each label */
    size_t length;
    bool odd; /* a label has a dot or colon of its own: the text would be another name */
};

struct dns_record {
    uint16_t type, class;
    uint32_t ttl;
    struct cursor data;
};

struct code_text {
    uint16_t code;
    const char *text;
};

static void label_read(struct cursor *run, uint8_t size, struct dns_name *name)
{
    const uint8_t *label = cursor_bytes(run, size);

    if (label && name->length + size + 1 <= TEXT_MAX) {
        memcpy(name->text + name->length, label, size);
        name->length += size;
        name->text[name->length++] = '.';
        name->odd |= memchr(label, '.', size) || memchr(label, ':', size);
    } else {
        run->failed = true;
    }
}

/*
 * A name, compressed or not (RFC 1035 4.1.4). Pointers lead only to before the labels they follow,
 * so every chain ends. `c` is left behind the name's own bytes, or failed.
 */
static bool name_read(const struct cursor *message, struct cursor *c, struct dns_name *ret_name)
{
    struct cursor run = *c;
    const uint8_t *start = c->at;
    unsigned jumps = 0;
    uint8_t size;

    ret_name->length = 0;
    ret_name->odd = false;
    do {
        size = cursor_u8(&run);
        if (size >= 0xc0) {
            size_t offset = (size_t)(size & 0x3f) << 8 | cursor_u8(&run);
            struct cursor target = *message;
            cursor_skip(&target, offset);
            if (jumps++ == 0) {
                *c = run;
            }
            if (!cursor_ok(&run) || offset < HEADER_SIZE || target.at >= start ||
                jumps > JUMPS_MAX) {
                target.failed = true;
            }
            start = target.at;
            run = target;
        } else if (size >= 0x40) {
            run.failed = true; /* RFC 6891 5: the other label types are gone */
        } else if (size > 0) {
            label_read(&run, size, ret_name);
        }
    } while (size > 0 && cursor_ok(&run));
    if (jumps == 0 || !cursor_ok(&run)) {
        *c = run;
    }
    return cursor_ok(c);
}

/* The root is a valid name without text. */
static bool name_copy(char ret_text[PARSE_HOST_SIZE], const struct dns_name *name)
{
    ret_text[0] = '\0';
    return name->length == 0 || (!name->odd && parse_copy_host(ret_text, name->text, name->length));
}

/*
 * Nearly every owner is a pointer, and the same as that of the record before: what was good then is
 * good further behind. `known` is that pointer, 0 for none.
 */
static bool owner_read(const struct cursor *message, struct cursor *c, uint16_t *known)
{
    struct dns_name owner;
    struct cursor ahead = *c;
    uint16_t pointer = cursor_u16(&ahead);

    if (pointer != 0 && pointer == *known && cursor_ok(&ahead)) {
        *c = ahead;
        return true;
    }
    bool ok = name_read(message, c, &owner);
    *known = ok && pointer >= 0xc000 ? pointer : 0;
    return ok;
}

static bool record_read(const struct cursor *message, struct cursor *c, uint16_t *known_owner,
                        struct dns_record *ret_record)
{
    bool ok = owner_read(message, c, known_owner);

    ret_record->type = cursor_u16(c);
    ret_record->class = cursor_u16(c);
    ret_record->ttl = cursor_u32(c);
    ret_record->data = cursor_sub(c, cursor_u16(c));
    return ok && cursor_ok(c);
}

static void address_add(struct dns_answer *answer, const uint8_t *bytes, size_t size)
{
    if (bytes && answer->address_count < DNS_HINTS_MAX) {
        struct address *address = &answer->addresses[answer->address_count++];
        if (size == 4) {
            *address = address_from_v4(bytes);
        } else {
            memcpy(address->bytes, bytes, sizeof(address->bytes));
        }
    }
}

/* A hint is a list of addresses, never empty (RFC 9460 7.3). */
static bool hints_read(struct cursor *value, size_t size, struct dns_answer *answer)
{
    bool ok = cursor_left(value) > 0 && cursor_left(value) % size == 0;

    while (ok && cursor_left(value) > 0) {
        address_add(answer, cursor_bytes(value, size), size);
    }
    return ok;
}

/* Priority, target, then parameters (RFC 9460 2.2); an alias (priority 0) has none that count. */
static bool svcb_read(const struct cursor *message, struct cursor data, struct dns_answer *answer)
{
    uint16_t priority = cursor_u16(&data);
    struct dns_name target;
    bool ok = name_read(message, &data, &target);

    while (ok && priority > 0 && cursor_left(&data) > 0) {
        uint16_t key = cursor_u16(&data);
        struct cursor value = cursor_sub(&data, cursor_u16(&data));
        ok = cursor_ok(&data);
        if (ok && key == SVCB_IPV4HINT) {
            ok = hints_read(&value, 4, answer);
        } else if (ok && key == SVCB_IPV6HINT) {
            ok = hints_read(&value, 16, answer);
        } else if (ok && key == SVCB_ECH) {
            answer->has_ech = true;
        }
    }
    return ok;
}

/* The data of an address or service record; false if it is not what its type says. */
static bool answer_read(const struct cursor *message, const struct dns_record *record,
                        struct dns_answer *ret_answer)
{
    size_t size = cursor_left(&record->data);
    bool ok;

    memset(ret_answer, 0, sizeof(*ret_answer));
    ret_answer->type = record->type;
    ret_answer->ttl = record->ttl > INT32_MAX ? 0 : record->ttl; /* RFC 2181 8 */
    if (record->type == DNS_TYPE_A || record->type == DNS_TYPE_AAAA) {
        ok = size == (record->type == DNS_TYPE_A ? 4 : 16);
        if (ok) {
            address_add(ret_answer, record->data.at, size);
        }
    } else {
        ok = svcb_read(message, record->data, ret_answer);
    }
    return ok;
}

/* A record of the answer section. False if its data is malformed: then it is not kept. */
static bool answer_take(const struct cursor *message, const struct dns_record *record,
                        struct dns_message *ret_message)
{
    struct dns_answer beyond, *answer;
    struct dns_name target;
    struct cursor data = record->data;
    bool room = ret_message->answers_kept < DNS_ANSWERS_MAX, ok = true;

    if (record->class != CLASS_IN) {
        goto out;
    }
    switch (record->type) {
    case DNS_TYPE_CNAME:
        ok = name_read(message, &data, &target);
        if (ok) {
            (void)name_copy(ret_message->cname, &target);
        }
        break;
    case DNS_TYPE_A:
    case DNS_TYPE_AAAA:
    case DNS_TYPE_SVCB:
    case DNS_TYPE_HTTPS:
        answer = room ? &ret_message->answers[ret_message->answers_kept] : &beyond;
        ok = answer_read(message, record, answer);
        ret_message->answers_kept += ok && room;
        break;
    default:
        break;
    }
out:
    return ok;
}

/* OPT: the class is the sender's buffer, the first byte of the TTL the upper part of the rcode (RFC
 * 6891 6.1). */
static void opt_take(const struct dns_record *record, struct dns_message *ret_message)
{
    if (record->type == DNS_TYPE_OPT && !ret_message->has_edns) {
        uint32_t rcode = record->ttl >> 24 << 4 | ret_message->rcode;
        ret_message->has_edns = true;
        ret_message->edns_size = record->class;
        if (ret_message->is_response && rcode <= UINT8_MAX) {
            ret_message->rcode = (uint8_t)rcode;
        }
    }
}

/* The three sections of records; false if they are cut off or malformed somewhere. */
static bool records_read(const struct cursor *message, struct cursor *c,
                         struct dns_message *ret_message)
{
    uint32_t additional = (uint32_t)ret_message->answer_count + ret_message->authority_count;
    uint32_t count = additional + ret_message->additional_count;
    uint16_t known_owner = 0;
    bool framed = true, sound = true;

    for (uint32_t i = 0; framed && i < count; i++) {
        struct dns_record record;
        framed = record_read(message, c, &known_owner, &record);
        if (framed && i < ret_message->answer_count) {
            sound &= answer_take(message, &record, ret_message);
        } else if (framed && i >= additional) {
            opt_take(&record, ret_message);
        }
    }
    return framed && sound;
}

static void header_read(struct cursor *c, struct dns_message *ret_message)
{
    ret_message->id = cursor_u16(c);
    uint16_t flags = cursor_u16(c);
    ret_message->flags = flags;
    ret_message->is_response = flags & FLAG_RESPONSE;
    ret_message->authoritative = flags & FLAG_AUTHORITATIVE;
    ret_message->truncated = flags & FLAG_TRUNCATED;
    ret_message->recursion_desired = flags & FLAG_RECURSION_DESIRED;
    ret_message->recursion_available = flags & FLAG_RECURSION_AVAILABLE;
    ret_message->opcode = flags >> 11 & 0xf;
    ret_message->rcode = flags & 0xf;
    ret_message->question_count = cursor_u16(c);
    ret_message->answer_count = cursor_u16(c);
    ret_message->authority_count = cursor_u16(c);
    ret_message->additional_count = cursor_u16(c);
}

/*
 * Random bytes on port 53 are no DNS. A capture may have cut the message, so its records need not
 * fit in `length`, but more records than bytes are none. Without a question only a refusal makes
 * sense (RFC 1035 4.1.1, FORMERR).
 */
static bool header_plausible(const struct dns_message *message, size_t length)
{
    uint32_t records =
        (uint32_t)message->answer_count + message->authority_count + message->additional_count;
    bool question = message->question_count == 1 ||
                    (message->question_count == 0 && message->is_response &&
                     message->rcode != DNS_RCODE_NOERROR && message->answer_count == 0);

    return question && message->opcode <= OPCODE_MAX && !(message->flags & FLAG_ZERO) &&
           records <= length;
}

static bool question_read(const struct cursor *message, struct cursor *c,
                          struct dns_message *ret_message)
{
    struct dns_name name;
    bool ok = name_read(message, c, &name);

    ret_message->type = cursor_u16(c);
    ret_message->class = cursor_u16(c);
    ok = ok && cursor_ok(c);
    if (ok) {
        ret_message->name_valid = name_copy(ret_message->name, &name);
    }
    return ok;
}

enum parse_result dns_parse(const uint8_t *bytes, size_t length, struct dns_message *ret_message)
{
    struct cursor message = cursor_init(bytes, length);
    struct cursor c = message;
    enum parse_result result = PARSE_NOT_MINE;

    memset(ret_message, 0, sizeof(*ret_message));
    header_read(&c, ret_message);
    if (!cursor_ok(&c) || !header_plausible(ret_message, length) ||
        (ret_message->question_count > 0 && !question_read(&message, &c, ret_message))) {
        memset(ret_message, 0, sizeof(*ret_message));
        goto out;
    }
    ret_message->complete = records_read(&message, &c, ret_message);
    result = PARSE_DONE;
out:
    return result;
}

static const char *code_text(const struct code_text *codes, size_t count, uint16_t code)
{
    const char *text = NULL;

    for (size_t i = 0; !text && i < count; i++) {
        if (codes[i].code == code) {
            text = codes[i].text;
        }
    }
    return text;
}

const char *dns_rcode_text(uint8_t rcode)
{
    /* IANA's DNS RCODEs; 16 is BADVERS here, as no signed message is looked into. */
    static const struct code_text codes[] = {
        {0, "NOERROR"},  {1, "FORMERR"},    {2, "SERVFAIL"}, {3, "NXDOMAIN"},  {4, "NOTIMP"},
        {5, "REFUSED"},  {6, "YXDOMAIN"},   {7, "YXRRSET"},  {8, "NXRRSET"},   {9, "NOTAUTH"},
        {10, "NOTZONE"}, {11, "DSOTYPENI"}, {16, "BADVERS"}, {17, "BADKEY"},   {18, "BADTIME"},
        {19, "BADMODE"}, {20, "BADNAME"},   {21, "BADALG"},  {22, "BADTRUNC"}, {23, "BADCOOKIE"}};

    return code_text(codes, sizeof(codes) / sizeof(codes[0]), rcode);
}

const char *dns_type_text(uint16_t type)
{
    static const struct code_text codes[] = {
        {1, "A"},       {2, "NS"},     {5, "CNAME"},  {6, "SOA"},    {12, "PTR"},   {13, "HINFO"},
        {15, "MX"},     {16, "TXT"},   {28, "AAAA"},  {29, "LOC"},   {33, "SRV"},   {35, "NAPTR"},
        {39, "DNAME"},  {41, "OPT"},   {43, "DS"},    {44, "SSHFP"}, {46, "RRSIG"}, {47, "NSEC"},
        {48, "DNSKEY"}, {50, "NSEC3"}, {52, "TLSA"},  {64, "SVCB"},  {65, "HTTPS"}, {99, "SPF"},
        {250, "TSIG"},  {251, "IXFR"}, {252, "AXFR"}, {255, "ANY"},  {256, "URI"},  {257, "CAA"}};

    return code_text(codes, sizeof(codes) / sizeof(codes[0]), type);
}
