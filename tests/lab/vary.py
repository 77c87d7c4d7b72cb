# SPDX-License-Identifier: GPL-3.0-or-later
"""Other injectors than the written ones, drawn from the seed, on lines of other lengths.

A case keeps what it is about: who is struck, by what, at which moment, what passes where that is its point. What it
looks like is drawn: the injector's family and its fields, haste, copies, addresses, rates. Families whose name is in
HELD_OUT have a feature that no written case has: no rule can have been made to fit them.
"""

import ipaddress
import random
import re

RULE = re.compile(r'(\S+) when (.*?) do (\S+)\s*(.*)')
FIELDS = ('ttl', 'ip-id', 'df', 'window', 'timestamps')
HASTE_MS = (0.3, 9)  # what an injector takes; never more than half a round trip
SHARE = (0.3, 1.1)   # of what a bad line's case has written
PRIVATE = ('10.10.34.36', '10.1.0.0/16', '192.168.0.0/16', '172.16.0.0/12', '127.0.0.0/8', '100.64.0.0/10',
           '169.254.0.0/16', '0.0.0.0')
PRIVATE6 = ('fd00:10::/64', 'fe80::/64', '::1')
ELSEWHERE = ('31.13.64.0/18', '104.244.40.0/21', '199.59.148.0/22', '69.63.176.0/20', '108.160.160.0/20')

# Keys that a case must keep, for they are what it is about. Pages and forged answers always keep `pass`.
PINNED = {
    'sni-rst-on-path': ('pass',), 'sni-rst-in-path': ('pass',), 'sni-rst-mirror-in-path': ('pass',),
    'sni-rst-late': ('pass', 'to'), 'sni-rst-goes-on': ('pass', 'to'),
    'sni-rst-server': ('pass', 'to'),
    'sni-rst-residual': ('pass', 'to', 'flags'), 'rst-64k-mirror': ('pass', 'to'), 'srp-rst-later': ('pass',),
    'rst-64k': ('pass',), 'innocent-mapping-reset': ('pass', 'to', 'flags', 'count'),
}
KINDS_OF_PAGE = dict.fromkeys(('page-fin', 'page-on-path', 'page-mirror'), ('status', 'bare', 'forbidden', 'iframe'))
PLAINEST = ('innocent-mapping-reset',)  # a translator is no chameleon


def first_ttl(dice):
    return dice.choice((64, 128, 255)) - dice.randint(1, 24)


def yes(dice):
    return dice.choice(('yes', 'no'))


def fixed_ttl(dice):
    return {'ttl': first_ttl(dice), 'ip-id': dice.choice(('own', dice.randint(1, 65535))), 'df': yes(dice),
            'window': dice.choice((0, 229, 512, 8192, 16384, 65535))}


def gfw_one(dice):
    return {'ttl': dice.randint(40, 230), 'ip-id': 0, 'df': 'no', 'window': dice.choice((0, 4096))}


def gfw_two(dice):
    return {'ttl': 'random', 'ip-id': 'random', 'df': 'yes', 'window': 'ttl+1375'}


def copy_client(dice):
    return {'ttl': first_ttl(dice), 'ip-id': dice.choice(('mirror', 'mirror+1')), 'df': yes(dice),
            'window': dice.choice((0, 8192))}


def at_random(dice):
    return {'ttl': 'random', 'ip-id': 'random', 'df': yes(dice), 'window': 'random', 'redraw': yes(dice)}


def mirror(dice):
    return {'ttl': 'copy', 'ip-id': dice.choice(('copy', 'copy+1')), 'df': 'copy', 'window': 'copy',
            'timestamps': 'yes'}


def other_end(dice):
    return {'ttl': 'mirror', 'ip-id': 'mirror', 'df': 'copy', 'window': 65535}


def beside_server(dice):
    """The server's TTL but for one, its IP-ID but for a leap."""
    return {'ttl': dice.choice(('copy-1', 'copy+1')), 'ip-id': f'copy+{dice.randint(300, 30000)}', 'df': 'copy',
            'window': 'copy', 'timestamps': yes(dice)}


def client_window(dice):
    """The client's own window sent back to it, and the server's TTL."""
    return {'ttl': dice.choice(('copy', 'copy-2', 'copy+2')), 'ip-id': 'own', 'df': 'copy', 'window': 'mirror'}


def worded(dice):
    """A reset with a text in it."""
    return {'ttl': dice.choice(('copy', first_ttl(dice))), 'ip-id': dice.choice(('own', 'random')), 'df': yes(dice),
            'window': dice.choice((0, 'copy')), 'body': dice.randint(1, 300)}


def stepping(dice):
    """Copies one sequence number further each, from a TTL that is the client's but for some."""
    return {'ttl': f'mirror-{dice.randint(3, 12)}', 'ip-id': 'copy-1', 'df': 'copy', 'window': dice.randint(1, 65535),
            'seq-step': 1, 'count': dice.randint(2, 4)}


FAMILIES = {'fixed-ttl': fixed_ttl, 'gfw-one': gfw_one, 'gfw-two': gfw_two, 'copy-client': copy_client,
            'random': at_random, 'mirror': mirror, 'other-end': other_end}
HELD_OUT = {'beside-server': beside_server, 'client-window': client_window, 'worded': worded, 'stepping': stepping}
RESETS_ONLY = ('redraw', 'body', 'seq-step', 'count')


