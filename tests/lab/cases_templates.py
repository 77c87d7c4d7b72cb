# SPDX-License-Identifier: GPL-3.0-or-later
"""Attempts to compose weeks of (tests/scenario): each technique meets every service that it can meet.

Every case is one technique on the same line, so that round trips and TTLs are those of one place. Nothing is judged
here; what a technique is called when it is judged, tests/scenario/scoring.py says.
"""

from cases import ADDRESSES_SYNTHETIC, SRP_SYNTHETIC, TEMPLATE, TLS_SYNTHETIC, case
from cases_interference import BOX_SYNTHETIC, PLAIN, MIRROR
from hosts import HOSTS
from lab import CONTROL_HOST, GRACE, UNSAID
from topology import GATEWAY

UEM, REGISTRATION, BBM = 'ca.bbsecure.com', 'inet.registration.blackberry.com', 'auth2.bbm.blackberry.com'
SIGNAL, WHATSAPP, TELEGRAM = 'chat.signal.org', 'web.whatsapp.com', 'web.telegram.org'
WIKIPEDIA, EXAMPLE = 'www.wikipedia.org', 'www.example.com'
ROUTER = 'router-without-name'
SRP, SRP_UNNAMED, MAIL = 'gb.srp.blackberry.com', 'srp-without-name', 'srs.bis.eu.blackberry.com'
TLS_PORT = {UEM: 3101, REGISTRATION: 443, BBM: 443, SIGNAL: 443, WHATSAPP: 443, TELEGRAM: 443, WIKIPEDIA: 443,
            EXAMPLE: 443}
LARGE = (SIGNAL, WHATSAPP, TELEGRAM, BBM)
BLOCKABLE = (UEM, REGISTRATION, BBM, SIGNAL, WHATSAPP, TELEGRAM)
PORTAL_ADDRESS = HOSTS['block.example.net'].address
IMPATIENT = 'options timeout:1 attempts:2'
PERSISTENT = 'options timeout:1 attempts:5'
DOES_NOT_SAY = {'certainty': 'possible', 'role': UNSAID, 'stage': None}


def template(identity, description, resolver_options=''):
    def register(play):
        return case('template-' + identity, description,
                    (BOX_SYNTHETIC, TLS_SYNTHETIC, SRP_SYNTHETIC, ADDRESSES_SYNTHETIC), group=TEMPLATE,
                    resolver_options=resolver_options)(play)
    return register


def serve_all(lab, tls=TLS_PORT, mail=True, srp='srp-server', bare=()):
    """Servers for everything; `bare` are machines that are there and have nothing listening."""
    lab.serve_web(*tls, CONTROL_HOST, ports={UEM: (3101,)})
    for name in bare:
        lab.host(name)
    if srp:
        for name in (SRP, SRP_UNNAMED):
            lab.serve(srp, name, 3101)
    if mail:
        certificate, key = lab.authority.issue(MAIL)
        lab.serve('smtp-server', MAIL, 25, banner=MAIL, certificate=certificate, key=key)
    lab.resolver()


def rules(lines, names):
    return '\n'.join(lines.replace('NAME', name).replace('ID', f'r{number}') for number, name in enumerate(names))


class Visits:
    """Clients that run beside each other, one to a service."""

    def __init__(self, lab, patience=('--max-time', '6')):
        self.lab, self.patience, self.running = lab, patience, []

    def expect(self, name, port, **more):
        self.lab.expect(name, port, **{'outcome': UNSAID, 'mechanism': UNSAID, **DOES_NOT_SAY, **more})

    def started(self, process):
        self.running.append(process)
        self.lab.pause(0.12)

    def web(self, names=TLS_PORT, path='/'):
        for name in names:
            port = TLS_PORT[name]
            shown = '' if port == 443 else f':{port}'
            self.started(self.lab.start_curl(f'https://{name}{shown}{path}', *self.patience))
            self.expect(name, port)

    def plain(self, names=(CONTROL_HOST,), path='/generate_204'):
        for name in names:
            self.started(self.lab.start_curl(f'http://{name}{path}', *self.patience))
            self.expect(name, 80)

    def srp(self, role='srp-client', names=(SRP_UNNAMED, SRP), **options):
        for name in names:
            host = self.lab.host(name) if name == SRP_UNNAMED else name
            self.started(self.lab.start_client(role, host, 3101, **options))
            self.expect(name, 3101, host=name != SRP_UNNAMED)

    def mail(self):
        self.lab.tls_client(MAIL, 25, '-starttls', 'smtp', '-name', 'mail.example.com', '-crlf',
                            lines=('ehlo mail.example.com', 'quit'))
        self.expect(MAIL, 25)

    def unheard_mail(self):
        self.started(self.lab.start_client('connecting-client', MAIL, 25, seconds=8))
        self.expect(MAIL, 25)

    def end(self, after=0.0):
        self.lab.pause(after)
        for process in self.running:
            if after:
                self.lab.processes.end(process)
            else:
                self.lab.finish(process, None)


