#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `darkline catalog` shows: every kind in words and as JSON, each fact with a source that is there.  test_catalog.py DARKLINE SOURCE"""
import glob
import json
import os
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import DONE, FAILED, Darkline, arguments, check, equal, expect, main, test  # noqa: E402

KINDS = ("services", "carriers", "orders", "blockpages", "injectors")
DARKLINE, CATALOG = None, None


def run(*words):
    return DARKLINE.run("catalog", *words, "--catalog", CATALOG)


def entries(kind):
    result = run(kind, "--json")
    expect(result, DONE)
    return json.loads(result.out)[kind]


def files(room):
    return sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(CATALOG, room, "*.yaml")))


@test
def every_file_is_listed(_folder):
    for kind in ("carriers", "orders", "blockpages", "injectors"):
        equal([entry["id"] for entry in entries(kind)], files(kind), kind)
    listed = run()
    expect(listed, DONE)
    for kind in KINDS:
        check(f" {kind}\n" in listed.out, f"{kind} are not counted")


@test
def facts_have_sources(_folder):
    for page in entries("blockpages"):
        known = {source["id"] for source in page["sources"]}
        check(page["patterns"] and all(pattern["source"] in known for pattern in page["patterns"]), page["id"])
    for injector in entries("injectors"):
        known = {source["id"] for source in injector["sources"]}
        facts = [*injector["seen"], *(fact for packet in injector["packets"] for fact in packet["features"])]
        check(injector["seen"] and injector["packets"], injector["id"])
        check(all(fact["source"] in known for fact in facts), injector["id"])


@test
def one_entry(_folder):
    """By its id, alone or with its kind; not with another kind."""
    for words in (["gfw-ii"], ["injectors", "gfw-ii"]):
        shown = run(*words)
        expect(shown, DONE)
        for text in ("injector gfw-ii", "rst+ack [sp25]", "telling enough", "(checked 2026-"):
            check(text in shown.out, f"no {text}: {shown}")
    check("names nothing" in run("gfw-i").out, "what is too vague is not said to be")
    equal(json.loads(run("gfw-ii", "--json").out)["packets"][0]["named"], True, "named")
    equal(json.loads(run("pk-surf-safely", "--json").out)["scope"], "nation", "scope")
    check("block page pk-surf-safely" in run("blockpages", "pk-surf-safely").out, "no block page")
    expect(run("services", "gfw-ii"), FAILED, "gfw-ii")


@test
def a_broken_entry(folder):
    """Named with its file and line, by whatever command needs the catalog."""
    broken = os.path.join(folder, "catalog")
    for room in ("services", "injectors"):
        os.makedirs(os.path.join(broken, room))
    with open(os.path.join(CATALOG, "services", "signal.yaml"), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(broken, "services", "signal.yaml"), "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(CATALOG, "injectors", "henan.yaml"), encoding="utf-8") as file:
        text = file.read()
    for old, new, why in (("what: df", "what: colour", "henan.yaml: line 14"), ("is: clear", "is: perhaps", "henan.yaml: features entry 2")):
        with open(os.path.join(broken, "injectors", "henan.yaml"), "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))
        expect(DARKLINE.run("catalog", "--catalog", broken), FAILED, why)


if __name__ == "__main__":
    PROGRAM, SOURCE = arguments("DARKLINE", "SOURCE")
    DARKLINE, CATALOG = Darkline(PROGRAM), os.path.join(SOURCE, "catalog")
    sys.exit(main())
