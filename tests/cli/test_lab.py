#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does darkline say of the lab's captures what is true of them?  test_lab.py DARKLINE SOURCE

Every capture of pcaps/ and pcaps/lab is probed with and without --all-names and compared with the truth beside it, flow
by flow: null asserts null, a missing key asserts nothing (tests/lab/README.md). Besides: the keys of `flows --json`,
their order, the order of flows, and the vantage of X.vantage.yaml.
"""
import csv
import glob
import io
import json
import os
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import DONE, Darkline, arguments, check, equal, expect, main, rows, test  # noqa: E402

KEYS = ("id attempt start end vantage client client_port server server_port transport protocol service role "
        "certainty reasons host dns_flow packets_up packets_down bytes_up bytes_down stage close dns outcome mechanism "
        "attribution signature score evidence").split()
VANTAGE_KEYS = "probe_id carrier asn country network position clock origin".split()
DNS_KEYS = ["qtype", "rcode", "answers"]
ANSWER_KEYS = ["t", "rcode", "addresses", "ttl", "ip_ttl"]
EVIDENCE_KEYS = ["rule", "detail"]
CERTAINTIES = ["possible", "likely", "certain"]
COMPARED = "start service role host stage outcome mechanism close packets_up packets_down".split()
INTEGERS = "packets_up packets_down bytes_up bytes_down".split()
# Names that only look like a catalogued one.
TRAPS = ("xslack.com", "bbsecure.com.evil.org")

DARKLINE, SOURCE = None, None


# ---- reading ----

def captures():
    found = sorted(glob.glob(os.path.join(SOURCE, "pcaps", "lab", "*.pcap")))
    check(len(found) >= 16, f"only {len(found)} captures in {SOURCE}/pcaps/lab")
    return found


def beside(capture, ending):
    return capture[:capture.index(".pcap")] + ending


def truth_of(capture):
    with open(beside(capture, ".json"), encoding="utf-8") as file:
        return json.load(file)["flows"]


def vantage_of(capture):
    """The scalars of X.vantage.yaml, which is plain enough to be read line by line."""
    vantage = dict.fromkeys(VANTAGE_KEYS)
    with open(beside(capture, ".vantage.yaml"), encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key in vantage:
                value = value.split(" #")[0].strip().strip("\"'")
                vantage[key] = int(value) if key == "asn" else value
    return vantage


def probe(capture, store, *options):
    expect(DARKLINE.run("probe", "-r", capture, "-w", store, "--keep-addresses", *options), DONE)
    return DARKLINE.flows(store)


# ---- one flow ----

def ends(flow):
    question = flow.get("dns") or {}
    return (flow["client"], flow["client_port"], flow["server"], flow["server_port"], flow["transport"],
            question.get("qtype"))


def name_of(truth):
    return f"{truth['start'][11:]} {truth['host']} {truth['server']}:{truth['server_port']}"


def match(truth, flows):
    """The observation of this flow; None without one. The same ends twice are told apart by their start."""
    found = [flow for flow in flows if ends(flow) == ends(truth)]
    if len(found) > 1:
        found = [flow for flow in found if flow["start"] == truth["start"]]
    return found[0] if found else None


def wrong_in(truth, flow):
    """All that differs, as sentences."""
    wrong = []
    for key in COMPARED:
        if key in truth:
            if flow[key] != truth[key]:
                wrong.append(f"{key} {flow[key]!r}, truth {truth[key]!r}")
    if "certainty_at_least" in truth:
        least = CERTAINTIES.index(truth["certainty_at_least"])
        if flow["certainty"] is None or CERTAINTIES.index(flow["certainty"]) < least:
            wrong.append(f"certainty {flow['certainty']!r}, truth at least {truth['certainty_at_least']!r}")
    if truth.get("class") == "control" and not is_control(flow["service"]):
        wrong.append(f"service {flow['service']!r}, truth a control")
    if flow["attribution"] == "third-party":
        wrong.append("attribution third-party, and there is none in the lab")
    if truth.get("dns"):
        wrong += wrong_in_answers(truth["dns"], flow["dns"])
    return wrong


def wrong_in_answers(truth, dns):
    addresses = [address for answer in dns["answers"] for address in answer["addresses"]]
    wrong = []
    if "rcode" in truth and dns["rcode"] != truth["rcode"]:
        wrong.append(f"rcode {dns['rcode']!r}, truth {truth['rcode']!r}")
    if "addresses" in truth and addresses != truth["addresses"]:
        wrong.append(f"addresses {addresses}, truth {truth['addresses']}")
    return wrong


def is_control(service):
    return bool(service) and os.path.exists(os.path.join(SOURCE, "catalog", "controls", service + ".yaml"))


def wrong_in_form(flow):
    """Keys, their order and their kinds, as design section 4 has them."""
    wrong = []
    for what, got, wanted in (("flow", flow, KEYS), ("vantage", flow["vantage"], VANTAGE_KEYS),
                              ("dns", flow["dns"] or dict.fromkeys(DNS_KEYS), DNS_KEYS)):
        if list(got) != wanted:
            wrong.append(f"keys of {what}: {list(got)}")
    for what, items, wanted in (("answers", flow["dns"]["answers"] if flow["dns"] else [], ANSWER_KEYS),
                                ("evidence", flow["evidence"], EVIDENCE_KEYS)):
        wrong += [f"keys of {what}: {list(item)}" for item in items if list(item) != wanted]
    wrong += [f"{key} {flow[key]!r} is no integer" for key in INTEGERS if not isinstance(flow[key], int)]
    if flow["score"] is not None and not 0 <= flow["score"] <= 1:
        wrong.append(f"score {flow['score']!r}")
    if not isinstance(flow["reasons"], list) or bool(flow["service"]) != bool(flow["reasons"]):
        wrong.append(f"reasons {flow['reasons']!r} for service {flow['service']!r}")
    return wrong


def order_of(flow):
    return flow["start"], [int(part) for part in flow["id"].split(":")]


# ---- one capture ----

def compare(capture, flows, all_names):
    wrong = []
    for truth in truth_of(capture):
        known = truth.get("service") or truth.get("class") == "control"
        flow = match(truth, flows)
        if flow and (known or all_names):
            wrong += [f"{name_of(truth)} ({flow['id']}): {text}" for text in wrong_in(truth, flow)]
        elif flow:
            wrong.append(f"{name_of(truth)}: is kept, though the catalog does not know it")
        elif known or all_names:
            wrong.append(f"{name_of(truth)}: is missing")
    return wrong


def check_flows(capture, flows):
    """What holds for any list of flows of one capture."""
    wrong = [f"{flow['id']}: {text}" for flow in flows for text in wrong_in_form(flow)]
    wrong += [f"{flow['id']}: {flow['service']} for {flow['host']}" for flow in flows
              if flow["host"] in TRAPS and flow["service"]]
    wrong += [f"{flow['id']}: vantage {flow['vantage']}" for flow in flows if flow["vantage"] != vantage_of(capture)]
    if flows != sorted(flows, key=order_of):
        wrong.append("not sorted by start, then id")
    return wrong


def complain(wrong):
    check(not wrong, f"{len(wrong)} wrong: " + "; ".join(wrong[:8]))


def add_capture_test(capture):
    name = os.path.basename(capture).split(".")[0].replace("-", "_")

    def capture_test(folder):
        everything = probe(capture, os.path.join(folder, "all.store"), "--all-names")
        equal(len(everything), len(truth_of(capture)), "flows with --all-names")
        usual = probe(capture, os.path.join(folder, "usual.store"))
        complain(compare(capture, everything, True) + compare(capture, usual, False)
                 + check_flows(capture, everything) + check_flows(capture, usual))

    capture_test.__name__ = f"truth_{name}"
    test(capture_test)


# ---- what many captures show ----

@test
def demonstration_in_one_store(folder):
    """The folder pcaps/ by its name: five inputs, each with its own vantage, one order of time."""
    store = os.path.join(folder, "demo.store")
    expect(DARKLINE.run("probe", "-r", os.path.join(SOURCE, "pcaps"), "-w", store), DONE, "5 inputs")
    flows = DARKLINE.flows(store)
    check(flows == sorted(flows, key=order_of), "not sorted by start, then id")
    equal({flow["vantage"]["carrier"] for flow in flows}, {"jazz", "ufone", "telenor-pk", "zong", "as3320"}, "carriers")
    equal({flow["vantage"]["origin"] for flow in flows}, {"composed"}, "origins")
    demonstration_is_true(flows)
    for flow in flows:
        number = int(flow["id"].split(":")[0])
        equal(flow["attempt"].split(":")[0], str(number), f"input of the attempt of {flow['id']}")


def demonstration_is_true(flows):
    """Where its truth says that a service was cut, connections fail, and elsewhere they work."""
    for path in sorted(glob.glob(os.path.join(SOURCE, "pcaps", "demo-*.json"))):
        with open(path, encoding="utf-8") as file:
            truth = json.load(file)
        equal(truth["origin"], "composed", f"origin of {path}")
        own = [flow for flow in flows if flow["vantage"]["probe_id"] == truth["case"] and flow["dns"] is None]
        for line in truth["lines"]:
            cuts = [event for event in truth["events"] if event["service"] == line["service"]]
            of_service = [flow for flow in own if flow["service"] == line["service"]]
            cut = [flow for flow in of_service if any(during(event, flow["start"]) for event in cuts)]
            rest = [flow for flow in of_service if flow not in cut]
            check(len(rest) >= 20, f"{truth['case']}: only {len(rest)} flows of {line['service']}")
            check(share_failed(rest) < 0.08, f"{truth['case']}: {line['service']} fails: {share_failed(rest)}")
            check(not cuts or len(cut) >= 50, f"{truth['case']}: only {len(cut)} flows where it is cut")
            check(not cuts or share_failed(cut) == 1, f"{truth['case']}: {share_failed(cut)} fail where it is cut")


def during(event, start):
    return event["onset"] <= start and (event["end"] is None or start < event["end"])


def share_failed(flows):
    return sum(flow["outcome"] == "failed" for flow in flows) / max(1, len(flows))


@test
def flows_of_two_stores(folder):
    """Two stores are one list: its inputs numbered on, its flows those of both."""
    stores = [os.path.join(folder, name) for name in ("one.store", "two.store")]
    found = [probe(capture, store) for capture, store in zip(captures(), stores)]
    together = DARKLINE.flows(*stores)
    equal(len(together), sum(map(len, found)), "flows together")
    equal({flow["id"].split(":")[0] for flow in together}, {"1", "2"}, "inputs")
    check(together == sorted(together, key=order_of), "not sorted by start, then id")


@test
def csv_agrees_with_json(folder):
    capture, store = os.path.join(SOURCE, "pcaps", "lab", "fail-dns.pcap"), os.path.join(folder, "c.store")
    flows = probe(capture, store, "--all-names")
    result = expect(DARKLINE.run("flows", store, "--csv"), DONE)
    table = list(csv.DictReader(io.StringIO(result.out, newline="")))
    equal([row["id"] for row in table], [flow["id"] for flow in flows], "ids")
    for row, flow in zip(table, flows):
        for key in ("start", "client", "server", "service", "host", "stage", "close", "outcome", "mechanism"):
            equal(row[key], flow[key] or "", f"{key} of {flow['id']}")


@test
def choice_of_flows(folder):
    """--service, --outcome, --mechanism, --since and --until leave out what does not fit."""
    store = os.path.join(folder, "choice.store")
    flows = probe(os.path.join(SOURCE, "pcaps", "lab", "fail-tls.pcap"), store, "--all-names")
    middle = flows[len(flows) // 2]["start"]
    for options, fits in (
            (["--service", "blackberry-bes"], lambda f: f["service"] == "blackberry-bes"),
            (["--outcome", "failed"], lambda f: f["outcome"] == "failed"),
            (["--mechanism", "tls"], lambda f: (f["mechanism"] or "").startswith("tls.")),
            (["--mechanism", "tls.re"], lambda f: False),
            (["--since", middle], lambda f: f["start"] >= middle),
            (["--until", middle], lambda f: f["start"] < middle)):
        result = expect(DARKLINE.run("flows", store, "--json", *options), DONE)
        equal([json.loads(line)["id"] for line in result.out.splitlines()], [f["id"] for f in flows if fits(f)],
              f"flows {' '.join(options)}")


@test
def same_bytes_twice(folder):
    """The same capture twice gives the same lines."""
    capture = os.path.join(SOURCE, "pcaps", "demo-jazz.pcap.zst")
    lines = []
    for name in ("a.store", "b.store"):
        store = os.path.join(folder, name)
        expect(DARKLINE.run("probe", "-r", capture, "-w", store, "--keep-addresses"), DONE)
        lines.append(DARKLINE.run("flows", store, "--json").out)
    check(rows(store) > 100, f"only {rows(store)} flows")
    check(lines[0] == lines[1], "the lines differ")


if __name__ == "__main__":
    DARKLINE, SOURCE = arguments("DARKLINE", "SOURCE")
    DARKLINE = Darkline(DARKLINE)
    for path in captures():
        add_capture_test(path)
    sys.exit(main())
