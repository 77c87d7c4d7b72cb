#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a test notice when a rule is gone?  mutations.py BUILD [RULE...]

Each rule of the judge's table and of detection's is left out in turn: the table is compiled without it, the unit tests of its room are linked with that
object before the library, and run until one fails. Tests that only count or list the table do not count. A rule that no test misses is a failure: either
it does nothing, or nobody knows whether it does.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

TABLES = (("analyzer/judge/rules.c", "judge_"), ("analyzer/detect/detect_rules.c", "detect_"))
LISTING = {"test_rules_by_kind", "test_words", "test_ids"}
# Tests that hardly anything slips past come first.
FIRST = ("plain", "proof", "looks", "resets", "stream", "pass", "resolver", "identity", "house", "injector", "throttle", "analysis", "campaign")


def entries(text):
    """(id, begin, end) of each entry of the table that begins at the first `rules[] = {`."""
    at = text.index("rules[] = {") + len("rules[] = {")
    depth, begin, quoted = 0, None, False
    for i in range(at, len(text)):
        c = text[i]
        if c == '"' and text[i - 1] != "\\":
            quoted = not quoted
        if quoted:
            continue
        if c == "{":
            begin = i if depth == 0 else begin
            depth += 1
        elif c == "}":
            if depth == 0:
                return
            depth -= 1
            if depth == 0:
                end = text.index(",", i) + 1 if text[i + 1] == "," else i + 1
                yield re.search(r'"([a-z0-9-]+)"', text[begin:i]).group(1), begin, end


def compile_command(build, source):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for entry in json.load(file):
            if entry["file"].endswith(source) and "fuzz" not in entry["output"]:
                return shlex.split(entry["command"])
    sys.exit(f"mutations: {source} is not compiled in {build}")


def replaced(command, flag, value):
    command = list(command)
    command[command.index(flag) + 1] = value
    return command


def link_command(build, test, out, mutant):
    last = subprocess.run(["ninja", "-t", "commands", test], cwd=build, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()[-1]
    command = replaced(shlex.split(last), "-o", out)
    at = command.index("-o") + 2
    return command[:at] + [mutant] + command[at:]


def tests_of(build, prefix):
    folder = os.path.join(build, "tests/unit")
    names = sorted(name for name in os.listdir(folder) if name.startswith(f"test_{prefix}") and os.access(os.path.join(folder, name), os.X_OK)
                   and os.path.isfile(os.path.join(folder, name)))
    names.sort(key=lambda name: next((i for i, word in enumerate(FIRST) if name.endswith(word)), len(FIRST)))
    return ["tests/unit/" + name for name in names]


def failures(program, build):
    ran = subprocess.run([program], cwd=build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=120)
    text = ran.stdout.decode(errors="replace")
    failed = set(re.findall(r"\[  FAILED  \] (test_\w+)", text))
    return (failed or {"it died"}) - LISTING if ran.returncode else set()


def who_notices(build, work, mutant, links):
    for test, command in links.items():
        linked = subprocess.run(command, cwd=build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if linked.returncode:
            sys.exit(f"mutations: {test} does not link\n{linked.stdout.decode(errors='replace')}")
        failed = failures(os.path.join(work, "test"), build)
        if failed:
            return f"{os.path.basename(test)}: {sorted(failed)[0]}"
    return None


def main():
    build, wanted = os.path.abspath(sys.argv[1]), set(sys.argv[2:])
    source_root = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    survivors, count = [], 0
    with tempfile.TemporaryDirectory() as work:
        for source, prefix in TABLES:
            with open(os.path.join(source_root, source), encoding="utf-8") as file:
                text = file.read()
            mutated, mutant = os.path.join(work, "rules.c"), os.path.join(work, "rules.o")
            command = [part if not part.endswith(source) else mutated for part in replaced(compile_command(build, source), "-o", mutant)]
            for flag, values in (("-MD", 0), ("-MQ", 1), ("-MF", 1)): # no lists of dependencies
                if flag in command:
                    del command[command.index(flag):command.index(flag) + 1 + values]
            links = {test: link_command(build, test, os.path.join(work, "test"), mutant) for test in tests_of(build, prefix)}
            for rule, begin, end in entries(text):
                if wanted and rule not in wanted:
                    continue
                with open(mutated, "w", encoding="utf-8") as file:
                    file.write(text[:begin] + text[end:])
                subprocess.run(command, cwd=build, check=True)
                noticed = who_notices(build, work, mutant, links)
                count += 1
                print(f"{rule:28} {noticed or 'NOBODY NOTICES'}", flush=True)
                if not noticed:
                    survivors.append(rule)
    print(f"{count} rules left out in turn, {len(survivors)} missed by no test: {', '.join(survivors) or '-'}")
    return 1 if survivors or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
