# SPDX-License-Identifier: Apache-2.0
"""What one replica did, the other knows: the event table is read, not only written."""
import time
import unittest

from stack import PASSWORD, Stack
from wire import Refused, Wire


class Replicas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack().__enter__()
        cls.a = Wire(cls.stack.replicas[0].target)
        cls.b = Wire(cls.stack.start().target)
        cls.stack.register("learner")
        cls.stack.register("teacher", "INSTRUCTOR")
        cls.stack.register("author", "INSTRUCTOR")

    @classmethod
    def tearDownClass(cls):
        cls.a.close()
        cls.b.close()
        cls.stack.__exit__(None, None, None)

    def refused_within(self, seconds, reason, call):
        """Repeats the call until it is refused; it must be for this reason, and in time."""
        started = time.monotonic()
        while True:
            try:
                call()
            except Refused as error:
                self.assertEqual(error.reason, reason, str(error))
                took = time.monotonic() - started
                self.assertLess(took, seconds)
                return took
            self.assertLess(time.monotonic() - started, seconds, f"not {reason} in time")
            time.sleep(0.01)

    def test_a_reused_refresh_token_ends_the_session_everywhere(self):
        first = self.a.call("session", "Login", login="learner", password=PASSWORD).session
        self.assertTrue(self.b.call("user", "GetUser", first.access_token).user.user_id)
        second = self.a.call("session", "RefreshSession", refresh_token=first.refresh_token).session
        second = self.a.call("session", "RefreshSession", refresh_token=second.refresh_token).session
        with self.assertRaises(Refused) as caught:
            self.a.call("session", "RefreshSession", refresh_token=first.refresh_token)
        self.assertEqual(caught.exception.reason, "REFRESH_TOKEN_REUSED")
        # The newest refresh token of the session is dead at once; its access tokens within a second.
        with self.assertRaises(Refused) as caught:
            self.b.call("session", "RefreshSession", refresh_token=second.refresh_token)
        self.assertIn(caught.exception.reason, ("REFRESH_TOKEN_INVALID", "REFRESH_TOKEN_REUSED"))
        took = self.refused_within(1.0, "TOKEN_REVOKED", lambda: self.b.call("user", "GetUser", second.access_token))
        print(f"revoked at the other replica after {took * 1000:.0f} ms")

    def test_changed_roles_are_known_everywhere(self):
        token = self.b.call("session", "Login", login="teacher", password=PASSWORD).session.access_token
        self.b.call("course", "CreateCourse", token, title="Before")
        self.stack.edu("set-user-roles", "--user-id", self.stack.users["teacher"], "--roles", "learner", "--reason",
                       "test", user="root-admin")
        self.refused_within(1.0, "TOKEN_REVOKED", lambda: self.b.call("user", "GetUser", token))

    def test_a_changed_course_is_known_everywhere(self):
        author = self.a.call("session", "Login", login="author", password=PASSWORD).session.access_token
        course = self.a.call("course", "CreateCourse", author, title="One", free={}).course
        self.assertEqual(self.b.call("course", "GetCourse", author, course_id=course.course_id).course.title, "One")
        self.a.call("course", "UpdateCourse", author, course={"course_id": course.course_id, "title": "Two"},
                    update_mask={"paths": ["title"]})
        started = time.monotonic()
        while self.b.call("course", "GetCourse", author, course_id=course.course_id).course.title != "Two":
            self.assertLess(time.monotonic() - started, 1.0)
            time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
