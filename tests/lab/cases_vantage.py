# SPDX-License-Identifier: GPL-3.0-or-later
"""The same plays seen otherwise: one direction, a part, cut or doubled packets, a wrong clock, from the server's side.

Each play is recorded whole on the carrier's line and then made less (views.py); the server's side is recorded there.
"""

from cases import ADDRESSES_SYNTHETIC, SRP_SYNTHETIC
from cases_interference import BBM, GFW_TWO, PLAIN, RANDOM, SIGNAL, SRP, WHATSAPP, box_case, control_works
from lab import CONTROL_HOST, UNSAID
from views import begins_in, cut_to, doubled, dated, ends_in, one_way, stretch

PATIENCE = ('--max-time', '6')
VIEW_SYNTHETIC = 'the view: made from a whole capture by tests/lab/views.py'


def interfered(lab):
    """A reset at a ClientHello, and a block page beside the true answer."""
    lab.serve_web(BBM, WHATSAPP, CONTROL_HOST)
    lab.resolver()
    lab.interfere(f'sni when sni={BBM} do reset pass=yes to=both flags=rst+ack count=3 gap-ms=0.1 delay-ms=3 '
                  f'{GFW_TWO}\n'
                  f'page when host={WHATSAPP} do page page=status pass=yes delay-ms=2 {RANDOM}')
    lab.record()
    control_works(lab)
    lab.curl(f'https://{BBM}/', *PATIENCE, exit_status=None)
    lab.expect(BBM, 443, 'tls', 'failed', 'tls.reset.sni', 'reset')
    lab.pause(1)
    lab.curl(f'http://{WHATSAPP}/', *PATIENCE, exit_status=None)
    lab.expect(WHATSAPP, 80, 'http', 'failed', 'http.blockpage')
    control_works(lab)
    lab.stop_recording()


def innocent(lab):
    """A download, a load balancer's refusal after a full round trip, a relay's line."""
    lab.serve_web(SIGNAL, BBM, CONTROL_HOST)
    lab.serve('srp-server', SRP, 3101)
    lab.resolver()
    lab.interfere(f'balancer when sni={BBM} do reset flags=rst+ack to=both delay-ms={{round_trip}} ttl=246 ip-id=0 '
                  'df=no window=0')
    lab.record()
    control_works(lab)
    lab.curl(f'https://{SIGNAL}/medium')
    lab.expect(SIGNAL, 443, 'tls', close='fin', attribution=None)
    lab.pause(1)
    lab.curl(f'https://{BBM}/', *PATIENCE, exit_status=None)
    lab.expect(BBM, 443, 'tls', 'failed', 'tls.reset.sni', 'reset', ends='endpoint', attribution=None)
    lab.client('srp-client', SRP, 3101, keepalives=2, interval=0.2)
    lab.expect(SRP, 3101, 'stream', close='fin', certainty='likely', attribution=None)
    control_works(lab)
    lab.stop_recording()


def register_view(identity, description, play, view, **vantage):
    @box_case(identity, description, VIEW_SYNTHETIC, SRP_SYNTHETIC, ADDRESSES_SYNTHETIC)
    def seen(lab):
        play(lab)
        lab.view = view
        lab.vantage |= vantage
    return seen


UNSYNCHRONISED = {'clock': 'unsynchronised'}
for prefix, play, subject in (('view', interfered, BBM), ('innocent-view', innocent, SIGNAL)):
    kind = 'interference' if play is interfered else 'innocents'
    register_view(f'{prefix}-up', f'{kind}, only what clients send', play, one_way(True))
    register_view(f'{prefix}-down', f'{kind}, only what clients get', play, one_way(False))
    register_view(f'{prefix}-begins', f'{kind}, captured from the middle of a flow on', play, begins_in(subject, 443))
    register_view(f'{prefix}-ends', f'{kind}, captured until a ClientHello', play, ends_in(subject, 443))
    register_view(f'{prefix}-snap-96', f'{kind}, 96 bytes of each packet', play, cut_to())
    register_view(f'{prefix}-span', f'{kind}, every packet twice', play, doubled)
    register_view(f'{prefix}-clock', f'{kind}, by a clock that was never set', play, dated('2000-01-01T00:00:07+00:00'),
                  **UNSYNCHRONISED)
    for name, hours in (('back', -2), ('on', 2)):
        register_view(f'{prefix}-step-{name}', f'{kind}, and a clock that is set {name} between flows', play,
                      stretch(hours * 3600), **UNSYNCHRONISED)


def register_at_server(identity, description, rules, **expected):
    @box_case(identity, description)
    def at_server(lab):
        lab.serve_web(BBM, SIGNAL, CONTROL_HOST)
        lab.resolver()
        lab.interfere(rules)
        lab.record(at_server=True)
        control_works(lab)
        lab.curl(f'https://{SIGNAL}/')
        lab.expect(SIGNAL, 443, 'tls', close='fin')
        lab.curl(f'https://{BBM}/', *PATIENCE, exit_status=None)
        lab.expect(BBM, 443, 'tls', **expected)
        lab.stop_recording()
    return at_server


RESET = {'outcome': 'failed', 'mechanism': 'tls.reset.sni', 'close': 'reset'}
register_at_server('server-rst', "at the server: RST+ACK in the client's name at its ClientHello, to both ends",
                   f'sni when sni={BBM} do reset pass=yes to=both flags=rst+ack {PLAIN}', **RESET)
register_at_server('server-rst-goes-on',
                   "at the server: RST in the client's name; the client, to whom no answer comes, goes on",
                   f'sni when sni={BBM} do reset pass=yes to=server delay-ms=8 {PLAIN}\n'
                   f'deaf when sni={BBM} at=later age={{young}} do drop direction=down',
                   **RESET | {'mechanism': 'tls.reset.other'})
register_at_server('server-drop', 'at the server: no ClientHello comes', f'sni when sni={BBM} do drop', outcome=UNSAID,
                   mechanism=UNSAID)


@box_case('server-innocent', 'at the server: a client that leaves in the middle of a download, and one that gives up')
def server_innocent(lab):
    lab.serve_web(SIGNAL, CONTROL_HOST)
    lab.serve('silent-server', SRP, 3101)
    lab.resolver()
    lab.interfere('# nobody interferes')
    lab.record(at_server=True)
    control_works(lab)
    download = lab.start_curl(f'https://{SIGNAL}/large', '--limit-rate', '40000')
    lab.pause(1.5)
    lab.processes.end(download, 9)
    lab.expect(SIGNAL, 443, 'tls', UNSAID, UNSAID, 'reset', ends='client', attribution=None)
    for how in ('reset', 'fin'):
        lab.client('endings:impatient-client', SRP, 3101, how=how, seconds=0.6, request='hello')
        lab.expect(SRP, 3101, None, UNSAID, UNSAID, certainty='likely', ends='client', attribution=None)
    lab.stop_recording()


@box_case('server-innocent-reorder',
          'at the server: clients reset in the middle of what they send, and some of it comes after that')
def server_reorder(lab):
    lab.serve_control()
    lab.serve('silent-server', SRP, 3101)
    lab.resolver()
    lab.interfere('# nobody interferes', reorder=0.2, jitter_ms=3)
    lab.record(at_server=True)
    control_works(lab)
    for _ in range(8):
        lab.client('endings:impatient-client', SRP, 3101, how='reset', seconds=0.06, upload=14000)
        lab.expect(SRP, 3101, None, UNSAID, UNSAID, certainty='likely', ends='client', attribution=None)
    lab.stop_recording()
