# SPDX-License-Identifier: Apache-2.0
"""What a learner costs on disk: rows and bytes, table by table; see tools/bench."""
import argparse
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from bench import LOAD, make_members, varint  # noqa: E402
from stack import PASSWORD, SERVER, Stack  # noqa: E402
from test_every_rpc import World  # noqa: E402
from wire import Wire, messages  # noqa: E402

# A learner's year: 360 sessions of 1,000 seconds, two a day and three for a lesson; 5 purchases, 2 top-ups, 24 logins. A
# twelfth of it is written, by the calls that write it, and counted twelve times, since a report may be 30 days old.
DAYS, SESSIONS_A_DAY, SESSIONS_A_LESSON, SECONDS = 15, 2, 3, 1000
LESSONS = DAYS * SESSIONS_A_DAY // SESSIONS_A_LESSON
PURCHASES, TOP_UPS, LOGINS = 5, 2, 24  # in twelve months
PRICE, TOP_UP = ({"currency_code": "EUR", "minor_units": n} for n in (1250, 5000))
# Of a session's many reports these are sent, with time between: a day's facts are told of 900 s after they have changed.
REPORTED = (900, SECONDS)
DAY_US = 24 * 3600 * 10**6

# The flag that says how long a row is kept, and for how many days it is of use before: a session's refresh token lives for
# 30 days, most replies are kept for 30 by the contract. Other tables keep their rows.
KEPT = {"event": ("keep-events-days", 0), "event_audience": ("keep-events-days", 0), "session": ("keep-sessions-days", 30),
        "progress_session": ("keep-progress-days", 0), "idempotency": ("keep-replies-hours", 30)}


