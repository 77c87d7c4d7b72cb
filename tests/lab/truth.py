# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth beside a capture: what each flow in it is, found by matching what a case declared with what was recorded.

A recorded flow that nobody declared is an error, and so is a declared one that was not recorded.
"""

import datetime
import ipaddress
import json
import struct

from hosts import HOSTS, belongs_to
from rewrite import DNS_PORT, IPV4, TCP, TYPE_A, TYPE_AAAA, UDP, dns_records, skip_name

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
TRANSPORTS = {TCP: 'tcp', UDP: 'udp'}
QTYPES = {TYPE_A: 'A', TYPE_AAAA: 'AAAA'}
RCODES = {0: 'NOERROR', 2: 'SERVFAIL', 3: 'NXDOMAIN', 5: 'REFUSED'}
DNS_MECHANISMS = {'NOERROR': None, 'SERVFAIL': 'dns.servfail', 'NXDOMAIN': 'dns.nxdomain', 'REFUSED': 'dns.refused',
                  None: 'dns.timeout'}


def moment(micros):
    value = datetime.datetime.fromtimestamp(micros // 1_000_000, datetime.UTC)
    return f'{value:%Y-%m-%dT%H:%M:%S}.{micros % 1_000_000:06}Z'


def micros_of(text):
    return int(datetime.datetime.fromisoformat(text).timestamp()) * 1_000_000


def transport_packets(frames):
    """(time, source, source port, destination, destination port, protocol, segment) of every TCP and UDP packet."""
    for frame in frames:
        packet = frame.data[14:]
        if struct.unpack_from('!H', frame.data, 12)[0] == IPV4:
            protocol, ends, at = packet[9], (packet[12:16], packet[16:20]), (packet[0] & 15) * 4
        else:
            protocol, ends, at = packet[6], (packet[8:24], packet[24:40]), 40
        if protocol in TRANSPORTS:
            source, destination = (str(ipaddress.ip_address(end)) for end in ends)
            yield (frame.time, source, *struct.unpack_from('!H', packet, at), destination,
                   *struct.unpack_from('!H', packet, at + 2), protocol, packet[at:])


def question(message):
    at, labels = 12, []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    kind = struct.unpack_from('!H', message, at + 1)[0]
    return '.'.join(labels), QTYPES.get(kind, kind)


def answers(message):
    return [str(ipaddress.ip_address(message[at:at + length])) for kind, at, length in dns_records(message)
            if kind in QTYPES]


def dns_flows(packets):
    flows = {}
    for time, source, source_port, destination, destination_port, _, segment in packets:
        message = segment[8:]
        up = destination_port == DNS_PORT
        client, server = (source, destination) if up else (destination, source)
        port = source_port if up else destination_port
        name, kind = question(message)
        known = belongs_to(HOSTS[name]) if name in HOSTS else {}
        if known.get('service', '') is not None and known:
            known |= {'role': 'dns'}  # a role is a service's: a question for nobody's name has none
        flow = flows.setdefault((client, port, server, message[:2], name, kind), {
            'start': moment(time), 'client': client, 'client_port': port, 'server': server, 'server_port': DNS_PORT,
            'transport': 'udp', 'host': name, **known, 'stage': 'dns',
            'dns': {'qtype': kind, 'rcode': None, 'addresses': []}, 'packets_up': 0, 'packets_down': 0})
        flow['packets_up' if up else 'packets_down'] += 1
        if not up:
            answer = {'rcode': RCODES[message[3] & 15], 'addresses': answers(message)}
            if flow['dns']['rcode'] is None:
                flow['dns'] |= answer  # the first is the one that its asker believes
            else:
                flow['dns'].setdefault('later', []).append(answer)
    for flow in flows.values():
        mechanism = DNS_MECHANISMS[flow['dns']['rcode']]
        flow |= {'outcome': 'failed' if mechanism else 'ok', 'mechanism': mechanism}
    return list(flows.values())


def close_of(flags_up, flags_down):
    if flags_up & FIN and flags_down & FIN:
        return 'fin'
    if (flags_up | flags_down) & RST:
        return 'reset'
    return 'end-of-capture'


def is_begun_anew(segment, flags, first):
    """A SYN with a number of its own, from a port whose last connection is over."""
    return (flags and segment[13] & (SYN | ACK) == SYN and segment[4:8] != first
            and (flags[0] | flags[1]) & (FIN | RST))


def other_flows(packets, expected):
    """Flows to the declared servers, each with its declared truth."""
    servers = {(item.address, item.port, item.transport) for item in expected}
    flows, flags, begun, again, waiting = {}, {}, {}, {}, list(expected)
    for time, source, source_port, destination, destination_port, protocol, segment in packets:
        transport = TRANSPORTS[protocol]
        up = (destination, destination_port, transport) in servers
        if not up and (source, source_port, transport) not in servers:
            raise ValueError(f'nobody declared {source} {source_port} -> {destination} {destination_port} {transport}')
        client, port, server, server_port = ((source, source_port, destination, destination_port) if up else
                                             (destination, destination_port, source, source_port))
        ends = client, port, server, server_port, transport
        key = *ends, again.get(ends, 0)
        if protocol == TCP and is_begun_anew(segment, flags.get(key), begun.get(key)):
            again[ends] = again.get(ends, 0) + 1
            key = *ends, again[ends]
        if key not in flows:
            begun[key] = segment[4:8]
            flows[key] = {'start': moment(time), 'client': client, 'client_port': port, 'server': server,
                          'server_port': server_port, 'transport': transport,
                          **take(waiting, server, server_port, transport), 'packets_up': 0, 'packets_down': 0}
            flags[key] = [0, 0]
        flows[key]['packets_up' if up else 'packets_down'] += 1
        if protocol == TCP:
            flags[key][not up] |= segment[13]
    if waiting:
        raise ValueError(f'declared but not recorded: {waiting}')
    for key, flow in flows.items():
        if 'close' in flow and flow['close'] != close_of(*flags[key]):
            raise ValueError(f'{flow["host"]} {key}: closed by {close_of(*flags[key])}, not {flow["close"]}')
    return list(flows.values())


def take(waiting, server, port, transport):
    for item in waiting:
        if (item.address, item.port, item.transport) == (server, port, transport):
            waiting.remove(item)
            return item.truth
    raise ValueError(f'more flows to {server} {port} than declared')


def flows_of(frames, expected):
    packets = list(transport_packets(frames))
    is_dns = [DNS_PORT in (packet[2], packet[4]) for packet in packets]
    dns = dns_flows(packet for packet, yes in zip(packets, is_dns) if yes)
    others = other_flows([packet for packet, yes in zip(packets, is_dns) if not yes], expected)
    return sorted(dns + others, key=lambda flow: flow['start'])


def write_truth(path, head, flows):
    """One flow a line, so that a difference reads well."""
    lines = [json.dumps(flow, ensure_ascii=False) for flow in flows]
    text = json.dumps(head, indent=1, ensure_ascii=False)[:-2]
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text + ',\n "flows": [\n  ' + ',\n  '.join(lines) + '\n ]\n}\n')


def write_vantage(path, probe_id, name, carrier, **more):
    local = [f'{carrier.prefix}0/24'] + ([f'{carrier.prefix6}/64'] if carrier.prefix6 else [])
    fields = {'probe_id': probe_id, 'carrier': name, 'asn': carrier.asn, 'country': 'PK', 'network': carrier.network,
              'position': 'carrier', 'clock': 'synchronised', 'origin': 'lab', **more}
    with open(path, 'w', encoding='utf-8') as file:
        file.writelines(f'{key}: {value}\n' for key, value in fields.items())
        file.write('local_networks:\n' + ''.join(f'  - "{prefix}"\n' for prefix in local))
