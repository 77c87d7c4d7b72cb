# SPDX-License-Identifier: GPL-3.0-or-later
"""What darkline says of a composed store, laid beside what is true of it."""

import collections
import datetime
import json
import math
import os
import statistics
import subprocess

LEAST_VOICE_HOURS = 10  # an event of fewer need not be found
NEAR = 6 * 3600         # seconds that a claim may lie beside the truth and still be about it
WEEK = 7 * 86400
RATES = (0.5, 2, 5, 12, math.inf)  # attempts an hour, upper ends
EXIT_SKIP = 77

# What a technique may be called.
FAMILIES = {
    'sni-rst': ('tls.reset',), 'sni-rst-in-path': ('tls.reset',), 'sni-rst-late': ('tls.reset',),
    'balancer-rst': ('tls.reset',), 'endpoint-rst': ('tls.reset', 'stream.reset', 'http.reset'),
    'endpoint-alert': (None,), 'expired': (None,), 'sni-drop': ('tls.timeout',), 'srp-drop': ('stream.timeout',),
    'srp-rst': ('stream.reset',), 'syn-drop': ('tcp.timeout',), 'syn-rst': ('tcp.refused',),
    'syn-icmp': ('ip.unreachable',), 'endpoint-closed': ('tcp.refused',), 'dns-page': ('dns.injection',),
    'dns-nxdomain': ('dns.nxdomain',), 'dns-drop': ('dns.timeout',), 'dead': ('dns.timeout', 'tcp.timeout'),
    'page-fin': ('http.blockpage',), 'police-150': ('tls.throttle', 'stream.throttle'),
}


def seconds(text):
    if text is None:
        return None
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


