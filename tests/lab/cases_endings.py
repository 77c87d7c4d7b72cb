# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends that end things themselves: rude servers, impatient clients, scanners, and machines that share an address.

Nobody sits between. What happened may have a mechanism's name; nobody may be accused.
"""

import os

from cases import ADDRESSES_SYNTHETIC, SRP_SYNTHETIC
from cases_interference import BBM, SIGNAL, SRP, STUN, UEM, WHATSAPP, box_case, control_works
from house import carriers_proxy, divert, resolver_in_house, start_proxy
from lab import CONTROL_HOST, UNSAID
from topology import RESOLVER, run
from views import losing_syns, stretch, wakes

CURL_SSL, CURL_TIMEOUT = 35, 28
SERVER, CLIENT = {'ends': 'endpoint', 'attribution': None}, {'ends': 'client', 'attribution': None}
LIKELY = {'certainty': 'likely'}
ENDING_SYNTHETIC = 'the ends: programs of our own (tests/lab/endings.py) over real kernels'


def ending_case(identity, description, *synthetic, **more):
    """A case on an honest line, with a control first."""
    def register(play):
        @box_case(identity, description, ENDING_SYNTHETIC, ADDRESSES_SYNTHETIC, *synthetic, **more)
        def whole(lab):
            lab.interfere('# nobody interferes')
            play(lab)
            lab.stop_recording()
        return whole
    return register


def begin(lab, *names):
    """Web servers, resolver, recording, and a control that works."""
    lab.serve_web(*names, CONTROL_HOST)
    lab.resolver()
    lab.record()
    control_works(lab)


@ending_case('innocent-server-leaves', 'applications that reset or close a connection as soon as they have it')
def server_leaves(lab):
    for name, port, how in ((SRP, 3101, 'reset'), (UEM, 3101, 'fin'), (SIGNAL, 443, 'reset'), (BBM, 443, 'fin')):
        lab.serve('endings:leaving-server', name, port, how=how)
    begin(lab)
    lab.client('connecting-client', SRP, 3101, rest=0.5)
    lab.expect(SRP, 3101, None, 'failed', 'tcp.reset', 'reset', **LIKELY, **SERVER)
    lab.client('connecting-client', UEM, 3101, rest=0.5)
    lab.expect(UEM, 3101, None, UNSAID, None, 'fin', **LIKELY, **SERVER)
    lab.curl(f'https://{SIGNAL}/', exit_status=CURL_SSL)
    lab.expect(SIGNAL, 443, 'tls', 'failed', 'tls.reset.sni', 'reset', **SERVER)
    lab.curl(f'https://{BBM}/', exit_status=None)
    lab.expect(BBM, 443, 'tls', 'failed', None, **SERVER)


@ending_case('innocent-tls-alert',
             'servers that break off with an alert: handshake_failure, protocol_version, unrecognized_name')
def tls_alert(lab):
    for name, options in ((SIGNAL, ('-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384')), (BBM, ('-tls1_3',)),
                          (WHATSAPP, ('-servername', 'another.example.net', '-servername_fatal'))):
        certificate, key = lab.authority.issue(name)
        both = ['-cert2', certificate, '-key2', key] if '-servername' in options else []
        server = lab.processes.start(lab.topology.internet, 'openssl', 's_server', '-accept', f'{lab.host(name)}:443',
                                     '-cert', certificate, '-key', key, '-www', *options, *both)
        lab.processes.await_bound(server, lab.host(name), 443)
    begin(lab)
    for name, options in ((SIGNAL, ('--tls-max', '1.2', '--ciphers', 'ECDHE-RSA-AES128-GCM-SHA256')),
                          (BBM, ('--tls-max', '1.2')), (WHATSAPP, ('--tls-max', '1.2'))):
        lab.curl(f'https://{name}/', *options, exit_status=CURL_SSL)
        lab.expect(name, 443, 'tls', 'failed', None, **SERVER)


@ending_case('innocent-rate-limit', 'a server says 429, then 503, and then refuses connections')
def rate_limit(lab):
    lab.serve('endings:limiting-server', SIGNAL, 80)
    begin(lab)
    for _ in range(3):
        lab.curl(f'http://{SIGNAL}/')
        lab.expect(SIGNAL, 80, 'http', 'ok', None, 'fin', **SERVER)
    for _ in range(2):
        lab.curl(f'http://{SIGNAL}/', exit_status=7)
        lab.expect(SIGNAL, 80, 'tcp', 'failed', 'tcp.refused', 'reset', **LIKELY, role=UNSAID, **SERVER)


@ending_case('innocent-client-gives-up',
             'clients that leave while they wait: by FIN, by RST, killed, or without having asked')
def client_gives_up(lab):
    for name in (SIGNAL, BBM, WHATSAPP):
        lab.serve('silent-server', name, 443)
    lab.serve('slow-server', SRP, 80, seconds=3)
    lab.serve('silent-server', SRP, 3101)
    begin(lab)
    for name in (SIGNAL, BBM):
        lab.curl(f'https://{name}/', '--max-time', '1', exit_status=CURL_TIMEOUT)
        lab.expect(name, 443, 'tls', UNSAID, UNSAID, **CLIENT)
    killed = lab.start_curl(f'https://{WHATSAPP}/')
    lab.pause(1)
    lab.processes.end(killed, 9)
    lab.expect(WHATSAPP, 443, 'tls', UNSAID, UNSAID, **CLIENT)
    for how in ('reset', 'fin', 'kill'):
        lab.client('endings:impatient-client', SRP, 3101, how=how, seconds=0.6, request='hello',
                   exit_status=None)
        lab.expect(SRP, 3101, None, UNSAID, UNSAID, **LIKELY, **CLIENT)
    lab.client('endings:impatient-client', SRP, 3101, how='reset', seconds=0.3)
    lab.expect(SRP, 3101, None, UNSAID, UNSAID, 'reset', **LIKELY, **CLIENT)
    lab.curl(f'http://{SRP}/', '--max-time', '1', exit_status=CURL_TIMEOUT)
    lab.expect(SRP, 80, 'http', UNSAID, UNSAID, **CLIENT)
    lab.pause(2.5)  # the slow server's answer meets a closed port


@ending_case('innocent-client-aborts',
             'a client leaves in the middle of a download: its kernel resets what still comes')
def client_aborts(lab):
    begin(lab, SIGNAL, BBM)
    download = lab.start_curl(f'https://{SIGNAL}/large', '--limit-rate', '40000')
    lab.pause(1.5)
    lab.processes.end(download, 9)
    lab.expect(SIGNAL, 443, 'tls', UNSAID, UNSAID, 'reset', **CLIENT)
    lab.curl(f'https://{BBM}/large', '--limit-rate', '40000', '--max-time', '1.5', exit_status=CURL_TIMEOUT)
    lab.expect(BBM, 443, 'tls', UNSAID, UNSAID, **CLIENT)


@box_case('innocent-reset-overtakes',
          "a server's reset overtakes what it had sent before, on a line that mixes packets up",
          ENDING_SYNTHETIC, ADDRESSES_SYNTHETIC, SRP_SYNTHETIC)
def reset_overtakes(lab):
    lab.serve('endings:leaving-server', SRP, 3101, how='reset', bytes=14000)
    lab.serve_control()
    lab.resolver()
    lab.interfere('# nobody interferes', reorder=0.2, jitter_ms=3)
    lab.record()
    control_works(lab)
    for _ in range(8):
        lab.client('endings:impatient-client', SRP, 3101, how='fin', seconds=0.3, request='hello')
        lab.expect(SRP, 3101, 'stream', UNSAID, UNSAID, 'reset', **LIKELY, **SERVER)
    lab.stop_recording()


def register_race(losers, description, **expected):
    @ending_case(f'innocent-race-{losers}', f'Happy Eyeballs: {description}', carrier='nayatel')
    def race(lab):
        lab.serve_web(UEM, over_ipv6=True)
        lab.serve_control()
        lab.resolver()
        lab.record()
        control_works(lab)
        for _ in range(2):
            lab.client('endings:racing-client', UEM, 80, losers=losers)
            lab.expect(UEM, 80, None, UNSAID, None, attribution=None, over_ipv6=True, **LIKELY)
            lab.expect(UEM, 80, None, UNSAID, None, attribution=None, **LIKELY)
    return race


register_race('early', 'the loser is dropped while it opens, and its kernel resets the SYN-ACK')
register_race('reset', 'the loser is reset once it is open')
register_race('fin', 'the loser is closed once it is open')


@ending_case('innocent-suspend', 'a client sleeps for an hour; meanwhile its server forgot the line, and resets it',
             SRP_SYNTHETIC, 'the hour: times after the sleep are moved by it')
def suspend(lab):
    flag = os.path.join(lab.folder, 'flag')
    lab.serve('endings:forgetting-server', SRP, 3101, forget=flag + '-server')
    begin(lab)
    client = lab.start_client('endings:sleeping-client', SRP, 3101, wake=flag + '-client')
    lab.pause(0.8)
    address = lab.topology.subscriber_address(0)
    run('ip', '-n', lab.topology.internet, 'route', 'add', 'blackhole', address)  # the server's reset finds nobody
    touch(flag + '-server')
    lab.pause(0.6)
    run('ip', '-n', lab.topology.internet, 'route', 'del', 'blackhole', address)
    lab.view = stretch(3600)
    touch(flag + '-client')
    lab.finish(client, None)
    lab.expect(SRP, 3101, 'stream', UNSAID, UNSAID, 'reset', **LIKELY, **SERVER)
    control_works(lab)


@box_case('innocent-mapping-hour',
          'a mapping that the carrier forgot in an hour of rest, answered with RST; the relay is well known',
          SRP_SYNTHETIC, ADDRESSES_SYNTHETIC, 'the hour: times after the rest are moved by it')
def mapping_hour(lab):
    lab.serve('srp-server', SRP, 3101)
    lab.serve_control()
    lab.resolver()
    lab.interfere('mapping when port=3101 idle=3 do reset flags=rst pass=no ttl=63 ip-id=0 df=no')
    lab.record()
    for _ in range(4):
        lab.client('srp-client', SRP, 3101, keepalives=1, interval=0.1)
        lab.expect(SRP, 3101, 'stream', 'ok', None, 'fin', **LIKELY, attribution=None)
    lab.client('pausing-client', SRP, 3101, rest=4, exit_status=3)
    lab.expect(SRP, 3101, None, UNSAID, UNSAID, **LIKELY, innocent='idle-expiry')
    control_works(lab)
    lab.stop_recording()
    lab.view = stretch(3600)


def touch(path):
    with open(path, 'w', encoding='ascii'):
        pass


@ending_case('innocent-syn-cookies', 'a server that answers every SYN with a cookie, with and without timestamps')
def syn_cookies(lab):
    run('ip', 'netns', 'exec', lab.topology.internet, 'sysctl', '-qw', 'net.ipv4.tcp_syncookies=2')
    begin(lab, SIGNAL, BBM)
    lab.curl(f'https://{SIGNAL}/medium')
    lab.expect(SIGNAL, 443, 'tls', close='fin', attribution=None)
    run('ip', 'netns', 'exec', lab.topology.subscribers[0], 'sysctl', '-qw', 'net.ipv4.tcp_timestamps=0')
    lab.curl(f'https://{BBM}/medium')
    lab.expect(BBM, 443, 'tls', close='fin', attribution=None)


@ending_case('innocent-scanner', 'a mass scanner with raw SYNs, whose own kernel resets what answers; then a port scan')
def scanning(lab):
    begin(lab, SIGNAL, SRP)
    source = lab.topology.subscriber_address(0)
    for name, ports in ((SIGNAL, (443, 3101)), (SRP, (3101, 80))):
        lab.client('endings:scanner', lab.host(name), 0, source=source, ports=','.join(map(str, ports)))
        for port in ports:
            if port == 3101:
                lab.expect(name, port, 'tcp', 'failed', 'tcp.refused', 'reset', host=False, role=UNSAID,
                           service=UNSAID, certainty_at_least=UNSAID, **SERVER)
            else:
                lab.expect(name, port, None, UNSAID, UNSAID, 'reset', host=False, role=UNSAID, service=UNSAID,
                           certainty_at_least=UNSAID, **CLIENT)
    ports = (22, 80, 81, 443, 3101)
    lab.client('endings:port-scanner', lab.host(SIGNAL), 0, ports=','.join(map(str, ports)))
    for port in ports:
        good = port in (80, 443)
        lab.expect(SIGNAL, port, None, UNSAID if good else 'failed', UNSAID if good else 'tcp.refused',
                   host=UNSAID, role=UNSAID, service=UNSAID, certainty_at_least=UNSAID,
                   **(CLIENT if good else SERVER))


def register_broken_ipv6(how, description, outcome, mechanism):
    @ending_case(f'innocent-ipv6-{how}', description, carrier='nayatel')
    def broken(lab):
        lab.serve_web(UEM, over_ipv6=True)
        lab.serve_control()
        lab.resolver()
        lab.record()
        control_works(lab)
        lab.topology.forget(lab.addresses6[UEM], how)
        for _ in range(2):
            lab.curl(f'https://{UEM}/', '--max-time', '4')
            lab.expect(UEM, 443, 'tcp', outcome, mechanism, over_ipv6=True, attribution=None, **LIKELY)
            lab.expect(UEM, 443, 'tls', close='fin', attribution=None)
        lab.outlast_silence()
    return broken


register_broken_ipv6('blackhole', 'IPv6 has an address and no way; IPv4 works', UNSAID, UNSAID)
register_broken_ipv6('unreachable', "IPv6 has an address, and a router's plain unreachable; IPv4 works", 'failed',
                     'ip.unreachable')


@ending_case('innocent-server-killed', 'server programs die in the middle: their kernels close, reset, and then refuse',
             SRP_SYNTHETIC)
def server_killed(lab):
    relay = lab.serve('srp-server', SRP, 3101)
    deaf = lab.serve('endings:deaf-server', UEM, 3101)
    begin(lab)
    clients = [lab.start_client('srp-client', SRP, 3101, keepalives=8, interval=0.4),
               lab.start_client('endings:impatient-client', UEM, 3101, how='fin', seconds=2, request='hello')]
    lab.pause(1.4)
    for server in (relay, deaf):
        lab.processes.end(server, 9)
    for client in clients:
        lab.finish(client, None)
    lab.expect(SRP, 3101, 'stream', UNSAID, UNSAID, **LIKELY, **SERVER)
    lab.expect(UEM, 3101, None, UNSAID, UNSAID, 'reset', **LIKELY, **SERVER)
    lab.client('connecting-client', SRP, 3101, exit_status=3)
    lab.expect(SRP, 3101, 'tcp', 'failed', 'tcp.refused', 'reset', **LIKELY, **SERVER)


def register_backends(identity, description, role, how, close):
    @ending_case(identity, description)
    def several(lab):
        lab.serve(f'endings:{role}', SIGNAL, 80, how=how)
        begin(lab)
        lab.client('endings:twice-client', SIGNAL, 80, name=SIGNAL, lines=8)
        for _ in range(8):
            lab.expect(SIGNAL, 80, 'http', *((UNSAID, UNSAID) if how == 'reset' else ('ok', None)), close, **SERVER)
    return several


register_backends('innocent-backends', 'two machines with other TTLs and IP-IDs share one address', 'backends', 'close',
                  'fin')
register_backends('innocent-backends-reset', 'the same, and each resets at the second request', 'backends', 'reset',
                  'reset')
register_backends('innocent-syn-proxy', "a load balancer's SYN-ACK has TTL 255, the server's packets 64", 'syn-proxied',
                  'close', 'fin')
register_backends('innocent-syn-proxy-reset', 'the same, and the server resets at the second request', 'syn-proxied',
                  'reset', 'reset')


def good_visits(lab, name, *options):
    """Enough of them for the server's round trip to be known."""
    for _ in range(4):
        lab.curl(f'http://{name}/', *options)
        lab.expect(name, 80, 'http', close='fin', attribution=None)


