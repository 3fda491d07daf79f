# SPDX-License-Identifier: Apache-2.0
"""Every limit of the contract, of every field of every request: what lies at it is served and kept whole, what lies
beyond is FIELD_INVALID and changes nothing. The limits are read from the contract; so a limit that the schema or the code
does not keep up with fails here by the field's name, and so does a method that REQUESTS does not know how to call, and a
field whose rules in a request are not those of the resource."""
import re
import unittest
import uuid

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from stack import PASSWORD, ROOT, Stack
from test_every_rpc import World
from wire import Refused, Wire, fill, messages

OPTIONS = messages("grpc_c.v1.options")
METHODS = messages("edu.v1.edu_service").DESCRIPTOR.services_by_name["EduService"].methods_by_name
CURRENCIES = re.findall(r'{"([A-Z]{3})",', (ROOT / "proto/runtime/money.c").read_text())
CLEF = "\U0001d11e"  # a character of four bytes
# The ends of the types of numbers.
ENDS = {FieldDescriptor.CPPTYPE_INT32: (-2**31, 2**31 - 1), FieldDescriptor.CPPTYPE_INT64: (-2**63, 2**63 - 1),
        FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1), FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1)}
# Which list shows less than a whole object, and of what; as the field's comment says.
EMPTY_IN_LIST = {(in_list, field) for path in (ROOT / "proto/edu/v1").glob("*.proto") for in_list, field in re.findall(
    r"Empty in (List\w+)\..*\n(?: *//.*\n)* *(?:repeated )?[\w.]+ (\w+) =", path.read_text())}


# What fills a field of n characters, or the longest that the format has; what may have to be unique is.
FILLED = {
    "STRING_FORMAT_UNSPECIFIED": lambda n: CLEF * n,
    "STRING_FORMAT_TEXT": lambda n: CLEF * n,
    "STRING_FORMAT_TEXT_LINE": lambda n: ("".join(chr(0x20000 + b) for b in uuid.uuid4().bytes) + CLEF * n)[:n],
    "STRING_FORMAT_KEY": lambda n: uuid.uuid4().hex.ljust(n, "~")[:n],
    "STRING_FORMAT_EMAIL": lambda n: "e" * (n - 192) + "@" + ".".join(["d" * 63] * 3),
    "STRING_FORMAT_UUID": lambda n: str(uuid.uuid4()),
    "STRING_FORMAT_CURRENCY": lambda n: "USD",
    "STRING_FORMAT_USER_NAME": lambda n: uuid.uuid4().hex,
    "STRING_FORMAT_LANGUAGE": lambda n: "zho-Hant-419",
    "STRING_FORMAT_URL": lambda n: "https://example.org/".ljust(n or 2048, "u"),
    "STRING_FORMAT_SLUG": lambda n: "s" * 32,
    "STRING_FORMAT_TIME_ZONE": lambda n: "America/Argentina/ComodRivadavia",
    "STRING_FORMAT_DECIMAL": lambda n: "9" * 15 + "." + "9" * 9,
}
# What lacks the form, and is no longer than the field may be; whatever is not UTF-8 never gets so far.
FORMLESS = {
    "STRING_FORMAT_TEXT": "a\x07b",
    "STRING_FORMAT_TEXT_LINE": "a\nb",
    "STRING_FORMAT_KEY": " k",
    "STRING_FORMAT_EMAIL": "nobody",
    "STRING_FORMAT_UUID": "f" * 36,
    "STRING_FORMAT_CURRENCY": "XAU",
    "STRING_FORMAT_USER_NAME": "u" * 33,
    "STRING_FORMAT_LANGUAGE": "zho-Hant-4190",
    "STRING_FORMAT_URL": "ftp://example.org",
    "STRING_FORMAT_SLUG": "s" * 33,
    "STRING_FORMAT_TIME_ZONE": "Europe/Nowhere",
    "STRING_FORMAT_DECIMAL": "1e3",
}


