#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The charts of made findings: well-formed, the same twice, whole within their frame, and nothing of strangers in them.

  check_charts.py DRAW_CHARTS
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

DRAW = sys.argv.pop(1)
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "desc", "defs", "pattern", "path", "rect", "text"}
ATTRIBUTES = {
    "id", "class", "viewBox", "role", "aria-labelledby", "font-family", "font-size", "font-weight", "fill", "fill-opacity",
    "direction",
    "patternUnits", "width", "height", "d", "stroke", "stroke-width", "stroke-dasharray", "x", "y", "text-anchor", "{http://www.w3.org/XML/1998/namespace}lang"}
# Pure noise in every bin and hour, which no line ever gives, and what a busy line may.
SIZES_OF_NOISE, SIZES = {"timeline": 21500, "heat": 18000}, {"timeline": 14000, "heat": 10000, "overview": 13000}


def draw(folder):
    subprocess.run([DRAW, folder], check=True)
    return {path.name: path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())}


def words_of(element):
    return "".join(element.itertext())


class Charts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.files = draw(folder)
        cls.trees = {name: ElementTree.fromstring(content) for name, content in cls.files.items()}

    def each(self, *parts):
        """(name, root) of the charts whose names hold all the parts."""
        found = [(name, root) for name, root in self.trees.items() if all(part in name for part in parts)]
        self.assertTrue(found, parts)
        return found

    def one(self, name):
        return self.each(name)[0][1]

    def test_all_are_there(self):
        self.assertEqual(len(self.files), 6 * 2 * 3)

    def test_the_same_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(draw(folder), self.files)

    def test_only_what_may_be_there(self):
        for name, root in self.trees.items():
            for element in root.iter():
                with self.subTest(name, tag=element.tag):
                    self.assertIn(element.tag.removeprefix(SVG), ELEMENTS)
                    self.assertLessEqual(set(element.attrib), ATTRIBUTES)

    def test_ids_are_unique_and_lead_somewhere(self):
        for name, root in self.trees.items():
            ids = [element.get("id") for element in root.iter() if element.get("id")]
            used = root.get("aria-labelledby").split() + re.findall(r"url\(#([^)]*)\)", self.files[name].decode())
            with self.subTest(name):
                self.assertEqual(len(ids), len(set(ids)))
                self.assertLessEqual(set(used), set(ids))
                self.assertTrue(all(re.fullmatch("[a-z0-9-]+", one) for one in ids))
                self.assertEqual(root.get("id"), re.sub("^[a-z]+-[a-z]+-|.svg$", "", name))

    def test_has_title_description_and_role(self):
        for name, root in self.trees.items():
            with self.subTest(name):
                self.assertEqual(root.get("role"), "img")
                self.assertTrue(words_of(root.find(SVG + "title")).strip())
                self.assertGreater(len(words_of(root.find(SVG + "desc"))), 60)

    def test_shapes_stay_inside(self):
        for name, root in self.trees.items():
            width, height = (float(number) for number in root.get("viewBox").split()[2:])
            for element in root.iter(SVG + "rect"):
                with self.subTest(name):
                    x, y = float(element.get("x")), float(element.get("y"))
                    self.assertTrue(0 <= x and x + float(element.get("width")) <= width + 0.1)
                    self.assertTrue(0 <= y and y + float(element.get("height")) <= height + 0.1)

    def test_text_stays_inside(self):
        """By a width of our own: about half an em a character as Noto Sans has it, less in Nastaliq."""
        for name, root in self.trees.items():
            width, height = (float(number) for number in root.get("viewBox").split()[2:])
            for element in root.iter(SVG + "text"):
                words, x, y = re.sub("[\u2068\u2069]", "", words_of(element)), float(element.get("x")), float(element.get("y"))
                anchor, is_rtl = element.get("text-anchor", "start"), root.get("direction") == "rtl"
                long = len(words) * (0.42 if is_rtl else 0.5) * float(element.get("font-size", 14))
                if anchor == "middle":
                    left = x - long / 2
                else:
                    left = x - long if (anchor == "end") != is_rtl else x
                with self.subTest(name, words=words):
                    self.assertGreaterEqual(left, -2)
                    self.assertLessEqual(left + long, width + 2)
                    self.assertTrue(10 <= y <= height - 4)

    def test_text_is_large_enough(self):
        for name, root in self.trees.items():
            for element in root.iter(SVG + "text"):
                self.assertGreaterEqual(float(element.get("font-size", root.get("font-size"))), 13, name)

    def test_sizes(self):
        for name, content in self.files.items():
            limits = SIZES_OF_NOISE if name.startswith("wild") else SIZES
            for kind, limit in limits.items():
                if f"-{kind}" in name:
                    self.assertLess(len(content), limit, name)

    def test_strangers_are_escaped(self):
        for name, root in self.each("hostile", "-overview") + self.each("hostile", "-timeline"):
            with self.subTest(name):
                self.assertIn("</title><script>alert(1)</script>&\"' \ufffd\ufffd\ufffd\ufffd\ufffd",
                              words_of(root.find(SVG + "title")))
                self.assertNotIn(b"<script", self.files[name])

    def test_long_names_are_whole_in_the_title(self):
        root = self.one("long-en-timeline")
        self.assertIn("Wide Area Wireless Incorporated)", words_of(root.find(SVG + "title")))
        self.assertTrue(any("\u2026" in words_of(text) for text in root.iter(SVG + "text")))

    def texts(self, name):
        return [words_of(text) for text in self.one(name).iter(SVG + "text")]

    def test_says_where_it_is_from(self):
        for kind in ("overview", "timeline", "heat"):
            self.assertIn("darkline report 0123456789abcdef, rules 3.1, field data, composed data",
                          " ".join(self.texts(f"order-en-{kind}")))
            self.assertIn("local time (UTC+05:00)", " ".join(self.texts(f"order-en-{kind}")))

    def test_marks(self):
        self.assertIn("COMPOSED DATA: a demonstration", self.texts("order-en-heat"))
        for mark in ("COMPOSED DATA: a demonstration", "LAB DATA: not a real network", "DRAFT: do not publish",
                     "NOT BEFORE 29 November 2015"):
            for kind in ("overview", "timeline", "heat"):
                self.assertIn(mark, self.texts(f"draft-en-{kind}"))

    def test_timeline_names_moments(self):
        texts = self.texts("order-en-timeline")
        for words in ("began 30 Nov 16:00\u201317:00", "ended 3 Dec 05:00\u201306:00", "due by end of 30 Nov",
                      "due by end of 1 Dec", "blocked, confirmed", "not watched", "100\u00a0%", "30 Nov"):
            self.assertIn(words, texts)

    def test_overview_has_a_row_a_carrier(self):
        texts = self.texts("order-en-overview")
        for words in ("Jazz", "Zong", "Telenor Pakistan", "Ufone", "Deutsche Telekom, Germany",
                      "blocked, confirmed; then 210 of 211 failed", "blocked, likely; then 129 of 130 failed",
                      "worked; 3 of 340 failed", "too little data; 2 of 9 failed"):
            self.assertIn(words, texts)

    def test_urdu(self):
        for name, root in self.each("order-ur"):
            with self.subTest(name):
                self.assertEqual(root.get("direction"), "rtl")
                self.assertTrue(root.get("font-family").startswith("Noto Nastaliq Urdu"))
        self.assertIn("\u067e\u0627\u06a9\u0633\u062a\u0627\u0646", words_of(self.one("order-ur-overview").find(SVG + "title")))
        self.assertIn("\u2068Telenor Pakistan\u2069", self.texts("order-ur-overview"))

    def test_isolates_are_in_pairs(self):
        for name, root in self.trees.items():
            for text in root.iter(SVG + "text"):
                depth = 0
                for character in words_of(text):
                    depth += (character == "\u2068") - (character == "\u2069")
                    self.assertIn(depth, range(7), name)
                self.assertEqual(depth, 0, name)

    def test_a_bare_pair_is_drawn(self):
        self.assertIn("Source: darkline, rules 3.1, field data, composed data", " ".join(self.texts("bare-en-timeline")))


unittest.main()
