# SPDX-License-Identifier: Apache-2.0
"""The OULAD importer against a real server: what it made is compared with the files by a program of another hand, a
second run changes nothing, and a run that was killed is completed by the next.

EDU_TEST_OULAD_DIR and EDU_TEST_OULAD_PRESENTATION name other data than the invented set beside this file."""
import hashlib
import hmac
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

from compare_oulad import Expected, compare
from stack import BUILD, PASSWORD, Stack

IMPORTER = BUILD / "client" / "examples" / "import_oulad" / "import_oulad"
SMALL = pathlib.Path(__file__).resolve().parent / "data" / "oulad_small"
DIRECTORY = pathlib.Path(os.environ.get("EDU_TEST_OULAD_DIR", SMALL))
PRESENTATION = os.environ.get("EDU_TEST_OULAD_PRESENTATION", "KNT/2022B")
SECRET = "a secret of more than 16 characters"
# What signing in writes, and that who imports looks at others' accounts and progress; and what changes as
# time passes.
OF_SIGNING_IN = {"audit", "session", "event", "event_audience", "event_sequence"}
OF_TIME = {"due", "lease", "node"}


class Importing(unittest.TestCase):
    """A server, and an account that may import."""
    SERVER_FLAGS = ()

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(*cls.SERVER_FLAGS).__enter__()
        cls.stack.register("importer", "INSTRUCTOR", "PAYMENTS", "SUPPORT")
        cls.stack.subject  # made before it is imported into
        cls.password = cls.file("password", PASSWORD)
        cls.secret = cls.file("secret", SECRET)

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    @classmethod
    def file(cls, name, line):
        path = cls.stack.dir / name
        path.write_text(line + "\n")
        return path

    @classmethod
    def command(cls, directory=DIRECTORY, presentation=PRESENTATION, user="importer", secret=None, *flags):
        return [IMPORTER, directory, "--presentation", presentation, "--subject", "mathematics", "--target", cls.stack.target, "--user", user,
                "--password-file", cls.password, "--learner-secret-file", secret or cls.secret,
                "--approver", "root-admin", "--approver-password-file", cls.password, *flags]

    @classmethod
    def run_import(cls, *arguments, **named):
        return subprocess.run(cls.command(*arguments, **named), text=True, capture_output=True, timeout=600)

    def imported(self, *arguments, **named):
        """Runs it; it must succeed. Returns the table of its summary: {"lessons": {"made": 12, ...}, ...}."""
        started = time.monotonic()
        done = self.run_import(*arguments, **named)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.seconds = time.monotonic() - started
        print(f"{done.stderr}{done.stdout}", flush=True)
        columns = ("made", "found", "skipped", "failed")
        rows = re.findall(r"^(\S+) +(\d+) +(\d+) +(\d+) +(\d+)$", done.stdout, re.MULTILINE)
        return {row[0]: dict(zip(columns, map(int, row[1:]))) for row in rows}

    def compared(self):
        differences, figures = compare(DIRECTORY, PRESENTATION, self.stack.target, "importer", PASSWORD)
        self.assertEqual(differences, [])
        print(dict(figures), flush=True)
        return figures

    def contents(self):
        """Every table's rows, once the events have got their places in the feed."""
        waited = time.monotonic()
        while self.stack.sql("SELECT COUNT(*) FROM event WHERE position = 0") != [["0"]]:
            self.assertLess(time.monotonic() - waited, 30, "events without a position")
            time.sleep(0.1)
        return {table: subprocess.run(
            ["mariadb-dump", "--socket", self.stack.socket, "--user", "root", "--compact", "--hex-blob",
             "--no-create-info", "--skip-extended-insert", "--order-by-primary", self.stack.database, table],
            check=True, capture_output=True).stdout.splitlines() for (table,) in self.stack.sql("SHOW TABLES")}

    def last_event(self):
        return self.stack.sql("SELECT position FROM event_sequence")[0][0]

    def changed(self, before):
        """The tables that are no longer as they were."""
        after = self.contents()
        self.assertEqual(before.keys(), after.keys())
        return {table for table in after if after[table] != before[table]} - OF_TIME


