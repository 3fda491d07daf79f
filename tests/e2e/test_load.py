# SPDX-License-Identifier: Apache-2.0
"""What tools/load runs: a profile of ghz for every method, run by ghz itself against the server."""
import argparse
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

from stack import PASSWORD, ROOT, Stack
from wire import messages

sys.path.insert(0, str(ROOT / "tests" / "load"))

import ghz_run  # noqa: E402
from world import World  # noqa: E402

CALLS = 64


class Profiles(unittest.TestCase):
    def test_every_method_has_a_profile(self):
        service = messages("edu.v1.edu_service").DESCRIPTOR.services_by_name["EduService"]
        profiles = ghz_run.profiles()
        for method in service.methods:
            self.assertIn(method.name, profiles, f"tests/load/ghz/{method.name}.json is missing")
            self.assertEqual(profiles.pop(method.name)["call"], f"{service.full_name}.{method.name}")
        self.assertEqual(profiles, {}, "profiles of no method")

    def test_jobs(self):
        self.assertEqual(set(ghz_run.jobs()), {"browse", "buy", "learn", "login-storm", "replay-storm"})


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack("--queue-wait-ms", "60000").__enter__()  # a slow disk refuses nobody
        cls.directory = tempfile.TemporaryDirectory()
        cls.options = argparse.Namespace(names=[], calls=CALLS, seconds=1, out=pathlib.Path(cls.directory.name))

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()
        cls.stack.__exit__(None, None, None)

    def number(self, statement):
        return int(self.stack.sql(statement)[0][0])

    def load(self, *names):
        """Whether it went well, and what it said."""
        said = io.StringIO()
        options = argparse.Namespace(**{**vars(self.options), "names": names})
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            ok = ghz_run.load(options, self.stack.target, "root-admin", PASSWORD, self.stack.sql)
        return ok, said.getvalue()

    def test_each(self):
        """Every profile and job; each call answers OK, and writes write: neighbours have other keys."""
        ok, said = self.load()
        self.assertTrue(ok, said)
        print(said)
        reports = {path.stem for path in self.options.out.glob("*.html")}
        self.assertLessEqual(set(ghz_run.profiles()) | {"login-storm-Login", "replay-storm"}, reports)
        self.assertIn("ledger: 0 purchases that were not paid exactly once", said)
        self.assertGreaterEqual(self.number("SELECT COUNT(*) FROM progress_lesson"), CALLS)

    def test_each_without_a_token_alone(self):
        """Whatever it needs is made for it, not left over by another."""
        for name, profile in ghz_run.profiles().items():
            if "metadata" not in profile:
                ok, said = self.load(name)
                self.assertTrue(ok, said)

    def test_a_storm_of_replays_is_one_purchase(self):
        before = self.number("SELECT COUNT(*) FROM purchase")
        ok, said = self.load("replay-storm")
        self.assertTrue(ok, said)
        self.assertRegex(said, rf"replay-storm.* {CALLS} +0\n")
        self.assertEqual(self.number("SELECT COUNT(*) FROM purchase"), before + 1)

    def test_what_is_not_ok_is_counted_by_its_one_text(self):
        limited = self.stack.start("--rate-default", "5")
        said = io.StringIO()
        with contextlib.closing(World(self.stack.target, "root-admin", PASSWORD)) as world, \
                contextlib.redirect_stdout(said):
            report, = ghz_run.run("GetCourse", [ghz_run.profiles()["GetCourse"]], world, limited.target, self.options)
        self.assertEqual(limited.stop(), 0)
        self.assertGreater(report.unexpected, CALLS // 2)
        self.assertEqual(report.ok + report.unexpected, CALLS)
        self.assertEqual(len(report.refused), 1, report.refused)
        self.assertRegex(said.getvalue(), r"    \d+ x code = ResourceExhausted desc = Too many calls")

    def test_a_ledger_that_is_off_fails(self):
        ok, said = self.load("TopUpWallet")
        self.assertTrue(ok, said)
        one = "UPDATE ledger_entry SET amount = amount {} 1 ORDER BY transaction_id, line LIMIT 1"
        self.stack.sql(one.format("+"))
        ok, said = self.load("GetWallet")
        self.stack.sql(one.format("-"))
        self.assertFalse(ok)
        self.assertIn("the ledger is off", said)

    def test_a_profile_that_does_not_fit_its_message_fails(self):
        with contextlib.closing(World(self.stack.target, "root-admin", PASSWORD)) as world:
            wrong = {**ghz_run.profiles()["GetCourse"], "data": {"course_ids": "x"}}
            with self.assertRaisesRegex(SystemExit, "course_ids"):
                ghz_run.run("wrong", [wrong], world, self.stack.target, self.options)


if __name__ == "__main__":
    unittest.main()
