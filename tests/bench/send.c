// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sends a classic pcap capture of Ethernet frames through an interface, at full speed or at a rate,
 * and prints how many packets and bytes went out, how many did not fit, and the seconds it took.
 *
 *   send INTERFACE RATE LOOPS CAPTURE     RATE: packets a second, 0 for full speed
 *
 * Times in the capture do not matter. Needs CAP_NET_RAW.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCH         64u
#define PCAP_MAGIC    0xa1b2c3d4u
#define PCAP_HEADER   24u
#define RECORD_HEADER 16u

struct sender {
    int socket;
    const uint8_t *bytes; /* of the capture */
    size_t size, at;
    size_t frame_max;
    double begin, rate;
    unsigned long long packets, length, too_long;
};

__attribute__((noreturn)) static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void open_interface(struct sender *sender, const char *name)
{
    struct ifreq request = {0};
    int yes = 1;

    sender->socket = socket(AF_PACKET, SOCK_RAW, 0); /* 0: receives nothing */
    if (sender->socket < 0) {
        fail("socket");
    }
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (ioctl(sender->socket, SIOCGIFMTU, &request) != 0) {
        fail(name);
    }
    sender->frame_max = (size_t)request.ifr_mtu + ETHER_HDR_LEN;
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_ifindex = (int)if_nametoindex(name)};
    if (bind(sender->socket, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(sender->socket, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes)) != 0) {
        fail(name);
    }
}

static void open_capture(struct sender *sender, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY);

    if (fd < 0 || fstat(fd, &status) != 0) {
        fail(path);
    }
    sender->size = (size_t)status.st_size;
    sender->bytes = mmap(NULL, sender->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (sender->bytes == MAP_FAILED || sender->size < PCAP_HEADER ||
        memcmp(sender->bytes, &(uint32_t){PCAP_MAGIC}, 4) != 0) {
        fprintf(stderr, "%s: no classic pcap of this machine's byte order\n", path);
        exit(EXIT_FAILURE);
    }
    close(fd);
}

static unsigned gather(struct sender *sender, struct iovec *vectors)
{
    unsigned count = 0;
    uint32_t captured;

    while (count < BATCH && sender->size - sender->at >= RECORD_HEADER) {
        memcpy(&captured, sender->bytes + sender->at + 8, sizeof(captured));
        sender->at += RECORD_HEADER;
        if (captured > sender->size - sender->at) {
            sender->at = sender->size;
        } else {
            if (captured <= sender->frame_max && captured >= ETHER_HDR_LEN) {
                vectors[count++] = (struct iovec){
                    .iov_base = (void *)(uintptr_t)(sender->bytes + sender->at), captured};
                sender->length += captured;
            } else {
                sender->too_long++;
            }
            sender->at += captured;
        }
    }
    return count;
}

static void pace(const struct sender *sender)
{
    double due = sender->begin + (double)sender->packets / sender->rate;

    double left;

    while ((left = due - now()) > 0) {
        if (left > 100e-6) {
            struct timespec wait = {.tv_nsec = (long)((left < 0.5 ? left - 60e-6 : 0.4) * 1e9)};
            nanosleep(&wait, NULL);
        }
    }
}

static void send_batch(struct sender *sender, struct iovec *vectors, unsigned count)
{
    struct mmsghdr messages[BATCH] = {0};
    unsigned sent = 0;

    for (unsigned i = 0; i < count; i++) {
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (sent < count) {
        int some = sendmmsg(sender->socket, messages + sent, count - sent, 0);
        if (some > 0) {
            sent += (unsigned)some;
        } else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
            fail("sendmmsg");
        }
    }
    sender->packets += count;
}

int main(int argc, char **argv)
{
    struct sender sender = {0};
    struct iovec vectors[BATCH];

    if (argc != 5) {
        fprintf(stderr, "usage: send INTERFACE RATE LOOPS CAPTURE\n");
        return 2;
    }
    sender.rate = strtod(argv[2], NULL);
    open_interface(&sender, argv[1]);
    open_capture(&sender, argv[4]);
    sender.begin = now();
    for (unsigned long loops = strtoul(argv[3], NULL, 10); loops > 0; loops--) {
        unsigned count;
        sender.at = PCAP_HEADER;
        while ((count = gather(&sender, vectors)) > 0) {
            if (sender.rate > 0) {
                pace(&sender);
            }
            send_batch(&sender, vectors, count);
        }
    }
    printf("%llu %llu %llu %.6f\n", sender.packets, sender.length, sender.too_long,
           now() - sender.begin);
    return EXIT_SUCCESS;
}
