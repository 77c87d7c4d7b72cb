#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does darkline watch an interface as it should?  test_live.py DARKLINE

Between two network namespaces a sender puts the lab's packets on a wire and the probe watches its other end. Needs
root; the namespaces are named after this process and deleted whatever happens; every wait is bounded.
"""
import os
import pwd
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import (DAMAGED, DONE, FAILED, NOBODY, SKIPPED, USAGE, Darkline, arguments, check, equal,  # noqa: E402
                     expect, is_sound, main, query, skip, test)

DARKLINE = None
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROMPT = 2.0  # seconds from a packet to its tag, on standard output and in the store
PATIENCE = 8.0  # for what has no promise: starting, stopping
SERVICES = {"signal", "whatsapp", "telegram", "microsoft-teams", "slack"}
TAGGED = ("SELECT s.text, h.text, f.stage, f.packets_up, f.packets_down FROM flows f "
          "JOIN strings s ON s.id = f.service LEFT JOIN strings h ON h.id = f.host")


# ---- the wire ----

def ip(*words):
    done = subprocess.run(["ip", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
                          check=False)
    check(done.returncode == 0, f"ip {' '.join(words)}: {done.stdout.decode()}")
    return done.stdout.decode()


class Wire:
    """Two namespaces and a wire between them; in `with`, so that nothing stays."""

    number = 0

    def __init__(self):
        Wire.number += 1
        self.sender, self.watcher = f"dltest{os.getpid()}-{Wire.number}s", f"dltest{os.getpid()}-{Wire.number}w"
        self.processes = []

    def __enter__(self):
        try:
            for name in (self.sender, self.watcher):
                ip("netns", "add", name)
            ip("link", "add", "wire0", "netns", self.sender, "type", "veth",
               "peer", "name", "tap0", "netns", self.watcher)
            for name, link in ((self.sender, "wire0"), (self.watcher, "tap0")):
                ip("-n", name, "link", "set", link, "addrgenmode", "none", "up")
            await_true(self.is_up, PATIENCE, "the wire to be up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for name in (self.sender, self.watcher):
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL, check=False)

    def is_up(self):
        return "state UP" in ip("-n", self.watcher, "link", "show", "tap0")

    def link(self, *words):
        ip("-n", self.watcher, "link", *words)

    def send(self, path, times=1):
        """Puts a capture's frames on the wire; back when all are sent."""
        subprocess.run(["ip", "netns", "exec", self.sender, sys.executable, os.path.abspath(__file__), "--send",
                        "wire0", path, str(times)], timeout=PATIENCE, check=True)

    def watch(self, store, *options):
        probe = Watch(self, store, options)
        probe.await_said("watching tap0")
        return probe


def send_frames(interface, path, times):
    """The part of this program that runs in the sender's namespace."""
    with open(path, "rb") as file:
        found = [data for _, data in frames.pcap_frames(file.read())]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        for _ in range(times):
            for data in found:
                out.send(data)


# ---- the probe ----

class Watch:
    """A probe of tap0; what it says goes into files, so that nobody waits for anybody."""

    def __init__(self, wire, store, options):
        self.out_path, self.err_path = store + ".out", store + ".err"
        command = ["ip", "netns", "exec", wire.watcher, DARKLINE.program, "probe", "-i", "tap0", "-w", store, *options]
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            # ip runs the program in its own place: the process is darkline's.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        wire.processes.append(self.process)

    def out(self):
        return read(self.out_path)

    def err(self):
        return read(self.err_path)

    def await_said(self, text):
        await_true(lambda: text in self.err() or self.process.poll() is not None, PATIENCE, f"{text!r} to be said")
        check(text in self.err(), f"it ended: {self.err()}")

    def stop(self, number=signal.SIGINT):
        """Told to end: the exit code."""
        self.process.send_signal(number)
        return self.end()

    def end(self):
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return check(False, f"it did not end in {PATIENCE} s: {self.err()}")

    def status(self):
        """/proc/PID/status as a dictionary."""
        lines = read(f"/proc/{self.process.pid}/status").splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def await_true(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, f"waited {seconds} s for {what}")
        time.sleep(0.03)


def services_in(store):
    return {row[0] for row in query(store, TAGGED)}


def await_services(store, seconds=PROMPT):
    await_true(lambda: SERVICES <= services_in(store), seconds, "tags in the store")


def tagged_by_file(folder, path):
    """What probing the file tags, for comparison."""
    store = os.path.join(folder, "file.store")
    expect(DARKLINE.run("probe", "-r", path, "-w", store), DONE)
    return sorted(query(store, TAGGED), key=str)


