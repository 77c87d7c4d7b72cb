#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does darkline watch show a growing store?  test_watch.py DARKLINE SOURCE

On a pseudo terminal whose screen is kept here as a real one would keep it.
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import (DONE, FAILED, USAGE, Darkline, arguments, check, equal, expect, main, test)  # noqa: E402

DARKLINE = None
DEMO = None
PATIENCE = 8.0


class Screen:
    """As much of a VT100 as ncurses uses: cells, a cursor, erasing."""

    SEQUENCE = re.compile(rb"\x1b\[([?0-9;]*)([A-Za-z@`])|\x1b[()][A-Z0-9]|\x1b[=>78M]|\x1b\][^\x07]*\x07|.", re.DOTALL)

    def __init__(self, width, height):
        self.size(width, height)
        self.rest, self.taken = b"", False
        self.attributes = set()  # every SGR parameter that was ever sent

    def size(self, width, height):
        self.width, self.height, self.x, self.y = width, height, 0, 0
        self.cells = [[" "] * width for _ in range(height)]

    def feed(self, data):
        data = self.rest + data
        cut = data.rfind(b"\x1b", max(0, len(data) - 16))
        whole = re.fullmatch(rb"\x1b(\[[?0-9;]*[A-Za-z@`]|[()][A-Z0-9]|[=>78M]).*", data[cut:], re.DOTALL) \
            if cut >= 0 else True
        self.rest, data = (b"", data) if whole else (data[cut:], data[:cut])
        for match in self.SEQUENCE.finditer(data):
            if match[2]:
                self.control(match[1].decode(), match[2].decode())
            elif len(match[0]) == 1:
                self.put(match[0][0])

    def put(self, byte):
        if byte == 13:
            self.x = 0
        elif byte == 10:
            self.y = min(self.y + 1, self.height - 1)
        elif byte == 8:
            self.x = max(self.x - 1, 0)
        elif byte >= 32:
            if self.x == self.width and not self.taken:  # plain words go on in the next row
                self.put(10)
                self.x = 0
            check(self.x < self.width, f"drawn beyond the right end in row {self.y}: {self.text()}")
            self.cells[self.y][self.x] = chr(byte)
            self.x += 1

    def control(self, parameters, letter):
        numbers = [int(word) if word.isdigit() else 0 for word in parameters.split(";")]
        first, self.taken = numbers[0], True
        if letter in "Hf":
            self.y, self.x = max(first, 1) - 1, max((numbers + [1, 1])[1], 1) - 1
            check(self.y < self.height and self.x < self.width, f"sent to {numbers} of {self.width}x{self.height}")
        elif letter in "ABCD":
            step = max(first, 1)
            self.x += {"C": step, "D": -step}.get(letter, 0)
            self.y += {"B": step, "A": -step}.get(letter, 0)
        elif letter == "d":
            self.y = max(first, 1) - 1
        elif letter in "G`":
            self.x = max(first, 1) - 1
        elif letter == "K":
            start, end = (0, self.x + 1) if first == 1 else (0 if first == 2 else self.x, self.width)
            self.cells[self.y][start:end] = [" "] * (end - start)
        elif letter == "J":
            check(first in (0, 2), f"erasing of kind {first}")
            if first == 0:
                self.control("0", "K")
            for row in range(0 if first == 2 else self.y + 1, self.height):
                self.cells[row] = [" "] * self.width
        elif letter == "X":
            self.cells[self.y][self.x:self.x + max(first, 1)] = [" "] * max(first, 1)
        elif letter == "b":  # the last character again
            for _ in range(first):
                self.put(ord(self.cells[self.y][self.x - 1]))
        elif letter == "m":
            self.attributes.update(numbers)
        else:
            check(letter in "hlrt", f"a sequence this screen does not know: {parameters}{letter}")

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]

    def text(self):
        return "\n".join(self.lines())


