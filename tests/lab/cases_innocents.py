# SPDX-License-Identifier: GPL-3.0-or-later
"""Innocents that a middlebox plays: a bad line, a load balancer, an expired mapping. None may be accused."""

from cases import ADDRESSES_SYNTHETIC, SRP_SYNTHETIC
from cases_interference import BBM, SIGNAL, SRP, UEM, WHATSAPP, box_case, control_works, speak_srp
from lab import CONTROL_HOST, HONEST, UNSAID

PERSISTENT = 'options timeout:1 attempts:8'  # on a bad line questions get lost, too
PLAIN_SITES = (SIGNAL, WHATSAPP, BBM)


def register_line(identity, description, **options):
    """Downloads over a bad line: slow, perhaps, but nobody cuts them."""
    @box_case(identity, description, resolver_options=PERSISTENT)
    def play(lab):
        lab.serve_web(*PLAIN_SITES, CONTROL_HOST)
        lab.resolver()
        lab.interfere(HONEST, **options)
        lab.record()
        for name in PLAIN_SITES:
            lab.visit_web(name)
        for name in PLAIN_SITES:
            lab.curl(f'https://{name}/medium', '--max-time', '25')
            lab.expect(name, 443, 'tls')
        lab.outlast_silence()
        lab.stop_recording()
    return play


for share in (0.01, 0.05, 0.1):
    percent = round(share * 100)
    register_line(f'innocent-loss-{percent}', f'{percent} % of packets lost in each direction', loss=share)
register_line('innocent-reorder', '3 % of packets overtaken, delays vary', reorder=0.03, jitter_ms=2)
register_line('innocent-duplicate', '3 % of packets come twice', duplicate=0.03)


def register_balancer(identity, description, name, fingerprint, flags='rst+ack'):
    """A reset that comes a full round trip after its cause, as a server's would, by a machine before the server."""
    @box_case(identity, description)
    def play(lab):
        lab.serve_web(name, CONTROL_HOST)
        lab.resolver()
        lab.interfere(f'balancer when sni={name} do reset flags={flags} to=both delay-ms={{round_trip}} '
                      f'{fingerprint}')
        lab.record()
        lab.visit_web(name)
        control_works(lab)
        for subscriber in lab.attempts():
            lab.curl(f'https://{name}/', '--max-time', '6', exit_status=None, subscriber=subscriber)
            lab.expect(name, 443, 'tls', 'failed', 'tls.reset.sni', 'reset', ends='endpoint', attribution=None)
        lab.stop_recording()
    return play


register_balancer('innocent-balancer', "a load balancer refuses: TTL, DF, IP-ID and window are not the server's",
                  SIGNAL, 'ttl=246 ip-id=0 df=no window=0')
register_balancer('innocent-balancer-random', 'another one, with a random IP-ID and a small TTL', WHATSAPP,
                  'ttl=47 ip-id=random df=no window=8190')
register_balancer('innocent-balancer-rst', 'a third, with a plain RST', BBM, 'ttl=119 ip-id=own df=yes window=0', 'rst')


@box_case('innocent-balancer-later', 'a load balancer resets a line that rested too long', SRP_SYNTHETIC,
          ADDRESSES_SYNTHETIC)
def balancer_later(lab):
    lab.serve('srp-server', SRP, 3101)
    lab.serve_control()
    lab.resolver()
    lab.interfere(f'balancer when port=3101 idle=3 do reset to=both delay-ms={{round_trip}} ttl=245 ip-id=0 df=no')
    lab.record()
    lab.visit(lambda subscriber: speak_srp(lab, subscriber))
    control_works(lab)
    for subscriber in lab.attempts():
        lab.client('pausing-client', SRP, 3101, rest=4, exit_status=3, subscriber=subscriber)
        lab.expect(SRP, 3101, None, UNSAID, UNSAID, 'reset', certainty='likely', ends='endpoint', attribution=None)
    lab.stop_recording()


def register_mapping(identity, description, action, **expected):
    """The carrier's address translator has forgotten a line that rested: a third party, and innocent."""
    @box_case(identity, description, SRP_SYNTHETIC, ADDRESSES_SYNTHETIC)
    def play(lab):
        lab.serve('srp-server', SRP, 3101)
        lab.serve_control()
        lab.resolver()
        lab.interfere(f'mapping when port=3101 idle=3 do {action}')
        lab.record()
        lab.visit(lambda subscriber: speak_srp(lab, subscriber))
        control_works(lab)
        for subscriber in lab.attempts():
            lab.client('pausing-client', SRP, 3101, rest=4, exit_status=3, subscriber=subscriber)
            lab.expect(SRP, 3101, None, UNSAID, UNSAID, certainty='likely', innocent='idle-expiry', **expected)
        lab.outlast_silence()
        lab.stop_recording()
    return play


register_mapping('innocent-mapping-reset', 'an expired mapping, answered with RST by the translator',
                 'reset flags=rst pass=no ttl=63 ip-id=0 df=no')
register_mapping('innocent-mapping-drop', 'an expired mapping, dropped in silence', 'drop')


@box_case('innocent-normaliser', 'a middlebox that clears TCP options but MSS and window scale, and nothing else')
def normaliser(lab):
    lab.serve_web(*PLAIN_SITES, CONTROL_HOST)
    lab.serve_tls(UEM, 3101)
    lab.resolver()
    lab.interfere('normaliser when transport=tcp do normalise')
    lab.record()
    for name in PLAIN_SITES:
        lab.curl(f'https://{name}/')
        lab.expect(name, 443, 'tls', close='fin')
    lab.tls_client(UEM, 3101)
    lab.expect(UEM, 3101, 'tls', close='fin')
    lab.stop_recording()


@box_case('innocent-slow-server', 'a server answers after five seconds, and one does so after its client has gone')
def slow_server(lab):
    lab.serve('slow-server', SIGNAL, 80, seconds=5)
    lab.serve('slow-server', BBM, 80, seconds=7)
    lab.serve_control()
    lab.resolver()
    lab.interfere(HONEST)
    lab.record()
    lab.curl(f'http://{SIGNAL}/')
    lab.expect(SIGNAL, 80, 'http', close='fin')
    lab.curl(f'http://{BBM}/', '--max-time', '3', exit_status=28)
    lab.expect(BBM, 80, 'http', UNSAID, UNSAID, ends='endpoint')
    lab.pause(4.5)
    control_works(lab)
    lab.stop_recording()
