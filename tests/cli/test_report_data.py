#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data files of a report: do they hold to their formats, to each other, to the page and to the store?
test_report_data.py DARKLINE SOURCE REAL_DATA
"""
import collections
import csv
import datetime
import glob
import hashlib
import html.parser
import json
import os
import re
import shutil
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import ooni_format  # noqa: E402
from harness import DONE, Darkline, arguments, check, equal, expect, main, skip, test  # noqa: E402

DARKLINE, SOURCE, REAL_DATA = None, None, None
TEXT_FILES = ("cells.csv", "events.csv", "flows.csv", "index.html", "measurements.jsonl", "report.json", "report.schema.json")
KENYA = "ooni/kenya_telegram/2023-attempts.csv.gz"
WHOLE_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\d:00:00Z")
ANY_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[^\"]*")

_made = {}


def demonstration(folder):
    """The store and the report of the demonstration, made once."""
    if "demo" not in _made:
        place = os.path.join(os.path.dirname(folder), f"darkline-report-data-{os.getpid()}")
        os.makedirs(place, exist_ok=True)
        store = os.path.join(place, "demo.store")
        captures = sorted(glob.glob(os.path.join(SOURCE, "pcaps", "demo-*.zst")))
        check(captures, "no demonstration in pcaps/")
        expect(DARKLINE.run("probe", "-r", *captures, "-w", store), DONE)
        expect(DARKLINE.run("report", store, "-o", os.path.join(place, "report"), "--no-pictures"), DONE)
        _made["demo"] = place
    return os.path.join(_made["demo"], "demo.store"), os.path.join(_made["demo"], "report")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def table(*path):
    with open(os.path.join(*path), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def lines_of(*path):
    return [json.loads(line) for line in read(*path).splitlines()]


def at(value, pointer):
    """RFC 6901."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


# ---- formats ----

