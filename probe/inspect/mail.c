// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/mail.h"

#include <ctype.h>

#include "base/cursor.h"

#define LINE_MAX_BYTES 1024 /* RFC 5321 4.5.3.1.4 has 512, extensions make them longer */
#define UNDECIDED_MAX  4096 /* who has not told its kind by then never will */
#define TAG_MAX_BYTES  64

/* Parts of the bytes are cursors too: `at` to `end`. */

/*
 * What a command line says. Words that FTP, IRC or another of the four share decide nothing:
 * SHARED. TLS_ASKED comes with its kind; LAST means that text follows or that TLS cannot be asked
 * any more.
 */
enum verb_act { VERB_UNKNOWN, VERB_CUT, VERB_SHARED, VERB_KNOWN, VERB_TLS_ASKED, VERB_LAST };

struct verb {
    const char *word;
    enum mail_kind kind;
    enum verb_act act;
};

static const struct verb verbs[] = {
    /* RFC 5321 4.1.1, RFC 3207, RFC 3030 */
    {"EHLO", MAIL_SMTP, VERB_KNOWN},
    {"HELO", MAIL_SMTP, VERB_KNOWN},
    {"MAIL", MAIL_SMTP, VERB_KNOWN},
    {"RCPT", MAIL_SMTP, VERB_KNOWN},
    {"VRFY", MAIL_SMTP, VERB_KNOWN},
    {"STARTTLS", MAIL_SMTP, VERB_TLS_ASKED},
    {"DATA", MAIL_SMTP, VERB_LAST},
    {"BDAT", MAIL_SMTP, VERB_LAST},
    /* RFC 1939, RFC 2449, RFC 2595 4 */
    {"CAPA", MAIL_POP3, VERB_KNOWN},
    {"UIDL", MAIL_POP3, VERB_KNOWN},
    {"TOP", MAIL_POP3, VERB_KNOWN},
    {"APOP", MAIL_POP3, VERB_KNOWN},
    {"STLS", MAIL_POP3, VERB_TLS_ASKED},
    /* STAT and LIST make USER and PASS POP3's: FTP has none of them before a data connection. */
    {"STAT", MAIL_POP3, VERB_KNOWN},
    {"LIST", MAIL_POP3, VERB_KNOWN},
    {"USER", MAIL_NONE, VERB_SHARED},
    {"PASS", MAIL_NONE, VERB_SHARED},
    {"AUTH", MAIL_NONE, VERB_SHARED},
    {"RETR", MAIL_NONE, VERB_SHARED},
    {"DELE", MAIL_NONE, VERB_SHARED},
    {"NOOP", MAIL_NONE, VERB_SHARED},
    {"RSET", MAIL_NONE, VERB_SHARED},
    {"HELP", MAIL_NONE, VERB_SHARED},
    {"QUIT", MAIL_NONE, VERB_SHARED},
};

/* After a tag (RFC 9051 6). */
static const struct verb imap_verbs[] = {
    {"CAPABILITY", MAIL_IMAP, VERB_KNOWN}, {"STARTTLS", MAIL_IMAP, VERB_TLS_ASKED},
    {"LOGIN", MAIL_IMAP, VERB_KNOWN},      {"AUTHENTICATE", MAIL_IMAP, VERB_KNOWN},
    {"ID", MAIL_IMAP, VERB_KNOWN},         {"NOOP", MAIL_IMAP, VERB_KNOWN},
    {"LOGOUT", MAIL_IMAP, VERB_LAST},      {"ENABLE", MAIL_IMAP, VERB_LAST},
    {"SELECT", MAIL_IMAP, VERB_LAST},      {"EXAMINE", MAIL_IMAP, VERB_LAST},
    {"NAMESPACE", MAIL_IMAP, VERB_LAST},   {"LIST", MAIL_IMAP, VERB_LAST},
    {"LSUB", MAIL_IMAP, VERB_LAST},        {"STATUS", MAIL_IMAP, VERB_LAST},
    {"APPEND", MAIL_IMAP, VERB_LAST},      {"COMPRESS", MAIL_IMAP, VERB_LAST},
};

