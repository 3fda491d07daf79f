# SPDX-License-Identifier: Apache-2.0
"""What faults hit: a MariaDB of its own, replicas of the server, network paths that can fail, users with a job to do."""
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # connections that break are what this is about

import grpc  # noqa: E402
from checker import SCHOOL, number  # noqa: E402
from clients import (ANSWERS, MAY_REPEAT, PRICE, Buyer, Critic, Editor, Follower, Learner, Member, Moderator,  # noqa: E402
                     Newcomer, Probe, Reader, eur)
from edge import Edge  # noqa: E402
from link import Link  # noqa: E402
from stack import PASSWORD, Clock, PrivateDatabase, Stack, free_port  # noqa: E402
from wire import Wire, fill  # noqa: E402

LEARNERS, BUYERS, RIVALS = 4, 2, 2


class Disk:
    """What the datadir lies on, so that it can be full."""
    SIZE = 400

    def __init__(self):
        self.mounted = False

    def prepare(self, database):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}m", "edu-fault", database.dir],
                              capture_output=True)
        self.mounted = done.returncode == 0

    def fill(self, database):
        if not self.mounted:
            biggest = max(p.stat().st_size for p in (database.dir / "data").glob("e2e_*/*.ibd"))
            resource.prlimit(database.pid, resource.RLIMIT_FSIZE, (biggest, resource.RLIM_INFINITY))
            return 1
        with open(database.dir / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"x" * (1 << 20))
            except OSError:
                return 1

    def free(self, database):
        if self.mounted:
            (database.dir / "ballast").unlink()
        elif database.gone():  # its redo log met the limit
            database.start()
        else:
            resource.prlimit(database.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class Database(PrivateDatabase):
    """It outlives nobody: a process of its own stops it when the test is killed."""

    def __init__(self, reach, clock=False, disk=None):
        self.how_reached, self.link = reach, None
        self.clock, self.disk, self.reaper = clock, Disk() if disk else None, None
        super().__init__()

    def start(self):
        if not self.reaper:
            self.prepare()
        super().start()

    def prepare(self):
        command = (f"trap '' INT TERM HUP; cat >/dev/null; exec >/dev/null 2>&1; kill -KILL $(cat {self.dir}/server.pid);"
                   f" sleep 1; umount -l {self.dir}; rm -rf {self.dir}")
        self.reaper = subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE, start_new_session=True)
        if self.clock:
            self.clock = Clock(self.dir / "clock")
            self.environment = self.clock.environment()
        if self.disk:
            self.disk.prepare(self)

    @property
    def pid(self):
        return int((self.dir / "server.pid").read_text())

    def gone(self):
        """Whether the process is gone, though nobody may have asked for its status."""
        try:
            return pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    def sql(self, statement, database="", timeout=60):
        out = subprocess.run(["mariadb", "--no-defaults", "--socket", self.socket, "--user", "root", "--batch",
                              "--skip-column-names", database], input=statement, text=True, check=True,
                             capture_output=True, timeout=timeout).stdout
        return [line.split("\t") for line in out.splitlines()]

    def reach(self):
        if self.how_reached == "socket":
            return ["--db-socket", self.socket]
        tls = ["--db-ca", self.dir / "tls.pem"] if self.how_reached == "tls" else []
        return ["--db-host", "127.0.0.1", "--db-port", str(self.link.port if self.link else self.port), *tls]

    def stop(self):
        """By the reaper: nothing of it is wanted any more."""
        self.reaper.stdin.close()
        self.reaper.wait(30)


class Servers(Stack):
    """The replicas of a world, each with the clock that is its own."""

    def __init__(self, world, *flags):
        super().__init__(*flags, database=world.database)
        self.world = world

    def start(self, *flags, **how):
        """Replica number len(self.replicas), or with `n` that one anew."""
        n = how.pop("n", len(self.replicas))
        return super().start(*flags, *self.world.flags_of(n), **self.world.how(n))


