#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does it make no difference how many threads read a capture?  test_threads.py DARKLINE SOURCE REAL_DATA

Stores of the same captures under the same key, made by 1, 2 and 4 threads, are compared row by row; numbers of strings
may differ. Real captures are skipped where they are missing.
"""
import glob
import os
import signal
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import DAMAGED, DONE, Darkline, arguments, check, equal, expect, is_sound, main, query, rows, skip, test  # noqa: E402

THREADS = (1, 2, 4)
TEXTS = ("protocol", "service", "host", "issuer")
TABLES = ("meta", "inputs", "counts", "coverage", "notes")
ROOMY = ("--memory", "2G")  # so that no table gives anything up


# ---- comparing ----

def contents(store):
    """All that a store says, strings by their text."""
    texts = dict(query(store, "SELECT id, text FROM strings"))
    columns = [row[1] for row in query(store, "PRAGMA table_info(flows)")]
    places = [columns.index(name) for name in TEXTS]
    flows = []
    for row in query(store, "SELECT * FROM flows ORDER BY id"):
        row = list(row)
        for place in places:
            row[place] = texts.get(row[place])
        flows.append(tuple(row))
    return {"flows": flows, **{table: sorted(query(store, f"SELECT * FROM {table}"), key=repr) for table in TABLES}}


def said(store, command):
    result = DARKLINE.run(command, store, "--json")
    equal(result.code, DONE, f"exit code of {command}: {result}")
    return result.out.replace(os.path.basename(store), "STORE")


def first_difference(one, other):
    for a, b in zip(one, other):
        if a != b:
            return f"{a!r} and {b!r}"
    return f"{len(one)} and {len(other)}"


def probe(folder, captures, threads, *options):
    store = os.path.join(folder, f"{threads}.store")
    key = os.path.join(folder, "key")
    result = DARKLINE.run("probe", "-r", *captures, "-w", store, "--key", key, "--threads", threads, *options,
                          timeout=300)
    check(result.code in (DONE, DAMAGED), f"exit code: {result}")
    return store


def check_same(folder, captures, *options, judged=True):
    stores = [probe(folder, captures, threads, *options) for threads in THREADS]
    wanted = contents(stores[0])
    check(wanted["flows"] or wanted["counts"], "nothing was read")
    for store, threads in zip(stores[1:], THREADS[1:]):
        got = contents(store)
        for table, lines in wanted.items():
            if got[table] != lines:
                check(False, f"{table} of {threads} threads: {first_difference(lines, got[table])}")
    for command in ("flows", "analyze") if judged else ():
        texts = [said(store, command) for store in stores]
        check(texts.count(texts[0]) == len(texts), f"{command} --json differs")
    for store in stores:
        is_sound(store)
        os.unlink(store)
    return wanted


def captures_in(*parts):
    found = glob.glob(os.path.join(SOURCE, "pcaps", *parts, "*.pcap*"))
    return sorted(found)


# ---- captures made up ----

def in_pieces(line, data, size):
    """An Ethernet frame of IPv4 as fragments of `size` bytes, the last one first."""
    ethernet, header, body = data[:14], bytearray(data[14:34]), data[34:]
    pieces = [(at, body[at:at + size]) for at in range(0, len(body), size)]
    header[4:6] = struct.pack("!H", len(line.frames) & 0xFFFF)
    for at, piece in reversed(pieces):
        more = 0x2000 if at + size < len(body) else 0
        header[2:4] = struct.pack("!H", 20 + len(piece))
        header[6:8] = struct.pack("!H", more | at // 8)
        header[10:12] = b"\0\0"
        header[10:12] = struct.pack("!H", frames.ip_checksum(bytes(header)))
        line.put(ethernet + bytes(header) + piece, 10)


def in_gre(data, source="203.0.113.1", target="203.0.113.2"):
    kind = data[12:14]
    return frames.frame(source, target, 47, b"\0\0" + kind + data[14:])


def icmp_about(data, source):
    """Port unreachable, to who sent `data`."""
    quoted = data[14:14 + 28]
    body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
    return frames.frame(source, ".".join(map(str, quoted[12:16])), 1, body)


def odd_line():
    """Many lines at once: names that are answered twice and otherwise, fragments, tunnels, errors, both versions."""
    line = frames.Line()
    for number in range(300):
        client = f"10.0.{number % 7}.{number % 50 + 1}" if number % 3 else f"2001:db8:{number % 5}::{number + 1:x}"
        v4 = ":" not in client
        server = f"198.51.100.{number % 90 + 1}" if v4 else f"2001:db8:ffff::{number % 90 + 1:x}"
        resolver = "192.0.2.53" if v4 else "2001:db8:53::53"
        name = ("chat.signal.org", "web.whatsapp.com", f"host{number}.example.net")[number % 3]
        line.question(client, 20000 + number, resolver, name, [server])
        if number % 5 == 0:  # another one says something else
            line.question(client, 20000 + number, resolver, name, ["192.0.2.99" if v4 else "2001:db8::99"])
        inner = frames.Line(line.now)
        talk = frames.Talk(inner, client, 30000 + number, server, 443)
        talk.send(frames.CLIENT, frames.client_hello(name))
        if number % 4 == 0:
            talk.send(frames.SERVER, flags=frames.RST | frames.ACK)
        inner.udp(client, 40000 + number, server, 5000 + number % 3, bytes(range(200)) * 3)
        for _, data in inner.frames:
            if v4 and number % 6 == 1 and len(data) > 100:
                in_pieces(line, data, 64)
            elif number % 6 == 2:
                line.put(in_gre(data), 10)
            else:
                line.put(data, 10)
        if v4 and number % 7 == 0:
            line.put(icmp_about(inner.frames[-1][1], server))
    return line


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


# ---- tests ----

@test
def committed_captures(folder):
    check_same(folder, captures_in() + captures_in("lab") + captures_in("lab", "interference"), "--all-names")


@test
def committed_captures_counted(folder):
    """Flows of nobody's interest are counted: clients that several threads saw are one."""
    found = check_same(folder, captures_in() + captures_in("lab") + captures_in("lab", "interference"))
    check(found["counts"], "nothing was counted")


