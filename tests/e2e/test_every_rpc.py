# SPDX-License-Identifier: Apache-2.0
"""Every RPC through the edu command, each read back through another RPC. A method without a scenario fails the run, and
so does an event or a row of the audit that a call should have left and did not, or left and should not have."""
import base64
import datetime
import hashlib
import json
import re
import sys
import time
import unittest
import uuid

from names import AUDITS, EVENTS, PLATFORM, id_number, id_text
from stack import PASSWORD, ROOT, CommandFailed, Stack

SCENARIOS = {}


def scenario(method):
    def register(function):
        SCENARIOS[method] = function
        return function
    return register


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def rfc3339(t):
    return t.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def declared_methods():
    contract = (ROOT / "proto" / "edu" / "v1" / "edu_service.proto").read_text()
    return re.findall(r"^  rpc (\w+)\(", contract, re.MULTILINE)


def command_of(method):
    return re.sub(r"(?<!^)(?=[A-Z])", "-", method).lower()


COMMANDS = {command_of(method): method for method in declared_methods()}


def event(kind, subject, user, course=None):
    """An event as it is stored: what changed, and what the feed is filtered by."""
    return ("event", kind, subject, user, course)


def of_course(kind):
    return lambda c: [event(kind, c.reply["course"]["courseId"], c.caller, c.reply["course"]["courseId"])]


def of_review(kind):
    return lambda c: [event(kind, *(c.reply["review"][key] for key in ("reviewId", "userId", "courseId")))]


def of_report(kind):
    return lambda c: [event(kind, c.reply["report"]["reportId"], None, c.reply["report"]["ofCourseId"])]


def of_user(kind):
    return lambda c: [event(kind, c.reply["user"]["userId"], c.reply["user"]["userId"])]


# The courses of sections and lessons that were made.
COURSES_OF = {}


def made(kind, what):
    """A section or lesson that the reply shows."""
    def events(c):
        part = c.reply[what]
        COURSES_OF[part[what + "Id"]] = part["courseId"]
        return [event(kind, part[what + "Id"], c.caller, part["courseId"])]
    return events


def unmade(kind, flag):
    return lambda c: [event(kind, c.given[flag], c.caller, COURSES_OF[c.given[flag]])]


def enrolled_by(e):
    """The event of one who enrolled: a purchase, where that gave the access, or the enrollment's own."""
    bought = e["accesses"][0].get("purchaseId")
    return event("purchase.completed" if bought else "enrollment.started", bought or e["courseId"], e["userId"],
                 e["courseId"])


# What a call that succeeded appends to the feed; nothing, when it is not here.
APPENDS = {
    "RegisterUser": of_user("user.registered"),
    "Login": lambda c: [event("session.started", c.reply["session"]["sessionId"], c.reply["session"]["user"]["userId"])],
    "UpdateUser": of_user("user.updated"),
    "SetUserRoles": of_user("user.roles_set"),
    "CreateCourse": lambda c: of_course("course.created")(c) + [
        event("access.granted", "its grant", i["userId"], c.reply["course"]["courseId"])
        for i in c.reply["course"]["instructors"]],
    "CopyCourse": lambda c: of_course("course.created")(c) + [
        event("access.granted", "its grant", i["userId"], c.reply["course"]["courseId"])
        for i in c.reply["course"]["instructors"]],
    "UpdateCourse": of_course("course.updated"),
    "SubmitCourseForReview": of_course("course.submitted"),
    "RejectCourse": of_course("course.rejected"),
    "WithdrawCourse": of_course("course.withdrawn"),
    "ApproveCourse": of_course("course.published"),
    "ArchiveCourse": of_course("course.archived"),
    "UnarchiveCourse": of_course("course.unarchived"),
    **{method: lambda c: [event("course.updated", c.reply["content"]["courseId"], c.caller, c.reply["content"]["courseId"])]
       for method in ("AttachContent", "SetLessonText", "RemoveAttachment")},
    "SetQuiz": lambda c: [event("course.updated", c.reply["quiz"]["courseId"], c.caller, c.reply["quiz"]["courseId"])],
    "CreateSection": made("section.created", "section"),
    "UpdateSection": made("section.updated", "section"),
    "DeleteSection": unmade("section.deleted", "--section-id"),
    "CreateLesson": made("lesson.created", "lesson"),
    "UpdateLesson": made("lesson.updated", "lesson"),
    "DeleteLesson": unmade("lesson.deleted", "--lesson-id"),
    "ReorderLessons": lambda c: [event("course.reordered", c.given["--course-id"], c.caller, c.given["--course-id"])],
    "TopUpWallet": lambda c: [event("wallet.topped_up", c.reply["wallet"]["userId"], c.reply["wallet"]["userId"])],
    "PurchaseCourse": lambda c: [event("purchase.completed", c.reply["purchase"]["purchaseId"],
                                       c.reply["purchase"]["userId"], c.reply["purchase"]["courseId"])],
    "EnrollInCourse": lambda c: [enrolled_by(c.reply["enrollment"])],
    "CreateReview": of_review("review.created"),
    "UpdateReview": of_review("review.updated"),
    "HideReview": of_review("review.hidden"),
    "UnhideReview": of_review("review.unhidden"),
    "ReportContent": of_report("report.filed"),
    "ResolveReport": of_report("report.resolved"),
}
# What no call appends yet: who writes it does so in the database.
UNCALLED = {"member.joined", "member.left"}
# Whose row a call that succeeded writes into the audit; none, when it is not here.
AUDITED = {
    "UpdateUser": lambda c: c.reply["user"]["userId"] if c.reply["user"]["userId"] != c.caller else None,
    "SetUserRoles": lambda c: c.reply["user"]["userId"],
    "RejectCourse": lambda c: c.reply["course"]["courseId"],
    "ApproveCourse": lambda c: c.reply["course"]["courseId"],
    "CreateSubject": lambda c: c.reply["subject"]["subjectId"],
    "ArchiveCourse": lambda c: c.reply["course"]["courseId"],
    "UnarchiveCourse": lambda c: c.reply["course"]["courseId"],
    "TopUpWallet": lambda c: c.reply["wallet"]["userId"],
    "HideReview": lambda c: c.reply["review"]["reviewId"],
    "UnhideReview": lambda c: c.reply["review"]["reviewId"],
    "ResolveReport": lambda c: c.reply["report"]["reportId"],
}
# Whose data a call that succeeded has shown: recorded when that is not the caller's.
SHOWS = {
    "GetUser": lambda c: c.reply["user"]["userId"],
    "GetWallet": lambda c: c.reply["wallet"]["userId"],
    "GetReport": lambda c: c.reply["report"]["reporterId"],
    "GetPurchase": lambda c: c.reply["purchase"]["userId"],
    "ListPurchases": lambda c: c.given.get("--user-id"),
    "GetCourseProgress": lambda c: c.reply["progress"]["userId"],
    "ListEnrollments": lambda c: c.given.get("--user-id", c.given.get("--course-id")),
}