def lab(name):
    return os.path.join(SOURCE, "pcaps", "lab", name)


def store_in(folder, name="live.store"):
    return os.path.join(folder, name)


# ---- tests ----

@test
def tags_come_promptly(folder):
    """On standard output and in the store within two seconds, while it runs; ended by SIGINT nothing is missing."""
    store = store_in(folder)
    with Wire() as wire:
        probe = wire.watch(store, "--live", "--position", "subscriber")
        wire.send(lab("messengers.pcap"))
        sent = time.monotonic()
        await_true(lambda: SERVICES <= {line.split()[1] for line in probe.out().splitlines()}, PROMPT,
                   "tags on standard output")
        await_services(store, PROMPT - (time.monotonic() - sent))
        flows = DARKLINE.flows(store)
        check(SERVICES <= {flow["service"] for flow in flows}, "flows does not see them while the probe runs")
        equal(probe.stop(), DONE, f"exit code ({probe.err()})")
        check("xslack" not in probe.out(), "a name of nobody is on standard output")
    check(not os.path.exists(store + "-wal") and not os.path.exists(store + "-lock"), "side files are left")
    is_sound(store)
    equal(sorted(query(store, TAGGED), key=str), tagged_by_file(folder, lab("messengers.pcap")), "rows")
    equal(query(store, "SELECT path, complete, lost, position FROM inputs"), [("live:tap0", 1, 0, 1)], "input")
    (packets, lost), = query(store, "SELECT sum(packets), sum(lost) FROM coverage")
    check(packets >= 100 and lost == 0, f"coverage: {packets} packets, {lost} lost")
    check({flow["vantage"]["position"] for flow in DARKLINE.flows(store)} == {"subscriber"}, "vantage")


@test
def tag_before_the_end_of_a_flow(folder):
    """A line that stays open is in the store soon after its first words, not only when it ends."""
    store, line = store_in(folder), frames.Line()
    talk = frames.Talk(line, "198.51.100.7", 50001, "76.223.92.165", 443)
    talk.send(frames.CLIENT, frames.client_hello("chat.signal.org"))
    path = os.path.join(folder, "open.pcap")
    with open(path, "wb") as file:
        file.write(frames.pcap(line.frames))
    with Wire() as wire:
        probe = wire.watch(store)
        wire.send(path)
        await_true(lambda: services_in(store) == {"signal"}, PROMPT, "the tag of an open line in the store")
        equal(probe.stop(signal.SIGTERM), DONE, f"exit code ({probe.err()})")
        equal(probe.out(), "", "standard output without --live")
    equal([flow["close"] for flow in DARKLINE.flows(store)], ["end-of-capture"], "close")


@test
def killed_while_watching(folder):
    """kill -9: what was tagged two seconds ago is in the store."""
    store = store_in(folder)
    with Wire() as wire:
        probe = wire.watch(store)
        wire.send(lab("messengers.pcap"))
        time.sleep(PROMPT)
        probe.stop(signal.SIGKILL)
    check(SERVICES <= {flow["service"] for flow in DARKLINE.flows(store)}, "tags are missing")
    is_sound(store)


def check_dropped(probe, uid):
    status = probe.status()
    for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        equal(int(status[key], 16), 0, f"{key} after the start")
    equal(status["NoNewPrivs"], "1", "NoNewPrivs")
    equal(set(status["Uid"].split()), {str(uid)}, "user")
    equal(status["Groups"], "", "supplementary groups")


@test
def root_is_dropped(folder):
    """To the owner of the store's folder, or --user; where that is root too, its capabilities are gone all the same."""
    theirs = os.path.join(folder, "theirs")
    os.mkdir(theirs)
    os.chown(theirs, NOBODY, NOBODY)
    with Wire() as wire:
        named = ("--user", pwd.getpwuid(NOBODY).pw_name)
        for store, options, uid in ((store_in(folder), (), 0), (store_in(theirs), (), NOBODY),
                                    (store_in(theirs, "named.store"), named, NOBODY)):
            probe = wire.watch(store, *options)
            check_dropped(probe, uid)
            wire.send(lab("messengers.pcap"))
            await_services(store)
            equal(probe.stop(), DONE, f"exit code ({probe.err()})")
            for path in (store, store + ".key"):
                equal(os.stat(path).st_uid, uid, f"owner of {os.path.basename(path)}")
        left = [name for name in os.listdir(theirs) if name.endswith(("-wal", "-shm", "-lock"))]
        equal(left, [], "side files")


