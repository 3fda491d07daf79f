#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares an OULAD presentation, as its CSV files have it, with what the service says after an import.

It shares nothing with the importer: the files are read with Python's csv module, the service is asked with grpcio."""
import argparse
import collections
import csv
import pathlib
import sys

from wire import Refused, Wire, messages

KINDS = {"quiz": "LESSON_KIND_EXERCISE", "ouelluminate": "LESSON_KIND_LIVE", "oucollaborate": "LESSON_KIND_LIVE"}
UNKNOWN_DATES = ("", "?")


class Expected:
    """What one presentation should look like, by id_student and id_site (as texts)."""

    def __init__(self, directory, presentation):
        self.directory = pathlib.Path(directory)
        self.module, self.presentation = presentation.split("/")
        self.prefix = f"oulad-{self.module}-{self.presentation}"
        self.kinds = {row["id_site"]: KINDS.get(row["activity_type"], "LESSON_KIND_TEXT") for row in self.rows("vle")}
        registrations = self.rows("studentRegistration")
        self.buyers = {row["id_student"] for row in registrations}
        self.left = {row["id_student"] for row in registrations if row["date_unregistration"] not in UNKNOWN_DATES}
        self.students = self.buyers | {row["id_student"] for row in self.rows("studentInfo")}
        self.rows_of_clicks = self.rows("studentVle")
        # One session per student, material and day.
        self.days = collections.Counter()
        for row in self.rows_of_clicks:
            self.days[row["id_student"], row["id_site"], row["date"]] += int(row["sum_click"])
        self.clicks = collections.defaultdict(dict)     # student -> material -> sum
        self.sessions = collections.defaultdict(collections.Counter)
        self.skipped = 0
        for (student, material, _), clicks in self.days.items():
            if student not in self.buyers or material not in self.kinds:
                self.skipped += 1
                continue
            self.clicks[student][material] = self.clicks[student].get(material, 0) + clicks
            self.sessions[student][material] += 1

    def rows(self, table):
        with open(self.directory / f"{table}.csv", newline="", encoding="utf-8-sig") as file:
            return [row for row in csv.DictReader(file)
                    if (row["code_module"], row["code_presentation"]) == (self.module, self.presentation)]

    def user_name(self, student):
        return f"{self.prefix}-{student}".lower()


def pages(wire, token, area, method, field, **arguments):
    """Every item of a list."""
    page_token = ""
    while True:
        answer = wire.call(area, method, token, page_size=100, page_token=page_token, **arguments)
        yield from getattr(answer, field)
        page_token = answer.next_page_token
        if not page_token:
            return