class World:
    """Use as a context manager.

    `edge`: clients come through HAProxy, as docs/haproxy.cfg has it.
    `reach`: how servers reach the database, "socket", "tcp" or "tls". `link`: over a path of ours that can fail.
    `near`: clients reach the servers over such paths. `clocks`: of which processes we set the clock, "server" (each its
    own) or "database". `record_seconds`: how old a mark of progress gets before the feed tells of it.
    """

    def __init__(self, seed, history, reach="socket", link=False, near=False, edge=False, replicas=1, clocks=(), disk=None,
                 flags=(), record_seconds=900, learners=LEARNERS, buyers=BUYERS, newcomers=1, courses=20):
        self.seed, self.history, self.random = seed, history, random.Random(seed)
        self.near, self.n_replicas = near, replicas
        self.clocks, self.flags = clocks, flags
        self.n_learners, self.n_buyers, self.n_newcomers, self.n_courses = learners, buyers, newcomers, courses
        self.may_repeat, self.answers = MAY_REPEAT, ANSWERS
        self.database = Database(reach, clock="database" in clocks, disk=disk)
        self.link = self.database.link = Link(("127.0.0.1", self.database.port)) if link else None
        self.server_clocks, self.near_links, self.clients = [], [], []
        self.metrics = [free_port() for _ in range(replicas)] if edge else []
        self.edge = None
        self.stack = Servers(self, "--record-seconds", str(record_seconds), *flags)

    # --- servers ---

    def flags_of(self, n):
        """What the edge in front of replica n needs."""
        return ["--metrics-listen", f"127.0.0.1:{self.metrics[n]}", "--trust-forwarded-for"] if self.metrics else []

    def how(self, n):
        """Popen arguments of replica n."""
        if "server" not in self.clocks:
            return {}
        while len(self.server_clocks) <= n:
            self.server_clocks.append(Clock(self.stack.dir / f"clock-{len(self.server_clocks)}"))
        return {"env": self.server_clocks[n].environment()}

    def replica(self, n):
        return self.stack.replicas[n]

    def pid(self, n):
        return self.replica(n).process.pid

    def start_server(self, n):
        """Starts replica n anew, at its old address."""
        target = self.replica(n).target
        until = time.monotonic() + 60
        while True:
            try:
                self.stack.start("--listen", target, n=n)
                break
            except RuntimeError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        self.stack.replicas[n] = self.stack.replicas.pop()

    def stop_server(self, n, sig=signal.SIGKILL):
        return self.replica(n).stop(sig)

    def end_servers(self, statuses=(0,)):
        """SIGTERM to all; what is wrong with how they end, if anything."""
        wrong = []
        for replica in self.stack.replicas:
            replica.process.send_signal(signal.SIGTERM)
        for replica in self.stack.replicas:
            try:
                status = replica.process.wait(20)
            except subprocess.TimeoutExpired:
                replica.process.kill()
                status = "only by SIGKILL, 20 s after SIGTERM"
            replica.stop()
            wrong += [f"a server ended with {status}"] if status not in statuses else []
        self.stack.replicas.clear()
        return wrong

    def limit(self, n, what, soft):
        """Sets a limit of a running replica; returns the one before."""
        before = resource.prlimit(self.pid(n), what)
        resource.prlimit(self.pid(n), what, (soft, before[1]))
        return before[0]

    def memory_kib(self, n, what="VmRSS"):
        status = pathlib.Path(f"/proc/{self.pid(n)}/status").read_text()
        return int(status.split(what + ":")[1].split()[0])

    # --- clients ---

    def wire(self, target):
        """A connection of its own, that tries again soon."""
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 50),
                   ("grpc.min_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 100)]
        wire = Wire(target, options, patient=True)
        if self.edge:
            wire.close()
            wire.channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(self.edge.certificate), options)
        return wire

    def target(self, n=0):
        n %= self.n_replicas
        if self.edge:
            return self.edge.target
        return f"127.0.0.1:{self.near_links[n].port}" if self.near else self.replica(n).target

    def token(self, name):
        return self.calm.call("session", "Login", login=name, password=PASSWORD).session.access_token

    def set_up(self):
        """Users, courses, and learners who have bought the one that is learned."""
        for name, role in (("teacher", "INSTRUCTOR"), ("treasurer", "PAYMENTS")):
            self.stack.register(name, role)
        self.teacher, self.admin, self.treasurer = map(self.token, ("teacher", "root-admin", "treasurer"))
        self.courses = [self.publish(f"Course {i}", 2) for i in range(self.n_courses)]
        self.free_courses = [self.publish(f"Free {i}", 2, free={}) for i in range(self.n_courses // 2)]
        self.learned = self.publish("Learned", 1, 2, 1, 2)
        lessons = self.calm.call("lesson", "ListLessons", self.teacher, course_id=self.learned).lessons
        self.lessons = [{"lessonId": x.lesson_id, "kind": ("", "LESSON_KIND_VIDEO", "LESSON_KIND_TEXT")[x.kind]}
                        for x in lessons]
        self.probe = self.user("probe")
        for i in range(self.n_learners):
            self.clients.append(self.learner(i))
        for i in range(self.n_buyers):
            who = self.user(f"buyer-{i}")
            self.clients += [Buyer(self, f"buyer-{i}-{j}", self.target(i + j), *who) for j in range(RIVALS)]
        self.reader = Reader(self, "reader", self.target(), self.probe[0])
        self.clients.append(self.reader)
        self.set_up_members()
        self.set_up_editors()
        self.clients += [Moderator(self, f"moderator-{i}", self.target(i), self.admin) for i in range(2)]
        self.clients += [Newcomer(self, f"newcomer-{i}", self.target(i)) for i in range(self.n_newcomers)]

    def set_up_members(self):
        """An organization that some belong to now and then, and those who read what happened."""
        organization = 4242
        self.stack.sql(f"INSERT INTO organization (organization_id, name, create_time, update_time) VALUES ({organization},"
                       f" 'Employer', 1, 1), ({SCHOOL}, 'School', 1, 1)")
        users = [row[0] for row in self.stack.sql("SELECT user_id FROM user WHERE user_name IN ('learner-0', 'buyer-0')")]
        self.clients += [Member(self, f"member-{i}", organization, user) for i, user in enumerate(users)]
        self.clients += [Follower(self, f"follower-{i}", audience) for i, audience in enumerate((organization, 1, *users))]

    def set_up_editors(self):
        """A draft whose teachers come and go, from every replica at once."""
        for i in range(2):
            self.stack.register(f"colleague-{i}", "INSTRUCTOR")
        teachers = [self.stack.users[name] for name in ("teacher", "colleague-0", "colleague-1")]
        draft = self.draft("Draft")
        self.clients += [Editor(self, f"editor-{i}", self.target(i), self.admin, draft, teachers) for i in range(2)]

    def draft(self, title, **price):
        return self.calm.call("course", "CreateCourse", self.teacher, title=title, summary="What it is about",
                              subject_id=self.stack.subject, level=1, language="en",
                              **(price or {"price_list": {"prices": [eur(PRICE)]}})).course.course_id

    def publish(self, title, *kinds, **price):
        course = self.draft(title, **price)
        for kind in kinds:
            fill(self.calm.call, self.teacher, self.calm.call(
                "lesson", "CreateLesson", self.teacher, course_id=course, title="A lesson", kind=kind,
                duration_seconds=640 if kind == 1 else 0).lesson)
        self.calm.call("course", "SubmitCourseForReview", self.teacher, course_id=course)
        self.calm.call("course", "ApproveCourse", self.admin, course_id=course)
        return course

    def user(self, name):
        """Registers and signs in; (token, user_name, user_id)."""
        self.calm.call("user", "RegisterUser", user_name=name, password=PASSWORD)
        session = self.calm.call("session", "Login", login=name, password=PASSWORD).session
        return session.access_token, name, session.user.user_id

    def learner(self, i):
        """Pays for the course on the record, as everything is that moves money. Every other one belongs to the school."""
        who = self.user(f"learner-{i}")
        if i % 2 == 0:
            Member(self, f"pupil-{i}", SCHOOL, number(who[2])).step()
        purse = Buyer(self, f"learner-{i}", self.target(i), *who)
        purse.wire = self.calm
        purse.ask(purse.payment())
        purse.ask(purse.purchase(self.learned))
        self.clients.append(Critic(self, f"critic-{i}", self.target(i + 1), who[0], who[2]))
        return Learner(self, f"learner-{i}", self.target(i), who[0])

    def new_probe(self, n=0):
        return Probe(self, f"probe-{len(self.history.operations)}", self.target(n), *self.probe)

    def violations(self):
        return [v for c in self.clients for v in c.violations]

    # --- all of it ---

    def __enter__(self):
        self.stack.__enter__()
        while len(self.stack.replicas) < self.n_replicas:
            self.stack.start()
        if self.near:
            for n in range(self.n_replicas):
                self.near_links.append(Link(lambda n=n: ("127.0.0.1", int(self.replica(n).target.split(":")[1]))))
        if self.metrics:
            self.edge = Edge(*((r.target, m) for r, m in zip(self.stack.replicas, self.metrics))).__enter__()
        self.calm_wires = [Wire(r.target) for r in self.stack.replicas]
        self.calm = self.calm_wires[0]
        self.set_up()
        return self

    def __exit__(self, *exc):
        for client in self.clients:
            client.stopping.set()
        for wire in self.calm_wires:
            wire.close()
        self.end_servers()
        if self.edge:
            self.edge.__exit__()
        try:
            self.stack.__exit__(*exc)
        finally:
            for link in [*self.near_links, *([self.link] if self.link else [])]:
                link.close()
            self.database.stop()
