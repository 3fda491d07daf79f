# SPDX-License-Identifier: Apache-2.0
"""Good clients: they put on record what they ask and what they are told, ask again with the same request_id, and now and
then give up."""
import itertools
import random
import subprocess
import threading
import time
import uuid

from google.protobuf.timestamp_pb2 import Timestamp

from stack import PASSWORD
from wire import Refused, Wire

PRICE = 1250
PROVIDER = "fault"
GIVE_UP = 0.2

# With these a call may fail when something between it and its row is broken; anything else is a violation.
MAY_REPEAT = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED")

# Refusals that are answers: the books say no.
ANSWERS = ("INSUFFICIENT_FUNDS", "ALREADY_PURCHASED", "USER_NAME_IN_USE", "REVIEW_TOO_EARLY", "ALREADY_REVIEWED",
           "REVIEW_STATE_INVALID")


def eur(minor_units):
    return {"currency_code": "EUR", "minor_units": minor_units}


class Client(threading.Thread):
    """One connection, one operation after the other, at most `rate` a second."""
    rate, timeout = 60, 3

    def __init__(self, world, name, target, token=None):
        super().__init__(name=name, daemon=True)
        self.world, self.history, self.target, self.token = world, world.history, target, token
        self.random = random.Random(f"{world.seed}-{name}")
        self.wire, self.acknowledged, self.stopping = None, 0, threading.Event()
        self.violations, self.unanswered = [], 0

    def connect(self):
        """A connection of its own, tried again soon."""
        if self.wire:
            self.wire.close()
        self.wire = self.world.wire(self.target)
        self.unanswered = 0

    def operation(self, kind, area, method, token=None, intent=None, **fields):
        """Puts on record what is wanted, and remembers how to ask for it."""
        operation = self.history.operation(self.name, kind, fields.get("request_id", ""), **(intent or {}))
        operation.call = (area, method, token or self.token, fields)
        return operation

    def attempt(self, operation):
        """The answer, or the refusal. A connection on which two calls got no answer is given up."""
        area, method, token, fields = operation.call
        began = self.history.begin(operation)
        try:
            answer = self.wire.call(area, method, token, timeout=self.timeout, **fields)
        except Refused as error:
            self.history.end(operation, began, error.code, error.reason)
            self.unanswered += error.code == "DEADLINE_EXCEEDED" and not error.reason
            if self.unanswered > 1:
                self.connect()
            return error
        self.history.end(operation, began, "OK", answer=answer)
        self.acknowledged += 1
        self.unanswered = 0
        return answer

    def shown(self, operation):
        """The answer; None also for a refusal that is one."""
        answer = self.ask(operation)
        return None if isinstance(answer, Refused) else answer

    def ask(self, operation, patient=False):
        """The answer, or a refusal that is one; None when it was given up, whatever became of it."""
        until = time.monotonic() + 60
        while True:
            answer = self.attempt(operation)
            if not isinstance(answer, Refused) or answer.reason in self.world.answers:
                return answer
            if answer.code not in self.world.may_repeat:
                self.violations.append(f"{operation} was answered {answer}")
                return None
            if not patient and (self.stopping.is_set() or self.random.random() < GIVE_UP):
                return None
            if time.monotonic() > until:
                self.violations.append(f"{operation} got no answer in 60 s: {answer}")
                return None
            self.stopping.wait(self.random.uniform(0.02, 0.1))

    def run(self):
        self.connect()
        while not self.stopping.is_set():
            until = time.monotonic() + self.random.uniform(0.5, 1.5) / self.rate
            try:
                self.step()
            except Exception as error:  # pylint: disable=broad-except
                self.violations.append(f"{self.name} ended: {error!r}")
                return
            self.stopping.wait(max(0, until - time.monotonic()))

    def step(self):
        raise NotImplementedError

    def stop(self):
        self.stopping.set()
        self.join(90)
        if self.is_alive():
            self.violations.append(f"{self.name} hangs")
        elif self.wire:
            self.wire.close()


class Learner(Client):
    """Watches a course in several sessions at once."""

    def __init__(self, world, name, target, token, sessions=4):
        super().__init__(world, name, target, token)
        self.sessions = [Session(self.random.choice(world.lessons)) for _ in range(sessions)]

    def step(self):
        session = self.random.choice(self.sessions)
        now, said = session.say(self.random)
        intent = {"session": str(session.id), "lesson": session.lesson, "start": session.start.ToMicroseconds(),
                  "last": now.ToMicroseconds(), **said}
        self.ask(self.operation("progress", "progress", "RecordProgress", intent=intent, lesson_id=session.lesson,
                                session_id=str(session.id), client_time=now, session_start_time=session.start, **said))