def drawn_address(dice, networks):
    network = ipaddress.ip_network(dice.choice(networks))
    return network[dice.randrange(1, network.num_addresses - 1)] if network.num_addresses > 2 else network[0]


class Variation:
    """One case's: its line and its injector."""

    def __init__(self, seed, case):
        self.case, self.dice = case, random.Random(f'{seed} {case}')
        self.delay_ms = round(self.dice.uniform(7.5, 60), 1)  # one way
        self.hops = self.dice.randint(3, 24)
        every = {**FAMILIES, **HELD_OUT}
        self.family = 'fixed-ttl' if case in PLAINEST else self.dice.choice(sorted(every))
        self.fields = every[self.family](self.dice)
        self.private = []  # drawn answers that belong into the capture

    def line(self, options):
        """Options of the middlebox: those of a bad line vary."""
        return {key: round(value * self.dice.uniform(*SHARE), 4) if key in ('loss', 'reorder', 'duplicate', 'jitter_ms')
                else value for key, value in options.items()}

    def rules(self, text):
        return '\n'.join(self.rule(line) for line in text.split('\n'))

    def rule(self, text):
        found = RULE.fullmatch(text)
        if not found:
            return text
        name, conditions, action, rest = found.groups()
        when, what = (dict(pair.split('=', 1) for pair in part.split()) for part in (conditions, rest))
        before = dict(what)
        change = {'reset': self.reset, 'page': self.page, 'dns-answer': self.answer, 'dns-rcode': self.answer,
                  'icmp': self.icmp, 'police': self.slow, 'shape': self.slow, 'drop': self.freeze}.get(action)
        if change:
            change(when, what)
        what |= {key: before[key] for key in PINNED.get(self.case, ()) if key in before}
        for key in PINNED.get(self.case, ()):
            if key not in before:
                what.pop(key, None)
        parts = [' '.join(f'{key}={value}' for key, value in part.items()) for part in (when, what)]
        return f'{name} when {parts[0]} do {action} {parts[1]}'.rstrip()

    def take_looks(self, what, only=FIELDS):
        for key in FIELDS:
            what.pop(key, None)
        what |= {key: value for key, value in self.fields.items() if key in only}

    def take_haste(self, when, what):
        """Later in a flow a delay would make a reset miss its place, and a late injector stays late."""
        if '{' in what.get('delay-ms', '') or any(key in when for key in ('age', 'idle', 'down')):
            return
        what['delay-ms'] = round(self.dice.uniform(HASTE_MS[0], min(HASTE_MS[1], self.delay_ms)), 2)

    def reset(self, when, what):
        dice = self.dice
        at_syn = not any(key in when for key in ('sni', 'host', 'payload', 'age', 'idle', 'down', 'at'))
        late = '{' in what.get('delay-ms', '')  # where the server itself may answer, who gets what is the point
        rising = 'seq-step' in what or what.get('ack') == 'rising'
        what['count'] = dice.randint(2 if rising else 1, 4)
        what['gap-ms'] = round(dice.uniform(0.05, 2), 2)
        self.take_looks(what, FIELDS + (('redraw', 'body') if rising else RESETS_ONLY))
        self.take_haste(when, what)
        if not at_syn and not late:  # at a SYN a kernel believes only one kind, and the case says which
            what['flags'] = dice.choice(('rst', 'rst+ack', 'alternate'))
            what['pass'] = yes(dice)
            what['to'] = dice.choice(('client', 'both'))

    def page(self, when, what):
        what['page'] = self.dice.choice(KINDS_OF_PAGE.get(self.case, (what['page'],)))
        if what.get('fin') == 'yes' and what.get('pass') != 'yes':
            what['then'] = self.dice.choice(('nothing', 'rst'))
            what['gap-ms'] = round(self.dice.uniform(0.5, 3), 2)
            what['to'] = self.dice.choice(('client', 'both'))
        self.take_looks(what, FIELDS + ('body',))
        self.take_haste(when, what)

    def answer(self, when, what):
        self.take_looks(what, ('ttl', 'ip-id', 'df'))
        self.take_haste(when, what)
        what['dns-flags'] = self.dice.choice(('0x8180', '0x8580', '0x8080', '0x8480'))
        addresses = what.get('addresses', '').split(',')
        if addresses != ['']:
            what['record-ttl'] = self.dice.randint(5, 7200)
            what['addresses'] = ','.join(self.drawn_answer(address) for address in addresses)

    def drawn_answer(self, written):
        """Of the same kind as the written one: a portal and a loopback stay, private stays private."""
        address = ipaddress.ip_address(written)
        if '10.78.' in written or address.is_loopback:
            return written
        if address.is_private:
            drawn = drawn_address(self.dice, PRIVATE if address.version == 4 else PRIVATE6)
            self.private.append(str(drawn))
            return str(drawn)
        return str(drawn_address(self.dice, ELSEWHERE))

    def icmp(self, when, what):
        self.take_looks(what, ('ttl', 'ip-id', 'df'))

    def slow(self, when, what):
        what['rate'] = self.dice.randint(64, 450)  # the download takes seven seconds at least
        for key, bounds in (('burst', (8000, 24000)), ('queue', (15000, 60000))):
            if key in what:
                what[key] = self.dice.randint(*bounds)

    def freeze(self, when, what):
        if 'down' in when:
            when['down'] = self.dice.randint(12 * 1024, 24 * 1024)
