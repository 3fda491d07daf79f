# SPDX-License-Identifier: Apache-2.0
"""The faults. Each is injected, held, and healed, and counts how often it really happened: a scenario that injected
nothing fails."""
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

from stack import PASSWORD
from wire import Refused


class Fault:
    """`hold`: seconds between injecting and healing, (least, most)."""
    hold = (0.2, 1.0)

    def __init__(self, world):
        self.world, self.count = world, 0

    @property
    def name(self):
        return type(self).__name__

    def inject(self):
        raise NotImplementedError

    def heal(self):
        """Everything is as it was before when this returns; what the service makes of it is measured from here."""


# --- processes ---

class KillServer(Fault):
    """SIGKILL of a replica, which is started again."""
    hold = (0, 0.2)

    def inject(self):
        self.n = self.world.random.randrange(self.world.n_replicas)
        self.count += self.world.stop_server(self.n) == -signal.SIGKILL

    def heal(self):
        self.world.start_server(self.n)


class KillLeader(KillServer):
    """SIGKILL of the replica whose sequencer leads; it stays away for longer than the lease, so that another takes over."""
    hold = (8.5, 9.5)  # six seconds, and who waits for it asks every two
    LEASE = "SELECT holder FROM lease WHERE name = 'event.sequencer'"

    def leader(self):
        """Its number, and how the lease names it; a lease outlives its holder."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            holder = self.world.stack.sql(self.LEASE)
            pids = [str(self.world.pid(n)) for n in range(self.world.n_replicas)]
            if holder and holder[0][0].split(":")[1] in pids:
                return pids.index(holder[0][0].split(":")[1]), holder
            time.sleep(0.1)
        raise AssertionError("nobody leads the sequencer")

    def inject(self):
        self.n, self.holder = self.leader()
        self.killed = self.world.stop_server(self.n) == -signal.SIGKILL

    def heal(self):
        taken = self.world.stack.sql(self.LEASE) not in ([], self.holder)
        self.world.expect(taken, "nobody took the sequencer over")
        self.count += self.killed and taken
        self.world.start_server(self.n)


class TermServer(KillServer):
    """SIGTERM of a replica under load: it drains, ends with status 0, and is started again."""

    def inject(self):
        self.n = self.world.random.randrange(self.world.n_replicas)
        began = time.monotonic()
        status = self.world.stop_server(self.n, signal.SIGTERM)
        self.count += 1
        self.world.expect(status == 0, f"a drained server ended with status {status}")
        self.world.expect(time.monotonic() - began < 20, "a drain took more than 20 s")


class StopServer(Fault):
    """SIGSTOP and, later, SIGCONT of a replica."""
    hold = (0.5, 2.5)

    def inject(self):
        self.process = self.world.replica(self.world.random.randrange(self.world.n_replicas)).process
        self.process.send_signal(signal.SIGSTOP)
        self.count += 1

    def heal(self):
        self.process.send_signal(signal.SIGCONT)


class KillDatabase(Fault):
    """SIGKILL of mariadbd, which is started again."""
    hold = (0, 1.0)

    def inject(self):
        self.world.database.kill()
        self.count += 1

    def heal(self):
        self.world.database.start()


class TermDatabase(KillDatabase):
    """SIGTERM of mariadbd: it shuts down as for an upgrade, and is started again."""

    def inject(self):
        self.world.database.signal(signal.SIGTERM)
        while not self.world.database.gone():
            time.sleep(0.02)
        self.count += 1


class StopDatabase(Fault):
    """SIGSTOP and, later, SIGCONT of mariadbd: it hangs, and nobody is told."""
    hold = (0.5, 2.5)

    def inject(self):
        self.world.database.signal(signal.SIGSTOP)
        self.count += 1

    def heal(self):
        self.world.database.signal(signal.SIGCONT)


class KillConnections(Fault):
    """KILL CONNECTION of some of the servers' connections."""
    hold = (0, 0)

    def inject(self):
        rows = self.world.stack.sql("SELECT id FROM information_schema.processlist WHERE db = DATABASE()"
                                    " AND id <> CONNECTION_ID()")
        for (thread,) in self.world.random.sample(rows, min(len(rows), 6)):
            try:
                self.world.stack.sql(f"KILL CONNECTION {thread}")
                self.count += 1
            except subprocess.CalledProcessError:
                pass  # it was gone already


# --- networks; `far` is between server and database, `near` between client and server ---

class OnLink(Fault):
    far = True

    @property
    def link(self):
        return self.world.link if self.far else self.world.near_links[0]

    @property
    def name(self):
        return type(self).__name__ + (", database" if self.far else ", clients")


