// SPDX-License-Identifier: GPL-3.0-or-later
#include "templates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "probe/capture/capture.h"
#include "store/store.h"

/* ---- observations ---- */

static const char *door_of(const struct observation *flow, char text[ADDRESS_TEXT_SIZE])
{
    return flow->host[0] ? flow->host : address_format(&flow->server.address, text);
}

static char *copy_text(const char *text)
{
    char *copy = strdup(text);

    if (!copy) {
        abort();
    }
    return copy;
}

static struct template *find_or_add(struct templates *templates, uint32_t input,
                                    const char *technique, const char *service, const char *door)
{
    for (size_t i = 0; i < templates->count; i++) {
        struct template *item = &templates->items[i];
        if (item->input == input && strcmp(item->door, door) == 0) {
            return item;
        }
    }
    templates->items = realloc(templates->items, (templates->count + 1) * sizeof(struct template));
    if (!templates->items) {
        abort();
    }
    struct template *added = &templates->items[templates->count++];
    *added = (struct template){.technique = copy_text(technique),
                               .service = copy_text(service),
                               .door = copy_text(door),
                               .input = input};
    return added;
}

static bool row_add(struct template *template, const struct observation *flow)
{
    unsigned port = 0;

    if (template->row_count == 0) {
        template->start_us = flow->start_us;
    }
    while (port < template->port_count && template->ports[port] != flow->client_port) {
        port++;
    }
    if (port == TEMPLATE_PORTS_MAX || template->row_count == TEMPLATE_ROWS_MAX) {
        fprintf(stderr, "%s: %s: too many flows\n", template->technique, template->door);
        return false;
    }
    template->ports[port] = flow->client_port;
    template->port_count += port == template->port_count;
    struct template_row *row = &template->rows[template->row_count++];
    *row = (struct template_row){.flow = *flow, .port = (uint8_t)port, .question = -1};
    row->flow.protocol = copy_text(flow->protocol);
    row->flow.service = copy_text(flow->service);
    row->flow.host = copy_text(flow->host);
    row->flow.issuer = copy_text(flow->issuer);
    return true;
}

/* Numbers and times from the attempt's first packet on. */
static void settle(struct template *template)
{
    uint64_t first = UINT64_MAX;

    for (unsigned i = 0; i < template->row_count; i++) {
        first = template->rows[i].flow.packet < first ? template->rows[i].flow.packet : first;
    }
    for (unsigned i = 0; i < template->row_count; i++) {
        struct template_row *row = &template->rows[i];
        for (unsigned k = 0; row->flow.dns_flow && k < template->row_count; k++) {
            if (template->rows[k].flow.packet == row->flow.dns_flow) {
                row->question = (int8_t)k;
            }
        }
    }
    for (unsigned i = 0; i < template->row_count; i++) {
        struct template_row *row = &template->rows[i];
        row->after = row->flow.packet - first;
        row->flow.start_us -= template->start_us;
        row->flow.end_us -= template->start_us;
        template->packets += row->flow.packets[0] + row->flow.packets[1];
        if (template->packets <= row->after) {
            template->packets = row->after + 1;
        }
    }
}

static bool rows_load(struct templates *templates, struct store_reader *reader,
                      struct dl_error *error)
{
    struct observation flow;
    int status = store_reader_begin(reader, &(struct store_query){.with_evidence = true}, error);

    while (status == DL_OK && (status = store_reader_next(reader, &flow, error)) == DL_OK) {
        char text[ADDRESS_TEXT_SIZE], technique[64];
        const struct input_record *input = store_reader_input(reader, flow.input);
        if (flow.service[0] == '\0' || !address_is_v4(&flow.server.address)) {
            continue;
        }
        snprintf(technique, sizeof(technique), "%.63s", input->path);
        technique[strcspn(technique, ".")] = '\0';
        struct template *item =
            find_or_add(templates, flow.input, technique, flow.service, door_of(&flow, text));
        if (!row_add(item, &flow)) {
            return false;
        }
        memcpy(templates->client, flow.client.address.bytes + 12, 4);
        if (flow.dns.present) {
            memcpy(templates->resolver, flow.server.address.bytes + 12, 4);
        }
    }
    return status == DL_END;
}

/* ---- frames ---- */

struct ends {
    const uint8_t *source, *target; /* addresses */
    uint16_t source_port, target_port;
};

/* Of the packet, or of the one that an ICMP error quotes, the other way round: so the error's ends
 * are those of an answer. */