class Limits(World):
    """What the requests below are about."""

    def __init__(self, stack):
        super().__init__(stack)
        self.wire = Wire(stack.target)
        self.teachers = [stack.users["teacher"]]
        self.free_course = self.publish(self.new_course("--free"))
        self.tokens = {name: self.session(name).access_token for name in ("learner", "teacher", "treasurer", "root-admin")}
        self.tokens[None] = None

    def session(self, name):
        return self.wire.call("session", "Login", login=name, password=PASSWORD).session

    def call(self, area, method, caller, **fields):
        return self.wire.call(area, method, self.tokens[caller], **fields)

    def quiz_lesson(self):
        return self.call("lesson", "CreateLesson", "teacher", course_id=self.draft(), title="Quiz", kind=3).lesson.lesson_id

    def quizzed(self):
        lesson = self.quiz_lesson()
        self.call("quiz", "SetQuiz", "teacher", lesson_id=lesson, quiz=quiz())
        return lesson

    def quiz_of(self, lesson):
        """What is drafted, as it was sent."""
        shown = self.call("quiz", "GetQuiz", "root-admin", lesson_id=lesson, view=2).quiz
        for field in shown.DESCRIPTOR.fields:
            if field.GetOptions().Extensions[OPTIONS.rules].output_only:
                shown.ClearField(field.name)
        return shown

    def text_of(self, lesson):
        return self.call("content", "GetLessonContent", "root-admin", lesson_id=lesson).content

    def newest(self, column, table, key):
        found = self.stack.sql(f"SELECT HEX({column}) FROM {table} ORDER BY {key} DESC LIMIT 1")
        return bytes.fromhex(found[0][0]).decode()

    def user(self, name=None):
        return self.wire.call("user", "RegisterUser", user_name=name or self.name("somebody"), password=PASSWORD).user

    def teacher(self, i):
        while i >= len(self.teachers):
            user = self.user().user_id
            self.call("user", "SetUserRoles", "root-admin", user_id=user, roles=[2], reason="teaches")
            self.teachers.append(user)
        return self.teachers[i]

    def course_texts(self):
        return {"title": self.name("Course"), "summary": "S", "description": "D", "objectives": ["O"], "audience": "A",
                "prerequisites": "P", "subject_id": self.stack.subject, "level": 1, "language": "en", "license": "L",
                "planned_learning_hours": 1, "instructors": [{"user_id": self.teachers[0], "share_basis_points": 10000}],
                "price_list": {"prices": [{"currency_code": "EUR", "minor_units": 1250}]}}

    def draft(self):
        course = self.call("course", "CreateCourse", "teacher", **self.course_texts()).course.course_id
        fill(self.call, "teacher",
             self.call("lesson", "CreateLesson", "teacher", course_id=course, title="Lesson", kind=2).lesson)
        return course

    def lesson(self):
        return self.call("lesson", "ListLessons", "teacher", course_id=self.draft()).lessons[0].lesson_id

    def file(self, lesson=None):
        return {"lesson_id": lesson or self.lesson(), "role": 4, "content_type": "text/plain", "size_bytes": 1,
                "sha256": bytes(32), "file_name": "f"}

    def content(self):
        return self.call("content", "CreateContentUpload", "teacher", **self.file()).content

    def attached(self):
        return self.call("content", "AttachContent", "teacher", content_id=self.content().content_id).content

    def section(self, course):
        return self.call("lesson", "CreateSection", "teacher", course_id=course, title="Section").section.section_id

    def lesson_of(self, course):
        return self.call("lesson", "ListLessons", "teacher", course_id=course).lessons[0].lesson_id

    def an_order(self):
        course = self.draft()
        lesson = self.lesson_of(course)
        return {"course_id": course, "sections": [{"section_id": self.section(course), "lesson_ids": [lesson]}]}

    def submitted(self):
        course = self.draft()
        self.call("course", "SubmitCourseForReview", "teacher", course_id=course)
        return course

    def published(self):
        course = self.submitted()
        self.call("course", "ApproveCourse", "root-admin", course_id=course)
        return course

    def archived(self):
        course = self.published()
        self.call("course", "ArchiveCourse", "teacher", course_id=course)
        return course

    def signed_in(self):
        """A name for the token of somebody new."""
        user = self.user()
        self.stack.users[user.user_name] = user.user_id
        self.tokens[user.user_name] = self.session(user.user_name).access_token
        return user.user_name

    def buyer(self):
        name = self.signed_in()
        self.call("wallet", "TopUpWallet", "treasurer", user_id=self.stack.users[name], provider="bank",
                  amount={"currency_code": "EUR", "minor_units": 1250}, provider_payment_id=self.name("payment"),
                  request_id=str(uuid.uuid4()))
        return name

    def order(self):
        return {"course_id": self.course, "currency_code": "EUR", "payment_source": 1, "request_id": str(uuid.uuid4()),
                "expected_total": {"currency_code": "EUR", "minor_units": 1250}}

    def purchase(self):
        return self.call("purchase", "PurchaseCourse", self.buyer(), **self.order()).purchase

    def enrolled(self):
        name = self.buyer()
        self.call("purchase", "PurchaseCourse", name, **self.order())
        self.learner = self.stack.users[name]
        self.bought_an_hour_ago(name)
        return name

    def reviewer(self):
        """Who has completed half of the course."""
        name = self.enrolled()
        self.call("progress", "RecordProgress", name,
                  **{**self.report(), "lesson_id": self.lessons[1]["lessonId"], "interval": None}, completed=True)
        return name

    def review(self):
        """Who wrote one, and the review."""
        name = self.reviewer()
        return name, self.call("review", "CreateReview", name, course_id=self.course, stars=3).review.review_id

    def hidden(self):
        _, review = self.review()
        self.call("review", "HideReview", "root-admin", review_id=review, reason="R")
        return review

    def filed_report(self):
        return self.call("review", "ReportContent", self.signed_in(), course_id=self.course, kind=6).report.report_id

    def changed_review(self):
        name, review = self.review()
        return name, {"review": {"review_id": review, "stars": 4, "text": "T"}, "update_mask": {"paths": ["text"]}}

    def report(self):
        now, start = Timestamp(), Timestamp()
        now.GetCurrentTime()
        start.FromSeconds(now.seconds - 600)
        return {"lesson_id": self.lessons[0]["lessonId"], "session_id": str(uuid.uuid4()), "client_time": now,
                "session_start_time": start, "interval": {"start_ms": 0, "end_ms": 1000}, "learning_seconds": 1}


def option(i):
    return {"key": f"o{i}", "text": f"Option {i}"}


