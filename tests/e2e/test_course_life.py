# SPDX-License-Identifier: Apache-2.0
"""The life of a course: every step from every stage, and what learners see while its draft is edited, reviewed and
published."""
import collections
import json
import random
import threading
import time
import unittest
import uuid

from names import id_number
from stack import PASSWORD, Stack
from test_every_rpc import QUIZ, World
from wire import Refused, Wire

DRAFT, IN_REVIEW, PUBLISHED, ARCHIVED = 1, 2, 3, 4
EDITED = 2  # CourseView

# What one can be brought to, as (state, draft_state), by which steps.
STAGES = {
    "DRAFT": ((DRAFT, 0), ()),
    "IN_REVIEW": ((IN_REVIEW, 0), ("submit",)),
    "PUBLISHED": ((PUBLISHED, 0), ("submit", "approve")),
    "REVISING": ((PUBLISHED, DRAFT), ("submit", "approve", "edit")),
    "REVISION_IN_REVIEW": ((PUBLISHED, IN_REVIEW), ("submit", "approve", "edit", "submit")),
    "ARCHIVED": ((ARCHIVED, 0), ("submit", "approve", "archive")),
    "SHELVED": ((ARCHIVED, DRAFT), ("submit", "approve", "edit", "archive")),
}
# Where each step leads from which stage; from others it is COURSE_STATE_INVALID.
STEPS = {
    "edit": {"DRAFT": "DRAFT", "PUBLISHED": "REVISING", "REVISING": "REVISING"},
    "price": {s: s for s in ("DRAFT", "PUBLISHED", "REVISING", "REVISION_IN_REVIEW")},
    "submit": {"DRAFT": "IN_REVIEW", "REVISING": "REVISION_IN_REVIEW"},
    "withdraw": {"IN_REVIEW": "DRAFT", "REVISION_IN_REVIEW": "REVISING"},
    "reject": {"IN_REVIEW": "DRAFT", "REVISION_IN_REVIEW": "REVISING"},
    "approve": {"IN_REVIEW": "PUBLISHED", "REVISION_IN_REVIEW": "PUBLISHED"},
    "archive": {"PUBLISHED": "ARCHIVED", "REVISING": "SHELVED", "REVISION_IN_REVIEW": "SHELVED"},
    "unarchive": {"ARCHIVED": "PUBLISHED", "SHELVED": "REVISING"},
}
METHODS = {
    "submit": ("SubmitCourseForReview", "teacher"), "withdraw": ("WithdrawCourse", "teacher"),
    "reject": ("RejectCourse", "root-admin"), "approve": ("ApproveCourse", "root-admin"),
    "archive": ("ArchiveCourse", "teacher"), "unarchive": ("UnarchiveCourse", "root-admin"),
}
CROWD, CROWD_STEPS = 24, 40
# What a crowd may be told; anything else is a fault.
CROWD_ANSWERS = {"COURSE_STATE_INVALID", "COURSE_INCOMPLETE", "LESSON_NOT_FOUND", "SECTION_NOT_FOUND", "SECTION_NOT_EMPTY",
                 "ORDER_INCOMPLETE", "LESSON_KIND_MISMATCH", "SELF_APPROVAL"}
# Beyond the texts, what differs between two answers about a course of which nothing else has changed.
COUNTED = ("version", "etag", "update_time")


