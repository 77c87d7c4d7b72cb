#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a report comes into its folder and into a bundle, and what is made of bundles of strangers.
test_report_publish.py DARKLINE SOURCE
"""
import base64
import glob
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import DONE, FAILED, Darkline, arguments, check, equal, expect, main, skip, test  # noqa: E402

DARKLINE, SOURCE = None, None
CLIENT = "198.18.7.9"
SIGNAL = "76.223.92.165"


def path_in(folder, *names):
    return os.path.join(folder, *names)


def capture(folder):
    """A client, and a service of the catalog that he reaches."""
    line = frames.Line()
    for port in range(40000, 40012):
        talk = frames.Talk(line, CLIENT, port, SIGNAL, 443)
        talk.send(frames.CLIENT, frames.client_hello("chat.signal.org"))
        talk.send(frames.SERVER, frames.server_hello())
        talk.finish()
    path = path_in(folder, "line.pcap")
    with open(path, "wb") as file:
        file.write(frames.pcap(line.frames))
    return path


def make_store(folder, *options):
    store = path_in(folder, "line.store")
    for old in glob.glob(store + "*"):
        os.remove(old)
    expect(DARKLINE.run("probe", "-r", capture(folder), "-w", store, "--origin", "lab", *options), DONE)
    return store


def make_report(folder, store, name="report", *options):
    report = path_in(folder, name)
    expect(DARKLINE.run("report", store, "-o", report, "--no-pictures", *options), DONE)
    return report


def contents(folder):
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                found[os.path.relpath(os.path.join(place, name), folder)] = file.read()
    return found


# ---- the folder ----

@test
def the_manifest_says_what_there_is(folder):
    report = make_report(folder, make_store(folder))
    files = contents(report)
    listed = {}
    for line in files.pop("MANIFEST").decode().splitlines():
        if not line.startswith("#"):
            digest, size, name = line.split("  ")
            listed[name] = (digest, int(size))
    equal(listed, {name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()}, "MANIFEST")
    equal([name for name in os.listdir(report) if name.startswith(".")], [], "what is left behind")


@test
def nothing_of_the_old_report_stays(folder):
    store = make_store(folder)
    report = make_report(folder, store)
    os.makedirs(path_in(report, ".darkline-new", "charts"))  # of one that was killed
    os.makedirs(path_in(report, "charts"), exist_ok=True)
    with open(path_in(report, "charts", "timeline-gone.svg"), "w", encoding="utf-8") as file:
        file.write("<svg/>")
    digest = hashlib.sha256(b"<svg/>").hexdigest()
    with open(path_in(report, "MANIFEST"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    lines.append(f"{digest}  6  charts/timeline-gone.svg")
    head, rest = [line for line in lines if line[0] == "#"], [line for line in lines if line[0] != "#"]
    with open(path_in(report, "MANIFEST"), "w", encoding="utf-8") as file:
        file.write("\n".join(head + sorted(rest, key=lambda line: line.split("  ")[2])) + "\n")
    with open(path_in(report, "notes.txt"), "w", encoding="utf-8") as file:
        file.write("mine\n")
    make_report(folder, store)
    check(not os.path.exists(path_in(report, "charts", "timeline-gone.svg")), "a picture of the old report is left")
    check(not os.path.exists(path_in(report, ".darkline-new")), "the folder of a killed one is left")
    check(os.path.exists(path_in(report, "notes.txt")), "somebody's file is gone")
    expect(DARKLINE.run("report", "--verify", report), DONE)


@test
def a_leak_publishes_nothing(folder):
    """A probe's name holds what must stay: then the old report stays as well."""
    before = None
    store = make_store(folder)
    pseudonym = DARKLINE.flows(store)[0]["client"]
    report = make_report(folder, store)
    before = contents(report)
    number = int.from_bytes(bytes(map(int, CLIENT.split("."))), "big")
    kept = ("--keep-addresses",)
    for what, options in ((CLIENT, ()), (CLIENT.replace(".", "%2e"), ()), (CLIENT.replace(".", "&#46;"), ()),
                          (".".join(reversed(CLIENT.split("."))) + ".in-addr.arpa", ()), (pseudonym, ("--key", store + ".key")),
                          ("dsl-" + CLIENT.replace(".", "-"), kept), (f"{number:08x}", kept), (str(number), kept),
                          (base64.b64encode(CLIENT.encode()).decode(), kept)):
        other = path_in(folder, "other.store")
        for old in glob.glob(other + "*"):
            os.remove(old)
        expect(DARKLINE.run("probe", "-r", capture(folder), "-w", other, "--probe-id", what, *options), DONE)
        result = DARKLINE.run("report", other, "-o", report, "--no-pictures", "--min-clients", "1")
        expect(result, FAILED, ": byte ")
        check(what not in result.err and CLIENT not in result.err, f"the leak is repeated: {result.err}")
        equal(contents(report), before, f"the old report after {what}")