class Call:
    """A call of the edu command that succeeded."""

    def __init__(self, method, arguments, caller, reply):
        self.method, self.caller, self.reply = method, caller, reply
        self.given = dict(zip(arguments, arguments[1:]))

    def leaves(self):
        """The events, and the row of the audit, which has the reason given."""
        events = APPENDS.get(self.method, lambda c: [])(self)
        shown = SHOWS.get(self.method, lambda c: None)(self)
        if shown and self.caller and shown != self.caller:
            events.append(("audit", self.method, shown, self.caller, ""))
        audited = AUDITED.get(self.method, lambda c: None)(self)
        if not audited:
            return events
        reason = self.given.get("--reason", self.given.get("--comment", ""))
        return events + [("audit", self.method, audited, self.caller, reason)]


class WatchedStack(Stack):
    """Looks after each command at what it left in the feed and in the audit."""

    def __init__(self):
        super().__init__()
        self.known = set()  # ids of rows that were looked at
        self.seen = set()  # kinds and actions of them

    def __enter__(self):
        try:
            return super().__enter__()
        except BaseException:  # what was started is not left behind
            self.__exit__(*sys.exc_info())
            raise

    def start(self, *flags, **how):
        replica = super().start(*flags, **how)
        admin = id_text("usr", self.sql("SELECT user_id FROM user")[0][0])
        self.check("create-admin", [event("user.registered", admin, admin),
                                    ("audit", "create-admin", admin, None, "made on the command line of the server")])
        return replica

    def new_rows(self):
        rows = self.sql("SELECT 'event', event_id, kind, subject_id, user_id, course_id FROM event ORDER BY event_id;"
                        "SELECT 'audit', audit_id, action, subject_id, actor_id, reason FROM audit ORDER BY audit_id")
        for what, row, name, subject, user, rest in rows:
            if row in self.known:
                continue
            self.known.add(row)
            self.seen.add(name)
            kind = (EVENTS if what == "event" else AUDITS).get(name) or self.kind_of(subject)
            own = kind == "gra" and self.has_grant(name, subject, user, rest)
            yield (what, name, "its grant" if own else id_text(kind, subject), id_text("usr", user),
                   id_text("crs", rest) if what == "event" else rest)

    def has_grant(self, name, grant, user, course):
        """Whether the event's subject, which no reply shows, is the grant of this user and course that it says."""
        return self.sql(f"SELECT 1 FROM access_grant WHERE grant_id = {grant} AND user_id = {user} AND scope_id = {course}"
                        f" AND (revoke_time IS NOT NULL OR '{name}' = 'access.granted')")

    def kind_of(self, subject):
        """Of an id whose kind no list of names says: whose data was read."""
        return "usr" if self.sql(f"SELECT 1 FROM user WHERE user_id = {subject}") else "crs"

    def check(self, command, expected):
        left = list(self.new_rows())
        if left != expected:
            raise AssertionError(f"{command} left {left}, and not {expected}")

    def edu(self, *arguments, user=None, leaves=(), **how):
        """`leaves` says what the call leaves that APPENDS does not know of."""
        command = next(a for a in arguments if a in COMMANDS)
        expected = list(leaves)
        try:
            reply = super().edu(*arguments, user=user, **how)
            expected += Call(COMMANDS[command], arguments, self.id_of(user), reply).leaves()
            return reply
        finally:
            self.check(command, expected)

    def id_of(self, user):
        found = self.sql(f"SELECT user_id FROM user WHERE user_name = '{user}'")
        return id_text("usr", found[0][0]) if found else None


# A question of each form; what is right of it says so, where it is a text.
QUIZ = {"scoring": 1, "attempt_limit": 3, "pass_basis_points": 5000, "questions": [
    {"key": "q1", "prompt": "One?", "points": 1, "single_choice": {
        "options": [{"key": "a", "text": "A"}, {"key": "b", "text": "B"}], "solution": {"option_key": "b"}}},
    {"key": "q2", "prompt": "Some?", "points": 2, "multiple_choice": {
        "options": [{"key": "a", "text": "A"}, {"key": "b", "text": "B"}], "solution": {"option_keys": ["a"]}}},
    {"key": "q3", "prompt": "How much?", "points": 4, "numeric": {
        "unit": "kg", "solution": {"value": "-41.5", "tolerance": "0.25"}}},
    {"key": "q4", "prompt": "Who?", "points": 8, "text": {"solution": {"accepted": ["Ada Lovelace"]}}}]}
SOLVED = (b"-41.5", b"0.25", b"Ada Lovelace")


class World:
    """What the scenarios share: a stack, an instructor, a treasurer, a learner, and a published course."""

    def __init__(self, stack):
        self.stack = stack
        self.edu = stack.edu
        self.serial = 0
        stack.register("teacher", "INSTRUCTOR")
        stack.register("treasurer", "PAYMENTS")
        stack.register("learner")
        self.course = self.publish(self.new_course(), "VIDEO", "TEXT")
        self.lessons = self.edu("list-lessons", "--course-id", self.course)["lessons"]

    def name(self, prefix):
        self.serial += 1
        return f"{prefix}-{self.serial}"

    def new_course(self, *price):
        return self.edu("create-course", "--title", self.name("Course"), "--summary", "What it is about",
                        "--subject-id", self.stack.subject, "--level", "beginner", "--language", "en",
                        *(price or ("--prices", "12.50 EUR")), user="teacher")["course"]["courseId"]

    def add_section(self, course):
        return self.edu("create-section", "--course-id", course, "--title", self.name("Section"), user="teacher")["section"]

    def add_lesson(self, course, kind, *options):
        return self.edu("create-lesson", *options, "--course-id", course, "--title", self.name("Lesson"), "--kind", kind,
                        "--duration-seconds", 640 if kind == "VIDEO" else 0, user="teacher")["lesson"]

    def upload(self, lesson, body=b"bytes", role="attachment", content_type="text/plain", **fields):
        """What is said of a file; where its bytes go is not looked at."""
        said = {"file_name": "notes.txt", **fields} if role == "attachment" else fields
        return self.edu("create-content-upload", "--lesson-id", lesson, "--role", role, "--content-type", content_type,
                        "--size-bytes", len(body), "--sha256", base64.b64encode(hashlib.sha256(body).digest()).decode(),
                        *(x for k, v in said.items() for x in ("--" + k.replace("_", "-"), v)), user="teacher")

    def attach(self, lesson, **fields):
        content = self.upload(lesson, **fields)["content"]["contentId"]
        return self.edu("attach-content", "--content-id", content, user="teacher")["content"]

    def set_text(self, lesson, text="To be read."):
        return self.edu("set-lesson-text", "--lesson-id", lesson, "--text", text, "--format", "plain", user="teacher")["content"]

    def set_quiz(self, lesson):
        return self.edu("set-quiz", "--lesson-id", lesson, "--quiz", json.dumps(QUIZ), user="teacher")

    def fill(self, lesson):
        """What review wants of a lesson of its kind; returns it."""
        if lesson["kind"] == "LESSON_KIND_TEXT":
            self.set_text(lesson["lessonId"])
        if lesson["kind"] == "LESSON_KIND_VIDEO" and self.stack.store_flags:
            self.attach(lesson["lessonId"], role="media", content_type="video/mp4")
        if lesson["kind"] == "LESSON_KIND_QUIZ":
            self.set_quiz(lesson["lessonId"])
        return lesson

    def publish(self, course, *kinds):
        for kind in kinds or ("TEXT",):
            self.fill(self.add_lesson(course, kind))
        self.edu("submit-course-for-review", "--course-id", course, user="teacher")
        self.edu("approve-course", "--course-id", course, "--comment", "fit to be shown", user="root-admin")
        return course

    def top_up(self, user, amount):
        return self.edu("top-up-wallet", "--user-id", self.stack.users[user], "--amount", amount, "--provider", "bank",
                        "--provider-payment-id", self.name("payment"), user="treasurer")

    def balance(self, user):
        wallet = self.edu("get-wallet", user=user)["wallet"]
        return {b["currencyCode"]: int(b.get("minorUnits", 0)) for b in wallet.get("balances", [])}

    def buy(self, course, user, amount="12.50 EUR"):
        return self.edu("purchase-course", "--course-id", course, "--currency-code", amount.split()[1],
                        "--expected-total", amount, "--payment-source", "wallet", user=user)["purchase"]

    def enrolled_learner(self, course):
        user = self.name("learner")
        self.stack.register(user)
        self.top_up(user, "12.50 EUR")
        self.buy(course, user)
        return user

    def bought_an_hour_ago(self, user):
        """What was learnt before access began is not credited."""
        for table in ("enrollment", "access_grant"):
            self.stack.sql(f"UPDATE {table} SET start_time = start_time - 3600000000 WHERE user_id ="
                           f" (SELECT user_id FROM user WHERE user_name = '{user}')")


