# SPDX-License-Identifier: GPL-3.0-or-later
"""What a box between the ends does to a line.

Mechanisms are named here; who did it, and what the packets hold against him, is found in the middlebox's journal and
the capture (interference.py).
"""

from cases import ADDRESSES_SYNTHETIC, INTERFERENCE, SRP_SYNTHETIC, TLS_SYNTHETIC, case
from hosts import HOSTS, belongs_to
from lab import CONTROL_HOST, UNSAID
from topology import GATEWAY

BBM, SIGNAL, WHATSAPP = 'auth2.bbm.blackberry.com', 'chat.signal.org', 'web.whatsapp.com'
SRP, UEM, STUN = 'gb.srp.blackberry.com', 'ca.bbsecure.com', 'stun.voip.blackberry.com'
PORTAL = 'block.example.net'
BOX_SYNTHETIC = 'the interference: a middlebox of our own (tests/lab/middlebox), after measured injectors'
IMPATIENT = 'options timeout:1 attempts:2'
PATIENCE = ('--max-time', '6')
DOWNLOAD_SECONDS = 9
BOGON, BOGON6 = '10.10.34.36', 'fd00:10::36'

# Injectors after those that were measured, and ones that give nothing away.
PLAIN = 'ttl=61 ip-id=own df=no window=8192'
GFW_ONE = 'ttl=83 ip-id=0 df=no window=0'
GFW_TWO = 'ttl=random ip-id=random df=yes window=ttl+1375'
COPYING_CLIENT = 'ttl=47 ip-id=mirror+1 df=no window=8192'
RANDOM = 'ttl=random ip-id=random df=no window=random'
MIRROR = 'ttl=copy ip-id=copy+1 df=copy window=copy timestamps=yes'
OTHER_END = 'ttl=mirror ip-id=mirror df=copy window=65535'


def box_case(identity, description, *synthetic, **more):
    return case(identity, description, (BOX_SYNTHETIC, *synthetic), group=INTERFERENCE, **more)


def control_works(lab):
    lab.curl(f'http://{CONTROL_HOST}/generate_204')
    lab.expect(CONTROL_HOST, 80, 'http', close='fin')


def register_request(identity, description, name, action, mechanism, match, silent=False, said=True, **expected):
    """A case in which the first request to `name` meets `action`, while a control works."""
    @box_case(identity, description)
    def play(lab):
        lab.serve_web(name, CONTROL_HOST)
        lab.resolver()
        lab.interfere(f'{identity} when {match} do {action}')
        lab.record()
        secure = mechanism.startswith('tls')
        lab.visit_web(name, 443 if secure else 80)
        control_works(lab)
        for subscriber in lab.attempts():
            lab.curl(f'{"https" if secure else "http"}://{name}/', *PATIENCE, exit_status=None, subscriber=subscriber)
            fate = ('failed', mechanism) if said else (UNSAID, UNSAID)
            lab.expect(name, 443 if secure else 80, 'tls' if secure else 'http', *fate, **expected)
        if silent:
            lab.outlast_silence()
        lab.stop_recording()
    return play


