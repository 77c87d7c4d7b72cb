#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telegram in Kenya, autumn 2023: are the real blocks found, when, and nothing else?  kenya.py DARKLINE REAL_DATA CATALOG

The truth is REAL_DATA/README.md's. AS33771 and AS37061 are one carrier in the catalog; so the measurements are analysed twice: as they are,
and with every network a carrier of its own (a catalog without that country's carriers). Beside it the changepoint detector that OONI
publishes, on the same rows.
"""
import collections
import csv
import datetime
import glob
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
DATA = "ooni/kenya_telegram/2023-attempts.csv.gz"
HOUR = datetime.timedelta(hours=1)
MINUTE = HOUR / 60  # the truth is told to the minute
WIDER = 24 * HOUR  # than the truth's interval an interval may be


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


# ---- the truth ----

FULL = 12455
TRUE_ONSET = when("2023-11-08T09:36:00Z"), when("2023-11-09T19:36:00Z")  # last good, first bad
TRUE_END = when("2023-11-24T18:45:00Z"), when("2023-11-26T11:41:00Z")
RUNS_TO_ALARM = 6
# Blocked at certain hours: when they must be found.
HOURS = {33771: when("2023-11-14T07:00:00Z"), 37061: when("2023-11-09T12:00:00Z"), 36926: when("2023-11-16T14:00:00Z")}
EXAM_HOURS = set(range(7, 11)) | set(range(13, 17))  # local; the first and last are only partly in it
CLEAN = (30844, 36866)
THIN_RUNS = 8  # fewer runs in the blocked hours than this say nothing
HTTP = {"http.timeout", "tls.timeout"}
FIRST_BAD = when("2023-11-08T10:46:00Z")  # of any network: nothing was blocked before


# ---- darkline ----

def analyse(darkline, folder, data, *options):
    store = os.path.join(folder, "store")
    for path in glob.glob(store + "*"):
        os.remove(path)
    subprocess.run([darkline, "import", "csv", data, "-w", store, "-q", *options], stdin=subprocess.DEVNULL, check=True)
    done = subprocess.run([darkline, "analyze", store, "--json", "-q", *options], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True)
    return json.loads(done.stdout)


def without_carriers(catalog, folder):
    """A copy in which Kenya's networks have no names, so that each is a carrier of its own; nor orders, which name them."""
    copy = os.path.join(folder, "catalog")
    shutil.copytree(catalog, copy)
    for path in glob.glob(os.path.join(copy, "carriers", "*.yaml")) + glob.glob(os.path.join(copy, "orders", "*.yaml")):
        with open(path, encoding="utf-8") as file:
            if "country: KE" in file.read():
                os.remove(path)
    return copy


# ---- the rows ----

DEPTHS = {"dns": 0, "tcp": 1, "tls": 2, "http": 3}


def read_rows(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def runs_of(rows):
    """{asn: [(start, failed)]}: a run fails where most rows of a stage it came to do."""
    groups = collections.defaultdict(list)
    for row in rows:
        groups[(int(row["asn"]), row["start"], row["client"])].append(row)
    runs = collections.defaultdict(list)
    for (asn, start, _), group in groups.items():
        deepest = max(DEPTHS[row["stage"]] for row in group)
        last = [row for row in group if DEPTHS[row["stage"]] == deepest]
        runs[asn].append((when(start), 2 * sum(row["outcome"] == "failed" for row in last) >= len(last)))
    return {asn: sorted(each) for asn, each in runs.items()}


# ---- OONI's published detector: facts/detection.md 6.1 ----

THRESHOLD, DRIFT, BLOCKED_MEAN = 3.5, 0.35, 0.7
GAP, HALF_LIFE = datetime.timedelta(hours=24), datetime.timedelta(hours=48)
# The blocked score of a failure whose control worked, by layer; that pipeline scores no HTTP, here it is given TLS's timeout.
SCORES = {"dns": 0.9, "tcp": 0.75, "tls": 0.7, "http": 0.7}


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def changes(series):
    """[(time, blocked)] of the two-sided CUSUM over (hour, median score)."""
    found, blocked, upward, downward, before = [], False, 0.0, 0.0, None
    for hour, score in series:
        if before and hour - before > GAP:
            decay = 0.5 ** ((hour - before) / HALF_LIFE)
            upward, downward = upward * decay, downward * decay
        before = hour
        if blocked:
            downward = max(0.0, downward + BLOCKED_MEAN - score - DRIFT)
        else:
            upward = max(0.0, upward + score - DRIFT)
        if (downward if blocked else upward) >= THRESHOLD:
            blocked, upward, downward = not blocked, 0.0, 0.0
            found.append((hour + HOUR, blocked))
    return found


def published(rows, asn):
    """{layer: changes} of one network."""
    hours = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in rows:
        if int(row["asn"]) == asn:
            hour = when(row["start"]).replace(minute=0, second=0, microsecond=0)
            hours[row["stage"]][hour].append(SCORES[row["stage"]] if row["outcome"] == "failed" else 0.0)
    return {layer: changes(sorted((hour, median(scores)) for hour, scores in each.items())) for layer, each in hours.items()}


# ---- what must hold ----

class Demands:
    """What was demanded, and how much of it failed."""

    def __init__(self):
        self.failed = 0

    def that(self, condition, text):
        print(("ok    " if condition else "WRONG ") + text)
        self.failed += not condition


def events_of(analysis, asn):
    return [event for event in analysis["events"] if asn in event["asns"]]


def day(text):
    return when(text).strftime("%d.%H:%M") if isinstance(text, str) else text.strftime("%d.%H:%M") if text else "-"


def check_full(demand, analysis, runs):
    events = events_of(analysis, FULL)
    demand.that(len(events) == 1, f"AS{FULL}: {len(events)} events, one due")
    if not events:
        return
    event = events[0]
    demand.that((event["class"], event["mechanism"], event["hours"]) == ("blocked", "tcp.timeout", None),
                f"AS{FULL}: {event['class']} by {event['mechanism']}, at all hours")
    for key, (earliest, latest) in (("onset", TRUE_ONSET), ("end", TRUE_END)):
        found = event[key] or {"earliest": None, "latest": None}
        holds = all(found.values()) and when(found["earliest"]) <= earliest + MINUTE and latest - MINUTE <= when(found["latest"])
        holds = holds and when(found["latest"]) - when(found["earliest"]) <= latest - earliest + WIDER
        demand.that(holds, f"AS{FULL}: {key} {day(found['earliest'])} to {day(found['latest'])}, truth {day(earliest)} to {day(latest)}")
    bad = [start for start, failed in runs[FULL] if failed and TRUE_ONSET[0] < start < TRUE_END[1]]
    needed = sum(start <= when(event["alarm"]) for start in bad)
    demand.that(needed <= RUNS_TO_ALARM, f"AS{FULL}: alarm {day(event['alarm'])}, with {needed} of {len(bad)} bad runs; {RUNS_TO_ALARM} allowed")


def check_hours(demand, analysis, asn, due):
    events = events_of(analysis, asn)
    demand.that(len(events) == 1, f"AS{asn}: {len(events)} events, one due")
    if not events:
        return
    event = events[0]
    hours = event["hours"] or {"workdays": [], "weekends": []}
    demand.that(event["class"] == "blocked" and event["mechanism"] in HTTP, f"AS{asn}: {event['class']} by {event['mechanism']}")
    demand.that(bool(hours["workdays"]) and set(hours["workdays"]) <= EXAM_HOURS and not hours["weekends"], f"AS{asn}: hours {hours}")
    demand.that(when(event["alarm"]) <= due, f"AS{asn}: alarm {day(event['alarm'])}, {day(due)} due")


def check_rest(demand, analysis, runs):
    blocked = {FULL, *HOURS}
    others = [event["id"] for event in analysis["events"] if not blocked & set(event["asns"])]
    demand.that(not others, f"no event on any other network: {others}")
    early = [event["id"] for event in analysis["events"] if when(event["alarm"]) < FIRST_BAD]
    demand.that(not early, f"no alarm before the first block: {early}")
    states = {state["asn"]: state["state"] for state in analysis["states"]}
    for asn in CLEAN:
        demand.that(states[asn] == "ok", f"AS{asn}: {states[asn]}")
    thin = [asn for asn in states if len(runs[asn]) < THIN_RUNS]
    talkative = {asn: states[asn] for asn in thin if states[asn] != "insufficient"}
    demand.that(thin and not talkative, f"{len(thin)} networks of fewer than {THIN_RUNS} runs are insufficient: {talkative}")
    obeyed = [(order["id"], row["carrier"]) for order in analysis["orders"] for row in order["carriers"] if row["verdict"] == "complied"]
    demand.that(not obeyed, f"no order of later years was carried out: {obeyed}")
    confirmed = [event["id"] for event in analysis["events"] if event["grade"] != "likely"]
    print(f"      graded confirmed: {confirmed}")


def check_one_voice(demand, darkline, folder, rows, catalog):
    """All the same attempts, but on each network by one and the same line: nothing may be said of a carrier."""
    path = os.path.join(folder, "one-voice.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "voice"])
        writer.writeheader()
        for row in rows:
            writer.writerow(dict(row, network="", voice="the-only-one"))
    analysis = analyse(darkline, folder, path, "--catalog", catalog)
    states = collections.Counter(state["state"] for state in analysis["states"])
    demand.that(not analysis["events"] and set(states) == {"insufficient"},
                f"by one voice a network: {len(analysis['events'])} events, states {dict(states)}")


# ---- beside OONI's detector ----

def compare(analysis, rows, runs):
    print("\nnetwork    first bad  darkline  OONI's CUSUM      alarm   its changes until the end (two due)")
    missed = flapped = false = 0
    for asn in (FULL, *HOURS):
        first = min(start for start, failed in runs[asn] if failed and start >= FIRST_BAD)
        events = events_of(analysis, asn)
        alarm = when(events[0]["alarm"]) if events else None
        layers = {layer: [each for each in found if each[0] > FIRST_BAD] for layer, found in published(rows, asn).items()}
        layers = {layer: found for layer, found in layers.items() if found}
        theirs = min((found[0][0] for found in layers.values()), default=None)
        many = max((len(found) for found in layers.values()), default=0)
        missed, flapped = missed + (theirs is None), flapped + max(0, many - 2)

        def delay(found, since=first):
            return f"{(found - since) / HOUR:6.0f} h" if found else "  never "

        layer = max(layers, key=lambda each: len(layers[each]), default="-")
        print(f"AS{asn:<8} {day(first):10} {delay(alarm)}  {delay(theirs):17} {day(theirs):7} {many} ({layer})")
    for asn in runs:
        if asn not in (FULL, *HOURS):
            false += sum(len(found) for found in published(rows, asn).values())
    print(f"OONI's: {missed} of {1 + len(HOURS)} missed, {flapped} changes too many, {false} changes on networks without a block; darkline: "
          f"{sum(not events_of(analysis, asn) for asn in (FULL, *HOURS))} missed, "
          f"{sum(max(0, len(events_of(analysis, asn)) - 1) for asn in (FULL, *HOURS))} events too many\n")


def main():
    darkline, real_data, catalog = sys.argv[1:4]
    data = os.path.join(real_data, DATA)
    if not os.path.exists(data):
        print(f"skipped: no {DATA} in {real_data}")
        return SKIPPED
    rows, demand = read_rows(data), Demands()
    runs = runs_of(rows)
    with tempfile.TemporaryDirectory() as folder:
        nameless = without_carriers(catalog, folder)
        analysis = analyse(darkline, folder, data, "--catalog", nameless)
        print("each network a carrier of its own")
        check_full(demand, analysis, runs)
        for asn, due in HOURS.items():
            check_hours(demand, analysis, asn, due)
        check_rest(demand, analysis, runs)
        compare(analysis, rows, runs)
        together = analyse(darkline, folder, data, "--catalog", catalog)
        print("with the catalog's carriers")
        demand.that(len(together["events"]) == 3, f"{len(together['events'])} events, 3 due: AS33771 and AS37061 are one carrier")
        check_full(demand, together, runs)
        check_rest(demand, together, runs)
        check_hours(demand, together, 36926, HOURS[36926])
        check_hours(demand, together, 37061, HOURS[37061])
        check_one_voice(demand, darkline, folder, rows, nameless)
    return 1 if demand.failed else 0


if __name__ == "__main__":
    sys.exit(main())