@test
def fragments_tunnels_errors_and_answers(folder):
    line = odd_line()
    path = write(folder, "odd.pcap", frames.pcap(line.frames))
    found = check_same(folder, [path], "--all-names")
    links = [row for row in found["flows"] if row[14]]
    check(len(links) > 100, f"only {len(links)} flows know their question")
    check_same(folder, [path])


@test
def time_runs_backwards(folder):
    """Two interfaces in one file, a minute apart: when a flow has been silent for too long is one question for all."""
    line = odd_line()
    shuffled = [(time_us + (90_000_000 if at % 3 == 0 else 0), data) for at, (time_us, data) in enumerate(line.frames)]
    path = write(folder, "backwards.pcapng", frames.pcapng(shuffled))
    check_same(folder, [path], "--all-names")


@test
def several_silences(folder):
    """Flows that pause for about as long as they may: each ends at the same packet."""
    line = frames.Line()
    for pause in (9, 10, 11, 60, 69, 70, 71, 119, 120, 121):
        for number in range(40):
            client = f"10.1.{pause}.{number + 1}"
            line.udp(client, 4000, f"198.51.100.{number + 1}", 9999, b"first words")
            line.question(client, 4001, "192.0.2.53", f"a{number}.example.org", [f"198.51.100.{number + 1}"])
        line.now += pause * 1_000_000 - 40 * 3 * frames.STEP_US
        for number in range(40):
            client = f"10.1.{pause}.{number + 1}"
            line.udp(client, 4000, f"198.51.100.{number + 1}", 9999, b"second words")
            line.question(client, 4001, "192.0.2.53", f"a{number}.example.org", [f"198.51.100.{number + 1}"])
    path = write(folder, "pauses.pcap", frames.pcap(line.frames))
    check_same(folder, [path], "--all-names")


