# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth about interference: the middlebox's journal, laid against the capture.

Each flow gets `attribution` (third-party where a rule of the middlebox did it, null where none did, unless its case
says otherwise), `contradiction` (which of the four that can prove a third party its packets hold, found here with
knowledge of which packets were injected), and `interference`: what was injected, dropped, delayed or changed. The four:
a) an answer sooner than 0.8 of the server's least round trip, b) the real end goes on after its own RST or FIN, c) two
contents for one sequence range or DNS id, d) a catalogued block page.
"""

import ipaddress
import json
import struct
from typing import NamedTuple

from rewrite import IPV4, TCP, UDP, AddressMap
from truth import question

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
SOONER, BEYOND = 0.8, 1.25  # of the server's least round trip; the latter with a margin
CATALOGUED_PAGE = b'prohibited for viewership from within Pakistan'
AT_ONCE_US = 20_000
DEEDS = ('dropped', 'delayed', 'changed')


class Packet(NamedTuple):
    time: int
    up: bool
    ip_id: int
    flags: int
    seq: int
    ack: int
    payload: bytes


def key_of(flow):
    return flow['client'], flow['client_port'], flow['server'], flow['server_port'], flow['transport']


def packets_by_flow(frames, keys):
    """Packets of each known flow, in order of time."""
    found = {key: [] for key in keys}
    for frame in frames:
        ip = frame.data[14:]
        if struct.unpack_from('!H', frame.data, 12)[0] == IPV4:
            protocol, at, ends = ip[9], (ip[0] & 15) * 4, (ip[12:16], ip[16:20])
            ip_id = struct.unpack_from('!H', ip, 4)[0]
            ip = ip[:struct.unpack_from('!H', ip, 2)[0]]
        else:
            protocol, at, ends, ip_id = ip[6], 40, (ip[8:24], ip[24:40]), 0
        if protocol not in (TCP, UDP):
            continue
        source, destination = (str(ipaddress.ip_address(end)) for end in ends)
        ports = struct.unpack_from('!HH', ip, at)
        transport = 'tcp' if protocol == TCP else 'udp'
        for up, key in ((True, (source, ports[0], destination, ports[1], transport)),
                        (False, (destination, ports[1], source, ports[0], transport))):
            if key in found:
                found[key].append(packet_of(frame.time, up, ip_id, protocol, ip[at:]))
    return found


def packet_of(time, up, ip_id, protocol, segment):
    if protocol == UDP:
        return Packet(time, up, ip_id, 0, 0, 0, bytes(segment[8:]))
    seq, ack = struct.unpack_from('!II', segment, 4)
    return Packet(time, up, ip_id, segment[13], seq, ack, bytes(segment[(segment[12] >> 4) * 4:]))


def read_journal(path, addresses):
    """Journal lines by flow, with the addresses of the published capture."""
    lines = {}
    with open(path, encoding='ascii') as file:
        for text in file:
            line = json.loads(text)
            for end in ('client', 'server'):
                packed = addresses.packed(ipaddress.ip_address(line['flow'][end]).packed)
                line['flow'][end] = str(ipaddress.ip_address(packed))
            lines.setdefault(key_of(line['flow']), []).append(line)
    return lines


def seen_from_server(packets):
    """The same packets with their directions exchanged: at a server, what comes in its client's name is in doubt."""
    return {key: [packet._replace(up=not packet.up) for packet in own] for key, own in packets.items()}


def is_injected(packet, sent, near):
    """Is this one of the packets to the near end that the journal tells of?"""
    return not packet.up and any(
        item['to'] == near and 'icmp_type' not in item and item['ip_id'] == packet.ip_id
        and len(packet.payload) == item['payload']
        and (item.get('flags', 0), item.get('seq', 0)) == (packet.flags, packet.seq) for item in sent)


def round_trip(packets, injected):
    """From SYN to SYN-ACK, or from question to true answer; None if there is none."""
    first = next((packet for packet in packets if packet.up), None)
    for packet in packets:
        if (first and packet.time >= first.time and not packet.up and packet not in injected
                and not packet.flags & RST):
            return packet.time - first.time
    return None


def overlap_differs(one, other):
    """Two contents for one sequence range; what a reset says is no part of the stream (RFC 9293)."""
    if (one.flags | other.flags) & RST:
        return False
    distance = (other.seq - one.seq + 2**31) % 2**32 - 2**31
    begin, back = max(0, distance), max(0, -distance)
    length = min(len(one.payload) - begin, len(other.payload) - back)
    return length > 0 and one.payload[begin:begin + length] != other.payload[back:back + length]


def answers_differ(one, other):
    """Two contents for one DNS id."""
    return one.payload[:2] == other.payload[:2] and one.payload != other.payload


