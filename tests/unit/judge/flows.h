// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Flows as the probe stores them, built packet by packet: each function begins one or takes it a
 * step further.
 */
#include "store/observation.h"

#define S     INT64_C(1000000)
#define MS    1000u
#define START (INT64_C(1448910000) * S)

void flow_sent(struct observation *o, enum side side, uint32_t after_us, unsigned payload);
struct observation flow_syns(unsigned count);
struct observation flow_connected(void);
void flow_reset(struct observation *o, enum side side, uint32_t after_us, bool with_ack);
void flow_fin(struct observation *o, enum side side, uint32_t after_us);
struct observation flow_hello(bool named);
struct observation flow_server_hello(void);
struct observation flow_session(void);
struct observation flow_web_request(void);
struct observation flow_stream_request(void);
struct observation flow_datagrams(unsigned up, unsigned down);
struct observation flow_question(unsigned times);
void flow_answered(struct observation *o, uint32_t after_us, uint8_t rcode, const char *address);
