# SPDX-License-Identifier: Apache-2.0
"""Access on two replicas: what comes and goes without a call, as a row and its event in one transaction, is known to both
within a second; what ends by itself ends to the moment, and nobody is told."""
import json
import time
import unittest
import uuid

from names import id_number
from stack import PASSWORD, Stack
from test_every_rpc import World
from wire import Refused, Wire

SECOND = 10**6
COURSE, CATALOGUE = 1, 2
INSTRUCTOR, SEAT, SUBSCRIPTION = 4, 5, 6
STATES = ("UNSPECIFIED", "ACTIVE", "ENDED", "SCHEDULED")


def now_us():
    return time.time_ns() // 1000


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack().__enter__()
        try:
            cls.world = World(cls.stack)
            cls.stack.start()
        except BaseException:
            cls.stack.__exit__(RuntimeError, None, None)
            raise
        cls.wires = [Wire(replica.target) for replica in cls.stack.replicas]

    @classmethod
    def tearDownClass(cls):
        for wire in cls.wires:
            wire.close()
        cls.stack.__exit__(None, None, None)

    def setUp(self):
        """A course that nobody bought, its lesson, a catalogue that holds nothing, and somebody enrolled in the course."""
        course = self.world.publish(self.world.new_course("--free"))
        self.enroll(course, self.world.edu("list-lessons", "--course-id", course)["lessons"][0]["lessonId"])
        self.catalogue = self.new_id()

    def enroll(self, course, lesson, *roles):
        """Somebody new, who has not bought it."""
        self.course, self.lesson, name = course, lesson, self.world.name("learner")
        self.stack.register(name, *roles)
        self.user, self.number = self.stack.users[name], id_number(self.stack.users[name])
        session = self.wires[0].call("session", "Login", login=name, password=PASSWORD)
        self.token = session.session.access_token
        self.sql(f"INSERT INTO enrollment (user_id, course_id, start_time) VALUES ({self.number}, {id_number(course)},"
                 f" {now_us() - 3600 * SECOND})")

    # --- what changes ---

    def new_id(self):
        return uuid.uuid4().int >> 66

    def sql(self, *statements):
        """In one transaction."""
        self.stack.sql(";".join(("START TRANSACTION", *statements, "COMMIT")))

    def event(self, kind, user=0, course=0):
        return ("INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time, payload)"
                f" VALUES ({self.new_id()}, '{kind}', 1, {user}, {course}, 0, {now_us()}, '')")

    def grant(self, scope, scope_id, source=SUBSCRIPTION, start=None, expire="NULL"):
        """An hour old, unless it says otherwise."""
        return ("INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind, source_id, start_time,"
                f" expire_time) VALUES ({self.number}, {scope}, {scope_id}, {self.new_id()}, {source}, 1,"
                f" {start or now_us() - 3600 * SECOND}, {expire})")

    def revoke(self):
        return f"UPDATE access_grant SET revoke_time = {now_us()} WHERE user_id = {self.number}"

    def hold(self, end="NULL"):
        return ("INSERT INTO catalogue_course (course_id, catalogue_id, start_time, end_time) VALUES"
                f" ({id_number(self.course)}, {self.catalogue}, {now_us() - 3600 * SECOND}, {end})")

    def release(self):
        return (f"UPDATE catalogue_course SET end_time = {now_us()} WHERE course_id = {id_number(self.course)}"
                f" AND catalogue_id = {self.catalogue}")

    # --- what is known ---

    def learns(self, wire, at_us=None):
        """Whether a report of this time is taken."""
        at_us = at_us or now_us()
        at = {"seconds": at_us // SECOND, "nanos": at_us % SECOND * 1000}
        try:
            wire.call("progress", "RecordProgress", self.token, lesson_id=self.lesson, session_id=str(uuid.uuid4()),
                      client_time=at, session_start_time=at)
        except Refused as error:
            self.assertEqual(error.reason, "NOT_ENROLLED", str(error))
            return False
        return True

    def enrollment(self, wire):
        return wire.call("access", "ListEnrollments", self.token).enrollments[0]

    def known_within_a_second(self, learns, what):
        """Both replicas come to say so, and stay with it."""
        started = time.monotonic()
        for number, wire in enumerate(self.wires):
            while self.learns(wire) != learns:
                self.assertLess(time.monotonic() - started, 1.0, f"{what}: replica {number} does not know")
                time.sleep(0.005)
            print(f"{what}: known to replica {number} after {(time.monotonic() - started) * 1000:.0f} ms")
        for wire in self.wires:
            self.assertEqual(self.learns(wire), learns)
            self.assertEqual(STATES[self.enrollment(wire).state], "ACTIVE" if learns else "ENDED")

    def test_a_grant_of_the_course_comes_and_goes(self):
        self.known_within_a_second(False, "nothing")
        course = id_number(self.course)
        self.sql(self.grant(COURSE, course, SEAT), self.event("access.granted", self.number, course))
        self.known_within_a_second(True, "a seat")
        self.sql(self.revoke(), self.event("access.revoked", self.number, course))
        self.known_within_a_second(False, "the seat taken away")

    def test_a_grant_of_a_catalogue_comes_and_goes(self):
        self.sql(self.hold(), self.event("catalogue.course_added", course=id_number(self.course)))
        self.known_within_a_second(False, "a catalogue that is not ours")
        self.sql(self.grant(CATALOGUE, self.catalogue), self.event("access.granted", self.number))
        self.known_within_a_second(True, "a subscription")
        self.sql(self.revoke(), self.event("access.revoked", self.number))
        self.known_within_a_second(False, "the subscription taken away")

    def test_a_catalogue_takes_a_course_and_gives_it_up(self):
        self.sql(self.grant(CATALOGUE, self.catalogue), self.event("access.granted", self.number))
        self.known_within_a_second(False, "an empty catalogue")
        self.sql(self.hold(), self.event("catalogue.course_added", course=id_number(self.course)))
        self.known_within_a_second(True, "a course added")
        self.sql(self.release(), self.event("catalogue.course_removed", course=id_number(self.course)))
        self.known_within_a_second(False, "the course removed")

    def test_who_teaches_a_course_learns_it_as_long(self):
        course = self.world.new_course("--free")
        self.enroll(course, self.world.add_lesson(course, "TEXT")["lessonId"], "INSTRUCTOR")
        self.known_within_a_second(False, "a colleague")
        for teachers, what in (([self.stack.users["teacher"], self.user], "put on the list"),
                               ([self.stack.users["teacher"]], "taken off the list"),
                               ([self.stack.users["teacher"], self.user], "put on it again")):
            self.stack.edu("update-course", "--course.course-id", course,
                           *(x for i in teachers for x in ("--course.instructors", json.dumps({"userId": i}))), user="teacher")
            self.known_within_a_second(self.user in teachers, what)
        self.assertEqual([a.source for a in self.enrollment(self.wires[1]).accesses], [INSTRUCTOR, INSTRUCTOR])

    def test_what_was_learnt_before_the_end_still_counts(self):
        self.sql(self.hold(), self.grant(CATALOGUE, self.catalogue), self.event("access.granted", self.number))
        self.known_within_a_second(True, "a subscription")
        before = now_us()
        self.sql(self.revoke(), self.event("access.revoked", self.number))
        self.known_within_a_second(False, "the subscription taken away")
        for wire in self.wires:
            self.assertTrue(self.learns(wire, before))
            self.assertFalse(self.learns(wire))

    def ends_at(self, end):
        """Each report is taken when its time lies before the end, and nobody is told of the end."""
        last, late = set(), 0
        while late < 20:
            for number, wire in enumerate(self.wires):
                at = now_us()
                taken = self.learns(wire, at)
                self.assertEqual(taken, at < end, f"replica {number}, {at - end} us after the end")
                if taken:
                    last.add(number)
                else:
                    late += 1
        self.assertEqual(len(last), len(self.wires), "each let in before")
        for wire in self.wires:
            self.assertTrue(self.learns(wire, end - 1))
            self.assertFalse(self.learns(wire, end))
            self.assertEqual(STATES[self.enrollment(wire).state], "ENDED")

    def test_a_grant_ends_to_the_moment(self):
        end = now_us() + 3 * SECOND
        self.sql(self.grant(COURSE, id_number(self.course), expire=end))
        self.ends_at(end)

    def test_a_grant_of_a_catalogue_ends_to_the_moment(self):
        end = now_us() + 3 * SECOND
        self.sql(self.hold(), self.grant(CATALOGUE, self.catalogue, expire=end))
        self.ends_at(end)

    def test_a_place_in_a_catalogue_ends_to_the_moment(self):
        end = now_us() + 3 * SECOND
        self.sql(self.hold(end), self.grant(CATALOGUE, self.catalogue))
        self.ends_at(end)

    def test_access_begins_to_the_moment(self):
        """A report's clock may be slow by five minutes, so it is the enrollment that says so."""
        start = now_us() + 2 * SECOND
        self.sql(self.hold(), self.grant(CATALOGUE, self.catalogue, start=start))
        states = set()
        while now_us() < start + SECOND // 2:
            for wire in self.wires:
                before, state, after = now_us(), STATES[self.enrollment(wire).state], now_us()
                if after < start or before >= start:
                    self.assertEqual(state, "SCHEDULED" if after < start else "ACTIVE")
                    states.add(state)
        self.assertEqual(states, {"SCHEDULED", "ACTIVE"})

    def test_an_enrollment_shows_what_opens_it(self):
        """A grant of a catalogue opens the course as long as the catalogue holds it, and shows those times."""
        hour, now = 3600 * SECOND, now_us()
        course = id_number(self.course)
        self.sql(f"INSERT INTO catalogue_course (course_id, catalogue_id, start_time, end_time) VALUES"
                 f" ({course}, {self.catalogue}, {now - 9 * hour}, {now - 7 * hour}),"
                 f" ({course}, {self.catalogue}, {now - 2 * hour}, {now + 5 * hour}),"
                 f" ({course}, {self.new_id()}, {now - 9 * hour}, NULL)",
                 self.grant(CATALOGUE, self.catalogue, start=now - 8 * hour, expire=now + 9 * hour),
                 self.grant(CATALOGUE, self.catalogue, start=now - 6 * hour, expire=now - 3 * hour),
                 self.grant(COURSE, course, SEAT, start=now - 5 * hour))
        for wire in self.wires:
            shown = [(a.source, a.scope, a.catalogue_id != "", a.start_time.ToMicroseconds() - now,
                      a.HasField("expire_time") and a.expire_time.ToMicroseconds() - now, a.purchase_id)
                     for a in self.enrollment(wire).accesses]
            self.assertEqual(shown, [(SUBSCRIPTION, CATALOGUE, True, -2 * hour, 5 * hour, ""),
                                     (SEAT, COURSE, False, -5 * hour, False, ""),
                                     (SUBSCRIPTION, CATALOGUE, True, -8 * hour, -7 * hour, "")])
        self.assertEqual(id_number(self.enrollment(self.wires[0]).accesses[0].catalogue_id), self.catalogue)


if __name__ == "__main__":
    unittest.main()