@ending_case('innocent-route-change',
             'a service moves nearer: a second place of its address answers sooner than the first could, and refuses')
def route_change(lab):
    lab.serve_web(SIGNAL)
    near = carriers_proxy(lab)
    start_proxy(lab, near, 'resetter', 443)
    start_proxy(lab, near, 'resetter', 80)
    begin(lab)
    good_visits(lab, SIGNAL)
    lab.pause(0.3)
    for port in (80, 443):
        divert(lab, port, lab.host(SIGNAL))
    for _ in range(2):
        lab.curl(f'https://{SIGNAL}/', exit_status=CURL_SSL)
        lab.expect(SIGNAL, 443, 'tls', 'failed', 'tls.reset.sni', 'reset', **SERVER)
        lab.curl(f'http://{SIGNAL}/', exit_status=56)
        lab.expect(SIGNAL, 80, 'http', 'failed', 'http.reset.host', 'reset', **SERVER)


def register_slow_handshake(identity, description, made, view, carrier='ptcl', position='carrier',
                            own_resolver=False):
    """Handshakes take longer than answers: what comes sooner than a handshake took is no proof of anything."""
    @ending_case(identity, description, made, carrier=carrier)
    def slow(lab):
        lab.vantage['position'] = position
        lab.serve('resetting-server', SIGNAL, 443)
        lab.serve_web(BBM)
        if own_resolver:
            resolver_in_house(lab)
        begin(lab)
        # Answers are kept from before: no question wakes a radio up before the SYN does.
        known = [] if own_resolver else [word for name, port in ((BBM, 80), (SIGNAL, 443))
                                         for word in ('--resolve', f'{name}:{port}:{lab.host(name)}')]
        good_visits(lab, BBM, *known)
        for _ in range(4):
            lab.curl(f'https://{SIGNAL}/', *known, exit_status=CURL_SSL)
            lab.expect(SIGNAL, 443, 'tls', 'failed', 'tls.reset.sni', 'reset', **SERVER)
        lab.view = view
    return slow


