#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes C of the page's style and script: embed.py OUT.c page.css page.js

Each file becomes `const char page_css[]`; comments and indents are left out, for every page carries them.
"""
import os
import re
import sys


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    if "</" in text or "<!--" in text:
        raise SystemExit(f"{path}: would end the element that it stands in")
    return [line.strip() for line in text.split("\n") if line.strip()]


def quoted(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


def main(out, *paths):
    with open(out, "w", encoding="utf-8") as file:
        file.write('/* Made by reports/page/embed.py. */\n#include "reports/page/parts.h"\n')
        for path in paths:
            name = os.path.basename(path).replace(".", "_")
            file.write(f"\nconst char {name}[] =\n")
            file.write("\n".join("    " + quoted(line) for line in lines_of(path)) + ";\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
