# SPDX-License-Identifier: GPL-3.0-or-later
"""Lesser captures made of a whole one: one direction, a part, cut or doubled packets, another clock.

A view is a function of (frames, flows) that returns both as the lesser capture has them: frames left out, moved or
changed; flows counted anew, and of each only what can still be known. What cannot is left out (nothing asserted).
"""

import ipaddress
import struct

from packets import Frame, checksum
from rewrite import DNS_PORT, TCP, UDP
from truth import TRANSPORTS, micros_of, moment, question, transport_packets

SECOND = 1_000_000
SYN, ACK = 0x02, 0x10
OPINIONS = ('outcome', 'mechanism', 'stage', 'close')
TAGS = ('host', 'service', 'role', 'class', 'certainty_at_least')
COPY_AFTER = 20  # microseconds between a packet and its copy on a mirror port
LEAST_CUT = 96
AWAKE = SECOND // 5


def flow_of_frame(frame):
    """((client, port, server, port, transport, question), is it up) by the lower port; None for what is no flow."""
    found = next(transport_packets([frame]), None)
    if not found:
        return None
    _, source, source_port, destination, destination_port, protocol, segment = found
    asked = None
    if protocol == UDP and DNS_PORT in (source_port, destination_port):
        asked = question(segment[8:])
    up = (source, source_port, destination, destination_port, TRANSPORTS[protocol], asked)
    down = (destination, destination_port, source, source_port, TRANSPORTS[protocol], asked)
    return up, down


def key_of_flow(flow):
    asked = (flow['host'], flow['dns']['qtype']) if 'dns' in flow else None
    return flow['client'], flow['client_port'], flow['server'], flow['server_port'], flow['transport'], asked


def counted(frames, flows):
    """Flows as these frames have them; those of which none is left are left out."""
    by_key = {key_of_flow(flow): flow | {'start': None, 'packets_up': 0, 'packets_down': 0} for flow in flows}
    for frame in frames:
        for up, key in zip((True, False), flow_of_frame(frame) or ()):
            if key in by_key:
                flow = by_key[key]
                flow['start'] = flow['start'] or moment(frame.time)
                flow['packets_up' if up else 'packets_down'] += 1
    return sorted((flow for flow in by_key.values() if flow['start']), key=lambda flow: flow['start'])


def without(flow, *keys):
    return {key: value for key, value in flow.items() if key not in keys}


def is_up(frame, flows):
    """Is this a client's packet? ICMP goes by the addresses alone."""
    clients = {ipaddress.ip_address(flow['client']).packed for flow in flows}
    six = struct.unpack_from('!H', frame.data, 12)[0] == 0x86DD
    return frame.data[14 + 8:14 + 24] in clients if six else frame.data[14 + 12:14 + 16] in clients


def one_way(up):
    """Only what clients send, or only what they get: silence of the other side says nothing."""
    def view(frames, flows):
        kept = [frame for frame in frames if is_up(frame, flows) == up]
        lesser = []
        for flow in counted(kept, flows):
            if 'dns' not in flow:
                flow = without(flow, *OPINIONS, *(() if up else TAGS))
            elif up:
                flow = without(flow, 'outcome') | {
                    'mechanism': None, 'dns': flow['dns'] | {'rcode': None, 'addresses': []}}
            lesser.append(flow)
        return kept, lesser
    return view


def subject_packets(frames, flows, host, port):
    keys = {key_of_flow(flow) for flow in flows if flow.get('host') == host and flow['server_port'] == port}
    return [number for number, frame in enumerate(frames) if keys & set(flow_of_frame(frame) or ())]


def begins_in(host, port, packets=3):
    """A capture that begins when so many packets of the flow to this host are over."""
    def view(frames, flows):
        kept = frames[subject_packets(frames, flows, host, port)[packets]:]
        whole = {key_of_flow(flow): flow for flow in flows}
        lesser = []
        for flow in counted(kept, flows):
            before = whole[key_of_flow(flow)]
            cut = before['start'] != flow['start']
            lesser.append(without(flow, *OPINIONS, *TAGS) if cut else flow)
        return kept, lesser
    return view


