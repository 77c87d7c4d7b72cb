#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's measurements come out as their makers know them.  ooni.py DARKLINE REAL_DATA

Every simulated case of OONI's probe must have the mechanism in its name, every flag of OONI must be matched or the difference explained
(EXPECTED), and Telegram in Kenya in 2023 must fail in the runs in which it failed: REAL_DATA/README.md's numbers.
"""
import collections
import csv
import datetime
import glob
import json
import os
import subprocess
import sys
import tempfile

SKIPPED = 77
LISTS = ("ooni/blocking_fingerprints/fingerprints_http.csv", "ooni/blocking_fingerprints/fingerprints_dns.csv")

SITE = "the site fails from elsewhere too: the site itself"

# Of each file: what happened to it, who did it, and why that is not OONI's flag (None where it is).
EXPECTED = {
    "badSSLWithExpiredCertificate": ("tls", "endpoint", None),
    "badSSLWithUnknownAuthorityWithInconsistentDNS": ("tls.mitm.ca_signed", "unknown", None),
    "badSSLWithWrongServerName": ("tls.mitm.ca_signed", "endpoint", None),
    "controlFailureWithSuccessfulHTTPWebsite": (None, None, None),
    "dnsHijackingToLocalhostWithHTTPS": ("dns.injection.bogon", "unknown", None),
    "dnsHijackingToProxyWithHTTPSURL": (None, None, None),
    "dnsHijackingToProxyWithHTTPURL": (None, None, None),
    "ghostDNSBlockingWithHTTP": ("http.blockpage", "unknown", None),
    "ghostDNSBlockingWithHTTPS": ("tcp.refused", "endpoint", "a name that exists nowhere else: " + SITE),
    "httpBlockingConnectionReset": ("http.reset.host", "unknown", None),
    "httpDiffWithConsistentDNS": ("http.blockpage", "unknown", None),
    "largeFileWithHTTPS": (None, None, None),
    "localhostWithHTTPS": ("dns.injection.bogon", "endpoint", None),
    "redirectWithConsistentDNSAndThenConnectionRefusedForHTTP": ("tcp.refused", "unknown", None),
    "redirectWithConsistentDNSAndThenConnectionRefusedForHTTPS": ("tcp.refused", "unknown", None),
    "redirectWithConsistentDNSAndThenEOFForHTTPS": ("failed", "unknown", None),
    "redirectWithConsistentDNSAndThenTimeoutForHTTPS": ("tls.timeout", "unknown", None),
    "tcpBlockingConnectTimeout": ("tcp.timeout", "unknown", None),
    "tcpBlockingConnectionRefusedWithInconsistentDNS": ("tcp.refused", "unknown", None),
    "throttlingWithHTTPS": ("stream.timeout", "unknown", None),
    "tlsBlockingConnectionResetWithInconsistentDNS": ("tls.reset.sni", "unknown", None),
    "websiteDownNXDOMAIN": ("dns.nxdomain", "endpoint", None),
    "websiteDownNoAddrs": ("failed", "endpoint", None),
    "websiteDownTCPConnect": ("tcp.refused", "endpoint", None),
    "firefoxcom": (None, None, None),
    "issue-2456": (None, None, None),
    "youtube": (None, None, None),
    "e81f78c44cf8689fa32f5d1cb664": ("http", "unknown", "OONI had no control and gave no verdict; the request was reset"),
    "e2b60ffaa8e1b2bc7865d0bc26659": (None, None, None),
    "e13e3e38be1918d3a64c2ec27ea22": ("http.redirect", "third-party", None),
    "c6ba9056fe7973cc6b51d15e2ebe18": (None, None, "OONI compares lengths (272 and 7,936 bytes); no list knows the page"),
    "cadd4e9b30806be0e72a6e05e161a": (None, None, "OONI's probe did not know whose the answered addresses were; all are Facebook's (157.240.194.0/24)"),
    "b2787229c716eb5c0": (None, None, None),
    "webconnectivity_604f1cb2579d144d": ("failed", "endpoint", None),
    "whatsapp_e3e891f975f0d5ef": ("dns.injection.bogon", "unknown", None),
    "webconnectivity_9215f30cf2412f49": (None, None, None),
}
FOREIGN = ("ndt", "http_invalid_request_line")


def run(darkline, work, kind, files, *options):
    store = os.path.join(work, "store")
    for path in glob.glob(store + "*"):
        os.remove(path)
    done = subprocess.run([darkline, "import", kind, *files, "-w", store, "-q", *options], stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"import {kind} {files}: exit {done.returncode}")
    text = subprocess.run([darkline, "flows", store, "--json"], stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in text.splitlines()]


# ---- attempts, as attempt_fold.h has them ----

DEPTHS = {"dns": 0, "tcp": 1, "tls": 2, "quic": 2, "http": 3, "stream": 3, None: 3}


def attempt_of(rows):
    """(outcome, mechanism, attribution) of one attempt."""
    six = [row for row in rows if ":" in (row["server"] or "")]
    rest = [row for row in rows if row not in six]
    if any(row["outcome"] == "ok" and row["stage"] != "dns" for row in rest):
        rows = rest + [row for row in six if row["outcome"] == "ok"]
    known = [row for row in rows if row["outcome"] != "unknown"]
    if not known:
        return "unknown", None, None

    def failing(depth):
        failed = [row for row in known if row["outcome"] == "failed" and DEPTHS[row["stage"]] == depth]
        worked = sum(row["outcome"] == "ok" and DEPTHS[row["stage"]] >= depth for row in known)
        worked += depth < 3 and sum(any(each["rule"] == "blockpage" for each in row["evidence"]) for row in known)
        return failed if failed and len(failed) >= 3 * worked else None

    deepest = max(DEPTHS[row["stage"]] for row in known)
    if not failing(deepest):
        return ("ok" if deepest >= 1 else "unknown"), None, None
    first = next(failing(depth) for depth in range(4) if failing(depth))
    if DEPTHS[first[0]["stage"]] == 0 and len(failing(1) or ()) > len(first):
        first = failing(1)
    if DEPTHS[first[0]["stage"]] >= 2:
        first = [row for row in known if row["outcome"] == "failed" and DEPTHS[row["stage"]] >= 2]
    stage = collections.Counter(row["stage"] for row in first).most_common(1)[0][0]
    row, lead = None, 0
    for each in first:
        if each["stage"] == stage:
            row = row if lead else each
            lead += 1 if each["mechanism"] == row["mechanism"] else -1
    return "failed", row["mechanism"], row["attribution"]


def attempts(rows, key="attempt"):
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


# ---- OONI's own cases ----

def flag_of(label):
    """Did OONI see interference?"""
    if label["anomaly"]:
        return label["anomaly"] == "True"
    return label["test_keys_blocking"] not in ("", "False")


def check_case(darkline, work, real_data, label):
    """One file; None where it is of a test that is not read, else whether it came out as it must."""
    path = os.path.join(real_data, "ooni", label["file"])
    options = [word for each in LISTS for word in ("--fingerprints", os.path.join(real_data, each))]
    rows = run(darkline, work, "ooni", [path], "--all-names", *options)
    name = os.path.basename(label["file"]).replace(".measurement.json", "").replace("_full-true.json", "")
    if label["test_name"] in FOREIGN:
        return None if not rows else False
    keys = [key for key in EXPECTED if name.endswith(key)]
    if len(keys) != 1:
        sys.exit(f"{name}: {len(keys)} expectations")
    mechanism, attribution, why = EXPECTED[keys[0]]
    # Where a redirect leads is a target of its own: the measurement failed where any of its hosts did.
    results = [attempt_of(group) for group in attempts(rows, "host" if label["test_name"] == "web_connectivity" else "attempt").values()]
    failed = [(found or "failed", who) for outcome, found, who in results if outcome == "failed"]
    got = failed[0] if failed else (None, None)
    blamed = bool(failed) and got[1] != "endpoint"
    matches = blamed == flag_of(label)
    good = bool(rows) and got == (mechanism, attribution) and (matches or why is not None)
    print(f"{'ok   ' if good else 'WRONG'} {name[-58:]:58} {got[0] or '-':22} {got[1] or '-':12} "
          f"OONI: {label['test_keys_blocking'] or label['anomaly'] or '-':13}{'' if matches else ' <> ' + (why or '?')}")
    return good


def check_cases(darkline, work, real_data):
    with open(os.path.join(real_data, "ooni", "labels.csv"), newline="", encoding="utf-8") as file:
        labels = [label for label in csv.DictReader(file) if label["file"].split("/")[0] != "backend_fastpath"]
    results = [check_case(darkline, work, real_data, label) for label in labels]
    failed = sum(good is False for good in results)
    print(f"OONI: {len(results)} files, {sum(good is None for good in results)} of tests that are not read, {failed} wrong")
    return failed


# ---- Kenya ----

def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def in_hours(start):
    """On weekdays 07:15 to 11:00 and 13:00 to 17:00 in Nairobi."""
    local = start + datetime.timedelta(hours=3)
    minute = local.hour * 60 + local.minute
    return local.weekday() < 5 and (435 <= minute < 660 or 780 <= minute < 1020)


# The README counts from 8 November, 11:45, with hours of "about": these bounds are the nearest that give its runs.
EXAM = (when("2023-11-08T10:00:00Z"), when("2023-11-24T14:00:00Z"))
HOURS = {33771: (106, 112, 7, 250), 37061: (54, 64, 1, 76), 36926: (11, 18, 1, 20)}
SLACK = 1  # runs that begin on the edge of "about"
FULL = 12455
CLEAN = {30844: 331, 36866: 68}


def check_kenya(darkline, work, real_data):
    rows = run(darkline, work, "csv", [os.path.join(real_data, "ooni/kenya_telegram/2023-attempts.csv.gz")])
    runs = collections.defaultdict(list)
    for group in attempts(rows).values():
        runs[group[0]["vantage"]["asn"]].append((when(group[0]["start"]), *attempt_of(group)))
    wrong = []

    def demand(condition, text):
        print(("ok    " if condition else "WRONG ") + text)
        if not condition:
            wrong.append(text)

    demand(len(rows) == 61517, f"{len(rows)} rows of {len(runs)} networks")
    during = [each for each in runs[FULL] if when("2023-11-09T12:00:00Z") <= each[0] < when("2023-11-26T00:00:00Z")]
    mechanisms = collections.Counter(each[2] for each in during)
    demand(len(during) == 85 and mechanisms == {"tcp.timeout": 85}, f"AS{FULL}: {dict(mechanisms)} of {len(during)} runs, 85 due")
    demand(len({each[0].date() for each in during}) == 12, f"AS{FULL}: on {len({each[0].date() for each in during})} days, 12 due")
    other = [each for each in runs[FULL] if each not in during]
    demand(not any(each[1] == "failed" for each in other), f"AS{FULL}: no other of {len(other)} runs failed")
    last, first = max(each[0] for each in other if each[0] < during[0][0]), min(each[0] for each in other if each[0] > during[0][0])
    edges = [each.strftime("%d %H:%M") for each in (last, min(during)[0], max(during)[0], first)]
    demand(edges == ["08 09:36", "09 19:36", "24 18:45", "26 11:41"], f"AS{FULL}: last good, first bad, last bad, first good: {edges}")
    for asn, due in HOURS.items():
        got = []
        for inside in (True, False):
            some = [each for each in runs[asn] if EXAM[0] <= each[0] < EXAM[1] and in_hours(each[0]) == inside]
            got += [sum(each[1] == "failed" for each in some), len(some)]
        some = collections.Counter(each[2] for each in runs[asn] if each[1] == "failed" and each[0] >= EXAM[0])
        good = got[0] == due[0] and got[2] == due[2] and all(abs(a - b) <= SLACK for a, b in zip(got, due))
        demand(good, f"AS{asn}: {got[0]} of {got[1]} inside the hours, {got[2]} of {got[3]} outside; due {due}; {dict(some)}")
        demand(set(some) <= {"http.timeout", "tls.timeout"}, f"AS{asn}: by timeouts alone")
        weekend = [each for each in runs[asn] if (each[0] + datetime.timedelta(hours=3)).weekday() >= 5 and each[1] == "failed" and each[0] >= EXAM[0]]
        demand(not weekend, f"AS{asn}: none at weekends")
    for asn, due in CLEAN.items():
        failed = sum(each[1] == "failed" for each in runs[asn])
        demand(failed == 0 and len(runs[asn]) == due, f"AS{asn}: {failed} of {len(runs[asn])} runs failed, 0 of {due} due")
    blamed = sum(row["attribution"] == "third-party" for row in rows)
    demand(blamed == 0, f"{blamed} rows laid to a third party: none has packets")
    return len(wrong)


def main():
    darkline, real_data = sys.argv[1:3]
    if not os.path.exists(os.path.join(real_data, "ooni", "labels.csv")):
        print(f"skipped: no OONI data in {real_data}")
        return SKIPPED
    with tempfile.TemporaryDirectory() as work:
        failed = check_cases(darkline, work, real_data)
        failed += check_kenya(darkline, work, real_data)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