WAKING = 'the radio: time is put in before and after every SYN'
register_slow_handshake('innocent-radio', "on a phone: its radio wakes up for every connection; handshakes take 0.3 s, "
                        'answers 24 ms', WAKING, wakes(0.3), 'jazz', 'subscriber')
register_slow_handshake('innocent-doze', 'in a house whose line is a radio: handshakes take 0.1 s more than answers',
                        WAKING, wakes(0.1), position='subscriber')
register_slow_handshake('innocent-radio-cached',
                        "behind a hotspot that answers questions itself: its radio wakes up only for the SYN", WAKING,
                        wakes(0.3, 0, asking_wakes=False), 'jazz', 'subscriber', own_resolver=True)
register_slow_handshake('innocent-syn-lost',
                        'every first SYN is lost behind the recording and sent again after a second',
                        'the lost SYNs: put in before each, by a second', losing_syns)


def register_crossing(how, description):
    @ending_case(f'innocent-crossing-{how}', description)
    def crossing(lab):
        lab.serve('endings:timed-server', SIGNAL, 80, how=how, seconds=1)
        begin(lab)
        for patience in (0.2, 0.2, 0.2, 0.2, 1.016, 1.016, 1.016):  # the last three cross what the server sends
            lab.client('endings:timed-client', SIGNAL, 80, name=SIGNAL, seconds=patience)
            known = ('ok', None, 'fin') if patience < 1 else (UNSAID, UNSAID)
            lab.expect(SIGNAL, 80, 'http', *known, **SERVER)
    return crossing