@scenario("RegisterUser")
def register_user(t, w):
    name = w.name("newcomer")
    made = w.edu("register-user", "--user-name", name.upper(), "--password", PASSWORD, "--display-name", "新用户",
                 "--email", f"{name}@Example.org", "--language", "zh-Hans")["user"]
    read = w.edu("get-user", "--user-id", made["userId"], user="root-admin")["user"]
    t.assertEqual(read["userName"], name)
    t.assertEqual(read["displayName"], "新用户")
    t.assertEqual(read["email"], f"{name}@example.org")
    t.assertEqual(read["roles"], ["ROLE_LEARNER"])


@scenario("Login")
def login(t, w):
    session = w.edu("login", "--login", "learner", "--password", PASSWORD)["session"]
    t.assertTrue(session["accessToken"])
    me = w.edu("--token", session["accessToken"], "get-user")["user"]
    t.assertEqual(me["userName"], "learner")


@scenario("RefreshSession")
def refresh_session(t, w):
    session = w.edu("login", "--login", "learner", "--password", PASSWORD)["session"]
    fresh = w.edu("refresh-session", "--refresh-token", session["refreshToken"])["session"]
    t.assertEqual(fresh["sessionId"], session["sessionId"])
    t.assertNotEqual(fresh["refreshToken"], session["refreshToken"])
    t.assertEqual(w.edu("--token", fresh["accessToken"], "get-user")["user"]["userName"], "learner")
    # A token that was exchanged twice over ends the session for whoever holds it.
    w.edu("refresh-session", "--refresh-token", fresh["refreshToken"])
    with t.assertRaisesRegex(CommandFailed, "REFRESH_TOKEN_REUSED"):
        w.edu("refresh-session", "--refresh-token", session["refreshToken"],
              leaves=[event("session.revoked", session["sessionId"], w.stack.users["learner"])])


@scenario("GetUser")
def get_user(t, w):
    t.assertEqual(w.edu("get-user", user="learner")["user"]["userId"], w.stack.users["learner"])
    by_name = w.edu("get-user", "--user-name", "LEARNER", user="root-admin")["user"]
    t.assertEqual(by_name["userId"], w.stack.users["learner"])


@scenario("UpdateUser")
def update_user(t, w):
    w.edu("update-user", "--display-name", "A. Learner", "--bio", "learns", user="learner")
    read = w.edu("get-user", user="learner")["user"]
    t.assertEqual((read["displayName"], read["bio"]), ("A. Learner", "learns"))
    w.edu("update-user", "--user-id", w.stack.users["learner"], "--bio", "learns again", user="root-admin")
    t.assertEqual(w.edu("get-user", user="learner")["user"]["bio"], "learns again")


@scenario("SetUserRoles")
def set_user_roles(t, w):
    name = w.name("promoted")
    w.stack.register(name)
    w.edu("set-user-roles", "--user-id", w.stack.users[name], "--roles", "learner", "--roles", "support",
          "--reason", "joins the desk", user="root-admin")
    read = w.edu("get-user", "--user-id", w.stack.users[name], user="root-admin")["user"]
    t.assertEqual(read["roles"], ["ROLE_LEARNER", "ROLE_SUPPORT"])
    # The access token from before is void; the command refreshes by itself and has the new role.
    t.assertTrue(w.edu("get-user", "--user-name", "learner", user=name)["user"]["userId"])


@scenario("CreateCourse")
def create_course(t, w):
    course = w.new_course()
    read = w.edu("get-course", "--course-id", course, user="teacher")["course"]
    t.assertEqual(read["state"], "COURSE_STATE_DRAFT")
    t.assertEqual(read["priceList"]["prices"], [{"currencyCode": "EUR", "minorUnits": "1250"}])
    t.assertEqual(read["instructors"], [{"userId": w.stack.users["teacher"], "shareBasisPoints": 10000}])


@scenario("UpdateCourse")
def update_course(t, w):
    course = w.new_course()
    before = w.edu("get-course", "--course-id", course, user="teacher")["course"]
    w.edu("update-course", "--course.course-id", course, "--course.title", "Renamed", "--course.etag", before["etag"],
          user="teacher")
    read = w.edu("get-course", "--course-id", course, user="teacher")["course"]
    t.assertEqual(read["title"], "Renamed")
    t.assertEqual(read["summary"], before["summary"])
    t.assertGreater(int(read["version"]), int(before["version"]))
    other = w.name("colleague")
    w.stack.register(other, "INSTRUCTOR")
    teacher, colleague = (w.edu("get-user", user=name)["user"]["userId"] for name in ("teacher", other))
    for teachers, became in (([teacher, colleague], "access.granted"), ([teacher], "access.revoked")):
        read = w.edu("update-course", "--course.course-id", course, *(x for i in teachers for x in
                     ("--course.instructors", json.dumps({"userId": i}))), user="teacher",
                     leaves=[event(became, "its grant", colleague, course)])["course"]
        t.assertEqual([i["userId"] for i in read["instructors"]], teachers)


@scenario("CopyCourse")
def copy_course(t, w):
    course = w.new_course()
    section = w.add_section(course)["sectionId"]
    lessons = [w.add_lesson(course, "TEXT", "--section-id", section), w.add_lesson(course, "QUIZ", "--section-id", section)]
    w.fill(lessons[0])
    w.fill(lessons[1])
    made = w.edu("copy-course", "--course-id", course, "--title", "Next term", "--external-id", w.name("term"),
                 user="teacher")["course"]
    t.assertEqual((made["title"], made["state"], made["lessonCount"]), ("Next term", "COURSE_STATE_DRAFT", 2))
    read = w.edu("list-lessons", "--course-id", made["courseId"], user="teacher")
    t.assertEqual([(x["title"], x["kind"], x["position"]) for x in read["lessons"]],
                  [(x["title"], x["kind"], x["position"]) for x in lessons])
    t.assertEqual({x["sectionId"] for x in read["lessons"]}, {read["sections"][0]["sectionId"]})
    t.assertNotEqual(read["sections"][0]["sectionId"], section)
    t.assertEqual(w.edu("get-lesson-content", "--lesson-id", read["lessons"][0]["lessonId"], user="teacher")["content"]["text"],
                  w.edu("get-lesson-content", "--lesson-id", lessons[0]["lessonId"], user="teacher")["content"]["text"])
    held = w.edu("list-attachments", "--lesson-id", read["lessons"][0]["lessonId"], user="teacher")["attachments"]
    t.assertEqual([(x["courseId"], x["lessonId"]) for x in held], [(made["courseId"], read["lessons"][0]["lessonId"])])
    w.edu("submit-course-for-review", "--course-id", made["courseId"], user="teacher")


