# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands beside BlackBerry: controls, other messengers, and names that only look like them."""

from cases import case

MESSENGERS = ('chat.signal.org', 'web.whatsapp.com', 'web.telegram.org', 'teams.microsoft.com', 'slack.com',
              'wss-primary.slack.com')
TRAPS = ('xslack.com', 'bbsecure.com.evil.org')


@case('controls', "sites that no order names, and an operating system's connectivity check")
def controls(lab):
    lab.serve_web('www.wikipedia.org', 'www.example.com', 'connectivitycheck.gstatic.com')
    lab.resolver()
    lab.record()
    for url in ('http://connectivitycheck.gstatic.com/generate_204', 'https://www.wikipedia.org/',
                'http://www.example.com/', 'https://www.example.com/'):
        lab.curl(url)
        secure = url.startswith('https')
        lab.expect(url.split('/')[2], 443 if secure else 80, 'tls' if secure else 'http', close='fin')
    lab.stop_recording()


@case('quic', 'QUIC v1 with HTTP/3 to a messenger and to a control',
      ("QUIC: ngtcp2's own client and server, not the messenger's",))
def quic(lab):
    names = ('web.whatsapp.com', 'www.example.com')
    for name in names:
        lab.serve_quic(name)
    lab.resolver()
    lab.record()
    for name in names:
        lab.quic_client(name)
        lab.expect(name, 443, 'quic', transport='udp')
    lab.stop_recording()


@case('messengers', 'the first TLS line of other messengers; two names that merely resemble them',
      ("TLS: real OpenSSL, curl and nginx; not the messengers' own clients, nor what these say",))
def messengers(lab):
    lab.serve_web(*MESSENGERS, *TRAPS)
    lab.resolver()
    lab.record()
    for number, name in enumerate(MESSENGERS + TRAPS):
        lab.curl(f'https://{name}/', '--tls-max', '1.2' if number % 2 else '1.3')
        lab.expect(name, 443, 'tls', close='fin')
    lab.stop_recording()
