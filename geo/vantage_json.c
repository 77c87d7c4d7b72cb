// SPDX-License-Identifier: GPL-3.0-or-later
#include "geo/vantage_json.h"

#include <stddef.h>

static const char *some(const char *text)
{
    return *text ? text : NULL;
}

void vantage_write_json(struct json *json, const struct vantage *vantage)
{
    json_key(json, "vantage");
    json_begin_object(json);
    json_member_text(json, "probe_id", some(vantage->probe_id));
    json_member_text(json, "carrier", some(vantage->carrier));
    json_key(json, "asn");
    if (vantage->asn)
        json_unsigned(json, vantage->asn);
    else
        json_null(json);
    json_member_text(json, "country", some(vantage->country));
    json_member_text(json, "network", word_text(WORD_NETWORK, vantage->network));
    json_member_text(json, "position", word_text(WORD_POSITION, vantage->position));
    json_member_text(json, "clock", word_text(WORD_CLOCK, vantage->clock));
    json_member_text(json, "origin", word_text(WORD_ORIGIN, vantage->origin));
    json_end_object(json);
}
