// SPDX-License-Identifier: GPL-3.0-or-later
/* Interfaces, by libpcap (TPACKET_V3). */
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/array.h"
#include "base/clock.h"
#include "probe/capture/format.h"

#define BUFFER_BYTES    (64u * 1024u * 1024u)
#define SNAP_LENGTH     65535u
#define SNAP_LENGTH_MIN 64u
#define KERNEL_WAIT_MS  20 /* how long the kernel keeps a block that is not full: tags wait for it */
/* Frames are copied here: a kernel block is given back when the last of its frames was handed over.
 */
#define ARENA_BYTES     CAPTURE_BUFFER_BYTES
#define ARENA_MARGIN    256u /* an arena with less room for small frames is full */
#define PAUSE_MS        50   /* while an interface is down: its socket may always be readable */
#define LINKTYPE_RAW_IP 101u
#define COUNTER_HALF    UINT32_C(0x80000000)

struct live {
    pcap_t *pcap;
    int fd;      /* of libpcap */
    int control; /* a socket to ask about the interface; opened while privileges are there */
    char interface[IFNAMSIZ];
    unsigned index; /* 0 for "any" */
    uint32_t link_type, snap_length;
    uint64_t number;
    uint8_t *arena, *own_arena;
    size_t used;
    capture_fresh_fn fresh; /* NULL: one arena for all */
    void *fresh_context;
    bool full; /* the read under way was broken off: no other frame would fit */
    size_t maximum;
    struct frame *frames; /* of the read under way */
    size_t count;
    uint32_t seen_dropped, seen_interface_dropped; /* libpcap's counters are 32 bits wide */
    uint64_t dropped, interface_dropped;
};

static uint32_t to_link_type(int dlt)
{
    return dlt == DLT_RAW ? LINKTYPE_RAW_IP : (uint32_t)dlt;
}

static int status_of_activate(int result)
{
    int status;
    switch (result) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        status = DL_NOT_FOUND;
        break;
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        status = -EPERM;
        break;
    case PCAP_ERROR_IFACE_NOT_UP:
        status = -ENETDOWN;
        break;
    default:
        status = DL_LIBRARY;
        break;
    }
    return status;
}

static int set_filter(struct live *live, const char *filter, struct dl_error *error)
{
    struct bpf_program program;
    if (!filter) {
        return DL_OK;
    }
    if (pcap_compile(live->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        return dl_error_set(error, DL_USAGE, "filter \"%s\": %s", filter, pcap_geterr(live->pcap));
    }
    int status = DL_OK;
    if (pcap_setfilter(live->pcap, &program) != 0) {
        status =
            dl_error_set(error, DL_LIBRARY, "filter \"%s\": %s", filter, pcap_geterr(live->pcap));
    }
    pcap_freecode(&program);
    return status;
}

static int activate(struct live *live, const struct capture_live_options *options,
                    struct dl_error *error)
{
    char problem[PCAP_ERRBUF_SIZE] = "";
    live->pcap = pcap_create(live->interface, problem);
    if (!live->pcap) {
        return dl_error_set(error, DL_LIBRARY, "%s: %s", live->interface, problem);
    }
    uint32_t buffer = options->buffer_bytes ? options->buffer_bytes : BUFFER_BYTES;
    pcap_set_snaplen(live->pcap, (int)live->snap_length);
    pcap_set_promisc(live->pcap, options->promiscuous);
    pcap_set_buffer_size(live->pcap, (int)MIN_OF(buffer, (uint32_t)INT32_MAX));
    pcap_set_timeout(live->pcap, KERNEL_WAIT_MS);
    pcap_set_immediate_mode(live->pcap, 0);
    pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_MICRO);
    int result = pcap_activate(live->pcap);
    if (result < 0) {
        const char *text = pcap_geterr(live->pcap);
        return dl_error_set(error, status_of_activate(result), "%s: %s", live->interface,
                            *text ? text : pcap_statustostr(result));
    }
    if (pcap_setnonblock(live->pcap, 1, problem) != 0) {
        return dl_error_set(error, DL_LIBRARY, "%s: %s", live->interface, problem);
    }
    live->fd = pcap_get_selectable_fd(live->pcap);
    live->link_type = to_link_type(pcap_datalink(live->pcap));
    return set_filter(live, options->filter, error);
}

static void live_close(void *state)
{
    struct live *live = state;
    if (!live) {
        return;
    }
    if (live->pcap) {
        pcap_close(live->pcap);
    }
    if (live->control >= 0) {
        close(live->control);
    }
    free(live->own_arena);
    free(live);
}

int live_open(void **ret_state, const char *interface, const struct capture_live_options *options,
              struct dl_error *error)
{
    if (*interface == '\0' || strlen(interface) >= IFNAMSIZ) {
        return dl_error_set(error, DL_NOT_FOUND, "%s: no such interface", interface);
    }
    struct live *live = calloc(1, sizeof(*live));
    if (!live) {
        return dl_error_set(error, -ENOMEM, "%s: %s", interface, dl_strerror(-ENOMEM));
    }
    memcpy(live->interface, interface, strlen(interface));
    uint32_t snap_length = options->snap_length ? options->snap_length : SNAP_LENGTH;
    live->snap_length = MIN_OF(MAX_OF(snap_length, SNAP_LENGTH_MIN), CAPTURE_FRAME_MAX);
    live->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    live->index = if_nametoindex(interface);
    live->arena = live->own_arena = malloc(ARENA_BYTES);
    int status = live->arena
                     ? activate(live, options, error)
                     : dl_error_set(error, -ENOMEM, "%s: %s", interface, dl_strerror(-ENOMEM));
    if (status == DL_OK) {
        *ret_state = live;
    } else {
        live_close(live);
    }
    return status;
}

