#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge on the committed captures of interference, every flow of their truth.  lab_committed.py DARKLINE CATALOG DIR

What it misses is listed here by case, with the reason; a miss that is not listed fails the test, and so does a listed one that is missed no
more: then the list is out of date. A rule that looks at the TTL alone must fail here.
"""
import collections
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import lab  # noqa: E402

ONE_TRIP = "only one round trip to that server is in the capture: haste accuses nobody before three"
UNPROVEN = "nobody is accused there, so nobody need be excused; the score says it where the house is known"
KNOWN = {
    "house-company-proxy": {"mechanism None, truth tls.mitm.ca_signed": "TLS 1.3, or a name whose usual signer is not known",
                            "not named near-client": UNPROVEN},
    "house-dns-nxdomain": {"not named near-client": UNPROVEN},
    "house-dns-zero": {"not named near-client": UNPROVEN},
    "house-filter-inside": {"not named near-client": UNPROVEN},
    "house-filter-rst": {"not named near-client": ONE_TRIP},
    "house-filter-rst-farther": {"not named near-client": ONE_TRIP},
    "house-portal": {"mechanism None, truth http.redirect": "a portal speaks from the beginning: its redirects are like any server's",
                     "not named near-client": UNPROVEN},
    "house-resolver": {"not named near-client": UNPROVEN},
    "innocent-mapping-hour": {"not named idle-expiry": "excused by its score; the reset is not shown to be forged"},
    "innocent-mapping-reset": {"not named idle-expiry": "excused by its score; the reset is not shown to be forged"},
    "mitm-resigned-13": {"mechanism stream.reset, truth None": "the client leaves a proxy it does not trust: its own doing, as far as packets say"},
    "server-rst-goes-on": {"mechanism None, truth tls.reset.other": "the client only repeats itself, as a program with raw sockets might",
                           "not proven (b)": "the client only repeats itself, as a program with raw sockets might"},
    "sni-rst-gfw-two": {"not proven (a)": ONE_TRIP},
    "sni-rst-mirror-in-path": {"not proven (a)": ONE_TRIP},
    "syn-rst-ack-mirror": {"not proven (a)": "the port that refuses never answered"},
    "view-begins": {"not proven (a)": "the handshake is not in the capture"},
    "view-span": {"not proven (a)": ONE_TRIP},
    "view-step-back": {"not proven (a)": ONE_TRIP},
}

KNOWN |= {"shape-150": {"mechanism None, truth stream.throttle": "no other flow of that line was quicker, so it may be the line"}}


def misses(line):
    if not line["found"]:
        yield "no such flow"
    elif line["asserted"] and not lab.is_right(line):
        yield f"mechanism {line['mechanism']}, truth {line['wanted']}"
    if line["class"] == "interfered" and line["contradiction"] and not line["proven"]:
        yield f"not proven ({line['contradiction']})"
    if line["class"] == "interfered" and not line["contradiction"] and line["proven"]:
        yield "proven without a contradiction"
    if lab.is_accused(line):
        yield "accused without cause"
    if line["innocent"] and (line["attribution"] != "third-party" or lab.lacks_innocence(line)):
        yield f"not named {line['innocent']}"


def compare(lines):
    """Sentences: what is not as listed."""
    found = collections.defaultdict(collections.Counter)
    for line in lines:
        found[line["case"]].update(misses(line))
    for case in sorted(set(found) | set(KNOWN)):
        listed = KNOWN.get(case, {})
        for miss, count in found[case].items():
            if miss not in listed:
                yield f"{case}: {miss} ({count} flows)"
        for miss in listed:
            if miss not in found[case]:
                yield f"{case}: listed as missed, and is not any more: {miss}"


def wrong_with_strawman(lines):
    figures = lab.Figures(lines)
    missed = {line["case"] for line in figures.contradicted if not line["by_ttl"]}
    accused = {line["case"] for line in lab.ttl_accused(figures)}
    if "innocent-balancer" not in accused:
        yield f"by the TTL alone no balancer is accused: {sorted(accused)}"
    if "sni-rst-mirror-in-path" not in missed:
        yield f"by the TTL alone a mirror is not missed: {sorted(missed)}"


def main():
    darkline, catalog, folder = sys.argv[1:4]
    captures = lab.captures_in([folder])
    lines = lab.judge_all(darkline, catalog, captures, "ttl")
    wrong = list(compare(lines)) + list(wrong_with_strawman(lines))
    for sentence in wrong:
        print(sentence)
    for line in lines:
        if any(sentence.startswith(line["case"] + ":") for sentence in wrong) and any(misses(line)):
            print("  " + lab.told(line))
    figures = lab.Figures(lines)
    lab.print_counts(figures)
    lab.print_by_ttl(figures)
    return 1 if wrong or len(captures) < 15 else 0


if __name__ == "__main__":
    sys.exit(main())