@scenario("ListCourseRevisions")
def list_course_revisions(t, w):
    course = w.publish(w.new_course())
    w.edu("update-course", "--course.course-id", course, "--course.title", "Second", "--course.level", "ADVANCED",
          "--update-mask", "title,level", user="teacher")
    w.add_lesson(course, "EXERCISE")
    w.edu("submit-course-for-review", "--course-id", course, user="teacher")
    w.edu("approve-course", "--course-id", course, user="root-admin")
    newest = w.edu("list-course-revisions", "--course-id", course, "--page-size", 1, user="teacher")
    t.assertEqual([(x["revision"], x["changedFields"], x["lessonsAdded"]) for x in newest["revisions"]],
                  [("2", ["title", "level"], 1)])
    first = w.edu("list-course-revisions", "--course-id", course, "--page-size", 1, "--page-token",
                  newest["nextPageToken"], user="teacher")
    t.assertEqual([x["revision"] for x in first["revisions"]], ["1"])
    t.assertNotIn("nextPageToken", first)


@scenario("GetCourseRevision")
def get_course_revision(t, w):
    course = w.publish(w.new_course())
    before = w.edu("get-course", "--course-id", course)["course"]
    w.edu("update-course", "--course.course-id", course, "--course.title", "Second", "--update-mask", "title", user="teacher")
    w.edu("submit-course-for-review", "--course-id", course, user="teacher")
    w.edu("approve-course", "--course-id", course, user="root-admin")
    read = w.edu("get-course-revision", "--course-id", course, "--revision", 1, user="teacher")
    t.assertEqual(read["course"], {k: v for k, v in before.items() if k not in ("free", "priceList", "version", "etag",
                                                                               "updateTime", "rating")})
    t.assertEqual(read["revision"]["publishTime"], before["publishTime"])
    with t.assertRaisesRegex(CommandFailed, "REVISION_NOT_FOUND"):
        w.edu("get-course-revision", "--course-id", course, "--revision", 3, user="teacher")


@scenario("GetCourse")
def get_course(t, w):
    t.assertEqual(w.edu("get-course", "--course-id", w.course)["course"]["state"], "COURSE_STATE_PUBLISHED")


@scenario("GetInstructor")
def get_instructor(t, w):
    name = w.name("author")
    w.stack.register(name, "INSTRUCTOR", display_name="An Author")
    w.edu("update-user", "--bio", "writes", user=name)
    author = w.stack.users[name]
    shown = w.edu("get-instructor", "--instructor-id", author)["instructor"]
    t.assertEqual(shown, {"userId": author, "displayName": "An Author", "bio": "writes"})
    with t.assertRaisesRegex(CommandFailed, "INSTRUCTOR_NOT_FOUND"):
        w.edu("get-instructor", "--instructor-id", w.stack.users["learner"])


@scenario("CreateSubject")
def create_subject(t, w):
    name = w.name("Subject")
    made = w.edu("create-subject", "--name-en", name, "--name-zh", "新学科", user="root-admin")["subject"]
    t.assertIn(made, w.edu("list-subjects")["subjects"])
    with t.assertRaisesRegex(CommandFailed, f"SUBJECT_NAME_IN_USE(?s:.*){made['subjectId']}"):
        w.edu("create-subject", "--name-en", name.upper(), "--name-zh", "别的", user="root-admin")


@scenario("ListSubjects")
def list_subjects(t, w):
    listed = w.edu("list-subjects", "--page-size", 1)
    t.assertEqual([(s["subjectId"], s["nameEn"], s["nameZh"]) for s in listed["subjects"]],
                  [(w.stack.subject, "Mathematics", "数学")])


@scenario("ListCourses")
def list_courses(t, w):
    listed, token = [], ""
    while True:
        page = w.edu("list-courses", "--subject-id", w.stack.subject, "--page-size", 1,
                     *(("--page-token", token) if token else ()))
        listed += [c["courseId"] for c in page.get("courses", [])]
        token = page.get("nextPageToken", "")
        if not token:
            break
    t.assertIn(w.course, listed)
    t.assertEqual(len(listed), len(set(listed)))


@scenario("SubmitCourseForReview")
def submit_course_for_review(t, w):
    course = w.new_course()
    w.fill(w.add_lesson(course, "TEXT"))
    w.edu("submit-course-for-review", "--course-id", course, user="teacher")
    t.assertEqual(w.edu("get-course", "--course-id", course, user="teacher")["course"]["state"],
                  "COURSE_STATE_IN_REVIEW")


@scenario("ApproveCourse")
def approve_course(t, w):
    course = w.publish(w.new_course())
    t.assertEqual(w.edu("get-course", "--course-id", course)["course"]["state"], "COURSE_STATE_PUBLISHED")


@scenario("RejectCourse")
def reject_course(t, w):
    course = w.new_course()
    w.fill(w.add_lesson(course, "TEXT"))
    w.edu("submit-course-for-review", "--course-id", course, user="teacher")
    w.edu("reject-course", "--course-id", course, "--reasons", "The title says nothing.", "--reasons", "太短", user="root-admin")
    read = w.edu("get-course", "--course-id", course, user="teacher")["course"]
    t.assertEqual((read["state"], read["rejectionReasons"]), ("COURSE_STATE_DRAFT", ["The title says nothing.", "太短"]))
    detail = w.stack.sql("SELECT detail FROM audit WHERE action = 'RejectCourse' ORDER BY audit_id DESC LIMIT 1")[0][0]
    t.assertEqual(json.loads(detail), {"reasons": read["rejectionReasons"]})
    read = w.edu("submit-course-for-review", "--course-id", course, user="teacher")["course"]
    t.assertNotIn("rejectionReasons", read)


@scenario("WithdrawCourse")
def withdraw_course(t, w):
    course = w.new_course()
    w.fill(w.add_lesson(course, "TEXT"))
    w.edu("submit-course-for-review", "--course-id", course, user="teacher")
    w.edu("withdraw-course", "--course-id", course, user="teacher")
    t.assertEqual(w.edu("get-course", "--course-id", course, user="teacher")["course"]["state"], "COURSE_STATE_DRAFT")


@scenario("ArchiveCourse")
def archive_course(t, w):
    course = w.publish(w.new_course())
    w.edu("archive-course", "--course-id", course, "--comment", "out of date", user="teacher")
    t.assertEqual(w.edu("get-course", "--course-id", course, user="teacher")["course"]["state"], "COURSE_STATE_ARCHIVED")
    with t.assertRaisesRegex(CommandFailed, "COURSE_NOT_FOUND"):
        w.edu("get-course", "--course-id", course)