def contradictions(packets, injected, woken_by_client, least):
    if not injected:
        return []
    genuine = [packet for packet in packets if not packet.up and packet not in injected]
    first, found = injected[0], set()
    before = [packet for packet in packets if packet.up and packet.time <= first.time]
    if before and least and woken_by_client and first.time - before[-1].time < SOONER * least:
        found.add('a')
    ends = [packet for packet in injected if packet.flags & (RST | FIN)]
    beyond = ends[0].time + BEYOND * least if ends and least else None
    if beyond and any(packet.time > beyond and not packet.flags & RST for packet in genuine):
        found.add('b')
    contrary = overlap_differs if first.flags else answers_differ
    if any(contrary(one, other) for one in injected for other in genuine + injected):
        found.add('c')
    if any(CATALOGUED_PAGE in packet.payload for packet in injected):
        found.add('d')
    return sorted(found)


def disbelieved(packets, injected):
    """A reset that the client's kernel did not take: it goes on sending, which it does at once or not at all."""
    resets = [packet for packet in injected if packet.flags & RST]
    return bool(resets) and any(packet.up and not packet.flags & RST and packet.time > resets[-1].time + AT_ONCE_US
                                for packet in packets)


def told(lines):
    """What was done to one flow, in few words."""
    out = {'rules': sorted({line['rule'] for line in lines})}
    sent = [line['sent'] for line in lines if 'sent' in line]
    if sent:
        out['injected'] = [{key: value for key, value in item.items() if key not in ('seq', 'ack')} for item in sent]
    for deed in DEEDS:
        counts = [sum(1 for line in lines if line.get(deed, {}).get('from') == side) for side in ('client', 'server')]
        if any(counts):
            out[deed] = {'up': counts[0], 'down': counts[1]}
    return out


def complete(flows, frames, lab, carrier):
    """Adds to the truth of each flow what the middlebox did to it."""
    journal = read_journal(lab.journal, AddressMap(lab.address_pairs(carrier)))
    packets = packets_by_flow(frames, {key_of(flow) for flow in flows})
    near = 'server' if lab.vantage.get('position') == 'server' else 'client'
    if near == 'server':
        packets = seen_from_server(packets)
    sent = {key: [line['sent'] for line in lines if 'sent' in line] for key, lines in journal.items()}
    injected = {key: [packet for packet in own if is_injected(packet, sent.get(key, ()), near)]
                for key, own in packets.items()}
    trips, counts = {}, {}
    for key in packets:
        if (trip := round_trip(packets[key], injected[key])) is not None:
            trips[key[2]] = min(trip, trips.get(key[2], trip))
            counts[key[2:]] = counts.get(key[2:], 0) + 1
    for flow in flows:
        key = key_of(flow)
        lines, own = journal.get(key, []), packets[key]
        if 'dns' in flow:
            asked = flow['host'], flow['dns']['qtype']
            own = [packet for packet in own if question(packet.payload) == asked]
            lines = [line for line in lines if (line['flow'].get('name'), line['flow'].get('qtype')) == asked]
            expected = lab.expected_questions.get(flow['host'], {})
            flow |= expected if lines or flow['mechanism'] or 'by' in expected else {}
        by_client = any('sent' in line and line.get('woken_by') == near for line in lines)
        foreign = [packet for packet in injected[key] if packet in own]
        found = contradictions(own, foreign, by_client, trips.get(key[2]))
        if flow.get('by') == 'resolver' and flow['mechanism'] == 'dns.injection.blockpage':
            found = ['d']  # a catalogued page's address proves it, whoever gives it
        did = any(deed in line for line in lines for deed in ('sent', 'dropped', 'delayed'))
        if flow.get('mechanism') and 'dns' not in flow and not did and not {'attribution', 'ends', 'by'} & flow.keys():
            raise ValueError(f'{flow["host"]} {key}: {flow["mechanism"]} was declared, and nobody did it')
        flow.setdefault('attribution', 'third-party' if did else None)
        flow.setdefault('contradiction', found)
        if flow['contradiction'] != found:
            raise ValueError(f'{flow["host"]} {key}: contradictions {found}, declared {flow["contradiction"]}')
        ended = (flow.get('mechanism') or '').startswith(('tls.reset', 'http.reset', 'stream.reset'))
        if ended and disbelieved(own, foreign):
            raise ValueError(f'{flow["host"]} {key}: the client did not believe its reset: record again')
        if flow['attribution'] is None and found:
            raise ValueError(f'{flow["host"]} {key}: an innocent whose packets hold a contradiction: {found}')
        if lines:
            flow['interference'] = told(lines)
        if lab.variation:
            flow |= {'round_trips': counts.get(key[2:], 0)} | (
                {'injector': lab.variation.family} if 'injected' in flow.get('interference', ()) else {})
