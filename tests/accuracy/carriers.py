#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalog's carriers agree with what is known of their networks.  carriers.py DARKLINE REAL_DATA

Every Pakistani network of REAL_DATA/geo/pk_carriers.csv has a carrier, of a kind that is not another than the list's. The sample address of each
leads to that carrier by the catalog's own blocks. Every network of Kenya's measurements has a carrier of Kenya.
"""
import csv
import gzip
import ipaddress
import json
import os
import re
import subprocess
import sys

SKIPPED = 77
# What a kind of the list may be called in the catalog; None: several, so the key is left out.
KINDS = {"mobile": "mobile", "mobile+transit": "mobile", "mobile+fixed": None, "fixed": "fixed", "fixed-wireless": "fixed",
         "satellite/fixed": "fixed", "government": "fixed", "education": "fixed", "enterprise": "fixed", "transit": "transit"}
# Exchange numbers of carriers that are mainly something else, and carriers of two kinds.
OTHERWISE = {4661: "fixed", 38196: "mobile", 17557: "fixed", 38264: None}


def carriers_of(darkline):
    found = json.loads(subprocess.run([darkline, "catalog", "carriers", "--json"], check=True, capture_output=True).stdout)["carriers"]
    return {network["asn"]: carrier for carrier in found for network in carrier["asns"]}


def blocks_of(folder):
    """[(network, carrier's id)] of all files, the longest prefix first."""
    blocks = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as text:
            blocks += [(ipaddress.ip_network(block), name[:-len(".yaml")]) for block in re.findall(r"- \{block: ([^,]+),", text.read())]
    return sorted(blocks, key=lambda entry: -entry[0].prefixlen)


def check_pakistan(data, carriers, blocks):
    wrong = []
    with open(os.path.join(data, "geo", "pk_carriers.csv"), encoding="utf-8") as rows:
        networks = list(csv.DictReader(rows))
    for row in networks:
        number, address = int(row["asn"]), ipaddress.ip_address(row["sample_ip"])
        carrier = carriers.get(number)
        if not carrier or carrier["country"] != "PK":
            wrong.append(f"AS{number} ({row['brand']}) has no carrier of Pakistan")
            continue
        kind = OTHERWISE[number] if number in OTHERWISE else KINDS[row["kind"]]
        if carrier["network"] != kind:
            wrong.append(f"AS{number}: {carrier['id']} is {carrier['network']}, the list says {row['kind']}")
        holder = next((name for block, name in blocks if address in block), None)
        if holder != carrier["id"]:
            wrong.append(f"{address} of AS{number} leads to {holder}, not to {carrier['id']}")
    return len(networks), wrong


def check_kenya(data, carriers):
    with gzip.open(os.path.join(data, "ooni", "kenya_telegram", "2023-attempts.csv.gz"), "rt", encoding="utf-8") as rows:
        numbers = {}
        for row in csv.DictReader(rows):
            number = int(re.sub(r"^AS", "", row["asn"]))
            numbers[number] = numbers.get(number, 0) + 1
    unknown = {number: count for number, count in numbers.items() if carriers.get(number, {}).get("country") != "KE"}
    return sum(numbers.values()), sum(unknown.values()), sorted(unknown)


def main():
    darkline, data = sys.argv[1:]
    if not os.path.isdir(data):
        print(f"skipped: no real data in {data}")
        return SKIPPED
    carriers = carriers_of(darkline)
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "catalog", "carriers")
    networks, wrong = check_pakistan(data, carriers, blocks_of(folder))
    print(f"Pakistan: {networks} networks, {len(wrong)} complaints")
    rows, unknown_rows, unknown = check_kenya(data, carriers)
    print(f"Kenya: {rows} rows, {unknown_rows} of networks without a carrier of Kenya: {unknown}")
    if unknown_rows * 20 > rows:
        wrong.append("more than one row of twenty of Kenya has no carrier")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
