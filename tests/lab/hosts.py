# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who: the real names and addresses that recordings get, and what darkline should call them.

BlackBerry's names come from its public documents; which address a name had is known for none of them, so these lie
somewhere in the blocks that AS18705 announced. The other services' addresses are in their owners' networks.
"""

from typing import NamedTuple


class Host(NamedTuple):
    address: str
    service: str | None  # None: no messaging service, or a name that only looks like one
    role: str | None
    address6: str | None = None
    alias_of: str | None = None  # the name answers with a CNAME to this one


BES, DEVICE, BBM, BIS = 'blackberry-bes', 'blackberry-device', 'blackberry-bbm', 'blackberry-bis'
CONTROL = 'control'  # a class, not a service: which id the catalog gives a control is not the lab's business

HOSTS = {
    # BES and UEM: servers speak outward to these
    'srp-without-name': Host('68.171.242.18', BES, 'relay'),
    'gb.srp.blackberry.com': Host('93.186.25.40', BES, 'relay'),
    'ca.srp.blackberry.com': Host('68.171.224.60', BES, 'relay'),
    'us.srp.blackberry.com': Host('74.82.73.148', BES, 'relay'),
    'gb.bbsecure.com': Host('93.186.25.33', BES, 'relay', '2600:1f18:3101::33'),
    'ca.bbsecure.com': Host('68.171.224.33', BES, 'relay', '2600:1f18:3101::34'),
    'us.bbsecure.com': Host('74.82.73.150', BES, 'relay'),
    'de.bbsecure.com': Host('93.186.26.33', BES, 'relay'),
    'ru.bbsecure.com': Host('93.186.27.33', BES, 'relay'),
    # handsets
    'us.turnd.bbsecure.com': Host('74.82.73.160', DEVICE, 'relay'),
    'inet.registration.blackberry.com': Host('68.171.232.33', DEVICE, 'signalling'),
    'router-without-name': Host('68.171.243.41', DEVICE, 'relay'),
    'auth2.bbm.blackberry.com': Host('68.171.233.20', BBM, 'signalling'),
    'stun.voip.blackberry.com': Host('68.171.234.78', None, None),
    'smtp01.bis.na.blackberry.com': Host('216.9.248.25', BIS, 'relay'),
    'srs.bis.eu.blackberry.com': Host('193.109.81.25', BIS, 'relay'),
    'gdrelay.good.com': Host('68.171.246.15', 'blackberry-dynamics', 'relay'),
    'gdentgw.good.com': Host('68.171.246.16', 'blackberry-dynamics', 'relay'),
    'cp123.pushapi.na.blackberry.com': Host('68.171.247.80', 'blackberry-push', 'push'),
    # controls
    'www.wikipedia.org': Host('91.198.174.192', CONTROL, 'web', '2620:0:862:ed1a::1', 'text-lb.esams.wikimedia.org'),
    'www.example.com': Host('93.184.216.34', CONTROL, 'web', '2606:2800:220:1:248:1893:25c8:1946'),
    'connectivitycheck.gstatic.com': Host('216.58.208.67', CONTROL, 'web'),
    # other messengers
    'chat.signal.org': Host('76.223.92.165', 'signal', 'signalling'),
    'web.whatsapp.com': Host('157.240.20.52', 'whatsapp', 'web', None, 'mmx-ds.cdn.whatsapp.net'),
    'web.telegram.org': Host('149.154.167.99', 'telegram', 'web'),
    'teams.microsoft.com': Host('52.113.194.132', 'microsoft-teams', 'signalling'),
    'slack.com': Host('3.68.124.95', 'slack', 'signalling'),
    'wss-primary.slack.com': Host('3.68.175.98', 'slack', 'signalling'),
    # where some carriers send those who ask for a blocked name (OONI's list of block page addresses, ooni.pk_3)
    'block.example.net': Host('203.82.48.83', None, None),
    # a company's own server, and the pages of a house's portal
    'uem.example.net': Host('203.82.48.90', None, None),
    'portal.example.net': Host('203.82.48.91', None, None),
    # names that only look like services
    'xslack.com': Host('52.58.78.16', None, None),
    'bbsecure.com.evil.org': Host('52.58.78.17', None, None),
}


def belongs_to(host):
    """The service part of a truth."""
    if host.service == CONTROL:
        return {'class': CONTROL}
    return {'service': host.service, 'role': host.role}


class Carrier(NamedTuple):
    asn: int
    network: str
    prefix: str  # of the subscribers, up to the last number
    resolver: str
    prefix6: str | None = None


CARRIERS = {
    'ptcl': Carrier(17557, 'fixed', '39.49.96.', '39.34.192.53'),
    'jazz': Carrier(45669, 'mobile', '154.80.64.', '154.80.0.53'),
    'nayatel': Carrier(23674, 'fixed', '154.192.128.', '154.192.0.53', '2407:d000:77::'),
}
