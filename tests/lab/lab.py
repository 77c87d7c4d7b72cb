# SPDX-License-Identifier: GPL-3.0-or-later
"""One case's lab: what a case may ask for. Everything here is on private addresses."""

import os
import random
import signal
import subprocess
import sys
from typing import NamedTuple

from hosts import CONTROL, HOSTS, belongs_to
from processes import ProcessTable, said
from topology import GATEWAY, RESOLVER, ROUTER_ACCESS, ROUTER_ACCESS6, Topology

HERE = os.path.dirname(os.path.abspath(__file__))
DELAY_MS = '12'
CLIENT_LIMIT = 30  # seconds that any client may take
GRACE = 12         # after a silence darkline wants ten seconds more of capture; this is what we give
FILES = {'medium': 60_000, 'large': 400_000}  # on every web server, for what only happens later in a flow
UNSAID = 'unsaid'  # a value on which a case does not want to commit itself
HONEST = '# nobody interferes'
CONTROL_HOST = 'connectivitycheck.gstatic.com'

NGINX_HEAD = '''daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 64; }}
http {{ access_log off; server_tokens off; default_type text/html; ssl_protocols TLSv1.2 TLSv1.3;
 client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
 uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
'''
NGINX_SITE = ''' server {{ {listen} server_name {name}; {certificates}
  location = /generate_204 {{ return 204; }}
  location = /large {{ root {folder}; }}
  location = /medium {{ root {folder}; }}
  location / {{ return 200 "<!doctype html><title>{name}</title><p>{filling}</p>"; }} }}
'''


class Expected(NamedTuple):
    """What darkline should say of one flow; a missing key means that nothing is asserted."""
    lab_address: str
    address: str
    port: int
    transport: str
    truth: dict


