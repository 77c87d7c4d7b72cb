#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What darkline does when it is called wrongly or its inputs are bad: exit codes and messages.  test_errors.py DARKLINE

Wrong usage; inputs that are missing, forbidden, no captures, cut or broken.
"""
import gzip
import os
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import (DAMAGED, DONE, FAILED, USAGE, Darkline, arguments, check, equal, expect, main, query,  # noqa: E402
                     rows, skip, test)
from material import FLOWS, as_nobody, capture, good_store, line, path_in  # noqa: E402

DARKLINE = None
COMMANDS = ("run", "probe", "import", "flows", "analyze", "report", "catalog")


# ---- material ----

def zstd(data):
    try:
        return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    except FileNotFoundError:
        return skip("no zstd program")


def lines_of(store):
    """What flows says of a store, without the pseudonyms, which differ from key to key."""
    found = DARKLINE.flows(store)
    for flow in found:
        flow["client"] = flow["server"] = None
    return found


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
    store = good_store(DARKLINE, folder)
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
        equal(expect(DARKLINE.probe(store, path), FAILED, path).out, "", "standard output")
    result = expect(DARKLINE.probe(store, *bad.values()), FAILED, *bad.values())
    equal(rows(store), 0, f"rows after {result}")


@test
def control_characters_in_names(folder):
    """A file's name cannot play with the terminal."""
    path = path_in(folder, "a\033[2Jb\rc.pcap")
    result = expect(DARKLINE.probe(path_in(folder, "n.store"), path), FAILED, r"a\x1b[2jb\x0dc.pcap")
    check("\033" not in result.err, f"{result}")


@test
def no_permission(folder):
    nobody = as_nobody(DARKLINE)
    good, store = capture(folder), path_in(folder, "sub/p.store")
    os.mkdir(os.path.dirname(store))
    give_away(os.path.dirname(store))
    secret = capture(folder, "secret.pcap")
    os.chmod(secret, 0)
    expect(DARKLINE.probe(store, secret, **nobody), FAILED, secret, "permission denied")
    expect(DARKLINE.probe(store, secret, good, **nobody), DAMAGED, secret, "permission denied")
    closed = path_in(folder, "closed")
    os.mkdir(closed, 0)
    expect(DARKLINE.probe(store, closed, **nobody), FAILED, closed, "permission denied")
    os.chmod(closed, 0o700)


@test
def good_and_bad_together(folder):
    store, missing = path_in(folder, "g.store"), path_in(folder, "missing.pcap")
    expect(DARKLINE.probe(store, missing, capture(folder)), DAMAGED, missing)
    equal(rows(store), FLOWS, "rows of the good one")


def compare_cut(folder, whole, cut, name, *texts):
    """The cut file gives what the whole one gives of the frames before the cut."""
    before, after = path_in(folder, f"{name}-whole.store"), path_in(folder, f"{name}-cut.store")
    expect(DARKLINE.probe(before, path_in(folder, f"{name}-whole", whole)), DONE)
    path = path_in(folder, f"{name}-cut", cut)
    expect(DARKLINE.probe(after, path), DAMAGED, path, "everything before the damage is kept", *texts)
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
        expect(DARKLINE.probe(store, path_in(folder, name, data)), DONE, "0 packets")
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
            expect(DARKLINE.probe(store, path), DAMAGED, path, "truncated", name.rsplit(".", maxsplit=1)[-1][:2])
        check(rows(store) > 100, f"{name}: only {rows(store)} rows kept")


@test
def archive_broken(folder):
    """A byte that changed in an archive is damage, not a crash nor silence."""
    packed = bytearray(gzip.compress(frames.pcap(line(2000))))
    packed[len(packed) // 2] ^= 0x55
    path = path_in(folder, "broken.pcap.gz", bytes(packed))
    expect(DARKLINE.probe(path_in(folder, "b.store"), path), DAMAGED, path)


@test
def content_decides(folder):
    """Compressed or not, pcap or pcapng: names say nothing."""
    all_frames, found = line(), []
    plain = frames.pcap(all_frames)
    for name, data in (("plain.txt", plain), ("gzip.pcap", gzip.compress(plain)), ("zstd.pcap.gz", zstd(plain)),
                       ("ng.pcap", frames.pcapng(all_frames)), ("nozip.zst", frames.pcapng(all_frames))):
        store = path_in(folder, name + ".store")
        expect(DARKLINE.probe(store, path_in(folder, name, data)), DONE)
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
    result = expect(DARKLINE.probe(store, mixed), DONE, "2 inputs")
    equal(rows(store), 7, "rows")
    check("notes" not in result.err and "empty" not in result.err, f"{result}")
    path_in(mixed, "cut.pcap", frames.pcap(frames.many_flows(6, 20000).frames)[:-5])
    expect(DARKLINE.probe(store, mixed), DAMAGED, "cut.pcap", "already in the store", "one.pcap", "two.data")


@test
def the_same_twice(folder):
    """In one call or a second one: read once, said so, exit 0."""
    store, good = path_in(folder, "t.store"), capture(folder)
    other = shutil.copy(good, path_in(folder, "other-name.pcap"))
    expect(DARKLINE.probe(store, good, good, other), DONE, "1 input,", "read once", good, other)
    expect(DARKLINE.probe(store, good), DONE, good, "already in the store, skipped")
    expect(DARKLINE.probe(store, other), DONE, other, "already in the store, skipped")
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


if __name__ == "__main__":
    DARKLINE = Darkline(arguments("DARKLINE")[0])
    sys.exit(main())
