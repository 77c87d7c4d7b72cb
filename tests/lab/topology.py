# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces and the lines between them.

    subscriber 0 --+
    subscriber 1 --+-- access (bridge) [router] core ---- [wire] ---- world [internet: all servers, the resolver]
                       ^ recorded here

The router is the carrier's: it forwards, so that TTLs fall by one. The wire passes frames with a delay, and its
namespace is the place for a middlebox.
"""

import contextlib
import os
import shutil
import subprocess
import threading

NO_OFFLOAD = ['tx', 'off', 'rx', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off']
SUBSCRIBER_NET, SUBSCRIBER_NET6 = '10.77.0.', 'fd00:77::'
WORLD_NET, WORLD_NET6 = '10.78.', 'fd00:78::'
ROUTER_ACCESS, ROUTER_ACCESS6 = SUBSCRIBER_NET + '1', SUBSCRIBER_NET6 + '1'
ROUTER_CORE, ROUTER_CORE6 = WORLD_NET + '0.1', WORLD_NET6 + '1'
WORLD, WORLD6 = WORLD_NET + '0.2', WORLD_NET6 + '2'
RESOLVER = WORLD_NET + '0.53'
GATEWAY = WORLD_NET + '0.9'  # nobody's; the middlebox speaks in its name when it plays a router
CORE_MAC, WORLD_MAC = '02:00:00:00:01:01', '02:00:00:00:01:02'

_counter_lock = threading.Lock()
_counter = 0


def unique_prefix():
    global _counter
    with _counter_lock:
        _counter += 1
        return f'dl{os.getpid()}-{_counter}'


def attempt(*command):
    # A session of its own: Ctrl-C must not end a command halfway, least of all one that cleans up.
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                          start_new_session=True)


def run(*command):
    done = attempt(*command)
    if done.returncode:
        raise RuntimeError(f'{" ".join(command)}: {done.stderr.strip()}')


class Topology:
    def __init__(self, subscribers=1, resolver_options=''):
        prefix = unique_prefix()
        self.router, self.wire, self.internet = (f'{prefix}-{part}' for part in ('router', 'wire', 'internet'))
        self.subscribers = [f'{prefix}-sub{number}' for number in range(subscribers)]
        self.resolver_options = resolver_options
        self.prefix = prefix
        self.more = []  # namespaces that a case adds (house.py)

    def build(self):
        for name in self.namespaces():
            run('ip', 'netns', 'add', name)
            run('ip', '-n', name, 'link', 'set', 'lo', 'up')
        self.build_access()
        self.build_core()
        for key in ('net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'):
            run('ip', 'netns', 'exec', self.router, 'sysctl', '-qw', f'{key}=1')

    def build_access(self):
        run('ip', '-n', self.router, 'link', 'add', 'access', 'type', 'bridge')
        run('ip', '-n', self.router, 'link', 'set', 'access', 'up')
        for number, name in enumerate(self.subscribers):
            self.link(self.router, f'line{number}', name, 'up0')
            run('ip', '-n', self.router, 'link', 'set', f'line{number}', 'master', 'access')
            self.address(name, 'up0', f'{self.subscriber_address(number)}/24', f'{self.subscriber_address6(number)}/64')
        run('ip', 'netns', 'exec', self.router, 'ethtool', '-K', 'access', *NO_OFFLOAD)
        self.address(self.router, 'access', f'{ROUTER_ACCESS}/24', f'{ROUTER_ACCESS6}/64')
        for name in self.subscribers:
            self.route(name, ROUTER_ACCESS, ROUTER_ACCESS6)
            self.write_resolver_file(name)

    def build_core(self):
        """Behind `world` the internet's addresses sit on its loopback: one neighbour for all, and known beforehand,
        so that no first packet is late for a neighbour's sake."""
        self.link(self.router, 'core', self.wire, 'near')
        self.link(self.internet, 'world', self.wire, 'far')
        ends = ((self.router, 'core', CORE_MAC, (ROUTER_CORE, ROUTER_CORE6)),
                (self.internet, 'world', WORLD_MAC, (WORLD, WORLD6)))
        for name, end, mac, (address, address6) in ends:
            run('ip', '-n', name, 'link', 'set', end, 'address', mac)
            self.address(name, end, f'{address}/30', f'{address6}/126')
        for (name, end, _, _), (_, _, mac, addresses) in zip(ends, reversed(ends)):
            for address in addresses:
                run('ip', '-n', name, 'neighbour', 'replace', address, 'lladdr', mac, 'dev', end, 'nud', 'permanent')
        self.route(self.internet, ROUTER_CORE, ROUTER_CORE6)
        self.route(self.router, WORLD, WORLD6)
        self.serve_at(RESOLVER)

    def serve_at(self, address):
        """Gives the internet one more address."""
        self.address(self.internet, 'lo', f'{address}/{128 if ":" in address else 32}')

    def link(self, one, one_end, other, other_end):
        run('ip', 'link', 'add', one_end, 'netns', one, 'type', 'veth', 'peer', 'name', other_end, 'netns', other)
        for name, end in ((one, one_end), (other, other_end)):
            # Offloads leave checksums unfinished and make frames that no line carries.
            run('ip', 'netns', 'exec', name, 'ethtool', '-K', end, *NO_OFFLOAD)
            run('ip', '-n', name, 'link', 'set', end, 'up')

    def address(self, name, end, *prefixes):
        for prefix in prefixes:
            extra = ['nodad'] if ':' in prefix else []
            run('ip', '-n', name, 'address', 'add', prefix, 'dev', end, *extra)

    def route(self, name, via, via6):
        run('ip', '-n', name, 'route', 'add', 'default', 'via', via)
        run('ip', '-n', name, '-6', 'route', 'add', 'default', 'via', via6)

    def forget(self, address, how):
        """Makes the router drop packets to an address in silence ('blackhole') or with ICMP ('unreachable')."""
        run('ip', '-n', self.router, 'route', 'add', how, address)

    def write_resolver_file(self, name, resolver=RESOLVER):
        os.makedirs(f'/etc/netns/{name}', exist_ok=True)
        with open(f'/etc/netns/{name}/resolv.conf', 'w', encoding='ascii') as file:
            file.write(f'nameserver {resolver}\n{self.resolver_options}\n')

    def subscriber_address(self, number):
        return f'{SUBSCRIBER_NET}{10 + number}'

    def subscriber_address6(self, number):
        return f'{SUBSCRIBER_NET6}{10 + number}'

    def namespaces(self):
        return [*self.subscribers, self.router, self.wire, self.internet, *self.more]

    def destroy(self):
        """Always called, also for a half-built one; errors would only hide the first."""
        for name in self.namespaces():
            attempt('ip', 'netns', 'del', name)
        for name in self.subscribers:
            shutil.rmtree(f'/etc/netns/{name}', ignore_errors=True)


def forget_resolver_files():
    """Once all labs are gone: /etc/netns too, if nobody else keeps something there."""
    with contextlib.suppress(OSError):
        os.rmdir('/etc/netns')
