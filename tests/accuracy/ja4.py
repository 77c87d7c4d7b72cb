#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is our JA4 the one newer nDPI prints?  ja4.py JA4_DUMP REAL_DATA CATALOG

nDPI's results of that revision differ from FoxIO's description in known ways (it takes the first two characters of the first ALPN value instead of
first and last, writes `d` where there is no SNI, and hashes an empty extension list): those characters are told apart and counted. Everything else must
be equal: transport, version, both counts, both hashes.
"""
import collections
import glob
import ipaddress
import os
import re
import subprocess
import sys

SKIPPED = 77
LINE = re.compile(r"\t\d+\t(TCP|UDP) (\S+) (?:<->|->) (\S+) .*\[JA4: (\S+?)\]")
EMPTY = {"e3b0c44298fc", "000000000000"} # SHA-256 of nothing, and FoxIO's word for it
# DTLS 1.0 of the draft (0x0100): nDPI writes SSL 3.0's letters, FoxIO's table has none.
VERSIONS = {("s3", "00")}


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return str(ipaddress.ip_address(host.strip("[]"))), int(port)


def wanted(folder):
    rows = collections.defaultdict(list)
    for path in sorted(glob.glob(os.path.join(folder, "result", "*.out"))):
        for line in open(path, encoding="utf-8", errors="replace"):
            match = LINE.search(line)
            if not match:
                continue
            try:
                ends = frozenset((endpoint(match.group(2)), endpoint(match.group(3))))
            except ValueError:
                continue # an address that nDPI printed garbled
            rows[os.path.basename(path)[:-4], match.group(1).lower(), ends].append(match.group(4))
    return rows


def difference(ours, theirs):
    """'' for equal, a known difference's name, or None."""
    if ours == theirs:
        return ""
    a, b = (re.match(r"(.)(..)(.)(\d\d)(\d\d)(..)_(\w{12})_(\w{12})$", text).groups() for text in (ours, theirs))
    versions = a[1] == b[1] or (b[1], a[1]) in VERSIONS
    hashes = a[6] == b[6] and (a[7] == b[7] or {a[7], b[7]} <= EMPTY)
    if a[0] != b[0] or not versions or a[3:5] != b[3:5] or not hashes:
        return None
    if a[2] != b[2]:
        return "SNI letter"
    return "ALPN characters" if a[5] != b[5] else "empty list"


def main():
    dump, real_data, catalog = sys.argv[1:4]
    folder = os.path.join(real_data, "ndpi", "dev-3b1286ac")
    if not os.path.isdir(folder):
        print(f"skipped: no real captures in {real_data}")
        return SKIPPED
    rows = wanted(folder)
    names = {name for name, _, _ in rows}
    files = [path for path in glob.glob(os.path.join(real_data, "ndpi", "*", "pcap", "*")) if os.path.basename(path) in names]
    chosen = {os.path.basename(path): path for path in sorted(files)}
    out = subprocess.run([dump, catalog, *chosen.values()], stdout=subprocess.PIPE, check=True, text=True).stdout
    ours = collections.defaultdict(list)
    for line in out.splitlines():
        name, transport, client, server, ja4 = line.rsplit(" ", 4)
        ours[name, transport, frozenset((endpoint(client), endpoint(server)))].append(ja4)
    tally, failed = collections.Counter(), 0
    for key, theirs in rows.items():
        for index, theirs_one in enumerate(theirs):
            mine = ours.get(key, [])
            if index >= len(mine):
                tally["not found"] += 1
                print("not found:", key[0], theirs_one)
                continue
            what = difference(mine[index], theirs_one)
            tally["equal" if what == "" else what] += 1
            if what is None:
                failed += 1
                print("differs:", key[0], mine[index], theirs_one)
    print(", ".join(f"{what or 'otherwise different'}: {count}" for what, count in tally.most_common()))
    return 1 if failed or not tally or tally["not found"] > 0.05 * sum(tally.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
