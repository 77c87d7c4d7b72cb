#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which injectors are named on real captures, and on none that nobody interfered with?  injectors.py DARKLINE REAL_DATA CATALOG SOURCE

WANTED is what the captures hold: the entries of the catalog were measured on the same ones, so that this shows the comparison at work and not
that the entries are right. What is new is the silence on `negatives`, and on the laboratory's innocents.
"""
import collections
import glob
import os
import sys

sys.dont_write_bytecode = True

from verdicts import SKIPPED, flows_of, is_capture  # noqa: E402  pylint: disable=wrong-import-position

# How many flows of the folder are named so.
WANTED = {
    "centrace/decisive": {"gfw-ii": 6, "om-copied-header": 1, "pt-redirect-123": 2, "ru-copied-header": 1},
    "centrace/full": {"gfw-ii": 1, "om-copied-header": 1, "pt-redirect-123": 2, "ru-copied-header": 20},
    "tripwire": {"in-airtel": 3},
    "dns_injection_lab": {},
    "http_injection": {},
}
# Of the laboratory: what its middlebox plays, by a part of the case's name; innocents are named never, others whatever they look like.
LAB = {"gfw-two": {"gfw-ii": 1}, "innocent": {}}


def names_of(flows):
    names = collections.Counter()
    for flow in flows:
        for item in flow["evidence"]:
            if item["rule"] == "injector":
                names[item["detail"].split("device family: ")[1].split(" (")[0]] += 1
    return names


def captures_of(folder):
    paths = sorted(glob.glob(os.path.join(folder, "**", "*"), recursive=True))
    return [path for path in paths if os.path.isfile(path) and is_capture(path)]


def main():
    darkline, real_data, catalog, source = sys.argv[1:5]
    failed = False

    def compare(what, paths, wanted):
        names = collections.Counter()
        for path in paths:
            names += names_of(flows_of(darkline, catalog, path))
        good = bool(paths) and (wanted is None or dict(names) == wanted)
        print(f"{what}: {len(paths)} captures, named {dict(sorted(names.items()))}{'' if good else f', wanted {wanted}'}")
        return not good

    for path in captures_of(os.path.join(source, "pcaps", "lab", "interference")):
        name = os.path.basename(path)[:-5]
        wanted = [names for part, names in LAB.items() if part in name]
        failed |= compare(f"lab {name}", [path], wanted[0] if wanted else None)
    if not os.path.isdir(os.path.join(real_data, "interference")):
        print(f"skipped the rest: no real captures in {real_data}")
        return 1 if failed else SKIPPED
    for folder, wanted in WANTED.items():
        failed |= compare(folder, captures_of(os.path.join(real_data, "interference", folder)), wanted)
    failed |= compare("negatives", captures_of(os.path.join(real_data, "negatives")), {})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
