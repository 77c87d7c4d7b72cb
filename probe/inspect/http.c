// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/http.h"

#include <ctype.h>

#include "base/cursor.h"

#define EMPTY_LINES_MAX  4    /* before a request: RFC 9112 2.2 */
#define PAGE_SPACE_MAX   64   /* before a bare page */
#define TITLE_WITHIN_MAX 8192 /* bytes of a body */

/* Parts of the bytes are cursors too: `at` to `end`. */

enum field_result { FIELD_CUT, FIELD_LAST, FIELD_READ };

struct body_facts {
    bool no_title; /* none can be there, or none that can be read */
    bool chunked;
    bool length_known;
    size_t length;
};

static struct http_bytes bytes_of(const struct cursor *c)
{
    return (struct http_bytes){cursor_left(c) > 0 ? c->at : NULL, cursor_left(c)};
}

static bool is_space(int byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static int lower(int byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte;
}

/* `word` is in lower case. */
static bool starts_with(const struct cursor *c, const char *word)
{
    size_t i = 0;

    while (word[i] && lower(cursor_peek(c, i)) == word[i]) {
        i++;
    }
    return word[i] == '\0';
}

static bool equals(const struct cursor *c, const char *word)
{
    return cursor_left(c) == strlen(word) && starts_with(c, word);
}

/* Moves before `word`, or to the end if it is not there. */
static bool find(struct cursor *c, const char *word)
{
    while (cursor_left(c) > 0 && !starts_with(c, word)) {
        cursor_skip(c, 1);
    }
    return cursor_left(c) > 0;
}

static const uint8_t *find_byte(const struct cursor *c, int byte)
{
    size_t left = cursor_left(c);

    return left > 0 ? memchr(c->at, byte, left) : NULL;
}

/* Bytes of `c` before any of the characters of `stops`. */
static size_t length_before(const struct cursor *c, const char *stops)
{
    size_t length = 0;

    while (cursor_peek(c, length) > 0 && !strchr(stops, cursor_peek(c, length))) {
        length++;
    }
    return length;
}

static void trim(struct cursor *c)
{
    while (is_space(cursor_peek(c, 0))) {
        cursor_skip(c, 1);
    }
    while (cursor_left(c) > 0 && is_space(c->end[-1])) {
        c->end--;
    }
}

/* A line without its end, CRLF or a bare LF (RFC 9112 2.2). False, and nothing moves, if the end is
 * not there. */
static bool line_read(struct cursor *c, struct cursor *ret_line)
{
    const uint8_t *end = find_byte(c, '\n');

    *ret_line = *c;
    if (end) {
        *ret_line = cursor_sub(c, (size_t)(end - c->at));
        cursor_skip(c, 1);
        if (cursor_left(ret_line) > 0 && ret_line->end[-1] == '\r') {
            ret_line->end--;
        }
    }
    return end != NULL;
}

/* A field with the lines folded to it (RFC 9112 5.2). One without a colon has an empty name. */
static enum field_result field_read(struct cursor *c, struct cursor *ret_name,
                                    struct cursor *ret_value)
{
    enum field_result result = FIELD_CUT;
    struct cursor line, fold;

    if (!line_read(c, &line)) {
        goto out;
    }
    result = cursor_left(&line) > 0 ? FIELD_READ : FIELD_LAST;
    while (result == FIELD_READ && (cursor_peek(c, 0) == ' ' || cursor_peek(c, 0) == '\t') &&
           line_read(c, &fold)) {
        line.end = fold.end;
    }
    const uint8_t *colon = find_byte(&line, ':');
    *ret_name = cursor_sub(&line, colon ? (size_t)(colon - line.at) : 0);
    *ret_value = line;
    if (colon) {
        cursor_skip(ret_value, 1);
    }
    trim(ret_name);
    trim(ret_value);
out:
    return result;
}

/* The host of "user@host:port" or "[2001:db8::1]:port" (RFC 3986 3.2). */
static void authority_copy(char ret_host[PARSE_HOST_SIZE], struct cursor authority)
{
    const uint8_t *mark;

    while ((mark = find_byte(&authority, '@')) != NULL) {
        cursor_skip(&authority, (size_t)(mark - authority.at) + 1);
    }
    if (cursor_peek(&authority, 0) == '[') {
        cursor_skip(&authority, 1);
        mark = find_byte(&authority, ']');
        authority.end = mark ? mark : authority.at;
    } else {
        mark = find_byte(&authority, ':');
        authority.end = mark ? mark : authority.end;
    }
    (void)parse_copy_host(ret_host, authority.at, cursor_left(&authority));
}

/* "http://host/path" (absolute-form, RFC 9112 3.2.2), or the authority-form of CONNECT. */
static void target_copy_host(char ret_host[PARSE_HOST_SIZE], struct cursor target, bool is_connect)
{
    bool has_scheme = starts_with(&target, "http://") || starts_with(&target, "https://");

    if (has_scheme) {
        (void)find(&target, "://");
        cursor_skip(&target, 3);
    }
    if (has_scheme || is_connect) {
        authority_copy(ret_host, cursor_sub(&target, length_before(&target, "/?#")));
    }
}

/* DONE behind a known method and its space, MORE for the beginning of one. */
static enum parse_result method_read(struct cursor *c, char ret_method[16])
{
    /* RFC 9110 9, RFC 5789, WebDAV (RFC 4918, 3253, 4791, 5323), UPnP, and Microsoft's. */
    static const char *const methods[] = {
        "GET",         "POST",        "HEAD",      "PUT",         "DELETE",      "OPTIONS",
        "PATCH",       "TRACE",       "CONNECT",   "PROPFIND",    "PROPPATCH",   "MKCOL",
        "COPY",        "MOVE",        "LOCK",      "UNLOCK",      "REPORT",      "MKCALENDAR",
        "SEARCH",      "NOTIFY",      "SUBSCRIBE", "UNSUBSCRIBE", "M-SEARCH",    "POLL",
        "BPROPFIND",   "BPROPPATCH",  "BITS_POST", "CCM_POST",    "RPC_IN_DATA", "RPC_OUT_DATA",
        "RDG_IN_DATA", "RDG_OUT_DATA"};
    enum parse_result result = PARSE_NOT_MINE;

    for (size_t i = 0; result == PARSE_NOT_MINE && i < sizeof(methods) / sizeof(methods[0]); i++) {
        size_t length = strlen(methods[i]);
        size_t there = cursor_left(c) < length ? cursor_left(c) : length;
        if (there > 0 && !cursor_starts_with(c, methods[i], there)) {
            continue;
        }
        if (cursor_peek(c, there) < 0) {
            result = PARSE_MORE;
        } else if (cursor_peek(c, length) == ' ') {
            memcpy(ret_method, methods[i], length + 1);
            cursor_skip(c, length + 1);
            result = PARSE_DONE;
        }
    }
    return result;
}

/* The beginning of a target whose line is cut off: so far it may as well be SIP or RTSP. */
static bool target_plausible(struct cursor rest, bool is_connect)
{
    int first = lower(cursor_peek(&rest, 0));
    bool ok = first < 0 || first == '/' || first == '*' || first == 'h' || is_connect;

    if (cursor_left(&rest) > 0 && rest.end[-1] == '\r') {
        rest.end--;
    }
    while (ok && cursor_left(&rest) > 0) {
        uint8_t byte = cursor_u8(&rest);
        ok = byte >= ' ' && byte != 0x7f;
    }
    return ok;
}

/* Target and version. Spaces inside a target are against RFC 9112 3.2, but seen: the version is the
 * last word. */
static enum parse_result target_read(struct cursor *c, struct http_request *ret_request)
{
    enum parse_result result = PARSE_NOT_MINE;
    struct cursor line, version;

    if (!line_read(c, &line)) {
        result = target_plausible(line, ret_request->is_connect) ? PARSE_MORE : PARSE_NOT_MINE;
        goto out;
    }
    trim(&line);
    version = line;
    for (const uint8_t *space; (space = find_byte(&version, ' ')) != NULL;) {
        cursor_skip(&version, (size_t)(space - version.at) + 1);
    }
    if (cursor_left(&version) == 8 && cursor_starts_with(&version, "HTTP/1.", 7) &&
        isdigit(cursor_peek(&version, 7))) {
        line.end = version.at;
        trim(&line);
        target_copy_host(ret_request->host, line, ret_request->is_connect);
        result = PARSE_DONE;
    }
out:
    return result;
}

static enum parse_result request_fields_read(struct cursor *c, struct http_request *ret_request)
{
    enum field_result field;
    struct cursor name, value;
    bool host_seen = false;

    while ((field = field_read(c, &name, &value)) == FIELD_READ) {
        if (equals(&name, "host") && cursor_left(&value) > 0 && !host_seen) {
            host_seen = true;
            authority_copy(ret_request->host, value);
        }
    }
    ret_request->complete = field == FIELD_LAST;
    return ret_request->complete ? PARSE_DONE : PARSE_MORE;
}

enum parse_result http_parse_request(const uint8_t *bytes, size_t length, bool final,
                                     struct http_request *ret_request)
{
    struct cursor c = cursor_init(bytes, length);
    enum parse_result result;

    memset(ret_request, 0, sizeof(*ret_request));
    for (int i = 0; i < EMPTY_LINES_MAX && (starts_with(&c, "\r\n") || starts_with(&c, "\n"));
         i++) {
        cursor_skip(&c, cursor_peek(&c, 0) == '\r' ? 2 : 1);
    }
    if (equals(&c, "\r")) {
        cursor_skip(&c, 1);
    }
    result = method_read(&c, ret_request->method);
    if (result == PARSE_DONE) {
        ret_request->is_connect = strcmp(ret_request->method, "CONNECT") == 0;
        result = target_read(&c, ret_request);
    }
    if (result == PARSE_DONE) {
        result = request_fields_read(&c, ret_request);
    }
    if (result == PARSE_MORE && final) {
        result = ret_request->method[0] ? PARSE_DONE : PARSE_NOT_MINE;
    }
    if (result == PARSE_NOT_MINE) {
        memset(ret_request, 0, sizeof(*ret_request));
    }
    return result;
}

/* "HTTP/1.x NNN" and what may follow it on its line. */
static enum parse_result status_read(struct cursor *c, bool final, uint16_t *ret_status)
{
    static const char pattern[] = "HTTP/1.# ###";
    enum parse_result result = PARSE_DONE;
    unsigned status = 0;
    size_t i;

    for (i = 0; pattern[i] && result == PARSE_DONE; i++) {
        int byte = cursor_peek(c, i);
        if (byte < 0) {
            result = PARSE_MORE;
        } else if (pattern[i] == '#' ? !isdigit(byte) : byte != pattern[i]) {
            result = PARSE_NOT_MINE;
        } else if (i > 8) {
            status = status * 10 + (unsigned)(byte - '0');
        }
    }
    if (result != PARSE_DONE) {
        goto out;
    }
    if (cursor_peek(c, i) < 0) {
        result = final ? PARSE_DONE : PARSE_MORE;
    } else if (!is_space(cursor_peek(c, i))) {
        result = PARSE_NOT_MINE;
    }
    if (result == PARSE_DONE) {
        *ret_status = (uint16_t)status;
    }
out:
    return result;
}

/* Scheme, host and path: neither who logs in ("user:password@") nor the query, which may name a
 * person. */
static void location_copy(char ret_location[HTTP_TEXT_SIZE], struct cursor value)
{
    uint8_t text[HTTP_TEXT_SIZE];
    struct cursor whole = cursor_sub(&value, length_before(&value, "?#"));
    struct cursor rest = whole, authority;
    size_t before = 0, after;

    if (find(&rest, "//")) {
        cursor_skip(&rest, 2);
        before = (size_t)(rest.at - whole.at);
        authority = rest;
        authority = cursor_sub(&authority, length_before(&authority, "/"));
        for (const uint8_t *at; (at = find_byte(&authority, '@')) != NULL;) {
            cursor_skip(&authority, (size_t)(at - authority.at) + 1);
        }
        rest.at = authority.at;
    } else {
        rest = whole;
    }
    before = before < sizeof(text) ? before : sizeof(text);
    after = cursor_left(&rest);
    after = after < sizeof(text) - before ? after : sizeof(text) - before;
    if (before > 0 && whole.at) {
        memcpy(text, whole.at, before);
    }
    if (after > 0 && rest.at) {
        memcpy(text + before, rest.at, after);
    }
    parse_copy_text(ret_location, HTTP_TEXT_SIZE, text, before + after);
}

/* Decimal digits alone; saturates. */
static bool length_parse(struct cursor value, size_t *ret_length)
{
    size_t length = 0;
    bool ok = cursor_left(&value) > 0;

    while (ok && cursor_left(&value) > 0) {
        uint8_t byte = cursor_u8(&value);
        ok = isdigit(byte);
        length = length > SIZE_MAX / 10 - 10 ? length : length * 10 + (size_t)(byte - '0');
    }
    if (ok) {
        *ret_length = length;
    }
    return ok;
}

static void response_field_take(const struct cursor *name, const struct cursor *value,
                                struct http_response *ret_response, struct body_facts *body)
{
    if (equals(name, "location") && ret_response->location[0] == '\0') {
        location_copy(ret_response->location, *value);
        ret_response->raw_location = bytes_of(value);
    } else if (equals(name, "server") && ret_response->server[0] == '\0') {
        parse_copy_text(ret_response->server, sizeof(ret_response->server), value->at,
                        cursor_left(value));
        ret_response->raw_server = bytes_of(value);
    } else if (equals(name, "via") && !ret_response->raw_via.at) {
        ret_response->raw_via = bytes_of(value);
    } else if (equals(name, "transfer-encoding")) {
        body->chunked = true;
    } else if (equals(name, "content-length")) {
        body->length_known = length_parse(*value, &body->length);
    } else if (equals(name, "content-type")) {
        body->no_title |= !starts_with(value, "text/html") && !starts_with(value, "application/xh");
    } else if (equals(name, "content-encoding")) {
        body->no_title |= cursor_left(value) > 0 && !equals(value, "identity");
    }
}

static bool response_fields_read(struct cursor *c, struct http_response *ret_response,
                                 struct body_facts *ret_body)
{
    enum field_result field;
    struct cursor name, value;

    while ((field = field_read(c, &name, &value)) == FIELD_READ) {
        response_field_take(&name, &value, ret_response, ret_body);
    }
    return field == FIELD_LAST;
}

/* White space folded to one blank, none at the ends. */
static void title_copy(char ret_title[HTTP_TEXT_SIZE], struct cursor text)
{
    uint8_t folded[HTTP_TEXT_SIZE];
    size_t length = 0;

    trim(&text);
    while (cursor_left(&text) > 0 && length < sizeof(folded)) {
        uint8_t byte = cursor_u8(&text);
        if (!is_space(byte)) {
            folded[length++] = byte;
        } else if (!is_space(cursor_peek(&text, 0))) {
            folded[length++] = ' ';
        }
    }
    parse_copy_text(ret_title, HTTP_TEXT_SIZE, folded, length);
}

/* True once nothing more is to be learnt: the whole title, or a place where none comes any more. */
static bool title_read(struct cursor body, struct http_response *ret_response)
{
    size_t length = cursor_left(&body) < TITLE_WITHIN_MAX ? cursor_left(&body) : TITLE_WITHIN_MAX;
    struct cursor page = cursor_sub(&body, length);
    struct cursor c = page, text;
    bool decided = length == TITLE_WITHIN_MAX;

    if (find(&c, "<title") && find(&c, ">")) {
        cursor_skip(&c, 1);
        text = c;
        if (find(&c, "</title")) {
            decided = true;
        } else {
            c = text; /* the end tag itself may be cut */
            (void)find(&c, "<");
        }
        text.end = c.at;
        ret_response->raw_title = bytes_of(&text);
        title_copy(ret_response->title, text);
    } else {
        c = page;
        decided |= find(&c, "</head");
        c = page;
        decided |= find(&c, "<body");
    }
    return decided;
}

/* Does the page begin as HTML? MORE for white space and the beginning of a tag. */
static enum parse_result page_begins(struct cursor c)
{
    static const char *const tags[] = {
        "<!doctype html", "<html", "<head",   "<meta",  "<script", "<iframe",
        "<title",         "<body", "<center", "<style", "<link ",  "<table",
        "<div",           "<ul",   "<h1",     "<p>",    "<!--"};
    enum parse_result result = PARSE_NOT_MINE;
    size_t space = 0;

    if (cursor_starts_with(&c, "\xef\xbb\xbf", 3)) {
        cursor_skip(&c, 3);
    }
    for (; space < PAGE_SPACE_MAX && is_space(cursor_peek(&c, 0)); space++) {
        cursor_skip(&c, 1);
    }
    for (size_t i = 0; result == PARSE_NOT_MINE && i < sizeof(tags) / sizeof(tags[0]); i++) {
        size_t same = 0;
        while (tags[i][same] && lower(cursor_peek(&c, same)) == tags[i][same]) {
            same++;
        }
        if (tags[i][same] == '\0') {
            result = PARSE_DONE;
        } else if (cursor_peek(&c, same) < 0) {
            result = PARSE_MORE;
        }
    }
    return result;
}

static enum parse_result page_read(const struct cursor *c, struct http_response *ret_response)
{
    enum parse_result result = page_begins(*c);

    if (result == PARSE_DONE) {
        ret_response->bare_html = true;
        ret_response->body = bytes_of(c);
        ret_response->body_readable = true;
        ret_response->complete = title_read(*c, ret_response);
        result = ret_response->complete ? PARSE_DONE : PARSE_MORE;
    }
    return result;
}

/* Status line and fields. MORE, with the status, where the fields are cut off. */
static enum parse_result head_read(struct cursor *c, bool final, struct http_response *ret_response,
                                   struct body_facts *ret_body)
{
    struct cursor line;
    enum parse_result result;

    memset(ret_response, 0, sizeof(*ret_response));
    memset(ret_body, 0, sizeof(*ret_body));
    result = status_read(c, final, &ret_response->status);
    if (result == PARSE_DONE) {
        ret_response->complete =
            line_read(c, &line) && response_fields_read(c, ret_response, ret_body);
        result = ret_response->complete ? PARSE_DONE : PARSE_MORE;
    }
    return result;
}

/* An interim answer (RFC 9110 15.2) is passed over as soon as another follows. */
static enum parse_result answer_read(struct cursor *c, bool final,
                                     struct http_response *ret_response,
                                     struct body_facts *ret_body)
{
    enum parse_result result = head_read(c, final, ret_response, ret_body);

    while (result == PARSE_DONE && ret_response->status / 100 == 1 && ret_response->status != 101) {
        struct http_response next;
        result = head_read(c, final, &next, ret_body);
        if (next.status > 0) {
            *ret_response = next;
        } else if (result == PARSE_NOT_MINE) {
            result = PARSE_DONE;
            break;
        }
    }
    return result;
}

bool http_ends_chunked(const uint8_t *bytes, size_t length)
{
    static const char mark[] = "\r\n0\r\n\r\n";
    const size_t size = sizeof(mark) - 1;

    return length >= size && memcmp(bytes + length - size, mark, size) == 0;
}

static enum parse_result body_read(struct cursor *c, const struct body_facts *body,
                                   struct http_response *ret_response)
{
    bool ended = body->length_known && cursor_left(c) >= body->length;
    bool none = body->no_title || ret_response->status < 200 || ret_response->status == 204 ||
                ret_response->status == 304;
    struct cursor there = cursor_sub(c, ended ? body->length : cursor_left(c));

    ret_response->body = bytes_of(&there);
    ret_response->body_readable = !none;
    ret_response->body_length = body->length_known ? body->length : 0;
    ret_response->body_whole =
        none || ended || (body->chunked && http_ends_chunked(there.at, cursor_left(&there)));
    return none || title_read(there, ret_response) || ended ? PARSE_DONE : PARSE_MORE;
}

enum parse_result http_parse_response(const uint8_t *bytes, size_t length, bool final,
                                      struct http_response *ret_response)
{
    struct cursor c = cursor_init(bytes, length);
    struct body_facts body;
    enum parse_result result;

    result = answer_read(&c, final, ret_response, &body);
    if (result == PARSE_DONE) {
        result = body_read(&c, &body, ret_response);
    } else if (result == PARSE_NOT_MINE) {
        c = cursor_init(bytes, length);
        memset(ret_response, 0, sizeof(*ret_response));
        result = page_read(&c, ret_response);
    }
    if (result == PARSE_MORE && final) {
        bool mine = ret_response->status > 0 || ret_response->bare_html;
        result = mine ? PARSE_DONE : PARSE_NOT_MINE;
    }
    if (result == PARSE_NOT_MINE) {
        memset(ret_response, 0, sizeof(*ret_response));
    }
    return result;
}
