# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration: for each of three carriers some minutes of traffic, laid together from cases played for it.

Every flow was really made, once, for its place here; only the hour at which a subscriber comes is arranged.
"""

import gzip
import os
import subprocess

from cases import CASES
from hosts import CARRIERS
from packets import pcap_bytes
from truth import micros_of, write_truth, write_vantage

START = micros_of('2015-11-25T10:00:00+00:00')
SECOND = 1_000_000

# carrier: its file's ending, and (case, subscriber, seconds after START)
SCHEDULE = {
    'ptcl': ('.pcap.zst', (
        ('bes-srp', 10, 0), ('controls', 10, 6), ('bes-uem-tls', 11, 15), ('blackberry-device', 21, 31),
        ('bbm', 21, 38), ('controls', 21, 47), ('bis', 12, 58), ('messengers', 22, 70), ('dynamics', 23, 84),
        ('bbm', 23, 95), ('fail-tcp', 24, 104), ('controls', 24, 132), ('bes-uem-tls', 12, 141), ('nosni', 13, 155),
        ('blackberry-device', 22, 166), ('bes-srp', 14, 178), ('controls', 14, 190))),
    'jazz': ('.pcap.gz', (
        ('blackberry-device', 31, 0), ('bbm', 31, 9), ('controls', 31, 17), ('blackberry-device', 32, 28),
        ('messengers', 33, 39), ('bbm', 32, 52), ('bis', 33, 64), ('fail-dns', 34, 75), ('controls', 34, 98),
        ('dynamics', 31, 109), ('bes-uem-tls', 35, 121), ('blackberry-device', 33, 135), ('controls', 33, 146))),
    'nayatel': ('.pcap', (
        ('bes-uem-tls', 10, 0), ('controls', 10, 10), ('bes-srp', 11, 21), ('ipv6', 12, 33), ('bbm', 13, 42),
        ('fail-tls', 14, 50), ('controls', 14, 80), ('fail-icmp', 15, 93), ('bes-uem-tls', 12, 112),
        ('blackberry-device', 13, 124), ('bes-srp', 11, 135), ('controls', 11, 148))),
}


def jobs(recorder, publish, out):
    return [(f'demo-{name}', lambda name=name: compose(recorder, publish, name, out)) for name in SCHEDULE]


def compose(recorder, publish, name, out):
    ending, items = SCHEDULE[name]
    frames, flows, synthetic = [], [], []
    for number, (case_id, subscriber, seconds) in enumerate(items):
        case = CASES[case_id]
        lab = recorder.play(case, f'demo-{name}-{number}', recorder.seed + number)
        more_frames, more_flows = publish(lab, CARRIERS[name], START + seconds * SECOND, subscriber)
        frames += more_frames
        flows += more_flows
        synthetic += [line for line in case.synthetic if line not in synthetic]
    frames.sort(key=lambda frame: frame.time)
    flows.sort(key=lambda flow: flow['start'])
    refuse_collisions(flows)
    base = os.path.join(out, f'demo-{name}')
    write_compressed(base + ending, pcap_bytes(frames))
    synthetic.append('when each subscriber comes: cases were played one by one and laid together')
    head = {'case': f'demo-{name}', 'origin': 'lab', 'synthetic': synthetic,
            'made_by': 'tests/lab/record --demonstration', 'seed': recorder.seed,
            'description': f'some minutes on a line of {name}: most things work, some fail by themselves; '
                           'nobody interferes'}
    write_truth(base + '.json', head, flows)
    write_vantage(base + '.vantage.yaml', f'demo-{name}', name, CARRIERS[name])
    return f'demo-{name}: {len(frames)} packets, {len(flows)} flows'


def refuse_collisions(flows):
    """Kernels choose ports at random, so one client could use one port twice for the same server."""
    keys = [(flow['client'], flow['client_port'], flow['server'], flow['server_port'], flow['transport'],
             str(flow.get('dns'))) for flow in flows]
    if len(set(keys)) != len(keys):
        raise ValueError('two flows on the same ports: record again')


def write_compressed(path, data):
    if path.endswith('.gz'):
        data = gzip.compress(data, mtime=0)
    elif path.endswith('.zst'):
        command = ['zstd', '-19', '-q', '-c']
        data = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    with open(path, 'wb') as file:
        file.write(data)
