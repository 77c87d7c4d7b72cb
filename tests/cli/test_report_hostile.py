#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers write, in everything that a report shows.  test_report_hostile.py DARKLINE SOURCE

Each string of tests/hostile/attacks.json is put where it can come from: names that clients ask for (TLS, HTTP, DNS), titles
and addresses of pages, certificates, names of captures, of probes and carriers (X.vantage.yaml), services and hosts of
other people's CSV, programs and inputs of OONI's measurements. None may come out as it went in where it would do harm.
"""
import csv
import html.parser
import json
import os
import re
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import DAMAGED, DONE, Darkline, arguments, check, equal, expect, main, test  # noqa: E402

DARKLINE, SOURCE = None, None
SIGNAL, FAR = "76.223.92.165", "198.51.100.80"
FILE_NAME_MAX = 200
# What turns or hides text, and controls; a page's own isolates (U+2066 to U+2069) are told apart below.
INVISIBLE = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e"
                       "\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
ISOLATES = re.compile("[\u2066-\u2069]")
FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
VOID = {"meta", "link", "br", "img", "col", "hr", "input", "wbr"}

_made = {}


def attacks():
    with open(os.path.join(SOURCE, "tests", "hostile", "attacks.json"), encoding="utf-8") as file:
        return [(one["name"], one["text"] * one["times"]) for one in json.load(file)]


def write(folder, name, data):
    with open(os.path.join(os.fsencode(folder), name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")), "wb") as file:
        file.write(data)


# ---- ways in ----

def talk(line, client, port, text):
    """A name before a catalogued suffix, in TLS, HTTP and DNS; a page with a title and a way on; it is reset."""
    name = text.encode("utf-8", "replace")[:180].decode("latin-1")
    one = frames.Talk(line, client, port, SIGNAL, 443)
    one.send(frames.CLIENT, hello(name + ".signal.org"))
    one.send(frames.SERVER, flags=frames.RST | frames.ACK)
    two = frames.Talk(line, client, port + 1, SIGNAL, 80)
    raw = text.encode("utf-8", "replace")[:900]
    flat = raw.replace(b"\r", b" ").replace(b"\n", b" ")
    two.send(frames.CLIENT, b"GET / HTTP/1.1\r\nHost: " + flat[:150] + b".signal.org\r\n\r\n")
    two.send(frames.SERVER, b"HTTP/1.1 302 Found\r\nServer: " + flat[:200] + b"\r\nLocation: http://" + flat[:200]
             + b"/\r\nContent-Type: text/html\r\n\r\n<html><head><title>" + raw + b"</title></head><body>" + raw[:200])
    two.send(frames.SERVER, flags=frames.RST | frames.ACK)


def hello(name):
    """frames.client_hello() of bytes that are no ASCII."""
    plain = frames.client_hello("x" * len(name))
    return plain.replace(b"x" * len(name), name.encode("latin-1"), 1)


def captures(folder):
    names = []
    for number, (_, text) in enumerate(attacks()):
        line = frames.Line(start=frames.START_US + number * 7_000_000)
        for client in range(4):
            talk(line, f"10.9.{number}.{client + 1}", 40000 + 2 * client, text)
        stem = text.encode("utf-8", "replace").replace(b"/", b"_").replace(b"\0", b"_")[:FILE_NAME_MAX].decode("utf-8", "ignore").encode()
        name = str(number).encode() + b"-" + stem + b".pcap"
        write(folder, name, frames.pcap(line.frames))
        who = {"probe_id": text[:60].encode("utf-8", "ignore").decode(), "carrier": text[:60], "country": "PK", "asn": 64512 + number, "origin": "lab"}
        write(folder, name[:-5] + b".vantage.yaml", "".join(f"{key}: {json.dumps(value)}\n" for key, value in who.items()).encode())
        names.append(os.path.join(os.fsencode(folder), name))
    return names


def measurements(number, text):
    """OONI's, of a program, of an input and with a failure of that name."""
    common = {"measurement_start_time": "2023-11-09 12:00:00", "probe_asn": f"AS{64000 + number}", "probe_cc": "KE", "report_id": text[:90],
              "software_name": text[:25], "software_version": text[:25], "annotations": {"network_type": text[:20], "x_carrier": text[:40]}}
    yield {**common, "test_name": "telegram", "input": text[:100], "test_keys": {
        "tcp_connect": [{"ip": "149.154.175.50", "port": 443, "status": {"failure": text[:100]}}]}}
    yield {**common, "test_name": "darkline_flow", "input": None, "test_keys": {
        "failure": text[:100], "x_service": text[:60], "x_outcome": "failed", "x_stage": "tcp", "x_host": text[:200], "x_server": text[:50]}}


