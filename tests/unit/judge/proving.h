// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* Verdicts asked for and looked at, and flows that a reset ended. */
#include "analyzer/judge/judge.h"
#include "tests/unit/judge/flows.h"

/* What the store had learnt of the server: 48 ms at least, often, from answered requests. */
extern const struct reference known;

struct verdict judged(const struct observation *flow, const struct reference *server);
bool has_rule(const struct verdict *verdict, const char *rule);
/* A third party's, by this rule and with this mechanism. */
void assert_proven(const struct observation *flow, const struct reference *server, const char *rule,
                   const char *mechanism);
/* Nobody is accused. */
void assert_open(const struct observation *flow, const struct reference *server);
struct suspect *last_suspect(struct observation *flow);
struct observation hello_reset_at(uint32_t after_us);
struct observation talking_on(enum suspect_kind kind);