register_crossing('reset',
                  "a server's timer resets a resting line just when its client asks again: what comes right after a "
                  'request does not answer it')
register_crossing('fin', "the same with FIN: the server's kernel then resets what came too late")


@ending_case('innocent-port-reuse', 'a server resets, and its client opens a new line from the same port at once')
def port_reuse(lab):
    lab.serve('endings:moody-server', SRP, 3101)
    begin(lab)
    lab.client('endings:same-port-client', SRP, 3101, lines=3)
    for number in range(3):
        lab.expect(SRP, 3101, None, UNSAID, UNSAID, 'reset' if number < 2 else None, **LIKELY, **SERVER)


def register_rotation(identity, description, seconds, **line):
    @box_case(identity, description, ENDING_SYNTHETIC, resolver_options='options timeout:1 attempts:3')
    def rotation(lab):
        names = {name: lab.host(name) for name in (SIGNAL, BBM)}
        lab.serve_control()
        names[CONTROL_HOST] = lab.host(CONTROL_HOST)
        others = [lab.host(name) for name in (WHATSAPP, UEM)]
        program = lab.endpoint('endings:rotating-resolver', RESOLVER, 53, {
            'names': ','.join(f'{name}:{"+".join([address, *others])}' if name != CONTROL_HOST else f'{name}:{address}'
                              for name, address in names.items()), 'seconds': seconds})
        server = lab.processes.start(lab.topology.internet, *program)
        lab.processes.await_bound(server, RESOLVER, 53, 'udp')
        lab.interfere('# nobody interferes', **line)
        lab.record()
        for name in (SIGNAL, BBM):
            lab.lookup(name)
            lab.pause(seconds)
        control_works(lab)
        lab.stop_recording()
    return rotation