def moment(us):
    return {"seconds": us // 10**6, "nanos": us % 10**6 * 1000}


class Year:
    def __init__(self, stack, directory, learners, members):
        self.stack, self.directory, self.learners, self.members = stack, directory, learners, members
        self.world = World(stack)
        self.treasurer = stack.login("treasurer")["session"]["accessToken"]
        self.random = random.Random(1)
        self.now_us = int(time.time()) * 10**6

    def send(self, area, method, requests, tokens=None):
        """Each request once, the n-th by the n-th of the tokens."""
        request = getattr(messages("edu.v1." + area), method + "Request")
        with open(self.directory / "requests", "wb") as out:
            for fields in requests:
                packed = request(**fields).SerializeToString()
                out.write(varint(len(packed)) + packed)
        flags = ["--requests-file", self.directory / "requests", "--once", "--warmup", "0", "--timeout-ms", "60000"]
        if tokens:
            (self.directory / "tokens").write_text("".join(token + "\n" for token in tokens), encoding="ascii")
            flags += ["--tokens-file", self.directory / "tokens"]
        done = subprocess.run([LOAD / "load", "--target", self.stack.replicas[-1].target, "--path",
                               "/edu.v1.EduService/" + method, "--seconds", "600", "--concurrency", "64", *flags],
                              capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"storage: a {method} did not answer OK:\n{done.stdout}{done.stderr}")

    def some(self, a_year):
        """Whose turn it is this month, of something done so often a year."""
        whole, part = divmod(a_year, 12)
        return [i for n in range(whole + 1) for i in range(self.learners) if n < whole or i % 12 < part]

    def name(self, i):
        return f"learner-{i}"

    def top_up(self, learners):
        self.send("wallet", "TopUpWallet", [{
            "user_id": self.users[i], "provider": "bank", "provider_payment_id": str(uuid.uuid4()), "amount": TOP_UP,
            "request_id": str(uuid.uuid4())} for i in learners], [self.treasurer])

    def buy(self, course, learners):
        """A month ago. A server goes on that knows of nothing yet."""
        self.send("purchase", "PurchaseCourse", [{
            "course_id": course, "currency_code": "EUR", "payment_source": 1, "expected_total": PRICE,
            "request_id": str(uuid.uuid4())} for _ in learners], [self.tokens[i] for i in learners])
        for table in ("enrollment", "access_grant"):
            self.stack.sql(f"UPDATE {table} SET start_time = start_time - {30 * DAY_US}")
        self.stack.start()

    def begin(self):
        """Learners who have learned before this month."""
        everybody = range(self.learners)
        self.courses = [self.world.publish(self.world.new_course(), *["VIDEO"] * (LESSONS + 1)) for _ in range(2)]
        self.lessons = [[x["lessonId"] for x in self.stack.edu("list-lessons", "--course-id", course)["lessons"]]
                        for course in self.courses]
        self.send("user", "RegisterUser", [{"user_name": self.name(i), "password": PASSWORD} for i in everybody])
        wire = Wire(self.stack.target)
        with ThreadPoolExecutor(16) as pool:
            sessions = list(pool.map(lambda i: wire.call("session", "Login", login=self.name(i), password=PASSWORD).session,
                                     everybody))
        wire.close()
        make_members(self.stack, f"user_name LIKE 'learner-%' ORDER BY user_id LIMIT {self.members}")
        self.tokens = [s.access_token for s in sessions]
        self.users = [s.user.user_id for s in sessions]
        self.top_up(everybody)
        self.buy(self.courses[0], everybody)
        self.learn([self.lessons[0][LESSONS]] * self.learners, self.now_us - 29 * DAY_US, 0)

    def learn(self, lessons, start_us, nth_of_lesson):
        """A session of everybody, each in a lesson; in no order."""
        order = self.random.sample(range(self.learners), self.learners)
        sessions = {i: str(uuid.uuid4()) for i in order}
        slices = 64 * (nth_of_lesson + 1) // SESSIONS_A_LESSON
        for seconds in REPORTED:
            self.send("progress", "RecordProgress", [{
                "lesson_id": lessons[i], "session_id": sessions[i], "session_start_time": moment(start_us),
                "client_time": moment(start_us + seconds * 10**6), "learning_seconds": seconds,
                "interactions": self.random.randrange(100), "questions": self.random.randrange(3),
                "coverage": (1 << slices * seconds // SECONDS) - 1, "position_seconds": slices * 10}
                for i in order], [self.tokens[i] for i in order])
            self.settle()

    def settle(self):
        """Until what is done later is done: the facts of days told of, the events placed."""
        while self.stack.sql("SELECT 1 FROM progress_mark UNION SELECT 1 FROM event WHERE position = 0 LIMIT 1"):
            time.sleep(0.2)

    def month(self):
        """Who bought another course learns in that one."""
        self.send("session", "Login", [{"login": self.name(i), "password": PASSWORD} for i in self.some(LOGINS)])
        self.top_up(self.some(TOP_UPS))
        buyers = set(self.some(PURCHASES))
        self.buy(self.courses[1], sorted(buyers))
        for n in range(DAYS * SESSIONS_A_DAY):
            lesson, part = divmod(n, SESSIONS_A_LESSON)
            day, nth_of_day = divmod(n, SESSIONS_A_DAY)
            self.learn([self.lessons[i in buyers][lesson] for i in range(self.learners)],
                       self.now_us - (28 - day) * DAY_US + nth_of_day * 3 * 3600 * 10**6, part)


def counts(stack):
    return {table: int(stack.sql(f"SELECT COUNT(*) FROM {table}")[0][0]) for table, in stack.sql("SHOW TABLES")}


def sizes(stack):
    """The bytes of tables with their indexes, as they have grown: of the pages in use, all of which are in the buffer pool.
    A file grows by 64 pages at a time, which of some thousand rows would be most."""
    return {name.split("`")[3]: int(size) for name, size in stack.sql(
        "SELECT table_name, COUNT(*) * @@innodb_page_size FROM information_schema.innodb_buffer_page"
        f" WHERE page_type = 'INDEX' AND table_name LIKE '`{stack.database}`.%' GROUP BY table_name")}


def measure(stack, learners, members, directory):
    """Of each table that learners fill: its name, bytes a row, rows a learner and year."""
    year = Year(stack, directory, learners, members)
    year.begin()
    before = counts(stack)
    year.month()
    after, size = counts(stack), sizes(stack)
    made = {table: after[table] - before[table] for table in after}
    return [(table, size[table] / after[table], n * 12 / learners) for table, n in made.items() if n > learners / 100]


def days_kept(table):
    """By the flags' defaults; None: for ever."""
    if table not in KEPT:
        return None
    flag, before = KEPT[table]
    help_text = subprocess.run([SERVER, "serve", "--help"], check=True, capture_output=True, text=True).stdout
    default = int(re.search(rf"--{flag} N +[^(]*\((\d+)\)", help_text)[1])
    return before + (default / 24 if flag.endswith("-hours") else default)


def report(rows):
    """GB of a million learners: what a year of theirs writes, and what there is after one and after three years."""
    print(f"{'table':<20}{'bytes a row':>12}{'rows a year':>12}{'days kept':>12}{'GB a year':>12}{'after one':>12}{'after three':>12}")
    together = [0, 0, 0]
    for table, size, a_year in sorted(rows, key=lambda row: -row[1] * row[2]):
        days, gb = days_kept(table), size * a_year / 1000
        columns = [gb, *(gb * (min(years, days / 365) if days else years) for years in (1, 3))]
        together = [a + b for a, b in zip(together, columns)]
        print(f"{table:<20}{size:>12,.0f}{a_year:>12,.0f}{f'{days:.0f}' if days else 'all':>12}" + "".join(f"{x:>12,.1f}" for x in columns))
    print(f"{'together':<56}" + "".join(f"{x:>12,.1f}" for x in together))


def main():
    parser = argparse.ArgumentParser(prog="tools/bench --storage", description=__doc__, allow_abbrev=False)
    parser.add_argument("--learners", type=int, default=2400, help="how many (2400)")
    parser.add_argument("--members", type=int, default=0, help="how many of them belong to an organization, which the feed"
                        " tells what they do (0)")
    options = parser.parse_args()
    with Stack("--access-token-seconds", "7200", "--queue-wait-ms", "60000", "--record-seconds", "1") as stack, \
            tempfile.TemporaryDirectory() as directory:
        rows = measure(stack, options.learners, options.members, pathlib.Path(directory))
    report(rows)


if __name__ == "__main__":
    main()
