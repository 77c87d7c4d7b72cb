#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may a process that parses strangers' bytes still do?  test_sandbox.py DARKLINE

Asked of the kernel, in /proc, while the program waits for the rest of its input; what the locks hold is the unit test's
(commands_sandbox).
"""
import os
import signal
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import (DONE, FAILED, NOBODY, Darkline, arguments, check, equal, expect, is_sound, main,  # noqa: E402
                     rows, skip, test)

DARKLINE = None
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE = 8.0
LAB = os.path.join(SOURCE, "pcaps", "lab")


def status(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return {key: value.strip() for key, _, value in (line.partition(":") for line in file)}


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(word) for word in file.read().split()]


def await_true(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        check(time.monotonic() < deadline, f"waited {PATIENCE} s for {what}")
        time.sleep(0.02)


def with_sanitizer():
    """Such a build says so in its own binary; its sandbox is capabilities alone."""
    with open(DARKLINE.program, "rb") as file:
        return b"__asan_init" in file.read()


def check_confined(pid):
    if not with_sanitizer():
        await_true(lambda: status(pid)["Seccomp"] == "2", "seccomp's filter")
    await_true(lambda: status(pid)["NoNewPrivs"] == "1", "no new privileges")
    for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        await_true(lambda key=key: int(status(pid)[key], 16) == 0, f"{key} to be empty")


def capture(name="messengers.pcap"):
    with open(os.path.join(LAB, name), "rb") as file:
        return file.read()


def finish(process, data):
    out, err = process.communicate(data, timeout=PATIENCE)
    equal(process.returncode, DONE, f"exit code ({err.decode()}, {out.decode()})")


@test
def probe_is_confined(folder):
    """Before the first byte is there; and it reads and stores all the same."""
    store = os.path.join(folder, "x.store")
    process = DARKLINE.start("probe", "-r", "-", "-w", store)
    check_confined(process.pid)
    finish(process, capture())
    is_sound(store)
    check(rows(store) > 0, "nothing stored")
    equal(sorted(os.listdir(folder)), ["x.store", "x.store.key"], "files left")


@test
def import_is_confined(folder):
    store = os.path.join(folder, "x.store")
    process = DARKLINE.start("import", "csv", "-", "-w", store)
    check_confined(process.pid)
    finish(process, b"start,service,outcome\n2023-11-08T05:00:00Z,telegram,ok\n")
    equal(rows(store), 1, "rows")
    equal(sorted(os.listdir(folder)), ["x.store", "x.store.key"], "files left")


@test
def run_parses_in_a_child(folder):
    """The child is confined and the parent, which writes the report, is not."""
    report = os.path.join(folder, "report")
    process = DARKLINE.start("run", "-", "-o", report)
    await_true(lambda: children(process.pid), "a child")
    child, = children(process.pid)
    check_confined(child)
    equal(status(process.pid)["NoNewPrivs"], "0", "NoNewPrivs of the parent")
    finish(process, capture())
    check(os.path.exists(os.path.join(report, "index.html")), "no report")


@test
def run_ends_with_its_child(folder):
    """A parser that is killed is told, and nothing is called a report; SIGTERM to the parent ends both."""
    for of_parent, number, said in ((False, signal.SIGKILL, "ended by signal 9"),
                                    (True, signal.SIGTERM, "interrupted")):
        report = os.path.join(folder, f"report-{int(number)}")
        process = DARKLINE.start("run", "-", "-o", report)
        await_true(lambda: children(process.pid), "a child")
        child, = children(process.pid)
        check_confined(child)
        os.kill(process.pid if of_parent else child, number)
        process.stdin.flush()
        try:
            code = process.wait(PATIENCE)
        finally:
            process.kill()
        err = process.stderr.read().decode()
        equal(code, FAILED, f"exit code ({err})")
        check(said in err, f"not said: {said}: {err}")
        check(not os.path.exists(os.path.join(report, "index.html")), "a report of nothing")
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


@test
def inputs_of_all_kinds_are_read(folder):
    """Files, folders with files of their own beside them, links, pipes by number: allowed before, read after."""
    inputs = os.path.join(folder, "in")
    os.mkdir(inputs)
    for name in ("messengers.pcap", "messengers.vantage.yaml"):
        with open(os.path.join(LAB, name), "rb") as source, open(os.path.join(inputs, name), "wb") as target:
            target.write(source.read())
    os.symlink(os.path.join(LAB, "quic.pcap"), os.path.join(inputs, "link.pcap"))
    reader, writer = os.pipe()
    line = frames.Line()
    talk = frames.Talk(line, "198.51.100.7", 50001, "76.223.92.165", 443)
    talk.send(frames.CLIENT, frames.client_hello("chat.signal.org"))
    os.write(writer, frames.pcap(line.frames))
    os.close(writer)
    store = os.path.join(folder, "x.store")
    result = DARKLINE.run("probe", "-r", inputs, os.path.join(LAB, "bbm.pcap"), f"/dev/fd/{reader}", "-w", store,
                          pass_fds=(reader,))
    os.close(reader)
    expect(result, DONE, "4 inputs")


@test
def root_reads_what_its_caller_may_not(folder):
    """Called by sudo: the caller's number where that is enough for the inputs, else root's without capabilities, else
    the one capability that it takes, told with -v."""
    if os.geteuid() != 0:
        skip("needs root")
    store, path = os.path.join(folder, "x.store"), os.path.join(folder, "x.pcap")
    os.chown(folder, NOBODY, NOBODY)
    environment = {**os.environ, "SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
    for owner, mode, folder_mode, said, store_owner in (
            (NOBODY, 0o600, 0o755, f"now user {NOBODY} without any capability", NOBODY),
            (0, 0o600, 0o777, "now user 0 without any capability", 0),
            (1, 0o600, 0o755, "now user 0 with the capability to read", 0)):
        with open(path, "wb") as file:
            file.write(capture())
        os.chown(path, owner, owner)
        os.chmod(path, mode)
        os.chmod(folder, folder_mode)
        expect(DARKLINE.run("probe", "-v", "-r", path, "-w", store, env=environment), DONE, said)
        equal(os.stat(store).st_uid, store_owner, "owner of the store")
        is_sound(store)
        check(rows(store) > 0, "nothing stored")
        equal(sorted(os.listdir(folder)), ["x.pcap", "x.store", "x.store.key"], "files left")
        for name in (store, store + ".key", path):
            os.remove(name)


if __name__ == "__main__":
    (program,) = arguments("DARKLINE")
    DARKLINE = Darkline(program)
    sys.exit(main())
