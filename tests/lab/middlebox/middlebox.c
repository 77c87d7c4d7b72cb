// SPDX-License-Identifier: GPL-3.0-or-later
/* The program: two packet sockets, a queue between them, and the options. See rules.h for what it
 * can be told to do. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "tests/lab/middlebox/box.h"

#define FRAME_MAX     65536u
#define LONGEST_LIFE  120 /* seconds; nothing the lab does takes longer */
#define PATIENCE_US   500000
#define SOCKET_BUFFER (4 << 20)

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static int open_interface(const char *name)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
    if (fd < 0)
        return -errno;
    struct sockaddr_ll place = {.sll_family = AF_PACKET,
                                .sll_protocol = htons(ETH_P_ALL),
                                .sll_ifindex = (int)if_nametoindex(name)};
    int one = 1, size = SOCKET_BUFFER;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    if (!place.sll_ifindex || bind(fd, (struct sockaddr *)&place, sizeof(place)) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0) {
        int r = errno ? -errno : -ENODEV;
        close(fd);
        return r;
    }
    return fd;
}

static void receive(struct box *box, int fd, enum port port)
{
    static uint8_t bytes[FRAME_MAX];
    for (;;) {
        ssize_t length = recv(fd, bytes, sizeof(bytes), 0);
        if (length < 0)
            return; /* nothing more, or the interface is gone: the lab is being taken down */
        box_take(box, port, bytes, (size_t)length, clock_monotonic_us());
    }
}

static void send_due(struct box *box, const int fds[2])
{
    const struct queued *frame;
    while ((frame = box_next(box, clock_monotonic_us()))) {
        /* A frame that cannot be sent is lost, as on any line. */
        ssize_t sent = send(fds[frame->port], frame->bytes, frame->length, 0);
        (void)sent;
    }
}

static void run(struct box *box, const int fds[2], int64_t seconds)
{
    int64_t end = clock_monotonic_us() + seconds * CLOCK_SECOND_US;
    while (!stopped && clock_monotonic_us() < end) {
        send_due(box, fds);
        const struct queued *first = queue_first(&box->queue);
        int64_t wait = first ? first->due_us - clock_monotonic_us() : PATIENCE_US;
        wait = MAX_OF(0, MIN_OF(wait, PATIENCE_US));
        struct timespec patience = {.tv_nsec = (long)wait * 1000};
        struct pollfd ready[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
        if (ppoll(ready, 2, &patience, NULL) <= 0)
            continue;
        for (int port = 0; port < 2; port++)
            if (ready[port].revents)
                receive(box, fds[port], (enum port)port);
    }
}

struct options {
    const char *interfaces[2], *rules, *journal;
    uint64_t seed;
    int64_t seconds;
};

static const char usage[] =
    "usage: middlebox --near IFACE --far IFACE --rules FILE --seed N [--delay-ms N] [--jitter-ms "
    "N]\n"
    "    [--loss P] [--reorder P] [--duplicate P] [--ttl-step N] [--time-scale X] [--seconds N] "
    "[--log FILE]\n"
    "Forwards frames between two interfaces and interferes by rules "
    "(tests/lab/middlebox/rules.h).\n"
    "Shares P are between 0 and 1; --time-scale shortens residual blocking.\n";

enum option_id {
    OPTION_NEAR = 256,
    OPTION_FAR,
    OPTION_RULES,
    OPTION_SEED,
    OPTION_DELAY,
    OPTION_JITTER,
    OPTION_LOSS,
    OPTION_REORDER,
    OPTION_DUPLICATE,
    OPTION_STEP,
    OPTION_SCALE,
    OPTION_SECONDS,
    OPTION_LOG
};

static const struct option long_options[] = {
    {"near", required_argument, NULL, OPTION_NEAR},
    {"far", required_argument, NULL, OPTION_FAR},
    {"rules", required_argument, NULL, OPTION_RULES},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"delay-ms", required_argument, NULL, OPTION_DELAY},
    {"jitter-ms", required_argument, NULL, OPTION_JITTER},
    {"loss", required_argument, NULL, OPTION_LOSS},
    {"reorder", required_argument, NULL, OPTION_REORDER},
    {"duplicate", required_argument, NULL, OPTION_DUPLICATE},
    {"ttl-step", required_argument, NULL, OPTION_STEP},
    {"time-scale", required_argument, NULL, OPTION_SCALE},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"log", required_argument, NULL, OPTION_LOG},
    {0}};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "middlebox: %s: %s\n", what, why);
    exit(2);
}

static double number(const char *text, double maximum)
{
    char *end;
    double value = strtod(text, &end);
    if (!*text || *end || !(value >= 0 && value <= maximum))
        fail(text, "not a number in its range");
    return value;
}

static void take_option(int id, struct box *box, struct options *options)
{
    switch (id) {
    case OPTION_NEAR:
    case OPTION_FAR:
        options->interfaces[id - OPTION_NEAR] = optarg;
        break;
    case OPTION_RULES:
        options->rules = optarg;
        break;
    case OPTION_SEED:
        options->seed = (uint64_t)number(optarg, 0x1p53);
        break;
    case OPTION_DELAY:
        box->line.delay_us = (int64_t)(number(optarg, 10000) * 1000);
        break;
    case OPTION_JITTER:
        box->line.jitter_us = (int64_t)(number(optarg, 10000) * 1000);
        break;
    case OPTION_LOSS:
        box->line.loss = number(optarg, 1);
        break;
    case OPTION_REORDER:
        box->line.reorder = number(optarg, 1);
        break;
    case OPTION_DUPLICATE:
        box->line.duplicate = number(optarg, 1);
        break;
    case OPTION_STEP:
        box->line.ttl_step = (uint8_t)number(optarg, 200);
        break;
    case OPTION_SCALE:
        box->time_scale = number(optarg, 10);
        break;
    case OPTION_SECONDS:
        options->seconds = (int64_t)number(optarg, 3600);
        break;
    case OPTION_LOG:
        options->journal = optarg;
        break;
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static void read_options(int argc, char **argv, struct box *box, struct options *options)
{
    int id;
    while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        take_option(id, box, options);
    if (optind != argc || !options->interfaces[0] || !options->interfaces[1] || !options->rules)
        take_option('?', box, options);
    struct dl_error error = {0};
    if (rules_load(options->rules, &box->rules, &error) != DL_OK)
        fail("rules", error.message);
    if (options->journal && !(box->journal = fopen(options->journal, "w")))
        fail(options->journal, strerror(errno));
}

int main(int argc, char **argv)
{
    static struct box box = {.time_scale = 1};
    struct options options = {.seconds = LONGEST_LIFE};
    read_options(argc, argv, &box, &options);
    int r = box_init(&box, options.seed);
    if (r != DL_OK)
        fail("start", dl_strerror(r));
    int fds[2];
    for (int port = 0; port < 2; port++)
        if ((fds[port] = open_interface(options.interfaces[port])) < 0)
            fail(options.interfaces[port], dl_strerror(fds[port]));
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    puts("ready");
    fflush(stdout);
    run(&box, fds, options.seconds);
    fprintf(stderr, "frames without room: %llu, packets of flows without room: %llu\n",
            (unsigned long long)box.queue.refused, (unsigned long long)box.table.refused);
    box_finish(&box);
    for (int port = 0; port < 2; port++)
        close(fds[port]);
    if (box.journal && fclose(box.journal) != 0)
        fail(options.journal, "the log could not be written");
    return 0;
}