def has_analyze(darkline):
    done = subprocess.run([darkline, 'analyze', '--help'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False)
    return done.returncode == 0


def analyze(darkline, stores):
    done = subprocess.run([darkline, 'analyze', *stores, '--json'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    if done.returncode:
        raise RuntimeError(f'analyze {" ".join(stores)}: exit status {done.returncode}: '
                           f'{done.stderr.decode(errors="replace")[-400:]}')
    return json.loads(done.stdout)


def family_of(mechanism):
    return '.'.join(mechanism.split('.')[:2]) if mechanism else None


def families(expected):
    if expected['family']:
        return {expected['family']}
    named = {family for how in expected['how'] for family in FAMILIES.get(how, ())}
    return named | ({None} if expected['class'] in ('shutdown', 'outage', 'withdrawn') else set())


class Claim:
    """An event that darkline reports."""

    def __init__(self, event):
        self.event = event
        self.kind, self.carrier, self.service = event['class'], event['carrier'], event['service']
        self.earliest, self.latest = (seconds(event['onset'][key]) for key in ('earliest', 'latest'))
        end = event['end'] or {}
        self.end_earliest, self.end_latest = seconds(end.get('earliest')), seconds(end.get('latest'))
        self.alarm = seconds(event.get('alarm')) or self.latest

    def text(self):
        onset, end = self.event['onset'], self.event['end']
        return (f'{self.kind} {self.carrier} {self.service or "all"} {self.event["grade"]} {self.event["scope"]} '
                f'{self.event["mechanism"]} onset {onset["earliest"]}..{onset["latest"]} '
                f'end {end and end["earliest"]}..{end and end["latest"]}: {self.event["explanation"]}')


class Truth:
    """An event that is to be found."""

    def __init__(self, expected, last):
        self.expected = expected
        shift = expected['clock_error']
        self.onset, self.end = seconds(expected['onset']) + shift, seconds(expected['end'])
        self.end = None if self.end is None else self.end + shift
        self.until = last if self.end is None else self.end
        self.kinds = {expected['class'], *expected['accept']}
        enough = expected['voice_hours'] >= LEAST_VOICE_HOURS or expected['vanish']
        self.required = enough and not expected['optional']

    def concerns(self, claim):
        """Is it about the same line, service and time?"""
        ends = claim.end_latest or math.inf
        return (claim.carrier == self.expected['carrier']
                and self.expected['service'] in (None, claim.service)
                and claim.latest <= self.until + NEAR and ends >= self.onset - NEAR)

    def agrees(self, claim):
        return self.concerns(claim) and claim.kind in self.kinds and claim.service == self.expected['service']

    def exceeds(self, claim):
        """Does it say more than anybody could know?"""
        ceiling = self.expected['ceiling']
        return (ceiling is not None and claim.event['grade'] == 'confirmed') or \
               (ceiling == 'line' and claim.event['scope'] != 'line')

    def onset_right(self, claim):
        if self.expected['first_sight']:
            return claim.earliest is None
        return claim.earliest is not None and claim.earliest <= self.onset <= claim.latest

    def end_right(self, claim):
        if self.end is None or claim.end_latest is None:
            return self.end is None and claim.end_latest is None
        return claim.end_earliest <= self.end <= claim.end_latest

    def delay(self, claim):
        """Attempts from the onset to the alarm; None where more than the truth kept."""
        after, times = claim.alarm - self.onset, self.expected['seconds_to_attempts']
        if times and after > times[-1] and len(times) < self.expected['attempts']:
            return None
        return sum(time <= after for time in times)

    def rate(self):
        hours = max(1, (self.until - self.onset) / 3600)
        return self.expected['attempts'] / hours

    def text(self):
        expected = self.expected
        return (f'{expected["class"]} {expected["carrier"]} {expected["service"] or "all"} by {expected["how"]} '
                f'share {expected["share"]} from {expected["onset"]} to {expected["end"]}: '
                f'{expected["met"]} of {expected["attempts"]} attempts, {expected["voice_hours"]} voice-hours')


def quiet_weeks(truth, events):
    """Carrier-service-weeks without anything that is to be found."""
    start = seconds(truth['from'])
    pairs = {(line['carrier'], line['service']) for line in truth['lines'] if line['attempts']}
    whole = 0
    for carrier, service in pairs:
        for number in range(truth['days'] // 7):
            first = start + number * WEEK
            whole += not any(event.expected['carrier'] == carrier and event.expected['service'] in (None, service)
                             and event.onset < first + WEEK and event.until > first for event in events)
    return whole


def judge(truth, report):
    """One run's result, plain enough for JSON."""
    last = seconds(truth['to'])
    events, claims = [Truth(one, last) for one in truth['events']], [Claim(one) for one in report['events']]
    result = {'scenario': truth['scenario'], 'seed': truth['seed'], 'pair': truth['pair'], 'events': [], 'false': [],
              'wrong_class': [], 'splinters': [], 'excessive': [], 'quiet_weeks': quiet_weeks(truth, events)}
    used = set()
    for event in events:
        fitting = [claim for claim in claims if event.agrees(claim) and id(claim) not in used]
        best = min(fitting, key=lambda claim: abs(claim.latest - event.onset), default=None)
        row = {'required': bool(event.required), 'truth': event.text(), 'found': best is not None,
               'class': event.expected['class'], 'share': event.expected['share'], 'rate': event.rate(),
               'first_sight': event.expected['first_sight'], 'vanish': event.expected['vanish'],
               'said': sorted(claim.kind for claim in claims if event.concerns(claim))}
        if best:
            used.add(id(best))
            row |= {'claim': best.text(), 'family': family_of(best.event['mechanism']) in families(event.expected)
                    or not families(event.expected),
                    'onset': event.onset_right(best), 'end': event.end_right(best), 'ends': event.end is not None,
                    'width': None if best.earliest is None else (best.latest - best.earliest) / 3600,
                    'end_width': (best.end_latest - best.end_earliest) / 3600 if best.end_latest else None,
                    'delay': event.delay(best)}
            if event.exceeds(best):
                result['excessive'].append(best.text())
        result['events'].append(row)
    for claim in claims:
        about = [event for event in events if event.concerns(claim)]
        if id(claim) in used:
            continue
        if not about:
            result['false'].append(claim.text())
        elif any(claim.kind in event.kinds or event.expected['service'] is None for event in about):
            result['splinters'].append(claim.text())
        else:
            result['wrong_class'].append(claim.text())
    result['orders'] = [[order['id'], one['carrier'], one['verdict']] for order in report['orders']
                        for one in order['carriers'] if order['id'] == truth['order']]
    return result


def verdict_of(result):
    """'right' or what is wrong first."""
    for row in result['events']:
        if row['required'] and not row['found']:
            return 'missed'
    for key in ('false', 'wrong_class', 'excessive', 'splinters'):
        if result[key]:
            return key.replace('_', ' ')
    if any(row['found'] and not row['family'] for row in result['events']):
        return 'mechanism'
    return 'right'


# ---- many runs ----

def share_text(good, of):
    return f'{good}/{of}' + (f' ({100 * good / of:.1f} %)' if of else '')


def bound(false, weeks):
    """Upper 95 % bound of a Poisson rate: three over the weeks where nothing was seen, else by doubling in."""
    if not weeks:
        return math.inf
    low, high = 0.0, 10.0 + 4 * false
    for _ in range(60):
        middle = (low + high) / 2
        below = math.exp(-middle) * sum(middle ** k / math.factorial(k) for k in range(min(false, 100) + 1))
        low, high = (middle, high) if below > 0.05 else (low, middle)
    return high / weeks


def print_totals(results, say):
    rows = [row for result in results for row in result['events']]
    required = [row for row in rows if row['required']]
    found = [row for row in required if row['found']]
    seen = [row for row in found if not row['first_sight']]
    # absence has its onset from the last attempt on, which says when nobody came, not when it was switched off
    timed = [row for row in seen if not row['vanish']]
    ended = [row for row in timed if row['ends']]
    hourly = [row['width'] for row in timed if row['rate'] >= 1 and row['width'] is not None]
    false, weeks = sum(len(result['false']) for result in results), sum(result['quiet_weeks'] for result in results)
    say(f'runs: {len(results)}; right in every respect: {sum(verdict_of(result) == "right" for result in results)}')
    say(f'events of {LEAST_VOICE_HOURS} failing voice-hours or more: found with class, carrier and service '
        f'{share_text(len(found), len(required))}; mechanism family right '
        f'{share_text(sum(row["family"] for row in found), len(found))}')
    say(f'onset interval holds the truth: {share_text(sum(row["onset"] for row in timed), len(timed))}; at most 12 h '
        f'wide at one attempt an hour or more: {share_text(sum(width <= 12 for width in hourly), len(hourly))}'
        + (f', median {statistics.median(hourly):.2f} h' if hourly else ''))
    say(f'end interval holds the truth: {share_text(sum(row["end"] for row in ended), len(ended))}; no end claimed '
        f'where there was none: '
        f'{share_text(sum(row["end"] for row in timed if not row["ends"]), len(timed) - len(ended))}')
    say(f'false events: {false} in {weeks} quiet carrier-service-weeks, with 95 % at most '
        f'{1000 * bound(false, weeks):.2f} in 1,000')
    for key, text in (('wrong_class', 'of another class'), ('splinters', 'beside the right one'),
                      ('excessive', 'that say more than can be known')):
        say(f'events {text}: {sum(len(result[key]) for result in results)}')


def print_delays(results, say):
    table = collections.defaultdict(list)
    for result in results:
        for row in result['events']:
            if row['found'] and not row['first_sight'] and not row['vanish'] and row['delay'] is not None:
                bucket = next(index for index, end in enumerate(RATES) if row['rate'] <= end)
                table[row['share'], bucket].append(row['delay'])
    names = ['up to 0.5', '0.5-2', '2-5', '5-12', 'more']
    say('\ndetection delay in attempts, median (events), by share blocked and attempts an hour')
    say(f'{"share":>8}' + ''.join(f'{name:>16}' for name in names))
    for share in sorted({share for share, _ in table}, reverse=True):
        cells = [table.get((share, index), []) for index in range(len(names))]
        say(f'{share:>8.0%}' + ''.join(f'{f"{statistics.median(cell):.0f} ({len(cell)})" if cell else "-":>16}'
                                       for cell in cells))


def print_scenarios(results, say):
    by_name = collections.defaultdict(list)
    for result in results:
        by_name[result['scenario']].append(result)
    say(f'\n{"scenario":26}{"runs":>5}{"right":>6}{"to find":>8}{"found":>6}{"false":>6}{"wrong class":>12}')
    for name, group in sorted(by_name.items()):
        rows = [row for result in group for row in result['events'] if row['required']]
        say(f'{name:26}{len(group):>5}{sum(verdict_of(result) == "right" for result in group):>6}{len(rows):>8}'
            f'{sum(row["found"] for row in rows):>6}{sum(len(result["false"]) for result in group):>6}'
            f'{sum(len(result["wrong_class"]) for result in group):>12}')


def print_pairs(results, say):
    """Twins: a run with something to find, and one without or with something else."""
    pairs = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    for result in results:
        if result['pair']:
            wanted = ' '.join(sorted({row['class'] for row in result['events'] if row['required']})) or 'nothing'
            said = sorted({kind for row in result['events'] for kind in row['said']}
                          | {'false ' + text.split()[0] for text in result['false']})
            pairs[result['pair']][result['scenario'], wanted][' '.join(said) or 'nothing'] += 1
    say('\ntwins: what is true, and what was said (runs)')
    for pair, scenarios in sorted(pairs.items()):
        columns = sorted({said for counts in scenarios.values() for said in counts})
        say(f'{pair + ":":44}' + ' | '.join(columns))
        for (name, wanted), counts in sorted(scenarios.items()):
            say(f'  {f"{name} ({wanted})":42}' + ' | '.join(f'{counts[said]:>{len(said)}}' for said in columns))


def print_failures(results, say):
    say('')
    for result in results:
        name = f'{result["scenario"]} seed {result["seed"]}'
        for row in result['events']:
            if row['required'] and not row['found']:
                say(f'MISSED   {name}: {row["truth"]}; said there: {", ".join(row["said"]) or "nothing"}')
            elif row['found'] and not row['family']:
                say(f'FAMILY   {name}: {row["truth"]}; claimed: {row["claim"]}')
            elif row['found'] and row['required'] and not row['vanish'] and not (row['onset'] and row['end']):
                say(f'INTERVAL {name}: {row["truth"]}; claimed: {row["claim"]}')
        for key, word in (('false', 'FALSE'), ('wrong_class', 'CLASS'), ('splinters', 'SPLINTER'),
                          ('excessive', 'EXCESS')):
            for text in result[key]:
                say(f'{word:8} {name}: {text}')


def print_all(results, say=print):
    results = sorted(results, key=lambda result: (result['scenario'], result['seed']))
    print_totals(results, say)
    print_delays(results, say)
    print_scenarios(results, say)
    print_pairs(results, say)
    print_failures(results, say)


def score_folder(darkline, folder):
    """A folder with TRUTH.json and a store, or captures, which are probed first."""
    with open(os.path.join(folder, 'TRUTH.json'), encoding='utf-8') as file:
        truth = json.load(file)
    stores = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith('.store'))
    if not stores:
        stores = [os.path.join(folder, 'probed.store')]
        subprocess.run([darkline, 'probe', '-r', folder, '-w', stores[0]], check=True, stderr=subprocess.DEVNULL)
    return judge(truth, analyze(darkline, stores))
