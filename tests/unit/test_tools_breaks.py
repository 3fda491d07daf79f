# SPDX-License-Identifier: Apache-2.0
"""tools/lib/breaks.py: a method that landed, or that CHANGELOG.md names, is told of; any other is not."""
import pathlib
import sys
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


if __name__ == "__main__":
    unittest.main()
