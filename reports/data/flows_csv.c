// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "reports/data/flows_internal.h"

static const char head[] =
    "id,attempt,hour,probe_id,carrier,asn,country,network,position,clock,service,role,certainty,"
    "reasons,host,server,transport,packets_up,packets_down,bytes_up,bytes_down,stage,close,outcome,"
    "mechanism,attribution,signature,score,rules,origin,draft\r\n";

#define REASONS_SIZE 160

void flows_csv_head(FILE *file)
{
    fputs(head, file);
}

static void cells_vantage(struct csv *csv, const struct vantage *vantage)
{
    csv_text(csv, vantage->probe_id);
    csv_text(csv, vantage->carrier);
    csv_known(csv, vantage->asn, vantage->asn != 0);
    csv_text(csv, vantage->country);
    csv_text(csv, word_text(WORD_NETWORK, vantage->network));
    csv_text(csv, word_text(WORD_POSITION, vantage->position));
    csv_text(csv, word_text(WORD_CLOCK, vantage->clock));
}

static const char *reasons_text(uint16_t reasons, char text[REASONS_SIZE])
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < REASON_COUNT; i++)
        if (reasons & 1u << i)
            used += (size_t)snprintf(text + used, REASONS_SIZE - used, "%s%s", used ? " " : "",
                                     word_text(WORD_REASON, 1u << i));
    return text;
}

static void cells_flow(struct csv *csv, const struct flow_facts *flow)
{
    char text[FLOW_RULES_SIZE], server[FLOW_SERVER_SIZE];

    csv_text(csv, flow->service);
    csv_text(csv, word_text(WORD_ROLE, flow->role));
    csv_text(csv, word_text(WORD_CERTAINTY, flow->certainty));
    csv_text(csv, reasons_text(flow->reasons, text));
    csv_text(csv, flow->host);
    csv_text(csv, flow_server(flow, server));
    csv_text(csv, word_text(WORD_TRANSPORT, flow->transport));
    for (int side = 0; side < 2; side++)
        csv_known(csv, flow->packets[side], !flow->of_people);
    for (int side = 0; side < 2; side++)
        csv_known(csv, flow->bytes[side], !flow->of_people);
    csv_text(csv, word_text(WORD_STAGE, flow->stage));
    csv_text(csv, word_text(WORD_CLOSE, flow->close));
    csv_text(csv, word_text(WORD_OUTCOME, flow->outcome));
    csv_text(csv, flow->mechanism);
    csv_text(csv, word_text(WORD_ATTRIBUTION, flow->attribution));
    csv_known(csv, flow->signature, flow->signature != 0);
    csv_number(csv, flow->score >= 0 ? flow->score : NAN);
    csv_text(csv, flow_rules(flow, text));
}

void flows_csv_row(struct csv *csv, const struct findings *findings, const struct flow_facts *flow)
{
    char id[FLOW_ID_SIZE];

    csv_text(csv, flow->of_people ? NULL : flow_id(flow->input, flow->packet, id));
    csv_text(csv, flow->of_people ? NULL : flow_id(flow->attempt_input, flow->attempt_packet, id));
    csv_hour(csv, flow->start_us);
    cells_vantage(csv, &flow->source->vantage);
    cells_flow(csv, flow);
    csv_text(csv, word_text(WORD_ORIGIN, flow->source->vantage.origin));
    csv_text(csv, findings->options->draft ? "true" : "false");
    csv_end(csv);
}