class Swallow(OnLink):
    """Nothing arrives any more, and nobody is told. The connections of that time stay mute."""
    hold = (1.0, 2.5)

    def inject(self):
        self.before = self.link.swallowed
        self.link.swallowing = True

    def heal(self):
        self.link.swallowing = False
        self.count += self.link.swallowed > self.before


class SwallowLong(Swallow):
    """For longer than the statements of the time may take: they are cut while nobody can be told."""
    hold = (8.0, 10.0)


class Delay(OnLink):
    """Everything arrives late."""
    hold = (1.0, 2.0)

    def inject(self):
        self.before = self.link.delayed
        self.link.delay = self.world.random.uniform(0.05, 0.3)

    def heal(self):
        self.link.delay = 0
        self.count += self.link.delayed > self.before


class Cut(OnLink):
    """All connections are reset."""
    hold = (0, 0)

    def inject(self):
        self.count += self.link.cut()


class LoseAnswers(OnLink):
    """What was asked arrives and is done; its answer is lost together with the connection."""
    hold = (0.3, 0.6)

    def inject(self):
        self.before = self.link.answers_lost
        self.link.answers_to_lose = 3

    def heal(self):
        self.link.answers_to_lose = 0
        self.count += self.link.answers_lost - self.before


class HalfClose(OnLink):
    """The other side says that it will send no more."""
    hold = (0.1, 0.3)

    def inject(self):
        self.count += self.link.half_close()


class _Near:
    far = False


class SwallowNear(_Near, Swallow):
    pass


class DelayNear(_Near, Delay):
    pass


class CutNear(_Near, Cut):
    pass


class LoseAnswersNear(_Near, LoseAnswers):
    pass


class HalfCloseNear(_Near, HalfClose):
    pass


# --- the database's own ---