class Lab:
    def __init__(self, folder, authority, stop, seed, subscribers=1, resolver_options='', middlebox=None,
                 variation=None, visits=0, repeat=1):
        self.folder, self.authority, self.seed = folder, authority, seed
        self.middlebox = middlebox  # the program
        self.as_written = False  # with --vary: a case whose box is where and as it is because of what it means
        self.variation = variation  # vary.Variation, or None: line and injector as written
        self.visits, self.repeat = visits, repeat
        self.box_rules, self.box_options = HONEST, {}
        self.topology = Topology(subscribers, resolver_options)
        self.processes = ProcessTable(folder, stop)
        self.addresses = {}   # host name: its lab address
        self.addresses6 = {}
        self.expected = []
        self.expected_questions = {}  # host name: what befell its questions
        self.kept_addresses = []  # private ones that belong into the capture: what an injector answered
        self.journal = None       # of the middlebox, where there is one
        self.recorder = None
        self.vantage = {}         # what X.vantage.yaml says otherwise than usual
        self.view = None          # (frames, flows) as a lesser capture has them: views.py
        self.capture = os.path.join(folder, 'raw.pcap')

    def __enter__(self):
        try:
            self.topology.build()
            program = [sys.executable, os.path.join(HERE, 'wire.py'), 'near', 'far', DELAY_MS]
            self.line = self.processes.start(self.topology.wire, *program)
            self.processes.await_text(self.line, 'ready')
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.processes.end_all()
        self.topology.destroy()

    # --- the box between ---

    @property
    def delay_ms(self):
        """Of the middlebox's line, one way; seeds other than 1 have other lines."""
        if self.variation:
            return self.variation.delay_ms
        return int(DELAY_MS) + 5 * ((self.seed - 1) % 5)

    @property
    def hops(self):
        """What the middlebox takes from TTLs, so that the far end's is not the near one's."""
        if self.variation:
            return self.variation.hops
        return 9 + 2 * ((self.seed - 1) % 4)

    def interfere(self, rules, **options):
        """The middlebox takes the wire's place; rules and options as middlebox/rules.h and its usage have them.

        In rules {round_trip} is a full one in milliseconds, {nearly} five sixths of one, and {young} an age in
        seconds: a flow that has just sent its first request is younger.
        """
        if self.variation and not self.as_written:
            rules, options = self.variation.rules(rules), self.variation.line(options)
            self.kept_addresses += self.variation.private
        trip = 2 * self.delay_ms
        self.box_rules = rules.format(round_trip=trip + 0.5, nearly=round(trip * 5 / 6, 2), young=1.5 * trip / 1000)
        self.box_options = options
        self.journal = os.path.join(self.folder, 'journal.jsonl')
        self.place_box(self.box_rules, self.journal)

    def place_box(self, rules, journal):
        """Whatever stood there before goes."""
        self.processes.end(self.line)
        path = os.path.join(self.folder, 'rules')
        with open(path, 'w', encoding='ascii') as file:
            file.write(rules + '\n')
        chosen = {'delay_ms': self.delay_ms, 'ttl_step': self.hops, 'seed': self.seed, **self.box_options}
        words = [word for key, value in chosen.items() for word in ('--' + key.replace('_', '-'), str(value))]
        self.line = self.processes.start(self.topology.wire, self.middlebox, '--near', 'near', '--far', 'far',
                                         '--rules', path, '--log', journal, *words)
        self.processes.await_text(self.line, 'ready')

    # --- ordinary traffic before, and more than one attempt ---

    def attempts(self):
        """The subscriber of each attempt at what is interfered with: once, or as often as the recording wants."""
        return [number % len(self.topology.subscribers) for number in range(self.repeat)]

    def visit(self, come):
        """Ordinary visits to a server that will be interfered with, so that its round trip is known as on any line:
        come(subscriber) is called for each. The box is on the same line and does nothing. Before all that counts."""
        if not self.visits:
            return
        self.place_box(HONEST, os.path.join(self.folder, 'asleep.jsonl'))
        for number in range(self.visits):
            come(number % len(self.topology.subscribers))
        self.pause(0.2 + 6 * self.delay_ms / 1000)  # for their last packets
        self.place_box(self.box_rules, self.journal)

    def visit_web(self, name, port=443):
        """The same, for a web server: another name on its address."""
        def come(subscriber):
            scheme = 'https' if port == 443 else 'http'
            self.curl(f'{scheme}://{CONTROL_HOST}/generate_204', '--resolve',
                      f'{CONTROL_HOST}:{port}:{self.addresses[name]}', '--max-time', '20', subscriber=subscriber)
            truth = {'host': CONTROL_HOST, 'outcome': 'ok', 'mechanism': None, 'close': 'fin',
                     'stage': 'tls' if port == 443 else 'http'}
            self.expected.append(Expected(self.addresses[name], HOSTS[name].address, port, 'tcp', truth))
        self.visit(come)

    # --- servers ---

    def host(self, name, over_ipv6=False):
        """Gives a host of hosts.py an address here; again, the same one."""
        if name not in self.addresses:
            number = len(self.addresses) + 10
            self.addresses[name] = f'10.78.1.{number}'
            self.topology.serve_at(self.addresses[name])
        if over_ipv6 and name not in self.addresses6:
            self.addresses6[name] = f'fd00:78::{self.addresses[name].rsplit(".", 1)[1]}'
            self.topology.serve_at(self.addresses6[name])
        return self.addresses[name]

    def resolver(self, *options):
        """dnsmasq, knowing the hosts named so far; whatever else it is asked it refuses, having no upstream."""
        records = []
        for name, address in self.addresses.items():
            host = HOSTS[name]
            owner = host.alias_of or name
            both = ','.join(filter(None, (owner, address, self.addresses6.get(name))))
            records += [f'--host-record={both}', f'--local=/{owner}/']
            records += [f'--cname={name},{owner}'] if host.alias_of else []
        server = self.processes.start(
            self.topology.internet, 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=',
            '--user=root', '--log-facility=-', '--no-resolv', '--no-hosts', '--bind-interfaces',
            f'--listen-address={RESOLVER}', '--local-ttl=300', '--cache-size=0', *records, *options)
        self.processes.await_bound(server, RESOLVER, 53, 'udp')

    def serve_tls(self, name, port, over_ipv6=False):
        """openssl s_server, which answers every line reversed."""
        self.host(name, over_ipv6)
        certificate, key = self.authority.issue(name)
        for address in [self.addresses[name]] + ([self.addresses6[name]] if over_ipv6 else []):
            shown = f'[{address}]' if ':' in address else address
            server = self.processes.start(self.topology.internet, 'openssl', 's_server', '-accept', f'{shown}:{port}',
                                          '-cert', certificate, '-key', key, '-rev')
            self.processes.await_bound(server, address, port)

    def serve_web(self, *names, over_ipv6=False, ports=None):
        """One nginx for all of them: HTTP on 80, TLS on 443 and on the further `ports` of a name, each with its own
        certificate."""
        text = NGINX_HEAD.format(folder=self.folder)
        for name_of_file, size in FILES.items():
            with open(os.path.join(self.folder, name_of_file), 'wb') as file:
                file.write(random.Random(self.seed).randbytes(size))
        sites = [(name, name) for name in names]
        if self.visits:
            sites += [(CONTROL_HOST, name) for name in names if name != CONTROL_HOST]
        for name, owner in sites:
            certificate, key = self.authority.issue(name)
            address = self.host(owner, over_ipv6 and name == owner)
            places = [address] + ([f'[{self.addresses6[owner]}]'] if over_ipv6 else [])
            secure = (443, *(ports or {}).get(owner, ()))
            listen = ' '.join(f'listen {place}:80; ' + ' '.join(f'listen {place}:{port} ssl http2;' for port in secure)
                              for place in places)
            text += NGINX_SITE.format(folder=self.folder, listen=listen, name=name, filling='darkline lab ' * 60,
                                      certificates=f'ssl_certificate {certificate}; ssl_certificate_key {key};')
        path = os.path.join(self.folder, 'nginx.conf')
        with open(path, 'w', encoding='ascii') as file:
            file.write(text + '}\n')
        server = self.processes.start(self.topology.internet, 'nginx', '-c', path)
        self.processes.await_bound(server, self.addresses[names[-1]], 443)

    def serve(self, role, name, port, transport='tcp', **options):
        """A server of endpoints.py."""
        server = self.processes.start(self.topology.internet, *self.endpoint(role, self.host(name), port, options))
        self.processes.await_bound(server, self.addresses[name], port, transport)
        return server

    def endpoint(self, role, host, port, options):
        pairs = [f'{key}={value}' for key, value in {'seed': self.seed, **options}.items()]
        program, _, role = role.rpartition(':')  # roles of other files than endpoints.py are FILE:ROLE
        return [sys.executable, os.path.join(HERE, (program or 'endpoints') + '.py'), role, host, str(port), *pairs]

    def serve_quic(self, name):
        """ngtcp2's server with GnuTLS: HTTP/3 on UDP 443."""
        certificate, key = self.authority.issue(name)
        with open(os.path.join(self.folder, 'index.html'), 'w', encoding='ascii') as file:
            file.write('<!doctype html><title>lab</title>' + 'darkline lab ' * 60)
        server = self.processes.start(self.topology.internet, 'gtlsserver', '--quiet', f'--htdocs={self.folder}',
                                      self.host(name), '443', key, certificate)
        self.processes.await_bound(server, self.addresses[name], 443, 'udp')

    # --- clients ---

    def start_client(self, role, host, port, subscriber=0, **options):
        return self.processes.start(self.topology.subscribers[subscriber], *self.endpoint(role, host, port, options))

    def client(self, role, host, port, exit_status=0, subscriber=0, **options):
        self.finish(self.start_client(role, host, port, subscriber, **options), exit_status)

    def start_curl(self, url, *options, subscriber=0):
        return self.processes.start(self.topology.subscribers[subscriber], 'curl', '--silent', '--show-error',
                                    '--output', '/dev/null', '--cacert', self.authority.certificate, *options, url)

    def curl(self, url, *options, exit_status=0, subscriber=0):
        self.finish(self.start_curl(url, *options, subscriber=subscriber), exit_status)

    def finish(self, process, exit_status=0, within=CLIENT_LIMIT):
        """exit_status None: whatever it is."""
        status = self.processes.await_exit(process, within)
        self.processes.end(process)
        if exit_status is not None and status != exit_status:
            raise RuntimeError(f'{process.args[4:]}: exit status {status}, not {exit_status}: {said(process)}')

    def tls_client(self, name, port, *options, subscriber=0,
                   lines=('first line of the lab', 'and a second, longer one')):
        """openssl s_client: sends lines, waits for what comes back, and leaves in good order."""
        checks = ['-CAfile', self.authority.certificate, '-verify_return_error', '-verify_hostname', name]
        process = self.processes.start(self.topology.subscribers[subscriber], 'openssl', 's_client', '-connect',
                                       f'{name}:{port}', *checks, '-quiet', '-no_ign_eof', *options,
                                       stdin=subprocess.PIPE)
        heard = 0
        self.pause(0.2)
        for line in lines:
            process.stdin.write(line.encode() + b'\n')
            process.stdin.flush()
            self.processes.await_condition(process, lambda: os.path.getsize(process.files[0]) > heard, 'answered')
            heard = os.path.getsize(process.files[0])
        self.pause(0.1)
        process.stdin.close()
        self.finish(process)

    def quic_client(self, name, *options, subscriber=0):
        self.finish(self.processes.start(self.topology.subscribers[subscriber], 'gtlsclient', '--quiet',
                                         '--exit-on-all-streams-close', *options, name, '443', f'https://{name}/'))

    def lookup(self, name, subscriber=0):
        """One question for an A record, by the resolver that every program has."""
        self.finish(self.processes.start(self.topology.subscribers[subscriber], 'getent', 'ahostsv4', name), None)

    # --- the recording ---

    def record(self, at_server=False):
        place = (self.topology.internet, 'world') if at_server else (self.topology.router, 'access')
        if at_server:
            self.vantage['position'] = 'server'
        self.recorder = self.processes.start(
            place[0], 'tcpdump', '-Z', 'root', '-i', place[1], '-n', '-s', '0', '-U', '--immediate-mode',
            '-w', self.capture, 'ip or ip6')
        self.processes.await_text(self.recorder, 'listening on')

    def serve_control(self):
        self.serve_web(CONTROL_HOST)

    def outlast_silence(self):
        """A capture ends with its last packet: one that comes late shows how long nothing else came."""
        self.pause(GRACE)
        self.curl(f'http://{CONTROL_HOST}/generate_204')
        self.expect(CONTROL_HOST, 80, 'http', close='fin')

    def pause(self, seconds):
        self.processes.pause(seconds)

    def stop_recording(self):
        self.pause(0.6)  # for the last packets
        self.processes.end(self.recorder, signal.SIGINT)
        text = said(self.recorder)
        if '\n0 packets dropped by kernel' not in text:
            raise RuntimeError(f'tcpdump lost packets: {text}')

    def expect(self, name, port, stage=None, outcome='ok', mechanism=None, close=None, transport='tcp',
               certainty='certain', host=True, over_ipv6=False, **more):
        """Declares the next flow to this host and port; `more` adds to its truth, or replaces. stage or close None, or
        anything UNSAID: nothing asserted."""
        known = HOSTS[name]
        truth = {'host': name if host else None, **belongs_to(known), 'outcome': outcome, 'mechanism': mechanism}
        if known.service and known.service != CONTROL:
            truth['certainty_at_least'] = certainty
        truth |= {key: value for key, value in (('stage', stage), ('close', close)) if value}
        addresses = (self.addresses6[name], known.address6) if over_ipv6 else (self.addresses[name], known.address)
        said_of_it = {key: value for key, value in (truth | more).items() if value != UNSAID}
        self.expected.append(Expected(*addresses, port, transport, said_of_it))

    def expect_question(self, name, mechanism, **more):
        """Declares what befell the questions for a name, where the rcode alone does not say it."""
        self.expected_questions[name] = {'mechanism': mechanism, 'outcome': 'failed' if mechanism else 'ok', **more}

    def address_pairs(self, carrier, first_subscriber=10):
        """Lab address to real address, for the rewrite."""
        pairs = [(RESOLVER, carrier.resolver), (ROUTER_ACCESS, carrier.prefix + '1'),
                 (GATEWAY, carrier.resolver.rsplit('.', 1)[0] + '.1')]
        pairs += [(address, address) for address in self.kept_addresses]
        pairs += [(address, HOSTS[name].address) for name, address in self.addresses.items()]
        pairs += [(address, HOSTS[name].address6) for name, address in self.addresses6.items()]
        if carrier.prefix6:
            pairs.append((ROUTER_ACCESS6, carrier.prefix6 + '1'))
        for number in range(len(self.topology.subscribers)):
            last = first_subscriber + number
            pairs.append((self.topology.subscriber_address(number), f'{carrier.prefix}{last}'))
            if carrier.prefix6:
                pairs.append((self.topology.subscriber_address6(number), f'{carrier.prefix6}{last}'))
        return pairs
