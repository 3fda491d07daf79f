# SPDX-License-Identifier: Apache-2.0
"""The database goes away, hangs, refuses writes, or gives our node id to another: what a server says and does then."""
import signal
import subprocess
import time
import unittest
import urllib.error
import uuid

from names import id_number
from stack import PASSWORD, SERVER, PrivateDatabase, Stack, free_port
from test_every_rpc import World
from wire import Refused, Wire, own_replica

PATIENCE = 30
BACKLOG = 300000


class Outage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = PrivateDatabase()
        cls.stack = Stack(database=cls.database).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)
        cls.database.stop()

    def replica(self):
        self.port = free_port()
        return own_replica(self.stack, "--metrics-listen", f"127.0.0.1:{self.port}",
                           options=[("grpc.initial_reconnect_backoff_ms", 50)])

    def ready(self):
        """What /readyz says: "" when ready, else why not."""
        try:
            self.stack.http(self.port, "/readyz")
            return ""
        except urllib.error.HTTPError as error:
            self.assertEqual(error.code, 503)
            return error.read().decode()

    def await_ready(self, ready):
        """Seconds until it is ready, or is not."""
        began = time.monotonic()
        while (self.ready() == "") != ready:
            self.assertLess(time.monotonic() - began, PATIENCE, self.ready())
            time.sleep(0.05)
        return time.monotonic() - began

    def register(self, wire):
        return wire.call("user", "RegisterUser", user_name="u" + uuid.uuid4().hex[:12], password=PASSWORD).user

    def refused(self, wire):
        with self.assertRaises(Refused) as caught:
            self.register(wire)
        return caught.exception.code

    def recovers(self, replica, wire, began):
        """It is the process it was, ready again, and works."""
        took = self.await_ready(True)
        print(f"{self.id().rsplit('.', 1)[1]}: ready {took:.1f} s after the end of {time.monotonic() - began - took:.1f} s")
        self.assertIsNone(replica.process.poll())
        self.assertTrue(self.register(wire).user_id)

    def test_killed_and_started_again(self):
        with self.replica() as (replica, wire):
            for _ in range(2):
                began = time.monotonic()
                self.database.kill()
                noticed = self.await_ready(False)
                print(f"noticed after {noticed:.1f} s")
                self.assertEqual(self.ready(), "the database is away")
                self.assertEqual(self.refused(wire), "UNAVAILABLE")
                self.database.start()
                self.recovers(replica, wire, began)
            self.assertEqual(replica.stop(), 0)

    def test_what_a_crash_took_back_is_not_remembered(self):
        """InnoDB shows a commit to others before it is on disk: here for longer than usual."""
        self.stack.login("root-admin")  # the stack's server may be another by now
        world, now = World(self.stack), time.time_ns() // 1000
        course = world.publish(world.new_course("--free"))
        lesson = world.edu("list-lessons", "--course-id", course)["lessons"][0]["lessonId"]
        user, course = id_number(self.stack.register("pupil")["userId"]), id_number(course)
        self.stack.sql(f"INSERT INTO enrollment (user_id, course_id, start_time) VALUES ({user}, {course}, 1)")
        with self.replica() as (replica, wire):
            token = wire.call("session", "Login", login="pupil", password=PASSWORD).session.access_token

            def learns():
                at = {"seconds": int(time.time())}
                try:
                    wire.call("progress", "RecordProgress", token, lesson_id=lesson, session_id=str(uuid.uuid4()),
                              client_time=at, session_start_time=at)
                except Refused as error:
                    self.assertEqual(error.reason, "NOT_ENROLLED", str(error))
                    return False
                return True

            self.assertFalse(learns())
            # A run of a database is told from another by when it was started, give or take 5 s.
            while int(self.stack.sql("SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1]) < 8:
                time.sleep(0.2)
            self.stack.sql("SET GLOBAL innodb_flush_log_at_timeout = 2700, innodb_flush_log_at_trx_commit = 0")
            self.stack.sql("START TRANSACTION; INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind,"
                           f" source_id, start_time) VALUES ({user}, 1, {course}, 7, 5, 7, {now});"
                           "INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time,"
                           f" payload) VALUES (7, 'access.granted', 7, {user}, {course}, 0, {now}, ''); COMMIT")
            self.assertTrue(learns())
            self.database.kill()
            self.await_ready(False)
            self.database.start()
            self.await_ready(True)
            time.sleep(1)
            self.assertEqual(self.stack.sql("SELECT COUNT(*) FROM access_grant WHERE grant_id = 7"), [["0"]])
            self.assertFalse(learns())
            self.assertEqual(replica.stop(), 0)

    def test_hangs(self):
        with self.replica() as (replica, wire):
            began = time.monotonic()
            self.database.signal(signal.SIGSTOP)
            try:
                self.await_ready(False)
            finally:
                self.database.signal(signal.SIGCONT)
            self.recovers(replica, wire, began)
            self.assertEqual(replica.stop(), 0)

    def test_read_only(self):
        with self.replica() as (replica, wire):
            began = time.monotonic()
            self.stack.sql("SET GLOBAL read_only = 1")
            try:
                self.await_ready(False)
                self.assertEqual(self.ready(), "the database is read-only")
            finally:
                self.stack.sql("SET GLOBAL read_only = 0")
            self.recovers(replica, wire, began)
            self.assertEqual(replica.stop(), 0)

    def test_a_stolen_node_ends_the_process_with_a_failure(self):
        with self.replica() as (replica, wire):
            node = max(int(row[0]) for row in self.stack.sql("SELECT node_id FROM node WHERE expire_time >"
                                                             " UNIX_TIMESTAMP() * 1000000 + 30000000"))
            self.stack.sql(f"UPDATE node SET holder = 'thief' WHERE node_id = {node}")
            self.assertEqual(replica.process.wait(PATIENCE), 1)
            self.assertEqual(replica.stop(), 1)
            self.assertEqual(self.refused(wire), "UNAVAILABLE")

    # --- how it is reached ---

    def migrate(self, host, ca):
        """Any command that connects: its status and what it says."""
        done = subprocess.run([SERVER, "migrate", "--db-host", host, "--db-port", str(self.database.port), "--db-name",
                               self.stack.database, "--db-user", self.stack.database + "_owner", "--db-password-file",
                               self.stack.dir / "db.password", *(["--db-ca", ca] if ca else [])],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr

    def test_localhost_is_a_host(self):
        own, stranger = self.database.dir / "tls.pem", self.stack.dir / "stranger.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", "/dev/null", "-out", stranger, "-days", "1", "-subj", "/CN=localhost"],
                       check=True, capture_output=True)
        for host in ("localhost", "127.0.0.1"):
            self.assertEqual(self.migrate(host, own)[0], 0, host)
            self.assertEqual(self.migrate(host, None)[0], 0, host)
            status, said = self.migrate(host, stranger)
            self.assertEqual(status, 1, host)
            self.assertIn("certificate", said)

    # --- a backlog of events ---

    def append_backlog(self, age_ms):
        """Events nobody gave a position, made that long ago."""
        newest = self.stack.sql("SELECT MAX(event_id) FROM event")[0][0]
        self.stack.sql(f"INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time,"
                       f" payload) SELECT {newest} - ({age_ms} << 22) - seq, 'wallet.topped_up', seq, seq, 0, 0, 1, '' FROM seq_1_to_{BACKLOG}")

    def pending(self):
        return int(self.stack.sql("SELECT COUNT(*) FROM event WHERE position = 0")[0][0])

    def seen_after(self, author, course, a, b):
        """Changes the course at one replica; seconds until the other shows it."""
        title = uuid.uuid4().hex
        a.call("course", "UpdateCourse", author, course={"course_id": course, "title": title},
               update_mask={"paths": ["title"]})
        began = time.monotonic()
        while b.call("course", "GetCourse", author, course_id=course).course.title != title:
            self.assertLess(time.monotonic() - began, PATIENCE, "the change is not known")
            time.sleep(0.01)
        return time.monotonic() - began

    def backlog_delays_nothing(self, age_ms):
        self.assertEqual(self.stack.replicas.pop().stop(), 0)
        self.append_backlog(age_ms)
        began = time.monotonic()
        with self.replica() as (replica, b):  # it alone gives the positions
            started = time.monotonic() - began
            a = Wire(self.stack.start().target)
            author = a.call("session", "Login", login="author", password=PASSWORD).session.access_token
            course = a.call("course", "CreateCourse", author, title="One", free={}).course.course_id
            slowest, unready, looks = 0, 0, 0
            while self.pending():
                self.assertLess(time.monotonic() - began, 4 * PATIENCE, "events without a position")
                slowest = max(slowest, self.seen_after(author, course, a, b))
                unready += self.ready() != ""
                looks += 1
            print(f"{BACKLOG} events: started in {started:.1f} s, changes known within {slowest:.2f} s, not ready"
                  f" {unready} times of {looks}, none left after {time.monotonic() - began:.1f} s")
            self.assertEqual(unready, 0)
            self.assertLess(slowest, 3)
            a.close()
            self.assertEqual(replica.stop(), 0)
        self.assertEqual(self.stack.sql("SELECT COUNT(*) = MAX(position), COUNT(DISTINCT position) = COUNT(*) FROM event"),
                         [["1", "1"]])

    def test_a_backlog_of_events(self):
        self.stack.register("author", "INSTRUCTOR")
        self.backlog_delays_nothing(age_ms=1000)


if __name__ == "__main__":
    unittest.main()
