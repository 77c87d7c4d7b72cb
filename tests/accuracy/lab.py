#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge's figures on the lab's captures, against the truth beside each.  lab.py DARKLINE CATALOG DIR... [--minimum] [--json FILE] [--rule ttl]

A flow of the truth is one of
  interfered  the middlebox acted on it as a third party
  innocent    the middlebox acted on it and is not to blame (a balancer, an expired mapping, a normaliser), or the server did it itself,
              or it is a flow of a case that plays an innocent (a bad line)
  lying       a resolver that is no stranger on the line gave the false answer itself
  untouched   nothing befell it: controls, visits before, questions
Attempts are all flows but questions for names nobody touched. An interfered flow is right when its mechanism is the truth's. It is provable when its
packets hold a contradiction, and it was not only haste, or three round trips to that server are in the capture. Proven is third-party with a
score above 0.1; nobody innocent or untouched may be given that. A lying resolver is no innocent: what is said of it is told apart, and counts for
nothing.
"""
import argparse
import collections
import concurrent.futures
import glob
import ipaddress
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

# pylint: disable=wrong-import-position
from vary import HELD_OUT  # noqa: E402

AT_ONCE = 2
SCORE_INNOCENT = 0.1   # at most: a third party that is innocent (design section 5)
ROUND_TRIPS_LEAST = 3  # known ones, before haste accuses anybody
TTL_APART = 3          # for the rule that looks at nothing else
LETTERS = {"a": "too soon", "b": "talks on", "c": "two contents", "d": "block page"}
# What the judge must reach, in percent: mechanism; the same for throttling; for every case; third parties proven.
LEAST_RIGHT, LEAST_THROTTLED, LEAST_CASE, LEAST_PROVEN = 98, 95, 90, 97


# ---- reading ----

def captures_in(folders):
    return sorted(path for folder in folders for path in glob.glob(os.path.join(folder, "**", "*.pcap"), recursive=True)
                  if os.path.exists(path[:-len("pcap")] + "json"))


def flows_of(darkline, catalog, capture):
    with tempfile.TemporaryDirectory() as work:
        store = os.path.join(work, "store")
        subprocess.run([darkline, "probe", "-q", "-r", capture, "-w", store, "--all-names", "--keep-addresses", "--catalog", catalog],
                       stdin=subprocess.DEVNULL, check=True)
        out = subprocess.run([darkline, "flows", store, "--json", "--catalog", catalog], stdout=subprocess.PIPE, check=True)
        return [json.loads(line) for line in out.stdout.splitlines()]


def truth_of(capture):
    with open(capture[:-len("pcap")] + "json", encoding="utf-8") as file:
        return json.load(file)


def ends(flow):
    question = flow.get("dns") or {}
    return (flow["client"], flow["client_port"], flow["server"], flow["server_port"], flow["transport"], question.get("qtype"), flow["start"])


# ---- what each flow is, and what was said of it ----

def class_of(case, truth):
    if truth.get("attribution") == "third-party" and "innocent" not in truth:
        return "interfered"
    if truth.get("by") == "resolver":
        return "lying"
    if any(key in truth for key in ("interference", "ends", "innocent")):
        return "innocent"
    return "innocent" if case.startswith("innocent-") and "dns" not in truth and truth.get("class") != "control" else "untouched"


def family_of(truth):
    """Of the injector; None where nothing was injected."""
    return truth.get("injector", "written") if "injected" in truth.get("interference", ()) else None


def judged(head, capture, truth, flow):
    """One line of the result: truth and opinion side by side."""
    letters = "".join(truth.get("contradiction", ()))
    kind = class_of(head["case"], truth)
    flow = flow or {}
    return {
        "capture": capture, "case": head["case"], "seed": head.get("seed"), "id": flow.get("id"), "class": kind,
        "attempt": kind != "untouched" or "dns" not in truth, "family": family_of(truth),
        "contradiction": letters, "round_trips": truth.get("round_trips", 0), "innocent": truth.get("innocent"),
        "provable": kind == "interfered" and (bool(set(letters) - {"a"}) or (letters == "a" and truth.get("round_trips", 0) >= ROUND_TRIPS_LEAST)),
        "asserted": "mechanism" in truth, "wanted": truth.get("mechanism"), "found": bool(flow), "mechanism": flow.get("mechanism"),
        "outcome": flow.get("outcome"), "attribution": flow.get("attribution"), "score": flow.get("score"), "evidence": flow.get("evidence", []),
        "proven": flow.get("attribution") == "third-party" and (flow.get("score") or 0) > SCORE_INNOCENT}


def judge_capture(darkline, catalog, capture, rule):
    truth = truth_of(capture)
    flows = {ends(flow): flow for flow in flows_of(darkline, catalog, capture)}
    lines = [judged(truth, capture, item, flows.pop(ends(item), None)) for item in truth["flows"]]
    lines += [judged(truth, capture, {"contradiction": []}, flow) for flow in flows.values()]  # nobody knows them: they must be untouched
    if rule == "ttl":
        by_ttl = judge_by_ttl(capture)
        for line, item in zip(lines, truth["flows"]):
            line["by_ttl"] = ends(item)[:5] + ((item["host"], item["dns"]["qtype"]) if "dns" in item else (None, None)) in by_ttl
    return lines


def judge_all(darkline, catalog, captures, rule=None):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        parts = pool.map(lambda capture: judge_capture(darkline, catalog, capture, rule), captures)
        return [line for part in parts for line in part]


def is_right(line):
    return line["found"] and line["mechanism"] == line["wanted"]


def is_throttling(line):
    return ".throttle" in (line["wanted"] or "")


def is_accused(line, proven="proven"):
    """Said to be a third party's, and it is not, or that one is innocent."""
    return line["class"] in ("innocent", "untouched") and line.get(proven, False)