def question(i):
    """Of each form by turns. The last of two options is right."""
    options = [option(0), option(1)]
    forms = ({"single_choice": {"options": options, "solution": {"option_key": "o1"}}},
             {"multiple_choice": {"options": options, "solution": {"option_keys": ["o1"]}}},
             {"numeric": {"unit": "kg", "solution": {"value": "1.5", "tolerance": "0.1"}}},
             {"text": {"solution": {"accepted": ["x"]}}})
    return {"key": f"q{i}", "prompt": "P", "points": 1, **forms[i % 4]}


def quiz():
    return {"scoring": 1, "pass_basis_points": 1, "questions": [question(i) for i in range(4)]}


# By method, a call that is served: who makes it, and with what. What it consumes is made anew each time; fields that hold
# fields are set, so that those are tried.
REQUESTS = {
    "RegisterUser": lambda w: (None, {"user_name": w.name("newcomer"), "password": PASSWORD}),
    "Login": lambda w: (None, {"login": "learner", "password": PASSWORD}),
    "RefreshSession": lambda w: (None, {"refresh_token": w.session("learner").refresh_token}),
    "GetUser": lambda w: ("root-admin", {}),
    "UpdateUser": lambda w: ("learner", {"user": {"display_name": "L"}, "update_mask": {"paths": ["display_name"]}}),
    "SetUserRoles": lambda w: ("root-admin", {"user_id": w.user().user_id, "roles": [1], "reason": "R"}),
    "CreateCourse": lambda w: ("teacher", w.course_texts()),
    "CopyCourse": lambda w: ("teacher", {"course_id": w.draft(), "title": "C",
                                         "instructors": [{"user_id": w.stack.users["teacher"]}]}),
    "ListCourseRevisions": lambda w: ("teacher", {"course_id": w.course}),
    "GetCourseRevision": lambda w: ("teacher", {"course_id": w.course, "revision": 1}),
    "UpdateCourse": lambda w: ("teacher", {"course": {"course_id": w.draft(), **w.course_texts()},
                                           "update_mask": {"paths": ["title"]}}),
    "GetCourse": lambda w: ("teacher", {"course_id": w.course}),
    "GetInstructor": lambda w: (None, {"instructor_id": w.teachers[0]}),
    "ListCourses": lambda w: ("root-admin", {"instructor_id": w.teachers[0], "price_range": {"currency_code": "EUR"},
                                           "query": "course"}),
    "CreateSubject": lambda w: ("root-admin", {"name_en": w.name("Subject"), "name_zh": w.name("学科")}),
    "ListSubjects": lambda w: (None, {}),
    "SubmitCourseForReview": lambda w: ("teacher", {"course_id": w.draft()}),
    "ApproveCourse": lambda w: ("root-admin", {"course_id": w.submitted()}),
    "RejectCourse": lambda w: ("root-admin", {"course_id": w.submitted(), "reasons": ["R"]}),
    "WithdrawCourse": lambda w: ("teacher", {"course_id": w.submitted()}),
    "ArchiveCourse": lambda w: ("teacher", {"course_id": w.published()}),
    "UnarchiveCourse": lambda w: ("root-admin", {"course_id": w.archived()}),
    "CreateSection": lambda w: ("teacher", {"course_id": w.draft(), "title": "S"}),
    "UpdateSection": lambda w: ("teacher", {"section": {"section_id": w.section(w.draft()), "title": "S"},
                                            "update_mask": {"paths": ["title"]}}),
    "DeleteSection": lambda w: ("teacher", {"section_id": w.section(w.draft())}),
    "UpdateLesson": lambda w: ("teacher", {"lesson": {"lesson_id": w.lesson_of(w.draft()), "title": "L",
                                                      "duration_seconds": 600, "weight": 1, "free_preview": True,
                                                      "release_time": {"seconds": 1}, "release_after_days": 1},
                                           "update_mask": {"paths": ["title"]}}),
    "DeleteLesson": lambda w: ("teacher", {"lesson_id": w.lesson_of(w.draft())}),
    "ReorderLessons": lambda w: ("teacher", w.an_order()),
    "CreateLesson": lambda w: ("teacher", {"course_id": w.draft(), "title": "L", "kind": 2, "duration_seconds": 600}),
    "ListLessons": lambda w: ("teacher", {"course_id": w.course}),
    "CreateContentUpload": lambda w: ("teacher", w.file()),
    "AttachContent": lambda w: ("teacher", {"content_id": w.content().content_id}),
    "SetLessonText": lambda w: ("teacher", {"lesson_id": w.lesson(), "text": "T", "format": 1}),
    "ListAttachments": lambda w: ("teacher", {"lesson_id": w.lesson()}),
    "RemoveAttachment": lambda w: ("teacher", {f: getattr(x, f) for x in [w.attached()] for f in ("lesson_id", "content_id")}),
    "GetLessonContent": lambda w: ("teacher", {"lesson_id": w.lesson(), "use": 2, "device_name": "d"}),
    "SetQuiz": lambda w: ("teacher", {"lesson_id": w.quiz_lesson(), "quiz": quiz()}),
    "GetQuiz": lambda w: ("teacher", {"lesson_id": w.quizzed()}),
    "TopUpWallet": lambda w: ("treasurer", {"user_id": w.user().user_id, "provider": "bank",
                                            "amount": {"currency_code": "EUR", "minor_units": 1},
                                            "provider_payment_id": w.name("p"), "request_id": str(uuid.uuid4())}),
    "GetWallet": lambda w: ("root-admin", {}),
    "PurchaseCourse": lambda w: (w.buyer(), w.order()),
    "EnrollInCourse": lambda w: (w.signed_in(), {"course_id": w.free_course, "request_id": str(uuid.uuid4())}),
    "GetPurchase": lambda w: ("root-admin", {"purchase_id": w.purchase().purchase_id}),
    "ListPurchases": lambda w: ("root-admin", {}),
    "ListEnrollments": lambda w: ("root-admin", {}),
    "RecordProgress": lambda w: (w.enrolled(), w.report()),
    "GetCourseProgress": lambda w: ("root-admin", {"course_id": w.course, "user_id": w.stack.users[w.enrolled()]}),
    "CreateReview": lambda w: (w.reviewer(), {"course_id": w.course, "stars": 4, "text": "T"}),
    "UpdateReview": lambda w: w.changed_review(),
    "ListReviews": lambda w: ("root-admin", {"course_id": w.course}),
    "HideReview": lambda w: ("root-admin", {"review_id": w.review()[1], "reason": "R"}),
    "UnhideReview": lambda w: ("root-admin", {"review_id": w.hidden(), "reason": "R"}),
    "ReportContent": lambda w: (w.signed_in(), {"course_id": w.course, "kind": 6, "text": "T"}),
    "GetReport": lambda w: ("root-admin", {"report_id": w.filed_report()}),
    "ListReports": lambda w: ("root-admin", {}),
    "ResolveReport": lambda w: ("root-admin", {"report_id": w.filed_report(), "outcome": 1, "comment": "C"}),
}
# How what a reply shows is read again, by the type of what it shows.
READ = {
    "User": lambda w, x: w.call("user", "GetUser", "root-admin", user_id=x.user_id).user,
    "Course": lambda w, x: w.call("course", "GetCourse", "root-admin", course_id=x.course_id).course,
    "Subject": lambda w, x: next(y for y in w.call("catalogue", "ListSubjects", "root-admin", page_size=100).subjects
                                 if y.subject_id == x.subject_id),
    "Lesson": lambda w, x: next(y for y in w.call("lesson", "ListLessons", "root-admin", course_id=x.course_id).lessons
                                if y.lesson_id == x.lesson_id),
    "Content": lambda w, x: w.call("content", "AttachContent", "root-admin", content_id=x.content_id).content,
    "Section": lambda w, x: next(
        y for y in w.call("lesson", "ListLessons", "root-admin", course_id=x.course_id).sections
        if y.section_id == x.section_id),
    "Purchase": lambda w, x: w.call("purchase", "GetPurchase", "root-admin", purchase_id=x.purchase_id).purchase,
    "Report": lambda w, x: w.call("review", "GetReport", "root-admin", report_id=x.report_id).report,
    "Review": lambda w, x: w.call("review", "ListReviews", "root-admin", course_id=x.course_id, user_id=x.user_id).reviews[0],
    "Wallet": lambda w, x: w.call("wallet", "GetWallet", "root-admin", user_id=x.user_id).wallet,
    "LessonProgress": lambda w, x: next(
        y for y in w.call("progress", "GetCourseProgress", "root-admin", course_id=w.course,
                          user_id=w.learner).progress.lessons if y.lesson_id == x.lesson_id),
}
# Where a list has what a reply shows, by the type of what it shows: the list's file, its method, and with what it is called.
LISTED = {
    "Course": ("catalogue", "ListCourses", lambda x: {"instructor_id": x.instructors[0].user_id, "state": x.state}),
    "Subject": ("catalogue", "ListSubjects", lambda x: {"page_size": 100}),
    "Lesson": ("lesson", "ListLessons", lambda x: {"course_id": x.course_id}),
    "Content": ("content", "ListAttachments", lambda x: {"lesson_id": x.lesson_id}),
    "Section": ("lesson", "ListLessons", lambda x: {"course_id": x.course_id}),
    "Purchase": ("purchase", "ListPurchases", lambda x: {"user_id": x.user_id}),
    "Report": ("review", "ListReports", lambda x: {"course_id": x.of_course_id, "state": x.state, "page_size": 100}),
    "Review": ("review", "ListReviews", lambda x: {"course_id": x.course_id, "state": x.state}),
}
# What is kept and no reply shows.
KEPT = {
    "RegisterUser.password": lambda w, request: w.wire.call(
        "session", "Login", login=request.user_name, password=request.password) and request.password,
    # Who reads another's data leaves a row too.
    "SetUserRoles.reason": lambda w, request: w.newest("reason", "audit WHERE action = 'SetUserRoles'", "audit_id"),
    "ApproveCourse.comment": lambda w, request: w.newest("reason", "audit WHERE action = 'ApproveCourse'", "audit_id"),
    "RejectCourse.reasons": lambda w, request: w.call("course", "GetCourse", "root-admin",
                                                      course_id=request.course_id).course.rejection_reasons,
    "ArchiveCourse.comment": lambda w, request: w.newest("reason", "audit WHERE action = 'ArchiveCourse'", "audit_id"),
    "UnarchiveCourse.comment": lambda w, request: w.newest("reason", "audit WHERE action = 'UnarchiveCourse'", "audit_id"),
    "SetLessonText.text": lambda w, request: w.text_of(request.lesson_id).text,
    "SetLessonText.format": lambda w, request: w.text_of(request.lesson_id).text_format,
    "GetLessonContent.device_name": lambda w, request: w.newest("device_name", "download", "start_time"),
    "HideReview.reason": lambda w, request: w.newest("reason", "audit WHERE action = 'HideReview'", "audit_id"),
    "UnhideReview.reason": lambda w, request: w.newest("reason", "audit WHERE action = 'UnhideReview'", "audit_id"),
    "SetQuiz.quiz": lambda w, request: w.quiz_of(request.lesson_id),
    "TopUpWallet.amount": lambda w, request: w.call("wallet", "GetWallet", "root-admin",
                                                    user_id=request.user_id).wallet.balances[0],
    "TopUpWallet.provider": lambda w, request: w.newest("provider", "payment", "transaction_id"),
    "TopUpWallet.provider_payment_id": lambda w, request: w.newest("provider_payment_id", "payment", "transaction_id"),
}
# What is at its limit and kept nowhere: who calls, what he knows, what is asked.
NOT_KEPT = {"etag", "update_mask", "request_id", "session_id", "password", "expected_total", "interval", "view", "use"}
# What says which resource an update is about, and is not changed.
WHICH = {"user_id", "course_id", "review_id", "etag"}