def rows(number, text):
    cell = '"' + text[:200].replace('"', '""') + '"'
    for service in (cell, "telegram"):
        for minute in range(8):
            yield f"2023-11-09T{minute:02}:{number % 60:02}:00Z,{service},failed,tcp,{cell},{64000 + number},KE,{cell},{minute}{number}"


def stores(folder):
    """One of captures, one of CSV, one of OONI's."""
    made = [os.path.join(folder, name) for name in ("captures.store", "csv.store", "ooni.store")]
    files = captures(folder)
    result = DARKLINE.run("probe", "-r", *map(os.fsdecode, files), "-w", made[0], "--all-names")
    check(result.code in (DONE, DAMAGED), f"captures: {result}")
    head = "start,service,outcome,stage,failure,asn,country,host,client\n"
    text = head + "".join("\n".join(rows(n, t)) + "\n" for n, (_, t) in enumerate(attacks()))
    write(folder, "a.csv", text.encode("utf-8", "replace"))
    result = DARKLINE.run("import", "csv", os.path.join(folder, "a.csv"), "-w", made[1])
    check(result.code in (DONE, DAMAGED), f"csv: {result}")
    lines = "".join(json.dumps(m) + "\n" for n, (_, t) in enumerate(attacks()) for m in measurements(n, t))
    write(folder, "a.jsonl", lines.encode("utf-8", "replace"))
    result = DARKLINE.run("import", "ooni", os.path.join(folder, "a.jsonl"), "-w", made[2], "--all-names")
    check(result.code in (DONE, DAMAGED), f"ooni: {result}")
    return made


def report(folder):
    if "report" not in _made:
        check("place" not in _made, "it could not be made")
        place = os.path.join(os.path.dirname(folder), f"darkline-hostile-{os.getpid()}")
        os.makedirs(place, exist_ok=True)
        _made["place"] = place
        expect(DARKLINE.run("report", *stores(place), "-o", os.path.join(place, "report"), "--no-pictures", "--min-clients", "1"), DONE)
        _made["report"] = os.path.join(place, "report")
    return _made["report"]


def texts(folder):
    """Every file of the report, as text."""
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), encoding="utf-8", newline="") as file:
                yield os.path.relpath(os.path.join(place, name), folder), file.read()


# ---- what comes out ----

@test
def nothing_invisible(folder):
    for name, text in texts(report(folder)):
        found = INVISIBLE.search(text)
        check(not found, f"{name}: {found and ascii(text[max(0, found.start() - 60):found.end() + 20])}")
        if not name.endswith((".html", ".svg")):
            found = ISOLATES.search(text)
            check(not found, f"{name}: {found and ascii(text[max(0, found.start() - 60):found.end() + 20])}")