@scenario("UnarchiveCourse")
def unarchive_course(t, w):
    course = w.publish(w.new_course())
    before = w.edu("get-course", "--course-id", course)["course"]
    w.edu("archive-course", "--course-id", course, user="teacher")
    w.edu("unarchive-course", "--course-id", course, "--comment", "wanted again", user="root-admin")
    read = w.edu("get-course", "--course-id", course)["course"]
    t.assertEqual((read["state"], read["revision"], read["publishTime"]),
                  ("COURSE_STATE_PUBLISHED", before["revision"], before["publishTime"]))


@scenario("CreateSection")
def create_section(t, w):
    course = w.new_course()
    sections = [w.add_section(course), w.add_section(course)]
    t.assertEqual([s["position"] for s in sections], [1, 2])
    t.assertEqual(w.edu("list-lessons", "--course-id", course, user="teacher")["sections"], sections)


@scenario("UpdateSection")
def update_section(t, w):
    course = w.new_course()
    section = w.add_section(course)
    etag = w.edu("get-course", "--course-id", course, user="teacher")["course"]["etag"]
    update = ["update-section", "--section.section-id", section["sectionId"], "--section.title", "Renamed", "--update-mask",
              "title"]
    reply = w.edu(*update, "--etag", etag, user="teacher")
    t.assertEqual(reply["section"], {**section, "title": "Renamed"})
    t.assertEqual(reply["etag"], w.edu("get-course", "--course-id", course, user="teacher")["course"]["etag"])
    with t.assertRaisesRegex(CommandFailed, "ETAG_MISMATCH"):
        w.edu(*update, "--etag", etag, user="teacher")


@scenario("DeleteSection")
def delete_section(t, w):
    course = w.new_course()
    first, second = w.add_section(course), w.add_section(course)
    lesson = w.add_lesson(course, "TEXT", "--section-id", first["sectionId"])
    with t.assertRaisesRegex(CommandFailed, "SECTION_NOT_EMPTY"):
        w.edu("delete-section", "--section-id", first["sectionId"], user="teacher")
    w.edu("delete-lesson", "--lesson-id", lesson["lessonId"], user="teacher")
    w.edu("delete-section", "--section-id", first["sectionId"], user="teacher")
    t.assertEqual(w.edu("list-lessons", "--course-id", course, user="teacher")["sections"], [{**second, "position": 1}])
    with t.assertRaisesRegex(CommandFailed, "SECTION_NOT_FOUND"):
        w.edu("delete-section", "--section-id", first["sectionId"], user="teacher")


@scenario("UpdateLesson")
def update_lesson(t, w):
    course = w.new_course()
    lesson = w.add_lesson(course, "VIDEO")
    update = ["update-lesson", "--lesson.lesson-id", lesson["lessonId"]]
    read = w.edu(*update, "--lesson.title", "Renamed", "--lesson.weight", 7, "--lesson.release-after-days", 3,
                 "--update-mask", "title,weight,release_after_days", user="teacher")["lesson"]
    t.assertEqual((read["title"], read["weight"], read["releaseAfterDays"], read["durationSeconds"]), ("Renamed", 7, "3", "640"))
    t.assertEqual(w.edu("list-lessons", "--course-id", course, user="teacher")["lessons"], [read])
    for field, value, refusal in (("duration_seconds", 700, "LESSON_KIND_MISMATCH"), ("weight", 0, "FIELD_INVALID"),
                                  ("title", "", "FIELD_INVALID")):
        with t.assertRaisesRegex(CommandFailed, refusal):
            w.edu(*update, "--lesson." + field.replace("_", "-"), value, "--update-mask", field, user="teacher")


@scenario("DeleteLesson")
def delete_lesson(t, w):
    course = w.new_course()
    lessons = [w.add_lesson(course, "TEXT")["lessonId"] for _ in range(3)]
    w.edu("delete-lesson", "--lesson-id", lessons[0], user="teacher")
    read = w.edu("list-lessons", "--course-id", course, user="teacher")["lessons"]
    t.assertEqual([(x["lessonId"], x["position"]) for x in read], [(lessons[1], 1), (lessons[2], 2)])
    t.assertEqual(w.edu("get-course", "--course-id", course, user="teacher")["course"]["lessonCount"], 2)
    with t.assertRaisesRegex(CommandFailed, "LESSON_NOT_FOUND"):
        w.edu("delete-lesson", "--lesson-id", lessons[0], user="teacher")


@scenario("ReorderLessons")
def reorder_lessons(t, w):
    course = w.new_course()
    a, b = w.add_section(course)["sectionId"], w.add_section(course)["sectionId"]
    one, two, three = (w.add_lesson(course, "TEXT")["lessonId"] for _ in range(3))
    sections = ["--sections", json.dumps({"sectionId": b, "lessonIds": [three]}), "--sections",
                json.dumps({"sectionId": a, "lessonIds": [two, one]})]
    w.edu("reorder-lessons", "--course-id", course, *sections, user="teacher")
    read = w.edu("list-lessons", "--course-id", course, user="teacher")
    t.assertEqual([(x["lessonId"], x["sectionId"], x["position"]) for x in read["lessons"]],
                  [(three, b, 1), (two, a, 2), (one, a, 3)])
    t.assertEqual([x["sectionId"] for x in read["sections"]], [b, a])
    for wrong in (sections[:2], [*sections, "--lesson-ids", one]):
        with t.assertRaisesRegex(CommandFailed, "ORDER_INCOMPLETE"):
            w.edu("reorder-lessons", "--course-id", course, *wrong, user="teacher")


@scenario("CreateLesson")
def create_lesson(t, w):
    course = w.new_course()
    lesson = w.add_lesson(course, "VIDEO")
    t.assertEqual(w.edu("list-lessons", "--course-id", course, user="teacher")["lessons"], [lesson])


@scenario("ListLessons")
def list_lessons(t, w):
    first = w.edu("list-lessons", "--course-id", w.course, "--page-size", 1)
    second = w.edu("list-lessons", "--course-id", w.course, "--page-size", 1, "--page-token", first["nextPageToken"])
    t.assertEqual([x["position"] for x in first["lessons"] + second["lessons"]], [1, 2])
    t.assertNotIn("nextPageToken", second)


@scenario("CreateContentUpload")
def create_content_upload(t, w):
    lesson = w.add_lesson(w.new_course(), "VIDEO")["lessonId"]
    told = w.upload(lesson, role="captions", content_type="text/vtt", language="zh-hans")
    t.assertEqual((told["content"]["lessonId"], told["content"]["language"]), (lesson, "zh-Hans"))
    t.assertTrue(told["url"].startswith("http://store.invalid/edu/content/" + told["content"]["contentId"] + "?X-Amz-"))
    t.assertEqual([h["name"] for h in told["headers"]], ["content-length", "content-type", "x-amz-checksum-sha256"])
    t.assertNotIn("attachments", w.edu("list-attachments", "--lesson-id", lesson, user="teacher"))


@scenario("AttachContent")
def attach_content(t, w):
    lesson = w.add_lesson(w.new_course(), "VIDEO")["lessonId"]
    attached = w.attach(lesson)
    t.assertEqual(w.edu("list-attachments", "--lesson-id", lesson, user="teacher")["attachments"], [attached])


