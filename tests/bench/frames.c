// SPDX-License-Identifier: GPL-3.0-or-later
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/frames.h"

#define ETHERNET_SIZE 14u
#define IPV4_SIZE     20u
#define IPV6_SIZE     40u

void *allocate(size_t size)
{
    return reallocate(NULL, size);
}

void *reallocate(void *memory, size_t size)
{
    void *grown = realloc(memory, size ? size : 1);

    if (!grown) {
        fprintf(stderr, "out of memory\n");
        exit(EXIT_FAILURE);
    }
    return grown;
}

/* ---- reading ---- */

static void frames_add(struct bench_frames *frames, const struct pcap_pkthdr *header,
                       const uint8_t *bytes)
{
    if (frames->count == frames->capacity) {
        frames->capacity = frames->capacity ? 2 * frames->capacity : 4096;
        frames->items = reallocate(frames->items, frames->capacity * sizeof(*frames->items));
    }
    struct bench_frame *frame = &frames->items[frames->count];

    *frame = (struct bench_frame){
        .time_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec,
        .order = frames->count,
        .captured = header->caplen,
        /* Fuzzers write any length. */
        .length = header->len <= FRAME_SIZE_MAX ? header->len : header->caplen,
        .bytes = allocate(header->caplen),
    };
    memcpy(frame->bytes, bytes, header->caplen);
    frames->count++;
}

bool frames_read(struct bench_frames *frames, const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *capture = pcap_open_offline(path, why);
    struct pcap_pkthdr *header;
    const uint8_t *bytes;

    if (!capture) {
        fprintf(stderr, "passed over: %s: %s\n", path, why);
        return false;
    }
    bool ethernet = pcap_datalink(capture) == DLT_EN10MB;
    if (!ethernet) {
        fprintf(stderr, "passed over: %s: not Ethernet\n", path);
    }
    while (ethernet && pcap_next_ex(capture, &header, &bytes) == 1) {
        if (header->caplen <= FRAME_SIZE_MAX) {
            frames_add(frames, header, bytes);
        }
    }
    pcap_close(capture);
    return ethernet;
}

void frames_rebase(struct bench_frames *frames, size_t first, int64_t gap_max_us)
{
    int64_t now_us = 0, before_us = 0;

    for (size_t i = first; i < frames->count; i++) {
        int64_t time_us = frames->items[i].time_us;
        int64_t gap_us = i == first || time_us < before_us ? 0 : time_us - before_us;
        now_us += gap_us < gap_max_us ? gap_us : gap_max_us;
        before_us = time_us;
        frames->items[i].time_us = now_us;
    }
}

void frames_finish(struct bench_frames *frames)
{
    for (size_t i = 0; i < frames->count; i++) {
        free(frames->items[i].bytes);
    }
    free(frames->items);
    *frames = (struct bench_frames){0};
}

/* ---- changing ---- */

uint16_t load_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

void store_u16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

uint32_t load_u32(const uint8_t *bytes)
{
    return (uint32_t)load_u16(bytes) << 16 | load_u16(bytes + 2);
}

void store_u32(uint8_t *bytes, uint32_t value)
{
    store_u16(bytes, (uint16_t)(value >> 16));
    store_u16(bytes + 2, (uint16_t)value);
}

/* Where the checksums over a changed word are; NULL where there is none to mend. */
struct checksums {
    uint8_t *ip, *transport;
};

/* RFC 1624, equation 3. */
static void checksum_mend(uint8_t *checksum, uint16_t old, uint16_t new)
{
    if (checksum) {
        uint32_t sum = (uint16_t)~load_u16(checksum) + (uint32_t)(uint16_t)~old + new;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        store_u16(checksum, (uint16_t)~sum);
    }
}

static void change_word(uint8_t *at, uint16_t value, uint8_t *first, uint8_t *second)
{
    uint16_t old = load_u16(at);

    store_u16(at, value);
    checksum_mend(first, old, value);
    checksum_mend(second, old, value);
}

/* The checksum field of a transport header of which `left` bytes are there; an absent UDP checksum
 * stays absent. */