def register_requests():
    by_sni = ( # id, description, host, action, silent
        ('sni-rst-on-path', 'one RST with a TTL of its own', BBM, f'reset pass=yes delay-ms=2 {PLAIN}'),
        ('sni-rst-in-path', 'one RST, the ClientHello swallowed', SIGNAL, f'reset pass=no delay-ms=2 {PLAIN}'),
        ('sni-rst-gfw-one', 'RST to both ends, IP-ID 0, no DF', WHATSAPP,
         f'reset pass=yes to=both delay-ms=3 {GFW_ONE}'),
        ('sni-rst-gfw-two', 'three RST+ACK to both ends, DF, window of TTL + 1375', BBM,
         f'reset pass=yes to=both flags=rst+ack count=3 gap-ms=0.1 delay-ms=3 {GFW_TWO}'),
        ('sni-rst-rising', 'four RST, sequence and acknowledgement rising', SIGNAL,
         f'reset pass=yes count=4 seq-step=1460 ack=rising redraw=yes gap-ms=0.2 delay-ms=2 {RANDOM}'),
        ('sni-rst-zero', 'RST and RST+ACK by turns, acknowledgement 0', BBM,
         f'reset pass=yes flags=alternate ack=zero count=2 gap-ms=0.3 delay-ms=2 {PLAIN}'),
        ('sni-rst-same', 'three RST, the same acknowledgement', WHATSAPP,
         f'reset pass=no count=3 ack=same gap-ms=1 delay-ms=2 {RANDOM}'),
        ('sni-rst-copied-id', "IP-ID copied from the client's packet, plus one", SIGNAL,
         f'reset pass=yes delay-ms=2 {COPYING_CLIENT}'),
        ('sni-rst-mirror', "an injector that mirrors the server's TTL, IP-ID, DF, window and timestamps", BBM,
         f'reset flags=rst+ack pass=yes delay-ms=2 {MIRROR}'),
        ('sni-rst-mirror-in-path', 'the same in the path: only its haste betrays it', SIGNAL,
         f'reset flags=rst+ack pass=no delay-ms=2 {MIRROR}'),
        ('sni-rst-other-end', "TTL and IP-ID of the client's own packet", WHATSAPP,
         f'reset flags=rst+ack pass=no delay-ms=1 {OTHER_END}'),
        ('sni-rst-late', "a mirroring injector that takes its time: nothing in the packets proves it", BBM,
         f'reset flags=rst+ack pass=no delay-ms={{round_trip}} {MIRROR}'),
    )
    for identity, description, name, action in by_sni:
        register_request(identity, description, name, action, 'tls.reset.sni', f'sni={name}', close='reset')
    # What the client then sees is a race in the server: reset before its first bytes or after them, or silence.
    register_request('sni-rst-server', 'RST to the server only: its kernel may then reset the client itself', BBM,
                     f'reset to=server pass=yes delay-ms=1 {PLAIN}', 'tls.reset.sni', f'sni={BBM}',
                     said=False)
    register_request('sni-rst-goes-on', "RST to the client alone, whose own resets never reach the server", BBM,
                     f'reset pass=yes delay-ms={{nearly}} {MIRROR}\n'
                     f'deaf when sni={BBM} at=later age={{young}} do drop direction=up',
                     'tls.reset.sni', f'sni={BBM}', close='reset')
    register_request('sni-drop', 'ClientHello and all that follows dropped', SIGNAL, 'drop', 'tls.timeout',
                     f'sni={SIGNAL}', silent=True)
    register_request('ack-drop', "the handshake's last ACK and all that follows from the client dropped", WHATSAPP,
                     'drop direction=up', 'tls.timeout', 'port=443 at=established', silent=True)
    register_request('host-rst', 'RST at the HTTP request', SIGNAL, f'reset pass=yes to=both delay-ms=2 {PLAIN}',
                     'http.reset.host', f'host={SIGNAL}', close='reset')
    register_request('host-drop', 'HTTP request dropped', BBM, 'drop direction=up', 'http.timeout', f'host={BBM}',
                     silent=True)
    by_host = (
        ('page-fin', 'a page and FIN in one segment, then RST, in path', BBM,
         f'page page=status fin=yes then=rst gap-ms=2 {PLAIN}', 'http.blockpage'),
        ('page-bare', 'a page without a status line', SIGNAL, f'page page=bare fin=yes then=rst gap-ms=2 {PLAIN}',
         'http.blockpage'),
        ('page-on-path', "a page, and the server's own answer for the same bytes after it", BBM,
         f'page page=status pass=yes delay-ms=2 {RANDOM}', 'http.blockpage'),
        ('page-mirror', 'a page by an injector that mirrors the server', SIGNAL,
         f'page page=status fin=yes to=both delay-ms=2 {MIRROR}', 'http.blockpage'),
        ('page-redirect', '302 to a page elsewhere', WHATSAPP, f'page page=redirect fin=yes to=both {PLAIN}',
         'http.redirect'),
        ('page-forbidden', '403', SIGNAL, f'page page=forbidden fin=yes to=both {PLAIN}', 'http.blockpage'),
        ('page-iframe', '200 and an iframe', BBM, f'page page=iframe fin=yes pass=yes {PLAIN}',
         'http.blockpage'),
    )
    for identity, description, name, action, mechanism in by_host:
        register_request(identity, description, name, action, mechanism, f'host={name}')


