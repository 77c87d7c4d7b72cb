#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe that watches for a long time, and what befalls it.  soak.py DARKLINE [MINUTES]

Between two namespaces conversations go over a wire at a steady rate, each with a client port of its own, among other
packets that are nobody's. The probe is told to end and begun again, killed, its interface goes down and comes back, its
disk is full and is freed. Every few seconds a reader notes what it finds in the store: what was there once must be
there at the end, whatever happened; and what went over the wire while the probe watched must be there too. Memory is
noted all the time.

The machine's clock is nobody's to change, and a time namespace does not move the clock that packets are stamped with:
clocks that jump are given in a capture, through standard input.

Needs root; everything it makes goes when it ends. MINUTES may be a fraction; one minute is in the test suite, ten are
for a change that touches the live path, the store or memory.
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
CLI = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli")
sys.path.insert(0, CLI)

# pylint: disable=wrong-import-position
import frames  # noqa: E402
import test_live  # noqa: E402
from harness import DONE, FAILED, SKIPPED, Darkline, Failure, check, equal, expect, is_sound, query  # noqa: E402
from test_live import Wire, await_true, read  # noqa: E402

FIRST_PORT, PORTS = 1024, 64000
CONVERSATIONS_MOST = 100  # a second
BACKGROUND = 2000  # packets a second that are nobody's
DISK = 64 << 20
MEMORY = "64M"
RESIDENT_MOST = 96 << 20  # with the program itself, SQLite's cache and the kernel's ring
BUFFER = "8M"
WAL_SECONDS = 400  # how long 16 MB of it may last
LONG_SECONDS = 300  # from here on a soak waits for that
FULL_SECONDS = 10
SETTLED = 3.0  # seconds from a packet to its row: a tag is promised in two
PORTS_SEEN = ("SELECT f.client_port FROM flows f JOIN strings s ON s.id = f.service WHERE s.text = 'signal' "
              f"AND f.client_port >= {FIRST_PORT}")


# ---- the sender: a process of its own in its namespace ----

def conversation(number):
    line = frames.Line()
    talk = frames.Talk(line, "198.51.100.7", FIRST_PORT + number, "76.223.92.165", 443)
    talk.send(frames.CLIENT, frames.client_hello("chat.signal.org"))
    talk.send(frames.SERVER, b"\x16\x03\x03\x00\x04\x02\x00\x00\x00")
    talk.send(frames.CLIENT, flags=frames.FIN | frames.ACK)
    talk.send(frames.SERVER, flags=frames.FIN | frames.ACK)
    talk.send(frames.CLIENT, flags=frames.ACK)
    return [data for _, data in line.frames]


def send(interface, log_path, rate):
    """Until it is told to end. The log: when, how many conversations were over by then."""
    nobody = frames.Line()
    nobody.udp("198.51.100.9", 40000, "192.0.2.7", 40000, bytes(200))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out, open(log_path, "a", encoding="utf-8") as log:
        out.bind((interface, 0))
        begin, number, others = time.monotonic(), 0, 0
        while number < PORTS:
            passed = time.monotonic() - begin
            while number < passed * rate:
                for data in conversation(number):
                    with contextlib.suppress(OSError):  # the wire is down
                        out.send(data)
                number += 1
            while others < passed * BACKGROUND:
                with contextlib.suppress(OSError):
                    out.send(nobody.frames[0][1])
                others += 1
            print(f"{time.time():.3f} {number}", file=log, flush=True)
            time.sleep(0.02)


# ---- the soak ----

class Watch(test_live.Watch):
    """A probe of tap0 whose words do not go to the small disk."""

    def __init__(self, wire, store, said):  # pylint: disable=super-init-not-called
        self.out_path, self.err_path = said + ".out", said + ".err"
        command = ["ip", "netns", "exec", wire.watcher, test_live.DARKLINE.program, "probe", "-i", "tap0", "-w", store,
                   "--memory", MEMORY, "--buffer", BUFFER]
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        wire.processes.append(self.process)


