# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's captures: composed by compose.c from real ones, once, into a cache folder."""

import glob
import os
import subprocess
import sys

# What number the composer is given, and what ought to come of it: packets, mean length on the wire, flows.
# `a` depends on which captures there are.
SETS = {
    'a': {'number': 15},
    'b': {'number': 1000000, 'packets': 6254869, 'mean': 294, 'flows': 1000000},
    'c': {'number': 40, 'packets': 1000510, 'mean': 1002, 'flows': 40},
    'd': {'number': 60000, 'packets': 1572008, 'mean': 813, 'flows': 60000},
}
TOLERANCE = 0.02
SEED = 1


class Missing(Exception):
    """The real captures are not there."""


def sources(real_data, name):
    """The captures a set is composed of; the same name in two folders is the same capture."""
    if name != 'a':
        return sorted(glob.glob(os.path.join(real_data, 'bench', '*.pcap')))
    by_name = {}
    for folder in sorted(glob.glob(os.path.join(real_data, 'ndpi', '*', 'pcap'))):
        for path in sorted(glob.glob(os.path.join(folder, '*.pcap*'))):
            by_name.setdefault(os.path.basename(path).rsplit('.', 1)[0], path)
    return list(by_name.values())


def command(options, name, path, number):
    """How the composer is called."""
    files = sources(options.real_data, name)
    if not files:
        raise Missing(f'no real captures under {options.real_data}')
    program = os.path.join(options.build, 'tests', 'bench', 'compose')
    return [program, name, path, str(number), str(SEED), *files]


def deviations(name, packets, length):
    """In what a full set is not as stated: (what, is, ought)."""
    ought = SETS[name]
    found = [('packets', packets, ought.get('packets')), ('mean length', length / packets, ought.get('mean'))]
    return [(what, is_, stated) for what, is_, stated in found if stated and abs(is_ / stated - 1) > TOLERANCE]


def write(arguments, path):
    """Composes into `path`, all or nothing; returns (packets, bytes)."""
    print(f'composing {os.path.relpath(path)}', file=sys.stderr, flush=True)
    answer = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    packets, length = (int(word) for word in answer.stdout.split())
    return packets, length


def composed(options, name, number=None):
    """The path of a composed capture, made if it is not in the cache or older than the composer."""
    full = number in (None, SETS[name]['number'])
    number = number or SETS[name]['number']
    path = os.path.join(options.cache, f'{name}.pcap' if full else f'{name}-{number}.pcap')
    part = f'{path}.{os.getpid()}.part'
    arguments = command(options, name, part, number)
    newest = max(os.path.getmtime(file) for file in [arguments[0], *arguments[5:]])
    if os.path.exists(path) and os.path.getmtime(path) >= newest:
        return path
    os.makedirs(options.cache, exist_ok=True)
    packets, length = write(arguments, path)
    for what, is_, stated in deviations(name, packets, length) if full else []:
        raise SystemExit(f'bench: {name}: {what} is {is_:.0f}, stated is {stated}')
    os.replace(part, path)
    return path


def cut(options, capture, packets):
    """The first packets of a capture, in the cache."""
    stem = os.path.splitext(os.path.basename(capture))[0]
    path = os.path.join(options.cache, f'{stem}-first-{packets}.pcap')
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(capture):
        os.makedirs(options.cache, exist_ok=True)
        program = os.path.join(options.build, 'tests', 'bench', 'compose')
        part = f'{path}.{os.getpid()}.part'
        write([program, 'cut', part, str(packets), '0', capture], path)
        os.replace(part, path)
    return path
