#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What darkline does when something is wrong: exit codes, messages, and what it keeps.  test_errors.py DARKLINE

Wrong usage, inputs that are missing, forbidden, no captures, cut or broken; stores that are damaged, foreign, too new,
in use or not writable; a full disk; keys that must not be used; a probe that is killed or told to stop.
"""
import gzip
import os
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import (DAMAGED, DONE, FAILED, USAGE, Darkline, arguments, check, equal, expect, is_sound,  # noqa: E402
                     main, query, rows, skip, test)

DARKLINE = None
COMMANDS = ("run", "probe", "import", "flows", "analyze", "report", "catalog")
COMMITTED_WITHIN = 2.0  # seconds: what is older is in the store, whatever happens
FLOWS = 40


# ---- material ----

def path_in(folder, name, data=None):
    path = os.path.join(folder, name)
    if data is not None:
        with open(path, "wb") as file:
            file.write(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def line(count=FLOWS):
    return frames.many_flows(count).frames


def capture(folder, name="good.pcap", count=FLOWS):
    return path_in(folder, name, frames.pcap(line(count)))


def zstd(data):
    try:
        return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    except FileNotFoundError:
        return skip("no zstd program")


def probe(store, *inputs, **options):
    return DARKLINE.run("probe", "-r", *inputs, "-w", store, "--all-names", **options)


def lines_of(store):
    """What flows says of a store, without the pseudonyms, which differ from key to key."""
    found = DARKLINE.flows(store)
    for flow in found:
        flow["client"] = flow["server"] = None
    return found


def good_store(folder, name="good.store"):
    store = path_in(folder, name)
    expect(probe(store, capture(folder)), DONE)
    return store


def as_nobody():
    """Skips where the tests cannot become somebody who may not do everything, or that one could not run darkline."""
    if os.geteuid() == 0:
        if subprocess.run([sys.executable, "-c", "import os; os.setuid(65534)"], check=False).returncode:
            skip("cannot become another user")
        try:
            DARKLINE.run("catalog", "orders", nobody=True)
        except OSError:
            skip("darkline lies where other users cannot run it")
        return {"nobody": True}
    return {}


def give_away(path):
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)


# ---- usage ----

@test
def no_command(_):
    result = expect(DARKLINE.run(), USAGE, "usage: darkline command")
    equal(result.out, "", "standard output")


@test
def unknown_command(_):
    equal(expect(DARKLINE.run("frobnicate"), USAGE, "frobnicate").out, "", "standard output")
    expect(DARKLINE.run("help", "frobnicate"), USAGE, "frobnicate")


@test
def help_of_each(_):
    for words in (["help"], ["--help"], ["-h"]):
        result = expect(DARKLINE.run(*words), DONE)
        check(all(command in result.out for command in COMMANDS) and not result.err, f"{result}")
    for command in COMMANDS:
        for words in ([command, "--help"], [command, "-h"], ["help", command]):
            result = expect(DARKLINE.run(*words), DONE)
            check(result.out.startswith(f"Usage: darkline {command}") and not result.err, f"{result}")
            check("--catalog" in result.out and "--help" in result.out, f"options are missing: {result}")


@test
def version(_):
    result = expect(DARKLINE.run("--version"), DONE)
    check(result.out.startswith("darkline ") and result.out.count("\n") == 1 and not result.err, f"{result}")


@test
def wrong_options(folder):
    """Each is exit 2 with a sentence that names what is wrong, and makes no store."""
    good, store = capture(folder), path_in(folder, "never.store")
    to = ["probe", "-r", good, "-w", store]
    wrong = [
        (["probe", "--frobnicate"], "--frobnicate"),
        (["probe", "-Q"], "-Q"),
        (["probe", "-r", good], "-w"),
        (["probe", "-w", store], "-r"),
        (["probe", "-r", good, "-i", "lo", "-w", store], "either"),
        (["probe", "-r", good, "-w"], "--write"),
        ([*to, "--carrier", ""], "--carrier"),
        ([*to, "--carrier", "nosuch"], "nosuch"),
        ([*to, "--country", "Pakistan"], "--country"),
        ([*to, "--country", "P1"], "--country"),
        ([*to, "--asn", "0"], "--asn"),
        ([*to, "--asn", "-1"], "--asn"),
        ([*to, "--asn", "4294967296"], "--asn"),
        ([*to, "--asn", "99999999999999999999999"], "--asn"),
        ([*to, "--asn", "AS17557"], "--asn"),
        ([*to, "--threads", "two"], "--threads"),
        ([*to, "--memory", "12X"], "--memory"),
        ([*to, "--memory", "99999999999G"], "--memory"),
        ([*to, "--memory", "1K"], "--memory"),
        ([*to, "--since", "yesterday"], "--since"),
        ([*to, "--since", "2015-13-01"], "--since"),
        ([*to, "--since", "2015-12-01", "--until", "2015-11-01"], "--until"),
        ([*to, "--network", "wifi"], "wifi"),
        ([*to, "--position", "above"], "above"),
        ([*to, "--origin", "heaven"], "heaven"),
        ([*to, "--help=yes"], "--help"),
        ([*to, "--keep-addresses=yes"], "--keep-addresses"),
        ([*to, "-f", "frob and nicate"], "frob and nicate"),
        (["flows"], "store"),
        (["flows", store, "--json", "--csv"], "--csv"),
        (["flows", store, "--outcome", "bad"], "bad"),
        (["catalog", "services", "slack", "zoom"], "ID"),
        (["run", good], "-o"),
        (["run", "-o", path_in(folder, "never")], "file"),
        (["report"], "-o"),
        (["report", "-o", path_in(folder, "never")], "store"),
    ]
    for words, text in wrong:
        equal(expect(DARKLINE.run(*words), USAGE, text).out, "", f"standard output of {words}")
        check(not os.path.exists(store), f"{words} made a store")


@test
def options_anywhere(folder):
    """Options may stand before, between and after files."""
    good, store = capture(folder), path_in(folder, "a.store")
    expect(DARKLINE.run("probe", good, "-w", store, "-v"), DONE)
    expect(DARKLINE.run("flows", "--json", store), DONE)
    expect(DARKLINE.run("flows", store, "--json"), DONE)
    expect(DARKLINE.run("flows", "--json", "--", store), DONE)


@test
def lower_case_country(folder):
    """A country is stored as ISO 3166 writes it."""
    store = path_in(folder, "a.store")
    expect(DARKLINE.run("probe", "-r", capture(folder), "-w", store, "--country", "pk"), DONE)
    equal(query(store, "SELECT country FROM inputs"), [("PK",)], "country")


@test
def quiet_is_quiet(folder):
    """With -q nothing is said when all is well; standard output holds results only."""
    result = expect(DARKLINE.run("probe", "-q", "-r", capture(folder), "-w", path_in(folder, "q.store")), DONE)
    equal((result.out, result.err), ("", ""), "output")
    result = expect(DARKLINE.run("flows", path_in(folder, "q.store"), "--json", "--service", "nosuch"), DONE)
    equal((result.out, result.err), ("", ""), "output of no flows")


@test
def missing_companions(folder):
    """Files that options name: a missing one is named, and nothing is read without it."""
    good, nowhere = capture(folder), path_in(folder, "nowhere")
    for option in ("--catalog", "--geo", "--watchlist", "--inventory", "--fingerprints", "--false-positives"):
        result = DARKLINE.run("probe", "-r", good, "-w", path_in(folder, "x.store"), option, nowhere)
        expect(result, FAILED, nowhere)
    expect(DARKLINE.run("catalog", "--catalog", nowhere), FAILED, nowhere)
    expect(DARKLINE.run("catalog", "services", "nosuch"), FAILED, "nosuch")


@test
def output_that_takes_nothing(folder):
    """A full standard output is a failure; a reader who has enough is none."""
    store = good_store(folder)
    with open("/dev/full", "wb") as full:
        for words in (["flows", store, "--json"], ["flows", store], ["catalog"]):
            done = subprocess.run([DARKLINE.program, *words], stdout=full, stderr=subprocess.PIPE, check=False)
            equal(done.returncode, FAILED, f"exit code of {words[0]} into a full disk: {done.stderr!r}")
            check(b"standard output" in done.stderr, f"not said: {done.stderr!r}")
    process = DARKLINE.start("flows", store, "--json")
    process.stdout.readline()
    process.stdout.close()
    process.stdin.close()
    process.stderr.read()
    equal(process.wait(10), DONE, "exit code after the reader is gone")
    process.stderr.close()


# ---- inputs ----

@test
def inputs_that_are_none(folder):
    """Nothing could be read: exit 1, and the file is named."""
    store = path_in(folder, "n.store")
    bad = {
        "missing": path_in(folder, "missing.pcap"),
        "text": path_in(folder, "letter.txt", b"Dear Sir or Madam,\n" * 50),
        "empty": path_in(folder, "empty.pcap", b""),
        "short": path_in(folder, "short.pcap", frames.PCAP_HEAD[:10]),
        "not gzip": path_in(folder, "fake.pcap.gz", b"\x1f\x8b\x08\0rubbish rubbish rubbish rubbish"),
        "not zstd": path_in(folder, "fake.pcap.zst", b"\x28\xb5\x2f\xfd rubbish rubbish rubbish"),
        "gzip of text": path_in(folder, "text.gz", gzip.compress(b"Dear Sir or Madam,\n" * 50)),
        "device": "/dev/null",
    }
    os.mkdir(path_in(folder, "bare"))
    bad["folder"] = path_in(folder, "bare")
    path_in(bad["folder"], "notes.txt", b"no capture\n")
    for path in bad.values():
        equal(expect(probe(store, path), FAILED, path).out, "", "standard output")
    result = expect(probe(store, *bad.values()), FAILED, *bad.values())
    equal(rows(store), 0, f"rows after {result}")


@test
def control_characters_in_names(folder):
    """A file's name cannot play with the terminal."""
    path = path_in(folder, "a\033[2Jb\rc.pcap")
    result = expect(probe(path_in(folder, "n.store"), path), FAILED, r"a\x1b[2jb\x0dc.pcap")
    check("\033" not in result.err, f"{result}")


