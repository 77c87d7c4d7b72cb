#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Composed observations and composed packets of one scenario and seed must come to the same cells.

    check_same.py DARKLINE COMPOSE SCENARIO.yaml [SEED]

Compared are the flows by (probe, carrier, service, hour, host, outcome, mechanism, attribution, question or not), and
the numbers of distinct clients by (probe, service, hour). And nothing may be wrong with the packets: no checksum, no
order of time, nothing that the decoder finds odd.
"""

import collections
import glob
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lab'))
from check_rewrite import wrong_checksums  # noqa: E402
from packets import read_pcap  # noqa: E402

SHOWN = 20


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f'{" ".join(words)}: exit status {done.returncode}: {done.stderr}')
    return done


def cells(darkline, store):
    flows, clients = collections.Counter(), collections.defaultdict(set)
    lines = subprocess.Popen([darkline, 'flows', store, '--json'], stdout=subprocess.PIPE, text=True)
    for line in lines.stdout:
        flow = json.loads(line)
        hour = flow['start'][:13]
        who = flow['vantage']['probe_id'], flow['vantage']['carrier'], flow['service']
        flows[(*who, hour, flow['host'], flow['outcome'], flow['mechanism'], flow['attribution'],
               flow['dns'] is None)] += 1
        clients[(*who, hour)].add(flow['client'])
    if lines.wait():
        sys.exit(f'flows {store}: exit status {lines.returncode}')
    return flows, {key: len(who) for key, who in clients.items()}


def differences(name, ours, theirs):
    keys = sorted(set(ours) | set(theirs), key=str)
    wrong = [key for key in keys if ours.get(key, 0) != theirs.get(key, 0)]
    for key in wrong[:SHOWN]:
        print(f'{name} {key}: observations {ours.get(key, 0)}, packets {theirs.get(key, 0)}')
    return len(wrong), len(keys)


def kinds_of_notes(store):
    database = sqlite3.connect(store)
    try:
        return {kind for kind, in database.execute('SELECT DISTINCT kind FROM notes')}
    finally:
        database.close()


def wrong_packets(folder):
    """How many frames have a wrong checksum or come too early, and how many there are."""
    wrong = count = 0
    for path in sorted(glob.glob(os.path.join(folder, '*.pcap.zst'))):
        plain = os.path.join(folder, 'plain')
        run('zstd', '-dqf', path, '-o', plain)
        frames = read_pcap(plain)
        early = sum(after.time < before.time for before, after in zip(frames, frames[1:]))
        wrong += early + sum(bool(wrong_checksums(frame.data[14:])) for frame in frames)
        count += len(frames)
    return wrong, count


def main():
    darkline, compose, scenario = sys.argv[1:4]
    seed = sys.argv[4] if len(sys.argv) > 4 else '1'
    with tempfile.TemporaryDirectory() as folder:
        templates, observed = os.path.join(folder, 'templates.store'), os.path.join(folder, 'observed.store')
        packets, probed = os.path.join(folder, 'packets'), os.path.join(folder, 'probed.store')
        recorded = os.path.join(HERE, 'templates')
        run(darkline, 'probe', '-r', recorded, '-w', templates, '--all-names', '--keep-addresses')
        run(compose, '--templates', templates, '--seed', seed, scenario, '--store', observed)
        run(compose, '--templates', templates, '--frames', recorded, '--seed', seed, scenario, '--pcap', packets)
        run(darkline, 'probe', '-r', packets, '-w', probed, '-v')
        # What a recording has, its copies have as well.
        notes = kinds_of_notes(probed) - kinds_of_notes(templates)
        bad, frames = wrong_packets(packets)
        (a, a_clients), (b, b_clients) = cells(darkline, observed), cells(darkline, probed)
    wrong, all_cells = differences('flows', a, b)
    wrong_clients, _ = differences('clients', a_clients, b_clients)
    print(f'{sum(a.values())} flows observed, {sum(b.values())} probed; {wrong} of {all_cells} cells differ, '
          f'{wrong_clients} numbers of clients; {bad} of {frames} packets are wrong; what the decoder found odd: '
          f'{", ".join(sorted(notes)) or "nothing"}')
    return 1 if wrong or wrong_clients or bad or notes else 0


if __name__ == '__main__':
    sys.exit(main())