def microseconds(time):
    return Timestamp(seconds=time.seconds, nanos=time.nanos // 1000 * 1000)


# What is shown of a value, where it is not the value itself.
SHOWN = {
    "SetUserRoles.roles": lambda w, roles: sorted({1, *roles}),
    "CreateLesson.weight": lambda w, weight: weight or 1,
    "CreateLesson.release_time": lambda w, time: microseconds(time),
    "UpdateLesson.release_time": lambda w, time: microseconds(time),
    "RecordProgress.learning_seconds": lambda w, seconds: min(seconds, 600),  # no more than the session lasted
}
# What is answered at a limit where that is not OK: by the field's name, or by the method, the field's path and what of it.
# An id of nobody is not among them: whatever a method says of one is as good as another.
ANSWERS = {
    "etag": "ETAG_MISMATCH",
    "page_token": "PAGE_TOKEN_INVALID",
    "refresh_token": "REFRESH_TOKEN_INVALID",
    "login": "CREDENTIALS_INVALID",
    "Login.password longest": "CREDENTIALS_INVALID",
    "GetUser.user_name longest": "USER_NOT_FOUND",
    "GetCourseRevision.revision greatest": "REVISION_NOT_FOUND",
    "ListLessons.revision greatest": "REVISION_NOT_FOUND",
    # A price and what is paid in are above zero.
    "CreateCourse.price_list.prices[0].minor_units least": "FIELD_INVALID",
    "UpdateCourse.course.price_list.prices[0].minor_units least": "FIELD_INVALID",
    "TopUpWallet.amount.minor_units least": "FIELD_INVALID",
    "ListCourses.free_only true": "FIELD_INVALID",  # not together with a range of prices
    # Words are sought in what is published, and not under somebody's own key.
    "ListCourses.external_id longest": "FIELD_INVALID",
    "ListCourses.state COURSE_STATE_DRAFT": "FIELD_INVALID",
    "ListCourses.state COURSE_STATE_IN_REVIEW": "FIELD_INVALID",
    "ListCourses.state COURSE_STATE_ARCHIVED": "FIELD_INVALID",
    # What a role of content does not take, or needs besides.
    **{f"CreateContentUpload.role CONTENT_ROLE_{role}": "FIELD_INVALID"
       for role in ("MEDIA", "CAPTIONS", "TRANSCRIPT", "COVER", "TRAILER", "TEXT")},
    "CreateContentUpload.content_type longest": "FIELD_INVALID",  # no media type
    "GetLessonContent.use CONTENT_USE_STREAM": "FIELD_INVALID",  # on no device
    # No option of the question; the same text so often.
    "SetQuiz.quiz.questions[0].single_choice.solution.option_key longest": "FIELD_INVALID",
    "SetQuiz.quiz.questions[1].multiple_choice.solution.option_keys longest": "FIELD_INVALID",
    "SetQuiz.quiz.questions[1].multiple_choice.solution.option_keys most": "FIELD_INVALID",
    "SetQuiz.quiz.questions[3].text.solution.accepted most": "FIELD_INVALID",
    # One currency of two.
    "PurchaseCourse.currency_code longest": "FIELD_INVALID",
    "PurchaseCourse.expected_total.currency_code longest": "FIELD_INVALID",
    "PurchaseCourse.expected_total.minor_units least": "PRICE_CHANGED",
    "UpdateReview.review.stars least": "FIELD_INVALID",
    "UpdateLesson.lesson.weight least": "FIELD_INVALID",
    "lesson_ids": "ORDER_INCOMPLETE",  # there are not so many
    "sections": "ORDER_INCOMPLETE",
    "RecordProgress.epoch greatest": "FIELD_INVALID",  # there is one only
    "RecordProgress.client_time earliest": "FIELD_INVALID",  # before the session began
    "RecordProgress.client_time latest": "CLOCK_SKEW",
    "RecordProgress.session_start_time earliest": "SESSION_TOO_LONG",
    "RecordProgress.session_start_time latest": "FIELD_INVALID",
    "RecordProgress.completed true": "LESSON_KIND_MISMATCH",  # of a VIDEO
    "RecordProgress.interval.start_ms greatest": "FIELD_INVALID",  # after its end
}
# The items of a list, none like another.
ITEMS = {
    "edu.v1.QuizQuestion": lambda w, i: question(i),
    "edu.v1.QuizOption": lambda w, i: option(i),
    "edu.v1.SectionOrder": lambda w, i: {"section_id": f"sec_{i + 1:013}"},
    "edu.v1.CourseInstructor": lambda w, i: {"user_id": w.teacher(i)},
    "edu.v1.Money": lambda w, i: {"currency_code": CURRENCIES[i], "minor_units": 1},
}


# The field of a page that has the objects of a type.
LISTS = {field.message_type.name: field.name for name, method in METHODS.items() if name.startswith("List")
         for field in method.output_type.fields if field.message_type}


# The rules that Place tries, or that say a field is not the caller's to send.
TRIED = {"required", "min_length", "max_length", "min_items", "max_items", "range", "format", "id_kind", "output_only"}


class Place:
    """A field somewhere in a request: `steps` are the names of the fields and, where they are repeated, 0."""

    def __init__(self, steps, field):
        self.steps, self.field, self.repeated = steps, field, field.label == FieldDescriptor.LABEL_REPEATED
        self.rules = field.GetOptions().Extensions[OPTIONS.rules]
        self.format = OPTIONS.StringFormat.Name(self.rules.format)

    @property
    def path(self):
        return re.sub(r"\.(\d+)", r"[\1]", ".".join(map(str, (*self.steps, self.field.name))))

    def first_of_oneof(self):
        """Of a oneof, the path that says that none is there."""
        oneof = self.field.containing_oneof
        return Place(self.steps, oneof.fields[0]).path if oneof else self.path

    def is_there(self, request):
        """Of a oneof, whether it is the one."""
        oneof = self.field.containing_oneof
        return not oneof or self.holder(request).WhichOneof(oneof.name) == self.field.name

    def holder(self, request):
        for step in self.steps:
            request = request[step] if isinstance(step, int) else getattr(request, step)
        return request

    def put(self, request, value):
        holder = self.holder(request)
        if self.repeated:
            holder.ClearField(self.field.name)
            for item in value:
                if self.field.message_type:
                    getattr(holder, self.field.name).add(**item)
                else:
                    getattr(holder, self.field.name).append(item)
        elif self.field.message_type:
            getattr(holder, self.field.name).CopyFrom(value)
        else:
            setattr(holder, self.field.name, value)

    def filled(self, n):
        return FILLED[self.format](n)

    def items(self, w, n):
        if self.field.message_type:
            return [ITEMS[self.field.message_type.full_name](w, i) for i in range(n)]
        values = list(self.values())
        return [values[i % len(values)][1] for i in range(n)]

    def values(self):
        """What one value of the field may be at least and at most, the most last."""
        field, rules = self.field, self.rules
        if field.enum_type:
            yield from ((v.name, v.number) for v in field.enum_type.values if v.number)
        elif field.type == FieldDescriptor.TYPE_STRING:
            if rules.id_kind:
                yield "greatest", rules.id_kind + "_7" + "z" * 12
            if rules.min_length:
                yield "shortest", self.filled(rules.min_length)
            if not rules.id_kind:
                yield "longest", self.filled(rules.max_length or (0 if rules.format else 1000))
        elif field.type == FieldDescriptor.TYPE_BYTES:
            yield "longest", b"\xff" * rules.max_length
        elif rules.HasField("range"):
            yield "least", rules.range.min
            yield "greatest", rules.range.max
        elif field.type == FieldDescriptor.TYPE_BOOL:
            yield "true", True
        elif field.cpp_type in ENDS:
            yield from zip(("least", "greatest"), ENDS[field.cpp_type])
        elif is_timestamp(field):
            yield "earliest", Timestamp(seconds=-62135596800)
            yield "latest", Timestamp(seconds=253402300799, nanos=999999999)
        elif not field.message_type:
            raise NotImplementedError(f"say in Place.values and Place.wrong what {self.path} may hold")

    def wrong(self):
        """What one value may not be."""
        field, rules = self.field, self.rules
        if field.enum_type:
            yield "unknown", max(v.number for v in field.enum_type.values) + 1
        elif field.type == FieldDescriptor.TYPE_STRING:
            if rules.id_kind:
                yield "of another kind", "zzz_" + "0" * 12 + "1"
            if rules.format:
                yield "formless", FORMLESS[self.format]
            if rules.max_length and len(self.filled(rules.max_length + 1)) > rules.max_length:
                yield "too long", self.filled(rules.max_length + 1)
            if rules.min_length > 1:
                yield "too short", self.filled(rules.min_length - 1)
        elif field.type == FieldDescriptor.TYPE_BYTES:
            yield "too long", b"\xff" * (rules.max_length + 1)
            if rules.min_length > 1:
                yield "too short", b"\xff" * (rules.min_length - 1)
        elif rules.HasField("range"):
            least, greatest = ENDS[field.cpp_type]
            if rules.range.min > least:
                yield "too small", rules.range.min - 1
            if rules.range.max < greatest:
                yield "too great", rules.range.max + 1
        elif is_timestamp(field):
            yield "too early", Timestamp(seconds=-62135596801)
            yield "too late", Timestamp(seconds=253402300800)

    def at(self, w):
        """What, and the value, for all that the field may be at most and at least."""
        if not self.repeated:
            yield from self.values()
            return
        yield from ((what, [value]) for what, value in self.values())
        if self.rules.max_items:
            yield "most", self.items(w, self.rules.max_items)

    def beyond(self, w):
        """What, the value, and what is said to be wrong, for what is one more, or less, or not there; None: not there."""
        if self.rules.required:
            yield "not there", None, self.first_of_oneof()
        if not self.repeated:
            yield from ((what, value, self.path) for what, value in self.wrong())
            return
        yield from ((what, [value], self.path + "[0]") for what, value in self.wrong())
        if self.rules.max_items:
            yield "too many", self.items(w, self.rules.max_items + 1), self.path
        if self.rules.min_items > 1:
            yield "too few", self.items(w, self.rules.min_items - 1), self.path


def is_timestamp(field):
    return field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp"


def places(message, steps=()):
    for field in message.DESCRIPTOR.fields:
        place = Place(steps, field)
        if place.rules.output_only:
            continue
        yield place
        if field.message_type and not field.message_type.full_name.startswith("google."):
            inner = getattr(message, field.name)
            here = (*steps, field.name)
            if place.repeated:
                for i in distinct(inner):
                    yield from places(inner[i], (*here, i))
            elif not place.repeated and message.HasField(field.name):
                yield from places(inner, here)


def distinct(items):
    """Of items, the first, and each other that has something else in a oneof."""
    seen = {}
    for i, item in enumerate(items):
        seen.setdefault(tuple(item.WhichOneof(oneof.name) for oneof in item.DESCRIPTOR.oneofs), i)
    return seen.values()


def missing(message):
    """Fields that hold fields and are not in the message, so that those are not tried."""
    for place in places(message):
        kind = place.field.message_type
        if kind and kind.fields and not kind.full_name.startswith("google."):
            holder, oneof = place.holder(message), place.field.containing_oneof
            there = getattr(holder, place.field.name) if place.repeated else (
                holder.WhichOneof(oneof.name) if oneof else holder.HasField(place.field.name))
            if not there:
                yield place.path


class EveryLimit(unittest.TestCase):
    maxDiff = 500

    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(Stack())
        cls.world = Limits(cls.stack)
        cls.addClassCleanup(cls.world.wire.close)
        tables = cls.stack.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
                               " AND table_name NOT IN ('due', 'lease', 'node', 'event', 'event_audience', 'event_sequence')")
        cls.fingerprint = "; ".join(cls.sum_of(name) for name, in tables) + "; SELECT 'event', COUNT(*) FROM event"

    @classmethod
    def sum_of(cls, table):
        """The query that sums up a table by its stored columns; CHECKSUM TABLE differs by chance where some are virtual."""
        columns = cls.stack.sql("SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
                                f" AND table_name = '{table}' AND extra NOT LIKE '%VIRTUAL%'")
        row = "CRC32(CONCAT_WS(',', " + ", ".join(f"IFNULL(HEX({name}), '-')" for name, in columns) + "))"
        return f"SELECT '{table}', CONCAT_WS(' ', COUNT(*), SUM({row}), BIT_XOR({row})) FROM {table}"

    def request(self, method):
        caller, fields = REQUESTS[method.name](self.world)
        return caller, message_factory.GetMessageClass(method.input_type)(**fields)

    def send(self, method, caller, request):
        try:
            answer = self.world.wire.raw("/edu.v1.EduService/" + method.name, request.SerializeToString(),
                                         self.world.tokens[caller])
        except Refused as error:
            if error.code == "INTERNAL":  # the log alone says why, as which column was too short
                error.args = (f"{error}; {[x for x in self.stack.server_log().splitlines() if 'level=error' in x][-1:]}",)
            raise
        return message_factory.GetMessageClass(method.output_type).FromString(answer)

    def try_method(self, method):
        if method.name not in REQUESTS:
            self.fail(f"REQUESTS does not say how {method.name} is called")
        caller, request = self.request(method)
        self.assertEqual(list(missing(request)), [], f"REQUESTS of {method.name} must set what holds fields")
        self.send(method, caller, request)
        self.try_beyond(method)
        for place in list(places(request)):
            for what, value in place.at(self.world):
                with self.subTest(f"{method.name}.{place.path} {what}"):
                    self.try_at(method, f"{method.name}.{place.path} {what}", [(place, value)])
        with self.subTest(f"{method.name}: all at once"):
            self.try_at(method, None, list(self.all_at_once(method, request)))

    def all_at_once(self, method, request):
        for place in places(request):
            found = [(what, value) for what, value in place.at(self.world)
                     if not place.rules.id_kind and place.field.name not in ANSWERS]
            if found and f"{method.name}.{place.path} {found[-1][0]}" not in ANSWERS:
                yield place, found[-1][1]

    def try_beyond(self, method):
        caller, request = self.request(method)
        tries = [(place, *beyond) for place in places(request) for beyond in place.beyond(self.world)
                 if beyond[1] is not None or place.is_there(request)]
        before = self.stack.sql(self.fingerprint)
        for place, what, value, path in tries:
            with self.subTest(f"{method.name}.{place.path} {what}"):
                wrong = type(request)()
                wrong.CopyFrom(request)
                if value is None:
                    place.holder(wrong).ClearField(place.field.name)
                else:
                    place.put(wrong, value)
                with self.assertRaises(Refused) as caught:
                    self.send(method, caller, wrong)
                self.assertEqual((caught.exception.reason, caught.exception.fields), ("FIELD_INVALID", [path]),
                                 str(caught.exception)[:500])
        changed = [name for (name, after), (_, was) in zip(self.stack.sql(self.fingerprint), before) if after != was]
        self.assertEqual(changed, [], f"{method.name}: what is refused changed tables")

    def try_at(self, method, at, values):
        """Sends the values in one call; `at` names the one, and None means that all are taken."""
        caller, request = self.request(method)
        resource = "update_mask" in method.input_type.fields_by_name
        put = set()
        for place, value in values:
            place.put(request, value)
            top = [step for step in (*place.steps, place.field.name) if step != 0]
            if not resource:
                put.add((None, top[0]))
            elif len(top) > 1:
                put.add((top[0], top[1]))
        changed = sorted(name for holder, name in put if holder and name not in WHICH)
        if changed:
            request.update_mask.paths[:] = changed
        try:
            reply = self.send(method, caller, request)
        except Refused as error:
            self.check_refusal(at, values[0][0] if at else None, error)
            return
        self.assertNotIn(at, ANSWERS)
        if at:  # an etag that is not looked at, a page_token of nobody
            self.assertNotIn(values[0][0].field.name, ANSWERS)
        if method.GetOptions().idempotency_level != method.GetOptions().NO_SIDE_EFFECTS:
            for holder, name in put:
                self.is_whole(method, request, reply, name, holder)

    def check_refusal(self, at, place, error):
        if place and place.rules.id_kind:
            self.assertIn(error.code, ("NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION", "INVALID_ARGUMENT"),
                          str(error))
        else:
            self.assertEqual(error.reason, place and ANSWERS.get(at, ANSWERS.get(place.field.name)), str(error))

    def is_whole(self, method, request, reply, name, resource):
        key = f"{method.name}.{name}"
        sent = getattr(getattr(request, resource) if resource else request, name)
        if key in KEPT:
            self.assertEqual(KEPT[key](self.world, request), sent)
            return
        for field, shown in reply.ListFields():
            if field.message_type and name in field.message_type.fields_by_name:
                expected = SHOWN.get(key, lambda w, x: x)(self.world, sent)
                self.assertEqual(getattr(shown, name), expected)
                read = READ[field.message_type.name](self.world, shown)
                self.assertEqual(getattr(read, name), expected)
                self.is_listed(read)
                return
        self.assertIn(name, NOT_KEPT, f"no reply shows {key}: say in KEPT where it is, or in NOT_KEPT")

    def is_listed(self, whole):
        """Finds the object in its list, which shows all of it but what is said to be empty there."""
        kind = whole.DESCRIPTOR
        if kind.name not in LISTED:
            self.assertNotIn(kind.name, LISTS, "say in LISTED how the list is called that has it")
            return
        area, method, arguments = LISTED[kind.name]
        page = self.world.call(area, method, "root-admin", **arguments(whole))
        key = kind.fields[0].name  # its id
        listed = next(x for x in getattr(page, LISTS[kind.name]) if getattr(x, key) == getattr(whole, key))
        for field in kind.fields:
            if (method, field.name) in EMPTY_IN_LIST:
                whole.ClearField(field.name)
            self.assertEqual(getattr(listed, field.name), getattr(whole, field.name), f"{field.name} in {method}")


