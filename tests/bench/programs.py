# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: darkline in several ways, its peers, and the floor. And one run of it."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile

PEER = 'ndpiReader -q'
FLOOR = 'pcap_loop'
CUT_PACKETS = 100000  # for programs that take tens of microseconds a packet


class Program:
    """`command(capture, folder)` gives its arguments; `folder` is empty and its own."""

    def __init__(self, name, command, core=None, fine=(0,), package=None, cut=0):
        self.name = name
        self.command = command
        self.core = core        # the one processor it may use; None: any
        self.fine = fine        # exit codes that are no failure
        self.package = package  # Debian's, of a peer
        self.cut = cut          # reads only so many packets of the capture; 0: all


def darkline(options, threads, extra):
    executable = os.path.join(options.build, 'darkline')
    name = ' '.join([f'darkline, {threads} thread' + ('s' if threads > 1 else ''), *extra])

    def command(capture, folder):
        return [executable, 'probe', '--threads', str(threads), '-r', capture, '-w', os.path.join(folder, 'store'),
                *extra]
    return Program(name, command, core=options.core if threads == 1 else None, fine=(0, 3))


def peers(core):
    """nfpcapd alone has several threads and keeps both processors."""
    return [
        Program(PEER, lambda capture, folder: ['ndpiReader', '-i', capture, '-q'], core=core, package='libndpi-bin'),
        Program('ndpiReader -q -e 0', lambda capture, folder: ['ndpiReader', '-i', capture, '-q', '-e', '0'],
                core=core, package='libndpi-bin'),
        Program('nfpcapd', lambda capture, folder: ['nfpcapd', '-r', capture, '-w', folder], package='nfdump'),
        Program('tshark -T fields', lambda capture, folder: ['tshark', '-r', capture, '-T', 'fields', '-e',
                                                             'tls.handshake.extensions_server_name'],
                core=core, package='tshark', cut=CUT_PACKETS),
    ]


def programs(options):
    """All that are wanted and there."""
    floor = os.path.join(options.build, 'tests', 'bench', 'floor')
    found = [Program(FLOOR, lambda capture, folder: [floor, capture], core=options.core), *peers(options.core)]
    for threads in options.threads or (1, 2):
        for extra in (['--all-names'], [], ['--all-names', '--hash']):
            found.append(darkline(options, threads, extra))
    wanted = []
    for program in found:
        if options.only and not any(fnmatch.fnmatch(program.name, f'*{pattern}*') for pattern in options.only):
            continue
        if program.package and not shutil.which(program.command('', '')[0]):
            print(f'bench: no {program.command("", "")[0]} here (package {program.package}): passed over',
                  file=sys.stderr)
            continue
        wanted.append(program)
    return wanted


def folder_size(folder):
    return sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(folder) for name in names)


def measure(options, command, core=None, stdin=subprocess.DEVNULL):
    """One run: a dict of wall, user and system seconds, peak MB, exit code, and what it said last."""
    launcher = os.path.join(options.build, 'tests', 'bench', 'measure')
    with tempfile.TemporaryFile('w+') as said:
        answer = subprocess.run([launcher, '-' if core is None else str(core), *command], stdin=stdin,
                                stdout=subprocess.PIPE, stderr=said, text=True, check=True)
        said.seek(0)
        last = said.read()[-2000:]
    wall, user, system, peak, code = answer.stdout.split()
    return {'wall': float(wall), 'user': float(user), 'system': float(system), 'peak_mb': int(peak) / 1024,
            'code': int(code), 'said': last}


def stored_of(said):
    """Flows stored, as darkline says at its end; None from others."""
    found = re.search(r'(\d+) stored', said)
    return int(found.group(1)) if found else None


def run(options, program, capture):
    """Measures a program on a capture, with a fresh folder for what it writes."""
    with tempfile.TemporaryDirectory(dir=options.cache) as folder:
        result = measure(options, program.command(capture, folder), program.core)
        result['written'] = folder_size(folder)
    result['stored'] = stored_of(result['said'])
    if result['code'] in program.fine:
        del result['said']
    return result
