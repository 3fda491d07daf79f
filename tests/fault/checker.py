# SPDX-License-Identifier: Apache-2.0
"""Holds what clients were told against what the database has.

What was acknowledged is there, once; what was refused is not there; what nobody knows is there once or not at all; and
the books, the ids, the progress and the feed are sound whatever was asked. Each check yields what it finds wrong.
"""
import itertools
import time
import zlib

from names import PLATFORM

from history import OK, REFUSED
from wire import messages

SCHOOL = 4343  # an organization whose members belonged to it before they learned anything
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"

# Each names rows that must not be.
UNSOUND = {
    "currencies that do not sum to zero":
        "SELECT currency_code FROM ledger_entry GROUP BY currency_code HAVING SUM(amount) <> 0",
    "transactions that do not sum to zero":
        "SELECT transaction_id FROM ledger_entry GROUP BY transaction_id, currency_code"
        " HAVING SUM(amount) <> 0 OR COUNT(*) < 2",
    "wallets that are not the sum of their entries":
        "SELECT owner_id FROM wallet w WHERE balance < 0 OR balance <> (SELECT COALESCE(SUM(amount), 0) FROM"
        " ledger_entry e WHERE e.account_kind = 1 AND e.owner_id = w.owner_id AND e.currency_code = w.currency_code)",
    "causes that moved money twice":
        "SELECT cause_kind, cause_id, step FROM ledger_transaction GROUP BY cause_kind, cause_id, step"
        " HAVING COUNT(*) > 1",
    "transactions without their cause":
        "SELECT t.transaction_id FROM ledger_transaction t LEFT JOIN payment p ON t.cause_kind = 1 AND p.payment_id ="
        " t.cause_id LEFT JOIN charge c ON t.cause_kind = 2 AND c.charge_id = t.cause_id WHERE t.step <> 0 OR NOT"
        " t.transaction_id <=> COALESCE(p.transaction_id, c.transaction_id)",
    "transactions that no event tells of":
        "SELECT transaction_id FROM ledger_transaction t LEFT JOIN event e ON e.event_id = t.transaction_id WHERE NOT"
        " e.kind <=> IF(t.cause_kind = 1, 'wallet.topped_up', 'purchase.completed')",
    "accounts that are not their checkpoint and the rest":
        "SELECT account_kind, owner_id FROM (SELECT e.account_kind, e.owner_id, e.currency_code, SUM(e.amount) total,"
        " SUM(IF(v.position = 0 OR v.position > r.position, e.amount, 0)) rest FROM ledger_entry e LEFT JOIN event v ON"
        " v.event_id = e.transaction_id JOIN event_reader r ON r.name = 'ledger' WHERE e.account_kind <> 1 GROUP BY"
        " e.account_kind, e.owner_id, e.currency_code) a LEFT JOIN ledger_checkpoint c USING (account_kind, owner_id,"
        " currency_code) WHERE a.total - a.rest <> IFNULL(c.balance, 0)",
    "payments that are not what their transaction credits":
        "SELECT provider_payment_id FROM payment p WHERE NOT amount <=> (SELECT SUM(amount) FROM ledger_entry e"
        " JOIN ledger_transaction t USING (transaction_id) WHERE t.cause_kind = 1 AND t.cause_id = p.payment_id"
        " AND e.account_kind = 1 AND e.owner_id = p.owner_id AND e.currency_code = p.currency_code)",
    "users with two live purchases of a course":
        "SELECT user_id, course_id FROM purchase WHERE live = 1 GROUP BY user_id, course_id HAVING COUNT(*) > 1",
    "purchases that are not live while their grant is":
        "SELECT purchase_id FROM purchase WHERE NOT live <=> 1",
    "completed purchases without their charge":
        "SELECT purchase_id FROM purchase p LEFT JOIN charge c ON c.charge_id = p.purchase_id WHERE NOT (c.payer_id ="
        " p.user_id AND c.beneficiary_id = p.user_id AND c.charged = c.total) <=> 1",
    "charges that did not take what they say":
        "SELECT charge_id FROM charge c WHERE charged <> 0 AND NOT -charged <=> (SELECT SUM(amount) FROM ledger_entry e"
        " JOIN ledger_transaction t USING (transaction_id) WHERE t.cause_kind = 2 AND t.cause_id = c.charge_id"
        " AND e.account_kind = 1 AND e.owner_id = c.payer_id AND e.currency_code = c.currency_code)",
    "charges of nothing":
        "SELECT charge_id FROM charge LEFT JOIN purchase ON purchase_id = charge_id WHERE purchase_id IS NULL",
    "purchases without exactly one grant":
        "SELECT purchase_id FROM purchase p WHERE 1 <> (SELECT COUNT(*) FROM access_grant g WHERE"
        " g.user_id = p.user_id AND g.scope_kind = 1 AND g.scope_id = p.course_id AND g.source_kind = 1"
        " AND g.source_id = p.purchase_id)",
    "purchases without exactly one event":
        "SELECT purchase_id FROM purchase p WHERE 1 <> (SELECT COUNT(*) FROM event e WHERE e.subject_id = p.purchase_id"
        " AND e.kind = 'purchase.completed')",
    "purchases without an enrollment":
        "SELECT purchase_id FROM purchase p LEFT JOIN enrollment e USING (user_id, course_id) WHERE e.user_id IS NULL",
    "grants that nothing gave":
        "SELECT grant_id FROM access_grant g WHERE NOT CASE source_kind"
        " WHEN 1 THEN EXISTS (SELECT 1 FROM purchase p WHERE p.purchase_id = g.source_id AND p.user_id = g.user_id AND"
        " g.scope_kind = 1 AND p.course_id = g.scope_id)"
        " WHEN 4 THEN revoke_time IS NOT NULL OR EXISTS (SELECT 1 FROM course_instructor i WHERE i.course_id = g.scope_id"
        " AND i.user_id = g.user_id) ELSE FALSE END",
    "instructors without exactly one grant":
        "SELECT user_id, course_id FROM course_instructor i WHERE 1 <> (SELECT COUNT(*) FROM access_grant g WHERE"
        " g.user_id = i.user_id AND g.scope_kind = 1 AND g.scope_id = i.course_id AND g.source_kind = 4"
        " AND g.revoke_time IS NULL)",
    "grants of instructors without exactly their events":
        "SELECT grant_id FROM access_grant g WHERE source_kind = 4 AND (1, revoke_time IS NOT NULL) <> (SELECT"
        " COALESCE(SUM(kind = 'access.granted'), 0), COALESCE(SUM(kind = 'access.revoked'), 0) FROM event e WHERE"
        " e.subject_id = g.grant_id AND e.user_id = g.user_id AND e.course_id = g.scope_id)",
    "enrollments that no grant ever opened":
        "SELECT user_id, course_id FROM enrollment e WHERE NOT EXISTS (SELECT 1 FROM access_grant g LEFT JOIN"
        " catalogue_course h ON g.scope_kind = 2 AND h.catalogue_id = g.scope_id AND h.course_id = e.course_id WHERE"
        " g.user_id = e.user_id AND (h.course_id IS NOT NULL OR (g.scope_kind = 1 AND g.scope_id = e.course_id)))",
    "lessons that are not the sum of their sessions":
        "SELECT user_id, lesson_id FROM progress_lesson l LEFT JOIN (SELECT user_id, lesson_id, epoch, COUNT(*) n,"
        " SUM(interactions) i, SUM(questions) q, MAX(last_time) t,"
        " SUM(GREATEST(LEAST(learning_seconds, (last_time - start_time) DIV 1000000, 86400), 0)) s FROM progress_session"
        " GROUP BY user_id, lesson_id, epoch) x USING (user_id, lesson_id, epoch)"
        " WHERE NOT (l.sessions <=> n AND l.interactions <=> i AND l.questions <=> q AND l.learning_seconds <=> s"
        " AND l.last_time <=> t)",
    "sessions without their lesson":
        "SELECT s.user_id, s.lesson_id FROM progress_session s LEFT JOIN progress_lesson l"
        " USING (user_id, course_id, epoch, lesson_id) WHERE l.user_id IS NULL",
    "courses that are not the sum of their lessons":
        "SELECT user_id, course_id FROM progress_course c LEFT JOIN (SELECT user_id, course_id, epoch, SUM(completed) n,"
        " SUM(interactions) i, SUM(learning_seconds) s, MAX(last_time) t FROM progress_lesson"
        " GROUP BY user_id, course_id, epoch) x USING (user_id, course_id, epoch)"
        " WHERE NOT (c.lessons_completed <=> n AND c.interactions <=> i AND c.learning_seconds <=> s"
        " AND c.last_time <=> t)",
    "days that are not the sum of their sessions":
        "SELECT user_id, day, course_id FROM (SELECT user_id, day, course_id, credited_seconds s, interactions i,"
        " questions q FROM progress_day UNION ALL SELECT user_id, start_time DIV 86400000000, course_id,"
        " -GREATEST(LEAST(learning_seconds, (last_time - start_time) DIV 1000000, 86400), 0), -interactions, -questions"
        " FROM progress_session) x GROUP BY user_id, day, course_id HAVING SUM(s) <> 0 OR SUM(i) <> 0 OR SUM(q) <> 0",
    "days that are not marked as they say":
        "SELECT user_id, day, course_id FROM progress_day LEFT JOIN progress_mark m USING (user_id, day, course_id)"
        " GROUP BY user_id, day, course_id, marked HAVING COUNT(m.mark_time) <> (marked <> 0)"
        " UNION ALL SELECT user_id, day, course_id FROM progress_mark LEFT JOIN progress_day d USING"
        " (user_id, day, course_id) WHERE d.user_id IS NULL",
    "days of members without a mark or an event":
        "SELECT user_id, day, course_id FROM progress_day d JOIN organization_member o USING (user_id) WHERE o.live = 1"
        f" AND o.organization_id = {SCHOOL} AND marked = 0 AND NOT EXISTS (SELECT 1 FROM event e WHERE"
        " e.kind = 'progress.recorded' AND e.user_id = d.user_id AND e.course_id = d.course_id"
        " AND JSON_VALUE(e.payload, '$.day') = DATE_ADD('1970-01-01', INTERVAL d.day DAY))",
    "days told of, of who was never a member":
        "SELECT event_id FROM event e WHERE kind = 'progress.recorded' AND NOT EXISTS (SELECT 1 FROM organization_member o"
        " WHERE o.user_id = e.user_id)",
    "completed lessons without exactly one event":
        "SELECT user_id, lesson_id FROM progress_lesson l WHERE completed <> (SELECT COUNT(*) FROM event e WHERE"
        " e.subject_id = l.lesson_id AND e.user_id = l.user_id AND e.kind = 'progress.lesson_completed')",
    "lessons and sections that do not lie in order without gaps":
        "SELECT course_id, revision FROM (SELECT course_id, revision, position, ROW_NUMBER() OVER (PARTITION BY course_id,"
        " revision ORDER BY (SELECT position FROM section s WHERE (s.course_id, s.revision, s.section_id)"
        " = (l.course_id, l.revision, l.section_id)), position) n FROM lesson_revision l) x WHERE position <> n"
        " UNION SELECT course_id, revision FROM section GROUP BY course_id, revision HAVING MAX(position) <> COUNT(*)",
    "courses that show another number of lessons than they have":
        "SELECT course_id FROM course c WHERE lesson_count <> (SELECT COUNT(*) FROM lesson_revision l"
        " WHERE l.course_id = c.course_id AND l.revision = c.revision)",
    "ratings that are not the sum of their reviews":
        "SELECT course_id FROM (SELECT course_id, stars_1, stars_2, stars_3, stars_4, stars_5 FROM course_rating UNION ALL"
        " SELECT course_id, -(counted = 1), -(counted = 2), -(counted = 3), -(counted = 4), -(counted = 5) FROM review) x"
        " GROUP BY course_id HAVING SUM(stars_1) <> 0 OR SUM(stars_2) <> 0 OR SUM(stars_3) <> 0 OR SUM(stars_4) <> 0 OR"
        " SUM(stars_5) <> 0",
    "reviews that do not count, and should":
        "SELECT review_id FROM review r WHERE state = 1 AND counted = 0 AND EXISTS (SELECT 1 FROM access_grant g WHERE"
        " g.user_id = r.user_id AND g.scope_kind = 1 AND g.scope_id = r.course_id AND g.source_kind = 1 AND"
        " g.revoke_time IS NULL)",
    "reviews of who was never enrolled":
        "SELECT review_id FROM review LEFT JOIN enrollment e USING (user_id, course_id) WHERE e.user_id IS NULL",
    "reviews without exactly their events":
        "SELECT review_id FROM review r WHERE version <> (SELECT COUNT(*) FROM event e WHERE e.subject_id = r.review_id AND"
        " e.user_id = r.user_id AND e.course_id = r.course_id AND e.kind LIKE 'review.%')",
    "ids that were made twice":
        "SELECT id FROM (SELECT event_id id FROM event UNION ALL SELECT purchase_id FROM purchase UNION ALL"
        " SELECT payment_id FROM payment UNION ALL SELECT grant_id FROM access_grant UNION ALL"
        " SELECT session_id FROM session UNION ALL SELECT user_id FROM user UNION ALL SELECT audit_id FROM audit"
        " UNION ALL SELECT course_id FROM course UNION ALL SELECT lesson_id FROM lesson"
        " UNION ALL SELECT section_id FROM section WHERE revision = 0 UNION ALL SELECT review_id FROM review"
        " UNION ALL SELECT report_id FROM report) x"
        " GROUP BY id HAVING COUNT(*) > 1",
    "replies that were begun and not finished":
        "SELECT HEX(request_id) FROM idempotency WHERE reply IS NULL",
}


