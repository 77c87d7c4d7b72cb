// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The floor: reads a capture with libpcap, counts packets and bytes, and does nothing with them.
 */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct count {
    unsigned long long packets, bytes;
};

static void count_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct count *count = (struct count *)context;

    (void)bytes;
    count->packets++;
    count->bytes += header->len;
}

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    struct count count = {0, 0};

    if (argc != 2) {
        fprintf(stderr, "usage: floor CAPTURE\n");
        return 2;
    }
    pcap_t *capture = pcap_open_offline(argv[1], why);
    if (!capture) {
        fprintf(stderr, "%s\n", why);
        return EXIT_FAILURE;
    }
    int status = pcap_loop(capture, -1, count_packet, (u_char *)&count);
    pcap_close(capture);
    printf("%llu %llu\n", count.packets, count.bytes);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
