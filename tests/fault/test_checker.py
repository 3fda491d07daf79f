# SPDX-License-Identifier: Apache-2.0
"""The checker itself: after a calm run it finds nothing; of each thing made wrong in the database or in what clients were
told, it says what."""
import pathlib
import tempfile
import time
import unittest
import zlib

from world import World  # first: it says where stack and wire are
from checker import Checker
from history import History, Operation


class OfTheChecker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="edu-fault-")
        cls.history = History(pathlib.Path(cls.directory.name) / "history.jsonl")
        cls.world = World("checker", cls.history).__enter__()
        for client in cls.world.clients:
            client.start()
        time.sleep(2)
        for client in cls.world.clients:
            client.stop()
        cls.sql = cls.world.stack.sql
        cls.checker = Checker(cls.history, cls.sql)
        cls.calm = cls.checker.violations()

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)
        cls.history.close()
        cls.directory.cleanup()

    def acknowledged(self, kind, which=-1):
        return [o for o in self.history.of(kind) if o.fate == "ok"][which]

    def found(self, *wanted):
        violations = self.checker.violations()
        self.assertEqual([w for w in wanted if not any(w in v for v in violations)], [], "not found")

    def found_of_each(self, cases):
        """Of cases that say what is to be found, what makes it wrong and what puts it right; and nothing is once it is."""
        for _, wrong, _ in cases:
            self.sql(wrong)
        self.found(*(wanted for wanted, _, _ in cases))
        for _, _, right in cases:
            self.sql(right)
        self.assertEqual(self.checker.violations(), [])

    def test_a_calm_run_is_sound(self):
        self.assertEqual(self.calm, [])
        self.assertEqual({o.kind for o in self.history.operations} - {"moderate"},  # perhaps nothing was there yet
                         {"progress", "top_up", "purchase", "enroll", "register", "login", "read", "wallet", "teach",
                          "review"})
        self.assertGreater(min(map(len, self.history.followed.values())), 0)
        self.assertGreater(int(self.sql("SELECT COUNT(*) FROM organization_member")[0][0]), 4)
        self.assertGreater(int(self.sql("SELECT COUNT(revoke_time) FROM access_grant WHERE source_kind = 4")[0][0]), 4)

    def test_rows_that_are_wrong(self):
        """(what it says, what makes it wrong, what puts it right)"""
        self.sql("CREATE TABLE kept AS SELECT * FROM payment LIMIT 1")
        self.sql("CREATE TABLE kept_mark AS SELECT m.* FROM progress_mark m JOIN user USING (user_id)"
                 " WHERE user_name = 'learner-1'")
        self.sql("CREATE TABLE kept_event AS SELECT * FROM event ORDER BY position LIMIT 5, 1")
        cases = (
            ("currencies that do not sum to zero", "UPDATE ledger_entry SET amount = amount + 1 LIMIT 1",
             "UPDATE ledger_entry SET amount = amount - 1 LIMIT 1"),
            ("wallets that are not the sum", "UPDATE wallet SET balance = balance + 1 LIMIT 1",
             "UPDATE wallet SET balance = balance - 1 LIMIT 1"),
            ("acknowledged and lost: top_up", "DELETE FROM payment LIMIT 1", "INSERT INTO payment SELECT * FROM kept"),
            ("transactions without their cause", "SELECT 1", "SELECT 1"),  # the same one
            ("transactions that no event tells of", "UPDATE ledger_transaction SET transaction_id = transaction_id + 1"
             " ORDER BY transaction_id DESC LIMIT 1", "UPDATE ledger_transaction SET transaction_id = transaction_id - 1"
             " ORDER BY transaction_id DESC LIMIT 1"),
            ("purchases that are not live", "UPDATE purchase SET live = NULL LIMIT 1",
             "UPDATE purchase SET live = 1 WHERE live IS NULL"),
            ("completed purchases without their charge", "UPDATE charge SET beneficiary_id = beneficiary_id + 1 LIMIT 1",
             "UPDATE charge SET beneficiary_id = beneficiary_id - 1 LIMIT 1"),
            ("a free course without a reply", "UPDATE idempotency SET method = method + 1 WHERE method ="
             f" {zlib.crc32(b'/edu.v1.EduService/EnrollInCourse')}", "UPDATE idempotency SET method = method - 1 WHERE method"
             f" = {zlib.crc32(b'/edu.v1.EduService/EnrollInCourse') + 1}"),
            ("acknowledged and lost: enroll", "SELECT 1", "SELECT 1"),  # the same one
            ("charges of nothing", "UPDATE charge SET charge_id = charge_id + 1 ORDER BY charge_id DESC LIMIT 1",
             "UPDATE charge SET charge_id = charge_id - 1 ORDER BY charge_id DESC LIMIT 1"),
            ("purchases without exactly one grant", "UPDATE access_grant SET user_id = user_id + 1 WHERE source_kind = 1"
             " LIMIT 1", "UPDATE access_grant SET user_id = user_id - 1 WHERE source_kind = 1 LIMIT 1"),
            ("grants that nothing gave", "SELECT 1", "SELECT 1"),  # the same one
            ("instructors without exactly one grant", "UPDATE course_instructor SET user_id = user_id + 1 LIMIT 1",
             "UPDATE course_instructor SET user_id = user_id - 1 LIMIT 1"),
            ("grants of instructors without exactly their events", "UPDATE event SET course_id = course_id + 1 WHERE"
             " kind = 'access.granted' LIMIT 1", "UPDATE event SET course_id = course_id - 1 WHERE"
             " kind = 'access.granted' LIMIT 1"),
            ("enrollments that no grant ever opened", "UPDATE enrollment SET course_id = course_id + 1 LIMIT 1",
             "UPDATE enrollment SET course_id = course_id - 1 LIMIT 1"),
            ("charges that did not take", "UPDATE charge SET total = total + 1, charged = charged + 1, list_price ="
             " list_price + 1 LIMIT 1", "UPDATE charge SET total = total - 1, charged = charged - 1, list_price ="
             " list_price - 1 LIMIT 1"),
            ("ratings that are not the sum of their reviews", "INSERT INTO course_rating (course_id, stars_1, stars_2, stars_3,"
             " stars_4, stars_5) VALUES (4711, 0, 0, 1, 0, 0)", "DELETE FROM course_rating WHERE course_id = 4711"),
            ("reviews of who was never enrolled", "INSERT INTO review VALUES (4711, 4712, 4713, 4, '', 1, '', 4, 1, 1, 1)",
             "DELETE FROM review WHERE review_id = 4711"),
            ("reviews without exactly their events", "SELECT 1", "SELECT 1"),  # the same one
            ("a review that nobody wrote", "SELECT 1", "SELECT 1"),  # the same one
            ("reviews that do not count, and should", "INSERT INTO review SELECT 4714, scope_id, user_id, 4, '', 1, '', 0, 1, 1, 1"
             " FROM access_grant WHERE source_kind = 1 LIMIT 1", "DELETE FROM review WHERE review_id = 4714"),
            ("lessons that are not the sum", "UPDATE progress_lesson SET interactions = interactions + 1 LIMIT 1",
             "UPDATE progress_lesson SET interactions = interactions - 1 LIMIT 1"),
            ("lessons and sections that do not lie", "UPDATE lesson_revision SET position = position + 100 ORDER BY position"
             " DESC LIMIT 1", "UPDATE lesson_revision SET position = position - 100 ORDER BY position DESC LIMIT 1"),
            ("courses that show another number", "UPDATE course SET lesson_count = lesson_count + 1 LIMIT 1",
             "UPDATE course SET lesson_count = lesson_count - 1 LIMIT 1"),
            ("days that are not the sum", "UPDATE progress_day SET credited_seconds = credited_seconds + 1 LIMIT 1",
             "UPDATE progress_day SET credited_seconds = credited_seconds - 1 LIMIT 1"),
            ("days that are not marked", "DELETE FROM progress_mark WHERE user_id IN (SELECT user_id FROM kept_mark)",
             "INSERT INTO progress_mark SELECT * FROM kept_mark"),
            ("days of members without a mark or an event", "UPDATE progress_day JOIN user USING (user_id) SET marked = 0 WHERE"
             " user_name = 'learner-0'", "UPDATE progress_day SET marked = 2 WHERE marked = 0"),
            ("days told of, of who was never a member", "UPDATE event SET kind = 'progress.recorded' WHERE kind ="
             " 'user.registered' AND user_id = (SELECT user_id FROM user WHERE user_name = 'learner-1')",
             "UPDATE event SET kind = 'user.registered' WHERE kind = 'progress.recorded'"),
            ("a session of learning as nobody reported it", "UPDATE progress_session SET interactions = 999999 + "
             "interactions LIMIT 1", "UPDATE progress_session SET interactions = interactions - 999999 LIMIT 1"),
            ("gaps in the feed", "DELETE FROM event WHERE event_id IN (SELECT event_id FROM kept_event)",
             "INSERT INTO event SELECT * FROM kept_event"))
        self.found_of_each(cases)

    def test_audiences_that_are_wrong(self):
        """(what it says, what makes it wrong, what puts it right)"""
        self.sql("CREATE TABLE kept_audience AS SELECT * FROM event_audience WHERE audience_id = 4242 ORDER BY position"
                 " DESC LIMIT 1")
        cases = (
            ("audience rows that are missing", "DELETE FROM event_audience WHERE (audience_id, position) IN (SELECT"
             " audience_id, position FROM kept_audience)", "INSERT INTO event_audience SELECT * FROM kept_audience"),
            ("audience rows that should not be", "INSERT INTO event_audience SELECT 4242, 0, event_id FROM kept_audience",
             "DELETE FROM event_audience WHERE position = 0"),
            ("a cursor of audience 4242 read", "SELECT 1", "SELECT 1"),  # not the last row
            ("memberships that did not begin", "UPDATE event SET kind = 'member.jumped' WHERE kind = 'member.joined' LIMIT 1",
             "UPDATE event SET kind = 'member.joined' WHERE kind = 'member.jumped'"),
            ("memberships that did not end", "UPDATE event SET kind = 'member.lost' WHERE kind = 'member.left' LIMIT 1",
             "UPDATE event SET kind = 'member.left' WHERE kind = 'member.lost'"))
        self.found_of_each(cases)

    def test_what_was_told_and_is_not_so(self):
        """The server said of each that it was not done."""
        told = [self.acknowledged(kind) for kind in ("top_up", "purchase", "enroll", "progress", "register")]
        attempts = [o.attempts for o in told]
        for o in told:
            o.attempts = [[0, 1, "UNAVAILABLE", "OVERLOADED"]]
        self.found(*(f"refused and done: {o.kind}" for o in told))
        for o, before in zip(told, attempts):
            o.attempts = before

    def test_what_nobody_knows_may_be_so_or_not(self):
        operation = self.acknowledged("top_up")
        attempts, operation.attempts = operation.attempts, [[0, None, "", ""]]
        self.assertEqual(self.checker.violations(), [])
        operation.attempts = attempts

    def test_what_nobody_asked_for(self):
        operations, self.history.operations = self.history.operations, []
        self.found("a payment that nobody asked for", "a purchase that nobody asked for",
                   "an enrollment that nobody asked for", "a user that nobody asked for",
                   "a session of learning that nobody had")
        self.history.operations = operations

    def test_acknowledged_progress_that_is_older_than_another(self):
        """The row stands where an earlier report left it."""
        last = self.acknowledged("progress")
        later = Operation(last.client, last.kind, "", {**last.intent, "interactions": last.intent["interactions"] + 1})
        later.attempts = last.attempts
        self.history.operations.append(later)
        self.addCleanup(self.history.operations.pop)
        self.found("acknowledged and lost: progress")

    def test_another_answer_than_was_kept(self):
        operation = self.acknowledged("purchase")
        operation.answer.purchase.charged.minor_units += 1
        self.found("the kept reply is not what was answered")
        operation.answer.purchase.charged.minor_units -= 1

    def test_a_lost_login(self):
        operation = self.acknowledged("login")
        kept, operation.answer.session.session_id = operation.answer.session.session_id, "ses_0000000000001"
        self.found("acknowledged and lost: login")
        operation.answer.session.session_id = kept


if __name__ == "__main__":
    unittest.main()