class Import(Importing):
    def test_first_and_second_run(self):
        expected = Expected(DIRECTORY, PRESENTATION)
        sessions = sum(len(s) and sum(s.values()) for s in expected.sessions.values())
        sizes = {"courses": 1, "lessons": len(expected.kinds), "accounts": len(expected.students),
                 "top-ups": len(expected.buyers), "purchases": len(expected.buyers), "sessions": sessions}

        first = self.imported()
        self.assertEqual({name: row["made"] for name, row in first.items()}, sizes)
        self.assertEqual({name: row["found"] for name, row in first.items()}, dict.fromkeys(sizes, 0))
        self.assertEqual({name: row["skipped"] for name, row in first.items()},
                         {**dict.fromkeys(sizes, 0), "sessions": expected.skipped})
        first_seconds = self.seconds
        figures = self.compared()
        self.assertEqual(figures["sessions"], sessions)
        self.assertEqual(figures["minor units"], 4900 * len(expected.buyers))
        self.assert_ledger_balances(len(expected.buyers))

        before, last_event = self.contents(), self.last_event()
        second = self.imported()
        self.assertEqual({name: row["made"] + row["failed"] for name, row in second.items()}, dict.fromkeys(sizes, 0))
        self.assertEqual({name: row["found"] for name, row in second.items()}, {**sizes, "top-ups": 0})
        self.assertEqual(self.changed(before), OF_SIGNING_IN)
        self.assertEqual(self.stack.sql(f"SELECT kind FROM event WHERE position > {last_event}"), [["session.started"]])
        self.assertEqual(self.stack.sql("SELECT COUNT(*) FROM session s JOIN user u USING (user_id)"
                                        " WHERE u.user_name LIKE 'oulad-%'"), [[str(len(expected.buyers))]])
        self.compared()
        print(f"first run {first_seconds:.1f} s, second run {self.seconds:.1f} s", flush=True)

        self.a_learner_signs_in(min(expected.buyers, key=int), expected)
        self.what_a_learner_adds_stays(expected)

    def assert_ledger_balances(self, buyers):
        self.assertEqual(self.stack.sql("SELECT transaction_id FROM ledger_entry GROUP BY transaction_id, currency_code"
                                        " HAVING SUM(amount) <> 0"), [])
        self.assertEqual(self.stack.sql("SELECT SUM(amount) FROM ledger_entry"), [["0"]])
        # Each paid in once, and bought once.
        self.assertEqual(self.stack.sql("SELECT COUNT(*) FROM ledger_transaction"), [[str(2 * buyers)]])
        self.assertEqual(self.stack.sql("SELECT COUNT(*), SUM(amount) FROM payment"),
                         [[str(buyers), str(4900 * buyers)]])

    def a_learner_signs_in(self, student, expected):
        """With the password the documentation says, as `openssl dgst -sha256 -hmac` makes it."""
        name = expected.user_name(student)
        password = hmac.new(SECRET.encode(), name.encode(), hashlib.sha256).hexdigest()
        self.stack.edu("login", "--login", name, "--password", password, user=name)
        progress = self.stack.edu("list-enrollments", user=name)["enrollments"]
        self.assertEqual(len(progress), 1)

    def what_a_learner_adds_stays(self, expected):
        """After learning of one's own, the lesson no longer equals the data: it is sent again, and merges."""
        student = min((s for s in expected.clicks if expected.clicks[s]), key=int)
        name = expected.user_name(student)
        password = hmac.new(SECRET.encode(), name.encode(), hashlib.sha256).hexdigest()
        self.stack.edu("login", "--login", name, "--password", password, user=name)
        course = self.stack.edu("list-enrollments", user=name)["enrollments"][0]["courseId"]
        before = self.stack.edu("get-course-progress", "--course-id", course, user=name)["progress"]
        lesson = before["lessons"][0]["lessonId"]
        self.stack.edu("record-progress", "--lesson-id", lesson, "--session-id", "6f1c2a57-3d7c-4d1e-9f5b-0a6f6b7c8d9e",
                       "--session-start-time", "now", "--client-time", "now", "--interactions", 5, user=name)
        self.imported()
        after = self.stack.edu("get-course-progress", "--course-id", course, user=name)["progress"]
        self.assertEqual(int(after["interactions"]), int(before["interactions"]) + 5)
        self.assertEqual(int(after["lessons"][0]["sessionCount"]), int(before["lessons"][0]["sessionCount"]) + 1)
        # The comparison sees as little as that.
        differences, _ = compare(DIRECTORY, PRESENTATION, self.stack.target, "importer", PASSWORD)
        self.assertEqual([d.split(":")[0] for d in differences],
                         [f"student {student}, {what}" for what in ("clicks", "sessions", "sum of clicks")])