register_requests()


@box_case('sni-drop-residual', 'ClientHello dropped, and for a while all from that client to that address and port')
def sni_drop_residual(lab):
    lab.serve_web(SIGNAL, CONTROL_HOST)
    lab.resolver()
    lab.interfere(f'residual when sni={SIGNAL} do drop residual=90', time_scale=0.1)
    lab.record()
    lab.visit_web(SIGNAL)
    lab.curl(f'https://{SIGNAL}/', '--max-time', '3', exit_status=None)
    lab.expect(SIGNAL, 443, 'tls', 'failed', 'tls.timeout')
    lab.client('connecting-client', SIGNAL, 443, seconds=4, exit_status=3)
    lab.expect(SIGNAL, 443, 'tcp', 'failed', 'tcp.timeout', certainty='likely', role=UNSAID)
    lab.outlast_silence()
    lab.curl(f'https://{lab.host(SIGNAL)}/', '--insecure')  # an address has no SNI
    lab.expect(SIGNAL, 443, 'tls', close='fin', certainty='likely', role=UNSAID)
    lab.stop_recording()


@box_case('sni-rst-residual', 'RST+ACK at the ClientHello, then at every SYN to that address and port for a while')
def sni_rst_residual(lab):
    lab.serve_web(BBM, CONTROL_HOST)
    lab.resolver()
    lab.interfere(f'residual when sni={BBM} do reset flags=rst+ack pass=yes to=both residual=180 residual-by=reset '
                  f'{PLAIN}', time_scale=0.02)
    lab.record()
    lab.visit_web(BBM)
    lab.curl(f'https://{BBM}/', *PATIENCE, exit_status=None)
    lab.expect(BBM, 443, 'tls', 'failed', 'tls.reset.sni', 'reset')
    lab.client('connecting-client', BBM, 443, exit_status=3)
    lab.expect(BBM, 443, 'tcp', 'failed', 'tcp.refused', 'reset', certainty='likely', role=UNSAID)
    control_works(lab)
    lab.pause(4)
    lab.curl(f'https://{lab.host(BBM)}/', '--insecure')  # an address has no SNI
    lab.expect(BBM, 443, 'tls', close='fin', certainty='likely', role=UNSAID)
    lab.stop_recording()


def connect(lab, subscriber):
    """An ordinary visit to the SRP port: a connection and no word."""
    lab.client('connecting-client', SRP, 3101, subscriber=subscriber)
    lab.expect(SRP, 3101, None, UNSAID, None, 'fin', certainty='likely')


def speak_srp(lab, subscriber):
    lab.client('srp-client', SRP, 3101, keepalives=0, subscriber=subscriber)
    lab.expect(SRP, 3101, None, 'ok', None, 'fin', certainty='likely')


