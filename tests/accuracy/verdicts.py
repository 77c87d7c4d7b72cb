#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the judge name what befell real flows, and accuse nobody innocent?  verdicts.py DARKLINE REAL_DATA CATALOG

Interfered captures come with labels that are not ours (interference/*/labels.csv). Wanted there: the mechanism of every labelled flow, a third
party where the capture holds a contradiction, none on controls. In `negatives` and `ndpi` nobody interfered: no third-party verdict may come
out at all. The figures below are what is reached; less is a failure.
"""
import collections
import concurrent.futures
import csv
import glob
import json
import os
import subprocess
import sys
import tempfile

SKIPPED = 77
MAGICS = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", b"\x0a\x0d\x0d\x0a")

# What a label of CenTrace's captures means: these mechanisms, on at least one flow and never another one beside them.
CENTRACE = {
    "rst_injection_sni": {"tls.reset.sni"},
    "rst_injection_http_host": {"http.reset.host"},
    "blackhole_after_http_host": {"http.timeout"},
    "http_redirect_injection": {"http.redirect", "http.blockpage"},
    "none": set(),
}
# What is reached: (flows or captures with the right mechanism, third party proven). Server-side captures and resets that come a full round trip
# late hold no contradiction.
REACHED = {
    "centrace tests": (5, 0),
    "centrace controls": (9, 0),
    "tripwire": (5, 0),
    "dns_injection_lab": (21, 21),
    "http_injection": (6, 6),
    "gfw_quic silence": (55, 0),
    "gfw_quic unsaid": (52, 0),
}


def flows_of(darkline, catalog, path):
    with tempfile.TemporaryDirectory() as work:
        store = os.path.join(work, "store")
        subprocess.run([darkline, "probe", "-q", "-r", path, "-w", store, "--all-names", "--keep-addresses", "--catalog", catalog],
                       stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
        if not os.path.exists(store):
            return []
        out = subprocess.run([darkline, "flows", store, "--json", "--catalog", catalog], stdout=subprocess.PIPE, check=True)
        return [json.loads(line) for line in out.stdout.splitlines()]


def is_capture(path):
    with open(path, "rb") as file:
        magic = file.read(4)
    return magic in MAGICS or (".pcap" in path and path.endswith(".gz") and magic[:2] == b"\x1f\x8b")


def rows_of(folder):
    with open(os.path.join(folder, "labels.csv"), encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Figures:
    def __init__(self):
        self.right, self.proven, self.wanted, self.faults = collections.Counter(), collections.Counter(), collections.Counter(), []

    def add(self, name, right, proven, what):
        self.wanted[name] += 1
        self.right[name] += right
        self.proven[name] += proven
        if not right:
            print(f"missed in {name}: {what}")


def told(flow):
    rules = ", ".join(item["rule"] for item in flow["evidence"])
    return f"{flow['id']} {flow['server']}:{flow['server_port']} {flow['mechanism']} {flow['attribution']} ({rules})"


def is_third_party(flow):
    return flow["attribution"] == "third-party"


def centrace(run, folder, figures):
    for row in rows_of(folder):
        flows = run(os.path.join(folder, "decisive", os.path.basename(row["file"])))
        name = "centrace tests" if row["expected"] != "none" else "centrace controls"
        wanted = CENTRACE[row["expected"]]
        found = {flow["mechanism"] for flow in flows if flow["mechanism"]}
        right = bool(flows) and found <= wanted and bool(found) == bool(wanted)
        accused = [flow for flow in flows if is_third_party(flow)]
        if not wanted and accused:
            figures.faults += [f"{row['file']}: {told(flow)}" for flow in accused]
        figures.add(name, right, bool(accused), f"{row['file']}: {sorted(found)}, label {row['expected']}")


def tripwire(run, folder, figures):
    for row in rows_of(folder):
        flows = [flow for flow in run(os.path.join(folder, row["file"])) if flow["client_port"] == int(row["client_port"])]
        accused = [flow for flow in flows if is_third_party(flow)]
        if row["expected"] == "none":
            right = bool(flows) and not any(flow["mechanism"] for flow in flows)
            figures.faults += [f"{row['file']}: {told(flow)}" for flow in accused]
        else:
            right = any(flow["mechanism"] == "http.reset.host" for flow in flows)
        figures.add("tripwire", right, bool(accused), f"{row['file']}:{row['client_port']}: {[told(flow) for flow in flows]}")


def dns_lab(run, folder, figures):
    injected = collections.defaultdict(set)
    for row in rows_of(folder):
        if row["verdict"] == "dns_injection":
            injected[row["file"]].add((row["frame1"], row["qname"]))
    for name in sorted({row["file"] for row in rows_of(folder)}):
        flows = [flow for flow in run(os.path.join(folder, name)) if flow["protocol"] == "DNS"]
        conflicts = [flow for flow in flows if len((flow["dns"] or {}).get("answers", [])) > 1]
        for frame, question in sorted(injected[name]):
            packet = f"packets {frame} at"
            hit = [flow for flow in conflicts if flow["host"] == question and any(packet in item["detail"] for item in flow["evidence"])]
            right = any(flow["mechanism"] == "dns.injection.bogon" for flow in hit)
            figures.add("dns_injection_lab", right, any(map(is_third_party, hit)), f"{name}: {question} in packet {frame}")
        known = {f"packets {frame} at" for frame, _ in injected[name]}
        for flow in flows:
            if is_third_party(flow) and not any(item["detail"].startswith(tuple(known)) for item in flow["evidence"] if known):
                figures.faults.append(f"{name}: {told(flow)}")


def has_two_contents(flow):
    return is_third_party(flow) and "two-contents" in (item["rule"] for item in flow["evidence"])


def quic_lab(run, folder, figures):
    """Datagrams that a firewall swallows: silence, and nobody's packets contradict each other. A single Initial may be a lost one."""
    for row in rows_of(folder):
        for flow in run(os.path.join(folder, row["file"])):
            single = flow["protocol"] != "DNS" and flow["packets_up"] < 2
            right = flow["mechanism"] is None if single else flow["mechanism"] in ("quic.timeout", "dns.timeout")
            figures.add("gfw_quic unsaid" if single else "gfw_quic silence", right, is_third_party(flow), f"{row['file']}: {told(flow)}")
            if is_third_party(flow):
                figures.faults.append(f"{row['file']}: {told(flow)}")


def http_lab(run, folder, figures):
    for row in rows_of(folder):
        flows = run(os.path.join(folder, row["file"]))
        mine = [flow for flow in flows if flow["client_port"] == int(row["dport"]) and flow["server_port"] == int(row["sport"])]
        # What is no web has no word for it: there, who did it and how that is known must do.
        web = row["sport"] == "80"
        right = any(flow["mechanism"] in ("http.redirect", "http.blockpage") for flow in mine) if web else any(map(has_two_contents, mine))
        figures.add("http_injection", right, any(map(is_third_party, mine)), f"{row['file']}: {[told(flow) for flow in mine]}")
        figures.faults += [f"{row['file']}: {told(flow)}" for flow in flows if flow not in mine and is_third_party(flow)]


def innocents(run, name, folder, figures):
    paths = [path for path in sorted(glob.glob(os.path.join(folder, "**", "*"), recursive=True)) if os.path.isfile(path) and is_capture(path)]
    flows, scored, doubted = 0, collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for path, found in zip(paths, pool.map(run, paths)):
            flows += len(found)
            for flow in found:
                if flow["score"] is not None:
                    scored[min(int(flow["score"] * 10), 9)] += 1
                doubted += flow["mechanism"] is not None and "reset" in flow["mechanism"] and flow["attribution"] == "unknown"
                if is_third_party(flow):
                    figures.faults.append(f"{os.path.basename(path)}: {told(flow)}")
    print(f"{name}: {len(paths)} captures, {flows} flows, resets of unknown origin {doubted}, scores by tenths {dict(sorted(scored.items()))}")
    return flows


def main():
    darkline, real_data, catalog = sys.argv[1:4]
    folder = os.path.join(real_data, "interference")
    if not os.path.isdir(folder):
        print(f"skipped: no real captures in {real_data}")
        return SKIPPED

    def run(path):
        return flows_of(darkline, catalog, path)

    figures = Figures()
    centrace(run, os.path.join(folder, "centrace"), figures)
    tripwire(run, os.path.join(folder, "tripwire"), figures)
    dns_lab(run, os.path.join(folder, "dns_injection_lab"), figures)
    http_lab(run, os.path.join(folder, "http_injection"), figures)
    quic_lab(run, os.path.join(folder, "gfw_quic"), figures)
    judged = innocents(run, "negatives", os.path.join(real_data, "negatives"), figures)
    judged += innocents(run, "ndpi", os.path.join(real_data, "ndpi"), figures)
    failed = judged == 0
    for name, (right, proven) in REACHED.items():
        print(f"{name}: mechanism right {figures.right[name]} of {figures.wanted[name]}, third party proven {figures.proven[name]}")
        failed |= figures.right[name] < right or figures.proven[name] < proven
    for fault in figures.faults:
        print("accused without cause:", fault)
    print(f"{judged} flows that nobody interfered with: {len(figures.faults)} accused beside the labels")
    return 1 if failed or figures.faults else 0


if __name__ == "__main__":
    sys.exit(main())