class Interrupted(Importing):
    def test_a_killed_run_is_completed(self):
        command = self.command()
        with open(self.stack.dir / "killed.out", "w") as out:
            running = subprocess.Popen([*command, "--workers", "1", "--in-flight", "1"], stdout=out, stderr=out)
        while self.stack.sql("SELECT COUNT(*) FROM progress_session") == [["0"]]:
            self.assertIsNone(running.poll(), "it ended before it was killed")
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
        self.assertEqual(running.wait(10), -signal.SIGKILL)
        there = int(self.stack.sql("SELECT COUNT(*) FROM progress_session")[0][0])
        self.assertGreater(there, 0)

        table = self.imported()
        self.assertGreater(table["sessions"]["made"], 0)
        self.assertEqual(table["courses"]["found"], 1)
        self.compared()


class Busy(Importing):
    """A server that refuses what is too much at once: the importer waits as it is told."""
    SERVER_FLAGS = ("--rate-login", "10", "--db-workers", "1", "--db-queue", "2", "--password-workers", "1",
                    "--password-queue", "2")

    def test_a_busy_server_gets_it_all(self):
        table = self.imported()
        self.assertEqual({row["failed"] for row in table.values()}, {0})
        self.compared()


class Refusals(Importing):
    """What is wrong is said, by exit code and words."""

    def refused(self, words, *arguments, **named):
        done = self.run_import(*arguments, **named)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(words, done.stderr)
        return done.stderr

    def test_bad_data_names_file_and_line(self):
        copy = self.stack.dir / "bad"
        shutil.copytree(SMALL, copy)
        with open(copy / "studentVle.csv", "a") as file:
            file.write("\nKNT,2022B,501,7100,two,1\n")
        line = len((copy / "studentVle.csv").read_text().splitlines())
        before = self.contents()
        self.refused(f"studentVle.csv:{line}: date is \"two\"", copy, "KNT/2022B")
        said = self.refused("courses.csv has no presentation KNT/1999X", SMALL, "KNT/1999X")
        self.assertIn("The same command would fail again", said)
        self.assertNotIn("run the same command", said)
        self.assertEqual(self.changed(before), set())

    def test_the_roles_are_needed(self):
        self.stack.register("teacher", "INSTRUCTOR", "SUPPORT")
        self.refused("teacher lacks the role PAYMENTS", SMALL, "KNT/2022B", "teacher")
        self.refused("reason: CREDENTIALS_INVALID", SMALL, "KNT/2022B", "nobody")

    def test_who_made_the_course_does_not_approve_it(self):
        self.stack.register("all-in-one", "INSTRUCTOR", "PAYMENTS", "SUPPORT", "ADMIN")
        alone = self.command(SMALL, "KNT/2022B", "all-in-one")
        at = alone.index("--approver")
        for flags in ([], ["--approver", "all-in-one", "--approver-password-file", self.password]):
            done = subprocess.run([*alone[:at], *flags], text=True, capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("SELF_APPROVAL", done.stderr)
            self.assertIn("--approver", done.stderr)
        self.assertEqual(self.stack.sql("SELECT COUNT(*) FROM course WHERE state = 3 AND external_id LIKE '%2022B'"
                                        " AND creator_id IN (SELECT user_id FROM user WHERE user_name = 'all-in-one')"),
                         [["0"]])
        table = self.imported(SMALL, "KNT/2022B", "all-in-one")
        self.assertEqual(table["courses"]["found"], 1)

    def test_another_price_or_secret_than_before(self):
        done = self.run_import(SMALL, "KNT/2021A")
        self.assertEqual(done.returncode, 0, done.stderr)
        words = self.refused("costs 49.00 EUR, not 59.00 EUR", SMALL, "KNT/2021A", "importer", None, "--price",
                             "59.00 EUR")
        self.assertIn("what to do:", words)
        # With one more row there is something to do in the learner's name.
        grown = self.stack.dir / "grown"
        shutil.copytree(SMALL, grown)
        with open(grown / "studentVle.csv", "a") as file:
            file.write("\nKNT,2021A,501,9001,5,1\n")
        other = self.file("other", "another secret, long enough")
        words = self.refused("exists with another password", grown, "KNT/2021A", "importer", other)
        self.assertIn("learner: oulad-knt-2021a-501", words)


if __name__ == "__main__":
    unittest.main()
