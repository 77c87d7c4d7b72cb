#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""darkline analyze as a person calls it: what it says of little and of enough, JSON, errors, what it keeps.
test_analyze.py DARKLINE SOURCE"""
import datetime
import json
import os
import re
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import DONE, FAILED, USAGE, Darkline, arguments, check, equal, expect, main, query, skip, test  # noqa: E402

DARKLINE = None
SOURCE = None

# The contract, design section 4; `alarm` and `taken_back` are ours.
TOP = ["version", "rules_version", "inputs", "events", "campaigns", "orders", "coverage", "states", "taken_back"]
INPUT = ["path", "sha256", "packets", "bytes", "lost", "first", "last", "vantage"]
VANTAGE = ["probe_id", "carrier", "asn", "country", "network", "position", "clock", "origin"]
EVENT = ["id", "class", "state", "service", "carrier", "asn", "asns", "country", "mechanism", "mechanisms", "onset", "end", "grade", "scope",
         "hours", "log_odds", "quality", "attempts", "failures", "clients", "voices", "vantages", "interval", "baseline", "controls", "rules",
         "explanation", "flows", "alarm"]
STATE = ["carrier", "asn", "country", "service", "at", "state", "attempts", "failures", "clients", "interval", "minimum_detectable_share"]
COVERAGE = ["probe_id", "from", "to", "link_up", "packets", "lost"]
STATES = {"blocked", "likely_blocked", "impaired", "down", "ok", "insufficient"}

BEGIN = datetime.datetime(2023, 11, 1, tzinfo=datetime.timezone.utc)
DAYS, CUT = 10, 6  # of the made measurements, and the day on which one service stops on one carrier


def path_in(folder, name, data=None):
    path = os.path.join(folder, name)
    if data is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(data)
    return path


def measurements(days=DAYS):
    """CSV of two networks and two services, an attempt every two hours; telegram stops on AS64501 on day CUT."""
    lines = ["start,service,outcome,stage,failure,asn,country,client,voice"]
    for step in range(days * 12):
        start = (BEGIN + datetime.timedelta(hours=2 * step)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for asn in (64501, 64502):
            for service in ("telegram", "signal"):
                bad = service == "telegram" and asn == 64501 and step >= CUT * 12
                result = "failed,tcp,generic_timeout_error" if bad else "ok,tls,"
                lines.append(f"{start},{service},{result},{asn},KE,{asn}-{step}-{service},{asn}-{step % 7}")
    return "\n".join(lines) + "\n"


def made_store(folder, name="store", days=DAYS):
    store = path_in(folder, name)
    expect(DARKLINE.run("import", "csv", path_in(folder, name + ".csv", measurements(days)), "-w", store), DONE)
    return store


def lab_store(folder):
    store = path_in(folder, "lab.store")
    DARKLINE.run("probe", "-r", os.path.join(SOURCE, "pcaps/lab"), "-w", store, "-q")
    check(query(store, "SELECT count(*) FROM flows")[0][0] > 50, "the lab's captures are not there")
    return store


def analysis(*words):
    return json.loads(expect(DARKLINE.run("analyze", *words, "--json"), DONE).out)


@test
def too_little_is_said(folder):
    """Minutes of a lab line: nothing may be concluded, and nothing is not 'all is well'."""
    store = lab_store(folder)
    result = expect(DARKLINE.run("analyze", store), DONE)
    for text in ("No event, and not enough data", "This does not say that nothing was blocked", "insufficient", "What was looked at"):
        check(text in result.out, f"not said: {text!r}: {result.out[:2000]}")
    found = analysis(store)
    equal((found["events"], found["campaigns"]), ([], []), "events and campaigns of minutes")
    check(found["states"] and {state["state"] for state in found["states"]} == {"insufficient"}, "states of minutes")


@test
def every_key_is_there(folder):
    found = analysis(made_store(folder), lab_store(folder))
    equal(list(found), TOP, "keys")
    check(len(found["inputs"]) > 2 and found["events"] and found["coverage"], f"{len(found['inputs'])} inputs, {len(found['events'])} events")
    for items, keys in ((found["inputs"], INPUT), (found["events"], EVENT), (found["states"], STATE), (found["coverage"], COVERAGE)):
        check(all(list(item) == keys for item in items), f"keys of {items[0]}")
    check(all(list(item["vantage"]) == VANTAGE for item in found["inputs"]), "keys of a vantage")
    check({state["state"] for state in found["states"]} <= STATES, "states")
    stamps = [item["first"] for item in found["inputs"]] + [event["onset"]["latest"] for event in found["events"]]
    check(all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", stamp) for stamp in stamps if stamp), f"times: {stamps}")


@test
def a_block_is_found(folder):
    store = made_store(folder)
    events = analysis(store)["events"]
    equal([(event["class"], event["service"], event["asn"], event["mechanism"]) for event in events],
          [("blocked", "telegram", 64501, "tcp.timeout")], "events")
    event = events[0]
    cut = (BEGIN + datetime.timedelta(days=CUT)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    check(event["onset"]["earliest"] < cut <= event["onset"]["latest"], f"onset {event['onset']}, {cut} due")
    check(event["end"] is None and event["hours"] is None and event["onset"]["latest"] <= event["alarm"], f"{event}")
    equal((event["failures"], event["attempts"]), (48, 48), "failures and attempts")
    check(event["flows"] and set(event["flows"]) <= {flow["id"] for flow in DARKLINE.flows(store) if flow["outcome"] == "failed"},
          f"flows of the event: {event['flows']}")
    states = {(state["asn"], state["service"]): state["state"] for state in analysis(store)["states"]}
    check(states[(64501, "telegram")] in ("likely_blocked", "blocked") and states[(64501, "signal")] == "ok", f"{states}")


@test
def a_block_is_told_with_care(folder):
    text = expect(DARKLINE.run("analyze", made_store(folder)), DONE).out
    for word in ("telegram (messaging) on as64501, KE: blocked", "between 2023-11-06 22:00 and 2023-11-07 00:00 UTC", "no end was seen",
                 "no answer to the connection attempt (tcp.timeout, 100 %)", "48 of 48 attempts failed"):
        check(word in text, f"not said: {word!r}: {text}")
    for actor in ("government", "authorit", "regulator", "censor", "ordered by", "ministry", "police"):
        check(actor not in text.lower(), f"an actor is named: {actor}: {text}")
    check(max(map(len, text.splitlines())) <= 120, "long lines")


@test
def the_same_bytes(folder):
    store = made_store(folder)
    first = DARKLINE.run("analyze", store, "--json").out
    equal(DARKLINE.run("analyze", store, "--json").out, first, "the second analysis")


@test
def what_is_kept(folder):
    store = made_store(folder)
    analysis(store)
    kept = query(store + ".verdicts", "SELECT rules_version, id FROM events")
    equal(len(kept), 1, f"events kept: {kept}")
    os.remove(store + ".verdicts")
    analysis(store, "--since", "2023-11-02")
    check(not os.path.exists(store + ".verdicts"), "a part of the time was kept as the analysis of the store")


@test
def what_is_taken_back(folder):
    store = made_store(folder)
    same = analysis(store)["events"][0]["id"]
    moved, gone = same[:-2] + "07", "as64502.signal.outage.2023-11-03T10"
    database = sqlite3.connect(store + ".verdicts")
    database.executemany("INSERT INTO events VALUES ('0', ?)", [(same,), (moved,), (gone,)])
    database.commit()
    database.close()
    equal(analysis(store)["taken_back"], [{"rules_version": "0", "id": gone}], "taken back")
    text = expect(DARKLINE.run("analyze", store), DONE).out
    check("Taken back" in text and gone in text and moved not in text, text)


@test
def a_folder_that_cannot_be_written(folder):
    if os.geteuid() != 0:
        skip("not root: who cannot write here could not have made the store")
    store = made_store(folder)
    os.chmod(store, 0o644)
    try:
        result = DARKLINE.run("analyze", store, "--json", nobody=True)
    except OSError:
        skip("darkline lies where other users cannot run it")
    equal(len(json.loads(expect(result, DONE).out)["events"]), 1, "events")
    check(not os.path.exists(store + ".verdicts"), "it was written")


@test
def since_and_until(folder):
    store = made_store(folder)
    until = (BEGIN + datetime.timedelta(days=CUT)).strftime("%Y-%m-%d")
    equal(analysis(store, "--until", until)["events"], [], "events before it began")
    equal(len(analysis(store, "--since", "2023-11-03")["events"]), 1, "events of the rest")


@test
def errors(folder):
    store, text = made_store(folder, days=1), path_in(folder, "text", "no store at all\n" * 100)
    expect(DARKLINE.run("analyze", path_in(folder, "missing")), FAILED, "missing", "no such file")
    expect(DARKLINE.run("analyze", text), FAILED, "text")
    expect(DARKLINE.run("analyze", store, text), FAILED, "text")
    expect(DARKLINE.run("analyze"), USAGE, "which STORE?")
    expect(DARKLINE.run("analyze", store, "--jsno"), USAGE, "jsno")
    expect(DARKLINE.run("analyze", store, "--since", "2024-01-01", "--until", "2023-01-01"), USAGE, "--until")
    expect(DARKLINE.run("analyze", store, "--catalog", path_in(folder, "nowhere")), FAILED, "catalog")
    for result in (DARKLINE.run("analyze", text), DARKLINE.run("analyze")):
        equal(result.out, "", "standard output")


@test
def a_reader_who_leaves(folder):
    store = made_store(folder)
    with DARKLINE.start("analyze", store, "--json", stdin=subprocess.DEVNULL) as process:
        process.stdout.close()
        said = process.stderr.read()
    equal((process.returncode, said), (DONE, b""), "exit code and what was said")


if __name__ == "__main__":
    DARKLINE, SOURCE = arguments("DARKLINE", "SOURCE")
    DARKLINE = Darkline(DARKLINE)
    sys.exit(main())