# What each audience should have, by what happened: the user, the organizations that he was a member of at that position
# (a leaving that was placed before its joining is all that is seen), and the platform's own.
AUDIENCES = (
    "SELECT user_id, position, event_id FROM event WHERE user_id <> 0 AND position > 0"
    f" UNION SELECT 1, position, event_id FROM event WHERE position > 0 AND kind IN ({', '.join(map(repr, sorted(PLATFORM)))})"
    " UNION SELECT j.organization_id, e.position, e.event_id FROM event j"
    " LEFT JOIN event l ON l.kind = 'member.left' AND l.subject_id = j.subject_id JOIN event e ON e.user_id = j.user_id"
    " AND e.position BETWEEN LEAST(j.position, IFNULL(l.position, j.position)) AND IFNULL(l.position, ~0 >> 1)"
    " WHERE j.kind = 'member.joined'")
WRITTEN = "SELECT audience_id, position, event_id FROM event_audience"
# Each names rows that must not be, once every event has its position.
UNPLACED = {
    "audience rows that should not be": f"({WRITTEN}) EXCEPT ({AUDIENCES})",
    "audience rows that are missing": f"({AUDIENCES}) EXCEPT ({WRITTEN})",
    "memberships that did not begin with one event":
        "SELECT member_id FROM organization_member m WHERE 1 <> (SELECT COUNT(*) FROM event e WHERE e.kind ="
        " 'member.joined' AND e.subject_id = m.member_id)",
    "memberships that did not end with one event":
        "SELECT member_id FROM organization_member m WHERE ISNULL(live) <> (SELECT COUNT(*) FROM event e WHERE e.kind ="
        " 'member.left' AND e.subject_id = m.member_id)",
    "users with two live memberships of an organization":
        "SELECT organization_id, user_id FROM organization_member WHERE end_time IS NULL GROUP BY organization_id, user_id"
        " HAVING COUNT(*) > 1",
}


