# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs inside namespaces: started, awaited for a bounded time, ended by their own id."""

import os
import signal
import socket
import subprocess
import time

READY_WITHIN, ENDS_WITHIN = 10, 5
LISTENING, UDP_BOUND = '0A', '07'


class Interrupted(Exception):
    """The user stopped the run."""


class ProcessTable:
    """All programs of one case. `stop` is an event that ends every wait."""

    def __init__(self, folder, stop):
        self.folder, self.stop = folder, stop
        self.running = []
        self.count = 0

    def start(self, namespace, *command, stdin=subprocess.DEVNULL):
        """Starts a program; what it says goes to files in the case's folder."""
        self.count += 1
        base = os.path.join(self.folder, f'{self.count:02}-{os.path.basename(command[0])}')
        with open(base + '.out', 'wb') as out, open(base + '.err', 'wb') as err:
            # A session of its own: Ctrl-C then reaches `record` alone, which ends the rest in order.
            process = subprocess.Popen(['ip', 'netns', 'exec', namespace, *command], stdin=stdin, stdout=out,
                                       stderr=err, cwd=self.folder, start_new_session=True)
        process.files = (base + '.out', base + '.err')
        self.running.append(process)
        return process

    def pause(self, seconds):
        if self.stop.wait(max(0, seconds)):
            raise Interrupted

    def await_exit(self, process, seconds):
        end = time.monotonic() + seconds
        while process.poll() is None:
            if time.monotonic() > end:
                raise TimeoutError(f'{process.args[4:]} still runs after {seconds} s')
            self.pause(0.02)
        return process.returncode

    def await_condition(self, process, condition, what):
        end = time.monotonic() + READY_WITHIN
        while not condition():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f'{process.args[4:]}: not {what}: {said(process)}')
            self.pause(0.02)

    def await_text(self, process, text):
        self.await_condition(process, lambda: text in said(process), text)

    def await_bound(self, process, address, port, transport='tcp'):
        """Waits until somebody in the process's namespace listens there, without sending a packet."""
        entry, kernel_file = kernel_address(address, port), transport + ('6' if ':' in address else '')
        state = LISTENING if transport == 'tcp' else UDP_BOUND

        def bound():
            try:
                with open(f'/proc/{process.pid}/net/{kernel_file}', encoding='ascii') as file:
                    return any(line.split()[1] == entry and line.split()[3] == state for line in file)
            except OSError:
                return False
        self.await_condition(process, bound, f'listening on {address} {port}')

    def end(self, process, how=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(ENDS_WITHIN)
        if process.stdin:
            process.stdin.close()
        if process in self.running:
            self.running.remove(process)

    def end_all(self):
        for process in list(reversed(self.running)):
            self.end(process)


def said(process):
    text = ''
    for path in process.files:
        with open(path, encoding='utf-8', errors='replace') as file:
            text += file.read()
    return text


def kernel_address(address, port):
    """As /proc/net/tcp writes it: 32-bit words in the machine's own order."""
    packed = socket.inet_pton(socket.AF_INET6 if ':' in address else socket.AF_INET, address)
    words = [packed[at:at + 4][::-1].hex().upper() for at in range(0, len(packed), 4)]
    return f'{"".join(words)}:{port:04X}'
