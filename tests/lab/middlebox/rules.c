// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/middlebox/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/words.h"
#include "probe/inspect/dns.h"

enum kind {
    KIND_NUMBER,  /* uint32_t up to `limit` */
    KIND_YES,     /* bool */
    KIND_WORD,    /* uint32_t, one of `words` */
    KIND_FLAG,    /* bool, one of `words` */
    KIND_SECONDS, /* int64_t microseconds */
    KIND_MILLIS,  /* the same */
    KIND_SHARE,   /* double */
    KIND_PREFIX,  /* struct prefix; `second` is the bool that says it is there */
    KIND_ADDRESS, /* struct address; likewise */
    KIND_ADDRESSES,
    KIND_NAME, /* `limit` is the name's kind */
    KIND_FIELD
};

struct word {
    const char *text;
    uint32_t value;
};

struct key {
    const char *text;
    enum kind kind;
    size_t place, second;
    uint32_t limit;
    const struct word *words;
};

#define AT(member) offsetof(struct rule, member)

static const struct word transports[] = {{"tcp", TRANSPORT_TCP}, {"udp", TRANSPORT_UDP}, {0}};
static const struct word qtypes[] = {{"A", DNS_TYPE_A}, {"AAAA", DNS_TYPE_AAAA}, {0}};
static const struct word payloads[] = {{"any", 1}, {0}};
static const struct word moments[] = {{"syn", MOMENT_SYN},
                                      {"synack", MOMENT_SYNACK},
                                      {"established", MOMENT_ESTABLISHED},
                                      {"request", MOMENT_REQUEST},
                                      {"question", MOMENT_QUESTION},
                                      {"datagram", MOMENT_DATAGRAM},
                                      {"later", MOMENT_LATER},
                                      {0}};
static const struct word directions[] = {{"up", WAY_UP},       {"down", WAY_DOWN},
                                         {"both", WAY_BOTH},   {"server", WAY_UP},
                                         {"client", WAY_DOWN}, {0}};
static const struct word scopes[] = {{"flow", 1}, {"packet", 0}, {0}};
static const struct word reset_flags[] = {
    {"rst", RESET_RST}, {"rst+ack", RESET_RST_ACK}, {"alternate", RESET_ALTERNATE}, {0}};
static const struct word ack_words[] = {
    {"same", ACK_SAME}, {"rising", ACK_RISING}, {"zero", ACK_ZERO}, {0}};
static const struct word residual_words[] = {{"drop", 0}, {"reset", 1}, {0}};
static const struct word rcodes[] = {{"nxdomain", DNS_RCODE_NXDOMAIN},
                                     {"refused", DNS_RCODE_REFUSED},
                                     {"servfail", DNS_RCODE_SERVFAIL},
                                     {0}};
static const struct word pages[] = {{"status", PAGE_STATUS},     {"bare", PAGE_BARE},
                                    {"redirect", PAGE_REDIRECT}, {"forbidden", PAGE_FORBIDDEN},
                                    {"iframe", PAGE_IFRAME},     {0}};
static const struct word thens[] = {{"nothing", 0}, {"rst", 1}, {0}};

static const struct key conditions[] = {
    {"server", KIND_PREFIX, AT(server), AT(has_server), 0, NULL},
    {"client", KIND_PREFIX, AT(client), AT(has_client), 0, NULL},
    {"port", KIND_NUMBER, AT(port), 0, 65535, NULL},
    {"transport", KIND_WORD, AT(transport), 0, 0, transports},
    {"qtype", KIND_WORD, AT(qtype), 0, 0, qtypes},
    {"dns", KIND_NAME, AT(name), 0, NAME_DNS, NULL},
    {"sni", KIND_NAME, AT(name), 0, NAME_SNI, NULL},
    {"host", KIND_NAME, AT(name), 0, NAME_HOST, NULL},
    {"payload", KIND_FLAG, AT(any_payload), 0, 0, payloads},
    {"age", KIND_SECONDS, AT(age_us), 0, 0, NULL},
    {"idle", KIND_SECONDS, AT(idle_us), 0, 0, NULL},
    {"up", KIND_NUMBER, AT(up), 0, UINT32_MAX, NULL},
    {"down", KIND_NUMBER, AT(down), 0, UINT32_MAX, NULL},
    {"p", KIND_SHARE, AT(probability), 0, 0, NULL},
    {"at", KIND_WORD, AT(moments), 0, 0, moments},
};