class Page(html.parser.HTMLParser):
    """The page as a browser reads it: its elements, what opens and what closes."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.bad, self.open = {}, [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            value = (value or "").strip().lower()
            if name.startswith("on") or name in ("style", "srcdoc", "action", "formaction", "background", "http-equiv") and tag != "meta":
                self.bad.append(f"{tag} {name}")
            if name in ("href", "src", "data", "xlink:href") and not re.match(r"#|https?://|data:(text/csv|application/json|image/svg\+xml)[;,]|[a-z0-9./-]+$", value):
                self.bad.append(f"{tag} {name}={value[:80]}")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.bad.append(f"</{tag}> closes {self.open[-3:]}")
        else:
            self.open.pop()


@test
def the_page_is_ours_alone(folder):
    with open(os.path.join(report(folder), "index.html"), encoding="utf-8") as file:
        text = file.read()
    page = Page(text)
    equal(page.bad[:5], [], "what does not belong there")
    equal(page.open, [], "elements left open")
    check(page.tags.get("script", 0) <= 1 and page.tags.get("style", 0) == 1, f"scripts and styles: {page.tags}")
    for tag in ("iframe", "object", "embed", "base", "form", "foreignobject", "math", "template", "noscript", "animate", "use"):
        check(tag not in page.tags, f"<{tag}> is on the page")
    check(len(text.encode()) < 1_000_000, f"{len(text.encode())} bytes")
    check(not re.search(r'(?:src|href)="[^"]*evil', text), "a link to a stranger")
    for name, attack in attacks():
        if "<" in attack and len(attack) < 4000:
            check(attack not in text, f"{name} is there as it is")


@test
def the_pictures_are_ours_alone(folder):
    found = 0
    for name, text in texts(report(folder)):
        if not name.endswith(".svg"):
            continue
        root = xml.etree.ElementTree.fromstring(text)
        for element in root.iter():
            tag = element.tag.rsplit("}", 1)[-1]
            check(tag not in ("script", "foreignObject", "style", "animate", "set", "use", "image", "a"), f"{name}: <{tag}>")
            for key, value in element.attrib.items():
                check(not key.startswith("on") and "//" not in value.replace("http://www.w3.org/", ""), f"{name}: {key}={value[:60]}")
        check("<!DOCTYPE" not in text and "<!ENTITY" not in text, f"{name}: a document type")
        found += 1
    check(found > 0, "there are no pictures")


@test
def json_is_what_was_meant(folder):
    place = report(folder)
    with open(os.path.join(place, "report.json"), encoding="utf-8") as file:
        document = json.load(file, object_pairs_hook=unique)
    check(document["report"]["draft"] is False, "an attack set a key")
    said = set(texts_in(document))
    came = [name for name, text in attacks() if any(text[:20] in one for one in said)]
    check(len(came) >= len(attacks()) - 3, f"only {len(came)} of {len(attacks())} attacks came so far: this test proves little")
    with open(os.path.join(place, "measurements.jsonl"), encoding="utf-8", newline="\n") as file:
        for line in file:
            measurement = json.loads(line, object_pairs_hook=unique)
            check(measurement["test_name"] == "darkline_flow", "a line of somebody else's")


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_in(part)


def unique(pairs):
    equal(len({key for key, _ in pairs}), len(pairs), f"keys of {str(pairs)[:200]}")
    return dict(pairs)


@test
def no_spreadsheet_calculates(folder):
    place, attacked = report(folder), 0
    for name in ("events.csv", "cells.csv", "flows.csv"):
        with open(os.path.join(place, name), encoding="utf-8", newline="") as file:
            text = file.read()
        for delimiter in ",;|\t":
            rows_read = list(csv.reader(text.split("\r\n"), delimiter=delimiter))
            if delimiter == ",":
                equal({len(row) for row in rows_read if row}, {len(rows_read[0])}, f"{name}: columns")
            for row in rows_read:
                for cell in row:
                    cell = cell.lstrip(' "')
                    attacked += cell.startswith("'")
                    check(not FORMULA.match(cell) or NUMBER.fullmatch(cell), f"{name}, cut at {delimiter!r}: {cell[:80]!r}")
    check(attacked > 0, "no formula came so far: this test proves nothing")


@test
def it_is_whole(folder):
    expect(DARKLINE.run("report", "--verify", report(folder)), DONE)


if __name__ == "__main__":
    DARKLINE, SOURCE = arguments("DARKLINE", "SOURCE")
    DARKLINE = Darkline(DARKLINE)
    CODE = main()
    if "place" in _made and os.environ.get("KEEP") is None:
        import shutil
        shutil.rmtree(_made["place"], ignore_errors=True)
    sys.exit(CODE)