@scenario("SetLessonText")
def set_lesson_text(t, w):
    lesson = w.add_lesson(w.new_course(), "TEXT")["lessonId"]
    for text in ("First", "Second"):
        w.set_text(lesson, text)
        t.assertEqual(w.edu("get-lesson-content", "--lesson-id", lesson, user="teacher")["content"]["text"], text)


@scenario("ListAttachments")
def list_attachments(t, w):
    course = w.new_course()
    body = b"an image"
    cover = w.edu("create-content-upload", "--course-id", course, "--role", "cover", "--content-type", "image/webp",
                  "--size-bytes", len(body), "--sha256", base64.b64encode(hashlib.sha256(body).digest()).decode(),
                  user="teacher")["content"]
    w.edu("attach-content", "--content-id", cover["contentId"], user="teacher")
    listed, = w.edu("list-attachments", "--course-id", course, user="teacher")["attachments"]
    t.assertEqual(listed, cover)
    t.assertEqual(cover["publicUrl"], "http://store.invalid/edu/public/" + cover["contentId"])
    w.publish(course)
    t.assertEqual(w.edu("get-course", "--course-id", course)["course"]["coverId"], cover["contentId"])
    found = next(c for c in w.edu("list-courses", "--instructor-id", w.stack.users["teacher"], "--all")["courses"]
                 if c["courseId"] == course)
    t.assertEqual(found["coverId"], cover["contentId"])
    t.assertEqual(w.edu("list-attachments", "--course-id", course)["attachments"], [cover])


@scenario("RemoveAttachment")
def remove_attachment(t, w):
    lesson = w.add_lesson(w.new_course(), "VIDEO")["lessonId"]
    kept, gone = w.attach(lesson), w.attach(lesson)
    w.edu("remove-attachment", "--lesson-id", lesson, "--content-id", gone["contentId"], user="teacher")
    t.assertEqual(w.edu("list-attachments", "--lesson-id", lesson, user="teacher")["attachments"], [kept])


@scenario("GetLessonContent")
def get_lesson_content(t, w):
    course = w.new_course()
    lesson = w.add_lesson(course, "TEXT")["lessonId"]
    attached = w.attach(lesson)
    w.set_text(lesson)
    w.publish(course)
    user = w.enrolled_learner(course)
    read = w.edu("get-lesson-content", "--lesson-id", lesson, user=user)["content"]
    t.assertEqual((read["text"], read["revision"], read["files"][0]["content"]), ("To be read.", "1", attached))
    kept = w.edu("get-lesson-content", "--lesson-id", lesson, "--use", "download", "--device-name", "phone", user=user)
    t.assertIn("downloadExpireTime", kept["content"])


@scenario("SetQuiz")
def set_quiz(t, w):
    course = w.new_course()
    lesson = w.add_lesson(course, "QUIZ")["lessonId"]
    made = w.set_quiz(lesson)
    t.assertEqual(made["quiz"]["pointsTotal"], 15)
    t.assertEqual(made["quiz"]["questions"][2]["numeric"], {"unit": "kg", "solution": {"value": "-41.5", "tolerance": "0.25"}})
    t.assertEqual(w.edu("get-quiz", "--lesson-id", lesson, user="teacher")["quiz"], made["quiz"])
    t.assertEqual(w.edu("get-course", "--course-id", course, user="teacher")["course"]["etag"], made["etag"])
    with t.assertRaisesRegex(CommandFailed, "option_key"):
        w.edu("set-quiz", "--lesson-id", lesson, "--quiz", json.dumps(QUIZ).replace('"option_key": "b"', '"option_key": "c"'),
              user="teacher")


@scenario("GetQuiz")
def get_quiz(t, w):
    course = w.publish(w.new_course(), "QUIZ")
    lesson = w.edu("list-lessons", "--course-id", course)["lessons"][0]["lessonId"]
    user = w.enrolled_learner(course)
    shown = w.edu("get-quiz", "--lesson-id", lesson, user=user)["quiz"]
    t.assertEqual((shown["revision"], shown["pointsTotal"], len(shown["questions"])), ("1", 15, 4))
    t.assertNotIn("solution", json.dumps(shown))
    whole = w.edu("get-quiz", "--lesson-id", lesson, user="teacher")["quiz"]
    t.assertEqual(json.dumps(whole).count("solution"), 4)
    t.assertNotIn("revision", w.edu("get-quiz", "--lesson-id", lesson, "--view", "draft", user="teacher")["quiz"])


@scenario("TopUpWallet")
def top_up_wallet(t, w):
    before = w.balance("learner").get("EUR", 0)
    w.top_up("learner", "5.00 EUR")
    t.assertEqual(w.balance("learner")["EUR"], before + 500)


@scenario("GetWallet")
def get_wallet(t, w):
    w.top_up("learner", "1000 JPY")
    read = w.edu("get-wallet", "--user-id", w.stack.users["learner"], user="treasurer")["wallet"]
    t.assertIn({"currencyCode": "JPY", "minorUnits": "1000"}, read["balances"])


@scenario("PurchaseCourse")
def purchase_course(t, w):
    user = w.enrolled_learner(w.course)
    t.assertEqual(w.balance(user)["EUR"], 0)
    enrolled = w.edu("list-enrollments", user=user)["enrollments"]
    t.assertEqual([e["courseId"] for e in enrolled], [w.course])


@scenario("EnrollInCourse")
def enroll_in_course(t, w):
    user = w.name("learner")
    w.stack.register(user)
    free, draft = w.publish(w.new_course("--free")), w.new_course()
    made = w.edu("enroll-in-course", "--course-id", free, user=user)["enrollment"]
    t.assertEqual(w.edu("list-enrollments", user=user)["enrollments"], [made])
    bought = w.edu("list-purchases", user=user)["purchases"]
    t.assertEqual([(p["courseId"], p["total"]["currencyCode"]) for p in bought], [(free, "XXX")])
    # Who teaches a course has access to it, and enrolls without buying.
    lesson = w.add_lesson(draft, "TEXT")["lessonId"]
    report = ["record-progress", "--lesson-id", lesson, "--session-id", uuid.uuid4(), "--session-start-time", "now",
              "--client-time", "now"]
    with t.assertRaisesRegex(CommandFailed, "EnrollInCourse"):
        w.edu(*report, user="teacher")
    made = w.edu("enroll-in-course", "--course-id", draft, user="teacher")["enrollment"]
    t.assertEqual([a["source"] for a in made["accesses"]], ["ACCESS_SOURCE_INSTRUCTOR"])
    w.edu(*report, user="teacher")


@scenario("GetPurchase")
def get_purchase(t, w):
    user = w.name("learner")
    w.stack.register(user)
    w.top_up(user, "20 EUR")
    bought = w.buy(w.course, user)
    read = w.edu("get-purchase", "--purchase-id", bought["purchaseId"], user=user)["purchase"]
    t.assertEqual(read, bought)
    t.assertEqual(read["state"], "PURCHASE_STATE_COMPLETED")
    t.assertEqual(read["charged"], {"currencyCode": "EUR", "minorUnits": "1250"})


