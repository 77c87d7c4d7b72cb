# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures made up for tests: Ethernet frames of conversations, written as pcap or pcapng.

Checksums are left 0, but for IPv4's own.
"""
import ipaddress
import struct

SYN, ACK, FIN, RST, PSH = 2, 16, 1, 4, 8
START_US = 1_448_000_000_000_000  # 2015-11-20T06:13:20Z
STEP_US = 20_000
CLIENT, SERVER = 0, 1
MACS = bytes.fromhex("0200000000fe020000000001")


def packed(address):
    return ipaddress.ip_address(address).packed


def ip_checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(source, target, protocol, body):
    source, target = packed(source), packed(target)
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + source + target + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0x4000, 64, protocol, 0) + source + target
    return head[:10] + struct.pack("!H", ip_checksum(head)) + head[12:] + body


def frame(source, target, protocol, body):
    kind = 0x0800 if ipaddress.ip_address(source).version == 4 else 0x86DD
    return MACS + struct.pack("!H", kind) + ip_packet(source, target, protocol, body)


def answer_record(address):
    """An A or AAAA record of the name that was asked for."""
    return struct.pack("!HHHIH", 0xC00C, 1 if len(address) == 4 else 28, 1, 300, len(address)) + address


class Line:
    """A capture under way: a clock, and the frames so far as (microseconds, bytes)."""

    def __init__(self, start=START_US):
        self.now, self.frames = start, []

    def put(self, data, step=STEP_US):
        self.frames.append((self.now, data))
        self.now += step

    def udp(self, source, source_port, target, target_port, payload):
        head = struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0)
        self.put(frame(source, target, 17, head + payload))

    def question(self, client, port, resolver, name, addresses, kind=1):
        """A DNS question and its answer."""
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
        ask = labels + struct.pack("!HH", kind, 1)
        answers = b"".join(answer_record(packed(address)) for address in addresses)
        self.udp(client, port, resolver, 53, struct.pack("!6H", port, 0x0100, 1, 0, 0, 0) + ask)
        self.udp(resolver, 53, client, port, struct.pack("!6H", port, 0x8180, 1, len(addresses), 0, 0) + ask + answers)


class Talk:
    """One TCP connection on a line."""

    def __init__(self, line, client, port, server, server_port):
        self.line, self.ends = line, ((client, port), (server, server_port))
        self.next = [1000, 5000]
        self.send(CLIENT, flags=SYN)
        self.send(SERVER, flags=SYN | ACK)
        self.send(CLIENT, flags=ACK)

    def send(self, side, payload=b"", flags=PSH | ACK):
        (source, source_port), (target, target_port) = self.ends[side], self.ends[1 - side]
        ack = self.next[1 - side] if flags & ACK else 0
        head = struct.pack("!HHIIBBHHH", source_port, target_port, self.next[side], ack, 5 << 4, flags, 64000, 0, 0)
        self.line.put(frame(source, target, 6, head + payload))
        self.next[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)

    def finish(self):
        self.send(CLIENT, flags=FIN | ACK)
        self.send(SERVER, flags=FIN | ACK)
        self.send(CLIENT, flags=ACK)


def client_hello(name):
    """A small TLS 1.2 ClientHello that asks for `name`."""
    host = name.encode()
    sni = struct.pack("!HBH", len(host) + 3, 0, len(host)) + host
    extensions = struct.pack("!HH", 0, len(sni)) + sni
    body = (b"\x03\x03" + bytes(range(32)) + b"\0" + struct.pack("!HHH", 4, 0x1301, 0xC02F) + b"\x01\0"
            + struct.pack("!H", len(extensions)) + extensions)
    return b"\x16\x03\x01" + struct.pack("!H", len(body) + 4) + b"\x01" + struct.pack("!I", len(body))[1:] + body


def server_hello():
    body = b"\x03\x03" + bytes(range(32, 64)) + b"\0" + struct.pack("!HB", 0xC02F, 0)
    return b"\x16\x03\x03" + struct.pack("!H", len(body) + 4) + b"\x02" + struct.pack("!I", len(body))[1:] + body


def many_flows(count, first_port=1024):
    """A line with `count` short conversations that do not end well, so that each becomes a row with evidence."""
    line = Line()
    for number in range(count):
        client = f"10.{number >> 14 & 255}.{number >> 7 & 127}.{number & 127 | 128}"
        talk = Talk(line, client, first_port + number % 50000, "192.0.2.7", 443)
        talk.send(CLIENT, client_hello(f"host{number}.example.net"))
        talk.send(SERVER, flags=RST | ACK)
    return line


# ---- files ----

PCAP_HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def pcap_record(time_us, data):
    return struct.pack("<IIII", time_us // 1_000_000, time_us % 1_000_000, len(data), len(data)) + data


def pcap(frames):
    return PCAP_HEAD + b"".join(pcap_record(*each) for each in frames)


def pcap_frames(raw):
    """The frames of a little-endian microsecond pcap."""
    found, at = [], len(PCAP_HEAD)
    while at < len(raw):
        seconds, micros, length, _ = struct.unpack_from("<IIII", raw, at)
        found.append((seconds * 1_000_000 + micros, raw[at + 16:at + 16 + length]))
        at += 16 + length
    return found


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


PCAPNG_HEAD = (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
               + block(1, struct.pack("<HHI", 1, 0, 262144)))


def pcapng_record(time_us, data):
    return block(6, struct.pack("<IIIII", 0, time_us >> 32, time_us & 0xFFFFFFFF, len(data), len(data)) + data)


def pcapng(frames):
    return PCAPNG_HEAD + b"".join(pcapng_record(*each) for each in frames)