static void on_frame(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct live *live = (struct live *)(void *)context;
    uint32_t captured = MIN_OF(header->caplen, live->snap_length);
    uint8_t *copy = live->arena + live->used;
    memcpy(copy, bytes, captured);
    live->used += captured;
    live->frames[live->count++] = (struct frame){
        .data = copy,
        .captured = captured,
        .length = MAX_OF(captured, header->len),
        .time_us = header->ts.tv_sec * CLOCK_SECOND_US + header->ts.tv_usec,
        .number = ++live->number,
        .link_type = live->link_type,
    };
    /* The next one may be as long as any. What libpcap has not handed over yet it keeps. */
    if (live->count == live->maximum || ARENA_BYTES - live->used < live->snap_length) {
        live->full = true;
        pcap_breakloop(live->pcap);
    }
}

/* What the kernel has, as far as the batch and the arena have room. */
static int dispatch(struct live *live, struct frame *frames, size_t maximum)
{
    int result = 1;
    live->frames = frames;
    live->count = 0;
    live->maximum = maximum;
    live->full = false;
    if (!live->fresh) {
        live->used = 0;
    } else if (ARENA_BYTES - live->used < live->snap_length + ARENA_MARGIN) {
        live->arena = live->fresh(live->fresh_context);
        live->used = 0;
    }
    while (result > 0 && !live->full) {
        result = pcap_dispatch(live->pcap, -1, on_frame, (u_char *)live);
    }
    return result == PCAP_ERROR_BREAK ? 0 : result;
}

void live_use_buffers(void *state, capture_fresh_fn fresh, void *context)
{
    struct live *live = state;
    live->fresh = fresh;
    live->fresh_context = context;
    live->used = ARENA_BYTES; /* the first read asks for one */
}

/* Not by pcap_setfilter(): that throws away what waits. */
int live_stop(void *state, struct dl_error *error)
{
    struct live *live = state;
    struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {.len = 1, .filter = &none};
    if (setsockopt(pcap_fileno(live->pcap), SOL_SOCKET, SO_ATTACH_FILTER, &program,
                   sizeof(program)) != 0) {
        return dl_error_set(error, -errno, "%s: cannot stop taking packets: %s", live->interface,
                            strerror(errno));
    }
    return DL_OK;
}

/* Is the interface that we opened still there, under its name? */
static bool still_there(const struct live *live)
{
    struct ifreq request = {0};
    if (live->index == 0 || live->control < 0) {
        return true;
    }
    memcpy(request.ifr_name, live->interface, sizeof(request.ifr_name));
    return ioctl(live->control, SIOCGIFINDEX, &request) == 0 &&
           (unsigned)request.ifr_ifindex == live->index;
}

static bool link_up(const struct live *live)
{
    struct ifreq request = {0};
    if (live->index == 0 || live->control < 0) {
        return true;
    }
    memcpy(request.ifr_name, live->interface, sizeof(request.ifr_name));
    return ioctl(live->control, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) &&
           (request.ifr_flags & IFF_RUNNING);
}

/* Waits for frames; false when the time is over or a signal came, so that the caller can look at
 * its own affairs. */
static bool wait_for_frames(const struct live *live, int64_t deadline_us)
{
    int64_t left_us = deadline_us - clock_monotonic_us();
    struct pollfd poll_fd = {.fd = live->fd, .events = POLLIN};
    if (left_us <= 0) {
        return false;
    }
    int result = poll(&poll_fd, 1, (int)((left_us + 999) / 1000));
    if (result > 0 && (poll_fd.revents & ~POLLIN)) {
        /* Down or gone: libpcap finds out which. It may stay so, and must not keep a processor
         * busy. */
        poll(NULL, 0, PAUSE_MS);
    }
    return result > 0;
}

static int live_read(void *state, struct frame *frames, size_t maximum, int timeout_ms,
                     size_t *ret_count, struct dl_error *error)
{
    struct live *live = state;
    int64_t deadline_us = clock_monotonic_us() + (int64_t)MAX_OF(timeout_ms, 0) * 1000;
    int result;
    do {
        result = dispatch(live, frames, maximum);
    } while (result >= 0 && live->count == 0 && wait_for_frames(live, deadline_us));
    int status = DL_OK;
    if (live->count > 0) {
        *ret_count = live->count;
    } else if (!still_there(live)) {
        status = dl_error_set(error, -ENODEV, "%s: the interface is gone", live->interface);
    } else if (result < 0 && link_up(live)) {
        status =
            dl_error_set(error, DL_LIBRARY, "%s: %s", live->interface, pcap_geterr(live->pcap));
    } else {
        status = DL_AGAIN;
        if (result < 0) {
            poll(NULL, 0, PAUSE_MS);
        }
    }
    return status;
}

/* Adds how far a 32-bit counter went; a step back (libpcap could not read it any more) is none. */
static void follow(uint64_t *sum, uint32_t *seen, uint32_t now)
{
    uint32_t step = now - *seen;
    if (step < COUNTER_HALF) {
        *sum += step;
    }
    *seen = now;
}

static void live_get_stats(void *state, struct capture_stats *stats)
{
    struct live *live = state;
    struct pcap_stat counters;
    if (pcap_stats(live->pcap, &counters) == 0) {
        follow(&live->dropped, &live->seen_dropped, counters.ps_drop);
        follow(&live->interface_dropped, &live->seen_interface_dropped, counters.ps_ifdrop);
    }
    stats->kernel_dropped = live->dropped;
    stats->interface_dropped = live->interface_dropped;
    stats->link_up = link_up(live);
}

const struct capture_format capture_format_live = {
    .name = "live",
    .read = live_read,
    .get_stats = live_get_stats,
    .close = live_close,
};