class Watch:
    """darkline watch on a terminal; killed at the latest when the `with` ends."""

    def __init__(self, store, *options, size=(80, 24), term="vt100", **environment):
        self.screen = Screen(*size)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": term, **environment})
            time.sleep(0.05)  # until the size is set
            os.execv(DARKLINE.program, [DARKLINE.program, "watch", store, *options])
        self.resize(*size)
        self.raw = b""
        self.code = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def resize(self, width, height):
        self.screen.size(width, height)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds):
        """What comes within so many seconds; False at the end."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.terminal], [], [], left)[0]:
                continue
            try:
                data = os.read(self.terminal, 65536)
            except OSError:
                return False
            if not data:
                return False
            self.raw += data
            self.screen.feed(data)
        return True

    def await_shown(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.screen.text(), re.MULTILINE):
            check(time.monotonic() < deadline, f"not shown: {pattern}: {self.screen.text()}")
            check(self.read(0.1) or re.search(pattern, self.screen.text()), f"it ended: {self.screen.text()}")

    def press(self, keys):
        os.write(self.terminal, keys)

    def end(self):
        deadline = time.monotonic() + PATIENCE
        while self.code is None:
            check(time.monotonic() < deadline, "it did not end")
            self.read(0.02)
            pid, how = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(how)
        return self.code


def demo_store(folder):
    store = os.path.join(folder, "demo.store")
    expect(DARKLINE.run("probe", "-r", DEMO, "-w", store), DONE)
    return store


def check_layout(lines, width, height):
    equal(len(lines), height, "rows")
    check(all(len(line) <= width for line in lines), f"too wide: {lines}")
    check(lines[0].startswith("darkline watch  demo.store"), f"title {lines[0]!r}")
    check(lines[0].endswith("UTC  q quits"), f"title {lines[0]!r}")
    check("Mpps" in lines[1] and "lost 0" in lines[1], f"line {lines[1]!r}")
    check("flows" in lines[2] and "clients" in lines[2], f"sum {lines[2]!r}")
    head = next(i for i, line in enumerate(lines) if line.startswith("SERVICE"))
    rows = []
    for line in lines[head + 1:]:
        if not line:
            break
        rows.append(line.split())
    failed = [int(row[3]) for row in rows]
    check(len(failed) >= 4 and failed == sorted(failed, reverse=True), f"not sorted by failures: {failed}")
    mechanisms = next(i for i, line in enumerate(lines) if line.startswith("MECHANISM"))
    counts = [int(line.split()[1]) for line in lines[mechanisms + 1:] if line and not line.startswith("...")]
    check(len(counts) >= 3 and counts == sorted(counts, reverse=True), f"mechanisms not sorted: {counts}")
    equal(sum(failed), sum(counts), "failures by service and by mechanism")


@test
def layout(folder):
    """At 80x24 and 200x50, and changed from one to the other; q quits."""
    store = demo_store(folder)
    for size in ((80, 24), (200, 50)):
        with Watch(store, "--minutes", "0", size=size) as watch:
            watch.await_shown("^MECHANISM")
            watch.read(0.3)
            check_layout(watch.screen.lines(), *size)
            equal("LAST" in watch.screen.text(), size[0] > 110, "the wide column")
            watch.press(b"q")
            equal(watch.end(), DONE, "exit code")
    with Watch(store, "--minutes", "0") as watch:
        watch.await_shown("^MECHANISM")
        watch.resize(200, 50)
        watch.await_shown("LAST")
        watch.read(0.3)
        check_layout(watch.screen.lines(), 200, 50)
        watch.resize(30, 5)
        watch.await_shown("^darkline watch")
        watch.read(0.3)
        watch.press(b"q")
        equal(watch.end(), DONE, "exit code")


@test
def grows(folder):
    """What is stored while it runs is shown."""
    store = os.path.join(folder, "demo.store")
    line = frames.Line()
    for number in range(4):
        talk = frames.Talk(line, f"198.51.100.{number + 1}", 50001 + number, "76.223.92.165", 443)
        talk.send(frames.CLIENT, frames.client_hello("chat.signal.org"))
        talk.send(frames.CLIENT, flags=frames.RST)
    late = frames.Line(line.now + 120_000_000)
    late.udp("198.51.100.1", 40000, "192.0.2.7", 40000, b"x")
    probe = DARKLINE.start("probe", "-r", "-", "-w", store)
    try:
        probe.stdin.write(frames.pcap(line.frames[:5]) + frames.pcap(late.frames)[24:])
        probe.stdin.flush()
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(store + "-wal"):
            check(time.monotonic() < deadline, "no store")
            time.sleep(0.05)
        time.sleep(1.5)
        with Watch(store, "--minutes", "0") as watch:
            watch.await_shown(r"^signal +1 ")
            later = frames.Line(late.now + 400_000_000)
            for number in range(3):
                talk = frames.Talk(later, f"198.51.100.{number + 1}", 51001 + number, "76.223.92.165", 443)
                talk.send(frames.CLIENT, frames.client_hello("chat.signal.org"))
                talk.send(frames.CLIENT, flags=frames.RST)
            last = frames.Line(later.now + 120_000_000)
            last.udp("198.51.100.1", 40000, "192.0.2.7", 40000, b"x")
            probe.stdin.write(frames.pcap(later.frames)[24:] + frames.pcap(last.frames)[24:])
            probe.stdin.flush()
            watch.await_shown(r"^signal +4 ")
            os.kill(watch.pid, signal.SIGTERM)
            equal(watch.end(), DONE, "exit code after SIGTERM")
    finally:
        probe.communicate(timeout=PATIENCE)
    equal(probe.returncode, DONE, "exit code of the probe")


@test
def colours(folder):
    """None where NO_COLOR is set; the numbers are there without them."""
    store = demo_store(folder)
    for environment, coloured in (({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)):
        with Watch(store, "--minutes", "0", term="xterm-256color", **environment) as watch:
            watch.await_shown("^MECHANISM")
            used = {number for number in watch.screen.attributes if 30 <= number <= 37 or 40 <= number <= 47}
            equal(bool(used), coloured, f"colours {used} with {environment}")
            watch.press(b"q")
            equal(watch.end(), DONE, "exit code")


@test
def without_a_terminal(folder):
    """One plain table, why, and exit 0; the same by --once, and where the terminal is of no known kind."""
    store = demo_store(folder)
    piped = expect(DARKLINE.run("watch", store, "--minutes", "0"), DONE, "no terminal here")
    once = expect(DARKLINE.run("watch", store, "--minutes", "0", "--once"), DONE)
    equal(once.err, "", "said with --once")
    equal(once.out, piped.out, "the two tables")
    check("tcp.timeout" in once.out and "blackberry-bes" in once.out, once.out)
    with Watch(store, term="no-such-terminal") as watch:
        equal(watch.end(), DONE, "exit code")
        check(b"unknown kind" in watch.raw and b"SERVICE" in watch.raw, f"said: {watch.raw}")


@test
def shows_nobody(folder):
    """No client's pseudonym, no host name, no address; and no number of one or two clients."""
    store = demo_store(folder)
    flows = DARKLINE.flows(store)
    shown = DARKLINE.run("watch", store, "--once", "--minutes", "0").out + DARKLINE.run("watch", store, "--once").out
    words = {flow["host"] for flow in flows} | {flow["client"] for flow in flows} | {flow["server"] for flow in flows}
    words = {word for word in words if isinstance(word, str)}
    check(len(words) > 20, f"too little to look for: {json.dumps(flows[0])}")
    for word in words:
        check(word not in shown and word.split(":")[0] not in shown, f"shown: {word}")
    few = DARKLINE.run("watch", store, "--once", "--until", flows[2]["start"]).out
    check(", <3 clients" in few and "2 flows" in few, f"few clients: {few}")


@test
def what_is_no_store(folder):
    expect(DARKLINE.run("watch", os.path.join(folder, "missing")), FAILED, "missing")
    expect(DARKLINE.run("watch"), USAGE, "--help")
    with Watch(os.path.join(folder, "missing")) as watch:
        equal(watch.end(), FAILED, "exit code")
        check(b"missing" in watch.raw and b"\x1b" not in watch.raw, f"drawn: {watch.raw}")


if __name__ == "__main__":
    program, source = arguments("DARKLINE", "SOURCE")
    DARKLINE, DEMO = Darkline(program), os.path.join(source, "pcaps") + os.sep
    sys.exit(main())