def lacks_innocence(line):
    """An innocent third party was found, and not what makes it innocent."""
    return (line["innocent"] and line["attribution"] == "third-party"
            and (line["score"] is None or line["score"] > SCORE_INNOCENT or line["innocent"] not in {item["rule"] for item in line["evidence"]}))


def is_false_alarm(line):
    return line["class"] == "untouched" and line["asserted"] and not line["wanted"] and line["mechanism"]


# ---- a rule that looks at the TTL alone ----

QTYPES = {1: "A", 28: "AAAA"}


def question_of(message):
    """(name, type) that a DNS message asks about."""
    at, labels = 12, []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels), QTYPES.get(struct.unpack_from("!H", message, at + 1)[0])


def packets_of(capture):
    """(key, is it the server's, TTL, is it a reset, has it payload) of TCP and UDP in a microsecond Ethernet pcap; the key has the client's end first
    and the question last."""
    with open(capture, "rb") as file:
        raw = file.read()
    at, clients = 24, set()
    while at < len(raw):
        length, = struct.unpack_from("<I", raw, at + 8)
        frame, at = raw[at + 16:at + 16 + length], at + 16 + length
        ip, four = frame[14:], frame[12:14] == b"\x08\x00"
        protocol, ttl, start = (ip[9], ip[8], (ip[0] & 15) * 4) if four else (ip[6], ip[7], 40)
        if protocol not in (6, 17):
            continue
        addresses = [text_of(ip[12:16]), text_of(ip[16:20])] if four else [text_of(ip[8:24]), text_of(ip[24:40])]
        total = struct.unpack_from("!H", ip, 2)[0] if four else 40 + struct.unpack_from("!H", ip, 4)[0]
        ports = struct.unpack_from("!HH", ip, start)
        flags = ip[start + 13] if protocol == 6 else 0
        payload = total - start - ((ip[start + 12] >> 4) * 4 if protocol == 6 else 8)
        key = (addresses[0], ports[0], addresses[1], ports[1], "tcp" if protocol == 6 else "udp")
        back = key[2:4] + key[:2] + key[4:]
        if back not in clients:
            clients.add(key)
        asked = question_of(ip[start + 8:]) if protocol == 17 and 53 in ports else (None, None)
        yield (back if back in clients else key) + asked, back in clients, ttl, bool(flags & 4), payload > 0


def text_of(packed):
    return str(ipaddress.ip_address(packed))


def judge_by_ttl(capture):
    """Flows that it gives to a third party: a reset, or the server's first answer, comes from elsewhere than the server's other packets, or
    than its first in the capture where the flow has none."""
    flows, servers = collections.defaultdict(list), collections.defaultdict(list)
    for key, from_server, ttl, reset, payload in packets_of(capture):
        if from_server:
            flows[key].append((ttl, reset, payload))
            servers[key[2]].append(ttl)
    accused = set()
    for key, packets in flows.items():
        suspects = [number for number, (_, reset, _) in enumerate(packets) if reset]
        suspects += [number for number, (_, _, payload) in enumerate(packets) if payload][:1]
        others = [ttl for number, (ttl, _, _) in enumerate(packets) if number not in suspects] or servers[key[2]][:1]
        if any(abs(packets[number][0] - statistics.median(others)) >= TTL_APART for number in suspects):
            accused.add(key)
    return accused


