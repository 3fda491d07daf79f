# SPDX-License-Identifier: Apache-2.0
"""Strangers are counted by where they are: nobody locks an account from outside, and nobody uses up the server for others.

Addresses are what an edge would say of its callers: the servers trust x-forwarded-for."""
import collections
import time
import unittest

from stack import PASSWORD, Stack
from wire import Refused, Wire, messages

HOME = "192.0.2.1"


class Caller(Wire):
    """Calls as from an address, and counts what comes of it."""

    def reason_from(self, address, area, method, token=None, **fields):
        request = getattr(messages("edu.v1." + area), method + "Request")(**fields)
        try:
            self.raw("/edu.v1.EduService/" + method, request.SerializeToString(), token,
                     metadata=[("x-forwarded-for", address)])
            return "OK"
        except Refused as error:
            return error.reason

    def login(self, address, name, password=PASSWORD):
        return self.reason_from(address, "session", "Login", login=name, password=password)


class Strangers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack("--trust-forwarded-for").__enter__()
        cls.users = iter(range(1000))

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def serve(self, *flags):
        """A replica with what ships for limits, but for the flags."""
        replica = self.stack.start("--rate-login", "20", "--rate-stranger", "100", "--rate-default", "2000", *flags)
        caller = Caller(replica.target)
        self.addCleanup(caller.close)
        return replica, caller

    def user(self):
        name = f"user-{next(self.users)}"
        self.stack.register(name)
        return name

    def test_one_guesser_keeps_nobody_out(self):
        """The finding: one wrong password a second, and the owner could not sign in."""
        name, (_, caller) = self.user(), self.serve()
        guesses = collections.Counter(caller.login("192.0.2.66", name, f"guess no. {i}") for i in range(100))
        print(f"100 guesses from one address: {dict(guesses)}")
        self.assertIn(guesses["CREDENTIALS_INVALID"], (10, 11, 12))
        self.assertEqual(guesses.total(), guesses["CREDENTIALS_INVALID"] + guesses["RATE_LIMITED"])
        self.assertEqual(caller.login(HOME, name), "OK")
        self.assertEqual(caller.login("192.0.2.66", name), "RATE_LIMITED")
        time.sleep(1)  # or the address has used up what it may call
        self.assertEqual(caller.login("192.0.2.66", self.user()), "OK")

    def test_many_guessers_keep_nobody_out_who_was_in(self):
        name, (_, caller) = self.user(), self.serve()
        self.assertEqual(caller.login(HOME, name), "OK")
        guesses = collections.Counter(caller.login(f"198.51.{i // 200}.{i % 200}", name, "a guess") for i in range(300))
        print(f"300 guesses from as many addresses: {dict(guesses)}")
        self.assertIn(guesses["CREDENTIALS_INVALID"], range(100, 110))
        self.assertEqual(caller.login(HOME, name), "OK")
        self.assertEqual(caller.login("192.0.2.2", name), "RATE_LIMITED")
        # Who does not exist is guessed at to the same effect.
        guesses = collections.Counter(caller.login(f"198.51.{i // 200}.{i % 200}", "nobody", "a guess")
                                      for i in range(300))
        self.assertIn(guesses["CREDENTIALS_INVALID"], range(100, 110))
        # Another replica, or the same after a restart, knows where the owner was, and has its own count.
        _, other = self.serve()
        for i in range(150):
            other.login(f"203.0.113.{i}", name, "a guess")
        self.assertEqual(other.login("192.0.2.2", name), "RATE_LIMITED")
        self.assertEqual(other.login(HOME, name), "OK")

    def test_a_name_and_its_verified_address_share_a_budget(self):
        name, (_, caller) = self.user(), self.serve()
        self.stack.sql(f"UPDATE user SET email = '{name}@example.org', verified_email = '{name}@example.org'"
                       f" WHERE user_name = '{name}'")
        self.assertEqual(caller.login(HOME, name + "@example.org"), "OK")
        guesses = collections.Counter(caller.login("192.0.2.66", name + ("@example.org" if i % 2 else ""), "a guess")
                                      for i in range(40))
        self.assertIn(guesses["CREDENTIALS_INVALID"], (10, 11))

    def test_an_ipv6_customer_is_one_caller(self):
        """The finding: 256 addresses of one /56 starved all logins."""
        name, (_, caller) = self.user(), self.serve("--rate-login", "5")
        guesses = collections.Counter(caller.login(f"2001:db8:0:{i % 256:x}::{i}", f"nobody-{i}", "a guess")
                                      for i in range(512))
        print(f"512 logins from the 256 networks of a /56: {dict(guesses)}")
        self.assertGreater(guesses["RATE_LIMITED"], 400)
        self.assertEqual(caller.login("2001:db8:1::1", name), "OK")
        self.assertEqual(caller.login(HOME, name), "OK")

    def test_strangers_have_a_budget_of_every_public_method(self):
        """The finding: 3,000 RefreshSession in 2 s, a transaction each."""
        _, caller = self.serve("--rate-stranger", "20")
        token = self.stack.edu("login", "--login", "root-admin", "--password", PASSWORD)["session"]["accessToken"]
        junk = "rt_" + "A" * 75
        outcomes = collections.Counter(caller.reason_from("192.0.2.66", "session", "RefreshSession", refresh_token=junk)
                                       for _ in range(1000))
        print(f"1,000 RefreshSession: {dict(outcomes)}")
        self.assertGreater(outcomes["RATE_LIMITED"], 700)
        self.assertEqual(outcomes.total(), outcomes["RATE_LIMITED"] + outcomes["REFRESH_TOKEN_INVALID"])
        for i in range(200):
            if caller.reason_from("192.0.2.66", "catalogue", "ListCourses") == "RATE_LIMITED":
                break
        else:
            self.fail("ListCourses is not counted")
        # Not so whoever is signed in, or comes from elsewhere; nor the question whether the server lives.
        self.assertEqual(caller.reason_from("192.0.2.66", "user", "GetUser", token), "OK")
        self.assertEqual(caller.reason_from("192.0.2.66", "catalogue", "ListCourses", token), "OK")
        self.assertEqual(caller.reason_from(HOME, "catalogue", "ListCourses"), "OK")
        for _ in range(100):
            caller.raw("/grpc.health.v1.Health/Check", b"", metadata=[("x-forwarded-for", "192.0.2.66")])

    def test_tokens_that_do_not_hold_have_a_budget(self):
        _, caller = self.serve("--rate-stranger", "20")
        token = self.stack.edu("login", "--login", "root-admin", "--password", PASSWORD)["session"]["accessToken"]
        forged = token[:-20] + token[-20:].swapcase()
        outcomes = collections.Counter(caller.reason_from("192.0.2.66", "user", "GetUser", forged) for _ in range(1000))
        print(f"1,000 forged tokens: {dict(outcomes)}")
        self.assertGreater(outcomes["RATE_LIMITED"], 700)
        self.assertEqual(outcomes.total(), outcomes["RATE_LIMITED"] + outcomes["TOKEN_INVALID"])
        self.assertEqual(caller.reason_from(HOME, "user", "GetUser", token), "OK")
        self.assertEqual(caller.reason_from("192.0.2.66", "user", "GetUser", token), "OK")


if __name__ == "__main__":
    unittest.main()
