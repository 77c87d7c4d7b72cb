// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* What injected packets carry: pages that say "blocked", and answers to DNS questions. */
#include "base/buffer.h"
#include "tests/lab/middlebox/flows.h"

/* An HTTP answer, or a bare page without a status line. Never longer than one segment. */
void page_write(enum page page, struct buffer *out);

/* An answer to a question: `address` of its type, or NULL for a mere rcode. False if the question
 * cannot be copied. */
bool dns_answer_write(const struct packet *question, uint16_t flags, uint8_t rcode, uint32_t ttl,
                      const struct address *address, struct buffer *out);
