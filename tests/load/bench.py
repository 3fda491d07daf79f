# SPDX-License-Identifier: Apache-2.0
"""Measures the server against a bare C-core echo server in one run, on one machine; see tools/bench."""
import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from names import id_number  # noqa: E402
from stack import BUILD, PASSWORD, Stack, free_port  # noqa: E402
from test_every_rpc import World  # noqa: E402
from wire import Wire, fill, messages  # noqa: E402

LOAD = BUILD / "tests" / "load"
LOGIN = "/edu.v1.EduService/Login"
LEARNERS, LESSONS = 200, 20
REPORTS_PER_SECOND = 35000  # prepared
COURSES = 40  # on sale


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Run:
    """One measurement: what the load client printed, and what the server's process burnt meanwhile."""

    def __init__(self, name, pid, target, path, seconds, concurrency, *flags):
        before = cpu_seconds(pid)
        done = subprocess.run([LOAD / "load", "--target", target, "--path", path, "--seconds", str(seconds),
                               "--concurrency", str(concurrency), *map(str, flags)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"bench: {name}: a call did not answer OK:\n{done.stdout}{done.stderr}")
        self.name, self.result = name, json.loads(done.stdout)
        self.cpu_us = (cpu_seconds(pid) - before) / self.result["calls"] * 1e6
        self.rate = self.result["per_second"]
        print(f"  {name:<34}{self.rate:>10,.0f} calls/s   p50 {self.result['p50_us']:>7,} us   "
              f"p99 {self.result['p99_us']:>7,} us   server CPU {self.cpu_us:>6.1f} us/call", flush=True)


class Echo:
    """The bare C-core server, answering so many bytes."""

    def __init__(self, reply_bytes, pollers):
        self.pollers = pollers
        self.process = subprocess.Popen([LOAD / "echo_server", "--path", "/echo.Echo/Echo", "--pollers", str(pollers),
                                         "--reply-bytes", str(reply_bytes)], stdout=subprocess.PIPE, text=True)
        self.target = "127.0.0.1:" + self.process.stdout.readline().strip()

    def run(self, seconds, concurrency, payload_hex):
        return Run(f"echo, {self.pollers} pollers", self.process.pid, self.target, "/echo.Echo/Echo", seconds,
                   concurrency, "--payload-hex", payload_hex)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()


class Bench:
    def __init__(self, options):
        self.options = options
        self.rows = []

    def row(self, name, value, unit, reference):
        """Adds a figure: median over median, since single runs on a small machine are noisy."""
        self.rows.append({"name": name, "value": round(value, 1), "unit": unit, "reference": round(reference, 1),
                          "ratio": round(value / reference, 3)})

    def figure(self, name, value, unit):
        """Adds a figure that is compared with nothing."""
        self.rows.append({"name": name, "value": round(value, 3), "unit": unit, "reference": None, "ratio": None})

    def against_echo(self, name, measure, reply_bytes, payload_hex, concurrency):
        """Interleaves the echo at each poller count with what is measured; the echo's best counts."""
        seconds, best, ours = self.options.seconds, {}, []
        for _ in range(self.options.rounds):
            for pollers in (1, 2):
                echo = Echo(reply_bytes, pollers)
                best.setdefault(pollers, []).append(echo.run(seconds, concurrency, payload_hex))
                echo.stop()
            ours.append(measure())
        reference = max(median(runs) for runs in best.values())
        self.row(name, median(ours), "calls/s", reference)
        return ours


def median(runs):
    rates = sorted(r.rate for r in runs)
    return rates[len(rates) // 2]


def median_cpu(runs):
    return sorted(r.cpu_us for r in runs)[len(runs) // 2]


def register(wire, name):
    """Somebody new's access token."""
    wire.call("user", "RegisterUser", user_name=name, password=PASSWORD)
    return wire.call("session", "Login", login=name, password=PASSWORD).session.access_token


def seed(stack):
    """A published course of LESSONS lessons and LEARNERS learners enrolled in it; returns the course, lessons, tokens."""
    world = World(stack)
    course = world.new_course("--free")
    world.publish(course, *["VIDEO"] * LESSONS)
    lessons = []
    token = ""
    while True:
        page = stack.edu("list-lessons", "--course-id", course, "--page-size", 100,
                         *(("--page-token", token) if token else ()))
        lessons += [x["lessonId"] for x in page["lessons"]]
        token = page.get("nextPageToken", "")
        if not token:
            break

    wire = Wire(stack.target)

    def enroll(i):
        token = register(wire, f"bench-{i}")
        wire.call("purchase", "PurchaseCourse", token, course_id=course, currency_code="EUR",
                  expected_total={"currency_code": "EUR"}, payment_source=1, request_id=str(uuid.uuid4()))
        return token

    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(enroll, range(LEARNERS)))
    wire.close()
    return course, lessons, tokens


def make_members(stack, users):
    """Has those that a condition of SQL names join an organization, as a call would."""
    stack.sql("START TRANSACTION;"
              "CREATE TEMPORARY TABLE joins SELECT user_id, UNIX_TIMESTAMP() * 1000000 AS now FROM user"
              f" WHERE {users};"
              "INSERT INTO organization_member (member_id, organization_id, user_id, live, version, create_time)"
              " SELECT user_id, 2, user_id, 1, 1, now FROM joins;"
              "INSERT INTO event (event_id, kind, subject_id, version, user_id, course_id, organization_id, create_time,"
              " payload) SELECT user_id, 'member.joined', user_id, 1, user_id, 0, 2, now, '' FROM joins; COMMIT")


class Reports:
    """Progress reports over every (learner, lesson), each a later heartbeat of its session: none is sent twice, since
    what changes nothing is not written."""

    def __init__(self, directory, lessons, tokens):
        directory.mkdir(exist_ok=True)
        self.file, self.senders = directory / "reports", directory / "tokens"
        self.lessons, self.learners, self.written = lessons, len(tokens), 0
        self.now = int(time.time())  # all are enrolled by now; a beat takes a millisecond
        self.sessions = {}
        self.senders.write_text("".join(token + "\n" for token in tokens), encoding="ascii")

    def packed(self, n):
        request = messages("edu.v1.progress").RecordProgressRequest
        learner, lesson = n % self.learners, n // self.learners % len(self.lessons)
        beat = n // (self.learners * len(self.lessons)) + 1
        session = self.sessions.setdefault((learner, lesson), str(uuid.uuid4()))
        return request(lesson_id=self.lessons[lesson], session_id=session, client_time={"seconds": self.now, "nanos": beat * 10**6},
                       session_start_time={"seconds": self.now - 3600}, learning_seconds=30 * beat, interactions=beat,
                       coverage=(1 << min(beat, 50)) - 1, position_seconds=beat % 600).SerializeToString()

    def write(self, n):
        """Puts the next n into the file; each starts with the first learner, as the tokens do."""
        with open(self.file, "wb") as out:
            for _ in range(n - n % self.learners):
                packed = self.packed(self.written)
                out.write(varint(len(packed)) + packed)
                self.written += 1


def changed_keys(stack):
    return int(stack.sql("SELECT COUNT(*) FROM progress_lesson WHERE interactions > 0")[0][0])


def measure_reads(bench, stack, course, token):
    path, request = "/edu.v1.EduService/GetCourse", messages("edu.v1.course").GetCourseRequest(course_id=course)
    payload = request.SerializeToString()
    wire = Wire(stack.target)
    reply = wire.raw(path, payload, token)
    wire.close()
    server = stack.replicas[0]

    def measure():
        return Run("GetCourse, signed in", server.process.pid, server.target, path, bench.options.seconds, 64,
                   "--payload-hex", payload.hex(), "--token", token)

    print(f"\nGetCourse against the echo ({len(payload)} bytes asked, {len(reply)} answered, 64 in flight)")
    bench.against_echo("get_course_vs_echo", measure, len(reply), payload.hex(), 64)


def measure_writes(bench, stack, reports, label=""):
    server, seconds = stack.replicas[0], bench.options.seconds

    def against(replica, name):
        reports.write(int((seconds + 1) * REPORTS_PER_SECOND))
        run = Run(name, replica.process.pid, replica.target, "/edu.v1.EduService/RecordProgress", seconds,
                  bench.options.in_flight, "--requests-file", reports.file, "--tokens-file", reports.senders)
        if run.result["calls"] > (seconds + 1) * REPORTS_PER_SECOND - reports.learners:
            raise SystemExit(f"bench: {name} was faster than REPORTS_PER_SECOND: some reports were sent twice")
        return run

    print(f"\nRecordProgress{label}, acknowledged after commit, against the echo ({bench.options.in_flight} in flight)")
    ours = bench.against_echo("record_progress_vs_echo" + label.replace(" ", "_").replace(",", ""),
                              lambda: against(server, "RecordProgress" + label), 120, reports.packed(0).hex(),
                              bench.options.in_flight)
    keys = changed_keys(stack)
    print(f"  distinct (learner, lesson) rows changed: {keys:,}")
    if keys < 1000:
        raise SystemExit(f"bench: only {keys} distinct keys changed; the figure does not count")
    single = stack.start("--combiner-batch", "1", "--combiner-lanes", "16")
    row_by_row = [against(single, "RecordProgress, row by row" + label) for _ in range(bench.options.rounds)]
    single.stop()
    bench.row("record_progress_vs_row_by_row" + label.replace(" ", "_").replace(",", ""), median(ours), "calls/s",
              median(row_by_row))


def seed_by_access(stack, course):
    """Two more groups of learners, made by turns so that they differ in nothing else: who has bought the course, and who has it
    by two years' paid periods of a catalogue, one of the 50 that hold it; returns the tokens of each."""
    wire, month, catalogue = Wire(stack.target), 30 * 86400 * 10**6, 1000
    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(lambda i: register(wire, f"{('buyer', 'subscriber')[i % 2]}-{i}"), range(2 * LEARNERS)))
    wire.close()
    now, course = time.time_ns() // 1000, id_number(course)
    grant = ("INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind, source_id, start_time, expire_time)"
             " SELECT user_id")
    stack.sql("INSERT INTO catalogue_course (course_id, catalogue_id, start_time)"
              f" SELECT {course}, {catalogue} + seq, 1 FROM seq_0_to_49;"
              f"{grant}, 2, {catalogue} + user_id % 50, user_id + seq, 6, 1, {now - 24 * month} + seq * {month},"
              f" {now - 24 * month} + (seq + 1) * {month} FROM user JOIN seq_1_to_24 WHERE user_name LIKE 'subscriber-%';"
              f"{grant}, 1, {course}, user_id + 1, 1, 1, {now - 24 * month}, NULL FROM user WHERE user_name LIKE 'buyer-%';"
              "INSERT INTO enrollment (user_id, course_id, start_time)"
              f" SELECT user_id, {course}, {now} FROM user WHERE user_name RLIKE '^(buyer|subscriber)-'")
    return tokens[::2], tokens[1::2]


def measure_subscribers(bench, stack, buyers, subscribers):
    """By turns, in the same course: who has bought it, and who has it by a catalogue."""
    rounds, seconds, server = max(bench.options.rounds, 7), bench.options.seconds, stack.replicas[0]
    runs = {"a buyer's": [], "a subscriber's": []}

    def run(who, theirs, seconds):
        theirs.write(int((seconds + 1) * REPORTS_PER_SECOND))
        return Run("RecordProgress, " + who, server.process.pid, server.target, "/edu.v1.EduService/RecordProgress", seconds,
                   bench.options.in_flight, "--requests-file", theirs.file, "--tokens-file", theirs.senders)

    print(f"\nRecordProgress of who has access by a catalogue, against a buyer's ({bench.options.in_flight} in flight)")
    for who, theirs in zip(runs, (buyers, subscribers)):
        run(who + " first", theirs, 1)
    for n in range(rounds):
        for who, theirs in list(zip(runs, (buyers, subscribers)))[::1 if n % 2 else -1]:
            runs[who].append(run(who, theirs, seconds))
    bought, subscribed = runs.values()
    bench.row("record_progress_subscriber_vs_buyer", median(subscribed), "calls/s", median(bought))
    bench.row("record_progress_subscriber_vs_buyer_cpu", median_cpu(subscribed), "us", median_cpu(bought))


def put_on_sale(stack):
    """COURSES courses at 12.50 EUR and money for every learner; returns the courses."""
    wire = Wire(stack.target)
    teacher, admin, treasurer = (wire.call("session", "Login", login=name, password=PASSWORD).session.access_token
                                 for name in ("teacher", "root-admin", "treasurer"))

    def new_course(i):
        course = wire.call("course", "CreateCourse", teacher, title=f"For sale {i}", summary="s", subject_id=stack.subject,
                           level=1, language="en",
                           price_list={"prices": [{"currency_code": "EUR", "minor_units": 1250}]}).course.course_id
        fill(wire.call, teacher,
             wire.call("lesson", "CreateLesson", teacher, course_id=course, title="Lesson", kind=2).lesson)
        wire.call("course", "SubmitCourseForReview", teacher, course_id=course)
        wire.call("course", "ApproveCourse", admin, course_id=course)
        return course

    def top_up(i):
        token = wire.call("session", "Login", login=f"bench-{i}", password=PASSWORD).session.access_token
        user = wire.call("user", "GetUser", token).user.user_id
        wire.call("wallet", "TopUpWallet", treasurer, user_id=user, provider="bench",
                  provider_payment_id=f"bench-{i}", amount={"currency_code": "EUR", "minor_units": 10**8},
                  request_id=str(uuid.uuid4()))

    with ThreadPoolExecutor(8) as pool:
        courses = list(pool.map(new_course, range(COURSES)))
        list(pool.map(top_up, range(LEARNERS)))
    wire.close()
    return courses


def measure_purchases(bench, stack, directory, tokens, label=""):
    """Each learner buys each course once; neighbours in line are different learners, as different wallets."""
    port, courses, runs, direct = free_port(), put_on_sale(stack), [], []
    server = stack.start("--metrics-listen", f"127.0.0.1:{port}")

    def counted(name):
        return int(re.search(rf"^{name} (\d+)$", stack.http(port, "/metrics"), re.MULTILINE)[1])

    request = messages("edu.v1.purchase").PurchaseCourseRequest
    (directory / "buyers").write_text("".join(token + "\n" for token in tokens), encoding="ascii")
    print(f"\nPurchases from the wallet{label}, against the same statement run by a bare program on 16 connections")
    share = len(courses) // bench.options.rounds
    for n in range(bench.options.rounds):
        with open(directory / "orders", "wb") as orders:
            for course in courses[n * share:(n + 1) * share]:
                for _ in tokens:
                    packed = request(course_id=course, currency_code="EUR", payment_source=1,
                                     expected_total={"currency_code": "EUR", "minor_units": 1250},
                                     request_id=str(uuid.uuid4())).SerializeToString()
                    orders.write(varint(len(packed)) + packed)
        runs.append(Run("PurchaseCourse" + label, server.process.pid, server.target,
                        "/edu.v1.EduService/PurchaseCourse", 60, 32, "--requests-file", directory / "orders",
                        "--tokens-file", directory / "buyers", "--once", "--warmup", 0.2))
        bare = json.loads(subprocess.run([LOAD / "purchase_direct", "16", "2"], check=True, capture_output=True,
                                         text=True).stdout)
        print(f"  {'the statement alone':<34}{bare['per_second']:>10,.0f} purchases/s", flush=True)
        direct.append(bare["per_second"])
    bench.row("purchase_vs_bare_sql" + label.replace(" ", "_").replace(",", ""), median(runs), "calls/s",
              sorted(direct)[len(direct) // 2])
    for what in () if label else ("round_trips", "commits"):
        bench.figure("purchase_" + what, counted(f"edu_purchase_{what}_total") / counted("edu_purchases_total"), "each")
    server.stop()


def start_as_shipped(stack, directory):
    """A replica with the hash that ships, and logins for it; the learners' hashes, made cheaply, are made anew at their
    first login there."""
    server = stack.start("--argon2-mib", "19", "--argon2-passes", "2")
    request = messages("edu.v1.session").LoginRequest
    with open(directory / "logins", "wb") as logins:
        for i in range(32):
            packed = request(login=f"bench-{i}", password=PASSWORD).SerializeToString()
            logins.write(varint(len(packed)) + packed)
    print()
    Run("first Login, hashing anew", server.process.pid, server.target, LOGIN, 60, 16, "--requests-file",
        directory / "logins", "--once", "--warmup", 0)
    return server


def measure_logins(bench, server, directory):
    print("\nLogin, against the password hash alone on as many threads")
    runs, direct = [], []
    for _ in range(bench.options.rounds):
        runs.append(Run("Login", server.process.pid, server.target, LOGIN, 2, 16, "--requests-file",
                        directory / "logins"))
        raw = json.loads(subprocess.run([LOAD / "argon2_direct", "2", "2"], check=True, capture_output=True,
                                        text=True).stdout)
        print(f"  {'the hash alone':<34}{raw['per_second']:>10,.1f} hashes/s", flush=True)
        direct.append(raw["per_second"])
    bench.row("login_vs_argon2", median(runs), "calls/s", sorted(direct)[len(direct) // 2])


@contextlib.contextmanager
def login_storm(server, directory, seconds):
    """64 logins under way for so long at least; each must answer OK."""
    storm = subprocess.Popen([LOAD / "load", "--target", server.target, "--path", LOGIN, "--seconds", str(seconds),
                              "--concurrency", "64", "--requests-file", directory / "logins", "--timeout-ms", "120000"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(1)
    yield
    if storm.poll() is not None:
        raise SystemExit("bench: the storm of logins was over too soon")
    said = storm.communicate()[0]
    if storm.returncode:
        raise SystemExit(f"bench: a login of the storm did not answer OK:\n{said}")
    print(f"  {'the storm':<34}{json.loads(said)['per_second']:>10,.0f} calls/s")


def measure_quiet(bench, server, directory, course, token, reports):
    """Callers who call once at a time, whose p99 a storm of logins must not touch; the worst counts."""
    seconds, rounds = bench.options.seconds, bench.options.rounds
    get_course = messages("edu.v1.course").GetCourseRequest(course_id=course).SerializeToString().hex()
    callers = {"GetCourse": ["--payload-hex", get_course, "--token", token],
               "GetWallet": ["--payload-hex", "", "--token", token],
               "RecordProgress": ["--requests-file", reports.file, "--tokens-file", reports.senders]}

    def p99s(when):
        reports.write(int((seconds + 1) * 5000))
        return {method: Run(f"{method}, {when}", server.process.pid, server.target, "/edu.v1.EduService/" + method,
                            seconds, 1, *flags).result["p99_us"] for method, flags in callers.items()}

    print("\nOne caller at a time, without and with 64 logins under way")
    quiet, stormy = [], []
    for _ in range(rounds):
        quiet.append(p99s("quiet"))
        with login_storm(server, directory, len(callers) * (seconds + 3)):
            stormy.append(p99s("in a storm of logins"))
    middle = {method: [sorted(p[method] for p in runs)[rounds // 2] for runs in (stormy, quiet)] for method in callers}
    worst = max(middle.values(), key=lambda pair: pair[0] / pair[1])
    bench.row("quiet_p99_vs_login_storm", worst[0], "us", worst[1])


OVERLOAD_SECONDS = 3
DEADLINES = (0.2, 2, 20)


class Offered:
    """So many calls a second, whatever becomes of them: how many answered OK in time, and how soon the others were
    refused."""

    def __init__(self, target, request, rate, deadline, seconds=OVERLOAD_SECONDS, warmup=0):
        done = subprocess.run([LOAD / "load", "--target", target, *request, "--rate", str(rate), "--connections", "4",
                               "--concurrency", "8000", "--seconds", str(seconds), "--warmup", str(warmup),
                               "--timeout-ms", str(int(deadline * 1000))], capture_output=True, text=True)
        self.result = json.loads(done.stdout)
        self.codes = self.result["codes"]
        self.goodput = self.codes.get("OK", 0) / (self.result["seconds"] + warmup)
        self.late = self.codes.get("DEADLINE_EXCEEDED", 0)
        if set(self.codes) - {"OK", "UNAVAILABLE", "DEADLINE_EXCEEDED"}:
            raise SystemExit(f"bench: overload: {self.codes}")


CATALOGUE = (1000, 100000)  # published courses
EVEN, ODD = "even", "odd"  # each a half; both of them the first twenty
QUESTIONS = {
    "the newest": {},
    "a broad word": {"query": "data"},
    "a broad word, in Chinese": {"query": "课程"},
    "a broad word, by title": {"query": "data", "order": 2},
    "a broad word and one of nothing": {"query": "data zzzqx"},
    "two broad words of twenty courses": {"query": f"{EVEN} {ODD}"},
    "a filter that fits nothing": {"level": 4},
    "two filters that fit nothing together": {"level": 2, "price_range": {"currency_code": "CHF", "max_minor_units": 5000}},
}
COMBINED = {
    "a level, a language and prices, by title": {"level": 2, "language": "en", "order": 2, "price_range": {
        "currency_code": "CHF", "min_minor_units": 6001, "max_minor_units": 9000}},
    "all of it": {"query": f"data {ODD} 课程", "level": 2, "language": "en", "order": 3, "price_range": {
        "currency_code": "CHF", "min_minor_units": 5500}},
}


def publish_many(stack, first, last):
    """Courses that no event tells of: only a server that starts afterwards has them. The even ones are of level 1 and cost at
    most 50.00, the others are of level 2 and cost more."""
    some = f"FROM seq_{first}_to_{last}"
    stack.sql("INSERT INTO course (course_id, creator_id, title, summary, description, objectives, audience, prerequisites,"
              " subject_id, level, language, license, pricing, planned_learning_hours, stage, lesson_count, version, revision,"
              " create_time, update_time, publish_time)"
              f" SELECT seq, 1, CONCAT(IF(seq % 2, '{ODD}', '{EVEN}'), IF(seq > 20, ' ', ' {EVEN} {ODD} '), MD5(seq)),"
              " CONCAT('About data and its uses: ', MD5(seq DIV 7), ' ', MD5(seq DIV 11), ' 数据分析课程'), '', '[]', '', '', 1,"
              f" 1 + seq % 2, IF(seq % 3, 'en', 'zh-Hans'), '', 2, 0, 3, 1, 1, 1, 1, 1, 1 {some};"
              f"INSERT INTO course_instructor (course_id, user_id, position, share_basis_points) SELECT seq, 1, 1, 10000 {some};"
              "INSERT INTO course_price (course_id, currency_code, minor_units, position)"
              f" SELECT seq, 'CHF', 100 + 7 * seq % 4900 + 5000 * (seq % 2), 1 {some}")


def measure_catalogue(bench, stack, token):
    """Each question, by turns to a server that has a thousand published courses and to one that has a hundred thousand; the
    worst ratio of what it costs them counts. The combined ones are made to be dear: what fits stands at the end of the order."""
    servers, first = {}, 1
    print("\nThe catalogue: what a question costs among 100,000 published courses, against among 1,000")
    for n in CATALOGUE:
        publish_many(stack, first, n)
        port, began = free_port(), time.monotonic()
        servers[n] = stack.start("--metrics-listen", f"127.0.0.1:{port}")
        first = n + 1
    bench.figure("catalogue_start_100k_s", time.monotonic() - began, "s")
    mib = int(re.search(r"^edu_catalogue_bytes (\d+)$", stack.http(port, "/metrics"), re.MULTILINE)[1]) / 2**20
    bench.figure("catalogue_100k_mib", mib, "MiB")
    bench.row("catalogue_cost_100k_vs_1k", *worst_cost(bench, servers, token, QUESTIONS))
    bench.row("catalogue_combined_100k_vs_1k", *worst_cost(bench, servers, token, COMBINED))
    for server in servers.values():
        server.stop()


def worst_cost(bench, servers, token, questions):
    """Of the question whose cost grows the most: what it costs among many, its unit, and what among few."""
    worst = None
    for name, question in questions.items():
        packed = messages("edu.v1.catalogue").ListCoursesRequest(page_size=20, **question).SerializeToString().hex()
        runs = {n: [] for n in CATALOGUE}
        for _ in range(bench.options.rounds):
            for n, server in servers.items():
                runs[n].append(Run(f"{name}, {n:,}", server.process.pid, server.target, "/edu.v1.EduService/ListCourses", 1, 16,
                                   "--payload-hex", packed, "--token", token))
        costs = [min(run.cpu_us for run in runs[n]) for n in CATALOGUE]  # what others do on the machine only adds
        worst = max(worst or costs, costs, key=lambda pair: pair[1] / pair[0])
    return worst[1], "us", worst[0]


def crowd_the_drafts(stack):
    """Drafts of which one in 200 is cheap: a page of those by title looks at nearly as many rows as a page may."""
    stack.sql("INSERT INTO course (course_id, creator_id, title, summary, description, objectives, audience, prerequisites,"
              " subject_id, level, language, license, pricing, planned_learning_hours, stage, lesson_count, version, revision,"
              " create_time, update_time, publish_time)"
              " SELECT 1000000 + seq, 1, CONCAT('Crowd ', seq), 's', '', '[]', '', '', 1, 1, 'en', '', 2, 0, 1,"
              " 1, 1, 0, 1, 1, NULL FROM seq_1_to_20000;"
              "INSERT INTO course_instructor (course_id, user_id, position, share_basis_points)"
              " SELECT 1000000 + seq, 1, 1, 10000 FROM seq_1_to_20000;"
              "INSERT INTO course_price (course_id, currency_code, minor_units, position)"
              " SELECT 1000000 + seq, 'CHF', IF(seq % 200, 1000, 500), 1 FROM seq_1_to_20000")


def overload(bench, name, process, target, request):
    """At one to three times of what the server can do, by each deadline: a row of what still answered at three times."""
    for deadline in DEADLINES:
        peak = Run(f"{name}, at capacity", process.pid, target, request[1], OVERLOAD_SECONDS, 4, *request[2:],
                   "--timeout-ms", 20000).rate
        calm = Offered(target, request, peak / 3, 20).result["p99_us"]
        for times in (1, 2, 3):
            run = Offered(target, request, peak * times, deadline)
            print(f"  {f'{times}x, deadline {deadline} s':<34}{run.goodput:>10,.0f} calls/s   {run.goodput / peak:>5.2f} of the most; "
                  f"{run.result['refused']:,} refused, p99 after {run.result['refused_p99_us'] / 1000:,.1f} ms; {run.late:,} late",
                  flush=True)
        bench.row(f"overload_{name}_3x_{deadline}s", run.goodput, "calls/s", peak)
        after = Offered(target, request, peak / 3, 20, seconds=1, warmup=1)
        print(f"  {'a second later, at a third':<34}p99 {after.result['p99_us'] / 1000:,.1f} ms, before {calm / 1000:,.1f} ms; "
              f"{after.codes}", flush=True)


def measure_overload(bench, stack):
    """Of two threads whose task sleeps for 20 ms, which they do however busy the machine is; and of a costly page of
    everybody's drafts with two workers, so that these are too few, and not the processors, which the load client and MariaDB share."""
    print("\nOverload: calls that answered OK within their deadline, against the most that did")
    probe = subprocess.Popen([LOAD / "probe_server", "1"], stdout=subprocess.PIPE, text=True)
    overload(bench, "goodput", probe, "127.0.0.1:" + probe.stdout.readline().strip(),
             ["--path", "/probe.v1.Probe/EchoOnDb", "--payload-hex", "1014"])
    probe.send_signal(signal.SIGTERM)
    probe.wait(20)
    probe.stdout.close()
    crowd_the_drafts(stack)
    wire = Wire(stack.target)
    token = wire.call("session", "Login", login="root-admin", password=PASSWORD).session.access_token
    wire.close()
    server = stack.start("--db-workers", "2", "--queue-wait-ms", "500")  # as shipped
    page = messages("edu.v1.catalogue").ListCoursesRequest(
        price_range={"currency_code": "CHF", "max_minor_units": 500}, order=2, page_size=20, state=1)
    overload(bench, "drafts", server.process, server.target,
             ["--path", "/edu.v1.EduService/ListCourses", "--token", token, "--payload-hex", page.SerializeToString().hex()])
    server.stop()


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_memory(bench, stack, course, token):
    """The most a fresh server ever had resident, with a thousand connections calling at once."""
    server = stack.start()
    payload = messages("edu.v1.course").GetCourseRequest(course_id=course).SerializeToString()
    print("\nA thousand connections, a call under way on each")
    Run("GetCourse, 1,000 connections", server.process.pid, server.target, "/edu.v1.EduService/GetCourse", 3, 1000,
        "--connections", 1000, "--payload-hex", payload.hex(), "--token", token)
    bench.figure("rss_1000_connections_mib", resident_mib(server.process.pid), "MiB")
    server.stop()


FEED = 1000000  # events


def measure_sequencer():
    """What one sequencer does by itself; and what a page of an audience costs in a long feed, against one in a short one."""
    print(f"\nThe sequencer alone, and a page of 100 of one audience in a feed of {FEED:,} events")
    done = subprocess.run([LOAD / "sequence_direct", str(FEED)], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout)
    print(f"  {'positions alone':<34}{result['positions_per_second']:>10,} events/s  {result['positions_redo_bytes']:>5} bytes of redo")
    print(f"  {'with their audiences':<34}{result['per_second']:>10,} events/s  {result['redo_bytes']:>5} bytes of redo")
    return result


@contextlib.contextmanager
def sampled(stack, port, name, ret):
    """Reads a gauge ten times a second meanwhile."""
    stopping = threading.Event()

    def sample():
        while not stopping.wait(0.1):
            ret.append(int(re.search(rf"^{name} (\d+)$", stack.http(port, "/metrics"), re.MULTILINE)[1]))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def measure_lag(bench, stack, reports):
    """How long an event waits for its position at most while members report as fast as they are answered and what changed on a
    learner's day is told each second; or, at the end of it, how much longer than that the oldest change has waited."""
    make_members(stack, "user_name LIKE 'bench-%'")
    for replica in stack.replicas:
        replica.stop()
    port, ages, seconds = free_port(), [], bench.options.seconds
    server = stack.start("--metrics-listen", f"127.0.0.1:{port}", "--record-seconds", "1")
    reports.write(int((seconds + 1) * REPORTS_PER_SECOND))
    print("\nHow far the sequencer lags behind, what changed on each learner's day told each second")
    before = int(stack.sql("SELECT position FROM event_sequence")[0][0])
    with sampled(stack, port, "edu_events_pending_age_milliseconds", ages):
        Run("RecordProgress", server.process.pid, server.target, "/edu.v1.EduService/RecordProgress", seconds,
            bench.options.in_flight, "--requests-file", reports.file, "--tokens-file", reports.senders)
    (oldest,), (now,), (last,) = stack.sql("SELECT IFNULL(MIN(mark_time), 0) FROM progress_mark; SELECT"
                                           " TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6));"
                                           " SELECT position FROM event_sequence")
    overdue = max(0, (int(now) - int(oldest)) // 1000 - 1000) if int(oldest) else 0
    print(f"  an event waited {max(ages)} ms at most, a change {overdue} ms beyond its second; {int(last) - before:,} events")
    bench.figure("sequencer_lag_ms", max(*ages, overdue), "ms")


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("--seconds", type=float, default=3, help="of each run (3)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run; medians count (3)")
    parser.add_argument("--in-flight", type=int, default=256, help="progress reports under way (256)")
    parser.add_argument("--label", default="", help=argparse.SUPPRESS)
    parser.add_argument("--append", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--out", default=str(ROOT / "build" / "bench.json"), help="where the figures go (build/bench.json)")
    options = parser.parse_args()
    bench = Bench(options)
    # Nobody is refused for a disk that stands still for a while: every call must answer OK.
    with Stack("--access-token-seconds", "7200", "--queue-wait-ms", "60000") as stack, \
            tempfile.TemporaryDirectory() as directory:
        started = time.monotonic()
        course, lessons, tokens = seed(stack)
        reports = Reports(pathlib.Path(directory), lessons, tokens)
        print(f"seeded {len(tokens)} learners and {len(lessons)} lessons in {time.monotonic() - started:.1f} s")
        if not options.label:
            measure_reads(bench, stack, course, tokens[0])
            measure_subscribers(bench, stack, *(
                Reports(pathlib.Path(directory) / group, lessons, theirs)
                for group, theirs in zip(("buyers", "subscribers"), seed_by_access(stack, course))))
        measure_writes(bench, stack, reports, options.label)
        measure_purchases(bench, stack, pathlib.Path(directory), tokens, options.label)
        if not options.label:
            measure_overload(bench, stack)
            measure_catalogue(bench, stack, tokens[0])
            measure_memory(bench, stack, course, tokens[0])
            shipped = start_as_shipped(stack, pathlib.Path(directory))
            measure_logins(bench, shipped, pathlib.Path(directory))
            measure_quiet(bench, shipped, pathlib.Path(directory), course, tokens[0], reports)
            shipped.stop()
            measure_lag(bench, stack, reports)

    if not options.label:
        alone = measure_sequencer()
        bench.row("sequence_vs_positions", alone["per_second"], "events/s", alone["positions_per_second"])
        bench.row("audience_page_vs_short_feed", alone["long_page_us"], "us", alone["short_page_us"])
    earlier = json.loads(pathlib.Path(options.out).read_text()) if options.append else []
    pathlib.Path(options.out).write_text(json.dumps(earlier + bench.rows, indent=2) + "\n")
    print(f"\n{'name':<44}{'value':>12} {'unit':<10}{'reference':>12}{'ratio':>8}")
    for row in bench.rows:
        against = f"{row['reference']:>12,.0f}{row['ratio']:>8.2f}" if row["ratio"] is not None else ""
        print(f"{row['name']:<44}{row['value']:>12,.{0 if row['value'] > 10 else 3}f} {row['unit']:<10}{against}")


if __name__ == "__main__":
    main()
