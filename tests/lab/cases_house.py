# SPDX-License-Identifier: GPL-3.0-or-later
"""Third parties in the subscriber's own house: a portal, a filter, a company's proxy. They treat many names alike, and
a control among them.

The recording is then a subscriber's own: the router behind it is the one in the house. `innocent: near-client`.
"""

from authority import Authority
from cases_interception import ACCEPTS, CA_SIGNED, PROXY_SYNTHETIC, THREE, TWO
from cases_interference import BBM, SIGNAL, WHATSAPP, box_case, control_works
from house import box_in_house, carriers_proxy, divert, divert_to_router, resolver_in_house, start_proxy, straight_again
from lab import CONTROL_HOST, UNSAID

SUBSCRIBER = {'position': 'subscriber'}
INNOCENT = {'innocent': 'near-client', 'attribution': 'third-party'}
NAMES = (SIGNAL, WHATSAPP, BBM)
WIKIPEDIA, PORTAL = 'www.wikipedia.org', 'portal.example.net'
CURL_SSL = 35
PATIENCE = ('--max-time', '6')
# What the router in the house sends itself: a TTL of 64 at the recording, and at once.
ROUTER = 'delay-ms=0.2 ttl=65 ip-id=0 df=yes window=0'
FARTHER = 'delay-ms=0.4 ttl=64 ip-id=own df=yes window=0'


def visit_all(lab, *names):
    """Often enough for the servers' round trips to be known."""
    for name in names * 4:
        lab.curl(f'http://{name}/', *PATIENCE)
        lab.expect(name, 80, 'http', close='fin', attribution=None)


def register_portal(identity, description, in_router):
    @box_case(identity, description, PROXY_SYNTHETIC)
    def portal(lab):
        lab.vantage |= SUBSCRIBER
        lab.serve_web(*NAMES, WIKIPEDIA, PORTAL, CONTROL_HOST)
        lab.resolver()
        lab.interfere('# the line is honest: the portal is in the house')
        place = lab.topology.router if in_router else carriers_proxy(lab, 0.1)
        start_proxy(lab, place, 'portal', 80, to=f'http://{PORTAL}/login')
        start_proxy(lab, place, 'resetter', 443)
        lab.record()
        control_works(lab)
        visit_all(lab, SIGNAL, WIKIPEDIA)
        lab.pause(0.3)
        for port in (80, 443):  # the session is over
            (divert_to_router if in_router else divert)(lab, port)
        for name in (CONTROL_HOST, SIGNAL, WHATSAPP, WIKIPEDIA):
            lab.curl(f'http://{name}/generate_204')
            lab.expect(name, 80, 'http', UNSAID, 'http.redirect', **INNOCENT)
        for name in (*NAMES, WIKIPEDIA):
            lab.curl(f'https://{name}/', *PATIENCE, exit_status=CURL_SSL)
            lab.expect(name, 443, 'tls', 'failed', 'tls.reset.sni', 'reset', **INNOCENT)
        lab.pause(0.3)
        for port in (80, 443):  # somebody has logged in
            straight_again(lab, port)
        control_works(lab)
        lab.stop_recording()
    return portal


register_portal('house-portal', "the house's router is a captive portal: it ends every connection itself", True)
register_portal('house-portal-farther', 'the same by a machine one hop behind the router', False)


def register_filter(identity, description, fingerprint):
    """SNI by SNI, several services and a control, once its hours begin: a parents' filter, or one against malware."""
    @box_case(identity, description)
    def filtering(lab):
        lab.as_written = True
        lab.vantage |= SUBSCRIBER
        lab.serve_web(*NAMES, WIKIPEDIA, CONTROL_HOST)
        lab.resolver()
        lab.interfere('# not yet')
        lab.record()
        control_works(lab)
        for name in (SIGNAL, WIKIPEDIA) * 4:  # of BBM's server nothing is known before
            lab.curl(f'https://{name}/')
            lab.expect(name, 443, 'tls', close='fin', attribution=None)
        lab.pause(0.3)
        lab.interfere('\n'.join(f'filter when sni={name} do reset flags=rst+ack pass=no to=both {fingerprint}'
                                for name in (SIGNAL, BBM, WIKIPEDIA)))
        for name in (SIGNAL, BBM, WIKIPEDIA):
            lab.curl(f'https://{name}/', *PATIENCE, exit_status=CURL_SSL)
            lab.expect(name, 443, 'tls', 'failed', 'tls.reset.sni', 'reset', **INNOCENT)
        lab.curl(f'https://{WHATSAPP}/')
        lab.expect(WHATSAPP, 443, 'tls', close='fin', attribution=None)
        lab.stop_recording()
    return filtering