@test
def interface_goes_down_and_comes_back(folder):
    """Survived, and the coverage says when nothing could be seen."""
    store = store_in(folder)
    with Wire() as wire:
        probe = wire.watch(store)
        wire.send(lab("quic.pcap"))
        wire.link("set", "tap0", "down")
        time.sleep(1.6)
        check(probe.process.poll() is None, f"it ended: {probe.err()}")
        check(processor_seconds(probe) < 1, "it kept a processor busy")
        wire.link("set", "tap0", "up")
        await_true(wire.is_up, PATIENCE, "the wire to be up again")
        time.sleep(0.8)
        wire.send(lab("messengers.pcap"))
        await_true(lambda: SERVICES <= services_in(store), PROMPT, "tags after the interface is up again")
        equal(probe.stop(), DONE, f"exit code ({probe.err()})")
    spans = query(store, "SELECT link_up, to_us - from_us FROM coverage ORDER BY from_us")
    equal([up for up, _ in spans], [1, 0, 1], f"link in coverage {spans}")
    check(1_000_000 < spans[1][1] < 4_000_000, f"the interface was down for {spans[1][1]} us")


def processor_seconds(probe):
    fields = read(f"/proc/{probe.process.pid}/stat").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@test
def interface_is_deleted(folder):
    """An error that names it; what was seen is kept."""
    store = store_in(folder)
    with Wire() as wire:
        probe = wire.watch(store)
        wire.send(lab("messengers.pcap"))
        await_services(store)
        wire.link("delete", "tap0")
        equal(probe.end(), DAMAGED, f"exit code ({probe.err()})")
        check("tap0: the interface is gone" in probe.err(), f"said: {probe.err()}")
    is_sound(store)
    check(SERVICES <= {flow["service"] for flow in DARKLINE.flows(store)}, "tags are missing")


@test
def losses_are_told(folder):
    """A probe that cannot keep up (here: is stopped for a moment) says how many packets it lost, and exits with 3."""
    store, line = store_in(folder), frames.Line()
    for _ in range(100):
        line.udp("198.51.100.7", 40000, "192.0.2.7", 40000, bytes(1200))
    path = os.path.join(folder, "flood.pcap")
    with open(path, "wb") as file:
        file.write(frames.pcap(line.frames))
    with Wire() as wire:
        probe = wire.watch(store, "--buffer", "512K")
        probe.process.send_signal(signal.SIGSTOP)
        wire.send(path, 200)
        probe.process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        equal(probe.stop(), DAMAGED, f"exit code ({probe.err()})")
        check("packets were lost" in probe.err(), f"said: {probe.err()}")
    (packets, lost), = query(store, "SELECT packets, lost FROM inputs")
    equal(packets + lost, 20000, "packets seen and lost")
    equal(query(store, "SELECT sum(packets), sum(lost) FROM coverage"), [(packets, lost)], "coverage")
    equal(query(store, "SELECT count FROM notes WHERE kind LIKE '%dropped by the kernel%'"), [(lost,)], "note")


@test
def several_threads(folder):
    """With two workers every packet and every tag is there, what a file gives too, and all threads end."""
    store = store_in(folder)
    with Wire() as wire:
        probe = wire.watch(store, "--threads", "2", "--all-names")
        tasks = f"/proc/{probe.process.pid}/task"
        threads = sorted(read(os.path.join(tasks, task, "comm")).strip() for task in os.listdir(tasks))
        check({"worker 0", "worker 1", "writer"} <= set(threads), f"threads {threads}")
        wire.send(lab("messengers.pcap"))
        await_services(store)
        line = frames.many_flows(2000)
        path = os.path.join(folder, "many.pcap")
        with open(path, "wb") as file:
            file.write(frames.pcap(line.frames))
        wire.send(path)
        equal(probe.stop(signal.SIGTERM), DONE, f"exit code ({probe.err()})")
    is_sound(store)
    (packets, lost), = query(store, "SELECT packets, lost FROM inputs")
    equal((packets >= len(line.frames), lost), (True, 0), "packets and losses")
    equal(query(store, "SELECT count(DISTINCT client) FROM flows WHERE host IN (SELECT id FROM strings WHERE text LIKE "
                "'host%.example.net')"), [(2000,)], "clients")


