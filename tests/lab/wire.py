#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A length of line: passes frames between two interfaces, each after the same delay.

The lab's kernels answer within microseconds, and a judge that compares round trips would learn nothing from that.
A box that interferes takes this program's place between the two interfaces.
usage: wire.py IFACE IFACE MILLISECONDS
"""

import collections
import select
import socket
import sys
import time

ETH_P_ALL = 3
LONGEST_LIFE = 120  # seconds; nothing the lab does takes longer


def open_interface(name):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.bind((name, 0))
    return port


def main():
    ports = [open_interface(name) for name in sys.argv[1:3]]
    other = {ports[0]: ports[1], ports[1]: ports[0]}
    delay = float(sys.argv[3]) / 1000
    waiting = collections.deque()
    print('ready', flush=True)
    end = time.monotonic() + LONGEST_LIFE
    while (now := time.monotonic()) < end:
        while waiting and waiting[0][0] <= now:
            _, port, frame = waiting.popleft()
            port.send(frame)
        patience = max(0, waiting[0][0] - time.monotonic()) if waiting else 0.5
        for port in select.select(ports, [], [], patience)[0]:
            frame, where = port.recvfrom(65536)
            if where[2] != socket.PACKET_OUTGOING:
                waiting.append((time.monotonic() + delay, other[port], frame))


if __name__ == '__main__':
    main()
