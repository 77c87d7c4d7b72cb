#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What darkline does when something is wrong with a store, and what it keeps.  test_stores.py DARKLINE

Stores that are damaged, foreign, too new, in use or not writable; a full disk; keys that must not be used; a probe that
is killed or told to stop.
"""
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import (DONE, FAILED, Darkline, arguments, check, equal, expect, is_sound, main, rows,  # noqa: E402
                     skip, test)
from material import FLOWS, as_nobody, capture, good_store, line, path_in, read  # noqa: E402

DARKLINE = None
COMMITTED_WITHIN = 2.0  # seconds: what is older is in the store, whatever happens


# ---- stores ----

def unchanged_by(store, *texts):
    """Neither writing nor reading takes it for a store, each says so, and not a byte is changed."""
    before, good = read(store), capture(os.path.dirname(store), "another.pcap", 3)
    expect(DARKLINE.probe(store, good), FAILED, store, *texts)
    expect(DARKLINE.run("flows", store, "--json"), FAILED, store, *texts)
    check(read(store) == before, f"{store} was changed")


@test
def stores_that_are_none(folder):
    unchanged_by(path_in(folder, "text.store", b"Dear Sir or Madam,\n" * 500), "not a darkline store")
    foreign = path_in(folder, "foreign.sqlite")
    database = sqlite3.connect(foreign)
    database.executescript("CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('Ada');")
    database.close()
    unchanged_by(foreign, "not a darkline store")
    expect(DARKLINE.probe(folder, capture(folder)), FAILED, folder)
    expect(DARKLINE.run("flows", folder), FAILED, folder)
    expect(DARKLINE.run("flows", path_in(folder, "nowhere.store")), FAILED, "nowhere.store")
    expect(DARKLINE.probe(path_in(folder, "no/such/folder.store"), capture(folder)), FAILED, "no/such/folder.store")
    expect(DARKLINE.run("flows", path_in(folder, "nothing.store", b"")), FAILED, "nothing.store")


@test
def newer_store(folder):
    store = good_store(DARKLINE, folder)
    database = sqlite3.connect(store)
    database.execute("PRAGMA user_version = 999")
    database.close()
    unchanged_by(store, "newer")


@test
def store_cut(folder):
    """A store that lost its end: an error that names it, from whoever reads it."""
    store = good_store(DARKLINE, folder)
    data = read(store)
    for share in (0.3, 0.6, 0.95):
        cut = path_in(folder, f"cut-{share}.store", data[:int(len(data) * share)])
        expect(DARKLINE.run("flows", cut, "--json"), FAILED, cut)


@test
def store_overwritten(folder):
    """Rubbish in any page: never a crash; exit 1 that names the store, or, where the page was not needed, 0."""
    store, codes = good_store(DARKLINE, folder), []
    data, good = read(store), capture(folder, "another.pcap", 3)
    for at in range(0, len(data), 16384):
        spoilt = bytearray(data)
        spoilt[at:at + 512] = b"\xa5" * 512
        path = path_in(folder, "spoilt.store", bytes(spoilt))
        for words in (["flows", path, "--json"], ["probe", "-q", "-r", good, "-w", path, "--key", store + ".key"]):
            result = DARKLINE.run(*words)
            codes.append(result.code)
            check(result.code in (DONE, FAILED), f"byte {at}: {result}")
            check(result.code == DONE or path in result.err, f"byte {at}: not named: {result}")
    check(codes.count(FAILED) >= 4, f"damage was seldom noticed: {codes}")


@test
def one_writer(folder):
    """A store that is being written cannot be written by a second one, and says so."""
    store = path_in(folder, "w.store")
    with slow_probe(store) as slow:
        slow.feed(0, 5)
        await_rows(store)
        expect(DARKLINE.probe(store, capture(folder)), FAILED, store, "another")
        expect(DARKLINE.run("flows", store, "--json"), DONE)
        slow.process.stdin.close()
        equal(slow.process.wait(10), DONE, "exit code of the first")


@test
def store_not_writable(folder):
    """Read-only file, read-only folder: writing says so, reading works."""
    nobody = as_nobody(DARKLINE)
    store = good_store(DARKLINE, folder)
    os.chmod(store, 0o444)
    os.chmod(folder, 0o555)
    expect(DARKLINE.probe(store, capture(folder) if os.geteuid() == 0 else store, **nobody), FAILED, store)
    expect(DARKLINE.probe(path_in(folder, "new.store"), store, **nobody), FAILED, path_in(folder, "new.store"))
    result = expect(DARKLINE.run("flows", store, "--json", **nobody), DONE)
    equal(len(result.out.splitlines()), FLOWS, "flows of a read-only store")
    os.chmod(folder, 0o755)


@test
def names_too_long(folder):
    for length in (250, 5000):
        name = path_in(folder, "n" * length)
        expect(DARKLINE.run("probe", "-r", capture(folder), "-w", name), FAILED, "error:", "nnnnnnnn")
    long = "/".join([folder] + ["."] * 2100) + "/a.store"
    expect(DARKLINE.run("probe", "-r", capture(folder), "-w", long), FAILED, "too long")
    check(not os.path.exists(path_in(folder, "a.store")), "a store was made under a shortened name")


# ---- keys ----

@test
def keys_that_must_not_be_used(folder):
    store, good = good_store(DARKLINE, folder), capture(folder, "another.pcap", 3)
    key = store + ".key"
    os.chmod(key, 0o644)
    expect(DARKLINE.probe(store, good), FAILED, key, "open to others")
    os.chmod(key, 0o600)
    secret = read(key)
    for length in (0, 31, 33):
        path_in(folder, os.path.basename(key), (secret * 2)[:length])
        expect(DARKLINE.probe(store, good), FAILED, key, "not a key")
    equal(rows(store), FLOWS, "rows")
    os.unlink(key)
    os.mkdir(key)
    expect(DARKLINE.probe(store, good), FAILED, key)


# ---- full disks ----

def limit_file_size():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def check_full(store, result, least):
    expect(result, FAILED, store, "no room left")
    time.sleep(0.3)  # the kernel frees a removed WAL when it has freed the Landlock rules of who is gone: 70 ms here
    is_sound(store)
    kept = len(DARKLINE.flows(store))
    check(kept >= least, f"only {kept} of {least} committed rows are left")
    equal(kept, rows(store), "rows that darkline and SQLite see")


@test
def file_size_limit(folder):
    """As on a full disk: said so, what was committed is kept, and the store works again when there is room."""
    store = good_store(DARKLINE, folder)
    big = capture(folder, "big.pcap", 20000)
    check_full(store, DARKLINE.probe(store, big, preexec_fn=limit_file_size), FLOWS)
    expect(DARKLINE.probe(store, big), DONE)
    equal(rows(store), FLOWS + 20000, "rows once there is room")


@test
def full_disk(folder):
    if os.geteuid() != 0:
        skip("needs root for a small file system")
    disk, big = path_in(folder, "disk"), capture(folder, "big.pcap", 20000)
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "darkline-test", disk], check=False).returncode:
        skip("cannot mount a small file system")
    try:
        store = path_in(disk, "d.store")
        expect(DARKLINE.probe(store, capture(folder)), DONE)
        check_full(store, DARKLINE.probe(store, big), FLOWS)
        path_in(disk, "filling", bytes(os.statvfs(disk).f_bavail * 4096))
        expect(DARKLINE.probe(path_in(disk, "late.store"), big), FAILED, disk)
        equal(len(DARKLINE.flows(store)), rows(store), "flows on a disk without a free byte")
    finally:
        subprocess.run(["umount", disk], check=True)


# ---- ends that come early ----

class slow_probe:  # pylint: disable=invalid-name
    """A probe of standard input, which is fed by hand; killed at the latest when the `with` ends."""

    def __init__(self, store):
        self.frames = line()
        self.process = DARKLINE.start("probe", "-r", "-", "-w", store, "--all-names")
        self.process.stdin.write(frames.PCAP_HEAD)

    def feed(self, first, count):
        """These conversations (of five frames each), then fifteen seconds later one more, so that they are over."""
        for time_us, data in self.frames[5 * first:5 * (first + count)]:
            self.process.stdin.write(frames.pcap_record(time_us, data))
        last_us, data = self.frames[5 * (first + count)]
        self.process.stdin.write(frames.pcap_record(last_us + 15_000_000, data))
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass


def await_rows(store, seconds=10):
    """Until the first rows are committed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if rows(store):
                return
        except sqlite3.OperationalError:
            pass  # not there yet
        time.sleep(0.05)
    check(False, f"no row in {store} after {seconds} s")


