# SPDX-License-Identifier: Apache-2.0
"""The edu command as people use it: every command that shows something, as a learner, an instructor and an
administrator, in terminals of 60, 80 and 120 columns, in Chinese and Arabic, into a pipe and onto a full disk."""
import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import termios
import unicodedata
import unittest
import uuid

from stack import BUILD, EDU, PASSWORD, SERVER, Stack

IMPORTER = BUILD / "client" / "examples" / "import_oulad" / "import_oulad"
TITLES = ["An introduction to the theory of groups and of their representations", "线性代数引论与应用" * 4,
          "مقدمة في الجبر الخطي", "Algèbre"]
ID = re.compile(r"\b(?:usr|crs|les|pur|txn|ses)_[0-9a-z]*")
AMOUNT = re.compile(r"[0-9.,]* (?:EUR|USD)\b")


def columns(text):
    return sum(0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Cf")
               else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class People(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(Stack(store=False))
        cls.stack.register("teacher", "INSTRUCTOR")
        cls.stack.register("payer", "PAYMENTS")
        cls.stack.register("learner", display_name="王小明")
        edu = cls.stack.edu
        cls.courses = []
        for title in TITLES:
            course = edu("create-course", "--title", title, "--summary", f"{title} {title}", "--subject-id", cls.stack.subject,
                         "--level", "beginner", "--language", "en", "--prices", "49 eur", "--prices", "1234.56 USD",
                         "--external-id", "partner/" + uuid.uuid4().hex[:8], user="teacher")["course"]["courseId"]
            for lesson, *more in ((title, "video", "--duration-seconds", "30m"), ("Reading", "text")):
                made = edu("create-lesson", "--course-id", course, "--title", lesson, "--kind", *more, user="teacher")["lesson"]
            edu("set-lesson-text", "--lesson-id", made["lessonId"], "--text", title, "--format", "plain", user="teacher")
            edu("submit-course-for-review", "--course-id", course, user="teacher")
            edu("approve-course", "--course-id", course, user="root-admin")
            cls.courses.append(course)
        learner = cls.stack.users["learner"]
        for n, amount in enumerate(("123456.78 EUR", "99.01usd")):
            edu("top-up-wallet", "--user-id", learner, "--amount", amount, "--provider", "bank",
                "--provider-payment-id", n, user="payer")
        # Amounts as people type them, beside the currency.
        cls.purchases = [edu("purchase-course", "--course-id", course, "--currency-code", "EUR", "--expected-total", total,
                             "--payment-source", "wallet", user="learner")["purchase"]["purchaseId"]
                         for course, total in zip(cls.courses, ("49", "49.00", "49.00 EUR"))]
        video, text = edu("list-lessons", "--course-id", cls.courses[1])["lessons"]
        for lesson, *more in ((video, "--coverage", 2**60 - 1, "--position-seconds", "25m"), (text, "--completed")):
            edu("record-progress", "--lesson-id", lesson["lessonId"], "--session-id", uuid.uuid4(), "--client-time", "now",
                "--session-start-time", "-30m", "--learning-seconds", "20m", *more, user="learner")

    def walk(self):
        """Every command that shows something, by who uses it."""
        learner, teacher = self.stack.users["learner"], self.stack.users["teacher"]
        own = [["get-user"], ["get-wallet"], ["list-courses"], ["list-courses", "--page-size", 3, "--all"],
               ["get-course", "--course-id", self.courses[1]], ["list-lessons", "--course-id", self.courses[2]],
               ["list-purchases"], ["list-enrollments"], ["refresh-session"]]
        bought = [["get-purchase", "--purchase-id", self.purchases[0]],
                  ["get-course-progress", "--course-id", self.courses[1]]]
        taught = [["list-courses", "--instructor-id", teacher], ["list-enrollments", "--course-id", self.courses[1]],
                  ["get-course-progress", "--course-id", self.courses[1], "--user-id", learner],
                  ["update-course", "--course-id", self.courses[3], "--prices", "59.00 EUR", "--prices", "1234.56 USD"]]
        others = [["get-user", "--user-id", learner], ["get-wallet", "--user-id", learner],
                  ["list-purchases", "--user-id", learner], ["list-enrollments", "--user-id", learner],
                  ["get-purchase", "--purchase-id", self.purchases[1]]]
        return ([("learner", c) for c in own + bought] + [("teacher", c) for c in own + taught] +
                [("root-admin", c) for c in own + others])

    def terminal(self, width, *arguments, user=None, errors_shown=False, **environment):
        """What a terminal of this width shows on standard output, and what else is said."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        shown = b""
        with subprocess.Popen([EDU, *map(str, arguments)], env={**self.stack.environment(user), **environment},
                              stdin=slave, stdout=slave, stderr=slave if errors_shown else subprocess.PIPE) as process:
            os.close(slave)
            while True:
                try:
                    more = os.read(master, 65536)
                except OSError:  # nobody has the other end any more
                    break
                if not more:
                    break
                shown += more
            said = process.stderr.read().decode() if process.stderr else ""
        os.close(master)
        self.assertEqual(process.returncode, 0, f"{arguments}: {said}")
        return shown.decode().replace("\r\n", "\n"), said

    def assert_whole(self, text):
        self.assertNotIn("\\x", text)
        for found in ID.findall(text):
            self.assertEqual(len(found), 17, f"{found} in {text}")
        for found in AMOUNT.findall(text):
            self.assertRegex(found, r"^\d+\.\d\d (EUR|USD)$", text)

    def test_terminals(self):
        looked = 0
        for width in (60, 80, 120):
            for user, command in self.walk():
                with self.subTest(width=width, user=user, command=command):
                    text, _ = self.terminal(width, *command, user=user)
                    self.assert_whole(text)
                    for line in text.splitlines():
                        self.assertLessEqual(columns(line), width, line)
                    looked += 1
        print(f"{looked} outputs looked at")
        self.assertGreater(looked, 100)

    def test_notes_stand_below_the_table(self):
        shown, _ = self.terminal(60, "list-courses", errors_shown=True)
        lines = shown.splitlines()
        notes = [i for i, line in enumerate(lines) if line.startswith("edu: ")]
        self.assertGreater(len(notes), 0, shown)
        self.assertGreater(notes[0], max(i for i, line in enumerate(lines) if "crs_" in line), shown)
        for line in lines:
            self.assertLessEqual(columns(line), 60, line)

    def test_help_fits(self):
        methods = re.findall(r"^  ([a-z]+-[a-z-]+) ", self.stack.edu_raw("help").stdout, re.M)
        self.assertGreater(len(methods), 20)
        for width in (60, 80, 120):
            for command in ([], *(["help", method] for method in methods)):
                text, _ = self.terminal(width, *command)
                for line in text.splitlines():
                    self.assertLessEqual(columns(line), width, f"{command}: {line}")

    def test_every_locale_shows_every_script(self):
        for lang in ("C", "POSIX", "C.UTF-8", "zh_CN.UTF-8", "en_US.ISO-8859-1"):
            text, _ = self.terminal(500, "list-courses", user="learner", LANG=lang, LC_ALL=lang)
            for title in TITLES[1:]:
                self.assertIn(title, text, lang)

    def test_what_people_look_for_stays(self):
        for width in (60, 80, 120):
            text, said = self.terminal(width, "list-courses")
            for course, title in zip(self.courses, TITLES):
                self.assertIn(course, text)
                self.assertIn(title[:5], text)
            self.assertIn("49.00 EUR", text + said)
        text, _ = self.terminal(80, "get-wallet", user="learner")
        self.assertRegex(text, r"123309\.78 EUR|123407\.78 EUR|123456\.78 EUR")
        text, _ = self.terminal(80, "get-course-progress", "--course-id", self.courses[1], user="learner")
        self.assertIn("100 %", text)
        self.assertIn("[###############.] 60/64", text)

    def test_a_pipe(self):
        for user, command in self.walk():
            with self.subTest(user=user, command=command):
                done = self.stack.edu_raw(*command, user=user)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assert_whole(done.stdout)
                self.assertNotIn("…", done.stdout)
        done = self.stack.edu_raw("list-courses", user="learner")
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 1 + len(TITLES), done.stdout)
        for title in TITLES:
            self.assertIn(f"{title} {title}", done.stdout)
        self.assertIn("ETAG", lines[0])

    def test_a_full_disk(self):
        for command in ([], ["help"], ["help", "get-course"], ["--version"], ["list-courses"], ["get-user"],
                        ["list-courses", "--output", "json"], ["refresh-session"]):
            with self.subTest(command=command), open("/dev/full", "w") as full:
                done = subprocess.run([EDU, *command], env=self.stack.environment("learner"), stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(done.returncode, 10, done.stderr)
                self.assertIn("No space left on device", done.stderr)
                self.assertNotIn("fault of the server", done.stderr)
        self.assertEqual(self.stack.edu_raw("get-user", user="learner").returncode, 0)

    def test_pages(self):
        for command in (["list-courses"], ["list-lessons", "--course-id", self.courses[0]]):
            rows = self.stack.edu_raw(*command).stdout
            done = self.stack.edu_raw(*command, "--page-size", 1, "--all")
            self.assertEqual(sorted(ID.findall(done.stdout)), sorted(ID.findall(rows)))
            self.assertEqual(len(done.stdout.splitlines()), len(rows.splitlines()))
        pages = self.stack.edu_raw("list-courses", "--page-size", 3, "--all", "--output", "json").stdout.splitlines()
        self.assertEqual([len(json.loads(page)["courses"]) for page in pages], [3, 1])
        done = self.stack.edu_raw("get-course", "--course-id", self.courses[0], "--all")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--all is for lists", done.stderr)
        self.assertIn("the list is empty", self.stack.edu_raw("list-purchases", user="teacher").stderr)

    def test_the_session_is_refreshed_and_kept(self):
        for output in ("table", "json"):
            for _ in range(3):
                done = self.stack.edu_raw("refresh-session", "--output", output, user="payer")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotRegex(done.stdout, r"eyJ|[A-Za-z0-9_-]{40}")
        self.assertEqual(self.stack.edu_raw("get-user", user="payer").returncode, 0)
        # Also when somebody shows the kept one by hand.
        kept, = pathlib.Path(self.stack.environment("payer")["HOME"]).rglob("*.json")
        token = json.loads(kept.read_text())["refreshToken"]
        shown = self.stack.edu("refresh-session", "--refresh-token", token, user="payer")["session"]["refreshToken"]
        self.assertNotEqual(shown, token)
        self.assertEqual(json.loads(kept.read_text())["refreshToken"], shown)
        self.stack.edu("refresh-session", user="payer")
        done = self.stack.edu_raw("refresh-session", user="nobody")
        self.assertEqual(done.returncode, 3)
        self.assertIn("no session is kept", done.stderr)

    def test_no_terminal_to_ask_on(self):
        done = subprocess.run([EDU, "login", "--login", "learner"], env=self.stack.environment("learner"), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no terminal to ask for the password: use --password-file", done.stderr)
        self.assertNotIn("FIELD_INVALID", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        done = self.stack.edu_raw("login", "--login", "learner", "--password-file", "-", user="learner",
                                  stdin=PASSWORD + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def typed(self, answers, *arguments, user=None):
        """What a terminal shows to whom types these answers to these prompts, and the exit code."""
        pid, master = pty.fork()
        if pid == 0:
            os.execve(EDU, [str(EDU), *arguments], self.stack.environment(user))
        shown, asked = "", 0
        while True:
            if answers and answers[0][0] in shown[asked:]:
                asked = len(shown)
                os.write(master, answers.pop(0)[1].encode() + b"\n")
            try:
                shown += os.read(master, 4096).decode()
            except OSError:  # the other end is closed
                break
        os.close(master)
        return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_passwords_typed(self):
        shown, code = self.typed([("password: ", PASSWORD)], "login", "--login", "learner", "--password-file", "-",
                                 user="learner")
        self.assertEqual(code, 0, shown)
        self.assertNotIn(PASSWORD, shown)
        new = "register-user", "--user-name", "typist"
        shown, code = self.typed([("password: ", PASSWORD), ("password again: ", PASSWORD + "x")], *new)
        self.assertEqual(code, 1, shown)
        self.assertIn("the two passwords differ", shown)
        shown, code = self.typed([("password: ", PASSWORD), ("password again: ", PASSWORD)], *new)
        self.assertEqual(code, 0, shown)

    def test_nothing_was_sent(self):
        for target, why, *tls in (("127.0.0.1:1", "refused"), ("nobody.invalid:50051", "nobody.invalid"),
                                  (self.stack.target, "Ssl handshake failed", "--tls")):
            done = self.stack.edu_raw("purchase-course", "--course-id", self.courses[3], "--currency-code", "EUR",
                                      "--expected-total", "49", "--payment-source", "wallet", "--token", "x", *tls,
                                      target=target)
            self.assertEqual(done.returncode, 7, done.stderr)
            self.assertTrue(done.stderr.startswith("edu purchase-course: there is no connection to "), done.stderr)
            self.assertIn(why, done.stderr)
            self.assertIn("nothing was done", done.stderr)
            self.assertNotIn("may have happened", done.stderr)

    def test_help_and_versions(self):
        bare, asked = (subprocess.run([EDU, *more], capture_output=True, text=True) for more in ([], ["help"]))
        self.assertEqual((bare.returncode, bare.stdout, bare.stderr), (0, asked.stdout, ""))
        for program in (EDU, SERVER, IMPORTER):
            done = subprocess.run([program, "--version"], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), program)
            self.assertRegex(done.stdout, rf"^{program.name} \d+\.\d+\.\d+\n$")

    def test_what_is_typed_wrong_is_said(self):
        for flags, words in ((["--expected-total", "49"], "AMOUNT"), (["--expected-total", "1,5 EUR"], "AMOUNT"),
                             (["--expected-total", "1.999", "--currency-code", "EUR"], "at most 2 decimals")):
            done = self.stack.edu_raw("purchase-course", "--course-id", self.courses[3], *flags, user="learner")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(words, done.stderr)
        for time in ("yesterday", "-30x", "30.11.2026"):
            done = self.stack.edu_raw("record-progress", "--client-time", time, user="learner")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("2026-11-26", done.stderr)


if __name__ == "__main__":
    unittest.main()