@test
def one_report_at_a_time(folder):
    import fcntl  # pylint: disable=import-outside-toplevel
    store = make_store(folder)
    report = make_report(folder, store)
    handle = os.open(report, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    expect(DARKLINE.run("report", store, "-o", report, "--no-pictures"), FAILED, "another report is being written")
    os.close(handle)
    make_report(folder, store)


@test
def folders_that_cannot_be(folder):
    store = make_store(folder)
    with open(path_in(folder, "file"), "w", encoding="utf-8"):
        pass
    expect(DARKLINE.run("report", store, "-o", path_in(folder, "file")), FAILED, "file")
    expect(DARKLINE.run("report", store, "-o", path_in(folder, "no", "where")), FAILED, "no such file")


@test
def pictures_and_print_are_the_same_each_time(folder):
    for program in ("rsvg-convert", "weasyprint"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    store = path_in(folder, "demo.store")
    captures = sorted(glob.glob(path_in(SOURCE, "pcaps", "demo-*.zst")))
    expect(DARKLINE.run("probe", "-r", *captures, "-w", store), DONE)
    made = []
    for name in ("first", "second"):
        expect(DARKLINE.run("report", store, "-o", path_in(folder, name), timeout=600), DONE)
        made.append(contents(path_in(folder, name)))
    pictures = [name for name in made[0] if name.endswith(".png")]
    equal(sorted(name[:-4] for name in pictures), sorted(name[:-4] for name in made[0] if name.endswith(".svg")), "pictures")
    check(pictures and all(made[0][name].startswith(b"\x89PNG") for name in pictures), "no PNG")
    check(made[0]["report.pdf"].startswith(b"%PDF-"), "no PDF")
    check("print.html" not in made[0], "what weasyprint read was left behind")
    equal({name for name in made[0] if made[0][name] != made[1].get(name)}, set(), "files that differ")
    expect(DARKLINE.run("report", "--verify", path_in(folder, "first")), DONE)


# ---- bundles ----

def keys(folder):
    if not shutil.which("minisign"):
        skip("minisign is not installed")
    secret, public = path_in(folder, "secret"), path_in(folder, "public")
    subprocess.run(["minisign", "-G", "-W", "-p", public, "-s", secret], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return secret, public


@test
def a_bundle_is_the_same_each_time(folder):
    secret, public = keys(folder)
    store, bundles = make_store(folder), [path_in(folder, n, "line.tar.zst") for n in "ab"]
    for n, bundle in enumerate(bundles):
        os.mkdir(os.path.dirname(bundle))
        make_report(folder, store, f"report{n}", "--bundle", bundle, "--sign", secret)
    data = [open(bundle, "rb").read() for bundle in bundles]  # pylint: disable=consider-using-with
    check(data[0] == data[1], "two bundles of one report differ")
    expect(DARKLINE.run("report", "--verify", bundles[0]), DONE)
    expect(DARKLINE.run("report", "--verify", bundles[0], "--public-key", public), DONE)
    with open(public, encoding="utf-8") as file:
        text = file.read().splitlines()[1]
    expect(DARKLINE.run("report", "--verify", bundles[0], "--public-key", text), DONE)
    os.mkdir(path_in(folder, "other"))
    _, other = keys(path_in(folder, "other"))
    expect(DARKLINE.run("report", "--verify", bundles[0], "--public-key", other), FAILED, "not by this key")
    expect(DARKLINE.run("report", "--verify", bundles[0], "--public-key", path_in(folder, "none")), FAILED, "no such file")


@test
def a_key_that_cannot_sign(folder):
    secret, _ = keys(folder)
    store = make_store(folder)
    bundle = path_in(folder, "a.tar.zst")
    for key, data in (("missing", None), ("wrong", b"untrusted comment: nothing\nAAAA\n")):
        path = path_in(folder, key)
        if data is not None:
            with open(path, "wb") as file:
                file.write(data)
        expect(DARKLINE.run("report", store, "-o", path_in(folder, "report"), "--no-pictures", "--bundle", bundle, "--sign", path), FAILED, key)
        check(not os.path.exists(bundle), "a bundle without the signature that was asked for")
    check(os.path.exists(secret), "the key is gone")


@test
def unsigned_is_said(folder):
    _, public = keys(folder)
    bundle = path_in(folder, "a.tar.zst")
    make_report(folder, make_store(folder), "report", "--bundle", bundle)
    expect(DARKLINE.run("report", "--verify", bundle), DONE)
    expect(DARKLINE.run("report", "--verify", bundle, "--public-key", public), FAILED, "nobody signed it")


def unpacked(bundle):
    raw = subprocess.run(["zstd", "-dc", bundle], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        return [(member, archive.extractfile(member).read()) for member in archive]


def packed(folder, members, name="hostile.tar.zst"):
    """Members as they are given: pairs of a TarInfo and its bytes."""
    plain = path_in(folder, "hostile.tar")
    with tarfile.open(plain, "w", format=tarfile.USTAR_FORMAT) as archive:
        for member, data in members:
            if member.isreg():
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    path = path_in(folder, name)
    subprocess.run(["zstd", "-q", "-f", plain, "-o", path], check=True)
    return path


def member_named(name, kind=tarfile.REGTYPE, link=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@test
def bundles_of_strangers(folder):
    if not shutil.which("zstd"):
        skip("zstd is not installed")
    bundle = path_in(folder, "good.tar.zst")
    make_report(folder, make_store(folder), "report", "--bundle", bundle)
    good = unpacked(bundle)
    top = good[0][0].name.split("/")[0]
    expect(DARKLINE.run("report", "--verify", packed(folder, good)), DONE)
    longer = [(member, data + b"\n" if member.name.endswith("index.html") else data) for member, data in good]
    for what, members, why in (
            ("changed", [(m, d + b"x" if m.name.endswith("cells.csv") else d) for m, d in good], "not what MANIFEST says"),
            ("longer", longer, "not what MANIFEST says"),
            ("missing", [pair for pair in good if not pair[0].name.endswith("flows.csv")], "is missing"),
            ("more", good + [(member_named(f"{top}/more.csv"), b"x")], "not in MANIFEST"),
            ("twice", good + [(member_named(good[2][0].name), good[2][1])], "twice"),
            ("no manifest", good[1:], "no report"),
            ("absolute", good + [(member_named("/etc/darkline-test"), b"x")], "no name that a report has"),
            ("dots", good + [(member_named(f"{top}/../../darkline-test"), b"x")], "no name that a report has"),
            ("deep", good + [(member_named(f"{top}/a/b/c"), b"x")], "no name that a report has"),
            ("hidden", good + [(member_named(f"{top}/.profile"), b"x")], "no name that a report has"),
            ("controls", good + [(member_named(f"{top}/a\x1b[2Jb"), b"x")], "no name that a report has"),
            ("symlink", good + [(member_named(f"{top}/a.csv", tarfile.SYMTYPE, "/etc/passwd"), b"")], "no plain file"),
            ("hard link", good + [(member_named(f"{top}/a.csv", tarfile.LNKTYPE, "/etc/passwd"), b"")], "no plain file"),
            ("device", good + [(member_named(f"{top}/a.csv", tarfile.CHRTYPE), b"")], "no plain file"),
            ("folder", good + [(member_named(f"{top}/charts", tarfile.DIRTYPE), b"")], "no plain file"),
            ("large manifest", [(member_named(good[0][0].name), good[0][1] + b"# x\n" * 200000)] + good[1:], "too large"),
            ("many", good + [(member_named(f"{top}/a{n}"), b"") for n in range(1100)], "")):
        result = DARKLINE.run("report", "--verify", packed(folder, members))
        expect(result, FAILED, why)
        check("\x1b" not in result.err, f"{what}: controls are repeated")
    equal([name for name in os.listdir(folder) if "darkline-test" in name], [], "what was written")
    check(not os.path.exists("/etc/darkline-test"), "written outside")


@test
def what_is_no_bundle(folder):
    for name, data in (("empty", b""), ("text", b"hello\n" * 100), ("zip", b"PK\x03\x04" + bytes(100)), ("zstd", b"\x28\xb5\x2f\xfd" + bytes(50))):
        path = path_in(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        expect(DARKLINE.run("report", "--verify", path), FAILED, name)
    expect(DARKLINE.run("report", "--verify", path_in(folder, "nothing")), FAILED, "no such file")
    expect(DARKLINE.run("report", "--verify", folder), FAILED, "no report")


@test
def a_bomb_is_not_unpacked(folder):
    """A gigabyte of zeros in a file that the manifest knows as short."""
    if not shutil.which("zstd"):
        skip("zstd is not installed")
    bundle = path_in(folder, "good.tar.zst")
    make_report(folder, make_store(folder), "report", "--bundle", bundle)
    good = unpacked(bundle)
    big = [(member, bytes(64 << 20) if member.name.endswith("cells.csv") else data) for member, data in good]
    expect(DARKLINE.run("report", "--verify", packed(folder, big)), FAILED, "not what MANIFEST says")


if __name__ == "__main__":
    DARKLINE, SOURCE = arguments("DARKLINE", "SOURCE")
    DARKLINE = Darkline(DARKLINE)
    sys.exit(main())
