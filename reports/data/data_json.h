// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the parts of report.json share: values as they are written everywhere in it. Not for others
 * than reports/data.
 */
#include "base/json.h"
#include "reports/findings/findings.h"

#define DATA_HOUR_SIZE 24

/* "2015-11-30T11:00:00Z" of the hour that holds the time; NULL for 0. Returns `text`. */
const char *data_hour(int64_t time_us, char text[DATA_HOUR_SIZE]);
/* The same of the next full hour, itself if it is one. */
const char *data_hour_up(int64_t time_us, char text[DATA_HOUR_SIZE]);
/* NULL for "". */
const char *data_some(const char *text);

void data_member_hour(struct json *json, const char *key, int64_t time_us);
void data_member_hour_up(struct json *json, const char *key, int64_t time_us);
void data_member_double(struct json *json, const char *key, double value);
void data_member_index(struct json *json, const char *key, size_t index); /* FINDINGS_NONE: null */
void data_member_asn(struct json *json, uint32_t asn);
/* The keys of a share, into the object that is open; and as an object under `key`. */
void data_share(struct json *json, const struct findings_share *share);
void data_member_share(struct json *json, const char *key, const struct findings_share *share);
void data_member_span(struct json *json, const char *key, const struct findings_when *when);
void data_member_mechanism_counts(struct json *json, const struct findings_mechanism *mechanisms,
                                  size_t count);

/* Words that files have for enumerations of the findings. */
const char *data_headline_text(enum findings_headline headline);
const char *data_step_text(enum findings_step_kind kind);
const char *data_payload_text(enum payload_kind kind); /* NULL none */
const char *data_rule_kind_text(enum judge_rule_kind kind);

/* The lists of the object, each with its key. */
void data_write_events(struct json *json, const struct findings *findings);
void data_write_campaigns(struct json *json, const struct findings *findings);
void data_write_orders(struct json *json, const struct findings *findings);
void data_write_cards(struct json *json, const struct findings *findings);
void data_write_charts(struct json *json, const struct findings *findings);