class Session:
    """What one session of learning has said so far; every report says a bit more than the one before."""

    def __init__(self, lesson):
        self.lesson, self.video, self.id = lesson["lessonId"], lesson["kind"] == "LESSON_KIND_VIDEO", uuid.uuid4()
        self.start = Timestamp()
        self.start.GetCurrentTime()
        self.said = {"interactions": 0, "learning_seconds": 0, "coverage": 0, "completed": False}

    def say(self, chance):
        now, said = Timestamp(), self.said
        now.GetCurrentTime()
        now.FromMicroseconds(now.ToMicroseconds())
        said["interactions"] += 1 + chance.randrange(3)
        said["learning_seconds"] += chance.randrange(2)
        if self.video:
            said["coverage"] |= 1 << chance.randrange(64)
        elif chance.random() < 0.05:
            said["completed"] = True
        return now, {k: v for k, v in said.items() if v}


class Buyer(Client):
    """Tops up a wallet, buys every course and enrolls in every free one, as others do in the same name."""

    def __init__(self, world, name, target, token, user_name, user_id):
        super().__init__(world, name, target, token)
        self.user_name, self.user_id, self.serial = user_name, user_id, 0
        self.to_buy, self.to_enroll = list(world.courses), list(world.free_courses)
        self.random.shuffle(self.to_buy)

    def payment(self):
        self.serial += 1
        name = f"{self.name}-{self.serial}"
        return self.operation("top_up", "wallet", "TopUpWallet", self.world.treasurer,
                              {"payment": name, "user": self.user_name, "amount": PRICE}, user_id=self.user_id,
                              amount=eur(PRICE), provider=PROVIDER, provider_payment_id=name,
                              request_id=str(uuid.uuid4()))

    def purchase(self, course):
        return self.operation("purchase", "purchase", "PurchaseCourse", None,
                              {"user": self.user_name, "course": course, "price": PRICE}, course_id=course,
                              currency_code="EUR", expected_total=eur(PRICE), payment_source=1,
                              request_id=str(uuid.uuid4()))

    def enrollment(self, course):
        return self.operation("enroll", "access", "EnrollInCourse", None, {"user": self.user_name, "course": course},
                              course_id=course, request_id=str(uuid.uuid4()))

    def step(self):
        self.ask(self.payment())
        if self.to_enroll and self.random.random() < 0.1:
            course = self.random.choice(self.to_enroll)
            if self.ask(self.enrollment(course)) and self.random.random() < 0.5:  # else again, being enrolled
                self.to_enroll.remove(course)
        if not self.to_buy or self.random.random() > 0.1:
            return
        course = self.random.choice(self.to_buy)
        answer = self.ask(self.purchase(course))
        if answer and (not isinstance(answer, Refused) or answer.reason == "ALREADY_PURCHASED"):
            self.to_buy.remove(course)


class Critic(Client):
    """Reviews what its learner learns, and thinks better of it."""
    rate = 8

    def __init__(self, world, name, target, token, user_id):
        super().__init__(world, name, target, token)
        self.user_id, self.review = user_id, None

    def write(self, method, given, **fields):
        return self.ask(self.operation("review", "review", method, intent={"user": self.user_id, "stars": given}, **fields))

    def step(self):
        stars = self.random.randint(1, 5)
        if self.review:
            self.write("UpdateReview", stars, review={"review_id": self.review, "stars": stars},
                       update_mask={"paths": ["stars"]})
            return
        answer = self.write("CreateReview", stars, course_id=self.world.learned, stars=stars, request_id=str(uuid.uuid4()))
        if isinstance(answer, Refused):  # too early, or after one that was given up
            answer = self.shown(self.operation("read", "review", "ListReviews", course_id=self.world.learned,
                                               user_id=self.user_id))
            self.review = answer.reviews[0].review_id if answer and answer.reviews else None
        elif answer:
            self.review = answer.review.review_id


class Moderator(Client):
    """Hides what is shown, and shows what is hidden."""
    rate = 8

    def step(self):
        state = self.random.choice((1, 2))
        page = self.shown(self.operation("read", "review", "ListReviews", course_id=self.world.learned, state=state))
        if not page or not page.reviews:
            return
        review = self.random.choice(page.reviews).review_id
        self.ask(self.operation("moderate", "review", ("", "HideReview", "UnhideReview")[state], intent={"review": review},
                                review_id=review, reason="as it comes"))