def validator(report):
    try:
        import jsonschema  # pylint: disable=import-outside-toplevel
    except ImportError:
        skip("python3-jsonschema is not installed")
    schema = json.loads(read(report, "report.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@test
def schema(folder):
    _, report = demonstration(folder)
    valid, document = validator(report), json.loads(read(report, "report.json"))
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in valid.iter_errors(document)]
    equal(errors[:5], [], "errors by the schema")
    document["events"][0]["surprise"] = 1
    check(not valid.is_valid(document), "an unknown key passes")


@test
def schema_of_other_stores(folder):
    """Nothing found, not enough data: every key is there all the same."""
    lab = sorted(glob.glob(os.path.join(SOURCE, "pcaps", "lab", "*.pcap*")))[:2]
    check(lab, "no captures of the lab")
    store, report = os.path.join(folder, "store"), os.path.join(folder, "report")
    expect(DARKLINE.probe(store, *lab), DONE)
    expect(DARKLINE.run("report", store, "-o", report, "--no-pictures"), DONE)
    errors = [error.message[:200] for error in validator(report).iter_errors(json.loads(read(report, "report.json")))]
    equal(errors[:5], [], "errors by the schema")
    expect(DARKLINE.run("report", "--verify", report), DONE)


@test
def csv_files_are_whole(folder):
    _, report = demonstration(folder)
    for name in ("events.csv", "cells.csv", "flows.csv"):
        with open(os.path.join(report, name), encoding="utf-8", newline="") as file:
            text = file.read()
        check("\r\n" in text and "\n" not in text.replace("\r\n", ""), f"{name}: lines do not end in CR LF")
        rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
        equal({len(row) for row in rows}, {len(rows[0])}, f"{name}: columns")
        for column in ("origin", "draft"):
            check(column in rows[0], f"{name} has no column {column}")
        for row in rows[1:]:
            for cell in row:
                for when in ANY_TIME.findall(cell):
                    check(WHOLE_HOUR.fullmatch(when), f"{name}: {when} is finer than an hour")


@test
def draft_is_marked(folder):
    store, _ = demonstration(folder)
    report = os.path.join(folder, "report")
    expect(DARKLINE.run("report", store, "-o", report, "--no-pictures", "--draft"), DONE)
    check(json.loads(read(report, "report.json"))["report"]["draft"], "report.json")
    for name in ("events.csv", "cells.csv", "flows.csv"):
        equal({(row["draft"], row["origin"]) for row in table(report, name)}, {("true", "composed")}, name)
    equal({(m["annotations"]["draft"], m["annotations"]["origin"]) for m in lines_of(report, "measurements.jsonl")},
          {("true", "composed")}, "measurements.jsonl")
    check("# draft yes\n" in read(report, "MANIFEST") and "# origin composed\n" in read(report, "MANIFEST"), "MANIFEST")


# ---- the page, report.json and the store agree ----

class Numbers(html.parser.HTMLParser):
    """All <data> of a page: reference, value, and the text within; and all <time> that have a reference."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.times = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "data":
            named = dict(attrs)
            self.open.append([named.get("data-ref"), named.get("value"), ""])
        elif tag == "time" and "data-ref" in dict(attrs):
            self.times.append((dict(attrs)["data-ref"], dict(attrs)["datetime"]))

    def handle_data(self, data):
        if self.open:
            self.open[-1][2] += data

    def handle_endtag(self, tag):
        if tag == "data":
            self.found.append(self.open.pop())


def said(text):
    """The numbers of a formatted text, how far each may be off for its digits, and whether it is a percentage."""
    plain = re.sub("[\u202f\u00a0\u2068\u2069,]", "", text)
    for number, digits, percent in re.findall(r"(\d+(?:\.(\d+))?)\s*(%?)", plain):
        yield float(number), 0.5000001 * 10 ** -len(digits), bool(percent)


def agrees(reference, value, text):
    """Does a text say the number? Shares are told in percent, microseconds in seconds, bytes and the like by thousands."""
    numbers = list(said(text))
    if not numbers or re.search("under|over|less|more", text):
        return True
    value = abs(value) / (1e6 if reference.endswith("_us") else 1)  # "31 hours before"
    scales = (1,) if value < 1000 else (1, 1e-3, 1e-6, 1e-9)
    return any(abs(number - value * (100 if percent else scale)) <= off for number, off, percent in numbers for scale in scales)


def counts_in(value):
    """What a reader of the data can count: how long its lists are, and the packets of all lines."""
    found = set()
    if isinstance(value, (dict, list)):
        if isinstance(value, list):
            found.add(len(value))
        for part in value.values() if isinstance(value, dict) else value:
            found |= counts_in(part)
    return found


@test
def every_number_is_in_the_data(folder):
    _, report = demonstration(folder)
    document, numbers = json.loads(read(report, "report.json")), Numbers(read(report, "index.html"))
    check(len(numbers.found) > 100, f"only {len(numbers.found)} numbers on the page")
    counts = counts_in(document) | {sum(line[key] for line in document["lines"]) for key in ("packets", "lost")}
    for reference, value, text in numbers.found:
        check(value is not None, f"a number without value: {text!r}")
        if reference is None:
            check(value.isdigit() and int(value) in counts, f"{text!r} stands nowhere in report.json, nor can it be counted there")
            continue
        try:
            there = at(document, reference)
        except (KeyError, IndexError, ValueError, TypeError):
            check(False, f"{reference} is not in report.json")
        if isinstance(there, (int, float)) and not isinstance(there, bool):
            check(abs(float(value) - there) <= 1e-9 * max(1, abs(there)), f"{reference}: {value} on the page, {there} in the data")
            check(agrees(reference, there, text), f"{reference}: {there} in the data, the page says {text!r}")
        else:
            equal(value, str(there), reference)


@test
def every_time_is_in_the_data(folder):
    """A day stands in local time: it may be one day off what the data say."""
    _, report = demonstration(folder)
    document, numbers = json.loads(read(report, "report.json")), Numbers(read(report, "index.html"))
    check(len(numbers.times) > 20, f"only {len(numbers.times)} times on the page")
    for reference, when in numbers.times:
        there = at(document, reference)
        if len(when) > 10:
            equal(when[:16], there[:16], reference)
        else:
            days = [datetime.date.fromisoformat(text[:10]).toordinal() for text in (when, there)]
            check(abs(days[0] - days[1]) <= 1, f"{reference}: {when} on the page, {there} in the data")


@test
def the_data_is_in_the_store(folder):
    store, report = demonstration(folder)
    document = json.loads(read(report, "report.json"))
    flows = {flow["id"]: flow for flow in DARKLINE.flows(store)}
    result = DARKLINE.run("analyze", store, "--json")
    equal(result.code, DONE, "exit code of analyze")
    analysed = {event["id"]: event for event in json.loads(result.out)["events"]}
    equal({event["id"] for event in document["events"]}, set(analysed), "events")
    for event in document["events"]:
        other = analysed[event["id"]]
        for key in ("class", "state", "service", "carrier", "asn", "country", "mechanism", "grade", "scope", "attempts", "failures",
                    "clients", "voices", "quality", "rules", "explanation", "flows", "hours", "interval"):
            equal(event[key], other[key], f"{event['id']}: {key}")
        for key in other["mechanisms"]:
            check(abs(event["mechanisms"][key] - other["mechanisms"][key]) < 1e-6, f"{event['id']}: share of {key}")
        check(event["onset"]["earliest"] <= other["onset"]["earliest"] and event["onset"]["latest"] >= other["onset"]["latest"][:19],
              f"{event['id']}: its hours are not around its times")
        for flow in event["flows"]:
            check(flows[flow]["service"] == event["service"] and flows[flow]["vantage"]["carrier"] == event["carrier"], flow)
            check(flows[flow]["mechanism"] in event["mechanisms"], f"{flow}: {flows[flow]['mechanism']}")
        for index in event["cards"]:
            card = document["cards"][index]
            flow = flows[card["id"]]
            for key in ("mechanism", "attribution", "outcome", "signature", "stage", "score"):
                equal(card[key], flow[key], f"card {card['id']}: {key}")
            equal([reason["rule"] for reason in card["reasons"]], [reason["rule"] for reason in flow["evidence"]], f"card {card['id']}")


@test
def cells_and_pairs_add_up(folder):
    """The demonstration has no floor: its cells, its pairs, its flows and its attempts are the same ones."""
    _, report = demonstration(folder)
    document = json.loads(read(report, "report.json"))
    cells = collections.Counter()
    for row in table(report, "cells.csv"):
        cells[row["carrier"], row["service"], row["result"]] += int(row["count"])
    for pair in document["pairs"]:
        key = pair["carrier"], pair["service"]
        equal((cells[(*key, "ok")], cells[(*key, "failed")]), (pair["worked"], pair["failures"]), f"cells of {key}")
    attempts = collections.Counter((row["carrier"], row["attempt"], row["service"]) for row in table(report, "flows.csv"))
    equal(len(attempts), sum(cells.values()), "attempts of flows.csv, and of the cells")
    equal(len(lines_of(report, "measurements.jsonl")), sum(cells.values()), "measurements, and attempts of the cells")


@test
def flows_of_people_tell_no_moment(folder):
    """Of lines that people use: no packet number and no count of packets or bytes, in an order that tells no time."""
    capture = os.path.join(SOURCE, "pcaps", "demo-jazz.pcap.zst")
    rows, hidden = {}, ("id", "attempt", "packets_up", "packets_down", "bytes_up", "bytes_down", "origin")
    for origin in ("field", "composed"):
        store, out = os.path.join(folder, f"{origin}.store"), os.path.join(folder, f"{origin}-out")
        expect(DARKLINE.run("probe", "-r", capture, "-w", store, "-q", "--origin", origin), DONE)
        expect(DARKLINE.run("report", store, "-o", out, "--no-pictures", "--min-clients", "1"), DONE)
        rows[origin] = table(out, "flows.csv")
        keys = [line["test_keys"] for line in lines_of(out, "measurements.jsonl")]
        equal({key[name] is None for key in keys for name in ("x_attempt", "x_flow")}, {origin == "field"}, "ids told")
        own = [step for card in json.loads(read(out, "report.json"))["cards"] for step in card["steps"]
               if not step["from_server"] and step["kind"] in ("syn", "ack", "data", "question")]
        check(own, "no card")
        equal(any(step["ip_id"] is not None or step["ttl"] for step in own), origin != "field", "a client's own packets")
    check(len(rows["field"]) > 1000, "hardly a flow")
    equal({row[name] for row in rows["field"] for name in hidden[:-1]}, {""}, "what would tell whose a flow was")
    told = {origin: [tuple(value for name, value in row.items() if name not in hidden) for row in rows[origin]]
            for origin in rows}
    equal(collections.Counter(told["field"]), collections.Counter(told["composed"]), "the same flows")
    check(told["field"] != told["composed"], "people's flows stand in the order of time")


# ---- OONI's format ----

def measurements_of(path):
    """Those of a file of OONI's, whatever it wraps them in."""
    text = read(path)
    try:
        values = json.loads(text)
    except ValueError:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    for value in values if isinstance(values, list) else [values]:
        raw = value.get("raw_measurement", value) if isinstance(value, dict) else value
        yield json.loads(raw) if isinstance(raw, str) else raw


@test
def real_measurements_pass(_):
    """The validator is right about what OONI itself published. meek3.json is its backend's own test of a broken one."""
    files = sorted(glob.glob(os.path.join(REAL_DATA, "ooni", "*", "*.json")))
    files = [path for path in files if not any(word in path for word in ("analysis", "fingerprints", "meek3"))]
    if not files:
        skip(f"no ooni/ in {REAL_DATA}")
    good = 0
    for path in files:
        for measurement in measurements_of(path):
            if not isinstance(measurement, dict) or measurement.get("data_format_version") != "0.2.0" or \
                    not isinstance(measurement.get("test_keys"), dict):
                continue
            equal(ooni_format.problems(measurement), [], path)
            good += 1
    check(good >= 30, f"only {good} measurements")
    last = dict(next(measurements_of(files[-1])))
    for name, (_, required, _) in ooni_format.FIELDS.items():
        if required:
            broken = dict(last)
            del broken[name]
            check(ooni_format.problems(broken), f"passes without {name}")
    for name, value in (("probe_cc", "Pakistan"), ("probe_asn", 45669), ("measurement_start_time", "2015-11-30T11:00:00Z"),
                        ("test_keys", []), ("annotations", {"draft": True}), ("test_runtime", "0")):
        check(ooni_format.problems({**last, name: value}), f"passes with {name} {value!r}")


@test
def measurements_are_as_ooni_has_them(folder):
    _, report = demonstration(folder)
    for number, measurement in enumerate(lines_of(report, "measurements.jsonl"), 1):
        equal(ooni_format.own_problems(measurement), [], f"line {number}")


def cells_of(report):
    found = collections.Counter()
    for row in table(report, "cells.csv"):
        found[row["carrier"], row["service"], row["hour"], row["result"]] += int(row["count"])
    return +found


def read_back(folder, report):
    """The cells of a store made of a report's measurements."""
    store, again = os.path.join(folder, "again.store"), os.path.join(folder, "again")
    expect(DARKLINE.run("import", "ooni", os.path.join(report, "measurements.jsonl"), "-w", store), DONE)
    expect(DARKLINE.run("report", store, "-o", again, "--no-pictures"), DONE)
    return cells_of(again)


@test
def measurements_are_read_back(folder):
    _, report = demonstration(folder)
    wanted, got = cells_of(report), read_back(folder, report)
    equal({key: count for key, count in wanted.items() if got[key] != count}, {}, "cells that came back otherwise")
    equal(sum(got.values()), sum(wanted.values()), "attempts")


@test
def imported_measurements_are_read_back(folder):
    data = os.path.join(REAL_DATA, KENYA)
    if not os.path.exists(data):
        skip(f"no {KENYA} in {REAL_DATA}")
    store, report = os.path.join(folder, "store"), os.path.join(folder, "report")
    expect(DARKLINE.run("import", "csv", data, "-w", store), DONE)
    expect(DARKLINE.run("report", store, "-o", report, "--no-pictures"), DONE)
    wanted, got = cells_of(report), read_back(folder, report)
    equal(sum(got.values()), sum(wanted.values()), "attempts")
    equal({key: (count, got[key]) for key, count in wanted.items() if got[key] != count}, {}, "cells that came back otherwise")
    for number, measurement in enumerate(lines_of(report, "measurements.jsonl"), 1):
        equal(ooni_format.own_problems(measurement), [], f"line {number}")


# ---- the same bytes ----

def digests(report):
    found = {}
    for place, _, names in os.walk(report):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, report)] = hashlib.sha256(file.read()).hexdigest()
    return found


