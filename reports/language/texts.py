#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the catalogues of texts (gettext's PO files, the first the English one) into C.

  texts.py make TEXTS.H TABLE.C EN.po OTHER.po...   writes `enum text_id` and the tables
  texts.py check EN.po OTHER.po...                  says what translations lack; 1 if anything

In en.po msgctxt is a text's name, msgid its English, msgstr stays empty. The others repeat both and
translate msgid in msgstr, so that an entry whose English has changed since is known and not used.
Placeholders are {words}. What is wrong is reported as FILE:LINE; `make` stops only at what makes a
catalogue unreadable or en.po wrong: a translation that is missing, stale or has other placeholders
is left out there, and the reader gets English.

PO is read here, not by msgfmt: it keeps no lines to report, and would be one more package to build with.
"""
import re
import sys

NAME = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+\Z")
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"\s*\Z')
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
# What the page's writer takes for a stranger's mischief (reports/text.h): it must not be in a text.
DISTURBING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
PLURAL_TOKENS = re.compile(r"(?:\s+|n|[0-9]{1,9}|\|\||&&|[=!<>]=|[-+*/%<>!?:()])*\Z")
FORMS_MAX = 6


class Wrong(Exception):
    """Stops everything; its text says where."""


class Entry:
    def __init__(self, line):
        self.line = line
        self.fields = {}  # "msgctxt", "msgid", "msgid_plural", "msgstr", "msgstr[0]" ...
        self.fuzzy = False

    @property
    def name(self):
        return self.fields.get("msgctxt")

    @property
    def english(self):
        return self.fields.get("msgid"), self.fields.get("msgid_plural")

    def forms(self):
        """What msgstr says, by form; [] where it is not translated."""
        if "msgid_plural" not in self.fields:
            texts = [self.fields.get("msgstr", "")]
        else:
            texts = []
            while f"msgstr[{len(texts)}]" in self.fields:
                texts.append(self.fields[f"msgstr[{len(texts)}]"])
        return texts if texts and all(texts) else []


def unescape(text, where):
    def one(match):
        if match[1] not in ESCAPES:
            raise Wrong(f"{where}: no such escape: \\{match[1]}")
        return ESCAPES[match[1]]
    return re.sub(r"\\(.)", one, text)


def entries_of(path):
    """The entries of a PO file, its header first."""
    entries, entry, field, fuzzy = [], None, None, False
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        line = line.strip()
        if not line or line.startswith("#"):
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
            field = None
            continue
        match = re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?)\s+(?=")', line)
        if match:
            field, line = match[1], line[match.end():]
            if field == "msgctxt" or (field == "msgid" and "msgid" in getattr(entry, "fields", {"msgid": 0})):
                entry = Entry(number)
                entry.fuzzy, fuzzy = fuzzy, False
                entries.append(entry)
            if field in entry.fields:
                raise Wrong(f"{where}: a second {field} in one entry")
            entry.fields[field] = ""
        elif field is None:
            raise Wrong(f"{where}: not a line of a PO file: {line[:40]}")
        match = STRING.match(line)
        if not match:
            raise Wrong(f"{where}: not a quoted text: {line[:40]}")
        entry.fields[field] += unescape(match[1], where)
    return entries


class Catalogue:
    def __init__(self, path):
        self.path = path
        self.entries = {}  # by name
        entries = entries_of(path)
        if not entries or entries[0].name is not None or entries[0].fields.get("msgid") != "":
            raise Wrong(f"{path}:1: no header (the first entry has an empty msgid)")
        self.read_header(entries[0])
        for entry in entries[1:]:
            where = f"{path}:{entry.line}"
            if entry.name is None or not NAME.match(entry.name):
                raise Wrong(f"{where}: msgctxt is no name such as headline.nothing: {entry.name}")
            if entry.name in self.entries:
                raise Wrong(f"{where}: {entry.name} is there twice, first in line {self.entries[entry.name].line}")
            if not entry.fields.get("msgid"):
                raise Wrong(f"{where}: {entry.name} has no msgid")
            if not any(field.startswith("msgstr") for field in entry.fields):
                raise Wrong(f"{where}: {entry.name} has no msgstr")
            self.entries[entry.name] = entry

    def read_header(self, entry):
        header = dict(re.findall(r"^([A-Za-z-]+): *(.*?)\s*$", entry.fields.get("msgstr", ""), re.M))
        where = f"{self.path}:{entry.line}"
        self.code, self.name = header.get("Language"), header.get("X-Language-Name")
        self.is_rtl = header.get("X-Direction") == "rtl"
        if not self.code or not self.name:
            raise Wrong(f"{where}: the header lacks Language or X-Language-Name")
        match = re.match(r"nplurals *= *(\d+); *plural *= *(.*?);?\Z", header.get("Plural-Forms", ""))
        if not match or not 1 <= int(match[1]) <= FORMS_MAX or not PLURAL_TOKENS.match(match[2]):
            raise Wrong(f"{where}: the header has no Plural-Forms that can be read")
        self.form_count, self.plural = int(match[1]), match[2]


def placeholders(text):
    return set(PLACEHOLDER.findall(text))


def faults_of_text(text):
    """What is wrong with a text itself."""
    if DISTURBING.search(text):
        yield "holds a control, invisible or direction character"
    if text != text.strip():
        yield "begins or ends with a space"
    rest = PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        yield "holds a brace that is no placeholder such as {carrier}"


def check_english(english):
    symbols = {}
    for entry in english.entries.values():
        where = f"{english.path}:{entry.line}: {entry.name}"
        if any(entry.fields[field] for field in entry.fields if field.startswith("msgstr")):
            raise Wrong(f"{where}: msgstr must be empty in English; its text is msgid")
        for text in filter(None, entry.english):
            for fault in faults_of_text(text):
                raise Wrong(f"{where}: {fault}")
        other = symbols.setdefault(symbol(entry.name), entry.name)
        if other != entry.name:
            raise Wrong(f"{where}: cannot be told from {other} in C")


def faults_of_forms(forms, english):
    """Placeholders: none unknown, none lost. One plural form may leave some out ("one attempt")."""
    known = set().union(*(placeholders(text) for text in english if text))
    for text in forms:
        for fault in faults_of_text(text):
            yield fault
        for word in sorted(placeholders(text) - known):
            yield f"unknown placeholder {{{word}}}"
    for word in sorted(known - placeholders(forms[-1])):
        yield f"placeholder {{{word}}} is lost"


def faults(catalogue, english, entry):
    """Why the translation of the English `entry` cannot be used, as (line, text); none: it can."""
    mine = catalogue.entries.get(entry.name)
    if mine is None:
        yield 1, f"{entry.name} is missing: {entry.english[0]}"
        return
    forms = mine.forms()
    if not forms:
        yield mine.line, f"{entry.name} is not translated: {entry.english[0]}"
        return
    if mine.english != entry.english:
        yield mine.line, f"{entry.name}: its English is now: {entry.english[0]}"
    if mine.fuzzy:
        yield mine.line, f"{entry.name} is marked fuzzy"
    if entry.english[1] is not None and len(forms) != catalogue.form_count:
        yield mine.line, f"{entry.name} has {len(forms)} plural forms, not {catalogue.form_count}"
    for fault in faults_of_forms(forms, entry.english):
        yield mine.line, f"{entry.name}: {fault}"


def check(catalogues):
    """Says what is wrong with the translations; how much."""
    english, count = catalogues[0], 0
    for catalogue in catalogues[1:]:
        found = [fault for entry in english.entries.values() for fault in faults(catalogue, english, entry)]
        found += [(entry.line, f"{entry.name} is not in {english.path}")
                  for entry in catalogue.entries.values() if entry.name not in english.entries]
        for line, text in sorted(found):
            print(f"{catalogue.path}:{line}: {text}")
        count += len(found)
    return count


# ---- C ----

def symbol(name):
    return "TEXT_" + re.sub("[.-]", "_", name).upper()


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_header(path, names):
    with open(path, "w", encoding="utf-8") as file:
        file.write("/* Made by reports/language/texts.py. */\n#pragma once\n\nenum text_id {\n")
        file.writelines(f"    {symbol(name)},\n" for name in names)
        file.write("    TEXT_COUNT\n};\n")


def forms_for_c(catalogue, english, entry):
    """The texts of the language, one a plural form; None where readers get English."""
    if catalogue is english:
        forms = [text for text in entry.english if text is not None]
    elif any(True for _ in faults(catalogue, english, entry)):
        return [None] * catalogue.form_count
    else:
        forms = catalogue.entries[entry.name].forms()
    return forms if entry.english[1] is not None else forms * catalogue.form_count


def write_table(path, catalogues, names):
    english = catalogues[0]
    with open(path, "w", encoding="utf-8") as file:
        file.write('/* Made by reports/language/texts.py. */\n#include "reports/language/texts_table.h"\n\n'
                   '#include <stddef.h>\n\nconst char *const texts_names[TEXT_COUNT] = {\n')
        file.writelines(f"    {quoted(name)},\n" for name in names)
        file.write("};\n")
        for number, catalogue in enumerate(catalogues):
            file.write(f"\nstatic uint64_t plural_{number}(uint64_t n)\n{{\n    (void)n;\n"
                       f"    return (uint64_t)({catalogue.plural});\n}}\n"
                       f"static const char *const texts_{number}[] = {{\n")
            for name in names:
                texts = forms_for_c(catalogue, english, english.entries[name])
                file.write("    " + " ".join((quoted(text) if text else "NULL") + "," for text in texts) + "\n")
            file.write("};\n")
        file.write("\nconst struct language texts_languages[] = {\n")
        for number, catalogue in enumerate(catalogues):
            file.write(f"    {{{quoted(catalogue.code)}, {quoted(catalogue.name)}, {str(catalogue.is_rtl).lower()}, "
                       f"{catalogue.form_count}, plural_{number}, texts_{number}}},\n")
        file.write(f"}};\nconst size_t texts_language_count = {len(catalogues)};\n")


def main(arguments):
    if len(arguments) >= 4 and arguments[0] == "make":
        outputs, paths = arguments[1:3], arguments[3:]
    elif len(arguments) >= 2 and arguments[0] == "check":
        outputs, paths = [], arguments[1:]
    else:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        catalogues = [Catalogue(path) for path in paths]
        check_english(catalogues[0])
    except (Wrong, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    if not outputs:
        count = check(catalogues)
        print(f"{len(catalogues[0].entries)} texts, {count} faults in {len(catalogues) - 1} translations")
        return count > 0
    names = sorted(catalogues[0].entries)
    write_header(outputs[0], names)
    write_table(outputs[1], catalogues, names)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
