# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines beside the straight way: a proxy on the carrier's side, and what stands in the subscriber's own house.

`divert` sends what subscribers say to a port into a machine that takes every address for its own (a local route of
policy routing, and sockets with IP_TRANSPARENT: proxies.py). Its own connections onward go the straight way, and none
of them passes the place of the recording.
"""

import os
import sys

from topology import NO_OFFLOAD, RESOLVER, ROUTER_ACCESS, SUBSCRIBER_NET, attempt, run

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE, UP = '10.79.0.1', '10.79.0.2'
TABLE, LOCAL = '200', '201'


def take_every_address(namespace, *selector):
    """What the selector fits is delivered here, whatever its destination."""
    run('ip', '-n', namespace, 'rule', 'add', *selector, 'lookup', LOCAL)
    run('ip', '-n', namespace, 'route', 'replace', 'local', 'default', 'dev', 'lo', 'table', LOCAL)


def selector_of(port, address=None, transport='tcp'):
    return ['iif', 'access', 'ipproto', transport, 'dport', str(port)] + (['to', address] if address else [])


def carriers_proxy(lab, delay_ms=2):
    """A machine beside the router, on a short line of its own; returns its namespace."""
    topology = lab.topology
    line, proxy = f'{topology.prefix}-side', f'{topology.prefix}-proxy'
    for name in (line, proxy):
        topology.more.append(name)
        run('ip', 'netns', 'add', name)
        run('ip', '-n', name, 'link', 'set', 'lo', 'up')
    topology.link(topology.router, 'side', line, 'near')
    topology.link(proxy, 'side', line, 'far')
    topology.address(topology.router, 'side', f'{SIDE}/30')
    topology.address(proxy, 'side', f'{UP}/30')
    run('ip', '-n', proxy, 'route', 'add', 'default', 'via', SIDE)
    run('ip', '-n', topology.internet, 'route', 'replace', UP, 'via', '10.78.0.1')
    take_every_address(proxy, 'iif', 'side')
    run('ip', '-n', topology.router, 'route', 'add', 'default', 'via', UP, 'table', TABLE)
    wire = lab.processes.start(line, sys.executable, os.path.join(HERE, 'wire.py'), 'near', 'far', str(delay_ms))
    lab.processes.await_text(wire, 'ready')
    attempt('ip', 'netns', 'exec', topology.router, 'ping', '-c', '1', '-W', '2', UP)  # so that neighbours are known
    return proxy


def divert(lab, port, address=None, transport='tcp'):
    """From now on: subscribers' packets to this port (of this address) go to the carrier's proxy."""
    run('ip', '-n', lab.topology.router, 'rule', 'add', *selector_of(port, address, transport), 'lookup', TABLE)


def divert_to_router(lab, port, address=None, transport='tcp'):
    """From now on they end in the router itself, which then plays the one in the subscriber's house."""
    take_every_address(lab.topology.router, *selector_of(port, address, transport))


def straight_again(lab, port, address=None, transport='tcp'):
    for table in (TABLE, LOCAL):
        attempt('ip', '-n', lab.topology.router, 'rule', 'del', *selector_of(port, address, transport), 'lookup', table)


def start_proxy(lab, namespace, role, port, **options):
    """A role of proxies.py that answers for every address."""
    program = lab.endpoint(f'proxies:{role}', '0.0.0.0', port, options)
    process = lab.processes.start(namespace, *program)
    lab.processes.await_bound(process, '0.0.0.0', port)
    return process


def resolver_in_house(lab, *options):
    """The first subscriber asks the router, which asks the carrier's resolver, and keeps the answers."""
    server = lab.processes.start(
        lab.topology.router, 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--user=root',
        '--log-facility=-', '--no-resolv', '--no-hosts', '--bind-interfaces', f'--listen-address={ROUTER_ACCESS}',
        f'--server={RESOLVER}', *options)
    lab.processes.await_bound(server, ROUTER_ACCESS, 53, 'udp')
    lab.topology.write_resolver_file(lab.topology.subscribers[0], ROUTER_ACCESS)


def box_in_house(lab, rules):
    """The middlebox before the place of the recording: between the first subscriber and his line."""
    topology, subscriber = lab.topology, lab.topology.subscribers[0]
    home = f'{topology.prefix}-home'
    topology.more.append(home)
    run('ip', 'netns', 'add', home)
    run('ip', '-n', subscriber, 'link', 'set', 'up0', 'netns', home, 'name', 'wan')
    run('ip', '-n', home, 'link', 'set', 'wan', 'up')
    topology.link(home, 'lan', subscriber, 'up0')
    run('ip', 'netns', 'exec', home, 'ethtool', '-K', 'wan', *NO_OFFLOAD)
    topology.address(subscriber, 'up0', f'{SUBSCRIBER_NET}10/24')
    run('ip', '-n', subscriber, 'route', 'add', 'default', 'via', f'{SUBSCRIBER_NET}1')
    path = os.path.join(lab.folder, 'rules-home')
    lab.journal = os.path.join(lab.folder, 'journal-home.jsonl')
    with open(path, 'w', encoding='ascii') as file:
        file.write(rules + '\n')
    box = lab.processes.start(home, lab.middlebox, '--near', 'lan', '--far', 'wan', '--rules', path, '--log',
                              lab.journal, '--delay-ms', '0.1', '--ttl-step', '1', '--seed', str(lab.seed))
    lab.processes.await_text(box, 'ready')