def register_syn(identity, description, action, mechanism, silent=False, close=None):
    """At the SYN to one port of a server whose other port works: that is where its round trip is known from."""
    @box_case(identity, description)
    def play(lab):
        lab.serve_web(SRP, CONTROL_HOST)
        lab.serve('silent-server', SRP, 3101)
        lab.resolver()
        lab.interfere(f'{identity} when port=3101 transport=tcp server={lab.host(SRP)} do {action}')
        lab.record()
        lab.visit(lambda subscriber: connect(lab, subscriber))
        lab.curl(f'http://{SRP}/')
        lab.expect(SRP, 80, 'http', close='fin')
        for subscriber in lab.attempts():
            lab.client('connecting-client', SRP, 3101, seconds=4, exit_status=3, subscriber=subscriber)
            lab.expect(SRP, 3101, 'tcp', 'failed', mechanism, close, certainty='likely')
        if silent:
            lab.outlast_silence()
        lab.stop_recording()
    return play


register_syn('syn-drop', 'SYNs dropped', 'drop direction=up', 'tcp.timeout', silent=True)
register_syn('syn-rst', 'SYN answered by a plain RST, which a kernel does not believe, every time', f'reset {PLAIN}',
             'tcp.refused', close='reset')
register_syn('syn-rst-ack', 'SYN answered by RST+ACK', f'reset flags=rst+ack delay-ms=1 {PLAIN}', 'tcp.refused',
             close='reset')
register_syn('syn-rst-ack-mirror', "SYN answered by RST+ACK with the server's TTL",
             f'reset flags=rst+ack delay-ms=1 {MIRROR}', 'tcp.refused', close='reset')
for code, meaning in ((13, 'communication administratively prohibited'), (10, 'host administratively prohibited'),
                      (1, 'host unreachable')):
    register_syn(f'syn-icmp-{code}', f'SYN answered by ICMP 3/{code}, {meaning}',
                 f'icmp type=3 code={code} from={GATEWAY} ttl=60', 'ip.unreachable')


@box_case('established-rst', 'RST after the handshake, before any data', SRP_SYNTHETIC, ADDRESSES_SYNTHETIC)
def established_rst(lab):
    lab.serve('silent-server', SRP, 3101)
    lab.serve_control()
    lab.resolver()
    lab.interfere(f'established when port=3101 at=established do reset to=both pass=yes {PLAIN}')
    lab.record()
    lab.visit(lambda subscriber: connect(lab, subscriber))
    control_works(lab)
    for subscriber in lab.attempts():
        lab.client('connecting-client', SRP, 3101, rest=1, exit_status=None, subscriber=subscriber)
        lab.expect(SRP, 3101, None, 'failed', 'tcp.reset', 'reset', certainty='likely')
    lab.stop_recording()


def register_srp(identity, description, rule, mechanism, silent=False, close=None):
    @box_case(identity, description, SRP_SYNTHETIC, ADDRESSES_SYNTHETIC)
    def play(lab):
        lab.serve('srp-server', SRP, 3101)
        lab.serve_control()
        lab.resolver()
        lab.interfere(f'{identity} when port=3101 {rule}')
        lab.record()
        lab.visit(lambda subscriber: speak_srp(lab, subscriber))
        control_works(lab)
        for subscriber in lab.attempts():
            client = lab.start_client('srp-client', SRP, 3101, subscriber, keepalives=8, interval=0.4)
            if silent:
                lab.pause(5)
                lab.processes.end(client)
            else:
                lab.finish(client, None)
            lab.expect(SRP, 3101, 'stream', 'failed', mechanism, close, certainty='likely')
        if silent:
            lab.outlast_silence()
        lab.stop_recording()
    return play


register_srp('srp-rst', 'RST at the first payload of an SRP line',
             f'payload=any do reset to=both pass=yes delay-ms=2 {PLAIN}', 'stream.reset', close='reset')
register_srp('srp-drop', 'first payload of an SRP line and all after it dropped', 'payload=any do drop',
             'stream.timeout', silent=True)
register_srp('srp-rst-later', 'an SRP line reset in the middle, after two seconds',
             f'age=2 do reset flags=rst+ack to=both pass=yes {RANDOM}', 'stream.reset', close='reset')
