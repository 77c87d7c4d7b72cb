#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every real capture goes through the whole program.  everything.py DARKLINE REAL_DATA

Each is read to its end or to a clear error that names it; nothing crashes (run it under sanitizers too); none holds BlackBerry's services, so
no such tag may come out; and a third party is named only with the contradiction that proves it, or a known block page.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile

SKIPPED = 77
CONTRADICTIONS = {"answer-too-soon", "talks-on-after-reset", "talks-on-after-fin", "two-contents", "dns-two-answers", "blockpage"}
MAGICS = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", b"\x0a\x0d\x0d\x0a")
SIGNS = ("AddressSanitizer", "runtime error", "LeakSanitizer", "Segmentation")


def captures(folder):
    for parent, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                magic = file.read(4)
            if magic in MAGICS or (name.endswith((".pcap.gz", ".pcapng.gz")) and magic[:2] == b"\x1f\x8b"):
                yield path


def main():
    darkline, real_data = sys.argv[1:3]
    paths = list(captures(real_data)) if os.path.isdir(real_data) else []
    if not paths:
        print(f"skipped: no real captures in {real_data}")
        return SKIPPED
    failed, codes = 0, collections.Counter()
    with tempfile.TemporaryDirectory() as work:
        store = os.path.join(work, "store")
        for start in range(0, len(paths), 100):
            run = subprocess.run([darkline, "probe", "--all-names", "-w", store, "-r", *paths[start:start + 100]], stderr=subprocess.PIPE,
                                 stdin=subprocess.DEVNULL, check=False)
            text = run.stderr.decode("utf-8", "replace")
            codes[run.returncode] += 1
            if run.returncode not in (0, 3) or any(sign in text for sign in SIGNS):
                failed += 1
                print(f"exit {run.returncode} from capture {start}:\n{text}")
            for line in text.splitlines():
                if "warning" in line:
                    print(line)
        flows = subprocess.run([darkline, "flows", store, "--json"], stdout=subprocess.PIPE, check=True)
    count = 0
    for line in flows.stdout.splitlines():
        flow = json.loads(line)
        count += 1
        unproven = flow["attribution"] == "third-party" and not CONTRADICTIONS & {item["rule"] for item in flow["evidence"]}
        if (flow["service"] or "").startswith("blackberry") or unproven:
            failed += 1
            print("wrong:", flow["id"], flow["service"], flow["mechanism"], flow["attribution"])
    print(f"{len(paths)} captures, {count} flows, exit codes {dict(codes)}")
    return 1 if failed or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