register_filter('house-filter-rst', "the house's router resets TLS by name", ROUTER)
register_filter('house-filter-rst-farther', 'the same by a machine one hop behind the router', FARTHER)


@box_case('house-filter-inside', "a filter in the house before the carrier's recording resets TLS by name: seen are "
                                 "its packets to the servers alone")
def filter_inside(lab):
    lab.serve_web(*NAMES, WIKIPEDIA, CONTROL_HOST)
    lab.resolver()
    lab.interfere('# the line is honest: the filter is in the house')
    rules = [f'filter when sni={name} do reset flags=rst+ack pass=no to=both ttl=64 ip-id=0 df=yes window=0'
             for name in (SIGNAL, WIKIPEDIA)]
    rules += [f'late when sni={BBM} do reset flags=rst pass=yes to=both ttl=64 ip-id=own df=yes window=0 delay-ms=1']
    box_in_house(lab, '\n'.join(rules))
    lab.record()
    control_works(lab)
    for name in (SIGNAL, WIKIPEDIA, BBM):
        lab.curl(f'https://{name}/', *PATIENCE, exit_status=CURL_SSL)
        lab.expect(name, 443, None, UNSAID, UNSAID, host=UNSAID, role=UNSAID, certainty_at_least=UNSAID,
                   innocent='near-client')
    lab.curl(f'https://{WHATSAPP}/')
    lab.expect(WHATSAPP, 443, 'tls', close='fin', attribution=None)
    lab.stop_recording()


def register_dns_filter(identity, description, action, mechanism):
    @box_case(identity, description, resolver_options='options timeout:1 attempts:2')
    def dns_filter(lab):
        lab.as_written = True
        lab.vantage |= SUBSCRIBER
        for name in (*NAMES, WIKIPEDIA):
            lab.host(name)
        lab.serve_control()
        lab.resolver()
        lab.interfere('\n'.join(f'filter when dns={name} qtype=A do {action} delay-ms=0.2 ttl=65 ip-id=0 df=yes'
                                for name in (SIGNAL, BBM, WIKIPEDIA)))
        lab.record()
        control_works(lab)
        for _ in range(4):
            lab.lookup(WHATSAPP)
        for name in (SIGNAL, BBM, WIKIPEDIA):
            lab.lookup(name)
            lab.expect_question(name, mechanism, innocent='near-client')
        lab.lookup(WHATSAPP)
        lab.stop_recording()
    return dns_filter


register_dns_filter('house-dns-zero', "the house's router answers questions with 0.0.0.0 in the resolver's name",
                    'dns-answer addresses=0.0.0.0', 'dns.injection.bogon')
register_dns_filter('house-dns-nxdomain', "the house's router answers questions with NXDOMAIN in the resolver's name",
                    'dns-rcode rcode=nxdomain', 'dns.nxdomain')


@box_case('house-resolver', "the house's router is the resolver, and answers for some names with 0.0.0.0 or NXDOMAIN")
def house_resolver(lab):
    lab.vantage |= SUBSCRIBER
    for name in (*NAMES, WIKIPEDIA):
        lab.host(name)
    lab.serve_control()
    lab.resolver()
    lab.interfere('# the line is honest: the resolver is in the house')
    resolver_in_house(lab, f'--address=/{SIGNAL}/0.0.0.0', f'--address=/{WIKIPEDIA}/0.0.0.0', f'--address=/{BBM}/')
    lab.record()
    control_works(lab)
    for name in (SIGNAL, WIKIPEDIA, BBM):
        lab.lookup(name)
        lab.expect_question(name, 'dns.nxdomain' if name == BBM else 'dns.injection.bogon', by='resolver',
                            innocent='near-client')
    lab.lookup(WHATSAPP)
    lab.stop_recording()


@box_case('house-company-proxy', "a company's proxy signs every certificate anew; its clients know its authority",
          PROXY_SYNTHETIC)
def company_proxy(lab):
    lab.vantage |= SUBSCRIBER
    names = (SIGNAL, WHATSAPP, WIKIPEDIA, CONTROL_HOST)
    lab.serve_web(*names)
    lab.resolver()
    lab.interfere('# the line is honest: the proxy is in the house')
    company = Authority(f'{lab.folder}/company', '/O=Some Company/CN=Some Company inspection CA')
    for name in names:
        company.issue(name)
    start_proxy(lab, lab.topology.router, 'resigner', 443, folder=company.folder, name=SIGNAL)
    divert_to_router(lab, 443)
    lab.record()
    for version, mechanism in ((TWO, CA_SIGNED), (THREE, None)):
        for name in names:
            lab.curl(f'https://{name}/', *PATIENCE, *version, *ACCEPTS)
            lab.expect(name, 443, 'tls', 'ok', mechanism, **INNOCENT)
    lab.stop_recording()
