#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a flood stay within --memory, and harm no other flow?  test_floods.py DARKLINE SOURCE

Floods are made here, a chunk at a time, and given through standard input with the frames of lab captures among them;
what is said of those must be what is said without a flood.
"""
import json
import os
import re
import struct
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import DONE, Darkline, arguments, check, equal, expect, main, test  # noqa: E402

DARKLINE = None
LAB = None
QUIET = {}
BUDGET = 64 << 20
CAPTURES = ("messengers", "bes-srp", "bis", "controls", "quic", "fail-tls", "fail-tcp", "fail-dns",
            "interference/sni-rst-late", "interference/sni-drop", "interference/established-rst")
CHUNK = 20000  # frames of a flood between two of real ones, at most
MACS = frames.MACS + b"\x08\x00"
VICTIM, SCANNER = bytes([203, 0, 113, 5]), bytes([198, 18, 0, 9])


def real_frames():
    """The captures one after the other, as (microseconds, bytes)."""
    now, all_frames = frames.START_US, []
    for name in CAPTURES:
        with open(os.path.join(LAB, name + ".pcap"), "rb") as file:
            found = list(frames.pcap_frames(file.read()))
        start = found[0][0]
        all_frames += [(now + time_us - start, data) for time_us, data in found]
        now = all_frames[-1][0] + 5_000_000
    return all_frames


# ---- floods: (number of the first, how many, time) -> records ----

def ip_head(protocol, length):
    """Up to the source, with the checksum for addresses that add up to nothing."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, length, 7, 0x4000, 60, protocol, 0)
    return head[:10] + struct.pack("!H", frames.ip_checksum(head + VICTIM)) + head[12:]


