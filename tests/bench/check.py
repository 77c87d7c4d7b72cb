#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are composed captures what they are said to be? Shares of kinds, packets a flow, mean lengths, checksums, sequence.

    check.py --build DIR --real-data DIR     composes small ones and checks those
    check.py --set b CAPTURE                 checks one that is there (minutes for a full one)
"""

import argparse
import collections
import mmap
import os
import struct
import subprocess
import sys
import tempfile

import captures

SKIPPED = 77
FIN, SYN, RST = 1, 2, 4
SMALL = {'b': 20000, 'c': 8, 'd': 20000}
CHECKSUMS = 20000  # frames of each set

# Per mille of flows.
FAILURES_B = {'syn silence': 100, 'syn reset': 100, 'hello reset': 120, 'hello silence': 40}
SHARES = {
    'b': {'tls': 190, 'dns': 220, 'dns twice': 50, 'quic': 80, 'http': 100, **FAILURES_B},
    'c': {'tls': 625, 'quic': 375},
    'd': {'tls': 350, 'dns': 350, 'quic': 150, 'http': 70, 'syn silence': 22, 'syn reset': 22, 'hello reset': 27,
          'hello silence': 9},
}


class Flow:
    """What is noted of one."""

    def __init__(self):
        self.packets = self.syns = self.resets = 0
        self.server_payload = 0
        self.largest = {}  # by side: the first sequence number that was not seen yet
        self.holes = 0


def records(path):
    """(seconds, frame) of a classic pcap."""
    with open(path, 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = 24
        while at < len(data):
            seconds, micros, captured, length = struct.unpack_from('<IIII', data, at)
            at += 16
            assert captured == length, f'cut off at {at}'
            yield seconds + micros / 1e6, data[at:at + captured]
            at += captured


def word_sum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def checksums_fit(frame):
    packet = frame[14:14 + struct.unpack_from('>H', frame, 16)[0]]
    pseudo = packet[12:20] + struct.pack('>HH', packet[9], len(packet) - 20)
    return word_sum(packet[:20]) == 0xffff and word_sum(pseudo + packet[20:]) == 0xffff


def note_tcp(flow, up, frame):
    sequence, = struct.unpack_from('>I', frame, 38)
    flags = frame[47]
    payload = struct.unpack_from('>H', frame, 16)[0] - 20 - (frame[46] >> 4) * 4
    flow.syns += flags & SYN != 0 and up
    flow.resets += flags & RST != 0
    if flags & RST:
        return
    flow.server_payload += 0 if up else payload
    expected = flow.largest.get(up, sequence)
    flow.holes += (sequence - expected) & 0xffffffff < 0x80000000 and sequence != expected
    end = sequence + payload + (flags & (SYN | FIN) != 0) & 0xffffffff
    if (end - expected) & 0xffffffff < 0x80000000:
        flow.largest[up] = end


def kind(key, flow):
    protocol, _, _, port = key
    if protocol == 17:
        return 'quic' if port == 443 else 'dns' if flow.packets == 2 else 'dns twice'
    if port == 80:
        return 'http'
    if flow.resets:
        return 'hello reset' if flow.resets == 2 else 'syn reset'
    if not flow.server_payload:
        return 'syn silence' if flow.syns == 3 else 'hello silence'
    return 'tls'


def survey(path):
    """The flows of a capture and its totals."""
    flows = collections.defaultdict(Flow)
    packets = length = 0
    before = 0.0
    for time, frame in records(path):
        assert time >= before, f'packet {packets} goes back in time'
        before = time
        packets += 1
        length += len(frame)
        if packets <= CHECKSUMS:
            assert checksums_fit(frame), f'packet {packets} has a wrong checksum'
        source, destination, port, other = struct.unpack_from('>4s4sHH', frame, 26)
        up = source[0] == 10
        key = (frame[23], source, port, other) if up else (frame[23], destination, other, port)
        flow = flows[key]
        flow.packets += 1
        if frame[23] == 6:
            note_tcp(flow, up, frame)
    return flows, packets, length


def close(is_, ought, tolerance, what, problems):
    if abs(is_ / ought - 1) > tolerance:
        problems.append(f'{what} is {is_:.4g}, stated is {ought:.4g}')


def check(name, path, wanted):
    """What is not as stated in a capture of `wanted` flows."""
    flows, packets, length = survey(path)
    stated = captures.SETS[name]
    problems = []
    kinds = collections.Counter(kind(key, flow) for key, flow in flows.items())
    if len(flows) != wanted:
        problems.append(f'{len(flows)} flows, stated are {wanted}')
    for share in sorted(set(kinds) | set(SHARES[name])):
        ought = SHARES[name].get(share, 0) / 1000
        # Three standard deviations of chance; a handful of flows has its shares exactly.
        slack = 3 * (ought * (1 - ought) / wanted) ** 0.5 if wanted >= 1000 else 1e-9
        if abs(kinds[share] / len(flows) - ought) > slack:
            problems.append(f'{kinds[share]} flows of {share}, stated is a share of {ought}')
    # Few flows with heavy tails are far from their mean.
    tails = 0.15 if name == 'd' and wanted < stated['number'] else captures.TOLERANCE
    close(packets / len(flows), stated['packets'] / stated['flows'], tails, 'packets a flow', problems)
    close(length / packets, stated['mean'], captures.TOLERANCE * (2 if tails > 0.1 else 1), 'mean length', problems)
    holes = sum(flow.holes for flow in flows.values())
    if holes:
        problems.append(f'{holes} holes in sequences')
    return [f'{name}: {problem}' for problem in problems]


def same_again(options, name, number, folder):
    """The same arguments give the same bytes."""
    paths = [os.path.join(folder, f'again-{turn}') for turn in (0, 1)]
    for path in paths:
        subprocess.run(captures.command(options, name, path, number), check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    with open(paths[0], 'rb') as first, open(paths[1], 'rb') as second:
        return first.read() == second.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('capture', nargs='?', metavar='CAPTURE')
    parser.add_argument('--set', choices=sorted(SHARES))
    parser.add_argument('--build', default='build', metavar='DIR')
    parser.add_argument('--real-data', default='../shared/data', metavar='DIR')
    options = parser.parse_args()
    if (options.capture is None) != (options.set is None):
        parser.error('a capture and its --set go together')
    if options.capture:
        problems = check(options.set, options.capture, captures.SETS[options.set]['flows'])
        print('\n'.join(problems) or 'as stated')
        return 1 if problems else 0
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'composed.pcap')
        try:
            for name, number in SMALL.items():
                subprocess.run(captures.command(options, name, path, number), check=True, stdout=subprocess.DEVNULL)
                problems += check(name, path, number)
            if not same_again(options, 'd', 500, folder):
                problems.append('d: other bytes the second time')
        except captures.Missing as missing:
            print(f'skipped: {missing}')
            return SKIPPED
    print('\n'.join(problems))
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
