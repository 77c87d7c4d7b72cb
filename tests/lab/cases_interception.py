# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS ended by a proxy on the carrier's side, and honest servers whose certificates look odd.

Each service is visited on the straight way first and last, so that the certificate it has otherwise is in the same
capture. The proxy's connections onward are not.
"""

from authority import Authority
from cases import TLS_SYNTHETIC
from cases_interference import SIGNAL, UEM, WHATSAPP, box_case
from house import carriers_proxy, divert, start_proxy, straight_again
from lab import CONTROL_HOST, UNSAID

PROXY_SYNTHETIC = 'the interception: a proxy of our own (tests/lab/proxies.py), with the Python library\'s TLS'
REFUSES, ACCEPTS = (), ('--insecure',)
CURL_REFUSED = 60
OWN_UEM = 'uem.example.net'
PATIENCE = ('--max-time', '6')
TWO, THREE = ('--tls-max', '1.2'), ('--tlsv1.3',)


def interceptors_certificate(lab, name, kind):
    """Where the proxy's certificates are, and the name of the one that it shows."""
    maker = Authority(f'{lab.folder}/interceptor', '/O=Interception Ltd/CN=Interception Ltd root')
    if kind == 'other-name':
        maker.issue('gateway.example.net')
        return maker.folder, 'gateway.example.net'
    maker.issue(name, signed_by_itself=kind == 'self-signed')
    return maker.folder, name


def visit(lab, name, version, *options, port=443, exit_status=0, **more):
    lab.curl(f'https://{name}:{port}/', *PATIENCE, *version, *options, exit_status=exit_status)
    lab.expect(name, port, 'tls', **{'outcome': 'ok' if exit_status == 0 else 'failed', 'attribution': None, **more})


def register_interception(identity, description, name, kind, version, mechanism, visited_before=True):
    @box_case(identity, description, PROXY_SYNTHETIC)
    def play(lab):
        lab.serve_web(name, CONTROL_HOST)
        lab.resolver()
        lab.interfere('# the line is honest: who intercepts is a proxy beside the router')
        proxy = carriers_proxy(lab)
        folder, shown = interceptors_certificate(lab, name, kind)
        start_proxy(lab, proxy, 'resigner', 443, folder=folder, name=shown)
        lab.record()
        if visited_before:
            visit(lab, name, version)
            visit(lab, name, version)
        lab.pause(0.3)  # until the last packets of these have passed
        divert(lab, 443, lab.host(name))
        told = {'mechanism': mechanism, 'attribution': 'third-party', 'intercepted': kind}
        # In TLS 1.3 all that a tap sees of a refusal is that little was said.
        refused = 'failed' if version == TWO else UNSAID
        named = {} if version == TWO else {'mechanism': UNSAID}
        visit(lab, name, version, *REFUSES, exit_status=CURL_REFUSED, **told | {'outcome': refused} | named)
        visit(lab, name, version, *ACCEPTS, **told)
        visit(lab, CONTROL_HOST, version)
        lab.pause(0.3)
        straight_again(lab, 443, lab.host(name))
        if visited_before:
            visit(lab, name, version)
        lab.stop_recording()
    return play


SELF_SIGNED, CA_SIGNED = 'tls.mitm.self_signed', 'tls.mitm.ca_signed'
register_interception('mitm-other-name', "a proxy ends TLS 1.2 and shows another name's certificate", SIGNAL,
                      'other-name', TWO, CA_SIGNED)
register_interception('mitm-self-signed', 'a proxy ends TLS 1.2 with a self-signed certificate for the right name',
                      WHATSAPP, 'self-signed', TWO, SELF_SIGNED)
register_interception('mitm-resigned', 'a proxy ends TLS 1.2 with a certificate by an authority of its own', SIGNAL,
                      'resigned', TWO, CA_SIGNED)
register_interception('mitm-resigned-unseen', 'the same, and nobody saw the true certificate before', WHATSAPP,
                      'resigned', TWO, CA_SIGNED, visited_before=False)
register_interception('mitm-self-signed-13', 'TLS 1.3: the certificate is encrypted, and nothing can be known', SIGNAL,
                      'self-signed', THREE, None)
register_interception('mitm-resigned-13', 'TLS 1.3 with a resigning proxy: nothing can be known', WHATSAPP, 'resigned',
                      THREE, None)


def serve_with(lab, name, port, certificate):
    lab.serve('proxies:tls-server', name, port, certificate=certificate[0], key=certificate[1])


def register_odd(identity, description, name, port, make, *synthetic, refusal='failed'):
    """A server whose own certificate no client likes: one refuses, one accepts, and nobody sits between.

    A client may look at the name only once the handshake is over: `refusal` is then unsaid.
    """
    @box_case(identity, description, *synthetic)
    def play(lab):
        serve_with(lab, name, port, make(lab))
        lab.serve_control()
        lab.resolver()
        lab.interfere('# nobody interferes')
        lab.record()
        for version in (TWO, THREE):
            refused = {'outcome': refusal} if version == TWO else {'outcome': UNSAID, 'mechanism': UNSAID}
            visit(lab, name, version, *REFUSES, port=port, exit_status=CURL_REFUSED, ends='client', **refused)
            visit(lab, name, version, *ACCEPTS, port=port, ends='endpoint')
        visit(lab, CONTROL_HOST, TWO)
        lab.stop_recording()
    return play


register_odd('innocent-expired', "the true server's certificate has expired", SIGNAL, 443,
             lambda lab: lab.authority.issue(SIGNAL, '-expired', ended='20151101000000Z'))
register_odd('innocent-self-signed', 'a company has its own server, with a self-signed certificate', OWN_UEM, 443,
             lambda lab: lab.authority.issue(OWN_UEM, '-itself', signed_by_itself=True))
register_odd('innocent-own-authority', "a company's own authority signed for its own server", OWN_UEM, 443,
             lambda lab: Authority(f'{lab.folder}/company', '/O=Some Company/CN=Some Company CA').issue(OWN_UEM))
register_odd('innocent-cdn-name', "the service's own content network shows its own name's certificate", WHATSAPP, 443,
             lambda lab: lab.authority.issue('mmx-ds.cdn.whatsapp.net'), refusal=UNSAID)
register_odd('innocent-uem-private', "BlackBerry's relay by name, with a certificate of a private authority", UEM, 3101,
             lambda lab: Authority(f'{lab.folder}/company', '/O=Some Company/CN=Some Company CA').issue(UEM),
             TLS_SYNTHETIC)


@box_case('innocent-renewed', 'a service changes its authority: later visits see another issuer, and both are good')
def renewed(lab):
    other = Authority(f'{lab.folder}/other', '/O=Another Trust/CN=Another Trust R1')
    first = lab.serve('proxies:tls-server', SIGNAL, 443,
                      **dict(zip(('certificate', 'key'), lab.authority.issue(SIGNAL))))
    lab.serve_control()
    lab.resolver()
    lab.interfere('# nobody interferes')
    lab.record()
    visit(lab, SIGNAL, TWO)
    visit(lab, SIGNAL, TWO)
    lab.processes.end(first)
    serve_with(lab, SIGNAL, 443, other.issue(SIGNAL))
    for _ in range(2):
        lab.curl(f'https://{SIGNAL}/', *PATIENCE, *TWO, '--cacert', other.certificate)
        lab.expect(SIGNAL, 443, 'tls', attribution=None)
    visit(lab, CONTROL_HOST, TWO)
    lab.stop_recording()