def record(time_us, length):
    return struct.pack("<IIII", time_us // 1_000_000, time_us % 1_000_000, length, length)


def sources(count):
    """Addresses and ports that nobody has foreseen; the two halves of an address add up to nothing."""
    noise = os.urandom(count * 8)
    for at in range(0, count * 8, 8):
        high = noise[at:at + 2]
        yield high + bytes([255 - high[0], 255 - high[1]]) + noise[at + 2:at + 4], noise[at + 4:at + 8]


def syn_flood(_, count, time_us):
    head = record(time_us, 54) + MACS + ip_head(6, 40)
    tail = b"\0\0\0\0\x50\x02\xff\xff\0\0\0\0"
    to = VICTIM + b"%b" + b"\x00\x50" + b"%b" + tail
    return b"".join([head + source[:4] + to % (source[4:], seq) for source, seq in sources(count)])


def port_scan(first, count, time_us):
    """One asks for every port of many; each is refused."""
    pieces = []
    ask, refuse = record(time_us, 54) + MACS, record(time_us + 1, 54) + MACS
    for number in range(first, first + count):
        target = bytes([192, 18, number >> 24 & 255, number >> 16 & 255])
        port = struct.pack("!H", number & 0xFFFF)
        head = struct.pack("!BBHHHBBH", 0x45, 0, 40, 7, 0x4000, 60, 6, 0)
        total = struct.pack("!H", frames.ip_checksum(head + SCANNER + target))
        head = head[:10] + total
        pieces += [ask, head, SCANNER, target, b"\xab\xcd", port, b"\0\0\0\1\0\0\0\0\x50\x02\4\0\0\0\0\0",
                   refuse, head, target, SCANNER, port, b"\xab\xcd", b"\0\0\0\0\0\0\0\2\x50\x14\0\0\0\0\0\0"]
    return b"".join(pieces)


def datagram_flood(_, count, time_us):
    """With contents that nobody has a name for, so that each wants to be looked at."""
    head = record(time_us, 74) + MACS + ip_head(17, 60)
    return b"".join([head + source[:4] + VICTIM + b"\xe0" + source[5:] + b"\xe1\x01\0\x28\0\0" + b"\x7f" * 32
                     for source, _ in sources(count)])


def question_flood(first, count, time_us):
    """Names that do not exist, below one that the catalog has: their names would be kept."""
    pieces = []
    for number, (source, ident) in enumerate(sources(count), first):
        name = b"\x08%08x\x08whatsapp\x03net\0" % number
        body = ident[:2] + b"\1\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1"
        length = 28 + len(body)
        pieces.append(record(time_us, 14 + length) + MACS + ip_head(17, length) + source[:4] + VICTIM + source[4:]
                      + b"\0\x35" + struct.pack("!HH", 8 + len(body), 0) + body)
    return b"".join(pieces)


# ---- giving them in ----

def feed(process, real, flood, count):
    """The real frames with the flood spread evenly over their time."""
    out = process.stdin
    out.write(frames.PCAP_HEAD)
    begin, end, given = real[0][0], real[-1][0], 0
    for time_us, data in real:
        due = count * (time_us - begin) // (end - begin)
        while given < due:
            part = min(CHUNK, due - given)
            out.write(flood(given, part, time_us))
            given += part
        out.write(frames.pcap_record(time_us, data))
    out.flush()


def with_sanitizer():
    with open(DARKLINE.program, "rb") as file:
        return b"__asan_init" in file.read()


NAMED = ("certainty", "role", "stage", "outcome", "mechanism", "attribution")


def opinions(store):
    """Of each flow of a service, by what tells it apart in both stores; made-up names begin with a 0."""
    found = {}
    for line in expect(DARKLINE.run("flows", store, "--json"), DONE).out.splitlines():
        if '"host":"0' in line:
            continue
        flow = json.loads(line)
        key = (flow["start"], flow["transport"], flow["server"], flow["host"], flow["service"])
        found.setdefault(key, []).append(tuple(str(flow[name]) for name in NAMED))
    return {key: sorted(values) for key, values in found.items()}


def peak_memory(pid):
    """The most it held since it began, by the kernel's count (rusage would count who started it, too)."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        found = re.search(r"VmHWM:\s+(\d+) kB", file.read())
    return int(found[1]) << 10 if found else 0


def flooded(folder, flood, count, threads):
    """The store with the flood, what was said, and the most memory it took."""
    store, said = os.path.join(folder, f"flooded{threads}.store"), os.path.join(folder, "said")
    real = real_frames()
    with open(said, "wb") as err:
        process = DARKLINE.start("probe", "-v", "-r", "-", "-w", store, "--memory", "64M", "--threads", threads,
                                 stdout=err, stderr=err)
    peak = 0
    try:
        feed(process, real, flood, count)
        process.stdin.close()
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()
    with open(said, encoding="utf-8") as file:
        text = file.read()
    equal(process.returncode, DONE, f"exit code ({text[-500:]})")
    return store, text, peak


def without_flood(folder):
    """What is said of the real frames alone, and of how many flows."""
    if not QUIET:
        path, store = os.path.join(folder, "real.pcap"), os.path.join(folder, "quiet.store")
        with open(path, "wb") as file:
            file.write(frames.pcap(real_frames()))
        expect(DARKLINE.run("probe", "-r", path, "-w", store), DONE)
        QUIET.update(opinions(store))
        outcomes = [value[NAMED.index("outcome")] for values in QUIET.values() for value in values]
        check(outcomes.count("ok") > 50 and outcomes.count("failed") > 10, f"too little to look at: {outcomes}")
    return QUIET


def check_flood(folder, flood, count, least_seen, of_ports=False):
    """With `of_ports` the flood's own flows may be stored too: it knocks where services are."""
    for threads in "1", "2":
        check_threads(folder, flood, count, least_seen // int(threads), of_ports, threads)


def check_threads(folder, flood, count, least_seen, of_ports, threads):
    wanted = without_flood(folder)
    store, said, peak = flooded(folder, flood, count, threads)
    at_once, held = re.search(r"at most (\d+) flows at once; ([0-9.]+) MB held", said).groups()
    print(f"  {count} of {flood.__name__}, {threads} threads: {at_once} flows at once, {held} MB held, "
          f"{peak / 1e6:.1f} MB resident", flush=True)
    check(float(held) * 1e6 <= BUDGET, f"held {held} MB")
    check(with_sanitizer() or peak <= BUDGET, f"resident {peak / 1e6:.1f} MB")
    check(int(at_once) >= least_seen, f"no flood: only {at_once} flows at once")
    got = opinions(store)
    wrong = [(key, wanted[key], got.get(key)) for key in wanted if got.get(key) != wanted[key]]
    check(not wrong, f"{len(wrong)} of {len(wanted)} flows are judged otherwise, such as {wrong[:3]}")
    more = set(got) - set(wanted)
    check(of_ports or not more, f"{len(more)} flows too many, such as {list(more)[:3]}")


@test
def two_million_half_open(folder):
    """A SYN flood from changing sources."""
    check_flood(folder, syn_flood, 2_000_000, 50_000)


@test
def scanned_ports(folder):
    """A reset for every knock: those must not take the room that real resets need."""
    check_flood(folder, port_scan, 150_000, 10_000, of_ports=True)


@test
def datagrams(folder):
    check_flood(folder, datagram_flood, 150_000, 50_000)


@test
def questions(folder):
    """Each new name takes a part of its own; the oldest questions give way."""
    check_flood(folder, question_flood, 80_000, 3000)


if __name__ == "__main__":
    program, source_folder = arguments("DARKLINE", "SOURCE")
    os.environ.pop("MALLOC_PERTURB_", None)  # memory that nobody wrote to is not resident
    DARKLINE, LAB = Darkline(program), os.path.join(source_folder, "pcaps", "lab")
    sys.exit(main())
