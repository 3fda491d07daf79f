# SPDX-License-Identifier: Apache-2.0
"""One cause has one text: what load tools count errors by. The causes are provoked by calls that differ in every value."""
import collections
import datetime
import unittest
import uuid

from stack import PASSWORD, Stack
from test_every_rpc import World
from wire import Refused, Wire

IDS = "0123456789abc"
TIMES = 12  # each cause


def crockford(kind, n):
    return f"{kind}_00000000000{IDS[1 + n // 13]}{IDS[n % 13]}"


class ErrorTexts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack().__enter__()
        cls.world = World(cls.stack)
        cls.wire = Wire(cls.stack.target)
        cls.tokens = {name: cls.wire.call("session", "Login", login=name, password=PASSWORD).session.access_token
                      for name in ("learner", "teacher", "root-admin")}

    @classmethod
    def tearDownClass(cls):
        cls.wire.close()
        cls.stack.__exit__(None, None, None)

    def provoke(self, call, times=TIMES, wire=None):
        """The texts by reason of `times` calls, of which the nth is call(n): area, method, who, fields."""
        texts = collections.defaultdict(set)
        for n in range(times):
            area, method, who, fields = call(n)
            try:
                (wire or self.wire).call(area, method, self.tokens.get(who), **fields)
            except Refused as refused:
                texts[refused.reason].add(refused.text)
        return texts

    def one_text(self, reason, call, **options):
        texts = self.provoke(call, **options)
        self.assertIn(reason, texts)
        self.assertEqual(len(texts[reason]), 1, texts[reason])

    def test_ids(self):
        for reason, area, method, who, field, kind in (
                ("COURSE_NOT_FOUND", "course", "GetCourse", None, "course_id", "crs"),
                ("USER_NOT_FOUND", "user", "GetUser", "root-admin", "user_id", "usr"),
                ("PURCHASE_NOT_FOUND", "purchase", "GetPurchase", "learner", "purchase_id", "pur")):
            with self.subTest(reason):
                self.one_text(reason, lambda n: (area, method, who, {field: crockford(kind, n)}))
        self.one_text("USER_NOT_FOUND", lambda n: ("user", "GetUser", "root-admin", {"user_name": f"nobody-{n}"}))

    def report(self, lesson, seconds, **fields):
        moment = int(datetime.datetime.now(datetime.timezone.utc).timestamp()) + seconds
        return "progress", "RecordProgress", "learner", {
            "lesson_id": lesson, "session_id": str(uuid.uuid4()), "client_time": {"seconds": moment},
            "session_start_time": {"seconds": moment - 60}, **fields}

    def test_progress(self):
        video, text = (x["lessonId"] for x in self.world.lessons)
        self.one_text("LESSON_NOT_FOUND", lambda n: self.report(crockford("les", n), 0))
        self.one_text("NOT_ENROLLED", lambda n: self.report(video, -n * 3600))
        free = self.world.publish(self.world.new_course("--free"), "VIDEO", "TEXT")
        self.world.buy(free, "learner", "0 EUR")
        video, text = (x["lessonId"] for x in self.stack.edu("list-lessons", "--course-id", free)["lessons"])
        self.one_text("CLOCK_SKEW", lambda n: self.report(video, 1000 + n * 3600))
        self.one_text("PROGRESS_TOO_OLD", lambda n: self.report(video, -86400 * (31 + n)))
        self.one_text("FIELD_INVALID", lambda n: self.report(video, 0, epoch=100 + n))
        self.one_text("LESSON_KIND_MISMATCH", lambda n: self.report(*((video, 0), (text, 0))[n % 2], **(
            {"completed": True} if n % 2 == 0 else {"coverage": n})))

    def test_money(self):
        courses = [self.world.publish(self.world.new_course("--prices", f"{n + 1}2.50 EUR")) for n in range(3)]

        def buy(expected, course):
            return "purchase", "PurchaseCourse", "learner", {
                "course_id": course, "currency_code": "EUR", "payment_source": 1, "request_id": str(uuid.uuid4()),
                "expected_total": {"currency_code": "EUR", "minor_units": expected}}

        self.one_text("PRICE_CHANGED", lambda n: buy(n + 1, courses[n % 3]))
        self.one_text("INSUFFICIENT_FUNDS", lambda n: buy(100000, courses[n % 3]))

    def test_fields(self):
        self.one_text("FIELD_INVALID", lambda n: ("course", "CreateCourse", "teacher", {"title": "x" * (300 + n)}))
        self.one_text("FIELD_INVALID", lambda n: ("course", "CreateCourse", "teacher", {
            "title": "x" * (300 + n), "summary": "x" * 2000, "audience": "x" * (2000 if n % 2 else 1)}))

    def test_sizes(self):
        self.one_text("MESSAGE_TOO_LARGE", lambda n: ("course", "CreateCourse", "teacher", {
            "title": "x", "description": "x" * (4194304 + 1000 * n)}), times=4)

    def test_rates(self):
        """The finding: sixteen causes where there was one."""
        replica = self.stack.start("--rate-default", "5", "--rate-login", "5", "--rate-stranger", "5")
        wire = Wire(replica.target)
        try:
            self.one_text("RATE_LIMITED", lambda n: ("user", "GetUser", "learner", {}), times=60, wire=wire)
            self.one_text("RATE_LIMITED",
                          lambda n: ("session", "Login", None, {"login": f"n-{n}", "password": PASSWORD}),
                          times=60, wire=wire)
            self.one_text("RATE_LIMITED", lambda n: ("course", "GetCourse", None, {"course_id": self.world.course}),
                          times=60, wire=wire)
        finally:
            wire.close()
            self.assertEqual(replica.stop(), 0)


if __name__ == "__main__":
    unittest.main()
