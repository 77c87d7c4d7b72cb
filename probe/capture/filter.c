// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/capture/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "base/array.h"
#include "probe/capture/reader.h"

#define FILTER_PROGRAMS 16u
#define LINKTYPE_RAW_IP 101u

struct program {
    uint32_t link_type;
    bool usable;
    struct bpf_program code;
};

struct filter {
    char *text;
    struct program programs[FILTER_PROGRAMS]; /* the oldest makes room */
    unsigned count, next;
    const struct program *last;
};

/* Compiles for one link type; the reason of a failure goes to `reason` (may be NULL). */
static bool compile(const char *text, int link_type, struct bpf_program *ret_code, char *reason,
                    size_t reason_size)
{
    pcap_t *pcap = pcap_open_dead(link_type, CAPTURE_FRAME_MAX);
    bool usable = pcap && pcap_compile(pcap, ret_code, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!usable && reason) {
        snprintf(reason, reason_size, "%s", pcap ? pcap_geterr(pcap) : "out of memory");
    }
    if (pcap) {
        pcap_close(pcap);
    }
    return usable;
}

int filter_create(struct filter **ret_filter, const char *text, struct dl_error *error)
{
    /* Which link types will come is not known yet; Ethernet's complaint is the one people
     * understand. */
    static const int tried[] = {DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL};
    char reason[PCAP_ERRBUF_SIZE] = "", unused[PCAP_ERRBUF_SIZE];
    bool usable = false;
    for (size_t i = 0; i < ARRAY_LENGTH(tried) && !usable; i++) {
        struct bpf_program code = {0};
        usable = compile(text, tried[i], &code, i == 0 ? reason : unused, sizeof(reason));
        if (usable) {
            pcap_freecode(&code);
        }
    }
    if (!usable) {
        return dl_error_set(error, DL_USAGE, "filter \"%s\": %s", text, reason);
    }
    struct filter *filter = calloc(1, sizeof(*filter));
    char *copy = strdup(text);
    if (!filter || !copy) {
        free(filter);
        free(copy);
        return dl_error_set(error, -ENOMEM, "%s", dl_strerror(-ENOMEM));
    }
    filter->text = copy;
    *ret_filter = filter;
    return DL_OK;
}

void filter_destroy(struct filter *filter)
{
    if (!filter) {
        return;
    }
    for (unsigned i = 0; i < filter->count; i++) {
        pcap_freecode(&filter->programs[i].code);
    }
    free(filter->text);
    free(filter);
}

static const struct program *find_program(struct filter *filter, uint32_t link_type)
{
    for (unsigned i = 0; i < filter->count; i++) {
        if (filter->programs[i].link_type == link_type) {
            return &filter->programs[i];
        }
    }
    struct program *program = &filter->programs[filter->next];
    filter->next = (filter->next + 1) % FILTER_PROGRAMS;
    filter->count = MIN_OF(filter->count + 1, FILTER_PROGRAMS);
    pcap_freecode(&program->code);
    *program = (struct program){.link_type = link_type};
    /* The one common link type whose number differs within libpcap. */
    int dlt = link_type == LINKTYPE_RAW_IP ? DLT_RAW : (int)link_type;
    program->usable = compile(filter->text, dlt, &program->code, NULL, 0);
    return program;
}

bool filter_match(struct filter *filter, const struct frame *frame)
{
    if (!filter->last || filter->last->link_type != frame->link_type) {
        filter->last = find_program(filter, frame->link_type);
    }
    const struct pcap_pkthdr header = {.caplen = frame->captured, .len = frame->length};
    return filter->last->usable &&
           pcap_offline_filter(&filter->last->code, &header, frame->data) != 0;
}
