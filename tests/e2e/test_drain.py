# SPDX-License-Identifier: Apache-2.0
"""Servers that stop: while the database hangs, and one after the other behind the edge, with callers who go on.

    EDU_DRAIN_RESTARTS=10 EDU_DRAIN_RATE=800 tests/lib/python tests/e2e/test_drain.py RollingRestart
"""
import collections
import os
import signal
import threading
import time
import unittest
import uuid

from edge import Edge
from stack import PASSWORD, PrivateDatabase, Replica, Stack, free_port
from test_every_rpc import World
from wire import Refused, Wire

RESTARTS = int(os.environ.get("EDU_DRAIN_RESTARTS", 2))
RATE = float(os.environ.get("EDU_DRAIN_RATE", 200))
CALLERS = 8
PATIENCE = 10  # seconds a caller repeats a call that is UNAVAILABLE


def learner(stack):
    """A course with a lesson, and somebody enrolled in it: the lesson's id and his token."""
    world = World(stack)
    course = world.publish(world.new_course("--free"), "VIDEO")
    lesson = stack.edu("list-lessons", "--course-id", course)["lessons"][0]["lessonId"]
    wire = Wire(stack.target)
    token = wire.call("session", "Login", login="learner", password=PASSWORD).session.access_token
    wire.call("purchase", "PurchaseCourse", token, course_id=course, currency_code="EUR",
              expected_total={"currency_code": "EUR"}, payment_source=1, request_id=str(uuid.uuid4()))
    wire.close()
    return lesson, token


def report(wire, lesson, token, timeout=20):
    """One progress report in a session of its own; returns the session's id."""
    session, at = uuid.uuid4(), {"seconds": int(time.time())}
    wire.call("progress", "RecordProgress", token, timeout=timeout, session_start_time=at, client_time=at,
              lesson_id=lesson, session_id=str(session), interactions=1)
    return session.hex


class HangingDatabase(unittest.TestCase):
    """MariaDB is stopped with SIGSTOP, as good as a machine that hangs; then the server is told to end."""

    @classmethod
    def setUpClass(cls):
        cls.database = PrivateDatabase()
        cls.stack = Stack(database=cls.database).__enter__()
        cls.lesson, cls.token = learner(cls.stack)

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)
        cls.database.stop()

    def outcomes_of(self, wire, count):
        """Starts so many calls of each kind; returns a function that waits for their outcomes."""
        kinds = (lambda: report(wire, self.lesson, self.token, 60),
                 lambda: wire.call("user", "GetUser", self.token, 60),
                 lambda: wire.call("catalogue", "ListCourses", None, 60),
                 lambda: wire.call("user", "RegisterUser", None, 60, user_name="u" + uuid.uuid4().hex[:12], password=PASSWORD))
        outcomes = []

        def one(kind):
            try:
                kind()
                outcomes.append("OK")
            except Refused as error:
                outcomes.append(f"{error.code} {error.reason}")

        threads = [threading.Thread(target=one, args=[kind]) for kind in kinds for _ in range(count)]
        for thread in threads:
            thread.start()

        def wait():
            for thread in threads:
                thread.join()
            return collections.Counter(outcomes)

        return wait

    def test_ends_in_time_and_answers_who_waits(self):
        replica = Replica(self.stack, "--drain-seconds", "2", "--drain-notice-seconds", "1")
        wire = Wire(replica.target)
        report(wire, self.lesson, self.token)  # what is cached is
        self.database.signal(signal.SIGSTOP)
        try:
            wait = self.outcomes_of(wire, 4)
            time.sleep(0.5)
            began = time.monotonic()
            status = replica.stop()
            took = time.monotonic() - began
            outcomes = wait()
        finally:
            self.database.signal(signal.SIGCONT)
        print(f"ended with {status} after {took:.1f} s of 1 + 2 + 2; answered: {dict(outcomes)}")
        self.assertEqual(sum(outcomes.values()), 16)
        self.assertLess(took, 1 + 2 + 2 + 2)  # and two more for a busy machine
        self.assertIn(status, (0, 1))
        self.assertGreaterEqual(sum(outcomes.values()) - outcomes.pop("OK", 0), 8, "too few were under way")
        for outcome in outcomes:
            self.assertIn(outcome, ("UNAVAILABLE DATABASE_UNAVAILABLE", "DEADLINE_EXCEEDED OUTCOME_UNKNOWN",
                                    "UNAVAILABLE OVERLOADED", "UNAVAILABLE RIGHTS_UNCONFIRMED"))
        wire.close()


class Caller(threading.Thread):
    """Calls at its rate through the edge; repeats what is UNAVAILABLE, for as long as it has patience."""

    def __init__(self, edge, lesson, token):
        super().__init__()
        self.wire, self.lesson, self.token = edge.wire(), lesson, token
        self.over = False
        self.calls, self.repeats, self.failed, self.reported = 0, collections.Counter(), [], []

    def call(self):
        kind = self.calls % 3
        if kind == 0:
            self.reported.append(report(self.wire, self.lesson, self.token))
        elif kind == 1:
            self.wire.call("user", "GetUser", self.token)
        else:
            self.wire.call("catalogue", "ListCourses")

    def call_patiently(self):
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.call()
                return
            except Refused as error:
                if error.code != "UNAVAILABLE" or time.monotonic() > until:
                    self.failed.append(str(error))
                    return
                self.repeats[error.reason or str(error)] += 1
                time.sleep(0.05)

    def run(self):
        began = time.monotonic()
        while not self.over:
            self.call_patiently()
            self.calls += 1
            time.sleep(max(0, began + self.calls * CALLERS / RATE - time.monotonic()))
        self.wire.close()


class RollingRestart(unittest.TestCase):
    def setUp(self):
        self.stack = Stack("--trust-forwarded-for", "--drain-notice-seconds", "3").__enter__()
        self.addCleanup(self.stack.__exit__, None, None, None)
        self.lesson, self.token = learner(self.stack)
        self.places = [(f"127.0.0.1:{free_port()}", free_port()) for _ in range(2)]
        self.replicas = [self.start(place) for place in self.places]
        edge = Edge(*self.places).__enter__()
        self.addCleanup(edge.__exit__, None, None, None)
        self.edge = edge

    def start(self, place):
        return self.stack.start("--listen", place[0], "--metrics-listen", f"127.0.0.1:{place[1]}")

    def await_both(self):
        """Both have been checked often enough to be sent calls: `rise 2` of `inter 1s`."""
        time.sleep(4)

    def test_loses_no_call(self):
        self.await_both()
        callers = [Caller(self.edge, self.lesson, self.token) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        began = time.monotonic()
        for n in range(RESTARTS):
            i = n % len(self.places)
            self.assertEqual(self.replicas[i].stop(), 0)
            self.replicas[i] = self.start(self.places[i])
            self.await_both()
        seconds = time.monotonic() - began
        for caller in callers:
            caller.over = True
        for caller in callers:
            caller.join()
        calls, failed = sum(c.calls for c in callers), [f for c in callers for f in c.failed]
        repeats = sum((c.repeats for c in callers), collections.Counter())
        print(f"{RESTARTS} restarts, {calls} calls at {calls / seconds:.0f}/s, {len(failed)} failed, repeated: {dict(repeats)}")
        self.assertGreater(calls, RATE * seconds / 4)
        self.assertEqual(failed, [])
        written = {row[0].lower() for row in self.stack.sql("SELECT HEX(session_id) FROM progress_session")}
        self.assertLessEqual({r for c in callers for r in c.reported}, written)


if __name__ == "__main__":
    unittest.main()