def ends_in(host, port, packets=4):
    """A capture that ends with that packet of the flow to this host: what did not come need not have failed to."""
    def view(frames, flows):
        kept = frames[:subject_packets(frames, flows, host, port)[packets - 1] + 1]
        whole = {key_of_flow(flow): flow for flow in flows}
        lesser = []
        for flow in counted(kept, flows):
            before = whole[key_of_flow(flow)]
            if any(before[key] != flow[key] for key in ('packets_up', 'packets_down')):
                flow = without(flow, *OPINIONS) | {'mechanism': None}
            lesser.append(flow)
        return kept, lesser
    return view


def cut_to(length=LEAST_CUT):
    """Only the first bytes of each packet: names, pages and answers are gone."""
    def view(frames, flows):
        kept = [Frame(frame.time, frame.data[:length], max(0, len(frame.data) - length)) for frame in frames]
        lesser = []
        for flow in counted(kept, flows):
            if 'dns' in flow:
                flow = flow | {'dns': without(flow['dns'], 'addresses', 'later')}
                flow = without(flow, 'service', 'role', 'class', 'certainty_at_least')
            else:
                flow = without(flow, *TAGS, 'stage', *(['mechanism', 'outcome'] if flow.get('mechanism') else []))
            lesser.append(flow)
        return kept, lesser
    return view


def doubled(frames, flows):
    """A mirror port that sees every packet coming and going: each twice, a router's hop apart in nothing but time."""
    kept = sorted((copy for frame in frames for copy in (frame, frame._replace(time=frame.time + COPY_AFTER))),
                  key=lambda frame: frame.time)
    return kept, [without(flow, 'packets_up', 'packets_down') for flow in counted(kept, flows)]


def longest_pause(frames):
    """The number of the packet after it."""
    return max(range(1, len(frames)), key=lambda number: frames[number].time - frames[number - 1].time)


def stretch(seconds):
    """Time passes, or a clock is set (also back), in the longest pause of the capture."""
    def view(frames, flows):
        after = longest_pause(frames)
        kept = [frame if number < after else frame._replace(time=frame.time + int(seconds * SECOND))
                for number, frame in enumerate(frames)]
        return kept, counted(kept, flows)
    return view


def wakes(seconds, rest=20, asking_wakes=True):
    """A radio that sleeps after a rest: so much time passes before each SYN, and then after it until it is awake.

    Not where a question came just before, which has woken it already, unless such are answered without it.
    """
    def view(frames, flows):
        kept, late, asked = [], 0, -SECOND
        for frame in frames:
            found = next(transport_packets([frame]), None)
            opens = found and found[5] == TCP and found[6][13] & (SYN | ACK) == SYN and frame.time - asked > AWAKE
            late += rest * SECOND if opens else 0
            kept.append(frame._replace(time=frame.time + late))
            late += int(seconds * SECOND) if opens else 0
            if asking_wakes and found and found[5] == UDP:
                asked = frame.time
        return kept, counted(kept, flows)
    return view


def losing_syns(frames, flows):
    """Every first SYN is lost behind the recording, and sent again after a second."""
    kept, late = [], 0
    for frame in frames:
        found = next(transport_packets([frame]), None)
        if found and found[5] == TCP and found[6][13] & (SYN | ACK) == SYN:
            kept.append(frame._replace(time=frame.time + late))
            late += SECOND
            kept.append(Frame(frame.time + late, with_next_id(frame.data)))
        else:
            kept.append(frame._replace(time=frame.time + late))
    return kept, counted(kept, flows)


def with_next_id(data):
    """An IPv4 packet as a kernel sends it again."""
    ip = bytearray(data[14:34])
    struct.pack_into('!H', ip, 4, (struct.unpack_from('!H', ip, 4)[0] + 1) & 0xFFFF)
    struct.pack_into('!H', ip, 10, 0)
    struct.pack_into('!H', ip, 10, checksum(ip))
    return data[:14] + bytes(ip) + data[34:]


def dated(start):
    """A clock that was never set."""
    def view(frames, flows):
        offset = micros_of(start) - frames[0].time
        kept = [frame._replace(time=frame.time + offset) for frame in frames]
        return kept, counted(kept, flows)
    return view