register_srp('srp-freeze-later', 'an SRP line goes silent in both directions after two seconds', 'age=2 do drop',
             'stream.timeout', silent=True)


def register_download(identity, description, name, rule, mechanism, outcome='failed', seconds=8, silent=False,
                      close=None):
    @box_case(identity, description)
    def play(lab):
        lab.serve_web(name, CONTROL_HOST)
        lab.resolver()
        lab.interfere(f'{identity} when {rule}')
        lab.record()
        lab.visit_web(name)
        control_works(lab)
        for subscriber in lab.attempts():
            lab.curl(f'https://{name}/large', '--max-time', str(seconds), exit_status=None, subscriber=subscriber)
            lab.expect(name, 443, 'tls', outcome, mechanism, close)
        if silent:
            lab.outlast_silence()
        lab.stop_recording()
    return play


register_download('freeze-16k', "after 16 KB nothing of the server's passes any more", SIGNAL,
                  f'sni={SIGNAL} at=later down=16384 do drop direction=down', 'stream.timeout', seconds=5, silent=True)
register_download('rst-64k', 'RST to both after 64 KB', WHATSAPP,
                  f'sni={WHATSAPP} at=later down=65536 do reset to=both pass=yes {PLAIN}', 'stream.reset',
                  close='reset')
register_download('rst-64k-mirror', 'RST+ACK to the client alone after 64 KB, mirroring the server, which goes on', BBM,
                  f'sni={BBM} at=later down=65536 do reset flags=rst+ack pass=yes {MIRROR}', 'stream.reset',
                  close='reset')
for rate in (150, 512):
    register_download(f'police-{rate}', f'policed to {rate} kbit/s by SNI', SIGNAL,
                      f'sni={SIGNAL} do police rate={rate} burst=12000 direction=down', 'tls.throttle.sni',
                      'ok', seconds=DOWNLOAD_SECONDS)
    register_download(f'shape-{rate}', f'shaped to {rate} kbit/s from the first packet on', WHATSAPP,
                      f'port=443 transport=tcp do shape rate={rate} queue=30000 direction=down',
                      'stream.throttle', 'ok', seconds=DOWNLOAD_SECONDS)


def speak_quic(lab, name, subscriber=0):
    lab.quic_client(name, subscriber=subscriber)
    lab.expect(name, 443, 'quic', transport='udp')


def register_quic(identity, description, rule):
    @box_case(identity, description, "QUIC: ngtcp2's own client and server, not the messenger's")
    def play(lab):
        lab.serve_quic(WHATSAPP)
        lab.serve_quic('www.example.com')
        lab.serve_control()
        lab.resolver()
        lab.interfere(f'{identity} when {rule.format(server=lab.host(WHATSAPP))}')
        lab.record()
        lab.visit(lambda subscriber: speak_quic(lab, WHATSAPP, subscriber))
        speak_quic(lab, 'www.example.com')
        for subscriber in lab.attempts():
            client = lab.processes.start(lab.topology.subscribers[subscriber], 'gtlsclient', '--quiet', '--timeout=4s',
                                         '--handshake-timeout=4s', WHATSAPP, '443', f'https://{WHATSAPP}/')
            lab.finish(client, None)
            lab.expect(WHATSAPP, 443, 'quic', 'failed', 'quic.timeout', transport='udp')
        lab.outlast_silence()
        lab.stop_recording()
    return play


register_quic('quic-initial-drop', 'Initial dropped by its SNI, and all after it', f'sni={WHATSAPP} do drop')
register_quic('quic-later-drop', 'Initial passes; what the client sends later is dropped',
              f'sni={WHATSAPP} at=later up=1400 age=0.001 do drop direction=up')
register_quic('quic-port-drop', 'UDP 443 to an address dropped',
              'transport=udp port=443 server={server} do drop direction=up')