def play(lab, what, visit, silent=False, **options):
    """Rules, recording, visits, and something that shows for how long nothing else came."""
    lab.interfere(what, **options)
    lab.record()
    visit(lab)
    if silent:  # a question that nobody stops
        lab.pause(GRACE)
        lab.lookup('us.bbsecure.com')
    lab.stop_recording()


def everything(lab, mail=True):
    visits = Visits(lab)
    visits.web()
    visits.plain()
    visits.srp(keepalives=3, interval=0.5)
    if mail:
        visits.mail()
    visits.end()


@template('ok', 'everything works')
def works(lab):
    serve_all(lab)
    play(lab, '# nobody interferes', everything)


@template('lossy', 'a twentieth of the packets is lost each way', PERSISTENT)
def lossy(lab):
    serve_all(lab)
    play(lab, '# nobody interferes', lambda lab: everything(lab, mail=False), loss=0.05)


def register_tls(identity, description, rule, names=BLOCKABLE, silent=False):
    @template(identity, description)
    def one(lab):
        serve_all(lab)

        def visit(lab):
            visits = Visits(lab)
            visits.web(names)
            visits.end()
        play(lab, rules(rule, names), visit, silent)


register_tls('sni-rst', 'a reset at the name in the ClientHello, sooner than any server could answer',
             f'ID when sni=NAME do reset pass=yes delay-ms=2 {PLAIN}')
register_tls('sni-rst-in-path', 'the same by a box in the path, which swallows the ClientHello',
             f'ID when sni=NAME do reset pass=no delay-ms=2 {PLAIN}')
register_tls('sni-rst-late', 'a reset at the name, a round trip later: nothing in the packets proves it',
             f'ID when sni=NAME do reset flags=rst+ack pass=no delay-ms={{round_trip}} {MIRROR}')
register_tls('sni-drop', 'the ClientHello and all that follows is dropped', 'ID when sni=NAME do drop', silent=True)
register_tls('balancer-rst', "a load balancer of the servers' own resets: TTL, DF, IP-ID and window are not the servers'",
             'ID when sni=NAME do reset flags=rst+ack pass=no delay-ms={round_trip} ttl=246 ip-id=0 df=no window=0',
             names=TLS_PORT)


def register_fetch(identity, description, rule):
    @template(identity, description)
    def fetch(lab):
        serve_all(lab)

        def visit(lab):
            for name in LARGE:
                visits = Visits(lab, ('--max-time', '9'))
                visits.web((name,), '/medium')
                visits.end()
        play(lab, rules(rule, LARGE), visit)


register_fetch('fetch', '60 kB are fetched', '# ID')
register_fetch('police-150', '60 kB are fetched, policed to 150 kbit/s by name',
               'ID when sni=NAME do police rate=150 burst=12000 direction=down')


def syn_visit(lab):
    visits = Visits(lab, ('--max-time', '8'))
    visits.web()
    visits.plain()
    visits.srp('connecting-client', seconds=8)
    visits.unheard_mail()
    visits.end()


@template('syn-drop', 'every SYN is dropped')
def syn_drop(lab):
    serve_all(lab)
    play(lab, 'syn when transport=tcp at=syn do drop direction=up', syn_visit, silent=True)


@template('syn-rst', 'every SYN is answered by a reset, sooner than any server could')
def syn_rst(lab):
    serve_all(lab)
    play(lab, f'syn when transport=tcp at=syn do reset flags=rst+ack delay-ms=1 {PLAIN}', syn_visit)


@template('syn-icmp', 'every SYN is answered by ICMP 3/13')
def syn_icmp(lab):
    serve_all(lab)
    play(lab, f'syn when transport=tcp at=syn do icmp type=3 code=13 from={GATEWAY} ttl=60', syn_visit)


@template('endpoint-closed', 'machines on which nothing listens')
def endpoint_closed(lab):
    for name in (*TLS_PORT, CONTROL_HOST, SRP, SRP_UNNAMED, MAIL):
        lab.host(name)
    lab.resolver()
    play(lab, '# nobody interferes', syn_visit)


@template('endpoint-rst', 'servers that reset at the first request')
def endpoint_rst(lab):
    for name, port in TLS_PORT.items():
        lab.serve('endings:leaving-server', name, port, how='reset')
    for name in (SRP, SRP_UNNAMED):
        lab.serve('endings:leaving-server', name, 3101, how='reset')
    lab.serve('endings:leaving-server', CONTROL_HOST, 80, how='reset')
    lab.resolver()

    def visit(lab):
        visits = Visits(lab)
        visits.web()
        visits.plain()
        visits.srp('endings:impatient-client', how='fin', seconds=0.5, request='hello')
        visits.end()
    play(lab, '# nobody interferes', visit)


@template('endpoint-alert', 'servers that break off with an alert')
def endpoint_alert(lab):
    for name, port in TLS_PORT.items():
        certificate, key = lab.authority.issue(name)
        server = lab.processes.start(lab.topology.internet, 'openssl', 's_server', '-accept', f'{lab.host(name)}:{port}',
                                     '-cert', certificate, '-key', key, '-www', '-tls1_3')
        lab.processes.await_bound(server, lab.host(name), port)
    lab.resolver()

    def visit(lab):
        visits = Visits(lab, ('--max-time', '6', '--tls-max', '1.2'))
        visits.web()
        visits.end()
    play(lab, '# nobody interferes', visit)