@test
def disk_full_and_freed(folder):
    """A full disk ends nothing: it is told, what is seen is kept, and stored when there is room again."""
    small = os.path.join(folder, "small")
    os.mkdir(small)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], check=False)
    if mounted.returncode:
        skip("cannot mount a small disk")
    try:
        store, filler = os.path.join(small, "live.store"), os.path.join(small, "filler")
        with Wire() as wire:
            probe = wire.watch(store, "--threads", "2")
            fill(filler)
            wire.send(lab("messengers.pcap"))
            probe.await_said("no room left")
            wire.send(lab("quic.pcap"))
            time.sleep(1.5)
            check(probe.process.poll() is None, f"it ended: {probe.err()}")
            check(processor_seconds(probe) < 2, "it kept a processor busy")
            os.unlink(filler)
            probe.await_said("takes what it is given again")
            await_services(store, PATIENCE)
            equal(probe.stop(), DONE, f"exit code ({probe.err()})")
            check(" 0 flows were lost" in probe.err(), f"said: {probe.err()}")
        is_sound(store)
        equal(query(store, "SELECT lost FROM inputs"), [(0,)], "packets lost")
        check(not query(store, "SELECT * FROM notes WHERE kind LIKE '%could not be stored%'"), "flows lost")
        texts = query(store, "SELECT count(*) FROM flows WHERE service IS NOT NULL AND service NOT IN "
                      "(SELECT id FROM strings)")
        equal(texts, [(0,)], "rows whose texts are missing")
    finally:
        subprocess.run(["umount", "-l", small], check=False)


@test
def what_waits_at_the_end(folder):
    """Told to end while the kernel still holds packets, it reads them first, and none that comes later."""
    store, path = store_in(folder), os.path.join(folder, "many.pcap")
    line = frames.many_flows(2000)
    with open(path, "wb") as file:
        file.write(frames.pcap(line.frames))
    with Wire() as wire:
        probe = wire.watch(store, "--threads", "2", "--all-names")
        probe.process.send_signal(signal.SIGSTOP)
        wire.send(path)
        probe.process.send_signal(signal.SIGTERM)
        probe.process.send_signal(signal.SIGCONT)
        equal(probe.process.wait(PATIENCE), DONE, "exit code")
    is_sound(store)
    equal(query(store, "SELECT count(DISTINCT client) FROM flows WHERE host IN (SELECT id FROM strings WHERE text LIKE "
                "'host%.example.net')"), [(2000,)], "clients")
    equal(query(store, "SELECT sum(c.packets) - i.packets, sum(c.lost), i.lost FROM coverage c, inputs i"), [(0, 0, 0)],
          "coverage")


def fill(path):
    """A file that takes all there is."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


@test
def filter_in_the_kernel(folder):
    store = store_in(folder)
    with Wire() as wire:
        probe = wire.watch(store, "-f", "udp port 53")
        wire.send(lab("messengers.pcap"))
        await_true(lambda: SERVICES <= services_in(store), PROMPT, "questions in the store")
        equal(probe.stop(), DONE, f"exit code ({probe.err()})")
    equal({flow["role"] for flow in DARKLINE.flows(store)}, {"dns"}, "roles")


@test
def what_cannot_be_opened(folder):
    """No such interface, a filter that makes no sense, no such user, no right to: each is told."""
    store = store_in(folder)
    expect(DARKLINE.run("probe", "-i", "nosuch0", "-w", store), FAILED, "nosuch0")
    expect(DARKLINE.run("probe", "-i", "a" * 40, "-w", store), FAILED, "a" * 40)
    expect(DARKLINE.run("probe", "-i", "lo", "-w", store, "-f", "frob nicate"), USAGE, "frob nicate")
    expect(DARKLINE.run("probe", "-i", "lo", "-w", store, "--user", "nosuchuser"), FAILED, "nosuchuser")
    theirs = os.path.join(folder, "theirs")
    os.mkdir(theirs)
    os.chown(theirs, NOBODY, NOBODY)
    try:
        expect(DARKLINE.run("probe", "-i", "lo", "-w", store_in(theirs), nobody=True), FAILED, "lo: ", "permi")
    except OSError:
        skip("darkline lies where other users cannot run it")


def can_run():
    if os.geteuid() != 0:
        return "needs root"
    try:
        with Wire():
            return None
    except Exception as why:  # pylint: disable=broad-except
        return f"cannot make network namespaces: {why}"


def run():
    why = can_run()
    if why:
        print(f"skipped: {why}")
        return SKIPPED
    return main()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--send"]:
        send_frames(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        sys.exit(0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that namespaces are deleted
    DARKLINE = Darkline(arguments("DARKLINE")[0])
    sys.exit(run())