class Comparison:
    def __init__(self, expected, wire, login, password, price):
        self.expected, self.wire, self.price = expected, wire, price
        session = wire.call("session", "Login", login=login, password=password).session
        self.token, self.importer = session.access_token, session.user.user_id
        self.differences = []
        self.figures = collections.Counter()

    def same(self, what, found, wanted):
        if found != wanted:
            self.differences.append(f"{what}: {found!r}, and not {wanted!r}")

    def run(self):
        course = self.course()
        if course:
            self.lessons(course)
            self.learners(course)
            self.enrollments(course)
        return self.differences

    def course(self):
        found = list(pages(self.wire, self.token, "catalogue", "ListCourses", "courses", instructor_id=self.importer,
                           external_id=self.expected.prefix))
        self.same("number of courses", len(found), 1)
        if not found:
            return None
        course = found[0]
        self.same("state", messages("edu.v1.course").CourseState.Name(course.state), "COURSE_STATE_PUBLISHED")
        self.same("prices", [(p.minor_units, p.currency_code) for p in course.price_list.prices], [self.price])
        return course.course_id

    def lessons(self, course):
        kind = messages("edu.v1.lesson").LessonKind.Name
        found = list(pages(self.wire, self.token, "lesson", "ListLessons", "lessons", course_id=course))
        self.same("lessons", {l.external_id: kind(l.kind) for l in found}, self.expected.kinds)
        self.same("number of lessons", len(found), len(self.expected.kinds))
        sections = self.wire.call("lesson", "ListLessons", self.token, course_id=course).sections
        titles = {s.section_id: s.title for s in sections}
        self.same("activities by section", {l.external_id: titles.get(l.section_id) for l in found},
                  {l.external_id: l.title.rsplit(" ", 1)[0] for l in found})
        self.same("number of sections", len(sections), len(set(titles.values())))
        self.material = {l.lesson_id: l.external_id for l in found}
        self.figures["lessons"] = len(found)

    def learners(self, course):
        self.user_ids = {}
        for student in sorted(self.expected.students, key=int):
            try:
                user = self.wire.call("user", "GetUser", self.token, user_name=self.expected.user_name(student)).user
            except Refused as error:
                self.differences.append(f"student {student}: {error}")
                continue
            self.user_ids[student] = user.user_id
            self.figures["accounts"] += 1
            self.purchase(student, user.user_id, course)
            self.progress(student, user.user_id, course)

    def purchase(self, student, user_id, course):
        found = list(pages(self.wire, self.token, "purchase", "ListPurchases", "purchases", user_id=user_id))
        state = messages("edu.v1.purchase").PurchaseState.Name
        wanted = [(course, "PURCHASE_STATE_COMPLETED", self.price)] if student in self.expected.buyers else []
        self.same(f"student {student}, purchases",
                  [(p.course_id, state(p.state), (p.charged.minor_units, p.charged.currency_code)) for p in found],
                  wanted)
        self.figures["purchases"] += len(found)
        self.figures["minor units"] += sum(p.charged.minor_units for p in found)
        wallet = self.wire.call("wallet", "GetWallet", self.token, user_id=user_id).wallet
        self.same(f"student {student}, wallet", sum(b.minor_units for b in wallet.balances), 0)

    def progress(self, student, user_id, course):
        try:
            progress = self.wire.call("progress", "GetCourseProgress", self.token, course_id=course,
                                      user_id=user_id).progress
        except Refused as error:
            if error.reason != "ENROLLMENT_NOT_FOUND" or student in self.expected.buyers:
                self.differences.append(f"student {student}, progress: {error}")
            return
        if student not in self.expected.buyers:
            self.differences.append(f"student {student} is enrolled without a registration")
        for what, found, wanted in (
                ("clicks", {self.material[l.lesson_id]: l.interactions for l in progress.lessons},
                 self.expected.clicks.get(student, {})),
                ("sessions", {self.material[l.lesson_id]: l.session_count for l in progress.lessons},
                 dict(self.expected.sessions.get(student, {})))):
            self.same(f"student {student}, {what}", found, wanted)
        self.same(f"student {student}, sum of clicks", progress.interactions,
                  sum(self.expected.clicks.get(student, {}).values()))
        self.figures["interactions"] += progress.interactions
        self.figures["sessions"] += sum(l.session_count for l in progress.lessons)
        self.figures["learners with clicks"] += bool(progress.lessons)

    def enrollments(self, course):
        found = list(pages(self.wire, self.token, "access", "ListEnrollments", "enrollments", course_id=course))
        self.same("enrolled users", sorted(e.user_id for e in found),
                  sorted(u for s, u in self.user_ids.items() if s in self.expected.buyers))
        self.figures["enrollments"] = len(found)


def compare(directory, presentation, target, login, password, price=(4900, "EUR")):
    """What differs (nothing, if all is well), and the figures the service gave."""
    wire = Wire(target)
    try:
        comparison = Comparison(Expected(directory, presentation), wire, login, password, price)
        return comparison.run(), comparison.figures
    finally:
        wire.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     allow_abbrev=False)
    parser.add_argument("directory", help="with the CSV files")
    parser.add_argument("--presentation", required=True, help="such as AAA/2013J")
    parser.add_argument("--target", default="localhost:50051")
    parser.add_argument("--user", required=True, help="the account that imported")
    parser.add_argument("--password-file", required=True, type=pathlib.Path)
    parser.add_argument("--minor-units", type=int, default=4900, help="the price in the currency's minor unit")
    parser.add_argument("--currency", default="EUR")
    arguments = parser.parse_args()
    password = arguments.password_file.read_text().splitlines()[0]
    differences, figures = compare(arguments.directory, arguments.presentation, arguments.target, arguments.user,
                                   password, (arguments.minor_units, arguments.currency))
    print("\n".join(f"{name}: {value}" for name, value in figures.items()))
    print("\n".join(differences[:50]) if differences else "The service says what the files say.")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