class Newcomer(Client):
    """Registers, signs in, looks at itself, and is somebody else the next time."""
    rate = 6

    def step(self):
        name = f"new-{uuid.uuid4().hex[:12]}"
        if not self.shown(self.operation("register", "user", "RegisterUser", intent={"user": name}, user_name=name,
                                         password=PASSWORD)):
            return
        answer = self.shown(self.operation("login", "session", "Login", intent={"user": name}, login=name,
                                           password=PASSWORD))
        if answer:
            self.ask(self.operation("read", "user", "GetUser", answer.session.access_token, {"user": name}))


class Reader(Client):
    """Looks at its wallet, as a person does who uses the service: how long such a one waits is what runs report."""
    rate = 40

    def step(self):
        self.ask(self.operation("wallet", "wallet", "GetWallet"))


class InSql(Client):
    """Does in the database, with nobody between, what no RPC does yet. It keeps its connection for one statement."""
    rate = 8

    def connect(self):
        pass

    def sql(self, statement):
        """Its rows; None when it failed, or nobody knows."""
        try:
            return self.world.database.sql(statement, self.world.stack.database, timeout=5)
        except subprocess.SubprocessError:
            return None


class Member(InSql):
    """Joins an organization, leaves it, and joins it again. The event has an id of some time ago, as one that was made
    before a slow transaction."""
    SERIAL = itertools.count()
    NODE = 1023  # a server takes the lowest that is free

    def __init__(self, world, name, organization, user):
        super().__init__(world, name, None)
        self.organization, self.user = organization, user

    def new_id(self, ago_ms=0):
        ms = int(time.time() * 1000) - 1704067200000 - ago_ms
        return ms << 22 | self.NODE << 12 | next(self.SERIAL) % 4096

    def step(self):
        done = self.sql(
            f"START TRANSACTION; SET @live = (SELECT member_id FROM organization_member WHERE user_id = {self.user}"
            f" AND organization_id = {self.organization} AND live = 1); SET @member = IFNULL(@live, {self.new_id()});"
            " INSERT INTO organization_member (member_id, organization_id, user_id, external_id, live, version,"
            f" create_time) SELECT @member, {self.organization}, {self.user}, '{self.name}', 1, 1, 1 FROM DUAL"
            " WHERE @live IS NULL;"
            " UPDATE organization_member SET live = NULL, end_time = 1, version = 2 WHERE member_id = @live;"
            " INSERT INTO event (event_id, kind, subject_id, version, user_id, course_id, organization_id, create_time,"
            f" payload) VALUES ({self.new_id(self.random.randrange(3000))},"
            " IF(@live IS NULL, 'member.joined', 'member.left'), @member, IF(@live IS NULL, 1, 2),"
            f" {self.user}, 0, {self.organization}, 1, ''); COMMIT")
        self.acknowledged += done is not None


class Editor(Client):
    """Puts teachers on a draft and takes them off, who have access to it meanwhile; so do others at the same time."""
    rate = 10

    def __init__(self, world, name, target, token, draft, teachers):
        super().__init__(world, name, target, token)
        self.draft, self.teachers = draft, teachers

    def step(self):
        chosen = self.random.sample(self.teachers, self.random.randint(1, len(self.teachers)))
        self.ask(self.operation("teach", "course", "UpdateCourse", intent={"teachers": chosen},
                                course={"course_id": self.draft, "instructors": [{"user_id": t} for t in chosen]},
                                update_mask={"paths": ["instructors"]}))


class Follower(InSql):
    """Reads the feed of an audience by cursor, and puts on record what it has read."""
    PAGE = 20

    def __init__(self, world, name, audience):
        super().__init__(world, name, None)
        self.audience, self.read = audience, self.history.followed.setdefault(audience, [])

    def step(self):
        after = self.read[-1][0] if self.read else 0
        rows = self.sql(f"SELECT position, event_id FROM event_audience WHERE audience_id = {self.audience}"
                        f" AND position > {after} AND position <= (SELECT durable_position FROM event_sequence)"
                        f" ORDER BY position LIMIT {self.PAGE}")
        self.read += [tuple(map(int, row)) for row in rows or ()]
        self.acknowledged += bool(rows)


class Probe(Buyer):
    """Asks on fresh connections for a read and a write, to see when all is as it should be."""
    timeout = 1

    def answers(self):
        self.connect()
        read = self.operation("read", "wallet", "GetWallet", intent={"user": self.user_name})
        return all(not isinstance(self.attempt(o), Refused) for o in (read, self.payment()))

    def await_normal(self, bound):
        """Seconds until both are answered; None when they are not within the bound."""
        began = time.monotonic()
        while time.monotonic() - began < bound:
            if self.answers():
                return time.monotonic() - began
            time.sleep(0.02)
        return None