@test
def real_captures(folder):
    found = []
    for part in ("ndpi", "negatives", "interference", "bench"):
        for name, _, files in os.walk(os.path.join(REAL_DATA, part)):
            found += [os.path.join(name, file) for file in files if ".pcap" in file or ".cap" in file]
    found = sorted(path for path in found if "/result/" not in path and not path.endswith((".out", ".yaml")))
    if not found:
        skip("no real captures")
    for options in (("--all-names",), ()):
        check_same(folder, found, *ROOMY, *options, judged=False)


@test
def one_client_counted_by_all(folder):
    """Thousands of clients, each with several servers: the estimate does not know who counted."""
    line = frames.Line()
    for number in range(6000):
        for server in range(3):
            line.udp(f"100.64.{number // 200}.{number % 200 + 1}", 5000, f"198.51.100.{server + 1}", 443,
                     b"\x16nothing known")
    path = write(folder, "many.pcap", frames.pcap(line.frames))
    found = check_same(folder, [path], *ROOMY)
    clients = max(row[-1] for row in found["counts"])
    check(5000 < clients < 7000, f"{clients} of 6000 clients")


@test
def little_memory(folder):
    """All threads together keep to --memory: with the least of it there is one."""
    path = write(folder, "many.pcap", frames.pcap(frames.many_flows(3000).frames))
    for memory in ("16M", "64M", "128M"):
        store = probe(folder, [path], 4, "--memory", memory, "--all-names")
        equal(rows(store), 3000, f"rows with {memory}")
        os.unlink(store)


@test
def silent_pipe(folder):
    """What came before a pipe fell silent is in the store soon, and an end by signal is a clean one."""
    store = os.path.join(folder, "pipe.store")
    process = DARKLINE.start("probe", "-r", "-", "-w", store, "--all-names", "--threads", "2",
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        line = frames.Line()
        for number in range(5):
            line.udp(f"10.0.0.{number + 1}", 4000, "198.51.100.1", 9999, b"first words")
        line.now += 600_000_000
        for _ in range(600):  # in the end they have been silent for long
            line.udp("10.0.0.77", 4000, "198.51.100.1", 9999, b"much later")
        process.stdin.write(frames.pcap(line.frames))
        process.stdin.flush()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and (not os.path.exists(store) or counted(store) < 5):
            time.sleep(0.05)
        equal(counted(store), 5, "flows in the store while the pipe is silent")
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    finally:
        process.kill()
        process.wait()
    equal(rows(store), 6, "rows at the end")
    is_sound(store)


@test
def pipe_that_pauses(folder):
    """Frames that come after a silence are taken, also where it fell in the middle of one."""
    line = frames.Line()
    for number in range(10):
        line.udp(f"10.0.0.{number + 1}", 4000, "198.51.100.1", 9999, b"words")
    data = frames.pcap(line.frames)
    for threads in "1", "2":
        store = os.path.join(folder, f"pause{threads}.store")
        process = DARKLINE.start("probe", "-r", "-", "-w", store, "--all-names", "--threads", threads)
        try:
            for begin, end in ((0, 300), (300, 310), (310, len(data))):
                process.stdin.write(data[begin:end])
                process.stdin.flush()
                time.sleep(0.7)  # longer than it takes to call it a silence
            process.stdin.close()
            equal(process.wait(10), DONE, "exit code")
        finally:
            process.kill()
            process.wait()
        equal(rows(store), 10, "rows")


def counted(store):
    try:
        return rows(store)
    except Exception:  # pylint: disable=broad-except
        return 0  # it is being made


@test
def as_many_as_there_are(folder):
    """More threads than flows, and than are allowed."""
    path = write(folder, "few.pcap", frames.pcap(frames.many_flows(3).frames))
    for threads in (16, 1000):
        store = probe(folder, [path], threads, "--memory", "4G")
        os.unlink(store)
    expect(DARKLINE.run("probe", "-r", path, "-w", os.path.join(folder, "zero.store"), "--threads", "0"), DONE)


if __name__ == "__main__":
    PROGRAM, SOURCE, REAL_DATA = arguments("DARKLINE", "SOURCE", "REAL_DATA")
    DARKLINE = Darkline(PROGRAM)
    sys.exit(main())
