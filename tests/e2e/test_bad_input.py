# SPDX-License-Identifier: Apache-2.0
"""Hostile and mistaken requests: each gets its code and reason, and changes nothing."""
import base64
import datetime
import hashlib
import hmac
import json
import subprocess
import threading
import unittest
import uuid

from google.protobuf.timestamp_pb2 import Timestamp

from frames import Connection, message
from stack import PASSWORD, Stack
from test_every_rpc import World
from wire import Refused, Wire, messages

SERVICE = "/edu.v1.EduService/"

# What no refused call may change. Counts and sums of every table that a call could have touched.
FINGERPRINT = """
SELECT (SELECT COUNT(*) FROM user), (SELECT COUNT(*) FROM course), (SELECT COUNT(*) FROM lesson),
       (SELECT COUNT(*) FROM purchase), (SELECT COUNT(*) FROM ledger_entry), (SELECT COUNT(*) FROM access_grant),
       (SELECT COALESCE(SUM(balance), 0) FROM wallet), (SELECT COUNT(*) FROM enrollment),
       (SELECT COUNT(*) FROM progress_session), (SELECT COUNT(*) FROM event), (SELECT COUNT(*) FROM idempotency)
"""


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def timestamp(moment):
    ret = Timestamp()
    ret.FromDatetime(moment)
    return ret


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack("--access-token-seconds", "600").__enter__()
        cls.world = World(cls.stack)
        cls.wire = Wire(cls.stack.target)
        cls.tokens = {name: cls.session(name).access_token for name in ("learner", "teacher", "treasurer", "root-admin")}

    @classmethod
    def tearDownClass(cls):
        cls.wire.close()
        cls.stack.__exit__(None, None, None)

    @classmethod
    def session(cls, name, target=None):
        wire = Wire(target or cls.stack.target)
        try:
            return wire.call("session", "Login", login=name, password=PASSWORD).session
        finally:
            wire.close()

    def refused(self, code, reason, call, *arguments, **fields):
        before = self.stack.sql(FINGERPRINT)
        with self.assertRaises(Refused) as caught:
            call(*arguments, **fields)
        self.assertEqual((caught.exception.code, caught.exception.reason), (code, reason), str(caught.exception))
        self.assertEqual(self.stack.sql(FINGERPRINT), before)
        return caught.exception

    # --- bytes ---

    def test_nesting_20000_deep(self):
        payload = b""
        for _ in range(20000):  # UpdateCourseRequest.course in itself, as far as the bytes go
            n, head = len(payload), bytearray(b"\x0a")
            while n > 127:
                head.append(n & 127 | 128)
                n >>= 7
            payload = bytes(head) + bytes([n]) + payload
        for method in ("UpdateCourse", "UpdateUser"):
            with self.assertRaises(Refused) as caught:
                self.wire.raw(SERVICE + method, payload, self.tokens["teacher"])
            self.assertEqual(caught.exception.code, "INVALID_ARGUMENT")
            self.assertIn(caught.exception.reason, ("MESSAGE_TOO_DEEP", "MESSAGE_MALFORMED"))
        self.alive()

    def test_two_mib_of_unknown_fields(self):
        self.refused("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE", self.wire.raw, SERVICE + "GetCourse",
                     b"\xf8\x07\x01" * 700000, self.tokens["learner"])
        self.alive()

    def test_embedded_nul_and_invalid_utf8(self):
        for text in (b"a\x00b", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80"):
            self.refused("INVALID_ARGUMENT", "MESSAGE_MALFORMED", self.wire.raw, SERVICE + "CreateCourse",
                         b"\x0a" + bytes([len(text)]) + text, self.tokens["teacher"])

    def test_truncated(self):
        self.refused("INVALID_ARGUMENT", "MESSAGE_MALFORMED", self.wire.raw, SERVICE + "GetCourse", b"\x0a\x20abc")

    def test_over_the_size_limit(self):
        payload = messages("edu.v1.course").CreateCourseRequest(title="x", description="d" * (5 << 20))
        self.refused("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE", self.wire.raw, SERVICE + "CreateCourse",
                     payload.SerializeToString(), self.tokens["teacher"])

    def test_unknown_method(self):
        self.refused("UNIMPLEMENTED", "METHOD_UNKNOWN", self.wire.raw, SERVICE + "NoSuchMethod", b"")
        self.refused("UNIMPLEMENTED", "METHOD_UNKNOWN", self.wire.raw, "/no.such.Service/GetCourse", b"")

    def test_what_would_cost_the_square_of_its_length(self):
        course = {"course_id": self.world.new_course()}
        for paths in (["title"] * 19900, [f"p{i}" for i in range(9900)] + ["title"] * 9900):
            error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", self.wire.call, "course", "UpdateCourse",
                                 self.tokens["teacher"], course=course, update_mask={"paths": paths})
            self.assertEqual(error.fields, ["update_mask.paths"])
        fields = messages("edu.v1.course").Course.DESCRIPTOR.fields
        error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", self.wire.call, "course", "UpdateCourse",
                             self.tokens["teacher"], course=course, update_mask={"paths": ["title", "level"] * len(fields)})
        self.assertEqual(error.fields, ["update_mask"])
        # Marks that are told only by taking them apart, in a text that is put into order.
        for text in ("\u0f73" * 20000, "e" + "\u0301" * 31, "\u0f73" * 80000):
            error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", self.wire.call, "course", "CreateCourse",
                                 self.tokens["teacher"], title="T", description=text)
            self.assertEqual(error.fields, ["description"])

    def test_every_violation_at_once(self):
        error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", self.wire.call, "purchase", "PurchaseCourse",
                             self.tokens["learner"], course_id="usr_0000000000001", request_id="no")
        self.assertEqual(sorted(error.fields),
                         ["course_id", "currency_code", "expected_total", "payment_source", "request_id"])

    # --- tokens ---

    def get_self(self, token):
        return self.wire.call("user", "GetUser", token)

    def test_no_token(self):
        self.refused("UNAUTHENTICATED", "TOKEN_MISSING", self.get_self, None)

    def test_wrong_role(self):
        self.refused("PERMISSION_DENIED", "ROLE_MISSING", self.wire.call, "course", "CreateCourse",
                     self.tokens["learner"], title="Mine")
        self.refused("PERMISSION_DENIED", "ROLE_MISSING", self.wire.call, "wallet", "TopUpWallet",
                     self.tokens["learner"], user_id=self.stack.users["learner"], provider="p", provider_payment_id="1",
                     amount={"currency_code": "EUR", "minor_units": 1}, request_id=str(uuid.uuid4()))

    def test_expired(self):
        replica = self.stack.start("--access-token-seconds", "1")
        token = self.session("learner", replica.target).access_token
        deadline = datetime.datetime.now() + datetime.timedelta(seconds=10)
        while datetime.datetime.now() < deadline:
            try:
                self.get_self(token)
            except Refused as error:
                self.assertEqual((error.code, error.reason), ("UNAUTHENTICATED", "TOKEN_EXPIRED"))
                return
        self.fail("the token did not expire")

    def test_tampered(self):
        header, claims, signature = self.tokens["learner"].split(".")
        other = json.loads(unb64(claims))
        other["roles"] = ["LEARNER", "ADMIN"]
        forged = b64(json.dumps(other).encode())
        bad = [f"{header}.{forged}.{signature}", f"{header}.{claims}.{signature}=", f"{header}.{claims}",
               f"{header}.{claims}.", f"{header}.{claims}.{signature[:-4]}AAAA", "a.b.c", "x", "." * 3]
        last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        bad += [f"{header}.{claims}.{signature[:-1]}{c}" for c in last if c != signature[-1]]
        for token in bad:
            self.refused("UNAUTHENTICATED", "TOKEN_INVALID", self.get_self, token)

    def test_alg_none_and_hs256_with_the_public_key(self):
        header, claims, _ = self.tokens["learner"].split(".")
        kid = json.loads(unb64(header))["kid"]
        none = b64(json.dumps({"alg": "none", "typ": "JWT", "kid": kid}).encode())
        self.refused("UNAUTHENTICATED", "TOKEN_INVALID", self.get_self, f"{none}.{claims}.")
        hs256 = b64(json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode())
        for key_file in (self.stack.dir / "keys").iterdir():
            public = subprocess.run(["openssl", "pkey", "-in", key_file, "-pubout"], capture_output=True)
            if public.returncode:
                continue
            for key in (public.stdout, public.stdout.strip()):
                mac = b64(hmac.new(key, f"{hs256}.{claims}".encode(), hashlib.sha256).digest())
                self.refused("UNAUTHENTICATED", "TOKEN_INVALID", self.get_self, f"{hs256}.{claims}.{mac}")

    # --- rules of the areas ---

    def purchase(self, token, course, request_id=None, minor_units=1250):
        return self.wire.call("purchase", "PurchaseCourse", token, course_id=course, currency_code="EUR",
                              expected_total={"currency_code": "EUR", "minor_units": minor_units}, payment_source=1,
                              request_id=request_id or str(uuid.uuid4())).purchase

    def test_somebody_elses_purchase(self):
        user = self.world.enrolled_learner(self.world.course)
        bought = self.stack.edu("list-purchases", user=user)["purchases"][0]["purchaseId"]
        self.refused("NOT_FOUND", "PURCHASE_NOT_FOUND", self.wire.call, "purchase", "GetPurchase",
                     self.tokens["learner"], purchase_id=bought)

    def test_an_empty_wallet(self):
        self.stack.register("poor")
        error = self.refused("FAILED_PRECONDITION", "INSUFFICIENT_FUNDS", self.purchase,
                             self.session("poor").access_token, self.world.course)
        self.assertEqual(error.metadata["missing_minor_units"], "1250")

    def test_a_draft_course(self):
        draft = self.world.new_course()
        self.refused("NOT_FOUND", "COURSE_NOT_FOUND", self.purchase, self.tokens["learner"], draft)
        self.refused("FAILED_PRECONDITION", "COURSE_NOT_PUBLISHED", self.purchase, self.tokens["teacher"], draft)

    def test_a_request_id_with_another_body(self):
        self.stack.register("repeater")
        self.world.top_up("repeater", "30 EUR")
        token, key = self.session("repeater").access_token, str(uuid.uuid4())
        other = self.world.publish(self.world.new_course())
        first = self.purchase(token, self.world.course, key)
        self.assertEqual(self.purchase(token, self.world.course, key), first)
        self.refused("INVALID_ARGUMENT", "REQUEST_ID_REUSED", self.purchase, token, other, key)

    def test_the_same_course_at_once_from_50_threads(self):
        self.stack.register("eager")
        self.world.top_up("eager", "500 EUR")
        token, outcomes = self.session("eager").access_token, []
        gate = threading.Barrier(50)

        def buy():
            gate.wait()
            try:
                outcomes.append(self.purchase(token, self.world.course).purchase_id)
            except Refused as error:
                self.assertEqual(error.reason, "ALREADY_PURCHASED", str(error))
                outcomes.append("refused " + error.metadata["purchase_id"])

        threads = [threading.Thread(target=buy) for _ in range(50)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        bought = [o for o in outcomes if not o.startswith("refused")]
        self.assertEqual(len(bought), 1)
        self.assertEqual(set(outcomes), {bought[0], "refused " + bought[0]})
        self.assertEqual(len(outcomes), 50)
        self.assertEqual(self.world.balance("eager")["EUR"], 50000 - 1250)

    def test_one_way_to_write_a_provider_and_a_key(self):
        def pay(provider, key, user="learner"):
            return self.wire.call("wallet", "TopUpWallet", self.tokens["treasurer"], provider=provider,
                                  provider_payment_id=key, user_id=self.stack.users[user],
                                  amount={"currency_code": "SEK", "minor_units": 1}, request_id=str(uuid.uuid4()))

        first = pay("stripe", "pi_1")
        self.assertEqual(pay("stripe", "pi_1").transaction_id, first.transaction_id)
        for provider in ("Stripe", "stripe ", " stripe", "STRIPE", "str\u200bipe", "stripe\n", "-stripe", "sträipe",
                         "s" * 33, " "):
            error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", pay, provider, "pi_1")
            self.assertEqual(error.fields, ["provider"])
        for key in ("pi_1 ", " pi_1", "pi_1\n", "pi\u200b_1", "рi_1", " ", "\u200b", "pi_1\x7f"):
            error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", pay, "stripe", key)
            self.assertEqual(error.fields, ["provider_payment_id"])
        self.assertEqual(self.world.balance("learner")["SEK"], 1)
        for key in ("erp ", "\u200b", "е", "a\tb"):
            for area, method, fields in (("course", "CreateCourse", {"title": "T"}),
                                         ("lesson", "CreateLesson", {"course_id": self.world.course, "title": "T",
                                                                     "kind": 2})):
                error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", self.wire.call, area, method,
                                     self.tokens["teacher"], external_id=key, **fields)
                self.assertEqual(error.fields, ["external_id"])
        self.refused("PERMISSION_DENIED", "SELF_CREDIT", pay, "stripe", "pi_2", "treasurer")

    def test_text_that_is_nothing_or_something_else(self):
        nothing = ("   ", "\u200b", "\u2800", "\u0301", "\n", " a", "a\u3000", "a\nb", "a\u202eb", "\u2066a\u2069",
                   "a\x1b[2J", "-rf", "a\u2028b")
        draft = self.world.new_course()

        def change(course, path, value):
            return self.wire.call("course", "UpdateCourse", self.tokens["teacher"], update_mask={"paths": [path]},
                                  course={"course_id": course, path: value})

        for text in nothing:
            lines = [("user", "RegisterUser", None, {"user_name": "somebody", "password": PASSWORD,
                                                     "display_name": text}, "display_name"),
                     ("user", "UpdateUser", "learner", {"user": {"display_name": text},
                                                        "update_mask": {"paths": ["display_name"]}},
                      "user.display_name"),
                     ("course", "CreateCourse", "teacher", {"title": text}, "title"),
                     ("course", "CreateCourse", "teacher", {"title": "T", "objectives": ["one", text]},
                      "objectives[1]"),
                     ("lesson", "CreateLesson", "teacher", {"course_id": draft, "title": text, "kind": 2}, "title")]
            for area, method, caller, fields, field in lines:
                error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", self.wire.call, area, method,
                                     caller and self.tokens[caller], **fields)
                self.assertEqual(error.fields, [field])
            error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", change, draft, "title", text)
            self.assertEqual(error.fields, ["course.title"])
        for text in ("  ", "\u200b", "\n\n", "a\u202eb", "a\x00b"[:1] + "\x07"):
            error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", change, draft, "summary", text)
            self.assertEqual(error.fields, ["course.summary"])
        for name in ("-rf", ".ada", "ada-", "_ada_"):
            error = self.refused("INVALID_ARGUMENT", "FIELD_INVALID", self.wire.call, "user", "RegisterUser",
                                 user_name=name, password=PASSWORD)
            self.assertEqual(error.fields, ["user_name"])

    def test_text_is_kept_in_one_form(self):
        course = self.wire.call("course", "CreateCourse", self.tokens["teacher"], title="Cafe\u0301",
                                audience="Fa\u0308rben", objectives=["re\u0301sume\u0301"],
                                description="line\nof e\u0301").course
        self.assertEqual((course.title, course.audience, list(course.objectives), course.description),
                         ("Caf\u00e9", "F\u00e4rben", ["r\u00e9sum\u00e9"], "line\nof \u00e9"))
        read = self.wire.call("course", "GetCourse", self.tokens["teacher"], course_id=course.course_id).course
        self.assertEqual(read.title, "Caf\u00e9")

    def test_a_published_course_keeps_its_texts(self):
        before = self.wire.call("course", "GetCourse", course_id=self.world.course).course
        for path, value in (("title", "Get rich now"), ("summary", ""), ("subject_id", ""), ("level", 4)):
            self.wire.call("course", "UpdateCourse", self.tokens["teacher"], update_mask={"paths": [path]},
                           course={"course_id": self.world.course, path: value})
        after = self.wire.call("course", "GetCourse", course_id=self.world.course).course
        self.assertEqual(after.version, before.version + 4)
        for part in ("version", "etag", "update_time"):
            after.ClearField(part)
            before.ClearField(part)
        self.assertEqual(after, before)

    def test_credit_right_after_a_purchase(self):
        user = self.world.enrolled_learner(self.world.course)
        token, now = self.session(user).access_token, datetime.datetime.now(datetime.timezone.utc)

        def report(start):
            return self.wire.call("progress", "RecordProgress", token, lesson_id=self.world.lessons[1]["lessonId"],
                                  session_id=str(uuid.uuid4()), client_time=timestamp(now), session_start_time=start,
                                  learning_seconds=2592000).progress

        self.refused("OUT_OF_RANGE", "SESSION_TOO_LONG", report, timestamp(now - datetime.timedelta(days=30)))
        self.refused("OUT_OF_RANGE", "SESSION_TOO_LONG", report, Timestamp(seconds=-62135596800))
        self.assertLess(report(timestamp(now - datetime.timedelta(hours=23))).learning_seconds, 60)

    def test_a_stale_epoch(self):
        user = self.world.enrolled_learner(self.world.course)
        lesson = self.world.lessons[1]["lessonId"]
        now = timestamp(datetime.datetime.now(datetime.timezone.utc))
        report = {"lesson_id": lesson, "session_id": str(uuid.uuid4()), "client_time": now, "session_start_time": now}
        numeric = self.stack.sql(f"SELECT e.user_id FROM enrollment e JOIN user u USING (user_id) "
                                 f"WHERE u.user_name = '{user}'")[0][0]
        self.stack.sql(f"UPDATE enrollment SET epoch = 3, epoch_time = start_time WHERE user_id = {numeric}")
        token = self.session(user).access_token
        error = self.refused("FAILED_PRECONDITION", "STALE_EPOCH", self.wire.call, "progress", "RecordProgress", token,
                             epoch=2, **report)
        self.assertEqual(error.metadata["epoch"], "3")
        self.refused("INVALID_ARGUMENT", "FIELD_INVALID", self.wire.call, "progress", "RecordProgress", token, epoch=4,
                     **report)

    def test_a_clock_ahead_and_a_report_too_old(self):
        user = self.world.enrolled_learner(self.world.course)
        token, now = self.session(user).access_token, datetime.datetime.now(datetime.timezone.utc)
        for delta, code, reason in ((datetime.timedelta(minutes=6), "FAILED_PRECONDITION", "CLOCK_SKEW"),
                                    (datetime.timedelta(days=-31), "OUT_OF_RANGE", "PROGRESS_TOO_OLD"),
                                    (datetime.timedelta(days=-1), "FAILED_PRECONDITION", "NOT_ENROLLED")):
            error = self.refused(code, reason, self.wire.call, "progress", "RecordProgress", token,
                         lesson_id=self.world.lessons[0]["lessonId"], session_id=str(uuid.uuid4()),
                         client_time=timestamp(now + delta), session_start_time=timestamp(now + delta))
        self.assertLessEqual(error.metadata["access_start_time"], error.metadata["server_time"])

    def test_a_passed_deadline(self):
        # By hand: a library would give the call up itself instead of sending it.
        request = messages("edu.v1.course").CreateCourseRequest(title="Too late").SerializeToString()
        before = self.stack.sql(FINGERPRINT)
        connection = Connection(self.stack.target)
        answer = connection.answer(connection.begin(
            SERVICE + "CreateCourse", message(request), ("grpc-timeout", "1n"),
            ("authorization", "Bearer " + self.tokens["teacher"])))
        connection.close()
        # DEADLINE_EXCEEDED; or UNAVAILABLE at once, where what waits before it takes longer than what is left.
        self.assertRegex(answer, b"grpc-status(\x014|\x0214)")
        self.assertEqual(self.stack.sql(FINGERPRINT), before)

    def alive(self):
        self.assertTrue(self.get_self(self.tokens["learner"]).user.user_id)


if __name__ == "__main__":
    unittest.main()
