#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file as a C string, for programs that carry it with them.  embed.py NAME FILE > C"""
import sys


def main():
    name, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    print("// SPDX-License-Identifier: GPL-3.0-or-later")
    print(f'#include "reports/data/data.h"\n\nconst char {name}[] =')
    for line in lines:
        text = line.replace("\\", "\\\\").replace('"', '\\"')
        print(f'    "{text}\\n"')
    print("    ;")


if __name__ == "__main__":
    main()
