# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures that nobody between the ends causes: closed ports, dead hosts, silent servers, tired resolvers."""

from cases import ADDRESSES_SYNTHETIC, TLS_SYNTHETIC, case
from lab import UNSAID

IMPATIENT = 'options timeout:2 attempts:2'
CURL_UNRESOLVED, CURL_TIMEOUT, CURL_SSL_FAILED = 6, 28, 35


@case('fail-tcp', 'a closed port that refuses, and an address where nobody answers', (ADDRESSES_SYNTHETIC,))
def fail_tcp(lab):
    lab.host('ca.srp.blackberry.com')
    lab.topology.forget(lab.host('us.srp.blackberry.com'), 'blackhole')
    lab.serve_control()
    lab.resolver()
    lab.record()
    lab.client('connecting-client', 'ca.srp.blackberry.com', 3101, exit_status=3)
    lab.expect('ca.srp.blackberry.com', 3101, 'tcp', 'failed', 'tcp.refused', 'reset', certainty='likely')
    lab.client('connecting-client', 'us.srp.blackberry.com', 3101, exit_status=3, seconds=10)
    lab.expect('us.srp.blackberry.com', 3101, 'tcp', 'failed', 'tcp.timeout', certainty='likely')
    lab.outlast_silence()
    lab.stop_recording()


@case('fail-tls', 'servers that stay silent after the ClientHello, reset at it, or close at once with FIN',
      (TLS_SYNTHETIC, ADDRESSES_SYNTHETIC))
def fail_tls(lab):
    lab.serve('resetting-server', 'ca.bbsecure.com', 3101)
    lab.serve('closing-server', 'us.bbsecure.com', 3101)
    lab.serve('silent-server', 'gb.bbsecure.com', 3101)
    lab.serve_control()
    lab.resolver()
    lab.record()
    lab.curl('https://ca.bbsecure.com:3101/', exit_status=CURL_SSL_FAILED)
    lab.expect('ca.bbsecure.com', 3101, 'tls', 'failed', 'tls.reset.sni', 'reset', ends='endpoint')
    lab.curl('https://us.bbsecure.com:3101/', exit_status=CURL_SSL_FAILED)
    lab.expect('us.bbsecure.com', 3101, 'tls', 'failed', UNSAID, 'fin', ends='endpoint',
               note='the server closed with FIN before any byte of its own; no word of the vocabulary is asserted')
    lab.curl('https://gb.bbsecure.com:3101/', '--max-time', '11', exit_status=CURL_TIMEOUT)
    lab.expect('gb.bbsecure.com', 3101, 'tls', 'failed', 'tls.timeout', ends='endpoint')
    lab.outlast_silence()
    lab.stop_recording()


@case('fail-dns', 'NXDOMAIN, REFUSED, SERVFAIL, and questions that nobody answers', resolver_options=IMPATIENT)
def fail_dns(lab):
    for name, mode, port in (('ru.bbsecure.com', 'servfail', 5301), ('gb.bbsecure.com', 'silent', 5302)):
        program = lab.endpoint('dns-upstream', '127.0.0.1', port, {'mode': mode})
        upstream = lab.processes.start(lab.topology.internet, *program)
        lab.processes.await_bound(upstream, '127.0.0.1', port, 'udp')
    lab.serve_control()
    lab.resolver('--address=/de.bbsecure.com/', '--server=/ru.bbsecure.com/127.0.0.1#5301',
                 '--server=/gb.bbsecure.com/127.0.0.1#5302')
    lab.record()
    for name in ('de', 'us', 'ru', 'gb'):  # us is refused: the resolver has no upstream for it
        lab.curl(f'https://{name}.bbsecure.com:3101/', exit_status=CURL_UNRESOLVED)
    lab.outlast_silence()
    lab.stop_recording()


@case('fail-icmp', 'port unreachable to a UDP datagram, host unreachable to a SYN', (ADDRESSES_SYNTHETIC,))
def fail_icmp(lab):
    lab.host('stun.voip.blackberry.com')
    lab.topology.forget(lab.host('us.bbsecure.com'), 'unreachable')
    lab.serve_control()
    lab.resolver()
    lab.record()
    lab.client('stun-client', 'stun.voip.blackberry.com', 3478, exit_status=3)
    lab.expect('stun.voip.blackberry.com', 3478, None, 'failed', 'ip.unreachable', transport='udp')
    lab.client('connecting-client', 'us.bbsecure.com', 3101, exit_status=3)
    lab.expect('us.bbsecure.com', 3101, 'tcp', 'failed', 'ip.unreachable', certainty='likely')
    lab.outlast_silence()
    lab.stop_recording()
