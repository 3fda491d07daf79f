# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every method, called by everybody, on their own objects and on others'.

A row says for whom the call passes authorization, and what everybody else is told. A method without a row fails the
run, and so does a caller that a row forgets: what a row does not name is refused.

Where the contract says that requests are about somebody (its `subject`), the row says about whom; then it is asked too
who is recorded for reading another's data, or for changing it, since the answer shows it.
"""
import datetime
import json
import pathlib
import subprocess
import threading
import unittest
import uuid

from google.protobuf.timestamp_pb2 import Timestamp

from names import id_number
from stack import PASSWORD, Stack
from test_every_rpc import QUIZ, SOLVED, World, declared_methods
from wire import Refused, Wire, fill, messages

# learner bought from teacher; stranger and rival are a learner and an instructor with nothing to do with either.
CALLERS = ("anonymous", "forged", "learner", "stranger", "teacher", "rival", "helper", "treasurer", "root-admin")
SIGNED_IN = set(CALLERS) - {"anonymous", "forged"}
EVERYBODY = set(CALLERS) - {"forged"}
INSTRUCTORS = {"teacher", "rival", "root-admin"}
OWNERS = {"teacher", "root-admin"}  # of the courses
NOBODY = "usr_0000000000001"
NOTHING = "cnt_0000000000001"


def row(method, what, request, may, passes="OK", others="ROLE_MISSING", about=None, **exceptions):
    """`passes` is what `may` get, `others` what the rest of the signed-in get; exceptions name single callers (with _ for
    -). Without a token, what is not public is TOKEN_MISSING; a token that is not ours is refused everywhere. `about` gives
    the id of whom it is about; None: nobody's data is shown."""
    return method, what, request, may, passes, others, about, {k.replace("_", "-"): v for k, v in exceptions.items()}


def caller_himself(w, c):
    return w.users[c]


def learner(w, c):
    return w.users["learner"]


def the_course(w, c):
    return w.course


def the_draft(w, c):
    return w.draft


def the_review(w, c):
    return w.review


def the_hidden(w, c):
    return w.hidden