class HoldLock(Fault):
    """Somebody else's transaction holds rows that calls want."""
    hold = (1.5, 3.0)
    ROWS = ("SELECT 1 FROM wallet LIMIT 2 FOR UPDATE", "SELECT 1 FROM event_sequence FOR UPDATE",
            "SELECT 1 FROM progress_lesson LIMIT 1 FOR UPDATE", "SELECT 1 FROM progress_session LIMIT 1 FOR UPDATE",
            "SELECT 1 FROM progress_day LIMIT 1 FOR UPDATE", "SELECT 1 FROM progress_mark LIMIT 1 FOR UPDATE",
            "SELECT 1 FROM organization_member FOR UPDATE",
            "SELECT 1 FROM course LIMIT 3 FOR UPDATE", "SELECT 1 FROM payment_provider FOR UPDATE")

    def inject(self):
        self.session = subprocess.Popen(["mariadb", "--no-defaults", "--socket", self.world.database.socket, "--user",
                                         "root", "--batch", "--unbuffered", self.world.stack.database],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        rows = self.world.random.choice(self.ROWS)
        self.world.history.note("lock", rows=rows)
        self.session.stdin.write(f"SET innodb_lock_wait_timeout = 10; BEGIN; {rows}; SELECT 'held';\n")
        self.session.stdin.flush()
        for line in self.session.stdout:
            if line.strip() == "held":
                self.count += 1
                return

    def heal(self):
        self.session.stdin.close()
        self.session.wait(20)
        self.session.stdout.close()


class LockLearner(HoldLock):
    """One learner's rows are held. Every other learner is served meanwhile."""
    hold = (4.0, 4.0)

    def inject(self):
        self.learners = [c for c in self.world.clients if c.name.startswith("learner-")]
        self.world.random.shuffle(self.learners)
        name = self.learners[0].name
        self.ROWS = (";".join(f"SELECT 1 FROM {table} JOIN user USING (user_id) WHERE user_name = '{name}' FOR UPDATE" for
                              table in ("progress_session", "progress_lesson", "progress_day")),)
        super().inject()
        self.before = [c.acknowledged for c in self.learners]

    def heal(self):
        starved = [c.name for c, n in zip(self.learners[1:], self.before[1:]) if c.acknowledged < n + 3]
        self.world.expect(not starved, f"starved by the locked rows of {self.learners[0].name}: {', '.join(starved)}")
        super().heal()


class ReadOnly(Fault):
    """SET GLOBAL read_only, as before a failover."""
    hold = (0.5, 1.5)

    def inject(self):
        self.world.database.sql("SET GLOBAL read_only = 1")
        self.count += self.world.database.sql("SELECT @@read_only") == [["1"]]

    def heal(self):
        self.world.database.sql("SET GLOBAL read_only = 0")


class FullDisk(Fault):
    """No room for what InnoDB wants to write: a small file system of the datadir's own, filled up; or, where none may be
    mounted, a limit on the size of mariadbd's files."""
    hold = (1.0, 2.0)

    def inject(self):
        self.count += self.world.database.disk.fill(self.world.database)

    def heal(self):
        self.world.database.disk.free(self.world.database)


# --- clocks ---

class ServerClock(Fault):
    """The clock of one replica is off, by seconds or by a day, either way."""
    hold = (1.0, 2.0)
    OFFSETS = (3, -3, 40, -40, 86400, -86400)

    def clock(self):
        self.n = self.world.random.randrange(self.world.n_replicas)
        return self.world.server_clocks[self.n]

    def shown(self):
        """By a new access token's end; who refuses to make one has seen it too."""
        try:
            session = self.world.calm_wires[self.n].call("session", "Login", login="probe", password=PASSWORD).session
            return session.access_token_expire_time.ToMicroseconds() / 1e6 - 900
        except Refused as error:
            return time.time() + self.set.offset if error.code == "UNAVAILABLE" else 0

    def inject(self):
        self.set = self.clock()
        self.set.set(self.world.random.choice(self.OFFSETS))
        until = time.monotonic() + 5  # libfaketime reads the file once a second
        while time.monotonic() < until:
            if abs(self.shown() - time.time() - self.set.offset) < 1:
                self.count += 1
                return
            time.sleep(0.05)

    def heal(self):
        self.set.set(0)
        time.sleep(1.1)


class DatabaseClock(ServerClock):
    """The database's clock is off."""

    def clock(self):
        return self.world.database.clock

    def shown(self):
        return float(self.world.database.sql("SELECT UNIX_TIMESTAMP(NOW(6))")[0][0])


# --- what a process may have ---

class FewDescriptors(Fault):
    """The replica may have hardly more descriptors than it has, while many connect."""
    hold = (1.0, 2.0)
    SPARE, COMING = 12, 60

    def inject(self):
        open_now = len(os.listdir(f"/proc/{self.world.pid(0)}/fd"))
        self.before = self.world.limit(0, resource.RLIMIT_NOFILE, open_now + self.SPARE)
        host, port = self.world.replica(0).target.rsplit(":", 1)
        self.crowd = []
        for _ in range(self.COMING):
            try:
                self.crowd.append(socket.create_connection((host, int(port)), 1))
            except OSError:
                continue
        self.count += len(self.crowd) > self.SPARE

    def heal(self):
        for one in self.crowd:
            one.close()
        self.world.limit(0, resource.RLIMIT_NOFILE, self.before)


class LittleMemory(Fault):
    """The replica may have hardly more address space than it has, and large messages come. It may end; then it is
    started again."""
    hold = (0.5, 1.0)
    SPARE, LARGE, COMING = 8 << 20, 3 << 20, 12

    def inject(self):
        size = self.world.memory_kib(0, "VmSize") << 10
        self.before = self.world.limit(0, resource.RLIMIT_AS, size + self.SPARE)
        senders = [threading.Thread(target=self.send) for _ in range(self.COMING)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    def send(self):
        """A course of one long text: however it is answered, memory was asked for."""
        wire = self.world.wire(self.world.target())
        try:
            wire.raw("/edu.v1.EduService/CreateCourse", b"\x1a\x80\x80\xc0\x01" + b"x" * self.LARGE,
                     self.world.teacher, timeout=2)
        except Refused:
            self.count += 1
        finally:
            wire.close()

    def heal(self):
        if self.world.replica(0).process.poll() is None:
            self.world.limit(0, resource.RLIMIT_AS, self.before)
        else:
            self.world.stop_server(0)
            self.world.start_server(0)


# --- attacks ---

class Attack(Fault):
    """Strangers of one source do their worst for some seconds; see attacks.py. Counts what they sent."""
    hold = (0, 0)
    kind, seconds = "", 8

    @property
    def name(self):
        return self.kind

    def inject(self):
        edge = self.world.edge
        target = f"127.0.0.1:{edge.port}" if edge else self.world.replica(0).target
        attackers = subprocess.run([sys.executable, "-B", pathlib.Path(__file__).with_name("attacks.py"), self.kind, target,
                                    "tls" if edge else "plain", str(self.seconds)],
                                   stdout=subprocess.PIPE, text=True, check=True, timeout=60)
        self.count += int(attackers.stdout)


def attack(name):
    return type(name, (Attack,), {"kind": name})
