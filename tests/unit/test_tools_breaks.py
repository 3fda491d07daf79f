# SPDX-License-Identifier: Apache-2.0
"""tools/lib/breaks.py: what is new or takes less than it did, and CHANGELOG.md does not name, is told of."""
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lib"))
import breaks


class Breaks(unittest.TestCase):
    def untold(self, text):
        methods = {"proto/landed.binpb": ["GetUser"], ".": ["GetUser", "ListSubjects", "CreateSubject"]}
        with mock.patch.object(breaks, "unreleased", lambda: text), mock.patch.object(breaks, "methods_of", methods.get):
            return breaks.untold()

    def test_a_method_that_is_new_is_named(self):
        self.assertEqual(self.untold("New: ListSubjects and CreateSubject."), [])
        self.assertEqual(self.untold("New: ListSubjectsOfAll."), ["CreateSubject", "ListSubjects"])

    def tightened(self, landed, now, text=""):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "landed_rules.json")
            path.write_text(json.dumps({"User.bio": landed}))
            with mock.patch.multiple(breaks, LANDED_RULES=path, listed=lambda: text,
                                     rules_now=lambda: {"User.bio": now, "User.new": {"maxLength": 1}}):
                return list(breaks.tightened())

    def test_a_rule_that_takes_less_is_listed(self):
        for rule, landed, now in (("maxLength", {"maxLength": 9}, {"maxLength": 8}), ("maxLength", {}, {"maxLength": 8}),
                                  ("maxItems", {}, {"maxItems": 999}), ("minLength", {}, {"minLength": 1}),
                                  ("range", {"range": {"max": "9"}}, {"range": {"max": "8"}}),
                                  ("range", {"range": {"max": "9"}}, {"range": {"min": "1", "max": "9"}}),
                                  ("range", {}, {"range": {"max": "9"}}), ("required", {}, {"required": True}),
                                  ("format", {"format": "TEXT"}, {"format": "KEY"}), ("multipleOf", {}, {"multipleOf": 5})):
            with self.subTest(rule, landed=landed):
                self.assertRegex("".join(self.tightened(landed, now)), f"^User.bio takes less by its {rule} ")
                self.assertEqual(self.tightened(landed, now, "`User.bio` is shorter."), [])

    def test_a_rule_that_takes_more_is_not(self):
        for landed, now in (({"maxLength": 8}, {"maxLength": 9}), ({"maxLength": 8}, {}), ({"maxItems": 8}, {}),
                            ({"minItems": 2}, {"minItems": 1}), ({"range": {"max": "9"}}, {"range": {"min": "-1", "max": "9"}}),
                            ({"range": {"max": "9"}}, {}), ({"required": True, "format": "KEY"}, {})):
            with self.subTest(landed):
                self.assertEqual(self.tightened(landed, now), [])


if __name__ == "__main__":
    unittest.main()
