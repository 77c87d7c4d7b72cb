# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a recording made on private addresses into one with the addresses the services really have.

Changed are: MAC addresses, IPv4 and IPv6 headers, A and AAAA answers, STUN's mapped addresses, the packets quoted in
ICMP errors, every checksum above them, and the clock (by one offset, so that intervals stay). What only concerns the
lab's own links (ARP, neighbour discovery, multicast) is left out.
"""

import ipaddress
import struct

from packets import Frame, adjusted_checksum, checksum

IPV4, IPV6 = 0x0800, 0x86DD
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
CHECKSUM_AT = {ICMP: 2, TCP: 16, UDP: 6, ICMPV6: 2}
ICMP_ERRORS = {ICMP: {3, 11, 12}, ICMPV6: {1, 2, 3, 4}}
NEIGHBOUR_DISCOVERY = set(range(130, 138)) | {143}
DNS_PORT, STUN_PORT = 53, 3478
TYPE_A, TYPE_AAAA = 1, 28
STUN_COOKIE = 0x2112A442
STUN_MAPPED, STUN_XOR_MAPPED = 0x0001, 0x0020
# Locally administered, so that nobody takes them for a vendor's.
CLIENT_MAC, ROUTER_MAC = bytes.fromhex('020000000001'), bytes.fromhex('0200000000fe')


class Unmapped(Exception):
    """A private address that nobody gave a public one: the capture must not be kept."""


class AddressMap:
    """Lab address to public address, in packed form."""

    def __init__(self, pairs):
        self.table = {ipaddress.ip_address(lab).packed: ipaddress.ip_address(real).packed for lab, real in pairs}

    def packed(self, address):
        address = bytes(address)
        if address in self.table:
            return self.table[address]
        value = ipaddress.ip_address(address)
        if value.is_private and not value.is_unspecified:
            raise Unmapped(str(value))
        return address


def rewrite(frames, addresses, start=None):
    """Frames for publication; `start` (microseconds) becomes the time of the first one kept."""
    kept = [(frame.time, data) for frame in frames if (data := rewrite_frame(frame.data, addresses)) is not None]
    offset = start - kept[0][0] if start is not None and kept else 0
    return [Frame(time + offset, data) for time, data in kept]


def rewrite_frame(frame, addresses):
    kind = struct.unpack_from('!H', frame, 12)[0]
    packet = bytearray(frame[14:])
    if kind not in (IPV4, IPV6) or is_of_the_link(kind, packet):
        return None
    from_client = is_lab_subscriber(packet[12:16] if kind == IPV4 else packet[8:24])
    macs = ROUTER_MAC + CLIENT_MAC if from_client else CLIENT_MAC + ROUTER_MAC
    rewrite_ip(packet, addresses)
    return macs + frame[12:14] + bytes(packet)


def is_lab_subscriber(address):
    """The lab's subscribers live in 10.77/16 and fd00:77::/32; the router's own address there is the first."""
    if len(address) == 4:
        return address[:2] == b'\x0a\x4d' and address[3] != 1
    return address[:4] == bytes.fromhex('fd000077') and address[15] != 1


def is_of_the_link(kind, packet):
    """Traffic that would never cross the router: multicast, link-local, neighbour discovery."""
    if kind == IPV4:
        ends = [ipaddress.ip_address(bytes(packet[12:16])), ipaddress.ip_address(bytes(packet[16:20]))]
        return any(end.is_multicast or end.is_link_local or end.packed == b'\xff' * 4 for end in ends)
    ends = [ipaddress.ip_address(bytes(packet[8:24])), ipaddress.ip_address(bytes(packet[24:40]))]
    if any(end.is_multicast or end.is_link_local or end.is_unspecified for end in ends):
        return True
    return packet[6] == ICMPV6 and packet[40] in NEIGHBOUR_DISCOVERY


def rewrite_ip(packet, addresses):
    """Changes one IP packet in place; it may be a quote that stops early."""
    if packet[0] >> 4 == 4:
        rewrite_ipv4(packet, addresses)
    else:
        rewrite_ipv6(packet, addresses)


def rewrite_ipv4(packet, addresses):
    header = (packet[0] & 15) * 4
    total = struct.unpack_from('!H', packet, 2)[0]
    fragment = struct.unpack_from('!H', packet, 6)[0] & 0x3FFF
    old = bytes(packet[12:20])
    new = addresses.packed(old[:4]) + addresses.packed(old[4:])
    packet[12:20] = new
    struct.pack_into('!H', packet, 10, 0)
    struct.pack_into('!H', packet, 10, checksum(packet[:header]))
    if fragment & 0x1FFF:
        return  # only the first fragment carries a transport header
    whole = len(packet) >= total and not fragment
    rewrite_transport(packet, header, min(total, len(packet)), packet[9], whole, old, new, addresses)


def rewrite_ipv6(packet, addresses):
    total = 40 + struct.unpack_from('!H', packet, 4)[0]
    old = bytes(packet[8:40])
    new = addresses.packed(old[:16]) + addresses.packed(old[16:])
    packet[8:40] = new
    whole = len(packet) >= total
    rewrite_transport(packet, 40, min(total, len(packet)), packet[6], whole, old, new, addresses)


def rewrite_transport(packet, begin, end, protocol, whole, old, new, addresses):
    """The part above IP: payloads that name addresses, then the checksum; `old` and `new` are both ends' addresses."""
    at = CHECKSUM_AT.get(protocol)
    if at is None or end - begin < at + 2:
        return
    body = packet[begin:end]
    if protocol == UDP and not struct.unpack_from('!H', body, at)[0]:
        at = None  # the sender sent none, and none it stays
    if whole:
        rewrite_payload(body, protocol, addresses)
        if at is not None:
            struct.pack_into('!H', body, at, 0)
            struct.pack_into('!H', body, at, transport_checksum(body, protocol, new))
    elif at is not None and protocol != ICMP:
        value = struct.unpack_from('!H', body, at)[0]
        struct.pack_into('!H', body, at, adjusted_checksum(value, old, new))
    packet[begin:end] = body