# ---- figures ----

def share(part, whole):
    return f"{len(part)} of {len(whole)}" + (f" ({100 * len(part) / len(whole):.1f} %)" if whole else "")


def reaches(part, whole, least):
    return not whole or 100 * len(part) >= least * len(whole)


class Figures:
    def __init__(self, lines):
        self.lines = lines
        self.interfered = [line for line in lines if line["class"] == "interfered"]
        named = [line for line in self.interfered if line["asserted"]]
        self.plain = [line for line in named if not is_throttling(line)]
        self.throttled = [line for line in named if is_throttling(line)]
        self.cases = collections.defaultdict(list)
        for line in named:
            self.cases[line["case"]].append(line)
        self.contradicted = [line for line in self.interfered if line["contradiction"]]
        self.provable = [line for line in self.interfered if line["provable"]]
        self.accused = [line for line in lines if is_accused(line)]
        self.unexcused = [line for line in lines if lacks_innocence(line)]
        self.false_alarms = [line for line in lines if is_false_alarm(line)]

    def weak_cases(self):
        return {case: group for case, group in sorted(self.cases.items()) if not reaches([x for x in group if is_right(x)], group, LEAST_CASE)}

    def failures(self):
        """What falls short of the least there must be, as sentences."""
        out = []
        for what, group, good, least in (("mechanism right", self.plain, is_right, LEAST_RIGHT),
                                         ("throttling right", self.throttled, is_right, LEAST_THROTTLED),
                                         ("third party proven", self.provable, lambda line: line["proven"], LEAST_PROVEN)):
            part = [line for line in group if good(line)]
            if not reaches(part, group, least):
                out.append(f"{what}: {share(part, group)}, least {least} %")
        out += [f"case {case}: {share([x for x in group if is_right(x)], group)}, least {LEAST_CASE} %" for case, group in self.weak_cases().items()]
        out += [f"accused: {told(line)}" for line in self.accused] + [f"not excused: {told(line)}" for line in self.unexcused]
        return out


def told(line):
    rules = "; ".join(f"{item['rule']}: {item['detail']}" for item in line["evidence"])
    where = os.path.relpath(line["capture"])
    said = f"{line['mechanism']} (truth {line['wanted']}) {line['attribution']} {line['score']}"
    return f"{where} {line['id']} [{line['family'] or '-'}] {said} ({rules})"


def print_counts(figures):
    attempts = [line for line in figures.lines if line["attempt"]]
    kinds = collections.Counter(line["class"] for line in attempts)
    print(f"attempts {len(attempts)}: " + ", ".join(f"{kind} {kinds[kind]}" for kind in ("interfered", "lying", "innocent", "untouched")) + "; "
          f"questions for untouched names {len(figures.lines) - len(attempts)}; flows not found {sum(not line['found'] for line in figures.lines)}")


def print_mechanisms(figures):
    print(f"mechanism right: {share([x for x in figures.plain if is_right(x)], figures.plain)}; "
          f"throttling: {share([x for x in figures.throttled if is_right(x)], figures.throttled)}")
    innocents = [x for x in figures.lines if x["class"] == "innocent" and x["asserted"]]
    lying = [x for x in figures.lines if x["class"] == "lying"]
    print(f"mechanism right on innocents: {share([x for x in innocents if is_right(x)], innocents)}; "
          f"on a lying resolver's answers: {share([x for x in lying if is_right(x)], lying)}, "
          f"of which called a third party's {sum(x['proven'] for x in lying)}")
    for case, group in sorted(figures.cases.items()):
        wrong = collections.Counter(str(line["mechanism"]) for line in group if not is_right(line))
        if wrong:
            mark = "  under 90 %" if case in figures.weak_cases() else ""
            print(f"  {case:24} {share([x for x in group if is_right(x)], group)}, else {dict(wrong)}{mark}")