def number(text):
    """The id that a typed one ("pur_...") writes."""
    value = 0
    for digit in text[4:]:
        value = value * 32 + DIGITS.index(digit)
    return value


class Checker:
    """`sql` runs a statement and returns its rows as lists of strings."""

    def __init__(self, history, sql):
        self.history, self.sql = history, sql

    def violations(self):
        return list(itertools.chain(self.unsound(), self.payments(), self.purchases(), self.users(), self.sessions(),
                                    self.lessons(), self.enrollments(), self.reviews(), self.feed(), self.followed()))

    def unsound(self, statements=None):
        statements = statements or UNSOUND
        found, names = {}, list(statements)
        for row in self.sql(";".join(f"SELECT 'next'; {statement}" for statement in statements.values())):
            if row == ["next"]:
                found[names.pop(0)] = rows = []
            else:
                rows.append(row)
        assert not names, "every statement was run"
        for what, rows in found.items():
            if rows:
                yield f"{len(rows)} {what}, such as {' '.join(rows[0])}"

    def against(self, operations, found, what):
        """Holds operations against how often the effect of each was found, by its key; takes the found ones out."""
        for operation, key in operations:
            times = found.pop(key, 0)
            if operation.fate == OK and times == 0:
                yield f"acknowledged and lost: {operation}"
            elif operation.fate == REFUSED and times:
                yield f"refused and done: {operation}"
            elif times > 1:
                yield f"done {times} times: {operation}"
        for key in found:
            yield f"{what} that nobody asked for: {key}"

    def payments(self):
        rows = self.sql("SELECT provider_payment_id, user_name, amount, transaction_id FROM payment JOIN user"
                        " ON user_id = owner_id WHERE provider = 'fault'")
        operations = self.history.of("top_up")
        entries = self.sql("SELECT provider_payment_id FROM payment p JOIN ledger_entry e USING (transaction_id)"
                           " WHERE provider = 'fault' AND account_kind = 1")
        found = {}
        for (payment,) in entries:
            found[payment] = found.get(payment, 0) + 1
        yield from self.against([(o, o.intent["payment"]) for o in operations], found, "a payment")
        made = {payment: (user, amount, transaction) for payment, user, amount, transaction in rows}
        for o in operations:
            if o.intent["payment"] in made and o.fate == OK:
                wanted = (o.intent["user"], str(o.intent["amount"]), str(number(o.answer.transaction_id)))
                if made[o.intent["payment"]] != wanted:
                    yield f"acknowledged as {wanted}, recorded as {made[o.intent['payment']]}: {o}"

    def replies(self, area, method):
        """What is kept of a method, by request_id."""
        kind = getattr(messages(f"edu.v1.{area}"), method + "Response")
        return {key: kind.FromString(bytes.fromhex(packed)) for key, packed in self.sql(
            "SELECT LOWER(HEX(request_id)), HEX(reply) FROM idempotency WHERE reply IS NOT NULL"
            f" AND method = {zlib.crc32(f'/edu.v1.EduService/{method}'.encode())}")}

    def purchases(self):
        """By the kept replies, which say what became of each request_id; and by what was answered. What is free is bought by
        EnrollInCourse, too, which has replies of its own."""
        bought = {row[0] for row in self.sql("SELECT purchase_id FROM purchase JOIN charge ON charge_id = purchase_id"
                                             " WHERE currency_code <> 'XXX'")}
        replies, made = {}, {}
        for key, reply in self.replies("purchase", "PurchaseCourse").items():
            replies[key] = reply.purchase
            made.setdefault(str(number(reply.purchase.purchase_id)), []).append(key)
        for purchase in set(made) - bought:
            yield f"a reply is kept of a purchase that is not there: {purchase}"
        for purchase in bought - set(made):
            yield f"a purchase without its reply: {purchase}"
        for purchase, keys in made.items():
            if len(keys) > 1:
                yield f"one purchase for {len(keys)} requests: {purchase}"
        operations = [(o, o.request_id.replace("-", "")) for o in self.history.of("purchase")]
        yield from self.against(operations, {key: 1 for key in replies}, "a purchase")
        for o, key in operations:
            if o.fate == OK and key in replies and o.answer.purchase != replies[key]:
                yield f"the kept reply is not what was answered: {o}"

    def enrollments(self):
        """Who was told that he is enrolled in what is free has one purchase of it, which all of his requests name."""
        replies = {key: reply.enrollment for key, reply in self.replies("access", "EnrollInCourse").items()}
        operations = [(o, o.request_id.replace("-", "")) for o in self.history.of("enroll")]
        yield from self.against(operations, dict.fromkeys(replies, 1), "an enrollment")
        bought = {(user, course): purchase for user, course, purchase in self.sql(
            "SELECT user_id, course_id, purchase_id FROM purchase JOIN charge ON charge_id = purchase_id WHERE"
            " currency_code = 'XXX'")}
        named = {}
        for key, e in replies.items():
            pair = (str(number(e.user_id)), str(number(e.course_id)))
            named[pair] = [str(number(a.purchase_id)) for a in e.accesses]
            if named[pair] != [bought.get(pair)]:
                yield f"enrolled by {named[pair]}, and bought is {bought.get(pair)}: {pair}"
        for pair in set(bought) - set(named):
            yield f"a free course without a reply: {pair}"
        for o, key in operations:
            if o.fate == OK and key in replies and o.answer.enrollment != replies[key]:
                yield f"the kept reply is not what was answered: {o}"

    def users(self):
        found = {name: int(n) for name, n in self.sql("SELECT user_name, COUNT(*) FROM user WHERE user_name LIKE 'new-%'"
                                                      " GROUP BY user_name")}
        yield from self.against([(o, o.intent["user"]) for o in self.history.of("register")], found, "a user")
        kept = {row[0] for row in self.sql("SELECT session_id FROM session WHERE revoke_time IS NULL")}
        for o in self.history.of("login"):
            if o.fate == OK and str(number(o.answer.session.session_id)) not in kept:
                yield f"acknowledged and lost: {o}"

    def sessions(self):
        """Each stands where one of the reports that may have been taken left it, and not before an acknowledged one."""
        rows = {row[0].lower(): [int(x) for x in row[1:]] for row in
                self.sql("SELECT HEX(session_id), start_time, last_time, learning_seconds, interactions"
                         " FROM progress_session")}
        by_session = {}
        for o in self.history.of("progress"):
            by_session.setdefault(o.intent["session"].replace("-", ""), []).append(o)
        for session, reports in by_session.items():
            row = rows.pop(session, None)
            told = [o for o in reports if o.fate == OK]
            if row is None:
                if told:
                    yield f"acknowledged and lost: {told[-1]}"
                continue
            yield from self.session(row, reports, told)
        for session in rows:
            yield f"a session of learning that nobody had: {session}"

    @staticmethod
    def session(row, reports, told):
        """The counters of a session only grow, so that the row is that of the last report taken."""
        def state(o):
            return [o.intent["start"], o.intent["last"], o.intent.get("learning_seconds", 0), o.intent["interactions"]]
        at = [o for o in reports if state(o) == row]
        if not at:
            yield f"a session of learning as nobody reported it, {row}: {reports[-1]}"
        elif at[0].fate == REFUSED:
            yield f"refused and done: {at[0]}"
        elif told and row[3] < told[-1].intent["interactions"]:
            yield f"acknowledged and lost: {told[-1]}"

    def lessons(self):
        """A lesson has every slice that was acknowledged and none that was not watched."""
        rows = {(row[0], row[1]): (int(row[2]), row[3] == "1") for row in
                self.sql("SELECT user_name, lesson_id, coverage, completed FROM progress_lesson JOIN user"
                         " USING (user_id)")}
        said = {}
        for o in self.history.of("progress"):
            key = (o.client, str(number(o.intent["lesson"])))
            entry = said.setdefault(key, [0, 0, False, False])
            coverage, done = o.intent.get("coverage", 0), o.intent.get("completed", False)
            if o.fate == OK:
                entry[0], entry[2] = entry[0] | coverage, entry[2] or done
            if o.fate != REFUSED:
                entry[1], entry[3] = entry[1] | coverage, entry[3] or done
        for key, (low, high, told, possible) in said.items():
            coverage, completed = rows.get(key, (0, False))
            if low & ~coverage or told and not completed:
                yield f"acknowledged and lost: slices or completion of {key}"
            if coverage & ~high or completed and not possible and bin(coverage).count("1") < 58:
                yield f"slices or completion that nobody reported: {key}"

    def reviews(self):
        """Each is as the last change that was acknowledged left it, or one that nobody knows of."""
        rows = dict(self.sql("SELECT user_id, stars FROM review"))
        by_user = {}
        for o in self.history.of("review"):
            by_user.setdefault(str(number(o.intent["user"])), []).append(o)
        for user, operations in by_user.items():
            told = [o for o in operations if o.fate == OK]
            unknown = [o for o in operations if o.fate not in (OK, REFUSED)]
            possible = {str(o.intent["stars"]) for o in (*told[-1:], *unknown)}
            stars = rows.pop(user, None)
            if stars is None and told:
                yield f"acknowledged and lost: {told[-1]}"
            elif stars is not None and stars not in possible:
                yield f"a review of {stars} stars, and not as it was left: {operations[-1]}"
        for user in rows:
            yield f"a review that nobody wrote: of {user}"

    def feed(self, patience=30):
        """Every event has its place in the end, without gaps."""
        until = time.monotonic() + patience
        while self.sql("SELECT 1 FROM event WHERE position = 0 LIMIT 1"):
            if time.monotonic() > until:
                yield "events without a position"
                return
            time.sleep(0.2)
        if self.sql("SELECT 1 FROM event WHERE position > 0 HAVING COUNT(*) <> MAX(position) OR COUNT(DISTINCT position) <>"
                    " COUNT(*) OR MAX(position) <> (SELECT position FROM event_sequence)"):
            yield "gaps in the feed"
        yield from self.unsound(UNPLACED)

    def followed(self):
        """Who read by cursor has read every row once, in order, up to where he came."""
        for audience, read in self.history.followed.items():
            there = [tuple(map(int, row)) for row in
                     self.sql(f"SELECT position, event_id FROM event_audience WHERE audience_id = {audience}"
                              f" AND position <= {read[-1][0] if read else 0} ORDER BY position")]
            wrong = next((pair for pair in itertools.zip_longest(read, there) if pair[0] != pair[1]), None)
            if wrong:
                yield f"a cursor of audience {audience} read {wrong[0]}, and there is {wrong[1]}"