def transport_checksum(body, protocol, ends):
    if protocol == ICMP:
        return checksum(body)
    shape = '!IHBB' if len(ends) == 32 else '!BBH'
    lengths = (len(body), 0, 0, protocol) if len(ends) == 32 else (0, protocol, len(body))
    value = checksum(ends + struct.pack(shape, *lengths) + bytes(body))
    return 0xFFFF if protocol == UDP and value == 0 else value


def rewrite_payload(body, protocol, addresses):
    if protocol in ICMP_ERRORS and body[0] in ICMP_ERRORS[protocol]:
        quote = body[8:]
        rewrite_ip(quote, addresses)
        body[8:] = quote
    elif protocol == UDP:
        payload = body[8:]
        ports = struct.unpack_from('!HH', body)
        if DNS_PORT in ports:
            rewrite_dns(payload, addresses)
        elif STUN_PORT in ports:
            rewrite_stun(payload, addresses)
        body[8:] = payload


def skip_name(message, at):
    while message[at]:
        if message[at] >= 0xC0:
            return at + 2
        at += 1 + message[at]
    return at + 1


def dns_records(message):
    """(type, offset of rdata, its length) for each resource record."""
    questions, *counts = struct.unpack_from('!4H', message, 4)
    at = 12
    for _ in range(questions):
        at = skip_name(message, at) + 4
    for _ in range(sum(counts)):
        at = skip_name(message, at)
        kind, length = struct.unpack_from('!H6xH', message, at)
        yield kind, at + 10, length
        at += 10 + length


def rewrite_dns(message, addresses):
    for kind, at, length in dns_records(message):
        if (kind, length) in ((TYPE_A, 4), (TYPE_AAAA, 16)):
            message[at:at + length] = addresses.packed(message[at:at + length])


def rewrite_stun(message, addresses):
    if len(message) < 20 or struct.unpack_from('!I', message, 4)[0] != STUN_COOKIE:
        return
    at = 20
    while at + 4 <= len(message):
        kind, length = struct.unpack_from('!HH', message, at)
        if kind in (STUN_MAPPED, STUN_XOR_MAPPED):
            # The address is XORed with the cookie and the transaction id, which follow each other in the header.
            key = bytes(message[4:20]) if kind == STUN_XOR_MAPPED else bytes(16)
            first, last = at + 8, at + 4 + length
            plain = bytes(a ^ b for a, b in zip(message[first:last], key))
            message[first:last] = bytes(a ^ b for a, b in zip(addresses.packed(plain), key))
        at += 4 + (length + 3) // 4 * 4
