#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""darkline import as a person calls it: files, errors, exit codes.  test_import.py DARKLINE REAL_DATA"""
import gzip
import json
import os
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import DAMAGED, DONE, FAILED, USAGE, Darkline, arguments, check, equal, expect, main, rows, skip, test  # noqa: E402

DARKLINE = None
REAL_DATA = None
CSV = b"""start,service,outcome,stage,failure,asn,country,client
2023-11-09T12:00:00Z,telegram,failed,tcp,generic_timeout_error,12455,KE,a
2023-11-09T12:00:00Z,telegram,failed,http,generic_timeout_error,12455,KE,a
2023-11-09T12:00:01Z,signal,ok,tls,,37061,KE,b
"""
OONI = {"test_name": "psiphon", "measurement_start_time": "2023-11-09 12:00:00", "probe_asn": "AS1", "probe_cc": "KE", "test_keys": {"failure": None}}
KENYA = "ooni/kenya_telegram/2023-attempts.csv.gz"


def path_in(folder, name, data=None):
    path = os.path.join(folder, name)
    if data is not None:
        with open(path, "wb") as file:
            file.write(data)
    return path


@test
def csv_becomes_flows(folder):
    store = path_in(folder, "store")
    expect(DARKLINE.run("import", "csv", path_in(folder, "a.csv", CSV), "-w", store), DONE, "1 file, 3 lines: 3 rows of 2 vantages")
    flows = DARKLINE.flows(store)
    equal([flow["mechanism"] for flow in flows], ["tcp.timeout", "http.timeout", None], "mechanisms")
    equal(flows[0]["attempt"], flows[1]["attempt"], "one run, one attempt")
    equal([flow["id"].split(":")[1] for flow in flows], ["2", "3", "4"], "the lines of the file")
    equal(flows[0]["vantage"]["origin"], "imported", "origin")
    check(all(flow["server_port"] is None and flow["client_port"] is None for flow in flows), "ports that nobody told")
    equal(os.stat(store + ".key").st_mode & 0o777, 0o600, "mode of the key")
    expect(DARKLINE.run("report", store, "-o", path_in(folder, "report")), DONE)


@test
def several_files_and_twice(folder):
    store = path_in(folder, "store")
    lines = b"\n".join(json.dumps(dict(OONI, report_id=str(n))).encode() for n in range(3))
    first, second = path_in(folder, "a.jsonl", lines), path_in(folder, "b.json.gz", gzip.compress(json.dumps([OONI]).encode()))
    expect(DARKLINE.run("import", "ooni", first, second, "-w", store), DONE, "2 files, 4 lines: 4 rows")
    expect(DARKLINE.run("import", "ooni", first, "-w", store), DONE, "already in the store, skipped")
    equal(rows(store), 4, "rows")
    expect(DARKLINE.run("import", "ooni", "-", "-w", store, input=lines), DONE, "3 rows")
    equal(rows(store), 7, "rows with standard input")


@test
def broken_lines_are_told(folder):
    store = path_in(folder, "store")
    broken = path_in(folder, "a.csv", CSV + b"yesterday,signal,ok,,,,,\n" * 7)
    expect(DARKLINE.run("import", "csv", broken, "-w", store), DAMAGED, "line 5: column start: 'yesterday'", "2 more broken lines",
           "7 of 10 lines were broken")
    equal(rows(store), 3, "rows")


@test
def what_cannot_be_read(folder):
    store = path_in(folder, "store")
    nothing = path_in(folder, "nothing.csv", b"")
    expect(DARKLINE.run("import", "csv", nothing, "-w", store), FAILED, "empty")
    expect(DARKLINE.run("import", "csv", path_in(folder, "missing.csv"), "-w", store), FAILED, "no such file")
    expect(DARKLINE.run("import", "csv", path_in(folder, "b.csv", b"start,outcome\n1,ok\n"), "-w", store), FAILED, "no column service")
    expect(DARKLINE.run("import", "ooni", path_in(folder, "c.json", b"hello\n"), "-w", store), FAILED, "line 1")
    expect(DARKLINE.run("import", "csv", folder, "-w", store), FAILED, "directory")
    equal(rows(store), 0, "rows")
    good = path_in(folder, "a.csv", CSV)
    expect(DARKLINE.run("import", "csv", nothing, good, "-w", store), DAMAGED, "empty", "3 rows")