static const struct key parameters[] = {
    {"addresses", KIND_ADDRESSES, AT(addresses), AT(address_count), 0, NULL},
    {"injectors", KIND_NUMBER, AT(injectors), 0, RULE_ADDRESSES_MAX, NULL},
    {"record-ttl", KIND_NUMBER, AT(record_ttl), 0, UINT32_MAX, NULL},
    {"flags", KIND_WORD, AT(flags), 0, 0, reset_flags},
    {"dns-flags", KIND_NUMBER, AT(dns_flags), 0, 65535, NULL},
    {"rcode", KIND_WORD, AT(rcode), 0, 0, rcodes},
    {"pass", KIND_YES, AT(pass), 0, 0, NULL},
    {"shared", KIND_YES, AT(shared), 0, 0, NULL},
    {"scope", KIND_FLAG, AT(whole_flow), 0, 0, scopes},
    {"direction", KIND_WORD, AT(ways), 0, 0, directions},
    {"to", KIND_WORD, AT(ways), 0, 0, directions},
    {"residual", KIND_SECONDS, AT(residual_us), 0, 0, NULL},
    {"residual-by", KIND_FLAG, AT(residual_resets), 0, 0, residual_words},
    {"count", KIND_NUMBER, AT(count), 0, 16, NULL},
    {"seq-step", KIND_NUMBER, AT(seq_step), 0, UINT32_MAX, NULL},
    {"redraw", KIND_YES, AT(redraw), 0, 0, NULL},
    {"body", KIND_NUMBER, AT(body), 0, RESET_BODY_MAX, NULL},
    {"ack", KIND_WORD, AT(ack_numbers), 0, 0, ack_words},
    {"type", KIND_NUMBER, AT(icmp_type), 0, 255, NULL},
    {"code", KIND_NUMBER, AT(icmp_code), 0, 255, NULL},
    {"from", KIND_ADDRESS, AT(from), AT(has_from), 0, NULL},
    {"page", KIND_WORD, AT(page), 0, 0, pages},
    {"fin", KIND_YES, AT(fin), 0, 0, NULL},
    {"then", KIND_FLAG, AT(then_reset), 0, 0, thens},
    {"rate", KIND_NUMBER, AT(rate_kbit), 0, 10000000, NULL},
    {"burst", KIND_NUMBER, AT(burst), 0, UINT32_MAX, NULL},
    {"queue", KIND_NUMBER, AT(queue), 0, UINT32_MAX, NULL},
    {"delay-ms", KIND_MILLIS, AT(print.delay_us), 0, 0, NULL},
    {"gap-ms", KIND_MILLIS, AT(print.gap_us), 0, 0, NULL},
    {"ttl", KIND_FIELD, AT(print.ttl), 0, 255, NULL},
    {"ip-id", KIND_FIELD, AT(print.ip_id), 0, 65535, NULL},
    {"window", KIND_FIELD, AT(print.window), 0, 65535, NULL},
    {"df", KIND_FIELD, AT(print.df), 0, 1, NULL},
    {"timestamps", KIND_YES, AT(print.timestamps), 0, 0, NULL},
};

static const struct word actions[] = {{"dns-answer", ACTION_DNS_ANSWER},
                                      {"dns-rcode", ACTION_DNS_RCODE},
                                      {"drop", ACTION_DROP},
                                      {"reset", ACTION_RESET},
                                      {"icmp", ACTION_ICMP},
                                      {"page", ACTION_PAGE},
                                      {"police", ACTION_POLICE},
                                      {"shape", ACTION_SHAPE},
                                      {"normalise", ACTION_NORMALISE},
                                      {0}};

static int find_word(const struct word *words, const char *text, uint32_t *ret_value)
{
    for (; words->text; words++) {
        if (strcmp(words->text, text) == 0) {
            *ret_value = words->value;
            return DL_OK;
        }
    }
    return DL_MALFORMED;
}

static int parse_number(const char *text, uint32_t limit, uint32_t *ret_value)
{
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9')
        return DL_MALFORMED;
    unsigned long long value = strtoull(text, &end, 0);
    if (errno || *end || value > limit)
        return DL_MALFORMED;
    *ret_value = (uint32_t)value;
    return DL_OK;
}

/* A number without a sign, at most an hour's worth of milliseconds: nothing here takes longer. */
static int parse_decimal(const char *text, double limit, double *ret_value)
{
    char *end;
    if (*text < '0' || *text > '9')
        return DL_MALFORMED;
    *ret_value = strtod(text, &end);
    return *end || *ret_value > limit ? DL_MALFORMED : DL_OK;
}

static int parse_duration(const char *text, double unit_us, int64_t *ret_us)
{
    double value;
    int r = parse_decimal(text, 3600e6 / unit_us, &value);
    if (r == DL_OK)
        *ret_us = (int64_t)(value * unit_us);
    return r;
}