@scenario("ListPurchases")
def list_purchases(t, w):
    user = w.enrolled_learner(w.course)
    free = w.publish(w.new_course("--free"))
    w.buy(free, user, "0 EUR")
    listed = w.edu("list-purchases", user=user)["purchases"]
    t.assertEqual([p["courseId"] for p in listed], [free, w.course])


@scenario("RecordProgress")
def record_progress(t, w):
    user = w.enrolled_learner(w.course)
    w.bought_an_hour_ago(user)
    video, text = w.lessons
    start = now() - datetime.timedelta(minutes=10)
    report = ["record-progress", "--lesson-id", video["lessonId"], "--session-id", uuid.uuid4(), "--session-start-time",
              rfc3339(start), "--client-time", rfc3339(start + datetime.timedelta(minutes=9)), "--learning-seconds", 500,
              "--interactions", 7, "--questions", 1, "--interval.start-ms", 0, "--interval.end-ms", 600000,
              "--position-seconds", 600]
    learner = w.stack.users[user]
    completed = [event("progress.lesson_completed", x["lessonId"], learner, w.course) for x in w.lessons]
    merged = w.edu(*report, user=user, leaves=completed[:1])["progress"]
    t.assertEqual(w.edu(*report, user=user)["progress"], merged)  # a repeat changes nothing
    w.edu("record-progress", "--lesson-id", text["lessonId"], "--session-id", uuid.uuid4(), "--session-start-time",
          rfc3339(start), "--client-time", "now", "--completed", user=user, leaves=completed[1:])
    read = w.edu("get-course-progress", "--course-id", w.course, user=user)["progress"]
    t.assertEqual(read["lessons"][0], merged)
    t.assertEqual(merged["coveredSlices"], 60)
    t.assertEqual((read["lessonsCompleted"], read["lessonsTotal"], read["completedBasisPoints"]), (2, 2, 10000))
    t.assertEqual((read["interactions"], read["learningSeconds"], read["questions"]), ("7", "500", "1"))
    # Of the day, the feed tells a member's organizations when it has gathered for a while.
    have_marks_taken(t, w, learner)
    w.stack.check("the sequencer", [])
    w.stack.sql("INSERT INTO organization_member (member_id, organization_id, user_id, live, version, create_time) VALUES"
                f" ({id_number(learner)}, 2, {id_number(learner)}, 1, 1, 1)")
    w.edu(*report, "--interactions", 8, user=user)
    have_marks_taken(t, w, learner)
    w.stack.check("the sequencer", [event("progress.recorded", w.course, learner, w.course)])


def have_marks_taken(t, w, learner):
    w.stack.sql(f"UPDATE progress_mark SET mark_time = mark_time - 900000000 WHERE user_id = {id_number(learner)}")
    until = time.monotonic() + 30
    while w.stack.sql(f"SELECT 1 FROM progress_mark WHERE user_id = {id_number(learner)}"):
        t.assertLess(time.monotonic(), until, "a mark was not taken")
        time.sleep(0.1)


@scenario("GetCourseProgress")
def get_course_progress(t, w):
    user = w.enrolled_learner(w.course)
    read = w.edu("get-course-progress", "--course-id", w.course, "--user-id", w.stack.users[user], user="teacher")
    t.assertEqual(read["progress"]["lessonsTotal"], 2)
    t.assertNotIn("lessons", read["progress"])
    w.stack.register("desk", "SUPPORT")
    t.assertEqual(w.edu("get-course-progress", "--course-id", w.course, "--user-id", w.stack.users[user], user="desk"), read)


@scenario("ListEnrollments")
def list_enrollments(t, w):
    course = w.publish(w.new_course())
    learners = sorted(w.stack.users[w.enrolled_learner(course)] for _ in range(3))
    first = w.edu("list-enrollments", "--course-id", course, "--page-size", 2, user="teacher")
    second = w.edu("list-enrollments", "--course-id", course, "--page-size", 2, "--page-token", first["nextPageToken"],
                   user="teacher")
    rows = first["enrollments"] + second["enrollments"]
    t.assertEqual([e["userId"] for e in rows], learners)
    t.assertEqual({e["state"] for e in rows}, {"ENROLLMENT_STATE_ACTIVE"})


def reviewed(w, *stars):
    """A course, and who wrote its reviews, each with so many stars."""
    course = w.publish(w.new_course(), "TEXT")
    lesson = w.edu("list-lessons", "--course-id", course)["lessons"][0]["lessonId"]
    authors = []
    for n in stars:
        user = w.enrolled_learner(course)
        w.edu("record-progress", "--lesson-id", lesson, "--session-id", uuid.uuid4(), "--session-start-time", "now",
              "--client-time", "now", "--completed", user=user,
              leaves=[event("progress.lesson_completed", lesson, w.stack.users[user], course)])
        w.edu("create-review", "--course-id", course, "--stars", n, "--text", f"{n} of five", user=user)
        authors.append(user)
    return course, authors


def reviews_of(w, course, *arguments, user=None):
    return w.edu("list-reviews", "--course-id", course, *arguments, user=user).get("reviews", [])


def rating_of(w, course):
    return w.edu("get-course", "--course-id", course)["course"].get("rating")


@scenario("CreateReview")
def create_review(t, w):
    course, (author,) = reviewed(w, 4)
    t.assertEqual([(r["stars"], r["text"], r["displayName"]) for r in reviews_of(w, course)], [(4, "4 of five", author)])
    t.assertEqual(rating_of(w, course), {"averageHundredths": 400, "reviewCount": "1", "fourStars": "1"})
    with t.assertRaisesRegex(CommandFailed, "ALREADY_REVIEWED"):
        w.edu("create-review", "--course-id", course, "--stars", 5, user=author)


@scenario("UpdateReview")
def update_review(t, w):
    course, (author, _) = reviewed(w, 1, 5)
    own, = reviews_of(w, course, "--user-id", w.stack.users[author])
    w.edu("update-review", "--review.review-id", own["reviewId"], "--review.stars", 4, "--review.etag", own["etag"], user=author)
    read, = reviews_of(w, course, "--user-id", w.stack.users[author])
    t.assertEqual((read["stars"], read["text"], read["version"]), (4, "1 of five", "2"))
    t.assertEqual(rating_of(w, course),
                  {"averageHundredths": 450, "reviewCount": "2", "fourStars": "1", "fiveStars": "1"})


@scenario("ListReviews")
def list_reviews(t, w):
    course, _ = reviewed(w, 3, 5, 1)
    for order, stars in (("newest", [1, 5, 3]), ("highest", [5, 3, 1]), ("lowest", [1, 3, 5])):
        first = w.edu("list-reviews", "--course-id", course, "--order", order, "--page-size", 2)
        rest = w.edu("list-reviews", "--course-id", course, "--order", order, "--page-size", 2, "--page-token",
                     first["nextPageToken"])
        t.assertEqual([r["stars"] for r in first["reviews"] + rest["reviews"]], stars)
        t.assertNotIn("nextPageToken", rest)