@test
def killed(folder):
    """kill -9: what was known for two seconds is in the store, which opens; and also where nothing may be written."""
    store = path_in(folder, "k.store")
    with slow_probe(store) as slow:
        slow.feed(0, 12)
        time.sleep(COMMITTED_WITHIN + 0.3)
        slow.process.send_signal(signal.SIGKILL)
        slow.process.wait(10)
    check(os.path.exists(store + "-wal"), "no WAL was left: the test tests nothing")
    nobody = as_nobody(DARKLINE) if os.geteuid() == 0 else {}
    for path in (store, store + "-wal", store + "-shm"):
        os.chmod(path, 0o644)
    os.unlink(store + "-shm")
    found = expect(DARKLINE.run("flows", store, "--json", **nobody), DONE)
    check(len(found.out.splitlines()) >= 12, f"only {len(found.out.splitlines())} of 12 rows are left")
    check(len(DARKLINE.flows(store)) >= 12, "fewer rows than before")
    is_sound(store)
    expect(DARKLINE.probe(store, capture(folder)), DONE)
    check(rows(store) >= 12 + FLOWS, f"{rows(store)} rows after the next call")


def told_to_stop(folder, number, feeds):
    store = path_in(folder, f"{number}-{feeds}.store")
    with slow_probe(store) as slow:
        if feeds:
            slow.feed(0, 12)
        until = time.monotonic() + 10
        while not os.path.exists(store) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)
        began = time.monotonic()
        slow.process.send_signal(number)
        try:
            code = slow.process.wait(5)
        except subprocess.TimeoutExpired:
            check(False, f"signal {number} was not heeded")
        check(time.monotonic() - began < 2, "it took more than two seconds to stop")
        said = slow.process.stderr.read().decode()
        equal(code, FAILED, f"exit code ({said})")
        check("interrupted" in said.lower(), f"not said: {said}")
    check(not os.path.exists(store + "-wal") and not os.path.exists(store + "-lock"), "side files are left")
    is_sound(store)
    if feeds:
        check(len(DARKLINE.flows(store)) >= 12, "rows are missing")


@test
def told_to_stop_while_waiting(folder):
    """SIGTERM and SIGINT end a probe whose input is slow, also before anything came: cleanly, with all rows."""
    for number in (signal.SIGTERM, signal.SIGINT):
        for feeds in (True, False):
            told_to_stop(folder, number, feeds)


if __name__ == "__main__":
    DARKLINE = Darkline(arguments("DARKLINE")[0])
    sys.exit(main())
