# SPDX-License-Identifier: Apache-2.0
"""What the profiles of tests/load/ghz call with: users, tokens, courses and ids, made against a running server.

A profile names them as LEARNER_0, LEARNER_1, ...: ${LEARNER_0} is replaced before ghz sees it; {{env `LEARNER_0`}} ghz
finds in its environment, call by call, at the price of three calls in four: use it where callers must differ."""
import datetime
import json
import pathlib
import re
import secrets
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from wire import Refused, Wire, fill  # noqa: E402

PATIENCE = 60  # seconds
LEARNERS, COURSES, LESSONS, MEMBERS, SESSIONS = 64, 64, 20, 16, 128
PRICE = {"currency_code": "EUR", "minor_units": 1250}
MONEY = {"currency_code": "EUR", "minor_units": 10**9}  # in each learner's wallet
NAMED = re.compile(r"(?:env (?:\(printf )?`|\$\{)([A-Z]+)")


def progress(text=""):
    """What is under way, on one line of a terminal; nothing clears it."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


class World:
    # Used up by a run, so made anew for each.
    ONCE = {"RUN", "NOW", "REFRESH", "SUBMIT", "REVIEW", "SALE", "GRATIS", "JUDGED", "SHOWN", "HIDDEN", "COMPLAINT", "REMOVAL",
            "EMPTIED", "DELETED"}

    def __init__(self, target, admin, password):
        self.wire = Wire(target)
        self.tag = secrets.token_hex(4)
        self.env = {"PASSWORD": secrets.token_urlsafe(12)}
        self.made = set(self.env)
        self.pool = ThreadPoolExecutor(8)
        self.env["ADMIN"] = self.call("session", "Login", login=admin, password=password).session.access_token
        self.made.add("ADMIN")

    def close(self):
        self.pool.shutdown()
        self.wire.close()

    def prepare(self, profiles):
        """Makes what these profiles name; returns them with it."""
        text = json.dumps(profiles)
        for kind in sorted(set(NAMED.findall(text))):
            self.need(kind, anew=kind in self.ONCE)
        return json.loads(re.sub(r"\$\{(\w+)\}", lambda name: self.env[name[1]], text))

    def need(self, *kinds, anew=False):
        for kind in kinds:
            if anew or kind not in self.made:
                progress(f"  preparing: {kind.lower()}")
                getattr(self, "make_" + kind.lower())()
                self.made.add(kind)

    def call(self, area, method, who=None, **fields):
        """Patient with a server that has no room for it; what it refused then was not done."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.wire.call(area, method, self.env[who] if who else None, **fields)
            except Refused as refused:
                if refused.reason not in ("OVERLOADED", "RATE_LIMITED") or time.monotonic() > until:
                    raise
            time.sleep(0.2)

    def put(self, kind, n, make):
        """Names the n things of a kind that make(0), make(1), ... answer, several at a time."""
        for i, value in enumerate(self.pool.map(make, range(n))):
            self.env[f"{kind}_{i}"] = value

    # --- of each run ---

    def make_run(self):
        self.env["RUN"] = secrets.token_hex(4)

    def make_now(self):
        """Progress is reported from now on, when all are enrolled."""
        self.need("LEARNT")
        self.env["NOW"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")

    # --- people ---

    def name(self, name):
        """Of this world alone: others may have been made on the same server."""
        return f"load-{self.tag}-{name}"

    def register(self, name):
        return self.call("user", "RegisterUser", user_name=self.name(name), password=self.env["PASSWORD"]).user.user_id

    def login(self, name):
        return self.call("session", "Login", login=self.name(name), password=self.env["PASSWORD"]).session

    def officer(self, name, role):
        self.call("user", "SetUserRoles", "ADMIN", user_id=self.register(name), roles=[1, role], reason="load test")
        return self.login(name).access_token

    def make_teacher(self):
        self.env["TEACHER"] = self.officer("teacher", 2)

    def make_author(self):
        self.env["AUTHOR"] = self.register("author")
        self.call("user", "SetUserRoles", "ADMIN", user_id=self.env["AUTHOR"], roles=[1, 2], reason="load test")

    def make_treasurer(self):
        self.env["TREASURER"] = self.officer("treasurer", 4)

    def make_user(self):
        self.need("TREASURER")

        def user(i):
            user_id = self.register(i)
            self.call("wallet", "TopUpWallet", "TREASURER", user_id=user_id, provider="load", amount=MONEY,
                      provider_payment_id=str(uuid.uuid4()), request_id=str(uuid.uuid4()))
            return user_id

        self.put("USER", LEARNERS, user)

    def make_login(self):
        self.need("USER")
        self.put("LOGIN", LEARNERS, self.name)

    def make_learner(self):
        self.need("USER")
        self.put("LEARNER", LEARNERS, lambda i: self.login(i).access_token)

    def make_refresh(self):
        self.need("USER")
        self.put("REFRESH", SESSIONS, lambda i: self.login(i % LEARNERS).refresh_token)

    def make_member(self):
        self.put("MEMBER", MEMBERS, lambda i: self.register(f"member-{i}"))

    # --- courses ---

    def course(self, title, lessons=1, state="DRAFT", **price):
        course_id = self.call("course", "CreateCourse", "TEACHER", title=title, summary="Made for a load test",
                              subject_id=self.env["SUBJECT"], level=1, language="en",
                              **(price or {"price_list": {"prices": [PRICE]}})).course.course_id
        for n in range(lessons):
            fill(self.call, "TEACHER", self.call("lesson", "CreateLesson", "TEACHER", course_id=course_id,
                                                 title=f"Lesson {n}", kind=1, duration_seconds=600).lesson)
        if state != "DRAFT":
            self.call("course", "SubmitCourseForReview", "TEACHER", course_id=course_id)
        if state in ("PUBLISHED", "ARCHIVED"):
            self.call("course", "ApproveCourse", "ADMIN", course_id=course_id)
        if state == "ARCHIVED":
            self.call("course", "ArchiveCourse", "TEACHER", course_id=course_id)
        return course_id

    def make_subject(self):
        self.env["SUBJECT"] = self.call("catalogue", "CreateSubject", "ADMIN", name_en=f"Load {self.tag}",
                                        name_zh=f"负载 {self.tag}").subject.subject_id

    def courses(self, kind, state, **price):
        self.need("TEACHER", "SUBJECT")
        self.put(kind, COURSES, lambda i: self.course(f"{kind.title()} {i}", state=state, **price))

    def make_course(self):
        self.courses("COURSE", "PUBLISHED")

    def make_draft(self):
        self.courses("DRAFT", "DRAFT")

    def make_structure(self):
        self.courses("STRUCTURE", "DRAFT")

    def sections(self, kind):
        self.need("STRUCTURE")
        self.put(kind, COURSES, lambda i: self.call("lesson", "CreateSection", "TEACHER", title=kind.title(),
                                                    course_id=self.env[f"STRUCTURE_{i}"]).section.section_id)

    def make_section(self):
        self.sections("SECTION")

    def make_emptied(self):
        self.sections("EMPTIED")

    def lessons(self, kind, courses):
        self.put(kind, COURSES, lambda i: self.call("lesson", "ListLessons", "TEACHER",
                                                    course_id=self.env[f"{courses}_{i}"]).lessons[0].lesson_id)

    def make_edited(self):
        self.need("STRUCTURE")
        self.lessons("EDITED", "STRUCTURE")

    def make_deleted(self):
        self.courses("DELETING", "DRAFT")
        self.lessons("DELETED", "DELETING")

    def make_ordered(self):
        self.courses("ORDERED", "DRAFT")

    def make_place(self):
        self.need("ORDERED")
        self.lessons("PLACE", "ORDERED")

    def make_submit(self):
        self.courses("SUBMIT", "DRAFT")

    def make_review(self):
        self.courses("REVIEW", "IN_REVIEW")

    def make_reject(self):
        self.courses("REJECT", "IN_REVIEW")

    def make_withdraw(self):
        self.courses("WITHDRAW", "IN_REVIEW")

    def make_archive(self):
        self.courses("ARCHIVE", "PUBLISHED")

    def make_unarchive(self):
        self.courses("UNARCHIVE", "ARCHIVED")

    def make_sale(self):
        self.courses("SALE", "PUBLISHED")

    def make_gratis(self):
        self.courses("GRATIS", "PUBLISHED", free={})

    # --- content ---

    def upload(self, course_id, attached=False):
        """A lesson of a draft, and content for it."""
        lesson_id = self.call("lesson", "ListLessons", "TEACHER", course_id=course_id).lessons[0].lesson_id
        content_id = self.call("content", "CreateContentUpload", "TEACHER", lesson_id=lesson_id, role=1,
                               content_type="video/mp4", size_bytes=1, sha256=bytes(32)).content.content_id
        if attached:
            self.call("content", "AttachContent", "TEACHER", content_id=content_id)
        return lesson_id, content_id

    def make_content(self):
        self.need("DRAFT")
        made = list(self.pool.map(lambda i: self.upload(self.env[f"DRAFT_{i}"]), range(COURSES)))
        self.put("HOLDER", COURSES, lambda i: made[i][0])
        self.put("CONTENT", COURSES, lambda i: made[i][1])

    def make_holder(self):
        self.need("CONTENT")

    def make_removal(self):
        self.need("TEACHER", "SUBJECT")
        made = list(self.pool.map(lambda i: self.upload(self.course(f"Bearer {i}"), attached=True), range(COURSES)))
        self.put("BEARER", COURSES, lambda i: made[i][0])
        self.put("REMOVAL", COURSES, lambda i: made[i][1])

    def make_bearer(self):
        self.need("REMOVAL")

    # --- quizzes ---

    def quiz_lesson(self, course_id):
        return self.call("lesson", "CreateLesson", "TEACHER", course_id=course_id, title="Quiz", kind=3).lesson.lesson_id

    def make_quizdraft(self):
        self.need("TEACHER", "SUBJECT")
        self.put("QUIZDRAFT", COURSES, lambda i: self.quiz_lesson(self.course(f"Quizzed {i}", lessons=0)))

    def make_quiz(self):
        """Of a course that the first learner has."""
        self.need("TEACHER", "SUBJECT", "LEARNER")
        course_id = self.course("Quiz", lessons=0, free={})
        self.env["QUIZ_0"] = self.quiz_lesson(course_id)
        self.call("quiz", "SetQuiz", "TEACHER", lesson_id=self.env["QUIZ_0"], quiz={
            "scoring": 1, "pass_basis_points": 5000, "questions": [
                {"key": f"q{n}", "prompt": "Which?", "points": 1, "single_choice": {
                    "options": [{"key": str(o), "text": f"Option {o}"} for o in range(4)],
                    "solution": {"option_key": "0"}}} for n in range(20)]})
        self.call("course", "SubmitCourseForReview", "TEACHER", course_id=course_id)
        self.call("course", "ApproveCourse", "ADMIN", course_id=course_id)
        self.call("access", "EnrollInCourse", "LEARNER_0", course_id=course_id, request_id=str(uuid.uuid4()))

    # --- learning ---

    def make_learnt(self):
        """A course that every learner has bought."""
        self.need("TEACHER", "LEARNER", "SUBJECT")
        self.env["LEARNT"] = self.course("Learnt", LESSONS, "PUBLISHED", free={})
        self.put("PURCHASE", LEARNERS, lambda i: self.call(
            "purchase", "PurchaseCourse", f"LEARNER_{i}", course_id=self.env["LEARNT"], currency_code="EUR",
            expected_total={"currency_code": "EUR"}, payment_source=1,
            request_id=str(uuid.uuid4())).purchase.purchase_id)

    def make_purchase(self):
        self.need("LEARNT")

    def make_lesson(self):
        self.need("LEARNT")
        lessons = self.call("lesson", "ListLessons", course_id=self.env["LEARNT"], page_size=LESSONS).lessons
        self.put("LESSON", LESSONS, lambda i: lessons[i].lesson_id)

    # --- what learners say ---

    def make_judged(self):
        """A course that every learner has learnt, and none has reviewed."""
        self.env["JUDGED"] = self.learnt("Judged")

    def learnt(self, title):
        self.need("TEACHER", "LEARNER", "SUBJECT")
        course_id = self.course(title, 1, "PUBLISHED", free={})
        lesson = self.call("lesson", "ListLessons", course_id=course_id).lessons[0].lesson_id

        def learn(i):
            self.call("purchase", "PurchaseCourse", f"LEARNER_{i}", course_id=course_id, currency_code="EUR",
                      expected_total={"currency_code": "EUR"}, payment_source=1, request_id=str(uuid.uuid4()))
            now = {"seconds": int(time.time()) + 1}  # not before access began
            self.call("progress", "RecordProgress", f"LEARNER_{i}", lesson_id=lesson, session_id=str(uuid.uuid4()),
                      client_time=now, session_start_time=now, coverage=2**64 - 1)

        list(self.pool.map(learn, range(LEARNERS)))
        return course_id

    def reviews(self, kind, hidden=False):
        """One of each learner, of a course of its own, which it returns."""
        course_id = self.learnt(kind.title())

        def review(i):
            made = self.call("review", "CreateReview", f"LEARNER_{i}", course_id=course_id, stars=1 + i % 5, text="Load")
            if hidden:
                self.call("review", "HideReview", "ADMIN", review_id=made.review.review_id, reason="load test")
            return made.review.review_id

        self.put(kind, LEARNERS, review)
        return course_id

    def make_opinion(self):
        self.env["REVIEWED"] = self.reviews("OPINION")

    def make_reviewed(self):
        self.need("OPINION")

    def make_shown(self):
        self.reviews("SHOWN")

    def make_hidden(self):
        self.reviews("HIDDEN", hidden=True)

    def make_complaint(self):
        """One of each learner, of a new course."""
        self.need("TEACHER", "LEARNER")
        course_id = self.course("Complained of", state="PUBLISHED")
        self.put("COMPLAINT", LEARNERS, lambda i: self.call(
            "review", "ReportContent", f"LEARNER_{i}", course_id=course_id, kind=1 + i % 6).report.report_id)
