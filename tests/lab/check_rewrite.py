#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the rewriter on committed captures; needs neither root nor a network.

A committed capture is turned back onto private addresses and forward again, and must come out as it was. Checksums are
verified here by code of its own, and every capture in pcaps/lab is searched for private addresses, other than those
that an injector gave for an answer.
usage: check_rewrite.py [FOLDER WITH CAPTURES]
"""

import glob
import ipaddress
import json
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from packets import Frame, read_pcap  # noqa: E402
from rewrite import (AddressMap, ICMP_ERRORS, STUN_COOKIE, Unmapped, dns_records, rewrite, rewrite_dns,  # noqa: E402
                     rewrite_ip, rewrite_stun)

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'pcaps', 'lab')
ROUND_TRIPS = ('bbm', 'fail-icmp', 'ipv6', 'controls')  # STUN, ICMP quotes, IPv6, aliases


def word_sum(data):
    data = bytes(data) + b'\0' * (len(data) % 2)
    return sum(int.from_bytes(data[at:at + 2], 'big') for at in range(0, len(data), 2))


def is_right(*parts):
    """Over data that contains its own checksum the one's complement sum is all ones, hence 0 modulo 65535."""
    return sum(map(word_sum, parts)) % 65535 == 0


def ip_parts(packet):
    """(addresses, protocol, transport)"""
    if packet[0] >> 4 == 4:
        header, total = (packet[0] & 15) * 4, struct.unpack_from('!H', packet, 2)[0]
        return [packet[12:16], packet[16:20]], packet[9], packet[header:total]
    return [packet[8:24], packet[24:40]], packet[6], packet[40:]


def wrong_checksums(packet):
    ends, protocol, body = ip_parts(packet)
    wrong = []
    if len(ends[0]) == 4 and not is_right(packet[:(packet[0] & 15) * 4]):
        wrong.append('IPv4 header')
    pseudo = b'' if protocol == 1 else b''.join(ends) + struct.pack('!II', len(body), protocol)
    if not is_right(pseudo, body):
        wrong.append(f'protocol {protocol}')
    return wrong


def addresses_in(packet):
    """All that the packet names: both ends, A and AAAA answers, and those of a quoted packet."""
    ends, protocol, body = ip_parts(packet)
    found = [bytes(end) for end in ends]
    if protocol == 17 and 53 in struct.unpack_from('!HH', body):
        message = body[8:]
        found += [bytes(message[at:at + length]) for kind, at, length in dns_records(message) if kind in (1, 28)]
    if body[0] in ICMP_ERRORS.get(protocol, ()):
        found += addresses_in(body[8:])
    return [ipaddress.ip_address(address) for address in found]


def answered_addresses(path):
    """Those that the truth beside a capture gives as answers to questions somebody interfered with."""
    with open(path, encoding='utf-8') as file:
        questions = [flow['dns'] for flow in json.load(file)['flows']
                     if 'dns' in flow and ('interference' in flow or 'by' in flow)]
    return {ipaddress.ip_address(address) for dns in questions for answer in (dns, *dns.get('later', ()))
            for address in answer['addresses']}


def inverse_table(truth):
    """Pairs of (private, public) for a committed capture, as a recording may have had them."""
    flows = truth['flows']
    clients = sorted({flow['client'] for flow in flows})
    answered = {address for flow in flows if 'dns' in flow for address in flow['dns']['addresses']}
    others = sorted(({flow['server'] for flow in flows} | answered) - set(clients))
    pairs = []
    for number, client in enumerate(clients, 10):
        six = ':' in client
        router = client.rsplit(':' if six else '.', 1)[0] + (':1' if six else '.1')
        pairs += [(f'fd00:77::{number}' if six else f'10.77.0.{number}', client),
                  ('fd00:77::1' if six else '10.77.0.1', router)]
    for number, other in enumerate(others, 10):
        pairs.append((f'fd00:78::{number}' if ':' in other else f'10.78.1.{number}', other))
    return pairs


