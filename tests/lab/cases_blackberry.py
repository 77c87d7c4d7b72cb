# SPDX-License-Identifier: GPL-3.0-or-later
"""BlackBerry lines as they work."""

from cases import ADDRESSES_SYNTHETIC, ROUTER_SYNTHETIC, SRP_SYNTHETIC, TLS_SYNTHETIC, case


@case('bes-srp', 'a BES reaches its relay by SRP on 3101: once by address, once after a DNS question',
      (SRP_SYNTHETIC, ADDRESSES_SYNTHETIC))
def bes_srp(lab):
    for name in ('srp-without-name', 'gb.srp.blackberry.com'):
        lab.serve('srp-server', name, 3101)
    lab.resolver()
    lab.record()
    lab.client('srp-client', lab.host('srp-without-name'), 3101, id=f'S{12345677 + lab.seed}')
    lab.expect('srp-without-name', 3101, 'stream', close='fin', certainty='likely', host=False)
    lab.client('srp-client', 'gb.srp.blackberry.com', 3101, id=f'S{87654320 + lab.seed}')
    lab.expect('gb.srp.blackberry.com', 3101, 'stream', close='fin', certainty='likely')
    lab.stop_recording()


@case('bes-uem-tls', 'UEM reaches dispatcher and connectivity host by TLS 1.2 and 1.3 on 3101',
      (TLS_SYNTHETIC, ADDRESSES_SYNTHETIC))
def bes_uem_tls(lab):
    names = ('ca.srp.blackberry.com', 'gb.bbsecure.com')
    for name in names:
        lab.serve_tls(name, 3101)
    lab.resolver()
    lab.record()
    for name in names:
        for version in ('-tls1_2', '-tls1_3'):
            lab.tls_client(name, 3101, version)
            lab.expect(name, 3101, 'tls', close='fin')
    lab.stop_recording()


@case('blackberry-device', 'a handset registers, opens its Secure Connect line, and talks to a Router on 4101',
      (TLS_SYNTHETIC, ROUTER_SYNTHETIC, ADDRESSES_SYNTHETIC))
def blackberry_device(lab):
    lab.serve_web('inet.registration.blackberry.com')
    lab.serve_tls('us.turnd.bbsecure.com', 443)
    lab.serve('opaque-server', 'router-without-name', 4101)
    lab.resolver()
    lab.record()
    lab.curl('https://inet.registration.blackberry.com/')
    lab.expect('inet.registration.blackberry.com', 443, 'tls', close='fin')
    lab.tls_client('us.turnd.bbsecure.com', 443, '-tls1_2')
    lab.expect('us.turnd.bbsecure.com', 443, 'tls', close='fin')
    lab.client('opaque-client', lab.host('router-without-name'), 4101)
    lab.expect('router-without-name', 4101, 'stream', close='fin', certainty='possible', host=False)
    lab.stop_recording()


@case('bbm', "BBM signs in; and the STUN server under BBM's name, which many other programs use, must not count as BBM",
      (TLS_SYNTHETIC, ADDRESSES_SYNTHETIC))
def bbm(lab):
    lab.serve_web('auth2.bbm.blackberry.com')
    lab.serve('stun-server', 'stun.voip.blackberry.com', 3478, 'udp')
    lab.resolver()
    lab.record()
    lab.curl('https://auth2.bbm.blackberry.com/')
    lab.expect('auth2.bbm.blackberry.com', 443, 'tls', close='fin')
    lab.client('stun-client', 'stun.voip.blackberry.com', 3478)
    lab.expect('stun.voip.blackberry.com', 3478, transport='udp')
    lab.stop_recording()


@case('bis', "mail through BIS's relays: SMTP on 25, STARTTLS, TLS 1.2",
      ("SMTP: a small server of our own in Python; names of the relays from public SPF records", ADDRESSES_SYNTHETIC))
def bis(lab):
    names = ('smtp01.bis.na.blackberry.com', 'srs.bis.eu.blackberry.com')
    for name in names:
        certificate, key = lab.authority.issue(name)
        lab.serve('smtp-server', name, 25, banner=name, certificate=certificate, key=key)
    lab.resolver()
    lab.record()
    for name in names:
        lab.tls_client(name, 25, '-starttls', 'smtp', '-name', 'mail.example.com', '-crlf',
                       lines=('ehlo mail.example.com', 'quit'))
        lab.expect(name, 25, close='fin', certainty='likely')
    lab.stop_recording()


@case('dynamics', 'BlackBerry Dynamics (Good) relay and gateway, and a Push Service submission',
      (TLS_SYNTHETIC, ADDRESSES_SYNTHETIC))
def dynamics(lab):
    lab.serve_tls('gdrelay.good.com', 15000)
    lab.serve_web('gdentgw.good.com', 'cp123.pushapi.na.blackberry.com')
    lab.resolver()
    lab.record()
    lab.tls_client('gdrelay.good.com', 15000)
    lab.expect('gdrelay.good.com', 15000, 'tls', close='fin')
    lab.curl('https://gdentgw.good.com/', '--tls-max', '1.2')
    lab.expect('gdentgw.good.com', 443, 'tls', close='fin')
    lab.curl('https://cp123.pushapi.na.blackberry.com/mss/PD_pushRequest', '--http1.1', '--data', 'a push')
    lab.expect('cp123.pushapi.na.blackberry.com', 443, 'tls', close='fin')
    lab.stop_recording()


@case('nosni', 'TLS without SNI on 3101, known by the DNS question before it and, up to TLS 1.2, its certificate',
      (TLS_SYNTHETIC, ADDRESSES_SYNTHETIC))
def nosni(lab):
    lab.serve_tls('gb.bbsecure.com', 3101)
    lab.resolver()
    lab.record()
    for version in ('-tls1_2', '-tls1_3'):
        lab.tls_client('gb.bbsecure.com', 3101, version, '-noservername')
        lab.expect('gb.bbsecure.com', 3101, 'tls', close='fin', certainty='likely')
    lab.stop_recording()


@case('midstream', 'a long-lived SRP line, seen neither from its beginning nor to its end',
      (SRP_SYNTHETIC, ADDRESSES_SYNTHETIC))
def midstream(lab):
    lab.serve('srp-server', 'srp-without-name', 3101)
    client = lab.start_client('srp-client', lab.host('srp-without-name'), 3101, keepalives=14, interval=0.5)
    lab.pause(2)
    lab.record()
    lab.pause(4)
    lab.expect('srp-without-name', 3101, 'stream', close='end-of-capture', certainty='possible', host=False)
    lab.stop_recording()
    lab.finish(client)


@case('ipv6', 'UEM by TLS on 3101, and a control, over IPv6 with AAAA answers',
      (TLS_SYNTHETIC, "the UEM servers' IPv6 addresses: no IPv6 block of BlackBerry's is documented"),
      carrier='nayatel')
def ipv6(lab):
    for name in ('gb.bbsecure.com', 'ca.bbsecure.com'):
        lab.serve_tls(name, 3101, over_ipv6=True)
    lab.serve_web('www.wikipedia.org', over_ipv6=True)
    lab.resolver()
    lab.record()
    for name, version in (('gb.bbsecure.com', '-tls1_2'), ('ca.bbsecure.com', '-tls1_3')):
        lab.tls_client(name, 3101, version)
        lab.expect(name, 3101, 'tls', close='fin', over_ipv6=True)
    lab.curl('https://www.wikipedia.org/')
    lab.expect('www.wikipedia.org', 443, 'tls', close='fin', over_ipv6=True)
    lab.stop_recording()