@template('expired', 'certificates that have expired, which clients refuse')
def expired(lab):
    for name, port in TLS_PORT.items():
        certificate, key = lab.authority.issue(name, '-expired', ended='20151101000000Z')
        lab.serve('proxies:tls-server', name, port, certificate=certificate, key=key)
    lab.resolver()

    def visit(lab):
        visits = Visits(lab, ('--max-time', '6', '--tls-max', '1.2'))
        visits.web()
        visits.end()
    play(lab, '# nobody interferes', visit)


@template('client-abort', 'clients that leave while they wait')
def client_abort(lab):
    for name, port in TLS_PORT.items():
        lab.serve('silent-server', name, port)
    lab.serve('silent-server', CONTROL_HOST, 80)
    lab.resolver()

    def visit(lab):
        visits = Visits(lab, ('--max-time', '1'))
        visits.web()
        visits.plain()
        visits.end()
    play(lab, '# nobody interferes', visit)


@template('srp-drop', "the first message of an SRP line and all after it is dropped")
def srp_drop(lab):
    serve_all(lab)

    def visit(lab):
        visits = Visits(lab)
        visits.srp(keepalives=8, interval=0.4)
        visits.end(6)
    play(lab, 'srp when port=3101 payload=any do drop', visit, silent=True)


@template('srp-rst', 'a reset at the first message of an SRP line')
def srp_rst(lab):
    serve_all(lab)

    def visit(lab):
        visits = Visits(lab)
        visits.srp(keepalives=3, interval=0.4)
        visits.end()
    play(lab, f'srp when port=3101 payload=any do reset to=both pass=no delay-ms=2 {PLAIN}', visit)


def register_dns(identity, description, rule, names, everybody=False, silent=False):
    @template(identity, description, IMPATIENT)
    def ask(lab):
        serve_all(lab)

        def visit(lab):
            for name in names:
                lab.lookup(name)
            if everybody:  # also those who need no name
                visits = Visits(lab)
                visits.srp('connecting-client', names=(SRP_UNNAMED,), seconds=8)
                visits.end()
        play(lab, rules(rule, names), visit, silent)


NAMED = (*BLOCKABLE, SRP, MAIL)
register_dns('dns-page', "questions are answered with a block page's address, the true answer follows",
             f'ID when dns=NAME do dns-answer addresses={PORTAL_ADDRESS} pass=yes delay-ms=2 ttl=57', NAMED)
register_dns('dns-nxdomain', 'questions are answered with NXDOMAIN by a box, and swallowed',
             'ID when dns=NAME do dns-rcode rcode=nxdomain delay-ms=2 ttl=copy', NAMED)
register_dns('dns-drop', 'no question is answered', 'ID when dns=NAME do drop scope=packet',
             (*TLS_PORT, CONTROL_HOST, SRP, MAIL), silent=True)
register_dns('dead', 'nothing passes', 'ID when dns=NAME do drop scope=packet\ntcp-ID when transport=tcp do drop',
             (*TLS_PORT, CONTROL_HOST, SRP, MAIL), everybody=True, silent=True)


@template('page-fin', 'a page and FIN in one segment at the name in an HTTP request')
def page_fin(lab):
    serve_all(lab)
    names = (REGISTRATION, BBM, SIGNAL, WHATSAPP, TELEGRAM)

    def visit(lab):
        visits = Visits(lab)
        visits.plain(names, '/')
        visits.end()
    play(lab, rules(f'ID when host=NAME do page page=status pass=yes delay-ms=2 {PLAIN}', names), visit)


@template('new-port', 'a new version speaks to another port')
def new_port(lab):
    lab.serve_web(*LARGE, ports={name: (5222,) for name in LARGE})
    lab.resolver()

    def visit(lab):
        visits = Visits(lab)
        for name in LARGE:
            visits.started(lab.start_curl(f'https://{name}:5222/', *visits.patience))
            visits.expect(name, 5222)
        visits.end()
    play(lab, '# nobody interferes', visit)


def register_address(technique, description, rule):
    """A door that needs no name: a handset's line to a router on 4101."""
    @template(technique + '.address', description)
    def address(lab):
        lab.serve('opaque-server', ROUTER, 4101)
        lab.resolver()

        def visit(lab):
            role, options = ('opaque-client', {}) if technique == 'ok' else ('connecting-client', {'seconds': 8})
            visits = Visits(lab)
            visits.started(lab.start_client(role, lab.host(ROUTER), 4101, **options))
            visits.expect(ROUTER, 4101, host=False)
            visits.end()
        play(lab, rule, visit, silent=technique != 'ok')


register_address('ok', 'it works', '# nobody interferes')
register_address('dead', 'nothing passes', 'tcp when transport=tcp do drop')
register_address('syn-drop', 'every SYN is dropped', 'syn when transport=tcp at=syn do drop direction=up')