static uint8_t *transport_checksum(uint8_t protocol, uint8_t *header, size_t left)
{
    if (protocol == IPPROTO_TCP && left >= 18) {
        return header + 16;
    }
    if (protocol == IPPROTO_UDP && left >= 8 && load_u16(header + 6) != 0) {
        return header + 6;
    }
    if (protocol == IPPROTO_ICMPV6 && left >= 4) {
        return header + 2;
    }
    return NULL;
}

static bool ipv4_is_private(const uint8_t *address)
{
    return address[0] == 10 || (address[0] == 172 && (address[1] & 0xf0) == 16) ||
           (address[0] == 192 && address[1] == 168);
}

/* Another address of the same private block; one copy never meets another. */
static void ipv4_shift(uint8_t *address, const struct checksums *sums, unsigned copy)
{
    if (address[0] == 192) { /* the third byte */
        uint16_t moved = (uint16_t)((address[2] ^ copy) << 8 | address[3]);
        change_word(address + 2, moved, sums->ip, sums->transport);
    } else if (address[0] == 172) { /* four bits of the second, four of the third */
        uint8_t second = (uint8_t)(address[1] ^ (copy & 15));
        uint8_t third = (uint8_t)(address[2] ^ (copy & 0xf0));
        change_word(address, (uint16_t)(address[0] << 8 | second), sums->ip, sums->transport);
        change_word(address + 2, (uint16_t)(third << 8 | address[3]), sums->ip, sums->transport);
    } else {
        uint16_t moved = (uint16_t)(address[0] << 8 | (address[1] ^ copy));
        change_word(address, moved, sums->ip, sums->transport);
    }
}

static void ports_shift(uint8_t *ports, const struct checksums *sums, unsigned copy)
{
    uint16_t source = load_u16(ports), destination = load_u16(ports + 2);

    if (source >= destination) {
        change_word(ports, (uint16_t)(source ^ copy), sums->transport, NULL);
    }
    if (destination >= source) {
        change_word(ports + 2, (uint16_t)(destination ^ copy), sums->transport, NULL);
    }
}

static void ipv4_shift_packet(uint8_t *ip, size_t size, unsigned copy)
{
    size_t header = size >= IPV4_SIZE ? (size_t)(ip[0] & 15) * 4 : 0;

    if (header < IPV4_SIZE || header > size) {
        return;
    }
    uint8_t *transport = ip + header;
    size_t left = size - header;
    bool first_fragment = (load_u16(ip + 6) & 0x1fff) == 0;
    struct checksums sums = {.ip = ip + 10};
    bool source = ipv4_is_private(ip + 12), destination = ipv4_is_private(ip + 16);

    if (first_fragment && ip[9] != IPPROTO_ICMPV6) {
        sums.transport = transport_checksum(ip[9], transport, left);
    }
    if (source) {
        ipv4_shift(ip + 12, &sums, copy);
    }
    if (destination) {
        ipv4_shift(ip + 16, &sums, copy);
    }
    if (!source && !destination && first_fragment && left >= 4 &&
        (ip[9] == IPPROTO_TCP || ip[9] == IPPROTO_UDP)) {
        ports_shift(transport, &sums, copy);
    }
}

static void ipv6_shift_packet(uint8_t *ip, size_t size, unsigned copy)
{
    if (size < IPV6_SIZE) {
        return;
    }
    struct checksums sums = {.transport =
                                 transport_checksum(ip[6], ip + IPV6_SIZE, size - IPV6_SIZE)};
    bool moved = false;

    for (unsigned offset = 8; offset <= 24; offset += 16) {
        if ((ip[offset] & 0xfe) == 0xfc ||
            (ip[offset] == 0xfe && (ip[offset + 1] & 0xc0) == 0x80)) {
            uint16_t word = load_u16(ip + offset + 6);
            change_word(ip + offset + 6, (uint16_t)(word ^ copy), sums.transport, NULL);
            moved = true;
        }
    }
    if (!moved && size >= IPV6_SIZE + 4 && (ip[6] == IPPROTO_TCP || ip[6] == IPPROTO_UDP)) {
        ports_shift(ip + IPV6_SIZE, &sums, copy);
    }
}

