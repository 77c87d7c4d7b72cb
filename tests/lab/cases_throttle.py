# SPDX-License-Identifier: GPL-3.0-or-later
"""Slowed down, and slow by themselves: policers and shapers at many rates, and innocents that look alike.

Every throttled download has one of another server beside it on the same line, which is quick: without it a shaper cannot
be told from the subscriber's own line. `congestion` and the others of the second half must get no mechanism.
"""

import os

from cases_interference import BBM, PATIENCE, SIGNAL, WHATSAPP, box_case, control_works
from lab import CONTROL_HOST

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


def register_throttle(identity, description, name, rule, rate, up=False, concurrent=False):
    @box_case(identity, description)
    def play(lab):
        lab.serve_web(name, OTHER, CONTROL_HOST)
        big_file(lab, rate)
        lab.resolver()
        lab.interfere(f'{identity} when {rule}')
        lab.record()
        control_works(lab)
        if up:
            path = os.path.join(lab.folder, 'large')
            lab.curl(f'https://{OTHER}/', '--max-time', '2', '--data-binary', f'@{path}', exit_status=None)
            lab.expect(OTHER, 443, 'tls')
            lab.curl(f'https://{name}/', '--max-time', str(SECONDS), '--data-binary', f'@{path}', exit_status=None)
        elif concurrent:
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
    register_throttle(f'throttle-police-up-{kbit}', f'an upload policed to {kbit} kbit/s', SIGNAL,
                      f'sni={SIGNAL} do police rate={kbit} burst=12000 direction=up', kbit, up=True)
    register_throttle(f'throttle-shape-up-{kbit}', f'an upload shaped to {kbit} kbit/s', WHATSAPP,
                      f'sni={WHATSAPP} do shape rate={kbit} queue=30000 direction=up', kbit, up=True)
    register_throttle(f'throttle-shape-beside-{kbit}', f'shaped to {kbit} kbit/s while another download goes on', BBM,
                      f'sni={BBM} do shape rate={kbit} queue=40000 direction=down', kbit, concurrent=True)
