#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A packet ladder: what both ends sent, one packet a line.  ladder.py CAPTURE [FLOW]  |  ladder.py --document FILE [--check]

CAPTURE is an Ethernet pcap of the lab; without FLOW its flows are listed. FLOW is the number that the list gives it, or `port=N`, the client's; all
questions of one port are on one ladder. Columns: milliseconds since the first packet; side (C client, S server, R a router); flags;
sequence and acknowledgement, relative; payload bytes; TTL; DF; IP-ID; window; what it says.

--document rewrites the ladders in a Markdown file: each fenced block whose first line is `$ ladder.py CAPTURE FLOW [FIRST-LAST]` (the file's
folder's parent is the root of CAPTURE; FIRST-LAST are the lines that are shown). With --check nothing is written, and the exit status says whether
they are as the tool writes them today.
"""
import difflib
import ipaddress
import os
import re
import struct
import sys

sys.dont_write_bytecode = True

from packets import read_pcap  # noqa: E402  pylint: disable=wrong-import-position

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FLAGS = ((2, "SYN"), (4, "RST"), (1, "FIN"), (8, "PSH"), (16, "ACK"))
RCODES = {0: "no error", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
HEAD = f"{'MS':>9} {'':1} {'FLAGS':<11} {'SEQ':>6} {'ACK':>6} {'LEN':>5} {'TTL':>3} {'DF':2} {'IP-ID':>5} {'WIN':>5}  NOTE"


class Packet:
    """One IP packet, with its transport header where it has one."""

    def __init__(self, frame):
        self.time, ip = frame.time, frame.data[14:]
        self.four = struct.unpack_from("!H", frame.data, 12)[0] == 0x0800
        if self.four:
            self.protocol, self.ttl = ip[9], ip[8]
            self.ip_id, fragment = struct.unpack_from("!HH", ip, 4)
            self.df = bool(fragment & 0x4000)
            self.source, self.target, at = ip[12:16], ip[16:20], (ip[0] & 15) * 4
            self.segment = ip[at:struct.unpack_from("!H", ip, 2)[0]]
        else:
            self.protocol, self.ttl, self.ip_id, self.df = ip[6], ip[7], None, None
            self.source, self.target = ip[8:24], ip[24:40]
            self.segment = ip[40:40 + struct.unpack_from("!H", ip, 4)[0]]
        self.ports = struct.unpack_from("!HH", self.segment) if self.protocol in (TCP, UDP) else (0, 0)
        if self.protocol == TCP:
            self.seq, self.ack = struct.unpack_from("!II", self.segment, 4)
            self.flags, self.window = self.segment[13], struct.unpack_from("!H", self.segment, 14)[0]
            self.payload = self.segment[(self.segment[12] >> 4) * 4:]
        else:
            self.flags = self.window = None
            self.payload = self.segment[8:]

    def quoted_ports(self):
        """Of the packet that an ICMP error quotes."""
        if self.protocol not in (ICMP, ICMP6) or self.protocol == ICMP and self.segment[0] not in (3, 11):
            return (0, 0)
        inner = self.segment[8:]
        at = (inner[0] & 15) * 4 if self.protocol == ICMP else 40
        return struct.unpack_from("!HH", inner, at) if len(inner) >= at + 4 else (0, 0)


def packets_of(path):
    for frame in read_pcap(path):
        if struct.unpack_from("!H", frame.data, 12)[0] in (0x0800, 0x86DD):
            yield Packet(frame)


# ---- what a payload says ----

def name_at(message, at):
    labels = []
    while message[at] and message[at] < 64:
        labels.append(message[at + 1:at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    return ".".join(labels), at + 1


def dns_note(message):
    flags, _, answers = struct.unpack_from("!HHH", message, 2)
    name, at = name_at(message, 12)
    kind = {1: "A", 28: "AAAA"}.get(struct.unpack_from("!H", message, at)[0], "?")
    if not flags & 0x8000:
        return f"question: {kind} {name}"
    at, found = at + 4, []
    for _ in range(answers):
        at = at + 2 if message[at] >= 192 else name_at(message, at)[1]
        of, _, ttl, length = struct.unpack_from("!HHIH", message, at)
        at += 10 + length
        if of in (1, 28):
            found.append(f"{ipaddress.ip_address(message[at - length:at])} for {ttl} s")
    what = ", ".join(found) or RCODES.get(flags & 15, str(flags & 15))
    return f"answer: {kind} {what} (flags {flags:04x})"


def hello_name(payload):
    """The SNI of a ClientHello that is whole in one segment; empty."""
    at = 43
    at += 1 + payload[at]
    at += 2 + struct.unpack_from("!H", payload, at)[0]
    at += 1 + payload[at]
    end = at + 2 + struct.unpack_from("!H", payload, at)[0]
    at += 2
    while at + 4 <= min(end, len(payload)):
        kind, length = struct.unpack_from("!HH", payload, at)
        if kind == 0:
            return payload[at + 9:at + 4 + length].decode("ascii", "replace")
        at += 4 + length
    return ""


def payload_note(packet, side):
    payload = packet.payload
    if packet.protocol == UDP:
        if 53 in packet.ports:
            return dns_note(payload)
        return "QUIC, long header" if payload and payload[0] & 0xC0 == 0xC0 else "datagram"
    if payload[:1] == b"\x16" and len(payload) > 5:
        if payload[5] == 1:
            return f"ClientHello {hello_name(payload)}".rstrip()
        return "ServerHello" if payload[5] == 2 else "TLS handshake"
    if payload[:1] in (b"\x14", b"\x15", b"\x17"):
        return {0x14: "TLS", 0x15: "TLS alert", 0x17: "TLS data"}[payload[0]]
    line = payload.split(b"\r\n", 1)[0][:48].decode("ascii", "replace")
    if side == "C" and re.match(r"(GET|POST|HEAD) ", line):
        host = re.search(rb"\r\nHost: ([^\r]*)", payload)
        return f"{line.split(' HTTP')[0]} {host.group(1).decode() if host else ''}".rstrip()
    if line.startswith("HTTP/1."):
        return line
    return "<html>" if payload.lstrip()[:1] == b"<" else "data"


# ---- the ladder ----

def flag_text(flags):
    return "+".join(text for bit, text in FLAGS if flags & bit and not (bit == 8 and flags & 7)) or "-"


class Ladder:
    def __init__(self, packets, client_port):
        own = [p for p in packets if client_port in p.ports or client_port in p.quoted_ports()]  # no server of the lab has such a port
        if not own:
            raise ValueError(f"no packet of port {client_port}")
        self.packets, self.port = own, client_port
        self.start = own[0].time
        self.first_seq, self.seen = {}, set()

    def side(self, packet):
        if packet.protocol in (ICMP, ICMP6):
            return "R" if packet.quoted_ports()[0] == self.port else "C"
        return "C" if packet.ports[0] == self.port else "S"

    def relative(self, side, number):
        if side not in self.first_seq:
            return number and "?"
        return (number - self.first_seq[side]) & 0xFFFFFFFF

    def tcp_columns(self, packet, side):
        if packet.flags & 2 and side not in self.first_seq:
            self.first_seq[side] = packet.seq
        other = "S" if side == "C" else "C"
        return (flag_text(packet.flags), self.relative(side, packet.seq),
                self.relative(other, packet.ack) if packet.flags & 16 else "-")

    def note(self, packet, side):
        if packet.protocol in (ICMP, ICMP6):
            whose = "client" if side == "R" else "server"
            return f"ICMP type {packet.segment[0]} code {packet.segment[1]} about the {whose}'s packet"
        if packet.protocol == UDP:
            return payload_note(packet, side)
        key = (side, packet.seq, packet.flags, packet.payload[:64], len(packet.payload))
        again = key in self.seen and (packet.payload or packet.flags & 7)
        self.seen.add(key)
        note = payload_note(packet, side) if packet.payload else ""
        return f"{note} again".strip() if again else note

    def lines(self):
        yield HEAD
        for packet in self.packets:
            side = self.side(packet)
            flags, seq, ack = self.tcp_columns(packet, side) if packet.protocol == TCP else (
                "udp" if packet.protocol == UDP else "icmp", "-", "-")
            length = len(packet.payload) if packet.protocol in (TCP, UDP) else 0
            df, ip_id = ("-", "-") if packet.df is None else ("DF" if packet.df else "-", f"{packet.ip_id:04x}")
            window = "-" if packet.window is None else packet.window
            line = (f"{(packet.time - self.start) / 1000:9.3f} {side} {flags:<11} {seq:>6} {ack:>6} {length:>5} {packet.ttl:>3} {df:2} "
                    f"{ip_id:>5} {window:>5}  {self.note(packet, side)}")
            yield line.rstrip()


def flows_of(packets):
    """[(protocol, the client's port, the server's, packets)] in the order of their first packets, which are the clients'."""
    seen = {}
    for packet in packets:
        if packet.protocol in (TCP, UDP):
            key = (packet.protocol, *packet.ports)
            key = (packet.protocol, *packet.ports[::-1]) if (packet.protocol, *packet.ports[::-1]) in seen else key
            seen[key] = seen.get(key, 0) + 1
    return [(*key, count) for key, count in seen.items()]


def ladder_of(path, flow):
    packets = list(packets_of(path))
    if flow.startswith("port="):
        return Ladder(packets, int(flow[5:]))
    flows = flows_of(packets)
    if not 1 <= int(flow) <= len(flows):
        raise ValueError(f"{path} has {len(flows)} flows")
    return Ladder(packets, flows[int(flow) - 1][1])


# ---- the document ----

def block_of(root, command):
    """What a fenced block must hold: its first line, and the ladder."""
    words = command.split()
    lines = list(ladder_of(os.path.join(root, words[2]), words[3]).lines())
    if len(words) > 4:
        first, last = map(int, words[4].split("-"))
        rest = len(lines) - 1 - last
        lines = lines[:1] + lines[first:last + 1] + ([f"          ... {rest} more"] if rest > 0 else [])
    return [command, *lines]


def rewritten(path):
    root = os.path.dirname(os.path.dirname(os.path.abspath(path)))
    text, inside, blocks = [], False, 0
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if inside and line != "```":
                continue
            inside = False
            text.append(line)
            if line.startswith("$ ladder.py "):
                text[-1:] = block_of(root, line)
                inside, blocks = True, blocks + 1
    return "\n".join(text), blocks


def document(path, check):
    text, blocks = rewritten(path)
    with open(path, encoding="utf-8") as file:
        now = file.read()
    if check:
        sys.stdout.writelines(difflib.unified_diff(now.splitlines(True), text.splitlines(True), "written", "today", n=0))
        print(f"{blocks} ladders; rewrite them with: tests/lab/ladder.py --document docs/evidence.md")
        return 0 if now == text and blocks else 1
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"{blocks} ladders")
    return 0


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "--document":
        return document(arguments[1], "--check" in arguments[2:])
    if len(arguments) not in (1, 2) or arguments[0].startswith("-"):
        print(__doc__.strip())
        return 2
    if len(arguments) == 1:
        for number, (protocol, client, server, count) in enumerate(flows_of(packets_of(arguments[0])), 1):
            print(f"{number:3} {'tcp' if protocol == TCP else 'udp'} from {client} to {server}, {count} packets")
    else:
        print("\n".join(ladder_of(*arguments).lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