void frame_shift(uint8_t *bytes, size_t size, unsigned copy)
{
    size_t at = ETHERNET_SIZE;

    if (copy == 0) {
        return;
    }
    while (size >= at + 4 &&
           (load_u16(bytes + at - 2) == 0x8100 || load_u16(bytes + at - 2) == 0x88a8)) {
        at += 4;
    }
    if (size < at + IPV4_SIZE) {
        return;
    }
    if (load_u16(bytes + at - 2) == 0x0800) {
        ipv4_shift_packet(bytes + at, size - at, copy);
    } else if (load_u16(bytes + at - 2) == 0x86dd) {
        ipv6_shift_packet(bytes + at, size - at, copy);
    }
}

bool frame_is_plain(const struct bench_frame *frame)
{
    const uint8_t *ip = frame->bytes + FRAME_IP;

    return frame->captured == frame->length && frame->captured >= FRAME_PORTS + 20 &&
           load_u16(frame->bytes + ETHERNET_SIZE - 2) == 0x0800 && ip[0] == 0x45 &&
           (load_u16(ip + 6) & 0x3fff) == 0 && (ip[9] == IPPROTO_TCP || ip[9] == IPPROTO_UDP);
}

void frame_readdress(uint8_t *bytes, size_t size, const uint8_t old_client[4], uint32_t client,
                     uint16_t port, uint16_t dns_id)
{
    uint8_t *ip = bytes + FRAME_IP, *transport = bytes + FRAME_PORTS;
    uint8_t *sum = transport_checksum(ip[9], transport, size - FRAME_PORTS);
    bool up = memcmp(ip + 12, old_client, 4) == 0;
    uint8_t *address = up ? ip + 12 : ip + 16;
    uint16_t server_port = load_u16(up ? transport + 2 : transport);

    change_word(address, (uint16_t)(client >> 16), ip + 10, sum);
    change_word(address + 2, (uint16_t)client, ip + 10, sum);
    change_word(up ? transport : transport + 2, port, sum, NULL);
    if (server_port == 53 && ip[9] == IPPROTO_UDP && size >= FRAME_PORTS + 10) {
        change_word(transport + 8, dns_id, sum, NULL);
    }
}

/* The sum of the words; an odd byte is followed by a zero. */
static uint32_t word_sum(const uint8_t *bytes, size_t size)
{
    uint32_t sum = size % 2 ? (uint32_t)bytes[size - 1] << 8 : 0;

    for (size_t i = 0; i + 1 < size; i += 2) {
        sum += load_u16(bytes + i);
    }
    return sum;
}

static void store_checksum(uint8_t *at, uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    store_u16(at, (uint16_t)~sum);
}

void frame_make_checksums(struct bench_frame *frame)
{
    uint8_t *ip = frame->bytes + FRAME_IP, *transport = frame->bytes + FRAME_PORTS;
    uint8_t *at = ip[9] == IPPROTO_TCP ? transport + 16 : transport + 6;
    size_t total = load_u16(ip + 2);

    if (total < IPV4_SIZE + 8 || total > frame->captured - FRAME_IP) {
        return;
    }
    store_u16(ip + 10, 0);
    store_checksum(ip + 10, word_sum(ip, IPV4_SIZE));
    store_u16(at, 0);
    store_checksum(at, ip[9] + (uint32_t)(total - IPV4_SIZE) + word_sum(ip + 12, 8) +
                           word_sum(transport, total - IPV4_SIZE));
}

struct bench_frame frame_reset(const struct bench_frame *frame)
{
    const uint32_t size = FRAME_PORTS + 20;
    struct bench_frame reset = {.captured = size, .length = size, .bytes = allocate(size)};
    uint8_t *tcp = reset.bytes + FRAME_PORTS;

    memcpy(reset.bytes, frame->bytes, size);
    store_u16(reset.bytes + FRAME_IP + 2, IPV4_SIZE + 20);
    tcp[12] = 5 << 4;
    tcp[13] = 0x14;         /* RST, ACK */
    store_u16(tcp + 14, 0); /* window */
    store_u16(tcp + 18, 0); /* urgent pointer */
    frame_make_checksums(&reset);
    return reset;
}
