# SPDX-License-Identifier: Apache-2.0
"""Nothing acknowledged is ever lost; nothing happens twice, acknowledged or not.

Clients record progress, top up wallets and buy courses, while the server process is killed (SIGKILL) at random moments
and started again, and while its connections to MariaDB are killed. What got no answer is repeated with the same
request_id, or now and then given up. At the end the tables hold what was acknowledged, once, and of what was given up
either all or nothing.

SIGKILL of a process keeps the page cache, so this does not prove that what was acknowledged has reached the disk: that
is MariaDB's part (innodb_flush_log_at_trx_commit=1), and takes a power cut to show.
"""
import os
import random
import signal
import subprocess
import threading
import time
import unittest
import uuid

from google.protobuf.timestamp_pb2 import Timestamp

from stack import PASSWORD, PrivateDatabase, Stack
from test_every_rpc import World
from wire import Refused, Wire

SECONDS = 16
LEARNERS, SESSIONS = 5, 6
BUYERS, RIVALS = 4, 2  # of each buyer, at the same courses
COURSES = 60
PRICE = 1250
GIVE_UP = 0.2

# Codes with which a call may fail here: the server or its database went away. Anything else fails the test.
MAY_REPEAT = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "CANCELLED")

# Each must answer 0.
LEDGER_FAULTS = {
    "currencies that do not sum to zero":
        "SELECT COUNT(*) FROM (SELECT 1 FROM ledger_entry GROUP BY currency_code HAVING SUM(amount) <> 0) x",
    "transactions that do not sum to zero":
        "SELECT COUNT(*) FROM (SELECT 1 FROM ledger_entry GROUP BY transaction_id, currency_code"
        " HAVING SUM(amount) <> 0 OR COUNT(*) < 2) x",
    "wallets that are not the sum of their entries":
        "SELECT COUNT(*) FROM wallet w WHERE balance < 0 OR balance <> (SELECT COALESCE(SUM(amount), 0) FROM"
        " ledger_entry e WHERE e.account_kind = 1 AND e.owner_id = w.user_id AND e.currency_code = w.currency_code)",
    "users with two live purchases of a course":
        "SELECT COUNT(*) FROM (SELECT 1 FROM purchase WHERE state IN (1, 2, 3, 4) AND access_end_time IS NULL"
        " GROUP BY user_id, course_id HAVING COUNT(*) > 1) x",
    "purchases without exactly one grant":
        "SELECT COUNT(*) FROM purchase p WHERE 1 <> (SELECT COUNT(*) FROM access_grant g WHERE g.purchase_id ="
        " p.purchase_id AND g.user_id = p.user_id AND g.course_id = p.course_id)",
    "purchases without exactly one event":
        "SELECT COUNT(*) FROM purchase p WHERE 1 <> (SELECT COUNT(*) FROM event e WHERE e.subject_id = p.purchase_id"
        " AND e.kind = 'purchase.completed')",
    "purchases without an enrollment":
        "SELECT COUNT(*) FROM purchase p LEFT JOIN enrollment e USING (user_id, course_id) WHERE e.user_id IS NULL",
}
PROGRESS_FAULTS = {
    "lessons that are not the sum of their sessions":
        "SELECT COUNT(*) FROM progress_lesson l LEFT JOIN (SELECT user_id, lesson_id, epoch, COUNT(*) n,"
        " SUM(interactions) i, SUM(questions) q, MAX(last_time) t,"
        " SUM(GREATEST(LEAST(learning_seconds, (last_time - start_time) DIV 1000000, 86400), 0)) s FROM progress_session"
        " GROUP BY user_id, lesson_id, epoch) x USING (user_id, lesson_id, epoch)"
        " WHERE NOT (l.sessions <=> n AND l.interactions <=> i AND l.questions <=> q AND l.learning_seconds <=> s"
        " AND l.last_time <=> t)",
    "sessions without their lesson":
        "SELECT COUNT(*) FROM progress_session s LEFT JOIN progress_lesson l USING (user_id, course_id, epoch,"
        " lesson_id) WHERE l.user_id IS NULL",
    "courses that are not the sum of their lessons":
        "SELECT COUNT(*) FROM progress_course c LEFT JOIN (SELECT user_id, course_id, epoch, SUM(completed) n,"
        " SUM(interactions) i, SUM(learning_seconds) s, MAX(last_time) t FROM progress_lesson"
        " GROUP BY user_id, course_id, epoch) x USING (user_id, course_id, epoch)"
        " WHERE NOT (c.lessons_completed <=> n AND c.interactions <=> i AND c.learning_seconds <=> s"
        " AND c.last_time <=> t)",
    "completed lessons without exactly one event":
        "SELECT COUNT(*) FROM progress_lesson l WHERE completed <> (SELECT COUNT(*) FROM event e WHERE e.subject_id ="
        " l.lesson_id AND e.user_id = l.user_id AND e.kind = 'progress.lesson_completed')",
}