@scenario("HideReview")
def hide_review(t, w):
    course, (author, _) = reviewed(w, 1, 5)
    review = reviews_of(w, course, "--user-id", w.stack.users[author])[0]["reviewId"]
    w.edu("hide-review", "--review-id", review, "--reason", "names a person", user="root-admin")
    t.assertEqual([r["stars"] for r in reviews_of(w, course)], [5])
    t.assertEqual(rating_of(w, course)["averageHundredths"], 500)
    own, = reviews_of(w, course, "--user-id", w.stack.users[author], user=author)
    t.assertEqual((own["state"], own["hideReason"]), ("REVIEW_STATE_HIDDEN", "names a person"))
    t.assertNotIn("counted", own)


@scenario("UnhideReview")
def unhide_review(t, w):
    course, _ = reviewed(w, 2)
    review = reviews_of(w, course)[0]["reviewId"]
    w.edu("hide-review", "--review-id", review, "--reason", "names a person", user="root-admin")
    t.assertEqual((reviews_of(w, course), rating_of(w, course)), ([], None))
    w.edu("unhide-review", "--review-id", review, "--reason", "it does not", user="root-admin")
    t.assertEqual([r["state"] for r in reviews_of(w, course)], ["REVIEW_STATE_SHOWN"])
    t.assertEqual(rating_of(w, course)["averageHundredths"], 200)


@scenario("ReportContent")
def report_content(t, w):
    course, (author,) = reviewed(w, 1)
    review = reviews_of(w, course)[0]["reviewId"]
    lesson = w.edu("list-lessons", "--course-id", course)["lessons"][0]["lessonId"]
    for what, of in (("--course-id", course), ("--lesson-id", lesson), ("--review-id", review)):
        made = w.edu("report-content", what, of, "--kind", "misleading", "--text", "not so", user=author)["report"]
        t.assertEqual(w.edu("get-report", "--report-id", made["reportId"], user="root-admin")["report"], made)
        t.assertEqual((made["reporterId"], made["ofCourseId"]), (w.stack.users[author], course))
    with t.assertRaisesRegex(CommandFailed, "ALREADY_REPORTED"):
        w.edu("report-content", "--course-id", course, "--kind", "spam", user=author)


@scenario("GetReport")
def get_report(t, w):
    made = w.edu("report-content", "--course-id", w.publish(w.new_course()), "--kind", "broken", user="learner")["report"]
    t.assertEqual(w.edu("get-report", "--report-id", made["reportId"], user="learner")["report"], made)


@scenario("ListReports")
def list_reports(t, w):
    course = w.publish(w.new_course())
    made = [w.edu("report-content", "--course-id", course, "--kind", kind, user=user)["report"]["reportId"]
            for kind, user in (("spam", "learner"), ("other", "teacher"), ("copyright", "treasurer"))]
    first = w.edu("list-reports", "--course-id", course, "--page-size", 2, user="root-admin")
    rest = w.edu("list-reports", "--course-id", course, "--page-size", 2, "--page-token", first["nextPageToken"],
                 user="root-admin")
    t.assertEqual([r["reportId"] for r in first["reports"] + rest["reports"]], made)
    t.assertFalse([r for r in first["reports"] if "reporterId" in r])
    t.assertIn(made[0], [r["reportId"] for r in w.edu("list-reports", "--page-size", 100, user="root-admin")["reports"]])


@scenario("ResolveReport")
def resolve_report(t, w):
    course = w.publish(w.new_course())
    made = w.edu("report-content", "--course-id", course, "--kind", "offensive", user="learner")["report"]["reportId"]
    w.edu("resolve-report", "--report-id", made, "--outcome", "dismissed", "--comment", "it is not", user="root-admin")
    read = w.edu("get-report", "--report-id", made, user="learner")["report"]
    t.assertEqual((read["state"], read["outcome"], read["comment"]),
                  ("REPORT_STATE_RESOLVED", "REPORT_OUTCOME_DISMISSED", "it is not"))
    t.assertNotIn("reports", w.edu("list-reports", "--course-id", course, user="root-admin"))
    # What was decided may be reported again.
    w.edu("report-content", "--course-id", course, "--kind", "offensive", user="learner")


class EveryRpc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(WatchedStack())
        cls.world = World(cls.stack)

    def test_every_method_has_a_scenario(self):
        self.assertEqual(sorted(SCENARIOS), sorted(declared_methods()))

    def test_tables_are_for_people(self):
        shown = self.stack.edu_raw("get-course", "--course-id", self.world.course)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("published", shown.stdout)

    def test_errors_say_what_to_do(self):
        done = self.stack.edu_raw("get-course", "--course-id", "crs_0000000000001")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("COURSE_NOT_FOUND", done.stderr)
        self.assertIn("Check the id", done.stderr)

    def test_help_of_every_method(self):
        for method in declared_methods():
            command = command_of(method)
            for topic in (command, method):
                done = self.stack.edu_raw("help", topic)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(command, done.stdout)

    def test_session_file_is_private(self):
        home = self.stack.dir / "home" / "learner"
        files = [p for p in home.rglob("*") if p.is_file()]
        self.assertTrue(files)
        for p in files:
            self.assertEqual(p.stat().st_mode & 0o077, 0, p)


    def test_zz_every_name_was_seen(self):
        """The last, by its name: what no scenario leaves is dropped by mistake, or used by nobody."""
        self.assertEqual({*EVENTS, *AUDITS} - self.stack.seen, UNCALLED)

    def test_zz_events_tell_in_which_order_one_subject_changed(self):
        """Each version of a user, a review, and of a course and what it is made of, is that of one event."""
        for table, subject, kinds in (("user", "user_id", "kind LIKE 'user.%' AND e.subject_id"),
                                      ("review", "review_id", "kind LIKE 'review.%' AND e.subject_id"),
                                      ("course", "course_id", "(kind LIKE 'course.%' OR kind LIKE 'section.%' OR"
                                       " kind LIKE 'lesson.%') AND e.course_id")):
            self.assertEqual(self.stack.sql(
                f"SELECT t.{subject}, t.version, GROUP_CONCAT(e.version ORDER BY e.version) FROM {table} t LEFT JOIN"
                f" event e ON {kinds} = t.{subject} GROUP BY t.{subject}"
                f" HAVING COUNT(*) <> t.version OR COUNT(DISTINCT e.version) <> t.version OR MIN(e.version) <> 1"
                f" OR MAX(e.version) <> t.version"), [])

    def test_zz_the_platform_reads_what_it_asked_for(self):
        """And users what concerns them: no event tells that anybody joined anything."""
        until = time.monotonic() + 30
        while self.stack.sql("SELECT 1 FROM event WHERE position = 0 LIMIT 1"):
            self.assertLess(time.monotonic(), until, "events without a position")
            time.sleep(0.1)
        self.assertEqual({kind for kind, in self.stack.sql("SELECT kind FROM event_audience JOIN event USING (event_id)"
                                                           " WHERE audience_id = 1")}, PLATFORM & self.stack.seen)
        self.assertEqual(self.stack.sql("SELECT audience_id, position, event_id FROM event_audience WHERE audience_id <> 1"
                                        " ORDER BY position"),
                         self.stack.sql("SELECT user_id, position, event_id FROM event WHERE user_id <> 0 ORDER BY position"))


def add(method, function):
    def test(self):
        function(self, self.world)
    setattr(EveryRpc, "test_" + function.__name__, test)


for _method, _function in SCENARIOS.items():
    add(_method, _function)

if __name__ == "__main__":
    unittest.main()