def call(lab, seconds, outcome, mechanism, subscriber):
    lab.client('call-client', lab.host(STUN), 3478, seconds=seconds, subscriber=subscriber)
    lab.expect(STUN, 3478, None, outcome, mechanism, transport='udp', host=False)


@box_case('call-drop', 'datagrams of a call dropped in both directions')
def call_drop(lab):
    lab.serve('call-server', STUN, 3478, 'udp')
    lab.serve_control()
    lab.resolver()
    lab.interfere('call when transport=udp port=3478 age=1 do drop')
    lab.record()
    lab.visit(lambda subscriber: call(lab, 0.5, 'ok', None, subscriber))
    control_works(lab)
    for subscriber in lab.attempts():
        call(lab, 13, 'failed', 'stream.timeout', subscriber)
    lab.outlast_silence()
    lab.stop_recording()


def register_dns(identity, description, action, mechanism, silent=False, **more):
    @box_case(identity, description, resolver_options=IMPATIENT)
    def play(lab):
        for name in (BBM, SIGNAL):
            lab.host(name)
        lab.kept_addresses += [BOGON, '127.0.0.1']
        lab.serve_web(PORTAL, CONTROL_HOST)
        lab.resolver()
        place = lab.host(PORTAL)
        lab.interfere('\n'.join(f'{identity} when dns={name} qtype=A do {action.format(portal=place)}'
                                for name in (BBM, SIGNAL)))
        lab.record()
        lab.visit(lambda subscriber: lab.lookup(CONTROL_HOST, subscriber))
        control_works(lab)
        for name in (BBM, SIGNAL):
            for subscriber in lab.attempts():
                lab.lookup(name, subscriber)
            lab.expect_question(name, mechanism, **more)
        if silent:
            lab.outlast_silence()
        lab.stop_recording()
    return play


register_dns('dns-page', 'answered with the address of a block page, the true answer follows',
             'dns-answer addresses={portal} pass=yes delay-ms=3 ttl=57 ip-id=own', 'dns.injection.blockpage')
register_dns('dns-page-mirror', "the same with the resolver's TTL",
             'dns-answer addresses={portal} pass=yes delay-ms=3 ttl=copy ip-id=copy+1 df=copy',
             'dns.injection.blockpage')
register_dns('dns-page-swallowed', 'the same, and no true answer',
             'dns-answer addresses={portal} delay-ms=2 ttl=copy ip-id=copy+1 df=copy', 'dns.injection.blockpage')
register_dns('dns-bogon', 'answered with a private address, the true answer follows',
             f'dns-answer addresses={BOGON} pass=yes delay-ms=1 ttl=61 record-ttl=60', 'dns.injection.bogon')
register_dns('dns-loopback', 'answered with 127.0.0.1, no true answer',
             'dns-answer addresses=127.0.0.1 record-ttl=300 ttl=50', 'dns.injection.bogon')
register_dns('dns-other', "answered with others' addresses by three injectors that disagree, the true answer follows",
             'dns-answer addresses=31.13.94.37,104.244.46.165,199.59.149.244 injectors=3 gap-ms=0.7 pass=yes '
             'delay-ms=2 ttl=random ip-id=random', 'dns.injection.other')
register_dns('dns-nxdomain', 'answered with NXDOMAIN, the question swallowed',
             'dns-rcode rcode=nxdomain delay-ms=2 ttl=59', 'dns.nxdomain')
register_dns('dns-nxdomain-on-path', 'answered with NXDOMAIN, the true answer follows',
             'dns-rcode rcode=nxdomain pass=yes delay-ms=2 ttl=copy', 'dns.nxdomain')
register_dns('dns-refused', 'answered with REFUSED', 'dns-rcode rcode=refused delay-ms=2 ttl=59', 'dns.refused')
register_dns('dns-servfail', 'answered with SERVFAIL', 'dns-rcode rcode=servfail delay-ms=2 ttl=59', 'dns.servfail')
register_dns('dns-drop', 'questions dropped', 'drop scope=packet', 'dns.timeout', silent=True)


