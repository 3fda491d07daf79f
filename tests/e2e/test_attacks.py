# SPDX-License-Identifier: Apache-2.0
"""Races and floods: whatever many callers do at once, money, roles and tokens stay right and others are served."""
import collections
import os
import re
import threading
import time
import unittest
import uuid

from frames import INITIAL_WINDOW_SIZE, RESET, Connection, frame, message
from stack import PASSWORD, Stack, free_port
from test_every_rpc import World
from wire import Refused, Wire, messages

SERVICE = "/edu.v1.EduService/"
MAX_CALLS, MEMORY_MIB, CALLER_SECONDS = 200, 64, 4

# Rows of what must never be: unbalanced transactions, wallets that differ from their entries, overdrawn ones.
BROKEN_BOOKS = """
SELECT transaction_id FROM ledger_entry GROUP BY transaction_id, currency_code HAVING SUM(amount) <> 0
UNION ALL
SELECT owner_id FROM wallet WHERE balance < 0
UNION ALL
SELECT owner_id FROM wallet w
  WHERE balance <> (SELECT COALESCE(SUM(amount), 0) FROM ledger_entry e WHERE e.account_kind = 1
                    AND e.owner_id = w.owner_id AND e.currency_code = w.currency_code)
"""


class Attacks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack("--max-calls", str(MAX_CALLS), "--memory-mib", str(MEMORY_MIB),
                          "--caller-seconds", str(CALLER_SECONDS)).__enter__()
        cls.stack.start()
        cls.world = World(cls.stack)
        cls.wires = [Wire(r.target) for r in cls.stack.replicas]
        cls.wire = cls.wires[0]
        cls.stack.users["root-admin"] = cls.stack.edu("get-user", user="root-admin")["user"]["userId"]

    @classmethod
    def tearDownClass(cls):
        for wire in cls.wires:
            wire.close()
        cls.stack.__exit__(None, None, None)

    def session(self, name):
        return self.wire.call("session", "Login", login=name, password=PASSWORD).session

    def token(self, name):
        return self.session(name).access_token

    def at_once(self, n, call):
        """call(i, wire) from n threads over both replicas; a Counter of outcomes, and what succeeded."""
        gate, reasons, answers = threading.Barrier(n), collections.Counter(), []

        def run(i):
            gate.wait()
            try:
                answers.append(call(i, self.wires[i % len(self.wires)]))
                reasons["OK"] += 1
            except Refused as error:
                reasons[error.reason or error.code] += 1

        threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return reasons, answers

    def reason(self, call, *arguments, **fields):
        try:
            call(*arguments, **fields)
            return "OK"
        except Refused as error:
            return error.reason

    # --- sessions and roles ---

    def test_a_refresh_token_shown_50_times_has_one_successor(self):
        old = self.session("learner")
        reasons, answers = self.at_once(50, lambda i, wire: wire.call(
            "session", "RefreshSession", refresh_token=old.refresh_token).session)
        self.assertEqual(reasons, {"OK": 50})
        self.assertEqual(len({a.refresh_token for a in answers}), 1)

    def test_an_old_refresh_token_shown_50_times_ends_its_session(self):
        old = self.session("learner")
        new = self.wire.call("session", "RefreshSession", refresh_token=old.refresh_token).session
        new = self.wire.call("session", "RefreshSession", refresh_token=new.refresh_token).session
        reasons, _ = self.at_once(50, lambda i, wire: wire.call(
            "session", "RefreshSession", refresh_token=old.refresh_token).session)
        self.assertEqual(reasons, {"REFRESH_TOKEN_REUSED": 50})
        self.assertEqual(self.reason(self.wire.call, "session", "RefreshSession", refresh_token=new.refresh_token),
                         "REFRESH_TOKEN_INVALID")
        deadline = time.monotonic() + 5
        for wire in self.wires:
            for token in (old.access_token, new.access_token):
                while self.reason(wire.call, "user", "GetUser", token) != "TOKEN_REVOKED":
                    self.assertLess(time.monotonic(), deadline, "a token outlives its session")
                    time.sleep(0.05)

    def test_two_administrators_cannot_take_each_others_role(self):
        self.stack.register("deputy", "ADMIN")
        names = ("root-admin", "deputy")
        for _ in range(3):
            tokens = [self.token(n) for n in names]
            reasons, _ = self.at_once(2, lambda i, wire: wire.call(
                "user", "SetUserRoles", tokens[i], user_id=self.stack.users[names[1 - i]], roles=[1], reason="test"))
            left = self.stack.sql("SELECT user_name FROM user WHERE administrator = 1")
            self.assertEqual(len(left), 1, reasons)
            self.assertEqual(reasons["OK"], 1, reasons)
            self.assertEqual(self.reason(self.wire.call, "user", "SetUserRoles", self.token(left[0][0]), roles=[1],
                                         user_id=self.stack.users[left[0][0]], reason="test"), "LAST_ADMINISTRATOR")
            for name in names:
                self.wire.call("user", "SetUserRoles", self.token(left[0][0]), user_id=self.stack.users[name],
                               roles=[5], reason="test")
        self.wire.call("user", "SetUserRoles", self.token("root-admin"), user_id=self.stack.users["deputy"], roles=[1],
                       reason="test")

    def test_a_name_belongs_to_one_and_an_address_tells_nothing(self):
        reasons, _ = self.at_once(20, lambda i, wire: wire.call(
            "user", "RegisterUser", user_name="Twin" if i % 2 else "tWIN", password=PASSWORD))
        self.assertEqual(reasons, {"OK": 1, "USER_NAME_IN_USE": 19})
        reasons, _ = self.at_once(20, lambda i, wire: wire.call(
            "user", "RegisterUser", user_name=f"twin-{i}", email=("Twin" if i % 2 else "tWIN") + "@Example.org",
            password=PASSWORD))
        self.assertEqual(reasons, {"OK": 20})

    def test_names_that_pass_for_others(self):
        for name in ("learner@example.org", "learner ", "l\u00e9arner", "learner\u200b", "\uff4cearner", "lear\tner"):
            self.assertEqual(self.reason(self.wire.call, "user", "RegisterUser", user_name=name, password=PASSWORD),
                             "FIELD_INVALID", name)
        for name in ("lear ner", "learner\u200b", "learner.", "lear_er", "learne%", "\u017fearner", "learner' -- "):
            self.assertEqual(self.reason(self.wire.call, "session", "Login", login=name, password=PASSWORD),
                             "CREDENTIALS_INVALID", name)

    def test_an_unknown_user_takes_as_long_as_a_wrong_password(self):
        """Counted in password hashes, which is what a login's time is: clocks tell of the machine."""
        port = free_port()
        wire = Wire(self.stack.start("--metrics-listen", f"127.0.0.1:{port}").target)
        wire.call("user", "RegisterUser", user_name="measured", email="measured@example.org", password=PASSWORD)
        self.stack.sql("UPDATE user SET verified_email = email WHERE user_name = 'measured'")

        def hashes():
            return int(re.search(r"^edu_password_hashes_total (\d+)$", self.stack.http(port, "/metrics"), re.MULTILINE)[1])

        for name in ("measured", "measured@example.org", "not-there", "not@there.org"):
            before = hashes()
            self.assertEqual(self.reason(wire.call, "session", "Login", login=name, password="not the password"),
                             "CREDENTIALS_INVALID")
            self.assertEqual(hashes(), before + 1, name)
        wire.close()

    def test_guessing_is_slowed_down(self):
        wire = Wire(self.stack.start("--rate-login", "20").target)
        reasons = collections.Counter(
            self.reason(wire.call, "session", "Login", login="LEARNER" if i % 2 else "learner",
                        password="guess no. %d" % i)
            for i in range(20))
        self.assertIn(reasons["CREDENTIALS_INVALID"], (10, 11), reasons)
        with self.assertRaises(Refused) as caught:
            wire.call("session", "Login", login="learner", password=PASSWORD)
        self.assertEqual((caught.exception.code, caught.exception.reason, caught.exception.retry),
                         ("RESOURCE_EXHAUSTED", "RATE_LIMITED", True))
        reasons = collections.Counter(self.reason(wire.call, "session", "Login", login=f"user-{i}", password="a guess")
                                      for i in range(100))
        self.assertGreater(reasons["RATE_LIMITED"], 20, reasons)
        wire.close()

    # --- changes at once ---

    def test_of_20_changes_with_one_etag_one_is_made(self):
        token = self.token("learner")
        etag = self.wire.call("user", "GetUser", token).user.etag
        reasons, _ = self.at_once(20, lambda i, wire: wire.call(
            "user", "UpdateUser", token, user={"bio": f"bio {i}", "etag": etag}, update_mask={"paths": ["bio"]}))
        self.assertEqual(reasons, {"OK": 1, "ETAG_MISMATCH": 19})
        token, course = self.token("teacher"), self.world.new_course()
        etag = self.wire.call("course", "GetCourse", token, course_id=course).course.etag
        reasons, _ = self.at_once(20, lambda i, wire: wire.call(
            "course", "UpdateCourse", token, course={"course_id": course, "license": f"l {i}", "etag": etag},
            update_mask={"paths": ["license"]}))
        self.assertEqual(reasons, {"OK": 1, "ETAG_MISMATCH": 19})

    def test_one_request_id_makes_one_course(self):
        token, key = self.token("teacher"), str(uuid.uuid4())
        reasons, answers = self.at_once(30, lambda i, wire: wire.call(
            "course", "CreateCourse", token, title="Once", request_id=key.upper() if i % 2 else key))
        self.assertEqual(reasons, {"OK": 30})
        self.assertEqual(len({a.course.course_id for a in answers}), 1)
        self.assertEqual(self.stack.sql("SELECT COUNT(*) FROM course WHERE title = 'Once'"), [["1"]])
        self.wire.call("course", "UpdateCourse", token, update_mask={"paths": ["title"]},
                       course={"course_id": answers[0].course.course_id, "title": "Changed since"})
        self.assertEqual(self.wire.call("course", "CreateCourse", token, title="Once", request_id=key), answers[0])
        self.assertEqual(self.reason(self.wire.call, "course", "CreateCourse", self.token("learner"), title="Twice",
                                     request_id=key), "ROLE_MISSING")
        self.assertEqual(self.reason(self.wire.call, "course", "CreateCourse", token, title="Twice", request_id=key),
                         "REQUEST_ID_REUSED")

    # --- money ---

    def pay(self, wire, payment, amount, request_id=None):
        return wire.call("wallet", "TopUpWallet", self.treasurer, user_id=self.stack.users["learner"],
                         amount={"currency_code": "CHF", "minor_units": amount}, provider="bank",
                         provider_payment_id=payment, request_id=request_id or str(uuid.uuid4())).transaction_id

    def test_a_payment_is_credited_once(self):
        self.treasurer = self.token("treasurer")
        reasons, answers = self.at_once(30, lambda i, wire: self.pay(wire, "same", 1000))
        self.assertEqual((reasons, len(set(answers))), ({"OK": 30}, 1))
        reasons, _ = self.at_once(30, lambda i, wire: self.pay(wire, "differs", 1 + i))
        self.assertEqual(reasons, {"OK": 1, "PAYMENT_ALREADY_RECORDED": 29})
        key = str(uuid.uuid4())
        reasons, _ = self.at_once(30, lambda i, wire: self.pay(wire, "one-key", 1 + i % 2, key))
        self.assertEqual(reasons, {"OK": 15, "REQUEST_ID_REUSED": 15})
        for amount in (0, -1, -2**63):
            self.assertEqual(self.reason(self.pay, self.wire, "bad", amount), "FIELD_INVALID")
        self.assertEqual(self.reason(self.pay, self.wire, "much", 2**63 - 1), "AMOUNT_OVERFLOW")
        self.assertEqual(self.stack.sql(BROKEN_BOOKS), [])

    def buy(self, wire, token, course, total=1250):
        return wire.call("purchase", "PurchaseCourse", token, course_id=course, currency_code="EUR", payment_source=1,
                         expected_total={"currency_code": "EUR", "minor_units": total},
                         request_id=str(uuid.uuid4())).purchase

    def test_a_wallet_is_not_overdrawn(self):
        courses = [self.world.publish(self.world.new_course()) for _ in range(5)]
        self.stack.register("spender")
        self.world.top_up("spender", "30 EUR")
        token = self.token("spender")
        reasons, _ = self.at_once(15, lambda i, wire: self.buy(wire, token, courses[i % 5]))
        self.assertEqual(reasons["OK"], 2, reasons)
        self.assertEqual(self.world.balance("spender"), {"EUR": 500})
        self.assertEqual(self.stack.sql(BROKEN_BOOKS), [])

    def test_a_price_that_changes_while_it_is_bought(self):
        course, teacher, buyers = self.world.publish(self.world.new_course()), self.token("teacher"), []
        for i in range(6):
            self.stack.register(f"buyer-{i}")
            self.world.top_up(f"buyer-{i}", "20 EUR")
            buyers.append(self.token(f"buyer-{i}"))

        def act(i, wire):
            if i < 6:
                return self.buy(wire, buyers[i], course).total.minor_units
            return wire.call("course", "UpdateCourse", teacher, update_mask={"paths": ["price_list"]}, course={
                "course_id": course,
                "price_list": {"prices": [{"currency_code": "EUR", "minor_units": (1300, 1100)[i % 2]}]}}) and 0

        reasons, paid = self.at_once(10, act)
        self.assertEqual(set(reasons) - {"OK", "PRICE_CHANGED"}, set(), reasons)
        self.assertEqual(set(paid) - {0, 1100, 1250}, set())
        self.assertEqual(self.stack.sql(BROKEN_BOOKS), [])

    # --- frames ---

    def hold(self, path, payload=None, **settings):
        """Half as many calls again as the server takes at once, on one connection, none of which gets on."""
        connection = Connection(self.stack.target, **settings)
        for _ in range(MAX_CALLS + MAX_CALLS // 2):
            connection.begin(path, payload)
        time.sleep(1.2)
        return connection

    def served_again(self):
        reasons, _ = self.at_once(20, lambda i, wire: self.patiently(
            lambda: wire.call("course", "GetCourse", course_id=self.world.course)))
        self.assertEqual(reasons, {"OK": 20})

    @staticmethod
    def patiently(call):
        """As a client does that repeats what is UNAVAILABLE."""
        for _ in range(4):
            try:
                return call()
            except Refused as error:
                if error.code != "UNAVAILABLE":
                    raise
                time.sleep(0.2)
        return call()

    def assert_served(self):
        reasons, _ = self.at_once(20, lambda i, wire: wire.call("course", "GetCourse", course_id=self.world.course))
        self.assertEqual(reasons, {"OK": 20})

    def test_calls_whose_message_never_comes(self):
        for method in ("ListCourses", "GetCourse", "RecordProgress"):
            connection = self.hold(SERVICE + method)
            self.assert_served()
            connection.close()

    def test_answers_that_are_never_read(self):
        request = messages("edu.v1.course").GetCourseRequest(course_id=self.world.course).SerializeToString()
        connection = self.hold(SERVICE + "GetCourse", message(request), **{f"_{INITIAL_WINDOW_SIZE}": 0})
        self.assert_served()
        connection.close()

    def test_streams_that_stand_open(self):
        for method in ("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "grpc.health.v1.Health/Watch"):
            connection = self.hold("/" + method, message(b"") if "Watch" in method else None)
            self.assert_served()
            connection.close()

    def test_one_source_leaves_a_place_for_the_balancers_watch(self):
        path = "/grpc.health.v1.Health/Watch"
        connection = Connection(self.stack.target, source="127.0.0.9")
        for _ in range(MAX_CALLS // 2):
            connection.begin(path, message(b""))
        time.sleep(1)
        watch = self.wire.channel.unary_stream(path)(b"", timeout=20)
        self.assertEqual(next(iter(watch)), b"\x08\x01")  # SERVING
        watch.cancel()
        connection.close()

    def resident(self, field="VmRSS"):
        """MiB of the first replica."""
        with open(f"/proc/{self.stack.replicas[0].process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) >> 10

    def flood(self, attack):
        """What the attack made resident at most, in MiB; then it is over, and its memory must come back."""
        before, peak, over = self.resident(), [0], threading.Event()

        def watch():
            while not over.wait(0.02):
                peak[0] = max(peak[0], self.resident())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            attack()
        finally:
            over.set()
            watcher.join()
        # Core, short of memory, may close an idle connection under the next call, which is then repeated.
        deadline = time.monotonic() + 30
        self.served_again()
        while self.resident() > before + 24:
            self.assertLess(time.monotonic(), deadline, f"{self.resident()} MiB stay resident of {before}")
            time.sleep(0.2)
        return peak[0] - before

    def test_messages_without_an_end(self):
        for method in ("Login", "GetCourse"):
            def announce():
                connection = Connection(self.stack.target)
                stream = connection.begin(SERVICE + method, b"\0\xff\xff\xff\xff", end=False)
                taken = connection.pump(stream, 1 << 30)
                self.assertLess(taken >> 20, 2 * MEMORY_MIB, "MiB taken of a call that announces 4 GiB")
                connection.close()

            self.assertLess(self.flood(announce), 2 * MEMORY_MIB, method)

    def test_many_messages_that_are_not_finished(self):
        def begin():
            connections = [Connection(self.stack.target) for _ in range(5)]
            for i in range(100):
                connection = connections[i % len(connections)]
                stream = connection.begin(SERVICE + ("Login", "GetCourse")[i % 2], b"\0\0\x40\0\0", end=False)
                connection.pump(stream, (4 << 20) - 1, 0.05)
            for connection in connections:
                connection.close()

        self.assertLess(self.flood(begin), 2 * MEMORY_MIB)

    def test_calls_that_are_reset_at_once(self):
        connection = Connection(self.stack.target)
        for _ in range(3000):
            connection.send(frame(RESET, 0, connection.begin(SERVICE + "ListCourses", message(b"")), b"\0\0\0\x08"))
        connection.close()
        deadline = time.monotonic() + 10
        while self.reason(self.wire.call, "catalogue", "ListCourses") != "OK":
            self.assertLess(time.monotonic(), deadline)

    def test_a_compressed_message_is_not_inflated(self):
        process = self.stack.replicas[0].process.pid
        connection = Connection(self.stack.target)
        bomb = message(b"\0" * (256 << 20), compressed=True)
        for method in ("GetCourse", "RecordProgress", "NoSuchMethod"):
            stream = connection.begin(SERVICE + method, bomb, ("grpc-encoding", "gzip"))
            self.assertIn(b"grpc-status\x0212", connection.answer(stream))
        with open(f"/proc/{process}/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        self.assertLess(peak, (256 << 10), "KiB resident at most")
        connection.close()

    def test_what_no_client_sends(self):
        request = message(messages("edu.v1.course").GetCourseRequest(course_id=self.world.course).SerializeToString())
        for path in ("", "/", "*", "/%zz/x", "/" + "a" * 8000, SERVICE + "GetCourse/", SERVICE + "getcourse"):
            connection = Connection(self.stack.target)
            self.assertIn(b"METHOD_UNKNOWN", self.spelled(connection.answer(connection.begin(path, request))), path)
            connection.close()
        for payload in (b"", request[:-3], b"\0\xff\xff\xff\xff" + request, b"\7" + request[1:]):
            connection = Connection(self.stack.target)
            self.assertIn(b"grpc-status", connection.answer(connection.begin(SERVICE + "GetCourse", payload)))
            connection.close()
        for timeout in ("0n", "99999999H", "-1S", "1", "abc", "", "99999999999999999999S"):
            connection = Connection(self.stack.target)
            stream = connection.begin(SERVICE + "GetCourse", request, ("grpc-timeout", timeout))
            self.assertIn(b"grpc-status", connection.answer(stream), timeout)
            connection.close()
        self.assert_served()

    def test_no_log_line_is_forged(self):
        """Core tells of a deadline it cannot read, in the caller's words, once a second."""
        deadline = time.monotonic() + 20
        while "forged" not in self.stack.server_log():
            self.assertLess(time.monotonic(), deadline)
            connection = Connection(self.stack.target)
            connection.answer(connection.begin(SERVICE + "GetCourse", message(b""), ("grpc-timeout", "1 level=error forged")))
            connection.close()
            time.sleep(0.3)
        self.assertNotIn("level=error", self.stack.server_log())

    def test_two_authorizations_are_none(self):
        token = self.token("learner")
        for first, second in ((token, token), ("x", token), (token, "x")):
            for method in ("GetUser", "GetCourse"):  # one of them is open to anybody
                with self.assertRaises(Refused) as caught:
                    self.wire.raw(SERVICE + method, b"", metadata=[("authorization", "Bearer " + first),
                                                                   ("authorization", "Bearer " + second)])
                self.assertEqual(caught.exception.reason, "TOKEN_INVALID")

    @staticmethod
    def spelled(trailers):
        """The answer's trailers, with METHOD_UNKNOWN made out of the status: binary trailers are packed on the wire."""
        return trailers + (b"METHOD_UNKNOWN" if b"grpc-status\x0212" in trailers else b"")

    # --- afterwards ---

    def test_zz_nothing_was_given_away(self):
        log = self.stack.server_log()
        self.assertEqual([line for line in log.splitlines() if "level=error" in line], [])
        for secret in (PASSWORD, self.token("learner"), self.session("learner").refresh_token, "eyJ"):
            self.assertNotIn(secret, log)
        for key in (self.stack.dir / "keys").iterdir():
            self.assertEqual(key.stat().st_mode & 0o077, 0, key)

    def test_zz_no_memory_is_lost(self):
        def resident():
            with open(f"/proc/{self.stack.replicas[0].process.pid}/statm", encoding="ascii") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

        def mix(n):
            for i in range(n):
                self.reason(self.wire.call, "course", "GetCourse", course_id=self.world.course)
                self.reason(self.wire.call, "user", "GetUser", f"a.b.{i}")
                self.reason(self.wire.raw, SERVICE + "CreateCourse", b"\xf8\x07\x01" * 1000, token)
                self.reason(self.wire.raw, SERVICE + "UpdateUser", os.urandom(100), token)
                self.reason(self.wire.call, "user", "UpdateUser", token, update_mask={"paths": ["bio"]},
                            user={"bio": str(i)})

        token = self.token("teacher")
        mix(200)
        before = resident()
        mix(1500)
        self.assertLess(resident() - before, 8, "MiB for 7,500 calls")


if __name__ == "__main__":
    unittest.main()
