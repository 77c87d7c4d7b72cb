// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One DNS message.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/inspect/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_message message, again;

    memset(&message, 0xa5, sizeof(message));
    memset(&again, 0x5a, sizeof(again));
    enum parse_result result = dns_parse(data, size, &message);

    /* The same bytes say the same, whatever was in the struct before. */
    check(dns_parse(data, size, &again) == result);
    check(memcmp(&message, &again, sizeof(message)) == 0);
    check(result == PARSE_DONE || result == PARSE_NOT_MINE);
    check(memchr(message.name, '\0', sizeof(message.name)) != NULL);
    check(memchr(message.cname, '\0', sizeof(message.cname)) != NULL);
    check(message.name_valid || message.name[0] == '\0');
    check(message.answers_kept <= DNS_ANSWERS_MAX && message.question_count <= 1);
    for (size_t i = 0; i < message.answers_kept; i++) {
        check(message.answers[i].address_count <= DNS_HINTS_MAX);
    }
    (void)dns_rcode_text(message.rcode);
    (void)dns_type_text(message.type);
    return 0;
}