def eur(minor_units):
    return {"currency_code": "EUR", "minor_units": minor_units}


class Caller(threading.Thread):
    """A client that repeats what got no answer until it is answered, or gives it up."""

    def __init__(self, test, name, token):
        super().__init__(name=name)
        self.test, self.token = test, token
        self.random = random.Random(f"{test.seed}-{name}")
        # A connection of its own, tried again soon.
        self.wire = Wire(test.target, [("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 50),
                                       ("grpc.max_reconnect_backoff_ms", 100)], patient=True)
        self.repeated = self.acknowledged = 0
        self.failure = None

    def ask(self, area, method, token=None, patient=False, **fields):
        """The answer; None when it was given up, whatever became of it."""
        until = time.monotonic() + 60
        while True:
            try:
                answer = self.wire.call(area, method, token or self.token, timeout=5, **fields)
                self.acknowledged += 1
                return answer
            except Refused as error:
                if error.code not in MAY_REPEAT or time.monotonic() > until:
                    raise
                self.repeated += 1
                if not patient and self.random.random() < GIVE_UP:
                    return None
                time.sleep(self.random.uniform(0.01, 0.05))

    def run(self):
        try:
            while not self.test.over.is_set():
                self.step()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error
            self.test.over.set()


class Learner(Caller):
    """Watches a course in several sessions at once; remembers what was said and what was acknowledged."""

    def __init__(self, test, name, token):
        super().__init__(test, name, token)
        self.sessions = [Learner.Session(self.random.choice(test.lessons)) for _ in range(SESSIONS)]

    class Session:
        def __init__(self, lesson):
            self.lesson, self.video = lesson["lessonId"], lesson["kind"] == "LESSON_KIND_VIDEO"
            self.id = uuid.uuid4()
            self.start = Timestamp()
            self.start.GetCurrentTime()
            self.said = {"interactions": 0, "learning_seconds": 0, "coverage": 0, "completed": False, "last": 0}
            self.acknowledged = dict(self.said)

        def say(self, chance):
            """The next report: some more than the one before."""
            now = Timestamp()
            now.GetCurrentTime()
            said = self.said
            said["interactions"] += chance.randrange(3)
            said["learning_seconds"] += chance.randrange(2)
            said["last"] = now.ToMicroseconds()
            if self.video:
                said["coverage"] |= 1 << chance.randrange(64)
            elif chance.random() < 0.05:
                said["completed"] = True
            now.FromMicroseconds(said["last"])
            return now, {k: v for k, v in said.items() if k != "last" and v}

    def step(self):
        session = self.random.choice(self.sessions)
        now, fields = session.say(self.random)
        answer = self.ask("progress", "RecordProgress", lesson_id=session.lesson, session_id=str(session.id),
                          client_time=now, session_start_time=session.start, **fields)
        if answer:
            session.acknowledged = dict(session.said)


class Buyer(Caller):
    """Tops up his wallet and buys every course, as others do in his name."""

    def __init__(self, test, name, token, user_id):
        super().__init__(test, name, token)
        self.user_id = user_id
        self.to_buy = list(test.courses)
        self.random.shuffle(self.to_buy)
        self.top_ups, self.given_up = {}, set()
        self.bought = {}  # the answered requests, by request_id
        self.owned = {}  # the purchase of a course, as it was named
        self.serial = 0

    def top_up(self):
        self.serial += 1
        payment = f"{self.name}-{self.serial}"
        answer = self.ask("purchase", "TopUpWallet", self.test.treasurer, user_id=self.user_id, amount=eur(PRICE),
                          provider="bank", provider_payment_id=payment, request_id=str(uuid.uuid4()))
        if answer:
            self.top_ups[payment] = answer.transaction_id
        else:
            self.given_up.add(payment)

    def own(self, course, purchase_id):
        self.test.assertEqual(self.owned.setdefault(course, purchase_id), purchase_id)

    def buy(self, course):
        request = {"course_id": course, "currency_code": "EUR", "expected_total": eur(PRICE), "payment_source": 1,
                   "request_id": str(uuid.uuid4())}
        try:
            answer = self.ask("purchase", "PurchaseCourse", **request)
        except Refused as error:
            if error.reason == "INSUFFICIENT_FUNDS":
                return
            if error.reason != "ALREADY_PURCHASED":
                raise
            self.own(course, error.metadata["purchase_id"])
            self.to_buy.remove(course)
            return
        if answer:
            self.own(course, answer.purchase.purchase_id)
            self.bought[request["request_id"]] = (request, answer)
            self.to_buy.remove(course)

    def purchases(self):
        """Every purchase of the user, by course."""
        ret, token = {}, ""
        while True:
            page = self.ask("purchase", "ListPurchases", patient=True, page_size=100, page_token=token)
            for p in page.purchases:
                self.test.assertNotIn(p.course_id, ret)
                ret[p.course_id] = p.purchase_id
            token = page.next_page_token
            if not token:
                return ret

    def step(self):
        self.top_up()
        if self.to_buy and self.random.random() < 0.3:
            self.buy(self.to_buy[0])


class Crash(unittest.TestCase):
    database = None  # one of the test's own, reached over TLS
    seconds = SECONDS

    @classmethod
    def setUpClass(cls):
        cls.seed = os.environ.get("EDU_TEST_SEED") or uuid.uuid4().hex[:8]
        print("EDU_TEST_SEED =", cls.seed)
        cls.random = random.Random(cls.seed)
        cls.over = threading.Event()
        cls.stack = Stack(database=cls.database).__enter__()
        cls.target = cls.stack.target
        cls.world = World(cls.stack)
        cls.lessons = cls.world.lessons
        cls.wire = Wire(cls.target)
        cls.treasurer = cls.token("treasurer")
        cls.courses = cls.make_courses()

    @classmethod
    def tearDownClass(cls):
        cls.wire.close()
        cls.stack.__exit__(None, None, None)

    @classmethod
    def token(cls, name):
        return cls.wire.call("user", "Login", login=name, password=PASSWORD).session.access_token

    @classmethod
    def make_courses(cls):
        teacher, admin, courses = cls.token("teacher"), cls.token("root-admin"), []
        for i in range(COURSES):
            course = cls.wire.call("course", "CreateCourse", teacher, title=f"Course {i}", summary="What it is about",
                                   subject="mathematics", level=1, language="en",
                                   price_list={"prices": [eur(PRICE)]}).course
            cls.wire.call("course", "CreateLesson", teacher, course_id=course.course_id, title="A lesson", kind=2)
            cls.wire.call("course", "SubmitCourseForReview", teacher, course_id=course.course_id)
            cls.wire.call("course", "ApproveCourse", admin, course_id=course.course_id)
            courses.append(course.course_id)
        return courses

    # --- trouble ---

    def crash(self):
        """Kills the server and starts another at the same address."""
        for replica in self.stack.replicas:
            self.assertEqual(replica.stop(signal.SIGKILL), -signal.SIGKILL)
        self.stack.replicas.clear()
        self.stack.start("--listen", self.target)

    def kill_connections(self):
        rows = self.stack.sql("SELECT id FROM information_schema.processlist WHERE db = DATABASE()"
                              " AND id <> CONNECTION_ID()")
        killed = 0
        for (thread,) in self.random.sample(rows, min(len(rows), 6)):
            try:
                self.stack.sql(f"KILL CONNECTION {thread}")
                killed += 1
            except subprocess.CalledProcessError:
                pass  # it was gone already
        return killed

    def crash_database(self):
        """Kills the database, if it is ours, and starts it again."""
        if self.database:
            self.database.kill()
            self.database.start()
        return self.database is not None

    def await_work(self, clients):
        """Until every client was answered anew, so that the next trouble finds all of them at work."""
        before = [c.acknowledged for c in clients]
        until = time.monotonic() + 20
        while any(c.acknowledged == n for c, n in zip(clients, before)) and not self.over.is_set():
            self.assertLess(time.monotonic(), until, "some client gets no answer")
            time.sleep(0.01)
        time.sleep(self.random.uniform(0, 0.5))

    def make_trouble(self, clients):
        crashes = killed = 0
        until = time.monotonic() + self.seconds
        while time.monotonic() < until and not self.over.is_set():
            self.await_work(clients)
            killed += self.kill_connections()
            self.await_work(clients)
            killed += self.crash_database()
            self.await_work(clients)
            self.crash()
            crashes += 1
        return crashes, killed

    # --- the clients ---

    def make_clients(self):
        learners = [Learner(self, name, self.token(name))
                    for name in (self.world.enrolled_learner(self.world.course) for _ in range(LEARNERS))]
        buyers = []
        for i in range(BUYERS):
            user = self.stack.register(f"buyer-{i}")["userId"]
            buyers += [Buyer(self, f"buyer-{i}-{j}", self.token(f"buyer-{i}"), user) for j in range(RIVALS)]
        return learners, buyers

    # --- what must hold ---

    def check_faults(self, faults):
        for fault, sql in faults.items():
            self.assertEqual(self.stack.sql(sql), [["0"]], fault)

    def check_payments(self, buyers):
        paid = {payment: int(n) for payment, n in
                self.stack.sql("SELECT provider_payment_id, COUNT(DISTINCT transaction_id) FROM payment"
                               " WHERE provider_payment_id LIKE 'buyer-%' GROUP BY provider_payment_id")}
        for buyer in buyers:
            for payment in buyer.top_ups:
                self.assertEqual(paid.pop(payment, 0), 1, f"{payment} was acknowledged")
            for payment in buyer.given_up:
                self.assertLessEqual(paid.pop(payment, 0), 1, payment)
        self.assertEqual(paid, {}, "payments nobody made")
        self.assertEqual(self.stack.sql("SELECT COUNT(*) FROM payment p WHERE amount <> (SELECT SUM(amount) FROM"
                                        " ledger_entry e WHERE e.transaction_id = p.transaction_id AND"
                                        " e.account_kind = 1)"), [["0"]])

    def check_purchases(self, buyers):
        for buyer in buyers:
            listed = buyer.purchases()
            for course, purchase_id in buyer.owned.items():
                self.assertEqual(listed.get(course), purchase_id, "an acknowledged purchase")
            for request, answer in buyer.bought.values():
                again = buyer.ask("purchase", "PurchaseCourse", patient=True, **request)
                self.assertEqual(again, answer, "the same request, the same answer")

    def check_balances(self, buyers):
        """By the model: every top-up, less the price of every purchase."""
        for user in {b.user_id for b in buyers}:
            mine = [b for b in buyers if b.user_id == user]
            balances = mine[0].ask("purchase", "GetWallet", patient=True).wallet.balances
            balance = sum(b.minor_units for b in balances)
            least = sum(len(b.top_ups) for b in mine)
            most = least + sum(len(b.given_up) for b in mine)
            bought = len(mine[0].purchases())
            self.assertEqual(balance % PRICE, 0)
            self.assertLessEqual(least, balance // PRICE + bought)
            self.assertLessEqual(balance // PRICE + bought, most)

    def check_sessions(self, learners):
        """Every session lies between what was acknowledged and what was said; nothing else is there."""
        rows = {row[0].lower(): [int(x) for x in row[1:]] for row in
                self.stack.sql("SELECT HEX(session_id), start_time, last_time, learning_seconds, interactions"
                               " FROM progress_session")}
        exact = 0
        for session in (s for learner in learners for s in learner.sessions):
            low, high = session.acknowledged, session.said
            row = rows.pop(session.id.hex, None)
            if row is None:
                self.assertEqual(low["last"], 0, "an acknowledged session")
                continue
            self.assertEqual(row[0], session.start.ToMicroseconds())
            for value, name in zip(row[1:], ("last", "learning_seconds", "interactions")):
                self.assertLessEqual(low[name], value, name)
                self.assertLessEqual(value, high[name], name)
            exact += low == high
        self.assertEqual(rows, {}, "sessions nobody had")
        self.assertGreater(exact, 0)

    def check_lessons(self, learners):
        for learner in learners:
            progress = learner.ask("progress", "GetCourseProgress", patient=True, course_id=self.world.course).progress
            for lesson in progress.lessons:
                mine = [s for s in learner.sessions if s.lesson == lesson.lesson_id]
                low = high = 0
                for s in mine:
                    low |= s.acknowledged["coverage"]
                    high |= s.said["coverage"]
                self.assertEqual(low & ~lesson.coverage, 0, "acknowledged slices are lost")
                self.assertEqual(lesson.coverage & ~high, 0, "slices nobody watched")
                if any(s.acknowledged["completed"] for s in mine):
                    self.assertTrue(lesson.completed)
                if lesson.completed and not mine[0].video:
                    self.assertTrue(any(s.said["completed"] for s in mine))

    def check_feed(self):
        """The events get their positions, without gaps, once somebody leads again."""
        until = time.monotonic() + 30
        while self.stack.sql("SELECT COUNT(*) FROM event WHERE position IS NULL") != [["0"]]:
            self.assertLess(time.monotonic(), until, "events without a position")
            time.sleep(0.2)
        self.assertEqual(self.stack.sql("SELECT COUNT(*) = MAX(position) AND COUNT(DISTINCT position) = COUNT(*)"
                                        " FROM event"), [["1"]])

    def test_acknowledged_work_survives(self):
        learners, buyers = self.make_clients()
        clients = learners + buyers
        for client in clients:
            client.start()
        try:
            crashes, killed = self.make_trouble(clients)
        finally:
            self.over.set()
            for client in clients:
                client.join()
        for client in clients:
            if client.failure:
                raise client.failure
        acknowledged = sum(c.acknowledged for c in clients)
        repeated = sum(c.repeated for c in clients)
        given_up = sum(len(b.given_up) for b in buyers)
        print(f"{crashes} crashes, {killed} connections killed, {acknowledged} calls acknowledged, {repeated} repeated,"
              f" {sum(len(b.bought) for b in buyers)} purchases, {given_up} top-ups given up")
        self.assertGreater(crashes, 2)
        self.assertGreater(killed, 2)
        self.assertGreater(repeated, 0)
        self.assertTrue(all(c.acknowledged for c in clients))
        self.check_payments(buyers)
        self.check_purchases(buyers)
        self.check_balances(buyers)
        self.check_sessions(learners)
        self.check_lessons(learners)
        self.check_faults(LEDGER_FAULTS)
        self.check_faults(PROGRESS_FAULTS)
        self.check_feed()
        for client in clients:
            client.wire.close()


class CrashOverTls(Crash):
    """The same over TCP and TLS, where a lost connection looks different, and with the database killed as well."""
    seconds = 10

    @classmethod
    def setUpClass(cls):
        cls.database = PrivateDatabase()
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.database.stop()


if __name__ == "__main__":
    unittest.main()