@test
def no_permission(folder):
    nobody = as_nobody()
    good, store = capture(folder), path_in(folder, "sub/p.store")
    os.mkdir(os.path.dirname(store))
    give_away(os.path.dirname(store))
    secret = capture(folder, "secret.pcap")
    os.chmod(secret, 0)
    expect(probe(store, secret, **nobody), FAILED, secret, "permission denied")
    expect(probe(store, secret, good, **nobody), DAMAGED, secret, "permission denied")
    os.mkdir(path_in(folder, "closed"), 0)
    expect(probe(store, path_in(folder, "closed"), **nobody), FAILED, path_in(folder, "closed"), "permission denied")
    os.chmod(path_in(folder, "closed"), 0o700)


@test
def good_and_bad_together(folder):
    store, missing = path_in(folder, "g.store"), path_in(folder, "missing.pcap")
    expect(probe(store, missing, capture(folder)), DAMAGED, missing)
    equal(rows(store), FLOWS, "rows of the good one")


def compare_cut(folder, whole, cut, name, *texts):
    """The cut file gives what the whole one gives of the frames before the cut."""
    before, after = path_in(folder, f"{name}-whole.store"), path_in(folder, f"{name}-cut.store")
    expect(probe(before, path_in(folder, f"{name}-whole", whole)), DONE)
    path = path_in(folder, f"{name}-cut", cut)
    expect(probe(after, path), DAMAGED, path, "everything before the damage is kept", *texts)
    check(lines_of(before) == lines_of(after), f"{name}: other flows than before the cut")
    return rows(after)


