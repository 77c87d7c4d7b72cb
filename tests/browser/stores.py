#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Composes the stores whose reports are looked at, one for each thing that a report may have to say.

    stores.py DARKLINE COMPOSE FOLDER [NAME...]

Each is FOLDER/NAME.store; what is there already is kept.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIO = os.path.join(HERE, '..', 'scenario')
OWN = os.path.join(HERE, 'scenarios')
STORES = {
    'order-carried-out': os.path.join(SCENARIO, 'scenarios', 'demonstration.yaml'),
    'order-not-observed': os.path.join(OWN, 'order-not-observed.yaml'),
    'outage': os.path.join(OWN, 'outage.yaml'),
    'nothing-found': os.path.join(OWN, 'nothing-found.yaml'),
    'not-enough-data': os.path.join(OWN, 'not-enough-data.yaml'),
}


def make_stores(darkline, compose, folder, names=tuple(STORES)):
    """The paths of the stores, by name; those missing are made."""
    paths = {name: os.path.join(folder, f'{name}.store') for name in names}
    missing = [name for name in names if not os.path.exists(paths[name])]
    if not missing:
        return paths
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='darkline-stores-', dir=folder) as scratch:
        templates = os.path.join(scratch, 'templates.store')
        subprocess.run([darkline, 'probe', '-q', '-r', os.path.join(SCENARIO, 'templates'), '-w', templates,
                        '--all-names', '--keep-addresses'], check=True)
        for name in missing:
            made = os.path.join(scratch, 'made.store')
            subprocess.run([compose, '--templates', templates, '--seed', '1', '--store', made, STORES[name]],
                           check=True)
            os.replace(made, paths[name])
    return paths


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    for path in make_stores(*sys.argv[1:4], *([sys.argv[4:]] if sys.argv[4:] else [])).values():
        print(path)