class Soak:
    def __init__(self, folder, wire, minutes):
        self.folder, self.wire, self.seconds = folder, wire, minutes * 60
        self.disk = os.path.join(folder, "disk")
        self.store = os.path.join(self.disk, "soak.store")
        self.log = os.path.join(folder, "sent")
        self.acknowledged, self.expected = set(), set()
        self.begin, self.watching_since = time.monotonic(), None
        self.probe = None
        self.resident, self.noted, self.happened = [], 0.0, []

    def say(self, text):
        self.happened.append(text)
        print(f"{time.monotonic() - self.begin:6.1f} s  {text}", flush=True)

    # What was sent

    def sent_between(self, start, end):
        """The conversations that began and ended between these times of the wall clock."""
        first, last = None, 0
        for line in read(self.log).splitlines():
            words = line.split()
            if len(words) != 2:
                continue
            moment, number = float(words[0]), int(words[1])
            if moment <= start:
                first = number
            if moment <= end:
                last = number
        return set(range(first or 0, last))

    # The probe

    def start(self):
        self.probe = Watch(self.wire, self.store, os.path.join(self.folder, "said"))
        self.probe.await_said("watching tap0")
        self.watching_since = time.time() + 0.3

    def owe(self, until):
        """What went over the wire since the probe watched, up to then, must be found at the end."""
        self.expected |= self.sent_between(self.watching_since, until)

    # The store

    def note(self, in_full=False):
        with contextlib.suppress(Exception):  # while a writer begins or ends
            self.acknowledged |= self.ports()
        if self.probe and self.probe.process.poll() is None:
            found = [int(line.split()[1]) << 10 for line in read(f"/proc/{self.probe.process.pid}/status").splitlines()
                     if line.startswith("VmRSS:")]
            self.resident += found
            if found and (in_full or time.monotonic() - self.noted >= 60):
                self.noted = time.monotonic()
                self.say(f"{found[0] / 1e6:.1f} MB resident, {len(self.acknowledged)} conversations in the store")

    def ports(self):
        return {port - FIRST_PORT for port, in query(self.store, PORTS_SEEN)}

    def pass_time(self, share):
        end = time.monotonic() + share * self.seconds
        while time.monotonic() < end:
            check(self.probe is None or self.probe.process.poll() is None, f"it ended: {self.probe.err()}")
            self.note()
            time.sleep(min(2.0, max(end - time.monotonic(), 0)))

    def check_kept(self, where):
        is_sound(self.store)
        lost = self.acknowledged - self.ports()
        check(not lost, f"{where}: {len(lost)} conversations that were there are gone, such as {sorted(lost)[:5]}")

    # What befalls it

    def link_goes_down(self):
        self.owe(time.time() - 0.1)
        self.wire.link("set", "tap0", "down")
        time.sleep(max(1.5, 0.02 * self.seconds))
        check(self.probe.process.poll() is None, f"it ended: {self.probe.err()}")
        self.wire.link("set", "tap0", "up")
        await_true(self.wire.is_up, 8, "the wire to be up again")
        self.watching_since = time.time() + 1.0
        self.say("the interface went down and came back")

    def told_to_end(self):
        self.owe(time.time() - 0.2)
        code = self.probe.stop(signal.SIGTERM)
        equal(code, DONE, f"exit code after SIGTERM ({self.probe.err()})")
        for suffix in ("-wal", "-shm", "-lock", "-temp"):
            check(not os.path.exists(self.store + suffix), f"left: {suffix}")
        self.check_kept("after SIGTERM")
        self.say("told to end: exit 0, one file")
        self.start()

    def killed(self):
        self.note()
        self.owe(time.time() - SETTLED)
        self.probe.stop(signal.SIGKILL)
        self.check_kept("after SIGKILL")
        self.say("killed: all that was acknowledged is there")
        self.start()

    def disk_is_full(self):
        self.note()
        self.owe(time.time() - SETTLED)
        filling = os.path.join(self.disk, "filling")
        with open(filling, "wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(65536))
                file.flush()
        with contextlib.suppress(OSError):
            with open(filling, "ab", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
        # What the WAL has already is written again first: while there is room in it nothing is wrong. A short soak does
        # not wait for that.
        is_long = self.seconds >= LONG_SECONDS
        deadline = time.monotonic() + (WAL_SECONDS if is_long else FULL_SECONDS)
        while "watching goes on" not in self.probe.err() and time.monotonic() < deadline:
            check(self.probe.process.poll() is None, f"it ended on a full disk: {self.probe.err()}")
            self.note()
            time.sleep(0.5)
        noticed = "watching goes on" in self.probe.err()
        check(noticed or not is_long, f"a full disk was not noticed for {WAL_SECONDS} s: {self.probe.err()}")
        os.remove(filling)
        if noticed:
            await_true(lambda: "given again" in self.probe.err(), 30, "the store to take rows again")
        time.sleep(SETTLED)
        check(self.probe.process.poll() is None, f"it ended: {self.probe.err()}")
        self.check_kept("after a full disk")
        self.watching_since = time.time() + 1.0
        self.say(f"the disk was full ({'told' if noticed else 'not yet felt'}) and freed: it went on, and all that was "
                 "acknowledged is there")

    def end(self):
        self.note(in_full=True)
        self.owe(time.time() - 0.2)
        equal(self.probe.stop(signal.SIGTERM), DONE, f"exit code ({self.probe.err()})")
        self.check_kept("at the end")
        missing = self.expected - self.ports()
        lost = query(self.store, "SELECT ifnull(sum(lost), 0) FROM inputs")[0][0]
        check(not missing, f"{len(missing)} of {len(self.expected)} conversations that passed while it watched are "
                           f"missing ({lost} packets lost), such as {sorted(missing)[:10]}")
        check(len(self.expected) > 0.5 * len(self.ports()), f"only {len(self.expected)} were looked for")
        equal(lost, 0, "packets lost")
        third = max(len(self.resident) // 3, 1)
        early, late = max(self.resident[:third]), max(self.resident[-third:])
        check(max(self.resident) < RESIDENT_MOST, f"{max(self.resident) / 1e6:.1f} MB resident")
        check(late < early * 1.3 + (8 << 20), f"it grows: {early / 1e6:.1f} MB early, {late / 1e6:.1f} MB late")
        self.say(f"ended: {len(self.ports())} conversations stored, {len(self.expected)} of them had to be, none lost; "
                 f"at most {max(self.resident) / 1e6:.1f} MB resident, {early / 1e6:.1f} early, {late / 1e6:.1f} late")


def soak(folder, minutes):
    rate = min(CONVERSATIONS_MOST, int(PORTS / (minutes * 60 + WAL_SECONDS)))
    with Wire() as wire:
        this = Soak(folder, wire, minutes)
        os.mkdir(this.disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "darkline-soak", this.disk], check=True)
        try:
            this.start()
            wire.processes.append(subprocess.Popen(
                ["ip", "netns", "exec", wire.sender, sys.executable, os.path.abspath(__file__), "--send", "wire0",
                 this.log, str(rate)]))
            await_true(lambda: os.path.exists(this.log), 8, "the sender")
            this.say(f"{rate} conversations and {BACKGROUND} other packets a second for {minutes:g} minutes")
            for befalls in (this.link_goes_down, this.told_to_end, this.killed, this.disk_is_full, this.link_goes_down):
                this.pass_time(0.16)
                befalls()
            this.pass_time(0.2)
            this.end()
        finally:
            if this.probe and this.probe.process.poll() is None:
                this.probe.process.kill()
                this.probe.process.wait()
            subprocess.run(["umount", this.disk], check=False)


# ---- clocks that jump, in a capture ----

def clock_jumps(folder):
    """An hour ahead, an hour back, a day ahead, 1970, and on: nothing is lost and nothing goes wrong."""
    store, begin = os.path.join(folder, "clock.store"), time.monotonic()
    process = test_live.DARKLINE.start("probe", "-r", "-", "-w", store, "--memory", MEMORY)
    process.stdin.write(frames.PCAP_HEAD)
    number, now = 0, frames.START_US
    for jump_s in (0, 3600, -3600, 86400, -86400, 0, -now // 1_000_000 + 60, now // 1_000_000):
        now += jump_s * 1_000_000
        for _ in range(50):
            for data in conversation(number):
                process.stdin.write(frames.pcap_record(now, data))
                now += 20_000
            number += 1
    _, err = process.communicate(timeout=30)
    equal(process.returncode, DONE, f"exit code ({err.decode()})")
    is_sound(store)
    found = {port - FIRST_PORT for port, in query(store, PORTS_SEEN)}
    equal(found, set(range(number)), "conversations under a clock that jumps")
    print(f"{time.monotonic() - begin:6.1f} s  a capture whose clock jumps by hours, a day and to 1970: all stored",
          flush=True)


def main():
    if len(sys.argv) == 5 and sys.argv[1] == "--send":
        send(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return DONE
    if len(sys.argv) not in (2, 3):
        print(__doc__.split("\n", maxsplit=1)[0], file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("skipped: it needs root, for namespaces and a small disk")
        return SKIPPED
    test_live.DARKLINE = Darkline(sys.argv[1])
    minutes = float(sys.argv[2]) if len(sys.argv) == 3 else 1.0
    folder = tempfile.mkdtemp(prefix="darkline-soak-")
    try:
        clock_jumps(folder)
        soak(folder, minutes)
        expect(test_live.DARKLINE.run("flows", os.path.join(folder, "clock.store")), DONE)
    except Failure as why:
        print(f"FAILED: {why}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