def print_proofs(figures):
    def proven(group):
        return share([line for line in group if line["proven"]], group)
    print(f"third party proven: {proven(figures.provable)} of the provable, {proven(figures.contradicted)} of all that hold a contradiction, "
          f"{proven([x for x in figures.interfered if not x['contradiction']])} of those that hold none")
    for letter, meaning in LETTERS.items():
        group = [line for line in figures.contradicted if letter in line["contradiction"]]
        alone = [line for line in group if line["contradiction"] == letter]
        firm = [line for line in alone if line["round_trips"] >= ROUND_TRIPS_LEAST]
        print(f"  {letter} {meaning:14}{proven(group)}; alone {proven(alone)}; alone, three round trips known {proven(firm)}")
    missed = collections.Counter((line["case"], line["contradiction"]) for line in figures.provable if not line["proven"])
    for (case, letters), count in sorted(missed.items()):
        print(f"  not proven: {case} ({letters}) {count}")


def print_innocents(figures):
    excused = [line for line in figures.lines if line["innocent"]]
    named = [line for line in excused if line["innocent"] in {item["rule"] for item in line["evidence"]}]
    print(f"accused without cause: {len(figures.accused)}; innocent third parties named such: {share(named, excused)}, "
          f"without their evidence {len(figures.unexcused)}")
    for line in figures.accused + figures.unexcused:
        print("  " + told(line))
    print(f"untouched flows with a mechanism: {len(figures.false_alarms)}")
    for line in figures.false_alarms:
        print("  " + told(line))


def print_families(figures):
    print("by family of injector: mechanism right; proven of the provable")
    families = collections.defaultdict(list)
    for line in figures.interfered:
        families[line["family"] or "nothing injected"].append(line)
    families["all held out"] = [line for line in figures.interfered if line["family"] in HELD_OUT]
    for family, group in sorted(families.items()):
        named, provable = [x for x in group if x["asserted"]], [x for x in group if x["provable"]]
        print(f"  {family:16} {share([x for x in named if is_right(x)], named):22} {share([x for x in provable if x['proven']], provable)}")


def print_reliability(figures):
    print("score by tenths: attempts, mean score, share really interfered with")
    tenths = collections.defaultdict(list)
    for line in figures.lines:
        if line["score"] is not None and line["attempt"]:
            tenths[min(int(line["score"] * 10), 9)].append(line)
    for tenth, group in sorted(tenths.items()):
        mean = statistics.mean(line["score"] for line in group)
        real = sum(line["class"] in ("interfered", "lying") for line in group) / len(group)
        print(f"  {tenth / 10:.1f}-{tenth / 10 + 0.1:.1f} {len(group):6} {mean:.3f} {real:.3f}")


def print_by_ttl(figures):
    proven = [line for line in figures.provable if line["by_ttl"]]
    accused = ttl_accused(figures)
    print(f"by the TTL alone: proven {share(proven, figures.provable)}, accused without cause {len(accused)}; "
          f"ours: {share([x for x in figures.provable if x['proven']], figures.provable)}, {len(figures.accused)}")
    for what, group in (("accuses", accused), ("misses", [line for line in figures.provable if not line["by_ttl"]])):
        counts = collections.Counter(line["case"] for line in group)
        print(f"  {what}: " + (", ".join(f"{case} {count}" for case, count in sorted(counts.items())) or "nobody"))


def ttl_accused(figures):
    return [line for line in figures.lines if is_accused(line, "by_ttl")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("darkline")
    parser.add_argument("catalog")
    parser.add_argument("folders", nargs="+", metavar="DIR")
    parser.add_argument("--minimum", action="store_true", help="exit status 1 when the figures fall short")
    parser.add_argument("--json", metavar="FILE", help="every flow, one a line")
    parser.add_argument("--rule", choices=("ttl",), help="what a rule that looks at the TTL alone would say, beside")
    options = parser.parse_args()
    began = time.monotonic()
    captures = captures_in(options.folders)
    figures = Figures(judge_all(options.darkline, options.catalog, captures, options.rule))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in figures.lines)
    print(f"{len(captures)} captures, {len(figures.lines)} flows, judged in {time.monotonic() - began:.1f} s")
    for part in (print_counts, print_mechanisms, print_proofs, print_innocents, print_families, print_reliability):
        part(figures)
    if options.rule == "ttl":
        print_by_ttl(figures)
    failures = figures.failures() if figures.interfered else ["nothing to judge"]
    for failure in failures if options.minimum else ():
        print("falls short:", failure)
    return 1 if options.minimum and failures else 0


if __name__ == "__main__":
    sys.exit(main())