@box_case('dns-lying-resolver', "the carrier's resolver itself gives a block page's address: no injector, and no haste")
def dns_lying_resolver(lab):
    lab.serve_web(PORTAL, CONTROL_HOST)
    lab.resolver(*(f'--address=/{name}/{lab.host(PORTAL)}' for name in (BBM, SIGNAL)))
    lab.interfere('# the line is honest')
    lab.record()
    lab.visit(lambda subscriber: lab.lookup(CONTROL_HOST, subscriber))
    control_works(lab)
    for name in (BBM, SIGNAL):
        for subscriber in lab.attempts():
            lab.lookup(name, subscriber)
        lab.expect_question(name, 'dns.injection.blockpage', by='resolver', attribution='third-party', contradiction=['d'])
    lab.stop_recording()


@box_case('dns-ipv6', 'A and AAAA answered with private addresses, the true answers follow', carrier='nayatel')
def dns_ipv6(lab):
    lab.host(UEM, over_ipv6=True)
    lab.kept_addresses += [BOGON, BOGON6]
    lab.serve_control()
    lab.resolver()
    lab.interfere(f'dns when dns={UEM} do dns-answer addresses={BOGON},{BOGON6} pass=yes delay-ms=2 ttl=61')
    lab.record()
    lab.visit(lambda subscriber: lab.lookup(CONTROL_HOST, subscriber))
    control_works(lab)
    for subscriber in lab.attempts():
        lab.finish(lab.processes.start(lab.topology.subscribers[subscriber], 'getent', 'ahosts', UEM), None)
    lab.expect_question(UEM, 'dns.injection.bogon')
    lab.stop_recording()


def speak_tls6(lab, subscriber):
    lab.tls_client(UEM, 3101, '-6', subscriber=subscriber)
    lab.expect(UEM, 3101, 'tls', close='fin', over_ipv6=True)


@box_case('sni-rst-ipv6', 'RST+ACK at the ClientHello over IPv6', TLS_SYNTHETIC, carrier='nayatel')
def sni_rst_ipv6(lab):
    lab.serve_tls(UEM, 3101, over_ipv6=True)
    lab.serve_control()
    lab.resolver()
    lab.interfere(f'six when sni={UEM} do reset flags=rst+ack to=both pass=yes delay-ms=2 ttl=61 window=8192')
    lab.record()
    lab.visit(lambda subscriber: speak_tls6(lab, subscriber))
    control_works(lab)
    for subscriber in lab.attempts():
        lab.curl(f'https://{UEM}:3101/', '-6', *PATIENCE, exit_status=None, subscriber=subscriber)
        lab.expect(UEM, 3101, 'tls', 'failed', 'tls.reset.sni', 'reset', over_ipv6=True)
    lab.stop_recording()


@box_case('dns-page-followed', 'a client follows the injected answer to the block page')
def dns_page_followed(lab):
    lab.serve_web(SIGNAL, PORTAL, CONTROL_HOST)
    lab.resolver()
    lab.interfere(f'dns when dns={SIGNAL} qtype=A do '
                  f'dns-answer addresses={lab.host(PORTAL)} pass=yes delay-ms=2 ttl=57')
    lab.record()
    lab.visit(lambda subscriber: lab.lookup(CONTROL_HOST, subscriber))
    control_works(lab)
    lab.expect_question(SIGNAL, 'dns.injection.blockpage')
    for subscriber in lab.attempts():
        lab.curl(f'http://{SIGNAL}/', subscriber=subscriber)
        lab.expect(PORTAL, 80, 'http', UNSAID, UNSAID, **{'certainty_at_least': 'likely', **belongs_to(HOSTS[SIGNAL])})
        lab.expected[-1].truth['host'] = SIGNAL  # the client still believes that it talks to this one
    lab.stop_recording()