class CourseLife(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack().__enter__()
        try:
            cls.world = World(cls.stack)
            cls.stack.register("colleague", "INSTRUCTOR")
            cls.stack.register("stranger")
        except BaseException:
            cls.stack.__exit__(RuntimeError, None, None)
            raise
        cls.wire = Wire(cls.stack.target)
        cls.tokens = {None: None}
        for name in ("teacher", "colleague", "learner", "stranger", "root-admin"):
            cls.tokens[name] = cls.wire.call("session", "Login", login=name, password=PASSWORD).session.access_token

    @classmethod
    def tearDownClass(cls):
        cls.wire.close()
        cls.stack.__exit__(None, None, None)

    # --- calls ---

    def call(self, method, caller, wire=None, **fields):
        return (wire or self.wire).call("course", method, self.tokens[caller], **fields)

    def new(self, free=True):
        course = self.world.new_course(*(["--free"] if free else []))
        self.world.add_lesson(course, "EXERCISE")
        return course

    def get(self, course, caller=None, view=0):
        return self.call("GetCourse", caller, course_id=course, view=view).course

    def update(self, course, caller="teacher", etag="", wire=None, **fields):
        return self.call("UpdateCourse", caller, wire, course={"course_id": course, "etag": etag, **fields},
                         update_mask={"paths": sorted(fields)}).course

    def step(self, name, course, caller=None, **fields):
        if name == "edit":
            return self.update(course, title=self.world.name("Edited"))
        if name == "price":
            return self.update(course, free={})
        method, usual = METHODS[name]
        if name == "reject":
            fields.setdefault("reasons", ["Too short."])
        return self.call(method, caller or usual, course_id=course, **fields).course

    def bring(self, stage, course=None):
        course = course or self.new()
        for name in STAGES[stage][1]:
            self.step(name, course)
        return course

    def refused(self, reason, function, *arguments, **fields):
        with self.assertRaises(Refused) as caught:
            function(*arguments, **fields)
        self.assertEqual(caught.exception.reason, reason)
        return caught.exception

    def same(self, a, b, *but):
        """They differ in nothing else."""
        for field in but:
            a.ClearField(field)
            b.ClearField(field)
        self.assertEqual(a, b)

    def enroll(self, course, name):
        self.wire.call("purchase", "PurchaseCourse", self.tokens[name], course_id=course, currency_code="EUR",
                       expected_total={"currency_code": "EUR"}, payment_source=1,
                       request_id=str(uuid.uuid4()))

    # --- every step from every stage ---

    def test_every_step_from_every_stage(self):
        for stage, (states, _) in STAGES.items():
            for step, leads in STEPS.items():
                with self.subTest(f"{step} from {stage}"):
                    course = self.bring(stage)
                    before = self.get(course, "teacher", EDITED)
                    self.assertEqual((before.state, before.draft_state), states)
                    if stage in leads:
                        after = self.step(step, course)
                        self.assertEqual((after.state, after.draft_state), STAGES[leads[stage]][0])
                        self.assertEqual(after.version, before.version + 1)
                        self.assertEqual(after.revision, before.revision + (step == "approve"))
                    else:
                        error = self.refused("COURSE_STATE_INVALID", self.step, step, course)
                        self.assertEqual(error.metadata["state"], ("DRAFT", "IN_REVIEW", "PUBLISHED", "ARCHIVED")[states[0] - 1])
                        after = before
                    self.assertEqual(self.get(course, "teacher", EDITED), after)
                    shown = self.stack.sql(f"SELECT state FROM course WHERE course_id = {id_number(course)}")
                    self.assertEqual(int(shown[0][0]), after.state)

    # --- what learners see ---

    def test_learners_see_what_was_reviewed(self):
        course = self.bring("PUBLISHED")
        first = self.get(course)
        self.update(course, title="Get rich now", summary="", objectives=["Be rich"], level=4)
        self.assertEqual(self.get(course, "teacher", EDITED).title, "Get rich now")
        self.same(self.get(course), self.get(course, "teacher"))
        self.same(self.get(course), self.get(course, "root-admin"))
        shown = self.get(course)
        self.assertEqual(shown.version, first.version + 1)
        self.same(shown, first, *COUNTED)
        # What review needs, the next publication needs too.
        self.refused("COURSE_INCOMPLETE", self.step, "submit", course)
        self.update(course, summary="How to be rich")
        submitted = self.step("submit", course)
        self.same(self.get(course), shown, *COUNTED)
        published = self.step("approve", course, etag=submitted.etag)
        second = self.get(course)
        self.assertEqual(second, published)
        self.assertEqual((second.title, second.summary, list(second.objectives), second.level, second.revision),
                         ("Get rich now", "How to be rich", ["Be rich"], 4, 2))
        self.assertGreater(second.publish_time.ToNanoseconds(), first.publish_time.ToNanoseconds())
        # And while the third is written.
        self.update(course, title="Get richer")
        self.same(self.get(course), second, *COUNTED)
        self.assertEqual(self.get(course, "teacher", EDITED).title, "Get richer")
        for caller in (None, "learner", "colleague"):
            self.refused("NOT_COURSE_INSTRUCTOR", self.get, course, caller, EDITED)

    def test_the_price_alone_changes_at_once(self):
        course = self.bring("REVISING")
        draft = self.get(course, "teacher", EDITED)
        price = {"prices": [{"currency_code": "EUR", "minor_units": 700}]}
        after = self.update(course, price_list=price)
        self.assertEqual((after.title, after.price_list.prices[0].minor_units), (draft.title, 700))
        self.assertEqual(self.get(course).price_list.prices[0].minor_units, 700)
        self.refused("FIELD_INVALID", self.call, "UpdateCourse", "teacher", course={"course_id": course},
                     update_mask={"paths": ["price_list"]})
        # With what is reviewed, each goes where it belongs.
        self.update(course, price_list={"prices": [{"currency_code": "EUR", "minor_units": 800}]}, audience="Everybody")
        shown = self.get(course)
        self.assertEqual((shown.price_list.prices[0].minor_units, shown.audience), (800, ""))
        draft = self.get(course, "teacher", EDITED)
        self.assertEqual((draft.price_list.prices[0].minor_units, draft.audience), (800, "Everybody"))
        self.step("submit", course)
        self.refused("COURSE_STATE_INVALID", self.update, course, free={}, audience="Nobody")
        self.assertEqual(self.get(course).price_list.prices[0].minor_units, 800)

    def test_instructors_come_and_go_with_the_revision(self):
        course = self.bring("PUBLISHED")
        teacher, colleague = self.stack.users["teacher"], self.stack.users["colleague"]
        self.update(course, "teacher", instructors=[{"user_id": teacher, "share_basis_points": 4000},
                                                    {"user_id": colleague, "share_basis_points": 6000}])
        self.assertEqual([i.user_id for i in self.get(course).instructors], [teacher])
        self.refused("NOT_COURSE_INSTRUCTOR", self.update, course, "colleague", title="Mine")
        self.refused("NOT_COURSE_INSTRUCTOR", self.get, course, "colleague", EDITED)
        self.step("submit", course)
        self.step("approve", course)
        self.assertEqual([(i.user_id, i.share_basis_points) for i in self.get(course).instructors],
                         [(teacher, 4000), (colleague, 6000)])
        self.assertEqual(self.grants(course), {id_number(teacher), id_number(colleague)})
        self.update(course, "colleague", instructors=[{"user_id": colleague, "share_basis_points": 10000}])
        self.assertEqual(self.grants(course), {id_number(teacher), id_number(colleague)})
        self.step("submit", course)
        self.step("approve", course)
        self.assertEqual(self.grants(course), {id_number(colleague)})
        self.refused("NOT_COURSE_INSTRUCTOR", self.update, course, "teacher", title="Mine")

    def grants(self, course):
        return {int(user) for user, in self.stack.sql(
            f"SELECT user_id FROM access_grant WHERE scope_id = {id_number(course)} AND source_kind = 4 AND revoke_time IS NULL")}

    def test_nobody_approves_what_he_is_to_teach(self):
        course = self.bring("PUBLISHED")
        self.stack.register("both", "INSTRUCTOR", "ADMIN")
        self.tokens["both"] = self.wire.call("session", "Login", login="both", password=PASSWORD).session.access_token
        self.update(course, instructors=[{"user_id": self.stack.users[n]} for n in ("teacher", "both")])
        self.step("submit", course)
        for step in ("approve", "reject"):
            self.refused("SELF_APPROVAL", self.step, step, course, "both")
        self.step("approve", course)

    def test_lessons_of_the_draft_are_published_with_it(self):
        course = self.bring("PUBLISHED")
        shown = self.lessons(course)
        added = self.world.add_lesson(course, "EXERCISE")["lessonId"]
        draft = self.get(course, "teacher", EDITED)
        self.assertEqual((draft.draft_state, draft.lesson_count, self.get(course).lesson_count), (DRAFT, 2, 1))
        self.assertEqual(self.lessons(course), shown)
        self.step("submit", course)
        self.refused("COURSE_STATE_INVALID", self.wire.call, "lesson", "CreateLesson", self.tokens["teacher"],
                     course_id=course, title="Late", kind=2)
        self.step("approve", course)
        self.assertEqual(self.lessons(course), shown + [added])
        self.assertEqual(self.get(course).lesson_count, 2)

    def test_what_is_gone_is_kept_and_counts_no_more(self):
        course = self.new()
        lessons = [self.lesson(course, weight=weight) for weight in (2, 3, 4)]
        self.step("submit", course)
        self.step("approve", course)
        self.enroll(course, "learner")
        for lesson in lessons[:2]:
            self.complete(lesson)
        counted = self.progress(course)
        self.assertEqual(counted, (2, 4, 5000, lessons[:2]))
        # In the draft alone nobody has noticed, also when it is rejected, and it is learned on.
        self.wire.call("lesson", "DeleteLesson", self.tokens["teacher"], lesson_id=lessons[0])
        self.complete(lessons[0])
        self.step("submit", course)
        self.step("reject", course)
        self.assertEqual(self.progress(course), counted)
        self.step("submit", course)
        self.step("approve", course)
        self.assertEqual(self.progress(course), (1, 3, 3750, lessons[1:2]))
        self.refused("LESSON_NOT_FOUND", self.complete, lessons[0])
        self.complete(lessons[2])
        self.assertEqual(self.progress(course), (2, 3, 8750, lessons[1:]))
        kept = self.stack.sql(f"SELECT completed FROM progress_lesson WHERE lesson_id = {id_number(lessons[0])}")
        self.assertEqual(kept, [["1"]])

    def lesson(self, course, **fields):
        return self.wire.call("lesson", "CreateLesson", self.tokens["teacher"], course_id=course, title="Lesson", kind=4,
                              **fields).lesson.lesson_id

    def complete(self, lesson):
        now = {"seconds": int(time.time())}
        self.wire.call("progress", "RecordProgress", self.tokens["learner"], lesson_id=lesson, session_id=str(uuid.uuid4()),
                       client_time=now, session_start_time=now, completed=True)

    def progress(self, course):
        """The learner's: lessons completed, of how many, in basis points, and in which something was recorded. What an
        enrollment says of it is the same."""
        told = self.wire.call("progress", "GetCourseProgress", self.tokens["learner"], course_id=course).progress
        counts = told.lessons_completed, told.lessons_total
        enrollment, = (e for e in self.wire.call("access", "ListEnrollments", self.tokens["learner"], page_size=100).enrollments
                       if e.course_id == course)
        self.assertEqual((enrollment.lessons_completed, enrollment.lessons_total), counts)
        return (*counts, told.completed_basis_points, [x.lesson_id for x in told.lessons])

    def lessons(self, course):
        return [x.lesson_id for x in self.wire.call("lesson", "ListLessons", course_id=course).lessons]

    def test_two_thousand_lessons_are_published_within_a_second(self):
        course = self.bring("PUBLISHED")
        self.world.add_lesson(course, "EXERCISE")
        number = id_number(course)
        self.stack.sql(f"INSERT INTO lesson (lesson_id, course_id, kind, create_time) SELECT seq, {number}, 4, 1 FROM seq_1_to_1998;"
                       "INSERT INTO lesson_revision (course_id, revision, lesson_id, section_id, title, duration_seconds, weight,"
                       " position, free_preview, release_after_days, quiz_id, update_time)"
                       f" SELECT {number}, 0, seq, 0, 'Lesson', 0, 1, seq + 2, 0, 0, 0, 1 FROM seq_1_to_1998")
        for revision in (2, 3): # which has 2,000 to be compared with
            self.update(course, title=f"Revision {revision}")
            self.step("submit", course)
            started = time.monotonic()
            self.assertEqual(self.step("approve", course).lesson_count, 2000)
            took = time.monotonic() - started
            print(f"2,000 lessons: published as revision {revision} in {took * 1000:.0f} ms")
            self.assertLess(took, 1.0)

    # --- review ---

    def test_a_rejected_course_is_submitted_again(self):
        for stage in ("IN_REVIEW", "REVISION_IN_REVIEW"):
            with self.subTest(stage):
                course = self.bring(stage)
                reasons = ["The summary says too little.", "没有例子\n第二行"]
                self.assertEqual(list(self.step("reject", course, reasons=reasons).rejection_reasons), reasons)
                self.assertEqual(list(self.get(course, "teacher", EDITED).rejection_reasons), reasons)
                self.assertEqual(list(self.get(course, "teacher").rejection_reasons),
                                 reasons if stage == "IN_REVIEW" else [])
                self.assertEqual(list(self.update(course, summary="More").rejection_reasons), reasons)
                self.assertEqual(list(self.step("submit", course).rejection_reasons), [])
                self.assertEqual(self.step("approve", course).summary, "More")
        course = self.bring("IN_REVIEW")
        self.refused("FIELD_INVALID", self.step, "reject", course, reasons=[])
        self.refused("FIELD_INVALID", self.step, "reject", course, reasons=["Good", ""])
        self.refused("FIELD_INVALID", self.step, "reject", course, reasons=["x"] * 21)
        self.refused("FIELD_INVALID", self.step, "reject", course, reasons=["x" * 1001])

    def test_an_archived_course_is_kept_by_who_has_it(self):
        course = self.bring("PUBLISHED")
        self.enroll(course, "learner")
        for archive in ("archive", "archive with a draft"):
            with self.subTest(archive):
                shown = self.step("archive", course)
                self.assertEqual(shown.state, ARCHIVED)
                for caller in ("learner", "teacher", "root-admin"):
                    self.assertEqual(self.get(course, caller).state, ARCHIVED)
                    self.wire.call("lesson", "ListLessons", self.tokens[caller], course_id=course)
                for caller in (None, "stranger", "colleague"):
                    self.refused("COURSE_NOT_FOUND", self.get, course, caller)
                    self.refused("COURSE_NOT_FOUND", self.get, course, caller, EDITED)
                self.refused("NOT_COURSE_INSTRUCTOR", self.get, course, "learner", EDITED)
                self.refused("COURSE_NOT_FOUND", self.wire.call, "purchase", "PurchaseCourse", self.tokens["stranger"],
                             course_id=course, currency_code="EUR", expected_total={"currency_code": "EUR"},
                             payment_source=1, request_id=str(uuid.uuid4()))
                self.step("unarchive", course)
                self.assertEqual(self.get(course).state, PUBLISHED)
                self.step("edit", course)

    # --- races ---

    def race(self, *calls):
        """Calls at once, each on a channel of its own; their reasons, in order."""
        reasons, gate = [None] * len(calls), threading.Barrier(len(calls))

        def run(i):
            wire = Wire(self.stack.target)
            gate.wait()
            try:
                calls[i](wire)
                reasons[i] = "OK"
            except Refused as error:
                reasons[i] = error.reason
            finally:
                wire.close()
        threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return reasons

    def test_of_two_editors_one_has_to_read_again(self):
        for stage in ("DRAFT", "PUBLISHED", "REVISING"):
            with self.subTest(stage):
                course = self.bring(stage)
                etag = self.get(course, "teacher", EDITED).etag
                reasons = self.race(*(lambda wire, caller=caller: self.update(course, caller, etag, wire, title=f"By {caller}")
                                      for caller in ("teacher", "root-admin")))
                self.assertEqual(sorted(reasons), ["ETAG_MISMATCH", "OK"])
                winner = ("teacher", "root-admin")[reasons.index("OK")]
                self.assertEqual(self.get(course, "teacher", EDITED).title, f"By {winner}")

    def test_approved_or_withdrawn(self):
        for _ in range(10):
            course = self.bring("REVISION_IN_REVIEW")
            draft = self.get(course, "teacher", EDITED)
            reasons = self.race(
                lambda wire: self.call("ApproveCourse", "root-admin", wire, course_id=course, etag=draft.etag),
                lambda wire: self.call("WithdrawCourse", "teacher", wire, course_id=course))
            self.assertEqual(reasons.count("OK"), 1, reasons)
            approved = reasons[0] == "OK"
            self.assertEqual(reasons[1 if approved else 0], "COURSE_STATE_INVALID" if approved else "ETAG_MISMATCH")
            after = self.get(course, "teacher", EDITED)
            self.assertEqual((after.draft_state, after.revision, after.title), (0, 2, draft.title) if approved
                             else (DRAFT, 1, draft.title))
            self.assertEqual(self.get(course).title == draft.title, approved)

    def test_approving_at_once_publishes_once(self):
        course = self.bring("REVISION_IN_REVIEW")
        reasons = self.race(*[lambda wire: self.call("ApproveCourse", "root-admin", wire, course_id=course)] * 6)
        self.assertEqual(sorted(reasons), ["COURSE_STATE_INVALID"] * 5 + ["OK"])
        self.assertEqual(self.get(course).revision, 2)
        kept = self.stack.sql("SELECT revision, title, changed_fields FROM course_revision"
                              f" WHERE course_id = {id_number(course)} ORDER BY revision")
        self.assertEqual([(int(r[0]), json.loads(r[2])) for r in kept], [(1, []), (2, ["title"])])

    # --- whatever, by many, at once ---

    def crowd_step(self, dice, wire, courses):
        """One call that authors make, on one of the courses; a refusal is an answer too."""
        token, admin = self.tokens["teacher"], self.tokens["root-admin"]
        course = dice.choice(courses)
        listed = wire.call("lesson", "ListLessons", token, course_id=course, view=EDITED, page_size=100)
        lessons, sections = [x.lesson_id for x in listed.lessons], [x.section_id for x in listed.sections]
        quizzes, texts = ([x.lesson_id for x in listed.lessons if x.kind == kind] or ["les_0000000000001"] for kind in (3, 2))
        kind = dice.choice((2, 3, 4))
        choice = dice.randrange(16)
        if choice < 3:
            wire.call("lesson", "CreateLesson", token, course_id=course, title="L", kind=kind,
                      section_id=dice.choice(sections + [""]))
        elif choice == 3:
            wire.call("lesson", "CreateSection", token, course_id=course, title="S")
        elif choice == 4 and sections:
            wire.call("lesson", "DeleteSection", token, section_id=dice.choice(sections))
        elif choice == 5 and lessons:
            wire.call("lesson", "DeleteLesson", token, lesson_id=dice.choice(lessons))
        elif choice == 6:
            dice.shuffle(lessons)
            orders = [{"section_id": x, "lesson_ids": lessons[i::len(sections)]} for i, x in enumerate(sections)]
            wire.call("lesson", "ReorderLessons", token, course_id=course, sections=orders,
                      lesson_ids=[] if sections else lessons)
        elif choice < 9:
            wire.call("quiz", "SetQuiz", token, lesson_id=dice.choice(quizzes), quiz=QUIZ)
        elif choice < 11:
            wire.call("content", "SetLessonText", token, lesson_id=dice.choice(texts), text=str(dice.random()), format=1)
        elif choice == 11 and len(courses) < 6:
            courses.append(wire.call("course", "CopyCourse", token, course_id=course).course.course_id)
        elif choice == 12:
            self.update(course, wire=wire, title=f"Title {dice.random()}")
        elif choice == 13:
            self.call("SubmitCourseForReview", "teacher", wire, course_id=course)
        elif choice == 14:
            self.call(dice.choice(("WithdrawCourse", "ArchiveCourse")), "teacher", wire, course_id=course)
        else:
            wire.call("course", dice.choice(("ApproveCourse", "UnarchiveCourse")), admin, course_id=course)

    # Each counts what must not be.
    NEVER = {
        "places with gaps": """SELECT COUNT(*) FROM (SELECT l.position, ROW_NUMBER() OVER (PARTITION BY l.course_id, l.revision
            ORDER BY IFNULL(s.position, 0), l.position) n FROM lesson_revision l LEFT JOIN section s
            USING (course_id, revision, section_id)) x WHERE position <> n""",
        "lessons in a section that is not there": """SELECT COUNT(*) FROM lesson_revision l LEFT JOIN section s
            USING (course_id, revision, section_id) WHERE l.section_id > 0 AND s.position IS NULL""",
        "counts of lessons that are wrong": """SELECT COUNT(*) FROM course c WHERE lesson_count <> (SELECT COUNT(*)
            FROM lesson_revision l WHERE l.course_id = c.course_id AND l.revision = c.revision)""",
        "drafts beside, where the stage says there is none, or none where it says so": """SELECT COUNT(*) FROM course c WHERE
            (stage IN (5, 6, 7)) <> EXISTS (SELECT 1 FROM course_revision r WHERE r.course_id = c.course_id AND revision = 0)""",
        "publications that were not kept": """SELECT COUNT(*) FROM course c WHERE revision <> (SELECT COUNT(*)
            FROM course_revision r WHERE r.course_id = c.course_id AND r.revision > 0)""",
        "quizzes that a lesson refers to and that are gone": """SELECT COUNT(*) FROM lesson_revision l LEFT JOIN quiz q
            USING (quiz_id) WHERE l.quiz_id > 0 AND q.quiz_id IS NULL""",
        "quizzes that nobody refers to": """SELECT COUNT(*) FROM quiz q WHERE NOT EXISTS (SELECT 1 FROM lesson_revision l
            WHERE l.quiz_id = q.quiz_id)""",
        "content that is held and gone": """SELECT COUNT(*) FROM lesson_content h LEFT JOIN content c USING (content_id)
            WHERE c.content_id IS NULL""",
        "content that is held and taken for unused, or the other way round": """SELECT COUNT(*) FROM content c WHERE
            (unused_time IS NULL) <> EXISTS (SELECT 1 FROM lesson_content h WHERE h.content_id = c.content_id)""",
        "content of lessons that are not there": """SELECT COUNT(*) FROM lesson_content h LEFT JOIN lesson_revision l
            USING (course_id, revision, lesson_id) WHERE h.lesson_id > 0 AND l.position IS NULL""",
        "texts and quizzes that what is published lacks": """SELECT COUNT(*) FROM lesson_revision r JOIN lesson l USING (lesson_id)
            WHERE r.revision > 0 AND (l.kind = 3 AND r.quiz_id = 0 OR l.kind = 2 AND NOT EXISTS (SELECT 1 FROM lesson_content h
            WHERE h.course_id = r.course_id AND h.revision = r.revision AND h.lesson_id = r.lesson_id AND h.role = 7))""",
        "versions without their one event": """SELECT COUNT(*) FROM course c WHERE version <> (SELECT COUNT(DISTINCT e.version)
            FROM event e WHERE e.course_id = c.course_id AND (e.kind LIKE 'course.%' OR e.kind LIKE 'lesson.%'
            OR e.kind LIKE 'section.%'))""",
        "lessons that are gone and shown, or in the draft; or deleted, and published without, and not gone": """SELECT COUNT(*)
            FROM lesson l JOIN course c USING (course_id) WHERE IF(gone, EXISTS (SELECT 1 FROM lesson_revision r
            WHERE r.lesson_id = l.lesson_id AND r.course_id = c.course_id AND r.revision IN (0, c.revision)),
            stage IN (1, 2, 3, 4) AND NOT EXISTS (SELECT 1 FROM lesson_revision r WHERE r.lesson_id = l.lesson_id
            AND r.course_id = c.course_id AND r.revision = 0))""",
    }

    def test_whatever_many_do_at_once_breaks_no_rule(self):
        courses, faults, served = [self.new(), self.new()], [], collections.Counter()

        def run(seed):
            dice, wire = random.Random(seed), Wire(self.stack.target)
            for _ in range(CROWD_STEPS):
                try:
                    self.crowd_step(dice, wire, courses)
                    served["OK"] += 1
                except Refused as error:
                    served[error.reason] += 1
                    if error.reason not in CROWD_ANSWERS:
                        faults.append(error)
            wire.close()
        threads = [threading.Thread(target=run, args=(seed,)) for seed in range(CROWD)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])
        self.assertGreater(served["OK"], CROWD * CROWD_STEPS / 4, served)
        for what, sql in self.NEVER.items():
            with self.subTest(what):
                self.assertEqual(int(self.stack.sql(sql)[0][0]), 0)


if __name__ == "__main__":
    unittest.main()
