#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""texts.py on small catalogues: each fault of a text is told with its file and line, and C never holds a faulty one.

  check_texts.py TEXTS.PY
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TEXTS = str(pathlib.Path(sys.argv.pop(1)).resolve())
HEADER = ('# header\nmsgid ""\nmsgstr ""\n"Language: {}\\n"\n"X-Language-Name: N\\n"\n'
          '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n')  # seven lines


def entry(name, english, translation=""):
    return f'msgctxt "{name}"\nmsgid "{english}"\nmsgstr "{translation}"\n\n'


def plural(name, one, many, *forms):
    return (f'msgctxt "{name}"\nmsgid "{one}"\nmsgid_plural "{many}"\n' +
            "".join(f'msgstr[{number}] "{form}"\n' for number, form in enumerate(forms or ("", ""))) + "\n")


class Texts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def run_texts(self, english, other, *arguments):
        (self.path / "en.po").write_text(HEADER.format("en") + english)
        (self.path / "xx.po").write_text(HEADER.format("xx") + other)
        return subprocess.run([sys.executable, TEXTS, *arguments, "en.po", "xx.po"], cwd=self.path,
                              capture_output=True, text=True, check=False)

    def assert_check(self, english, other, *faults):
        """The check says exactly these faults, and succeeds only if there are none."""
        result = self.run_texts(english, other, "check")
        self.assertEqual(result.stdout.splitlines()[:-1], list(faults))
        self.assertEqual(result.returncode, 1 if faults else 0)

    def assert_wrong(self, english, other, message):
        """Nothing is made, and the message says why."""
        result = self.run_texts(english, other, "make", "texts.h", "table.c")
        self.assertEqual((result.returncode, result.stderr.strip()), (1, message))

    def table(self, english, other):
        result = self.run_texts(english, other, "make", "texts.h", "table.c")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return (self.path / "table.c").read_text()

    def test_whole_catalogue_has_no_fault(self):
        self.assert_check(entry("a.b", "{x} of \\\"y\\\"") + plural("a.n", "one", "{n} ones"),
                          entry("a.b", "{x} of \\\"y\\\"", "Y {x}") + plural("a.n", "one", "{n} ones", "eins", "{n} E"))

    def test_missing(self):
        self.assert_check(entry("a.b", "one"), "", "xx.po:1: a.b is missing: one")

    def test_untranslated(self):
        self.assert_check(entry("a.b", "one"), entry("a.b", "one"), "xx.po:8: a.b is not translated: one")

    def test_stale(self):
        self.assert_check(entry("a.b", "new"), entry("a.b", "old", "alt"), "xx.po:8: a.b: its English is now: new")

    def test_fuzzy(self):
        self.assert_check(entry("a.b", "one"), "#, fuzzy\n" + entry("a.b", "one", "eins"), "xx.po:9: a.b is marked fuzzy")

    def test_unknown_and_lost_placeholders(self):
        self.assert_check(entry("a.b", "{x}"), entry("a.b", "{x}", "{y}"),
                          "xx.po:8: a.b: placeholder {x} is lost", "xx.po:8: a.b: unknown placeholder {y}")

    def test_too_few_plural_forms(self):
        self.assert_check(plural("a.n", "one", "ones"), plural("a.n", "one", "ones", "eins"),
                          "xx.po:8: a.n has 1 plural forms, not 2")

    def test_unknown_name(self):
        self.assert_check(entry("a.b", "one"), entry("a.b", "one", "eins") + entry("a.c", "two", "zwei"),
                          "xx.po:12: a.c is not in en.po")

    def test_direction_character(self):
        self.assert_check(entry("a.b", "one"), entry("a.b", "one", "e\u202eins"),
                          "xx.po:8: a.b: holds a control, invisible or direction character")

    def test_same_name_twice(self):
        self.assert_wrong(entry("a.b", "one") + entry("a.b", "two"), "",
                          "en.po:12: a.b is there twice, first in line 8")
        self.assert_wrong(entry("a.b", "one"), entry("a.b", "one", "eins") * 2,
                          "xx.po:12: a.b is there twice, first in line 8")

    def test_names_that_c_cannot_tell(self):
        self.assert_wrong(entry("a.b-c", "one") + entry("a.b.c", "two"), "",
                          "en.po:12: a.b.c: cannot be told from a.b-c in C")

    def test_broken_brace(self):
        self.assert_wrong(entry("a.b", "{X} of"), "",
                          "en.po:8: a.b: holds a brace that is no placeholder such as {carrier}")

    def test_broken_line(self):
        self.assert_wrong(entry("a.b", "one") + "garbage\n", "", "en.po:12: not a line of a PO file: garbage")
        self.assert_wrong('msgctxt "a.b"\nmsgid "open\n', "", 'en.po:9: not a quoted text: "open')

    def test_plural_rule_is_no_code(self):
        (self.path / "en.po").write_text(HEADER.format("en").replace("(n != 1)", "system(n)"))
        result = subprocess.run([sys.executable, TEXTS, "check", "en.po"], cwd=self.path, capture_output=True,
                                text=True, check=False)
        self.assertEqual(result.stderr.strip(), "en.po:2: the header has no Plural-Forms that can be read")

    def test_faulty_translation_is_not_in_c(self):
        english = entry("a.b", "good {x}") + entry("a.c", "fine")
        table = self.table(english, entry("a.b", "good {x}", "falsch {y}") + entry("a.c", "fine", "sch\u00f6n"))
        self.assertNotIn("falsch", table)
        self.assertIn("    NULL, NULL,\n", table)
        self.assertIn('"sch\u00f6n"', table)

    def test_order_is_by_name(self):
        self.table(entry("b.b", "two") + entry("a.a", "one"), "")
        self.assertIn("    TEXT_A_A,\n    TEXT_B_B,\n    TEXT_COUNT\n", (self.path / "texts.h").read_text())


unittest.main()
