#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Composed observations and composed packets of one scenario and seed must come to the same cells.

    check_same.py DARKLINE COMPOSE SCENARIO.yaml [SEED]

Compared are the flows by (probe, carrier, service, hour, host, outcome, mechanism, attribution, question or not), and
the numbers of distinct clients by (probe, service, hour). And nothing that the decoder counts may be wrong with the
packets: no bad checksum, nothing cut off, nothing odd.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
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
        notes = run('python3', '-c', 'import sqlite3, sys; print(*sqlite3.connect(sys.argv[1])'
                    '.execute("SELECT kind, sum(count) FROM notes GROUP BY kind"))', probed).stdout.strip()
        (a, a_clients), (b, b_clients) = cells(darkline, observed), cells(darkline, probed)
    wrong, all_cells = differences('flows', a, b)
    wrong_clients, _ = differences('clients', a_clients, b_clients)
    print(f'{sum(a.values())} flows observed, {sum(b.values())} probed; {wrong} of {all_cells} cells differ, '
          f'{wrong_clients} numbers of clients; what the decoder found odd: {notes or "nothing"}')
    return 1 if wrong or wrong_clients or notes else 0


if __name__ == '__main__':
    sys.exit(main())
