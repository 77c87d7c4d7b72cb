# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of errors and of stores work on: captures of FLOWS conversations, and stores made of them."""
import os
import subprocess
import sys

import frames
from harness import DONE, expect, skip

FLOWS = 40


def path_in(folder, name, data=None):
    path = os.path.join(folder, name)
    if data is not None:
        with open(path, "wb") as file:
            file.write(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def line(count=FLOWS):
    return frames.many_flows(count).frames


def capture(folder, name="good.pcap", count=FLOWS):
    return path_in(folder, name, frames.pcap(line(count)))


def good_store(darkline, folder, name="good.store"):
    store = path_in(folder, name)
    expect(darkline.probe(store, capture(folder)), DONE)
    return store


def as_nobody(darkline):
    """Skips where the tests cannot become somebody who may not do everything, or that one could not run darkline."""
    if os.geteuid() == 0:
        if subprocess.run([sys.executable, "-c", "import os; os.setuid(65534)"], check=False).returncode:
            skip("cannot become another user")
        try:
            darkline.run("catalog", "orders", nobody=True)
        except OSError:
            skip("darkline lies where other users cannot run it")
        return {"nobody": True}
    return {}
