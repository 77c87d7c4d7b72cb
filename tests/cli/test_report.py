#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as a person makes them.  test_report.py DARKLINE SOURCE

Of the demonstration: what each option does, that the same stores give the same files, and that what is wrong is said.
"""
import glob
import json
import os
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import DONE, FAILED, USAGE, Darkline, arguments, check, equal, expect, main, test  # noqa: E402

DARKLINE, SOURCE = None, None
SERVICE = "blackberry-bes"
TEXTS = ("index.html", "report.json", "events.csv", "cells.csv", "flows.csv", "measurements.jsonl")
WATCH_SECONDS = 60


def path_in(folder, name):
    return os.path.join(folder, name)


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def demonstration(folder, *carriers):
    """A store of the demonstration's captures."""
    store = path_in(folder, "demo.store")
    carriers = carriers or ("abroad", "jazz", "telenor", "ufone", "zong")
    captures = [os.path.join(SOURCE, "pcaps", f"demo-{name}.pcap.zst") for name in carriers]
    expect(DARKLINE.run("probe", "-r", *captures, "-w", store, "-q"), DONE)
    return store


def report(store, folder, *words, code=DONE, **options):
    return expect(DARKLINE.run("report", store, "-o", folder, "--no-pictures", *words, **options), code)


def object_of(folder):
    return json.loads(bytes_of(os.path.join(folder, "report.json")))


@test
def same_bytes(folder):
    """Whatever the clock's zone, the locale, the folder and how often."""
    store, first, second = demonstration(folder), path_in(folder, "first"), path_in(folder, "deep/second")
    os.mkdir(path_in(folder, "deep"))
    report(store, first)
    report(store, second, env=dict(os.environ, TZ="Asia/Karachi", LC_ALL="de_DE.UTF-8", LANG="ur_PK.UTF-8"))
    for name in TEXTS:
        equal(bytes_of(os.path.join(second, name)), bytes_of(os.path.join(first, name)), name)
    report(store, first)
    equal(bytes_of(os.path.join(first, "MANIFEST")), bytes_of(os.path.join(second, "MANIFEST")), "MANIFEST")


@test
def headline(folder):
    """The order of the demonstration was carried out by three carriers, one of which it does not name."""
    out = path_in(folder, "out")
    report(demonstration(folder), out)
    said = object_of(out)
    equal(said["report"]["headline"]["kind"], "order-carried-out", "headline")
    equal(sorted(event["carrier"] for event in said["events"]), ["jazz", "ufone", "zong"], "carriers with events")
    page = bytes_of(os.path.join(out, "index.html"))
    check(len(page) < 1000000, "the page is too large")
    check(b"jazz" in page and b"pta-bes-2015" in page, "the page does not tell of the order")
    for when in (event["onset"]["earliest"] for event in said["events"]):
        check(when.endswith(":00:00Z") or when.endswith(":00:00.000000Z"), f"not a whole hour: {when}")


@test
def narrowed(folder):
    """One carrier, one service, one event, a time."""
    store, out = demonstration(folder), path_in(folder, "out")
    report(store, out)
    event = next(event["id"] for event in object_of(out)["events"] if event["carrier"] == "ufone")
    for words in (["--event", event], ["--carrier", "ufone"], ["--carrier", "ufone", "--service", SERVICE]):
        report(store, out, *words)
        equal([event["id"] for event in object_of(out)["events"]], [event], f"events with {words}")
    report(store, out, "--service", "blackberry-bis")
    equal(object_of(out)["events"], [], "events of a service that worked")
    report(store, out, "--until", "2015-11-25")
    equal(object_of(out)["events"], [], "events before any began")
    report(store, out, "--since", "2015-12-08T12:00:00Z")
    equal(sorted(event["carrier"] for event in object_of(out)["events"]), ["jazz", "ufone"], "events that went on")


@test
def unknown(folder):
    """What is not there is said, with what is near it, and nothing is written."""
    store, out = demonstration(folder, "jazz", "abroad"), path_in(folder, "out")
    report(store, out, "--carrier", "jaz", code=FAILED)
    for words, texts in ((["--carrier", "jaz"], ["jaz", "jazz"]), (["--service", "blackbery-bes"], [SERVICE]),
                         (["--event", "jazz.blackberry"], ["jazz.blackberry-bes.blocked"])):
        expect(DARKLINE.run("report", store, "-o", out, *words), FAILED, *texts)
    check(not os.path.exists(os.path.join(out, "index.html")), "a page was written")


@test
def wrong_usage(folder):
    store, out = path_in(folder, "never.store"), path_in(folder, "out")
    for words, text in (
            ([store, "-o", out, "--language", "xx"], "en"), ([store, "-o", out, "--lang", "xx"], "en"),
            ([store, "-o", out, "--min-clients", "0"], "--min-clients"),
            ([store, "-o", out, "--sign", "key"], "--bundle"), ([store, "-o", out, "--public-key", "key"], "--verify"),
            ([store, "--verify", out], "--verify"), (["--verify", out, "-o", out], "--verify"),
            ([store, "-o", out, "--embargo-until", "soon"], "soon"), ([store, "-o", out, "--watch", "often"], "often"),
            ([store, "-o", out, "--watch", "1", "--bundle", "b"], "--watch"),
            ([store, "-o", out, "--since", "2016-01-01", "--until", "2015-01-01"], "--until")):
        equal(expect(DARKLINE.run("report", *words), USAGE, text).out, "", f"standard output of {words}")
    expect(DARKLINE.run("report", store, "-o", out), FAILED, "never.store")
    expect(DARKLINE.run("report", "--verify", out), FAILED, "out")


