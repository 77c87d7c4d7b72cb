# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of cases, and what a case is: a function that is given a lab, records, and declares what it recorded."""

from typing import Callable, NamedTuple


class Case(NamedTuple):
    id: str
    description: str
    play: Callable
    synthetic: tuple
    carrier: str
    resolver_options: str
    group: str


CASES = {}

# groups: what works or fails by itself; what a box between does; what tests/scenario composes of
GROUND, INTERFERENCE, TEMPLATE = 'ground', 'interference', 'template'

SRP_SYNTHETIC = 'SRP: order of messages and kinds of proof as BlackBerry documents them, all bytes and framing our own'
ROUTER_SYNTHETIC = 'Router protocol on 4101: random bytes; a real Router stands inside the enterprise, not here'
ADDRESSES_SYNTHETIC = 'server addresses: somewhere in blocks of AS18705; which one a name had is not documented'
TLS_SYNTHETIC = "TLS to BlackBerry's names: real OpenSSL at both ends, what is said inside is not BlackBerry's"


def case(identity, description, synthetic=(), carrier='ptcl', resolver_options='', group=GROUND):
    def register(play):
        CASES[identity] = Case(identity, description, play, tuple(synthetic), carrier, resolver_options, group)
        return play
    return register