static bool ends_find(const uint8_t *bytes, size_t length, struct ends *ret_ends)
{
    const uint8_t *ip = bytes + ETHERNET_SIZE;
    size_t header = length > ETHERNET_SIZE + 20 ? (ip[0] & 15u) * 4u : 0;
    bool quoted = header && ip[9] == 1;

    if (length < ETHERNET_SIZE + 28 || get16(bytes + 12) != 0x0800 || header < 20) {
        return false;
    }
    if (quoted) {
        ip += header + 8;
        header = 20;
    }
    if (ip + header + 4 > bytes + length || (ip[9] != 6 && ip[9] != 17)) {
        return false;
    }
    struct ends ends = {ip + 12, ip + 16, get16(ip + header), get16(ip + header + 2)};
    *ret_ends =
        quoted ? (struct ends){ends.target, ends.source, ends.target_port, ends.source_port} : ends;
    return true;
}

static bool row_has(const struct template_row *row, const struct ends *ends, bool *ret_up)
{
    const struct observation *flow = &row->flow;
    const uint8_t *client = flow->client.address.bytes + 12;
    const uint8_t *server = flow->server.address.bytes + 12;

    *ret_up = memcmp(ends->source, client, 4) == 0;
    return (*ret_up && ends->source_port == flow->client_port &&
            memcmp(ends->target, server, 4) == 0 && ends->target_port == flow->server_port) ||
           (memcmp(ends->target, client, 4) == 0 && ends->target_port == flow->client_port &&
            memcmp(ends->source, server, 4) == 0 && ends->source_port == flow->server_port);
}

static void frame_add(struct template *template, const struct frame *frame, uint8_t port, bool up)
{
    template->frames =
        realloc(template->frames, (template->frame_count + 1) * sizeof(*template->frames));
    uint8_t *bytes = malloc(frame->captured);
    if (!template->frames || !bytes) {
        abort();
    }
    memcpy(bytes, frame->data, frame->captured);
    template->frames[template->frame_count++] =
        (struct template_frame){.after_us = frame->time_us - template->start_us,
                                .bytes = bytes,
                                .length = frame->captured,
                                .port = port,
                                .up = up};
}

static void frame_place(struct templates *templates, uint32_t input, const struct frame *frame)
{
    struct ends ends;
    bool up;

    if (!ends_find(frame->data, frame->captured, &ends)) {
        return;
    }
    for (size_t i = 0; i < templates->count; i++) {
        struct template *item = &templates->items[i];
        for (unsigned k = 0; item->input == input && k < item->row_count; k++) {
            if (row_has(&item->rows[k], &ends, &up)) {
                frame_add(item, frame, item->rows[k].port, up);
                return;
            }
        }
    }
}

static bool frames_load(struct templates *templates, const struct input_record *input,
                        const char *folder, struct dl_error *error)
{
    struct frame frames[CAPTURE_BATCH];
    struct capture *capture;
    char path[1024];
    size_t count;
    int status;

    snprintf(path, sizeof(path), "%s/%s", folder, input->path);
    if (capture_open_file(&capture, path, NULL, error) != DL_OK) {
        return false;
    }
    while ((status = capture_read(capture, frames, CAPTURE_BATCH, 0, &count, error)) == DL_OK) {
        for (size_t i = 0; i < count; i++) {
            frame_place(templates, input->number, &frames[i]);
        }
    }
    capture_close(capture);
    return status == DL_END;
}

bool templates_load(struct templates *templates, const char *store, const char *folder)
{
    struct dl_error error = {0};
    struct store_reader *reader = NULL;
    bool good = store_reader_open(&reader, &store, 1, &error) == DL_OK &&
                rows_load(templates, reader, &error);

    for (uint32_t i = 1; good && folder && i <= store_reader_input_count(reader); i++) {
        good = frames_load(templates, store_reader_input(reader, i), folder, &error);
    }
    for (size_t i = 0; i < templates->count; i++) {
        settle(&templates->items[i]);
    }
    if (!good) {
        fprintf(stderr, "%s: %s\n", store, dl_error_text(&error, error.status));
    }
    store_reader_close(reader);
    return good;
}

void templates_finish(struct templates *templates)
{
    for (size_t i = 0; i < templates->count; i++) {
        struct template *item = &templates->items[i];
        for (unsigned k = 0; k < item->row_count; k++) {
            free((char *)item->rows[k].flow.protocol);
            free((char *)item->rows[k].flow.service);
            free((char *)item->rows[k].flow.host);
            free((char *)item->rows[k].flow.issuer);
        }
        for (size_t k = 0; k < item->frame_count; k++) {
            free(item->frames[k].bytes);
        }
        free(item->frames);
        free((char *)item->technique);
        free((char *)item->service);
        free((char *)item->door);
    }
    free(templates->items);
}

const struct template *templates_find(const struct templates *templates, const char *technique,
                                      const char *service, const char *door)
{
    for (size_t i = 0; i < templates->count; i++) {
        const struct template *item = &templates->items[i];
        if (strcmp(item->technique, technique) == 0 && strcmp(item->service, service) == 0 &&
            (!door || strcmp(item->door, door) == 0)) {
            return item;
        }
    }
    return NULL;
}
