#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden files: what `darkline flows --json` says of the lab's captures.  golden.py DARKLINE CAPTURES EXPECTED [--update]

One file a capture. `--update` rewrites them: review the difference before you commit it. Addresses are kept (nobody's: they are the lab's), so
that the lines are the same on every machine.
"""
import difflib
import glob
import os
import subprocess
import sys
import tempfile


def observe(darkline, capture, work):
    store = os.path.join(work, "store")
    for path in glob.glob(store + "*"):
        os.unlink(path)
    probe = subprocess.run([darkline, "probe", "-q", "-r", capture, "-w", store, "--all-names", "--keep-addresses"], check=False)
    if probe.returncode:
        return f"probe ended with {probe.returncode}\n"
    flows = subprocess.run([darkline, "flows", store, "--json"], stdout=subprocess.PIPE, check=True, text=True)
    return flows.stdout


def main():
    darkline, captures, expected = sys.argv[1:4]
    update = "--update" in sys.argv[4:]
    failed = 0
    paths = sorted(glob.glob(os.path.join(captures, "*.pcap")))
    with tempfile.TemporaryDirectory() as work:
        for path in paths:
            name = os.path.basename(path)[:-5]
            golden = os.path.join(expected, name + ".jsonl")
            seen = observe(darkline, path, work)
            wanted = open(golden, encoding="utf-8").read() if os.path.exists(golden) else ""
            if seen == wanted:
                continue
            if update:
                open(golden, "w", encoding="utf-8").write(seen)
                print(f"rewritten: {name}")
                continue
            failed += 1
            print(f"differs: {name}")
            sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), seen.splitlines(True), "expected", "seen", n=0))
    print(f"{len(paths) - failed} of {len(paths)} captures as expected")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