class Rewriting(unittest.TestCase):
    def load(self, name):
        with open(os.path.join(FOLDER, name + '.json'), encoding='utf-8') as file:
            return read_pcap(os.path.join(FOLDER, name + '.pcap')), json.load(file)

    def test_round_trip(self):
        for name in ROUND_TRIPS:
            with self.subTest(name):
                frames, truth = self.load(name)
                pairs = inverse_table(truth)
                private = rewrite(frames, AddressMap([(public, lab) for lab, public in pairs]), start=0)
                named = [address for frame in private for address in addresses_in(frame.data[14:])]
                self.assertTrue(all(address.is_private for address in named))
                self.assertFalse([wrong for frame in private for wrong in wrong_checksums(frame.data[14:])])
                self.assertEqual(rewrite(private, AddressMap(pairs), start=frames[0].time), frames)

    def test_committed_captures(self):
        paths = sorted(path for folder in (FOLDER, os.path.join(FOLDER, 'interference'))
                       for path in glob.glob(os.path.join(folder, '*.pcap')))
        self.assertTrue(paths)
        for path in paths:
            with self.subTest(os.path.basename(path)):
                answered = answered_addresses(path[:-len('pcap')] + 'json')
                for number, frame in enumerate(read_pcap(path, cut_allowed=True), 1):
                    if frame.cut:
                        continue
                    self.assertFalse(wrong_checksums(frame.data[14:]), f'packet {number}')
                    private = {address for address in addresses_in(frame.data[14:]) if address.is_private}
                    self.assertFalse(private - answered, f'packet {number}')

    def test_unmapped_address_is_refused(self):
        frames, truth = self.load('bbm')
        pairs = inverse_table(truth)
        private = rewrite(frames, AddressMap([(public, lab) for lab, public in pairs]))
        for missing in range(len(pairs)):
            if pairs[missing][0] != '10.77.0.1':  # the router says nothing in this capture
                with self.assertRaises(Unmapped):
                    rewrite(private, AddressMap(pairs[:missing] + pairs[missing + 1:]))

    def test_cut_quote_keeps_a_right_checksum(self):
        frames, truth = self.load('fail-icmp')
        table = AddressMap([(public, lab) for lab, public in inverse_table(truth)])
        whole = next(frame.data[14:] for frame in frames if frame.data[23] == 6 and len(frame.data) > 70)
        cut = bytearray(whole[:20 + 18])  # up to and with TCP's checksum
        rewrite_ip(cut, table)
        expected = bytearray(whole)
        rewrite_ip(expected, table)
        self.assertEqual(cut, expected[:len(cut)])

    def test_dns_changes_addresses_only(self):
        name = b'\x02gb\x08bbsecure\x03com\0'
        answer = b'\xc0\x0c\0\x01\0\x01\0\0\1\x2c\0\4' + bytes([10, 78, 1, 10])
        alias = b'\xc0\x0c\0\x05\0\x01\0\0\1\x2c\0\2\xc0\x0c'
        message = bytearray(b'\1\2\x85\x80\0\1\0\2\0\0\0\0' + name + b'\0\1\0\1' + alias + answer)
        before = bytes(message)
        rewrite_dns(message, AddressMap([('10.78.1.10', '93.186.25.33')]))
        self.assertEqual(message, before[:-4] + bytes([93, 186, 25, 33]))

    def test_stun_mapped_address(self):
        key = struct.pack('!I', STUN_COOKIE)
        masked = bytes(a ^ b for a, b in zip(bytes([10, 77, 0, 10]), key))
        message = bytearray(struct.pack('!HHI', 0x0101, 12, STUN_COOKIE) + bytes(12)
                            + struct.pack('!HHBBH', 0x0020, 8, 0, 1, 7) + masked)
        rewrite_stun(message, AddressMap([('10.77.0.10', '39.49.96.10')]))
        self.assertEqual(bytes(a ^ b for a, b in zip(message[-4:], key)), bytes([39, 49, 96, 10]))

    def test_links_own_traffic_is_left_out(self):
        arp = bytes(12) + b'\x08\x06' + bytes(28)
        self.assertEqual(rewrite([Frame(5, arp)], AddressMap([])), [])


if __name__ == '__main__':
    if len(sys.argv) > 1:
        FOLDER = sys.argv.pop(1)
    unittest.main()