@test
def pcap_cut(folder):
    all_frames, found = line(), []
    for count in (1, 57, len(all_frames) - 1):
        kept, cut_frame = frames.pcap(all_frames[:count]), frames.pcap_record(*all_frames[count])
        for keep in (1, 7, 15, 16, 17, len(cut_frame) - 1) if count == 57 else (7, 17):
            found.append(compare_cut(folder, kept, kept + cut_frame[:keep], f"p{count}-{keep}"))
    check(max(found) >= FLOWS - 1 and min(found) == 1, f"rows {found}")


@test
def pcapng_cut(folder):
    all_frames = line()
    for count in (1, 57):
        kept, cut_frame = frames.pcapng(all_frames[:count]), frames.pcapng_record(*all_frames[count])
        for keep in (3, 8, 31, len(cut_frame) - 1):
            compare_cut(folder, kept, kept + cut_frame[:keep], f"n{count}-{keep}")


@test
def nothing_but_a_header(folder):
    """A capture without packets is no error."""
    for name, data in (("a.pcap", frames.PCAP_HEAD), ("b.pcapng", frames.PCAPNG_HEAD)):
        store = path_in(folder, name + ".store")
        expect(probe(store, path_in(folder, name, data)), DONE, "0 packets")
        equal(DARKLINE.flows(store), [], "flows")


@test
def absurd_record(folder):
    """A record of four gigabytes is damage, and what came before is kept."""
    all_frames = line()
    kept = frames.pcap(all_frames[:100])
    broken = kept + struct.pack("<IIII", 0, 0, 0xFFFFFFF0, 0xFFFFFFF0) + bytes(1000)
    compare_cut(folder, kept, broken, "absurd", "claims")