/* "copy" or "mirror", with a number added or taken away. */
static int parse_copied(const char *text, uint32_t maximum, struct field *ret_field)
{
    static const struct word modes[] = {{"copy", FIELD_COPY}, {"mirror", FIELD_MIRROR}, {0}};
    size_t length = strcspn(text, "+-");
    char word[8];
    uint32_t mode, step = 0;
    if (length >= sizeof(word))
        return DL_MALFORMED;
    memcpy(word, text, length);
    word[length] = '\0';
    if (find_word(modes, word, &mode) != DL_OK)
        return DL_MALFORMED;
    if (text[length] && (maximum == 1 || parse_number(text + length + 1, maximum, &step) != DL_OK))
        return DL_MALFORMED;
    *ret_field = (struct field){(enum field_mode)mode, text[length] == '-' ? 0 - step : step};
    return DL_OK;
}

int field_parse(const char *text, uint32_t maximum, struct field *ret_field)
{
    static const struct word modes[] = {
        {"random", FIELD_RANDOM}, {"own", FIELD_OWN}, {"ttl+1375", FIELD_TTL_1375}, {0}};
    uint32_t mode;
    if (maximum == 1 && (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0)) {
        *ret_field = (struct field){FIELD_FIXED, text[0] == 'y'};
        return DL_OK;
    }
    if (find_word(modes, text, &mode) == DL_OK) {
        *ret_field = (struct field){(enum field_mode)mode, 0};
        return DL_OK;
    }
    if (parse_copied(text, maximum, ret_field) == DL_OK)
        return DL_OK;
    ret_field->mode = FIELD_FIXED;
    return parse_number(text, maximum, &ret_field->value);
}

static int parse_addresses(char *text, struct rule *rule)
{
    char *rest = NULL;
    rule->address_count = 0;
    for (char *one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        if (rule->address_count == RULE_ADDRESSES_MAX ||
            address_parse(one, &rule->addresses[rule->address_count++]) != DL_OK)
            return DL_MALFORMED;
    }
    return rule->address_count ? DL_OK : DL_MALFORMED;
}

static int parse_name(const char *text, enum name_kind kind, struct rule *rule)
{
    rule->name_kind = kind;
    return parse_copy_host(rule->name, (const uint8_t *)text, strlen(text)) ? DL_OK : DL_MALFORMED;
}

static int parse_flag(const struct key *key, const char *text, bool *ret_flag)
{
    static const struct word yes_no[] = {{"yes", 1}, {"no", 0}, {0}};
    uint32_t value = 0;
    int r = find_word(key->words ? key->words : yes_no, text, &value);
    *ret_flag = value != 0;
    return r;
}

static int parse_value(const struct key *key, char *text, struct rule *rule)
{
    void *place = (char *)rule + key->place;
    bool *second = (bool *)((char *)rule + key->second);
    switch (key->kind) {
    case KIND_NUMBER:
        return parse_number(text, key->limit, place);
    case KIND_YES:
    case KIND_FLAG:
        return parse_flag(key, text, place);
    case KIND_WORD:
        return find_word(key->words, text, place);
    case KIND_SECONDS:
        return parse_duration(text, 1e6, place);
    case KIND_MILLIS:
        return parse_duration(text, 1e3, place);
    case KIND_SHARE:
        return parse_decimal(text, 1, place);
    case KIND_PREFIX:
        *second = true;
        return prefix_parse(text, place);
    case KIND_ADDRESS:
        *second = true;
        return address_parse(text, place);
    case KIND_ADDRESSES:
        return parse_addresses(text, rule);
    case KIND_NAME:
        return parse_name(text, (enum name_kind)key->limit, rule);
    case KIND_FIELD:
        return field_parse(text, key->limit, place);
    }
    return DL_MALFORMED;
}

static int parse_pair(const struct key *keys, size_t count, char *pair, struct rule *rule,
                      unsigned line, struct dl_error *error)
{
    char *value = strchr(pair, '=');
    if (!value)
        return dl_error_set(error, DL_MALFORMED, "%u: '%s' is not KEY=VALUE", line, pair);
    *value++ = '\0';
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].text, pair) != 0)
            continue;
        char shown[64];
        snprintf(shown, sizeof(shown), "%s", value);
        if (parse_value(&keys[i], value, rule) != DL_OK)
            return dl_error_set(error, DL_MALFORMED, "%u: '%s' cannot be %s", line, shown, pair);
        return DL_OK;
    }
    return dl_error_set(error, DL_MALFORMED, "%u: no such key here: '%s'", line, pair);
}

static unsigned implied_moments(const struct rule *rule)
{
    if (rule->action == ACTION_NORMALISE)
        return MOMENT_SYN | MOMENT_SYNACK;
    if (rule->name_kind == NAME_DNS || rule->action == ACTION_DNS_ANSWER ||
        rule->action == ACTION_DNS_RCODE)
        return MOMENT_QUESTION;
    if (rule->age_us || rule->idle_us || rule->up || rule->down)
        return MOMENT_LATER;
    if (rule->name_kind || rule->any_payload)
        return MOMENT_REQUEST;
    return rule->transport == TRANSPORT_UDP ? MOMENT_DATAGRAM : MOMENT_SYN;
}

