# SPDX-License-Identifier: GPL-3.0-or-later
"""Slowed down, and slow by themselves: policers and shapers at many rates, and innocents that look alike.

Every throttled download has one of another server beside it on the same line, which is quick: without it a shaper cannot
be told from the subscriber's own line. `congestion` and the others of the second half must get no mechanism.
"""

import os

from cases_interference import BBM, SIGNAL, WHATSAPP, box_case, control_works
from lab import CONTROL_HOST, NGINX_HEAD

OTHER = 'www.example.com'  # quick, beside what is throttled
LINE = 'transport=tcp port=443 do shape'
SECONDS = 8
RATES = (64, 128, 150, 256, 512, 1024)


def size_for(rate):
    """Bytes that would take longer than a case does."""
    return max(400_000, rate * 1000 // 8 * (SECONDS + 4))


def big_file(lab, rate, name='huge'):
    """nginx serves it from the folder of `large`, whose place it takes."""
    with open(os.path.join(lab.folder, 'large'), 'wb') as file:
        file.write(os.urandom(size_for(rate)))


def download(lab, name, path='large', seconds=SECONDS, *more):
    lab.curl(f'https://{name}/{path}', '--max-time', str(seconds), *more, exit_status=None)


def register_throttle(identity, description, name, rule, rate, concurrent=False):
    @box_case(identity, description)
    def play(lab):
        lab.serve_web(name, OTHER, CONTROL_HOST)
        big_file(lab, rate)
        lab.resolver()
        lab.interfere(f'{identity} when {rule}')
        lab.record()
        control_works(lab)
        if concurrent:
            slow = lab.start_curl(f'https://{name}/large', '--max-time', str(SECONDS))
            lab.pause(3)
            lab.expect(name, 443, 'tls', 'ok', 'tls.throttle.sni')
            download(lab, OTHER)
            lab.expect(OTHER, 443, 'tls')
            lab.finish(slow, None)
            lab.stop_recording()
            return
        else:
            download(lab, OTHER)
            lab.expect(OTHER, 443, 'tls')
            download(lab, name)
        lab.expect(name, 443, 'tls', 'ok', 'tls.throttle.sni')
        lab.stop_recording()
    return play


for kbit in RATES:
    burst, queue = max(8000, kbit * 60), max(20000, kbit * 60)
    register_throttle(f'throttle-police-{kbit}', f'policed to {kbit} kbit/s by SNI', SIGNAL,
                      f'sni={SIGNAL} do police rate={kbit} burst={burst} direction=down', kbit)
    register_throttle(f'throttle-shape-{kbit}', f'shaped to {kbit} kbit/s by SNI', WHATSAPP,
                      f'sni={WHATSAPP} do shape rate={kbit} queue={queue} direction=down', kbit)
for kbit in (128, 512):
    register_throttle(f'throttle-police-later-{kbit}', f'policed to {kbit} kbit/s after 100 kB', SIGNAL,
                      f'sni={SIGNAL} at=later down=100000 do police rate={kbit} burst=12000 direction=down', kbit)
    register_throttle(f'throttle-shape-later-{kbit}', f'shaped to {kbit} kbit/s after 200 kB', BBM,
                      f'sni={BBM} at=later down=200000 do shape rate={kbit} queue=40000 direction=down', kbit)
    register_throttle(f'throttle-shape-beside-{kbit}', f'shaped to {kbit} kbit/s while another download goes on', BBM,
                      f'sni={BBM} do shape rate={kbit} queue=40000 direction=down', kbit, concurrent=True)


# --- innocents ---

def register_line(identity, description, rule, names, kbit, beside=False, **options):
    """Downloads over a line that treats all alike."""
    @box_case(identity, description, resolver_options='options timeout:1 attempts:8')
    def play(lab):
        lab.serve_web(*names, CONTROL_HOST)
        big_file(lab, kbit)
        lab.resolver()
        lab.interfere(f'{identity} when {rule}' if rule else '# nobody interferes', **options)
        lab.record()
        clients = []
        for name in names:
            clients.append(lab.start_curl(f'https://{name}/large', '--max-time', str(SECONDS)))
            lab.expect(name, 443, 'tls', attribution=None)
            lab.pause(1.5 if beside else 0)
            if not beside:
                lab.finish(clients.pop(), None)
        for client in clients:
            lab.finish(client, None)
        lab.stop_recording()
    return play


for kbit in (256, 1024):
    register_line(f'innocent-congestion-{kbit}', f'a line of {kbit} kbit/s with a long queue, one after the other',
                  f'{LINE} rate={kbit} queue={kbit * 100} direction=down shared=yes', (OTHER, SIGNAL), kbit)
    register_line(f'innocent-cross-{kbit}', f'a line of {kbit} kbit/s with a long queue, shared by two at once',
                  f'{LINE} rate={kbit} queue={kbit * 60} direction=down shared=yes', (OTHER, SIGNAL), kbit, True)
    register_line(f'innocent-short-queue-{kbit}', f'a line of {kbit} kbit/s with a short queue that runs over',
                  f'{LINE} rate={kbit} queue=9000 direction=down shared=yes', (OTHER, SIGNAL), kbit)
    register_line(f'innocent-tariff-{kbit}', f'a line whose tariff is policed to {kbit} kbit/s',
                  f'transport=tcp port=443 do police rate={kbit} burst=12000 direction=down shared=yes',
                  (OTHER, SIGNAL), kbit)
for share in (0.01, 0.02, 0.05, 0.1):
    register_line(f'innocent-lossy-{round(share * 100)}', f'{round(share * 100)} % lost on a long download', '',
                  (OTHER, SIGNAL), 3000, loss=share)

LIMITED_SITE = ''' server {{ listen {address}:443 ssl http2; server_name {name}; {certificates}
  location / {{ root {folder}; limit_rate {rate}; }} }}
}}
'''


def serve_limited(lab, name, rate):
    """An nginx of its own that gives every answer `rate` bytes a second."""
    folder = os.path.join(lab.folder, 'limited')
    os.makedirs(folder)
    with open(os.path.join(folder, 'large'), 'wb') as file:
        file.write(os.urandom(rate * (SECONDS + 4)))
    certificate, key = lab.authority.issue(name)
    path = os.path.join(folder, 'nginx.conf')
    with open(path, 'w', encoding='ascii') as file:
        file.write(NGINX_HEAD.format(folder=folder) + LIMITED_SITE.format(
            address=lab.host(name), name=name, folder=folder, rate=rate,
            certificates=f'ssl_certificate {certificate}; ssl_certificate_key {key};'))
    server = lab.processes.start(lab.topology.internet, 'nginx', '-c', path)
    lab.processes.await_bound(server, lab.addresses[name], 443)


def register_slow_end(identity, description, rate, by_client=False, **options):
    @box_case(identity, description)
    def play(lab):
        lab.serve_web(OTHER, SIGNAL, CONTROL_HOST)
        if not by_client:
            serve_limited(lab, WHATSAPP, rate)
        big_file(lab, rate // 125)
        lab.resolver()
        lab.interfere('# nobody interferes', **options)
        lab.record()
        download(lab, OTHER)
        lab.expect(OTHER, 443, 'tls', attribution=None)
        more = ('--limit-rate', str(rate)) if by_client else ()
        name = SIGNAL if by_client else WHATSAPP
        download(lab, name, 'large', SECONDS, *more)
        lab.expect(name, 443, 'tls', attribution=None)
        lab.stop_recording()
    return play


for rate in (16_000, 64_000):
    register_slow_end(f'innocent-limit-rate-{rate // 1000}', f'a server that gives {rate} bytes a second', rate)
    register_slow_end(f'innocent-limit-lossy-{rate // 1000}', 'such a server on a line that loses 3 %', rate, loss=0.03)
    register_slow_end(f'innocent-slow-client-{rate // 1000}', f'a client that takes {rate} bytes a second', rate, True)
