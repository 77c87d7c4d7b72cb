# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs in this folder have in common: running darkline, and telling what held.

A test is a function under @test; it fails by an exception, most often of check() or equal(), and says that it cannot
run by skip(). main() runs them in the order they were written, each in a folder of its own that is gone afterwards.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import traceback

SKIPPED = 77
RUN_SECONDS = 60
NOBODY = 65534

DONE, FAILED, USAGE, DAMAGED = 0, 1, 2, 3  # darkline's exit codes


class Failure(Exception):
    """What was wanted did not hold."""


class Skip(Exception):
    """The test cannot run here."""


def skip(why):
    raise Skip(why)


def check(condition, why):
    if not condition:
        raise Failure(why)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r}, wanted {wanted!r}")


class Result:
    """How one call of darkline went."""

    def __init__(self, command, code, out, err):
        self.command, self.code = command, code
        self.out, self.err = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")

    def __repr__(self):
        return f"{' '.join(self.command)}: exit {self.code}; out {self.out[-300:]!r}; err {self.err[-600:]!r}"


class Darkline:
    """The program under test."""

    def __init__(self, program):
        self.program = os.path.abspath(program)

    def run(self, *words, **options):
        """Runs it to its end. What comes back was checked for what holds for every call."""
        command = [self.program, *map(str, words)]
        if options.pop("nobody", False):
            options["preexec_fn"] = become_nobody
        options.setdefault("timeout", RUN_SECONDS)
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options)
        result = Result(command, done.returncode, done.stdout, done.stderr)
        check(result.code in (DONE, FAILED, USAGE, DAMAGED), f"no exit code of darkline's: {result}")
        for text in (result.out, result.err):
            drawn = "\r" in text.replace("\r\n", "\n") or "\033" in text
            check(not drawn, f"drawn where no terminal is: {result}")
        check("  (null)" not in result.err and ": : " not in result.err, f"a message with a hole: {result}")
        return result

    def start(self, *words, **options):
        """Starts it; who calls sees to its end."""
        for stream in ("stdin", "stdout", "stderr"):
            options.setdefault(stream, subprocess.PIPE)
        return subprocess.Popen([self.program, *map(str, words)], **options)

    def probe(self, store, *inputs, **options):
        """Captures into a store, with every host name kept."""
        return self.run("probe", "-r", *inputs, "-w", store, "--all-names", **options)

    def flows(self, *stores):
        """All flows of the stores, as objects with their keys in order."""
        result = self.run("flows", *stores, "--json")
        equal(result.code, DONE, f"exit code of flows: {result}")
        return [json.loads(line) for line in result.out.splitlines()]


def expect(result, code, *texts):
    """The exit code, and every text in what was said."""
    check(result.code == code, f"exit {result.code}, wanted {code}: {result}")
    for text in texts:
        check(str(text).lower() in result.err.lower(), f"not said: {text!r}: {result}")
    return result


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def rows(store, table="flows"):
    """How many rows a store holds, asked of SQLite, not of darkline."""
    return query(store, f"SELECT count(*) FROM {table}")[0][0]


def query(store, sql):
    """A read-only question, also while a probe writes."""
    database = sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=2)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def is_sound(store):
    equal(query(store, "PRAGMA integrity_check"), [("ok",)], f"integrity of {store}")


# ---- tests ----

_tests = []


def test(function):
    _tests.append(function)
    return function


def outcome(function, folder):
    """'ok', or what else is to be said of the test."""
    try:
        function(folder)
        return "ok", ""
    except Skip as why:
        return "skipped", str(why)
    except (Failure, subprocess.TimeoutExpired) as why:
        return "FAILED", str(why)
    except Exception:  # pylint: disable=broad-except
        return "FAILED", " | ".join(traceback.format_exc().strip().splitlines()[-4:])


def run_in_folder(function):
    folder = tempfile.mkdtemp(prefix="darkline-test-")
    os.chmod(folder, 0o755)
    try:
        return outcome(function, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    """Runs every test, tells of each, and gives the exit code: 1 if one failed, 77 if all were skipped."""
    tally = {"ok": 0, "skipped": 0, "FAILED": 0}
    for function in _tests:
        word, why = run_in_folder(function)
        tally[word] += 1
        print(f"{word} {function.__name__}" + (f": {why}" if why else ""), flush=True)
    if tally["FAILED"]:
        return 1
    return SKIPPED if not tally["ok"] else 0


def arguments(*names):
    """The words of the command line by these names, or the usage and exit 2."""
    if len(sys.argv) != len(names) + 1:
        print(f"usage: {sys.argv[0]} {' '.join(names)}", file=sys.stderr)
        sys.exit(USAGE)
    return sys.argv[1:]
