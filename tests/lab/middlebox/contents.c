// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/middlebox/contents.h"

#include "base/array.h"
#include "base/cursor.h"

/* The sentence is the one that Pakistani carriers' pages had; fingerprint lists know it by these
 * words. */
#define BLOCKED_HTML                                                                               \
    "<html><head><title>Surf Safely!</title></head><body><h1>Surf Safely!</h1>"                    \
    "<p>This website is not accessible. The site you are trying to access contains content that "  \
    "is prohibited for viewership from within Pakistan.</p></body></html>\r\n"
#define FORBIDDEN_HTML                                                                             \
    "<html><head><title>403 Forbidden</title></head><body><h1>Access to this site has been "       \
    "denied by order of the authority</h1></body></html>\r\n"
#define IFRAME_HTML                                                                                \
    "<html><head><meta http-equiv=\"cache-control\" content=\"no-cache\"></head><body>"            \
    "<iframe src=\"http://block.example.net/notice?id=1\" width=\"100%\" height=\"100%\" "         \
    "frameborder=0></iframe></body></html>\r\n"

static const struct {
    const char *status, *fields, *body;
} pages[] = {
    [PAGE_STATUS] = {"200 OK", "Content-Type: text/html\r\n", BLOCKED_HTML},
    [PAGE_BARE] = {NULL, NULL, BLOCKED_HTML},
    [PAGE_REDIRECT] = {"302 Found", "Location: http://block.example.net/notice?from=lab\r\n", ""},
    [PAGE_FORBIDDEN] = {"403 Forbidden", "Content-Type: text/html\r\n", FORBIDDEN_HTML},
    [PAGE_IFRAME] = {"200 OK", "Content-Type: text/html\r\n", IFRAME_HTML},
};

void page_write(enum page page, struct buffer *out)
{
    const char *body = pages[page].body;
    if (pages[page].status)
        buffer_printf(out, "HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n",
                      pages[page].status, pages[page].fields, strlen(body));
    buffer_append_text(out, body);
}

/* The length of the question section (one question), from its name on; 0 if it is not whole. */
static size_t question_length(struct cursor c)
{
    size_t before = cursor_left(&c);
    uint8_t label;
    while ((label = cursor_u8(&c)) != 0) {
        if (label > 63)
            return 0; /* compressed: no question is */
        cursor_skip(&c, label);
    }
    cursor_skip(&c, 4);
    return cursor_ok(&c) ? before - cursor_left(&c) : 0;
}

bool dns_answer_write(const struct packet *question, uint16_t flags, uint8_t rcode, uint32_t ttl,
                      const struct address *address, struct buffer *out)
{
    struct cursor c = cursor_init(question->payload, question->payload_captured);
    uint16_t id = cursor_u16(&c);
    uint16_t asked = cursor_u16(&c);
    cursor_skip(&c, 8);
    size_t length = question_length(c);
    if (!length)
        return false;
    buffer_append_u16(out, id);
    buffer_append_u16(out, (uint16_t)(flags | (asked & 0x0100) | rcode)); /* RD comes back */
    buffer_append_u16(out, 1);
    buffer_append_u16(out, address != NULL);
    buffer_append_u32(out, 0);
    const uint8_t *name = cursor_bytes(&c, length);
    buffer_append(out, name, length);
    if (!address)
        return true;
    bool v4 = address_is_v4(address);
    buffer_append_u16(out, 0xc00c); /* the question's name */
    buffer_append_u16(out, v4 ? DNS_TYPE_A : DNS_TYPE_AAAA);
    buffer_append_u16(out, 1);
    buffer_append_u32(out, ttl);
    buffer_append_u16(out, v4 ? 4 : 16);
    buffer_append(out, address->bytes + (v4 ? 12 : 0), v4 ? 4 : 16);
    return true;
}