static bool is_space(int byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static int lower(int byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte;
}

/* Case is ignored. */
static bool starts_with(const struct cursor *c, const char *word)
{
    size_t i = 0;

    while (word[i] && cursor_peek(c, i) >= 0 && lower(cursor_peek(c, i)) == lower(word[i])) {
        i++;
    }
    return word[i] == '\0';
}

static bool equals(const struct cursor *c, const char *word)
{
    return cursor_left(c) == strlen(word) && starts_with(c, word);
}

/* May the bytes, all there are, be the beginning of `word`? Case counts. */
static bool begins(const struct cursor *c, const char *word)
{
    size_t length = strlen(word), left = cursor_left(c);

    return left == 0 || cursor_starts_with(c, word, left < length ? left : length);
}

/* Moves before `word`, or to the end if it is not there. */
static bool find(struct cursor *c, const char *word)
{
    while (cursor_left(c) > 0 && !starts_with(c, word)) {
        cursor_skip(c, 1);
    }
    return cursor_left(c) > 0;
}

static void skip_space(struct cursor *c)
{
    while (is_space(cursor_peek(c, 0))) {
        cursor_skip(c, 1);
    }
}

/* A line without its end, CRLF or a bare LF; false without one: what there is, nothing moves. */
static bool line_read(struct cursor *c, struct cursor *ret_line)
{
    size_t left = cursor_left(c);
    const uint8_t *end = left > 0 ? memchr(c->at, '\n', left) : NULL;

    *ret_line = *c;
    if (end) {
        *ret_line = cursor_sub(c, (size_t)(end - c->at));
        cursor_skip(c, 1);
        while (cursor_left(ret_line) > 0 && is_space(ret_line->end[-1])) {
            ret_line->end--;
        }
    }
    return end != NULL;
}

/* The bytes up to a space, and moves to what follows it. */
static struct cursor word_read(struct cursor *line)
{
    size_t length = 0;

    while (cursor_peek(line, length) >= 0 && cursor_peek(line, length) != ' ') {
        length++;
    }
    struct cursor word = cursor_sub(line, length);
    while (cursor_peek(line, 0) == ' ') {
        cursor_skip(line, 1);
    }
    return word;
}

/* May a line still become a command or a greeting? */
static bool line_plausible(struct cursor line)
{
    bool ok = cursor_left(&line) <= LINE_MAX_BYTES;

    while (ok && cursor_left(&line) > 0) {
        uint8_t byte = cursor_u8(&line);
        ok = (byte >= ' ' && byte < 0x7f) || is_space(byte);
    }
    return ok;
}

static struct verb verb_find(const struct verb *list, size_t count, const struct cursor *word)
{
    struct verb found = {NULL, MAIL_NONE, VERB_UNKNOWN};

    for (size_t i = 0; !found.word && i < count; i++) {
        if (equals(word, list[i].word)) {
            found = list[i];
        }
    }
    return found;
}

static bool is_tag(struct cursor word)
{
    bool ok = cursor_left(&word) > 0 && cursor_left(&word) <= TAG_MAX_BYTES;

    while (ok && cursor_left(&word) > 0) {
        uint8_t byte = cursor_u8(&word);
        ok = byte > ' ' && byte < 0x7f && !strchr("(){%*\"\\+", byte);
    }
    return ok;
}

/* The verb of a line. The last word of a line cut off may go on. */
static struct verb verb_read(struct cursor line, bool whole)
{
    struct cursor all = line, first = word_read(&line);
    struct verb verb = verb_find(verbs, sizeof(verbs) / sizeof(verbs[0]), &first);
    bool cut = !whole && cursor_left(&line) == 0;

    if ((equals(&first, "AUTH") && (starts_with(&line, "TLS") || starts_with(&line, "SSL"))) ||
        (equals(&first, "MAIL") && whole && !starts_with(&line, "FROM:"))) {
        verb.act = VERB_UNKNOWN; /* AUTH TLS is FTP's, RFC 4217 */
    } else if (verb.act == VERB_UNKNOWN && is_tag(first)) {
        struct cursor second = word_read(&line);
        verb = verb_find(imap_verbs, sizeof(imap_verbs) / sizeof(imap_verbs[0]), &second);
        cut = !whole && cursor_left(&line) == 0;
    }
    if (cut) {
        verb.act = line_plausible(all) ? VERB_CUT : VERB_UNKNOWN;
    } else if (!whole && verb.act > VERB_KNOWN) {
        verb.act = VERB_KNOWN;
    }
    return verb;
}

/*
 * Lines until one asks for TLS. Until one has told the kind every line must be a command; then some
 * may be answers to a challenge (RFC 4954 4), and a word of another kind says nothing.
 */
static enum parse_result commands_read(struct cursor *c, struct mail_client *ret_client)
{
    enum parse_result result = PARSE_MORE;
    struct cursor line;
    bool whole;

    do {
        whole = line_read(c, &line);
        struct verb verb = verb_read(line, whole);
        if (ret_client->kind == MAIL_NONE && verb.act == VERB_UNKNOWN) {
            result = PARSE_NOT_MINE;
        } else if (ret_client->kind == MAIL_NONE && verb.act >= VERB_KNOWN) {
            ret_client->kind = verb.kind;
        }
        if (verb.act >= VERB_TLS_ASKED && verb.kind == ret_client->kind) {
            ret_client->starttls = verb.act == VERB_TLS_ASKED;
            result = PARSE_DONE;
        }
    } while (whole && result == PARSE_MORE && cursor_left(c) > 0);
    return result;
}

/* The host in an attribute of a tag: quoted either way (XML 1.0 3.1). */
static void attribute_copy(struct cursor tag, const char *name, char ret_host[PARSE_HOST_SIZE])
{
    struct cursor value = {0};

    while (!value.at && cursor_left(&tag) > 0) {
        bool space = is_space(cursor_u8(&tag));
        if (space && cursor_starts_with(&tag, name, strlen(name))) {
            value = tag;
            cursor_skip(&value, strlen(name));
            skip_space(&value);
            value.at = cursor_u8(&value) == '=' ? value.at : NULL;
        }
    }
    if (value.at) {
        skip_space(&value);
        uint8_t quote = cursor_u8(&value);
        size_t left = cursor_left(&value);
        const uint8_t *end = left > 0 ? memchr(value.at, quote, left) : NULL;
        if (end && (quote == '"' || quote == '\'')) {
            (void)parse_copy_host(ret_host, value.at, (size_t)(end - value.at));
        }
    }
}

/* An XMPP stream's opening tag (RFC 6120 4.2), and moves behind it. */
static enum parse_result stream_read(struct cursor *c, const char *attribute,
                                     enum mail_kind *ret_kind, char ret_host[PARSE_HOST_SIZE])
{
    static const char opening[] = "<stream:stream";
    enum parse_result result = PARSE_NOT_MINE;

    skip_space(c);
    if (cursor_starts_with(c, "<?xml", 5) && find(c, "?>")) {
        cursor_skip(c, 2);
        skip_space(c);
    }
    if (cursor_left(c) == 0 || begins(c, "<?xml") || begins(c, opening)) {
        result = PARSE_MORE;
    }
    if (cursor_starts_with(c, opening, sizeof(opening) - 1)) {
        *ret_kind = MAIL_XMPP;
        struct cursor tag = *c;
        if (find(c, ">")) {
            tag.end = c->at;
            attribute_copy(tag, attribute, ret_host);
            cursor_skip(c, 1);
            result = PARSE_DONE;
        }
    }
    return result;
}

/* The stream's first element: starttls, or TLS will not come (RFC 6120 5.3.1). White space behind
 * it is not yet TLS. */
static enum parse_result stanza_read(struct cursor *c, struct mail_client *ret_client)
{
    static const char starttls[] = "<starttls", ending[] = "</starttls>";
    enum parse_result result = PARSE_DONE;

    skip_space(c);
    if (begins(c, starttls) && cursor_left(c) < sizeof(starttls)) {
        result = PARSE_MORE;
    } else if (begins(c, starttls)) {
        bool closed = find(c, ">");
        if (closed && c->at[-1] != '/') {
            closed = find(c, ending);
            cursor_skip(c, sizeof(ending) - 2);
        }
        if (closed) {
            cursor_skip(c, 1);
            skip_space(c);
        }
        ret_client->starttls = closed;
        result = closed ? PARSE_DONE : PARSE_MORE;
    }
    return result;
}

enum parse_result mail_parse_client(const uint8_t *bytes, size_t length,
                                    struct mail_client *ret_client)
{
    struct cursor c = cursor_init(bytes, length), first = c;
    enum parse_result result;

    memset(ret_client, 0, sizeof(*ret_client));
    skip_space(&first);
    if (cursor_peek(&first, 0) == '<') {
        result = stream_read(&c, "to", &ret_client->kind, ret_client->host);
        if (result == PARSE_DONE) {
            result = stanza_read(&c, ret_client);
        }
    } else {
        result = commands_read(&c, ret_client);
    }
    if (ret_client->starttls) {
        ret_client->tls_offset = (uint32_t)(length - cursor_left(&c));
    }
    if (result == PARSE_NOT_MINE || (ret_client->kind == MAIL_NONE && length > UNDECIDED_MAX)) {
        memset(ret_client, 0, sizeof(*ret_client));
        result = PARSE_NOT_MINE;
    }
    return result;
}

/* A server's name in its greeting: with a dot and a last label of letters. Addresses there are the
 * client's as a rule. */
static void server_name_copy(struct cursor word, char ret_host[PARSE_HOST_SIZE])
{
    if (parse_copy_host(ret_host, word.at, cursor_left(&word))) {
        const char *last = strrchr(ret_host, '.');
        if (!last || !isalpha((unsigned char)last[1]) || ret_host[0] == '.') {
            memset(ret_host, 0, PARSE_HOST_SIZE);
        }
    }
}

/* "220 name ESMTP ..." has the mark behind the name: a server's name alone does not make it one. */
static bool greeting_has(struct cursor text, const char *mark)
{
    char host[PARSE_HOST_SIZE] = "";
    struct cursor rest = text;

    server_name_copy(word_read(&rest), host);
    return find(host[0] ? &rest : &text, mark);
}

static enum parse_result smtp_greeting_line(struct cursor line, struct mail_server *ret_server)
{
    enum parse_result result = PARSE_MORE;

    cursor_skip(&line, 4);
    if (ret_server->host[0] == '\0') {
        struct cursor rest = line;
        server_name_copy(word_read(&rest), ret_server->host);
    }
    if (greeting_has(line, "smtp")) {
        ret_server->kind = MAIL_SMTP;
        result = PARSE_DONE;
    } else if (greeting_has(line, "ftp")) {
        result = PARSE_NOT_MINE;
    }
    return result;
}

/*
 * SMTP's greeting (RFC 5321 4.2) and FTP's begin alike. Where the text does not tell, the first
 * answer does: EHLO's is 250, FTP has that only for later commands; errors tell nothing.
 */
static enum parse_result smtp_greeting_read(struct cursor c, struct mail_server *ret_server)
{
    enum parse_result result = PARSE_MORE;
    struct cursor line;
    bool greeting = true;

    while (result == PARSE_MORE && line_read(&c, &line)) {
        if (greeting) {
            result = smtp_greeting_line(line, ret_server);
            greeting = cursor_peek(&line, 3) == '-';
        } else if (starts_with(&line, "250")) {
            ret_server->kind = MAIL_SMTP;
            result = PARSE_DONE;
        } else if (cursor_peek(&line, 0) != '5') {
            result = PARSE_NOT_MINE;
        }
    }
    return result == PARSE_MORE && !line_plausible(c) ? PARSE_NOT_MINE : result;
}

/* "* OK [CAPABILITY ...] name ..." (RFC 9051 7.1), "+OK name ... <1896.69@name>" (RFC 1939 7). */
static enum parse_result other_greeting_read(struct cursor c, enum mail_kind kind,
                                             struct mail_server *ret_server)
{
    enum parse_result result = PARSE_DONE;
    struct cursor line, rest;

    ret_server->kind = kind;
    if (!line_read(&c, &line)) {
        result = line_plausible(line) ? PARSE_MORE : PARSE_NOT_MINE;
        goto out;
    }
    (void)word_read(&line);
    if (kind == MAIL_IMAP) {
        (void)word_read(&line);
    }
    if (cursor_peek(&line, 0) == '[' && find(&line, "] ")) {
        cursor_skip(&line, 2);
    }
    rest = line;
    server_name_copy(word_read(&rest), ret_server->host);
    if (kind == MAIL_POP3 && ret_server->host[0] == '\0' && find(&line, "<") && find(&line, "@")) {
        cursor_skip(&line, 1);
        rest = line;
        line.end = find(&rest, ">") ? rest.at : line.at;
        server_name_copy(line, ret_server->host);
    }
out:
    return result;
}

enum parse_result mail_parse_server(const uint8_t *bytes, size_t length,
                                    struct mail_server *ret_server)
{
    static const struct {
        const char *text;
        enum mail_kind kind;
    } greetings[] = {{"220", MAIL_SMTP},   {"554", MAIL_SMTP},        {"421", MAIL_SMTP},
                     {"* OK ", MAIL_IMAP}, {"* PREAUTH ", MAIL_IMAP}, {"* BYE ", MAIL_IMAP},
                     {"+OK ", MAIL_POP3}};
    struct cursor c = cursor_init(bytes, length);
    enum parse_result result = PARSE_NOT_MINE;

    memset(ret_server, 0, sizeof(*ret_server));
    for (size_t i = 0; result == PARSE_NOT_MINE && i < sizeof(greetings) / sizeof(greetings[0]);
         i++) {
        if (!begins(&c, greetings[i].text)) {
            continue;
        }
        if (length < strlen(greetings[i].text)) {
            result = PARSE_MORE;
        } else if (greetings[i].kind != MAIL_SMTP) {
            result = other_greeting_read(c, greetings[i].kind, ret_server);
        } else if (cursor_peek(&c, 3) < 0 || strchr(" -\r\n", cursor_peek(&c, 3))) {
            result = smtp_greeting_read(c, ret_server);
        }
    }
    if (result == PARSE_NOT_MINE) {
        result = stream_read(&c, "from", &ret_server->kind, ret_server->host);
    }
    if (result == PARSE_NOT_MINE || (ret_server->kind == MAIL_NONE && length > UNDECIDED_MAX)) {
        memset(ret_server, 0, sizeof(*ret_server));
        result = PARSE_NOT_MINE;
    }
    return result;
}

const char *mail_kind_text(enum mail_kind kind)
{
    const char *text = NULL;

    switch (kind) {
    case MAIL_SMTP:
        text = "SMTP";
        break;
    case MAIL_IMAP:
        text = "IMAP";
        break;
    case MAIL_POP3:
        text = "POP3";
        break;
    case MAIL_XMPP:
        text = "Jabber";
        break;
    case MAIL_NONE:
    default:
        break;
    }
    return text;
}
