#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks what is drawn for a case: the same for the same seed, and never what the case is about. Needs no root."""

import ipaddress
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vary import FAMILIES, HELD_OUT, Variation  # noqa: E402

SEEDS = range(1, 200)
RESET = 'r when sni=a.org do reset pass=yes to=client delay-ms=2 ttl=61 ip-id=own df=no window=8192'


def parts(rule):
    """(conditions, parameters) of one rule."""
    _, when, what = re.fullmatch(r'(\S+) when (.*) do \S+ ?(.*)', rule).groups()
    return [dict(pair.split('=', 1) for pair in part.split()) for part in (when, what)]


class Varying(unittest.TestCase):
    def drawn(self, rule, case='a-case'):
        return [(variation := Variation(seed, case), parts(variation.rules(rule))[1]) for seed in SEEDS]

    def test_same_seed_same_rule(self):
        self.assertEqual(Variation(5, 'a').rules(RESET), Variation(5, 'a').rules(RESET))
        self.assertNotEqual(Variation(5, 'a').rules(RESET), Variation(6, 'a').rules(RESET))
        self.assertNotEqual(Variation(5, 'a').rules(RESET), Variation(5, 'b').rules(RESET))

    def test_every_family_and_bounds(self):
        seen = set()
        for variation, what in self.drawn(RESET):
            seen.add(variation.family)
            self.assertTrue(15 <= 2 * variation.delay_ms <= 120)
            self.assertTrue(0.3 <= float(what['delay-ms']) <= min(9, variation.delay_ms))
            self.assertTrue(1 <= int(what['count']) <= 4)
            self.assertEqual(what['ttl'], str(variation.fields['ttl']))
        self.assertEqual(seen, {*FAMILIES, *HELD_OUT})

    def test_held_out_has_what_no_family_has(self):
        for variation, what in self.drawn(RESET):
            looks = {key: re.sub(r'\d+', '', what.get(key, '')) for key in ('ttl', 'ip-id', 'window')}
            special = ('body' in what or what.get('seq-step') or looks['ttl'] in ('copy-', 'copy+', 'mirror-')
                       or looks['window'] == 'mirror')
            self.assertEqual(bool(special), variation.family in HELD_OUT, what)

    def test_late_stays_late(self):
        late = RESET.replace('delay-ms=2', 'delay-ms={round_trip}')
        for _, what in self.drawn(late):
            self.assertEqual([what['delay-ms'], what['pass'], what['to']], ['{round_trip}', 'yes', 'client'])
        for _, what in self.drawn('r when port=1 age=2 do reset pass=yes ttl=61', 'srp-rst-later'):
            self.assertNotIn('delay-ms', what)
            self.assertEqual(what['pass'], 'yes')

    def test_refusal_of_a_syn_keeps_its_kind(self):
        for _, what in self.drawn('r when port=3101 transport=tcp server=10.78.1.10 do reset flags=rst+ack ttl=61'):
            self.assertEqual(what['flags'], 'rst+ack')
            self.assertNotIn('pass', what)

    def test_answers_stay_of_their_kind(self):
        rule = 'd when dns=a.org do dns-answer addresses={} pass=yes ttl=61'
        for address in ('10.78.1.12', '127.0.0.1'):
            for _, what in self.drawn(rule.format(address)):
                self.assertEqual(what['addresses'], address)
        for variation, what in self.drawn(rule.format('10.10.34.36,fd00:10::36')):
            four, six = what['addresses'].split(',')
            self.assertEqual(variation.private, [four, six])
            self.assertFalse(ipaddress.ip_address(four).is_global or ipaddress.ip_address(six).is_global)
            self.assertEqual(what['pass'], 'yes')
        for _, what in self.drawn(rule.format('31.13.94.37')):
            self.assertTrue(ipaddress.ip_address(what['addresses']).is_global)

    def test_pages(self):
        rule = 'p when host=a.org do page page={} fin=yes then=rst gap-ms=2 ttl=61'
        self.assertEqual({what['page'] for _, what in self.drawn(rule.format('redirect'))}, {'redirect'})
        self.assertEqual({what['page'] for _, what in self.drawn(rule.format('status'), 'page-fin')},
                         {'status', 'bare', 'forbidden', 'iframe'})

    def test_others_stay(self):
        for text in ('# nobody interferes', 'd when sni=a.org do drop', 'n when transport=tcp do normalise'):
            self.assertEqual({Variation(seed, 'a').rules(text) for seed in SEEDS}, {text})


if __name__ == '__main__':
    unittest.main()