@test
def the_same_bytes_anywhere_and_later(folder):
    store, _ = demonstration(folder)
    copies = []
    for name, zone, locale in (("a", "Asia/Karachi", "C.UTF-8"), ("b", "UTC", "C")):
        copy = os.path.join(folder, f"{name}.store")
        shutil.copy(store, copy)
        shutil.copy(store + ".key", copy + ".key")
        os.rename(copy, os.path.join(folder, "demo.store"))
        os.rename(copy + ".key", os.path.join(folder, "demo.store.key"))
        report = os.path.join(folder, name)
        expect(DARKLINE.run("report", os.path.join(folder, "demo.store"), "-o", report, "--no-pictures",
                            env={**os.environ, "TZ": zone, "LC_ALL": locale, "LANG": locale}), DONE)
        copies.append(digests(report))
        for leftover in glob.glob(os.path.join(folder, "demo.store*")):
            os.remove(leftover)
        time.sleep(1.1)  # another second of any clock
    for name in TEXT_FILES:
        check(name in copies[0], f"{name} is missing")
    equal({name for name in copies[0] if copies[0][name] != copies[1].get(name)}, set(), "files that differ")
    check(time.strftime("%Y-%m-%d") not in read(folder, "a", "index.html"), "today's date is on the page")


if __name__ == "__main__":
    DARKLINE, SOURCE, REAL_DATA = arguments("DARKLINE", "SOURCE", "REAL_DATA")
    DARKLINE = Darkline(DARKLINE)
    CODE = main()
    for made in _made.values():
        shutil.rmtree(made, ignore_errors=True)
    sys.exit(CODE)