register_rotation('innocent-dns-asked-again',
                  'a slow resolver is asked twice under one id, and gives other addresses each time', 1.3)
register_rotation('innocent-dns-twice',
                  'the line doubles a question behind the recording: two true answers that differ', 0, duplicate=1)


@box_case('call-cut', 'a call that works for two seconds, and then nothing of it passes, either way')
def call_cut(lab):
    lab.serve('call-server', STUN, 3478, 'udp')
    lab.serve_control()
    lab.resolver()
    lab.interfere('call when transport=udp port=3478 age=2 do drop')
    lab.record()
    control_works(lab)
    lab.client('call-client', lab.host(STUN), 3478, seconds=6)
    lab.expect(STUN, 3478, None, 'failed', 'stream.timeout', transport='udp', host=False)
    lab.outlast_silence()
    lab.stop_recording()


@ending_case('innocent-call-ends', 'a call of a second that both ends simply end, and one of two')
def call_ends(lab):
    lab.serve('call-server', STUN, 3478, 'udp')
    begin(lab)
    for seconds in (1, 2):
        lab.client('call-client', lab.host(STUN), 3478, seconds=seconds)
        lab.expect(STUN, 3478, None, 'ok', None, transport='udp', host=False, attribution=None)
    lab.outlast_silence()


@ending_case('innocent-call-left', 'one end of a call is gone, the other talks on: the kernel of the gone one says so')
def call_left(lab):
    lab.serve('endings:talking-server', STUN, 3478, 'udp', seconds=3)
    begin(lab)
    lab.client('call-client', lab.host(STUN), 3478, seconds=2)
    lab.expect(STUN, 3478, None, UNSAID, UNSAID, transport='udp', host=False, attribution=None)
    lab.outlast_silence()