@test
def marks(folder):
    """A draft and an embargo are marked, and the page is in the language that was asked for."""
    store, out = demonstration(folder, "jazz"), path_in(folder, "out")
    report(store, out, "--draft", "--embargo-until", "2030-01-02", "--language", "ur")
    page = bytes_of(os.path.join(out, "index.html"))
    check(b'lang="ur"' in page and b'dir="rtl"' in page, "the page is not in Urdu")
    said = object_of(out)["report"]
    check(said["draft"] is True, "report.json is no draft")
    check("2030-01-02" in json.dumps(said), "report.json does not tell the embargo")
    report(store, out, "--contact", "desk@example.org <b>")
    page = bytes_of(os.path.join(out, "index.html"))
    check(b"right of reply: desk@example.org &lt;b&gt;." in page, "the page does not tell the contact")
    report(store, out, "--contact", "", code=USAGE)


@test
def floor(folder):
    """Of people's lines nothing is told that fewer clients than the floor stand behind."""
    store, out = path_in(folder, "field.store"), path_in(folder, "out")
    capture = os.path.join(SOURCE, "pcaps", "demo-jazz.pcap.zst")
    expect(DARKLINE.run("probe", "-r", capture, "-w", store, "-q", "--origin", "field"), DONE)
    report(store, out)
    said, rows = object_of(out), bytes_of(os.path.join(out, "cells.csv")).decode().splitlines()
    column = rows[0].split(",").index("clients")
    check(len(rows) > 10, "no cells at all")
    check(all(int(row.split(",")[column]) >= 3 for row in rows[1:]), "a cell of too few clients")
    check(said["withheld"]["cells"] > 0, "nothing was withheld")
    report(store, out, "--min-clients", "1")
    equal(object_of(out)["withheld"]["cells"], 0, "cells withheld without a floor")
    report(store, out, "--min-clients", "1000")
    said = object_of(out)
    equal((said["events"], said["pairs"], said["cards"]), ([], [], []), "told of too few")
    check(said["withheld"]["events"] > 0 and said["withheld"]["pairs"] > 0, "withheld is not counted")
    equal(said["report"]["headline"]["kind"], "not-enough", "headline")
    equal(len(bytes_of(os.path.join(out, "flows.csv")).splitlines()), 1, "lines of flows.csv")


@test
def run_hands_on_no_store(folder):
    """The store, its key and its verdicts lie beside the report and are no part of it."""
    out, bundle = path_in(folder, "out"), path_in(folder, "b.tar.zst")
    captures = sorted(glob.glob(os.path.join(SOURCE, "pcaps", "demo-[jz]*.pcap.zst")))
    expect(DARKLINE.run("run", *captures, "-o", out, "--no-pictures", "--bundle", bundle), DONE, "bundle")
    check(os.path.exists(os.path.join(out, "flows.store.key")), "no key: the test tests nothing")
    check(b"flows.store" not in bytes_of(os.path.join(out, "MANIFEST")), "MANIFEST lists the store")
    expect(DARKLINE.run("report", "--verify", bundle), DONE)
    expect(DARKLINE.run("run", *captures, "-o", out, "--no-pictures"), DONE)  # again, over the old one
    expect(DARKLINE.run("report", "--verify", out), DONE)


@test
def verified(folder):
    """A folder and a bundle are what they were; changed ones are not."""
    store, out, bundle = demonstration(folder, "jazz"), path_in(folder, "out"), path_in(folder, "b.tar.zst")
    report(store, out, "--bundle", bundle)
    for path in (out, bundle):
        check("not signed" in expect(DARKLINE.run("report", "--verify", path), DONE).out, "signed by nobody")
    changed = path_in(folder, "changed")
    shutil.copytree(out, changed)
    with open(os.path.join(changed, "events.csv"), "ab") as file:
        file.write(b"x\r\n")
    expect(DARKLINE.run("report", "--verify", changed), FAILED, "events.csv")


@test
def watched(folder):
    """The page is written once, again when the store grows, and not otherwise; an interrupt ends it well."""
    store, out = demonstration(folder, "jazz"), path_in(folder, "out")
    log_path = path_in(folder, "log")
    with open(log_path, "wb") as log:
        watching = DARKLINE.start("report", store, "-o", out, "--watch", "1", stderr=log)

        def wait_for(text, times):
            deadline = time.monotonic() + WATCH_SECONDS
            while bytes_of(log_path).count(text) < times:
                check(time.monotonic() < deadline and watching.poll() is None, f"{text!r} was not said {times} times")
                time.sleep(0.1)

        try:
            wait_for(b"nothing new", 1)
            equal(bytes_of(log_path).count(b"index.html"), 1, "pages written")
            capture = os.path.join(SOURCE, "pcaps", "demo-abroad.pcap.zst")
            expect(DARKLINE.run("probe", "-r", capture, "-w", store, "-q"), DONE)
            wait_for(b"index.html", 2)
        finally:
            watching.send_signal(signal.SIGINT)
            code = watching.wait(WATCH_SECONDS)
        equal(code, DONE, "exit code after an interrupt")
    equal({carrier["id"] for carrier in object_of(out)["carriers"]}, {"jazz", "as3320"}, "carriers in the end")


if __name__ == "__main__":
    DARKLINE, SOURCE = arguments("DARKLINE", "SOURCE")
    DARKLINE = Darkline(DARKLINE)
    sys.exit(main())