class Rules(unittest.TestCase):
    def test_none_is_unknown(self):
        self.assertEqual({f.name for f in OPTIONS.FieldRules.DESCRIPTOR.fields} - TRIED, set(), "say in Place how it is tried")

    def test_same_rules(self):
        """What a request gives or seeks of a resource that another request holds, as Course, has the resource's rules."""
        held = {field.message_type.full_name for method in METHODS.values() for field in method.input_type.fields
                if field.message_type}
        for method in METHODS.values():
            for resource in (f.message_type for f in method.output_type.fields if f.message_type):
                if resource.full_name in held:
                    self.same_rules(method.input_type, resource)

    def same_rules(self, request, resource):
        for field in request.fields:
            if field.name in resource.fields_by_name:
                theirs, ours = (rules_but_required(f) for f in (field, resource.fields_by_name[field.name]))
                if not ours.output_only:
                    self.assertEqual(theirs, ours, f"{request.name}.{field.name} and {resource.name}.{field.name}")


def rules_but_required(field):
    rules = OPTIONS.FieldRules()
    rules.CopyFrom(field.GetOptions().Extensions[OPTIONS.rules])
    if rules.required and rules.range.min == 1:  # 0 is unset: the resource, which may leave it so, begins there
        rules.range.min = 0
    rules.ClearField("required")
    return rules


def add(method):
    setattr(EveryLimit, "test_" + method.name, lambda self: self.try_method(method))


for _method in METHODS.values():
    add(_method)

if __name__ == "__main__":
    unittest.main()