ROWS = [
    row("RegisterUser", "a new name", lambda w, c: {"user_name": w.unique("n"), "password": PASSWORD}, EVERYBODY),
    row("Login", "the learner", lambda w, c: {"login": "learner", "password": PASSWORD}, EVERYBODY),
    row("RefreshSession", "a session", lambda w, c: {"refresh_token": w.session("learner").refresh_token}, EVERYBODY),

    row("GetUser", "oneself", lambda w, c: {}, SIGNED_IN, about=caller_himself),
    row("GetUser", "another by id", lambda w, c: {"user_id": w.users["learner"]},
        {"learner", "helper", "root-admin"}, about=learner),
    row("GetUser", "another by name", lambda w, c: {"user_name": "Learner"}, {"learner", "helper", "root-admin"},
        about=learner),
    row("GetUser", "nobody by id", lambda w, c: {"user_id": NOBODY}, {"helper", "root-admin"}, "USER_NOT_FOUND"),
    row("GetUser", "nobody by name", lambda w, c: {"user_name": "nobody-here"}, {"helper", "root-admin"},
        "USER_NOT_FOUND"),
    row("UpdateUser", "oneself", lambda w, c: w.new_bio(""), SIGNED_IN, about=caller_himself),
    row("UpdateUser", "another", lambda w, c: w.new_bio(w.users["learner"]), {"learner", "root-admin"}, about=learner),
    row("UpdateUser", "nobody", lambda w, c: w.new_bio(NOBODY), {"root-admin"}, "USER_NOT_FOUND"),
    row("SetUserRoles", "oneself", lambda w, c: {"user_id": w.users[c], "roles": [5], "reason": "x", "etag": "r0"},
        {"root-admin"}, "ETAG_MISMATCH", about=caller_himself),
    row("SetUserRoles", "another", lambda w, c: {"user_id": w.users["stranger"], "roles": [5], "reason": "x",
                                                 "etag": "r0"}, {"root-admin"}, "ETAG_MISMATCH",
        about=lambda w, c: w.users["stranger"]),

    row("CreateCourse", "one's own", lambda w, c: {"title": w.unique("Course")}, INSTRUCTORS,
        root_admin="INSTRUCTOR_NOT_QUALIFIED"),
    row("CreateCourse", "another's", lambda w, c: {"title": w.unique("Course"),
                                                   "instructors": [{"user_id": w.users["teacher"]}]},
        OWNERS, rival="FIELD_INVALID"),
    row("CopyCourse", "a draft", lambda w, c: {"course_id": w.draft}, OWNERS,
        rival="COURSE_NOT_FOUND", about=the_draft),
    row("CopyCourse", "a published one", lambda w, c: {"course_id": w.course}, OWNERS,
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("ListCourseRevisions", "of a draft", lambda w, c: {"course_id": w.draft}, OWNERS, others="COURSE_NOT_FOUND",
        anonymous="COURSE_NOT_FOUND"),
    row("ListCourseRevisions", "of a published one", lambda w, c: {"course_id": w.course}, OWNERS | {"learner"},
        others="ACCESS_MISSING", anonymous="ACCESS_MISSING"),
    row("GetCourseRevision", "of a draft", lambda w, c: {"course_id": w.draft, "revision": 1}, OWNERS, "REVISION_NOT_FOUND",
        others="COURSE_NOT_FOUND", anonymous="COURSE_NOT_FOUND"),
    row("GetCourseRevision", "of a published one", lambda w, c: {"course_id": w.course, "revision": 1},
        OWNERS | {"learner"}, others="ACCESS_MISSING", anonymous="ACCESS_MISSING"),
    row("UpdateCourse", "a draft", lambda w, c: w.new_license(w.draft), OWNERS, rival="COURSE_NOT_FOUND",
        about=the_draft),
    row("UpdateCourse", "a published one", lambda w, c: w.new_license(w.course), OWNERS,
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("UpdateCourse", "a published one's price", lambda w, c: w.new_price(w.course), OWNERS,
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("GetCourse", "a draft", lambda w, c: {"course_id": w.draft}, OWNERS, others="COURSE_NOT_FOUND",
        anonymous="COURSE_NOT_FOUND"),
    row("GetCourse", "a published one", lambda w, c: {"course_id": w.course}, EVERYBODY),
    row("GetInstructor", "a teacher", lambda w, c: {"instructor_id": w.users["teacher"]}, EVERYBODY),
    row("GetInstructor", "a learner", lambda w, c: {"instructor_id": w.users["learner"]}, EVERYBODY,
        "INSTRUCTOR_NOT_FOUND"),
    row("GetInstructor", "nobody", lambda w, c: {"instructor_id": NOBODY}, EVERYBODY, "INSTRUCTOR_NOT_FOUND"),
    row("GetCourse", "what is edited of a draft", lambda w, c: {"course_id": w.draft, "view": 2}, OWNERS,
        others="COURSE_NOT_FOUND", anonymous="COURSE_NOT_FOUND"),
    row("GetCourse", "what is edited of a published one", lambda w, c: {"course_id": w.course, "view": 2}, OWNERS,
        others="NOT_COURSE_INSTRUCTOR", anonymous="NOT_COURSE_INSTRUCTOR"),
    row("ListCourses", "the catalogue", lambda w, c: {}, EVERYBODY),
    row("ListCourses", "an instructor's", lambda w, c: {"instructor_id": w.users["teacher"]}, EVERYBODY),
    row("ListCourses", "an instructor's drafts", lambda w, c: {"instructor_id": w.users["teacher"], "state": 1},
        OWNERS, others="NOT_COURSE_INSTRUCTOR", anonymous="NOT_COURSE_INSTRUCTOR"),
    row("ListCourses", "everybody's drafts", lambda w, c: {"state": 1}, {"root-admin"},
        others="NOT_COURSE_INSTRUCTOR", anonymous="NOT_COURSE_INSTRUCTOR"),
    row("CreateSubject", "a new one", lambda w, c: {"name_en": w.unique("s"), "name_zh": w.unique("s")}, {"root-admin"}),
    row("ListSubjects", "all", lambda w, c: {}, EVERYBODY),
    row("SubmitCourseForReview", "a draft", lambda w, c: {"course_id": w.draft, "etag": "r0"}, OWNERS,
        "ETAG_MISMATCH", rival="COURSE_NOT_FOUND", about=the_draft),
    row("SubmitCourseForReview", "a published one", lambda w, c: {"course_id": w.course, "etag": "r0"}, OWNERS,
        "ETAG_MISMATCH", rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("ApproveCourse", "a draft", lambda w, c: {"course_id": w.draft}, {"root-admin"}, "COURSE_STATE_INVALID",
        about=the_draft),
    row("ApproveCourse", "one's own", lambda w, c: {"course_id": w.admins_course}, {"root-admin"}, "SELF_APPROVAL",
        about=lambda w, c: w.admins_course),
    row("RejectCourse", "a draft", lambda w, c: {"course_id": w.draft, "reasons": ["x"]}, {"root-admin"},
        "COURSE_STATE_INVALID", about=the_draft),
    row("RejectCourse", "one's own", lambda w, c: {"course_id": w.admins_course, "reasons": ["x"]}, {"root-admin"},
        "SELF_APPROVAL", about=lambda w, c: w.admins_course),
    row("WithdrawCourse", "a draft", lambda w, c: {"course_id": w.draft}, OWNERS, "COURSE_STATE_INVALID",
        rival="COURSE_NOT_FOUND", about=the_draft),
    row("WithdrawCourse", "a published one", lambda w, c: {"course_id": w.course}, OWNERS, "COURSE_STATE_INVALID",
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("ArchiveCourse", "a draft", lambda w, c: {"course_id": w.draft}, OWNERS, "COURSE_STATE_INVALID",
        rival="COURSE_NOT_FOUND", about=the_draft),
    row("ArchiveCourse", "a published one", lambda w, c: {"course_id": w.course, "etag": "r0"}, OWNERS, "ETAG_MISMATCH",
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("UnarchiveCourse", "a published one", lambda w, c: {"course_id": w.course}, {"root-admin"},
        "COURSE_STATE_INVALID", about=the_course),
    row("CreateLesson", "in a draft", lambda w, c: {"course_id": w.draft, "title": "L", "kind": 2}, OWNERS,
        rival="COURSE_NOT_FOUND", about=the_draft),
    row("CreateLesson", "in a published one", lambda w, c: {"course_id": w.course, "title": "L", "kind": 2}, OWNERS,
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("CreateSection", "in a draft", lambda w, c: {"course_id": w.draft_of_many, "title": "S"}, OWNERS,
        rival="COURSE_NOT_FOUND", about=lambda w, c: w.draft_of_many),
    row("CreateSection", "in a published one", lambda w, c: {"course_id": w.course, "title": "S"}, OWNERS,
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("UpdateSection", "of a draft", lambda w, c: w.renamed("section", w.draft_section), OWNERS, "ETAG_MISMATCH",
        rival="SECTION_NOT_FOUND", about=the_draft),
    row("DeleteSection", "of a draft", lambda w, c: {"section_id": w.draft_section, "etag": "r0"}, OWNERS, "ETAG_MISMATCH",
        rival="SECTION_NOT_FOUND", about=the_draft),
    row("UpdateLesson", "of a draft", lambda w, c: w.renamed("lesson", w.draft_lesson), OWNERS, "ETAG_MISMATCH",
        rival="LESSON_NOT_FOUND", about=the_draft),
    row("UpdateLesson", "of a published course", lambda w, c: w.renamed("lesson", w.lesson), OWNERS, "ETAG_MISMATCH",
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("DeleteLesson", "of a draft", lambda w, c: {"lesson_id": w.draft_lesson, "etag": "r0"}, OWNERS, "ETAG_MISMATCH",
        rival="LESSON_NOT_FOUND", about=the_draft),
    row("DeleteLesson", "of a published course", lambda w, c: {"lesson_id": w.lesson, "etag": "r0"}, OWNERS,
        "ETAG_MISMATCH", rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("ReorderLessons", "of a draft", lambda w, c: {"course_id": w.draft, "etag": "r0"}, OWNERS, "ETAG_MISMATCH",
        rival="COURSE_NOT_FOUND", about=the_draft),
    row("ReorderLessons", "of a published course", lambda w, c: {"course_id": w.course, "etag": "r0"}, OWNERS,
        "ETAG_MISMATCH", rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("ListLessons", "of a draft", lambda w, c: {"course_id": w.draft}, OWNERS, others="COURSE_NOT_FOUND",
        anonymous="COURSE_NOT_FOUND"),
    row("ListLessons", "of a published one", lambda w, c: {"course_id": w.course}, EVERYBODY),
    row("ListLessons", "of a revision", lambda w, c: {"course_id": w.course, "revision": 1}, OWNERS | {"learner"},
        others="ACCESS_MISSING", anonymous="ACCESS_MISSING"),
    row("ListLessons", "of a revision that is not there", lambda w, c: {"course_id": w.course, "revision": 99},
        OWNERS | {"learner"}, "REVISION_NOT_FOUND", others="ACCESS_MISSING", anonymous="ACCESS_MISSING"),
    row("CreateContentUpload", "for a draft", lambda w, c: w.file(w.draft_lesson), OWNERS, rival="LESSON_NOT_FOUND",
        about=the_draft),
    row("CreateContentUpload", "for a published course", lambda w, c: w.file(w.lesson), OWNERS,
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("CreateContentUpload", "for a draft itself", lambda w, c: w.cover(w.draft), OWNERS, rival="COURSE_NOT_FOUND",
        about=the_draft),
    row("AttachContent", "to a draft", lambda w, c: {"content_id": w.content}, OWNERS, rival="CONTENT_NOT_FOUND",
        about=the_draft),
    row("SetLessonText", "of a draft", lambda w, c: {"lesson_id": w.draft_lesson, "text": "T", "format": 1}, OWNERS,
        rival="LESSON_NOT_FOUND", about=the_draft),
    row("SetLessonText", "of a published course", lambda w, c: {"lesson_id": w.lesson, "text": "T", "format": 1}, OWNERS,
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("RemoveAttachment", "from a published course", lambda w, c: {"lesson_id": w.lesson, "content_id": NOTHING}, OWNERS,
        "CONTENT_NOT_FOUND", rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("AttachContent", "to a published course", lambda w, c: {"content_id": w.late_content}, OWNERS,
        rival="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("RemoveAttachment", "what is not there", lambda w, c: {"lesson_id": w.draft_lesson, "content_id": NOTHING}, OWNERS,
        "CONTENT_NOT_FOUND", rival="LESSON_NOT_FOUND", about=the_draft),
    row("ListAttachments", "of a draft", lambda w, c: {"lesson_id": w.draft_lesson}, OWNERS, others="LESSON_NOT_FOUND",
        anonymous="LESSON_NOT_FOUND"),
    row("ListAttachments", "of a draft itself", lambda w, c: {"course_id": w.draft}, OWNERS, others="COURSE_NOT_FOUND",
        anonymous="COURSE_NOT_FOUND"),
    row("ListAttachments", "of a published course", lambda w, c: {"lesson_id": w.lesson}, EVERYBODY),
    row("ListAttachments", "of what is edited", lambda w, c: {"lesson_id": w.lesson, "view": 2}, OWNERS,
        others="NOT_COURSE_INSTRUCTOR", anonymous="NOT_COURSE_INSTRUCTOR"),
    row("GetLessonContent", "of a draft", lambda w, c: {"lesson_id": w.draft_lesson}, OWNERS, others="LESSON_NOT_FOUND",
        anonymous="LESSON_NOT_FOUND"),
    row("GetLessonContent", "of a published course", lambda w, c: {"lesson_id": w.lesson}, OWNERS | {"learner"},
        others="ACCESS_MISSING", anonymous="ACCESS_MISSING"),
    row("GetLessonContent", "to take along", lambda w, c: {"lesson_id": w.lesson, "use": 2, "device_name": "d"},
        OWNERS | {"learner"}, others="ACCESS_MISSING", anonymous="ACCESS_MISSING"),
    row("GetLessonContent", "of what is edited", lambda w, c: {"lesson_id": w.lesson, "view": 2}, OWNERS,
        others="NOT_COURSE_INSTRUCTOR", anonymous="NOT_COURSE_INSTRUCTOR"),
    row("SetQuiz", "of a draft", lambda w, c: {"lesson_id": w.draft_quiz, "quiz": QUIZ}, OWNERS, rival="LESSON_NOT_FOUND",
        about=the_draft),
    row("SetQuiz", "of a published course", lambda w, c: {"lesson_id": w.quiz, "quiz": QUIZ}, OWNERS,
        rival="NOT_COURSE_INSTRUCTOR", about=lambda w, c: w.quizzed),
    row("GetQuiz", "of a draft", lambda w, c: {"lesson_id": w.draft_quiz}, OWNERS, others="LESSON_NOT_FOUND",
        anonymous="LESSON_NOT_FOUND"),
    row("GetQuiz", "of a published course", lambda w, c: {"lesson_id": w.quiz}, OWNERS | {"learner"},
        others="ACCESS_MISSING", anonymous="ACCESS_MISSING"),
    row("GetQuiz", "of what is edited", lambda w, c: {"lesson_id": w.quiz, "view": 2}, OWNERS,
        others="NOT_COURSE_INSTRUCTOR", anonymous="NOT_COURSE_INSTRUCTOR"),
    row("GetQuiz", "of another kind of lesson", lambda w, c: {"lesson_id": w.lesson}, OWNERS | {"learner"}, "QUIZ_NOT_FOUND",
        others="ACCESS_MISSING", anonymous="ACCESS_MISSING"),
    row("ListLessons", "the draft of a published one", lambda w, c: {"course_id": w.course, "view": 2}, OWNERS,
        others="NOT_COURSE_INSTRUCTOR", anonymous="NOT_COURSE_INSTRUCTOR"),
    row("TopUpWallet", "one's own", lambda w, c: w.payment(w.users[c]), {"treasurer"}, "SELF_CREDIT",
        about=caller_himself),
    row("TopUpWallet", "another's", lambda w, c: w.payment(w.users["learner"]), {"treasurer"}, about=learner),
    row("TopUpWallet", "another's again", lambda w, c: w.payment(w.users["learner"], w.payment_id), {"treasurer"},
        about=learner),
    row("GetWallet", "one's own", lambda w, c: {}, SIGNED_IN, about=caller_himself),
    row("GetWallet", "another's", lambda w, c: {"user_id": w.users["learner"]},
        {"learner", "helper", "treasurer", "root-admin"}, about=learner),
    row("GetWallet", "nobody's", lambda w, c: {"user_id": NOBODY}, {"helper", "treasurer", "root-admin"},
        "USER_NOT_FOUND"),
    row("PurchaseCourse", "a published one", lambda w, c: w.order(w.course, 0), SIGNED_IN, "PRICE_CHANGED",
        learner="ALREADY_PURCHASED", teacher="SELF_PURCHASE"),
    row("PurchaseCourse", "a draft", lambda w, c: w.order(w.draft, 9999), OWNERS, "COURSE_NOT_PUBLISHED",
        others="COURSE_NOT_FOUND"),
    row("GetPurchase", "another's", lambda w, c: {"purchase_id": w.purchase}, {"learner", "helper", "root-admin"},
        others="PURCHASE_NOT_FOUND", about=learner),
    row("ListPurchases", "one's own", lambda w, c: {}, SIGNED_IN, about=caller_himself),
    row("ListPurchases", "another's", lambda w, c: {"user_id": w.users["learner"]},
        {"learner", "helper", "root-admin"}, about=learner),
    row("ListPurchases", "nobody's", lambda w, c: {"user_id": NOBODY}, {"helper", "root-admin"},
        about=lambda w, c: NOBODY),

    row("RecordProgress", "one's own", lambda w, c: w.report(w.lesson), {"learner"}, others="NOT_ENROLLED",
        about=caller_himself),
    row("RecordProgress", "another's", lambda w, c: w.report(w.lesson, "learner"), {"learner"}, about=learner),
    row("RecordProgress", "in a draft", lambda w, c: w.report(w.draft_lesson), OWNERS, "NOT_ENROLLED",
        others="LESSON_NOT_FOUND", about=caller_himself),
    row("GetCourseProgress", "one's own", lambda w, c: {"course_id": w.course}, {"learner"},
        others="ENROLLMENT_NOT_FOUND", about=caller_himself),
    row("GetCourseProgress", "another's", lambda w, c: {"course_id": w.course, "user_id": w.users["learner"]},
        OWNERS | {"learner", "helper"}, others="NOT_COURSE_INSTRUCTOR", about=learner),
    row("GetCourseProgress", "another's in a draft",
        lambda w, c: {"course_id": w.draft, "user_id": w.users["learner"]}, OWNERS, "ENROLLMENT_NOT_FOUND",
        others="COURSE_NOT_FOUND", learner="ENROLLMENT_NOT_FOUND", helper="ENROLLMENT_NOT_FOUND", about=learner),
    row("GetCourseProgress", "one's own in nothing", lambda w, c: {"course_id": "crs_0000000000001"}, SIGNED_IN,
        "ENROLLMENT_NOT_FOUND", about=caller_himself),
    row("ListEnrollments", "one's own", lambda w, c: {}, SIGNED_IN, about=caller_himself),
    row("ListEnrollments", "another's", lambda w, c: {"user_id": w.users["learner"]},
        {"learner", "helper", "root-admin"}, about=learner),
    row("ListEnrollments", "a course's", lambda w, c: {"course_id": w.course}, OWNERS,
        others="NOT_COURSE_INSTRUCTOR", about=the_course),
    row("ListEnrollments", "a draft's", lambda w, c: {"course_id": w.draft}, OWNERS, others="COURSE_NOT_FOUND",
        about=the_draft),
    row("ListEnrollments", "another's in a course",
        lambda w, c: {"course_id": w.course, "user_id": w.users["learner"]},
        OWNERS | {"learner", "helper"}, others="NOT_COURSE_INSTRUCTOR", about=learner),

    row("CreateReview", "of a published one", lambda w, c: {"course_id": w.course, "stars": 4}, {"learner"},
        "ALREADY_REVIEWED", others="ENROLLMENT_NOT_FOUND", teacher="SELF_REVIEW"),
    row("CreateReview", "of a draft", lambda w, c: {"course_id": w.draft, "stars": 4}, {"teacher"}, "SELF_REVIEW",
        others="COURSE_NOT_FOUND", root_admin="ENROLLMENT_NOT_FOUND"),
    row("UpdateReview", "a shown one", lambda w, c: w.new_text(w.review), {"learner"}, about=the_review),
    row("UpdateReview", "a hidden one", lambda w, c: w.new_text(w.hidden), set(), others="REVIEW_NOT_FOUND",
        helper="ROLE_MISSING", root_admin="ROLE_MISSING", about=the_hidden),
    row("ListReviews", "of a published one", lambda w, c: {"course_id": w.course}, EVERYBODY),
    row("ListReviews", "of a draft", lambda w, c: {"course_id": w.draft}, OWNERS, others="COURSE_NOT_FOUND",
        anonymous="COURSE_NOT_FOUND"),
    row("ListReviews", "hidden ones", lambda w, c: {"course_id": w.course, "state": 2}, {"helper", "root-admin"},
        anonymous="ROLE_MISSING"),
    row("HideReview", "a shown one", lambda w, c: {"review_id": w.review, "reason": "x", "etag": "r0"}, {"root-admin"},
        "ETAG_MISMATCH", about=the_review),
    row("HideReview", "a hidden one", lambda w, c: {"review_id": w.hidden, "reason": "x"}, {"root-admin"},
        "REVIEW_STATE_INVALID", about=the_hidden),
    row("UnhideReview", "a shown one", lambda w, c: {"review_id": w.review, "reason": "x"}, {"root-admin"},
        "REVIEW_STATE_INVALID", about=the_review),
    row("UnhideReview", "a hidden one", lambda w, c: {"review_id": w.hidden, "reason": "x", "etag": "r0"}, {"root-admin"},
        "ETAG_MISMATCH", about=the_hidden),

    row("ReportContent", "a published one", lambda w, c: {"course_id": w.course, "kind": 4}, SIGNED_IN,
        learner="ALREADY_REPORTED"),
    row("ReportContent", "a draft", lambda w, c: {"course_id": w.draft, "kind": 4}, OWNERS, others="COURSE_NOT_FOUND"),
    row("ReportContent", "a draft's lesson", lambda w, c: {"lesson_id": w.draft_lesson, "kind": 4}, OWNERS,
        others="LESSON_NOT_FOUND"),
    row("ReportContent", "a shown review", lambda w, c: {"review_id": w.review, "kind": 4}, SIGNED_IN),
    row("ReportContent", "a hidden review", lambda w, c: {"review_id": w.hidden, "kind": 4}, {"helper", "root-admin"},
        others="REVIEW_NOT_FOUND"),
    row("GetReport", "another's", lambda w, c: {"report_id": w.report_id}, {"learner", "root-admin"},
        others="REPORT_NOT_FOUND", about=learner),
    row("ListReports", "all", lambda w, c: {}, {"root-admin"}),
    row("ResolveReport", "of one's own course", lambda w, c: {"report_id": w.own_report, "outcome": 1, "comment": "x"},
        {"root-admin"}, "SELF_REVIEW"),
    row("ResolveReport", "another's", lambda w, c: {"report_id": w.report_id, "outcome": 1, "comment": "x"}, {"root-admin"}),
    row("ResolveReport", "a resolved one", lambda w, c: {"report_id": w.report_id, "outcome": 1, "comment": "x"},
        {"root-admin"}, "REPORT_STATE_INVALID"),
    # Last: whoever teaches is enrolled from here on.
    row("EnrollInCourse", "a published one", lambda w, c: w.enrollment(w.course), SIGNED_IN, "ACCESS_MISSING",
        learner="OK", teacher="OK"),
    row("EnrollInCourse", "a draft", lambda w, c: w.enrollment(w.enrollable_draft), {"teacher"}, "OK",
        others="COURSE_NOT_FOUND", root_admin="COURSE_NOT_PUBLISHED"),
    row("EnrollInCourse", "a free one", lambda w, c: w.enrollment(w.free_course), SIGNED_IN),
]


class Scene(World):
    """The objects that the rows name, and requests about them."""

    def __init__(self, stack):
        super().__init__(stack)
        stack.register("rival", "INSTRUCTOR")
        stack.register("helper", "SUPPORT")
        stack.register("stranger")
        stack.users["root-admin"] = self.edu("get-user", user="root-admin")["user"]["userId"]
        stack.users["forged"] = stack.users["learner"]
        stack.users["anonymous"] = stack.users["learner"]
        self.users = stack.users
        self.draft, self.enrollable_draft = self.new_course(), self.new_course()
        self.free_course = self.publish(self.new_course("--free"))
        # Made by the administrator for the teacher.
        self.admins_course = self.edu("create-course", "--title", "For the teacher", "--instructors", json.dumps(
            {"userId": self.users["teacher"]}), user="root-admin")["course"]["courseId"]
        self.draft_lesson = self.add_lesson(self.draft, "TEXT")["lessonId"]
        self.draft_section = self.add_section(self.draft)["sectionId"]
        self.draft_of_many = self.new_course()
        self.lesson = self.lessons[1]["lessonId"]
        self.draft_quiz = self.add_lesson(self.draft, "QUIZ")["lessonId"]
        self.quizzed = self.publish(self.new_course(), "QUIZ")
        self.quiz = self.edu("list-lessons", "--course-id", self.quizzed)["lessons"][0]["lessonId"]
        self.top_up("learner", "50 EUR")
        self.buy(self.quizzed, "learner")
        self.purchase = self.buy(self.course, "learner")["purchaseId"]
        self.wire = Wire(stack.target)
        self.tokens = {c: self.session(c).access_token for c in SIGNED_IN}
        self.tokens["anonymous"] = None
        self.payment_id = self.unique("p")
        self.wire.call("wallet", "TopUpWallet", self.tokens["treasurer"],
                       **self.payment(self.users["learner"], self.payment_id))
        head, claims, signature = self.tokens["root-admin"].split(".")
        self.tokens["forged"] = f"{head}.{claims}.{signature[::-1]}"
        self.content = self.wire.call("content", "CreateContentUpload", self.tokens["teacher"],
                                      **self.file(self.draft_lesson)).content.content_id
        self.late_content = self.wire.call("content", "CreateContentUpload", self.tokens["teacher"],
                                           **self.file(self.lesson)).content.content_id
        self.audited = 0
        self.review = self.write_review("learner")
        self.hidden = self.write_review(self.enrolled_learner(self.course))
        self.wire.call("review", "HideReview", self.tokens["root-admin"], review_id=self.hidden, reason="x")
        self.report_id, self.own_report = (
            self.wire.call("review", "ReportContent", self.tokens[c], course_id=course, kind=4).report.report_id
            for c, course in (("learner", self.course), ("teacher", self.admins_course)))

    def write_review(self, name):
        """Of who has completed half of the course."""
        token = self.session(name).access_token
        self.wire.call("progress", "RecordProgress", token, **self.report(self.lesson), completed=True)
        return self.wire.call("review", "CreateReview", token, course_id=self.course, stars=3).review.review_id

    def audit(self):
        """What was recorded since it was last asked: (actor, action, subject)."""
        rows = self.stack.sql(f"SELECT audit_id, actor_id, action, subject_id FROM audit WHERE audit_id > {self.audited}"
                              " ORDER BY audit_id")
        self.audited = rows[-1][0] if rows else self.audited
        return [(int(actor), action, int(subject)) for _, actor, action, subject in rows]

    def unique(self, prefix):
        return f"{prefix}-{uuid.uuid4().hex[:16]}"

    def session(self, name):
        return self.wire.call("session", "Login", login=name, password=PASSWORD).session

    def new_bio(self, user_id):
        return {"user": {"user_id": user_id, "bio": self.unique("bio")}, "update_mask": {"paths": ["bio"]}}

    def new_license(self, course_id):
        return {"course": {"course_id": course_id, "license": self.unique("l")},
                "update_mask": {"paths": ["license"]}}

    def new_price(self, course_id):
        return {"course": {"course_id": course_id,
                           "price_list": {"prices": [{"currency_code": "EUR", "minor_units": 1250}]}},
                "update_mask": {"paths": ["price_list"]}}

    def file(self, lesson_id):
        return {"lesson_id": lesson_id, "role": 4, "content_type": "text/plain", "file_name": "f", "size_bytes": 1,
                "sha256": bytes(32)}

    def cover(self, course_id):
        return {"course_id": course_id, "role": 5, "content_type": "image/png", "size_bytes": 1, "sha256": bytes(32)}

    def new_text(self, review_id):
        return {"review": {"review_id": review_id, "text": self.unique("t")}, "update_mask": {"paths": ["text"]}}

    def renamed(self, what, part_id):
        return {what: {f"{what}_id": part_id, "title": "T"}, "update_mask": {"paths": ["title"]}, "etag": "r0"}

    def payment(self, user_id, payment_id=None):
        return {"user_id": user_id, "amount": {"currency_code": "USD", "minor_units": 1}, "provider": "bank",
                "provider_payment_id": payment_id or self.unique("p"), "request_id": str(uuid.uuid4())}

    def order(self, course_id, total):
        return {"course_id": course_id, "currency_code": "EUR", "payment_source": 1, "request_id": str(uuid.uuid4()),
                "expected_total": {"currency_code": "EUR", "minor_units": total}}

    def enrollment(self, course_id):
        return {"course_id": course_id, "request_id": str(uuid.uuid4())}

    def report(self, lesson_id, whose=None):
        now = Timestamp()
        now.FromDatetime(datetime.datetime.now(datetime.timezone.utc))
        return {"lesson_id": lesson_id, "session_id": str(uuid.uuid4()), "client_time": now,
                "session_start_time": now, "user_id": self.users[whose] if whose else ""}


def area_of(method):
    service = messages("edu.v1.edu_service").DESCRIPTOR.services_by_name["EduService"]
    return pathlib.PurePath(service.methods_by_name[method].input_type.file.name).stem


def contract(method):
    """What it says of a method: whether it only reads, and its policy."""
    options = messages("grpc_c.v1.options")
    declared = messages("edu.v1.edu_service").DESCRIPTOR.services_by_name["EduService"].methods_by_name[method]
    policy = declared.GetOptions().Extensions[options.policy]
    return declared.GetOptions().idempotency_level == declared.GetOptions().NO_SIDE_EFFECTS, policy, options


class Authorization(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack().__enter__()
        cls.scene = Scene(cls.stack)

    @classmethod
    def tearDownClass(cls):
        cls.scene.wire.close()
        cls.stack.__exit__(None, None, None)

    def outcome(self, caller, method, fields):
        try:
            self.scene.wire.call(area_of(method), method, self.scene.tokens[caller], **fields)
            return "OK"
        except Refused as error:
            return error.reason

    @staticmethod
    def expected(caller, may, passes, others, exceptions):
        if caller == "forged":
            return "TOKEN_INVALID"
        if caller in exceptions:
            return exceptions[caller]
        if caller in may:
            return passes
        return "TOKEN_MISSING" if caller == "anonymous" else others

    def test_every_method_has_a_row(self):
        self.assertEqual(sorted(declared_methods()), sorted({r[0] for r in ROWS}))

    def test_every_row(self):
        scene = self.scene
        for method, what, request, may, passes, others, about, exceptions in ROWS:
            reads, _, _ = contract(method)
            for caller in CALLERS:
                with self.subTest(f"{method}: {what}, by {caller}"):
                    scene.audit()
                    outcome = self.outcome(caller, method, request(scene, caller))
                    self.assertEqual(outcome, self.expected(caller, may, passes, others, exceptions))
                    whose = about(scene, caller) if about else None
                    if not reads and not (whose or "").startswith("usr_"):
                        continue
                    shown = outcome == "OK" and whose is not None and whose != scene.users[caller]
                    self.assertEqual(scene.audit(), [(id_number(scene.users[caller]), method,
                                                      id_number(whose))] if shown else [])

    def test_what_only_reads_may_be_repeated(self):
        for method in declared_methods():
            reads, policy, _ = contract(method)
            self.assertTrue(policy.retryable or not reads, f"{method} only reads, so it is retryable")

    def test_who_is_named_is_whom_it_is_about(self):
        """A user_id in a request says so, and the policy with it who may name another."""
        for method in declared_methods():
            _, policy, options = contract(method)
            if policy.subject.source == options.SUBJECT_NONE:
                request = getattr(messages("edu.v1." + area_of(method)), method + "Request").DESCRIPTOR
                self.assertNotIn("user_id", request.fields_by_name, f"{method} has SUBJECT_NONE")

    def test_every_subject_has_its_rows(self):
        """Of a method that is about somebody: oneself passes, a stranger is refused, and so is none whom the contract
        lets through."""
        scene = self.scene
        for method in declared_methods():
            _, policy, options = contract(method)
            subject = policy.subject
            if subject.source in (options.SUBJECT_UNSPECIFIED, options.SUBJECT_NONE):
                continue
            own, passed, refused, of_users = set(), set(), set(), False
            for name, _, _, may, passes, others, about, exceptions in ROWS:
                for caller in SIGNED_IN if name == method and about else ():
                    outcome = self.expected(caller, may, passes, others, exceptions)
                    if about(scene, caller) == scene.users[caller]:
                        own.add(outcome)
                    else:
                        (passed if caller in may else refused).add(outcome)
                    of_users = about(scene, caller).startswith("usr_")
            with self.subTest(method):
                self.assertTrue(own or not of_users, "no row about oneself")
                self.assertTrue(refused, "no stranger is refused")
                self.assertTrue(passed or not subject.roles, "nobody with a role passes")

    def test_no_solution_leaves_the_server(self):
        """Not in what anybody but the course's instructors and administrators gets, answers and refusals alike, nor in what is
        kept or logged."""
        scene = self.scene
        for caller in sorted(set(CALLERS) - OWNERS):
            for method, fields in (("GetQuiz", {"lesson_id": scene.quiz}), ("GetQuiz", {"lesson_id": scene.draft_quiz}),
                                   ("SetQuiz", {"lesson_id": scene.quiz, "quiz": QUIZ})):
                request = getattr(messages("edu.v1.quiz"), method + "Request")(**fields)
                try:
                    told = scene.wire.raw("/edu.v1.EduService/" + method, request.SerializeToString(), scene.tokens[caller])
                except Refused as error:
                    told = repr(error.__dict__).encode()
                for secret in SOLVED:
                    self.assertNotIn(secret, told, f"{method} by {caller}")
        whole = scene.wire.call("quiz", "GetQuiz", scene.tokens["teacher"], lesson_id=scene.quiz).SerializeToString()
        tables = [name for name, in self.stack.sql("SELECT table_name FROM information_schema.tables WHERE table_schema ="
                                                   " DATABASE() AND table_name <> 'quiz'")]
        kept = self.stack.dump(*tables)
        shown = self.stack.sql("SELECT HEX(shown) FROM quiz")
        for secret in SOLVED:
            self.assertIn(secret, whole)
            self.assertNotIn(secret, kept)
            self.assertNotIn(secret.decode(), self.stack.server_log())
            self.assertFalse(any(secret in bytes.fromhex(row) for row, in shown))

    def test_an_answer_waits_for_its_record(self):
        """While nothing can be recorded, others' data is not shown; one's own is."""
        scene = self.scene
        reads = [("user", "GetUser", {"user_id": scene.users["learner"]}),
                 ("wallet", "GetWallet", {"user_id": scene.users["learner"]}),
                 ("purchase", "GetPurchase", {"purchase_id": scene.purchase}),
                 ("progress", "GetCourseProgress", {"course_id": scene.course, "user_id": scene.users["learner"]}),
                 ("access", "ListEnrollments", {"course_id": scene.course})]
        scene.audit()
        self.stack.sql("RENAME TABLE audit TO audit_away")
        try:
            for _, method, fields in reads:
                with self.subTest(method), self.assertRaises(Refused) as caught:
                    scene.wire.call(area_of(method), method, scene.tokens["root-admin"], **fields)
                self.assertEqual((caught.exception.code, caught.exception.reason),
                                 ("UNAVAILABLE", "DATABASE_UNAVAILABLE"))
                self.assertTrue(caught.exception.retry)
            self.assertEqual(self.outcome("learner", "GetWallet", {}), "OK")
        finally:
            self.stack.sql("RENAME TABLE audit_away TO audit")
        self.assertEqual(scene.audit(), [])

        done = []
        holder = subprocess.Popen(["mariadb", "--unbuffered", "--socket", self.stack.socket, "--user", "root",
                                   self.stack.database],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        holder.stdin.write("LOCK TABLES audit WRITE; SELECT 'locked';\n")
        holder.stdin.flush()
        self.assertTrue(any("locked" in line for line in iter(holder.stdout.readline, "")))
        call = threading.Thread(target=lambda: done.append(self.outcome(
            "helper", "GetWallet", {"user_id": scene.users["learner"]})))
        call.start()
        call.join(1)
        self.assertEqual(done, [], "it was answered before it was recorded")
        holder.communicate("UNLOCK TABLES;\n")
        call.join(20)
        self.assertEqual(done, ["OK"])
        self.assertEqual(scene.audit(), [(id_number(scene.users["helper"]), "GetWallet",
                                          id_number(scene.users["learner"]))])

    def test_lists_hold_only_what_may_be_seen(self):
        scene = self.scene
        for caller in sorted(EVERYBODY):
            for fields in ({}, {"instructor_id": scene.users["teacher"]}, {"state": 3}):
                answer = scene.wire.call("catalogue", "ListCourses", scene.tokens[caller], page_size=100, **fields)
                states = {c.state for c in answer.courses}
                self.assertIn(3, states)
                if caller != "teacher" or "instructor_id" not in fields:
                    self.assertEqual(states, {3}, f"{fields}, by {caller}")

    def test_a_role_that_was_taken_away_is_gone_at_once(self):
        scene, stack = self.scene, self.stack
        stack.register("former", "INSTRUCTOR")
        before = scene.session("former")
        scene.wire.call("user", "SetUserRoles", scene.tokens["root-admin"], user_id=stack.users["former"], roles=[1],
                        reason="test")
        with self.assertRaises(Refused) as caught:
            scene.wire.call("course", "CreateCourse", before.access_token, title="Mine")
        self.assertEqual(caught.exception.reason, "TOKEN_REVOKED")
        after = scene.wire.call("session", "RefreshSession", refresh_token=before.refresh_token).session
        self.assertEqual(list(after.user.roles), [1])
        with self.assertRaises(Refused) as caught:
            scene.wire.call("course", "CreateCourse", after.access_token, title="Mine")
        self.assertEqual(caught.exception.reason, "ROLE_MISSING")

    def test_a_former_instructor_reads_nobody(self):
        """What was taught is still listed under the name, and still paid; the learners are no longer shown."""
        scene, stack = self.scene, self.stack
        stack.register("retiring", "INSTRUCTOR")
        token = scene.session("retiring").access_token
        course = scene.wire.call("course", "CreateCourse", token, title="Taught", summary="s", subject_id=stack.subject, level=1,
                                 language="en", free={}).course.course_id
        fill(scene.wire.call, token, scene.wire.call("lesson", "CreateLesson", token, course_id=course, title="L", kind=2).lesson)
        scene.wire.call("course", "SubmitCourseForReview", token, course_id=course)
        scene.wire.call("course", "ApproveCourse", scene.tokens["root-admin"], course_id=course)
        draft = scene.wire.call("course", "CreateCourse", token, title="Unfinished").course.course_id
        scene.wire.call("purchase", "PurchaseCourse", scene.tokens["stranger"], **scene.order(course, 0))
        progress = {"course_id": course, "user_id": stack.users["stranger"]}
        reads = [("progress", "GetCourseProgress", progress, "NOT_COURSE_INSTRUCTOR"),
                 ("access", "ListEnrollments", {"course_id": course}, "NOT_COURSE_INSTRUCTOR"),
                 ("access", "ListEnrollments", progress, "NOT_COURSE_INSTRUCTOR"),
                 ("course", "GetCourse", {"course_id": draft}, "COURSE_NOT_FOUND"),
                 ("lesson", "ListLessons", {"course_id": draft}, "COURSE_NOT_FOUND"),
                 ("catalogue", "ListCourses", {"instructor_id": stack.users["retiring"], "state": 1},
                  "NOT_COURSE_INSTRUCTOR")]
        for area, method, fields, _ in reads:
            scene.wire.call(area, method, token, **fields)
        scene.wire.call("user", "SetUserRoles", scene.tokens["root-admin"], user_id=stack.users["retiring"], roles=[1],
                        reason="test")
        token = scene.session("retiring").access_token
        for area, method, fields, reason in reads:
            with self.subTest(method), self.assertRaises(Refused) as caught:
                scene.wire.call(area, method, token, **fields)
            self.assertEqual(caught.exception.reason, reason)
        with self.assertRaises(Refused) as caught:  # the income would still be the own
            scene.wire.call("purchase", "PurchaseCourse", token, **scene.order(course, 0))
        self.assertEqual(caught.exception.reason, "SELF_PURCHASE")


if __name__ == "__main__":
    unittest.main()