@test
def a_cut_archive_keeps_its_beginning(folder):
    store = path_in(folder, "store")
    head, line = CSV.split(b"\n", 1)[0] + b"\n", b"2023-11-09T12:00:%02dZ,signal,ok,tcp,,1,KE,%d\n"
    packed = gzip.compress(head + b"".join(line % (n % 60, n * 7919 % 100003) for n in range(20000)))
    expect(DARKLINE.run("import", "csv", path_in(folder, "a.csv.gz", packed[:len(packed) // 2]), "-w", store), DAMAGED, "truncated",
           "what came before is kept")
    check(1000 < rows(store) < 19000, f"{rows(store)} rows")


@test
def usage(folder):
    good, store = path_in(folder, "a.csv", CSV), path_in(folder, "store")
    expect(DARKLINE.run("import"), USAGE, "import what?")
    expect(DARKLINE.run("import", "pcap", good, "-w", store), USAGE, "ooni or csv")
    expect(DARKLINE.run("import", "csv", good), USAGE, "-w STORE is missing")
    expect(DARKLINE.run("import", "csv", "-w", store), USAGE, "which FILE?")
    expect(DARKLINE.run("import", "csv", good, "-w", store, "--since", "2024-01-01", "--until", "2023-01-01"), USAGE, "--until")
    check(not os.path.exists(store), "a store was made")


@test
def since_and_until(folder):
    store = path_in(folder, "store")
    expect(DARKLINE.run("import", "csv", path_in(folder, "a.csv", CSV), "-w", store, "--since", "2023-11-09T12:00:01Z"), DONE, "1 row of 1 vantage ")
    equal(rows(store), 1, "rows")


@test
def one_key_a_store(folder):
    store, other = path_in(folder, "store"), path_in(folder, "other.key")
    expect(DARKLINE.run("import", "csv", path_in(folder, "a.csv", CSV), "-w", store), DONE)
    expect(DARKLINE.run("import", "csv", path_in(folder, "b.csv", CSV + b"\n"), "-w", store, "--key", other), FAILED, "not the key")


@test
def names_of_nobody_stay_out(folder):
    store = path_in(folder, "store")
    keys = {"tcp_connect": [{"ip": "192.0.2.1", "port": 443, "status": {"failure": None}}]}
    web = dict(OONI, test_name="web_connectivity", input="https://a-private-name.example/", test_keys=keys)
    data = path_in(folder, "a.json", json.dumps(web).encode())
    expect(DARKLINE.run("import", "ooni", data, "-w", store), DONE, "1 target of no service")
    with open(store, "rb") as file:
        check(b"a-private-name" not in file.read(), "the name is in the store")
    expect(DARKLINE.run("import", "ooni", data, "-w", path_in(folder, "all"), "--all-names"), DONE, "1 row ")


@test
def kenya(folder):
    data, store = os.path.join(REAL_DATA, KENYA), path_in(folder, "store")
    if not os.path.exists(data):
        skip(f"no {KENYA} in {REAL_DATA}")
    expect(DARKLINE.run("import", "csv", data, "-w", store), DONE, "61517 lines: 61517 rows of 30 vantages")
    expect(DARKLINE.run("import", "csv", data, "-w", store), DONE, "skipped")


if __name__ == "__main__":
    DARKLINE, REAL_DATA = arguments("DARKLINE", "REAL_DATA")
    DARKLINE = Darkline(DARKLINE)
    sys.exit(main())