@test
def archives_cut(folder):
    """A gzip or zstd file that ends early is said to be truncated; what can be unpacked is kept."""
    data = frames.pcap(line(2000))
    for name, packed in (("a.pcap.gz", gzip.compress(data)), ("a.pcap.zst", zstd(data))):
        store = path_in(folder, name + ".store")
        for share in (0.7, 0.999):
            path = path_in(folder, f"{share}-{name}", packed[:int(len(packed) * share)])
            expect(probe(store, path), DAMAGED, path, "truncated", name.rsplit(".", maxsplit=1)[-1][:2])
        check(rows(store) > 100, f"{name}: only {rows(store)} rows kept")


@test
def archive_broken(folder):
    """A byte that changed in an archive is damage, not a crash nor silence."""
    packed = bytearray(gzip.compress(frames.pcap(line(2000))))
    packed[len(packed) // 2] ^= 0x55
    path = path_in(folder, "broken.pcap.gz", bytes(packed))
    expect(probe(path_in(folder, "b.store"), path), DAMAGED, path)


@test
def content_decides(folder):
    """Compressed or not, pcap or pcapng: names say nothing."""
    all_frames, found = line(), []
    plain = frames.pcap(all_frames)
    for name, data in (("plain.txt", plain), ("gzip.pcap", gzip.compress(plain)), ("zstd.pcap.gz", zstd(plain)),
                       ("ng.pcap", frames.pcapng(all_frames)), ("nozip.zst", frames.pcapng(all_frames))):
        store = path_in(folder, name + ".store")
        expect(probe(store, path_in(folder, name, data)), DONE)
        found.append(lines_of(store))
    check(len(found[0]) == FLOWS and all(each == found[0] for each in found), "the flows differ")


@test
def folders(folder):
    """One level deep, captures only; what else lies there is passed over without a word."""
    store, mixed = path_in(folder, "f.store"), path_in(folder, "mixed")
    os.makedirs(os.path.join(mixed, "deeper"))
    path_in(mixed, "one.pcap", frames.pcap(frames.many_flows(3).frames))
    path_in(mixed, "two.data", gzip.compress(frames.pcapng(frames.many_flows(4, 5000).frames)))
    path_in(mixed, "notes.txt", b"no capture\n")
    path_in(mixed, "empty.pcap", b"")
    path_in(os.path.join(mixed, "deeper"), "three.pcap", frames.pcap(frames.many_flows(5, 9000).frames))
    result = expect(probe(store, mixed), DONE, "2 inputs")
    equal(rows(store), 7, "rows")
    check("notes" not in result.err and "empty" not in result.err, f"{result}")
    path_in(mixed, "cut.pcap", frames.pcap(frames.many_flows(6, 20000).frames)[:-5])
    expect(probe(store, mixed), DAMAGED, "cut.pcap", "already in the store", "one.pcap", "two.data")


@test
def the_same_twice(folder):
    """In one call or a second one: read once, said so, exit 0."""
    store, good = path_in(folder, "t.store"), capture(folder)
    other = shutil.copy(good, path_in(folder, "other-name.pcap"))
    expect(probe(store, good, good, other), DONE, "1 input,", "read once", good, other)
    expect(probe(store, good), DONE, good, "already in the store, skipped")
    expect(probe(store, other), DONE, other, "already in the store, skipped")
    equal((rows(store), rows(store, "inputs")), (FLOWS, 1), "rows and inputs")


@test
def standard_input(folder):
    data, found = frames.pcap(line()), []
    for number, fed in enumerate((data, gzip.compress(data), frames.pcapng(line()))):
        store = path_in(folder, f"{number}.store")
        result = expect(DARKLINE.run("probe", "-r", "-", "-w", store, "--all-names", input=fed), DONE)
        equal(result.out, "", "standard output")
        found.append(lines_of(store))
    check(len(found[0]) == FLOWS and found[0] == found[1] == found[2], "the flows differ")
    store = path_in(folder, "x.store")
    expect(DARKLINE.run("probe", "-r", "-", "-w", store, input=b""), FAILED, "standard input")
    expect(DARKLINE.run("probe", "-r", "-", "-w", store, input=b"Dear Sir or Madam,"), FAILED, "standard input")
    expect(DARKLINE.run("probe", "-r", "-", "-w", store, input=data[:-3]), DAMAGED, "standard input")


# ---- stores ----

def unchanged_by(store, *texts):
    """Neither writing nor reading takes it for a store, each says so, and not a byte is changed."""
    before, good = read(store), capture(os.path.dirname(store), "another.pcap", 3)
    expect(probe(store, good), FAILED, store, *texts)
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
    expect(probe(folder, capture(folder)), FAILED, folder)
    expect(DARKLINE.run("flows", folder), FAILED, folder)
    expect(DARKLINE.run("flows", path_in(folder, "nowhere.store")), FAILED, "nowhere.store")
    expect(probe(path_in(folder, "no/such/folder.store"), capture(folder)), FAILED, "no/such/folder.store")
    expect(DARKLINE.run("flows", path_in(folder, "nothing.store", b"")), FAILED, "nothing.store")


@test
def newer_store(folder):
    store = good_store(folder)
    database = sqlite3.connect(store)
    database.execute("PRAGMA user_version = 999")
    database.close()
    unchanged_by(store, "newer")


@test
def store_cut(folder):
    """A store that lost its end: an error that names it, from whoever reads it."""
    store = good_store(folder)
    data = read(store)
    for share in (0.3, 0.6, 0.95):
        cut = path_in(folder, f"cut-{share}.store", data[:int(len(data) * share)])
        expect(DARKLINE.run("flows", cut, "--json"), FAILED, cut)


@test
def store_overwritten(folder):
    """Rubbish in any page: never a crash; exit 1 that names the store, or, where the page was not needed, 0."""
    store, codes = good_store(folder), []
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
        expect(probe(store, capture(folder)), FAILED, store, "another")
        expect(DARKLINE.run("flows", store, "--json"), DONE)
        slow.process.stdin.close()
        equal(slow.process.wait(10), DONE, "exit code of the first")


@test
def store_not_writable(folder):
    """Read-only file, read-only folder: writing says so, reading works."""
    nobody = as_nobody()
    store = good_store(folder)
    os.chmod(store, 0o444)
    os.chmod(folder, 0o555)
    expect(probe(store, capture(folder) if os.geteuid() == 0 else store, **nobody), FAILED, store)
    expect(probe(path_in(folder, "new.store"), store, **nobody), FAILED, path_in(folder, "new.store"))
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
    store, good = good_store(folder), capture(folder, "another.pcap", 3)
    key = store + ".key"
    os.chmod(key, 0o644)
    expect(probe(store, good), FAILED, key, "open to others")
    os.chmod(key, 0o600)
    secret = read(key)
    for length in (0, 31, 33):
        path_in(folder, os.path.basename(key), (secret * 2)[:length])
        expect(probe(store, good), FAILED, key, "not a key")
    equal(rows(store), FLOWS, "rows")
    os.unlink(key)
    os.mkdir(key)
    expect(probe(store, good), FAILED, key)


# ---- full disks ----

def limit_file_size():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def check_full(store, result, least):
    expect(result, FAILED, store, "no room left")
    is_sound(store)
    kept = len(DARKLINE.flows(store))
    check(kept >= least, f"only {kept} of {least} committed rows are left")
    equal(kept, rows(store), "rows that darkline and SQLite see")


@test
def file_size_limit(folder):
    """As on a full disk: said so, what was committed is kept, and the store works again when there is room."""
    store = good_store(folder)
    big = capture(folder, "big.pcap", 20000)
    check_full(store, probe(store, big, preexec_fn=limit_file_size), FLOWS)
    expect(probe(store, big), DONE)
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
        expect(probe(store, capture(folder)), DONE)
        check_full(store, probe(store, big), FLOWS)
        path_in(disk, "filling", bytes(os.statvfs(disk).f_bavail * 4096))
        expect(probe(path_in(disk, "late.store"), big), FAILED, disk)
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
    nobody = as_nobody() if os.geteuid() == 0 else {}
    for path in (store, store + "-wal", store + "-shm"):
        os.chmod(path, 0o644)
    os.unlink(store + "-shm")
    found = expect(DARKLINE.run("flows", store, "--json", **nobody), DONE)
    check(len(found.out.splitlines()) >= 12, f"only {len(found.out.splitlines())} of 12 rows are left")
    check(len(DARKLINE.flows(store)) >= 12, "fewer rows than before")
    is_sound(store)
    expect(probe(store, capture(folder)), DONE)
    check(rows(store) >= 12 + FLOWS, f"{rows(store)} rows after the next call")


def told_to_stop(folder, number, feeds):
    store = path_in(folder, f"{number}-{feeds}.store")
    with slow_probe(store) as slow:
        if feeds:
            slow.feed(0, 12)
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