/* What an action cannot do without. NULL, or what is missing. */
static const char *missing(const struct rule *rule)
{
    switch (rule->action) {
    case ACTION_DNS_ANSWER:
        return rule->address_count ? NULL : "dns-answer needs addresses=";
    case ACTION_DNS_RCODE:
        return rule->rcode ? NULL : "dns-rcode needs rcode=";
    case ACTION_ICMP:
        return rule->has_from ? NULL : "icmp needs from=";
    case ACTION_POLICE:
        return rule->rate_kbit && rule->burst ? NULL : "police needs rate= and burst=";
    case ACTION_SHAPE:
        return rule->rate_kbit && rule->queue ? NULL : "shape needs rate= and queue=";
    default:
        return NULL;
    }
}

static struct rule rule_defaults(void)
{
    return (struct rule){
        .probability = 1,
        .whole_flow = true,
        .flags = RESET_RST,
        .count = 1,
        .injectors = 1,
        .record_ttl = 300,
        .dns_flags = 0x8180,
        .icmp_type = 3,
        .icmp_code = 13,
        .print = {.ttl = {FIELD_FIXED, 64}, .ip_id = {FIELD_OWN, 0}, .window = {FIELD_FIXED, 0}}};
}

static void complete(struct rule *rule)
{
    if (!rule->moments)
        rule->moments = implied_moments(rule);
    bool answers = rule->action == ACTION_RESET || rule->action == ACTION_PAGE;
    if (!rule->ways)
        rule->ways = answers ? WAY_DOWN : WAY_BOTH;
}

static int parse_rule(char *text, struct rule *rule, unsigned line, struct dl_error *error)
{
    char *rest = NULL;
    char *id = strtok_r(text, " \t", &rest);
    char *when = strtok_r(NULL, " \t", &rest);
    if (strlen(id) >= RULE_ID_SIZE || !when || strcmp(when, "when") != 0)
        return dl_error_set(error, DL_MALFORMED, "%u: a rule begins with 'ID when'", line);
    *rule = rule_defaults();
    snprintf(rule->id, sizeof(rule->id), "%s", id);
    char *word;
    while ((word = strtok_r(NULL, " \t", &rest)) && strcmp(word, "do") != 0) {
        int r = parse_pair(conditions, ARRAY_LENGTH(conditions), word, rule, line, error);
        if (r != DL_OK)
            return r;
    }
    char *action = strtok_r(NULL, " \t", &rest);
    if (!action)
        return dl_error_set(error, DL_MALFORMED, "%u: 'do ACTION' is missing", line);
    if (find_word(actions, action, &rule->action) != DL_OK)
        return dl_error_set(error, DL_MALFORMED, "%u: no such action: '%s'", line, action);
    while ((word = strtok_r(NULL, " \t", &rest))) {
        int r = parse_pair(parameters, ARRAY_LENGTH(parameters), word, rule, line, error);
        if (r != DL_OK)
            return r;
    }
    if (missing(rule))
        return dl_error_set(error, DL_MALFORMED, "%u: %s", line, missing(rule));
    complete(rule);
    return DL_OK;
}

int rules_parse(char *text, struct rules *ret_rules, struct dl_error *error)
{
    ret_rules->count = 0;
    unsigned line = 0;
    for (char *next = text; next;) {
        char *this = strsep(&next, "\n");
        line++;
        this[strcspn(this, "#\r")] = '\0';
        if (!this[strspn(this, " \t")])
            continue;
        if (ret_rules->count == RULES_MAX)
            return dl_error_set(error, DL_LIMIT, "%u: more than %u rules", line, RULES_MAX);
        int r = parse_rule(this, &ret_rules->list[ret_rules->count], line, error);
        if (r != DL_OK)
            return r;
        ret_rules->count++;
    }
    return DL_OK;
}

int rules_load(const char *path, struct rules *ret_rules, struct dl_error *error)
{
    static char text[RULES_TEXT_MAX];
    FILE *file = fopen(path, "r");
    if (!file)
        return dl_error_set(error, -errno, "%s: %s", path, strerror(errno));
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    if (!whole)
        return dl_error_set(error, DL_LIMIT, "%s: cannot be read, or is too long", path);
    text[length] = '\0';
    struct dl_error inner = {0};
    int r = rules_parse(text, ret_rules, &inner);
    return r == DL_OK ? r : dl_error_set(error, r, "%s:%s", path, inner.message);
}
